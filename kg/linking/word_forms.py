"""Word forms that a graph teaches by itself: axon ↔ axonal, dysplasia ↔ dysplastic.

Where two names of one entity differ in words that begin alike, their endings are an inflection or a
derivation there. A pair of endings that several stems show is taken for a rule, and words that a
rule joins are forms of one word. No table of endings is shipped: the graph's own names, in its own
language, are the evidence (compare Gaussier 1999, "Unsupervised learning of derivational
morphology from inflectional lexicons").
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

MIN_STEM = 4  # characters that two forms begin with
MAX_ENDING = 5  # characters of an ending
MIN_STEMS = 3  # that show a rule
MAX_NAMES = 24  # of one entity compared with each other
MAX_FORMS = 12  # of one word: more are a chain of coincidences

Ending = tuple[str, str]  # the two endings of one rule, in alphabetical order


def learn_endings(
    names_by_entity: Iterable[Iterable[frozenset[str]]],
) -> dict[str, tuple[str, ...]]:
    """Return ending → endings that may stand in its place, those of most stems first.

    Args:
        names_by_entity: for each entity its names, each as the folded words that carry meaning.
    """
    stems: defaultdict[Ending, set[str]] = defaultdict(set)
    for names in names_by_entity:
        listed = sorted(set(names), key=sorted)[:MAX_NAMES]
        for first, second in combinations(listed, 2):
            for stem, endings in shared_stems(first, second):
                stems[endings].add(stem)
    partners: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (one, other), seen in stems.items():
        if len(seen) >= MIN_STEMS:
            partners[one].append((-len(seen), other))
            partners[other].append((-len(seen), one))
    return {
        ending: tuple(other for _, other in sorted(found)) for ending, found in partners.items()
    }


def shared_stems(first: frozenset[str], second: frozenset[str]) -> Iterator[tuple[str, Ending]]:
    """Yield stem and endings of each pair of words in which two names differ in form alone.

    Names of unlike length say more than forms do (lipiduria, lipid in urine), and so do names in
    which more than one word has no form in the other.
    """
    left, right = sorted(first - second), set(second - first)
    if len(left) != len(right) or not left:
        return
    found: list[tuple[str, Ending]] = []
    for word in left:
        other = max(sorted(right), key=lambda each: len(shared_beginning(word, each)))
        stem = shared_beginning(word, other)
        if is_stem(stem, word, other):
            right.remove(other)
            low, high = sorted((word[len(stem) :], other[len(stem) :]))
            found.append((stem, (low, high)))
    if len(left) - len(found) <= 1:
        yield from found


def shared_beginning(one: str, other: str) -> str:
    """The characters that two words begin with.

    >>> shared_beginning("axonal", "axonopathy")
    'axon'
    """
    pairs = enumerate(zip(one, other, strict=False))
    return one[: next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))]


def is_stem(stem: str, word: str, other: str) -> bool:
    """True where two words share enough of their beginning to be forms of one word."""
    longer = max(len(word), len(other))
    return len(stem) >= MIN_STEM and 2 * len(stem) >= longer and longer - len(stem) <= MAX_ENDING


class WordForms:
    """Which folded words are forms of one word, and that word's class for those not seen before.

    Attributes:
        endings: ending → endings that may stand in its place.
        classes: word number → number of its class, the smallest of its members'.
    """

    def __init__(self, numbers: Mapping[str, int], endings: Mapping[str, Sequence[str]]) -> None:
        self._numbers = numbers
        self.endings = endings
        self.classes = list(range(len(numbers)))
        members = {number: [number] for number in self.classes}
        for word, number in numbers.items():
            for other in self._known_forms(word):
                self._join(members, number, other)

    @classmethod
    def of_classes(
        cls, numbers: Mapping[str, int], endings: Mapping[str, Sequence[str]], classes: list[int]
    ) -> "WordForms":
        """The forms of words whose classes are known already."""
        forms = cls({}, endings)
        forms._numbers = numbers
        forms.classes = classes
        return forms

    def class_of(self, word: str) -> int | None:
        """Class of a folded word, also of a form that no name has; None for other words."""
        number = self._numbers.get(word)
        if number is None:
            number = next(self._known_forms(word), None)
        return None if number is None else self.classes[number]

    def _known_forms(self, word: str) -> Iterator[int]:
        """Numbers of the words that one rule away; longer stems first."""
        if not word.isalpha():
            return
        shortest = max(MIN_STEM, len(word) - MAX_ENDING, (len(word) + 1) // 2)
        for cut in range(len(word), shortest - 1, -1):
            for ending in self.endings.get(word[cut:], ()):
                number = self._numbers.get(word[:cut] + ending)
                if number is not None and 2 * cut >= cut + len(ending):
                    yield number

    def _join(self, members: dict[int, list[int]], one: int, other: int) -> None:
        low, high = sorted((self.classes[one], self.classes[other]))
        if low == high or len(members[low]) + len(members[high]) > MAX_FORMS:
            return
        for number in members[high]:
            self.classes[number] = low
        members[low] += members.pop(high)
