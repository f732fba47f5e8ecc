"""Catalogues (目录): spreadsheet, CSV or JSON-lines rows in, records out, nothing silently.

Headings are recognised through one table of aliases; what is not recognised is kept in
`Record.extra`. Rows marked 秘密, 机密 or 绝密 are never taken in.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from index.access import is_restricted
from index.codes import parse_date
from index.domain import Record, Skipped
from ingest.errors import CatalogueError, SourceReadError
from ingest.plain import decode

CATALOGUE_SUFFIXES: Final = frozenset({".xlsx", ".csv", ".tsv", ".jsonl"})
_LARGEST_BYTES: Final = 500_000_000
_HEADER_ROWS: Final = 15

#: Field of a row → headings met for it, in the spelling of `_heading_key`.
#: Source: domain brief 1.4 (DA/T 18-2022, DA/T 46-2009, vendor exports with pinyin codes).
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "code": ("档号", "卷内档号", "案卷档号", "文件档号", "档案号", "dh", "jndh", "ajdh",
             "reference_code", "code"),
    "catalogue_id": ("id", "编号", "目录编号", "电子文件号"),
    "path": ("path", "file", "file_path", "文件路径", "路径", "原文路径", "电子文件路径", "文件名",
             "电子文件名", "原文", "附件"),
    "fonds": ("全宗号", "qzh"),
    "catalog": ("目录号", "案卷目录号", "mlh"),
    "volume": ("案卷号", "卷号", "室编案卷号", "馆编案卷号", "ajh"),
    "item": ("件号", "室编件号", "馆编件号", "jh"),
    "order": ("顺序号", "卷内顺序号", "jnsxh", "sxh"),
    "serial": ("序号", "xh"),
    "title": ("题名", "正题名", "文件题名", "文件标题", "案卷题名", "案卷标题", "标题", "卷内题名",
              "tm", "ztm", "wjbt", "ajtm", "title"),
    "author": ("责任者", "责任人", "发文机关", "发文单位", "作者", "形成者", "立卷单位", "zrz",
               "organ", "author"),
    "doc_no": ("文号", "文件编号", "发文字号", "字号", "文件字号", "文件号", "wh", "wjbh", "doc_no"),
    "date": ("日期", "成文日期", "形成日期", "形成时间", "文件日期", "成文时间", "起始时间", "起止日期",
             "起止时间", "起始日期", "rq", "cwrq", "wjrq", "qzsj", "qssj", "date"),
    "date_end": ("终止时间", "终止日期", "截止日期", "zzsj"),
    "year": ("年度", "归档年度", "nd", "year"),
    "retention": ("保管期限", "期限", "保管期限缩写", "bgqx", "retention"),
    "secrecy": ("密级", "保密级别", "mj", "secrecy"),
    "opening": ("开放标识", "开放状态", "是否开放", "划控", "开放情况", "kfzt", "kfbs", "opening"),
    "publicity": ("公开属性", "公开方式", "信息公开", "publicity"),
    "department": ("机构", "机构或问题", "机构问题", "问题", "部门", "归档部门", "承办处室", "bm",
                   "department"),
    "doc_type": ("文种", "文件类型", "类型", "文件种类", "wz", "kind", "doc_type"),
    "meeting": ("届次", "会议", "会议届次", "会议名称", "届次会议", "meeting"),
    "proposers": ("代表", "领衔代表", "提出人", "提出代表", "建议人", "提案人", "代表姓名", "proposers"),
    "pages": ("页数", "总页数", "ys", "zys", "page_count", "pages"),
    "page_label": ("页号", "页次", "起止页号", "起页", "页码", "yh"),
    "level": ("著录层级", "聚合层次", "unit_level"),
    "restricted": ("限制利用", "restricted"),
    "note": ("备注", "附注", "bz", "note"),
}  # fmt: skip
_FIELD_OF: Final = {alias: field for field, names in ALIASES.items() for alias in names}
_VOLUME_TITLES: Final = frozenset({"案卷题名", "案卷标题", "ajtm"})
#: A heading row must have one of these.
_NEEDED: Final = frozenset({"title", "code"})

_DITTO: Final = frozenset({"〃", "″", "”", "“", '"', "＂", "〞", "''", "同上", "々", "同 上"})
_STATE_SECRET: Final = re.compile(r"绝密|机密|(?<!工作)(?<!商业)秘密")
_KNOWN_SECRECY: Final = re.compile(
    r"(?:公开|无|非密|普通|一般|内部|国内|限国内|工作秘密|商业秘密|平件|/|-|—)?(?:[（(★].*)?"
)
_PROPOSER_BREAK: Final = re.compile(r"[;；、,，\s]+")


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One row of a catalogue that may be taken in.

    Attributes:
        record: The record it describes, `file_path` not yet linked.
        path: The file or folder the row itself names, empty when it names none.
        keys: Codes under which its files may be named: 档号 first.
    """

    record: Record
    path: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A row that must not be taken in; only what is needed to keep its files out.

    Attributes:
        path: The file or folder the row names.
        keys: Codes under which its files may be named.
        record_id: Under which an earlier version may be stored.
    """

    path: str
    keys: tuple[str, ...]
    record_id: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one catalogue file holds.

    Attributes:
        name: Path below the ingested folder, POSIX form.
        rows: Rows to take in.
        withheld: Rows with a state secret mark.
        row_count: Rows with any content, headings aside.
        skipped: Rows not taken in, and why.
        warnings: Rows taken in with something to check.
        columns: (sheet, heading, field) as recognised; field is empty for headings kept in `extra`.
    """

    name: str
    rows: tuple[CatalogueRow, ...]
    withheld: tuple[Withheld, ...]
    row_count: int
    skipped: tuple[Skipped, ...]
    warnings: tuple[Skipped, ...]
    columns: tuple[tuple[str, str, str], ...]


def read_catalogue(path: Path, name: str) -> Catalogue:
    """Read a catalogue file.

    Args:
        path: The file: .xlsx, .csv, .tsv or .jsonl.
        name: How it is called in records and reports (path below the ingested folder).

    Raises:
        CatalogueError: If the file cannot be read or no sheet has a heading row with 题名 or 档号.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            msg = f"{name} 超过目录文件上限 {_LARGEST_BYTES // 10**6} MB，请拆成几个文件"
            raise CatalogueError(msg)
        builder = _Builder(name)
        suffix = path.suffix.lower()
        if suffix == ".xlsx":
            from ingest.xlsx import read_sheets

            for sheet, rows in read_sheets(path):
                builder.add_table(sheet, rows)
        elif suffix == ".jsonl":
            builder.add_objects(_json_lines(path, name, builder))
        else:
            text = decode(path.read_bytes(), name)
            builder.add_table("", _csv_rows(text))
    except OSError as error:
        msg = f"{name} 打不开：{error.strerror or error}"
        raise CatalogueError(msg) from error
    except (SourceReadError, csv.Error) as error:
        msg = f"{name} 读不懂：{error}"
        raise CatalogueError(msg) from error
    return builder.finish()


def _csv_rows(text: str) -> Iterator[list[str]]:
    sample = text[:20_000]
    delimiter = max(",\t;|", key=sample.count)
    csv.field_size_limit(10_000_000)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        yield [cell.strip() for cell in row]


def _json_lines(
    path: Path, name: str, builder: _Builder
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(decode(path.read_bytes(), name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            builder.skip("", number, f"不是有效的 JSON：{error}", "请改正这一行")
            continue
        if not isinstance(item, dict):
            builder.skip("", number, "应为一个 JSON 对象", "请改正这一行")
            continue
        yield number, item


def _heading_key(heading: str) -> str:
    """A heading without the marks exports put around it: `题名!`, `* 题 名（必填）`."""
    import unicodedata

    text = unicodedata.normalize("NFKC", heading)
    inner = re.sub(r"\((?:必填|必著|选填|选著|年月日|yyyy.*?)\)", "", text, flags=re.IGNORECASE)
    inner = inner.replace("(", "").replace(")", "")
    return re.sub(r"[\s!*:·.]", "", inner).lower()


class _Builder:
    """Collects rows of one catalogue file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[CatalogueRow] = []
        self.withheld: list[Withheld] = []
        self.skipped: list[Skipped] = []
        self.warnings: list[Skipped] = []
        self.columns: list[tuple[str, str, str]] = []
        self.row_count = 0
        self.tables = 0
        self._seen: dict[str, str] = {}

    def finish(self) -> Catalogue:
        if not self.tables and not self.skipped:
            msg = f"{self.name} 不是目录：前 {_HEADER_ROWS} 行里找不到带“题名”或“档号”的表头"
            raise CatalogueError(msg)
        return Catalogue(
            self.name, tuple(self.rows), tuple(self.withheld), self.row_count,
            tuple(self.skipped), tuple(self.warnings), tuple(self.columns),
        )  # fmt: skip

    def where(self, sheet: str, number: int) -> str:
        return f"{self.name}{' › ' + sheet if sheet else ''} 第 {number} 行"

    def skip(self, sheet: str, number: int, reason: str, next_step: str = "") -> None:
        self.skipped.append(Skipped(self.where(sheet, number), reason, next_step))

    def warn(self, sheet: str, number: int, reason: str, next_step: str = "") -> None:
        self.warnings.append(Skipped(self.where(sheet, number), reason, next_step))

    def add_table(self, sheet: str, rows: Iterable[Sequence[str]]) -> None:
        """Find the heading row, then take every row below it."""
        head: list[tuple[int, Sequence[str]]] = []
        iterator = enumerate(rows, start=1)
        for number, row in iterator:
            head.append((number, row))
            if number >= _HEADER_ROWS:
                break
        chosen = _heading_row([row for _, row in head])
        if chosen is None:
            return
        self.tables += 1
        headings = [cell.strip() for cell in head[chosen][1]]
        fields = _fields(headings)
        self.columns += [(sheet, h, f) for h, f in zip(headings, fields, strict=True) if h]
        volumes = "案卷目录" in sheet or (
            any(_heading_key(h) in _VOLUME_TITLES for h in headings) and "卷内" not in sheet
        )
        inside = "卷内" in sheet or (
            "order" in fields and "page_label" in fields and "item" not in fields
        )
        level = "案卷" if volumes else "卷内文件" if inside else "件"
        above: list[str] = []
        for number, row in (*head[chosen + 1 :], *iterator):
            cells = [row[i] if i < len(row) else "" for i in range(len(headings))]
            if not any(cells) or _heading_key("".join(cells)) == _heading_key("".join(headings)):
                continue
            for i, cell in enumerate(cells):
                if cell in _DITTO:
                    cells[i] = above[i] if above else ""
            above = cells
            values: dict[str, str] = {}
            extra: list[tuple[str, str]] = []
            for heading, field, cell in zip(headings, fields, cells, strict=True):
                if not cell:
                    continue
                if field and field not in values:
                    values[field] = cell
                elif heading:
                    extra.append((heading, cell))
            self.add_row(sheet, number, values, extra, level)

    def add_objects(self, objects: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Take JSON objects whose keys are headings."""
        headings: dict[str, str] = {}
        for number, item in objects:
            self.tables += 1
            values: dict[str, str] = {}
            extra: list[tuple[str, str]] = []
            for key, value in item.items():
                text = _json_text(value)
                if not text:
                    continue
                field = _FIELD_OF.get(_heading_key(key), "")
                if field == "level" and text not in ("件", "卷内文件", "案卷"):
                    field = ""
                headings.setdefault(key, field)
                if field and field not in values:
                    values[field] = text
                else:
                    extra.append((key, text))
            if values or extra:
                self.add_row("", number, values, extra, "件")
        self.columns += [("", key, field) for key, field in headings.items()]

    def add_row(
        self,
        sheet: str,
        number: int,
        values: Mapping[str, str],
        extra: Sequence[tuple[str, str]],
        level: str,
    ) -> None:
        """Make a record of one row, or say why not."""
        if not ({"title", "code", "path", "doc_no"} & values.keys()):
            if len(values) + len(extra) > 1:
                self.row_count += 1
                self.skip(sheet, number, "没有题名，也没有档号", "请补全后重新入库")
            return  # a lone cell is a remark or a page total
        self.row_count += 1
        secrecy = values.get("secrecy", "")
        code = values.get("code", "")
        keys = _keys(values)
        record_id = (
            code
            or values.get("catalogue_id", "")
            or values.get("path", "")
            or (keys[0] if keys else f"{self.name}{'/' + sheet if sheet else ''}#{number}")
        )
        if _STATE_SECRET.search(secrecy):
            self.withheld.append(Withheld(values.get("path", ""), keys, record_id))
            self.skip(
                sheet, number, "标有国家秘密密级，按规定不入库",
                "请用保密渠道查阅；密级已解除的，更新目录的密级栏后重新入库",
            )  # fmt: skip
            return
        title = values.get("title", "")
        if not title:
            self.warn(sheet, number, f"{record_id} 没有题名", "请补录题名")
        where = self.where(sheet, number)
        if record_id in self._seen:
            self.skip(
                sheet, number, f"档号（或编号）{record_id} 与{self._seen[record_id]}重复",
                "请核对，保留一条",
            )  # fmt: skip
            return
        self._seen[record_id] = where
        date = values.get("date", "")
        date_iso = parse_date(date)
        if date and not date_iso:
            self.warn(sheet, number, f"日期“{date}”读不懂，按原样保存", "建议写成 20160128 的形式")
        if "date_end" in values:
            date = f"{date}-{values['date_end']}" if date else values["date_end"]
        if secrecy and not _KNOWN_SECRECY.fullmatch(secrecy):
            self.warn(
                sheet, number, f"密级“{secrecy}”不在常用值内", "请核对；空白或“公开”表示不涉密"
            )
        page_count = _integer(values.get("pages", ""))
        if page_count is None and values.get("pages"):
            self.warn(sheet, number, f"页数“{values['pages']}”不是数字", "请核对")
        record = Record(
            record_id=record_id,
            title=title or record_id,
            reference_code=code,
            catalogue_id=values.get("catalogue_id", "") or values.get("path", ""),
            author=values.get("author", ""),
            doc_no=values.get("doc_no", ""),
            date=date,
            date_iso=date_iso,
            year=_year(values.get("year", ""), date_iso),
            doc_type=values.get("doc_type", ""),
            meeting=values.get("meeting", ""),
            retention=values.get("retention", ""),
            secrecy=secrecy,
            opening=values.get("opening", ""),
            publicity=values.get("publicity", ""),
            department=values.get("department", ""),
            proposers=tuple(
                name for name in _PROPOSER_BREAK.split(values.get("proposers", "")) if name
            ),
            unit_level=_level(values.get("level", ""), level),
            page_count=page_count,
            first_page_label=values.get("page_label", ""),
            note=values.get("note", ""),
            extra=(
                *((label, values[field]) for field, label in _KEPT.items() if field in values),
                *extra,
            ),
            source_file=f"{self.name}{' › ' + sheet if sheet else ''}",
            source_row=number,
        )
        restricted = (
            is_restricted(record)
            or values.get("restricted", "").strip().lower() in ("是", "true", "1", "√")
            or "内部" in secrecy
        )
        self.rows.append(
            CatalogueRow(replace(record, restricted=restricted), values.get("path", ""), keys)
        )


#: Recognised columns without a field of their own in `Record`.
_KEPT: Final = {
    "fonds": "全宗号", "catalog": "目录号", "volume": "案卷号", "item": "件号", "order": "顺序号",
}  # fmt: skip


def _heading_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Place of the row most of whose cells are known headings; None when there is none."""
    best: tuple[int, int] | None = None
    for place, row in enumerate(rows):
        fields = {_FIELD_OF[key] for cell in row if (key := _heading_key(cell)) in _FIELD_OF}
        if len(fields) >= 2 and fields & _NEEDED and (best is None or len(fields) > best[0]):
            best = (len(fields), place)
    return None if best is None else best[1]


def _fields(headings: Sequence[str]) -> list[str]:
    """The field of each heading; a second heading of the same field is kept in `extra`."""
    fields = [_FIELD_OF.get(_heading_key(heading), "") for heading in headings]
    # Where 档号 and 案卷档号 stand side by side the first names the record itself.
    exact = [_heading_key(heading) for heading in headings]
    if "档号" in exact or "dh" in exact:
        own = exact.index("档号") if "档号" in exact else exact.index("dh")
        fields = ["" if field == "code" and i != own else field for i, field in enumerate(fields)]
    return fields


def _keys(values: Mapping[str, str]) -> tuple[str, ...]:
    """Codes under which a row's files may be named: 档号, then its parts put together."""
    keys = [values["code"]] if "code" in values else []
    parts = [values[p] for p in ("fonds", "catalog", "volume") if p in values]
    last = values.get("item") or values.get("order")
    if len(parts) == 3:
        keys.append("-".join([*parts, last] if last else parts))
    return tuple(dict.fromkeys(keys))


def _level(text: str, default: str) -> str:
    for level in ("案卷", "卷内文件", "件"):
        if level in text:
            return level
    return default


def _integer(text: str) -> int | None:
    match = re.fullmatch(r"\s*(\d{1,6})(?:\.0+)?\s*[页张]?\s*", text)
    return int(match.group(1)) if match else None


def _year(text: str, date_iso: str) -> int | None:
    match = re.search(r"(?:1[89]|20)\d{2}", text)
    if match:
        return int(match.group())
    return int(date_iso[:4]) if date_iso else None


def _json_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "；".join(text for text in map(_json_text, value) if text)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


__all__ = [
    "ALIASES",
    "CATALOGUE_SUFFIXES",
    "Catalogue",
    "CatalogueRow",
    "Withheld",
    "read_catalogue",
]
