"""One contestant of benchmarks/link.py, in a process and, if need be, a Python of its own.

    python benchmarks/link_contestants.py NAME (index|run) JOB.json

`index` builds what the contestant keeps on disk, if it keeps anything; `run` loads it (or builds it, where
nothing is kept), links the gold documents and then both sets of texts against the clock. The result
is written as JSON. This file imports nothing but the standard library until it knows its contestant:
the peers' own environments have no infact, and old packages.
"""

import hashlib
import importlib
import importlib.metadata
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSES = 5  # timed, after one to warm up; the median counts
BUDGET = 20.0  # processor seconds of one pass; a slower contestant links fewer texts in it

Job = dict[str, Any]
Found = list[
    tuple[int, int, str]
]  # start, end, identifier; (-1, -1) where the contestant tells no span
Link = Callable[[str], Found]


@dataclass(frozen=True)
class Contestant:
    """How a peer is asked.

    Attributes:
        package: whose version is told.
        modules: imported before anything is timed but the cold start.
        load: from disk, or builds where nothing is kept; the ways of linking by name, the fastest first.
        index: builds and keeps; None where the peer keeps nothing on disk.
        index_seconds: what building took, where it may have been kept from another day.
    """

    package: str
    modules: tuple[str, ...]
    load: Callable[[Job], dict[str, Link]]
    index: Callable[[Job], None] | None = None
    index_seconds: Callable[[Job], float] | None = None


def infact_linker(job: Job) -> Any:
    """The linker; its index is read where it is kept, else made and kept."""
    from infact.kg.graph import KnowledgeGraph
    from infact.kg.linking.linker import Linker

    graph = KnowledgeGraph.open(Path(job["graph"]))
    return graph, Linker.build(graph, job["entities"], kept=Path(job["index"]))


def index_infact(job: Job) -> None:
    """The names' index in a folder of its own."""
    infact_linker(job)


def load_infact(job: Job) -> dict[str, Link]:
    """The linker from its folder; the graph's tables are read as it needs them."""
    graph, linker = infact_linker(job)

    def found(mentions: Iterable[Any]) -> Found:
        return [
            (mention.start, mention.end, graph.iri(mention.entity))
            for mention in mentions
            if mention.entity is not None
        ]

    return {
        "longest": lambda text: found(linker.link(text)),
        "all": lambda text: found(linker.link_all(text)),
    }


def load_phrase_matcher(job: Job) -> dict[str, Link]:
    """spaCy's PhraseMatcher over lower-cased words; an entity's IRI is the key of its names."""
    import spacy
    from spacy.matcher import PhraseMatcher
    from spacy.util import filter_spans

    nlp = spacy.blank("en")
    nlp.max_length = 10**9
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for iri, names in names_by_entity(job).items():
        matcher.add(iri, list(nlp.tokenizer.pipe(names)))

    def as_found(spans: Iterable[Any]) -> Found:
        return [(span.start_char, span.end_char, span.label_) for span in spans]

    return {
        "longest": lambda text: as_found(filter_spans(matcher(nlp.make_doc(text), as_spans=True))),
        "all": lambda text: as_found(matcher(nlp.make_doc(text), as_spans=True)),
    }


def index_entity_ruler(job: Job) -> None:
    """spaCy's EntityRuler over lower-cased words, kept as its own folder."""
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(
        [
            {"label": "ENTITY", "pattern": name, "id": iri}
            for iri, names in names_by_entity(job).items()
            for name in names
        ]
    )
    nlp.to_disk(job["index"])


def load_entity_ruler(job: Job) -> dict[str, Link]:
    """The pipeline from its folder."""
    import spacy

    nlp = spacy.load(job["index"])
    nlp.max_length = 10**9

    def link(text: str) -> Found:
        return [(entity.start_char, entity.end_char, entity.ent_id_) for entity in nlp(text).ents]

    return {"longest": link}


def index_fasthpocr(job: Job) -> None:
    """FastHPOCR's index of an OBO file with the same names; a folder that has it is kept."""
    from FastHPOCR.IndexHPO import IndexHPO

    folder = Path(job["index"])
    digest = hashlib.sha256(Path(job["obo"]).read_bytes()).hexdigest()
    kept = folder / "infact.json"  # written last: of which names it is, and what it took
    if kept.exists():
        if json.loads(kept.read_text(encoding="utf-8"))["digest"] != digest:
            sys.exit(f"{folder} holds an index of other names: name another folder")
        return
    started = time.process_time()
    IndexHPO(job["obo"], str(folder)).index()
    took = {"digest": digest, "index_seconds": time.process_time() - started}
    kept.write_text(json.dumps(took), encoding="utf-8")


def fasthpocr_seconds(job: Job) -> float:
    """Processor seconds that the kept index took when it was built."""
    return json.loads((Path(job["index"]) / "infact.json").read_text(encoding="utf-8"))[
        "index_seconds"
    ]


def load_fasthpocr(job: Job) -> dict[str, Link]:
    """The annotator from its index."""
    from FastHPOCR.HPOAnnotator import HPOAnnotator

    annotator = HPOAnnotator(str(Path(job["index"]) / "hp.index"))

    def found(annotations: Iterable[Any]) -> Found:
        return [
            (each.getStartOffset(), each.getEndOffset(), each.getHPOUri()) for each in annotations
        ]

    return {
        "longest": lambda text: found(annotator.annotate(text, longestMatch=True)),
        "all": lambda text: found(annotator.annotate(text)),
    }


def load_clinphen(job: Job) -> dict[str, Link]:
    """ClinPhen with the same names as its thesaurus; it says which entities, and not where."""
    from clinphen_src import get_phenotypes

    names = job["labels"]

    def link(text: str) -> Found:
        lines = get_phenotypes.extract_phenotypes_custom_thesaurus(text, job["thesaurus"], names)
        return [(-1, -1, line.split("\t")[0]) for line in lines.split("\n")[1:] if line]

    return {"longest": link}


CONTESTANTS = {
    "infact": Contestant("infact", ("infact.kg.linking.linker",), load_infact, index_infact),
    "PhraseMatcher": Contestant("spacy", ("spacy.lang.en",), load_phrase_matcher),
    "EntityRuler": Contestant("spacy", ("spacy.lang.en",), load_entity_ruler, index_entity_ruler),
    "FastHPOCR": Contestant(
        "fasthpocr",
        ("FastHPOCR.HPOAnnotator", "FastHPOCR.IndexHPO"),
        load_fasthpocr,
        index_fasthpocr,
        fasthpocr_seconds,
    ),
    "ClinPhen": Contestant("clinphen", ("clinphen_src.get_phenotypes",), load_clinphen),
}


def names_by_entity(job: Job) -> dict[str, list[str]]:
    """IRI → names."""
    return json.loads(Path(job["names"]).read_text(encoding="utf-8"))


def main() -> None:
    name, what, path = sys.argv[1:]
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    contestant = CONTESTANTS[name]
    for module in contestant.modules:
        importlib.import_module(module)
    result = index(contestant, job) if what == "index" else run(contestant, job)
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


def index(contestant: Contestant, job: Job) -> Job:
    """Processor seconds of building what is kept."""
    assert contestant.index is not None
    started = time.process_time()
    contestant.index(job)
    seconds = time.process_time() - started
    if contestant.index_seconds is not None:
        seconds = contestant.index_seconds(job)
    return {"index_seconds": seconds, "peak_mib": peak_mib()}


def run(contestant: Contestant, job: Job) -> Job:
    """Load, link the gold documents, and race."""
    gold = json.loads(Path(job["gold"]).read_text(encoding="utf-8"))
    started = time.process_time()
    ways = contestant.load(job)
    load_seconds = time.process_time() - started
    first = next(iter(ways.values()))
    first(gold[0])
    cold_start = time.time() - job["started"]
    prose = json.loads(Path(job["prose"]).read_text(encoding="utf-8"))
    return {
        "version": importlib.metadata.version(contestant.package),
        "python": platform.python_version(),
        "load_seconds": load_seconds,
        "cold_start_seconds": cold_start,
        "found": {way: [link(text) for text in gold] for way, link in ways.items()},
        "gold_rate": {way: rate(link, gold) for way, link in ways.items()},
        "prose_rate": {way: rate(link, prose) for way, link in ways.items()},
        "peak_mib": peak_mib(),
    }


def rate(link: Link, texts: list[str]) -> float:
    """Texts a second: the median of PASSES passes after one, by processor time."""
    rates = []
    for _ in range(PASSES + 1):
        done, started = 0, time.process_time()
        for text in texts:
            link(text)
            done += 1
            if time.process_time() - started > BUDGET:
                break
        seconds = time.process_time() - started
        rates.append(done / seconds)
        if seconds > BUDGET:  # too slow to warm up: no second pass would change much
            return rates[0]
    return statistics.median(rates[1:])


def peak_mib() -> float:
    """The most memory of this process.

    On Linux the kernel's own figure of this program: getrusage's begins with that of the process that
    started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
