"""Facts files that are faulty: every fault is told, with its file and line."""

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.questions.facts_file import read_facts_file
from infact.kg.readers.json_lines import MAX_LINE

GOOD = {
    "question": "What is the capital of Peru?",
    "answer": "Lima",
    "options": ["Lima", "Quito", "Bogotá"],
    "topic": "capital",
}
OTHER = {**GOOD, "question": "What is the capital of Ecuador?", "answer": "Quito"}
NO_ANSWER = {key: value for key, value in OTHER.items() if key != "answer"}


def line(**changes: object) -> str:
    return json.dumps({**OTHER, **changes}, ensure_ascii=False)


def written(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "facts.jsonl"
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines))
    return path


def error_of(tmp_path: Path, *lines: str | bytes) -> UserError:
    with pytest.raises(UserError) as error:
        read_facts_file(written(tmp_path, *lines), "facts.jsonl")
    return error.value


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (json.dumps(NO_ANSWER), '"answer" is missing'),
        (line(answer=""), '"answer" is empty'),
        (line(answer="Cuzco"), "isn't among the options: 'Cuzco'"),
        (line(answer="quito"), "is 'Quito' meant"),
        (line(options=["Quito", "Lima", "Lima"]), "given twice: 'Lima'"),
        (line(options=["Quito", "Lima", "Lima "]), "given twice: 'Lima '"),
        (line(options=["Quito", "Bogotá", "Bogota\u0301"]), "given twice"),
        (line(options=["Quito"]), '"options" needs 2 at least'),
        (line(options=["Quito", 7]), '"options"."1"'),
        (line(aliases=["Lima"]), "alias of the answer is among the wrong options: 'Lima'"),
        (line(anwser="Quito"), '"anwser" is no key'),
        (line(question=None, statement="Quito is a capital."), "needs [Y] once"),
        (line(question=None, statement="[Y]"), "nothing but [Y]"),
        (line(question=GOOD["question"]), "asked twice, here and on line 1"),
        ("[1]", "the line is not an object"),
        (b"\xef\xbb\xbf" + line().encode(), "byte-order mark"),
        ('{"answer": "a", "answer": "b"}', "the key 'answer' is given twice"),
        ('{"answer": NaN}', "NaN is no JSON value"),
        ('{"answer": -Infinity}', "-Infinity is no JSON value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"answer": ' + "7" * 5000 + "}", "isn't JSON"),
        ('{"answer": "\\ud83d"}', "half of a surrogate pair"),
        ('{"answer": "' + "a" * MAX_LINE + '"}', "longer than 1,048,576 bytes"),
        ('{"answer": "' + "é" * (MAX_LINE // 2) + '"}', "longer than 1,048,576 bytes"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, faulty: str | bytes, message: str) -> None:
    error = error_of(tmp_path, json.dumps(GOOD), faulty, "")
    assert message in error.what
    assert error.where.startswith("facts.jsonl:2")
    assert len(str(error)) < 700


def test_a_byte_order_mark_before_the_first_line_is_named(tmp_path: Path) -> None:
    error = error_of(tmp_path, b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert "byte-order mark" in error.what
    assert error.where == "facts.jsonl:1:1"


def test_two_facts_of_one_name_are_refused(tmp_path: Path) -> None:
    error = error_of(tmp_path, json.dumps({**GOOD, "id": "a"}), line(id="a"))
    assert "an id is given twice, here and on line 1" in error.what


def test_the_same_words_may_ask_another_thing_under_another_topic(tmp_path: Path) -> None:
    other = line(question=GOOD["question"], topic="largest city")
    assert len(read_facts_file(written(tmp_path, json.dumps(GOOD), other), "f")) == 2


def test_signs_tell_questions_apart(tmp_path: Path) -> None:
    asked = [line(question=f"Who made {name}?") for name in ("C", "C++", "c")]
    assert len(read_facts_file(written(tmp_path, *asked), "f")) == 3


def test_all_faulty_lines_are_told_at_once(tmp_path: Path) -> None:
    good = [json.dumps({**GOOD, "question": f"What is {n}?"}) for n in range(3)]
    error = error_of(tmp_path, good[0], line(answer="Cuzco"), "", "{", good[1], good[2])
    assert error.what == "2 lines are faulty"
    first, second = error.where.splitlines()
    assert first.startswith("facts.jsonl:2: a fact is faulty: the answer isn't among")
    assert second.startswith("facts.jsonl:4:2: this isn't JSON")


def test_of_many_faulty_lines_ten_are_told_and_the_others_counted(tmp_path: Path) -> None:
    error = error_of(tmp_path, *["{"] * 37)
    places = error.where.splitlines()
    assert error.what == "37 lines are faulty"
    assert [place.split(":")[1] for place in places[:10]] == [str(n) for n in range(1, 11)]
    assert places[10:] == ["… and 27 more"]


def test_after_an_overlong_line_lines_are_numbered_on(tmp_path: Path) -> None:
    error = error_of(tmp_path, "[" * (3 * MAX_LINE), json.dumps(GOOD), "{")
    assert [place.split(": ")[0] for place in error.where.splitlines()] == [
        "facts.jsonl:1",
        "facts.jsonl:3:2",
    ]


def test_a_line_of_just_the_longest_length_is_read(tmp_path: Path) -> None:
    length = len(line(answer="", options=["", "x"]).encode())
    long = "a" * ((MAX_LINE - length) // 2)
    text = line(answer=long, options=[long, "x"])
    ((number, fact),) = read_facts_file(written(tmp_path, text + " " * (MAX_LINE - len(text))), "f")
    assert (number, fact.answer) == (1, long)


def test_the_first_byte_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    error = error_of(tmp_path, json.dumps(GOOD), line().encode("latin-1") + b"\xe9")
    assert "not UTF-8" in error.what
    assert error.where == "facts.jsonl:2"


@pytest.mark.parametrize("lines", [(), ("", "  ", "")])
def test_a_file_without_a_fact_is_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    error = error_of(tmp_path, *lines)
    assert (error.what, error.where) == ("there is no fact in the file", "facts.jsonl")


def test_a_folder_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="folder"):
        read_facts_file(tmp_path, "facts.jsonl")
    with pytest.raises(UserError, match="no such file"):
        read_facts_file(tmp_path / "nothing", "facts.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(GOOD))
    path.chmod(0)
    with pytest.raises(UserError, match="can't be read: Permission denied"):
        read_facts_file(path, "facts.jsonl")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux only")
def test_a_file_that_fails_while_it_is_read_is_refused() -> None:
    with pytest.raises(UserError, match="can't be read: Input/output error") as error:
        read_facts_file(Path("/proc/self/mem"), "facts.jsonl")
    assert error.value.where == "facts.jsonl"


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    assert [fact.answer for _, fact in read_facts_file(path, "f")] == ["Lima"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {key: JSON | st.just(value) for key, value in GOOD.items()},
    optional={"aliases": JSON, "statement": JSON, "prompt": JSON, "subject": JSON, "id": JSON},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.binary(max_size=20) | FIELDS.map(lambda told: json.dumps(told).encode())))
def test_any_file_is_read_or_refused_with_its_name(tmp_path: Path, lines: list[bytes]) -> None:
    path = written(tmp_path, *lines)
    where = "facts.jsonl"
    try:
        read_facts_file(path, "facts.jsonl")
    except UserError as error:
        where = error.where
    assert where.startswith("facts.jsonl")
