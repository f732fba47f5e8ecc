"""The faces for programs through HTTP: tokens, limits, errors, permission, both languages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.register import Search, register_of
from index.access import READING_ROLES
from index.domain import Role
from tests.web_fakes import (
    HIDDEN,
    HOSTILE,
    HOSTILE_TEXT,
    SCANNED,
    SCANNED_QUOTE,
    TYPED,
    FakeAssistant,
    make_settings,
    make_store,
)
from ui import strings
from ui.accounts import Accounts
from ui.api import record_token
from ui.api_tokens import ApiTokens
from ui.openapi import CALLS, example_command

MISSING = "0012-0000-没有-0000"
ASK = {"question": "维修经费是多少？"}


@dataclass(frozen=True)
class Api:
    client: TestClient
    tokens: dict[Role, str]
    home: Path
    assistant: FakeAssistant

    def headers(self, role: Role = Role.ARCHIVIST) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@contextmanager
def _opened(
    home: Path, client: tuple[str, int] = ("127.0.0.1", 5000), **flags: Any
) -> Iterator[Api]:
    from ui.app import build_app
    from ui.server import prepare_environment

    settings = make_settings(home, **{"api_per_minute": 0, **flags})
    prepare_environment(settings)
    store = make_store(home)
    assistant = FakeAssistant(store, settings)
    tokens = {
        role: ApiTokens(home).add(role.value, role, person="某人")[0]
        for role in sorted(READING_ROLES)
    }

    async def build() -> FastAPI:
        return build_app(assistant, settings)

    app = asyncio.run(build())
    with TestClient(
        app, base_url="http://127.0.0.1:7860", client=client, follow_redirects=False
    ) as made:
        yield Api(made, tokens, home, assistant)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with _opened(tmp_path_factory.mktemp("home"), mcp=True) as made:
        yield made


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server that others reach, called from another machine."""
    home = tmp_path_factory.mktemp("far")
    with _opened(home, ("10.0.0.7", 5000), host="0.0.0.0", mcp=True) as made:
        yield made


def _error(answer: Any) -> dict[str, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "message_en", "next_step"}
    assert all(body["error"].values())
    assert "no-store" in answer.headers["cache-control"]
    return dict(body["error"])


# -- who calls ------------------------------------------------------------------------------------

PATHS = (
    ("POST", "/api/v1/ask", ASK),
    ("POST", "/api/v1/counts", {"question": "一共多少件？"}),
    ("POST", "/api/v1/precedents", {"topic": "水渠"}),
    ("GET", "/api/v1/search?q=x", None),
    ("GET", f"/api/v1/records/{record_token(SCANNED)}", None),
    ("GET", f"/api/v1/records/{record_token(SCANNED)}/pages/1", None),
    ("GET", f"/api/v1/records/{record_token(SCANNED)}/pages/1/image", None),
    ("GET", "/api/v1/nothing", None),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "经费"}]}),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/chadang", None),
    ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
)


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
@pytest.mark.parametrize("token", ["", "cd_" + "a" * 43, "sk-123", "cd_"])
def test_from_elsewhere_a_good_token_is_needed(
    far: Api, method: str, path: str, body: Any, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = far.client.request(method, path, json=body, headers=headers)

    assert answer.status_code == 401
    assert answer.headers.get("www-authenticate", "Bearer") == "Bearer"
    assert answer.json()["error"]["code"] == ("bad_token" if token else "token_needed")


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
def test_with_a_token_they_are_served(far: Api, method: str, path: str, body: Any) -> None:
    answer = far.client.request(method, path, json=body, headers=far.headers())

    assert answer.status_code == (404 if "nothing" in path else 200), answer.text


def test_a_call_from_this_machine_is_its_one_user(api: Api) -> None:
    assert api.client.post("/api/v1/ask", json=ASK).status_code == 200


def test_a_bad_token_is_refused_even_on_this_machine(api: Api) -> None:
    bad = {"Authorization": "Bearer cd_" + "a" * 43}
    answer = api.client.post("/api/v1/ask", json=ASK, headers=bad)

    assert answer.status_code == 401
    assert _error(answer)["code"] == "bad_token"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_through_a_proxy_nobody_is_the_machine_s_own_user(api: Api, header: str) -> None:
    answer = api.client.post("/api/v1/ask", json=ASK, headers={header: "10.0.0.9"})

    assert answer.status_code == 401


def test_a_token_counts_for_programs_calls_only(api: Api) -> None:
    """This test ensures that a token opens neither the page's own routes nor the ingest page."""
    public = api.headers(Role.PUBLIC)
    status = api.client.get("/api/status", headers=public).json()
    hidden = f"/api/pages/{record_token(HIDDEN)}/1"

    assert status["role"] == Role.ARCHIVIST.value  # the machine's own user, as without a token
    assert api.client.get(hidden, headers=public).status_code == 200
    assert (
        api.client.get(f"/api/v1/records/{record_token(HIDDEN)}", headers=public).status_code == 404
    )


def test_a_revoked_token_ends_at_once(api: Api) -> None:
    secret, token = ApiTokens(api.home).add("一时", Role.PUBLIC)
    headers = {"Authorization": f"bearer {secret}"}
    assert api.client.get("/v1/models", headers=headers).status_code == 200
    ApiTokens(api.home).revoke(str(token.number))

    assert api.client.get("/v1/models", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_another_site_cannot_ask_in_a_user_s_name_but_a_token_can(
    api: Api, headers: dict[str, str]
) -> None:
    without = api.client.post("/api/v1/ask", json=ASK, headers=headers)
    with_token = api.client.post("/api/v1/ask", json=ASK, headers={**headers, **api.headers()})
    elsewhere = api.client.post(
        "/api/admin/ingest/stop", json={}, headers={**headers, **api.headers()}
    )

    assert without.status_code == 403
    assert with_token.status_code == 200
    assert elsewhere.status_code == 403
    assert "access-control-allow-origin" not in with_token.headers


def test_too_many_calls_are_told_to_wait(tmp_path: Path) -> None:
    with _opened(tmp_path, api_per_minute=6, api_burst=2) as made:
        archivist, public = made.headers(), made.headers(Role.PUBLIC)
        codes = [made.client.get("/v1/models", headers=archivist).status_code for _ in range(3)]
        refused = made.client.post("/api/v1/ask", json=ASK, headers=archivist)

        assert codes == [200, 200, 429]
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert _error(refused)["code"] == "too_many_requests"
        assert made.client.get("/v1/models", headers=public).status_code == 200
        assert made.client.get("/api/v1/docs").status_code == 200


# -- people's accounts ----------------------------------------------------------------------------


def test_once_people_sign_in_the_machine_has_no_own_user(tmp_path: Path) -> None:
    with _opened(tmp_path) as made:
        assert made.client.post("/api/v1/ask", json=ASK).status_code == 200
        Accounts(made.assistant.settings).add(
            "wangwu", "王五", Role.STAFF, "Long-password-1", approved=True
        )
        refused = made.client.post("/api/v1/ask", json=ASK)

        assert refused.status_code == 401
        assert _error(refused)["code"] == "token_needed"
        assert made.client.post("/api/v1/ask", json=ASK, headers=made.headers()).status_code == 200
        assert made.client.get("/api/v1/docs").status_code == 200
        assert made.client.get("/readyz").status_code == 503


def test_a_token_for_an_account_ends_with_it(tmp_path: Path) -> None:
    with _opened(tmp_path) as made:
        accounts = Accounts(made.assistant.settings)
        accounts.add("wangwu", "王五", Role.STAFF, "Long-password-1", approved=True)
        secret, _ = ApiTokens(tmp_path).add("办公系统", Role.STAFF, account="wangwu")
        headers = {"Authorization": f"Bearer {secret}"}
        made.client.post("/api/v1/ask", json=ASK, headers=headers)
        assert made.assistant.readers[-1].name == "王五"
        accounts.grant("wangwu", Role.DEPUTY)
        changed = made.client.post("/api/v1/ask", json=ASK, headers=headers)
        accounts.grant("wangwu", Role.STAFF)
        again = made.client.post("/api/v1/ask", json=ASK, headers=headers)
        accounts.set_disabled("wangwu", disabled=True)
        disabled = made.client.post("/api/v1/ask", json=ASK, headers=headers)

        assert [changed.status_code, again.status_code, disabled.status_code] == [401, 200, 401]


# -- the use register -----------------------------------------------------------------------------


def test_every_call_is_in_the_use_register(tmp_path: Path) -> None:
    with _opened(tmp_path, mcp=True) as made:
        token, headers = record_token(SCANNED), made.headers(Role.PUBLIC)
        address = f"/api/v1/records/{token}"
        made.client.post("/api/v1/ask", json=ASK, headers=headers)
        made.client.get("/api/v1/search?q=经费", headers=headers)
        made.client.get(address, headers=headers)
        made.client.get(f"{address}/pages/1", headers=headers)
        made.client.get(f"{address}/pages/1/image", headers=headers)
        made.client.get(f"/api/v1/records/{record_token(HIDDEN)}", headers=headers)
        stated = {**headers, "Chadang-Purpose": "%E5%AD%A6%E6%9C%AF%E7%A0%94%E7%A9%B6"}
        made.client.post("/v1/chat/completions", headers=stated, json={
            "messages": [{"role": "user", "content": "没有的事"}]})  # fmt: skip
        entries = list(register_of(made.assistant.settings).entries(Search()))
        done = [(entry.action, entry.outcome) for entry in sorted(entries, key=lambda e: e.number)]

        assert done == [
            ("提问", ""), ("答复", ""), ("提问", ""), ("检索", "3 段"), ("阅览目录", ""),
            ("阅览原文", "文字"), ("阅览原文", "影像"), ("拒绝查阅", "限制利用（信访），须经批准"), ("提问", ""),
            ("未答", "未检索到"),
        ]  # fmt: skip
        assert {entry.channel for entry in entries} == {"接口"}
        assert {entry.role for entry in entries} == {"公众"}
        assert {entry.account for entry in entries} == {"api:2"}
        assert [e.purpose for e in entries if e.action == "未答"] == ["学术研究"]
        assert {e.purpose for e in entries} == {"学术研究", "工作查考"}


def test_without_a_register_closed_records_stay_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This test ensures that every face fails closed, in its own shape."""
    from assistant.register import Register, RegisterError

    def broken(*_: object, **__: object) -> None:
        raise RegisterError("磁盘满")

    with _opened(tmp_path, mcp=True) as made:
        monkeypatch.setattr(Register, "write", broken)
        address = f"/api/v1/records/{record_token(HIDDEN)}"
        refused = [made.client.get(address + path) for path in ("", "/pages/1")]
        refused.append(made.client.get("/api/v1/search?q=x"))
        counted = made.client.post("/v1/chat/completions", json={
            "messages": [{"role": "user", "content": "有哪些"}]})  # fmt: skip
        opened = made.client.get(f"/api/v1/records/{record_token(SCANNED)}/pages/1")

        assert [answer.status_code for answer in refused] == [503] * 3
        assert {_error(answer)["code"] for answer in refused} == {"register_unavailable"}
        assert counted.status_code == 503
        assert HIDDEN not in counted.text
        assert opened.status_code == 200


def test_where_a_purpose_must_be_stated_it_is_asked_for(tmp_path: Path) -> None:
    with _opened(tmp_path, ask_purpose="always") as made:
        without = made.client.post("/api/v1/ask", json=ASK)
        stated = made.client.post(
            "/api/v1/ask",
            json=ASK,
            headers={"Chadang-Purpose": "%E5%B7%A5%E4%BD%9C%E6%9F%A5%E8%80%83"},
        )
        by_token = made.client.post("/api/v1/ask", json=ASK, headers=made.headers())

        assert without.status_code == 409
        assert _error(without)["code"] == "purpose_needed"
        assert stated.status_code == by_token.status_code == 200


# -- asking ---------------------------------------------------------------------------------------


def test_an_answer_has_its_quotations_with_links(api: Api) -> None:
    body = api.client.post("/api/v1/ask", json=ASK).json()
    first = body["citations"][0]

    assert body["refused"] is False
    assert first["quote"] == SCANNED_QUOTE
    assert first["reference_code"] == SCANNED
    assert api.client.get(f"/{first['link']}").status_code == 303
    assert body["notice"] == strings.NO_VOUCHER
    page = api.client.get(
        f"/api/v1/records/{first['record']}/pages/{first['page']}",
        params={"start": first["start"], "end": first["end"]},
    ).json()
    assert page["quote"] == first["quote"]
    assert page["boxes"]
    assert api.client.get(f"/{page['image']}").headers["content-type"] == "image/jpeg"


def test_a_refusal_is_an_answer_with_its_reason(api: Api) -> None:
    answer = api.client.post("/api/v1/ask", json={"question": "没有的事"})
    body = answer.json()

    assert answer.status_code == 200
    assert body["refused"] is True
    assert body["reason"] == "未检索到"
    assert body["message"] == "馆藏中未检索到能回答这个问题的内容。"
    assert body["coverage"]["records"] == 4
    assert body["citations"] == body["listings"] == []


def test_what_was_read_in_can_be_taken_off(api: Api) -> None:
    asked = {"question": "去年水库的经费"}
    keys = [r["key"] for r in api.client.post("/api/v1/ask", json=asked).json()["readings"]]
    again = api.client.post("/api/v1/ask", json={**asked, "without": keys[:1]}).json()

    assert keys == ["词:水库", "时间:去年"]
    assert [r["key"] for r in again["readings"]] == keys[1:]


def test_stages_come_as_events(api: Api) -> None:
    with api.client.stream(
        "POST", "/api/v1/ask", json=ASK, headers={"Accept": "text/event-stream"}
    ) as answer:
        text = answer.read().decode()
    events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events] == ["stage", "answer", "done"]
    assert json.loads(events[1][1])["citations"][0]["quote"] == SCANNED_QUOTE


@pytest.mark.parametrize("question", ["太长", "坏"])
def test_an_error_on_the_way_is_an_event(api: Api, question: str) -> None:
    headers = {"Accept": "text/event-stream"}
    text = api.client.post("/api/v1/ask", json={"question": question}, headers=headers).text
    events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)

    assert [name for name, _ in events] == ["stage", "error"]
    assert json.loads(events[1][1])["error"]["next_step"]


def test_a_broken_program_says_nothing_of_itself(api: Api) -> None:
    answer = api.client.post("/api/v1/ask", json={"question": "坏"})

    assert answer.status_code == 500
    assert _error(answer)["code"] == "failed"
    assert "RuntimeError" not in answer.text
    assert "broken" not in answer.text


def test_earlier_questions_are_understood_and_asked_once(tmp_path: Path) -> None:
    with _opened(tmp_path) as made:
        for body in ({"question": "甲"}, {"question": "乙", "earlier": ["甲"]}):
            assert made.client.post("/api/v1/ask", json=body).status_code == 200
        again = made.headers(Role.PUBLIC)
        body = {"question": "丙", "earlier": ["甲", "乙"]}
        assert made.client.post("/api/v1/ask", json=body, headers=again).status_code == 200

        asked = [[turn.question for turn in turns] for turns in made.assistant.conversations]
        # another reader's earlier answers are not taken over: 甲 and 乙 are asked anew
        assert asked == [[], ["甲"], [], ["甲"], ["甲", "乙"]]
        assert [reader.role for reader in made.assistant.readers[2:]] == [Role.PUBLIC] * 3


def test_precedents_come_with_marks_that_lead_to_citations(api: Api) -> None:
    body = api.client.post("/api/v1/precedents", json={"topic": "水渠维修"}).json()
    marks = {c["marker"] for c in body["citations"]}
    steps = [step for matter in body["precedents"] for step in matter["steps"] if step["found"]]

    assert steps
    assert {step["marker"] for step in steps} <= marks


def test_what_the_catalogue_cannot_count_is_told(api: Api) -> None:
    answer = api.client.post("/api/v1/counts", json=ASK)

    assert answer.status_code == 422
    assert _error(answer)["code"] == "not_a_catalogue_question"


def test_search_gives_only_what_may_be_read(api: Api) -> None:
    def found(role: Role) -> set[str]:
        hits = api.client.get(
            "/api/v1/search", params={"q": "经费", "limit": 50}, headers=api.headers(role)
        ).json()["hits"]
        return {hit["reference_code"] for hit in hits}

    assert HIDDEN in found(Role.ARCHIVIST)
    assert found(Role.PUBLIC) == {SCANNED, TYPED, HOSTILE}


# -- hidden and absent ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.DEPUTY, Role.STAFF])
@pytest.mark.parametrize(
    "path",
    ["", "/pages/1", "/pages/1?start=0&end=2", "/pages/77", "/pages/1/image", "/pages/1/image?w=10",
     "/pages/0", "/pages/x", "/pages/99999999999999999999"],
)  # fmt: skip
def test_a_hidden_record_answers_like_a_missing_one(api: Api, role: Role, path: str) -> None:
    hidden, missing = (
        api.client.get(f"/api/v1/records/{record_token(i)}{path}", headers=api.headers(role))
        for i in (HIDDEN, MISSING)
    )

    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    assert {k: v for k, v in hidden.headers.items() if k != "date"} == {
        k: v for k, v in missing.headers.items() if k != "date"
    }
    assert _error(hidden)["code"] == "not_available"


def test_the_archivist_reads_the_hidden_record(api: Api) -> None:
    page = api.client.get(f"/api/v1/records/{record_token(HIDDEN)}/pages/1").json()

    assert page["text"] == "不得公开的内容"


def test_a_token_that_is_none_is_a_missing_record(api: Api) -> None:
    for token in ("!!!", "_w", "a", "%00", "%2e%2e"):
        assert api.client.get(f"/api/v1/records/{token}/pages/1").status_code == 404


# -- bad requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "缺少 “question”"),
        ({"question": 5}, "“question” 应是文字"),
        ({"question": None}, "“question” 应是文字"),
        ({"question": "长" * 501}, "“question” 太长，最多 500 字"),
        ({"question": "甲", "role": "档案管理员"}, "不认识 “role”"),
        ({"question": "甲", "listings": -1}, "“listings” 不能小于 0"),
        ({"question": "甲", "listings": True}, "“listings” 应是整数"),
        ({"question": "甲", "compose": "yes"}, "“compose” 应是 true 或 false"),
        ({"question": "甲", "earlier": ["乙"] * 7}, "“earlier” 最多 6 项"),
        ({"question": "甲", "earlier": [1]}, "“earlier.0” 应是文字"),
        ([], "请求内容 应是 JSON 对象"),
    ],
)
def test_a_wrong_body_is_told_in_both_languages(api: Api, body: Any, said: str) -> None:
    answer = api.client.post("/api/v1/ask", json=body)
    error = _error(answer)

    assert answer.status_code == 422
    assert said in error["message"]
    assert re.search(r"[a-z]{4}", error["message_en"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"question": "' + b"a" * 70_000 + b'"}', "application/json", 413),
        (b'{"question": "x"}', "text/plain", 415),
        (b"question=x", "application/x-www-form-urlencoded", 415),
        (b'{"question": "x"}', "", 415),
    ],
)
def test_what_is_no_json_is_refused(api: Api, content: bytes, kind: str, status: int) -> None:
    answer = api.client.post("/api/v1/ask", content=content, headers={"Content-Type": kind})

    assert answer.status_code == status
    _error(answer)


@pytest.mark.parametrize(
    "query", ["", "q=x&limit=0", "q=x&limit=51", "q=x&limit=一", "q=x&role=x", "q=x&q=y",
              "q=x&year_from=99999"],
)  # fmt: skip
def test_a_wrong_query_is_refused(api: Api, query: str) -> None:
    answer = api.client.get(f"/api/v1/search?{query}")

    assert answer.status_code == 422
    _error(answer)


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/records/"])
def test_a_call_that_is_none_is_told(api: Api, path: str) -> None:
    answer = api.client.get(path)

    assert answer.status_code == 404
    assert _error(answer)["code"] == "unknown_call"


def test_a_wrong_method_is_told(api: Api) -> None:
    answer = api.client.get("/api/v1/ask")

    assert answer.status_code == 405
    assert _error(answer)["code"] == "wrong_method"


def test_an_unknown_name_is_not_sent_back_at_length(api: Api) -> None:
    answer = api.client.post("/api/v1/ask", json={"question": "甲", "x" * 20_000: 1})

    assert answer.status_code == 422
    assert len(answer.content) < 1000


# -- readiness ------------------------------------------------------------------------------------


def test_readiness_says_what_is_missing(api: Api) -> None:
    """This test ensures that a home without an index is not ready, and that nothing else is told."""
    answer = api.client.get("/readyz")
    body = answer.json()

    assert answer.status_code == 503
    assert body["ready"] is False
    assert [(c["name"], c["ready"]) for c in body["checks"]] == [
        ("馆藏", True), ("索引", False), ("模型", True),
    ]  # fmt: skip
    assert "chadang ingest" in body["checks"][1]["message"]
    assert str(api.home) not in answer.text


# -- the description ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_document_describes_every_call_in_its_language(api: Api, lang: str) -> None:
    document = api.client.get(f"/api/v1/openapi.json?lang={lang}").json()
    described = [
        text
        for schema in document["components"]["schemas"].values()
        for field in schema.get("properties", {}).values()
        if (text := field.get("description"))
    ]
    han = re.compile(r"[\u4e00-\u9fff]{2}")

    assert document["openapi"].startswith("3.1")
    assert {
        (method.upper(), path) for path, calls in document["paths"].items() for method in calls
    } == {(call.method, call.path) for call in CALLS}
    assert len(described) > 60
    assert "x-english" not in json.dumps(document)
    if lang == "zh":
        assert all(han.search(text) for text in described)
    else:
        assert not any(re.match(r"[\u4e00-\u9fff]", text) for text in described)


def test_every_reference_in_the_document_leads_somewhere(api: Api) -> None:
    document = api.client.get("/api/v1/openapi.json").json()
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))

    assert references
    assert references <= set(document["components"]["schemas"])


def test_answers_are_what_the_document_says(api: Api) -> None:
    """This test ensures that each call's answer has exactly the fields of its model."""
    calls = {call.path: call for call in CALLS}
    for path, body in (("/api/v1/ask", ASK), ("/api/v1/precedents", {"topic": "水渠"})):
        model = calls[path].gives
        assert model is not None
        model.model_validate(api.client.post(path, json=body).json())
    token = record_token(SCANNED)
    for path in ("/api/v1/records/{record}", "/api/v1/records/{record}/pages/{n}"):
        model = calls[path].gives
        assert model is not None
        address = path.replace("{record}", token).replace("{n}", "1")
        model.model_validate(api.client.get(address).json())


def test_the_docs_page_has_every_call_and_nothing_from_elsewhere(api: Api) -> None:
    answer = api.client.get("/api/v1/docs")

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)
    for call in CALLS:
        assert f"{call.method} {call.path}" in answer.text
    for address in re.findall(r'(?:src|href)="(\.\./\.\./static/[^"?]+)', answer.text):
        assert api.client.get(f"/api/v1/{address}").status_code == 200


def test_the_examples_of_the_docs_work(api: Api) -> None:
    for call in CALLS:
        if call.example is None:
            continue
        assert "curl" in example_command(call)
        if call.body is not None:
            answer = api.client.post(call.path, json=dict(call.example))
        else:
            answer = api.client.get(call.path, params=dict(call.example))  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text


def test_the_name_of_the_archive_is_text_on_the_docs_page(tmp_path: Path) -> None:
    with _opened(tmp_path, archive_name="<script>alert(1)</script>") as made:
        assert "<script" not in made.client.get("/api/v1/docs").text


# -- OpenAI ---------------------------------------------------------------------------------------


def _chat(api: Api, *messages: tuple[str, Any], **more: Any) -> Any:
    body = {"model": "gpt-4o", "messages": [{"role": r, "content": c} for r, c in messages], **more}
    return api.client.post("/v1/chat/completions", json=body, headers=api.headers())


def test_openai_clients_may_send_what_they_send(api: Api) -> None:
    answer = _chat(
        api, ("system", "你是助手。" * 5000), ("user", [{"type": "text", "text": "维修经费是多少？"}]),
        temperature=0.2, top_p=1, n=1, max_tokens=512, presence_penalty=0, frequency_penalty=0,
        stop=None, tools=[], tool_choice="auto", response_format={"type": "text"}, user="u",
        seed=7, logprobs=False, parallel_tool_calls=True, metadata={}, store=False, stream=None,
    )  # fmt: skip
    body = answer.json()

    assert answer.status_code == 200, answer.text
    assert body["object"] == "chat.completion"
    assert body["model"] == "chadang"
    choice = body["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert "①" in choice["message"]["content"]
    assert "出处：" in choice["message"]["content"]
    citation = body["chadang"]["citations"][0]
    assert citation["quote"] == SCANNED_QUOTE
    assert {"record", "reference_code", "title", "page", "quote", "link"} <= set(citation)
    assert set(body["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}


def test_an_openai_stream_is_what_clients_expect(api: Api) -> None:
    answer = _chat(
        api, ("user", "维修经费是多少？"), stream=True, stream_options={"include_usage": True}
    )
    lines = [line for line in answer.text.split("\n\n") if line]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    whole = _chat(api, ("user", "维修经费是多少？")).json()

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert lines[-1] == "data: [DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({c["id"] for c in chunks}) == 1
    content = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert content == whole["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-2]["chadang"]["citations"][0]["quote"] == SCANNED_QUOTE
    assert chunks[-1]["choices"] == []
    assert "usage" in chunks[-1]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [("system", "x")],
        [("user", "")],
        [("user", None)],
        [("user", 5)],
    ],
)
def test_openai_errors_have_openai_s_shape(api: Api, messages: list[tuple[str, Any]]) -> None:
    answer = _chat(api, *messages)
    body = answer.json()

    assert answer.status_code == 422
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["type"] == "invalid_request_error"


def test_for_a_reader_of_markdown_record_text_stays_text(api: Api) -> None:
    plain = _chat(api, ("user", "恶意")).json()["choices"][0]["message"]["content"]
    marked = _chat(api, ("user", "恶意"), chadang={"format": "markdown"}).json()
    content = marked["choices"][0]["message"]["content"]

    assert "](http" in plain
    assert "](http" not in content
    assert not re.search(r"(?<!\\)[<\[]", content)
    assert marked["chadang"]["citations"][0]["quote"] == HOSTILE_TEXT


def test_a_misspelt_extension_is_told(api: Api) -> None:
    assert _chat(api, ("user", "经费"), chadang={"fromat": "markdown"}).status_code == 422


def test_other_openai_calls_are_told_in_its_shape(api: Api) -> None:
    for method, path in (("POST", "/v1/embeddings"), ("GET", "/v1/files"), ("GET", "/v1/models/x")):
        answer = api.client.request(method, path, headers=api.headers())

        assert answer.status_code == 404
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


# -- MCP ------------------------------------------------------------------------------------------

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def _rpc(
    api: Api, method: str, params: Any = None, headers: dict[str, str] | None = None, **more: Any
) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}, **more}
    return api.client.post(
        "/mcp", json=body, headers={**api.headers(Role.PUBLIC), **(headers or {})}
    )


def _stateless(api: Api, method: str, name: str = "", **params: Any) -> Any:
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    if name:
        headers["Mcp-Name"] = name
        params["name"] = name
    return _rpc(api, method, {**params, "_meta": META}, headers)


def test_mcp_is_absent_until_it_is_switched_on(tmp_path: Path) -> None:
    with _opened(tmp_path) as made:
        answer = made.client.post("/mcp", json={}, headers=made.headers())

        assert answer.status_code == 404
        assert _error(answer)["code"] == "unknown_call"
        assert made.client.get("/mcp").status_code == 404


def test_an_older_client_shakes_hands(api: Api) -> None:
    wanted = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}}
    result = _rpc(api, "initialize", wanted).json()["result"]
    version = {"MCP-Protocol-Version": "2025-06-18"}
    told = api.client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "method": "notifications/initialized"},
        headers={**api.headers(), **version},
    )
    tools = _rpc(api, "tools/list", headers=version).json()["result"]["tools"]

    assert result["protocolVersion"] == "2025-06-18"
    assert "tools" in result["capabilities"]
    assert told.status_code == 202
    assert told.content == b""
    assert [tool["name"] for tool in tools] == ["search", "open_page", "ask"]
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools)
    assert all("$ref" not in json.dumps(tool["inputSchema"]) for tool in tools)


def test_an_unknown_handshake_is_offered_the_newest(api: Api) -> None:
    result = _rpc(api, "initialize", {"protocolVersion": "1999-01-01"}).json()["result"]

    assert result["protocolVersion"] == "2025-11-25"


def test_a_newer_client_needs_no_handshake(api: Api) -> None:
    found = _stateless(api, "server/discover").json()["result"]
    result = _stateless(api, "tools/call", "ask", arguments=ASK).json()["result"]

    assert "2026-07-28" in found["supportedVersions"]
    assert found["resultType"] == result["resultType"] == "complete"
    assert found["cacheScope"] == "private"
    assert result["structuredContent"]["citations"][0]["quote"] == SCANNED_QUOTE


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"MCP-Protocol-Version": "2026-07-28"}, -32020),
        ({"MCP-Protocol-Version": "2025-11-25", "Mcp-Method": "tools/list"}, -32020),
        ({"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"}, -32020),
    ],
)
def test_headers_that_differ_from_the_body_are_refused(
    api: Api, headers: dict[str, str], code: int
) -> None:
    answer = _rpc(api, "tools/list", {"_meta": META}, headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_version_from_the_future_is_told_what_is_spoken(api: Api) -> None:
    answer = _rpc(api, "tools/list", headers={"MCP-Protocol-Version": "2030-01-01"})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32022
    assert answer.json()["error"]["data"]["supported"] == ["2026-07-28"]


def test_a_tool_tells_what_went_wrong_and_nothing_more(api: Api) -> None:
    for arguments in ({"record": record_token(HIDDEN)}, {"record": record_token(MISSING)}):
        result = _rpc(api, "tools/call", {"name": "open_page", "arguments": arguments}).json()
        assert result["result"]["isError"] is True
        assert strings.NOT_AVAILABLE in result["result"]["content"][0]["text"]
    wrong = _rpc(api, "tools/call", {"name": "ask", "arguments": {"frage": "x"}}).json()

    assert wrong["result"]["isError"] is True
    assert "frage" in wrong["result"]["content"][0]["text"]


def test_a_page_is_opened_by_what_search_found(api: Api) -> None:
    found = _rpc(api, "tools/call", {"name": "search", "arguments": {"q": "经费"}}).json()["result"]
    hit = found["structuredContent"]["hits"][0]
    arguments = {"record": hit["record"], "page": hit["page"]}
    opened = _rpc(api, "tools/call", {"name": "open_page", "arguments": arguments}).json()["result"]

    assert hit["record"] in found["content"][0]["text"]
    assert hit["quote"] in opened["structuredContent"]["text"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 404, -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm"}}', 400, -32602),
    ],
)
def test_bad_rpc_is_told_as_rpc(api: Api, body: bytes, status: int, code: int) -> None:
    headers = {**api.headers(), "Content-Type": "application/json"}
    answer = api.client.post("/mcp", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json()["jsonrpc"] == "2.0"


def test_mcp_has_no_stream_of_its_own(api: Api) -> None:
    assert api.client.get("/mcp", headers=api.headers()).status_code == 405
