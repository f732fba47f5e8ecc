"""Ruled lines of a page picture (表格线), for telling table cells apart."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from index.rendering import BgrImage
from ingest.ruled_cells import NO_RULES, Rules

#: Short side of the page in the unit of the rules; on A4 that is millimetres.
SHORT_SIDE: Final = 210.0
_WORKING_SIDE: Final = 1000
#: A rule is at least this many line heights long; strokes of characters are shorter.
_ACROSS: Final = 2.2
_DOWN: Final = 1.4
_THICKEST: Final = 6


def unit_per_pixel(image: BgrImage) -> float:
    """Length of a pixel in the unit of the rules."""
    return SHORT_SIDE / float(min(image.shape[:2]))


def ruled_lines(image: BgrImage, line_height: float) -> Rules:
    """Straight horizontal and vertical lines of a picture.

    Args:
        image: Shape (height, width, 3), uint8, blue-green-red.
        line_height: Usual height of its lines of text, pixels.

    Returns:
        The lines, in `SHORT_SIDE` units from the top left; none when they cannot make a table.
    """
    unit = unit_per_pixel(image)
    factor = max(1, min(image.shape[:2]) // _WORKING_SIDE)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if factor > 1:  # the darkest of each block, so that thin rules stay
        grey = cv2.erode(grey, np.ones((factor, factor), np.uint8))[::factor, ::factor]
    ink = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 12
    )
    height = max(6.0, line_height / factor)
    across = _straight(ink, int(_ACROSS * height), horizontal=True)
    if len(across) < 2:
        return NO_RULES
    down = _straight(ink, int(_DOWN * height), horizontal=False)
    if len(down) < 2:
        return NO_RULES
    scale = unit * factor
    return Rules(
        tuple(((y + h / 2) * scale, x * scale, (x + w) * scale) for x, y, w, h in across),
        tuple(((x + w / 2) * scale, y * scale, (y + h) * scale) for x, y, w, h in down),
    )


def _straight(ink: np.ndarray, length: int, *, horizontal: bool) -> list[tuple[int, ...]]:
    kernel = np.ones((1, length) if horizontal else (length, 1), np.uint8)
    gap = np.ones((1, 5) if horizontal else (5, 1), np.uint8)
    runs = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, gap)
    runs = cv2.morphologyEx(runs, cv2.MORPH_OPEN, kernel)
    _, _, stats, _ = cv2.connectedComponentsWithStats(runs)
    thick = 3 if horizontal else 2
    return [
        tuple(int(v) for v in row[:4])
        for row in stats[1:]
        if row[thick] <= max(_THICKEST, row[2 if horizontal else 3] // 12)
    ]
