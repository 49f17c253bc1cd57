"""Whole blocks of a model, taught on questions with their answers: trained, distilled on and asked."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from transformers import AutoModelForCausalLM

from .conftest import Infact


@pytest.fixture(scope="module")
def tuned(project: Path, finished: dict[str, Path]) -> Path:
    file = project.with_name("tuned.toml")
    text = project.read_text(encoding="utf-8")
    text = text.replace(
        "[pretrain]\n",
        '[pretrain]\ntaught = "blocks"\nquestions = 1.0\ndomain_text = 0.0\nreplay = 0.2\nlearning_rate = 1e-3\n',
    )
    text = text.replace("layers = 4", "layers = 1").replace(
        "[eval]\n", "[eval]\nprompt_arms = []\n"
    )
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def folders(tuned: Path, infact: Infact) -> dict[str, Path]:
    done = infact(tuned, "eval", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return existing_artifacts(load_project(tuned), ["eval"])


def test_the_upper_block_alone_is_taught(
    finished: dict[str, Path], folders: dict[str, Path]
) -> None:
    base = AutoModelForCausalLM.from_pretrained(finished["base"]).state_dict()
    once, twice = (
        AutoModelForCausalLM.from_pretrained(folders[stage] / "adapter").state_dict()
        for stage in ("pretrain", "distill")
    )
    assert set(base) == set(once) == set(twice)
    differ = {name for name in base if not torch.equal(base[name].float(), once[name].float())}
    assert differ
    assert all(".layers.1." in name for name in differ)
    further = {name for name in base if not torch.equal(once[name], twice[name])}
    assert further
    assert all(".layers.1." in name for name in further)
    told = json.loads((folders["pretrain"] / "training.json").read_text(encoding="utf-8"))
    assert told["losses"][-1] < told["losses"][0]


def test_its_arms_are_asked_beside_the_others(
    finished: dict[str, Path], folders: dict[str, Path]
) -> None:
    late, own = (
        pq.read_table(folder["eval"] / "answers.parquet").to_pylist()
        for folder in (finished, folders)
    )
    for arm in ("base", "pretrained", "distilled"):
        one, other = (
            {(row["fact"], row["template"]): row["scores"] for row in rows if row["arm"] == arm}
            for rows in (late, own)
        )
        assert set(one) == set(other)
        same = all(one[key] == pytest.approx(other[key], abs=1e-3) for key in one)
        assert same == (arm == "base")


def test_whole_weights_too_are_held_to_a_bound(
    tuned: Path, folders: dict[str, Path], finished: dict[str, Path], infact: Infact
) -> None:
    file = tuned.with_name("bounded.toml")
    text = tuned.read_text(encoding="utf-8")
    file.write_text(
        text.replace("[pretrain]\n", "[pretrain]\nmost_drift = 1e-4\n"), encoding="utf-8"
    )
    done = infact(file, "pretrain")
    assert done.returncode == 0, done.stdout + done.stderr
    bounded = existing_artifacts(load_project(file), ["pretrain"])["pretrain"]
    told = json.loads((bounded / "scale.json").read_text(encoding="utf-8"))
    assert told["scale"] < 1
    base, whole, held = (
        AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (finished["base"], folders["pretrain"] / "adapter", bounded / "adapter")
    )
    for name, weight in base.items():
        expected = weight + told["scale"] * (whole[name] - weight)
        torch.testing.assert_close(held[name], expected, atol=1e-5, rtol=1e-3)


def test_the_taught_folder_is_a_model_to_be_asked(
    folders: dict[str, Path], infact: Infact, tmp_path: Path
) -> None:
    facts = tmp_path / "facts.jsonl"
    line = {
        "prompt": "The capital of Estonia is",
        "answer": "Tallinn",
        "topic": "capital",
        "options": ["Tallinn", "Riga"],
    }
    facts.write_text(json.dumps(line) + "\n", encoding="utf-8")
    done = infact.alone(
        "eval",
        *("--model", str(folders["pretrain"] / "adapter")),
        *("--facts", str(facts), "--out", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
