"""Catalogue rows as a file to take away: the one place where rows leave the system."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Collection, Sequence
from typing import Final

from assistant.catalogue_export import Sheet, export_sheets, exported_records
from assistant.domain import Answer
from index.domain import Reader
from index.errors import ArchiveError
from index.store import Store
from ingest.xlsx import workbook
from ui import strings

#: Kinds of file with their media types.
KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Columns of whole numbers, so that a spreadsheet sorts and adds them.
_NUMERIC: Final = frozenset({"序号", "件数", "卷数", "页数", "目录页数", "已挂页数"})
#: A cell that begins so is taken for a formula by spreadsheet programs.
_FORMULA: Final = re.compile(r"^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


class ExportError(ArchiveError):
    """The file cannot be made; the message is for the user."""


def export_answer(
    answer: Answer, store: Store, reader: Reader, kind: str, now: dt.datetime
) -> bytes:
    """The rows of an answer as a file, for a reader who may see them now.

    Every export goes through here, by page and by command line alike; the caller writes the use
    entry (`ui.usage.UseLog.exported`) before the bytes leave.

    Args:
        answer: The answer.
        store: The holdings.
        reader: Who takes the rows away.
        kind: One of `KINDS`.
        now: When; stands in the file beside the reader's name.

    Raises:
        NothingToExportError: If the answer lists no rows the reader may see.
        ExportError: If the kind is unknown.
    """
    sheets = export_sheets(answer, store, reader)
    about: list[tuple[str, str]] = [("问题", answer.question)]
    if len(exported_records(answer, store, reader)) < len(answer.listings):
        # the lead counts what was closed since, and the notes may name it
        about.append(("说明", strings.NOT_AVAILABLE_NOW))
    else:
        about = [("问题", answer.standalone), ("结果", answer.lead)]
        about += [("说明", note) for note in answer.notes]
    return sheets_file(sheets, about, reader, kind, now)


def sheets_file(
    sheets: Sequence[Sheet],
    about: Sequence[tuple[str, str]],
    reader: Reader,
    kind: str,
    now: dt.datetime,
    numeric: Collection[str] = _NUMERIC,
) -> bytes:
    """Sheets as a file, with one more that says where they come from and that it is no voucher.

    Args:
        sheets: Of rows the reader may see now.
        about: What the rows are, as (heading, words).
        reader: Who takes them away.
        kind: One of `KINDS`.
        now: When.
        numeric: Headings of columns of whole numbers.

    Raises:
        ExportError: If the kind is unknown.
    """
    if kind not in KINDS:
        msg = f"不能导出成 {kind}。可用的格式：{'、'.join(KINDS)}。"
        raise ExportError(msg)
    origin = (
        *about,
        ("导出人", f"{reader.name}（{reader.role.value}）"),
        ("导出时间", f"{now:%Y-%m-%d %H:%M}"),
        ("", strings.NO_VOUCHER),
    )
    sheets = (*sheets, Sheet("说明", origin))
    return _csv(sheets) if kind == "csv" else workbook(((s.name, s.rows) for s in sheets), numeric)


def neutral(cell: str) -> str:
    """A cell no spreadsheet program takes for a formula.

    Source:
        OWASP, CSV Injection: an apostrophe before = + - @, tab and line breaks at the beginning.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _csv(sheets: Sequence[Sheet]) -> bytes:
    """All sheets one below the other with a blank line between; UTF-8 with the mark Excel needs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for number, sheet in enumerate(sheets):
        if number:
            writer.writerow(())
        writer.writerows([neutral(cell) for cell in row] for row in sheet.rows)
    return text.getvalue().encode("utf-8-sig")
