"""Greedy free generation in batches, through any read-outs, with a key-value cache.

Read-outs that have chosen the same tokens so far write one text: it is computed once for all of them
until they part.

The token chosen doesn't depend on the batch: where the two best nearly tie, the text is read again
alone, and that decides (see `near_ties`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .exact_ways import exact_ways
from .fusion_session import rows_of
from .near_ties import MARGIN, tolerance_of
from .prompt_reading import ReadPrompts, last_states, read_prompts
from .read_out import Positions, ReadOut, next_token_log_probabilities, own_read_out


@dataclass(frozen=True)
class _Text:
    """A text being written after a prompt: its tokens so far, and the read-outs that wrote them."""

    prompt: int
    tokens: tuple[int, ...]
    arms: tuple[int, ...]


@dataclass(frozen=True)
class _Live:
    """The texts still being written. Shapes: R texts, T cached places, D hidden width.

    Attributes:
        texts: the R texts; those after one prompt follow each other.
        mask: (R, T) attention mask of what is cached.
        current, previous: (R,) the last two token ids; -1 before the start.
        hidden: (R, D) final hidden state at the last place.
    """

    texts: list[_Text]
    mask: Tensor
    current: Tensor
    previous: Tensor
    hidden: Tensor


@torch.inference_mode()
def generate_greedy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    requests: Sequence[int],
    read_outs: Sequence[ReadOut],
    max_new_tokens: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> list[list[str]]:
    """Each read-out's most likely continuation of each prompt, up to the first line end.

    A prompt is read once for all read-outs, and their answers are written in one batch.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        prompts: texts to complete.
        requests: for each prompt, the number by which the read-outs know it.
        read_outs: turn hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which an answer is cut.
        batch_size: prompts in one pass.
        advance: called with the number of prompts just answered.

    Returns:
        For each read-out, the answer to each prompt.
    """
    answers = [[""] * len(prompts) for _ in read_outs]
    encoded = tokenizer(list(prompts))["input_ids"] if prompts else []
    order = sorted(range(len(prompts)), key=lambda number: len(encoded[number]))
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        asked = torch.tensor([requests[number] for number in numbers])
        with rows_of(asked):
            read = read_prompts(model, [encoded[n] for n in numbers], tokenizer.pad_token_id or 0)
        found = complete_prompts(model, tokenizer, read, asked, read_outs, max_new_tokens)
        for arm, texts in enumerate(found):
            for number, text in zip(numbers, texts, strict=True):
                answers[arm][number] = text
        advance(len(numbers))
    return answers


def generate_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    max_new_tokens: int,
    batch_size: int,
) -> list[str]:
    """The model's own most likely continuation of each prompt, up to the first line end.

    An architecture without positions and a key-value cache is asked one prompt at a time by
    transformers' own loop.
    """
    if "shared" in exact_ways(model):
        read_outs, numbers = [own_read_out], range(len(prompts))
        return generate_greedy(
            model, tokenizer, prompts, numbers, read_outs, max_new_tokens, batch_size, _ignore
        )[0]
    return [_by_transformers(model, tokenizer, prompt, max_new_tokens) for prompt in prompts]


def _by_transformers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, max_new_tokens: int
) -> str:
    encoded = torch.tensor([tokenizer(prompt)["input_ids"]])
    output = cast(Any, model).generate(
        encoded,
        attention_mask=torch.ones_like(encoded),
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        pad_token_id=tokenizer.pad_token_id or 0,
        eos_token_id=tokenizer.eos_token_id,
    )
    return _answer(tokenizer, output[0, encoded.shape[1] :].tolist())


def _ignore(done: int) -> None:
    return None


@torch.inference_mode()
def complete_prompts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    read: ReadPrompts,
    requests: Tensor,
    read_outs: Sequence[ReadOut],
    max_new_tokens: int,
) -> list[list[str]]:
    """For each read-out, its answer to each of B prompts that were read; uses up their cache.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        read: the prompts.
        requests: (B,) number by which read-outs know each.
        read_outs: turn hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which an answer is cut.
    """
    answers = [[""] * len(requests) for _ in read_outs]
    everyone = tuple(range(len(read_outs)))
    begun = [_Text(prompt, (), everyone) for prompt in range(len(requests))]
    live = _Live(begun, read.mask, read.current, read.previous, read.hidden)
    decide = _Decisions(model, read.encoded, requests, read_outs)
    for step in range(max_new_tokens):
        going: list[_Text] = []
        origins: list[int] = []
        for row, text in decide.next_texts(live):
            if _ends(tokenizer, text) or step == max_new_tokens - 1:
                for arm in text.arms:
                    answers[arm][text.prompt] = _answer(tokenizer, text.tokens)
            else:
                going.append(text)
                origins.append(row)
        if not going:
            break
        with rows_of(requests[[text.prompt for text in going]]):
            live = _read_on(model, read, live, going, torch.tensor(origins))
    return answers


def _read_on(
    model: PreTrainedModel, read: ReadPrompts, live: _Live, going: list[_Text], origins: Tensor
) -> _Live:
    """Read the last token of each text, whose other tokens are cached at its row in `origins`."""
    if origins.tolist() != list(range(len(live.texts))):
        read.cache.batch_select_indices(origins)
    tokens = torch.tensor([text.tokens[-1] for text in going])
    mask = nn.functional.pad(live.mask[origins], (0, 1), value=1)
    hidden = last_states(model, tokens[:, None], mask, read.cache)
    return _Live(going, mask, tokens, live.current[origins], hidden)


def _answer(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """The first line that isn't empty."""
    text = str(tokenizer.decode(list(tokens), skip_special_tokens=True))
    return text.lstrip().split("\n")[0].strip()


def _ends(tokenizer: PreTrainedTokenizerBase, text: _Text) -> bool:
    """A line end before any word is layout, not the end of the answer."""
    if text.tokens[-1] == tokenizer.eos_token_id:
        return True
    return "\n" in str(tokenizer.decode(list(text.tokens))).lstrip()


@dataclass(frozen=True)
class _Decisions:
    """What the read-outs write next.

    Attributes:
        model: the language model.
        encoded: each prompt's token ids.
        requests: (B,) number by which read-outs know each prompt.
        read_outs: the arms.
    """

    model: PreTrainedModel
    encoded: Sequence[Sequence[int]]
    requests: Tensor
    read_outs: Sequence[ReadOut]

    def next_texts(self, live: _Live) -> list[tuple[int, _Text]]:
        """Each text with one token more, as many of it as its read-outs chose; before it, its row."""
        own = next_token_log_probabilities(self.model, live.hidden)
        request = self.requests[torch.tensor([text.prompt for text in live.texts])]
        places = Positions(live.hidden, live.current, live.previous, request)
        chosen: list[dict[int, list[int]]] = [{} for _ in live.texts]
        for arm, read_out in enumerate(self.read_outs):
            rows = [row for row, text in enumerate(live.texts) if arm in text.arms]
            if not rows:
                continue
            index = torch.tensor(rows)
            table = read_out(places.select(index), own[index])
            for row, token in zip(rows, self._choose(table, rows, live, read_out), strict=True):
                chosen[row].setdefault(token, []).append(arm)
        return [
            (row, _Text(text.prompt, (*text.tokens, token), tuple(arms)))
            for row, text in enumerate(live.texts)
            for token, arms in chosen[row].items()
        ]

    def _choose(
        self, table: Tensor, rows: Sequence[int], live: _Live, read_out: ReadOut
    ) -> list[int]:
        """The likeliest token of each row of the (N, V) table."""
        best, tokens = table.topk(2, dim=-1)
        tolerance = MARGIN * tolerance_of(self.model.dtype)
        near = best[:, 0] - best[:, 1] <= tolerance * best[:, 0].abs().clamp(min=1.0)
        chosen = tokens[:, 0].tolist()
        for place in near.nonzero().flatten().tolist():
            chosen[place] = self._alone(live.texts[rows[place]], read_out)
        return chosen

    def _alone(self, text: _Text, read_out: ReadOut) -> int:
        """The likeliest token after a text that is read again from its first token, by itself."""
        tokens = torch.tensor([[*self.encoded[text.prompt], *text.tokens]])
        request = self.requests[text.prompt : text.prompt + 1]
        with rows_of(request):
            hidden = self.model.base_model(tokens, use_cache=False).last_hidden_state[:, -1]
        previous = tokens[:, -2] if tokens.shape[1] > 1 else torch.tensor([-1])
        place = Positions(hidden, tokens[:, -1], previous, request)
        own = next_token_log_probabilities(self.model, hidden)
        return int(read_out(place, own)[0].argmax())
