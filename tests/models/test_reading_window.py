import pytest
from infact.errors import UserError
from infact.models.reading_window import check_window, reading_window
from transformers import AutoModelForCausalLM, GPT2Config


@pytest.fixture(scope="module")
def short():
    config = GPT2Config(vocab_size=60, n_embd=16, n_layer=1, n_head=2, n_positions=32)
    return AutoModelForCausalLM.from_config(config)


def test_what_fits_passes_and_one_token_more_is_refused(short, tiny_tokenizer) -> None:
    text = "capital of Estonia"
    length = len(tiny_tokenizer(text)["input_ids"])
    assert reading_window(short) == 32
    check_window(short, tiny_tokenizer, [text], 32 - length, "here")
    with pytest.raises(UserError, match="33 tokens are to be read and written") as error:
        check_window(short, tiny_tokenizer, ["a", text], 33 - length, "here")
    assert error.value.where.startswith("here: capital of Estonia")


def test_no_text_fits(short, tiny_tokenizer) -> None:
    check_window(short, tiny_tokenizer, [], 99, "here")
