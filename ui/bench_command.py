"""`chadang bench`: measure this machine: recognition of scans, many asking at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from ingest.ocr_bench import PageFigures
    from ui.arguments import ChineseParser

SUMMARY: Final = "测本机识别扫描件的速度和字错率、多人同时提问的快慢"
DETAILS: Final = (
    "chadang bench ocr 目录：逐页识别目录里的图像和 PDF，报告每秒页数、每页 CPU 秒、字错率，\n"
    "以及与只跑识别引擎相比的快慢。图像旁边有同名 .txt 时以它为准算字错率；PDF 有可靠文字层时以文字层为准。\n"
    "不写目录则用自带样本。测时请停下别的工作。\n"
    "chadang bench load：在本机起一个网页服务，--users 个人同时提问，网页和接口各一轮，报告出错数、\n"
    "第一行和全部答复的等待时间。问的是 --questions 文件里的题；不写则样本用自带的题，别的馆藏按题名问。"
)
_USERS: Final = 50
_MOST_USERS: Final = 200
_SAMPLE_PAGES: Final = 6


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "what", choices=("ocr", "load"), metavar="项目", help="ocr：扫描件识别；load：多人同时提问"
    )
    parser.positionals.add_argument(
        "folder", nargs="?", type=Path, metavar="目录", help="放扫描件的目录；不写则用自带样本"
    )
    parser.options.add_argument(
        "--pages", type=_pages, default=_SAMPLE_PAGES, metavar="N",
        help=f"最多测多少页（默认 {_SAMPLE_PAGES}）",
    )  # fmt: skip
    parser.options.add_argument(
        "--users", type=_users, default=_USERS, metavar="N",
        help=f"load：几个人同时问（默认 {_USERS}，最多 {_MOST_USERS}）",
    )  # fmt: skip
    parser.options.add_argument(
        "--questions", type=Path, metavar="文件", help="load：问题文件，JSONL 或一行一个问题"
    )
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


def _users(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_USERS:
        msg = f"“{text}”应在 1 到 {_MOST_USERS} 之间"
        raise argparse.ArgumentTypeError(msg)
    return number


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> None:
    """Measure and print.

    Raises:
        IngestError: If there is nothing to measure on.
        BenchError: If the load cannot be put on.
    """
    if options.what == "load":
        from ui.load_bench import commit, machine, run_load

        questions = _questions(options.questions, settings)
        say(f"{machine()}；{commit()}")
        run_load(settings, questions, options.users, say)
        return
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


def _questions(file: Path | None, settings: Settings) -> list[str]:
    """Questions to ask: of a file, of the sample, or made of titles."""
    import json

    from index.store import Store
    from ui.load_bench import BenchError

    store = Store(settings.database_path)
    try:
        sample = store.meta("sample") is not None
        titles = [] if sample else [record.title for record in store.records()]
    finally:
        store.close()
    if file is None and not sample:
        asked = [f"{title}讲了什么？" for title in titles if title.strip()]
    else:
        if file is None:
            from ingest.sample import questions_file

            file = questions_file()
        try:
            lines = file.expanduser().read_text(encoding="utf-8-sig").splitlines()
            rows = [json.loads(x) if x.startswith("{") else {"question": x} for x in lines]
            asked = [str(row["question"]) for row in rows if not row.get("history")]
        except (OSError, ValueError, KeyError, AttributeError) as error:
            msg = f"问题文件 {file} 读不懂：{error}。请写成 JSONL，或一行一个问题。"
            raise BenchError(msg) from error
    asked = list(dict.fromkeys(q.strip()[:500] for q in asked if q.strip()))
    if not asked:
        msg = "没有可问的问题：馆藏是空的。请先运行 chadang ingest 目录。"
        raise BenchError(msg)
    return asked
