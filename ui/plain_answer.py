"""An answer or refusal as plain text for programs: marks in the text, sources below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from assistant.domain import Answer, Citation, Listing, Refusal, mark, record_reference
from ui import strings
from ui.escaping import fold_quote, is_unreliable, one_line
from ui.precedent_view import precedent_text

_SOURCES: Final = "出处："
_ROWS: Final = 200


def plain_answer(result: Answer | Refusal, shown: Callable[[str], str] = str) -> str:
    """The whole result as text; white space in quotations is folded, nothing else changes.

    Args:
        result: What the assistant said.
        shown: Applied to each block, to escape it for a reader of Markdown.
    """
    return "\n\n".join(shown(block) for block in plain_blocks(result))


def plain_blocks(result: Answer | Refusal) -> list[str]:
    """The result as blocks of text, in the order to show them."""
    blocks = _answer(result) if isinstance(result, Answer) else _refusal(result)
    return [block for block in blocks if block]


def _answer(answer: Answer) -> list[str]:
    blocks = [answer.reading, answer.lead]
    if answer.direct:
        blocks.append(f"{fold_quote(answer.direct)} {mark(answer.citations[0].marker)}")
    if answer.precedents:
        blocks.append(precedent_text(answer))
    else:
        cited = {citation.marker: citation for citation in answer.citations}
        if answer.columns:
            for column in answer.columns:
                quotes = [_quote(cited[m]) for m in column.markers] or [strings.SIDE_EMPTY]
                blocks.append("\n".join([f"【{column.heading}】", *quotes]))
        else:
            blocks += [_quote(citation) for citation in answer.citations]
        if answer.table is not None:
            rows = (answer.table.headings, *(row.cells for row in answer.table.rows))
            blocks.append("\n".join("　".join(map(one_line, cells)) for cells in rows))
        blocks.append(_rows(answer.listings))
        if answer.citations:
            sources = [f"{mark(c.marker)} {c.reference}" for c in answer.citations]
            blocks.append("\n".join([_SOURCES, *sources]))
    blocks += [strings.NOTE + note for note in answer.notes]
    coverage = answer.coverage
    line = strings.coverage_line(coverage.records, coverage.pages, coverage.unreadable_pages)
    return [*blocks, f"{line}{strings.NO_VOUCHER}"]


def _refusal(refusal: Refusal) -> list[str]:
    blocks = [refusal.reading, refusal.message]
    if refusal.records:
        named = [f"· {record_reference(record)}" for record in refusal.records]
        blocks.append("\n".join([strings.NAMED_RECORDS, *named]))
    steps = strings.NEXT_STEPS.get(refusal.reason.value, ())
    blocks.append("\n".join(f"· {step}" for step in steps))
    return [*blocks, *(strings.NOTE + note for note in refusal.notes)]


def _quote(citation: Citation) -> str:
    quote = f"「{fold_quote(citation.quote)}」{mark(citation.marker)}"
    if is_unreliable(citation.confidence):
        return f"{quote}（{strings.LOW_CONFIDENCE}）"
    return quote


def _rows(listings: Sequence[Listing]) -> str:
    rows = [f"{mark(row.marker)} {record_reference(row.record)}" for row in listings[:_ROWS]]
    if len(listings) > _ROWS:
        rows.append(strings.LISTING_REST.format(count=len(listings) - _ROWS))
    return "\n".join(rows)
