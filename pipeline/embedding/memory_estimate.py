"""Whether an embedding fits the memory that is free, said before it begins.

    tables   (E + 2R) · d numbers: the vectors, their gradients, what the optimiser keeps of each, and
             the best vectors so far
    step     one_vs_all: B · E scores, their softmax and its gradient, or of products no more than
             2²⁴ scores and their softmax at once; negative_sampling: vectors of the
             B · (negatives + 2) entities, and their gradients

E entities, R relations, d dimension, B batch size; 4 bytes a number. It is an estimate: batches whose
triples share a question need less.

Tables that don't fit are kept in files where a step reads few of their rows: by negative sampling, with
Adagrad, which touches no other row, and begun at random. The files are the vectors, Adagrad's sums and the
best vectors; a checkpoint holds these three, and is written beside the one before; and at the end the
vectors are written once more.
"""

import shutil
from pathlib import Path

from ...errors import UserError
from ...models.embedding_settings import DISTANCE_MODELS, EmbeddingSettings
from ...models.one_vs_all_loss import SCORES_AT_ONCE
from .. import machine
from ..console import Console
from .embedded_triples import EmbeddedTriples

KEPT_BY_OPTIMIZER = {"adagrad": 1, "adam": 2}  # numbers for each weight
SAID_FROM = 1 << 30  # bytes; less is nobody's concern
COPIES_ON_DISK = 10  # of a table in files, as said above


def table_bytes(settings: EmbeddingSettings, entities: int, relations: int) -> int:
    """Of the vectors, once."""
    return 4 * (entities + 2 * relations) * settings.dimension


def step_bytes(settings: EmbeddingSettings, entities: int) -> int:
    """The formula above."""
    if settings.loss == "negative_sampling":
        return 8 * settings.batch_size * (settings.negatives + 2) * settings.dimension
    if settings.model in DISTANCE_MODELS:
        return 12 * settings.batch_size * entities
    return 8 * min(max(SCORES_AT_ONCE, entities), settings.batch_size * entities)


def estimated_bytes(settings: EmbeddingSettings, entities: int, relations: int) -> int:
    """All of it, with tables in memory."""
    copies = 3 + KEPT_BY_OPTIMIZER[settings.optimizer]
    tables = copies * table_bytes(settings, entities, relations)
    return tables + step_bytes(settings, entities)


def tables_in_files(
    settings: EmbeddingSettings,
    triples: EmbeddedTriples,
    begun_at_texts: bool,
    folder: Path,
    console: Console,
) -> bool:
    """Whether the tables must be kept in files, in this folder; what is needed is said, where it is much.

    Raises:
        UserError: that is more than is free, in memory or on the disk.
    """
    entities, relations = len(triples.entities), len(triples.relations)
    needed, free = estimated_bytes(settings, entities, relations), machine.free_memory_bytes()
    if free is None:
        return False
    told = f"training needs about {_gib(needed)}, and {_gib(free)} are free"
    if needed <= free:
        if needed >= SAID_FROM:
            console.line(told)
        return False
    size = (
        f"{entities:,} entities, dimension {settings.dimension}, batch_size {settings.batch_size}"
    )
    by_rows = settings.loss == "negative_sampling" and settings.optimizer == "adagrad"
    may_be_in_files = by_rows and not begun_at_texts
    if not may_be_in_files or step_bytes(settings, entities) > free:
        fix = "lower dimension or batch_size in --settings, or free some memory"
        if not may_be_in_files:
            fix += '; by loss = "negative_sampling" and optimizer = "adagrad", without --encoder, '
            fix += "tables that don't fit are kept in files"
        raise UserError(f"there is too little memory: {told}", size, fix)
    _check_disk(COPIES_ON_DISK * table_bytes(settings, entities, relations), folder, size)
    console.line(f"{told}: the tables are kept in files below {folder}")
    return True


def _check_disk(needed: int, folder: Path, size: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        problem = "there is too little memory for the tables, and too little disk for them as files"
        where = f"{folder}: {_gib(free)} free of about {_gib(needed)}; {size}"
        raise UserError(problem, where, "lower dimension in --settings, or free some of either")


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
