"""The commands that need a graph and no model: ingest, query, show."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from .command_options import (
    Config,
    Graph,
    Json,
    Prefix,
    declared_prefixes,
    load_chosen_project,
    run_targets,
)


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
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first rejected statement.")
    ] = False,
    graph_iri: Annotated[
        list[str] | None,
        typer.Option(
            help="Named graph of the endpoint, its default graph if left out; repeatable."
        ),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Read sources into a graph: files and SPARQL endpoints, or those of a project."""
    if not files:
        run_targets(["ingest"], config, json)
        return
    if config is not None:
        problem = "--config is given with files, which need no project"
        raise UserError(problem, "infact ingest", "Leave one of the two out.")
    from .console import Console
    from .ingest_files import FilesToIngest, ingest_files

    prefixes = declared_prefixes(prefix)
    graphs = tuple(graph_iri or ())
    ingest_files(FilesToIngest(tuple(files), out, format, prefixes, strict, graphs), Console(json))


def query(
    sparql: Annotated[str, typer.Argument(help="SELECT, ASK, CONSTRUCT or DESCRIBE.")],
    graph: Graph = None,
    format: Annotated[str, typer.Option(help="table, csv or json.")] = "table",
    prefix: Prefix = None,
    config: Config = None,
) -> None:
    """Ask the graph in SPARQL; the query can only read, and only this graph."""
    from .chosen_graph import choose_graph
    from .query_graph import query_graph

    chosen = choose_graph(graph, declared_prefixes(prefix), lambda: load_chosen_project(config))
    typer.echo(query_graph(chosen, sparql, format))


def show(
    entity: Annotated[str, typer.Argument(help="IRI, short form as in ex:one, or name.")],
    graph: Graph = None,
    prefix: Prefix = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what the graph holds about an entity, and where that was read."""
    from .chosen_graph import choose_graph
    from .console import Console
    from .show_entity import show_entity

    chosen = choose_graph(graph, declared_prefixes(prefix), lambda: load_chosen_project(config))
    show_entity(chosen, entity, Console(json))
