"""The vectors of a project's embed stage, named by its graph."""

import numpy as np

from ...kg.graph import KnowledgeGraph
from ...models.embedding_files import load_vectors
from ..project import Project
from ..run import existing_artifacts
from ..scale_file import read_scale
from .embedded_triples import Named
from .vectors_folder import VECTORS, EmbeddedGraph


def open_project_vectors(project: Project) -> EmbeddedGraph:
    """What the stage trained; known is all that the graph states between its entities.

    Raises:
        UserError: the stage hasn't been run.
    """
    folders = existing_artifacts(project, ["embed"])
    graph = KnowledgeGraph.open(folders["ingest"])
    model, entity_ids, relation_ids = load_vectors(folders["embed"] / VECTORS)
    triples = np.asarray(graph.triples)
    ours = np.isin(triples[:, [0, 2]], entity_ids).all(axis=1)
    ours &= np.isin(triples[:, 1], relation_ids)
    ends = np.searchsorted(entity_ids, triples[ours][:, [0, 2]])
    relations = np.searchsorted(relation_ids, triples[ours, 1])
    known = np.column_stack((ends[:, 0], relations, ends[:, 1])).astype(np.int32)
    entities, named_relations = entity_ids.tolist(), relation_ids.tolist()
    return EmbeddedGraph(
        model,
        Named(tuple(map(graph.iri, entities)), tuple(map(graph.label, entities))),
        Named(
            tuple(map(graph.relation_iri, named_relations)),
            tuple(map(graph.relation_label, named_relations)),
        ),
        known,
        np.zeros(len(known), dtype=np.int8),
        ("graph",),
        read_scale(folders["embed"]),
    )
