"""Several processes take the step that one takes: the gradients of a batch's parts add up to its own."""

import copy
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infact.models.anchors import AnchoredBatch, anchor_batches, anchored_loss, anchored_part
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings, ModelName, OptimizerName
from infact.models.fused_text_loss import practice_loss
from infact.models.fusion_adapter import STRATEGIES
from infact.models.kept_bottom import bottom_states
from infact.models.language_model import LanguageModel
from infact.models.language_model_loss import weighted_cross_entropy
from infact.models.negative_batches import negative_batches, negatives_part
from infact.models.negative_sampling_loss import negative_sampling_loss
from infact.models.one_vs_all_loss import one_vs_all_loss
from infact.models.packed_texts import pack_predicted
from infact.models.practice_batches import answer_states, drawn_batch, practice_states
from infact.models.practice_texts import draw_part, epoch_of_texts
from infact.models.predicted_texts import (
    PredictedBatch,
    PredictedText,
    collate_predicted,
    predicted_part,
)
from infact.models.process_team import TrainingOver, UnsharedMistakeError
from infact.models.shared_steps import Part, SharedSteps
from infact.models.size_distillation import SizeStudent, SizeWeights, size_distillation_loss
from infact.models.soft_prompt import add_soft_prompt, soft_prompt_loss
from infact.models.teacher_cache import TaughtText, collate_taught, distillation_loss, taught_part
from infact.models.triple_batches import triple_batches, triples_part
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from ..launched_processes import launched
from .conftest import World
from .test_practice_texts import fused, ignore, practised

TEXTS, WORDS = 7, 240


def random_texts(count: int, seed: int) -> list[PredictedText]:
    """Texts of 4 to 12 tokens, some of which are predicted, by weights of their own."""
    random = np.random.default_rng(seed)
    texts = []
    for length in random.integers(4, 13, count):
        places = np.sort(random.permutation(length)[: random.integers(1, 4)])
        texts.append(
            PredictedText(
                tuple(random.integers(10, WORDS, length).tolist()),
                tuple(places.tolist()),
                tuple(random.integers(10, WORDS, len(places)).tolist()),
                tuple(random.uniform(0.1, 1.0, len(places)).tolist()),
            )
        )
    return texts


def gradient(model: nn.Module, loss: Tensor) -> Tensor:
    trained = [value for value in model.parameters() if value.requires_grad]
    found = torch.autograd.grad(loss, trained, allow_unused=True, materialize_grads=True)
    return torch.cat([each.to_dense().flatten() for each in found])


def check_parts(
    model: nn.Module, batch: Any, loss: Callable[[Any, Any], Tensor], part: Part[Any], parts: int
) -> None:
    """Their losses and gradients add up to the whole's, and each is less than it."""
    own = [part(batch, number, parts) for number in range(parts)]
    values = [loss(model, each) for each in own if each is not None]
    whole = loss(model, batch)
    torch.testing.assert_close(sum(values), whole, atol=1e-6, rtol=1e-5)
    assert len(values) > 1
    assert all(value < whole for value in values)
    expected = gradient(model, whole)
    assert expected.abs().max() > 1e-4
    found = sum(gradient(model, value) for value in values)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.fixture(params=["causal", "masked"])
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """All of whose weights are trained."""
    loaded = request.getfixturevalue("tiny_model" if request.param == "causal" else "tiny_masked")
    own = loaded.model if isinstance(loaded, LanguageModel) else loaded
    return copy.deepcopy(own).requires_grad_(True)


def changed(model: PreTrainedModel) -> PreTrainedModel:
    """Another than the one that anchors hold it to."""
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(1.1)
    return model


@pytest.mark.parametrize("parts", [2, 3, 9])
def test_of_taught_texts_with_anchors(model: PreTrainedModel, parts: int) -> None:
    """Also of fewer texts than processes, and of fewer anchors."""
    (anchor,) = anchor_batches(model, random_texts(2, 1), 4, 0)
    batch = AnchoredBatch(collate_predicted(random_texts(TEXTS, 0)), anchor)
    loss = anchored_loss(weighted_cross_entropy, 0.7)
    check_parts(changed(model), batch, loss, anchored_part(predicted_part), parts)


@pytest.mark.parametrize("parts", [2, 3])
def test_of_texts_in_shared_rows_above_states_that_are_kept(
    tiny_model: PreTrainedModel, parts: int
) -> None:
    texts = random_texts(60, 7)
    bottom = bottom_states(tiny_model, [text.tokens for text in texts], 1)
    batch = pack_predicted(texts, bottom=bottom)
    assert 3 <= len(batch) < len(texts) / 4  # rows of several texts
    above = copy.deepcopy(tiny_model)
    above.base_model.layers[1].requires_grad_(True)
    check_parts(above, batch, weighted_cross_entropy, predicted_part, parts)


@pytest.mark.parametrize("parts", [2, 3])
def test_of_distillation(model: PreTrainedModel, parts: int) -> None:
    random = np.random.default_rng(2)
    taught = []
    for text in random_texts(TEXTS, 3):
        chances = np.log(random.dirichlet(np.ones(9), len(text.places))[:, :8])
        kept = np.stack([random.permutation(WORDS)[:8] for _ in text.places])
        taught.append(TaughtText(text, kept, chances.astype(np.float32), random.uniform()))
    loss = partial(distillation_loss, temperature=2.0)
    check_parts(model, collate_taught(taught, collate_predicted), loss, taught_part, parts)


def test_of_a_soft_prompt(tiny_model: PreTrainedModel) -> None:
    wrapped = add_soft_prompt(copy.deepcopy(tiny_model), 4, 0)
    batch = collate_predicted(random_texts(TEXTS, 4))
    check_parts(wrapped, batch, partial(soft_prompt_loss, beginning=0), predicted_part, 3)


def test_of_size_distillation(tiny_model: PreTrainedModel) -> None:
    student = SizeStudent(changed(copy.deepcopy(tiny_model)), tiny_model, (0, 1))

    def loss(own: SizeStudent, batch: PredictedBatch) -> Tensor:
        return size_distillation_loss(own, tiny_model, batch, SizeWeights())

    check_parts(student, collate_predicted(random_texts(TEXTS, 5)), loss, predicted_part, 3)


@pytest.mark.parametrize("model_name", ["complex", "rotate"])
@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_of_link_prediction(model_name: ModelName, optimizer: OptimizerName) -> None:
    random = np.random.default_rng(6)
    triples = np.stack([random.integers(0, most, 40) for most in (12, 2, 12)], axis=1)
    for loss in (one_vs_all_loss, negative_sampling_loss):
        settings = EmbeddingSettings(
            model_name,
            dimension=16,
            regulariser="n3" if model_name == "complex" else "none",
            initial_scale=1.0,
            optimizer=optimizer,
            negatives=4,
            batch_size=50,
        )
        model = new_model(settings, 12, 2, 0)
        model.sparse = optimizer == "adagrad"
        if loss is one_vs_all_loss:
            batch: Any = triple_batches(triples, 2, 50, 0)(0)[0]
            assert len(batch.heads) < len(batch.tails)  # some share a query
            part: Part[Any] = triples_part
        else:
            batch = negative_batches(triples, 12, 2, settings, 0)(0)[0]
            part = negatives_part
        check_parts(model, batch, partial(loss, settings=settings), part, 3)


@pytest.mark.parametrize("prompted_weight", [0.0, 0.5])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_of_fusion(
    tiny_model: PreTrainedModel, tiny_tokenizer, world: World, strategy: str, prompted_weight: float
) -> None:
    texts = practised(tiny_tokenizer, world, 24, strategy)
    layer = -1 if strategy == "early" else 0
    states = practice_states(tiny_model, texts, layer, 4096, ignore)
    states = replace(states, prompted=answer_states(tiny_model, texts, 4096, ignore))
    draw = epoch_of_texts(texts, states.run_lengths(texts), 24, 0.1, 0, 0)[0]
    with torch.random.fork_rng():
        whole = fused(tiny_model, tiny_tokenizer, (0, 1), strategy)

    def loss(_: nn.Module, own: Any) -> Tensor:
        return practice_loss(whole, drawn_batch(texts, states, own), prompted_weight)

    check_parts(whole.fusion, draw, loss, draw_part, 3)


GRADIENTS = """
    import sys
    from pathlib import Path
    import torch
    from infact.models.anchors import AnchoredBatch, anchor_batches, anchored_loss, anchored_part
    from infact.models.language_model import load_language_model
    from infact.models.language_model_loss import weighted_cross_entropy
    from infact.models.predicted_texts import PredictedText, collate_predicted, predicted_part
    from infact.models.process_team import join_team
    from infact.models.shared_steps import SharedSteps
    from safetensors.torch import save_file

    team, out = join_team(), Path(sys.argv[1])
    rows = torch.randint(10, 240, (7, 9), generator=torch.Generator().manual_seed(0)).tolist()
    texts = [
        PredictedText(tuple(row[: 5 + n % 5]), (n % 4,), (row[5],), (0.1 + n / 7,))
        for n, row in enumerate(rows)
    ]
    for number, folder in enumerate(sys.argv[2:]):
        model = load_language_model(Path(folder), None, torch.float32).model
        (anchor,) = anchor_batches(model, texts[:3], 4, 0)
        batch = AnchoredBatch(collate_predicted(texts), anchor)
        model.requires_grad_(True)
        trained = dict(model.named_parameters())
        with torch.no_grad():
            for value in trained.values():
                value.mul_(1.1 if team.number == 0 else 7.0)  # the main process's weights count
        loss = anchored_loss(weighted_cross_entropy, 0.7)
        steps = SharedSteps(team, list(trained.values()), anchored_part(predicted_part), loss)
        steps.begin([batch.taught.size], 0)
        shared_loss = steps.gradient(model, batch)
        if team.number == 0:
            shared = {name: value.grad for name, value in trained.items() if value.grad is not None}
            save_file({**shared, "loss": shared_loss}, out / f"shared{number}")
            model.zero_grad()
            whole = loss(model, batch)
            whole.backward()
            alone = {name: value.grad for name, value in trained.items() if value.grad is not None}
            save_file({**alone, "loss": whole.detach()}, out / f"alone{number}")
"""


def test_two_processes_have_the_gradient_of_one(
    tiny_model_folder: Path, tiny_masked_folder: Path, tmp_path: Path
) -> None:
    folders = [str(tiny_model_folder), str(tiny_masked_folder)]
    command = [sys.executable, "-c", textwrap.dedent(GRADIENTS), str(tmp_path), *folders]
    ends = launched(command, 2, tmp_path)
    assert [end.returncode for end in ends] == [0, 0], ends
    for number in range(len(folders)):
        shared, alone = (load_file(tmp_path / f"{name}{number}") for name in ("shared", "alone"))
        assert shared.keys() == alone.keys()
        largest = max(value.abs().max() for value in alone.values())
        assert largest > 1e-3
        for name, value in alone.items():
            assert (shared[name] - value).abs().max() <= 1e-5 * largest, name


@dataclass
class LoneTeam:
    """A process of a team of two whose other one doesn't matter."""

    number: int
    word: dict[str, Any]
    count = 2

    @property
    def follows(self) -> bool:
        return self.number > 0

    def next_word(self) -> dict[str, Any]:
        return self.word

    def hear(self) -> dict[str, Any]:
        return self.word

    def add_up(self, values: Tensor) -> None:
        pass


def lone_steps(number: int, word: dict[str, Any]) -> SharedSteps[nn.Module, Tensor]:
    """Of two parameters, the second of which isn't used."""
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    return SharedSteps(
        LoneTeam(number, word),  # type: ignore[arg-type]
        [used, unused],
        lambda batch, number, count: batch,
        lambda _, batch: (used * batch).sum(),
    )


def test_what_no_part_runs_has_no_gradient() -> None:
    """One of 0 would let AdamW shrink it and remember it."""
    steps = lone_steps(0, {})
    assert steps.gradient(nn.Identity(), torch.tensor([2.0, 3.0])) == 5
    used, unused = (value.grad for value in steps.trained)
    assert used is not None
    assert used.tolist() == [2, 3]
    assert unused is None


def test_other_batches_than_the_main_processs_are_refused() -> None:
    with pytest.raises(UnsharedMistakeError, match="process 1 has prepared other batches"):
        lone_steps(1, {"training": "of something else", "done": 0}).begin([3, 4], 0)


def test_a_follower_is_let_go_when_the_main_process_trains_no_more() -> None:
    with pytest.raises(TrainingOver):
        lone_steps(1, {"over": True}).begin([3, 4], 0)
