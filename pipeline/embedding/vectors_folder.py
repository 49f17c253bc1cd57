"""The folder that `infact embed --out` makes, written and read.

| file | holds |
|---|---|
| vectors.safetensors | the model: `entity`, `relation`, `reciprocal`, and their ids (models/embedding_files.py) |
| entities.parquet, relations.parquet | a row a row of the vectors: id, name (an IRI where there is a graph), label |
| triples.parquet | head, relation, tail (rows of the vectors) and split: train, valid, test |
| ranks.parquet | a row a test triple that was ranked: ranks and ties of its head and its tail |
| metrics.json | what was measured |
| scale.json | the Platt scale that makes scores probabilities; null where there was too little to learn it |
| settings.toml | what `--settings` takes |
| manifest.json | what all of it follows from, and what the run took |
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors import SafetensorError

from ...errors import UserError
from ...kg.identifiers import expanded_or_same
from ...kg.names import local_name
from ...kg.nearest import nearest_entities
from ...kg.prefixes import ExpansionError, Prefixes
from ...models.embedding_files import load_vectors, save_vectors
from ...models.embedding_model import EmbeddingModel
from ...models.platt_scaling import PlattScale
from ..scale_file import SCALE, read_scale
from .embedded_triples import EmbeddedTriples, Int32, Named

VECTORS = "vectors.safetensors"
ENTITIES, RELATIONS, TRIPLES = "entities.parquet", "relations.parquet", "triples.parquet"
RANKS, METRICS, SETTINGS = "ranks.parquet", "metrics.json", "settings.toml"
SPLITS = ("train", "valid", "test")
AGAIN = "make it anew by infact embed --restart"


@dataclass(frozen=True)
class EmbeddedGraph:
    """Vectors, and what their rows stand for.

    Attributes:
        model: whose rows are numbered as the names are.
        entities, relations: names and labels of the rows.
        known: (n, 3) triples of rows.
        split: (n,) number in `splits` of each triple.
        splits: what the triples are, in words.
        scale: from scores to probabilities; None where none was learnt.
    """

    model: EmbeddingModel
    entities: Named
    relations: Named
    known: Int32
    split: NDArray[np.int8]
    splits: tuple[str, ...]
    scale: PlattScale | None

    def entity(self, asked: str, prefixes: Prefixes, where: str) -> int:
        """The row of a name, a short form, a label, or the end of a name that is an IRI.

        Raises:
            UserError: none, or several, are called so.
        """
        return _row(self.entities, asked, prefixes, ("entity", ENTITIES, where))

    def relation(self, asked: str, prefixes: Prefixes, where: str) -> int:
        """The same of a relation."""
        return _row(self.relations, asked, prefixes, ("relation", RELATIONS, where))


def _row(named: Named, asked: str, prefixes: Prefixes, told: tuple[str, str, str]) -> int:
    for name in (asked, _expanded(asked, prefixes), expanded_or_same(asked, prefixes)):
        if name in named.names:
            return named.names.index(name)
    folded = asked.casefold()
    found = [row for row, label in enumerate(named.labels) if label.casefold() == folded]
    found = found or [row for row, name in enumerate(named.names) if local_name(name) == asked]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(named.names[row] for row in found[:8])
        problem = f"{len(found)} of the vectors are of what is called {asked!r}"
        raise UserError(problem, choices, "name one of them so")
    near = nearest_entities(asked, named.names, named.labels)
    advice = " or ".join(named.shown(row) for row in near)
    kind, file, where = told
    fix = f"did you mean {advice}?" if advice else f"names are in {file}"
    raise UserError(f"no {kind} with a vector is called {asked!r}", where, fix)


def _expanded(asked: str, prefixes: Prefixes) -> str:
    try:
        return prefixes.expand(asked)
    except ExpansionError:
        return asked


def write_vectors(folder: Path, triples: EmbeddedTriples, model: EmbeddingModel) -> None:
    """The model, its names and its triples."""
    save_vectors(model, folder / VECTORS, triples.entity_ids, triples.relation_ids)
    for name, named, ids in (
        (ENTITIES, triples.entities, triples.entity_ids),
        (RELATIONS, triples.relations, triples.relation_ids),
    ):
        columns = {"id": ids, "name": list(named.names), "label": list(named.labels)}
        pq.write_table(pa.table(columns), folder / name)
    sides = [triples.train, triples.valid, triples.test]
    rows = np.concatenate(sides)
    split = np.repeat(np.arange(len(SPLITS), dtype=np.int8), [len(side) for side in sides])
    columns = {name: rows[:, place] for place, name in enumerate(("head", "relation", "tail"))}
    words = pa.DictionaryArray.from_arrays(pa.array(split), pa.array(SPLITS))
    pq.write_table(pa.table({**columns, "split": words}), folder / TRIPLES)


def write_json(path: Path, document: object) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def open_vectors(folder: Path) -> EmbeddedGraph:
    """Read a folder.

    Raises:
        UserError: it isn't such a folder, or its files don't fit each other.
    """
    folder = Path(folder)
    wanted = (VECTORS, ENTITIES, RELATIONS, TRIPLES, SCALE)
    if missing := [name for name in wanted if not (folder / name).is_file()]:
        problem = f"the folder holds no vectors: {', '.join(missing)} not found"
        raise UserError(problem, str(folder), "name a folder that infact embed --out has made")
    try:
        model, entity_ids, relation_ids = load_vectors(folder / VECTORS)
        known, split = _read_triples(folder / TRIPLES)
        scale = read_scale(folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise UserError(f"the vectors can't be read: {error}", str(folder), AGAIN) from error
    entities = named_rows(folder / ENTITIES, entity_ids)
    relations = named_rows(folder / RELATIONS, relation_ids)
    sizes = np.array([len(entities), len(relations), len(entities)])
    if len(known) and (known.max(axis=0) >= sizes).any():
        problem = "it has triples of rows that the vectors don't have"
        raise UserError(problem, str(folder / TRIPLES), AGAIN)
    if scale is not None and len(scale.of_relation) != len(relations):
        problem = f"it is a scale of {len(scale.of_relation)} relations, and {len(relations)} have vectors"
        raise UserError(problem, str(folder / SCALE), AGAIN)
    return EmbeddedGraph(model, entities, relations, known, split, SPLITS, scale)


def _read_triples(path: Path) -> tuple[Int32, NDArray[np.int8]]:
    """Rows, and the number in `SPLITS` of the side of each."""
    table = pq.read_table(path)
    known = np.stack([table[name].to_numpy() for name in ("head", "relation", "tail")], axis=1)
    split = pc.index_in(table["split"].cast(pa.string()), pa.array(SPLITS)).to_numpy()
    return known, split.astype(np.int8)


def named_rows(path: Path, ids: Int32) -> Named:
    """Names and labels of the rows with these ids.

    Raises:
        UserError: the file is of other rows.
    """
    try:
        table = pq.read_table(path)
        own, names, labels = (table[name].to_pylist() for name in ("id", "name", "label"))
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"the names can't be read: {error}", str(path), AGAIN) from error
    if own != ids.tolist():
        problem = f"it names {len(own):,} rows, and not those of the {len(ids):,} vectors"
        raise UserError(problem, str(path), AGAIN)
    return Named(tuple(names), tuple(labels))
