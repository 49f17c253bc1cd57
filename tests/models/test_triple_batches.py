import numpy as np
import pytest
import torch
from infact.models.embedding_base import with_reciprocals
from infact.models.triple_batches import triple_batches

from .rings import ring_triples


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_an_epoch_holds_every_triple_once_in_each_direction(batch_size: int) -> None:
    triples = np.array([[0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 1, 0], [2, 0, 0]], dtype=np.int32)
    epoch = triple_batches(triples, 2, batch_size, seed=0)(3)
    batches = list(epoch)
    assert len(epoch) == len(batches)
    seen = [
        (int(batch.heads[query]), int(batch.relations[query]), int(tail))
        for batch in batches
        for query, tail in zip(batch.query_of_triple, batch.tails, strict=True)
    ]
    assert sorted(seen) == sorted(map(tuple, with_reciprocals(triples, 2).tolist()))


def test_epochs_are_shuffled_and_repeatable() -> None:
    batches = triple_batches(ring_triples(), 2, batch_size=96, seed=0)
    (first,), (again,), (second,) = batches(0), batches(0), batches(1)
    assert torch.equal(first.tails, again.tails)
    assert not torch.equal(first.tails, second.tails)
