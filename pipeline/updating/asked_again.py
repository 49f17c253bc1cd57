"""What a model answers before and after an update: changed, added, unchanged and untouched facts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...kg.questions.pools import TAUGHT, UNTOUCHED
from ...models.answering import answer_questions
from ...models.language_model import LanguageModel
from ...models.option_scoring import TreeStates
from ...models.posed_questions import Posed
from ...models.read_out import own_read_out
from ..evaluation.asked_questions import AskedQuestion, asked_questions
from ..evaluation.drift import Drift, ReadTexts, drift_of, general_texts, read_texts, text_states
from ..measures.statistics import accuracy_interval, paired_comparison
from ..stages import StageContext
from .difference import Difference

UNCHANGED = "unchanged"
MOST_ASKED = 200  # of each kind


@dataclass(frozen=True)
class Asked:
    """A kind of facts, and what is asked of each.

    Attributes:
        kind: changed, added, unchanged or untouched.
        questions: one a fact, in a phrasing that isn't trained on.
        before: for each, the place among its options of what was the answer; -1 for none.
    """

    kind: str
    questions: Sequence[AskedQuestion]
    before: Sequence[int]


@dataclass(frozen=True)
class Examined:
    """What a model answers: for each kind the options that it chose, and its states on general text."""

    chosen: Mapping[str, np.ndarray]
    general: TreeStates


@dataclass(frozen=True)
class Examination:
    """What is asked before and after.

    Attributes:
        asked: by kind.
        texts: general text.
        batch_tokens: padded tokens of one pass.
    """

    asked: Sequence[Asked]
    texts: ReadTexts
    batch_tokens: int

    @classmethod
    def of(cls, context: StageContext, loaded: LanguageModel, found: Difference) -> "Examination":
        """Of an update; facts that there are many of are drawn by the seed."""
        seed, earlier = context.seed, asked_questions(context.inputs["facts"], (TAUGHT, UNTOUCHED))
        now = asked_questions(found.folder, (TAUGHT,))
        kinds: dict[str, list[AskedQuestion]] = {}
        for question in now:
            kinds.setdefault(found.kinds[question.fact], []).append(question)
        kinds[UNCHANGED] = [question for question in earlier if question.fact in found.unchanged]
        kinds["untouched"] = [question for question in earlier if question.pool == UNTOUCHED]
        asked = []
        for kind, questions in kinds.items():
            drawn = _drawn(questions, seed)
            before = [found.before.get(question.fact, -1) for question in drawn]
            asked.append(Asked(kind, drawn, before if kind not in (UNCHANGED, "untouched") else []))
        general = general_texts(context.files[context.project.facts.general_text])
        texts = read_texts(loaded.kind, loaded.tokenizer, general)
        return cls(asked, texts, context.project.eval.batch_tokens)

    def examine(self, loaded: LanguageModel, context: StageContext, when: str) -> Examined:
        """What a model answers now."""
        chosen = {}
        total = sum(len(kind.questions) for kind in self.asked)
        with context.console.progress(f"asking {when}", total, "questions") as advance:
            for kind in self.asked:
                posed = [
                    Posed(question.prompt, question.options, number, freely=False)
                    for number, question in enumerate(kind.questions)
                ]
                (given,) = answer_questions(
                    loaded.model,
                    loaded.tokenizer,
                    posed,
                    [own_read_out],
                    1,
                    self.batch_tokens,
                    advance,
                    (0,),
                )
                chosen[kind.kind] = np.array([int(each.scores.argmax()) for each in given])
        return Examined(
            chosen, text_states(loaded.model, loaded.tokenizer, self.texts, self.batch_tokens)
        )

    def drift(self, model: LanguageModel, was: Examined, now: Examined) -> Drift:
        """Of general text: before, and after as it diverges from before."""
        hidden = was.general.positions.hidden
        return {
            "before": drift_of(model.model, was.general, hidden, {"": own_read_out})[""],
            "after": drift_of(model.model, now.general, hidden, {"": own_read_out})[""],
        }

    def compared(self, was: Examined, now: Examined, seed: int) -> dict[str, Any]:
        """By kind: right before and after, with intervals, and the paired difference."""
        found: dict[str, Any] = {}
        for kind in self.asked:
            if not kind.questions:
                continue
            clusters = np.array([question.cluster for question in kind.questions])
            correct = np.array([question.correct for question in kind.questions])
            first, second = was.chosen[kind.kind], now.chosen[kind.kind]
            right = [(chosen == correct).astype(float) for chosen in (first, second)]
            told = {
                "before": asdict(accuracy_interval(right[0], clusters)),
                "after": asdict(accuracy_interval(right[1], clusters)),
                "difference": asdict(paired_comparison(right[0], right[1], clusters, seed)),
            }
            old = np.array(kind.before)
            if (old >= 0).any():
                known = old >= 0
                told["says_what_was_true"] = {
                    "before": float((first == old)[known].mean()),
                    "after": float((second == old)[known].mean()),
                    "n": int(known.sum()),
                }
            found[kind.kind] = told
        return found


def _drawn(questions: Sequence[AskedQuestion], seed: int) -> list[AskedQuestion]:
    """The first question of each fact, at most `MOST_ASKED`, in the order that they had."""
    first = [question for question in questions if not question.again]
    order = np.random.default_rng([seed, 107]).permutation(len(first))[:MOST_ASKED]
    return [first[number] for number in sorted(order.tolist())]
