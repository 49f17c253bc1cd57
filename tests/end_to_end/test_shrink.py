"""`infact shrink`: a smaller model of a taught one, causal and masked, and what it won't take."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from .conftest import Infact

SHRINK = "\n[shrink]\ntexts = 24\nepochs = 4\nlearning_rate = 1e-3\nbatch_size = 8\n"


@pytest.fixture(scope="module")
def shrinking(project: Path, finished: dict[str, Path]) -> Path:
    file = project.with_name("shrink.toml")
    file.write_text(project.read_text(encoding="utf-8") + SHRINK, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def shrunk(shrinking: Path, infact: Infact) -> dict[str, Any]:
    done = infact(shrinking, "shrink", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "teacher" in done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_half_of_the_blocks_come_nearer_to_the_whole(shrunk: dict[str, Any]) -> None:
    assert shrunk["teacher"]["layers"] == 2
    assert shrunk["student"]["layers"] == 1
    assert shrunk["student"]["blocks_of_the_teacher"] == [1]
    assert shrunk["student"]["parameters"] < shrunk["teacher"]["parameters"]
    folder = Path(shrunk["folder"])
    losses = json.loads((folder / "training.json").read_text(encoding="utf-8"))["losses"]
    assert losses[-1] < losses[0]
    for kind in ("taught", "untouched"):
        found = shrunk["asked"][kind]
        gained = found["after"]["estimate"] - found["before"]["estimate"]
        assert found["difference"]["difference"] == pytest.approx(gained)
    assert shrunk["general_text"]["student"] > 1


def test_it_is_a_model_as_any_other(shrunk: dict[str, Any]) -> None:
    folder = Path(shrunk["folder"]) / "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.num_hidden_layers == 1
    given = tokenizer("The capital of Estonia is", return_tensors="pt")
    assert model.generate(**given, max_new_tokens=3).shape[1] > given["input_ids"].shape[1]


def test_a_second_run_is_kept(shrinking: Path, shrunk: dict[str, Any], infact: Infact) -> None:
    again = infact(shrinking, "shrink", "--json")
    assert json.loads(again.stdout) == shrunk
    assert "shrink  kept" in again.stderr


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("layers = 2\n", "shrink.layers"),
        ('student = "{encoder}"\n', "shrink.student"),
    ],
)
def test_a_student_that_does_not_fit_is_named(
    shrinking: Path, infact: Infact, tiny_masked_folder: Path, table: str, where: str
) -> None:
    file = shrinking.with_name("wrong-shrink.toml")
    told = shrinking.read_text(encoding="utf-8") + table.format(encoder=tiny_masked_folder)
    file.write_text(told, encoding="utf-8")
    done = infact(file, "shrink")
    assert done.returncode == 2, done.stderr
    assert f"wrong-shrink.toml:{where}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_smaller_student_of_ones_own_is_taught(
    shrinking: Path, infact: Infact, tiny_model_folder: Path
) -> None:
    own = shrinking.with_name("own-student")
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    config = type(model.config)(
        **{**model.config.to_dict(), "hidden_size": 16, "num_hidden_layers": 1, "head_dim": 4}
    )
    type(model)(config).save_pretrained(own)
    AutoTokenizer.from_pretrained(tiny_model_folder).save_pretrained(own)
    file = shrinking.with_name("own-shrink.toml")
    told = shrinking.read_text(encoding="utf-8") + 'student = "own-student"\nteacher = "base"\n'
    file.write_text(told, encoding="utf-8")
    done = infact(file, "shrink", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["student"]["parameters"] < found["teacher"]["parameters"]
    assert found["student"]["blocks_of_the_teacher"] == [1]


def test_a_masked_model_is_shrunk_too(
    tmp_path: Path,
    tiny_countries: Callable[[Path], Path],
    tiny_masked_folder: Path,
    infact: Infact,
) -> None:
    file = tiny_countries(tmp_path)
    text = re.sub(
        r'base = ".*"', f'base = "{tiny_masked_folder}"', file.read_text(encoding="utf-8")
    )
    (tmp_path / "general.txt").write_text("Rain fell on the town.\nShe read a book.\n")
    text = text.replace("[facts]\n", '[facts]\ngeneral_text = "general.txt"\n')
    file.write_text(text + SHRINK + 'teacher = "pretrained"\n', encoding="utf-8")
    assert infact(file, "pretrain").returncode == 0
    done = infact(file, "shrink", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["student"]["layers"] == 1
    assert AutoModelForMaskedLM.from_pretrained(Path(found["folder"]) / "model")
