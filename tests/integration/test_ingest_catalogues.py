"""Catalogues and volumes through the whole write path, and the preview that writes nothing."""

from __future__ import annotations

import json
import shutil

import pytest

from index.access import opened
from index.domain import TextSource
from ingest.check import check
from ingest.check_text import check_text
from ingest.pipeline import ingest as run_ingest
from tests.ingest_files import (
    open_home,
    write_dbf,
    write_scan,
    write_text_pdf,
    write_workbook,
    write_xls,
)
from ui.cli import main

_TITLES = ["关于召开第一次会议的通知", "示例市政府工作报告全文", "关于道口改造问题的决议"]
_CONTENTS = [
    "卷内文件目录",
    "顺序号 文号 责任者 题名 日期 页号 备注",
    *(f"{n} 办公室 {title} 1998 {n}" for n, title in enumerate(_TITLES, 1)),
]
_PAGES = [
    [_TITLES[0], "各位代表，会议定于三月七日在示例市人民会堂召开，请准时出席会议。"],
    [_TITLES[1], "各位代表，现在我代表示例市人民政府向大会报告工作，请予审议。"],
    ["过去一年，全市完成造林一万二千亩，新修道路八十公里，新建学校十二所。"],
    [_TITLES[2], "会议决定在两年之内改造全市二十四处铁路道口，所需资金列入预算。"],
    [_TITLES[2] + "（续）", "决议由示例市人民政府组织实施，每年向常务委员会报告一次进展。"],
]
_REMARKS = ["备考表", "本卷情况说明 共五页", "立卷人 何广田 检查人 乔若愚"]
_HEAD = ["顺序号", "文号", "责任者", "题名", "日期", "页号", "备注", "档号", "开放标识"]


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


def _rows(secrecy="", opening="开放"):
    return [
        [n, "", "办公室", title, "1998.3.7", page, secrecy if n == 2 else "", f"0012-1-35-{n}", opening]
        for n, (title, page) in enumerate(zip(_TITLES, ("1", "2", "4-5"), strict=True), 1)
    ]  # fmt: skip


def _volume(folder, *, pages=(_CONTENTS, *_PAGES, _REMARKS), rows=None, head=None):
    write_text_pdf(folder / "案卷" / "0012-1-35.pdf", pages)
    write_workbook(
        folder / "目录.xlsx",
        {"案卷目录": [["案卷档号", "案卷题名", "页数", "开放标识"], ["0012-1-35", "会议文件", "5", "开放"]],
         "卷内文件目录": [["案卷号：35"], head or _HEAD, *(rows or _rows())]},
    )  # fmt: skip


def test_a_volume_in_one_pdf_is_cut_into_its_files(tmp_path, home):
    store, settings = home
    _volume(tmp_path / "in")

    report = run_ingest(tmp_path / "in", store, settings)

    got = {r.record_id: store.pages(r.record_id) for r in store.records()}
    assert [len(got[f"0012-1-35{n}"]) for n in ("", "-1", "-2", "-3")] == [2, 1, 2, 2]
    second = got["0012-1-35-2"]
    assert [(p.seq, p.file_page, p.volume_label) for p in second] == [(1, 3, "2"), (2, 4, "3")]
    assert second[0].raw.startswith(_TITLES[1])
    assert second[0].file_path == "案卷/0012-1-35.pdf"
    assert second[0].source is TextSource.LAYER
    assert "造林" in "".join(p.text for p in store.passages("0012-1-35-2"))
    # The list of titles is there to be looked at and can win no question.
    assert [p.file_page for p in got["0012-1-35"]] == [1, 7]
    assert store.passages("0012-1-35") == []
    assert report.warnings == []
    assert report.skipped == []
    assert store.check() == []


def test_a_volume_listed_in_json_lines_is_cut_too(tmp_path, home):
    store, settings = home
    write_text_pdf(tmp_path / "in" / "案卷" / "0012-1-35.pdf", (_CONTENTS, *_PAGES, _REMARKS))
    rows = [dict(zip(_HEAD, row, strict=True)) for row in _rows()]
    rows.insert(0, {"著录层级": "案卷", "档号": "0012-1-35", "题名": "会议文件", "页数": 5})
    (tmp_path / "in" / "目录.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8"
    )

    report = run_ingest(tmp_path / "in", store, settings)

    got = {r.record_id: [p.volume_label for p in store.pages(r.record_id)] for r in store.records()}
    assert got == {
        "0012-1-35": ["", ""], "0012-1-35-1": ["1"], "0012-1-35-2": ["2", "3"],
        "0012-1-35-3": ["4", "5"],
    }  # fmt: skip
    assert (report.skipped, report.warnings) == ([], [])


def test_a_cut_volume_is_not_read_again_and_a_changed_row_changes_its_file(
    tmp_path, home, monkeypatch
):
    store, settings = home
    _volume(tmp_path / "in")
    run_ingest(tmp_path / "in", store, settings)
    version = store.data_version

    again = run_ingest(tmp_path / "in", store, settings)

    assert (again.unchanged, again.records_updated, store.data_version) == (4, 0, version)
    monkeypatch.setattr("ingest.reading.Lane", lambda *_a, **_k: pytest.fail("read again"))
    rows = _rows()
    rows[2][2] = "主席团"
    _volume(tmp_path / "in", rows=rows)
    changed = run_ingest(tmp_path / "in", store, settings)
    assert store.record("0012-1-35-3").author == "主席团"
    assert (changed.records_updated, changed.records_removed) == (4, 0)
    _volume(tmp_path / "in", rows=_rows()[:2])
    fewer = run_ingest(tmp_path / "in", store, settings)
    assert fewer.records_removed == 1
    assert store.record("0012-1-35-3") is None
    assert any(w.where == "0012-1-35-3" and "已从库中移除" in w.reason for w in fewer.warnings)


def test_a_volume_that_does_not_fit_its_list_is_kept_whole_and_named(tmp_path, home):
    store, settings = home
    _volume(tmp_path / "in", pages=(_CONTENTS, *_PAGES[:1], *_PAGES[2:], _REMARKS))

    report = run_ingest(tmp_path / "in", store, settings)

    assert store.page_count("0012-1-35") == 6
    assert store.page_count("0012-1-35-2") == 0
    assert any("没有按页号拆分" in w.reason for w in report.warnings)
    assert all("卷内文件目录" not in p.text for p in store.passages("0012-1-35"))


@pytest.mark.parametrize(("opening", "open_"), [("控制", False), ("开放", True), ("", True)])
def test_a_volume_in_one_file_without_page_numbers_is_as_closed_as_its_files(
    tmp_path, home, opening, open_
):
    store, settings = home
    rows = [[*row[:5], "", *row[6:]] for row in _rows(opening=opening)]
    _volume(tmp_path / "in", rows=rows)

    run_ingest(tmp_path / "in", store, settings)

    assert store.page_count("0012-1-35") == 7
    assert opened(store.record("0012-1-35")) is open_


def test_the_scans_of_a_volume_with_a_secret_file_leave_no_trace(tmp_path, home):
    store, settings = home
    head = [*_HEAD[:6], "密级", *_HEAD[7:]]
    _volume(tmp_path / "in", rows=_rows("机密"), head=head)

    report = run_ingest(tmp_path / "in", store, settings)

    assert "案卷/0012-1-35.pdf" in {s.where for s in report.skipped}
    assert {r.record_id for r in store.records()} == {"0012-1-35", "0012-1-35-1", "0012-1-35-3"}
    kept = settings.database_path.read_bytes()
    assert "造林".encode() not in kept
    assert _TITLES[1].encode() not in kept


def test_the_other_files_of_a_volume_with_a_marked_one_are_kept_and_named(tmp_path, home):
    store, settings = home
    _volume(tmp_path / "in", rows=_rows("机密"))  # in 备注

    report = run_ingest(tmp_path / "in", store, settings)

    assert {r.record_id for r in store.records()} == {"0012-1-35", "0012-1-35-1", "0012-1-35-3"}
    assert all(store.page_count(r.record_id) == 0 for r in store.records())
    assert [s.where for s in report.skipped] == ["案卷/0012-1-35.pdf"]
    assert "卷内文件目录 第 4 行：" in report.skipped[0].reason
    assert any("其余 3 条只存目录" in w.reason for w in report.warnings)
    kept = settings.database_path.read_bytes()
    assert "造林".encode() not in kept
    assert _TITLES[1].encode() not in kept


def test_a_marked_volume_takes_its_rows_and_their_files_with_it(tmp_path, home):
    store, settings = home
    for head, mark in (("密级", "机密"), ("备注", "机密★10年")):
        folder = tmp_path / head
        write_workbook(
            folder / "目录.xlsx",
            {"案卷目录": [["案卷档号", "案卷题名", head], ["0012-1-35", "专卷", mark], ["0012-1-36", "平卷", ""]],
             "卷内文件目录": [["案卷档号", "顺序号", "题名"], ["0012-01-035", 1, "专件之一"],
                        ["0012-1-35", 2, "专件之二"], ["0012-1-36", 1, "平件"]]},
        )  # fmt: skip
        write_text_pdf(folder / "0012-1-35-1.pdf", [["专件的密文" * 8]])
        write_text_pdf(folder / "0012-1-35" / "002.pdf", [["专件的密文" * 9]])

        report = run_ingest(folder, store, settings)

        assert {r.record_id for r in store.records()} == {"0012-1-36", "0012-1-36-1"}
        assert len(report.skipped) == 5 if head == "密级" else 4
        assert "密文".encode() not in settings.database_path.read_bytes()


def test_a_volume_marked_secret_later_is_taken_out_whole(tmp_path, home):
    store, settings = home
    _volume(tmp_path / "in")
    run_ingest(tmp_path / "in", store, settings)
    head = [*_HEAD[:6], "密级", *_HEAD[7:]]
    _volume(tmp_path / "in", rows=_rows("机密"), head=head)

    run_ingest(tmp_path / "in", store, settings)

    assert all(store.page_count(r.record_id) == 0 for r in store.records())
    assert store.record("0012-1-35-2") is None
    assert store.file("案卷/0012-1-35.pdf") is None


def test_a_volume_of_page_images_without_a_row_of_its_own(tmp_path, home):
    store, settings = home
    folder = tmp_path / "in"
    for name in ("备考表", "封面", "0001", "0002"):
        write_scan(
            folder / "0012" / "1" / "35" / f"{name}.png", [[f"PAGE {name[-1:]}", "TEXT OF A PAGE"]]
        )
    write_xls(
        folder / "卷内.xls",
        {
            "卷内文件目录": [
                _HEAD,
                *[[*r[:5], p, *r[6:]] for r, p in zip(_rows(), ("1", "2"), strict=False)],
            ]
        },
    )

    report = run_ingest(folder, store, settings)

    assert [p.file_path for p in store.pages("0012/1/35")] == [
        "0012/1/35/封面.png",
        "0012/1/35/备考表.png",
    ]
    assert [p.file_path for p in store.pages("0012-1-35-2")] == ["0012/1/35/0002.png"]
    assert store.pages("0012-1-35-2")[0].volume_label == "2"
    assert [s.reason for s in report.skipped] == []


def test_a_dbf_is_taken_in_with_its_memo_file(tmp_path, home):
    store, settings = home
    write_dbf(
        tmp_path / "in" / "ML.dbf", "DH C(20); TM C(60); BZ M", [("0012-1-1-1", "甲", "原件在外借")]
    )

    report = run_ingest(tmp_path / "in", store, settings)

    assert store.record("0012-1-1-1").note == "原件在外借"
    assert report.skipped == []


def test_unknown_columns_stay_with_the_record(tmp_path, home):
    store, settings = home
    write_workbook(
        tmp_path / "in" / "目录.xlsx",
        {"一": [["档号", "题名", "盒 号!", "盒 号!"], ["0012-1-1-1", "甲", "7", "8"]]},
    )

    run_ingest(tmp_path / "in", store, settings)

    assert store.record("0012-1-1-1").extra == (("盒 号!", "7"), ("盒 号!", "8"))


# -- the preview ----------------------------------------------------------------------------------


def _mixed(folder):
    _volume(folder, head=[*_HEAD[:6], "柜号", *_HEAD[7:]])
    write_text_pdf(folder / "0012-1-36-1.pdf", [["第一页的正文文字"], ["第二页的正文文字"]])
    shutil.copy(folder / "0012-1-36-1.pdf", folder / "重复.pdf")
    (folder / "坏.pdf").write_bytes(b"%PDF-1.7 garbage")
    (folder / "来.xyz").write_bytes(b"x")
    (folder / "补.csv").write_text(
        "档号,题名,日期,密级,页数\n0012-1-36-1,甲,某日,待定,3\n0012-1-36-1,甲,,,\n"
        "0012-1-36-2,不可外传的题名,,机密,\n0012-1-36-3,没有文件,,,1\n",
        encoding="utf-8",
    )


def test_the_preview_names_everything_and_touches_nothing(tmp_path, capsys, monkeypatch):
    folder, home = tmp_path / "in", tmp_path / "home"
    _mixed(folder)
    before = sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))

    code = main(["ingest", "--check", "--home", str(home), str(folder)])

    out = capsys.readouterr().out
    assert code == 3
    assert sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*")) == before
    for said in (
        "卷内文件目录，表头在第 2 行", "案卷档号", "原样保存：柜号", "┊ 关于召开第一次会议的通知",
        "日期“某日”读不懂", "密级“待定”", "与补.csv 第 2 行重复", "补.csv 第 4 行：标有国家秘密密级",
        "0012-1-36-3 没有对应的文件", "目录记 3 页，文件有 2 页", "与 0012-1-36-1.pdf 内容完全相同",
        "坏.pdf", "来.xyz：不支持的格式", "重复.pdf：没有对应的目录条目", "按页号拆分的案卷 1 卷",
    ):  # fmt: skip
        assert said in out
    assert "不可外传" not in out


def test_the_preview_asks_the_gate_and_shows_no_marked_row(tmp_path, capsys):
    folder = tmp_path / "in"
    _volume(folder, rows=_rows("机密"))
    (folder / "秘密★来文.txt").write_text("平常的话", encoding="utf-8")

    assert main(["ingest", "--check", "--home", str(tmp_path / "home"), str(folder)]) == 3

    out = capsys.readouterr().out
    assert "可入库 3 件" in out
    assert "秘密★来文.txt：题名标有国家秘密标志" in out
    assert _TITLES[0] in out
    assert _TITLES[1] not in out


def test_a_clean_folder_ends_with_zero(tmp_path, capsys):
    folder = tmp_path / "in"
    write_text_pdf(folder / "0012-1-36-1.pdf", [["第一页的正文文字"]])
    (folder / "目录.csv").write_text("档号,题名,页数\n0012-1-36-1,甲,1\n", encoding="utf-8")

    assert main(["ingest", "--check", "--home", str(tmp_path / "home"), str(folder)]) == 0
    assert "没有发现问题" in capsys.readouterr().out


def test_the_preview_writes_a_workbook_and_a_mapping_file(tmp_path, capsys):
    from openpyxl import load_workbook

    folder = tmp_path / "in"
    _mixed(folder)
    report, mapping = tmp_path / "清单.xlsx", folder / "chadang-columns.toml"
    command = ["ingest", "--check", "--home", str(tmp_path / "home"), str(folder)]

    main([*command, "--report", str(report), "--write-mapping", str(mapping)])

    book = load_workbook(report)
    assert book.sheetnames == ["总数", "问题清单", "表头对照"]
    assert any(
        "科" in str(c.value) or "坏.pdf" in str(c.value) for row in book["问题清单"] for c in row
    )
    assert '"柜号" = "原样保存"' in mapping.read_text(encoding="utf-8")
    capsys.readouterr()
    main(command)
    assert "按 chadang-columns.toml" in capsys.readouterr().out
    assert main([*command, "--write-mapping", str(mapping)]) == 2


def test_the_preview_writes_a_page_to_print(tmp_path, capsys):
    folder = tmp_path / "in"
    write_workbook(folder / "c.xlsx", {"一": [["档号", "题名"], ["0012-1-1-1", "<b>甲</b>"]]})
    page = tmp_path / "预览.html"

    main(
        ["ingest", "--check", "--home", str(tmp_path / "home"), str(folder), "--report", str(page)]
    )

    html = page.read_text(encoding="utf-8")
    assert "只预览，未入库" in html
    assert "0012-1-1-1 没有对应的文件" in html
    assert "<b>" not in html
    assert str(page) in capsys.readouterr().out


def test_a_wrong_mapping_file_holds_its_catalogues_back(tmp_path, home):
    store, settings = home
    _volume(tmp_path / "in")
    (tmp_path / "in" / "chadang-columns.toml").write_text(
        '[[catalogue]]\nkind = "x"\n', encoding="utf-8"
    )

    report = run_ingest(tmp_path / "in", store, settings)

    assert store.records() == []
    assert "chadang-columns.toml 第 2 行" in report.skipped[0].reason


@pytest.mark.parametrize(
    "options",
    [
        ["--report", "a.xlsx"],
        ["--write-mapping", "-"],
        ["--check", "--force"],
        ["--check", "--report", "a.pdf"],
    ],
)
def test_options_that_do_not_fit_are_told(tmp_path, options, capsys):
    assert main(["ingest", str(tmp_path), "--home", str(tmp_path / "h"), *options]) == 2
    said = capsys.readouterr().err
    assert "--check" in said or ".xlsx" in said


def test_the_preview_shows_all_when_asked(tmp_path, home):
    _, settings = home
    rows = [[f"0012-1-1-{n}", f"题名{n}"] for n in range(1, 40)]
    write_workbook(tmp_path / "in" / "c.xlsx", {"一": [["档号", "题名"], *rows]})

    report = check(tmp_path / "in", settings)

    assert "其余 19 项" in check_text(report)
    assert "0012-1-1-39" in check_text(report, shown=None)
