"""Words of texts and the words of names that they are."""

from infact.kg.linking.spellings import UNKNOWN, Spellings, Vocabulary
from infact.kg.linking.word_forms import WordForms

ENDINGS = {"ia": ("tic",), "tic": ("ia",)}


def spellings(*words: str) -> Spellings:
    vocabulary = Vocabulary()
    for word in words:
        vocabulary.add(word)
    return Spellings(vocabulary.numbers, WordForms(vocabulary.numbers, ENDINGS))


def test_names_and_texts_are_folded_alike() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.add("Kidneys") == vocabulary.add("kidney") == 0
    assert vocabulary.add("liver") == 1
    read = Spellings(vocabulary.numbers, WordForms(vocabulary.numbers, {}))
    assert read["KIDNEY"] == read["kidneys"] == (0, 0)
    assert read["Livers"] == (1, 1)
    assert read["lung"] == (UNKNOWN, UNKNOWN)


def test_a_form_that_no_name_has_is_of_the_class_and_has_no_number() -> None:
    read = spellings("kidney", "dysplasia")
    assert read["dysplastic"] == (UNKNOWN, 1)


def test_a_mistyped_word_is_the_word_that_was_meant() -> None:
    read = spellings("kidney", "hypertelorism")
    assert read["hypertelorsim"] == read["hypertelorism"] == (1, 1)
    assert read["kidnet"] == (UNKNOWN, UNKNOWN)


def test_spellings_are_forgotten_but_no_words() -> None:
    read = spellings("kidney")
    read.MAX_KEPT = 3
    for number in range(20):
        assert read[f"word{number}"] == (UNKNOWN, UNKNOWN)
    assert len(read) <= 3
    assert read["kidney"] == (0, 0)
