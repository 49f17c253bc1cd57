from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from infact.errors import UserError
from infact.models.training import Curriculum, TrainingSettings, train
from torch import Tensor, nn
from torch.nn import functional

SETTINGS = TrainingSettings(learning_rate=1e-2, epochs=3, weight_decay=0.1, checkpoint_steps=4)
STEPS_AN_EPOCH, ROWS = 5, 8


def ignore(_: int) -> None:
    pass


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.frozen = nn.Linear(4, 6).requires_grad_(False)
            self.trained = nn.Linear(6, 1)

    def forward(self, rows: Tensor) -> Tensor:
        return self.trained(torch.tanh(self.frozen(rows))).squeeze(1)


def batches(epoch: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(epoch)
    return [torch.randn(ROWS, 4, generator=generator) for _ in range(STEPS_AN_EPOCH)]


CURRICULUM = Curriculum(batches, len)


def squared_error(model: nn.Module, rows: Tensor) -> Tensor:
    return functional.mse_loss(model(rows), rows.sum(dim=1))


def test_a_machine_with_a_gpu_trains_on_its_processor_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the losses are given lies there: a model that is moved away from it can't be run."""
    model = Network()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        record = train(
            model, CURRICULUM, squared_error, SETTINGS, tmp_path / "c.safetensors", ignore
        )
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
    assert record.steps == SETTINGS.epochs * STEPS_AN_EPOCH
    assert {value.device.type for value in model.parameters()} == {"cpu"}


def breaking(after: int) -> Callable[[nn.Module, Tensor], Tensor]:
    """The loss, raising at step `after`."""
    steps = iter(range(after))

    def loss(model: nn.Module, rows: Tensor) -> Tensor:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return squared_error(model, rows)

    return loss


@pytest.mark.parametrize("after", [3, 4, 9, 14])
def test_a_resumed_run_is_the_unbroken_run(tmp_path, after: int) -> None:
    unbroken = Network()
    expected = train(
        unbroken, CURRICULUM, squared_error, SETTINGS, tmp_path / "whole.safetensors", ignore
    )
    checkpoint = tmp_path / "broken.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(Network(), CURRICULUM, breaking(after), SETTINGS, checkpoint, ignore)
    assert checkpoint.exists() == (after >= SETTINGS.checkpoint_steps)
    resumed = Network()
    redone: list[Tensor] = []

    def counted(model: nn.Module, rows: Tensor) -> Tensor:
        redone.append(rows)
        return squared_error(model, rows)

    record = train(resumed, CURRICULUM, counted, SETTINGS, checkpoint, ignore)
    kept = after // SETTINGS.checkpoint_steps * SETTINGS.checkpoint_steps
    assert len(redone) == 3 * STEPS_AN_EPOCH - kept
    for name, value in unbroken.state_dict().items():
        assert (resumed.state_dict()[name] - value).abs().max() == 0
    assert record == expected


@pytest.mark.parametrize(("at", "kept"), [(3, None), (7, 4)])
def test_a_loss_that_is_no_number_stops_it_and_keeps_the_last_checkpoint(
    tmp_path, at: int, kept: int | None
) -> None:
    checkpoint, steps = tmp_path / "c.safetensors", iter(range(1, 99))

    def loss(model: nn.Module, rows: Tensor) -> Tensor:
        found = squared_error(model, rows)
        return found * torch.nan if next(steps) == at else found

    with pytest.raises(UserError, match=f"step {at} of 15") as caught:
        train(Network(), CURRICULUM, loss, SETTINGS, checkpoint, ignore)
    if kept is None:
        assert not checkpoint.exists()
        assert "nothing had been kept" in caught.value.fix
        return
    assert f"what step {kept} had come to" in caught.value.fix
    again = Network()
    train(again, CURRICULUM, squared_error, SETTINGS, checkpoint, ignore)
    whole = Network()
    train(whole, CURRICULUM, squared_error, SETTINGS, tmp_path / "w.safetensors", ignore)
    assert torch.equal(again.trained.weight, whole.trained.weight)


def test_weights_that_are_no_numbers_are_never_kept(tmp_path) -> None:
    """The last step can break them without any loss that tells."""

    def loss(model: Network, rows: Tensor) -> Tensor:
        return (model.trained.weight * 0).sqrt().sum()  # 0, whose slope has no number

    settings = TrainingSettings(learning_rate=1e-2, epochs=1, clip_norm=None)
    one = Curriculum(lambda number: batches(number)[:1], len)
    with pytest.raises(UserError, match="a weight is no number"):
        train(Network(), one, loss, settings, tmp_path / "c.safetensors", ignore)
    assert not (tmp_path / "c.safetensors").exists()


def test_dropout_is_resumed_too(tmp_path) -> None:
    def network() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 1), nn.Flatten(0))

    with torch.random.fork_rng():
        whole = network()
        train(whole, CURRICULUM, squared_error, SETTINGS, tmp_path / "whole.safetensors", ignore)
        checkpoint = tmp_path / "broken.safetensors"
        with pytest.raises(KeyboardInterrupt):
            train(network(), CURRICULUM, breaking(6), SETTINGS, checkpoint, ignore)
        resumed = network()
        train(resumed, CURRICULUM, squared_error, SETTINGS, checkpoint, ignore)
    assert torch.equal(resumed[0].weight, whole[0].weight)


def test_a_finished_run_is_not_trained_again(tmp_path) -> None:
    checkpoint = tmp_path / "done.safetensors"
    first = Network()
    record = train(first, CURRICULUM, squared_error, SETTINGS, checkpoint, ignore)
    again = Network()
    assert train(again, CURRICULUM, breaking(0), SETTINGS, checkpoint, ignore) == record
    assert torch.equal(again.trained.weight, first.trained.weight)


def test_steps_are_adamw_with_warmup_cosine_and_clipping(tmp_path) -> None:
    """The same run written out, rates and all."""
    found, plain = Network(), Network()
    settings = TrainingSettings(1e-2, epochs=2, warmup=0.3, weight_decay=0.1, clip_norm=0.5)
    train(found, CURRICULUM, squared_error, settings, tmp_path / "c.safetensors", ignore)
    cosine = [1.0, 0.9505, 0.8117, 0.6113, 0.3887, 0.1883, 0.0495]  # (1 + cos(iπ/7)) / 2
    optimizer = torch.optim.AdamW(plain.trained.parameters(), weight_decay=0.1)
    steps = [*batches(0), *batches(1)]
    for rate, rows in zip([1 / 3, 2 / 3, 1.0, *cosine], steps, strict=True):
        optimizer.param_groups[0]["lr"] = 1e-2 * rate
        optimizer.zero_grad()
        squared_error(plain, rows).backward()
        nn.utils.clip_grad_norm_(plain.trained.parameters(), 0.5)
        optimizer.step()
    torch.testing.assert_close(found.trained.weight, plain.trained.weight, rtol=0, atol=1e-5)


def test_only_what_requires_gradients_changes_and_the_loss_falls(tmp_path) -> None:
    model, before = Network(), Network()
    settings = TrainingSettings(learning_rate=3e-2, epochs=20)
    done: list[int] = []
    record = train(
        model, CURRICULUM, squared_error, settings, tmp_path / "c.safetensors", done.append
    )
    assert torch.equal(model.frozen.weight, before.frozen.weight)
    assert not torch.equal(model.trained.weight, before.trained.weight)
    assert record.losses[-1] < 0.5 * record.losses[0]
    assert record.steps == 20 * STEPS_AN_EPOCH
    assert record.units == sum(done) == record.steps * ROWS
    assert not model.training


def test_the_record_holds_the_mean_loss_of_each_epoch(tmp_path) -> None:
    settings = TrainingSettings(learning_rate=0.0, epochs=2)
    record = train(
        Network(), CURRICULUM, squared_error, settings, tmp_path / "c.safetensors", ignore
    )
    expected = [
        sum(squared_error(Network(), rows).item() for rows in batches(epoch)) / STEPS_AN_EPOCH
        for epoch in (0, 1)
    ]
    assert record.losses == pytest.approx(expected)


def test_adagrad_at_a_constant_rate_resumes_too(tmp_path) -> None:
    """The same run written out, broken off at step 6 and resumed from step 4."""
    settings = TrainingSettings(
        0.1, 2, optimizer="adagrad", schedule="constant", clip_norm=None, checkpoint_steps=4
    )
    plain, found = Network(), Network()
    optimizer = torch.optim.Adagrad(plain.trained.parameters(), lr=0.1)
    for rows in [*batches(0), *batches(1)]:
        optimizer.zero_grad()
        squared_error(plain, rows).backward()
        optimizer.step()
    checkpoint = tmp_path / "broken.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(Network(), CURRICULUM, breaking(6), settings, checkpoint, ignore)
    train(found, CURRICULUM, squared_error, settings, checkpoint, ignore)
    assert torch.equal(found.trained.weight, plain.trained.weight)
