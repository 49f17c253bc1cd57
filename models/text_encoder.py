"""A frozen text encoder: vectors of texts, and of mentions in their sentences.

    v(text) = h̄ / ‖h̄‖                 h̄ the mean of the last states of its tokens (Reimers and Gurevych 2019)
    v(mention in a sentence)          the mean over the tokens of the mention alone

Texts are read one length at a time, without padding, whose rounding would change a text's vector.

Shapes: n texts, D hidden width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModel

from ..errors import UserError
from .base_model import check_model_folder, load_tokenizer, read_weights

LONGEST = 64  # tokens of a text: names have 9 in the mean, descriptions of the HPO 40
LONGEST_SENTENCE = (
    160  # tokens; see the mention's part of it, rescoring.AROUND characters on each side
)
BATCH_TOKENS = 4096

Vectors = NDArray[np.float16]


class TextEncoder:
    """The encoder of one folder.

    Args:
        folder: of a text encoder and its tokenizer.

    Raises:
        UserError: there is none, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        check_model_folder(folder)
        try:
            model, _ = read_weights(AutoModel, folder, torch.float32)
            self._tokenizer = load_tokenizer(folder)
        except (OSError, ValueError, KeyError, SafetensorError, RuntimeError) as error:
            reason = (str(error).splitlines() or ["no reason is given"])[0]
            fix = "Copy or download it again."
            raise UserError(f"The encoder can't be read: {reason}", str(folder), fix) from error
        self._model = model.eval().requires_grad_(False)
        self.width: int = model.config.hidden_size

    def vectors(self, texts: Sequence[str], advance: Callable[[int], None]) -> Vectors:
        """(n, D) of length 1.

        Args:
            texts: none empty.
            advance: called with the number of texts just read.
        """
        found = np.zeros((len(texts), self.width), np.float16)
        if not len(texts):
            return found
        rows = self._tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
        for numbers, states in self._states_of(rows):
            found[numbers] = _unit(states.mean(dim=1)).numpy()
            advance(len(numbers))
        return found

    def mention_vectors(
        self,
        sentences: Sequence[str],
        spans: Sequence[tuple[int, int]],
        advance: Callable[[int], None],
    ) -> Vectors:
        """(n, D) of length 1.

        Args:
            sentences: that the mentions stand in; where one is cut before its mention, all that is
                left of it stands for that.
            spans: first character of each mention, and the one after its last.
            advance: called with the number of mentions just read.
        """
        found = np.zeros((len(sentences), self.width), np.float16)
        if not len(sentences):
            return found
        within: dict[str, list[int]] = {}
        for row, sentence in enumerate(sentences):
            within.setdefault(sentence, []).append(row)
        different = list(within)
        read = self._tokenizer(
            different, truncation=True, max_length=LONGEST_SENTENCE, return_offsets_mapping=True
        )
        for numbers, states in self._states_of(read["input_ids"]):
            for number, own in zip(numbers, states, strict=True):
                offsets = read["offset_mapping"][number]
                for row in within[different[number]]:
                    inside = _tokens_of(spans[row], offsets)
                    found[row] = _unit((own[inside] if inside else own).mean(dim=0)).numpy()
                advance(len(within[different[number]]))
        return found

    def _states_of(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], Tensor]]:
        """Numbers of some rows of one length, and their (n, T, D) states; the shortest first."""
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for length, same in groupby(order, key=lambda row: len(rows[row])):
            numbers, step = list(same), max(1, BATCH_TOKENS // max(1, length))
            for start in range(0, len(numbers), step):
                chosen = numbers[start : start + step]
                yield chosen, self._states(torch.tensor([rows[row] for row in chosen]))

    @torch.inference_mode()
    def _states(self, tokens: Tensor) -> Tensor:
        states: Tensor = self._model(input_ids=tokens).last_hidden_state
        return states


def _tokens_of(span: tuple[int, int], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Places of the tokens that have characters of the span; marks at the ends have none."""
    start, end = span
    return [at for at, (first, last) in enumerate(offsets) if max(first, start) < min(last, end)]


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=-1)
