"""Rows of a catalogue table below its headings, and what the lines around the table say of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from index.codes import parse_reference_code
from ingest.cells import NumberedRow
from ingest.headings import Header, field_of, find_header
from ingest.volumes import Span

_DITTO: Final = frozenset({"〃", "″", "”", "“", '"', "＂", "〞", "''", "同上", "々", "同 上"})


@dataclass(slots=True)
class Row:
    """A row of a table while its table is being settled.

    Attributes:
        number: Row number in the sheet, from 1.
        values: Text by field.
        extra: (heading, text) of the cells without a field.
        cells: The cells under the headings, repetition marks resolved.
        context: What the lines above say of it, by field.
        span: Its stamped pages in its volume.
        volume: Key of its volume.
    """

    number: int
    values: dict[str, str]
    extra: list[tuple[str, str]]
    cells: tuple[str, ...]
    context: Mapping[str, str]
    span: Span | None = None
    volume: str = ""


@dataclass(frozen=True, slots=True)
class TableRows:
    """What stands below the headings.

    Attributes:
        entries: The rows to take in.
        remarks: (row number, a word of it) of totals and remarks.
        told: (row number, text) of lines that speak for the rows below them.
        joined: Numbers of rows that go on with the title of the row above.
    """

    entries: tuple[Row, ...]
    remarks: tuple[tuple[int, str], ...]
    told: tuple[tuple[int, str], ...]
    joined: tuple[int, ...] = ()


def table_rows(
    rows: Sequence[NumberedRow],
    header: Header,
    context: Mapping[str, str],
    own: Mapping[str, str],
) -> TableRows:
    """Read the rows below the headings; every row with content ends in one of the lists.

    Printed tables repeat their headings on every page, and one sheet may hold several volumes one
    below the other, each with its own 案卷号 line and headings. A repeated heading row alone is passed over.

    Args:
        rows: The rows below the headings.
        header: The headings.
        context: What holds for every row, see `context_of`.
        own: Field by heading key, from a mapping file.
    """
    found: list[Row] = []
    remarks: list[tuple[int, str]] = []
    told: list[tuple[int, str]] = []
    headings, fields = header.headings, header.fields
    printed = {tuple(c for c in dict.fromkeys(cells) if c) for cells in header.rows}
    said = dict(context)
    above: list[str] = []
    joined: list[int] = []
    last = 0  # number of the newest row taken in
    for number, row in rows:
        texts = [cell for cell in dict.fromkeys(row) if cell]
        if not texts:
            continue
        if tuple(texts) in printed:
            above = []
            continue
        if _mostly(texts, _may_be_heading) and _mostly(
            texts, lambda text: bool(field_of(text, own))
        ):
            again = find_header([(number, row)], own)
            if again is not None:
                headings, fields = again.headings, again.fields
                above = []
                continue
        if _LABEL.match(texts[0]) and (more := context_of([row])):
            said = {**said, **more}
            told.append((number, "，".join(texts)))
            continue
        cells = [row[i] if i < len(row) else "" for i in range(max(len(headings), len(row)))]
        if found and number == last + 1 and (place := _goes_on(cells, fields, found[-1])) >= 0:
            entry = found[-1]
            text = entry.values["title"] + cells[place]
            entry.values["title"] = above[place] = text
            entry.cells = tuple(above[: len(header.headings)])
            joined.append(number)
            last = number
            continue
        for i, cell in enumerate(cells):
            if cell in _DITTO:
                cells[i] = above[i] if i < len(above) else ""
        above = cells
        values: dict[str, str] = {}
        extra: list[tuple[str, str]] = []
        for i, cell in enumerate(cells):
            name = fields[i] if i < len(fields) else ""
            heading = headings[i] if i < len(headings) else ""
            if not cell:
                continue
            if name and values.setdefault(name, cell) == cell:
                continue
            extra.append((heading or f"第 {i + 1} 列", cell))
        alone = len(values) + len(extra) < 2
        known = {"title", "code", "path", "doc_no"} & values.keys()
        if alone and (not known or _REMARK.match(texts[0])):
            remarks.append((number, texts[0]))
            continue
        counted = (values.get(name, "") for name in ("serial", "order", "item"))
        total = _TOTAL.fullmatch(values.get("title", texts[0])) or any(
            map(_FOOT.fullmatch, counted)
        )
        if "code" not in values and total:
            remarks.append((number, texts[0]))
            continue
        shown = tuple(cells[: len(header.headings)])
        found.append(Row(number, values, extra, shown, said))
        last = number
    return TableRows(tuple(found), tuple(remarks), tuple(told), tuple(joined))


def _goes_on(cells: Sequence[str], fields: Sequence[str], above: Row) -> int:
    """The column of a title that goes on from the row above, -1 when the row is one of its own.

    Tables typed off printed ones break a long title over two rows; nothing else stands in the
    second. A heading of a group of rows stands alone too, but is counted or named as such.
    """
    filled = [place for place, cell in enumerate(cells) if cell]
    if len(filled) != 1 or filled[0] >= len(fields) or fields[filled[0]] != "title":
        return -1
    text = cells[filled[0]]
    numbered = {"code", "order", "item", "serial"} & above.values.keys()
    if not numbered or "title" not in above.values or text in _DITTO:
        return -1
    return -1 if _GROUP.match(text) or _REMARK.match(text) or _TOTAL.fullmatch(text) else filled[0]


#: `一、会议文件`, `（二）建议`, `第一部分`, `综合类`: a heading within the table.
_GROUP: Final = re.compile(
    r"[(（]?[一二三四五六七八九十0-9]{1,3}[)）、.．]|第[一二三四五六七八九十0-9]{1,3}[部编章类]|.{1,12}类$"
)


#: `填表人：某某`, `说明：…` on a line of its own.
_REMARK: Final = re.compile(r"[\u4e00-\u9fff]{1,8}[:：]")


def _mostly(texts: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return len(texts) >= 2 and sum(map(holds, texts)) * 5 >= 4 * len(texts)


def _may_be_heading(text: str) -> bool:
    """A quick look before the real one, which takes ten times as long."""
    return len(text) <= 20 and not _DIGIT.search(text)


_DIGIT: Final = re.compile(r"[0-9]")
_TOTAL: Final = re.compile(
    r"(?:本[页卷]|以上)?(?:合计|总计|小计|共计|累计)[:：]?.{0,20}|共\s*\d+\s*[件页卷条].{0,10}"
)
#: In the column of running numbers: the last rows of a printed list.
_FOOT: Final = re.compile(
    r"(?:本[页卷])?(?:合计|总计|小计|共计|累计)|(?:卷内)?备考表|(?:本卷情况)?说明|备注|[填立检][表卷查](?:人|时间)"
)
_CODE_VALUE: Final = r"[A-Za-z0-9][A-Za-z0-9·.\-—]{0,40}"
#: How a line that speaks for the rows below it begins.
_LABEL: Final = re.compile(
    r"\s*(?:全宗(?:号|名称)|目录号|案卷号|案卷题名|(?:案卷)?档号|年度|保管期限)\s*(?:[:：]|$)"
)
#: What stands in the rows above the headings: `全宗号：0012  目录号：1  案卷号：35`.
_CONTEXT: Final = (
    ("volume_code", re.compile(rf"(?:案卷)?档号\s*[:：]?\s*({_CODE_VALUE})")),
    ("fonds", re.compile(r"全宗(?:号|代码)\s*[:：]?\s*([A-Za-z]?\d{1,4})(?!\d)")),
    ("catalog", re.compile(r"(?<!文件)(?<!案卷文件)目录号\s*[:：]?\s*([A-Za-z]?\d{1,4})(?!\d)")),
    ("volume", re.compile(r"(?:案卷号|卷号)\s*[:：]?\s*(\d{1,5})(?!\d)|第\s*(\d{1,5})\s*卷")),
    ("year", re.compile(r"(?:年度\s*[:：]?\s*((?:19|20)\d\d)|((?:19|20)\d\d)\s*年度)")),
    ("retention", re.compile(r"(?:保管)?期限\s*[:：]?\s*(永久|长期|短期|定期\d{1,2}年?|\d{1,2}年)")),
)  # fmt: skip


def context_of(rows: Iterable[Sequence[str]]) -> dict[str, str]:
    """What rows outside the table say of all rows in it: 全宗号, 目录号, 案卷号 …"""
    found: dict[str, str] = {}
    for row in rows:
        text = "  ".join(dict.fromkeys(cell for cell in row if cell))[:400]
        for name, pattern in _CONTEXT:
            match = pattern.search(text)
            if match:
                found.setdefault(name, next(group for group in match.groups() if group))
    return found


def context_of_name(name: str, level: str) -> dict[str, str]:
    """The volume that a sheet is named after: `0012-1-35`, `案卷35`, `35`."""
    if level != "卷内文件" or not name:
        return {}
    code = parse_reference_code(name)
    if code is not None and code.volume and not code.item:
        return {"volume_code": name}
    match = re.fullmatch(r"(?:第|案卷|卷|案卷号)?\s*(\d{1,5})\s*(?:号|卷|号?案卷)?", name.strip())
    return {"volume": match[1]} if match else {}


def lost_octobers(rows: Sequence[Row]) -> list[str]:
    """`1998.10` typed into a spreadsheet becomes the number 1998.1."""
    dates = [(row.number, row.values.get("date", "")) for row in rows]
    months = [
        (number, text) for number, text in dates if re.fullmatch(r"(?:19|20)\d\d\.\d{1,2}", text)
    ]
    doubtful = [(number, text) for number, text in months if text.endswith(".1")]
    if not doubtful or any(text.endswith(".10") for _, text in months):
        return []
    return [
        f"日期栏有 {len(doubtful)} 行形如 {doubtful[0][1]}（如第 {doubtful[0][0]} 行），"
        "若原为 10 月，末尾的 0 已被表格软件去掉，请核对"
    ]
