"""The function for Ray Data: on arrow tables, and on a local Ray where it is installed."""

import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest
from infact.kg.linking.linked_columns import PlacedMention, linked_batch
from infact.kg.linking.ray_batches import SCHEMA, LinkedBatches
from infact.kg.linking.text_linking import LinkerSettings, open_linking

from ...linked_graph import make_graph

TEXTS = ["gout on Mercury", "", "no more", "日本 and podagra \U0001f9ec gout"]
BATCH = pa.table({"pmid": [1, 2, 3, 4], "body": TEXTS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("linked") / "graph")


def expected(folder: Path) -> pa.Table:
    linking = open_linking(LinkerSettings(folder))
    rows = [
        PlacedMention(str(number), "", mention)
        for number, text in enumerate(TEXTS, 1)
        for mention in linking.find(text)
    ]
    return pa.Table.from_batches([linked_batch(rows, linking.graph)]).drop_columns(["source"])


def test_a_batch_in_and_its_mentions_out(folder: Path) -> None:
    function = LinkedBatches(str(folder), text="body", name="pmid")
    assert function(BATCH).equals(expected(folder))
    none = function(BATCH.slice(1, 2))
    assert (none.num_rows, none.schema) == (0, SCHEMA)


def test_columns_that_are_not_there_and_nulls_are_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="no column 'text'; the batch has pmid, body"):
        LinkedBatches(str(folder))(BATCH)
    with pytest.raises(ValueError, match="holds a null"):
        LinkedBatches(str(folder))(pa.table({"id": ["a"], "text": [None]}))


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray isn't installed: pip install infact[ray]"
)
def test_a_local_ray_gives_the_same(folder: Path) -> None:
    import ray
    import ray.data

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        made = ray.data.from_arrow(BATCH).map_batches(
            LinkedBatches,
            fn_constructor_args=[str(folder), "body", "pmid"],
            batch_format="pyarrow",
            batch_size=2,
            concurrency=1,
        )
        rows = sorted(made.take_all(), key=lambda row: (row["document"], row["start"]))
    finally:
        ray.shutdown()
    assert rows == expected(folder).to_pylist()
