"""Documents with gold mentions, as their annotators wrote them.

Offsets count Unicode characters from 0, the end exclusive; `text[start:end]` is the mention. The
format is told by the first line that holds something: an object is JSON lines, `id|t|title` is
PubTator, anything else are blocks parted by empty lines, as GSC+ has them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ...errors import UserError
from ..readers.bounded_lines import bounded_lines
from ..readers.json_lines import BYTE_ORDER_MARK, fault_error
from ..readers.sources import MAX_TEXT, Source, examine, open_source
from .gold_blocks import read_blocks
from .gold_entries import Faults, GoldDocument, GoldMention, Line
from .gold_json_lines import read_json_lines
from .gold_pubtator import PASSAGE, read_pubtator

MAX_GOLD = 256 << 20  # bytes, decompressed: gold documents are held in memory
MAX_SHOWN = 20  # faults told one by one
FIX = (
    "Offsets count characters from 0, the end exclusive. A line is "
    '{"id": "…", "text": "…", "mentions": [{"start": 0, "end": 5, "id": "…"}]}; or PubTator; '
    "or blocks of an id, a text and lines of start, end, surface, identifier, parted by tabs."
)
IDENTIFIER_FIX = (
    "An identifier is an IRI, a short form with an OBO prefix or a declared one (--prefix name=IRI), an "
    "alternative or replaced id, or the end of one entity's IRI; - for nothing of the graph."
)

Reader = Callable[[Iterable[Line], Faults], Iterator[GoldDocument]]


@dataclass(frozen=True)
class GoldFile:
    """What a gold file holds.

    Attributes:
        name: what messages call it.
        documents: in the file's order.
        faults: (place, problem) of every line that can't be taken as it is, in the file's order.
        passed_over: lines that are well-formed and no mention: PubTator's relations.
        repeated: mentions that say what one before them said; they count once.
    """

    name: str
    documents: tuple[GoldDocument, ...]
    faults: tuple[tuple[str, str], ...]
    passed_over: int
    repeated: int


def read_gold_file(path: Path, name: str) -> GoldFile:
    """Read documents and their mentions; compressed files are decompressed.

    Faults are gathered, not raised: the caller adds those of identifiers and tells all at once.

    Raises:
        UserError: there is no such file, it isn't UTF-8, is too large or holds no document.
    """
    if path.is_dir():
        raise UserError(
            "this is a folder, and gold documents are in one file", name, "name the file"
        )
    faults = Faults()
    lines = _lines(path, name, faults)
    read, lines = _reader(lines)
    documents, first_lines, repeated = [], dict[str, int](), 0
    for document in read(lines, faults):
        first = first_lines.setdefault(document.id, document.line)
        if first != document.line:
            faults.add(document.line, f"the document {document.id!r} is already on line {first}")
            continue
        distinct = _distinct(document.mentions)
        repeated += len(document.mentions) - len(distinct)
        documents.append(replace(document, mentions=distinct))
    if not documents and not faults.found:
        raise UserError("there is no document in the file", name, FIX)
    told = sorted(faults.found, key=lambda fault: fault[0])
    return GoldFile(
        name,
        tuple(documents),
        tuple(fault.at(f"{name}:{line}") for line, fault in told),
        faults.passed_over,
        repeated,
    )


def gold_error(gold: GoldFile, unknown: Sequence[tuple[str, str]]) -> UserError:
    """One error for all faults of a gold file: the first MAX_SHOWN, and how many there are.

    Args:
        gold: as it was read.
        unknown: (place, problem) of its identifiers.
    """
    fix = FIX if gold.faults else IDENTIFIER_FIX
    return fault_error([*gold.faults, *unknown], fix, MAX_SHOWN)


def _lines(path: Path, name: str, faults: Faults) -> Iterator[Line]:
    source, held = Source(path, name), 0
    try:
        examine(source)
        with open_source(source) as file:
            for number, line in bounded_lines(file, MAX_TEXT):
                held += len(line)
                if held > MAX_GOLD:
                    problem = f"the file holds more than {MAX_GOLD >> 20} MiB of text"
                    raise UserError(problem, name, "Split it: gold documents are held in memory.")
                if len(line) > MAX_TEXT:
                    faults.add(number, f"the line is longer than {MAX_TEXT >> 20} MiB")
                    continue
                text = line.decode().removesuffix("\r")
                yield Line(number, text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text)
    except OSError as error:
        problem = f"the file can't be read: {error.strerror or error}"
        raise UserError(problem, name, "Mend its permissions, or name another file.") from None


def _reader(lines: Iterator[Line]) -> tuple[Reader, Iterator[Line]]:
    """The reader for lines that begin so, and the lines."""
    for first in lines:
        if first.text.strip():
            lines = chain([first], lines)
            if first.text.lstrip().startswith(("{", "[")):  # an array is told as no object
                return read_json_lines, lines
            return (read_pubtator if PASSAGE.match(first.text) else read_blocks), lines
    return read_blocks, iter(())


def _distinct(mentions: Sequence[GoldMention]) -> tuple[GoldMention, ...]:
    """The mentions without those that have span and identifiers of one before them."""
    first = {(each.start, each.end, each.ids): each for each in reversed(mentions)}
    return tuple(each for each in mentions if first[each.start, each.end, each.ids] is each)
