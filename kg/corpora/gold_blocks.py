"""Gold documents in blocks, as GSC+ has them.

Blocks are parted by empty lines. A block has a line with the document's id, one with its text, and
for each mention a line of start, end, surface and identifier, parted by tabs; without an identifier,
or with `-`, nothing of the graph is meant.
"""

from collections.abc import Iterable, Iterator

from ..readers.json_lines import LineError
from .gold_entries import Faults, GoldDocument, Line, WrittenMention, checked_document, offset


def read_blocks(lines: Iterable[Line], faults: Faults) -> Iterator[GoldDocument]:
    """Yield the documents; a block that is none is a fault."""
    for block in _blocks(lines):
        head, *rest = block
        if "\t" in head.text:
            faults.add(
                head.number, "a block begins with a mention; its document's id and text are missing"
            )
            continue
        text = rest[0].text if rest else ""
        mentions = []
        for line in rest[1:]:
            try:
                mentions.append(_mention(line))
            except LineError as fault:
                faults.found.append((line.number, fault))
        yield checked_document(head.text.strip(), text, mentions, head.number, faults)


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    for line in lines:
        # A line of blanks alone may be a document's text; it parts blocks everywhere else.
        if line.text and (line.text.strip() or len(block) == 1):
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _mention(line: Line) -> WrittenMention:
    cells = line.text.split("\t")
    if len(cells) not in (3, 4):
        raise LineError(
            f"the line has {len(cells)} cells parted by tabs; a mention has start, end, surface, "
            "identifier"
        )
    start, end, surface, *ids = cells
    return WrittenMention(offset(start), offset(end), surface, ids, line.number)
