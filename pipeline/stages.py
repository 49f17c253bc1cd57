"""A stage as data: what it is called, what it reads, which settings it depends on.

A stage is new when its version, its settings, the seed or the content of an input is new
(see artifacts.py). Raise a stage's version when its code gives another result from the same inputs.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models.process_team import Team
    from .artifacts import Manifest, Recipe
    from .console import Console
    from .project import Project


@dataclass(frozen=True)
class StageContext:
    """What a stage's function gets.

    Args:
        project: the loaded project file.
        work: an existing folder to write into. Below it, `log/` is for what differs from run to run
            (never part of a key), `resume/` for checkpoints (dropped when the stage is done).
        inputs: folder of each artifact the stage reads, by stage name.
        seed: of every draw.
        console: for lines and progress.
        files: path of each file that the project file names and the stage reads, by its spec.
        team: processes that share its training; None: this one alone.
    """

    project: "Project"
    work: Path
    inputs: Mapping[str, Path]
    seed: int
    console: "Console"
    files: Mapping[str, Path] = field(default_factory=dict)
    team: "Team | None" = None

    def checkpoint(self, name: str) -> Path:
        """The file below `resume/` in which a training keeps its state."""
        folder = self.work / "resume"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.safetensors"


def no_settings(project: "Project") -> dict[str, Any]:
    """The settings of a stage that reads none."""
    return {}


def no_files(project: "Project") -> tuple[str, ...]:
    """The files of a stage that reads only artifacts."""
    return ()


def never(project: "Project") -> bool:
    """Whether several processes share a stage that doesn't train."""
    return False


@dataclass(frozen=True)
class Stage:
    """One step from sources to report.

    Args:
        name: also the command's and the artifact folder's name.
        summary: what `infact --help` says.
        version: raised when the same inputs give another result.
        run: "module:function", imported only when the stage runs; takes a StageContext.
        inputs: names of the stages whose artifacts it reads.
        settings: the part of the project file that its result depends on, as JSON values.
        files: specs of the files that it reads, as the project file names them.
        resumable: work that was cut off is continued, to the same bytes.
        seeded: whether the project's seed is part of the key.
        shared: whether several processes share its training, where there are several.
    """

    name: str
    summary: str
    version: int
    run: str
    inputs: tuple[str, ...] = ()
    settings: Callable[["Project"], dict[str, Any]] = no_settings
    files: Callable[["Project"], tuple[str, ...]] = no_files
    resumable: bool = False
    seeded: bool = True
    shared: Callable[["Project"], bool] = never

    def function(self) -> Callable[[StageContext], None]:
        module, _, name = self.run.partition(":")
        function: Callable[[StageContext], None] = getattr(importlib.import_module(module), name)
        return function


def recipe(stage: Stage, project: "Project", upstream: Mapping[str, "Manifest"]) -> "Recipe":
    """What the stage's artifact would be made from now.

    Args:
        upstream: manifest of each stage in `stage.inputs`.

    Raises:
        UserError: a file that the stage reads is missing.
    """
    from .artifacts import Recipe, file_digest

    inputs = {name: upstream[name].digest for name in stage.inputs}
    for spec in stage.files(project):
        inputs[f"file {source_name(spec)}"] = file_digest(project.resolve(spec))
    seed = project.seed if stage.seeded else None
    return Recipe(stage.name, stage.version, stage.settings(project), seed, inputs)


def source_name(spec: str) -> str:
    """What a file is called in keys, manifests and reports: its spec, but never an absolute path."""
    path = Path(spec).expanduser()
    return path.name if path.is_absolute() else spec


def with_upstream(targets: Collection[str], stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages of those names and all that they need, in order."""
    needed = set(targets)
    for stage in reversed(stages):
        if stage.name in needed:
            needed.update(stage.inputs)
    return tuple(stage for stage in stages if stage.name in needed)
