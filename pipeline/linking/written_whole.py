"""Files that a reader finds whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ...errors import UserError


def check_writable(path: Path, option: str) -> None:
    """Tell what keeps a file from being written before anything is computed for it.

    Raises:
        UserError: its folder isn't there, or a folder stands in its place.
    """
    if path.is_dir():
        raise UserError("this is a folder", f"{option} {path}", "name a file in it")
    if not path.parent.is_dir():
        raise UserError("its folder doesn't exist", f"{option} {path}", "make it, or name another")


@contextmanager
def written_whole(path: Path, option: str) -> Iterator[TextIO]:
    """A text file that takes its place when the block ends, and is gone when the block fails.

    Raises:
        UserError: it can't be written.
    """
    unfinished = path.with_name(path.name + ".partial")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(unfinished, path)
    except OSError as error:
        problem = f"the file can't be written: {error.strerror}"
        raise UserError(problem, f"{option} {path}", "name another") from error
    finally:
        unfinished.unlink(missing_ok=True)
