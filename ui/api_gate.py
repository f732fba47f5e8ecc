"""Who a program is: the layer that reads API tokens, and the rule for calls without one."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from index.domain import Reader
from index.settings import Settings
from ui.api_errors import BAD_TOKEN, NO_TOKEN, TOO_MANY, ApiError
from ui.api_tokens import PREFIX, ApiToken, ApiTokens
from ui.rate_limit import RateLimit
from ui.reader import READER_KEY, current_reader

logger = logging.getLogger(__name__)

#: Where programs call. Nowhere else is a token looked for.
API_PATHS: Final = ("/api/v1", "/v1", "/mcp")
#: Of those, what is open to everybody: it says nothing of the holdings.
_OPEN: Final = frozenset({"/api/v1/openapi.json", "/api/v1/docs"})
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


def site_path(scope: Scope) -> str:
    """The path of a request below the site's own root."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def is_api_path(path: str) -> bool:
    """Whether programs call here."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in API_PATHS)


def bears_token(headers: Headers) -> bool:
    """Whether a request says who it is by a bearer token, be it good or not."""
    return headers.get("authorization", "")[:7].lower() == "bearer "


class BearerToken:
    """Leaves the `Reader` of a token in the scope, counts calls, refuses what is wrong.

    It lies outside any layer that knows sessions: what a token says is not changed by a cookie.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: ApiTokens,
        limit: RateLimit,
        acted_for: Callable[[ApiToken], Reader | None] | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: What is behind.
            tokens: The tokens of the home.
            limit: How often each caller may call.
            acted_for: The reader a token stands for now, None when the account it acts for may
                not sign in any more; None to take what the token itself says.
        """
        self._app = app
        self._tokens = tokens
        self._limit = limit
        self._acted_for = acted_for or (lambda token: token.reader)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not is_api_path(path := site_path(scope)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        caller: object = (scope.get("client") or ("",))[0]
        if bears_token(headers):
            found = await run_in_threadpool(self._identify, headers["authorization"][7:].strip())
            if found is None:
                logger.info("a call with a bad token to %s", path)
                await ApiError(BAD_TOKEN).response()(scope, receive, send)
                return
            token, reader = found
            caller = token.number
            scope[READER_KEY] = reader
        wait = 0.0 if path in _OPEN else self._limit.wait(caller)
        if wait:
            headers_out = {"Retry-After": str(math.ceil(wait))}
            await ApiError(TOO_MANY, headers=headers_out).response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _identify(self, secret: str) -> tuple[ApiToken, Reader] | None:
        token = self._tokens.find(secret) if secret.startswith(PREFIX) else None
        reader = None if token is None else self._acted_for(token)
        return None if token is None or reader is None else (token, reader)


def calling_reader(request: Request, settings: Settings) -> Reader:
    """The reader behind a call.

    Raises:
        ApiError: If nobody has said who it is, and it is not the one user of this machine.
    """
    identified = isinstance(request.scope.get(READER_KEY), Reader)
    if not identified and not _is_own_user(request, settings):
        raise ApiError(NO_TOKEN)
    return current_reader(request, settings)


def _is_own_user(request: Request, settings: Settings) -> bool:
    """Whether a call comes from this very machine to a server that only it can reach."""
    if any(name in request.headers for name in _FORWARDED):
        return False  # through a proxy: from anywhere
    client = request.client.host if request.client else ""
    return _is_loopback(client) and _is_loopback(settings.text("host"))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
