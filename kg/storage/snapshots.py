"""A folder that holds a graph's snapshots, and says which of them is current.

    DIR/current          name of the snapshot that readers open
    DIR/ingest/<key>/    a whole graph directory, never changed once it is there

The name is replaced in one step, so that a reader finds the old graph or the new one, never a mixture.
"""

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
