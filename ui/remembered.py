"""Answers as they are kept in the history, and what a reader may see of them when they return.

Of a quotation only its place and a short hash are written, of a record only its id. Opening a
conversation again therefore cuts every quotation anew from the stored page, asks `may_read` for
every record, and shows nothing whose words have changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from assistant.domain import (
    Answer,
    Citation,
    Column,
    Listing,
    Prose,
    ProseSegment,
    Reading,
    Refusal,
    RefusalReason,
    Table,
    TableRow,
    cite,
)
from assistant.filters import NO_FILTERS, Filters, read_filters
from assistant.matter import Basis, Matter, MatterKind, Step, StepKind
from assistant.personal_view import as_seen
from index.access import may_read
from index.domain import Coverage, Reader, Record
from index.store import Store
from ui.places import quote_hash

#: Version of the form below; a body of another version is shown as its question only.
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """How a question was asked and with what it was answered.

    Attributes:
        without: Readings that were taken off.
        filters: Conditions set beside the question.
        precedents: Whether its precedents only were asked for.
        generation: Index generation that answered.
        model: Identity of the embedding model.
    """

    without: tuple[Reading, ...] = ()
    filters: Filters = NO_FILTERS
    precedents: bool = False
    generation: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is left of an exchange for a reader now.

    Attributes:
        result: The answer or refusal; None when nothing of it may be shown any more.
        origin: How it was asked.
        withheld: Whether something of it is hidden from the reader or no longer held.
        changed: Number of quotations whose words no longer stand at their place.
    """

    result: Answer | Refusal | None
    origin: Origin
    withheld: bool = False
    changed: int = 0


def records_of(result: Answer | Refusal) -> frozenset[str]:
    """Ids of every record a result speaks of."""
    if isinstance(result, Refusal):
        return frozenset(record.record_id for record in result.records)
    steps = (step.record for matter in result.precedents for step in matter.steps)
    return frozenset(
        record.record_id
        for record in (
            *(citation.record for citation in result.citations),
            *(row.record for row in result.listings),
            *result.related,
            *(record for record in steps if record is not None),
        )
    )


def to_body(result: Answer | Refusal, origin: Origin, store: Store) -> dict[str, Any]:
    """A result in the form the history keeps."""
    body: dict[str, Any] = {
        "form": _FORM,
        "standalone": result.standalone,
        "reading": result.reading,
        "readings": [_reading_to(r) for r in result.readings],
        "notes": list(result.notes),
        "coverage": [
            result.coverage.records, result.coverage.pages, result.coverage.unreadable_pages,
        ],
        "ms": round(result.elapsed_ms),
        "origin": {
            "without": [_reading_to(r) for r in origin.without],
            "filters": origin.filters.to_json(),
            "precedents": origin.precedents,
            "generation": origin.generation,
            "model": origin.model,
        },
    }  # fmt: skip
    if isinstance(result, Refusal):
        records = [record.record_id for record in result.records]
        return body | {
            "refusal": result.reason.value, "message": result.message, "records": records,
        }  # fmt: skip
    direct = result.citations[0].quote.find(result.direct) if result.direct else -1
    return body | {
        "kind": result.kind,
        "lead": result.lead,
        "counted_of": result.counted_of,
        "unit": result.unit,
        "direct": [direct, direct + len(result.direct)] if direct >= 0 else None,
        "citations": [_citation_to(c, store) for c in result.citations],
        "listings": [[row.marker, row.record.record_id, row.facts] for row in result.listings],
        "related": [record.record_id for record in result.related],
        "columns": [[c.heading, c.markers] for c in result.columns],
        "table": None
        if result.table is None
        else [result.table.headings, [[r.cells, r.markers] for r in result.table.rows]],
        "precedents": [_matter_to(matter) for matter in result.precedents],
        "prose": None
        if result.prose is None
        else [result.prose.model, [[s.text, s.marker, s.quoted] for s in result.prose.segments]],
    }


def restore(question: str, body: Mapping[str, Any], store: Store, reader: Reader) -> Restored:
    """A kept result as a reader may see it now.

    If one record it speaks of is hidden or gone, everything the program said in words (lead,
    notes, tables, time lines, joining text) is left out too: it could tell of that record.
    """
    if body.get("form") != _FORM:
        return Restored(None, Origin(), withheld=True)
    try:
        return _restore(question, body, store, reader)
    except (KeyError, ValueError, TypeError, IndexError):
        # a body of an interrupted or older version; the question is all there is to show
        return Restored(None, Origin(), withheld=True)


def _restore(question: str, body: Mapping[str, Any], store: Store, reader: Reader) -> Restored:
    origin = _origin_from(body["origin"])
    coverage = Coverage(*body["coverage"])
    readings = tuple(_reading_from(r) for r in body["readings"])
    held = _Held(store, reader)
    if "refusal" in body:
        named = held.all(body["records"])
        refusal = Refusal(
            question,
            question if held.missed else body["standalone"],
            "" if held.missed else body["reading"],
            RefusalReason(body["refusal"]),
            body["message"],
            coverage,
            elapsed_ms=body["ms"],
            records=tuple(named),
            readings=readings,
            notes=tuple(body["notes"]) if not held.missed else (),
        )
        return Restored(refusal, origin, held.missed)
    citations: list[Citation] = []
    changed = 0
    for kept in body["citations"]:
        if held.get(kept[1]) is None:
            continue
        citation = _citation_from(kept, store, held)
        if citation is None:
            changed += 1
        else:
            citations.append(citation)
    listings = [
        Listing(marker, record, tuple((h, v) for h, v in facts))
        for marker, record_id, facts in body["listings"]
        if (record := held.get(record_id)) is not None
    ]
    related = held.all(body["related"])
    steps = [step for matter in body["precedents"] for step in matter["steps"]]
    held.all(step["record"] for step in steps if step["record"])
    if not citations and not listings:
        return Restored(None, origin, held.missed, changed)
    whole = not held.missed and not changed
    answer = Answer(
        question=question,
        # names, like the lead, what stood there: 第二条的文号 is read as 《its title》：…
        standalone=body["standalone"] if whole else question,
        reading=body["reading"] if whole else "",
        lead=body["lead"] if whole else "",
        citations=tuple(citations),
        listings=tuple(listings),
        coverage=coverage,
        notes=tuple(body["notes"]) if whole else (),
        kind=body["kind"],
        related=tuple(related) if whole else (),
        table=_table_from(body["table"]) if whole else None,
        columns=tuple(Column(h, tuple(m)) for h, m in body["columns"]) if whole else (),
        direct=citations[0].quote[slice(*body["direct"])] if whole and body["direct"] else "",
        precedents=tuple(_matter_from(m, held) for m in body["precedents"]) if whole else (),
        elapsed_ms=body["ms"],
        prose=_prose_from(body["prose"]) if whole else None,
        readings=readings,
        counted_of=body.get("counted_of") if whole else None,
        unit=body.get("unit", "") if whole else "",
    )
    seen = as_seen(answer, store, reader)
    return Restored(seen, origin, held.missed, changed)


class _Held:
    """The records a reader may read now; remembers whether one was missed."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._store, self._reader = store, reader
        self.missed = False

    def get(self, record_id: str) -> Record | None:
        record = self._store.record(record_id)
        if record is None or not may_read(self._reader, record).allowed:
            self.missed = True
            return None
        return record

    def all(self, record_ids: Iterable[str]) -> list[Record]:
        return [record for i in record_ids if (record := self.get(i)) is not None]


def _citation_to(citation: Citation, store: Store) -> list[Any]:
    record_id = citation.record.record_id
    page = store.page(record_id, citation.page)
    # over the masked text, as every reader's page is cut from it
    words = "" if page is None else page.raw[citation.start : citation.end]
    return [
        citation.marker, record_id, citation.page, citation.start, citation.end,
        quote_hash(words), citation.passage_id,
    ]  # fmt: skip


def _citation_from(kept: list[Any], store: Store, held: _Held) -> Citation | None:
    marker, record_id, seq, start, end, digest, passage_id = kept
    record, page = held.get(record_id), store.page(record_id, seq)
    if record is None or page is None or quote_hash(page.raw[start:end]) != digest:
        return None
    return cite(marker, record, page, store.page_count(record_id), start, end, passage_id)


def _reading_to(reading: Reading) -> list[str]:
    return [reading.key, reading.words, reading.meaning, reading.note]


def _reading_from(kept: list[str]) -> Reading:
    return Reading(*kept)


def _origin_from(kept: Mapping[str, Any]) -> Origin:
    return Origin(
        tuple(_reading_from(r) for r in kept["without"]),
        read_filters(kept["filters"]),
        bool(kept["precedents"]),
        str(kept["generation"]),
        str(kept["model"]),
    )


def _table_from(kept: list[Any] | None) -> Table | None:
    if kept is None:
        return None
    headings, rows = kept
    return Table(tuple(headings), tuple(TableRow(tuple(c), tuple(m)) for c, m in rows))


def _prose_from(kept: list[Any] | None) -> Prose | None:
    if kept is None:
        return None
    model, segments = kept
    return Prose(tuple(ProseSegment(*segment) for segment in segments), model)


def _matter_to(matter: Matter) -> dict[str, Any]:
    return {
        "kind": matter.kind.value,
        "title": matter.title,
        "label": matter.label,
        "shared": matter.shared,
        "years": matter.years,
        "steps": [
            {
                "kind": step.kind.value,
                "record": "" if step.record is None else step.record.record_id,
                "marker": step.marker,
                "more": step.more,
                "results": step.results,
                "date": step.date,
                "basis": step.basis.value,
                "evidence": step.evidence,
                "evidence_marker": step.evidence_marker,
                "also": step.also,
                "searched": step.searched,
            }
            for step in matter.steps
        ],
    }


def _matter_from(kept: Mapping[str, Any], held: _Held) -> Matter:
    steps = tuple(
        Step(
            StepKind(step["kind"]),
            held.get(step["record"]) if step["record"] else None,
            step["marker"],
            tuple(step["more"]),
            tuple(step["results"]),
            step["date"],
            Basis(step["basis"]),
            step["evidence"],
            step["evidence_marker"],
            tuple(step["also"]),
            step["searched"],
        )
        for step in kept["steps"]
    )
    return Matter(
        MatterKind(kept["kind"]),
        kept["title"],
        kept["label"],
        steps,
        tuple(kept["shared"]),
        kept["years"],
    )
