"""What a model predicts of a text: the right tokens, at the places that predict them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.models.predicted_texts import (
    PredictedText,
    WeightedText,
    collate_predicted,
    continued_text,
    continued_texts,
)


def test_the_loss_lies_from_the_target_on(tiny_tokenizer) -> None:
    text = "The capital of Norway is Oslo."
    (row,) = continued_texts(tiny_tokenizer, [WeightedText(text, text.index(" Oslo"), 0.2)], 99)
    weighed = list(zip(row.targets, row.weights, strict=True))
    assert tiny_tokenizer.decode([token for token, weight in weighed if weight == 1]) == " Oslo."
    assert [token for token, _ in weighed] == list(row.tokens[1:]), "nothing predicts the first"
    assert {weight for _, weight in weighed} == {1, 0.2}


@given(st.text(min_size=1, max_size=20), st.integers(0, 20))
def test_a_token_counts_when_it_ends_after_the_target(
    tiny_tokenizer, text: str, target: int
) -> None:
    (row,) = continued_texts(tiny_tokenizer, [WeightedText(text, target, 0.0)], 200)
    encoded = tiny_tokenizer(text, return_offsets_mapping=True)
    assert list(row.tokens) == encoded["input_ids"]
    counted = [at for at, (_, end) in enumerate(encoded["offset_mapping"]) if at and end > target]
    assert list(row.places) == [at - 1 for at in counted]
    assert list(row.targets) == [row.tokens[at] for at in counted]


def test_a_text_too_long_is_refused(tiny_tokenizer) -> None:
    text = "The capital of Norway is Oslo."
    length = len(tiny_tokenizer(text)["input_ids"])
    assert continued_texts(tiny_tokenizer, [WeightedText(text, 0, 1.0)], length)
    with pytest.raises(ValueError, match=f"{length} tokens is over {length - 1}"):
        continued_texts(tiny_tokenizer, [WeightedText(text, 0, 1.0)], length - 1)


def test_texts_are_padded_and_their_predictions_joined() -> None:
    rows = [
        continued_text((4, 5, 6), (0, 1, 0.5)),
        continued_text((7,), (0,)),
        PredictedText((8, 9), (1,), (3,), (2.0,)),
    ]
    batch = collate_predicted(rows, padding=2)
    assert batch.tokens.tolist() == [[4, 5, 6], [7, 2, 2], [8, 9, 2]]
    assert batch.size == 6
    assert list(zip(batch.at.rows.tolist(), batch.at.places.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (2, 1),
    ]
    assert batch.targets.tolist() == [5, 6, 3]
    assert batch.weights.tolist() == [1, 0.5, 2]
