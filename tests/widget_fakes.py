"""A server for tests of the widget, and a portal's page on another origin."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt

from tests.web_fakes import FakeAssistant, make_settings, make_store


def sign(secret: str, audience: str, **claims: object) -> str:
    """A token as a portal's back end makes it; a claim of None is left out."""
    now = int(time.time())
    made = {
        "iss": "oa", "aud": audience, "sub": "zhangsan", "name": "张三", "role": "staff",
        "iat": now, "exp": now + 60, "jti": f"{time.time_ns()}", **claims,
    }  # fmt: skip
    return jwt.encode({k: v for k, v in made.items() if v is not None}, secret, "HS256")


class Host:
    """A portal: any page, served on any name that leads to this machine.

    Attributes:
        body: HTML inside the body of every page.
        headers: Sent with every page.
        token: What `/token` answers with; a function so that every call gets a new one.
        asked: Paths asked for.
    """

    def __init__(self) -> None:
        self.body = ""
        self.headers: dict[str, str] = {}
        self.token: Any = None
        self.asked: list[str] = []
        self.port = 0


@contextmanager
def hosting() -> Iterator[Host]:
    """Serve a portal's pages on a free port."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            if self.path.startswith("/token"):
                kind, content = "application/json", json.dumps({"token": host.token()}).encode()
            else:
                kind = "text/html; charset=utf-8"
                content = (
                    "<!DOCTYPE html><html lang='zh-CN'><head><title>示例门户</title>"
                    "<meta name='viewport' content='width=device-width, initial-scale=1'></head>"
                    f"<body>{host.body}</body></html>"
                ).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in host.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def main() -> None:
    """Serve the fake holdings: `python -m tests.widget_fakes HOME PORT NAME=VALUE…`."""
    from ui.server import serve

    home, port = Path(sys.argv[1]), int(sys.argv[2])
    flags: dict[str, object] = dict(word.split("=", 1) for word in sys.argv[3:])
    settings = make_settings(home, port=port, **flags)
    assistant = FakeAssistant(make_store(home), settings)
    serve(settings, assistant, say=lambda line: sys.stdout.write(line + "\n"))


if __name__ == "__main__":
    main()
