"""`infact link --gold`: how well the linker finds what people found, without a project.

Reads a graph and documents with gold mentions, links every text in each way there is, and says what
was found: measures with intervals, slices, reliability, errors and thresholds.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ...kg.corpora.gold_documents import GoldFile, gold_error, read_gold_file
from ...kg.corpora.gold_entities import gold_entities
from ...kg.graph import KnowledgeGraph
from ...kg.hierarchy import Hierarchy, graph_hierarchy
from ...kg.identifiers import expanded_or_same
from ...kg.linking.linker import graph_linker
from ..chosen_graph import ChosenGraph
from ..console import Console
from .evaluation_page import write_evaluation_page
from .evaluation_words import evaluation_lines
from .link_errors import link_errors, write_link_errors
from .link_evaluation import LinkEvaluation, evaluation_document, way_evaluation
from .link_measures import ancestors_below
from .link_slices import SurfaceNames
from .linked_documents import CountedGold, counted_gold, link_gold, ways_to_link
from .reranked_linking import make_score
from .written_whole import check_writable

MAIN_WAY = "all"  # whose figures the summary repeats, and whose errors are listed


@dataclass(frozen=True)
class LinksToEvaluate:
    """What to evaluate.

    Attributes:
        chosen: the graph, and the prefixes of gold identifiers.
        gold: the file of documents with mentions.
        root: IRI or CURIE; only entities below it, and itself, are linked to and count. All if empty.
        hierarchy: IRI or CURIE of the relation from the narrower to the broader entity;
            all of kg.hierarchy.HIERARCHY that the graph has if empty.
        sweep: also tell what is left at thresholds of the score.
        errors: file to write every error into, as TSV.
        page: file to write the results into, as HTML.
        reranker: folder of a re-ranker; None for the linker alone.
    """

    chosen: ChosenGraph
    gold: Path
    root: str = ""
    hierarchy: str = ""
    sweep: bool = False
    errors: Path | None = None
    page: Path | None = None
    reranker: Path | None = None


@dataclass(frozen=True)
class LinkedTo:
    """The entities linked to: all, or those below a root, and the hierarchy, if the graph has one."""

    wanted: Collection[int] | None
    root: int | None
    hierarchy: Hierarchy | None


def evaluate_links(asked: LinksToEvaluate, console: Console) -> LinkEvaluation:
    """Evaluate, print, and write what was asked for.

    Raises:
        UserError: faults of the gold file, all told at once; an unknown root or hierarchy; no gold
            mention counts; a file can't be written.
    """
    graph = asked.chosen.graph
    for option, path in (("--errors", asked.errors), ("--page", asked.page)):
        if path is not None:
            check_writable(path, option)
    target = linked_to(asked)
    file, gold = _gold(asked, target)
    started = console.clock()
    linker = graph_linker(graph, target.wanted)
    if asked.reranker is not None:
        linker = linker.rescored(make_score(asked.reranker, console)(graph, target.wanted))
    index_seconds = console.clock() - started
    ways = {
        way: link_gold(gold.documents, link, way, console)
        for way, link in ways_to_link(linker).items()
    }
    main = ways[MAIN_WAY].documents
    names = SurfaceNames.gather(graph, main, target.wanted)
    extend = ancestors_below(target.hierarchy, target.root) if target.hierarchy else None
    evaluation = LinkEvaluation(
        gold_file=asked.gold.name,
        root=None if target.root is None else (graph.iri(target.root), graph.label(target.root)),
        entities=graph.entity_count if target.wanted is None else len(target.wanted),
        gold=gold,
        passed_over=file.passed_over,
        repeated=file.repeated,
        common_words=tuple(name for name, _ in linker.common_words),
        index_seconds=index_seconds,
        main_way=MAIN_WAY,
        ways={
            way: way_evaluation(corpus, extend, names, asked.sweep) for way, corpus in ways.items()
        },
    )
    _tell(evaluation, graph, asked, console)
    if asked.errors is not None:
        count = write_link_errors(link_errors(main, graph), asked.errors)
        console.line(f"{asked.errors}: {count:,} errors ({MAIN_WAY})")
    return evaluation


def linked_to(asked: LinksToEvaluate) -> LinkedTo:
    """The entities that are linked to.

    Raises:
        UserError: the graph has no such root or relation, or nothing lies below the root.
    """
    graph, prefixes = asked.chosen.graph, asked.chosen.prefixes
    relation = expanded_or_same(asked.hierarchy, prefixes) if asked.hierarchy else ""
    hierarchy = graph_hierarchy(graph, relation)
    if not asked.root:
        return LinkedTo(None, None, hierarchy)
    resolved = graph.resolve(asked.root, prefixes)
    root = graph.entity(asked.root) if resolved is None else resolved.entity
    if hierarchy is None:
        raise UserError(
            "the graph has no relation that makes a hierarchy, so nothing lies below a root",
            f"--root {asked.root}",
            "name the relation from the narrower to the broader entity: --hierarchy IRI",
        )
    wanted = hierarchy.below(root)
    if len(wanted) == 1:
        raise UserError(
            f"nothing lies below {graph.label(root)}",
            f"--root {asked.root}",
            "name an entity above others, or another relation: --hierarchy IRI",
        )
    return LinkedTo(wanted, root, hierarchy)


def _gold(asked: LinksToEvaluate, target: LinkedTo) -> tuple[GoldFile, CountedGold]:
    file = read_gold_file(asked.gold, str(asked.gold))
    documents, unknown = gold_entities(file, asked.chosen.graph, asked.chosen.prefixes)
    if file.faults or unknown:
        raise gold_error(file, unknown)
    gold = counted_gold(documents, target.wanted)
    if not any(span.entities for document in gold.documents for span in document.spans):
        if gold.outside:
            problem = f"none of the {gold.outside:,} gold mentions means an entity below the root"
            raise UserError(problem, str(asked.gold), "name another --root, or none")
        problem = "no gold mention has an identifier, so there is nothing to find"
        raise UserError(problem, str(asked.gold), 'give each mention its "id"')
    return file, gold


def _tell(
    evaluation: LinkEvaluation, graph: KnowledgeGraph, asked: LinksToEvaluate, console: Console
) -> None:
    document = evaluation_document(evaluation, graph)
    console.result(document)
    if not console.json_wanted:
        for line in evaluation_lines(document):
            console.line(line)
    if asked.page is not None:
        write_evaluation_page(document, asked.page)
        console.line(f"{asked.page}: the page")
