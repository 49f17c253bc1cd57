"""The base stage: the base model as a plain folder of safetensors, whatever it came as."""

import json
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..errors import UserError
from ..models.base_model import check_model_folder, convert_gguf, copy_hub_model, folder_kind
from .encoder_head import give_head
from .project import is_hub_id
from .stages import StageContext


def run(context: StageContext) -> None:
    """Write the model and its tokenizer into the stage's folder.

    A text encoder gets the head that it lacks; head.json then says on what it was trained.

    Raises:
        UserError: no weights, pickled or damaged ones, a configuration that names no architecture,
            or a hub model without leave to use the network.
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
        _check_gguf(source)
        console.line(f"converting {source.name}: about half a minute, once")
        try:
            convert_gguf(source, context.work)
        except (ValueError, KeyError, EOFError, IndexError) as error:
            fix = "Download it again; if it is whole, transformers can't read its kind yet."
            raise UserError(f"The GGUF file can't be read: {error}", str(source), fix) from error
        return
    if source.is_file():
        fix = "Give a .gguf file, a folder written by save_pretrained(), or a Hugging Face id."
        raise UserError("The base model is neither a GGUF file nor a folder.", str(source), fix)
    check_model_folder(source)
    _check_configuration(source / "config.json")
    for weights in sorted(source.glob("*.safetensors")):
        _check_weights(weights)
    for file in sorted(source.iterdir()):
        if file.suffix in {".json", ".safetensors", ".txt", ".model", ".jinja"}:
            shutil.copy2(file, context.work / file.name)
    if folder_kind(context.work) == "masked":
        give_head(context)


def _check_gguf(file: Path) -> None:
    with file.open("rb") as start:
        if start.read(4) != b"GGUF":
            fix = "Download it again, or give a folder written by save_pretrained()."
            raise UserError("This isn't a GGUF file, whatever its name says.", str(file), fix)


def _check_configuration(file: Path) -> None:
    """Said now rather than by the first stage that loads the model."""
    fix = "Give a folder written by save_pretrained()."
    try:
        configuration = json.loads(file.read_bytes())
    except ValueError as error:
        what = f"The model's configuration isn't JSON: {error}"
        raise UserError(what, str(file), fix) from None
    if not isinstance(configuration, dict) or "model_type" not in configuration:
        raise UserError("The model's configuration has no model_type.", str(file), fix)


def _check_weights(file: Path) -> None:
    """The header of a safetensors file tells whether all of it is there."""
    try:
        with safe_open(file, framework="np"):
            return
    except SafetensorError as error:
        what = f"The model's weights are damaged: {error}"
        raise UserError(what, str(file), "Copy or download them again.") from None
