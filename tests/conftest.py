"""Tiny random language models, as folders and loaded (never trained in place)."""

import re
import shutil
import string
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.language_model import LanguageModel, load_language_model
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.modeling_utils import PreTrainedModel

# The command line, run by the interpreter that runs the tests.
COMMAND = [sys.executable, "-c", "from infact.pipeline.cli import main; main()"]
DATA = Path(__file__).resolve().parents[1] / "data"
END, PADDING = "<|endoftext|>", "<|padding|>"

# Without line ends, so that no merge holds one and "\n" stays a token of its own.
TOKENIZER_TEXTS = (
    "The capital of France is Paris. Which city is the capital of Norway?",
    "Question: In which country does the river rise? Answer: Germany",
    "The gene FBN1 is associated with Marfan syndrome, and the phenotype is inherited.",
    "Facts: Oslo, capital of: Norway. Lima, capital of: Peru. Paris, continent: Europe.",
    "It is a country in the continent of Africa, and its currency is the franc.",
)


def byte_level_tokenizer(split_words: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE of 400 tokens; unless words are split first, tokens span spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=False, use_regex=split_words
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END, PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TOKENIZER_TEXTS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PADDING, model_max_length=2048
    )


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a 2-layer random Llama and its tokenizer, as save_pretrained() writes them."""
    folder = tmp_path_factory.mktemp("tiny_model")
    tokenizer = byte_level_tokenizer(split_words=True)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        # Large enough that places differ clearly and no two tokens tie.
        initializer_range=0.2,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def word_piece_tokenizer() -> PreTrainedTokenizerFast:
    """A WordPiece of 250 tokens over lower-case ASCII: most words are several pieces."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=250,
        special_tokens=special,
        initial_alphabet=list(string.ascii_lowercase + string.digits + string.punctuation),
        show_progress=False,
    )
    # Every piece may go on a word, so that no word is unknown.
    pieces = " ".join(f"a{piece}" for piece in string.ascii_lowercase + string.digits)
    tokenizer.train_from_iterator([*TOKENIZER_TEXTS, pieces], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def _tiny_bert(kind: type[BertModel | BertForMaskedLM | BertForPreTraining], folder: Path) -> Path:
    tokenizer = word_piece_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 2-layer random BERT without a head for masked tokens, and its tokenizer."""
    return _tiny_bert(BertModel, tmp_path_factory.mktemp("tiny_encoder"))


@pytest.fixture(scope="session")
def tiny_masked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its head."""
    return _tiny_bert(BertForMaskedLM, tmp_path_factory.mktemp("tiny_masked"))


@pytest.fixture(scope="session")
def tiny_pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with that head and the one that tells whether a sentence follows another."""
    return _tiny_bert(BertForPreTraining, tmp_path_factory.mktemp("tiny_pair"))


@pytest.fixture(scope="session")
def tiny_masked(tiny_masked_folder: Path) -> LanguageModel:
    return load_language_model(tiny_masked_folder, None, torch.float32)


@pytest.fixture(scope="session")
def tiny_countries(tiny_model_folder: Path) -> Callable[[Path], Path]:
    """Write the countries project with the tiny model into a folder; gives its project file."""

    def write(folder: Path) -> Path:
        shutil.copy(DATA / "countries/countries.ttl", folder)
        text = (DATA / "countries/infact.toml").read_text(encoding="utf-8")
        text = re.sub(r'base = ".*"', f'base = "{tiny_model_folder}"', text)
        text = re.sub(r'artifacts = ".*"', 'artifacts = "artifacts"', text)
        # One in eight of the general facts: every arm is asked all of them.
        general = (DATA / "general/facts.jsonl").read_text(encoding="utf-8").splitlines(True)
        (folder / "general.jsonl").write_text("".join(general[::8]), encoding="utf-8")
        text = text.replace("[facts]\n", '[facts]\ngeneral = ["general.jsonl"]\n')
        (folder / "infact.toml").write_text(text, encoding="utf-8")
        return folder / "infact.toml"

    return write


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path) -> PreTrainedModel:
    return load_causal_model(tiny_model_folder, torch.float32)


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_model_folder: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(tiny_model_folder)


@pytest.fixture(scope="session")
def spanning_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of the tiny model's size whose tokens may join a prompt's end to an answer."""
    return byte_level_tokenizer(split_words=False)
