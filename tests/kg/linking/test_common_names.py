"""Which names are common words, on a graph whose texts use one of them in another sense."""

import pytest
from infact.kg.hierarchy import HIERARCHY
from infact.kg.linking import common_names as module
from infact.kg.linking.linker import Linker

from .test_linker import SmallGraph, found

ORGANS = [f"organ {number}" for number in range(module.MIN_TEXTS + 2)]
FIRST = 4  # entity of the first organ


def graph(texts: int = len(ORGANS), kind: str = "exact", related: int = 0) -> SmallGraph:
    """`texts` organs whose definitions speak of collecting; `related` of them stand under hoarding."""
    names = [(0, "Hoarding", "label"), (0, "collecting", kind), (1, "Habit", "label")]
    names += [(2, "Body part", "label"), (3, "Tumor", "label")]
    names += [(FIRST + number, organ, "label") for number, organ in enumerate(ORGANS)]
    definition = "An organ with a collecting duct, that is the number {} of its kind."
    broader = [(0, 0, 1)]
    broader += [(FIRST + at, 0, 0 if at < related else 2) for at in range(len(ORGANS))]
    return SmallGraph(
        names,
        triples=sorted(broader),
        definitions={FIRST + number: definition.format(number) for number in range(texts)},
        relations=HIERARCHY[:1],
    )


def test_a_common_word_stays_unlinked_and_is_told() -> None:
    links = Linker.build(graph())
    assert links.common_words == [("collecting", len(ORGANS))]
    (mention,) = links.link("a collecting duct")
    assert mention.entity is None
    assert mention.candidates[0].entity == 0
    assert found(links.linking_common_words().link("collecting")) == [("collecting", 0)]
    assert links.linking_common_words().common_words == []


@pytest.mark.parametrize(
    "other",
    [graph(texts=module.MIN_TEXTS - 1), graph(kind="label"), graph(related=1)],
    ids=["too few texts", "a label", "texts about what is below it"],
)
def test_other_names_are_linked(other: SmallGraph) -> None:
    links = Linker.build(other)
    assert links.common_words == []
    assert found(links.link("collecting")) == [("collecting", 0)]


def test_a_large_graph_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXTS", 3)
    assert len(list(module.graph_texts(graph()))) == 3
