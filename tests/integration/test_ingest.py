"""The whole write path into a real store: text, PDF, scans, catalogues, interruption, change."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import ingest.folder
import ingest.pipeline
from index.access import is_restricted, opened
from index.domain import TextSource
from index.rendering import LockedDocumentError, RenderError, page_count, page_jpeg, render_page
from ingest.errors import IngestError, PasswordError
from ingest.pdf import PdfFile
from ingest.pipeline import ingest as run_ingest
from ingest.workers import Lane, Task
from tests.ingest_files import (
    open_home,
    write_scan,
    write_self_drawing_pdf,
    write_text_pdf,
    write_workbook,
)
from ui.cli import main

_LAW = "第一条 为了规范养犬行为，保障公民人身安全，维护环境卫生和社会公共秩序，制定本条例。"
_PAGE = [
    "关于加强电动自行车充电安全管理的建议",
    "近年来电动自行车数量快速增长，充电引发的火灾时有发生，",
    "主要原因是老旧小区缺少集中充电的地方，建议加快建设。",
]
_SCAN = ["ARCHIVE RECORD 2018", "TOTAL BUDGET 158240", "PAGE NUMBER 7731"]


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


def _catalogue(folder, rows, name="目录.xlsx", extra=()):
    head = ["档号", "题名", "日期", "页数", "密级", *extra]
    return write_workbook(folder / name, {"归档文件目录": [head, *rows]})


def _skipped(report):
    return {entry.where: entry.reason for entry in report.skipped}


def test_text_files_become_records_with_pages_and_passages(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    (source / "条例(2019-06-05).md").write_text(f"# 条例\n\n{_LAW}\n", encoding="utf-8")
    (source / "旧文.txt").write_bytes(_LAW.encode("gb18030"))
    (source / ".隐藏.txt").write_text("隐藏", encoding="utf-8")
    (source / "~$目录.xlsx").write_bytes(b"lock")
    (source / "来文.wps").write_bytes(b"x")

    report = run_ingest(source, store, settings)

    records = {record.record_id: record for record in store.records()}
    assert sorted(records) == ["旧文.txt", "条例(2019-06-05).md"]
    assert records["旧文.txt"].opening == ""
    assert records["条例(2019-06-05).md"].date_iso == "2019-06-05"
    assert store.pages("旧文.txt")[0].raw == _LAW
    assert store.passages("旧文.txt")[0].text == _LAW
    assert (report.records_added, report.pages_file, report.passages) == (2, 2, 2)
    assert "从原件重新复制" in report.skipped[0].next_step
    assert [s.where for s in report.skipped] == ["来文.wps"]
    assert all("未编目" in w.reason for w in report.warnings)
    assert list((settings.home / "reports").glob("ingest-*.html"))
    assert store.last_run()["records_added"] == 2
    assert store.check() == []


def test_a_second_run_changes_nothing_and_reads_nothing(tmp_path, home, monkeypatch):
    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "a.pdf", [_PAGE])
    (source / "b.txt").write_text(_LAW, encoding="utf-8")
    run_ingest(source, store, settings)
    version = store.data_version
    monkeypatch.setattr(ingest.pipeline, "content_hash", lambda path: pytest.fail(f"read {path}"))

    report = run_ingest(source, store, settings)

    assert (report.unchanged, report.records_added, report.records_updated) == (2, 0, 0)
    assert store.data_version == version


def test_a_touched_file_with_the_same_content_is_unchanged(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    (source / "b.txt").write_text(_LAW, encoding="utf-8")
    run_ingest(source, store, settings)
    os.utime(source / "b.txt", (1, 1))

    assert run_ingest(source, store, settings).unchanged == 1
    assert run_ingest(source, store, settings, force=True).records_updated == 1


def test_changed_files_replace_and_vanished_ones_leave(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a", "b"):
        (source / f"{name}.txt").write_text(_LAW, encoding="utf-8")
    run_ingest(source, store, settings)
    (source / "a.txt").write_text("第二条 养犬人应当依法登记。", encoding="utf-8")
    (source / "b.txt").unlink()

    report = run_ingest(source, store, settings)

    assert (report.records_updated, report.records_removed) == (1, 1)
    assert [p.text for p in store.passages("a.txt")] == ["第二条 养犬人应当依法登记。"]
    assert store.record("b.txt") is None
    assert store.file("b.txt") is None


def test_a_folder_that_is_not_mounted_removes_nothing_unless_told_to(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    for n in range(6):
        (source / f"{n}.txt").write_text(_LAW + str(n), encoding="utf-8")
    run_ingest(source, store, settings)
    for n in range(5):
        (source / f"{n}.txt").rename(tmp_path / f"{n}.txt")

    most = run_ingest(source, store, settings)
    (source / "5.txt").rename(tmp_path / "5.txt")
    whole = run_ingest(source, store, settings)

    assert (len(store.records()), most.records_removed, whole.records_removed) == (6, 0, 0)
    assert any("原有 6 件，其中 5 件" in w.reason for w in most.warnings)
    assert any("--confirm-removal" in w.next_step for w in whole.warnings)
    (tmp_path / "0.txt").rename(source / "0.txt")
    back = run_ingest(source, store, settings, confirm_removal=True)
    assert (back.unchanged, back.records_removed) == (1, 5)


def test_an_empty_folder_does_not_end_as_if_all_were_well(tmp_path, capsys):
    (tmp_path / "空").mkdir()
    (tmp_path / "压缩").mkdir()
    (tmp_path / "压缩" / "a.zip").write_bytes(b"PK\x05\x06" + bytes(18))

    for name in ("空", "压缩"):
        command = ["ingest", "--no-index", "--home", str(tmp_path / "home"), str(tmp_path / name)]
        assert main(command) == 3
        assert "没有找到可以入库的文件" in capsys.readouterr().out


def test_what_is_out_for_good_and_what_waits_are_counted_apart(tmp_path, capsys):
    source = tmp_path / "in"
    source.mkdir()
    (source / "甲.txt").write_text("机密★10年\n某事", encoding="utf-8")
    (source / "乙.txt").write_text("机密\n某事", encoding="utf-8")
    (source / "丙.txt").write_text("平常的函", encoding="utf-8")

    assert main(["ingest", "--no-index", "--home", str(tmp_path / "home"), str(source)]) == 0

    out = capsys.readouterr().out
    assert "有 1 件标有国家秘密标志，不予入库" in out
    assert "有 1 件等待审核" in out


def test_rows_whose_scans_are_not_mounted_keep_what_was_read(tmp_path, home):
    store, settings = home
    rows = [[f"0060-1-1-{n}", f"第{n}件", "", "", ""] for n in range(1, 7)]
    _catalogue(tmp_path / "in", rows)
    scans = tmp_path / "in" / "扫描"
    for row in rows:
        write_text_pdf(scans / f"{row[0]}.pdf", [_PAGE])
    run_ingest(tmp_path / "in", store, settings)
    scans.rename(tmp_path / "拔掉的盘")

    report = run_ingest(tmp_path / "in", store, settings)

    assert [store.page_count(row[0]) for row in rows] == [1] * 6
    assert any("--confirm-removal" in w.next_step for w in report.warnings)
    run_ingest(tmp_path / "in", store, settings, confirm_removal=True)
    assert [store.page_count(row[0]) for row in rows] == [0] * 6


def test_a_row_that_went_without_its_file_is_told_as_such(tmp_path, home):
    store, settings = home
    _catalogue(
        tmp_path / "in", [["0060-1-1-1", "甲", "", "", ""], ["0060-1-1-2", "乙", "", "", ""]]
    )
    write_text_pdf(tmp_path / "in" / "0060-1-1-2.pdf", [_PAGE])
    run_ingest(tmp_path / "in", store, settings)
    _catalogue(tmp_path / "in", [["0060-1-1-1", "甲", "", "", ""]])

    report = run_ingest(tmp_path / "in", store, settings)

    assert {r.record_id for r in store.records()} == {"0060-1-1-1", "0060-1-1-2.pdf"}
    assert "文件还在" in next(w.reason for w in report.warnings if w.where == "0060-1-1-2")


def test_rows_are_linked_and_rows_without_file_are_kept(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "2018" / "J001-WS.2018-Y-BGS-0007.pdf", [_PAGE, _PAGE])
    _catalogue(
        source,
        [
            ["J001-WS·2018-Y-BGS-0007", "关于充电的建议", "20180118", "3", ""],
            ["J001-WS·2018-Y-BGS-0008", "没有扫描件", "20180119", "1", ""],
        ],
    )

    report = run_ingest(source, store, settings)

    record = store.record("J001-WS·2018-Y-BGS-0007")
    assert record.file_path == "2018/J001-WS.2018-Y-BGS-0007.pdf"
    assert record.file_sha256
    assert [page.source for page in store.pages(record.record_id)] == [TextSource.LAYER] * 2
    assert store.record("J001-WS·2018-Y-BGS-0008").file_path == ""
    assert report.catalogue_rows == 2
    reasons = [w.reason for w in report.warnings]
    assert any("只存目录" in reason for reason in reasons)
    assert "目录记 3 页，文件有 2 页" in reasons


def test_a_file_of_several_rows_is_nobodys_and_as_closed_as_the_strictest(tmp_path, home):
    store, settings = home
    write_text_pdf(tmp_path / "in" / "合订.pdf", [["开放的一件"] * 5, ["控制的一件"] * 5])
    rows = [["0060-1", "开放件", "", "", "", "开放", "合订.pdf"]]
    rows += [["0060-2", "关于某人信访事项的函", "", "", "", "控制", "合订.pdf"]]
    _catalogue(tmp_path / "in", rows, extra=["开放标识", "文件路径"])

    report = run_ingest(tmp_path / "in", store, settings)

    assert {r.record_id: store.page_count(r.record_id) for r in store.records()} == {
        "0060-1": 0, "0060-2": 0, "合订.pdf": 2,
    }  # fmt: skip
    shared = store.record("合订.pdf")
    assert (opened(shared), is_restricted(shared)) == (False, True)
    assert any("0060-1、0060-2同指" in w.reason for w in report.warnings)


@pytest.mark.parametrize("files", [("一.xlsx", "一.xlsx"), ("一.xlsx", "二.xlsx")])
@pytest.mark.parametrize(
    ("openings", "open_"), [(("开放", "控制"), False), (("开放", "开放"), True)]
)
def test_of_two_rows_with_one_code_the_stricter_counts(tmp_path, home, files, openings, open_):
    store, settings = home
    rows = [["0060-1-1-1", "甲", "", "", "", opening] for opening in openings]
    for name in set(files):
        mine = [row for row, file in zip(rows, files, strict=True) if file == name]
        _catalogue(tmp_path / "in", mine, name, extra=["开放标识"])

    report = run_ingest(tmp_path / "in", store, settings)

    assert opened(store.record("0060-1-1-1")) is open_
    assert ["按未开放管理" in s.reason for s in report.skipped] == [not open_]


def test_a_changed_row_updates_its_record_without_reading_pages_again(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "0012-1-1-1.pdf", [_PAGE])
    _catalogue(source, [["0012-1-1-1", "旧题名", "19980312", "1", ""]])
    run_ingest(source, store, settings)
    numbers = [p.number for p in store.passages("0012-1-1-1")]
    _catalogue(source, [["0012-1-1-1", "新题名", "19980312", "1", ""]])

    report = run_ingest(source, store, settings)

    assert (report.records_updated, report.unchanged) == (1, 0)
    assert store.record("0012-1-1-1").title == "新题名"
    assert [p.number for p in store.passages("0012-1-1-1")] == numbers


def test_state_secrets_are_neither_stored_nor_read(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    (source / "0012-1-1-1.txt").write_text("绝不外传的正文", encoding="utf-8")
    _catalogue(source, [["0012-1-1-1", "绝不外传的题名", "19980312", "1", "机密★10年"]])

    report = run_ingest(source, store, settings)

    assert store.records() == []
    assert set(_skipped(report)) == {"目录.xlsx › 归档文件目录 第 2 行", "0012-1-1-1.txt"}
    everything = settings.database_path.read_bytes() + repr(report).encode()
    assert "绝不外传".encode() not in everything


def test_a_row_marked_secret_later_is_taken_out(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "0012-1-1-1.pdf", [_PAGE])
    _catalogue(source, [["0012-1-1-1", "题名", "19980312", "1", ""]])
    run_ingest(source, store, settings)
    _catalogue(source, [["0012-1-1-1", "题名", "19980312", "1", "秘密"]])

    report = run_ingest(source, store, settings)

    assert report.records_removed == 1
    assert store.records() == []
    with sqlite3.connect(settings.database_path) as db:
        assert db.execute("SELECT count(*) FROM page_results").fetchone() == (0,)


def test_readings_of_a_version_that_is_gone_leave_with_the_next_whole_run(tmp_path, home):
    """This test ensures that pages read for a killed run, of a file changed since, do not stay."""
    store, settings = home
    source, other = tmp_path / "in", tmp_path / "other"
    write_text_pdf(source / "报告.pdf", [_PAGE])
    write_text_pdf(other / "报告.pdf", [_PAGE, _PAGE])
    run_ingest(other, store, settings)
    with store.writing() as cursor:
        cursor.execute("UPDATE jobs SET state = '处理中'")
    store.put_page_result("ab" * 32, 1, ingest.pdf.PDF_READER, {"lines": []})

    run_ingest(source, store, settings)
    assert store.page_result("ab" * 32, 1, ingest.pdf.PDF_READER) is not None  # half read elsewhere
    run_ingest(other, store, settings)

    assert store.page_result("ab" * 32, 1, ingest.pdf.PDF_READER) is None
    for folder in (source, other):
        sha = hashlib.sha256((folder / "报告.pdf").read_bytes()).hexdigest()
        assert store.page_result(sha, 1, ingest.pdf.PDF_READER) is not None


def test_a_broken_catalogue_holds_back_files_and_removes_nothing(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    (source / "0012-1-1-1.txt").write_text(_LAW, encoding="utf-8")
    _catalogue(source, [["0012-1-1-1", "题名", "19980312", "1", ""]])
    run_ingest(source, store, settings)
    (source / "目录.xlsx").write_bytes(b"PK broken")

    report = run_ingest(source, store, settings)

    assert [r.record_id for r in store.records()] == ["0012-1-1-1"]
    assert report.records_removed == 0
    assert set(_skipped(report)) == {"目录.xlsx", "0012-1-1-1.txt"}


def test_a_catalogue_given_alone_takes_only_its_files(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    (source / "子").mkdir(parents=True)
    (source / "子" / "a.txt").write_text(_LAW, encoding="utf-8")
    (source / "b.txt").write_text(_LAW, encoding="utf-8")
    row = {"id": "子/a.txt", "path": "子/a.txt", "title": "甲", "organ": "办公室"}
    (source / "index.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")

    run_ingest(source / "index.jsonl", store, settings)

    assert [(r.record_id, r.author) for r in store.records()] == [("子/a.txt", "办公室")]


def test_text_pages_have_boxes_page_marks_and_a_picture(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    pages = [[*_PAGE, f"第{n}页独有的一句话在这里。", f"— {n} —"] for n in (1, 2, 3)]
    write_text_pdf(source / "a.pdf", pages)

    run_ingest(source, store, settings)

    stored = store.pages("a.pdf")
    page = stored[1]
    assert [p.inner_label for p in stored] == ["1", "2", "3"]
    assert "— 2 —" in [page.raw[a:b] for a, b in page.furniture]
    assert page.has_image
    line = next(x for x in page.lines if page.raw[x.start : x.end].startswith("近年来"))
    assert len(line.edges) == line.end - line.start + 1
    assert line.box[0] == pytest.approx(72 / 595, abs=0.01)
    assert line.box[1] == pytest.approx((842 - 756) / 842, abs=0.03)
    assert all("— " not in p.text[:2] + p.text[-2:] for p in store.passages("a.pdf"))


def test_a_scan_is_recognised_with_boxes_and_confidence(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    write_scan(source / "scan.pdf", [_SCAN])
    write_scan(source / "scan.png", [_SCAN])

    report = run_ingest(source, store, settings)

    assert (report.pages_ocr, report.pages_unreadable) == (2, 0)
    for name in ("scan.pdf", "scan.png"):
        (page,) = store.pages(name)
        assert page.source is TextSource.OCR
        assert page.raw.replace(" ", "").split("\n") == [text.replace(" ", "") for text in _SCAN]
        assert page.engine.startswith("rapidocr ")
        assert page.confidence > 0.8
        assert page.lines[0].box[0] == pytest.approx(120 / 1240, abs=0.02)
        assert len(page.lines[0].edges) == page.lines[0].end + 1


def test_an_interrupted_run_continues_after_the_last_page(tmp_path, home):
    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "a.pdf", [[*_PAGE, f"第{n}页"] for n in range(1, 41)])

    def stop(state):
        if state.pages_done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ingest(source, store, settings, progress=stop)
    assert store.records() == []
    sha = ingest.folder.content_hash(source / "a.pdf")
    kept = store.page_result(sha, 1, ingest.pdf.PDF_READER)
    assert kept is not None
    kept["raw"] = "这一页没有再读一遍。"
    store.put_page_result(sha, 1, ingest.pdf.PDF_READER, kept | {"lines": []})

    report = run_ingest(source, store, settings)

    pages = store.pages("a.pdf")
    assert report.records_added == 1
    assert len(pages) == 40
    assert pages[0].raw == "这一页没有再读一遍。"
    assert all(page.raw.startswith(_PAGE[0]) for page in pages[1:])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with links and pipes")
def test_what_is_no_file_of_the_folder_is_named_and_not_followed(tmp_path, home):
    store, settings = home
    folder = tmp_path / "in"
    (folder / "卷").mkdir(parents=True)
    (folder / "甲.txt").write_text(_LAW, encoding="utf-8")
    (tmp_path / "外").mkdir()
    (tmp_path / "外" / "口令.txt").write_text("外面的口令", encoding="utf-8")
    (folder / "外链.txt").symlink_to(tmp_path / "外" / "口令.txt")
    (folder / "内链.txt").symlink_to("甲.txt")
    (folder / "断链.pdf").symlink_to("没有.pdf")
    (folder / "链夹").symlink_to(tmp_path / "外")
    os.mkfifo(folder / "管道.pdf")

    report = run_ingest(folder, store, settings)

    assert {r.record_id for r in store.records()} == {"甲.txt", "内链.txt"}
    assert _skipped(report) == {
        "外链.txt": "是链接，指向本文件夹以外，没有读取", "断链.pdf": "是链接，指向的文件不存在",
        "链夹": "是链接文件夹，没有进入", "管道.pdf": "不是普通文件（管道、设备等），没有读取",
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_shown_readably_and_the_others_go_on(tmp_path, home):
    store, settings = home
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "甲.txt").write_text(_LAW, encoding="utf-8")
    odd = os.fsencode(folder) + "/关于乙.txt".encode("gbk")
    Path(os.fsdecode(odd)).write_text("乙", encoding="utf-8")
    Path(os.fsdecode(os.fsencode(folder) + "/卷".encode() + b"/\xff\xfe")).mkdir(parents=True)

    report = run_ingest(folder, store, settings)

    assert [r.record_id for r in store.records()] == ["甲.txt"]
    assert {s.where for s in report.skipped} == {"关于乙.txt", "卷/\\xff\\xfe"}
    assert all("convmv" in s.next_step for s in report.skipped)


def test_broken_and_locked_files_are_named_and_the_batch_goes_on(tmp_path, home):
    from pypdf import PdfReader, PdfWriter

    store, settings = home
    source = tmp_path / "in"
    write_text_pdf(source / "好.pdf", [_PAGE])
    (source / "坏.pdf").write_bytes(b"%PDF-1.7\n garbage " * 50)
    (source / "坏.png").write_bytes(b"\x89PNG garbage")
    (source / "空.txt").write_text("", encoding="utf-8")
    (source / "乱.txt").write_bytes(b"\0\1\2\3" * 50)
    writer = PdfWriter(clone_from=PdfReader(source / "好.pdf"))
    writer.encrypt("密码", algorithm="RC4-128")
    writer.write(source / "锁.pdf")

    report = run_ingest(source, store, settings)

    reasons = _skipped(report)
    assert set(reasons) == {"坏.pdf", "坏.png", "空.txt", "乱.txt", "锁.pdf"}
    assert "密码" in reasons["锁.pdf"]
    assert all(entry.next_step for entry in report.skipped)
    assert {r.record_id for r in store.records()} == {"好.pdf"}
    assert report.pages_unreadable == 0
    again = run_ingest(source, store, settings)
    assert set(_skipped(again)) == set(reasons)
    assert again.unchanged == 6


def test_two_folders_with_the_same_paths_do_not_mix(tmp_path, home):
    store, settings = home
    for batch, text in (("一批", "甲批的正文。"), ("二批", "乙批的正文。")):
        (tmp_path / batch).mkdir()
        (tmp_path / batch / "1.txt").write_text(text, encoding="utf-8")
        run_ingest(tmp_path / batch, store, settings)

    again = run_ingest(tmp_path / "一批", store, settings)

    assert {r.record_id for r in store.records()} == {"1.txt", "二批/1.txt"}
    assert store.pages("1.txt")[0].raw == "甲批的正文。"
    assert store.pages("二批/1.txt")[0].raw == "乙批的正文。"
    stored = store.file("二批/1.txt")
    assert (Path(stored.root) / stored.path).read_text(encoding="utf-8") == "乙批的正文。"
    assert (again.unchanged, again.records_removed) == (1, 0)


def test_a_code_taken_in_from_another_folder_is_not_overwritten(tmp_path, home):
    store, settings = home
    for batch in ("一批", "二批"):
        _catalogue(tmp_path / batch, [["0012-1-1-1", batch, "19980312", "1", ""]])
        (tmp_path / batch / "0012-1-1-1.txt").write_text(batch + "的正文。", encoding="utf-8")
    run_ingest(tmp_path / "一批", store, settings)

    report = run_ingest(tmp_path / "二批", store, settings)

    assert store.record("0012-1-1-1").title == "一批"
    assert "另一个文件夹" in _skipped(report)["0012-1-1-1"]


def test_page_images_of_one_record_are_put_together(tmp_path, home, monkeypatch):
    store, settings = home
    source = tmp_path / "in"
    for n in (2, 10, 1):
        write_scan(source / "0012-1-35-8" / f"{n}.png", [[f"PAGE {n}", "TEXT OF THE PAGE"]])
    _catalogue(source, [["0012-1-35-8", "建议", "19980312", "3", ""]])

    report = run_ingest(source, store, settings)

    pages = store.pages("0012-1-35-8")
    assert [page.file_path for page in pages] == [f"0012-1-35-8/{n}.png" for n in (1, 2, 10)]
    assert [page.raw.split("\n")[0].replace(" ", "") for page in pages] == [
        "PAGE1",
        "PAGE2",
        "PAGE10",
    ]
    assert report.warnings == []


def test_a_silent_reader_is_stopped_and_the_file_reported(tmp_path, monkeypatch):
    # A reader that never answers: a real one, however short its time, may answer first.
    silent = [sys.executable, "-c", "import time; time.sleep(600)"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    monkeypatch.setattr("ingest.workers._start", lambda *_: subprocess.Popen(silent, **pipes))
    tasks, events = queue.Queue(), queue.Queue()
    lane = Lane("pdf", tasks, events.put, seconds_per_page=0.05)
    tasks.put(Task("a", tmp_path / "a.pdf"))
    tasks.put(None)
    lane.start()
    lane.join(timeout=60)

    seen = list(events.queue)
    assert seen[-1].finished
    assert any(event.failed is not None and "超过" in str(event.failed) for event in seen)


@pytest.mark.slow
def test_a_page_that_kills_its_reader_costs_that_page_only(tmp_path, home):
    store, settings = home
    write_self_drawing_pdf(tmp_path / "in" / "a.pdf")

    report = run_ingest(tmp_path / "in", store, settings)

    first, second = store.pages("a.pdf")
    assert (first.source, first.raw) == (TextSource.NONE, "")
    assert second.raw.startswith("A sound page")
    assert "第 1 页不可读" in _skipped(report)["a.pdf"]


def test_missing_source_is_an_error_with_the_next_step(tmp_path, home):
    store, settings = home

    with pytest.raises(IngestError, match="请检查路径"):
        run_ingest(tmp_path / "没有", store, settings)


def test_pages_are_drawn_within_bounds(tmp_path):
    path = write_text_pdf(tmp_path / "a.pdf", [_PAGE])

    assert page_count(path) == 1
    assert render_page(path, 1, dpi=100).shape == (1170, 827, 3)
    assert max(render_page(path, 1, dpi=5000).shape) == 4000
    assert page_jpeg(path, 1, 400, 70)[:2] == b"\xff\xd8"
    with pytest.raises(RenderError, match="没有第 2 页"):
        render_page(path, 2)
    (tmp_path / "x.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RenderError, match=r"x\.txt"):
        page_jpeg(tmp_path / "x.txt", 1, 100, 70)


def test_a_locked_pdf_is_told_from_a_broken_one(tmp_path):
    from pypdf import PdfReader, PdfWriter

    path = write_text_pdf(tmp_path / "a.pdf", [_PAGE])
    writer = PdfWriter(clone_from=PdfReader(path))
    writer.encrypt("密码", algorithm="RC4-128")
    writer.write(tmp_path / "b.pdf")

    with pytest.raises(LockedDocumentError):
        page_count(tmp_path / "b.pdf")
    with pytest.raises(PasswordError):
        PdfFile(tmp_path / "b.pdf")


def test_progress_grows_within_one_long_file(tmp_path, home):
    store, settings = home
    write_text_pdf(tmp_path / "in" / "a.pdf", [[*_PAGE, f"第{n}页"] for n in range(1, 61)])
    states = []

    run_ingest(tmp_path / "in", store, settings, progress=states.append)

    shares = [state.share for state in states]
    assert shares == sorted(shares)
    assert (states[-1].share, states[-1].pages_done, states[-1].files_done) == (1.0, 60, 1)
