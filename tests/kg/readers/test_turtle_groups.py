"""Turtle and TriG cut into statements: the same as parsed whole, with lines, and past errors."""

import io
from collections.abc import Callable, Iterator
from typing import IO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from infact.kg.readers import statement_groups, turtle_lexer, written
from infact.kg.readers.blocks import block_of, statements_in
from infact.kg.readers.parsed_quads import QuadConverter
from infact.kg.readers.statement_groups import Grammar, Group, blocks_of_groups
from infact.kg.readers.turtle_groups import (
    TRIG_GRAMMAR,
    TURTLE_GRAMMAR,
    trig_groups,
    turtle_groups,
)
from infact.kg.statements import Rejected, Statement
from pyoxigraph import RdfFormat, parse

GROUPS: dict[RdfFormat, tuple[Callable[[IO[bytes]], Iterator[Group]], Grammar]] = {
    RdfFormat.TURTLE: (turtle_groups, TURTLE_GRAMMAR),
    RdfFormat.TRIG: (trig_groups, TRIG_GRAMMAR),
}
HEAD = "@prefix e: <http://e.org/> .\n"


def read(text: str, rdf_format: RdfFormat = RdfFormat.TURTLE) -> list[Statement | Rejected]:
    groups, grammar = GROUPS[rdf_format]
    blocks = blocks_of_groups(groups(io.BytesIO(text.encode())), grammar, QuadConverter(0))
    return [item for block in blocks for item in statements_in(block)]


def stated(text: str, rdf_format: RdfFormat = RdfFormat.TURTLE) -> dict[int, set[str]]:
    """Line → local names of the subjects that stand there."""
    found: dict[int, set[str]] = {}
    for item in read(text, rdf_format):
        if isinstance(item, Statement):
            found.setdefault(item.line, set()).add(item.subject.rpartition("/")[2])
    return found


def rejected(text: str, rdf_format: RdfFormat = RdfFormat.TURTLE) -> list[Rejected]:
    return [item for item in read(text, rdf_format) if isinstance(item, Rejected)]


def whole(text: str, rdf_format: RdfFormat) -> set[Statement | Rejected]:
    """What the parser says of the text as a whole, without lines."""
    convert = QuadConverter(0)
    block = block_of([convert(quad, 0) for quad in parse(text.encode(), rdf_format)])
    return set(statements_in(block))


# Text that looks like the end of a statement, or like the beginning of a text, where it is neither.
awkward = st.lists(
    st.sampled_from([*"ab.;,<>[](){}#'", '\\"', "\\\\", " . ", ".\\n", "<<", "{|", "é", "@p"]),
    max_size=8,
).map("".join)
long_awkward = st.tuples(
    awkward, st.sampled_from(["", "\n", ' ." ', "\n<e:x> <e:y> <e:z> .\n"])
).map("".join)
literals = st.one_of(
    awkward.map(lambda text: f'"{text}"'),
    awkward.map(lambda text: "'{}'".format(text.replace("'", "\\'"))),
    long_awkward.map(lambda text: f'"""{text}"""'),
    long_awkward.map(lambda text: "'''{}'''".format(text.replace("'", "\\'"))),
    awkward.map(lambda text: f'"{text}"@en-GB'),
    st.sampled_from(['""', "''", "1", "1.5", "-.5e3", "true", '"1"^^e:t', '""""""']),
)
iris = st.sampled_from(
    [
        "<http://e.org/a#b>",
        "<http://e.org/x.>",
        "e:a",
        "e:a.b",
        "e:a\\#b",
        "e:\\'.c",
        "<r.(s)>",
        ":",
    ]
)
nodes = st.one_of(iris, st.sampled_from(["_:b", "_:c.d", "[]"]))
gaps = st.sampled_from([" ", "\n", "\t# . 'not' \"a\" <text\n", " # x\n\n"])
objects = st.recursive(
    st.one_of(nodes, literals),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"( {' '.join(items)} )"),
        st.tuples(iris, inner).map(lambda pair: f"[ {pair[0]} {pair[1]} ]"),
    ),
    max_leaves=4,
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    gap = [draw(gaps) for _ in range(4)]
    text = f"{draw(nodes)}{gap[0]}{draw(iris)}{gap[1]}{draw(objects)}"
    for _ in range(draw(st.integers(0, 2))):
        text += draw(st.sampled_from([f"{gap[2]},", f" ; {draw(iris)}"])) + f" {draw(objects)}"
    return text + gap[3] + "."


directives = st.sampled_from(
    [
        "@prefix e: <http://e.org/> .",
        "PREFIX e: <http://other.org/>",
        "prefix : <#>",
        "@base <http://e.org/base/> .",
        "BASE <deeper/>",
    ]
)
documents = st.lists(st.one_of(statements(), statements(), directives), max_size=6)
START = HEAD + "@prefix : <http://e.org/> . @base <http://e.org/> .\n"


@settings(max_examples=300, deadline=None)
@example(texts=["e:a e:b 1 .#x"], size=3)
@given(texts=documents, size=st.integers(1, 40))
def test_turtle_is_as_if_parsed_whole(texts: list[str], size: int) -> None:
    text = START + "\n".join(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "BLOCK", size)
        patch.setattr(statement_groups, "TOGETHER", 60)
        found = read(text)
    assert {item._replace(line=0) for item in found} == whole(text, RdfFormat.TURTLE)


graphs = st.tuples(
    st.sampled_from(["GRAPH e:g ", "graph <http://e.org/h.>", "e:g", "[] ", "_:b ", "", "# {\n"]),
    st.lists(statements(), max_size=3),
    st.booleans(),
).map(lambda g: f"{g[0]}{{ {' '.join(g[1])[: -1 if g[2] else None]}\n}}")


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.one_of(statements(), graphs, directives), max_size=5), size=st.integers(1, 40)
)
def test_trig_is_as_if_parsed_whole(texts: list[str], size: int) -> None:
    text = START + "\n".join(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "BLOCK", size)
        found = read(text, RdfFormat.TRIG)
    assert {item._replace(line=0) for item in found} == whole(text, RdfFormat.TRIG)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab:<>\"'.;#{}[]()@\\ \n_^")), st.sampled_from(list(GROUPS)))
def test_any_text_is_read_or_rejected(text: str, rdf_format: RdfFormat) -> None:
    found = read(text, rdf_format)
    try:
        expected = whole(text, rdf_format)
    except SyntaxError:
        assert any(isinstance(item, Rejected) for item in found)
    else:
        assert {item._replace(line=0) for item in found} == expected


@pytest.mark.parametrize("form", ["@prefix {}: {} . # x\n", "PREFIX {}: {}\n"])
def test_of_many_prefixes_each_holds_but_the_faulty(form: str) -> None:
    """More than are read at once, one of them twice: the last holds."""
    names = [f"p{number}" for number in range(1000)]
    lines = [form.format(name, f"<http://e.org/{name}/>") for name in [*names, "p7"]]
    lines[0] = lines[0].replace("p0/", "base/")
    lines[1000] = lines[1000].replace("/p7/", "/last/")
    bad = [*lines[:700], form.format("x", "<no scheme>"), *lines[700:]]
    statements = " ".join(f"{name}:a {name}:b <{name}:c> ." for name in names)
    found = read("".join(bad) + statements)
    (item,) = (item for item in found if isinstance(item, Rejected))
    assert (item.line, item.text) == (701, bad[700].partition(" #")[0].strip())
    good = {item._replace(line=0) for item in found if isinstance(item, Statement)}
    assert good == whole("".join(lines) + statements, RdfFormat.TURTLE)


@pytest.mark.parametrize("rdf_format", list(GROUPS))
def test_the_bound_on_a_statement(rdf_format: RdfFormat) -> None:
    start, good, end = "<a:s> <a:p> 1 .\n\n", "<a:t> <a:p> 2 .\n", "<a:u> <a:p> 3 ."
    long = (
        "<a:a> <a:p> '.', "
        + ", ".join(f"\n# it's\n'{n} . \\''" for n in range(100))
        + ", 1" * 99
        + " ."
    )
    expected = whole(start + good + end, rdf_format)
    for room, read_too in ((0, True), (-1, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(written, "MAX_STATEMENT", len(long) + room)
            patch.setattr(written, "BLOCK", 100)
            patch.setattr(turtle_lexer, "BLOCK", 10)
            patch.setattr(turtle_lexer, "MAX_TEXT", 60)
            found = read(f"{start}{long}\n{good * 50}{end}", rdf_format)
        stated = {item._replace(line=0) for item in found if isinstance(item, Statement)}
        if read_too:
            assert stated == expected | whole(long, rdf_format)
            continue
        assert stated == expected
        (item,) = (item for item in found if isinstance(item, Rejected))
        assert (item.line, item.column, item.reason) == (3, 1, written.TOO_LONG)
        assert max(item.line for item in found) == long.count("\n") + 3 + 50 + 1


@pytest.mark.parametrize("shown", range(30, 40))
def test_a_directive_before_a_long_statement_holds(shown: int) -> None:
    head = "PREFIX e: <http://e.org/>\n# a\n"
    text = f"{head}e:a e:p {'1, ' * 100} 2 .\ne:t e:p 2 ."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "MAX_STATEMENT", 200)
        patch.setattr(turtle_lexer, "BLOCK", shown)
        found = read(text)
    assert {(item.line, getattr(item, "reason", "")) for item in found} == {
        (3, written.TOO_LONG),
        (4, ""),
    }


@pytest.mark.parametrize(
    ("inside", "line", "reason"),
    [
        ("'''a''' , ", 2, written.TOO_LONG + written.NOTHING_BELOW),
        ("\n'''" + "a" * 300, 3, turtle_lexer.NEVER_CLOSED),
        ("'" + "a" * 100 + "' , ", 2, written.TOO_LONG + written.NOTHING_BELOW),
    ],
)
def test_nothing_is_certain_below_a_long_statement_with_such_texts(
    inside: str, line: int, reason: str
) -> None:
    text = f"<a:s> <a:p> 1 .\n<a:a> <a:p> {'1, ' * 100}{inside}{'1, ' * 100} 1 .\n<a:t> <a:p> 2 ."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "MAX_STATEMENT", 200)
        patch.setattr(written, "BLOCK", 20)
        patch.setattr(turtle_lexer, "BLOCK", 10)
        patch.setattr(turtle_lexer, "MAX_TEXT", 60)
        found = read(text)
    assert {(item.line, getattr(item, "reason", "")) for item in found} == {(1, ""), (line, reason)}


def test_a_statement_has_the_line_of_its_subject() -> None:
    text = HEAD + '\n# a\ne:a e:p 1 ;\n  e:q """b\n\n""" .\ne:c e:p\n2 . e:d e:p 3 .\n'
    assert stated(text) == {4: {"a"}, 8: {"c"}, 9: {"d"}}


def test_lines_hold_in_graphs_and_behind_directives_without_a_stop() -> None:
    text = f"PREFIX e: <http://e.org/>\ne:g\n{{ e:a e:p 1 .\n\n e:b e:p [ e:q 2 ] }}\n{HEAD}e:c e:p 3 ."
    assert stated(text, RdfFormat.TRIG) == {3: {"a"}, 5: {"b", "_:s0b0"}, 7: {"c"}}


def test_a_graph_without_a_name_stays_one() -> None:
    text = f"{HEAD}[] {{ e:a e:p 1 . e:b e:p 2 }}\n[] {{ e:c e:p 3 }}"
    graphs = [item.graph for item in read(text, RdfFormat.TRIG) if isinstance(item, Statement)]
    assert sorted(graphs) == ["_:s0b0", "_:s0b0", "_:s0b1"]


@pytest.mark.parametrize(
    ("bad", "line", "column", "reason"),
    [
        ("e:a e:b .", 3, 9, "object"),
        ("<a> e:b e:c .", 3, 1, "declare @base"),
        ("e:a e:b\n  e:c e:d .", 4, 7, "expected"),
        ("x:a e:b e:c .", 3, 1, "has not been declared; declare it at the top"),
        ("e:a e:b <http://a b> .", 3, 9, "IRI"),
        ('e:a e:b "c .', 3, 9, ""),
        ("@prefix x: <no scheme> .", 3, 12, ""),
    ],
)
def test_a_bad_statement_alone_is_rejected(bad: str, line: int, column: int, reason: str) -> None:
    text = f"{HEAD}e:s e:p 1 .\n{bad}\ne:t e:p 2 .\n"
    (item,) = rejected(text)
    assert (item.line, item.column) == (line, column)
    assert reason in item.reason
    assert item.text == bad.split("\n")[line - 3].strip()
    assert set.union(*stated(text).values()) == {"s", "t"}


def test_a_bad_statement_is_found_among_many() -> None:
    statements = [f'e:a{number} e:p "{number}" .' for number in range(5000)]
    statements[1234] = "e:a1234 e:p ."
    statements[4000] = 'e:a4000 e:p "\\q" .'
    text = HEAD + "\n".join(statements)
    assert [item.line for item in rejected(text)] == [1236, 4002]
    assert sum(len(subjects) for subjects in stated(text).values()) == 4998


@pytest.mark.parametrize("behind", [' e:x e:y e:z . "', " e:x e:y e:z ."])
def test_what_may_stand_in_a_text_is_no_statement(behind: str) -> None:
    """The rest of a line behind a lost quotation mark; the next statement is certain again."""
    text = f'{HEAD}e:a e:p "b" c" .{behind}\n.\ne:t e:p 2 .\n'
    assert stated(text) == {4: {"t"}}


def test_nothing_is_certain_below_a_lost_mark_of_a_text_over_lines() -> None:
    text = (
        f'{HEAD}e:s e:p 1 .\ne:a e:p """b" .\ne:b e:p """c .\ne:x e:y e:z .\nd""" .\ne:t e:p 2 .\n'
    )
    assert stated(text) == {2: {"s"}}
    assert rejected(text)


def test_an_error_in_a_term_makes_no_text_uncertain() -> None:
    text = f'{HEAD}x:a e:p """b\n""" . e:t e:p 2 .\n'
    assert stated(text) == {3: {"t"}}


def test_a_graph_that_is_never_closed_is_told() -> None:
    text = f"{HEAD}e:g {{ e:a e:p 1 .\ne:b e:p 2 ."
    assert stated(text, RdfFormat.TRIG) == {2: {"a"}, 3: {"b"}}
    (item,) = rejected(text, RdfFormat.TRIG)
    assert (item.line, item.reason) == (2, "the graph that is opened here is never closed")
