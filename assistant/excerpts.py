"""From ranked passages to excerpts: the spans worth quoting, cut at sentence borders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.question import Question
from assistant.ranking import rank_sentences
from assistant.retrieval import Evidence
from assistant.sentences import Sentence, split_sentences
from index.domain import Page
from index.text import lexical_tokens

#: Passages whose sentences are looked at.
REGIONS: Final = 12
#: Characters of context on both sides of a passage that may be quoted too.
_MARGIN: Final = 260
#: Longest excerpt grown around the best sentence.
WINDOW: Final = 120
_LIST_WINDOW: Final = 260
#: A neighbour joins the excerpt when it is at most this much less likely (log-odds).
_NEIGHBOUR: Final = 1.6
#: Log-odds a sentence gains for one unit of its passage's score.
PASSAGE_WEIGHT: Final = 5.0

_ITEM: Final = re.compile(r"\s*(?:[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}[.、．]|[一二三四五六七八九十]{1,3}、)")
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
    """

    evidence: Evidence
    page: Page
    start: int
    end: int
    score: float
    odds: float
    form: str

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


class ExcerptFinder:
    """Finds quotable spans in ranked passages."""

    def __init__(
        self, pages: Callable[[str, int, int], Sequence[Page]], rarity: Callable[[str], float]
    ) -> None:
        """Bind the page reader (record, start, end of record text) and the rarity of terms."""
        self._pages = pages
        self._rarity = rarity

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
        for item in evidence[:REGIONS]:
            for region in self._regions(question, item):
                excerpts += self._cut(region, whole_lists)
        excerpts.sort(key=lambda e: (-e.score, e.evidence.hit.rank, e.start))
        kept: list[Excerpt] = []
        for excerpt in excerpts:
            if not any(excerpt.overlaps(better) for better in kept):
                kept.append(excerpt)
        return kept

    def _regions(self, question: Question, item: Evidence) -> list[_Region]:
        passage = item.hit.passage
        regions: list[_Region] = []
        for page in self._pages(item.record.record_id, passage.start, passage.end):
            start = max(0, passage.start - page.start - _MARGIN)
            stop = min(len(page.raw), passage.end - page.start + _MARGIN)
            sentences = split_sentences(page, start, stop)
            sentences = [s for s in sentences if s.end > start and s.start < stop]
            if sentences:
                odds = rank_sentences(question, sentences, self._rarity)
                regions.append(_Region(item, page, sentences, odds))
        return regions

    def _cut(self, region: _Region, whole_lists: bool) -> list[Excerpt]:
        """The two best excerpts of a region, each grown around a sentence."""
        order = sorted(range(len(region.sentences)), key=lambda i: -region.odds[i])
        excerpts: list[Excerpt] = []
        taken: set[int] = set()
        for i in order:
            if i in taken or _is_heading(region.sentences[i]):
                continue
            first, last = self._grow(region, i, whole_lists)
            taken |= set(range(first, last + 1))
            start, end = region.sentences[first].start, region.sentences[last].end
            form = "".join(s.form for s in region.sentences[first : last + 1])
            score = region.odds[i] + PASSAGE_WEIGHT * region.evidence.score
            excerpts.append(
                Excerpt(region.evidence, region.page, start, end, score, region.odds[i], form)
            )
            if len(excerpts) == 3:
                break
        return excerpts

    def _grow(self, region: _Region, best: int, whole_lists: bool) -> tuple[int, int]:
        sentences, odds = region.sentences, region.odds
        first = last = best
        limit = WINDOW
        if whole_lists and (_LEAD_IN.search(sentences[best].text) or _ITEM.match(sentences[best].text)):
            limit = _LIST_WINDOW
        if _LEAD_IN.search(sentences[best].text):
            # A lead-in alone says nothing: take at least the item after it.
            while last + 1 < len(sentences) and sentences[last + 1].end - sentences[first].start <= limit:
                last += 1
                if not _ITEM.match(sentences[last].text):
                    break
        while True:
            choices = []
            for k in (first - 1, last + 1):
                if not 0 <= k < len(sentences) or _is_heading(sentences[k]):
                    continue
                start = min(sentences[first].start, sentences[k].start)
                end = max(sentences[last].end, sentences[k].end)
                close = odds[k] >= odds[best] - _NEIGHBOUR
                if end - start <= limit and (close or (whole_lists and _ITEM.match(sentences[k].text))):
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
