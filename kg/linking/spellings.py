"""Which word of the graph's names a word of a text is: the same folded, another form, or mistyped."""

from typing import NamedTuple

from ..questions.function_words import CONJUNCTIONS, FUNCTION_WORDS, ORDER_STOP_WORDS
from .folding import fold_word
from .near_spellings import NearSpellings
from .word_forms import WordForms

UNKNOWN = -1  # a word that is in no name


class KnownWord(NamedTuple):
    """What is known of a word as it is written.

    Attributes:
        number: of the word of names that it is, UNKNOWN where there is none.
        form: class of its forms, UNKNOWN likewise.
        stop: it is passed over in names in any order.
        grammar: it is a word of grammar alone.
        conjunction: it joins the members of a coordination.
    """

    number: int
    form: int
    stop: bool
    grammar: bool
    conjunction: bool


class Vocabulary:
    """Numbers of the words of names: one for each folded form."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._spellings: dict[str, int] = {}

    def add(self, word: str) -> int:
        """Return the number of a name's word, giving it one when it is new."""
        number = self._spellings.get(word)
        if number is None:
            number = self.numbers.setdefault(fold_word(word), len(self.numbers))
            self._spellings[word] = number
        return number


class Spellings(dict[str, KnownWord]):
    """Word as written → what is known of it.

    Looking a word up is one dictionary access: the answer for a spelling is kept, at most
    `MAX_KEPT` of them. A form that no name has is of its word's class and has no number of its own;
    a mistyped word has both of the word that was meant.
    """

    MAX_KEPT = 500_000

    def __init__(self, numbers: dict[str, int], forms: WordForms) -> None:
        super().__init__()
        self.numbers = numbers
        self.forms = forms
        self.class_count = len(numbers)
        self._near = NearSpellings(numbers)

    def __missing__(self, word: str) -> KnownWord:
        if len(self) >= self.MAX_KEPT:
            self.clear()
        small = word.lower()
        found = self[word] = KnownWord(
            *self._look_up(fold_word(word)),
            stop=word in ORDER_STOP_WORDS,
            grammar=small in FUNCTION_WORDS,
            conjunction=small in CONJUNCTIONS,
        )
        return found

    def _look_up(self, word: str) -> tuple[int, int]:
        """Number and class of a folded word."""
        number = self.numbers.get(word, UNKNOWN)
        if number == UNKNOWN:
            form = self.forms.class_of(word)
            if form is not None:
                return UNKNOWN, form
            meant = self._near.find(word)
            if meant is None:
                return UNKNOWN, UNKNOWN
            number = self.numbers[meant]
        return number, self.forms.classes[number]
