"""Replay: how much of it there is, where its text comes from, and what it may not be."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.models.language_model import LanguageModel
from infact.pipeline.console import Console
from infact.pipeline.general_prose import general_prose
from infact.pipeline.settings.training import PretrainTable
from infact.pipeline.stages import StageContext
from infact.pipeline.training.replay import check_shares, drawn, replay_texts, shares_beside


def context(settings: PretrainTable, files: dict[str, Path], folder: Path) -> StageContext:
    project = SimpleNamespace(pretrain=settings)
    return StageContext(project, folder, {}, 0, Console(), files)  # type: ignore[arg-type]


@given(st.integers(0, 5000), st.tuples(st.floats(0, 0.4), st.floats(0, 0.3), st.floats(0, 0.25)))
def test_each_kind_of_text_makes_up_its_share(
    told: int, shares: tuple[float, float, float]
) -> None:
    beside = shares_beside(told, shares)
    whole = told + sum(beside)
    for count, share in zip(beside, shares, strict=True):
        assert abs(count - whole * share) <= 2


def test_an_epoch_draws_no_text_twice_and_others_than_the_one_before() -> None:
    first, again, second = (drawn(50, 20, 0, 113, epoch) for epoch in (0, 0, 1))
    assert first == again
    assert len(set(first)) == 20
    assert set(first) != set(second)
    assert sorted(drawn(5, 20, 0, 113, 0)) == [0, 1, 2, 3, 4]


def test_text_is_the_users_where_there_is_any(tiny_masked: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("\nSnow lay on the hills.\n  \nHe wrote a letter. \n", encoding="utf-8")
    settings = PretrainTable(replay=0.5, replay_text="mine.txt")
    found = replay_texts(context(settings, {"mine.txt": path}, tmp_path), tiny_masked, 9)
    assert [text.text for text in found] == ["Snow lay on the hills.", "He wrote a letter."]
    assert {(text.target, text.context_weight) for text in found} == {(0, 1.0)}
    assert not replay_texts(context(settings, {}, tmp_path), tiny_masked, 0)


@pytest.mark.parametrize("most", [8, 40])
def test_a_long_text_is_cut_at_its_last_token_that_fits(
    tiny_masked: LanguageModel, tmp_path: Path, most: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.txt"
    lines = ["Snow lay on the hills and on the roofs of the town.", "He wrote."]
    path.write_text("\n".join(lines), encoding="utf-8")
    settings = PretrainTable(replay=0.5, replay_text="mine.txt", max_tokens=most)
    found = replay_texts(context(settings, {"mine.txt": path}, tmp_path), tiny_masked, 9)
    lengths = [len(tiny_masked.tokenizer(text.text)["input_ids"]) for text in found]
    whole = [len(tiny_masked.tokenizer(line)["input_ids"]) for line in lines]
    assert lengths == [min(most, length) for length in whole]
    assert all(line.startswith(text.text) for line, text in zip(lines, found, strict=True))
    over = sum(length > most for length in whole)
    assert (f"{over} of 2 general texts are cut" in capsys.readouterr().out) == bool(over)


def test_a_masked_base_gets_prose_and_a_causal_one_what_it_writes(
    tiny_masked: LanguageModel, tiny_model, tiny_tokenizer, tmp_path: Path
) -> None:
    own = context(PretrainTable(replay=0.5), {}, tmp_path)
    prose = [text.text for text in replay_texts(own, tiny_masked, 3)]
    assert len(prose) == len(general_prose())
    assert all(map(str.startswith, general_prose(), prose))
    causal = LanguageModel(tiny_model, tiny_tokenizer, "causal")
    written = [text.text for text in replay_texts(own, causal, 3)]
    assert len(written) == 3
    assert written == [text.text for text in replay_texts(own, causal, 3)]
    assert all(map(str.startswith, written, ("The", "A", "In")))


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (PretrainTable(domain_text=0.6, replay=0.4), "replay"),
        (PretrainTable(replay=0.1, replay_text="general.txt"), "replay_text"),
    ],
)
def test_what_can_t_be_is_said(settings: PretrainTable, where: str) -> None:
    with pytest.raises(UserError) as raised:
        check_shares(settings, "general.txt", "infact.toml")
    assert raised.value.where == f"infact.toml:pretrain.{where}"
