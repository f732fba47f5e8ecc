"""Giving the raw text of a PDF page its place on the page (字框对齐)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from index.domain import Line
from index.rendering import Box
from index.text import search_form

_LARGEST_PRODUCT: Final = 30_000_000


def align_lines(raw: str, seen: str, boxes: Sequence[Box | None]) -> tuple[Line, ...]:
    """Lines of `raw` with boxes and character borders.

    Args:
        raw: The text that is stored.
        seen: The same page as PDFium reads it; spaces and order of parts may differ.
        boxes: Box of each character of `seen`, None where it has none.

    Returns:
        Lines in text order; a line of `raw` that sits in two places on the page (columns, table
        cells far apart excepted) becomes two lines; text without a place gets none.
    """
    place = _matches(raw, seen, boxes)
    lines: list[Line] = []
    start = 0
    for part in raw.splitlines(keepends=True):
        end = start + len(part.rstrip())
        lines += _segments(place, start, end)
        start += len(part)
    return tuple(lines)


def _matches(raw: str, seen: str, boxes: Sequence[Box | None]) -> list[Box | None]:
    """For each character of `raw` its box."""
    ours = [i for i, c in enumerate(raw) if not c.isspace()]
    theirs = [i for i, c in enumerate(seen) if not c.isspace() and boxes[i] is not None]
    place: list[Box | None] = [None] * len(raw)
    a = "".join(raw[i] for i in ours)
    b = "".join(seen[i] for i in theirs)
    if a != b:
        a, b = _fold(a), _fold(b)
    if a == b:
        for i, j in zip(ours, theirs, strict=True):
            place[i] = boxes[j]
    elif len(a) * len(b) <= _LARGEST_PRODUCT:
        matcher = SequenceMatcher(None, a, b, autojunk=False)
        for i, j, size in matcher.get_matching_blocks():
            for k in range(size):
                place[ours[i + k]] = boxes[theirs[j + k]]
    return place


def _fold(text: str) -> str:
    """Width and radicals folded, one character for one."""
    out = []
    for character in text:
        form = search_form(character).text
        out.append(form if len(form) == 1 else character)
    return "".join(out)


def _segments(place: Sequence[Box | None], start: int, end: int) -> list[Line]:
    """Cut one line of text where its characters jump to another place."""
    lines: list[Line] = []
    first: int | None = None
    last = start
    vertical: bool | None = None

    def close() -> None:
        nonlocal first, vertical
        if first is not None:
            lines.append(_line(place, first, last + 1, bool(vertical)))
        first, vertical = None, None

    for i in range(start, end):
        box = place[i]
        if box is None:
            continue
        if first is not None:
            before = place[last]
            assert before is not None  # noqa: S101 - `last` only moves to placed characters
            dx = (box[0] + box[2] - before[0] - before[2]) / 2
            dy = (box[1] + box[3] - before[1] - before[3]) / 2
            width = max(box[2] - box[0], before[2] - before[0])
            height = max(box[3] - box[1], before[3] - before[1])
            across = abs(dy) <= 0.6 * height and dx > -0.5 * width
            down = abs(dx) <= 0.6 * width and dy > -0.5 * height
            if vertical is None and last > first and across != down:
                vertical = None
            if across and vertical is not True:
                if abs(dx) > 0.3 * width:
                    vertical = False
            elif down and vertical is not False:
                vertical = True
            else:
                close()
        if first is None:
            first = i
        last = i
    close()
    return lines


def _line(place: Sequence[Box | None], start: int, end: int, vertical: bool) -> Line:
    placed = [box for box in place[start:end] if box is not None]
    left = min(box[0] for box in placed)
    top = min(box[1] for box in placed)
    right = max(box[2] for box in placed)
    bottom = max(box[3] for box in placed)
    low, high = (1, 3) if vertical else (0, 2)
    edges: list[float | None] = [None] * (end - start + 1)
    for k in range(end - start):
        box = place[start + k]
        if box is None:
            continue
        previous = edges[k]
        edges[k] = box[low] if previous is None else (previous + box[low]) / 2
        edges[k + 1] = box[high]
    return Line(start, end, (left, top, right, bottom), _filled(edges), vertical=vertical)


def _filled(edges: list[float | None]) -> tuple[float, ...]:
    """Put borders of characters without a place evenly between their neighbours; never going back."""
    known = [i for i, edge in enumerate(edges) if edge is not None]
    out: list[float] = []
    for i, edge in enumerate(edges):
        if edge is None:
            before = max(k for k in known if k < i)
            after = min(k for k in known if k > i)
            a, b = edges[before], edges[after]
            assert a is not None  # noqa: S101
            assert b is not None  # noqa: S101
            edge = a + (b - a) * (i - before) / (after - before)
        out.append(max(edge, out[-1]) if out else edge)
    return tuple(out)
