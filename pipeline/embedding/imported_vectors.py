"""Entity vectors for `--vectors`: of `infact embed`, of numpy, or of a model that PyKEEN trained.

PyKEEN's `trained_model.pkl` is a pickle, which runs whatever its maker put into it, so it is never opened.
What is read is the folder's `entity_to_id.tsv.gz` and a file of weights alone, which PyKEEN's user
writes beside it by `torch.save(model.state_dict(), "state.pt")`.
"""

import csv
import gzip
import pickle
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ..named_vectors import NamedVectors, checked, read_npz
from .vectors_folder import AGAIN, ENTITIES, VECTORS, named_rows

PYKEEN_NAMES = ("training_triples/entity_to_id.tsv.gz", "entity_to_id.tsv.gz")
PYKEEN_ENTITIES = "entity_representations.0._embeddings.weight"
WRITE_STATE = 'write the weights alone: torch.save(model.state_dict(), "state.pt")'


def entity_vectors_of(path: Path) -> NamedVectors:
    """Names and vectors from any of the three.

    Raises:
        UserError: it is none of them, or its parts don't fit each other.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return read_npz(path)
    if (path / VECTORS).is_file():
        return _own(path)
    names = next((path / name for name in PYKEEN_NAMES if (path / name).is_file()), None)
    if names is not None:
        return _pykeen(path, names)
    what = "there is no such file or folder" if not path.exists() else "it holds no vectors"
    fix = "name a folder of infact embed --out, a folder of PyKEEN, or an .npz"
    raise UserError(what, f"--vectors {path}", fix)


def project_vectors(folder: Path, graph: KnowledgeGraph) -> NamedVectors:
    """Of a project's embed stage, whose rows are numbers of its graph."""
    tensors = load_file(folder / VECTORS)
    names = tuple(map(graph.iri, tensors["entity_ids"].tolist()))
    return NamedVectors(folder, names, tensors["entity"].float().numpy())


def _own(folder: Path) -> NamedVectors:
    try:
        tensors = load_file(folder / VECTORS)
        vectors, ids = tensors["entity"].float().numpy(), tensors["entity_ids"].numpy()
    except (OSError, KeyError, SafetensorError) as error:
        raise UserError(f"the vectors can't be read: {error}", str(folder), AGAIN) from error
    names = named_rows(folder / ENTITIES, ids).names
    if len(names) != len(vectors):
        problem = f"{len(vectors):,} vectors stand beside {len(names):,} entities"
        raise UserError(problem, str(folder / VECTORS), AGAIN)
    return checked(folder, names, vectors, AGAIN)


def _pykeen(folder: Path, names: Path) -> NamedVectors:
    labels = _labels(names)
    states = sorted(path for path in folder.iterdir() if path.suffix in (".pt", ".pth"))
    if len(states) != 1:
        found = ", ".join(path.name for path in states) or "none"
        raise UserError(
            f"one .pt of weights is needed, and there is {found}", str(folder), WRITE_STATE
        )
    try:
        with warnings.catch_warnings(action="ignore"):  # what is no file of weights is told below
            state = torch.load(states[0], map_location="cpu", weights_only=True)
        vectors = state[PYKEEN_ENTITIES].float().numpy()
    except KeyError:
        problem = f"it has no {PYKEEN_ENTITIES}"
        raise UserError(problem, str(states[0]), WRITE_STATE) from None
    except (OSError, RuntimeError, TypeError, AttributeError, EOFError, pickle.UnpicklingError):
        problem = "it isn't a file of weights alone"
        raise UserError(problem, str(states[0]), WRITE_STATE) from None
    if vectors.ndim != 2 or len(vectors) != len(labels):
        problem = f"the vectors have the shape {vectors.shape}, and {names.name} names {len(labels)} entities"
        raise UserError(problem, str(states[0]), "name weights and entities of one model")
    return checked(folder, labels, np.ascontiguousarray(vectors), WRITE_STATE)


def _labels(path: Path) -> tuple[str, ...]:
    """Lines of id and label, in the order of ids from 0, below a line that says so."""
    fix = "name the folder as PyKEEN wrote it"
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t"))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"it can't be read: {error}", str(path), fix) from error
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or row[0] != str(number - 2):
            problem = f"the line isn't the id {number - 2}, a tab and a label"
            raise UserError(problem, f"{path}:{number}", fix)
    return tuple(label for _, label in rows[1:])
