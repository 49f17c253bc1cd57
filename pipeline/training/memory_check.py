"""Whether a training fits the memory that is free, said before it begins."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor, nn

from ...errors import UserError
from ...models.training_memory import step_bytes
from .. import machine
from ..stages import StageContext

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)


def check_memory(
    context: StageContext,
    table: str,
    model: ModelT,
    batches: Sequence[BatchT],
    size: Callable[[BatchT], int],
    loss: Callable[[ModelT, BatchT], Tensor],
) -> None:
    """Say what a step needs.

    Args:
        context: of the stage.
        table: of the project file, in which its batch size stands.
        model, batches, size, loss: see `step_bytes`.

    Raises:
        UserError: that is more than is free.
    """
    if not batches:
        return
    needed, free = step_bytes(model, batches, size, loss), machine.free_memory_bytes()
    if free is None:
        return
    told = f"a step needs about {_gib(needed)}, and {_gib(free)} are free"
    if needed > free:
        lower = f"Lower {table}.batch_size"
        if table == "pretrain":
            lower += (
                ", pretrain.max_tokens or pretrain.layers, the number of blocks that are taught"
            )
        raise UserError(
            f"There is too little memory to train: {told}.",
            f"{context.project.file.name}:{table}.batch_size",
            f"{lower}; or free some memory.",
        )
    context.console.line(told)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
