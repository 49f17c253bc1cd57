"""The vectors of a graph's texts, computed once by an encoder and kept beside the linking index.

One folder for the same texts and the same encoder, named by the digest of both; a reader finds it whole
or not at all, and one that is damaged is made anew.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...kg.linking.index_files import UNREADABLE, replaced_folder, save_arrays
from ...models.text_encoder import TextEncoder, Vectors
from ..console import Console

NAME = "vectors"


@dataclass(frozen=True)
class TextVectors:
    """(n, D) vectors of length 1, and the row of each text."""

    rows: Mapping[str, int]
    vectors: Vectors


def text_vectors(
    texts: Sequence[str], encoder: TextEncoder, encoder_digest: str, kept: Path, console: Console
) -> TextVectors:
    """Read the vectors of these texts, or compute them.

    Args:
        texts: none twice, none empty.
        encoder: that reads them.
        encoder_digest: of its files.
        kept: folder in which vectors are kept; what can't be written there is computed each time.
        console: for progress.
    """
    digest = hashlib.sha256(encoder_digest.encode())
    for text in texts:
        digest.update(f"\0{text}".encode("utf-8", "surrogatepass"))
    folder = kept / f"{digest.hexdigest()[:16]}.{NAME}"
    rows = {text: row for row, text in enumerate(texts)}
    with suppress(*UNREADABLE):
        found = np.load(folder / f"{NAME}.npy", mmap_mode="r", allow_pickle=False)
        if found.shape == (len(texts), encoder.width) and found.dtype == np.float16:
            return TextVectors(rows, found)
    with console.progress(
        "reading the graph's names and descriptions", len(texts), "texts"
    ) as told:
        vectors = encoder.vectors(texts, told)
    with suppress(OSError), replaced_folder(folder) as partial:
        save_arrays({NAME: vectors}, partial)
    return TextVectors(rows, vectors)
