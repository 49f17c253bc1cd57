"""A training that can't fit is refused before it begins."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from infact.errors import UserError
from infact.pipeline import machine
from infact.pipeline.training.memory_check import check_memory
from torch import Tensor, nn


def checked(batches: list[Tensor]) -> list[str]:
    said: list[str] = []
    context: Any = SimpleNamespace(
        project=SimpleNamespace(file=Path("own.toml")), console=SimpleNamespace(line=said.append)
    )

    def loss(model: nn.Linear, batch: Tensor) -> Tensor:
        return (model(batch) ** 2).sum()

    check_memory(context, "pretrain", nn.Linear(64, 64), batches, len, loss)
    return said


def test_what_is_needed_and_what_is_free_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 3 * 2**30)
    assert checked([torch.randn(2, 64), torch.randn(2**20, 64)]) == [
        "a step needs about 0.8 GiB, and 3.0 GiB are free"
    ]
    assert checked([]) == []


def test_too_little_is_refused_with_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 2**29)
    with pytest.raises(UserError) as told:
        checked([torch.randn(2, 64), torch.randn(2**20, 64)])
    assert "about 0.8 GiB, and 0.5 GiB are free" in told.value.what
    assert told.value.where == "own.toml:pretrain.batch_size"
    assert "pretrain.layers" in told.value.fix


def test_a_system_that_does_not_say_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: None)
    assert checked([torch.randn(2, 64)]) == []


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 4096), ("3072", 2148), ("512", 0), (None, 4096)]
)
def test_a_containers_limit_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str | None, expected: int
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:  4 kB\n")
    (tmp_path / "memory.current").write_text("1024\n")
    (tmp_path / "memory.stat").write_text("file 300\ninactive_file 100\nactive_file 200\n")
    if limit:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CONTAINER", tmp_path)
    assert machine.free_memory_bytes() == expected
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "nowhere")
    assert machine.free_memory_bytes() is None
