"""Headings of catalogue tables: which row they stand in and which field each one means.

One table of aliases; a mapping file (`ingest.column_map`) can add to it for one archive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.cells import NumberedRow

HEADER_ROWS: Final = 30

#: Field of a row → headings met for it, in the spelling of `heading_key`.
#: Source: domain brief 1.4 (DA/T 18-2022, DA/T 46-2009, vendor exports with pinyin codes).
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "code": ("档号", "卷内档号", "文件档号", "档案号", "文件级档号", "件级档号", "dh", "jndh",
             "wjdh", "reference_code", "code"),
    "volume_code": ("案卷档号", "所属案卷", "所属案卷档号", "案卷级档号", "ajdh"),
    "catalogue_id": ("id", "编号", "目录编号", "电子文件号"),
    "path": ("path", "file", "file_path", "文件路径", "路径", "原文路径", "电子文件路径", "文件名",
             "电子文件名", "原文", "附件", "挂接路径", "原文名称", "影像路径"),
    "fonds": ("全宗号", "全宗代码", "qzh"),
    "catalog": ("目录号", "案卷目录号", "mlh"),
    "volume": ("案卷号", "卷号", "室编案卷号", "馆编案卷号", "ajh"),
    "item": ("件号", "室编件号", "馆编件号", "jh"),
    "order": ("顺序号", "卷内顺序号", "卷内序号", "jnsxh", "sxh"),
    "serial": ("序号", "xh"),
    "title": ("题名", "正题名", "文件题名", "文件标题", "案卷题名", "案卷标题", "标题", "卷内题名",
              "文件名称", "案卷名称", "文件题目", "案卷题目", "卷内文件题名", "文件材料题名",
              "归档文件题名", "tm", "ztm", "wjbt", "wjtm", "ajtm", "title"),
    "author": ("责任者", "责任人", "发文机关", "发文单位", "作者", "形成者", "立卷单位", "文件责任者",
               "第一责任者", "制文机关", "制发机关", "编制单位", "zrz", "organ", "author"),
    "doc_no": ("文号", "文件编号", "发文字号", "字号", "文件字号", "文件号", "发文号", "wh", "wjbh",
               "doc_no"),
    "date": ("日期", "成文日期", "形成日期", "形成时间", "文件日期", "文件时间", "文件形成时间", "文件形成日期", "成文时间", "发文日期",
             "发文时间", "年月日", "起始时间", "起止日期", "起止时间", "起止年月", "起止年月日",
             "起始日期", "日期起", "日期自", "起止日期起", "起止日期自", "起止时间起", "起止年月起",
             "起止年月日起", "rq", "cwrq", "wjrq", "qzsj", "qzrq", "qssj", "date"),
    "date_end": ("终止时间", "终止日期", "截止日期", "截止时间", "日期止", "日期至", "起止日期止",
                 "起止日期至", "起止时间止", "起止年月止", "起止年月日止", "zzsj", "zzrq"),
    "date_year": ("日期年", "成文日期年", "形成时间年", "文件日期年", "年月日年"),
    "date_month": ("日期月", "成文日期月", "形成时间月", "文件日期月", "年月日月"),
    "date_day": ("日期日", "成文日期日", "形成时间日", "文件日期日", "年月日日"),
    "year": ("年度", "归档年度", "nd", "year"),
    "retention": ("保管期限", "期限", "保管期限缩写", "bgqx", "retention"),
    "secrecy": ("密级", "保密级别", "保密等级", "秘密等级", "秘密级别", "密级及保密期限", "密级和保密期限",
                "密级与保密期限", "密级保密期限", "涉密等级", "涉密级别", "密级代码", "mj", "secrecy"),
    "opening": ("开放标识", "开放状态", "是否开放", "划控", "开放情况", "kfzt", "kfbs", "opening"),
    "publicity": ("公开属性", "公开方式", "信息公开", "publicity"),
    "department": ("机构", "机构或问题", "机构问题", "问题", "部门", "归档部门", "承办处室", "bm",
                   "department"),
    "doc_type": ("文种", "文件类型", "类型", "文件种类", "wz", "kind", "doc_type"),
    "meeting": ("届次", "会议", "会议届次", "会议名称", "届次会议", "meeting"),
    "proposers": ("代表", "领衔代表", "提出人", "提出代表", "建议人", "提案人", "代表姓名", "proposers"),
    "pages": ("页数", "总页数", "文件页数", "ys", "zys", "page_count", "pages"),
    "page_label": ("页号", "页次", "起止页号", "起页", "页码", "起页号", "起始页", "起始页号", "所在页号",
                   "所在页次", "卷内页号", "起止页码", "起始页码", "所在页码", "页号起", "起止页号起", "yh", "qsyh"),
    "page_end": ("止页", "止页号", "终止页号", "终止页", "结束页号", "页号止", "起止页号止", "zzyh"),
    "level": ("著录层级", "聚合层次", "unit_level"),
    "restricted": ("限制利用", "restricted"),
    "note": ("备注", "附注", "bz", "note"),
}  # fmt: skip
FIELD_OF: Final = {alias: field for field, names in ALIASES.items() for alias in names}

#: What a field is called towards people, in previews and in the mapping file.
LABELS: Final[Mapping[str, str]] = {
    "code": "档号", "volume_code": "案卷档号", "catalogue_id": "编号", "path": "文件路径",
    "fonds": "全宗号", "catalog": "目录号", "volume": "案卷号", "item": "件号", "order": "顺序号",
    "serial": "序号", "title": "题名", "author": "责任者", "doc_no": "文号", "date": "日期",
    "date_end": "终止日期", "date_year": "日期的年", "date_month": "日期的月",
    "date_day": "日期的日", "year": "年度", "retention": "保管期限", "secrecy": "密级",
    "opening": "开放标识", "publicity": "公开属性", "department": "机构或问题", "doc_type": "文种",
    "meeting": "届次", "proposers": "代表", "pages": "页数", "page_label": "页号",
    "page_end": "终止页号", "level": "著录层级", "restricted": "限制利用", "note": "备注",
}  # fmt: skip
FIELD_OF_LABEL: Final = {label: field for field, label in LABELS.items()}

_VOLUME_TITLES: Final = frozenset({"案卷题名", "案卷标题", "案卷名称", "案卷题目", "ajtm"})
#: A heading row must have one of these.
_NEEDED: Final = frozenset({"title", "code"})
_LONGEST_SUBHEADING: Final = 8
_PARTS_OF_DATE: Final = {"年": "date_year", "月": "date_month", "日": "date_day"}


@dataclass(frozen=True, slots=True)
class Header:
    """The heading row (or two) of a table.

    Attributes:
        first: Place of the first heading row among the rows given.
        last: Place of the last one.
        headings: What stands over each column; two rows are joined as `日期/起`.
        fields: The field of each column, empty where none is known.
        rows: The heading rows as they stand.
    """

    first: int
    last: int
    headings: tuple[str, ...]
    fields: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def has_volume_titles(self) -> bool:
        """Whether its rows are volumes by the words of the title column."""
        return any(heading_key(heading) in _VOLUME_TITLES for heading in self.headings)


def heading_key(heading: str) -> str:
    """A heading without the marks exports put around it: `题名!`, `* 题 名（必填）`."""
    text = unicodedata.normalize("NFKC", heading)
    inner = re.sub(r"\((?:必填|必著|选填|选著|年月日|yyyy.*?)\)", "", text, flags=re.IGNORECASE)
    inner = inner.replace("(", "").replace(")", "")
    return re.sub(r"[\s!*:·./、,]", "", inner).lower()


def find_header(
    rows: Sequence[NumberedRow], own: Mapping[str, str] | None = None, at: int = 0
) -> Header | None:
    """The heading row of a table: the row most of whose cells are known headings.

    Args:
        rows: The rows near the top, merged cells filled.
        own: Field by heading key, from a mapping file; goes before the aliases, and an empty
            field keeps the column raw.
        at: Row number that a mapping file names as the heading row, 0 for none.

    Returns:
        None when no row has 题名 or 档号 beside another known heading.
    """
    best: tuple[int, int] | None = None
    for place, (number, row) in enumerate(rows):
        if at:
            if number == at:
                best = (0, place)
            continue
        if place >= HEADER_ROWS:
            break
        known = {field for cell in row if (field := field_of(cell, own))}
        enough = len(known) >= 2 and known & _NEEDED
        if enough and (best is None or len(known) > best[0]):
            best = (len(known), place)
    if best is None:
        return None
    place = best[1]
    first, last = place, place
    if not at and place and _stacked(rows[place - 1][1], rows[place][1]):
        first = place - 1
    elif place + 1 < len(rows) and _subheadings(rows[place][1], rows[place + 1][1], own):
        last = place + 1
    top, low = rows[first][1], rows[last][1]
    width = max(len(top), len(low))
    headings, fields = [], []
    for column in range(width):
        upper = top[column] if column < len(top) else ""
        lower = low[column] if column < len(low) else ""
        upper, lower = upper.strip(), lower.strip()
        if first == last or upper == lower or not upper or not lower:
            heading = lower or upper
            field = field_of(heading, own)
        else:
            heading = f"{upper}/{lower}"
            field = field_of(upper + lower, own) or field_of(lower, own)
        headings.append(heading)
        fields.append(field)
    settled = tuple(_settled(headings, fields, own))
    return Header(first, last, tuple(headings), settled, tuple({tuple(top), tuple(low)}))


def field_of(heading: str, own: Mapping[str, str] | None = None) -> str:
    """The field a heading means, empty when unknown: `文件标题（内容）` is 文件标题."""
    key = heading_key(heading)
    if own and key in own:
        return own[key]
    if key in FIELD_OF:
        return FIELD_OF[key]
    bare = re.sub(r"\([^()]*\)", "", unicodedata.normalize("NFKC", heading))
    return FIELD_OF.get(heading_key(bare), "")


def _stacked(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether the row above the best one is the upper half of the same heading."""
    pairs = [(a, b) for a, b in zip(upper, lower, strict=False) if a and b]
    same = sum(a == b for a, b in pairs)
    return 0 < same < len(pairs) and all(len(a) <= 2 * _LONGEST_SUBHEADING for a, _ in pairs)


def _subheadings(upper: Sequence[str], lower: Sequence[str], own: Mapping[str, str] | None) -> bool:
    """Whether the row below the best one divides its columns (起 and 止 under 日期)."""
    cells = [(upper[i] if i < len(upper) else "", cell) for i, cell in enumerate(lower) if cell]
    if not cells or any(len(b) > _LONGEST_SUBHEADING or re.search(r"\d", b) for _, b in cells):
        return False
    if _stacked(upper, lower):
        return True
    needed = {
        i for i, cell in enumerate(upper) if field_of(cell, own) in _NEEDED
    }  # a row of data has a title or a code
    return len(cells) >= 2 and not any(i < len(lower) and lower[i] for i in needed)


def _settled(
    headings: Sequence[str], fields: list[str], own: Mapping[str, str] | None
) -> list[str]:
    """Settle which of several columns of one field is meant."""
    keys = [heading_key(heading) for heading in headings]
    if {"月", "日"} <= set(keys) and not (own and own.keys() & set(_PARTS_OF_DATE)):
        fields = [_PARTS_OF_DATE.get(k, f) for k, f in zip(keys, fields, strict=True)]
    # Where 档号 stands beside 卷内档号 the first names the record itself.
    exact = next((i for i, key in enumerate(keys) if key in ("档号", "dh")), None)
    if exact is not None and fields[exact] == "code":
        fields = ["" if f == "code" and i != exact else f for i, f in enumerate(fields)]
    return fields
