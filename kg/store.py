"""The Oxigraph store of a graph directory: every statement once, for SPARQL.

It is written beside the reading: Oxigraph parses and sorts N-Triples text without Python's lock.
"""

import itertools
import os
import re
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store

from . import vocabulary as v
from .statements import LiteralTerm, Rejected, Statement
from .tables import StatementTables

BLANK = "_:"
# Statements in one load: Oxigraph holds a whole load in memory, about a kilobyte a statement.
BATCH = 100_000
AHEAD = 2  # batches that may wait for their load
# Of N-Triples, section 2.4.
ESCAPED = re.compile(r'["\\\n\r]')
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


class StoreWriter:
    """Takes statements while they are read; `finish` puts the store in its place.

    Use it as a context manager: left without `finish`, it removes what it wrote, and an older store
    at the same place stays.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unfinished = directory.with_name(f"{directory.name}.unfinished")
        self._store: Store | None = None
        self._worker = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> "StoreWriter":
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.parent.mkdir(parents=True, exist_ok=True)
        self._store = Store(self._unfinished)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._worker.shutdown(cancel_futures=True)
        self._store = None
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def storing(self, stream: Iterable[Statement | Rejected]) -> Iterator[Statement | Rejected]:
        """The stream as it is; its statements without blank nodes are stored on the way."""
        batch: list[Statement] = []
        for item in stream:
            yield item
            if isinstance(item, Statement):
                batch.append(item)
                if len(batch) == BATCH:
                    self._load(batch)
                    batch = []
        self._load(batch)

    def finish(self, tables: StatementTables) -> None:
        """Store what is left, of all that was read, and put the store in its place.

        A load gives blank nodes new names, so statements with blank nodes are left until now.
        """
        store = self._open()
        self._wait(0)
        remaining = blank_node_quads(tables)
        while batch := list(itertools.islice(remaining, BATCH)):
            store.bulk_extend(batch)
        store.flush()
        del store
        self._store = None  # closes it
        shutil.rmtree(self._directory, ignore_errors=True)
        os.replace(self._unfinished, self._directory)

    def _load(self, batch: list[Statement]) -> None:
        self._wait(AHEAD)
        store = self._open()

        def load() -> None:
            # Terms were checked when they were read.
            store.bulk_load(ntriples(batch), RdfFormat.N_TRIPLES, lenient=True)

        self._waiting.append(self._worker.submit(load))

    def _wait(self, most: int) -> None:
        """Until no more than so many batches wait; an error of theirs is raised here."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def _open(self) -> Store:
        if self._store is None:
            raise ValueError("the store isn't open")
        return self._store


def ntriples(statements: Iterable[Statement]) -> str:
    """The statements without blank nodes, a line each."""
    suffixes: dict[tuple[str, str], str] = {}
    lines = []
    for subject, predicate, value, _, _ in statements:
        if subject.startswith(BLANK):
            continue
        if isinstance(value, str):
            if not value.startswith(BLANK):
                lines.append(f"<{subject}> <{predicate}> <{value}> .\n")
            continue
        text, datatype, language = value
        suffix = suffixes.get((datatype, language))
        if suffix is None:
            suffix = suffixes[datatype, language] = _suffix(datatype, language)
        if ESCAPED.search(text):
            text = text.translate(ESCAPES)
        lines.append(f'<{subject}> <{predicate}> "{text}"{suffix} .\n')
    return "".join(lines)


def _suffix(datatype: str, language: str) -> str:
    if language:
        return f"@{language}"
    return "" if datatype == v.XSD_STRING else f"^^<{datatype}>"


def blank_node_quads(tables: StatementTables) -> Iterator[Quad]:
    """The statements about blank nodes, in the default graph."""
    blank = np.array([iri.startswith(BLANK) for iri in tables.entities], bool)
    rows = tables.triples[blank[tables.triples[:, 0]] | blank[tables.triples[:, 2]]]
    for head, relation, tail in rows.tolist():
        subject, item = _node(tables.entities[head]), _node(tables.entities[tail])
        yield Quad(subject, NamedNode(tables.relations[relation]), item)
    for entity, predicate, term in tables.literals[blank[tables.literals[:, 0]]].tolist():
        named = NamedNode(tables.literal_predicates[predicate])
        yield Quad(_node(tables.entities[entity]), named, _literal(tables.literal_terms[term]))


def _node(iri: str) -> NamedNode | BlankNode:
    return BlankNode(iri[len(BLANK) :]) if iri.startswith(BLANK) else NamedNode(iri)


def _literal(term: LiteralTerm) -> Literal:
    if term.language:
        return Literal(term.value, language=term.language)
    return Literal(term.value, datatype=NamedNode(term.datatype))
