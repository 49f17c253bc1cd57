"""The report in four answers, written from its numbers: gained, broke, cost, beyond the controls?"""

from typing import Any

from ...kg.questions.pools import EDITED, UNTOUCHED
from ..console import duration
from ..measures.arm_roles import BASE
from ..words import capital, count, milliseconds, percent, points, ratio, span
from .trust import PROMPT, trust_sentences, warnings

Json = dict[str, Any]

NOT_GAINS = (UNTOUCHED, *EDITED)  # pools in which a higher accuracy isn't knowledge gained

FREE_ANSWERS = (
    "Choosing among given options is easier than answering freely; where the two scores differ, "
    "the free answer is what a user of the model would see.",
    "A free answer counts as right when it begins with a name of a true object; a right answer in "
    "words that the graph doesn't know counts as wrong.",
)
NO_FREE_ANSWERS = (
    "Choosing among given options is easier than answering freely, and nothing was answered freely "
    "here.",
)
LIMITATIONS = (
    "McNemar's test by question takes each by itself, though questions about one subject move "
    "together; so what is called beyond chance goes by the test over whole subjects, corrected for "
    "all comparisons of this report, and by an interval that leaves out zero as well.",
    "Confidence is a model's share of belief among the given options; how sure it is of a free "
    "answer isn't told by it.",
    "Slices, by relation and whatever else, are looked at after the fact, and none of their "
    "differences is corrected for how many there are.",
    "Pool U samples general knowledge: what it doesn't ask may have been forgotten unseen.",
    "Seconds and milliseconds are of the machine named under provenance; compare them within this "
    "report only.",
)
ONE_SEED = (
    "Intervals speak of other facts drawn from the same graph, not of other graphs or models; with "
    "one seed they don't hold the luck of training."
)
MORE_SEEDS = (
    "Intervals speak of other facts drawn from the same graph, not of other graphs or models, and of "
    "training with these {count} seeds; how far seeds differ stands beside them."
)
EDITED_GRAPH = (
    "Edits were made one fact at a time in the graph that an arm reads; arms whose weights hold the "
    "facts can't follow them and are shown for comparison."
)


def verdict(report: Json) -> Json:
    """A headline and four answers, each with a number, its unit and sentences on the details.

    `further` holds sentences on what was measured beyond accuracy, `warnings` what a reader must
    know before trusting a number.
    """
    gained = _gained(report)
    broke = _broke(report)
    controls = _controls(report)
    cost = _cost(report)
    cautions = warnings(report)
    parts = (gained, controls, broke, cost)
    lead = " ".join(part["headline"] for part in parts if part["headline"])
    answers = {"gained": gained, "broke": broke, "cost": cost, "controls": controls}
    return {
        "headline": " ".join([lead or "There is no base arm to compare with.", *cautions]),
        **{
            name: {key: part[key] for key in ("number", "unit", "sentences")}
            for name, part in answers.items()
        },
        "further": trust_sentences(report),
        "warnings": cautions,
    }


def limitations(report: Json) -> list[str]:
    """What the report doesn't show, in sentences."""
    seeds = len(report["seeds"])
    luck = ONE_SEED if seeds == 1 else MORE_SEEDS.format(count=seeds)
    edited = [EDITED_GRAPH] if report["edits"] else []
    written = any(of["generation"] for arm in report["arms"] for of in arm["pools"].values())
    return [*(FREE_ANSWERS if written else NO_FREE_ANSWERS), *LIMITATIONS, luck, *edited]


def _answer(number: str, unit: str, sentences: list[str], headline: str = "") -> Json:
    return {"number": number, "unit": unit, "sentences": sentences, "headline": headline}


def _gained(report: Json) -> Json:
    asked = [pool for pool in report["pools"] if pool["pool"] not in NOT_GAINS]
    sentences = [_pool_sentence(report, pool) for pool in asked]
    sentences = [sentence for sentence in sentences if sentence]
    main = _comparison(report, report["primary"]["arm"], report["primary"]["pool"])
    if main is None:
        best = [
            entry
            for entry in report["comparisons"]
            if _role(report, entry["arm"]) == "route" and entry["pool"] not in NOT_GAINS
        ]
        main = max(best, key=lambda entry: entry["difference"], default=None)
    if main is None:
        return _answer("–", "no route was compared with the base", sentences)
    where = _pool_name(report, main["pool"])
    headline = (
        f"{capital(main['arm'])} answers {percent(_accuracy(report, main['arm'], main['pool']))} "
        f"of the {_facts_of(where)}, where the base answers "
        f"{percent(_accuracy(report, BASE, main['pool']))}"
        f"{'' if main['beyond_chance'] else ', a difference within chance'}"
        f"{_rival(report, main['pool'])}; a difference of "
        f"{points(main['detectable']).lstrip('+')} points would have shown."
    )
    unit = f"points by {main['arm']}, {where} ({span(main['low'], main['high'])})"
    return _answer(points(main["difference"]), unit, sentences, headline)


def _pool_sentence(report: Json, pool: Json) -> str:
    routes = [
        entry
        for entry in report["comparisons"]
        if entry["pool"] == pool["pool"] and _role(report, entry["arm"]) == "route"
    ]
    if not routes:
        return ""
    best = max(routes, key=lambda entry: entry["difference"])
    name = capital(pool["name"])
    change = f"{points(best['difference'])} points, {span(best['low'], best['high'])}"
    if best["beyond_chance"]:
        accuracy = percent(_accuracy(report, best["arm"], pool["pool"]))
        sentence = f"{name}: {best['arm']} reaches {accuracy} ({change})"
    else:
        sentence = f"{name}: no route is beyond chance; the best is {best['arm']} ({change})"
    return f"{sentence}{_rival(report, pool['pool'])}."


def _rival(report: Json, pool: str) -> str:
    if _comparison(report, PROMPT, pool) is None:
        return ""
    return f"; facts in the prompt reach {percent(_accuracy(report, PROMPT, pool))}"


def _broke(report: Json) -> Json:
    routes = [
        entry
        for entry in report["comparisons"]
        if entry["pool"] == UNTOUCHED and _role(report, entry["arm"]) == "route"
    ]
    sentences = [
        f"{capital(entry['arm'])}: {points(entry['difference'])} points on general facts "
        f"({span(entry['low'], entry['high'])}; {entry['lost']} lost, {entry['gained']} gained)"
        f"{_perplexity_words(report, entry['arm'])}."
        for entry in routes
    ]
    if not routes:
        return _answer("–", "general facts weren't asked", sentences)
    worst = min(routes, key=lambda entry: entry["difference"])
    broken = [e["arm"] for e in routes if e["beyond_chance"] and e["difference"] < 0]
    if broken:
        headline = f"General facts were lost beyond chance by {' and '.join(broken)}."
    else:
        reach = points(max(entry["detectable"] for entry in routes)).lstrip("+")
        headline = (
            f"No route lost general facts beyond chance (a loss of {reach} points would show)."
        )
    unit = f"points on general facts by {worst['arm']}, the route that fared worst"
    return _answer(points(worst["difference"]), unit, sentences, headline)


def _perplexity_words(report: Json, arm: str) -> str:
    found = _arm(report, arm)["perplexity"]
    return f", perplexity of general text × {ratio(found['ratio'])}" if found else ""


def _cost(report: Json) -> Json:
    costs = {arm["name"]: arm["cost"] for arm in report["arms"] if arm["cost"]}
    sentences = []
    for name, cost in costs.items():
        if _role(report, name) == "control":
            continue
        trained = ""
        if cost.get("train_seconds"):
            tokens = cost.get("train_tokens")
            words = f" on {count(tokens)} tokens" if tokens else ""
            trained = f"{duration(cost['train_seconds'])} of training{words}, "
        latency = cost.get("milliseconds_per_question")
        if latency is not None:
            sentences.append(f"{capital(name)}: {trained}{milliseconds(latency)} ms a question.")
    main = report["primary"]["arm"]
    if main not in costs:
        return _answer("–", f"the cost of {main} wasn't recorded", sentences)
    spent = duration(costs[main].get("train_seconds") or 0)
    latencies = [
        f"{name} {milliseconds(costs[name]['milliseconds_per_question'])} ms"
        for name in dict.fromkeys((main, BASE, PROMPT))
        if costs.get(name, {}).get("milliseconds_per_question") is not None
    ]
    a_question = f"a question takes {', '.join(latencies)}" if latencies else ""
    unit = f"of training for {main}" + (f"; {a_question}" if a_question else "")
    return _answer(spent, unit, sentences, f"{capital(main)} took {spent} of training.")


def _controls(report: Json) -> Json:
    entries = report["controls"]
    sentences = [
        f"{capital(entry['control'])} reaches {_share_words(entry)} in pool {entry['pool']} "
        f"({entry['arm']} minus control: {points(entry['difference'])} points, "
        f"{span(entry['low'], entry['high'])})."
        for entry in entries
    ]
    main = [entry for entry in entries if entry["arm"] == report["primary"]["arm"]]
    shares = [entry["share"] for entry in main if entry["share"] is not None]
    if not main:
        return _answer("–", "no control of the result was run", sentences)
    arm = main[0]["arm"]
    if not shares:
        return _answer("–", f"{arm} has no gain that a control could share", sentences)
    largest = max(shares)
    beyond = all(entry["beyond_chance"] and entry["difference"] > 0 for entry in main)
    headline = (
        f"That is beyond every control: the strongest reaches {percent(largest)} of the gain."
        if beyond
        else f"A control comes too near: it reaches {percent(largest)} of the gain."
    )
    unit = f"of {arm}'s gain is reached by its strongest control"
    return _answer(percent(largest), unit, sentences, headline)


def _share_words(entry: Json) -> str:
    if entry["share"] is None:
        return f"{points(entry['gain'])} points ({entry['arm']} has no gain to share)"
    return f"{percent(entry['share'])} of {entry['arm']}'s gain"


def _arm(report: Json, name: str) -> Json:
    return next(arm for arm in report["arms"] if arm["name"] == name)


def _role(report: Json, name: str) -> str:
    return str(_arm(report, name)["role"])


def _accuracy(report: Json, name: str, pool: str) -> float:
    return float(_arm(report, name)["pools"][pool]["accuracy"])


def _comparison(report: Json, arm: str, pool: str) -> Json | None:
    matches = (e for e in report["comparisons"] if (e["arm"], e["pool"]) == (arm, pool))
    return next(matches, None)


def _pool_name(report: Json, pool: str) -> str:
    return str(next(entry["name"] for entry in report["pools"] if entry["pool"] == pool))


def _facts_of(pool_name: str) -> str:
    return "facts in memory" if pool_name == "in memory" else f"{pool_name} facts"
