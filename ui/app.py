"""The web application: our own FastAPI with the chat page mounted inside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection
from starlette.types import Scope

from index.settings import Settings
from ui import strings
from ui.account_pages import build_account_router
from ui.accounts import Accounts
from ui.admin import build_admin_router
from ui.api import build_router
from ui.api_faces import add_api, add_api_gate
from ui.browse import build_browse_router
from ui.chat_routes import build_chat_router
from ui.error_pages import ErrorPages, refused_in_browser
from ui.frame import CHAT, INSTALL, header_html
from ui.framing import PLACE_KEY, widget_origins
from ui.gate import MOUNT, Gate, HtmlRewrite
from ui.history import HISTORY_FILE, History
from ui.manage import build_manage_router
from ui.page_images import PageImages
from ui.portals import Portals
from ui.queue_guard import QueueGuard
from ui.reader import current_reader
from ui.register_pages import build_register_router
from ui.session import Asker, RecentAnswers
from ui.sign_in import Doorkeeper, SignIn
from ui.usage import UseContext, UseLog, add_handlers
from ui.widget import WidgetAccess, WidgetPrefix, build_widget_router, framed_page
from ui.widget_sessions import WidgetSessions

_STATIC: Final = Path(__file__).parent / "static"
#: Machines differ; and a script names its encoding, as it may run in a page written in GBK.
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_META: Final = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_INLINE_SCRIPT: Final = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>.*?</script>\s*", re.DOTALL)
_VIEWPORT: Final = re.compile(r'<meta\s+name="viewport"[^>]*>')
_VIEWPORT_CONTENT: Final = (
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
)
_MANIFEST: Final = re.compile(r'<link rel="manifest"[^>]*>\s*')


def build_app(
    assistant: Asker,
    settings: Settings,
    examples: Sequence[str] = strings.EXAMPLE_QUESTIONS,
    door: Doorkeeper | None = None,
) -> FastAPI:
    """The web application over one assistant.

    Args:
        assistant: Answers the questions.
        settings: Settings in force.
        examples: Questions shown on the empty page.
        door: Knows who may come in; made from the settings when None.
    """
    from ui.chat import mount_chat

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title=strings.PRODUCT)
    recent = RecentAnswers()
    images = PageImages(assistant.store, settings.cache_path / "pages")
    uses = UseLog(settings, assistant.store)
    add_handlers(app)
    history = History(settings.home / HISTORY_FILE, settings.number("history_days"))
    version = asset_version()
    app.include_router(build_chat_router(assistant, recent, images, history, version, uses))
    app.include_router(build_router(assistant, recent, images, uses))
    app.mount("/static", _Static(directory=_STATIC), name="static")

    @app.get("/")
    def home() -> Response:
        return RedirectResponse("app/", status_code=303)

    @app.get(MOUNT)
    def without_slash() -> Response:
        return RedirectResponse("app/", status_code=303)

    app.include_router(build_admin_router(assistant.store, settings, version, uses))
    app.include_router(build_manage_router(assistant.store, settings, version, uses))
    door = door or Doorkeeper(Accounts(settings), settings)
    app.include_router(build_account_router(door, settings, version, uses))
    app.include_router(build_register_router(assistant, recent, uses, version))
    app.include_router(build_browse_router(assistant.store, settings, version, uses))
    add_api(app, assistant, images, uses, version)
    functions = mount_chat(app, assistant, recent, history, MOUNT, examples, uses)
    portals = Portals(settings.home)
    framed = WidgetSessions(
        portals.in_use,
        settings.number("session_idle_minutes") * 60,
        settings.number("session_hours") * 3600,
    )
    app.include_router(build_widget_router(settings, portals, framed, version, uses))
    app.add_middleware(UseContext)
    # the last one added is the outermost; Gradio leaves CORS alone when the parent has a policy
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(HtmlRewrite, rewrite=page_rewriter(settings, version))
    app.add_middleware(ErrorPages, settings=settings, version=version)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(
        QueueGuard,
        questions_per_minute=settings.number("questions_per_minute"),
        functions=functions,
    )
    app.add_middleware(SignIn, doorkeeper=door)
    add_api_gate(app, settings, door.accounts)  # outside whatever knows sessions, inside the gate
    app.add_middleware(WidgetAccess, sessions=framed)
    app.add_middleware(
        Gate,
        host=settings.text("host"),
        site_names=settings.text("site_names"),
        widget_origins=widget_origins(settings),
        asset_version=version,
        refused=refused_in_browser(ErrorPages(app, settings, version).missing),
    )
    app.add_middleware(WidgetPrefix)
    return app


class _Static(StaticFiles):
    """Our files, typed the same on every machine."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file."""
        response = await super().get_response(path, scope)
        kind = _TYPES.get(Path(path).suffix)
        if kind is not None and "content-type" in response.headers:
            response.headers["Content-Type"] = kind
        return response


def asset_version() -> str:
    """A short hash over our static files; part of their addresses, so that they may be cached."""
    digest = hashlib.sha256()
    for file in sorted(_STATIC.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def page_rewriter(settings: Settings, version: str) -> Callable[[str, Scope], str]:
    """A function from Gradio's HTML to ours, with the navigation of who asks.

    The page speaks Chinese from the first byte, shows its header before any script has run, and
    carries no inline script (the policy would block them; Gradio then fetches its config).
    """
    head = (
        f'<script src="../static/boot.js?v={version}"></script>'
        f'<script src="../static/frame.js?v={version}"></script>'
        f'<script src="../static/session.js?v={version}"></script>'
        f'<script src="../static/everyone.js?v={version}"></script>'
        f'<link rel="stylesheet" href="../static/app.css?v={version}">'
        f'<link rel="stylesheet" href="../static/frame.css?v={version}">'
        f'<link rel="stylesheet" href="../static/everyone.css?v={version}">'
        f'<script src="../static/app.js?v={version}" defer></script>'
        f'<link rel="stylesheet" href="../static/feedback.css?v={version}">'
        f'<script src="../static/feedback.js?v={version}" defer></script>'
        f'<script src="../static/purpose.js?v={version}" defer></script>'
        f'<script src="../static/conversation.js?v={version}" defer></script>'
        '<link rel="icon" href="../static/icon.svg" type="image/svg+xml">'
        '<meta name="color-scheme" content="light"><meta name="theme-color" content="#a6192e">'
        f"<title>{escape(' · '.join(filter(None, (strings.TITLE, settings.text('archive_name')))))}</title>"
    )
    below_header = (
        f'<div id="cd-opening" role="status">{strings.OPENING_PAGE}</div>'
        f'<noscript><div class="cd-noscript">{strings.NO_SCRIPT}</div></noscript>'
    )

    def rewrite(html: str, scope: Scope) -> str:
        reader = current_reader(HTTPConnection(scope), settings)
        header = header_html(settings, reader, CHAT) + below_header
        html = _META.sub("", html)
        html = _INLINE_SCRIPT.sub("", html)
        html = _MANIFEST.sub("", html)
        html = re.sub(r"<title>.*?</title>\s*", "", html, count=1, flags=re.DOTALL)
        html = _VIEWPORT.sub(f'<meta name="viewport" content="{_VIEWPORT_CONTENT}">', html)
        attributes, more = framed_page(settings, version) if PLACE_KEY in scope else ("", INSTALL)
        html = re.sub(r'lang="en"', lambda _: f'lang="zh-CN" {attributes}', html, count=1)
        html = re.sub(r"<meta charset=[^>]*>", lambda m: m[0] + head + more, html, count=1)
        return re.sub(r"<body[^>]*>", lambda m: m[0] + header, html, count=1)

    return rewrite
