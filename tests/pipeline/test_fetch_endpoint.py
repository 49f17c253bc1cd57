"""`infact ingest URL`, as a user runs it; killed in the middle of fetching, it goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.readers import sparql_endpoint
from infact.pipeline import fetch_endpoint
from infact.pipeline.console import Console
from infact.pipeline.fetch_endpoint import fetched
from infact.pipeline.ingest_files import FilesToIngest, ingest_files
from pyoxigraph import (
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    parse,
)

from ..sparql_servers import Reply, capped, oxigraph_server, stub_server

# A small page, so that there are many: run as the command is.
SMALL = (
    "import sys; from infact.kg.readers import sparql_endpoint as e; e.PAGE = 40; e.LISTED = (90, 40); "
    "from infact.pipeline.cli import main; main()"
)
GRAPH = "http://e/graph"


def data() -> str:
    lines = [f'<http://e/{n}> <http://e/name> "thing \\"{n}\\""@en .' for n in range(1500)]
    lines += [f"<http://e/hub> <http://e/has> <http://e/{n}> ." for n in range(200)]
    lines += [f"<http://e/{n}> <http://e/has> _:b{n % 20} ." for n in range(100)]
    lines += [f"_:b{n} <http://e/next> _:b{(n + 1) % 20} ." for n in range(20)]
    lines += [f"<http://e/{n}> <http://e/in> <{GRAPH}> <{GRAPH}> ." for n in range(10)]
    return "\n".join(lines) + "\n"


def canonical(quads: Iterator[Quad]) -> Dataset:
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def held(graph: NamedNode | DefaultGraph) -> Dataset:
    """What the server holds of one graph, all of it in the default graph."""
    quads = parse(data().encode(), RdfFormat.N_QUADS)
    chosen = (quad for quad in quads if quad.graph_name == graph)
    return canonical(Quad(quad.subject, quad.predicate, quad.object) for quad in chosen)


def ingested(out: Path) -> Dataset:
    return canonical(
        Quad(quad.subject, quad.predicate, quad.object) for quad in KnowledgeGraph.open(out).store()
    )


def loaded() -> Store:
    store = Store()
    store.extend(parse(data().encode(), RdfFormat.N_QUADS))
    return store


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with oxigraph_server(tmp_path_factory.mktemp("oxigraph"), data()) as url:
        yield url


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql_endpoint, "PAGE", 40)
    monkeypatch.setattr(sparql_endpoint, "LISTED", (90, 40))


def asked(url: str, out: Path, *graphs: str) -> FilesToIngest:
    return FilesToIngest((url,), out, "", {}, False, graphs=graphs)


def command(url: str, out: Path) -> list[str]:
    return [sys.executable, "-c", SMALL, "ingest", url, "--out", str(out), "--json"]


def test_an_endpoint_is_a_source_named_by_its_url(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "graph"
    with_password = server.replace("://", "://me:secret@")
    ingest_files(asked(with_password, out), Console(json_wanted=True))
    said = capsys.readouterr()
    (fetch,) = json.loads(said.out)["fetched"]
    assert (fetch["url"], fetch["statements"]) == (server, 1820)
    assert fetch["requests"] >= 4
    assert fetch["seconds"] > 0
    assert ingested(out) == held(DefaultGraph())
    assert KnowledgeGraph.open(out).sources[0]["name"] == server
    assert not (out / "fetched").exists()
    stored = "".join(path.read_text() for path in out.rglob("*.json"))
    assert "secret" not in stored + said.out + said.err


def test_fetched_again_and_the_same_is_no_new_graph(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        ingest_files(asked(server, tmp_path / "graph"), Console())
    assert "nothing changed" in capsys.readouterr().out


def test_named_graphs_are_asked_for_by_name(server: str, tmp_path: Path) -> None:
    ingest_files(asked(server, tmp_path / "graph", GRAPH), Console())
    assert ingested(tmp_path / "graph") == held(NamedNode(GRAPH))


def test_an_endpoint_and_a_file_together(server: str, tmp_path: Path) -> None:
    file = tmp_path / "a.nt"
    file.write_text("<http://new> <http://new> <http://new> .\n")
    files = (server, str(file))
    ingest_files(FilesToIngest(files, tmp_path / "graph", "nt", {}, False), Console())
    names = [source["name"] for source in KnowledgeGraph.open(tmp_path / "graph").sources]
    assert names == [server, str(file)]


def test_killed_while_fetching_it_goes_on_to_the_same(server: str, tmp_path: Path) -> None:
    out = tmp_path / "graph"
    kept: list[int] = []
    for enough in (100, 500, 1100):
        with subprocess.Popen(
            command(server, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            _wait_until(lambda enough=enough: _statements(out) >= enough)
            process.kill()
        kept.append(_statements(out))
        # A page that was cut off, as the next kill may leave it.
        for path in out.glob("fetched/*.partial/statements.nt"):
            with path.open("ab") as file:
                file.write(b"<http://e/half> <http://e/ha")
    assert 100 <= kept[0] < kept[1] < kept[2] < 1820
    done = subprocess.run(command(server, out), capture_output=True, check=True, text=True)
    assert "going on after" in done.stderr
    assert json.loads(done.stdout)["rejected"] == 0
    assert ingested(out) == held(DefaultGraph())


def test_ctrl_c_says_how_far_it_got(tmp_path: Path) -> None:
    plain = capped(loaded())
    reached = threading.Event()

    def answer(query: str, headers: dict[str, str]) -> Reply:
        if "<http://e/hub>" in query:
            reached.set()
            time.sleep(1)
        return plain(query, headers)

    with (
        stub_server(answer) as url,
        subprocess.Popen(
            command(url, tmp_path / "graph"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        assert reached.wait(60)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"{_statements(tmp_path / 'graph'):,} of 1,820 statements are fetched" in said.decode()


def test_a_broken_endpoint_says_how_far_it_got(tmp_path: Path, small_pages: None) -> None:
    with stub_server(_failing_at("<http://e/hub>")) as url, pytest.raises(UserError) as caught:
        ingest_files(asked(url, tmp_path / "graph"), Console())
    assert f"{_statements(tmp_path / 'graph'):,} of 1,820" in caught.value.fix
    assert "answers 500" in caught.value.what


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda store, patch: store.update("INSERT DATA { <x:1> <x:1> <x:1> }"), "has changed"),
        (lambda store, patch: patch.setattr(fetch_endpoint, "TOO_OLD", -1.0), "older than a day"),
    ],
)
def test_what_is_too_old_or_changed_is_begun_anew(
    change: Callable[[Store, pytest.MonkeyPatch], None],
    told: str,
    tmp_path: Path,
    small_pages: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, out = loaded(), tmp_path / "graph"
    answers = [_failing_at("<http://e/hub>"), capped(store)]
    with stub_server(lambda query, headers: answers[0](query, headers)) as url:
        with pytest.raises(UserError):
            ingest_files(asked(url, out), Console())
        answers.pop(0)
        change(store, monkeypatch)
        ingest_files(asked(url, out), Console())
    said = capsys.readouterr().out
    assert told in said
    assert "begun anew" in said
    assert ingested(out) == canonical(
        Quad(quad.subject, quad.predicate, quad.object)
        for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
    )


def test_an_empty_default_graph_names_the_others(tmp_path: Path) -> None:
    store = Store()
    store.add(Quad(NamedNode("x:s"), NamedNode("x:p"), NamedNode("x:o"), NamedNode("x:g")))
    out = tmp_path / "graph"
    with stub_server(capped(store)) as url, pytest.raises(UserError) as caught:
        ingest_files(asked(url, out), Console())
    assert caught.value.fix == "name graphs with --graph-iri; it has x:g"
    assert not out.exists()


def test_a_graph_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="endpoint alone"):
        ingest_files(asked("a.nt", tmp_path / "graph", GRAPH), Console())


def test_a_missing_file_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    files = ("http://127.0.0.1:9/", "missing.nt")
    with pytest.raises(UserError, match="no such file"):
        ingest_files(FilesToIngest(files, tmp_path / "graph", "", {}, False), Console())


def test_two_runs_dont_fetch_the_same_at_once(tmp_path: Path) -> None:
    with (
        stub_server(capped(loaded())) as url,
        fetched(url, (), tmp_path, Console()),
        pytest.raises(UserError, match="another run"),
        fetched(url, (), tmp_path, Console()),
    ):
        pass


def _failing_at(word: str) -> Callable[[str, dict[str, str]], Reply]:
    plain = capped(loaded())

    def answer(query: str, headers: dict[str, str]) -> Reply:
        return (
            Reply(b"out of memory", 500, "text/plain") if word in query else plain(query, headers)
        )

    return answer


def _wait_until(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")


def _statements(out: Path) -> int:
    cursors = [json.loads(path.read_text()) for path in out.glob("fetched/*.partial/cursor.json")]
    return sum(cursor["cursor"]["statements"] for cursor in cursors)
