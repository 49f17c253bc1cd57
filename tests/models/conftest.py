"""The tiny model and its tokenizer, loaded; never trained in place."""

from pathlib import Path

import pytest
import torch
from infact.models.base_model import load_causal_model, load_tokenizer
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path) -> PreTrainedModel:
    return load_causal_model(tiny_model_folder, torch.float32)


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_model_folder: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(tiny_model_folder)
