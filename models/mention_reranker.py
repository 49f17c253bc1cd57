"""Which of its candidates a mention stands for, by what a frozen encoder reads in both.

    s_c = α·log p_c + κ_kind + τ₁ max_n cos(A m, A n) + τ₂ mean_n cos(A m, A n) + τ₃ cos(B x, B d_c)
    s_0 = α·log p_0 + γ                              P = softmax((s_0 + δ, s_1, … s_K) / T)
    A v = v + W v + U gelu(√D V v + b)               and B likewise

p are the linker's own probabilities, 0 is NIL; m is the mention's vector, x that of the mention in its
sentence, n those of the candidate's names and d_c that of its description: label, definition and what is
above it; κ is of the kind of the name that the linker found. A and B are the learnt part of a bi-encoder
whose encoder stays as it is, so an entity's vectors are computed once, whatever is learnt, and a mention
costs one short pass. W and U begin at zero: untrained, it is cosine beside the linker. δ and T are set
afterwards on examples of their own (temperature scaling, with an intercept for NIL), so that P is as often
right as it says.

It is the bi-encoder of BLINK (Wu et al. 2020) with SapBERT's lesson (Liu et al. 2021), that an encoder
must be aligned on the graph's own synonyms before its cosines tell them from neighbours; the alignment
alone is learnt, on top of it, and against the linker's candidates rather than others of the batch. It
can't tell what the encoder's mean of states doesn't, and it knows nothing of whether a text that spells a
name means it: that is left to the linker (kg/linking/rescoring.py). A cross-encoder, which reads mention
and candidate together, would cost a pass for each candidate.

Papers: Wu et al. 2020, "Scalable zero-shot entity linking with dense entity retrieval", EMNLP; Liu et al.
2021, "Self-alignment pretraining for biomedical entity representations", NAACL; Guo et al. 2017, "On
calibration of modern neural networks", ICML.

Shapes: n mentions, K candidates, N names of a candidate, V vectors, D width, H hidden width of a turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

NOTHING = -1  # in place of a row: no such name, or no such candidate
FIRST_SCALE = 5.0  # τ₁ before training: a cosine of 1 beside 0.5 is a factor of 12
SPEED = 20.0  # weights of the sum move by so much more than the matrices at one learning rate
KINDS = 6  # of names: any other, then those of candidate_lists.KINDS
WIDER = 2  # H / D
LEFT_OUT = (
    0.3  # of the H numbers, in training: the matrices could learn the training names by heart
)

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class CandidateLists:
    """Mentions with their candidates, as rows of a table of vectors.

    Attributes:
        mention: (n,) of the surface by itself.
        context: (n,) of the mention in its sentence.
        names: (n, K, N); NOTHING where a candidate has fewer.
        descriptions: (n, K); NOTHING where there are fewer candidates.
        kinds: (n, K) number of the found name's kind, below KINDS.
        log_scores: (n, 1 + K) log p of NIL and of each candidate.
        truth: (n,) 0 for NIL, else 1 + the candidate's place; None where nobody knows.
    """

    mention: Rows
    context: Rows
    names: Rows
    descriptions: Rows
    kinds: Rows
    log_scores: NDArray[np.float32]
    truth: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.mention)

    def of(self, rows: NDArray[np.integer] | slice) -> CandidateLists:
        """Some of them."""
        return CandidateLists(
            self.mention[rows],
            self.context[rows],
            self.names[rows],
            self.descriptions[rows],
            self.kinds[rows],
            self.log_scores[rows],
            None if self.truth is None else self.truth[rows],
        )


class Turn(nn.Module):
    """A or B of the formula above, and then to length 1: (*, D) → (*, D).

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.straight = nn.Linear(width, width, bias=False)  # W
        self.inner = nn.Linear(width, WIDER * width)  # V and b
        self.outer = nn.Linear(WIDER * width, width, bias=False)  # U
        self.left_out = nn.Dropout(LEFT_OUT)
        nn.init.normal_(self.inner.weight, std=width**-0.5)
        for zero in (self.straight.weight, self.inner.bias, self.outer.weight):
            nn.init.zeros_(zero)

    def forward(self, vectors: Tensor) -> Tensor:
        scaled = vectors.shape[-1] ** 0.5 * vectors  # numbers of about 1
        bent = self.outer(self.left_out(nn.functional.gelu(self.inner(scaled))))
        return nn.functional.normalize(vectors + self.straight(vectors) + bent, dim=-1)


class MentionReranker(nn.Module):
    """The formula above.

    Args:
        width: D, the encoder's.
        seed: of the turns' first weights.
    """

    nil_shift: Tensor
    temperature: Tensor

    def __init__(self, width: int, seed: int = 0) -> None:
        super().__init__()
        self.width = width
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.of_names, self.of_descriptions = Turn(width), Turn(width)  # A and B
        self.of_kinds = nn.Parameter(torch.zeros(KINDS))  # κ / SPEED
        self.weights = nn.Parameter(torch.tensor([1.0, FIRST_SCALE, 0.0, 0.0, 0.0]) / SPEED)
        self.register_buffer("nil_shift", torch.zeros(()))  # δ
        self.register_buffer("temperature", torch.ones(()))  # T

    def forward(self, vectors: Tensor, lists: CandidateLists) -> Tensor:
        """(n, 1 + K) scores s, those of candidates that aren't there −∞.

        Args:
            vectors: (V, D) of length 1.
            lists: rows of them.
        """
        alpha, greatest, mean, described, nil = SPEED * self.weights
        named = _rows(lists.names)
        there = named != NOTHING
        m, n = _turned(vectors, self.of_names, _rows(lists.mention), named)
        cosines = torch.einsum("bd,bknd->bkn", m, n)
        highest = cosines.masked_fill(~there, -1.0).amax(dim=2)
        average = (cosines * there).sum(dim=2) / there.sum(dim=2).clamp(min=1)
        told = _rows(lists.descriptions)
        x, d = _turned(vectors, self.of_descriptions, _rows(lists.context), told)
        about = torch.einsum("bd,bkd->bk", x, d)
        own = alpha * torch.from_numpy(lists.log_scores)
        kinds = SPEED * self.of_kinds[_rows(lists.kinds)]
        candidates = own[:, 1:] + kinds + greatest * highest + mean * average + described * about
        candidates = candidates.masked_fill(told == NOTHING, -torch.inf)
        return torch.cat([own[:, :1] + nil, candidates], dim=1)

    def log_probabilities(self, vectors: Tensor, lists: CandidateLists) -> Tensor:
        """(n, 1 + K) log P, calibrated; see `forward`."""
        return self.calibrated(self(vectors, lists))

    def calibrated(self, scores: Tensor) -> Tensor:
        """(n, 1 + K) log P of scores s."""
        shifted = torch.cat([scores[:, :1] + self.nil_shift, scores[:, 1:]], dim=1)
        return (shifted / self.temperature).log_softmax(dim=1)


def _turned(vectors: Tensor, turn: Turn, ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors of both rows, turned; each that occurs is turned once."""
    asked = torch.cat([ours, theirs.clamp(min=0).flatten()])
    different, places = torch.unique(asked, return_inverse=True)
    turned = turn(vectors[different].float())[places]
    return turned[: len(ours)], turned[len(ours) :].unflatten(0, theirs.shape)


def _rows(rows: Rows) -> Tensor:
    return torch.from_numpy(rows).long()


def load_reranker(file: Path, width: int) -> MentionReranker:
    """The weights in a safetensors file.

    Args:
        file: that holds the state of one.
        width: D, the encoder's.

    Raises:
        RuntimeError: they are of another width, or of another model.
    """
    model = MentionReranker(width)
    model.load_state_dict(load_file(file))
    return model.eval().requires_grad_(False)
