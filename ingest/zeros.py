"""Leading zeros that spreadsheets ate (`0012` became 12), put back where the table proves them.

Proof is the row's own 档号, the widths of an office's codes, or other cells of the same column
that kept theirs. Without proof a number stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.codes import LocalValues, parse_reference_code

#: Fields that are numbers with a fixed width, and the part of a 档号 each one is.
_PARTS: Final = {
    "fonds": "fonds", "catalog": "catalog", "volume": "volume", "item": "item", "order": "item",
}  # fmt: skip
_SCIENTIFIC: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d{1,2}")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back in one column.

    Attributes:
        field: The column's field.
        count: Cells changed.
        number: Row number of the first one.
        before: Its text before.
        after: Its text after.
        proof: What proves it, in Chinese.
    """

    field: str
    count: int
    number: int
    before: str
    after: str
    proof: str


def is_ruined_code(text: str) -> bool:
    """Whether a code went through a spreadsheet as a number and lost its last digits."""
    return bool(_SCIENTIFIC.fullmatch(text))


def restore_zeros(rows: Sequence[tuple[int, dict[str, str]]], local: LocalValues) -> list[Restored]:
    """Put leading zeros back into the values of a table, in place.

    Args:
        rows: (row number, values by field) of one table.
        local: Widths of codes without separators.
    """
    found = _restore_codes(rows, local)
    for field, part in _PARTS.items():
        width = _width(rows, field)
        changes: list[tuple[int, str, str, str]] = []
        for number, values in rows:
            value = values.get(field, "")
            if not value.isascii() or not value.isdigit():
                continue
            code = parse_reference_code(values["code"], local) if "code" in values else None
            printed = getattr(code, part) if code is not None else ""
            if printed != value and printed.isdigit() and printed.lstrip("0") == value.lstrip("0"):
                if len(printed) > len(value):
                    changes.append((number, value, printed, "档号"))
                    values[field] = printed
            elif len(value) < width:
                changes.append((number, value, value.zfill(width), "同一栏其他行的位数"))
                values[field] = value.zfill(width)
        found += _told(field, changes)
    return found


def _restore_codes(
    rows: Sequence[tuple[int, dict[str, str]]], local: LocalValues
) -> list[Restored]:
    totals = [sum(width for _, width in profile.widths) for profile in local.width_profiles]
    profile_width = totals[0] if len(totals) == 1 else 0
    sibling_width = _width(rows, "code")
    changes: list[tuple[int, str, str, str]] = []
    for number, values in rows:
        value = values.get("code", "")
        width = profile_width or (sibling_width if sibling_width >= 8 else 0)
        if value.isascii() and value.isdigit() and width - 4 < len(value) < width:
            proof = "对照表里的位数" if profile_width else "同一栏其他行的位数"
            changes.append((number, value, value.zfill(width), proof))
            values["code"] = value.zfill(width)
    return _told("code", changes)


def _width(rows: Sequence[tuple[int, dict[str, str]]], field: str) -> int:
    """The one width of cells that begin with a zero, 0 when there is none or several."""
    widths = {
        len(value)
        for _, values in rows
        if (value := values.get(field, "")).isascii() and value.isdigit()
        and len(value) > 1 and value[0] == "0"
    }  # fmt: skip
    return widths.pop() if len(widths) == 1 else 0


def _told(field: str, changes: Sequence[tuple[int, str, str, str]]) -> list[Restored]:
    if not changes:
        return []
    number, before, after, proof = changes[0]
    return [Restored(field, len(changes), number, before, after, proof)]
