"""The ingest page (入库管理) and its routes; for the archivist, and absent for everybody else."""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from assistant.register import Action
from index.access import may_manage_intake
from index.domain import Reader
from index.errors import ArchiveError
from index.settings import Settings
from index.store import Store
from ui import strings
from ui.api import not_available
from ui.frame import page_html
from ui.intake import Intake
from ui.reader import current_reader
from ui.small_body import small_json
from ui.usage import UseLog

logger = logging.getLogger(__name__)

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_BODY: Final = 20_000
#: What the use register says of the actions of the page, and which fields of theirs it keeps.
_INTAKE_WORDS: Final = {
    "check": "预览",
    "start": "开始入库",
    "pause": "暂停入库",
    "resume": "继续入库",
    "stop": "停止入库",
    "retry": "重试失败的文件",
}
_TOLD: Final = ("source", "place", "force", "number", "by", "reason", "paper")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def build_admin_router(
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
    intake = Intake(store, settings)

    def archivist(request: Request) -> Reader | None:
        reader = current_reader(request, settings)
        verdict = may_manage_intake(reader)
        if not verdict.allowed:
            uses.denied(uses.of(request, reader), None, request.url.path, verdict.reason)
        return reader if verdict.allowed else None

    @router.get("/admin/ingest")
    def page(request: Request) -> Response:
        reader = archivist(request)
        if reader is None:
            return not_available()
        content = page_html(
            settings,
            reader,
            version,
            address="admin/ingest",
            title="入库管理",
            main_id="ad-main",
            scripts=("admin.js",),
            styles=("admin.css",),
            body_class="cd-plain ad",
            data={"reader": reader.name},
            heading=True,
        )
        return HTMLResponse(content, headers=_PRIVATE)

    @router.get("/api/admin/ingest")
    def state(request: Request) -> Response:
        return not_available() if archivist(request) is None else _json(intake.state())

    @router.get("/api/admin/ingest/details")
    def details(request: Request) -> Response:
        return not_available() if archivist(request) is None else _json(intake.details())

    @router.get("/admin/reports/{name}")
    def report(request: Request, name: str) -> Response:
        path = None if archivist(request) is None else intake.report_file(name)
        if path is None:
            return not_available()
        shown = path.suffix == ".html"
        return FileResponse(
            path,
            media_type=_TYPES[path.suffix],
            filename=path.name,
            content_disposition_type="inline" if shown else "attachment",
            headers=_PRIVATE,
        )

    @router.post("/api/admin/ingest/{action}")
    async def act(request: Request, action: str) -> Response:
        # Rights before the body is looked at: a stranger learns nothing from a wrong one.
        reader = await run_in_threadpool(archivist, request)
        if reader is None or action not in intake.actions:
            return not_available()
        body = await small_json(request, _LONGEST_BODY)
        if body is None:
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        logger.info("ingest page: %s by %s", action, reader.name)
        try:
            said = await run_in_threadpool(_registered, uses, request, intake, action, body)
        except ArchiveError as error:
            return JSONResponse({"detail": str(error)}, 409, headers=_PRIVATE)
        return _json({"said": said})

    return router


def _registered(
    uses: UseLog, request: Request, intake: Intake, action: str, body: dict[str, Any]
) -> str:
    """Do what the page asks, with its use entry.

    The entry of a decision about a held record comes first: without it nothing is decided.
    """
    use = uses.of(request)
    if action != "decide":
        said = intake.actions[action](body)
        uses.did(use, Action.INTAKE, _INTAKE_WORDS.get(action, action), _told(body))
        return said
    approver = str(body.get("by", ""))
    decision = str(body.get("decision", ""))
    uses.did(use, Action.REVIEW, decision, _told(body), must=True, approver=approver)
    try:
        return intake.actions[action](body)
    except ArchiveError as error:
        uses.did(use, Action.REVIEW, f"{decision}：未成", str(error), approver=approver)
        raise


def _told(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _TOLD if name in body}


def _json(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_PRIVATE)
