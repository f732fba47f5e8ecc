"""What the HTTP API takes and gives, as typed models with descriptions in Chinese and English.

The OpenAPI document (`ui.openapi`) is written from these classes; nothing is described twice.
Requests refuse unknown names, so that a misspelt option is told instead of ignored.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from assistant.domain import Citation, Listing, mark, record_reference
from index.domain import Record

#: Key under which a field keeps its English description until the document is written.
ENGLISH: Final = "x-english"
LONGEST_QUESTION: Final = 500
_MOST_EARLIER: Final = 6
_MOST_LISTED: Final = 5000


def said(chinese: str, english: str, default: Any = ..., **rules: Any) -> Any:
    """A field with its description in both languages."""
    return Field(default, description=chinese, json_schema_extra={ENGLISH: english}, **rules)


class StrictRequest(BaseModel):
    """A body whose every name and type must be right."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Query(BaseModel):
    """Query parameters come as text, so numbers are read from it."""

    model_config = ConfigDict(extra="forbid")


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid")


# -- requests -------------------------------------------------------------------------------------


class AskRequest(StrictRequest):
    """A question, by itself or after earlier ones."""

    question: str = said(
        "要问的问题，用平常的话。",
        "The question in plain Chinese.",
        max_length=LONGEST_QUESTION,
    )
    earlier: list[str] = said(
        "同一次对话里前面的问题，先问的在前；追问（“那2020年呢”）靠它补全。",
        "Earlier questions of the same conversation, oldest first; follow-ups lean on them.",
        default=[],
        max_length=_MOST_EARLIER,
    )
    without: list[str] = said(
        "不要的理解，写上次答复里 `readings` 的 `key`。",
        "Readings not wanted: the `key` of entries of `readings` in an earlier answer.",
        default=[],
        max_length=20,
    )
    listings: int = said(
        "目录条目最多给几条；总数见 `listings_total`。",
        "Most catalogue rows to give; `listings_total` has their full number.",
        default=200,
        ge=0,
        le=_MOST_LISTED,
    )
    compose: bool = said(
        "要不要语言模型写的连接语（配置了语言模型才有；慢）。",
        "Whether to add joining text by the language model, where one is set up; slow.",
        default=False,
    )


class CountsRequest(StrictRequest):
    """A question for a number or a list of the catalogue."""

    question: str = said(
        "按目录统计或列举的问题，如“2019年有多少件决议”。",
        "A question the catalogue answers in full, such as how many resolutions of 2019.",
        max_length=LONGEST_QUESTION,
    )
    listings: int = said(
        "目录条目最多给几条。", "Most catalogue rows to give.", default=200, ge=0, le=_MOST_LISTED
    )


class PrecedentsRequest(StrictRequest):
    """A topic whose precedents are wanted."""

    topic: str = said(
        "主题，如“加装电梯”。", "The topic, a few words.", max_length=LONGEST_QUESTION
    )
    listings: int = said(
        "目录条目最多给几条。", "Most catalogue rows to give.", default=200, ge=0, le=_MOST_LISTED
    )


class SearchQuery(_Query):
    """What to search for."""

    q: str = said("检索词或问题。", "Words or a question.", max_length=LONGEST_QUESTION)
    limit: int = said("最多给几段。", "Most passages.", default=10, ge=1, le=50)
    year_from: int | None = said(
        "最早年度。", "Earliest filing year.", default=None, ge=1000, le=9999
    )
    year_to: int | None = said("最晚年度。", "Latest filing year.", default=None, ge=1000, le=9999)
    doc_type: str = said(
        "文种，照目录写法。", "Record type as catalogued.", default="", max_length=60
    )


class PageQuery(_Query):
    """A span of the page to mark."""

    start: int = said("标出的第一个字。", "First character to mark.", default=0, ge=0)
    end: int = said("标出的最后一个字之后。", "One past the last.", default=0, ge=0)


class ImageQuery(_Query):
    """Size of the picture."""

    w: int = said(
        "宽度（像素），取最近的一档。",
        "Width in pixels, rounded up.",
        default=1000,
        ge=1,
        le=10_000,
    )


class LanguageQuery(_Query):
    """Language of the document."""

    lang: str = said("zh 或 en。", "zh or en.", default="zh", pattern="^(zh|en)$")


# -- responses ------------------------------------------------------------------------------------


class ErrorBody(_Response):
    """What went wrong."""

    code: str = said("供程序判断的代号。", "For programs to tell errors apart.")
    message: str = said("给人看的一句话。", "A sentence for people, in Chinese.")
    message_en: str = said("同一句话的英文。", "The same in English.")
    next_step: str = said("接下来怎么办。", "What to do next, in Chinese.")


class ErrorResponse(_Response):
    """Every error has this one shape."""

    error: ErrorBody = said("出错说明。", "The error.")


class CoverageBody(_Response):
    """How much the reader's search could see."""

    records: int = said("可查的件数。", "Records searched.")
    pages: int = said("其中有文字的页数。", "Their pages with text.")
    unreadable_pages: int = said("识别不了的页数。", "Their pages without readable text.")


class ReadingBody(_Response):
    """Something read into the question that was not typed."""

    key: str = said("去掉它时写进 `without`。", "Goes into `without` to take it off.")
    words: str = said("问题里的说法。", "Words of the question.")
    meaning: str = said("按什么理解。", "What they were taken for.")
    note: str = said("说明。", "A remark.", default="")


class RecordBody(_Response):
    """A record as the catalogue has it."""

    record: str = said(
        "件的代号，用在 /api/v1/records/{record}。", "Token for /api/v1/records/{record}."
    )
    reference_code: str = said(
        "档号，照目录原样；没有则空。", "Reference code (档号) verbatim, or empty."
    )
    record_id: str = said(
        "编号：有档号即档号。", "Record id: the reference code where there is one."
    )
    title: str = said("题名。", "Title.")
    author: str = said("责任者。", "Author.", default="")
    doc_no: str = said("文号。", "Document number.", default="")
    date: str = said("日期，照目录原样。", "Date as catalogued.", default="")
    reference: str = said("引用格式里件的部分。", "The record part of the citation form.")
    link: str = said(
        "在网页上打开的地址（相对本系统网址）。", "Address of the record's page, below the site."
    )
    derived: list[str] = said(
        "推得的栏目（目录没写，从页面读出）。",
        "Fields read from the pages, not the catalogue.",
        default=[],
    )


class CitationBody(RecordBody):
    """A verbatim quotation with its place."""

    marker: int = said("编号，从 1 起。", "Number of the mark, from 1.")
    mark: str = said("编号的写法，如 ①。", "The mark as printed, such as ①.")
    quote: str = said("引文，与库存原文逐字节相同。", "The quotation, byte for byte as stored.")
    page: int = said("影像序号，从 1 起。", "Page in file order, from 1.")
    page_count: int = said("这一件共几页。", "Pages of the record.")
    place: str = said("页码的写法。", "The page part of the citation form.")
    citation: str = said("完整引用格式。", "The full citation form.")
    start: int = said("引文第一个字在本页原文的位置。", "First character in the page's text.")
    end: int = said("最后一个字之后。", "One past the last.")
    confidence: float | None = said(
        "识别把握 0–1；不是识别来的为空。", "OCR confidence 0–1, null where nothing was recognised."
    )
    has_image: bool = said("有没有页面影像。", "Whether the page has a picture.")


class ListingBody(RecordBody):
    """A catalogue row of the answer."""

    marker: int = said("编号。", "Number of the mark.")
    mark: str = said("编号的写法。", "The mark as printed.")
    facts: list[tuple[str, str]] = said(
        "要看的栏目（栏名，值）。", "Fields to show as (heading, value).", default=[]
    )


class TableRowBody(_Response):
    """One row of a grouped table."""

    cells: list[str] = said("各格。", "Cells.")
    markers: list[int] = said("这一行包含的条目编号。", "Marks of the rows it stands for.")


class TableBody(_Response):
    """Catalogue rows grouped."""

    headings: list[str] = said("表头。", "Headings.")
    rows: list[TableRowBody] = said("各行。", "Rows.")


class ColumnBody(_Response):
    """One side of a comparison."""

    heading: str = said("比的是哪一方。", "What this side is.")
    markers: list[int] = said("这一方的引文编号。", "Marks of its quotations.")


class ProseBody(_Response):
    """Joining text by a language model; it adds no fact."""

    label: str = said("必须一起显示的说明。", "Label that must be shown with it.")
    model: str = said("语言模型名称。", "Name of the model.")
    text: str = said("文字，带引文编号。", "The text with marks.")


class AskResponse(_Response):
    """An answer, or a refusal; both come with status 200."""

    refused: bool = said("是否拒答。", "Whether there is no answer.")
    reason: str = said("拒答的原因，没有拒答则空。", "Why it was refused, or empty.", default="")
    message: str = said(
        "拒答的那句话，没有拒答则空。", "The refusal sentence, or empty.", default=""
    )
    next_steps: list[str] = said("拒答之后可以怎么办。", "What to try after a refusal.", default=[])
    question: str = said("问题原样。", "The question as sent.")
    standalone: str = said("补全后的问题。", "The question made self-contained.")
    reading: str = said("怎样理解的，一句话。", "How it was read, one line.", default="")
    readings: list[ReadingBody] = said("读进去的各项。", "What was read into it.", default=[])
    kind: str = said("问题的种类。", "Kind of question.", default="")
    lead: str = said(
        "程序写的第一行，没有则空。", "First line by the program, or empty.", default=""
    )
    direct: str = said(
        "问的那个日期或数量，是第一条引文里的原字。",
        "The date or figure asked for, words of the first quotation.",
        default="",
    )
    citations: list[CitationBody] = said("引文。", "Quotations.", default=[])
    listings: list[ListingBody] = said("目录条目。", "Catalogue rows.", default=[])
    listings_total: int = said("目录条目的总数。", "Full number of catalogue rows.", default=0)
    table: TableBody | None = said("分组表。", "The rows grouped.", default=None)
    columns: list[ColumnBody] = said("比较的各方。", "Sides of a comparison.", default=[])
    precedents: list[dict[str, Any]] = said(
        "先例：各宗的办理经过。", "Precedents: matters with their steps.", default=[]
    )
    related: list[RecordBody] = said(
        "可能有关、没有引用的件；拒答时是点名的件。",
        "Records that may bear on it, not cited; on a refusal those it names.",
        default=[],
    )
    notes: list[str] = said("提示。", "Caveats.", default=[])
    prose: ProseBody | None = said("连接语。", "Joining text.", default=None)
    text: str = said(
        "同一份答复的纯文本，带编号和出处。", "The same as plain text with marks and sources."
    )
    coverage: CoverageBody = said("检索范围。", "What was searched.")
    notice: str = said("必须一起显示的声明。", "Notice that must be shown with it.")
    elapsed_ms: float = said("用时，毫秒。", "Milliseconds taken.")


class CountsResponse(_Response):
    """A count with its denominator, and the answer it is from."""

    refused: bool = said("是否拒答。", "Whether it was refused.")
    count: int | None = said("件数；拒答时为空。", "The number; null on a refusal.", default=None)
    total: int | None = said(
        "分母：可查的目录一共多少。",
        "The denominator: catalogue rows the reader may see.",
        default=None,
    )
    unit: str = said("件或卷。", "What is counted: 件 (items) or 卷 (volumes).", default="")
    answer: AskResponse = said("完整答复。", "The whole answer.")


class FoundBody(CitationBody):
    """A passage found by search; ranked, not judged."""

    rank: int = said("名次，从 1 起。", "Rank from 1.")


class SearchResponse(_Response):
    """Passages by rank. Being found is not evidence; ask for that."""

    q: str = said("检索词。", "The words searched.")
    hits: list[FoundBody] = said("各段。", "Passages.")
    coverage: CoverageBody = said("检索范围。", "What was searched.")
    notice: str = said("声明。", "Notice.")


class PartBody(_Response):
    """A paper inside the record."""

    kind: str = said("正文、复文、附件……", "Kind of paper.")
    title: str = said("题名。", "Its title, or empty.")
    page: int = said("从第几页起。", "First page.")
    last_page: int = said("到第几页。", "Last page.")


class DerivedBody(_Response):
    """A field read from the pages because the catalogue is silent."""

    field: str = said("栏目。", "The field.")
    value: str = said("读出的内容。", "What was read.")
    page: int = said("在第几页，0 为文件名。", "Page, 0 for the file name.")


class FullRecordBody(RecordBody):
    """A record with all its catalogue fields."""

    fields: list[tuple[str, str]] = said(
        "目录各栏（栏名，值）。", "Catalogue fields as (heading, value)."
    )
    page_count: int = said("存有几页。", "Pages stored.")
    derived_fields: list[DerivedBody] = said("推得的栏目。", "Fields read from the pages.")
    parts: list[PartBody] = said("件内文件。", "Papers inside the record.")
    pages_link: str = said("第一页的接口地址。", "API address of the first page.")


class PageBody(_Response):
    """One page of a record."""

    record: str = said("件的代号。", "Token of the record.")
    reference_code: str = said("档号。", "Reference code.")
    title: str = said("题名。", "Title.")
    page: int = said("影像序号。", "Page in file order, from 1.")
    page_count: int = said("这一件共几页。", "Pages of the record.")
    place: str = said("页码的写法，没有文字则空。", "The page part of the citation form, or empty.")
    text: str = said("本页原文，一字不改。", "The page's text as stored.")
    quote: str = said("start–end 之间的原文。", "The text between start and end.")
    source: str = said("文字来源：layer、ocr、file、none。", "Where the text is from.")
    confidence: float | None = said("平均识别把握 0–1。", "Mean OCR confidence 0–1.")
    low_confidence: bool = said("识别不可靠，请以影像为准。", "Not reliable; trust the image.")
    has_image: bool = said("有没有影像。", "Whether there is a picture.")
    image: str = said("影像的接口地址，没有则空。", "API address of the picture, or empty.")
    boxes: list[tuple[float, float, float, float]] = said(
        "引文在影像上的框（左、上、右、下，占页面的比例）。",
        "Boxes of the quotation on the picture as fractions of the page.",
    )
    link: str = said("永久链接。", "Permalink.")


class CheckBody(_Response):
    """One thing that must be ready."""

    name: str = said("项目。", "What.")
    ready: bool = said("好了没有。", "Whether it is ready.")
    message: str = said("说明。", "What is missing.")


class ReadyResponse(_Response):
    """Whether questions can be answered."""

    ready: bool = said("能不能答。", "Whether all of it is ready.")
    checks: list[CheckBody] = said("各项。", "The checks.")


# -- from the domain ------------------------------------------------------------------------------


def record_fields(record: Record, token: str) -> dict[str, Any]:
    """The fields of `RecordBody` for a record."""
    return {
        "record": token,
        "reference_code": record.reference_code,
        "record_id": record.record_id,
        "title": record.title,
        "author": record.author,
        "doc_no": record.doc_no,
        "date": record.date,
        "reference": record_reference(record),
        "link": f"record/{token}",
        "derived": [item.field for item in record.derived],
    }


def citation_fields(citation: Citation, token: str, link: str) -> dict[str, Any]:
    """The fields of `CitationBody` for a citation."""
    return {
        **record_fields(citation.record, token),
        "link": link,
        "marker": citation.marker,
        "mark": mark(citation.marker),
        "quote": citation.quote,
        "page": citation.page,
        "page_count": citation.page_count,
        "place": citation.place,
        "citation": citation.reference,
        "start": citation.start,
        "end": citation.end,
        "confidence": citation.confidence,
        "has_image": citation.has_image,
    }


def listing_fields(row: Listing, token: str) -> dict[str, Any]:
    """The fields of `ListingBody` for a catalogue row."""
    return {
        **record_fields(row.record, token),
        "marker": row.marker,
        "mark": mark(row.marker),
        "facts": list(row.facts),
    }
