"""Facts files out: read back, the probes are the same."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.questions.facts_file import WrittenFact, check_fact, read_facts_file
from infact.kg.questions.facts_writer import facts_lines
from infact.kg.questions.probes import Probe, capitalised, fill_slot, written_probe
from infact.kg.readers.json_lines import LineError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@st.composite
def facts(draw: st.DrawFn) -> Probe:
    options = draw(st.lists(TEXTS, min_size=2, max_size=3))
    kind = draw(st.sampled_from(["question", "prompt", "statement"]))
    text = draw(TEXTS) + {"question": "?", "prompt": "", "statement": "[Y]" + draw(TEXTS)}[kind]
    told = {
        kind: text,
        "answer": draw(st.sampled_from(options)),
        "options": options,
        "aliases": draw(st.lists(TEXTS, max_size=2)),
        "topic": draw(TEXTS),
        "subject": draw(st.just("") | TEXTS),
        "id": draw(st.just("") | TEXTS),
    }
    fact = WrittenFact.model_validate(told)
    try:
        check_fact(fact)
    except LineError:
        assume(False)
    return written_probe(fact, "facts.jsonl:1")


def read_back(lines: list[str]) -> list[Probe]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "facts.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
        return [written_probe(fact, "facts.jsonl:1") for _, fact in read_facts_file(path, "f")]


@settings(deadline=None)
@given(
    st.lists(facts(), min_size=1, max_size=4, unique_by=(lambda p: p.probe, lambda p: p.relation))
)
def test_what_is_written_reads_back_as_it_was(probes: list[Probe]) -> None:
    lines, repeats = facts_lines(probes)
    assert repeats == 0
    assert read_back(lines) == probes


def bear_probe(name: str, **changes: object) -> Probe:
    options = ("the lion", "the kid")
    told = {
        "probe": name,
        "relation": "eats",
        "subject": "meat",
        "cluster": "meat",
        "prompt": "",
        "before": "",
        "after": " eats meat.",
        "statements": tuple(map(capitalised, fill_slot("", options, " eats meat."))),
        "options": options,
        "correct": 0,
        "aliases": (),
        "source": "eats.jsonl:1",
    }
    return Probe(**{**told, **changes})


def test_options_are_written_as_they_stand_in_the_statements() -> None:
    probe = bear_probe("eats/0/meat/1")
    lines, _ = facts_lines([probe])
    (found,) = read_back(lines)
    assert found.statements == probe.statements
    assert found.options == ("The lion", "The kid")
    assert (found.probe, found.correct, found.subject) == (probe.probe, 0, "meat")


def test_what_only_repeats_is_written_once() -> None:
    lines, repeats = facts_lines([bear_probe("a"), bear_probe("b")])
    assert (len(lines), repeats) == (1, 1)


def test_the_same_question_with_another_answer_is_refused() -> None:
    with pytest.raises(UserError, match="'a' asks the same") as error:
        facts_lines([bear_probe("a"), bear_probe("b", correct=1)])
    assert error.value.where == "eats.jsonl:1"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aliases": ("The kid",)}, "an alias of the answer"),
        (
            {"after": " eats [Y].", "statements": ("The lion eats [Y].", "The kid eats [Y].")},
            "once",
        ),
    ],
)
def test_what_a_facts_file_cannot_hold_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(UserError, match=why) as error:
        facts_lines([bear_probe("a", **changes)])
    assert error.value.where == "eats.jsonl:1"
