import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.leaking_relations import kept_together, leaking_relations, told_by
from infact.pipeline.console import Console
from infact.pipeline.embedding.graph_split import split_triples
from infact.pipeline.embedding.graph_triples import graph_triples
from infact.pipeline.embedding.triples_source import GraphSource

from .conftest import IRI, ingested, world


def test_no_side_tells_another_and_training_lacks_nothing(graph_folder, capsys) -> None:
    found = graph_triples(GraphSource(graph_folder, 0.1), seed=0, console=Console())
    assert {leak.kind for leak in found.leaks} == {"inverse"}
    for side in (found.valid, found.test):
        assert len(side) == pytest.approx(0.1 * len(world()), abs=1)
        rest = np.concatenate(
            [of for of in (found.train, found.valid, found.test) if of is not side]
        )
        assert not told_by(side, rest, found.leaks).any()
        assert not found.unseen(side).any()
        assert np.isin(side[:, 1], found.train[:, 1]).all()
        knows = found.relations.names.index(IRI + "knows")
        assert (side[:, 1] == knows).any(), "or the test says nothing about leaks"
    everything = np.concatenate((found.train, found.valid, found.test))
    named = {tuple(found.entities.names[e] for e in (h, t)) for h, _, t in everything.tolist()}
    assert len(everything) == len(world())
    assert named == {(IRI + h, IRI + t) for h, _, t in world()}
    assert "kept on one side" in capsys.readouterr().out


def test_a_seed_is_one_split_and_another_seed_another(graph_folder) -> None:
    drawn = [
        graph_triples(GraphSource(graph_folder, 0.1), seed, Console()).test.tolist()
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 60),
    share=st.floats(0.01, 0.4),
    entities=st.integers(2, 8),
)
def test_any_split_is_whole_apart_and_trained(seed, count, share, entities) -> None:
    random = np.random.default_rng(seed)
    rows = np.stack([random.integers(0, n, count) for n in (entities, 3, entities)], axis=1)
    triples = np.unique(rows.astype(np.int32), axis=0)
    leaks = leaking_relations(triples, entities, 3)
    groups = kept_together(triples, 3, leaks)
    split = split_triples(triples, groups, share, seed)
    sides = (split.train, split.valid, split.test)
    assert sorted(np.concatenate(sides).tolist()) == list(range(len(triples)))
    assert len(split.valid) <= max(1, round(share * len(triples))) >= len(split.test)
    for side in sides:
        assert not np.isin(groups[side], np.delete(groups, side)).any()
    for column in ([0, 2], [1]):
        assert np.isin(triples[:, column], triples[split.train][:, column]).all()


@pytest.mark.parametrize(
    ("rows", "more", "problem"),
    [
        ([], f'<{IRI}a> <{IRI}age> "7" .\n', "no triples between entities"),
        ([("a", "likes", "a")], "", "all triples are of one entity"),
        ([("a", "likes", "b"), ("a", "likes", "c")], "", "none of its 2 triples can be held out"),
    ],
)
def test_graphs_that_cannot_be_embedded(tmp_path, rows, more, problem) -> None:
    folder = ingested(tmp_path / "graph", rows, more)
    with pytest.raises(UserError, match=problem) as found:
        graph_triples(GraphSource(folder), seed=0, console=Console())
    assert found.value.where == str(folder)
    assert found.value.fix
