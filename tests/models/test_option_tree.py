import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.models.option_tree import (
    beyond_prompt,
    build_option_tree,
    collate_trees,
    merge_sequences,
    shared_length,
    split_tree,
)

SEQUENCES = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=6).map(lambda tail: [7, *tail]),
    min_size=1,
    max_size=5,
)


def ancestors(tree, node: int) -> list[int]:
    found = []
    while node >= 0:
        found.append(node)
        node = tree.parents[node]
    return found[::-1]


@given(SEQUENCES)
def test_each_option_is_a_path_of_the_tree(sequences: list[list[int]]) -> None:
    tree = merge_sequences(sequences, [1] * len(sequences))
    for sequence, path in zip(sequences, tree.paths, strict=True):
        whole = ancestors(tree, path[-1])
        assert [tree.tokens[node] for node in whole] == sequence
        assert tuple(whole[1:]) == path
        assert [tree.depths[node] for node in whole] == list(range(len(sequence)))


@given(SEQUENCES)
def test_each_prefix_is_one_node(sequences: list[list[int]]) -> None:
    tree = merge_sequences(sequences, [1] * len(sequences))
    prefixes = {tuple(row[:end]) for row in sequences for end in range(1, len(row) + 1)}
    assert len(tree) == len(prefixes)
    assert all(parent < node for node, parent in enumerate(tree.parents))


@given(st.lists(SEQUENCES, min_size=1, max_size=3))
def test_an_inner_node_attends_to_its_ancestors_alone(groups: list[list[list[int]]]) -> None:
    trees = [merge_sequences(group, [1] * len(group)) for group in groups]
    batch = collate_trees(trees, padding=0)
    for number, tree in enumerate(trees):
        places = {node: place for place, node in enumerate(tree.inner)}
        assert [tree.tokens[node] for node in tree.inner] == batch.tokens[
            number, : len(places)
        ].tolist()
        for place in range(batch.tokens.shape[1]):
            expected = [place]
            if place < len(places):
                expected = sorted(places[node] for node in ancestors(tree, tree.inner[place]))
            assert batch.mask[number, 0, place].nonzero().flatten().tolist() == expected


@given(SEQUENCES)
def test_only_leaves_are_left_out_of_a_batch(sequences: list[list[int]]) -> None:
    tree = merge_sequences(sequences, [1] * len(sequences))
    leaves = set(range(len(tree))) - set(tree.inner)
    assert not leaves & set(tree.parents)
    assert all(node in tree.parents for node in tree.inner)


@given(SEQUENCES, st.lists(st.integers(0, 2), max_size=4))
def test_beyond_a_prompt_the_options_are_left(tails: list[list[int]], more: list[int]) -> None:
    prompt = [7, *more]
    sequences = [[*prompt, *tail] for tail in tails]
    tree = merge_sequences(sequences, [len(prompt)] * len(tails))
    rest = beyond_prompt(tree, prompt)
    assert rest is not None
    for tail, path in zip(tails, rest.paths, strict=True):
        assert [rest.tokens[node] for node in path] == tail
        assert [rest.depths[node] for node in path] == [len(prompt) + at for at in range(len(tail))]


def test_there_is_nothing_beyond_a_prompt_that_was_joined_to_its_options() -> None:
    assert beyond_prompt(merge_sequences([[7, 1, 2], [7, 3]], [1, 1]), [7, 1]) is None


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_shared_length(first: list[int], second: list[int]) -> None:
    length = shared_length(first, second)
    assert first[:length] == second[:length]
    assert length in {len(first), len(second)} or first[length] != second[length]


def test_scored_tokens_are_those_after_the_prompt(tiny_tokenizer) -> None:
    prompt = "The capital of France is"
    tree = build_option_tree(tiny_tokenizer, prompt, ["Paris", "Oslo"])
    texts = [tiny_tokenizer.decode([tree.tokens[node] for node in path]) for path in tree.paths]
    assert texts == [" Paris", " Oslo"]


def test_a_prompt_that_merges_with_an_option_scores_the_merged_token(spanning_tokenizer) -> None:
    tree = build_option_tree(spanning_tokenizer, "The capital", ["of France", "Oslo"])
    merged = spanning_tokenizer("The capital of France")["input_ids"]
    alone = spanning_tokenizer("The capital")["input_ids"]
    seam = shared_length(alone, merged)
    assert seam < len(alone), "the case needs a merge across the seam"
    assert [tree.tokens[node] for node in tree.paths[0]] == merged[seam:]
    other = spanning_tokenizer("The capital Oslo")["input_ids"]
    assert [tree.tokens[node] for node in tree.paths[1]] == other[seam:]


def test_a_first_token_is_not_scored_since_nothing_predicts_it() -> None:
    tree = merge_sequences([[5, 6], [7, 8, 9]], [0, 0])
    assert [[tree.tokens[node] for node in path] for path in tree.paths] == [[6], [8, 9]]


PROMPTED = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=8
).map(lambda tails: [[7, 8, *tail] for tail in tails])


@given(sequences=PROMPTED, limit=st.integers(1, 30))
def test_a_split_tree_scores_each_option_once_on_the_same_path(
    sequences: list[list[int]], limit: int
) -> None:
    tree = merge_sequences(sequences, [2] * len(sequences))
    parts = split_tree(tree, limit)
    assert sorted(option for _, options in parts for option in options) == list(
        range(len(sequences))
    )
    for part, options in parts:
        assert len(part.inner) <= limit or len(options) == 1 or len({*part.paths}) == 1
        for path, option in zip(part.paths, options, strict=True):
            nodes = part.path_to(path[-1])
            assert [part.tokens[node] for node in nodes] == sequences[option]
            assert [part.depths[node] for node in nodes] == list(range(len(nodes)))
            assert nodes[2:] == path


@given(sequences=PROMPTED)
def test_branches_are_the_longest_inner_paths(sequences: list[list[int]]) -> None:
    tree = merge_sequences(sequences, [2] * len(sequences))
    branches = [tuple(tree.tokens[node] for node in path) for path in tree.branches]
    inner = {tuple(sequence[:-1]) for sequence in sequences}
    longest = {
        one for one in inner if not any(other[: len(one)] == one != other for other in inner)
    }
    assert set(branches) == longest
    assert len(branches) == len(longest)


@pytest.mark.parametrize(
    ("sequences", "seams", "trunk"),
    [
        ([[1, 2, 3], [1, 2, 4]], [2, 2], 2),
        ([[1, 2, 3], [1, 2, 4]], [1, 1], 1),
        ([[1, 2, 3]], [2], 2),
        ([[1, 2, 3], [1, 4]], [2, 1], 1),
        ([[1, 2], [3, 2]], [1, 1], 0),
        ([[1, 2], [1, 2]], [2, 2], 2),
    ],
)
def test_the_trunk_ends_at_the_first_fork_or_score(
    sequences: list[list[int]], seams: list[int], trunk: int
) -> None:
    assert merge_sequences(sequences, seams).trunk == trunk


def test_what_hangs_on_the_trunk_before_its_end_cannot_go_on_from_there() -> None:
    tree = merge_sequences([[1, 2, 3], [1, 4]], [2, 1])
    assert beyond_prompt(tree, [1, 2]) is None
    assert beyond_prompt(tree, [1]) is not None
