"""Gold documents as JSON lines.

`{"id": "…", "text": "…", "mentions": [{"start": 0, "end": 5, "surface": "…", "id": "…"}]}`, a line a
document. `surface` may be left out; `ids` in place of `id` gives several, any of which is right;
without either, or with "-", nothing of the graph is meant. Other keys are the user's own.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from ..readers.json_lines import LineError, model_fault, parse_json
from .gold_entries import Faults, GoldDocument, Line, WrittenMention, checked_document


class _Mention(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    start: int
    end: int
    surface: str | None = None
    id: str | None = None
    ids: list[str] = []


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    id: str | int
    text: str
    mentions: list[_Mention]


def read_json_lines(lines: Iterable[Line], faults: Faults) -> Iterator[GoldDocument]:
    """Yield the documents; a line that is none is a fault."""
    for line in lines:
        if not line.text.strip():
            continue
        try:
            document = _Document.model_validate(parse_json(line.text))
        except ValidationError as error:
            faults.found.append((line.number, model_fault(error)))
            continue
        except LineError as fault:
            faults.found.append((line.number, fault))
            continue
        written = [
            WrittenMention(
                mention.start,
                mention.end,
                mention.surface,
                [*([mention.id] if mention.id is not None else []), *mention.ids],
                line.number,
            )
            for mention in document.mentions
        ]
        yield checked_document(str(document.id), document.text, written, line.number, faults)
