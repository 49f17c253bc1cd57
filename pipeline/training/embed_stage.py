"""The embed stage: vectors of entities and relations, and how well they fill in missing facts.

Trains ComplEx on the graph less the withheld triples; asks it for the inferable facts (pool I),
which it has never seen. Nothing is selected on those facts: the settings come from the project
file, so pool I is all test.

Writes `vectors.safetensors` (see `save_vectors`), `metrics.json`, and `predictions.parquet`: for
each inferable fact, each option's log-probability in nats among all entities trained on.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import Tensor

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...kg.questions.pools import INFERABLE
from ...models.complex_embedding import ComplEx, save_vectors
from ...models.link_prediction_training import complex_loss, triple_batches
from ...models.ranking import Scorer, SideRanks, rank_triples, ranking_metrics, tail_frequencies
from ...models.training import Curriculum, TrainingSettings, train
from ..settings.training import EmbedTable
from ..stages import StageContext

QUERIES_A_BATCH = 256  # 256 rows of 40,000 scores are 41 MB


@dataclass(frozen=True)
class LocalGraph:
    """What is trained and ranked, with ids that count from 0 without gaps.

    `entity_ids` (E,) and `relation_ids` (R,) are the graph's ids of the rows, ascending. The
    triples hold rows: `training` (n, 3); `test` (m, 3), the inferable facts; `known` (k, 3), all
    of the graph's between these entities, withheld ones included.
    """

    entity_ids: np.ndarray
    relation_ids: np.ndarray
    training: np.ndarray
    test: np.ndarray
    known: np.ndarray

    def rows(self, entities: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.entity_ids, entities)


def run(context: StageContext) -> None:
    """Train, rank, write.

    Raises:
        UserError: there is nothing to train on, or training diverged.
    """
    settings, console = context.project.embed, context.console
    graph = KnowledgeGraph.open(context.inputs["ingest"])
    facts = pq.read_table(context.inputs["facts"] / "facts.parquet")
    withheld = np.load(context.inputs["facts"] / "withheld.npy", allow_pickle=False)
    inferable = facts.filter(pc.equal(facts["pool"], INFERABLE))
    local = local_graph(graph, facts, inferable, withheld, settings.max_triples, context.seed)
    console.line(_what_is_trained(graph, local, len(withheld), settings.max_triples))
    model = ComplEx(len(local.entity_ids), len(local.relation_ids), settings.rank, context.seed)
    batches = triple_batches(
        local.training, len(local.relation_ids), settings.batch_size, context.seed
    )
    units = 2 * len(local.training) * settings.epochs
    with console.progress("training vectors, both directions", units, "triples") as advance:
        train(
            model,
            Curriculum(batches, lambda batch: len(batch.tails)),
            partial(complex_loss, n3=settings.n3),
            training_settings(settings),
            context.checkpoint("training"),
            advance,
        )
    if not all(parameter.isfinite().all() for parameter in model.parameters()):
        where = f"{context.project.file}: embed.learning_rate = {settings.learning_rate}"
        raise UserError("training the vectors diverged", where, "lower it; 0.1 is usual")
    save_vectors(model, context.work / "vectors.safetensors", local.entity_ids, local.relation_ids)
    predictions = option_log_probabilities(model, local, inferable)
    pq.write_table(predictions, context.work / "predictions.parquet")
    with console.progress("ranking inferable facts", 4 * len(local.test), "queries") as advance:
        metrics = measure(model, local, inferable, advance)
    metrics["entities_in_graph"] = graph.entity_count
    metrics["triples_in_graph"] = len(graph.triples)
    _write_json(context.work / "metrics.json", metrics)


def training_settings(settings: EmbedTable) -> TrainingSettings:
    """Adagrad at a constant rate (Lacroix et al. 2018); a checkpoint holds tables, so they are rare."""
    return TrainingSettings(
        settings.learning_rate,
        settings.epochs,
        optimizer="adagrad",
        schedule="constant",
        clip_norm=None,
        checkpoint_steps=1000,
    )


def local_graph(
    graph: KnowledgeGraph,
    facts: pa.Table,
    inferable: pa.Table,
    withheld: np.ndarray,
    max_triples: int,
    seed: int,
) -> LocalGraph:
    """Choose what is trained: the graph less the withheld rows, or a neighbourhood of the facts.

    Raises:
        UserError: no triple is left.
        ValueError: an inferable fact isn't among the withheld rows: it would be trained on, or
            the facts were drawn from another graph.
    """
    triples = np.asarray(graph.triples)
    visible = np.delete(triples, withheld, axis=0)
    if not len(visible):
        raise UserError("the graph has no triples between entities to train on", "[embed]")
    test = _triples_of(inferable)
    if not set(map(tuple, test.tolist())) <= set(map(tuple, triples[withheld].tolist())):
        raise ValueError("inferable facts are missing from the graph's withheld triples")
    asked = np.concatenate((test[:, 0], test[:, 2], _flat(inferable["option_entities"])))
    subjects = facts["subject"].to_numpy()
    seeds = np.unique(np.concatenate((asked, subjects[subjects >= 0])))
    if len(visible) > max_triples:
        visible = visible[neighbourhood(visible, seeds, graph.entity_count, max_triples, seed)]
    entity_ids = np.union1d(visible[:, [0, 2]], seeds).astype(np.int32)
    relation_ids = np.union1d(visible[:, 1], test[:, 1]).astype(np.int32)
    inside = np.isin(triples[:, [0, 2]], entity_ids).all(axis=1)
    known = triples[inside & np.isin(triples[:, 1], relation_ids)]

    def local(of: np.ndarray) -> np.ndarray:
        ends = np.searchsorted(entity_ids, of[:, [0, 2]])
        return np.insert(ends, 1, np.searchsorted(relation_ids, of[:, 1]), axis=1)

    return LocalGraph(entity_ids, relation_ids, local(visible), local(test), local(known))


def neighbourhood(
    triples: np.ndarray, seeds: np.ndarray, entity_count: int, max_triples: int, seed: int
) -> np.ndarray:
    """Rows, ascending, of at most `max_triples` triples around `seeds`, breadth first.

    Ring by ring, every triple that touches an entity reached so far is taken. In the ring that
    goes over the limit, triples between entities already reached come first; then newcomers, each
    with all of its triples, those with most first and equals in random order: entities that hang on
    a hub alone (all classes are classes) come last, since one triple teaches little.
    """
    random = np.random.default_rng(seed)
    reached = np.zeros(entity_count, dtype=bool)
    reached[seeds] = True
    chosen = np.zeros(len(triples), dtype=bool)
    room = max_triples
    while room:
        from_head, from_tail = reached[triples[:, 0]], reached[triples[:, 2]]
        ring = np.flatnonzero((from_head | from_tail) & ~chosen)
        if not len(ring):
            break
        newcomer = np.where(from_head[ring], triples[ring, 2], triples[ring, 0])
        bonds = np.bincount(newcomer, minlength=entity_count)
        bonds[reached] = len(triples) + 1
        equals = random.permutation(entity_count)[newcomer]
        taken = ring[np.lexsort((random.permutation(len(ring)), equals, -bonds[newcomer]))[:room]]
        chosen[taken] = True
        reached[triples[taken][:, [0, 2]]] = True
        room -= len(taken)
    return np.flatnonzero(chosen)


def option_log_probabilities(model: ComplEx, local: LocalGraph, inferable: pa.Table) -> pa.Table:
    """`fact` and `scores` (list<float32>, nats, in the order of the options) of each row."""
    return pa.table(
        {
            "fact": inferable["fact"],
            "scores": pa.array(
                _option_scores(model.tail_scores, local, inferable), pa.list_(pa.float32())
            ),
        }
    )


def measure(
    model: ComplEx, local: LocalGraph, inferable: pa.Table, advance: Callable[[int], None]
) -> dict[str, object]:
    """Ranking and multiple-choice figures of the model and of the frequency baseline."""
    entities, relations = len(local.entity_ids), len(local.relation_ids)
    by_frequency = tail_frequencies(local.training, entities, relations)
    heads_by_frequency = tail_frequencies(local.training[:, ::-1], entities, relations)
    scorers = {
        "complex": (model.tail_scores, model.head_scores),
        "baseline_object_frequency_of_relation": (by_frequency, heads_by_frequency),
    }
    metrics: dict[str, object] = {
        "training_triples": len(local.training),
        "entities": entities,
        "entities_without_training_triple": entities - len(np.unique(local.training[:, [0, 2]])),
        "relations": relations,
        "test_triples": len(local.test),
        "test_facts": len(inferable),
    }
    for name, (tails, heads) in scorers.items():
        ranks = rank_triples(tails, heads, local.test, local.known, QUERIES_A_BATCH, advance)
        choices = _option_scores(tails, local, inferable)
        accuracy = _choice_accuracy(choices, inferable["correct"].to_pylist())
        metrics[name] = {**_by_side(ranks), "option_accuracy": accuracy}
    return metrics


@torch.inference_mode()
def _option_scores(score: Scorer, local: LocalGraph, inferable: pa.Table) -> list[np.ndarray]:
    """Log-softmax over all entities, read at each fact's options."""
    heads = torch.from_numpy(local.rows(inferable["subject"].to_numpy()))
    relation_rows = np.searchsorted(local.relation_ids, inferable["relation"].to_numpy())
    options = [torch.from_numpy(local.rows(of)) for of in _arrays(inferable["option_entities"])]
    found: list[Tensor] = []
    for start in range(0, len(heads), QUERIES_A_BATCH):
        batch = slice(start, start + QUERIES_A_BATCH)
        scores = score(heads[batch], torch.from_numpy(relation_rows[batch]))
        logs = scores.log_softmax(dim=1)
        found += [row[of] for row, of in zip(logs, options[batch], strict=True)]
    return [scores.numpy() for scores in found]


def _choice_accuracy(scores: list[np.ndarray], correct: list[int]) -> float | None:
    """Share of facts whose right option scores highest; k tied at the top count 1/k."""
    if not scores:
        return None
    highest = [(of == of.max(), right) for of, right in zip(scores, correct, strict=True)]
    return float(np.mean([best[right] / best.sum() for best, right in highest]))


def _by_side(ranks: SideRanks) -> dict[str, object]:
    sides = {
        "tail": ranks.tail,
        "head": ranks.head,
        "both": np.concatenate((ranks.tail, ranks.head)),
    }
    return {side: asdict(ranking_metrics(of)) if len(of) else None for side, of in sides.items()}


def _triples_of(facts: pa.Table) -> np.ndarray:
    """One triple for each true object of each fact. (m, 3) int64."""
    objects = _arrays(facts["objects"])
    counts = [len(of) for of in objects]
    subjects = np.repeat(facts["subject"].to_numpy(), counts)
    relations = np.repeat(facts["relation"].to_numpy(), counts)
    return np.stack((subjects, relations, _flat(facts["objects"])), axis=1).astype(np.int64)


def _arrays(column: pa.ChunkedArray) -> list[np.ndarray]:
    return [np.array(of, dtype=np.int64) for of in column.to_pylist()]


def _flat(column: pa.ChunkedArray) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *_arrays(column)])


def _what_is_trained(
    graph: KnowledgeGraph, local: LocalGraph, withheld: int, max_triples: int
) -> str:
    total, used = len(graph.triples) - withheld, len(local.training)
    if used == total:
        return f"training on the whole graph: {used:,} triples ({withheld:,} withheld)"
    return (
        f"the graph has {total:,} triples ({withheld:,} withheld), over max_triples = "
        f"{max_triples:,}: training on the {used:,} nearest the facts, with "
        f"{len(local.entity_ids):,} of {graph.entity_count:,} entities"
    )


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
