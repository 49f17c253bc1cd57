"""Reading a graph: infact's whole ingestion against bare rdflib, pyoxigraph and maplib.

    python benchmarks/ingest.py GRAPH [--turns 3] [--generated 500000 5000000] [--json FILE]
        [--maplib PYTHON]

GRAPH is a folder that `infact ingest` made; its statements are written as N-Triples and Turtle and
read again. infact parses, numbers, stores, and writes tables, statistics and provenance; rdflib only
parses into memory, pyoxigraph only loads its store, maplib only reads into its columns in memory;
it wants an older pyarrow than infact's, so --maplib names a Python of its own. Each side runs in a process of its own, in turns;
a ratio is the side's median seconds over infact's. --generated reads synthetic N-Triples of so many
statements, without rdflib, for how time and memory grow.
"""

import argparse
import json
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median

PEERS = ("rdflib", "pyoxigraph")
OURS = "infact"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"


def read_with(side: str, file: Path, work: Path) -> int:
    """Read the file; how many statements that side counts."""
    if side == "rdflib":
        import rdflib

        return len(rdflib.Graph().parse(str(file)))
    if side == "pyoxigraph":
        from pyoxigraph import Store

        store = Store(work)
        store.bulk_load(path=str(file))
        return len(store)
    if side == "maplib":
        from maplib import Model

        model = Model()
        model.read(str(file))
        return int(model.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")["n"][0])
    from infact.kg.ingest import ingest
    from infact.kg.readers.sources import Source

    summary = ingest([Source(file, file.name)], work)
    return summary.triples + summary.literals


def measured(side: str, file: Path, python: str) -> dict[str, float]:
    """Seconds, peak memory in MiB and statements of one reading in a process of its own."""
    words = [python, __file__, "--side", side, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_side(side: str, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Importing isn't reading.
        __import__({"infact": "infact.kg.ingest"}.get(side, side))
        started = time.perf_counter()
        count = read_with(side, file, Path(folder) / "graph")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "statements": count}))


def race(title: str, file: Path, sides: Mapping[str, str], turns: int) -> dict[str, object]:
    """Every side, named with its Python, reads the file so many times."""
    found: dict[str, list[Mapping[str, float]]] = {side: [] for side in sides}
    for turn in range(turns):
        for side in sides if turn % 2 == 0 else reversed(list(sides)):
            found[side].append(measured(side, file, sides[side]))
    own = median(run["seconds"] for run in found[OURS])
    own_peak = median(run["peak_mib"] for run in found[OURS])
    print(f"{title}, {file.stat().st_size / 1e6:.0f} MB")
    rows = {}
    for side, runs in found.items():
        seconds, peak = (median(run[key] for run in runs) for key in ("seconds", "peak_mib"))
        counts = {int(run["statements"]) for run in runs}
        rows[side] = {"seconds": seconds, "peak_mib": peak, "statements": sorted(counts)}
        print(
            f"  {side:<12}{seconds:8.2f} s  {seconds / own:5.2f} of infact's"
            f"{peak:8.0f} MiB  {peak / own_peak:5.2f}  {sorted(counts)} statements",
            flush=True,
        )
    return {"title": title, "sides": rows}


def version_at(python: str, package: str) -> str:
    """The version of a package that another Python has."""
    words = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [python, "-c", words], capture_output=True, text=True, check=True
    ).stdout.strip()


def write_files(graph: Path, folder: Path) -> list[Path]:
    """The graph's statements as N-Triples and as Turtle."""
    from infact.kg.graph import KnowledgeGraph
    from infact.kg.prefixes import DEFAULT_PREFIXES
    from pyoxigraph import DefaultGraph, RdfFormat

    store = KnowledgeGraph.open(graph).store()
    files = []
    for suffix, form in (("nt", RdfFormat.N_TRIPLES), ("ttl", RdfFormat.TURTLE)):
        path = folder / f"graph.{suffix}"
        with path.open("wb") as file:
            store.dump(file, form, from_graph=DefaultGraph(), prefixes=dict(DEFAULT_PREFIXES))
        files.append(path)
    return files


def write_generated(path: Path, statements: int) -> Path:
    """Labelled entities with five relations to each other, as N-Triples."""
    draws = random.Random(0)
    entities = statements // 6
    with path.open("w", encoding="utf-8") as file:
        for number in range(entities):
            subject = f"<http://example.org/entity/{number}>"
            file.write(f'{subject} {LABEL} "entity number {number}"@en .\n')
            for relation in range(5):
                other = draws.randrange(entities)
                file.write(
                    f"{subject} <http://example.org/relation/{relation}> "
                    f"<http://example.org/entity/{other}> .\n"
                )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graph", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--generated", type=int, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--maplib", default="", metavar="PYTHON")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.graph)
        return
    versions = {"python": platform.python_version()} | {name: version(name) for name in PEERS}
    sides = dict.fromkeys((OURS, *PEERS), sys.executable)
    if given.maplib:
        sides["maplib"] = given.maplib
        versions["maplib"] = version_at(given.maplib, "maplib")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    folder = Path(tempfile.mkdtemp(prefix="infact-race-"))
    try:
        races = [
            race(file.suffix[1:], file, sides, given.turns)
            for file in write_files(given.graph, folder)
        ]
        for statements in given.generated:
            file = write_generated(folder / f"{statements}.nt", statements)
            title = f"generated, {statements:,} statements"
            fast = {side: python for side, python in sides.items() if side != "rdflib"}
            races.append(race(title, file, fast, turns=1))
    finally:
        shutil.rmtree(folder)
    if given.json:
        document = {"versions": versions, "races": races}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
