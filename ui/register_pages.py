"""The pages of the use register (利用登记) and of feedback, and the routes that feed them.

Drawn here and escaped here, without a script: a search is an address, a result is a table.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from assistant.domain import Answer, Refusal, mark
from assistant.failed_searches import FailedSearch, failed_searches
from assistant.feedback import LONGEST_WORDS, Feedback, FeedbackBook, Opinion
from assistant.register import Action, Entry, RegisterError, Search
from index.access import Verdict, may_audit, may_see_feedback
from index.domain import Reader
from index.settings import Settings
from ui import strings
from ui.api import not_available
from ui.frame import heading_html, page_html
from ui.places import permalink
from ui.purposes import LONGEST_WORDS as LONGEST_PURPOSE
from ui.purposes import OTHER, PURPOSES, asked_when, stated
from ui.reader import current_reader
from ui.register_book import (
    day,
    failed_workbook,
    feedback_workbook,
    local,
    reasons_text,
    register_workbook,
    said,
)
from ui.render import answer_text
from ui.session import Asker, RecentAnswers
from ui.small_body import small_json
from ui.usage import Use, UseLog

logger = logging.getLogger(__name__)

REGISTER_ADDRESS: Final = "admin/register"
FEEDBACK_ADDRESS: Final = "admin/feedback"

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_BODY: Final = 20_000
_ROWS: Final = 50
_FAILED_ROWS: Final = 200
_RECORDS_OPEN: Final = 3
#: Fields of the search form: name in the address, heading, kind of input.
_FIELDS: Final = (
    ("since", "从", "date"),
    ("until", "到", "date"),
    ("person", "利用人或部门", "search"),
    ("record", "档号或题名", "search"),
    ("outcome", "结果", "search"),
    ("words", "提问里的字", "search"),
)
#: Settings that bear on what is found, kept with a feedback.
_TELLING_SETTINGS: Final = (
    "model", "query_adapter", "precision", "passage_chars", "candidates", "local_body", "llm_model",
)  # fmt: skip


def build_register_router(
    assistant: Asker, recent: RecentAnswers, uses: UseLog, version: str
) -> APIRouter:
    """The routes over one register.

    Args:
        assistant: Gives the settings.
        recent: Answers that feedback may be given on.
        uses: Writes the use register.
        version: Version of our static files, for their addresses.
    """
    router = APIRouter()
    settings, register = assistant.settings, uses.register
    book = FeedbackBook(register)

    def allowed(request: Request, verdict: Verdict) -> Use | None:
        use = uses.of(request, current_reader(request, settings))
        if not verdict.allowed:
            uses.denied(use, None, request.url.path, verdict.reason)
        return use if verdict.allowed else None

    def auditor(request: Request) -> Use | None:
        return allowed(request, may_audit(current_reader(request, settings)))

    def archivist(request: Request) -> Use | None:
        return allowed(request, may_see_feedback(current_reader(request, settings)))

    # -- the register -------------------------------------------------------------------------

    @router.get("/admin/register")
    def page(request: Request) -> Response:
        use = auditor(request)
        if use is None:
            return not_available()
        asked = _asked(request)
        wrong, check = "", None
        try:
            search = _search(asked)
        except RegisterError as error:
            wrong, search = str(error), Search()
        number = _whole(request.query_params.get("page", ""), 1)
        verifying = request.query_params.get("verify") == "1"
        if verifying:
            check = register.verify()
            uses.did(use, Action.REGISTER, "核对登记簿", check.message)
        else:
            uses.looked(use, "查看利用登记", asked)
        total = register.count(search)
        last = max(1, -(-total // _ROWS))
        number = min(max(1, number), last)
        rows = register.entries(search, offset=(number - 1) * _ROWS, limit=_ROWS)
        said_first = _notice(wrong, wrong=True) if wrong else ""
        if check is not None:
            said_first += _notice(check.message, wrong=not check.intact)
        content = _register_html(asked, rows, total, number, last, said_first)
        return _page(settings, use.reader, version, REGISTER_ADDRESS, "利用登记", content)

    @router.get("/admin/register.xlsx")
    def register_file(request: Request) -> Response:
        use = auditor(request)
        if use is None:
            return not_available()
        asked = _asked(request)
        try:
            entries = register.entries(_search(asked))
            who = f"{use.reader.name}（{use.reader.role.value}）"
            headings = {name: heading for name, heading, _ in _FIELDS} | {"action": "事项"}
            told = [(headings[name], value) for name, value in asked.items()]
            content = register_workbook(entries, register.verify(), who, told)
        except RegisterError as error:
            return JSONResponse({"detail": str(error)}, 400, headers=_PRIVATE)
        detail = {"rows": len(entries), **asked}
        uses.did(use, Action.REGISTER, "导出登记簿", detail, must=True)
        return _file(content, "利用登记簿")

    # -- feedback for the archivist -----------------------------------------------------------

    @router.get("/admin/feedback")
    def feedback_page(request: Request) -> Response:
        use = archivist(request)
        if use is None:
            return not_available()
        query = request.query_params
        wrong = ""
        try:
            since, until = day(query.get("since", "")), day(query.get("until", ""), end=True)
        except RegisterError as error:
            wrong, since, until = str(error), None, None
        open_only = query.get("all") != "1"
        number = max(1, _whole(query.get("page", ""), 1))
        uses.looked(use, "查看反馈", {})
        items = book.items(
            open_only=open_only, offset=(min(number, 10**6) - 1) * _ROWS, limit=_ROWS + 1
        )
        failed = failed_searches(register, since, until)
        content = (
            (_notice(wrong, wrong=True) if wrong else "")
            + _feedback_html(items, book.counts(), number, open_only=open_only)
            + _failed_html(failed, query.get("since", ""), query.get("until", ""))
        )
        return _page(
            settings, use.reader, version, FEEDBACK_ADDRESS, "反馈和未检得", content,
            scripts=("register.js",),
        )  # fmt: skip

    @router.get("/admin/feedback.xlsx")
    def feedback_file(request: Request) -> Response:
        use = archivist(request)
        if use is None:
            return not_available()
        uses.did(use, Action.REGISTER, "导出反馈", must=True)
        return _file(feedback_workbook(book.items()), "反馈")

    @router.get("/admin/failed.xlsx")
    def failed_file(request: Request, since: str = "", until: str = "") -> Response:
        use = archivist(request)
        if use is None:
            return not_available()
        try:
            found = failed_searches(register, day(since), day(until, end=True))
        except RegisterError as error:
            return JSONResponse({"detail": str(error)}, 400, headers=_PRIVATE)
        uses.did(
            use, Action.REGISTER, "导出未检得的提问", {"since": since, "until": until}, must=True
        )
        period = f"{since or '开始'} 至 {until or '现在'}"
        return _file(failed_workbook(found, period), "未检得的提问")

    @router.post("/api/admin/feedback/{number}")
    async def handle(request: Request, number: int) -> Response:
        use = await run_in_threadpool(archivist, request)
        if use is None:
            return not_available()
        body = await small_json(request, _LONGEST_BODY)
        words = "" if body is None else body.get("words", "")
        if body is None or not isinstance(words, str):
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)

        def note() -> None:
            book.handle(min(number, 2**62), use.reader.name or use.reader.role.value, words)
            uses.did(use, Action.FEEDBACK, f"处理第 {number} 号反馈", words)

        try:
            await run_in_threadpool(note)
        except RegisterError as error:
            return JSONResponse({"detail": str(error)}, 409, headers=_PRIVATE)
        return JSONResponse({"said": f"第 {number} 号已标为处理完毕。"}, headers=_PRIVATE)

    # -- what every reader sends --------------------------------------------------------------

    @router.post("/api/feedback")
    async def give(request: Request) -> Response:
        reader = current_reader(request, settings)
        body = await small_json(request, _LONGEST_BODY)
        answer_id, verdict, words = (
            (body or {}).get(name, "") for name in ("answer", "verdict", "words")
        )
        if not all(isinstance(part, str) for part in (answer_id, verdict, words)):
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        found = shown.result
        if verdict not in list(Opinion) or len(words) > LONGEST_WORDS:
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        opinion = Opinion(verdict)

        def keep() -> None:
            use = uses.of(request, reader)
            context = _context(found, settings, uses)
            number, new = book.add(
                reader,
                opinion,
                words,
                answer_id=answer_id,
                question=found.question,
                context=context,
            )
            if new:
                uses.did(use, Action.FEEDBACK, opinion.value, {"number": number, "words": words})

        try:
            await run_in_threadpool(keep)
        except RegisterError as error:
            return JSONResponse({"detail": str(error)}, 409, headers=_PRIVATE)
        return JSONResponse({"said": "已记下，谢谢。档案管理员会看到。"}, headers=_PRIVATE)

    @router.get("/api/purpose")
    def purpose(request: Request) -> Response:
        reader = current_reader(request, settings)
        never = settings.text("ask_purpose") == "never"
        when = asked_when(settings, reader)
        return JSONResponse(
            {
                "when": "never" if never else "optional" if when == "never" else when,
                "purposes": list(PURPOSES),
                "other": OTHER,
                "longest": LONGEST_PURPOSE,
                "stated": uses.purposes.last(reader),
            },
            headers=_PRIVATE,
        )

    @router.post("/api/purpose")
    async def state_purpose(request: Request) -> Response:
        body = await small_json(request, _LONGEST_BODY)
        text = (body or {}).get("purpose", "")
        purpose = stated(text) if isinstance(text, str) else ""
        if not purpose:
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        uses.purposes.keep(current_reader(request, settings), purpose)
        return JSONResponse({"purpose": purpose}, headers=_PRIVATE)

    return router


def _context(answer: Answer | Refusal, settings: Settings, uses: UseLog) -> dict[str, Any]:
    """What is needed to judge an answer or refusal later."""
    if isinstance(answer, Refusal):
        return {
            "standalone": answer.standalone,
            "reading": answer.reading,
            "kind": answer.reason.value,
            "answer": answer.message,
            **uses.versions(),
            "settings": {name: settings.values[name] for name in _TELLING_SETTINGS},
        }
    return {
        "standalone": answer.standalone,
        "reading": answer.reading,
        "kind": answer.kind,
        "answer": answer_text(answer),
        "citations": [
            {
                "record": c.record.record_id,
                "page": c.page,
                "start": c.start,
                "end": c.end,
                "quote": c.quote,
                "confidence": c.confidence,
            }
            for c in answer.citations
        ],
        "listings": [row.record.record_id for row in answer.listings[:500]],
        **uses.versions(),
        "settings": {name: settings.values[name] for name in _TELLING_SETTINGS},
    }


# -- requests -------------------------------------------------------------------------------------


def _asked(request: Request) -> dict[str, str]:
    """The filled fields of the search form."""
    query = request.query_params
    names = (*(name for name, _, _ in _FIELDS), "action")
    return {name: query[name].strip()[:200] for name in names if query.get(name, "").strip()}


def _search(asked: Mapping[str, str]) -> Search:
    action = asked.get("action", "")
    if action and action not in list(Action):
        msg = f"没有“{action}”这种事项。"
        raise RegisterError(msg)
    return Search(
        day(asked.get("since", "")),
        day(asked.get("until", ""), end=True),
        asked.get("person", ""),
        asked.get("record", ""),
        (action,) if action else (),
        asked.get("outcome", ""),
        asked.get("words", ""),
    )


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


# -- HTML -----------------------------------------------------------------------------------------


def _page(
    settings: Settings,
    reader: Reader,
    version: str,
    address: str,
    title: str,
    content: str,
    scripts: Sequence[str] = (),
) -> Response:
    html = page_html(
        settings,
        reader,
        version,
        address=address,
        title=title,
        main_id="rg-main",
        scripts=scripts,
        styles=("register.css",),
        body_class="cd-plain rg",
        content=content,
    )
    return HTMLResponse(html, headers=_PRIVATE)


def _file(content: bytes, name: str) -> Response:
    named = quote(f"{name}-{dt.datetime.now().astimezone():%Y%m%d-%H%M}.xlsx")
    headers = {**_PRIVATE, "Content-Disposition": f"attachment; filename*=UTF-8''{named}"}
    return Response(content, media_type=_XLSX, headers=headers)


def _notice(text: str, *, wrong: bool) -> str:
    kind = "rg-wrong" if wrong else "rg-fine"
    mark = "✗" if wrong else "✓"
    return f'<p class="rg-notice {kind}" role="status">{mark} {escape(text)}</p>'


def _query(asked: Mapping[str, str], **more: str) -> str:
    found = urlencode({**asked, **more})
    return f"?{escape(found)}" if found else ""


def _register_html(
    asked: Mapping[str, str], rows: Sequence[Entry], total: int, number: int, last: int, first: str
) -> str:
    inputs = "".join(
        f'<label>{escape(heading)}<input type="{kind}" name="{name}"'
        f' value="{escape(asked.get(name, ""))}" autocomplete="off"></label>'
        for name, heading, kind in _FIELDS
    )
    options = "".join(
        f"<option{' selected' if asked.get('action') == action.value else ''}>"
        f"{action.value}</option>"
        for action in Action
    )
    form = (
        '<form class="rg-form" method="get" action="register" role="search"'
        f' aria-label="查登记">{inputs}<label>事项<select name="action">'
        f'<option value="">全部</option>{options}</select></label>'
        '<div class="rg-buttons"><button class="rg-main" type="submit">查找</button>'
        '<a class="rg-link" href="register">清空条件</a></div></form>'
    )
    tools = (
        '<div class="rg-tools">'
        f'<p class="rg-total" role="status">{_found(total, number, last, bool(asked))}</p>'
        f'<a class="rg-link" href="register.xlsx{_query(asked)}">导出登记簿</a>'
        f'<a class="rg-link" href="register{_query(asked, verify="1")}">核对登记簿</a></div>'
    )
    body = "".join(map(_entry_html, rows))
    table = (
        '<table class="rg-table"><thead><tr><th scope="col">登记号</th><th scope="col">时间</th>'
        '<th scope="col">利用人</th><th scope="col">事项</th><th scope="col">内容</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
        if rows
        else ""
    )
    return (
        f'{heading_html(REGISTER_ADDRESS)}{first}<section class="rg-card">{form}</section>'
        f'<section class="rg-card">{tools}{table}{_pager(asked, number, last)}</section>'
    )


def _found(total: int, number: int, last: int, searched: bool) -> str:
    if not total:
        return "没有符合条件的登记，请放宽条件。" if searched else "还没有登记。"
    return f"共 {total} 条" + (f"，第 {number} / {last} 页" if last > 1 else "")


def _pager(asked: Mapping[str, str], number: int, last: int) -> str:
    if last < 2:
        return ""
    links = [
        (1, "最新"), (number - 1, "较新"), (number + 1, "较早"), (last, "最早"),
    ]  # fmt: skip
    shown = "".join(
        f'<a class="rg-link" href="register{_query(asked, page=str(to))}">{word}</a>'
        for to, word in links
        if 1 <= to <= last and to != number
    )
    return f'<nav class="rg-pager" aria-label="翻页">{shown}</nav>'


def _entry_html(entry: Entry) -> str:
    who = escape(entry.person or "（未登录）")
    unit = "，".join(filter(None, (entry.department, entry.role, entry.account)))
    action = escape(entry.action)
    if entry.manner:
        action += f'<span class="rg-soft">{escape(entry.manner)}</span>'
    alert = ' class="rg-denied"' if entry.action in (Action.DENIED, Action.SIGN_IN_FAILED) else ""
    parts = []
    if entry.question:
        parts.append(f'<p class="rg-question">{escape(entry.question)}</p>')
    parts += [_record_html(r.record_id, r.title, r.pages) for r in entry.records[:_RECORDS_OPEN]]
    rest = entry.records[_RECORDS_OPEN:]
    if rest or entry.record_count > len(entry.records):
        inside = "".join(_record_html(r.record_id, r.title, r.pages) for r in rest[:500])
        parts.append(
            f"<details><summary>共 {entry.record_count} 件，展开</summary>{inside}</details>"
        )
    facts = [("目的", entry.purpose), ("结果", entry.outcome), ("批准人", entry.approver)]
    if entry.copies:
        facts.append(("份数", str(entry.copies)))
    parts.append(_facts_html(facts))
    more = (
        ("理解", entry.reading), ("途径", entry.channel), ("来源", entry.address),
        ("对话", entry.conversation), ("馆藏和索引", entry.index_version), ("模型", entry.model),
        ("其他", entry.detail), ("校验值", entry.digest),
    )  # fmt: skip
    parts.append(f"<details><summary>更多</summary>{_facts_html(more)}</details>")
    return (
        f'<tr{alert}><td data-label="登记号">{entry.number}</td>'
        f'<td data-label="时间" class="rg-time">{escape(local(entry.at))}</td>'
        f'<td data-label="利用人"><span class="rg-name">{who}</span>'
        f'<span class="rg-soft">{escape(unit)}</span></td>'
        f'<td data-label="事项">{action}</td><td class="rg-body">{"".join(parts)}</td></tr>'
    )


def _record_html(record_id: str, title: str, pages: str) -> str:
    named = f"《{escape(title)}》" if title else ""
    where = f'<span class="rg-soft">第 {escape(pages)} 页</span>' if pages else ""
    return (
        f'<p class="rg-record"><span class="rg-code">{escape(record_id)}</span>{named}{where}</p>'
    )


def _facts_html(facts: Sequence[tuple[str, str]]) -> str:
    shown = "".join(
        f"<div><dt>{heading}</dt><dd>{escape(value)}</dd></div>"
        for heading, value in facts
        if value
    )
    return f'<dl class="rg-facts">{shown}</dl>' if shown else ""


def _feedback_html(
    items: Sequence[Feedback], counts: Mapping[str, int], number: int, *, open_only: bool
) -> str:
    told = "，".join(f"{name} {counts.get(name, 0)}" for name in (*Opinion, "待处理"))
    other = (
        '<a class="rg-link" href="feedback?all=1">连已处理的一起看</a>'
        if open_only
        else '<a class="rg-link" href="feedback">只看待处理的</a>'
    )
    rows = "".join(map(_item_html, items[:_ROWS]))
    if not rows:
        rows = '<p class="rg-none">没有待处理的反馈。</p>' if open_only else ""
        rows = rows or '<p class="rg-none">还没有反馈。</p>'
    common = {} if open_only else {"all": "1"}
    pages = [
        f'<a class="rg-link" href="feedback{_query(common, page=str(to))}">{word}</a>'
        for to, word, there in (
            (number - 1, "较新", number > 1),
            (number + 1, "较早", len(items) > _ROWS),
        )
        if there
    ]
    pager = f'<nav class="rg-pager" aria-label="翻页">{"".join(pages)}</nav>' if pages else ""
    return (
        f'{heading_html(FEEDBACK_ADDRESS, "反馈和未检得的提问")}<section class="rg-card">'
        f'<div class="rg-tools"><h2>对答复的反馈</h2><p class="rg-total">{told}</p>{other}'
        '<a class="rg-link" href="feedback.xlsx">导出</a></div>'
        '<p class="rg-soft">反馈只供查看和改进，不影响检索结果的排序。</p>'
        f"{rows}{pager}</section>"
    )


def _item_html(item: Feedback) -> str:
    who = "，".join(filter(None, (item.person, item.department, item.role)))
    right = " rg-right" if item.verdict == Opinion.RIGHT else ""
    quoted = _quoted_html(item)
    settings = item.context.get("settings", {})
    context = _facts_html(
        [
            ("理解", said(item, "reading")),
            ("馆藏和索引", said(item, "index_version")),
            ("模型", said(item, "model")),
            ("设置", _settings_text(settings if isinstance(settings, dict) else {})),
        ]
    )
    done = (
        f'<p class="rg-soft">{escape(local(item.handled_at))} {escape(item.handled_by)} 已处理'
        f"{'：' + escape(item.handled_words) if item.handled_words else ''}</p>"
        if item.handled_at
        else f'<form class="rg-handle" data-number="{item.number}"><label>处理情况（可不填）'
        f'<input type="text" name="words" maxlength="{LONGEST_WORDS}" autocomplete="off"></label>'
        "<button>标为已处理</button></form>"
    )
    words = f'<p class="rg-words">{escape(item.words)}</p>' if item.words else ""
    return (
        f'<article class="rg-item"><header><span class="rg-tag{right}">{escape(item.verdict)}</span>'
        f'<span class="rg-soft">第 {item.number} 号　{escape(local(item.at))}　{escape(who)}</span>'
        f'</header><p class="rg-question">{escape(item.question)}</p>{words}'
        f'<details><summary>当时的答复和引文</summary><p class="rg-answer">'
        f"{escape(said(item, 'answer'))}</p>{quoted}{context}</details>{done}</article>"
    )


def _quoted_html(item: Feedback) -> str:
    """Links that open the pages quoted then, with the quotations marked."""
    links = []
    citations = item.context.get("citations", ())
    for number, c in enumerate(citations if isinstance(citations, list) else (), start=1):
        try:
            place = permalink(str(c["record"]), int(c["page"]), int(c["start"]), int(c["end"]))
        except (KeyError, TypeError, ValueError):
            continue
        links.append(
            f'<a class="rg-link" href="../{escape(place)}">打开引文{mark(number)}那一页</a>'
        )
    return f'<div class="rg-buttons">{"".join(links[:20])}</div>' if links else ""


def _settings_text(values: Mapping[str, Any]) -> str:
    said_of = {"True": "是", "False": "否", "": "空"}
    return "，".join(f"{name} {said_of.get(str(v), str(v))}" for name, v in values.items())


def _failed_html(found: Sequence[FailedSearch], since: str, until: str) -> str:
    rows = "".join(
        f'<tr><td class="rg-body">{escape(f.question)}</td><td data-label="次数">{f.count}</td>'
        f'<td data-label="人数">{f.people}</td><td data-label="原因">{escape(reasons_text(f))}</td>'
        f'<td data-label="最近一次" class="rg-time">{escape(local(f.last))}</td></tr>'
        for f in found[:_FAILED_ROWS]
    )
    table = (
        '<table class="rg-table rg-failed"><thead><tr><th scope="col">问题</th>'
        '<th scope="col">次数</th><th scope="col">人数</th><th scope="col">原因</th>'
        f'<th scope="col">最近一次</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="rg-none">这段时间没有未检得的提问。</p>'
    )
    cut = f"，这里列前 {_FAILED_ROWS} 个" if len(found) > _FAILED_ROWS else ""
    period = {name: value for name, value in (("since", since), ("until", until)) if value}
    dates = "".join(
        f'<label>{heading}<input type="date" name="{name}" value="{escape(value)}"></label>'
        for name, heading, value in (("since", "从", since), ("until", "到", until))
    )
    return (
        '<section class="rg-card"><div class="rg-tools"><h2>没有查到或没有答的提问</h2>'
        f'<p class="rg-total">{len(found)} 个问题{cut}</p>'
        f'<a class="rg-link" href="failed.xlsx{_query(period)}">导出</a></div>'
        '<form class="rg-form rg-period" method="get" action="feedback" aria-label="时间">'
        f'{dates}<div class="rg-buttons"><button type="submit">查看这段时间</button></div></form>'
        f"{table}</section>"
    )
