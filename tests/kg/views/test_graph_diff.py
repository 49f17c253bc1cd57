"""A difference of graphs against set differences of statements; applied to the old graph, the new one."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source
from infact.kg.views.graph_diff import GraphDiff, graph_diff
from infact.kg.views.graph_patch import patch_lines
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, parse

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
Folders = pytest.TempPathFactory


def opened(folder: Path, lines: Iterable[str]) -> KnowledgeGraph:
    folder.mkdir()
    (folder / "a.nt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    ingest([Source(folder / "a.nt", "a.nt")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


def difference(folder: Path, old: Iterable[str], new: Iterable[str]) -> GraphDiff:
    return graph_diff(opened(folder / "old", old), opened(folder / "new", new))


def canonical(quads: Iterable[Quad]) -> set[str]:
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def patched(diff: GraphDiff) -> set[str]:
    """The old graph's store after the patch; every line must do something."""
    statements = set(diff.old.store())
    lines = list(patch_lines(diff))
    assert (lines[0], lines[-1]) == ("TX .", "TC .")
    for line in lines[1:-1]:
        (quad,) = parse(line[2:].encode(), RdfFormat.N_TRIPLES)
        if line.startswith("D "):
            statements.remove(quad)
        else:
            assert line.startswith("A ")
            assert quad not in statements
            statements.add(quad)
    return canonical(statements)


def changes(diff: GraphDiff) -> list[str]:
    return list(patch_lines(diff))[1:-1]


def iri(name: object) -> str:
    return f"<http://e.org/{name}>"


nodes = st.integers(0, 4).map(iri)
blank = st.integers(0, 4).map("_:x{}".format)
literals = st.sampled_from(
    ['"one"', '"one"@en', '"1"^^<http://www.w3.org/2001/XMLSchema#integer>', '"a\\n\\"b\\\\"']
)
predicates = st.sampled_from([iri("p"), iri("q"), LABEL])
plain = st.builds("{} {} {} .".format, nodes, predicates, nodes | literals)
with_blank = st.builds("{} {} {} .".format, nodes | blank, predicates, nodes | blank | literals)


@settings(max_examples=20, deadline=None)
@given(st.sets(plain, min_size=1, max_size=25), st.sets(plain, min_size=1, max_size=25))
def test_without_blank_nodes_it_is_the_set_difference(
    tmp_path_factory: Folders, old: set[str], new: set[str]
) -> None:
    diff = difference(tmp_path_factory.mktemp("diff"), old, new)
    before, after = ({str(quad) for quad in graph.store()} for graph in (diff.old, diff.new))
    assert len(before) == len(old)
    said = {
        (line[0], str(next(parse(line[2:].encode(), RdfFormat.N_TRIPLES))))
        for line in changes(diff)
    }
    assert said == {("A", line) for line in after - before} | {
        ("D", line) for line in before - after
    }
    assert diff.empty == (before == after)
    for graph, entities, other in (
        (diff.new, diff.added_entities, diff.old),
        (diff.old, diff.removed_entities, diff.new),
    ):
        there = set(other.entities_table["iri"].to_pylist())
        own = graph.entities_table["iri"].to_pylist()
        assert [own[entity] for entity in entities] == [name for name in own if name not in there]
    labels = [
        dict(zip(*(g.entities_table[c].to_pylist() for c in ("iri", "label")), strict=True))
        for g in (diff.old, diff.new)
    ]
    assert {tuple(row.values()) for row in diff.relabelled.to_pylist()} == {
        (name, labels[0][name], labels[1][name])
        for name in labels[0].keys() & labels[1].keys()
        if labels[0][name] != labels[1][name]
    }
    names = [
        {
            (g.iri(row["entity"]), row["name"], row["kind"], row["language"])
            for row in g.names_table.to_pylist()
        }
        for g in (diff.old, diff.new)
    ]
    assert {tuple(row.values()) for row in diff.added_names.to_pylist()} == names[1] - names[0]
    assert {tuple(row.values()) for row in diff.removed_names.to_pylist()} == names[0] - names[1]


@settings(max_examples=30, deadline=None)
@given(st.sets(with_blank, min_size=1, max_size=25), st.sets(with_blank, min_size=1, max_size=25))
def test_the_patch_makes_the_new_graph_of_the_old(
    tmp_path_factory: Folders, old: set[str], new: set[str]
) -> None:
    diff = difference(tmp_path_factory.mktemp("diff"), old, new)
    assert patched(diff) == canonical(diff.new.store())
    assert sum(
        sum(row[c] for c in ("added", "removed")) for row in diff.predicates.to_pylist()
    ) == len(changes(diff))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(with_blank, min_size=1, max_size=25, unique=True), st.randoms(use_true_random=False)
)
def test_the_same_statements_in_another_order_with_other_blank_nodes_are_no_change(
    tmp_path_factory: Folders, statements: list[str], chance: random.Random
) -> None:
    again = statements.copy()
    chance.shuffle(again)
    names = [f"_:y{number}" for number in range(5)]
    chance.shuffle(names)
    for number, name in enumerate(names):
        again = [line.replace(f"_:x{number}", name) for line in again]
    diff = difference(tmp_path_factory.mktemp("diff"), statements, again)
    assert changes(diff) == []
    assert diff.empty


def restriction(owner: str, node: str, filler: str) -> list[str]:
    return [
        f"{iri(owner)} {iri('subClassOf')} _:{node} .",
        f"_:{node} {iri('onProperty')} {iri('part_of')} .",
        f"_:{node} {iri('someValuesFrom')} {iri(filler)} .",
    ]


def test_an_inserted_blank_node_renames_none(tmp_path: Path) -> None:
    old = [line for k in range(30) for line in restriction(f"c{k}", f"x{k}", f"d{k % 3}")]
    diff = difference(tmp_path, old, restriction("c0", "new", "d9") + old)
    assert len(changes(diff)) == 3
    assert len(diff.added_blank_nodes) == 1


def test_a_changed_structure_is_reported_by_what_changed(tmp_path: Path) -> None:
    old = [line for k in range(5) for line in restriction(f"c{k}", f"x{k}", "d0")]
    new = [
        line for k in range(5) for line in restriction(f"c{k}", f"x{k}", "d1" if k == 2 else "d0")
    ]
    diff = difference(tmp_path, old, list(reversed(new)))
    assert [line[0] for line in changes(diff)] == ["D", "A"]
    assert all("someValuesFrom" in line for line in changes(diff))


def test_a_long_list_of_equal_items(tmp_path: Path) -> None:
    """Far longer than colours are refined."""
    old = [f"{iri('a')} {iri('has')} _:c0 ."]
    for number in range(300):
        old += [
            f"_:c{number} {iri('first')} {iri('same')} .",
            f"_:c{number} {iri('rest')} _:c{number + 1} .",
        ]
    old.append(f"_:c300 {iri('first')} {iri('last')} .")
    same = difference(tmp_path, old, reversed(old))
    assert same.empty
    (tmp_path / "b").mkdir()
    longer = difference(tmp_path / "b", old, [*old, f"_:c300 {iri('rest')} {iri('nil')} ."])
    assert len(changes(longer)) == 1


@pytest.mark.parametrize("sizes", [(3, 3), (6,), (2,) * 6])
def test_cycles_of_blank_nodes(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    lines = [
        f"_:c{cycle}n{number} {iri('next')} _:c{cycle}n{(number + 1) % size} ."
        for cycle, size in enumerate(sizes)
        for number in range(size)
    ]
    assert difference(tmp_path, lines, lines[::-1]).empty


def test_deprecation_names_what_replaces(tmp_path: Path) -> None:
    old = [f'{iri(k)} {LABEL} "{k}" .' for k in "abcd"]
    deprecated = '<http://www.w3.org/2002/07/owl#deprecated> "true" .'
    replaced = "<http://purl.obolibrary.org/obo/IAO_0100001>"
    new = [
        *old,
        *(f"{iri(k)} {deprecated}" for k in "abd"),
        f"{iri('a')} {replaced} {iri('c')} .",
        f'{iri("b")} {replaced} "HP:0000001" .',
    ]
    diff = difference(tmp_path, old, new)
    assert [tuple(row.values()) for row in diff.deprecated.to_pylist()] == [
        ("http://e.org/a", "a", "http://e.org/c"),
        ("http://e.org/b", "b", "HP:0000001"),
        ("http://e.org/d", "d", None),
    ]
    back = graph_diff(diff.new, diff.old)
    assert back.deprecated.num_rows == 0


def test_relations_and_counts(tmp_path: Path) -> None:
    diff = difference(
        tmp_path,
        [f"{iri('a')} {iri('p')} {iri('b')} .", f"{iri('a')} {iri('q')} {iri('b')} ."],
        [f"{iri('a')} {iri('q')} {iri('c')} .", f"{iri('a')} {iri('r')} {iri('b')} ."],
    )
    assert [diff.new.relation_iri(r) for r in diff.added_relations] == ["http://e.org/r"]
    assert [diff.old.relation_iri(r) for r in diff.removed_relations] == ["http://e.org/p"]
    assert [tuple(row.values()) for row in diff.predicates.to_pylist()] == [
        ("http://e.org/q", 1, 1),
        ("http://e.org/p", 0, 1),
        ("http://e.org/r", 1, 0),
    ]
