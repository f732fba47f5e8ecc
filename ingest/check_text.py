"""The preview in Chinese, for the terminal and as tables for a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.domain import Skipped
from ingest.catalogue import Catalogue, SheetReading
from ingest.check import CheckReport
from ingest.column_map import MAPPING_FILE, RAW
from ingest.headings import LABELS

_SHOWN: int = 20
_WIDEST_CELL: int = 24


def check_text(report: CheckReport, *, shown: int | None = _SHOWN) -> str:
    """The preview as text.

    Args:
        report: What was found.
        shown: Entries of each list to show; None for all of them.
    """
    lines = ["预览：只看不存，没有写入任何内容。", ""]
    for catalogue in report.catalogues:
        for sheet in catalogue.sheets:
            lines += [*_sheet_lines(catalogue, sheet), ""]
    if not report.catalogues:
        lines += ["没有读到目录表。", ""]
    lines += [total for _, total in totals(report)]
    lines += _issues("不会入库", report.not_taken, shown)
    lines += _issues("需要核对", report.to_review, shown)
    if report.unmapped:
        lines.append(
            f"有 {report.unmapped} 列不认识，{RAW}。认错或漏认的，先运行 "
            f"chadang ingest --check 目录 --write-mapping {MAPPING_FILE}，改好后放在目录表旁边。"
        )
    if not report.not_taken and not report.to_review:
        lines.append("没有发现问题。")
    return "\n".join(lines)


def totals(report: CheckReport) -> list[tuple[str, str]]:
    """The totals as (name, sentence) pairs."""
    return [
        ("条目", f"目录 {report.rows} 条，可入库 {report.records} 件，其中 {report.without_files} 件没有文件。"),
        ("文件", f"文件 {report.files} 个，PDF 和图像共 {report.pages} 页；未编目 {report.uncatalogued} 个。"),
        ("案卷", f"按页号拆分的案卷 {report.volumes} 卷。"),
        ("问题", f"不会入库 {len(report.not_taken)} 项，需要核对 {len(report.to_review)} 项。"),
    ]  # fmt: skip


def _sheet_lines(catalogue: Catalogue, sheet: SheetReading) -> Iterator[str]:
    name = f"{catalogue.name}{' › ' + sheet.name if sheet.name else ''}"
    hidden = "（隐藏）" if sheet.hidden else ""
    if not sheet.columns:
        yield f"■ {name}{hidden}"
        yield from (f"  {note}。" for note in sheet.notes)
        return
    rows = "、".join(map(str, sheet.header_rows))
    where = f"表头在第 {rows} 行，" if rows else ""
    by = f"（按 {sheet.source}）" if sheet.source else ""
    yield f"■ {name}{hidden}：{sheet.kind}，{where}{sheet.row_count} 条{by}"
    known = [
        f"{_short(h)}→{LABELS[f]}" if h != LABELS[f] else h for h, f in sheet.columns if h and f
    ]
    raw = [_short(heading) for heading, field in sheet.columns if heading and not field]
    yield f"  认得的列：{'，'.join(known)}"
    if raw:
        yield f"  {RAW}：{'，'.join(raw)}"
    if sheet.context:
        yield f"  表头以上写明：{'，'.join(f'{label} {value}' for label, value in sheet.context)}"
    for cells in sheet.first_rows:
        yield "  ┊ " + " ┊ ".join(map(_short, cells))
    yield from (f"  · {note}。" for note in sheet.notes)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _issues(heading: str, entries: Sequence[Skipped], shown: int | None) -> Iterator[str]:
    if not entries:
        return
    yield f"{heading} {len(entries)} 项："
    for entry in entries[:shown]:
        step = f"。{entry.next_step}" if entry.next_step else ""
        yield f"  · {entry.where}：{entry.reason}{step}。".replace("。。", "。")
    if shown is not None and len(entries) > shown:
        yield f"  其余 {len(entries) - shown} 项，加 --report 文件.xlsx 可得全部清单"


def check_tables(report: CheckReport) -> list[tuple[str, list[list[str]]]]:
    """The preview as sheets of a workbook: totals, columns, issues."""
    columns = [["目录", "工作表", "类型", "表头行", "表头", "字段"]]
    for catalogue in report.catalogues:
        for sheet in catalogue.sheets:
            rows = "、".join(map(str, sheet.header_rows))
            start = [catalogue.name, sheet.name, sheet.kind or "没有当作目录", rows]
            columns += [
                [*start, heading, LABELS.get(field, RAW)]
                for heading, field in sheet.columns or (("", ""),)
                if heading or not sheet.columns
            ]
    issues = [["类别", "位置", "问题", "怎么办"]]
    for kind, entries in (("不会入库", report.not_taken), ("需要核对", report.to_review)):
        issues += [[kind, entry.where, entry.reason, entry.next_step] for entry in entries]
    return [
        ("总数", [["项目", "说明"], *([name, text] for name, text in totals(report))]),
        ("问题清单", issues),
        ("表头对照", columns),
    ]
