"""Places for facts in texts: where they stand, and that nothing else of a text changes."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.models.fact_memory import TokenFact
from infact.models.placed_texts import (
    mentioned_text,
    place_id,
    place_token,
    placed_text,
    places_of_fact,
)

FACTS = [TokenFact(0, -1, (5, 6)), TokenFact(1, 0, (7,)), TokenFact(2, -1, (8, 9, 10))]
WORDS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=40)


@given(WORDS, st.data())
def test_a_text_holds_its_own_characters_and_room_for_every_fact(
    tiny_tokenizer, text, data
) -> None:
    ends = data.draw(st.lists(st.integers(1, len(text)), min_size=3, max_size=3))
    token, found = place_token(tiny_tokenizer), placed_text(tiny_tokenizer, text, FACTS, ends)
    assert found.text.replace(token, "") == text
    tokens = tiny_tokenizer(found.text)["input_ids"]
    room = sum(places_of_fact(fact) for fact in FACTS) + len(found.inserted)
    assert tokens.count(place_id(tiny_tokenizer)) == room
    taken = []
    for fact, before in zip(FACTS, found.read_from, strict=True):
        own = range(before + 1, before + 1 + places_of_fact(fact))
        assert all(tokens[place] == place_id(tiny_tokenizer) for place in own)
        taken += own
    assert len(set(taken)) == len(taken) == room - len(found.inserted)


@given(WORDS, st.data())
def test_places_stand_behind_the_token_in_which_a_mention_ends(tiny_tokenizer, text, data) -> None:
    end = data.draw(st.integers(1, len(text)))
    plain = mentioned_text(tiny_tokenizer, text, FACTS[:1], [end])
    offsets = tiny_tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    found = placed_text(tiny_tokenizer, text, FACTS[:1], [end])
    assert plain.text == text
    assert found.inserted[0][0] == offsets[plain.read_from[0]][1]
    assert found.inserted[0][0] >= end


@given(WORDS, st.data())
def test_a_stretch_holds_the_same_characters_where_it_is_moved(tiny_tokenizer, text, data) -> None:
    ends = data.draw(st.lists(st.integers(1, len(text)), min_size=3, max_size=3))
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start + 1, len(text)))
    found = placed_text(tiny_tokenizer, text, FACTS, ends)
    first, after = found.moved((start, stop))
    token = place_token(tiny_tokenizer)
    assert found.text[first:after].replace(token, "") == text[start:stop]
    assert not found.text[:after].endswith(token)


def test_facts_of_one_mention_follow_each_other_and_those_of_two_stand_apart(
    tiny_tokenizer,
) -> None:
    text = "Oslo is in Norway."
    found = placed_text(tiny_tokenizer, text, FACTS, [4, len(text) - 1, 4])
    token = place_token(tiny_tokenizer)
    assert found.text == f"Oslo{token * 8} is in Norway{token * 3}."
    first, other, second = found.read_from
    assert second == first + 3
    assert tiny_tokenizer.decode(tiny_tokenizer(found.text)["input_ids"][: first + 1]) == "Oslo"
    assert other > second + 4


def test_a_text_without_facts_is_as_it_was(tiny_tokenizer) -> None:
    assert placed_text(tiny_tokenizer, "Oslo", [], []).text == "Oslo"
    assert mentioned_text(tiny_tokenizer, "Oslo", [], []).read_from == ()


def test_the_token_has_no_role_if_there_is_one_without(tiny_tokenizer) -> None:
    assert place_token(tiny_tokenizer) == tiny_tokenizer.eos_token
    other = type(tiny_tokenizer)(
        tokenizer_object=tiny_tokenizer.backend_tokenizer,
        eos_token=tiny_tokenizer.eos_token,
        pad_token=tiny_tokenizer.pad_token,
        additional_special_tokens=["<spare>", "<user>"],
        chat_template="<user>{{ messages }}<spare>",
    )
    assert place_token(other) == tiny_tokenizer.eos_token
    other.chat_template = "<user>{{ messages }}"
    assert place_token(other) == "<spare>"


def test_a_masked_model_has_a_token_too(tiny_masked) -> None:
    tokenizer = tiny_masked.tokenizer
    assert place_token(tokenizer) == tokenizer.sep_token
    found = placed_text(tokenizer, "Oslo is a city", FACTS[:2], [4, 4])
    assert found.text == "Oslo" + tokenizer.sep_token * 6 + " is a city"
    assert tokenizer(found.text)["input_ids"].count(place_id(tokenizer)) == 6 + 1


def test_a_tokenizer_without_such_a_token_is_an_error() -> None:
    bare = SimpleNamespace(
        added_tokens_decoder={}, chat_template=None, sep_token=None, eos_token=None, unk_token=None
    )
    with pytest.raises(UserError, match="no special token"):
        place_token(bare)
