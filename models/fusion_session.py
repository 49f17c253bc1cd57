"""What a fused model reads besides its text, for as long as one call: a session.

The memory of a request lives in context variables and never on a layer: another thread doesn't see
it, and it is gone when the session ends, also by an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .fact_memory import FactMemory
from .fact_states import FactStates

EVERYWHERE = 0  # place from which facts may be read that belong to no mention


@dataclass(frozen=True)
class Session:
    """Facts of R requests, and what a strategy makes of those of some rows.

    Attributes:
        owner: the adapter that reads; others on the same base rest.
        memory: of the R requests.
        read_from: (R, F) place from which each fact may be read.
        prepare: a strategy's own form of the facts of B rows.
        states: of the facts, kept from pass to pass.
        silent: by layer, (R,) True for requests that read nothing there.
        kept: what was prepared last, by the rows' requests: a text is written token by token.
    """

    owner: object
    memory: FactMemory
    read_from: Tensor
    prepare: Callable[[FactMemory, Tensor], Any]
    states: FactStates
    silent: Mapping[int, Tensor] = field(default_factory=dict)
    kept: dict[tuple[int, ...], Any] = field(default_factory=dict)

    def facts_of(self, requests: Tensor) -> Any:
        """What the strategy makes of these requests' facts."""
        rows = tuple(requests.tolist())
        if rows not in self.kept:
            self.kept.clear()
            memory = self.memory.select(requests)
            self.kept[rows] = self.prepare(memory, self.read_from[requests])
        return self.kept[rows]

    def requests_of(self, rows: int) -> Tensor:
        """(rows,) the request of each row of a batch: one after another, or several of each, as beams.

        Raises:
            ValueError: the rows can't be shared out evenly among the requests.
        """
        requests = len(self.memory)
        if not requests or rows % requests:
            raise ValueError(f"a batch of {rows} rows is no multiple of {requests} requests")
        return torch.arange(rows) // (rows // requests)


@dataclass(frozen=True)
class RunTokens:
    """The tokens that a pass runs. Shapes: B rows, Q tokens.

    Attributes:
        places: (B, Q) place of each in its text, from 0; negative in padding.
        tokens: (B, Q) ids of those that a label is gone on with from: in a causal model the tokens
            themselves, in a masked one, which predicts a token at its own place, those to their left;
            None where embeddings are run.
        ids: (B, Q) those of the tokens themselves; None there.
    """

    places: Tensor
    tokens: Tensor | None
    ids: Tensor | None


@dataclass(frozen=True)
class TextRun(RunTokens):
    """The tokens that a pass runs in a session, and whose they are.

    Attributes:
        requests: (B,) that the rows belong to.
        states: what a strategy keeps of the requests' facts from pass to pass.
        carried: what it carries from block to block of this pass, by the block's number.
    """

    requests: Tensor
    states: FactStates
    carried: dict[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """One pass of a model in a session.

    Attributes:
        owner: see `Session`.
        facts: of each row, in the strategy's own form.
        run: the tokens.
        silent: by layer, (B,) True for rows that read nothing there.
    """

    owner: object
    facts: Any
    run: TextRun
    silent: Mapping[int, Tensor]

    def unless_silent(self, layer: int, hidden: Tensor, read: Tensor) -> Tensor:
        """(B, Q, D) states with what was read; of silent rows, those without it."""
        if layer not in self.silent:
            return read
        return torch.where(self.silent[layer][:, None, None], hidden, read)


_SESSION: ContextVar[Session | None] = ContextVar("session", default=None)
_ROWS: ContextVar[Tensor | None] = ContextVar("rows", default=None)
_PASSES: ContextVar[tuple[Reading | None, ...]] = ContextVar("passes", default=())


@contextmanager
def session(opened: Session) -> Iterator[None]:
    """Within, passes of fused models read its facts; sessions may be nested."""
    token = _SESSION.set(opened)
    try:
        yield
    finally:
        _SESSION.reset(token)


def in_session() -> bool:
    """Whether what a pass gives may depend on whose text it runs."""
    return _SESSION.get() is not None


@contextmanager
def rows_of(requests: Tensor | None) -> Iterator[None]:
    """Within, the rows of a batch belong to these (B,) requests; None: see `Session.requests_of`."""
    token = _ROWS.set(requests)
    try:
        yield
    finally:
        _ROWS.reset(token)


def begin_pass(run: Callable[[], RunTokens]) -> None:
    """A pass begins; without a session it isn't asked what it runs."""
    opened = _SESSION.get()
    _PASSES.set((*_PASSES.get(), None if opened is None else _reading(opened, run())))


def _reading(opened: Session, run: RunTokens) -> Reading:
    requests = _ROWS.get()
    rows = len(run.places)
    if requests is None:
        requests = opened.requests_of(rows)
    elif len(requests) != rows:
        raise ValueError(f"a batch of {rows} rows was said to have {len(requests)}")
    text = TextRun(run.places, run.tokens, run.ids, requests, opened.states)
    silent = {layer: of[requests] for layer, of in opened.silent.items()}
    return Reading(opened.owner, opened.facts_of(requests), text, silent)


def end_pass() -> None:
    """The pass that was begun last is over, well or not."""
    _PASSES.set(_PASSES.get()[:-1])


def current_reading() -> Reading | None:
    """What the pass that is running reads; None without a session."""
    return next(reversed(_PASSES.get()), None)


def reading_of(owner: object) -> Reading | None:
    """What an adapter reads in the pass that is running; None where it rests."""
    reading = current_reading()
    return reading if reading is not None and reading.owner is owner else None


def checkpoint_contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For gradient checkpointing: recomputing a block reads what its first pass read."""
    return nullcontext(), _again(current_reading())


@contextmanager
def _again(reading: Reading | None) -> Iterator[None]:
    token = _PASSES.set((*_PASSES.get(), reading))
    try:
        yield
    finally:
        _PASSES.reset(token)


def places_of_tokens(tokens: int, mask: Tensor | None, past: int, rows: int) -> Tensor:
    """(rows, tokens) place of each token in its text, padding on the left taken off.

    Args:
        tokens: that are run now, in each row.
        mask: (rows, past + tokens) 0 in padding; None for no padding.
        past: tokens that the cache holds.
        rows: of the batch.
    """
    device = None if mask is None else mask.device
    places = torch.arange(past, past + tokens, device=device).expand(rows, tokens)
    if mask is None or mask.dim() != 2:
        return places
    return places - (mask != 0).int().argmax(dim=1)[:, None]
