"""Processes of one run, started as torchrun starts them: the same command, each told its number."""

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

LONGEST_SECONDS = 400  # until they count as hanging


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def launched(
    command: Sequence[str], count: int, folder: Path
) -> list[subprocess.CompletedProcess[str]]:
    """Run `command` in so many processes to their end; what became of each, the main one first.

    Raises:
        TimeoutExpired: one hangs; all are killed.
    """
    port = free_port()
    running = [
        subprocess.Popen(
            command,
            cwd=folder,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "HF_HUB_OFFLINE": "1",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "WORLD_SIZE": str(count),
                "RANK": str(number),
                "LOCAL_RANK": str(number),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    try:
        said = [process.communicate(timeout=LONGEST_SECONDS) for process in running]
    finally:
        for process in running:
            process.kill()
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *words)
        for process, words in zip(running, said, strict=True)
    ]
