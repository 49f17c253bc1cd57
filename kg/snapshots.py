"""A folder that holds a graph's snapshots, and says which of them is current.

    DIR/current          name of the snapshot that readers open
    DIR/ingest/<key>/    a whole graph directory, never changed once it is there

The name is replaced in one step, so that a reader finds the old graph or the new one, never a mixture.
"""

import os
from pathlib import Path

CURRENT = "current"
SNAPSHOTS = "ingest"


def current_snapshot(directory: Path) -> Path:
    """The graph directory that a folder of snapshots names; any other folder itself."""
    try:
        name = (directory / CURRENT).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return directory
    return directory / SNAPSHOTS / name


def make_current(directory: Path, name: str) -> None:
    """Let readers find this snapshot from now on, also after the machine lost its power."""
    unfinished = directory / f"{CURRENT}.unfinished"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, directory / CURRENT)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def snapshots_by_age(directory: Path) -> list[Path]:
    """All whole or unfinished snapshots that are folders, the newest first."""
    folders = [path for path in (directory / SNAPSHOTS).glob("*") if path.suffix == ""]
    return sorted(folders, key=lambda path: (-path.stat().st_mtime_ns, path.name))
