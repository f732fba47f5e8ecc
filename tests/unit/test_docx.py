"""Word files as a person reads them on paper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from index.file_format import FileFormat
from ingest import office
from ingest.docx import read_docx
from ingest.errors import PasswordError, SourceReadError
from ingest.numbering import written
from ingest.office import as_docx, soffice
from ingest.parts import Block, parts_of
from tests.document_files import paragraph, table, write_docx, write_zip

PLAIN = "示例市人民代表大会常务委员会听取了市人民政府的专项工作报告，决定予以批准。"


def raw_of(path: Path) -> str:
    pages, _ = read_docx(path)
    return "".join(page.raw for page in pages)


def test_paragraphs_and_tables_come_in_their_order(tmp_path: Path) -> None:
    rows = [["项目", "金额", ""], ["教育", "", "3.2"], ["", "", ""]]
    path = write_docx(tmp_path / "a.docx", paragraph(PLAIN) + table(rows) + paragraph("表后一段。"))

    pages, notes = read_docx(path)

    assert [page.raw for page in pages] == [PLAIN + "\n项目 | 金额\n教育 |  | 3.2\n表后一段。\n"]
    assert notes == ()


def test_deleted_hidden_and_coded_words_are_never_read(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>拨款</w:t></w:r>"
        '<w:del w:id="1"><w:r><w:delText>五百</w:delText><w:t>五百</w:t></w:r></w:del>'
        '<w:ins w:id="2"><w:r><w:t>三百</w:t></w:r></w:ins>'
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>密语</w:t></w:r>"
        "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>万元</w:t></w:r>"
        "<w:r><w:instrText>PAGE \\* MERGEFORMAT</w:instrText></w:r>"
        '<w:moveFrom w:id="3"><w:r><w:t>挪走</w:t></w:r></w:moveFrom></w:p>'
    )
    path = write_docx(tmp_path / "a.docx", body)

    pages, notes = read_docx(path)

    assert pages[0].raw == "拨款三百万元\n"
    assert "修订" in notes[0].reason


def test_a_text_box_is_read_once_after_its_paragraph(tmp_path: Path) -> None:
    box = paragraph("框中的话。")
    body = (
        "<w:p><w:r><w:t>外面的话。</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires='wps'>"
        f"<wps:txbx><w:txbxContent>{box}</w:txbxContent></wps:txbx></mc:Choice><mc:Fallback>"
        f"<v:textbox><w:txbxContent>{box}</w:txbxContent></v:textbox></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )

    assert raw_of(write_docx(tmp_path / "a.docx", body)) == "外面的话。\n框中的话。\n"


def test_numbers_counted_by_word_are_written_out(tmp_path: Path) -> None:
    numbering = (
        "<w:numbering {NS}><w:abstractNum w:abstractNumId='0'>"
        "<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='chineseCountingThousand'/>"
        "<w:lvlText w:val='第%1条　'/></w:lvl>"
        "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='chineseCounting'/>"
        "<w:lvlText w:val='（%2）'/></w:lvl></w:abstractNum>"
        "<w:num w:numId='3'><w:abstractNumId w:val='0'/></w:num>"
        "<w:num w:numId='4'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'>"
        "<w:startOverride w:val='8'/></w:lvlOverride></w:num></w:numbering>"
    )

    def item(text: str, level: int, list_id: int = 3) -> str:
        number = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
        return paragraph(text, more=number)

    body = (
        item("为了规范", 0) + item("甲", 1) + item("乙", 1) + item("本条例", 0) + item("丙", 1)
        + item("另起", 0, 4) + item("无号", 0, 0)
    )  # fmt: skip
    path = write_docx(tmp_path / "a.docx", body, edit={"word/numbering.xml": numbering})

    assert raw_of(path) == (
        "第一条　为了规范\n（一）甲\n（二）乙\n第二条　本条例\n（一）丙\n第八条　另起\n无号\n"
    )


@pytest.mark.parametrize(
    ("number", "style", "shown"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCountingThousand", "二十一"),
        (105, "chineseCountingThousand", "一百零五"),
        (10_010, "chineseCountingThousand", "一万零一十"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (20, "ideographDigital", "二〇"),
        (3, "decimalEnclosedCircle", "③"),
        (27, "upperLetter", "AA"),
        (1999, "lowerRoman", "mcmxcix"),
        (2, "ideographTraditional", "乙"),
        (5, "no such style", "5"),
        (123_456_789, "chineseCounting", "123456789"),
    ],
)
def test_numbers_are_written_in_the_list_s_own_way(number: int, style: str, shown: str) -> None:
    assert written(number, style) == shown


def test_footnotes_follow_their_paragraph_and_running_heads_are_furniture(tmp_path: Path) -> None:
    from docx import Document

    document = Document()
    document.sections[0].header.paragraphs[0].text = "示例市人大常委会办公厅"
    document.sections[0].footer.paragraphs[0].text = "校对：示例"
    document.add_heading("一、总则", 1)
    document.add_paragraph(PLAIN)
    path = tmp_path / "a.docx"
    document.save(str(path))

    [page], _ = read_docx(path)

    assert page.raw == f"示例市人大常委会办公厅\n一、总则\n{PLAIN}\n校对：示例\n"
    assert [page.raw[a:b] for a, b in page.furniture] == ["示例市人大常委会办公厅", "校对：示例"]


def test_vertically_merged_cells_and_long_cells(tmp_path: Path) -> None:
    long = PLAIN * 8
    restart = ' w:val="restart"'

    def cell(text: str, merge: str = "") -> str:
        properties = f"<w:tcPr><w:vMerge{merge}/></w:tcPr>" if merge else ""
        return f"<w:tc>{properties}{paragraph(text)}</w:tc>"

    body = (
        f"<w:tbl><w:tr>{cell('类别', restart)}{cell('甲')}{cell('1')}</w:tr>"
        f"<w:tr>{cell('类别', ' ')}{cell('乙')}{cell('2')}</w:tr>"
        f"<w:tr>{cell('案由')}<w:tc>{paragraph(long)}{paragraph('办法如下。')}</w:tc></w:tr></w:tbl>"
    )

    assert raw_of(write_docx(tmp_path / "a.docx", body)) == (
        f"类别 | 甲 | 1\n | 乙 | 2\n案由\n{long}\n办法如下。\n"
    )


def test_parts_end_at_page_breaks_headings_and_length_never_inside_a_paragraph(
    tmp_path: Path,
) -> None:
    broken = "<w:p><w:r><w:t>上页末。</w:t><w:br w:type='page'/><w:t>下页首。</w:t></w:r></w:p>"
    pages, _ = read_docx(write_docx(tmp_path / "a.docx", paragraph(PLAIN) + broken))
    assert [page.raw for page in pages] == [f"{PLAIN}\n上页末。\n", "下页首。\n"]

    text = "甲" * 500 + "。"
    blocks = [Block(text)] * 3 + [Block("二、财政金融")] + [Block(text)] * 9
    parts = parts_of(blocks, "x")
    assert parts[1].raw.startswith("二、财政金融\n")
    assert all(part.raw.endswith("。\n") for part in parts)
    assert max(len(part.raw) for part in parts) < 4000
    assert "".join(part.raw for part in parts).count(text) == 12


def test_a_document_of_pictures_says_how_to_get_it_recognised(tmp_path: Path) -> None:
    path = write_docx(
        tmp_path / "a.docx", paragraph("图"), edit={"word/media/image1.png": "x" * 100}
    )
    with pytest.raises(SourceReadError, match=r"1 幅图片") as caught:
        read_docx(path)
    assert "PDF" in caught.value.next_step


def test_pictures_and_embedded_files_beside_text_are_told(tmp_path: Path) -> None:
    path = write_docx(
        tmp_path / "a.docx", paragraph(PLAIN),
        edit={"word/media/image1.png": "x", "word/embeddings/sheet1.xlsx": "x"},
    )  # fmt: skip

    _, notes = read_docx(path)

    assert ["图片" in notes[0].reason, "内嵌 1 个对象" in notes[1].reason] == [True, True]


@pytest.mark.parametrize(
    "document",
    [
        "<w:document {NS}><w:body>" + "<w:sdt>" * 10_000 + "</w:sdt>" * 10_000
        + "</w:body></w:document>",
        "<w:document {NS}><w:body><w:p>",
        "<html/>",
        "",
    ],
    ids=["depth", "cut", "other", "empty"],
)  # fmt: skip
def test_hostile_documents_are_named(tmp_path: Path, document: str) -> None:
    path = write_docx(tmp_path / "a.docx", edit={"word/document.xml": document})

    with pytest.raises(SourceReadError, match=r"a\.docx") as caught:
        read_docx(path)
    assert caught.value.next_step


def test_entities_are_not_unfolded(tmp_path: Path) -> None:
    document = (
        '<!DOCTYPE a [<!ENTITY x "笑"><!ENTITY y "&x;&x;&x;">]><w:document {NS}><w:body>'
        "<w:p><w:r><w:t>&y;</w:t></w:r></w:p></w:body></w:document>"
    )
    path = write_docx(tmp_path / "a.docx", edit={"word/document.xml": document})

    assert "笑" not in raw_of(path)


def test_a_bomb_under_the_name_of_a_word_file_is_refused(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", paragraph("一" * 20_000_000))

    with pytest.raises(SourceReadError, match="压缩炸弹"):
        read_docx(path)


def test_locked_zip_entries_are_named(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a.docx", {"word/document.xml": "x"}).read_bytes())
    data[6] |= 1  # general purpose flag, bit 0
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.docx").write_bytes(bytes(data))

    with pytest.raises(PasswordError, match="密码"):
        read_docx(tmp_path / "a.docx")


# -- through LibreOffice ------------------------------------------------------------------------


def test_without_libreoffice_the_next_step_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "soffice", lambda: None)
    path = tmp_path / "a.doc"
    path.write_bytes(b"{\\rtf1 x}")

    with (
        pytest.raises(SourceReadError, match="LibreOffice") as caught,
        as_docx(path, FileFormat.RTF),
    ):
        pass
    assert "soffice" in caught.value.next_step


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_a_converter_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "soffice"
    script.write_text("#!/bin/sh\nsleep 4321 &\nwait\n")
    script.chmod(0o755)
    monkeypatch.setattr(office, "soffice", lambda: str(script))
    path = tmp_path / "a.rtf"
    path.write_bytes(b"{\\rtf1 x}")

    with (
        pytest.raises(SourceReadError, match="用时超过"),
        as_docx(path, FileFormat.RTF, seconds=0.5),
    ):
        pass
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 4321" not in listed.stdout


def test_a_locked_word_97_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "soffice", lambda: "soffice")
    path = tmp_path / "a.doc"
    head = bytearray(1024)
    head[512:514] = b"\xec\xa5"
    head[523] = 1
    path.write_bytes(bytes(head))

    with pytest.raises(PasswordError, match="密码"), as_docx(path, FileFormat.DOC):
        pass


@pytest.mark.slow
@pytest.mark.skipif(soffice() is None, reason="LibreOffice is not installed")
def test_rich_text_is_read_through_libreoffice(tmp_path: Path) -> None:
    path = tmp_path / "a.doc"
    words = "".join(f"\\u{ord(c)}?" for c in PLAIN)
    path.write_text("{\\rtf1\\ansi " + words + "\\par}", encoding="ascii")

    with as_docx(path, FileFormat.RTF) as made:
        pages, _ = read_docx(made, "a.doc")

    assert pages[0].raw.strip() == PLAIN
