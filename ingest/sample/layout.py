"""Set a sample record on A4 pages as an office would: marks on paper, not yet in any file format.

Lengths are points (1/72 inch) from the top left of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest.sample.source import MARK, Block, Record

WIDTH, HEIGHT = 595.28, 841.89
LEFT, RIGHT = 82.0, WIDTH - 82.0
TOP, BOTTOM = 102.0, HEIGHT - 96.0
BODY, LEADING = 16.0, 28.6
RED, BLACK, GREY = (0.80, 0.05, 0.05), (0.0, 0.0, 0.0), (0.35, 0.35, 0.35)
MAX_HEAD = 24
"""Longest opening phrase (characters) that is set as a heading inside a paragraph."""

_NO_START = set("，。、；：？！）》〉」』】〕”’％%…·")
_NO_END = set("（《〈「『【〔“‘")
_WORD = re.compile(r"[A-Za-z0-9.,:%℃/\-]+|.")

Measure = Callable[[str, str, float], float]
"""(face, text, size) -> width in points."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters in one face, set from `x` on a base line."""

    x: float
    face: str
    text: str


@dataclass(frozen=True, slots=True)
class TextLine:
    """One printed line: runs on a base line `y`, with `gap` points added after each character."""

    y: float
    size: float
    runs: tuple[Run, ...]
    gap: float = 0.0
    colour: tuple[float, float, float] = BLACK

    @property
    def text(self) -> str:
        """The line's characters."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line."""

    start: tuple[float, float]
    end: tuple[float, float]
    thickness: float = 0.6
    colour: tuple[float, float, float] = BLACK


@dataclass(slots=True)
class Sheet:
    """One laid-out page. `seal` is the seal's centre on the last page of a sealed record."""

    lines: list[TextLine] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    seal: tuple[float, float] | None = None


class Typesetter:
    """Lays out one record.

    Attributes:
        sheets: The finished pages, in order.
    """

    def __init__(self, record: Record, measure: Measure, *, first_stamp: int = 0) -> None:
        """Prepare to set `record`.

        Args:
            record: What to set.
            measure: Width of a text in a face and size.
            first_stamp: 卷内页号 stamped on the first page; 0 for no stamps.
        """
        self.sheets: list[Sheet] = []
        self._record = record
        self._measure = measure
        self._first_stamp = first_stamp
        self._face = "kai" if record.fields.get("字体") == "楷" else "song"
        self._y = TOP

    def run(self) -> list[Sheet]:
        """Set the whole record and return its pages."""
        self._new_sheet()
        self._red_head()
        blocks = self._record.blocks
        at = 0
        while at < len(blocks):
            kind = blocks[at].kind
            group = [blocks[at]]
            while kind in ("row", "sign", "imprint") and at + len(group) < len(blocks):
                if blocks[at + len(group)].kind != kind:
                    break
                group.append(blocks[at + len(group)])
            self._set_group(kind, group)
            at += len(group)
        self._page_marks()
        return self.sheets

    # -- pages -----------------------------------------------------------------------------

    @property
    def _sheet(self) -> Sheet:
        return self.sheets[-1]

    def _new_sheet(self) -> None:
        self.sheets.append(Sheet())
        self._y = TOP
        self._centre(MARK, 60.0, 10.5, "song", GREY)
        if self._first_stamp:
            number = f"{self._first_stamp + len(self.sheets) - 1:03d}"
            run = Run(RIGHT + 14.0, "hei", number)
            self._sheet.lines.append(TextLine(62.0, 13.0, (run,)))

    def _page_marks(self) -> None:
        if len(self.sheets) == 1:
            return
        for number, sheet in enumerate(self.sheets, 1):
            text = f"— {number} —"
            width = self._measure("song", text, 14.0)
            x = (WIDTH - width) / 2
            sheet.lines.append(TextLine(HEIGHT - 58.0, 14.0, (Run(x, "song", text),)))

    def _room(self, height: float) -> None:
        if self._y + height > BOTTOM:
            self._new_sheet()

    # -- pieces ----------------------------------------------------------------------------

    def _set_group(self, kind: str, group: list[Block]) -> None:
        text = group[0].text
        if kind == "page":
            self._new_sheet()
        elif kind == "title":
            self._title(text)
        elif kind == "note":
            self._note(text)
        elif kind == "mark":
            self._mark(text)
        elif kind == "row":
            self._table([block.cells for block in group])
        elif kind == "sign":
            self._sign([block.text for block in group])
        elif kind == "imprint":
            self._imprint([block.text for block in group])
        elif kind == "caption":
            self._room(3 * LEADING)
            self._centre(text, self._advance(LEADING), 14.0, "hei")
        else:
            indent = 0.0 if kind == "flush" else 2 * BODY
            self._paragraph(text, indent)

    def _advance(self, height: float) -> float:
        """Move down by `height`; return the base line of what fills it."""
        self._room(height)
        self._y += height
        return self._y - height * 0.25

    def _centre(
        self,
        text: str,
        y: float,
        size: float,
        face: str,
        colour: tuple[float, float, float] = BLACK,
    ) -> None:
        x = (WIDTH - self._measure(face, text, size)) / 2
        self._sheet.lines.append(TextLine(y, size, (Run(x, face, text),), colour=colour))

    def _red_head(self) -> None:
        head = self._record.fields.get("红头")
        if head is None:
            return
        size = min(40.0, (RIGHT - LEFT) / self._measure("bold", head, 1.0))
        self._centre(head, self._advance(size * 1.7), size, "bold", RED)
        if "〔" in self._record.doc_no:
            self._y += 8.0
            self._centre(self._record.doc_no, self._advance(LEADING), BODY, self._face)
        y = self._advance(14.0)
        self._sheet.rules.append(Rule((LEFT, y), (RIGHT, y), 2.0, RED))
        self._y += 18.0

    def _title(self, text: str) -> None:
        size = min(21.0, (RIGHT - LEFT) / self._measure("bold", text, 1.0))
        self._centre(text, self._advance(34.0), size, "bold")

    def _note(self, text: str) -> None:
        if text.startswith("第") and "章" in text:
            self._room(3 * LEADING)
            self._centre(text, self._advance(LEADING * 1.3), BODY, "hei")
            return
        for part in re.split("　+(?=2)", text):  # 通过 and 批准 each on a line of its own
            extent = self._measure("kai", part, 1.0)
            size = min(15.0, (RIGHT - LEFT) / extent)
            size = size if size >= 13.5 else 15.0
            # Lines of about equal length.
            count = -(-extent * size // (RIGHT - LEFT + 1.0))
            for line in self._break(part, extent * size / count + size, 0.0, size, "kai"):
                self._centre(line.strip(), self._advance(LEADING), size, "kai")

    def _mark(self, text: str) -> None:
        y = self._advance(LEADING)
        x = RIGHT - self._measure("hei", text, BODY)
        self._sheet.lines.append(TextLine(y, BODY, (Run(x, "hei", text),)))

    def _sign(self, lines: list[str]) -> None:
        # A signature may run a little low rather than stand alone on the next page.
        slack = 18.0 if self._y + LEADING * (len(lines) + 0.8) <= BOTTOM + 18.0 else 0.0
        self._room(LEADING * (len(lines) + 0.8) - slack)
        self._y += LEADING * 0.8
        widths = [self._measure(self._face, line, BODY) for line in lines]
        centre = RIGHT - 2 * BODY - max(widths) / 2
        for line, width in zip(lines, widths, strict=True):
            self._y += LEADING
            run = Run(centre - width / 2, self._face, line)
            self._sheet.lines.append(TextLine(self._y - LEADING * 0.25, BODY, (run,)))
        if "印章" in self._record.fields:
            self._sheet.seal = (centre, self._y - LEADING * 0.85)

    def _imprint(self, lines: list[str]) -> None:
        height = 24.0 * len(lines)
        self._room(height + 10.0)
        self._y = max(self._y + 10.0, BOTTOM - height)
        for line in lines:
            rule = Rule((LEFT, self._y), (RIGHT, self._y))
            self._sheet.rules.append(rule)
            size = min(14.0, (RIGHT - LEFT - 14.0) / self._measure(self._face, line, 1.0))
            self._y += 24.0
            run = Run(LEFT + 7.0, self._face, line)
            self._sheet.lines.append(TextLine(self._y - 7.0, size, (run,)))
        self._sheet.rules.append(Rule((LEFT, self._y), (RIGHT, self._y)))

    def _table(self, rows: list[list[str]]) -> None:
        size, pad, height = 13.0, 6.0, 26.0
        columns = max(len(row) for row in rows)
        natural = [
            max(self._measure(self._face, row[k], size) for row in rows) + 2 * pad
            for k in range(columns)
        ]
        if len(rows) * height < (BOTTOM - TOP) / 2:
            self._room(len(rows) * height)
        scale = (RIGHT - LEFT) / sum(natural)
        widths = [width * scale for width in natural]
        for number, row in enumerate(rows):
            self._room(height)
            top, x = self._y, LEFT
            self._sheet.rules.append(Rule((LEFT, top), (RIGHT, top)))
            for text, width in zip(row, widths, strict=True):
                face = "hei" if number == 0 else self._face
                measured = self._measure(face, text, size)
                left = x + (pad if x == LEFT and number else (width - measured) / 2)
                line = TextLine(top + 18.0, size, (Run(left, face, text),))
                self._sheet.lines.append(line)
                self._sheet.rules.append(Rule((x, top), (x, top + height)))
                x += width
            self._sheet.rules.append(Rule((RIGHT, top), (RIGHT, top + height)))
            self._y += height
            self._sheet.rules.append(Rule((LEFT, self._y), (RIGHT, self._y)))
        self._y += 10.0

    def _paragraph(self, text: str, indent: float) -> None:
        heading, face = self._heading(text)
        place = 0
        lines = list(self._break(text, RIGHT - LEFT, indent, BODY, self._face))
        if heading == len(text):
            self._room(2 * LEADING)  # a heading never ends a page
        for number, line in enumerate(lines):
            x = LEFT + (indent if number == 0 else 0.0)
            y = self._advance(LEADING)
            cut = min(max(heading - place, 0), len(line))
            pieces = [(face, line[:cut]), (self._face, line[cut:])]
            width = sum(self._measure(f, t, BODY) for f, t in pieces)
            slack = RIGHT - x - width
            last = number == len(lines) - 1
            gap = slack / (len(line) - 1) if not last and slack < 2 * BODY else 0.0
            runs: list[Run] = []
            for run_face, piece in pieces:
                if piece:
                    runs.append(Run(x, run_face, piece))
                    x += self._measure(run_face, piece, BODY) + gap * len(piece)
            self._sheet.lines.append(TextLine(y, BODY, tuple(runs), gap))
            place += len(line)

    def _heading(self, text: str) -> tuple[int, str]:
        """Length and face of the heading a paragraph opens with (0 when it has none)."""
        if match := re.match(r"第[一二三四五六七八九十]+条 ", text):
            return match.end(), "hei"
        for pattern, face in (
            (r"[一二三四五六七八九十]+、", "hei"),
            (r"（[一二三四五六]+）", "kai"),
        ):
            if re.match(pattern, text):
                stop = text.find("。") + 1
                if stop == len(text) or "：" in text[:stop] or text.endswith(("；", "：")):
                    return 0, face
                if stop == 0:
                    stop = 0 if "：" in text else len(text)
                return (stop if stop <= MAX_HEAD else 0), face
        return 0, self._face

    def _break(
        self, text: str, width: float, indent: float, size: float, face: str
    ) -> Iterator[str]:
        """Cut a paragraph into lines; closing marks may hang out, opening ones never end a line."""
        words = _WORD.findall(text)
        line: list[str] = []
        used = indent
        for word in words:
            extent = self._measure(face, word, size)
            if line and used + extent > width + 0.5:
                hang = word in _NO_START and used + extent <= width + size * 0.62
                if not hang:
                    carried = self._carry(line, word)
                    yield "".join(line)
                    line, used = carried, self._measure(face, "".join(carried), size)
            line.append(word)
            used += extent
        if line:
            yield "".join(line)

    @staticmethod
    def _carry(line: list[str], word: str) -> list[str]:
        """Take from the line's end what must go down with `word`."""
        carried: list[str] = []
        if word in _NO_START:
            carried.insert(0, line.pop())
        while len(line) > 1 and (line[-1] in _NO_END or (carried and carried[0] in _NO_START)):
            carried.insert(0, line.pop())
        return carried
