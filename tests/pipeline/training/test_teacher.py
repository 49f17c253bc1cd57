"""What the distillation teacher reads, on the countries."""

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from infact.models.language_model import LanguageModel
from infact.pipeline.console import Console
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import load_project
from infact.pipeline.run import run_stages
from infact.pipeline.settings.training import DistillTable
from infact.pipeline.training.teacher import right_answers, teacher_contexts

COUNTRIES = Path(__file__).resolve().parents[3] / "data/countries"
LINE = re.compile(r"^\[\d+\] (?P<subject>.+), (?P<relation>[^,]+): (?P<objects>.+)\.$")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[GraphReader, list[dict]]:
    """The countries' graph, and the taught facts."""
    folder = tmp_path_factory.mktemp("countries")
    shutil.copy(COUNTRIES / "countries.ttl", folder)
    text = (COUNTRIES / "infact.toml").read_text(encoding="utf-8")
    text = re.sub(r'artifacts = ".*"', 'artifacts = "artifacts"', text)
    (folder / "infact.toml").write_text(text, encoding="utf-8")
    folders = run_stages(load_project(folder / "infact.toml"), ["facts"], Console())
    rows = pq.read_table(folders["facts"] / "facts.parquet").to_pylist()
    facts = [row for row in rows if row["pool"] == "T"]
    return GraphReader.open(folders["ingest"], folders["facts"]), facts


def lines_of(context: str) -> list[re.Match[str]]:
    heading, *lines, empty, end = context.split("\n")
    assert (heading, empty, end) == ("Facts:", "", "")
    found = [LINE.match(line) for line in lines]
    assert all(found), lines
    return [line for line in found if line]


@pytest.mark.parametrize("distractors", [0, 3])
def test_the_asked_relation_is_told_once_and_right(taught, tiny_tokenizer, distractors) -> None:
    reader, facts = taught
    settings = DistillTable(distractors=distractors, context_tokens=10_000)
    contexts = teacher_contexts(reader, tiny_tokenizer, facts, settings, seed=0)
    places = set()
    for fact, context in zip(facts, contexts, strict=True):
        lines = lines_of(context)
        assert len(lines) <= 1 + distractors
        told = [line for line in lines if line["relation"] == fact["relation_label"]]
        assert [(line["subject"], line["objects"]) for line in told] == [
            (fact["subject_label"], fact["answer"])
        ]
        places.add(lines.index(told[0]))
    assert len(places) > 1 or not distractors, "the fact is anywhere among the lines"


def test_the_fact_itself_is_kept_when_room_is_short(taught, tiny_tokenizer) -> None:
    reader, facts = taught
    settings = DistillTable(distractors=3, context_tokens=60)
    contexts = teacher_contexts(reader, tiny_tokenizer, facts, settings, seed=0)
    crowded = [
        (fact, context)
        for fact, context in zip(facts, contexts, strict=True)
        if context and len(lines_of(context)) <= 3
    ]
    assert crowded, "the case needs contexts that are cut"
    for fact, context in crowded:
        assert f"{fact['subject_label']}, {fact['relation_label']}: {fact['answer']}." in context


def test_the_gate_is_the_likeliest_option(taught, tiny_model, tiny_tokenizer) -> None:
    """Asking for the option that a random model likes best passes; asking for another fails."""
    reader, facts = taught
    few = facts[:4]
    base = LanguageModel(tiny_model, tiny_tokenizer, "causal")
    contexts = teacher_contexts(reader, tiny_tokenizer, few, DistillTable(), seed=0)
    questions = {fact["fact"]: [f"{fact['subject_label']}:"] for fact in few}

    def gate(correct: int) -> list[bool]:
        asked = [{**fact, "correct": correct} for fact in few]
        return right_answers(base, asked, contexts, questions, Console())

    options = range(len(few[0]["options"]))
    passed = [gate(correct) for correct in options]
    assert [sum(of) for of in zip(*passed, strict=True)] == [1] * len(few)


def test_facts_of_another_graph_are_refused(taught, tiny_tokenizer) -> None:
    reader, facts = taught
    foreign = {**facts[0], "relation": facts[0]["relation"] + 1000}
    with pytest.raises(ValueError, match="another one"):
        teacher_contexts(reader, tiny_tokenizer, [foreign], DistillTable(), seed=0)
