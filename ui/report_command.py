"""`chadang report`: the report of an ingest run, to be printed, counted and filed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.errors import ArchiveError
from index.settings import Settings

if TYPE_CHECKING:
    from ui.arguments import ChineseParser

SUMMARY: Final = "入库报告：列出、另存为可打印的网页或表格"
DETAILS: Final = (
    "每次入库结束时，报告已写在馆藏目录的 reports 里（.html 可打印，.xlsx 可排序）。\n"
    "不写选项就显示最近一次的概况和报告在哪里。"
)


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.options.add_argument(
        "--run", dest="number", type=int, metavar="N", help="第几次入库，默认最近一次"
    )
    parser.options.add_argument("--html", type=Path, metavar="文件", help="另存为可打印的网页")
    parser.options.add_argument("--xlsx", type=Path, metavar="文件", help="另存为表格")
    parser.options.add_argument("--list", action="store_true", help="列出全部报告")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        True; what cannot be done is an error.

    Raises:
        IngestError: If there is no such report.
        ArchiveError: If a file cannot be written.
    """
    from ingest import run_tables
    from ingest.run_files import filed_reports, read_report
    from ingest.run_html import report_html
    from ui.terminal import printable, table

    if options.list:
        filed = filed_reports(settings.home)
        for each in filed:
            say(f"第 {each.run} 次  {each.at}  {each.html}")
        if not filed:
            say("还没有入库报告。请先运行 chadang ingest 目录。")
        return True
    report = read_report(settings.home, options.number)
    if options.html is not None:
        page = report_html(report, settings.text("archive_name"))
        _write(options.html, page.encode(), say)
    if options.xlsx is not None:
        _write(options.xlsx, run_tables.report_workbook(report), say)
    if options.html is None and options.xlsx is None:
        say(printable(table(run_tables.overview(report))) + "\n")
        say(printable(table(run_tables.totals(report))) + "\n")
        where = next(f for f in filed_reports(settings.home) if f.run == report.run)
        say(f"可打印：{where.html}\n可排序：{where.xlsx}")
    return True


def _write(path: Path, content: bytes, say: Callable[[str], None]) -> None:
    try:
        path.expanduser().write_bytes(content)
    except OSError as error:
        msg = f"写不进 {path}：{error}。请检查路径和权限。"
        raise ArchiveError(msg) from error
    say(f"已存为 {path}")
