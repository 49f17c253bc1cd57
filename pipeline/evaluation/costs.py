"""What each arm cost: training once, and reading and scoring a question."""

import json
from collections.abc import Mapping
from pathlib import Path

from .arm_answers import ArmAnswers

# Arm: the stages that trained it; distillation starts from the pretrained model and includes its cost.
TRAINED_BY = {
    "pretrained": ("pretrain",),
    "distilled": ("pretrain", "distill"),
    "soft prompt": ("prompt",),
}
UNTRAINED: dict[str, float] = {"train_seconds": 0, "train_tokens": 0, "trained_parameters": 0}


def arm_costs(
    inputs: Mapping[str, Path], answers: Mapping[str, ArmAnswers]
) -> dict[str, dict[str, float | None]]:
    """Training and asking costs of each arm.

    Args:
        inputs: folders of the stages that trained them.
        answers: of the arms that ask a model.
    """
    return {
        arm: {
            **_training(inputs, arm),
            "milliseconds_per_question": given.milliseconds,
            "prompt_tokens_per_question": given.tokens,
        }
        for arm, given in answers.items()
    }


def _training(inputs: Mapping[str, Path], arm: str) -> dict[str, float]:
    if arm in TRAINED_BY:
        return _teaching(inputs, TRAINED_BY[arm])
    name = arm.removesuffix(" + prompt")
    record = _read(inputs["fuse"] / "training.json")
    seconds = _read(inputs["fuse"] / "log" / "training.json")["seconds"]
    if name not in seconds:
        return UNTRAINED
    return {
        "train_seconds": seconds[name],
        "train_tokens": record["tokens"],
        "trained_parameters": record[name]["trained_parameters"],
    }


def _teaching(inputs: Mapping[str, Path], stages: tuple[str, ...]) -> dict[str, float]:
    records = [_read(inputs[stage] / "training.json") for stage in stages]
    seconds = [_read(inputs[stage] / "log" / "training.json")["seconds"] for stage in stages]
    return {
        "train_seconds": sum(seconds),
        "train_tokens": sum(record["tokens"] for record in records),
        "trained_parameters": records[-1]["trained_parameters"],
    }


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
