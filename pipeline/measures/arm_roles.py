"""The arms and pools that a report knows: their order, what they are in plain words, their roles."""

from dataclasses import dataclass

from ...kg.questions.pools import (
    DELETED,
    IN_MEMORY,
    INFERABLE,
    REVERSED,
    SWAPPED,
    TAUGHT,
    TWO_HOP,
    UNTOUCHED,
)

BASE = "base"
REPEAT = "base again"


@dataclass(frozen=True)
class ArmKind:
    """What an arm is.

    `role`: "base"; "route" puts the facts into the model; "prompt" changes what the model reads before
    the question, or how its answer is read; "control" shows what is reached without the facts.
    """

    name: str
    role: str
    description: str


@dataclass(frozen=True)
class PoolKind:
    """What a pool asks."""

    pool: str
    name: str
    asks: str


@dataclass(frozen=True)
class ControlPair:
    """A control and the arm whose gain it examines, in one pool."""

    control: str
    arm: str
    pool: str


ARMS = (
    ArmKind(BASE, "base", "the language model as it came"),
    ArmKind(
        "base + prompt",
        "prompt",
        "the base model with the facts of the linked entities in its prompt: the route to beat",
    ),
    ArmKind("soft prompt", "prompt", "the base model after a prompt of vectors learned from facts"),
    ArmKind("few-shot", "prompt", "the base model after worked examples of the same relation"),
    ArmKind(
        "calibrated",
        "prompt",
        "the base model's scores less those that the options have without a subject",
    ),
    ArmKind(
        "BM25", "prompt", "the base model after the sentences that BM25 finds for the question"
    ),
    ArmKind(
        "dense retrieval",
        "prompt",
        "the base model after the sentences whose vectors lie nearest to the question's",
    ),
    ArmKind("pretrained", "route", "trained further on sentences written from the taught facts"),
    ArmKind(
        "distilled", "route", "trained to answer alone as the base answers with facts in its prompt"
    ),
    ArmKind("fused", "route", "the base model, frozen, reading the graph through a fusion layer"),
    ArmKind("fused + prompt", "prompt", "the fused model with facts in its prompt as well"),
    ArmKind(
        "random vectors",
        "control",
        "fused, trained alike on facts whose keys, vectors and label tokens are random",
    ),
    ArmKind(
        "shuffled graph",
        "control",
        "fused, trained alike on a graph whose objects were shuffled within each relation",
    ),
    ArmKind(
        REPEAT,
        "control",
        "the base model asked a second time in other batches: it must answer the same",
    ),
    ArmKind(
        "options alone",
        "control",
        "the base model scoring the options without the question: what their wording gives away",
    ),
    ArmKind("link prediction", "route", "graph embeddings rank the options; no language model"),
    ArmKind("majority object", "control", "always the option most frequent for the relation"),
)

POOLS = (
    PoolKind(TAUGHT, "taught", "facts in the training text, asked in phrasings never trained on"),
    PoolKind(IN_MEMORY, "in memory", "facts in the graph, of entities never used in training"),
    PoolKind(INFERABLE, "inferable", "facts hidden from graph and text, to be inferred"),
    PoolKind(REVERSED, "reversed", "taught facts asked from the object's side"),
    PoolKind(
        TWO_HOP, "two-hop", "facts in memory whose subject is described by another of its facts"
    ),
    PoolKind(
        SWAPPED, "swapped", "facts in memory after the graph was edited to say another object"
    ),
    PoolKind(
        DELETED, "deleted", "facts taken out of the graph; right is the old answer, which should go"
    ),
    PoolKind(UNTOUCHED, "untouched", "general facts, to see what was forgotten"),
)

CONTROLS = (
    ControlPair("random vectors", "fused", IN_MEMORY),
    ControlPair("shuffled graph", "fused", IN_MEMORY),
    ControlPair("majority object", "fused", IN_MEMORY),
    ControlPair("options alone", "fused", IN_MEMORY),
    ControlPair("majority object", "pretrained", TAUGHT),
    ControlPair("options alone", "pretrained", TAUGHT),
    ControlPair("majority object", "link prediction", INFERABLE),
)


def arm_kind(name: str) -> ArmKind:
    """The known kind, or a route without a description."""
    return next((kind for kind in ARMS if kind.name == name), ArmKind(name, "route", ""))


def pool_kind(pool: str) -> PoolKind:
    """The known kind, or one without a description."""
    return next((kind for kind in POOLS if kind.pool == pool), PoolKind(pool, f"pool {pool}", ""))


def in_order(names: list[str]) -> list[str]:
    """Arms in the report's order; unknown ones last, as they came."""
    known = [kind.name for kind in ARMS]
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))
