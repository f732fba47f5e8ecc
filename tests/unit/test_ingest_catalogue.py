"""Catalogues: headings, aliases, repetition marks, secrecy, and what is said about bad rows."""

from __future__ import annotations

import json

import pytest

from ingest.catalogue import read_catalogue
from ingest.errors import CatalogueError
from tests.ingest_files import write_workbook


def _csv(folder, text, encoding="utf-8", name="目录.csv"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read_catalogue(path, name)


def test_a_workbook_with_title_rows_and_export_marks_is_read(tmp_path):
    path = write_workbook(
        tmp_path / "目录.xlsx",
        {
            "归档文件目录": [
                ["示例市人大常委会归档文件目录"],
                [],
                ["单位：办公室", "", "2018年度"],
                ["序号", "档号!", "文号", "责任者", "题 名!", "日期", "密级", "页数", "开放标识", "年度", "盒号", "备注"],
                [1, "J001-WS·2018-Y-BGS-0001", "示人发〔2018〕1号", "办公室", "甲", 20180118, "", 3, "开放", 2018, "7", ""],
                [2, "J001-WS·2018-Y-BGS-0002", "", "〃", "乙", "2018.2", "", "两", "同上", 2018.0, "7", "工作秘密"],
            ]
        },
    )  # fmt: skip

    catalogue = read_catalogue(path, "目录.xlsx")

    first, second = (row.record for row in catalogue.rows)
    assert (first.record_id, first.title, first.page_count) == ("J001-WS·2018-Y-BGS-0001", "甲", 3)
    assert (first.date, first.date_iso, first.year) == ("20180118", "2018-01-18", 2018)
    assert (first.source_file, first.source_row) == ("目录.xlsx › 归档文件目录", 5)
    assert ("盒号", "7") in first.extra
    assert (second.author, second.opening) == ("办公室", "开放")
    assert (second.date_iso, second.restricted) == ("2018-02", True)
    assert [w.where for w in catalogue.warnings] == ["目录.xlsx › 归档文件目录 第 6 行"]
    assert "页数" in catalogue.warnings[0].reason


def test_spreadsheet_dates_and_leading_zeros_survive(tmp_path):
    from datetime import datetime

    from openpyxl import Workbook

    workbook = Workbook()
    sheet = workbook.active
    sheet.append(["全宗号", "案卷号", "档号", "题名", "日期"])
    sheet.append([12, 35, "0012-1-35-1", "甲", datetime(1998, 3, 12)])  # noqa: DTZ001
    sheet["A2"].number_format = "0000"
    workbook.save(tmp_path / "c.xlsx")

    record = read_catalogue(tmp_path / "c.xlsx", "c.xlsx").rows[0].record

    assert ("全宗号", "0012") in record.extra
    assert record.date_iso == "1998-03-12"


def test_sheets_of_volumes_and_of_their_files_are_told_apart(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx",
        {
            "案卷目录": [["案卷档号", "案卷题名", "起止日期", "保管期限"], ["0012-1-35", "第一次会议文件", "1998.3.1-1998.3.20", "永久"]],
            "卷内文件目录": [["顺序号", "档号", "题名", "日期", "页号"], ["1", "0012-1-35-1", "议程", "1998.3.10", "1-2"]],
            "说明": [["这一页没有表头"]],
        },
    )  # fmt: skip

    volume, inside = (row.record for row in read_catalogue(path, "c.xlsx").rows)

    assert (volume.record_id, volume.unit_level, volume.date_iso) == (
        "0012-1-35",
        "案卷",
        "1998-03-01",
    )
    assert (inside.unit_level, inside.first_page_label) == ("卷内文件", "1-2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_chinese_encodings(tmp_path, encoding):
    catalogue = _csv(tmp_path, "档号,题名,责任者\n0012-1-35-1,“关于道口的建议”,何广田\n", encoding)

    assert catalogue.rows[0].record.author == "何广田"
    assert catalogue.rows[0].record.title == "“关于道口的建议”"


def test_csv_with_pinyin_codes_and_other_delimiter(tmp_path):
    record = (
        _csv(tmp_path, "DH;TM;ZRZ;WH;CWRQ;BGQX;MJ\n0012-1-1-1;甲;乙;示人发[1998]3号;199803;永久;\n")
        .rows[0]
        .record
    )

    assert (record.reference_code, record.title, record.author) == ("0012-1-1-1", "甲", "乙")
    assert (record.doc_no, record.date_iso, record.retention) == (
        "示人发[1998]3号",
        "1998-03",
        "永久",
    )


def test_json_lines_with_english_keys(tmp_path):
    row = {
        "id": "shandong/a.md", "path": "shandong/a.md", "title": "养犬条例", "kind": "地方性法规",
        "organ": "常委会", "date": "2019-06-05", "level": "市级", "articles": 12, "meeting": "三次会议",
        "history": ["2018年12月27日 通过", "2019年5月31日 批准"], "opening": "开放",
    }  # fmt: skip
    (tmp_path / "index.jsonl").write_text(
        json.dumps(row, ensure_ascii=False) + "\n\n{坏\n", "utf-8"
    )

    catalogue = read_catalogue(tmp_path / "index.jsonl", "index.jsonl")

    record = catalogue.rows[0].record
    assert (record.record_id, record.reference_code) == ("shandong/a.md", "")
    assert (record.doc_type, record.author, record.date_iso) == (
        "地方性法规",
        "常委会",
        "2019-06-05",
    )
    assert dict(record.extra)["history"] == "2018年12月27日 通过；2019年5月31日 批准"
    assert dict(record.extra)["level"] == "市级"
    assert (record.meeting, record.unit_level, catalogue.rows[0].path) == (
        "三次会议",
        "件",
        "shandong/a.md",
    )
    assert [s.where for s in catalogue.skipped] == ["index.jsonl 第 3 行"]


@pytest.mark.parametrize(
    "mark", ["秘密", "机密★10年", "绝密", "★机密", "秘密级", "秘 密", "機  密"]
)
@pytest.mark.parametrize("heading", ["密级", "密级和保密期限"])
def test_state_secrets_leave_no_trace_but_the_place(tmp_path, mark, heading):
    catalogue = _csv(tmp_path, f"档号,题名,{heading}\n0012-1-1-1,不可外传的题名,{mark}\n")

    assert catalogue.rows == ()
    assert catalogue.withheld[0].keys == ("0012-1-1-1",)
    assert [s.where for s in catalogue.skipped] == ["目录.csv 第 2 行"]
    assert "不可外传" not in repr(catalogue.skipped + catalogue.warnings + catalogue.withheld)


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("密级", "工作秘密"),
        ("备注", "工作秘密，限本机关"),
        ("文种", "信访件"),
        ("限制利用", "是"),
        ("密级", "内部"),
    ],
)
def test_work_secrets_are_taken_in_restricted(tmp_path, columns, cells):
    catalogue = _csv(tmp_path, f"档号,题名,{columns}\n0012-1-1-1,甲,{cells}\n")

    assert catalogue.rows[0].record.restricted is True
    assert catalogue.warnings == ()


def test_ordinary_records_are_not_restricted(tmp_path):
    assert _csv(tmp_path, "档号,题名,密级\n0012-1-1-1,甲,公开\n").rows[0].record.restricted is False


def test_doubles_unread_dates_and_odd_secrecy_are_reported_by_row(tmp_path):
    catalogue = _csv(
        tmp_path,
        "档号,题名,日期,密级\n0012-1-1-1,甲,19980312,\n0012-1-1-1,乙,19980313,\n0012-1-1-2,,去年春天,待定\n",
    )

    assert [row.record.record_id for row in catalogue.rows] == ["0012-1-1-1", "0012-1-1-2"]
    assert [(s.where, "重复" in s.reason) for s in catalogue.skipped] == [
        ("目录.csv 第 3 行", True)
    ]
    reasons = " ".join(w.reason for w in catalogue.warnings)
    assert all(word in reasons for word in ("没有题名", "去年春天", "待定"))
    assert {w.where for w in catalogue.warnings} == {"目录.csv 第 4 行"}


def test_proposers_are_split_on_every_usual_mark(tmp_path):
    record = (
        _csv(tmp_path, '档号,题名,领衔代表\n0012-1-1-1,甲,"陈柏舟；乔若愚、付秋实 何广田"\n')
        .rows[0]
        .record
    )

    assert record.proposers == ("陈柏舟", "乔若愚", "付秋实", "何广田")


def test_a_row_without_code_is_named_by_its_parts(tmp_path):
    row = _csv(tmp_path, "全宗号,目录号,案卷号,件号,题名\n0012,1,35,8,甲\n").rows[0]

    assert (row.record.record_id, row.record.reference_code) == ("0012-1-35-8", "")
    assert row.keys == ("0012-1-35-8",)


def test_a_table_without_headings_says_what_is_missing(tmp_path):
    with pytest.raises(CatalogueError, match="题名"):
        _csv(tmp_path, "姓名,电话\n张三,110\n")


def test_a_damaged_workbook_is_named(tmp_path):
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04 not a workbook")

    with pytest.raises(CatalogueError, match=r"c\.xlsx"):
        read_catalogue(tmp_path / "c.xlsx", "c.xlsx")
