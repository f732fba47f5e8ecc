"""The use register, the feedback and the failed searches as people read and file them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Final

from assistant.failed_searches import FailedSearch
from assistant.feedback import Feedback
from assistant.register import Check, Entry, RegisterError
from ingest.xlsx import workbook

#: Entries one workbook holds; a longer register is exported by period.
MOST_ROWS: Final = 100_000

_NUMERIC: Final = frozenset({"登记号", "件数", "复制份数", "次数", "人数", "反馈号"})
_RECORDS_IN_CELL: Final = 200
_HEADINGS: Final = (
    "登记号", "时间", "利用人", "登录名", "单位（部门）", "身份", "证件", "利用目的",
    "档号", "题名", "件数", "影像页", "方式", "复制份数", "批准人", "经办人", "利用效果",
    "事项", "提问", "理解", "结果", "途径", "来源地址", "对话", "馆藏和索引", "模型", "其他", "校验值",
)  # fmt: skip
#: What nobody but the archive's staff can fill in, by hand.
_BY_HAND: Final = "证件、经办人、利用效果三栏留空，由档案管理员填写。"


def local(at: str) -> str:
    """A stored moment as it is read here: `2026-03-01 20:00:05`."""
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def day(text: str, *, end: bool = False) -> dt.datetime | None:
    """The first moment of a day written `2026-03-01`, or of the day after; None for no day.

    Raises:
        RegisterError: If the text is neither empty nor a day.
    """
    if not text.strip():
        return None
    try:
        found = dt.date.fromisoformat(text.strip())
        if end:
            found += dt.timedelta(days=1)
        return dt.datetime.combine(found, dt.time()).astimezone()
    except (ValueError, OverflowError) as error:
        msg = f"“{text[:40]}”不是日期，请写成 2026-03-01 的样子。"
        raise RegisterError(msg) from error


def register_workbook(
    entries: Sequence[Entry], check: Check, who: str, asked: Sequence[tuple[str, str]]
) -> bytes:
    """The 登记簿: uses of records on the first sheet, every entry on the second, then the origin.

    Args:
        entries: In any order; written oldest first.
        check: State of the chain at this time; its chain value makes the filed copy an anchor.
        who: Who takes it.
        asked: (heading, value) pairs of what was searched for.

    Raises:
        RegisterError: If there are more than `MOST_ROWS`.
    """
    if len(entries) > MOST_ROWS:
        msg = f"共 {len(entries)} 条，一个文件最多 {MOST_ROWS} 条。请按时间分几次导出。"
        raise RegisterError(msg)
    ordered = sorted(entries, key=lambda entry: entry.number)
    origin = [
        ("项目", "内容"),
        *((heading, value) for heading, value in asked if value),
        ("条数", str(len(ordered))),
        ("导出人", who),
        ("导出时间", f"{dt.datetime.now().astimezone():%Y-%m-%d %H:%M}"),
        ("核对结果", check.message),
        ("末条登记号", str(check.number)),
        ("末条校验值", check.digest),
        ("说明", f"请把末条登记号和校验值随登记簿归档，日后可据以核对。{_BY_HAND}"),
    ]
    return workbook(
        (
            ("利用登记簿", [_HEADINGS, *(_row(e) for e in ordered if e.manner)]),
            ("全部登记", [_HEADINGS, *map(_row, ordered)]),
            ("说明", origin),
        ),
        _NUMERIC,
    )


def _row(entry: Entry) -> tuple[str, ...]:
    shown = entry.records[:_RECORDS_IN_CELL]
    more = f"\n等 {entry.record_count} 件" if entry.record_count > len(shown) else ""
    pages = [f"{r.record_id}：{r.pages}" if len(shown) > 1 else r.pages for r in shown if r.pages]
    return (
        str(entry.number),
        local(entry.at),
        entry.person,
        entry.account,
        entry.department,
        entry.role,
        "",
        entry.purpose,
        "\n".join(record.record_id for record in shown) + more,
        "\n".join(record.title for record in shown),
        str(entry.record_count),
        "\n".join(pages),
        entry.manner,
        str(entry.copies),
        entry.approver,
        "",
        "",
        entry.action,
        entry.question,
        entry.reading,
        entry.outcome,
        entry.channel,
        entry.address,
        entry.conversation,
        entry.index_version,
        entry.model,
        entry.detail,
        entry.digest,
    )


def failed_workbook(found: Iterable[FailedSearch], period: str) -> bytes:
    """The failed searches of a period as a workbook."""
    rows = [
        (f.question, str(f.count), str(f.people), reasons_text(f), local(f.first), local(f.last))
        for f in found
    ]
    headings = ("问题", "次数", "人数", "原因", "第一次", "最近一次")
    return workbook(
        (("未检得的提问", [headings, *rows]), ("说明", [("项目", "内容"), ("时间", period)])),
        _NUMERIC,
    )


def feedback_workbook(items: Iterable[Feedback]) -> bytes:
    """The feedback as a workbook."""
    headings = (
        "反馈号", "时间", "姓名", "身份", "部门", "意见", "说明", "提问", "理解", "答复",
        "馆藏和索引", "设置", "处理时间", "处理人", "处理情况",
    )  # fmt: skip
    rows = [
        (
            str(f.number), local(f.at), f.person, f.role, f.department, f.verdict, f.words,
            f.question, said(f, "reading"), said(f, "answer"), said(f, "index_version"),
            said(f, "settings"), local(f.handled_at), f.handled_by, f.handled_words,
        )
        for f in items
    ]  # fmt: skip
    return workbook((("反馈", [headings, *rows]),), _NUMERIC)


def said(item: Feedback, name: str) -> str:
    """A part of a feedback's context as text; empty when it is not there."""
    value = item.context.get(name, "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def reasons_text(found: FailedSearch) -> str:
    """The reasons of a failed search with their counts, the count left out when it is one."""
    return "、".join(f"{reason}{f' {n} 次' if n > 1 else ''}" for reason, n in found.reasons)


def records_text(entry: Entry, most: int = 3) -> str:
    """Records of an entry in one line."""
    named = [
        record.record_id + (f"《{record.title}》" if record.title else "")
        + (f"第 {record.pages} 页" if record.pages else "")
        for record in entry.records[:most]
    ]  # fmt: skip
    rest = f" 等 {entry.record_count} 件" if entry.record_count > most else ""
    return "；".join(named) + rest
