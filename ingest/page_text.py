"""What a reader makes of one page, before it belongs to a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.domain import Line, PageChoice, TextSource


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a whole file that an archivist should know; nothing failed.

    Attributes:
        reason: What it is, in Chinese.
        next_step: What can be done about it.
    """

    reason: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class PageText:
    """One page as a reader saw it.

    Attributes:
        file_page: Page number in the file, from 1.
        raw: The text; empty when nothing is readable.
        source: Where it came from.
        engine: Reader or OCR engine with version.
        confidence: Mean OCR confidence 0..1, None for text layers and files.
        inner_label: Page number printed on the page, when the reader itself knows it.
        lines: Line boxes in reading order.
        furniture: Spans of `raw` the reader itself knows to be furniture.
        width: Upright page width in points, 0 without image.
        height: Upright page height in points, 0 without image.
        needs_ocr: The text is missing or unusable and the page has a picture: OCR it.
        problem: Why the page is not readable, in Chinese; empty when it is.
        turn: Degrees clockwise by which the page as drawn is turned to stand upright.
        hidden: The text is a layer under (or over) a picture of the whole page: a scan that was
            recognised before.
        choice: Why the text is taken from `source`.
    """

    file_page: int
    raw: str
    source: TextSource
    engine: str = ""
    confidence: float | None = None
    inner_label: str = ""
    lines: tuple[Line, ...] = ()
    furniture: tuple[tuple[int, int], ...] = ()
    width: float = 0.0
    height: float = 0.0
    needs_ocr: bool = False
    problem: str = ""
    turn: int = 0
    hidden: bool = False
    choice: PageChoice = PageChoice()

    def to_json(self) -> dict[str, Any]:
        """A JSON form that `from_json` reads back."""
        return {
            "file_page": self.file_page,
            "raw": self.raw,
            "source": str(self.source),
            "engine": self.engine,
            "confidence": self.confidence,
            "inner_label": self.inner_label,
            "furniture": [list(span) for span in self.furniture],
            "width": round(self.width, 2),
            "height": round(self.height, 2),
            "needs_ocr": self.needs_ocr,
            "problem": self.problem,
            "turn": self.turn,
            "hidden": self.hidden,
            "choice": dataclasses.asdict(self.choice),
            "lines": [
                [
                    line.start,
                    line.end,
                    [round(x, 5) for x in line.box],
                    [round(x, 5) for x in line.edges],
                    None if line.confidence is None else round(line.confidence, 4),
                    line.vertical,
                ]
                for line in self.lines
            ],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PageText:
        """Read back what `to_json` wrote."""
        return cls(
            file_page=body["file_page"],
            raw=body["raw"],
            source=TextSource(body["source"]),
            engine=body["engine"],
            confidence=body["confidence"],
            inner_label=body["inner_label"],
            lines=tuple(
                Line(
                    start, end, (box[0], box[1], box[2], box[3]), tuple(edges), confidence, vertical
                )
                for start, end, box, edges, confidence, vertical in body["lines"]
            ),
            furniture=tuple((a, b) for a, b in body["furniture"]),
            width=body["width"],
            height=body["height"],
            needs_ocr=body["needs_ocr"],
            problem=body["problem"],
            turn=body.get("turn", 0),
            hidden=body.get("hidden", False),
            choice=PageChoice(**body.get("choice", {})),
        )
