"""An index that was kept finds what a new one finds, and is read for its own names alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking import linker as linker_module
from infact.kg.linking.index_files import load_index, names_digest, save_index
from infact.kg.linking.linker import Linker, name_rows
from infact.kg.linking.name_index import build_index
from infact.kg.linking.near_candidates import NearCandidates

from .test_linker import PIECES, SmallGraph

TEXTS = [
    "kidney",
    "hand",
    "Abnormality of the hand",
    "日本",
    "AR",
    "kidney, hand",
    "…",
    "",
    "hand x y",
]
NAMES = st.lists(st.sampled_from(TEXTS) | st.text(max_size=4), max_size=8)


def graph_of(names: list[str]) -> SmallGraph:
    kinds = ("label", "exact")
    rows = [(number // 2, name, kinds[number % 2]) for number, name in enumerate(names)]
    return SmallGraph([*rows, (len(names), "liver", "label")])


@given(NAMES, st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_what_is_kept_is_what_was_built(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], text: str
) -> None:
    graph, kept = graph_of(names), tmp_path_factory.getbasetemp() / "index"
    rows = list(name_rows(graph, None))
    built = build_index(rows)
    save_index(built, names_digest(rows), kept)
    loaded = load_index(rows, names_digest(rows), kept)
    assert loaded is not None
    assert loaded.names == built.names
    assert loaded.broken_keys == built.broken_keys
    assert (loaded.trie.edges, loaded.trie.keys) == (built.trie.edges, built.trie.keys)
    assert loaded.unordered.keys == built.unordered.keys
    assert loaded.unordered.companions == built.unordered.companions
    new = Linker.build(graph)
    for _ in range(2):  # made and kept, then read
        old = Linker.build(graph, kept=kept)
        assert new.link_all(text) == old.link_all(text)
        assert new.candidates(text) == old.candidates(text)


def test_a_kept_index_is_read_and_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(["kidney", "hand"])
    Linker.build(graph, kept=tmp_path).candidates("kidney")
    monkeypatch.delattr(linker_module, "build_index")
    monkeypatch.delattr(NearCandidates, "_built")
    assert Linker.build(graph, kept=tmp_path).candidates("kidney")[0].entity == 0


def test_an_index_of_other_names_is_another_one(tmp_path: Path) -> None:
    one, other = graph_of(["kidney"]), graph_of(["lung"])
    for graph, word in ((one, "kidney"), (other, "lung"), (one, "kidney")):
        assert Linker.build(graph, kept=tmp_path).link(word)[0].entity == 0
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == 2
    for folder in folders:
        rows = [list(name_rows(graph, None)) for graph in (one, other)]
        found = [load_index(each, names_digest(each), folder) for each in rows]
        assert [index is None for index in found] in ([True, False], [False, True])


@pytest.mark.parametrize("name", ["edges.npy", "words.txt", "index.json", "rows.npy"])
@pytest.mark.parametrize("content", [b"", b"\xff{]", None])
def test_half_an_index_is_made_anew(tmp_path: Path, name: str, content: bytes | None) -> None:
    graph = graph_of(["kidney", "hand"])
    Linker.build(graph, kept=tmp_path).candidates("kidney")
    (file,) = tmp_path.rglob(name)
    whole = file.read_bytes()
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert Linker.build(graph, kept=tmp_path).candidates("kidney")[0].entity == 0
    assert file.read_bytes() == whole
    assert len(list(tmp_path.iterdir())) == 2, "nothing half-written is left"


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    links = Linker.build(graph_of(["kidney"]), kept=tmp_path / "file" / "index")
    assert links.candidates("kidney")[0].entity == 0
