"""What an answer loses when a span of its prompt, or a layer, is knocked out.

Attention knock-out (Geva et al. 2023): a mask keeps places from attending to a span, in all layers
or in one, and the effect is the change of the answer's log-probability. Everything before the first
place that a knock-out changes is read once and taken from the cache; knock-outs are the rows of a
batch, each with its own 4-D mask.

It fails where the model can do without any one of several copies: each alone then shows no effect
though all together would. A mask also leaves a gap that no text has; an effect is of the gap too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_utils import PreTrainedModel

from .altered_blocks import altered_blocks
from .answered_prompt import AnsweredPrompt
from .attention_weights import AnswerReading
from .option_scoring import PLACES_AT_ONCE
from .read_out import Positions, ReadOut, next_token_log_probabilities

TOKENS_AT_ONCE = 256  # of one pass: a wider one runs places again that its later rows have cached


@dataclass(frozen=True)
class SpanBlocked:
    """In no layer may a place outside the span attend to the span's tokens.

    Within itself the span is read as before, but nothing later learns of it.

    Attributes:
        tokens: their places, ascending.
    """

    tokens: tuple[int, ...]


@dataclass(frozen=True)
class LayerBlocked:
    """In one layer, places from `since` on may not attend to `tokens` that aren't their own."""

    layer: int
    tokens: tuple[int, ...]
    since: int


@dataclass(frozen=True)
class LayerSkipped:
    """One block is passed by at places from `since` on: what it would add isn't added."""

    layer: int
    since: int


KnockOut = SpanBlocked | LayerBlocked | LayerSkipped


def positions_of(answered: AnsweredPrompt, hidden: Tensor) -> Positions:
    """The answering places of R readings, one reading after the other.

    Args:
        answered: the tokens.
        hidden: (R, A, D) final hidden states.
    """
    rows, places, width = hidden.shape
    start = answered.answering
    padded = (-1, *answered.tokens)
    return Positions(
        hidden.reshape(rows * places, width),
        torch.tensor(answered.tokens[start : start + places]).repeat(rows),
        torch.tensor(padded[start : start + places]).repeat(rows),
        torch.zeros(rows * places, dtype=torch.long),
    )


@torch.inference_mode()
def knocked_out_scores(
    model: PreTrainedModel,
    reading: AnswerReading,
    knock_outs: Sequence[KnockOut],
    read_outs: Sequence[ReadOut],
) -> Tensor:
    """Log-probability of the whole answer, in nats, as it is and under each knock-out.

    Args:
        model: an unmodified causal language model, attending as when it made `reading`.
        reading: the prompt and its answer.
        knock_outs: V of them, each measured alone.
        read_outs: W; their memory's request 0 is this prompt's.

    Returns:
        (W, 1 + V). One that no answering place could notice is 0 away from the first, exactly.
    """
    answered = reading.answered
    hidden = reading.hidden[None].repeat(1 + len(knock_outs), 1, 1)
    for start, rows in _passes(answered, knock_outs):
        chosen = [knock_outs[row] for row in rows]
        hidden[[1 + row for row in rows]] = _run(model, reading, chosen, start)
    return answer_log_probabilities(model, answered, hidden, read_outs)


@torch.inference_mode()
def answer_log_probabilities(
    model: PreTrainedModel,
    answered: AnsweredPrompt,
    hidden: Tensor,
    read_outs: Sequence[ReadOut],
) -> Tensor:
    """(W, R) log-probability of the answer by each of W read-outs, from (R, A, D) hidden states."""
    targets = torch.tensor(answered.targets).repeat(len(hidden))
    positions = positions_of(answered, hidden)
    found = torch.empty(len(read_outs), len(positions))
    for start in range(0, len(positions), PLACES_AT_ONCE):
        part = slice(start, start + PLACES_AT_ONCE)
        places = positions.select(part)
        own = next_token_log_probabilities(model, places.hidden)
        for number, read_out in enumerate(read_outs):
            table = read_out(places, own)
            found[number, part] = table.gather(1, targets[part][:, None]).squeeze(1)
    return found.reshape(len(read_outs), len(hidden), -1).sum(dim=2)


def _passes(
    answered: AnsweredPrompt, knock_outs: Sequence[KnockOut]
) -> Iterator[tuple[int, list[int]]]:
    """Numbers of knock-outs that are run together, with the first place that must be run."""
    places = len(answered.tokens) - 1
    changed = [_first_changed(knock_out) for knock_out in knock_outs]
    starts = {
        row: min(place, answered.answering)
        for row, place in enumerate(changed)
        if place is not None and place < places
    }
    rows: list[int] = []
    for row in sorted(starts, key=lambda row: (starts[row], row)):
        if rows and (places - starts[rows[0]]) * (len(rows) + 1) > TOKENS_AT_ONCE:
            yield starts[rows[0]], rows
            rows = []
        rows.append(row)
    if rows:
        yield starts[rows[0]], rows


def _first_changed(knock_out: KnockOut) -> int | None:
    """The first place whose states differ; None where nothing is knocked out."""
    if isinstance(knock_out, LayerSkipped):
        return knock_out.since
    if not knock_out.tokens:
        return None
    if isinstance(knock_out, LayerBlocked):
        return max(knock_out.since, knock_out.tokens[0])
    place = knock_out.tokens[0]
    while place in knock_out.tokens:
        place += 1
    return place


def _run(
    model: PreTrainedModel, reading: AnswerReading, knock_outs: Sequence[KnockOut], start: int
) -> Tensor:
    """(V, A, D) final hidden states at the answering places; places before `start` are cached."""
    answered = reading.answered
    tokens = torch.tensor([answered.tokens[start:-1]]).repeat(len(knock_outs), 1)
    places = torch.arange(start, len(answered.tokens) - 1)
    hidden, blocked, skipped = _masks(knock_outs, places)
    mask = torch.zeros(hidden.shape, dtype=model.dtype)
    mask = mask.masked_fill(hidden, torch.finfo(model.dtype).min)
    with altered_blocks(model, blocked, skipped):
        output = model.base_model(
            input_ids=tokens,
            attention_mask=mask[:, None],
            position_ids=places[None],
            past_key_values=cache_before(reading, start, len(knock_outs)),
            use_cache=True,
        )
    return output.last_hidden_state[:, answered.answering - start :]


def cache_before(reading: AnswerReading, start: int, rows: int) -> DynamicCache:
    """The first `start` places for `rows` rows; it may be written to."""
    if not start:
        return DynamicCache()
    cache = deepcopy(reading.cache)
    cache.crop(start - cache.get_seq_length())
    cache.batch_repeat_interleave(rows)
    return cache


def _masks(
    knock_outs: Sequence[KnockOut], places: Tensor
) -> tuple[Tensor, dict[int, Tensor], dict[int, Tensor]]:
    """What is hidden in all layers, and by layer what is blocked and what is skipped.

    Shapes: V knock-outs, Q `places` to run, K all places up to the last: (V, Q, K), by layer
    (V, Q, K) and by layer (V, Q).
    """
    count, keys = len(knock_outs), torch.arange(int(places[-1]) + 1)
    hidden = (keys[None] > places[:, None]).repeat(count, 1, 1)
    blocked: dict[int, Tensor] = {}
    skipped: dict[int, Tensor] = {}
    for row, knock_out in enumerate(knock_outs):
        if isinstance(knock_out, LayerSkipped):
            past = skipped.setdefault(knock_out.layer, hidden.new_zeros(count, len(places)))
            past[row] = places >= knock_out.since
            continue
        tokens = torch.tensor(knock_out.tokens)
        away = torch.isin(keys, tokens)[None] & ~torch.isin(places, tokens)[:, None]
        if isinstance(knock_out, SpanBlocked):
            hidden[row] |= away
        else:
            layer = blocked.setdefault(knock_out.layer, torch.zeros_like(hidden))
            layer[row] = away & (places >= knock_out.since)[:, None]
    return hidden, blocked, skipped
