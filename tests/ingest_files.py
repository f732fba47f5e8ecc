"""Small files for the ingest tests, made on the spot: no fonts, no network, nothing stored."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

from index.settings import Settings, load_settings
from index.store import Store


def open_home(folder: Path, **flags: object) -> tuple[Store, Settings]:
    """A fresh store with its settings; two computing threads unless said otherwise."""
    settings = load_settings(folder, {"threads": 2, **flags}, {})
    return Store(settings.database_path, create=True), settings


def pdf(bodies: Sequence[bytes], *, damage: int = 0, info: bytes = b"") -> bytes:
    """A PDF of these objects, the first one its catalogue.

    Args:
        bodies: Objects 1, 2, …
        damage: Added to every offset of the cross-reference table.
        info: One more object, the document's information; none when empty.
    """
    objects = [*bodies, info] if info else list(bodies)
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    out += b"".join(b"%010d 00000 n \n" % (place + damage) for place in places)
    entry = b" /Info %d 0 R" % len(objects) if info else b""
    out += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size, entry, start + damage,
    )  # fmt: skip
    return bytes(out)


def write_text_pdf(path: Path, pages: Sequence[Sequence[str]], *, title: str = "") -> Path:
    """A PDF with a text layer in a Chinese standard font that is not embedded.

    Args:
        path: Where to write it.
        pages: Lines of each page, top to bottom, 24 points apart, first one at the top.
        title: Document title, none when empty.
    """
    objects: list[bytes] = [b"", b""]  # 1 catalogue and 2 page tree, filled in below
    objects.append(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        b" /DescendantFonts [4 0 R] >>"
    )
    objects.append(
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo"
        b" << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> /DW 1000 /FontDescriptor 5 0 R >>"
    )
    objects.append(
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
        b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
    )
    kids = []
    for lines in pages:
        body = b"BT /F1 12 Tf\n"
        for place, line in enumerate(lines):
            shown = line.encode("utf-16-be").hex().encode()
            body += b"1 0 0 1 72 %d Tm <%s> Tj\n" % (780 - 24 * place, shown)
        body += b"ET"
        packed = zlib.compress(body)
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
        )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    info = b"<< /Title <feff%s> >>" % title.encode("utf-16-be").hex().encode() if title else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pdf(objects, info=info))
    return path


def write_scan(path: Path, pages: Sequence[Sequence[str]]) -> Path:
    """A picture (or PDF of pictures) of lines in Latin letters and digits, as a scanner makes it."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=44)
    pictures = []
    for lines in pages:
        picture = Image.new("RGB", (1240, 1754), "white")
        draw = ImageDraw.Draw(picture)
        for place, line in enumerate(lines):
            draw.text((120, 140 + 90 * place), line, fill="black", font=font)
        pictures.append(picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pdf":
        pictures[0].save(path, "PDF", save_all=True, append_images=pictures[1:], resolution=150)
    else:
        pictures[0].save(path, dpi=(150, 150))
    return path


def write_workbook(
    path: Path,
    sheets: dict[str, Sequence[Sequence[object]]],
    *,
    merged: Sequence[str] = (),
    hidden: Sequence[str] = (),
) -> Path:
    """An .xlsx with these sheets; `merged` ranges in each of them, some sheets hidden."""
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cells in merged:
            sheet.merge_cells(cells)
        if name in hidden:
            sheet.sheet_state = "hidden"
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(path)
    return path


def write_self_drawing_pdf(path: Path) -> Path:
    """Two pages: one draws itself for ever and kills PDFium, the other is sound."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
        b" /Resources << /XObject << /F 5 0 R >> >> /Contents 4 0 R >>",
        b"<< /Length 5 >>\nstream\n/F Do\nendstream",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842]"
        b" /Resources << /XObject << /F 5 0 R >> >> /Length 11 >>\nstream\n/F Do /F Do\nendstream",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 7 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length 75 >>\nstream\n"
        b"BT /F1 12 Tf 72 700 Td (A sound page with more than thirty letters 2018) Tj ET\nendstream",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pdf(bodies))
    return path


def write_xls(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """An .xls (BIFF8) with these sheets, under whatever name."""
    import xlwt

    workbook = xlwt.Workbook(encoding="utf-8")
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write(at, column, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        workbook.save(file)
    return path


def write_ods(path: Path, sheets: dict[str, Sequence[Sequence[str]]], extra: bytes = b"") -> Path:
    """An .ods of text cells; `extra` is put after the rows of every sheet."""
    import zipfile
    from xml.sax.saxutils import escape

    body = b""
    for name, rows in sheets.items():
        body += f'<table:table table:name="{escape(name)}">'.encode()
        for row in rows:
            cells = "".join(
                f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p>'
                "</table:table-cell>"
                for cell in row
            )
            body += f"<table:table-row>{cells}</table:table-row>".encode()
        body += extra + b"</table:table>"
    spaces = "".join(
        f' xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{p}:1.0"'
        for p in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces}><office:body>'
        "<office:spreadsheet>".encode() + body
        + b"</office:spreadsheet></office:body></office:document-content>"
    )  # fmt: skip
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path


def write_dbf(
    path: Path, fields: str, rows: Sequence[tuple[object, ...]], *, marked: bool = True
) -> Path:
    """A dBase III table in GBK; unmarked, it says nothing of its encoding as DOS programs did."""
    import dbf

    path.parent.mkdir(parents=True, exist_ok=True)
    table = dbf.Table(str(path), fields, codepage="cp936", dbf_type="db3")
    table.open(dbf.READ_WRITE)
    for row in rows:
        table.append(row)
    table.close()
    if not marked:
        body = bytearray(path.read_bytes())
        body[29] = 0
        path.write_bytes(bytes(body))
    return path
