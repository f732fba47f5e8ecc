"""What the holdings cover: records by fonds, year and kind, and how many have readable pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from index.codes import fonds_of
from index.domain import Record
from index.store import Store


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one fonds, year or kind.

    Attributes:
        name: As shown.
        records: How many.
        readable: Those with at least one page of text.
        pages: Pages stored.
        lost: Pages without text.
    """

    name: str
    records: int
    readable: int
    pages: int
    lost: int


def holdings_by(store: Store) -> dict[str, tuple[Group, ...]]:
    """The groups under 全宗, 年度 and 文种; years in order, the others the largest first."""
    totals = store.page_totals()
    records = store.records()
    return {
        heading: tuple(_grouped(records, totals, name_of, by_name=heading == "年度"))
        for heading, name_of in _HEADINGS.items()
    }


def _grouped(
    records: list[Record],
    totals: dict[str, tuple[int, int]],
    name_of: Callable[[Record], str],
    *,
    by_name: bool,
) -> list[Group]:
    sums: dict[str, list[int]] = {}
    for record in records:
        pages, lost = totals.get(record.record_id, (0, 0))
        row = sums.setdefault(name_of(record), [0, 0, 0, 0])
        for place, value in enumerate((1, int(pages > lost), pages, lost)):
            row[place] += value
    groups = [Group(name, *row) for name, row in sums.items()]
    if by_name:
        return sorted(groups, key=lambda group: (group.name.startswith("（"), group.name))
    return sorted(groups, key=lambda group: (-group.records, group.name))


def _fonds(record: Record) -> str:
    return fonds_of(record.reference_code) or "（档号里没有全宗号）"


def _year(record: Record) -> str:
    return str(record.year) if record.year is not None else "（没有年份）"


def _kind(record: Record) -> str:
    return record.doc_type.strip() or "（没有写文种）"


_HEADINGS: Final[dict[str, Callable[[Record], str]]] = {
    "全宗": _fonds,
    "年度": _year,
    "文种": _kind,
}

__all__ = ["Group", "holdings_by"]
