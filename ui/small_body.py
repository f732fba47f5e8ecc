"""Reads the small body of a request, never more of it than is allowed."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


async def small_bytes(request: Request, longest: int) -> bytearray | None:
    """A body of at most so many bytes; None, without reading on, for a longer one."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > longest:
            return None
    return content


def is_json(request: Request) -> bool:
    """Whether a request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    return media_type == "application/json"


async def small_json(request: Request, longest: int) -> dict[str, Any] | None:
    """A JSON object of at most so many bytes; None for anything else.

    A form of another site cannot send this media type without asking first, which the gate denies:
    a second lock beside its look at the Origin.
    """
    content = await small_bytes(request, longest) if is_json(request) else None
    if content is None:
        return None
    try:
        body = json_of(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def json_of(content: bytes | bytearray) -> Any:
    """What a body says.

    Raises:
        ValueError: If it is no JSON, nested too deeply, or names characters there are not: half of a
            surrogate pair passes as text and fails wherever it is written (database, answer).
    """
    try:
        found = json.loads(content)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error
    return found
