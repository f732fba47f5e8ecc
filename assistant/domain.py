"""What a question becomes: an answer that cites, or a refusal. An uncited answer cannot be built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.matter import Matter
from index.domain import Coverage, Page, Record, TextSource
from index.errors import ArchiveError

#: Kind of an answer that opens a record of the answer before; the page opens it too.
OPENED: Final = "打开"
#: Kind in the key of a reading that is a condition set beside the question (`assistant.filters`).
LIMITED: Final = "限定"
_CIRCLED: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


class AssistantError(ArchiveError):
    """The read path cannot go on; the message is for the user."""


class QuestionError(AssistantError):
    """The question is empty or too long."""


def mark(number: int) -> str:
    """The citation mark of a number from 1: ① … ⑳, then （21）.

    Circled digits cannot collide with 〔2023〕15号 or [2023]15号.
    """
    return _CIRCLED[number - 1] if 1 <= number <= len(_CIRCLED) else f"（{number}）"


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quotation: a span of one stored page. Build it with `cite` only.

    Attributes:
        marker: Number of its mark in the answer, from 1.
        record: The record it is from.
        page: 影像序号 of the page, from 1.
        page_count: Pages stored for the record.
        inner_label: 件内页 as printed, or empty.
        volume_label: 卷内页号, or empty.
        start: First character in the page's raw text.
        end: One past the last.
        quote: `page.raw[start:end]`, byte for byte.
        passage_id: The passage it was found in.
        confidence: Lowest OCR confidence of the lines it lies on, None where there was no OCR.
        has_image: Whether the page has a picture to open.
        paged: Whether the file has pages; else `page` counts parts (decision 0012).
    """

    marker: int
    record: Record
    page: int
    page_count: int
    inner_label: str
    volume_label: str
    start: int
    end: int
    quote: str
    passage_id: str
    confidence: float | None = None
    has_image: bool = False
    paged: bool = True

    @property
    def reference(self) -> str:
        """The citation form: 《题名》，责任者，文号，日期，档号，第 n 页（影像 k/N）."""
        return f"{record_reference(self.record)}，{self.place}"

    @property
    def place(self) -> str:
        """The page part of the citation form."""
        kind = "影像" if self.has_image else "文本"
        # Word files, web pages and tables have no pages (decision 0012): a number would be taken
        # for the one on a print.
        unit = "页" if self.paged or self.inner_label else "部分"
        place = f"第 {self.inner_label or self.page} {unit}（{kind} {self.page}/{self.page_count}）"
        return f"{place}，卷内第 {self.volume_label} 页" if self.volume_label else place


def record_reference(record: Record) -> str:
    """The record part of the citation form, without blank fields; those from the pages marked."""
    code = f"档号 {record.reference_code}" if record.reference_code else f"编号 {record.record_id}"
    known = (record.marked(field) for field in ("author", "doc_no", "date"))
    parts = (f"《{record.title}》", *known, code)
    return "，".join(part for part in parts if part)


def cite(
    marker: int, record: Record, page: Page, page_count: int, start: int, end: int, passage_id: str
) -> Citation:
    """Cut a quotation from a stored page.

    Raises:
        ValueError: If the span is empty, outside the page, or the page is another record's.
    """
    if page.record_id != record.record_id:
        msg = f"page of {page.record_id} cited under {record.record_id}"
        raise ValueError(msg)
    if not 0 <= start < end <= len(page.raw):
        msg = f"span {start}:{end} outside page of {len(page.raw)} characters"
        raise ValueError(msg)
    confidences = [
        line.confidence
        for line in page.lines
        if line.start < end and start < line.end and line.confidence is not None
    ]
    return Citation(
        marker=marker,
        record=record,
        page=page.seq,
        page_count=page_count,
        inner_label=page.inner_label,
        volume_label=page.volume_label,
        start=start,
        end=end,
        quote=page.raw[start:end],
        passage_id=passage_id,
        confidence=min(confidences) if confidences else None,
        has_image=page.has_image,
        paged=page.source is not TextSource.FILE,
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """A catalogue row that answers by itself (counts, lists, look-ups).

    Attributes:
        marker: Number of its mark in the answer, from 1; shared with citations.
        record: The record.
        facts: (heading, value) pairs of the catalogue to show, values verbatim.
    """

    marker: int
    record: Record
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProseSegment:
    """A piece of joining text and the citation it leans on.

    Attributes:
        text: Words of a language model, checked against the quotations; may be empty.
        marker: Number of the citation whose mark follows the words, 0 for none.
        quoted: Whether the program puts that citation's quotation before the mark.
    """

    text: str
    marker: int = 0
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Prose:
    """Joining text over the quotations of an answer. It adds no fact and replaces no quotation.

    Attributes:
        segments: Pieces in reading order; every sentence among them leads to a citation.
        model: Name of the language model, for the label.
    """

    segments: tuple[ProseSegment, ...]
    model: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a `Table`.

    Attributes:
        cells: One per heading; catalogue values verbatim.
        markers: Marks of the listings the row stands for.
    """

    cells: tuple[str, ...]
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Listings grouped by a catalogue field; every row is traceable to its listings.

    Attributes:
        headings: Column headings; the second column is the number of listings.
        rows: In the order to show.
    """

    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Something the program read into a question that was not typed; the asker can take it off.

    Attributes:
        key: Names it for taking it off: kind and words, e.g. `词:电动车`, `时间:去年`; a
            condition set beside the question is `限定:文种:建议`.
        words: The words of the question it is about.
        meaning: What they were taken for.
        note: Remark of the vocabulary (years in use and the like), or empty.
    """

    key: str
    words: str
    meaning: str
    note: str = ""

    @property
    def sentence(self) -> str:
        """The reading as part of a sentence: “去年”为2025年."""
        if self.key.startswith(f"{LIMITED}:"):
            return f"只查{self.words}：{self.meaning}"
        return f"“{self.words}”为{self.meaning}" + (f"（{self.note}）" if self.note else "")


@dataclass(frozen=True, slots=True)
class Column:
    """One side of a comparison.

    Attributes:
        heading: What it is about, such as a place or a year.
        markers: Marks of the citations on that side; empty when nothing was found on it.
    """

    heading: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A cited answer.

    Attributes:
        question: As typed.
        standalone: The question made self-contained; equal to `question` when nothing was added.
        reading: How the question was read, one Chinese line ("按…理解"), or empty.
        lead: One line written by the program from fixed wording, counts and, where rows are
            grouped, the catalogue values they are grouped by; no other facts of the records.
            May be empty: then the first quotation leads.
        citations: Quotations in the order to read them.
        listings: Catalogue rows, in full.
        notes: Caveats by the program (low OCR confidence, other readings), Chinese sentences.
        coverage: What was searched.
        kind: Intent the question was answered under (事实, 统计, 清单, 查号, 比较 …).
        related: Other records that may bear on the question, best first; listed, not cited.
        table: The listings grouped, None when they are not.
        columns: Sides of a comparison, empty when nothing was compared.
        direct: The date or quantity asked for, a piece of the first quotation; empty when that
            cannot be told plainly.
        precedents: Matters with their chains, in time order; their steps carry the marks of
            `citations` and `listings`.
        elapsed_ms: Time from question to answer, milliseconds.
        prose: Joining text by a language model, None without one.
        readings: What was read into the question, each with the key that takes it off.
        counted_of: Catalogue rows the reader may see, of which `listings` are those that fit; None
            for an answer that was not counted from the catalogue.
        unit: What is counted: 件 or 卷; empty where nothing was.
    """

    question: str
    standalone: str
    reading: str
    lead: str
    citations: tuple[Citation, ...]
    listings: tuple[Listing, ...]
    coverage: Coverage
    notes: tuple[str, ...] = ()
    kind: str = ""
    related: tuple[Record, ...] = ()
    table: Table | None = None
    columns: tuple[Column, ...] = ()
    direct: str = ""
    precedents: tuple[Matter, ...] = ()
    elapsed_ms: float = 0.0
    prose: Prose | None = None
    readings: tuple[Reading, ...] = ()
    counted_of: int | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.citations and not self.listings:
            msg = "an answer needs at least one citation"
            raise ValueError(msg)
        if self.direct and (not self.citations or self.direct not in self.citations[0].quote):
            msg = "a direct answer must be words of the first quotation"
            raise ValueError(msg)
        if self.prose is not None:
            used = {s.marker for s in self.prose.segments if s.marker}
            unknown = used - {c.marker for c in self.citations}
            if unknown or not used:
                msg = f"prose leads to citations {sorted(unknown) or 'nowhere'}"
                raise ValueError(msg)


class RefusalReason(StrEnum):
    """Why there is no answer."""

    NOT_FOUND = "未检索到"
    OUT_OF_SCOPE = "超出范围"
    CERTIFICATE = "出证"
    UNSAFE = "不予办理"
    EMPTY = "没有馆藏"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No answer: a fixed sentence with the coverage of the search.

    Attributes:
        question: As typed.
        standalone: The question made self-contained.
        reading: How the question was read, or empty.
        reason: Why.
        message: The fixed sentence shown.
        coverage: What was searched.
        elapsed_ms: Time from question to refusal, milliseconds.
        records: Records on the subject, named with their dates where what was asked is not theirs
            to say (the law in force); they answer nothing.
        readings: What was read into the question, each with the key that takes it off.
        notes: Caveats by the program, Chinese sentences.
    """

    question: str
    standalone: str
    reading: str
    reason: RefusalReason
    message: str
    coverage: Coverage
    elapsed_ms: float = 0.0
    records: tuple[Record, ...] = ()
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One finished exchange of a conversation."""

    question: str
    result: Answer | Refusal


Conversation = Sequence[Turn]
