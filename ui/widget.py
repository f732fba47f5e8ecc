"""The widget: the chat in a frame on another intranet page.

`/widget/` is a small page that finds out who is asking and then opens the chat below one of three
prefixes; behind each lies the very same application, so there is one chat and one answering path:

* `/widget/app/…` – whoever is signed in here (the cookie reaches frames of the same site only);
* `/widget/s/SESSION/app/…` – whom a portal vouched for with a signed token;
* `/widget/p/app/…` – the public, when it may use the system at all.

Only what the chat needs is served below the prefixes, and only they may be framed by others.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from index.domain import Reader, Role
from index.settings import Settings
from ui import strings
from ui.portals import Portals, TokenRefusedError
from ui.reader import READER_KEY
from ui.widget_sessions import WidgetSessions

logger = logging.getLogger(__name__)

PREFIX: Final = "/widget"
#: Where `WidgetPrefix` leaves the `Place` of a request that came through the frame.
PLACE_KEY: Final = "chadang.widget"

_STATIC: Final = Path(__file__).parent / "static"
_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_BODY: Final = 8192
_SESSION: Final = r"[A-Za-z0-9_\-]{43}"
_FRAMED: Final = re.compile(rf"/widget(?:/s/(?P<session>{_SESSION})|(?P<public>/p))?(?P<rest>/.+)")
#: What the chat asks for; administration, sign-in and the other interfaces are not in the frame.
_SERVED: Final = re.compile(
    r"/app/.*|/static/[\w.\-]+|/page/.+|/record/.+"
    r"|/api/(?:status|precedents|(?:answers|records|pages)/.+)"
)
_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.\-]+|\[[0-9a-f:]+\])(?::(?P<port>\d{1,5}))?/?"
)

_CLOSED: Final = "小窗的登录已过期，请关闭后重新打开。"
_NOT_PUBLIC: Final = "本馆没有对公众开放查询。"
_DOOR: Final = {
    "opening": strings.OPENING_PAGE,
    "signIn": "查档需要先登录。登录后这里会自动打开。",
    "signInLink": "打开登录页",
    "noToken": "没有从本页面取得登录令牌，请刷新页面再试；一直如此，请联系本页面的管理员。",
    "offline": "连不上查档服务，请稍后再试。",
    "again": "重试",
}


@dataclass(frozen=True, slots=True)
class Place:
    """How a request came through the frame.

    Attributes:
        kind: `door` for the opening page and everything unknown below the prefix.
        session: Name of the session of kind `session`.
    """

    kind: Literal["door", "cookie", "public", "session"]
    session: str = ""


def widget_origins(settings: Settings) -> tuple[str, ...]:
    """The sites that may frame the widget, as origins a browser would name; no wildcards."""
    origins = []
    for word in settings.text("widget_origins").split():
        found = _ORIGIN.fullmatch(word.lower())
        if found is None:
            logger.warning("widget_origins: %r is not the address of a site, left out", word)
            continue
        usual = {"http": "80", "https": "443"}[found["scheme"]]
        port = "" if found["port"] in (None, usual) else f":{found['port']}"
        origins.append(f"{found['scheme']}://{found['host']}{port}")
    return tuple(dict.fromkeys(origins))


def frame_ancestors(origins: tuple[str, ...]) -> str:
    """The `frame-ancestors` directive of everything in the frame; nobody when the list is empty."""
    return f"frame-ancestors {' '.join(origins) or chr(39) + 'none' + chr(39)}"


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
    kind: Literal["session", "public", "cookie"] = (
        "session" if session else "public" if found["public"] else "cookie"
    )
    prefix = root + path[: len(path) - len(found["rest"])]
    return {PLACE_KEY: Place(kind, session), "root_path": prefix}


class WidgetAccess:
    """Inside the gate, around the sign-in: names the reader of a session or of the public frame."""

    def __init__(self, app: ASGIApp, sessions: WidgetSessions, public_access: bool) -> None:
        """Wrap an application.

        Args:
            app: What is behind.
            sessions: The open sessions.
            public_access: Whether the public may use the system.
        """
        self._app = app
        self._sessions = sessions
        self._public = public_access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        place = scope.get(PLACE_KEY)
        if not isinstance(place, Place) or place.kind in ("door", "cookie"):
            await self._app(scope, receive, send)
            return
        reader: Reader | None = None
        refused: tuple[int, str] = (403, _NOT_PUBLIC)
        if place.kind == "public" and self._public:
            reader = Reader(Role.PUBLIC, Role.PUBLIC.value)
        elif place.kind == "session":
            reader = await run_in_threadpool(self._sessions.reader, place.session)
            refused = (401, _CLOSED)
        if reader is not None:
            await self._app({**scope, READER_KEY: reader}, receive, send)
            return
        response: Response = JSONResponse({"detail": refused[1]}, refused[0], headers=_PRIVATE)
        if str(scope["path"]) == f"{scope['root_path']}/app/" and scope["method"] == "GET":
            # the page itself goes back to the door, which asks the portal for a new token
            back = "../../../" if place.kind == "session" else "../../"
            response = RedirectResponse(back, 303, headers=_PRIVATE)
        await response(scope, receive, send)


def build_widget_router(
    settings: Settings, portals: Portals, sessions: WidgetSessions, version: str
) -> APIRouter:
    """The script for the portals' pages, the opening page, and the exchange of tokens.

    Args:
        settings: Settings in force.
        portals: Who may sign tokens.
        sessions: Where a token's session is kept.
        version: Version of our static files, for their addresses.
    """
    router = APIRouter()
    public = bool(settings.values["public_access"])
    door = _door_page(settings, version)

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
        try:
            portal, reader = await run_in_threadpool(portals.redeem, token, public_access=public)
        except TokenRefusedError as error:
            logger.warning("widget: a token was refused: %s", error.code)
            return JSONResponse({"detail": str(error), "code": error.code}, 403, headers=_PRIVATE)
        logger.info("widget: session for %s (%s)", reader.account, reader.role.value)
        return JSONResponse({"path": f"s/{sessions.begin(portal, reader)}/app/"}, headers=_PRIVATE)

    return router


async def _token(request: Request) -> str | None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _LONGEST_BODY:
            return None
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    token = body.get("token") if isinstance(body, dict) else None
    return token if isinstance(token, str) and token else None


def frame_attributes(settings: Settings) -> str:
    """Attributes of `<html>` in the frame: which pages it listens to."""
    return f'class="cd-widget" data-origins="{escape(" ".join(widget_origins(settings)))}"'


def framed_page(settings: Settings, version: str) -> tuple[str, str]:
    """What the chat page carries in the frame: attributes of `<html>`, and more for its head."""
    return frame_attributes(settings), (
        f'<link rel="stylesheet" href="../static/widget.css?v={version}">'
        f'<script src="../static/widget-frame.js?v={version}" defer></script>'
    )


def _door_page(settings: Settings, version: str) -> str:
    public = "1" if settings.values["public_access"] else ""
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


def host_names(addresses: str) -> set[str]:
    """Host names in a list of addresses or bare names, separated by spaces."""
    names = set()
    for word in addresses.split():
        try:
            name = urlsplit(word if "//" in word else f"//{word}").hostname
        except ValueError:
            name = None
        if name:
            names.add(name)
        else:
            logger.warning("site_names: %r is not a name or address, left out", word)
    return names
