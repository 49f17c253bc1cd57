"""The entities that a user may have meant by an IRI or label that the graph doesn't have."""

import bisect
import difflib
from collections.abc import Sequence

NEIGHBOURS = 200  # IRIs compared on either side of the place where the unknown one would stand
LABELS = 100_000  # labels compared; some 4 microseconds each
SHOWN = 3


def nearest_entities(asked: str, iris: Sequence[str], labels: Sequence[str | None]) -> list[int]:
    """Up to three entity numbers: those with this very label, else like IRIs, else like labels.

    `iris` is ascending; both are indexed by entity number.
    """
    folded = asked.casefold()
    found = [number for number, label in enumerate(labels) if label and label.casefold() == folded]
    if not found:
        place = bisect.bisect_left(iris, asked)
        near = iris[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS]
        close = difflib.get_close_matches(asked, near, n=SHOWN, cutoff=0.6)
        found = [bisect.bisect_left(iris, iri) for iri in close]
    if not found:
        number_of = {label: number for number, label in enumerate(labels[:LABELS]) if label}
        close = difflib.get_close_matches(asked, number_of, n=SHOWN, cutoff=0.7)
        found = [number_of[label] for label in close]
    return found[:SHOWN]
