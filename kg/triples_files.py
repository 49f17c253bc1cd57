"""Triples as the public benchmarks are laid out: `train.txt`, `valid.txt`, `test.txt` in one folder.

A line is head, relation and tail, names of any kind between tabs. `valid_negatives.txt` and
`test_negatives.txt`, where they are there, hold false triples that are hard to tell from true ones
(CoDEx: Safavi and Koutra 2020, EMNLP). Names are numbered in their order, and triples sorted, so that
the order of the lines changes nothing.
"""

import os
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .readers.bounded_lines import bounded_lines
from .readers.json_lines import fault_error
from .readers.sources import MAX_TEXT

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Advance = Callable[[int], None]

SPLITS = ("train", "valid", "test")
NEGATIVES = {"valid": "valid_negatives", "test": "test_negatives"}
COLUMNS = "a line is head, relation and tail, with one tab between each"
LINES_BETWEEN = 10_000  # two tellings of progress
MOST_FAULTS = 1000  # kept of a file; a hundred are shown


@dataclass(frozen=True)
class TriplesFile:
    """The triples of one file, each once, sorted.

    Attributes:
        path: where they were read.
        triples: (n, 3) head, relation, tail.
        lines: (n,) the line that each stands in first, from 1.
        repeated: lines that say again what another one of the file says.
    """

    path: Path
    triples: Int32
    lines: Int64
    repeated: int

    def place(self, row: int) -> str:
        return f"{self.path}:{self.lines[row]}"


@dataclass(frozen=True)
class TriplesFolder:
    """A whole benchmark.

    Attributes:
        entities, relations: names in the order of their numbers, ascending.
        splits: "train", "valid" and "test".
        negatives: "valid" and "test", those of them that have false triples.
    """

    entities: tuple[str, ...]
    relations: tuple[str, ...]
    splits: dict[str, TriplesFile]
    negatives: dict[str, TriplesFile]


def read_triples_folder(folder: Path, advance: Advance = lambda count: None) -> TriplesFolder:
    """Read the three files, and the negatives where there are any.

    Args:
        folder: that holds them.
        advance: told of the bytes just read, `folder_bytes` in all.

    Raises:
        UserError: a file is missing or empty, a line isn't a triple, a relation is never trained, or a
            false triple names what no other file names.
    """
    folder = Path(folder)
    check_folder(folder)
    entities, relations = dict[str, int](), dict[str, int]()
    read = {
        name: _numbered(folder / f"{name}.txt", entities, relations, advance) for name in SPLITS
    }
    false = {
        name: _numbered_again(folder / f"{file}.txt", entities, relations, advance)
        for name, file in NEGATIVES.items()
        if (folder / f"{file}.txt").is_file()
    }
    order = (_ranks(entities), _ranks(relations))
    found = TriplesFolder(
        tuple(sorted(entities)),
        tuple(sorted(relations)),
        {name: _sorted(folder / f"{name}.txt", rows, order) for name, rows in read.items()},
        {
            name: _sorted(folder / f"{NEGATIVES[name]}.txt", rows, order)
            for name, rows in false.items()
        },
    )
    _check(found)
    return found


def check_folder(folder: Path) -> None:
    """Raises UserError where one of the three files isn't there, or can't be read."""
    if missing := [f"{name}.txt" for name in SPLITS if not (folder / f"{name}.txt").is_file()]:
        names = sorted(path.name for path in folder.iterdir())[:8] if folder.is_dir() else []
        fix = f"it holds: {', '.join(names)}" if names else "name a folder of triples"
        raise UserError(f"the folder holds no {' and no '.join(missing)}", str(folder), fix)
    for path in (folder / f"{name}.txt" for name in SPLITS):
        if not os.access(path, os.R_OK):
            raise UserError("the file can't be read", str(path), "allow it to be read")


def folder_bytes(folder: Path) -> int:
    """How long the files are together."""
    files = (folder / f"{name}.txt" for name in (*SPLITS, *NEGATIVES.values()))
    return sum(path.stat().st_size for path in files if path.is_file())


def told_twice(first: TriplesFile, second: TriplesFile) -> Int64:
    """(k,) rows of the second file whose triple the first one has too."""
    both = np.concatenate((first.triples, second.triples))
    keys = triple_keys(both)
    return np.flatnonzero(np.isin(keys[len(first.triples) :], keys[: len(first.triples)]))


def triple_keys(triples: NDArray[np.integer]) -> Int64:
    """(n,) one number for each triple (n, 3), the same for the same triple, in the order of triples."""
    heads, relations, tails = triples.T.astype(np.int64)
    entities = 1 + max(heads.max(initial=0), tails.max(initial=0))
    keys: Int64 = (heads * (1 + relations.max(initial=0)) + relations) * entities + tails
    return keys


def _numbered(
    path: Path, entities: dict[str, int], relations: dict[str, int], advance: Advance
) -> Int64:
    """(n, 4) numbers in the order in which names were first seen, and the line; repeats too."""
    rows = array("q")  # no list: of many millions of lines there may be no room for objects
    faults: list[tuple[str, str]] = []
    read = 0
    with path.open("rb") as file:
        for number, line in bounded_lines(file, MAX_TEXT):
            read += len(line) + 1
            if number % LINES_BETWEEN == 0:
                advance(read)
                read = 0
            problem, names = _names(line, number == 1)
            if not problem:
                head, relation, tail = names
                rows.append(entities.setdefault(head, len(entities)))
                rows.append(relations.setdefault(relation, len(relations)))
                rows.append(entities.setdefault(tail, len(entities)))
                rows.append(number)
            elif len(faults) < MOST_FAULTS:
                faults.append((f"{path}:{number}", problem))
    advance(read)
    if faults:
        raise fault_error(faults, COLUMNS)
    if not rows:
        raise UserError("the file holds no triple", str(path), COLUMNS)
    return np.frombuffer(rows, dtype=np.int64).reshape(-1, 4)


def _names(line: bytes, first: bool) -> tuple[str, Sequence[str]]:
    """What is wrong with a line, and its three names."""
    if len(line) > MAX_TEXT:
        return f"the line is longer than {MAX_TEXT >> 20} MiB", ()
    try:
        text = line.decode("utf-8-sig" if first else "utf-8").removesuffix("\r")
    except UnicodeDecodeError:
        return "the line isn't UTF-8", ()
    names = text.split("\t")
    if len(names) != 3:
        columns = "1 column" if len(names) == 1 else f"{len(names)} columns"
        return (f"the line has {columns}, not 3" if text else "the line is empty"), ()
    return ("" if all(names) else "a name is empty"), names


def _numbered_again(
    path: Path, entities: dict[str, int], relations: dict[str, int], advance: Advance
) -> Int64:
    """The same of a file that may name nothing new."""
    known = len(entities), len(relations)
    rows = _numbered(path, entities, relations, advance)
    strange = np.column_stack(
        (rows[:, 0] >= known[0], rows[:, 1] >= known[1], rows[:, 2] >= known[0])
    )
    if not strange.any():
        return rows
    names = list(entities), list(relations)
    faults = []
    for row in np.flatnonzero(strange.any(axis=1))[:MOST_FAULTS].tolist():
        column = int(np.argmax(strange[row]))
        kind, name = ("relation", names[1]) if column == 1 else ("entity", names[0])
        said = f"no other file has the {kind} {name[rows[row, column]]!r}"
        faults.append((f"{path}:{rows[row, 3]}", said))
    raise fault_error(faults, "false triples are of the entities and relations of the true ones")


def _ranks(numbers: dict[str, int]) -> Int64:
    """From the number of each name to its place among all in their order."""
    ranks = np.empty(len(numbers), dtype=np.int64)
    ranks[[numbers[name] for name in sorted(numbers)]] = np.arange(len(numbers))
    return ranks


def _sorted(path: Path, rows: Int64, order: tuple[Int64, Int64]) -> TriplesFile:
    entity, relation = order
    triples = np.column_stack((entity[rows[:, 0]], relation[rows[:, 1]], entity[rows[:, 2]]))
    _, kept = np.unique(triple_keys(triples), return_index=True)
    return TriplesFile(
        path, triples[kept].astype(np.int32), rows[kept, 3], repeated=len(rows) - len(kept)
    )


def _check(found: TriplesFolder) -> None:
    """Raises UserError where a relation is asked for that is in no triple of training."""
    trained = np.unique(found.splits["train"].triples[:, 1])
    faults = []
    for name in SPLITS[1:]:
        split = found.splits[name]
        for row in np.flatnonzero(~np.isin(split.triples[:, 1], trained))[:MOST_FAULTS].tolist():
            relation = found.relations[split.triples[row, 1]]
            faults.append(
                (split.place(row), f"train.txt has no triple of the relation {relation!r}")
            )
    if faults:
        fix = (
            "move some of the relation's triples into train.txt, or leave it out of the other files"
        )
        raise fault_error(faults, fix)
