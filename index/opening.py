"""Opening marks (开放审核) by named archivists: results, reasons, and how they meet the catalogue.

A decision stands beside the catalogue and never changes it: the store lays the newest one over a
record when it is read, so that taking the catalogue in again loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from index.domain import Record
from index.personal import mask_record
from index.text import matching_key


class Result(StrEnum):
    """What was decided about a record. Values are the words shown to people."""

    OPEN = "开放"
    CONTROLLED = "控制"
    DELAYED = "延期开放"
    WITHDRAWN = "撤销"  # the catalogue's own mark holds again


#: What a decision may rest on, by result.
#:
#: Source:
#:     国家档案馆档案开放办法 7, 8 (reasons to delay), in the words of the domain brief, section 3.
REASONS: Final[Mapping[Result, tuple[str, ...]]] = {
    Result.OPEN: ("开放审核同意", "依法应当公布", "其他"),
    Result.CONTROLLED: ("国家秘密期限未满", "国家或社会重大利益", "知识产权或个人信息", "其他"),
    Result.DELAYED: ("国家秘密期限未满", "国家或社会重大利益", "知识产权或个人信息", "其他"),
    Result.WITHDRAWN: ("改正错误", "其他"),
}
#: The reason that needs words of its own.
OTHER: Final = "其他"

_OPEN_MARKS: Final = frozenset({"开放"})
_OPEN_PUBLICITY: Final = frozenset({"主动公开"})
#: Said of records nobody has looked at yet: no more than a blank.
_UNREVIEWED: Final = frozenset({"", "未审核", "待审核", "未审", "未鉴定"})


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest decision about one record.

    Attributes:
        batch: Number of the decision.
        result: `Result.WITHDRAWN` when the catalogue holds again.
        opening: 开放标识 of the catalogue when it was decided.
        publicity: 公开属性 of the catalogue when it was decided.
        title: Title of the record when it was decided, personal data masked.
    """

    batch: int
    result: Result
    opening: str = ""
    publicity: str = ""
    title: str = ""


def open_in_catalogue(opening: str, publicity: str) -> bool:
    """Whether a catalogue's own marks open a record; blank is closed."""
    return opening.strip() in _OPEN_MARKS or publicity.strip() in _OPEN_PUBLICITY


def conflict(record: Record, mark: Mark) -> str:
    """Why a decision and what the catalogue says today do not go together, '' when they do.

    Args:
        record: As the catalogue has it, without the decision.
        mark: The newest decision about it.
    """
    if mark.result is Result.WITHDRAWN:
        return ""
    if matching_key(mask_record(record).title) != matching_key(mark.title):
        return f"题名已变，审核时是“{mark.title}”"
    now, then = (record.opening, record.publicity), (mark.opening, mark.publicity)
    if now == then or all(text.strip() in _UNREVIEWED for text in now):
        return ""
    if open_in_catalogue(*now) == (mark.result is Result.OPEN):
        return ""
    said = "、".join(text.strip() for text in now if text.strip())
    return f"目录在审核之后改为“{said}”"


def with_mark(record: Record, mark: Mark | None) -> Record:
    """The record as it stands after a decision.

    The decision beats what the archivist saw in the catalogue when deciding, and a blank one. Where
    the catalogue has changed since and contradicts it, the stricter of the two holds until somebody
    decides again.

    Args:
        record: As the catalogue has it.
        mark: The newest decision about it, None when there is none.
    """
    if mark is None or mark.result is Result.WITHDRAWN:
        return record
    if mark.result is Result.OPEN and conflict(record, mark):
        return record
    return replace(record, opening=mark.result.value, opening_decision=mark.batch)


__all__ = [
    "OTHER",
    "REASONS",
    "Mark",
    "Result",
    "conflict",
    "open_in_catalogue",
    "with_mark",
]
