"""Names that are common words: a stop rule learnt from the texts that the graph carries.

"Collecting" is a synonym of collectionism, and "collecting duct" stands in the definitions of a
dozen kidneys. A synonym of one word is a common word where many texts of the graph use it and
hardly any of them is about its entity, about what stands above or below it, beside it, or one
triple away. Labels are never stopped, and neither is what too few texts use.
"""

import random
from collections import defaultdict
from collections.abc import Iterator

from ..graph import KnowledgeGraph
from ..hierarchy import Hierarchy
from .coherence import neighbours
from .folding import split_words
from .name_index import NameIndex

MIN_TEXTS = 8  # that use the word; fewer say too little
MAX_RELATED = 0.03  # share of them that are about the entity or a relative of it
MIN_LENGTH = 40  # characters of a literal that is a text
MAX_TEXTS = 50_000  # drawn from those of a larger graph


def common_names(graph: KnowledgeGraph, index: NameIndex, hierarchy: Hierarchy) -> dict[int, int]:
    """Key of each name that is a common word → in how many of the graph's texts it stands.

    Args:
        index: of the names, whose keys are meant.
        hierarchy: the graph's hierarchy.
    """
    asked = _single_word_synonyms(index)
    used: defaultdict[int, list[int]] = defaultdict(list)
    for entity, text in graph_texts(graph):
        numbers = {index.spellings[word].number for word in split_words(text).raw}
        for number in numbers & asked.keys():
            used[asked[number]].append(entity)
    return {
        key: len(about)
        for key, about in sorted(used.items())
        if len(about) >= MIN_TEXTS
        and _related_share(graph, hierarchy, {row.entity for row in index.names[key]}, about)
        <= MAX_RELATED
    }


def graph_texts(graph: KnowledgeGraph) -> Iterator[tuple[int, str]]:
    """The entity and the words of each text that the graph's literals hold, repeats left out."""
    table = graph.literals_table.select(["entity", "value"])
    first: dict[str, int] = {}
    for batch in table.to_batches():
        pairs = zip(batch["entity"].to_pylist(), batch["value"].to_pylist(), strict=True)
        for entity, value in pairs:
            if len(value) >= MIN_LENGTH:
                first.setdefault(value, entity)
    texts = list(first)
    if len(texts) > MAX_TEXTS:
        texts = random.Random(0).sample(texts, MAX_TEXTS)
    for text in texts:
        yield first[text], text


def _single_word_synonyms(index: NameIndex) -> dict[int, int]:
    """Word number → key of the name that is that word alone and no entity's label."""
    found = {}
    for number in index.spellings.numbers.values():
        key = index.trie.keys.get(index.trie.edges.get(number, -1))
        if key is not None and all(row.kind != "label" for row in index.names[key]):
            found[number] = key
    return found


def _related_share(
    graph: KnowledgeGraph, hierarchy: Hierarchy, entities: set[int], about: list[int]
) -> float:
    related = sum(
        any(_is_related(graph, hierarchy, entity, other) for entity in entities) for other in about
    )
    return related / len(about)


def _is_related(graph: KnowledgeGraph, hierarchy: Hierarchy, one: int, other: int) -> bool:
    return (
        one == other
        or one in hierarchy.ancestors(other)
        or other in hierarchy.ancestors(one)
        or not hierarchy.directly_above(one).isdisjoint(hierarchy.directly_above(other))
        or other in neighbours(graph, one)
    )
