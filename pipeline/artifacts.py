"""Artifacts: `<artifacts>/<stage>/<key>/manifest.json`. When is a result new?

The key hashes what the stage is made from: its name and version, the settings it reads, the seed,
and the digests of its inputs' contents. No path, host or time is in it. Work happens in
`<key>.partial/` and a rename publishes it, so a folder with a manifest is whole and one without
doesn't count. What a run found out (versions, device, seconds) is recorded in the manifest
but not keyed.

Below a stage's folder, `store/` and `log/` are not digested (their bytes differ from run to run) and
`resume/` is dropped when the artifact is published.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import UserError

MANIFEST = "manifest.json"
UNDIGESTED = ("store", "log")
RESUME = "resume"


@dataclass(frozen=True)
class Recipe:
    """Everything that an artifact follows from.

    Args:
        stage: name of the stage.
        version: of the stage's code, raised when the same settings give another result.
        settings: those that the stage reads, as JSON values.
        seed: None for a stage that draws nothing.
        inputs: digest of each artifact and file that the stage reads, by stage name or file name.
    """

    stage: str
    version: int
    settings: Mapping[str, Any]
    seed: int | None
    inputs: Mapping[str, str]

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits."""
        return digest_of(asdict(self))[:16]

    def folder(self, artifacts: Path) -> Path:
        return artifacts / self.stage / self.key


@dataclass(frozen=True)
class Manifest:
    """What an artifact was made from, what it holds (sha256 by relative path), what was recorded."""

    recipe: Recipe
    outputs: Mapping[str, str]
    recorded: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of the outputs: what stages further down put into their keys."""
        return digest_of(dict(self.outputs))


def digest_of(value: object) -> str:
    """sha256 of the canonical JSON of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, or of the names and digests of all files below a folder."""
    if path.is_dir():
        return digest_of(folder_digests(path))
    status = path.stat()
    return _bytes_digest(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _bytes_digest(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """sha256 of each file below a folder by relative path, without the undigested parts."""
    files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    return {
        name: file_digest(path)
        for name, path in sorted(files.items())
        if name != MANIFEST and name.split("/")[0] not in UNDIGESTED
    }


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a whole artifact; None when there is none or an output has gone."""
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(Recipe(**raw["recipe"]), raw["outputs"], raw["recorded"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    return manifest if all((folder / name).is_file() for name in manifest.outputs) else None


def newest_manifest(artifacts: Path, stage: str) -> Manifest | None:
    """The manifest of the stage's artifact that was made last, whatever its key."""
    found = (read_manifest(path) for path in newest_first(artifacts, stage))
    return next((manifest for manifest in found if manifest is not None), None)


def newest_first(artifacts: Path, stage: str) -> list[Path]:
    """The folders of the stage's artifacts; those that are worked on aren't among them."""
    folders = [path for path in (artifacts / stage).glob("*") if path.suffix == ""]
    return sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def partial_folder(artifacts: Path, recipe: Recipe) -> Path:
    """Where an artifact is worked on before it is whole."""
    return artifacts / recipe.stage / f"{recipe.key}.partial"


@contextmanager
def work_folder(artifacts: Path, recipe: Recipe, resumable: bool) -> Iterator[Path]:
    """Lock and yield the folder to work in; on failure nothing there counts as an artifact.

    Args:
        resumable: work that an earlier run left is handed over instead of cleared.

    Raises:
        UserError: another process is at work on the same artifact, the disk is full, or the
            artifacts folder can't be written.
    """
    work = partial_folder(artifacts, recipe)
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        with locked(work.with_suffix(".lock"), recipe.stage), _kept(work, resumable):
            yield work
    except Exception as error:
        if _disk_is_full(error):
            fix = "free some, or choose a folder on another disk: [project] artifacts, or --out"
            raise UserError(f"{recipe.stage}: no disk space left", str(work), fix) from error
        if isinstance(error, OSError) and _is_refused(error, artifacts):
            what = f"{recipe.stage}: the folder for results can't be written: {error.strerror}"
            fix = "choose a folder that you may write to: [project] artifacts, or --out"
            raise UserError(what, str(error.filename), fix) from error
        raise


@contextmanager
def _kept(work: Path, resumable: bool) -> Iterator[None]:
    """Only resumable work outlives a failure, and only it is there again at the start."""
    if not resumable:
        _remove(work)
    work.mkdir(exist_ok=True)
    try:
        yield
    except BaseException:
        if not resumable:
            _remove(work)
        raise


def remove_abandoned(folder: Path) -> None:
    """Work that was killed and that no process holds any more, whatever its key."""
    for work in folder.glob("*.partial"):
        with suppress(UserError), locked(work.with_suffix(".lock"), folder.name):
            _remove(work)


def publish(artifacts: Path, recipe: Recipe, recorded: Mapping[str, Any]) -> Manifest:
    """Turn the finished work folder into the artifact: all files on disk, manifest last, then rename."""
    work, folder = partial_folder(artifacts, recipe), recipe.folder(artifacts)
    return publish_folder(work, folder, recipe, recorded)


def publish_folder(
    work: Path, folder: Path, recipe: Recipe, recorded: Mapping[str, Any]
) -> Manifest:
    """The same, from one folder to another on the same disk, in place of what is there."""
    _remove(work / RESUME)
    for path in _files(work):
        flush(path)
    manifest = Manifest(recipe, folder_digests(work), recorded)
    with (work / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    flush(work)
    _remove(folder)
    work.rename(folder)
    flush(folder.parent)
    return manifest


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def flush(path: Path) -> None:
    """Have what was written to a file, or into a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_is_full(error: Exception) -> bool:
    # By text: libraries in Rust and C++ raise their own types with the system's words.
    text = f"{error}".lower()
    return "no space left on device" in text or "disk quota exceeded" in text


def _is_refused(error: OSError, artifacts: Path) -> bool:
    """Whether the system refuses to write at or below `artifacts`."""
    refusals = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
    place = Path(os.fsdecode(error.filename or ""))
    inside = place == artifacts or artifacts in place.parents or place in artifacts.parents
    return error.errno in refusals and inside


@contextmanager
def locked(path: Path, made: str) -> Iterator[None]:
    """A pidfile held by the kernel's file lock, which ends with its process even after kill -9."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode() or "?"
            os.close(descriptor)
            fix = f"wait until process {owner} ends, or stop it"
            raise UserError(f"another run is making {made}", str(path), fix) from None
        if _is_file_at(path, descriptor):
            break
        os.close(descriptor)  # the earlier owner removed it between our opening and our locking
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_file_at(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    return False
