"""The arms of an experiment: which model each reads, and through which read-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..kg.questions.fact_prompt import FactLine
from ..models.fact_memory import build_fact_memory
from ..models.fusion_training import load_fusion
from ..models.late_fusion import LateFusionReadOut
from .fusion_memory import (
    VARIANTS,
    MemoryWriter,
    object_vectors,
    variant_facts,
    variant_vectors,
)
from .graph_reader import GraphReader

PROMPT_TOKENS = 128  # of facts in an augmented prompt: four to eight lines


@dataclass(frozen=True)
class Fusions:
    """The trained tops of the fuse stage and the graph that they read."""

    folder: Path
    reader: GraphReader
    embed_folder: Path
    max_facts: int
    seed: int

    def read_outs(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        texts: Sequence[str],
        variants: Sequence[str] = VARIANTS,
    ) -> dict[str, LateFusionReadOut]:
        """Each variant's read-out; request i reads the facts that `texts[i]` calls for."""
        vectors, rows = object_vectors(self.embed_folder)
        writer = MemoryWriter(self.reader, tokenizer, rows, self.max_facts)
        requests = [writer.facts(text) for text in texts]
        read_outs = {}
        for variant in variants:
            fusion = load_fusion(
                self.folder / f"{variant.replace(' ', '-')}.safetensors",
                variant_vectors(variant, vectors, self.seed + 1),
            )
            facts = variant_facts(variant, requests, writer, self.seed)
            read_outs[variant] = LateFusionReadOut(model, fusion, build_fact_memory(facts))
        return read_outs


def augmented(
    reader: GraphReader, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], limit: int
) -> tuple[list[str], list[tuple[FactLine, ...]]]:
    """Each prompt with the facts that it calls for before it, and the lines that it cites."""
    pairs = [reader.prompt(prompt, limit, PROMPT_TOKENS, tokenizer) for prompt in prompts]
    return [text for text, _ in pairs], [lines for _, lines in pairs]
