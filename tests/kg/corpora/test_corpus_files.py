"""Which files a corpus is, in which order, and what is passed over."""

import os
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.corpora.corpus_files import CorpusFile, PassedOver, changed_since, corpus_files


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def found(*paths: Path, read_as: str = "") -> list[tuple[str, str]]:
    listed = corpus_files([str(path) for path in paths], read_as)
    return [(file.document, file.format) for file in listed if isinstance(file, CorpusFile)]


def test_a_folder_is_walked_by_name(tmp_path: Path) -> None:
    tree(tmp_path, "b.txt", "a/z.jsonl.gz", "a/b.parquet", "c.NDJSON", "a.txt.zst", "p.pubtator")
    assert found(tmp_path) == [
        ("a/b.parquet", "parquet"),
        ("a/z.jsonl.gz", "jsonl"),
        ("a.txt.zst", "txt"),
        ("b.txt", "txt"),
        ("c.NDJSON", "jsonl"),
        ("p.pubtator", "pubtator"),
    ]


def test_what_is_no_text_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "b.png", "c.parquet.gz", ".hidden.txt", "Makefile")
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "around").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    over = [each for each in corpus_files([str(tmp_path)]) if isinstance(each, PassedOver)]
    assert {Path(each.name).name: each.reason for each in over} == {
        "b.png": ".png, which is no format of texts",
        "c.parquet.gz": ".gz, which is no format of texts",
        ".hidden.txt": "a hidden file",
        "Makefile": "no suffix, which is no format of texts",
        "broken.txt": "the file can't be opened: No such file or directory",
        "around": "a link to a folder",
        "pipe.txt": "a pipe or a device",
    }
    assert found(tmp_path) == [("a.txt", "txt")]


def test_a_format_for_all_takes_every_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "b.txt", "c")
    assert found(tmp_path, read_as="txt") == [("a.md", "txt"), ("b.txt", "txt"), ("c", "txt")]


@pytest.mark.parametrize(
    ("name", "read_as", "words"),
    [
        ("gone.txt", "", "no such file"),
        ("a.png", "", "doesn't tell the format"),
        ("a.png", "word", "isn't known"),
    ],
)
def test_a_file_that_was_named_has_to_be_readable(
    tmp_path: Path, name: str, read_as: str, words: str
) -> None:
    tree(tmp_path, "a.png")
    with pytest.raises(UserError, match=words):
        found(tmp_path / name, read_as=read_as)


def test_a_file_may_be_called_as_standard_input_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "-")
    monkeypatch.chdir(tmp_path)
    named, standard = (next(corpus_files([name], "txt")) for name in ("./-", "-"))
    assert isinstance(named, CorpusFile)
    assert isinstance(standard, CorpusFile)
    assert (named.path, named.size, standard.path) == (Path("-"), 1, None)


def test_standard_input_is_read_once() -> None:
    with pytest.raises(UserError, match="read once"):
        list(corpus_files(["-", "-"]))


def test_a_name_that_is_no_text_is_shown_as_one(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9\nx.txt"
    with open(raw, "w") as file:
        file.write("x")
    assert found(tmp_path) == [("caf� x.txt", "txt")]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt")
    (file,) = corpus_files([str(tmp_path)])
    assert isinstance(file, CorpusFile)
    assert not changed_since(file)
    (tmp_path / "a.txt").write_text("longer than before")
    assert changed_since(file)
    (tmp_path / "a.txt").unlink()
    assert changed_since(file)
