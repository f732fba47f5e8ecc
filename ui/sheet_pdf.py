"""查档结果单 as a PDF; the only file of the pages that imports reportlab.

The letters travel with the file: the glyphs it needs are taken out of a Chinese font of this
machine and embedded, so that it reads the same everywhere. On a machine without any such font the
PDF names the standard Chinese one, which the reader's program then has to have.
"""

from __future__ import annotations

import io
import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any, Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from index.domain import Page
from index.fonts import font_file
from ui import strings
from ui.sheet import SHEET, WATERMARK, Picture, Sheet

logger = logging.getLogger(__name__)

_STANDARD: Final = "STSong-Light"
_MARGIN: Final = 18 * mm
_RED: Final = HexColor("#a6192e")
_SOFT: Final = HexColor("#4a4f57")
_LINE: Final = HexColor("#c9ced6")
_BOX: Final = Color(1, 0.83, 0.29, alpha=0.4)
#: Making a font is work for one at a time, and reportlab keeps fonts by name for the process.
_LOCK: Final = threading.Lock()
_NUMBERS: Final = itertools.count(1)
_CONTROLS: Final = dict.fromkeys((*range(32), *range(127, 160)), " ")


def sheet_pdf(sheet: Sheet, picture_of: Callable[[Page], bytes | None]) -> bytes:
    """The sheet as PDF.

    Args:
        sheet: The sheet.
        picture_of: The JPEG of a page as the reader may see it; None when there is none.
    """
    with _LOCK:
        font = _font(_characters(sheet))
        try:
            return _written(sheet, picture_of, font)
        finally:
            if font != _STANDARD:  # reportlab keeps every font for the life of the process
                pdfmetrics._fonts.pop(font, None)
                pdfmetrics._typefaces.pop(font, None)


def _written(sheet: Sheet, picture_of: Callable[[Page], bytes | None], font: str) -> bytes:
    styles = _Styles(font)
    story: list[Flowable] = []
    if sheet.archive:
        story.append(styles.line(sheet.archive, styles.archive))
    story.append(styles.line(SHEET, styles.title))
    story += [styles.line("问题", styles.heading), styles.line(sheet.question, styles.question)]
    story.append(_facts(sheet.facts, styles))
    if sheet.lead or sheet.paragraphs:
        story.append(styles.line("答复", styles.heading))
        story += [
            styles.line(text, styles.body) for text in (sheet.lead, *sheet.paragraphs) if text
        ]
    if sheet.quotes:
        story.append(styles.line("引文和出处", styles.heading))
    for quote in sheet.quotes:
        block: list[Flowable] = [
            styles.line(f"{quote.mark} 「{quote.quote}」", styles.quote),
            styles.line(f"—— {quote.reference}", styles.small),
        ]
        if quote.unreliable:
            block.append(styles.line(strings.LOW_CONFIDENCE, styles.warning))
        story.append(KeepTogether(block) if len(quote.quote) < 400 else block[0])
        if len(quote.quote) >= 400:
            story += block[1:]
    if sheet.rows:
        story += [styles.line("目录条目", styles.heading), _rows(sheet, styles)]
    if sheet.notes:
        story.append(styles.line("提示", styles.heading))
        story += [styles.line(f"· {note}", styles.body) for note in sheet.notes]
    pictures = [
        _PageDrawing(picture, content, styles)
        for picture in sheet.pictures
        if (content := picture_of(picture.page)) is not None
    ]
    if pictures:
        story += [styles.line("所引各页", styles.heading), *_in_pairs(pictures)]
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
        bottomMargin=_MARGIN + 4 * mm, title=SHEET, author=sheet.archive, subject=sheet.question,
        lang="zh-CN",
    )  # fmt: skip

    def furnish(canvas: Canvas, _document: object) -> None:
        _furnish(canvas, sheet, font)

    document.build(story, onFirstPage=furnish, onLaterPages=furnish)
    return file.getvalue()


class _Styles:
    """Paragraph styles in one font."""

    def __init__(self, font: str) -> None:
        def style(name: str, size: float, **more: Any) -> ParagraphStyle:
            more.setdefault("leading", size * 1.6)
            return ParagraphStyle(name, fontName=font, fontSize=size, wordWrap="CJK", **more)

        self.font = font
        self.archive = style("archive", 11, alignment=TA_CENTER, textColor=_SOFT)
        self.title = style("title", 20, alignment=TA_CENTER, textColor=_RED, spaceAfter=8)
        self.heading = style(
            "heading", 12, textColor=_RED, spaceBefore=10, spaceAfter=3, keepWithNext=1
        )
        self.question = style("question", 13, spaceAfter=4)
        self.body = style("body", 10.5, spaceAfter=3)
        self.quote = style("quote", 11, leftIndent=8, spaceBefore=5)
        self.small = style("small", 9, leftIndent=8, textColor=_SOFT)
        self.warning = style("warning", 9, leftIndent=8, textColor=HexColor("#8a3b00"))
        self.cell = style("cell", 9, leading=13)
        self.caption = style("caption", 8, leading=11, alignment=TA_CENTER, textColor=_SOFT)

    def line(self, text: str, style: ParagraphStyle) -> Paragraph:
        """A paragraph that shows exactly this text."""
        lines = (escape(part.translate(_CONTROLS), quote=False) for part in text.split("\n"))
        return Paragraph("<br/>".join(lines), style)


def _facts(facts: Iterable[tuple[str, str]], styles: _Styles) -> Table:
    rows = [[styles.line(h, styles.cell), styles.line(v, styles.cell)] for h, v in facts]
    table = Table(rows, colWidths=[26 * mm, A4[0] - 2 * _MARGIN - 26 * mm], splitInRow=1)
    table.setStyle(_grid(heads=False))
    return table


def _rows(sheet: Sheet, styles: _Styles) -> Table:
    rows = [[styles.line(cell, styles.cell) for cell in row] for row in sheet.rows]
    rows.insert(0, [styles.line(heading, styles.cell) for heading in sheet.headings])
    width = A4[0] - 2 * _MARGIN
    columns = len(sheet.headings)
    widths = [width / columns] * columns
    if columns == 6:  # mark, title, author, number, date, code
        widths = [width * share for share in (0.06, 0.31, 0.16, 0.15, 0.13, 0.19)]
    table = Table(rows, colWidths=widths, repeatRows=1, splitInRow=1)
    table.setStyle(_grid(heads=True))
    return table


def _grid(*, heads: bool) -> TableStyle:
    commands: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    if heads:
        commands.append(("BACKGROUND", (0, 0), (-1, 0), HexColor("#eef1f5")))
    return TableStyle(commands)


def _in_pairs(pictures: list[_PageDrawing]) -> list[Flowable]:
    rows: list[Flowable] = []
    for first in range(0, len(pictures), 2):
        pair: list[Any] = [*pictures[first : first + 2]]
        half = (A4[0] - 2 * _MARGIN) / 2
        rows += [Table([pair], colWidths=[half] * len(pair), hAlign="LEFT"), Spacer(1, 4)]
    return rows


class _PageDrawing(Flowable):  # type: ignore[misc]  # the library has no types
    """A page picture with the quoted words boxed and its caption below."""

    def __init__(self, picture: Picture, content: bytes, styles: _Styles) -> None:
        super().__init__()
        self._picture, self._content, self._styles = picture, content, styles

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Size taken; at most half a page high."""
        page = self._picture.page
        ratio = page.height / page.width
        across = min(width, 120 * mm / ratio)
        self._size = (across, across * ratio)
        self._caption = self._styles.line(self._picture.caption, self._styles.caption)
        _, self._below = self._caption.wrap(width, height)
        self._whole = width
        return width, self._size[1] + self._below + 4

    def draw(self) -> None:
        """Put picture, boxes and caption on the canvas."""
        from reportlab.lib.utils import ImageReader

        width, height = self._size
        left, bottom = (self._whole - width) / 2, self._below + 4
        canvas = self.canv
        canvas.drawImage(ImageReader(io.BytesIO(self._content)), left, bottom, width, height)
        canvas.setStrokeColor(_LINE)
        canvas.rect(left, bottom, width, height, stroke=1, fill=0)
        canvas.setFillColor(_BOX)
        canvas.setStrokeColor(_RED)
        for x0, y0, x1, y1 in self._picture.boxes:
            canvas.rect(
                left + x0 * width, bottom + (1 - y1) * height, (x1 - x0) * width,
                (y1 - y0) * height, stroke=1, fill=1,
            )  # fmt: skip
        self._caption.drawOn(canvas, 0, 0)


def _furnish(canvas: Canvas, sheet: Sheet, font: str) -> None:
    """Watermark, footer and page number of one page."""
    width, height = A4
    canvas.saveState()
    canvas.setFillColor(Color(0.35, 0.37, 0.4, alpha=0.16))
    canvas.setFont(font, 17)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(32)
    for row in range(-4, 5):
        canvas.drawCentredString((row % 2) * 60, row * 36 * mm, sheet.footer)
    canvas.restoreState()
    canvas.saveState()
    canvas.setFont(font, 8.5)
    canvas.setFillColor(_SOFT)
    canvas.drawString(_MARGIN, 11 * mm, sheet.footer)
    canvas.drawRightString(width - _MARGIN, 11 * mm, f"第 {canvas.getPageNumber()} 页")
    canvas.restoreState()


# -- letters --------------------------------------------------------------------------------------


def _characters(sheet: Sheet) -> str:
    """Every character a sheet shows, each once."""
    texts = [
        sheet.archive, sheet.question, sheet.lead, sheet.footer, *sheet.paragraphs, *sheet.headings,
        *sheet.notes, *(text for fact in sheet.facts for text in fact),
        *(cell for row in sheet.rows for cell in row),
        *(quote.mark + quote.quote + quote.reference for quote in sheet.quotes),
        *(picture.caption for picture in sheet.pictures),
        SHEET, WATERMARK, strings.LOW_CONFIDENCE, "问题答复引文和出处目录条目提示所引各页第0123456789 —「」·",
    ]  # fmt: skip
    return "".join(sorted(set("".join(texts)) - {"\n"}))


def _font(characters: str) -> str:
    """Register a font that has the characters; its name."""
    path = font_file("song")
    if path is not None:
        try:
            return _embedded(path, characters)
        except Exception:
            # a font this machine has and nobody can read must not cost the sheet
            logger.exception("the font %s cannot be embedded", path.name)
    if _STANDARD not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_STANDARD))
    return _STANDARD


def _embedded(path: Path, characters: str) -> str:
    """The wanted glyphs of a font file as a TrueType font reportlab can embed."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import TTFont as FontFile

    with FontFile(path, fontNumber=_chinese_face(path), lazy=True) as source:
        table = source.getBestCmap()
        glyphs = source.getGlyphSet()
        per_em = source["head"].unitsPerEm
        chosen = {ord(c): table[ord(c)] for c in characters if ord(c) in table}
        names = list(dict.fromkeys((".notdef", *chosen.values())))
        drawn, widths = {}, {}
        for name in names:
            pen = TTGlyphPen(None)
            glyphs[name].draw(_flat(Cu2QuPen(pen, per_em / 1000, reverse_direction=True), glyphs))
            drawn[name] = pen.glyph()
            widths[name] = (round(glyphs[name].width), 0)
        ascent, descent = source["hhea"].ascent, source["hhea"].descent
    builder = FontBuilder(per_em, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(chosen)
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(
        {name: (width, getattr(drawn[name], "xMin", 0)) for name, (width, _) in widths.items()}
    )
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    # a name of its own each time: reportlab takes the same name for the same letters
    name = f"ChadangSheet{next(_NUMBERS)}"
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=ascent, sTypoDescender=descent, usWinAscent=ascent,
                     usWinDescent=-descent)  # fmt: skip
    builder.setupPost()
    file = io.BytesIO()
    builder.save(file)
    file.seek(0)
    pdfmetrics.registerFont(TTFont(name, file))
    return name


def _flat(pen: Any, glyphs: Any) -> Any:
    """A pen that takes the parts of composite glyphs apart."""
    from fontTools.pens.filterPen import DecomposingFilterPen

    return DecomposingFilterPen(pen, glyphs)


def _chinese_face(path: Path) -> int:
    """Number of the face with simplified Chinese forms in a collection of several."""
    from fontTools.ttLib import TTCollection

    if path.suffix.lower() not in (".ttc", ".otc"):
        return -1
    with TTCollection(path, lazy=True) as faces:
        for number, face in enumerate(faces):
            name = str(face["name"].getDebugName(1) or "")
            if name.endswith((" SC", " CN")) or "简" in name:
                return number
    return 0
