from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.triples_files import folder_bytes, read_triples_folder, told_twice

FILES = {
    "train": "b\tknows\ta\na\tknows\tb\nb\tlikes\tc\n",
    "valid": "a\tlikes\tc\n",
    "test": "c\tknows\ta\n",
}


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.txt").write_bytes(data)
    return folder


def test_names_are_numbered_in_their_order_and_triples_keep_their_lines(tmp_path) -> None:
    found = read_triples_folder(written(tmp_path, FILES))
    assert found.entities == ("a", "b", "c")
    assert found.relations == ("knows", "likes")
    assert found.splits["train"].triples.tolist() == [[0, 0, 1], [1, 0, 0], [1, 1, 2]]
    assert found.splits["train"].lines.tolist() == [2, 1, 3]
    assert found.splits["valid"].place(0) == f"{tmp_path}/valid.txt:1"
    assert found.negatives == {}


NAMES = st.text(
    st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=("Cs",)), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=12))
def test_any_names_come_back_whole(tmp_path_factory, rows) -> None:
    text = "".join("\t".join(row) + "\n" for row in rows)
    folder = written(tmp_path_factory.mktemp("any"), dict.fromkeys(FILES, text))
    found = read_triples_folder(folder)
    for split in found.splits.values():
        triples = [
            (found.entities[h], found.relations[r], found.entities[t])
            for h, r, t in split.triples.tolist()
        ]
        assert set(triples) == set(rows)
        assert split.repeated == len(rows) - len(set(rows))
        assert [rows[line - 1] for line in split.lines.tolist()] == triples


def test_the_order_of_lines_changes_nothing_but_their_numbers(tmp_path) -> None:
    first = read_triples_folder(written(tmp_path / "a", FILES))
    turned = {name: "".join(reversed(text.splitlines(True))) for name, text in FILES.items()}
    second = read_triples_folder(written(tmp_path / "b", turned))
    assert first.entities == second.entities
    for name in FILES:
        assert first.splits[name].triples.tolist() == second.splits[name].triples.tolist()


def test_windows_line_ends_and_a_byte_order_mark(tmp_path) -> None:
    train = b"\xef\xbb\xbf" + FILES["train"].replace("\n", "\r\n").encode()
    found = read_triples_folder(written(tmp_path, {**FILES, "train": train}))
    assert found.entities == ("a", "b", "c")


def test_what_is_read_is_told_in_bytes(tmp_path) -> None:
    many = "".join(f"a{k}\tknows\ta\n" for k in range(25_000))
    folder = written(tmp_path, {**FILES, "train": many + FILES["train"]})
    told: list[int] = []
    read_triples_folder(folder, told.append)
    assert sum(told) == folder_bytes(folder)
    assert len(told) == 2 + 3


def test_triples_that_two_files_share(tmp_path) -> None:
    files = {**FILES, "test": "c\tknows\ta\nb\tlikes\tc\n"}
    splits = read_triples_folder(written(tmp_path, files)).splits
    rows = told_twice(splits["train"], splits["test"])
    assert [splits["test"].place(row) for row in rows.tolist()] == [f"{tmp_path}/test.txt:2"]
    assert not len(told_twice(splits["valid"], splits["test"]))


@pytest.mark.parametrize(
    ("files", "place", "problem"),
    [
        ({"train": "a\tknows\tb\na\tb\n"}, "train.txt:2", "the line has 2 columns, not 3"),
        ({"train": "a knows b\n"}, "train.txt:1", "the line has 1 column, not 3"),
        ({"train": "a\tknows\tb\t1\n"}, "train.txt:1", "4 columns"),
        ({"train": "a\tknows\tb\n\n"}, "train.txt:2", "the line is empty"),
        ({"valid": "a\t\tb\n"}, "valid.txt:1", "a name is empty"),
        ({"test": b"a\tknows\t\xff\n"}, "test.txt:1", "isn't UTF-8"),
        ({"test": ""}, "test.txt", "holds no triple"),
        ({"test": "a\thates\tb\n"}, "test.txt:1", "no triple of the relation 'hates'"),
        (
            {"valid_negatives": "a\tknows\tc\nx\tknows\ta\n", "test_negatives": "a\tknows\tc\n"},
            "valid_negatives.txt:2",
            "no other file has the entity 'x'",
        ),
        ({"test_negatives": "a\tloves\tc\n"}, "test_negatives.txt:1", "the relation 'loves'"),
    ],
)
def test_a_faulty_line_is_told_with_its_place(tmp_path, files, place, problem) -> None:
    with pytest.raises(UserError) as found:
        read_triples_folder(written(tmp_path, {**FILES, **files}))
    assert found.value.where.endswith(place)
    assert problem in found.value.what
    assert found.value.fix


def test_all_faulty_lines_are_told_at_once(tmp_path) -> None:
    with pytest.raises(UserError, match="2 lines are faulty") as found:
        read_triples_folder(written(tmp_path, {**FILES, "train": "a\tb\nc\nd\te\tf\n"}))
    assert "train.txt:1" in found.value.where
    assert "train.txt:2" in found.value.where


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"no valid\.txt and no test\.txt") as found:
        read_triples_folder(written(tmp_path, {"train": FILES["train"]}))
    assert "train.txt" in found.value.fix
    with pytest.raises(UserError, match=r"no train\.txt"):
        read_triples_folder(tmp_path / "nowhere")
