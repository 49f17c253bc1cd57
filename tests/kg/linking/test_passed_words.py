"""Words that stand between those of a name: coordinations and insertions, against a plain search."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.folding import split_words
from infact.kg.linking.passed_words import (
    LISTED,
    MAX_COORDINATED,
    Passed,
    behind_coordinated,
    behind_inserted,
)
from infact.kg.linking.read_words import NO_PLACE, ReadWords, WordReader
from infact.kg.linking.spellings import Spellings
from infact.kg.linking.word_forms import WordForms

from .test_linker import linker

READER = WordReader(Spellings({}, WordForms({}, {})))
WORDS = st.sampled_from(["skin", "hair", "and", "or", "of", "the", "not", ",", ".", "/", "("])


def plain(read: ReadWords) -> dict[int, set[tuple[int, Passed]]]:
    """For every end and every later place, whether the words between are passed over."""
    found: dict[int, set[tuple[int, Passed]]] = defaultdict(set)
    count = len(read.raw)
    for end in range(1, count):
        for begin in range(end + 1, count):
            between = range(end, begin)
            gaps = [read.gaps[at - 1] for at in between if read.phrase_ends[at - 1] == at]
            content = [at for at in between if not read.stops[at]]
            closed = read.phrase_ends[begin - 1] == begin
            if not gaps and not closed and content == [begin - 1] and not read.grammar[begin - 1]:
                found[end].add((begin, Passed.INSERTED))
            joined = any(read.conjunctions[at] for at in between)
            one_list = all(gap in LISTED for gap in gaps)
            inside = read.sentence_ends[end - 1] > begin and len(between) <= MAX_COORDINATED
            if not (joined and one_list and inside and not closed):
                continue
            leads = read.gaps[end - 1] in LISTED or read.conjunctions[end]
            ends = read.conjunctions[begin - 1]
            if leads and not ends:
                found[end].add((begin, Passed.SHARED_END))
            if ends and not leads and read.stops[end]:
                found[end].add((begin, Passed.SHARED_BEGINNING))
    return dict(found)


@given(st.lists(WORDS, max_size=14))
def test_all_places_at_which_a_name_may_go_on(words: list[str]) -> None:
    read = READER.read(split_words(" ".join(words)))
    coordinated = behind_coordinated(read)
    found = {end: set(places) for end, places in coordinated.items() if places}
    for end, begin in enumerate(behind_inserted(read), 1):
        if begin != NO_PLACE:
            found.setdefault(end, set()).add((begin, Passed.INSERTED))
    assert found == plain(read)
    assert all(len(places) == len(set(places)) for places in coordinated.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aplastic or hypoplastic nails", {"aplastic or hypoplastic nails", "hypoplastic nails"}),
        (
            "hypoplastic, aplastic and long nails",
            {"hypoplastic, aplastic and long nails", "aplastic and long nails"},
        ),
        ("a loss of hair or skin", {"loss of hair", "loss of hair or skin"}),
        ("long and very slender fingers", {"long and very slender fingers"}),
        ("long bony fingers", {"long bony fingers"}),
        ("long. Or short fingers", set()),
        ("fingers and long toes", set()),
    ],
)
def test_names_on_both_sides_of_passed_words(text: str, expected: set[str]) -> None:
    links = linker(
        "Aplastic nails", "Hypoplastic nails", "Loss of hair", "Loss of skin", "Long fingers"
    )
    assert {mention.surface for mention in links.link_all(text)} == expected
    assert all(mention.surface in text for mention in links.link(text))
