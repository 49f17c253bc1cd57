"""The console: what is shown when, with a clock of our own."""

import io
import json
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.pipeline.console import Console, duration


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    return Clock()


def lines_of(clock: Clock, steps: int, seconds: float, total: int | None = None) -> list[str]:
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        with Console(clock=clock).progress("reading", total, "rows") as advance:
            for _ in range(steps):
                clock.now += seconds
                advance(1)
        return sys.stdout.getvalue().splitlines()
    finally:
        sys.stdout = out


def test_short_work_says_nothing(clock: Clock) -> None:
    assert lines_of(clock, steps=10, seconds=0.1, total=10) == []


def test_middling_work_says_one_line_at_its_end(clock: Clock) -> None:
    assert lines_of(clock, steps=90, seconds=0.1, total=90) == [
        "reading: 90 rows in 9.0 s, 10 a second"
    ]


def test_long_work_has_rate_and_time_left(clock: Clock) -> None:
    lines = lines_of(clock, steps=40, seconds=1.0, total=40)
    assert lines[0] == "reading: 10 of 40 rows, 1 a second, 30 s left"
    assert lines[-1] == "reading: 40 rows in 40 s, 1 a second"


def test_bytes_are_shown_as_megabytes(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(clock=clock).progress("reading", 40_000_000, "bytes") as advance:
        clock.now += 10
        advance(10_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "reading: 10.0 of 40.0 MB, 1.0 MB a second, 30 s left",
        "reading: 10.0 MB in 10 s, 1.0 MB a second",
    ]


def test_unknown_total_has_no_time_left(clock: Clock) -> None:
    assert lines_of(clock, steps=12, seconds=1.0)[0] == "reading: 10 rows, 1 a second"


@pytest.mark.parametrize(("steps", "seconds"), [(1000, 0.02), (100, 1.0), (100, 11.0), (50, 40.0)])
def test_at_most_a_line_in_ten_seconds_and_one_in_ten_percent_or_a_minute(
    clock: Clock, steps: int, seconds: float
) -> None:
    lines = lines_of(clock, steps, seconds, total=steps)
    length = steps * seconds
    assert len(lines) <= 1 + length / 10
    assert len(lines) <= 1 + max(10, length / 60)
    assert len(lines) >= length // 120


def test_progress_survives_an_error_without_a_closing_line(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        with Console(clock=clock).progress("reading", 5, "rows") as advance:
            clock.now += 5
            advance(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("seconds", "bar"), [(0.1, False), (3.0, True)])
def test_terminal_gets_a_bar_after_two_seconds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float, bar: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with Console(clock=clock).progress("reading [b]", 5, "rows") as advance:
        clock.now += seconds
        advance(2)
    assert ("2 of 5 rows" in terminal.getvalue()) == bar
    assert ("reading [b]" in terminal.getvalue()) == bar


def test_json_keeps_standard_output_for_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(json_wanted=True)
    console.line("words")
    console.result({"label": "naïve ✓"})
    captured = capsys.readouterr()
    assert captured.err == "words\n"
    assert json.loads(captured.out) == {"label": "naïve ✓"}


def test_without_json_there_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.line("[bold]as it is[/bold]")
    console.result({"label": 1})
    assert capsys.readouterr().out == "[bold]as it is[/bold]\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3725, "1 h 02 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e7))
def test_durations_never_show_sixty(seconds: float) -> None:
    assert "60" not in duration(seconds).replace("h", " ").split()[1:]
