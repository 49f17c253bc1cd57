"""How deep triple terms (RDF 1.2) are nested in Turtle and TriG, before they are parsed.

Oxigraph goes down into them by recursion: some 10,000 of them end the whole process.
"""

import re

import numpy as np

from ...errors import UserError
from .bounded_lines import OverlongLineError, whole_lines
from .sources import BLOCK, Source, open_source

MAX_NESTED = 500  # triple terms in triple terms
# Nothing else that may stand before a triple term in a triple term holds angle brackets.
OTHER = re.compile(rb"<[^<>\s\"{}|^`]*+>|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|#[^\n]*+")
BRACKETS = re.compile(rb"<<|>>")


def may_nest_deep(text: bytes) -> bool:
    """Whether there are so many triple terms that they may be nested too deep."""
    return text.count(b"<<") > MAX_NESTED


def check_triple_terms(source: Source) -> None:
    """Raises UserError where triple terms are nested deeper than MAX_NESTED."""
    count = 0
    with open_source(source) as file:
        while block := file.read(BLOCK):
            count += block.count(b"<<")
    if count <= MAX_NESTED // 2:  # a pair may lie across two blocks
        return
    depth, line = 0, 1
    with open_source(source) as file:
        for part in whole_lines(file):
            if isinstance(part, OverlongLineError):
                raise _refusal(source, line)
            found = BRACKETS.findall(OTHER.sub(b" ", part))
            levels = depth + np.cumsum([1 if each == b"<<" else -1 for each in found], dtype=int)
            levels -= np.minimum.accumulate(np.minimum(levels, 0))
            if len(levels):
                depth = int(levels[-1])
                if levels.max() > MAX_NESTED:
                    raise _refusal(source, line)
            line += part.count(b"\n")


def _refusal(source: Source, line: int) -> UserError:
    return UserError(
        f"triple terms are nested more than {MAX_NESTED} deep",
        f"{source.name}:{line} or below",
        "leave them out: infact reads no triple terms",
    )
