"""Text layers of PDF files, page by page; the only file that uses pypdf.

pypdf reads first, PDFium second (boxes, and the text where pypdf's is poor). A page without
usable text is marked for OCR.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from index.domain import PageChoice, TextSource
from index.rendering import (
    Document,
    LockedDocumentError,
    PageGeometry,
    RenderError,
    open_document,
    pdfium_version,
)
from ingest.alignment import align_lines
from ingest.errors import PasswordError, SourceReadError
from ingest.page_text import Note, PageText
from ingest.quality import SPARSE, TextQuality, repaired, text_quality

logger = logging.getLogger(__name__)

#: Part of the restart key and of content hashes: raise it when the reading changes.
PDF_READER: Final = "pdf-3"
MOST_PAGES: Final = 20_000
_LONGEST_PAGE: Final = 2_000_000
_COVERED: Final = 0.5
#: Pictures that cover more of a page with text on it are a scan with its own text layer.
_FULL_PAGE: Final = 0.8
_STAMP_CHARS: Final = 200
_FEWEST_STRIPS: Final = 5
_STRIP_AREA: Final = 0.03


class PdfFile:
    """An open PDF. Close it, or use it in a `with` statement."""

    notes: tuple[Note, ...] = ()

    def __init__(self, path: Path, *, pdfium_only: bool = False) -> None:
        """Open a PDF with both readers.

        Args:
            path: The file.
            pdfium_only: Leave pypdf out, after it failed on this file.

        Raises:
            PasswordError: If it asks for a password.
            SourceReadError: If neither reader can open it.
        """
        self.path = path
        self._stack = ExitStack()
        self._pypdf: Any = None
        self._document: Document | None = None
        problem = ""
        try:
            self._document = self._stack.enter_context(open_document(path))
            self.page_count = self._document.page_count
        except LockedDocumentError as error:
            msg = f"{path.name} 设有打开密码，没有读取"
            raise PasswordError(msg, "请用密码打开后另存为无密码的 PDF，再重新入库") from error
        except RenderError as error:
            problem = str(error)
        if not pdfium_only:
            self._open_pypdf(problem)
        if self._document is None and self._pypdf is None:
            self._stack.close()
            raise SourceReadError(
                problem or f"{path.name} 读不出来",
                "请检查文件能否打开；已损坏的请从原件重新扫描或复制",
            )
        if self._document is None:
            self.page_count = len(self._pypdf.pages)
        if self.page_count > MOST_PAGES:
            self._stack.close()
            msg = f"{path.name} 有 {self.page_count} 页，超过上限 {MOST_PAGES} 页"
            raise SourceReadError(msg, "请拆成几个文件后重新入库")
        self._first_reader = f"pypdf {_pypdf_version()}"
        self._second_reader = f"pdfium {pdfium_version()}"

    def _open_pypdf(self, problem: str) -> None:
        from pypdf import PdfReader

        try:
            reader = PdfReader(self.path, strict=False)
            self._stack.callback(reader.close)
            if reader.is_encrypted and not reader.decrypt(""):
                msg = f"{self.path.name} 设有打开密码，没有读取"
                raise PasswordError(msg, "请用密码打开后另存为无密码的 PDF，再重新入库")
            count = len(reader.pages)
            if self._document is not None and count != self.page_count:
                return  # a damaged page tree: PDFium rebuilt it, pypdf's numbers would not fit
            self._pypdf = reader
        except PasswordError:
            self._stack.close()
            raise
        except Exception as error:
            logger.info("pypdf cannot open %s: %s", self.path.name, error)
            if self._document is None and not problem:
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def read_page(self, file_page: int) -> PageText:
        """Read one page.

        Returns:
            The page; `needs_ocr` when its text is missing or unusable and there is something to
            look at. Never raises for a damaged page: its text is then empty and `problem` says why.
        """
        layer = self._layer(file_page)
        problem = ""
        geometry: PageGeometry | None = None
        if self._document is not None:
            try:
                geometry = self._document.geometry(file_page)
            except RenderError as error:
                problem = str(error)
        raw, engine = self._chosen(layer, geometry)
        if geometry is None:
            width, height = self._media_size(file_page)
            usable = text_quality(raw)
            good = usable.count > 0 and usable.usable
            return PageText(
                file_page, raw if good else "", TextSource.LAYER if good else TextSource.NONE,
                engine, width=0 if problem else width, height=0 if problem else height,
                problem="" if good else problem or f"第 {file_page} 页没有可读的文字",
            )  # fmt: skip
        quality = text_quality(raw)
        why = _why_ocr(quality, geometry)
        choice = PageChoice(
            why,
            round(quality.bad, 4) if quality.count else None,
            round(quality.common, 4) if quality.han else None,
        )
        if why:
            return PageText(
                file_page, "", TextSource.NONE, engine, width=geometry.width,
                height=geometry.height, needs_ocr=True, choice=choice,
            )  # fmt: skip
        if quality.count == 0:
            return PageText(
                file_page, "", TextSource.NONE, engine, width=geometry.width,
                height=geometry.height, problem="空白页",
            )  # fmt: skip
        return PageText(
            file_page,
            raw,
            TextSource.LAYER,
            engine,
            lines=align_lines(raw, geometry.text, geometry.boxes),
            width=geometry.width,
            height=geometry.height,
            hidden=geometry.invisible or geometry.image_cover > _FULL_PAGE,
            choice=choice,
        )

    def _layer(self, file_page: int) -> str:
        if self._pypdf is None:
            return ""
        try:
            text = self._pypdf.pages[file_page - 1].extract_text() or ""
        except Exception as error:  # noqa: BLE001 - one bad page must not cost the file
            logger.info("pypdf fails on page %d of %s: %s", file_page, self.path.name, error)
            return ""
        return _clean(text)

    def _chosen(self, layer: str, geometry: PageGeometry | None) -> tuple[str, str]:
        """The better of two readings of a page, and who made it."""
        if geometry is None:
            return layer, self._first_reader
        other = _clean(geometry.text)
        ours, theirs = text_quality(layer), text_quality(other)
        poor = not ours.usable or ours.count < 0.5 * theirs.count
        # pypdf writes imitation bold (each line drawn twice) twice, PDFium once.
        doubled = theirs.count >= SPARSE and ours.count >= 1.8 * theirs.count
        if theirs.count and theirs.usable and (poor or doubled):
            return other, self._second_reader
        if not ours.usable:
            for text, engine in ((layer, self._first_reader), (other, self._second_reader)):
                mended = repaired(text)
                if mended:
                    return mended, f"{engine}，编码已修正"
        return layer, self._first_reader

    def _media_size(self, file_page: int) -> tuple[float, float]:
        try:
            box = self._pypdf.pages[file_page - 1].cropbox
            return float(box.width), float(box.height)
        except Exception:  # noqa: BLE001 - a damaged page has no size
            return 0.0, 0.0


def _why_ocr(quality: TextQuality, geometry: PageGeometry) -> str:
    """Why the text layer of a page is not used, in Chinese; empty when it is."""
    if quality.count == 0:
        return "没有文字层" if geometry.has_objects else ""
    if not quality.usable:
        return (
            f"文字层是乱码（异常字符 {quality.bad:.0%}）" if quality.bad > 0.05
            else f"文字层是乱码（常用字只占 {quality.common:.0%}）"
        )  # fmt: skip
    if _is_pictured(quality.count, geometry):
        return "文字层只有零星文字（页码、印章等），正文在图像里"
    return ""


def _is_pictured(count: int, geometry: PageGeometry) -> bool:
    """Whether what a person reads on the page is in its pictures, not in its text.

    Source:
        A scan has hardly any text under a picture of the page; a stamp or address printed over it
        does not change that. A report was met whose body is hundreds of line-high pictures
        between real digits: such strips without text on them count as lines.
    """
    if count < SPARSE and geometry.image_cover > _COVERED:
        return True
    bare = sum((box[2] - box[0]) * (box[3] - box[1]) for box in geometry.bare_images)
    if count < _STAMP_CHARS and bare > _COVERED:
        return True
    strips = [box for box in geometry.bare_images if 0.005 < box[3] - box[1] < 0.05]
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in strips)
    return len(strips) >= _FEWEST_STRIPS and area > _STRIP_AREA


def _clean(text: str) -> str:
    """What a text layer says, without what no text can hold: NUL and halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text[:_LONGEST_PAGE].strip("\n")


def _pypdf_version() -> str:
    from pypdf import __version__

    return str(__version__)
