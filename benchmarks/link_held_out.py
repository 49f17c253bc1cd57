"""Aliases asked for as if the graph lacked them: recall at 1 and at 5, for benchmarks/link.py.

TF-IDF   names by character n-grams; an alias, and what folds as it does, is passed over among the
         names retrieved (pipeline/linking/held_out_names.py)
infact   the linker, built FOLDS times, each time without one fold of the aliases: what it links in
         the alias as a text, the longest surface first. A fold takes a tenth of the aliases from
         the index at once, so the task is a little harder than one alias missing.
"""

from collections.abc import Sequence

from infact.kg.graph import KnowledgeGraph
from infact.kg.linking.linker import Linker, name_rows
from infact.kg.linking.linking_scores import fold_text
from infact.kg.linking.mentions import Candidate
from infact.pipeline.console import Console
from infact.pipeline.linking.evaluate_links import LinkedTo
from infact.pipeline.linking.held_out_names import (
    PLACES,
    HeldOutName,
    HeldOutRecall,
    held_out_names,
    held_out_recall,
    sampled,
)
from infact.pipeline.linking.name_retrieval import NameRetrieval

FOLDS = 10
SEED = 0


class WithoutNames(KnowledgeGraph):
    """A graph that lacks the names that fold to some keys."""

    def __init__(self, graph: KnowledgeGraph, keys: frozenset[tuple[str, ...]]) -> None:
        super().__init__(graph.directory)
        kept = [fold_text(name) not in keys for name in graph.names_table["name"].to_pylist()]
        self.names_table = graph.names_table.filter(kept)  # in place of the cached property
        self.entities_table = graph.entities_table


def hold_out(graph: KnowledgeGraph, target: LinkedTo, most: int) -> None:
    """Print the recall of entities by aliases that were held out, of the linker and of TF-IDF."""
    aliases = held_out_names(graph, target.wanted)
    names = sampled(aliases, most, SEED)
    print(f"{len(names):,} of {len(aliases):,} aliases held out in turn (seed {SEED})")
    print(f"{'':10}" + "".join(f"{f'recall@{place} (95 % interval)':>32}" for place in PLACES))
    linked = linked_in_folds(graph, target, names)
    print_recall("infact", held_out_recall(names, lambda text: linked[text], Console()))
    live = [row for row in name_rows(graph, target.wanted) if not row.deprecated]
    retrieval = NameRetrieval.build(live)
    print_recall("TF-IDF", held_out_recall(names, retrieval.candidates, Console()))


def linked_in_folds(
    graph: KnowledgeGraph, target: LinkedTo, names: Sequence[HeldOutName]
) -> dict[str, Sequence[Candidate]]:
    """Alias → the candidates of a linker that was built without it."""
    keys = sorted({name.key for name in names})
    fold_of = {key: number % FOLDS for number, key in enumerate(keys)}
    found: dict[str, Sequence[Candidate]] = {}
    for fold in range(min(FOLDS, len(keys))):
        lacking = frozenset(key for key in keys if fold_of[key] == fold)
        linker = Linker.build(WithoutNames(graph, lacking), target.wanted)
        for name in names:
            if name.key in lacking:
                found[name.name] = linker.candidates(name.name, max(PLACES))
    return found


def print_recall(title: str, found: HeldOutRecall) -> None:
    for kind, at in {"all": found.at, **found.by_kind}.items():
        cells = [f"{at[p].estimate:.3f} ({at[p].low:.3f}–{at[p].high:.3f})" for p in PLACES]
        print(
            f"{title:10}" + "".join(f"{cell:>32}" for cell in cells) + f"  {kind}, n = {at[1].n:,}"
        )
    print(f"{title:10}{found.without_candidates:,} aliases without any candidate")
