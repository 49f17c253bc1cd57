"""An index of names kept on disk, so that a linker stands ready within a second.

One folder: an `.npy` for each column of numbers, `words.txt` (the folded words by number) and
`index.json` (endings, and what the index was made of). It is written beside its place and renamed,
and is read only if it was made of the same names by the same version of infact.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from .linking_scores import NameRow
from .name_index import NO_KEY, NameIndex
from .names_trie import NamesTrie
from .spellings import Spellings
from .unordered_names import MASK_BITS, UnorderedIndex
from .word_forms import WordForms

UNREADABLE = (OSError, EOFError, ValueError, KeyError)  # what a damaged file may raise
MASK_BYTES = MASK_BITS // 8


def names_digest(rows: Sequence[NameRow]) -> str:
    """What an index is made of: the names, whose they are, of what kind, and infact's version."""
    digest = hashlib.sha256(__version__.encode())
    for row in rows:
        digest.update(f"{row.entity}\0{row.kind}\0{row.text}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def save_index(index: NameIndex, names: str, folder: Path) -> None:
    """Write an index; a reader finds the old one or the new one.

    Args:
        names: digest of the names that it is made of.

    Raises:
        OSError: the folder can't be written.
    """
    words = list(index.spellings.numbers) or [""]
    made = {
        "names": names,
        "words": len(words),
        "endings": index.spellings.forms.endings,
    }
    with replaced_folder(folder) as partial:
        save_arrays(_arrays(index), partial)
        (partial / "words.txt").write_text("\n".join(words), encoding="utf-8", newline="\n")
        (partial / "index.json").write_text(json.dumps(made), encoding="utf-8")


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when all has been written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save_arrays(arrays: Mapping[str, NDArray], folder: Path) -> None:
    """Write each array as a file of its name."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_arrays(folder: Path) -> dict[str, NDArray]:
    """Read the arrays of a folder by their names."""
    return {file.stem: np.load(file, allow_pickle=False) for file in sorted(folder.glob("*.npy"))}


def load_index(rows: Sequence[NameRow], names: str, folder: Path) -> NameIndex | None:
    """Read an index of these names; None where there is none, or one of other names, or half of one."""
    try:
        made = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if made["names"] != names:
            return None
        words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
        if len(words) != made["words"]:
            return None
        return _index(rows, words, made["endings"], load_arrays(folder))
    except UNREADABLE:
        return None


def _keys(unordered: UnorderedIndex) -> Iterator[tuple[int, ...]]:
    return map(unordered.keys_of, unordered.keys)


def _arrays(index: NameIndex) -> dict[str, NDArray]:
    trie, unordered = index.trie, index.unordered
    masks = b"".join(mask.to_bytes(MASK_BYTES, "little") for mask in unordered.companions)
    return {
        "trie": np.array([trie.stride, trie.node_count]),
        "edges": np.fromiter(trie.edges.keys(), np.int64, len(trie.edges)),
        "children": np.fromiter(trie.edges.values(), np.int32, len(trie.edges)),
        "nodes": np.fromiter(trie.keys.keys(), np.int32, len(trie.keys)),
        "node_keys": np.fromiter(trie.keys.values(), np.int32, len(trie.keys)),
        "sums": np.fromiter(unordered.keys, np.int64, len(unordered.keys)),
        "counts": np.fromiter((len(each) for each in _keys(unordered)), np.int32),
        "sum_keys": np.fromiter((key for each in _keys(unordered) for key in each), np.int32),
        "companions": np.frombuffer(masks, np.uint8),
        "classes": np.array(index.spellings.forms.classes, np.int32),
        "broken": np.array(sorted(index.broken_keys), np.int32),
        "common": np.array(sorted(index.common.items()), np.int32).reshape(-1, 2),
        "row_keys": index.row_keys,
        "substitutions": np.array(_pairs(index.substitutions), np.int32).reshape(-1, 2),
    }


def _index(
    rows: Sequence[NameRow],
    words: Sequence[str],
    endings: dict[str, list[str]],
    arrays: Mapping[str, NDArray],
) -> NameIndex:
    stride, node_count = arrays["trie"].tolist()
    trie = NamesTrie(stride - 1)
    trie.node_count = node_count
    trie.edges = _dictionary(arrays["edges"], arrays["children"])
    trie.keys = _dictionary(arrays["nodes"], arrays["node_keys"])
    names: list[list[NameRow]] = [[] for _ in range(len(trie.keys))]
    for row, key in zip(rows, arrays["row_keys"].tolist(), strict=True):
        if key != NO_KEY:
            names[key].append(row)
    numbers = {word: number for number, word in enumerate(words)}
    forms = WordForms.of_classes(numbers, endings, arrays["classes"].tolist())
    broken = set(arrays["broken"].tolist())
    spellings, common = Spellings(numbers, forms), dict(arrays["common"].tolist())
    row_keys, unordered = arrays["row_keys"], _unordered(arrays)
    substitutions = _substitutions(arrays["substitutions"])
    return NameIndex(names, row_keys, broken, trie, unordered, spellings, common, substitutions)


def _pairs(substitutions: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    return [(word, partner) for word, partners in substitutions.items() for partner in partners]


def _substitutions(pairs: NDArray) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for word, partner in pairs.tolist():
        found[word] = (*found.get(word, ()), partner)
    return found


def _unordered(arrays: Mapping[str, NDArray]) -> UnorderedIndex:
    masks = arrays["companions"].tobytes()
    unordered = UnorderedIndex(len(masks) // MASK_BYTES)
    unordered.companions = [
        int.from_bytes(masks[at : at + MASK_BYTES], "little")
        for at in range(0, len(masks), MASK_BYTES)
    ]
    counts, sums, keys = arrays["counts"], arrays["sums"].tolist(), arrays["sum_keys"].tolist()
    unordered.keys = dict(zip(sums, [0] * len(sums), strict=True))
    ends = np.cumsum(counts)
    for total, end, count in zip(sums, ends.tolist(), counts.tolist(), strict=True):
        unordered.keys[total] = keys[end - 1] if count == 1 else tuple(keys[end - count : end])
    return unordered


def _dictionary(keys: NDArray, values: NDArray) -> dict[int, int]:
    return dict(zip(keys.tolist(), values.tolist(), strict=True))
