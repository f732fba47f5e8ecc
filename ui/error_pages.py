"""What a browser shows where there is nothing to show: a page of the site instead of bare JSON.

A wrong address, a page for others and a record that is hidden all end at the same words and the
same status. Programs keep getting JSON: only what a browser opens as a page is changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.domain import Reader
from index.settings import Settings
from ui import strings
from ui.frame import PLACES, page_html
from ui.framing import PLACE_KEY
from ui.gate import is_navigation, local_path
from ui.reader import LOCAL_KEY, NOBODY_KEY, current_reader

#: A route that takes another method, or other values, is as good as none for whoever typed it.
_MISSING: Final = frozenset({404, 405, 422})
_LONGEST_BODY: Final = 10_000


class ErrorPages:
    """Inside the sign-in, so that the page has the navigation of who asks."""

    def __init__(self, app: ASGIApp, settings: Settings, version: str) -> None:
        """Wrap an application; `version` is that of our static files."""
        self._app = app
        self._settings = settings
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or PLACE_KEY in scope or not is_navigation(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        begun = False
        body = bytearray()

        async def watched(message: Message) -> None:
            nonlocal start, begun
            if message["type"] == "http.response.start" and _is_bare(message):
                start = message
                return
            if start is None:
                begun = True
                await send(message)
                return
            body.extend(message.get("body", b"")[:_LONGEST_BODY])
            if not message.get("more_body", False):
                begun = True
                page = self._page(scope, int(start["status"]), bytes(body))
                _keep_headers(start, page)
                await page(scope, receive, send)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if not begun:  # told to the reader here, logged by the server
                await self._page(scope, 500, b"")(scope, receive, send)
            raise

    def _page(self, scope: Scope, status: int, body: bytes) -> Response:
        if status in _MISSING:
            return self.missing(scope)
        said = strings.PAGE_FAILED if status == 500 else _detail(body) or strings.PAGE_FAILED
        return self._made(scope, status, strings.PAGE_NOT_OPENED, said, strings.PAGE_TRY_AGAIN)

    def missing(self, scope: Scope) -> Response:
        """The one page for hidden and missing."""
        said = strings.PAGE_MISSING
        return self._made(scope, 404, strings.PAGE_NOT_FOUND, said, strings.PAGE_MISSING_NEXT)

    def _made(self, scope: Scope, status: int, title: str, said: str, after: str) -> Response:
        reader = None
        # At the gate nobody has been named yet.
        if LOCAL_KEY in scope and not scope.get(NOBODY_KEY):
            reader = current_reader(HTTPConnection(scope), self._settings)
        up = "../" * _depth(scope)
        content = page_html(
            self._settings, reader, self._version, address="x/" * _depth(scope) + "x",
            title=title, main_id="ac-main", styles=("account.css",),
            content=(
                f'<section class="ac-card"><h1>{escape(title)}</h1><p>{escape(said)}</p>'
                f"<p>{escape(after)}</p>{_way_on(reader, up)}</section>"
            ),
        )  # fmt: skip
        return HTMLResponse(content, status, headers={"Cache-Control": "private, no-store"})


def refused_in_browser(
    missing: Callable[[Scope], Response],
) -> Callable[[Scope, int, str], Response | None]:
    """What the gate answers a browser in place of JSON; None where JSON it stays.

    Args:
        missing: Makes the page for hidden and missing.
    """

    def refused(scope: Scope, status: int, said: str) -> Response | None:
        if PLACE_KEY in scope or not is_navigation(scope):
            return None
        if said == strings.FORBIDDEN:
            return missing(scope)
        # Under a name we do not know, a page would ask for its style sheet in vain.
        return PlainTextResponse(said, status)

    return refused


def _is_bare(message: Message) -> bool:
    headers = Headers(raw=message.get("headers", []))
    kind = headers.get("content-type", "")
    return message["status"] >= 400 and kind.startswith(("application/json", "text/plain"))


def _keep_headers(start: Message, page: Response) -> None:
    """What the answer said besides its body: when to come back, cookies."""
    old = Headers(raw=start.get("headers", []))
    new = MutableHeaders(raw=page.raw_headers)
    for name in ("retry-after", "set-cookie"):
        if name in old:
            new[name] = old[name]


def _detail(body: bytes) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    detail = said.get("detail") if isinstance(said, dict) else None
    return detail if isinstance(detail, str) else ""


def _depth(scope: Scope) -> int:
    """Folders between the site's root and this address, as the browser counts them."""
    path = local_path(scope)
    encoded = bytes(scope.get("raw_path") or b"").lower().count(b"%2f")
    return max(0, path.count("/") - 1 - encoded)


def _way_on(reader: Reader | None, up: str) -> str:
    """A link to the question page, for those who have one; otherwise to their first page."""
    places = [] if reader is None else [place for place in PLACES if place.may(reader)]
    if not places:
        return f'<p><a class="ac-link" href="{up or "./"}">{strings.PAGE_HOME}</a></p>'
    first = places[0]
    words = strings.page_way_on(first.name)
    return f'<p><a class="ac-link" href="{up}{first.address}">{escape(words)}</a></p>'
