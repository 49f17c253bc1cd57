"""JSON lines from strangers: lines of bounded length, strict JSON, all faults told at once."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...errors import UserError
from .bounded_lines import bounded_lines
from .sources import Source, examine, open_source

MAX_LINE = 1 << 20  # bytes; a fact with ten thousand options of a hundred letters fits
MAX_FILE = 64 << 20  # bytes of a file that is read whole
MAX_SHOWN = 10  # faults told one by one
MAX_WORDS = 200  # characters of one fault
BYTE_ORDER_MARK = "\ufeff"
WORDS = {  # pydantic's type of error → what it is called here
    "missing": "{key} is missing",
    "model_type": "{key} is not an object",
    "string_too_short": "{key} is empty",
    "extra_forbidden": "{key} is no key of a fact",
    "too_short": "{key} needs {min_length} at least",
}


class LineError(ValueError):
    """What is wrong with one line; `column` counts from 1 and is 0 where it isn't known."""

    def __init__(self, problem: str, column: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem if len(problem) <= MAX_WORDS else problem[: MAX_WORDS - 1] + "…"
        self.column = column

    def at(self, place: str) -> tuple[str, str]:
        """Where, with the column, and what."""
        return f"{place}:{self.column}" if self.column else place, self.problem


def filled_lines(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """The lines that aren't blank, with their numbers from 1; of an overlong one, its beginning.

    Files called .gz and .bz2 are decompressed.

    Raises:
        UserError: there is no such file, it can't be read or isn't UTF-8.
    """
    source = Source(path, name)
    try:
        examine(source)
        with open_source(source) as file:
            for number, line in bounded_lines(file, MAX_LINE):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise _unreadable(name, error) from None


def read_text(path: Path, name: str) -> str:
    """A whole file of UTF-8 text; raises UserError as `filled_lines` does, or where it is too large."""
    source = Source(path, name)
    try:
        if examine(source).bytes > MAX_FILE:
            raise UserError(f"the file is larger than {MAX_FILE:,} bytes", name, "Split it.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: OSError) -> UserError:
    problem = f"the file can't be read: {error.strerror or error}"
    return UserError(problem, name, "Mend its permissions, or name another file.")


def parse_line(line: bytes) -> Any:
    """The JSON value that a line of `filled_lines` holds.

    Raises:
        LineError: it is overlong, isn't JSON as RFC 8259 has it (NaN), gives a key twice, is nested
            too deeply, or holds half of a surrogate pair, which is no character.
    """
    if len(line) > MAX_LINE:
        raise LineError(f"this line is longer than {MAX_LINE:,} bytes")
    return parse_json(line.decode())


def parse_json(text: str) -> Any:
    """The JSON value of a text; see `parse_line`."""
    if text.startswith(BYTE_ORDER_MARK):
        raise LineError("the file begins with a byte-order mark: save it as UTF-8 without one", 1)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise LineError(f"this isn't JSON: {error.msg}", error.colno) from None
    except RecursionError:
        raise LineError("this is nested too deeply") from None
    except UnicodeEncodeError:
        raise LineError("it holds half of a surrogate pair, which is no character") from None
    except LineError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise LineError(f"this isn't JSON: {error}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise LineError(f"the key {twice!r} is given twice")
    return found


def _refuse_constant(word: str) -> None:
    raise LineError(f"this isn't JSON: {word} is no JSON value")


def model_fault(error: ValidationError) -> LineError:
    """What pydantic found, in plain words."""
    found = []
    for each in error.errors():
        key = ".".join(f'"{part}"' for part in each["loc"]) or "the line"
        words = WORDS.get(each["type"], "{key}: {message}")
        found.append(words.format_map({"key": key, "message": each["msg"], **each.get("ctx", {})}))
    return LineError("; ".join(found))


def fault_error(
    faults: Sequence[tuple[str, str]], fix: str, most_shown: int = MAX_SHOWN
) -> UserError:
    """One error for all faults, each (place, problem): the first ones, and how many there are."""
    if len(faults) == 1:
        place, problem = faults[0]
        return UserError(problem, place, fix)
    told = [f"{place}: {problem}" for place, problem in faults[:most_shown]]
    if len(faults) > most_shown:
        told.append(f"… and {len(faults) - most_shown} more")
    return UserError(f"{len(faults)} lines are faulty", "\n".join(told), fix)
