"""Who a program is: the layer that reads API tokens, and the rule for calls without one."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from index.domain import Reader
from index.settings import Settings
from ui.api_errors import BAD_TOKEN, NO_TOKEN, TOO_MANY, ApiError
from ui.api_paths import bears_token, is_api_path, site_path
from ui.api_tokens import PREFIX, ApiToken, ApiTokens
from ui.purposes import stated
from ui.rate_limit import RateLimit
from ui.reader import LOCAL_KEY, READER_KEY, current_reader
from ui.usage import CHANNEL_KEY, Channel, Use, UseLog

logger = logging.getLogger(__name__)

#: Of those, what is open to everybody: it says nothing of the holdings.
_OPEN: Final = frozenset({"/api/v1/openapi.json", "/api/v1/docs"})
#: Where the layer leaves the 利用目的 of a call.
PURPOSE_KEY: Final = "chadang.purpose"
#: Header that states another purpose for one call, percent-encoded UTF-8.
PURPOSE_HEADER: Final = "chadang-purpose"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


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
        scope.setdefault(CHANNEL_KEY, Channel.API)
        purpose = stated(unquote(headers.get(PURPOSE_HEADER, "")))
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
            purpose = purpose or token.purpose
        if purpose:
            scope[PURPOSE_KEY] = purpose
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


def calling(request: Request, settings: Settings, uses: UseLog) -> Use:
    """Who calls, from where, and what for.

    Raises:
        ApiError: If nobody has said who it is, and it is not the one user of this machine.
    """
    identified = isinstance(request.scope.get(READER_KEY), Reader)
    if not identified and not _is_own_user(request, settings):
        raise ApiError(NO_TOKEN)
    reader = current_reader(request, settings)
    return uses.of(request, reader, purpose=request.scope.get(PURPOSE_KEY))


def _is_own_user(request: Request, settings: Settings) -> bool:
    """Whether a call comes from this very machine to a server that only it can reach."""
    if not request.scope.get(LOCAL_KEY):
        return False  # people sign in here
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
