"""Dense search: the one adapter of FAISS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.errors import IndexMismatchError, IndexStoreError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class DenseIndex:
    """Exact inner-product search over unit vectors kept as half-precision floats.

    Rows are counted from 0 in the order they were added.
    """

    def __init__(self, dim: int) -> None:
        """An empty index for vectors of width `dim`."""
        self._faiss: Any = faiss.IndexScalarQuantizer(
            dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self._faiss.d)

    def __len__(self) -> int:
        """Number of rows."""
        return int(self._faiss.ntotal)

    def add(self, vectors: FloatArray) -> None:
        """Append rows.

        Args:
            vectors: Shape (n, d), float32, each of length 1.

        Raises:
            IndexMismatchError: If d differs from the index's width.
        """
        self._check_width(vectors)
        if not self._faiss.is_trained:
            self._faiss.train(vectors)
        self._faiss.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(
        self, queries: FloatArray, top_k: int, allowed: BoolArray | None = None
    ) -> tuple[FloatArray, IntArray]:
        """Find the most similar rows for each query.

        Args:
            queries: Shape (q, d), float32, each of length 1.
            top_k: Neighbours per query, at least 1.
            allowed: Rows that may be returned, shape (n,); None for all.

        Returns:
            Cosine similarities in [-1, 1], best first, and row numbers, both of shape
            (q, k) with k ≤ top_k. FAISS's -1 "not found" rows are never returned.

        Raises:
            IndexMismatchError: If d differs from the index's width.
        """
        self._check_width(queries)
        usable = len(self) if allowed is None else int(allowed.sum())
        top_k = min(top_k, usable)
        if top_k < 1 or len(queries) == 0:
            shape = (len(queries), 0)
            return np.empty(shape, np.float32), np.empty(shape, np.int64)
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(self), faiss.swig_ptr(bits))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._faiss.search(
            np.ascontiguousarray(queries, dtype=np.float32), top_k, params=parameters
        )
        return scores, rows

    def similarities(self, query: FloatArray, rows: IntArray) -> FloatArray:
        """Cosine of one query, shape (d,), with given rows, shape (n,)."""
        if len(rows) == 0:
            return np.empty(0, np.float32)
        vectors = self._faiss.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        result: FloatArray = vectors @ query
        return result

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            IndexStoreError: If the file cannot be written.
        """
        try:
            faiss.write_index(self._faiss, str(path))
        except RuntimeError as error:
            msg = f"无法写出向量索引 {path}：请检查磁盘空间和权限。"
            raise IndexStoreError(msg) from error

    @classmethod
    def load(cls, path: Path) -> DenseIndex:
        """Read an index written by `save`.

        Raises:
            IndexStoreError: If the file is missing or damaged.
        """
        try:
            stored = faiss.read_index(str(path))
        except RuntimeError as error:
            msg = f"向量索引 {path} 读不出来。请运行 chadang ingest 重建索引。"
            raise IndexStoreError(msg) from error
        loaded = cls.__new__(cls)
        loaded._faiss = stored
        return loaded

    def _check_width(self, vectors: FloatArray) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            msg = (
                f"向量宽度不符：索引是 {self.dim}，给的是 {vectors.shape}。请用同一个模型重建索引。"
            )
            raise IndexMismatchError(msg)
