"""Recognition (OCR) of page pictures: preparation, what was missed, orientation, text and boxes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from index.domain import Line, PageChoice, TextSource
from index.rendering import BgrImage, Document
from ingest.ink import UNCOVERED_LIMIT, Ink, Quad
from ingest.ocr_engine import LONGEST_SIDE, LineEngine, Reading
from ingest.orientation import page_turn
from ingest.page_text import PageText
from ingest.reading_order import TextBox, is_vertical
from ingest.ruled_cells import cells_of
from ingest.ruling import ruled_lines, unit_per_pixel
from ingest.scan import padded, second_preparation, too_small, without_seals
from ingest.text_lines import placed_boxes

#: Spread of grey values below which a page without text is blank paper.
_BLANK: Final = 8.0
#: Lowest confidence of a line that only the ink told of; specks and pictures read below it.
_SURE: Final = 0.8
_SURE_ALONE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was read in a picture.

    Attributes:
        lines: Boxes in reading order, as fractions of the upright picture.
        raw: The text: lines parted by newlines, cells of a table row by ` | `.
        confidence: Mean confidence 0..1.
        uncovered: Share of character-sized ink outside all lines, 0..1.
        turn: Degrees clockwise by which the picture was turned to stand upright.
        found: Lines that the detector had passed over.
        retried: Whether the second preparation was kept.
    """

    lines: tuple[Line, ...] = ()
    raw: str = ""
    confidence: float = 0.0
    uncovered: float = 0.0
    turn: int = 0
    found: int = 0
    retried: bool = False


class PageRecognizer:
    """Reads pictures of pages. Loads the models once; not for use by two threads at a time."""

    def __init__(self, threads: int, engine: str = "auto") -> None:
        """Load the models.

        Args:
            threads: Computing threads.
            engine: `auto`, `openvino` or `onnxruntime`; see `LineEngine`.
        """
        self._engine = LineEngine(threads, engine)

    @property
    def name(self) -> str:
        """Engine string stored with every page."""
        return self._engine.name

    def read_page(self, document: Document, dpi: int, file_page: int) -> PageText:
        """Draw a page and read it.

        Returns:
            The page with line boxes as fractions of the upright page; `source` is NONE and `raw`
            empty when nothing was found.
        """
        width, height = document.size(file_page)
        image = document.render(file_page, dpi=dpi, max_side=LONGEST_SIDE)
        found = self.read_image(image)
        if found.turn in (90, 270):
            width, height = height, width
        raw = found.raw
        return PageText(
            file_page,
            raw,
            TextSource.OCR if raw else TextSource.NONE,
            self.name,
            found.confidence if raw else None,
            lines=found.lines,
            width=width,
            height=height,
            problem="" if raw else "空白页" if float(image.std()) < _BLANK else "没有识别出文字",
            turn=found.turn,
            choice=PageChoice(uncovered=found.uncovered) if raw else PageChoice(),
        )

    def read_bare(self, document: Document, dpi: int, file_page: int) -> None:
        """Draw a page and run nothing but the engine over it: what `read_page` is measured by."""
        self._engine.read_bare(document.render(file_page, dpi=dpi))

    def read_image(self, image: BgrImage) -> Recognition:
        """Read a picture.

        Args:
            image: Shape (height, width, 3), uint8, blue-green-red.
        """
        if too_small(image):
            return Recognition()
        prepared = padded(without_seals(image))
        found_lines = self._engine.find(prepared)
        turn = 180 if self._engine.upside_down(found_lines) else 0
        if turn:
            image, prepared = _turned(image, turn), _turned(prepared, turn)
            found_lines = self._engine.find(prepared)
        reading = self._engine.read_found(found_lines)
        if more := self._turn(prepared, reading):
            turn = (turn + more) % 360
            image, prepared = _turned(image, more), _turned(prepared, more)
            reading = self._engine.read(prepared)
        ink = Ink(prepared)
        reading, missed, found = self._completed(prepared, ink, reading)
        retried = False
        if missed > UNCOVERED_LIMIT:
            again = second_preparation(prepared)
            second, still_missed, more = self._completed(again, ink, self._engine.read(again))
            # Less ink left over and no less text: else the second look only lost lines elsewhere.
            if still_missed < missed and second.length >= reading.length:
                reading, missed, found, retried = second, still_missed, more, True
        lines, raw = _text(reading, prepared, image.shape[1], image.shape[0])
        return Recognition(lines, raw, reading.confidence, missed, turn, found, retried)

    def _completed(self, image: BgrImage, ink: Ink, reading: Reading) -> tuple[Reading, float, int]:
        """A reading with the lines only the ink tells of; uncovered share; how many were added."""
        places = ink.missed_lines(reading.quads, vertical=_mostly_tall(reading))
        extra = _sure_lines(self._engine.read_places(image, places))
        if extra.texts:
            reading = reading.joined(extra)
        return reading, ink.uncovered(reading.quads), len(extra.texts)

    def _turn(self, image: BgrImage, reading: Reading) -> int:
        longest = sorted(range(len(reading.texts)), key=lambda i: -len(reading.texts[i]))[:8]
        if not longest:
            return 0
        return page_turn(
            self._engine.crops(image, [reading.quads[i] for i in longest]),
            [reading.texts[i] for i in longest],
            reading.confidence,
            tall=_mostly_tall(reading),
            read=self._engine.read_lines,
        )


def _sure_lines(reading: Reading) -> Reading:
    """The lines of a reading that are surely text."""
    kept = [
        i
        for i, (text, score) in enumerate(zip(reading.texts, reading.scores, strict=True))
        if score >= (_SURE if len(text) > 1 else _SURE_ALONE) and any(map(str.isalnum, text))
    ]
    return Reading(
        tuple(reading.quads[i] for i in kept),
        tuple(reading.texts[i] for i in kept),
        tuple(reading.scores[i] for i in kept),
        tuple(reading.characters[i] for i in kept),
    )


def _turned(image: BgrImage, turn: int) -> BgrImage:
    """A picture turned clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -turn // 90))


def _box(quad: Quad, length: int) -> TextBox:
    a, b, c, d = ((float(x), float(y)) for x, y in quad)
    return TextBox((a, b, c, d), length)


def _mostly_tall(reading: Reading) -> bool:
    tall = sum(
        len(text)
        for quad, text in zip(reading.quads, reading.texts, strict=True)
        if is_vertical(_box(quad, len(text)))
    )
    return 2 * tall > reading.length


def _text(
    reading: Reading, image: BgrImage, width: int, height: int
) -> tuple[tuple[Line, ...], str]:
    """Lines and text of a reading; `width` and `height` are the picture's without padding."""
    size = np.array([width, height], np.float32)
    boxes = [_box(q, len(t)) for q, t in zip(reading.quads, reading.texts, strict=True)]
    if not boxes:
        return (), ""
    lines: list[Line] = []
    parts: list[str] = []
    start = 0
    for placed in placed_boxes(boxes, _cells(reading, image)):
        text = reading.texts[placed.place]
        before = placed.before
        if not before and parts and _latin(parts[-1][-1]) and _latin(text[0]):
            before = " "  # words of a cell that goes on in the next line
        parts += [before, text]
        start += len(before)
        quad = np.clip(reading.quads[placed.place] / size, 0.0, 1.0)
        vertical = is_vertical(boxes[placed.place])
        lines.append(
            Line(
                start,
                start + len(text),
                (
                    float(quad[:, 0].min()), float(quad[:, 1].min()),
                    float(quad[:, 0].max()), float(quad[:, 1].max()),
                ),
                _edges(reading.characters[placed.place], size, vertical, len(text)),
                reading.scores[placed.place],
                vertical,
            )
        )  # fmt: skip
        start += len(text)
    return tuple(lines), "".join(parts)


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _cells(
    reading: Reading, image: BgrImage
) -> list[tuple[float, float, float, float] | None] | None:
    """For each line the ruled table cell it stands in, None when the page has no table."""
    sides = [float(np.hypot(*(quad[3] - quad[0]))) for quad in reading.quads]
    rules = ruled_lines(image, statistics.median(sides))
    if not rules.across:
        return None
    unit = unit_per_pixel(image)
    frames = [
        (
            float(q[:, 0].min()) * unit, float(q[:, 1].min()) * unit,
            float(q[:, 0].max()) * unit, float(q[:, 1].max()) * unit,
        )
        for q in reading.quads
    ]  # fmt: skip
    return cells_of(frames, rules)


def _edges(
    characters: Sequence[Quad], size: npt.NDArray[np.float32], vertical: bool, length: int
) -> tuple[float, ...]:
    """Borders between characters along the line, halfway between neighbours."""
    if len(characters) != length or not length:
        return ()
    axis = 1 if vertical else 0
    lows = [float(box[:, axis].min() / size[axis]) for box in characters]
    highs = [float(box[:, axis].max() / size[axis]) for box in characters]
    inner = [statistics.fmean(pair) for pair in zip(highs, lows[1:], strict=False)]
    return tuple(min(1.0, max(0.0, edge)) for edge in (lows[0], *inner, highs[-1]))
