"""What a project file says, with what it takes over from the file that it extends."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError

EXTENDS = "extends"  # names another project file of the same folder


@dataclass(frozen=True)
class ProjectToml:
    """Project files, each over the next: the first one's keys win, table by table.

    Attributes:
        files: where each lies, and its own keys.
    """

    files: Sequence[tuple[Path, Mapping[str, Any]]]

    @property
    def keys(self) -> dict[str, Any]:
        """Those of all; an array takes the place of another whole."""
        merged: dict[str, Any] = {}
        for _, own in reversed(self.files):
            merged = _over(own, merged)
        return merged

    def file_of(self, location: Sequence[int | str]) -> Path:
        """The file that a key stands in; the first for one that stands in none."""
        return next((path for path, own in self.files if _holds(own, location)), self.files[0][0])


def read_project_toml(path: Path) -> ProjectToml:
    """Read a project file and those that it extends.

    Raises:
        UserError: one is missing or isn't TOML, or the first doesn't lie where it can be extended.
    """
    files: list[tuple[Path, Mapping[str, Any]]] = []
    wanted: Path | None = path
    while wanted is not None:
        raw = _read_toml(wanted)
        named = raw.pop(EXTENDS, None)
        files.append((wanted, raw))
        wanted = None if named is None else _extended(named, wanted, [file for file, _ in files])
    return ProjectToml(files)


def _extended(named: object, by: Path, known: Sequence[Path]) -> Path:
    """The file that `by` extends; its paths are read from the same folder, so it lies there too."""
    where = f"{by.name}:{EXTENDS}"
    if not isinstance(named, str) or not named or Path(named).name != named:
        fix = f"Name a project file that lies beside {by.name}."
        raise UserError(f"{named!r} is no file of this folder", where, fix)
    found = by.with_name(named)
    if found in known:
        raise UserError(f"{named} extends itself", where, "Let one of them extend nothing.")
    return found


def _over(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(other)
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _over(value, merged[key]) if both else value
    return merged


def _holds(keys: Any, location: Sequence[int | str]) -> bool:
    for part in location:
        held: Any = dict(enumerate(keys)) if isinstance(keys, list) else keys
        if not isinstance(held, dict) or part not in held:
            return False
        keys = held[part]
    return True


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fix = "write one with `infact init`, or name another with --config"
        raise UserError("there is no project file here", str(path), fix) from None
    except IsADirectoryError:
        raise UserError(
            "this is a folder", str(path), f"did you mean {path}/infact.toml?"
        ) from None
    except OSError as error:
        what = f"the project file can't be read: {error.strerror}"
        raise UserError(what, str(path), "name another with --config") from None
    except UnicodeDecodeError as error:
        where = f"{path}, byte {error.start}"
        raise UserError("the project file isn't UTF-8", where, "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise toml_mistake(path, error) from None


def toml_mistake(path: Path, error: tomllib.TOMLDecodeError) -> UserError:
    """Where a file isn't TOML, and why."""
    what, line, column = _toml_position(str(error))
    where = f"{path}:{line}:{column}" if line else f"{path}, at its end"
    return UserError(f"this isn't TOML: {what}", where, "strings need quotes; see toml.io")


def _toml_position(message: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message)
    return (found[1], found[2], found[3]) if found else (message, "", "")
