"""The work of a run that isn't finished, beside its output: `OUT.partial/`.

    job.json        what the output follows from, but for the texts
    corpus.jsonl    the files, with sizes and times, as they were when the run began
    parts           the output's parts, one after another
    journal.jsonl   a line for each part that is whole on disk: its length, counts, and batch's digest

A part counts once its line is there, and the line is written after the part is on disk. So a run that is
killed at any moment goes on behind its last whole part, to the same output.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import UserError
from ...kg.corpora.corpus_files import CorpusFile
from ..artifacts import flush
from .linked_batch import LinkedBatch

SECONDS_BETWEEN_FLUSHES = 1.0
COPIED = 1 << 20  # bytes at once


class UnfinishedRun:
    """The folder of one run, locked by its caller. `resumed` tells whether an earlier run left parts."""

    def __init__(self, out: Path, job: Mapping[str, Any], restart: bool) -> None:
        """Take over what an earlier run of the same job left; clear what another left.

        Args:
            out: the output.
            job: JSON values; the same job makes the same output from the same texts.
            restart: clear it in any case.
        """
        self.folder = out.with_name(f"{out.name}.partial")
        self.parts = self.folder / "parts"
        self.other_job = False  # whether there was another job's work
        self._job, self._journal = self.folder / "job.json", self.folder / "journal.jsonl"
        self._corpus = self.folder / "corpus.jsonl"
        text = json.dumps(job, indent=1, sort_keys=True)
        left = self._job.read_text(encoding="utf-8") if self._job.exists() else ""
        self.resumed = left == text and not restart and self._mend()
        if not self.resumed:
            self.other_job = bool(left) and left != text and not restart
            self.remove()
            self.folder.mkdir()
            self._journal.touch()
            self._job.write_text(text, encoding="utf-8")
        for path in self.folder.glob("batch-*"):
            path.unlink()
        self._file: BinaryIO = self.parts.open("ab")
        self._lines: list[str] = []
        self._flushed = -math.inf

    def _mend(self) -> bool:
        """Cut off what isn't whole at the end of journal and parts; False where they don't fit."""
        if not (self._journal.exists() and self._corpus.exists() and self.parts.exists()):
            return False
        whole = length = 0
        with self._journal.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                length += json.loads(line)["bytes"]
        if self.parts.stat().st_size < length:
            return False
        os.truncate(self._journal, whole)
        os.truncate(self.parts, length)
        return True

    # The corpus.

    def hold_to(self, files: Iterable[CorpusFile]) -> None:
        """Note the files when the run begins, and make sure later that they are the same.

        Raises:
            UserError: a file is new, gone, or another than it was.
        """
        if not self._corpus.exists():
            unfinished = self.folder / "corpus.unfinished"
            with unfinished.open("w", encoding="utf-8") as listing:
                listing.writelines(map(_listed, files))
            os.replace(unfinished, self._corpus)
            return
        with self._corpus.open(encoding="utf-8") as listing:
            for before, file in zip_longest(listing, files):
                if file is None or before is None:
                    name = file.name if file is not None else json.loads(before)["name"]
                    raise corpus_changed(name, "is new" if file is not None else "is gone")
                if before != _listed(file):
                    noted = json.loads(before)["name"]
                    if noted != file.name:
                        raise corpus_changed(min(noted, file.name), "is new or gone")
                    raise corpus_changed(file.name, "is another file than it was")

    def files(self) -> Iterator[CorpusFile]:
        """The files as they were noted."""
        with self._corpus.open(encoding="utf-8") as listing:
            for line in listing:
                row = json.loads(line)
                yield CorpusFile(**{**row, "path": row["path"] and Path(row["path"])})

    # The parts.

    def done(self) -> Iterator[LinkedBatch]:
        """What is on disk already, in order."""
        with self._journal.open(encoding="utf-8") as journal:
            for line in journal:
                yield LinkedBatch.of_json(json.loads(line))

    def batch_file(self, number: int) -> Path:
        """Where a batch's part is written before `take` takes it."""
        return self.folder / f"batch-{number}"

    def take(self, made: LinkedBatch, file: Path) -> None:
        """Append a part."""
        with file.open("rb") as part:
            shutil.copyfileobj(part, self._file, COPIED)
        file.unlink()
        self._lines.append(json.dumps(asdict(made), ensure_ascii=False) + "\n")
        if time.monotonic() - self._flushed >= SECONDS_BETWEEN_FLUSHES:
            self.flush()

    def flush(self) -> None:
        """Have on disk what was taken: the parts, then their lines."""
        self._file.flush()
        os.fsync(self._file.fileno())
        # Set aside first: Ctrl-C may stop this anywhere, and no line may be written twice.
        lines, self._lines = self._lines, []
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.writelines(lines)
            journal.flush()
            os.fsync(journal.fileno())
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Keep what was taken for the next run; where nothing was, leave nothing."""
        if not self._file.closed:
            self.flush()
            self._file.close()
        if not self._journal.stat().st_size:
            self.remove()

    def publish(self, finished: Path, out: Path) -> None:
        """Let a whole file take its place: readers find the old one or the new one."""
        flush(finished)
        os.replace(finished, out)
        flush(out.parent)

    def publish_beside(self, finished: Path, out: Path) -> None:
        """The same for what stands beside an output; there is no such file where it has nothing in it."""
        if finished.stat().st_size:
            self.publish(finished, out)
        else:
            out.unlink(missing_ok=True)

    def remove(self) -> None:
        """Drop the folder."""
        if self.folder.exists():
            self._job.unlink(missing_ok=True)  # first: a folder without it is nobody's work
            shutil.rmtree(self.folder)


def corpus_changed(name: str, how: str) -> UserError:
    """The error of a corpus that isn't what it was when the run began."""
    fix = "run again with --restart to link the texts as they are now"
    return UserError(f"the texts have changed since this run began: a file {how}", name, fix)


def _listed(file: CorpusFile) -> str:
    return json.dumps({**asdict(file), "path": file.path and str(file.path)}) + "\n"
