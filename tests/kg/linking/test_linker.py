"""The linker on small graphs: what it finds, what it leaves alone, whom it chooses."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.linker import Linker
from infact.kg.linking.mentions import MENTIONS_SCHEMA, Mention, mentions_table

Names = Sequence[tuple[int, str, str]]


class SmallGraph:
    """What the linker reads of a knowledge graph, in memory."""

    def __init__(
        self,
        names: Names,
        triples: Sequence[tuple[int, int, int]] = (),
        deprecated: frozenset[int] = frozenset(),
        definitions: Mapping[int, str] | None = None,
        relations: Sequence[str] = (),
    ) -> None:
        count = 1 + max(
            [entity for entity, _, _ in names] + [max(head, tail) for head, _, tail in triples]
        )
        self.triples = np.array(triples, dtype=np.int32).reshape(-1, 3)
        degree = [int((self.triples[:, [0, 2]] == entity).sum()) for entity in range(count)]
        self.names_table = pa.table(
            {
                "entity": pa.array([name[0] for name in names], pa.int32()),
                "name": [name[1] for name in names],
                "kind": [name[2] for name in names],
                "language": [""] * len(names),
            }
        )
        self.entities_table = pa.table(
            {
                "deprecated": [entity in deprecated for entity in range(count)],
                "degree": pa.array(degree, pa.int32()),
            }
        )
        self.labels = {entity: name for entity, name, kind in names if kind == "label"}
        self.definitions = definitions or {}
        self.literals_table = pa.table(
            {
                "entity": pa.array(self.definitions, pa.int32()),
                "value": pa.array(self.definitions.values(), pa.string()),
            }
        )
        self.relations = [SimpleNamespace(iri=iri) for iri in relations]

    def label(self, entity: int) -> str:
        return self.labels.get(entity, "")

    def degree(self, entity: int) -> int:
        return self.entities_table["degree"][entity].as_py()

    def outgoing(self, entity: int) -> np.ndarray:
        return np.flatnonzero(self.triples[:, 0] == entity)

    def incoming(self, entity: int) -> np.ndarray:
        return np.flatnonzero(self.triples[:, 2] == entity)

    def objects(self, subject: int, relation: int) -> np.ndarray:
        rows = self.triples[self.outgoing(subject)]
        return rows[rows[:, 1] == relation, 2]

    def literals(self, entity: int) -> list[SimpleNamespace]:
        text = self.definitions.get(entity)
        return [SimpleNamespace(value=text)] if text else []


def linker(*names: str) -> Linker:
    """A linker whose entity n has the nth name as its label."""
    return Linker.build(SmallGraph([(entity, name, "label") for entity, name in enumerate(names)]))


def found(mentions: list[Mention]) -> list[tuple[str, int | None]]:
    return [(mention.surface, mention.entity) for mention in mentions]


VARIED = linker(
    "Kidney",
    "Abnormality of the hand",
    "AR",
    "日本",
    "东京 都",
    "All",
    "Straße",
    "a b",
    "ไทย",
    "½ 1",
)

PIECES = (
    *(
        "kidneys",
        "hand",
        "abnormality of",
        "AR",
        "ar",
        "日本",
        "京都",
        "\u0301",
        "STRASSE",
        "a",
        "b",
    ),
    *(". ", ", ", " ", "ไทย", "½", "\U0001f600", "all"),
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_surface_is_the_text_at_the_offsets(text: str) -> None:
    end = 0
    for mention in VARIED.link(text):
        assert mention.start >= end
        assert text[mention.start : mention.end] == mention.surface != ""
        end = mention.end


def test_longest_match_wins_and_none_overlap() -> None:
    links = linker("basal cell", "basal cell carcinoma", "carcinoma of skin")
    assert found(links.link("Basal cell carcinoma of skin")) == [("Basal cell carcinoma", 1)]


@pytest.mark.parametrize(
    "text",
    ["abnormality of the hand", "hand abnormalities", "abnormality of hands", "Hand-Abnormality"],
)
def test_word_order_number_and_hyphens_do_not_matter(text: str) -> None:
    assert found(linker("Abnormality of the hand", "Foot").link(text)) == [(text, 0)]


def test_words_in_any_order_stay_in_one_phrase() -> None:
    links = linker("cleft lip", "Seizures, febrile")
    assert found(links.link("branchial clefts, lip swelling")) == []
    assert found(links.link("lip (cleft)")) == []
    assert found(links.link("Seizures, febrile")) == [("Seizures, febrile", 1)]
    assert found(links.link("febrile seizures")) == [("febrile seizures", 1)]


def test_no_name_reaches_over_a_sentence_end() -> None:
    assert found(linker("acute pain").link("It was acute. Pain followed.")) == []


@pytest.mark.parametrize("symbol", ["AR", "CAT", "WAS", "mTOR"])
def test_symbols_match_as_they_are_written(symbol: str) -> None:
    links = linker(symbol)
    assert found(links.link(f"the {symbol} gene")) == [(symbol, 0)]
    assert found(links.link(f"the {symbol.lower()} {symbol.title()} here")) == []


def test_symbols_in_a_heading_of_capitals_are_nil() -> None:
    links = linker("CAT", "Gout")
    assert found(links.link("THE CAT HAD GOUT")) == [("CAT", None), ("GOUT", 1)]
    assert found(links.link("the CAT gene. CAT AR")) == [("CAT", 0), ("CAT", 0)]


def test_symbols_with_digits_and_long_names_match_in_any_case() -> None:
    assert found(linker("BRCA1").link("brca1 and Brca1")) == [("brca1", 0), ("Brca1", 0)]


def test_grammar_words_are_nil_unless_capitals_tell() -> None:
    links = linker("All", "The Who", "A")
    assert found(links.link("All patients, all of them")) == [("All", None), ("all", None)]
    assert found(links.link("He heard The Who once")) == [("The Who", 1)]
    assert found(links.link("the one who knew")) == []
    assert [entity for _, entity in found(links.link("a dog"))] == [None]


def test_label_beats_other_kinds_of_name() -> None:
    kinds = ["related", "broad", "narrow", "exact", "label"]
    graph = SmallGraph([(entity, "gout", kind) for entity, kind in enumerate(kinds)])
    (mention,) = Linker.build(graph).link("gout")
    assert [candidate.kind for candidate in mention.candidates][:3] == ["label", "exact", "narrow"]
    assert mention.entity == 4
    scores = [candidate.score for candidate in mention.candidates]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) < 1


def test_degree_decides_between_equal_names() -> None:
    names = [(0, "Paris", "label"), (1, "Paris", "label"), (2, "France", "label")]
    graph = SmallGraph(names, triples=[(1, 0, 2), (2, 1, 1)])
    assert Linker.build(graph).link("Paris")[0].entity == 1


def test_sentence_decides_between_equal_names() -> None:
    names = [
        (0, "Mercury", "label"),
        (1, "Mercury", "label"),
        (2, "planets", "label"),
        (3, "metals", "label"),
    ]
    graph = SmallGraph(
        names,
        triples=[(0, 0, 2), (1, 0, 3)],
        definitions={0: "Orbits the sun.", 1: "A liquid metal used in thermometers."},
    )
    links = Linker.build(graph)
    assert links.link("Mercury orbits close to the Sun.")[0].entity == 0
    assert links.link("Mercury fills old thermometers.")[0].entity == 1
    assert links.link("The sun shone. Mercury fills thermometers.")[0].entity == 1


def test_deprecated_entity_yields_to_a_live_one() -> None:
    names = [(0, "gout", "label"), (1, "gout", "related"), (2, "ague", "label")]
    graph = SmallGraph(names, triples=[(0, 0, 2), (2, 0, 0)], deprecated=frozenset({0, 2}))
    links = Linker.build(graph)
    assert found(links.link("gout, ague")) == [("gout", 1), ("ague", 2)]
    assert [candidate.entity for candidate in links.link("gout")[0].candidates] == [1]


def test_word_pairs_of_the_graph_find_names_it_does_not_have() -> None:
    pairs = ["cyst", "stone", "failure"]
    names = [
        (entity, f"{word} {noun}", kind)
        for entity, noun in enumerate(pairs)
        for word, kind in (("kidney", "label"), ("renal", "exact"))
    ]
    graph = SmallGraph([*names, (3, "kidney agenesis", "label")])
    assert found(Linker.build(graph).link("renal agenesis")) == [("renal agenesis", 3)]
    taught_too_seldom = SmallGraph([*names[:2], (3, "kidney agenesis", "label")])
    assert found(Linker.build(taught_too_seldom).link("renal agenesis")) == []


def test_scripts_without_spaces() -> None:
    links = linker("日本", "東京", "ไทย")
    assert found(links.link("東京は日本の首都です")) == [("東京", 1), ("日本", 0)]
    assert found(links.link("本日は")) == []
    assert found(links.link("ประเทศไทย")) == [("ไทย", 2)]


def test_only_wanted_entities() -> None:
    graph = SmallGraph([(0, "gout", "label"), (1, "ague", "label")])
    assert found(Linker.build(graph, entities=[1]).link("gout and ague")) == [("ague", 1)]


def test_empty_text_graph_without_names_and_names_without_words() -> None:
    assert linker("gout").link("") == []
    assert linker("…", "gout").link("… gout …") != []
    assert Linker.build(SmallGraph([(0, "", "label")])).link("gout") == []


def test_mentions_table() -> None:
    links = linker("gout", "All")
    table = mentions_table([("one", links.link("gout all")), ("two", [])])
    assert table.schema == MENTIONS_SCHEMA
    rows = table.to_pylist()
    assert [(row["document"], row["start"], row["end"], row["entity"]) for row in rows] == [
        ("one", 0, 4, 0),
        ("one", 5, 8, None),
    ]
    assert rows[0]["candidates"][0]["name"] == "gout"
