"""How facts were taught as text: how often each was shown, what was known of them, and what was held back."""

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

Json = dict[str, Any]
DECIMALS = 4


def describe_teaching(
    exposures: Mapping[str, int],
    screening: Mapping[str, Json],
    scale: Mapping[str, Any] | None,
    sentence_pairs: Mapping[str, int] | None,
) -> Json:
    """What the pretrain stage wrote, as the report keeps it; None for what wasn't done.

    Args:
        exposures: by fact, how often it was shown.
        screening: by fact, what the base knew of it.
        scale: scale.json, where drift was bounded.
        sentence_pairs: sentence_pairs.json, where pairs of sentences were taught.
    """
    counts = list(exposures.values())
    shown = {"least": min(counts), "median": median(counts), "most": max(counts)} if counts else {}
    known = Counter(str(of["knowledge"]) for of in screening.values())
    return {
        "exposures": {"facts": len(counts), **shown} if counts else None,
        "knowledge": {name: known[name] for name in ("known", "maybe", "unknown")}
        if known
        else None,
        "scale": _scale(scale) if scale else None,
        "sentence_pairs": dict(sentence_pairs) if sentence_pairs else None,
    }


def teaching_in_words(report: Json) -> list[str]:
    """A sentence for each of what is known."""
    teaching = report["teaching"]
    sentences = []
    if shown := teaching["exposures"]:
        least, middle, most = (shown[name] for name in ("least", "median", "most"))
        often = (
            f"{least} times"
            if least == most
            else f"{least} to {most} times, {middle:g} in the median"
        )
        sentences.append(f"Each of {shown['facts']} taught facts was shown {often}.")
    if known := teaching["knowledge"]:
        sentences.append(
            f"Before, asked in training phrasings, the base knew {known['known']} of them, "
            f"{known['maybe']} perhaps and {known['unknown']} not."
        )
    if scale := teaching["scale"]:
        sentences.append(_scale_in_words(scale))
    if pairs := teaching["sentence_pairs"]:
        sentences.append(
            f"Of {pairs['held_out']} pairs of sentences held out, half of which follow each other, the base "
            f"told {pairs['right_before']} rightly and the taught model {pairs['right_after']}."
        )
    return sentences


def _scale_in_words(scale: Json) -> str:
    bound, full = f"{scale['bound']:g} nats a token", f"{scale['full']:.3f}"
    if scale["scale"] == 1:
        return f"The whole update is kept: its drift on general text is {full}, within {bound}."
    if scale["kl"] is None:
        return f"Nothing of the update is kept: however little of it drifts by more than {bound}."
    return (
        f"The update is felt by {scale['scale']:g}: so its drift on general text is "
        f"{scale['kl']:.3f}, within {bound}, where the whole of it drifts by {full}."
    )


def _scale(scale: Mapping[str, Any]) -> Json:
    drift = {point["scale"]: point["kl"] for point in scale["curve"]}
    kept = drift.get(scale["scale"])
    return {
        "bound": scale["bound"],
        "scale": scale["scale"],
        "kl": None if kept is None else round(kept, DECIMALS),
        "full": round(drift[max(drift)], DECIMALS),
    }
