"""Choices that don't depend on the batch: near ties are scored again, alone.

Floating-point sums depend on the shape of a batch. A question's canonical scores are those that it
has alone; the scores it gets in company differ by rounding only, say by at most half of t. Then

    a gap between the two best scores over t      both scorings choose the same option
    a gap of at most t                            the canonical scores are taken instead

so the option chosen is always the canonical scores' first maximum, whatever the batch was. t is a
stated part of the score, many times the largest error measured; and because each question scored
again shows its own error, t is widened to four times the largest error seen in the call. In a call
of many questions the one with the smallest gap is always scored again, so that there is an error to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

# Of the best score. Largest difference between batch shapes in 1,400 options of SmolLM2, whose
# scores are -5 to -30: 2.4e-5 in float32, 0.42 in bfloat16.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 5e-5}
COARSE_TOLERANCE = 0.05  # half precision of either kind
# Padded tokens of a pass for a question scored alone: its scores must depend on nothing else.
CANONICAL_TOKENS = 2048
MARGIN = 4.0  # over the largest error seen
CHECKED_FROM = 64  # questions in a call: of fewer, one more is more than a small part


def tolerance_of(dtype: torch.dtype) -> float:
    """The part of a score (in nats; of one nat at least) within which two scores are a near tie."""
    return TOLERANCE.get(dtype, COARSE_TOLERANCE)


def settle_near_ties(
    scores: Sequence[np.ndarray], alone: Callable[[int], np.ndarray], dtype: torch.dtype
) -> list[np.ndarray]:
    """The scores, those of questions whose two best nearly tie replaced by their canonical ones.

    Args:
        scores: for each question, the (options,) scores that it got in some batch, in nats.
        alone: the canonical scores of a question: a function of it and the model, of no batch.
        dtype: in which they were computed.
    """
    settled = list(scores)
    gaps = [relative_gap(own) for own in scores]
    tolerance = tolerance_of(dtype)
    contested = [number for number, gap in enumerate(gaps) if gap < float("inf")]
    nearest_first = sorted(contested, key=lambda number: (gaps[number], number))
    for rank, number in enumerate(nearest_first):
        checked = rank == 0 and len(scores) >= CHECKED_FROM
        if gaps[number] > tolerance and not checked:
            break
        settled[number] = alone(number)
        tolerance = max(tolerance, MARGIN * relative_error(scores[number], settled[number]))
    return settled


def relative_gap(scores: np.ndarray) -> float:
    """How far the best score is above the next, as a part of it; infinite for a lone option."""
    if len(scores) < 2:
        return float("inf")
    second, best = np.partition(scores, -2)[-2:]
    return float((best - second) / max(1.0, abs(best))) if best > second else 0.0


def relative_error(scores: np.ndarray, canonical: np.ndarray) -> float:
    """The largest difference, as a part of the best score."""
    largest = np.abs(scores - canonical).max(initial=0.0)
    return float(largest / max(1.0, abs(canonical.max(initial=-np.inf))))
