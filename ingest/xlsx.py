"""Spreadsheets (.xlsx) as plain cells, read and written; the only file that uses openpyxl."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from ingest.errors import CatalogueError

_LARGEST_UNPACKED: Final = 500_000_000
_LARGEST_RATIO: Final = 500
_MOST_COLUMNS: Final = 200
#: Characters a workbook cannot hold (XML 1.0, section 2.2).
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL: Final = 32_767
_WIDEST: Final = 60


def read_sheets(path: Path) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Sheets of a workbook with their rows, cells as text.

    Hidden sheets are read too. Whole numbers lose the `.0` of spreadsheets, numbers formatted as
    `0000` keep their leading zeros, dates become ISO.

    Raises:
        CatalogueError: If it is no workbook, damaged, or unpacks to something absurd.
    """
    _check_size(path)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown extensions, missing styles
            workbook = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parsers meet
        msg = (
            f"{path.name} 打不开：不是有效的 xlsx 工作簿，或已加密、损坏（{type(error).__name__}）"
        )
        raise CatalogueError(msg) from error
    try:
        for sheet in workbook.worksheets:
            yield sheet.title, _rows(path, sheet)
    finally:
        workbook.close()


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        msg = f"{path.name} 打不开：不是有效的 xlsx 工作簿，或已加密、损坏"
        raise CatalogueError(msg) from error
    if unpacked > _LARGEST_UNPACKED or unpacked > _LARGEST_RATIO * max(path.stat().st_size, 10_000):
        msg = f"{path.name} 解开后有 {unpacked / 1e6:.0f} MB，超出上限，没有读取"
        raise CatalogueError(msg)


def _rows(path: Path, sheet: object) -> Iterator[list[str]]:
    try:
        for row in sheet.iter_rows(max_col=_MOST_COLUMNS):  # type: ignore[attr-defined]
            cells = [_text(cell.value, getattr(cell, "number_format", "")) for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            yield cells
    except Exception as error:
        msg = f"{path.name} 的工作表读到一半出错（{type(error).__name__}：{error}）"
        raise CatalogueError(msg) from error


def _text(value: object, number_format: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value).strip()
    zeros = number_format.strip('"')
    if isinstance(value, int) and zeros and set(zeros) == {"0"}:
        text = text.zfill(len(zeros))
    return text


def workbook(
    sheets: Iterable[tuple[str, Sequence[Sequence[str]]]], numeric: Collection[str] = ()
) -> bytes:
    """A workbook of text cells, the first row of each sheet kept in view.

    Cells are stored as text, so nothing in them is ever worked out as a formula and codes keep
    their leading zeros.

    Args:
        sheets: (name, rows) pairs, at least one; the first row holds the headings.
        numeric: Headings of columns whose whole numbers are stored as numbers.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    for empty in book.worksheets:
        book.remove(empty)
    for name, rows in sheets:
        sheet = book.create_sheet(name[:31])
        widths: dict[int, int] = {}
        for at, row in enumerate(rows, start=1):
            for column, text in enumerate(row, start=1):
                cell = sheet.cell(at, column)
                if (
                    at > 1
                    and column <= len(rows[0])
                    and rows[0][column - 1] in numeric
                    and text.isdecimal()
                ):
                    cell.value = int(text)
                else:
                    cell.value = _CONTROLS.sub("\u2426", text)[:_LONGEST_CELL]
                    cell.data_type = "s"
                    cell.number_format = "@"
                if at == 1:
                    cell.font = Font(bold=True)
                shown = sum(2 if c >= "\u1100" else 1 for c in text)
                widths[column] = min(_WIDEST, max(widths.get(column, 6), shown + 2))
        for column, width in widths.items():
            sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.freeze_panes = "A2"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
