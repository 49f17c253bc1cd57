"""`infact rerank --graph DIR --base ENCODER --out DIR`: a re-ranker for the linker, from the graph alone.

Writes `<out>/rerank/<key>/` (reranker_folder.py). A run that was cut off goes on: what training had come
to is kept, and the vectors of the graph's texts are. The examples are made again, to the same.
"""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...kg.linking.entity_texts import EntityTexts, entity_texts
from ...kg.linking.linker import INDEX_FOLDER, graph_linker
from ...kg.linking.text_linking import entities_below
from ...models.mention_reranker import CandidateLists, MentionReranker
from ...models.reranker_training import RerankerExamples, RerankerRecord, train_reranker
from ...models.text_encoder import TextEncoder
from ..artifacts import Recipe, publish, read_manifest, work_folder
from ..console import Console, duration
from ..encoder_folders import encoder_digest, encoder_folder
from ..run import recorded
from ..stages import source_name
from .candidate_lists import VectorTable, candidate_lists
from .graph_tables import tables_digest
from .reranker_examples import (
    TEST,
    TRAINING,
    VALIDATION,
    Example,
    of_part,
    reranker_examples,
)
from .reranker_folder import (
    ENCODER_PLACE,
    METRICS,
    STAGE,
    WEIGHTS,
    RerankerAbout,
    write_about,
)
from .reranker_measures import measured, said
from .text_vectors import text_vectors

VERSION = 1  # raised when the same graph and encoder give another re-ranker
LEAST_EXAMPLES = 8  # of each part; fewer say nothing


@dataclass(frozen=True)
class RerankerToTrain:
    """What is trained, and where it goes.

    Attributes:
        graph: that it learns from.
        encoder: folder of a text encoder, or `package:<module>/<folder>`.
        roots: IRIs; entities below one of them are linked to alone; all where there are none.
        hierarchy: IRI of the relation to the entity above; those that the graph has if empty.
        out: folder for re-rankers.
        learning_rate: AdamW's.
        epochs: that are trained; the validation part may choose fewer.
        seed: of the lots and of the order.
    """

    graph: KnowledgeGraph
    encoder: str
    roots: tuple[str, ...] = ()
    hierarchy: str = ""
    out: Path = Path("rerankers")
    learning_rate: float = 1e-3
    epochs: int = 3
    seed: int = 0


def train(asked: RerankerToTrain, console: Console) -> Path:
    """Train one unless it is there, and say how it does on entities that it hasn't seen; its folder.

    Raises:
        UserError: no such encoder, root or relation, or the graph has too few aliases to learn from.
    """
    encoder_place = encoder_folder(asked.encoder, "--base")
    about_encoder = encoder_digest(encoder_place)
    recipe = _recipe(asked, about_encoder)
    folder = recipe.folder(asked.out)
    if read_manifest(folder) is None:
        started = time.monotonic()
        encoder = TextEncoder(encoder_place)
        with work_folder(asked.out, recipe, resumable=True) as work:
            _make(asked, encoder, about_encoder, work, console)
            seconds = time.monotonic() - started
            publish(asked.out, recipe, {**recorded(seconds), ENCODER_PLACE: str(encoder_place)})
        console.line(f"rerank  done in {duration(time.monotonic() - started)}")
    else:
        console.line(f"rerank  kept  {folder}")
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    for line in said(metrics):
        console.line(line)
    console.line(f"use it: infact link --graph … --reranker {folder}")
    console.result({"folder": str(folder), **metrics})
    return folder


def _recipe(asked: RerankerToTrain, about_encoder: str) -> Recipe:
    settings = {
        "roots": list(asked.roots),
        "hierarchy": asked.hierarchy,
        "learning_rate": asked.learning_rate,
        "epochs": asked.epochs,
    }
    inputs = {"graph": tables_digest(asked.graph.directory), "encoder": about_encoder}
    return Recipe(STAGE, VERSION, settings, asked.seed, inputs)


def _make(
    asked: RerankerToTrain, encoder: TextEncoder, about_encoder: str, work: Path, console: Console
) -> None:
    graph = asked.graph
    wanted = entities_below(graph, asked.roots, asked.hierarchy) if asked.roots else None
    linker = graph_linker(graph, wanted)
    examples = reranker_examples(graph, linker, wanted, asked.seed, console)
    parts = {part: of_part(examples, part) for part in (TRAINING, VALIDATION, TEST)}
    _check_parts(parts, asked)
    texts = entity_texts(graph, wanted)
    if not texts.defined:
        console.line(
            "the graph defines none of these entities: their names and hierarchy are read alone"
        )
    kept = graph.directory / INDEX_FOLDER
    vectors = text_vectors(texts.texts(), encoder, about_encoder, kept, console)
    table = VectorTable(vectors)
    lists = {part: _lists(found, texts, table, encoder, console) for part, found in parts.items()}
    of_table = RerankerExamples(table.tensor(), lists[TRAINING], lists[VALIDATION])
    resume = work / "resume"
    resume.mkdir(exist_ok=True)
    units = asked.epochs * len(of_table.training)
    with console.progress("training the re-ranker", units, "mentions") as advance:
        model, record = train_reranker(
            of_table, asked.learning_rate, asked.epochs, asked.seed, resume, advance
        )
    _write(
        model,
        RerankerAbout(
            source_name(asked.encoder), about_encoder, tables_digest(graph.directory), encoder.width
        ),
        work,
    )
    metrics = _metrics(record, parts)
    metrics["test"] = measured(model, of_table.vectors, lists[TEST], parts[TEST], asked.seed)
    text = json.dumps(metrics, indent=1)
    (work / METRICS).write_text(text, encoding="utf-8")


def _check_parts(parts: dict[str, list[Example]], asked: RerankerToTrain) -> None:
    for part, found in parts.items():
        if len(found) < LEAST_EXAMPLES:
            raise UserError(
                f"{len(found)} names are too few for the {part} part",
                str(asked.graph.directory),
                "the graph needs entities with several names each (some hundred); or another --root",
            )


def _lists(
    examples: Sequence[Example],
    texts: EntityTexts,
    table: VectorTable,
    encoder: TextEncoder,
    console: Console,
) -> CandidateLists:
    """The examples as arrays, with their truth."""
    mentions = [each.mention for each in examples]
    new = sorted({each.surface for each in mentions if not table.has(each.surface)})
    of_new = dict(zip(new, encoder.vectors(new, _silent), strict=True))
    rows_of_new = {surface: table.add(vector) for surface, vector in of_new.items()}
    rows = [
        rows_of_new[each.surface] if each.surface in rows_of_new else table.of_text(each.surface)
        for each in mentions
    ]
    contexts = list(rows)
    inside = [place for place, each in enumerate(mentions) if each.sentence != each.surface]
    with console.progress("reading mentions in their sentences", len(inside), "mentions") as told:
        read = encoder.mention_vectors(
            [mentions[place].sentence for place in inside],
            [(mentions[place].start, mentions[place].end) for place in inside],
            told,
        )
    for place, vector in zip(inside, read, strict=True):
        contexts[place] = table.add(vector)
    hidden = [each.key for each in examples]
    lists = candidate_lists(mentions, rows, contexts, texts, table, hidden)
    return CandidateLists(**{**vars(lists), "truth": _truth(examples)})


def _truth(examples: Collection[Example]) -> np.ndarray:
    """(n,) 0 where the entity isn't among the candidates, else 1 + its place."""
    found = []
    for example in examples:
        entities = [each.entity for each in example.mention.candidates]
        there = not example.absent and example.entity in entities
        found.append(1 + entities.index(example.entity) if there else 0)
    return np.array(found, np.int64)


def _write(model: MentionReranker, about: RerankerAbout, work: Path) -> None:
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, work / WEIGHTS
    )
    write_about(about, work)


def _metrics(record: RerankerRecord, parts: dict[str, list[Example]]) -> dict[str, Any]:
    return {
        "examples": {
            part: {
                "names": sum(each.mention.sentence == each.mention.surface for each in found),
                "in sentences": sum(
                    each.mention.sentence != each.mention.surface for each in found
                ),
                "of absent entities": sum(each.absent for each in found),
            }
            for part, found in parts.items()
        },
        "training": asdict(record),
    }


def _silent(done: int) -> None:
    """For what takes no time."""
