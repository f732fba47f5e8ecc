"""The gate: state secrets leave no trace, doubtful papers wait for a named archivist."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from index.held import RELEASED, DecisionError, HeldItems
from index.passage_index import build_index
from ingest.jobs import JobState, jobs
from ingest.pipeline import ingest
from tests.fakes import HashEncoder
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui.cli import main

NOW = "2026-03-01T09:00:00+08:00"
SECRET = "云栖水库闸门的口令"


@pytest.fixture
def home(tmp_path):
    store, settings = open_home(tmp_path / "home")
    yield store, settings
    store.close()


def _traces(home: Path, words: str) -> list[str]:
    """Files of a home in which words stand, in any encoding they may be written in."""
    found = []
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(words.encode(e) in content for e in ("utf-8", "utf-16-le", "utf-16-be")):
                found.append(path.name)
    return found


@pytest.mark.parametrize(
    "mark",
    ["机密★10年", "秘 密 ★", "机密*20年", "000012\n绝密☆长期\n特急", "密级：秘密", "机密大10年"],
)
def test_a_marked_first_page_keeps_everything_out(tmp_path, home, mark: str) -> None:
    """This test ensures that of a marked paper only file name and reason are kept."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    (source / "甲.txt").write_text(f"{mark}\n\n{SECRET}\n", encoding="utf-8")
    write_text_pdf(source / "乙.pdf", [[*mark.split("\n"), SECRET * 3], [SECRET + "第二页"] * 20])
    (source / "丙.txt").write_text("平常的函，平常的话。\n", encoding="utf-8")

    report = ingest(source, store, settings)
    build_index(store, settings, encoder=HashEncoder())

    assert [r.record_id for r in store.records()] == ["丙.txt"]
    assert {s.where for s in report.skipped} == {"甲.txt", "乙.pdf"}
    assert all("国家秘密标志" in s.reason and s.next_step for s in report.skipped)
    assert {j.path: j.state for j in jobs(store)} == {
        "甲.txt": JobState.WITHHELD, "乙.pdf": JobState.WITHHELD, "丙.txt": JobState.DONE,
    }  # fmt: skip
    db = sqlite3.connect(settings.database_path)
    assert db.execute("SELECT count(*) FROM page_results").fetchone() == (0,)
    db.close()
    assert _traces(settings.home, SECRET) == []


def test_a_mark_on_an_enclosure_deep_in_the_file_counts(tmp_path, home) -> None:
    """This test ensures that a mark on a line of its own is seen on every page."""
    store, settings = home
    write_text_pdf(
        tmp_path / "馆藏" / "件.pdf",
        [["关于转发某文件的通知，请认真贯彻执行"] * 3, ["附件", "机密★10年", SECRET]],
    )

    ingest(tmp_path / "馆藏", store, settings)

    assert store.records() == []
    assert _traces(settings.home, SECRET) == []


def test_what_an_earlier_run_took_in_is_purged_with_its_vectors(tmp_path, home) -> None:
    """This test ensures that text, vectors, old indexes and pictures go when a mark turns up."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    (source / "丙.txt").write_text("平常的函，平常的话。\n", encoding="utf-8")
    (source / "甲.txt").write_text(f"{SECRET}\n", encoding="utf-8")
    ingest(source, store, settings)
    build_index(store, settings, encoder=HashEncoder())
    picture = settings.cache_path / "pages" / "ab" / "x.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"x")
    assert _traces(settings.home, SECRET)

    (source / "甲.txt").write_text(f"秘密★5年\n{SECRET}\n", encoding="utf-8")
    ingest(source, store, settings)
    build_index(store, settings, encoder=HashEncoder())

    db = sqlite3.connect(settings.database_path)
    vectors = db.execute("SELECT count(*) FROM embeddings").fetchone()[0]
    db.close()
    assert [r.record_id for r in store.records()] == ["丙.txt"]
    assert vectors == 1  # passage and sentence of the other paper are one text
    assert not picture.exists()
    assert len(list(settings.index_path.glob("gen-*"))) == 1
    assert _traces(settings.home, SECRET) == []


def test_a_marked_title_or_column_or_file_name_is_enough(tmp_path, home) -> None:
    """This test ensures that what the catalogue or the file name says is believed unread."""
    store, settings = home
    source = tmp_path / "馆藏"
    write_workbook(
        source / "目录.xlsx",
        {"目录": [
            ["档号", "题名", "处理"],
            ["J001-WS·2019-Y-BGS-0001", "关于某事的报告（机密★10年）", ""],
            ["J001-WS·2019-Y-BGS-0002", f"{SECRET}", "绝密"],
        ]},
    )  # fmt: skip
    (source / "J001-WS·2019-Y-BGS-0001.txt").write_text(SECRET, encoding="utf-8")
    (source / "秘密★来文.txt").write_text(SECRET, encoding="utf-8")

    ingest(source, store, settings)

    assert store.records() == []
    assert _traces(settings.home, SECRET) == []


def test_a_level_nobody_knows_waits_for_an_archivist(tmp_path, home) -> None:
    """This test ensures that a row whose 密级 may be one is asked about, and let in when released."""
    store, settings = home
    source = tmp_path / "馆藏"
    code = "J001-WS·2019-Y-BGS-0003"
    write_workbook(
        source / "目录.xlsx", {"目录": [["档号", "题名", "密级"], [code, "某事的报告", "Ｊ密"]]}
    )
    (source / f"{code}.txt").write_text(SECRET, encoding="utf-8")

    report = ingest(source, store, settings)

    assert store.records() == []
    assert _traces(settings.home, SECRET) == []
    assert [s.where for s in report.skipped] == [f"{code}.txt"]
    HeldItems(store).decide(1, RELEASED, "甲某", "误填", NOW)
    ingest(source, store, settings)
    assert [r.record_id for r in store.records()] == [code]


def test_a_marked_document_property_is_enough(tmp_path, home) -> None:
    """This test ensures that the title a browser or Word shows is looked at, though it is no text."""
    from docx import Document

    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    page = f"<html><head><title>机密★10年</title></head><body><p>{SECRET}</p></body></html>"
    (source / "甲.html").write_text(page, encoding="utf-8")
    document = Document()
    document.core_properties.title = "秘密★10年 某文"
    document.add_paragraph(SECRET)
    document.save(source / "乙.docx")

    ingest(source, store, settings)

    assert store.records() == []
    assert _traces(settings.home, SECRET) == []


@pytest.mark.parametrize("head", ["密级", "备注"])
def test_no_copy_and_no_other_name_lets_a_marked_file_in(tmp_path, home, head: str) -> None:
    """This test ensures that names built on its code and equal content are kept out with a row."""
    store, settings = home
    source = tmp_path / "馆藏"
    code = "J001-WS·2019-Y-BGS-0001"
    write_workbook(source / "目录.xlsx", {"目录": [["档号", "题名", head], [code, "某事", "机密"]]})
    write_text_pdf(source / f"{code}.pdf", [[SECRET * 3]])
    (source / "扫描副本.pdf").write_bytes((source / f"{code}.pdf").read_bytes())
    (source / f"{code}附件.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "别处").mkdir()
    (tmp_path / "别处" / "副本.pdf").write_bytes((source / f"{code}.pdf").read_bytes())
    (source / "丙.txt").write_text("平常的函。\n", encoding="utf-8")

    report = ingest(source, store, settings)
    again = ingest(source, store, settings)
    elsewhere = ingest(tmp_path / "别处", store, settings)

    assert [r.record_id for r in store.records()] == ["丙.txt"]
    assert {s.where for s in report.skipped} >= {f"{code}.pdf", "扫描副本.pdf", f"{code}附件.txt"}
    assert [s.reason for s in again.skipped] == [s.reason for s in report.skipped]
    assert "完全相同" in elsewhere.skipped[0].reason
    assert _traces(settings.home, SECRET) == []

    write_workbook(source / "目录.xlsx", {"目录": [["档号", "题名", head], [code, "某事", ""]]})
    ingest(source, store, settings)
    assert {r.record_id for r in store.records()} == {
        code, "丙.txt", f"{code}附件.txt", "扫描副本.pdf",
    }  # fmt: skip


def test_a_bare_word_waits_for_a_named_archivist(tmp_path, home, capsys) -> None:
    """This test ensures that release needs name and reason, holds for these files, and is kept."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    file = source / "甲.txt"
    file.write_text("机密\n\n关于养犬管理的函，平常的话。\n", encoding="utf-8")
    flags = ["--home", str(settings.home)]

    report = ingest(source, store, settings)
    again = ingest(source, store, settings)

    assert store.records() == []
    assert [s.where for s in report.skipped] == [s.where for s in again.skipped] == ["甲.txt"]
    assert main(["review", "list", *flags]) == 0
    assert "第 1 号  待审核  甲.txt" in capsys.readouterr().out
    assert main(["review", "release", "1", *flags, "--by", "甲某"]) == 1
    assert "--reason" in capsys.readouterr().err
    assert main(["review", "release", "1", *flags, "--by", "甲某", "--reason", "误标"]) == 0

    ingest(source, store, settings)
    assert [r.record_id for r in store.records()] == ["甲.txt"]

    file.write_text("机密\n\n换了内容。\n", encoding="utf-8")
    changed = ingest(source, store, settings)
    assert store.records() == []
    assert [s.where for s in changed.skipped] == ["甲.txt"]


def test_a_later_decision_takes_a_released_record_out_again(tmp_path, home) -> None:
    """This test ensures that the newest decision counts and the older ones stay readable."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    (source / "甲.txt").write_text("机密\n\n关于养犬管理的函。\n", encoding="utf-8")
    held = HeldItems(store)
    ingest(source, store, settings)
    held.decide(1, RELEASED, "甲某", "误标", NOW)
    ingest(source, store, settings)

    held.decide(1, "不予入库", "乙某", "核对后确为涉密", NOW)
    ingest(source, store, settings)

    assert store.records() == []
    assert [d.by for d in held.items()[0].decisions] == ["甲某", "乙某"]


def test_a_mark_is_released_only_with_the_declassification_paper(tmp_path, home) -> None:
    """This test ensures that no date and no mere word opens a marked paper."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    (source / "甲.txt").write_text("秘密★1年\n\n1985年的旧事。\n", encoding="utf-8")
    held = HeldItems(store)
    ingest(source, store, settings)

    with pytest.raises(DecisionError, match="解密决定的文号"):
        held.decide(1, RELEASED, "甲某", "早已期满", NOW)
    held.decide(1, RELEASED, "甲某", "已解密", NOW, paper="云密解〔2020〕3号")
    ingest(source, store, settings)

    assert [r.record_id for r in store.records()] == ["甲.txt"]


def test_decisions_cannot_be_changed_or_deleted(home) -> None:
    """This test ensures that the database itself refuses to rewrite history."""
    store, settings = home
    held = HeldItems(store)
    held.hold("k", "甲.txt", "待审核", "字样", NOW)
    held.decide(1, RELEASED, "甲某", "误标", NOW)
    db = sqlite3.connect(settings.database_path)

    for statement in ("UPDATE decisions SET decided_by = '乙'", "DELETE FROM decisions"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            db.execute(statement)
    db.close()
