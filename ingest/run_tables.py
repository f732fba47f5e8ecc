"""The filed report as tables: the sheets of the workbook, and what the page for paper shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from index.domain import Skipped
from ingest.jobs import JobState
from ingest.report import Concern
from ingest.run_report import FileRow, RunReport
from ingest.xlsx import workbook

Table = list[list[str]]

#: Columns of whole numbers, so that a spreadsheet sorts and adds them.
_NUMERIC: Final = frozenset({"页数", "页", "处", "数目", "号"})
_ENTRY: Final = ["位置", "情况", "下一步"]


def moment(iso: str) -> str:
    """An ISO time as people write it, to the second."""
    return iso[:19].replace("T", " ")


def overview(report: RunReport) -> Table:
    """Who, when, where, with what, and the totals."""
    return [
        ["项目", "内容"],
        ["第几次入库", str(report.run)],
        ["方式", report.mode],
        ["结果", report.state],
        ["来源", report.source],
        ["开始", moment(report.started)],
        ["结束", moment(report.finished)],
        *([name, version] for name, version in report.versions),
    ]


def totals(report: RunReport) -> Table:
    """The totals."""
    return [["总数", "数目"], *([name, str(value)] for name, value in report.counts)]


def files(rows: Sequence[FileRow]) -> Table:
    """One row a file."""
    return [
        ["文件", "状态", "编号", "页数", "文字来源", "识别把握", "原因", "下一步"],
        *(
            [
                row.path, row.state, row.record_id, str(row.pages), row.source,
                "" if row.confidence is None else f"{row.confidence:.1%}", row.reason,
                row.next_step,
            ]
            for row in rows
        ),
    ]  # fmt: skip


def entries(listed: Sequence[Skipped]) -> Table:
    """Places with what is the matter and what to do."""
    return [_ENTRY, *([item.where, item.reason, item.next_step] for item in listed)]


def withheld(report: RunReport) -> Table:
    """Files not read for secrecy: name and reason only."""
    secret = (JobState.WITHHELD.value, JobState.REVIEW.value)
    return [
        ["文件", "状态", "原因", "下一步"],
        *([r.path, r.state, r.reason, r.next_step] for r in report.files if r.state in secret),
    ]


def held(report: RunReport) -> Table:
    """The review list with its decisions."""
    return [
        ["号", "位置", "类别", "原因", "首次发现", "决定"],
        *(
            [
                str(h.number),
                h.place,
                h.grade,
                h.reason,
                moment(h.seen),
                "；".join(h.decisions) or "待审",
            ]
            for h in report.held
        ),
    ]


def lost_pages(report: RunReport) -> Table:
    """Pages without text."""
    return [
        ["编号", "文件", "页"],
        *([page.record_id, page.path, str(page.page)] for page in report.lost),
    ]


def personal(report: RunReport) -> Table:
    """Personal data by kind: pages and places, never the data."""
    return [
        ["个人信息", "页", "处"],
        *([kind, str(pages), str(places)] for kind, pages, places in report.personal),
    ]


def report_workbook(report: RunReport) -> bytes:
    """The report as a workbook (.xlsx); every cell is text or a whole number, none a formula."""
    concerns = [
        ["类别", *_ENTRY],
        *(
            [item.kind or Concern.OTHER.value, item.where, item.reason, item.next_step]
            for _, listed in report.concerns_by_kind()
            for item in listed
        ),
    ]
    return workbook(
        [
            ("概况", overview(report)),
            ("总数", totals(report)),
            ("文件", files(report.files)),
            ("未入库的条目", entries(report.rows_not_taken)),
            ("需要核对", concerns),
            ("涉密未读", withheld(report)),
            ("待审与决定", held(report)),
            ("没有文字的页", lost_pages(report)),
            ("个人信息", personal(report)),
        ],
        _NUMERIC,
    )


__all__ = ["Table", "report_workbook"]
