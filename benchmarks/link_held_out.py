"""Aliases asked for as if the graph lacked them: recall at 1 and at 5, for benchmarks/link.py.

TF-IDF     names by character n-grams; an alias, and what folds as it does, is passed over among the
           names retrieved (pipeline/linking/held_out_names.py)
infact     the linker, built FOLDS times, each time without one fold of the aliases: what it links in
           the alias as a text, the longest surface first. A fold takes a tenth of the aliases from
           the index at once, so the task is a little harder than one alias missing.
re-ranked  the same linkers with a re-ranker (`--reranker`). Aliases are then those of its test part
           alone, and no vector of a name is read that the fold lacks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from infact.kg.graph import KnowledgeGraph
from infact.kg.linking.entity_texts import entity_texts
from infact.kg.linking.graph_without_names import GraphWithoutNames
from infact.kg.linking.linker import Linker, name_rows
from infact.kg.linking.mentions import Candidate
from infact.pipeline.console import Console
from infact.pipeline.linking.evaluate_links import LinkedTo
from infact.pipeline.linking.held_out_names import (
    PLACES,
    HeldOutName,
    HeldOutRecall,
    held_out_names,
    held_out_recall,
    place_of,
    sampled,
)
from infact.pipeline.linking.name_retrieval import NameRetrieval
from infact.pipeline.measures.statistics import paired_comparison

if TYPE_CHECKING:
    from infact.pipeline.linking.reranking import Reranking

FOLDS = 10
SEED = 0

Found = dict[str, Sequence[Candidate]]


def hold_out(graph: KnowledgeGraph, target: LinkedTo, most: int, reranker: Path | None) -> None:
    """Print the recall of entities by aliases that were held out, of the linker and of TF-IDF."""
    aliases = held_out_names(graph, target.wanted)
    if reranker is not None:
        from infact.pipeline.linking.reranker_examples import TEST, part_of

        aliases = [name for name in aliases if part_of(graph.iri(name.entity)) == TEST]
    names = sampled(aliases, most, SEED)
    print(f"{len(names):,} of {len(aliases):,} aliases held out in turn (seed {SEED})")
    print(f"{'':10}" + "".join(f"{f'recall@{place} (95 % interval)':>32}" for place in PLACES))
    linked, reranked = linked_in_folds(graph, target, names, reranker)
    print_recall("infact", held_out_recall(names, lambda text: linked[text], Console()))
    if reranker is not None:
        print_recall("re-ranked", held_out_recall(names, lambda text: reranked[text], Console()))
        print_difference(names, linked, reranked)
    live = [row for row in name_rows(graph, target.wanted) if not row.deprecated]
    retrieval = NameRetrieval.build(live)
    print_recall("TF-IDF", held_out_recall(names, retrieval.candidates, Console()))


def linked_in_folds(
    graph: KnowledgeGraph, target: LinkedTo, names: Sequence[HeldOutName], reranker: Path | None
) -> tuple[Found, Found]:
    """Alias → the candidates of a linker that was built without it; and the same re-ranked."""
    keys = sorted({name.key for name in names})
    fold_of = {key: number % FOLDS for number, key in enumerate(keys)}
    found: Found = {}
    reranked: Found = {}
    reranking = None if reranker is None else the_reranking(graph, target, reranker)
    for fold in range(min(FOLDS, len(keys))):
        lacking = frozenset(key for key in keys if fold_of[key] == fold)
        without = GraphWithoutNames(graph, lacking)
        linker = Linker.build(without, target.wanted)
        again = linker
        if reranking is not None:
            texts = entity_texts(without, target.wanted)
            again = linker.rescored(reranking.with_texts(texts).score)
        for name in names:
            if name.key in lacking:
                found[name.name] = linker.candidates(name.name, max(PLACES))
                if reranking is not None:
                    reranked[name.name] = again.candidates(name.name, max(PLACES))
    return found, reranked


def the_reranking(graph: KnowledgeGraph, target: LinkedTo, reranker: Path) -> "Reranking":
    from infact.pipeline.linking.reranker_folder import open_reranker
    from infact.pipeline.linking.reranking import graph_reranking

    return graph_reranking(open_reranker(reranker), graph, target.wanted, Console())


def print_recall(title: str, found: HeldOutRecall) -> None:
    for kind, at in {"all": found.at, **found.by_kind}.items():
        cells = [f"{at[p].estimate:.3f} ({at[p].low:.3f}–{at[p].high:.3f})" for p in PLACES]
        print(
            f"{title:10}" + "".join(f"{cell:>32}" for cell in cells) + f"  {kind}, n = {at[1].n:,}"
        )
    print(f"{title:10}{found.without_candidates:,} aliases without any candidate")


def print_difference(names: Sequence[HeldOutName], before: Found, after: Found) -> None:
    """Recall after less recall before, on the same aliases; whole entities are drawn."""
    entities = np.array([name.entity for name in names])
    for most in PLACES:
        firsts = [
            np.array([0 < (place_of(name, way[name.name]) or 0) <= most for name in names], float)
            for way in (before, after)
        ]
        found = paired_comparison(firsts[0], firsts[1], entities, SEED)
        print(
            f"re-ranked less infact, recall@{most}: {found.difference:+.3f} "
            f"({found.low:+.3f}–{found.high:+.3f}), gained {found.gained}, lost {found.lost}"
        )
