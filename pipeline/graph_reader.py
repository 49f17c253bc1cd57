"""One door to the graph for every stage that reads facts: linking, retrieval, prompts with citations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from ..kg.graph import KnowledgeGraph
from ..kg.linking.linker import graph_linker
from ..kg.questions.edited_facts import REMOVED
from ..kg.questions.fact_prompt import FactLine, augmented_prompt, fact_lines
from ..kg.questions.predicted_facts import PredictedFact, PredictedFacts
from ..kg.questions.retrieval import FactRetriever, RetrievedFact, relation_words

PREDICTED = "predicted.parquet"  # in the embed stage's folder


def read_predicted(embed_folder: Path, most: int) -> PredictedFacts:
    """What the embed stage predicts: at most so many objects of each relation that an entity lacks."""
    if not most:
        return PredictedFacts.none()
    return PredictedFacts.of_table(pq.read_table(embed_folder / PREDICTED), most)


@dataclass(frozen=True)
class ReadableFacts:
    """What a fused model may read for a question.

    Attributes:
        facts: each with the character after its entity's mention.
        left_out: how many more there are than it may read.
    """

    facts: dict[RetrievedFact | PredictedFact, int]
    left_out: int


@dataclass(frozen=True)
class GraphReader:
    """The graph, the retriever over it and the project's names of relations.

    Attributes:
        predicted: what a fused model may read beyond what the graph states.
    """

    graph: KnowledgeGraph
    retriever: FactRetriever
    relation_labels: dict[int, str]
    predicted: PredictedFacts = field(default_factory=PredictedFacts.none)

    @classmethod
    def open(cls, graph_folder: Path, facts_folder: Path) -> "GraphReader":
        """Open the graph without its withheld triples."""
        graph = KnowledgeGraph.open(graph_folder)
        withheld = np.load(facts_folder / "withheld.npy", allow_pickle=False)
        named = pq.read_table(
            facts_folder / "facts.parquet", columns=["relation", "relation_label"]
        )
        labels = {
            row["relation"]: row["relation_label"]
            for row in named.to_pylist()
            if row["relation"] >= 0
        }
        return cls(graph, FactRetriever(graph, graph_linker(graph), withheld), labels)

    @classmethod
    def of_graph(cls, graph_folder: Path) -> "GraphReader":
        """Open a whole graph, its relations named as it names them.

        Raises:
            UserError: the folder holds no ingested graph.
        """
        graph = KnowledgeGraph.open(graph_folder)
        return cls(graph, FactRetriever(graph, graph_linker(graph), np.empty(0, np.int32)), {})

    def edited(self, facts_folder: Path, pool: str) -> "GraphReader":
        """The same over the graph as a pool's edits leave it; see kg/questions/edited_facts.py."""
        edits = pq.read_table(facts_folder / "edits.parquet").to_pylist()
        return self.changed({edit["row"]: edit["object"] for edit in edits if edit["pool"] == pool})

    def changed(self, rows: Mapping[int, int]) -> "GraphReader":
        """The same with other objects in some of the graph's triples, or `REMOVED` ones."""
        removed = [row for row, entity in rows.items() if entity == REMOVED]
        replaced = {row: entity for row, entity in rows.items() if entity != REMOVED}
        retriever = self.retriever.edited(np.array(removed, dtype=np.int64), replaced)
        return replace(self, retriever=retriever)

    def relation_label(self, relation: int) -> str:
        """What the project calls a relation; else what the graph does."""
        return self.relation_labels.get(relation) or self.graph.relation_label(relation)

    def lines(self, facts: Sequence[RetrievedFact], question: str) -> list[FactLine]:
        """Facts as lines of a prompt, most relevant to the question first."""
        words = relation_words(self.graph, self.relation_labels, facts)
        return fact_lines(self.graph, words, facts, question)

    def about(self, entity: int, limit: int) -> list[FactLine]:
        """What a prompt would tell about an entity, at most `limit` facts."""
        return self.lines(self.retriever.about(entity)[:limit], "")

    def prompt(
        self, prompt: str, limit: int, budget: int, tokenizer: PreTrainedTokenizerBase
    ) -> tuple[str, tuple[FactLine, ...]]:
        """`prompt` with the facts that it calls for written before it; see `augmented_prompt`."""
        lines = self.lines(self.retriever.facts(prompt, limit), prompt)
        return augmented_prompt(
            lines, prompt, budget, lambda text: len(tokenizer(text)["input_ids"])
        )

    def memory_facts(self, question: str, limit: int) -> ReadableFacts:
        """What a fused model may read: stated facts, then predicted ones, at most `limit` of each."""
        stated, predicted = self.retriever.mentioned_facts(question), self._predicted(question)
        kept: dict[RetrievedFact | PredictedFact, int] = {}
        kept.update(islice(stated.items(), limit))
        kept.update(islice(predicted.items(), limit))
        return ReadableFacts(kept, len(stated) + len(predicted) - len(kept))

    def _predicted(self, question: str) -> dict[PredictedFact, int]:
        """What is predicted of the entities that `question` mentions.

        Nothing where the graph states the relation of any entity that the mention may mean.
        """
        if not self.predicted.most:
            return {}
        entities = self.retriever.entities(question)
        told: dict[int, set[int]] = {}
        for entity, end in entities.items():
            own = {fact.relation for fact in self.retriever.about(entity)}
            told.setdefault(end, set()).update(own)
        return {
            fact: end
            for entity, end in entities.items()
            for fact in self.predicted.about(entity, told[end])
        }

    def citations(self, lines: Sequence[FactLine]) -> list[str]:
        """Each fact that the lines tell, in their order; see `citation`."""
        return [self.citation(fact) for line in lines for fact in line.facts]

    def citation(self, fact: RetrievedFact | PredictedFact) -> str:
        """A triple in words with its subject's IRI, its source file and line."""
        words = f"{self.graph.iri(fact.subject)} {self.in_words(fact)}"
        if isinstance(fact, PredictedFact):
            return words
        origin = self.graph.origin(fact.row)
        place = origin.place
        told = int(self.graph.triples[fact.row, 2])
        if told != fact.object:
            place = f"edited: {self.graph.label(told)} in {place}"
        return f"{words} ({place})"

    def in_words(self, fact: RetrievedFact | PredictedFact) -> str:
        """A triple by its labels; a predicted one with how likely it is."""
        relation = self.relation_label(fact.relation)
        if isinstance(fact, PredictedFact):  # not at the end, which is what a drawing has room for
            relation += f" (predicted, {fact.probability:.0%} likely)"
        return f"{self.graph.label(fact.subject)}, {relation}: {self.graph.label(fact.object)}"
