"""`infact link --graph DIR TEXT… --out FILE`: the mentions of a corpus, in one file, without a project.

Work lies beside the output until it is whole (see unfinished.py), so a reader finds the output of a whole
run or none, and a run that was stopped goes on where it was. The documents are listed in
`FILE.documents.arrow`. What couldn't be linked stands, with its place and reason, in
`FILE.rejected.jsonl`. Where the links of an earlier run are refreshed for a changed graph, what has become
of them, and why, stands in `FILE.changes.jsonl`.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...kg.corpora.corpus_files import STANDARD_INPUT, CorpusFile, changed_since, corpus_files
from ...kg.corpora.documents import Document, Fields, RejectedDocument
from ...kg.corpora.read_documents import read_documents
from ...kg.corpora.written_mentions import FORMATS, MentionFormat
from ...kg.linking.text_linking import LinkerSettings
from .. import machine
from ..artifacts import file_digest, locked
from ..console import Advance, Console, duration
from .batches import Batch, batches
from .former_links import FormerLinks
from .former_run import FormerRun, LinksToRefresh, linked_with, open_former
from .link_counts import LinkCounts, say_common_words, say_counts
from .linked_batch import BatchLinker
from .mentions_page import FirstDocuments, check_page, write_page
from .passed_over import PassedOverFiles
from .processes import LinkAll, Task, linking_processes
from .published_links import publish_links
from .refresh import FormerLinking, open_refresh
from .reranked_linking import open_reranked
from .unfinished import UnfinishedRun, corpus_changed


@dataclass(frozen=True)
class DocumentsToLink:
    """What is linked, to what, and where the mentions go.

    Attributes:
        linker: the graph and what of it.
        texts: files and folders; "-" is standard input.
        out: file to make.
        format: of the output; empty takes the suffix of `out`.
        read_as: format of the texts; empty tells it by name.
        fields: of JSON lines and Parquet.
        workers: processes that link.
        restart: don't go on with what an unfinished run left.
        page: HTML page of the first documents to make.
        refresh: links of an earlier run, to take over where the graph's changes can't touch them.
        reranker: folder of a re-ranker; None for the linker alone.
    """

    linker: LinkerSettings
    texts: tuple[str, ...]
    out: Path
    format: str = ""
    read_as: str = ""
    fields: Fields = field(default_factory=Fields)
    workers: int = 1
    restart: bool = False
    page: Path | None = None
    refresh: LinksToRefresh | None = None
    reranker: Path | None = None


def link_documents(asked: DocumentsToLink, console: Console) -> None:
    """Link the texts, publish the mentions, and say what was found.

    Raises:
        UserError: a text isn't there or has changed under the run, the output can't be made, all
            documents were rejected, or another run is making the same output.
    """
    format = chosen_format(asked.out, asked.format)
    _check_out(asked)
    if asked.page is not None:
        check_page(asked.page)
    with_now = linked_with(asked.linker, asked.reranker)
    former = (
        None
        if asked.refresh is None
        else open_former(asked.refresh, asked.linker, with_now, asked.out)
    )
    started = time.monotonic()
    machine.reset_peak_memory()
    with locked(asked.out.with_name(f"{asked.out.name}.lock"), str(asked.out)):
        run = UnfinishedRun(asked.out, _job(asked, format, with_now, former), asked.restart)
        try:
            if run.other_job:
                console.line("what an unfinished run of other settings left here is dropped")
            passed_over = PassedOverFiles(run.folder / "passed_over")
            run.hold_to(passed_over.without(corpus_files(asked.texts, asked.read_as)))
            counts = _link(asked, format, run, former, console)
            counts.passed_over = passed_over.reasons
            run.hold_to(passed_over.without(corpus_files(asked.texts, asked.read_as)))
        finally:
            run.close()
        if not counts.documents and (counts.rejected or counts.passed_over):
            run.remove()
            raise _nothing_read(counts, asked)
        publish_links(asked.out, format, run, passed_over, with_now, former)
    counts.seconds = time.monotonic() - started
    say_counts(counts, asked.out, console)


def chosen_format(out: Path, asked: str) -> MentionFormat:
    """The format by its name, or by the suffix of the output.

    Raises:
        UserError: neither tells it.
    """
    found = FORMATS.get(asked) or next(
        (each for each in FORMATS.values() if not asked and each.suffix == out.suffix.lower()), None
    )
    if found is None:
        suffixes = ", ".join(each.suffix for each in FORMATS.values())
        fix = f"name a file in {suffixes}, or say --format {' or '.join(FORMATS)}"
        problem = f"the format {asked!r} isn't known" if asked else "the name tells no format"
        raise UserError(problem, "--format" if asked else f"--out {out}", fix)
    return found


def _check_out(asked: DocumentsToLink) -> None:
    out = asked.out
    if out.is_dir():
        raise UserError(
            "this is a folder, and mentions are one file", f"--out {out}", "name a file"
        )
    if not out.parent.is_dir():
        raise UserError(
            "there is no such folder", str(out.parent), "make it, or name another --out"
        )
    if not os.access(out.parent, os.W_OK):
        raise UserError("the folder can't be written", str(out.parent), "name another --out")
    place = out.resolve()
    for name in asked.texts:
        text = Path(name).resolve()
        if name != STANDARD_INPUT and (text == place or (text.is_dir() and text in place.parents)):
            problem = "the output would lie among the texts, and be one itself the next time"
            raise UserError(problem, f"--out {out}", "name a place outside of them")


def _job(
    asked: DocumentsToLink,
    format: MentionFormat,
    with_now: dict[str, Any],
    former: FormerRun | None,
) -> dict[str, Any]:
    """What the output follows from, beside the contents of the texts."""
    return {
        **with_now,
        "refresh": None if former is None else file_digest(former.links.path),
        "texts": list(asked.texts),
        "format": format.name,
        "read_as": asked.read_as,
        "fields": asdict(asked.fields),
    }


def _link(
    asked: DocumentsToLink,
    format: MentionFormat,
    run: UnfinishedRun,
    former: FormerRun | None,
    console: Console,
) -> LinkCounts:
    indexing = time.monotonic()
    former_linking = None if former is None else former.linking
    open_anew = partial(_open_linker, asked, former_linking, console)
    linker = open_anew()
    linking = linker.linking
    counts = LinkCounts(index_seconds=time.monotonic() - indexing)
    console.line(f"link: the graph's names indexed in {duration(counts.index_seconds)}")
    say_common_words(linking.common_words, console)
    size = sum(file.size for file in run.files())
    first = FirstDocuments()
    with (
        linking_processes(linker, open_anew, asked.workers) as link_all,
        console.progress("link", size or None, "bytes") as advance,
    ):
        stream = batches(_read(run.files(), asked.fields, advance))
        if asked.page is not None:
            stream = first.watched(stream)
        links = None if former is None else former.links
        _skip_done(run, stream, links, counts, console)
        linking_since = time.monotonic()
        _link_rest(run, stream, link_all, format, links, counts)
        counts.linking_seconds = time.monotonic() - linking_since
        if links is not None and counts.refreshed is not None:
            counts.refreshed.gone = len(links.gone())
    counts.peak_bytes = max(counts.peak_bytes, machine.peak_memory_bytes())
    if asked.page is not None:
        write_page(asked.page, linking, first, counts.documents)
    return counts


def _open_linker(
    asked: DocumentsToLink, former: FormerLinking | None, console: Console
) -> BatchLinker:
    linking = open_reranked(asked.linker, asked.reranker, asked.workers, console)
    if former is None:
        return BatchLinker(linking)
    return BatchLinker(linking, open_refresh(linking, asked.linker, former))


def _read(
    files: Iterable[CorpusFile], fields: Fields, advance: Advance
) -> Iterator[Document | RejectedDocument]:
    for file in files:
        if changed_since(file):
            raise corpus_changed(file.name, "is another file than it was, or gone")
        yield from read_documents(file, fields, advance)
        if changed_since(file):
            raise corpus_changed(file.name, "is another file than it was, or gone")


def _skip_done(
    run: UnfinishedRun,
    stream: Iterator[Batch],
    former: FormerLinks | None,
    counts: LinkCounts,
    console: Console,
) -> None:
    """Read past what an earlier run has linked, and make sure that it is the same."""
    for made in run.done():
        batch = next(stream, None)
        if batch is None or batch.digest != made.digest:
            place = _place(batch)
            raise corpus_changed(place, "says something else than it did")
        if former is not None:
            former.note(batch)
        counts.add(made)
    if counts.documents:
        console.line(f"link: going on after {counts.documents:,} documents")
    counts.resumed = counts.documents


def _place(batch: Batch | None) -> str:
    if batch is None:
        return "at its end"
    first = batch.documents[0] if batch.documents else batch.rejected[0]
    return f"at or after {first.place}"


def _link_rest(
    run: UnfinishedRun,
    stream: Iterator[Batch],
    link_all: LinkAll,
    format: MentionFormat,
    former: FormerLinks | None,
    counts: LinkCounts,
) -> None:
    files: list[Path] = []

    def tasks() -> Iterator[Task]:
        for batch in stream:
            files.append(run.batch_file(batch.number))
            yield batch, None if former is None else former.of(batch), format.name, files[-1]

    for made in link_all(tasks()):
        run.take(made, files.pop(0))
        counts.add(made)
        if format.most_characters is not None and counts.characters > format.most_characters:
            problem = f"{counts.characters:,} characters are too many for one file of {format.name}"
            fix = f"link up to {format.most_characters:,} at a time, or choose another --format"
            raise UserError(problem, "--out", fix)


def _nothing_read(counts: LinkCounts, asked: DocumentsToLink) -> UserError:
    """The error where no document was read, though there was something to read."""
    if counts.first_rejected:
        where, reason = counts.first_rejected[0].place, counts.first_rejected[0].reason
        fix = "name fields by --text-field and --id-field, and the format by --read-as"
        return UserError(f"all documents were rejected, the first because {reason}", where, fix)
    told = ", ".join(f"{reason} ({count:,})" for reason, count in counts.passed_over.items())
    fix = "name the format of all files by --read-as"
    return UserError(f"no file is taken for texts: {told[:300]}", " ".join(asked.texts), fix)
