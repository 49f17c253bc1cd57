"""Training a graph embedding on the one loop, validated by filtered ranks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .embedding_base import EmbeddingModel
from .embedding_model import new_model
from .embedding_settings import EmbeddingSettings
from .negative_batches import negative_batches, negatives_part
from .negative_sampling_loss import negative_sampling_loss
from .one_vs_all_loss import one_vs_all_loss
from .process_team import Team
from .ranking import rank_triples, ranking_metrics
from .table_storage import IN_MEMORY, TableStorage
from .training import Curriculum, TrainingRecord, TrainingSettings, train
from .triple_batches import triple_batches, triples_part
from .validation import History, Validation, best

MOST_QUERIES = 256  # of validation, at once
SCORES_AT_ONCE = 1 << 24  # 64 MiB
CHECKPOINT_STEPS = 1000  # a checkpoint holds tables: minutes between two of them
STEPS_A_MEBIBYTE = 1  # of large tables, as a checkpoint writes all of them


@dataclass(frozen=True)
class TrainedEmbedding:
    """A trained model and how it came about.

    Attributes:
        model: at its best validation, or at the end where there was none.
        record: steps, units (triples, each direction one), mean loss of each epoch.
        validation: (epoch, filtered MRR) of each validation.
        best_epoch: whose weights the model has.
        seconds: of this run, validations among them; a resumed run counts from where it resumed.
    """

    model: EmbeddingModel
    record: TrainingRecord
    validation: History
    best_epoch: int
    seconds: float


def train_embedding(
    training: np.ndarray,
    validation: np.ndarray,
    entity_count: int,
    relation_count: int,
    settings: EmbeddingSettings,
    seed: int,
    checkpoint: Path,
    advance: Callable[[int], None],
    team: Team | None = None,
    entity_start: np.ndarray | None = None,
    storage: TableStorage = IN_MEMORY,
) -> TrainedEmbedding:
    """Train a new model.

    Args:
        training: (n, 3) rows of head, relation and tail.
        validation: (m, 3) triples by whose MRR the best epoch is kept, filtered by them and `training`;
            none where m is 0.
        entity_count, relation_count: E and R.
        settings: of model, loss and optimiser.
        seed: of the start, the order and the negatives.
        checkpoint: file to continue from when it exists, and to write to.
        advance: called with the triples of each batch, `units` in all.
        team: processes that share each step; None: this one alone.
        entity_start: (E, d) where the entities begin (see `text_start`); None: at random.
        storage: of the tables, and of what is kept beside them.

    Raises:
        UserError: as `train`.
        ValueError: `entity_start` has another shape.
    """
    started = time.perf_counter()
    model = new_model(settings, entity_count, relation_count, seed, storage)
    model.sparse = settings.optimizer == "adagrad"
    if entity_start is not None:
        _begin_at(model, entity_start)
    curriculum, loss = _task(training, entity_count, relation_count, settings, seed)
    record = train(
        model,
        curriculum,
        partial(loss, settings=settings),
        training_settings(settings, model.entity.nbytes),
        checkpoint,
        advance,
        team,
        _validation(training, validation, settings) if len(validation) else None,
        storage,
    )
    return TrainedEmbedding(
        model,
        record,
        record.validation,
        best(record.validation)[0] if record.validation else len(record.losses),
        time.perf_counter() - started,
    )


def _begin_at(model: EmbeddingModel, start: np.ndarray) -> None:
    if start.shape != tuple(model.entity.shape):
        raise ValueError(f"entity_start is {start.shape}, and entities {tuple(model.entity.shape)}")
    with torch.no_grad():
        model.entity.copy_(torch.from_numpy(start))


def units(training: np.ndarray, settings: EmbeddingSettings) -> int:
    """Triples that all epochs read, each direction one."""
    return 2 * len(training) * settings.epochs


def training_settings(settings: EmbeddingSettings, table_bytes: int) -> TrainingSettings:
    """Of the one loop, for a table of that size."""
    return TrainingSettings(
        settings.learning_rate,
        settings.epochs,
        optimizer="adagrad" if settings.optimizer == "adagrad" else "adamw",
        schedule=settings.schedule,
        clip_norm=None,
        checkpoint_steps=max(CHECKPOINT_STEPS, STEPS_A_MEBIBYTE * (table_bytes >> 20)),
    )


def _task(
    training: np.ndarray,
    entity_count: int,
    relation_count: int,
    settings: EmbeddingSettings,
    seed: int,
) -> tuple[Curriculum[Any], Callable[..., Any]]:
    """Batches and their loss."""
    if settings.loss == "one_vs_all":
        grouped = triple_batches(training, relation_count, settings.batch_size, seed)
        return Curriculum(grouped, lambda batch: len(batch.tails), triples_part), one_vs_all_loss
    drawn = negative_batches(training, entity_count, relation_count, settings, seed)
    return Curriculum(drawn, lambda batch: len(batch.tails), negatives_part), negative_sampling_loss


def _validation(
    training: np.ndarray, validation: np.ndarray, settings: EmbeddingSettings
) -> Validation[EmbeddingModel]:
    known = np.concatenate((training, validation))

    def mean_reciprocal_rank(model: EmbeddingModel) -> float:
        ranks = rank_triples(
            model.tail_scores,
            model.head_scores,
            validation,
            known,
            max(1, min(MOST_QUERIES, SCORES_AT_ONCE // len(model.entity))),
            lambda count: None,
        )
        return ranking_metrics(np.concatenate((ranks.head, ranks.tail))).mean_reciprocal_rank

    return Validation(mean_reciprocal_rank, settings.validate_every, settings.patience)
