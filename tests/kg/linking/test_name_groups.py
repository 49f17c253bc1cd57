"""Same-name groups, against a slow partition by connected components."""

from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking.name_groups import fold_name, name_groups


def test_same_name_in_two_databases_is_one_group(small_graph) -> None:
    graph = small_graph(
        [("omim1", "gene", "g"), ("orpha1", "gene", "g"), ("omim2", "gene", "g")],
        {"omim1": "Nail–patella syndrome", "orpha1": "NAIL-PATELLA SYNDROME", "omim2": "Gout"},
    )
    groups = name_groups(graph, [graph.id[x] for x in ("omim1", "orpha1", "omim2")])
    assert groups.of(graph.id["omim1"]) == groups.of(graph.id["orpha1"])
    assert groups.of(graph.id["omim2"]) != groups.of(graph.id["omim1"])
    assert groups.members_of(graph.id["orpha1"]) == (graph.id["omim1"], graph.id["orpha1"])


def test_synonyms_chain_but_only_exact_ones_of_subjects(small_graph) -> None:
    graph = small_graph(
        [("a", "r", "z"), ("b", "r", "z"), ("c", "r", "z"), ("z", "r", "a")],
        {"a": "Alpha", "b": "Beta", "c": "Gamma", "z": "Zeta"},
        exact={"a": ["Common"], "b": ["common"], "z": ["Alpha", "Gamma"]},
        related={"b": ["Shared"], "c": ["Shared"]},
    )
    groups = name_groups(graph, [graph.id[x] for x in "abc"])
    assert groups.of(graph.id["a"]) == groups.of(graph.id["b"])
    assert groups.of(graph.id["c"]) == graph.id["c"]
    assert groups.of(graph.id["z"]) == graph.id["z"]


def test_names_of_signs_alone_stay_apart() -> None:
    assert fold_name("+") != fold_name("-")
    assert fold_name("  Straße ") == fold_name("STRASSE")


names = st.lists(st.sampled_from(["A", "b", "C", "d", "E f", "e-F"]), max_size=3)


@settings(max_examples=60)
@given(st.lists(names, min_size=1, max_size=8))
def test_groups_are_the_connected_components(names_by_entity: list[list[str]]) -> None:
    class Graph:
        def names_of(self, entity):
            return [Name(text) for text in names_by_entity[entity]]

    class Name:
        kind = "exact"

        def __init__(self, text):
            self.text = text

    entities = range(len(names_by_entity))
    folded = [{fold_name(n) for n in found} for found in names_by_entity]
    reach = {(a, b) for a in entities for b in entities if a == b or folded[a] & folded[b]}
    for middle in entities:
        reach |= {(a, b) for a in entities for b in entities if {(a, middle), (middle, b)} <= reach}
    groups = name_groups(Graph(), entities)
    assert {(a, b) for a in entities for b in entities if groups.of(a) == groups.of(b)} == reach


def test_groups_stay_small_on_names_like_those_of_diseases(small_graph, capsys) -> None:
    labels = {
        f"{base}{kind}{n}": text
        for kind in range(40)
        for n in range(5)
        for base, text in (
            ("omim", f"Deafness, autosomal recessive {kind}, type {n}"),
            ("orpha", f"DEAFNESS autosomal recessive {kind} type {n}"),
        )
    }
    graph = small_graph(
        [(name, "r", "gene") for name in labels],
        {**labels, "gene": "G"},
        related={name: ["Deafness"] for name in labels},
    )
    groups = name_groups(graph, [graph.id[name] for name in labels])
    largest = max(len(members) for members in groups.members.values())
    with capsys.disabled():
        print(f"\nlargest same-name group: {largest} of {len(labels)} entities")
    assert largest == 2
    assert len(groups.members) == 200
