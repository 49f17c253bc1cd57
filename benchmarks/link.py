"""Linking raced against its peers: the same names, the same texts, one process each, in turn.

    python benchmarks/link.py GRAPH GOLD --root IRI
    python benchmarks/link.py GRAPH GOLD --root IRI --fasthpocr PYTHON --fasthpocr-index FOLDER --clinphen PYTHON
    python benchmarks/link.py GRAPH --held-out --root IRI [--reranker FOLDER]

GRAPH is a graph directory; GOLD a file of documents with gold mentions, as `infact link --gold` reads it.
`--root` restricts linking to the entities below one. PYTHON is the interpreter of an environment in
which that peer is installed (`pip install fasthpocr pronto`; `pip install clinphen nltk` and NLTK's
WordNet); FastHPOCR's index takes the better part of an hour and is kept in FOLDER. ClinPhen tells no
offsets, so only its sets of entities are compared.

Printed: processor seconds to build the index; seconds from the start of Python to the first document
linked, with the index on disk where the contestant keeps one (wall time); the most memory; documents a
second over the gold documents and over documents of about an abstract's length made of the graph's own
texts (no text twice); and what was right, by the rules of `infact link --gold`.

`--held-out` asks for every alias as if the graph lacked it: recall at 1 and at 5; see link_held_out.py.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infact import __version__
from infact.errors import UserError
from infact.kg.corpora.gold_documents import gold_error, read_gold_file
from infact.kg.corpora.gold_entities import gold_entities
from infact.kg.graph import KnowledgeGraph
from infact.kg.prefixes import Prefixes
from infact.pipeline.chosen_graph import ChosenGraph
from infact.pipeline.linking.evaluate_links import LinksToEvaluate, linked_to
from infact.pipeline.linking.link_evaluation import link_measures
from infact.pipeline.linking.link_measures import LinkMeasure, ancestors_below
from infact.pipeline.linking.linked_documents import LinkedSpan, beside, counted_gold
from link_field import Field, written_job
from link_held_out import hold_out

CONTESTANTS = Path(__file__).with_name("link_contestants.py")

Json = dict[str, Any]


def main() -> None:
    arguments = parse_arguments()
    try:
        graph = KnowledgeGraph.open(arguments.graph)
        chosen = ChosenGraph(graph, Prefixes(dict(p.split("=", 1) for p in arguments.prefix)))
        asked = LinksToEvaluate(
            chosen, arguments.gold or Path(), arguments.root, arguments.hierarchy
        )
        if arguments.held_out:
            hold_out(graph, linked_to(asked), arguments.sample, arguments.reranker)
        else:
            race(asked, arguments)
    except UserError as error:
        sys.exit(str(error))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graph", type=Path)
    parser.add_argument("gold", type=Path, nargs="?")
    parser.add_argument("--root", default="", help="IRI; link only to what lies below it")
    parser.add_argument("--hierarchy", default="", help="IRI; rdfs:subClassOf and its like")
    parser.add_argument("--prefix", action="append", default=[], help="name=IRI, of gold ids")
    parser.add_argument("--fasthpocr", metavar="PYTHON", help="interpreter that has fasthpocr")
    parser.add_argument("--fasthpocr-index", type=Path, help="folder of its index, kept")
    parser.add_argument("--clinphen", metavar="PYTHON", help="interpreter that has clinphen")
    parser.add_argument("--terms", type=int, help="race on the names of so many entities only")
    parser.add_argument("--held-out", action="store_true", help="hold out each alias in turn")
    parser.add_argument("--reranker", type=Path, help="with --held-out: folder of a re-ranker")
    parser.add_argument("--sample", type=int, default=10**9, help="of the aliases, by lot")
    arguments = parser.parse_args()
    if arguments.gold is None and not arguments.held_out:
        parser.error("name GOLD, or give --held-out")
    if arguments.fasthpocr and not arguments.fasthpocr_index:
        parser.error("--fasthpocr needs --fasthpocr-index FOLDER")
    return arguments


def race(asked: LinksToEvaluate, arguments: argparse.Namespace) -> None:
    field = the_field(asked, arguments.terms)
    print(f"python {platform.python_version()}  infact {__version__}")
    count = sum(map(len, field.names.values()))
    print(
        f"{count:,} names of {len(field.names):,} entities; {len(field.documents)} gold documents"
    )
    pythons = {"infact": sys.executable, "PhraseMatcher": sys.executable}
    pythons |= {"EntityRuler": sys.executable}
    pythons |= {"FastHPOCR": arguments.fasthpocr} if arguments.fasthpocr else {}
    pythons |= {"ClinPhen": arguments.clinphen} if arguments.clinphen else {}
    with tempfile.TemporaryDirectory() as folder:
        job = written_job(field, Path(folder))
        results = {
            name: compete(name, python, job, Path(folder), arguments)
            for name, python in pythons.items()
        }
    print_speed(results)
    print_accuracy(results, field, asked)


def the_field(asked: LinksToEvaluate, most_entities: int | None) -> Field:
    """The names and documents of the race; below the root, without deprecated entities."""
    graph, target = asked.chosen.graph, linked_to(asked)
    deprecated = graph.entities_table["deprecated"].to_pylist()
    names: dict[int, list[tuple[str, str]]] = {}
    columns = (graph.names_table[column].to_pylist() for column in ("entity", "name", "kind"))
    for entity, name, kind in zip(*columns, strict=True):
        if not deprecated[entity] and (target.wanted is None or entity in target.wanted):
            names.setdefault(entity, []).append((name, kind))
    if most_entities is not None:
        names = dict(list(names.items())[:most_entities])
    file = read_gold_file(asked.gold, str(asked.gold))
    documents, unknown = gold_entities(file, graph, asked.chosen.prefixes)
    if file.faults or unknown:
        raise gold_error(file, unknown)
    return Field(graph, target, counted_gold(documents, names).documents, names)


def compete(
    name: str, python: str, job: Json, folder: Path, arguments: argparse.Namespace
) -> Json | None:
    """A contestant's results; None where its process failed, which is told."""
    own = folder / name
    if name == "FastHPOCR":
        own = arguments.fasthpocr_index
    own.mkdir(parents=True, exist_ok=True)
    path, result = folder / f"{name}.json", folder / f"{name}.result"
    found: Json = {}
    for what in ("index", "run"):
        if what == "index" and name in ("PhraseMatcher", "ClinPhen"):
            continue
        content = {**job, "index": str(own), "result": str(result), "started": time.time()}
        path.write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            [python, str(CONTESTANTS), name, what, str(path)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["no word"]
            print(f"{name}: {what} failed: {said[0]}")
            return None
        peak = found.get("peak_mib", 0)
        found |= json.loads(result.read_text(encoding="utf-8"))
        found["peak_mib"] = max(peak, found["peak_mib"])
    return {"index_seconds": found["load_seconds"], **found}


def print_speed(results: Mapping[str, Json | None]) -> None:
    """Index, cold start, memory, documents a second, and infact's over each contestant's."""
    print(
        f"\n{'':31}{'index s':>9}{'cold start s':>14}{'MiB':>7}"
        f"{'gold docs/s':>13}{'infact ×':>10}{'prose docs/s':>14}{'infact ×':>10}"
    )
    ours = results["infact"]
    for name, found in results.items():
        if found is None:
            continue
        for way, gold_rate in found["gold_rate"].items():
            prose_rate = found["prose_rate"][way]
            ratios = ["", ""]
            if ours is not None and way in ours["gold_rate"]:
                ratios = [
                    f"{ours['gold_rate'][way] / gold_rate:.2f}",
                    f"{ours['prose_rate'][way] / prose_rate:.2f}",
                ]
            print(
                f"{name + ' ' + found['version']:22}{way:9}{found['index_seconds']:9.2f}"
                f"{found['cold_start_seconds']:14.2f}{found['peak_mib']:7.0f}"
                f"{gold_rate:13,.1f}{ratios[0]:>10}{prose_rate:14,.1f}{ratios[1]:>10}"
            )


def print_accuracy(
    results: Mapping[str, Json | None], field: Field, asked: LinksToEvaluate
) -> None:
    """Precision, recall and F1 of every contestant by the rules of `infact link --gold`."""
    extend = None
    if field.target.hierarchy is not None:
        extend = ancestors_below(field.target.hierarchy, field.target.root)
    print(f"\n{'':24}{'measure':14}{'precision':>10}{'recall':>8}{'F1 (95 % interval)':>24}")
    for name, found in results.items():
        for way, texts in (found or {"found": {}})["found"].items():
            documents = [
                beside(document, spans(field.graph, asked.chosen.prefixes, links))
                for document, links in zip(field.documents, texts, strict=True)
            ]
            placed = any(start >= 0 for links in texts for start, _, _ in links)
            for measure, figures in link_measures(documents, extend).items():
                if placed or measure in ("documents", "hierarchical"):
                    print(f"{name:16}{way:8}{measure:14}{shares(figures)}")


def spans(
    graph: KnowledgeGraph, prefixes: Prefixes, links: Iterable[Sequence[Any]]
) -> Iterator[LinkedSpan]:
    for start, end, id in links:
        resolved = graph.resolve(id, prefixes)
        if resolved is not None:
            yield LinkedSpan(start, end, resolved.entity, 1.0, "", "")


def shares(measure: LinkMeasure) -> str:
    if measure.precision.estimate is None or measure.f1.low is None:
        return f"{'–':>10}{measure.recall.estimate or 0:8.3f}"
    interval = f"{measure.f1.estimate:.3f} ({measure.f1.low:.3f}–{measure.f1.high:.3f})"
    return f"{measure.precision.estimate:10.3f}{measure.recall.estimate:8.3f}{interval:>24}"


if __name__ == "__main__":
    main()
