"""Options that a graph knows to be true as well as the answer."""

import pytest
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.linking.linker import Linker
from infact.kg.questions.facts_file import WrittenFact
from infact.kg.questions.option_checks import true_options
from infact.kg.questions.probes import written_probe
from infact.kg.readers.sources import Source

LABELS = {
    "marfan": "Marfan syndrome",
    "marfan2": "Marfan syndrome",
    "shprintzen": "Shprintzen syndrome",
    "fbn1": "FBN1",
    "tgfbr2": "TGFBR2",
    "ski": "SKI",
    "dislocation": "Ectopia lentis",
    "scoliosis": "Scoliosis",
    "deafness": "Deafness",
}
TRIPLES = (
    ("marfan", "gene", "fbn1"),
    ("marfan", "sign", "dislocation"),
    ("marfan", "sign", "scoliosis"),
    ("marfan", "mainSign", "dislocation"),
    ("marfan2", "gene", "tgfbr2"),
    ("shprintzen", "gene", "ski"),
    ("shprintzen", "gene", "fbn1"),
    ("shprintzen", "sign", "scoliosis"),
)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("graph")
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    synonym = "<http://www.geneontology.org/formats/oboInOwl#hasExactSynonym>"
    related = "<http://www.geneontology.org/formats/oboInOwl#hasRelatedSynonym>"
    lines = [f"<http://e.org/{h}> <http://e.org/{r}> <http://e.org/{t}> ." for h, r, t in TRIPLES]
    lines += [f'<http://e.org/{name}> {label} "{text}" .' for name, text in LABELS.items()]
    lines.append(f'<http://e.org/fbn1> {synonym} "fibrillin one" .')
    lines.append(f'<http://e.org/scoliosis> {related} "Crooked back" .')
    (folder / "a.nt").write_text("\n".join(lines), encoding="utf-8")
    ingest([Source(folder / "a.nt", "signs.nt")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


@pytest.fixture(scope="module")
def linker(graph: KnowledgeGraph) -> Linker:
    return Linker.build(graph)


def found(graph: KnowledgeGraph, linker: Linker, text: str, *options: str) -> list[tuple[str, str]]:
    """The true options, beside the first, which is the answer, and where the graph says so."""
    fact = WrittenFact(statement=text, answer=options[0], options=options, topic="x")
    told = true_options(graph, linker, written_probe(fact, "f:1"))
    return [(option.option, option.place) for option in told]


def test_another_object_of_the_same_subject_and_relation_is_true(graph, linker) -> None:
    text = "The signs of Shprintzen syndrome come from the gene [Y]."
    assert found(graph, linker, text, "SKI", "TGFBR2", "FBN1") == [("FBN1", "signs.nt:7")]
    assert found(graph, linker, text, "SKI", "TGFBR2") == []


def test_another_subject_of_the_same_object_and_relation_is_true(graph, linker) -> None:
    text = "FBN1 goes with [Y]."
    options = ("Marfan syndrome", "Shprintzen syndrome", "Deafness")
    assert found(graph, linker, text, *options) == [("Shprintzen syndrome", "signs.nt:7")]


def test_an_option_that_shares_only_some_relations_of_the_answer_may_be_wrong(
    graph, linker
) -> None:
    text = "The main sign of Marfan syndrome is [Y]."
    assert found(graph, linker, text, "Ectopia lentis", "Scoliosis", "Deafness") == []
    text = "A sign of Marfan syndrome is [Y]."
    options = ("Scoliosis", "Deafness", "Ectopia lentis")
    assert found(graph, linker, text, *options) == [("Ectopia lentis", "signs.nt:2")]


def test_another_name_of_the_answer_is_true(graph, linker) -> None:
    text = "Shprintzen syndrome goes with [Y]."
    assert found(graph, linker, text, "FBN1", "Fibrillin one", "TGFBR2") == [
        ("Fibrillin one", "signs.nt:7")
    ]


def test_a_related_name_is_not_the_thing(graph, linker) -> None:
    text = "A sign of Marfan syndrome is [Y]."
    assert found(graph, linker, text, "Scoliosis", "Deafness", "Crooked back") == []


def test_nothing_is_told_where_two_things_have_facts_with_the_answer(graph, linker) -> None:
    text = "Marfan syndrome and Shprintzen syndrome share the gene [Y]."
    assert found(graph, linker, text, "FBN1", "SKI", "TGFBR2") == []


@pytest.mark.parametrize("text", ["Nothing known comes from [Y].", "Deafness comes from [Y]."])
def test_nothing_is_told_where_no_fact_has_the_answer(graph, linker, text: str) -> None:
    assert found(graph, linker, text, "FBN1", "SKI") == []


def test_the_answer_is_never_told_as_an_option(graph, linker) -> None:
    text = "Shprintzen syndrome goes with [Y]."
    assert found(graph, linker, text, "SKI", "Deafness") == []


def test_the_rows_told_are_the_graphs_own(graph, linker) -> None:
    text = "Shprintzen syndrome goes with [Y]."
    fact = WrittenFact(statement=text, answer="SKI", options=("SKI", "FBN1"), topic="x")
    (told,) = true_options(graph, linker, written_probe(fact, "f:1"))
    head, relation, tail = graph.triples[told.row].tolist()
    labels = (graph.label(head), graph.relation_iri(relation), graph.label(tail))
    assert labels == ("Shprintzen syndrome", "http://e.org/gene", "FBN1")
