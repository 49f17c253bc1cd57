"""Profiles: what the graph says of an entity in one text, its facts in another order each time.

    Cerebellar, ocular, craniofacial, and genital syndrome
    phenotypic abnormality: Hydrocephalus
    age of onset: Congenital onset
    associated gene: MAB21L1

Several of an entity's facts in ever other orders teach a model more of each than other words for one fact
do (Allen-Zhu and Li 2023: sentence orders 70 %, rewrites 41 %).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from ...kg.graph import KnowledgeGraph
from ...kg.questions.pools import TAUGHT
from ...models.predicted_texts import WeightedText

Line = tuple[str, str]  # a relation's name and an object's


@dataclass(frozen=True)
class Profile:
    """What can be told of an entity at once.

    Attributes:
        name: of the entity.
        own: the line of the fact that is taught.
        others: those of its other facts.
    """

    name: str
    own: Line
    others: tuple[Line, ...]

    def told(self, most: int, random: np.random.Generator) -> WeightedText:
        """The taught fact among others, `most` of all; every object counts, no other word does."""
        drawn = random.permutation(len(self.others))[: most - 1]
        lines = [self.own, *(self.others[number] for number in drawn)]
        text, mentions = self.name, []
        for number in random.permutation(len(lines)):
            relation, named = lines[number]
            text += f"\n{relation}: {named}"
            mentions.append((len(text) - len(named), len(text)))
        return WeightedText(text + "\n", len(text) + 1, 0.0, tuple(mentions))


def told_in_window(
    profile: Profile,
    most: int,
    max_tokens: int,
    tokenizer: PreTrainedTokenizerBase,
    random: np.random.Generator,
) -> WeightedText:
    """A profile of at most `most` facts and `max_tokens` tokens, the taught fact in any case."""
    for count in range(most, 1, -1):
        text = profile.told(count, random)
        if len(tokenizer(text.text)["input_ids"]) <= max_tokens:
            return text
    return profile.told(1, random)


def entity_profiles(graph_folder: Path, facts_folder: Path) -> dict[str, Profile]:
    """By taught fact, the profile of its subject, where the graph says anything else of that.

    Told are the relations that are asked, by the names that they are asked by; what is withheld isn't.
    """
    graph = KnowledgeGraph.open(graph_folder)
    facts = pq.read_table(facts_folder / "facts.parquet").to_pylist()
    withheld = set(np.load(facts_folder / "withheld.npy", allow_pickle=False).tolist())
    named = {fact["relation"]: fact["relation_label"] for fact in facts if fact["relation"] >= 0}
    profiles = {}
    for fact in facts:
        if fact["pool"] != TAUGHT:
            continue
        own = (fact["relation_label"], fact["answer"])
        rows = [row for row in graph.outgoing(fact["subject"]).tolist() if row not in withheld]
        lines = _lines(graph, rows, named)
        if others := tuple(line for line in lines if line != own):
            profiles[fact["fact"]] = Profile(fact["subject_label"], own, others)
    return profiles


def _lines(graph: KnowledgeGraph, rows: Sequence[int], named: Mapping[int, str]) -> list[Line]:
    """Each once, in the graph's order; of objects that have a name."""
    lines: dict[Line, None] = {}
    for row in rows:
        _, relation, tail = graph.triples[row].tolist()
        if relation in named and graph.has_label(tail):
            lines[named[relation], graph.label(tail)] = None
    return list(lines)
