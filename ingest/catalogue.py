"""Catalogues (目录): table or JSON-lines rows in, records out, nothing silently.

Headings are recognised by `ingest.headings`; what is not recognised is kept in `Record.extra`.
Rows marked 秘密, 机密 or 绝密 are never taken in.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from index.access import is_restricted
from index.codes import parse_date, parse_reference_code, reference_key
from index.domain import Record, Skipped
from ingest.column_map import KINDS, NOT_A_CATALOGUE, SheetRule, rule_for
from ingest.errors import CatalogueError, NotACatalogueError, SourceReadError
from ingest.gate import judge_record
from ingest.headings import (
    HEADER_ROWS,
    LABELS,
    Header,
    field_of,
    find_header,
)
from ingest.plain import decode
from ingest.secrecy import Grade, judge_secrecy
from ingest.sheets import Sheet, read_sheets
from ingest.table_rows import Row, context_of, context_of_name, lost_octobers, table_rows
from ingest.volumes import Span, page_spans
from ingest.zeros import is_ruined_code, restore_zeros

CATALOGUE_SUFFIXES: Final = frozenset(
    {".xlsx", ".xlsm", ".xls", ".et", ".ods", ".xlsb", ".csv", ".tsv", ".dbf", ".jsonl"}
)
_LARGEST_BYTES: Final = 500_000_000
_SHOWN_ROWS: Final = 3

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
        volume: Key of the volume it lies in, empty when it lies in none.
        span: Its stamped pages in that volume, None when the catalogue does not say.
    """

    record: Record
    path: str
    keys: tuple[str, ...]
    volume: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A row that must not be taken in; only what is needed to keep its files out.

    Attributes:
        path: The file or folder the row names.
        keys: Codes under which its files may be named.
        record_id: Under which an earlier version may be stored.
        volume: Key of the volume it lies in, empty when it lies in none; a volume's own key.
    """

    path: str
    keys: tuple[str, ...]
    record_id: str
    volume: str = ""

    @property
    def is_volume(self) -> bool:
        """Whether the row is a volume's own: then no file of it may be taken in."""
        return bool(self.volume) and self.volume in map(reference_key, self.keys)


@dataclass(frozen=True, slots=True)
class SheetReading:
    """What was recognised in one sheet, for people to check.

    Attributes:
        name: The sheet's name, empty for tables without sheets.
        hidden: Whether the workbook hides it.
        kind: 归档文件目录, 案卷目录 or 卷内文件目录; empty when it is no catalogue.
        header_rows: Row numbers of the headings.
        columns: (heading, field) from left to right; field is empty for what is kept raw.
        context: What the rows above the headings say: (field, value).
        first_rows: The first rows taken in, as cells under `columns`.
        row_count: Rows with any content, headings aside.
        notes: What to know about it, in Chinese.
        source: The mapping file used, empty for none.
    """

    name: str
    hidden: bool = False
    kind: str = ""
    header_rows: tuple[int, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    context: tuple[tuple[str, str], ...] = ()
    first_rows: tuple[tuple[str, ...], ...] = ()
    row_count: int = 0
    notes: tuple[str, ...] = ()
    source: str = ""


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
        sheets: What was recognised in each sheet.
    """

    name: str
    rows: tuple[CatalogueRow, ...]
    withheld: tuple[Withheld, ...]
    row_count: int
    skipped: tuple[Skipped, ...]
    warnings: tuple[Skipped, ...]
    sheets: tuple[SheetReading, ...]


def read_catalogue(path: Path, name: str, rules: Sequence[SheetRule] = ()) -> Catalogue:
    """Read a catalogue file.

    Args:
        path: The file; see `CATALOGUE_SUFFIXES`.
        name: How it is called in records and reports (path below the ingested folder).
        rules: What a mapping file says of it.

    Raises:
        CatalogueError: If the file cannot be read or no sheet has a heading row with 题名 or 档号.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            msg = f"{name} 超过目录文件上限 {_LARGEST_BYTES // 10**6} MB，请拆成几个文件"
            raise CatalogueError(msg)
        builder = _Builder(name)
        if path.suffix.lower() == ".jsonl":
            builder.add_objects(_json_lines(path, name, builder), rule_for(rules, ""))
        else:
            for sheet in read_sheets(path):
                builder.add_sheet(sheet, rule_for(rules, sheet.name))
    except OSError as error:
        msg = f"{name} 打不开：{error.strerror or error}"
        raise CatalogueError(msg) from error
    except (SourceReadError, csv.Error) as error:
        msg = f"{name} 读不懂：{error}"
        raise CatalogueError(msg) from error
    return builder.finish()


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
        except RecursionError:
            builder.skip("", number, "嵌套的层数太多，没有读取", "请改正这一行")
            continue
        if not isinstance(item, dict):
            builder.skip("", number, "应为一个 JSON 对象", "请改正这一行")
            continue
        yield number, item


class _Builder:
    """Collects rows of one catalogue file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[CatalogueRow] = []
        self.withheld: list[Withheld] = []
        self.skipped: list[Skipped] = []
        self.warnings: list[Skipped] = []
        self.sheets: list[SheetReading] = []
        self.row_count = 0
        self.tables = 0
        #: Where a code was first seen, and the place of its row.
        self._seen: dict[str, tuple[str, int]] = {}

    def finish(self) -> Catalogue:
        if not self.tables and not self.skipped:
            msg = f"{self.name} 不是目录：前 {HEADER_ROWS} 行里找不到带“题名”或“档号”的表头"
            raise NotACatalogueError(msg)
        return Catalogue(
            self.name, tuple(self.rows), tuple(self.withheld), self.row_count,
            tuple(self.skipped), tuple(self.warnings), tuple(self.sheets),
        )  # fmt: skip

    def where(self, sheet: str, number: int) -> str:
        return f"{self.name}{' › ' + sheet if sheet else ''} 第 {number} 行"

    def skip(self, sheet: str, number: int, reason: str, next_step: str = "") -> None:
        self.skipped.append(Skipped(self.where(sheet, number), reason, next_step))

    def warn(self, sheet: str, number: int, reason: str, next_step: str = "") -> None:
        self.warnings.append(Skipped(self.where(sheet, number), reason, next_step))

    def add_sheet(self, sheet: Sheet, rule: SheetRule) -> None:
        """Find the heading row, then take every row below it."""
        notes = list(sheet.notes)
        if sheet.hidden:
            notes.append("隐藏的工作表，照样读取")
        if self._told_to_leave(rule, sheet.name, sheet.hidden):
            return
        near = HEADER_ROWS + 1
        if rule.header_row:
            near = sum(number <= rule.header_row for number, _ in sheet.rows) + 1
        header = find_header(sheet.rows[:near], rule.columns, rule.header_row)
        if header is None:
            if rule.header_row:
                msg = f"{rule.source}：{self.where(sheet.name, rule.header_row)}没有内容，请改正 header_row"
                raise CatalogueError(msg)
            if sheet.rows:
                notes.append("找不到带“题名”或“档号”的表头，没有当作目录读")
            else:
                notes.append("空的工作表")
            self.sheets.append(SheetReading(sheet.name, sheet.hidden, notes=tuple(notes)))
            return
        self.tables += 1
        above = [cells for _, cells in sheet.rows[: header.first]]
        level = self._level(sheet, header, above, rule)
        context = {**context_of(above), **context_of_name(sheet.name, level)}
        context |= _given(rule)
        below = table_rows(sheet.rows[header.last + 1 :], header, context, rule.columns)
        rows, remarks = below.entries, below.remarks
        notes += [
            f"第 {number} 行写明“{text[:40]}”，其后各条照此" for number, text in below.told[:20]
        ]
        if below.joined:
            places = "、".join(map(str, below.joined[:10]))
            more = f" 等 {len(below.joined)}" if len(below.joined) > 10 else ""
            notes.append(f"第 {places}{more} 行只有题名，已接在上一行的题名后面，请核对")
        if remarks:
            places = "、".join(str(number) for number, _ in remarks[:10])
            more = f"等 {len(remarks)} 行" if len(remarks) > 10 else "行"
            said = remarks[0][1][:30]
            said = "" if judge_secrecy(said) else f"（“{said}”）"
            notes.append(f"第 {places} {more}是说明或合计{said}，没有当作条目")
        taken = len(self.rows)
        notes += self._settle(sheet, rows, level, rule)
        before = self.row_count
        shown: list[tuple[str, ...]] = []
        for row in rows:
            self.add_row(sheet.name, row.number, row.values, row.extra, level, row)
            if self._may_show(taken) and len(shown) < _SHOWN_ROWS:
                shown.append(row.cells)
            taken = len(self.rows)
        numbers = [sheet.rows[header.first][0], sheet.rows[header.last][0]]
        kind = next(kind for kind, of_level in KINDS.items() if of_level == level)
        columns = tuple(zip(header.headings, header.fields, strict=True))
        self.sheets.append(
            SheetReading(
                sheet.name, sheet.hidden, kind, tuple(sorted(set(numbers))), columns,
                tuple((LABELS.get(name, name), value) for name, value in context.items()),
                tuple(shown), self.row_count - before, tuple(notes), rule.source,
            )
        )  # fmt: skip
        for note in notes:
            self.warnings.append(
                Skipped(f"{self.name}{' › ' + sheet.name if sheet.name else ''}", note)
            )

    def _may_show(self, taken: int) -> bool:
        """Whether a row was added to `taken` others, and bears no mark of secrecy."""
        return len(self.rows) > taken and judge_record(self.rows[-1].record) is None

    def _level(
        self, sheet: Sheet, header: Header, above: Sequence[Sequence[str]], rule: SheetRule
    ) -> str:
        said = " ".join((sheet.name or self.name, *(cell for row in above for cell in row)))
        said = re.sub(r"\s", "", said) if sheet.name else said
        if header.has_volume_titles and not rule.kind and "卷内" not in said:
            return "案卷"
        return self._said_level(said, header.fields, rule)

    def _said_level(self, said: str, fields: Collection[str], rule: SheetRule) -> str:
        """What a table lists, by the mapping file, its name and the lines above it, its columns."""
        if rule.kind:
            return KINDS[rule.kind]
        if "卷内" in said:
            return "卷内文件"
        if "案卷目录" in said:
            return "案卷"
        if "order" in fields and "page_label" in fields and "item" not in fields:
            return "卷内文件"
        return "件"

    def _settle(self, sheet: Sheet, rows: Sequence[Row], level: str, rule: SheetRule) -> list[str]:
        """Codes of volumes, lost zeros and page ranges; what is said about them."""
        notes = []
        if level == "案卷":
            for row in rows:
                if "code" not in row.values and "volume_code" in row.values:
                    row.values["code"] = row.values.pop("volume_code")
        elif level == "卷内文件":
            if not any({"order", "item"} & row.values.keys() for row in rows):
                for row in rows:
                    if row.values.get("serial", "").isdecimal():
                        row.values["order"] = row.values["serial"]
            codes = Counter(row.values.get("code", "") for row in rows)
            told = {row.values.get("order") or row.values.get("item") for row in rows} - {None}
            repeated = [code for code, count in codes.items() if code and count > 1]
            if repeated and len(told) > 1 and sum(codes[c] for c in repeated) * 2 > len(rows):
                notes.append("档号栏写的是案卷的档号，按案卷档号和顺序号区分各件")
                for row in rows:
                    row.values.setdefault("volume_code", row.values.get("code", ""))
                    row.values.pop("code", None)
        else:
            for row in rows:
                told_apart = row.values.get("item") or row.values.get("order")
                if "code" not in row.values and "volume_code" in row.values and not told_apart:
                    row.values["code"] = row.values.pop("volume_code")
        if not any("code" in row.values for row in rows):
            for row in rows:
                for name, value in row.context.items():
                    row.values.setdefault(name, value)
        before = [dict(row.values) for row in rows]
        for found in restore_zeros([(row.number, row.values) for row in rows], rule.local):
            notes.append(
                f"{LABELS[found.field]}栏有 {found.count} 行缺前导零，已按{found.proof}补齐"
                f"（第 {found.number} 行 {found.before} 补为 {found.after}），请核对"
            )
            for row, old in zip(rows, before, strict=True):
                was = old.get(found.field, "")
                if was != row.values.get(found.field, ""):
                    row.extra.append((f"{LABELS[found.field]}（表中原样）", was))
        if sheet.from_workbook:
            notes += lost_octobers(rows)
        if rows and not any("code" in row.values for row in rows):
            composed = [keys[0] for row in rows if (keys := _keys(row.values))]
            if composed:
                notes.append(
                    f"没有档号栏：编号由表里的各栏拼成（如 {composed[0]}），只用来认条目和文件，不当作档号引用"
                )
        if level == "卷内文件":
            self._ranges(sheet, rows)
        elif level == "案卷":
            for row in rows:
                keys = _keys(row.values)
                row.volume = reference_key(keys[0]) if keys else ""
        return notes

    def _ranges(self, sheet: Sheet, rows: Sequence[Row]) -> None:
        volumes: dict[str, list[Row]] = {}
        for row in rows:
            row.volume = _volume_key(row.values)
            if row.volume:
                volumes.setdefault(row.volume, []).append(row)
        for members in volumes.values():
            labels = [row.values.get("page_label", "") for row in members]
            counts = [_integer(row.values.get("pages", "")) for row in members]
            spans, odd = page_spans(labels, counts)
            for place in odd:
                row = members[place]
                self.warn(
                    sheet.name, row.number,
                    f"页号“{row.values['page_label']}”与前后行接不上，这一卷不按页号拆分",
                    "请核对页号栏",
                )  # fmt: skip
            for place, (row, span, count) in enumerate(zip(members, spans, counts, strict=True)):
                if not odd:
                    row.span = span
                last = span[1] if span is not None else None
                if span is None or last is None or count is None or place in odd:
                    continue
                if last - span[0] + 1 != count:
                    self.warn(
                        sheet.name, row.number,
                        f"页数记 {count}，按页号推算是 {last - span[0] + 1} 页（第 {span[0]}—{last} 页）",
                        "请核对页号和页数",
                    )  # fmt: skip

    def _told_to_leave(self, rule: SheetRule, sheet: str = "", hidden: bool = False) -> bool:
        if rule.kind != NOT_A_CATALOGUE:
            return False
        self.sheets.append(SheetReading(sheet, hidden, notes=("对照表里写明不是目录",)))
        self.tables += 1
        return True

    def add_objects(
        self, objects: Iterable[tuple[int, Mapping[str, Any]]], rule: SheetRule
    ) -> None:
        """Take JSON objects whose keys are headings; each may say its own 著录层级."""
        if self._told_to_leave(rule):
            return
        headings: dict[str, str] = {}
        written: list[tuple[dict[str, str], Row]] = []
        context = _given(rule)
        for number, item in objects:
            self.tables += 1
            values: dict[str, str] = {}
            extra: list[tuple[str, str]] = []
            try:
                texts = {name: text for name, value in item.items() if (text := _json_text(value))}
            except RecursionError:
                self.skip("", number, "嵌套的层数太多，没有读取", "请改正这一行")
                continue
            if any(map(_SURROGATE.search, (*texts, *texts.values()))):
                texts = {_whole(name): _whole(text) for name, text in texts.items()}
                self.warn(
                    "", number, "有残缺的字符（半个 Unicode 代理对），以“�”代替", "请对照原件改正"
                )
            for name, text in texts.items():
                found = field_of(name, rule.columns)
                if found == "level" and text not in _LEVELS:
                    found = ""
                headings.setdefault(name, found)
                if found and found not in values:
                    values[found] = text
                else:
                    extra.append((name, text))
            if values or extra:
                written.append((texts, Row(number, values, extra, (), context)))
        if not headings:
            return
        default = self._said_level(re.sub(r"\s", "", self.name), headings.values(), rule)
        levels = [_level(row.values.get("level", ""), default) for _, row in written]
        notes: list[str] = []
        for level in dict.fromkeys(levels):
            rows = [
                row for (_, row), of_level in zip(written, levels, strict=True) if of_level == level
            ]
            notes += self._settle(Sheet("", from_workbook=False), rows, level, rule)
        taken = len(self.rows)
        shown: list[tuple[str, ...]] = []
        for (texts, row), level in zip(written, levels, strict=True):
            self.add_row("", row.number, row.values, row.extra, level, row)
            if self._may_show(taken) and len(shown) < _SHOWN_ROWS:
                shown.append(tuple(texts.get(name, "") for name in headings))
            taken = len(self.rows)
        kinds = (kind for kind, level in KINDS.items() if level in levels)
        self.sheets.append(
            SheetReading(
                "", kind="、".join(kinds), columns=tuple(headings.items()), first_rows=tuple(shown),
                row_count=self.row_count, notes=tuple(notes), source=rule.source,
            )
        )  # fmt: skip
        for note in notes:
            self.warnings.append(Skipped(self.name, note))

    def add_row(
        self,
        sheet: str,
        number: int,
        values: Mapping[str, str],
        extra: Sequence[tuple[str, str]],
        level: str,
        row: Row | None = None,
    ) -> None:
        """Make a record of one row, or say why not."""
        self.row_count += 1
        if not ({"title", "code", "path", "doc_no"} & values.keys()):
            self.skip(sheet, number, "没有题名，也没有档号", "请补全后重新入库")
            return
        if is_ruined_code(values.get("code", "")):
            self.skip(
                sheet, number, f"档号“{values['code']}”被表格软件改成了科学计数法，末几位已丢失",
                "请把档号栏设为文本格式，重新录入后再入库",
            )  # fmt: skip
            return
        volume = row.volume if row is not None else ""
        secrecy = values.get("secrecy", "")
        code = values.get("code", "")
        keys = _keys(values)
        record_id = (
            code
            or values.get("catalogue_id", "")
            or values.get("path", "")
            or (keys[0] if keys else f"{self.name}{'/' + sheet if sheet else ''}#{number}")
        )
        finding = judge_secrecy(secrecy)
        if finding is not None and finding.grade is Grade.SECRET:
            if not volume and _level(values.get("level", ""), level) == "案卷" and keys:
                volume = reference_key(keys[0])
            elif not volume:
                printed = parse_reference_code(code)
                if printed is not None and printed.volume and printed.item:
                    volume = _volume_key(values)
            self.withheld.append(Withheld(values.get("path", ""), keys, record_id, volume))
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
            first, place = self._seen[record_id]
            reason = f"档号（或编号）{record_id} 与{first}重复"
            kept = self.rows[place].record
            if (kept.opening or kept.publicity) and (kept.opening, kept.publicity) != (
                values.get("opening", ""), values.get("publicity", ""),
            ):  # fmt: skip
                # Which of the two tells the truth is not known: the record is not open.
                closed = replace(kept, opening="", publicity="")
                self.rows[place] = replace(self.rows[place], record=closed)
                reason += "，两条的开放情况不同，按未开放管理"
            self.skip(sheet, number, reason, "请核对，保留一条")
            return
        self._seen[record_id] = where, len(self.rows)
        date = values.get("date", "") or _joined_date(values)
        date_iso = parse_date(date)
        if date and not date_iso:
            self.warn(sheet, number, f"日期“{date}”读不懂，按原样保存", "建议写成 20160128 的形式")
        if "date_end" in values:
            date = f"{date}-{values['date_end']}" if date else values["date_end"]
        if secrecy and finding is None and not _KNOWN_SECRECY.fullmatch(secrecy):
            self.warn(
                sheet, number, f"密级“{secrecy}”不在常用值内", "请核对；空白或“公开”表示不涉密"
            )
        page_count = _integer(values.get("pages", ""))
        if page_count is None and values.get("pages"):
            self.warn(sheet, number, f"页数“{values['pages']}”不是数字", "请核对")
        unit_level = _level(values.get("level", ""), level)
        if not volume and unit_level != "件" and keys:
            volume = reference_key(keys[0]) if unit_level == "案卷" else _volume_key(values)
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
            unit_level=unit_level,
            page_count=page_count,
            first_page_label=_page_label(values),
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
            CatalogueRow(
                replace(record, restricted=restricted), values.get("path", ""), keys, volume,
                row.span if row is not None else None,
            )
        )  # fmt: skip


#: Recognised columns without a field of their own in `Record`.
_KEPT: Final = {
    "fonds": "全宗号", "catalog": "目录号", "volume": "案卷号", "volume_code": "案卷档号",
    "item": "件号", "order": "顺序号",
}  # fmt: skip


def _joined_date(values: Mapping[str, str]) -> str:
    """年, 月 and 日 in columns of their own."""
    year = values.get("date_year", "")
    parts = [year.removesuffix("年")]
    for name, word in (("date_month", "月"), ("date_day", "日")):
        part = values.get(name, "").removesuffix(word)
        if not part:
            break
        parts.append(part)
    return ".".join(parts) if year else ""


def _page_label(values: Mapping[str, str]) -> str:
    first, last = values.get("page_label", ""), values.get("page_end", "")
    return f"{first}-{last}" if first and last and first != last else first


def _keys(values: Mapping[str, str]) -> tuple[str, ...]:
    """Codes under which a row's files may be named: 档号, then its parts put together."""
    keys = [values["code"]] if "code" in values else []
    last = values.get("item") or values.get("order")
    if values.get("volume_code") and last:
        keys.append(f"{values['volume_code']}-{last}")
    parts = [values[p] for p in ("fonds", "catalog", "volume") if p in values]
    if len(parts) == 3 or ("catalog" in values and "volume" in values):
        keys.append("-".join([*parts, last] if last else parts))
    if not keys and last and "year" in values and "retention" in values:
        scheme = ("fonds", "year", "retention", "department")
        keys.append("-".join([*(values[p] for p in scheme if p in values), last]))
    return tuple(dict.fromkeys(keys))


def _volume_key(values: Mapping[str, str]) -> str:
    """Key of the volume a row of a 卷内文件目录 lies in, empty when it does not say."""
    if values.get("volume_code"):
        return reference_key(values["volume_code"])
    if "code" in values:
        code = parse_reference_code(values["code"])
        if code is not None and code.volume and (code.item or code.page):
            return reference_key(values["code"]).rpartition("-")[0]
    parts = [values[p] for p in ("fonds", "catalog", "volume") if p in values]
    if len(parts) == 3:
        return reference_key("-".join(parts))
    if "catalog" in values and "volume" in values:
        return reference_key("-".join(parts))
    if "code" in values:
        # A local form: whatever stands before the last separator.
        return reference_key(values["code"]).rpartition("-")[0]
    return ""


def _given(rule: SheetRule) -> dict[str, str]:
    """What a mapping file says of every row."""
    return {name: text for name, text in (("fonds", rule.fonds), ("catalog", rule.catalog)) if text}


_LEVELS: Final = ("案卷", "卷内文件", "件")


def _level(text: str, default: str) -> str:
    for level in _LEVELS:
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


#: Half of a pair: JSON can spell it, no text can hold it.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _whole(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


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
    "CATALOGUE_SUFFIXES",
    "Catalogue",
    "CatalogueRow",
    "SheetReading",
    "Withheld",
    "read_catalogue",
]
