"""What an embedding is trained by: the model, its loss, its regulariser and the optimiser's numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

ModelName = Literal["transe", "distmult", "complex", "rotate"]
LossName = Literal["one_vs_all", "negative_sampling"]
Corruption = Literal["filtered", "unfiltered"]
RegulariserName = Literal["none", "n3", "dura"]
OptimizerName = Literal["adagrad", "adam"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "bfloat16"]

COMPLEX_MODELS = ("complex", "rotate")  # their numbers are pairs of real ones
DISTANCE_MODELS = ("transe", "rotate")  # a score is the negative of a distance

_CHOICES = {
    "model": ModelName,
    "loss": LossName,
    "regulariser": RegulariserName,
    "corruption": Corruption,
    "optimizer": OptimizerName,
    "schedule": Schedule,
    "precision": Precision,
}
_AT_LEAST_ONE = ("dimension", "negatives", "batch_size", "epochs", "validate_every")
_ABOVE_ZERO = ("learning_rate", "margin", "initial_scale")
_NOT_BELOW_ZERO = (
    "regularisation",
    "relation_weight",
    "adversarial_temperature",
    "patience",
)


@dataclass(frozen=True)
class EmbeddingSettings:
    """Each field with its unit behind it; the defaults are those of ComplEx with N3 (Lacroix et al. 2018).

    Raises:
        ValueError: a number is out of its range, or two settings don't go together.
    """

    model: ModelName = "complex"
    dimension: int = 200  # real numbers of an entity; ComplEx, RotatE: half as many complex
    loss: LossName = "one_vs_all"
    regulariser: RegulariserName = "n3"
    regularisation: float = 0.01  # its weight beside the loss, which is in nats a triple
    relation_weight: float = 0.0  # of predicting the relation of (h, ?, t), one_vs_all alone
    negatives: int = 32  # a triple, negative_sampling alone
    corruption: Corruption = "unfiltered"  # "filtered": what is true in training is no negative
    adversarial_temperature: float = 1.0  # 0 weighs all negatives alike
    margin: float = 9.0  # a score is good above -margin; negative_sampling alone
    batch_size: int = 512  # triples of a step; each direction of a triple counts as one
    learning_rate: float = 0.1  # its peak
    schedule: Schedule = "constant"  # "cosine" falls to 0 at the last epoch, and lets noise settle
    optimizer: OptimizerName = "adagrad"
    initial_scale: float = 1e-3  # standard deviation of the vectors' start
    precision: Precision = "float32"  # of one_vs_all's products with every entity
    epochs: int = 40  # passes over both directions of the triples, at most
    patience: int = 0  # validations without a better MRR before it stops; 0: it never does
    validate_every: int = 5  # epochs

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise ValueError(f"{name} is {getattr(self, name)!r}, which is none of {known}")
        for field in fields(self):
            self._check_number(field.name)
        if self.model in COMPLEX_MODELS and self.dimension % 2:
            raise ValueError(f"dimension is {self.dimension}, and {self.model} needs an even one")
        self._check_together()

    def _check_together(self) -> None:
        distance = self.model in DISTANCE_MODELS
        if distance and self.regulariser != "none":
            raise ValueError(
                f'regulariser is "{self.regulariser}", and {self.model} takes none, as it is a '
                "distance; usual_settings names what it takes"
            )
        if distance or self.loss != "one_vs_all":
            for name, off in (("precision", "float32"), ("relation_weight", 0)):
                if getattr(self, name) != off:
                    raise ValueError(f"{name} is for one_vs_all with distmult or complex alone")

    def _check_number(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, str):
            return
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}, which is no number")
        if name in _AT_LEAST_ONE and value < 1:
            raise ValueError(f"{name} is {value}, and must be at least 1")
        if name in _ABOVE_ZERO and value <= 0:
            raise ValueError(f"{name} is {value}, and must be above 0")
        if name in _NOT_BELOW_ZERO and value < 0:
            raise ValueError(f"{name} is {value}, and must not be below 0")


def usual_settings(model: ModelName) -> EmbeddingSettings:
    """Where to begin with a model: products by 1-vs-all and N3, distances by negative sampling."""
    if model in DISTANCE_MODELS:
        return EmbeddingSettings(
            model,
            loss="negative_sampling",
            regulariser="none",
            regularisation=0.0,
            optimizer="adam",
            learning_rate=1e-3,
            initial_scale=0.1,
        )
    return EmbeddingSettings(model)
