"""How good an embedding becomes by a settings file, and in what time.

    python benchmarks/embed_quality.py <folder with train.txt, valid.txt, test.txt> data/embed/wn18rr.toml

Trains by the file's settings, keeps the epoch that is best on the validation triples, and then ranks the
test triples once, filtered by all three splits. A run that is stopped goes on where it was (--checkpoint).
"""

import argparse
import os
import tempfile
import time
import tomllib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from embed_contestants import QUERIES_A_BATCH, read_dataset
from infact.models.embedding_settings import EmbeddingSettings
from infact.models.embedding_training import train_embedding, units
from infact.models.ranking import rank_triples, ranking_metrics

TELL = 600  # seconds between two lines of progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="file to go on from and to write to")
    arguments = parser.parse_args()
    settings = EmbeddingSettings(**tomllib.loads(arguments.settings.read_text()))
    data = read_dataset(arguments.folder)
    names = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy"))
    print(f"{names}; {torch.get_num_threads()} threads of {os.cpu_count()} cores; {settings}")
    total, done, told = units(data.training, settings), 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told > TELL:
            told = time.monotonic()
            print(f"{done / total:.0%} of the epochs", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        trained = train_embedding(
            data.training,
            data.validation,
            data.entity_count,
            data.relation_count,
            settings,
            arguments.seed,
            arguments.checkpoint or Path(folder) / "checkpoint.safetensors",
            advance,
        )
    print(
        "validation MRR: " + ", ".join(f"{epoch}: {mrr:.4f}" for epoch, mrr in trained.validation)
    )
    print(f"{trained.seconds:.0f} s; the weights are those of epoch {trained.best_epoch}")
    model = trained.model
    started = time.perf_counter()
    ranks = rank_triples(
        model.tail_scores,
        model.head_scores,
        data.test,
        data.known,
        QUERIES_A_BATCH,
        lambda count: None,
    )
    seconds = time.perf_counter() - started
    found = ranking_metrics(np.concatenate((ranks.head, ranks.tail)))
    print("test: " + ", ".join(f"{name} {value:.4f}" for name, value in asdict(found).items()))
    print(f"{len(data.test) / seconds:,.0f} ranked triples a second")


if __name__ == "__main__":
    main()
