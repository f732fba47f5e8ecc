"""Pages that list or describe a volume and are none of its papers: cover, 卷内文件目录, 备考表.

Taken as content they would win every question that names a title.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from index.domain import Record
from index.text import search_form

COVER: Final = "案卷封面"
CONTENTS: Final = "卷内文件目录"
REMARKS: Final = "备考表"

_NAMES: Final = (
    (COVER, re.compile(r"(?:案卷)?(?:封面|封皮|卷皮)|fm|cover", re.IGNORECASE)),
    (CONTENTS, re.compile(r"(?:卷内)?(?:文件)?目录|ml|jnml", re.IGNORECASE)),
    (REMARKS, re.compile(r"(?:卷内)?备考表?|封底|bkb|bk", re.IGNORECASE)),
)
_COLUMNS: Final = ("顺序号", "件号", "文号", "责任者", "题名", "日期", "页号", "页次", "备注")
_REMARK_WORDS: Final = (
    "立卷人",
    "检查人",
    "立卷时间",
    "互见号",
    "本卷情况说明",
    "本案卷情况",
    "整理人",
)
_COVER_WORDS: Final = (
    "全宗名称",
    "类目名称",
    "案卷题名",
    "保管期限",
    "全宗号",
    "目录号",
    "案卷号",
    "归档号",
)
_HEAD_CHARS: Final = 160
_LONGEST_COVER: Final = 300


def aid_by_name(path: str) -> str:
    """Which finding aid a page file is by its name (`封面.jpg`, `…-目录01.tif`), empty if none."""
    stem = re.sub(r"[\s\-_.·()（）]*\d{0,4}[\s\-_.()（）]*$", "", PurePosixPath(path).stem)
    last = re.split(r"[\s\-_.·()（）]", stem)[-1]
    for kind, pattern in _NAMES:
        if pattern.fullmatch(last):
            return kind
    return ""


def aid_by_text(raw: str) -> str:
    """Which finding aid a page is by its words, empty if none."""
    text = search_form(raw).text.replace(" ", "").replace("\n", "")
    head = text[:_HEAD_CHARS]
    if re.match(r"(?:案卷|卷内文件?|文件)?备考表", head) or (
        "备考表" in head and any(word in text for word in _REMARK_WORDS)
    ):
        return REMARKS
    columns = sum(word in head for word in _COLUMNS)
    if re.search(r"卷内(?:文件)?目录", head[:40]) and columns >= 3:
        return CONTENTS
    if columns >= 5 and "题名" in head and ("顺序号" in head or "页号" in head or "页次" in head):
        return CONTENTS
    if len(text) <= _LONGEST_COVER and sum(word in text for word in _COVER_WORDS) >= 4:
        return COVER
    return ""


def is_aid(record: Record, path: str, raw: str, *, several: bool) -> bool:
    """Whether a page of a record is a finding aid.

    Words alone decide for volumes only: a paper about filing quotes the same headings.

    Args:
        record: The record the page is in.
        path: The page's file.
        raw: Its text.
        several: Whether the record is made of several files, so that names tell them apart.
    """
    if several and aid_by_name(path):
        return True
    return record.unit_level == "案卷" and bool(aid_by_text(raw))


def page_order(path: str) -> int:
    """Where a page file stands among those of its volume: cover, contents, pages, remarks."""
    return {COVER: 0, CONTENTS: 1, "": 2, REMARKS: 3}[aid_by_name(path)]
