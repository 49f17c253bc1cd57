"""`infact link`: the stage of a project, or any graph's entities in any texts without one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from .chosen_graph import ChosenGraph
    from .linking.former_run import LinksToRefresh

Texts = Annotated[
    list[str] | None,
    typer.Argument(
        help="JSON lines, plain texts, Parquet or PubTator, also compressed; folders of them; "
        "- for standard input. The project's texts if left out."
    ),
]
Root = Annotated[
    list[str] | None,
    typer.Option(help="Link to the entities below this one alone, by IRI or name; repeatable."),
]
Hierarchy = Annotated[
    str,
    typer.Option(
        help="Relation from an entity to the one above it; subclass of and broader if left out."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that link; one for each core if left out.")
]


def link(
    texts: Texts = None,
    graph: Graph = None,
    out: Annotated[
        Path | None, typer.Option(help="Mentions: .parquet, .jsonl, .pubtator or .spacy (DocBin).")
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="Of --out: parquet, jsonl, pubtator, spacy; by its name if left out."),
    ] = "",
    text: Annotated[
        str | None, typer.Option(help="Link this text and show it, mentions marked.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="HTML page of the first documents, with candidates.")
    ] = None,
    longest: Annotated[
        bool, typer.Option("--longest", help="No mention within another, or overlapping it.")
    ] = False,
    root: Root = None,
    hierarchy: Hierarchy = "",
    candidates: Annotated[
        int,
        typer.Option(min=0, help="Candidates of a mention at least, where there are near names."),
    ] = 5,
    common_words: Annotated[
        bool,
        typer.Option("--common-words", help="Link synonyms that are common words of its texts."),
    ] = False,
    text_field: Annotated[str, typer.Option(help="Field or column of the text.")] = "text",
    id_field: Annotated[
        str, typer.Option(help="Field or column of the id; id, or file and line, if left out.")
    ] = "",
    read_as: Annotated[
        str,
        typer.Option(
            help="Format of the texts: jsonl, txt, parquet, pubtator; by name if left out."
        ),
    ] = "",
    workers: Workers = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Don't go on with what a stopped run left.")
    ] = False,
    refresh: Annotated[
        Path | None,
        typer.Option(
            help="Mentions (.parquet) linked to an earlier graph: take over what can't have changed."
        ),
    ] = None,
    old_graph: Annotated[
        Path | None, typer.Option(help="With --refresh: folder of that earlier graph.")
    ] = None,
    gold: Annotated[
        Path | None, typer.Option(help="Documents with gold mentions to measure against.")
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="With --gold: every threshold of the score.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="With --gold: file to list the errors in.")
    ] = None,
    reranker: Annotated[
        Path | None, typer.Option(help="Folder of a re-ranker, as `infact rerank` makes it.")
    ] = None,
    prefix: Prefix = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Find a graph's entities in texts: a project's own, or any graph's in any files."""
    if not texts and text is None and gold is None:
        _refuse_alone({"--graph": graph, "--out": out, "--page": page, "--root": root})
        _refuse_alone({"--refresh": refresh, "--old-graph": old_graph, "--reranker": reranker})
        run_targets(["link"], config, json)
        return
    from ..kg.linking.text_linking import LinkerSettings
    from .chosen_graph import choose_graph
    from .console import Console

    chosen = choose_graph(graph, declared_prefixes(prefix), lambda: load_chosen_project(config))
    roots, relation = chosen_roots(chosen, root), chosen_relation(chosen, hierarchy)
    if gold is not None:
        _refuse_with_gold({"files": texts, "--text": text, "--out": out, "--longest": longest})
        _refuse_with_gold({"--refresh": refresh, "--old-graph": old_graph})
        from .linking.evaluate_links import LinksToEvaluate, evaluate_links

        if len(roots) > 1:
            raise UserError("--gold takes one --root", "infact link", "Name the one above them.")
        under = roots[0] if roots else ""
        to_evaluate = LinksToEvaluate(chosen, gold, under, relation, sweep, errors, page, reranker)
        evaluate_links(to_evaluate, Console(json))
        return
    if sweep or errors is not None:
        given = "--sweep" if sweep else "--errors"
        raise UserError(f"{given} is given without --gold", "infact link", "Name gold documents.")
    settings = LinkerSettings(
        chosen.graph.directory, roots, relation, longest, candidates, common_words
    )
    if text is not None:
        beside = {"--out": out, "files": texts, "--refresh": refresh}
        for option in (option for option, value in beside.items() if value):
            raise UserError(f"--text is given with {option}", "infact link", "Leave one out.")
        from .linking.shown_text import show_text

        show_text(settings, text, page, Console(json), reranker)
        return
    if out is None:
        fix = "say where the mentions go, as in --out mentions.parquet"
        raise UserError("--out is missing", "infact link", fix)
    from ..kg.corpora.documents import Fields
    from .linking.link_documents import DocumentsToLink, link_documents

    asked = DocumentsToLink(
        linker=settings,
        texts=tuple(texts or ()),
        out=out,
        format=format,
        read_as=read_as,
        fields=Fields(text_field, id_field),
        workers=workers or _cores(),
        restart=restart,
        page=page,
        refresh=_to_refresh(refresh, old_graph),
        reranker=reranker,
    )
    link_documents(asked, Console(json))


def _refuse_alone(given: dict[str, object]) -> None:
    """Raises UserError where an option has no texts to work on."""
    for option, value in given.items():
        if value:
            fix = "name files, folders or - for standard input; or --text"
            raise UserError(f"{option} is given without texts", "infact link", fix)


def _refuse_with_gold(given: dict[str, object]) -> None:
    for option, value in given.items():
        if value:
            fix = "leave one of the two out; --gold evaluates all mentions and the longest"
            raise UserError(f"{option} is given with --gold", "infact link", fix)


def _to_refresh(links: Path | None, graph: Path | None) -> "LinksToRefresh | None":
    """Raises UserError where one is named without the other."""
    from .linking.former_run import LinksToRefresh

    if links is not None and graph is not None:
        return LinksToRefresh(links, graph)
    if links is not None or graph is not None:
        given, missing = (
            ("--refresh", "--old-graph") if graph is None else ("--old-graph", "--refresh")
        )
        fix = (
            f"name {missing}: the mentions and the graph that they were linked to are held together"
        )
        raise UserError(f"{given} is given without {missing}", "infact link", fix)
    return None


def chosen_roots(chosen: "ChosenGraph", asked: list[str] | None) -> tuple[str, ...]:
    """IRIs of the entities that were named."""
    from ..kg.views.entity_card import find_entity

    found = [find_entity(chosen.graph, each, chosen.prefixes).entity for each in asked or ()]
    return tuple(map(chosen.graph.iri, found))


def chosen_relation(chosen: "ChosenGraph", asked: str) -> str:
    """IRI of the relation that was named; empty where none was."""
    from ..kg.ingest import expanded

    return expanded([asked], chosen.prefixes, "--hierarchy")[0] if asked else ""


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
