"""What an ingest run did, in Chinese, for the terminal and for a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from index.domain import IngestReport, Skipped
from ingest.progress import duration_words

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


def write_report(report: IngestReport, home: Path, now: datetime) -> Path:
    """Write the full report under `home/reports`.

    Returns:
        The file written.
    """
    folder = home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ingest-{now:%Y%m%d-%H%M%S}.txt"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"ingest-{now:%Y%m%d-%H%M%S}-{number}.txt"
    path.write_text(
        f"入库报告 {now:%Y-%m-%d %H:%M:%S}\n\n{summary_text(report, shown=None)}\n",
        encoding="utf-8",
    )
    return path


def report_to_json(report: IngestReport) -> dict[str, Any]:
    """A JSON form, kept in the store."""
    return dataclasses.asdict(report)
