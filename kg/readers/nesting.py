"""What nests so deep that it isn't parsed, found before it is.

Oxigraph goes into triple terms of RDF 1.2 by recursion: some 10,000 of them end the whole process.
A bracket within brackets makes triples of a single octet. What people and tools write stays far below
the bounds: rdflib's parser, a recursive one, gives up before 300 lists within lists.
"""

import numpy as np
from numpy.typing import NDArray

from .sources import BLOCK
from .turtle_lexer import TEXTS

MAX_DEPTH = 1000  # brackets within brackets, or elements within elements
TOO_DEEP = f"brackets are nested more than {MAX_DEPTH:,} deep"
MANY = 500  # beginnings of triple terms
TRIPLE_TERMS = "triple terms of RDF 1.2 are not read"
OPENING, CLOSING = b"[({", b"])}"
STEPS = np.zeros(256, np.int8)
STEPS[list(OPENING)] = 1
STEPS[list(CLOSING)] = -1


def too_deep(statement: bytes) -> str:
    """Why a statement of Turtle or TriG isn't parsed; empty as a rule."""
    if len(statement) <= MAX_DEPTH:  # twice MANY too
        return ""
    if may_nest_deep(statement):
        return TRIPLE_TERMS
    if statement.count(b"[") + statement.count(b"(") + statement.count(b"{") <= MAX_DEPTH:
        return ""
    depth, plain = 0, np.frombuffer(TEXTS.sub(b"", statement), np.uint8)
    for start in range(0, len(plain), BLOCK):
        found = depths(STEPS[plain[start : start + BLOCK]], depth)
        if found.max() > MAX_DEPTH:
            return TOO_DEEP
        depth = int(found[-1])
    return ""


def may_nest_deep(text: bytes) -> bool:
    """Whether so many triple terms are outside of texts that they may be nested too deep.

    A parser meets an error before it comes to what isn't written as in Turtle.
    """
    return text.count(b"<<") > MANY and TEXTS.sub(b"", text).count(b"<<") > MANY


def depths(steps: NDArray[np.int8], before: int) -> NDArray[np.int64]:
    """How deep it is after each step; shape (steps,).

    Steps up beyond the top don't count: they can't hide how deep the rest is.

    Args:
        steps: 1 where something begins, -1 where something ends.
        before: how deep it is before the first.
    """
    levels = before + np.cumsum(steps, dtype=np.int64)
    return levels - np.minimum.accumulate(np.minimum(levels, 0))
