"""The child process that reads spreadsheets: `python -m ingest.sheet_worker KIND FILE filled|bare`.

Sheets and rows go out on standard output as JSON lines. A workbook that asks for absurd memory or
time ends this process, not the run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ingest.cells import fill_merged
from ingest.errors import CatalogueError

_MEMORY: Final = 2 * 1024**3
MOST_ROWS: Final = 1_000_000
MOST_COLUMNS: Final = 500
_LONGEST_CELL: Final = 32_767


def main(arguments: list[str]) -> int:
    """Read one file and print what it holds."""
    kind, path, filled = arguments[0], Path(arguments[1]), arguments[2] == "filled"
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)  # nothing but our lines may reach the parent
    _limit()

    def say(message: Mapping[str, Any]) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")

    try:
        _read(kind, path, say, filled=filled)
    except CatalogueError as error:
        say({"error": str(error)})
    except MemoryError:
        say({"error": f"{path.name} 太大，读它要用的内存超出上限，请拆成几个文件"})
    say({"done": True})
    out.flush()
    return 0


def _read(kind: str, path: Path, say: Any, *, filled: bool) -> None:
    if kind == "xlsx":
        from ingest.xlsx import read_sheets
    elif kind == "dbf":
        from ingest.dbase import read_sheets
    else:
        from ingest.xls import read_sheets
    for sheet in read_sheets(path):
        say({"sheet": sheet.name, "hidden": sheet.hidden})
        cut = 0
        merged = sheet.merged if filled else ()
        for count, (number, cells) in enumerate(fill_merged(merged, sheet.rows), start=1):
            if count > MOST_ROWS:
                say({"note": f"超过 {MOST_ROWS} 行的部分没有读，请拆成几个文件"})
                break
            while cells and not cells[-1]:
                cells.pop()
            cut = max(cut, len(cells) - MOST_COLUMNS)
            say({"row": number, "cells": [cell[:_LONGEST_CELL] for cell in cells[:MOST_COLUMNS]]})
        if cut > 0:
            say({"note": f"第 {MOST_COLUMNS} 列以后的 {cut} 列没有读，请删去多余的列"})


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
