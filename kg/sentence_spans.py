"""Where the sentences of a text begin and end.

A stop ends a sentence where white space and no small letter follow it, and what it closes is no
abbreviation; the full stops of scripts without spaces end one by themselves. In doubt nothing is split:
two sentences taken for one are still a whole, half a sentence is not.
"""

import re

END = re.compile(r"[.!?…؟।]+[\"'”’»)\]]*(?=\s+[^\sa-z])|[。！？]+[”」』）]*")
# Before a stop that may be followed by a capital: titles, references, and single letters (initials).
ABBREVIATED = re.compile(
    r"(?:^|[\s(\[])(?:[^\W\d_]|e\.g|i\.e|cf|vs|al|approx|ca|dr|mr|mrs|ms|prof|st|no|nos|fig|figs|eq|sec|vol"
    r"|z\.b|d\.h|bzw|p\.ex)$",
    re.IGNORECASE,
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """First character of each sentence, and the one after its last; white space is in none.

    >>> [text[start:end] for text in ["It is rare. See Dr. Ito, i.e. Ken."] for start, end in sentence_spans(text)]
    ['It is rare.', 'See Dr. Ito, i.e. Ken.']
    """
    ends = [
        found.end()
        for found in END.finditer(text)
        if not ABBREVIATED.search(text[: found.start()][-10:])
    ]
    spans, start = [], 0
    for end in (*ends, len(text)):
        whole = text[start:end]
        if stripped := whole.strip():
            first = start + whole.index(stripped)
            spans.append((first, first + len(stripped)))
        start = end
    return spans
