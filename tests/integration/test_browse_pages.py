"""Catalogue, precedent and statistics pages over HTTP: who gets what, files, the use register."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.register import Action, Entry
from index.access import READING_ROLES
from index.domain import Page, Reader, Record, Role
from index.settings import Settings
from index.store import Store
from tests.web_fakes import HIDDEN, TYPED, make_settings, make_store
from ui import browse
from ui.api import record_token
from ui.browse import EXPORT_ROWS, build_browse_router
from ui.reader import READER_KEY
from ui.usage import UseLog, add_handlers

FORMULA = "=HYPERLINK(1) 公式"
PAGES = ("/catalogue", "/precedents", "/statistics")
GETS = (
    *PAGES,
    "/api/catalogue",
    "/api/catalogue/export.csv",
    "/api/precedents/topics",
    "/api/statistics",
    "/api/statistics/type.csv",
)


@dataclass
class Site:
    """The routes over a small real store, with who asks."""

    client: TestClient
    store: Store
    uses: UseLog
    settings: Settings
    reader: list[Reader] = field(default_factory=list)

    def become(self, role: Role, name: str = "某人", account: str = "") -> None:
        self.reader[:] = [Reader(role, name, account=account)]

    def json(self, path: str) -> Any:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def entries(self, action: Action) -> list[Entry]:
        return [e for e in self.uses.register.entries() if e.action == action]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = make_settings(tmp_path)
    store = make_store(tmp_path)
    store.replace_record(
        Record("0012-1-8", "一卷", reference_code="0012-1-8", unit_level="案卷", opening="控制"),
        [], [], "1",
    )  # fmt: skip
    store.replace_record(
        Record("0012-1-8-1", FORMULA, reference_code="0012-1-8-1", opening="开放", year=1990),
        [Page("0012-1-8-1", 1, "正文")], [], "1",
    )  # fmt: skip
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    uses = UseLog(settings, store)
    add_handlers(app)
    app.include_router(build_browse_router(store, settings, "v1", uses))
    reader: list[Reader] = [Reader(Role.ARCHIVIST, "管理员")]

    async def named(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, READER_KEY: reader[0]}, receive, send)

    with TestClient(named, base_url="http://127.0.0.1:7860") as client:
        yield Site(client, store, uses, settings, reader)


def titles(body: Any) -> list[str]:
    return [row["title"] for row in body["rows"]]


@pytest.mark.parametrize("role", list(Role))
def test_who_reads_gets_the_pages_and_who_does_not_gets_nothing(site: Site, role: Role) -> None:
    site.become(role)
    absent = site.client.get("/api/statistics/没有.csv")

    for path in GETS:
        response = site.client.get(path)
        assert response.headers["cache-control"] == "private, no-store"
        if role in READING_ROLES:
            assert response.status_code == 200, path
        else:
            assert (response.status_code, response.content) == (404, absent.content), path


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_frames_without_inline_code(site: Site, path: str) -> None:
    html = site.client.get(path).text

    assert f'href="{path[1:]}" aria-current="page"' in html
    assert 'id="br-main"' in html
    assert "style=" not in html
    assert html.count("<script") == html.count("<script ") == html.count("src=")


def test_what_is_closed_is_nowhere(site: Site) -> None:
    site.become(Role.DEPUTY, "李四")
    answers = [site.client.get(path) for path in GETS]
    answers.append(site.client.get("/api/catalogue?q=来信"))
    answers.append(site.client.get("/api/catalogue?type=信访&more=type"))

    for response in answers[:-1]:
        assert "来信的处理意见" not in response.text
        assert HIDDEN not in response.text
    # Only what was asked comes back, as for a value nobody ever wrote.
    absent = site.client.get("/api/catalogue?type=没有的&more=type")
    assert answers[-1].text.replace("信访", "没有的") == absent.text


def test_only_staff_are_told_what_is_open(site: Site) -> None:
    for role in READING_ROLES:
        site.become(role)
        body = site.json("/api/catalogue?opening=控制")
        told = role in (Role.ARCHIVIST, Role.STAFF)
        assert ("opening" in [f["key"] for f in body["facets"]]) is told
        assert all(("opening" in row) is told for row in body["rows"])
        charts = [c["key"] for c in site.json("/api/statistics")["charts"]]
        assert ("opening" in charts) is told
        assert ("use" in charts) is (role is Role.ARCHIVIST)
        if not told:  # the condition is as if it had not been written
            assert body["total"] == site.json("/api/catalogue")["total"]


def test_a_hidden_volume_answers_like_a_missing_one(site: Site) -> None:
    assert titles(site.json(f"/api/catalogue?volume={record_token('0012-1-8')}")) == [FORMULA]

    site.become(Role.DEPUTY, "李四")
    answers = [
        site.client.get(f"/api/catalogue{export}?volume={token}")
        for token in (record_token("0012-1-8"), record_token("没有"), "!", record_token(TYPED))
        for export in ("", "/export.csv")
    ]
    assert {(a.status_code, a.content) for a in answers} == {(404, answers[0].content)}


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=x", "page=99999999999999999999", "page=１", "sort=body", "order=up",
        "from=abc&to=20", "more=nothing", "unknown=1", "type=", "q=%20%20", "from=９９９９",
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_left_out(site: Site, query: str) -> None:
    assert titles(site.json(f"/api/catalogue?{query}")) == titles(site.json("/api/catalogue"))


def test_long_and_many_conditions_are_cut(site: Site) -> None:
    query = "&".join(f"type={'x' * 300}{n}" for n in range(90))

    body = site.json(f"/api/catalogue?q={'水' * 900}&{query}")

    assert body["total"] == 0
    types = next(f for f in body["facets"] if f["key"] == "type")
    assert max(len(v) for v, *_ in types["values"]) <= 200


def test_rows_link_to_their_record(site: Site) -> None:
    row = next(r for r in site.json("/api/catalogue?q=预算")["rows"])

    assert row["record"] == record_token(TYPED)
    assert (row["text"], row["pages"]) == ("有可查的文字", 2)


def test_a_csv_neutralises_formulas_and_says_where_it_is_from(site: Site) -> None:
    response = site.client.get("/api/catalogue/export.csv?q=公式&sort=date&order=desc")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))

    assert f"'{FORMULA}" in rows[1]
    said = {row[0]: row[1] for row in rows if len(row) == 2}
    assert said["目录条件"] == "题名、文号、档号含“公式”"
    assert said["排序"] == "按日期降序"
    assert said["导出人"] == "管理员（档案管理员）"
    assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")


def test_a_workbook_holds_the_rows_as_text(site: Site) -> None:
    response = site.client.get("/api/catalogue/export.xlsx?q=公式")
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    cells = [cell for row in book["目录"].iter_rows() for cell in row]

    assert FORMULA in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)


def test_each_role_takes_away_so_many_rows(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXPORT_ROWS, Role.DEPUTY, 2)
    site.become(Role.DEPUTY, "李四")
    total = site.json("/api/catalogue")["total"]
    assert total > 2

    text = site.client.get("/api/catalogue/export.csv").content.decode("utf-8-sig")
    assert text.index("\r\n\r\n") == text.index("\r\n", text.index("\r\n2,") + 1)
    assert f"共 {total} 条，一次最多导出 2 条" in text
    assert site.json("/api/catalogue")["export_limit"] == 2


def test_what_cannot_be_exported_is_not_there(site: Site) -> None:
    for path in ("export.pdf", "export.csv?q=没有这样的词", "export."):
        assert site.client.get(f"/api/catalogue/{path}").status_code == 404


def test_listing_what_is_closed_and_taking_away_are_registered(site: Site) -> None:
    for word in ("一卷", "一卷", "公式"):
        site.json(f"/api/catalogue?q={word}")
    site.client.get("/api/catalogue/export.csv?q=公式")
    site.client.get("/api/statistics/type.xlsx")

    (seen,) = site.entries(Action.VIEW_RECORD)
    assert [r.record_id for r in seen.records] == ["0012-1-8"]
    assert "含“一卷”" in seen.outcome
    table, rows = site.entries(Action.EXPORT)
    assert (rows.outcome, rows.copies, rows.record_count) == ("目录（csv）", 1, 1)
    assert "按文种" in table.outcome


def test_closed_rows_are_shown_only_when_registered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> int:
        from assistant.register import RegisterError

        raise RegisterError("磁盘已满")

    monkeypatch.setattr(site.uses.register, "write", fails)
    monkeypatch.setattr(site.uses.register, "by_month", fails)

    for path in ("/api/catalogue", "/api/catalogue/export.csv"):
        response = site.client.get(path)
        assert response.status_code == 503
        assert "来信的处理意见" not in response.text
    assert site.json("/api/catalogue?q=预算")["total"] == 1
    assert "use" not in [c["key"] for c in site.json("/api/statistics")["charts"]]


def test_the_purpose_is_asked_for_closed_rows(site: Site) -> None:
    site.become(Role.STAFF, "王五", account="wangwu")
    asked = site.client.get("/api/catalogue?q=一卷")

    assert (asked.status_code, asked.json()["purpose"]) == (409, True)
    site.uses.purposes.keep(site.reader[0], "工作查考")
    assert site.json("/api/catalogue?q=一卷")["total"] == 1


def test_the_figures_count_uses_by_month(site: Site) -> None:
    site.json("/api/catalogue?q=一卷")
    chart = next(c for c in site.json("/api/statistics")["charts"] if c["key"] == "use")

    ((_, counts),) = chart["rows"]
    assert dict(zip(chart["headings"][1:], counts, strict=True))["阅览"] == 1


def test_tables_of_figures_add_up(site: Site) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(site.client.get("/api/statistics/type.xlsx").content)
    )  # fmt: skip
    rows = list(book["按文种"].iter_rows(values_only=True))

    assert rows[0][-1] == "合计"
    assert sum(row[-1] for row in rows[1:]) == site.json("/api/statistics")["items"]
    assert all(row[-1] == sum(row[1:-1]) for row in rows[1:])


def test_export_limits_are_of_reading_roles_only() -> None:
    assert set(EXPORT_ROWS) <= READING_ROLES
    for role in set(Role) - set(EXPORT_ROWS):
        assert browse.export_limit(Reader(role)) == min(200, *EXPORT_ROWS.values())


def test_topics_to_try_name_only_what_everybody_may_see(site: Site) -> None:
    for number, (title, opening) in enumerate(
        [("关于加装电梯的建议", "开放"), ("关于某同志家事的建议", "控制"), ("关于养狗的建议", "")]
    ):
        record_id = f"0012-2020-{number}"
        site.store.replace_record(
            Record(record_id, title, reference_code=record_id, opening=opening, year=2020),
            [],
            [],
            "1",
        )

    for role in (Role.ARCHIVIST, Role.DEPUTY):
        site.become(role, "某人")
        assert site.json("/api/precedents/topics") == {"topics": ["加装电梯"]}
