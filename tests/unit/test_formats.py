"""What a file is, whatever its name says; web pages, tables and pictures; parts as pages."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index.file_format import FileFormat, sniff
from index.rendering import RenderError, open_document, page_count, render_page
from ingest.errors import PasswordError, SourceReadError
from ingest.html import decode_html, read_html
from ingest.readers import open_reader, reader_kind, why_not_taken, why_unreadable
from ingest.table_text import read_table
from tests.document_files import (
    line_object,
    paragraph,
    picture_bytes,
    write_docx,
    write_ofd,
    write_zip,
)
from tests.ingest_files import write_text_pdf, write_workbook

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


def name_in_ole(name: str) -> bytes:
    return OLE + (name + "\0").encode("utf-16-le") + bytes(512)


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    made = {
        FileFormat.PDF: write_text_pdf(tmp_path / "a.pdf", [["甲"]]).read_bytes(),
        FileFormat.OFD: write_ofd(tmp_path / "a.ofd", [""]).read_bytes(),
        FileFormat.DOCX: write_docx(tmp_path / "a.docx", paragraph("甲")).read_bytes(),
        FileFormat.XLSX: write_workbook(tmp_path / "a.xlsx", {"甲": [["乙"]]}).read_bytes(),
        FileFormat.ZIP: write_zip(tmp_path / "a.zip", {"a.txt": "x"}).read_bytes(),
        FileFormat.ODT: write_zip(
            tmp_path / "a.odt", {"mimetype": "application/vnd.oasis.opendocument.text"}
        ).read_bytes(),
        FileFormat.DOC: name_in_ole("WordDocument"),
        FileFormat.XLS: name_in_ole("Workbook"),
        FileFormat.LOCKED_OFFICE: name_in_ole("EncryptedPackage"),
        FileFormat.OLE: OLE,
        FileFormat.RTF: b"{\\rtf1\\ansi x}",
        FileFormat.HTML: "\ufeff<!-- a --> <html><body>甲".encode(),
        FileFormat.MHTML: b"From: <x>\nSubject: a\nMIME-Version: 1.0\nContent-Type: multipart/related",
        FileFormat.TEXT: "会议决定<b>".encode("gb18030"),
        FileFormat.PNG: picture_bytes("PNG"),
        FileFormat.JPEG: picture_bytes("JPEG"),
        FileFormat.TIFF: picture_bytes("TIFF"),
        FileFormat.BMP: picture_bytes("BMP"),
        FileFormat.WEBP: picture_bytes("WEBP"),
        FileFormat.ARCHIVE: b"Rar!\x1a\x07\x00",
        FileFormat.EMPTY: b"",
        FileFormat.UNKNOWN: b"\0\1\2\3" * 99,
    }
    found = {}
    for format_, data in made.items():
        path = tmp_path / "x.pdf"
        path.write_bytes(data)
        found[format_] = sniff(path)

    assert found == {format_: format_ for format_ in made}


@pytest.mark.parametrize(
    ("name", "data", "reason", "step"),
    [
        ("a.pdf", "zip", "实际是 ZIP", "解压"),
        ("a.pdf", b"<html><body>404", "内容是网页", "重新复制"),
        ("a.docx", b"", "空文件", "重新复制"),
        ("a.docx", name_in_ole("EncryptedPackage"), "加密", "无密码"),
        ("a.wps", b"plain", "内容是文本", "重新复制"),
        ("a.pptx", name_in_ole("PowerPoint Document"), "演示文稿", "PDF"),
        ("a.xyz", b"\0\1\2" * 99, "不支持的格式（.xyz）", "PDF"),
        ("a", b"\0\1\2" * 99, "不支持的格式（无后缀）", "PDF"),
        ("a.rar", b"Rar!\x1a\x07\x00", "压缩包", "解压"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_next_step(
    tmp_path: Path, name: str, data: bytes | str, reason: str, step: str
) -> None:
    path = tmp_path / name
    if isinstance(data, str):
        write_zip(path, {"a.txt": "x"})
    else:
        path.write_bytes(data)

    refused = why_unreadable(path)

    assert refused is not None
    assert reason in str(refused)
    assert step in refused.next_step
    with pytest.raises(SourceReadError):
        open_reader(path)


def test_a_wrong_suffix_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "来文.doc"
    path.write_bytes("<html><meta charset=gbk><p>会议决定。".encode("gb18030"))

    reader = open_reader(path)

    assert reader.read_page(1).raw == "会议决定。\n"
    assert "后缀是 .doc，实际是网页" in reader.notes[0].reason
    kind = reader_kind(path)
    assert kind is not None
    assert kind.group == "text"


def test_broken_documents_are_tried_so_that_their_record_hears_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"nothing")
    (tmp_path / "b.bin").write_bytes(b"\0\1" * 99)

    assert why_not_taken(tmp_path / "a.pdf") is None
    assert why_not_taken(tmp_path / "b.bin") is not None
    assert why_not_taken(tmp_path / "missing.pdf") is not None


# -- web pages ----------------------------------------------------------------------------------

_PAGE = """<!doctype html><html><head><title>标签</title><style>
.a , #b {display:none} p.c{visibility : hidden} @media print{.d{display:none}} .e:hover{display:none}
</style></head><body><h1>关于<!-- 注 -->预算的<b>决议</b></h1>
<p>会议
  决定，<br>批准。</p><div class=a>藏一</div><i id=b>藏二</i><p class=c>藏三</p><p class=d>屏幕上看得见</p>
<p class=e>也看得见</p><p hidden>藏四</p><span style="Display:NONE">藏五</span>
<p style="font-size:0">藏六</p><p style="opacity: 0">藏七</p><p style="opacity:0.9">半透明</p>
<script>藏八</script><noscript>藏九</noscript><template>藏十</template><input value=藏>
<table><tr><th>项目<th>金额</tr><tr><td>教育<td><p>3.2</p></table>
<ul><li>甲<li>乙</ul>&lt;script&gt;alert(1)&lt;/script&gt;</body></html>"""


def test_a_web_page_gives_what_a_browser_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(_PAGE, encoding="utf-8")

    [page] = read_html(path)

    assert "藏" not in page.raw
    assert page.raw == (
        "关于预算的决议\n会议 决定，\n批准。\n屏幕上看得见\n也看得见\n半透明\n项目 | 金额\n教育 | 3.2\n"
        "甲\n乙\n<script>alert(1)</script>\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        "<meta charset='gb2312'><p>镕基".encode("gb18030"),
        "<meta http-equiv=Content-Type content='text/html; charset=utf-8'><p>镕基".encode(),
        "\ufeff<p>镕基".encode("utf-16-le"),
        "<meta charset='utf-8'><p>镕基".encode("gb18030"),
        "<meta charset='nonsense'><p>镕基".encode(),
        "<meta charset='utf-16'><p>镕基".encode(),
    ],
    ids=["declared", "long form", "mark", "wrong", "unknown", "impossible"],
)
def test_the_encoding_is_found(data: bytes) -> None:
    assert decode_html(data, "a").endswith("<p>镕基")


def test_a_single_file_web_page_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mht"
    body = "<p>会议决定。</p>".encode("gb18030")
    path.write_bytes(
        b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=XX\r\n\r\n--XX\r\n"
        b"Content-Type: text/html; charset=gb2312\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + body
        + b"\r\n--XX--\r\n"
    )

    assert read_html(path)[0].raw == "会议决定。\n"


def test_hostile_nesting_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html>" + "<div>" * 5_000 + "深处" + "<table><tr><td>" * 3_000)
    assert "深处" in "".join(page.raw for page in read_html(path))

    path.write_text("<html>" + "<div>" * 100_000 + "深处")
    with pytest.raises(SourceReadError, match="嵌套"):
        read_html(path)


# -- tables -------------------------------------------------------------------------------------


def test_each_sheet_begins_a_part(tmp_path: Path) -> None:
    rows = {
        "限额": [["2024年债务限额表"], ["地区", "合计"], ["示例市", 12.5]],
        "余额": [["地区", 3]],
    }
    pages, _ = read_table(write_workbook(tmp_path / "a.xlsx", rows))

    assert [page.raw for page in pages] == [
        "限额\n2024年债务限额表\n地区 | 合计\n示例市 | 12.5\n",
        "余额\n地区 | 3\n",
    ]
    assert pages[0].raw[slice(*pages[0].furniture[0])] == "限额"


def test_a_broken_workbook_is_named(tmp_path: Path) -> None:
    data = write_workbook(tmp_path / "a.xlsx", {"甲": [["乙"]]}).read_bytes()
    (tmp_path / "a.xlsx").write_bytes(data[:-30])

    with pytest.raises(SourceReadError) as caught:
        open_reader(tmp_path / "a.xlsx")
    assert caught.value.next_step
    assert not isinstance(caught.value, PasswordError)


# -- pictures -----------------------------------------------------------------------------------


def _saved(path: Path, picture: Image.Image, **named: object) -> Path:
    picture.save(path, **named)  # type: ignore[arg-type]
    return path


def test_pages_of_a_tiff_and_only_of_a_tiff_are_pages(tmp_path: Path) -> None:
    one = Image.new("1", (300, 400), 1)
    other = Image.new("1", (400, 300), 0)
    tiff = _saved(
        tmp_path / "a.tif", one, save_all=True, append_images=[other], compression="group4",
        dpi=(100, 100),
    )  # fmt: skip
    gif = _saved(
        tmp_path / "a.gif", one.convert("L"), save_all=True, append_images=[one.convert("L")]
    )

    assert page_count(tiff) == 2
    assert page_count(gif) == 1
    assert render_page(tiff, 2).max() == 0
    with open_document(tiff) as document:
        assert document.size(1) == pytest.approx((216, 288))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA"])
def test_every_kind_of_picture_becomes_a_page(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tif"
    if mode == "I;16":
        picture = Image.fromarray(np.full((40, 60), 40_000, dtype=np.uint16))
    else:
        picture = Image.new("RGB", (60, 40), (255, 255, 255)).convert(mode)
    picture.save(path)

    assert render_page(path, 1).shape == (40, 60, 3)
    assert render_page(path, 1).min() > 200


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (300, 200), "white")
    picture.paste((0, 0, 0), (0, 0, 300, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = _saved(tmp_path / "a.jpg", picture, exif=exif)

    drawn = render_page(path, 1)

    assert drawn.shape[:2] == (300, 200)
    assert drawn[150, 190].max() < 60, "what was on top is on the right"
    with open_document(path) as document:
        width, height = document.size(1)
    assert height > width


def test_a_picture_that_declares_absurd_pixels_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )

    with pytest.raises(RenderError, match="上限"):
        render_page(path, 1)
    with pytest.raises(SourceReadError, match="上限"):
        open_reader(path)


def test_a_picture_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(picture_bytes("JPEG", (800, 800))[:3000])

    with pytest.raises(RenderError, match=r"a\.jpg"):
        render_page(path, 1)


def test_a_picture_under_another_name_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(picture_bytes("PNG"))

    reader = open_reader(path)

    assert reader.read_page(1).needs_ocr
    assert "实际是PNG 图像" in reader.notes[0].reason
    assert render_page(path, 1).shape == (300, 400, 3)


def test_an_ofd_under_another_name_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    write_ofd(path, [line_object("会议决定", 20, 20)])

    assert open_reader(path).read_page(1).raw == "会议决定"
    assert render_page(path, 1, dpi=40).size


def test_overlapping_zip_members_do_not_hang(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(25_000):
            archive.writestr(f"{n}", b"")
    path = tmp_path / "a.docx"
    path.write_bytes(inner.getvalue())

    with pytest.raises(SourceReadError):
        open_reader(path)
