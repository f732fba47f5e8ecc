"""查档结果单: a question, how it was read, the answer with its sources, as a page to print.

Like every way out, it is made for a reader who may see the records now: what is hidden since is
left out, and the sheet says so. It is a reference copy and says that on every page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from assistant.domain import Answer, Citation, mark, record_reference
from index.access import may_read
from index.domain import Page, Reader
from index.highlight import Box, quote_boxes
from index.store import Store
from ui import strings
from ui.escaping import fold_quote, is_unreliable
from ui.places import permalink, record_token
from ui.remembered import records_of
from ui.render import answer_text, prose_text
from ui.session import Shown

SHEET: Final = "查档结果单"
WATERMARK: Final = "检索参考件,不作凭证"
#: Pages whose picture stands in a sheet; a list of catalogue rows needs none.
MOST_PICTURES: Final = 12
#: Width of the picture that is asked for, pixels.
PICTURE_WIDTH: Final = 640
_MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Quoted:
    """One quotation of a sheet.

    Attributes:
        mark: ①.
        quote: The words, lines joined as for reading.
        reference: The citation form.
        link: Permalink below the site's root.
        unreliable: Whether the recognition is too poor to go by the text.
    """

    mark: str
    quote: str
    reference: str
    link: str
    unreliable: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a cited page.

    Attributes:
        page: The page.
        title: Of its record.
        marks: Marks of the quotations on it.
        boxes: Where they stand, fractions of the upright page.
        address: Below the site's root.
    """

    page: Page
    title: str
    marks: str
    boxes: tuple[Box, ...]
    address: str

    @property
    def caption(self) -> str:
        """What stands under the picture."""
        return f"{self.marks}《{self.title}》影像第 {self.page.seq} 页"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on a sheet; the same for the page and the PDF.

    Attributes:
        archive: Name of the archive, or empty.
        question: As asked.
        facts: (heading, value): how it was read, conditions, time, operator, index and model.
        footer: Watermark words with user and time, for every page.
        lead: The one line before the quotations, or empty.
        paragraphs: Text that is not quoted one by one: joining text, time line, refusal.
        quotes: The quotations.
        headings: Headings of `rows`.
        rows: Catalogue rows, or groups of them.
        notes: Caveats.
        pictures: Pages with the quoted words boxed.
    """

    archive: str
    question: str
    facts: tuple[tuple[str, str], ...]
    footer: str
    lead: str = ""
    paragraphs: tuple[str, ...] = ()
    quotes: tuple[Quoted, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


def make_sheet(shown: Shown, store: Store, reader: Reader, archive: str, now: dt.datetime) -> Sheet:
    """A sheet of a result as a reader may see it now.

    Args:
        shown: The result as it stood on the page.
        store: The holdings.
        reader: Who prints it; the operator named on it.
        archive: Name of the archive.
        now: When it is made.
    """
    result, origin = shown.result, shown.origin
    operator = f"{reader.name or reader.account}（{reader.role.value}）"
    coverage = result.coverage
    searched = strings.coverage_line(
        coverage.records, coverage.pages, coverage.unreadable_pages
    ).removeprefix(f"{strings.COVERAGE_HEADING}：")
    readings = "；".join(r.sentence for r in result.readings)
    whole = all(_readable(record_id, store, reader) for record_id in records_of(result))
    facts = [
        # 第二条的文号 is read as 《its title》：…, and that one may have been closed since
        ("理解为", result.standalone if whole and result.standalone != result.question else ""),
        ("其中", readings),
        ("去掉的理解", "；".join(r.sentence for r in origin.without)),
        ("查法", strings.PRECEDENTS if origin.precedents else ""),
        (strings.COVERAGE_HEADING, searched),
        ("提问时间", f"{shown.when:%Y-%m-%d %H:%M:%S}"),
        ("制单时间", f"{now:%Y-%m-%d %H:%M:%S}"),
        ("查档人", operator),
        ("索引版本", origin.generation),
        ("检索模型", origin.model),
    ]
    bare = Sheet(
        archive,
        result.question,
        tuple((heading, value) for heading, value in facts if value),
        f"{WATERMARK}　{operator}　{now:%Y-%m-%d %H:%M}",
    )
    if not isinstance(result, Answer):
        named = tuple(
            record_reference(record)
            for record in result.records
            if (held := store.record(record.record_id)) is not None
            and may_read(reader, held).allowed
        )
        lines = (*result.message.splitlines(), *named)
        return replace(bare, paragraphs=lines, notes=result.notes)
    citations = [c for c in result.citations if _readable(c.record.record_id, store, reader)]
    listings = [row for row in result.listings if _readable(row.record.record_id, store, reader)]
    notes = list(result.notes) if whole else [strings.NOT_AVAILABLE_NOW]
    paragraphs: tuple[str, ...] = ()
    if whole and result.prose is not None:
        paragraphs = (f"（{strings.AI_LABEL}：{result.prose.model}）{prose_text(result)}",)
    if whole and result.precedents:
        paragraphs = (*paragraphs, *_lines(answer_text(result)))
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    if whole and result.table is not None:
        headings = result.table.headings
        rows = tuple(row.cells for row in result.table.rows)
    elif listings and not result.precedents:
        headings = ("", "题名", "责任者", "文号", "日期", "档号")
        rows = tuple(
            (
                mark(row.marker),
                row.record.title,
                *(row.record.marked(name) for name in ("author", "doc_no", "date")),
                row.record.reference_code or row.record.record_id,
            )
            for row in listings
        )
    if len(rows) > _MOST_ROWS:
        notes.append(strings.LISTING_CUT.format(shown=_MOST_ROWS, count=len(rows)))
    return replace(
        bare,
        lead=result.lead if whole and not result.precedents else "",
        paragraphs=paragraphs,
        quotes=() if result.precedents and whole else tuple(_quoted(c, store) for c in citations),
        headings=headings,
        rows=rows[:_MOST_ROWS],
        notes=tuple(notes),
        pictures=tuple(_pictures(citations, store)),
    )


def _readable(record_id: str, store: Store, reader: Reader) -> bool:
    record = store.record(record_id)
    return record is not None and may_read(reader, record).allowed


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip() and line != strings.NO_VOUCHER)


def _quoted(citation: Citation, store: Store) -> Quoted:
    record_id = citation.record.record_id
    page = store.page(record_id, citation.page)
    words = "" if page is None else page.raw[citation.start : citation.end]
    return Quoted(
        mark(citation.marker),
        fold_quote(citation.quote),
        citation.reference,
        permalink(record_id, citation.page, citation.start, citation.end, words),
        is_unreliable(citation.confidence),
    )


def _pictures(citations: list[Citation], store: Store) -> Iterator[Picture]:
    """Each cited page that has an image once, in the order of the marks."""
    by_page: dict[tuple[str, int], list[Citation]] = {}
    for citation in citations:
        if citation.has_image:
            by_page.setdefault((citation.record.record_id, citation.page), []).append(citation)
    for (record_id, seq), on_page in list(by_page.items())[:MOST_PICTURES]:
        page = store.page(record_id, seq)
        if page is None or not page.has_image:
            continue
        yield Picture(
            page,
            on_page[0].record.title,
            "".join(mark(c.marker) for c in on_page),
            tuple(box for c in on_page for box in quote_boxes(page, c.start, c.end)),
            f"page/{record_token(record_id)}/{seq}.jpg",
        )


# -- as a page ------------------------------------------------------------------------------------


def sheet_html(sheet: Sheet, up: str, version: str, pdf: str) -> str:
    """The sheet as a whole HTML page; all of it escaped, nothing inline.

    Args:
        sheet: The sheet.
        up: What leads from the page to the site's root, e.g. `../../../`.
        version: Version of our static files.
        pdf: Address of the PDF, relative to the page.
    """
    facts = "".join(f"<dt>{escape(h)}</dt><dd>{escape(v)}</dd>" for h, v in sheet.facts)
    body = [
        _section("问题", f"<p class='cds-question'>{escape(sheet.question)}</p><dl>{facts}</dl>")
    ]
    said = [f"<p><strong>{escape(sheet.lead)}</strong></p>"] if sheet.lead else []
    said += [f"<p>{escape(text)}</p>" for text in sheet.paragraphs]
    if said:
        body.append(_section("答复", "".join(said)))
    if sheet.quotes:
        body.append(_section("引文和出处", "".join(_quote_html(q, up) for q in sheet.quotes)))
    if sheet.rows:
        body.append(_section("目录条目", _rows_html(sheet)))
    if sheet.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in sheet.notes)
        body.append(_section("提示", f"<ul>{notes}</ul>"))
    if sheet.pictures:
        pictures = "".join(_picture_html(p, up) for p in sheet.pictures)
        body.append(_section("所引各页", f"<div class='cds-pictures'>{pictures}</div>"))
    archive = f"<p class='cds-archive'>{escape(sheet.archive)}</p>" if sheet.archive else ""
    footer = escape(sheet.footer)
    marks = f"<span>{footer}</span>" * 24
    return f"""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light"><title>{SHEET} · {escape(sheet.question[:40])}</title>
<link rel="icon" href="{up}static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{up}static/sheet.css?v={version}">
<script src="{up}static/sheet.js?v={version}" defer></script></head>
<body><div class="cds-marks" aria-hidden="true">{marks}</div>
<nav class="cds-tools"><button type="button" id="cds-print">打印</button>
<a href="{escape(pdf)}" download>存成 PDF</a></nav>
<main><header>{archive}<h1>{SHEET}</h1></header>{"".join(body)}</main>
<footer class="cds-foot">{footer}</footer></body></html>"""


def _section(heading: str, inside: str) -> str:
    return f"<section><h2>{heading}</h2>{inside}</section>"


def _quote_html(quote: Quoted, up: str) -> str:
    text = "<br>".join(escape(line) for line in quote.quote.split("\n"))
    warning = f"<p class='cds-warning'>{strings.LOW_CONFIDENCE}</p>" if quote.unreliable else ""
    return (
        f"<article><blockquote>{quote.mark} 「{text}」</blockquote>"
        f"<p class='cds-reference'>—— <a href='{escape(up + quote.link)}'>"
        f"{escape(quote.reference)}</a></p>{warning}</article>"
    )


def _rows_html(sheet: Sheet) -> str:
    heads = "".join(f"<th scope='col'>{escape(h)}</th>" for h in sheet.headings)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in sheet.rows
    )
    return f"<div class='cds-scroll'><table><tr>{heads}</tr>{rows}</table></div>"


def _picture_html(picture: Picture, up: str) -> str:
    """The page as one drawing: the boxes keep to the words at every size, without any style."""
    width, height = 1000, round(1000 * picture.page.height / picture.page.width)
    boxes = "".join(
        f'<rect x="{x0 * width:.1f}" y="{y0 * height:.1f}" width="{(x1 - x0) * width:.1f}" '
        f'height="{(y1 - y0) * height:.1f}"/>'
        for x0, y0, x1, y1 in picture.boxes
    )
    caption = escape(picture.caption)
    address = escape(f"{up}{picture.address}?w={PICTURE_WIDTH}")
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{caption}">'
        f'<image href="{address}" width="{width}" height="{height}"/>{boxes}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
