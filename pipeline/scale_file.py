"""The scale that makes an embedding's scores probabilities, as JSON; null where none was learnt."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..models.platt_scaling import PlattScale

SCALE = "scale.json"  # in the embed stage's folder, and in that of infact embed --out


def write_scale(folder: Path, scale: PlattScale | None) -> None:
    own = None if scale is None else {**asdict(scale), "of_relation": scale.of_relation.tolist()}
    (folder / SCALE).write_text(json.dumps(own, indent=1) + "\n", encoding="utf-8")


def read_scale(folder: Path) -> PlattScale | None:
    own = json.loads((folder / SCALE).read_text(encoding="utf-8"))
    if own is None:
        return None
    return PlattScale(own["intercept"], own["slope"], np.array(own["of_relation"], dtype=float))
