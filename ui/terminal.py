"""Answers, reports and progress for the terminal. Text is built here and printed by `ui.cli`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Final, TextIO

from assistant.domain import Answer, Citation, Listing, Refusal, mark, record_reference
from index.domain import Coverage, Record
from ui import strings
from ui.escaping import fold_quote, is_unreliable
from ui.precedent_view import precedent_json, precedent_text
from ui.render import prose_text

#: Characters of a record that could move the cursor, ring the bell or reverse the text order.
_CONTROLS: Final[dict[int, int | str]] = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), "␦"),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "␦"),
}
_BAR: Final = 24
_ROWS_SHOWN: Final = 200


def printable(text: str) -> str:
    """Text that a terminal shows and never obeys: control characters become visible signs."""
    return text.translate(_CONTROLS)


def result_text(result: Answer | Refusal) -> str:
    """An answer or refusal as people read it in a terminal."""
    return _answer_text(result) if isinstance(result, Answer) else _refusal_text(result)


def _answer_text(answer: Answer) -> str:
    blocks = [_reading_text(answer), answer.lead]
    if answer.direct:
        blocks.append(f"{fold_quote(answer.direct)} {mark(answer.citations[0].marker)}")
    if answer.precedents:
        blocks.append(precedent_text(answer))
        blocks += [strings.NOTE + note for note in answer.notes]
        blocks.append(f"{_coverage(answer.coverage)}{strings.NO_VOUCHER}")
        return printable("\n\n".join(block for block in blocks if block))
    if answer.columns:
        cited = {citation.marker: citation for citation in answer.citations}
        for column in answer.columns:
            blocks.append(f"【{column.heading}】")
            blocks += [_citation_text(cited[m]) for m in column.markers] or [strings.SIDE_EMPTY]
    else:
        blocks += [_citation_text(citation) for citation in answer.citations]
    if answer.table is not None:
        blocks.append(table([answer.table.headings, *(row.cells for row in answer.table.rows)]))
    rows = [_listing_text(row) for row in answer.listings[:_ROWS_SHOWN]]
    if len(answer.listings) > _ROWS_SHOWN:
        rows.append(strings.LISTING_REST.format(count=len(answer.listings) - _ROWS_SHOWN))
    blocks.append("\n".join(rows))
    if answer.related:
        titles = [f"  · {record_reference(record)}" for record in answer.related]
        blocks.append("\n".join(["可能相关的其他档案（未引用）：", *titles]))
    blocks += [strings.NOTE + note for note in answer.notes]
    blocks.append(f"{_coverage(answer.coverage)}{strings.NO_VOUCHER}")
    return printable("\n\n".join(block for block in blocks if block))


def composed_text(answer: Answer) -> str:
    """The joining text of an answer under its label; the marks are those of the quotations."""
    return printable(f"{strings.AI_LABEL}：\n{prose_text(answer)}")


def _refusal_text(refusal: Refusal) -> str:
    steps = strings.NEXT_STEPS.get(refusal.reason.value, ())
    named = [f"  · {record_reference(record)}" for record in refusal.records]
    named = [strings.NAMED_RECORDS, *named] if named else []
    blocks = [_reading_text(refusal), refusal.message, "\n".join(named)]
    blocks.append("\n".join(f"  · {step}" for step in steps))
    blocks += [strings.NOTE + note for note in refusal.notes]
    # The fixed sentence may hold the coverage already.
    coverage = _coverage(refusal.coverage)
    shown = [block for block in blocks if block]
    return printable("\n\n".join(shown if coverage in refusal.message else [*shown, coverage]))


def _reading_text(result: Answer | Refusal) -> str:
    keys = "".join(f" --without {reading.key}" for reading in result.readings)
    return result.reading + (f"\n{strings.TAKE_OFF}{keys}" if keys else "")


def _citation_text(citation: Citation) -> str:
    quote = fold_quote(citation.quote).replace("\n", "\n    ")
    lines = [f"{mark(citation.marker)} 「{quote}」", f"    —— {citation.reference}"]
    if is_unreliable(citation.confidence):
        lines.append(f"    {strings.LOW_CONFIDENCE}")
    return "\n".join(lines)


def _listing_text(row: Listing) -> str:
    lines = [f"{mark(row.marker)} {record_reference(row.record)}"]
    facts = "　".join(f"{heading}：{value}" for heading, value in row.facts if value)
    return "\n".join([*lines, f"    {facts}"] if facts else lines)


def _coverage(coverage: Coverage) -> str:
    return strings.coverage_line(coverage.records, coverage.pages, coverage.unreadable_pages)


def result_json(result: Answer | Refusal) -> dict[str, Any]:
    """An answer or refusal for programs; quotations are byte for byte as stored."""
    common: dict[str, Any] = {
        "question": result.question,
        "standalone": result.standalone,
        "reading": result.reading,
        "readings": [
            {"key": r.key, "words": r.words, "meaning": r.meaning, "note": r.note}
            for r in result.readings
        ],
        "refused": isinstance(result, Refusal),
        "coverage": {
            "records": result.coverage.records,
            "pages": result.coverage.pages,
            "unreadable_pages": result.coverage.unreadable_pages,
        },
        "elapsed_ms": round(result.elapsed_ms, 1),
    }
    if isinstance(result, Refusal):
        named = [_record_json(record) for record in result.records]
        return common | {
            "reason": result.reason.value,
            "message": result.message,
            "records": named,
            "notes": list(result.notes),
        }
    return common | {
        "kind": result.kind,
        "lead": result.lead,
        "direct": result.direct,
        "citations": [
            {
                "marker": c.marker,
                **_record_json(c.record),
                "page": c.page,
                "page_count": c.page_count,
                "start": c.start,
                "end": c.end,
                "quote": c.quote,
                "passage_id": c.passage_id,
                "confidence": c.confidence,
                "reference": c.reference,
            }
            for c in result.citations
        ],
        "listings": [
            {
                "marker": row.marker,
                **_record_json(row.record),
                "facts": [list(f) for f in row.facts],
            }
            for row in result.listings
        ],
        "columns": [
            {"heading": column.heading, "markers": list(column.markers)}
            for column in result.columns
        ],
        "table": None
        if result.table is None
        else {
            "headings": list(result.table.headings),
            "rows": [
                {"cells": list(row.cells), "markers": list(row.markers)}
                for row in result.table.rows
            ],
        },
        "precedents": precedent_json(result),
        "notes": list(result.notes),
        "prose": _prose_json(result),
    }


def _prose_json(answer: Answer) -> dict[str, Any] | None:
    if answer.prose is None:
        return None
    return {
        "label": strings.AI_LABEL,
        "model": answer.prose.model,
        "text": prose_text(answer),
        "segments": [
            {"text": s.text, "marker": s.marker, "quoted": s.quoted} for s in answer.prose.segments
        ],
    }


def _record_json(record: Record) -> dict[str, object]:
    return {
        "record_id": record.record_id,
        "reference_code": record.reference_code,
        "title": record.title,
        "author": record.author,
        "doc_no": record.doc_no,
        "date": record.date,
        # Fields that were read from the pages or the file name (推得), not from the catalogue.
        "derived": [item.field for item in record.derived],
    }


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned columns; a Chinese character counts as two."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    return sum(2 if character >= "\u1100" else 1 for character in text)


class ProgressLine:
    """One line that grows: a bar on a terminal, a line per tenth in a file or a pipe."""

    def __init__(self, label: str, unit: str, stream: TextIO | None = None) -> None:
        """Begin at nothing; the clock starts with the first call."""
        self._label, self._unit = label, unit
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._began: float | None = None
        self._tenth = -1
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are finished."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if total <= 0:
            return
        left = ""
        if 0 < done < total:
            left = f"，约剩 {_duration((now - self._began) / done * (total - done))}"
        line = f"{self._label} {done}/{total} {self._unit}{left}"
        if self._live:
            filled = _BAR * done // total
            bar = "█" * filled + "·" * (_BAR - filled)
            self._stream.write(f"\r\x1b[K{bar} {line}")
            self._open = True
            if done >= total:
                self.close()
        elif done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """End the line."""
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{round(seconds)} 秒"
    minutes = round(seconds / 60)
    return f"{minutes} 分" if minutes < 90 else f"{minutes // 60} 小时 {minutes % 60} 分"
