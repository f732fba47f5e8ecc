"""Imprints, papers inside a record and derived fields through the whole write path."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.access import EVERYTHING, is_restricted
from index.domain import ADOPTION_NOTE, Derived, Record, SubDocument
from index.sentences import split_sentences
from index.store import Store
from ingest.pipeline import ingest
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui.api import _record_json

REPLY = [
    "关于通湖桥修缮事项的复函",
    "榕交函〔2019〕8号",
    "榕城县人大常委会办公室：",
    "来函收悉。桥面已列入今年修缮计划，资金已经落实。",
    "榕城县交通局",
    "2019年5月6日",
    "抄送：县政府办公室。",
    "榕城县交通局办公室 2019年5月9日印发",
]
LETTER = [
    "关于商请修缮通湖桥的函",
    "榕城县交通局：",
    "桥面破损已有两年，请安排修缮，并将结果告知我们。",
    "榕城县人大常委会办公室",
    "2019年4月1日",
]


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


def _taken(home, folder: Path) -> Store:
    store, settings = home
    ingest(folder, store, settings)
    return store


def test_an_uncatalogued_file_gets_title_fields_and_papers(tmp_path, home) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_text_pdf(folder / "扫描0007.pdf", [REPLY, LETTER])
    store = _taken(home, folder)
    record = store.record("扫描0007.pdf")

    assert record is not None
    assert (record.title, record.doc_no) == ("关于通湖桥修缮事项的复函", "榕交函〔2019〕8号")
    assert (record.date_iso, record.year, record.author) == ("2019-05-06", 2019, "榕城县交通局")
    assert [(p.kind, p.page, p.last_page) for p in record.parts] == [("复文", 1, 1), ("来文", 2, 2)]
    (first, second) = store.pages(record.record_id)
    for item in record.derived:
        assert item.value in "".join(first.raw[item.start : item.end].split())
    said = " ".join(s.text for s in split_sentences(first))
    assert "列入今年修缮计划" in said
    assert "印发" not in said
    assert "抄送" not in said
    assert "2019年5月9日印发" in first.raw
    passages = store.passages(record.record_id)
    assert not any(p.start < second.start < p.end for p in passages)
    assert passages[-1].heading.startswith("来文《关于商请修缮通湖桥的函》")
    assert store.find_by_key("doc_no", "榕交函〔2019〕8号", EVERYTHING) == [record]


def test_the_catalogue_wins_and_its_blanks_are_filled(tmp_path, home) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0012-1-7-3.txt").write_text("\n".join(REPLY), encoding="utf-8")
    rows = [["档号", "题名", "日期", "文号"], ["0012-1-7-3", "修桥的回信", "2019.5.10", ""]]
    write_workbook(folder / "目录.xlsx", {"目录": rows})
    store, settings = home
    ingest(folder, store, settings)
    again = ingest(folder, store, settings)
    record = store.record("0012-1-7-3")

    assert record is not None
    assert (record.title, record.date) == ("修桥的回信", "2019.5.10")
    assert record.doc_no == "榕交函〔2019〕8号"
    assert record.derivation("date") is None
    assert again.unchanged == 1
    card = _record_json(record, 1)
    assert ["文号（推得自第1页）", "榕交函〔2019〕8号"] in [list(pair) for pair in card["fields"]]
    assert "榕交函〔2019〕8号（推得）" in card["reference"]
    assert {item["field"] for item in card["derived"]} == {"doc_no", "author"}


def test_a_title_read_from_the_page_can_restrict_the_record(tmp_path, home) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    text = "关于转送群众信访事项的函\n榕城县交通局：\n现将来信转去，请办理。\n榕城县人大常委会\n2019年4月1日\n"
    (folder / "扫描0008.txt").write_text(text, encoding="utf-8")
    record = _taken(home, folder).record("扫描0008.txt")

    assert record is not None
    assert record.restriction == "信访"
    assert is_restricted(record)


def test_derived_fields_and_papers_are_kept_and_masked(tmp_path) -> None:
    store = Store(tmp_path / "s.sqlite3", create=True)
    note = Derived(ADOPTION_NOTE, "联系电话13900001111", 1, 0, 5)
    part = SubDocument("来文", "来信（13900001111）", 2, 0, 3)
    record = Record("r", "题名", derived=(note,), parts=(part,))
    store.replace_record(record, (), (), "x")
    clear, shown = store.record("r", clear=True), store.record("r")

    assert clear == record
    assert shown is not None
    assert "13900001111" not in str(shown)
    assert shown.parts[0].last_page == 3
