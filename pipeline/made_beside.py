"""Artifacts that no stage makes: what a command makes beside a project's stages, kept like theirs."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .artifacts import Recipe, file_digest, publish, read_manifest, work_folder
from .console import Console, duration
from .project import Project
from .run import recorded
from .several_processes import run_shared
from .stages import StageContext, source_name


def artifact_beside(
    project: Project,
    name: str,
    version: int,
    settings: Mapping[str, object],
    inputs: Mapping[str, Path],
    files: Iterable[str],
    run: Callable[[StageContext], None],
    console: Console,
) -> Path:
    """The folder of what `run` makes of these inputs, made unless it is there.

    Args:
        project: whose artifacts folder it lies in.
        name: of the command.
        version: raised when the same inputs give another result.
        settings: that it depends on, as JSON values.
        inputs: artifacts' folders, by what they are to it.
        files: specs of the files that it reads.
        run: writes into the context's work folder; work that was cut off is continued, and several
            processes share its training.
        console: told what is done.
    """
    found = {spec: project.resolve(spec) for spec in files}
    digests = {source_name(spec): file_digest(path) for spec, path in found.items()}
    for kind, folder in inputs.items():
        manifest = read_manifest(folder)
        digests[kind] = manifest.digest if manifest else ""
    recipe = Recipe(name, version, settings, project.seed, digests)
    folder = recipe.folder(project.artifacts_folder)
    if read_manifest(folder) is not None:
        console.line(f"{name}  kept  {folder}")
        return folder
    console.line(f"{name}  run  {folder}")
    started = time.monotonic()
    with work_folder(project.artifacts_folder, recipe, resumable=True) as work:
        run_shared(StageContext(project, work, dict(inputs), project.seed, console, found), run)
        seconds = time.monotonic() - started
        publish(project.artifacts_folder, recipe, recorded(seconds))
    console.line(f"{name}  done in {duration(seconds)}")
    return folder
