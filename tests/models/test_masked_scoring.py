"""Pseudo-log-likelihoods against masking one token at a time, on tiny models of several families."""

import pytest
import torch
from infact.models import masked_places
from infact.models.masked_places import logits_at
from infact.models.masked_scoring import masked_rows, pseudo_log_likelihoods
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AutoModelForMaskedLM,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

GROUPS = (
    ("Oslo is the capital of Norway.", "Lima is the capital of Norway."),
    ("Paris lies in Europe", "Paris lies in South America", "Paris lies in Asia"),
)
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """WordPiece with few enough pieces that words are split."""
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=60, special_tokens=special, show_progress=False)
    words.train_from_iterator([text for group in GROUPS for text in group], trainer)
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, words.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def tiny(config_class, tokenizer):
    names = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    if config_class is DistilBertConfig:
        config = DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=64, **names)
    elif config_class is ModernBertConfig:
        ends = {"cls_token_id": 2, "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3}
        config = ModernBertConfig(**SIZES, **names, **ends)
    else:
        config = config_class(**SIZES, **names)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForMaskedLM.from_config(config)
    return model.eval()


@torch.no_grad()
def plainly(model, tokenizer, statement: str, context: str = "") -> float:
    """Every token of the statement masked with the rest of its word, each in a pass of its own."""
    encoded = tokenizer(context + statement, return_offsets_mapping=True)
    tokens, words = encoded["input_ids"], encoded.word_ids()
    total = 0.0
    for place, word in enumerate(words):
        if word is None or encoded["offset_mapping"][place][1] <= len(context):
            continue
        masked = [
            tokenizer.mask_token_id if words[spot] == word and spot >= place else token
            for spot, token in enumerate(tokens)
        ]
        logits = model(torch.tensor([masked])).logits[0, place].double()
        total += logits.log_softmax(-1)[tokens[place]].item()
    return total


FAMILIES = [
    AlbertConfig,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    MPNetConfig,
    ModernBertConfig,
    RobertaConfig,
]
NARROWED = [BertConfig, DebertaV2Config, ElectraConfig, RobertaConfig]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("batch_tokens", [1, 64, 4096])
def test_scores_are_those_of_masking_one_at_a_time(tokenizer, family, batch_tokens) -> None:
    model = tiny(family, tokenizer)
    found = pseudo_log_likelihoods(model, tokenizer, GROUPS, ["", ""], batch_tokens)
    for group, scores in zip(GROUPS, found, strict=True):
        expected = [plainly(model, tokenizer, text) for text in group]
        assert scores.tolist() == pytest.approx(expected, rel=1e-4)
        assert len({round(score, 3) for score in expected}) == len(expected)


def test_a_context_is_read_and_not_scored(tokenizer) -> None:
    model, context = tiny(BertConfig, tokenizer), "Europe is Paris. "
    with_it = pseudo_log_likelihoods(model, tokenizer, GROUPS, ["", context], 64)
    without = pseudo_log_likelihoods(model, tokenizer, GROUPS, ["", ""], 64)
    expected = [plainly(model, tokenizer, text, context) for text in GROUPS[1]]
    assert with_it[1].tolist() == pytest.approx(expected, rel=1e-4)
    assert with_it[0].tolist() == pytest.approx(without[0].tolist(), rel=1e-5)
    assert with_it[1].tolist() != pytest.approx(without[1].tolist(), rel=1e-3)


def test_the_rest_of_a_word_is_masked_with_its_piece(tokenizer) -> None:
    statement = "Norway"
    pieces = tokenizer(statement)["input_ids"][1:-1]
    assert len(pieces) > 1, "the case needs a word of several pieces"
    rows = masked_rows(tokenizer, statement)
    mask = tokenizer.mask_token_id
    assert [row.target for row in rows] == pieces
    for number, row in enumerate(rows):
        assert list(row.tokens[1:-1]) == pieces[:number] + [mask] * (len(pieces) - number)
        assert row.place == number + 1


def forwards_of(model, run) -> list[torch.Tensor]:
    """Inputs of the base model's passes while `run()` runs."""
    passes: list[torch.Tensor] = []
    handle = model.base_model.register_forward_pre_hook(
        lambda module, given, named: passes.append(given[0] if given else named["input_ids"]),
        with_kwargs=True,
    )
    run()
    handle.remove()
    return passes


def test_rows_that_differ_in_their_target_alone_are_run_once(tokenizer) -> None:
    model = tiny(BertConfig, tokenizer)
    single = [letter for letter in "aeos" if len(tokenizer(letter)["input_ids"]) == 3]
    assert len(single) > 1, "the case needs words of one piece"
    statements = [f"{letter} lies in Europe" for letter in single]
    logits_at(model, torch.tensor([[7, 8]]), torch.tensor([0]), None)  # the check of its structure
    asked = [statements[:1]], [statements]
    rows = []
    for groups in asked:
        score = lambda groups=groups: pseudo_log_likelihoods(  # noqa: E731
            model, tokenizer, groups, [""], 9999
        )
        first = forwards_of(model, score)[0]
        rows.append(len(first))
    one, several = rows
    assert several == one + (one - 1) * (len(single) - 1)


@pytest.mark.parametrize(
    ("family", "narrowed"),
    [(family, family in NARROWED) for family in FAMILIES],
)
def test_the_last_block_is_narrowed_where_that_is_exact(tokenizer, family, narrowed: bool) -> None:
    model = tiny(family, tokenizer)
    tokens = torch.arange(14).reshape(2, 7) + 5
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2])
    found = logits_at(model, tokens, torch.tensor([2, 4]), mask)
    with torch.no_grad():
        own = model(input_ids=tokens, attention_mask=mask).logits[torch.arange(2), [2, 4]]
    torch.testing.assert_close(found, own, rtol=1e-4, atol=1e-4)
    assert masked_places._known[model] is narrowed


def test_a_block_that_looks_sideways_after_its_attention_is_run_whole(tokenizer) -> None:
    model = tiny(BertConfig, tokenizer)
    last = model.bert.encoder.layer[-1]
    last.output.register_forward_hook(lambda module, given, output: output + output.mean(1, True))
    tokens = torch.arange(14).reshape(2, 7) + 5
    found = logits_at(model, tokens, torch.tensor([2, 4]), None)
    with torch.no_grad():
        own = model(input_ids=tokens).logits[torch.arange(2), [2, 4]]
    torch.testing.assert_close(found, own, rtol=1e-4, atol=1e-4)
    assert masked_places._known[model] is False


def test_the_model_is_as_it_was_afterwards(tokenizer) -> None:
    model = tiny(BertConfig, tokenizer)
    tokens = torch.tensor([tokenizer("Lima")["input_ids"]])
    before = model(tokens).logits
    pseudo_log_likelihoods(model, tokenizer, GROUPS, ["", ""], 64)
    assert torch.equal(model(tokens).logits, before)
