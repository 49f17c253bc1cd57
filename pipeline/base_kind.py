"""Whether the project's base is one that writes: said before anything heavy is loaded."""

import json

from ..errors import UserError
from .project import Project
from .run import existing_artifacts


def check_writes(project: Project) -> None:
    """Raise `UserError` where the base has been made and is a masked model."""
    try:
        folder = existing_artifacts(project, ["base"])["base"]
    except UserError:
        return  # what is missing is said, with all that is, by what needs it
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if any("ForMaskedLM" in name for name in told.get("architectures") or ()):
        raise UserError(
            "The base is a masked language model, which chooses among options and writes nothing.",
            f"{project.file.name}:model.base",
            "`infact ask` lets it choose with --option; `infact eval` asks it, and `infact report` tells "
            "what it chose; or name a causal model.",
        )
