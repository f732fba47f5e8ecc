"""The ASGI layers around everything: security headers, closed routes, the rewritten HTML.

Source:
    The measured table of Gradio 6.31's defaults in the design material: open routes, echoed
    origins, missing headers. Only what the chat page needs is let through to Gradio.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import strings
from ui.api_paths import bears_token, is_api_path
from ui.framing import PLACE_KEY, frame_ancestors, host_names

logger = logging.getLogger(__name__)

MOUNT: Final = "/app"

#: What the chat page asks of Gradio; everything else below the mount is closed.
_GRADIO_GET: Final = re.compile(
    r"/(?:config/?|theme\.css|assets/[\w.\-/]+|static/[\w.\-/]+"
    r"|gradio_api/(?:heartbeat/\w+|startup-events|queue/data|info|app_id/?))?"
)
_GRADIO_POST: Final = re.compile(r"/gradio_api/(?:queue/join|run/predict|cancel|reset/?)")
#: Not opened by hand; what stands there is for programs and our own scripts.
_FOR_PROGRAMS: Final = re.compile(rf"/(?:api|v1|mcp|static|{MOUNT[1:]}/gradio_api)(?:/.*)?")
#: Below /api all the same, and opened in a tab of its own.
_SHEET: Final = re.compile(r"/api/answers/[^/]+/sheet\.(?:html|pdf)")
#: Loaded by pages of other sites; everything else is for our own pages only.
_FOR_OTHERS: Final = frozenset({"/widget.js", "/static/widget.js"})
_IMMUTABLE: Final = "public, max-age=31536000, immutable"


def content_security_policy(ancestors: str = "frame-ancestors 'self'") -> str:
    """The policy sent with every response; `ancestors` says who may frame it."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            ancestors,
        )
    )


class Gate:
    """Lets known requests through and adds the security headers."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        site_names: str,
        widget_origins: tuple[str, ...],
        asset_version: str,
        refused: Callable[[Scope, int, str], ASGIApp | None] = lambda *_: None,
    ) -> None:
        """Wrap an application.

        Args:
            app: What is behind the gate.
            host: The address listened on; a loopback address narrows the Host header.
            site_names: The `site_names` setting: names we are known by besides.
            widget_origins: Sites that may frame the widget, and nothing else.
            asset_version: Version of our own static files, as in their addresses.
            refused: What a request gets in place of JSON for a status and a sentence, if anything.
        """
        self._app = app
        self._refused = refused
        self._policy = content_security_policy()
        self._widget_policy = content_security_policy(frame_ancestors(widget_origins))
        self._asset_version = asset_version
        self._names = {"localhost", *host_names(site_names)}
        self._any_name = not names_this_machine(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets here
        path = local_path(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                fine = message["status"] < 400  # a refusal is not kept in place of a file
                self._add_headers(MutableHeaders(scope=message), path if fine else "", scope)
            await send(message)

        refusal = self._refusal(scope, path)
        if refusal is not None:
            answer = self._refused(scope, *refusal)
            answer = answer or JSONResponse({"detail": refusal[1]}, refusal[0])
            await answer(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope, path: str) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not (self._any_name or self._is_known(host)):
            return 421, strings.UNKNOWN_HOST
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            return 405, strings.FORBIDDEN
        # A page of another site cannot send a token without asking first, which is refused above.
        by_token = is_api_path(path) and bears_token(headers)
        if method == "POST" and not by_token and not _is_own_origin(headers, host):
            return 403, strings.WRONG_ORIGIN
        if path.startswith(f"{MOUNT}/"):
            known = _GRADIO_POST if method == "POST" else _GRADIO_GET
            if not known.fullmatch(path.removeprefix(MOUNT)):
                return 403, strings.FORBIDDEN
        return None

    def _is_known(self, host: str) -> bool:
        # a name that is rebound to this machine by a foreign site is neither of these
        name = _host_of(f"//{host}") or ""
        return name in self._names or name.endswith(".localhost") or _is_ip(name)

    def _add_headers(self, headers: MutableHeaders, path: str, scope: Scope) -> None:
        framed = PLACE_KEY in scope
        headers["Content-Security-Policy"] = self._widget_policy if framed else self._policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        anyone = path in _FOR_OTHERS
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if anyone else "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if path.startswith(f"{MOUNT}/assets/"):
            headers["Cache-Control"] = _IMMUTABLE
        elif path.startswith("/static/"):
            version = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v")
            current = version == [self._asset_version]
            headers["Cache-Control"] = _IMMUTABLE if current else "no-cache"
        elif "cache-control" not in headers:
            headers["Cache-Control"] = "no-cache"


class HtmlRewrite:
    """Rewrites the page of the mount: Chinese, our header and scripts, nothing inline."""

    def __init__(self, app: ASGIApp, rewrite: Callable[[str, Scope], str]) -> None:
        """Wrap an application; `rewrite` maps the HTML as Gradio made it to what this request gets."""
        self._app = app
        self._rewrite = rewrite

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or local_path(scope) != f"{MOUNT}/":
            await self._app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message | None = None
        body = bytearray()

        async def collected(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False) or start is None:
                return
            headers = MutableHeaders(scope=start)
            content = bytes(body)
            if headers.get("content-type", "").startswith("text/html"):
                content = self._rewrite(content.decode(), scope).encode()
                headers["Content-Length"] = str(len(content))
            await send(start)
            await send({"type": "http.response.body", "body": content})

        await self._app({**scope, "headers": plain}, receive, collected)


def local_path(scope: Scope) -> str:
    """The path of a request below the prefix of a reverse proxy."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def is_navigation(scope: Scope) -> bool:
    """Whether a browser opens this address as a page."""
    path = local_path(scope)
    if _FOR_PROGRAMS.fullmatch(path) and not _SHEET.fullmatch(path):
        return False
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in headers.get("accept", "")


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def names_this_machine(host: str) -> bool:
    """Whether a host name or address is reached from this machine only."""
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (_is_ip(host) and ip_address(host).is_loopback)
    )


def _is_own_origin(headers: Headers, host: str) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return origin != "null" and urlsplit(origin).netloc == host
    except ValueError:  # `http://[` raises; it once was a 500 for anybody
        return False
