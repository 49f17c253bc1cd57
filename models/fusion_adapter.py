"""A fusion adapter on disk, laid out as PEFT lays out its own: it fits one base and one graph.

    adapter_model.safetensors    the trained tensors, and the relations' keys
    adapter_config.json          strategy, sizes, digest of the base, id space of the graph

The objects' vectors aren't in it: they are the graph's, and follow it when it changes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import UserError
from .attention_fusion import AttentionFusion
from .base_model import check_model_folder
from .early_fusion import EarlyFusion
from .fusion_strategy import FusionStrategy
from .interactive_fusion import InteractiveFusion

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
STRATEGIES: dict[str, type[FusionStrategy]] = {
    kind.name: kind for kind in (EarlyFusion, InteractiveFusion, AttentionFusion)
}


@dataclass(frozen=True)
class AdapterFits:
    """What an adapter was trained for.

    Attributes:
        base: digest of the base's weights, as `base_digest` gives it.
        id_space: digest of the graph's entities, as `KnowledgeGraph.id_space` gives it: vectors are
            looked up by entity number.
    """

    base: str
    id_space: str


def base_digest(folder: Path) -> str:
    """sha256 hex of the weights in a model's folder, in whatever precision they are loaded.

    Raises:
        UserError: it holds no safetensors.
    """
    check_model_folder(folder)
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()


def save_adapter(fusion: FusionStrategy, fits: AdapterFits, folder: Path) -> None:
    """Write the adapter into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in fusion.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    config = {"fusion": fusion.name, **asdict(fits), "settings": dict(fusion.settings)}
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def load_adapter(folder: Path, fits: AdapterFits, object_vectors: Tensor) -> FusionStrategy:
    """The adapter in a folder, in evaluation mode.

    Args:
        folder: as `save_adapter` leaves it.
        fits: the base and the graph that it is to be used with.
        object_vectors: (objects, G) of that graph.

    Raises:
        UserError: it isn't there, is damaged or no fusion adapter, or was trained for another base,
            graph or width of vectors.
    """
    config = _config(folder)
    _check_fits(config, fits, folder)
    try:
        width = config["settings"]["vector"]
        tensors = load_file(folder / WEIGHTS)
        relation_keys = tensors["relation_keys"]
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if object_vectors.dim() != 2 or object_vectors.shape[1] != width:
        raise UserError(
            f"the adapter reads vectors of {width} numbers, and these have the shape "
            f"{tuple(object_vectors.shape)}",
            str(folder),
            "use the vectors that it was trained with, or train it anew",
        )
    try:
        kind = STRATEGIES[config["fusion"]]
        fusion = kind.of_settings(config["settings"], relation_keys, object_vectors)
        fusion.load_state_dict(tensors)
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, error) from error
    return fusion.eval()


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from error
    if not isinstance(config, dict) or config.get("fusion") not in STRATEGIES:
        said = config.get("fusion") or config.get("peft_type") if isinstance(config, dict) else None
        raise UserError(
            "this is no fusion adapter" + (f" but one of {said}" if said else ""),
            str(folder),
            "name a folder that `infact fuse` made",
        )
    return config


def _check_fits(config: dict[str, Any], fits: AdapterFits, folder: Path) -> None:
    for what, name in (("base model", "base"), ("graph", "id_space")):
        trained, asked = config.get(name), getattr(fits, name)
        if trained != asked:
            raise UserError(
                f"the adapter was trained for another {what} "
                f"({str(trained)[:8]}…, not {asked[:8]}…)",
                str(folder),
                f"load it with that {what}, or train it anew",
            )


def _damaged(folder: Path, error: Exception) -> UserError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UserError(f"the adapter can't be read: {said}", str(folder), "train it anew")
