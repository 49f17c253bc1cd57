"""The linker: finds a graph's names in text and says which entity each stands for.

Dictionary matching over folded words, in order and in any order, then a score for each entity that
bears the name. Nothing here knows what the graph is about.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..graph import KnowledgeGraph
from ..hierarchy import Hierarchy, hierarchy_relations
from ..questions.function_words import FUNCTION_WORDS
from .coherence import settle_homonyms
from .common_names import common_names
from .document_abbreviations import settle_abbreviations, without_overlaps
from .folding import Words, split_words
from .index_files import load_index, names_digest, save_index
from .linking_scores import (
    CandidateScorer,
    NameRow,
    content_word,
    is_cased_name,
    softmax_with_nil,
)
from .mentions import SCORE_DIGITS, Candidate, Mention
from .name_index import NameIndex, build_index
from .name_matcher import NameMatcher, Span
from .near_candidates import NearCandidates
from .nested_mentions import settle_nested
from .rescoring import Rescoring, Score

MIN_SCORE = 0.2  # a best candidate less likely than this is NIL
MAX_CANDIDATES = 16  # of a mention; the neighbours and texts of these alone are read
CONTEXT_WORDS = 60  # on each side of an ambiguous mention, in its sentence
INDEX_FOLDER = "linking"  # in a graph's folder
MAX_SETTLED = 200_000  # surfaces whose candidates are kept


class _Reading(NamedTuple):
    """What a surface stands for.

    Attributes:
        entity: chosen within a sentence.
        at_beginning: chosen where the sentence begins with it, and so has a capital anyway.
        cased: the best candidate's name is known by its capitals.
    """

    candidates: tuple[Candidate, ...]
    entity: int | None
    at_beginning: int | None
    cased: bool


class Linker:
    """Links text to one graph. Build it once; of the texts it keeps spellings and surfaces, bounded in number.

    Attributes:
        index: of the graph's names.
        scorer: of the entities whose names match.
        hierarchy: that settles mentions inside others.
    """

    def __init__(
        self,
        index: NameIndex,
        scorer: CandidateScorer,
        hierarchy: Hierarchy,
        near: NearCandidates,
        rescoring: Rescoring | None = None,
    ) -> None:
        self.index = index
        self._names = index.names
        self._matcher = NameMatcher(index)
        self.hierarchy = hierarchy
        self._near = near
        self._filled: dict[tuple[str, int, tuple[Candidate, ...]], tuple[Candidate, ...]] = {}
        self.scorer = scorer
        self._rescoring = rescoring
        self._settled: dict[tuple[str, tuple[int, ...]], _Reading] = {}

    @classmethod
    def build(
        cls,
        graph: KnowledgeGraph,
        entities: Collection[int] | None = None,
        kept: Path | None = None,
    ) -> "Linker":
        """Index the names of a graph, or read the index that was kept of them.

        Args:
            graph: its names, degrees, triples and literals are read.
            entities: link to these alone; every entity of the graph when None.
            kept: folder for indexes, one for each set of names; what isn't there is made, as far
                as that may be written. None keeps nothing.
        """
        degrees = graph.entities_table["degree"].to_pylist()
        scorer = CandidateScorer(graph, max(degrees, default=1) or 1)
        hierarchy = Hierarchy(graph, hierarchy_relations(graph))
        rows = list(name_rows(graph, entities))
        names = "" if kept is None else names_digest(rows)
        folder = None if kept is None else kept / names[:16]
        index = None if folder is None else load_index(rows, names, folder)
        if index is None:
            index = build_index(rows)
            index = replace(index, common=common_names(graph, index, hierarchy))
            if folder is not None:
                with suppress(OSError):
                    save_index(index, names, folder)
        near = None if folder is None else folder.with_suffix(".near")
        return cls(index, scorer, hierarchy, NearCandidates(index.names, index.spellings, near))

    def linking_common_words(self) -> "Linker":
        """The same linker without the stop rule for common words."""
        index = replace(self.index, common={})
        return Linker(index, self.scorer, self.hierarchy, self._near, self._rescoring)

    def rescored(self, score: Score) -> "Linker":
        """The same linker, with other scores for mentions that its own leave open: see rescoring.py."""
        rescoring = Rescoring(score, self._near.fill, MIN_SCORE)
        return Linker(self.index, self.scorer, self.hierarchy, self._near, rescoring)

    @property
    def common_words(self) -> list[tuple[str, int]]:
        """Names that stay unlinked because they are common words of the graph's texts.

        Each with the number of texts that it stands in, the most frequent first.
        """
        counted = [(self._names[key][0].text, count) for key, count in self.index.common.items()]
        return sorted(counted, key=lambda pair: (-pair[1], pair[0]))

    def link(self, text: str) -> list[Mention]:
        """Find the mentions in a text: leftmost-longest, none overlapping another."""
        words = split_words(text)
        mentions = self._settle(text, words, self._matcher.longest_spans(words))
        return without_overlaps(mentions)

    def link_all(self, text: str) -> list[Mention]:
        """Find all mentions in a text, nested and overlapping ones too, by start, longest first."""
        words = split_words(text)
        spans = list(self._matcher.all_spans(words))
        mentions = self._settle(text, words, spans)
        return settle_nested(mentions, self.hierarchy, interrupted_spans(words, spans))

    def candidates(self, text: str, count: int = 5) -> tuple[Candidate, ...]:
        """Candidates for a text that is a mention as a whole, whether or not it is a name, best first.

        Args:
            count: fewer only where the graph has no further names that share a word with it.
        """
        words = split_words(text)
        spans = [
            span
            for span in self._matcher.all_spans(words)
            if (span.start, span.end) == (0, len(words.raw))
        ]
        mentions = self._settle(text, words, spans)
        if self._rescoring is not None and not mentions:
            mentions = self._rescoring.settled(text, [Mention(0, len(text), text, None, ())])
        matched = mentions[0].candidates if mentions else ()
        return self._near.fill(text, matched, count)

    def read_near_names(self) -> None:
        """Read or make the index that candidates beyond the matching names need."""
        self._near.prepare()

    def with_candidates(self, mention: Mention, count: int) -> Mention:
        """The mention with candidates beyond the names that match, until there are `count`.

        The candidates that it has keep their scores, the added ones share what those leave.
        """
        if len(mention.candidates) >= count:
            return mention
        asked = mention.surface, count, mention.candidates
        filled = self._filled.get(asked)
        if filled is None:
            if len(self._filled) >= MAX_SETTLED:
                self._filled.clear()
            filled = self._near.fill(mention.surface, mention.candidates, count)
            self._filled[asked] = filled
        return replace(mention, candidates=filled)

    def _settle(self, text: str, words: Words, spans: Iterable[Span]) -> list[Mention]:
        """Resolve each span by itself, then by what the document defines and speaks of."""
        spans = list(spans)
        resolved = (self._resolve(text, words, span) for span in spans)
        mentions = [mention for mention in resolved if mention is not None]
        mentions = settle_homonyms(mentions, self.scorer.graph, MIN_SCORE)
        if self._rescoring is not None:
            mentions = self._rescoring.settled(text, mentions, interrupted_spans(words, spans))
        return settle_abbreviations(text, mentions)

    def _resolve(self, text: str, words: Words, span: Span) -> Mention | None:
        start, end = words.starts[span.start], words.ends[span.end - 1]
        surface = text[start:end]
        reading = self._settled.get((surface, span.keys))
        if reading is None:
            rows = self._matching_rows(span.keys, surface)
            if len({row.entity for row in rows}) > 1:
                reading = self._read(surface, span.keys, rows, context_words(words, span))
            else:  # kept: no context changes it
                if len(self._settled) >= MAX_SETTLED:
                    self._settled.clear()
                reading = self._read(surface, span.keys, rows, ())
                self._settled[surface, span.keys] = reading
        if not reading.candidates:
            return None
        chosen = reading.at_beginning if span.start == span.first else reading.entity
        if reading.cased and is_all_capitals(_sentence(text, words, span)):
            chosen = None
        return Mention(start, end, surface, chosen, reading.candidates)

    def _read(
        self,
        surface: str,
        keys: tuple[int, ...],
        rows: list[NameRow],
        context: Collection[str],
    ) -> _Reading:
        if not rows:
            return _Reading((), None, None, False)
        candidates = self._candidates(rows, surface, context)
        best = candidates[0]
        likely = best.score >= MIN_SCORE and self.index.common.keys().isdisjoint(keys)
        entity, at_beginning = (
            best.entity if likely and not is_ordinary(surface, best.name, begins) else None
            for begins in (False, True)
        )
        return _Reading(candidates, entity, at_beginning, is_cased_name(best.name))

    def _matching_rows(self, keys: tuple[int, ...], surface: str) -> list[NameRow]:
        rows = [
            row
            for key in keys
            for row in self._names[key]
            if not row.cased or surface in (row.text, row.text + "s")
        ]
        live = [row for row in rows if not row.deprecated]
        return live or rows

    def _candidates(
        self, rows: list[NameRow], surface: str, context: Collection[str]
    ) -> tuple[Candidate, ...]:
        ranked = self._ranked(rows, surface, ())
        if context:  # read for the likeliest alone: a name may be that of thousands
            ranked = self._ranked([row for _, row in ranked[:MAX_CANDIDATES]], surface, context)
        scores = softmax_with_nil([logit for logit, _ in ranked])
        return tuple(
            Candidate(row.entity, round(score, SCORE_DIGITS), row.text, row.kind)
            for score, (_, row) in zip(scores, ranked[:MAX_CANDIDATES], strict=False)
        )

    def _ranked(
        self, rows: Iterable[NameRow], surface: str, context: Collection[str]
    ) -> list[tuple[float, NameRow]]:
        """The likeliest name of each entity with its logit, best first."""
        best: dict[int, tuple[float, NameRow]] = {}
        for row in rows:
            logit = self.scorer.logit(row, surface, context)
            if row.entity not in best or logit > best[row.entity][0]:
                best[row.entity] = (logit, row)
        return sorted(best.values(), key=lambda pair: (-pair[0], pair[1].entity))


def graph_linker(graph: KnowledgeGraph, entities: Collection[int] | None = None) -> Linker:
    """A linker whose index is kept in the graph's folder: read if it is there, else made."""
    return Linker.build(graph, entities, kept=graph.directory / INDEX_FOLDER)


def is_ordinary(surface: str, name: str, begins_sentence: bool) -> bool:
    """True where the text most likely says an ordinary word and not the name.

    So for grammar words and single letters, unless capitals that no sentence start explains spell
    them as the name does.
    """
    if len(surface) > 1 and not FUNCTION_WORDS.issuperset(surface.lower().split()):
        return False
    capitals = surface[1:] if begins_sentence else surface
    return surface != name or capitals == capitals.lower()


def context_words(words: Words, span: Span) -> set[str]:
    """Folded words of meaning on both sides of a mention, in its sentence, at most CONTEXT_WORDS."""
    first = max(span.first, span.start - CONTEXT_WORDS)
    last = min(span.last, span.end + CONTEXT_WORDS)
    around = (*words.raw[first : span.start], *words.raw[span.end : last])
    return {word for word in map(content_word, around) if word}


def is_all_capitals(sentence: str) -> bool:
    """True for a heading in capitals, in which capitals tell nothing: more than two words long."""
    return sentence.isupper() and len(sentence.split()) > 2


def interrupted_spans(words: Words, spans: Iterable[Span]) -> set[tuple[int, int]]:
    """Offsets of the spans that pass words over."""
    return {
        (words.starts[span.start], words.ends[span.end - 1]) for span in spans if span.interrupted
    }


def _sentence(text: str, words: Words, span: Span) -> str:
    return text[words.starts[span.first] : words.ends[span.last - 1]]


def name_rows(graph: KnowledgeGraph, entities: Collection[int] | None) -> Iterator[NameRow]:
    names = graph.names_table
    deprecated = graph.entities_table["deprecated"].to_pylist()
    wanted = None if entities is None else frozenset(entities)
    columns = (names[column].to_pylist() for column in ("entity", "name", "kind"))
    for entity, text, kind in zip(*columns, strict=True):
        if wanted is None or entity in wanted:
            yield NameRow(entity, text, kind, is_cased_name(text), deprecated[entity])
