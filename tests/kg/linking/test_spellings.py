"""Words of texts and the words of names that they are."""

from infact.kg.linking.spellings import UNKNOWN, Spellings, Vocabulary
from infact.kg.linking.word_forms import WordForms

ENDINGS = {"ia": ("tic",), "tic": ("ia",)}


def spellings(*words: str) -> Spellings:
    vocabulary = Vocabulary()
    for word in words:
        vocabulary.add(word)
    return Spellings(vocabulary.numbers, WordForms(vocabulary.numbers, ENDINGS))


def numbers(read: Spellings, word: str) -> tuple[int, int]:
    return read[word].number, read[word].form


def test_names_and_texts_are_folded_alike() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.add("Kidneys") == vocabulary.add("kidney") == 0
    assert vocabulary.add("liver") == 1
    read = Spellings(vocabulary.numbers, WordForms(vocabulary.numbers, {}))
    assert numbers(read, "KIDNEY") == numbers(read, "kidneys") == (0, 0)
    assert numbers(read, "Livers") == (1, 1)
    assert numbers(read, "lung") == (UNKNOWN, UNKNOWN)


def test_a_form_that_no_name_has_is_of_the_class_and_has_no_number() -> None:
    read = spellings("kidney", "dysplasia")
    assert numbers(read, "dysplastic") == (UNKNOWN, 1)


def test_a_mistyped_word_is_the_word_that_was_meant() -> None:
    read = spellings("kidney", "hypertelorism")
    assert numbers(read, "hypertelorsim") == numbers(read, "hypertelorism") == (1, 1)
    assert numbers(read, "kidnet") == (UNKNOWN, UNKNOWN)


def test_spellings_are_forgotten_but_no_words() -> None:
    read = spellings("kidney")
    read.MAX_KEPT = 3
    for number in range(20):
        assert numbers(read, f"word{number}") == (UNKNOWN, UNKNOWN)
    assert len(read) <= 3
    assert numbers(read, "kidney") == (0, 0)


def test_roles_of_words() -> None:
    read = spellings("kidney")
    assert (read["of"].stop, read["of"].grammar, read["of"].conjunction) == (True, True, False)
    assert (read["And"].stop, read["And"].grammar, read["And"].conjunction) == (False, True, True)
    assert (read["A"].stop, read["kidney"].grammar) == (False, False)
