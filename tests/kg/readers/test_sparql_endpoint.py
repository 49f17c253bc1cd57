"""All statements of an endpoint: a real Oxigraph server, and servers that cut, repeat and change."""

import io
from collections.abc import Callable, Iterator

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.readers import sparql_endpoint
from infact.kg.readers.sparql_endpoint import (
    Cursor,
    Selection,
    check_whole,
    count,
    graph_names,
    graphs_of,
    pages,
)
from infact.kg.readers.sparql_http import Endpoint, address
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, Store, parse

from ...sparql_servers import JSON, Reply, capped, oxigraph_server, stub_server

GRAPHS = ("http://e/graph/one", "http://e/graph/two")


def data() -> str:
    """N-Quads: blank nodes shared between graphs, hard literals, one subject with many statements."""
    lines = [f'<http://e/é/{n}> <http://e/name> "thing {n}"@en .' for n in range(900)]
    lines += [f"<http://e/hub> <http://e/has> <http://e/é/{n}> ." for n in range(700)]
    lines += [f'<http://e/hub> <http://e/says> "a"@{language} .' for language in ("en", "de")]
    lines += ['<http://e/hub> <http://e/says> "a" .', "<http://e/hub> <http://e/says> <http://a> ."]
    lines += [f"_:b{n} <http://e/near> _:b{(n * 7 + 1) % 40} ." for n in range(40)]
    lines += [f"<http://e/é/{n}> <http://e/owns> _:b{n} ." for n in range(30)]
    lines += [r'<http://e/q> <http://e/says> "\"a\\b\n\t\u0000\U0001F600\u202E" .']
    for graph in GRAPHS:
        lines += [f"<http://e/{n}> <http://e/in> <{graph}> <{graph}> ." for n in range(60)]
        lines += [
            f"_:shared <http://e/in> <{graph}> <{graph}> .",
            f"<http://e/x> <http://e/y> _:b0 <{graph}> .",
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with oxigraph_server(tmp_path_factory.mktemp("oxigraph"), data()) as url:
        yield url


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql_endpoint, "PAGE", 100)
    monkeypatch.setattr(sparql_endpoint, "LISTED", (170, 60))


def selection(url: str, *graphs: str) -> Selection:
    return Selection(Endpoint(address(url), sleep=lambda seconds: None), graph_names(graphs))


def fetch(asked: Selection, cursor: Cursor | None = None) -> tuple[bytes, list[Cursor]]:
    counted, lines, cursors = count(asked), b"", []
    for page in pages(asked, counted, cursor or Cursor()):
        text = page.lines.read()
        assert text.count(b"\n") == page.statements
        lines += text
        cursors.append(page.cursor)
    check_whole(asked, cursors[-1].statements, counted)
    return lines, cursors


def canonical(quads: Iterator[Quad]) -> Dataset:
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def in_graphs(*graphs: str) -> Dataset:
    """What the server was given of the named graphs, or of the default graph."""
    wanted = set(graph_names(graphs)) or {pyoxigraph.DefaultGraph()}
    quads = parse(data().encode(), RdfFormat.N_QUADS)
    return canonical(quad for quad in quads if quad.graph_name in wanted)


@pytest.mark.parametrize("graphs", [(), GRAPHS, GRAPHS[:1]])
def test_the_pages_are_what_the_server_holds(server: str, graphs: tuple[str, ...]) -> None:
    lines, cursors = fetch(selection(server, *graphs))
    assert canonical(parse(lines, RdfFormat.N_QUADS)) == in_graphs(*graphs)
    assert len(cursors) > 1
    assert len(set(lines.splitlines())) == len(lines.splitlines())


def test_from_every_cursor_the_rest_follows(server: str) -> None:
    whole, cursors = fetch(selection(server))
    for cursor in cursors[:-1:3]:
        rest, _ = fetch(selection(server), cursor)
        assert whole.endswith(rest)
        assert cursor.statements + rest.count(b"\n") == whole.count(b"\n")


def test_an_endpoint_tells_its_graphs(server: str) -> None:
    assert sorted(graphs_of(selection(server), 5)) == sorted(GRAPHS)


def loaded() -> Store:
    store = Store()
    store.extend(parse(data().encode(), RdfFormat.N_QUADS))
    return store


def test_a_server_that_cuts_its_answers_is_asked_for_less() -> None:
    # Every answer is cut, the list of subjects and the hub's 704 statements too.
    with stub_server(capped(loaded(), rows=90)) as url:
        lines, _ = fetch(selection(url))
    assert canonical(parse(lines, RdfFormat.N_QUADS)) == in_graphs()


def test_blank_nodes_that_a_server_cuts_are_an_error() -> None:
    told = "gave 69 of its statements with blank nodes"
    with stub_server(capped(loaded(), rows=69)) as url, pytest.raises(UserError, match=told):
        fetch(selection(url))


def test_a_server_that_sorts_few_rows_is_asked_for_few() -> None:
    plain = capped(loaded())

    def answer(query: str, headers: dict[str, str]) -> Reply:
        return Reply(b"SR353", 500, "text/plain") if "LIMIT 170" in query else plain(query, headers)

    with stub_server(answer) as url:
        lines, _ = fetch(selection(url))
    assert canonical(parse(lines, RdfFormat.N_QUADS)) == in_graphs()


def test_an_endpoint_that_loses_subjects_is_found_out() -> None:
    plain = capped(loaded())

    def answer(query: str, headers: dict[str, str]) -> Reply:
        return plain(query.replace("isIRI(?s)", '!CONTAINS(STR(?s), "hub")'), headers)

    with stub_server(answer) as url, pytest.raises(UserError, match="not all can be fetched"):
        fetch(selection(url))


def test_an_endpoint_that_repeats_itself_is_left() -> None:
    plain = capped(loaded())

    def answer(query: str, headers: dict[str, str]) -> Reply:
        return plain(query.replace("STR(?s) >", '"z" >'), headers)

    with stub_server(answer) as url, pytest.raises(UserError, match="and more"):
        fetch(selection(url))


def test_a_default_graph_that_counts_a_statement_twice_is_read_once() -> None:
    """As Virtuoso does, whose default graph is all of its graphs."""
    store = Store()
    line = b"<http://e/s> <http://e/p> <http://e/o> <http://e/%s> ."
    store.extend(parse(b"\n".join(line % graph for graph in (b"a", b"b")), RdfFormat.N_QUADS))
    plain = capped(store)

    def answer(query: str, headers: dict[str, str]) -> Reply:
        return plain(query.replace("?s ?p ?o .", "GRAPH ?any { ?s ?p ?o }"), headers)

    with stub_server(answer) as url:
        lines, _ = fetch(selection(url))
    assert lines == b"<http://e/s> <http://e/p> <http://e/o> .\n"


def test_a_changed_endpoint_is_told_by_its_count() -> None:
    store = loaded()
    with stub_server(capped(store)) as url:
        asked = selection(url)
        counted = count(asked)
        store.update("INSERT DATA { <http://new> <http://new> <http://new> }")
        assert check_whole(asked, counted, counted) == counted + 1
        with pytest.raises(UserError, match="not all can be fetched"):
            check_whole(asked, counted, counted + 1)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"head":{},"boolean":true}', "yes or no"),
        (b'{"head":{"vars":["n"]},"results":{"bindings":[]}}', "can't count"),
        (
            b'{"head":{"vars":["n"]},"results":{"bindings":[{"n":{"type":"uri","value":"a b"}}]}}',
            "IRI",
        ),
        (b"[1, 2]", "can't be read"),
    ],
)
def test_answers_that_are_none(body: bytes, told: str) -> None:
    answer = Reply(body)
    with stub_server(lambda *_: answer) as url, pytest.raises(UserError, match=told):
        count(selection(url))


def test_rows_that_are_no_statements() -> None:
    def answer(query: str, headers: dict[str, str]) -> Reply:
        row = b'{"s":{"type":"uri","value":"http://e/s"}}'
        return Reply(
            b'{"head":{"vars":["s","p","o"]},"results":{"bindings":[%s]}}' % row, type=JSON
        )

    with stub_server(answer) as url, pytest.raises(UserError, match="no statements"):
        list(pages(selection(url), 1, Cursor()))


@pytest.mark.parametrize("iri", ["no-iri", "http://e/> } DROP ALL", "http://e/a b"])
def test_a_graph_that_is_no_iri_never_stands_in_a_query(iri: str) -> None:
    with pytest.raises(UserError, match="no IRI"):
        graph_names([iri])


TERMS = st.sampled_from(
    ["<http://e/a>", "<http://e/b>", "<http://e/\U0001f600>", "<http://e/\uffee>", "_:x", "_:y"]
)
VALUES = st.one_of(
    TERMS, st.sampled_from(['"a"', '"a"@en', '"a"@de', '"1"^^<http://e/t>', '"<http://e/a>"'])
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(TERMS, VALUES), min_size=1, max_size=30), cap=st.integers(1, 40))
def test_any_small_graph_comes_whole(rows: list[tuple[str, str]], cap: int) -> None:
    text = "".join(f"{s} <http://e/p> {o} .\n" for s, o in rows).encode()
    store = Store()
    store.extend(parse(text, RdfFormat.N_QUADS))
    asked = Selection(_Direct(capped(store, cap)))  # type: ignore[arg-type]
    blank = sum("_:" in s + o for s, o in {(s, o) for s, o in rows})
    if blank > cap:
        with pytest.raises(UserError, match="blank nodes"):
            fetch(asked)
    else:
        lines, _ = fetch(asked)
        assert canonical(parse(lines, RdfFormat.N_QUADS)) == canonical(
            parse(text, RdfFormat.N_QUADS)
        )


class _Direct:
    """An endpoint without a network."""

    shown = "direct"

    def __init__(self, answer: Callable[[str, dict[str, str]], Reply]) -> None:
        self._answer = answer

    def ask(self, query, read):
        return read(io.BytesIO(self._answer(query, {}).body))
