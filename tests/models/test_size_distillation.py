"""A smaller model of every family, and the loss that teaches it, held against plain formulas."""

import math
from functools import partial

import pytest
import torch
from infact.errors import UserError
from infact.models.attention_projections import kept_projections
from infact.models.predicted_texts import PredictedBatch, collate_predicted, continued_text
from infact.models.shrunk_model import evenly, shrunk_model
from infact.models.size_distillation import (
    SizeStudent,
    SizeWeights,
    relation_divergence,
    size_distillation_loss,
)
from infact.models.training import Curriculum, TrainingSettings, train
from infact.models.transformer_blocks import transformer_blocks
from torch import nn

from .test_fused_model import CAUSAL, HIDDEN, MASKED, WORDS, texts, tiny


def batch() -> PredictedBatch:
    """Two texts, one shorter."""
    ids = texts()["input_ids"]
    rows = [ids[0].tolist(), ids[1, :6].tolist()]
    return collate_predicted([continued_text(row, (1.0,) * len(row)) for row in rows])


@pytest.fixture(params=[*CAUSAL, *MASKED])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_blocks_are_taken_evenly() -> None:
    assert evenly(30, 15)[:3] == (0, 2, 4)
    assert evenly(30, 15)[-1] == 29
    assert evenly(6, 6) == tuple(range(6))
    assert evenly(6, 1) == (5,)
    assert evenly(6, 2) == (0, 5)


def test_a_smaller_model_is_the_whole_without_some_blocks(family: str) -> None:
    whole = tiny(family)
    smaller = shrunk_model(whole, (0, 2))
    assert type(smaller) is type(whole)
    assert len(transformer_blocks(smaller)) == 2

    # The whole, its middle block passing on what it is given, is the same model.
    def passed_on(module: nn.Module, args: tuple, kwargs: dict, output: object) -> object:
        given = args[0] if args else kwargs["hidden_states"]
        return given if isinstance(output, torch.Tensor) else (given, *output[1:])

    transformer_blocks(whole)[1].register_forward_hook(passed_on, with_kwargs=True)
    with torch.no_grad():
        expected, found = (model(**texts()).logits for model in (whole, smaller))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_all_blocks_are_the_model_itself(family: str) -> None:
    whole = tiny(family)
    with torch.no_grad():
        assert torch.equal(
            shrunk_model(whole, (0, 1, 2))(**texts()).logits, whole(**texts()).logits
        )


@pytest.mark.parametrize("kept", [(), (0, 3), (1, 0), (1, 1)])
def test_blocks_that_are_not_there_are_an_error(kept: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no blocks of 3"):
        shrunk_model(tiny("Llama"), kept)


def test_queries_keys_and_values_are_found(family: str) -> None:
    model = tiny(family)
    with kept_projections(transformer_blocks(model)[1]) as kept, torch.no_grad():
        model(**texts())
    assert len(kept) == 3
    assert [part.shape[:2] for part in kept] == [(3, 9)] * 3
    assert kept[0].shape[2] == HIDDEN


def test_a_block_without_them_says_what_to_leave_out() -> None:
    with (
        pytest.raises(UserError, match="aren't found in Linear") as raised,
        kept_projections(nn.Linear(2, 2)),
    ):
        pass
    assert "relation_weight = 0" in raised.value.fix


def test_relations_diverge_as_plain_loops_say() -> None:
    generator = torch.Generator().manual_seed(0)
    teacher, student = (torch.randn(2, 4, width, generator=generator) for width in (12, 8))
    there = torch.tensor([[True, True, True, True], [True, True, False, False]])
    found, rows = [], 0
    for text in range(2):
        places = [place for place in range(4) if there[text, place]]
        for place in places:
            for head in range(2):
                shares = []
                for vectors in (teacher, student):
                    width = vectors.shape[2] // 2
                    own = vectors[text, :, head * width : (head + 1) * width]
                    scores = torch.stack([own[place] @ own[other] for other in places])
                    shares.append((scores / math.sqrt(width)).softmax(0))
                found.append((shares[0] * (shares[0] / shares[1]).log()).sum())
                rows += 1
    expected = torch.stack(found).sum() / rows
    torch.testing.assert_close(relation_divergence(teacher, student, there, 2), expected)


def test_the_whole_model_as_its_own_student_loses_nothing(family: str) -> None:
    teacher = tiny(family)
    model = SizeStudent(shrunk_model(teacher, (0, 1, 2)), teacher, (0, 1, 2))
    loss = size_distillation_loss(model, teacher, batch(), SizeWeights())
    assert abs(float(loss)) < 1e-4


def test_each_part_of_the_loss_is_its_formula() -> None:
    teacher = tiny("Llama")
    model = SizeStudent(shrunk_model(teacher, (0, 2)), teacher, (0, 2))
    asked = batch()
    nothing = SizeWeights(2.0, 0.0, 0.0)
    logits, states = [], []
    for each, layers in ((teacher, (1, 3)), (model.student, (1, 2))):
        out = each(asked.tokens, attention_mask=asked.mask, output_hidden_states=True)
        logits.append(out.logits[asked.at.rows, asked.at.places])
        inner = each.base_model
        kept = [out.hidden_states[layer] for layer in layers]
        if layers[-1] == each.config.num_hidden_layers:  # the last one has been through the norm
            handle = transformer_blocks(each)[-1].register_forward_hook(
                lambda module, args, output, kept=kept: kept.__setitem__(
                    -1, output if isinstance(output, torch.Tensor) else output[0]
                )
            )
            inner(asked.tokens, attention_mask=asked.mask)
            handle.remove()
        states.append(kept)
    expected, found = (each / 2 for each in logits)
    shares = expected.softmax(-1)
    divergence = 4 * (shares * (expected.log_softmax(-1) - found.log_softmax(-1))).sum(-1).mean()
    loss = size_distillation_loss(model, teacher, asked, nothing)
    torch.testing.assert_close(loss, divergence, atol=1e-5, rtol=1e-4)
    there, distances = asked.mask.bool(), []
    for theirs, mine in zip(*states, strict=True):
        unit = [each / each.square().mean(-1, keepdim=True).sqrt() for each in (theirs, mine)]
        distances.append((unit[0] - unit[1])[there].square().mean())
    more = size_distillation_loss(model, teacher, asked, SizeWeights(2.0, 0.5, 0.0)) - loss
    torch.testing.assert_close(more, 0.5 * torch.stack(distances).mean(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("width", [HIDDEN, 16])
def test_a_student_comes_nearer(width: int, tmp_path) -> None:
    teacher = tiny("Llama")
    if width == HIDDEN:
        student = shrunk_model(teacher, (0, 2))
    else:  # another width: its states are mapped
        config = type(teacher.config)(
            **{
                **teacher.config.to_dict(),
                "hidden_size": width,
                "num_hidden_layers": 2,
                "head_dim": 4,
            }
        )
        torch.manual_seed(3)
        student = type(teacher)(config)
    model = SizeStudent(student, teacher, (0, 2))
    frozen = student.get_input_embeddings().weight.clone()
    record = train(
        model,
        Curriculum(lambda epoch: [batch()], lambda own: own.size),
        partial(size_distillation_loss_of, teacher),
        TrainingSettings(learning_rate=1e-2, epochs=30, checkpoint_steps=10**9),
        tmp_path / "c.safetensors",
        lambda done: None,
    )
    assert record.losses[-1] < 0.6 * record.losses[0]
    assert torch.equal(student.get_input_embeddings().weight, frozen)
    assert student.config.vocab_size == WORDS


def size_distillation_loss_of(teacher, model, own) -> torch.Tensor:
    return size_distillation_loss(model, teacher, own, SizeWeights())
