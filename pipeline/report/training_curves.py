"""The losses of every training that led to the report's arms, out of the stages' training.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..words import clean_text

TRAINING = "training.json"
LOSS_DECIMALS = 6

Curves = dict[str, list[dict[str, Any]]]


def training_curves(inputs: Mapping[str, Path]) -> Curves:
    """Mean loss of each epoch of each training, by stage.

    A stage that trains one model writes `losses` itself; one that trains several writes them under
    each one's name.

    Args:
        inputs: folder of each stage.
    """
    curves = {}
    for stage, folder in inputs.items():
        path = folder / TRAINING
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            trainings = {stage: found, **{key: of for key, of in found.items() if _trained(of)}}
            lines = [
                {
                    "name": clean_text(name),
                    "losses": [round(loss, LOSS_DECIMALS) for loss in of["losses"]],
                }
                for name, of in trainings.items()
                if _trained(of)
            ]
            if lines:
                curves[stage] = lines
    return curves


def _trained(of: object) -> bool:
    return isinstance(of, dict) and bool(of.get("losses"))
