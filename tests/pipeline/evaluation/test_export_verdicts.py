"""lm-evaluation-harness and lm-pub-quiz give infact's own verdicts on what `infact export` writes."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import infact
import numpy as np
import pytest
from infact.models.base_model import load_tokenizer
from infact.pipeline.console import Console
from infact.pipeline.evaluation.export import facts_to_export, write_export
from infact.pipeline.evaluation.probe import ROWS, Asked, evaluate, read_probes
from tokenizers import processors
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast, PreTrainedTokenizerFast

DATA = Path(infact.__file__).parent / "data"
PEER = "a peer of the evaluation, not a dependency"
FACTS: tuple[dict[str, Any], ...] = (
    {
        "question": "What is the capital of {{7*7}} Peru?",
        "answer": "Lima",
        "options": ["Oslo", "Lima", "{{ 7*7 }}", "{% raw %}"],
        "topic": "{{7*7}}",
        "subject": "Peru",
    },
    {
        "prompt": "The river rises in",
        "answer": "Germany",
        "options": ["Germany", "Norway", "Africa"],
        "topic": "!!python/name:os.system\n- x: [",
    },
    {
        "statement": "The capital, [Y], is a city.",
        "answer": "Lima",
        "options": ["Lima", "Oslo", "Paris is"],
        "topic": "capital",
    },
    {
        "statement": "([Y]) is a city.",
        "answer": "Lima",
        "options": ["Lima", "Oslo", "Paris, it is"],
        "topic": "capital",
    },
    {
        "statement": "[Y] lies in Europe, it is a city.",
        "answer": "Paris",
        "options": ["Lima", "Paris", "Oslo", "Norway"],
        "topic": "Capital",
    },
    {
        "statement": "[Y] rises in Europe.",
        "answer": "The gene",
        "options": ["The Oslo", "The Osaka", "The gene"],
        "topic": "capital",
    },
    {
        "statement": "\n [Y] is a date",
        "answer": "1999-01-01",
        "options": ["1999-01-01", "2000-01-01"],
        "topic": "1984-01-01",
    },
    {
        "statement": "Of 007 it is [Y]",
        "answer": "12",
        "options": ["12", "7", "13"],
        "topic": "numbers",
        "subject": "007",
    },
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facts") / "made_up.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in FACTS), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["no token", "not by itself", "by itself"])
def model_folder(request: pytest.FixtureRequest, tiny_model_folder: Path, tmp_path_factory) -> Path:
    """The tiny model; its tokenizer has no token for the beginning, or puts it there itself or not."""
    folder = tmp_path_factory.mktemp("model") / "model"
    shutil.copytree(tiny_model_folder, folder)
    if request.param != "no token":
        tokenizer = load_tokenizer(folder)
        end, inner = tokenizer.eos_token, tokenizer.backend_tokenizer
        if request.param == "by itself":
            first = [(end, inner.token_to_id(end))]
            inner.post_processor = processors.TemplateProcessing(
                single=f"{end} $A", special_tokens=first
            )
        names = {"bos_token": end, "eos_token": end, "pad_token": tokenizer.pad_token}
        PreTrainedTokenizerFast(tokenizer_object=inner, **names).save_pretrained(folder)
    return folder


def exported(facts: Path, format: str, folder: Path) -> Path:
    write_export(facts_to_export(facts, format, folder), Console())
    return folder


def own_rows(model: Path, facts: Path, out: Path) -> dict[str, dict[str, Any]]:
    """infact's own answers by probe."""
    asked = Asked(model, facts, out=out)
    evaluate(asked, Console())
    (path,) = out.glob(f"*/*/{ROWS}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["probe"]: row for row in rows}


def assert_same_verdict(row: Mapping[str, Any], scores: Mapping[str, float]) -> None:
    """Another's scores by option choose what infact chose, and differ as infact's do."""
    theirs = np.array([scores[option] for option in row["options"]])
    own = np.array(row["scores"])
    assert row["options"][int(theirs.argmax())] == row["options"][row["chosen"]]
    np.testing.assert_allclose(theirs - theirs[0], own - own[0], atol=2e-4)


def test_lm_eval_gives_the_same_verdicts_from_anywhere(
    tmp_path: Path, facts: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm_eval = pytest.importorskip("lm_eval", reason=PEER)
    from lm_eval.tasks import TaskManager

    rows = own_rows(model_folder, facts, tmp_path / "own")
    made = exported(facts, "lm-eval", tmp_path / "made")
    folder = tmp_path / "elsewhere" / "moved"
    folder.parent.mkdir()
    made.rename(folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = lm_eval.simple_evaluate(
        model="hf",
        model_args=f"pretrained={model_folder},dtype=float32,add_bos_token=True",
        tasks=["infact_made_up"],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        device="cpu",
        bootstrap_iters=0,
        batch_size=4,
    )
    samples = [sample for found in result["samples"].values() for sample in found]
    assert len(samples) == len(rows) == len(FACTS)
    for sample in samples:
        row, doc = rows[sample["doc"]["id"]], sample["doc"]
        scores = [score for score, _ in sample["filtered_resps"]]
        assert_same_verdict(row, dict(zip(doc["options"], scores, strict=True)))
        assert sample["acc"] == row["right"]
    right = np.mean([row["right"] for row in rows.values()])
    assert result["results"]["infact_made_up"]["acc,none"] == pytest.approx(right)
    asked = {sample["doc"]["id"]: sample["arguments"] for sample in samples}
    for probe in read_probes(facts):
        texts = {context + choice for context, choice in asked[probe.probe]}
        assert texts == set(probe.statements)  # {{7*7}} comes through


def test_lm_pub_quiz_gives_the_same_verdicts_of_a_causal_model(
    tmp_path: Path, facts: Path, model_folder: Path
) -> None:
    pytest.importorskip("lm_pub_quiz", reason=PEER)
    if load_tokenizer(model_folder).bos_token is None:
        pytest.skip("lm-pub-quiz asks no causal model without a token for the beginning")
    assert_lm_pub_quiz_agrees(tmp_path, facts, model_folder, "CLM")


def test_lm_pub_quiz_gives_the_same_verdicts_of_a_masked_model(tmp_path: Path, facts: Path) -> None:
    pytest.importorskip("lm_pub_quiz", reason=PEER)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(33, 127)]
    words = sorted({word for fact in FACTS for word in re.findall("[a-z]+", str(fact).lower())})
    pieces = [f"##{letter}" for letter in letters]  # of every second word
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join([*special, *letters, *words[::2], *pieces]))
    tokenizer = BertTokenizerFast(str(vocabulary))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.3,
    )
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    assert_lm_pub_quiz_agrees(tmp_path, facts, tmp_path / "bert", "MLM")


def assert_lm_pub_quiz_agrees(tmp_path: Path, facts: Path, model: Path, kind: str) -> None:
    from lm_pub_quiz import Dataset, Evaluator

    rows = own_rows(model, facts, tmp_path / "own")
    folder = exported(facts, "bear", tmp_path / "bear")
    # Some statements begin with a small letter here, which is kept so.
    quiz = Evaluator.from_model(str(model), model_type=kind, device="cpu", capitalize=False)
    results = quiz.evaluate_dataset(Dataset.from_path(folder), reduction="sum", batch_size=64)
    seen = []
    for relation in results:
        for _, found in relation.instance_table.iterrows():
            probe = found["probes"][found["template_index"]]
            scores = dict(zip(relation.answer_space.tolist(), found["pll_scores"], strict=True))
            assert_same_verdict(rows[probe], scores)
            seen.append(probe)
    assert sorted(seen) == sorted(rows)
    accuracy = results.get_metrics("accuracy", accumulate="relation")
    for topic in {fact["topic"] for fact in FACTS}:
        own = [row["right"] for row in rows.values() if row["relation"] == topic]
        assert accuracy[topic] == pytest.approx(np.mean(own))
