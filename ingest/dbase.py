"""dBase and FoxPro tables (.dbf), as old archive programs left them; the only file that uses dbf."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ingest.cells import NumberedRow, RawSheet, cell_text
from ingest.errors import CatalogueError

#: Tables of DOS programs say nothing of their encoding; in China it was GBK.
_ENCODING_WHEN_SILENT: Final = "cp936"


def read_sheets(path: Path) -> Iterator[RawSheet]:
    """The table as one sheet: field names first, then every row that is not marked deleted.

    Row numbers count as in the table, the field names being row 1.

    Raises:
        CatalogueError: If it is no table, damaged, or its memo file is missing.
    """
    yield RawSheet("", hidden=False, merged=(), rows=_rows(path))


def _rows(path: Path) -> Iterator[NumberedRow]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dbf

        try:
            with path.open("rb") as file:
                silent = file.read(30)[29:30] == b"\0"
            options: dict[str, Any] = {"codepage": _ENCODING_WHEN_SILENT} if silent else {}
            table = dbf.Table(str(path), on_disk=True, **options).open(dbf.READ_ONLY)
            try:
                names = list(table.field_names)
                yield 1, [str(name) for name in names]
                for number, row in enumerate(table, start=2):
                    if dbf.is_deleted(row):
                        continue
                    cells = [cell_text(row[name]) for name in names]
                    if any(cells):
                        yield number, cells
            finally:
                table.close()
        except Exception as error:  # the library raises its own and many builtin kinds
            msg = (
                f"{path.name} 读不出来（{type(error).__name__}：{error}）。"
                "请确认备注文件（.fpt 或 .dbt）在同一文件夹，或用表格软件打开后另存为 xlsx"
            )
            raise CatalogueError(msg) from error
