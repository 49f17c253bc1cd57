"""Whether an embedding fits the memory that is free, said before it begins.

    tables   (E + 2R) · d numbers: the vectors, their gradients, what the optimiser keeps of each, and
             the best vectors so far
    step     one_vs_all: B · E scores, their softmax and its gradient, or of products no more than
             2²⁴ scores and their softmax at once; negative_sampling: vectors of the
             B · (negatives + 2) entities, and their gradients

E entities, R relations, d dimension, B batch size; 4 bytes a number. It is an estimate: batches whose
triples share a question need less.
"""

from ...errors import UserError
from ...models.embedding_settings import DISTANCE_MODELS, EmbeddingSettings
from ...models.one_vs_all_loss import SCORES_AT_ONCE
from .. import machine
from ..console import Console
from .embedded_triples import EmbeddedTriples

KEPT_BY_OPTIMIZER = {"adagrad": 1, "adam": 2}  # numbers for each weight
SAID_FROM = 1 << 30  # bytes; less is nobody's concern


def estimated_bytes(settings: EmbeddingSettings, entities: int, relations: int) -> int:
    """The formula above."""
    copies = 3 + KEPT_BY_OPTIMIZER[settings.optimizer]
    tables = copies * (entities + 2 * relations) * settings.dimension
    if settings.loss == "negative_sampling":
        step = 2 * settings.batch_size * (settings.negatives + 2) * settings.dimension
    elif settings.model in DISTANCE_MODELS:
        step = 3 * settings.batch_size * entities
    else:
        step = 2 * min(max(SCORES_AT_ONCE, entities), settings.batch_size * entities)
    return 4 * (tables + step)


def check_memory(settings: EmbeddingSettings, triples: EmbeddedTriples, console: Console) -> None:
    """Say what is needed, where it is much.

    Raises:
        UserError: that is more than is free.
    """
    entities, relations = len(triples.entities), len(triples.relations)
    needed, free = estimated_bytes(settings, entities, relations), machine.free_memory_bytes()
    if free is None:
        return
    told = f"training needs about {_gib(needed)}, and {_gib(free)} are free"
    if needed > free:
        raise UserError(
            f"there is too little memory: {told}",
            f"{entities:,} entities, dimension {settings.dimension}, batch_size {settings.batch_size}",
            "lower dimension or batch_size in --settings, or free some memory",
        )
    if needed >= SAID_FROM:
        console.line(told)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
