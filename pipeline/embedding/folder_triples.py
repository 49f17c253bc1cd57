"""The triples of a benchmark's folder as they are split there: leaks are told, not mended."""

import numpy as np

from ...errors import UserError
from ...kg.leaking_relations import leaking_relations
from ...kg.readers.json_lines import fault_error
from ...kg.triples_files import (
    SPLITS,
    TriplesFolder,
    folder_bytes,
    read_triples_folder,
    told_twice,
    triple_keys,
)
from ..console import Console
from .embedded_triples import EmbeddedTriples, Named, distinct
from .triples_source import FolderSource

KEEP = "--keep-duplicates"


def folder_triples(source: FolderSource, console: Console) -> EmbeddedTriples:
    """Read a folder, and say what is odd about it.

    Raises:
        UserError: see `read_triples_folder`; or a triple is on two sides and `source` doesn't allow it.
    """
    with console.progress("reading", folder_bytes(source.folder), "bytes") as advance:
        read = read_triples_folder(source.folder, advance)
    twice = _told_twice(read, source.keep_duplicates)
    sides = [read.splits[name].triples for name in SPLITS]
    everything = distinct(np.concatenate(sides))
    negatives = {name: of.triples for name, of in read.negatives.items()}
    files = [*read.splits.values(), *read.negatives.values()]
    found = EmbeddedTriples(
        entities=Named(read.entities, read.entities),
        relations=Named(read.relations, read.relations),
        entity_ids=np.arange(len(read.entities), dtype=np.int32),
        relation_ids=np.arange(len(read.relations), dtype=np.int32),
        train=sides[0],
        valid=sides[1],
        test=sides[2],
        leaks=leaking_relations(everything, len(read.entities), len(read.relations)),
        valid_negatives=negatives.get("valid"),
        test_negatives=negatives.get("test"),
        noted={
            "repeated_lines": {of.path.name: of.repeated for of in files if of.repeated},
            "on_two_sides": twice,
            "negatives_that_are_true": _true_negatives(read, everything),
        },
    )
    if len(found.entities) < 2:
        problem = "the triples have one entity; there is nothing to tell apart"
        raise UserError(problem, str(source.folder), "name triples of two entities or more")
    _say(found, console)
    return found


def _told_twice(read: TriplesFolder, allowed: bool) -> dict[str, int]:
    """How many triples each two sides share.

    Raises:
        UserError: there are some, and they aren't allowed.
    """
    counts: dict[str, int] = {}
    faults = []
    for first, second in (("train", "valid"), ("train", "test"), ("valid", "test")):
        rows = told_twice(read.splits[first], read.splits[second])
        if len(rows):
            counts[f"{first}, {second}"] = len(rows)
        side = read.splits[second]
        for row in rows.tolist():
            head, relation, tail = side.triples[row].tolist()
            told = f"{read.entities[head]} {read.relations[relation]} {read.entities[tail]}"
            faults.append((side.place(row), f"{first}.txt has this triple too: {told}"))
    if faults and not allowed:
        raise fault_error(
            faults, f"take them out of one file; {KEEP} goes on with them, and counts them"
        )
    return counts


def _true_negatives(read: TriplesFolder, everything: np.ndarray) -> dict[str, int]:
    """False triples that a file of true ones has as well, by file."""
    counts = {}
    for of in read.negatives.values():
        keys = triple_keys(np.concatenate((everything, of.triples)))
        counts[of.path.name] = int(np.isin(keys[len(everything) :], keys[: len(everything)]).sum())
    return {name: count for name, count in counts.items() if count}


def _say(found: EmbeddedTriples, console: Console) -> None:
    for name, of in (("valid", found.valid), ("test", found.test)):
        if count := int(found.unseen(of).sum()):
            console.line(
                f"{name}.txt: {count:,} of {len(of):,} triples have an entity that isn't in train.txt"
            )
        if count := int(found.told(of).sum()):
            console.line(
                f"{name}.txt: {count:,} of {len(of):,} triples are told by train.txt: by a symmetric, inverse "
                f"or duplicate relation, or themselves"
            )
    for key, words in (
        ("repeated_lines", "lines repeat others, and count once"),
        ("on_two_sides", "triples are on both sides"),
        ("negatives_that_are_true", "false triples are true by another file"),
    ):
        for name, count in found.noted[key].items():
            console.line(f"{name}: {count:,} {words}")
