"""The Oxigraph store of a graph directory: every statement once in its graph, for SPARQL.

It is written beside the reading: Oxigraph parses and sorts N-Quads text without Python's lock.
"""

import os
import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store

from ..free_memory import give_back
from ..readers.blocks import Block
from ..statements import BLANK, LiteralTerm, Statement

# Bytes of text in one load, which Oxigraph holds in memory some ten times over. One and two
# megabytes load 5 million statements as fast as one load of all does; 64 megabytes take half longer.
LOAD = 2 << 20
AHEAD = 2  # loads that may wait
LOADS_KEPT = 8  # after so many, what they freed is given back to the system


class StoreWriter:
    """Takes blocks while they are read, until `end` at most; `finish` puts the store in its place.

    Use it as a context manager: left without `finish`, it removes what it wrote, and an older store
    at the same place stays.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unfinished = directory.with_name(f"{directory.name}.unfinished")
        self._store: Store | None = None
        self._worker = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()
        self._texts: list[bytes] = []
        self._size = 0
        self._loads = 0
        self._ended = False

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

    def add(self, block: Block) -> None:
        """Store the block's statements, sooner or later."""
        self._texts.append(block.text)
        self._size += len(block.text)
        if self._size >= LOAD:
            self._load_texts()
        if block.blank:
            # A load gives blank nodes new names.
            self._submit((), [quad_of(statement) for statement in block.blank])

    def end(self) -> None:
        """Nothing is added after this: the store is closed behind the loads, beside other work."""
        if self._ended:
            return
        self._ended = True
        self._load_texts()
        self._waiting.append(self._worker.submit(self._close))

    def finish(self) -> None:
        """Wait for what was added, and put the store in its place."""
        self.end()
        self._wait(0)
        shutil.rmtree(self._directory, ignore_errors=True)
        os.replace(self._unfinished, self._directory)

    def _close(self) -> None:
        self._open().flush()  # for seconds, where much was loaded
        self._store = None
        give_back()

    def _load_texts(self) -> None:
        texts, self._texts, self._size = self._texts, [], 0
        self._submit(texts, ())

    def _submit(self, texts: Sequence[bytes], quads: Sequence[Quad]) -> None:
        self._wait(AHEAD)
        store = self._open()

        def load() -> None:
            if texts:
                # Terms were checked when they were read.
                store.bulk_load(b"".join(texts), RdfFormat.N_QUADS, lenient=True)
                self._loads += 1
                if self._loads % LOADS_KEPT == 0:
                    give_back()
            if quads:
                store.bulk_extend(quads)

        self._waiting.append(self._worker.submit(load))

    def _wait(self, most: int) -> None:
        """Until no more than so many loads wait; an error of theirs is raised here."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def _open(self) -> Store:
        if self._store is None:
            raise ValueError("the store isn't open")
        return self._store


def quad_of(statement: Statement) -> Quad:
    """The statement in Oxigraph's terms."""
    item = statement.object
    return Quad(
        _node(statement.subject),
        NamedNode(statement.predicate),
        _node(item) if isinstance(item, str) else _literal(item),
        _node(statement.graph) if statement.graph else DefaultGraph(),
    )


def _node(iri: str) -> NamedNode | BlankNode:
    return BlankNode(iri[len(BLANK) :]) if iri.startswith(BLANK) else NamedNode(iri)


def _literal(term: LiteralTerm) -> Literal:
    if term.language:
        return Literal(term.value, language=term.language)
    return Literal(term.value, datatype=NamedNode(term.datatype))
