"""What is taught of pairs, what is held out, and what is said where there can be none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from infact.errors import UserError
from infact.models.base_model import load_tokenizer
from infact.pipeline import encoder_head
from infact.pipeline.console import Console
from infact.pipeline.project import load_project
from infact.pipeline.stages import StageContext
from infact.pipeline.training.pretrain_stage import run
from infact.pipeline.training.sentence_pairs import LEAST_TEXTS, taught_pairs
from transformers import BertForNextSentencePrediction, BertForPreTraining

MOST = 400  # characters


def context(folder: Path, base: Path, texts: int, settings: str) -> StageContext:
    """Of a project with so many texts of three sentences, none of which tells what is withheld."""
    (folder / "infact.toml").write_text(
        f'[[source]]\npath = "a.ttl"\n[pretrain]\n{settings}\n', encoding="utf-8"
    )
    fact = {"fact": "M-1", "pool": "M", "subject": 0, "objects": [1]}
    documents = [
        {
            "document": str(number),
            "text": f"Number {number} is odd. It follows {number - 1}. Then comes {number + 1}.",
            "entity": number,
        }
        for number in range(texts)
    ]
    mentions = [
        {"document": str(number), "entity": texts + number, "start": 0, "end": 6}
        for number in range(texts)
    ]
    for name, rows in (("facts", [fact]), ("documents", documents), ("mentions", mentions)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    inputs = {"base": base, "facts": folder, "link": folder}
    return StageContext(load_project(folder / "infact.toml"), folder, inputs, 5, Console())


def test_nothing_is_looked_for_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert taught_pairs(context(tmp_path, tmp_path / "no base", 0, ""), MOST) is None


def test_pairs_held_out_are_of_texts_that_are_not_taught(
    tiny_pair_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = context(tmp_path, tiny_pair_folder, 60, "sentence_pairs = 0.5")
    pairs = taught_pairs(own, MOST)
    assert pairs is not None
    assert len(pairs.held_out_texts) == 12
    assert len(pairs.held_out) == 2 * 2 * 12
    assert len(pairs.taught) == 2 * (60 - 12)
    taught = {sentence.text for each in pairs.taught for sentence in (each.first, each.second)}
    held_out = {part.text for pair in pairs.held_out for part in (pair.first, pair.second)}
    assert not taught & held_out
    assert not {each.text for each in pairs.taught} & pairs.held_out_texts
    said = capsys.readouterr().out
    assert (
        "96 sentences that follow another are taught in pairs; 48 pairs of 12 other texts" in said
    )
    again = taught_pairs(own, MOST)
    assert again is not None
    assert again.held_out == pairs.held_out


def test_an_epoch_teaches_so_many_pairs_half_of_which_follow(
    tiny_pair_folder: Path, tmp_path: Path
) -> None:
    own = context(tmp_path, tiny_pair_folder, 60, "sentence_pairs = 0.5")
    pairs, tokenizer = taught_pairs(own, MOST), load_tokenizer(tiny_pair_folder)
    assert pairs is not None
    epochs = [pairs.rows(tokenizer, own.project.pretrain, 40, 5, epoch) for epoch in (0, 1, 0)]
    assert [len(rows) for rows in epochs] == [40, 40, 40]
    assert epochs[0] == epochs[2] != epochs[1]
    assert sum(row.follows for row in epochs[0]) == 20
    assert all(row.text.places for row in epochs[0])


def test_a_base_without_the_head_is_told_before_anything_else(
    tiny_masked_folder: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    for base in (tiny_masked_folder, tiny_model_folder):
        with pytest.raises(UserError, match="no head") as raised:
            taught_pairs(context(tmp_path, base, 0, "sentence_pairs = 0.1"), MOST)
        assert raised.value.where == "infact.toml:pretrain.sentence_pairs"
        assert "BertForPreTraining" in raised.value.fix
        with pytest.raises(UserError, match="no head"):
            run(context(tmp_path, base, 0, "sentence_pairs = 0.1"))


def test_a_base_of_that_head_alone_keeps_it_when_it_gets_another(
    tiny_pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base stage trains the head for masked tokens that such a checkpoint lacks."""
    monkeypatch.setattr(encoder_head, "general_prose", lambda: ["It is a country of Africa."])
    model = BertForNextSentencePrediction.from_pretrained(tiny_pair_folder)
    model.save_pretrained(tmp_path)
    load_tokenizer(tiny_pair_folder).save_pretrained(tmp_path)
    encoder_head.give_head(context(tmp_path, tmp_path, 0, ""))
    whole, told = BertForPreTraining.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(told.values())
    found = whole.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("texts", "settings"), [(LEAST_TEXTS - 1, ""), (LEAST_TEXTS, "max_tokens = 8")]
)
def test_too_little_text_is_told(
    tiny_pair_folder: Path, tmp_path: Path, texts: int, settings: str
) -> None:
    with pytest.raises(UserError, match=f"pairs need {LEAST_TEXTS}") as raised:
        taught_pairs(
            context(tmp_path, tiny_pair_folder, texts, f"sentence_pairs = 0.1\n{settings}"), MOST
        )
    assert raised.value.where == "infact.toml:pretrain.sentence_pairs"
    assert "text_predicates" in raised.value.fix
