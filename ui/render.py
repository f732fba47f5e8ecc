"""Answers and refusals as Markdown for the chat, with record text escaped. Pure, no gradio.

Record text, catalogue values, questions and messages are data: every ASCII punctuation mark is
escaped before it meets the Markdown reader, so that nothing in them can become markup. The only
markup comes from this file: paragraphs, lists, block quotes, `<small class="cd-…">` and links of
the form `#c-<answer>-<marker>`, which the page's own script turns into citation buttons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from assistant.domain import (
    Answer,
    Citation,
    Listing,
    Prose,
    ProseSegment,
    Reading,
    Refusal,
    RefusalReason,
    Table,
    mark,
    record_reference,
)
from index.domain import Coverage, Record
from ui import strings
from ui.escaping import fold_quote, is_unreliable, md_escape, one_line
from ui.precedent_view import precedent_blocks, precedent_text

#: Rows of a list on the page at all; every later message sends the whole conversation again.
_ROWS_ON_PAGE: Final = 500
#: Marks in a cell of a grouped table.
_MARKS_SHOWN: Final = 10
#: Columns of a list on the page beside the title; the drawer and the export have them all.
_PAGE_COLUMNS: Final = ("日期", "文号", "责任者", "档号")
#: Fields that are left to the drawer and the export.
_LEFT_OUT: Final = frozenset({"题名", "文种", "页数", "保管期限"})

#: Refusals after a search; the others did not look at the holdings.
_SEARCHED: Final = frozenset({RefusalReason.NOT_FOUND, RefusalReason.EMPTY})

#: Shown while the search runs; the page's script turns on the stop button by its class.
PENDING: Final = f'<small class="cd-pending">{strings.SEARCHING}</small>'


def question_markdown(question: str) -> str:
    """The user's own words, shown as typed."""
    return md_escape(question.strip())


def message_markdown(message: str) -> str:
    """A sentence of the program that may hold foreign values."""
    return md_escape(message)


def answer_blocks(
    answer: Answer, answer_id: str, token: str = "", *, composing: bool = False
) -> tuple[str, ...]:
    """An answer as Markdown blocks, in the order to show them.

    Args:
        answer: The answer.
        answer_id: Hexadecimal id under which the page's script fetches the citations.
        token: Under which the session keeps the question; its chips carry it. Empty = no chips.
        composing: Whether a language model is still writing joining text for it.

    Returns:
        Blocks to be joined by a blank line; any prefix of them is well-formed.
    """
    blocks = _reading_blocks(answer, token)
    if answer.prose is not None:
        blocks += [_small("ai", strings.AI_LABEL), _prose_block(answer, answer.prose, answer_id)]
    elif composing:
        blocks.append(_small("composing", strings.COMPOSING))
    if answer.lead:
        blocks.append(f"**{md_escape(one_line(answer.lead))}**")
    if answer.direct:
        direct = md_escape(fold_quote(answer.direct))
        blocks.append(f"**{direct}** {_link(answer_id, answer.citations[0].marker)}")
    if answer.precedents:
        blocks += precedent_blocks(answer, lambda m: _link(answer_id, m))
    else:
        if answer.columns:
            blocks.append(_columns_block(answer, answer_id))
        else:
            blocks += [_citation_block(citation, answer_id) for citation in answer.citations]
        if answer.table is not None:
            blocks.append(_group_table(answer.table, answer_id))
        blocks += _listing_blocks(answer.listings, answer_id, folded=answer.table is not None)
    # the low confidence note already stands under the quotation it is about
    notes = [note for note in answer.notes if note != strings.LOW_CONFIDENCE]
    blocks += [_small("note", strings.NOTE + note) for note in notes]
    if answer.related:
        blocks.append(_related_block(answer.related, answer_id))
    blocks.append(_foot(answer.coverage) + tools_link(answer_id))
    return tuple(blocks)


def refusal_blocks(refusal: Refusal, token: str = "", answer_id: str = "") -> tuple[str, ...]:
    """A refusal as Markdown blocks: the sentence, what to try next, the coverage.

    `token` and `answer_id` are those of `answer_blocks`.
    """
    blocks = _reading_blocks(refusal, token)
    blocks.append("\n\n".join(md_escape(p) for p in refusal.message.splitlines() if p.strip()))
    if refusal.records:
        rows = [f"- {md_escape(one_line(record_reference(r)))}" for r in refusal.records]
        blocks.append("\n".join([md_escape(strings.NAMED_RECORDS), "", *rows]))
    steps = strings.NEXT_STEPS.get(refusal.reason.value, ())
    if steps:
        blocks.append("\n".join(f"- {md_escape(step)}" for step in steps))
    blocks += [_small("note", strings.NOTE + note) for note in refusal.notes]
    if refusal.reason in _SEARCHED and strings.COVERAGE_HEADING not in refusal.message:
        blocks.append(_small("coverage", _coverage(refusal.coverage)))
    if answer_id:
        blocks[-1] += "\n\n" + tools_link(answer_id)
    return tuple(blocks)


def tools_link(answer_id: str) -> str:
    """Marks the end of a finished message; the page's script puts its buttons there."""
    return f" [{strings.TOOLS}](#s-{answer_id})"


def withheld_blocks(blocks: Sequence[str], *, withheld: bool, changed: int) -> tuple[str, ...]:
    """An exchange from the history with a remark on what of it is not shown any more."""
    notes = [_small("note", strings.NOT_AVAILABLE_NOW)] if withheld else []
    if changed:
        notes.append(_small("note", strings.quotes_changed(changed)))
    return (*notes, *blocks)


def when_markdown(shown: str, when: str) -> str:
    """A question from the history with the time it was asked at."""
    return f"{shown}\n\n{_small('when', when)}"


def stages(blocks: Sequence[str], at_most: int = 3) -> list[str]:
    """Growing prefixes of the blocks for streaming; the last one is the whole."""
    count = len(blocks)
    steps = min(at_most, count)
    cuts = sorted({max(1, round(count * i / steps)) for i in range(1, steps + 1)})
    return ["\n\n".join(blocks[:cut]) for cut in cuts]


def answer_text(answer: Answer) -> str:
    """The answer as plain text for the clipboard: quotations with their references."""
    lines = [answer.lead] if answer.lead else []
    if answer.prose is not None:
        lines.insert(0, f"（{strings.AI_LABEL}）{prose_text(answer)}")
    if answer.precedents:
        return "\n\n".join([*lines, precedent_text(answer), strings.NO_VOUCHER])
    lines += [
        f"{mark(c.marker)}「{fold_quote(c.quote)}」\n　　——{c.reference}" for c in answer.citations
    ]
    if answer.table is not None:
        lines += [
            "　".join(cells)
            for cells in (answer.table.headings, *(r.cells for r in answer.table.rows))
        ]
    lines += [f"{mark(row.marker)}{record_reference(row.record)}" for row in answer.listings]
    lines.append(strings.NO_VOUCHER)
    return "\n".join(lines)


def refusal_text(refusal: Refusal) -> str:
    """A refusal as plain text for the clipboard."""
    named = [f"　　{record_reference(record)}" for record in refusal.records]
    named = [strings.NAMED_RECORDS, *named] if named else []
    lines = [refusal.message, *named, *(strings.NOTE + note for note in refusal.notes)]
    return "\n".join([*lines, strings.NO_VOUCHER])


def prose_text(answer: Answer) -> str:
    """The joining text as one line of plain text with marks, empty when there is none."""
    if answer.prose is None:
        return ""
    return "".join(
        f"{one_line(s.text)}{_inserted(answer, s)}{mark(s.marker) if s.marker else ''}"
        for s in answer.prose.segments
    )


def _inserted(answer: Answer, segment: ProseSegment) -> str:
    """The quotation a segment calls for, in quotation marks, empty when it calls for none."""
    quotes = [c.quote for c in answer.citations if segment.quoted and c.marker == segment.marker]
    return f"「{one_line(fold_quote(quotes[0]))}」" if quotes else ""


def _prose_block(answer: Answer, prose: Prose, answer_id: str) -> str:
    return "".join(
        md_escape(one_line(s.text) + _inserted(answer, s))
        + (_link(answer_id, s.marker) if s.marker else "")
        for s in prose.segments
    )


def again_markdown(question: str, without: Sequence[Reading]) -> str:
    """A question asked again, with what was taken off said under it."""
    said = strings.asked_without("，".join(r.sentence for r in without))
    return f"{question_markdown(question)}\n\n{_small('without', said)}"


def _reading_blocks(result: Answer | Refusal, token: str) -> list[str]:
    """How the question was read: as a sentence, or with a chip for each part to take off."""
    if not token or not result.readings:
        return [_small("reading", result.reading)] if result.reading else []
    blocks = []
    if result.standalone != result.question:
        blocks.append(_small("reading", f"我按“{result.standalone}”理解。"))
    chips = []
    for number, reading in enumerate(result.readings):
        sentence = one_line(reading.sentence)
        # Quotation marks end a Markdown title; the Chinese ones do not.
        name = md_escape(strings.take_off(sentence))
        chips.append(f'[{md_escape(sentence)}](#w-{token}-{number} "{name}")')
    lead = _small("reading", strings.READ_AS)
    return [*blocks, f"{lead} {' '.join(chips)}"]


def _small(name: str, text: str) -> str:
    return f'<small class="cd-{name}">{md_escape(one_line(text))}</small>'


def _link(answer_id: str, marker: int) -> str:
    return f'[{mark(marker)}](#c-{answer_id}-{marker} "{strings.OPEN_SOURCE}")'


def _citation_block(citation: Citation, answer_id: str) -> str:
    quote = md_escape(fold_quote(citation.quote))
    source = f"《{citation.record.title}》，{citation.place}"
    lines = [f"「{quote}」 {_link(answer_id, citation.marker)}", "", _small("source", source)]
    if is_unreliable(citation.confidence):
        lines += ["", _small("warning", strings.LOW_CONFIDENCE)]
    return _quoted("\n".join(lines))


def _columns_block(answer: Answer, answer_id: str) -> str:
    """A comparison side by side; on a narrow page the sides stand below each other."""
    cited = {citation.marker: citation for citation in answer.citations}
    sides = []
    for column in answer.columns:
        quotes = [_citation_block(cited[marker], answer_id) for marker in column.markers]
        body = "\n\n".join(quotes) or _small("note", strings.SIDE_EMPTY)
        heading = f"**{md_escape(one_line(column.heading))}**"
        sides.append(f'<div class="cd-side">\n\n{heading}\n\n{body}\n\n</div>')
    return '<div class="cd-sides">\n\n' + "\n\n".join(sides) + "\n\n</div>"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _listing_blocks(listings: Sequence[Listing], answer_id: str, *, folded: bool) -> Iterable[str]:
    """One row as a line with its fields, several as a table the page's script makes sortable."""
    if not listings:
        return
    if len(listings) == 1:
        yield _listing_row(1, listings[0], answer_id)
        return
    shown = listings[:_ROWS_ON_PAGE]
    table = _listing_table(shown, answer_id)
    yield _folded(strings.LISTINGS.format(count=len(listings)), table) if folded else table
    if len(shown) < len(listings):
        text = strings.LISTING_CUT.format(shown=len(shown), count=len(listings))
        yield _small("note", text)


def _listing_table(listings: Sequence[Listing], answer_id: str) -> str:
    facts = [dict(_facts(row)) for row in listings]
    found = dict.fromkeys(heading for row in facts for heading in row)
    extra = [h for h in found if h not in _PAGE_COLUMNS and h not in _LEFT_OUT]
    columns = [*extra, *(h for h in _PAGE_COLUMNS if h in found)]
    rows = [
        [
            _link(answer_id, row.marker),
            _cell(row.record.title),
            *(_cell(values.get(heading, "")) for heading in columns),
        ]
        for row, values in zip(listings, facts, strict=True)
    ]
    return _markdown_table([strings.ROW_NUMBER, "题名", *map(_cell, columns)], rows)


def _group_table(table: Table, answer_id: str) -> str:
    rows = []
    for row in table.rows:
        links = " ".join(_link(answer_id, marker) for marker in row.markers[:_MARKS_SHOWN])
        if len(row.markers) > _MARKS_SHOWN:
            links += " " + strings.GROUP_MORE.format(count=len(row.markers))
        rows.append([*map(_cell, row.cells), links])
    return _markdown_table([*map(_cell, table.headings), strings.GROUP_ROWS], rows)


def _cell(text: str) -> str:
    return md_escape(one_line(text))


def _markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(summary: str, body: str) -> str:
    # the summary stands in an HTML block, where no Markdown is read: fixed wording and counts only
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _related_block(records: Sequence[Record], answer_id: str) -> str:
    rows = []
    for number, record in enumerate(records, start=1):
        facts = "　".join(
            one_line(value) for value in (record.marked("doc_no"), record.marked("date")) if value
        )
        link = f'[{md_escape(one_line(record.title))}](#c-{answer_id}-r{number} "{strings.OPEN_SOURCE}")'
        rows.append(f'- {link} <small class="cd-facts">{md_escape(facts)}</small>')
    return _folded(strings.RELATED.format(count=len(rows)), "\n".join(rows))


def _listing_row(number: int, row: Listing, answer_id: str) -> str:
    title = md_escape(one_line(row.record.title))
    facts = "　".join(
        f"{md_escape(one_line(heading))}：{md_escape(one_line(value))}"
        for heading, value in _facts(row)
    )
    indent = " " * (len(str(number)) + 2)
    first = f"{number}. {title} {_link(answer_id, row.marker)}"
    return f'{first}\n\n{indent}<small class="cd-facts">{facts}</small>\n' if facts else first


def _facts(row: Listing) -> list[tuple[str, str]]:
    if row.facts:
        facts = [(h, v) for h, v in row.facts if v and h != "题名"]
        named = any(heading == "档号" for heading, _ in facts)
        code = row.record.reference_code
        return facts if named or not code else [*facts, ("档号", code)]
    facts = [
        (heading, row.record.marked(name))
        for name, heading in strings.FIELD_HEADINGS
        if name not in ("title", "author")
    ]
    return [(heading, value) for heading, value in facts if value]


def _coverage(coverage: Coverage) -> str:
    return strings.coverage_line(coverage.records, coverage.pages, coverage.unreadable_pages)


def _foot(coverage: Coverage) -> str:
    return _small("coverage", f"{_coverage(coverage)}{strings.NO_VOUCHER}")
