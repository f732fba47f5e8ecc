"""Cells of a ruled table (表格线): which words stand in one box between drawn lines. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]

#: A rule may be off by this much (mm) and still be the same line.
_SLACK: Final = 0.8
#: An area thinner than this is a line.
_THIN: Final = 1.0
_SHORTEST: Final = 2.0
_MOST_RULES: Final = 4_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Straight lines of a page.

    Attributes:
        across: Horizontal lines as (y, left, right).
        down: Vertical lines as (x, top, bottom).
    """

    across: tuple[tuple[float, float, float], ...]
    down: tuple[tuple[float, float, float], ...]


NO_RULES: Final = Rules((), ())


def rules_of(rings: Iterable[tuple[Sequence[Point], bool]]) -> Rules:
    """The straight horizontal and vertical lines among drawn paths.

    Args:
        rings: Points of each path and whether it is only a filled area (its outline is no line
            unless the area is thin).
    """
    across: list[tuple[float, float, float]] = []
    down: list[tuple[float, float, float]] = []
    for points, filled in rings:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        if bottom - top <= _THIN < _SHORTEST <= right - left:
            across.append(((top + bottom) / 2, left, right))
        elif right - left <= _THIN < _SHORTEST <= bottom - top:
            down.append(((left + right) / 2, top, bottom))
        elif not filled and len(points) <= 64:
            for (x0, y0), (x1, y1) in itertools.pairwise(points):
                if abs(y1 - y0) < 0.1 and abs(x1 - x0) >= _SHORTEST:
                    across.append(((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
                elif abs(x1 - x0) < 0.1 and abs(y1 - y0) >= _SHORTEST:
                    down.append(((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
    return Rules(tuple(across[:_MOST_RULES]), tuple(down[:_MOST_RULES]))


def cells_of(boxes: Sequence[Box], rules: Rules) -> list[Box | None]:
    """For each box the table cell it stands in: the nearest lines on its four sides.

    Returns:
        (left, top, right, bottom), equal for boxes of one cell; None outside of ruled tables.
    """
    if len(rules.across) < 2 or len(rules.down) < 2:
        return [None] * len(boxes)
    across = np.array(rules.across)
    down = np.array(rules.down)
    ys = _snapped(across[:, 0])
    xs = _snapped(down[:, 0])
    cells: list[Box | None] = []
    for left, top, right, bottom in boxes:
        x, y = (left + right) / 2, (top + bottom) / 2
        over = (across[:, 1] - _SLACK <= x) & (x <= across[:, 2] + _SLACK)
        beside = (down[:, 1] - _SLACK <= y) & (y <= down[:, 2] + _SLACK)
        above, below = ys[over & (ys <= y)], ys[over & (ys > y)]
        before, after = xs[beside & (xs <= x)], xs[beside & (xs > x)]
        if not (above.size and below.size and before.size and after.size):
            cells.append(None)
            continue
        cells.append(
            (float(before.max()), float(above.max()), float(after.min()), float(below.min()))
        )
    return cells


def _snapped(values: np.ndarray) -> np.ndarray:
    """Positions with near ones made equal: a double line is one border."""
    order = np.argsort(values)
    out = values.copy()
    first = values[order[0]]
    for place in order:
        if values[place] - first > _SLACK:
            first = values[place]
        out[place] = first
    return out
