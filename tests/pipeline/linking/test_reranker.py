"""`infact rerank` and `infact link --reranker` on a small graph with a tiny random encoder."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.linking.linker import graph_linker
from infact.kg.linking.mentions import Candidate
from infact.kg.linking.rescoring import OpenMention
from infact.kg.linking.text_linking import LinkerSettings
from infact.models import reranker_training
from infact.pipeline.console import Console
from infact.pipeline.linking.candidate_lists import VectorTable, candidate_lists
from infact.pipeline.linking.link_documents import DocumentsToLink, link_documents
from infact.pipeline.linking.reranked_linking import make_score, open_reranked
from infact.pipeline.linking.reranker_examples import (
    TEST,
    TRAINING,
    VALIDATION,
    part_of,
    reranker_examples,
)
from infact.pipeline.linking.reranker_folder import WEIGHTS, open_reranker
from infact.pipeline.linking.reranking import graph_reranking
from infact.pipeline.linking.text_vectors import TextVectors, text_vectors
from infact.pipeline.linking.train_reranker import RerankerToTrain, train

from ...reranked_graph import make_reranked_graph

UNSEEN = "crimson kidney"


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return make_reranked_graph(tmp_path_factory.mktemp("reranked") / "graph")


@pytest.fixture(scope="module")
def asked(graph, tiny_encoder_folder, tmp_path_factory):
    return RerankerToTrain(
        graph, str(tiny_encoder_folder), out=tmp_path_factory.mktemp("out"), epochs=2
    )


@pytest.fixture(scope="module")
def trained(asked):
    return train(asked, Console())


@pytest.fixture(scope="module")
def examples(graph):
    return reranker_examples(graph, graph_linker(graph), None, 0, Console())


def test_examples_are_names_that_the_linker_lacked(graph, examples):
    assert {each.part for each in examples} == {TRAINING, VALIDATION, TEST}
    assert any(each.absent for each in examples)
    assert any(each.mention.sentence != each.mention.surface for each in examples)
    keys = {part: {e.key for e in examples if e.part == part} for part in (TRAINING, VALIDATION)}
    keys[TEST] = {e.key for e in examples if e.part == TEST}
    assert keys[TRAINING].isdisjoint(keys[VALIDATION] | keys[TEST])
    assert keys[VALIDATION].isdisjoint(keys[TEST])
    for each in examples:
        mention = each.mention
        assert each.part == part_of(graph.iri(each.entity))
        assert mention.sentence[mention.start : mention.end] == mention.surface
        entities = [candidate.entity for candidate in mention.candidates]
        assert not each.absent or each.entity not in entities
        assert mention.surface not in [candidate.name for candidate in mention.candidates]


def test_a_mention_in_the_text_of_an_entity_does_not_compete_with_it(graph, examples):
    inside = [each for each in examples if each.mention.sentence != each.mention.surface]
    texts = {
        literal.value: entity
        for entity in range(graph.entity_count)
        for literal in graph.literals(entity)
    }
    assert inside
    for each in inside:
        (about,) = (entity for text, entity in texts.items() if each.mention.sentence in text)
        assert about not in [candidate.entity for candidate in each.mention.candidates]


def test_hidden_names_are_no_vectors_of_their_entity(graph):
    from infact.kg.linking.entity_texts import entity_texts

    texts = entity_texts(graph)
    known = texts.texts()
    kept = TextVectors({t: n for n, t in enumerate(known)}, np.zeros((len(known), 4), np.float16))
    entity = graph.entity("http://example.org/red_kidney")
    mention = OpenMention("x", "x", 0, 1, (Candidate(entity, 0.4, "red kidney", "label"),))
    counts = []
    for hidden in (None, [("rufous", "kidney")]):
        lists = candidate_lists([mention], [0], [0], texts, VectorTable(kept), hidden)
        counts.append(int((lists.names >= 0).sum()))
        np.testing.assert_allclose(np.exp(lists.log_scores[0]), [0.6, 0.4], rtol=1e-5)
    assert counts == [2, 1]


def test_training_tells_what_it_came_to(trained):
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    test = metrics["test"]["all"]
    assert test["n"] == sum(metrics["examples"]["test"][kind] for kind in ("names", "in sentences"))
    assert test["difference"]["difference"] == pytest.approx(
        test["re-ranked"]["recall@1"]["estimate"] - test["linker"]["recall@1"]["estimate"]
    )
    absent = metrics["test"]["of absent entities"]
    assert absent["re-ranked"]["recall@5"]["estimate"] == 0.0


def test_a_run_that_was_cut_off_goes_on_to_the_same_bytes(asked, trained, tmp_path, monkeypatch):
    again = RerankerToTrain(**{**vars(asked), "out": tmp_path})
    steps = 0
    whole = reranker_training.reranker_loss

    def cut(*arguments):
        nonlocal steps
        steps += 1
        if steps > 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(reranker_training, "reranker_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        train(again, Console())
    monkeypatch.setattr(reranker_training, "reranker_loss", whole)
    other = train(again, Console())
    assert other.name == trained.name
    assert (other / WEIGHTS).read_bytes() == (trained / WEIGHTS).read_bytes()


def test_trained_again_it_is_kept(asked, trained, capsys):
    assert train(asked, Console()) == trained
    assert "kept" in capsys.readouterr().out


def test_scores_do_not_hang_on_what_else_is_asked(graph, asked, trained):
    opened_one = open_reranker(asked.out)
    opened_one.model.temperature.fill_(10.0)  # no score is rounded to 0 or 1
    score = graph_reranking(opened_one, graph, None, Console()).score
    linker = graph_linker(graph)
    text = f"They found a {UNSEEN} there."
    opened = [
        OpenMention(name, where, where.index(name), where.index(name) + len(name), linker.candidates(name, 5))
        for name, where in ((UNSEEN, UNSEEN), (UNSEEN, text), ("dark liver", "dark liver"))
    ]  # fmt: skip
    together = score(opened)
    assert [score([each])[0] for each in opened] == together
    assert all(0 < sum(scores) <= 1 + 1e-5 for scores in together), together  # rounded
    assert together[0] != together[1]


def test_vectors_are_kept_and_made_anew_where_they_are_damaged(trained, tmp_path):
    encoder = open_reranker(trained).encoder
    texts = ["a", "b kidney"]
    first = text_vectors(texts, encoder, "x", tmp_path, Console())
    (folder,) = tmp_path.iterdir()
    file = folder / "vectors.npy"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-3])
    again = text_vectors(texts, encoder, "x", tmp_path, Console())
    assert np.array_equal(first.vectors, again.vectors)
    assert file.stat().st_size == size
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_documents_are_linked_with_it(graph, trained, tmp_path, workers):
    threads = torch.get_num_threads()
    texts = tmp_path / "texts.jsonl"
    rows = [
        {"id": str(n), "text": f"The kidney was red {n}. A sable heart, hand red."}
        for n in range(9)
    ]
    texts.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    settings = LinkerSettings(graph.directory, candidates=3)
    link_documents(
        DocumentsToLink(settings, (str(texts),), out, workers=workers, reranker=trained), Console()
    )
    torch.set_num_threads(threads)
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(found) == 9
    linking = open_reranked(settings, trained, 1, Console())
    for row, line in zip(rows, found, strict=True):
        mentions = [(m.start, m.end, m.entity) for m in linking.find(row["text"])]
        told = [
            (m["start"], m["end"], None if m["iri"] is None else graph.entity(m["iri"]))
            for m in line["mentions"]
        ]
        assert told == mentions


def test_another_graph_is_said_aloud(trained, tmp_path, capsys):
    other = make_reranked_graph(tmp_path / "other", defined=False)
    score = make_score(trained, Console())(other, None)
    assert "another graph" in capsys.readouterr().out
    (found,) = score(
        [OpenMention(UNSEEN, UNSEEN, 0, 14, graph_linker(other).candidates(UNSEEN, 4))]
    )
    assert len(found) == 4


def test_a_graph_without_definitions_is_said_aloud(asked, tmp_path, capsys):
    other = make_reranked_graph(tmp_path / "plain", defined=False)
    train(RerankerToTrain(other, asked.encoder, out=tmp_path / "out", epochs=1), Console())
    assert "defines none" in capsys.readouterr().out


def test_a_graph_with_too_few_names_is_refused(asked, tmp_path):
    from ...linked_graph import make_graph

    small = KnowledgeGraph.open(make_graph(tmp_path / "small"))
    with pytest.raises(UserError, match="too few"):
        train(RerankerToTrain(small, asked.encoder, out=tmp_path / "out"), Console())


def test_wrong_folders_are_told(asked, trained, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        open_reranker(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no whole re-ranker"):
        open_reranker(tmp_path)
    with pytest.raises(UserError, match="doesn't exist"):
        train(RerankerToTrain(asked.graph, "nowhere/at/all", out=tmp_path), Console())


def test_a_damaged_file_is_told(trained, tmp_path):
    damaged = tmp_path / trained.name
    shutil.copytree(trained, damaged)
    weights = damaged / WEIGHTS
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    with pytest.raises(UserError, match="isn't as it was written"):
        open_reranker(damaged)


def test_another_encoder_in_its_place_is_told(graph, tiny_encoder_folder, tmp_path):
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder_folder, encoder)
    made = train(RerankerToTrain(graph, str(encoder), out=tmp_path / "out", epochs=1), Console())
    config = encoder / "config.json"
    config.write_text(config.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(UserError, match="isn't the encoder"):
        open_reranker(made)


def test_linking_without_it_loads_no_torch(graph):
    code = (
        "import sys\n"
        "sys.argv = ['infact', 'link', '--graph', sys.argv[1], '--text', 'a red kidney']\n"
        "from infact.pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(graph.directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "red kidney" in done.stdout
