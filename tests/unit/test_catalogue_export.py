"""Catalogue rows as files: permission checked again, cells that cannot become formulas."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from assistant.catalogue_export import NothingToExportError, export_sheets
from assistant.domain import Answer, Listing, Table, TableRow
from index.domain import Coverage, Derived, Reader, Record, Role
from index.store import Store
from ui.export import ExportError, export_answer, neutral

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
ARCHIVIST = Reader(Role.ARCHIVIST, "管理员")
DEPUTY = Reader(Role.DEPUTY, "苏念安")
OPEN = Record(
    "0012-1-1",
    "=HYPERLINK(1)关于供水的决议",
    reference_code="0012-1-1",
    date="2018.3.7",
    opening="开放",
    page_count=3,
)
CLOSED = Record("0012-1-2", "关于人事的议案", reference_code="0012-1-2", date="2018.5.1")
ANSWER = Answer(
    "2018年的有几件",
    "2018年的有几件",
    "",
    "共 2 件。",
    (),
    (Listing(1, OPEN, (("相差", "-1 页"),)), Listing(2, CLOSED)),
    Coverage(2, 2, 0),
    table=Table(("年份", "件数"), (TableRow(("2018年", "2"), (1, 2)),)),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "s.sqlite3", create=True)
    for record in (OPEN, CLOSED):
        opened.replace_record(record, (), (), "x")
    yield opened
    opened.close()


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_csv_opens_in_excel_and_holds_every_row(store: Store) -> None:
    """This test ensures that the file has the mark Excel needs, the groups and all rows."""
    content = export_answer(ANSWER, store, ARCHIVIST, "csv", NOW)
    rows = rows_of(content)

    assert content.startswith(b"\xef\xbb\xbf")
    assert ["年份", "件数"] in rows
    assert ["2018年", "2"] in rows
    assert [row[1] for row in rows if row and row[0] in ("1", "2")] == ["0012-1-1", "0012-1-2"]
    assert ["导出人", "管理员（档案管理员）"] in rows


def test_a_row_closed_since_is_neither_listed_nor_counted(store: Store) -> None:
    """This test ensures that the reader's permission is asked at the time of the export."""
    sheets = export_sheets(ANSWER, store, DEPUTY)

    assert sheets[0].rows == (("年份", "件数"), ("2018年", "1"))
    assert "0012-1-2" not in str(sheets)
    assert "人事" not in export_answer(ANSWER, store, DEPUTY, "csv", NOW).decode("utf-8-sig")


def test_a_removed_row_is_left_out(store: Store) -> None:
    """This test ensures that an answer of this morning does not bring a removed record back."""
    store.remove_record(CLOSED.record_id)

    assert "0012-1-2" not in str(export_sheets(ANSWER, store, ARCHIVIST))


def test_nothing_left_says_what_to_ask(store: Store) -> None:
    """This test ensures that an empty file is never made."""
    store.remove_record(OPEN.record_id)
    store.remove_record(CLOSED.record_id)

    with pytest.raises(NothingToExportError, match="列清单"):
        export_answer(ANSWER, store, ARCHIVIST, "csv", NOW)


def test_an_unknown_kind_is_named(store: Store) -> None:
    """This test ensures that a wrong kind is told with the right ones."""
    with pytest.raises(ExportError, match="csv"):
        export_answer(ANSWER, store, ARCHIVIST, "ods", NOW)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_a_cell_that_could_be_a_formula_is_made_harmless(cell: str) -> None:
    """This test ensures that a title from a scan cannot run in a spreadsheet."""
    assert neutral(cell) == f"'{cell}"
    assert neutral(f"关于{cell}") == f"关于{cell}"


def test_formula_like_titles_are_text_in_both_kinds(store: Store) -> None:
    """This test ensures that CSV escapes them and XLSX stores them as text, verbatim."""
    rows = rows_of(export_answer(ANSWER, store, ARCHIVIST, "csv", NOW))
    book = load_workbook(io.BytesIO(export_answer(ANSWER, store, ARCHIVIST, "xlsx", NOW)))
    cells = {cell.value: cell.data_type for row in book["目录"] for cell in row}

    assert any("'=HYPERLINK(1)关于供水的决议" in row for row in rows)
    assert cells["=HYPERLINK(1)关于供水的决议"] == "s"
    assert cells["0012-1-1"] == "s"
    assert cells[3] == "n"
    assert book.sheetnames == ["统计", "目录", "说明"]


def test_control_characters_do_not_break_the_workbook(store: Store) -> None:
    """This test ensures that a damaged title is exported all the same."""
    broken = Record("0012-1-3", "关于\x00道路\x1f的决议", opening="开放")
    store.replace_record(broken, (), (), "x")
    answer = Answer("问", "问", "", "", (), (Listing(1, broken),), Coverage(1, 1, 0))
    book = load_workbook(io.BytesIO(export_answer(answer, store, ARCHIVIST, "xlsx", NOW)))

    assert "关于␦道路␦的决议" in [cell.value for row in book["目录"] for cell in row]


def test_a_column_says_which_values_no_catalogue_gave(store: Store) -> None:
    """This test ensures that derived values are told apart and catalogue values stay verbatim."""
    record = Record(
        "0012-1-4", "关于道路的函", date="2019年5月6日", doc_no="榕函〔2019〕8号", opening="开放",
        derived=(Derived("doc_no", "榕函〔2019〕8号", 2, 0, 11), Derived("date", "2019", 0, 0, 0)),
    )  # fmt: skip
    store.replace_record(record, (), (), "x")
    listings = (Listing(1, record), Listing(2, OPEN))
    answer = Answer("问", "问", "", "", (), listings, Coverage(2, 2, 0))
    (sheet,) = export_sheets(answer, store, ARCHIVIST)

    assert sheet.rows[0][-1] == "推得栏目"
    assert [row[-1] for row in sheet.rows[1:]] == ["文号（第2页）；日期（文件名）", ""]
    assert "榕函〔2019〕8号" in sheet.rows[1]
