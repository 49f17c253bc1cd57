"""Linking: quality on documents with gold mentions, and speed against spaCy's PhraseMatcher.

    python benchmarks/linking.py GRAPH GOLD.tsv --root IRI --prefix HP:=http://…/HP_

GRAPH is a graph directory; GOLD.tsv holds blocks parted by an empty line: a document id, its text,
then start, end, surface and identifier of each mention, parted by tabs. `--root` restricts linking to
the entities below one. A mention counts when span and entity are both exact; identifiers that the
graph lists as alternatives, or as replaced, stand for their entity.
"""

import argparse
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import spacy
from infact import __version__
from infact.kg.graph import KnowledgeGraph
from infact.kg.linking.linker import Linker
from spacy.matcher import PhraseMatcher

RDFS_SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
SPEED_CHARACTERS = 600_000


@dataclass(frozen=True)
class Document:
    """A text and its gold mentions: (start, end, IRI)."""

    text: str
    gold: frozenset[tuple[int, int, str]]


def main() -> None:
    arguments = parse_arguments()
    graph = KnowledgeGraph.open(arguments.graph)
    below = entities_below(graph, arguments.root, arguments.hierarchy) if arguments.root else None
    started = time.process_time()
    linker = Linker.build(graph, below)
    build_seconds = time.process_time() - started
    prefix, base = arguments.prefix.split("=", 1) if arguments.prefix else ("", "")
    documents = read_documents(arguments.gold, prefix, base, alternatives(graph))
    print_versions()
    print(f"build            {build_seconds:.2f} s, {len(names_of(graph, below))} names")
    print_quality(graph, linker, documents)
    print_speed(graph, linker, below, [document.text for document in documents])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graph", type=Path)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--root", default="", help="IRI; link only to what lies below it")
    parser.add_argument("--hierarchy", default=RDFS_SUBCLASS)
    parser.add_argument("--prefix", default="", help="how gold ids become IRIs: HP:=http://…/HP_")
    return parser.parse_args()


def entities_below(graph: KnowledgeGraph, root: str, hierarchy: str) -> frozenset[int]:
    relation = graph.relation(hierarchy)
    found, left = {graph.entity(root)}, [graph.entity(root)]
    while left:
        children = set(map(int, graph.subjects(relation, left.pop()))) - found
        found |= children
        left.extend(children)
    return frozenset(found)


def alternatives(graph: KnowledgeGraph) -> dict[str, str]:
    """Alternative or replaced identifier, as the graph writes it → IRI of its entity."""
    table = graph.literals_table
    columns = (table[column].to_pylist() for column in ("entity", "predicate", "value"))
    return {
        value: graph.iri(entity)
        for entity, predicate, value in zip(*columns, strict=True)
        if predicate.endswith("hasAlternativeId")
    }


def read_documents(path: Path, prefix: str, base: str, other: dict[str, str]) -> list[Document]:
    documents = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.strip("\n").split("\n")
        if len(lines) > 1:
            rows = [line.split("\t") for line in lines[2:]]
            gold = {
                (int(row[0]), int(row[1]), other.get(row[3]) or row[3].replace(prefix, base, 1))
                for row in rows
            }
            documents.append(Document(lines[1], frozenset(gold)))
    return documents


def print_versions() -> None:
    print(f"python {platform.python_version()}  infact {__version__}  spacy {spacy.__version__}")


def print_quality(graph: KnowledgeGraph, linker: Linker, documents: list[Document]) -> None:
    by_mention, by_document = [0, 0, 0], [0, 0, 0]
    for document in documents:
        linked = {
            (mention.start, mention.end, graph.iri(mention.entity))
            for mention in linker.link(document.text)
            if mention.entity is not None
        }
        count(by_mention, document.gold, linked)
        count(by_document, {iri for *_, iri in document.gold}, {iri for *_, iri in linked})
    print(f"mentions         {precision_recall_f1(*by_mention)}")
    print(f"entities a text  {precision_recall_f1(*by_document)}")


def count(into: list[int], gold: set | frozenset, linked: set) -> None:
    for place, found in enumerate((gold & linked, linked - gold, gold - linked)):
        into[place] += len(found)


def precision_recall_f1(right: int, wrong: int, missed: int) -> str:
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    f1 = 2 * right / max(1, 2 * right + wrong + missed)
    return f"P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}  (n = {right + missed})"


def names_of(graph: KnowledgeGraph, below: frozenset[int] | None) -> list[str]:
    table = graph.names_table
    pairs = zip(table["entity"].to_pylist(), table["name"].to_pylist(), strict=True)
    return [name for entity, name in pairs if below is None or entity in below]


def print_speed(
    graph: KnowledgeGraph, linker: Linker, below: frozenset[int] | None, texts: list[str]
) -> None:
    """Words a second over the graph's own literals, and over the documents repeated."""
    values = [value for value in graph.literals_table["value"].to_pylist() if len(value) > 40]
    prose = "\n\n".join(values)[:SPEED_CHARACTERS]
    nlp = spacy.blank("en")
    nlp.max_length = 10 * SPEED_CHARACTERS
    started = time.process_time()
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    matcher.add("names", list(nlp.tokenizer.pipe(sorted(set(names_of(graph, below))))))
    print(f"PhraseMatcher    build {time.process_time() - started:.2f} s")
    for title, corpus in (("literals", prose), ("documents", "\n\n".join(texts * 10))):
        words = len(corpus.split())
        ours, theirs = race(linker, nlp, matcher, corpus.split("\n\n"))
        print(
            f"{title:16} {words} words: infact {words / ours:,.0f} a second, tokenise + "
            f"PhraseMatcher {words / theirs:,.0f}, ratio {theirs / ours:.2f}"
        )


def race(
    linker: Linker, nlp: spacy.Language, matcher: PhraseMatcher, texts: list[str]
) -> tuple[float, float]:
    """Median processor seconds of five alternating runs each, after one to warm up."""
    ours, theirs = [], []
    for _ in range(6):
        started = time.process_time()
        for text in texts:
            linker.link(text)
        middle = time.process_time()
        for text in texts:
            matcher(nlp.make_doc(text))
        ours.append(middle - started)
        theirs.append(time.process_time() - middle)
    return statistics.median(ours[1:]), statistics.median(theirs[1:])


if __name__ == "__main__":
    main()
