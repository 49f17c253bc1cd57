"""The command line within the process of the tests: one of its own spends seconds on importing torch."""

import contextlib
import gc
import io
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import torch
from infact.pipeline.cli import main


@contextlib.contextmanager
def full_disk(file_bytes: int) -> Iterator[None]:
    """No file can be written beyond this size."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def command_here(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `infact WORDS…` does in `folder`, by one thread; an error that it doesn't tell is raised."""
    out, errors, threads = io.StringIO(), io.StringIO(), torch.get_num_threads()
    status: str | int | None = 0
    with contextlib.ExitStack() as stack:
        # A process starts with the same random numbers each time, and leaves none to the next.
        stack.enter_context(torch.random.fork_rng())
        torch.manual_seed(0)
        stack.callback(torch.set_num_threads, threads)
        torch.set_num_threads(1)
        if gc.isenabled():
            stack.callback(gc.enable)  # some commands, which end soon, do without
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(patch.object(sys, "argv", ["infact", *words]))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(errors))
        try:
            main()
        except SystemExit as end:
            status = end.code
    assert status is None or isinstance(status, int), "Python would print it, and end with 1"
    return subprocess.CompletedProcess(words, status or 0, out.getvalue(), errors.getvalue())
