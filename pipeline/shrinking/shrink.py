"""`infact shrink`: a smaller model that says what a taught one says, and how near it comes."""

import json
from pathlib import Path
from typing import Any

from ..console import Console
from ..made_beside import artifact_beside
from ..project import Project
from ..run import existing_artifacts
from ..stages import StageContext
from ..words import clean_text

TEACHERS = {"base": "base", "pretrained": "pretrain", "distilled": "distill"}  # the stage of each
VERSION = 1


def shrink(project: Project, console: Console) -> None:
    """Make the student's artifact unless it is there, and print what it says.

    Raises:
        UserError: a stage that is needed hasn't been run, or the student doesn't fit its teacher.
    """
    settings = project.shrink
    stage = TEACHERS[settings.teacher]
    made = existing_artifacts(project, ["base", "facts", "link", stage])
    inputs = {name: made[name] for name in {"base", "ingest", "facts", "link", stage}}
    given = tuple(spec for spec in (settings.student, settings.text) if spec)
    folder = artifact_beside(
        project,
        "shrink",
        VERSION,
        {
            "shrink": settings.model_dump(mode="json", exclude={"student", "text"}),
            "max_tokens": project.pretrain.max_tokens,
            "masking": project.pretrain.model_dump(
                mode="json", include={"mention_masking", "word_masking", "token_masking"}
            ),
            "batch_tokens": project.eval.batch_tokens,
        },
        inputs,
        (project.facts.general_text, *given),
        _run,
        console,
    )
    document = json.loads((folder / "shrink.json").read_text(encoding="utf-8"))
    for line in told(document, folder):
        console.line(line)
    console.result({"folder": str(folder), **document})


def _run(context: StageContext) -> None:
    from .taught_student import run  # it needs torch

    run(context)


def told(document: dict[str, Any], folder: Path) -> list[str]:
    """A student's result in lines."""
    from ..evaluation.examination import compared_lines

    teacher, student = document["teacher"], document["student"]
    general = document["general_text"]
    ratio = general["student"] / general["teacher"]
    return [
        *compared_lines(document["asked"], ("teacher", "student")),
        *(
            f"{name}: {own['layers']} blocks, {own['parameters']:,} parameters, "
            f"{own['milliseconds']:.0f} ms a question"
            for name, own in (("teacher", teacher), ("student", student))
        ),
        f"general text: perplexity {general['teacher']:.1f} and {general['student']:.1f} (× {ratio:.2f})",
        f"model: {clean_text(str(folder / 'model'))}",
    ]
