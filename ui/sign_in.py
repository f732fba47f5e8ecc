"""The layer that says who is asking: session cookie, single sign-on header, or this machine's user.

It stands inside the gate and in front of everything else. Whoever it cannot name gets the sign-in
page or a 401, the same for every address, so that nothing is told about what exists. A layer in
front of it (API token, widget) may have left a `Reader` already; that one is kept.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import threading
from enum import StrEnum
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.access import may_read_anything
from index.domain import Reader, Role
from index.errors import SettingsError
from index.settings import Settings
from ui.accounts import Accounts, SignedIn
from ui.api_errors import NO_TOKEN, ApiError
from ui.api_paths import is_api_path
from ui.framing import PLACE_KEY
from ui.gate import MOUNT, is_navigation, local_path, names_this_machine
from ui.reader import LOCAL_KEY, NOBODY_KEY, READER_KEY

logger = logging.getLogger(__name__)

#: Where the layer leaves the `SignedIn` of a session cookie.
SESSION_KEY: Final = "chadang.session"
#: Where it leaves the caller's network address as told by a trusted proxy.
ADDRESS_KEY: Final = "chadang.address"
COOKIE: Final = "chadang_session"

#: Open to everybody. Nothing below them says anything about the archive or its accounts.
OPEN: Final = frozenset(
    {
        "/login",
        "/setup",
        "/logout",
        "/healthz",
        "/readyz",
        "/widget.js",
        "/widget",
        "/widget/",
        "/api/widget/session",
        "/api/v1/docs",
        "/api/v1/openapi.json",
    }
)
OPEN_BELOW: Final = ("/static/",)
#: Pages and answers over the holdings; not for the three administrators, whose set is empty anyway.
_READING: Final = re.compile(
    rf"/|{MOUNT}(?:/.*)?|/(?:catalogue|precedents|statistics)"
    r"|/api/(?:catalogue|facets|precedents|statistics)(?:/.*)?"
)
#: All that is left to somebody who has to change their password first.
_CHANGING: Final = frozenset({"/account", "/account/password", "/logout"})
#: Asked by pages that merely lie open; they do not keep a session alive.
PASSIVE: Final = re.compile(
    rf"{MOUNT}/gradio_api/heartbeat/\w+|/api/(?:session|status|ping|admin/ingest(?:/details)?)"
)
#: What a reverse proxy adds to a request it passes on.
_FORWARDED: Final = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
)  # fmt: skip
_NEXT: Final = re.compile(r"[A-Za-z0-9_\-]+(?:[/.][A-Za-z0-9_\-=~]*)*/?(?:\?[A-Za-z0-9_\-=&%.~]*)?")
_LONGEST_NEXT: Final = 600
#: Letters and digits that are not mistaken for one another, 32 of them.
_CODE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_TRIES: Final = 20

NOT_SIGNED_IN: Final = "您还没有登录，或登录已过期。请重新登录。"
MUST_CHANGE: Final = "请先修改初始密码，再继续使用。"
NOT_FOR_ADMINISTRATORS: Final = "系统、安全、审计管理员不查阅档案内容。查档请用本人的另一个账号。"
NOT_REGISTERED: Final = "本系统里没有为您开通账号，或账号已停用。请联系系统管理员。"


class Mode(StrEnum):
    """How people sign in, as far as one request goes."""

    LOCAL = "local"
    ACCOUNTS = "accounts"
    PROXY = "proxy"


class SetupCode:
    """The one-time code that whoever started the server reads in its terminal."""

    def __init__(self) -> None:
        """Make a new one, 50 random bits."""
        self.shown = "-".join(
            "".join(secrets.choice(_CODE_LETTERS) for _ in range(5)) for _ in range(2)
        )
        self._left = _CODE_TRIES
        self._lock = threading.Lock()

    @property
    def spent(self) -> bool:
        """Whether it has been used, or guessed at too often."""
        return self._left <= 0

    def matches(self, typed: str) -> bool:
        """Whether somebody knows the code; a wrong guess is counted."""
        with self._lock:
            if self._left <= 0:
                return False
            plain = re.sub(r"[^0-9A-Z]", "", typed.upper()).encode()
            if secrets.compare_digest(plain, self.shown.replace("-", "").encode()):
                return True
            self._left -= 1
            return False

    def use_up(self) -> bool:
        """Take the code out of use; False when somebody else was quicker."""
        with self._lock:
            usable, self._left = self._left > 0, 0
            return usable

    def give_back(self) -> None:
        """Make it usable again, as what it was used for did not work."""
        with self._lock:
            self._left = _CODE_TRIES


class Doorkeeper:
    """Knows the accounts and the settings that say who may come in how."""

    def __init__(self, accounts: Accounts, settings: Settings) -> None:
        """Check the settings.

        Raises:
            SettingsError: If they contradict one another; says what to change.
        """
        self.accounts = accounts
        self.settings = settings
        self._asked = settings.text("sign_in")
        self._loopback = names_this_machine(settings.text("host"))
        self._header = settings.text("proxy_user_header").strip().lower()
        self._proxies = _networks(settings.text("trusted_proxies"))
        self.setup: SetupCode | None = None
        if self._asked == "local" and not self._loopback:
            msg = (
                f"sign_in = local 不登录即可使用，只能用在本机地址上，而 host 是 {settings.text('host')}。"
                "请把 sign_in 改成 auto，或把 host 改成 127.0.0.1。"
            )
            raise SettingsError(msg)
        if self._asked == "proxy" and not (self._proxies and self._header):
            msg = (
                "sign_in = proxy 要写明可信的代理：请设置 trusted_proxies（单点登录代理的地址）"
                "和 proxy_user_header（送来登录名的请求头）。"
            )
            raise SettingsError(msg)

    def open_setup(self) -> str:
        """Make the one-time code of the first start; '' when none is needed.

        It is needed where people must sign in and no system administrator can.
        """
        must_sign_in = self._asked in ("accounts", "proxy") or not self._loopback
        if not must_sign_in or self.accounts.has_active(Role.SYSTEM_ADMIN):
            return ""
        self.setup = SetupCode()
        return self.setup.shown

    def mode(self, scope: Scope) -> Mode:
        """How the caller of one request signs in.

        A machine's own user needs no sign-in, as long as there is no account and the request did
        not come through a proxy: behind one, everybody seems to sit at this machine.
        """
        if self._asked == "proxy":
            return Mode.PROXY
        if self._asked == "accounts" or not self._loopback or not _is_direct(Headers(scope=scope)):
            return Mode.ACCOUNTS
        if self._asked == "local" or not self.accounts.any():
            return Mode.LOCAL
        return Mode.ACCOUNTS

    def address(self, scope: Scope) -> str:
        """The caller's network address; from a trusted proxy, the one it says it serves."""
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        hops = [
            hop.strip()
            for value in Headers(scope=scope).getlist("x-forwarded-for")
            for hop in value.split(",")
        ]
        while hops and self._is_trusted(peer):
            peer = hops.pop()
        return peer[:64]

    def reader_of_proxy(self, scope: Scope) -> Reader | None:
        """Whom a trusted proxy names, if they have a usable account."""
        client = scope.get("client")
        if client is None or not self._is_trusted(str(client[0])):
            return None
        named = Headers(scope=scope).getlist(self._header)
        if len(named) != 1 or not named[0].strip():
            return None
        try:
            account = named[0].encode("latin-1").decode()
        except UnicodeDecodeError:
            return None
        found = self.accounts.find(unquote(account))
        return found.reader if found is not None and self.accounts.usable(found) else None

    def without_user_header(self, scope: Scope) -> Scope:
        """The request as everything behind may see it: nobody can be named by a header."""
        name = self._header.encode("latin-1", "replace")
        kept = [(key, value) for key, value in scope["headers"] if key.lower() != name]
        return {**scope, "headers": kept}

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)


class SignIn:
    """Names the reader of every request, or sends the caller to sign in."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        """Wrap an application."""
        self._app = app
        self._door = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = local_path(scope)
        mode = self._door.mode(scope)
        token = session_token(scope)
        reader = scope.get(READER_KEY)
        session: SignedIn | None = None
        if not isinstance(reader, Reader):
            reader = None
            if mode is Mode.PROXY:
                reader = self._door.reader_of_proxy(scope)
            elif mode is Mode.ACCOUNTS:
                session = self._door.accounts.session(token)
                reader = None if session is None else session.account.reader
        scope = self._door.without_user_header(scope)
        scope[LOCAL_KEY] = mode is Mode.LOCAL
        scope[ADDRESS_KEY] = self._door.address(scope)
        if reader is not None:
            scope[READER_KEY] = reader
        elif mode is not Mode.LOCAL:
            scope[NOBODY_KEY] = True
        if session is not None:
            scope[SESSION_KEY] = session
        refusal = self._refusal(scope, path, mode, reader, session)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        accounts = self._door.accounts
        if (
            session is not None
            and not PASSIVE.fullmatch(path)
            and accounts.needs_touch(session)
        ):  # fmt: skip
            await run_in_threadpool(accounts.touch, session)

        async def varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                # a page picture kept by the browser is not for whoever signs in next
                MutableHeaders(scope=message).add_vary_header("Cookie")
            await send(message)

        own = session is not None and not path.startswith((*OPEN_BELOW, f"{MOUNT}/"))
        await self._app(scope, receive, varied if own else send)

    def _refusal(
        self,
        scope: Scope,
        path: str,
        mode: Mode,
        reader: Reader | None,
        session: SignedIn | None,
    ) -> Response | None:
        framed = PLACE_KEY in scope
        if _is_open(path) or (reader is None and mode is Mode.LOCAL):
            return None
        if reader is None:
            if is_api_path(path):
                return ApiError(NO_TOKEN).response()
            if framed and is_navigation(scope):
                return _redirect(path, "")  # the widget's opening page says what to do
            if is_navigation(scope):
                wanted = _next_of(scope, path) if scope["method"] == "GET" else ""
                return _redirect(path, f"login{wanted}")
            return JSONResponse({"detail": NOT_SIGNED_IN}, 401, headers=PRIVATE)
        if session is not None and session.must_change and path not in _CHANGING:
            if is_navigation(scope):
                return _redirect(path, "account")
            return JSONResponse({"detail": MUST_CHANGE}, 403, headers=PRIVATE)
        if not _READING.fullmatch(path) or may_read_anything(reader).allowed:
            return None
        if is_navigation(scope) and not framed:
            return _redirect(path, home_of(reader.role))
        return JSONResponse({"detail": NOT_FOR_ADMINISTRATORS}, 403, headers=PRIVATE)


PRIVATE: Final = {"Cache-Control": "private, no-store"}


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_BELOW)


def home_of(role: Role) -> str:
    """The page, relative to the site's root, on which somebody starts."""
    if role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        return "admin/users"
    return "admin/register" if role is Role.AUDITOR else "app/"


def safe_next(wanted: str) -> str:
    """A place inside this site, relative to its root; '' when the wanted one is anything else."""
    if len(wanted) > _LONGEST_NEXT or not _NEXT.fullmatch(wanted) or ".." in wanted:
        return ""
    return wanted


def session_token(scope: Scope) -> str:
    """The session token of a request's cookies, '' without one."""
    return cookie(HTTPConnection({"type": "http", "headers": scope["headers"]}), COOKIE)


def cookie(request: HTTPConnection, name: str) -> str:
    """One cookie, '' when it is not there or the header is unreadable."""
    jar = SimpleCookie()
    for header in request.headers.getlist("cookie"):
        try:
            jar.load(header)
        except CookieError:
            return ""
    return jar[name].value if name in jar else ""


def is_https(scope: Scope) -> bool:
    """Whether the browser speaks TLS, with us or with a proxy in front.

    A lie in the header harms nobody but the liar, whose own cookie then stays unsent.
    """
    proto = Headers(scope=scope).get("x-forwarded-proto", "")
    return scope.get("scheme") == "https" or proto.split(",")[0].strip().lower() == "https"


def cookie_path(scope: Scope) -> str:
    """Where cookies are sent back to: this site only, also below a prefix."""
    return f"{str(scope.get('root_path', '')).rstrip('/')}/"


def _is_direct(headers: Headers) -> bool:
    if any(name in headers for name in _FORWARDED):
        return False
    host = headers.get("host", "").strip().lower()
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return names_this_machine(name.strip("[]"))


def _next_of(scope: Scope, path: str) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = safe_next(path.lstrip("/") + (f"?{query}" if query else ""))
    return f"?next={quote(wanted, safe='')}" if wanted else ""


def _redirect(path: str, target: str) -> Response:
    """Go to an address below the site's root; relative, so that it works below any prefix."""
    up = "../" * (path.count("/") - 1)
    return RedirectResponse(f"{up}{target}", 303, headers=PRIVATE)


def _networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for part in re.split(r"[\s,;]+", text.strip()):
        if not part:
            continue
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError as error:
            msg = (
                f"设置 trusted_proxies 里的“{part}”不是地址或网段。请写成 10.0.0.8 或 10.0.0.0/24。"
            )
            raise SettingsError(msg) from error
    return networks
