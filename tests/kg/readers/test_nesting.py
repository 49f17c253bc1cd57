"""What nests too deep is told before it is parsed, wherever brackets stand that are none."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.readers import nesting
from infact.kg.readers.blocks import statements_in
from infact.kg.readers.nesting import MANY, MAX_DEPTH, TOO_DEEP, TRIPLE_TERMS, too_deep
from infact.kg.readers.parsed_quads import QuadConverter
from infact.kg.readers.statement_groups import blocks_of_groups
from infact.kg.readers.turtle_groups import TURTLE_GRAMMAR, turtle_groups
from infact.kg.statements import Rejected, Statement
from pyoxigraph import RdfFormat, parse

HEAD = "@prefix e: <http://e.org/> .\n"
# What holds brackets that don't nest, or a quotation mark that opens no text.
harmless = st.sampled_from(
    [
        '"((("',
        "'''[[\n]]'''",
        "<http://e.org/(((>",
        "e:\\'",
        "e:\\(\\(",
        "e:a # ]]] ))) '\n",
        "'\"]'",
    ]
)
nested = st.recursive(
    harmless.map(lambda text: (0, text)),
    lambda inner: st.tuples(
        st.lists(inner, min_size=1, max_size=3), st.sampled_from(["( {} )", "[ e:p {} ]"])
    ).map(
        lambda found: (
            1 + max(depth for depth, _ in found[0]),
            found[1].format((" " if "(" in found[1] else " , ").join(text for _, text in found[0])),
        )
    ),
    max_leaves=8,
)


@given(nested, st.integers(0, 5), st.integers(1, 30))
def test_depth_is_that_of_brackets_outside_of_texts(
    found: tuple[int, str], most: int, block: int
) -> None:
    depth, text = found
    statement = f"e:a e:p {text} .".encode()
    list(parse(HEAD.encode() + statement, RdfFormat.TURTLE))  # it is Turtle
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nesting, "MAX_DEPTH", most)
        patch.setattr(nesting, "BLOCK", block)
        assert too_deep(statement) == (TOO_DEEP if depth > most else "")


@given(st.lists(st.sampled_from([-1, 1]), max_size=30), st.integers(0, 5))
def test_steps_beyond_the_top_dont_count(steps: list[int], before: int) -> None:
    expected, depth = [], before
    for step in steps:
        depth = max(0, depth + step)
        expected.append(depth)
    assert nesting.depths(np.array(steps, np.int8), before).tolist() == expected


def read(text: str) -> list[Statement | Rejected]:
    groups = turtle_groups(io.BytesIO(text.encode()))
    blocks = blocks_of_groups(groups, TURTLE_GRAMMAR, QuadConverter(0))
    return [item for block in blocks for item in statements_in(block)]


@pytest.mark.parametrize(("start", "end"), [("[ e:p ", "]"), ("( 1 ", ")")])
def test_the_bound_on_brackets(start: str, end: str) -> None:
    def text(depth: int) -> str:
        return f"{HEAD}e:s e:p 1 .\ne:a e:p {start * depth} 1 {end * depth} .\ne:t e:p 2 .\n"

    allowed = text(MAX_DEPTH)
    assert len(read(allowed)) == len(list(parse(allowed.encode(), RdfFormat.TURTLE))) > MAX_DEPTH
    found = read(text(MAX_DEPTH + 1))
    (item,) = (item for item in found if isinstance(item, Rejected))
    assert (item.line, item.column, item.reason) == (3, 1, TOO_DEEP)
    subjects = [item.subject for item in found if isinstance(item, Statement)]
    assert subjects == ["http://e.org/s", "http://e.org/t"]


def test_many_brackets_side_by_side_are_read() -> None:
    text = f"{HEAD}e:a e:p {', '.join(['[]', '( 1 )'] * MAX_DEPTH)} ."
    assert len(read(text)) == 4 * MAX_DEPTH


def test_the_bound_on_triple_terms() -> None:
    term = "<<( <a:a> <a:p> <a:b> )>>"
    found = read(f"<a:s> <a:p> {', '.join([term] * MANY)} .\n<a:t> <a:p> {term}, 2 .")
    assert [item.reason for item in found if isinstance(item, Rejected)] == [TRIPLE_TERMS] * 501
    found = read(f"<a:s> <a:p> {', '.join([term] * (MANY + 1))} .\n<a:t> <a:p> 2 .")
    assert {(item.line, getattr(item, "reason", "")) for item in found} == {
        (1, TRIPLE_TERMS),
        (2, ""),
    }
