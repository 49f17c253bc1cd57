"""What is asked of which arms, and what the report holds them to."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .table import Amount, Count, Table

Pool = Literal["T", "M", "I", "R", "H", "S", "D", "U"]
PromptArm = Literal[
    "few-shot",
    "calibrated",
    "soft prompt",
    "BM25",
    "dense retrieval",
    "options alone",
    "base again",
]


class AskedModel(Table):
    """Another causal language model to ask the same questions, as an arm of this name."""

    name: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]


class EvalTable(Table):
    pools: tuple[Pool, ...] = ("T", "M", "I", "R", "H", "S", "D", "U")
    """which facts are asked"""
    phrasings_per_fact: Count = 1
    """unseen phrasings in which each is asked; all but the first by choice alone"""
    rephrased_pools: tuple[Pool, ...] = ("T", "M", "I", "R", "H", "S", "D")
    """which facts are asked in more than one"""
    max_new_tokens: Count = 16
    """of a free answer"""
    batch_tokens: Count = 4096
    """scored at once"""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """in which answers are scored"""
    primary: tuple[str, Pool] = ("fused", "M")
    """arm and pool of the one comparison with the base that counts as the result"""
    prompt_arms: tuple[PromptArm, ...] = (
        "few-shot",
        "calibrated",
        "soft prompt",
        "BM25",
        "options alone",
        "base again",
    )
    """other ways of asking the base, to compare with; "dense retrieval" is one more"""
    prompt_pools: tuple[Pool, ...] = ("T", "M", "U")
    """which facts those are asked"""
    shots: Count = 4
    """worked examples before a question, for few-shot"""
    passages: Count = 5000
    """subjects whose facts are searched as text; never fewer than are asked about"""
    encoder: str = ""
    """for dense retrieval: folder of a text encoder, or package:<module>/<folder>"""
    explained: Amount = 2
    """facts of pool M for which the report says what the model read, and what that was worth"""
    model: tuple[AskedModel, ...] = ()
    """further models to ask the same questions"""

    @model_validator(mode="after")
    def _with_encoder(self) -> Self:
        if "dense retrieval" in self.prompt_arms and not self.encoder:
            raise ValueError("dense retrieval needs an encoder")
        return self

    @property
    def phrasings(self) -> dict[str, int]:
        """Pool to the number of unseen phrasings in which each of its facts is asked."""
        return dict.fromkeys(self.rephrased_pools, self.phrasings_per_fact)


class TargetTable(Table):
    """A bound that the run is held to; the report says whether it was met."""

    arm: str
    measure: Literal[
        "accuracy",
        "free answers",
        "gain",
        "share of gain",
        "share of accuracy",
        "still right",
        "perplexity ratio",
        "latency ratio",
        "consistency",
        "followed",
        "returned",
    ]
    pool: Literal["", Pool] = ""
    against: str = "base"
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target has either at_least or at_most")
        return self


class ReportTable(Table):
    title: str | None = None
    """leave out for the project's name"""
    target: tuple[TargetTable, ...] = ()
    """what the run is held to"""
