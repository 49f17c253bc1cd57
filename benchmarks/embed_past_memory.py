"""Tables in files beside tables in memory: the same vectors, in what memory and what time.

    python benchmarks/embed_past_memory.py [--entities 2000000] [--dimension 256] [--limit GIB]

ComplEx by negative sampling on random triples, a process for each. *anonymous* is the most memory that
is the process's own at any time (RssAnon of /proc, sampled each 5 ms); pages of mapped files aren't in it,
as they go back to the disk when memory is wanted. With --limit the second process is put under a limit of
its memory, pages of files among it, by a control group (version 1, as root), so that the tables cannot be
in memory whole.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from infact.models.embedding_settings import EmbeddingSettings
from infact.models.embedding_training import train_embedding
from infact.models.table_storage import IN_MEMORY, InFiles

RELATIONS = 20
GROUPS = Path("/sys/fs/cgroup/memory")


def anonymous_mib() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


def train(kind: str, arguments: argparse.Namespace, out: Path) -> None:
    """Train, and leave the figures in a file."""
    if kind == "files" and arguments.limit:
        group = GROUPS / f"infact-{os.getpid()}"
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(int(arguments.limit * 2**30)))
        (group / "cgroup.procs").write_text(str(os.getpid()))
    torch.set_num_threads(1)
    settings = EmbeddingSettings(
        loss="negative_sampling",
        dimension=arguments.dimension,
        epochs=1,
        regulariser="none",
        regularisation=0.0,
    )
    random = np.random.default_rng(0)
    sizes = (arguments.entities, RELATIONS, arguments.entities)
    triples = np.column_stack([random.integers(0, size, arguments.triples) for size in sizes])
    storage = IN_MEMORY
    if kind == "files":
        (out / "tables").mkdir()
        storage = InFiles(out / "tables")
    before, most, steps = anonymous_mib(), 0.0, []

    def watch() -> None:
        nonlocal most
        while True:
            most = max(most, anonymous_mib())
            time.sleep(0.005)

    threading.Thread(target=watch, daemon=True).start()
    trained = train_embedding(
        triples,
        triples[:0],
        arguments.entities,
        RELATIONS,
        settings,
        0,
        out / "checkpoint.safetensors",
        lambda count: steps.append(time.perf_counter()),
        storage=storage,
    )
    digest = hashlib.sha256()
    for part in trained.model.entity.detach().split(1 << 16):
        digest.update(part.numpy().tobytes())
    figures = {
        "seconds": trained.seconds,
        "step": float(np.median(np.diff(steps))),
        "anonymous": most - before,
        "digest": digest.hexdigest(),
    }
    (out / "figures.json").write_text(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=2_000_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--triples", type=int, default=400_000)
    parser.add_argument("--limit", type=float, default=0.0, help="GiB, of the process with files")
    parser.add_argument("--folder", type=Path, help="on the disk that is to hold the files")
    arguments = parser.parse_args()
    table = 4 * arguments.entities * arguments.dimension / 2**20
    print(", ".join(f"{name} {version(name)}" for name in ("torch", "numpy")), end="; ")
    print(
        f"{arguments.entities:,} entities, dimension {arguments.dimension}: {table:,.0f} MiB a table"
    )
    found = {}
    for kind in ("memory", "files"):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            context = multiprocessing.get_context("spawn")
            process = context.Process(target=train, args=(kind, arguments, Path(folder)))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"{kind}: ended with {process.exitcode}")
            found[kind] = json.loads((Path(folder) / "figures.json").read_text())
        figures = found[kind]
        print(
            f"{kind:7s} anonymous {figures['anonymous']:8,.0f} MiB   median step "
            f"{1e3 * figures['step']:6.1f} ms   in all {figures['seconds']:6.1f} s",
            flush=True,
        )
    same = found["memory"]["digest"] == found["files"]["digest"]
    print(f"the vectors are {'the same' if same else 'NOT THE SAME'}")


if __name__ == "__main__":
    main()
