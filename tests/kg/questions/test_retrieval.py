from types import SimpleNamespace

import numpy as np
import pytest
from infact.kg.linking.mentions import Candidate, Mention
from infact.kg.questions.retrieval import FactRetriever, RetrievedFact, relation_words
from infact.kg.vocabulary import RDF_TYPE

MARFAN, TWIN, LOEYS, OTHER = 0, 1, 2, 9
TYPE, GENE, SIGN = 0, 1, 2
TRIPLES = [
    (MARFAN, TYPE, 8),
    (MARFAN, GENE, 3),
    (MARFAN, SIGN, 4),
    (MARFAN, SIGN, 5),
    (MARFAN, SIGN, 6),
    (TWIN, GENE, 7),
    (LOEYS, GENE, 7),
    (LOEYS, SIGN, 4),
]


class Graph:
    triples = np.array(TRIPLES, dtype=np.int32)
    relations = (
        SimpleNamespace(iri=RDF_TYPE, label="type"),
        SimpleNamespace(iri="http://example.org/gene", label="associated gene"),
        SimpleNamespace(iri="http://example.org/sign", label="sign"),
    )

    def outgoing(self, entity: int) -> np.ndarray:
        return np.flatnonzero(self.triples[:, 0] == entity)

    def incoming(self, entity: int) -> np.ndarray:
        return np.flatnonzero(self.triples[:, 2] == entity)

    def relation_label(self, relation: int) -> str:
        return self.relations[relation].label


class NameLinker:
    """Finds "Marfan", which two entities bear alike and a third hardly, "Loeys" and "gene"."""

    CANDIDATES = (
        ("Marfan", ((MARFAN, 0.5), (TWIN, 0.4), (OTHER, 0.1)), MARFAN),
        ("Loeys-Dietz", ((LOEYS, 0.9),), LOEYS),
        ("gene", ((OTHER, 0.2),), None),
    )

    def link(self, text: str) -> list[Mention]:
        found = []
        for name, scored, chosen in self.CANDIDATES:
            start = text.find(name)
            if start >= 0:
                candidates = tuple(
                    Candidate(number, score, name, "label") for number, score in scored
                )
                found.append(Mention(start, start + len(name), name, chosen, candidates))
        return sorted(found, key=lambda mention: mention.start)


def retriever(withheld: tuple[int, ...] = ()) -> FactRetriever:
    return FactRetriever(Graph(), NameLinker(), np.array(withheld, dtype=np.int32))


def told(facts: tuple[RetrievedFact, ...]) -> list[tuple[int, int, int]]:
    return [(fact.subject, fact.relation, fact.object) for fact in facts]


def test_twins_of_one_name_are_both_retrieved_and_the_unlikely_is_not() -> None:
    assert tuple(retriever().entities("Which gene causes Marfan?")) == (MARFAN, TWIN)
    subjects = {fact.subject for fact in retriever().facts("Marfan", 99)}
    assert subjects == {MARFAN, TWIN}


def test_entities_of_longer_mentions_come_first() -> None:
    assert tuple(retriever().entities("Marfan or Loeys-Dietz?")) == (LOEYS, MARFAN, TWIN)


def test_a_mention_of_nothing_likely_tells_nothing() -> None:
    assert tuple(retriever().entities("a gene")) == ()
    assert retriever().facts("a gene", 99) == ()


def test_relations_take_turns_the_rarest_first_and_types_are_not_told() -> None:
    assert told(tuple(retriever().about(MARFAN))) == [
        (MARFAN, GENE, 3),
        (MARFAN, SIGN, 4),
        (MARFAN, SIGN, 5),
        (MARFAN, SIGN, 6),
    ]
    assert told(retriever(withheld=(3, 4)).facts("Marfan", 2)) == [
        (MARFAN, GENE, 3),
        (MARFAN, SIGN, 4),
    ]


def test_rows_are_those_of_the_graph() -> None:
    for fact in retriever().facts("Marfan Loeys-Dietz", 99):
        assert TRIPLES[fact.row] == (fact.subject, fact.relation, fact.object)


@pytest.mark.parametrize("withheld", [(1,), (1, 5), (0, 2, 4, 6), tuple(range(len(TRIPLES)))])
def test_withheld_rows_are_never_returned(withheld: tuple[int, ...]) -> None:
    facts = retriever(withheld).facts("Marfan Loeys-Dietz", 99)
    seen = {fact.row for fact in facts}
    assert seen == set(range(1, len(TRIPLES))) - set(withheld)


def test_the_limit_holds_and_no_fact_comes_twice() -> None:
    everything = retriever().facts("Marfan Loeys-Dietz", 99)
    assert len(set(everything)) == len(everything) == len(TRIPLES) - 1
    assert retriever().facts("Marfan Loeys-Dietz", 3) == everything[:3]
    assert retriever().facts("Marfan", 0) == ()


def test_the_projects_name_of_a_relation_comes_before_the_graphs() -> None:
    facts = retriever().facts("Marfan", 99)
    assert relation_words(Graph(), {SIGN: "phenotype"}, facts) == {
        GENE: "associated gene",
        SIGN: "phenotype",
    }
