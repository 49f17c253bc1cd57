"""`infact embed` without a project, from files or a graph to what lies in its folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from infact.models import embedding_training
from infact.models.embedding_files import load_vectors
from infact.pipeline import machine
from infact.pipeline.embedding import embed_triples, memory_estimate

from ...command_here import command_here
from .conftest import IRI, lines, split_world, world, write_files


def embed(folder: Path, *words: str, status: int = 0) -> str:
    """What the command says; its JSON where that is asked for."""
    done = command_here("embed", *words, folder=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory, triples_folder, settings_file) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("made")
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    return folder / "v", json.loads(embed(folder, *words, "--json"))


def rows(path: Path) -> np.ndarray:
    table = pq.read_table(path)
    return np.stack([table[name].to_numpy() for name in ("head", "relation", "tail")], axis=1)


def plain_rank(scores: list[float], true: int, known: set[int]) -> float:
    others = [score for k, score in enumerate(scores) if k != true and k not in known]
    above = sum(score > scores[true] for score in others)
    return 1 + above + sum(score == scores[true] for score in others) / 2


def test_ranks_are_those_of_a_plain_loop_over_the_written_vectors(made) -> None:
    out, told = made
    model, *_ = load_vectors(out / "vectors.safetensors")
    known = set(map(tuple, rows(out / "triples.parquet").tolist()))
    ranks = []
    for h, r, t in rows(out / "ranks.parquet").tolist():
        with torch.inference_mode():
            tails = model.tail_scores(torch.tensor([h]), torch.tensor([r]))[0].tolist()
            heads = model.head_scores(torch.tensor([t]), torch.tensor([r]))[0].tolist()
        ranks.append(plain_rank(heads, h, {a for a, s, b in known if (s, b) == (r, t)}))
        ranks.append(plain_rank(tails, t, {b for a, s, b in known if (a, s) == (h, r)}))
    assert len(ranks) == 2 * 40
    assert told["mrr"] == pytest.approx(np.mean(1 / np.array(ranks)), abs=1e-5)
    assert told["hits"]["3"] == pytest.approx(np.mean(np.array(ranks) <= 3), abs=1e-5)
    interval = told["evaluation"]["intervals"]["mean_reciprocal_rank"]
    assert interval["low"] < told["mrr"] < interval["high"]


def test_names_stand_beside_the_vectors_and_sides_are_those_of_the_files(made) -> None:
    out, told = made
    names = [
        pq.read_table(out / f"{kind}.parquet")["name"].to_pylist()
        for kind in ("entities", "relations")
    ]
    assert names[0] == sorted({name for h, _, t in world() for name in (h, t)})
    table = pq.read_table(out / "triples.parquet").to_pylist()
    for side, expected in split_world().items():
        own = [
            (names[0][row["head"]], names[1][row["relation"]], names[0][row["tail"]])
            for row in table
            if row["split"] == side
        ]
        assert sorted(own) == sorted(expected)
    assert told["data"]["triples"] == {side: len(of) for side, of in split_world().items()}


def test_leaks_are_told_and_what_they_tell_is_set_apart(made) -> None:
    _, told = made
    assert [leak["relations"] for leak in told["data"]["leaks"]] == [["known_by", "knows"]]
    assert told["data"]["leaks"][0]["kind"] == "inverse"
    split = split_world()
    trained = set(split["train"])
    turned = {"knows": "known_by", "known_by": "knows"}
    count = sum((t, turned.get(r, ""), h) in trained for h, r, t in split["test"])
    assert told["data"]["told_by_training"]["test"] == count > 0
    assert told["evaluation"]["without_told"]["both"]["count"] == 2 * (40 - count)


def test_parts_are_apart_and_the_baseline_knows_less(made) -> None:
    _, told = made
    measured = told["evaluation"]
    assert measured["sampled"] is None
    assert measured["both"]["count"] == 2 * measured["head"]["count"] == 80
    assert sum(own["head"]["count"] for own in measured["by_cardinality"].values()) == 40
    assert sum(own["head"]["count"] for own in measured["by_relation"].values()) == 40
    assert measured["by_relation"]["lives_in"]["cardinality"] == "N-1"
    assert measured["by_relation"]["knows"]["cardinality"] == "N-N"
    frequency = measured["baseline_frequency_in_relation"]["both"]["mean_reciprocal_rank"]
    assert told["mrr"] > frequency
    verdicts = measured["triple_classification"]
    assert verdicts["count"] > 40
    assert verdicts["accuracy_low"] <= verdicts["accuracy"] <= verdicts["accuracy_high"]
    assert verdicts["accuracy"] > 0.5


def test_probabilities_are_held_against_the_test(made) -> None:
    out, told = made
    held = told["probabilities"]
    assert held["answers"] == sum(each["n"] for each in held["bins"])
    assert held["low"] <= held["expected_calibration_error"] <= held["high"]
    assert abs(held["mean_probability"] - held["right"]) < 0.15
    assert json.loads((out / "scale.json").read_text())["slope"] > 0


def test_figures_of_cost_are_there(made) -> None:
    _, told = made
    for name in ("seconds_per_epoch", "evaluation_triples_per_second", "peak_mib"):
        assert told[name] > 0


def test_a_second_run_keeps_what_is_there_and_other_settings_are_refused(
    made, tmp_path, triples_folder, settings_file
) -> None:
    shutil.copytree(made[0], tmp_path / "v")
    before = {path.name: path.read_bytes() for path in (tmp_path / "v").iterdir()}
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    told = json.loads(embed(tmp_path, *words, "--json"))
    assert told["kept"]
    assert told["mrr"] == made[1]["mrr"]
    error = embed(tmp_path, *words, "--seed", "1", status=2)
    assert "seed 0 → 1" in error
    assert "--restart" in error
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "v").iterdir()}
    anew = json.loads(embed(tmp_path, *words, "--seed", "1", "--restart", "--json"))
    assert not anew["kept"]
    assert anew["seed"] == 1


def results(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name != "manifest.json"}


@pytest.mark.parametrize("stopped", ["training", "evaluation"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    stopped, made, tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    monkeypatch.setattr(embedding_training, "CHECKPOINT_STEPS", 5)
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    with monkeypatch.context() as stopping:
        _stop(stopped, stopping)
        assert "the next run resumes" in embed(tmp_path, *words, status=130)
    assert not (tmp_path / "v").exists()
    assert (tmp_path / "v.partial/resume/training.safetensors").exists()
    assert "going on with what an unfinished run left" in embed(tmp_path, *words)
    assert results(tmp_path / "v") == results(made[0])
    assert not (tmp_path / "v.partial").exists()
    assert json.loads(embed(tmp_path, *words, "--json"))["seconds_per_epoch"] is None


def _stop(where: str, stopping: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    if where == "evaluation":
        stopping.setattr(embed_triples, "evaluate", interrupted)
        return
    whole: Callable = embed_triples.train_embedding

    def stopped_training(*given: object, **named: object) -> object:
        *first, advance = given
        done: list[int] = []

        def counted(count: int) -> None:
            done.append(count)
            if len(done) == 33:
                raise KeyboardInterrupt
            advance(count)

        return whole(*first, counted, **named)

    stopping.setattr(embed_triples, "train_embedding", stopped_training)


def test_what_an_unfinished_run_of_other_settings_left_is_dropped(
    tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    with monkeypatch.context() as stopping:
        _stop("evaluation", stopping)
        assert "the next run resumes" in embed(tmp_path, *words, status=130)
    assert "of other settings left here is dropped" in embed(tmp_path, *words, "--seed", "2")


def test_another_artifact_is_left_alone(made, tmp_path, triples_folder) -> None:
    shutil.copytree(made[0], tmp_path / "v")
    text = (tmp_path / "v/manifest.json").read_text().replace("embed alone", "ingest")
    (tmp_path / "v/manifest.json").write_text(text)
    words = ("--triples", str(triples_folder), "--out", "v", "--restart")
    assert "something else than vectors" in embed(tmp_path, *words, status=2)
    assert (tmp_path / "v/manifest.json").read_text() == text


def test_another_folder_of_that_name_is_left_alone(tmp_path, triples_folder, settings_file) -> None:
    (tmp_path / "v.partial").mkdir()
    (tmp_path / "v.partial/letter.txt").write_text("dear")
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    assert "isn't the work of an unfinished run" in embed(tmp_path, *words, status=2)
    assert (tmp_path / "v.partial/letter.txt").exists()


def test_a_sample_is_called_one(tmp_path, triples_folder, settings_file) -> None:
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    assert "a sample of 10 of 40 test triples" in embed(tmp_path, *words, "--sampled", "10")
    metrics = json.loads((tmp_path / "v/metrics.json").read_text())
    assert metrics["evaluation"]["sampled"] == {"triples": 10, "of": 40}
    assert metrics["evaluation"]["both"]["count"] == 20


@pytest.mark.parametrize("model", ["transe", "distmult", "rotate"])
def test_every_model_is_embedded(model, tmp_path, triples_folder) -> None:
    (tmp_path / "few.toml").write_text("dimension = 8\nepochs = 1\n")
    words = ("--triples", str(triples_folder), "--settings", "few.toml", "--out", "v")
    told = json.loads(embed(tmp_path, *words, "--model", model, "--json"))
    assert told["model"] == model
    assert 0 < told["mrr"] < 1
    assert load_vectors(tmp_path / "v/vectors.safetensors")[0].name == model


def test_a_graph_is_split_and_its_rows_are_the_graphs(
    tmp_path, graph_folder, settings_file
) -> None:
    words = ("--graph", str(graph_folder), "--settings", str(settings_file), "--out", "v")
    told = json.loads(embed(tmp_path, *words, "--held-out", "0.1", "--json"))
    assert told["data"]["told_by_training"] == {"valid": 0, "test": 0}
    assert told["data"]["with_unseen_entity"] == {"valid": 0, "test": 0}
    entities = pq.read_table(tmp_path / "v/entities.parquet")
    graph_iris = pq.read_table(graph_folder / "entities.parquet")["iri"].to_pylist()
    for row in entities.to_pylist():
        assert graph_iris[row["id"]] == row["name"]
    assert {"Person 00", "c0"} <= set(entities["label"].to_pylist())
    triples = rows(tmp_path / "v/triples.parquet")
    names = entities["name"].to_pylist()
    assert {(names[h], names[t]) for h, _, t in triples.tolist()} == {
        (IRI + h, IRI + t) for h, _, t in world()
    }


def changed(folder: Path, source: Path, **files: str) -> Path:
    shutil.copytree(source, folder)
    return write_files(folder, files)


def test_triples_of_two_files_are_refused_or_counted(
    tmp_path, triples_folder, settings_file
) -> None:
    split = split_world()
    twice = lines([*split["test"], split["train"][0]])
    changed(tmp_path / "t", triples_folder, test=twice)
    words = ("--triples", "t", "--settings", str(settings_file), "--out", "v")
    error = embed(tmp_path, *words, status=2)
    assert "train.txt has this triple too" in error
    assert "t/test.txt:41" in error
    assert "--keep-duplicates" in error
    told = json.loads(embed(tmp_path, *words, "--keep-duplicates", "--json"))
    assert told["data"]["on_two_sides"] == {"train, test": 1}
    count = told["data"]["told_by_training"]["test"]
    assert told["evaluation"]["without_told"]["both"]["count"] == 2 * (41 - count)
    trained, turned = set(split["train"]), {"knows": "known_by", "known_by": "knows"}
    leaked = sum((t, turned.get(r, ""), h) in trained for h, r, t in split["test"])
    assert count == leaked + 1


def test_unseen_entities_are_counted_and_set_apart(tmp_path, triples_folder, settings_file) -> None:
    test = lines([*split_world()["test"], ("p00", "knows", "stranger")])
    changed(tmp_path / "t", triples_folder, test=test)
    words = ("--triples", "t", "--settings", str(settings_file), "--out", "v")
    assert "1 of 41 triples have an entity that isn't in train.txt" in embed(tmp_path, *words)
    metrics = json.loads((tmp_path / "v/metrics.json").read_text())
    assert metrics["data"]["with_unseen_entity"] == {"valid": 0, "test": 1}
    assert metrics["evaluation"]["without_unseen_entities"]["both"]["count"] == 80


@pytest.mark.parametrize(
    ("files", "settings", "where", "words"),
    [
        ({"valid": "p00\tknows\n"}, "", "t/valid.txt:1", "the line has 2 columns, not 3"),
        ({"test": "p00\thates\tp01\n"}, "", "t/test.txt:1", "no triple of the relation 'hates'"),
        ({"test_negatives": "p00\tknows\tnobody\n"}, "", "t/test_negatives.txt:1", "'nobody'"),
        (dict.fromkeys(("train", "valid", "test"), "a\tis\ta\n"), "", "t", "one entity"),
        ({}, "learning_rat = 1.0\n", "few.toml:learning_rat", "did you mean learning_rate?"),
        ({}, "dimension = 'many'\n", "few.toml:dimension", "valid integer"),
        ({}, "dimension = 7\n", "few.toml", "needs an even one"),
        ({}, "dimension = \n", "few.toml:4:13", "this isn't TOML"),
        ({}, "learning_rate = 1e30\n", "step 2 of", "Training diverged"),
    ],
)
def test_mistakes_are_told_with_their_place(
    files, settings, where, words, tmp_path, triples_folder, settings_file
) -> None:
    changed(tmp_path / "t", triples_folder, **files)
    if len(files) == 3:
        for path in (tmp_path / "t").glob("*_negatives.txt"):
            path.unlink()
    kept = settings_file.read_text().splitlines(True)
    key = settings.split(" ")[0]
    text = "".join(line for line in kept if not key or not line.startswith(f"{key} ")) + settings
    (tmp_path / "few.toml").write_text(text)
    options = ("--keep-duplicates",) if len(files) == 3 else ()
    error = embed(
        tmp_path, "--triples", "t", "--settings", "few.toml", "--out", "v", *options, status=2
    )
    assert where in error
    assert words in error
    assert "Traceback" not in error
    assert not (tmp_path / "v").exists()


def test_all_mistakes_of_a_settings_file_are_told_at_once(tmp_path, triples_folder) -> None:
    (tmp_path / "few.toml").write_text('modle = "rotate"\nepochs = "ten"\n')
    error = embed(
        tmp_path, "--triples", str(triples_folder), "--settings", "few.toml", "--out", "v", status=2
    )
    assert "2 mistakes in few.toml" in error
    assert "did you mean model?" in error


def test_diverging_training_keeps_its_last_good_state(
    tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    monkeypatch.setattr(embedding_training, "CHECKPOINT_STEPS", 2)
    words = ("--triples", str(triples_folder), "--settings", str(settings_file), "--out", "v")
    whole: Callable = embedding_training.one_vs_all_loss
    steps: list[int] = []

    def broken(*given: object, **named: object) -> torch.Tensor:
        steps.append(1)
        return whole(*given, **named) * (float("nan") if len(steps) == 8 else 1.0)

    with monkeypatch.context() as breaking:
        breaking.setattr(embedding_training, "one_vs_all_loss", broken)
        error = embed(tmp_path, *words, status=2)
    assert "step 8 of" in error
    assert "what step 6 had come to is kept" in error
    assert "going on with what an unfinished run left" in embed(tmp_path, *words)


def test_too_large_a_table_is_told_before_training(
    tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 10_000)
    error = embed(
        tmp_path,
        "--triples",
        str(triples_folder),
        "--settings",
        str(settings_file),
        "--out",
        "v",
        status=2,
    )
    assert "there is too little memory: training needs about" in error
    assert "dimension 16, batch_size 32" in error
    assert 'by loss = "negative_sampling" and optimizer = "adagrad"' in error
    assert list(tmp_path.iterdir()) == []


def test_tables_that_do_not_fit_are_trained_in_files_to_the_same_bytes(
    tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    text = settings_file.read_text(encoding="utf-8")
    by_rows = tmp_path / "rows.toml"
    by_rows.write_text(text + 'loss = "negative_sampling"\nnegatives = 4\n', encoding="utf-8")
    words = ("--triples", str(triples_folder), "--settings", str(by_rows), "--out")
    assert "files" not in embed(tmp_path, *words, "plain")
    # A step's 24 KiB fit, and with the tables it is 42.
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 30_000)
    assert "the tables are kept in files below" in embed(tmp_path, *words, "mapped")
    plain, mapped = (tmp_path / name for name in ("plain", "mapped"))
    assert sorted(path.name for path in mapped.iterdir()) == sorted(
        path.name for path in plain.iterdir()
    )
    for name in ("vectors.safetensors", "ranks.parquet", "metrics.json"):
        assert (mapped / name).read_bytes() == (plain / name).read_bytes()


def test_too_small_a_disk_for_tables_in_files_is_told(
    tmp_path, triples_folder, settings_file, monkeypatch
) -> None:
    by_rows = tmp_path / "rows.toml"
    text = settings_file.read_text(encoding="utf-8")
    by_rows.write_text(text + 'loss = "negative_sampling"\nnegatives = 4\n', encoding="utf-8")
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 30_000)
    usage = SimpleNamespace(free=1000)
    monkeypatch.setattr(memory_estimate.shutil, "disk_usage", lambda folder: usage)
    words = ("--triples", str(triples_folder), "--settings", str(by_rows), "--out", "v")
    error = embed(tmp_path, *words, status=2)
    assert "too little disk for them as files" in error
    assert not (tmp_path / "v").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "v"), "--out is given without triples"),
        (("--seed", "0"), "--seed is given without triples"),
        (("--triples", "t"), "--out is missing"),
        (("--triples", "t", "--graph", "g", "--out", "v"), "--graph is given with --triples"),
        (("--triples", "t", "--held-out", "0.1", "--out", "v"), "--held-out is given"),
        (("--graph", "g", "--keep-duplicates", "--out", "v"), "--keep-duplicates is given"),
        (("--triples", "t", "-c", "my.toml", "--out", "v"), "--config is given with"),
        (("--triples", "t", "--out", "v", "--model", "rotat"), "did you mean rotate?"),
        (("--triples", "t", "--out", "v", "--settings", "gone.toml"), "can't be read"),
        (("--triples", "t", "--out", "v"), "no train.txt and no valid.txt and no test.txt"),
        (("--triples", "t", "--out", "a/v"), "no such folder"),
        (("--triples", "t", "--out", "."), "the folder that you are in"),
        (("--triples", "t", "--out", "full"), "something else than vectors"),
        (("--graph", "g", "--out", "v"), "holds no graph"),
    ],
)
def test_what_is_refused(words, said, tmp_path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("dear")
    assert said in embed(tmp_path, *words, status=2)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "letter.txt"]
