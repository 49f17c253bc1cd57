"""The base stage: the base model as a plain folder of safetensors, whatever it came as."""

import shutil

from ..errors import UserError
from ..models.base_model import check_model_folder, convert_gguf, copy_hub_model
from .project import is_hub_id
from .stages import StageContext


def run(context: StageContext) -> None:
    """Write the model and its tokenizer into the stage's folder.

    Raises:
        UserError: no weights, pickled weights, or a hub model without leave to use the network.
    """
    project, console = context.project, context.console
    spec = project.model.base
    if is_hub_id(spec, project.file):
        if not project.project.allow_network:
            raise UserError(
                f"{spec} is on the Hugging Face hub and the network is not allowed",
                f"{project.file.name}:model.base",
                "Set allow_network = true in [project], or give a local folder.",
            )
        console.line(f"fetching {spec}")
        copy_hub_model(spec, context.work)
        return
    source = context.files[spec]
    if source.suffix == ".gguf":
        console.line(f"converting {source.name}: about half a minute, once")
        convert_gguf(source, context.work)
        return
    check_model_folder(source)
    for file in sorted(source.iterdir()):
        if file.suffix in {".json", ".safetensors", ".txt", ".model", ".jinja"}:
            shutil.copy2(file, context.work / file.name)
