"""What every fusion strategy that changes a model's own states has in common.

A strategy may meet the text at two kinds of places of an unmodified model: its input embeddings, and
its blocks' outputs. What it doesn't say is left as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import FactMemory, TokenFact
from .fact_vectors import FactVectors, fact_vectors
from .fusion_session import TextRun
from .placed_texts import PlacedText, mentioned_text, placed_text


@dataclass(frozen=True)
class FusionSizes:
    """Widths: D of the language model, G of the object vectors; H heads, and K of each.

    Attributes:
        layers: numbers of the blocks behind which facts are read, ascending.
    """

    hidden: int
    vector: int
    layers: tuple[int, ...]
    heads: int = 4
    key: int = 64

    @property
    def width(self) -> int:
        """Of all heads together."""
        return self.heads * self.key


class FusionStrategy(nn.Module, ABC):
    """An adapter over the relations' keys and the objects' vectors.

    Args:
        sizes: its widths and layers.
        relation_keys: (relations, D) labels of the relations in the model's own space.
        object_vectors: (objects, G), of whatever source; no part of what is saved.
    """

    name: ClassVar[str]
    own_places: ClassVar[bool] = False  # whether facts stand in the text itself
    relation_keys: Tensor
    object_vectors: Tensor

    def __init__(self, sizes: FusionSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("relation_keys", relation_keys)
        self.register_buffer("object_vectors", object_vectors, persistent=False)

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the blocks behind which facts are read, ascending."""
        return self.sizes.layers

    @property
    def softmaxes(self) -> Mapping[int, nn.Module]:
        """By layer, the module whose output is its attention to the facts, so that it can be watched.

        Shapes: B rows, Q tokens, H heads, F facts, L label tokens. It gives (B, Q, H, 1 + F·L): the
        null slot, then the label tokens of the first fact, of the second and so on; they sum to 1.
        Layers that read otherwise aren't named; what they read is still knocked out.
        """
        return {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What `of_settings` makes the same adapter of, as JSON keeps it."""
        return asdict(self.sizes)

    @classmethod
    def of_settings(
        cls, settings: Mapping[str, Any], relation_keys: Tensor, object_vectors: Tensor
    ) -> FusionStrategy:
        """An untrained adapter of these settings.

        Raises:
            KeyError, TypeError, ValueError: they are no settings of this strategy.
        """
        sizes = FusionSizes(**{**settings, "layers": tuple(settings["layers"])})
        return cls(sizes, relation_keys, object_vectors)

    @classmethod
    def readable(
        cls,
        tokenizer: PreTrainedTokenizerBase,
        text: str,
        facts: Sequence[TokenFact],
        ends: Sequence[int],
    ) -> PlacedText:
        """A text as the fused model reads it; see `placed_texts`."""
        place = placed_text if cls.own_places else mentioned_text
        return place(tokenizer, text, facts, ends)

    @abstractmethod
    def prepare(self, facts: FactVectors) -> Any:
        """What `at_input` and `at_block` read of the facts, computed once for all passes."""

    def at_input(self, embedded: Tensor, run: TextRun, facts: Any) -> Tensor:
        """Input embeddings (B, Q, D) with what was read added."""
        return embedded

    def at_block(self, layer: int, hidden: Tensor, run: TextRun, facts: Any) -> Tensor:
        """A block's output (B, Q, D) with what was read added.

        Args:
            layer: the block's number.
            hidden: its output.
            run: the tokens of the pass.
            facts: what `prepare` gave.
        """
        return hidden

    def prepare_memory(self, memory: FactMemory, read_from: Tensor, base: PreTrainedModel) -> Any:
        """`prepare` of a memory's facts in the base's spaces."""
        vectors = fact_vectors(memory, read_from, self.relation_keys, self.object_vectors, base)
        return self.prepare(vectors)
