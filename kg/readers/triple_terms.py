"""Triple terms of RDF 1.2, which aren't read: how to keep the parser from going down into them.

Oxigraph does so by recursion: some 10,000 of them end the whole process.
"""

from .turtle_lexer import TEXTS

MANY = 500  # beginnings of triple terms


def may_nest_deep(text: bytes) -> bool:
    """Whether so many of them are outside of texts that they may be nested too deep.

    A parser meets an error before it comes to what isn't written as in Turtle.
    """
    return text.count(b"<<") > MANY and TEXTS.sub(b"", text).count(b"<<") > MANY
