"""Vectors of entities that training hasn't seen, from their texts: learnt, written, read, and held to account.

`text_map.safetensors` holds the map (see models/text_map.py), and in its metadata the encoder that reads
texts. How good such vectors are is measured on the test's triples: each head's vector is taken from its
text by a map that was learnt from other entities, and the tail is ranked. Training has seen the triples of
those heads, though, so wholly new entities will come out a little worse.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...models.embedding_model import EmbeddingModel
from ...models.ranking import KnownTails, Scorer, rank_tails, ranking_metrics, tail_frequencies
from ...models.text_map import TextMap, fit_text_map
from ..console import Advance, Console
from .embedded_triples import EmbeddedTriples, Int32
from .entity_texts import NamedEncoder, Vectors, text_vectors

TEXT_MAP = "text_map.safetensors"
ENCODER = "encoder"  # in the file's metadata
FOLDS = 5
AT_ONCE = 256  # queries


def write_text_map(
    folder: Path, model: EmbeddingModel, texts: Vectors, encoder: NamedEncoder
) -> None:
    """Learn the map from all entities that have a text, and write it."""
    found = _fitted(model, texts, _told(texts))
    tensors = {name: torch.from_numpy(np.ascontiguousarray(of)) for name, of in vars(found).items()}
    save_file(tensors, folder / TEXT_MAP, {ENCODER: json.dumps(asdict(encoder))})


def read_text_map(folder: Path) -> tuple[TextMap, NamedEncoder] | None:
    """The map of a folder of vectors; None where they were made without an encoder.

    Raises:
        UserError: it can't be read.
    """
    path = folder / TEXT_MAP
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="np") as file:
            encoder = NamedEncoder(**json.loads(file.metadata()[ENCODER]))
            return TextMap(file.get_tensor("weights"), file.get_tensor("offset")), encoder
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        fix = "make it anew by infact embed --restart"
        raise UserError(f"the map of texts can't be read: {error}", str(path), fix) from error


def vector_of_new(
    folder: Path, graph: KnowledgeGraph, entity: int, console: Console
) -> NDArray[np.float32]:
    """(d,) the vector of an entity that has none in a folder of vectors, from its text.

    Raises:
        UserError: the vectors were made without an encoder or with another one, or it has no text.
    """
    found, label = read_text_map(folder), f"{graph.label(entity)}  {graph.iri(entity)}"
    if found is None:
        fix = (
            "make the vectors anew, by infact embed --graph … --encoder …, to have them from texts"
        )
        raise UserError(f"{label} has no vector: it had no triple then", str(folder), fix)
    text_map, encoder = found
    if NamedEncoder.of(encoder.spec) != encoder:
        problem = f"{encoder.spec} isn't the encoder that the vectors were made with"
        raise UserError(problem, str(folder / TEXT_MAP), "install that one, or make them anew")
    texts = text_vectors(graph, [entity], encoder, console)
    if not texts.any():
        fix = "give it a label or a definition, and ingest it again"
        raise UserError(f"{label} has no vector, and no text to have one from", str(folder), fix)
    vector: NDArray[np.float32] = text_map.vectors(texts)[0]
    return vector


def measure_text_map(
    model: EmbeddingModel, triples: EmbeddedTriples, texts: Vectors, seed: int, console: Console
) -> dict[str, object] | None:
    """Ranks of tails whose head has its vector from its text, beside its own vector's and frequency's.

    None where too few entities have a text.
    """
    told = _told(texts)
    asked = triples.test[told[triples.test[:, 0]]]
    if told.sum() < 2 * FOLDS or not len(asked):
        return None
    mapped = torch.from_numpy(_by_others(model, texts, told, seed))

    def from_texts(heads: Tensor, relations: Tensor) -> Tensor:
        queries = model.queries(mapped[heads], model.relations(relations))
        return model.scores(queries, model.entity)

    sizes = len(triples.entities), len(triples.relations)
    ways = {
        "from_text": from_texts,
        "trained": model.tail_scores,
        "frequency_in_relation": tail_frequencies(triples.train, *sizes),
    }
    with console.progress("ranking by texts alone", len(ways) * len(asked), "queries") as advance:
        found = {
            name: _tail_metrics(of, asked, triples.known, advance) for name, of in ways.items()
        }
    return {"triples": len(asked), "entities_with_text": int(told.sum()), "tail": found}


def _tail_metrics(score: Scorer, asked: Int32, known: Int32, advance: Advance) -> dict[str, float]:
    ranks, _ = rank_tails(score, asked, KnownTails.of(known), AT_ONCE, advance)
    return {name: round(value, 6) for name, value in asdict(ranking_metrics(ranks)).items()}


def _by_others(model: EmbeddingModel, texts: Vectors, told: np.ndarray, seed: int) -> Vectors:
    """(E, d) of each entity's text, by a map that was learnt without it; zeros without a text."""
    fold = np.random.default_rng([seed, 97]).integers(FOLDS, size=len(texts))
    found = np.zeros(tuple(model.entity.shape), np.float32)
    for number in range(FOLDS):
        own = told & (fold == number)
        found[own] = _fitted(model, texts, told & (fold != number)).vectors(texts[own])
    return found


def _told(texts: Vectors) -> NDArray[np.bool_]:
    """(E,) who has a text."""
    return np.asarray(texts.any(axis=1))


def _fitted(model: EmbeddingModel, texts: Vectors, rows: np.ndarray) -> TextMap:
    return fit_text_map(texts[rows], model.entity.detach().numpy()[rows])
