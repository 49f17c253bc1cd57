"""The command line of `infact rerank`, and of `infact link --reranker`."""

import json

import pytest

from ..command_here import command_here
from ..reranked_graph import make_reranked_graph

TEXT = "A crimson kidney, and a kidney that is red."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("rerank_command")
    make_reranked_graph(place / "graph")
    return place


@pytest.fixture(scope="module")
def trained(folder, tiny_encoder_folder):
    (folder / "encoder").symlink_to(tiny_encoder_folder)
    words = ("rerank", "--graph", "graph", "--base", "encoder", "--out", "made", "--json")
    done = command_here(*words, "--root", "Coloured thing", folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_tells_where_it_is_and_what_it_came_to(folder, trained):
    assert (folder / trained["folder"] / "reranker.safetensors").is_file()
    assert trained["test"]["all"]["n"] > 0


def test_linking_with_it_from_another_folder(folder, trained, tmp_path):
    graph, made = str(folder / "graph"), str(folder / "made")
    words = ("link", "--graph", graph, "--text", TEXT, "--reranker", made, "--json")
    done = command_here(*words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["mentions"]
    assert found
    for mention in found:
        assert TEXT[mention["start"] : mention["end"]] == mention["surface"]


def test_gold_with_it(folder, trained, tmp_path):
    gold = {
        "id": "a",
        "text": TEXT,
        "mentions": [{"start": 10, "end": 16, "surface": "kidney", "id": "http://example.org/kidney"}],
    }  # fmt: skip
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold), encoding="utf-8")
    words = ("link", "--graph", str(folder / "graph"), "--gold", "gold.jsonl", "--json")
    done = command_here(*words, "--reranker", str(folder / "made"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mentions"]["gold"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("link", "--reranker", "made"), "--reranker is given without texts"),
        (("link", "--graph", "graph", "--text", "x", "--reranker", "nowhere"), "no such folder"),
        (("rerank", "--graph", "graph", "--base", "nowhere"), "doesn't exist"),
        (("rerank", "--graph", "graph", "--base", "graph.ttl"), "is no folder"),
    ],
)
def test_mistakes_are_three_lines_and_status_2(folder, words, told):
    done = command_here(*words, folder=folder)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
