"""`infact predict`: the likeliest tails of an entity's relation, and how likely each is."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...kg.graph import KnowledgeGraph
from ...kg.prefixes import Prefixes
from ...kg.views.entity_card import find_entity
from ...models.tail_prediction import log_probabilities
from ..console import Console
from ..project import Project
from .new_entities import vector_of_new
from .project_vectors import open_project_vectors
from .vectors_folder import EmbeddedGraph, open_vectors


@dataclass(frozen=True)
class LikelyTail:
    """A tail.

    Attributes:
        name, label: the entity's.
        score: the model's own; comparable among the tails of one question.
        probability: that it is true, where it isn't known; None where no scale was learnt.
        known: "train", "valid", "test" or "graph", where it is known already.
    """

    name: str
    label: str
    score: float
    probability: float | None
    known: str | None


def predict_tails(
    entity: str,
    relation: str,
    count: int,
    vectors: Path | None,
    graph: Path | None,
    prefixes: Mapping[str, str],
    load: Callable[[], Project],
    console: Console,
) -> None:
    """Print the likeliest tails.

    Args:
        entity, relation: name, short form or label of each.
        count: how many.
        vectors: a folder of `infact embed --out`; None for the project's.
        graph: that has the entity, where it is newer than the vectors; its vector is read off its text.
        prefixes: of short forms.
        load: loads the project, where it is needed.
        console: where they are told.

    Raises:
        UserError: there are no vectors, or none of this entity or relation.
    """
    if vectors is not None:
        opened, known_prefixes, where = open_vectors(vectors), Prefixes(prefixes), str(vectors)
    else:
        project = load()
        opened, where = open_project_vectors(project), project.file.name
        known_prefixes = Prefixes({**project.prefixes, **prefixes})
    asked = opened.relation(relation, known_prefixes, where)
    if graph is None or vectors is None:
        head = trained_head(opened, opened.entity(entity, known_prefixes, where))
    else:
        head = head_in_graph(opened, vectors, graph, entity, known_prefixes, console)
    found = likely_tails(opened, head, asked, count)
    relations = opened.relations
    console.result(
        {
            "entity": {"name": head.name, "label": head.label, "from_text": head.row is None},
            "relation": {"name": relations.names[asked], "label": relations.labels[asked]},
            "tails": [asdict(each) for each in found],
        }
    )
    new = "  (no triples were trained: its vector is from its text)" if head.row is None else ""
    console.line(f"{head.label}  {relations.labels[asked]}:{new}")
    for each in found:
        console.line(_line(each))
    if opened.scale is None:
        console.line("no probabilities were learnt: there were too few facts to learn them from")


@dataclass(frozen=True)
class Head:
    """Who is asked about.

    Attributes:
        name, label: the entity's.
        vector: (d,).
        row: among the vectors; None for an entity that is new.
    """

    name: str
    label: str
    vector: Tensor
    row: int | None


def trained_head(opened: EmbeddedGraph, row: int) -> Head:
    vector = opened.model.entity.detach()[row]
    return Head(opened.entities.names[row], opened.entities.labels[row], vector, row)


def head_in_graph(
    opened: EmbeddedGraph,
    vectors: Path,
    graph: Path,
    asked: str,
    prefixes: Prefixes,
    console: Console,
) -> Head:
    """An entity of a graph, by the vector that it has, or else by the one that its text says.

    Raises:
        UserError: the graph has no such entity, or there is no encoder for its text, or no text.
    """
    now = KnowledgeGraph.open(graph)
    entity = find_entity(now, asked, prefixes).entity
    name = now.iri(entity)
    if name in opened.entities.names:
        return trained_head(opened, opened.entities.names.index(name))
    vector = vector_of_new(vectors, now, entity, console)
    return Head(name, now.label(entity), torch.from_numpy(vector), None)


def likely_tails(opened: EmbeddedGraph, head: Head, relation: int, count: int) -> list[LikelyTail]:
    """The likeliest `count` of the relation's tails, known ones among them, by score."""
    of_relation = opened.known[:, 1] == relation
    own = of_relation & (opened.known[:, 0] == (-1 if head.row is None else head.row))
    trained = of_relation & (opened.split == 0)
    candidates = np.union1d(opened.known[trained, 2], opened.known[own, 2]).astype(np.int64)
    known = dict(zip(opened.known[own, 2].tolist(), opened.split[own].tolist(), strict=True))
    with torch.inference_mode():
        asked = opened.model.relations(torch.tensor([relation]))
        queries = opened.model.queries(head.vector[None], asked)
        scores = opened.model.scores(queries, opened.model.entity[torch.from_numpy(candidates)])
        told = torch.tensor([[tail in known for tail in candidates.tolist()]])
        logs = log_probabilities(scores, told)[0].double().numpy()
    likely = None
    if opened.scale is not None:
        likely = opened.scale.probabilities(logs, np.full(len(logs), relation))
    order = np.argsort(-scores[0].numpy(), kind="stable")[:count]
    return [
        LikelyTail(
            name=opened.entities.names[tail],
            label=opened.entities.labels[tail],
            score=float(scores[0, place]),
            probability=None if likely is None else float(likely[place]),
            known=opened.splits[known[tail]] if tail in known else None,
        )
        for place, tail in zip(order.tolist(), candidates[order].tolist(), strict=True)
    ]


def _line(tail: LikelyTail) -> str:
    likely = "    " if tail.probability is None else f"{100 * tail.probability:3.0f} %"
    name = tail.name if tail.label == tail.name else f"{tail.label}  {tail.name}"
    return f"  {likely}  {name}" + (f"  (known: {tail.known})" if tail.known else "")
