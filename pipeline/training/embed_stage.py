"""The embed stage: vectors of entities and relations, and how well they fill in missing facts.

Trains ComplEx on the graph less the withheld triples; asks it for the inferable facts (pool I),
which it has never seen. Nothing is selected on those facts: the settings come from the project
file, so pool I is all test.

Writes `vectors.safetensors` (see `save_vectors`), `metrics.json`, `predictions.parquet`: for each
inferable fact, each option's log-probability in nats among all entities trained on; and
`predicted.parquet`: facts that the graph lacks, with probabilities (see `fact_prediction`), and
`scale.json`, which makes them so.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import Tensor

from ...kg.graph import KnowledgeGraph
from ...kg.questions.pools import INFERABLE
from ...kg.vocabulary import RDF_TYPE
from ...models.embedding_base import EmbeddingModel
from ...models.embedding_files import save_vectors
from ...models.embedding_settings import EmbeddingSettings
from ...models.embedding_training import train_embedding, units
from ...models.ranking import Scorer, SideRanks, rank_triples, ranking_metrics, tail_frequencies
from ..graph_reader import PREDICTED
from ..scale_file import write_scale
from ..settings.training import EmbedTable
from ..stages import StageContext
from .fact_prediction import fitted_scale, held_out, predicted_facts, prediction_metrics
from .local_graph import LocalGraph, arrays, local_graph

QUERIES_A_BATCH = 256  # 256 rows of 40,000 scores are 41 MB


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
    whole = local_graph(graph, facts, inferable, withheld, settings.max_triples, context.seed)
    console.line(_what_is_trained(graph, whole, len(withheld), settings.max_triples))
    told = _told_relations(graph, whole)
    held = held_out(whole.training, told, context.seed)
    local = replace(whole, training=held.training)
    model = _trained(context, local)
    save_vectors(model, context.work / "vectors.safetensors", local.entity_ids, local.relation_ids)
    options = option_log_probabilities(model, local, inferable)
    pq.write_table(options, context.work / "predictions.parquet")
    with console.progress("ranking inferable facts", 4 * len(local.test), "queries") as advance:
        metrics = measure(model, local, inferable, advance)
    metrics["entities_in_graph"] = graph.entity_count
    metrics["triples_in_graph"] = len(graph.triples)
    scale = fitted_scale(model, held, len(local.relation_ids))
    write_scale(context.work, scale)
    predicted = predicted_facts(model, local, held, told, scale, console)
    pq.write_table(predicted, context.work / PREDICTED)
    metrics["held_out"] = {"facts": len(held.asked), "triples": len(held.triples)}
    metrics["predicted"] = prediction_metrics(predicted, inferable, context.seed)
    _write_json(context.work / "metrics.json", metrics)


def _told_relations(graph: KnowledgeGraph, local: LocalGraph) -> np.ndarray:
    """Rows of the relations that tell something of their head: all but its type."""
    relations = graph.relations
    return np.array(
        [
            row
            for row, relation in enumerate(local.relation_ids)
            if relations[relation].iri != RDF_TYPE
        ],
        dtype=np.int64,
    )


def _trained(context: StageContext, local: LocalGraph) -> EmbeddingModel:
    """ComplEx vectors; nothing is validated, as the settings are the project file's."""
    settings = embedding_settings(context.project.embed)
    total = units(local.training, settings)
    with context.console.progress("training vectors, both directions", total, "triples") as advance:
        return train_embedding(
            local.training,
            local.training[:0],
            len(local.entity_ids),
            len(local.relation_ids),
            settings,
            context.seed,
            context.checkpoint("training"),
            advance,
            context.team,
        ).model


def embedding_settings(table: EmbedTable) -> EmbeddingSettings:
    """Those of the project file."""
    return EmbeddingSettings(
        dimension=2 * table.rank,
        regularisation=table.n3,
        batch_size=table.batch_size,
        learning_rate=table.learning_rate,
        epochs=table.epochs,
    )


def option_log_probabilities(
    model: EmbeddingModel, local: LocalGraph, inferable: pa.Table
) -> pa.Table:
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
    model: EmbeddingModel, local: LocalGraph, inferable: pa.Table, advance: Callable[[int], None]
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
    options = [torch.from_numpy(local.rows(of)) for of in arrays(inferable["option_entities"])]
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
