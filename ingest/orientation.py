"""Which way up a page picture is, told from how well a few of its lines read."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from index.rendering import BgrImage

#: Reads pictures of single lines: (text, confidence 0..1) of each.
LineReader = Callable[[Sequence[BgrImage]], Sequence[tuple[str, float]]]

#: Below this mean confidence a page may be upside down (0.63-0.81 measured; upright ≥ 0.95).
DOUBTFUL: Final = 0.85
#: At and above it lines across the page are read as they stand: columns on their side gave 0.905.
_PLAIN: Final = 0.95
_CLEARLY_BETTER: Final = 0.05
_MOST_COLUMNS: Final = 4
_COLUMN_CHARS: Final = 16
_SHORTEST_COLUMN: Final = 4
#: Share of a line's characters read again after each was set upright; 0.6-0.9 and 0-0.1 were seen.
_STANDING: Final = 0.4


def page_turn(
    lines: Sequence[BgrImage], texts: Sequence[str], confidence: float, *,
    tall: bool, read: LineReader,
) -> int:  # fmt: skip
    """How far a page has to be turned clockwise to stand upright: 0, 90, 180 or 270 degrees.

    The recogniser reads a tall box after turning it by a quarter against the clock. So a page
    lying on its right side reads as well as an upright one, and as well as one written from top
    to bottom; whether its characters stand or lie is seen when they are set upright one by one.

    Args:
        lines: Pictures of some long lines as they were read (tall ones already turned).
        texts: What was read in them.
        confidence: Mean confidence of the whole page, 0..1.
        tall: Whether most of the page's text is in tall boxes.
        read: Reads further pictures.
    """
    if not lines or (confidence >= _PLAIN and not tall):
        return 0
    chosen, said = list(lines), list(texts)
    if confidence < DOUBTFUL:
        turned = [np.ascontiguousarray(line[::-1, ::-1]) for line in chosen]
        plain = statistics.fmean(score for _, score in read(chosen))
        again = read(turned)
        if statistics.fmean(score for _, score in again) > plain + _CLEARLY_BETTER:
            if not tall or _characters_stand(turned, [text for text, _ in again], read):
                return 180
            return 90
    standing = _characters_stand(chosen, said, read)
    if tall:
        return 0 if standing else 270
    return 90 if standing else 0  # columns written downwards that lie across the page


def _characters_stand(lines: Sequence[BgrImage], texts: Sequence[str], read: LineReader) -> bool:
    """Whether a line says the same when each of its characters is turned by a quarter clockwise.

    Columns written from top to bottom do, lines written across a page do not. Confidence does not
    tell the two apart: rubbish was read with up to 0.65.
    """
    chosen = [i for i, text in enumerate(texts) if len(text) >= _SHORTEST_COLUMN][:_MOST_COLUMNS]
    if not chosen:
        return False
    again = read([_set_upright(lines[i], len(texts[i])) for i in chosen])
    shares = []
    for i, (text, _) in zip(chosen, again, strict=True):
        wanted = Counter(texts[i][:_COLUMN_CHARS])
        shares.append((wanted & Counter(text)).total() / wanted.total())
    return statistics.fmean(shares) >= _STANDING


def _set_upright(line: BgrImage, length: int) -> BgrImage:
    """The characters of a line picture turned back by a quarter each, side by side."""
    width = line.shape[1]
    pitch = width / length
    cells = []
    for k in range(min(length, _COLUMN_CHARS)):
        cell = line[:, int(k * pitch) : max(int(k * pitch) + 1, int((k + 1) * pitch))]
        cells.append(np.rot90(cell, -1))
    side = max(cell.shape[0] for cell in cells)
    padded = [
        np.pad(cell, ((0, side - cell.shape[0]), (0, 0), (0, 0)), mode="edge") for cell in cells
    ]
    return np.ascontiguousarray(np.concatenate(padded, axis=1))
