"""A small world in the two forms that can be embedded alone: a folder of triples, and a graph."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

IRI = "http://example.org/"
PEOPLE, CITIES, COUNTRIES = 48, 8, 4
SETTINGS = "dimension = 16\nbatch_size = 32\nepochs = 12\nvalidate_every = 4\n"


def world() -> list[tuple[str, str, str]]:
    """People live in cities and are citizens of their countries; neighbours know each other."""
    rows = []
    for k in range(PEOPLE):
        rows += [(f"p{k:02}", "lives_in", f"c{k % CITIES}")]
        rows += [(f"p{k:02}", "citizen_of", f"n{k % COUNTRIES}")]
        for other in (k + CITIES, k + 2 * CITIES):
            rows += [(f"p{k:02}", "knows", f"p{other % PEOPLE:02}")]
            rows += [(f"p{other % PEOPLE:02}", "known_by", f"p{k:02}")]
    rows += [(f"c{k}", "lies_in", f"n{k % COUNTRIES}") for k in range(CITIES)]
    return sorted(set(rows))


def lines(rows: list[tuple[str, str, str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def split_world() -> dict[str, list[tuple[str, str, str]]]:
    """Drawn at random, so that `known_by` tells much of `knows`; every relation is trained."""
    rows = world()
    order = np.random.default_rng(3).permutation(len(rows))
    shuffled = [rows[place] for place in order.tolist()]
    return {"test": shuffled[:40], "valid": shuffled[40:100], "train": shuffled[100:]}


def false_ones(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The same heads and relations with another tail of the relation."""
    known = set(world())
    tails = {
        relation: sorted({t for _, r, t in known if r == relation}) for _, relation, _ in known
    }
    found = []
    for head, relation, _ in rows:
        other = next((t for t in tails[relation] if (head, relation, t) not in known), None)
        if other is not None:
            found.append((head, relation, other))
    return found


@pytest.fixture(scope="session")
def triples_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    split = split_world()
    files = {name: lines(rows) for name, rows in split.items()}
    for side in ("valid", "test"):
        files[f"{side}_negatives"] = lines(false_ones(split[side]))
    return write_files(tmp_path_factory.mktemp("world") / "triples", files)


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "small.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def graph_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("world") / "graph", world())


def ingested(folder: Path, rows: list[tuple[str, str, str]], more: str = "") -> Path:
    """A graph of these triples; people are labelled Person."""
    text = "".join(f"<{IRI}{h}> <{IRI}{r}> <{IRI}{t}> .\n" for h, r, t in rows)
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    people = sorted({h for h, _, _ in rows if h.startswith("p")})
    text += "".join(f'<{IRI}{name}> {label} "Person {name[1:]}" .\n' for name in people)
    source = folder.with_suffix(".nt")
    source.write_text(text + more, encoding="utf-8")
    folder.mkdir()
    ingest([Source(source, source.name)], folder)
    return folder
