"""Statements by the thousand: arrow columns for the tables, N-Quads text for the store."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..statements import BLANK, LiteralTerm, Rejected, Statement

AT_ONCE = 20_000  # statements of a stream that become one block
TRIPLE_SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "predicate": pa.string(),
        "object": pa.string(),
        "graph": pa.string(),
        "line": pa.int32(),
    }
)
LITERAL_SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "predicate": pa.string(),
        "value": pa.string(),
        "datatype": pa.string(),
        "language": pa.string(),
        "graph": pa.string(),
        "line": pa.int32(),
    }
)
# Of N-Triples, section 2.4.
ESCAPED = re.compile(r'["\\\n\r]')
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class Block:
    """Some statements of one source, in two shapes.

    Attributes:
        triples: tables with the columns of TRIPLE_SCHEMA, each plain or dictionary-encoded.
        literals: the same for LITERAL_SCHEMA.
        text: N-Quads of the statements without blank nodes, each a line.
        blank: the statements with blank nodes, which lose their names when text is loaded.
        rejected: what was left out.
        read: how many statements the source makes here, repetitions and rejections included.
    """

    triples: tuple[pa.Table, ...] = ()
    literals: tuple[pa.Table, ...] = ()
    text: bytes = b""
    blank: tuple[Statement, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    read: int = 0

    def __add__(self, other: "Block") -> "Block":
        return Block(
            self.triples + other.triples,
            self.literals + other.literals,
            self.text + other.text,
            self.blank + other.blank,
            self.rejected + other.rejected,
            self.read + other.read,
        )


def blocks(stream: Iterable[Statement | Rejected]) -> Iterator[Block]:
    """A stream of statements in blocks."""
    iterator = iter(stream)
    while items := list(itertools.islice(iterator, AT_ONCE)):
        yield block_of(items)


def statements_in(block: Block) -> Iterator[Statement | Rejected]:
    """What is in a block, one by one; `times` is 1."""
    yield from block.rejected
    for table in block.triples:
        for row in table.select(TRIPLE_SCHEMA.names).to_pylist():
            subject, predicate, item, graph, line = row.values()
            yield Statement(subject, predicate, item, line, 1, graph)
    for table in block.literals:
        for row in table.select(LITERAL_SCHEMA.names).to_pylist():
            subject, predicate, *term, graph, line = row.values()
            yield Statement(subject, predicate, LiteralTerm(*term), line, 1, graph)


def statements_with(block: Block, predicates: frozenset[str]) -> Iterator[Statement]:
    """Those with one of these predicates."""
    chosen = pa.array(sorted(predicates))

    def among(tables: Sequence[pa.Table]) -> tuple[pa.Table, ...]:
        return tuple(
            table.filter(pc.is_in(table["predicate"].cast(pa.string()), chosen))
            for table in tables
            if not predicates.isdisjoint(table["predicate"].unique().to_pylist())
        )

    for item in statements_in(Block(among(block.triples), among(block.literals))):
        assert isinstance(item, Statement)
        yield item


def block_of(items: Iterable[Statement | Rejected]) -> Block:
    """These statements as one block."""
    triples, literals, lines, blank, rejected = [], [], [], [], []
    suffixes: dict[tuple[str, str], str] = {}
    read = 0
    for item in items:
        if isinstance(item, Rejected):
            rejected.append(item)
            continue
        subject, predicate, value, line, times, graph = item
        read += times
        has_blank = subject.startswith(BLANK) or graph.startswith(BLANK)
        if isinstance(value, str):
            triples.append((subject, predicate, value, graph, line))
            has_blank = has_blank or value.startswith(BLANK)
            text = f"<{value}>"
        else:
            literals.append((subject, predicate, *value, graph, line))
            suffix = suffixes.get(value[1:])
            if suffix is None:
                suffix = suffixes[value[1:]] = literal_suffix(value)
            text = f'"{escaped(value.value)}"{suffix}'
        if has_blank:
            blank.append(item)
        else:
            end = f"<{graph}> ." if graph else "."
            lines.append(f"<{subject}> <{predicate}> {text} {end}\n")
    return Block(
        triples=_table(triples, TRIPLE_SCHEMA),
        literals=_table(literals, LITERAL_SCHEMA),
        text="".join(lines).encode("utf-8"),
        blank=tuple(blank),
        rejected=tuple(rejected),
        read=read + len(rejected),
    )


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> tuple[pa.Table, ...]:
    if not rows:
        return ()
    return (pa.table(list(zip(*rows, strict=True)), schema=schema),)


def escaped(text: str) -> str:
    """A literal's text as it stands between quotation marks."""
    return text.translate(ESCAPES) if ESCAPED.search(text) else text


def literal_suffix(term: LiteralTerm) -> str:
    """What stands behind the closing quotation mark: a language, a datatype or nothing."""
    if term.language:
        return f"@{term.language}"
    return "" if term.datatype == v.XSD_STRING else f"^^<{term.datatype}>"
