"""Use entries (利用登记) of pages and commands: one call wherever something is asked or given out.

The rule in one place: a record that is not open is given out only when its entry is on the disk;
for open records a register that fails is logged and the work goes on.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.domain import Answer, Citation, Refusal
from assistant.register import Action, Register, RegisterError, register_of
from index.access import is_closed
from index.domain import Reader, Record
from index.passage_index import read_manifest
from index.settings import Settings
from index.store import Store
from ui import strings
from ui.api_paths import is_api_path, site_path
from ui.framing import PLACE_KEY
from ui.purposes import PurposeNeededError, Purposes, asked_when
from ui.reader import current_reader
from ui.render import answer_text
from ui.sign_in import ADDRESS_KEY

logger = logging.getLogger(__name__)

#: Where a layer in front (API, widget) leaves the `Channel` a request came by.
CHANNEL_KEY: Final = "chadang.channel"
#: Seconds in which the same page shown to the same reader is one use: as long as a browser may
#: keep a page picture without asking.
SAME_USE_S: Final = 600.0

_KEPT: Final = 20_000
_MISSING: Final = "没有这一件"


_HERE: Final[ContextVar[HTTPConnection | None]] = ContextVar("chadang_request", default=None)


class Channel(StrEnum):
    """By which way somebody came. Values are the words shown to people."""

    WEB = "网页"
    COMMAND = "命令行"
    API = "接口"
    WIDGET = "嵌入"


@dataclass(frozen=True, slots=True)
class Use:
    """Who uses the archive just now, from where, and what for.

    Attributes:
        reader: Who.
        channel: By which way.
        address: Network address or terminal.
        conversation: Ties the entries of one conversation together, or empty.
        purpose: 利用目的 as `ui.purposes.stated` gives it, or empty.
    """

    reader: Reader
    channel: Channel
    address: str = ""
    conversation: str = ""
    purpose: str = ""


class UseLog:
    """Writes the entries. Safe between threads."""

    def __init__(self, settings: Settings, store: Store, register: Register | None = None) -> None:
        """Write into the register of a home.

        Args:
            settings: Settings in force.
            store: The holdings.
            register: Another register than the home's, for tests.
        """
        self.register = register or register_of(settings)
        self.purposes = Purposes()
        self._settings = settings
        self._store = store
        self._seen: OrderedDict[tuple[object, ...], float] = OrderedDict()
        self._locks = [threading.Lock() for _ in range(16)]
        self._seen_lock = threading.Lock()

    def of(
        self,
        request: HTTPConnection | None,
        reader: Reader | None = None,
        *,
        conversation: str = "",
        purpose: str | None = None,
    ) -> Use:
        """The use behind a web request.

        Args:
            request: The request; None when Gradio has none to give.
            reader: Who asks, where the caller has found that out already.
            conversation: Ties the entries of one conversation together.
            purpose: As `ui.purposes.stated` gives it, empty when none was stated in this
                conversation; None outside a conversation: then the one stated last counts.
        """
        reader = reader or current_reader(request, self._settings)
        if purpose is None:
            purpose = self.purposes.last(reader)
        else:
            self.purposes.keep(reader, purpose)
        scope: Mapping[str, Any] = {} if request is None else request.scope
        client = scope.get("client")
        address = scope.get(ADDRESS_KEY) or (client[0] if client else "")
        return Use(
            reader,
            _channel(scope),
            str(address),
            conversation,
            purpose,
        )

    def here(self, reader: Reader) -> Use:
        """The use behind the request being served (`UseContext`), for code that has none at hand."""
        return self.of(_HERE.get(), reader)

    # -- asking -------------------------------------------------------------------------------

    def asked(self, use: Use, question: str) -> None:
        """A question was asked; call before it is answered.

        Raises:
            PurposeNeededError: If the purpose has to be stated first.
        """
        if not use.purpose and asked_when(self._settings, use.reader) == "always":
            raise PurposeNeededError(command=use.channel is Channel.COMMAND)
        self._write(use, Action.ASK, (), question=question)

    def answered(self, use: Use, result: Answer | Refusal, without: Collection[str] = ()) -> None:
        """A result is about to be shown.

        Args:
            use: Whose.
            result: What will be shown.
            without: Readings that were taken off.

        Raises:
            RegisterError: If it names a record that is not open and could not be registered.
            PurposeNeededError: If it does and the purpose was not stated where that is asked for.
        """
        records = _records_of(result)
        self._need_purpose(use, records)
        detail: dict[str, Any] = {
            "standalone": result.standalone,
            "readings": [reading.key for reading in result.readings],
            "without": list(without),
            "searched": {
                "records": result.coverage.records,
                "pages": result.coverage.pages,
                "unreadable_pages": result.coverage.unreadable_pages,
            },
        }
        common = {"question": result.question, "reading": result.reading, **self.versions()}
        if isinstance(result, Refusal):
            self._write(
                use, Action.REFUSE, records, outcome=result.reason.value, detail=detail, **common
            )
            return
        detail["lead"] = result.lead
        detail["quoted"] = [[c.record.record_id, c.page, c.start, c.end] for c in result.citations]
        detail["text_sha256"] = hashlib.sha256(answer_text(result).encode()).hexdigest()
        if result.prose is not None:
            common["model"] = f"{common['model']} + {result.prose.model}"
        self._write(
            use,
            Action.ANSWER,
            records,
            pages=_pages(result.citations, records),
            outcome="含连接语" if result.prose is not None else result.kind,
            detail=detail,
            **common,
        )

    def reopened(self, use: Use, result: Answer | Refusal) -> None:
        """A result out of the history is about to be shown again; raises as `answered`."""
        records = _records_of(result)
        if not records:
            return
        self._need_purpose(use, records)
        citations = result.citations if isinstance(result, Answer) else ()
        self._write(
            use,
            Action.REOPEN,
            records,
            pages=_pages(citations, records),
            question=result.question,
            reading=result.reading,
        )

    def searched(self, use: Use, words: str, citations: Sequence[Citation]) -> None:
        """Passages found are about to be given out, not as an answer; raises as `answered`."""
        records = list({c.record.record_id: c.record for c in citations}.values())
        self._need_purpose(use, records)
        self._write(
            use,
            Action.SEARCH,
            records,
            pages=_pages(citations, records),
            question=words,
            outcome=f"{len(citations)} 段",
            **self.versions(),
        )

    # -- giving out ---------------------------------------------------------------------------

    def page_shown(self, use: Use, record: Record, page: int, kind: str) -> None:
        """The text or picture of a page is about to be given out; once per use, not per size.

        Args:
            use: To whom.
            record: The record.
            page: 影像序号.
            kind: 文字 or 影像.

        Raises:
            RegisterError: If the record is not open and could not be registered.
            PurposeNeededError: If the purpose was not stated where that is asked for.
        """
        self._need_purpose(use, (record,))
        self._once(use, Action.VIEW_PAGE, record, page, kind)

    def record_shown(self, use: Use, record: Record) -> None:
        """The catalogue card of a record is about to be given out; raises as `page_shown`."""
        self._need_purpose(use, (record,))
        self._once(use, Action.VIEW_RECORD, record, 0, "")

    def listed(self, use: Use, records: Iterable[Record], what: str) -> None:
        """Titles are about to be given out in a list beside a page or an answer.

        Only those of records that are not open are written, once per use and list.

        Args:
            use: To whom.
            records: The records whose titles stand in it.
            what: The list, in a few words.

        Raises:
            RegisterError: If one is not open and could not be registered.
            PurposeNeededError: If the purpose was not stated where that is asked for.
        """
        closed = [record for record in records if is_closed(record)]
        if not closed:
            return
        self._need_purpose(use, closed)
        ids = ",".join(record.record_id for record in closed)
        with self._first(use, Action.VIEW_RECORD, what, ids) as first:
            if first.wanted:
                first.written = self._write(use, Action.VIEW_RECORD, closed, outcome=what)

    def exported(
        self,
        use: Use,
        records: Sequence[Record],
        kind: str,
        *,
        question: str = "",
        action: Action = Action.EXPORT,
        approver: str = "",
    ) -> None:
        """A file with records is about to be given out; raises as `page_shown`.

        Args:
            use: To whom.
            records: The records in it.
            kind: Kind of file, or what was printed.
            question: The question it answers, if any.
            action: `Action.EXPORT` or `Action.PRINT`.
            approver: Who allowed it, where somebody had to.
        """
        self._need_purpose(use, records)
        self._write(
            use, action, records, outcome=kind, question=question, copies=1, approver=approver
        )

    def denied(self, use: Use, record: Record | None, asked: str, reason: str = "") -> None:
        """Something was asked for and not given. Never raises: the caller's answer stays the same.

        Written for what does not exist as well, so that neither bytes nor time tell the two apart.

        Args:
            use: To whom.
            record: The record, None when there is none.
            asked: What was asked for, as far as it can be told.
            reason: Why not.
        """
        found = () if record is None else (record,)
        named = record.record_id if record is not None else asked[:200]
        try:
            with self._first(use, Action.DENIED, named) as first:
                if first.wanted:
                    self._register(
                        use,
                        Action.DENIED,
                        found,
                        record_ids=[named],
                        outcome=reason or _MISSING,
                    )
                    first.written = True
        except RegisterError as error:
            logger.error("a denied use was not registered: %s", error)

    # -- everything else ----------------------------------------------------------------------

    def did(
        self,
        use: Use,
        action: Action,
        outcome: str,
        detail: str | Mapping[str, Any] = "",
        *,
        must: bool = False,
        approver: str = "",
    ) -> None:
        """Something was done that gives out no record (settings, decisions, intake, the register).

        Args:
            use: By whom.
            action: What.
            outcome: In a few words.
            detail: More of it.
            must: Whether it may not happen without its entry.
            approver: Who decided.

        Raises:
            RegisterError: If `must` and it could not be written.
        """
        use = replace(use, purpose="", conversation="")
        try:
            self._register(use, action, (), outcome=outcome, detail=detail, approver=approver)
        except RegisterError as error:
            if must:
                raise
            logger.error("%s was not registered: %s", action.value, error)

    def looked(self, use: Use, what: str, detail: Mapping[str, Any]) -> None:
        """Somebody looked into the register or the feedback; once per use, never raises."""
        use = replace(use, purpose="", conversation="")
        try:
            with self._first(use, Action.REGISTER, what, str(sorted(detail.items()))) as first:
                if first.wanted:
                    self._register(use, Action.REGISTER, (), outcome=what, detail=detail)
                    first.written = True
        except RegisterError as error:
            logger.error("a look into the register was not registered: %s", error)

    def versions(self) -> dict[str, Any]:
        """Which holdings, index and model answer just now."""
        manifest = read_manifest(self._settings.index_path) or {}
        index = manifest.get("generation", "")
        return {
            "index_version": f"馆藏 {self._store.data_version}"
            + (f"，索引 {index}" if index else ""),
            "model": str(manifest.get("model", "")),
        }

    def _need_purpose(self, use: Use, records: Iterable[Record]) -> None:
        if use.purpose or asked_when(self._settings, use.reader) == "never":
            return
        if any(map(is_closed, records)):
            raise PurposeNeededError(command=use.channel is Channel.COMMAND)

    def _once(self, use: Use, action: Action, record: Record, page: int, kind: str) -> None:
        pages = [page] if page else []
        with self._first(use, action, record.record_id, page, kind) as first:
            if first.wanted:
                first.written = self._write(use, action, (record,), pages=pages, outcome=kind)

    def _first(self, use: Use, *key: object) -> _First:
        whole = (use.reader, use.channel, *key)
        return _First(self._seen, self._seen_lock, self._locks[hash(whole) % 16], whole)

    def _write(self, use: Use, action: Action, records: Sequence[Record], **more: Any) -> bool:
        """Write an entry; gives whether it was, raises when it was not and has to be."""
        try:
            self._register(use, action, records, **more)
        except RegisterError as error:
            logger.error("%s was not registered: %s", action.value, error)
            if any(map(is_closed, records)):
                msg = "利用登记现在写不进去，未开放的档案暂不提供。请告诉管理员检查磁盘空间和权限。"
                raise RegisterError(msg) from error
            return False
        return True

    def _register(self, use: Use, action: Action, records: Sequence[Record], **more: Any) -> None:
        more.setdefault("record_ids", [record.record_id for record in records])
        self.register.write(
            use.reader,
            action,
            titles=[record.title for record in records],
            channel=use.channel.value,
            address=use.address,
            conversation=use.conversation,
            purpose=use.purpose,
            **more,
        )


class _First:
    """Whether a use is the first of its kind for a while; the same use waits for its entry.

    Attributes:
        wanted: Whether an entry is to be written.
        written: Set by the caller once it is; only then the next one is passed over.
    """

    def __init__(
        self,
        seen: OrderedDict[tuple[object, ...], float],
        seen_lock: threading.Lock,
        lock: threading.Lock,
        key: tuple[object, ...],
    ) -> None:
        self._seen, self._seen_lock, self._lock, self._key = seen, seen_lock, lock, key
        self.wanted = True
        self.written = False

    def __enter__(self) -> _First:
        self._lock.acquire()
        with self._seen_lock:
            at = self._seen.get(self._key)
        self.wanted = at is None or time.monotonic() - at >= SAME_USE_S
        return self

    def __exit__(self, *_: object) -> None:
        if self.written:
            with self._seen_lock:
                self._seen[self._key] = time.monotonic()
                self._seen.move_to_end(self._key)
                while len(self._seen) > _KEPT:
                    self._seen.popitem(last=False)
        self._lock.release()


class UseContext:
    """The innermost layer: remembers the request, so that `UseLog.here` finds it further down."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = _HERE.set(HTTPConnection(scope))
        try:
            await self._app(scope, receive, send)
        finally:
            _HERE.reset(token)


def _channel(scope: Mapping[str, Any]) -> Channel:
    if CHANNEL_KEY in scope:
        return Channel(scope[CHANNEL_KEY])
    if "path" in scope and is_api_path(site_path(dict(scope))):
        return Channel.API
    return Channel.WIDGET if PLACE_KEY in scope else Channel.WEB


def _pages(citations: Iterable[Citation], records: Iterable[Record]) -> list[str]:
    """The pages quoted of each record, as they are written into an entry."""
    pages: dict[str, set[int]] = {}
    for citation in citations:
        pages.setdefault(citation.record.record_id, set()).add(citation.page)
    return ["、".join(map(str, sorted(pages.get(r.record_id, ())))) for r in records]


def add_handlers(app: FastAPI) -> None:
    """Let routes raise: a failing register, a missing purpose, a number too large become answers."""

    def broken(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, headers={"Cache-Control": "no-store"})

    def needed(_request: Request, error: Exception) -> JSONResponse:
        body = {"detail": str(error), "purpose": True}
        return JSONResponse(body, 409, headers={"Cache-Control": "no-store"})

    def beyond(_request: Request, _error: Exception) -> JSONResponse:
        # a page or decision numbered past 64 bits, which the database cannot even be asked for
        body = {"detail": strings.NOT_AVAILABLE}
        return JSONResponse(body, 404, headers={"Cache-Control": "private, no-store"})

    app.add_exception_handler(RegisterError, broken)
    app.add_exception_handler(OverflowError, beyond)
    app.add_exception_handler(PurposeNeededError, needed)


def _records_of(result: Answer | Refusal) -> list[Record]:
    """The records a result names, each once: quoted, listed, then merely named."""
    if isinstance(result, Refusal):
        named: Iterable[Record] = result.records
    else:
        named = (
            *(citation.record for citation in result.citations),
            *(row.record for row in result.listings),
            *(s.record for m in result.precedents for s in m.steps if s.record is not None),
            *result.related,
        )
    return list({record.record_id: record for record in named}.values())
