"""What the arms attended to on a few facts in memory, each part beside what knocking it out does."""

import numpy as np

from ...kg.questions.pools import IN_MEMORY
from ...models.language_model import LanguageModel
from ..explanation.fact import explain_fact
from .base_arms import LOADING_ERRORS, Evaluation

Json = dict[str, object]


def explanations(evaluation: Evaluation, base: LanguageModel) -> list[Json]:
    """Explain a seeded draw of the questions about facts in memory for which the graph has facts.

    Of a masked model none: its places have no order in which one could be knocked out for the later ones.
    """
    if base.kind == "masked":
        return []
    context = evaluation.context
    wanted = context.project.eval.explained
    questions = evaluation.of_pool(IN_MEMORY)
    order = np.random.default_rng([context.seed, 47]).permutation(len(questions))
    limit = evaluation.fusions.max_facts
    found: list[Json] = []
    with context.console.progress("explaining", wanted, "facts") as advance:
        for place in order:
            if len(found) == wanted:
                break
            question = questions[place]
            if not evaluation.fusions.reader.memory_facts(question.prompt, limit).facts:
                continue
            answer = question.options[question.correct]
            try:
                told = explain_fact(
                    base.model, base.tokenizer, evaluation.fusions, question.prompt, answer
                )
            except LOADING_ERRORS as error:  # a broken fusion; the arms that need it are named
                context.console.line(f"facts aren't explained: {error}")
                break
            found.append({"fact": question.fact, **told})
            advance(1)
    return found
