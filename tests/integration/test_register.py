"""The use register on every channel: what is written, what is not given out, what nobody learns."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.register import REGISTER_FILE, Action, Entry, Register, Search, register_of
from index import access
from index.domain import Reader, Role
from index.errors import ArchiveError
from index.settings import load_settings
from tests.account_fakes import Clock, add_people, open_accounts
from tests.integration.test_sign_in import form_token, make_site, sign_in
from tests.web_fakes import (
    HIDDEN,
    HOSTILE,
    SCANNED,
    TYPED,
    FakeAssistant,
    make_settings,
    make_store,
)
from ui import cli
from ui.api import record_token
from ui.purposes import stated
from ui.reader import READER_KEY
from ui.usage import CHANNEL_KEY, Channel

ARCHIVIST = Reader(Role.ARCHIVIST, "本机用户")
SIGNED_IN = Reader(Role.ARCHIVIST, "赵某", "档案科", "zhao")
DEPUTY = Reader(Role.DEPUTY, "钱某", "", "qian")
MISSING = "0012-0000-没有-0000"
UNKNOWN = "0012-2030-永久-9998"


#: 工作查考, as a program states it.
STATED = {"Chadang-Purpose": "%E5%B7%A5%E4%BD%9C%E6%9F%A5%E8%80%83"}


class Front:
    """A layer in front that has identified the caller, as sign-in does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.reader: Reader | None = None
        self.channel: Channel | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.reader is not None:
            scope[READER_KEY] = self.reader
        if self.channel is not None:
            scope[CHANNEL_KEY] = self.channel
        await self.app(scope, receive, send)


@dataclass
class Web:
    client: TestClient
    front: Front
    register: Register
    assistant: FakeAssistant
    home: Path

    def ask(self, question: str, purpose: str = "") -> str:
        """Ask over Gradio's own queue; returns what is shown under the question."""
        account = "" if self.front.reader is None else self.front.reader.account
        session = {"session_hash": f"s1234567890{account}"}  # one belongs to one reader
        steps = self.client.get("/app/config").json()
        box = next(c["id"] for c in steps["components"] if c["type"] == "textbox")
        typed = next(d["id"] for d in steps["dependencies"] if [box, "submit"] in d["targets"])
        after = {d["trigger_after"]: d["id"] for d in steps["dependencies"]}
        self._post("run/predict", {"data": [question], "fn_index": typed, **session})
        data = [None, None, False, "", purpose]
        self._post("queue/join", {"data": data, "fn_index": after[typed], **session})
        address = "/app/gradio_api/queue/data"
        with self.client.stream("GET", address, params=session) as stream:
            for line in stream.iter_lines():
                event = json.loads(line[5:]) if line.startswith("data:") else {}
                if event.get("msg") == "process_completed":
                    content = event["output"]["data"][0][-1]["content"]
                    return content if isinstance(content, str) else content[0]["text"]
        raise AssertionError("no answer")

    def _post(self, name: str, body: dict[str, Any]) -> None:
        assert self.client.post(f"/app/gradio_api/{name}", json=body).status_code == 200

    def answer_id(self, question: str, purpose: str = "") -> str:
        return self.ask(question, purpose).split("(#c-")[1][:32]

    def last(self) -> Entry:
        return self.register.entries(limit=1)[0]


@contextmanager
def _web(home: Path, **flags: object) -> Iterator[Web]:
    from ui.app import build_app
    from ui.server import prepare_environment

    settings = make_settings(home, **flags)
    prepare_environment(settings)
    assistant = FakeAssistant(make_store(home), settings)

    async def build() -> FastAPI:
        return build_app(assistant, settings)

    front = Front(asyncio.run(build()))
    with TestClient(front, base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        yield Web(client, front, register_of(settings), assistant, home)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with _web(tmp_path_factory.mktemp("home")) as web:
        yield web


@pytest.fixture
def web(shared: Web) -> Iterator[Web]:
    yield shared
    shared.front.reader = shared.front.channel = None


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A home whose register cannot be written."""
    home = tmp_path_factory.mktemp("broken")
    (home / REGISTER_FILE).mkdir()
    with _web(home) as web:
        yield web


# -- every channel --------------------------------------------------------------------------------


def _list_and_export(web: Web) -> None:
    answer_id = web.answer_id("馆藏有哪些？")
    assert web.client.get(f"/api/answers/{answer_id}/export.csv").status_code == 200


def _get(address: str, status: int = 200) -> Callable[[Web], None]:
    def get(web: Web) -> None:
        assert web.client.get(address).status_code == status

    return get


def _images(web: Web) -> None:
    for width in (640, 1000, 2000):
        address = f"/page/{record_token(SCANNED)}/2.jpg?w={width}"
        assert web.client.get(address).status_code == 200


def _feedback(web: Web) -> None:
    body = {"answer": web.answer_id("经费？"), "verdict": "错", "words": "不对"}
    assert web.client.post("/api/feedback", json=body).status_code == 200


def _decide(web: Web) -> None:
    body = {"number": 999, "decision": "放行", "by": "孙某", "reason": "看过"}
    assert web.client.post("/api/admin/ingest/decide", json=body).status_code == 409


@pytest.mark.parametrize(
    ("do", "actions", "records"),
    [
        (lambda w: w.ask("维修经费是多少？"), ["提问", "答复"], SCANNED),
        (lambda w: w.ask("没有的事？"), ["提问", "未答"], ""),
        (_get("/api/precedents?q=水渠维修"), ["提问", "答复"], SCANNED),
        (_get("/api/precedents?q=没有的"), ["提问", "未答"], ""),
        (_get(f"/api/pages/{record_token(TYPED)}/1"), ["阅览原文"], TYPED),
        (_images, ["阅览原文"], SCANNED),
        (_get(f"/api/records/{record_token(HIDDEN)}"), ["阅览目录"], HIDDEN),
        (_list_and_export, ["提问", "答复", "导出"], HIDDEN),
        (_get(f"/api/records/{record_token(MISSING)}", 404), ["拒绝查阅"], MISSING),
        (_get(f"/api/records/{record_token(UNKNOWN)}/strip", 404), ["拒绝查阅"], UNKNOWN),
        (_feedback, ["提问", "答复", "反馈"], ""),
        (_decide, ["涉密审核", "涉密审核"], ""),
        (_get("/admin/register.xlsx"), ["查用登记簿"], ""),
        (_get("/admin/register?verify=1"), ["查用登记簿"], ""),
        (_get("/admin/failed.xlsx"), ["查用登记簿"], ""),
        (_get("/admin/feedback.xlsx"), ["查用登记簿"], ""),
    ],
)
def test_every_channel_of_the_page_is_registered(
    web: Web, do: Callable[[Web], None], actions: list[str], records: str
) -> None:
    before = web.register.count()
    do(web)
    new = web.register.entries()[: web.register.count() - before][::-1]

    assert [entry.action for entry in new] == actions
    assert {entry.person for entry in new} == {"本机用户"}
    assert {entry.channel for entry in new} == {"网页"}
    assert {entry.address for entry in new} == {"testclient"}
    if records:
        assert records in [record.record_id for record in new[-1].records]
    if "答复" in actions:
        answer = new[actions.index("答复")]
        assert answer.question
        assert answer.index_version.startswith("馆藏 ")
        assert answer.record_count == len(answer.records) > 0
        assert len(json.loads(answer.detail)["text_sha256"]) == 64
    assert web.register.verify().intact


def test_an_answer_names_the_quoted_pages_and_its_conversation(web: Web) -> None:
    web.ask("维修经费是多少？", "其他：写家谱")
    answer, asked = web.register.entries(limit=2)

    assert asked.action == "提问"
    assert answer.conversation == asked.conversation != ""
    assert answer.purpose == asked.purpose == "其他：写家谱"
    pages = {record.record_id: record.pages for record in answer.records}
    assert pages[SCANNED] == "1、2"
    assert pages[TYPED] == "1"
    assert pages[HOSTILE] == ""  # only named
    web.client.get(f"/api/pages/{record_token(TYPED)}/2")
    assert web.last().purpose == "其他：写家谱"


def test_the_same_page_is_one_use_for_one_reader(web: Web) -> None:
    address = f"/api/pages/{record_token(SCANNED)}/1"
    web.client.get(address)
    before = web.register.count()
    web.client.get(address)
    web.client.get(f"{address}?start=0&end=3")
    assert web.register.count() == before

    web.front.reader = SIGNED_IN
    web.client.get(address)
    assert web.register.count() == before + 1
    assert (web.last().person, web.last().account) == ("赵某", "zhao")


def test_a_layer_in_front_names_the_channel(web: Web) -> None:
    web.front.channel = Channel.API
    web.client.get(f"/api/pages/{record_token(SCANNED)}/2")

    assert web.last().channel == "接口"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import assistant.assistant as module

    make_store(tmp_path)

    def opened(settings: Any) -> FakeAssistant:
        from index.store import Store

        return FakeAssistant(Store(settings.database_path), settings)

    monkeypatch.setattr(module, "open_assistant", opened)
    return tmp_path


def test_the_command_line_is_registered(command: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = command / "清单.csv"
    home = ["--home", str(command)]
    assert cli.main(
        ["ask", "无话：馆藏有哪些？", "--purpose", "编史修志", "--export", str(path), "--name", "周某", *home]
    ) == 0  # fmt: skip
    register = Register(command / REGISTER_FILE)
    found = register.entries()[::-1]

    assert [entry.action for entry in found] == ["提问", "答复", "导出"]
    assert {entry.channel for entry in found} == {"命令行"}
    assert {entry.purpose for entry in found} == {"编史修志"}
    assert {entry.person for entry in found} == {"周某"}
    assert len({entry.conversation for entry in found}) == 1
    assert all(entry.address.startswith("本机") for entry in found)
    assert found[-1].copies == 1

    assert cli.main(["ask", "问", "--purpose", "好玩", *home]) == 1
    assert "--purpose 请写" in capsys.readouterr().err
    always = ["--set", "ask_purpose=always"]
    assert cli.main(["ask", "问", *always, *home]) == 1
    assert "--purpose" in capsys.readouterr().err


# -- programs -------------------------------------------------------------------------------------


PROGRAM = Reader(Role.STAFF, "办公系统", "办公室", "oa")


def _mcp(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@pytest.mark.parametrize(
    ("method", "address", "body", "actions", "records"),
    [
        ("POST", "/api/v1/ask", {"question": "维修经费？"}, ["提问", "答复"], SCANNED),
        ("POST", "/api/v1/ask", {"question": "没有的事"}, ["提问", "未答"], ""),
        ("POST", "/api/v1/precedents", {"topic": "水渠"}, ["提问", "答复"], SCANNED),
        (
            "POST",
            "/v1/chat/completions",
            {"model": "chadang", "messages": [{"role": "user", "content": "维修经费？"}]},
            ["提问", "答复"],
            SCANNED,
        ),
        ("GET", f"/api/v1/records/{record_token(TYPED)}", None, ["阅览目录"], TYPED),
        ("GET", f"/api/v1/records/{record_token(TYPED)}/pages/1", None, ["阅览原文"], TYPED),
        (
            "GET",
            f"/api/v1/records/{record_token(SCANNED)}/pages/1/image",
            None,
            ["阅览原文"],
            SCANNED,
        ),
        ("GET", f"/api/v1/records/{record_token(HIDDEN)}/pages/1", None, ["拒绝查阅"], HIDDEN),
        ("GET", f"/api/v1/records/{record_token(MISSING)}", None, ["拒绝查阅"], MISSING),
    ],
)
def test_what_programs_get_is_registered_like_everything_else(
    web: Web, method: str, address: str, body: Any, actions: list[str], records: str
) -> None:
    """This test ensures that a program is registered, under the purpose stated for the call."""
    web.front.reader = PROGRAM
    before = web.register.count()
    answer = web.client.request(method, address, json=body, headers=STATED)
    assert answer.status_code in (200, 404)
    new = web.register.entries()[: web.register.count() - before][::-1]

    assert [entry.action for entry in new] == actions
    assert {(entry.person, entry.channel) for entry in new} == {("办公系统", "接口")}
    assert {entry.purpose for entry in new} == {"工作查考"}
    if records:
        assert records in [record.record_id for record in new[-1].records]


def test_programs_get_nothing_closed_without_its_entry(broken: Web) -> None:
    broken.front.reader = SIGNED_IN
    try:
        page = broken.client.get(f"/api/v1/records/{record_token(HIDDEN)}/pages/1", headers=STATED)
        asked = broken.client.post("/api/v1/ask", json={"question": "馆藏有哪些？"}, headers=STATED)
        opened = broken.client.get(f"/api/v1/records/{record_token(TYPED)}/pages/1", headers=STATED)
        stream = broken.client.post(
            "/api/v1/ask",
            json={"question": "馆藏有哪些？"},
            headers={"Accept": "text/event-stream", **STATED},
        )
    finally:
        broken.front.reader = None

    assert page.status_code == asked.status_code == 503
    assert "利用登记" in page.json()["error"]["message"]
    assert "来信" not in page.text + asked.text + stream.text
    assert opened.status_code == 200


def test_an_export_of_the_catalogue_is_registered(web: Web, broken: Web) -> None:
    before = web.register.count()
    assert web.client.get("/api/catalogue/export.csv").status_code == 200
    refused = broken.client.get("/api/catalogue/export.csv")

    assert web.register.count() == before + 1
    entry = web.last()
    assert (entry.action, entry.manner, entry.copies) == ("导出", "复制", 1)
    assert HIDDEN in [record.record_id for record in entry.records]
    assert refused.status_code == 503
    assert "来信" not in refused.text


def test_what_an_archivist_decides_is_registered(web: Web) -> None:
    body = {"colloquial": "电动车", "official": "电动自行车"}
    shown = web.client.post("/api/admin/vocabulary/disable", json=body)

    assert shown.status_code == 200, shown.text
    entry = web.last()
    assert entry.action == "改设置"
    assert "电动自行车" in entry.detail


def test_the_frame_of_a_portal_can_state_a_purpose_and_give_feedback() -> None:
    from ui.widget import _place

    for address in ("/api/purpose", "/api/feedback", "/static/purpose.js"):
        assert _place(f"/widget/s/{'a' * 43}{address}", "").get("root_path"), address
    assert "root_path" not in _place(f"/widget/s/{'a' * 43}/admin/register", "")


# -- fails closed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/api/pages/{}/1", "/api/records/{}", "/api/pages/{}/2?start=0&end=2"]
)
def test_what_is_closed_is_not_given_out_without_its_entry(broken: Web, address: str) -> None:
    closed = broken.client.get(address.format(record_token(HIDDEN)))
    opened = broken.client.get(address.format(record_token(TYPED)))

    assert closed.status_code == 503
    assert "利用登记" in closed.json()["detail"]
    assert "来信" not in closed.text
    assert "不得公开" not in closed.text
    assert opened.status_code == 200


def test_pictures_of_closed_records_are_not_given_out_either(
    broken: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ui.usage as usage

    address = f"/page/{record_token(SCANNED)}/1.jpg"
    assert broken.client.get(address).status_code == 200
    monkeypatch.setattr(usage, "is_closed", lambda _record: True)
    refused = broken.client.get(address)

    assert refused.status_code == 503
    assert b"\xff\xd8\xff" not in refused.content


def test_answers_with_closed_records_are_not_shown(broken: Web) -> None:
    listed = broken.ask("馆藏有哪些？")
    open_only = broken.ask("维修经费是多少？")

    assert "利用登记现在写不进去" in listed
    assert "来信" not in listed
    assert "用于东风水库渠道维修" in open_only


def test_the_command_line_fails_closed(command: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (command / REGISTER_FILE).mkdir()

    assert cli.main(["ask", "馆藏有哪些？", "--home", str(command)]) == 1
    said = capsys.readouterr()
    assert "来信" not in said.out
    assert "利用登记" in said.err
    assert cli.main(["ask", "维修经费？", "--home", str(command)]) == 0


def test_hidden_and_absent_stay_alike_when_the_register_fails(broken: Web) -> None:
    broken.front.reader = DEPUTY
    try:
        hidden, missing = (
            broken.client.get(f"/api/pages/{record_token(r)}/1") for r in (HIDDEN, MISSING)
        )
    finally:
        broken.front.reader = None

    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content


def test_a_decision_is_not_made_without_its_entry(broken: Web) -> None:
    body = {"number": 1, "decision": "放行", "by": "孙某", "reason": "看过"}
    refused = broken.client.post("/api/admin/ingest/decide", json=body)

    assert refused.status_code in (409, 503)
    assert "利用登记" in refused.json()["detail"]


# -- who may look ---------------------------------------------------------------------------------

_PAGES = (
    "/admin/register",
    "/admin/register?verify=1",
    "/admin/register.xlsx",
    "/admin/feedback",
    "/admin/feedback.xlsx",
    "/admin/failed.xlsx",
)


@pytest.mark.parametrize("address", _PAGES)
@pytest.mark.parametrize("reader", [DEPUTY, Reader(Role.STAFF, "李某"), Reader(Role.PUBLIC)])
def test_nobody_else_sees_the_register(web: Web, address: str, reader: Reader) -> None:
    web.ask("馆藏有哪些？")
    web.front.reader = reader
    refused = web.client.get(address)

    assert refused.status_code == 404
    assert refused.json() == {"detail": "没有这份档案，或您无权查阅。"}
    assert web.client.get("/app/").text.count("利用登记") == 0


def test_an_archivist_who_signs_in_is_audited_and_does_not_audit(web: Web) -> None:
    web.front.reader = SIGNED_IN

    assert web.client.get("/admin/register").status_code == 404
    assert web.client.get("/admin/feedback").status_code == 200
    assert not access.may_audit(SIGNED_IN).allowed
    assert access.may_audit(ARCHIVIST).allowed


def test_a_denied_use_is_registered_with_its_reason_and_told_to_nobody(web: Web) -> None:
    web.front.reader = DEPUTY
    hidden = web.client.get(f"/api/pages/{record_token(HIDDEN)}/1")
    missing = web.client.get(f"/api/pages/{record_token(MISSING)}/1")
    absent, denied = web.register.entries(Search(person="qian"), limit=2)

    assert hidden.content == missing.content
    assert denied.action == absent.action == "拒绝查阅"
    assert denied.records[0].record_id == HIDDEN
    assert "限制利用" in denied.outcome
    assert absent.outcome == "没有这一件"
    for address in ("/api/status", "/api/purpose", "/app/", "/app/config"):
        shown = web.client.get(address).text
        assert "来信" not in shown
        assert HIDDEN not in shown


def test_a_deputy_s_entry_names_no_hidden_record(web: Web) -> None:
    """This test ensures that what a deputy gets, and its entry, hold open records only."""
    web.front.reader = DEPUTY
    shown = web.ask("馆藏有哪些？", "工作查考")
    entry = web.register.entries(Search(person="qian", actions=[Action.ANSWER]), limit=1)[0]

    assert "来信" not in shown
    assert HIDDEN not in [record.record_id for record in entry.records]


# -- accounts -----------------------------------------------------------------------------------


def test_sign_ins_and_changes_of_accounts_are_registered(tmp_path: Path) -> None:
    """This test ensures that who tried what is there, and nothing that may be a password."""
    settings = make_settings(tmp_path, host="0.0.0.0")
    site = make_site(make_store(tmp_path), settings, Clock())
    wrong, right = site.browser(), site.browser(address="10.9.8.7")
    sign_in(wrong, "deputy", "not-the-password")
    sign_in(wrong, "typed-my-password-here")
    sign_in(right, "system")
    token = form_token(right.get("/admin/users").text)
    fields = {"form": token, "account": "clerk"}
    right.post("/admin/users/disable", data=fields, headers={"Origin": str(right.base_url)})
    right.post("/logout", json={}, headers={"Origin": str(right.base_url)})
    found = register_of(settings).entries()[::-1]

    told = [(entry.action, entry.account, entry.outcome) for entry in found]
    assert told == [
        ("登录失败", "deputy", "密码不对或账号不能用"),
        ("登录失败", "", "密码不对或账号不能用：没有这个账号"),
        ("登录", "system", "登录"),
        ("用户管理", "system", "停用账号：clerk"),
        ("退出", "system", "退出"),
    ]
    assert found[-1].address == "10.9.8.7"
    kept = (tmp_path / REGISTER_FILE).read_bytes() + Path(
        f"{tmp_path / REGISTER_FILE}-wal"
    ).read_bytes()
    assert b"typed-my-password-here" not in kept
    assert b"not-the-password" not in kept


def test_the_audit_administrator_sees_the_register_and_nothing_else(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, host="0.0.0.0")
    site = make_site(make_store(tmp_path), settings, Clock())
    seen = site.signed_in("auditor").get("/admin/register")

    assert seen.status_code == 200
    assert "登录" in seen.text
    for account in ("auditor", "archivist", "system", "security", "clerk", "deputy"):
        client = site.signed_in(account)
        status = client.get("/admin/register.xlsx").status_code
        assert status == (200 if account == "auditor" else 404)
        status = client.get("/admin/feedback").status_code
        assert status == (200 if account == "archivist" else 404)
    page = site.signed_in("auditor").get(f"/api/pages/{record_token(TYPED)}/1")
    assert page.status_code == 404


def test_accounts_changed_at_the_command_line_are_registered(tmp_path: Path) -> None:
    accounts = open_accounts(make_settings(tmp_path))
    add_people(accounts)

    assert cli.main(["users", "disable", "clerk", "--home", str(tmp_path)]) == 0
    (entry,) = Register(tmp_path / REGISTER_FILE).entries()
    assert (entry.action, entry.outcome, entry.channel) == ("用户管理", "停用账号：clerk", "命令行")


def test_an_interface_token_is_registered_with_whose_rights_it_gives(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    for words in (
        ["add", "办公系统", "--role", "代表", "--person", "李代表"],
        ["revoke", "办公系统"],
    ):
        assert cli.main(["tokens", *words, *home]) == 0

    revoked, made = Register(tmp_path / REGISTER_FILE).entries()
    assert (made.action, made.outcome) == ("用户管理", "发接口令牌：办公系统")
    assert json.loads(made.detail)["person"] == "李代表"
    assert revoked.outcome == "停用接口令牌：办公系统"
    assert "cd_" not in made.detail + revoked.detail


def test_an_ingest_is_registered_when_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, home = tmp_path / "来文", tmp_path / "home"
    source.mkdir()
    (source / "0012-2019-永久-0007.txt").write_text("关于水渠维修的通知", encoding="utf-8")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_take_in", killed)
    command = ["ingest", str(source), "--no-index", "--home", str(home)]
    assert cli.main(["ingest", str(source), "--check", *command[3:]]) in (0, 3)
    assert not (home / REGISTER_FILE).exists()
    assert cli.main(command) != 0

    (entry,) = Register(home / REGISTER_FILE).entries()
    assert (entry.action, entry.channel) == ("入库管理", "命令行")
    assert entry.outcome == f"开始入库：{source}"

    monkeypatch.setenv("STARTED_BY_CHADANG_PAGE", "1")  # its archivist is registered there
    assert cli.main(command) != 0
    assert len(Register(home / REGISTER_FILE).entries()) == 1


def test_what_a_command_makes_is_not_for_others_on_the_server(tmp_path: Path) -> None:
    source, home = tmp_path / "来文", tmp_path / "home"
    source.mkdir()
    (source / "0012-2019-永久-0007.txt").write_text("关于水渠维修的通知", encoding="utf-8")

    mask = os.umask(0o022)
    try:
        cli.main(["ingest", str(source), "--no-index", "--home", str(home)])
    finally:
        os.umask(mask)

    made = [home, *home.rglob("*")]
    assert home / "chadang.sqlite3" in made
    assert [path for path in made if path.stat().st_mode & 0o007] == []


def test_changes_of_the_vocabulary_are_registered_at_the_command_line_too(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    assert cli.main(["vocabulary", "--add", "老城县", "新城区", "--category", "地名", *home]) == 0
    assert cli.main(["vocabulary", "老城县", *home]) == 0

    (entry,) = Register(tmp_path / REGISTER_FILE).entries()
    assert (entry.action, entry.outcome) == ("改设置", "改口语对照表")
    assert json.loads(entry.detail)["add"] == "老城县、新城区"


# -- the page -------------------------------------------------------------------------------------


def test_names_and_words_are_text_on_the_page(web: Web) -> None:
    evil = "<script>alert(1)</script>"
    web.register.write(
        Reader(Role.STAFF, evil, evil, evil),
        Action.VIEW_PAGE,
        question=evil,
        reading=evil,
        record_ids=[evil] * 5,
        titles=[evil] * 5,
        pages=[evil] * 5,
        outcome=evil,
        purpose=evil,
        detail=evil,
        address=evil,
        approver=evil,
        channel=evil,
        conversation=evil,
        model=evil,
        index_version=evil,
    )
    query = {"person": evil, "record": '"><img src=x onerror=alert(1)>', "outcome": "'\""}
    shown = web.client.get("/admin/register").text
    searched = web.client.get("/admin/register", params=query).text

    assert evil not in shown
    assert shown.count("&lt;script&gt;alert(1)") >= 20
    assert evil not in searched
    assert "<img" not in searched
    assert web.client.get("/admin/register", params={"person": evil}).text.count("<tr") == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=昨天", "不是日期"),
        ("until=9999-12-31", "不是日期"),
        ("action=偷看", "没有“偷看”这种事项"),
        ("person=没有这个人", "没有符合条件的登记"),
        ("page=99999999999999", "共"),
        ("page=-1", "共"),
    ],
)
def test_a_search_that_makes_no_sense_is_told(web: Web, query: str, said: str) -> None:
    page = web.client.get(f"/admin/register?{query}")

    assert page.status_code == 200
    assert said in page.text


def test_the_page_turns(web: Web) -> None:
    for number in range(60):
        web.register.write(Reader(Role.STAFF, "翻页"), Action.ASK, question=f"第{number}问")
    first = web.client.get("/admin/register?person=翻页").text
    second = web.client.get("/admin/register?person=翻页&page=2").text

    assert "第59问" in first
    assert "第0问" not in first
    assert "第0问" in second
    assert 'href="register?person=%E7%BF%BB%E9%A1%B5&amp;page=2"' in first


def test_the_workbook_is_the_paper_register(web: Web) -> None:
    web.ask("维修经费是多少？", "工作查考")
    content = web.client.get("/admin/register.xlsx?person=本机").content
    book = load_workbook(io.BytesIO(content))

    assert book.sheetnames == ["利用登记簿", "全部登记", "说明"]
    rows = list(book["利用登记簿"].iter_rows(values_only=True))
    headings = rows[0]
    for needed in ("时间", "利用人", "单位（部门）", "利用目的", "档号", "题名", "影像页", "方式",
                   "复制份数", "批准人", "利用效果"):  # fmt: skip
        assert needed in headings
    last = dict(zip(headings, rows[-1], strict=True))
    assert last["方式"] in ("摘录", "阅览", "复制")
    assert any(SCANNED in str(row[headings.index("档号")]) for row in rows[1:])
    told = {row[0]: row[1] for row in book["说明"].iter_rows(values_only=True)}
    kept = web.register.entry(int(told["末条登记号"]))
    assert kept is not None
    assert kept.digest == told["末条校验值"]
    assert told["利用人或部门"] == "本机"


def test_failed_searches_are_grouped(web: Web) -> None:
    for question in ("没有游泳馆的事吗？", "请问没有游泳馆的事", "没有 游泳馆 的事？"):
        web.ask(question)
    page = web.client.get("/admin/feedback").text
    row = re.search(r"<tr><td[^>]*>[^<]*游泳馆.*?</tr>", page, re.DOTALL)

    assert row is not None
    assert 'data-label="次数">3<' in row[0]
    assert 'data-label="人数">1<' in row[0]
    assert "未检索到 3 次" in row[0]
    assert page.count("游泳馆") == 1
    later = web.client.get("/admin/feedback?since=2099-01-01").text
    assert "游泳馆" not in later
    book = load_workbook(io.BytesIO(web.client.get("/admin/failed.xlsx").content))
    assert any("游泳馆" in str(row[0]) for row in book.worksheets[0].iter_rows(values_only=True))


# -- purposes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("工作查考", "工作查考"),
        (" 其他: 写 家谱 ", "其他：写 家谱"),
        ("其他", ""),
        ("其他：", ""),
        ("好玩", ""),
        ("", ""),
        ("学术研究：论文", "学术研究：论文"),
        ("其他：" + "长" * 500, "其他：" + "长" * 60),
    ],
)
def test_a_purpose_is_one_of_those_there_are(text: str, kept: str) -> None:
    assert stated(text) == kept


def test_a_purpose_is_needed_when_one_has_signed_in(web: Web) -> None:
    assert web.client.get("/api/purpose").json()["when"] == "optional"
    web.front.reader = Reader(Role.STAFF, "吴某", "财经委", "wu")
    before = web.register.count()

    assert web.client.get("/api/purpose").json()["when"] == "always"
    assert "请先在提问框上方选择利用目的" in web.ask("维修经费是多少？")
    assert "请先在提问框上方选择利用目的" in web.ask("维修经费是多少？", "乱写")
    assert web.client.get("/api/precedents?q=水渠").status_code == 409
    assert web.register.count() == before
    assert "东风水库" in web.ask("维修经费是多少？", "工作查考")
    assert web.client.get("/api/precedents?q=水渠").status_code == 200


def test_pages_of_closed_records_need_a_purpose_too(web: Web) -> None:
    web.front.reader = Reader(Role.ARCHIVIST, "郑某", "", "zheng")
    address = f"/api/pages/{record_token(HIDDEN)}/1"
    refused = web.client.get(address)
    opened = web.client.get(f"/api/pages/{record_token(TYPED)}/1")

    assert refused.status_code == 409
    assert refused.json()["purpose"] is True
    assert "不得公开" not in refused.text
    assert opened.status_code == 200
    assert web.client.post("/api/purpose", json={"purpose": "好玩"}).status_code == 400
    assert web.client.post("/api/purpose", json={"purpose": "落实政策"}).status_code == 200
    assert web.client.get(address).status_code == 200
    assert web.last().purpose == "落实政策"


def test_only_closed_records_ask_for_it_when_set_so(tmp_path: Path) -> None:
    with _web(tmp_path, ask_purpose="restricted") as web:
        assert "东风水库" in web.ask("维修经费是多少？")
        refused = web.ask("馆藏有哪些？")
        assert "利用目的" in refused
        assert "来信" not in refused
        assert "来信" in web.ask("馆藏有哪些？", "工作查考")


# -- feedback -------------------------------------------------------------------------------------


def test_feedback_keeps_its_context_and_is_handled_once(web: Web) -> None:
    answer_id = web.answer_id("维修经费是多少？")
    body = {"answer": answer_id, "verdict": "引文不符", "words": "<b>第②条</b>"}
    for _ in range(2):  # a double click
        assert web.client.post("/api/feedback", json=body).status_code == 200
    page = web.client.get("/admin/feedback").text

    assert page.count("&lt;b&gt;第②条&lt;/b&gt;") == 1
    assert "<b>第②条" not in page
    assert "用于东风水库渠道维修" in page
    number = re.search(r'data-number="(\d+)"', page)
    assert number is not None
    address = f"/api/admin/feedback/{number[1]}"
    assert web.client.post(address, json={"words": "改了"}).status_code == 200
    assert web.client.post(address, json={"words": "又改"}).status_code == 200
    assert f'data-number="{number[1]}"' not in web.client.get("/admin/feedback").text
    every = web.client.get("/admin/feedback?all=1").text
    assert "已处理：改了" in every
    assert web.client.post("/api/admin/feedback/999999", json={}).status_code == 409


def test_a_refusal_takes_feedback_too(web: Web) -> None:
    answer_id = re.findall(r"#s-([0-9a-f]{32})", web.ask("没有的溜冰场？"))[0]
    body = {"answer": answer_id, "verdict": "错", "words": "明明有"}

    assert web.client.post("/api/feedback", json=body).status_code == 200
    page = web.client.get("/admin/feedback").text
    assert "没有的溜冰场？" in page
    assert "馆藏中未检索到能回答这个问题的内容" in page


def test_feedback_is_bound_to_the_reader_who_asked(web: Web) -> None:
    answer_id = web.answer_id("维修经费是多少？")
    web.front.reader = DEPUTY
    body = {"answer": answer_id, "verdict": "错", "words": "别人的"}
    other = web.client.post("/api/feedback", json=body)
    unknown = web.client.post("/api/feedback", json={**body, "answer": "0" * 32})
    handled = web.client.post("/api/admin/feedback/1", json={"words": ""})

    assert other.status_code == unknown.status_code == handled.status_code == 404
    assert other.content == unknown.content == handled.content
    web.front.reader = None
    assert "别人的" not in web.client.get("/admin/feedback?all=1").text


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "很好"},
        {"verdict": "错", "words": "长" * 501},
        {"verdict": 1},
        {"words": ["a"]},
    ],
)
def test_bad_feedback_is_refused(web: Web, body: dict[str, Any]) -> None:
    answer = {"answer": web.answer_id("维修经费是多少？"), "verdict": "错", **body}

    assert web.client.post("/api/feedback", json=answer).status_code == 400


def test_half_a_character_is_no_purpose_and_no_feedback(web: Web) -> None:
    headers = {"Content-Type": "application/json"}
    purpose = '{"purpose": "其他：\\ud800"}'.encode()
    feedback = b'{"answer": "\\ud800", "verdict": "x", "words": "\\ud800"}'

    assert web.client.post("/api/purpose", content=purpose, headers=headers).status_code == 400
    assert web.client.post("/api/feedback", content=feedback, headers=headers).status_code in (
        400,
        404,
    )
    for address in ("opening/preview", "vocabulary/try", "ingest/check"):
        answer = web.client.post(
            f"/api/admin/{address}", content=b'{"words": "\\ud800"}', headers=headers
        )
        assert answer.status_code == 400


def test_other_sites_cannot_send_feedback(web: Web) -> None:
    form = {"answer": "0" * 32, "verdict": "错"}
    foreign = web.client.post("/api/feedback", json=form, headers={"Origin": "http://evil.test"})

    assert web.client.post("/api/feedback", data=form).status_code in (400, 404)
    assert foreign.status_code == 403


# -- the command ----------------------------------------------------------------------------------


def test_the_register_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path)]

    def run(*words: str, code: int = 0) -> str:
        assert cli.main(["register", *words, *home]) == code
        said = capsys.readouterr()
        return said.out + said.err

    assert "没有这样的登记" in run()
    assert "还没有利用登记" in run("verify")
    register = Register(tmp_path / REGISTER_FILE)
    register.write(
        DEPUTY, Action.VIEW_PAGE, record_ids=[SCANNED], titles=["水利\x1b[31m"], pages=[3]
    )
    register.write(DEPUTY, Action.REFUSE, question="没有的事", outcome="未检索到")
    listed = run()
    assert "钱某" in listed
    assert f"{SCANNED}《水利" in listed
    assert "\x1b" not in listed
    assert "未检索到" in run("list", "--action", "未答")
    assert "没有“偷看”" in run("list", "--action", "偷看", code=1)
    assert "不是日期" in run("list", "--since", "昨天", code=1)
    assert "登记簿完整" in run("verify")
    assert "没有的事" in run("failed")
    assert "还没有反馈" in run("feedback")
    assert "请写明存到哪个文件" in run("export", code=1)
    assert ".xlsx" in run("export", "登记簿.csv", code=1)
    path = tmp_path / "登记簿.xlsx"
    assert "已导出 2 条" in run("export", str(path))
    told = {r[0]: r[1] for r in load_workbook(path)["说明"].iter_rows(values_only=True)}
    against = f"{told['末条登记号']}:{told['末条校验值']}"
    assert "与归档的相同" in run("verify", "--against", against)
    assert "整段重写" in run("verify", "--against", f"1:{'0' * 64}", code=1)
    assert "没有到期" in run("purge")
    assert "没有到期" in run("purge", "--set", "register_years=0.5", "--by", "王", "--yes")
    with pytest.raises(ArchiveError):
        load_settings(tmp_path, {"register_years": 0.4}, {})
    run("failed", str(tmp_path / "失败.xlsx"))
    assert (tmp_path / "失败.xlsx").read_bytes().startswith(b"PK")


def test_a_purge_needs_yes_and_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import datetime as dt

    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=400)
    old = Register(tmp_path / REGISTER_FILE, now=lambda: then)
    old.write(DEPUTY, Action.ASK, question="旧的")
    words = ["register", "purge", "--home", str(tmp_path), "--set", "register_years=1"]

    assert cli.main([*words, "--yes"]) == 1
    assert cli.main([*words, "--by", "王主任"]) == 1
    assert "有 1 条到期" in capsys.readouterr().out
    assert old.count() == 1
    assert cli.main([*words, "--by", "王主任", "--yes"]) == 0
    left = Register(tmp_path / REGISTER_FILE).entries()
    assert [(e.action, e.person) for e in left] == [("清理登记", "王主任")]
    assert cli.main(["register", "verify", "--home", str(tmp_path)]) == 0
