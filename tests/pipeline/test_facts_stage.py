"""The facts stage on the countries project, through the runner."""

import shutil
from collections import Counter
from pathlib import Path

import infact
import numpy as np
import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.questions.phrasings import PredicatePhrasing
from infact.kg.questions.templates import relation_templates
from infact.pipeline.console import Console
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import load_project
from infact.pipeline.run import run_stages

DATA = Path(infact.__file__).parent / "data"


def countries_in(folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the countries project, with texts of its project file replaced."""
    shutil.copy(DATA / "countries" / "countries.ttl", folder)
    text = (DATA / "countries" / "infact.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "infact.toml").write_text(text, encoding="utf-8")
    return folder / "infact.toml"


def run_in(folder: Path, *changes: tuple[str, str]) -> dict[str, Path]:
    project = load_project(countries_in(folder, *changes), folder / "artifacts")
    return run_stages(project, ["facts"], Console())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return run_in(tmp_path_factory.mktemp("countries"))


@pytest.fixture(scope="module")
def facts(folders: dict[str, Path]) -> list[dict]:
    return pq.read_table(folders["facts"] / "facts.parquet").to_pylist()


def test_pools_have_the_sizes_that_the_project_asks_for(facts: list[dict]) -> None:
    counts = Counter(fact["pool"] for fact in facts)
    assert (counts["T"], counts["M"], counts["I"], counts["P"]) == (12, 8, 4, 8)
    assert counts["U"] >= 240
    assert len({fact["fact"] for fact in facts}) == len(facts)
    assert (counts["R"], counts["H"], counts["S"], counts["D"]) == (8, 8, 6, 6)
    made_from = {"R": "T", "H": "M", "S": "M", "D": "M"}
    owners: dict[str, set[str]] = {}
    for fact in facts:
        pool = made_from.get(fact["pool"], fact["pool"])
        owners.setdefault(fact["cluster"], set()).add(pool)
    assert all(len(pools) == 1 for pools in owners.values())


def test_facts_agree_with_the_graph(facts: list[dict], folders: dict[str, Path]) -> None:
    graph = KnowledgeGraph.open(folders["ingest"])
    for fact in facts:
        assert fact["options"][fact["correct"]] == fact["answer"]
        if fact["pool"] not in "TMIP":
            continue
        true = graph.objects(fact["subject"], fact["relation"]).tolist()
        assert fact["objects"] == true
        assert fact["option_entities"][fact["correct"]] in true
        assert sum(entity in true for entity in fact["option_entities"]) == 1
        assert [graph.label(entity) for entity in fact["option_entities"]] == fact["options"]
        assert len({graph.types(entity) for entity in fact["option_entities"]}) == 1
        assert fact["source"] == "countries.ttl"


def test_reversed_facts_ask_for_taught_subjects(
    facts: list[dict], folders: dict[str, Path]
) -> None:
    graph = KnowledgeGraph.open(folders["ingest"])
    taught = {(fact["relation"], fact["subject"]) for fact in facts if fact["pool"] == "T"}
    for fact in facts:
        if fact["pool"] == "R":
            true = graph.subjects(fact["relation"], fact["subject"]).tolist()
            assert fact["objects"] == true
            assert (fact["relation"], fact["option_entities"][fact["correct"]]) in taught
            assert sum(entity in true for entity in fact["option_entities"]) == 1
            assert fact["options"][fact["correct"]] == fact["answer"]


def test_two_hop_facts_name_something_else_of_their_subject_alone(
    facts: list[dict], folders: dict[str, Path]
) -> None:
    graph = KnowledgeGraph.open(folders["ingest"])
    for fact in facts:
        if fact["pool"] == "H":
            told = [
                graph.triples[row].tolist()
                for row in graph.outgoing(fact["subject"]).tolist()
                if fact["subject_label"].endswith(graph.label(graph.triples[row][2]))
            ]
            assert graph.label(fact["subject"]) not in fact["subject_label"]
            assert any(
                relation != fact["relation"]
                and graph.subjects(relation, tail).tolist() == [fact["subject"]]
                for _, relation, tail in told
            )


def test_an_edited_graph_tells_the_new_object_or_none(
    facts: list[dict], folders: dict[str, Path]
) -> None:
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    swapped, deleted = (reader.edited(folders["facts"], pool) for pool in "SD")
    for fact in facts:
        if fact["pool"] not in "SD":
            continue
        edited = swapped if fact["pool"] == "S" else deleted
        old = fact["option_entities"][fact["before"]]
        told = [
            known.object
            for known in edited.retriever.about(fact["subject"])
            if known.relation == fact["relation"]
        ]
        expected = [fact["option_entities"][fact["correct"]]] if fact["pool"] == "S" else []
        assert told == expected
        assert old in {known.object for known in reader.retriever.about(fact["subject"])}


def test_hidden_rows_are_those_of_the_inferable_pool(
    facts: list[dict], folders: dict[str, Path]
) -> None:
    graph = KnowledgeGraph.open(folders["ingest"])
    withheld = np.load(folders["facts"] / "withheld.npy", allow_pickle=False)
    hidden = {tuple(row) for row in graph.triples[withheld].tolist()}
    assert hidden == {
        (fact["subject"], fact["relation"], entity)
        for fact in facts
        if fact["pool"] == "I"
        for entity in fact["objects"]
    }


def test_texts_belong_to_their_pools(facts: list[dict], folders: dict[str, Path]) -> None:
    questions = pq.read_table(folders["facts"] / "questions.parquet").to_pylist()
    sentences = pq.read_table(folders["facts"] / "sentences.parquet").to_pylist()
    assert {row["fact"][0] for row in questions if row["split"] == "test"} == set("TMIRHSDU")
    assert {row["fact"][0] for row in questions if row["split"] == "train"} == set("TP")
    assert {row["fact"][0] for row in sentences} == {"T"}
    kept_back = {fact["subject_label"] for fact in facts if fact["pool"] in "MI"}
    assert not any(label in row["text"] for row in sentences for label in kept_back)
    assert not any("{" in row["text"] for row in sentences)


def test_run_again_gives_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    again = run_in(tmp_path)
    for name in ("facts.parquet", "questions.parquet", "sentences.parquet", "withheld.npy"):
        assert (again["facts"] / name).read_bytes() == (folders["facts"] / name).read_bytes()


def test_scarce_graph_fills_what_it_can_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_in(tmp_path, ("in_memory = 8", "in_memory = 500"))
    words = capsys.readouterr().out
    assert "of 500 wanted: the graph has no more" in words
    assert "U untouched: " in words


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('iri = "ex:currency"', 'iri = "ex:curency"', "https://example.org/countries/currency"),
        ('iri = "ex:currency"', 'iri = "xe:currency"', "xe"),
        ("{subject} has its capital in {object}.", "{subject} {has} {object}.", "{has}"),
    ],
)
def test_mistake_in_a_predicate_is_shown(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        run_in(tmp_path, (old, new))
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["hpo", "countries"])
def test_shipped_phrasings_obey_the_rules(name: str) -> None:
    project = load_project(DATA / name / "infact.toml")
    assert len(project.facts.predicate) == 4
    for table in project.facts.predicate:
        phrasing = PredicatePhrasing(
            table.iri,
            table.label or "",
            table.train_questions,
            table.test_questions,
            table.statements,
        )
        templates = relation_templates(phrasing, "label")
        directions = Counter(template.direction for template in templates.statements)
        assert min(directions["forward"], directions["reverse"]) >= 2
        assert {template.style for template in templates.test} == {"question", "cloze"}
