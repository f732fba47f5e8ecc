"""Requests about the answer before: a field again, open the n-th, show more of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from assistant.catalogue_answer import page_facts
from assistant.domain import Answer, Citation, Listing, cite
from assistant.followup import FollowUp
from index.access import Permitted
from index.domain import Page, Record
from index.sentences import split_sentences
from index.store import Store

#: Characters quoted before and after a quotation that is to be shown with its surroundings.
_BEFORE: Final = 160
_AFTER: Final = 420
#: Characters of the first page quoted when a record is opened.
_OPENING: Final = 150
_MOST_EXPANDED: Final = 3

_FIELD_NAMES: Final = (
    ("题名", "title"),
    ("文号", "doc_no"),
    ("档号", "reference_code"),
    ("责任者", "author"),
    ("日期", "date"),
    ("文种", "doc_type"),
    ("届次", "meeting"),
    ("机构（问题）", "department"),
    ("保管期限", "retention"),
    ("开放标识", "opening"),
    ("公开属性", "publicity"),
    ("备注", "note"),
)


class Revisit:
    """Answers from the records of an earlier answer, as the reader may see them now."""

    def __init__(self, store: Store, permitted: Permitted) -> None:
        """Bind the holdings and what the reader may see now; rights may have changed since."""
        self._store = store
        self._permitted = permitted

    def item(self, answer: Answer, number: int) -> Record | Citation | None:
        """The n-th item of an answer: its citations, then its listings.

        Returns:
            A citation, a record, or None when there is no such item or it may not be seen.
        """
        items: list[Record | Citation] = [*answer.citations]
        items += [listing.record for listing in answer.listings]
        if not 1 <= number <= len(items):
            return None
        found = items[number - 1]
        record = self._readable(found.record if isinstance(found, Citation) else found)
        return None if record is None else found if isinstance(found, Citation) else record

    def _readable(self, record: Record) -> Record | None:
        number = self._store.record_number(record.record_id)
        if number is None or not self._permitted.allows(number):
            return None
        return self._store.record(record.record_id)

    def fields(self, record: Record, follow: FollowUp) -> tuple[str, Listing]:
        """A lead and the catalogue row with only the fields asked for."""
        totals = self._store.page_totals(self._permitted)
        values = {heading: str(getattr(record, name)) for heading, name in _FIELD_NAMES}
        facts: list[tuple[str, str]] = []
        empty: list[str] = []
        for heading in follow.fields:
            if heading == "页数":
                facts += page_facts(record, totals[record.record_id])
            elif values[heading].strip():
                facts.append((heading, values[heading]))
            else:
                empty.append(heading)
        lead = f"上一条答复第 {follow.number} 项的目录登记："
        if empty:
            lead += f"“{'”“'.join(empty)}”一栏目录没有填。"
        return lead, Listing(1, record, tuple(facts) or self.card(record))

    def card(self, record: Record) -> tuple[tuple[str, str], ...]:
        """All filled catalogue fields of a record with its pages."""
        totals = self._store.page_totals(self._permitted)
        facts = [(heading, str(getattr(record, name))) for heading, name in _FIELD_NAMES[1:]]
        if record.proposers:
            facts.append(("提出人", "、".join(record.proposers)))
        facts += page_facts(record, totals[record.record_id])
        return tuple((heading, value) for heading, value in facts if value.strip())

    def opening(self, record: Record) -> Citation | None:
        """The beginning of the first page with text, None when no page has any."""
        for page in self._store.pages(record.record_id):
            spans = _sentences(page)
            if spans:
                end = spans[0][1]
                for _, stop in spans[1:]:
                    between = any(end <= a < stop for a, _ in page.furniture)
                    if between or stop - spans[0][0] > _OPENING:
                        break
                    end = stop
                return self._cite(record, page, spans[0][0], end)
        return None

    def widened(self, answer: Answer) -> tuple[Citation, ...]:
        """The quotations of an answer with what stands around them, cut at sentence borders.

        Overlapping ones become one. A listed record gives its first page.
        """
        wide: list[Citation] = []
        for citation in answer.citations[:_MOST_EXPANDED]:
            record = self._readable(citation.record)
            page = self._store.page(citation.record.record_id, citation.page)
            if record is None or page is None:
                continue
            spans = _sentences(page)
            # Page furniture is never quoted, so the surroundings end where it begins.
            low = max((b for _, b in page.furniture if b <= citation.start), default=0)
            low = max(low, citation.start - _BEFORE)
            high = min((a for a, _ in page.furniture if a >= citation.end), default=len(page.raw))
            high = min(high, citation.end + _AFTER)
            start = min((a for a, _ in spans if low <= a <= citation.start), default=citation.start)
            end = max((b for _, b in spans if citation.end <= b <= high), default=citation.end)
            same = [c for c in wide if _touch(c, page, start, end)]
            for other in same:
                start, end = min(start, other.start), max(end, other.end)
            wide = [c for c in wide if c not in same]
            wide.append(self._cite(record, page, start, end, citation.passage_id))
        if not wide:
            for listing in answer.listings[:_MOST_EXPANDED]:
                record = self._readable(listing.record)
                opened = self.opening(record) if record is not None else None
                if opened is not None:
                    wide.append(opened)
        return tuple(replace(c, marker=i) for i, c in enumerate(wide, start=1))

    def _cite(
        self, record: Record, page: Page, start: int, end: int, passage_id: str = ""
    ) -> Citation:
        if not passage_id:
            at = page.start + start
            passages = self._store.passages(record.record_id)
            passage_id = next((p.passage_id for p in passages if p.end > at), "-")
        return cite(
            1, record, page, self._store.page_count(record.record_id), start, end, passage_id
        )


def _touch(citation: Citation, page: Page, start: int, end: int) -> bool:
    same = citation.record.record_id == page.record_id and citation.page == page.seq
    return same and start <= citation.end and citation.start <= end


def _sentences(page: Page) -> Sequence[tuple[int, int]]:
    """Spans of the page's sentences."""
    return [(s.start, s.end) for s in split_sentences(page)]
