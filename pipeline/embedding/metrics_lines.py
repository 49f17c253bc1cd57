"""The figures of an embedding as lines for the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = "MRR    H@1    H@3   H@10  mean rank"
WIDTH = 24
TEXT_WAYS = {
    "from_text": "heads by texts",
    "trained": "same, trained",
    "frequency_in_relation": "same, frequency",
}
SLICES = {
    "without_told": "not told by training",
    "without_unseen_entities": "all entities trained",
}


def metrics_lines(metrics: Mapping[str, Any], recorded: Mapping[str, Any]) -> Iterator[str]:
    """A table of the ranks, then what else was measured.

    Args:
        metrics: as metrics.json has them.
        recorded: in the manifest.
    """
    ranked = metrics["evaluation"]
    interval = ranked["intervals"]["mean_reciprocal_rank"]
    count = ranked["both"]["count"] // 2
    sampled = ranked["sampled"]
    of = f"a sample of {count:,} of {sampled['of']:,}" if sampled else f"all {count:,}"
    yield f"{of} test triples, heads and tails, filtered, among all entities"
    yield f"{'':{WIDTH}} {COLUMNS}"
    yield _row("both sides", ranked["both"]) + f"   MRR {_share(interval)}"
    for side in ("head", "tail"):
        yield _row(f"{side}s", ranked[side])
    for name, words in (("optimistic", "ties won"), ("pessimistic", "ties lost")):
        if _figures(ranked[name]) != _figures(ranked["both"]):
            yield _row(words, ranked[name])
    for name, words in SLICES.items():
        if name in ranked:
            yield _row(words, ranked[name]["both"])
    for name, own in ranked["by_cardinality"].items():
        for side in ("head", "tail"):
            yield _row(f"{name} ({own[side]['count']:,}), {side}s", own[side])
    yield _row("by frequency alone", ranked["baseline_frequency_in_relation"]["both"])
    if verdicts := ranked["triple_classification"]:
        low, high = 100 * verdicts["accuracy_low"], 100 * verdicts["accuracy_high"]
        yield (
            f"true or false, {verdicts['count']:,} test triples: accuracy {100 * verdicts['accuracy']:.1f} % "
            f"({low:.1f}–{high:.1f}), F1 {verdicts['f1']:.3f}"
        )
    if new := metrics.get("new_entities"):
        tail = new["tail"]
        for name, words in TEXT_WAYS.items():
            yield _row(f"{words}, tails", tail[name])
    if likely := metrics["probabilities"]:
        yield (
            f"probabilities of {likely['answers']:,} predicted facts: {100 * likely['right']:.1f} % are "
            f"right, {100 * likely['mean_probability']:.1f} % is said; calibration error "
            f"{likely['expected_calibration_error']:.3f} ({likely['low']:.3f}–{likely['high']:.3f})"
        )
    seconds = recorded["seconds_per_epoch"]
    pace = "resumed" if seconds is None else f"{seconds:g} s an epoch"
    epochs = metrics["training"]["epochs"]
    yield (
        f"{epochs} epoch{'' if epochs == 1 else 's'}, {pace}; "
        f"{recorded['evaluation_triples_per_second']:,.0f} test triples a second; "
        f"{recorded['peak_mib']:,.0f} MiB"
    )


def _row(name: str, of: Mapping[str, float]) -> str:
    return f"{name:{WIDTH}} {_figures(of)}"


def _figures(of: Mapping[str, float]) -> str:
    shares = (of["mean_reciprocal_rank"], *(of[f"hits_at_{k}"] for k in (1, 3, 10)))
    return "  ".join(f"{each:.3f}" for each in shares) + f"  {of['mean_rank']:9,.1f}"


def _share(interval: Mapping[str, float]) -> str:
    return f"{interval['low']:.3f}–{interval['high']:.3f}"
