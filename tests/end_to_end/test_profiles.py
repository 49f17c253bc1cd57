"""Facts on an entity that are told at once, in a project whose graph says several things of a country."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from infact.kg.graph import KnowledgeGraph
from infact.models.base_model import load_tokenizer
from infact.models.predicted_texts import continued_texts
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.training.entity_profiles import Profile, entity_profiles, told_in_window

from .conftest import Infact


@pytest.fixture(scope="module")
def profiles(finished: dict[str, Path]) -> dict[str, Profile]:
    return entity_profiles(finished["ingest"], finished["facts"])


@pytest.fixture(scope="module")
def facts(finished: dict[str, Path]) -> dict[str, dict]:
    rows = pq.read_table(finished["facts"] / "facts.parquet").to_pylist()
    return {row["fact"]: row for row in rows}


def test_a_profile_says_what_the_graph_does_and_nothing_withheld(
    finished: dict[str, Path], profiles: dict[str, Profile], facts: dict[str, dict]
) -> None:
    graph = KnowledgeGraph.open(finished["ingest"])
    named = {row["relation"]: row["relation_label"] for row in facts.values()}
    withheld = np.load(finished["facts"] / "withheld.npy").tolist()
    assert profiles
    for fact, profile in profiles.items():
        row = facts[fact]
        assert row["pool"] == "T"
        assert profile.name == row["subject_label"]
        assert profile.own == (row["relation_label"], row["answer"])
        rows = [at for at in graph.outgoing(row["subject"]).tolist() if at not in withheld]
        told = {
            (named[relation], graph.label(tail))
            for _, relation, tail in graph.triples[rows].tolist()
            if relation in named
        }
        assert {profile.own, *profile.others} == told
        assert profile.own not in profile.others


def test_every_object_counts_and_nothing_else(
    finished: dict[str, Path], profiles: dict[str, Profile]
) -> None:
    tokenizer, random = load_tokenizer(finished["base"]), np.random.default_rng(0)
    profile = max(profiles.values(), key=lambda each: len(each.others))
    seen: Counter[str] = Counter()
    for _ in range(20):
        text = profile.told(3, random)
        lines = text.text.strip().split("\n")
        assert lines[0] == profile.name
        assert f"{profile.own[0]}: {profile.own[1]}" in lines[1:]
        assert len(lines) == len(set(lines)) == 1 + min(3, 1 + len(profile.others))
        objects = [text.text[start:end] for start, end in text.mentions]
        assert objects == [line.split(": ", 1)[1] for line in lines[1:]]
        seen[text.text] += 1
        (row,) = continued_texts(tokenizer, [text], 999)
        counted = tokenizer.decode(list(row.targets)).replace(" ", "")
        assert counted == "".join(objects).replace(" ", "")
    assert len(seen) > 1


def test_a_profile_fits_the_window(finished: dict[str, Path], profiles: dict[str, Profile]) -> None:
    tokenizer, random = load_tokenizer(finished["base"]), np.random.default_rng(0)
    profile = max(profiles.values(), key=lambda each: len(each.others))
    whole = told_in_window(profile, 9, 999, tokenizer, random)
    tokens = len(tokenizer(whole.text)["input_ids"])
    assert len(whole.mentions) == min(9, 1 + len(profile.others))
    cut = told_in_window(profile, 9, tokens - 1, tokenizer, random)
    assert 1 <= len(cut.mentions) < len(whole.mentions)
    assert profile.own[1] in cut.text
    assert len(told_in_window(profile, 9, 1, tokenizer, random).mentions) == 1


def test_each_fact_is_shown_as_often_as_without(
    project: Path, finished: dict[str, Path], infact: Infact
) -> None:
    file = project.with_name("profiles.toml")
    text = project.read_text(encoding="utf-8")
    file.write_text(
        text.replace("[pretrain]\n", "[pretrain]\nprofiles = 0.5\nprofile_facts = 3\n"),
        encoding="utf-8",
    )
    done = infact(file, "pretrain")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = existing_artifacts(load_project(file), ["pretrain"])["pretrain"]
    counts, told = (
        json.loads((each / "exposures.json").read_text(encoding="utf-8"))
        for each in (folder, finished["pretrain"])
    )
    assert counts == told
    tokens, before = (
        json.loads((each / "training.json").read_text(encoding="utf-8"))["tokens"]
        for each in (folder, finished["pretrain"])
    )
    assert tokens != before
