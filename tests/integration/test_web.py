"""The web application over a real store, through its HTTP face."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.domain import Answer
from index.access import Permitted
from index.domain import Reader, Role
from tests.web_fakes import (
    CATALOGUE_ONLY,
    HIDDEN,
    HOSTILE,
    SCANNED,
    SCANNED_QUOTE,
    TYPED,
    FakeAssistant,
    make_settings,
    make_store,
)
from ui import api, strings
from ui.places import quote_hash, record_token

MISSING = "0012-0000-没有-0000"


@dataclass(frozen=True)
class Web:
    client: TestClient
    assistant: FakeAssistant
    home: Path


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    from ui.server import prepare_environment

    home = tmp_path_factory.mktemp("home")
    settings = make_settings(home)
    prepare_environment(settings)
    store = make_store(home)
    assistant = FakeAssistant(store, settings)

    with _client(assistant) as client:
        yield Web(client, assistant, home)


@contextmanager
def _client(assistant: FakeAssistant) -> Iterator[TestClient]:
    from ui.app import build_app

    async def build() -> FastAPI:
        # without a running loop gradio opens one of its own and never closes it
        return build_app(assistant, assistant.settings)

    app = asyncio.run(build())
    with TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        yield client


@pytest.fixture
def as_reader(monkeypatch: pytest.MonkeyPatch) -> Any:
    def become(role: Role, name: str = "某人") -> None:
        monkeypatch.setattr(api, "current_reader", lambda _r, _s: Reader(role, name))

    return become


SESSION = {"session_hash": "s1234567890"}


def _ask(web: Web, question: str) -> list[dict[str, Any]]:
    """Ask over Gradio's own queue, as the page does; returns the messages shown at the end."""
    typed, asked, _ = _steps(web)
    first = {"data": [question], "fn_index": typed, **SESSION}
    assert web.client.post("/app/gradio_api/run/predict", json=first).status_code == 200
    return _run(web, asked, [None, None, False, "", ""])


def _steps(web: Web) -> tuple[int, int, int | None]:
    """Numbers of the steps that take a question, answer it, and add joining text."""
    steps = web.client.get("/app/config").json()
    box = next(c["id"] for c in steps["components"] if c["type"] == "textbox")
    typed = next(d["id"] for d in steps["dependencies"] if [box, "submit"] in d["targets"])
    after = {d["trigger_after"]: d["id"] for d in steps["dependencies"]}
    return typed, after[typed], after.get(after[typed])


def _run(web: Web, step: int, data: list[Any]) -> list[dict[str, Any]]:
    session = SESSION
    second = {"data": data, "fn_index": step, **session}
    assert web.client.post("/app/gradio_api/queue/join", json=second).status_code == 200
    with web.client.stream("GET", "/app/gradio_api/queue/data", params=session) as stream:
        for line in stream.iter_lines():
            event = json.loads(line[5:]) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed":
                return list(event["output"]["data"][0])
    raise AssertionError("no answer")


# -- precedents -----------------------------------------------------------------------------------


def test_precedents_are_given_with_their_marks(web: Web) -> None:
    """This test ensures that the route gives chains whose marks lead to citations."""
    body = web.client.get("/api/precedents", params={"q": "水渠维修"}).json()

    assert body["refused"] is False
    (matter,) = body["matters"]
    found = [step for step in matter["steps"] if step["found"]]
    marks = {int(c["marker"]) for c in body["citations"]}
    assert found
    assert {step["marker"] for step in found} <= marks
    assert [step["step"] for step in matter["steps"] if not step["found"]] == ["交办"]


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.DEPUTY])
def test_precedents_ask_in_the_reader_s_name_only(web: Web, as_reader: Any, role: Role) -> None:
    """This test ensures that the route asks as the reader and refuses in the fixed words."""
    as_reader(role)

    body = web.client.get("/api/precedents", params={"q": "没有的事"}).json()

    assert body["refused"] is True
    assert body["matters"] == []
    assert web.assistant.readers[-1].role is role


def test_a_topic_that_cannot_be_asked_is_told(web: Web) -> None:
    """This test ensures that a bad topic is a sentence, not a failure."""
    answer = web.client.get("/api/precedents", params={"q": "太长"})

    assert answer.status_code == 400
    assert "太长" in answer.json()["detail"]


# -- permission -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/api/pages/{}/1",
        "/api/pages/{}/1?start=0&end=2",
        "/api/pages/{}/77",
        "/api/records/{}",
        "/page/{}/1.jpg",
        "/page/{}/1.jpg?w=2000",
        "/page/{}/x.jpg",
        "/record/{}?page=1&start=0&end=2",
    ],
)
@pytest.mark.parametrize("role", [Role.PUBLIC, Role.DEPUTY, Role.STAFF])
def test_a_hidden_record_answers_like_a_missing_one(
    web: Web, as_reader: Any, address: str, role: Role
) -> None:
    as_reader(role)

    hidden = web.client.get(address.format(record_token(HIDDEN)))
    missing = web.client.get(address.format(record_token(MISSING)))

    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    assert _without_date(hidden.headers) == _without_date(missing.headers)


def _without_date(headers: Any) -> list[tuple[str, str]]:
    return [(k, v) for k, v in headers.multi_items() if k != "date"]


def test_the_archivist_opens_the_restricted_record(web: Web) -> None:
    page = web.client.get(f"/api/pages/{record_token(HIDDEN)}/1")

    assert page.status_code == 200
    assert "不得公开的内容" in page.text


def test_a_broken_token_is_a_missing_record(web: Web) -> None:
    for token in ("!!!", "_w", "a", "%00"):
        assert web.client.get(f"/api/records/{token}").status_code == 404


@pytest.mark.parametrize("seq", ["9" * 25, f"-{'9' * 25}"])
def test_a_number_no_database_can_hold_is_a_missing_page(web: Web, seq: str) -> None:
    for more in ("", "?hash=5.abcdefabcd", f"?start={seq}&end={seq}"):
        answer = web.client.get(f"/api/pages/{record_token(TYPED)}/{seq}{more}")
        assert answer.status_code == 404
    assert web.client.get(f"/api/admin/opening/{'9' * 25}").status_code == 404
    body = {"number": int("9" * 25), "by": "孙某", "note": "看过"}
    assert web.client.post("/api/admin/opening/undo", json=body).status_code in (404, 409)


def test_citations_are_given_to_the_reader_who_asked_only(web: Web, as_reader: Any) -> None:
    answer_id = _answer_id(_ask(web, "维修经费是多少？"))
    first = web.client.get(f"/api/answers/{answer_id}")
    as_reader(Role.PUBLIC)
    other = web.client.get(f"/api/answers/{answer_id}")
    unknown = web.client.get(f"/api/answers/{'0' * 32}")

    assert first.status_code == 200
    assert other.status_code == unknown.status_code == 404
    assert other.content == unknown.content
    assert first.headers["cache-control"] == "private, no-store"


def test_a_record_closed_after_the_answer_is_left_out(web: Web, as_reader: Any) -> None:
    reader = Reader(Role.PUBLIC, "某人")
    answer = web.assistant.ask("哪些", (), Reader(Role.ARCHIVIST))
    assert isinstance(answer, Answer)
    assert any(row.record.record_id == HIDDEN for row in answer.listings)

    shown = api._answer_json(answer, web.assistant, reader)

    tokens = {row["record"] for row in shown["listings"]}
    assert record_token(HIDDEN) not in tokens
    assert record_token(TYPED) in tokens
    assert shown["text"] == ""


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_is_exported_to_the_reader_who_asked(web: Web, as_reader: Any, kind: str) -> None:
    answer_id = _answer_id(_ask(web, "有哪些？"))
    file = web.client.get(f"/api/answers/{answer_id}/export.{kind}")
    as_reader(Role.PUBLIC)
    other = web.client.get(f"/api/answers/{answer_id}/export.{kind}")

    assert file.status_code == 200
    assert file.headers["cache-control"] == "private, no-store"
    assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert file.content.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK")
    assert other.status_code == 404
    assert other.json() == {"detail": "没有这份档案，或您无权查阅。"}


def test_an_export_leaves_out_what_was_closed_since(web: Web, monkeypatch: Any) -> None:
    answer_id = _answer_id(_ask(web, "有哪些？"))
    address = f"/api/answers/{answer_id}/export.csv"
    before = web.client.get(address).text
    hidden = web.assistant.store.record_number(HIDDEN)
    others = {web.assistant.store.record_number(r.record_id) for r in web.assistant.store.records()}
    monkeypatch.setattr(
        web.assistant.store, "permitted", lambda _: Permitted(frozenset(others - {hidden}))
    )
    after = web.client.get(address).text

    assert HIDDEN in before
    assert HIDDEN not in after
    assert TYPED in after


def test_what_lists_nothing_exports_nothing(web: Web) -> None:
    answer_id = _answer_id(_ask(web, "维修经费是多少？"))

    assert not web.client.get(f"/api/answers/{answer_id}").json()["exportable"]
    assert web.client.get(f"/api/answers/{answer_id}/export.csv").status_code == 404
    assert web.client.get(f"/api/answers/{answer_id}/export.ods").status_code == 404


def _answer_id(messages: list[dict[str, Any]]) -> str:
    text = json.dumps(messages[-1], ensure_ascii=False)
    return text.split("(#c-")[1][:32]


# -- joining text by a language model -------------------------------------------------------------


@pytest.fixture(scope="module")
def composing(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    home = tmp_path_factory.mktemp("composing")
    assistant = FakeAssistant(make_store(home), make_settings(home), composes=True)
    with _client(assistant) as client:
        yield Web(client, assistant, home)


def _shown(messages: list[dict[str, Any]]) -> str:
    content = messages[-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def test_joining_text_comes_after_the_answer_under_its_label(composing: Web) -> None:
    """This test ensures that the quotations are there first, and stay as they are."""
    *_, compose = _steps(composing)
    assert compose is not None
    first = _shown(_ask(composing, "维修经费是多少？"))
    then = _shown(_run(composing, compose, [None]))

    assert strings.COMPOSING in first
    assert "用于东风水库渠道维修" in first
    assert strings.AI_LABEL not in first
    assert strings.COMPOSING not in then
    prose = then.index(strings.AI_LABEL)
    assert prose < then.index("维修经费五千元[①](#c-") < then.index("> 「")
    assert "，\\*决定\\*如下：「决定批准2019年市级预算调整方案" in then
    quotations = [line for line in first.splitlines() if line.startswith("> 「")]
    assert len(quotations) >= 3
    for line in quotations:
        assert line.split("[①]")[0].split("[②]")[0].split("[③]")[0] in then
    copied = composing.client.get(f"/api/answers/{then.split('(#c-')[1][:32]}").json()["text"]
    assert copied.startswith(f"（{strings.AI_LABEL}）维修经费五千元①")


@pytest.mark.parametrize("question", ["无话：维修经费是多少？", "出错：维修经费是多少？"])
def test_without_joining_text_the_answer_stays(composing: Web, question: str) -> None:
    """This test ensures that neither an empty-handed nor a failing model shows."""
    *_, compose = _steps(composing)
    assert compose is not None
    _ask(composing, question)
    then = _shown(_run(composing, compose, [None]))

    assert strings.COMPOSING not in then
    assert strings.AI_LABEL not in then
    assert "用于东风水库渠道维修" in then


def test_without_a_language_model_there_is_no_such_step(web: Web) -> None:
    assert _steps(web)[2] is None
    assert strings.COMPOSING not in _shown(_ask(web, "维修经费是多少？"))


# -- asking ---------------------------------------------------------------------------------------


def test_a_question_is_answered_with_a_mark_and_the_reader_passes_through(web: Web) -> None:
    messages = _ask(web, "维修经费是多少？")

    assert "用于东风水库渠道维修" in json.dumps(messages, ensure_ascii=False)
    assert web.assistant.readers[-1] == Reader(Role.ARCHIVIST, "本机用户")


def test_citation_details_are_complete(web: Web) -> None:
    answer_id = _answer_id(_ask(web, "维修经费是多少？"))

    answer = web.client.get(f"/api/answers/{answer_id}").json()

    first, second, third = answer["citations"]
    assert first["quote"] == SCANNED_QUOTE
    assert first["reference"].startswith(
        "《关于批转一九八五年度水利工程经费的通知》，示例县人民政府"
    )
    assert len(first["boxes"]) == 2
    assert first["has_image"]
    assert not first["low_confidence"]
    assert not second["has_image"]
    assert second["boxes"] == []
    assert third["low_confidence"]
    assert "①「" in answer["text"]
    assert [row["marker"] for row in answer["listings"]] == ["r1", "r2"]


def test_earlier_turns_reach_the_assistant(web: Web) -> None:
    _ask(web, "第一问")
    _ask(web, "第二问")

    assert web.assistant.conversations[-1][-1].question == "第一问"


@pytest.mark.parametrize(
    ("question", "shown"),
    [("太长", "问题太长，请不超过 \\*500\\* 字。"), ("坏", "这一次没有查成")],
)
def test_a_failure_is_one_chinese_sentence(web: Web, question: str, shown: str) -> None:
    messages = _ask(web, question)

    text = messages[-1]["content"]
    assert shown in (text if isinstance(text, str) else text[0]["text"])
    assert "Traceback" not in json.dumps(messages)


# -- pages ----------------------------------------------------------------------------------------


def test_page_text_comes_in_three_parts(web: Web) -> None:
    whole = web.client.get(f"/api/pages/{record_token(SCANNED)}/1").json()
    start = whole["after"].index(SCANNED_QUOTE)
    end = start + len(SCANNED_QUOTE)

    page = web.client.get(
        f"/api/pages/{record_token(SCANNED)}/1", params={"start": start, "end": end}
    ).json()

    assert page["quote"] == SCANNED_QUOTE
    assert page["before"] + page["quote"] + page["after"] == whole["after"]
    assert page["page_count"] == 2
    assert len(page["boxes"]) == 2
    assert page["link"].endswith(
        f"?page=1&start={start}&end={end}&hash={quote_hash(SCANNED_QUOTE)}"
    )


def test_a_span_outside_the_page_marks_nothing(web: Web) -> None:
    page = web.client.get(f"/api/pages/{record_token(TYPED)}/1?start=5&end=999999").json()

    assert page["quote"] == ""
    assert page["before"] + page["after"] == web.assistant.store.page(TYPED, 1).raw  # type: ignore[union-attr]


def test_hostile_text_is_json_and_nothing_else(web: Web) -> None:
    page = web.client.get(f"/api/pages/{record_token(HOSTILE)}/1")

    assert page.headers["content-type"] == "application/json"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_a_page_image_is_rendered_once_and_privately(web: Web) -> None:
    pytest.importorskip("index.rendering")
    address = f"/page/{record_token(SCANNED)}/1.jpg"

    first = web.client.get(address)
    cached = list((web.home / "cache" / "pages").rglob("*.jpg"))
    again = web.client.get(address, headers={"If-None-Match": first.headers["etag"]})
    large = web.client.get(f"{address}?w=5000")

    assert first.status_code == 200
    assert first.content[:3] == b"\xff\xd8\xff"
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["cache-control"].startswith("private")
    assert len(cached) == 1
    assert again.status_code == 304
    assert len(large.content) > len(first.content)


def test_a_page_without_image_has_none(web: Web) -> None:
    assert web.client.get(f"/page/{record_token(TYPED)}/1.jpg").status_code == 404


def test_a_moved_file_is_told(web: Web) -> None:
    scan = web.home / "files" / "scan.pdf"
    moved = scan.with_suffix(".away")
    scan.rename(moved)
    try:
        answer = web.client.get(f"/page/{record_token(SCANNED)}/2.jpg?w=1600")
    finally:
        moved.rename(scan)

    assert answer.status_code == 410
    assert "打不开" in answer.json()["detail"]


def test_a_catalogue_only_record_shows_its_fields(web: Web) -> None:
    record = web.client.get(f"/api/records/{record_token(CATALOGUE_ONLY)}").json()

    assert record["page_count"] == 0
    assert ["目录来源", "目录.xlsx（文书档案），第 3 行"] in record["more_fields"]
    assert ["柜号<b>", "3-2"] in record["more_fields"]


def test_a_permalink_opens_the_page_in_the_chat(web: Web) -> None:
    token = record_token(SCANNED)

    answer = web.client.get(f"/record/{token}?page=1&start=3&end=9")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"../app/#r-{token}-1-3-9"


# -- the gate -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/", "/app/", "/healthz", "/static/app.js", "/api/status", "/x"]
)
def test_every_answer_carries_the_policy(web: Web, address: str) -> None:
    headers = web.client.get(address).headers

    assert "script-src 'self';" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "address",
    [
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=http://evil.test/x",
        "gradio_api/file/etc/passwd",
        "gradio_api/proxy=http://evil.test/",
        "gradio_api/runs",
        "gradio_api/run-history/buckets",
        "gradio_api/openapi.json",
        "gradio_api/token",
        "gradio_api/upload_progress",
        "gradio_api/vibe-code/",
        "gradio_api/custom_component/1/client/component/index.js",
        "monitoring",
        "monitoring/summary",
        "login",
        "docs",
        "manifest.json",
        "robots.txt",
    ],
)
def test_unused_gradio_routes_are_closed(web: Web, address: str) -> None:
    assert web.client.get(f"/app/{address}").status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "gradio_api/upload",
        "login",
        "gradio_api/api/ask",
        "gradio_api/call/ask",
        "gradio_api/vibe-edit",
    ],
)
def test_nothing_but_questions_can_be_posted(web: Web, address: str) -> None:
    assert web.client.post(f"/app/{address}", json={}).status_code == 403


def test_no_function_is_named_to_the_outside(web: Web) -> None:
    info = web.client.get("/app/gradio_api/info").json()

    assert info == {"named_endpoints": {}, "unnamed_endpoints": {}}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_post_from_another_site_is_refused(web: Web, headers: dict[str, str]) -> None:
    answer = web.client.post("/app/gradio_api/queue/join", json={}, headers=headers)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_no_origin_is_echoed(web: Web) -> None:
    answer = web.client.get("/app/config", headers={"Origin": "http://evil.test"})

    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.test", 421), ("127.0.0.1:7860", 200), ("localhost", 200), ("[::1]:1", 200), ("", 421)],
)
def test_a_rebound_name_is_refused(web: Web, host: str, status: int) -> None:
    assert web.client.get("/healthz", headers={"Host": host}).status_code == status


def test_other_methods_are_refused(web: Web) -> None:
    assert web.client.request("PUT", "/api/status").status_code == 405
    assert web.client.delete("/healthz").status_code == 405


def test_the_page_is_chinese_and_has_no_inline_script(web: Web) -> None:
    html = web.client.get("/app/").text

    assert 'lang="zh-CN"' in html
    assert "<script>" not in html
    assert "og:" not in html
    assert "twitter:" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "示例市人大常委会档案馆" in html
    assert "正在打开…" in html


def test_an_archive_name_is_text(tmp_path: Path) -> None:
    from ui.app import page_rewriter

    rewrite = page_rewriter(make_settings(tmp_path, archive_name="<script>x</script>"), "v")

    page = '<html lang="en"><head><meta charset="utf-8" /></head><body style="a"></body>'
    html = rewrite(page, {"type": "http", "headers": []})

    assert "<script>x" not in html
    assert html.count("&lt;script&gt;x") == 2


def test_hashed_assets_are_kept_for_good(web: Web) -> None:
    html = web.client.get("/app/").text
    script = html.split('src="../static/app.js')[1].split('"')[0]

    current = web.client.get(f"/static/app.js{script}")
    stale = web.client.get("/static/app.js?v=0")

    assert "immutable" in current.headers["cache-control"]
    assert stale.headers["cache-control"] == "no-cache"


def test_documentation_routes_do_not_exist(web: Web) -> None:
    for address in ("/docs", "/redoc", "/openapi.json"):
        assert web.client.get(address).status_code == 404


def test_static_files_stay_in_their_folder(web: Web) -> None:
    assert web.client.get("/static/../app.py").status_code in (404, 405)
    assert web.client.get("/static/%2e%2e/app.py").status_code in (400, 404)


def test_a_taken_port_is_told_with_another_one(tmp_path: Path) -> None:
    import socket

    from ui.server import ServeError, serve

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match=r"--port \d+"):
            serve(make_settings(tmp_path, port=port))
