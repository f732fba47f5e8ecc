"""The filed report and the preview as one HTML file for paper: no script, nothing fetched, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from ingest import run_tables
from ingest.jobs import JobState
from ingest.run_report import RunReport
from ingest.run_tables import Table

#: Files without anything to say beyond this many are in the workbook only; a browser cannot print
#: a hundred thousand rows.
_PLAIN_ROWS: Final = 2000
_STYLE: Final = """
:root{color-scheme:light}
body{font:15px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;color:#1c2026;
background:#fff;max-width:1100px;margin:0 auto;padding:24px 20px}
h1{font-size:26px;text-align:center;margin:0 0 4px;letter-spacing:.1em}
.sub{text-align:center;color:#4a4f57;margin:0 0 20px}
h2{font-size:18px;margin:28px 0 8px;border-left:5px solid #a6192e;padding-left:10px}
h3{font-size:16px;margin:16px 0 6px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{border:1px solid #9aa1ab;padding:4px 8px;text-align:left;vertical-align:top;
overflow-wrap:anywhere;unicode-bidi:isolate}
td:first-child{min-width:6em}
th{background:#eef1f5;white-space:nowrap}
.two{display:grid;grid-template-columns:3fr 2fr;gap:16px;align-items:start}
.note{color:#4a4f57;margin:4px 0 8px}
.sign{display:grid;grid-template-columns:repeat(3,1fr);gap:32px;margin:48px 0 8px;break-inside:avoid}
.sign div{border-bottom:1px solid #1c2026;padding:0 0 2px;min-height:40px;align-content:end}
@media(max-width:700px){.two{grid-template-columns:1fr}.sign{grid-template-columns:1fr;gap:12px}
table{min-width:560px}.two table{min-width:0}}
@media print{@page{size:A4 landscape;margin:14mm}body{padding:0;max-width:none;font-size:10.5pt}
table{font-size:9pt;min-width:0}thead{display:table-header-group}tr{break-inside:avoid}
.scroll{overflow:visible}h2,h3{break-after:avoid}}
"""


def report_html(report: RunReport, archive_name: str = "") -> str:
    """The report as an HTML document.

    Args:
        report: The report.
        archive_name: Stands above it; empty for none.
    """
    return "\n".join(_document(report, archive_name))


def tables_html(title: str, under: str, tables: Iterable[tuple[str, Table]]) -> str:
    """Tables, one below the other, as an HTML document.

    Args:
        title: Stands above everything.
        under: A line below the title.
        tables: Each with its heading; its first row is the head.
    """
    sections = (part for heading, table in tables for part in _section(heading, table))
    return "\n".join((*_head(title, under), *sections, "</body></html>"))


def _head(title: str, under: str) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    # Opened from a folder it has no server to send a policy.
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="sub">{escape(under)}</p>'


def _document(report: RunReport, archive_name: str) -> Iterator[str]:
    under = " · ".join(
        filter(None, (archive_name, report.state, run_tables.moment(report.finished)))
    )
    yield from _head(f"入库报告（第 {report.run} 次）", under)
    yield f'<div class="two">{_table(run_tables.overview(report))}'
    yield f"{_table(run_tables.totals(report))}</div>"
    yield from _files(report)
    yield from _section("未入库的目录条目", run_tables.entries(report.rows_not_taken))
    count = len(report.concerns)
    yield f"<h2>需要核对（{count}）</h2>"
    if not count:
        yield '<p class="note">无。</p>'
    for kind, listed in report.concerns_by_kind():
        yield f"<h3>{escape(kind)}（{len(listed)}）</h3>"
        yield _table(run_tables.entries(listed))
    yield from _section("涉密未读的文件（只记名称和原因）", run_tables.withheld(report))
    yield from _section("待审与决定", run_tables.held(report))
    yield from _section("没有文字的页", run_tables.lost_pages(report))
    yield from _section("个人信息（只计数，入库时已遮盖）", run_tables.personal(report))
    yield '<div class="sign"><div>填报人：</div><div>复核人：</div><div>日期：</div></div>'
    yield '<p class="note">本报告由查档程序生成，签字后归入入库工作记录。</p></body></html>'


def _files(report: RunReport) -> Iterator[str]:
    """The files that need somebody first, then the rest as far as paper allows."""
    done = JobState.DONE.value
    open_ones = [row for row in report.files if row.state != done]
    plain = [row for row in report.files if row.state == done]
    yield from _section("没有全部完成的文件", run_tables.files(open_ones))
    listed = run_tables.files(plain[:_PLAIN_ROWS])
    if not any(row.reason or row.next_step for row in plain[:_PLAIN_ROWS]):
        listed = [cells[:-2] for cells in listed]
    yield from _section("完成的文件", listed, len(plain))
    if len(plain) > _PLAIN_ROWS:
        yield (
            f'<p class="note">这里列前 {_PLAIN_ROWS} 个，其余 {len(plain) - _PLAIN_ROWS} 个'
            "见同名的 .xlsx 文件。</p>"
        )


def _section(heading: str, table: Table, count: int | None = None) -> Iterator[str]:
    yield f"<h2>{escape(heading)}（{len(table) - 1 if count is None else count}）</h2>"
    yield _table(table) if len(table) > 1 else '<p class="note">无。</p>'


def _table(table: Table) -> str:
    head, *rows = table
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(_visible(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{cells}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _visible(text: str) -> str:
    """Signs that turn the order of reading around, and half characters, become visible ones."""
    return "".join(c if c.isprintable() or c in " \u3000\n" else "␦" for c in text)


__all__ = ["report_html", "tables_html"]
