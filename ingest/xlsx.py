"""Spreadsheets (.xlsx) as plain cells, read and written; the only file that uses openpyxl.

Reading happens in the child process of `ingest.sheet_worker`.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from ingest.cells import Range, RawSheet, cell_text
from ingest.errors import CatalogueError

_LARGEST_UNPACKED: Final = 500_000_000
_LARGEST_RATIO: Final = 200
_MOST_MERGES: Final = 100_000
_MERGE: Final = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]+[0-9]+:[A-Z]+[0-9]+)["']"""
)
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
#: Characters a workbook cannot hold (XML 1.0, section 2.2).
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL: Final = 32_767
_WIDEST: Final = 60


def read_sheets(path: Path) -> Iterator[RawSheet]:
    """Sheets of a workbook with their rows, cells as text.

    Hidden sheets are read too. Whole numbers lose the `.0` of spreadsheets, numbers formatted as
    `0000` keep their leading zeros, dates become ISO (to the month where the format shows no day).
    Formulas give the value the workbook remembers.

    Raises:
        CatalogueError: If it is no workbook, damaged, or unpacks to something absurd.
    """
    _check_size(path)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown extensions, missing styles
            # From memory: by path it would refuse a workbook under another suffix.
            book = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parsers meet
        msg = (
            f"{path.name} 打不开：不是有效的 xlsx 工作簿，或已加密、损坏（{type(error).__name__}）"
        )
        raise CatalogueError(msg) from error
    try:
        for sheet in book.worksheets:
            # Some exports write a wrong size, and rows outside it would be lost.
            sheet.reset_dimensions()
            yield RawSheet(
                sheet.title, sheet.sheet_state != "visible", _merged(path, sheet),
                _rows(path, sheet),
            )  # fmt: skip
    finally:
        book.close()


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        msg = f"{path.name} 打不开：不是有效的 xlsx 工作簿，或已加密、损坏"
        raise CatalogueError(msg) from error
    if unpacked > _LARGEST_UNPACKED or unpacked > _LARGEST_RATIO * max(path.stat().st_size, 50_000):
        msg = f"{path.name} 解开后有 {unpacked / 1e6:.0f} MB，超出上限，没有读取"
        raise CatalogueError(msg)


def _merged(path: Path, sheet: Any) -> list[Range]:
    """Merged ranges of a sheet; openpyxl's streaming reader passes them over."""
    found: list[Range] = []
    from openpyxl.utils import range_boundaries

    tail = b""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as source:
            while chunk := source.read(1 << 20):
                tail = tail[-200:] + chunk
                for match in _MERGE.finditer(tail):
                    left, top, right, bottom = range_boundaries(match[1].decode("ascii"))
                    found.append((top or 1, left or 1, bottom or 1, right or 1))
                    if len(found) >= _MOST_MERGES:
                        return sorted(set(found))
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile):
        return []  # the rows themselves will tell what is wrong with the sheet
    return sorted(set(found))


def _rows(path: Path, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = [_text(cell.value, getattr(cell, "number_format", "")) for cell in row]
            if any(cells):
                yield number, cells
    except Exception as error:
        msg = f"{path.name} 的工作表读到一半出错（{type(error).__name__}：{error}）"
        raise CatalogueError(msg) from error


def _text(value: object, number_format: str) -> str:
    if isinstance(value, datetime) and value.time() == time(0):
        value = value.date()
    if isinstance(value, date) and not isinstance(value, datetime):
        shown = _QUOTED.sub("", number_format or "").lower()
        if "y" in shown and "d" not in shown:
            return f"{value:%Y-%m}" if "m" in shown else f"{value:%Y}"
    text = cell_text(value)
    zeros = (number_format or "").strip('"')
    if text.isdecimal() and not isinstance(value, str) and zeros and set(zeros) == {"0"}:
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
