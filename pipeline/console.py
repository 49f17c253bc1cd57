"""Words to the user: lines, progress, and one JSON document for machines.

With `--json`, standard output carries the command's result and nothing else; lines and progress go
to standard error.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

SHOWN_AFTER_SECONDS = 2.0
SECONDS_BETWEEN_LINES = 10.0
SHARE_BETWEEN_LINES = 0.1
LONGEST_SILENCE_SECONDS = 60.0
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Console:
    """Where words go.

    Args:
        json_wanted: the result goes to standard output as JSON, all else to standard error.
        clock: seconds, monotonic.
    """

    json_wanted: bool = False
    clock: Callable[[], float] = time.monotonic

    @property
    def stream(self) -> TextIO:
        return sys.stderr if self.json_wanted else sys.stdout

    def line(self, text: str) -> None:
        print(harmless(text), file=self.stream, flush=True)

    def result(self, document: object) -> None:
        """The command's result for machines; nothing without `--json`."""
        if self.json_wanted:
            print(json.dumps(document, indent=1, ensure_ascii=False), flush=True)

    @contextmanager
    def progress(self, description: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Show how far something is: yields `advance(units just done)`.

        A bar with rate and time left on a terminal; else plain lines, at most one in ten seconds
        and one in ten percent, but one a minute. Nothing for what takes under two seconds.

        Args:
            total: units in all; None when nobody knows.
            unit: what is counted, in the plural ("triples"); "bytes" are shown as MB.
        """
        shown = _bar if self.stream.isatty() else _lines
        with shown(self, description, total, unit) as advance:
            yield advance


def harmless(text: str) -> str:
    r"""Control and bidirectional characters as escapes: words from a file don't steer a terminal.

    >>> print(harmless("\x1b[31mred"))
    \x1b[31mred
    """
    return STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


@contextmanager
def _bar(console: Console, description: str, total: int | None, unit: str) -> Iterator[Advance]:
    import rich.console
    import rich.progress as parts

    bar = parts.Progress(
        parts.TextColumn("{task.description}", markup=False),
        parts.BarColumn(),
        parts.TextColumn("{task.fields[words]}", markup=False),
        console=rich.console.Console(file=console.stream),
        transient=True,
    )
    task = bar.add_task(description, total=total, words="")
    started = console.clock()
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        seconds = console.clock() - started
        if seconds >= SHOWN_AFTER_SECONDS and not bar.live.is_started:
            bar.start()
        bar.update(task, completed=done, words=_so_far(done, total, unit, seconds))

    try:
        yield advance
    finally:
        bar.stop()
    _closing_line(console, description, done, unit, console.clock() - started)


@contextmanager
def _lines(console: Console, description: str, total: int | None, unit: str) -> Iterator[Advance]:
    started = last_time = console.clock()
    done = last_done = 0

    def advance(count: int) -> None:
        nonlocal done, last_time, last_done
        done += count
        now = console.clock()
        step = SHARE_BETWEEN_LINES * total if total else 0
        silence = now - last_time
        due = silence >= SECONDS_BETWEEN_LINES and done - last_done >= step
        if due or silence >= LONGEST_SILENCE_SECONDS:
            console.line(f"{description}: {_so_far(done, total, unit, now - started)}")
            last_time, last_done = now, done

    yield advance
    _closing_line(console, description, done, unit, console.clock() - started)


def _so_far(done: int, total: int | None, unit: str, seconds: float) -> str:
    of = f"{_number(done, unit)} of {_number(total, unit)}" if total else _number(done, unit)
    text = f"{of} {_name(unit)}, {_rate(done, unit, seconds)}"
    if total and done:
        text += f", {duration(seconds * max(total - done, 0) / done)} left"
    return text


def _closing_line(console: Console, description: str, done: int, unit: str, seconds: float) -> None:
    if seconds >= SHOWN_AFTER_SECONDS:
        amount = f"{_number(done, unit)} {_name(unit)}"
        rate = _rate(done, unit, seconds)
        console.line(f"{description}: {amount} in {duration(seconds)}, {rate}")


def _number(count: float, unit: str) -> str:
    return f"{count / 1e6:,.1f}" if unit == "bytes" else f"{count:,.0f}"


def _name(unit: str) -> str:
    return "MB" if unit == "bytes" else unit


def _rate(done: int, unit: str, seconds: float) -> str:
    rate = done / max(seconds, 1e-9)
    if unit == "bytes":
        return f"{_number(rate, unit)} MB a second"
    return f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.2g} a second"


def duration(seconds: float) -> str:
    """`0.4 s`, `38 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
