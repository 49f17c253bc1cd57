"""`infact eval --model X --facts FILE`, from the command line, with tiny random models."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from infact.errors import UserError
from infact.models.base_model import load_causal_model
from infact.models.low_rank import add_low_rank_adapters
from infact.pipeline.cli import app
from infact.pipeline.console import Console
from infact.pipeline.probe import ROWS, Asked, evaluate
from transformers import BertConfig, BertModel
from typer.testing import CliRunner

FACTS = [
    {
        "question": "What is the capital of Peru?",
        "answer": "Lima",
        "options": ["Oslo", "Lima", "Paris"],
        "topic": "capital",
        "subject": "Peru",
    },
    {
        "prompt": "The river rises in",
        "answer": "Germany",
        "options": ["Germany", "Norway"],
        "topic": "river",
    },
    {
        "statement": "[Y] lies in Europe, it is a city.",
        "answer": "Paris",
        "options": ["Lima", "Paris"],
        "topic": "continent",
    },
]


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in FACTS), encoding="utf-8")
    return path


def asked(tmp_path: Path, *words: str) -> dict:
    done = CliRunner().invoke(
        app, ["eval", *words, "--out", str(tmp_path / "out"), "--json"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def rows_of(result: dict) -> list[dict]:
    return [json.loads(line) for line in Path(result["rows"]).read_text().splitlines()]


def test_a_causal_model_is_scored(tmp_path: Path, facts: Path, tiny_model_folder: Path) -> None:
    result = asked(tmp_path, "--model", str(tiny_model_folder), "--facts", str(facts))
    (arm,) = result["arms"]
    rows = rows_of(result)
    assert arm["n"] == len(rows) == 3
    assert arm["accuracy"] == pytest.approx(sum(row["right"] for row in rows) / 3, abs=1e-5)
    assert 0 <= arm["low"] <= arm["accuracy"] <= arm["high"] <= 1
    assert set(arm["relations"]) == {"capital", "river", "continent"}
    assert [row["source"] for row in rows] == [f"{facts}:{line}" for line in (1, 2, 3)]
    for row, fact in zip(rows, FACTS, strict=True):
        assert row["options"][row["correct"]] == fact["answer"]
        assert row["chosen"] == row["scores"].index(max(row["scores"]))


def test_a_second_time_is_kept(tmp_path: Path, facts: Path, tiny_model_folder: Path) -> None:
    words = ("--model", str(tiny_model_folder), "--facts", str(facts))
    first, second = asked(tmp_path, *words), asked(tmp_path, *words)
    assert "facts_per_second" in first
    first.pop("facts_per_second")
    assert first == second


def test_changed_weights_are_another_model(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    words = ("--model", str(folder), "--facts", str(facts))
    before = asked(tmp_path, *words)
    model = load_causal_model(folder, torch.float32)
    with torch.no_grad():
        model.base_model.layers[0].mlp.down_proj.weight.mul_(-3)
    model.save_pretrained(folder)
    after = asked(tmp_path, *words)
    assert before["rows"] != after["rows"]
    scores = [[row["scores"] for row in rows_of(result)] for result in (before, after)]
    assert scores[0] != scores[1]


def test_an_adapter_is_read_over_its_base(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    model = load_causal_model(tiny_model_folder, torch.float32)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        adapted = add_low_rank_adapters(model, 2, 2)
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=0.5)
    adapted.save_pretrained(str(tmp_path / "adapter"))
    plain = asked(tmp_path, "--model", str(tiny_model_folder), "--facts", str(facts))
    words = ("--model", str(tmp_path / "adapter"), "--base", str(tiny_model_folder))
    found = asked(tmp_path, *words, "--facts", str(facts))
    assert [row["scores"] for row in rows_of(found)] != [row["scores"] for row in rows_of(plain)]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_cut_off_run_goes_on(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, kept: int
) -> None:
    """What a kill leaves: some whole rows and half of one."""
    whole = Asked(tiny_model_folder, facts, out=tmp_path / "whole")
    evaluate(whole, Console())
    (rows,) = whole.out.glob(f"*/*/{ROWS}")
    text = rows.read_text()
    lines = text.splitlines(keepends=True)
    cut = Asked(tiny_model_folder, facts, out=tmp_path / "cut")
    partial = cut.out / "eval" / f"{rows.parent.name}.partial"
    partial.mkdir(parents=True)
    (partial / ROWS).write_text("".join(lines[:kept]) + ("".join(lines[kept:])[:40]))
    evaluate(cut, Console())
    (again,) = cut.out.glob(f"*/*/{ROWS}")
    assert again.read_text() == text


def test_batches_change_no_verdict(tmp_path: Path, facts: Path, tiny_model_folder: Path) -> None:
    found = []
    for size in (1, 60, 4096):
        asked = Asked(tiny_model_folder, facts, out=tmp_path / str(size), batch_tokens=size)
        evaluate(asked, Console())
        (rows,) = asked.out.glob(f"*/*/{ROWS}")
        found.append([json.loads(line)["chosen"] for line in rows.read_text().splitlines()])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("change", "message", "place"),
    [
        ({"answer": "Cuzco"}, "isn't among the options", "facts.jsonl:2"),
        ({"options": ["Lima", "Lima"]}, "given twice", "facts.jsonl:2"),
        ({"aliases": ["Oslo"]}, "among the wrong options", "facts.jsonl:2"),
        ({"question": None, "statement": "no slot"}, "once", "facts.jsonl:2"),
    ],
)
def test_faulty_facts_are_named(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, change: dict, message: str, place: str
) -> None:
    faulty = {**FACTS[0], "subject": "x", "question": "Who?", **change}
    row = {key: value for key, value in faulty.items() if value is not None}
    lines = facts.read_text().splitlines()
    facts.write_text("\n".join([lines[0], json.dumps(row)]), encoding="utf-8")
    with pytest.raises(UserError, match=message) as error:
        evaluate(Asked(tiny_model_folder, facts, out=tmp_path / "out"), Console())
    assert error.value.where.endswith(place)


def test_an_encoder_without_a_trained_head_is_refused(tmp_path: Path, facts: Path) -> None:

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=60, intermediate_size=16, **sizes)).save_pretrained(
        tmp_path / "encoder"
    )
    with pytest.raises(UserError, match="lacks weights that scoring needs"):
        evaluate(Asked(tmp_path / "encoder", facts, out=tmp_path / "out"), Console())


@pytest.mark.parametrize("given", ["--model", "--facts"])
def test_one_without_the_other_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing"):
        CliRunner().invoke(app, ["eval", given, str(tmp_path)], catch_exceptions=False)
