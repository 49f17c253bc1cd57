"""What pretraining and distillation teach with: sentences of the taught facts, domain text, anchors."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from ...kg.questions.pools import IN_MEMORY, INFERABLE
from ...models.anchors import AnchorBatch, anchor_batches, sample_texts
from ...models.kept_bottom import frozen_blocks
from ...models.language_model import LanguageModel
from ...models.masked_texts import maskable_text, masked_text
from ...models.predicted_texts import WeightedText, continued_text
from ..general_prose import general_prose
from ..stages import StageContext
from .predicted_forms import masking_rates

# How texts on anything under the sun begin; what follows is sampled from the base itself.
OPENINGS = (
    "The", "A", "In", "It was", "When", "She", "He said", "There are", "We", "This", "For example,",
    "If you", "On", "Many people", "After", "What is", "How to", "Question: What is", "Once upon a",
    "The history of", "Question: Who", "The capital of", "The city of", "Scientists have", "My",
    "According to", "One of the most", "Question: Which", "To make", "The word", "An", "During the",
)  # fmt: skip
ANCHOR_TOKENS = 40
ANCHOR_BATCH = 4
ANCHOR_PLACES = 0.25  # share of their places that a step looks at
ANY_LENGTH = 10**9  # of a text where the model has no window


@dataclass(frozen=True)
class TaughtFact:
    """A fact of pool T with every sentence that may teach it, and every question with its answer."""

    fact: str
    sentences: tuple[WeightedText, ...]
    questions: tuple[WeightedText, ...]

    @property
    def texts(self) -> tuple[WeightedText, ...]:
        """All of them, sentences first."""
        return self.sentences + self.questions


def taught_facts(facts_folder: Path) -> list[TaughtFact]:
    """Every taught fact's sentences, and its questions; the loss lies on what the later-named entity is.

    The words before it are context: predicting the phrasing and the first entity would teach the
    sentences' style and not the fact, at the cost of what the model knew.
    """
    facts = pq.read_table(facts_folder / "facts.parquet").to_pylist()
    names = {fact["fact"]: (fact["subject_label"], fact["answer"]) for fact in facts}
    sentences: dict[str, list[WeightedText]] = {}
    for row in pq.read_table(facts_folder / "sentences.parquet").to_pylist():
        text = row["text"]
        start, name = max((text.rfind(name), name) for name in names[row["fact"]])
        sentences.setdefault(row["fact"], []).append(
            WeightedText(text + "\n", max(start - 1, 0), 0.0, ((start, start + len(name)),))
        )
    prompts = training_prompts(facts_folder, sentences.keys())
    return [
        TaughtFact(
            fact,
            tuple(texts),
            tuple(_answered(prompt, names[fact][1]) for prompt in prompts.get(fact, ())),
        )
        for fact, texts in sentences.items()
    ]


def _answered(prompt: str, answer: str) -> WeightedText:
    start = len(prompt) + 1
    return WeightedText(f"{prompt} {answer}\n", len(prompt), 0.0, ((start, start + len(answer)),))


def training_prompts(facts_folder: Path, wanted: Collection[str]) -> dict[str, list[str]]:
    """Each wanted fact's questions in training phrasings, facts and phrasings as the stage wrote them."""
    prompts: dict[str, list[str]] = {}
    for row in pq.read_table(facts_folder / "questions.parquet").to_pylist():
        if row["split"] == "train" and row["fact"] in wanted:
            prompts.setdefault(row["fact"], []).append(row["prompt"])
    return prompts


def facts_of_pools(facts_folder: Path, pools: Collection[str]) -> dict[str, dict]:
    """The facts of those pools by id."""
    rows = pq.read_table(facts_folder / "facts.parquet").to_pylist()
    return {row["fact"]: row for row in rows if row["pool"] in pools}


@dataclass(frozen=True)
class LinkedText:
    """A text of the graph, and the entities that it is about: its own and those that it mentions."""

    text: WeightedText
    entities: frozenset[int]


def domain_texts(facts_folder: Path, link_folder: Path, max_characters: int) -> list[WeightedText]:
    """Linked texts of the graph that give no fact of the pools M and I away."""
    return [each.text for each in linked_texts(facts_folder, link_folder, max_characters)]


def linked_texts(facts_folder: Path, link_folder: Path, max_characters: int) -> list[LinkedText]:
    """Linked texts of the graph with their entities.

    A text is left out when it mentions both the subject and a true object of a fact of the pools M and
    I; one that is too long is cut at a sentence end.
    """
    mentioned: dict[str, set[int]] = {}
    stretches: dict[str, list[tuple[int, int]]] = {}
    columns = ["document", "entity", "start", "end"]
    for row in pq.read_table(link_folder / "mentions.parquet", columns=columns).to_pylist():
        if row["entity"] is not None:
            mentioned.setdefault(row["document"], set()).add(row["entity"])
            stretches.setdefault(row["document"], []).append((row["start"], row["end"]))
    withheld = withheld_objects(facts_folder)
    texts = []
    for row in pq.read_table(link_folder / "documents.parquet").to_pylist():
        entities = mentioned.get(row["document"], set()) | {row["entity"]}
        if len(entities) > 1 and not gives_away(entities, withheld):
            text = _cut(row["text"], max_characters)
            own = [each for each in stretches.get(row["document"], ()) if each[1] <= len(text)]
            texts.append(LinkedText(WeightedText(text, 0, 1.0, tuple(own)), frozenset(entities)))
    return texts


def withheld_objects(facts_folder: Path) -> dict[int, set[int]]:
    """By subject, the true objects of the facts that no text may tell: those of the pools M and I."""
    objects: dict[int, set[int]] = {}
    for fact in facts_of_pools(facts_folder, (IN_MEMORY, INFERABLE)).values():
        objects.setdefault(fact["subject"], set()).update(fact["objects"])
    return objects


def gives_away(entities: Set[int], withheld: Mapping[int, Set[int]]) -> bool:
    """Whether a withheld fact's subject is among the entities of a text, and an object too."""
    return any(entities & withheld[entity] for entity in entities & withheld.keys())


def _cut(text: str, max_characters: int) -> str:
    if len(text) <= max_characters:
        return text
    return text[: text.rfind(". ", 0, max_characters) + 1] or text[:max_characters]


def make_anchors(
    context: StageContext, base: LanguageModel, count: int, seed: int
) -> list[AnchorBatch]:
    """Anchor batches on `count` general texts: sampled from a causal base, prose for a masked one.

    A masked model writes nothing that could be sampled; its prose is masked at the project's rates.

    Args:
        context: of a stage that teaches what `[pretrain]` says.
        base: the model before it is taught.
        count: of texts; none where 0.
        seed: of the texts, beside the context's.
    """
    if not count:
        return []
    settings, seed, console = context.project.pretrain, context.seed + seed, context.console
    model, tokenizer, rates = base.model, base.tokenizer, masking_rates(settings)
    if base.kind == "masked":
        prose, random = general_prose(), np.random.default_rng([seed, 67])
        drawn = random.permutation(len(prose))[:count]
        whole = [WeightedText(prose[number], 0, 1.0) for number in drawn]
        maskable = [maskable_text(tokenizer, text, base.window or ANY_LENGTH) for text in whole]
        texts = [masked_text(text, rates, tokenizer, random) for text in maskable]
    else:
        openings = [OPENINGS[number % len(OPENINGS)] for number in range(count)]
        with console.progress("sampling anchors", count * ANCHOR_TOKENS, "tokens") as advance:
            sampled = sample_texts(model, tokenizer, openings, ANCHOR_TOKENS, seed, advance)
        texts = [continued_text(tokens, (1.0,) * len(tokens)) for tokens in sampled]
    frozen = frozen_blocks(model, settings.layers)
    return anchor_batches(model, texts, ANCHOR_BATCH, tokenizer.pad_token_id, frozen)


def turn_of(
    anchors: Sequence[AnchorBatch], steps: int, random: np.random.Generator
) -> list[AnchorBatch | None]:
    """One anchor batch a step, each used about equally often; None a step where there are none.

    Of its places some are drawn anew each time: the output embedding costs as much there as the blocks
    do, and the divergence's mean over a draw is that over all on average.
    """
    if not anchors:
        return [None] * steps
    turns = -(-steps // len(anchors))
    order = np.concatenate([random.permutation(len(anchors)) for _ in range(turns)])[:steps]
    return [_drawn_places(anchors[index], random) for index in order]


def _drawn_places(anchor: AnchorBatch, random: np.random.Generator) -> AnchorBatch:
    count = len(anchor.base)
    wanted = max(1, round(count * ANCHOR_PLACES))
    return anchor.at(torch.from_numpy(np.sort(random.permutation(count)[:wanted])))
