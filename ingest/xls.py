"""Older and other workbooks (.xls, .et, .ods, .xlsb); the only file that uses python_calamine.

Runs in the child process of `ingest.sheet_worker`: the library lays a sheet out as one dense
block, so a single cell in the last row and column asks for more memory than any machine has
(python-calamine issue 130), and it ends the process when it does not get it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.cells import NumberedRow, Range, RawSheet, cell_text
from ingest.errors import CatalogueError


def read_sheets(path: Path) -> Iterator[RawSheet]:
    """Sheets of a workbook with their rows, cells as text.

    Raises:
        CatalogueError: If it is no workbook, damaged or locked.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    try:
        # From memory: by path it would believe the suffix.
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
    except PasswordError as error:
        msg = f"{path.name} 设有密码，请去掉密码后重新入库"
        raise CatalogueError(msg) from error
    except (CalamineError, OSError, ValueError) as error:
        msg = f"{path.name} 打不开：不是有效的工作簿，或已加密、损坏（{type(error).__name__}）"
        raise CatalogueError(msg) from error
    for place, about in enumerate(book.sheets_metadata):
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_index(place)
            merged: list[Range] = [
                (top + 1, left + 1, bottom + 1, right + 1)
                for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
            ]
            rows = _rows(sheet.to_python(skip_empty_area=False))
        except (CalamineError, ValueError) as error:
            msg = f"{path.name} 的工作表“{about.name}”读到一半出错（{error}）"
            raise CatalogueError(msg) from error
        hidden = "Visible" not in str(about.visible).rpartition(".")[2]
        yield RawSheet(about.name, hidden, merged, rows)


def _rows(table: Sequence[Sequence[object]]) -> Iterator[NumberedRow]:
    for number, row in enumerate(table, start=1):
        cells = [cell_text(value) for value in row]
        if any(cells):
            yield number, cells
