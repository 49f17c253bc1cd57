from pathlib import Path

import numpy as np
import pytest
import torch
from infact.models.sentence_vectors import dense_ranking
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

PASSAGES = ["the cat sat", "the dog ran", "a river in peru", "the cat"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({word for text in PASSAGES for word in text.split()})
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    BertTokenizerFast(str(vocabulary)).save_pretrained(folder)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
    config = BertConfig(vocab_size=5 + len(words), num_hidden_layers=2, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder


def test_ranking_is_by_cosine_of_mean_states(encoder: Path) -> None:
    model, tokenizer = AutoModel.from_pretrained(encoder), AutoTokenizer.from_pretrained(encoder)

    def vector(text: str) -> np.ndarray:
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(0).numpy()
        return mean / np.linalg.norm(mean)

    done: list[int] = []
    queries = ["the cat ran", "peru"]
    found = dense_ranking(encoder, PASSAGES, queries, 3, done.append)
    for query, row in zip(queries, found.tolist(), strict=True):
        similarity = [float(vector(query) @ vector(passage)) for passage in PASSAGES]
        assert row == sorted(range(4), key=lambda n: -similarity[n])[:3]
    assert sum(done) == len(PASSAGES)
