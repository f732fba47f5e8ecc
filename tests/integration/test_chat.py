"""The chat beside its answers: history, conditions, sheets, strips, through the HTTP face."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.domain import Answer
from assistant.filters import Filters
from index.domain import Page, Reader, Role
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
from ui import strings
from ui.history import HISTORY_FILE
from ui.places import record_token
from ui.reader import READER_KEY
from ui.remembered import Origin, records_of, restore, to_body

ARCHIVIST = Reader(Role.ARCHIVIST, "本机用户")
PUBLIC = Reader(Role.PUBLIC, "公众")
QUESTION = "东风水库渠道维修经费是多少？"
#: JSON that names half a character (escaped, and in bytes), and JSON nested past all measure.
NO_TEXT = (b'{"title": "\\ud800"}', b'{"title": "\xed\xa0\x80"}', b"[" * 4000)


class SignedIn:
    """Stands for the sign-in: names the reader by a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = dict(scope.get("headers", [])).get(b"x-test-reader", b"").decode()
        if named:
            role, account = named.split(":")
            name = {"deputy": Role.DEPUTY, "public": Role.PUBLIC, "staff": Role.STAFF}[role]
            scope[READER_KEY] = Reader(name, "", account=account)
        await self._app(scope, receive, send)


@dataclass
class Chat:
    client: TestClient
    assistant: FakeAssistant
    home: Path
    #: Times the page was sent something before the end.
    shown: int = 0

    def steps(self) -> dict[str, int]:
        """Numbers of Gradio's steps by the box they follow."""
        config = self.client.get("/app/config").json()
        boxes = {
            c["props"].get("elem_id"): c["id"]
            for c in config["components"]
            if c["type"] == "textbox"
        }
        after = {d["trigger_after"]: d["id"] for d in config["dependencies"]}
        found = {}
        for name in ("cd-question", "cd-without"):
            taken = next(
                d["id"] for d in config["dependencies"] if [boxes[name], "submit"] in d["targets"]
            )
            found[name] = taken
            found[f"{name}-then"] = after[taken]
        return found

    def ask(self, question: str, limits: str = "", box: str = "cd-question") -> list[Any]:
        """Ask as the page does; returns the messages shown at the end."""
        steps = self.steps()
        first = {"data": [question], "fn_index": steps[box], "session_hash": "chat123456"}
        answer = self.client.post("/app/gradio_api/run/predict", json=first)
        assert answer.status_code == 200
        data = [None, None, False, limits, ""] if box == "cd-question" else [None, None, ""]
        then = {"data": data, "fn_index": steps[f"{box}-then"], "session_hash": "chat123456"}
        assert self.client.post("/app/gradio_api/queue/join", json=then).status_code == 200
        session = {"session_hash": "chat123456"}
        with self.client.stream("GET", "/app/gradio_api/queue/data", params=session) as stream:
            for line in stream.iter_lines():
                event = json.loads(line[5:]) if line.startswith("data:") else {}
                self.shown += event.get("msg") == "process_generating"
                if event.get("msg") == "process_completed":
                    return list(event["output"]["data"][0])
        raise AssertionError("no answer")

    def ids(self, messages: list[Any]) -> list[str]:
        return re.findall(r"#s-([0-9a-f]{32})", json.dumps(messages))

    def conversations(self, **headers: str) -> list[dict[str, Any]]:
        answer = self.client.get("/api/history", headers=headers).json()
        return list(answer["conversations"])


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    from ui.app import build_app
    from ui.server import prepare_environment

    settings = make_settings(tmp_path)
    prepare_environment(settings)
    assistant = FakeAssistant(make_store(tmp_path), settings)

    async def build() -> FastAPI:
        # without a running loop gradio opens one of its own and never closes it
        return build_app(assistant, settings)

    app = asyncio.run(build())
    app.add_middleware(SignedIn)
    with TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        yield Chat(client, assistant, tmp_path)


# -- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "precedents"),
    [
        (QUESTION, False),
        ("各年多少件", False),
        ("打开第一条", False),
        ("没有的事", False),
        ("水渠维修", True),
    ],
)
def test_a_kept_result_comes_back_whole(tmp_path: Path, question: str, precedents: bool) -> None:
    store = make_store(tmp_path)
    assistant = FakeAssistant(store, make_settings(tmp_path))
    filters = Filters(2018, 2020, types=("决议",))
    result = assistant.ask(question, (), ARCHIVIST, precedents=precedents, filters=filters)
    origin = Origin((), filters, precedents, "g-1", "模型")

    body = json.loads(json.dumps(to_body(result, origin, store)))
    restored = restore(question, body, store, ARCHIVIST)

    assert restored.result == result
    assert restored.origin == origin
    assert not restored.withheld
    assert restored.changed == 0


def test_no_quotation_and_no_title_of_a_quoted_record_is_kept(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    result = FakeAssistant(store, make_settings(tmp_path)).ask(QUESTION, (), ARCHIVIST)
    body = json.dumps(to_body(result, Origin(), store), ensure_ascii=False)
    assert "拨款五千元" not in body
    assert "关于批转" not in body
    assert records_of(result) == {SCANNED, TYPED, HOSTILE, CATALOGUE_ONLY}


def test_what_is_hidden_now_is_not_shown_again_and_reads_like_what_is_gone(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path)
    result = FakeAssistant(store, make_settings(tmp_path)).ask("馆藏有哪些", (), ARCHIVIST)
    body = to_body(result, Origin(), store)

    seen = restore("馆藏有哪些", body, store, PUBLIC)
    assert seen.withheld
    assert isinstance(seen.result, Answer)
    assert HIDDEN not in {row.record.record_id for row in seen.result.listings}
    assert seen.result.lead == ""  # it counts what is hidden too

    store.remove_record(HIDDEN)
    assert restore("馆藏有哪些", body, store, PUBLIC) == seen


def test_a_quotation_whose_page_changed_is_left_out(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    result = FakeAssistant(store, make_settings(tmp_path)).ask(QUESTION, (), ARCHIVIST)
    body = to_body(result, Origin(), store)
    record = store.record(TYPED)
    assert record is not None
    store.replace_record(record, [Page(TYPED, 1, "重新识别后的文字")], [], "2")

    restored = restore(QUESTION, body, store, ARCHIVIST)
    assert restored.changed == 1
    assert isinstance(restored.result, Answer)
    assert [c.quote for c in restored.result.citations] == [SCANNED_QUOTE, "工程预算表"]


@pytest.mark.parametrize("body", [{}, {"form": 1}, {"form": 9}, {"form": 1, "origin": []}])
def test_a_broken_body_shows_nothing(tmp_path: Path, body: dict[str, Any]) -> None:
    restored = restore("问", body, make_store(tmp_path), ARCHIVIST)
    assert restored.result is None
    assert restored.withheld


# -- over HTTP ------------------------------------------------------------------------------------


def test_a_conversation_is_kept_opened_again_and_goes_on(chat: Chat) -> None:
    chat.ask(QUESTION)
    chat.ask("没有的事")
    (row,) = chat.conversations()
    assert (row["title"], row["exchanges"]) == (QUESTION, 2)

    messages = chat.ask(f"o-{row['id']}", box="cd-without")
    text = json.dumps(messages, ensure_ascii=False)
    assert "从一九八五年预备费中拨款五千元" in text
    assert "提问" in text
    assert len(chat.ids(messages)) == 2
    answer = chat.client.get(f"/api/answers/{chat.ids(messages)[0]}").json()
    assert answer["conversation"] == row["id"]
    assert len(answer["citations"]) == 3

    chat.ask("那2019年呢")
    earlier = [turn.question for turn in chat.assistant.conversations[-1]]
    assert earlier == [QUESTION, "没有的事"]
    (row,) = chat.conversations()
    assert row["exchanges"] == 3


def test_an_answer_grows_only_while_few_are_waiting(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This test ensures that in a crowd an answer comes whole, and complete."""
    grown = chat.ask(QUESTION)
    calm, chat.shown = chat.shown, 0
    monkeypatch.setattr("ui.chat._CALM", -1)
    whole = chat.ask(QUESTION)

    assert chat.shown < calm
    text = json.dumps(whole, ensure_ascii=False)
    assert text.count("从一九八五年预备费中拨款五千元") == 2 * json.dumps(
        grown, ensure_ascii=False
    ).count("从一九八五年预备费中拨款五千元")


def test_an_answer_opened_again_opens_no_page_by_itself(chat: Chat) -> None:
    first = chat.ids(chat.ask("打开第一条"))
    assert chat.client.get(f"/api/answers/{first[0]}").json()["open"]
    again = chat.ids(chat.ask(f"o-{chat.conversations()[0]['id']}", box="cd-without"))
    assert not chat.client.get(f"/api/answers/{again[0]}").json()["open"]


def test_another_readers_conversation_reads_like_none(chat: Chat) -> None:
    chat.ask(QUESTION)
    (row,) = chat.conversations()
    deputy = {"x-test-reader": "deputy:zhang"}
    assert chat.conversations(**deputy) == []
    for action in ("rename", "delete"):
        theirs, none = (
            chat.client.post(f"/api/history/{i}/{action}", json={"title": "甲"}, headers=deputy)
            for i in (row["id"], "0" * 32)
        )
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
    assert chat.client.post("/api/history/delete", headers=deputy).json() == {"deleted": 0}
    assert len(chat.conversations()) == 1
    # let in without a name: nobody's history is theirs
    anonymous = {"x-test-reader": "public:"}
    assert chat.client.get("/api/history", headers=anonymous).json()["kept"] is False
    unknown = json.dumps(chat.ask(f"o-{'0' * 32}", box="cd-without"), ensure_ascii=False)
    assert strings.UNKNOWN_CONVERSATION in unknown


def test_rename_delete_and_bad_requests(chat: Chat) -> None:
    chat.ask(QUESTION)
    (row,) = chat.conversations()
    path = f"/api/history/{row['id']}"
    assert chat.client.post(f"{path}/rename", json={"title": "水渠"}).status_code == 200
    assert chat.conversations()[0]["title"] == "水渠"
    for body in (b"", b"{", b"[]", b'{"title": 3}', b"x" * 9000, *NO_TEXT):
        assert chat.client.post(f"{path}/rename", content=body).status_code == 400
    assert chat.client.post(f"{path}/rename", json={"title": " "}).status_code == 400
    foreign = {"Origin": "http://evil.test"}
    assert chat.client.post(f"{path}/delete", headers=foreign).status_code == 403
    assert chat.client.post(f"{path}/delete").status_code == 200
    assert chat.client.post(f"{path}/delete").status_code == 404
    assert chat.conversations() == []


def test_conditions_reach_the_assistant_and_come_off_with_their_chip(chat: Chat) -> None:
    limits = json.dumps({"first_year": 2018, "last_year": 2020, "types": ["决议"]})
    messages = chat.ask("水库的经费", limits)
    assert chat.assistant.filters[-1] == Filters(2018, 2020, types=("决议",))
    text = messages[-1]["content"]
    text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    chips = re.findall(r"#w-([0-9a-f]{16}-\d+)", text)
    assert len(chips) == 3
    again = json.dumps(chat.ask(chips[0], box="cd-without"), ensure_ascii=False)
    assert "（去掉：只查年度：2018—2020年）" in again
    for wrong in ("{", "[]", '{"role": ["x"]}'):
        said = json.dumps(chat.ask("水库", wrong), ensure_ascii=False)
        assert "检索条件写得不对" in said


def test_only_what_a_reader_may_see_is_offered_as_condition(chat: Chat) -> None:
    mine = chat.client.get("/api/facets").json()
    assert {"value": "信访", "records": 1} in mine["types"]
    theirs = chat.client.get("/api/facets", headers={"x-test-reader": "public:"}).json()
    assert "信访" not in {row["value"] for row in theirs["types"]}
    assert sum(row["records"] for row in theirs["years"]) <= 4


def test_suggestions_and_other_words_are_the_askers_own(chat: Chat) -> None:
    (answer_id,) = chat.ids(chat.ask(QUESTION))[-1:]
    following = chat.client.get(f"/api/answers/{answer_id}/next").json()["suggestions"]
    assert following[0]["question"] == "后来怎么办的？"
    words = chat.client.get(f"/api/answers/{answer_id}/other-words").json()["suggestions"]
    assert words[0]["reason"] == "“水库”换成“水利工程”"
    for path in ("next", "other-words", "sheet.html", "sheet.pdf"):
        other = {"x-test-reader": "staff:li"}
        stranger = chat.client.get(f"/api/answers/{answer_id}/{path}", headers=other)
        absent = chat.client.get(f"/api/answers/{'0' * 32}/{path}")
        assert stranger.status_code == 404
        assert stranger.content == absent.content


# -- the sheet ------------------------------------------------------------------------------------


def _pdf_text(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return "\n".join(pages)


def test_the_sheet_says_everything_on_every_page(chat: Chat) -> None:
    answer_id = chat.ids(chat.ask(QUESTION))[-1]
    page = chat.client.get(f"/api/answers/{answer_id}/sheet.html").text
    pdf = chat.client.get(f"/api/answers/{answer_id}/sheet.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    text = _pdf_text(pdf.content)
    for words in (
        QUESTION,
        "从一九八五年预备费中拨款五千元",
        "0012-1985-永久-0034",
        "g-0001",
        "假模型",
        "本机用户（档案管理员）",
        "此处识别不可靠，请以影像为准。",
    ):
        assert words in page
        assert words in re.sub(r"\s", "", text), words
    assert page.count("<image ") == 2
    assert page.count("<rect ") == 3
    with pypdfium2.PdfDocument(pdf.content) as document:
        assert len(document) == 2
        for sheet in document:
            assert "检索参考件,不作凭证" in sheet.get_textpage().get_text_bounded()
    # the letters are in the file: no program has to have a Chinese font
    assert b"/FontFile2" in pdf.content
    assert not re.search(r"<(?:script|style)(?![^>]*src=)|style=|onclick", page)


def test_a_refusal_has_a_sheet_too(chat: Chat) -> None:
    answer_id = chat.ids(chat.ask("没有的事"))[-1]
    assert "馆藏中未检索到" in chat.client.get(f"/api/answers/{answer_id}/sheet.html").text
    pdf = chat.client.get(f"/api/answers/{answer_id}/sheet.pdf")
    assert "馆藏中未检索到" in _pdf_text(pdf.content)
    body = chat.client.get(f"/api/answers/{answer_id}").json()
    assert body["refused"]
    assert "馆藏中未检索到" in body["text"]


def test_hostile_text_is_text_on_the_sheet(chat: Chat) -> None:
    answer_id = chat.ids(chat.ask("恶意"))[-1]
    page = chat.client.get(f"/api/answers/{answer_id}/sheet.html").text
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"<(?:img|iframe|svg/|form|style|base)\b", page)
    assert chat.client.get(f"/api/answers/{answer_id}/sheet.pdf").content.startswith(b"%PDF")


def test_what_was_closed_since_is_not_on_the_sheet(chat: Chat) -> None:
    from ui.session import Shown
    from ui.sheet import make_sheet

    store = chat.assistant.store
    result = chat.assistant.ask("馆藏有哪些", (), ARCHIVIST)
    assert isinstance(result, Answer)
    now = dt.datetime.now().astimezone()
    shown = Shown(PUBLIC, result, Origin(), now)
    sheet = make_sheet(shown, store, PUBLIC, "", now)
    titles = {row[1] for row in sheet.rows}
    assert "关于某同志来信的处理意见" not in titles
    assert sheet.lead == ""
    assert sheet.notes == (strings.NOT_AVAILABLE_NOW,)


def test_how_a_question_was_read_does_not_name_what_was_closed_since(chat: Chat) -> None:
    """第二条的文号 is read as 《title of the second》：…; the title goes with the record."""
    from ui.export import export_answer
    from ui.session import Shown
    from ui.sheet import make_sheet, sheet_html

    store, now = chat.assistant.store, dt.datetime.now().astimezone()
    result = chat.assistant.ask("馆藏有哪些", (), ARCHIVIST)
    assert isinstance(result, Answer)
    title = "关于某同志来信的处理意见"
    named = f"《{title}》：第二条的文号"
    result = replace(result, standalone=named, reading=f"我按“{named}”理解。", notes=(title,))

    sheet = sheet_html(
        make_sheet(Shown(PUBLIC, result, Origin(), now), store, PUBLIC, "", now), "", "", ""
    )
    again = restore("第二条的文号", to_body(result, Origin(), store), store, PUBLIC).result
    file = export_answer(result, store, PUBLIC, "csv", now).decode("utf-8-sig")

    for shown in (sheet, repr(again), file):
        assert title not in shown
    assert f"共有 {len(result.listings)} 件" not in file
    assert strings.NOT_AVAILABLE_NOW in file


# -- the strip, the line --------------------------------------------------------------------------


def test_the_strip_shows_pages_and_nothing_hidden(chat: Chat) -> None:
    body = chat.client.get(f"/api/records/{record_token(SCANNED)}/strip").json()
    assert [(p["page"], p["low_confidence"]) for p in body["pages"]] == [(1, False), (2, True)]
    assert body["volume"] == []
    public = {"x-test-reader": "public:"}
    hidden = chat.client.get(f"/api/records/{record_token(HIDDEN)}/strip", headers=public)
    absent = chat.client.get(f"/api/records/{record_token('没有')}/strip", headers=public)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    small = chat.client.get(f"/page/{record_token(SCANNED)}/1.jpg?w=200")
    assert len(small.content) < 12_000


def test_the_volume_lists_only_what_the_reader_may_see(chat: Chat) -> None:
    store = chat.assistant.store
    record = store.record(SCANNED)
    assert record is not None
    for item, opening in ((1, "开放"), (2, "控制"), (10, "开放")):
        code = f"0012-1-8-{item}"
        one = replace(
            record, record_id=code, reference_code=code, title=f"卷内第{item}件", opening=opening
        )
        store.replace_record(one, [Page(code, 1, "文字")], [], "1")
    token = record_token("0012-1-8-1")
    mine = chat.client.get(f"/api/records/{token}/strip").json()
    assert [r["title"] for r in mine["volume"]] == ["卷内第1件", "卷内第2件", "卷内第10件"]
    public = {"x-test-reader": "public:"}
    theirs = chat.client.get(f"/api/records/{token}/strip", headers=public).json()
    assert [r["title"] for r in theirs["volume"]] == ["卷内第1件", "卷内第10件"]
    assert theirs["volume_count"] == 2


def test_a_permalink_falls_back_to_the_page_with_a_remark(chat: Chat) -> None:
    answer_id = chat.ids(chat.ask(QUESTION))[-1]
    citation = chat.client.get(f"/api/answers/{answer_id}").json()["citations"][0]
    answer = chat.client.get(f"/{citation['link']}")
    assert re.search(r"#r-[\w-]+-1-\d+-\d+-\d+\.[0-9a-f]{10}$", answer.headers["location"])
    path = citation["link"].replace("record/", "/api/pages/").replace("?page=1&", "/1?")
    assert chat.client.get(path).json()["quote"] == SCANNED_QUOTE

    store = chat.assistant.store
    record = store.record(SCANNED)
    page = store.page(SCANNED, 1)
    assert record is not None
    assert page is not None
    other = replace(page, raw=page.raw.replace("五千元", "五干元"))
    store.replace_record(record, [other], [], "2")
    body = chat.client.get(path).json()
    assert body["lost"]
    assert body["quote"] == ""
    assert body["boxes"] == []


def test_the_line_names_the_server_that_made_the_page(chat: Chat) -> None:
    first, second = (chat.client.get("/api/ping").json() for _ in range(2))
    assert first == second
    assert re.fullmatch(r"[0-9a-f]{16}", first["started"])


def test_an_answer_stands_when_the_history_cannot_be_written(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from ui.history import History

    def full(*_: object) -> tuple[str, int]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(History, "add", full)
    assert "拨款五千元" in json.dumps(chat.ask(QUESTION), ensure_ascii=False)
    assert chat.conversations() == []


def test_the_history_survives_the_server(chat: Chat) -> None:
    chat.ask(QUESTION)
    assert (chat.home / HISTORY_FILE).is_file()
    from ui.history import History

    again = History(chat.home / HISTORY_FILE, 365)
    assert [c.title for c in again.conversations("machine")] == [QUESTION]
    again.close()
