import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.graph_records import Relation
from infact.models.embedding_files import load_vectors
from infact.pipeline.console import Console
from infact.pipeline.project import load_project
from infact.pipeline.stages import StageContext
from infact.pipeline.training.embed_stage import run
from infact.pipeline.training.local_graph import neighbourhood

PEOPLE, CITIES, COUNTRIES = 40, 10, 4
LIVES_IN, LIES_IN, CITIZEN_OF = 0, 1, 2
ENTITIES = PEOPLE + CITIES + COUNTRIES


def towns() -> np.ndarray:
    """People live in cities, cities lie in countries, people are citizens of them. (m, 3)."""
    people, cities = np.arange(PEOPLE), PEOPLE + np.arange(CITIES)
    city_of, country_of = PEOPLE + people % CITIES, PEOPLE + CITIES + np.arange(CITIES) % COUNTRIES
    rows = [(p, LIVES_IN, c) for p, c in zip(people, city_of, strict=True)]
    rows += [(c, LIES_IN, n) for c, n in zip(cities, country_of, strict=True)]
    rows += [(p, CITIZEN_OF, country_of[p % CITIES]) for p in people]
    return np.unique(np.array(rows, dtype=np.int32), axis=0)


def write_graph(folder: Path, triples: np.ndarray) -> None:
    """The part of a graph directory that the stage reads."""
    np.save(folder / "triples.npy", triples)
    iris = [f"http://example.org/{entity}" for entity in range(ENTITIES)]
    pq.write_table(pa.table({"iri": iris}), folder / "entities.parquet")
    names = [f"http://example.org/{name}" for name in ("livesIn", "liesIn", "citizenOf")]
    rows = [asdict(Relation(name, name, 1, 1, 1, "N:1")) for name in names]
    pq.write_table(pa.Table.from_pylist(rows), folder / "relations.parquet")
    (folder / "store").mkdir()


def write_facts(folder: Path, triples: np.ndarray, inferable: int) -> None:
    """One general fact, and the citizenship of the first people as pool I."""
    countries = list(range(PEOPLE + CITIES, ENTITIES))
    rows = np.flatnonzero(triples[:, 1] == CITIZEN_OF)[:inferable]
    np.save(folder / "withheld.npy", rows.astype(np.int32))
    facts = [
        {
            "fact": f"I-{row:010x}",
            "pool": "I",
            "subject": int(triples[row, 0]),
            "relation": CITIZEN_OF,
            "objects": [int(triples[row, 2])],
            "option_entities": countries,
            "correct": countries.index(int(triples[row, 2])),
        }
        for row in rows
    ]
    general = {"fact": "U-0", "pool": "U", "subject": -1, "relation": -1, "correct": 0}
    lists = {"objects": [-1], "option_entities": [-1, -1]}
    schema = pa.schema(
        [(name, pa.string()) for name in ("fact", "pool")]
        + [(name, pa.int32()) for name in ("subject", "relation", "correct")]
        + [(name, pa.list_(pa.int32())) for name in ("objects", "option_entities")]
    )
    pq.write_table(
        pa.Table.from_pylist([general | lists, *facts], schema), folder / "facts.parquet"
    )


def run_stage(folder: Path, triples: np.ndarray, table: str, inferable: int) -> Path:
    """The stage's work folder after running it over `triples`."""
    folder.mkdir()
    (folder / "infact.toml").write_text(
        f'[[source]]\npath = "towns.nt"\n[embed]\nrank = 16\nbatch_size = 20\n{table}\n'
    )
    work = folder / "work"
    work.mkdir()
    write_graph(folder, triples)
    write_facts(folder, triples, inferable)
    inputs = {"ingest": folder, "facts": folder}
    run(StageContext(load_project(folder / "infact.toml"), work, inputs, 0, Console()))
    return work


def test_it_infers_withheld_facts_and_beats_the_baseline(tmp_path, capsys) -> None:
    triples = towns()
    work = run_stage(tmp_path / "a", triples, "epochs = 40", inferable=8)
    assert "whole graph: 82 triples (8 withheld)" in capsys.readouterr().out
    metrics = json.loads((work / "metrics.json").read_text())
    baseline = metrics["baseline_object_frequency_of_relation"]
    assert metrics["complex"]["tail"]["mean_reciprocal_rank"] > 0.8
    assert metrics["complex"]["option_accuracy"] > 0.8 > baseline["option_accuracy"]
    assert metrics["complex"]["both"]["count"] == 16
    assert (metrics["test_facts"], metrics["training_triples"]) == (8, 82)
    assert metrics["held_out"] == {"facts": 0, "triples": 0}
    assert metrics["predicted"] is None


def test_predictions_are_the_softmax_over_all_entities(tmp_path) -> None:
    work = run_stage(tmp_path / "a", towns(), "epochs = 3", inferable=5)
    model, entity_ids, relation_ids = load_vectors(work / "vectors.safetensors")
    assert entity_ids.tolist() == list(range(ENTITIES))
    assert relation_ids.tolist() == [LIVES_IN, LIES_IN, CITIZEN_OF]
    facts = pq.read_table(tmp_path / "a" / "facts.parquet").to_pylist()[1:]
    predictions = pq.read_table(work / "predictions.parquet")
    assert predictions.schema.field("scores").type == pa.list_(pa.float32())
    for fact, predicted in zip(facts, predictions.to_pylist(), strict=True):
        scores = model.tail_scores(torch.tensor([fact["subject"]]), torch.tensor([CITIZEN_OF]))
        expected = scores.softmax(dim=1)[0, fact["option_entities"]].log().tolist()
        assert predicted["fact"] == fact["fact"]
        assert predicted["scores"] == pytest.approx(expected, abs=1e-5)


def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    table = "epochs = 2\nmax_triples = 50"
    works = [run_stage(tmp_path / of, towns(), table, inferable=5) for of in "ab"]
    names = sorted(path.name for path in works[0].iterdir() if path.is_file())
    assert names == [
        "metrics.json",
        "predicted.parquet",
        "predictions.parquet",
        "scale.json",
        "vectors.safetensors",
    ]
    assert all((works[0] / name).read_bytes() == (works[1] / name).read_bytes() for name in names)


def test_a_large_graph_is_sampled_and_says_so(tmp_path, capsys) -> None:
    table = "epochs = 1\nmax_triples = 30"
    work = run_stage(tmp_path / "a", towns(), table, inferable=3)
    said = capsys.readouterr().out
    assert "over max_triples = 30: training on the 30 nearest the facts" in said
    model, entity_ids, _ = load_vectors(work / "vectors.safetensors")
    assert len(entity_ids) == len(model.entity) < ENTITIES
    assert {0, 1, 2, *range(PEOPLE + CITIES, ENTITIES)} <= set(entity_ids.tolist())


def test_no_inferable_facts_is_no_failure(tmp_path) -> None:
    work = run_stage(tmp_path / "a", towns(), "epochs = 1", inferable=0)
    metrics = json.loads((work / "metrics.json").read_text())
    assert metrics["complex"] == {"tail": None, "head": None, "both": None, "option_accuracy": None}
    assert pq.read_table(work / "predictions.parquet").num_rows == 0


def test_a_graph_without_triples_is_the_users_error(tmp_path) -> None:
    nothing = np.empty((0, 3), dtype=np.int32)
    with pytest.raises(UserError, match="no triples"):
        run_stage(tmp_path / "a", nothing, "", inferable=0)


def test_an_inferable_fact_that_isn_t_withheld_stops_the_stage(tmp_path) -> None:
    run_stage(tmp_path / "a", towns(), "epochs = 1", inferable=3)
    np.save(tmp_path / "a" / "withheld.npy", np.array([], dtype=np.int32))
    inputs = {"ingest": tmp_path / "a", "facts": tmp_path / "a"}
    project = load_project(tmp_path / "a" / "infact.toml")
    with pytest.raises(ValueError, match="withheld"):
        run(StageContext(project, tmp_path / "a" / "work", inputs, 0, Console()))


def test_divergence_is_the_users_error(tmp_path) -> None:
    with pytest.raises(UserError, match="learning_rate"):
        run_stage(tmp_path / "a", towns(), "learning_rate = 1e30", inferable=2)


def test_a_neighbourhood_is_breadth_first() -> None:
    chain = np.array([[n, 0, n + 1] for n in range(20)])
    assert neighbourhood(chain, np.array([10]), 21, 6, seed=0).tolist() == [7, 8, 9, 10, 11, 12]


def test_the_last_ring_takes_newcomers_whole_and_the_best_bound_first() -> None:
    """Newcomers 2 … 11 are bound to one seed, 12 … 21 to both: room for five of these."""
    once = [[0, 0, newcomer] for newcomer in range(2, 12)]
    twice = [[seed, 0, newcomer] for seed in (0, 1) for newcomer in range(12, 22)]
    triples = np.array(once + twice)
    taken = triples[neighbourhood(triples, np.array([0, 1]), 22, 10, seed=0)]
    newcomers, triples_of = np.unique(taken[:, 2], return_counts=True)
    assert newcomers.min() >= 12
    assert triples_of.tolist() == [2] * 5


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 60),
    max_triples=st.integers(1, 40),
    seeds=st.integers(1, 4),
)
def test_a_neighbourhood_is_connected_to_its_seeds(seed, count, max_triples, seeds) -> None:
    random = np.random.default_rng(seed)
    triples = random.integers(0, 15, (count, 3))
    starts = random.choice(15, seeds, replace=False)
    rows = neighbourhood(triples, starts, 15, max_triples, seed)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max_triples
    reached, left = set(starts.tolist()), triples[rows][:, [0, 2]].tolist()
    while touching := [pair for pair in left if reached & set(pair)]:
        reached.update(*touching)
        left = [pair for pair in left if pair not in touching]
    assert not left
    if len(rows) < max_triples:  # then nothing reachable was left out
        outside = np.delete(triples, rows, axis=0)[:, [0, 2]].ravel().tolist()
        assert not reached & set(outside)
