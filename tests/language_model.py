"""A language model that does as the script says: a local endpoint, well-behaved or not."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from index.settings import Settings, load_settings

Act = Callable[["Stage"], None]


@dataclass
class Request:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def tokens(self) -> list[str]:
        """Tokens offered, in the order of the quotations."""
        return list(dict.fromkeys(re.findall(r"摘录 \[\[([A-Z]+)\]\]", self.prompt)))


class Stage(BaseHTTPRequestHandler):
    """Plays the next act of the script for each request; the last act is played ever after."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length))
        self.request_seen = Request(self.path, dict(self.headers), body)
        act = self.server.next_act(self.request_seen)
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):
            act(self)

    do_GET = do_POST  # noqa: N815 - the name http.server calls

    def log_message(self, *arguments: Any) -> None:
        """Nothing on the terminal."""

    # -- what acts are made of ----------------------------------------------------------------

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


class ScriptedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Sequence[Act]) -> None:
        super().__init__(("127.0.0.1", 0), Stage)
        self.script = list(script)
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def next_act(self, request: Request) -> Act:
        with self._lock:
            self.requests.append(request)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the play."""


@dataclass
class Endpoint:
    """A running scripted server."""

    server: ScriptedServer
    url: str
    requests: list[Request] = field(default_factory=list)

    def settings(self, home: Path, **values: object) -> Settings:
        flags: dict[str, object] = {
            "llm_base_url": self.url,
            "llm_model": "剧本",
            "llm_timeout_s": 5.0,
            "llm_silence_s": 2.0,
            **values,
        }
        return load_settings(home, flags, environment={})


@contextmanager
def endpoint(*script: Act) -> Iterator[Endpoint]:
    """A server on a free local port that plays the script."""
    server = ScriptedServer(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Endpoint(server, f"http://127.0.0.1:{server.server_port}/v1", server.requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event(content: str | None = None, /, finish: str | None = None, **delta: Any) -> bytes:
    said = {**delta, **({} if content is None else {"content": content})}
    choice = {"index": 0, "delta": said, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def says(text: str, size: int = 7) -> Act:
    """Stream a text; `{0}`, `{1}` … become the tokens offered. Cut anywhere, even in a token."""

    def act(stage: Stage) -> None:
        filled = fill(text, stage.request_seen.tokens)
        stage.head()
        stage.send(b": keep-alive\n\n" + event(role="assistant"))
        for at in range(0, len(filled), size):
            stage.send(event(filled[at : at + size]))
        stage.send(event(finish="stop") + DONE)

    return act


def fill(text: str, tokens: Sequence[str]) -> str:
    """The text with `{0}`, `{1}` … replaced by the tokens in double brackets, if there are any."""
    if not tokens:
        return text
    return re.sub(r"\{(\d)\}", lambda m: f"[[{tokens[int(m[1]) % len(tokens)]}]]", text)


def sends(*pieces: bytes, pause_s: float = 0.0) -> Act:
    """Send bytes as they are after a good head, then close."""

    def act(stage: Stage) -> None:
        stage.head()
        for piece in pieces:
            stage.send(piece)
            time.sleep(pause_s)

    return act


def fails(status: int, body: bytes = b"oops", **headers: str) -> Act:
    def act(stage: Stage) -> None:
        stage.head(status, "text/plain", Content_Length=str(len(body)), **headers)
        stage.send(body)

    return act


def is_silent(seconds: float) -> Act:
    def act(stage: Stage) -> None:
        time.sleep(seconds)

    return act
