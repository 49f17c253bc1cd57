"""Pointers trained on synthetic facts, and asked about entities that they never saw."""

from functools import partial

import numpy as np
import pytest
import torch
from infact.models.fact_memory import build_fact_memory, shuffled_objects
from infact.models.fusion_training import (
    POINTERS,
    answer_tree,
    epoch_of_rows,
    fusion_rows,
    fusion_states,
    load_pointer,
    save_pointer,
    text_keys,
)
from infact.models.generation import generate_greedy
from infact.models.label_pointer import LabelPointer, PointerReadOut, PointerSizes
from infact.models.training import Curriculum, TrainingSettings, train

from .conftest import RELATIONS, TRAINED_ON, World


def ignore(_: int) -> None:
    pass


def fused(name, model, tokenizer, world: World, facts, folder) -> LabelPointer:
    """A top trained on the first entities of `world` with `facts` as its memory."""
    count = TRAINED_ON * len(RELATIONS)
    pairs = zip(world.prompts[:count], world.answers[:count], strict=True)
    trees = [answer_tree(tokenizer, prompt, answer) for prompt, answer in pairs]
    states = fusion_states(model, trees, 4096, ignore)
    (rows,) = fusion_rows(model, states, [build_fact_memory(facts[:count])])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        keys = text_keys(model, tokenizer, RELATIONS)
        pointer = POINTERS[name](PointerSizes(keys.shape[1], 4, 32), keys, torch.zeros(1, 4))
        curriculum = Curriculum(
            partial(epoch_of_rows, rows, 64, 0.1, 0), lambda batch: len(batch.target)
        )
        settings = TrainingSettings(learning_rate=1e-2, epochs=16, checkpoint_steps=10**9)
        train(pointer, curriculum, LabelPointer.loss, settings, folder / "c.safetensors", ignore)
    return pointer


@pytest.fixture(scope="module", params=POINTERS)
def trained(request, calm_model, tiny_tokenizer, world, tmp_path_factory) -> LabelPointer:
    folder = tmp_path_factory.mktemp("fused")
    return fused(request.param, calm_model, tiny_tokenizer, world, world.facts, folder)


def answers_of(model, tokenizer, pointer, facts, world: World) -> list[str]:
    """Free answers to the questions on entities that were not trained on."""
    numbers = range(TRAINED_ON * len(RELATIONS), len(world.prompts))
    read_out = PointerReadOut(model, pointer, build_fact_memory(facts))
    prompts = [world.prompts[number] for number in numbers]
    return generate_greedy(model, tokenizer, prompts, numbers, [read_out], 12, 32, ignore)[0]


def share_right(found: list[str], world: World) -> float:
    return float(
        np.mean([a == b for a, b in zip(found, world.answers[-len(found) :], strict=True)])
    )


def test_labels_of_new_entities_are_copied(calm_model, tiny_tokenizer, trained, world) -> None:
    found = answers_of(calm_model, tiny_tokenizer, trained, world.facts, world)
    assert share_right(found, world) > 0.8


@pytest.mark.parametrize("name", POINTERS)
def test_the_shuffled_control_does_not_copy(
    name, calm_model, tiny_tokenizer, world, tmp_path
) -> None:
    shuffled = shuffled_objects(world.facts, seed=0)
    control = fused(name, calm_model, tiny_tokenizer, world, shuffled, tmp_path)
    found = answers_of(calm_model, tiny_tokenizer, control, shuffled, world)
    assert share_right(found, world) < 0.1


def test_editing_the_memory_edits_the_answer(calm_model, tiny_tokenizer, trained, world) -> None:
    before = answers_of(calm_model, tiny_tokenizer, trained, world.facts, world)
    first, count = TRAINED_ON * len(RELATIONS), len(RELATIONS)
    without = list(world.facts)
    without[first] = without[first][1:]  # the first entity's capital, asked first, is gone
    deleted = answers_of(calm_model, tiny_tokenizer, trained, without, world)
    assert before[0] == world.answers[first]
    assert deleted[0] != before[0]
    assert deleted[1:] == before[1:], "only the question that lost its fact changes"
    swapped = list(world.facts)
    swapped[first] = world.facts[first + count]
    replaced = answers_of(calm_model, tiny_tokenizer, trained, swapped, world)
    assert replaced[0] == world.answers[first + count]


def test_a_saved_top_comes_back(trained, tmp_path) -> None:
    path = tmp_path / "fusion.safetensors"
    save_pointer(trained, path)
    loaded = load_pointer(trained.name, path, torch.zeros(1, 4))
    assert type(loaded) is type(trained)
    assert loaded.sizes == trained.sizes
    assert not loaded.training
    for name, value in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_an_answer_tree_scores_the_answer_and_the_line_end(tiny_tokenizer) -> None:
    tree = answer_tree(tiny_tokenizer, "Norway, capital", "Oslo")
    (path,) = tree.paths
    assert tiny_tokenizer.decode([tree.tokens[node] for node in path]) == " Oslo\n"


def test_states_belong_to_their_targets(tiny_model, tiny_tokenizer, world) -> None:
    trees = [answer_tree(tiny_tokenizer, world.prompts[n], world.answers[n]) for n in range(5)]
    states = fusion_states(tiny_model, trees, 40, ignore)
    found = set(
        zip(
            states.places.request.tolist(),
            states.places.current.tolist(),
            states.target.tolist(),
            strict=True,
        )
    )
    expected = {
        (number, tree.tokens[tree.parents[node]], tree.tokens[node])
        for number, tree in enumerate(trees)
        for node in tree.paths[0]
    }
    assert found == expected


def test_an_epoch_holds_every_place_once_and_depends_on_its_number(
    tiny_model, tiny_tokenizer, world
) -> None:
    trees = [answer_tree(tiny_tokenizer, world.prompts[n], world.answers[n]) for n in range(9)]
    states = fusion_states(tiny_model, trees, 4096, ignore)
    (rows,) = fusion_rows(tiny_model, states, [build_fact_memory(world.facts[:9])])
    first, again, second = (epoch_of_rows(rows, 4, 0.3, 0, epoch) for epoch in (0, 0, 1))
    targets = [torch.cat([batch.target for batch in epoch]) for epoch in (first, again, second)]
    assert targets[0].sort().values.tolist() == rows.target.sort().values.tolist()
    assert torch.equal(targets[0], targets[1])
    assert not torch.equal(targets[0], targets[2])
    for left, right in zip(first, again, strict=True):
        assert torch.equal(left.memory.relation, right.memory.relation)


def test_text_keys_are_mean_hidden_states(tiny_model, tiny_tokenizer) -> None:
    texts = ["capital", "a much longer name of a relation"]
    keys = text_keys(tiny_model, tiny_tokenizer, texts)
    for key, text in zip(keys, texts, strict=True):
        tokens = torch.tensor([tiny_tokenizer(f" {text}")["input_ids"]])
        with torch.no_grad():
            expected = tiny_model.base_model(tokens).last_hidden_state[0].mean(dim=0)
        torch.testing.assert_close(key, expected, rtol=1e-4, atol=1e-5)
