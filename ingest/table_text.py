"""Workbooks that are documents (budget tables, lists) and no catalogues, as blocks of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ingest.errors import CatalogueError, PasswordError, SourceReadError
from ingest.page_text import Note, PageText
from ingest.parts import MOST_CHARACTERS, Block, parts_of, row_text
from ingest.sheets import Sheet, read_sheets

#: Part of the restart key and of content hashes: raise it when the reading changes.
TABLE_READER: Final = "table 1"
#: A workbook of 30,000 rows takes 3 s.
SECONDS: Final = 60.0


def read_table(path: Path) -> tuple[list[PageText], tuple[Note, ...]]:
    """Read a workbook or text table as parts, at least one for each sheet.

    Returns:
        The parts, each row a line; and what was left out.

    Raises:
        PasswordError: If it is locked.
        SourceReadError: If it is damaged or too large.
    """
    try:
        sheets = read_sheets(path, filled=False, seconds=SECONDS)
    except CatalogueError as error:
        if "密码" in str(error):
            raise PasswordError(str(error), "请去掉密码后重新入库") from error
        step = "请用表格软件打开检查，另存为 xlsx 或 PDF 后重新入库"
        raise SourceReadError(str(error), step) from error
    notes = tuple(
        Note(f"工作表“{sheet.name}”{note}" if sheet.name else note, "请拆成几个文件后重新入库")
        for sheet in sheets
        for note in sheet.notes
    )
    blocks = list(_blocks(path, sheets))
    return parts_of(blocks, TABLE_READER), notes


def _blocks(path: Path, sheets: Sequence[Sheet]) -> Iterator[Block]:
    length = 0
    named = len(sheets) > 1
    for sheet in sheets:
        first = True
        for _, cells in sheet.rows:
            text = row_text(cells)
            if not text:
                continue
            length += len(text)
            if length > MOST_CHARACTERS:
                msg = f"{path.name} 的文字超过 {MOST_CHARACTERS // 10**6} 百万字，没有读取"
                raise SourceReadError(msg, "请拆成几个文件后重新入库")
            if first and named and sheet.name.strip():
                # The name of the sheet is on its tab, not on the sheet.
                yield Block(sheet.name.strip(), heading=True, furniture=True, opens=True)
            yield Block(text, opens=first and not named)
            first = False
