"""From ranked passages to excerpts: the spans worth quoting, cut at sentence borders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from assistant.machine_text import orders_among
from assistant.question import Question
from assistant.ranking import rank_sentences
from assistant.retrieval import Evidence
from index.domain import Page
from index.passage_index import SHORTEST_SENTENCE
from index.sentences import Sentence, split_sentences
from index.text import lexical_tokens, search_form

#: Passages whose sentences are looked at.
REGIONS: Final = 12
#: Characters of context on both sides of a passage that may be quoted too.
_MARGIN: Final = 260
#: Longest excerpt grown around the best sentence.
WINDOW: Final = 150
#: An excerpt shorter than this takes its better neighbour whatever its odds, to read complete.
_SHORTEST: Final = 60
_LIST_WINDOW: Final = 260
#: A neighbour joins the excerpt when it is at most this much less likely (log-odds).
_NEIGHBOUR: Final = 2.5
# The next five were chosen by grid search on the public congress questions (evidence .49 before,
# .70 after, the first record right .87); see docs/log.md.
#: Log-odds a sentence gains for one unit of its passage's score.
PASSAGE_WEIGHT: Final = 3.0
#: Sentences compared with the question by the embedding model.
SENTENCES: Final = 60
#: Of each region, best passage first.
_MOST_OF_REGION: Final = (12, 12, 12, 4)
#: Log-odds for one unit of cosine below the best sentence.
SIMILARITY_WEIGHT: Final = 60.0
#: Share of the lexical log-odds beside the similarity.
LEXICAL_WEIGHT: Final = 0.1
#: Log-odds a sentence that was not compared stays behind the best one.
UNSEEN: Final = 4.6

_ITEM: Final = re.compile(
    r"\s*(?:[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}[.、．]|[一二三四五六七八九十]{1,3}、)"
)
_ADOPTION: Final = re.compile(
    r"[（(]?(?:19|20)[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}日.{0,120}(?:通过|批准|修正|修订|公布|施行)"
)
_ASKS_ADOPTION: Final = re.compile(
    r"通过|批准|批了|修订|修改|改过|动过|施行|哪天|哪年|什么时候|何时|几号|起用|管用|会议|那次会|第.{1,8}次|出过|表决"
)
_LEAD_IN: Final = re.compile(r"[：:]\s*$")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of one page that may be quoted.

    Attributes:
        evidence: The passage that led there.
        page: The page.
        start: First character in `page.raw`.
        end: One past the last.
        score: Log-odds of its best sentence plus the passage's share.
        odds: Log-odds of its best sentence alone.
        form: Search form of the span.
        cosine: Cosine of the question with the best sentence of it.
    """

    evidence: Evidence
    page: Page
    start: int
    end: int
    score: float
    odds: float
    form: str
    cosine: float = 0.0

    def overlaps(self, other: Excerpt) -> bool:
        """Whether both share characters of one page."""
        same = (
            self.evidence.record.record_id == other.evidence.record.record_id
            and self.page.seq == other.page.seq
        )
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class _Region:
    evidence: Evidence
    page: Page
    sentences: list[Sentence]
    odds: list[float]
    title_form: str
    orders: frozenset[int] = frozenset()
    compared: dict[int, float] = field(default_factory=dict)

    def quotable(self, question: Question, sentence: Sentence) -> bool:
        """Whether the sentence can be an answer by itself.

        The title and the note of adoption under it repeat the subject of the question and so look
        like the best match; they answer only when adoption, dates or the paper itself are asked.
        """
        if (
            not self.covers(sentence)
            or _is_heading(sentence)
            or sentence.start in self.orders
            or len(sentence.form) < SHORTEST_SENTENCE
        ):
            return False
        form = sentence.form.lstrip("# ")
        title = self.title_form
        if form in title or (title in form and len(form) < len(title) + 14) or "...." in form:
            return False
        return bool(_ASKS_ADOPTION.search(question.form)) or not _ADOPTION.match(form)

    def covers(self, sentence: Sentence) -> bool:
        """Whether the sentence touches the passage itself, not only its margin."""
        passage = self.evidence.hit.passage
        start, end = passage.start - self.page.start, passage.end - self.page.start
        return sentence.start < end and start < sentence.end


class ExcerptFinder:
    """Finds quotable spans in ranked passages."""

    def __init__(
        self,
        pages: Callable[[str, int, int], Sequence[Page]],
        rarity: Callable[[str], float],
        similarity: Callable[[str, Sequence[str]], Sequence[float]],
    ) -> None:
        """Bind the collaborators.

        Args:
            pages: Pages of a record between two offsets of its record text.
            rarity: Rarity of a term in the holdings.
            similarity: Cosine of a question with each of some sentences.
        """
        self._pages = pages
        self._rarity = rarity
        self._similarity = similarity

    def find(
        self, question: Question, evidence: Sequence[Evidence], *, whole_lists: bool = False
    ) -> list[Excerpt]:
        """Excerpts from the best passages, best first, none overlapping a better one.

        Args:
            question: The question as read.
            evidence: Ranked passages; the first `REGIONS` are read.
            whole_lists: Let an excerpt that opens a list run on through its items.
        """
        excerpts: list[Excerpt] = []
        regions = [r for item in evidence[:REGIONS] for r in self._regions(question, item)]
        self._add_similarity(question, regions)
        for region in regions:
            excerpts += self._cut(region, whole_lists)
        excerpts.sort(key=lambda e: (-e.score, e.evidence.hit.rank, e.start))
        kept: list[Excerpt] = []
        for excerpt in excerpts:
            if not any(excerpt.overlaps(better) for better in kept):
                kept.append(excerpt)
        return kept

    def _regions(self, question: Question, item: Evidence) -> list[_Region]:
        passage = item.hit.passage
        title_form = search_form(item.record.title).text
        regions: list[_Region] = []
        for page in self._pages(item.record.record_id, passage.start, passage.end):
            start = max(0, passage.start - page.start - _MARGIN)
            stop = min(len(page.raw), passage.end - page.start + _MARGIN)
            sentences = split_sentences(page, start, stop)
            sentences = [s for s in sentences if s.end > start and s.start < stop]
            if sentences:
                odds = rank_sentences(question, sentences, self._rarity)
                orders = orders_among(sentences, question.form)
                regions.append(_Region(item, page, sentences, odds, title_form, orders))
        return regions

    def _add_similarity(self, question: Question, regions: Sequence[_Region]) -> None:
        """Add what the embedding model says of the sentences worth asking it about.

        Sentences of the best passages come first, the likelier ones by their words.
        """
        wanted: list[tuple[_Region, int]] = []
        for place, region in enumerate(regions):
            inside = [i for i, s in enumerate(region.sentences) if region.quotable(question, s)]
            inside.sort(key=lambda i: -region.odds[i])
            wanted += [(region, i) for i in inside[: _MOST_OF_REGION[min(place, 3)]]]
        wanted = wanted[:SENTENCES]
        cosines = self._similarity(
            question.text, [region.sentences[i].form for region, i in wanted]
        )
        best = max(cosines, default=0.0)
        for region in regions:
            region.odds[:] = [o * LEXICAL_WEIGHT - UNSEEN for o in region.odds]
        for (region, i), cosine in zip(wanted, cosines, strict=True):
            region.odds[i] += UNSEEN + SIMILARITY_WEIGHT * (cosine - best)
            region.compared[i] = cosine

    def _cut(self, region: _Region, whole_lists: bool) -> list[Excerpt]:
        """The two best excerpts of a region, each grown around a sentence."""
        order = sorted(range(len(region.sentences)), key=lambda i: -region.odds[i])
        excerpts: list[Excerpt] = []
        taken: set[int] = set()
        for i in order:
            if i in taken or i not in region.compared:
                continue
            first, last = self._grow(region, i, taken, whole_lists)
            taken |= set(range(first, last + 1))
            start, end = region.sentences[first].start, region.sentences[last].end
            form = "".join(s.form for s in region.sentences[first : last + 1])
            score = region.odds[i] + PASSAGE_WEIGHT * region.evidence.score
            excerpts.append(
                Excerpt(
                    region.evidence,
                    region.page,
                    start,
                    end,
                    score,
                    region.odds[i],
                    form,
                    region.compared[i],
                )
            )
            if len(excerpts) == 4:
                break
        return excerpts

    def _grow(
        self, region: _Region, best: int, taken: set[int], whole_lists: bool
    ) -> tuple[int, int]:
        sentences, odds = region.sentences, region.odds
        first = last = best
        limit = WINDOW
        if whole_lists and (
            _LEAD_IN.search(sentences[best].text) or _ITEM.match(sentences[best].text)
        ):
            limit = _LIST_WINDOW
        if _LEAD_IN.search(sentences[best].text):
            # A lead-in alone says nothing: take at least the item after it.
            while (
                last + 1 < len(sentences)
                and sentences[last + 1].end - sentences[first].start <= limit
            ):
                last += 1
                if not _ITEM.match(sentences[last].text):
                    break
        while True:
            choices = []
            for k in (first - 1, last + 1):
                if not 0 <= k < len(sentences) or k in taken or _is_heading(sentences[k]):
                    continue
                if sentences[k].start in region.orders:
                    continue
                start = min(sentences[first].start, sentences[k].start)
                end = max(sentences[last].end, sentences[k].end)
                close = odds[k] >= odds[best] - _NEIGHBOUR
                close = close or end - start < _SHORTEST
                if end - start <= limit and (
                    close or (whole_lists and _ITEM.match(sentences[k].text))
                ):
                    choices.append((odds[k], k))
            if not choices:
                return first, last
            _, k = max(choices)
            first, last = min(first, k), max(last, k)


def _is_heading(sentence: Sentence) -> bool:
    text = sentence.text.lstrip()
    return text.startswith("#") or bool(
        re.fullmatch(r"第[一二三四五六七八九十百]+[编章节].{0,30}", text)
    )


def covered(question: Question, form: str, rarity: Callable[[str], float]) -> float:
    """Share of the question's content, weighted by rarity, that a text holds, 0..1."""
    terms = question.content_terms
    if not terms:
        return 0.0
    there = set(lexical_tokens(form))
    total = sum(rarity(t) for t in terms)
    return sum(rarity(t) for t in terms if t in there) / total if total else 0.0
