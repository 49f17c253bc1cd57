"""The `infact` command. Everything heavy is imported by the command that needs it."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from . import embed_command, graph_commands, link_command, rerank_command
from .command_options import (
    EXIT_DIFFERENT,
    AskedGraph,
    Config,
    Json,
    load_chosen_project,
    run_targets,
)
from .several_processes import team
from .stage_list import STAGES

STOPPED = "stopped; the next run resumes: finished stages are kept, training continues where it was"
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="infact",
    help="Put a knowledge graph's facts into a language model, and prove what each route gained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("infact.toml"),
) -> None:
    """Write a commented project file."""
    from .init import write_project_file

    write_project_file(path)
    typer.echo(f"wrote {path}; name your sources in it, then: infact run --config {path}")


def _stage_command(name: str) -> Callable[[Path | None, bool], None]:
    def command(config: Config = None, json: Json = False) -> None:
        run_targets([name], config, json)

    return command


def evaluate(
    config: Config = None,
    json: Json = False,
    model: Annotated[
        Path | None,
        typer.Option(help="Ask this model alone: a folder of weights or of an adapter."),
    ] = None,
    facts: Annotated[
        Path | None, typer.Option(help="What to ask it: a JSONL file or a BEAR folder.")
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(help="An ingested graph, to put its facts before each question.")
    ] = None,
    base: Annotated[Path | None, typer.Option(help="The adapter's base model.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("evaluations"),
    precision: Annotated[str, typer.Option(help="float32, bfloat16 or auto.")] = "float32",
) -> None:
    """Ask every arm the same facts; or, with --model and --facts, one model without a project."""
    if model is None and facts is None:
        run_targets(["eval"], config, json)
        return
    if model is None or facts is None:
        missing = "--model" if model is None else "--facts"
        raise UserError(f"{missing} is missing", "infact eval", "Name both: a model and its facts.")
    from .console import Console
    from .evaluation.probe import Asked, evaluate

    evaluate(Asked(model, facts, base, graph, out, precision), Console(json))


# The stages' commands in their order; four of them also work without a project.
_ALSO_ALONE: dict[str, Callable[..., None]] = {
    "ingest": graph_commands.ingest,
    "link": link_command.link,
    "embed": embed_command.embed,
    "eval": evaluate,
}
for _stage in STAGES:
    if _stage.name in _ALSO_ALONE:
        app.command(_stage.name)(_ALSO_ALONE[_stage.name])
    else:
        app.command(_stage.name, help=f"{_stage.summary} Makes what it needs first.")(
            _stage_command(_stage.name)
        )

app.command()(rerank_command.rerank)
app.command()(graph_commands.validate)
app.command()(graph_commands.query)
app.command()(graph_commands.show)
app.command()(graph_commands.statistics)
app.command()(graph_commands.diff)
app.command()(embed_command.predict)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    format: Annotated[str, typer.Option(help="lm-eval, bear or jsonl.")],
    facts: Annotated[
        Path | None,
        typer.Option(help="A JSONL file or a BEAR folder; else the project's questions."),
    ] = None,
    pools: Annotated[
        str,
        typer.Option(
            help="Of the project: letters, as in T,M; else all that need no edited graph."
        ),
    ] = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Write the questions for lm-evaluation-harness, for lm-pub-quiz (BEAR) or as a facts file."""
    if facts is not None and (config is not None or pools):
        given = "--config" if config is not None else "--pools"
        problem = f"{given} is given with --facts, which needs no project"
        raise UserError(problem, "infact export", "Leave one of the two out.")
    from .console import Console
    from .evaluation.export import facts_to_export, project_to_export, write_export

    if facts is not None:
        exported = facts_to_export(facts, format, out)
    else:
        letters = [pool.strip() for pool in pools.split(",") if pool.strip()]
        exported = project_to_export(load_chosen_project(config), format, out, letters)
    write_export(exported, Console(json))


@app.command("run")
def run_all(config: Config = None, json: Json = False) -> None:
    """Run all stages, from the sources to the report."""
    run_targets([stage.name for stage in STAGES], config, json)


@app.command()
def status(config: Config = None, json: Json = False) -> None:
    """Say for each stage whether it is kept or would run, and why."""
    from .console import Console
    from .status import print_status

    print_status(load_chosen_project(config), Console(json))


@app.command()
def update(config: Config = None, json: Json = False) -> None:
    """After a new `infact ingest`, teach the pretrained model just what has changed."""
    from .console import Console
    from .updating.update import update as teach_changes

    teach_changes(load_chosen_project(config), Console(json))


@app.command()
def shrink(config: Config = None, json: Json = False) -> None:
    """Make a smaller model that says what a taught one says, and compare the two."""
    from .console import Console
    from .shrinking.shrink import shrink as make_smaller

    make_smaller(load_chosen_project(config), Console(json))


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="In words.")],
    config: Config = None,
    option: Annotated[
        list[str] | None, typer.Option(help="To choose among, two or more; as of a masked model.")
    ] = None,
    graph: AskedGraph = None,
    json: Json = False,
) -> None:
    """Ask the model, with and without the graph as it is now: to write, or to choose."""
    from .ask import ask as answer
    from .console import Console

    gc.disable()  # loading makes millions of objects and hardly any garbage: 2 s of 10
    answer(load_chosen_project(config), question, option or (), graph, Console(json))


@app.command()
def explain(
    prompt: Annotated[str, typer.Argument(help="A question, or a sentence to complete.")],
    config: Config = None,
    json: Json = False,
    answer: Annotated[
        str | None, typer.Option(help="Explain this answer; each arm's own if left out.")
    ] = None,
    graph: AskedGraph = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML page to write: every layer, word and fact.")
    ] = None,
) -> None:
    """Say why a causal model answers so: what it attended to, and what each part is worth."""
    from .console import Console
    from .explanation.explain import explain as explain_answers

    gc.disable()
    explain_answers(load_chosen_project(config), prompt, answer, graph, out, Console(json))


@app.command()
def verify(
    report: Annotated[Path, typer.Argument(help="report.json, or the folder that holds it.")],
    json: Json = False,
) -> None:
    """Recompute every number of a report from the answers in it, without a model."""
    from .console import Console
    from .report.verify import verify as check

    if not check(report, Console(json)):
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def compare(
    first: Annotated[
        Path, typer.Argument(help="A report, its folder, or a folder of `infact eval`.")
    ],
    second: Annotated[
        Path | None, typer.Argument(help="Another run; left out, arms of the first are compared.")
    ] = None,
    arm_a: Annotated[str, typer.Option(help="This arm of the first run alone.")] = "",
    arm_b: Annotated[str, typer.Option(help="With this arm of the second run.")] = "",
    json: Json = False,
) -> None:
    """Compare two runs on the questions that both asked: gained, kept, lost, with intervals."""
    from .console import Console
    from .report.compare import compare as compare_runs

    compare_runs(first, second or first, (arm_a or arm_b, arm_b or arm_a), Console(json))


def main() -> None:
    """Run the command line: a UserError is three short lines and status 2, Ctrl-C one and 130.

    Of several processes the main one does so, and the others follow it.
    """
    try:
        together = team()
        if together is not None and together.follows:
            from .following import follow

            follow(together)
        else:
            app()
    except UserError as error:
        from .console import harmless

        print(harmless(str(error)), file=sys.stderr)
        raise SystemExit(EXIT_USER_ERROR) from None
    except Exception as error:
        from .disk_space import is_full, told

        if not is_full(error):
            raise
        print(told(error), file=sys.stderr)
        raise SystemExit(EXIT_USER_ERROR) from None
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:  # what Typer makes of KeyboardInterrupt
            print(f"\n{STOPPED}", file=sys.stderr)
        raise
