"""The project, its graph, and the files and endpoints that it is read from."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from ...errors import UserError
from ...kg.readers.languages import LANGUAGE_TAG
from .table import Amount, Table, Values

LOGIN = "INFACT_SPARQL_LOGIN"  # of the environment: addresses with user and password
LanguageTag = Annotated[str, StringConstraints(pattern=f"^{LANGUAGE_TAG}$")]


class ProjectTable(Table):
    name: str = "my graph"
    """what the report calls this project"""
    seed: Amount = 0
    """every draw, split and initial weight follows from it"""
    artifacts: str = "artifacts"
    """folder for results, relative to this file"""
    allow_network: bool = False
    """true: models may be fetched from the Hugging Face hub, and SPARQL endpoints be asked"""


class GraphTable(Table):
    label_predicates: tuple[str, ...] = ("rdfs:label", "skos:prefLabel", "schema:name", "foaf:name")
    """where labels come from, best first"""
    hierarchy: tuple[str, ...] = ("rdfs:subClassOf", "skos:broader")
    """predicates that lead from the narrower to the broader entity"""
    strict: bool = False
    """true: the first rejected line stops ingestion"""
    unknown_prefix: Literal["drop", "keep", "fail"] = "drop"
    """prefixes that aren't declared: drop or keep what has one, or fail"""
    shapes: tuple[str, ...] = ()
    """SHACL files, relative to this file, that `infact validate` and the report hold it to"""


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
    """One file of the graph, or an endpoint; an empty format goes by the file's name or content."""

    endpoint: str = ""
    """URL of a SPARQL endpoint, in place of a path"""
    graphs: tuple[str, ...] = ()
    """IRIs of its named graphs; empty: its default graph"""
    path: Annotated[str, Field(validate_default=True)] = ""
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

    @field_validator("endpoint")
    @classmethod
    def _without_login(cls, url: str) -> str:
        from ...kg.readers.sparql_http import address

        try:
            at = address(url)
        except UserError as error:
            raise ValueError(error.what, error.fix) from None
        if at.authorization:
            what = "a project file is shared: user and password don't belong in it"
            raise ValueError(what, f"set {LOGIN}=https://user:password@host/")
        return url

    @field_validator("graphs")
    @classmethod
    def _absolute(cls, graphs: tuple[str, ...]) -> tuple[str, ...]:
        from ...kg.readers.sparql_endpoint import graph_names

        try:
            graph_names(graphs)
        except UserError as error:
            raise ValueError(error.what, error.fix) from None
        return graphs

    @field_validator("path")
    @classmethod
    def _path_or_endpoint(cls, path: str, info: ValidationInfo) -> str:
        if path.lower().startswith(("http://", "https://")):
            raise ValueError("this is a URL", "fetch the file and name it, or write endpoint = …")
        # Where the endpoint is a mistake itself, that is told alone.
        if "endpoint" in info.data and bool(path) == bool(info.data["endpoint"]):
            raise ValueError("a source has either a path or an endpoint")
        return path

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        kind = "an endpoint" if self.endpoint else "a path"
        foreign = ("format", "url", "comment", "triples") if self.endpoint else ("graphs",)
        if refused := [name for name in foreign if getattr(self, name)]:
            raise ValueError(f"a source with {kind} has no {', '.join(refused)}", "leave it out")
        return self
