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
from ..models.fact_memory import build_fact_memory
from ..models.fused_model import FactReading
from ..models.fusion_adapter import AdapterFits, base_digest, load_adapter
from ..models.fusion_strategy import FusionStrategy
from ..models.fusion_training import POINTERS, load_pointer, text_keys
from ..models.generation import generate_greedy
from ..models.label_pointer import LabelPointer, PointerReadOut
from ..models.language_model import Kind, kind_of
from ..models.mention_places import mention_places, padded_places
from ..models.read_out import ReadOut, own_read_out
from .fusion_memory import (
    VARIANTS,
    MemoryWriter,
    QuestionFacts,
    file_name,
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
    """

    read_out: ReadOut
    reading: FactReading | None = None

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


def free_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    arms: Mapping[str, FusedArm],
    most: int,
) -> dict[str, str]:
    """What each arm writes after `text`, in at most so many tokens; request 0 is its own."""
    said: dict[str, str] = {}
    for names in read_together(arms):
        read_outs = [arms[name].read_out for name in names]
        with arms[names[0]].asked():
            found = generate_greedy(
                model, tokenizer, [text], [0], read_outs, most, 1, lambda done: None
            )
        said |= {name: answers[0] for name, answers in zip(names, found, strict=True)}
    return said


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
        writer = self._writer(tokenizer, kind_of(model))
        requests = [writer.question_facts(question) for question in questions]
        told = [each.facts for each in requests]
        memories = {
            variant: build_fact_memory(variant_facts(variant, told, writer, self.seed))
            for variant in variants
        }
        if self.strategy in POINTERS:
            return {
                variant: FusedArm(
                    PointerReadOut(model, self._pointer(variant, model, tokenizer), memory)
                )
                for variant, memory in memories.items()
            }
        places = _mention_places(tokenizer, requests, questions, texts or questions)
        return {
            variant: FusedArm(
                own_read_out,
                FactReading(
                    model,
                    self._adapter(variant, model, tokenizer),
                    memory,
                    padded_places(places, memory.relation.shape[1]),
                ),
            )
            for variant, memory in memories.items()
        }

    @cached_property
    def _vectors(self) -> EntityVectors:
        found = load_vectors(self.folder / VECTORS)
        return vectors_in(found, self.trained, self.reader.graph)

    def _writer(self, tokenizer: PreTrainedTokenizerBase, kind: Kind) -> MemoryWriter:
        return MemoryWriter(self.reader, tokenizer, self._vectors.rows, self.max_facts, kind)

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


def _mention_places(
    tokenizer: PreTrainedTokenizerBase,
    requests: Sequence[QuestionFacts],
    questions: Sequence[str],
    texts: Sequence[str],
) -> list[tuple[int, ...]]:
    """For each text, the places from which its question's facts may be read."""
    places = []
    for request, question, text in zip(requests, questions, texts, strict=True):
        before = len(text) - len(question)
        places.append(mention_places(tokenizer, text, [before + end for end in request.ends]))
    return places


def augmented(
    reader: GraphReader, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], limit: int
) -> tuple[list[str], list[tuple[FactLine, ...]]]:
    """Each prompt with the facts that it calls for before it, and the lines that it cites."""
    pairs = [reader.prompt(prompt, limit, PROMPT_TOKENS, tokenizer) for prompt in prompts]
    return [text for text, _ in pairs], [lines for _, lines in pairs]
