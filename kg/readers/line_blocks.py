"""N-Triples and N-Quads by columns: whole blocks of lines are cut at once, without a Python object a term.

Lines that are written as every serialiser writes them (one blank between terms, no escape, no blank
node) are cut here; all others are left to the caller, who has a parser.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .. import vocabulary as v
from ..prefixes import ExpansionError, valid_iri
from .blocks import Block

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]

LESS, GREATER, QUOTE, BACKSLASH, RETURN, SPACE, DOT, LINE_END, AT, CARET = b'<>"\\\r .\n@^'
# IRIs that are valid beyond doubt (RFC 3987); any other is looked at by Oxigraph.
SEGMENT = r"A-Za-z0-9._~!$&'()*+,;=:@\-"
PLAIN_IRI = (
    rf"^[A-Za-z][A-Za-z0-9+.-]*:(//[A-Za-z0-9._~-]+(/[{SEGMENT}/]*)?|/?[{SEGMENT}][{SEGMENT}/]*)"
    rf"(\?[{SEGMENT}/?]*)?(#[{SEGMENT}/?]*)?$"
)
SUFFIX = re.compile(r"|@([a-z]{1,8}(?:-[a-z0-9]{1,8})*)|\^\^<(.*)>")


@dataclass(frozen=True)
class Cuts:
    """Where the terms of each line begin and end (exclusive), for k lines of one block.

    An object is an IRI between its brackets, or a literal between its quotation marks; `suffix_end`
    is where a literal's language or datatype ends. A graph of no length is the default graph.
    """

    subject: tuple[Positions, Positions]
    predicate: tuple[Positions, Positions]
    object: tuple[Positions, Positions]
    suffix_end: Positions
    graph: tuple[Positions, Positions]
    is_literal: Mask
    plain: Mask  # lines that were cut; where False, the positions mean nothing


def line_block(
    data: bytes, numbers: Positions, other_lines: Callable[[list[tuple[int, bytes]]], Block]
) -> Block:
    """The statements of whole lines.

    Args:
        data: UTF-8 lines, each with its end.
        numbers: the number of each line.
        other_lines: what to make of lines, with their numbers, that aren't written plainly.
    """
    if not data:
        return Block()
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == LINE_END)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    cuts = cut_lines(octets, starts, ends)
    columns = _Columns(pa.py_buffer(data), cuts)
    good = cuts.plain.copy()
    good[cuts.plain] = columns.valid
    block = columns.block(numbers[cuts.plain])
    if good.all():
        return block + Block(text=data)
    left = np.flatnonzero(~good).tolist()
    others = other_lines([(int(numbers[n]), data[starts[n] : ends[n]]) for n in left])
    return block + Block(text=_runs(data, starts, ends, good)) + others


def cut_lines(octets: NDArray[np.uint8], starts: Positions, ends: Positions) -> Cuts:
    """The terms of lines between `starts` and `ends` (of the line end's own octet)."""
    greater, quote = (np.flatnonzero(octets == octet) for octet in (GREATER, QUOTE))

    def at(places: Positions) -> NDArray[np.uint8]:
        return octets[np.minimum(places, len(octets) - 1)]

    subject_end = _next(greater, starts)
    predicate = subject_end + 3
    predicate_end = _next(greater, predicate)
    item = predicate_end + 2
    plain = (
        (at(starts) == LESS)
        & (subject_end < ends)
        & (at(subject_end + 1) == SPACE)
        & (at(subject_end + 2) == LESS)
        & (predicate_end >= predicate)
        & (at(predicate_end + 1) == SPACE)
        & (item < ends)
    )
    special = np.flatnonzero((octets == BACKSLASH) | (octets == RETURN))
    plain &= np.searchsorted(special, starts) == np.searchsorted(special, ends)
    first = at(item)
    literal = first == QUOTE
    closing = np.where(literal, _next(quote, item + 1), _next(greater, item))
    after = at(closing + 1)
    spaces = np.flatnonzero(octets == SPACE)
    suffix_end = np.where(
        literal & (after == CARET),
        _next(greater, closing) + 1,
        np.where(literal & (after == AT), _next(spaces, closing), closing + 1),
    )
    plain &= ((first == LESS) | literal) & (closing > item) & (suffix_end < ends)
    graph, graph_end = suffix_end + 2, _next(greater, suffix_end)
    in_default = suffix_end + 2 == ends
    in_graph = (at(suffix_end + 1) == LESS) & (graph_end > graph) & (graph_end + 3 == ends)
    dot = np.where(in_default, suffix_end + 1, graph_end + 2)
    plain &= (in_default | in_graph) & (at(suffix_end) == SPACE)
    plain &= (at(dot) == DOT) & (at(dot - 1) == SPACE)
    return Cuts(
        (starts + 1, subject_end),
        (predicate, predicate_end),
        (item + 1, closing),
        suffix_end,
        (np.where(in_default, suffix_end, graph), np.where(in_default, suffix_end, graph_end)),
        literal,
        plain,
    )


def _next(places: Positions, starts: Positions) -> Positions:
    """The first of the ascending places at or after each start; −1 where there is none."""
    found = np.searchsorted(places, starts)
    return np.append(places, -1)[found]


class _Columns:
    """The terms of the plainly written lines of a block, as arrow arrays.

    `valid` says for each of these lines whether all its IRIs and its language are valid; the tables
    hold the valid ones.
    """

    def __init__(self, data: pa.Buffer, cuts: Cuts) -> None:
        self._data = data
        self._literal = cuts.is_literal[cuts.plain]
        places = [
            tuple(end[cuts.plain] for end in pair)
            for pair in (cuts.subject, cuts.predicate, cuts.object, cuts.graph)
        ]
        subject, predicate, item, graph = places
        resources = ~self._literal
        self._subject, subject_valid = self._iris(*subject)
        self._predicate, predicate_valid = self._iris(*predicate)
        self._graph, graph_valid = self._iris(*graph)
        self._object, object_valid = self._iris(item[0][resources], item[1][resources])
        self._value = self._strings(item[0][self._literal], item[1][self._literal])
        suffix_end = cuts.suffix_end[cuts.plain][self._literal]
        self._suffix = self._strings(item[1][self._literal] + 1, suffix_end).dictionary_encode()
        self._suffixes = [suffix_meaning(text) for text in self._suffix.dictionary.to_pylist()]
        known = np.array([meaning is not None for meaning in self._suffixes], bool)
        graph_valid |= graph[0] == graph[1]
        self.valid = subject_valid & predicate_valid & graph_valid
        self.valid[resources] &= object_valid
        self.valid[self._literal] &= known[self._suffix.indices.to_numpy()]

    def _strings(self, starts: Positions, ends: Positions) -> pa.StringArray:
        """The text between ascending starts and ends, copied once."""
        count = len(starts)
        if not count:
            return pa.array([], pa.string())
        offsets = np.empty(2 * count + 1, np.int32)
        offsets[0:-1:2], offsets[1::2], offsets[-1] = starts, ends, ends[-1]
        pieces = pa.StringArray.from_buffers(2 * count, pa.py_buffer(offsets), self._data)
        return pieces.take(pa.array(np.arange(0, 2 * count, 2, dtype=np.int32)))

    def _iris(self, starts: Positions, ends: Positions) -> tuple[pa.DictionaryArray, Mask]:
        """IRIs, each distinct one once, and for each place whether it is valid."""
        encoded = self._strings(starts, ends).dictionary_encode()
        distinct = encoded.dictionary
        valid = pc.match_substring_regex(distinct, PLAIN_IRI).to_numpy(zero_copy_only=False).copy()
        for number in np.flatnonzero(~valid).tolist():
            valid[number] = is_iri(distinct[number].as_py())
        return encoded, valid[encoded.indices.to_numpy()]

    def block(self, lines: Positions) -> Block:
        """The tables of the valid lines, whose numbers are given."""
        resources, literals = self.valid & ~self._literal, self.valid & self._literal
        among_resources = pa.array(self.valid[~self._literal])
        among_literals = pa.array(self.valid[self._literal])
        triples = self._table(resources, lines, {"object": self._object.filter(among_resources)})
        suffix = self._suffix.filter(among_literals)
        meanings = [meaning or ("", "") for meaning in self._suffixes]
        datatypes, languages = (
            pa.DictionaryArray.from_arrays(
                suffix.indices, pa.array([meaning[part] for meaning in meanings], pa.string())
            )
            for part in (0, 1)
        )
        values = {"value": self._value.filter(among_literals)}
        values |= {"datatype": datatypes, "language": languages}
        return Block(
            triples=(triples,),
            literals=(self._table(literals, lines, values),),
            read=int(np.count_nonzero(self.valid)),
        )

    def _table(self, chosen: Mask, lines: Positions, more: dict[str, pa.Array]) -> pa.Table:
        mask = pa.array(chosen)
        return pa.table(
            {
                "subject": self._subject.filter(mask),
                "predicate": self._predicate.filter(mask),
                "graph": self._graph.filter(mask),
                "line": pa.array(lines[chosen].astype(np.int32)),
                **more,
            }
        )


def suffix_meaning(suffix: str) -> tuple[str, str] | None:
    """Datatype and language of a literal with this behind it; None where that isn't plain."""
    found = SUFFIX.fullmatch(suffix)
    if not found or found[2] == v.RDF_LANG_STRING or not (found[2] is None or is_iri(found[2])):
        return None
    if found[1]:
        return v.RDF_LANG_STRING, found[1]
    return found[2] or v.XSD_STRING, ""


def is_iri(text: str) -> bool:
    """Whether the text is an absolute IRI by RFC 3987."""
    try:
        valid_iri(text)
    except ExpansionError:
        return False
    return True


def _runs(data: bytes, starts: Positions, ends: Positions, good: Mask) -> bytes:
    """The good lines, copied in runs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    pairs: Sequence[tuple[int, int]] = list(
        zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    )
    return b"".join(data[starts[first] : ends[end - 1] + 1] for first, end in pairs)
