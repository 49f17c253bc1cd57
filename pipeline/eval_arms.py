"""The arms that leave the base's weights alone: base, fused and its controls, facts in the prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..models.read_out import ReadOut, own_read_out
from .arm_answers import ArmAnswers, ArmGroup, answer_group
from .arms import Fusions, augmented
from .asked_questions import AskedQuestion
from .graph_reader import GraphReader
from .stages import StageContext

Answers = dict[str, ArmAnswers]


@dataclass(frozen=True)
class Evaluation:
    """What the arms of one evaluation share.

    Attributes:
        context: of the eval stage.
        tokenizer: of every model that is asked.
        questions: in the order in which every arm answers them.
        fusions: the trained tops, and the graph that they read.
    """

    context: StageContext
    tokenizer: PreTrainedTokenizerBase
    questions: Sequence[AskedQuestion]
    fusions: Fusions

    @property
    def reader(self) -> GraphReader:
        return self.fusions.reader

    @property
    def folder(self) -> Path:
        """Where answers are kept as they are made."""
        return self.context.work / "resume" / "answers"

    def ask(self, model: PreTrainedModel, group: ArmGroup) -> Answers:
        context = self.context
        return answer_group(
            model, self.tokenizer, group, context.project.eval, self.folder, context.console
        )


def base_answers(evaluation: Evaluation, base: PreTrainedModel) -> Answers:
    """Every arm that leaves the base's weights alone; prompts that nothing was added to aren't rerun."""
    questions = evaluation.questions
    plain = [question.prompt for question in questions]
    fusions, tokenizer = evaluation.fusions, evaluation.tokenizer
    read_outs: dict[str, ReadOut] = {
        "base": own_read_out,
        **fusions.read_outs(base, tokenizer, plain),
    }
    answers = evaluation.ask(base, ArmGroup("base", questions, plain, read_outs))
    told, lines = augmented(evaluation.reader, tokenizer, plain, fusions.max_facts)
    changed = [number for number, text in enumerate(told) if text != plain[number]]
    second: Answers = {}
    if changed:
        texts = [plain[number] for number in changed]
        fused = fusions.read_outs(base, tokenizer, texts, variants=("fused",))["fused"]
        second = evaluation.ask(
            base,
            ArmGroup(
                "prompt",
                [questions[number] for number in changed],
                [told[number] for number in changed],
                {"base + prompt": own_read_out, "fused + prompt": fused},
            ),
        )
    cited = [evaluation.reader.citations(told) for told in lines]
    for arm, plain_arm in (("base + prompt", "base"), ("fused + prompt", "fused")):
        under = answers[plain_arm]
        merged = _overlay(under, second[arm], changed) if changed else under
        answers[arm] = replace(merged, cited=cited)
    return answers


def adapted_answers(evaluation: Evaluation, model: PreTrainedModel, arm: str) -> Answers:
    """A model with weights of its own."""
    prompts = [question.prompt for question in evaluation.questions]
    group = ArmGroup(arm, evaluation.questions, prompts, {arm: own_read_out})
    return evaluation.ask(model, group)


def _overlay(under: ArmAnswers, over: ArmAnswers, places: Sequence[int]) -> ArmAnswers:
    """`under` with the answers at `places` taken from `over`; its costs are `over`'s."""
    scores, generated = list(under.scores), list(under.generated)
    prompts = list(under.prompts)
    for number, place in enumerate(places):
        scores[place], generated[place] = over.scores[number], over.generated[number]
        prompts[place] = over.prompts[number]
    return replace(
        over, questions=under.questions, scores=scores, generated=generated, prompts=prompts
    )
