"""An unmodified language model of Hugging Face that reads facts in some of its blocks.

Nothing of the base is copied or replaced: hooks behind its blocks add what the adapter reads, and
outside of a session, or where its output is zero, the base's numbers are what comes out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import FactMemory
from .fact_states import FactStates
from .fusion_adapter import AdapterFits, base_digest, load_adapter
from .fusion_session import (
    EVERYWHERE,
    RunTokens,
    Session,
    begin_pass,
    checkpoint_contexts,
    end_pass,
    places_of_tokens,
    reading_of,
    session,
)
from .fusion_strategy import FusionStrategy
from .language_model import Kind, kind_of, load_language_model
from .transformer_blocks import transformer_blocks, with_hidden
from .written_tokens import written_tokens

NO_TOKEN = -2  # no id of a token, nor what stands before a label's first one


class FusedModel(nn.Module):
    """A base and an adapter. Called as the base is called; facts are what a `session` gives it.

    Args:
        base: any causal or masked language model; it keeps its weights and its class.
        fusion: the adapter, whose layers are numbers of the base's blocks.
        blocks: name of the base's list of blocks, where its structure doesn't tell.

    Raises:
        UserError: the blocks aren't found.
        ValueError: the adapter reads behind a block that isn't there.
    """

    base: PreTrainedModel
    fusion: FusionStrategy

    def __init__(self, base: PreTrainedModel, fusion: FusionStrategy, blocks: str = "") -> None:
        super().__init__()
        self.base = base
        self.fusion = fusion
        found = transformer_blocks(base, blocks)
        if missing := [layer for layer in fusion.layers if not 0 <= layer < len(found)]:
            raise ValueError(f"layers {missing} aren't among the base's {len(found)} blocks")
        self._handles = [
            found[layer].register_forward_hook(self._reading_hook(layer)) for layer in fusion.layers
        ]
        self._handles.append(base.get_input_embeddings().register_forward_hook(self._at_input))
        # The whole model is called, or its body without the head; some heads go past the body.
        kind = kind_of(base)
        written_tokens(
            base, torch.empty(0, dtype=torch.long)
        )  # within a pass it can't look at the head
        for module in dict.fromkeys((base, base.base_model)):
            self._handles += [
                module.register_forward_pre_hook(_beginning_hook(module, kind), with_kwargs=True),
                module.register_forward_hook(_end_pass, always_call=True),
            ]

    @classmethod
    def from_pretrained(
        cls,
        base: Path,
        adapter: Path,
        object_vectors: Tensor,
        id_space: str,
        dtype: torch.dtype = torch.float32,
    ) -> FusedModel:
        """A base and its adapter from their folders.

        Args:
            base: the model's folder.
            adapter: as `fusion_adapter.save_adapter` leaves it.
            object_vectors: (objects, G) of the graph.
            id_space: of the graph, see `AdapterFits`.
            dtype: of the base's weights.

        Raises:
            UserError: either can't be read, or the adapter is for another base or graph.
        """
        fits = AdapterFits(base_digest(base), id_space)
        fusion = load_adapter(adapter, fits, object_vectors)
        return cls(load_language_model(base, None, dtype).model, fusion)

    def _reading_hook(self, layer: int) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
            reading = reading_of(self.fusion)
            if reading is None:
                return None

            def read(hidden: Tensor) -> Tensor:
                found = self.fusion.at_block(layer, hidden, reading.run, reading.facts)
                return reading.unless_silent(layer, hidden, found)

            return with_hidden(output, read)

        return hook

    def _at_input(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        reading = reading_of(self.fusion)
        if reading is None or output.shape[:2] != reading.run.places.shape:
            return None  # the labels of facts are embedded by the same module
        return self.fusion.at_input(output, reading.run, reading.facts)

    @contextmanager
    def session(
        self,
        memory: FactMemory,
        read_from: Tensor | None = None,
        silent: Mapping[int, Tensor] | None = None,
    ) -> Iterator[None]:
        """Within, rows of a batch read the facts of their requests, in this thread alone.

        Args:
            memory: facts of R requests; a batch has R rows, or as many of each request: its beams;
                or those that `fusion_session.rows_of` says.
            read_from: (R, F) the last token of the mention that each fact belongs to; facts are read
                from there on. None: everywhere.
            silent: by layer, (R,) True for requests that read nothing there.

        Raises:
            ValueError: facts have places of their own, and nothing says which.
        """
        if read_from is None and self.fusion.own_places:
            raise ValueError("each fact has places of its own in the text: read_from says where")
        if read_from is None:
            read_from = torch.full_like(memory.relation, EVERYWHERE)

        def prepare(memory: FactMemory, read_from: Tensor) -> Any:
            return self.fusion.prepare_memory(memory, read_from, self.base)

        states = FactStates(memory)
        with session(Session(self.fusion, memory, read_from, prepare, states, silent or {})):
            yield

    def forward(self, **inputs: Any) -> Any:
        """What the base gives for these inputs."""
        return self.base(**inputs)

    def generate(self, **inputs: Any) -> Any:
        """What the base writes for these inputs; with its cache, and with beams."""
        write: Any = self.base.generate  # its type is one of torch's, which says less
        return write(**inputs)

    def checkpoint_gradients(self) -> None:
        """Compute blocks again for their gradients, with the facts that they read."""
        self.base.gradient_checkpointing_enable(
            {"use_reentrant": False, "context_fn": checkpoint_contexts}
        )

    def detach(self) -> PreTrainedModel:
        """The base without the hooks."""
        for handle in self._handles:
            handle.remove()
        return self.base


@dataclass(frozen=True)
class FactReading:
    """Facts of R requests, and the adapter through which a base reads them.

    Attributes:
        base: an unmodified model.
        fusion: the adapter.
        memory: the facts.
        read_from: (R, F) place from which each fact may be read.
    """

    base: PreTrainedModel
    fusion: FusionStrategy
    memory: FactMemory
    read_from: Tensor

    @contextmanager
    def session(self) -> Iterator[FusedModel]:
        """Within, the base reads the facts, and other sessions of the fused model may be opened."""
        fused = FusedModel(self.base, self.fusion)
        try:
            with fused.session(self.memory, self.read_from):
                yield fused
        finally:
            fused.detach()


def _beginning_hook(module: nn.Module, kind: Kind) -> Any:
    signature = inspect.signature(module.forward)  # once: a pass may be a single token

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        begin_pass(lambda: _run(signature.bind_partial(*args, **kwargs).arguments, kind))

    return hook


def _run(arguments: Mapping[str, Any], kind: Kind) -> RunTokens:
    """The tokens of a pass of a model of this kind, by its arguments."""
    given = {**arguments, **arguments.get("kwargs", {})}
    tokens = given.get("input_ids")
    run = given["inputs_embeds"] if tokens is None else tokens
    cache = given.get("past_key_values")
    past = 0 if cache is None else int(cache.get_seq_length())
    rows, length = run.shape[:2]
    places = given.get("position_ids")
    if places is None or given.get("attention_mask") is None or given["attention_mask"].dim() == 2:
        places = places_of_tokens(length, given.get("attention_mask"), past, rows)
    before = tokens
    if tokens is not None and kind == "masked":
        before = nn.functional.pad(tokens, (1, 0), value=NO_TOKEN)[:, :-1]
    return RunTokens(places.expand(rows, length).to(run.device), before, tokens)


def _end_pass(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
    end_pass()
