"""Refreshing links after a graph has changed, against linking all texts anew: seconds, and the same bytes.

    python benchmarks/link_refresh.py <old graph> <new graph> <texts>… [--root IRI] [--turns N]

The texts are linked to the old graph first. Then, in turn, they are linked to the new one anew, and
refreshed (`infact link --refresh`), each in a process of its own that reads its indexes from disk.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any


def link(graph: Path, arguments: argparse.Namespace, out: Path, *more: str) -> dict[str, Any]:
    """What `infact link` tells to machines."""
    root = ("--root", arguments.root) if arguments.root else ()
    command = (sys.executable, "-m", "infact", "link", *map(str, arguments.texts))
    options = ("--graph", str(graph), "--out", str(out), "--workers", str(arguments.workers))
    all_of_it = [*command, *options, *root, *more, "--json"]
    done = subprocess.run(all_of_it, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--root", default="")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    print(f"infact {version('infact')}, python {sys.version.split()[0]}; {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        race(arguments, Path(folder))


def race(arguments: argparse.Namespace, folder: Path) -> None:
    """Link anew and refresh in turn, and print both."""
    before, anew, refreshed = (folder / f"{name}.parquet" for name in ("before", "anew", "after"))
    link(arguments.old, arguments, before)
    link(arguments.new, arguments, anew)  # makes the indexes that are kept
    refresh = ("--refresh", str(before), "--old-graph", str(arguments.old))
    seconds: dict[str, list[float]] = {"anew": [], "refreshed": []}
    told: dict[str, Any] = {}
    for _ in range(arguments.turns):
        for way, out, more in (("anew", anew, ()), ("refreshed", refreshed, refresh)):
            told = link(arguments.new, arguments, out, *more)
            linking = told["documents"] / told["documents_per_second"]
            seconds[way].append(linking)
            print(f"{way}: {told['seconds']:.2f} s, of which linking {linking:.2f} s")
    ratio = statistics.median(seconds["refreshed"]) / statistics.median(seconds["anew"])
    print(f"seconds of linking, refreshed / anew: {ratio:.2f} (medians of {arguments.turns})")
    print(f"the same bytes: {anew.read_bytes() == refreshed.read_bytes()}")
    print(f"{told['documents']:,} documents, {told['mentions']:,} mentions")
    print(json.dumps(told["refreshed"], indent=1))


if __name__ == "__main__":
    main()
