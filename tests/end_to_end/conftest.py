"""A whole run of the countries project with a tiny random model, through the real command."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..command_here import command_here
from ..conftest import COMMAND


@pytest.fixture(scope="session")
def project(
    tmp_path_factory: pytest.TempPathFactory, tiny_countries: Callable[[Path], Path]
) -> Path:
    """The countries project with a tiny random model, in a folder of its own."""
    return tiny_countries(tmp_path_factory.mktemp("countries"))


@dataclass(frozen=True)
class Infact:
    """The command, for one project file."""

    def __call__(self, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end within this process."""
        return command_here(*words, "--config", str(project), folder=project.parent)

    def alone(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it without a project."""
        return command_here(*words, folder=Path.cwd())

    def start(self, project: Path, *words: str) -> subprocess.Popen[str]:
        """Start a process."""
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [*COMMAND, *words, "--config", str(project)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=project.parent,
        )

    def process(self, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end in a process of its own."""
        run = self.start(project, *words)
        out, error = run.communicate()
        return subprocess.CompletedProcess(run.args, run.returncode, out, error)


@pytest.fixture(scope="session")
def infact() -> Infact:
    return Infact()


@pytest.fixture(scope="session")
def finished(project: Path, infact: Infact) -> dict[str, Path]:
    """The folders of a whole run."""
    done = infact.process(project, "run", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: Path(folder) for name, folder in json.loads(done.stdout).items()}
