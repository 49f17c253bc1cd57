"""Files that are there whole or not at all."""

import pytest
from infact.errors import UserError
from infact.pipeline.linking.written_whole import written_whole


def test_a_file_takes_its_place_at_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    with written_whole(path, "--page") as file:
        file.write("new")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(KeyError), written_whole(path, "--page"):
        raise KeyError
    assert not list(tmp_path.iterdir())
    absent = written_whole(tmp_path / "absent" / "file", "--page")
    with pytest.raises(UserError, match="can't be written") as caught, absent:
        pass
    assert caught.value.where.startswith("--page ")
