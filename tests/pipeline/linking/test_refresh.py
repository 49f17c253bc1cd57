"""`infact link --refresh`: what linking anew would make, and why it isn't what it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.linking.text_linking import LinkerSettings
from infact.pipeline import machine
from infact.pipeline.console import Console
from infact.pipeline.linking import batches, link_documents, processes
from infact.pipeline.linking.former_run import LinksToRefresh
from infact.pipeline.linking.link_documents import DocumentsToLink
from infact.pipeline.linking.listed_documents import read_listed
from infact.pipeline.linking.unfinished import UnfinishedRun

from ...linked_graph import IRI, TURTLE, make_graph

NOW = (
    TURTLE.replace('skos:altLabel "Podagra"', 'skos:altLabel "Podagra", "Gouty arthritis"')
    .replace('ex:planet rdfs:label "Planet" .', 'ex:planet rdfs:label "Wandering star" .')
    .replace('"A metal."', '"A metal that is liquid."')
)
TEXTS = (
    "Gout, which is podagra.",
    "Gouty arthritis of the toe.",
    "A planet has no liquid.",
    "Mercury is a liquid.",
    "Nothing at all.",
    "",
    "Long slender fingers.",
    "日本.",
)
Link = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("old") / "graph")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("new") / "graph", NOW)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_DOCUMENTS", 3)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    write(path, TEXTS)
    return path


def write(path: Path, texts: tuple[str, ...]) -> None:
    rows = ({"id": str(number), "text": text} for number, text in enumerate(texts))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def link(capsys: pytest.CaptureFixture[str]) -> Link:
    def run(graph: Path, texts: Path, out: Path, **more: Any) -> dict[str, Any]:
        settings = LinkerSettings(graph, **{"candidates": 5, **more.pop("linker", {})})
        asked = DocumentsToLink(settings, (str(texts),), out, **more)
        link_documents.link_documents(asked, Console(json_wanted=True))
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return run


def changes(out: Path) -> list[dict[str, Any]]:
    path = out.with_name(f"{out.name}.changes.jsonl")
    return [json.loads(line) for line in path.open(encoding="utf-8")] if path.exists() else []


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".pubtator"])
@pytest.mark.parametrize("linker", [{}, {"longest": True}, {"candidates": 0}])
def test_a_refresh_makes_what_linking_anew_makes(
    link: Link,
    old: Path,
    new: Path,
    texts: Path,
    tmp_path: Path,
    suffix: str,
    linker: dict[str, Any],
) -> None:
    before, anew = tmp_path / "before.parquet", tmp_path / f"anew{suffix}"
    refreshed = tmp_path / f"refreshed{suffix}"
    link(old, texts, before, linker=linker)
    link(new, texts, anew, linker=linker)
    to_refresh = LinksToRefresh(before, old)
    told = link(new, texts, refreshed, linker=linker, refresh=to_refresh, workers=2)
    assert refreshed.read_bytes() == anew.read_bytes()
    assert read_listed(tmp_path / f"refreshed{suffix}.documents.arrow")[0].equals(
        read_listed(tmp_path / f"anew{suffix}.documents.arrow")[0]
    )
    counts = told["refreshed"]
    assert (counts["kept"], counts["again"], counts["new"], counts["gone"]) == (5, 3, 0, 0)


def test_each_change_is_told_with_its_reason(
    link: Link, old: Path, new: Path, texts: Path, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    link(old, texts, before)
    told = link(new, texts, after, refresh=LinksToRefresh(before, old))
    rows = {(row["document"], row["surface"], row["change"]): row for row in changes(after)}
    assert set(rows) == {
        ("1", "Gouty arthritis", "added"),
        ("2", "planet", "removed"),
        ("3", "Mercury", "entity"),
    }
    added, removed, other = rows.values()
    assert added["before"] is None
    assert added["after"]["iri"] == f"{IRI}gout"
    assert {(why["what"], why["about"]) for why in added["why"]} == {
        ("name added", "Gouty arthritis")
    }
    assert (added["start"], added["end"]) == (0, 15)
    assert removed["after"] is None
    assert removed["why"] == [{"what": "name gone", "about": "Planet", "iri": f"{IRI}planet"}]
    assert (other["before"]["iri"], other["after"]["iri"]) == (f"{IRI}mercury", f"{IRI}metal")
    assert {why["iri"] for why in other["why"]} == {f"{IRI}metal", f"{IRI}mercury"}
    assert told["refreshed"]["changes"] == {"added": 1, "removed": 1, "entity": 1}
    assert told["refreshed"]["reasons"]["name added"] == 1


def test_an_unchanged_graph_keeps_all(link: Link, old: Path, texts: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    link(old, texts, before)
    told = link(old, texts, after, refresh=LinksToRefresh(before, old))
    assert told["refreshed"]["kept"] == len(TEXTS)
    assert after.read_bytes() == before.read_bytes()
    assert not changes(after)


def test_texts_that_are_new_changed_moved_or_gone(
    link: Link, old: Path, new: Path, texts: Path, tmp_path: Path
) -> None:
    before, after, anew = (tmp_path / f"{name}.parquet" for name in ("before", "after", "anew"))
    link(old, texts, before)
    write(texts, ("Gout again.", *TEXTS[:0:-1], TEXTS[4]))
    told = link(new, texts, after, refresh=LinksToRefresh(before, old))
    link(new, texts, anew)
    assert after.read_bytes() == anew.read_bytes()
    counts = told["refreshed"]
    assert (counts["kept"], counts["again"], counts["new"], counts["gone"]) == (5, 3, 1, 1)
    whole = [row for row in changes(after) if "text" in row["change"]]
    assert [(row["document"], row["change"]) for row in whole] == [
        ("0", "new text"),
        ("0", "text gone"),
    ]


@pytest.mark.parametrize("what", ["longest", "code"])
def test_another_linker_links_all_again(
    link: Link, old: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    link(old, texts, before)
    if what == "code":
        monkeypatch.setattr(machine, "code_digest", lambda: "another")
    linker = {"longest": what == "longest"}
    told = link(old, texts, after, linker=linker, refresh=LinksToRefresh(before, old))
    counts = told["refreshed"]
    assert (counts["kept"], counts["again"]) == (0, len(TEXTS))
    assert counts["reasons"] == {"settings or version of the linker": len(TEXTS)}


def test_a_stopped_refresh_goes_on(
    link: Link,
    old: Path,
    new: Path,
    texts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after, whole = (tmp_path / f"{name}.parquet" for name in ("before", "after", "whole"))
    link(old, texts, before)
    to_refresh = LinksToRefresh(before, old)
    expected = link(new, texts, whole, refresh=to_refresh)["refreshed"]
    with monkeypatch.context() as patch:
        take, taken = UnfinishedRun.take, list[object]()

        def stop(run: UnfinishedRun, *given: object) -> None:
            if taken:
                raise KeyboardInterrupt
            taken.append(given)
            take(run, *given)  # type: ignore[arg-type]

        patch.setattr(UnfinishedRun, "take", stop)
        with pytest.raises(KeyboardInterrupt):
            link(new, texts, after, refresh=to_refresh)
    told = link(new, texts, after, refresh=to_refresh)
    assert told["resumed"] == 3
    assert told["refreshed"] == expected
    assert after.read_bytes() == whole.read_bytes()
    assert changes(after) == changes(whole)


def test_processes_that_are_not_forked_refresh_the_same(
    link: Link,
    old: Path,
    new: Path,
    texts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, one, two = (tmp_path / f"{name}.parquet" for name in ("before", "one", "two"))
    link(old, texts, before)
    link(new, texts, one, refresh=LinksToRefresh(before, old))
    monkeypatch.setattr(processes.sys, "platform", "elsewhere")
    link(new, texts, two, refresh=LinksToRefresh(before, old), workers=2)
    assert one.read_bytes() == two.read_bytes()
    assert changes(one) == changes(two)


def test_what_cannot_be_refreshed_is_refused(
    link: Link, old: Path, new: Path, texts: Path, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    listed = tmp_path / "before.parquet.documents.arrow"

    def refused(links: Path, graph: Path, out: Path = after) -> str:
        with pytest.raises(UserError) as told:
            link(new, texts, out, refresh=LinksToRefresh(links, graph))
        return str(told.value)

    assert "there is no such file" in refused(before, old)
    link(old, texts, before)
    assert "weren't linked to this graph" in refused(before, new)
    assert "the output is what is refreshed" in refused(before, old, before)
    kept = listed.read_bytes()
    listed.write_bytes(kept[:50])
    assert "can't be read" in refused(before, old)
    listed.unlink()
    assert str(listed) in refused(before, old)
    link(old, texts, tmp_path / "other.jsonl")
    other = tmp_path / "other.jsonl"
    assert "can't be read" in refused(other, old)
    write(texts, TEXTS[:1])
    link(old, texts, tmp_path / "fewer.parquet")
    listed.write_bytes((tmp_path / "fewer.parquet.documents.arrow").read_bytes())
    assert "of two runs" in refused(before, old)
    table = pa.table({"document": ["a"]})
    pq.write_table(table, before)
    listed.write_bytes(kept)
    assert "hasn't the columns" in refused(before, old)
    assert not after.exists()
