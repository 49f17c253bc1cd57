"""`infact status`: which stages would be kept, run or wait, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import UserError
from .artifacts import (
    MANIFEST,
    Manifest,
    Recipe,
    newest_manifest,
    partial_folder,
    read_manifest,
)
from .console import Console
from .graph_change import GraphChange, change_since_older
from .project import Project
from .project_endpoints import NotFetchedError
from .stage_list import STAGES
from .stages import Stage, recipe


@dataclass(frozen=True)
class StageStatus:
    """What `infact run` would do with a stage, and why.

    Attributes:
        since: of a graph that is kept, what changed since the one before it.
    """

    stage: str
    state: Literal["kept", "run", "waits"]
    reason: str
    since: GraphChange | None = None

    def document(self) -> dict[str, Any]:
        """For machines; `since` only where there is something to tell."""
        entry = asdict(self)
        if self.since is None:
            del entry["since"]
        return entry


def stage_statuses(project: Project, stages: tuple[Stage, ...] = STAGES) -> list[StageStatus]:
    """The status of every stage, in order. Reads manifests and hashes sources; runs nothing."""
    manifests: dict[str, Manifest] = {}
    statuses = []
    for stage in stages:
        missing = [name for name in stage.inputs if name not in manifests]
        if missing:
            statuses.append(StageStatus(stage.name, "waits", f"for {', '.join(missing)}"))
            continue
        try:
            made_from = recipe(stage, project, manifests)
        except NotFetchedError as error:
            statuses.append(StageStatus(stage.name, "run", error.what))
            continue
        except UserError as error:
            statuses.append(StageStatus(stage.name, "waits", f"{error.what}: {error.fix}"))
            continue
        folder = made_from.folder(project.artifacts_folder)
        manifest = read_manifest(folder)
        if manifest:
            manifests[stage.name] = manifest
            since = change_since_older(folder) if stage.name == "ingest" else None
            statuses.append(StageStatus(stage.name, "kept", str(folder), since))
        else:
            reason = _why_run(stage, made_from, project)
            statuses.append(StageStatus(stage.name, "run", reason))
    return statuses


def print_status(project: Project, console: Console) -> None:
    """One line a stage, or the same as JSON."""
    statuses = stage_statuses(project)
    width = max(len(status.stage) for status in statuses)
    if not console.json_wanted:
        for status in statuses:
            console.line(f"{status.stage:<{width}}  {status.state:<5}  {status.reason}".rstrip())
            if status.since is not None:
                console.line(f"{'':<{width}}  {status.since}")
    console.result([status.document() for status in statuses])


def _why_run(stage: Stage, made_from: Recipe, project: Project) -> str:
    artifacts = project.artifacts_folder
    if (made_from.folder(artifacts) / MANIFEST).exists():
        return "a file of it has gone or its manifest is damaged"
    older = newest_manifest(artifacts, stage.name)
    reason = "; ".join(differences(older.recipe, made_from)) if older else "never made"
    if stage.resumable and partial_folder(artifacts, made_from).exists():
        reason += "; continues the run that was cut off"
    return reason


def differences(old: Recipe, new: Recipe) -> list[str]:
    """What differs between two recipes of a stage, in words; settings by their own names."""
    found = []
    if old.version != new.version:
        found.append(f"version {old.version} → {new.version}")
    if old.seed != new.seed:
        found.append(f"seed {_shown(old.seed)} → {_shown(new.seed)}")
    found += _setting_differences(old.settings, new.settings, "")
    for name in sorted({*old.inputs, *new.inputs}):
        kind = "" if name.startswith("file ") else " output"
        if name not in new.inputs:
            found.append(f"{name} is no longer read")
        elif name not in old.inputs:
            found.append(f"{name} is read now")
        elif old.inputs[name] != new.inputs[name]:
            found.append(f"{name}{kind} changed")
    return found


def _setting_differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str) -> list[str]:
    found = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += _setting_differences(before, after, f"{prefix}{name}.")
        elif isinstance(before, dict | list) or isinstance(after, dict | list):
            found.append(f"{prefix}{name} changed")
        else:
            found.append(f"{prefix}{name} {_shown(before)} → {_shown(after)}")
    return found


def _shown(value: object) -> str:
    """A setting as one would write it: 0.0003 as 3e-4."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:.6e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:g}" if isinstance(value, float) else str(value)
