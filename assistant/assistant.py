"""The read path in one class: a question in, a cited answer or a refusal out."""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from assistant.attributes import attribute_present
from assistant.catalogue_answer import asks_catalogue_only, reply, reply_to_code, restated
from assistant.catalogue_query import (
    CatalogueResult,
    answers_from_catalogue,
    query_catalogue,
    wanted_a_count,
)
from assistant.catalogue_request import asks_about_secrecy
from assistant.catalogue_view import CatalogueView
from assistant.code_lookup import look_up_codes
from assistant.composing import Composer, open_composer, still_stands
from assistant.direct import direct_answer
from assistant.domain import (
    LIMITED,
    OPENED,
    Answer,
    Citation,
    Column,
    Conversation,
    Listing,
    QuestionError,
    Reading,
    Refusal,
    RefusalReason,
    Table,
    Turn,
    cite,
)
from assistant.editions import edition_notes, outdated
from assistant.excerpts import (
    LISTED,
    ONE_SIDE,
    REGIONS,
    SEVERAL,
    USUAL,
    Excerpt,
    ExcerptFinder,
    choose,
)
from assistant.filters import NO_FILTERS, Filters
from assistant.followup import (
    Act,
    FollowUp,
    last_answer,
    names_its_own,
    read_follow_up,
    records_of,
    searched_turns,
)
from assistant.gazetteer import Gazetteer
from assistant.meetings import MeetingsTable
from assistant.offices import OfficeRegister
from assistant.outcome import OutcomeFinder, asks_outcome, named_steps
from assistant.parts import asked_parts
from assistant.penalties import asks_penalty, with_penalties, without_other_breaches
from assistant.personal_view import as_seen
from assistant.precedents import (
    AS_WRITTEN,
    PRECEDENTS,
    PrecedentFinder,
    Topic,
    asks_whether_raised,
    is_precedent_question,
    read_topic,
    with_topic,
)
from assistant.question import (
    NATION,
    Intent,
    Question,
    compares,
    one_side,
    read_question,
    with_nation,
)
from assistant.refusal import UNSURE, Nearby, fitting, judge, subjects_elsewhere
from assistant.retrieval import Evidence, Retriever, encoded_for, is_sibling, year_agreement
from assistant.revisit import Revisit
from assistant.scope import CLAIM_NOTE, out_of_scope, without_claim
from assistant.search import SearchFilter, as_citations
from assistant.subjects import Subjects
from assistant.suggestions import Suggestion, next_questions, other_words
from assistant.vocabulary import TYPES
from assistant.vocabulary_file import VocabularySource
from index.access import Permitted
from index.builtin_model import MODEL_NAME
from index.domain import Coverage, Reader, Record
from index.encoder import Ask, Encoder, open_encoder
from index.errors import IndexNotFoundError
from index.passage_index import PassageIndex
from index.settings import Settings
from index.store import Store
from index.text import search_form, simplified

logger = logging.getLogger(__name__)

#: Longest question in characters; a pasted page is not a question.
LONGEST_QUESTION: Final = 500
_TOP_K: Final = 40
#: Passages of the answer before that are weighed against all others.
_OF_BEFORE: Final = 8
#: How far, in log-odds, the best sentence of the answer before may be behind. Of 8 questions that
#: went on without saying so the farthest was 1.5 behind; of 59 new ones after an unrelated answer
#: none came nearer than 3.3 (docs/log.md).
_GOES_ON: Final = 2.5
#: With so many pairs of characters and none of them in the records before, they must be ahead.
_SAID: Final = 3
#: Log-odds by which the records a further question goes on with lead where it names nothing else.
_LEAD: Final = 1.0
_RELATED: Final = 5
#: Permitted sets whose catalogue is kept ready.
_VIEWS_KEPT: Final = 16

_NOT_FOUND: Final = (
    "在您可查阅的范围内未检索到相关记录（检索范围：{records} 件、{pages} 页{unreadable}）。"
    "未检索到不等于不存在；如需查阅未开放档案，请按程序申请。"
)
_SECRECY: Final = "涉密档案不进入本系统，密级期满和解密审核请查档案部门线下保管的台账；期满不等于已经解密，解密也不等于开放。"

_UNSURE: Final = "问法与原文的用词相差较大，以上未必正是所问，请打开原页核对。"


@dataclass(frozen=True, slots=True)
class _Live:
    """One index generation with what is derived from it."""

    version: int
    passage_index: PassageIndex
    gazetteer: Gazetteer
    retriever: Retriever
    finder: ExcerptFinder
    meetings: MeetingsTable
    precedents: PrecedentFinder
    offices: OfficeRegister


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
        # Answering is computing: more at once than there are processors only wait for each other.
        self._slots = threading.BoundedSemaphore(max(2, settings.threads))
        self._views: dict[tuple[int, Permitted], CatalogueView] = {}
        self._vocabulary = VocabularySource(settings.home)
        self._live = self._open()

    def _open(self) -> _Live:
        passage_index = PassageIndex(self.store, self.settings, self._encoder)
        gazetteer = Gazetteer(self.store.records())
        retriever = Retriever(self.store, passage_index, gazetteer)
        version = self.store.data_version
        return _Live(
            version,
            passage_index,
            gazetteer,
            retriever,
            ExcerptFinder(self.store.pages_between, passage_index.rarity, passage_index.similarity),
            MeetingsTable(
                self._numbered_records,
                lambda record_id: self.store.page(record_id, 1),
                gazetteer,
                self.settings.text("local_body"),
            ),
            PrecedentFinder(self.store, passage_index, retriever, version),
            OfficeRegister(self.store, version),
        )

    def _numbered_records(self) -> list[tuple[int, Record]]:
        numbered = [(self.store.record_number(r.record_id), r) for r in self.store.records()]
        return [(number, record) for number, record in numbered if number is not None]

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

    def get_ready(self) -> None:
        """Do once what pays where many questions come, and what the first would wait for."""
        self._encoder.get_ready()
        self._meanings("预算")

    def ask(
        self,
        question: str,
        conversation: Conversation,
        reader: Reader,
        without: Collection[str] = (),
        *,
        precedents: bool = False,
        filters: Filters = NO_FILTERS,
        absent: Collection[str] = (),
    ) -> Answer | Refusal:
        """Answer a question.

        Args:
            question: As typed.
            conversation: Earlier turns, oldest first; a follow-up is made self-contained from it.
            reader: Who asks. Nothing outside what they may see is looked at.
            without: Keys of readings (`Reading.key`) the asker does not want.
            precedents: Take the question as a topic and answer with its precedents only; without
                it, a question that plainly asks for precedents gets them when there are any.
            filters: Conditions that narrow what is searched, counted and listed; each is one of
                the result's readings and can be taken off with `without`.
            absent: Record ids to answer as if the holdings had not got them; measures refusal.

        Raises:
            QuestionError: If the question is empty or longer than `LONGEST_QUESTION`.
        """
        began = time.perf_counter()
        question = self._checked(question)
        # understood in simplified characters throughout, shown as it was typed
        with self._slots:
            result = self._answer(
                self._current(),
                simplified(question),
                [replace(turn, question=simplified(turn.question)) for turn in conversation],
                self._permitted(reader, absent),
                reader,
                without,
                precedents=precedents,
                filters=filters.without(without),
            )
        result = as_seen(result, self.store, reader)
        elapsed = (time.perf_counter() - began) * 1000
        logger.info(
            "answered=%s quotes=%d ms=%.0f",
            isinstance(result, Answer),
            len(result.citations) if isinstance(result, Answer) else 0,
            elapsed,
        )
        return replace(result, question=question, elapsed_ms=elapsed)

    def search(
        self, words: str, reader: Reader, most: int, wanted: SearchFilter | None = None
    ) -> tuple[tuple[Citation, ...], Coverage]:
        """Passages by rank, not judged: being found is no evidence.

        Args:
            words: Words or a question.
            reader: Who asks. Nothing outside what they may see is looked at.
            most: Most passages, at least 1.
            wanted: Catalogue conditions.

        Returns:
            Spans of stored pages, best first, and what was searched.

        Raises:
            QuestionError: If the words are empty or longer than `LONGEST_QUESTION`.
        """
        words = simplified(self._checked(words))
        live, permitted = self._current(), self.store.permitted(reader)
        if wanted is not None and wanted != SearchFilter():
            table = self.store.numbered_records()
            permitted = Permitted(
                frozenset(
                    number
                    for number, record in table.items()
                    if permitted.allows(number) and wanted.accepts(record.year, record.doc_type)
                )
            )
        asked = read_question(
            words,
            live.gazetteer,
            self._today(),
            local_body=self.settings.text("local_body"),
            vocabulary=self._vocabulary.vocabulary,
            meetings=lambda: live.meetings.visible(permitted),
        )
        limit = max(self.settings.number("candidates"), most)
        with self._slots:
            evidence = live.retriever.retrieve(
                asked, permitted, most, candidates=limit, quoting=False
            )
        return as_citations(evidence, self.store, reader, most), self.store.coverage(permitted)

    @staticmethod
    def _checked(question: str) -> str:
        question = question.strip()
        if not question:
            msg = "请输入要查的问题。"
            raise QuestionError(msg)
        if len(question) > LONGEST_QUESTION:
            msg = f"问题太长（{len(question)} 字）。请精简到 {LONGEST_QUESTION} 字以内。"
            raise QuestionError(msg)
        return question

    def _permitted(self, reader: Reader, absent: Collection[str]) -> Permitted:
        permitted = self.store.permitted(reader)
        if not absent:
            return permitted
        table = self.store.numbered_records()
        return Permitted(
            frozenset(
                number
                for number, record in table.items()
                if permitted.allows(number) and record.record_id not in absent
            )
        )

    @property
    def composes(self) -> bool:
        """Whether a language model is set that may add joining text to answers with quotations."""
        return self._composer is not None

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """The answer with a language model's joining text, or the same answer without.

        Slow: as long as the language model takes. What the reader may not see any more, or what
        no longer stands in its record, is neither sent nor shown with joining text.
        """
        # A time line is complete as it stands; prose over it would only join dates.
        if self._composer is None or answer.precedents or not self._stands(answer, reader):
            return answer
        composed = self._composer.compose(answer)
        return composed if self._stands(answer, reader) else answer

    def next_questions(
        self, answer: Answer, reader: Reader, filters: Filters = NO_FILTERS
    ) -> tuple[Suggestion, ...]:
        """Questions that lead on from the newest answer and have an answer themselves.

        Asks up to four questions, so it takes a second; call it when the answer is on the page.
        """

        def ask(question: str, turns: Sequence[Turn]) -> Answer | Refusal:
            return self.ask(question, turns, reader, filters=filters)

        return next_questions(answer, self._view(self.store.permitted(reader)), ask)

    def other_words(
        self,
        result: Answer | Refusal,
        reader: Reader,
        filters: Filters = NO_FILTERS,
        *,
        precedents: bool = False,
    ) -> tuple[Suggestion, ...]:
        """A question in other words of the vocabulary and the holdings, each with an answer.

        As slow as `next_questions`.
        """
        live = self._current()
        readable = self.store.permitted(reader)
        permitted = filters.narrowed(readable, self.store.numbered_records())
        vocabulary = self._vocabulary.vocabulary
        asked = read_question(
            result.standalone,
            live.gazetteer,
            self._today(),
            local_body=self.settings.text("local_body"),
            vocabulary=vocabulary,
        )
        evidence = live.retriever.retrieve(
            asked, permitted, _TOP_K, candidates=self.settings.number("candidates")
        )
        near = list({e.record.record_id: e.record for e in evidence}.values())

        def ask(question: str, turns: Sequence[Turn]) -> Answer | Refusal:
            return self.ask(question, turns, reader, precedents=precedents, filters=filters)

        return other_words(result.standalone, result, near[:_RELATED], vocabulary, ask)

    def _stands(self, answer: Answer, reader: Reader) -> bool:
        return bool(answer.citations) and all(
            still_stands(citation, self.store, reader) for citation in answer.citations
        )

    def _answer(
        self,
        live: _Live,
        question: str,
        conversation: Conversation,
        permitted: Permitted,
        reader: Reader,
        without: Collection[str],
        *,
        precedents: bool,
        filters: Filters,
    ) -> Answer | Refusal:
        readable = permitted
        permitted = filters.narrowed(readable, self.store.numbered_records())
        coverage = self.store.coverage(permitted)
        request = without_claim(question)
        turns = self._sayable(searched_turns(conversation), readable)
        view = self._view(permitted)
        subjects = Subjects(
            view,
            lambda terms, most: live.passage_index.passages_with(terms, permitted, most),
            self.store.pages,
            self._meanings,
        )
        follow = read_follow_up(request, turns, live.gazetteer, view, subjects)
        # A topic stands by itself however short it is; only "three such precedents" leans.
        if precedents or is_precedent_question(search_form(request).text):
            follow = replace(follow, act=None, standalone=with_topic(request, turns))
        standalone = follow.standalone

        def read(text: str) -> tuple[_Base, Question]:
            asked = self._read(live, text, permitted, without)
            readings = (*filters.readings(), *asked.readings)
            notes = (CLAIM_NOTE, *asked.notes) if request != question else asked.notes
            reading = describe(question, text, readings)
            return _Base(question, request, text, reading, coverage, readings, notes), asked

        base, asked = read(standalone)
        unknown = [key for key in without if not key.startswith(f"{LIMITED}:")]
        if unknown:
            keys = self._unknown_keys(live, standalone, permitted, unknown)
            base = replace(base, notes=(*base.notes, *keys))
        outside = out_of_scope(question, reader.role) or out_of_scope(standalone, reader.role)
        if outside is not None:
            refusal = base.refuse(outside.reason, outside.message)
            if not outside.names_records:
                return refusal
            return replace(refusal, records=self._on_the_subject(live, base, asked, permitted))
        if precedents or is_precedent_question(asked.form):
            matters = self._precedents(live, base, asked, permitted, only=precedents)
            if matters is not None:
                return matters
        if follow.act is not None:
            # What is on the page was found without the conditions set since; only more is limited.
            within = permitted if follow.act is Act.MORE else readable
            return self._revisit(live, base, follow, turns, within)
        later = self._outcome(live, base, request, asked, follow.records, permitted)
        if later is not None:
            return later
        further = None
        if (
            follow.perhaps is not None
            and self._encoder.name.startswith(MODEL_NAME)
            and not names_its_own(asked)
            and out_of_scope(follow.perhaps.standalone, reader.role) is None
        ):
            further = _Further(*read(follow.perhaps.standalone), follow.perhaps.records)
        return self._respond(live, base, asked, permitted, follow.records, further)

    def _respond(
        self,
        live: _Live,
        base: _Base,
        asked: Question,
        permitted: Permitted,
        previous: Sequence[str],
        further: _Further | None = None,
    ) -> Answer | Refusal:
        """Answer a self-contained question: from codes, from the catalogue, else from passages.

        Args:
            live: The generation in use.
            base: What every result carries.
            asked: The question.
            permitted: Records that may be searched.
            previous: Ids of the records of the answer it goes on with.
            further: How it reads if it goes on with the answer before, where only the records can
                tell whether it does.
        """
        found, named = look_up_codes(asked.text, self.store, permitted)
        if named:
            return self._look_up(live, base, asked, found, permitted)
        if asks_about_secrecy(asked.form):
            return base.refuse(RefusalReason.OUT_OF_SCOPE, _SECRECY)
        office = live.offices.answer(
            asked,
            self._view(permitted).records,
            lambda terms, most: live.passage_index.passages_with(terms, permitted, most),
        )
        if office is not None:
            if office.absent:
                return base.not_found()
            return base.answer(
                office.kind, office.lead, office.citations, notes=office.notes, direct=office.direct
            )
        result = query_catalogue(
            asked,
            self._view(permitted),
            self.store,
            permitted,
            live.gazetteer,
            self.settings,
            self._today(),
        )
        if result is not None and answers_from_catalogue(asked, result):
            return self._count(base, result)
        if base.goes_on:
            spoken: Ask = (base.request, "sentences")
            live.passage_index.encode_questions([*encoded_for(asked), spoken])
        evidence = live.retriever.retrieve(
            asked,
            permitted,
            _TOP_K,
            previous,
            candidates=self.settings.number("candidates"),
        )
        if further is not None and self._goes_on(live, asked, evidence, further, permitted):
            joined = self._respond(live, further.base, further.asked, permitted, further.records)
            # Refused with what was asked before, it may still be answered as it stands.
            if isinstance(joined, Answer):
                return joined
        leading: tuple[str, ...] = ()
        if previous and base.goes_on:
            # Joined to the question before, it finds that one's passages again, not its own.
            alone = self._read(live, base.request, permitted, asked.without)
            seen = {e.hit.passage.passage_id for e in evidence}
            own = self._inside(live, alone, previous, permitted, evidence)
            evidence = [*(e for e in own if e.hit.passage.passage_id not in seen), *evidence]
            evidence.sort(key=lambda e: -e.score)
            leading = () if names_its_own(alone) else tuple(previous)
        answer = self._compose(live, base, asked, evidence, permitted, leading)
        if isinstance(answer, Answer) and result is not None and wanted_a_count(asked, result):
            note = f"没有按目录统计：“{result.unexplained}”在目录里没有对应的条件，以上是原文里的说法。"
            return replace(answer, notes=(*answer.notes, note))
        return answer

    def _goes_on(
        self,
        live: _Live,
        asked: Question,
        evidence: Sequence[Evidence],
        further: _Further,
        permitted: Permitted,
    ) -> bool:
        """Whether the records of the answer before answer a question about as well as any other."""
        own = self._inside(live, asked, further.records, permitted, evidence)
        before = set(further.records)
        # The same rule of another town answers as well and is not the one spoken of.
        kept = {e.record.title for e in own}
        others = [
            e
            for e in evidence
            if e.record.record_id not in before
            and not any(is_sibling(e.record.title, title) for title in kept)
        ]
        best = {True: -math.inf, False: -math.inf}
        for excerpt in live.finder.find(asked, [*own, *others[: REGIONS - len(own)]]):
            known = excerpt.evidence.record.record_id in before
            best[known] = max(best[known], excerpt.score)
        told = search_form("".join(e.hit.passage.text for e in own)).text
        other = len(asked.content_terms) >= _SAID and not asked.terms_in(told)
        return best[True] >= best[False] - (0 if other else _GOES_ON) and best[True] > -math.inf

    def _inside(
        self,
        live: _Live,
        asked: Question,
        record_ids: Sequence[str],
        permitted: Permitted,
        evidence: Sequence[Evidence],
    ) -> list[Evidence]:
        """The best passages of some records, none with a higher score than the best of all."""
        numbers = [n for i in record_ids if (n := self.store.record_number(i)) is not None]
        readable = frozenset(n for n in numbers if permitted.allows(n))
        if not readable:
            return []
        inside = live.retriever.retrieve(asked, Permitted(readable), _OF_BEFORE, quoting=False)
        top = evidence[0].score if evidence else 0.0
        return [replace(e, score=min(e.score, top)) for e in inside]

    # -- about the answer before ---------------------------------------------------------------

    def _revisit(
        self,
        live: _Live,
        base: _Base,
        follow: FollowUp,
        conversation: Conversation,
        permitted: Permitted,
    ) -> Answer | Refusal:
        """A field again, the n-th item, the surroundings, or what else there is."""
        before = last_answer(conversation)
        if before is None:
            return base.not_found()
        revisit = Revisit(self.store, permitted)
        if follow.act is Act.MORE:
            return self._more(live, base, before, conversation, permitted)
        if follow.act is Act.EXPAND:
            citations = revisit.widened(before)
            return base.answer(before.kind, "", citations) if citations else base.not_found()
        item = revisit.item(before, follow.number)
        if item is None:
            bare = replace(base, standalone=base.question, reading="", readings=(), notes=())
            return bare.refuse(RefusalReason.NOT_FOUND, _no_item(before, follow.number))
        record = item.record if isinstance(item, Citation) else item
        if follow.act is Act.OPEN:
            shown = item if isinstance(item, Citation) else revisit.opening(record)
            card = Listing(1, record, revisit.card(record))
            quoted = (replace(shown, marker=1),) if shown is not None else ()
            return base.answer(OPENED, "", quoted, listings=(card,))
        lead, row = revisit.fields(record, follow)
        if not follow.rest:
            return base.answer(Intent.LOOK_UP.value, lead, (), listings=(row,))
        asked = self._read_plainly(live, follow.rest)
        second = self._respond(live, base, asked, permitted, (record.record_id,))
        if isinstance(second, Refusal):
            note = f"“{follow.rest}”：{second.message}"
            return base.answer(Intent.LOOK_UP.value, lead, (), listings=(row,), notes=(note,))
        return base.answer(
            second.kind, lead, second.citations, listings=(row,), related=second.related,
            notes=second.notes,
        )  # fmt: skip

    def _sayable(self, turns: Conversation, readable: Permitted) -> Conversation:
        """The turns without wordings that name, by its title, what was closed to the reader since."""

        def stands(turn: Turn) -> bool:
            ids = records_of(turn)
            return len(self._readable(ids, readable)) == len(ids)

        return [
            turn
            if turn.result.standalone == turn.question or stands(turn)
            else replace(turn, result=replace(turn.result, standalone=turn.question))
            for turn in turns
        ]

    def _more(
        self,
        live: _Live,
        base: _Base,
        before: Answer,
        conversation: Conversation,
        permitted: Permitted,
    ) -> Answer | Refusal:
        """The next results for the question of the answer before, without what was shown."""
        if not before.citations:
            count = len(before.listings)
            return base.refuse(
                RefusalReason.NOT_FOUND,
                f"上一条答复已把符合的 {count} 件全部列出。" + _not_found_sentence(base.coverage),
            )
        shown = {
            citation.record.record_id
            for turn in conversation
            if isinstance(turn.result, Answer) and turn.result.standalone == base.standalone
            for citation in turn.result.citations
        }
        asked = self._read_plainly(live, base.standalone)
        evidence = live.retriever.retrieve(
            asked, permitted, 2 * _TOP_K, candidates=self.settings.number("candidates")
        )
        rest = [e for e in evidence if e.record.record_id not in shown]
        return self._compose(live, base, asked, rest[:_TOP_K], permitted)

    # -- from passages ------------------------------------------------------------------------

    def _compose(
        self,
        live: _Live,
        base: _Base,
        asked: Question,
        evidence: Sequence[Evidence],
        permitted: Permitted,
        leading: Collection[str] = (),
    ) -> Answer | Refusal:
        """Answer from passages, or refuse; `leading` are records a further question goes on with."""
        rarity = live.passage_index.rarity
        listed = asked.intent is Intent.LIST
        sides = self._sides(live, asked, evidence, permitted)
        if sides:
            excerpts = [e for _, found in sides for e in found]
            excerpts.sort(key=lambda e: -e.score)
        else:
            old = outdated(asked, live.precedents.register, permitted)
            spoken = base.request if base.goes_on else ""
            excerpts = live.finder.find(
                asked, evidence, whole_lists=listed, outdated=old, spoken=spoken
            )
            if leading:
                excerpts = [
                    replace(e, score=e.score + _LEAD * (e.evidence.record.record_id in leading))
                    for e in excerpts
                ]
                excerpts.sort(key=lambda e: -e.score)
        year_needed = any(str(y) in base.question for y in asked.years) or not base.goes_on
        elsewhere = subjects_elsewhere(asked, self._view(permitted), rarity)
        nearby = Nearby(evidence, elsewhere, self.store.pages)
        # With nothing that fits, the likest is judged all the same, for the reason in the log.
        if not sides:
            excerpts = fitting(asked, excerpts, nearby, rarity, year_needed=year_needed) or excerpts
        if not sides and asks_penalty(asked):
            excerpts = without_other_breaches(asked, excerpts)
            excerpts = with_penalties(excerpts, self.store.pages, self.store.passages)
        calibrated = self._encoder.name.startswith(MODEL_NAME)
        verdict = judge(
            asked,
            evidence,
            excerpts,
            rarity,
            nearby,
            calibrated=calibrated,
            year_needed=year_needed,
        )
        if not verdict.answers:
            logger.info("refused: %s odds=%.2f", verdict.why, verdict.odds)
            return base.not_found()
        columns: list[Column] = []
        chosen: list[Excerpt] = []
        if sides:
            for heading, found in sides:
                picked = choose(found, ONE_SIDE)
                before = sum(len(e.parts) for e in chosen)
                chosen += picked
                after = sum(len(e.parts) for e in chosen)
                columns.append(Column(heading, tuple(range(before + 1, after + 1))))
        else:
            parts = asked_parts(asked.text)
            enough = LISTED if listed else SEVERAL if parts else USUAL
            chosen = choose(excerpts, enough)
            chosen = self._with_parts(live, parts, evidence, chosen, permitted)
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
            columns=tuple(columns),
            notes=(
                *((_UNSURE,) if calibrated and verdict.odds < UNSURE else ()),
                *edition_notes(citations, live.precedents.register, permitted),
            ),
            # Several quotations mean that none is sure: then no single figure is put forward.
            direct=direct_answer(asked, citations[0].quote) or "" if len(citations) == 1 else "",
        )

    def _with_parts(
        self,
        live: _Live,
        parts: Sequence[str],
        evidence: Sequence[Evidence],
        chosen: list[Excerpt],
        permitted: Permitted,
    ) -> list[Excerpt]:
        """The chosen excerpts and, of a question that asks several things, the likeliest for each.

        Taken from the record that answers the whole: half of a question says too little to search by.
        """
        own = chosen[0].evidence.record.record_id
        inside = [e for e in evidence if e.record.record_id == own]
        kept = list(chosen)
        questions = [self._read(live, part, permitted) for part in parts]
        live.passage_index.encode_questions([(q.text, "sentences") for q in questions])
        for question in questions:
            found = live.finder.find(question, inside)[:1]
            kept += (
                e
                for e in found
                if attribute_present(question, e.form) and not any(e.overlaps(k) for k in kept)
            )
        return kept

    def _on_the_subject(
        self, live: _Live, base: _Base, asked: Question, permitted: Permitted
    ) -> tuple[Record, ...]:
        """Records that would have answered, had the question been about the records."""
        candidates = self.settings.number("candidates")
        evidence = live.retriever.retrieve(asked, permitted, _TOP_K, candidates=candidates)
        result = self._compose(live, base, asked, evidence, permitted)
        if isinstance(result, Refusal):
            return ()
        return tuple({c.record.record_id: c.record for c in result.citations}.values())

    def _sides(
        self, live: _Live, asked: Question, evidence: Sequence[Evidence], permitted: Permitted
    ) -> list[tuple[str, list[Excerpt]]]:
        """The sides of a comparison with the excerpts on each; empty when nothing is compared.

        Places are compared before years, years before two papers named by their subjects. A side
        about which nothing is found stays, empty, so that the answer shows the gap. Places and
        years are searched one by one: the vector of a question with two of them is near neither.
        """
        if not compares(asked):
            return []
        retriever = live.retriever
        ones: list[tuple[str, Question]] = []
        agrees: Callable[[Question, Record], int] = year_agreement
        sides_named = (NATION, *asked.places) if with_nation(asked) else asked.places
        if len(sides_named) > 1:
            ones = [
                (
                    name,
                    replace(
                        one_side(asked, name, sides_named), places=() if name == NATION else (name,)
                    ),
                )
                for name in sides_named
            ]

            def of_nation_or_place(one: Question, record: Record) -> int:
                return (
                    retriever.place_agreement(one, record) if one.places else _is_national(record)
                )

            agrees = of_nation_or_place
        elif 1 < len(asked.years) <= 3:
            named = [str(year) for year in asked.years]
            ones = [
                (f"{year}年", replace(one_side(asked, str(year), named), years=(year,)))
                for year in asked.years
            ]
        sides: list[tuple[str, Question, list[Evidence]]] = []
        candidates = self.settings.number("candidates")
        live.passage_index.encode_questions([a for _, one in ones for a in encoded_for(one)])
        for heading, one in ones:
            own = retriever.retrieve(one, permitted, _TOP_K, candidates=candidates)
            there = {e.hit.passage.passage_id for e in own}
            both = [*own, *(e for e in evidence if e.hit.passage.passage_id not in there)]
            both.sort(key=lambda e: -e.score)
            sides.append((heading, one, [e for e in both if agrees(one, e.record) > 0]))
        if not ones:
            sides = [
                (
                    f"《{record.title.strip('《》')}》",
                    asked,
                    [e for e in evidence if e.record == record],
                )
                for record in retriever.compared(asked, evidence)
            ]
        rarity = live.passage_index.rarity
        found = [
            (heading, fitting(one, live.finder.find(one, own), Nearby(own), rarity))
            for heading, one, own in sides
        ]
        return found if any(excerpts for _, excerpts in found) else []

    def _cite(self, chosen: Sequence[Excerpt]) -> tuple[Citation, ...]:
        citations: list[Citation] = []
        for excerpt in chosen:
            record = excerpt.evidence.record
            for page, start, end in excerpt.parts:
                citations.append(
                    cite(
                        len(citations) + 1,
                        record,
                        page,
                        self.store.page_count(record.record_id),
                        start,
                        end,
                        excerpt.evidence.hit.passage.passage_id,
                    )
                )
        return tuple(citations)

    # -- what became of it --------------------------------------------------------------------

    def _outcome(
        self,
        live: _Live,
        base: _Base,
        request: str,
        asked: Question,
        previous: Sequence[str],
        permitted: Permitted,
    ) -> Answer | Refusal | None:
        """Later records of the matter a question for its outcome is about.

        None when no such thing is asked, or the matter is not one the chains know.
        """
        form = search_form(request).text
        steps = named_steps(form) if previous else frozenset()
        if not (asks_outcome(form) or steps):
            return None
        finder = OutcomeFinder(live.precedents)
        calibrated = self._encoder.name.startswith(MODEL_NAME)
        records = self._readable(previous, permitted)
        topic = self._topic(live, asked)
        if not records and topic.numbers:
            records = finder.of_numbers(topic, permitted)
        if not records:
            return None
        found = finder.later(
            records, permitted, frozenset() if asks_outcome(form) else steps, topic,
            calibrated=calibrated,
        )  # fmt: skip
        if found is None:
            return None
        if not found.steps:
            if steps and not asks_outcome(form):
                return None
            answer = self._respond(live, base, asked, permitted, previous)
            return replace(answer, notes=(*answer.notes, found.nothing))
        spans = [(step.record, span) for step in found.steps for span in step.spans]
        if steps and not asks_outcome(form):
            ids = [step.record.record_id for step in found.steps]
            numbers = [n for i in ids if (n := self.store.record_number(i)) is not None]
            evidence = live.retriever.retrieve(asked, Permitted(frozenset(numbers)), _TOP_K)
            chosen = choose(live.finder.find(asked, evidence), replace(USUAL, most=3))
            if chosen:
                return base.answer(asked.intent.value, "", self._cite(chosen))
        citations = [
            cite(
                number,
                record,
                span.page,
                self.store.page_count(record.record_id),
                span.start,
                span.end,
                live.precedents.passage_id(record, span),
            )
            for number, (record, span) in enumerate(spans, start=1)
        ]
        if not citations:
            return None
        return base.answer(
            Intent.PRECEDENT.value, found.lead, tuple(citations), notes=(AS_WRITTEN,)
        )

    def _readable(self, record_ids: Sequence[str], permitted: Permitted) -> list[Record]:
        """Records by id as the reader may see them now."""
        numbers = [(i, self.store.record_number(i)) for i in record_ids]
        found = [self.store.record(i) for i, n in numbers if n is not None and permitted.allows(n)]
        return [record for record in found if record is not None]

    # -- precedents ---------------------------------------------------------------------------

    def _topic(self, live: _Live, asked: Question) -> Topic:
        """What precedents a question wants."""

        def read(text: str) -> Question:
            return read_question(
                text,
                live.gazetteer,
                self._today(),
                vocabulary=self._vocabulary.vocabulary,
                without=asked.without,
            )

        return read_topic(asked, read)

    def _precedents(
        self,
        live: _Live,
        base: _Base,
        asked: Question,
        permitted: Permitted,
        *,
        only: bool,
    ) -> Answer | Refusal | None:
        """The matters a topic was raised in before.

        None when there is none and an ordinary answer may still be found: what `only` precedents
        were asked for, or whether a thing was ever raised, has none then.
        """
        wanted = self._topic(live, asked)

        def excerpts() -> list[Excerpt]:
            limit = self.settings.number("candidates")
            evidence = live.retriever.retrieve(asked, permitted, _TOP_K, candidates=limit)
            return live.finder.find(asked, evidence)

        found = live.precedents.find(
            wanted,
            permitted,
            calibrated=self._encoder.name.startswith(MODEL_NAME),
            excerpts=excerpts,
        )
        if not found.matters:
            absent = asks_whether_raised(asked.form) and not found.near
            return base.not_found() if only or absent else None
        answer = base.answer(
            PRECEDENTS,
            found.lead,
            found.citations,
            listings=tuple(
                replace(item, marker=item.marker - len(found.citations)) for item in found.listings
            ),
            notes=found.notes,
        )
        return replace(answer, precedents=found.matters)

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
        said = reply_to_code(asked.form, found, self.store, permitted)
        if asks_catalogue_only(asked.form):
            return base.answer(
                Intent.LOOK_UP.value, said.lead, (), listings=said.listings, notes=said.notes
            )
        numbers = [self.store.record_number(r.record_id) for r in found]
        inside = Permitted(frozenset(n for n in numbers if n is not None and permitted.allows(n)))
        evidence = live.retriever.retrieve(asked, inside, _TOP_K)
        excerpts = live.finder.find(asked, evidence)
        chosen = choose(excerpts, replace(USUAL, most=2))
        citations = self._cite(chosen)
        return base.answer(
            Intent.LOOK_UP.value, said.lead, citations, listings=said.listings, notes=said.notes
        )

    def _read(
        self, live: _Live, question: str, permitted: Permitted, without: Collection[str] = ()
    ) -> Question:
        """A question as read with all that is known, save for the readings taken off."""
        return read_question(
            question,
            live.gazetteer,
            self._today(),
            local_body=self.settings.text("local_body"),
            vocabulary=self._vocabulary.vocabulary,
            meetings=lambda: live.meetings.visible(permitted),
            without=without,
        )

    def _read_plainly(self, live: _Live, question: str) -> Question:
        """A question about what has been shown already: other wordings would lead away from it."""
        local = self.settings.text("local_body")
        return read_question(question, live.gazetteer, self._today(), local_body=local)

    def _unknown_keys(
        self, live: _Live, standalone: str, permitted: Permitted, without: Collection[str]
    ) -> tuple[str, ...]:
        """A sentence on keys that name no reading of the question, with those there are."""
        whole = self._read(live, standalone, permitted)
        keys = [reading.key for reading in whole.readings]
        unknown = [key for key in without if key not in keys]
        if not unknown:
            return ()
        there = f"可以去掉的有：{'、'.join(keys)}" if keys else "这一问没有可以去掉的理解"
        return (f"没有“{'”“'.join(unknown)}”这一项理解，未作改动；{there}。",)

    def _meanings(self, word: str) -> tuple[str, ...]:
        """Other words for a word, or none."""
        expansions = self._vocabulary.vocabulary.expansions(word)
        return tuple(m for e in expansions if e.words == word for m in e.meanings)

    def _view(self, permitted: Permitted) -> CatalogueView:
        """The catalogue as the reader may see it; kept until the records change."""
        key = (self.store.data_version, permitted)
        with self._lock:
            view = self._views.get(key)
            if view is None:
                if len(self._views) >= _VIEWS_KEPT:
                    self._views.clear()
                view = self._views[key] = CatalogueView(self.store.records(permitted))
        return view

    def _count(self, base: _Base, result: CatalogueResult) -> Answer | Refusal:
        if not result.total:
            return base.not_found()
        if not result.records:
            return base.refuse(
                RefusalReason.NOT_FOUND,
                f"按“{restated(result)}”检索目录 {result.total} {result.unit}，没有符合的记录。"
                + _not_found_sentence(base.coverage),
            )
        said = reply(result)
        if base.limits:
            lead = said.lead.replace("您可查的目录", "符合所选条件、您可查的目录", 1)
            said = replace(said, lead=lead)
        kind = Intent.LIST if result.request.listing else Intent.COUNT
        notes = said.notes
        if result.unit == "件" and result.total != base.coverage.records:
            notes = (*notes, _why_two_totals(result.total, base.coverage.records))
        answer = base.answer(
            kind.value, said.lead, (), listings=said.listings, table=said.table, notes=notes
        )
        return replace(answer, counted_of=result.total, unit=result.unit)


@dataclass(frozen=True, slots=True)
class _Further:
    """A question as it reads if it goes on with the answer before, and the records of that."""

    base: _Base
    asked: Question
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Base:
    """What every result carries; `request` is the question without what the asker claims to be."""

    question: str
    request: str
    standalone: str
    reading: str
    coverage: Coverage
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def goes_on(self) -> bool:
        """Whether the question was joined to an earlier one; a claim left out is no joining."""
        return self.request != self.standalone

    @property
    def limits(self) -> tuple[str, ...]:
        """The conditions set beside the question, each as a sentence."""
        return tuple(r.sentence for r in self.readings if r.key.startswith(f"{LIMITED}:"))

    def answer(
        self,
        kind: str,
        lead: str,
        citations: tuple[Citation, ...],
        *,
        listings: tuple[Listing, ...] = (),
        related: tuple[Record, ...] = (),
        notes: tuple[str, ...] = (),
        table: Table | None = None,
        columns: tuple[Column, ...] = (),
        direct: str = "",
    ) -> Answer:
        # What was said of a type by another name is wrong where a record bears that very name.
        shown = [c.record for c in citations] + [item.record for item in listings]
        titles = "".join(record.title for record in shown)
        renamed = [r.words for r in self.readings if r.key.startswith(TYPES) and r.words in titles]
        own = tuple(n for n in self.notes if not n.startswith(tuple(renamed)))
        notes = (*own, *notes)
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
            table=table,
            columns=columns,
            direct=direct,
            readings=self.readings,
        )

    def refuse(self, reason: RefusalReason, message: str) -> Refusal:
        return Refusal(
            self.question,
            self.standalone,
            self.reading,
            reason,
            message,
            self.coverage,
            readings=self.readings,
            notes=self.notes,
        )

    def not_found(self) -> Refusal:
        refusal = self.refuse(RefusalReason.NOT_FOUND, _not_found_sentence(self.coverage))
        if not self.limits:
            return refusal
        note = f"这次{'，'.join(self.limits)}；去掉条件可以查得更广。"
        return replace(refusal, notes=(*refusal.notes, note))


def _no_item(before: Answer, number: int) -> str:
    count = len(before.citations) + len(before.listings)
    return f"上一条答复里没有第 {number} 项（共 {count} 项），或您已无权查阅。可以说“打开第 1 条”。"


def _is_national(record: Record) -> bool:
    """Whether a record is the whole country's by its title or its author."""
    title = search_form(record.title).text
    return (
        title.startswith(("中华人民共和国", "全国人"))
        or "全国人" in search_form(record.author).text
    )


def _why_two_totals(catalogued: int, searched: int) -> str:
    """Why the catalogue has another total than the search."""
    if catalogued > searched:
        rest = f"其中 {catalogued - searched} 件只有目录，没有挂接或识别出原文"
    else:
        rest = f"另有 {searched - catalogued} 件的原文不在件级目录里（如整卷扫描的案卷）"
    return f"目录可查 {catalogued} 件，能检索原文的 {searched} 件，{rest}。"


def _not_found_sentence(coverage: Coverage) -> str:
    unreadable = (
        f"，另有 {coverage.unreadable_pages} 页无法识别" if coverage.unreadable_pages else ""
    )
    return _NOT_FOUND.format(records=coverage.records, pages=coverage.pages, unreadable=unreadable)


def describe(question: str, standalone: str, readings: Sequence[Reading]) -> str:
    """How a question was read, one line; empty when there is nothing to tell."""
    parts = [f"“{standalone}”"] if standalone != question else []
    parts += [reading.sentence for reading in readings]
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
