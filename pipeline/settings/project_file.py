"""A whole infact.toml: its tables, each in its module; the one place for keys, defaults and what they mean.

`infact init` prints the descriptions as comments. Lengths are in tokens, rates are for AdamW unless
a description says otherwise.
"""

from typing import Annotated

from pydantic import Field

from .evaluation import EvalTable, ReportTable
from .facts import FactsTable, LinkTable
from .sources import GraphTable, ProjectTable, SourceTable
from .table import Table
from .training import (
    DistillTable,
    EmbedTable,
    FuseTable,
    ModelTable,
    PretrainTable,
    PromptTable,
    ShrinkTable,
    UpdateTable,
)


class Settings(Table):
    """A whole project file."""

    project: ProjectTable = ProjectTable()
    prefixes: dict[str, str] = Field(default_factory=dict)
    """short forms for this file and its tables; rdfs, skos, schema and such are known already"""
    graph: GraphTable = GraphTable()
    """which predicates mean what; IRIs or prefix:name"""
    source: Annotated[tuple[SourceTable, ...], Field(min_length=1)]
    """the graph's files"""
    model: ModelTable = ModelTable()
    """the language model that is taught"""
    facts: FactsTable = FactsTable()
    """what is taught and asked: a seeded sample, by pools"""
    link: LinkTable = LinkTable()
    """finding entities in the graph's texts"""
    pretrain: PretrainTable = PretrainTable()
    """teaching the facts as text"""
    update: UpdateTable = UpdateTable()
    """teaching what has changed in the graph since, by `infact update`"""
    distill: DistillTable = DistillTable()
    """teaching the facts by a teacher that reads them"""
    shrink: ShrinkTable = ShrinkTable()
    """a smaller model that says what a taught one says, by `infact shrink`"""
    prompt: PromptTable = PromptTable()
    """learning a soft prompt"""
    embed: EmbedTable = EmbedTable()
    """vectors of entities and relations"""
    fuse: FuseTable = FuseTable()
    """reading the graph while answering"""
    eval: EvalTable = EvalTable()
    """asking every arm the same facts"""
    report: ReportTable = ReportTable()
    """report.html, report.md, report.json"""
