"""What can be asked next, and other words for a question: from the holdings and the vocabulary only.

Every question offered has been asked already, for the same reader and under the same conditions,
and was answered; what would be refused is not offered, so nothing can be learned from the offer
that the answer would not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assistant.catalogue_view import CatalogueView, title_form
from assistant.domain import OPENED, Answer, Refusal, Turn
from assistant.question import content_runs
from assistant.vocabulary import ERAS, PLACES, Vocabulary
from index.domain import Record
from index.text import search_form

#: Most questions offered, and most that are tried for it.
OFFERED: Final = 3
_TRIED: Final = 4
#: Longest title put into a question; longer ones cannot be read on a button.
_LONGEST_TITLE: Final = 60
_N: Final = r"[〇零○一二三四五六七八九十百两0-9]{1,5}"
#: What differs between papers of one series: years, terms, sittings; other numbers are other matters.
_SERIAL: Final = re.compile(
    rf"[（(]?(?:(?:19|20)[0-9]{{2}}|[一二][〇零○九]{_N})年?(?:度)?[0-9一二三四五六七八九十月日]*[）)]?"
    rf"|第?{_N}(?:届|次)"
)
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_PLAIN_RUN: Final = 2

#: Words every other title holds; sharing one of them ties nothing.
_KINDS: Final = re.compile(
    r"议案|建议|提案|答复|决议|决定|报告|意见|通知|条例|办法|会议|纪要|代表|委员会?|审议|人大|常委会|关于|情况|工作|[0-9]+年?"
)

Ask = Callable[[str, Sequence[Turn]], Answer | Refusal]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that has an answer.

    Attributes:
        question: What will be asked, word for word.
        reason: Where it comes from, one short Chinese phrase.
        named: The record whose title stands in it, None when there is none.
    """

    question: str
    reason: str
    named: Record | None = None


def next_questions(answer: Answer, view: CatalogueView, ask: Ask) -> tuple[Suggestion, ...]:
    """Questions that lead on from an answer, at most `OFFERED`.

    Args:
        answer: The newest answer of a conversation.
        view: The catalogue as the reader may see it.
        ask: Asks for that reader, after the turns given.
    """
    turns = (Turn(answer.question, answer),)
    shown = _records(answer)
    found: list[Suggestion] = []
    told: set[frozenset[str]] = set()
    for suggestion, wanted in _some(_next(answer, view, shown)):
        result = ask(suggestion.question, turns)
        if not isinstance(result, Answer):
            continue
        records = frozenset(_records(result))
        fits = bool(records & wanted) if wanted else not records <= set(shown)
        if not fits or (records in told and wanted != set(shown)):
            continue
        told.add(records)
        found.append(suggestion)
        if len(found) == OFFERED:
            break
    return tuple(found)


def other_words(
    question: str,
    result: Answer | Refusal,
    near: Iterable[Record],
    vocabulary: Vocabulary,
    ask: Ask,
) -> tuple[Suggestion, ...]:
    """The question in other words, each of which finds a record that was not found before.

    Args:
        question: The question made self-contained.
        result: What it brought.
        near: Records that came close to it, best first, readable for the reader.
        vocabulary: Everyday words and official terms.
        ask: Asks for the reader under the same conditions.
    """
    seen = set(_records(result)) if isinstance(result, Answer) else set()
    found: list[Suggestion] = []
    for suggestion, wanted in _some(_reworded(question, near, vocabulary)):
        again = ask(suggestion.question, ())
        if not isinstance(again, Answer):
            continue
        records = set(_records(again))
        if records <= seen or (wanted and not records & wanted):
            continue
        seen |= records
        found.append(suggestion)
        if len(found) == OFFERED:
            break
    return tuple(found)


Candidate = tuple[Suggestion, frozenset[str]]


def _some(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """The first few candidates, none twice."""
    asked: set[str] = set()
    for suggestion, wanted in candidates:
        if suggestion.question in asked:
            continue
        asked.add(suggestion.question)
        yield suggestion, wanted
        if len(asked) == _TRIED:
            return


def _next(answer: Answer, view: CatalogueView, shown: Sequence[str]) -> Iterator[Candidate]:
    records = _told(answer)
    if not records:
        return
    if not answer.precedents and answer.kind != OPENED and answer.citations:
        yield Suggestion("后来怎么办的？", "同一事项后来的记录"), frozenset()
    for record in records[:2]:
        for other in _series(record, view.records):
            if other.record_id in shown:
                continue
            yield (
                Suggestion(_of_other(answer.question, record, other), "同类的另一件", other),
                frozenset({other.record_id}),
            )
    first = records[0]
    if len(first.title) <= _LONGEST_TITLE:
        own = frozenset({first.record_id})
        if any(part.kind.startswith("附件") for part in first.parts):
            yield Suggestion(f"{_named(first)}的附件写了什么？", "这一件的附件", first), own
        if first.doc_no and not answer.listings:
            yield Suggestion(f"{_named(first)}的文号是多少？", "这一件的目录", first), own


def _series(record: Record, records: Iterable[Record]) -> list[Record]:
    """Papers of the same series, the nearest in time first: one before and one after."""
    key = _series_key(record.title)
    if key is None:
        return []
    others = [r for r in records if r.record_id != record.record_id and _series_key(r.title) == key]
    when = record.date_iso or str(record.year or "")
    dated = [(r.date_iso or str(r.year or ""), r) for r in others]
    later = [pair for pair in dated if pair[0] > when]
    earlier = [pair for pair in dated if "" < pair[0] < when]
    nearest = [
        *sorted(later, key=lambda pair: (pair[0], pair[1].record_id))[:1],
        *sorted(earlier, key=lambda pair: (pair[0], pair[1].record_id))[-1:],
    ]
    return [r for _, r in nearest]


@lru_cache(maxsize=200_000)
def _series_key(title: str) -> str | None:
    """A title without what differs in its series, None when nothing differs or little is left."""
    form = title_form(title)
    key = _SERIAL.sub("#", form)
    return key if key != form and len(key.replace("#", "")) >= 4 else None


def _of_other(question: str, record: Record, other: Record) -> str:
    """The same question of another year, or what the other paper says."""
    years = set(_YEAR.findall(question))
    if len(years) == 1 and record.year and other.year and years == {str(record.year)}:
        return question.replace(str(record.year), str(other.year))
    return f"{_named(other)}主要写了什么？"


def _reworded(question: str, near: Iterable[Record], vocabulary: Vocabulary) -> Iterator[Candidate]:
    form = search_form(question).text
    for expansion in vocabulary.expansions(form):
        if expansion.entry.category in (ERAS, PLACES):
            continue
        for meaning in expansion.meanings[:2]:
            words = form[: expansion.start] + meaning + form[expansion.end :]
            reason = f"“{expansion.words}”换成“{meaning}”"
            yield Suggestion(words, reason), frozenset()
    runs = [_KINDS.sub("", run) for run in content_runs(form)]
    pairs = {run[i : i + _PLAIN_RUN] for run in runs for i in range(len(run) - _PLAIN_RUN + 1)}
    for record in near:
        title = title_form(record.title)
        if len(record.title) <= _LONGEST_TITLE and any(pair in title for pair in pairs):
            wanted = frozenset({record.record_id})
            yield (
                Suggestion(f"{_named(record)}主要写了什么？", "馆藏里题名相近的一件", record),
                wanted,
            )


def _named(record: Record) -> str:
    title = " ".join(record.title.split())
    return title if title.startswith("《") and title.endswith("》") else f"《{title}》"


def _told(answer: Answer) -> list[Record]:
    """The records an answer rests on, best first, each once."""
    rows = (*(c.record for c in answer.citations), *(row.record for row in answer.listings[:1]))
    return list({record.record_id: record for record in rows}.values())


def _records(answer: Answer) -> tuple[str, ...]:
    rows = (*(c.record for c in answer.citations), *(row.record for row in answer.listings))
    return tuple(dict.fromkeys(record.record_id for record in rows))
