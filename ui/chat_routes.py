"""Routes of the chat page beside the answers: conditions, history, suggestions, sheets, strips.

As everywhere, the reader is asked for with every request; what is hidden and what is not there
give the same bytes (`ui.api.not_available`).
"""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from assistant.catalogue_view import title_form
from assistant.domain import Answer
from assistant.filters import NAMES, Facet, Facets, facets
from assistant.register import Action
from assistant.suggestions import Suggestion
from assistant.volume import same_volume
from index.access import Permitted, may_read, may_see_personal
from index.domain import Page, Reader, Record
from ui import strings
from ui.api import not_available
from ui.escaping import is_unreliable
from ui.history import Conversation, History, HistoryError
from ui.page_images import PageImages
from ui.places import record_id_of, record_token
from ui.reader import current_reader, history_owner
from ui.remembered import records_of
from ui.session import Asker, RecentAnswers, Shown
from ui.sheet import PICTURE_WIDTH, SHEET, make_sheet, sheet_html
from ui.small_body import json_of, small_bytes
from ui.usage import Use, UseLog

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_LONGEST_BODY: Final = 4096
#: Thumbnails of a strip on each side of the page that is open.
_STRIP: Final = 60
_VIEWS_KEPT: Final = 16


def build_chat_router(
    assistant: Asker,
    recent: RecentAnswers,
    images: PageImages,
    history: History,
    version: str,
    uses: UseLog,
) -> APIRouter:
    """The routes over one assistant.

    Args:
        assistant: Answers the questions; gives the holdings and the settings.
        recent: Results that are on a page.
        images: Renders page pictures.
        history: Conversations kept.
        version: Version of our static files, for their addresses.
        uses: Writes the use entries.
    """
    router = APIRouter()
    store, settings = assistant.store, assistant.settings
    started = secrets.token_hex(8)
    found_facets = _FacetCache()

    @router.get("/api/ping")
    def ping() -> Response:
        """Whether the server is there, and whether it is still the one the page was made by."""
        return JSONResponse({"started": started}, headers={"Cache-Control": "no-store"})

    @router.get("/api/facets")
    def choices(request: Request) -> Response:
        permitted = store.permitted(current_reader(request, settings))
        found = found_facets.get(store.data_version, permitted)
        if found is None:
            found = found_facets.put(
                store.data_version, permitted, facets(store.records(permitted))
            )
        return _json(
            {
                "names": dict(NAMES),
                **{name: [_facet_json(f) for f in getattr(found, name)] for name in NAMES},
            }
        )

    # -- history ----------------------------------------------------------------------------------

    @router.get("/api/history")
    def conversations(request: Request, q: str = "") -> Response:
        owner = history_owner(request, settings)
        if owner is None or history.days <= 0:
            return _json({"kept": False, "days": 0, "conversations": []})
        history.follow(store.data_version, lambda i: store.record(i) is not None)
        rows = history.conversations(owner, q[:100])
        return _json(
            {
                "kept": True,
                "days": history.days,
                "conversations": [_conversation_json(row) for row in rows],
            }
        )

    @router.post("/api/history/{conversation_id}/rename")
    async def rename(request: Request, conversation_id: str) -> Response:
        owner = history_owner(request, settings)
        body = await _body(request)
        title = body.get("title") if isinstance(body, dict) else None
        if not isinstance(title, str):
            return JSONResponse({"detail": strings.BAD_REQUEST}, 400, headers=_PRIVATE)
        try:
            done = owner is not None and history.rename(owner, conversation_id, title)
        except HistoryError as error:
            return JSONResponse({"detail": str(error)}, 400, headers=_PRIVATE)
        return _json({"done": True}) if done else _unknown()

    @router.post("/api/history/{conversation_id}/delete")
    async def delete(request: Request, conversation_id: str) -> Response:
        owner = history_owner(request, settings)
        done = owner is not None and history.delete(owner, conversation_id)
        return _json({"done": True}) if done else _unknown()

    @router.post("/api/history/delete")
    async def delete_all(request: Request) -> Response:
        owner = history_owner(request, settings)
        return _json({"deleted": 0 if owner is None else history.delete_all(owner)})

    def _register_titles(use: Use, found: Sequence[Suggestion]) -> None:
        named = [one.named for one in found if one.named is not None]
        uses.listed(use, named, "给出可问的问题")

    # -- a result ---------------------------------------------------------------------------------

    @router.get("/api/answers/{answer_id}/next")
    def next_questions(request: Request, answer_id: str) -> Response:
        reader = current_reader(request, settings)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        found: Sequence[Suggestion] = ()
        if isinstance(shown.result, Answer):
            found = assistant.next_questions(shown.result, reader, shown.origin.filters)
        _register_titles(uses.of(request, reader), found)
        return _json(_suggestions_json(found))

    @router.get("/api/answers/{answer_id}/other-words")
    def other_words(request: Request, answer_id: str) -> Response:
        reader = current_reader(request, settings)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        origin = shown.origin
        found = assistant.other_words(
            shown.result, reader, origin.filters, precedents=origin.precedents
        )
        _register_titles(uses.of(request, reader), found)
        return _json(_suggestions_json(found))

    def printed(request: Request, reader: Reader, shown: Shown, kind: str) -> None:
        """The use entry of a result sheet, before it is given out."""
        records = {i: r for i in records_of(shown.result) if (r := store.record(i)) is not None}
        taken = [record for record in records.values() if may_read(reader, record).allowed]
        use = uses.of(request, reader)
        uses.exported(
            use, taken, f"{SHEET}（{kind}）", question=shown.result.question, action=Action.PRINT
        )

    @router.get("/api/answers/{answer_id}/sheet.html")
    def sheet_page(request: Request, answer_id: str) -> Response:
        reader = current_reader(request, settings)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        archive = settings.text("archive_name")
        sheet = make_sheet(shown, store, reader, archive, _now())
        printed(request, reader, shown, "网页")
        return HTMLResponse(sheet_html(sheet, "../../../", version, "sheet.pdf"), headers=_PRIVATE)

    @router.get("/api/answers/{answer_id}/sheet.pdf")
    def sheet_file(request: Request, answer_id: str) -> Response:
        from ui.sheet_pdf import sheet_pdf  # only now: a quarter of a second to import

        reader = current_reader(request, settings)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        now = _now()
        sheet = make_sheet(shown, store, reader, settings.text("archive_name"), now)
        clear = may_see_personal(reader).allowed

        def picture(page: Page) -> bytes | None:
            drawn = images.jpeg(page, PICTURE_WIDTH, clear=clear)
            return None if drawn is None else drawn[1]

        content = sheet_pdf(sheet, picture)
        printed(request, reader, shown, "PDF")
        name = quote(f"{SHEET}-{_of_file(shown)}-{now:%Y%m%d-%H%M}.pdf")
        headers = {**_PRIVATE, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type="application/pdf", headers=headers)

    # -- a record ---------------------------------------------------------------------------------

    @router.get("/api/records/{token}/strip")
    def strip(request: Request, token: str, page: int = 1) -> Response:
        reader = current_reader(request, settings)
        record_id = record_id_of(token)
        record = None if record_id is None else store.record(record_id)
        verdict = None if record is None else may_read(reader, record)
        if record is None or verdict is None or not verdict.allowed:
            reason = "" if verdict is None else verdict.reason
            uses.denied(uses.of(request, reader), record, record_id or token, reason)
            return not_available()
        count = store.page_count(record.record_id)
        first = max(1, min(page, count) - _STRIP)
        pages = [
            _thumbnail_json(found)
            for seq in range(first, min(count, page + _STRIP) + 1)
            if (found := store.page(record.record_id, seq)) is not None
        ]
        volume = same_volume(record, store.records(store.permitted(reader)))
        at = next((i for i, r in enumerate(volume) if r.record_id == record.record_id), 0)
        near = volume[max(0, at - _STRIP) : at + _STRIP + 1]
        uses.listed(uses.of(request, reader), near, "本卷各件")
        return _json(
            {
                "page_count": count,
                "pages": pages,
                "volume_count": len(volume),
                "volume": [_sibling_json(r, store.page(r.record_id, 1)) for r in near],
            }
        )

    return router


class _FacetCache:
    """What can be chosen, for the permitted sets asked for last. Safe between threads."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, Permitted], Facets] = {}
        self._lock = threading.Lock()

    def get(self, version: int, permitted: Permitted) -> Facets | None:
        with self._lock:
            return self._found.get((version, permitted))

    def put(self, version: int, permitted: Permitted, found: Facets) -> Facets:
        with self._lock:
            if len(self._found) >= _VIEWS_KEPT:
                self._found.clear()
            self._found[version, permitted] = found
        return found


def _now() -> dt.datetime:
    return dt.datetime.now().astimezone()


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=_PRIVATE)


def _unknown() -> Response:
    return JSONResponse({"detail": strings.UNKNOWN_CONVERSATION}, 404, headers=_PRIVATE)


async def _body(request: Request) -> object:
    """The JSON of a small request, None when it is none or too long."""
    content = await small_bytes(request, _LONGEST_BODY)
    if content is None:
        return None
    try:
        return json_of(content)
    except ValueError:
        return None


def _of_file(shown: Shown) -> str:
    """A piece of the question for a file name."""
    words = "".join(c for c in shown.result.question if c.isalnum())
    return words[:20] or shown.when.strftime("%H%M%S")


def _facet_json(facet: Facet) -> dict[str, Any]:
    return {"value": facet.value, "records": facet.records}


def _conversation_json(row: Conversation) -> dict[str, Any]:
    return {
        "id": row.conversation_id,
        "title": row.title,
        "started": row.started,
        "changed": row.changed,
        "exchanges": row.exchanges,
    }


def _suggestions_json(found: Sequence[Suggestion]) -> dict[str, Any]:
    return {"suggestions": [{"question": s.question, "reason": s.reason} for s in found]}


def _thumbnail_json(page: Page) -> dict[str, Any]:
    return {
        "page": page.seq,
        "has_image": page.has_image,
        "image": f"page/{record_token(page.record_id)}/{page.seq}.jpg",
        "low_confidence": is_unreliable(page.confidence),
        "words": title_form(page.raw[:40]),
    }


def _sibling_json(record: Record, first: Page | None) -> dict[str, Any]:
    return {
        "record": record_token(record.record_id),
        "title": record.title,
        "code": record.reference_code,
        "has_image": first is not None and first.has_image,
        "has_pages": first is not None,
        "image": f"page/{record_token(record.record_id)}/1.jpg",
    }
