"""What a process does that isn't the main one of its run: it helps to train, and nothing else.

It waits for a stage that is shared, runs its function up to the training in a temporary folder, computes
its part of each step, and waits again. It prints nothing and writes no artifact; when the main process
ends, however it ends, so does it.
"""

import importlib
import os
import signal
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from ..errors import UserError
from ..models.process_team import (
    ConnectionLostError,
    Team,
    TrainingOver,
    UnsharedMistakeError,
    Word,
)
from .console import Console
from .project import load_project
from .stages import StageContext


def follow(team: Team) -> None:
    """Help the main process until it ends.

    Raises:
        UserError: a mistake that the main process didn't meet.
    """
    # Ctrl-C reaches all, and the main process ends the run. Launchers end the others so when one has
    # ended: an exception takes the temporary folder away.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (loggers keep it)
    with suppress(ConnectionLostError), redirect_stdout(nowhere), redirect_stderr(nowhere):
        while True:
            _follow_stage(team, team.hear())


def _follow_stage(team: Team, word: Word) -> None:
    module, name = word["stage"]
    function = getattr(importlib.import_module(module), name)
    mistake: Exception = RuntimeError(f"{module}:{name} trains in the main process alone")
    with tempfile.TemporaryDirectory(prefix="infact-") as work, suppress(TrainingOver):
        try:
            function(_context(team, word, Path(work)))
        except (ConnectionLostError, UnsharedMistakeError):
            raise
        except UserError as error:
            mistake = error  # most often the main process's too, which says it and ends
    if "over" not in team.hear():
        raise mistake


def _context(team: Team, word: Word, work: Path) -> StageContext:
    file, artifacts = map(Path, word["project"])
    return StageContext(
        project=load_project(file, artifacts),
        work=work,
        inputs={name: Path(folder) for name, folder in word["inputs"].items()},
        seed=word["seed"],
        console=Console(),
        files={spec: Path(path) for spec, path in word["files"].items()},
        team=team,
    )
