"""`infact embed`: the stage of a project, or vectors of any graph or triples without one; `infact predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UserError
from .command_options import (
    Config,
    Json,
    Prefix,
    declared_prefixes,
    load_chosen_project,
    run_targets,
)

if TYPE_CHECKING:
    from .embedding.triples_source import TriplesSource

Vectors = Annotated[
    Path | None,
    typer.Option(help="Folder that infact embed --out has made; the project's if left out."),
]


def embed(
    graph: Annotated[
        Path | None, typer.Option(help="Folder of a graph, whose triples are split and embedded.")
    ] = None,
    triples: Annotated[
        Path | None,
        typer.Option(help="Folder with train.txt, valid.txt, test.txt: names between tabs."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="transe, distmult, complex or rotate; over that of --settings.")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option(help="TOML file of the model's and the training's settings.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of start, order and split.")] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.4,
            help="With --graph: share of the triples for validation, and as many for the test.",
        ),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            help="With --graph: text encoder (folder, or package:module/folder) that reads labels and "
            "definitions; entities begin at theirs, and new ones get vectors from them."
        ),
    ] = "",
    sampled: Annotated[
        int | None, typer.Option(min=1, help="Rank so many test triples, drawn at random.")
    ] = None,
    keep_duplicates: Annotated[
        bool,
        typer.Option("--keep-duplicates", help="Go on where two of the files share triples."),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Make it anew, in place of what --out holds.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Give entities and relations vectors: a project's, or those of any graph or triples."""
    if graph is None and triples is None:
        _refuse_alone(
            {
                "--model": model,
                "--settings": settings,
                "--out": out,
                "--seed": seed is not None,
                "--held-out": held_out,
                "--encoder": encoder,
                "--sampled": sampled,
                "--keep-duplicates": keep_duplicates,
                "--restart": restart,
            }
        )
        run_targets(["embed"], config, json)
        return
    if config is not None:
        problem = "--config is given with a graph or triples, which need no project"
        raise UserError(problem, "infact embed", "leave one of the two out")
    if out is None:
        raise UserError("--out is missing", "infact embed", "name a folder, as in --out vectors")
    source = _source(graph, triples, held_out, encoder, keep_duplicates)
    from .console import Console
    from .embedding.embed_triples import TriplesToEmbed, embed_triples
    from .embedding.settings_file import embedding_settings

    chosen = embedding_settings(settings, model)
    asked = TriplesToEmbed(source, out, chosen, seed or 0, sampled or 0, restart)
    embed_triples(asked, Console(json))


def predict(
    entity: Annotated[str, typer.Argument(help="IRI, short form, or name.")],
    relation: Annotated[str, typer.Argument(help="IRI, short form, or label.")],
    vectors: Vectors = None,
    graph: Annotated[
        Path | None,
        typer.Option(help="With --vectors: graph of the entity, where it is newer than they are."),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Tails to show.")] = 10,
    prefix: Prefix = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Predict the likeliest objects of an entity's relation, with probabilities; known ones are marked."""
    from .console import Console
    from .embedding.predict_tails import predict_tails

    if graph is not None and vectors is None:
        fix = "name the folder of infact embed --graph … --encoder … --out"
        raise UserError("--graph is given without --vectors", "infact predict", fix)
    given, load = declared_prefixes(prefix), lambda: load_chosen_project(config)
    predict_tails(entity, relation, count, vectors, graph, given, load, Console(json))


def _refuse_alone(given: dict[str, object]) -> None:
    """Raises UserError where an option has no triples to work on."""
    for option, value in given.items():
        if value:
            fix = "name them by --graph or --triples; a project's settings are under [embed] in its file"
            raise UserError(f"{option} is given without triples", "infact embed", fix)


def _source(
    graph: Path | None,
    triples: Path | None,
    held_out: float | None,
    encoder: str,
    keep_duplicates: bool,
) -> "TriplesSource":
    from .embedding.triples_source import HELD_OUT, FolderSource, GraphSource

    if graph is not None and triples is not None:
        raise UserError(
            "--graph is given with --triples", "infact embed", "leave one of the two out"
        )
    if triples is not None:
        if held_out is not None:
            fix = "its files are split as they are; leave --held-out out"
            raise UserError("--held-out is given with --triples", "infact embed", fix)
        if encoder:
            fix = "its files hold no texts; leave --encoder out, or ingest a graph with labels"
            raise UserError("--encoder is given with --triples", "infact embed", fix)
        return FolderSource(triples, keep_duplicates)
    if keep_duplicates:
        fix = "a graph has each triple once; leave --keep-duplicates out"
        raise UserError("--keep-duplicates is given with --graph", "infact embed", fix)
    assert graph is not None
    return GraphSource(graph, HELD_OUT if held_out is None else held_out, encoder)
