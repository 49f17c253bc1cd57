"""The statistics of a graph as tables for the terminal."""

from collections.abc import Iterator
from typing import Any

from ..kg.names import local_name
from ..kg.prefixes import Prefixes
from .console import harmless
from .report.table import ABSENT, Table

Json = dict[str, Any]
SHOWN = 25  # rows of a table; --json has more


def titled_tables(statistics: Json, prefixes: Prefixes) -> Iterator[tuple[str, Table]]:
    """Each table with its title; none that would be empty."""
    tables = {
        "graph": overview(statistics),
        "relations": relations(statistics["by_relation"], prefixes),
        "domains and ranges": types(statistics["by_relation"], prefixes),
        "literals": literals(statistics["by_literal_predicate"], prefixes),
        "labels by type": labels(statistics["labels"], prefixes),
        "languages": languages(statistics),
        "hubs": hubs(statistics["degree"]["hubs"], prefixes),
        "hierarchies": hierarchies(statistics["hierarchy"], prefixes),
        "relations that tell other triples": suspicions(statistics["suspicions"], prefixes),
    }
    for title, table in tables.items():
        if table.rows:
            cut = len(table.rows) - SHOWN
            more = f" (the first {SHOWN}; --json lists more)" if cut > 0 else ""
            yield title + more, Table(table.head, table.rows[:SHOWN], table.text_columns)


def overview(statistics: Json) -> Table:
    """Sizes, label coverage, degrees and components."""
    components, degree = statistics["components"], statistics["degree"]
    coverage = statistics["labels"]
    rows = {
        "entities": f"{statistics['entities']:,}",
        "  labelled": f"{coverage['labelled']:,} ({percent(coverage['share'])})",
        "  blank nodes": f"{statistics['blank_nodes']:,}",
        "  deprecated": f"{statistics['deprecated']:,}",
        "relations": f"{statistics['relations']:,}",
        "triples": f"{statistics['triples']:,}",
        "literals": f"{statistics['literals']:,}",
        "names": f"{statistics['names']:,}",
        "  of several entities": f"{statistics['ambiguous_names']:,}",
        "degree, mean / median / maximum": " / ".join(
            f"{degree[key]:,}" for key in ("mean", "median", "maximum")
        ),
        "components without rdf:type": f"{components['number']:,}",
        "  largest": ", ".join(f"{size:,}" for size in components["largest"][:5]),
        "  isolated entities": f"{components['isolated_entities']:,}",
    }
    return Table(("", ""), tuple(rows.items()))


def relations(found: list[Json], prefixes: Prefixes) -> Table:
    """Counts and fan-outs."""
    head = (
        "relation",
        "cardinality",
        "triples",
        "subjects",
        "objects",
        "objects a subject: mean",
        "95 %",
        "most",
        "subjects an object: mean",
        "95 %",
        "most",
        "symmetric",
    )
    rows = tuple(
        (
            short(item["iri"], prefixes),
            item["cardinality"],
            *(f"{item[key]:,}" for key in ("triples", "subjects", "objects")),
            *fan_out(item["objects_a_subject"]),
            *fan_out(item["subjects_an_object"]),
            percent(item["symmetric"] / max(item["triples"] - item["loops"], 1)),
        )
        for item in found
    )
    return Table(head, rows, text_columns=2)


def fan_out(sizes: Json) -> tuple[str, str, str]:
    """Mean, 95th percentile and maximum."""
    return f"{sizes['mean']:,.2f}", f"{sizes['percentile_95']:,}", f"{sizes['maximum']:,}"


def types(found: list[Json], prefixes: Prefixes) -> Table:
    """The commonest types at each end, and how much conforms to what is declared."""
    head = ("relation", "subjects are", "objects are", "domain conforms", "range conforms")
    rows = tuple(
        (
            short(item["iri"], prefixes),
            commonest(item["subject_types"], item["subjects"], prefixes),
            commonest(item["object_types"], item["objects"], prefixes),
            conforms(item["domain"], item["triples"]),
            conforms(item["range"], item["triples"]),
        )
        for item in found
        if any(item[end]["types"] for end in ("subject_types", "object_types"))
        or any(item[end] for end in ("domain", "range"))
    )
    return Table(head, rows, text_columns=3)


def commonest(seen: Json, of: int, prefixes: Prefixes) -> str:
    """The commonest types of one end with their shares, and the share that has none."""
    words = [
        f"{shortest(item['iri'], prefixes)} {percent(item['share'])}" for item in seen["types"][:2]
    ]
    if seen["untyped"]:
        words.append(f"untyped {percent(seen['untyped'] / of)}")
    return ", ".join(words)


def conforms(declared: Json | None, statements: int) -> str:
    """The share that conforms, or a dash where nothing is declared or nothing was counted."""
    if declared is None or declared["conforming"] is None:
        return ABSENT
    return percent(declared["conforming"] / statements)


def literals(found: list[Json], prefixes: Prefixes) -> Table:
    """Predicates of literals."""
    head = (
        "predicate",
        "datatypes",
        "languages",
        "literals",
        "subjects",
        "distinct",
        "longest",
        "a subject: mean",
        "95 %",
        "most",
    )
    rows = tuple(
        (
            short(item["iri"], prefixes),
            ", ".join(short(iri, prefixes) for iri in item["datatypes"]),
            ", ".join(tag or "none" for tag in item["languages"]),
            *(f"{item[key]:,}" for key in ("literals", "subjects", "distinct_values", "longest")),
            *fan_out(item["values_a_subject"]),
        )
        for item in found
    )
    return Table(head, rows, text_columns=3)


def labels(coverage: Json, prefixes: Prefixes) -> Table:
    """Label coverage of the frequent types."""
    rows = tuple(
        (
            short(item["iri"], prefixes),
            ", ".join(
                f"{tag or 'none'} {percent(count / item['entities'])}"
                for tag, count in item["languages"].items()
            ),
            f"{item['entities']:,}",
            percent(item["share"]),
        )
        for item in coverage["types"]
    )
    return Table(("type", "labels by language", "entities", "labelled"), rows, text_columns=2)


def languages(statistics: Json) -> Table:
    """Literals, and entities with a label, by language."""
    labelled = statistics["labels"]["languages"]
    rows = tuple(
        (harmless(tag) or "none", f"{count:,}", f"{labelled.get(tag, 0):,}")
        for tag, count in statistics["literal_languages"].items()
    )
    return Table(("language", "literals", "entities labelled"), rows)


def hubs(found: list[Json], prefixes: Prefixes) -> Table:
    """The entities of the greatest degree."""
    rows = tuple(
        (short(item["iri"], prefixes), item["label"] or ABSENT, f"{item['degree']:,}")
        for item in found
    )
    return Table(("entity", "label", "degree"), rows, text_columns=2)


def hierarchies(found: Json, prefixes: Prefixes) -> Table:
    """The shape of each hierarchy."""
    keys = ("edges", "roots", "leaves", "depth", "in_or_below_cycles")
    rows = tuple(
        (
            short(iri, prefixes),
            *(f"{item[key]:,}" for key in keys),
            ABSENT
            if not item["two_step_paths"] or item["two_step_paths_stated"] is None
            else percent(item["two_step_paths_stated"] / item["two_step_paths"]),
        )
        for iri, item in found.items()
    )
    head = ("hierarchy", "edges", "roots", "leaves", "depth", "in or below cycles", "transitive")
    return Table(head, rows)


def suspicions(found: Json, prefixes: Prefixes) -> Table:
    """Relations whose triples tell others, with the share in both directions."""
    rows = [
        (
            "symmetric",
            short(item["iri"], prefixes),
            "",
            f"{item['symmetric']:,}",
            percent(item["share"]),
            "",
        )
        for item in found["symmetric"]
    ]
    for kind in ("inverse", "duplicate"):
        rows += [
            (
                kind,
                short(item["first"], prefixes),
                short(item["second"], prefixes),
                f"{item['shared']:,}",
                percent(item["share_of_first"]),
                percent(item["share_of_second"]),
            )
            for item in found[kind]
        ]
    rows += [
        (
            "all with all",
            short(item["iri"], prefixes),
            "",
            f"{item['triples']:,}",
            percent(item["share"]),
            "",
        )
        for item in found["cartesian"]
    ]
    head = ("kind", "relation", "and", "triples", "share of the first", "of the second")
    return Table(head, tuple(rows), text_columns=3)


def short(iri: str, prefixes: Prefixes) -> str:
    """The IRI in short form, fit for a terminal."""
    return harmless(prefixes.compress(iri))


def shortest(iri: str, prefixes: Prefixes) -> str:
    """The short form, or the local name alone where no prefix fits: several stand in one cell."""
    compressed = short(iri, prefixes)
    return local_name(iri) if compressed == iri else compressed


def percent(share: float) -> str:
    """A share in per cent; rounding never makes it all or nothing."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{min(100 * share, 99.9) if share < 1 else 100:.1f} %"
