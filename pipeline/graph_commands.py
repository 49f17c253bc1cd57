"""The commands that need a graph and no model: ingest, validate, query, show, statistics, diff."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import UserError
from .command_options import (
    EXIT_DIFFERENT,
    Config,
    FailOn,
    Graph,
    Json,
    Prefix,
    PrefixFile,
    declared_prefixes,
    language_tags,
    load_chosen_project,
    run_targets,
)

if TYPE_CHECKING:
    from .chosen_graph import ChosenGraph

EXIT_FINDINGS = 1


def ingest(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Graph files, URLs of SPARQL endpoints, - for standard input; "
            "the project's if left out."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the graph of these files.")] = Path("graph"),
    format: Annotated[
        str, typer.Option(help="Of all files, as in ttl; by name or content if left out.")
    ] = "",
    prefix: Prefix = None,
    prefixes: PrefixFile = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first rejected statement.")
    ] = False,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Read texts in this one only, as in en; may be repeated."),
    ] = None,
    unknown_prefix: Annotated[
        Literal["drop", "keep", "fail"],
        typer.Option(help="What has a prefix that isn't declared: reject it, keep it, or stop."),
    ] = "drop",
    graph_iri: Annotated[
        list[str] | None,
        typer.Option(
            help="Named graph of the endpoint, its default graph if left out; repeatable."
        ),
    ] = None,
    refetch: Annotated[
        bool, typer.Option("--refetch", help="Ask the project's endpoints again.")
    ] = False,
    fail_on: FailOn = "never",
    config: Config = None,
    json: Json = False,
) -> None:
    """Read sources into a graph: files and SPARQL endpoints, or those of a project."""
    from .graph_findings import check_level, graph_passes

    check_level(fail_on)
    if not files:
        folder = run_targets(["ingest"], config, json, refetch)["ingest"]
        _fail_unless(graph_passes(folder, fail_on))
        return
    if config is not None or refetch:
        given = "--config" if config is not None else "--refetch"
        problem = f"{given} is given with files, which need no project"
        raise UserError(problem, "infact ingest", "Leave one of the two out.")
    from .console import Console
    from .ingest_files import FilesToIngest, ingest_files

    asked = FilesToIngest(
        files=tuple(files),
        out=out,
        format=format,
        prefixes=declared_prefixes(prefix, prefixes),
        strict=strict,
        languages=language_tags(language),
        unknown_prefix=unknown_prefix,
        graphs=tuple(graph_iri or ()),
    )
    folder = ingest_files(asked, Console(json))
    _fail_unless(graph_passes(folder, fail_on))


def _chosen(graph: Path | None, prefixes: dict[str, str], config: Path | None) -> "ChosenGraph":
    from .chosen_graph import choose_graph

    return choose_graph(graph, prefixes, lambda: load_chosen_project(config))


def _fail_unless(passed: bool) -> None:
    if not passed:
        raise typer.Exit(EXIT_FINDINGS)


def validate(
    graph: Graph = None,
    shapes: Annotated[
        list[Path] | None, typer.Option(help="SHACL shapes to hold it to; may be repeated.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Lines of LEVEL, tab, rule: the rules to ask, and how bad.")
    ] = None,
    fail_on: FailOn = "error",
    format: Annotated[
        str, typer.Option(help="table (some of each rule), json, csv or tsv (all).")
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="File to write the findings into.")] = None,
    prefix: Prefix = None,
    config: Config = None,
) -> None:
    """Check a graph: labels, definitions, references, and shapes of your own."""
    from .console import Console
    from .validate_graph import Validation, validate_graph

    asked = Validation(tuple(shapes or ()), profile, fail_on, format, out)
    chosen = _chosen(graph, declared_prefixes(prefix), config)
    # Findings go to standard output alone where a machine reads them.
    _fail_unless(validate_graph(chosen, asked, Console(json_wanted=format != "table")))


def query(
    sparql: Annotated[str, typer.Argument(help="SELECT, ASK, CONSTRUCT or DESCRIBE.")],
    graph: Graph = None,
    format: Annotated[str, typer.Option(help="table, csv or json.")] = "table",
    prefix: Prefix = None,
    prefixes: PrefixFile = None,
    config: Config = None,
) -> None:
    """Ask the graph in SPARQL; the query can only read, and only this graph."""
    from .query_graph import query_graph

    chosen = _chosen(graph, declared_prefixes(prefix, prefixes), config)
    typer.echo(query_graph(chosen, sparql, format))


def show(
    entity: Annotated[str, typer.Argument(help="IRI, short form as in ex:one, or name.")],
    graph: Graph = None,
    similar: Annotated[
        int | None, typer.Option(min=1, help="So many entities whose vectors are nearest, too.")
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="For --similar: a folder of infact embed --out or of PyKEEN, or an .npz; "
            "the project's if left out."
        ),
    ] = None,
    prefix: Prefix = None,
    prefixes: PrefixFile = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what the graph holds about an entity, where that was read, and what is like it."""
    from .console import Console

    if vectors is not None and similar is None:
        raise UserError("--vectors is given without --similar", "infact show", "add --similar 10")
    if similar and vectors is not None and graph is None and config is None:
        from .embedding.similar_entities import show_similar

        show_similar(entity, similar, vectors, Console(json))
        return
    from .show_entity import show_entity

    chosen = _chosen(graph, declared_prefixes(prefix, prefixes), config)
    show_entity(chosen, entity, Console(json), similar or 0, vectors)


def statistics(
    graph: Graph = None,
    prefix: Prefix = None,
    prefixes: PrefixFile = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what kind of graph it is: predicates, languages, components, relations that tell others."""
    from .console import Console
    from .show_statistics import show_statistics

    chosen = _chosen(graph, declared_prefixes(prefix, prefixes), config)
    show_statistics(chosen, Console(json))


def diff(
    old: Annotated[
        Path, typer.Argument(help="Folder of a graph; alone: its current snapshot, with the last.")
    ],
    new: Annotated[Path | None, typer.Argument(help="Folder of another graph.")] = None,
    format: Annotated[
        str, typer.Option(help="table, json, or patch: RDF Patch of every statement.")
    ] = "table",
    json: Json = False,
    out: Annotated[Path | None, typer.Option(help="File to write, not the screen.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with status 1 where they differ.")
    ] = False,
) -> None:
    """Say what changed between two graphs: statements, entities, labels, names, deprecations."""
    if json and format not in ("table", "json"):
        problem = f"--json is given with --format {format}"
        raise UserError(problem, "infact diff", "Leave one of the two out.")
    from .diff_graphs import diff_graphs, write_lines

    found, lines = diff_graphs(old, new, "json" if json else format)
    write_lines(lines, out)
    if exit_code and not found.empty:
        raise typer.Exit(EXIT_DIFFERENT)
