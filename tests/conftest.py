"""A tiny random language model, as a folder and loaded (never trained in place)."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from infact.models.base_model import load_causal_model, load_tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
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


@pytest.fixture(scope="session")
def tiny_countries(tiny_model_folder: Path) -> Callable[[Path], Path]:
    """Write the countries project with the tiny model into a folder; gives its project file."""

    def write(folder: Path) -> Path:
        shutil.copy(DATA / "countries/countries.ttl", folder)
        text = (DATA / "countries/infact.toml").read_text(encoding="utf-8")
        text = re.sub(r'base = ".*"', f'base = "{tiny_model_folder}"', text)
        text = re.sub(r'artifacts = ".*"', 'artifacts = "artifacts"', text)
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
