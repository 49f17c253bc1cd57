"""Teaching the difference: the adapter goes on from where it was, on what has changed and some of the rest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...models.anchors import AnchorBatch
from ...models.base_model import load_tokenizer
from ...models.language_model import LanguageModel, kind_of
from ...models.taught_weights import TaughtModel, base_of, load_for_more_training
from ..stages import StageContext
from ..training.exposures import ExposureShares, TextsOfFact, exposure_plan
from ..training.pretrain_stage import teach_epochs
from ..training.replay import check_shares
from ..training.taught_epochs import Lessons, epochs_of
from ..training.teaching_data import TaughtFact, make_anchors, taught_facts
from ..training.teaching_run import taught_precision, write_json
from .asked_again import examination_of
from .difference import ADDED, CHANGED, Difference, write_difference


def run(context: StageContext) -> None:
    """Write facts/, update.json and, where there is anything to teach, adapter/ and training.json.

    Args:
        context: inputs `base`, `ingest`, `facts`, `link` and `pretrain` are what the model was taught
            with, `graph` the graph as it is now.
    """
    project = context.project
    check_shares(project.pretrain, project.facts.general_text, project.file.name)
    torch.manual_seed(context.seed)
    found = write_difference(context)
    counts = {
        CHANGED: sum(kind == CHANGED for kind in found.kinds.values()),
        ADDED: sum(kind == ADDED for kind in found.kinds.values()),
        "unchanged": len(found.unchanged),
        "removed": len(found.removed),
    }
    context.console.line(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    document: dict[str, Any] = {"counts": counts}
    if found.kinds:
        document |= _taught(context, found)
    write_json(context.work / "update.json", document)


def _taught(context: StageContext, found: Difference) -> dict[str, Any]:
    """Teach, and ask before and after; what update.json says of it."""
    project, folder = context.project, context.inputs["base"]
    precision = taught_precision(context)
    adapted = load_for_more_training(folder, context.inputs["pretrain"] / "adapter", precision)
    model = base_of(adapted).eval()
    loaded = LanguageModel(model, load_tokenizer(folder), kind_of(model))
    examination = examination_of(context, loaded, found)
    was = examination.examine(loaded, context.console, "before")
    count = project.pretrain.anchor_texts if project.pretrain.anchor_weight else 0
    anchors = make_anchors(context, loaded, count, 0)
    exposures = _train(context, loaded, adapted, found, anchors)
    loaded.model.eval()
    now = examination.examine(loaded, context.console, "after")
    return {
        "exposures": exposures,
        "asked": examination.compared(was, now, context.seed),
        "general_text": examination.drift(loaded, was, now),
    }


def _train(
    context: StageContext,
    loaded: LanguageModel,
    adapted: TaughtModel,
    found: Difference,
    anchors: Sequence[AnchorBatch],
) -> dict[str, int]:
    """Go on with the adapter; returns how often changed and unchanged facts were shown."""
    new = taught_facts(found.folder)
    kept = [fact for fact in taught_facts(context.inputs["facts"]) if fact.fact in found.unchanged]
    facts = [*new, *kept]
    plan = _plan(context, new, kept)
    epochs = epochs_of(context, loaded, Lessons(facts, plan), anchors)
    teach_epochs(context, adapted, epochs, None)
    shown = [fact < len(new) for epoch in plan for fact, _ in epoch]
    return {"new": sum(shown), "replayed": len(shown) - sum(shown)}


def _plan(
    context: StageContext, new: Sequence[TaughtFact], kept: Sequence[TaughtFact]
) -> list[list[tuple[int, int]]]:
    """By epoch, texts of the new facts as a first teaching has them, and a draw of the others beside."""
    settings = context.project.pretrain
    plan = exposure_plan(
        [TextsOfFact.of(fact) for fact in new],
        [settings.phrasings] * len(new),
        ExposureShares(settings.questions),
        settings.epochs,
        context.seed,
    )
    if not kept:
        return plan
    with_replay = []
    for number, epoch in enumerate(plan):
        random = np.random.default_rng([context.seed, 109, number])
        count = round(context.project.update.replay * len(epoch))
        # As evenly as can be: all come before any comes again.
        rounds = -(-count // len(kept))
        order = [fact for _ in range(rounds) for fact in random.permutation(len(kept)).tolist()]
        replayed = [
            (len(new) + fact, int(random.integers(len(kept[fact].texts)))) for fact in order[:count]
        ]
        with_replay.append(epoch + replayed)
    return with_replay
