"""Ink of a page picture outside the recognised lines (漏识的字): how much, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from index.rendering import BgrImage

Quad = npt.NDArray[np.float32]

#: Share of character-sized ink outside all boxes above which a page is tried again.
#: Source: 24 held-out pages; the two that had lost a line gave 0.081 and 0.045, the rest ≤ 0.032.
UNCOVERED_LIMIT: Final = 0.035
#: Line height in pixels of a page 1,654 pixels wide (A4 at 200 dpi), where nothing was recognised.
_USUAL_LINE: Final = 34
_USUAL_WIDTH: Final = 1654
#: More places than this are a picture or dirt, not lines the detector passed over.
_MOST_PLACES: Final = 40


class Ink:
    """Connected pieces of ink of one picture."""

    def __init__(self, image: BgrImage) -> None:
        """Find the pieces.

        Args:
            image: Shape (height, width, 3), uint8, blue-green-red.
        """
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        self._height, self._width = grey.shape
        self._scale = self._width / _USUAL_WIDTH
        ink = cv2.adaptiveThreshold(
            cv2.GaussianBlur(grey, (3, 3), 0), 255, cv2.ADAPTIVE_THRESH_MEAN_C,
            cv2.THRESH_BINARY_INV, max(3, int(41 * self._scale) | 1), 18,
        )  # fmt: skip
        size = max(1, int(5 * self._scale) | 1)
        ink = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
        _, _, stats, centres = cv2.connectedComponentsWithStats(ink)
        self._stats = stats[1:]
        self._centres = centres[1:].astype(int)

    def uncovered(self, quads: Sequence[Quad]) -> float:
        """Share of the character-sized pieces that lie outside all boxes, 0..1."""
        line = self._line_height(quads)
        like = self._characters(line, 0.35, 1.6, 0.25, 2.5)
        if not like.any():
            return 0.0
        return float((like & self._outside(quads)).sum() / like.sum())

    def missed_lines(self, quads: Sequence[Quad], *, vertical: bool) -> list[Quad]:
        """Places that may hold lines the detector passed over: pieces in a row, joined.

        A page number between dashes at the foot of a page is the usual case: a share of the
        page's ink too small for `uncovered` to tell.

        Args:
            quads: Boxes of the lines that were found.
            vertical: Whether the page is written from top to bottom.

        Returns:
            Upright boxes, corners from the top left; none when there are too many to be text.
        """
        line = self._line_height(quads)
        outside = self._outside(quads)
        characters = outside & self._characters(line, 0.3, 2.0, 0.1, 6.0)
        if not characters.any():
            return []
        _, _, width, height, _ = self._stats.T
        strokes = (
            outside & (0.2 * line < width) & (width < 3 * line)
            & (0.03 * line < height) & (height <= 0.3 * line)
        )  # fmt: skip
        mask = np.zeros((self._height, self._width), np.uint8)
        for x, y, w, h, _ in self._stats[characters | strokes]:
            mask[y : y + h, x : x + w] = 1
        reach = int(1.6 * line) | 1
        kernel = np.ones((reach, 1) if vertical else (1, reach), np.uint8)
        _, labels, places, _ = cv2.connectedComponentsWithStats(
            cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
        )
        kept = {
            int(labels[y + h // 2, x + w // 2]) for x, y, w, h, _ in self._stats[characters]
        } - {0}
        if len(kept) > _MOST_PLACES:
            return []
        pad = 0.35 * line
        return [self._quad(places[label], pad) for label in sorted(kept)]

    def _quad(self, place: npt.NDArray[np.int32], pad: float) -> Quad:
        x, y, w, h = (float(value) for value in place[:4])
        left, top = max(0.0, x - pad), max(0.0, y - pad)
        right, bottom = min(self._width, x + w + pad), min(self._height, y + h + pad)
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)

    def _line_height(self, quads: Sequence[Quad]) -> float:
        if not len(quads):
            return float(_USUAL_LINE * self._scale)
        sides = np.asarray(quads)
        along = np.hypot(*(sides[:, 1] - sides[:, 0]).T)
        down = np.hypot(*(sides[:, 3] - sides[:, 0]).T)
        return float(np.median(np.minimum(along, down)))

    def _characters(
        self, line: float, low: float, high: float, thin: float, wide: float
    ) -> npt.NDArray[np.bool_]:
        """Pieces of the size of characters, sizes in line heights, not mere outlines."""
        _, _, width, height, area = self._stats.T
        like = (
            (low * line < height) & (height < high * line)
            & (thin * line < width) & (width < wide * line)
            & (area > 0.12 * width * height)
        )  # fmt: skip
        return np.asarray(like, np.bool_)

    def _outside(self, quads: Sequence[Quad]) -> npt.NDArray[np.bool_]:
        covered = np.zeros((self._height, self._width), np.uint8)
        for quad in quads:
            cv2.fillPoly(covered, [np.asarray(quad, np.int32)], (1,))
        x = np.clip(self._centres[:, 0], 0, self._width - 1)
        y = np.clip(self._centres[:, 1], 0, self._height - 1)
        return np.asarray(covered[y, x] == 0, np.bool_)
