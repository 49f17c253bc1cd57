"""One answer explained: what each layer attended to, and what the answer loses with each part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .answered_prompt import Stretch, answered_prompt
from .attention_weights import AnswerReading, read_answer, span_attention
from .fused_model import FactReading, FusedModel
from .knock_out import KnockOut, LayerBlocked, LayerSkipped, SpanBlocked, knocked_out_scores
from .label_pointer import PointerReadOut
from .memory_knock_out import MemoryReading, read_memory
from .read_out import ReadOut
from .state_knock_out import read_states_memory


@dataclass(frozen=True)
class PromptParts:
    """Where the parts of a prompt stand, in characters.

    Attributes:
        question: all that is asked.
        words: of the question, those that are knocked out one by one.
        facts: the lines that tell facts; none where the prompt tells none.
    """

    question: Stretch
    words: tuple[Stretch, ...]
    facts: tuple[Stretch, ...]

    def moved(self, move: Callable[[Stretch], Stretch]) -> PromptParts:
        """The same parts of a text in which they stand elsewhere."""
        words, facts = tuple(map(move, self.words)), tuple(map(move, self.facts))
        return PromptParts(move(self.question), words, facts)


@dataclass(frozen=True)
class AnswerExplanation:
    """One answer after one prompt, through W read-outs.

    Shapes: L layers, S spans: the words, then the facts. Effects are changes of the answer's
    log-probability in nats; below 0, the answer has lost something.

    Attributes:
        attention: (L, S) weight from the places that predict the answer, mean over heads.
        on_question, on_facts: (L,) the same on the whole question and on all facts.
        scores: (W,) log-probability of the answer as it is.
        spans: (W, S) effect of each span that nothing may attend to.
        question: (W,) the same of the whole question.
        facts: (W,) the same of all facts together; exactly 0 where there are none.
        skipped: (W, L) effect of each block passed by at the places that predict the answer.
        blocked: (W, L) effect of each layer's attention from those places to the facts taken away.
        memories: (W,) what each read-out's arm reads in its memory; None where it has none.
    """

    attention: Tensor
    on_question: Tensor
    on_facts: Tensor
    scores: Tensor
    spans: Tensor
    question: Tensor
    facts: Tensor
    skipped: Tensor
    blocked: Tensor
    memories: tuple[MemoryReading | None, ...]


def explain_answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    answer: str,
    parts: PromptParts,
    read_outs: Sequence[ReadOut],
    read: FactReading | None = None,
) -> AnswerExplanation:
    """Read the prompt with its answer once, then knock out each part.

    Args:
        model: an unmodified causal language model that returns its weights, see `weights_returned`.
        tokenizer: its tokenizer, a fast one.
        prompt: what the model completes.
        answer: what is explained, whether or not the model would give it.
        parts: of the prompt.
        read_outs: W; their memory's request 0 is this prompt's.
        read: facts that the model's states are changed by: one request, this prompt's.

    Raises:
        ValueError: the answer has no token of its own.
    """
    stretches = [*parts.words, *parts.facts, parts.question]
    answered = answered_prompt(tokenizer, prompt, answer, stretches)
    with nullcontext() if read is None else read.session() as fused:
        reading = read_answer(model, answered)
        memories = tuple(_memory(model, reading, each, read, fused) for each in read_outs)
        return _explained(model, reading, parts, read_outs, memories)


def _memory(
    model: PreTrainedModel,
    reading: AnswerReading,
    read_out: ReadOut,
    read: FactReading | None,
    fused: FusedModel | None,
) -> MemoryReading | None:
    """What one read-out's arm reads in its memory."""
    if read is not None and fused is not None:
        return read_states_memory(fused, read, reading, read_out)
    if isinstance(read_out, PointerReadOut):
        return read_memory(model, reading, read_out)
    return None


def _explained(
    model: PreTrainedModel,
    reading: AnswerReading,
    parts: PromptParts,
    read_outs: Sequence[ReadOut],
    memories: tuple[MemoryReading | None, ...],
) -> AnswerExplanation:
    answered = reading.answered
    # The question of a prompt to be completed ends where the answer is predicted.
    question = tuple(place for place in answered.spans[-1] if place < answered.answering)
    spans = answered.spans[:-1]
    facts = tuple(place for span in spans[len(parts.words) :] for place in span)
    layers, since = range(model.config.num_hidden_layers), answered.answering
    groups: list[list[KnockOut]] = [
        [SpanBlocked(span) for span in spans],
        [SpanBlocked(question)],
        [SpanBlocked(tuple(sorted(facts)))],
        [LayerSkipped(layer, since) for layer in layers],
        [LayerBlocked(layer, facts, since) for layer in layers],
    ]
    scores = knocked_out_scores(model, reading, [one for each in groups for one in each], read_outs)
    effects = (scores[:, 1:] - scores[:, :1]).split([len(group) for group in groups], dim=1)
    attention = span_attention(reading.attention, [*spans, question, facts])
    return AnswerExplanation(
        attention[:, :-2],
        attention[:, -2],
        attention[:, -1],
        scores[:, 0],
        effects[0],
        effects[1][:, 0],
        effects[2][:, 0],
        effects[3],
        effects[4],
        memories,
    )
