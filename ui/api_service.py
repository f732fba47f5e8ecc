"""What every face for programs calls: HTTP API, OpenAI-compatible calls, MCP tools.

There is one path from a question to what is sent: `Assistant.ask`, which the chat page and the
command line call too, then `answered`. Rights are the reader's at the moment of the call.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from assistant.domain import Answer, AssistantError, Citation, Listing, Refusal, Turn, cite
from assistant.search import SearchFilter
from index.access import may_read, may_see_personal
from index.domain import Coverage, Page, Reader, Record
from index.highlight import quote_boxes
from index.settings import Settings
from index.store import Store
from ui import strings
from ui.api import catalogue_fields
from ui.api_errors import CHANGED, IMAGE_BROKEN, NOT_AVAILABLE, NOT_COUNTED, ApiError
from ui.api_models import (
    AskRequest,
    AskResponse,
    CitationBody,
    ColumnBody,
    CountsRequest,
    CountsResponse,
    CoverageBody,
    DerivedBody,
    FoundBody,
    FullRecordBody,
    ListingBody,
    PageBody,
    PageQuery,
    PartBody,
    PrecedentsRequest,
    ProseBody,
    ReadingBody,
    RecordBody,
    SearchQuery,
    SearchResponse,
    TableBody,
    TableRowBody,
    citation_fields,
    listing_fields,
    record_fields,
)
from ui.escaping import is_unreliable
from ui.page_images import PageImages
from ui.places import permalink, record_id_of, record_token
from ui.plain_answer import plain_answer
from ui.precedent_view import precedent_json
from ui.render import prose_text
from ui.session import Asker
from ui.usage import Use, UseLog

#: Conversations of programs whose earlier answers are kept, to save asking them again.
_KEPT: Final = 500


class ApiService:
    """The calls, as models in and models out. Safe between threads."""

    def __init__(self, assistant: Asker, images: PageImages, uses: UseLog) -> None:
        """Bind the assistant, the renderer of page pictures and the use register."""
        self._assistant = assistant
        self._images = images
        self._uses = uses
        self._earlier = _EarlierTurns()

    @property
    def assistant(self) -> Asker:
        """Who answers."""
        return self._assistant

    @property
    def store(self) -> Store:
        """The holdings."""
        return self._assistant.store

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._assistant.settings

    @property
    def uses(self) -> UseLog:
        """Where uses are registered."""
        return self._uses

    @property
    def composes(self) -> bool:
        """Whether a language model may add joining text."""
        return self._assistant.composes

    # -- asking -----------------------------------------------------------------------------------

    def result(
        self,
        question: str,
        use: Use,
        earlier: Sequence[str] = (),
        without: Collection[str] = (),
        *,
        precedents: bool = False,
    ) -> Answer | Refusal:
        """Answer a question for a program: the one place where these faces ask.

        Earlier questions are answered again, unless remembered, to understand the last one.

        Raises:
            QuestionError: If the question is empty or too long.
            ApiError: If the holdings changed between asking and answering.
            RegisterError: If it names a record that is not open and could not be registered.
            PurposeNeededError: If the purpose has to be stated first.
        """
        reader = use.reader
        self._uses.asked(use, question)
        turns: list[Turn] = []
        for number, before in enumerate(earlier):
            turn = self._earlier.get(reader, self._version, earlier[: number + 1])
            if turn is None:
                try:
                    turn = Turn(before, self._assistant.ask(before, tuple(turns), reader))
                except AssistantError:
                    continue  # an empty or overlong one cannot be leant on
                self._earlier.put(reader, self._version, earlier[: number + 1], turn)
            turns.append(turn)
        began = self._version
        result = self._assistant.ask(question, tuple(turns), reader, without, precedents=precedents)
        if not precedents and not without:
            self._earlier.put(reader, began, (*earlier, question), Turn(question, result))
        if self._version != began and not self._readable(result, reader):
            raise ApiError(CHANGED)
        self._uses.answered(use, result, without)
        return result

    @property
    def _version(self) -> int:
        return self.store.data_version

    def _readable(self, result: Answer | Refusal, reader: Reader) -> bool:
        records = [self.store.record(r.record_id) for r in _records(result)]
        return all(r is not None and may_read(reader, r).allowed for r in records)

    def composed(self, answer: Answer, use: Use) -> Answer:
        """The answer with joining text, or the same; slow."""
        if not answer.citations or answer.precedents:
            return answer
        composed = self._assistant.compose(answer, use.reader)
        if composed.prose is not None:
            self._uses.answered(use, composed)
        return composed

    def ask(self, request: AskRequest, use: Use) -> AskResponse:
        """A question as JSON."""
        result = self.result(request.question, use, request.earlier, request.without)
        if request.compose and isinstance(result, Answer):
            result = self.composed(result, use)
        return answered(result, request.listings)

    def counts(self, request: CountsRequest, use: Use) -> CountsResponse:
        """A count from the catalogue with its denominator.

        Raises:
            ApiError: If the catalogue does not answer the question.
        """
        result = self.result(request.question, use)
        body = answered(result, request.listings)
        if isinstance(result, Refusal):
            return CountsResponse(refused=True, answer=body)
        if result.counted_of is None:
            raise ApiError(NOT_COUNTED)
        return CountsResponse(
            refused=False,
            count=len(result.listings),
            total=result.counted_of,
            unit=result.unit,
            answer=body,
        )

    def precedents(self, request: PrecedentsRequest, use: Use) -> AskResponse:
        """Precedents of a topic."""
        return answered(self.result(request.topic, use, precedents=True), request.listings)

    # -- looking ----------------------------------------------------------------------------------

    def search(self, query: SearchQuery, use: Use) -> SearchResponse:
        """Passages by rank."""
        self._uses.asked(use, query.q)
        wanted = SearchFilter(query.year_from, query.year_to, query.doc_type)
        found, coverage = self._assistant.search(query.q, use.reader, query.limit, wanted)
        self._uses.searched(use, query.q, found)
        return SearchResponse(
            q=query.q,
            hits=[
                FoundBody(rank=number, **_citation(citation))
                for number, citation in enumerate(found, start=1)
            ],
            coverage=_coverage(coverage),
            notice=strings.NO_VOUCHER,
        )

    def record(self, token: str, use: Use) -> FullRecordBody:
        """A record with all its catalogue fields.

        Raises:
            ApiError: If there is none, or the reader may not read it: the same either way.
        """
        record = self.readable(token, use)
        self._uses.record_shown(use, record)
        if may_see_personal(use.reader).allowed:
            record = self.store.record(record.record_id, clear=True) or record
        return FullRecordBody(
            **record_fields(record, token),
            fields=catalogue_fields(record),
            page_count=self.store.page_count(record.record_id),
            derived_fields=[
                DerivedBody(field=d.field, value=d.value, page=d.page) for d in record.derived
            ],
            parts=[
                PartBody(kind=p.kind, title=p.title, page=p.page, last_page=p.last_page)
                for p in record.parts
            ],
            pages_link=f"api/v1/records/{token}/pages/1",
        )

    def page(self, token: str, seq: int, query: PageQuery, use: Use) -> PageBody:
        """One page of a record.

        Raises:
            ApiError: If there is none, or the reader may not read it: the same either way.
        """
        record = self.readable(token, use)
        page = self.store.page(record.record_id, seq, clear=may_see_personal(use.reader).allowed)
        if page is None:
            raise ApiError(NOT_AVAILABLE)
        self._uses.page_shown(use, record, seq, "文字")
        count = self.store.page_count(record.record_id)
        start, end = query.start, query.end
        if not 0 <= start < end <= len(page.raw):
            start = end = 0
        shown = cite(1, record, page, count, 0, len(page.raw), "-") if page.raw else None
        return PageBody(
            record=token,
            reference_code=record.reference_code,
            title=record.title,
            page=page.seq,
            page_count=count,
            place=shown.place if shown else "",
            text=page.raw,
            quote=page.raw[start:end],
            source=page.source.value,
            confidence=page.confidence,
            low_confidence=is_unreliable(page.confidence),
            has_image=page.has_image,
            image=f"api/v1/records/{token}/pages/{seq}/image" if page.has_image else "",
            boxes=[_box(box) for box in quote_boxes(page, start, end)] if end else [],
            link=permalink(record.record_id, page.seq, start, end),
        )

    def image(self, token: str, seq: int, width: int, use: Use) -> tuple[str, bytes]:
        """The picture of a page: entity tag and JPEG bytes.

        Raises:
            ApiError: If there is none, the reader may not read it, or it cannot be drawn.
        """
        record = self.readable(token, use)
        page: Page | None = self.store.page(record.record_id, seq)
        if page is None or not page.has_image:
            raise ApiError(NOT_AVAILABLE)
        self._uses.page_shown(use, record, seq, "影像")
        drawn = self._images.jpeg(page, width, clear=may_see_personal(use.reader).allowed)
        if drawn is None:
            raise ApiError(IMAGE_BROKEN)
        return drawn

    def readable(self, token: str, use: Use) -> Record:
        """The record of a token.

        Raises:
            ApiError: If there is none, or the reader may not read it: the same either way.
        """
        record_id = record_id_of(token)
        record = None if record_id is None else self.store.record(record_id)
        verdict = None if record is None else may_read(use.reader, record)
        if record is None or verdict is None or not verdict.allowed:
            reason = "" if verdict is None else verdict.reason
            self._uses.denied(use, record, record_id or token, reason)
            raise ApiError(NOT_AVAILABLE)
        return record


class _EarlierTurns:
    """Answers to questions of conversations, by reader and by all questions up to there."""

    def __init__(self) -> None:
        self._turns: OrderedDict[tuple[Reader, int, tuple[str, ...]], Turn] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, reader: Reader, version: int, questions: Sequence[str]) -> Turn | None:
        with self._lock:
            return self._turns.get((reader, version, tuple(questions)))

    def put(self, reader: Reader, version: int, questions: Sequence[str], turn: Turn) -> None:
        with self._lock:
            self._turns[reader, version, tuple(questions)] = turn
            while len(self._turns) > _KEPT:
                self._turns.popitem(last=False)


# -- results as models ----------------------------------------------------------------------------


def answered(result: Answer | Refusal, most: int) -> AskResponse:
    """An answer or refusal for programs; quotations are byte for byte as stored.

    Args:
        result: What the assistant said.
        most: Most catalogue rows to give.
    """
    common: dict[str, Any] = {
        "refused": isinstance(result, Refusal),
        "question": result.question,
        "standalone": result.standalone,
        "reading": result.reading,
        "readings": [
            ReadingBody(key=r.key, words=r.words, meaning=r.meaning, note=r.note)
            for r in result.readings
        ],
        "notes": list(result.notes),
        "text": plain_answer(result),
        "coverage": _coverage(result.coverage),
        "notice": strings.NO_VOUCHER,
        "elapsed_ms": round(result.elapsed_ms, 1),
    }
    if isinstance(result, Refusal):
        return AskResponse(
            **common,
            reason=result.reason.value,
            message=result.message,
            next_steps=list(strings.NEXT_STEPS.get(result.reason.value, ())),
            related=[_record(record) for record in result.records],
        )
    return AskResponse(
        **common,
        kind=result.kind,
        lead=result.lead,
        direct=result.direct,
        citations=[CitationBody(**_citation(c)) for c in result.citations],
        listings=[_listing(row) for row in result.listings[:most]],
        listings_total=len(result.listings),
        table=None
        if result.table is None
        else TableBody(
            headings=list(result.table.headings),
            rows=[
                TableRowBody(cells=list(row.cells), markers=list(row.markers))
                for row in result.table.rows
            ],
        ),
        columns=[ColumnBody(heading=c.heading, markers=list(c.markers)) for c in result.columns],
        precedents=precedent_json(result),
        related=[_record(record) for record in result.related],
        prose=None
        if result.prose is None
        else ProseBody(label=strings.AI_LABEL, model=result.prose.model, text=prose_text(result)),
    )


def _records(result: Answer | Refusal) -> Iterator[Record]:
    if isinstance(result, Refusal):
        yield from result.records
        return
    yield from (citation.record for citation in result.citations)
    yield from (row.record for row in result.listings)
    yield from result.related


def _record(record: Record) -> RecordBody:
    return RecordBody(**record_fields(record, record_token(record.record_id)))


def _citation(citation: Citation) -> dict[str, Any]:
    record_id = citation.record.record_id
    link = permalink(record_id, citation.page, citation.start, citation.end)
    return citation_fields(citation, record_token(record_id), link)


def _listing(row: Listing) -> ListingBody:
    return ListingBody(**listing_fields(row, record_token(row.record.record_id)))


def _coverage(coverage: Coverage) -> CoverageBody:
    return CoverageBody(
        records=coverage.records,
        pages=coverage.pages,
        unreadable_pages=coverage.unreadable_pages,
    )


def _box(box: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left, top, right, bottom
