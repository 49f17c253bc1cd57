"""Sentences of a text: nothing is lost, and what only looks like an end is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.sentence_spans import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is rare. It is mild!  Is it? ", ["It is rare.", "It is mild!", "Is it?"]),
        ("A sign of the hand (i.e. of fingers).", ["A sign of the hand (i.e. of fingers)."]),
        ("See Dr. Ito, cf. PMID:12. It is 2.5 mm.", ["See Dr. Ito, cf. PMID:12.", "It is 2.5 mm."]),
        ("J. Smith saw it. He wrote.", ["J. Smith saw it.", "He wrote."]),
        ("(It is rare.) It is mild.", ["(It is rare.)", "It is mild."]),
        ("Er kam. Ärzte sahen ihn, z.B. Dr. Ott.", ["Er kam.", "Ärzte sahen ihn, z.B. Dr. Ott."]),
        ("这是第一句。这是第二句。", ["这是第一句。", "这是第二句。"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("without an end", ["without an end"]),
        (" \n", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(st.sampled_from("aB .!?。)\n"), max_size=40) | st.text(max_size=40))
def test_every_character_but_white_space_is_in_one_sentence(text: str) -> None:
    spans = sentence_spans(text)
    bounds = [bound for span in spans for bound in span]
    assert bounds == sorted(bounds)
    assert all(part == part.strip() != "" for part in sentences(text))
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
