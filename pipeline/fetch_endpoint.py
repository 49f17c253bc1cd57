"""A SPARQL endpoint as a file: fetched page by page, and gone on with after a kill.

    DIR/fetched/<key>.partial/statements.nt    whole pages (.nq where graphs are named)
    DIR/fetched/<key>.partial/cursor.json      how far that goes, written after each page
    DIR/fetched/<key>/statements.nt            all of it, where it is to be kept

Bytes behind those that the cursor tells of are a page that was cut off, and are dropped.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pyoxigraph import NamedNode

from ..errors import UserError
from ..kg.readers.sparql_endpoint import (
    Cursor,
    Page,
    Selection,
    check_whole,
    count,
    graph_names,
    graphs_of,
    pages,
)
from ..kg.readers.sparql_http import Address, Endpoint, address
from .artifacts import Recipe, digest_of, flush, publish, work_folder
from .console import Console, duration

FETCHED = "fetched"
CURSOR = "cursor.json"
TOO_OLD = 24 * 3600.0  # seconds after which an unfinished fetch is begun anew
SHOWN_GRAPHS = 5


@dataclass(frozen=True)
class Wanted:
    """What is fetched.

    Attributes:
        at: where the endpoint is.
        graphs: named graphs that are asked for; none for the default graph.
        option: what a user names graphs with.
    """

    at: Address
    graphs: tuple[NamedNode, ...]
    option: str = "--graph-iri"

    @property
    def recipe(self) -> Recipe:
        """By address and graphs, whoever asks. What may be secret in an address goes in as a digest."""
        settings = {
            "url": self.at.shown,
            "address": digest_of(self.at.url),
            "graphs": [name.value for name in self.graphs],
        }
        return Recipe(FETCHED, 1, settings, None, {})

    @property
    def file_name(self) -> str:
        return "statements.nq" if self.graphs else "statements.nt"


@dataclass(frozen=True)
class Fetched:
    """A file of all statements of an endpoint, and what it took.

    Attributes:
        path: the file, there as long as the context lasts.
        url: without user, password and query.
    """

    path: Path
    url: str
    statements: int
    requests: int
    seconds: float

    def told(self) -> dict[str, Any]:
        """What machines hear of it."""
        return {key: value for key, value in asdict(self).items() if key != "path"}


@dataclass(frozen=True)
class _Progress:
    """What cursor.json holds: how far the file goes, and of how many statements."""

    cursor: Cursor
    bytes: int
    counted: int
    at: float  # seconds since 1970


@contextmanager
def fetched(url: str, graphs: Sequence[str], out: Path, console: Console) -> Iterator[Fetched]:
    """Fetch all statements; the file is thrown away when the context ends well.

    Args:
        url: of the endpoint, user and password included.
        graphs: IRIs of the named graphs that are asked for; none for the default graph.
        out: the folder whose `fetched/` holds what is unfinished.

    Raises:
        UserError: the endpoint can't be read, or another process fetches the same.
    """
    with _fetching(Wanted(address(url), graph_names(graphs)), out, console) as fetch:
        yield fetch
        shutil.rmtree(fetch.path.parent)


def fetch_and_keep(wanted: Wanted, out: Path, console: Console) -> None:
    """Fetch all statements into `out/fetched/<key>`; what was kept there stays until they are whole.

    Raises:
        UserError: the endpoint can't be read, or another process fetches the same.
    """
    with _fetching(wanted, out, console) as fetch:
        (fetch.path.parent / CURSOR).unlink()
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        publish(out, wanted.recipe, {**fetch.told(), "finished": finished})


@contextmanager
def _fetching(wanted: Wanted, out: Path, console: Console) -> Iterator[Fetched]:
    """All statements in the work folder of the fetch; what becomes of it is the caller's."""
    started = time.monotonic()
    selection = Selection(Endpoint(wanted.at, console.line), wanted.graphs)
    # Before there is a folder: an address that gives nothing leaves nothing behind.
    counted = count(selection)
    if not counted:
        raise _empty(selection, wanted.option)
    with work_folder(out, wanted.recipe, resumable=True) as work:
        path = work / wanted.file_name
        statements = _fetch(selection, counted, path, console)
        requests, seconds = selection.endpoint.requests, time.monotonic() - started
        shown = wanted.at.shown
        console.line(
            f"{shown}: {statements:,} statements in {requests:,} requests, {duration(seconds)}"
        )
        yield Fetched(path, shown, statements, requests, round(seconds, 3))


def _fetch(selection: Selection, counted: int, path: Path, console: Console) -> int:
    """The whole file; how many statements are in it."""
    shown = selection.endpoint.shown
    cursor, size = _begin(path, counted, shown, console)
    try:
        with path.open("r+b" if size else "wb") as file:
            file.truncate(size)
            file.seek(size)
            cursor = _append(selection, counted, cursor, file, console)
    except (KeyboardInterrupt, UserError) as error:
        raise _with_how_far(error, path.parent, counted, console) from None
    now = check_whole(selection, cursor.statements, counted)
    if now != cursor.statements:
        console.line(
            f"{shown} changed while it was fetched: {now:,} statements now, "
            f"{cursor.statements:,} fetched"
        )
    return cursor.statements


def _empty(selection: Selection, option: str) -> UserError:
    if selection.graphs:
        what, fix = "the graphs named hold no statement", "look at their IRIs"
    else:
        what, fix = "its default graph is empty", "look at the address"
    if found := graphs_of(selection, SHOWN_GRAPHS):
        fix = f"name graphs with {option}; it has {', '.join(found)}"
    return UserError(f"the endpoint gives nothing: {what}", selection.endpoint.shown, fix)


def _begin(path: Path, counted: int, shown: str, console: Console) -> tuple[Cursor, int]:
    """Where to go on: the cursor, and the size of the file up to there."""
    left = _read_progress(path.parent)
    if left is None or not path.is_file() or path.stat().st_size < left.bytes:
        return Cursor(), 0
    if not 0 <= time.time() - left.at < TOO_OLD:
        console.line(f"{shown}: the unfinished fetch is older than a day; it is begun anew")
    elif left.counted != counted:
        console.line(
            f"{shown} has changed, from {left.counted:,} to {counted:,} statements, since "
            "the fetch was stopped; it is begun anew"
        )
    else:
        console.line(f"{shown}: going on after {left.cursor.statements:,} statements")
        return left.cursor, left.bytes
    (path.parent / CURSOR).unlink()
    return Cursor(), 0


def _append(
    selection: Selection, counted: int, cursor: Cursor, file: BinaryIO, console: Console
) -> Cursor:
    with console.progress("fetch", counted, "statements") as advance:
        advance(cursor.statements)
        for page in pages(selection, counted, cursor):
            _keep(page, file, counted)
            cursor = page.cursor
            advance(page.statements)
    return cursor


def _keep(page: Page, file: BinaryIO, counted: int) -> None:
    """A page on disk, and only then the cursor behind it."""
    with page.lines:
        shutil.copyfileobj(page.lines, file)
    file.flush()
    os.fsync(file.fileno())
    progress = _Progress(page.cursor, file.tell(), counted, time.time())
    folder = Path(file.name).parent
    unfinished = folder / "cursor.unfinished"
    unfinished.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    flush(unfinished)
    os.replace(unfinished, folder / CURSOR)
    flush(folder)


def _read_progress(work: Path) -> _Progress | None:
    try:
        raw = json.loads((work / CURSOR).read_text(encoding="utf-8"))
        return _Progress(Cursor(**raw["cursor"]), raw["bytes"], raw["counted"], raw["at"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _with_how_far(
    error: KeyboardInterrupt | UserError, work: Path, counted: int, console: Console
) -> KeyboardInterrupt | UserError:
    """The same error; the user hears what is kept."""
    progress = _read_progress(work)
    done = progress.cursor.statements if progress else 0
    if not done:
        return error
    kept = (
        f"{done:,} of {counted:,} statements are fetched; within a day the next run goes on there"
    )
    if isinstance(error, UserError):
        return UserError(error.what, error.where, f"{error.fix}; {kept}" if error.fix else kept)
    console.line(kept)
    return error
