"""What an answer reads in a memory that changes the model's own states, and what it loses without.

Each fact is taken out of the memory, then all at once, and each reading layer reads nothing, one at a
time: requests of one session, so that they are rows of a batch. Before the first place that may read a fact all of them
are alike: those places are taken from the cache.

Its limits are `knock_out`'s: facts that can stand in for each other each show no effect alone, but all
at once do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .attention_weights import AnswerReading
from .fact_memory import PADDING, FactMemory
from .fused_model import FactReading, FusedModel
from .fusion_session import rows_of
from .knock_out import TOKENS_AT_ONCE, answer_log_probabilities, cache_before
from .memory_knock_out import FactWeights, LayerReading, MemoryReading, without_each_and_all
from .read_out import ReadOut


@torch.inference_mode()
def read_states_memory(
    fused: FusedModel, facts: FactReading, reading: AnswerReading, read_out: ReadOut
) -> MemoryReading:
    """Weights and knock-outs of the facts in a memory.

    Args:
        fused: the model that `facts.session` gave.
        facts: what it reads: one request, this prompt's.
        reading: the prompt and its answer, read in that session.
        read_out: over the model's states.
    """
    memory = facts.memory
    columns = (memory.relation[0] != PADDING).nonzero().squeeze(1)
    layers = fused.fusion.layers
    # The first request is as it is; then each fact is taken out, then all, then each layer is silenced.
    memories = _followed(without_each_and_all(memory, columns), memory, len(layers))
    requests = len(memories)
    silent = {
        layer: torch.arange(requests) == 2 + len(columns) + number
        for number, layer in enumerate(layers)
    }
    answering = reading.answered.answering
    start = min([answering, *facts.read_from[0, columns].clamp(min=0).tolist()])
    places = len(reading.answered.tokens) - 1 - start
    hidden, kept = [], dict[int, Tensor]()
    with fused.session(memories, facts.read_from.expand(requests, -1), silent):
        for rows in torch.arange(requests).split(max(1, TOKENS_AT_ONCE // places)):
            with rows_of(rows), _kept_weights(fused.fusion.softmaxes, kept):
                hidden.append(_run(fused, reading, start, len(rows))[:, answering - start :])
    (scores,) = answer_log_probabilities(
        fused.base, reading.answered, torch.cat(hidden), [read_out]
    )
    weights = {
        layer: _fact_weights(of[answering - start :], memory, columns) for layer, of in kept.items()
    }
    of_facts, of_all, of_layers = scores[1:].split([len(columns), 1, len(layers)])
    return MemoryReading(
        _mean(list(weights.values())),
        float(scores[0]),
        of_facts,
        float(of_all),
        tuple(
            LayerReading(layer, weights.get(layer), float(without))
            for layer, without in zip(layers, of_layers, strict=True)
        ),
    )


def _followed(memory: FactMemory, last: FactMemory, times: int) -> FactMemory:
    """A memory's requests, then another's only one so many times."""
    return FactMemory(
        torch.cat([memory.relation, last.relation.expand(times, -1)]),
        torch.cat([memory.vector, last.vector.expand(times, -1)]),
        torch.cat([memory.label, last.label.expand(times, -1, -1)]),
        torch.cat([memory.weight, last.weight.expand(times, -1)]),
    )


def _run(fused: FusedModel, reading: AnswerReading, start: int, rows: int) -> Tensor:
    """(rows, Q, D) final hidden states from place `start` on."""
    tokens = torch.tensor([reading.answered.tokens[start:-1]]).repeat(rows, 1)
    output = fused.base.base_model(
        input_ids=tokens,
        position_ids=torch.arange(start, start + tokens.shape[1])[None],
        past_key_values=cache_before(reading, start, rows),
        use_cache=True,
    )
    found: Tensor = output.last_hidden_state
    return found


@contextmanager
def _kept_weights(softmaxes: Mapping[int, nn.Module], kept: dict[int, Tensor]) -> Iterator[None]:
    """Within, the first pass leaves in `kept` the (Q, H, 1 + F·L) weights of its first row."""

    def keeping(layer: int) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            kept.setdefault(layer, output[0].float())

        return hook

    handles = [module.register_forward_hook(keeping(layer)) for layer, module in softmaxes.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _fact_weights(weights: Tensor, memory: FactMemory, columns: Tensor) -> FactWeights:
    """Of (A, H, 1 + F·L) weights, those of the facts in `columns` of a request's memory."""
    mean = weights.mean(dim=(0, 1))
    return FactWeights(float(mean[0]), mean[1:].reshape(memory.label.shape[1:]).sum(dim=1)[columns])


def _mean(weights: list[FactWeights]) -> FactWeights | None:
    if not weights:
        return None
    facts = torch.stack([each.facts for each in weights]).mean(dim=0)
    return FactWeights(sum(each.null for each in weights) / len(weights), facts)
