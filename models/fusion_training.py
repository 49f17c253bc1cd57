"""Training pointers on cached states of the frozen base: an epoch takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import FactMemory, drop_facts
from .invariant_fusion import InvariantFusion
from .label_pointer import FusionBatch, LabelPointer, PointerSizes, label_log_probabilities
from .language_model import kind_of
from .late_fusion import LateFusion
from .masked_states import answer_rows, masked_states
from .option_scoring import PLACES_AT_ONCE, TreeStates, tree_states
from .option_tree import OptionTree, merge_sequences, shared_length
from .read_out import Positions, next_token_log_probabilities
from .token_batches import padded_tokens

LABELS_AT_ONCE = 64
POINTERS: dict[str, type[LabelPointer]] = {
    kind.name: kind for kind in (LateFusion, InvariantFusion)
}


def answer_tree(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> OptionTree:
    """A prompt with its one answer and a line end, all of whose tokens are scored."""
    alone = tokenizer(prompt)["input_ids"]
    whole = tokenizer(f"{prompt} {answer}\n")["input_ids"]
    return merge_sequences([whole], [shared_length(alone, whole)])


@dataclass(frozen=True)
class FusionStates:
    """What the frozen base contributes to training. Shapes: N places, V vocabulary.

    Attributes:
        places: the N places that predict an answer token; `request` numbers the question.
        target: (N,) the answer token.
        tokens: that the base ran, padding left out.
    """

    places: Positions
    target: Tensor
    tokens: int


def fusion_states(
    model: PreTrainedModel,
    trees: Sequence[OptionTree],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> FusionStates:
    """Run the base once over the answer trees."""
    states: TreeStates = tree_states(model, trees, batch_tokens, advance)
    return _scored(states, sum(len(tree) for tree in trees))


def answer_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    answered: Sequence[tuple[str, str]],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> FusionStates:
    """Run the base once over prompts with their answers, by its kind.

    Args:
        model: frozen.
        tokenizer: a fast one.
        answered: prompts and answers.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of answers just done.
    """
    if kind_of(model) == "causal":
        trees = [answer_tree(tokenizer, prompt, answer) for prompt, answer in answered]
        return fusion_states(model, trees, batch_tokens, advance)
    rows = [answer_rows(tokenizer, prompt, answer) for prompt, answer in answered]
    flat = [row for own in rows for row in own]
    requests = [number for number, own in enumerate(rows) for _ in own]
    states = masked_states(model, flat, requests, batch_tokens, advance)
    return _scored(states, sum(len(row.tokens) for row in flat))


def _scored(states: TreeStates, tokens: int) -> FusionStates:
    return FusionStates(states.positions.select(states.scored_row), states.scored_token, tokens)


@torch.no_grad()
def fusion_rows(
    model: PreTrainedModel, states: FusionStates, memories: Sequence[FactMemory]
) -> list[FusionBatch]:
    """For each memory, every place with it and the base's log-probabilities, as one batch to draw from.

    The base's distribution at a place is computed once for all memories.
    """
    labels: list[list[Tensor]] = [[] for _ in memories]
    targets = []
    for start in range(0, len(states.places), PLACES_AT_ONCE):
        places = states.places.select(slice(start, start + PLACES_AT_ONCE))
        base = next_token_log_probabilities(model, places.hidden)
        for found, memory in zip(labels, memories, strict=True):
            found.append(label_log_probabilities(base, memory.select(places.request)))
        target = states.target[start : start + PLACES_AT_ONCE]
        targets.append(base.gather(1, target[:, None]).squeeze(1))
    embeddings = model.get_input_embeddings()(states.places.current).float()
    return [
        FusionBatch(
            states.places,
            embeddings,
            torch.cat(found),
            torch.cat(targets),
            states.target,
            memory.select(states.places.request),
        )
        for found, memory in zip(labels, memories, strict=True)
    ]


def epoch_of_rows(
    rows: FusionBatch, batch_size: int, dropout: float, seed: int, epoch: int
) -> list[FusionBatch]:
    """Random batches of places, facts dropped at random and their order left to the softmax."""
    order = np.random.default_rng([seed, 31, epoch]).permutation(len(rows.target))
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    batches = []
    for start in range(0, len(order), batch_size):
        chosen = torch.from_numpy(order[start : start + batch_size])
        batches.append(
            FusionBatch(
                rows.positions.select(chosen),
                rows.embeddings[chosen],
                rows.base_label[chosen],
                rows.base_target[chosen],
                rows.target[chosen],
                drop_facts(rows.memory.select(chosen), dropout, generator),
            )
        )
    return batches


@torch.no_grad()
def text_keys(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> Tensor:
    """(texts, D) mean final hidden state of each text's tokens: the text in the model's own space."""
    keys = []
    for start in range(0, len(texts), LABELS_AT_ONCE):
        encoded = tokenizer([" " + text for text in texts[start : start + LABELS_AT_ONCE]])
        tokens, mask = padded_tokens(encoded["input_ids"], padding=0)
        output = model.base_model(input_ids=tokens, attention_mask=mask, use_cache=False)
        weights = mask[:, :, None].float()
        total = (output.last_hidden_state.float() * weights).sum(dim=1)
        keys.append(total / weights.sum(dim=1))
    return torch.cat(keys)


def save_pointer(pointer: LabelPointer, path: Path) -> None:
    """Write the trained top; object vectors stay in the embed stage's file."""
    tensors = {name: value.contiguous() for name, value in pointer.state_dict().items()}
    save_file(tensors, path)


def load_pointer(name: str, path: Path, object_vectors: Tensor) -> LabelPointer:
    """The trained top in `path`, of the strategy of this name, over `object_vectors` (objects, G)."""
    tensors = load_file(path)
    keys = tensors["relation_keys"]
    sizes = PointerSizes(keys.shape[1], object_vectors.shape[1], len(tensors["query.bias"]))
    pointer = POINTERS[name](sizes, keys, object_vectors)
    pointer.load_state_dict(tensors)
    return pointer.eval()
