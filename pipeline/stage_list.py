"""The stages of infact, in order, each with the settings and files that its result depends on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .project_endpoints import source_spec
from .stages import Stage, source_name

if TYPE_CHECKING:
    from .project import Project
    from .settings.sources import SourceTable


def _ingest_settings(project: "Project") -> dict[str, Any]:
    sources = [_source_settings(source) for source in project.source]
    # Shapes judge a graph and leave it as it is.
    graph = project.graph.model_dump(mode="json", exclude={"shapes"})
    return {"prefixes": project.prefixes, "graph": graph, "source": sources}


def _source_settings(source: "SourceTable") -> dict[str, Any]:
    settings = source.model_dump(mode="json", exclude={"endpoint", "graphs"})
    return {**settings, "path": source_name(source_spec(source))}


def _source_files(project: "Project") -> tuple[str, ...]:
    # Files first: one that is missing is told before what isn't fetched yet.
    ordered = sorted(project.source, key=lambda source: bool(source.endpoint))
    return tuple(dict.fromkeys(map(source_spec, ordered)))


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


def _pretrain_settings(project: "Project") -> dict[str, Any]:
    settings = _with_precision(project, "pretrain")
    return {**settings, "replay_text": source_name(settings["replay_text"])}


def pretrain_files(project: "Project") -> tuple[str, ...]:
    """What continued pretraining reads besides artifacts."""
    given = project.pretrain.replay_text
    return (given,) if given and project.pretrain.replay else ()


def _distill_settings(project: "Project") -> dict[str, Any]:
    anchor_texts = project.pretrain.anchor_texts
    return {**_with_precision(project, "distill"), "anchor_texts": anchor_texts}


def _fuse_settings(project: "Project") -> dict[str, Any]:
    settings = _with_precision(project, "fuse")
    return {**settings, "vectors": [source_name(source) for source in settings["vectors"]]}


def _always(project: "Project") -> bool:
    return True


def _shares_fusion(project: "Project") -> bool:
    # Pointers at the top train for seconds on kept states, and some contrast all places of a batch.
    return project.fuse.strategy in ("early", "interactive", "attention")


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
        version=4,
        run="infact.pipeline.ingest_stage:run",
        settings=_ingest_settings,
        files=_source_files,
        seeded=False,
    ),
    Stage(
        "base",
        "Convert the base model once into a folder that loads fast.",
        version=3,
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
        version=3,
        run="infact.pipeline.link_stage:run",
        inputs=("ingest",),
        settings=_link_settings,
        seeded=False,
    ),
    Stage(
        "pretrain",
        "Teach the facts as text.",
        version=3,
        run="infact.pipeline.training.pretrain_stage:run",
        inputs=("base", "facts", "link", "ingest"),
        settings=_pretrain_settings,
        files=pretrain_files,
        resumable=True,
        shared=_always,
    ),
    Stage(
        "distill",
        "Teach the facts by a teacher that reads them.",
        version=5,
        run="infact.pipeline.training.distill_stage:run",
        inputs=("pretrain", "base", "facts", "ingest"),
        settings=_distill_settings,
        resumable=True,
        shared=_always,
    ),
    Stage(
        "prompt",
        "Learn a soft prompt.",
        version=2,
        run="infact.pipeline.training.prompt_stage:run",
        inputs=("base", "facts"),
        settings=lambda project: _with_precision(project, "prompt"),
        resumable=True,
        shared=_always,
    ),
    Stage(
        "embed",
        "Give entities and relations vectors.",
        version=4,
        run="infact.pipeline.training.embed_stage:run",
        inputs=("ingest", "facts"),
        settings=lambda project: project.embed.model_dump(mode="json"),
        resumable=True,
        shared=_always,
    ),
    Stage(
        "fuse",
        "Train the model to read the graph while it answers.",
        version=6,
        run="infact.pipeline.training.fuse_stage:run",
        inputs=("base", "facts", "embed", "ingest", "link"),
        settings=_fuse_settings,
        files=lambda project: project.fuse.vector_files,
        resumable=True,
        shared=_shares_fusion,
    ),
    Stage(
        "eval",
        "Ask every arm the same facts.",
        version=6,
        run="infact.pipeline.evaluation.eval_stage:run",
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
        version=6,
        run="infact.pipeline.report.report_stage:run",
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
        files=lambda project: project.graph.shapes,
    ),
)
