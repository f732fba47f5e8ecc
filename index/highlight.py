"""Where a quotation stands on the page image: boxes from the stored line places. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from index.domain import Line, Page

Box = tuple[float, float, float, float]

#: Two boxes of one printed line are joined when the gap is at most this many line heights.
_JOIN_GAP: Final = 1.2
#: Share of the thinner box two boxes must have in common across the line to be on one line.
_SAME_LINE_SHARE: Final = 0.6


def quote_boxes(page: Page, start: int, end: int) -> tuple[Box, ...]:
    """Boxes around the characters `start:end` of a page's raw text.

    Args:
        page: The page with its line places.
        start: First character in `page.raw`.
        end: One past the last.

    Returns:
        (left, top, right, bottom) boxes as fractions 0..1 of the upright page, in reading order,
        one for each printed line; empty when the page has no line places or the span is empty.
        White space at the ends of a line is not boxed.
    """
    boxes: list[tuple[Box, bool]] = []
    for line in page.lines:
        low, high = _without_space(page.raw, max(start, line.start), min(end, line.end))
        if low >= high:
            continue
        box = _part_of_line(line, low, high)
        if box[0] >= box[2] or box[1] >= box[3]:
            continue
        if boxes and boxes[-1][1] == line.vertical:
            joined = _joined(boxes[-1][0], box, line.vertical)
            if joined is not None:
                boxes[-1] = (joined, line.vertical)
                continue
        boxes.append((box, line.vertical))
    return tuple(box for box, _ in boxes)


def _without_space(raw: str, low: int, high: int) -> tuple[int, int]:
    high = min(high, len(raw))
    while low < high and raw[low].isspace():
        low += 1
    while high > low and raw[high - 1].isspace():
        high -= 1
    return low, high


def _part_of_line(line: Line, low: int, high: int) -> Box:
    left, top, right, bottom = line.box
    near, far = (top, bottom) if line.vertical else (left, right)
    borders = _borders(line, near, far)
    ends = (borders[low - line.start], borders[high - line.start])
    near, far = _clamp(min(ends)), _clamp(max(ends))
    if line.vertical:
        return _clamp(left), near, _clamp(right), far
    return near, _clamp(top), far, _clamp(bottom)


def _borders(line: Line, near: float, far: float) -> Sequence[float]:
    count = line.end - line.start
    if len(line.edges) == count + 1:
        return line.edges
    return [near + (far - near) * i / count for i in range(count + 1)]


def _joined(first: Box, second: Box, vertical: bool) -> Box | None:
    """The two boxes as one when they stand next to each other on one printed line."""
    along, across = (1, 0) if vertical else (0, 1)
    thick = min(first[across + 2] - first[across], second[across + 2] - second[across])
    common = min(first[across + 2], second[across + 2]) - max(first[across], second[across])
    if common < _SAME_LINE_SHARE * thick:
        return None
    gap = max(first[along], second[along]) - min(first[along + 2], second[along + 2])
    if gap > _JOIN_GAP * thick:
        return None
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))
