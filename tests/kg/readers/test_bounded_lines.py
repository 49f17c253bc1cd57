import io

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.readers.bounded_lines import bounded_lines


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b""))), st.booleans())
def test_lines_are_what_split_gives_cut_where_they_are_too_long(
    lines: list[bytes], ended: bool
) -> None:
    content = b"\n".join(lines) + b"\n" * ended
    whole = content.split(b"\n")
    if not whole[-1]:
        whole.pop()
    expected = [(number, line[: 8 + 1]) for number, line in enumerate(whole, 1)]
    assert list(bounded_lines(io.BytesIO(content), 8)) == expected
