"""SPARQL endpoints among a project's sources: fetched once, kept, asked again only when told to."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.readers import sparql_endpoint
from infact.pipeline import cli
from infact.pipeline.artifacts import read_manifest
from infact.pipeline.console import Console
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts, run_stages
from infact.pipeline.stage_list import STAGES
from infact.pipeline.stages import recipe
from infact.pipeline.status import stage_statuses
from pyoxigraph import RdfFormat, Store, parse

from ..sparql_servers import Reply, capped, oxigraph_server, stub_server

GRAPH = "http://e/graph"
DATA = "".join(f"<http://e/{n}> <http://e/next> <http://e/{n + 1}> .\n" for n in range(300))
IN_GRAPH = f'<http://e/a> <http://e/name> "a"@de <{GRAPH}> .\n'
NETWORK = "[project]\nallow_network = true\n"
SMALL = (
    "import sys; from infact.kg.readers import sparql_endpoint as e; e.PAGE = 40; e.LISTED = (90, 40); "
    "from infact.pipeline.cli import main; main()"
)


def store_of(text: str = DATA + IN_GRAPH) -> Store:
    store = Store()
    store.extend(parse(text.encode(), RdfFormat.N_QUADS))
    return store


class Asked:
    """An endpoint's answers, and what was asked."""

    def __init__(self, store: Store) -> None:
        self.headers: list[dict[str, str]] = []
        self._plain = capped(store)

    def __call__(self, query: str, headers: dict[str, str]) -> Reply:
        self.headers.append(headers)
        return self._plain(query, headers)


def project_in(folder: Path, url: str, more: str = "", head: str = NETWORK) -> Project:
    file = folder / "infact.toml"
    file.write_text(f'{head}[[source]]\nendpoint = "{url}"\n{more}')
    return load_project(file)


def ingested(project: Project, **options: bool) -> Path:
    return run_stages(project, ["ingest"], Console(), **options)["ingest"]


def triples(folder: Path) -> set[tuple[str, ...]]:
    store = KnowledgeGraph.open(folder).store()
    return {(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in store}


def expected(text: str) -> set[tuple[str, ...]]:
    quads = parse(text.encode(), RdfFormat.N_QUADS)
    return {(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in quads}


def status_of_ingest(project: Project) -> tuple[str, str]:
    status = stage_statuses(project)[0]
    return status.state, status.reason


def test_a_real_server_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with oxigraph_server(tmp_path / "server", DATA + IN_GRAPH) as url:
        folder = ingested(project_in(tmp_path, url))
    assert triples(folder) == expected(DATA)


def test_what_was_fetched_is_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    asked = Asked(store_of())
    with stub_server(asked) as url:
        project = project_in(tmp_path, url, 'version = "7"\nlicence = "CC0-1.0"\n')
        folder = ingested(project)
        requests = len(asked.headers)
        assert requests
        assert ingested(project) == folder
        # Another way of reading is another graph of the same statements.
        german = ingested(project_in(tmp_path, url, 'languages = ["de"]\n'))
        assert german != folder
        assert len(asked.headers) == requests
    # The server has gone, and the network isn't allowed any more.
    assert ingested(project_in(tmp_path, url, 'languages = ["de"]\n', head="")) == german
    (kept,) = (tmp_path / "artifacts" / "fetched").iterdir()
    assert {path.name for path in kept.iterdir()} == {"statements.nt", "manifest.json"}
    (source,) = json.loads((folder / "sources.json").read_text())
    assert (source["name"], source["url"], source["format"]) == (url, url, "nt")
    assert (source["version"], source["licence"], source["read"]) == ("7", "CC0-1.0", 300)
    assert triples(folder) == expected(DATA)


def test_named_graphs_are_kept_apart(tmp_path: Path) -> None:
    with stub_server(Asked(store_of())) as url:
        both = f'graphs = ["{GRAPH}"]\n[[source]]\nendpoint = "{url}"\n'
        project = project_in(tmp_path, url, both)
        folder = ingested(project)
    names = {path.name for path in (tmp_path / "artifacts" / "fetched").glob("*/statements.*")}
    assert names == {"statements.nt", "statements.nq"}
    assert triples(folder) == expected(DATA + IN_GRAPH)
    graphs = [entry["url"] for entry in KnowledgeGraph.open(folder).sources]
    assert graphs == [url, url]


def test_refetch_asks_again_and_the_key_goes_by_the_bytes(tmp_path: Path) -> None:
    store = store_of()
    asked = Asked(store)
    with stub_server(asked) as url:
        project = project_in(tmp_path, url)
        first = ingested(project)
        requests = len(asked.headers)
        assert ingested(project, refetch=True) == first
        assert len(asked.headers) > requests
        store.update("INSERT DATA { <http://e/new> <http://e/next> <http://e/1> }")
        assert ingested(project) == first
        second = ingested(project, refetch=True)
    assert second != first
    assert triples(second) - triples(first) == expected(
        "<http://e/new> <http://e/next> <http://e/1> ."
    )


def test_a_refetch_that_fails_keeps_what_there_was(tmp_path: Path) -> None:
    with stub_server(Asked(store_of())) as url:
        project = project_in(tmp_path, url)
        folder = ingested(project)
    with pytest.raises(UserError, match="can't be reached"):
        ingested(project, refetch=True)
    assert ingested(project) == folder


def test_refetch_needs_an_endpoint_and_a_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.nt").write_text(DATA)
    (tmp_path / "infact.toml").write_text('[[source]]\npath = "a.nt"\n')
    with pytest.raises(UserError, match="no source is an endpoint"):
        ingested(load_project(tmp_path / "infact.toml"), refetch=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["infact", "ingest", str(tmp_path / "a.nt"), "--refetch"])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("--refetch is given with files")


def test_the_network_must_be_allowed(tmp_path: Path) -> None:
    asked = Asked(store_of())
    with stub_server(asked) as url:
        project = project_in(tmp_path, url, head="")
        with pytest.raises(UserError) as caught:
            ingested(project)
        assert status_of_ingest(project)[0] == "waits"
    assert "network is not allowed" in caught.value.what
    assert caught.value.fix == "set allow_network = true in [project]"
    assert not asked.headers
    assert not (tmp_path / "artifacts").exists()


def test_status_says_that_it_was_not_fetched_and_asks_nobody(tmp_path: Path) -> None:
    asked = Asked(store_of())
    with stub_server(asked) as url:
        project = project_in(tmp_path, url)
        assert status_of_ingest(project) == ("run", f"{url} wasn't fetched yet")
        assert stage_statuses(project)[2].state == "waits"
        with pytest.raises(UserError, match="wasn't fetched yet"):
            existing_artifacts(project, ["ingest"])
        assert not asked.headers
        ingested(project)
        requests = len(asked.headers)
        assert status_of_ingest(project)[0] == "kept"
        assert len(asked.headers) == requests


def test_status_tells_bytes_and_graphs_that_changed(tmp_path: Path) -> None:
    store = store_of()
    with stub_server(Asked(store)) as url:
        project = project_in(tmp_path, url)
        ingested(project)
        (kept,) = (tmp_path / "artifacts" / "fetched").glob("*/statements.nt")
        kept.write_text(DATA + DATA.replace("/e/", "/f/"))
        assert status_of_ingest(project) == ("run", f"file {url} changed")


def test_a_missing_file_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    asked = Asked(store_of())
    with stub_server(asked) as url:
        project = project_in(tmp_path, url, '[[source]]\npath = "gone.nt"\n')
        with pytest.raises(UserError, match=r"gone.nt doesn't exist"):
            ingested(project)
        assert status_of_ingest(project)[0] == "waits"
    assert not asked.headers


def test_killed_while_fetching_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sparql_endpoint, "PAGE", 40)
    monkeypatch.setattr(sparql_endpoint, "LISTED", (90, 40))
    plain, store = capped(store_of()), store_of()

    def slow(query: str, headers: dict[str, str]) -> Reply:
        if "<http://e/2" in query and "STR(?s) >" not in query:
            time.sleep(60)
        return plain(query, headers)

    answers: list[Callable[[str, dict[str, str]], Reply]] = [slow]
    with stub_server(lambda query, headers: answers[-1](query, headers)) as url:
        project = project_in(tmp_path, url)
        command = [sys.executable, "-c", SMALL, "ingest", "-c", str(project.file)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _wait_until(lambda: _fetched_statements(tmp_path) > 0)
            process.kill()
        done = _fetched_statements(tmp_path)
        assert 0 < done < 300
        answers.append(capped(store))
        folder = ingested(project)
    assert f"going on after {done} statements" in capsys.readouterr().out
    assert triples(folder) == expected(DATA)


def test_a_login_comes_from_the_environment_and_goes_to_its_server_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Asked(store_of())
    with stub_server(asked) as url:
        host = url.removesuffix("/query")
        elsewhere = "http://me:other@127.0.0.1:9/"
        monkeypatch.setenv("INFACT_SPARQL_LOGIN", elsewhere)
        ingested(project_in(tmp_path, url))
        assert not any("Authorization" in headers for headers in asked.headers)
        login = f"{elsewhere} {host.replace('://', '://me:secret@')}/"
        monkeypatch.setenv("INFACT_SPARQL_LOGIN", login)
        asked.headers.clear()
        ingested(project_in(tmp_path, url), refetch=True)
    sent = "Basic " + base64.b64encode(b"me:secret").decode()
    assert {headers["Authorization"] for headers in asked.headers} == {sent}
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    said = capsys.readouterr()
    assert b"secret" not in stored
    assert "secret" not in said.out + said.err


def test_a_server_that_wants_a_login_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stub_server(lambda query, headers: Reply(b"", 401, "text/plain")) as url:
        with pytest.raises(UserError, match="answers 401") as caught:
            ingested(project_in(tmp_path, url))
        assert caught.value.fix == "set INFACT_SPARQL_LOGIN=https://user:password@host/"
        monkeypatch.setenv("INFACT_SPARQL_LOGIN", "me:secret")
        with pytest.raises(UserError, match="no URL") as caught:
            ingested(project_in(tmp_path, url))
    assert caught.value.where == "INFACT_SPARQL_LOGIN"
    assert "secret" not in str(caught.value)


def test_what_is_secret_in_an_address_is_not_stored(tmp_path: Path) -> None:
    with stub_server(Asked(store_of())) as url:
        one, other = (
            ingested(project_in(tmp_path, f"{url}?key={key}")) for key in ("hunter1", "hunter2")
        )
    assert len(list((tmp_path / "artifacts" / "fetched").iterdir())) == 2
    assert one != other  # named apart, though the same came
    (tmp_path / "infact.toml").unlink()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hunter" not in stored


def test_an_empty_endpoint_says_how_a_project_names_graphs(tmp_path: Path) -> None:
    with stub_server(Asked(store_of(IN_GRAPH))) as url, pytest.raises(UserError) as caught:
        ingested(project_in(tmp_path, url))
    assert caught.value.fix == f"name graphs with `graphs` of that [[source]]; it has {GRAPH}"


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ('path = "a.nt"\nendpoint = "http://e/"', "source[1].path", "either a path or an endpoint"),
        ('languages = ["en"]', "source[1].path", "either a path or an endpoint"),
        ('path = "https://e/a.nt"', "source[1].path", "this is a URL"),
        ('path = "a.nt"\ngraphs = ["http://g"]', "source[1]", "has no graphs"),
        ('endpoint = "http://e/"\nformat = "nt"', "source[1]", "has no format"),
        (
            'endpoint = "http://e/"\nurl = "http://e/"\ncomment = "#"',
            "source[1]",
            "no url, comment",
        ),
        ('endpoint = "http://e/"\ngraphs = ["g"]', "source[1].graphs", "this is no IRI"),
        ('endpoint = "e"', "source[1].endpoint", "is no URL"),
        (
            'endpoint = "https://me:secret@e/"',
            "source[1].endpoint",
            "set INFACT_SPARQL_LOGIN=https://user:password@host/",
        ),
    ],
)
def test_mistakes_in_a_source(tmp_path: Path, source: str, place: str, words: str) -> None:
    (tmp_path / "infact.toml").write_text(f"[[source]]\n{source}\n")
    with pytest.raises(UserError) as caught:
        load_project(tmp_path / "infact.toml")
    (line,) = caught.value.where.splitlines()
    assert line.startswith(f"infact.toml:{place}  ")
    assert words in line
    assert "secret" not in str(caught.value)


def test_files_keep_their_key(tmp_path: Path) -> None:
    (tmp_path / "a.nt").write_text(DATA)
    (tmp_path / "infact.toml").write_text('[[source]]\npath = "a.nt"\n')
    made_from = recipe(STAGES[0], load_project(tmp_path / "infact.toml"), {})
    (settings,) = made_from.settings["source"]
    assert not settings.keys() & {"endpoint", "graphs"}
    assert list(made_from.inputs) == ["file a.nt"]


def test_what_was_fetched_is_recorded(tmp_path: Path) -> None:
    with stub_server(Asked(store_of())) as url:
        ingested(project_in(tmp_path, url))
    (kept,) = (tmp_path / "artifacts" / "fetched").iterdir()
    manifest = read_manifest(kept)
    assert manifest is not None
    assert (manifest.recorded["url"], manifest.recorded["statements"]) == (url, 300)
    assert {"requests", "seconds", "finished"} <= manifest.recorded.keys()


def _fetched_statements(folder: Path) -> int:
    cursors = (folder / "artifacts" / "fetched").glob("*.partial/cursor.json")
    return sum(json.loads(path.read_text())["cursor"]["statements"] for path in cursors)


def _wait_until(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")
