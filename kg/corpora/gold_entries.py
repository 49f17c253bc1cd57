"""What a gold file holds, whatever its format, and the check that every mention goes through."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..readers.json_lines import LineError

NIL_IDS = frozenset({"", "-", "-1"})  # say that no entity of the graph is meant
SHOWN = 60  # characters of a surface in a message


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file without its end; `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class GoldMention:
    """A mention as its annotator wrote it.

    Attributes:
        start: offset of its first character in the text.
        end: offset past its last character.
        ids: identifiers as written, any of which is right; none where nothing of the graph is meant.
        line: where it stands in the file.
    """

    start: int
    end: int
    ids: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A text with its mentions in the file's order; `line` is where it begins."""

    id: str
    text: str
    mentions: tuple[GoldMention, ...]
    line: int


@dataclass
class Faults:
    """What couldn't be taken from a file: (line, fault), and lines that are well-formed but no mention."""

    found: list[tuple[int, LineError]] = field(default_factory=list)
    passed_over: int = 0

    def add(self, line: int, problem: str, column: int = 0) -> None:
        self.found.append((line, LineError(problem, column)))


@dataclass(frozen=True, slots=True)
class WrittenMention:
    """A mention that isn't checked yet; `surface` is None where the file doesn't give it."""

    start: int
    end: int
    surface: str | None
    ids: Sequence[str]
    line: int


def checked_mention(written: WrittenMention, text: str) -> GoldMention:
    """The mention, when it stands in the text.

    Raises:
        LineError: its offsets are no span of the text, or its surface isn't what stands there.
    """
    start, end, surface = written.start, written.end, written.surface
    if start < 0 or end <= start:
        raise LineError(f"the offsets {start} to {end} are no span: its end is past its start")
    if end > len(text):
        raise LineError(
            f"the offsets {start} to {end} reach outside the text, which has {len(text)} characters"
        )
    if surface is not None and text[start:end] != surface:
        raise LineError(
            f"the surface is {_shown(surface)}, but the text has {_shown(text[start:end])} "
            f"at {start} to {end}{_nearest(surface, text, start)}"
        )
    ids = tuple(dict.fromkeys(each.strip() for each in written.ids))
    return GoldMention(start, end, tuple(id for id in ids if id not in NIL_IDS), written.line)


def checked_document(
    id: str, text: str, written: Sequence[WrittenMention], line: int, faults: Faults
) -> GoldDocument:
    """The document with those of its mentions that stand in its text; the others are faults."""
    mentions = []
    for mention in written:
        try:
            mentions.append(checked_mention(mention, text))
        except LineError as fault:
            faults.found.append((mention.line, fault))
    return GoldDocument(id, text, tuple(mentions), line)


def offset(text: str) -> int:
    """The number that an offset's digits say.

    Raises:
        LineError: it has other characters.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise LineError(f"{_shown(text)} is no offset: write it in digits")
    return int(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def _nearest(surface: str, text: str, start: int) -> str:
    """Where the surface does stand, the nearest place to the offset given."""
    before = text.rfind(surface, 0, start + len(surface)) if surface else -1
    after = text.find(surface, start) if surface else -1
    places = [place for place in (before, after) if place >= 0]
    if not places:
        return ""
    nearest = min(places, key=lambda place: abs(place - start))
    return f"; it stands at {nearest} to {nearest + len(surface)}"
