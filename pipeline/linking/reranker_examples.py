"""What the re-ranker learns from: names of the graph, asked for as if the graph lacked them.

Two sources, and nothing but the graph: every alias, by itself; and names of entities found in the texts
of others, with the sentence as their context (the entity whose text it is doesn't compete there: its
description is that text). A name is taken out of the linker's index together with a tenth of all that are
asked for, so candidates, near names and scores are those that a linker has for what is new to it. For a
tenth of the entities all names are taken out: then NIL is right, and what is near is wrong.

Entities are parted by a digest of their IRI before anything is asked: eight tenths train, one chooses
epochs and calibrates, one is for the test. A name that is asked for in a later part is left out of the
earlier ones, whosever it is there.
"""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from ...kg.graph import KnowledgeGraph
from ...kg.linking.common_names import graph_texts
from ...kg.linking.graph_without_names import GraphWithoutNames
from ...kg.linking.linker import Linker
from ...kg.linking.linking_scores import fold_text
from ...kg.linking.rescoring import AROUND, COMPETING, OpenMention
from ...kg.sentence_spans import sentence_spans
from ..console import Console
from .held_out_names import HeldOutName, held_out_names, sampled

TRAINING, VALIDATION, TEST = "training", "validation", "test"
TENTHS = 10  # of entities: one for the test, one for validation; one of each without any name
FOLDS = 10  # of names, taken out in turn
MOST_ALIASES = 40_000  # by lot
MOST_IN_TEXTS = 4_000  # names found in texts, by lot
MOST_OF_A_NAME = 3  # of them, so that words that stand everywhere don't crowd out the rest

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A name with the candidates that a linker without it has.

    Attributes:
        entity: whose name it is.
        key: its folded words.
        part: TRAINING, VALIDATION or TEST.
        mention: candidates with the linker's scores, its sentence where it was found in one.
        absent: the linker didn't have the entity at all, so NIL is right.
    """

    entity: int
    key: Key
    part: str
    mention: OpenMention
    absent: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for. `speaks_of` is the entity whose text the sentence is of."""

    name: HeldOutName
    sentence: str
    start: int
    speaks_of: int | None = None


def part_of(iri: str) -> str:
    """The part of an entity."""
    return {0: TEST, 1: VALIDATION}.get(_tenth(iri, 0), TRAINING)


def _tenth(iri: str, draw: int) -> int:
    digest = hashlib.sha256(f"{draw} {iri}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % TENTHS


def reranker_examples(
    graph: KnowledgeGraph,
    linker: Linker,
    wanted: Collection[int] | None,
    seed: int,
    console: Console,
) -> list[Example]:
    """All examples, in an order that the graph and the seed alone decide.

    Args:
        graph: its names and texts.
        linker: of it, as it is.
        wanted: the entities linked to; all where None.
        seed: of the lots.
        console: for progress.
    """
    aliases = held_out_names(graph, wanted)
    asked = [_Asked(name, name.name, 0) for name in sampled(aliases, MOST_ALIASES, seed)]
    asked += _in_texts(graph, linker, {name.entity for name in aliases}, seed, console)
    asked = _parted(graph, asked)
    absent = {each.name.entity for each in asked if not _tenth(graph.iri(each.name.entity), 1)}
    by_fold: defaultdict[int, list[_Asked]] = defaultdict(list)
    keys = sorted({each.name.key for each in asked if each.name.entity not in absent})
    fold_of = {key: number % FOLDS for number, key in enumerate(keys)}
    for each in asked:
        by_fold[FOLDS if each.name.entity in absent else fold_of[each.name.key]].append(each)
    found: list[Example] = []
    with console.progress("asking for names that are taken out", len(asked), "names") as advance:
        for fold in sorted(by_fold):
            if fold == FOLDS:
                everyone = range(graph.entity_count) if wanted is None else wanted
                without = Linker.build(graph, frozenset(everyone) - absent)
            else:
                lacking = {each.name.key for each in by_fold[fold]}
                without = Linker.build(GraphWithoutNames(graph, lacking), wanted)
            for each in by_fold[fold]:
                found += _example(graph, without, each, fold == FOLDS)
                advance(1)
    return found


def _parted(graph: KnowledgeGraph, asked: Sequence[_Asked]) -> list[_Asked]:
    """Without those whose name is asked for in a later part."""
    order = (TRAINING, VALIDATION, TEST)
    last: dict[Key, int] = {}
    parts = [order.index(part_of(graph.iri(each.name.entity))) for each in asked]
    for each, part in zip(asked, parts, strict=True):
        last[each.name.key] = max(part, last.get(each.name.key, 0))
    return [each for each, part in zip(asked, parts, strict=True) if part == last[each.name.key]]


def _example(
    graph: KnowledgeGraph, linker: Linker, asked: _Asked, absent: bool
) -> Iterator[Example]:
    """None where the linker finds the very name, which is another entity's too."""
    name = asked.name
    candidates = linker.candidates(name.name, COMPETING)
    if any(fold_text(each.name) == name.key for each in candidates):
        return
    competing = tuple(each for each in candidates if each.entity != asked.speaks_of)
    end = asked.start + len(name.name)
    mention = OpenMention(name.name, asked.sentence, asked.start, end, competing)
    yield Example(name.entity, name.key, part_of(graph.iri(name.entity)), mention, absent)


def _in_texts(
    graph: KnowledgeGraph, linker: Linker, entities: Collection[int], seed: int, console: Console
) -> list[_Asked]:
    """Names of these entities, each of one alone, in the texts of others."""
    found: list[_Asked] = []
    times: Counter[Key] = Counter()
    texts = list(graph_texts(graph))
    random.Random(seed).shuffle(texts)
    with console.progress("finding names in the graph's texts", len(texts), "texts") as advance:
        for about, text in texts:
            for first, last in sentence_spans(text):
                for each in _in_sentence(text[first:last], about, linker, entities):
                    times[each.name.key] += 1
                    if times[each.name.key] <= MOST_OF_A_NAME:
                        found.append(each)
            advance(1)
            if len(found) >= MOST_IN_TEXTS:
                break
    return found[:MOST_IN_TEXTS]


def _in_sentence(
    sentence: str, about: int, linker: Linker, entities: Collection[int]
) -> Iterator[_Asked]:
    for mention in linker.link(sentence):
        entity, key = mention.entity, fold_text(mention.surface)
        if entity is None or entity == about or entity not in entities:
            continue
        spelled = {each.entity for each in mention.candidates if fold_text(each.name) == key}
        if spelled != {entity}:
            continue
        first = max(0, mention.start - AROUND)
        around = sentence[first : mention.end + AROUND]
        kind = mention.candidates[0].kind
        name = HeldOutName(entity, mention.surface, kind, key)
        yield _Asked(name, around, mention.start - first, about)


def of_part(examples: Sequence[Example], part: str) -> list[Example]:
    """Those of a part."""
    return [each for each in examples if each.part == part]


def by_itself(example: Example) -> Example:
    """The same name without its sentence."""
    mention = example.mention
    alone = replace(mention, sentence=mention.surface, start=0, end=len(mention.surface))
    return replace(example, mention=alone)
