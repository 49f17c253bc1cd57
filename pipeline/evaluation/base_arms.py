"""The arms that leave the base's weights alone: base, fused and its controls, facts in the prompt.

They are asked of the graph as it is, and, where the project asks pools S and D, of the edited graph.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...kg.questions.pools import EDITED
from ...models.read_out import own_read_out
from ..arms import FusedArm, Fusions, augmented, read_together
from ..fusion_memory import FUSED, VARIANTS
from ..graph_reader import GraphReader
from ..stages import StageContext
from .arm_answers import ArmAnswers, ArmGroup, answer_group, joined
from .asked_questions import AskedQuestion

Answers = dict[str, ArmAnswers]
LoadedT = TypeVar("LoadedT")

# What a missing, cut-off or foreign file of weights raises.
LOADING_ERRORS = (OSError, ValueError, KeyError, RuntimeError, SafetensorError, UserError)


@dataclass(frozen=True)
class Unasked:
    """An arm whose model couldn't be loaded, the folder it lies in, and why."""

    arm: str
    folder: Path
    why: str


@dataclass(frozen=True)
class Evaluation:
    """What the arms of one evaluation share.

    Attributes:
        context: of the eval stage.
        tokenizer: of every model that is asked.
        questions: of all pools, in the order in which every arm answers them.
        fusions: the trained tops, and the graph that they read.
        unasked: arms that failed so far.
    """

    context: StageContext
    tokenizer: PreTrainedTokenizerBase
    questions: Sequence[AskedQuestion]
    fusions: Fusions
    unasked: list[Unasked] = field(default_factory=list)

    @property
    def reader(self) -> GraphReader:
        return self.fusions.reader

    @property
    def folder(self) -> Path:
        """Where answers are kept as they are made."""
        return self.context.work / "resume" / "answers"

    @property
    def unedited(self) -> list[AskedQuestion]:
        """The questions that are asked of the graph as it is."""
        return [question for question in self.questions if question.pool not in EDITED]

    def of_pool(self, pool: str) -> list[AskedQuestion]:
        return [question for question in self.questions if question.pool == pool]

    def ask(self, model: PreTrainedModel, group: ArmGroup) -> Answers:
        context = self.context
        return answer_group(
            model, self.tokenizer, group, context.project.eval, self.folder, context.console
        )

    def attempt(
        self, arms: Iterable[str], folder: Path, load: Callable[[], LoadedT]
    ) -> LoadedT | None:
        """What `load` gives; None where it fails, which is said and costs no other arm its answers."""
        try:
            return load()
        except LOADING_ERRORS as error:
            why = str(error).strip().splitlines() or [type(error).__name__]
            for arm in arms:
                self.unasked.append(Unasked(arm, folder, why[0]))
                self.context.console.line(f"{arm} can't be asked: {why[0]}")
            return None


@dataclass(frozen=True)
class GraphQuestions:
    """Questions that are asked of one graph.

    Attributes:
        prefix: of their answers' files.
        questions: what is asked.
        variants: of the fused arm.
    """

    prefix: str
    questions: Sequence[AskedQuestion]
    variants: Sequence[str]

    @property
    def prompts(self) -> list[str]:
        return [question.prompt for question in self.questions]


def base_answers(evaluation: Evaluation, base: PreTrainedModel) -> Answers:
    """Every arm that leaves the base's weights alone, on all questions."""

    def of_graph(evaluation: Evaluation, base: PreTrainedModel, asked: GraphQuestions) -> Answers:
        answers = _without_prompts(evaluation, base, asked)
        return answers | _with_prompts(evaluation, base, asked, answers)

    return _of_graphs(evaluation, base, of_graph)


def unprompted_answers(evaluation: Evaluation, base: PreTrainedModel) -> Answers:
    """The same less the arms that get facts in their prompt, on which half of the time goes."""
    return _of_graphs(evaluation, base, _without_prompts)


def _of_graphs(
    evaluation: Evaluation,
    base: PreTrainedModel,
    of_graph: Callable[[Evaluation, PreTrainedModel, GraphQuestions], Answers],
) -> Answers:
    """Answers of the graph as it is, and as the pools S and D edit it."""
    answers = of_graph(evaluation, base, GraphQuestions("", evaluation.unedited, VARIANTS))
    for pool in EDITED:
        questions = evaluation.of_pool(pool)
        if questions:
            reader = evaluation.reader.edited(evaluation.context.inputs["facts"], pool)
            edited = replace(evaluation, fusions=replace(evaluation.fusions, reader=reader))
            found = of_graph(edited, base, GraphQuestions(f"{pool}-", questions, (FUSED,)))
            answers |= {
                arm: joined(answers[arm], given) for arm, given in found.items() if arm in answers
            }
    return answers


def _without_prompts(
    evaluation: Evaluation, base: PreTrainedModel, asked: GraphQuestions
) -> Answers:
    """The base, and fused and its controls, asked the questions alone."""
    fusions, plain = evaluation.fusions, asked.prompts
    fused = evaluation.attempt(
        asked.variants,
        fusions.folder,
        lambda: fusions.arms(base, evaluation.tokenizer, plain, asked.variants),
    )
    # The controls by choice alone: their free answers would cost most and show nothing more.
    controls = frozenset(fused or {}) - {FUSED}
    group = ArmGroup(f"{asked.prefix}base", asked.questions, plain, {}, controls)
    return _asked(evaluation, base, group, {"base": FusedArm(own_read_out), **(fused or {})})


def _with_prompts(
    evaluation: Evaluation, base: PreTrainedModel, asked: GraphQuestions, alone: Answers
) -> Answers:
    """Base and fused with facts before the question; prompts that nothing was added to aren't rerun."""
    fusions, tokenizer, plain = evaluation.fusions, evaluation.tokenizer, asked.prompts
    told, lines = augmented(evaluation.reader, tokenizer, plain, fusions.max_facts)
    changed = [number for number, text in enumerate(told) if text != plain[number]]
    second: Answers = {}
    if changed:
        texts = [plain[number] for number in changed]
        read = [told[number] for number in changed]
        arms = {"base + prompt": FusedArm(own_read_out)}
        if FUSED in alone:
            arms["fused + prompt"] = fusions.arms(base, tokenizer, texts, (FUSED,), read)[FUSED]
        questions = [asked.questions[number] for number in changed]
        group = ArmGroup(f"{asked.prefix}prompt", questions, read, {})
        second = _asked(evaluation, base, group, arms)
    cited = [evaluation.reader.citations(told) for told in lines]
    answers = {}
    for arm, plain_arm in (("base + prompt", "base"), ("fused + prompt", FUSED)):
        if plain_arm in alone:
            under = alone[plain_arm]
            merged = _overlay(under, second[arm], changed) if changed else under
            answers[arm] = replace(merged, cited=cited)
    return answers


def _asked(
    evaluation: Evaluation, base: PreTrainedModel, group: ArmGroup, arms: Mapping[str, FusedArm]
) -> Answers:
    """The arms' answers: those that read out the base's own states share one reading of each prompt."""
    answers: Answers = {}
    for names in read_together(arms):
        first, read_outs = arms[names[0]], {name: arms[name].read_out for name in names}
        read = [first.text(prompt, number).text for number, prompt in enumerate(group.prompts)]
        own = replace(group, prompts=read, read_outs=read_outs, asked=first.asked)
        # What keeps a fact's place in a text is no part of the prompt.
        answers |= {
            name: replace(given, prompts=group.prompts)
            for name, given in evaluation.ask(base, own).items()
        }
    return answers


def adapted_answers(evaluation: Evaluation, model: PreTrainedModel, arm: str) -> Answers:
    """A model with weights of its own, on all that doesn't depend on an edited graph."""
    questions = evaluation.unedited
    prompts = [question.prompt for question in questions]
    return evaluation.ask(model, ArmGroup(arm, questions, prompts, {arm: own_read_out}))


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
