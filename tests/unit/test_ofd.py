"""OFD: text in reading order with its place, templates, tables, seals, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from index.domain import TextSource
from index.highlight import quote_boxes
from index.ofd import LockedOfdError, OfdFile, Shape, Text
from index.packages import PackageError, parse_xml
from index.rendering import LockedDocumentError, RenderError, open_document, page_jpeg, render_page
from ingest.errors import PasswordError, SourceReadError
from ingest.ofd_text import OfdReader
from tests.document_files import line_object, picture_bytes, rule, seal_value, write_ofd

LINE = "示例市人民代表大会常务委员会决定批准预算调整方案。"


def read(path: Path, page: int = 1):
    reader = OfdReader(path, drawable=True)
    try:
        return reader.read_page(page)
    finally:
        reader.close()


def test_lines_come_top_to_bottom_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    lines = [line_object(f"第{n}行的文字内容", 20, 20 + 10 * n) for n in (3, 1, 2)]

    page = read(write_ofd(tmp_path / "a.ofd", ["".join(lines)]))

    assert page.raw == "第1行的文字内容\n第2行的文字内容\n第3行的文字内容"
    assert page.source is TextSource.LAYER
    assert (round(page.width), round(page.height)) == (595, 842)


def test_characters_have_the_place_the_file_gives_them(tmp_path: Path) -> None:
    """This test ensures that runs (`g n v`) and single distances both move the pen."""
    text = line_object("甲乙丙丁", 21, 29.7, 10, delta="g 2 10 30")
    page = read(write_ofd(tmp_path / "a.ofd", [text]))

    [line] = page.lines if len(page.lines) == 1 else [page.lines[0]]

    assert page.raw.replace(" ", "") == "甲乙丙丁"
    assert line.edges[0] == pytest.approx(21 / 210, abs=0.002)
    assert line.edges[1] == pytest.approx(31 / 210, abs=0.002)
    assert line.box[1] == pytest.approx(29.7 / 297, abs=0.002)
    last = page.lines[-1]
    assert last.edges[-1] == pytest.approx((21 + 50 + 10) / 210, abs=0.01)


def test_matrix_and_composite_objects_move_and_scale_text(tmp_path: Path) -> None:
    unit = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="7" Width="10" Height="10">'
        f"<ofd:Content>{line_object('组合里的字', 0, 0, 20)}</ofd:Content>"
        "</ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    body = '<ofd:CompositeObject ID="8" ResourceID="7" CTM="0.5 0 0 0.5 0 0" Boundary="42 99 9 9"/>'

    page = read(write_ofd(tmp_path / "a.ofd", [body], resources=unit))

    assert page.raw == "组合里的字"
    left, top, right, _ = page.lines[0].box
    assert left == pytest.approx(42 / 210, abs=0.002)
    assert top == pytest.approx(99 / 297, abs=0.002)
    assert right == pytest.approx((42 + 5 * 10) / 210, abs=0.003)


def test_the_template_belongs_to_the_page(tmp_path: Path) -> None:
    path = write_ofd(
        tmp_path / "a.ofd",
        [line_object("正文一句话。", 20, 60), line_object("没有模板的一页。", 20, 60)],
        templates={"5": line_object("示例市人民政府文件", 20, 20)},
        page_heads={0: '<ofd:Template TemplateID="5" ZOrder="Background"/>'},
    )

    assert read(path).raw == "示例市人民政府文件\n正文一句话。"
    assert read(path, 2).raw == "没有模板的一页。"


def test_words_of_a_ruled_cell_stay_together(tmp_path: Path) -> None:
    """A name beside a value of two lines was read as first line, name, second line."""
    body = (
        "".join(rule(20, y, 120, 0) for y in (30, 50, 70))
        + "".join(rule(x, 30, 0, 40) for x in (20, 50, 140))
        + line_object("来文单位", 22, 38)
        + line_object("示例市人民代表大会常", 88, 33)
        + line_object("务委员会办公厅", 88, 42)
        + line_object("备注", 22, 58)
        + line_object("无", 88, 58)
    )

    page = read(write_ofd(tmp_path / "a.ofd", [body]))

    assert page.raw == "来文单位 | 示例市人民代表大会常务委员会办公厅\n备注 | 无"


def test_text_drawn_twice_is_read_once(tmp_path: Path) -> None:
    body = line_object(LINE, 20, 20) + line_object(LINE, 20.2, 20.1)

    assert read(write_ofd(tmp_path / "a.ofd", [body])).raw == LINE


def test_invisible_text_is_no_text_unless_it_lies_over_a_scan(tmp_path: Path) -> None:
    hidden = line_object("看不见的假话", 20, 40, more='Alpha="0"')
    shown = line_object(LINE, 20, 20)
    scan = (
        '<ofd:ImageObject ID="3" ResourceID="4" Boundary="0 0 210 297" CTM="210 0 0 297 0 0"/>'
        + line_object(LINE + LINE, 5, 20, 3, more='Alpha="0"')
    )
    media = (
        '<ofd:MultiMedias><ofd:MultiMedia ID="4" Type="Image"><ofd:MediaFile>a.png'
        "</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>"
    )
    path = write_ofd(
        tmp_path / "a.ofd", [shown + hidden, scan], resources=media,
        entries={"Doc_0/Res/a.png": picture_bytes()},
    )  # fmt: skip

    assert read(path).raw == LINE
    over = read(path, 2)
    assert over.raw == LINE + LINE
    assert "隐藏文字层" in over.engine


def test_a_page_of_pictures_goes_to_recognition_and_can_be_drawn(tmp_path: Path) -> None:
    body = '<ofd:ImageObject ID="3" ResourceID="4" Boundary="10 10 100 75" CTM="100 0 0 75 0 0"/>'
    media = (
        '<ofd:MultiMedias><ofd:MultiMedia ID="4" Type="Image"><ofd:MediaFile>A.PNG'
        "</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>"
    )
    path = write_ofd(
        tmp_path / "a.ofd", [body, ""], resources=media,
        entries={"DOC_0/Res/a.png": picture_bytes()},
    )  # fmt: skip

    assert read(path).needs_ocr
    assert read(path, 2).problem == "空白页"
    drawn = render_page(path, 1, dpi=100)
    assert drawn.shape == (1169, 827, 3)
    assert drawn[45:330, 45:425].min() < 40, "the frame of the picture"
    assert drawn[400:].min() == 255, "nothing below it"


def test_quoted_words_are_boxed_where_their_ink_is(tmp_path: Path) -> None:
    """This test ensures that text and picture of an OFD agree."""
    path = write_ofd(tmp_path / "a.ofd", [line_object(LINE, 30, 100, 6)])
    page = read(path)
    at = page.raw.index("批准预算")
    from index.domain import Page

    stored = Page("r", 1, page.raw, lines=page.lines, width=page.width, height=page.height)
    [box] = quote_boxes(stored, at, at + 4)
    drawn = render_page(path, 1, dpi=200)

    height, width = drawn.shape[:2]
    ink = np.argwhere(drawn.min(axis=2) < 128)
    assert ink.size, "this machine has no Chinese font"
    inside = drawn[
        int(box[1] * height) : int(box[3] * height), int(box[0] * width) : int(box[2] * width)
    ]
    assert (inside.min(axis=2) < 128).mean() > 0.05
    rows = ink[:, 0]
    assert rows.min() >= box[1] * height - 4
    assert rows.max() <= box[3] * height + 4
    assert ink[:, 1].min() == pytest.approx(30 / 210 * width, abs=12)


def test_a_seal_is_drawn_over_the_text_and_hides_nothing(tmp_path: Path) -> None:
    signature = (
        "<Signature><SignedInfo><StampAnnot ID='1' PageRef='100' Boundary='100 100 40 40'/>"
        "</SignedInfo><SignedValue>/Doc_0/Signs/S0/SignedValue.dat</SignedValue></Signature>"
    )
    listed = "<Signatures><Signature ID='1' BaseLoc='/Doc_0/Signs/S0/Signature.xml'/></Signatures>"
    path = write_ofd(
        tmp_path / "a.ofd",
        [line_object(LINE, 20, 20)],
        root="<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>",
        entries={
            "Doc_0/Signs/Signatures.xml": listed.encode(),
            "Doc_0/Signs/S0/Signature.xml": signature.encode(),
            "Doc_0/Signs/S0/SignedValue.dat": seal_value(),
        },
    )

    drawn = render_page(path, 1, dpi=100).astype(int)
    middle = drawn[int(120 / 297 * 1169), int(120 / 210 * 827)]

    assert read(path).raw == LINE
    assert middle[2] > middle[0] + 40, "red, in blue-green-red order"


def test_attachments_are_named(tmp_path: Path) -> None:
    attachments = (
        "<Attachments><Attachment ID='1' Name='清单'><FileLoc>list.xlsx</FileLoc></Attachment>"
        "</Attachments>"
    )
    path = write_ofd(
        tmp_path / "a.ofd", [line_object(LINE, 20, 20)],
        document="<ofd:Attachments>Att/Attachments.xml</ofd:Attachments>",
        entries={"Doc_0/Att/Attachments.xml": attachments.encode()},
    )  # fmt: skip

    [note] = OfdReader(path, drawable=True).notes

    assert "清单.xlsx" in note.reason
    assert note.next_step


def test_wrong_paths_and_missing_parts_cost_what_is_missing_only(tmp_path: Path) -> None:
    path = write_ofd(
        tmp_path / "a.ofd",
        [line_object(LINE, 20, 20)],
        declared_folder="Seiten/wrong",
        document="<ofd:Attachments>nowhere.xml</ofd:Attachments>",
        root="<ofd:Signatures>missing.xml</ofd:Signatures>",
        page_heads={0: '<ofd:Template TemplateID="404"/>'},
    )

    assert read(path).raw == LINE
    assert page_jpeg(path, 1, 640)[:2] == b"\xff\xd8"


def test_encrypted_files_are_named_as_such(tmp_path: Path) -> None:
    marked = write_ofd(
        tmp_path / "a.ofd", [""], entries={"Doc_0/Encryptions.xml": b"<Encryptions/>"}
    )
    declared = write_ofd(tmp_path / "b.ofd", [""], root="<ofd:Encryptions>x</ofd:Encryptions>")
    for path in (marked, declared):
        with pytest.raises(PasswordError, match=r"加密") as caught:
            OfdReader(path, drawable=True)
        assert "OFD 阅读器" in caught.value.next_step
        with pytest.raises(LockedDocumentError), open_document(path):
            pass
        with pytest.raises(LockedOfdError):
            OfdFile(path, path.name)


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b"<x>" * 10_000 + b"</x>" * 10_000,
        b"<x><y></x>",
        b"",
        b'<?xml version="1.0" encoding="gbk"?><x>\xff\xff</x>',
    ],
    ids=["document type", "depth", "not well formed", "empty", "wrong encoding"],
)
def test_hostile_xml_is_refused(xml: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        parse_xml(xml)


def test_xml_in_a_chinese_encoding_is_read() -> None:
    xml = '<?xml version="1.0" encoding="GB2312"?><甲 乙="丙">镕</甲>'.encode("gb18030")

    root = parse_xml(xml)

    assert (root.tag, root.get("乙"), root.text) == ("甲", "丙", "镕")


def test_units_that_hold_themselves_end(tmp_path: Path) -> None:
    again = '<ofd:CompositeObject ID="8" ResourceID="7" Boundary="0 0 9 9"/>'
    unit = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="7">'
        f"<ofd:Content>{rule(1, 1, 5, 0)}{again * 30}</ofd:Content>"
        "</ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    path = write_ofd(tmp_path / "a.ofd", [again], resources=unit)

    page = read(path)

    assert "没有读全" in page.problem
    assert page.raw == ""
    assert render_page(path, 1, dpi=20).size


@pytest.mark.parametrize("box", ["0 0 1e30 1e30", "0 0 -5 -5", "0 0 nan inf", "0 0 0.001 9e9", "x"])
def test_absurd_pages_are_drawn_small_or_as_usual(tmp_path: Path, box: str) -> None:
    path = write_ofd(tmp_path / "a.ofd", [line_object(LINE, 20, 20)], box=box)

    drawn = render_page(path, 1)

    assert max(drawn.shape) <= 4000
    assert page_jpeg(path, 1, 640)


def test_absurd_numbers_do_not_stop_the_page(tmp_path: Path) -> None:
    body = (
        line_object("坏", 20, 20, 1e300)
        + line_object("坏", 1e300, -1e300)
        + '<ofd:TextObject Size="-1" Boundary="a b c d"><ofd:TextCode X="nan">坏</ofd:TextCode></ofd:TextObject>'
        + '<ofd:TextObject Size="5"><ofd:TextCode DeltaX="g 99999999999 1">坏的</ofd:TextCode></ofd:TextObject>'
        + '<ofd:PathObject CTM="1e300 0 0 1e300 1e300 1" Boundary="0 0 1 1"><ofd:AbbreviatedData>'
        "M 0 0 L 1e300 1e300 A 0 0 0 1 1 nan 5 B 1 2 3 C C C Q</ofd:AbbreviatedData></ofd:PathObject>"
        + '<ofd:ImageObject ResourceID="77" Boundary="0 0 1 1" CTM="0 0 0 0 0 0"/>'
        + line_object(LINE, 20, 100)
    )
    path = write_ofd(tmp_path / "a.ofd", [body])

    assert LINE in read(path).raw
    assert render_page(path, 1, dpi=72).size


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write_ofd(tmp_path / "a.ofd", [""], entries={"Doc_0/big.bin": b"\0" * 40_000_000})

    with pytest.raises(SourceReadError, match="压缩炸弹"):
        OfdReader(path, drawable=True)
    with pytest.raises(RenderError, match="压缩炸弹"), open_document(path):
        pass


def test_damaged_packages_are_named(tmp_path: Path) -> None:
    whole = write_ofd(tmp_path / "a.ofd", [line_object(LINE, 20, 20)]).read_bytes()
    short = tmp_path / "short.ofd"
    short.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceReadError, match="损坏"):
        OfdReader(short, drawable=True)

    empty = tmp_path / "empty.ofd"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("OFD.xml", "<OFD/>")
    with pytest.raises(SourceReadError, match="没有页面"):
        OfdReader(empty, drawable=True)


def test_a_missing_page_costs_that_page(tmp_path: Path) -> None:
    path = write_ofd(tmp_path / "a.ofd", [line_object(LINE, 20, 20)] * 2)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    del files["Doc_0/Pages/P1.xml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)

    assert read(path).raw == LINE
    with pytest.raises(PackageError, match=r"缺少.*P1\.xml"):
        read(path, 2)


def test_without_a_chinese_font_the_page_is_shown_as_text(tmp_path: Path) -> None:
    path = write_ofd(tmp_path / "a.ofd", [line_object(LINE, 20, 20)])

    page = OfdReader(path, drawable=False).read_page(1)

    assert page.raw == LINE
    assert (page.width, page.lines) == (0.0, ())


def test_curves_and_arcs_stay_on_their_course(tmp_path: Path) -> None:
    body = (
        '<ofd:PathObject Boundary="0 0 100 100" Fill="true" Stroke="false">'
        '<ofd:FillColor Value="255 0 0"/><ofd:AbbreviatedData>'
        "M 10 50 A 40 40 0 1 1 90 50 A 40 40 0 1 1 10 50 C "
        "M 30 50 B 30 40 70 40 70 50 Q 50 80 30 50 C</ofd:AbbreviatedData></ofd:PathObject>"
    )
    path = write_ofd(tmp_path / "a.ofd", [body], box="0 0 100 100")

    with OfdFile(path, "a.ofd") as file:
        [shape] = file.page(1).items
    drawn = render_page(path, 1, dpi=254)  # ten pixels a millimetre

    assert isinstance(shape, Shape)
    assert not isinstance(shape, Text)
    assert len(shape.rings) == 2
    red = (drawn[..., 2] > 200) & (drawn[..., 0] < 60)
    assert red[150, 500], "inside the disc"
    assert not red[520, 500], "the hole in it"
    assert not red[50, 50], "outside"
    assert abs(red.mean() - (3.14159 * 0.16 - 0.06)) < 0.06
