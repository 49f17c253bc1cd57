"""`infact eval --model X --facts FILE`, from the command line, with tiny random models."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from infact.errors import UserError
from infact.kg.ingest import ingest
from infact.kg.questions.answer_matching import outcome
from infact.kg.readers.sources import Source
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.low_rank import add_low_rank_adapters
from infact.pipeline.cli import app
from infact.pipeline.console import Console
from infact.pipeline.evaluation.probe import Asked, evaluate, read_probes
from infact.pipeline.evaluation.probe_rows import MAX_NEW_TOKENS, ROWS, asks_freely
from infact.pipeline.ingest_files import FilesToIngest, ingest_files
from tokenizers import Tokenizer
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
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
        ({"also": [["Oslo"]]}, "further true answers", "facts.jsonl:2"),
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


def test_other_words_of_the_tokenizer_are_another_model(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    words = ("--model", str(folder), "--facts", str(facts))
    before = asked(tmp_path, *words)
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert asked(tmp_path, *words)["rows"] != before["rows"]


def test_free_answers_are_the_models_own(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    """The third fact begins with the answer's place, so nothing can be completed."""
    result = asked(tmp_path, "--model", str(tiny_model_folder), "--facts", str(facts))
    model = load_causal_model(tiny_model_folder, torch.float32)
    tokenizer = load_tokenizer(tiny_model_folder)
    prompts = ["Question: What is the capital of Peru?\nAnswer:", "The river rises in"]
    for row, prompt in zip(rows_of(result), [*prompts, None], strict=True):
        if prompt is None:
            assert (row["generated"], row["outcome"], row["generated_right"]) == (None,) * 3
            continue
        encoded = tokenizer(prompt, return_tensors="pt")
        output = model.generate(**encoded, do_sample=False, max_new_tokens=MAX_NEW_TOKENS)
        text = tokenizer.decode(
            output[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True
        )
        assert row["generated"] == text.lstrip().split("\n")[0].strip()
        assert row["outcome"] == outcome(row["generated"], [row["options"][row["correct"]]])


def test_several_true_answers_are_matched_as_a_list(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr(
        "infact.models.generation.generate_answers",
        lambda model, tokenizer, prompts, *_: ["Quechua, Thai", "unknown", "Thai"],
    )
    fact = {
        "prompt": "In Peru one speaks",
        "answer": "Spanish",
        "aliases": ["Castilian"],
        "options": ["Spanish", "Norwegian"],
        "also": [["Quechua", "Runasimi"]],
        "topic": "language",
    }
    single = {key: value for key, value in fact.items() if key != "also"}
    prompts = ("In Peru one speaks", "In Cusco one speaks", "In Lima one speaks")
    lines = [
        {**of, "prompt": prompt} for of, prompt in zip((fact, fact, single), prompts, strict=True)
    ]
    path = tmp_path / "facts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (arm,) = asked(tmp_path, "--model", str(tiny_model_folder), "--facts", str(path))["arms"]
    third = pytest.approx(1 / 3, abs=1e-6)
    assert arm["generation"] == {
        "n": 3,
        "right": third,
        "wrong": third,
        "not_attempted": third,
        "lists": {"n": 2, "precision": 0.5, "recall": 0.25},
    }


@pytest.mark.parametrize(
    ("changes", "freely"),
    [
        ({}, True),
        ({"after": "."}, True),
        ({"after": " is its capital.", "prompt": "The city"}, False),
        ({"after": " is its capital.", "prompt": "In Peru the city"}, True),
        ({"prompt": " "}, False),
    ],
)
def test_only_words_that_ask_are_completed(facts: Path, changes: dict, freely: bool) -> None:
    probe = replace(read_probes(facts)[0], **changes)
    assert asks_freely(probe) is freely


@pytest.fixture
def masked_folder(tmp_path: Path, tiny_tokenizer: PreTrainedTokenizerBase) -> Path:
    folder = tmp_path / "masked"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tiny_tokenizer.backend_tokenizer.to_str()),
        eos_token=tiny_tokenizer.eos_token,
        pad_token=tiny_tokenizer.pad_token,
        mask_token="[MASK]",
    )
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=len(tokenizer), intermediate_size=16, max_position_embeddings=64, **sizes
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_masked_model_chooses_and_writes_nothing(
    tmp_path: Path, facts: Path, masked_folder: Path
) -> None:
    result = asked(tmp_path, "--model", str(masked_folder), "--facts", str(facts))
    assert result["kind"] == "masked"
    (arm,) = result["arms"]
    assert arm["n"] == 3
    assert arm["generation"] is None
    assert all(row["generated"] is None for row in rows_of(result))


def test_a_question_longer_than_the_model_reads_is_named(
    tmp_path: Path, facts: Path, masked_folder: Path
) -> None:
    long = {**FACTS[1], "prompt": "The river " * 80 + "rises in"}
    facts.write_text("".join(json.dumps(fact) + "\n" for fact in [FACTS[0], long]))
    with pytest.raises(UserError, match=r"tokens, and the model reads 64") as error:
        evaluate(Asked(masked_folder, facts, out=tmp_path / "out"), Console())
    assert error.value.where.endswith("facts.jsonl:2")


def test_an_encoder_without_a_trained_head_is_refused(tmp_path: Path, facts: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=60, intermediate_size=16, **sizes)).save_pretrained(
        tmp_path / "encoder"
    )
    with pytest.raises(UserError, match="lacks weights that scoring needs"):
        evaluate(Asked(tmp_path / "encoder", facts, out=tmp_path / "out"), Console())


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_off(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:999])


def without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def unknown_family(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    text = json.dumps({**config, "model_type": "abacus", "architectures": None})
    (folder / "config.json").write_text(text)


def broken_configuration(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def no_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (pickled, "weights are a pickle"),
        (cut_off, "can't be loaded"),
        (without_tokenizer, "can't be loaded"),
        (unknown_family, "can't be loaded"),
        (broken_configuration, "can't be loaded"),
        (no_configuration, "has no config.json"),
        (shutil.rmtree, "does not exist"),
    ],
)
def test_a_model_that_cannot_be_asked_is_named(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, spoil, message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    spoil(folder)
    with pytest.raises(UserError, match=message) as error:
        evaluate(Asked(folder, facts, out=tmp_path / "out"), Console())
    assert error.value.where == str(folder)
    assert error.value.fix


def test_an_unknown_precision_is_refused(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    with pytest.raises(UserError, match="no precision 'int4'"):
        evaluate(Asked(tiny_model_folder, facts, precision="int4"), Console())


GRAPH = """
@prefix : <https://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:capital rdfs:label "capital" .
:Peru rdfs:label "Peru" ; :capital :Lima .
:Lima rdfs:label "Lima" .
:Oslo rdfs:label "Oslo" .
"""


def graph_folder(folder: Path, text: str) -> Path:
    source = folder.with_suffix(".ttl")
    source.write_text(text, encoding="utf-8")
    ingest([Source(source, source.name)], folder)
    return folder


def test_facts_of_a_graph_are_put_before_the_questions_and_cited(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    graph = graph_folder(tmp_path / "graph", GRAPH)
    words = ("--model", str(tiny_model_folder), "--facts", str(facts), "--graph", str(graph))
    result = asked(tmp_path, *words)
    assert [arm["name"] for arm in result["arms"]] == ["base", "base + prompt"]
    rows = rows_of(result)
    plain, told = rows[:3], rows[3:]
    assert [bool(row["cited"]) for row in told] == [True, False, False]
    assert "graph.ttl" in told[0]["cited"][0]
    assert plain[0]["scores"] != told[0]["scores"]
    assert plain[1]["scores"] == pytest.approx(told[1]["scores"], abs=1e-3)


def test_a_folder_of_snapshots_is_read_as_its_current_graph(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    out, words = tmp_path / "graph", ("--model", str(tiny_model_folder), "--facts", str(facts))
    (tmp_path / "source.ttl").write_text(GRAPH, encoding="utf-8")
    ingest_files(FilesToIngest((str(tmp_path / "source.ttl"),), out, "", {}, False), Console())
    first = asked(tmp_path, *words, "--graph", str(out))
    assert [bool(row["cited"]) for row in rows_of(first)[3:]] == [True, False, False]
    again = asked(tmp_path, *words, "--graph", str(out))
    assert rows_of(again) == rows_of(first)
    assert len(list((tmp_path / "out" / "eval").iterdir())) == 1


def test_an_option_that_the_graph_knows_to_be_true_is_named(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    graph = graph_folder(tmp_path / "graph", GRAPH + ":Peru :capital :Oslo .\n")
    asked = Asked(tiny_model_folder, facts, graph=graph, out=tmp_path / "out")
    with pytest.raises(UserError, match=r"'Oslo' is true as well: graph\.ttl") as error:
        evaluate(asked, Console())
    assert error.value.where == f"{facts}:1"


@pytest.mark.parametrize("given", ["--model", "--facts"])
def test_one_without_the_other_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing"):
        CliRunner().invoke(app, ["eval", given, str(tmp_path)], catch_exceptions=False)
