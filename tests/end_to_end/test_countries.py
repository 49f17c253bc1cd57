"""A second graph, of another domain, through the real commands: run, run again, status, ask, kill."""

import json
import re
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq

ASKED_ALONE = {"base", "base + prompt", "pretrained", "distilled", "fused", "fused + prompt"}
PROMPTED = {"few-shot", "calibrated", "soft prompt", "BM25", "options alone", "base again"}
ARMS = ASKED_ALONE | PROMPTED | {"random vectors", "shuffled graph"}
READ_THE_GRAPH = {"base", "base + prompt", "fused", "fused + prompt"}


def test_report_has_every_arm_on_every_pool(finished: dict[str, Path]) -> None:
    report = json.loads((finished["report"] / "report.json").read_text(encoding="utf-8"))
    arms = {arm["name"]: arm["pools"] for arm in report["arms"]}
    assert set(arms) >= ARMS
    for name in ARMS:
        for pool in ("T", "M", "U"):
            found = arms[name][pool]
            assert 0 <= found["low"] <= found["accuracy"] <= found["high"] <= 1
            assert found["n"] > 0
    assert "link prediction" in arms
    for pool in ("R", "H"):
        assert {name for name, pools in arms.items() if pool in pools} >= ASKED_ALONE
    for pool in ("S", "D"):
        assert {name for name, pools in arms.items() if pool in pools} == READ_THE_GRAPH
    for pool in ("T", "M", "U"):
        assert arms["base again"][pool] == arms["base"][pool]
    page = (finished["report"] / "report.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert "Countries" in page


def test_answers_are_right_where_the_scores_say_so(finished: dict[str, Path]) -> None:
    rows = pq.read_table(finished["eval"] / "answers.parquet").to_pylist()
    for row in rows:
        assert row["right"] == (max(row["scores"]) == row["scores"][row["correct"]]) or (
            row["scores"].count(max(row["scores"])) > 1
        )
    cited = [row for row in rows if row["arm"] == "base + prompt" and row["pool"] == "M"]
    assert any("countries.ttl" in line for row in cited for line in row["cited"])
    swapped = [row for row in rows if row["arm"] == "base + prompt" and row["pool"] == "S"]
    assert all(any("edited: " in line for line in row["cited"]) for row in swapped)


def test_each_fact_is_answered_freely_once_and_chosen_in_every_phrasing(
    finished: dict[str, Path],
) -> None:
    rows = pq.read_table(finished["eval"] / "answers.parquet").to_pylist()
    asked = [row for row in rows if row["arm"] == "pretrained" and row["pool"] == "T"]
    facts = {row["fact"] for row in asked}
    assert len(asked) == 2 * len(facts)
    free = [row["fact"] for row in asked if row["generated"] is not None]
    assert sorted(free) == sorted(facts)


def test_taught_sentences_tell_no_fact_of_the_other_pools(finished: dict[str, Path]) -> None:
    facts = pq.read_table(finished["facts"] / "facts.parquet").to_pylist()
    pool_of = {fact["fact"]: fact["pool"] for fact in facts}
    sentences = pq.read_table(finished["facts"] / "sentences.parquet").to_pylist()
    assert {pool_of[row["fact"]] for row in sentences} == {"T"}
    subjects = {pool: {f["cluster"] for f in facts if f["pool"] == pool} for pool in "TMIP"}
    assert not subjects["T"] & subjects["M"]
    assert not subjects["P"] & subjects["M"]


def test_second_run_keeps_every_stage(infact, project: Path, finished: dict[str, Path]) -> None:
    done = infact(project, "run")
    assert done.returncode == 0, done.stderr
    assert {line.split()[1] for line in done.stdout.splitlines() if line} == {"kept"}


def test_status_explains_a_changed_learning_rate(
    infact, project: Path, finished: dict[str, Path]
) -> None:
    changed = project.with_name("changed.toml")
    text = project.read_text(encoding="utf-8")
    changed.write_text(
        text.replace("[pretrain]\n", "[pretrain]\nlearning_rate = 0.00012\n"), encoding="utf-8"
    )
    told = infact(changed, "status").stdout
    pretrain = next(line for line in told.splitlines() if line.startswith("pretrain"))
    assert "run" in pretrain
    assert re.search(r"learning_rate .* → 1.2e-4", pretrain)
    assert re.search(r"^distill +waits", told, re.MULTILINE)


def test_ask_answers_from_every_arm_and_cites(
    infact, project: Path, finished: dict[str, Path]
) -> None:
    facts = pq.read_table(finished["facts"] / "facts.parquet").to_pylist()
    country = next(fact["subject_label"] for fact in facts if fact["pool"] == "M")
    done = infact(project, "ask", f"What is the capital of {country}?", "--json")
    assert done.returncode == 0, done.stderr
    answers = {item["arm"]: item for item in json.loads(done.stdout)["answers"]}
    assert set(answers) == ASKED_ALONE
    assert any(country in line and "countries.ttl" in line for line in answers["fused"]["cited"])
    assert answers["base"]["cited"] == []


def test_vectors_tell_likely_and_similar_entities(
    infact, project: Path, finished: dict[str, Path]
) -> None:
    done = infact(project, "predict", "Albania", "continent", "--json")
    assert done.returncode == 0, done.stderr
    tails = json.loads(done.stdout)["tails"]
    assert [tail["label"] for tail in tails if tail["known"]] == ["Europe"]
    done = infact(project, "show", "Albania", "--similar", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["similar"]) == 3


def test_killed_training_goes_on_to_the_same_bytes(
    infact, project: Path, finished: dict[str, Path]
) -> None:
    """kill -9 in pretraining; the next run resumes and makes the same adapter."""
    again = project.with_name("killed.toml")
    text = project.read_text(encoding="utf-8").replace('"artifacts"', '"killed"')
    again.write_text(text, encoding="utf-8")
    folder = project.parent / "killed"
    run = infact.start(again, "pretrain")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and run.poll() is None:
        if any(folder.glob("pretrain/*.partial/resume/*")):
            break
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    done = infact(again, "pretrain", "--json")
    assert done.returncode == 0, done.stderr
    resumed = Path(json.loads(done.stdout)["pretrain"]) / "adapter/adapter_model.safetensors"
    whole = finished["pretrain"] / "adapter/adapter_model.safetensors"
    assert resumed.read_bytes() == whole.read_bytes()
