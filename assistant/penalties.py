"""From a ban to its penalty: the clause that says what breaking an article costs, by its number.

A regulation forbids in one article and punishes in another that names only the number: 违反本条例
第十六条规定的，处…… . The second shares no word with the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from assistant.excerpts import REFERS_BACK, Excerpt
from assistant.question import Question
from index.codes import chinese_to_int
from index.domain import Page, Passage
from index.sentences import Sentence, split_sentences
from index.text import search_form

#: Questions about what a breach costs.
_ASKS: Final = re.compile(r"罚|处分|什么后果|啥后果|追究|责任|没收|吊销")
_N: Final = r"[一二三四五六七八九十百零〇0-9]{1,6}"
_ARTICLE: Final = re.compile(rf"第({_N})条(?=[\s　]|[^第之规款项、的和或])")
_BREACH: Final = re.compile(
    rf"违反(?:了)?(?:本(?:条例|规定|办法|细则|实施办法|规则|法))?"
    rf"((?:第{_N}条(?:之[一二三])?(?:第?{_N}款)?(?:第?[（(]?{_N}[）)]?项)?(?:规定)?(?:、|和|或者|或|以及|,|，)?)+)"
)
_NAMED: Final = re.compile(rf"第({_N})条")
_COSTS: Final = re.compile(r"罚|没收|警告|拘留|吊销|处分|责令")
#: Excerpts whose articles are followed up, and what a found clause gains over its ban.
_FOLLOWED: Final = 8
#: Longest clause in characters.
_LONGEST: Final = 240
_GAIN: Final = 0.5


def asks_penalty(question: Question) -> bool:
    """Whether a question asks what breaking a rule costs."""
    return bool(_ASKS.search(question.form))


def without_other_breaches(question: Question, excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """The excerpts without clauses that punish, by 违反前款, something the question does not name.

    Only things the vocabulary knows by several names are looked for (拴绳, 犬绳, 束犬链): of others it
    cannot be told that the paragraph speaks of them in other words. What the title says tells no
    breach from another.

    Args:
        question: The question as read.
        excerpts: Such a clause is cut together with the paragraph it points to.
    """
    kept = []
    for excerpt in excerpts:
        if REFERS_BACK.search(excerpt.form) and not _BREACH.search(excerpt.form):
            title = search_form(excerpt.evidence.record.title).text
            things = ((word, *others) for word, others in question.synonyms.items())
            told = (
                any(name in excerpt.form for name in names)
                for names in things
                if not any(name in title for name in names)
            )
            if not all(told):
                continue
        kept.append(excerpt)
    return kept


def with_penalties(
    excerpts: Sequence[Excerpt],
    pages: Callable[[str], Sequence[Page]],
    passages: Callable[[str], Sequence[Passage]],
) -> list[Excerpt]:
    """The excerpts with the penalty clauses of their articles put before them.

    Args:
        excerpts: Best first; the first `_FOLLOWED` are followed up.
        pages: All pages of a record.
        passages: All passages of a record.
    """
    added: list[Excerpt] = []
    for excerpt in excerpts[:_FOLLOWED]:
        record_id = excerpt.evidence.record.record_id
        if _BREACH.search(excerpt.form):
            continue  # says itself what the breach costs
        sheets = pages(record_id)
        article = article_of(sheets, excerpt.page.seq, excerpt.start)
        if article is None:
            continue
        for page, clause in penalty_clauses(sheets, article):
            passage = _holding(passages(record_id), page.start + clause.start)
            if passage is None:
                continue
            hit = replace(excerpt.evidence.hit, passage=passage)
            found = replace(
                excerpt,
                evidence=replace(excerpt.evidence, hit=hit),
                page=page,
                start=clause.start,
                end=clause.end,
                form=clause.form,
                score=excerpt.score + _GAIN,
                other_half=None,
            )
            if not any(found.overlaps(other) for other in added):
                added.append(found)
    if not added:
        return list(excerpts)
    rest = [e for e in excerpts if not any(e.overlaps(found) for found in added)]
    return sorted([*added, *rest], key=lambda e: -e.score)


def article_of(pages: Sequence[Page], seq: int, at: int) -> int | None:
    """Number of the article that a place stands in, None before the first or where there are none.

    Args:
        pages: Pages of the record in order.
        seq: 影像序号 of the page.
        at: Character of that page's raw text.
    """
    found: int | None = None
    for page in pages:
        if page.seq > seq:
            break
        for sentence in split_sentences(page):
            if page.seq == seq and sentence.start > at:
                break
            number = _heads(sentence)
            found = number if number is not None else found
    return found


def penalty_clauses(pages: Sequence[Page], article: int) -> list[tuple[Page, Sentence]]:
    """Sentences that say what breaking an article costs, in order.

    Args:
        pages: Pages of the record in order.
        article: Number of the article.
    """
    found: list[tuple[Page, Sentence]] = []
    for page in pages:
        sentences = split_sentences(page)
        for at, sentence in enumerate(sentences):
            breach = _BREACH.search(sentence.form)
            if breach is None or article not in map(
                chinese_to_int, _NAMED.findall(breach.group(1))
            ):
                continue
            clause = _whole(page, sentences, at)
            if _COSTS.search(clause.form[breach.end() :]):
                found.append((page, clause))
    return found


def _whole(page: Page, sentences: Sequence[Sentence], at: int) -> Sentence:
    """A sentence with the parts that follow it after a colon or a semicolon."""
    last = at
    while (
        last + 1 < len(sentences)
        and sentences[last].text.rstrip().endswith(("：", ":", "；", ";"))
        and sentences[last + 1].end - sentences[at].start <= _LONGEST
    ):
        last += 1
    start, end = sentences[at].start, sentences[last].end
    form = "".join(s.form for s in sentences[at : last + 1])
    return Sentence(start, end, page.raw[start:end], form)


def _heads(sentence: Sentence) -> int | None:
    match = _ARTICLE.match(sentence.form)
    return chinese_to_int(match.group(1)) if match and sentence.new_line else None


def _holding(passages: Sequence[Passage], offset: int) -> Passage | None:
    return next((p for p in passages if p.start <= offset < p.end), None)
