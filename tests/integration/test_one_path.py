"""One path from a question to an answer: every face gives the same quotations and refusals."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.assistant import Assistant
from assistant.domain import Answer
from index.domain import Reader, Role
from tests.small_archive import (
    ABSENT_QUESTION,
    CLOSED_QUESTION,
    CLOSED_QUOTE,
    COUNT_QUESTION,
    LETTER,
    OPEN_QUESTION,
    OPENED_QUOTE,
    small_assistant,
)
from ui import cli
from ui.api_tokens import ApiTokens

ARCHIVIST = Reader(Role.ARCHIVIST, "管理员")
DEPUTY = Reader(Role.DEPUTY, "张三")
MCP = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@dataclass(frozen=True)
class Told:
    """What a face told: how much of it can be compared.

    Attributes:
        refused: Whether it refused; None where the face only gives text.
        message: The refusal sentence, empty for an answer.
        quotes: (reference code, page, start, end, quote) of each quotation; None where the face
            gives text only.
        rows: Reference codes of the catalogue rows; None likewise.
        text: Everything in it, white space folded away.
    """

    refused: bool | None
    message: str
    quotes: list[tuple[str, int, int, int, str]] | None
    rows: list[str] | None
    text: str


class Faces:
    """The faces over one real home, for one reader."""

    def __init__(
        self, home: Path, assistant: Assistant, client: TestClient, reader: Reader, token: str
    ) -> None:
        self.home, self.assistant, self.client, self.reader = home, assistant, client, reader
        self.headers = {"Authorization": f"Bearer {token}"}

    def api(self, question: str) -> Told:
        answer = self.client.post("/api/v1/ask", json={"question": question}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return _from_json(answer.json())

    def events(self, question: str) -> Told:
        headers = {**self.headers, "Accept": "text/event-stream"}
        answer = self.client.post("/api/v1/ask", json={"question": question}, headers=headers)
        assert answer.status_code == 200
        events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", answer.text)
        assert [name for name, _ in events] == ["stage", "answer", "done"]
        return _from_json(json.loads(events[1][1]))

    def openai(self, question: str) -> Told:
        answer = self.client.post(
            "/v1/chat/completions", json=_chat(question), headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        told = _from_json({**body["chadang"], "text": ""})
        content = body["choices"][0]["message"]["content"]
        return Told(told.refused, told.message, told.quotes, told.rows, _folded(content))

    def openai_stream(self, question: str) -> Told:
        asked = {**_chat(question), "stream": True}
        answer = self.client.post("/v1/chat/completions", json=asked, headers=self.headers)
        lines = [x.removeprefix("data: ") for x in answer.text.splitlines() if x]
        assert lines[-1] == "[DONE]"
        chunks = [json.loads(line) for line in lines[:-1]]
        content = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)
        told = _from_json({**chunks[-1]["chadang"], "text": ""})
        return Told(told.refused, told.message, told.quotes, told.rows, _folded(content))

    def mcp(self, question: str) -> Told:
        params = {"name": "ask", "arguments": {"question": question}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = self.client.post("/mcp", json=call, headers={**self.headers, **MCP})
        result = answer.json()["result"]
        assert result["isError"] is False
        told = _from_json(result["structuredContent"])
        (content,) = result["content"]
        return Told(told.refused, told.message, told.quotes, told.rows, _folded(content["text"]))

    def command_line(self, question: str, capsys: Any, monkeypatch: Any) -> Told:
        monkeypatch.setattr("assistant.assistant.open_assistant", lambda _settings: self.assistant)
        capsys.readouterr()
        status = cli.main(
            ["ask", question, "--json", "--home", str(self.home), "--role", self.reader.role.value,
             "--name", self.reader.name]
        )  # fmt: skip
        assert status == 0
        return _from_json({**json.loads(capsys.readouterr().out), "text": ""})

    def page(self, question: str, monkeypatch: Any) -> Told:
        """The chat page's own path: Gradio's queue, then the citations its script fetches."""
        monkeypatch.setattr("ui.chat.current_reader", lambda _r, _s: self.reader)
        monkeypatch.setattr("ui.api.current_reader", lambda _r, _s: self.reader)
        shown = _through_gradio(self.client, question)
        link = re.search(r"#c-([0-9a-f]{32})-", shown)
        if link is None:
            return Told(True, "", None, None, _folded(_unescaped(shown)))
        answer = self.client.get(f"/api/answers/{link[1]}").json()
        quotes = [
            (dict(c["fields"])["档号"], c["page"], c["start"], c["end"], c["quote"])
            for c in answer["citations"]
        ]
        rows = [
            dict(row["fields"])["档号"]
            for row in answer["listings"]
            if not row["marker"].startswith("r")
        ]
        return Told(False, "", quotes, rows, _folded(_unescaped(shown)))


def _chat(question: str) -> dict[str, Any]:
    return {"model": "chadang", "messages": [{"role": "user", "content": question}]}


def _from_json(body: dict[str, Any]) -> Told:
    quotes = [
        (c["reference_code"], c["page"], c["start"], c["end"], c["quote"])
        for c in body.get("citations", ())
    ]
    rows = [row["reference_code"] for row in body.get("listings", ())]
    return Told(body["refused"], body.get("message", ""), quotes, rows, _folded(body["text"]))


def _folded(text: str) -> str:
    return re.sub(r"\s", "", text)


def _unescaped(markdown: str) -> str:
    markdown = re.sub(r" \[[^\]]*\]\(#s-[0-9a-f]{32}\)", "", markdown)  # where the page's tools go
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", re.sub(r"</?small[^>]*>", "", markdown))


def _initial(component: dict[str, Any]) -> Any:
    value = component["props"].get("value")
    return "" if value is None and component["type"] == "textbox" else value


def _through_gradio(client: TestClient, question: str) -> str:
    steps = client.get("/app/config").json()
    session = {"session_hash": secrets.token_hex(6)}
    box = next(c["id"] for c in steps["components"] if c["type"] == "textbox")
    typed = next(d["id"] for d in steps["dependencies"] if [box, "submit"] in d["targets"])
    asked = next(d for d in steps["dependencies"] if d["trigger_after"] == typed)
    first = {"data": [question], "fn_index": typed, **session}
    assert client.post("/app/gradio_api/run/predict", json=first).status_code == 200
    shown = {c["id"]: c for c in steps["components"]}
    data = [_initial(shown[number]) for number in asked["inputs"]]
    second = {"data": data, "fn_index": asked["id"], **session}
    assert client.post("/app/gradio_api/queue/join", json=second).status_code == 200
    with client.stream("GET", "/app/gradio_api/queue/data", params=session) as stream:
        for line in stream.iter_lines():
            event = json.loads(line[5:]) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed":
                assert event["success"], event
                message = event["output"]["data"][0][-1]
                content = message["content"]
                return content if isinstance(content, str) else content[0]["text"]
    raise AssertionError("no answer")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Reader, str], Faces]]:
    """Faces by reader; `without` opens a second home that never had that record."""
    from ui.server import prepare_environment

    clients: list[TestClient] = []
    made: dict[str, tuple[Path, Assistant, TestClient, dict[Role, str]]] = {}

    def make(without: str) -> tuple[Path, Assistant, TestClient, dict[Role, str]]:
        from ui.app import build_app

        home = tmp_path_factory.mktemp("home")
        assistant = small_assistant(home, without=without, mcp=True, api_per_minute=0)
        prepare_environment(assistant.settings)

        async def build() -> FastAPI:
            return build_app(assistant, assistant.settings)

        tokens = ApiTokens(home)
        given = {
            Role.ARCHIVIST: tokens.add("管理", Role.ARCHIVIST, person=ARCHIVIST.name)[0],
            Role.DEPUTY: tokens.add("代表", Role.DEPUTY, person=DEPUTY.name)[0],
        }
        client = TestClient(asyncio.run(build()), base_url="http://127.0.0.1:7860")
        client.__enter__()
        clients.append(client)
        return home, assistant, client, given

    def faces(reader: Reader, without: str = "") -> Faces:
        if without not in made:
            made[without] = make(without)
        home, assistant, client, given = made[without]
        return Faces(home, assistant, client, reader, given[reader.role])

    yield faces
    for client in clients:
        client.__exit__(None, None, None)


FACES = ("api", "events", "openai", "openai_stream", "mcp", "command_line", "page")


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("reader", [ARCHIVIST, DEPUTY], ids=["archivist", "deputy"])
@pytest.mark.parametrize(
    "question", [OPEN_QUESTION, CLOSED_QUESTION, COUNT_QUESTION, ABSENT_QUESTION]
)
def test_every_face_tells_what_the_assistant_says(
    archive: Any, face: str, reader: Reader, question: str, capsys: Any, monkeypatch: Any
) -> None:
    faces = archive(reader)
    expected = faces.assistant.ask(question, (), reader)

    told = _told(faces, face, question, capsys, monkeypatch)

    if isinstance(expected, Answer):
        assert told.refused is False
        assert told.quotes == [
            (c.record.reference_code, c.page, c.start, c.end, c.quote) for c in expected.citations
        ]
        assert told.rows == [row.record.reference_code for row in expected.listings]
        if told.text:
            for citation in expected.citations:
                assert _folded(citation.quote) in told.text
                assert _folded(citation.place) in told.text
            assert _folded(expected.lead) in told.text
    else:
        assert told.refused is True
        if face == "page":
            assert _folded(expected.message) in told.text
        else:
            assert told.message == expected.message
            assert not told.quotes
            assert not told.rows
        if face in ("openai", "openai_stream", "mcp"):
            assert _folded(expected.message) in told.text


def test_the_questions_tell_the_readers_apart(archive: Any) -> None:
    """This test ensures that the cases above hold answers and refusals, open and closed records."""
    archivist, deputy = archive(ARCHIVIST), archive(DEPUTY)

    assert OPENED_QUOTE in str(archivist.api(OPEN_QUESTION).quotes)
    assert OPENED_QUOTE in str(deputy.api(OPEN_QUESTION).quotes)
    assert CLOSED_QUOTE in str(archivist.api(CLOSED_QUESTION).quotes)
    assert deputy.api(CLOSED_QUESTION).refused
    assert archivist.api(ABSENT_QUESTION).refused
    assert len(archivist.api(COUNT_QUESTION).rows or ()) == 3
    assert len(deputy.api(COUNT_QUESTION).rows or ()) == 2


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("question", [CLOSED_QUESTION, COUNT_QUESTION, OPEN_QUESTION])
def test_hidden_and_absent_are_told_alike(
    archive: Any, face: str, question: str, capsys: Any, monkeypatch: Any
) -> None:
    """This test ensures that a deputy cannot tell a closed record from one that was never there."""
    hidden = _told(archive(DEPUTY), face, question, capsys, monkeypatch)
    absent = _told(archive(DEPUTY, LETTER), face, question, capsys, monkeypatch)

    def without_id(told: Told) -> Told:
        text = re.sub(r"#[a-z]-[0-9a-f]+", "#", told.text)
        return Told(told.refused, told.message, told.quotes, told.rows, text)

    assert without_id(hidden) == without_id(absent)
    assert "东风水库渠道维修工程的报告" not in hidden.text


def _told(faces: Faces, face: str, question: str, capsys: Any, monkeypatch: Any) -> Told:
    if face == "command_line":
        return faces.command_line(question, capsys, monkeypatch)
    if face == "page":
        return faces.page(question, monkeypatch)
    told = getattr(faces, face)(question)
    assert isinstance(told, Told)
    return told
