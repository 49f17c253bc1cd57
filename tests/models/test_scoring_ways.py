"""Every way of scoring against the model's own logits, on tiny models of several families."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.models import exact_ways as exact_ways_module
from infact.models.exact_ways import exact_ways, longest_tree
from infact.models.option_scoring import option_scores
from infact.models.option_tree import OptionTree, merge_sequences
from infact.models.pass_costs import PassCosts
from infact.models.read_out import own_read_out
from infact.models.scoring_ways import (
    WAYS,
    PlannedBatch,
    Planner,
    Way,
    planned_states,
    shared_beginning_of,
)
from infact.models.statement_scoring import tree_log_likelihoods
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    CohereConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoConfig,
    GraniteConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PretrainedConfig,
)
from transformers.modeling_utils import PreTrainedModel

VOCABULARY = 60
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.3,
}
LLAMA = {**SIZES, "intermediate_size": 64, "num_key_value_heads": 2, "pad_token_id": 0}
CONFIGS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**LLAMA),
    "mistral": MistralConfig(**LLAMA, sliding_window=12),
    "gemma 2": Gemma2Config(
        **LLAMA, head_dim=8, final_logit_softcapping=3.0, query_pre_attn_scalar=8, sliding_window=12
    ),
    "cohere": CohereConfig(**LLAMA, logit_scale=0.2, bos_token_id=1, eos_token_id=2),
    "granite": GraniteConfig(**LLAMA, logits_scaling=4.0),
    "gpt 2": GPT2Config(vocab_size=60, n_embd=32, n_layer=2, n_head=4, initializer_range=0.3),
    "gpt neo": GPTNeoConfig(
        **{k: v for k, v in SIZES.items() if "num" not in k},
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=12,
    ),
    "bloom": BloomConfig(vocab_size=60, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3),
    "mamba": MambaConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, state_size=4),
}
ONE_BY_ONE_ONLY = {"bloom", "mamba"}
FEW_PASSES = PassCosts(per_pass=1e6, per_token=1.0, per_pair=0.0)
FEW_TOKENS = PassCosts(per_pass=0.0, per_token=1.0, per_pair=0.0)
FEW_PAIRS = PassCosts(per_pass=0.0, per_token=0.0, per_pair=1.0)


def tiny(family: str) -> PreTrainedModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(CONFIGS[family]).eval()


@torch.no_grad()
def plainly(model: PreTrainedModel, sequences: list[list[int]], seam: int) -> list[float]:
    """Each sequence in a pass of its own, by the model's own logits."""
    scores = []
    for tokens in sequences:
        table = model(torch.tensor([tokens])).logits[0].double().log_softmax(-1)
        scores.append(sum(table[at - 1, tokens[at]].item() for at in range(seam, len(tokens))))
    return scores


def drawn(lengths: tuple[int, ...], prompt: list[int], seed: int) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [prompt + random.integers(3, VOCABULARY, length).tolist() for length in lengths]


BEGIN = [5, 6, 7, 8]
QUESTIONS = [
    (drawn((1, 2, 3), [*BEGIN, 9], 1), 5),
    (drawn((1, 1), [*BEGIN, 10, 11], 2), 6),
    (drawn((4, 2, 2, 1), [*BEGIN], 3), 4),
    (drawn((3, 2), [20, 21], 4), 2),
]


def trees_of(questions: list[tuple[list[list[int]], int]]) -> list[OptionTree]:
    return [merge_sequences(sequences, [seam] * len(sequences)) for sequences, seam in questions]


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("batch_tokens", [1, 30, 4096])
def test_each_way_gives_the_models_own_scores(way: Way, batch_tokens: int) -> None:
    model, questions = tiny("llama"), QUESTIONS[:3]
    trees = trees_of(questions)
    plan = [PlannedBatch((2, 0), way, 0.0), PlannedBatch((1,), way, 0.0)]
    done: list[int] = []
    states = planned_states(model, trees, plan, batch_tokens, done.append)
    found = option_scores(model, states, trees, [own_read_out])[0]
    for (sequences, seam), own in zip(questions, found, strict=True):
        np.testing.assert_allclose(own, plainly(model, sequences, seam), rtol=1e-5, atol=1e-4)
    assert done == [2, 1]


@pytest.mark.parametrize("way", sorted(WAYS))
def test_places_are_the_same_in_every_way(way: Way) -> None:
    trees = trees_of(QUESTIONS[:3])
    plan = [PlannedBatch((2, 0), way, 0.0), PlannedBatch((1,), way, 0.0)]
    places = planned_states(tiny("llama"), trees, plan, 4096, lambda done: None).positions
    columns = (places.request.tolist(), places.previous.tolist(), places.current.tolist())
    found = sorted(zip(*columns, strict=True))
    expected = sorted(
        {
            (number, tree.tokens[tree.parents[at]], tree.tokens[at])
            for number, tree in enumerate(trees)
            for at in {tree.parents[node] for path in tree.paths for node in path}
        }
    )
    assert found == expected


@pytest.mark.parametrize("family", CONFIGS)
@pytest.mark.parametrize("batch_tokens", [1, 4096])
@pytest.mark.parametrize("costs", [FEW_TOKENS, FEW_PAIRS])
def test_every_family_is_scored_as_it_scores_itself(
    family: str, batch_tokens: int, costs: PassCosts
) -> None:
    """With the window of 12 some trees are longer, and some texts too."""
    model = tiny(family)
    questions = [*QUESTIONS, (drawn((14, 3, 9), [*BEGIN, 9], 5), 5)]
    found = tree_log_likelihoods(model, trees_of(questions), batch_tokens, costs)
    for (sequences, seam), own in zip(questions, found, strict=True):
        np.testing.assert_allclose(own, plainly(model, sequences, seam), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("family", CONFIGS)
def test_trees_are_used_only_where_they_are_exact(family: str) -> None:
    only = frozenset({"one by one"})
    assert exact_ways(tiny(family)) == (only if family in ONE_BY_ONE_ONLY else WAYS)


def test_windows_are_known() -> None:
    assert longest_tree(tiny("mistral")) == longest_tree(tiny("gpt neo")) == 12
    assert longest_tree(tiny("llama")) is None


def test_a_model_that_ignores_the_mask_is_not_given_trees(monkeypatch) -> None:
    model = tiny("llama")
    run = type(model.base_model).forward

    def careless(self, input_ids=None, attention_mask=None, position_ids=None, **rest):
        return run(self, input_ids=input_ids, **rest)

    names = ("input_ids", "attention_mask", "position_ids", "past_key_values")
    monkeypatch.setattr(exact_ways_module, "NEEDED", set(names[:3]))
    monkeypatch.setattr(type(model.base_model), "forward", careless)
    assert exact_ways(model) == {"one by one"}


def test_a_model_that_does_more_after_its_hidden_states_is_refused() -> None:
    model = tiny("llama")

    def double(module, given, output):
        output.logits = output.logits * 2

    model.register_forward_hook(double)
    with pytest.raises(UserError, match="aren't those of its hidden states"):
        exact_ways(model)


def planner(trees: list[OptionTree], costs: PassCosts) -> Planner:
    return Planner(trees, costs, 4096, WAYS)


def test_the_cheapest_way_is_taken() -> None:
    alike = trees_of([(drawn((2, 2), [*range(3, 40), n], n), 38) for n in range(40, 48)])
    long = trees_of([(drawn((50, 50, 50), [3, 4, n], n), 3) for n in range(5, 9)])
    assert {batch.way for batch in planner(alike, FEW_TOKENS).plan()} == {"shared"}
    assert {batch.way for batch in planner(alike, FEW_PASSES).plan()} == {"tree"}
    assert {batch.way for batch in planner(long, FEW_PAIRS).plan()} == {"one by one"}
    mixed = {batch.way for batch in planner(alike[:1] + long[:1], FEW_TOKENS).plan()}
    assert mixed <= {"tree", "shared"}


@pytest.mark.parametrize("costs", [FEW_PASSES, FEW_TOKENS, FEW_PAIRS, PassCosts(9.0, 1.0, 0.01)])
@pytest.mark.parametrize("batch_tokens", [1, 60, 4096])
def test_a_plan_holds_every_tree_once_and_costs_what_its_batches_do(
    costs: PassCosts, batch_tokens: int
) -> None:
    trees = trees_of([*QUESTIONS, *QUESTIONS])
    planned = replace(planner(trees, costs), batch_tokens=batch_tokens)
    plan = planned.plan()
    assert sorted(number for batch in plan for number in batch.trees) == list(range(len(trees)))
    for batch in plan:
        prices = {
            "tree": planned.tree_seconds(batch.trees),
            "shared": planned.shared_seconds(batch.trees),
            "one by one": planned.one_by_one_seconds(batch.trees),
        }
        assert batch.seconds == prices[batch.way]
        assert batch.seconds <= min(prices.values()) / 0.97


def test_what_trees_share_ends_where_they_fork_or_are_scored() -> None:
    trees = trees_of(QUESTIONS)
    assert shared_beginning_of(trees[:3]) == 4
    assert shared_beginning_of(trees) == 0
    assert shared_beginning_of([merge_sequences([[1, 2, 3], [1, 2, 4]], [1, 1])]) == 1
    assert shared_beginning_of([merge_sequences([[1, 2, 3], [1, 4]], [2, 1])]) == 1


def test_costs_count_passes_tokens_and_pairs() -> None:
    """Of two trees of 7 and 8 inner nodes: one padded pass, or four tokens once and the rest after."""
    trees = trees_of(QUESTIONS[:2])
    inner = [len(tree.inner) for tree in trees]
    longest = max(inner)
    numbers = (0, 1)
    for costs, tree, shared in (
        (PassCosts(1.0, 0.0, 0.0), 1, 2),
        (FEW_TOKENS, 2 * longest, 4 + 2 * (longest - 4)),
        (FEW_PAIRS, 2 * longest**2, 4**2 + 2 * (longest - 4) * longest),
    ):
        assert planner(trees, costs).tree_seconds(numbers) == tree
        assert planner(trees, costs).shared_seconds(numbers) == shared
