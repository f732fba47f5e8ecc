"""From boxes to lines of text: pieces of one printed line, cells of a table row. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.sentences import CELL_BREAK
from ingest.reading_order import Piece, TextBox, is_vertical, reading_order, straightened
from ingest.ruled_cells import Box

LINE_BREAK: Final = "\n"
#: Gap in line heights up to which two boxes on one line are one run of text.
_ONE_RUN: Final = 1.2
_SAME_LINE: Final = 0.55
#: From this many printed lines on, cells that line up hold rows with no rule between.
_UNRULED_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """A box in the text.

    Attributes:
        place: Which box.
        before: What stands between the text before it and its own.
    """

    place: int
    before: str


def placed_boxes(
    boxes: Sequence[TextBox], cells: Sequence[Box | None] | None = None
) -> list[Placed]:
    """Boxes in reading order, each with what parts it from the one before.

    Args:
        boxes: Recognised pieces of lines.
        cells: For each box the ruled table cell it stands in, None outside of tables.

    Returns:
        Every box once. Cells of a table row are parted by `CELL_BREAK`: where rules are drawn,
        by them; where none are, when rows with wide gaps follow each other.
    """
    if not boxes:
        return []
    items = straightened(boxes)
    height = statistics.median(item.bottom - item.top for item in items)
    tall = sum(box.length for box in boxes if is_vertical(box))
    if 2 * tall > sum(box.length for box in boxes):
        return _joined([[[place]] for place in reading_order(boxes)], items, height)
    rows = _ruled_rows(items, cells or [None] * len(boxes), height)
    grouped = {place for row in rows for cell in row for place in cell}
    stand_ins: list[TextBox] = []
    contents: list[list[list[int]]] = []
    for row in rows:
        inside = [boxes[place] for cell in row for place in cell]
        stand_ins.append(_around(inside))
        contents.append(row)
    for place, box in enumerate(boxes):
        if place not in grouped:
            stand_ins.append(box)
            contents.append([[place]])
    ordered = [contents[i] for i in reading_order(stand_ins)]
    return _joined(_loose_rows(ordered, items, height, grouped), items, height)


def _around(boxes: Sequence[TextBox]) -> TextBox:
    xs = [x for box in boxes for x, _ in box.corners]
    ys = [y for box in boxes for _, y in box.corners]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return TextBox(
        ((left, top), (right, top), (right, bottom), (left, bottom)), sum(b.length for b in boxes)
    )


def _ruled_rows(
    items: Sequence[Piece], cells: Sequence[Box | None], height: float
) -> list[list[list[int]]]:
    """Rows of ruled tables: each a list of cells, each a list of boxes."""
    tables: dict[float, dict[Box, list[int]]] = {}
    for item, cell in zip(items, cells, strict=True):
        if cell is not None:
            tables.setdefault(cell[1], {}).setdefault(cell, []).append(item.place)
    rows: list[list[list[int]]] = []
    for top in sorted(tables):
        row = [tables[top][cell] for cell in sorted(tables[top])]
        if len(row) < 2:  # a frame around running text is no table
            continue
        row = [sorted(part, key=lambda k: (items[k].middle, items[k].left)) for part in row]
        for content in row:
            _by_lines(content, items, height)
        rows += _printed_rows(row, items, height)
    return rows


def _by_lines(cell: list[int], items: Sequence[Piece], height: float) -> None:
    """Put the boxes of a cell in order: down, and from left to right where they share a line."""
    lines: list[list[int]] = []
    for place in cell:
        if lines and items[place].middle - items[lines[-1][0]].middle <= _SAME_LINE * height:
            lines[-1].append(place)
        else:
            lines.append([place])
    cell[:] = [p for line in lines for p in sorted(line, key=lambda k: items[k].left)]


def _printed_rows(
    row: list[list[int]], items: Sequence[Piece], height: float
) -> list[list[list[int]]]:
    """One ruled row, cut into printed rows where its cells hold several that line up."""
    longest = max(row, key=len)
    if len(longest) < _UNRULED_ROWS:
        return [row]
    levels = [items[place].middle for place in longest]
    others = [place for cell in row if cell is not longest for place in cell]
    level = {
        place: min(range(len(levels)), key=lambda k: abs(levels[k] - items[place].middle))
        for place in others
    }
    matching = sum(
        abs(levels[level[place]] - items[place].middle) <= _SAME_LINE * height for place in others
    )
    several = sum(len(cell) >= _UNRULED_ROWS for cell in row)
    if several < 2 or matching < 0.8 * len(others):
        return [row]
    out: list[list[list[int]]] = []
    for k, place in enumerate(longest):
        cells = [[place] if cell is longest else [p for p in cell if level[p] == k] for cell in row]
        out.append([cell for cell in cells if cell])
    return out


def _loose_rows(
    ordered: Sequence[list[list[int]]], items: Sequence[Piece], height: float, ruled: set[int]
) -> list[list[list[int]]]:
    """Join boxes outside of ruled tables that stand on one line."""
    lines: list[list[list[int]]] = []
    for content in ordered:
        place = content[0][0]
        before = lines[-1][-1][-1] if lines and len(content) == 1 else None
        if (
            before is None
            or place in ruled
            or before in ruled
            or abs(items[place].middle - items[before].middle) > _SAME_LINE * height
            or items[place].left < items[before].right - 0.5 * height
        ):
            lines.append([list(cell) for cell in content])
        elif items[place].left - items[before].right <= _ONE_RUN * height:
            lines[-1][-1].append(place)
        else:
            lines[-1].append([place])
    out: list[list[list[int]]] = []
    for number, line in enumerate(lines):
        around = [*lines[max(0, number - 1) : number], *lines[number + 1 : number + 2]]
        if line[0][0] in ruled or len(line) < 2 or any(_in_step(line, o, items) for o in around):
            out.append(line)
        else:  # two ends of one line with nothing like it above or below: no table
            out += [[cell] for cell in line]
    return out


def _in_step(line: list[list[int]], other: list[list[int]], items: Sequence[Piece]) -> bool:
    """Whether two lines have cells that stand above each other."""
    if len(line) < 2 or len(other) < 2 or abs(len(line) - len(other)) > 2:
        return False

    def spans(row: list[list[int]]) -> list[tuple[float, float]]:
        return [(items[cell[0]].left, items[cell[-1]].right) for cell in row]

    ours, theirs = spans(line), spans(other)
    shared = sum(
        any(min(b, d) - max(a, c) > 0.3 * min(b - a, d - c) for c, d in theirs) for a, b in ours
    )
    return shared >= max(2, len(ours) - 1)


def _joined(
    lines: Sequence[list[list[int]]], items: Sequence[Piece], height: float
) -> list[Placed]:
    out: list[Placed] = []
    for line in lines:
        for number, cell in enumerate(line):
            for k, place in enumerate(cell):
                if k:
                    before = _within_cell(items[cell[k - 1]], items[place], height)
                elif number:
                    before = CELL_BREAK
                else:
                    before = LINE_BREAK if out else ""
                out.append(Placed(place, before))
    return out


def _within_cell(before: Piece, item: Piece, height: float) -> str:
    """Nothing between the lines of one cell; a space where a gap can be seen on one line."""
    if abs(item.middle - before.middle) > _SAME_LINE * height:
        return ""
    return " " if item.left - before.right > 0.3 * height else ""
