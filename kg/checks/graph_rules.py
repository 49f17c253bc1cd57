"""The rules that every graph is held to: names and levels of ROBOT report's default profile.

ROBOT (Jackson et al. 2019, BMC Bioinformatics 20:407) states each rule as a SPARQL query; here each
is a few array operations with the same verdicts. Its queries are in tests/kg/robot_queries.
"""

from collections.abc import Callable, Mapping

from . import label_rules, reference_rules, synonym_rules
from .found import Found
from .statement_rows import StatementRows

RULES: Mapping[str, Callable[[StatementRows], Found]] = {
    rule.__name__: rule
    for rule in (
        label_rules.annotation_whitespace,
        reference_rules.deprecated_boolean_datatype,
        reference_rules.deprecated_class_reference,
        reference_rules.deprecated_property_reference,
        label_rules.duplicate_definition,
        synonym_rules.duplicate_exact_synonym,
        synonym_rules.duplicate_label_synonym,
        label_rules.duplicate_label,
        synonym_rules.duplicate_scoped_synonym,
        reference_rules.equivalent_pair,
        reference_rules.equivalent_class_axiom_no_genus,
        reference_rules.illegal_use_of_built_in_vocabulary,
        synonym_rules.invalid_xref,
        label_rules.label_formatting,
        label_rules.label_whitespace,
        label_rules.lowercase_definition,
        label_rules.missing_definition,
        label_rules.missing_label,
        label_rules.missing_obsolete_label,
        reference_rules.missing_ontology_description,
        reference_rules.missing_ontology_license,
        reference_rules.missing_ontology_title,
        reference_rules.missing_subset_declaration,
        reference_rules.missing_superclass,
        reference_rules.missing_synonymtype_declaration,
        label_rules.misused_obsolete_label,
        reference_rules.misused_replaced_by,
        reference_rules.multiple_asserted_superclasses,
        label_rules.multiple_definitions,
        reference_rules.multiple_equivalent_classes,
        reference_rules.multiple_equivalent_class_definitions,
        label_rules.multiple_labels,
        reference_rules.invalid_entity_uri,
    )
}
# multiple_asserted_superclasses isn't in ROBOT's default profile either; a profile may name it.
DEFAULT_PROFILE: Mapping[str, str] = {
    "annotation_whitespace": "WARN",
    "deprecated_boolean_datatype": "ERROR",
    "deprecated_class_reference": "ERROR",
    "deprecated_property_reference": "ERROR",
    "duplicate_definition": "ERROR",
    "duplicate_exact_synonym": "WARN",
    "duplicate_label_synonym": "WARN",
    "duplicate_label": "ERROR",
    "duplicate_scoped_synonym": "WARN",
    "equivalent_pair": "WARN",
    "equivalent_class_axiom_no_genus": "WARN",
    "illegal_use_of_built_in_vocabulary": "ERROR",
    "invalid_xref": "WARN",
    "label_formatting": "ERROR",
    "label_whitespace": "ERROR",
    "lowercase_definition": "INFO",
    "missing_definition": "WARN",
    "missing_label": "ERROR",
    "missing_obsolete_label": "WARN",
    "missing_ontology_description": "ERROR",
    "missing_ontology_license": "ERROR",
    "missing_ontology_title": "ERROR",
    "missing_subset_declaration": "WARN",
    "missing_superclass": "INFO",
    "missing_synonymtype_declaration": "WARN",
    "misused_obsolete_label": "ERROR",
    "misused_replaced_by": "ERROR",
    "multiple_definitions": "ERROR",
    "multiple_equivalent_classes": "WARN",
    "multiple_equivalent_class_definitions": "ERROR",
    "multiple_labels": "ERROR",
    "invalid_entity_uri": "WARN",
}
