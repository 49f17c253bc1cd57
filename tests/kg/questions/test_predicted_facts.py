from types import SimpleNamespace

import pyarrow as pa
from infact.kg.questions.predicted_facts import PredictedFact, PredictedFacts

TABLE = pa.table(
    {
        "subject": [0, 0, 0, 0, 2, 2],
        "relation": [1, 1, 1, 3, 1, 1],
        "object": [5, 6, 7, 5, 7, 5],
        "probability": [0.5, 0.25, 0.125, 0.75, 0.5, 0.25],
    }
)


def graph(entities: str, relations: str) -> SimpleNamespace:
    """Entities and relations are called by a letter each, in this order."""
    numbers = {name: number for number, name in enumerate(entities)}
    return SimpleNamespace(
        iri=lambda number: entities[number],
        find=numbers.get,
        relations=[SimpleNamespace(iri=name) for name in relations],
    )


def test_the_likeliest_are_told_but_for_what_is_told_already() -> None:
    facts = PredictedFacts.of_table(TABLE, 2)
    assert facts.about(0, ()) == [
        PredictedFact(0, 1, 5, 0.5),
        PredictedFact(0, 1, 6, 0.25),
        PredictedFact(0, 3, 5, 0.75),
    ]
    assert facts.about(0, {1}) == [PredictedFact(0, 3, 5, 0.75)]
    assert facts.about(1, ()) == []
    assert [fact.object for fact in PredictedFacts.of_table(TABLE, 1).about(2, ())] == [7]
    assert PredictedFacts.none().about(0, ()) == []


def test_in_another_graph_they_are_of_the_same_entities() -> None:
    facts = PredictedFacts.of_table(TABLE, 5)
    was, now = graph("abcdefgh", "pqrs"), graph("hcfxa", "sq")  # g is gone
    assert facts.in_graph(was, was) is facts
    moved = facts.in_graph(was, now)
    assert moved.about(4, ()) == [
        PredictedFact(4, 0, 2, 0.75),
        PredictedFact(4, 1, 2, 0.5),
        PredictedFact(4, 1, 0, 0.125),
    ]
    assert moved.about(1, ()) == [PredictedFact(1, 1, 0, 0.5), PredictedFact(1, 1, 2, 0.25)]
    assert moved.most == 5
    assert facts.in_graph(was, graph("xyz", "q")).about(0, ()) == []
