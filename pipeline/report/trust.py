"""Can the answers be trusted? Sentences on edits, phrasings, confidence, free answers and repeats."""

from typing import Any

from ..measures.arm_roles import BASE, REPEAT
from ..words import capital, count, percent, points, span

PROMPT = "base + prompt"

Json = dict[str, Any]


def trust_sentences(report: Json) -> list[str]:
    """What was measured beyond accuracy, for the arm of the result and the arm to beat."""
    found = [
        *(_edit_sentence(report, entry) for entry in _of_main_arms(report, report["edits"])),
        *_consistency_sentences(report),
        *_numbers_sentences(report),
        *_repeat_sentence(report),
    ]
    return [sentence for sentence in found if sentence]


def warnings(report: Json) -> list[str]:
    """What a reader must know before trusting any number: a failed A/A check, arms that are absent."""
    changed = sum(entry["changed"] for entry in report["repeat"])
    sentences = []
    if changed:
        asked = sum(entry["n"] for entry in report["repeat"])
        largest = max((entry["difference"] for entry in report["repeat"]), key=abs)
        sentences.append(
            f"Warning: asked a second time, the base changed its answer to {count(changed)} of "
            f"{count(asked)} questions (up to {points(largest)} points in a pool); differences of "
            "that size mean nothing here."
        )
    return sentences + [
        f"{capital(entry['arm'])} is absent, because it couldn't be asked: {entry['why'].rstrip('.')}."
        for entry in report["absent"]
    ]


def _of_main_arms(report: Json, entries: list[Json]) -> list[Json]:
    names = dict.fromkeys((report["primary"]["arm"], PROMPT))
    return [entry for name in names for entry in entries if entry["arm"] == name]


def _edit_sentence(report: Json, entry: Json) -> str:
    followed, stayed, returned = (entry[key] for key in ("followed", "stayed", "returned"))
    parts = []
    if followed:
        parts.append(
            f"gives the new answer to {_share(followed)} of the swapped facts and the old one to "
            f"{percent(stayed['share'])}{_beside_base(report)}"
        )
    if returned:
        parts.append(f"answers {_share(returned)} of the deleted facts as the base does")
    return f"When the graph is edited, {entry['arm']} {'; it '.join(parts)}."


def _beside_base(report: Json) -> str:
    base = [entry["followed"] for entry in report["edits"] if entry["arm"] == BASE]
    return f" (the base: {percent(base[0]['share'])} new)" if base and base[0] else ""


def _share(entry: Json) -> str:
    return f"{percent(entry['share'])} ({span(entry['low'], entry['high'])})"


def _consistency_sentences(report: Json) -> list[str]:
    """Of the result's pool; where its facts were asked in one phrasing, of the first that has more."""
    arm, pool = report["primary"]["arm"], report["primary"]["pool"]
    asked = [entry["pool"] for entry in report["consistency"] if entry["arm"] == arm]
    if not asked:
        return []
    chosen = pool if pool in asked else asked[0]
    entries = {entry["arm"]: entry for entry in report["consistency"] if entry["pool"] == chosen}
    main = entries[arm]
    base = f", the base in {percent(entries[BASE]['same_choice'])}" if BASE in entries else ""
    return [
        f"Under two phrasings of a fact in pool {chosen} {arm} chooses the same option in "
        f"{percent(main['same_choice'])} ({span(main['low'], main['high'])}) of pairs{base}; it is "
        f"right under all phrasings on {percent(main['all_right'])} and under at least one on "
        f"{percent(main['any_right'])} of {count(main['facts'])} facts."
    ]


def _numbers_sentences(report: Json) -> list[str]:
    """Confidence, free answers and seeds of the result's arm in its pool."""
    arm, pool = report["primary"]["arm"], report["primary"]["pool"]
    entries = {entry["name"]: entry["pools"].get(pool) for entry in report["arms"]}
    main = entries.get(arm)
    if main is None:
        return []
    base = (entries.get(BASE) or {}).get("calibration")
    return [
        *_calibration_sentence(arm, main, base),
        *_free_sentence(arm, main["generation"]),
        *_seeds_sentence(arm, main),
    ]


def _calibration_sentence(arm: str, main: Json, base: Json | None) -> list[str]:
    found = main["calibration"]
    if found is None:
        return []
    beside = f", the base's {points(base['ece']).lstrip('+')}" if base else ""
    half = min(found["risk_coverage"], key=lambda point: abs(point["coverage"] - 0.5))
    return [
        f"{capital(arm)} is {percent(found['confidence'])} sure on average and right in "
        f"{percent(main['accuracy'])}: its calibration error is "
        f"{points(found['ece']).lstrip('+')} points ({span(found['ece_low'], found['ece_high'])})"
        f"{beside}; of the surest {percent(half['coverage'])} of its answers {percent(half['risk'])} "
        "are wrong."
    ]


def _free_sentence(arm: str, free: Json | None) -> list[str]:
    if free is None:
        return []
    lists = free["lists"]
    named = (
        f" Where several objects are true it names {percent(lists['recall'])} of them."
        if lists
        else ""
    )
    return [
        f"Answering freely, {arm} is right in {percent(free['right'])} and wrong in "
        f"{percent(free['wrong'])}, and doesn't attempt {percent(free['not_attempted'])}.{named}"
    ]


def _seeds_sentence(arm: str, main: Json) -> list[str]:
    variance = main["seed_variance"]
    if variance is None:
        return []
    deviation = points(main["seed_deviation"]).lstrip("+")
    return [
        f"Accuracy of {arm} differs from seed to seed by {deviation} points (standard deviation); "
        f"{percent(variance['share'])} of the variance of one run's accuracy is the seed's."
    ]


def _repeat_sentence(report: Json) -> list[str]:
    entries = report["repeat"]
    if not entries or any(entry["changed"] for entry in entries):
        return []
    asked = sum(entry["n"] for entry in entries)
    return [
        f"Asked a second time in other batches ({REPEAT}), the base gave the same answer to all "
        f"{count(asked)} questions."
    ]
