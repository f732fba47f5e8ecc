"""The HTTP API for in-house programs, /api/v1: JSON, or events where an answer comes in stages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from assistant.domain import Answer
from ui import strings
from ui.api_errors import (
    NOT_AVAILABLE,
    PRIVATE,
    UNKNOWN_CALL,
    WRONG_METHOD,
    ApiError,
    ApiRoute,
    as_api_error,
    read_body,
    read_query,
)
from ui.api_gate import calling
from ui.api_models import (
    AskRequest,
    CountsRequest,
    ImageQuery,
    LanguageQuery,
    PageQuery,
    PrecedentsRequest,
    SearchQuery,
)
from ui.api_service import ApiService, answered
from ui.openapi import docs_page, openapi_document
from ui.readiness import readiness
from ui.usage import Use

EVENT_STREAM: Final = "text/event-stream"
#: Proxies must pass events on as they come.
STREAMED: Final = {**PRIVATE, "X-Accel-Buffering": "no"}


def build_api_router(service: ApiService, version: str) -> APIRouter:
    """The routes.

    Args:
        service: What is called.
        version: Version of our static files, for the address in the docs page.
    """
    router = APIRouter(route_class=ApiRoute)
    settings = service.settings

    async def calling_use(request: Request) -> Use:
        return await run_in_threadpool(calling, request, settings, service.uses)

    @router.get("/readyz")
    def readyz() -> Response:
        body = readiness(service.assistant)
        headers = {"Cache-Control": "no-store"}
        return JSONResponse(body.model_dump(), 200 if body.ready else 503, headers=headers)

    @router.get("/api/v1/openapi.json")
    async def document(request: Request) -> Response:
        lang = read_query(request, LanguageQuery).lang
        content = openapi_document(lang, str(request.scope.get("root_path", "")))
        return JSONResponse(content, headers={"Cache-Control": "no-cache"})

    @router.get("/api/v1/docs")
    async def docs() -> Response:
        page = docs_page(settings.text("archive_name"), version, mcp=bool(settings.values["mcp"]))
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    @router.post("/api/v1/ask")
    async def ask(request: Request) -> Response:
        use = await calling_use(request)
        body = await read_body(request, AskRequest)
        if wants_events(request):
            events = _events(service, body, use)
            return StreamingResponse(events, media_type=EVENT_STREAM, headers=STREAMED)
        return _json(await run_in_threadpool(service.ask, body, use))

    @router.post("/api/v1/counts")
    async def counts(request: Request) -> Response:
        use = await calling_use(request)
        body = await read_body(request, CountsRequest)
        return _json(await run_in_threadpool(service.counts, body, use))

    @router.post("/api/v1/precedents")
    async def precedents(request: Request) -> Response:
        use = await calling_use(request)
        body = await read_body(request, PrecedentsRequest)
        return _json(await run_in_threadpool(service.precedents, body, use))

    @router.get("/api/v1/search")
    async def search(request: Request) -> Response:
        use = await calling_use(request)
        query = read_query(request, SearchQuery)
        return _json(await run_in_threadpool(service.search, query, use))

    @router.get("/api/v1/records/{token}")
    async def record(request: Request, token: str) -> Response:
        use = await calling_use(request)
        return _json(await run_in_threadpool(service.record, token, use))

    @router.get("/api/v1/records/{token}/pages/{n}")
    async def page(request: Request, token: str, n: str) -> Response:
        use = await calling_use(request)
        query = read_query(request, PageQuery)
        return _json(await run_in_threadpool(service.page, token, page_number(n), query, use))

    @router.get("/api/v1/records/{token}/pages/{n}/image")
    async def image(request: Request, token: str, n: str) -> Response:
        use = await calling_use(request)
        width = read_query(request, ImageQuery).w
        tag, content = await run_in_threadpool(service.image, token, page_number(n), width, use)
        headers = {"Cache-Control": "private, no-cache", "ETag": f'"{tag}"'}
        if request.headers.get("if-none-match") == f'"{tag}"':
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="image/jpeg", headers=headers)

    # Paths of the API that lead nowhere answer in its shape too; they come last.
    known = {route.path: route.methods for route in router.routes if isinstance(route, ApiRoute)}

    @router.api_route("/api/v1/{rest:path}", methods=["GET", "POST"], include_in_schema=False)
    async def unknown(request: Request, rest: str) -> Response:
        await calling_use(request)
        called = f"/api/v1/{rest}"
        if called in known:
            raise ApiError(WRONG_METHOD)
        raise ApiError(UNKNOWN_CALL)

    return router


def wants_events(request: Request) -> bool:
    """Whether a caller wants the answer in stages."""
    return EVENT_STREAM in request.headers.get("accept", "").lower()


def page_number(text: str) -> int:
    """影像序号 in an address.

    Raises:
        ApiError: If it is no number; the same as for a page that does not exist.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ApiError(NOT_AVAILABLE)
    return int(text)


def event(name: str, body: Any) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"


async def _events(service: ApiService, body: AskRequest, use: Use) -> AsyncIterator[str]:
    """Stages of an answer: searching, answer, composing, prose, done; an error ends them."""
    yield event("stage", {"stage": "searching", "message": strings.SEARCHING})
    try:
        result = await run_in_threadpool(
            service.result, body.question, use, body.earlier, body.without
        )
        yield event("answer", answered(result, body.listings).model_dump())
        if body.compose and service.composes and isinstance(result, Answer):
            yield event("stage", {"stage": "composing", "message": strings.COMPOSING})
            composed = await run_in_threadpool(service.composed, result, use)
            prose = answered(composed, body.listings).prose
            yield event("prose", None if prose is None else prose.model_dump())
    except Exception as error:  # noqa: BLE001 - the headers have gone; the stream says it
        yield event("error", as_api_error(error).body)
        return
    yield event("done", {})


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers=PRIVATE)
