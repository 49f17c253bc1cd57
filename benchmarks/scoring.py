"""Option scoring: prompts shared among their options, against one text an option in batches.

    python benchmarks/scoring.py MODEL FACTS [--count 48] [--batch-size 32]

MODEL is a causal model's folder, FACTS a folder that the facts stage wrote. Both sides score the
same options of the same questions and must choose alike; the option-by-option side is what
evaluation harnesses do, with logits at the options' tokens only.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import torch
import transformers
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.option_scoring import option_scores, tree_states
from infact.models.option_tree import build_option_tree, shared_length
from infact.models.read_out import next_token_log_probabilities, own_read_out
from infact.models.token_batches import TokenRow, collate_rows
from infact.pipeline.asked_questions import AskedQuestion, asked_questions
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

TURNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--batch-size", type=int, default=32)
    arguments = parser.parse_args()
    model, tokenizer = (
        load_causal_model(arguments.model, torch.float32),
        load_tokenizer(arguments.model),
    )
    questions = asked_questions(arguments.facts, ("M",))[: arguments.count]
    print(
        f"python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    )
    seconds: dict[str, list[float]] = {"shared": [], "one by one": []}
    for _ in range(TURNS):
        started = time.perf_counter()
        ours = shared(model, tokenizer, questions)
        seconds["shared"].append(time.perf_counter() - started)
        started = time.perf_counter()
        theirs = one_by_one(model, tokenizer, questions, arguments.batch_size)
        seconds["one by one"].append(time.perf_counter() - started)
    largest = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    alike = sum(int(a.argmax() == b.argmax()) for a, b in zip(ours, theirs, strict=True))
    for name, turns in seconds.items():
        print(f"{name:<11} {len(questions) / np.median(turns):.2f} questions a second")
    ratio = np.median(seconds["one by one"]) / np.median(seconds["shared"])
    print(
        f"ratio       {ratio:.2f}; {alike} of {len(questions)} choices alike, scores within {largest:.1e} nats"
    )


def shared(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, questions: list[AskedQuestion]
) -> list[np.ndarray]:
    """Each question as one tree."""
    trees = [build_option_tree(tokenizer, item.prompt, item.options) for item in questions]
    states = tree_states(model, trees, 4096, lambda done: None)
    return option_scores(model, states, trees, [own_read_out])[0]


@torch.inference_mode()
def one_by_one(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: list[AskedQuestion],
    batch_size: int,
) -> list[np.ndarray]:
    """Every option as a text of its own, in batches of similar length."""
    rows, owners = [], []
    for number, item in enumerate(questions):
        alone = tokenizer(item.prompt)["input_ids"]
        for option in item.options:
            tokens = tokenizer(f"{item.prompt} {option}")["input_ids"]
            seam = shared_length(alone, tokens)
            rows.append(
                TokenRow(tuple(tokens), tuple(float(i >= seam) for i in range(len(tokens))))
            )
            owners.append(number)
    scores = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        batch = collate_rows([rows[row] for row in chosen], padding=0)
        hidden = model.base_model(
            input_ids=batch.tokens, attention_mask=batch.mask, use_cache=False
        ).last_hidden_state
        place = batch.weights[:, 1:] > 0
        table = next_token_log_probabilities(model, hidden[:, :-1][place])
        found = torch.zeros(place.shape)
        found[place] = table.gather(1, batch.tokens[:, 1:][place][:, None]).squeeze(1)
        scores[chosen] = found.sum(dim=1).numpy()
    starts = np.searchsorted(owners, range(len(questions) + 1))
    return [scores[starts[i] : starts[i + 1]] for i in range(len(questions))]


if __name__ == "__main__":
    main()
