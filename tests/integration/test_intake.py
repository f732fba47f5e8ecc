"""The filed report of a run, and the ingest page over HTTP: who may, what it starts, what it refuses."""

from __future__ import annotations

import io
import json
import shutil
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from index.domain import Reader, Role
from index.held import HeldItems
from index.settings import load_settings
from index.store import Store
from ingest.coverage import holdings_by
from ingest.errors import IngestError
from ingest.jobs import dead_letters
from ingest.pipeline import ingest
from ingest.report import Concern
from ingest.run_files import filed_reports, read_report
from ingest.run_html import report_html
from ingest.run_report import RunReport
from ingest.run_tables import report_workbook
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui import admin, intake
from ui.cli import main
from ui.gate import Gate
from ui.ingest_sources import IngestSources, SourceRefusedError

FORMULA = "=1+1 <img src=x onerror=alert(1)>.txt"


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of every kind of trouble, and a home it was taken into once; never changed."""
    top = tmp_path_factory.mktemp("intake")
    folder = top / "馆藏"
    line = "关于城市管理工作情况的报告，一切正常。"
    write_text_pdf(folder / "0012-1998-Y-0001.pdf", [[line]] * 3)
    (folder / "坏一.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "坏二.pdf").write_bytes(b"%PDF-1.7\nx")
    (folder / "别的.zip").write_bytes(b"PK")
    (folder / "密件.txt").write_text("机密★\n某事\n", encoding="utf-8")
    (folder / "疑件.txt").write_text("机密\n关于某事的通知\n", encoding="utf-8")
    (folder / "来信.txt").write_text("关于来信的答复\n联系电话：13812345678\n", encoding="utf-8")
    (folder / FORMULA).write_text("一件事的记录。", encoding="utf-8")
    (folder / "同样.txt").write_text("一件事的记录。", encoding="utf-8")
    write_workbook(
        folder / "目录.xlsx",
        {"目录": [
            ["档号", "题名", "日期", "文种", "页数"],
            ["0012-1998-Y-0001", "城市管理报告", "1998", "报告", "5"],
            ["0012-1999-Y-0002", "没有文件的一件", "1999", "通知", ""],
        ]},
    )  # fmt: skip
    store, settings = open_home(top / "home")
    ingest(folder, store, settings)
    store.close()
    return folder, top / "home"


@pytest.fixture
def holdings(taken_in: tuple[Path, Path]) -> Path:
    return taken_in[0]


@pytest.fixture
def home(tmp_path: Path, taken_in: tuple[Path, Path]):
    shutil.copytree(taken_in[1], tmp_path / "home")
    store, settings = open_home(tmp_path / "home")
    yield store, settings
    store.close()


# -- the filed report -----------------------------------------------------------------------------


def test_a_run_files_everything_an_archivist_has_to_sign_for(home) -> None:
    """This test ensures that each file has its row, and each kind of finding its list."""
    _, settings = home

    report = read_report(settings.home)

    states = {row.path: row.state for row in report.files}
    assert states == {
        "0012-1998-Y-0001.pdf": "完成", "坏一.pdf": "失败", "坏二.pdf": "失败",
        "别的.zip": "格式不支持", "密件.txt": "不予入库", "疑件.txt": "待审核", "来信.txt": "完成",
        FORMULA: "完成", "同样.txt": "完成",
    }  # fmt: skip
    rows = {row.path: row for row in report.files}
    assert (rows["0012-1998-Y-0001.pdf"].pages, rows["0012-1998-Y-0001.pdf"].source) == (
        3,
        "文字层 3",
    )
    assert rows["坏一.pdf"].reason
    assert rows["坏一.pdf"].next_step
    assert rows["密件.txt"].pages == 0
    concerns = {kind: {c.where for c in listed} for kind, listed in report.concerns_by_kind()}
    assert concerns[Concern.NO_ROW] == {"来信.txt", FORMULA, "同样.txt"}
    assert len(concerns[Concern.NO_FILE]) == len(concerns[Concern.SAME]) == 1
    assert concerns[Concern.PAGES] == {"0012-1998-Y-0001"}
    assert {h.place for h in report.held} == {"密件.txt", "疑件.txt"}
    assert [(pages, places) for _, pages, places in report.personal] == [(1, 1)]
    assert dict(report.versions).keys() >= {"查档", "文字识别", "PDF 读取"}
    assert "13812345678" not in json.dumps(report.to_json(), ensure_ascii=False)
    assert RunReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_the_page_for_paper_is_inert_and_whole(home) -> None:
    """This test ensures that a file name is text there, and that nothing is fetched or run."""
    _, settings = home
    page = report_html(read_report(settings.home), "<示例>档案馆")

    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "&lt;示例&gt;档案馆" in page
    for word in ("<script", "http:", "https:", 'src="', "url(", "@import"):
        assert word not in page
    for word in ("坏一.pdf", "密件.txt", "填报人", "复核人", "0012-1999-Y-0002"):
        assert word in page
    assert "没有文件的一件" not in page  # titles are no part of it


def test_the_workbook_holds_no_formula(home) -> None:
    """This test ensures that a file called like a formula stays a word."""
    _, settings = home
    book = openpyxl.load_workbook(io.BytesIO(report_workbook(read_report(settings.home))))

    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert FORMULA in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    files = book["文件"]
    assert [cell.value for cell in files[1]][:4] == ["文件", "状态", "编号", "页数"]
    assert files.max_row == 10
    book.close()


def test_the_report_can_be_written_again(home, holdings, tmp_path, capsys) -> None:
    """This test ensures that `chadang report` gives an earlier run's report, not today's state."""
    store, settings = home
    shutil.copytree(holdings, tmp_path / "馆藏")
    ingest(tmp_path / "馆藏" / "来信.txt", store, settings)
    flags = ["--home", str(settings.home)]

    out = tmp_path / "旧.html"
    assert main(["report", *flags, "--run", "1", "--html", str(out)]) == 0
    assert "坏一.pdf" in out.read_text(encoding="utf-8")
    assert main(["report", *flags, "--xlsx", str(tmp_path / "新.xlsx")]) == 0
    book = openpyxl.load_workbook(tmp_path / "新.xlsx", read_only=True)
    assert "坏一.pdf" not in {row[0] for row in book["文件"].values}
    book.close()
    assert main(["report", *flags]) == 0
    assert "可打印：" in capsys.readouterr().out
    assert main(["report", *flags, "--list"]) == 0
    assert capsys.readouterr().out.count("第 ") == 2
    assert main(["report", *flags, "--run", "9"]) == 1
    assert "没有第 9 次" in capsys.readouterr().err

    filed_reports(settings.home)[0].json.write_text("{", encoding="utf-8")
    with pytest.raises(IngestError, match="读不出"):
        read_report(settings.home)


def test_one_dead_letter_can_be_retried_alone(home, holdings, capsys) -> None:
    """This test ensures that `--file` reads the named file again and leaves the others."""
    store, settings = home
    flags = ["--home", str(settings.home), "--no-index"]

    assert main(["ingest", "--retry", "--file", "坏二.pdf", *flags]) == 0
    assert {j.path: j.attempts for j in dead_letters(store)} == {"坏一.pdf": 1, "坏二.pdf": 2}
    assert main(["ingest", "--retry", "--file", "没有.pdf", *flags]) == 1
    assert "不在失败的文件之列" in capsys.readouterr().err
    assert main(["ingest", str(holdings), "--file", "坏二.pdf", *flags]) == 2


def test_coverage_counts_every_record_once_in_each_chart(home) -> None:
    """This test ensures that the charts add up to the holdings."""
    store, _ = home
    charts = holdings_by(store)

    assert {sum(g.records for g in groups) for groups in charts.values()} == {
        store.counts()["records"]
    }
    years = {g.name: (g.records, g.readable, g.pages) for g in charts["年度"]}
    assert years["1998"] == (1, 1, 3)
    assert years["1999"] == (1, 0, 0)
    assert "0012" in {g.name for g in charts["全宗"]}


# -- which folders --------------------------------------------------------------------------------


def test_only_named_folders_can_be_taken_in_from_the_page(home, holdings, tmp_path) -> None:
    """This test ensures that nothing else is read: no other folder, no way around, no link."""
    store, settings = home
    root = tmp_path / "可入库"
    (root / "甲").mkdir(parents=True)
    (tmp_path / "别处").mkdir()
    (root / "链接").symlink_to(tmp_path / "别处")
    settings = load_settings(
        settings.home, {"ingest_roots": f"{root}; {settings.home}; /没有的"}, environment={}
    )
    sources = IngestSources(store, settings)

    assert sources.offered() == [str(holdings), str(root), str(root / "甲")]
    assert sources.allowed(str(root / "甲")) == root / "甲"
    assert sources.allowed(str(holdings)) == holdings
    refused = [
        tmp_path / "别处", tmp_path, root / "链接", root / "甲" / ".." / ".." / "别处", "/etc",
        settings.home, settings.home / "reports", "可入库", "", root / "没有", f"{root}\0",
        holdings / "目录.xlsx",
    ]  # fmt: skip
    said = set()
    for path in refused:
        with pytest.raises(SourceRefusedError) as error:
            sources.allowed(str(path))
        said.add(str(error.value))
    assert len(said) == 1  # what is missing and what is closed sound the same

    (root / "甲" / "外.txt").symlink_to("/etc/hostname")
    with pytest.raises(SourceRefusedError, match="指向外面"):
        sources.allowed(str(root / "甲"))


def test_without_roots_only_earlier_folders_are_offered(home, holdings) -> None:
    """This test ensures that the default opens nothing new."""
    store, settings = home
    sources = IngestSources(store, settings)

    assert sources.offered() == [str(holdings)]
    with pytest.raises(SourceRefusedError):
        sources.allowed(str(holdings.parent))


# -- over HTTP ------------------------------------------------------------------------------------


class Started:
    """Stands for a process: what it was started with, and that it has ended."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.returncode = 0

    def poll(self) -> int:
        return 0

    def ingest(self, _settings: object, source: Path | None, **named: Any) -> Started:
        self.calls.append((source, named))
        return self


@pytest.fixture
def web(home, monkeypatch):
    store, settings = home
    started = Started()
    monkeypatch.setattr(intake, "start_ingest", started.ingest)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(admin.build_admin_router(store, settings, "v1"))
    app.add_middleware(Gate, host="127.0.0.1", site_names="", widget_origins=(), asset_version="v1")
    with TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        yield client, started, store, settings


def _act(client: TestClient, action: str, **body: Any) -> Any:
    return client.post(f"/api/admin/ingest/{action}", json=body)


def test_for_others_there_is_no_such_page(web, monkeypatch) -> None:
    """This test ensures that each route gives everybody else the bytes of a route that is absent."""
    client, started, _, settings = web
    name = filed_reports(settings.home)[0].html.name
    gets = (
        "/admin/ingest",
        "/api/admin/ingest",
        "/api/admin/ingest/details",
        f"/admin/reports/{name}",
    )
    assert [client.get(path).status_code for path in gets] == [200] * 4
    absent = client.get("/admin/reports/没有")

    for role in (Role.STAFF, Role.DEPUTY, Role.PUBLIC):
        monkeypatch.setattr(admin, "current_reader", lambda _r, _s, role=role: Reader(role, "某人"))
        for path in gets:
            answer = client.get(path)
            assert (answer.status_code, answer.content) == (404, absent.content)
        for action in ("start", "retry", "decide", "check", "pause", "没有"):
            for body in (b"{}", b"not json"):
                answer = client.post(f"/api/admin/ingest/{action}", content=body)
                assert (answer.status_code, answer.content) == (404, absent.content)
    assert started.calls == []


def test_a_foreign_site_cannot_press_the_buttons(web, holdings) -> None:
    """This test ensures that Origin, Sec-Fetch-Site and the media type are looked at."""
    client, started, _, _ = web
    body = json.dumps({"source": str(holdings)})
    form = {"Content-Type": "text/plain"}
    right = {"Content-Type": "application/json"}

    for headers in (
        {**right, "Origin": "http://evil.test"},
        {**right, "Origin": "null"},
        {**right, "Sec-Fetch-Site": "cross-site"},
        {**right, "Sec-Fetch-Site": "same-site"},
    ):
        assert (
            client.post("/api/admin/ingest/start", content=body, headers=headers).status_code == 403
        )
    for content, headers in ((body, form), (b"[]", right), (b"{", right), (b" " * 30_000, right)):
        assert (
            client.post("/api/admin/ingest/start", content=content, headers=headers).status_code
            == 400
        )
    assert started.calls == []
    own = {**right, "Origin": "http://127.0.0.1:7860"}
    assert client.post("/api/admin/ingest/start", content=body, headers=own).status_code == 200
    assert started.calls == [(holdings, {"force": False, "retry": False, "only": ()})]


def test_the_page_starts_retries_and_refuses(web, holdings, tmp_path) -> None:
    """This test ensures that only known folders and known dead letters can be asked for."""
    client, started, store, _ = web

    for source in ("/etc", str(tmp_path), "", None, 7, "x" * 5000):
        assert _act(client, "start", source=source).status_code == 409
    assert _act(client, "check", source="/etc").status_code == 409
    assert _act(client, "retry", place="/etc/passwd").status_code == 409
    assert _act(client, "pause").status_code == 409
    assert started.calls == []

    bad = next(job for job in dead_letters(store) if job.path == "坏二.pdf")
    assert _act(client, "retry", place=bad.place).status_code == 200
    assert _act(client, "retry").status_code == 200
    assert _act(client, "start", source=str(holdings), force=True).status_code == 200
    assert [(source, named["retry"], named["only"]) for source, named in started.calls] == [
        (holdings, True, [bad.place]), (None, True, ()), (holdings, False, ()),
    ]  # fmt: skip


def test_the_lists_and_a_decision(web) -> None:
    """This test ensures that a decision needs a name and a reason, and is kept with both."""
    client, _, store, _ = web
    details = client.get("/api/admin/ingest/details").json()
    assert {row["path"] for row in details["dead"]["rows"]} == {"坏一.pdf", "坏二.pdf"}
    assert {row["place"] for row in details["held"]["rows"]} == {"密件.txt", "疑件.txt"}
    assert details["coverage"].keys() == {"全宗", "年度", "文种"}
    doubtful = next(r for r in details["held"]["rows"] if r["place"] == "疑件.txt")
    marked = next(r for r in details["held"]["rows"] if r["place"] == "密件.txt")
    assert (doubtful["paper"], marked["paper"]) == (False, True)

    number = doubtful["number"]
    for wrong in (
        {"number": number, "decision": "放行", "by": " ", "reason": "看过"},
        {"number": number, "decision": "放行", "by": "张三", "reason": ""},
        {"number": number, "decision": "也许", "by": "张三", "reason": "看过"},
        {"number": True, "decision": "放行", "by": "张三", "reason": "看过"},
        {"number": 99, "decision": "放行", "by": "张三", "reason": "看过"},
        {"number": marked["number"], "decision": "放行", "by": "张三", "reason": "看过"},
    ):
        assert _act(client, "decide", **wrong).status_code == 409
    assert len(HeldItems(store).items(undecided=True)) == 2
    right = {"number": number, "decision": "放行", "by": "张三", "reason": "看过原件"}
    assert _act(client, "decide", **right).status_code == 200
    (decided,) = client.get("/api/admin/ingest/details").json()["decided"]["rows"]
    assert [(d["by"], d["decision"]) for d in decided["decisions"]] == [("张三", "放行")]
    state = client.get("/api/admin/ingest").json()
    assert (state["phase"], state["undecided"], state["run"]["number"]) == ("idle", 1, 1)


def test_only_reports_can_be_fetched(web) -> None:
    """This test ensures that no name leads to another file of the home."""
    client, _, _, settings = web
    filed = filed_reports(settings.home)[0]

    page = client.get(f"/admin/reports/{filed.html.name}")
    assert page.headers["content-disposition"].startswith("inline")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    sheet = client.get(f"/admin/reports/{filed.xlsx.name}")
    assert sheet.headers["content-disposition"].startswith("attachment")
    for name in (
        "..%2Fchadang.sqlite3",
        "%2e%2e/chadang.sqlite3",
        filed.json.name,
        "check.xlsx",
        "%00",
    ):
        assert client.get(f"/admin/reports/{name}").status_code == 404
    filed.html.unlink()
    filed.html.symlink_to("/etc/hostname")
    assert client.get(f"/admin/reports/{filed.html.name}").status_code == 404


def test_the_preview_is_the_command_s_own(web, holdings) -> None:
    """This test ensures that the page shows what `--check` says, and that nothing is stored."""
    client, _, store, settings = web
    before = store.data_version

    assert _act(client, "check", source=str(holdings)).status_code == 200
    assert _act(client, "check", source=str(holdings)).status_code == 409
    check: dict[str, Any] = {"state": "running"}
    for _ in range(600):
        check = client.get("/api/admin/ingest").json()["check"]
        if check["state"] != "running":
            break
        time.sleep(0.1)
    assert check["state"] == "done"
    assert "预览：只看不存" in check["text"]
    assert "坏一.pdf" in check["text"]
    assert client.get("/admin/reports/check.xlsx").status_code == 200
    assert Store(settings.database_path).data_version == before
