"""The widget: the chat in a frame on another intranet page.

`/widget/` is a small page that finds out who is asking and then opens the chat below one of two
prefixes; behind each lies the very same application, so there is one chat and one answering path:

* `/widget/app/…` – whoever is signed in here (the cookie reaches frames of the same site only);
* `/widget/s/SESSION/app/…` – whom a portal vouched for with a signed token, or one of the public
  when it may use the system at all.

Only what the chat needs is served below the prefixes, and only they may be framed by others.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from secrets import token_hex
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.register import Action
from index.domain import Reader, Role
from index.settings import Settings
from ui import strings
from ui.framing import PLACE_KEY, Place, widget_origins
from ui.gate import local_path
from ui.portals import Portals, TokenRefusedError
from ui.queue_guard import Buckets
from ui.reader import READER_KEY
from ui.sign_in import PASSIVE
from ui.small_body import small_json
from ui.usage import Channel, Use, UseLog
from ui.widget_sessions import WidgetSessions

logger = logging.getLogger(__name__)

PREFIX: Final = "/widget"

_STATIC: Final = Path(__file__).parent / "static"
_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_BODY: Final = 8192
#: Visitors without a name from one address: at once, and a second afterwards.
_VISITS: Final = 60
_VISITS_A_SECOND: Final = 0.5
#: Tokens refused to one address that are told and registered; more are only turned away.
_REFUSALS: Final = 30
_REFUSALS_A_SECOND: Final = 0.2
_SESSION: Final = r"[A-Za-z0-9_\-]{43}"
_FRAMED: Final = re.compile(rf"/widget(?:/s/(?P<session>{_SESSION}))?(?P<rest>/.+)")
#: What the chat asks for; administration, sign-in and the other interfaces are not in the frame.
_SERVED: Final = re.compile(
    r"/app/.*|/static/[\w.\-]+|/page/.+|/record/.+"
    r"|/api/(?:session|status|ping|precedents|purpose|feedback|facets|history)"
    r"|/api/(?:answers|records|pages|history)/.+"
)

_CLOSED: Final = "小窗的登录已过期，请关闭后重新打开。"
_NOT_PUBLIC: Final = "本馆没有对公众开放查询。"
_VOUCHED: Final = "门户代为登录"
_TOKEN_REFUSED: Final = "门户的令牌没有通过"
#: Somebody who has not shown who they are.
_NOBODY: Final = Reader(Role.PUBLIC)
_TOO_MANY: Final = "打开得太频繁，请过一分钟再试。"
_DOOR: Final = {
    "opening": strings.OPENING_PAGE,
    "signIn": "查档需要先登录。登录后这里会自动打开。",
    "signInLink": "打开登录页",
    "noToken": "没有从本页面取得登录令牌，请刷新页面再试；一直如此，请联系本页面的管理员。",
    "offline": "连不上查档服务，请稍后再试。",
    "again": "重试",
}


class WidgetPrefix:
    """The outermost layer: what comes through the frame is told apart and its prefix set aside.

    The prefix goes into ASGI's `root_path`, as behind a reverse proxy that serves us below it, so
    every address the pages make stays below it too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            root = str(scope.get("root_path", ""))
            path = str(scope["path"])
            path = path.removeprefix(root) if root and path.startswith(f"{root}/") else path
            scope = {**scope, **_place(path, root)}
        await self._app(scope, receive, send)


def _place(path: str, root: str) -> Mapping[str, object]:
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        return {}
    found = _FRAMED.fullmatch(path)
    if found is None or not _SERVED.fullmatch(found["rest"]):
        return {PLACE_KEY: Place("door")}
    session = found["session"] or ""
    prefix = root + path[: len(path) - len(found["rest"])]
    return {PLACE_KEY: Place("session" if session else "cookie", session), "root_path": prefix}


class WidgetAccess:
    """Inside the gate, around the sign-in: names the reader of a session."""

    def __init__(self, app: ASGIApp, sessions: WidgetSessions) -> None:
        """Wrap an application."""
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        place = scope.get(PLACE_KEY)
        if not isinstance(place, Place) or place.kind != "session":
            await self._app(scope, receive, send)
            return
        passive = PASSIVE.fullmatch(local_path(scope)) is not None
        reader = await run_in_threadpool(self._sessions.reader, place.session, passive=passive)
        if reader is not None:
            await self._app({**scope, READER_KEY: reader}, receive, send)
            return
        response: Response = JSONResponse({"detail": _CLOSED}, 401, headers=_PRIVATE)
        if str(scope["path"]) == f"{scope['root_path']}/app/" and scope["method"] == "GET":
            # the page itself goes back to the door, which asks the portal for a new token
            response = RedirectResponse("../../../", 303, headers=_PRIVATE)
        await response(scope, receive, send)


def build_widget_router(
    settings: Settings, portals: Portals, sessions: WidgetSessions, version: str, uses: UseLog
) -> APIRouter:
    """The script for the portals' pages, the opening page, and the exchange of tokens.

    Args:
        settings: Settings in force.
        portals: Who may sign tokens.
        sessions: Where a token's session is kept.
        version: Version of our static files, for their addresses.
        uses: Where sign-ins by a portal are registered.
    """
    router = APIRouter()
    public = bool(settings.values["public_access"])
    anonymous = public and bool(widget_origins(settings))
    door = _door_page(settings, version, anonymous=anonymous)
    visits = Buckets(_VISITS, _VISITS_A_SECOND)
    tries = Buckets(_REFUSALS, _REFUSALS_A_SECOND)

    def through_frame(request: Request, reader: Reader) -> Use:
        return replace(uses.of(request, reader), channel=Channel.WIDGET)

    @router.get("/widget.js")
    def script() -> Response:
        return FileResponse(_STATIC / "widget.js", media_type="text/javascript; charset=utf-8")

    @router.get("/widget")
    def without_slash() -> Response:
        return RedirectResponse("widget/", 303)

    @router.get("/widget/")
    def opening() -> Response:
        return HTMLResponse(door, headers=_PRIVATE)

    @router.post("/api/widget/session")
    async def exchange(request: Request) -> Response:
        token = await _token(request)
        if token is None:
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        if not token:
            address = through_frame(request, _NOBODY).address
            return visitor(address) if anonymous else _refused(403, _NOT_PUBLIC, "public_off")
        try:
            portal, reader = await run_in_threadpool(portals.redeem, token, public_access=public)
        except TokenRefusedError as error:
            logger.warning("widget: a token was refused: %s", error.code)
            use = through_frame(request, _NOBODY)
            if tries.take(use.address):
                return _refused(429, _TOO_MANY, "too_many")
            await run_in_threadpool(
                uses.did, use, Action.SIGN_IN_FAILED, _TOKEN_REFUSED, str(error)
            )
            return _refused(403, str(error), error.code)
        use = through_frame(request, reader)
        await run_in_threadpool(uses.did, use, Action.SIGN_IN, _VOUCHED, portal)
        return _opened(sessions.begin(portal, reader))

    def visitor(address: str) -> Response:
        # every visitor is somebody else: what one asked is not another's to open
        if visits.take(address):
            return _refused(429, _TOO_MANY, "too_many")
        name = Role.PUBLIC.value
        return _opened(sessions.begin("", Reader(Role.PUBLIC, name, "", f"{name}/{token_hex(6)}")))

    return router


def _opened(session: str) -> Response:
    return JSONResponse({"path": f"s/{session}/app/"}, headers=_PRIVATE)


def _refused(status: int, detail: str, code: str) -> Response:
    return JSONResponse({"detail": detail, "code": code}, status, headers=_PRIVATE)


async def _token(request: Request) -> str | None:
    """The token that was sent, '' for a visitor without one, None for what makes no sense."""
    body = await small_json(request, _LONGEST_BODY)
    token = None if body is None else body.get("token")
    return token if isinstance(token, str) else None


def frame_attributes(settings: Settings) -> str:
    """Attributes of `<html>` in the frame: which pages it listens to."""
    return f'class="cd-widget" data-origins="{escape(" ".join(widget_origins(settings)))}"'


def framed_page(settings: Settings, version: str) -> tuple[str, str]:
    """What the chat page carries in the frame: attributes of `<html>`, and more for its head."""
    return frame_attributes(settings), (
        f'<link rel="stylesheet" href="../static/widget.css?v={version}">'
        f'<script src="../static/widget-frame.js?v={version}" defer></script>'
    )


def _door_page(settings: Settings, version: str, *, anonymous: bool) -> str:
    public = "1" if anonymous else ""
    words = escape(json.dumps(_DOOR, ensure_ascii=False))
    return f"""<!DOCTYPE html>
<html lang="zh-CN" {frame_attributes(settings)} data-public="{public}" data-words="{words}">
<head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light"><title>{escape(strings.TITLE)}</title>
<link rel="icon" href="../static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../static/app.css?v={version}">
<link rel="stylesheet" href="../static/widget.css?v={version}">
<link rel="stylesheet" href="../static/everyone.css?v={version}">
<script src="../static/everyone.js?v={version}"></script>
<script src="../static/widget-door.js?v={version}" defer></script></head>
<body><main class="cd-door"><p role="status" id="cd-door-status">{strings.OPENING_PAGE}</p>
<p id="cd-door-actions"></p></main>
<noscript><div class="cd-noscript">{strings.NO_SCRIPT}</div></noscript></body></html>"""
