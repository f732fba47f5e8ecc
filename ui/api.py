"""Our own HTTP routes: citations of an answer, page text, page images, permalinks.

Every route asks `current_reader` and `may_read`. A record that is hidden and one that does not
exist give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from assistant.catalogue_export import NothingToExportError, exported_records
from assistant.domain import (
    OPENED,
    Answer,
    AssistantError,
    Citation,
    Refusal,
    cite,
    mark,
    record_reference,
)
from index.access import may_manage_intake, may_read, may_see_personal
from index.domain import ADOPTION_NOTE, Page, Reader, Record
from index.highlight import quote_boxes
from ui import strings
from ui.escaping import is_unreliable
from ui.export import KINDS, export_answer
from ui.page_images import FIRST_WIDTH, PageImages
from ui.places import is_hash, permalink, record_id_of, record_token, resolve
from ui.precedent_view import precedent_json
from ui.reader import current_reader
from ui.render import answer_text, refusal_text
from ui.session import Asker, RecentAnswers
from ui.usage import Use, UseLog

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_IMAGE_CACHE: Final = "private, max-age=600"


def build_router(
    assistant: Asker, recent: RecentAnswers, images: PageImages, uses: UseLog | None = None
) -> APIRouter:
    """The routes over one assistant.

    Args:
        assistant: Gives the holdings and the settings.
        recent: Answers whose citations may be fetched.
        images: Renders page pictures.
        uses: Writes the use register; one of its own when None.
    """
    router = APIRouter()
    store, settings = assistant.store, assistant.settings
    uses = uses or UseLog(settings, store)

    def readable(request: Request, token: str) -> Record | None:
        record_id = record_id_of(token)
        record = None if record_id is None else store.record(record_id)
        reader = current_reader(request, settings)
        verdict = None if record is None else may_read(reader, record)
        if record is None or verdict is None or not verdict.allowed:
            reason = "" if verdict is None else verdict.reason
            uses.denied(uses.of(request, reader), record, record_id or token, reason)
            return None
        return record

    def use(request: Request) -> Use:
        return uses.of(request, current_reader(request, settings))

    def clear(request: Request) -> bool:
        return may_see_personal(current_reader(request, settings)).allowed

    @router.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    @router.get("/api/status")
    def status(request: Request) -> Response:
        reader = current_reader(request, settings)
        coverage = store.coverage(store.permitted(reader))
        return _json(
            {
                "reader": reader.name,
                "role": reader.role.value,
                "records": coverage.records,
                "pages": coverage.pages,
                "intake": may_manage_intake(reader).allowed,
            }
        )

    @router.get("/api/answers/{answer_id}")
    def answer(request: Request, answer_id: str) -> Response:
        reader = current_reader(request, settings)
        shown = recent.shown(answer_id, reader)
        if shown is None:
            return not_available()
        common = {"conversation": shown.conversation, "refused": isinstance(shown.result, Refusal)}
        if isinstance(shown.result, Refusal):
            text = refusal_text(shown.result)
            return _json({"citations": [], "listings": [], "text": text, **common})
        body = _answer_json(shown.result, assistant, reader)
        return _json(body | common | {"open": body["open"] and not shown.returned})

    @router.get("/api/answers/{answer_id}/export.{kind}")
    def export(request: Request, answer_id: str, kind: str) -> Response:
        reader = current_reader(request, settings)
        found = recent.get(answer_id, reader)
        if found is None or kind not in KINDS:
            return not_available()
        now = dt.datetime.now().astimezone()
        try:
            content = export_answer(found, store, reader, kind, now)
            leaving = exported_records(found, store, reader)
        except NothingToExportError:
            return not_available()
        uses.exported(use(request), leaving, kind, question=found.question)
        name = quote(f"{strings.EXPORT_FILE}-{now:%Y%m%d-%H%M}.{kind}")
        headers = {**_PRIVATE, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type=KINDS[kind], headers=headers)

    @router.get("/api/precedents")
    def precedents(request: Request, q: str = "") -> Response:
        reader = current_reader(request, settings)
        asking = uses.of(request, reader)
        uses.asked(asking, q)
        try:
            result = assistant.ask(q, (), reader, precedents=True)
        except AssistantError as error:
            return JSONResponse({"detail": str(error)}, 400, headers=_PRIVATE)
        uses.answered(asking, result)
        if isinstance(result, Refusal):
            return _json({"refused": True, "message": result.message, "matters": []})
        body = _answer_json(result, assistant, reader)
        if not body["text"]:  # closed to the reader since it was found
            return not_available()
        return _json(
            {
                "refused": False,
                "lead": result.lead,
                "notes": list(result.notes),
                "matters": precedent_json(result),
                "citations": body["citations"],
                "listings": body["listings"],
            }
        )

    @router.get("/api/records/{token}")
    def record(request: Request, token: str) -> Response:
        found = readable(request, token)
        if found is None:
            return not_available()
        if clear(request):
            found = store.record(found.record_id, clear=True) or found
        uses.record_shown(use(request), found)
        return _json(_record_json(found, store.page_count(found.record_id)))

    @router.get("/api/pages/{token}/{seq}")
    def page(
        request: Request,
        token: str,
        seq: int,
        start: int = 0,
        end: int = 0,
        hash: str = "",  # noqa: A002 - its name in the address
    ) -> Response:
        found = readable(request, token)
        place = None if found is None else resolve(store, found.record_id, seq, start, end, hash)
        if found is None or place is None:
            return not_available()
        # masked and unmasked text are of one length: a place in one is a place in the other
        stored = store.page(found.record_id, place.page.seq, clear=clear(request)) or place.page
        count = store.page_count(found.record_id)
        uses.page_shown(use(request), found, stored.seq, "文字")
        words = place.page.raw[place.start : place.end]
        content = _page_json(found, stored, count, place.start, place.end, words)
        return _json(content | {"moved": place.moved, "lost": place.lost})

    @router.get("/page/{token}/{name}")
    def image(request: Request, token: str, name: str, w: int = FIRST_WIDTH) -> Response:
        found = readable(request, token)
        seq = name.removesuffix(".jpg")
        if found is None or seq == name or not (seq.isascii() and seq.isdecimal()):
            return not_available()
        stored = store.page(found.record_id, int(seq[:9]))
        if stored is None or not stored.has_image:
            return not_available()
        rendered = images.jpeg(stored, w, clear=clear(request))
        if rendered is None:
            return JSONResponse({"detail": strings.IMAGE_BROKEN}, 410, headers=_PRIVATE)
        tag, content = rendered
        uses.page_shown(use(request), found, stored.seq, "影像")
        headers = {"Cache-Control": _IMAGE_CACHE, "ETag": f'"{tag}"'}
        if request.headers.get("if-none-match") == f'"{tag}"':
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="image/jpeg", headers=headers)

    @router.get("/record/{token}")
    def open_record(
        request: Request,
        token: str,
        page: int = 1,
        start: int = 0,
        end: int = 0,
        hash: str = "",  # noqa: A002 - its name in the address
    ) -> Response:
        found = readable(request, token)
        if found is None:
            return not_available()
        marked = f"-{hash}" if is_hash(hash) else ""
        # relative, so that it works below any prefix of a reverse proxy
        target = f"../app/#r-{record_token(found.record_id)}-{page}-{start}-{end}{marked}"
        return RedirectResponse(target, status_code=303, headers=_PRIVATE)

    return router


def not_available() -> Response:
    """The one answer for hidden and missing records."""
    return JSONResponse({"detail": strings.NOT_AVAILABLE}, 404, headers=_PRIVATE)


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=_PRIVATE)


def _answer_json(answer: Answer, assistant: Asker, reader: Reader) -> dict[str, Any]:
    """Citations and listings of an answer; what the reader may not see any more is left out."""
    store = assistant.store
    citations = []
    for citation in answer.citations:
        record = store.record(citation.record.record_id)
        page = store.page(citation.record.record_id, citation.page)
        if record is None or page is None or not may_read(reader, record).allowed:
            continue
        citations.append(_citation_json(citation, page))
    listings = []
    named = [(str(row.marker), mark(row.marker), row.record) for row in answer.listings]
    named += [(f"r{i}", "", record) for i, record in enumerate(answer.related, start=1)]
    for marker, shown, asked in named:
        record = store.record(asked.record_id)
        if record is not None and may_read(reader, record).allowed:
            count = store.page_count(record.record_id)
            listings.append(_listing_json(marker, shown, record, count))
    complete = len(citations) == len(answer.citations) and len(listings) == len(named)
    return {
        "citations": citations,
        "listings": listings,
        "text": answer_text(answer) if complete else "",
        "open": answer.kind == OPENED,
        "exportable": bool(answer.listings),
        "timeline": bool(answer.precedents),
    }


def _citation_json(citation: Citation, page: Page) -> dict[str, Any]:
    record_id = citation.record.record_id
    return {
        "marker": str(citation.marker),
        "mark": mark(citation.marker),
        **_record_json(citation.record, citation.page_count),
        "reference": citation.reference,
        "page": citation.page,
        "place": citation.place,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "low_confidence": is_unreliable(citation.confidence),
        "confidence": citation.confidence,
        # page: masked text, the same for every reader, so the link is the same too
        "link": permalink(
            record_id,
            citation.page,
            citation.start,
            citation.end,
            page.raw[citation.start : citation.end],
        ),
        **_image_json(page),
        "boxes": quote_boxes(page, citation.start, citation.end),
    }


def _listing_json(marker: str, shown: str, record: Record, page_count: int) -> dict[str, Any]:
    return {
        "marker": marker,
        "mark": shown,
        **_record_json(record, page_count),
    }


def _record_json(record: Record, page_count: int) -> dict[str, Any]:
    return {
        "record": record_token(record.record_id),
        "title": record.title,
        "reference": record_reference(record),
        "fields": _fields(record, strings.FIELD_HEADINGS),
        "more_fields": _more_fields(record),
        "page_count": page_count,
        "derived": [
            {
                "field": item.field,
                "value": item.value,
                "page": item.page,
                "start": item.start,
                "end": item.end,
                "link": permalink(record.record_id, item.page, item.start, item.end)
                if item.page
                else "",
            }
            for item in record.derived
        ],
        "parts": [
            {
                "kind": part.kind,
                "title": part.title,
                "page": part.page,
                "last_page": part.last_page,
                "link": permalink(record.record_id, part.page, 0, 0),
            }
            for part in record.parts
        ],
        "link": f"record/{record_token(record.record_id)}",
    }


def catalogue_fields(record: Record) -> list[tuple[str, str]]:
    """All catalogue fields of a record that are not blank, as (heading, value)."""
    return [*_fields(record, strings.FIELD_HEADINGS), *_more_fields(record)]


def _fields(record: Record, headings: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    values = (
        (strings.derived_heading(heading, item.page), value)
        if (item := record.derivation(name)) is not None
        else (heading, value)
        for name, heading in headings
        for value in (str(getattr(record, name)),)
    )
    fields = [(heading, value) for heading, value in values if value.strip()]
    if headings is strings.FIELD_HEADINGS and not record.reference_code:
        fields.append((strings.RECORD_ID, record.record_id))
    return fields


def _more_fields(record: Record) -> list[tuple[str, str]]:
    fields = _fields(record, strings.MORE_FIELD_HEADINGS)
    fields += [
        (strings.derived_heading(strings.ADOPTION_NOTE, item.page), item.value)
        for item in record.derived
        if item.field == ADOPTION_NOTE
    ]
    if record.parts:
        fields.append((strings.PARTS, strings.parts_line(record.parts)))
    if record.proposers:
        fields.append((strings.PROPOSERS, "、".join(record.proposers)))
    if record.page_count is not None:
        fields.append((strings.PAGE_COUNT, str(record.page_count)))
    # Columns the catalogue has and we have no field for, under their own headings.
    fields += [(heading, value) for heading, value in record.extra if value.strip()]
    if record.source_file:
        source = strings.catalogue_source(record.source_file, record.source_row)
        fields.append((strings.CATALOGUE_SOURCE, source))
    return fields


def page_fields(page: Page) -> list[tuple[str, str]]:
    """Where the text of a page comes from, as (heading, value), for the page card."""
    origin = strings.text_origin(page.source.value, page.engine, page.choice.reason)
    figures = strings.text_figures(page.confidence, page.choice.uncovered, page.turn)
    fields = [(strings.TEXT_ORIGIN, origin), (strings.TEXT_FIGURES, figures)]
    return [(heading, value) for heading, value in fields if value]


def _image_json(page: Page) -> dict[str, Any]:
    return {
        "has_image": page.has_image,
        "image": f"page/{record_token(page.record_id)}/{page.seq}.jpg",
        "ratio": round(page.width / page.height, 4) if page.has_image else 0,
    }


def _page_json(
    record: Record, page: Page, count: int, start: int, end: int, words: str
) -> dict[str, Any]:
    """One page; the text comes in three parts so that the browser need not count characters.

    `words` is the masked text of `start:end`, for the link.
    """
    if not 0 <= start < end <= len(page.raw):
        start = end = 0
    content = {
        **_record_json(record, count),
        **_image_json(page),
        "page": page.seq,
        "before": page.raw[:start],
        "quote": page.raw[start:end],
        "after": page.raw[end:],
        "boxes": quote_boxes(page, start, end),
        "low_confidence": is_unreliable(page.confidence),
        "link": permalink(record.record_id, page.seq, start, end, words),
        "confidence": page.confidence,
        "place": "",
        "page_fields": page_fields(page),
    }
    if page.raw:
        whole = cite(1, record, page, count, start, end if end > start else len(page.raw), "-")
        content["place"], content["reference"] = whole.place, whole.reference
        if end > start:
            content["low_confidence"] = is_unreliable(whole.confidence)
    return content
