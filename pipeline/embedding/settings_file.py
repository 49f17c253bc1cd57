"""The settings of an embedding: those usual for its model, and over them the keys of a TOML file."""

import tomllib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from ...errors import UserError
from ...models.embedding_settings import EmbeddingSettings, ModelName, usual_settings
from ..project import nearest
from ..project_toml import toml_mistake

OPTION = "--settings"


def embedding_settings(file: Path | None, model: str = "") -> EmbeddingSettings:
    """The settings.

    Args:
        file: TOML whose keys are fields of `EmbeddingSettings`; None for none.
        model: that the command line names, over the file's; empty where it names none.

    Raises:
        UserError: the file can't be read, or a key or value isn't one; all mistakes are named at once.
    """
    raw = {} if file is None else _read(file)
    if model:
        raw["model"] = model
    kinds = get_args(ModelName)
    if model and model not in kinds:
        raise UserError(f"there is no model {model!r}", "--model", nearest(model, kinds))
    where = OPTION if file is None else file.name
    known = [field.name for field in fields(EmbeddingSettings)]
    mistakes = [
        f"{where}:{key}  unknown key  {nearest(key, known)}" for key in raw if key not in known
    ]
    named = raw.get("model", EmbeddingSettings.model)
    usual = asdict(usual_settings(named)) if named in kinds else {}
    own = {key: value for key, value in raw.items() if key in known}
    settings = EmbeddingSettings()
    try:
        settings = TypeAdapter(EmbeddingSettings).validate_python({**usual, **own})
    except ValidationError as error:
        mistakes += [f"{where}:{_mistake(detail)}" for detail in error.errors()]
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        in_file = "" if file is None else f" in {file}"
        fix = f"the keys are {', '.join(known)}"
        raise UserError(f"{count}{in_file}", "\n".join(mistakes), fix)
    return settings


def _mistake(detail: Any) -> str:
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "value_error":  # of the settings' own checks, which name their keys
        return f"{key}  {detail['ctx']['error']}".strip()
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"{key}  {message}  it is now {detail['input']!r}"[:160]


def written_settings(settings: EmbeddingSettings) -> str:
    """As a TOML file that `embedding_settings` reads."""
    lines = [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value!r}"
        for key, value in asdict(settings).items()
    ]
    return "\n".join(lines) + "\n"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"the settings can't be read: {error.strerror}"
        raise UserError(problem, str(file), f"name a TOML file with {OPTION}") from None
    except UnicodeDecodeError as error:
        where = f"{file}, byte {error.start}"
        raise UserError("the settings aren't UTF-8", where, "save them as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise toml_mistake(file, error) from None
