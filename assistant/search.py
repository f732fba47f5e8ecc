"""Search by itself: passages by rank, cut from their pages like quotations, nothing judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.domain import Citation, cite
from assistant.retrieval import Evidence
from index.access import may_see_personal
from index.domain import Page, Passage, Reader
from index.store import Store


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Catalogue conditions of a search; empty ones ask for nothing.

    Attributes:
        year_from: Earliest filing year, None for any.
        year_to: Latest filing year, None for any.
        doc_type: 文种 as catalogued, empty for any.
    """

    year_from: int | None = None
    year_to: int | None = None
    doc_type: str = ""

    def accepts(self, year: int | None, doc_type: str) -> bool:
        """Whether a record of this year and type is wanted."""
        if self.doc_type and doc_type.strip() != self.doc_type.strip():
            return False
        if self.year_from is None and self.year_to is None:
            return True
        return year is not None and (self.year_from or 0) <= year <= (self.year_to or 9999)


def as_citations(
    evidence: Sequence[Evidence], store: Store, reader: Reader, most: int
) -> tuple[Citation, ...]:
    """Passages as spans of stored pages, best first, numbered from 1.

    Args:
        evidence: Ranked passages within what the reader may see.
        store: The truth.
        reader: Who asks; personal data stays masked unless they have the right.
        most: Most passages, at least 1.

    Returns:
        Citations without page furniture; a passage that crosses pages is given by the page that
        holds most of it.
    """
    found: list[Citation] = []
    clear = may_see_personal(reader).allowed
    for item in evidence:
        span = _longest_span(store, item.hit.passage)
        if span is None:
            continue
        page, start, end = span
        shown = store.page(item.record.record_id, page.seq, clear=True) if clear else page
        if shown is None:
            continue
        count = store.page_count(item.record.record_id)
        passage_id = item.hit.passage.passage_id
        found.append(cite(len(found) + 1, item.record, shown, count, start, end, passage_id))
        if len(found) == most:
            break
    return tuple(found)


def _longest_span(store: Store, passage: Passage) -> tuple[Page, int, int] | None:
    """The longest stretch of a passage on one page that is no page furniture."""
    best: tuple[int, Page, int, int] | None = None
    for page in store.pages_between(passage.record_id, passage.start, passage.end):
        at = max(passage.start - page.start, 0)
        end = min(passage.end - page.start, len(page.raw))
        for left, right in (*sorted(page.furniture), (end, end)):
            start, stop = _trimmed(page.raw, at, min(left, end))
            if start < stop and (best is None or stop - start > best[0]):
                best = (stop - start, page, start, stop)
            at = max(at, right)
    return None if best is None else best[1:]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
