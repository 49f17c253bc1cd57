"""How fast facts are taught: a step of `infact pretrain` whole and without each idea, and Trainer's.

    python benchmarks/teach_speed.py PROJECT [--steps 8] [--turns 3] [--seed 0] [--json FILE]

PROJECT is a project file whose stages base, ingest, facts and link have been made, on a causal base. Every
line runs forward, backward and the optimiser on the same facts' texts, a step of each line in turn, so that
whatever else the machine does falls on all alike. Domain text is left out, which Trainer doesn't see.

  whole               packed texts, logits where a loss is, a draw of the anchors' places, their bottom kept
  no packing          each text a row, padded to the longest
  logits everywhere   the output embedding is run at every token of the taught texts
  anchors' places     all of them are looked at
  anchors' bottom     run again each time
  no anchors          nothing is held to the base
  again and again     texts that have come before: what the frozen blocks give of them is kept
  Trainer             PEFT's LoRA of the same rank on every linear layer, loss on every token
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch
from infact.models.anchors import AnchorBatch
from infact.models.base_model import choose_training_attention, resolve_precision
from infact.models.kept_bottom import bottom_states, frozen_blocks
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.language_model_loss import anchor_divergence, weighted_cross_entropy
from infact.models.packed_texts import pack_predicted
from infact.models.partial_passes import Places
from infact.models.predicted_texts import PredictedBatch, PredictedText, collate_predicted
from infact.models.taught_weights import add_taught_weights, base_of
from infact.models.token_batches import shuffled_batches
from infact.pipeline.console import Console
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training.exposures import ExposureShares, TextsOfFact, exposure_plan
from infact.pipeline.training.predicted_forms import forms_of
from infact.pipeline.training.teaching_data import make_anchors, taught_facts, turn_of
from numpy.random import default_rng
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import DataCollatorForLanguageModeling
from transformers.modeling_utils import PreTrainedModel

STAGES = ("base", "ingest", "facts", "link")
WHOLE, TRAINER = "whole", "Trainer"
Step = Callable[[], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    folders = existing_artifacts(project, STAGES)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    print(f"python {platform.python_version()}, {versions}; {torch.get_num_threads()} threads")
    context = StageContext(project, Path(), folders, arguments.seed, Console(), {})
    lines = lines_of(context, arguments.steps)
    size = project.pretrain.batch_size
    seconds = {name: [0.0] * arguments.turns for name in lines}
    for turn in range(arguments.turns):
        for step in range(len(lines[WHOLE])):
            for name, steps in lines.items():
                started = time.monotonic()
                steps[step]()
                seconds[name][turn] += time.monotonic() - started
    shown = len(lines[WHOLE]) * size
    rates = {name: shown / median(taken) for name, taken in seconds.items()}
    for name, rate in rates.items():
        over = f"{rate / rates[TRAINER]:.2f} of Trainer, {rate / rates[WHOLE]:.2f} of whole"
        print(f"{name:<20}{size / rate:>7.2f} s a step{rate:>7.1f} exposures a second  {over}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"seconds": seconds, "rates": rates}, indent=1) + "\n")


def lines_of(context: StageContext, count: int) -> dict[str, list[Step]]:
    """Each line's first steps."""
    settings = context.project.pretrain
    precision = resolve_precision(context.project.model.precision)
    loaded = load_language_model(context.inputs["base"], None, precision)
    groups = exposures(context, loaded)[:count]
    texts = [pack_predicted(group) for group in groups]
    anchors = made_anchors(context, loaded, len(groups))
    count = len(groups)
    drawn = turn_of(anchors, count, default_rng(context.seed))
    frozen = frozen_blocks(loaded.model, settings.layers)
    kept = bottom_states(
        loaded.model, list(dict.fromkeys(text.tokens for group in groups for text in group)), frozen
    )
    again = [pack_predicted(group, bottom=kept) for group in groups]
    padded = [collate_predicted(group) for group in groups]
    everywhere = [at_every_token(batch) for batch in padded]
    unkept = [replace(each, texts=replace(each.texts, bottom=None)) for each in drawn if each]
    adapted = add_taught_weights(loaded.model, settings.taught, settings.rank, settings.layers)
    model = base_of(adapted).train()
    choose_training_attention(model)

    def steps(taught: Sequence[PredictedBatch], held: Sequence[AnchorBatch | None]) -> list[Step]:
        return own_steps(model, taught, held, settings.anchor_weight, settings.learning_rate)

    return {
        WHOLE: steps(texts, drawn),
        "no packing": steps(padded, drawn),
        "logits everywhere": steps(everywhere, drawn),
        "anchors' places": steps(texts, anchors),
        "anchors' bottom": steps(texts, unkept),
        "no anchors": steps(texts, [None] * count),
        "again and again": steps(again, drawn),
        TRAINER: trainer_steps(context, groups),
    }


def exposures(context: StageContext, loaded: LanguageModel) -> list[list[PredictedText]]:
    """Batches of the facts' texts as the first epoch shows them."""
    settings = context.project.pretrain
    facts = taught_facts(context.inputs["facts"])
    (epoch,) = exposure_plan(
        [TextsOfFact.of(fact) for fact in facts],
        [settings.phrasings] * len(facts),
        ExposureShares(settings.questions),
        1,
        context.seed,
    )
    rows = forms_of(loaded, settings).prepared([facts[fact].texts[text] for fact, text in epoch])
    random = default_rng(context.seed)
    batches = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
    return [[rows[at] for at in batch] for batch in batches if len(batch) == settings.batch_size]


def made_anchors(context: StageContext, loaded: LanguageModel, count: int) -> list[AnchorBatch]:
    """One batch of them for each step."""
    made = make_anchors(context, loaded, 32, 0)
    return [made[number % len(made)] for number in range(count)]


def at_every_token(batch: PredictedBatch) -> PredictedBatch:
    """The batch with the loss where it was, and weight 0 at every other token."""
    rows, places = torch.nonzero(batch.mask[:, 1:], as_tuple=True)
    weighted = dict(
        zip(
            zip(batch.at.rows.tolist(), batch.at.places.tolist(), strict=True),
            batch.weights.tolist(),
            strict=True,
        )
    )
    pairs = zip(rows.tolist(), places.tolist(), strict=True)
    weights = torch.tensor([weighted.get(pair, 0.0) for pair in pairs])
    targets = batch.tokens[rows, places + 1]
    return replace(batch, at=Places(rows, places), targets=targets, weights=weights)


def own_steps(
    model: PreTrainedModel,
    taught: Sequence[PredictedBatch],
    held: Sequence[AnchorBatch | None],
    weight: float,
    rate: float,
) -> list[Step]:
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate / 1000)  # a step's cost, and next to no teaching

    def step(batch: PredictedBatch, anchor: AnchorBatch | None) -> Tensor:
        loss = weighted_cross_entropy(model, batch)
        if anchor is not None:
            loss = loss + weight * anchor_divergence(model, anchor.texts, anchor.base)
        return stepped(loss, optimizer, trained)

    return [
        lambda batch=batch, anchor=anchor: step(batch, anchor)  # type: ignore[misc]
        for batch, anchor in zip(taught, held, strict=True)
    ]


def trainer_steps(context: StageContext, groups: Sequence[Sequence[PredictedText]]) -> list[Step]:
    """What Trainer does in a step: its collator's batch, LoRA on every linear layer, AdamW."""
    settings = context.project.pretrain
    precision = resolve_precision(context.project.model.precision)
    loaded = load_language_model(context.inputs["base"], None, precision)
    lora = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear")
    adapted = get_peft_model(loaded.model, lora).train()
    trained = [value for value in adapted.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6)
    collator = DataCollatorForLanguageModeling(loaded.tokenizer, mlm=False)
    texts = [text for group in groups for text in group]
    order = default_rng(context.seed).permutation(len(texts)).reshape(len(groups), -1)
    mixed = [[texts[at] for at in batch] for batch in order]  # Trainer looks at no length

    def step(group: Sequence[PredictedText]) -> Tensor:
        batch = collator([{"input_ids": list(text.tokens)} for text in group])
        return stepped(adapted(**batch).loss, optimizer, trained)

    return [lambda group=group: step(group) for group in mixed]  # type: ignore[misc]


def stepped(loss: Tensor, optimizer: torch.optim.Optimizer, trained: Sequence[Tensor]) -> Tensor:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


if __name__ == "__main__":
    main()
