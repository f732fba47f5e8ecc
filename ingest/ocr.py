"""Recognition (OCR) of page pictures; the only file that uses rapidocr. Models are in its wheel."""

from __future__ import annotations

import logging
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from index.domain import Line, TextSource
from index.rendering import BgrImage, Document
from ingest.ocr_version import ocr_engine, ocr_name
from ingest.page_text import PageText
from ingest.reading_order import TextBox, is_vertical, reading_order
from ingest.scan import (
    UNCOVERED_LIMIT,
    Quad,
    padded,
    second_preparation,
    too_small,
    uncovered_ink,
    without_seals,
)

logger = logging.getLogger(__name__)

#: Below this mean confidence a page may be upside down (0.63-0.81 measured; upright ≥ 0.95).
_DOUBTFUL: Final = 0.85
#: Spread of grey values below which a page without text is blank paper.
_BLANK: Final = 8.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one pass found: corners in pixels, text, confidence and character boxes of each line."""

    quads: tuple[Quad, ...]
    texts: tuple[str, ...]
    scores: tuple[float, ...]
    characters: tuple[tuple[Quad, ...], ...]
    turned: bool = False

    @property
    def confidence(self) -> float:
        """Mean confidence, longer lines counting more; 0 when nothing was found."""
        total = sum(len(text) for text in self.texts)
        if not total:
            return 0.0
        return sum(s * len(t) for s, t in zip(self.scores, self.texts, strict=True)) / total


class PageRecognizer:
    """Reads pictures of pages. Loads the models once; not for use by two threads at a time."""

    def __init__(self, threads: int) -> None:
        """Load the models.

        Args:
            threads: Computing threads.
        """
        from rapidocr import EngineType, RapidOCR

        parameters: dict[str, Any] = {"Global.use_cls": False, "Global.log_level": "error"}
        if ocr_engine() == "openvino":
            # Importing OpenVINO reports to a statistics host unless its reporting part is missing.
            sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
            for part in ("Det", "Rec", "Cls"):
                parameters[f"{part}.engine_type"] = EngineType.OPENVINO
            parameters["EngineConfig.openvino.inference_num_threads"] = threads
        else:
            parameters["EngineConfig.onnxruntime.intra_op_num_threads"] = threads
            parameters["EngineConfig.onnxruntime.inter_op_num_threads"] = 1
        self._engine: Any = RapidOCR(params=parameters)
        self._name = ocr_name()

    def read_page(self, document: Document, dpi: int, file_page: int) -> PageText:
        """Draw a page and read it.

        Returns:
            The page with line boxes as fractions of the page as drawn; `source` is NONE and
            `raw` empty when nothing was found.
        """
        width, height = document.size(file_page)
        image = document.render(file_page, dpi=dpi)
        lines, raw, confidence = self.read_image(image)
        return PageText(
            file_page,
            raw,
            TextSource.OCR if raw else TextSource.NONE,
            self._name,
            confidence if raw else None,
            lines=lines,
            width=width,
            height=height,
            problem="" if raw else "空白页" if float(image.std()) < _BLANK else "没有识别出文字",
        )

    def read_image(self, image: BgrImage) -> tuple[tuple[Line, ...], str, float]:
        """Read a picture.

        Args:
            image: Shape (height, width, 3), uint8, blue-green-red.

        Returns:
            Lines in reading order, the text (lines joined by newlines), mean confidence 0..1.
        """
        if too_small(image):
            return (), "", 0.0
        height, width = image.shape[:2]
        prepared = padded(without_seals(image))
        reading = self._pass(prepared)
        if reading.texts and reading.confidence < _DOUBTFUL:
            turned = self._pass(np.ascontiguousarray(prepared[::-1, ::-1]))
            if turned.confidence > reading.confidence + 0.05:
                reading = _turned_back(turned, prepared.shape[1], prepared.shape[0])
        if not reading.turned:
            missed = uncovered_ink(prepared, reading.quads)
            if missed > UNCOVERED_LIMIT:
                again = self._pass(second_preparation(prepared))
                better = uncovered_ink(prepared, again.quads) < missed
                if better and len("".join(again.texts)) >= len("".join(reading.texts)):
                    reading = again
        return _lines(reading, width, height)

    def _pass(self, image: BgrImage) -> _Reading:
        result = self._engine(image, return_word_box=True, return_single_char_box=True)
        if result is None or result.boxes is None or result.txts is None:
            return _Reading((), (), (), ())
        quads, texts, scores, characters = [], [], [], []
        words: Sequence[Any] = result.word_results or [()] * len(result.txts)
        for quad, text, score, word in zip(
            result.boxes, result.txts, result.scores, words, strict=False
        ):
            clean = text.strip()
            if not clean:
                continue
            quads.append(np.asarray(quad, np.float32))
            texts.append(clean)
            scores.append(float(score))
            characters.append(_character_boxes(clean, word))
        return _Reading(tuple(quads), tuple(texts), tuple(scores), tuple(characters))


def _character_boxes(text: str, words: Sequence[Any]) -> tuple[Quad, ...]:
    """One box for each character of a line, empty when the engine's do not fit its text."""
    boxes: list[Quad] = []
    seen = ""
    for word in words:
        if not word or word[2] is None:
            return ()
        characters, box = str(word[0]), np.asarray(word[2], np.float32)
        if len(characters) == 1:
            boxes.append(box)
        else:  # an English word in one box: share it out
            for k in range(len(characters)):
                low, high = k / len(characters), (k + 1) / len(characters)
                top, bottom = box[1] - box[0], box[2] - box[3]
                boxes.append(
                    np.stack(
                        [
                            box[0] + low * top,
                            box[0] + high * top,
                            box[3] + high * bottom,
                            box[3] + low * bottom,
                        ]
                    )
                )
        seen += characters
    if seen == text:
        return tuple(boxes)
    # The engine drops the spaces of a line: give each the gap it stands in.
    if seen == text.replace(" ", ""):
        out: list[Quad] = []
        following = iter(boxes)
        for character in text:
            if character == " ":
                last = out[-1]
                out.append(np.stack([last[1], last[1], last[2], last[2]]))
            else:
                out.append(next(following))
        return tuple(out)
    return ()


def _turned_back(reading: _Reading, width: int, height: int) -> _Reading:
    """A reading of the picture upside down, in the coordinates of the picture as it is."""
    size = np.array([width, height], np.float32)
    return _Reading(
        tuple(size - quad for quad in reading.quads),
        reading.texts,
        reading.scores,
        tuple(tuple(size - box for box in line) for line in reading.characters),
        turned=True,
    )


def _lines(reading: _Reading, width: int, height: int) -> tuple[tuple[Line, ...], str, float]:
    size = np.array([width, height], np.float32)
    boxes = []
    for quad, text in zip(reading.quads, reading.texts, strict=True):
        upright = (size - quad) if reading.turned else quad
        corners = [(float(x), float(y)) for x, y in upright]
        boxes.append(TextBox((corners[0], corners[1], corners[2], corners[3]), len(text)))
    lines: list[Line] = []
    parts: list[str] = []
    start = 0
    for place in reading_order(boxes):
        text = reading.texts[place]
        quad = np.clip(reading.quads[place] / size, 0.0, 1.0)
        vertical = is_vertical(boxes[place])
        lines.append(
            Line(
                start,
                start + len(text),
                (
                    float(quad[:, 0].min()), float(quad[:, 1].min()),
                    float(quad[:, 0].max()), float(quad[:, 1].max()),
                ),
                _edges(reading.characters[place], size, vertical, len(text)),
                reading.scores[place],
                vertical,
            )
        )  # fmt: skip
        parts.append(text)
        start += len(text) + 1
    return tuple(lines), "\n".join(parts), reading.confidence


def _edges(
    characters: Sequence[Quad], size: np.ndarray[Any, Any], vertical: bool, length: int
) -> tuple[float, ...]:
    """Borders between characters along the line, halfway between neighbours."""
    if len(characters) != length or not length:
        return ()
    axis = 1 if vertical else 0
    lows = [float(box[:, axis].min() / size[axis]) for box in characters]
    highs = [float(box[:, axis].max() / size[axis]) for box in characters]
    if lows[-1] < lows[0]:  # upside down: the reading direction goes back
        lows, highs = highs, lows
    inner = [statistics.fmean(pair) for pair in zip(highs, lows[1:], strict=False)]
    return tuple(min(1.0, max(0.0, edge)) for edge in (lows[0], *inner, highs[-1]))
