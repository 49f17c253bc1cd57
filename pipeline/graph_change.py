"""What changed in the project's graph since the one before it, by the statistics of both."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .artifacts import newest_first, read_manifest

COUNTED = ("entities", "relations", "triples", "literals", "names")


@dataclass(frozen=True)
class GraphChange:
    """Two artifacts of the ingest stage.

    Attributes:
        older: folder of the graph that was made before.
        newer: folder of the graph that the project has now.
        counts: before and now, of what differs.
    """

    older: str
    newer: str
    counts: Mapping[str, tuple[int, int]]

    def __str__(self) -> str:
        told = [f"{old:,} → {new:,} {name}" for name, (old, new) in self.counts.items()]
        key = Path(self.older).name[:8]
        see = shlex.join(["infact", "diff", self.older, self.newer])
        return f"since {key}: {', '.join(told) or 'the same counts'}; see: {see}"


def change_since_older(folder: Path) -> GraphChange | None:
    """How a graph's artifact differs from the newest that is older; None where there is none."""
    artifacts, stage = folder.parent.parent, folder.parent.name
    made = newest_first(artifacts, stage)
    now = _counts(folder)
    for older in made[made.index(folder) + 1 :]:
        before = _counts(older)
        if before and now and read_manifest(older) is not None:
            names = [name for name in COUNTED if before[name] != now[name]]
            counts = {name: (before[name], now[name]) for name in names}
            return GraphChange(str(older), str(folder), counts)
    return None


def _counts(folder: Path) -> dict[str, int]:
    """Empty where the statistics have gone or can't be read."""
    try:
        found = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))
        return {name: int(found[name]) for name in COUNTED}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
