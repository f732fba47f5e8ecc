"""Errors of the HTTP API: one shape, Chinese and English, and the reading of bodies with limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from assistant.domain import AssistantError
from assistant.register import RegisterError
from index.errors import ArchiveError
from ui.purposes import PurposeNeededError
from ui.small_body import is_json, json_of, small_bytes

logger = logging.getLogger(__name__)

PRIVATE: Final = {"Cache-Control": "private, no-store"}
#: Bytes of a request body; a question with its conversation is a few kilobytes.
LONGEST_BODY: Final = 64_000

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: status, code, sentences."""

    status: int
    code: str
    message: str
    message_en: str
    next_step: str


NOT_AVAILABLE: Final = Kind(
    404,
    "not_available",
    "没有这份档案，或您无权查阅。",
    "There is no such record, or you may not read it.",
    "请核对档号；需要查阅未开放的档案，请按程序申请。",
)
UNKNOWN_CALL: Final = Kind(
    404, "unknown_call", "没有这个接口。", "There is no such call.", "接口列表见 /api/v1/docs。"
)
WRONG_METHOD: Final = Kind(
    405,
    "wrong_method",
    "这个接口不用这种方法调用。",
    "This call takes another method.",
    "接口列表见 /api/v1/docs。",
)
NO_TOKEN: Final = Kind(
    401,
    "token_needed",
    "请带上接口令牌。",
    "A token is needed.",
    "请管理员用 chadang tokens add 发一个令牌，放在请求头 Authorization: Bearer cd_… 里。",
)
BAD_TOKEN: Final = Kind(
    401,
    "bad_token",
    "接口令牌无效、已过期或已停用。",
    "The token is unknown, expired or revoked.",
    "请管理员用 chadang tokens list 查看，必要时另发一个。",
)
TOO_MANY: Final = Kind(
    429,
    "too_many_requests",
    "请求太密。",
    "Too many requests.",
    "请等 Retry-After 给出的秒数再试；需要更多请管理员调整设置 api_per_minute。",
)
TOO_LARGE: Final = Kind(
    413, "too_large", "请求内容太长。", "The request body is too large.", "请缩短后再发。"
)
NOT_JSON: Final = Kind(
    415,
    "not_json",
    "请求内容要用 JSON。",
    "The body must be JSON.",
    "请把 Content-Type 设为 application/json。",
)
MALFORMED: Final = Kind(
    400,
    "malformed_json",
    "请求内容不是有效的 JSON。",
    "The body is not valid JSON.",
    "请检查引号和逗号。",
)
INVALID: Final = Kind(
    422,
    "invalid_request",
    "请求不合要求。",
    "The request is not valid.",
    "请照 /api/v1/docs 或 /api/v1/openapi.json 改正。",
)
QUESTION: Final = Kind(
    400, "bad_question", "这个问题不能问。", "The question cannot be asked.", "请改写后再问。"
)
NOT_COUNTED: Final = Kind(
    422,
    "not_a_catalogue_question",
    "这个问题不能从目录统计。",
    "The catalogue does not answer this question.",
    "请写明统计的条件（年份、文种、届次等），或改用 /api/v1/ask。",
)
PURPOSE: Final = Kind(
    409,
    "purpose_needed",
    "请先写明利用目的。",
    "State the purpose of use first.",
    "请在请求头 Chadang-Purpose 里写一项（百分号编码的 UTF-8）：工作查考、编史修志、学术研究、落实政策、其他：……。",
)
REGISTER: Final = Kind(
    503,
    "register_unavailable",
    "利用登记现在写不进去，未开放的档案暂不提供。",
    "The use register cannot be written; records that are not open are withheld.",
    "请告诉管理员检查磁盘空间和权限。",
)
CHANGED: Final = Kind(
    409,
    "holdings_changed",
    "馆藏刚有变动。",
    "The holdings have just changed.",
    "请再问一次。",
)
IMAGE_BROKEN: Final = Kind(
    410,
    "image_broken",
    "这一页的影像打不开，原文件可能已被移动。",
    "The picture of this page cannot be drawn.",
    "请查看本页文字，并告诉档案管理员。",
)
BUSY: Final = Kind(
    503, "busy", "现在问的人太多。", "Too many questions are waiting.", "请过几秒再试。"
)
UNAVAILABLE: Final = Kind(
    503,
    "unavailable",
    "现在不能查档。",
    "The archive cannot be searched now.",
    "请稍后再试；一直如此请联系管理员，看 /readyz 缺什么。",
)
FAILED: Final = Kind(
    500,
    "failed",
    "这一次没有查成，系统已记下原因。",
    "This request failed; the reason has been logged.",
    "请稍后再试；一直如此请联系管理员。",
)


class ApiError(ArchiveError):
    """An error to be sent as such."""

    def __init__(
        self,
        kind: Kind,
        message: str = "",
        message_en: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make one; a message replaces the kind's own."""
        super().__init__(message or kind.message)
        self.kind = kind
        self.message = message or kind.message
        self.message_en = message_en or kind.message_en
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The body sent."""
        return {
            "error": {
                "code": self.kind.code,
                "message": self.message,
                "message_en": self.message_en,
                "next_step": self.kind.next_step,
            }
        }

    def response(self) -> Response:
        """The response sent."""
        headers = {**PRIVATE, **self.headers}
        if self.kind.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body, self.kind.status, headers=headers)


def as_api_error(error: Exception) -> ApiError:
    """The error a caller is told about; what is not theirs to know is logged."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, AssistantError):
        return ApiError(QUESTION, str(error))
    if isinstance(error, PurposeNeededError):
        return ApiError(PURPOSE)
    if isinstance(error, RegisterError):
        return ApiError(REGISTER)
    if isinstance(error, ArchiveError):
        logger.warning("the archive cannot be searched: %s", error)
        return ApiError(UNAVAILABLE)
    logger.error("a call failed", exc_info=error)
    return ApiError(FAILED)


class ApiRoute(APIRoute):
    """A route whose errors all have the API's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with errors turned into responses."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:  # noqa: BLE001 - the edge of the API
                return as_api_error(error).response()

        return guarded


# -- reading requests -----------------------------------------------------------------------------


async def read_json(request: Request, longest: int = LONGEST_BODY) -> Any:
    """The JSON body of a request.

    Raises:
        ApiError: If it is not JSON, or longer than `longest` bytes.
    """
    if not is_json(request):
        raise ApiError(NOT_JSON)
    content = await small_bytes(request, longest)
    if content is None:
        raise ApiError(TOO_LARGE)
    try:
        return json_of(content)
    except ValueError:
        raise ApiError(MALFORMED) from None


async def read_body(request: Request, model: type[Model], longest: int = LONGEST_BODY) -> Model:
    """The body of a request as a model.

    Raises:
        ApiError: If it is not JSON, too long, or not what the model says.
    """
    return validated(model, await read_json(request, longest))


def read_query(request: Request, model: type[Model]) -> Model:
    """The query parameters of a request as a model.

    Raises:
        ApiError: If they are not what the model says, or one is given twice.
    """
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ApiError(INVALID, "同一个参数写了两次。", "A parameter is given twice.")
    return validated(model, values)


def validated(model: type[Model], value: Any) -> Model:
    """A value as a model.

    Raises:
        ApiError: With what is wrong, where, in both languages.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:5]
        raise ApiError(
            INVALID,
            "；".join(_in_chinese(item) for item in found) + "。",
            "; ".join(f"{_where(item)}: {item['msg']}" for item in found) + ".",
        ) from None


#: What pydantic finds, by type, as said in Chinese; `{…}` are values of its context.
_FOUND: Final = {
    "missing": "缺少 {where}",
    "extra_forbidden": "不认识 {where}",
    "string_type": "{where} 应是文字",
    "string_too_long": "{where} 太长，最多 {max_length} 字",
    "string_too_short": "{where} 太短，至少 {min_length} 字",
    "string_pattern_mismatch": "{where} 的写法不对",
    "int_type": "{where} 应是整数",
    "int_parsing": "{where} 应是整数",
    "int_parsing_size": "{where} 太大",
    "int_from_float": "{where} 应是整数",
    "bool_type": "{where} 应是 true 或 false",
    "list_type": "{where} 应是列表",
    "dict_type": "{where} 应是对象",
    "model_type": "{where} 应是 JSON 对象",
    "too_long": "{where} 最多 {max_length} 项",
    "too_short": "{where} 至少 {min_length} 项",
    "greater_than_equal": "{where} 不能小于 {ge}",
    "less_than_equal": "{where} 不能大于 {le}",
}


def _where(item: Any) -> str:
    # Names come from the caller: shortened, so that an error is not a way to send text around.
    return ".".join(str(part)[:40] for part in item["loc"][:4]) or "body"


def _in_chinese(item: Any) -> str:
    template = _FOUND.get(item["type"], "{where} 不合要求")
    where = "请求内容" if not item["loc"] else f"“{_where(item)}”"
    return template.format(where=where, **item.get("ctx", {}))
