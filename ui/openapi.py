"""The API described: the OpenAPI 3.1 document in two languages, and a page of our own for people.

Both are written from one table of calls and the typed models, so neither can say what the routes
do not take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ui import strings
from ui.api_models import (
    ENGLISH,
    AskRequest,
    AskResponse,
    CountsRequest,
    CountsResponse,
    ErrorResponse,
    FullRecordBody,
    ImageQuery,
    PageBody,
    PageQuery,
    PrecedentsRequest,
    ReadyResponse,
    SearchQuery,
    SearchResponse,
)

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API.

    Attributes:
        method: GET or POST.
        path: With `{names}` of its path parameters.
        title: What it does: Chinese, English.
        details: More of it: Chinese, English.
        gives: Model of the answer; None for a picture.
        body: Model of the request body, None without one.
        query: Model of the query parameters, None without any.
        example: Body or query of the example.
        errors: Statuses besides 401, 429 and 500.
        events: Whether it can answer in stages.
        is_open: Whether it needs no token.
    """

    method: str
    path: str
    title: tuple[str, str]
    details: tuple[str, str]
    gives: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    example: Mapping[str, object] | None = None
    errors: tuple[int, ...] = ()
    events: bool = False
    is_open: bool = False


CALLS: Final = (
    Call(
        "POST",
        "/api/v1/ask",
        ("提问", "Ask"),
        (
            "答复全是带出处的原文。查不到也是 200，`refused` 为 true，并给出原因和检索范围。"
            "请求头写 Accept: text/event-stream 就分步给：stage、answer、prose、done。",
            "Every answer is verbatim text with its source. Finding nothing is 200 too, with "
            "`refused` true, the reason and the coverage. With Accept: text/event-stream it comes "
            "in stages: stage, answer, prose, done.",
        ),
        AskResponse,
        body=AskRequest,
        example={"question": "2019年市级预算调整方案是哪次会议批准的？"},
        errors=(400, 409, 413, 415, 422, 503),
        events=True,
    ),
    Call(
        "GET",
        "/api/v1/search",
        ("检索", "Search"),
        (
            "按相关程度排列的原文段落。排在前面不等于能回答问题；要答案请用 ask。",
            "Passages by rank. A high rank is no answer; call ask for one.",
        ),
        SearchResponse,
        query=SearchQuery,
        example={"q": "水库渠道维修经费", "limit": 5},
        errors=(400, 422, 503),
    ),
    Call(
        "POST",
        "/api/v1/counts",
        ("按目录统计", "Counts"),
        (
            "件数和分母，取自整个目录，不靠抽样。目录答不了的问题报 422。",
            "A number with its denominator, from the whole catalogue. A question the catalogue "
            "cannot answer is 422.",
        ),
        CountsResponse,
        body=CountsRequest,
        example={"question": "2019年有多少件决议？"},
        errors=(400, 409, 413, 415, 422, 503),
    ),
    Call(
        "POST",
        "/api/v1/precedents",
        ("查先例", "Precedents"),
        (
            "以前提过的事项和每一步的办理，按时间先后。",
            "Matters raised before and what became of each, in time order.",
        ),
        AskResponse,
        body=PrecedentsRequest,
        example={"topic": "加装电梯"},
        errors=(400, 409, 413, 415, 422, 503),
    ),
    Call(
        "GET",
        "/api/v1/records/{record}",
        ("一件的目录", "A record"),
        (
            "目录各栏和件内文件。没有这一件与无权查阅，答复一字不差。",
            "Its catalogue fields and the papers inside. A record that is hidden and one that does "
            "not exist give the same bytes.",
        ),
        FullRecordBody,
        errors=(404, 422),
    ),
    Call(
        "GET",
        "/api/v1/records/{record}/pages/{n}",
        ("一页的原文", "The text of a page"),
        (
            "n 是影像序号，从 1 起。start、end 标出一段，同时给出它在影像上的框。",
            "n is the page in file order, from 1. start and end mark a span and give its boxes.",
        ),
        PageBody,
        query=PageQuery,
        errors=(404, 422),
    ),
    Call(
        "GET",
        "/api/v1/records/{record}/pages/{n}/image",
        ("一页的影像", "The picture of a page"),
        ("JPEG。", "A JPEG."),
        None,
        query=ImageQuery,
        errors=(404, 410, 422),
    ),
    Call(
        "GET",
        "/readyz",
        ("是否就绪", "Readiness"),
        (
            "馆藏、索引、模型是否都好，缺什么；没好是 503。只问进程在不在请用 /healthz。",
            "Whether holdings, index and model are ready, and what is missing; 503 until they are. "
            "/healthz only says that the process is there.",
        ),
        ReadyResponse,
        errors=(503,),
        is_open=True,
    ),
)
_PATH_PARAMETERS: Final = {
    "record": ("件的代号，取自答复里的 `record`。", "Token of the record, `record` of an answer."),
    "n": ("影像序号，从 1 起。", "Page in file order, from 1."),
}
_DESCRIPTION: Final = (
    "向人大档案提问、检索、取原件。按令牌的身份只看得到可阅的档案。",
    "Ask, search and open the records of a people's congress archive, within what the token's "
    "role may read.",
)
_STATUS: Final = {
    200: ("成功", "Done"),
    400: ("问题不能问，或 JSON 有误", "The question cannot be asked, or the JSON is broken"),
    401: ("没有令牌或令牌无效", "No token, or a bad one"),
    404: ("没有，或无权查阅", "Absent, or not readable"),
    409: ("馆藏刚有变动，请重试", "The holdings have just changed; try again"),
    410: ("影像打不开", "The picture cannot be drawn"),
    413: ("请求太长", "The body is too large"),
    415: ("不是 JSON", "Not JSON"),
    422: ("请求不合要求", "The request is not valid"),
    429: ("请求太密，见 Retry-After", "Too many requests, see Retry-After"),
    500: ("程序出错，已记下", "The program failed; it has been logged"),
    503: ("现在不能查档", "The archive cannot be searched now"),
}


def openapi_document(lang: str, root: str = "") -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    Args:
        lang: `zh` or `en`.
        root: Prefix of the site behind a reverse proxy, as `/archive`, or empty.
    """
    at = 0 if lang == "zh" else 1
    models = {call.gives for call in CALLS} | {call.body for call in CALLS} | {ErrorResponse}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(filter(None, models), key=lambda m: m.__name__)],
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, at)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": ("查档接口", "Chadang API")[at],
            "version": VERSION,
            "description": _DESCRIPTION[at],
        },
        "servers": [{"url": root or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": in_language(schemas["$defs"], at),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "chadang tokens add 发的令牌，以 cd_ 开头。",
                        "A token made by `chadang tokens add`; it begins with cd_.",
                    )[at],
                }
            },
        },
    }


def _operation(call: Call, at: int) -> dict[str, Any]:
    statuses = (*call.errors, 500) if call.is_open else (*call.errors, 401, 429, 500)
    operation: dict[str, Any] = {
        "operationId": f"{call.method.lower()}{call.path.replace('/', '_')}".translate(
            {ord("{"): None, ord("}"): None}
        ),
        "summary": call.title[at],
        "description": call.details[at],
        "responses": {"200": {"description": _STATUS[200][at], "content": _content(call)}},
    }
    for status in sorted(statuses):
        model = ReadyResponse if call.is_open and status == 503 else ErrorResponse
        operation["responses"][str(status)] = {
            "description": _STATUS[status][at],
            "content": {"application/json": {"schema": _ref(model)}},
        }
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name][at],
            "schema": {"type": "integer", "minimum": 1} if name == "n" else {"type": "string"},
        }
        for name in _PATH_PARAMETERS
        if f"{{{name}}}" in call.path
    ]
    if call.query is not None:
        parameters += _query_parameters(call.query, at)
    if parameters:
        operation["parameters"] = parameters
    if call.body is not None:
        content: dict[str, Any] = {"schema": _ref(call.body)}
        if call.example:
            content["example"] = dict(call.example)
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if call.is_open:
        operation["security"] = []
    return operation


def _content(call: Call) -> dict[str, Any]:
    if call.gives is None:
        return {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    content: dict[str, Any] = {"application/json": {"schema": _ref(call.gives)}}
    if call.events:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    return content


def _query_parameters(model: type[BaseModel], at: int) -> list[dict[str, Any]]:
    schema = in_language(model.model_json_schema(ref_template=_REF), at)
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.pop("description", ""),
            "schema": field,
        }
        for name, field in schema["properties"].items()
    ]


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def in_language(schema: Any, at: int) -> Any:
    """A JSON schema with its descriptions in one language and without pydantic's titles."""
    if isinstance(schema, list):
        return [in_language(item, at) for item in schema]
    if not isinstance(schema, dict):
        return schema
    english = schema.get(ENGLISH)
    kept = {
        key: in_language(value, at)
        for key, value in schema.items()
        if key != ENGLISH and not (key == "title" and isinstance(value, str))
    }
    if english is not None and at == 1:
        kept["description"] = english
    elif english is None and at == 0 and isinstance(kept.get("description"), str):
        # docstrings of the models are English; their names and fields say it in Chinese
        del kept["description"]
    return kept


# -- for people -----------------------------------------------------------------------------------

_OTHER_FACES: Final = (
    (
        "POST /v1/chat/completions",
        "OpenAI 兼容：最后一条用户消息是问题，前面的是对话；引文在扩展字段 chadang 里。"
        "把客户端的地址设为 …/v1，密钥填令牌，模型填 chadang。",
        "curl -sS {address}/v1/chat/completions \\\n  -H 'Authorization: Bearer cd_…' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"model":"chadang","messages":[{"role":"user","content":"馆藏一共多少件档案？"}]}\'',
    ),
)
_MCP: Final = (
    "POST /mcp",
    "MCP（Streamable HTTP），供内网智能体调用 search、open_page、ask 三个工具。",
    "curl -sS {address}/mcp \\\n  -H 'Authorization: Bearer cd_…' \\\n"
    "  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n"
    '  -d \'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\'',
)
_MCP_OFF: Final = "（本系统没有开放；要用请管理员设置 mcp = true。）"


def docs_page(archive_name: str, version: str, *, mcp: bool) -> str:
    """The page that lists the calls with examples; no script, nothing from elsewhere.

    Args:
        archive_name: Name of the archive, shown in the header.
        version: Version of our static files.
        mcp: Whether the MCP endpoint is open.
    """
    name = f'<span class="cd-archive">{escape(archive_name)}</span>' if archive_name else ""
    title = " · ".join(filter(None, ("接口", strings.PRODUCT, archive_name)))
    links = "".join(
        f'<li><a href="#{_anchor(call)}"><code>{call.method} {escape(call.path)}</code></a>'
        f" {escape(call.title[0])}</li>"
        for call in CALLS
    )
    return f"""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light"><meta name="theme-color" content="#a6192e">
<title>{escape(title)}</title>
<link rel="icon" href="../../static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../../static/app.css?v={version}">
<link rel="stylesheet" href="../../static/api.css?v={version}"></head>
<body class="api">
<header class="cd-header"><div class="cd-header-in"><span class="cd-brand">{strings.PRODUCT}</span>
{name}<span class="api-here">接口</span><a class="api-back" href="../../app/">返回问答</a></div></header>
<main>
<h1>查档接口 <span lang="en">API</span></h1>
<p>{escape(_DESCRIPTION[0])}<br><span lang="en">{escape(_DESCRIPTION[1])}</span></p>
<p>完整描述（OpenAPI 3.1）：<a href="openapi.json?lang=zh">中文</a>　<a href="openapi.json?lang=en"
 lang="en">English</a></p>
<h2>令牌</h2>
<p>请管理员为每个系统各发一个令牌，并写明以什么身份查档：</p>
<pre tabindex="0">chadang tokens add 办公系统 --role 机关工作人员 --department 办公室 --days 365</pre>
<p>令牌只显示这一次。调用时放在请求头 <code>Authorization: Bearer cd_…</code> 里。在服务器本机调用、又没有启用登录时，可以不带令牌。</p>
<h2>出错</h2>
<p>所有出错都是同一个样子。查不到不是出错：状态码 200，<code>refused</code> 为 true。</p>
<pre tabindex="0">{escape(_error_example())}</pre>
<h2>接口</h2><ul class="api-list">{links}</ul>
{"".join(_call_section(call) for call in CALLS)}
<h2>别的接法</h2>
{"".join(_face_section(*face) for face in _OTHER_FACES)}
{_face_section(_MCP[0], _MCP[1] + ("" if mcp else _MCP_OFF), _MCP[2])}
</main></body></html>"""


_ADDRESS: Final = "http://127.0.0.1:7860"


def _error_example() -> str:
    body = {
        "code": "not_available",
        "message": "没有这份档案，或您无权查阅。",
        "message_en": "There is no such record, or you may not read it.",
        "next_step": "请核对档号；需要查阅未开放的档案，请按程序申请。",
    }
    return json.dumps({"error": body}, ensure_ascii=False, indent=2)


def _anchor(call: Call) -> str:
    return call.path.strip("/").replace("/", "-").replace("{", "").replace("}", "")


def _call_section(call: Call) -> str:
    rows = ""
    model = call.body or call.query
    if model is not None:
        schema = in_language(model.model_json_schema(ref_template=_REF), 0)
        required = schema.get("required", ())
        rows = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{'必填' if name in required else '可选'}</td>"
            f"<td>{_marked_up(str(field.get('description', '')))}</td></tr>"
            for name, field in schema["properties"].items()
        )
        rows = (
            '<div class="api-scroll" tabindex="0"><table><thead><tr><th>参数</th><th></th>'
            f"<th>说明</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    return f"""<section id="{_anchor(call)}"><h3><code>{call.method} {escape(call.path)}</code></h3>
<p><strong>{escape(call.title[0])}</strong> <span lang="en">{escape(call.title[1])}</span>。{_marked_up(call.details[0])}</p>{rows}
<pre tabindex="0">{escape(example_command(call))}</pre></section>"""


def _marked_up(text: str) -> str:
    """Text as HTML, its words in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def example_command(call: Call, address: str = _ADDRESS) -> str:
    """A call as a curl command."""
    path = call.path.replace("{record}", "MDAxMi0yMDE5LeawuOS5hS0wMDA3").replace("{n}", "1")
    key = "" if call.is_open else " \\\n  -H 'Authorization: Bearer cd_…'"
    if call.body is not None:
        body = json.dumps(dict(call.example or {}), ensure_ascii=False)
        return (
            f"curl -sS {address}{path}{key} \\\n"
            f"  -H 'Content-Type: application/json' \\\n  -d '{body}'"
        )
    if call.example:
        parts = " \\\n".join(f"  --data-urlencode '{k}={v}'" for k, v in call.example.items())
        return f"curl -sS -G {address}{path}{key} \\\n{parts}"
    if call.gives is None:
        return f"curl -sS {address}{path}{key} -o page.jpg"
    return f"curl -sS {address}{path}{key}"


def _face_section(name: str, details: str, example: str) -> str:
    return f"""<section><h3><code>{escape(name)}</code></h3><p>{escape(details)}</p>
<pre tabindex="0">{escape(example.replace("{address}", _ADDRESS))}</pre></section>"""
