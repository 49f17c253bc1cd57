"""One source read into the store and the tables, and what its statements say in other words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ...errors import UserError
from ..prefixes import Prefixes, UnknownPrefixes
from ..statements import NO_FAULT, Rejected, Statement
from .blocks import Block, block_of, blocks, statements_in, statements_with
from .kgx_source import kgx_statements
from .languages import in_languages
from .obo_source import obo_statements
from .owl_edges import OWL_EDGE_PREDICATES, restriction_edges
from .rdf_source import RDF_FORMATS, rdf_blocks
from .skosxl import SKOS_XL_PREDICATES, skos_labels
from .sources import Examined, Source, source_format
from .table_source import table_statements
from .wikidata_source import wikidata_statements

Advance = Callable[[int], None]


@dataclass
class SourceReading:
    """What became of one source, while it is read."""

    source: Source
    examined: Examined
    unknown: UnknownPrefixes = field(default_factory=UnknownPrefixes)
    read: int = 0
    rejected: int = 0
    first_rejected: Rejected | None = None
    restrictions: list[Statement] = field(default_factory=list)
    label_resources: list[Statement] = field(default_factory=list)

    def take(self, block: Block) -> None:
        """Count a block, and keep what `derived` needs of it."""
        self.read += block.read
        self.rejected += len(block.rejected)
        if block.rejected and not self.first_rejected:
            self.first_rejected = block.rejected[0]
        self.restrictions += (s for s in block.blank if s.predicate in OWL_EDGE_PREDICATES)
        self.label_resources += statements_with(block, SKOS_XL_PREDICATES)

    def derived(self) -> Block:
        """The edges of its OWL restrictions and the labels of its SKOS-XL resources."""
        return block_of([*restriction_edges(self.restrictions), *skos_labels(self.label_resources)])

    def continued(self, derived: Block) -> "SourceReading":
        """The reading of what it says in other words, under a name of its own."""
        source = replace(self.source, name=f"{self.source.name} (derived)", format="derived")
        return SourceReading(source, self.examined, read=derived.read)


def source_blocks(
    source: Source, number: int, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Block]:
    """The statements of one source in the languages that it is read in."""
    stream: Iterator[Statement | Rejected]
    asked = source_format(source)
    if asked in RDF_FORMATS:
        found = rdf_blocks(source, number, advance)
        if not source.languages:
            return found
        stream = (item for block in found for item in statements_in(block))
    elif asked == "obo":
        stream = obo_statements(source, prefixes, advance)
    elif asked == "kgx":
        stream = kgx_statements(source, prefixes, advance)
    elif asked == "wikidata":
        stream = wikidata_statements(source, advance)
    else:
        stream = table_statements(source, prefixes, advance)
    return blocks(in_languages(stream, source.languages) if source.languages else stream)


def refuse_unknown_prefix(block: Block, reading: SourceReading) -> None:
    """Raises UserError where a statement of the block was rejected for its prefix."""
    source, unknown = reading.source, reading.unknown
    for item in block.rejected:
        if unknown.reasons and unknown.reasons[0] in item.reason:
            where = f"{source.name}:{item.line}" if item.line else source.name
            prefix = next(iter(unknown.met))
            fix = f'declare it: {prefix} = "http://…/" under [prefixes], or --prefix {prefix}=http://…/'
            raise UserError(unknown.reasons[0], f"{where}  {item.text}", fix)


def refuse_rejected(block: Block, source: Source) -> None:
    """Raises UserError where something in the block was rejected for a fault."""
    for item in block.rejected:
        if item.reason in NO_FAULT:
            continue
        where = ":".join(str(part) for part in (source.name, item.line, item.column) if part)
        fix = "mend it, or set graph.strict = false"
        raise UserError(item.reason, f"{where}  {item.text}", fix)
