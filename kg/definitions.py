"""What a graph says that its entities are, in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import vocabulary as v
from .graph import KnowledgeGraph
from .names import language_rank

DEFINITION, ELUCIDATION = v.IAO + "0000115", v.IAO + "0000600"
DEFINITIONS = (DEFINITION, ELUCIDATION, v.SKOS + "definition")


def definitions(graph: KnowledgeGraph, entities: Sequence[int]) -> list[str]:
    """Each entity's definition, empty where it has none; in the language that labels are taken in."""
    table = graph.literals_table
    table = table.filter(pc.is_in(table["predicate"], pa.array(DEFINITIONS)))
    table = table.filter(pc.is_in(table["entity"], pa.array(np.asarray(entities, dtype=np.int32))))
    found: dict[int, str] = {}
    rows = table.select(["entity", "predicate", "value", "language"]).to_pylist()
    # The last one written is the first in order.
    for row in sorted(rows, key=_rank, reverse=True):
        found[row["entity"]] = row["value"]
    return [found.get(entity, "") for entity in entities]


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return language_rank(row["language"]), DEFINITIONS.index(row["predicate"]), row["value"]
