"""The mapping file: what it can say, and how its mistakes are told."""

from __future__ import annotations

import pytest

from ingest.catalogue import read_catalogue
from ingest.check import mapping_draft
from ingest.column_map import MAPPING_FILE, ColumnMaps, load_rules
from ingest.errors import CatalogueError
from tests.ingest_files import write_workbook


def _rules(folder, text, name="目录.csv"):
    (folder / MAPPING_FILE).write_text(text, encoding="utf-8")
    return ColumnMaps(folder).rules(name)


def _csv(folder, text, rules, name="目录.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read_catalogue(folder / name, name, rules)


def test_headings_of_ones_own_kind_row_and_fonds(tmp_path):
    rules = _rules(
        tmp_path,
        '[[catalogue]]\nfile = "*.csv"\nkind = "卷内文件目录"\nheader_row = 3\nfonds = "0012"\ncatalog = "1"\n'
        '[catalogue.columns]\n"材料" = "题名"\n"第几份" = "顺序号"\n"卷" = "案卷号"\n"日期" = "原样保存"\n',
    )

    catalogue = _csv(tmp_path, "说明\n题名,档号\n卷,第几份,材料,日期\n35,1,议程,去年\n", rules)

    (row,) = catalogue.rows
    assert (row.record.record_id, row.record.title) == ("0012-1-35-1", "议程")
    assert (row.record.unit_level, row.volume) == ("卷内文件", "0012-1-35")
    assert ("日期", "去年") in row.record.extra
    assert catalogue.sheets[0].source == MAPPING_FILE


def test_codes_of_a_fixed_width_get_their_zeros_back(tmp_path):
    rules = _rules(
        tmp_path,
        '[[catalogue]]\ncode_widths = [["全宗号", 4], ["年度", 4], ["目录号", 3], ["案卷号", 4], ["件号", 4]]\n',
    )

    catalogue = _csv(tmp_path, "档号,题名\n12199800100350008,甲\n", rules)

    assert catalogue.rows[0].record.reference_code == "0012199800100350008"
    assert any("对照表" in w.reason for w in catalogue.warnings)


def test_a_sheet_can_be_left_out(tmp_path):
    rules = _rules(tmp_path, '[[catalogue]]\nsheet = "借阅*"\nkind = "不是目录"\n', "c.xlsx")
    path = write_workbook(
        tmp_path / "c.xlsx",
        {"目录": [["档号", "题名"], ["0012-1-1-1", "甲"]], "借阅登记": [["档号", "题名"], ["0012-1-1-2", "乙"]]},
    )  # fmt: skip

    catalogue = read_catalogue(path, "c.xlsx", rules)

    assert [row.record.title for row in catalogue.rows] == ["甲"]
    assert "不是目录" in catalogue.sheets[1].notes[0]


def test_the_nearest_mapping_file_counts(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "in"
    for place, fonds in ((home, "1"), (folder, "2"), (folder / "子", "3")):
        place.mkdir()
        (place / MAPPING_FILE).write_text(f'[[catalogue]]\nfonds = "{fonds}"\n', encoding="utf-8")
    maps = ColumnMaps(folder, home)

    assert [maps.rules(n)[0].fonds for n in ("a.csv", "子/a.csv")] == ["2", "3"]
    (folder / MAPPING_FILE).unlink()
    assert ColumnMaps(folder, home).rules("a.csv")[0].fonds == "1"
    assert ColumnMaps(folder).rules("a.csv") == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[catalogue]]\nfile = *.csv\n', 2, "双引号"),
        ('[[catalogue]]\nsheets = "一"\n', 2, "不认识“sheets”"),
        ('[catalogue]\nfile = "a"\n', 1, "两层方括号"),
        ('[[catalogue]]\nkind = "目录"\n', 2, "归档文件目录"),
        ('[[catalogue]]\nfonds = 12\n', 2, "加双引号"),
        ('[[catalogue]]\nheader_row = "4"\n', 2, "行号"),
        ('[[catalogue]]\n[catalogue.columns]\n"盒" = "盒号"\n', 3, "原样保存"),
        ('[[catalogue]]\ncode_widths = [["全宗", 4]]\n', 2, "例如 code_widths"),
        ('[columns]\n"盒" = "题名"\n', 1, "catalogue"),
    ],
)  # fmt: skip
def test_mistakes_name_file_line_and_what_to_write(tmp_path, text, line, said):
    with pytest.raises(CatalogueError, match=said) as raised:
        _rules(tmp_path, text)

    assert f"{MAPPING_FILE} 第 {line} 行" in str(raised.value)


def test_a_heading_row_that_is_not_there_is_named(tmp_path):
    rules = _rules(tmp_path, "[[catalogue]]\nheader_row = 9\n")

    with pytest.raises(CatalogueError, match="header_row"):
        _csv(tmp_path, "档号,题名\n0012-1-1-1,甲\n", rules)


def test_the_draft_reads_back_to_the_same_records(tmp_path):
    path = write_workbook(
        tmp_path / "c[1].xlsx",
        {'目录"一': [["标题"], ["档号", "题名", "盒号", "日期", "", "x\ty"], ["", "", "", "起", "止", ""],
                  ["0012-1-1-1", "甲", "7", "1998.3.1", "1998.3.5", "z"]]},
    )  # fmt: skip
    first = read_catalogue(path, path.name)
    mapping = tmp_path / MAPPING_FILE
    mapping.write_text(mapping_draft([first]), encoding="utf-8")

    again = read_catalogue(path, path.name, load_rules(mapping, MAPPING_FILE))

    assert [row.record for row in again.rows] == [row.record for row in first.rows]
    assert again.sheets[0].source == MAPPING_FILE
    assert '"盒号" = "原样保存"' in mapping.read_text(encoding="utf-8")
