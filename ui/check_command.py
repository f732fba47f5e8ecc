"""`chadang ingest --check`: the preview on the terminal, as a workbook, as a mapping file."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from index.errors import ArchiveError
from index.settings import Settings
from ui.arguments import ChineseParser


def add_options(parser: ChineseParser) -> None:
    """Add the options of the preview to `chadang ingest`."""
    parser.options.add_argument("--check", action="store_true", help="只预览，不入库")
    parser.options.add_argument(
        "--report",
        type=Path,
        metavar="文件",
        help="与 --check 合用：把总数、问题清单、表头对照另存为 .xlsx、.html 或 .txt",
    )
    parser.options.add_argument(
        "--write-mapping",
        type=Path,
        metavar="文件",
        help="与 --check 合用：写出可修改的目录对照表（写 - 则显示在屏幕上）",
    )


def misuse(options: argparse.Namespace) -> str:
    """What is wrong with the options, empty when nothing is."""
    if not options.check and (options.report or options.write_mapping):
        return "--report 和 --write-mapping 要与 --check 合用，例如 chadang ingest --check 目录 --report 清单.xlsx。"
    if options.check and (options.force or options.no_index):
        return "--check 只预览，不能与 --force、--no-index 同时使用。"
    if options.report and options.report.suffix.lower() not in (".xlsx", ".html", ".txt"):
        return f"不能存成“{options.report.name}”。文件名请以 .xlsx、.html 或 .txt 结尾。"
    if (
        options.write_mapping
        and str(options.write_mapping) != "-"
        and options.write_mapping.exists()
    ):
        return f"{options.write_mapping} 已经存在，没有改动。请换一个文件名，或先移走它。"
    return ""


def run(
    options: argparse.Namespace, source: Path, settings: Settings, say: Callable[[str], None]
) -> bool:
    """Preview; True when something would not be taken in.

    Raises:
        ArchiveError: If a file asked for cannot be written, or the source cannot be listed.
    """
    from ingest.check import check, mapping_draft
    from ingest.check_text import check_tables, check_text
    from ui.terminal import printable

    report = check(source, settings)
    say(printable(check_text(report)))
    if options.report is not None:
        kind = options.report.suffix.lower()
        if kind == ".xlsx":
            from ingest.xlsx import workbook

            content = workbook(check_tables(report))
        elif kind == ".html":
            from ingest.run_html import tables_html

            under = f"{source}，{dt.datetime.now().astimezone():%Y-%m-%d %H:%M}，只预览，未入库"
            content = tables_html("入库预览", under, check_tables(report)).encode()
        else:
            content = (check_text(report, shown=None) + "\n").encode()
        _write(options.report, content)
        say(f"清单已存为 {options.report}")
    if options.write_mapping is not None:
        mapping = mapping_draft(report.catalogues)
        if str(options.write_mapping) == "-":
            say(printable(mapping))
        else:
            _write(options.write_mapping, mapping.encode())
            say(f"目录对照表已存为 {options.write_mapping}，改好后放在目录表旁边再预览一次。")
    return bool(report.not_taken)


def _write(path: Path, content: bytes) -> None:
    try:
        path.expanduser().write_bytes(content)
    except OSError as error:
        msg = f"写不进 {path}：{error}。请检查路径和权限。"
        raise ArchiveError(msg) from error
