"""`chadang bench`: measure this machine; so far the recognition of scans."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from ingest.ocr_bench import PageFigures
    from ui.arguments import ChineseParser

SUMMARY: Final = "测本机识别扫描件的速度和字错率"
DETAILS: Final = (
    "chadang bench ocr 目录：逐页识别目录里的图像和 PDF，报告每秒页数、每页 CPU 秒、字错率，\n"
    "以及与只跑识别引擎相比的快慢。图像旁边有同名 .txt 时以它为准算字错率；PDF 有可靠文字层时以文字层为准。\n"
    "不写目录则用自带样本。测时请停下别的工作。"
)
_SAMPLE_PAGES: Final = 6


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "what", choices=("ocr",), metavar="项目", help="ocr：扫描件识别"
    )
    parser.positionals.add_argument(
        "folder", nargs="?", type=Path, metavar="目录", help="放扫描件的目录；不写则用自带样本"
    )
    parser.options.add_argument(
        "--pages", type=_pages, default=_SAMPLE_PAGES, metavar="N",
        help=f"最多测多少页（默认 {_SAMPLE_PAGES}）",
    )  # fmt: skip
    parser.options.add_argument(
        "--engine", choices=("auto", "openvino", "onnxruntime"), metavar="引擎",
        help="auto、openvino 或 onnxruntime（默认取设置 ocr_engine）",
    )  # fmt: skip


def _pages(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"“{text}”应是 1 或更大的整数"
        raise argparse.ArgumentTypeError(msg)
    return number


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> None:
    """Measure and print.

    Raises:
        IngestError: If there is nothing to measure on.
    """
    from ingest.ocr import PageRecognizer
    from ingest.ocr_bench import bench_pages, measure, summary
    from ingest.sample import holdings_dir

    folder = options.folder or holdings_dir()
    pages = bench_pages(folder, options.pages, known_only=options.folder is None)
    engine = options.engine or settings.text("ocr_engine")
    recognizer = PageRecognizer(settings.threads, engine)

    def told(figures: PageFigures) -> None:
        page = figures.page
        sure = "没有读出文字" if figures.confidence is None else f"把握 {figures.confidence:.2f}"
        wrong = f"，字错率 {figures.errors / figures.characters:.2%}" if figures.characters else ""
        say(
            f"  {page.path.name} 第 {page.file_page} 页：{figures.seconds:.2f} 秒"
            f"（只跑引擎 {figures.bare_seconds:.2f} 秒），{sure}{wrong}"
        )

    figures = measure(pages, recognizer, settings.number("ocr_dpi"), told)
    for line in summary(figures, recognizer.name, settings.threads):
        say(line)
