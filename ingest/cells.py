"""Cells of a table as text, and merged cells filled: what every table reader shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

#: Top, left, bottom, right of merged cells, all from 1 and inclusive.
Range = tuple[int, int, int, int]
NumberedRow = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class RawSheet:
    """A sheet as its reader finds it.

    Attributes:
        name: The sheet's name, empty for tables without sheets.
        hidden: Whether the workbook hides it.
        merged: Merged ranges, sorted.
        rows: (row number from 1, cells) of every row with content.
    """

    name: str
    hidden: bool
    merged: Sequence[Range]
    rows: Iterator[NumberedRow]


def cell_text(value: object) -> str:
    """A cell as text: whole numbers without `.0`, dates in ISO form, nothing for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float) and abs(value) < 1e15:
        # A double holds 15 digits: 12.340000000000002 was typed as 12.34.
        return str(int(value)) if value.is_integer() else format(value, ".15g")
    return str(value).strip()


def fill_merged(merged: Sequence[Range], rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
    """Give every cell of a merged range the range's text, in rows that have text of their own.

    A cell merged over several rows stands for each of them (责任者 written once for a group).
    """
    pending = sorted(merged, reverse=True)
    active: list[tuple[Range, str]] = []
    for number, cells in rows:
        while pending and pending[-1][0] <= number:
            range_ = pending.pop()
            top, left = range_[0], range_[1]
            text = cells[left - 1] if top == number and left <= len(cells) else ""
            if text:
                active.append((range_, text))
        active = [item for item in active if item[0][2] >= number]
        for (_, left, _, right), text in active:
            right = min(right, left + 500)
            if len(cells) < right:
                cells.extend([""] * (right - len(cells)))
            for place in range(left - 1, right):
                if not cells[place]:
                    cells[place] = text
        yield number, cells
