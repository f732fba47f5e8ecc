"""Text files (.txt, .md): decoding, and cutting into pages at form feeds and page markers."""

from __future__ import annotations

import codecs
import re
from itertools import pairwise
from pathlib import Path
from typing import Final

from index.domain import TextSource
from ingest.errors import SourceReadError
from ingest.page_text import PageText
from ingest.quality import text_quality

ENGINE: Final = "text 1"
LARGEST_BYTES: Final = 50_000_000
_MARKER: Final = re.compile(r"^\[第(\d{1,5})页\][^\S\n]*$", re.MULTILINE)
_HEADING_MARK: Final = re.compile(r"^#{1,6}[^\S\n]+", re.MULTILINE)
#: A title or two may stand before the first page marker; more is a page of its own.
_PREAMBLE_CHARS: Final = 300


def decode(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, UTF-16 with mark, GB18030 or (where it fits better) Big5.

    Line ends become newlines, as Python reads text files.

    Raises:
        SourceReadError: If it is not text in any of these.
    """
    text: str | None = None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _try(data, "utf-16")
    if text is None:
        text = _try(data, "utf-8-sig")
    if text is None:
        text = _try(data, "gb18030")
        if text is not None and text_quality(text).common < 0.75:
            other = _try(data, "big5")
            if other is not None and text_quality(other).common > text_quality(text).common:
                text = other
    if text is None or "\0" in text:
        msg = f"{name} 不是可读的文本（既不是 UTF-8 也不是 GB18030 编码）"
        raise SourceReadError(msg, "请用记事本打开，另存为 UTF-8 编码后重新入库")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def read_text_file(path: Path) -> list[PageText]:
    """Read a text file as pages.

    A file is one page unless form feeds or `[第n页]` lines divide it. The marker lines and the `#`
    marks of Markdown headings are furniture.

    Raises:
        SourceReadError: If the file cannot be opened, is not text or is too large.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            msg = (
                f"{path.name} 有 {size / 1e6:.0f} MB，超过文本文件上限 {LARGEST_BYTES // 10**6} MB"
            )
            raise SourceReadError(msg, "请拆成几个文件后重新入库")
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path.name} 打不开：{error.strerror or error}"
        raise SourceReadError(msg, "请检查文件是否存在、是否有读取权限") from error
    return pages_of_text(decode(data, path.name), markdown=path.suffix.lower() == ".md")


def pages_of_text(text: str, *, markdown: bool) -> list[PageText]:
    """Cut a text into pages; the pages' `raw` put end to end is the text again."""
    cuts = {0, len(text)}
    cuts |= {match.end() for match in re.finditer("\f", text)}
    markers = list(_MARKER.finditer(text))
    if markers:
        cuts |= {match.start() for match in markers[1:]}
        if len(text[: markers[0].start()].strip()) > _PREAMBLE_CHARS:
            cuts.add(markers[0].start())
    borders = sorted(cuts)
    pages: list[PageText] = []
    for start, end in pairwise(borders):
        raw = text[start:end]
        inside = [m for m in markers if start <= m.start() < end]
        furniture = [(m.start() - start, m.end() - start) for m in inside]
        if markdown:
            furniture += [m.span() for m in _HEADING_MARK.finditer(raw)]
        pages.append(
            PageText(
                file_page=len(pages) + 1,
                raw=raw,
                source=TextSource.FILE if raw.strip() else TextSource.NONE,
                engine=ENGINE,
                inner_label=inside[0].group(1) if inside else "",
                furniture=tuple(sorted(furniture)),
            )
        )
    if not text.strip():
        return [PageText(1, "", TextSource.NONE, ENGINE, problem="文件是空的")]
    return pages
