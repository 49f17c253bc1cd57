"""Two models, or one before and after, asked the same facts and general text, and compared as paired."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ...models.answering import answer_questions
from ...models.language_model import LanguageModel
from ...models.option_scoring import TreeStates
from ...models.posed_questions import Posed
from ...models.read_out import own_read_out
from ..console import Console
from ..measures.statistics import accuracy_interval, paired_comparison
from .asked_questions import AskedQuestion
from .drift import Drift, ReadTexts, drift_of, text_states

MOST_ASKED = 200  # of each kind


@dataclass(frozen=True)
class Asked:
    """A kind of facts, and what is asked of each.

    Attributes:
        kind: what they are called.
        questions: one a fact, in a phrasing that isn't trained on.
        before: for each, the place among its options of what was the answer, -1 for none; none at all
            where nothing has changed.
    """

    kind: str
    questions: Sequence[AskedQuestion]
    before: Sequence[int] = field(default_factory=tuple)


@dataclass(frozen=True)
class Examined:
    """What a model answers.

    Attributes:
        chosen: for each kind, the places of the options that it chose.
        general: its states on general text.
        milliseconds: reading and scoring a question.
    """

    chosen: Mapping[str, np.ndarray]
    general: TreeStates
    milliseconds: float


@dataclass(frozen=True)
class Examination:
    """What is asked.

    Attributes:
        asked: by kind.
        texts: general text.
        batch_tokens: padded tokens of one pass.
    """

    asked: Sequence[Asked]
    texts: ReadTexts
    batch_tokens: int

    def examine(self, loaded: LanguageModel, console: Console, who: str) -> Examined:
        """What a model answers now."""
        chosen, seconds = {}, 0.0
        total = sum(len(kind.questions) for kind in self.asked)
        with console.progress(f"asking {who}", total, "questions") as advance:
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
                seconds += sum(each.seconds for each in given)
        states = text_states(loaded.model, loaded.tokenizer, self.texts, self.batch_tokens)
        return Examined(chosen, states, 1000 * seconds / max(total, 1))

    def drift(self, model: LanguageModel, first: Examined, second: Examined) -> Drift:
        """Of general text: the first's, and the second's as it diverges from it; one head reads both."""
        hidden = first.general.positions.hidden
        return {
            "before": drift_of(model.model, first.general, hidden, {"": own_read_out})[""],
            "after": drift_of(model.model, second.general, hidden, {"": own_read_out})[""],
        }

    def compared(self, first: Examined, second: Examined, seed: int) -> dict[str, Any]:
        """By kind: what each has right, with intervals, and the paired difference."""
        found: dict[str, Any] = {}
        for kind in self.asked:
            if not kind.questions:
                continue
            clusters = np.array([question.cluster for question in kind.questions])
            correct = np.array([question.correct for question in kind.questions])
            one, other = first.chosen[kind.kind], second.chosen[kind.kind]
            right = [(chosen == correct).astype(float) for chosen in (one, other)]
            told = {
                "before": asdict(accuracy_interval(right[0], clusters)),
                "after": asdict(accuracy_interval(right[1], clusters)),
                "difference": asdict(paired_comparison(right[0], right[1], clusters, seed)),
            }
            old = np.array(kind.before)
            if (old >= 0).any():
                known = old >= 0
                told["says_what_was_true"] = {
                    "before": float((one == old)[known].mean()),
                    "after": float((other == old)[known].mean()),
                    "n": int(known.sum()),
                }
            found[kind.kind] = told
        return found


def drawn_questions(questions: Sequence[AskedQuestion], seed: int) -> list[AskedQuestion]:
    """The first question of each fact, at most `MOST_ASKED`, in the order that they had."""
    first = [question for question in questions if not question.again]
    order = np.random.default_rng([seed, 107]).permutation(len(first))[:MOST_ASKED]
    return [first[number] for number in sorted(order.tolist())]


def compared_lines(asked: Mapping[str, Any], names: tuple[str, str]) -> list[str]:
    """What `compared` found, as a table whose columns are called so."""
    first, second = names
    lines = [f"{'right, in unseen phrasings':<28}{first:>16}{second:>16}{'difference':>22}"]
    for kind, found in asked.items():
        change = found["difference"]
        paired = (
            f"{100 * change['difference']:+.0f} "
            f"({100 * change['low']:+.0f} to {100 * change['high']:+.0f})"
        )
        size = f"{kind} ({found['before']['n']})"
        lines.append(
            f"{size:<28}{_interval(found['before']):>16}{_interval(found['after']):>16}{paired:>22}"
        )
        if "says_what_was_true" in found:
            old = found["says_what_was_true"]
            was, now = f"{old['before']:.0%}", f"{old['after']:.0%}"
            lines.append(f"{'  says what was true':<28}{was:>16}{now:>16}")
    return lines


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['estimate']:.0%} {100 * found['low']:.0f}–{100 * found['high']:.0f}"
