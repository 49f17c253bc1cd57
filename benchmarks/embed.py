"""Graph embeddings raced against PyKEEN: seconds a triple, filtered ranks, memory, quality.

    python benchmarks/embed.py                          # UMLS, which PyKEEN carries
    python benchmarks/embed.py <folder with train.txt, valid.txt, test.txt> --epochs 3
    python benchmarks/embed.py <folder that infact embed --out made> --epochs 2

The files hold head, relation and tail, tab between them. Each contestant is a process of its own, and the
two take epochs in turn: the ratios are medians over pairs of epochs that ran one after the other. Model,
dimension, optimiser, rate, start, negatives and epochs are the same, and both learn each triple in both
directions by reciprocal relations. With all tails as candidates a batch holds as many queries in both:
PyKEEN's LCWA counts queries, ours counts triples. Then PyKEEN's evaluator and ours rank PyKEEN's weights.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from embed_contestants import CONTESTANTS, Job, read_dataset
from infact.models.embedding_settings import DISTANCE_MODELS, EmbeddingSettings
from infact.models.triple_batches import triple_batches

MODELS = ("transe", "distmult", "complex", "rotate")
LOSSES = ("one_vs_all", "negative_sampling")


def umls() -> Path:
    found = find_spec("pykeen")
    if found is None or not found.submodule_search_locations:
        sys.exit("PyKEEN isn't installed: pip install pykeen==1.11.1")
    return Path(found.submodule_search_locations[0]) / "datasets" / "umls"


def settings_of(model: str, loss: str, arguments: argparse.Namespace) -> EmbeddingSettings:
    distance = model in DISTANCE_MODELS
    return EmbeddingSettings(
        model,  # type: ignore[arg-type]
        dimension=arguments.dimension,
        loss=loss,  # type: ignore[arg-type]
        regulariser="none",
        negatives=arguments.negatives,
        margin=arguments.margin,
        batch_size=arguments.batch_size,
        learning_rate=0.01 if distance else 0.1,
        optimizer="adam" if distance else "adagrad",
        initial_scale=0.1,
        precision="float32" if distance or loss != "one_vs_all" else arguments.precision,
        epochs=arguments.epochs,
    )


def started(name: str, job: Job) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("embed_contestants.py")), name]
    return subprocess.Popen(
        [*command, json.dumps(asdict(job))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def asked(contestant: subprocess.Popen[str]) -> dict[str, float]:
    """Let it do its next part, and hear what that took."""
    assert contestant.stdin is not None
    assert contestant.stdout is not None
    contestant.stdin.write("go\n")
    contestant.stdin.flush()
    line = contestant.stdout.readline()
    if not line:
        sys.exit(f"a contestant ended: {contestant.args}")
    return json.loads(line)


def race(job: Job, triples: int, work: Path) -> None:
    """Both contestants over all epochs in turn, then what each came to."""
    contestants = {name: started(name, job) for name in CONTESTANTS}
    took: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for _ in range(job.settings["epochs"]):
        for name, contestant in contestants.items():
            took[name].append(asked(contestant))
    # The first epoch fills caches; it counts where it is the only one.
    later = slice(1 if job.settings["epochs"] > 1 else 0, None)
    ends = {name: asked(contestant) for name, contestant in contestants.items()}
    for contestant in contestants.values():
        contestant.communicate()
    for name, end in ends.items():
        wall = np.median([each["seconds"] for each in took[name][later]])
        busy = np.median([each["processor_seconds"] for each in took[name][later]])
        print(
            f"  {name:7} {1e6 * wall / triples:8.1f} µs a triple ({1e6 * busy / triples:8.1f} of processors), "
            f"test MRR {end['mrr']:.4f}, ranking {end['ranked_a_second']:7.0f} triples a processor second, "
            f"peak {end['training_mib']:6.0f} MiB training, {end['ranking_mib']:6.0f} MiB ranking"
        )
    for unit in ("seconds", "processor_seconds"):
        ratios = [
            mine[unit] / theirs[unit]
            for theirs, mine in zip(took["PyKEEN"][later], took["infact"][later], strict=True)
        ]
        print(f"  {unit} a triple, infact / PyKEEN: {np.median(ratios):.3f}")
    compare_ranks(job, work)


def compare_ranks(job: Job, work: Path) -> None:
    """PyKEEN's weights, ranked by both; each again in a process of its own."""
    found = {}
    for name in CONTESTANTS:
        contestant = started(name, replace(job, weights=str(work / "weights.npz")))
        found[name] = asked(contestant)
        contestant.communicate()
    theirs, mine = (np.load(work / f"{name}.npy", allow_pickle=False) for name in CONTESTANTS)
    differing, most = int((theirs != mine).sum()), float(np.abs(theirs - mine).max())
    print(
        f"  PyKEEN's weights: MRR {found['PyKEEN']['mrr']:.6f} by its evaluator, {found['infact']['mrr']:.6f} "
        f"by ours; {differing} of {theirs.size} ranks differ, by at most {most:g}"
    )
    ratio = found["infact"]["ranked_a_second"] / found["PyKEEN"]["ranked_a_second"]
    print(
        f"  ranked triples a processor second, infact / PyKEEN: {ratio:.1f}; peak of ranking: "
        + ", ".join(f"{name} {of['ranking_mib']:.0f} MiB" for name, of in found.items())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--model", action="append", choices=MODELS, dest="models")
    parser.add_argument("--loss", action="append", choices=LOSSES, dest="losses")
    parser.add_argument("--dimension", type=int, default=128, help="real numbers of an entity")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--negatives", type=int, default=32)
    parser.add_argument("--margin", type=float, default=3.0)
    parser.add_argument(
        "--precision",
        default="float32",
        choices=("float32", "bfloat16"),
        help="of our products with all tails",
    )
    arguments = parser.parse_args()
    folder = (arguments.folder or umls()).resolve()
    data = read_dataset(folder)
    names = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "pykeen"))
    print(f"{names}; {torch.get_num_threads()} threads of {os.cpu_count()} cores")
    print(
        f"{folder.name}: {len(data.training):,} triples, {data.entity_count:,} entities; "
        f"dimension {arguments.dimension}, batch {arguments.batch_size}, {arguments.epochs} epochs, "
        f"all tails in {arguments.precision}"
    )
    grouped = triple_batches(data.training, data.relation_count, 2 * len(data.training), 0)
    queries = len(grouped(0)[0].heads)
    for model in arguments.models or MODELS:
        for loss in arguments.losses or LOSSES:
            settings = settings_of(model, loss, arguments)
            theirs = settings.batch_size
            if loss == "one_vs_all":
                mine = round(theirs * 2 * len(data.training) / queries)
                settings = replace(settings, batch_size=mine)
            print(f"{model}, {loss}", flush=True)
            with tempfile.TemporaryDirectory() as work:
                job = Job(str(folder), asdict(settings), theirs, work, "")
                race(job, 2 * len(data.training), Path(work))


if __name__ == "__main__":
    main()
