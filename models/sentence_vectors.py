"""Dense retrieval: passages and questions as vectors of a sentence encoder, nearest by cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LONGEST = 128  # tokens of a passage that the encoder reads
AT_ONCE = 64


def dense_ranking(
    encoder: Path,
    passages: Sequence[str],
    queries: Sequence[str],
    depth: int,
    advance: Callable[[int], None],
) -> NDArray[np.int64]:
    """(queries, depth) numbers of the nearest passages, nearest first.

    Args:
        encoder: folder of a text encoder; sentence-transformers averages its tokens' states where the
            folder doesn't say otherwise (Reimers and Gurevych 2019).
        passages: what is searched.
        queries: what for.
        depth: passages a query.
        advance: called with the number of passages just encoded.
    """
    from sentence_transformers import SentenceTransformer  # heavy, and only this arm needs it

    model = SentenceTransformer(str(encoder), device="cpu", local_files_only=True)
    model.max_seq_length = LONGEST

    def vectors(texts: Sequence[str], done: Callable[[int], None]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(texts), 8 * AT_ONCE):
            part = list(texts[start : start + 8 * AT_ONCE])
            parts.append(
                model.encode(
                    part, batch_size=AT_ONCE, normalize_embeddings=True, show_progress_bar=False
                )
            )
            done(len(part))
        return np.concatenate(parts).astype(np.float32)

    known = vectors(passages, advance)
    similarity = vectors(queries, lambda done: None) @ known.T
    # A stable sort: equal passages keep their order from run to run.
    return np.argsort(-similarity, axis=1, kind="stable")[:, :depth].astype(np.int64)
