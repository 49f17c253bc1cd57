"""One run by several processes: the main one does all of it, the others help it to train.

Whoever launches them (`accelerate launch --multi_gpu`, torchrun) starts the same command in each. The
main process runs it as one process would; the others follow it (see following.py).
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .stages import StageContext

if TYPE_CHECKING:
    from ..models.process_team import Team

# What launchers say of how many processes there are: torchrun, and MPI's by their kind.
COUNTS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
ONLY_ONE = (
    "accelerate launch --cpu has started one process, however many were asked for: "
    "accelerate launch --multi_gpu --num_processes N starts N, also where there is no GPU"
)


@lru_cache
def team() -> "Team | None":
    """The processes that were launched together, met at the first call; None where this is the only one.

    Raises:
        UserError: they don't meet.
    """
    if any(int(os.environ.get(name) or 1) > 1 for name in COUNTS):
        from ..models.process_team import join_team

        return join_team()
    # Without MPI it starts one, and leaves the port at which several would have met.
    accelerated = "ACCELERATE_USE_CPU" in os.environ and "MASTER_PORT" in os.environ
    if accelerated and not any(name in os.environ for name in COUNTS):
        print(ONLY_ONE, file=sys.stderr)
    return None


def run_alone(context: StageContext, function: Callable[[StageContext], None]) -> None:
    """Run the function of a stage that isn't shared; followers, where there are any, wait meanwhile."""
    if team() is not None:
        context.console.line("by the main process alone")
    function(context)


def run_shared(context: StageContext, function: Callable[[StageContext], None]) -> None:
    """Run a stage's function, whose training followers share where there are any.

    Args:
        context: of the stage.
        function: at the top of its module, where followers find it by its name.
    """
    together = team()
    if together is None:
        function(context)
        return
    context.console.line(f"training is shared by {together.count} processes")
    together.tell(
        {
            "stage": [function.__module__, function.__qualname__],
            "project": [str(context.project.file), str(context.project.artifacts_folder)],
            "inputs": {name: str(folder) for name, folder in context.inputs.items()},
            "seed": context.seed,
            "files": {spec: str(path) for spec, path in context.files.items()},
        }
    )
    function(replace(context, team=together))
    # Not after an error: followers may be within a step, and end with this process.
    together.tell({"over": True})
