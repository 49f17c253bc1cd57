"""Linking a text again after its graph has changed: only where a link may have changed, and saying why."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...kg.graph import KnowledgeGraph
from ...kg.linking.changed_linker import ChangedLinker
from ...kg.linking.changes import Change, ChangeKind
from ...kg.linking.folding import split_words
from ...kg.linking.linked_columns import chosen_score
from ...kg.linking.long_texts import mentions_in
from ...kg.linking.mentions import Mention
from ...kg.linking.text_linking import LinkerSettings, TextLinking, open_linking
from .former_links import FormerLinks

Place = tuple[int, int]
Row = dict[str, Any]


@dataclass
class RefreshCounts:
    """What became of documents that an earlier run had linked, and of their mentions.

    Attributes:
        kept: documents whose mentions stand as they were.
        again: documents that were linked again.
        new: documents whose texts weren't linked before.
        gone: documents whose texts aren't there any more.
        reasons: kind of change → documents that it had linked again.
        changes: what a mention has become → how many.
    """

    kept: int = 0
    again: int = 0
    new: int = 0
    gone: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)

    def add(self, other: "RefreshCounts") -> None:
        self.kept += other.kept
        self.again += other.again
        self.new += other.new
        _count(self.reasons, other.reasons)
        _count(self.changes, other.changes)


def _count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number


class Refresh:
    """Links texts by a changed graph, taking over what can't have changed.

    Args:
        linking: by the graph as it is now.
        settings: of that linking.
        former: the linking by the graph before it.
        of_all: why every text is linked again; None where each is asked.
    """

    def __init__(
        self,
        linking: TextLinking,
        settings: LinkerSettings,
        former: TextLinking,
        of_all: Change | None,
    ) -> None:
        self._linking, self._settings = linking, settings
        self._old = former.graph
        self._changed = ChangedLinker(former.linker, linking.linker)
        self._of_all = of_all

    def mentions(
        self, text: str, before: Sequence[Mention], counts: RefreshCounts
    ) -> tuple[list[Mention], list[Row]]:
        """The mentions of a text now, and what has become of those before: see `changed_mentions`."""
        if self._of_all is None:
            changes = self._changed.changes(text, before, nested=not self._settings.longest)
        else:
            changes = [self._of_all]
        if not changes:
            counts.kept += 1
            return [self._kept(mention) for mention in before], []
        counts.again += 1
        _count(counts.reasons, Counter({change.kind.value for change in changes}))
        after = list(mentions_in(text, self._linking.find))
        rows = list(changed_mentions(before, after, self._old, self._linking.graph, changes))
        _count(counts.changes, Counter(row["change"] for row in rows))
        return after, rows

    def _kept(self, mention: Mention) -> Mention:
        kept, count = self._changed.kept(mention), self._settings.candidates
        return self._linking.linker.with_candidates(kept, count) if count else kept


@dataclass(frozen=True)
class FormerLinking:
    """How an earlier run linked.

    Attributes:
        settings: the graph, and what was asked for.
        same_linker: False where another version linked, or something else was asked for.
    """

    settings: LinkerSettings
    same_linker: bool


def open_refresh(linking: TextLinking, settings: LinkerSettings, former: FormerLinking) -> Refresh:
    """Open the former graph, index its names, and compare the two.

    Args:
        linking, settings: as the texts are to be linked.
        former: as they were linked.
    """
    of_all = None if former.same_linker else Change(ChangeKind.LINKER, "all names")
    return Refresh(linking, settings, open_linking(former.settings), of_all)


def changes_beside(out: Path) -> Path:
    """Where it is told what has become of the links that were refreshed."""
    return out.with_name(f"{out.name}.changes.jsonl")


def gone_lines(former: FormerLinks) -> Iterator[str]:
    """A JSON line for each document whose text wasn't there any more."""
    for row in former.gone().select(["document", "source"]).to_pylist():
        yield json.dumps({**row, "change": "text gone"}, ensure_ascii=False) + "\n"


def changed_mentions(
    before: Sequence[Mention],
    after: Sequence[Mention],
    old: KnowledgeGraph,
    new: KnowledgeGraph,
    changes: Sequence[Change],
) -> Iterator[Row]:
    """A row for each mention that was added, is gone, or has another entity or score.

    Row: start, end, surface, change ("added", "removed", "entity", "score"), before and after (iri,
    label, score; null where there is no mention, iri null for NIL), why.

    Args:
        before, after: by start; entities of `old` and of `new`.
        changes: what may have changed the mentions of this text.
    """
    earlier = {(mention.start, mention.end): mention for mention in before}
    later = {(mention.start, mention.end): mention for mention in after}
    for place in sorted(earlier.keys() | later.keys()):
        was, now = earlier.get(place), later.get(place)
        told = _told(was, old), _told(now, new)
        change = _change(*told)
        if change is None:
            continue
        seen = {*_iris(was, old), *_iris(now, new)}
        mention = was or now
        assert mention is not None
        surface = mention.surface
        yield {
            "start": place[0],
            "end": place[1],
            "surface": surface,
            "change": change,
            "before": told[0],
            "after": told[1],
            "why": [
                {"what": each.kind.value, "about": each.about, "iri": each.iri or None}
                for each in _bearing_on(changes, seen, surface)
            ],
        }


def _told(mention: Mention | None, graph: KnowledgeGraph) -> Row | None:
    if mention is None:
        return None
    entity = mention.entity
    return {
        "iri": None if entity is None else graph.iri(entity),
        "label": None if entity is None else graph.label(entity),
        "score": chosen_score(mention),
    }


def _change(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str | None:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before["iri"] != after["iri"]:
        return "entity"
    return None if before["score"] == after["score"] else "score"


def _iris(mention: Mention | None, graph: KnowledgeGraph) -> Iterator[str]:
    if mention is not None:
        yield from (graph.iri(each.entity) for each in mention.candidates if not each.near)


def _bearing_on(changes: Sequence[Change], iris: set[str], surface: str) -> Sequence[Change]:
    """Those that concern its entities or words; all that concern its text where none does."""
    words = set(split_words(surface).raw)
    found = [change for change in changes if change.iri in iris or change.about in words]
    return found or changes
