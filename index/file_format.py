"""What a file really is, by its first bytes and its directory, never by its name (格式识别)."""

from __future__ import annotations

import codecs
import re
import zipfile
from enum import StrEnum
from pathlib import Path
from typing import Final

_HEAD: Final = 65_536
#: The directory of an OLE file stands near its beginning or its end.
_OLE_REACH: Final = 4 * 1024 * 1024


class FileFormat(StrEnum):
    """Kinds of file; the values are what people are told."""

    PDF = "PDF"
    OFD = "OFD"
    DOCX = "Word 文档（docx）"
    DOC = "Word 97–2003 文档（doc、wps）"
    RTF = "RTF 文档"
    WORD_XML = "Word 2003 XML 文档"
    ODT = "OpenDocument 文本（odt）"
    XLSX = "Excel 工作簿（xlsx）"
    XLS = "Excel 97–2003 工作簿（xls、et）"
    ODS = "OpenDocument 表格（ods）"
    HTML = "网页（HTML）"
    MHTML = "单文件网页（MHT）"
    TEXT = "文本"
    JPEG = "JPEG 图像"
    PNG = "PNG 图像"
    TIFF = "TIFF 图像"
    BMP = "BMP 图像"
    GIF = "GIF 图像"
    WEBP = "WebP 图像"
    JPEG2000 = "JPEG 2000 图像"
    SLIDES = "演示文稿（ppt、pptx、odp）"
    LOCKED_OFFICE = "加密的 Office 文档"
    OLE = "OLE 复合文档"
    ZIP = "ZIP 压缩包"
    ARCHIVE = "压缩包"
    DATABASE = "数据库文件"
    EMPTY = "空文件"
    UNKNOWN = "无法识别的文件"


IMAGES: Final = frozenset(
    {
        FileFormat.JPEG,
        FileFormat.PNG,
        FileFormat.TIFF,
        FileFormat.BMP,
        FileFormat.GIF,
        FileFormat.WEBP,
        FileFormat.JPEG2000,
    }
)

_MAGIC: Final = (
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"II*\0", FileFormat.TIFF),
    (b"MM\0*", FileFormat.TIFF),
    (b"II+\0", FileFormat.TIFF),
    (b"MM\0+", FileFormat.TIFF),
    (b"GIF8", FileFormat.GIF),
    (b"\0\0\0\x0cjP  ", FileFormat.JPEG2000),
    (b"{\\rtf", FileFormat.RTF),
    (b"Rar!", FileFormat.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", FileFormat.ARCHIVE),
    (b"\x1f\x8b", FileFormat.ARCHIVE),
    (b"BZh", FileFormat.ARCHIVE),
    (b"SQLite format 3\0", FileFormat.DATABASE),
    (b"\0\1\0\0Standard", FileFormat.DATABASE),
)
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
#: Stream names in an OLE directory, the telling ones first.
_STREAMS: Final = (
    ("EncryptedPackage", FileFormat.LOCKED_OFFICE),
    ("WordDocument", FileFormat.DOC),
    ("Workbook", FileFormat.XLS),
    ("PowerPoint Document", FileFormat.SLIDES),
    ("Book", FileFormat.XLS),
)
_OPEN_DOCUMENT: Final = (
    (b"opendocument.text", FileFormat.ODT),
    (b"opendocument.spreadsheet", FileFormat.ODS),
    (b"opendocument.presentation", FileFormat.SLIDES),
)
_HTML: Final = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|title|table|div|p|center|span|style|script|h[1-6])\b",
    re.IGNORECASE | re.DOTALL,
)


def sniff(path: Path) -> FileFormat:
    """What a file is.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return FileFormat.EMPTY
    if b"%PDF-" in head[:1024]:
        return FileFormat.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _inside_zip(path)
    if head.startswith(_OLE):
        return _inside_ole(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileFormat.WEBP
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return FileFormat.BMP
    return _textual(head)


def _inside_zip(path: Path) -> FileFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.replace("\\", "/").lower() for name in archive.namelist()}
            mark = archive.read("mimetype")[:200] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, KeyError):
        return FileFormat.ZIP
    if "ofd.xml" in names or "/ofd.xml" in names:
        return FileFormat.OFD
    for kind, format_ in _OPEN_DOCUMENT:
        if kind in mark:
            return format_
    if "[content_types].xml" in names:
        for folder, format_ in (
            ("word/", FileFormat.DOCX),
            ("xl/", FileFormat.XLSX),
            ("ppt/", FileFormat.SLIDES),
        ):
            if any(name.startswith(folder) for name in names):
                return format_
    return FileFormat.ZIP


def _inside_ole(path: Path) -> FileFormat:
    with path.open("rb") as file:
        content = file.read(_OLE_REACH)
        size = path.stat().st_size
        if size > _OLE_REACH:
            file.seek(max(_OLE_REACH, size - _OLE_REACH))
            content += file.read(_OLE_REACH)
    for name, format_ in _STREAMS:
        if (name + "\0").encode("utf-16-le") in content:
            return format_
    return FileFormat.OLE


def _textual(head: bytes) -> FileFormat:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    elif b"\0" in head:
        return FileFormat.UNKNOWN
    else:
        # Only ASCII matters here, and in UTF-8, GBK and Big5 ASCII markup reads the same.
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    controls = sum(c < " " and c not in "\t\n\r\f\x1a" for c in text)
    if controls > 0.02 * len(text):
        return FileFormat.UNKNOWN
    if "<w:wordDocument" in text[:4096] or 'progid="Word.Document"' in text[:4096]:
        return FileFormat.WORD_XML
    if _HTML.match(text[:8192]):
        return FileFormat.HTML
    if re.match(
        r"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?MIME-Version:", text[:4096], re.IGNORECASE
    ):
        return FileFormat.MHTML
    return FileFormat.TEXT
