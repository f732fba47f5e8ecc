"""Files of every format through the whole write path, broken and hostile ones among them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from index.domain import IngestReport, TextSource
from index.highlight import quote_boxes
from index.rendering import page_jpeg
from index.settings import Settings
from index.store import Store
from ingest.pipeline import ingest
from tests.document_files import (
    line_object,
    paragraph,
    write_docx,
    write_ofd,
    write_zip,
)
from tests.ingest_files import open_home, write_text_pdf, write_workbook

TEXT = "示例市人民代表大会常务委员会听取了市人民政府的专项工作报告，决定予以批准。"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Store, Settings]]:
    store, settings = open_home(tmp_path / "home")
    yield store, settings
    store.close()


def skipped(report: IngestReport) -> dict[str, str]:
    return {entry.where: entry.reason for entry in report.skipped}


def test_each_format_becomes_a_record_that_can_be_quoted(tmp_path, home) -> None:
    store, settings = home
    source = tmp_path / "in"
    write_ofd(source / "a.ofd", [line_object(TEXT, 20, 30), line_object(TEXT, 20, 30)])
    write_docx(source / "b.docx", paragraph(TEXT))
    (source / "c.html").write_text(f"<p>{TEXT}</p>", encoding="utf-8")
    write_workbook(source / "d.xlsx", {"甲": [["各县收入情况"], [TEXT, 3.5]]})
    (source / "e.txt").write_text(TEXT, encoding="utf-8")
    write_text_pdf(source / "f.pdf", [[TEXT]])
    (source / "g.doc").write_bytes(f"<html><meta charset=gbk><p>{TEXT}".encode("gbk"))

    report = ingest(source, store, settings)

    assert skipped(report) == {}
    assert report.records_added == 7
    for record in store.records():
        [page, *_] = store.pages(record.record_id)
        assert TEXT in page.raw, record.record_id
        assert store.passages(record.record_id), record.record_id
    ofd = store.pages("a.ofd")
    assert [page.source for page in ofd] == [TextSource.LAYER] * 2
    assert quote_boxes(ofd[0], 3, 9)
    assert page_jpeg(source / "a.ofd", 2, 640)
    assert any("后缀是 .doc" in note.reason for note in report.warnings)

    again = ingest(source, store, settings)
    assert again.unchanged == 7
    assert (again.records_added, again.records_updated) == (0, 0)


def test_pages_of_an_ofd_are_kept_between_runs_with_what_was_told(tmp_path, home) -> None:
    """A run that ended between reading and storing must not lose what the file said of itself."""
    store, settings = home
    source = tmp_path / "in"
    attachments = "<A><Attachment ID='1' Name='清单'><FileLoc>l.xlsx</FileLoc></Attachment></A>"
    write_ofd(
        source / "a.ofd", [line_object(TEXT, 20, 30)] * 20,
        document="<ofd:Attachments>Att.xml</ofd:Attachments>",
        entries={"Doc_0/Att.xml": attachments.encode()},
    )  # fmt: skip
    first = ingest(source, store, settings)
    forced = ingest(source, store, settings, force=True)

    for report in (first, forced):
        assert any("清单.xlsx" in note.reason for note in report.warnings)
    assert len(store.pages("a.ofd")) == 20
    assert forced.records_updated == 1


def test_a_table_without_catalogue_headings_is_a_document(tmp_path, home) -> None:
    store, settings = home
    source = tmp_path / "in"
    rows = [["2024年债务限额表"], ["地区", "合计"], ["示例市", 12.5]]
    write_workbook(source / "债务.xlsx", {"限额": rows, "余额": [["地区", "余额"], ["示例市", 9]]})
    write_workbook(source / "目录.xlsx", {"目录": [["档号", "题名"], ["0001-1-1", "甲"]]})

    report = ingest(source, store, settings)

    assert {record.record_id for record in store.records()} == {"债务.xlsx", "0001-1-1"}
    assert "示例市 | 12.5" in store.pages("债务.xlsx")[0].raw
    assert report.pages_file == 2


def test_a_single_table_that_is_a_document_is_taken_alone(tmp_path, home) -> None:
    store, settings = home
    source = tmp_path / "in"
    table = write_workbook(source / "债务.xlsx", {"限额": [["地区", "合计"], ["示例市", 12.5]]})
    (source / "别的.txt").write_text(TEXT, encoding="utf-8")

    ingest(table, store, settings)

    assert [record.record_id for record in store.records()] == ["债务.xlsx"]


def test_pictures_of_every_kind_are_recognised(tmp_path, home) -> None:
    store, settings = home
    source = tmp_path / "in"
    source.mkdir()
    Image.new("1", (600, 800), 1).save(
        source / "a.tif", save_all=True, append_images=[Image.new("1", (600, 800), 1)],
        compression="group4",
    )  # fmt: skip

    report = ingest(source, store, settings)

    assert report.pages_unreadable == 2
    assert [page.has_image for page in store.pages("a.tif")] == [True, True]


def _png_header_only(path: Path, width: int, height: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )  # fmt: skip


def test_hostile_files_are_each_named_and_harm_nobody(tmp_path, home) -> None:
    """This test ensures that bombs, loops and depth cost their own record only."""
    store, settings = home
    source = tmp_path / "in"
    laughs = '<!DOCTYPE l [<!ENTITY a "哈">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    ) + "]>"  # fmt: skip
    deep = "<a>" * 10_000 + "</a>" * 10_000
    again = '<ofd:CompositeObject ID="8" ResourceID="7" Boundary="0 0 9 9"/>'
    unit = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="7"><ofd:Content>'
        f"{again * 50}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    sheet = "xl/worksheets/sheet1.xml"
    write_docx(source / "bomb.docx", paragraph("一" * 20_000_000))
    write_ofd(source / "bomb.ofd", [""], entries={"x": b"\0" * 30_000_000})
    write_zip(
        source / "表" / "bomb.xlsx",
        {"[Content_Types].xml": "", "xl/workbook.xml": "", sheet: b"\0" * 300_000_000},
    )
    write_docx(source / "deep.docx", edit={"word/document.xml": deep})
    write_ofd(source / "deep.ofd", [deep])
    write_zip(
        source / "表" / "deep.xlsx",
        {"[Content_Types].xml": deep, "xl/workbook.xml": deep, sheet: deep},
    )
    write_docx(source / "laughs.docx", edit={"word/document.xml": laughs + "<a>&j;</a>"})
    write_zip(source / "laughs.ofd", {"OFD.xml": laughs + "<a>&j;</a>"})
    write_zip(
        source / "表" / "laughs.xlsx",
        {"[Content_Types].xml": laughs + "<a>&j;</a>", "xl/workbook.xml": laughs + "<a>&j;</a>"},
    )
    write_ofd(source / "loop.ofd", [again], resources=unit)
    for name in ("zero.pdf", "zero.ofd", "zero.docx", "zero.tif"):
        (source / name).write_bytes(b"")
    _png_header_only(source / "huge.png", 100_000, 100_000)
    Image.new("L", (2000, 5), 255).save(source / "strip.png")
    (source / "deep.html").write_text("<div>" * 5_000 + TEXT, encoding="utf-8")
    write_ofd(source / "vast.ofd", [line_object(TEXT, 20, 30)], box="0 0 1e12 1e12")
    write_docx(source / "good.docx", paragraph(TEXT))

    report = ingest(source, store, settings)

    good = {"good.docx", "vast.ofd", "deep.html"}
    every = {path.relative_to(source).as_posix() for path in source.rglob("*.*")}
    told = set(skipped(report)) | {
        page.record_id for record in store.records() for page in store.pages(record.record_id)
        if page.source is TextSource.NONE
    }  # fmt: skip
    assert every - good <= told
    assert not good & set(skipped(report))
    for entry in report.skipped:
        assert entry.next_step, entry
        assert "Traceback" not in entry.reason
    for name in good:
        assert TEXT in "".join(page.raw for page in store.pages(name)), name
    assert report.seconds < 300  # 5 on a quiet machine; a reader that hangs is stopped after 120
