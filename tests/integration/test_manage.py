"""The pages of administration over HTTP: who may, what they tell, what they refuse."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from index.access import ADMINISTRATORS
from index.domain import Reader, Record, Role
from index.settings import load_settings
from index.store import Store
from tests.web_fakes import CATALOGUE_ONLY, HIDDEN, SCANNED, make_store
from ui.doctor import Finding
from ui.examination import Examination
from ui.log_file import FILE_NAME, log_lines, start_log_file
from ui.manage import build_manage_router
from ui.reader import READER_KEY

SECRET = "sk-very-secret"
PAGES = ("", "/opening", "/vocabulary", "/settings", "/doctor", "/logs")
READS = (
    "/admin", "/admin/opening", "/admin/vocabulary", "/admin/settings", "/admin/doctor",
    "/admin/logs", "/api/admin/overview", "/api/admin/settings", "/api/admin/logs",
    "/api/admin/doctor", "/api/admin/opening", "/api/admin/opening/1", "/api/admin/vocabulary",
)  # fmt: skip
WRITES = (
    "/api/admin/doctor", "/api/admin/opening/preview", "/api/admin/opening/decide",
    "/api/admin/opening/undo", "/api/admin/vocabulary/put", "/api/admin/vocabulary/drop",
    "/api/admin/vocabulary/disable", "/api/admin/vocabulary/try",
)  # fmt: skip


class As:
    """A layer in front that has identified the caller."""

    def __init__(self, app: ASGIApp, reader: Reader | None) -> None:
        self.app, self.reader = app, reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.reader is not None:
            scope[READER_KEY] = self.reader
        await self.app(scope, receive, send)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_store(tmp_path).close()
    return tmp_path


def client(home: Path, reader: Reader | None = None, **flags: object) -> TestClient:
    given = {"llm_api_key": SECRET, "llm_base_url": "http://me:pw@10.0.0.8/v1", **flags}
    settings = load_settings(home, given, {})
    app = FastAPI()
    app.include_router(build_manage_router(Store(settings.database_path), settings, "v"))
    return TestClient(As(app, reader))


def post(to: TestClient, path: str, body: object) -> Any:
    return to.post(path, json=body)


OTHERS = [
    Reader(role, "某人", "办公室", "account")
    for role in Role
    if role not in (Role.ARCHIVIST, Role.SYSTEM_ADMIN)
]


@pytest.mark.parametrize("reader", OTHERS, ids=lambda r: r.role.value)
def test_for_others_nothing_of_it_exists(home: Path, reader: Reader) -> None:
    """This test ensures that every route answers as an absent one, whatever is sent."""
    to = client(home, reader)
    # Every administrator has an overview, of what is theirs.
    reads = [p for p in READS if reader.role not in ADMINISTRATORS or "overview" not in p]
    answers = [to.get(path) for path in reads if path != "/admin" or reads == [*READS]]
    for path in WRITES:
        answers += [post(to, path, {}), to.post(path, content=b"{", headers={})]
    assert {a.status_code for a in answers} == {404}
    assert len({a.content for a in answers}) == 1


def test_an_archivist_who_signed_in_does_not_run_the_program(home: Path) -> None:
    store = Store(load_settings(home, {}, {}).database_path)
    store.replace_record(Record("0012-1-35", "会议文件", unit_level="案卷"), [], [], "v")
    store.close()
    to = client(home, Reader(Role.ARCHIVIST, "张档", "", "zhang"))
    for path in ("settings", "doctor", "logs"):
        assert to.get(f"/admin/{path}").status_code == 404
        assert to.get(f"/api/admin/{path}").status_code == 404
    assert post(to, "/api/admin/doctor", {}).status_code == 404
    for path in ("/admin", "/admin/opening", "/admin/vocabulary", "/api/admin/opening"):
        assert to.get(path).status_code == 200
    overview = to.get("/api/admin/overview").json()
    places, facts = overview["places"], dict(overview["facts"])
    # A volume is no item; one item has no pages.
    assert facts["目录"] == "5 件、案卷 1 卷"
    assert facts["有原文的"] == "4 件（卷）、8 页"
    assert {p["address"] for p in places} >= {"admin/ingest", "admin/opening", "admin/vocabulary"}
    assert not {p["address"] for p in places} & {"admin/settings", "admin/logs"}


def test_the_system_administrator_runs_it_and_sees_no_holdings(home: Path) -> None:
    to = client(home, Reader(Role.SYSTEM_ADMIN, "系统", "", "xt"))
    for path in ("settings", "doctor", "logs"):
        assert to.get(f"/admin/{path}").status_code == 200
        assert to.get(f"/api/admin/{path}").status_code == 200
    for path in ("/admin/opening", "/api/admin/opening", "/api/admin/vocabulary"):
        assert to.get(path).status_code == 404
    overview = to.get("/api/admin/overview").json()
    assert [name for name, _ in overview["facts"]] == ["上次备份"]


def test_every_page_is_served_to_the_user_of_a_single_machine(home: Path) -> None:
    to = client(home, user="<b>张档")
    for path in PAGES:
        answer = to.get(f"/admin{path}")
        assert answer.status_code == 200
        assert "no-store" in answer.headers["cache-control"]
        assert "<b>张档" not in answer.text
    assert to.post("/api/admin/nothing/decide", json={}).status_code == 404
    assert post(to, "/api/admin/opening/nothing", {}).status_code == 404


def test_secrets_are_not_told(home: Path) -> None:
    body = client(home).get("/api/admin/settings").text
    assert SECRET not in body
    assert "me:pw" not in body
    assert "已设置，不显示" in body


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"[" * 5000, b'{"a": "' + b"x" * 1_100_000 + b'"}'],
    ids=["nothing", "list", "broken", "deep", "long"],
)
def test_what_is_no_small_object_is_refused(home: Path, content: bytes) -> None:
    to = client(home)
    sent = {"content-type": "application/json"}
    answer = to.post("/api/admin/opening/preview", content=content, headers=sent)
    assert answer.status_code == 400
    form = to.post("/api/admin/opening/preview", data={"preset": "法规"})
    assert form.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"codes": 5}, {"codes": [SCANNED], "without": "x"}, {"first_year": {}},
        {"preset": "'; DROP TABLE records"}, {"codes": "x\n" * 20_001}, {},
    ],
)  # fmt: skip
def test_wrong_selections_are_refused_in_chinese(home: Path, body: dict[str, Any]) -> None:
    answer = post(client(home), "/api/admin/opening/preview", body)
    assert answer.status_code == 409
    assert "。" in answer.json()["detail"]


def test_a_decision_needs_its_preview_and_names_who_entered_it(home: Path) -> None:
    to = client(home, Reader(Role.ARCHIVIST, "张档", "", "zhang"))
    body = {
        "codes": [HIDDEN, CATALOGUE_ONLY], "result": "控制", "reason": "知识产权或个人信息",
        "by": "李局", "on": "2026-01-05", "note": "",
    }  # fmt: skip
    assert post(to, "/api/admin/opening/decide", body).json()["detail"] == "请先预览，再登记。"
    preview = post(to, "/api/admin/opening/preview", body).json()
    assert (preview["total"], preview["open"], preview["warned"]) == (2, 1, 1)
    body["stamp"] = preview["stamp"]
    assert "2 件定为控制" in post(to, "/api/admin/opening/decide", body).json()["said"]
    assert post(to, "/api/admin/opening/decide", body).status_code == 409, "pressed twice"

    state = to.get("/api/admin/opening").json()
    (batch,) = state["batches"]
    assert (batch["decided_by"], batch["entered_by"], batch["count"]) == ("李局", "zhang", 2)
    record = Store(load_settings(home, {}, {}).database_path).record(CATALOGUE_ONLY)
    assert record is not None
    assert record.opening == "控制"
    assert to.get("/api/admin/opening/1").json()["total"] == 2
    assert to.get("/api/admin/opening/9").status_code == 404
    undo = {"number": 1, "by": "李局", "note": ""}
    assert "为什么撤销" in post(to, "/api/admin/opening/undo", undo).json()["detail"]
    assert post(to, "/api/admin/opening/undo", {**undo, "note": "错"}).status_code == 200
    assert post(to, "/api/admin/opening/undo", {"number": "1"}).status_code == 409


def test_the_vocabulary_is_changed_by_row(home: Path) -> None:
    to = client(home)
    good = {"口语": "小蓝车/共享小蓝", "正式用语": "公共自行车", "起始年": "2015", "方向": "单向"}

    def put(values: object, number: object = 0, stamp: str | None = None) -> Any:
        now = to.get("/api/admin/vocabulary").json()["stamp"] if stamp is None else stamp
        body = {"number": number, "values": values, "stamp": now}
        return post(to, "/api/admin/vocabulary/put", body)

    for values, said in (
        ({"口语": "车", "正式用语": "机动车"}, "只有一个字"),
        ({"口语": "小车", "正式用语": ""}, "空着"),
        ({**good, "起始年": "明年"}, "四位年份"),
        ({**good, "说明": '=HYPERLINK("x")'}, "不能以 ="),
        ({**good, "说明": "两\n行"}, "换行"),
        ({**good, "说明": "长" * 401}, "太长"),
        ([], "读不懂"),
    ):
        answer = put(values)
        assert answer.status_code == 409
        assert said in answer.json()["detail"]
    assert not (home / "vocabulary.csv").exists()

    assert put(good).status_code == 200
    state = to.get("/api/admin/vocabulary?q=小蓝").json()
    assert [row["values"]["口语"] for row in state["own"]] == ["小蓝车/共享小蓝"]
    found = post(to, "/api/admin/vocabulary/try", {"words": "小蓝车怎么管"}).json()["found"]
    assert found[0]["meanings"] == ["公共自行车"]
    assert found[0]["years"] == "2015年起"

    assert "别人改过" in put(good, 1, stamp="0123").json()["detail"]
    assert "没有这一行" in put(good, 7).json()["detail"]
    assert "没有这一行" in put(good, True).json()["detail"]
    assert put({**good, "口语": "小黄车"}, 1).status_code == 200
    stamp = to.get("/api/admin/vocabulary").json()["stamp"]
    drop = {"number": 0, "stamp": stamp}
    assert post(to, "/api/admin/vocabulary/drop", drop).status_code == 409
    assert post(to, "/api/admin/vocabulary/drop", {"number": 1, "stamp": stamp}).status_code == 200
    assert to.get("/api/admin/vocabulary").json()["own"] == []


# -- the log --------------------------------------------------------------------------------------


@pytest.fixture
def log(home: Path) -> Iterator[Path]:
    kept = {
        name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level)
        for name in ("assistant", "index", "ingest", "ui", "uvicorn.error")
    }
    path = start_log_file(load_settings(home, {"llm_api_key": SECRET}, {}))
    assert path is not None
    yield path
    for name, (handlers, level) in kept.items():
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)


def test_the_log_holds_no_words_of_a_question_and_no_secret(log: Path, home: Path) -> None:
    """This test ensures that of an exception only its kind and place are kept, on one line."""
    logger = logging.getLogger("ui.chat")
    try:
        raise RuntimeError("张三的信访件")
    except RuntimeError:
        logger.exception("a question failed")
    logger.warning("key %s and\n2026-01-01 00:00:00 ERROR ui forged\x1b[2J", SECRET)
    logger.debug("too fine")

    text = log.read_text(encoding="utf-8")
    assert "张三" not in text
    assert SECRET not in text
    assert "RuntimeError" in text
    assert "test_manage.py" in text
    assert text.count("\n") == 2
    assert log.stat().st_mode & 0o077 == 0
    lines = log_lines(home)
    assert [line.level for line in lines] == ["WARNING", "ERROR"], "the newest first"
    assert "\x1b" not in lines[0].what
    assert [line.what for line in log_lines(home, "ERROR")] == [lines[1].what]
    assert client(home).get("/api/admin/logs?level=nonsense&count=-5").status_code == 200


def test_the_log_turns_over(log: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("index.store")
    for handler in logging.getLogger("index").handlers:
        monkeypatch.setattr(handler, "maxBytes", 2000, raising=False)
    for i in range(400):
        logger.info("event %d", i)
    names = sorted(p.name for p in log.parent.iterdir())
    assert names == [FILE_NAME, *(f"{FILE_NAME}.{i}" for i in range(1, 6))]
    lines = log_lines(home, count=20)
    assert [line.what for line in lines] == [f"event {i}" for i in range(399, 379, -1)]


# -- the examination ------------------------------------------------------------------------------


def test_an_examination_is_one_at_a_time_and_names_nothing_to_the_system_administrator(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_: object) -> Iterator[Finding]:
        time.sleep(0.3)
        yield Finding(False, "有 1 个原文件找不到", "某某来信.pdf。请放回。", names=True)
        raise RuntimeError("broken")

    monkeypatch.setattr("ui.examination.examine", slow)
    examination = Examination(load_settings(home, {}, {}))
    assert examination.start()
    assert not examination.start()
    while examination.state(names=True)["running"]:
        time.sleep(0.02)
    named, unnamed = examination.state(names=True), examination.state(names=False)
    assert "某某来信" in named["findings"][0]["next_step"]
    assert "某某来信" not in str(unnamed)
    assert named["findings"][1]["what"] == "检查没有做完"
    assert examination.start()
