import json
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.readers.prefix_map import read_prefix_map


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"a": "http://e/", "b": "http://e/"}, {"a": "http://e/", "b": "http://e/"}),
        (
            {"@context": {"@version": 1.1, "a": "http://a/", "name": "a:name",
                          "b": {"@id": "http://b/", "@prefix": True}}},
            {"a": "http://a/", "b": "http://b/"},
        ),
        (
            [{"prefix": "CHEBI", "prefix_synonyms": ["chebi"], "uri_prefix": "http://c/"}],
            {"CHEBI": "http://c/", "chebi": "http://c/"},
        ),
    ],
)  # fmt: skip
def test_the_three_kinds_of_file(tmp_path: Path, content: object, expected: dict[str, str]) -> None:
    (tmp_path / "p.json").write_text(json.dumps(content))
    assert read_prefix_map(tmp_path / "p.json") == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"@context": "http://127.0.0.1:9/context.jsonld"}',
        '{"@context": ["http://127.0.0.1:9/context.jsonld"]}',
        '"http://127.0.0.1:9/prefixes.json"',
        '["http://127.0.0.1:9/prefixes.json"]',
        '{"a": {"b": 1}}',
        '[{"prefix": "a", "uri_prefix": "http://c/"}, {"prefix": "a", "uri_prefix": "http://d/"}]',
        "[" * 100_000,
        "\xff",
        "",
    ],
)
def test_anything_else_is_the_users_mistake_and_nothing_is_fetched(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "p.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="holds no prefixes"):
        read_prefix_map(tmp_path / "p.json")
    with pytest.raises(UserError, match="can't be read"):
        read_prefix_map(tmp_path / "none.json")
