"""OpenAI-compatible calls: other in-house systems ask the archive as if it were a chat model.

The last user message is the question, those before it the conversation. What comes back is the
extractive answer as text; no language model is asked, whatever parameters a client sends. Quotations
with their places are in the extension field `chadang`, byte for byte as stored.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from assistant.domain import Answer, Refusal
from ui.api_errors import (
    INVALID,
    PRIVATE,
    UNKNOWN_CALL,
    ApiError,
    as_api_error,
    read_json,
    validated,
)
from ui.api_gate import calling
from ui.api_models import LONGEST_QUESTION
from ui.api_service import ApiService, answered
from ui.api_v1 import EVENT_STREAM, STREAMED
from ui.escaping import md_escape
from ui.plain_answer import plain_blocks

MODEL: Final = "chadang"
#: Clients send long system prompts and whole conversations; nearly all of it is ignored.
_LONGEST_BODY: Final = 512_000
_EARLIER: Final = 6
_LISTED: Final = 200
_TYPES: Final = {401: "authentication_error", 429: "rate_limit_error"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: str
    text: str = ""


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: str
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(p.text for p in self.content if p.type == "text").strip()
        return (self.content or "").strip()


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class _Extension(BaseModel):
    """What only this product knows; unlike OpenAI's own parameters it is checked."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["text", "markdown"] = "text"
    without: list[str] = Field(default=[], max_length=20)


class _ChatRequest(BaseModel):
    """OpenAI's parameters that mean something here; all others are accepted and ignored."""

    model_config = ConfigDict(extra="ignore")
    messages: list[_Message] = Field(min_length=1, max_length=1000)
    model: str = MODEL
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    chadang: _Extension = _Extension()

    @property
    def questions(self) -> list[str]:
        """The user's messages in order; the last one is the question."""
        return [m.text for m in self.messages if m.role == "user"]


def build_openai_router(service: ApiService) -> APIRouter:
    """The routes /v1/chat/completions and /v1/models."""
    router = APIRouter()
    settings = service.settings
    created = int(time.time())

    @router.get("/v1/models")
    async def models(request: Request) -> Response:
        try:
            await run_in_threadpool(calling, request, settings, service.uses)
        except Exception as error:  # noqa: BLE001 - the edge of the API
            return _failed(error)
        return JSONResponse({"object": "list", "data": [_model(created)]}, headers=PRIVATE)

    @router.get("/v1/models/{name}")
    async def model(request: Request, name: str) -> Response:
        try:
            await run_in_threadpool(calling, request, settings, service.uses)
            if name != MODEL:
                raise ApiError(UNKNOWN_CALL, f"没有别的模型，请写 {MODEL}。", "No such model.")
        except Exception as error:  # noqa: BLE001 - the edge of the API
            return _failed(error)
        return JSONResponse(_model(created), headers=PRIVATE)

    @router.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        try:
            use = await run_in_threadpool(calling, request, settings, service.uses)
            asked = validated(_ChatRequest, await read_json(request, _LONGEST_BODY))
            questions = asked.questions
            if not questions or not questions[-1]:
                raise ApiError(INVALID, "没有用户消息，不知道问什么。", "There is no user message.")
            earlier = [q for q in questions[:-1] if 0 < len(q) <= LONGEST_QUESTION][-_EARLIER:]
            result = await run_in_threadpool(
                service.result, questions[-1], use, earlier, asked.chadang.without
            )
        except Exception as error:  # noqa: BLE001 - the edge of the API
            return _failed(error)
        blocks = plain_blocks(result)
        if asked.chadang.format == "markdown":
            blocks = [md_escape(block) for block in blocks]
        reply = _Reply(asked, blocks, _extension(result))
        if asked.stream:
            return StreamingResponse(reply.chunks(), media_type=EVENT_STREAM, headers=STREAMED)
        return JSONResponse(reply.whole(), headers=PRIVATE)

    @router.api_route("/v1/{rest:path}", methods=["GET", "POST"])
    async def unknown(rest: str) -> Response:
        return _failed(
            ApiError(
                UNKNOWN_CALL,
                "这里只有 /v1/chat/completions 和 /v1/models。",
                "Only /v1/chat/completions and /v1/models are served.",
            )
        )

    return router


class _Reply:
    """One completion, whole or in chunks."""

    def __init__(
        self, asked: _ChatRequest, blocks: list[str], extension: Mapping[str, Any]
    ) -> None:
        self._blocks = blocks
        self._extension = extension
        self._usage = asked.stream_options is not None and asked.stream_options.include_usage
        self._head = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": MODEL,
        }

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "\n\n".join(self._blocks), "refusal": None}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [
                {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            ],
            "usage": _USAGE,
            "chadang": self._extension,
        }

    async def chunks(self) -> AsyncIterator[str]:
        yield self._chunk({"role": "assistant", "content": ""})
        for number, block in enumerate(self._blocks):
            yield self._chunk({"content": block if number == 0 else f"\n\n{block}"})
        yield self._chunk({}, "stop", {"chadang": self._extension})
        if self._usage:
            body = {**self._head, "object": "chat.completion.chunk", "choices": []}
            yield _data({**body, "usage": _USAGE})
        yield "data: [DONE]\n\n"

    def _chunk(
        self,
        delta: Mapping[str, str],
        finish: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        body = {**self._head, "object": "chat.completion.chunk", "choices": [choice]}
        return _data({**body, **(more or {})})


#: No language model took part, so no tokens were used.
_USAGE: Final = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _data(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _extension(result: Answer | Refusal) -> dict[str, Any]:
    """Citations and the rest of the answer, as /api/v1/ask gives them, without the text again."""
    return answered(result, _LISTED).model_dump(exclude={"text"})


def _model(created: int) -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": created, "owned_by": MODEL}


def _failed(error: Exception) -> Response:
    known = as_api_error(error)
    status = known.kind.status
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    body = {
        "message": f"{known.message}{known.kind.next_step}",
        "type": kind,
        "param": None,
        "code": known.kind.code,
    }
    return JSONResponse({"error": body}, status, headers={**PRIVATE, **known.headers})
