"""The pages to look around in: 目录 (catalogue), 先例 (precedents) and 统计 (statistics).

The pages are frames their scripts draw in; what they show comes from the JSON routes here and from
`/api/precedents`. Everything is asked for the reader behind the request.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from assistant.browse import (
    BLANK,
    FACET_KEYS,
    FACETS,
    PAGE_ROWS,
    SORTS,
    Catalogue,
    CataloguePage,
    Row,
    Selection,
)
from assistant.catalogue_export import Sheet, records_sheet
from assistant.register import Action, RegisterError
from assistant.statistics import (
    Chart,
    ChartKind,
    HoldingsStatistics,
    Statistics,
    use_chart,
)
from assistant.topics import proposal_topics
from index.access import may_read, may_read_anything, may_see_opening, may_see_use
from index.domain import Reader, Role
from index.settings import Settings
from index.store import Store
from ui.api import not_available
from ui.export import KINDS, sheets_file
from ui.frame import page_html
from ui.places import record_id_of, record_token
from ui.reader import current_reader
from ui.usage import UseLog

logger = logging.getLogger(__name__)

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_TEXT: Final = 200
_MOST_VALUES: Final = 50
_OPENING: Final = frozenset({"opening"})
#: Most rows one file takes away, by role; what is more is named in the file and on the page.
EXPORT_ROWS: Final = {Role.ARCHIVIST: 20_000, Role.STAFF: 5_000, Role.DEPUTY: 500}
_FEWEST_ROWS: Final = 200

#: Address and name of each page with its own files of `static/`.
_PAGES: Final = (
    ("catalogue", "目录", "catalogue.js"),
    ("precedents", "先例", "precedents.js"),
    ("statistics", "统计", "statistics.js"),
)
_SORT_NAMES: Final = {
    "code": "档号", "title": "题名", "date": "日期", "doc_no": "文号", "author": "责任者", "type": "文种",
}  # fmt: skip


def build_browse_router(store: Store, settings: Settings, version: str, uses: UseLog) -> APIRouter:
    """The routes over one home.

    Args:
        store: The holdings.
        settings: Settings in force.
        version: Version of our static files, for their addresses.
        uses: Notes what is shown and taken away.
    """
    router = APIRouter()
    catalogue = Catalogue(store)
    statistics = Statistics(catalogue)

    def page_of(address: str, title: str, script: str) -> None:
        @router.get(f"/{address}", name=address)
        def page(request: Request) -> Response:
            reader = current_reader(request, settings)
            if not may_read_anything(reader).allowed:
                return not_available()
            content = page_html(
                settings,
                reader,
                version,
                address=address,
                title=title,
                main_id="br-main",
                scripts=(script,),
                styles=("browse.css",),
                body_class=f"cd-plain br br-{address}",
            )
            return HTMLResponse(content, headers=_PRIVATE)

    for address, title, script in _PAGES:
        page_of(address, title, script)

    @router.get("/api/catalogue")
    def rows(request: Request) -> Response:
        reader = current_reader(request, settings)
        if not may_read_anything(reader).allowed:
            return not_available()
        asked = _Asked(request)
        found = catalogue.browse(
            asked.selection,
            lambda: store.permitted(reader),
            sort=asked.sort,
            descending=asked.descending,
            page=asked.page,
            hidden_facets=_hidden(reader),
            more=asked.more,
        )
        if found is None:
            return not_available()
        shown = [row for row in found.rows if may_read(reader, row.record).allowed]
        if shown:
            said = f"目录 {asked.said}，{asked.sort_said}，第 {found.page} 页"
            uses.listed(uses.of(request, reader), [row.record for row in shown], said)
        return _json(_page_json(found, shown, asked, reader, store))

    @router.get("/api/catalogue/export.{kind}")
    def export(request: Request, kind: str) -> Response:
        reader = current_reader(request, settings)
        if kind not in KINDS:
            return not_available()
        asked = _Asked(request)
        records = catalogue.records(
            asked.selection,
            lambda: store.permitted(reader),
            sort=asked.sort,
            descending=asked.descending,
            hidden_facets=_hidden(reader),
        )
        if not records:
            return not_available()
        most = export_limit(reader)
        taken = [r for r in records[:most] if may_read(reader, r).allowed]
        if not taken:
            return not_available()
        count = f"{len(taken)} 条"
        if len(records) > most:
            count += (
                f"（符合条件的共 {len(records)} 条，一次最多导出 {most} 条；其余请缩小条件再导）"
            )
        about = (("目录条件", asked.said), ("排序", asked.sort_said), ("条目", count))
        now = dt.datetime.now().astimezone()
        content = sheets_file((records_sheet(taken),), about, reader, kind, now)
        said = f"目录条件：{asked.said}"
        uses.exported(uses.of(request, reader), taken, f"目录（{kind}）", question=said)
        return _file(content, f"目录-{now:%Y%m%d-%H%M}.{kind}", kind)

    @router.get("/api/precedents/topics")
    def topics(request: Request) -> Response:
        reader = current_reader(request, settings)
        if not may_read_anything(reader).allowed:
            return not_available()
        # Only what everybody may see is named here: nobody has asked for anything yet.
        everybody = store.records(store.permitted(Reader(Role.PUBLIC)))
        shown = proposal_topics(r for r in everybody if may_read(reader, r).allowed)
        return _json({"topics": list(shown)})

    @router.get("/api/statistics")
    def figures(request: Request) -> Response:
        reader = current_reader(request, settings)
        if not may_read_anything(reader).allowed:
            return not_available()
        found = _holdings(reader)
        return _json(_statistics_json(found, [*found.charts, *_use(reader)]))

    @router.get("/api/statistics/{key}.{kind}")
    def table(request: Request, key: str, kind: str) -> Response:
        reader = current_reader(request, settings)
        if not may_read_anything(reader).allowed or kind not in KINDS:
            return not_available()
        charts = (*_holdings(reader).charts, *_use(reader))
        chart = next((c for c in charts if c.key == key), None)
        if chart is None:
            return not_available()
        now = dt.datetime.now().astimezone()
        about = (("统计", chart.name), ("范围", "导出人可查阅的条目"), ("说明", chart.note))
        uses.did(uses.of(request, reader), Action.EXPORT, f"统计表 {chart.name}（{kind}）")
        sheet = _chart_sheet(chart)
        content = sheets_file((sheet,), about, reader, kind, now, sheet.rows[0][1:])
        return _file(content, f"统计-{chart.name}-{now:%Y%m%d}.{kind}", kind)

    def _holdings(reader: Reader) -> HoldingsStatistics:
        opening = may_see_opening(reader).allowed
        return statistics.holdings(lambda: store.permitted(reader), opening=opening)

    def _use(reader: Reader) -> list[Chart]:
        if not may_see_use(reader).allowed:
            return []
        try:
            return [use_chart(uses.register.by_month())]
        except RegisterError as error:
            # The other figures do not depend on it.
            logger.error("use figures left out: %s", error)
            return []

    return router


def export_limit(reader: Reader) -> int:
    """Most catalogue rows a reader takes away in one file."""
    return EXPORT_ROWS.get(reader.role, _FEWEST_ROWS)


class _Asked:
    """What the address of a request asks of the catalogue; nonsense in it is left out."""

    def __init__(self, request: Request) -> None:
        params = request.query_params
        chosen = {
            key: tuple(
                dict.fromkeys(v[:_LONGEST_TEXT] for v in params.getlist(key)[:_MOST_VALUES] if v)
            )
            for key in FACET_KEYS
        }
        volume = params.get("volume", "")
        self.selection = Selection(
            params.get("q", "").strip()[:_LONGEST_TEXT],
            {key: values for key, values in chosen.items() if values},
            _year(params.get("from", "")),
            _year(params.get("to", "")),
            # A token that is none names a record that is not there.
            (record_id_of(volume) or "\0") if volume else "",
        )
        sort = params.get("sort", "")
        self.sort = sort if sort in SORTS else "code"
        self.descending = params.get("order") == "desc"
        page = params.get("page", "")
        self.page = int(page[:9]) if page.isascii() and page.isdecimal() else 1
        self.more = params.get("more", "")

    @property
    def said(self) -> str:
        """The conditions in words, for the exported file."""
        selection = self.selection
        parts = [f"题名、文号、档号含“{selection.text}”"] if selection.text else []
        for kind in FACETS:
            if kind.key in selection.chosen:
                parts.append(f"{kind.name}：{'、'.join(selection.chosen[kind.key])}")
        first, last = selection.first_year, selection.last_year
        if first is not None or last is not None:
            parts.append(f"年度：{first or ''}—{last or ''}")
        if selection.volume:
            parts.append(f"案卷 {selection.volume} 的卷内文件")
        return "；".join(parts) or "全部"

    @property
    def sort_said(self) -> str:
        """The order in words."""
        return f"按{_SORT_NAMES[self.sort]}{'降序' if self.descending else '升序'}"


def _year(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else None


def _hidden(reader: Reader) -> frozenset[str]:
    return frozenset() if may_see_opening(reader).allowed else _OPENING


def _page_json(
    found: CataloguePage, shown: Sequence[Row], asked: _Asked, reader: Reader, store: Store
) -> dict[str, Any]:
    volume = None
    if asked.selection.volume:
        record = store.record(asked.selection.volume)
        if record is not None and may_read(reader, record).allowed:
            volume = {
                "record": record_token(record.record_id),
                "code": record.reference_code,
                "title": record.title,
            }
    opening = may_see_opening(reader).allowed
    return {
        "total": found.total,
        "items": found.items,
        "volumes": found.volumes,
        "page": found.page,
        "pages": found.pages,
        "page_rows": PAGE_ROWS,
        "sort": asked.sort,
        "descending": asked.descending,
        "volume": volume,
        "export_limit": export_limit(reader),
        "blank": BLANK,
        "rows": [_row_json(row, opening=opening) for row in shown],
        "facets": [
            {
                "key": facet.kind.key,
                "name": facet.kind.name,
                "several": facet.kind.several,
                "values": [[v.value, v.count, v.chosen] for v in facet.values],
                "more": facet.more,
                "more_rows": facet.more_rows,
            }
            for facet in found.facets
        ],
    }


def _row_json(row: Row, *, opening: bool) -> dict[str, Any]:
    record = row.record
    return {
        "record": record_token(record.record_id),
        "code": record.reference_code or record.record_id,
        "title": record.title,
        "date": record.marked("date"),
        "doc_no": record.marked("doc_no"),
        "author": record.marked("author"),
        "type": record.marked("doc_type"),
        "meeting": record.marked("meeting"),
        "department": record.department,
        "retention": record.retention,
        "result": row.result,
        "level": record.unit_level,
        "pages": row.pages.pages,
        "page_count": record.page_count,
        "text": row.text,
        "files": row.files,
        "volume": record_token(row.volume) if row.volume else "",
        **({"opening": record.opening} if opening else {}),
    }


def _statistics_json(found: HoldingsStatistics, charts: Sequence[Chart]) -> dict[str, Any]:
    return {
        "items": found.items,
        "volumes": found.volumes,
        "pages": found.pages,
        "unreadable": found.unreadable,
        "charts": [
            {
                "key": chart.key,
                "name": chart.name,
                "kind": chart.kind.value,
                "unit": chart.unit,
                "headings": list(chart.headings),
                "rows": [[name, list(counts)] for name, counts in chart.rows],
                "note": chart.note,
            }
            for chart in charts
        ],
    }


def _chart_sheet(chart: Chart) -> Sheet:
    """The table of a chart; sittings become one row each, so that it can be sorted."""
    rows: list[Sequence[str]]
    if chart.kind is ChartKind.SITTINGS:
        rows = [(chart.headings[0], chart.headings[1], "件数")]
        rows += [
            (name, str(number), str(count))
            for name, counts in chart.rows
            for number, count in enumerate(counts, start=1)
        ]
    else:
        rows = [(*chart.headings, "合计")] if len(chart.headings) > 2 else [chart.headings]
        for name, counts in chart.rows:
            total = (str(sum(counts)),) if len(counts) > 1 else ()
            rows.append((name, *map(str, counts), *total))
    return Sheet(chart.name, tuple(tuple(row) for row in rows))


def _file(content: bytes, name: str, kind: str) -> Response:
    headers = {**_PRIVATE, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=KINDS[kind], headers=headers)


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=_PRIVATE)
