"""The layer that keeps one person's question queue from another's, and everybody's in bounds.

Gradio names a queue by a value the browser makes up (`session_hash`) and ties it to nobody. Here
the first reader who uses one owns it. Questions, sign-ins and open connections are limited.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.domain import Reader
from ui.gate import MOUNT, local_path
from ui.reader import READER_KEY
from ui.sign_in import ADDRESS_KEY, PRIVATE
from ui.small_body import json_of

_API: Final = f"{MOUNT}/gradio_api/"
_HEARTBEAT: Final = re.compile(rf"{_API}heartbeat/(\w+)")
#: These run something in a queue, so they have to name it: one without a name breaks Gradio's
#: worker with a KeyError, and all who send none would share one state. So does a function it does
#: not have.
_IN_A_QUEUE: Final = frozenset({f"{_API}queue/join", f"{_API}run/predict"})
#: Asks a question without a queue.
_ASKS: Final = "/api/precedents"
_LONGEST_BODY: Final = 262_144
_QUEUES_KEPT: Final = 20_000
#: Pages one person may leave open at the same time.
_OPEN_PAGES: Final = 30
#: Queues one person may begin: at once, and a second afterwards. Every page begins one, and Gradio
#: keeps the newest thousand of all readers: without a bound one reader empties everybody's chat.
_NEW_QUEUES: Final = 60
_NEW_QUEUES_A_SECOND: Final = 0.2
#: POSTs of one address to the sign-in and setup forms: at once, and a second afterwards.
_SIGN_INS: Final = 60
_SIGN_INS_A_SECOND: Final = 1.0

TOO_MANY_QUESTIONS: Final = "提问太频繁，请稍等片刻再问。"
TOO_MANY_SIGN_INS: Final = "登录请求太频繁，请过一分钟再试。"
TOO_MANY_PAGES: Final = "同时打开的页面太多，请先关掉几个。"
NOT_YOURS: Final = "这个页面属于另一位使用者，请刷新后再问。"
TOO_LONG: Final = "提交的内容太长。"
UNREADABLE: Final = "请求不完整，请刷新页面再试。"


class Buckets:
    """Token buckets by key: so many at once, then so many a second. Safe between threads."""

    def __init__(
        self, size: float, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Set the size of a full bucket and how fast it fills again."""
        self._size = size
        self._rate = per_second
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take one token; returns 0, or the seconds until there is one."""
        now = self._clock()
        with self._lock:
            level, since = self._levels.pop(key, (self._size, now))
            level = min(self._size, level + (now - since) * self._rate)
            wait = 0.0 if level >= 1 else (1 - level) / self._rate
            self._levels[key] = (level if wait else level - 1, now)
            while len(self._levels) > _QUEUES_KEPT:
                self._levels.popitem(last=False)
        return wait


class QueueGuard:
    """Ties Gradio's queues to readers and limits questions, sign-ins and open pages.

    The one user of a machine, who has no account, is not limited.
    """

    def __init__(self, app: ASGIApp, questions_per_minute: int, functions: Collection[int]) -> None:
        """Wrap an application.

        Args:
            app: What is served.
            questions_per_minute: Of each account.
            functions: Numbers of the functions the page may run.
        """
        self._app = app
        self._functions = functions
        self._questions = Buckets(questions_per_minute, questions_per_minute / 60)
        self._sign_ins = Buckets(_SIGN_INS, _SIGN_INS_A_SECOND)
        self._new_queues = Buckets(_NEW_QUEUES, _NEW_QUEUES_A_SECOND)
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._pages: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = local_path(scope) if scope["type"] == "http" else ""
        if scope.get("method") == "POST" and path in ("/login", "/setup"):
            wait = self._sign_ins.take(str(scope.get(ADDRESS_KEY, "")))
            if wait:
                told = PlainTextResponse(TOO_MANY_SIGN_INS, 429, headers=_retry(wait))
                await told(scope, receive, send)
                return
        owner = _owner(scope.get(READER_KEY))
        if path == _ASKS and owner and (wait := self._questions.take(owner)):
            await _refuse(429, TOO_MANY_QUESTIONS, _retry(wait))(scope, receive, send)
            return
        if not path.startswith(_API):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            await self._post(path, owner, scope, receive, send)
            return
        heartbeat = _HEARTBEAT.fullmatch(path)
        if heartbeat is not None:
            await self._heartbeat(heartbeat[1], owner, scope, receive, send)
            return
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        for named in query.get("session_hash", ()):
            if (refusal := self._not_theirs(owner, named)) is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _post(
        self, path: str, owner: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await _body(receive)
        refusal = None
        if body is None:
            refusal = _refuse(413, TOO_LONG)
        else:
            named, function = _call(body)
            runs = path in _IN_A_QUEUE
            if named is None or (runs and (not named or function not in self._functions)):
                refusal = _refuse(422, UNREADABLE)
            elif named and (theirs := self._not_theirs(owner, named)) is not None:
                refusal = theirs
            elif owner and path == f"{_API}queue/join" and (wait := self._questions.take(owner)):
                refusal = _refuse(429, TOO_MANY_QUESTIONS, _retry(wait))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)

    async def _heartbeat(
        self, named: str, owner: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if (refusal := self._not_theirs(owner, named)) is not None:
            await refusal(scope, receive, send)
            return
        if owner and self._pages.get(owner, 0) >= _OPEN_PAGES:
            await _refuse(429, TOO_MANY_PAGES, _retry(30))(scope, receive, send)
            return
        self._pages[owner] = self._pages.get(owner, 0) + 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._pages[owner] -= 1
            if not self._pages[owner]:
                del self._pages[owner]

    def _not_theirs(self, owner: str, named: str) -> Response | None:
        """Why a queue is not for this owner, None when it is; a new one becomes theirs."""
        named = named[:200]
        if owner and named not in self._owners and (wait := self._new_queues.take(owner)):
            return _refuse(429, TOO_MANY_PAGES, _retry(wait))
        found = self._owners.setdefault(named, owner)
        self._owners.move_to_end(named)
        while len(self._owners) > _QUEUES_KEPT:
            self._owners.popitem(last=False)
        return None if found == owner else _refuse(403, NOT_YOURS)


def _owner(reader: object) -> str:
    """Whose a queue is: a person in one role, '' for the one user of a machine.

    The role counts, as the state of a queue holds what it has shown: with another role the same
    person starts anew.
    """
    if not isinstance(reader, Reader):
        return ""
    return "\n".join((reader.account, reader.name, reader.role.value, reader.department))


async def _body(receive: Receive) -> bytes | None:
    """The whole body, None when it is too long or the caller went away."""
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        content += message.get("body", b"")
        if len(content) > _LONGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(content)


def _call(body: bytes) -> tuple[str | None, int | None]:
    """The queue and the function a body names.

    Returns:
        The queue is '' when none is named, None when the body cannot be understood; the function
        is None when it is no number.
    """
    try:
        read = json_of(body)
    except ValueError:
        return None, None
    if not isinstance(read, dict):
        return None, None
    named, function = read.get("session_hash") or "", read.get("fn_index")
    return (
        named if isinstance(named, str) else None,
        function if isinstance(function, int) and not isinstance(function, bool) else None,
    )


def _retry(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, int(seconds + 0.999)))}


def _refuse(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    # Gradio's page shows `error`, ours and every other program `detail`.
    body = {"detail": detail, "error": detail}
    return JSONResponse(body, status, headers={**PRIVATE, **(headers or {})})
