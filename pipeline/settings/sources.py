"""The project, its graph, and the files that it is read from."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from ...kg.readers.languages import LANGUAGE_TAG
from .table import Amount, Table, Values

LanguageTag = Annotated[str, StringConstraints(pattern=f"^{LANGUAGE_TAG}$")]


class ProjectTable(Table):
    name: str = "my graph"
    """what the report calls this project"""
    seed: Amount = 0
    """every draw, split and initial weight follows from it"""
    artifacts: str = "artifacts"
    """folder for results, relative to this file"""
    allow_network: bool = False
    """true: models may be fetched from the Hugging Face hub"""


class GraphTable(Table):
    label_predicates: tuple[str, ...] = ("rdfs:label", "skos:prefLabel", "schema:name", "foaf:name")
    """where labels come from, best first"""
    hierarchy: tuple[str, ...] = ("rdfs:subClassOf", "skos:broader")
    """predicates that lead from the narrower to the broader entity"""
    strict: bool = False
    """true: the first rejected line stops ingestion"""
    unknown_prefix: Literal["drop", "keep", "fail"] = "drop"
    """prefixes that aren't declared: drop or keep what has one, or fail"""


class RowStatement(Table):
    """One statement a row: templates over columns, CURIEs or IRIs after filling."""

    subject: str
    predicate: str
    object: str = ""
    literal: str = ""
    language: str = ""
    datatype: str = ""
    where: dict[str, Values] = Field(default_factory=dict)
    where_not: dict[str, Values] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if bool(self.object) == bool(self.literal):
            raise ValueError("a row statement has either an object or a literal")
        return self


class SourceTable(Table):
    """One file of the graph; an empty format goes by the file's name or content."""

    path: str
    format: Literal[
        "", "ttl", "nt", "nq", "trig", "rdf", "jsonld", "obo", "csv", "tsv", "kgx", "wikidata"
    ] = ""
    languages: tuple[LanguageTag, ...] = ()
    """texts in these languages are read, and those that have none; empty: all"""
    version: str = ""
    licence: str = ""
    url: str = ""
    comment: str = ""
    triples: tuple[RowStatement, ...] = ()
