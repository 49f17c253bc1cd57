"""The rows of answers.parquet: one an arm, seed, fact and phrasing."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ...kg.questions.answer_matching import named_objects, outcome
from .arm_answers import ArmAnswers

Rows = list[dict[str, object]]

ANSWERS_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("seed", pa.int32()),
        ("pool", pa.string()),
        ("fact", pa.string()),
        ("template", pa.string()),
        ("cluster", pa.string()),
        ("relation_label", pa.string()),
        ("subject_label", pa.string()),
        ("prompt", pa.string()),
        ("options", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float32())),
        ("chosen", pa.int32()),
        ("correct", pa.int32()),
        ("right", pa.bool_()),
        ("generated", pa.string()),
        ("generated_right", pa.bool_()),
        ("outcome", pa.string()),
        ("precision", pa.float32()),
        ("recall", pa.float32()),
        ("cited", pa.list_(pa.string())),
    ]
)


def answer_rows(arm: str, seed: int, answers: ArmAnswers) -> Rows:
    """The arm's rows.

    `outcome` is what the free answer came to; `precision` and `recall`, where several objects are
    true, are of the objects that it names. All three are null where no free answer was asked for.
    """
    rows: Rows = []
    for number, question in enumerate(answers.questions):
        scores = answers.scores[number]
        chosen = int(np.argmax(scores))
        rows.append(
            {
                "arm": arm,
                "seed": seed,
                "pool": question.pool,
                "fact": question.fact,
                "template": question.template,
                "cluster": question.cluster,
                "relation_label": question.relation_label,
                "subject_label": question.subject_label,
                "prompt": answers.prompts[number],
                "options": list(question.options),
                "scores": [float(score) for score in scores],
                "chosen": chosen,
                "correct": question.correct,
                "right": chosen == question.correct,
                **free_answer(answers.generated[number], question.aliases, question.object_names),
                "cited": list(answers.cited[number]),
            }
        )
    return rows


def free_answer(
    generated: str | None, names: Sequence[str], objects: Sequence[Sequence[str]]
) -> dict[str, object]:
    """A free answer and what it came to; all values are None where none was asked for.

    Args:
        generated: what the model wrote.
        names: of all true objects.
        objects: names of each true object.
    """
    if generated is None:
        keys = ("generated", "generated_right", "outcome", "precision", "recall")
        return dict.fromkeys(keys)
    found = outcome(generated, names)
    precision = recall = None
    if len(objects) > 1:
        named = named_objects(generated, objects)
        precision = named.precision
        recall = len(named.true) / len(objects)
    return {
        "generated": generated,
        "generated_right": found == "right",
        "outcome": found,
        "precision": precision,
        "recall": recall,
    }
