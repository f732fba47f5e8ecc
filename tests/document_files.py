"""OFD, Word, web and picture files made on the spot for the format tests; all texts invented."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def line_object(
    text: str, x: float, y: float, size: float = 5.0, *, delta: str | None = None, more: str = ""
) -> str:
    """A TextObject with one TextCode whose base line begins at (x, y + 0.88 size)."""
    if delta is None:
        delta = f"g {max(1, len(text) - 1)} {size}"
    return (
        f'<ofd:TextObject ID="1" Font="9" Size="{size}"'
        f' Boundary="{x} {y} {size * (len(text) + 1)} {size * 1.2}" {more}>'
        f'<ofd:TextCode X="0" Y="{0.88 * size}" DeltaX={quoteattr(delta)}>{escape(text)}'
        "</ofd:TextCode></ofd:TextObject>"
    )


def rule(x: float, y: float, width: float, height: float) -> str:
    """A straight line from (x, y)."""
    return (
        f'<ofd:PathObject ID="2" Boundary="{x} {y} {max(width, 0.3)} {max(height, 0.3)}"'
        f' LineWidth="0.3"><ofd:AbbreviatedData>M 0 0 L {width} {height}</ofd:AbbreviatedData>'
        "</ofd:PathObject>"
    )


def write_ofd(
    path: Path,
    pages: Sequence[str],
    *,
    templates: Mapping[str, str] | None = None,
    page_heads: Mapping[int, str] | None = None,
    resources: str = "",
    document: str = "",
    root: str = "",
    entries: Mapping[str, bytes] | None = None,
    box: str = "0 0 210 297",
    page_folder: str = "Pages",
    declared_folder: str | None = None,
) -> Path:
    """An OFD package.

    Args:
        path: Where to write it.
        pages: Objects of each page, inside one layer.
        templates: Objects of template pages by id.
        page_heads: XML put before the content of a page, by place from 0 (`<ofd:Template …/>`).
        resources: Elements of DocumentRes.xml.
        document: Elements added to Document.xml.
        root: Elements added to DocBody.
        entries: Further entries of the package.
        box: Physical box of the document.
        page_folder: Folder the pages are in.
        declared_folder: Folder Document.xml says they are in; the same when None.
    """
    declared = page_folder if declared_folder is None else declared_folder
    listed = "".join(
        f'<ofd:Page ID="{100 + i}" BaseLoc="{declared}/P{i}.xml"/>' for i in range(len(pages))
    )
    named = "".join(
        f'<ofd:TemplatePage ID="{key}" BaseLoc="Tpls/{key}.xml"/>' for key in templates or {}
    )
    files: dict[str, bytes | str] = {
        "OFD.xml": f"<ofd:OFD {_NS} Version='1.0' DocType='OFD'><ofd:DocBody>{root}"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_NS}><ofd:CommonData>{named}<ofd:PageArea>"
        f"<ofd:PhysicalBox>{box}</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes></ofd:CommonData>"
        f"<ofd:Pages>{listed}</ofd:Pages>{document}</ofd:Document>",
        "Doc_0/DocumentRes.xml": f"<ofd:Res {_NS} BaseLoc='Res'>{resources}</ofd:Res>",
    }
    for place, body in enumerate(pages):
        head = (page_heads or {}).get(place, "")
        files[f"Doc_0/{page_folder}/P{place}.xml"] = (
            f"<ofd:Page {_NS}>{head}<ofd:Content><ofd:Layer>{body}</ofd:Layer></ofd:Content>"
            "</ofd:Page>"
        )
    for key, body in (templates or {}).items():
        files[f"Doc_0/Tpls/{key}.xml"] = (
            f"<ofd:Page {_NS}><ofd:Content><ofd:Layer>{body}</ofd:Layer></ofd:Content></ofd:Page>"
        )
    files.update(entries or {})
    return write_zip(path, files)


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """A zip with these entries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def picture_bytes(kind: str = "PNG", size: tuple[int, int] = (400, 300)) -> bytes:
    """A picture with a black frame."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).rectangle((5, 5, size[0] - 6, size[1] - 6), outline="black", width=8)
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def seal_value() -> bytes:
    """A signed value whose picture is a red disc; only the picture in it is real."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(picture).ellipse((10, 10, 190, 190), fill=(220, 0, 0))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return b"\x30\x82\x01\x00SEAL\x04" + out.getvalue() + b"\x00" * 40


def write_docx(path: Path, body: str = "", *, edit: Mapping[str, str] | None = None) -> Path:
    """A .docx made by python-docx whose body is replaced by WordprocessingML.

    Args:
        path: Where to write it.
        body: Elements of the body, prefixes `w:`, `mc:`, `wps:` and `v:` bound.
        edit: Further entries by name; `{NS}` in them stands for the declarations.
    """
    from docx import Document

    made = io.BytesIO()
    Document().save(made)
    spaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
        ' xmlns:v="urn:schemas-microsoft-com:vml"'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    )
    files: dict[str, bytes | str] = {}
    with zipfile.ZipFile(made) as archive:
        for name in archive.namelist():
            files[name] = archive.read(name)
    files["word/document.xml"] = (
        f"<w:document {spaces}><w:body>{body}<w:sectPr/></w:body></w:document>"
    )
    for name, text in (edit or {}).items():
        files[name] = text.replace("{NS}", spaces)
    return write_zip(path, files)


def paragraph(text: str, style: str = "", more: str = "") -> str:
    """A paragraph of WordprocessingML."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{more}</w:pPr><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of WordprocessingML."""
    body = "".join(
        "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{body}</w:tbl>"
