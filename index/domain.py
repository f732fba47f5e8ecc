"""The nouns of the archive: record, page, passage, hit, reader. Standard library only.

Offsets count Unicode code points from 0 and spans are half-open. The *record text* is the raw text
of a record's pages put end to end in page order with nothing between them; a passage is a span of
it, so every character resolves to one page (`Page.start`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Who asks. Values are the words shown to people."""

    ARCHIVIST = "档案管理员"
    STAFF = "机关工作人员"
    DEPUTY = "代表"
    PUBLIC = "公众"
    SYSTEM_ADMIN = "系统管理员"
    SECURITY_ADMIN = "安全管理员"
    AUDITOR = "审计管理员"


@dataclass(frozen=True, slots=True)
class Reader:
    """The person asking; everything that decides what they may see.

    Attributes:
        role: One of `Role`.
        name: Shown in the use register; for a deputy the name matched against a record's
            proposers.
        department: The department (机构) of a staff member, or empty.
        account: The sign-in name, which is nobody else's; empty for the one user of a machine.
    """

    role: Role
    name: str = ""
    department: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that the catalogue leaves blank, read from the record's own page or file name.

    Attributes:
        field: Name of the `Record` field it fills, or `ADOPTION_NOTE`, which is no catalogue field.
        value: The words found, lines joined; what fills the field.
        page: 影像序号 of the page with the evidence, from 1; 0 when it is the file name.
        start: First character of the evidence in `Page.raw`; 0 for the file name.
        end: One past the last.
    """

    field: str
    value: str
    page: int
    start: int
    end: int


#: `Derived.field` of a note of adoption or reading (题注) under the title.
ADOPTION_NOTE: Final = "adoption_note"


@dataclass(frozen=True, slots=True)
class SubDocument:
    """One of several papers inside a record (件内文件): the reply and what it replies to, annexes.

    Attributes:
        kind: 正文, 复文, 来文, 附件（`附件2`）, 被转发文 …
        title: Its own title as printed, lines joined; empty when it shows none.
        page: 影像序号 of the page it begins on, from 1.
        start: Its first character in that page's `raw`.
        last_page: 影像序号 of its last page.
    """

    kind: str
    title: str
    page: int
    start: int
    last_page: int


@dataclass(frozen=True, slots=True)
class Record:
    """One filed item (件), file in a volume (卷内文件) or volume (案卷) of the catalogue.

    Attributes:
        record_id: The reference code (档号) as printed; where the catalogue has none, its id
            or path. Primary key, compared on `index.text.matching_key`.
        title: 题名, as printed.
        reference_code: 档号 verbatim, empty when the catalogue gives none.
        catalogue_id: The catalogue's own id/path column, empty when it has none.
        author: 责任者, `;`-separated as printed.
        doc_no: 文号 as printed.
        date: 日期 as printed.
        date_iso: `YYYY`, `YYYY-MM` or `YYYY-MM-DD` read from `date`, empty when unreadable.
        year: 年度 (filing year) or the year of the date; None when unknown.
        doc_type: 文种 / record type.
        meeting: 届次 as printed.
        retention: 保管期限, literal.
        secrecy: 密级, literal. Records marked 秘密/机密/绝密 never get this far.
        opening: 开放标识, literal, or the result of an opening decision; blank means closed.
        publicity: 公开属性, literal.
        department: 机构(问题).
        proposers: Names of the deputies who proposed a 建议/议案.
        unit_level: `件`, `卷内文件` or `案卷`.
        page_count: 页数 of the catalogue, None when silent.
        first_page_label: 页号 (stamped page of the volume the record starts on), or empty.
        restricted: Work secret, petition, appraisal and the like: staff with the right only.
        restriction: Kind of the table of restricted types it falls under (信访 …), or empty.
        note: 备注.
        extra: Unmapped catalogue columns as (heading, value), kept raw.
        source_file: Catalogue file name the row came from, with sheet; empty for files without row.
        source_row: Row number in that sheet, from 1; 0 when there is none.
        file_path: Path of the record's file below the ingested folder, POSIX form; empty when
            no file is linked.
        file_sha256: Hash of that file, hex; empty when no file is linked.
        derived: Fields above that were read from the pages, the catalogue being silent.
        parts: Papers inside the record in page order; empty when it holds only one.
        opening_decision: Number of the decision that gives `opening` and beats `publicity`, 0 when
            both are the catalogue's. Laid over by the store, never stored in a record.
    """

    record_id: str
    title: str
    reference_code: str = ""
    catalogue_id: str = ""
    author: str = ""
    doc_no: str = ""
    date: str = ""
    date_iso: str = ""
    year: int | None = None
    doc_type: str = ""
    meeting: str = ""
    retention: str = ""
    secrecy: str = ""
    opening: str = ""
    publicity: str = ""
    department: str = ""
    proposers: tuple[str, ...] = ()
    unit_level: str = "件"
    page_count: int | None = None
    first_page_label: str = ""
    restricted: bool = False
    restriction: str = ""
    note: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    source_file: str = ""
    source_row: int = 0
    file_path: str = ""
    file_sha256: str = ""
    derived: tuple[Derived, ...] = ()
    parts: tuple[SubDocument, ...] = ()
    opening_decision: int = 0

    def __post_init__(self) -> None:
        if not self.record_id.strip():
            msg = "档号（或目录编号）为空的条目不能入库"
            raise ValueError(msg)

    def derivation(self, field: str) -> Derived | None:
        """Where a field was read from, None when it is the catalogue's own (or blank)."""
        return next((item for item in self.derived if item.field == field), None)

    def marked(self, field: str) -> str:
        """A text field as people see it: `（推得）` behind what no catalogue says."""
        value = str(getattr(self, field))
        return f"{value}（推得）" if value and self.derivation(field) is not None else value


class TextSource(StrEnum):
    """Where the text of a page came from."""

    LAYER = "layer"  # text layer of a PDF
    OCR = "ocr"
    FILE = "file"  # a text file
    NONE = "none"  # nothing readable


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of a page with its place on the page image.

    Attributes:
        start: First character in `Page.raw`.
        end: One past the last.
        box: (left, top, right, bottom) as fractions 0..1 of the upright page, origin top left.
        edges: Borders between characters along the reading direction, as fractions of the page
            (x for a horizontal line, y for a vertical one); `end - start + 1` values, or empty
            when unknown (then characters share the box evenly).
        confidence: Of the OCR engine, 0..1; None for a text layer.
        vertical: Whether the line runs top to bottom.
    """

    start: int
    end: int
    box: tuple[float, float, float, float]
    edges: tuple[float, ...] = ()
    confidence: float | None = None
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class PageChoice:
    """Why the text of a page is taken from where it is, with the figures it was judged by.

    Attributes:
        reason: In Chinese, for people; empty where there was nothing to choose.
        bad: Share of characters of the text layer that do not belong in a Chinese document, 0..1.
        common: Share of its Chinese characters that are common, 0..1.
        agreement: Similarity of a scan's hidden text layer and our own recognition on the pages
            that were compared, 0..1.
        uncovered: Share of character-sized ink outside all recognised lines, 0..1.
    """

    reason: str = ""
    bad: float | None = None
    common: float | None = None
    agreement: float | None = None
    uncovered: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a record. `raw` is never altered once stored.

    Attributes:
        record_id: The record it belongs to.
        seq: 影像序号: position in file order, from 1. Opens the page.
        raw: Text exactly as extracted.
        start: Offset of the page's first character in the record text.
        source: Where `raw` came from.
        engine: Reader or OCR engine with version.
        confidence: Mean OCR confidence 0..1, None for text layers and files.
        inner_label: 件内页 as printed on the page, or empty.
        volume_label: 卷内页号 (stamped), or empty.
        lines: Line boxes, in reading order; empty for text files.
        furniture: Spans of `raw` that are page furniture (running head, page mark): searchable
            never, quotable never.
        width: Page width in points (1/72 inch) upright, 0 when there is no image.
        height: Page height in points upright, 0 when there is no image.
        file_path: The file the page is in, as `Record.file_path`.
        file_page: Page number in that file, from 1.
        personal: Spans of `raw` that hold personal data; the store hands them out masked
            (`index.personal`) unless the clear text is asked for.
        turn: Degrees clockwise (0, 90, 180, 270) by which the page as drawn is turned to stand
            upright; boxes, width and height are those of the upright page.
        choice: Why `raw` was taken from `source`.
    """

    record_id: str
    seq: int
    raw: str
    start: int = 0
    source: TextSource = TextSource.FILE
    engine: str = ""
    confidence: float | None = None
    inner_label: str = ""
    volume_label: str = ""
    lines: tuple[Line, ...] = ()
    furniture: tuple[tuple[int, int], ...] = ()
    width: float = 0.0
    height: float = 0.0
    file_path: str = ""
    file_page: int = 1
    personal: tuple[tuple[int, int], ...] = ()
    turn: int = 0
    choice: PageChoice = PageChoice()

    @property
    def has_image(self) -> bool:
        """Whether a picture of the page can be rendered."""
        return self.width > 0 and self.height > 0


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of record text: the unit that is embedded and retrieved.

    Attributes:
        passage_id: Stable across rebuilds of unchanged text (hash of record, span and text).
        record_id: The record it belongs to.
        start: First character in the record text.
        end: One past the last; may lie on a later page than `start`.
        text: The span, raw.
        heading: Section headings above it (`第三章 … › 第十二条`), for retrieval only, never
            quotable.
        number: Row number in the store; key in the dense and lexical indexes. 0 before storing.
    """

    passage_id: str
    record_id: str
    start: int
    end: int
    text: str
    heading: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.end - self.start != len(self.text):
            msg = (
                f"passage span {self.start}:{self.end} does not fit its {len(self.text)} characters"
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query.

    Attributes:
        passage: The passage.
        rank: Place in the ranking, from 1.
        score: Fused score; comparable within one ranking only, never shown.
        cosine: Cosine similarity of the dense index in [-1, 1]; None when only the lexical index
            found it and no vector was compared.
        bm25: BM25 score; 0 when the lexical index did not find it.
    """

    passage: Passage
    rank: int
    score: float
    cosine: float | None = None
    bm25: float = 0.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the holdings a search could see, for the refusal sentence.

    Attributes:
        records: Records the reader may search.
        pages: Their pages with readable text.
        unreadable_pages: Their pages without readable text.
    """

    records: int
    pages: int
    unreadable_pages: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """One file or catalogue row that was not taken in, and why."""

    where: str
    reason: str
    next_step: str = ""
    #: Heading under which the filed report lists it, '' for the general one.
    kind: str = ""


@dataclass(slots=True)
class IngestReport:
    """What an ingest run did, for the terminal and the file.

    Counts are of this run; `unchanged` files were already stored with the same content.
    `layers_kept` and `layers_replaced` are files whose hidden text layer was compared with the
    picture; `pages_turned` are pages that lay on their side or upside down.
    """

    catalogue_rows: int = 0
    records_added: int = 0
    records_updated: int = 0
    records_removed: int = 0
    unchanged: int = 0
    pages_layer: int = 0
    pages_ocr: int = 0
    pages_file: int = 0
    pages_unreadable: int = 0
    pages_turned: int = 0
    layers_kept: int = 0
    layers_replaced: int = 0
    passages: int = 0
    seconds: float = 0.0
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[Skipped] = field(default_factory=list)
