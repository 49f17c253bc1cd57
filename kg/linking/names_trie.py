"""Which names stand in a text word by word: a trie over word numbers.

Every key (a sequence of word numbers) has a number too; which names share a key is the caller's
business.
"""

from collections.abc import Iterable, Sequence


class NamesTrie:
    """A trie over word numbers in two flat dictionaries.

    An edge is one number, `node * stride + word`, so there are no node objects: 43,000 names
    take about 20 MB.
    """

    def __init__(self, word_count: int) -> None:
        self.stride = word_count + 1
        self.edges: dict[int, int] = {}
        self.keys: dict[int, int] = {}  # node → number of the key that ends there
        self.node_count = 1

    def add(self, words: Iterable[int], key: int) -> int:
        """Add one sequence of word numbers; return its key's number, the older one if it has one."""
        node = 0
        for word in words:
            following = self.edges.setdefault(node * self.stride + word, self.node_count)
            if following == self.node_count:
                self.node_count += 1
            node = following
        return self.keys.setdefault(node, key)

    def matches(self, words: Sequence[int], start: int, stop: int) -> list[tuple[int, int]]:
        """Return (end, key) of each name that is `words[start:end]`, end ≤ stop, shortest first."""
        edges, stride, keys = self.edges, self.stride, self.keys
        node, found = 0, []
        for position in range(start, stop):
            following = edges.get(node * stride + words[position])
            if following is None:
                break
            node = following
            if node in keys:
                found.append((position + 1, keys[node]))
        return found
