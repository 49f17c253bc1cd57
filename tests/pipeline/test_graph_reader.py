"""What a fused model may read for a question: what is stated, then what is predicted."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
from infact.kg.questions.predicted_facts import PredictedFact, PredictedFacts
from infact.kg.questions.retrieval import RetrievedFact
from infact.pipeline.graph_reader import PREDICTED, GraphReader, read_predicted

MARFAN, TWIN, LOEYS = 0, 1, 2
GENE, SIGN = 0, 1
STATED = [
    RetrievedFact(10, MARFAN, GENE, 5),
    RetrievedFact(11, TWIN, SIGN, 6),
    RetrievedFact(12, LOEYS, SIGN, 6),
]
MENTIONS = {MARFAN: 7, TWIN: 7, LOEYS: 20}  # the first two bear one name


class Retriever:
    def mentioned_facts(self, question: str) -> dict[RetrievedFact, int]:
        return {fact: MENTIONS[fact.subject] for fact in STATED}

    def entities(self, question: str) -> dict[int, int]:
        return MENTIONS

    def about(self, entity: int) -> list[RetrievedFact]:
        return [fact for fact in STATED if fact.subject == entity]


def table() -> pa.Table:
    return pa.table(
        {
            "subject": [MARFAN, TWIN, LOEYS, LOEYS, LOEYS],
            "relation": [SIGN, GENE, GENE, GENE, GENE],
            "object": [8, 9, 5, 7, 8],
            "probability": [0.5, 0.5, 0.5, 0.25, 0.125],
        }
    )


def reader(most: int) -> GraphReader:
    graph = SimpleNamespace(iri="http://example.org/{}".format, label="entity {}".format)
    predicted = PredictedFacts.of_table(table(), most)
    return GraphReader(graph, Retriever(), {GENE: "gene", SIGN: "sign"}, predicted)


def test_without_predictions_it_is_what_the_graph_states() -> None:
    found = reader(0).memory_facts("", 9)
    assert (list(found.facts), found.left_out) == (STATED, 0)


def test_nothing_is_predicted_that_is_stated_of_any_bearer_of_the_name() -> None:
    found = reader(2).memory_facts("", 9).facts
    predicted = [PredictedFact(LOEYS, GENE, 5, 0.5), PredictedFact(LOEYS, GENE, 7, 0.25)]
    assert list(found) == [*STATED, *predicted]
    assert [found[fact] for fact in predicted] == [20, 20]


def test_stated_and_predicted_facts_are_bounded_apart() -> None:
    found = reader(5).memory_facts("", 2)
    assert found.left_out == 2
    assert list(found.facts) == [
        *STATED[:2],
        *(PredictedFact(LOEYS, GENE, o, p) for o, p in ((5, 0.5), (7, 0.25))),
    ]


def test_a_predicted_fact_is_cited_as_what_it_is() -> None:
    said = reader(1).citation(PredictedFact(LOEYS, GENE, 7, 0.254))
    assert said == "http://example.org/2 entity 2, gene (predicted, 25% likely): entity 7"


def test_none_asked_none_read(tmp_path) -> None:
    assert read_predicted(tmp_path, 0).most == 0  # and no file is needed
    pq.write_table(table(), tmp_path / PREDICTED)
    assert len(read_predicted(tmp_path, 2).about(LOEYS, ())) == 2
