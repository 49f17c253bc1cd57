"""BEAR folders out: read back by infact and by lm-pub-quiz, the statements are the same."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.questions.bear import METADATA, read_bear
from infact.kg.questions.bear_writer import write_bear
from infact.kg.questions.facts_file import WrittenFact, check_fact
from infact.kg.questions.probes import Probe, capitalised, written_probe
from infact.kg.readers.json_lines import LineError

CITIES = ("Oslo", "Lima", "Quito")


def statement(text: str, answer: str, options: Sequence[str] = CITIES, **more: str) -> Probe:
    fact = WrittenFact(statement=text, answer=answer, options=options, topic="capital", **more)
    check_fact(fact)
    return written_probe(fact, "facts.jsonl:1")


def asked(probe: Probe) -> tuple[object, ...]:
    """What a probe asks, as BEAR's readers write it; options have no order."""
    statements = zip(probe.options, map(capitalised, probe.statements), strict=True)
    return probe.relation, frozenset(statements), probe.answer


def read_back(probes: Sequence[Probe]) -> list[Probe]:
    with TemporaryDirectory() as folder:
        write_bear(probes, Path(folder))
        return read_bear(Path(folder))


def relations_of(probes: Sequence[Probe], folder: Path) -> dict[str, dict]:
    write_bear(probes, folder)
    return json.loads((folder / METADATA).read_text())


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", " ", "7", "007", "1e5", "nan", "[X]", "is", "ß is", "the"]
)
LABELS = WORDS.filter(lambda text: text.strip() and "[Y]" not in text)


@st.composite
def facts(draw: st.DrawFn) -> Probe:
    subject, options = draw(WORDS), draw(st.lists(LABELS, min_size=2, max_size=3))
    before, after = draw(WORDS), draw(WORDS)
    text = draw(st.sampled_from([f"{before}{subject} [Y]{after}", f"{before}[Y] {subject}{after}"]))
    told = {"answer": draw(st.sampled_from(options)), "options": options, "subject": subject}
    try:
        fact = WrittenFact(statement=text, topic=draw(st.sampled_from(["a", "A b"])), **told)
        check_fact(fact)
    except (ValueError, LineError):
        assume(False)
    return written_probe(fact, "facts.jsonl:1")


@settings(deadline=None)
@given(
    st.lists(facts(), min_size=1, max_size=6, unique_by=lambda p: (p.relation, p.before, p.after))
)
def test_what_is_written_reads_back_or_is_refused(probes: list[Probe]) -> None:
    refused = ""
    try:
        found = read_back(probes)
    except UserError as error:
        refused = error.what
    if refused:
        assert "BEAR can't ask" in refused
    else:
        assert Counter(map(asked, found)) == Counter(map(asked, probes))


def test_facts_with_shared_templates_and_options_are_one_relation(tmp_path: Path) -> None:
    texts = ("The capital of {} is [Y].", "[Y] is the capital of {}.")
    pairs = (("Norway", "Oslo"), ("Peru", "Lima"))
    probes = [
        statement(text.format(land), city, subject=land) for land, city in pairs for text in texts
    ]
    (told,) = relations_of(probes, tmp_path).values()
    assert told["templates"] == ["The capital of [X] is [Y].", "[Y] is the capital of [X]."]
    assert told["answer_space_labels"] == list(CITIES)
    rows = [json.loads(row) for row in (tmp_path / "capital.jsonl").read_text().splitlines()]
    assert [(row["sub_label"], row["obj_label"]) for row in rows] == list(pairs)
    assert rows[1]["probes"] == [probe.probe for probe in probes[2:]]


def test_options_of_their_own_make_relations_of_their_own(tmp_path: Path) -> None:
    probes = [
        statement("The capital of Norway is [Y].", "Oslo", subject="Norway"),
        statement("The capital of Peru is [Y].", "Lima", ("Lima", "Cuzco"), subject="Peru"),
        statement("The capital of Ecuador is [Y].", "Quito", CITIES[::-1], subject="Ecuador"),
    ]
    told = relations_of(probes, tmp_path)
    assert list(told) == ["capital-1", "capital-2"]
    assert {relation["relation"] for relation in told.values()} == {"capital"}
    assert Counter(map(asked, read_bear(tmp_path))) == Counter(map(asked, probes))


def test_a_published_template_given_twice_is_asked_twice(tmp_path: Path) -> None:
    """As in BEAR's P103."""
    (tmp_path / "in").mkdir()
    told = {"P103": {"templates": ["[X] speaks [Y].", "[X] speaks [Y]."]}}
    (tmp_path / "in" / METADATA).write_text(json.dumps(told))
    rows = [{"sub_label": "A", "obj_label": "Dutch"}, {"sub_label": "B", "obj_label": "Thai"}]
    (tmp_path / "in" / "P103.jsonl").write_text("\n".join(map(json.dumps, rows)))
    probes = read_bear(tmp_path / "in")
    assert Counter(map(asked, read_back(probes))) == Counter(map(asked, probes))


def test_two_answers_to_what_bear_writes_alike_are_refused(tmp_path: Path) -> None:
    probes = [
        statement("is it [Y]?", "Oslo", subject="is"),
        statement("Is it [Y]?", "Lima", subject="is"),
    ]
    with pytest.raises(UserError, match="but for large letters, another asks the same"):
        write_bear(probes, tmp_path)


@pytest.mark.parametrize(
    ("probe", "why"),
    [
        (statement("Is it [Y], or [X]?", "Oslo"), r"\[X\] or \[Y\] stands beside"),
        (statement("7 [Y]", "Oslo"), "nothing but a number"),
    ],
)
def test_what_bear_cannot_ask_is_refused(tmp_path: Path, probe: Probe, why: str) -> None:
    with pytest.raises(UserError, match=why) as error:
        write_bear([probe], tmp_path)
    assert error.value.where == "facts.jsonl:1"


def test_an_option_given_twice_is_refused(tmp_path: Path) -> None:
    probe = statement("A city is [Y].", "Oslo")
    twice = replace(probe, options=("Oslo", "Oslo", "Lima"))
    with pytest.raises(UserError, match="gives an option twice"):
        write_bear([twice], tmp_path)


def test_small_first_letters_are_counted(tmp_path: Path) -> None:
    probes = [statement("the city is [Y]", "Oslo"), statement("The city is [Y].", "Oslo")]
    assert write_bear(probes, tmp_path).capitalised == 1


def test_lm_pub_quiz_reads_the_same_statements(tmp_path: Path) -> None:
    """Also where pandas would make numbers or times of labels."""
    quiz = pytest.importorskip("lm_pub_quiz", reason="lm-pub-quiz is a peer, not a dependency")
    from lm_pub_quiz.evaluators.templating_util import Templater

    probes = [
        *(statement(f"The bond {n} is [Y].", "Oslo", subject=n) for n in ("007", "1.50", "1e9")),
        *(
            statement(f"On {day}, [Y].", "Lima", subject=day)
            for day in ("1999-01-01", "2000-02-02")
        ),
        statement("{{7*7}} “is” [Y]\n\x00{% raw %}", "Quito", subject="{{7*7}}"),
        statement("[Y] is a Wort with ß, [X].", "Oslo", ("Oslo", "ß", "[Y")),
        statement("متلازمة \u202e of [Y]", "true", ("true", "12", "nan"), subject="\u202e"),
    ]
    write_bear(probes, tmp_path)
    templater = Templater()
    found = []
    for relation in quiz.Dataset.from_path(tmp_path):
        space = relation.answer_space.tolist()
        for _, row in relation.instance_table.iterrows():
            for template in relation.templates:
                texts = [
                    templater.replace_placeholders(
                        template=template, subject=str(row["sub_label"]), answer=option
                    )[0]
                    for option in space
                ]
                found.append((frozenset(texts), texts[row["answer_idx"]]))
    assert Counter(found) == Counter(
        (
            frozenset(map(capitalised, probe.statements)),
            capitalised(probe.statements[probe.correct]),
        )
        for probe in probes
    )
