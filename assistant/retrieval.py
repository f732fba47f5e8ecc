"""From a question to ranked passages: hybrid search, then what the catalogue knows of each record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

from assistant.gazetteer import Gazetteer
from assistant.question import Question
from index.access import Permitted
from index.codes import session_in
from index.domain import Hit, Record
from index.encoder import Ask
from index.fusion import DENSE_WEIGHT
from index.passage_index import PassageIndex, SearchRequest
from index.store import Store
from index.text import lexical_tokens, search_form, search_text

#: Passages looked at after mixing; records are re-ranked among these.
POOL: Final = 120

# Weights of the re-ranking, in units of the fused score (0..1). Chosen on the public congress
# questions by hand in steps of .05 and kept where leave-one-out choice agreed; see docs/log.md.
_TITLE: Final = 0.35
_PLACE_MATCH: Final = 0.25
_PLACE_MISMATCH: Final = -0.35
_YEAR_MATCH: Final = 0.12
_YEAR_MISMATCH: Final = -0.06
_DATE_MATCH: Final = 0.15
_PHRASE: Final = 0.3
_SESSION: Final = 0.3
_PREVIOUS: Final = 0.15
#: A rule of the congress itself when its standing committee is asked about, and the reverse.
_OTHER_BODY: Final = -0.15


_COMMITTEE: Final = re.compile(r"常委会|常务委员会|委员长会议|主任会议")
_CONGRESS: Final = re.compile(r"人代会|代表大会(?!常)|人大(?:会议|全体会议|开会)|主席团|代表团")
_BODY_RULES: Final = re.compile(r"(?:人民代表大会|人大)(常务委员会|常委会)?(?:议事规则|工作条例)")
#: What the congress does to its committee stands in the rules of the congress.
_BOTH_BODIES: Final = re.compile(r"选举|辞职|辞去|罢免|大会|报告工作|工作报告|补选")

#: Two things compared, each told by the characters next to the joining word.
_JOINED: Final = re.compile(r"([\u4e00-\u9fff]{2,10})(?:和|跟|与|同|比|、)([\u4e00-\u9fff]{2,10})")
#: Least weight of title words that name a paper: one rare pair of characters.
_NAMED: Final = 2.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage with what speaks for and against its record.

    Attributes:
        hit: The passage found.
        record: Its record.
        score: Re-ranked score; only its order means anything.
        title_overlap: Share of the title's rare terms that the question names, 0..1.
        place: 1 the record is of a place the question names, -1 of another place, 0 unknown.
        year: 1 a year the question names is the record's, -1 it is not, 0 none named.
        other_body: Whether the record is the procedure of the congress and its standing committee
            is asked about, or the reverse.
    """

    hit: Hit
    record: Record
    score: float
    title_overlap: float
    place: int
    year: int
    other_body: bool = False


@lru_cache(maxsize=65536)
def _title_terms(title: str) -> frozenset[str]:
    return frozenset(t for t in lexical_tokens(search_text(title)) if len(t) > 1)


@lru_cache(maxsize=65536)
def _record_years(record: Record) -> frozenset[int]:
    text = f"{record.title} {record.date_iso} {record.meeting} {record.doc_no}"
    years = {int(y) for y in re.findall(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])", text)}
    for heading, value in record.extra:
        if heading in ("history", "题注", "沿革"):
            years |= {int(y) for y in re.findall(r"((?:19|20)[0-9]{2})年", value)}
    if record.year is not None:
        years.add(record.year)
    return frozenset(years)


class Retriever:
    """Ranks passages for a question within what the reader may see."""

    def __init__(self, store: Store, passage_index: PassageIndex, gazetteer: Gazetteer) -> None:
        """Bind the store, one index generation and the places of the holdings."""
        self._store = store
        self._index = passage_index
        self._gazetteer = gazetteer
        counts: dict[str, int] = {}
        records = store.records()
        for record in records:
            for term in _title_terms(record.title):
                counts[term] = counts.get(term, 0) + 1
        self._title_counts = counts
        self._record_total = max(1, len(records))
        self._rarities: dict[int, float] = {}
        self._title_weights: dict[str, float] = {}
        self._placed: dict[str, bool] = {}
        self._by_id: tuple[Mapping[int, Record], dict[str, Record]] | None = None

    def retrieve(
        self,
        question: Question,
        permitted: Permitted,
        top_k: int,
        previous: Sequence[str] = (),
        candidates: int = 200,
        quoting: bool = True,
    ) -> list[Evidence]:
        """Rank passages.

        Args:
            question: The question as read.
            permitted: What the reader may see.
            top_k: Most passages, at least 1.
            previous: Record ids cited in the turn before; they get a small lead.
            candidates: Passages each side of the hybrid search brings.
            quoting: Whether sentences of what is found will be compared with the question.
        """
        if quoting:
            self._index.encode_questions(encoded_for(question))
        request = SearchRequest(
            text=question.dense_text,
            terms=question.terms,
            dense_weight=dense_weight(question),
            candidates=candidates,
            context_weight=0.5,
        )
        hits = self._index.search(request, permitted, POOL)
        by_id = self._records_by_id()
        asked = question.content_terms | question.added_terms
        evidence = [self._weigh(question, asked, by_id, hit, previous) for hit in hits]
        evidence.sort(key=lambda e: (-e.score, e.hit.rank))
        return evidence[:top_k]

    def _weigh(
        self,
        question: Question,
        asked: frozenset[str],
        by_id: Mapping[str, Record],
        hit: Hit,
        previous: Sequence[str],
    ) -> Evidence:
        record = by_id[hit.passage.record_id]
        overlap = self._title_overlap(asked, record)
        place = self.place_agreement(question, record, hit.passage.text)
        year = year_agreement(question, record)
        score = hit.score + _TITLE * overlap
        score += _PLACE_MATCH * (place > 0) + _PLACE_MISMATCH * (place < 0)
        score += _YEAR_MATCH * (year > 0) + _YEAR_MISMATCH * (year < 0)
        if any(record.date_iso.startswith(d) for d in question.dates):
            score += _DATE_MATCH
        if question.phrases:
            form = search_form(hit.passage.text).text + search_text(record.title)
            score += _PHRASE * sum(p in form for p in question.phrases) / len(question.phrases)
        if question.sessions:
            text = self._record_text(record, hit)
            if any(session_in(term, number, text) for term, number in question.sessions):
                score += _SESSION
        if hit.passage.record_id in previous:
            score += _PREVIOUS
        other_body = _of_other_body(question, record)
        score += _OTHER_BODY * other_body
        return Evidence(hit, record, score, overlap, place, year, other_body)

    @staticmethod
    def _record_text(record: Record, hit: Hit) -> str:
        extra = " ".join(value for _, value in record.extra)
        return search_form(f"{record.title} {record.meeting} {extra} {hit.passage.text}").text

    def _records_by_id(self) -> Mapping[str, Record]:
        """The records as they stand now; the same table until one of them changes."""
        table = self._store.numbered_records()
        if self._by_id is None or self._by_id[0] is not table:
            self._by_id = (table, {record.record_id: record for record in table.values()})
        return self._by_id[1]

    def _rarity(self, term: str) -> float:
        count = self._title_counts.get(term, 0)
        rarity = self._rarities.get(count)
        if rarity is None:
            rarity = self._rarities[count] = log(1 + self._record_total / (1 + count))
        return rarity

    def _title_overlap(self, asked: frozenset[str], record: Record) -> float:
        """Rare title terms the question names, over the smaller of both sides' weights."""
        title = _title_terms(record.title)
        if not title or not asked:
            return 0.0
        whole = self._title_weights.get(record.title)
        if whole is None:
            if len(self._title_weights) > 200_000:
                self._title_weights.clear()
            whole = max(1e-9, sum(self._rarity(t) for t in title))
            self._title_weights[record.title] = whole
        return sum(self._rarity(t) for t in title & asked) / whole

    def compared(self, question: Question, evidence: Sequence[Evidence]) -> list[Record]:
        """The two papers a question compares, told by the words on both sides of 和, 跟 or 比.

        Args:
            question: The question as read.
            evidence: Ranked passages; only their records are looked at.

        Returns:
            Two records, in the order they are named, or none.
        """
        fitting = (e for e in evidence if e.place >= 0)
        records = list({e.record.record_id: e.record for e in fitting}.values())
        for match in _JOINED.finditer(question.form):
            sides = (match.group(1), match.group(2))
            terms = [_terms_beside(question, side) for side in sides]
            named: list[Record] = []
            for own, other in (terms, terms[::-1]):
                weights = [
                    sum(self._rarity(t) for t in _title_terms(r.title) & (own - other))
                    - sum(self._rarity(t) for t in _title_terms(r.title) & (other - own))
                    for r in records
                ]
                # 东营湿地条例: of two that hold all the words, the one that says least besides.
                best = max(
                    range(len(records)),
                    key=lambda i: (round(weights[i], 3), -len(records[i].title)),
                    default=0,
                )
                if records and weights[best] >= _NAMED:
                    named.append(records[best])
            if len(named) == 2 and named[0].record_id != named[1].record_id:
                return named
        return []

    def place_agreement(self, question: Question, record: Record, text: str = "") -> int:
        """1 when a record is of a place asked about, -1 when of another one, else 0.

        A place no record is headed by, such as a county in its city's report, counts where the
        text of the passage names it.

        Args:
            question: The question as read.
            record: The record.
            text: Raw text of the passage found.
        """
        if not question.places and not question.unknown_places:
            return 0
        head = search_text(f"{record.title} {record.author} {record.meeting}")
        for place in question.places:
            if place in head or self._gazetteer.short(place) in head:
                return 1
            if any(other in head for other in question.place_names.get(place, ())):
                return 1
            short = self._gazetteer.short(place)
            if not self._gazetteer.in_holdings(place) and short in search_form(text).text:
                return 1
        for place in question.unknown_places:
            if place in head:
                return 1
        return -1 if self._names_a_place(record.title) else 0

    def _names_a_place(self, title: str) -> bool:
        named = self._placed.get(title)
        if named is None:
            if len(self._placed) > 200_000:
                self._placed.clear()
            named = bool(self._gazetteer.places_in(search_text(title))[0])
            self._placed[title] = named
        return named


def encoded_for(question: Question) -> tuple[Ask, Ask]:
    """What is encoded of a question to find passages and to quote from them."""
    return (question.dense_text, "passages"), (question.text, "sentences")


def _of_other_body(question: Question, record: Record) -> bool:
    """Whether a record is the procedure of the congress when its standing committee is asked about.

    Both have rules on the same things, in nearly the same words.
    """
    rules = _BODY_RULES.search(search_text(record.title))
    if rules is None or _BOTH_BODIES.search(question.form.replace("代表大会", "")):
        return False
    committee, congress = (p.search(question.form) is not None for p in (_COMMITTEE, _CONGRESS))
    return committee is not congress and committee is not (rules.group(1) is not None)


def _terms_beside(question: Question, side: str) -> frozenset[str]:
    """Pairs of characters of some words of a question and of the other words for them."""
    words = [side, *(o for w, others in question.synonyms.items() if w in side for o in others)]
    return frozenset(t for word in words for t in lexical_tokens(word) if len(t) > 1)


def is_sibling(one: str, other: str) -> bool:
    """Whether two titles name the same paper of two places: half of their pairs are shared."""
    first, second = _title_terms(one), _title_terms(other)
    return 2 * len(first & second) >= len(first | second)


def year_agreement(question: Question, record: Record) -> int:
    """1 when a year asked about is a year of the record, -1 when it has others, else 0."""
    if not question.years_asked:
        return 0
    years = _record_years(record)
    if not years:
        return 0
    if years & question.years_asked:
        return 1
    return -1 if question.years_required else 0


def dense_weight(question: Question) -> float:
    """Share of the dense side: less where names, numbers and quoted words decide."""
    weight = DENSE_WEIGHT
    if question.phrases or any(c.isdigit() for c in question.form):
        weight -= 0.15
    return weight
