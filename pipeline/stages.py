"""The stages as data: what each is called, what it reads, which settings it depends on.

A stage is new when its version, its settings, the seed or the content of an input is new
(see artifacts.py). Raise a stage's version when its code gives another result from the same inputs.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    """

    project: "Project"
    work: Path
    inputs: Mapping[str, Path]
    seed: int
    console: "Console"
    files: Mapping[str, Path] = field(default_factory=dict)

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


def _ingest_settings(project: "Project") -> dict[str, Any]:
    sources = [
        {**source.model_dump(mode="json"), "path": source_name(source.path)}
        for source in project.source
    ]
    graph = project.graph.model_dump(mode="json")
    return {"prefixes": project.prefixes, "graph": graph, "source": sources}


def _source_files(project: "Project") -> tuple[str, ...]:
    return tuple(dict.fromkeys(source.path for source in project.source))


def _base_settings(project: "Project") -> dict[str, Any]:
    # A local model is keyed by its bytes, one on the hub by its name.
    return {} if _base_files(project) else {"base": project.model.base}


def _base_files(project: "Project") -> tuple[str, ...]:
    from .project import is_hub_id

    return () if is_hub_id(project.model.base, project.file) else (project.model.base,)


def _facts_settings(project: "Project") -> dict[str, Any]:
    table = project.facts.model_dump(mode="json", exclude={"general", "general_text"})
    return {
        **table,
        "prefixes": project.prefixes,
        "hierarchy": list(project.graph.hierarchy),
        "phrasings": project.eval.phrasings,
    }


def _link_settings(project: "Project") -> dict[str, Any]:
    return {**project.link.model_dump(mode="json"), "prefixes": project.prefixes}


def _with_precision(project: "Project", table: str) -> dict[str, Any]:
    settings: dict[str, Any] = getattr(project, table).model_dump(mode="json")
    return {"precision": project.model.precision, **settings}


def _distill_settings(project: "Project") -> dict[str, Any]:
    anchor_texts = project.pretrain.anchor_texts
    return {**_with_precision(project, "distill"), "anchor_texts": anchor_texts}


def _eval_files(project: "Project") -> tuple[str, ...]:
    encoder = project.eval.encoder
    models = [model.path for model in project.eval.model]
    return (project.facts.general_text, *([encoder] if encoder else []), *models)


def _eval_settings(project: "Project") -> dict[str, Any]:
    settings = project.eval.model_dump(mode="json", exclude={"primary"})
    models = [{**model, "path": source_name(model["path"])} for model in settings["model"]]
    return {**settings, "model": models}


def _report_settings(project: "Project") -> dict[str, Any]:
    return {
        "title": project.report.title or project.name,
        "primary": list(project.eval.primary),
        "model": Path(project.model.base).name,
        "target": [target.model_dump(mode="json") for target in project.report.target],
    }


STAGES = (
    Stage(
        "ingest",
        "Read the sources into a graph.",
        version=1,
        run="infact.pipeline.ingest_stage:run",
        settings=_ingest_settings,
        files=_source_files,
        seeded=False,
    ),
    Stage(
        "base",
        "Convert the base model once into a folder that loads fast.",
        version=1,
        run="infact.pipeline.base_stage:run",
        settings=_base_settings,
        files=_base_files,
        seeded=False,
    ),
    Stage(
        "facts",
        "Split facts into pools and write their questions and sentences.",
        version=2,
        run="infact.pipeline.facts_stage:run",
        inputs=("ingest",),
        settings=_facts_settings,
        files=lambda project: project.facts.general,
    ),
    Stage(
        "link",
        "Find the graph's entities in its texts.",
        version=1,
        run="infact.pipeline.link_stage:run",
        inputs=("ingest",),
        settings=_link_settings,
        seeded=False,
    ),
    Stage(
        "pretrain",
        "Teach the facts as text.",
        version=1,
        run="infact.pipeline.pretrain_stage:run",
        inputs=("base", "facts", "link", "ingest"),
        settings=lambda project: _with_precision(project, "pretrain"),
        resumable=True,
    ),
    Stage(
        "distill",
        "Teach the facts by a teacher that reads them.",
        version=2,
        run="infact.pipeline.distill_stage:run",
        inputs=("pretrain", "base", "facts", "ingest"),
        settings=_distill_settings,
        resumable=True,
    ),
    Stage(
        "prompt",
        "Learn a soft prompt.",
        version=1,
        run="infact.pipeline.prompt_stage:run",
        inputs=("base", "facts"),
        settings=lambda project: _with_precision(project, "prompt"),
        resumable=True,
    ),
    Stage(
        "embed",
        "Give entities and relations vectors.",
        version=1,
        run="infact.pipeline.embed_stage:run",
        inputs=("ingest", "facts"),
        settings=lambda project: project.embed.model_dump(mode="json"),
        resumable=True,
    ),
    Stage(
        "fuse",
        "Train the model to read the graph while it answers.",
        version=1,
        run="infact.pipeline.fuse_stage:run",
        inputs=("base", "facts", "embed", "ingest", "link"),
        settings=lambda project: _with_precision(project, "fuse"),
        resumable=True,
    ),
    Stage(
        "eval",
        "Ask every arm the same facts.",
        version=4,
        run="infact.pipeline.eval_stage:run",
        inputs=(
            "base",
            "pretrain",
            "distill",
            "prompt",
            "fuse",
            "embed",
            "facts",
            "ingest",
            "link",
        ),
        settings=_eval_settings,
        files=_eval_files,
        resumable=True,
    ),
    Stage(
        "report",
        "Write what each route gained, lost and cost.",
        version=2,
        run="infact.pipeline.report_stage:run",
        inputs=(
            "eval",
            "ingest",
            "base",
            "facts",
            "link",
            "pretrain",
            "distill",
            "prompt",
            "embed",
            "fuse",
        ),
        settings=_report_settings,
    ),
)
