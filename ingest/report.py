"""What an ingest run did, in Chinese, for the terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from index.domain import IngestReport, Skipped
from ingest.progress import duration_words


class Concern(StrEnum):
    """What there is to check about a record; values are the headings of the filed report."""

    CATALOGUE = "目录填写"
    NO_FILE = "有目录没有文件"
    NO_ROW = "有文件没有目录"
    PAGES = "页数不符"
    SAME = "内容相同的文件"
    RESTRICTED = "限制利用与开放标识不一致"
    OTHER = "其他"


#: Lines of each list shown on a terminal.
_SHOWN: Final = 10


def summary_text(report: IngestReport, *, shown: int | None = _SHOWN) -> str:
    """The report as text.

    Args:
        report: What happened.
        shown: Entries of each list to show; None for all of them.
    """
    lines = [
        f"入库完成，用时 {duration_words(report.seconds)}。",
        f"目录 {report.catalogue_rows} 条；"
        f"新增 {report.records_added} 件，更新 {report.records_updated} 件，"
        f"移除 {report.records_removed} 件，未变 {report.unchanged} 件。",
        f"读取页面：文字层 {report.pages_layer} 页，识别 {report.pages_ocr} 页，"
        f"文本文件 {report.pages_file} 页，不可读 {report.pages_unreadable} 页；"
        f"切分段落 {report.passages} 个。",
    ]
    if report.layers_kept or report.layers_replaced or report.pages_turned:
        lines.append(
            f"扫描件自带文字层：核对后采用 {report.layers_kept} 个文件，"
            f"不符而重新识别 {report.layers_replaced} 个文件；摆正横放、倒放的 {report.pages_turned} 页。"
        )
    lines += _list("未入库", report.skipped, shown)
    lines += _list("需要核对", report.warnings, shown)
    return "\n".join(lines)


def _list(heading: str, entries: Sequence[Skipped], shown: int | None) -> list[str]:
    if not entries:
        return []
    lines = [f"{heading} {len(entries)} 条："]
    for entry in entries[:shown]:
        step = f"。{entry.next_step}" if entry.next_step else ""
        lines.append(f"  · {entry.where}：{entry.reason}{step}。".replace("。。", "。"))
    if shown is not None and len(entries) > shown:
        lines.append(f"  其余 {len(entries) - shown} 条见报告文件")
    return lines


def report_to_json(report: IngestReport) -> dict[str, Any]:
    """A JSON form, kept in the store."""
    return dataclasses.asdict(report)
