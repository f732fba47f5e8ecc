"""The pages of administration: overview, opening marks, vocabulary, settings, examination, log.

Every route asks the right of its own area in `index.access` before it looks at what was sent; for
others it answers as a route that does not exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from assistant.register import Action
from index.access import (
    Verdict,
    may_decide_opening,
    may_edit_vocabulary,
    may_manage,
    may_manage_intake,
    may_operate,
)
from index.domain import Reader
from index.errors import ArchiveError
from index.settings import Settings
from index.store import Store
from ui import strings
from ui.api import not_available
from ui.examination import Examination
from ui.frame import PLACES, page_html
from ui.log_file import LEVELS, log_lines
from ui.opening_page import OpeningPage
from ui.reader import current_reader
from ui.settings_view import settings_json
from ui.small_body import small_json
from ui.usage import UseLog
from ui.vocabulary_page import VocabularyPage

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_BODY: Final = 1_000_000
#: Fields of an action that the use register keeps.
_TOLD: Final = (
    "preset", "doc_type", "state", "first_year", "last_year", "title", "codes", "without", "reason",
    "on", "note", "number", "values", "colloquial", "official",
)  # fmt: skip
_VOCABULARY_WORDS: Final = {
    "put": "改口语对照表", "drop": "删口语对照表一行", "disable": "停用口语对照表一行",
}  # fmt: skip
_PAGES: Final[tuple[tuple[str, str, Callable[[Reader], Verdict]], ...]] = (
    ("admin", "manage-overview.js", may_manage),
    ("admin/opening", "manage-opening.js", may_decide_opening),
    ("admin/vocabulary", "manage-vocabulary.js", may_edit_vocabulary),
    ("admin/settings", "manage-settings.js", may_operate),
    ("admin/doctor", "manage-doctor.js", may_operate),
    ("admin/logs", "manage-logs.js", may_operate),
)


def build_manage_router(
    store: Store, settings: Settings, version: str, uses: UseLog | None = None
) -> APIRouter:
    """The routes over one home.

    Args:
        store: The holdings.
        settings: Settings in force.
        version: Version of our static files, for their addresses.
        uses: Writes the use register; one of its own when None.
    """
    uses = uses or UseLog(settings, store)
    router = APIRouter()
    examination = Examination(settings)
    opening = OpeningPage(store)
    vocabulary = VocabularyPage(settings.home)

    def allowed(request: Request, may: Callable[[Reader], Verdict]) -> Reader | None:
        reader = current_reader(request, settings)
        verdict = may(reader)
        if not verdict.allowed:
            uses.denied(uses.of(request, reader), None, request.url.path, verdict.reason)
        return reader if verdict.allowed else None

    def add_page(address: str, script: str, may: Callable[[Reader], Verdict]) -> None:
        title = next(place.name for place in PLACES if place.address == address)

        def page(request: Request) -> Response:
            reader = allowed(request, may)
            if reader is None:
                return not_available()
            content = page_html(
                settings, reader, version, address=address, title=title, main_id="ad-main",
                scripts=(script,), styles=("admin.css", "manage.css"), body_class="cd-plain ad",
                data={"reader": reader.name}, heading=True,
            )  # fmt: skip
            return HTMLResponse(content, headers=_PRIVATE)

        router.add_api_route(f"/{address}", page, methods=["GET"])

    for address, script, may in _PAGES:
        add_page(address, script, may)

    @router.get("/api/admin/overview")
    def overview(request: Request) -> Response:
        reader = allowed(request, may_manage)
        return not_available() if reader is None else _json(_overview(store, reader))

    @router.get("/api/admin/settings")
    def all_settings(request: Request) -> Response:
        reader = allowed(request, may_operate)
        return not_available() if reader is None else _json(settings_json(settings))

    @router.get("/api/admin/logs")
    def logs(request: Request, level: str = "INFO", count: int = 300) -> Response:
        if allowed(request, may_operate) is None:
            return not_available()
        lines = log_lines(settings.home, level, min(2000, max(1, count)))
        shown = [{"at": x.at, "level": x.level, "where": x.where, "what": x.what} for x in lines]
        return _json({"levels": list(LEVELS[1:4]), "lines": shown})

    @router.get("/api/admin/doctor")
    def doctor(request: Request) -> Response:
        reader = allowed(request, may_operate)
        if reader is None:
            return not_available()
        return _json(examination.state(names=may_manage_intake(reader).allowed))

    @router.post("/api/admin/doctor")
    def start_doctor(request: Request) -> Response:
        reader = allowed(request, may_operate)
        if reader is None:
            return not_available()
        examination.start()
        return _json(examination.state(names=may_manage_intake(reader).allowed))

    @router.get("/api/admin/opening")
    def opening_state(request: Request) -> Response:
        reader = allowed(request, may_decide_opening)
        return not_available() if reader is None else _json(opening.state())

    @router.get("/api/admin/opening/{number}")
    def opening_batch(request: Request, number: int) -> Response:
        found = None
        if allowed(request, may_decide_opening) is not None:
            found = opening.batch(number)
        return not_available() if found is None else _json(found)

    @router.post("/api/admin/opening/{action}")
    async def opening_act(request: Request, action: str) -> Response:
        return await act(request, action, may_decide_opening, opening.actions)

    @router.get("/api/admin/vocabulary")
    def vocabulary_state(request: Request, q: str = "") -> Response:
        if allowed(request, may_edit_vocabulary) is None:
            return not_available()
        try:
            return _json(vocabulary.state(q[:100]))
        except ArchiveError as error:
            return _refused(error)

    @router.post("/api/admin/vocabulary/{action}")
    async def vocabulary_act(request: Request, action: str) -> Response:
        return await act(request, action, may_edit_vocabulary, vocabulary.actions)

    async def act(
        request: Request,
        action: str,
        may: Callable[[Reader], Verdict],
        actions: dict[str, Callable[[dict[str, Any], Reader, str], dict[str, Any]]],
    ) -> Response:
        # Rights before the body is looked at: a stranger learns nothing from a wrong one.
        reader = await run_in_threadpool(allowed, request, may)
        if reader is None or action not in actions:
            return not_available()
        body = await small_json(request, _LONGEST_BODY)
        if body is None:
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        try:
            done = await run_in_threadpool(registered, request, action, actions[action], body)
        except ArchiveError as error:
            return _refused(error)
        return _json(done)

    def registered(
        request: Request,
        action: str,
        act: Callable[[dict[str, Any], Reader, str], dict[str, Any]],
        body: dict[str, Any],
    ) -> dict[str, Any]:
        """Do what the page asks, with its use entry; without that entry nothing is decided."""
        use = uses.of(request)
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        opens = action in ("decide", "undo")
        told = {name: body[name] for name in _TOLD if body.get(name)}
        approver = str(body.get("by", ""))
        outcome = str(body.get("result", "")) if action == "decide" else "撤销登记"
        if opens:
            uses.did(use, Action.OPENING, outcome, told, must=True, approver=approver)
        try:
            done = act(body, use.reader, now)
        except ArchiveError as error:
            if opens:
                uses.did(use, Action.OPENING, f"{outcome}：未成", str(error), approver=approver)
            raise
        if opens:
            uses.did(use, Action.OPENING, outcome, done["said"], approver=approver)
        elif action in _VOCABULARY_WORDS:
            uses.did(use, Action.SETTING, _VOCABULARY_WORDS[action], told)
        return done

    return router


def _levels(store: Store) -> str:
    """Entries of the catalogue, items and volumes apart: a volume is no item (件)."""
    volumes = sum(1 for record in store.records() if record.unit_level == "案卷")
    items = store.counts()["records"] - volumes
    return f"{items} 件、案卷 {volumes} 卷" if volumes else f"{items} 件"


def _overview(store: Store, reader: Reader) -> dict[str, Any]:
    places = [
        {"address": p.address, "name": p.name, "purpose": p.purpose}
        for p in PLACES
        if p.manage and p.address != "admin" and p.may(reader)
    ]
    facts: list[tuple[str, str]] = []
    if may_manage_intake(reader).allowed:
        counts = store.counts()
        facts += [
            ("目录", _levels(store)),
            ("有原文的", f"{counts['records_with_pages']} 件（卷）、{counts['pages']} 页"),
            ("读不出的页", f"{counts['unreadable_pages']} 页"),
        ]
    if may_decide_opening(reader).allowed:
        from index.access import opened
        from index.opening_decisions import OpeningDecisions

        facts.append(("已开放", f"{sum(1 for r in store.records() if opened(r))} 件"))
        facts.append(("开放登记与目录矛盾", f"{len(OpeningDecisions(store).conflicts())} 件"))
    made = store.meta("last_backup")
    facts.append(("上次备份", made[:10] if made else "还没有"))
    return {"places": places, "facts": facts}


def _refused(error: ArchiveError) -> Response:
    return JSONResponse({"detail": str(error)}, 409, headers=_PRIVATE)


def _json(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_PRIVATE)
