"""A fused model of every family: the base's to the bit where nothing is read, and read rightly."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest
import torch
import transformers
from infact.errors import UserError
from infact.models.early_fusion import EarlyFusion
from infact.models.fact_memory import TokenFact, build_fact_memory
from infact.models.fused_model import FusedModel
from infact.models.fusion_adapter import STRATEGIES
from infact.models.fusion_strategy import FusionSizes
from infact.models.transformer_blocks import transformer_blocks
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

WORDS, HIDDEN, VECTOR = 61, 32, 8
COMMON = {
    "vocab_size": WORDS,
    "hidden_size": HIDDEN,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
FEWER_KEYS = {"num_key_value_heads": 2, "head_dim": 8, "bos_token_id": 1, "eos_token_id": None}
CAUSAL = {
    "GPT2": {
        "vocab_size": WORDS,
        "n_embd": HIDDEN,
        "n_layer": 3,
        "n_head": 4,
        "n_positions": 64,
        "bos_token_id": 1,
        "eos_token_id": None,
    },
    "Llama": COMMON | FEWER_KEYS,
    "Qwen3": COMMON | FEWER_KEYS,
    "Gemma3Text": COMMON | FEWER_KEYS | {"sliding_window": 4, "query_pre_attn_scalar": 8},
    "Mistral": COMMON | FEWER_KEYS | {"sliding_window": 4},
    "OPT": COMMON | {"ffn_dim": 48, "word_embed_proj_dim": HIDDEN, "eos_token_id": None},
    "Phi": COMMON | {"bos_token_id": 1, "eos_token_id": None},
}
MASKED = {
    "Bert": COMMON,
    "Roberta": COMMON,
    "DebertaV2": COMMON | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "ModernBert": COMMON | {"cls_token_id": 1, "sep_token_id": 2},
    "DistilBert": {
        "vocab_size": WORDS,
        "dim": HIDDEN,
        "n_layers": 3,
        "n_heads": 4,
        "hidden_dim": 48,
        "pad_token_id": 0,
    },
    "Electra": COMMON | {"embedding_size": HIDDEN},
}
NAMES = {
    "GPT2": ("GPT2Config", "GPT2LMHeadModel"),
    "Gemma3Text": ("Gemma3TextConfig", "Gemma3ForCausalLM"),
}
MEMORY = build_fact_memory(
    [
        [TokenFact(0, 1, (5, 6)), TokenFact(1, -1, (7,), -0.9)],
        [TokenFact(2, 0, (9, 10, 11))],
        [],
    ]
)


def tiny(family: str) -> PreTrainedModel:
    torch.manual_seed(0)
    kind = "CausalLM" if family in CAUSAL else "MaskedLM"
    config, model = NAMES.get(family, (f"{family}Config", f"{family}For{kind}"))
    settings = (CAUSAL | MASKED)[family]
    made = getattr(transformers, model)(getattr(transformers, config)(**settings))
    return made.eval().requires_grad_(False)


PLACE = 2  # keeps a fact's place in these texts, of which none else holds it


def fused(family: str, strategy: str = "attention", trained: bool = True) -> FusedModel:
    base = tiny(family)
    torch.manual_seed(1)
    layers = () if strategy == "early" else (0, 2)
    sizes = FusionSizes(HIDDEN, VECTOR, layers, heads=2, key=8)
    fusion = STRATEGIES[strategy](sizes, torch.randn(3, HIDDEN), torch.randn(2, VECTOR))
    if trained:
        for name, weights in fusion.named_parameters():
            if name.endswith(("copied", "null", "gate")):
                torch.nn.init.normal_(weights, std=8.0)
            elif name.endswith(("joined.weight", "met.weight")):
                torch.nn.init.normal_(weights, std=0.3)
    if isinstance(fusion, EarlyFusion):
        fusion.place.fill_(PLACE)
    return FusedModel(base, fusion)


def reading(model: FusedModel, rows: Sequence[int] = (0, 1, 2)) -> AbstractContextManager[None]:
    """A session of these rows of `MEMORY`, whose facts are read everywhere if they have no places."""
    chosen = torch.tensor(rows)
    read_from = torch.tensor([[0, 3], [0, 0], [0, 0]])[chosen]
    return model.session(MEMORY.select(chosen), read_from if model.fusion.own_places else None)


def texts(rows: int = 3, tokens: int = 9) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(3, WORDS, (rows, tokens), generator=generator)
    ids[0, 5], ids[1, 6] = 5, 9  # labels that have been begun
    ids[0, 8] = PLACE
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


@pytest.fixture(params=[*CAUSAL, *MASKED])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_is_the_base_to_the_bit_until_it_is_trained_and_outside_of_a_session(
    family: str, strategy: str
) -> None:
    expected = tiny(family)(**texts()).logits
    model = fused(family, strategy, trained=False)
    with reading(model):
        found = model(**texts()).logits
    # Early fusion has begun by what it lays down: a text without facts is the base's, and see its own test.
    alike = slice(2, 3) if strategy == "early" else slice(None)
    assert torch.equal(found[alike], expected[alike])
    trained = fused(family, strategy)
    with reading(trained):
        assert not torch.equal(trained(**texts()).logits[:2], expected[:2])
    assert torch.equal(trained(**texts()).logits, expected)
    assert torch.equal(trained.detach()(**texts()).logits, expected)


def test_a_request_reads_its_own_facts_alone(family: str, strategy: str) -> None:
    model = fused(family, strategy)
    with reading(model):
        together = model(**texts()).logits
    for row in range(3):
        one = {name: tensor[row : row + 1] for name, tensor in texts().items()}
        with reading(model, [row]):
            alone = model(**one).logits
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-5, rtol=1e-4)
    assert torch.allclose(together[2], tiny(family)(**texts()).logits[2], atol=1e-5)


def test_gradients_reach_every_part_of_the_adapter_with_checkpointing_too(
    family: str, strategy: str
) -> None:
    found = []
    for checkpointed in (False, True):
        model = fused(family, strategy)
        if checkpointed:
            model.checkpoint_gradients()
            model.base.train()
            _without_dropout(model.base)
        with reading(model):
            loss = model(**texts()).logits.float().square().mean()
        loss.backward()
        gradients = [weights.grad for weights in model.fusion.parameters()]
        assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
        found.append([gradient for gradient in gradients if gradient is not None])
    for plain, again in zip(*found, strict=True):
        torch.testing.assert_close(plain, again, atol=1e-5, rtol=1e-3)


def _without_dropout(base: PreTrainedModel) -> None:
    """Some families keep its probability as a number and not in a module."""
    for module in base.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name, value in vars(module).items():
            if "drop" in name and isinstance(value, float):
                setattr(module, name, 0.0)
            if type(value).__name__ == "StableDropout":
                value.drop_prob = 0.0


@pytest.mark.parametrize("family", CAUSAL)
def test_nothing_is_read_before_its_mention_has_ended(family: str, strategy: str) -> None:
    model = fused(family, strategy)
    read_from = torch.full_like(MEMORY.relation, 4)
    with model.session(MEMORY, read_from):
        logits = model(**texts()).logits
    expected = tiny(family)(**texts()).logits
    assert torch.equal(logits[:, :4], expected[:, :4])
    assert not torch.allclose(logits[:2, 4:6], expected[:2, 4:6])


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("family", CAUSAL)
def test_it_writes_the_same_with_and_without_a_cache(
    family: str, strategy: str, beams: int
) -> None:
    model = fused(family, strategy)
    read_from = torch.full_like(MEMORY.relation, 3)
    written = []
    for cached in (True, False):
        with model.session(MEMORY, read_from):
            written.append(_written(model, texts(), beams, cached))
    assert torch.equal(*written)
    assert not torch.equal(written[0], _written(model, texts(), beams, True))


def _written(model: FusedModel, given: dict[str, Tensor], beams: int, cached: bool) -> Tensor:
    found: Tensor = model.generate(
        **given,
        max_new_tokens=4,
        min_new_tokens=4,
        num_beams=beams,
        do_sample=False,
        use_cache=cached,
        pad_token_id=0,
    )
    return found


@pytest.mark.parametrize("family", CAUSAL)
def test_padding_on_the_left_moves_no_mention(family: str, strategy: str) -> None:
    model = fused(family, strategy)
    given = texts()
    padded = {
        "input_ids": torch.cat([torch.zeros(3, 4, dtype=torch.long), given["input_ids"]], dim=1),
        "attention_mask": torch.cat(
            [torch.zeros(3, 4, dtype=torch.long), given["attention_mask"]], 1
        ),
    }
    read_from = torch.full_like(MEMORY.relation, 5)
    with model.session(MEMORY, read_from):
        plain, moved = (_written(model, each, 1, True) for each in (given, padded))
    assert torch.equal(plain[:, 9:], moved[:, 13:])


def test_a_memory_stays_in_its_thread_and_ends_with_an_error(strategy: str) -> None:
    model, expected = fused("Llama", strategy), tiny("Llama")(**texts()).logits
    found: list[Tensor] = []
    with reading(model):
        thread = threading.Thread(target=lambda: found.append(model(**texts()).logits))
        thread.start()
        thread.join()
        with pytest.raises(ValueError, match="no multiple"):
            model(**texts(rows=4))
        assert not torch.equal(model(**texts()).logits, expected)
    assert torch.equal(found[0], expected)
    with pytest.raises(KeyboardInterrupt), reading(model):
        raise KeyboardInterrupt
    assert torch.equal(model(**texts()).logits, expected)


def test_threads_read_their_own_facts_at_the_same_time(strategy: str) -> None:
    model = fused("Llama", strategy)
    memories = [[0, 0, 0], [1, 1, 1]]
    found: dict[int, Tensor] = {}
    both = threading.Barrier(2)

    def read(number: int) -> None:
        with reading(model, memories[number]):
            both.wait()
            found[number] = model(**texts()).logits

    threads = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, memory in enumerate(memories):
        with reading(model, memory):
            assert torch.equal(found[number], model(**texts()).logits)


def test_a_base_without_blocks_says_how_to_name_them() -> None:
    base = tiny("Llama")
    base.config.num_hidden_layers = 7
    with pytest.raises(UserError, match="no list of 7 blocks") as raised:
        transformer_blocks(base)
    assert "model.layers" in raised.value.fix
    assert len(transformer_blocks(base, "model.layers")) == 3
    with pytest.raises(UserError, match="no list of blocks"):
        transformer_blocks(base, "model.norm")


def test_a_layer_that_isnt_there_is_an_error() -> None:
    sizes = FusionSizes(HIDDEN, VECTOR, layers=(3,))
    fusion = STRATEGIES["attention"](sizes, torch.randn(3, HIDDEN), torch.randn(2, VECTOR))
    with pytest.raises(ValueError, match=r"\[3\]"):
        FusedModel(tiny("GPT2"), fusion)


def test_facts_with_places_of_their_own_need_them_named() -> None:
    with pytest.raises(ValueError, match="read_from"), fused("Llama", "early").session(MEMORY):
        pass
