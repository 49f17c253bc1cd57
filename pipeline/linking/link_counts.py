"""What a linking run counts, and how it is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...kg.corpora.documents import RejectedDocument
from ..console import Console, duration
from .linked_batch import LinkedBatch
from .refresh import RefreshCounts, changes_beside

SHOWN = 5  # rejections told one by one
MEBIBYTE = 1 << 20
WORDS = {
    "added": "added",
    "entity": "of another entity",
    "removed": "removed",
    "score": "of another score",
}


@dataclass
class LinkCounts:
    """Totals of a run.

    Attributes:
        documents, characters, mentions, linked: of all that is in the output.
        rejected: documents, and rests of files, that aren't.
        passed_over: files in folders that weren't taken for texts, by why.
        resumed: documents that an earlier run linked.
        seconds: from the beginning to the published output; index_seconds and linking_seconds of those
            for the index and from the first document that wasn't there yet to the last.
        peak_bytes: the most memory of any one process; processes share the index.
    """

    documents: int = 0
    characters: int = 0
    mentions: int = 0
    linked: int = 0
    rejected: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    seconds: float = 0.0
    index_seconds: float = 0.0
    linking_seconds: float = 0.0
    peak_bytes: int = 0
    first_rejected: list[RejectedDocument] = field(default_factory=list)
    refreshed: RefreshCounts | None = None

    def add(self, made: LinkedBatch) -> None:
        self.documents += made.documents
        self.characters += made.characters
        self.mentions += made.mentions
        self.linked += made.linked
        self.rejected += len(made.rejected)
        self.peak_bytes = max(self.peak_bytes, made.peak_bytes)
        self.first_rejected += made.rejected[: SHOWN - len(self.first_rejected)]
        if made.refreshed is not None:
            self.refreshed = self.refreshed or RefreshCounts()
            self.refreshed.add(made.refreshed)

    @property
    def documents_per_second(self) -> float:
        """Of those that this run linked."""
        return (self.documents - self.resumed) / max(self.linking_seconds, 1e-9)

    def document(self, out: Path) -> dict[str, Any]:
        """For machines."""
        return {
            "out": str(out),
            "documents": self.documents,
            "characters": self.characters,
            "mentions": self.mentions,
            "linked": self.linked,
            "nil": self.mentions - self.linked,
            "rejected": self.rejected,
            "passed_over": self.passed_over.total(),
            "resumed": self.resumed,
            "seconds": round(self.seconds, 3),
            "documents_per_second": round(self.documents_per_second, 3),
            "index_seconds": round(self.index_seconds, 3),
            "peak_mib": round(self.peak_bytes / MEBIBYTE, 1),
            **({} if self.refreshed is None else {"refreshed": asdict(self.refreshed)}),
        }


def rejected_beside(out: Path) -> Path:
    """Where it is told what wasn't linked."""
    return out.with_name(f"{out.name}.rejected.jsonl")


def say_common_words(common_words: Sequence[tuple[str, int]], console: Console) -> None:
    """Tell which names the stop rule leaves NIL, and how they would be linked."""
    if common_words:
        told = ", ".join(f"{name} ({count:,})" for name, count in common_words[:SHOWN])
        more = f" and {len(common_words) - SHOWN} more" if len(common_words) > SHOWN else ""
        console.line(
            f"link: common words of the graph's own texts stay NIL: {told}{more}; "
            "--common-words links them"
        )


def say_counts(counts: LinkCounts, out: Path, console: Console) -> None:
    """Tell of a finished run what was found, and what wasn't linked."""
    for item in counts.first_rejected:
        console.line(f"rejected {item.place}  {item.reason}")
    if counts.rejected > SHOWN:
        console.line(f"and {counts.rejected - SHOWN:,} more")
    for reason, count in counts.passed_over.most_common(SHOWN):
        console.line(f"passed over: {reason}: {count:,}")
    if counts.rejected or counts.passed_over:
        console.line(f"all of them: {rejected_beside(out)}")
    if counts.refreshed is not None:
        _say_refreshed(counts.refreshed, changes_beside(out), console)
    nil = counts.mentions - counts.linked
    console.line(
        f"{out}: {counts.documents:,} documents, {counts.mentions:,} mentions "
        f"({counts.linked:,} linked, {nil:,} NIL), {counts.rejected:,} rejected, "
        f"in {duration(counts.seconds)}, {counts.documents_per_second:,.0f} documents a second"
    )
    console.result(counts.document(out))


def _say_refreshed(counts: RefreshCounts, changes: Path, console: Console) -> None:
    gone = f", {counts.gone:,} gone" if counts.gone else ""
    console.line(
        f"refresh: {counts.kept:,} documents kept, {counts.again:,} linked again, "
        f"{counts.new:,} new{gone}"
    )
    for reason, count in sorted(counts.reasons.items(), key=lambda pair: -pair[1]):
        console.line(f"  linked again for the {reason}: {count:,}")
    told = ", ".join(
        f"{count:,} {WORDS[change]}" for change, count in sorted(counts.changes.items())
    )
    console.line(f"mentions: {told or 'none has changed'}; each, and why: {changes}")
