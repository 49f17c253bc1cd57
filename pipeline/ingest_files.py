"""`infact ingest FILE… --out DIR`: files and SPARQL endpoints into a graph directory, without a project.

DIR holds snapshots (see `kg/storage/snapshots.py`): one a content, made whole before readers find it. The same
files read in the same way are the same snapshot, and aren't read again.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..kg.ingest import GraphSettings, IngestSummary, ingest
from ..kg.names import clean_name
from ..kg.prefixes import UnknownPrefix
from ..kg.readers.sources import Source, check_file
from ..kg.readers.sparql_http import is_url
from ..kg.storage.snapshots import CURRENT, SNAPSHOTS
from . import machine
from .artifacts import (
    Manifest,
    Recipe,
    file_digest,
    flush,
    newest_first,
    publish,
    read_manifest,
    remove_abandoned,
    work_folder,
)
from .console import Console, duration
from .fetch_endpoint import FETCHED, Fetched, fetched
from .graph_findings import finding_counts, say_findings
from .ingest_stage import say_rejections, say_summary
from .stage_list import STAGES

STANDARD_INPUT = "-"
KEPT = 2  # snapshots: the current one and the one before it
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class FilesToIngest:
    """What is read, how, and where the graph goes.

    Attributes:
        files: paths; "-" is standard input, and a URL a SPARQL endpoint.
        out: folder of snapshots; made if it isn't there.
        format: of every file; empty to tell it by name or content.
        prefixes: declared prefix to IRI space.
        strict: the first rejected statement stops.
        languages: tags of the texts that are read; empty: all.
        unknown_prefix: what becomes of short forms whose prefix isn't declared.
        graphs: IRIs of the named graphs that endpoints are asked for; none for the default graph.
    """

    files: tuple[str, ...]
    out: Path
    format: str
    prefixes: Mapping[str, str]
    strict: bool
    languages: tuple[str, ...] = ()
    unknown_prefix: UnknownPrefix = "drop"
    graphs: tuple[str, ...] = ()


def ingest_files(asked: FilesToIngest, console: Console) -> Path:
    """Make the snapshot, let readers find it, and say what is in it; the snapshot's folder.

    Raises:
        UserError: a file is missing or faulty, or `out` is a folder of something else.
    """
    _check_out(asked.out)
    _check_graphs(asked)
    with _with_standard_input(asked) as named, _with_endpoints(asked, named, console) as fetches:
        sources = [_fetched_source(source, fetches) for source in named]
        settings = GraphSettings(strict=asked.strict, unknown_prefix=asked.unknown_prefix)
        recipe = _recipe(asked, sources, settings)
        folder = recipe.folder(asked.out)
        manifest = read_manifest(folder)
        made = manifest is None
        if manifest is None:
            manifest = _make(asked, sources, settings, recipe, console)
        else:
            console.line(f"nothing changed: {folder} is kept")
        _make_current(asked.out, recipe.key)
    _drop_old(asked.out, folder)
    result = {
        "graph": str(asked.out),
        "snapshot": recipe.key,
        "made": made,
        **manifest.recorded,
        "findings": finding_counts(folder),
    }
    if fetches:
        result["fetched"] = [fetch.told() for fetch in fetches.values()]
    console.result(result)
    return folder


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError("this is a file, and a graph is a folder", str(out), "name another --out")
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    # These alone: an ingestion that was stopped before its first graph.
    if CURRENT not in names and not names <= {SNAPSHOTS, FETCHED}:
        fix = "name an empty folder, or one that `infact ingest` made"
        raise UserError("the folder holds something else", str(out), fix)


def _check_graphs(asked: FilesToIngest) -> None:
    if asked.graphs and not any(map(is_url, asked.files)):
        fix = "name the URL of an endpoint, or leave it out"
        raise UserError("a named graph is asked of an endpoint alone", "--graph-iri", fix)


@contextmanager
def _with_standard_input(asked: FilesToIngest) -> Iterator[list[Source]]:
    """The sources; what comes from standard input lies in a file as long as it is needed."""
    if asked.files.count(STANDARD_INPUT) > 1:
        raise UserError("standard input can be read once", "infact ingest", "name - only once")
    with tempfile.TemporaryDirectory(prefix="infact-") as folder:
        sources = []
        for name in asked.files:
            path = Path(name)
            if name == STANDARD_INPUT:
                path = Path(folder) / "input"
                with path.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file, MEBIBYTE)
                name = "standard input"
            # The name stands in messages, where a line end could tell a lie.
            shown = clean_name(name)
            source = Source(path, shown, format=asked.format, languages=asked.languages)
            if not is_url(name):
                check_file(source)
            sources.append(source)
        yield sources


@contextmanager
def _with_endpoints(
    asked: FilesToIngest, sources: Sequence[Source], console: Console
) -> Iterator[dict[str, Fetched]]:
    """What the endpoints among the sources hold, by their names, as long as it is needed."""
    urls = dict.fromkeys(source.name for source in sources if is_url(source.name))
    with ExitStack() as stack:
        yield {
            url: stack.enter_context(fetched(url, asked.graphs, asked.out, console)) for url in urls
        }


def _fetched_source(source: Source, fetches: Mapping[str, Fetched]) -> Source:
    """A source in whose name there is no password, and whose file is here."""
    fetch = fetches.get(source.name)
    if fetch is None:
        return source
    return replace(source, path=fetch.path, name=fetch.url, format="", url=fetch.url)


def _recipe(asked: FilesToIngest, sources: Sequence[Source], settings: GraphSettings) -> Recipe:
    """The key of a snapshot: names and contents of the files, and how they are read."""
    version = next(stage.version for stage in STAGES if stage.name == SNAPSHOTS)
    read_as = {
        **asdict(settings),
        "format": asked.format,
        "prefixes": dict(asked.prefixes),
        "languages": sorted(asked.languages),
    }
    names = [source.url or Path(source.name).name for source in sources]
    files = {
        f"{number} {name}": file_digest(source.path)
        for number, (name, source) in enumerate(zip(names, sources, strict=True))
    }
    return Recipe(SNAPSHOTS, version, read_as, None, files)


def _make(
    asked: FilesToIngest,
    sources: Sequence[Source],
    settings: GraphSettings,
    recipe: Recipe,
    console: Console,
) -> Manifest:
    started = time.monotonic()
    machine.reset_peak_memory()
    size = sum(source.path.stat().st_size for source in sources)
    with work_folder(asked.out, recipe, resumable=False) as work:
        with console.progress("ingest", size, "bytes") as advance:
            summary = ingest(sources, work, asked.prefixes, settings, advance)
        say_summary(summary, console)
        say_rejections(work / "rejected.parquet", sources, console)
        say_findings(work, f"infact validate --graph {asked.out}", console)
        seconds = time.monotonic() - started
        manifest = publish(asked.out, recipe, _recorded(summary, seconds))
    console.line(f"{recipe.folder(asked.out)} in {duration(seconds)}")
    return manifest


def _recorded(summary: IngestSummary, seconds: float) -> dict[str, Any]:
    peak = machine.peak_memory_bytes() / MEBIBYTE
    return {
        **asdict(summary),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "peak_mib": round(peak, 1),
    }


def _make_current(out: Path, name: str) -> None:
    """Let readers find this snapshot from now on, also after the machine lost its power."""
    unfinished = out / SNAPSHOTS / f"{CURRENT}.unfinished"
    unfinished.write_text(f"{name}\n", encoding="utf-8")
    flush(unfinished)
    os.replace(unfinished, out / CURRENT)
    flush(out)


def _drop_old(out: Path, current: Path) -> None:
    """Keep the current snapshot and the newest other one, and nothing of runs that were killed."""
    remove_abandoned(out / SNAPSHOTS)
    remove_abandoned(out / FETCHED)
    with suppress(OSError):  # none was fetched, or another run is at it
        (out / FETCHED).rmdir()
    others = [path for path in newest_first(out, SNAPSHOTS) if path != current]
    for path in others[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
