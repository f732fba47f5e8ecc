"""Tables of any kind as sheets of text cells: workbooks, dBase, CSV, HTML under a false name.

What a file is, its first bytes decide; its suffix only where they leave it open.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any, Final

from index.child_process import module_command, module_environment
from ingest.cells import NumberedRow, fill_merged
from ingest.errors import CatalogueError
from ingest.html_table import read_tables
from ingest.plain import decode

#: A workbook of 30,000 rows takes 3 s.
SECONDS_PER_FILE: Final = 120.0
_DELIMITERS: Final = ",\t;|"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(slots=True)
class Sheet:
    """A sheet of text cells.

    Attributes:
        name: The sheet's name, empty for tables without sheets.
        hidden: Whether the workbook hides it.
        rows: (row number from 1, cells) of every row with content.
        notes: What was left out, in Chinese.
        from_workbook: Whether numbers went through a spreadsheet, which drops zeros.
    """

    name: str
    hidden: bool = False
    rows: list[NumberedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    from_workbook: bool = True


def read_sheets(
    path: Path, *, seconds: float = SECONDS_PER_FILE, filled: bool = True
) -> list[Sheet]:
    """All sheets of a table file.

    Args:
        path: The file.
        filled: Whether every cell of a merged range gets its text, as a catalogue means it; False
            leaves the text in the first cell alone, as it is to be quoted.
        seconds: A reading process that takes longer is stopped.

    Raises:
        CatalogueError: If the file is damaged, locked, too large or of another kind.
        SourceReadError: If it is a text in no known encoding.
        OSError: If it cannot be opened.
    """
    kind = _kind(path)
    if kind != "text":
        return _in_child(kind, path, seconds, filled=filled)
    text = decode(path.read_bytes(), path.name)
    start = text[:2000].lstrip().lower()
    if start.startswith("<"):
        if "<table" in text.lower():
            return [
                Sheet(raw.name, rows=list(fill_merged(raw.merged if filled else (), raw.rows)))
                for raw in read_tables(text)
            ]
        msg = f"{path.name} 是网页或 XML 文件，里面没有表格，请用表格软件打开后另存为 xlsx"
        raise CatalogueError(msg)
    return [Sheet("", rows=_csv_rows(text), from_workbook=False)]


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
        except zipfile.BadZipFile:
            return "xlsx"  # its reader says what is wrong
        return "xlsx" if "xl/workbook.xml" in names else "xls"
    if head == _OLE:
        return "xls"
    suffix = path.suffix.lower()
    if suffix == ".dbf":
        return "dbf"
    # BIFF2 to BIFF4: a workbook of the years before 1993, not in a container yet.
    if (
        suffix in (".xls", ".et")
        and head[:1] == b"\x09"
        and head[1:2] in (b"\x00", b"\x02", b"\x04")
    ):
        return "xls"
    return "text"


def _csv_rows(text: str) -> list[NumberedRow]:
    """Rows of a text table; the delimiter that gives most cells in the rows near the top."""
    csv.field_size_limit(10_000_000)
    head = text[:20_000]

    def parsed(delimiter: str, body: str) -> Iterator[NumberedRow]:
        for number, row in enumerate(
            csv.reader(io.StringIO(body, newline=""), delimiter=delimiter), 1
        ):
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield number, cells

    def columns(delimiter: str) -> int:
        # The number of columns that most rows agree on; commas inside titles never agree.
        counts: dict[int, int] = {}
        for _, cells in parsed(delimiter, head):
            counts[len(cells)] = counts.get(len(cells), 0) + 1
        return max(
            ((count, width) for width, count in counts.items() if width > 1), default=(0, 0)
        )[0]

    best = max(_DELIMITERS, key=columns)
    return list(parsed(best, text))


def _in_child(kind: str, path: Path, seconds: float, *, filled: bool) -> list[Sheet]:
    child = subprocess.Popen(
        module_command("ingest.sheet_worker", kind, str(path), "filled" if filled else "bare"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=module_environment(),
    )
    timer = Timer(seconds, child.kill)
    timer.daemon = True
    timer.start()
    try:
        sheets, done = _collect(child.stdout.readline if child.stdout else str)
    finally:
        timer.cancel()
        child.kill()
        if child.stdout is not None:
            child.stdout.close()
        child.wait()
    if not done:
        msg = (
            f"{path.name} 没有读完：文件损坏，或读它要用的时间、内存超出上限。"
            "请用表格软件打开后另存为 xlsx，过大的拆成几个文件"
        )
        raise CatalogueError(msg)
    return sheets


def _collect(readline: Callable[[], str]) -> tuple[list[Sheet], bool]:
    sheets: list[Sheet] = []
    while (line := readline()).endswith("\n"):
        message: dict[str, Any] = json.loads(line)
        if "row" in message:
            sheets[-1].rows.append((message["row"], message["cells"]))
        elif "sheet" in message:
            sheets.append(Sheet(message["sheet"], message["hidden"]))
        elif "note" in message:
            sheets[-1].notes.append(message["note"])
        elif "error" in message:
            raise CatalogueError(str(message["error"]))
        elif "done" in message:
            return sheets, True
    return sheets, False
