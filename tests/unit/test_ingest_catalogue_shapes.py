"""Catalogues as offices really keep them: formats, headings, merged cells, lost zeros, page ranges."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import date

import pytest

from ingest.catalogue import read_catalogue
from ingest.cells import fill_merged
from ingest.errors import CatalogueError
from ingest.sheets import read_sheets
from tests.ingest_files import write_dbf, write_ods, write_workbook, write_xls


def _read(path, rules=()):
    return read_catalogue(path, path.name, rules)


def _records(path):
    return [row.record for row in _read(path).rows]


def _text(folder, text, name="目录.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


_HEAD = ["档号", "题名", "责任者", "日期"]
_ROWS = [
    ["0012-1-35-1", "关于道口的建议", "何广田", "1998.3"],
    ["0012-1-35-2", "答复", "〃", "19980300"],
]


def _check_two(records):
    assert [r.reference_code for r in records] == ["0012-1-35-1", "0012-1-35-2"]
    assert [r.author for r in records] == ["何广田", "何广田"]
    assert [r.date_iso for r in records] == ["1998-03", "1998-03"]


@pytest.mark.parametrize("name", ["c.xls", "c.et", "c.xlsx"])
def test_an_xls_is_read_under_any_name(tmp_path, name):
    _check_two(
        _records(write_xls(tmp_path / name, {"目录": [["某市归档文件目录"], [], _HEAD, *_ROWS]}))
    )


def test_an_ods_is_read(tmp_path):
    _check_two(_records(write_ods(tmp_path / "c.ods", {"目录": [_HEAD, *_ROWS]})))


@pytest.mark.parametrize("marked", [True, False])
def test_a_dbf_is_read_even_when_it_says_nothing_of_its_encoding(tmp_path, marked):
    path = write_dbf(
        tmp_path / "ML.DBF", "DH C(40); TM C(60); ZRZ C(20); CWRQ D; YS N(4,0)",
        [("0012-1-35-1", "关于道口的建议〔1998〕", "何广田", date(1998, 3, 12), 3)], marked=marked,
    )  # fmt: skip

    (record,) = _records(path)

    assert (record.title, record.author) == ("关于道口的建议〔1998〕", "何广田")
    assert (record.date_iso, record.page_count) == ("1998-03-12", 3)


def test_a_dbf_without_its_memo_file_is_named_with_what_to_do(tmp_path):
    (tmp_path / "坏.dbf").write_bytes(b"\x83" + b"\0" * 60 + b"garbage")

    with pytest.raises(CatalogueError, match=r"坏\.dbf.*备注文件"):
        _read(tmp_path / "坏.dbf")


def test_a_csv_that_is_really_a_workbook_is_read_as_one(tmp_path):
    path = write_workbook(tmp_path / "c.csv", {"目录": [_HEAD, *_ROWS]})

    _check_two(_records(path))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_xls_that_is_really_a_web_page_is_read_as_one(tmp_path, encoding):
    cells = "".join(f"<td>{c}</td>" for c in _ROWS[1][:2])
    path = _text(
        tmp_path,
        "<html><head><style>td {x}</style></head><table><tr><td colspan=4>归档文件目录</td></tr><tr>"
        + "".join(f"<th>{h}<br></th>" for h in _HEAD) + "</tr><tr>"
        + "".join(f'<td{" rowspan=2" if i > 1 else ""}>{c}</td>' for i, c in enumerate(_ROWS[0]))
        + f"</tr><tr>{cells}</tr></table></html>",
        "导出.xls", encoding,
    )  # fmt: skip

    _check_two(_records(path))


def test_an_xls_that_is_really_tabbed_text_is_read(tmp_path):
    _check_two(
        _records(
            _text(tmp_path, "\n".join("\t".join(r) for r in (_HEAD, *_ROWS)), "c.xls", "gb18030")
        )
    )


def test_commas_inside_titles_do_not_hide_the_delimiter(tmp_path):
    text = (
        "档号;题名;责任者\n0012-1-1-1;一,二,三,四;甲\n0012-1-1-2;五,六;乙\n0012-1-1-3;七,八,九;丙\n"
    )

    assert [r.title for r in _records(_text(tmp_path, text))] == [
        "一,二,三,四",
        "五,六",
        "七,八,九",
    ]


def test_an_xml_file_named_xls_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="另存为 xlsx"):
        _read(_text(tmp_path, '<?xml version="1.0"?><Workbook/>', "c.xls"))


def test_ten_title_rows_and_a_heading_in_two_merged_rows(tmp_path):
    rows = [[f"某市人大常委会第{n}行说明"] for n in range(10)]
    rows += [
        ["序号", "归档文件", "", "", "起止日期", "", "页数"],
        ["", "档号", "题名", "责任者", "起", "止", ""],
        ["1", "0012-1-35-1", "关于道口的建议", "何广田", "1998.3.1", "1998.3.5", "3"],
        ["2", "0012-1-35-2", "答复", "", "1998.4.1", "1998.4.2", "2"],
    ]
    path = write_workbook(
        tmp_path / "c.xlsx", {"目录": rows},
        merged=["A1:G1", "A11:A12", "B11:D11", "E11:F11", "G11:G12", "D13:D14"],
    )  # fmt: skip

    catalogue = _read(path)

    first, second = (row.record for row in catalogue.rows)
    assert (first.date, first.date_iso) == ("1998.3.1-1998.3.5", "1998-03-01")
    assert (first.page_count, second.page_count) == (3, 2)
    assert second.author == "何广田"
    sheet = catalogue.sheets[0]
    assert sheet.header_rows == (11, 12)
    assert ("起止日期/起", "date") in sheet.columns
    assert ("页数", "pages") in sheet.columns


def test_a_heading_in_two_rows_without_merging(tmp_path):
    text = "档号,题名,日期,,,备注\n,,年,月,日,\n0012-1-1-1,甲,1998,3,12,\n0012-1-1-2,乙,1998,4,,\n"

    records = _records(_text(tmp_path, text))

    assert [r.date_iso for r in records] == ["1998-03-12", "1998-04"]


def test_year_month_and_day_in_columns_of_their_own(tmp_path):
    records = _records(_text(tmp_path, "档号,题名,年,月,日\n0012-1-1-1,甲,1998,3,12\n"))

    assert records[0].date_iso == "1998-03-12"


def test_zeros_come_back_from_the_code_and_from_the_other_rows(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx",
        {
            "一": [["全宗号", "案卷号", "档号", "题名"], [12, 35, "0012-1-035-1", "甲"]],
            "二": [["全宗号", "目录号", "案卷号", "件号", "题名"],
                   ["0012", "01", "0035", "001", "乙"], [12, 1, 36, 2, "丙"]],
        },
    )  # fmt: skip

    catalogue = _read(path)

    one, two, three = (row.record for row in catalogue.rows)
    assert dict(one.extra)["全宗号"] == "0012"
    assert dict(one.extra)["案卷号"] == "035"
    assert dict(one.extra)["全宗号（表中原样）"] == "12"
    assert (two.record_id, three.record_id) == ("0012-01-0035-001", "0012-01-0036-002")
    assert three.reference_code == ""
    said = " ".join(w.reason for w in catalogue.warnings)
    assert "前导零" in said
    assert "不当作档号引用" in said


def test_zeros_are_not_invented_where_nothing_proves_them(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx", {"一": [["全宗号", "件号", "档号", "题名"], [12, 3, "J001-3", "甲"]]}
    )

    assert dict(_records(path)[0].extra)["全宗号"] == "12"


def test_a_part_that_disagrees_with_the_code_stays_as_it_is(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx", {"一": [["案卷号", "档号", "题名"], [35, "0012-1-099-1", "甲"]]}
    )

    assert dict(_records(path)[0].extra)["案卷号"] == "35"


def test_a_cell_inside_a_merged_range_keeps_text_of_its_own():
    rows = iter([(1, ["甲", "", ""]), (2, ["", "乙", ""]), (3, ["", "丙", ""])])

    filled = dict(fill_merged([(1, 1, 2, 2)], rows))

    assert filled == {1: ["甲", "甲", ""], 2: ["甲", "乙", ""], 3: ["", "丙", ""]}


def test_a_code_ruined_into_a_number_is_not_taken_as_a_code(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx",
        {"一": [["档号", "题名"], [12199800100350008.0, "甲"], ["0012199800100350009", "乙"]]},
    )

    catalogue = _read(path)

    assert [row.record.title for row in catalogue.rows] == ["乙"]
    assert "科学计数法" in catalogue.skipped[0].reason
    assert catalogue.skipped[0].next_step


def test_a_month_that_may_have_lost_its_zero_is_mentioned(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx",
        {
            "一": [
                ["档号", "题名", "日期"],
                ["0012-1-1-1", "甲", 1998.1],
                ["0012-1-1-2", "乙", 1998.9],
            ]
        },
    )

    assert any("10 月" in w.reason for w in _read(path).warnings)


def test_a_date_shown_without_its_day_stays_without(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["档号", "题名", "日期"])
    sheet.append(["0012-1-1-1", "甲", date(1998, 3, 1)])
    sheet["C2"].number_format = 'yyyy"年"m"月"'
    sheet.append(["0012-1-1-2", "乙", 35866])
    book.save(tmp_path / "c.xlsx")

    assert [r.date_iso for r in _records(tmp_path / "c.xlsx")] == ["1998-03", "1998-03-12"]


def test_formulas_give_the_value_the_workbook_remembers(tmp_path):
    path = write_workbook(tmp_path / "c.xlsx", {"一": [["档号", "题名"], ["0012-1-1-1", "甲"]]})
    edited = tmp_path / "d.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(edited, "w") as new:
        for item in old.infolist():
            body = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                cell = b'<c r="B2" t="str"><f>"a"&amp;"b"</f><v>\xe7\xae\x97\xe5\x87\xba\xe6\x9d\xa5</v></c>'
                start = body.index(b'<c r="B2"')
                body = body[:start] + cell + body[body.index(b"</c>", start) + 4 :]
            new.writestr(item, body)

    assert _records(edited)[0].title == "算出来"


def test_formula_text_is_kept_as_text(tmp_path):
    title = '=HYPERLINK("http://x","点我")'

    record = _records(
        _text(tmp_path, f'档号,题名\n0012-1-1-1,"{title.replace(chr(34), chr(34) * 2)}"\n')
    )[0]

    assert record.title == title


def test_hidden_and_empty_sheets_are_told(tmp_path):
    path = write_workbook(
        tmp_path / "c.xlsx", {"目录": [_HEAD, *_ROWS], "空": [], "藏": [_HEAD, ["0012-1-36-1", "丙"]]},
        hidden=["藏"],
    )  # fmt: skip

    catalogue = _read(path)

    assert [row.record.title for row in catalogue.rows] == ["关于道口的建议", "答复", "丙"]
    notes = {sheet.name: sheet.notes for sheet in catalogue.sheets}
    assert "隐藏" in notes["藏"][0]
    assert notes["空"] == ("空的工作表",)


def test_two_hundred_columns_are_kept_raw(tmp_path):
    heads = ["档号", "题名", *(f"自定义{n}" for n in range(200))]
    path = write_workbook(
        tmp_path / "c.xlsx", {"一": [heads, ["0012-1-1-1", "甲", *map(str, range(200))]]}
    )

    assert dict(_records(path)[0].extra)["自定义199"] == "199"


def test_five_thousand_rows_take_seconds(tmp_path):
    heads = ["序号", "档号", "文号", "责任者", "题名", "日期", "密级", "页数", "备注"]
    rows = [
        [
            n,
            f"J001-WS·2018-Y-BGS-{n:04d}",
            f"示人发〔2018〕{n}号",
            "办公室",
            f"第{n}份文件",
            "20180118",
            "",
            3,
            "",
        ]
        for n in range(1, 5001)
    ]
    path = write_workbook(tmp_path / "c.xlsx", {"目录": [heads, *rows]})

    begun = os.times()
    catalogue = _read(path)
    ended = os.times()

    assert len(catalogue.rows) == 5000
    # Computing time, the child's with it: up to 5 s on a slow machine with others at work. It is
    # to notice reading that grows with the square of the rows, not to measure.
    assert sum(ended[:4]) - sum(begun[:4]) < 30


def test_totals_and_remarks_are_told_and_not_taken(tmp_path):
    text = "档号,题名,页数\n0012-1-1-1,甲,3\n,合计,3\n,,共1件\n填表人：某某,,\n"

    catalogue = _read(_text(tmp_path, text))

    assert [row.record.title for row in catalogue.rows] == ["甲"]
    assert catalogue.sheets[0].row_count == 1
    assert "第 3、4、5 行" in catalogue.sheets[0].notes[0]


def test_a_total_among_the_running_numbers_is_no_entry(tmp_path):
    text = "案卷档号,顺序号,题名,页号\n0012-1-36,1,甲,1\n,合计,2件,\n,备考表,本卷共4页,\n"

    catalogue = _read(_text(tmp_path, text))

    assert [row.record.title for row in catalogue.rows] == ["甲"]
    assert "第 3、4 行" in " ".join(catalogue.sheets[0].notes)


def test_a_title_over_two_rows_is_one_title(tmp_path):
    text = (
        "档号,题名,责任者\n0012-1-1-1,关于加强全市,市人大\n,代表工作,\n,的意见,\n0012-1-1-2,〃,〃\n"
        ",二、建议类,\n0012-1-1-3,丙,\n"
    )

    catalogue = _read(_text(tmp_path, text))

    whole = "关于加强全市代表工作的意见"
    assert [row.record.title for row in catalogue.rows] == [whole, whole, "二、建议类", "丙"]
    assert catalogue.rows[1].record.author == "市人大"
    assert "第 3、4 行只有题名，已接在上一行" in catalogue.sheets[0].notes[0]
    assert catalogue.sheets[0].first_rows[0][1] == whole


def test_titles_of_a_table_without_numbers_stay_apart(tmp_path):
    catalogue = _read(_text(tmp_path, "题名,责任者\n甲的报告,某局\n乙的报告,\n"))

    assert [row.record.title for row in catalogue.rows] == ["甲的报告", "乙的报告"]


def test_a_row_with_content_but_no_title_is_named(tmp_path):
    catalogue = _read(_text(tmp_path, "档号,题名,责任者,日期\n,,甲,1998\n0012-1-1-1,乙,,\n"))

    assert [s.where for s in catalogue.skipped] == ["目录.csv 第 2 行"]


def test_a_table_that_is_no_catalogue_can_be_read_as_it_stands(tmp_path):
    rows = [["预算收入表", "", ""], ["项目", "预算数", "决算数"], ["教育", 0.1 + 0.2, 1998.5]]
    path = write_workbook(tmp_path / "c.xlsx", {"表": rows}, merged=["A1:C1"])

    (sheet,) = read_sheets(path, filled=False)

    assert [cells for _, cells in sheet.rows] == [
        ["预算收入表"], ["项目", "预算数", "决算数"], ["教育", "0.3", "1998.5"],
    ]  # fmt: skip


def test_remarks_in_brackets_do_not_hide_a_heading(tmp_path):
    text = "档 号（必填）,文件标题（内容）,页（件）数,机构(问题),doc_no\n0012-1-1-1,甲,3,办公室,示人发〔1998〕1号\n"

    (record,) = _records(_text(tmp_path, text))

    assert (record.title, record.page_count, record.department) == ("甲", 3, "办公室")
    assert record.doc_no == "示人发〔1998〕1号"


def test_the_running_number_of_a_volumes_list_counts_as_its_order(tmp_path):
    text = "卷内文件目录,,\n档号：0012-1-35 案卷题名：会议文件,,\n序号,题名,页码\n1,议程,1\n2,报告,3-9\n"

    assert _spans(_text(tmp_path, text)) == [
        ("0012-1-35-1", "0012-1-35", (1, 2)),
        ("0012-1-35-2", "0012-1-35", (3, 9)),
    ]


# -- volumes --------------------------------------------------------------------------------------


def _spans(path):
    return [(row.record.record_id, row.volume, row.span) for row in _read(path).rows]


def test_page_ranges_run_to_the_next_row(tmp_path):
    text = (
        "卷内文件目录\n顺序号,文号,责任者,题名,日期,页号,备注,档号\n"
        "1,,甲,议程,1998.3.7,1,,0012-1-35-1\n2,,甲,报告,1998.3.8,3,,0012-1-35-2\n"
        "3,,乙,决议,1998.3.9,55-61,,0012-1-35-3\n"
    )

    assert _spans(_text(tmp_path, text)) == [
        ("0012-1-35-1", "0012-1-35", (1, 2)),
        ("0012-1-35-2", "0012-1-35", (3, 54)),
        ("0012-1-35-3", "0012-1-35", (55, 61)),
    ]


def _lines(tmp_path, *items, name="目录.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), "utf-8")
    return path


def test_json_lines_get_page_ranges_like_a_table(tmp_path):
    path = _lines(
        tmp_path,
        {"顺序号": 1, "题名": "议程", "页号": 1, "档号": "0012-1-35-1"},
        {"顺序号": 2, "题名": "报告", "页号": 3, "档号": "0012-1-35-2"},
        {"顺序号": 3, "题名": "决议", "页号": "55-61", "档号": "0012-1-35-3"},
    )

    assert _spans(path) == [
        ("0012-1-35-1", "0012-1-35", (1, 2)),
        ("0012-1-35-2", "0012-1-35", (3, 54)),
        ("0012-1-35-3", "0012-1-35", (55, 61)),
    ]
    assert [row.record.unit_level for row in _read(path).rows] == ["卷内文件"] * 3
    assert [sheet.kind for sheet in _read(path).sheets] == ["卷内文件目录"]


@pytest.mark.parametrize("depth", [1100, 100_000])
@pytest.mark.parametrize("nest", ["[{}]", '{{"a":{}}}'])
def test_a_line_nested_too_deep_is_named_and_the_others_are_read(tmp_path, depth, nest):
    opening, closing = nest.format(" ").split(" ")
    deep = f'{{"档号":"0012-1-1-1","题名":{opening * depth}1{closing * depth}}}'
    path = tmp_path / "目录.jsonl"
    path.write_text(f'{deep}\n{{"档号":"0012-1-1-2","题名":"乙"}}\n', encoding="utf-8")

    catalogue = _read(path)

    assert [row.record.title for row in catalogue.rows] == ["乙"]
    assert [(s.where, "嵌套" in s.reason) for s in catalogue.skipped] == [
        ("目录.jsonl 第 1 行", True)
    ]


def test_half_a_character_is_replaced_and_told(tmp_path):
    path = tmp_path / "目录.jsonl"
    path.write_text('{"档号":"0012-1-1-1","题名":"坏\\ud800字"}\n', encoding="utf-8")

    catalogue = _read(path)

    assert catalogue.rows[0].record.title == "坏\ufffd字"
    assert [w.where for w in catalogue.warnings] == ["目录.jsonl 第 1 行"]


def test_json_lines_may_mix_the_levels_and_keep_their_order(tmp_path):
    path = _lines(
        tmp_path,
        {"著录层级": "案卷", "题名": "会议文件", "案卷档号": "0012-1-35", "页数": 9},
        {"著录层级": "卷内文件", "题名": "议程", "案卷档号": "0012-1-35", "顺序号": 1, "页号": "1"},
        {"著录层级": "件", "题名": "来信", "档号": "0012-WS·2008-D30-BGS-0003"},
        {
            "著录层级": "卷内文件",
            "题名": "报告",
            "案卷档号": "0012-1-35",
            "顺序号": 2,
            "页号": "3-9",
        },
    )

    catalogue = _read(path)

    assert _spans(path) == [
        ("0012-1-35", "0012-1-35", None),
        ("0012-1-35-1", "0012-1-35", (1, 2)),
        ("0012-WS·2008-D30-BGS-0003", "", None),
        ("0012-1-35-2", "0012-1-35", (3, 9)),
    ]
    assert [row.record.unit_level for row in catalogue.rows] == [
        "案卷",
        "卷内文件",
        "件",
        "卷内文件",
    ]
    assert catalogue.sheets[0].kind == "归档文件目录、案卷目录、卷内文件目录"


def test_json_lines_that_go_backwards_are_named(tmp_path):
    path = _lines(
        tmp_path,
        {"顺序号": 1, "题名": "甲", "页号": "9", "档号": "0012-1-35-1"},
        {"顺序号": 2, "题名": "乙", "页号": "4", "档号": "0012-1-35-2"},
    )

    catalogue = _read(path)

    assert [row.span for row in catalogue.rows] == [None, None]
    assert any("接不上" in w.reason and "第 2 行" in w.where for w in catalogue.warnings)


def test_page_numbers_that_go_backwards_stop_the_cutting_and_are_named(tmp_path):
    text = "顺序号,题名,页号,档号\n1,甲,1,0012-1-35-1\n2,乙,9,0012-1-35-2\n3,丙,4,0012-1-35-3\n"

    catalogue = _read(_text(tmp_path, text))

    assert [row.span for row in catalogue.rows] == [None, None, None]
    assert any("接不上" in w.reason and "第 4 行" in w.where for w in catalogue.warnings)


def test_a_sheet_per_volume_named_by_its_number(tmp_path):
    rows = [["顺序号", "题名", "页号"], ["1", "议程", "1"], ["2", "报告", "3-9"]]
    path = write_workbook(
        tmp_path / "卷内目录.xlsx",
        {"卷内文件目录35": [["全宗号：0012   目录号：1   案卷号：35"], *rows],
         "卷内文件目录36": [["全宗号", "0012", "目录号", "1", "案卷号", "36"], *rows]},
    )  # fmt: skip

    assert [(i, v) for i, v, _ in _spans(path)] == [
        ("0012-1-35-1", "0012-1-35"),
        ("0012-1-35-2", "0012-1-35"),
        ("0012-1-36-1", "0012-1-36"),
        ("0012-1-36-2", "0012-1-36"),
    ]


def test_several_volumes_one_below_the_other_in_one_sheet(tmp_path):
    text = (
        "卷内文件目录,,\n全宗号:0012,目录号:1,案卷号:35\n顺序号,题名,页号\n1,议程,1\n2,报告,3-9\n"
        "案卷号:36,,\n页号,顺序号,题名\n1,1,日程\n"
    )

    assert [i for i, _, _ in _spans(_text(tmp_path, text))] == [
        "0012-1-35-1",
        "0012-1-35-2",
        "0012-1-36-1",
    ]


def test_a_code_column_that_repeats_the_volume_is_read_as_such(tmp_path):
    text = "档号,顺序号,题名,页号\n0012-1-35,1,议程,1\n0012-1-35,2,报告,3-9\n0012-1-36,1,日程,1-2\n"

    catalogue = _read(_text(tmp_path, text))

    assert [row.record.record_id for row in catalogue.rows] == [
        "0012-1-35-1",
        "0012-1-35-2",
        "0012-1-36-1",
    ]
    assert [row.record.reference_code for row in catalogue.rows] == ["", "", ""]
    assert dict(catalogue.rows[0].record.extra)["案卷档号"] == "0012-1-35"


def test_rows_of_the_item_form_without_codes_have_steady_names(tmp_path):
    text = "件号,责任者,题名,日期,页数,年度,保管期限\n1,甲,乙,19980312,3,1998,永久\n"
    shifted = "件号,责任者,题名,日期,页数,年度,保管期限\n2,甲,丙,19980312,3,1998,永久\n1,甲,乙,19980312,3,1998,永久\n"

    (before,) = _records(_text(tmp_path, text))

    assert before.record_id in {r.record_id for r in _records(_text(tmp_path, shifted))}


# -- hostile --------------------------------------------------------------------------------------


def test_a_workbook_bomb_is_refused(tmp_path):
    path = tmp_path / "c.xlsx"
    write_workbook(path, {"一": [_HEAD]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 60_000_000)

    with pytest.raises(CatalogueError, match="超出上限"):
        _read(path)


def test_a_cell_in_the_last_corner_costs_its_reader_only(tmp_path):
    body = (
        b'<table:table-row table:number-rows-repeated="900000"><table:table-cell '
        b'table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p>'
        b"</table:table-cell></table:table-row>"
    )
    path = write_ods(tmp_path / "c.ods", {"一": [_HEAD]}, extra=body)

    with pytest.raises(CatalogueError, match=r"c\.ods"):
        read_sheets(path, seconds=20)


@pytest.mark.parametrize("name", ["c.xls", "c.xlsx", "c.ods", "c.dbf", "c.et", "c.csv"])
@pytest.mark.parametrize(
    "body", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, b"\0\xff" * 999]
)
def test_broken_tables_are_named(tmp_path, name, body):
    (tmp_path / name).write_bytes(body)

    with pytest.raises(CatalogueError, match=name):
        _read(tmp_path / name)
