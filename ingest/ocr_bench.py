"""Speed and character error of the recognition on a few pages (`chadang bench ocr`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.domain import TextSource
from index.rendering import Document, RenderError, is_image_file, open_document
from ingest.errors import IngestError
from ingest.ocr import PageRecognizer
from ingest.pdf import PdfFile
from ingest.similarity import errors_in

_SUFFIXES: Final = frozenset({".pdf"})
#: A text layer of fewer characters is no yardstick.
_FEWEST_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class BenchPage:
    """A page to measure on.

    Attributes:
        path: Its file.
        file_page: Page number in the file, from 1.
        truth: What stands on it, empty when nobody has written it down.
    """

    path: Path
    file_page: int
    truth: str


@dataclass(frozen=True, slots=True)
class PageFigures:
    """What was measured on one page.

    Attributes:
        page: The page.
        seconds: Drawing and reading it, wall clock.
        processor_seconds: The same in seconds of all processors.
        bare_seconds: Drawing it and the engine alone, wall clock.
        bare_processor_seconds: The same in seconds of all processors.
        confidence: Mean confidence 0..1, None when nothing was read.
        errors: Characters wrong, missing or too many; 0 without truth.
        characters: Length of the truth, 0 without.
    """

    page: BenchPage
    seconds: float
    processor_seconds: float
    bare_seconds: float
    bare_processor_seconds: float
    confidence: float | None
    errors: int
    characters: int


def bench_pages(folder: Path, limit: int, *, known_only: bool = False) -> list[BenchPage]:
    """Pages to measure on, first pages of all files before second ones.

    The truth is the `.txt` of the same name beside an image, or the text layer of a PDF that has
    a trustworthy one.

    Args:
        folder: A folder with images and PDFs, or one file.
        limit: Most pages.
        known_only: Leave out pages without truth.

    Raises:
        IngestError: If there is nothing to read.
    """
    files = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    files = [f for f in files if f.suffix.lower() in _SUFFIXES or is_image_file(f)]
    pages: list[BenchPage] = []
    number = 1
    while files and len(pages) < limit:
        left = []
        for file in files:
            page = _page(file, number)
            if page is None:
                continue
            left.append(file)
            if page.truth or not known_only:
                pages.append(page)
        files, number = left, number + 1
    if not pages:
        msg = f"{folder} 里没有可识别的图像或 PDF。请给出放扫描件的文件夹，或不写文件夹用样本测。"
        raise IngestError(msg)
    return pages[:limit]


def _page(file: Path, number: int) -> BenchPage | None:
    """Page `number` of a file, None when it has none or cannot be opened."""
    try:
        if is_image_file(file):
            with open_document(file) as document:
                if number > document.page_count:
                    return None
            beside = file.with_suffix(".txt")
            has_truth = number == 1 and beside.is_file()
            truth = beside.read_text(encoding="utf-8") if has_truth else ""
            return BenchPage(file, number, truth)
        with PdfFile(file) as pdf:
            if number > pdf.page_count:
                return None
            read = pdf.read_page(number)
            layer = read.source is TextSource.LAYER and not read.hidden
            known = layer and len("".join(read.raw.split())) >= _FEWEST_CHARACTERS
            return BenchPage(file, number, read.raw if known else "")
    except (RenderError, IngestError, OSError, UnicodeDecodeError):
        return None


def measure(
    pages: Sequence[BenchPage], recognizer: PageRecognizer, dpi: int,
    progress: Callable[[PageFigures], None] = lambda figures: None,
) -> list[PageFigures]:  # fmt: skip
    """Read each page twice: with everything around the engine, and with the engine alone.

    The two take turns in going first, so that a busy machine and the engine's caches favour
    neither. One page is read before the clock starts: the engine prepares itself on the first.
    """
    with open_document(pages[0].path) as document:
        recognizer.read_page(document, dpi, pages[0].file_page)
        recognizer.read_bare(document, dpi, pages[0].file_page)
    figures = []
    for number, page in enumerate(pages):
        figures.append(_measured(page, recognizer, dpi, bare_first=number % 2 == 1))
        progress(figures[-1])
    return figures


def _measured(
    page: BenchPage, recognizer: PageRecognizer, dpi: int, *, bare_first: bool
) -> PageFigures:
    with open_document(page.path) as document:

        def bare(document: Document = document) -> None:
            recognizer.read_bare(document, dpi, page.file_page)

        before = _timed(bare) if bare_first else (0.0, 0.0)
        began = _clocks()
        read = recognizer.read_page(document, dpi, page.file_page)
        seconds, processor = _since(began)
        alone = before if bare_first else _timed(bare)
    wrong, length = errors_in(read.raw, page.truth) if page.truth else (0, 0)
    return PageFigures(
        page, seconds, processor, alone[0], alone[1], read.confidence, wrong, length
    )  # fmt: skip


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    began = _clocks()
    work()
    return _since(began)


def summary(figures: Sequence[PageFigures], engine: str, threads: int) -> Iterator[str]:
    """The figures in Chinese, line by line."""
    count = len(figures)
    seconds = sum(f.seconds for f in figures)
    processor = sum(f.processor_seconds for f in figures)
    bare = sum(f.bare_seconds for f in figures)
    bare_processor = sum(f.bare_processor_seconds for f in figures)
    yield f"引擎：{engine}，{threads} 线程，{count} 页"
    yield f"速度：{count / seconds:.2f} 页/秒，每页 {seconds / count:.2f} 秒，每页 CPU {processor / count:.2f} 秒"
    yield (
        f"只跑引擎：{count / bare:.2f} 页/秒，每页 CPU {bare_processor / count:.2f} 秒；"
        f"本程序为其 {bare / seconds:.0%}（按时钟）、{bare_processor / processor:.0%}（按 CPU）"
    )
    errors = sum(f.errors for f in figures)
    characters = sum(f.characters for f in figures)
    known = sum(f.characters > 0 for f in figures)
    if characters:
        yield f"字错率：{errors / characters:.2%}（{known} 页有对照文字，共 {characters} 字，错漏 {errors} 字）"
    else:
        yield "字错率：没有对照文字。把同名 .txt 放在图像旁边即可计算"
