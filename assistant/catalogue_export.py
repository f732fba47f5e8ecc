"""The catalogue rows of an answer as sheets to take away, the reader's permission checked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assistant.domain import Answer, AssistantError, Listing, Table
from index.domain import Reader, Record
from index.store import Store

#: Columns of an exported list, in order: heading and field of the record.
_COLUMNS: Final = (
    ("档号", "reference_code"),
    ("题名", "title"),
    ("责任者", "author"),
    ("文号", "doc_no"),
    ("日期", "date"),
    ("文种", "doc_type"),
    ("届次", "meeting"),
    ("机构（问题）", "department"),
    ("保管期限", "retention"),
    ("开放标识", "opening"),
    ("公开属性", "publicity"),
    ("页数", "page_count"),
    ("备注", "note"),
)

_DERIVED: Final = "推得栏目"


class NothingToExportError(AssistantError):
    """The answer lists no catalogue rows the reader may see."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: headings and rows of text, catalogue values verbatim.

    Attributes:
        name: Sheet name, at most 31 characters.
        rows: The first row holds the headings; all rows have the same length.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]


def export_sheets(answer: Answer, store: Store, reader: Reader) -> tuple[Sheet, ...]:
    """The listings of an answer, and before them its table when it has one.

    What the reader may not see any more, and what was removed since, is left out and not counted.

    Args:
        answer: The answer, given to this reader earlier.
        store: The holdings as they are now.
        reader: Who takes the rows away.

    Raises:
        NothingToExportError: If no row is left.
    """
    kept = _kept(answer, store, reader)
    if not kept:
        msg = "这个答复没有可导出的目录条目。请先问一个列清单或统计的问题，例如“2019年归档的有哪些文件？”"
        raise NothingToExportError(msg)
    sheets = [_list_sheet(kept)]
    if answer.table is not None:
        sheets.insert(0, _table_sheet(answer.table, {listing.marker for listing, _ in kept}))
    return tuple(sheets)


def exported_records(answer: Answer, store: Store, reader: Reader) -> tuple[Record, ...]:
    """The records whose rows `export_sheets` gives to a reader, in its order."""
    return tuple(record for _, record in _kept(answer, store, reader))


def _kept(answer: Answer, store: Store, reader: Reader) -> list[tuple[Listing, Record]]:
    """The listings the reader may see now, each with its record as it is now."""
    permitted = store.permitted(reader)
    kept: list[tuple[Listing, Record]] = []
    for listing in answer.listings:
        record = store.record(listing.record.record_id)
        number = store.record_number(listing.record.record_id)
        if record is not None and number is not None and permitted.allows(number):
            kept.append((listing, record))
    return kept


def records_sheet(records: Sequence[Record]) -> Sheet:
    """Records as a list to take away, in the order given.

    Args:
        records: Such as the reader may see now, at least one.
    """
    return _list_sheet([(Listing(i, r), r) for i, r in enumerate(records, start=1)])


def _table_sheet(table: Table, markers: set[int]) -> Sheet:
    rows = [table.headings]
    for row in table.rows:
        count = sum(marker in markers for marker in row.markers)
        if count:
            rows.append((row.cells[0], str(count), *row.cells[2:]))
    return Sheet("统计", tuple(rows))


def _list_sheet(kept: list[tuple[Listing, Record]]) -> Sheet:
    standard = {heading for heading, _ in _COLUMNS}
    extra = list(
        dict.fromkeys(h for listing, _ in kept for h, _ in listing.facts if h not in standard)
    )
    used = [
        (heading, name)
        for heading, name in _COLUMNS
        if name == "title" or any(_text(getattr(record, name)) for _, record in kept)
    ]
    # Values stay as they are; which of them no catalogue says stands in a column of its own.
    derived = [_derived(record) for _, record in kept]
    last = (_DERIVED,) if any(derived) else ()
    rows = [("序号", *(heading for heading, _ in used), *extra, *last)]
    for number, (listing, record) in enumerate(kept, start=1):
        facts = dict(listing.facts)
        rows.append(
            (
                str(number),
                *(_text(getattr(record, name)) for _, name in used),
                *(facts.get(heading, "") for heading in extra),
                *((derived[number - 1],) if last else ()),
            )
        )
    return Sheet("目录", tuple(rows))


def _derived(record: Record) -> str:
    """Which exported fields were read from where: `文号（第1页）；日期（文件名）`."""
    return "；".join(
        f"{heading}（{f'第{item.page}页' if item.page else '文件名'}）"
        for heading, name in _COLUMNS
        if (item := record.derivation(name)) is not None
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
