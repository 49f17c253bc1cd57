"""Words and their folding: offsets for any text, spellings that are the same word."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.folding import (
    NO_BREAK,
    PHRASE_BREAK,
    SENTENCE_BREAK,
    fold_word,
    fold_words,
    gap_kind,
    is_unspaced,
    split_words,
)

ANY_TEXT = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(
            "aéßİŒﬁ½Ⅳ\u00ad\u200d\u0301\u3099\uff9e\ufe0f'’-_ .\n語ぱパﾊﾟไทยกำकि한글😀𠀀"
        ),
    )
)


@given(ANY_TEXT)
def test_offsets_point_into_the_original_text(text: str) -> None:
    words = split_words(text)
    for raw, start, end in zip(words.raw, words.starts, words.ends, strict=True):
        assert text[start:end] == raw != ""


@given(ANY_TEXT)
def test_words_and_gaps_are_the_whole_text(text: str) -> None:
    words = split_words(text)
    before = text[: words.starts[0]] if words.raw else text
    rejoined = "".join(raw + gap for raw, gap in zip(words.raw, words.gaps, strict=True))
    assert before + rejoined == text


@given(ANY_TEXT)
def test_no_letter_is_left_out_but_the_possessive(text: str) -> None:
    words = split_words(text)
    before = text[: words.starts[0]] if words.raw else text
    left_out = {letter for gap in (before, *words.gaps) for letter in gap if letter.isalnum()}
    assert left_out <= {"s"}


@pytest.mark.parametrize("word", ["Ménière", "Ångström", "日本", "がぎ", "한글", "Σίσυφος"])
def test_normal_form_makes_no_difference(word: str) -> None:
    forms = {
        fold_words(split_words(unicodedata.normalize(form, word)).raw)
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    assert len(forms) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kidney", "Kidneys"),
        ("headache", "headaches"),
        ("patch", "patches"),
        ("mass", "masses"),
        ("disease", "diseases"),
        ("diagnosis", "diagnoses"),
        ("bulla", "bullae"),
        ("nevus", "nevi"),
        ("virus", "viruses"),
        ("lipoma", "lipomata"),
        ("anomaly", "anomalies"),
        ("foot", "feet"),
        ("tumor", "tumours"),
        ("edema", "oedema"),
        ("anemia", "anæmia"),
        ("fiber", "fibre"),
        ("analyse", "analyze"),
        ("STRASSE", "straße"),
        ("fibrosis", "ﬁbrosis"),
        ("hyper\u00adtension", "hypertension"),
        ("pre-auricular", "preauricular"),
        ("ＡＢＣ", "abc"),
        ("Sjögren", "Sjogren"),
    ],
)
def test_spellings_of_one_word(one: str, other: str) -> None:
    assert fold_word(one) == fold_word(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("care", "car"),
        ("clone", "clonus"),
        ("as", "a"),
        ("is", "i"),
        ("gas", "ga"),
        ("ion", "iron"),
    ],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert fold_word(one) != fold_word(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Alzheimer's disease", ["Alzheimer", "disease"]),
        ("low-set ears", ["low", "set", "ears"]),
        ("Pre-natal, NON-progressive", ["Pre-natal", "NON-progressive"]),
        ("日本の首都", ["日", "本", "の", "首", "都"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("snake_case 1.5", ["snake", "case", "1", "5"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert split_words(text).raw == expected


@pytest.mark.parametrize(
    ("gap", "kind"),
    [
        (" ", NO_BREAK),
        ("-", NO_BREAK),
        (".", NO_BREAK),  # 1.5
        (", ", PHRASE_BREAK),
        (" (", PHRASE_BREAK),
        (" – ", PHRASE_BREAK),
        ("\n", PHRASE_BREAK),
        (". ", SENTENCE_BREAK),
        ('."  ', SENTENCE_BREAK),
        ("。", SENTENCE_BREAK),
        ("\n\n", SENTENCE_BREAK),
    ],
)
def test_gap_kind(gap: str, kind: int) -> None:
    assert gap_kind(gap) == kind


def test_unspaced_scripts() -> None:
    assert all(map(is_unspaced, "日かカไ𠀀"))
    assert not any(map(is_unspaced, "aé한д"))
