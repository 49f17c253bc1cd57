"""The arms of an experiment: which model each reads, and through which read-out."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..kg.graph import KnowledgeGraph
from ..kg.questions.fact_prompt import FactLine
from ..models.fact_memory import TokenFact, build_fact_memory
from ..models.fused_model import FactReading
from ..models.fusion_adapter import STRATEGIES, AdapterFits, base_digest, load_adapter
from ..models.fusion_strategy import FusionStrategy
from ..models.fusion_training import POINTERS, load_pointer, text_keys
from ..models.label_pointer import LabelPointer, PointerReadOut
from ..models.language_model import kind_of
from ..models.mention_places import padded_places
from ..models.placed_texts import PlacedText
from ..models.read_out import ReadOut, own_read_out
from ..models.reading_window import check_window
from .fusion_memory import (
    VARIANTS,
    MemoryWriter,
    file_name,
    most_places,
    stand_in_text,
    variant_facts,
    variant_vectors,
)
from .graph_reader import GraphReader, read_predicted
from .vector_sources import VECTORS, EntityVectors, load_vectors, vectors_in

if TYPE_CHECKING:
    from .project import Project

Keyed = TypeVar("Keyed", LabelPointer, FusionStrategy)
PROMPT_TOKENS = 128  # of facts in an augmented prompt: four to eight lines


@dataclass(frozen=True)
class FusedArm:
    """How a fused model is asked.

    Attributes:
        read_out: over the model's states.
        reading: facts that the model's states are changed by; None where they are the base's.
        texts: what it reads for each text that it is asked; None where that is the text itself.
    """

    read_out: ReadOut
    reading: FactReading | None = None
    texts: Sequence[PlacedText] | None = None

    def text(self, text: str, request: int = 0) -> PlacedText:
        """What it reads for the text of a request."""
        return PlacedText(text, (), ()) if self.texts is None else self.texts[request]

    def asked(self) -> AbstractContextManager[object]:
        """Within, the base is this arm."""
        return self.reading.session() if self.reading is not None else nullcontext()


def read_together(arms: Mapping[str, FusedArm]) -> list[list[str]]:
    """Names of the arms that read out the base's own states, and of each other one alone.

    What a group needs of the model is computed once.
    """
    shared = [name for name, arm in arms.items() if arm.reading is None]
    alone = [[name] for name, arm in arms.items() if arm.reading is not None]
    return [*([shared] if shared else []), *alone]


@dataclass(frozen=True)
class Fusions:
    """What the fuse stage trained and the graph that it reads.

    Attributes:
        reader: of the graph as it is now, with what is predicted of it.
        trained: the graph that it was trained with.
    """

    folder: Path
    strategy: str
    base_folder: Path
    reader: GraphReader
    trained: KnowledgeGraph
    max_facts: int
    seed: int

    @classmethod
    def of_stages(
        cls, project: "Project", folders: Mapping[str, Path], reader: GraphReader, seed: int
    ) -> "Fusions":
        """What a project's stages made; `folders` are theirs: base, ingest, embed and fuse."""
        trained = KnowledgeGraph.open(folders["ingest"])
        if trained.directory == reader.graph.directory:
            trained = reader.graph  # so that its tables are read once
        predicted = read_predicted(folders["embed"], project.fuse.predicted)
        return cls(
            folders["fuse"],
            project.fuse.strategy,
            folders["base"],
            replace(reader, predicted=predicted.in_graph(trained, reader.graph)),
            trained,
            project.fuse.max_facts,
            seed,
        )

    def arms(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        questions: Sequence[str],
        variants: Sequence[str] = VARIANTS,
        texts: Sequence[str] | None = None,
    ) -> dict[str, FusedArm]:
        """Each variant; request i reads the facts that `questions[i]` calls for.

        Args:
            model: the base.
            tokenizer: its tokenizer.
            questions: what is asked.
            variants: of `VARIANTS`.
            texts: what the model reads: each ends with its question; None: the questions alone.
        """
        writer = self.writer(model, tokenizer)
        requests = [writer.question_facts(question) for question in questions]
        told = [each.facts for each in requests]
        ends = [each.ends for each in requests]
        placed = stand_in_text(self.strategy)
        read: list[PlacedText] = []
        arms = {}
        for variant in variants:
            facts = variant_facts(variant, told, writer, self.seed)
            memory = build_fact_memory(facts)
            if self.strategy in POINTERS:
                pointer = self._pointer(variant, model, tokenizer)
                arms[variant] = FusedArm(PointerReadOut(model, pointer, memory))
                continue
            if placed or not read:  # where facts don't stand in the text, variants read the same
                read = self._read(tokenizer, facts, ends, questions, texts or questions)
            places = padded_places([each.read_from for each in read], memory.relation.shape[1])
            adapter = self._adapter(variant, model, tokenizer)
            reading = FactReading(model, adapter, memory, places)
            if placed:
                written = [each.text for each in read]
                check_window(
                    model, tokenizer, written, 1, "a text with the facts that it calls for"
                )
            arms[variant] = FusedArm(own_read_out, reading, read if placed else None)
        return arms

    def _read(
        self,
        tokenizer: PreTrainedTokenizerBase,
        facts: Sequence[Sequence[TokenFact]],
        ends: Sequence[Sequence[int]],
        questions: Sequence[str],
        texts: Sequence[str],
    ) -> list[PlacedText]:
        """Each text, which ends with its question, as the strategy reads it."""
        read = []
        for own, at, question, text in zip(facts, ends, questions, texts, strict=True):
            before = len(text) - len(question)
            moved = [before + end for end in at]
            read.append(STRATEGIES[self.strategy].readable(tokenizer, text, own, moved))
        return read

    def writer(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> MemoryWriter:
        """Chooses what is read for a question, and writes it as tokens."""
        return MemoryWriter(
            self.reader,
            tokenizer,
            self._vectors.rows,
            self.max_facts,
            kind_of(model),
            most_places(self.strategy),
        )

    @cached_property
    def _vectors(self) -> EntityVectors:
        found = load_vectors(self.folder / VECTORS)
        return vectors_in(found, self.trained, self.reader.graph)

    @cached_property
    def _fits(self) -> AdapterFits:
        return AdapterFits(base_digest(self.base_folder), self.trained.id_space)

    def _pointer(
        self, variant: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
    ) -> LabelPointer:
        if variant not in self._pointers:
            path = self.folder / f"{file_name(variant)}.safetensors"
            pointer = load_pointer(self.strategy, path, self._variant_vectors(variant))
            self._pointers[variant] = self._keyed(pointer, model, tokenizer)
        return self._pointers[variant]

    def _adapter(
        self, variant: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
    ) -> FusionStrategy:
        if variant not in self._adapters:
            folder = self.folder / file_name(variant)
            adapter = load_adapter(folder, self._fits, self._variant_vectors(variant))
            self._adapters[variant] = self._keyed(adapter, model, tokenizer)
        return self._adapters[variant]

    def _variant_vectors(self, variant: str) -> Tensor:
        return variant_vectors(variant, self._vectors.vectors, self.seed + 1)

    # Each is loaded once: an explanation asks for it with every variant of its prompt.

    @cached_property
    def _pointers(self) -> dict[str, LabelPointer]:
        return {}

    @cached_property
    def _adapters(self) -> dict[str, FusionStrategy]:
        return {}

    def _keyed(
        self, fusion: Keyed, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
    ) -> Keyed:
        """With keys of the relations that the graph has now, by their numbers there."""
        was = {relation.iri: number for number, relation in enumerate(self.trained.relations)}
        now = [relation.iri for relation in self.reader.graph.relations]
        if list(was) == now:
            return fusion
        new = [number for number, iri in enumerate(now) if iri not in was]
        keys = fusion.relation_keys.new_zeros(len(now), fusion.relation_keys.shape[1])
        kept = [number for number, iri in enumerate(now) if iri in was]
        keys[kept] = fusion.relation_keys[[was[now[number]] for number in kept]]
        if new:
            labels = [self.reader.relation_label(number) for number in new]
            keys[new] = text_keys(model, tokenizer, labels).to(keys.dtype)
        fusion.relation_keys = keys
        return fusion


def augmented(
    reader: GraphReader, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], limit: int
) -> tuple[list[str], list[tuple[FactLine, ...]]]:
    """Each prompt with the facts that it calls for before it, and the lines that it cites."""
    pairs = [reader.prompt(prompt, limit, PROMPT_TOKENS, tokenizer) for prompt in prompts]
    return [text for text, _ in pairs], [lines for _, lines in pairs]
