"""Which word of the graph's names a word of a text is: the same folded, another form, or mistyped."""

from .folding import fold_word
from .near_spellings import NearSpellings
from .word_forms import WordForms

UNKNOWN = -1  # a word that is in no name

Number = int
FormClass = int


class Vocabulary:
    """Numbers of the words of names: one for each folded form."""

    def __init__(self) -> None:
        self.numbers: dict[str, Number] = {}
        self._spellings: dict[str, Number] = {}

    def add(self, word: str) -> Number:
        """Return the number of a name's word, giving it one when it is new."""
        number = self._spellings.get(word)
        if number is None:
            number = self.numbers.setdefault(fold_word(word), len(self.numbers))
            self._spellings[word] = number
        return number


class Spellings(dict[str, tuple[Number, FormClass]]):
    """Word as written → number of its folded form and class of its forms, UNKNOWN where no name has it.

    Looking a word up is one dictionary access: the answer for a spelling is kept, at most
    `MAX_KEPT` of them. A form that no name has is of its word's class and has no number of its own;
    a mistyped word has both of the word that was meant.
    """

    MAX_KEPT = 500_000

    def __init__(self, numbers: dict[str, Number], forms: WordForms) -> None:
        super().__init__()
        self._numbers = numbers
        self._forms = forms
        self._near = NearSpellings(numbers)

    def __missing__(self, word: str) -> tuple[Number, FormClass]:
        if len(self) >= self.MAX_KEPT:
            self.clear()
        found = self[word] = self._look_up(fold_word(word))
        return found

    def _look_up(self, word: str) -> tuple[Number, FormClass]:
        number = self._numbers.get(word, UNKNOWN)
        if number == UNKNOWN:
            form = self._forms.class_of(word)
            if form is not None:
                return UNKNOWN, form
            meant = self._near.find(word)
            if meant is None:
                return UNKNOWN, UNKNOWN
            number = self._numbers[meant]
        return number, self._forms.classes[number]
