"""What a fused model reads besides its text, for as long as one call: a session.

The memory of a request lives in a context variable and never on a layer: another thread doesn't see
it, and it is gone when the session ends, also by an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor

EVERYWHERE = 0  # place from which facts may be read that belong to no mention


@dataclass(frozen=True)
class PreparedFacts:
    """Facts as one layer reads them. Shapes: R requests, F facts, H heads, K key.

    Attributes:
        keys, values: (R, F, H, K).
        there: (R, F) False in padding.
        read_from: (R, F) the first place of the text, from 0, at which a fact may be read: the last
            token of its entity's mention, so that a causal model never reads ahead.
    """

    keys: Tensor
    values: Tensor
    there: Tensor
    read_from: Tensor

    def of_rows(self, rows: int) -> PreparedFacts:
        """The facts of each row of a batch, which may hold several rows of a request: its beams.

        Raises:
            ValueError: the rows can't be shared out evenly among the requests.
        """
        requests = len(self.there)
        if rows == requests:
            return self
        if not requests or rows % requests:
            raise ValueError(f"a batch of {rows} rows is no multiple of {requests} requests")
        request = torch.arange(rows, device=self.there.device) // (rows // requests)
        return PreparedFacts(
            self.keys[request], self.values[request], self.there[request], self.read_from[request]
        )


@dataclass(frozen=True)
class Reading:
    """One pass of a model in a session.

    Attributes:
        facts: by layer.
        places: (B, Q) place of each token that is run in its text, from 0; negative in padding.
    """

    facts: Mapping[int, PreparedFacts]
    places: Tensor


_FACTS: ContextVar[Mapping[int, PreparedFacts] | None] = ContextVar("facts", default=None)
_PASSES: ContextVar[tuple[Reading | None, ...]] = ContextVar("passes", default=())


@contextmanager
def session(facts: Mapping[int, PreparedFacts]) -> Iterator[None]:
    """Within, passes of fused models read these facts; sessions may be nested."""
    token = _FACTS.set(facts)
    try:
        yield
    finally:
        _FACTS.reset(token)


def begin_pass(places: Callable[[], Tensor]) -> None:
    """A pass over tokens at these places begins; without a session none is asked for."""
    facts = _FACTS.get()
    _PASSES.set((*_PASSES.get(), None if facts is None else Reading(facts, places())))


def end_pass() -> None:
    """The pass that was begun last is over, well or not."""
    _PASSES.set(_PASSES.get()[:-1])


def current_reading() -> Reading | None:
    """What the pass that is running reads; None without a session."""
    return next(reversed(_PASSES.get()), None)


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
