"""A training's state as a file: weights, optimiser state, best weights, progress and random state.

Checkpoints are safetensors, written beside and renamed into place.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .validation import History


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes:
        steps: taken.
        losses: the mean loss of each epoch, so far.
        validation: scores so far.
        best: the weights at the best of them, by name; empty before the first.
    """

    steps: int = 0
    losses: tuple[float, ...] = ()
    validation: History = ()
    best: dict[str, Tensor] = field(default_factory=dict)


def save_checkpoint(
    path: Path,
    trained: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write all of it, then rename into place."""
    tensors = {f"weight/{name}": value.detach() for name, value in trained.items()}
    tensors |= {f"best/{name}": value for name, value in progress.best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer/{index}/{key}"] = torch.as_tensor(value)
    tensors["random/state"] = torch.get_rng_state()  # dropout draws from it
    beside = path.with_suffix(".writing")
    words = {
        "steps": progress.steps,
        "losses": progress.losses,
        "validation": progress.validation,
    }
    save_file(
        {key: value.contiguous() for key, value in tensors.items()},
        beside,
        {"progress": json.dumps(words)},
    )
    os.replace(beside, path)


def load_checkpoint(
    path: Path, trained: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
) -> Progress:
    """Load a checkpoint into `trained` and `optimizer`; nothing done where there is none."""
    if not path.exists():
        return Progress()
    state: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    best: dict[str, Tensor] = {}
    with safe_open(path, framework="pt") as file:
        words = json.loads(file.metadata()["progress"])
        for key in file.keys():  # noqa: SIM118  (safe_open is no mapping)
            kind, _, rest = key.partition("/")
            if kind == "weight":
                with torch.no_grad():
                    trained[rest].copy_(file.get_tensor(key))
            elif kind == "best":
                best[rest] = file.get_tensor(key)
            elif kind == "random":
                torch.set_rng_state(file.get_tensor(key))
            else:
                index, _, name = rest.partition("/")
                own = state.setdefault(int(index), {})
                if name in own:  # a table stays where it lies
                    own[name].copy_(file.get_tensor(key))
                else:
                    own[name] = file.get_tensor(key)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    history = tuple((epoch, score) for epoch, score in words.get("validation", ()))
    return Progress(words["steps"], tuple(words["losses"]), history, best)
