"""One text answered by choice, held against the probabilities of its options."""

import numpy as np
import pytest
import torch
from infact.models.read_out import own_read_out
from infact.pipeline.arms import FusedArm
from infact.pipeline.ask import said_first
from infact.pipeline.asked_arms import chosen_shares, free_answers

OPTIONS = ("Oslo", "Lima, Peru", "Paris")


def test_options_share_what_the_model_gives_them(tiny_model, tiny_tokenizer) -> None:
    text = "The capital of Norway is"
    arms = {"base": FusedArm(own_read_out), "again": FusedArm(own_read_out)}
    found = chosen_shares(tiny_model, tiny_tokenizer, text, arms, OPTIONS)
    scores = []
    for option in OPTIONS:
        tokens = tiny_tokenizer(f"{text} {option}")["input_ids"]
        start = len(tiny_tokenizer(text)["input_ids"])
        chances = tiny_model(torch.tensor([tokens])).logits[0].log_softmax(-1)
        scores.append(sum(float(chances[at - 1, tokens[at]]) for at in range(start, len(tokens))))
    expected = np.exp(scores) / np.exp(scores).sum()
    for shares in found.values():
        assert shares == pytest.approx(expected, rel=1e-3)


def test_every_arm_writes_by_its_own_read_out(tiny_model, tiny_tokenizer) -> None:
    def turned(places, own):
        return own.flip(1)

    arms = {"base": FusedArm(own_read_out), "turned": FusedArm(turned)}
    said = free_answers(tiny_model, tiny_tokenizer, "The capital of Norway is", arms, 4)
    assert said["base"] != said["turned"]


def test_facts_that_hold_what_was_said_come_first() -> None:
    facts = ["gout: a disease", "gout: treated by Colchicine", "gout: hurts"]
    assert said_first(facts, ["colchicine.", ""]) == [facts[1], facts[0], facts[2]]
    assert said_first(facts, ["", "."]) == facts
