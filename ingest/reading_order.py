"""The order in which a person reads the lines of a page (阅读顺序)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Point = tuple[float, float]

_DEEPEST: Final = 6
#: A tall box of more than this many characters is a vertical line.
_VERTICAL_RATIO: Final = 2.2


@dataclass(frozen=True, slots=True)
class TextBox:
    """A recognised line: four corners from its own top left, and its number of characters."""

    corners: tuple[Point, Point, Point, Point]
    length: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A box with the skew of the page taken out.

    Attributes:
        left, top, right, bottom: Its upright frame, pixels of the straightened page.
        place: Which box it is.
        length: Its number of characters.
    """

    left: float
    top: float
    right: float
    bottom: float
    place: int
    length: int

    @property
    def middle(self) -> float:
        """Height of its centre line."""
        return (self.top + self.bottom) / 2


def is_vertical(box: TextBox) -> bool:
    """Whether a line runs from top to bottom."""
    xs = [x for x, _ in box.corners]
    ys = [y for _, y in box.corners]
    return box.length > 2 and max(ys) - min(ys) > _VERTICAL_RATIO * (max(xs) - min(xs))


def reading_order(boxes: Sequence[TextBox]) -> list[int]:
    """Places of the boxes in reading order.

    Skew is taken out first. One column goes from top to bottom; columns of running text one after
    the other; vertical text from right to left.
    """
    if not boxes:
        return []
    items = straightened(boxes)
    vertical = [items[i] for i, box in enumerate(boxes) if is_vertical(box)]
    if sum(item.length for item in vertical) > 0.5 * sum(item.length for item in items):
        return _vertical_order(items, vertical)
    height = statistics.median(item.bottom - item.top for item in items)
    return [item.place for item in _cut(items, max(height, 1e-6), 0)]


def straightened(boxes: Sequence[TextBox]) -> list[Piece]:
    """The boxes turned by the usual angle of the page's longer lines, in the order given."""
    angles = []
    for box in boxes:
        (x0, y0), (x1, y1), _, (_, y3) = box.corners
        if box.length >= 6 and x1 - x0 > 3 * abs(y3 - y0):
            angles.append(math.atan2(y1 - y0, x1 - x0))
    angle = statistics.median(angles) if angles else 0.0
    cos, sin = math.cos(-angle), math.sin(-angle)
    items = []
    for place, box in enumerate(boxes):
        points = [(x * cos - y * sin, x * sin + y * cos) for x, y in box.corners]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        items.append(Piece(min(xs), min(ys), max(xs), max(ys), place, box.length))
    return items


def _vertical_order(items: Sequence[Piece], vertical: Sequence[Piece]) -> list[int]:
    """Head and foot across the page apart, columns from right to left."""
    width = statistics.median(item.right - item.left for item in vertical)
    top = min(item.top for item in vertical)
    bottom = max(item.bottom for item in vertical)
    standing = {item.place for item in vertical}
    head = [i for i in items if i.place not in standing and i.bottom <= top + 0.3 * width]
    foot = [i for i in items if i.place not in standing and i.top >= bottom - 0.3 * width]
    aside = {item.place for item in (*head, *foot)}
    columns: list[tuple[float, list[Piece]]] = []
    for item in sorted(items, key=lambda item: -(item.left + item.right) / 2):
        if item.place in aside:
            continue
        centre = (item.left + item.right) / 2
        if columns and abs(columns[-1][0] - centre) < 0.6 * width:
            columns[-1][1].append(item)
        else:
            columns.append((centre, [item]))
    middle = [item for _, column in columns for item in _down(column, width)]
    ends = [sorted(part, key=lambda item: -item.right) for part in (head, foot)]
    return [item.place for item in (*ends[0], *middle, *ends[1])]


def _down(column: Sequence[Piece], width: float) -> list[Piece]:
    """One column downwards; notes in two narrow lines (夹注) the right one first."""
    levels: list[list[Piece]] = []
    for item in sorted(column, key=lambda item: item.top):
        narrow = item.right - item.left < 0.75 * width
        beside = levels and item.top < levels[-1][0].bottom - 0.5 * (item.bottom - item.top)
        if narrow and beside:
            levels[-1].append(item)
        else:
            levels.append([item])
    return [item for level in levels for item in sorted(level, key=lambda item: -item.left)]


def _rows(items: Sequence[Piece], height: float) -> list[Piece]:
    """Top to bottom, boxes on one row from left to right."""
    rows: list[list[Piece]] = []
    for item in sorted(items, key=lambda item: item.middle):
        if rows and item.middle - statistics.median(i.middle for i in rows[-1]) <= 0.55 * height:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [item for row in rows for item in sorted(row, key=lambda item: item.left)]


def _columns(items: Sequence[Piece], height: float) -> tuple[list[Piece], list[Piece]] | None:
    """Split at the widest gutter between two columns of running text, None when there is none."""
    ordered = sorted(items, key=lambda item: item.left)
    reach = -math.inf
    best: tuple[float, int] | None = None
    for i in range(len(ordered) - 1):
        reach = max(reach, ordered[i].right)
        gap = ordered[i + 1].left - reach
        if gap > 0.8 * height and (best is None or gap > best[0]):
            left, right = ordered[: i + 1], ordered[i + 1 :]
            if _running_text(left, height) and _running_text(right, height):
                best = (gap, i + 1)
    return None if best is None else (ordered[: best[1]], ordered[best[1] :])


def _running_text(items: Sequence[Piece], height: float) -> bool:
    """Whether items fill a column with long lines; cells of a table do not."""
    if len(items) < 5:
        return False
    extent = max(item.bottom for item in items) - min(item.top for item in items)
    return (
        statistics.median(item.right - item.left for item in items) > 8 * height
        and sum(item.bottom - item.top for item in items) > 0.5 * extent
    )


def _cut(items: Sequence[Piece], height: float, depth: int) -> list[Piece]:
    if len(items) < 10 or depth > _DEEPEST:
        return _rows(items, height)
    columns = _columns(items, height)
    if columns is not None:
        left, right = columns
        return _cut(left, height, depth + 1) + _cut(right, height, depth + 1)
    ordered = sorted(items, key=lambda item: item.top)
    reach = -math.inf
    best: tuple[float, int] | None = None
    for i in range(len(ordered) - 1):
        reach = max(reach, ordered[i].bottom)
        gap = ordered[i + 1].top - reach
        if gap > 0.25 * height and (best is None or gap > best[0]):
            above, below = ordered[: i + 1], ordered[i + 1 :]
            if _columns(below, height) or _columns(above, height):
                best = (gap, i + 1)
    if best is None:
        return _rows(items, height)
    above, below = ordered[: best[1]], ordered[best[1] :]
    return _cut(above, height, depth + 1) + _cut(below, height, depth + 1)
