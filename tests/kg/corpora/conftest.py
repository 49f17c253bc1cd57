"""A linker for the small graph."""

from pathlib import Path

import pytest
from infact.kg.linking.text_linking import LinkerSettings, TextLinking, open_linking

from ...linked_graph import make_graph


@pytest.fixture(scope="session")
def graph_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("linked") / "graph")


@pytest.fixture(scope="session")
def linking(graph_folder: Path) -> TextLinking:
    return open_linking(LinkerSettings(graph_folder))
