"""Linking as a function for Ray Data (https://docs.ray.io/en/latest/data/data.html): `infact[ray]`.

    import ray
    from infact.kg.linking.ray_batches import LinkedBatches

    texts = ray.data.read_parquet("texts/")
    texts.map_batches(
        LinkedBatches, fn_constructor_args=["graph"], batch_format="pyarrow", concurrency=8
    ).write_parquet("mentions/")

Nothing here imports Ray: a class that takes and gives arrow tables is all that it asks for. Each of its
actors indexes the graph once; the folder has to be there on every machine.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from .linked_columns import LINKED_SCHEMA, PlacedMention, linked_batch
from .long_texts import mentions_in
from .text_linking import LinkerSettings, open_linking

ROWS = 8192  # mentions in memory as objects
SCHEMA = LINKED_SCHEMA.remove(LINKED_SCHEMA.get_field_index("source"))


class LinkedBatches:
    """A batch of documents in, their mentions out: the rows that `infact link --out x.parquet` writes.

    Args:
        graph: folder of a graph.
        text: column of the texts.
        name: column of their ids, texts or whole numbers.
        roots: IRIs, to link to the entities below them alone.
        longest: no mention within another.

    Raises:
        UserError: there is no graph in the folder, or no name in it to look for.
    """

    def __init__(
        self,
        graph: str,
        text: str = "text",
        name: str = "id",
        roots: Sequence[str] = (),
        longest: bool = False,
    ) -> None:
        self._text, self._name = text, name
        self._linking = open_linking(
            LinkerSettings(Path(graph), roots=tuple(roots), longest=longest)
        )

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The mentions of these documents in their order: LINKED_SCHEMA without `source`.

        Raises:
            ValueError: a column isn't there, or a text or id is null. Ray retries or stops by its own
                settings; `dataset.filter` leaves such rows out.
        """
        for column in (self._text, self._name):
            if column not in batch.column_names:
                there = ", ".join(batch.column_names)
                raise ValueError(f"there is no column {column!r}; the batch has {there}")
            if batch[column].null_count:
                raise ValueError(f"the column {column!r} holds a null")
        names, texts = (batch[column] for column in (self._name, self._text))
        rows = (
            PlacedMention(str(name), "", mention)
            for name, text in zip(names, texts, strict=True)
            for mention in mentions_in(text.as_py(), self._linking.find)
        )
        made = []
        while some := list(islice(rows, ROWS)):
            made.append(linked_batch(some, self._linking.graph).select(SCHEMA.names))
        return pa.Table.from_batches(made, SCHEMA)
