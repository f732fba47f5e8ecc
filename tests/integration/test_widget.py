"""The widget over HTTP: who is behind a frame, what it gets, and who may frame what."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from index.domain import Reader, Role
from tests.web_fakes import (
    HIDDEN,
    SCANNED,
    TYPED,
    FakeAssistant,
    make_settings,
    make_store,
)
from tests.widget_fakes import sign
from ui.api import record_token
from ui.portals import Portals

PORTAL = "http://oa.gov.test"


@dataclass(frozen=True)
class Site:
    client: TestClient
    assistant: FakeAssistant
    portals: Portals
    secret: str

    def session(self, **claims: object) -> str:
        """The prefix of a new session."""
        token = sign(self.secret, self.portals.audience, **claims)
        answer = self.client.post("/api/widget/session", json={"token": token})
        assert answer.status_code == 200, answer.text
        return "/widget/" + answer.json()["path"].removesuffix("app/")


@contextmanager
def _site(home: Path, **flags: object) -> Iterator[Site]:
    from ui.app import build_app
    from ui.server import prepare_environment

    settings = make_settings(home, **{"widget_origins": PORTAL, **flags})
    prepare_environment(settings)
    assistant = FakeAssistant(make_store(home), settings)
    portals = Portals(home)
    secret = portals.add("oa", (Role.PUBLIC, Role.DEPUTY, Role.STAFF))

    async def build() -> FastAPI:
        return build_app(assistant, settings)

    app = asyncio.run(build())
    with TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        yield Site(client, assistant, portals, secret)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _site(tmp_path_factory.mktemp("home")) as site:
        yield site


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _site(tmp_path_factory.mktemp("public"), public_access=True) as site:
        yield site


def _ask(site: Site, prefix: str, question: str) -> str:
    """Ask over Gradio's queue below a prefix; returns what is shown at the end, as JSON."""
    steps = site.client.get(f"{prefix}app/config").json()
    parts = {c["id"]: c for c in steps["components"]}
    box = next(i for i, c in parts.items() if c["props"].get("elem_id") == "cd-question")
    typed = next(d for d in steps["dependencies"] if [box, "submit"] in d["targets"])
    asked = next(d for d in steps["dependencies"] if d["trigger_after"] == typed["id"])
    session = {"session_hash": f"s{abs(hash((prefix, question)))}"}
    first = {"data": [question], "fn_index": typed["id"], **session}
    base = f"{prefix}app/gradio_api"
    assert site.client.post(f"{base}/run/predict", json=first).status_code == 200
    values = {"checkbox": False, "textbox": ""}
    data = [
        "工作查考"
        if parts[i]["props"].get("elem_id") == "cd-purpose"
        else values.get(parts[i]["type"])
        for i in asked["inputs"]
    ]
    second = {"data": data, "fn_index": asked["id"], **session}
    assert site.client.post(f"{base}/queue/join", json=second).status_code == 200
    with site.client.stream("GET", f"{base}/queue/data", params=session) as stream:
        for line in stream.iter_lines():
            event = json.loads(line[5:]) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed":
                return json.dumps(event["output"]["data"], ensure_ascii=False)
    raise AssertionError("no answer")


def test_everything_below_a_session_is_asked_in_the_portal_s_reader_s_name(site: Site) -> None:
    prefix = site.session(role="deputy", name="代表甲")

    shown = _ask(site, prefix, "东风水库渠道维修经费是多少？")

    assert "用于东风水库渠道维修" in shown
    reader = Reader(Role.DEPUTY, "代表甲", "", "oa/zhangsan")
    assert site.assistant.readers[-1] == reader
    status = site.client.get(f"{prefix}api/status").json()
    assert (status["reader"], status["role"], status["intake"]) == ("代表甲", "代表", False)
    answer_id = shown.split("(#c-")[1][:32]
    assert site.client.get(f"{prefix}api/answers/{answer_id}").status_code == 200
    # nobody else's: the machine's own user, another session of another account
    assert site.client.get(f"/api/answers/{answer_id}").status_code == 404
    other = site.session(role="deputy", name="代表甲", sub="lisi")
    assert site.client.get(f"{other}api/answers/{answer_id}").status_code == 404


def test_a_hidden_record_is_absent_in_the_frame_too(site: Site) -> None:
    prefix = site.session(role="deputy")
    hidden = site.client.get(f"{prefix}api/records/{record_token(HIDDEN)}")
    missing = site.client.get(f"{prefix}api/records/{record_token('没有')}")

    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert hidden.status_code == 404
    assert site.client.get(f"{prefix}api/records/{record_token(SCANNED)}").status_code == 200
    image = site.client.get(f"{prefix}page/{record_token(SCANNED)}/1.jpg")
    assert image.headers["content-type"] == "image/jpeg"
    link = site.client.get(f"{prefix}record/{record_token(TYPED)}")
    assert link.headers["location"].startswith("../app/#r-")


@pytest.mark.parametrize(
    "path",
    ["admin/ingest", "api/admin/ingest", "widget/", "api/widget/session", "login", "healthz",
     "openapi.json", "v1/models", "api/v1/ask", "", "app", "app/gradio_api/upload",
     "s/app/", "static/../app.py", "api/", "api/answers"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["session", "cookie"])
def test_the_frame_serves_the_chat_and_nothing_else(public: Site, path: str, kind: str) -> None:
    prefix = "/widget/" if kind == "cookie" else public.session()
    if (kind, path) == ("cookie", ""):
        pytest.skip("that is the opening page")

    assert public.client.get(prefix + path).status_code in (403, 404)
    assert public.client.post(prefix + path, json={}).status_code in (403, 404, 405)


@pytest.mark.parametrize(
    "prefix", ["/widget/s/" + "a" * 43 + "/", "/widget/s/" + "_" * 43 + "/"]
)  # fmt: skip
def test_an_unknown_session_gets_nothing(site: Site, prefix: str) -> None:
    for path in ("api/status", "app/config", f"api/records/{record_token(SCANNED)}", "static/x"):
        answer = site.client.get(prefix + path)
        assert answer.status_code == 401
        assert "重新打开" in answer.json()["detail"]
    join = site.client.post(f"{prefix}app/gradio_api/queue/join", json={"data": []})
    assert join.status_code == 401
    back = site.client.get(f"{prefix}app/")
    assert (back.status_code, back.headers["location"]) == (303, "../../../")


@pytest.mark.parametrize("name", ["a" * 42, "a" * 44, "a" * 42 + "!", "../" * 14 + "a"])
def test_what_is_no_session_is_no_address(site: Site, name: str) -> None:
    assert site.client.get(f"/widget/s/{name}/api/status").status_code == 404


def test_a_revoked_portal_s_sessions_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.widget_sessions._STANDING_S", -1.0)
    with _site(tmp_path) as site:
        prefix = site.session()
        assert site.client.get(f"{prefix}api/status").status_code == 200
        site.portals.revoke("oa")
        assert site.client.get(f"{prefix}api/status").status_code == 401


def test_a_token_is_exchanged_once(site: Site) -> None:
    token = sign(site.secret, site.portals.audience)

    first = site.client.post("/api/widget/session", json={"token": token})
    second = site.client.post("/api/widget/session", json={"token": token})

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (403, "replayed")
    assert "no-store" in first.headers["cache-control"]
    assert "set-cookie" not in first.headers


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1_000_000_060, "iat": 1_000_000_000}, "expired"),
        ({"aud": "another"}, "audience"),
        ({"role": "档案管理员"}, "role"),
        ({"role": "public"}, "public_off"),
        ({"iss": "nobody"}, "unknown"),
    ],
)
def test_a_token_that_is_not_right_opens_nothing(
    site: Site, claims: dict[str, object], code: str
) -> None:
    token = sign(site.secret, site.portals.audience, **claims)
    answer = site.client.post("/api/widget/session", json={"token": token})

    assert answer.status_code == 403
    assert answer.json()["code"] == code
    assert token not in answer.text
    assert "path" not in answer.json()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"token": 1}', b"{}", b"[" * 4000, b'"' + b"a" * 9000 + b'"'],
)
def test_a_body_that_makes_no_sense_is_refused(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = site.client.post("/api/widget/session", content=body, headers=headers)

    assert answer.status_code == 400


def test_a_form_of_another_site_cannot_exchange(site: Site) -> None:
    token = sign(site.secret, site.portals.audience)
    body = json.dumps({"token": token})
    plain = {"Content-Type": "text/plain"}
    assert site.client.post("/api/widget/session", content=body, headers=plain).status_code == 400
    strange = {"Content-Type": "application/json", "Origin": PORTAL}
    answer = site.client.post("/api/widget/session", content=body, headers=strange)
    assert answer.status_code == 403


def test_no_token_or_session_is_written_to_the_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        prefix = site.session()
        bad = sign(site.secret, site.portals.audience, exp=1, iat=0)
        site.client.post("/api/widget/session", json={"token": bad})
        site.client.get(f"{prefix}api/status")
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("ui"))

    assert "expired" in ours
    assert bad not in ours
    assert prefix.split("/")[3] not in ours


def test_a_spent_token_leaves_its_number_only(site: Site) -> None:
    token = sign(site.secret, site.portals.audience, jti="n-1")
    site.client.post("/api/widget/session", json={"token": token})
    db = sqlite3.connect(site.assistant.settings.home / "accounts.sqlite3")
    rows = db.execute("SELECT * FROM portal_tokens_used WHERE jti = 'n-1'").fetchall()
    db.close()

    assert len(rows) == 1
    assert token not in repr(rows)


def test_sign_ins_by_a_portal_and_refused_tokens_are_registered(tmp_path: Path) -> None:
    with _site(tmp_path) as site:
        site.session(sub="wangwu", name="王五")
        for _ in range(40):
            bad = sign(site.secret, site.portals.audience, role="档案管理员")
            last = site.client.post("/api/widget/session", json={"token": bad})
        assert last.status_code == 429
        db = sqlite3.connect(tmp_path / "register.sqlite3")
        rows = [json.dumps(row, ensure_ascii=False, default=str)
                for row in db.execute("SELECT * FROM entries ORDER BY 1")]  # fmt: skip
        db.close()

    signed_in = [row for row in rows if "门户代为登录" in row]
    assert len(signed_in) == 1
    assert "oa/wangwu" in signed_in[0]
    assert "嵌入" in signed_in[0]
    refused = [row for row in rows if "门户的令牌没有通过" in row]
    assert 30 <= len(refused) < 40  # nobody fills the register by knocking
    assert all("登录失败" in row for row in refused)


# -- the public ---------------------------------------------------------------------------------


def test_without_the_switch_there_is_no_public_frame(site: Site) -> None:
    answer = site.client.post("/api/widget/session", json={"token": ""})
    assert (answer.status_code, answer.json()["code"]) == (403, "public_off")
    assert 'data-public=""' in site.client.get("/widget/").text


def _visitor(site: Site) -> str:
    answer = site.client.post("/api/widget/session", json={"token": ""})
    assert answer.status_code == 200
    return "/widget/" + str(answer.json()["path"]).removesuffix("app/")


def test_the_public_reads_what_is_open_only_and_each_visitor_is_somebody(public: Site) -> None:
    first, second = _visitor(public), _visitor(public)
    status = public.client.get(f"{first}api/status").json()

    assert status["role"] == "公众"
    assert public.client.get(f"{first}api/records/{record_token(SCANNED)}").status_code == 200
    assert public.client.get(f"{first}api/records/{record_token(HIDDEN)}").status_code == 404
    shown = _ask(public, first, "经费")
    reader = public.assistant.readers[-1]
    assert reader.role is Role.PUBLIC
    assert reader.account.startswith("公众/")
    answer_id = shown.split("(#c-")[1][:32]
    assert public.client.get(f"{first}api/answers/{answer_id}").status_code == 200
    assert public.client.get(f"{second}api/answers/{answer_id}").status_code == 404
    assert public.client.get(f"/api/answers/{answer_id}").status_code == 404


def test_the_public_needs_a_portal_on_the_list_too(tmp_path: Path) -> None:
    with _site(tmp_path, public_access=True, widget_origins="") as site:
        answer = site.client.post("/api/widget/session", json={"token": ""})
        assert answer.status_code == 403
        assert 'data-public=""' in site.client.get("/widget/").text


def test_visitors_without_a_name_are_limited_by_address(tmp_path: Path) -> None:
    with _site(tmp_path, public_access=True) as site:
        codes = [
            site.client.post("/api/widget/session", json={"token": ""}).status_code
            for _ in range(70)
        ]
        assert codes[:60] == [200] * 60
        assert 429 in codes
        assert site.session()  # a portal's readers are not held up


def test_where_people_sign_in_the_frame_opens_and_the_rest_asks_for_it(tmp_path: Path) -> None:
    """This test ensures that the opening page, the script and a session need no cookie."""
    with _site(tmp_path, sign_in="accounts") as site:
        for path in ("/widget/", "/widget.js", "/static/widget.js"):
            assert site.client.get(path).status_code == 200
        assert site.client.get("/widget/api/status").status_code == 401
        assert site.client.get("/widget/app/config").status_code == 401
        prefix = site.session(role="deputy", name="代表甲")
        assert "用于东风水库渠道维修" in _ask(site, prefix, "东风水库渠道维修经费是多少？")
        assert site.client.get("/api/status").status_code == 401


# -- framing ------------------------------------------------------------------------------------


def _ancestors(answer: Any) -> str:
    return str(answer.headers["content-security-policy"].rpartition("frame-ancestors ")[2])


def test_only_the_frame_may_be_framed_and_only_by_the_list(site: Site) -> None:
    prefix = site.session()
    for path in ("/widget/", f"{prefix}app/", "/widget/app/", f"{prefix}api/status",
                 "/widget/nothing"):  # fmt: skip
        assert _ancestors(site.client.get(path)) == PORTAL, path
    for path in (
        "/",
        "/app/",
        "/api/status",
        "/admin/ingest",
        "/widget.js",
        "/widgets/",
        "/widget.css",
    ):
        assert _ancestors(site.client.get(path)) == "'self'", path


def test_with_an_empty_list_nobody_may_frame_the_widget(tmp_path: Path) -> None:
    with _site(tmp_path, widget_origins="") as site:
        assert _ancestors(site.client.get("/widget/")) == "'none'"
        assert _ancestors(site.client.get("/widget/app/")) == "'none'"
        assert _ancestors(site.client.get("/app/")) == "'self'"


def test_the_script_is_for_other_sites_and_nothing_else_is(site: Site) -> None:
    for path in ("/widget.js", "/static/widget.js"):
        answer = site.client.get(path)
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    for path in ("/static/app.js", "/app/", "/widget/", "/api/status"):
        assert site.client.get(path).headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_in_the_frame_knows_whom_to_listen_to(site: Site) -> None:
    framed = site.client.get("/widget/app/").text

    assert f'lang="zh-CN" class="cd-widget" data-origins="{PORTAL}"' in framed
    assert "widget-frame.js" in framed
    assert "manifest" not in framed
    assert "widget-frame.js" not in site.client.get("/app/").text
    assert "cd-widget" not in site.client.get("/app/").text


def test_the_prefix_stands_below_the_prefix_of_a_proxy(site: Site) -> None:
    """This test ensures that addresses made by Gradio stay below both."""
    client = TestClient(site.client.app, base_url="http://127.0.0.1:7860", root_path="/archive")
    token = sign(site.secret, site.portals.audience)
    path = client.post("/archive/api/widget/session", json={"token": token}).json()["path"]
    config = client.get(f"/archive/widget/{path}config").json()

    assert config["root"] == f"http://127.0.0.1:7860/archive/widget/{path}".rstrip("/")
    assert client.get("/archive/widget/").status_code == 200


# -- the home screen ----------------------------------------------------------------------------


def test_the_manifest_names_files_that_exist_by_relative_addresses(site: Site) -> None:
    from urllib.parse import urljoin

    page = site.client.get("/app/").text
    link = page.split('rel="manifest" href="')[1].split('"')[0]
    address = urljoin("http://127.0.0.1:7860/archive/app/", link)
    assert address == "http://127.0.0.1:7860/archive/static/manifest.webmanifest"
    manifest = site.client.get("/static/manifest.webmanifest").json()

    assert urljoin(address, manifest["start_url"]) == "http://127.0.0.1:7860/archive/app/"
    assert urljoin(address, manifest["scope"]) == "http://127.0.0.1:7860/archive/"
    assert (
        "manifest+json" in site.client.get("/static/manifest.webmanifest").headers["content-type"]
    )
    for icon in manifest["icons"]:
        answer = site.client.get(f"/static/{icon['src']}")
        assert answer.headers["content-type"] == icon["type"]
