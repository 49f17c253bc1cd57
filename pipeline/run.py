"""Run stages in order: keep those whose artifact exists, make the others."""

import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from ..errors import UserError
from ..kg.readers.sources import Source, examine
from . import machine
from .artifacts import Manifest, Recipe, publish, read_manifest, work_folder
from .console import Console, duration
from .project import Project
from .project_endpoints import endpoints, fetch_endpoints
from .several_processes import run_alone, run_shared
from .stage_list import STAGES
from .stages import Stage, StageContext, recipe, source_name, with_upstream


def run_stages(
    project: Project,
    targets: Collection[str],
    console: Console,
    stages: tuple[Stage, ...] = STAGES,
    refetch: bool = False,
) -> dict[str, Path]:
    """Make the artifacts of `targets` and of all that they need.

    Args:
        refetch: endpoints whose statements are kept are asked again.

    Returns:
        The artifact folder of each of those stages, in order.

    Raises:
        UserError: a mistake of the user's in a stage; earlier artifacts stay.
    """
    manifests: dict[str, Manifest] = {}
    folders: dict[str, Path] = {}
    needed = with_upstream(targets, stages)
    _check_files(project, needed)
    fetch_endpoints(project, needed, console, refetch)
    for stage in needed:
        made_from = recipe(stage, project, manifests)
        folder = made_from.folder(project.artifacts_folder)
        manifest = read_manifest(folder)
        if manifest:
            console.line(f"{stage.name}  kept  {folder}")
        else:
            manifest = _make(stage, made_from, project, folders, console)
        manifests[stage.name], folders[stage.name] = manifest, folder
    return folders


def _check_files(project: Project, stages: tuple[Stage, ...]) -> None:
    """A file that only a late stage reads is missed, or faulty, now and not after hours of training."""
    fetched = endpoints(project)
    for spec in dict.fromkeys(spec for stage in stages for spec in stage.files(project)):
        if spec in fetched:
            continue
        path = project.resolve(spec)
        if spec == project.facts.general_text:
            examine(Source(path, spec))
        if spec in project.graph.shapes:
            _check_shapes(spec, path)


def _check_shapes(spec: str, path: Path) -> None:
    from ..kg.checks.shapes import try_shapes
    from ..kg.checks.shapes_file import read_shapes

    try_shapes(read_shapes(path, source_name(spec)))


def existing_artifacts(
    project: Project,
    names: Collection[str],
    stages: tuple[Stage, ...] = STAGES,
    graph: Path | None = None,
) -> dict[str, Path]:
    """The artifact folders of those stages and all that they need, without making any.

    Args:
        graph: an artifact of the ingest stage that stands for the one of the sources as they are now.

    Raises:
        UserError: one hasn't been made from the project file as it stands.
    """
    manifests: dict[str, Manifest] = {}
    folders: dict[str, Path] = {}
    for stage in with_upstream(names, stages):
        folder = recipe(stage, project, manifests).folder(project.artifacts_folder)
        if graph is not None and stage.name == "ingest":
            folder = graph
        manifest = read_manifest(folder)
        if manifest is None:
            fix = f"run `infact {stage.name}` first; `infact status` says why"
            raise UserError(
                f"{stage.name} hasn't been run with these settings", str(project.file), fix
            )
        manifests[stage.name], folders[stage.name] = manifest, folder
    return folders


def _make(
    stage: Stage,
    made_from: Recipe,
    project: Project,
    folders: dict[str, Path],
    console: Console,
) -> Manifest:
    artifacts = project.artifacts_folder
    console.line(f"{stage.name}  run  {made_from.folder(artifacts)}")
    started = time.monotonic()
    machine.reset_peak_memory()
    with work_folder(artifacts, made_from, stage.resumable) as work:
        context = StageContext(
            project=project,
            work=work,
            inputs={name: folders[name] for name in stage.inputs},
            seed=project.seed,
            console=console,
            files={spec: project.resolve(spec) for spec in stage.files(project)},
        )
        run = run_shared if stage.shared(project) else run_alone
        run(context, stage.function())
        seconds = time.monotonic() - started
        manifest = publish(artifacts, made_from, recorded(seconds))
    console.line(f"{stage.name}  done in {duration(seconds)}")
    return manifest


def recorded(seconds: float) -> dict[str, object]:
    """What a manifest says beside what its artifact follows from."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "peak_memory_bytes": machine.peak_memory_bytes(),
        "device": machine.device_name(),
        "packages": machine.package_versions(),
        "code": machine.code_digest(),
    }
