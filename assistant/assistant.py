"""The read path in one class: a question in, a cited answer or a refusal out."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from assistant.catalogue_query import CatalogueResult, look_up_codes, query_catalogue
from assistant.composing import Composer, open_composer, still_stands
from assistant.domain import (
    Answer,
    Citation,
    Conversation,
    Listing,
    QuestionError,
    Refusal,
    RefusalReason,
    cite,
)
from assistant.excerpts import Excerpt, ExcerptFinder, choose
from assistant.followup import previous_records, searched_turns, standalone_question
from assistant.gazetteer import Gazetteer
from assistant.question import Intent, Question, read_question
from assistant.refusal import judge
from assistant.retrieval import Evidence, Retriever
from assistant.scope import CLAIM_NOTE, out_of_scope, without_claim
from index.access import Permitted
from index.builtin_model import MODEL_NAME
from index.domain import Coverage, Reader, Record
from index.encoder import Encoder, open_encoder
from index.errors import IndexNotFoundError
from index.passage_index import PassageIndex
from index.settings import Settings
from index.store import Store

logger = logging.getLogger(__name__)

#: Longest question in characters; a pasted page is not a question.
LONGEST_QUESTION: Final = 500
_TOP_K: Final = 40
_RELATED: Final = 5

_NOT_FOUND: Final = (
    "在您可查阅的范围内未检索到相关记录（检索范围：{records} 件、{pages} 页{unreadable}）。"
    "未检索到不等于不存在；如需查阅未开放档案，请按程序申请。"
)


@dataclass(frozen=True, slots=True)
class _Live:
    """One index generation with what is derived from it."""

    version: int
    passage_index: PassageIndex
    gazetteer: Gazetteer
    retriever: Retriever
    finder: ExcerptFinder


class Assistant:
    """Answers questions over one home. Safe to call from several threads."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        encoder: Encoder,
        today: Callable[[], dt.date] | None = None,
        composer: Composer | None = None,
    ) -> None:
        """Open the current index generation.

        Args:
            store: The truth.
            settings: The settings in force.
            encoder: The model questions are encoded with.
            today: Clock for relative dates; None for the real one.
            composer: Writes joining sentences over answers; None to leave them as they are.

        Raises:
            IndexNotFoundError: If nothing was built yet.
            IndexMismatchError: If the index was built with another model or format.
        """
        self.store = store
        self.settings = settings
        self._encoder = encoder
        self._today = today or (lambda: dt.datetime.now().astimezone().date())
        self._composer = composer
        self._lock = threading.Lock()
        self._live = self._open()

    def _open(self) -> _Live:
        passage_index = PassageIndex(self.store, self.settings, self._encoder)
        gazetteer = Gazetteer(self.store.records())
        return _Live(
            self.store.data_version,
            passage_index,
            gazetteer,
            Retriever(self.store, passage_index, gazetteer),
            ExcerptFinder(self.store.pages_between, passage_index.rarity, passage_index.similarity),
        )

    def _current(self) -> _Live:
        """The live generation, reopened after a build swapped a new one in."""
        live = self._live
        if not live.passage_index.is_current(self.settings):
            with self._lock:
                if self._live is live:
                    self._live = self._open()
                live = self._live
        return live

    @property
    def generation(self) -> str:
        """Name of the index generation in use."""
        return self._current().passage_index.generation

    @property
    def model(self) -> str:
        """Identity of the embedding model in use."""
        return self._encoder.name

    def ask(self, question: str, conversation: Conversation, reader: Reader) -> Answer | Refusal:
        """Answer a question.

        Args:
            question: As typed.
            conversation: Earlier turns, oldest first; a follow-up is made self-contained from it.
            reader: Who asks. Nothing outside what they may see is looked at.

        Raises:
            QuestionError: If the question is empty or longer than `LONGEST_QUESTION`.
        """
        began = time.perf_counter()
        question = question.strip()
        if not question:
            msg = "请输入要查的问题。"
            raise QuestionError(msg)
        if len(question) > LONGEST_QUESTION:
            msg = f"问题太长（{len(question)} 字）。请精简到 {LONGEST_QUESTION} 字以内。"
            raise QuestionError(msg)
        result = self._answer(self._current(), question, conversation, reader)
        elapsed = (time.perf_counter() - began) * 1000
        logger.info(
            "answered=%s quotes=%d ms=%.0f",
            isinstance(result, Answer),
            len(result.citations) if isinstance(result, Answer) else 0,
            elapsed,
        )
        return replace(result, elapsed_ms=elapsed)

    @property
    def composes(self) -> bool:
        """Whether a language model is set that may add joining text to answers with quotations."""
        return self._composer is not None

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """The answer with a language model's joining text, or the same answer without.

        Slow: as long as the language model takes. What the reader may not see any more, or what
        no longer stands in its record, is neither sent nor shown with joining text.
        """
        if self._composer is None or not self._stands(answer, reader):
            return answer
        composed = self._composer.compose(answer)
        return composed if self._stands(answer, reader) else answer

    def _stands(self, answer: Answer, reader: Reader) -> bool:
        return bool(answer.citations) and all(
            still_stands(citation, self.store, reader) for citation in answer.citations
        )

    def _answer(
        self, live: _Live, question: str, conversation: Conversation, reader: Reader
    ) -> Answer | Refusal:
        permitted = self.store.permitted(reader)
        coverage = self.store.coverage(permitted)
        request = without_claim(question)
        standalone = standalone_question(request, searched_turns(conversation), live.gazetteer)
        asked = read_question(
            standalone,
            live.gazetteer,
            self._today(),
            local_body=self.settings.text("local_body"),
        )
        reading = describe(question, asked) + (CLAIM_NOTE if request != question else "")
        base = _Base(question, standalone, reading, coverage)
        outside = out_of_scope(question, reader.role) or out_of_scope(standalone, reader.role)
        if outside is not None:
            refusal = base.refuse(outside.reason, outside.message)
            if not outside.names_records:
                return refusal
            return replace(refusal, records=self._on_the_subject(live, base, asked, permitted))
        found, named = look_up_codes(standalone, self.store, permitted)
        if named:
            return self._look_up(live, base, asked, found, permitted)
        if asked.intent is Intent.COUNT or (
            asked.intent is Intent.LIST and _about_holdings(asked.form)
        ):
            result = query_catalogue(asked, self.store, permitted, live.gazetteer)
            if result is not None and len(result.unexplained) <= 3:
                return self._count(base, asked, result)
        previous = previous_records(conversation) if standalone != request else ()
        evidence = live.retriever.retrieve(
            asked,
            permitted,
            _TOP_K,
            previous,
            candidates=self.settings.number("candidates"),
        )
        return self._compose(live, base, asked, evidence)

    # -- from passages ------------------------------------------------------------------------

    def _compose(
        self,
        live: _Live,
        base: _Base,
        asked: Question,
        evidence: Sequence[Evidence],
    ) -> Answer | Refusal:
        rarity = live.passage_index.rarity
        if asked.intent is Intent.COMPARE and len(asked.places) > 1:
            excerpts = self._by_place(live, asked, evidence)
        else:
            excerpts = live.finder.find(asked, evidence, whole_lists=asked.intent is Intent.LIST)
        verdict = judge(
            asked,
            evidence,
            excerpts,
            rarity,
            calibrated=self._encoder.name.startswith(MODEL_NAME),
            year_needed=any(str(y) in base.question for y in asked.years)
            or base.question == base.standalone,
        )
        if not verdict.answers:
            logger.info("refused: %s odds=%.2f", verdict.why, verdict.odds)
            return base.not_found()
        chosen = choose(excerpts)
        citations = self._cite(chosen)
        cited = {c.record.record_id for c in citations}
        related: dict[str, Record] = {}
        for item in evidence:
            if item.record.record_id not in cited:
                related.setdefault(item.record.record_id, item.record)
        return base.answer(
            asked.intent.value,
            "",
            citations,
            related=tuple(related.values())[:_RELATED],
        )

    def _on_the_subject(
        self, live: _Live, base: _Base, asked: Question, permitted: Permitted
    ) -> tuple[Record, ...]:
        """Records that would have answered, had the question been about the records."""
        candidates = self.settings.number("candidates")
        evidence = live.retriever.retrieve(asked, permitted, _TOP_K, candidates=candidates)
        result = self._compose(live, base, asked, evidence)
        if isinstance(result, Refusal):
            return ()
        return tuple({c.record.record_id: c.record for c in result.citations}.values())

    def _by_place(
        self, live: _Live, asked: Question, evidence: Sequence[Evidence]
    ) -> list[Excerpt]:
        """Best excerpts of each place compared, taking turns."""
        columns: list[list[Excerpt]] = []
        for place in asked.places:
            one = replace(asked, places=(place,))
            mine = [e for e in evidence if live.retriever.place_agreement(one, e.record) > 0]
            columns.append(live.finder.find(asked, mine))
        merged: list[Excerpt] = []
        for row in range(max((len(c) for c in columns), default=0)):
            merged += [c[row] for c in columns if row < len(c)]
        return merged

    def _cite(self, chosen: Sequence[Excerpt]) -> tuple[Citation, ...]:
        citations: list[Citation] = []
        for excerpt in chosen:
            record = excerpt.evidence.record
            citations.append(
                cite(
                    len(citations) + 1,
                    record,
                    excerpt.page,
                    self.store.page_count(record.record_id),
                    excerpt.start,
                    excerpt.end,
                    excerpt.evidence.hit.passage.passage_id,
                )
            )
        return tuple(citations)

    # -- from the catalogue -------------------------------------------------------------------

    def _look_up(
        self,
        live: _Live,
        base: _Base,
        asked: Question,
        found: Sequence[Record],
        permitted: Permitted,
    ) -> Answer | Refusal:
        """A code was named: the records that bear it, and what they say on the question."""
        if not found:
            return base.not_found()
        listings = _listings(found)
        numbers = [self.store.record_number(r.record_id) for r in found]
        inside = Permitted(frozenset(n for n in numbers if n is not None and permitted.allows(n)))
        evidence = live.retriever.retrieve(asked, inside, _TOP_K)
        excerpts = live.finder.find(asked, evidence)
        chosen = choose(excerpts, most=2)
        citations = self._cite(chosen)
        lead = f"查得 {len(found)} 件。"
        return base.answer(Intent.LOOK_UP.value, lead, citations, listings=listings)

    def _count(self, base: _Base, asked: Question, result: CatalogueResult) -> Answer | Refusal:
        conditions = "；".join(result.filters)
        if not result.records:
            return base.refuse(
                RefusalReason.NOT_FOUND,
                f"按“{conditions}”检索目录 {result.total} 条，没有符合的记录。"
                + _not_found_sentence(base.coverage),
            )
        lead = f"共 {len(result.records)} 件（在目录 {result.total} 条中，条件：{conditions}）。"
        return base.answer(asked.intent.value, lead, (), listings=_listings(result.records))


@dataclass(frozen=True, slots=True)
class _Base:
    """What every result carries."""

    question: str
    standalone: str
    reading: str
    coverage: Coverage

    def answer(
        self,
        kind: str,
        lead: str,
        citations: tuple[Citation, ...],
        *,
        listings: tuple[Listing, ...] = (),
        related: tuple[Record, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Answer:
        low = [c for c in citations if c.confidence is not None and c.confidence < 0.75]
        if low:
            notes = (*notes, "此处识别不可靠，请以影像为准。")
        shifted = tuple(replace(item, marker=item.marker + len(citations)) for item in listings)
        return Answer(
            question=self.question,
            standalone=self.standalone,
            reading=self.reading,
            lead=lead,
            citations=citations,
            listings=shifted,
            related=related,
            coverage=self.coverage,
            notes=notes,
            kind=kind,
        )

    def refuse(self, reason: RefusalReason, message: str) -> Refusal:
        return Refusal(self.question, self.standalone, self.reading, reason, message, self.coverage)

    def not_found(self) -> Refusal:
        return self.refuse(RefusalReason.NOT_FOUND, _not_found_sentence(self.coverage))


def _not_found_sentence(coverage: Coverage) -> str:
    unreadable = (
        f"，另有 {coverage.unreadable_pages} 页无法识别" if coverage.unreadable_pages else ""
    )
    return _NOT_FOUND.format(records=coverage.records, pages=coverage.pages, unreadable=unreadable)


def _about_holdings(form: str) -> bool:
    return any(
        word in form
        for word in (
            "库里",
            "馆里",
            "目录",
            "题名",
            "收了",
            "馆藏",
            "列个清单",
            "列一下",
            "案卷",
            "档号",
        )
    )


def _listings(records: Sequence[Record]) -> tuple[Listing, ...]:
    listings = []
    for number, record in enumerate(records, start=1):
        facts = (
            ("文号", record.doc_no),
            ("责任者", record.author),
            ("日期", record.date),
            ("页数", str(record.page_count) if record.page_count else ""),
            ("保管期限", record.retention),
        )
        listings.append(Listing(number, record, tuple((k, v) for k, v in facts if v)))
    return tuple(listings)


def describe(question: str, asked: Question) -> str:
    """How a question was read, one line; empty when there is nothing to tell."""
    parts: list[str] = []
    if asked.text != question:
        parts.append(f"“{asked.text}”")
    parts += [f"“{word}”为{meaning}" for word, meaning in asked.relative]
    return f"我按{'，'.join(parts)}理解。" if parts else ""


def open_assistant(settings: Settings, encoder: Encoder | None = None) -> Assistant:
    """Open the assistant over the home the settings name.

    Raises:
        IndexNotFoundError: If nothing was ingested yet.
        EncoderError: If the embedding model cannot be loaded.
        SettingsError: If the settings of the language model are unusable.
    """
    store = Store(settings.database_path)
    if not (settings.index_path / "CURRENT").is_file():
        msg = f"{settings.home} 里还没有索引。请先运行 chadang ingest 目录，或 chadang demo 试用样本。"
        raise IndexNotFoundError(msg)
    composer = open_composer(settings)
    return Assistant(store, settings, encoder or open_encoder(settings), composer=composer)
