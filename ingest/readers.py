"""From a file to the reader that fits what it really is (读取方式), never what its name says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from index.domain import TextSource
from index.file_format import IMAGES, FileFormat, sniff
from index.rendering import RenderError, open_document
from ingest.errors import PasswordError, SourceReadError
from ingest.page_text import Note, PageText

_PDF_AGAIN: Final = "请用 WPS、Word 等软件打开检查，另存为 PDF 后重新入库"
#: Part of the restart key and of content hashes: raise it when the reading changes.
IMAGE_READER: Final = "image 1"

#: Suffix → what such a file should be. Others are read by their content without a word.
_EXPECTED: Final = {
    ".pdf": {FileFormat.PDF},
    ".ofd": {FileFormat.OFD},
    ".docx": {FileFormat.DOCX},
    ".doc": {FileFormat.DOC},
    ".wps": {FileFormat.DOC, FileFormat.DOCX},
    ".rtf": {FileFormat.RTF},
    ".odt": {FileFormat.ODT},
    ".xlsx": {FileFormat.XLSX},
    ".xls": {FileFormat.XLS},
    ".et": {FileFormat.XLS, FileFormat.XLSX},
    ".ods": {FileFormat.ODS},
    ".htm": {FileFormat.HTML, FileFormat.TEXT},
    ".html": {FileFormat.HTML, FileFormat.TEXT},
    ".mht": {FileFormat.MHTML},
    ".mhtml": {FileFormat.MHTML},
    ".jpg": {FileFormat.JPEG},
    ".jpeg": {FileFormat.JPEG},
    ".jfif": {FileFormat.JPEG},
    ".png": {FileFormat.PNG},
    ".tif": {FileFormat.TIFF},
    ".tiff": {FileFormat.TIFF},
    ".bmp": {FileFormat.BMP},
    ".gif": {FileFormat.GIF},
    ".webp": {FileFormat.WEBP},
    ".jp2": {FileFormat.JPEG2000},
    ".txt": {FileFormat.TEXT},
    ".md": {FileFormat.TEXT},
}
#: Under these names text or markup is no other way of saving, but a broken or wrong file.
_NEVER_MARKUP: Final = frozenset(
    suffix
    for suffix, formats in _EXPECTED.items()
    if formats & {FileFormat.PDF, FileFormat.OFD, FileFormat.DOCX, FileFormat.XLSX}
    or formats <= IMAGES
) - {".wps", ".et"}
#: Names under which plain text is a document; settings, logs and programs are text too.
_TEXTS: Final = frozenset(
    {
        "",
        ".txt",
        ".text",
        ".md",
        ".csv",
        ".tsv",
        ".jsonl",
        ".doc",
        ".htm",
        ".html",
        ".mht",
        ".mhtml",
    }
)
_TABLES: Final = frozenset({FileFormat.XLSX, FileFormat.XLS, FileFormat.ODS})
_OFFICE: Final = frozenset({FileFormat.DOC, FileFormat.RTF, FileFormat.WORD_XML, FileFormat.ODT})
_HYPERTEXT: Final = frozenset({FileFormat.HTML, FileFormat.MHTML})
_TEXT_TABLES: Final = frozenset({".csv", ".tsv"})


class Reader(Protocol):
    """An open file that gives its pages."""

    page_count: int

    @property
    def notes(self) -> Sequence[Note]:
        """What an archivist should know about the file."""

    def read_page(self, file_page: int) -> PageText:
        """Read a page, from 1."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a file is read.

    Attributes:
        format: What it is.
        group: `pdf` for files with pages of their own (PDF, OFD), `image`, or `text`.
        version: Name and version of its reader.
    """

    format: FileFormat
    group: str
    version: str


def reader_kind(path: Path) -> Kind | None:
    """How a file is read, None when there is no way to.

    Raises:
        OSError: If it cannot be opened.
    """
    format_ = _format(path)
    suffix = path.suffix.lower()
    if (format_ in _HYPERTEXT and suffix in _NEVER_MARKUP) or (
        format_ is FileFormat.TEXT and suffix not in _TEXTS
    ):
        return None
    if format_ is FileFormat.PDF:
        from ingest.pdf import PDF_READER

        return Kind(format_, "pdf", PDF_READER)
    if format_ is FileFormat.OFD:
        from ingest.ofd_text import OFD_READER

        return Kind(format_, "pdf", OFD_READER)
    if format_ in IMAGES:
        return Kind(format_, "image", IMAGE_READER)
    if format_ in _TABLES or (format_ is FileFormat.TEXT and _is_text_table(path)):
        from ingest.table_text import TABLE_READER

        return Kind(format_, "text", TABLE_READER)
    if format_ is FileFormat.TEXT:
        from ingest.plain import ENGINE

        return Kind(format_, "text", ENGINE)
    if format_ in _HYPERTEXT:
        from ingest.html import HTML_READER

        return Kind(format_, "text", HTML_READER)
    if format_ is FileFormat.DOCX or format_ in _OFFICE:
        from ingest.docx import DOCX_READER
        from ingest.office import OFFICE_READER

        own = f"{OFFICE_READER}，" if format_ in _OFFICE else ""
        return Kind(format_, "text", own + DOCX_READER)
    return None


def _is_text_table(path: Path) -> bool:
    return path.suffix.lower() in _TEXT_TABLES


def _format(path: Path) -> FileFormat:
    format_ = sniff(path)
    if format_ in _HYPERTEXT and path.suffix.lower() in (".txt", ".md"):
        return FileFormat.TEXT  # whoever saved markup as text wants to see it
    if format_ is FileFormat.TEXT and path.suffix.lower() in (".htm", ".html"):
        return FileFormat.HTML
    return format_


def why_not_taken(path: Path) -> SourceReadError | None:
    """Why a file is left out before it is tried: no document, or its reader is not installed.

    A file with the name of a document is tried even when it is broken, so that its record is
    told what is wrong with it.
    """
    try:
        refused = why_unreadable(path)
    except OSError as error:
        return SourceReadError(f"打不开：{error.strerror or error}", "请检查权限")
    known = path.suffix.lower() in _EXPECTED
    return None if known and not isinstance(refused, _NoConverterError) else refused


class _NoConverterError(SourceReadError):
    """LibreOffice is not installed."""


def why_unreadable(path: Path) -> SourceReadError | None:
    """Why a file cannot be read by what it is, and what to do; None when it may be readable.

    Raises:
        OSError: If it cannot be opened.
    """
    format_ = _format(path)
    name, suffix = path.name, path.suffix.lower()
    if format_ in _OFFICE:
        from ingest.office import NEXT_STEP, soffice

        if soffice() is None:
            msg = f"{name} 是{format_.value}，要用 LibreOffice 读取，本机没有安装"
            return _NoConverterError(msg, NEXT_STEP)
    if reader_kind(path) is not None:
        return None
    match format_:
        case FileFormat.EMPTY:
            return SourceReadError(f"{name} 是空文件（0 字节）", "请检查原件，重新复制")
        case FileFormat.LOCKED_OFFICE:
            return PasswordError(
                f"{name} 是加密的 Office 文档，没有读取",
                "请用密码打开后另存为无密码的文件，再重新入库",
            )
        case FileFormat.SLIDES:
            return SourceReadError(
                f"{name} 是{format_.value}，不能直接读取", "请另存为 PDF 后重新入库"
            )
        case FileFormat.ZIP if suffix in _EXPECTED:
            return SourceReadError(
                f"{name} 的后缀是 {suffix}，实际是 ZIP 压缩包，或文件已损坏",
                "请改后缀为 .zip 打开看看：是压缩包的，解压后入库；打不开的，从原件重新复制",
            )
        case FileFormat.ZIP | FileFormat.ARCHIVE:
            return SourceReadError(f"{name} 是压缩包，没有读取", "请解压后放入文件夹")
        case FileFormat.DATABASE:
            return SourceReadError(f"{name} 是数据库文件，不能直接读取", "请导出为 xlsx 或 csv")
        case FileFormat.OLE:
            return SourceReadError(f"{name} 是未知的 Office 文件，不能直接读取", _PDF_AGAIN)
    shown = f"（{suffix}）" if suffix else "（无后缀）"
    if suffix in _EXPECTED:
        wanted = "、".join(sorted(f.value for f in _EXPECTED[suffix]))
        found = "" if format_ is FileFormat.UNKNOWN else f"（内容是{format_.value}）"
        return SourceReadError(
            f"{name} 不是有效的{wanted}{found}，可能已损坏",
            "请检查文件能否打开，必要时从原件重新复制",
        )
    return SourceReadError(f"不支持的格式{shown}", "请另存为 PDF 后重新入库")


def seconds_to_open(path: Path) -> float:
    """How much longer than other files this one may take to open: another process reads first.

    Raises:
        OSError: If it cannot be opened.
    """
    from ingest.office import SECONDS

    return SECONDS if _format(path) in _OFFICE | _TABLES else 0.0


def open_reader(path: Path, *, careful: bool = False) -> Reader:
    """Open a file with the reader that fits its content.

    Args:
        path: The file.
        careful: Leave delicate readers out, after one failed on this file.

    Raises:
        PasswordError: If it asks for a password.
        SourceReadError: If it cannot be read; the message says why and what to do.
        OSError: If it cannot be opened.
    """
    refused = why_unreadable(path)
    if refused is not None:
        raise refused
    format_ = _format(path)
    reader = _OPENERS[_opener(path, format_)](path, format_, careful)
    expected = _EXPECTED.get(path.suffix.lower())
    if expected is None or format_ in expected:
        return reader
    step = "请改正后缀，并核对是不是要入库的那个文件"
    told = Note(f"后缀是 {path.suffix.lower()}，实际是{format_.value}，已按后者读取", step)
    return _Noted(reader, told)


def _opener(path: Path, format_: FileFormat) -> str:
    if format_ in _TABLES or (format_ is FileFormat.TEXT and _is_text_table(path)):
        return "table"
    if format_ in IMAGES:
        return "image"
    if format_ in _HYPERTEXT:
        return "html"
    return "office" if format_ in _OFFICE else format_.name.lower()


class _Noted:
    """A reader with one more note."""

    def __init__(self, reader: Reader, note: Note) -> None:
        self._reader = reader
        self.page_count = reader.page_count
        self.notes = (note, *reader.notes)
        self.read_page = reader.read_page
        self.close = reader.close


class _Pages:
    """Pages that were read in one go."""

    def __init__(self, pages: Sequence[PageText], notes: Sequence[Note] = ()) -> None:
        self._pages = pages
        self.page_count = len(pages)
        self.notes = tuple(notes)

    def read_page(self, file_page: int) -> PageText:
        return self._pages[file_page - 1]

    def close(self) -> None:
        pass


class _Picture:
    """An image file; its pages go to recognition."""

    notes: tuple[Note, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with open_document(path) as document:
                self.page_count = document.page_count
        except RenderError as error:
            step = "请检查图像能否打开，必要时重新扫描"
            raise SourceReadError(str(error), step) from error

    def read_page(self, file_page: int) -> PageText:
        with open_document(self._path) as document:
            width, height = document.size(file_page)
        return PageText(
            file_page, "", TextSource.NONE, IMAGE_READER, width=width, height=height,
            needs_ocr=True,
        )  # fmt: skip

    def close(self) -> None:
        pass


def _pdf(path: Path, _: FileFormat, careful: bool) -> Reader:
    from ingest.pdf import PdfFile

    return PdfFile(path, pdfium_only=careful)


def _ofd(path: Path, _: FileFormat, careful: bool) -> Reader:
    from index.fonts import font_file
    from ingest.ofd_text import OfdReader

    return OfdReader(path, drawable=font_file("") is not None)


def _docx(path: Path, _: FileFormat, careful: bool) -> Reader:
    from ingest.docx import read_docx

    return _Pages(*read_docx(path))


def _office(path: Path, format_: FileFormat, careful: bool) -> Reader:
    from ingest.docx import read_docx
    from ingest.office import as_docx

    with as_docx(path, format_) as made:
        return _Pages(*read_docx(made, path.name))


def _html(path: Path, _: FileFormat, careful: bool) -> Reader:
    from ingest.html import read_html

    return _Pages(read_html(path))


def _text(path: Path, _: FileFormat, careful: bool) -> Reader:
    from ingest.plain import read_text_file

    return _Pages(read_text_file(path))


def _table(path: Path, _: FileFormat, careful: bool) -> Reader:
    from ingest.table_text import read_table

    return _Pages(*read_table(path))


def _image(path: Path, _: FileFormat, careful: bool) -> Reader:
    return _Picture(path)


_OPENERS: Final[dict[str, Callable[[Path, FileFormat, bool], Reader]]] = {
    "pdf": _pdf,
    "ofd": _ofd,
    "docx": _docx,
    "office": _office,
    "html": _html,
    "text": _text,
    "table": _table,
    "image": _image,
}
