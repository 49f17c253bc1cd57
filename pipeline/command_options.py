"""Options that several commands share, and the project that they mean."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UserError

if TYPE_CHECKING:
    from .project import Project

EXIT_DIFFERENT = 1
OWN_CONFIG = Path("infact.toml")  # what `infact init` writes
DEFAULT_CONFIG = Path("data/hpo/infact.toml")
PACKAGED_CONFIG = Path(__file__).resolve().parent.parent / DEFAULT_CONFIG
PACKAGED = "no infact.toml here: taking the packaged project; `infact init` writes one of your own"

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help=f"Project file; {OWN_CONFIG} or {DEFAULT_CONFIG} if left out."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Graph = Annotated[Path | None, typer.Option(help="Folder of a graph; the project's if left out.")]
AskedGraph = Annotated[
    Path | None, typer.Option("--graph", help="Read this ingested graph in place of the project's.")
]
FailOn = Annotated[
    str,
    typer.Option(help="Exit with status 1 at findings of this level: error, warn, info, never."),
]
Prefix = Annotated[
    list[str] | None, typer.Option(help="name=IRI, for names like ex:one; may be repeated.")
]

PrefixFile = Annotated[
    Path | None,
    typer.Option("--prefixes", help="JSON file: a prefix map, also extended, or JSON-LD context."),
]


def declared_prefixes(given: list[str] | None, file: Path | None = None) -> dict[str, str]:
    """The prefixes of a file (`--prefixes`), and over them the `name=IRI` texts of `--prefix`.

    Raises:
        UserError: one is written otherwise, or the file holds no prefixes.
    """
    prefixes: dict[str, str] = {}
    if file is not None:
        from ..kg.readers.prefix_map import read_prefix_map

        prefixes = read_prefix_map(file)
    for text in given or ():
        name, _, space = text.partition("=")
        if not name or not space:
            fix = "write --prefix ex=http://example.org/"
            raise UserError("a prefix needs a name and an IRI", f"--prefix {text}", fix)
        prefixes[name] = space
    return prefixes


def language_tags(given: list[str] | None) -> tuple[str, ...]:
    """The texts of `--language`.

    Raises:
        UserError: one has not the form of a language tag.
    """
    from ..kg.readers.languages import is_language_tag

    for text in given or ():
        if not is_language_tag(text):
            fix = "write a tag, as in --language en or --language pt-BR"
            raise UserError("this is no language tag", f"--language {text}", fix)
    return tuple(given or ())


def run_targets(
    targets: list[str], config: Path | None, json: bool, refetch: bool = False
) -> dict[str, Path]:
    """Make the artifacts of these stages; the folder of each."""
    from .console import Console
    from .run import run_stages

    console = Console(json)
    folders = run_stages(load_chosen_project(config), targets, console, refetch=refetch)
    console.result({name: str(folder) for name, folder in folders.items()})
    return folders


def load_chosen_project(config: Path | None) -> "Project":
    from .project import load_project

    if config is not None:
        return load_project(config)
    for found in (OWN_CONFIG, DEFAULT_CONFIG):
        if found.exists():
            return load_project(found)
    print(PACKAGED, file=sys.stderr)
    # The packaged project may lie where nobody can write: results go below the current folder.
    return load_project(PACKAGED_CONFIG, artifacts_folder=Path("artifacts") / "hpo")
