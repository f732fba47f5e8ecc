"""Test doubles that are part of the design: an encoder without a model, a clock without time."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from index.encoder import Ask


class HashEncoder:
    """Character pairs thrown into 64 bins: the same vector every run, no model, no wait.

    Texts that share many character pairs are close, which is enough to test search.
    """

    name = "hash:64"
    dim = 64

    def encode_queries(self, asks: Sequence[Ask]) -> npt.NDArray[np.float32]:
        return self._encode([text for text, _ in asks])

    def get_ready(self) -> None:
        """Nothing to prepare."""

    def encode_passages(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        vectors = self._encode(texts)
        if progress is not None:
            progress(len(texts), len(texts))
        return vectors

    def _encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f"^{text}$"
            for first, second in pairwise(padded):
                bucket = zlib.crc32((first + second).encode())
                vectors[row, bucket % self.dim] += 1 if bucket & 0x10000 else -1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[:, 0] += (lengths == 0)[:, 0]
        return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, now: dt.datetime | None = None) -> None:
        self.now = now or dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def today(self) -> dt.date:
        return self.now.date()

    def monotonic(self) -> float:
        return self.now.timestamp()
