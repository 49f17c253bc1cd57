"""A fact of the report explained: why each arm finds its answer likely or not."""

from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..arms import Fusions
from .explained_arms import Json, explain_arms, plain_arms, prompt_arm
from .prompt_draws import prompt_draws
from .words import interval_words

VARIANTS = 4  # of the prompt: intervals half as wide again as six would give, a third sooner
KEPT_OF_FACT = ("text", "attention", "effect", "low", "high", "shown")


def explain_fact(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    fusions: Fusions,
    prompt: str,
    answer: str,
) -> Json:
    """What base, fused and base + prompt attended to for `answer`, with effects and intervals.

    Words of the question aren't knocked out here; `infact explain` does that.

    Args:
        model: the base; causal.
        tokenizer: its tokenizer.
        fusions: the trained tops and the graph that they read.
        prompt: the fact's question as the arms get it, without facts.
        answer: its true answer.

    Returns:
        {"prompt", "answer", "interval", "arms": [{"arm", "log_probability", "base_weight", "facts":
        [{"text", "attention", "effect", "low", "high", "shown"}], "all_facts", "reading_layers": see
        `memory_facts.memory_part`, "layers": [{"layer", "on_facts", "on_question", "on_rest",
        "effect", "low", "high", "shown", "skipped"}]}]}, where a layer's effect is that of its
        attention to the facts in the prompt (null without such facts) and "skipped" that of passing
        the layer by.
    """
    told = prompt_arm(fusions.reader, tokenizer, prompt, fusions.max_facts)
    groups = [plain_arms(model, tokenizer, prompt, fusions), *([[told[0]]] if told else [])]
    found: list[Json] = []
    for arms in groups:
        draws = prompt_draws(prompt, (), arms[0].lines, fusions.seed, VARIANTS)
        found += explain_arms(model, tokenizer, (), draws, answer, arms, lambda done: None)
    return {
        "prompt": prompt,
        "answer": answer,
        "interval": interval_words(VARIANTS),
        "arms": [_short(arm) for arm in found],
    }


def _short(arm: Json) -> Json:
    kept = {key: arm[key] for key in ("arm", "log_probability", "base_weight", "reading_layers")}
    facts = [{key: fact[key] for key in KEPT_OF_FACT} for fact in arm["facts"]]
    return {**kept, "facts": facts, "all_facts": arm["all_facts"], "layers": arm["layers"]}
