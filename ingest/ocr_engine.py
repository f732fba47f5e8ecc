"""Recognition of lines of text in a picture; the only file that uses rapidocr.

The models are in its wheel. OpenVINO computes them where it is installed and works, onnxruntime
elsewhere; both give the same text.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from index.rendering import BgrImage
from ingest.ink import Quad
from ingest.ocr_version import ocr_engine, ocr_name

logger = logging.getLogger(__name__)

#: The engine makes larger pictures smaller to this, so nothing is gained by drawing them larger.
LONGEST_SIDE: Final = 2000


#: Pictures of lines are padded to multiples of this many pixels; see `_SteadyWidths`.
_WIDTH_STEP: Final = 64
_LINE_HEIGHT: Final = 48
#: Lines asked whether they stand on their heads; fewer than the second number tell nothing.
_LINES_ASKED: Final = 8
_FEWEST_ASKED: Final = 3
_SURELY_TURNED: Final = 0.9


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass found.

    Attributes:
        quads: Corners of each line in pixels, from its own top left.
        texts: What it says.
        scores: Confidence 0..1.
        characters: Box of each character of each line; empty where they do not fit its text.
    """

    quads: tuple[Quad, ...] = ()
    texts: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    characters: tuple[tuple[Quad, ...], ...] = ()

    @property
    def length(self) -> int:
        """Number of characters."""
        return sum(map(len, self.texts))

    @property
    def confidence(self) -> float:
        """Mean confidence, longer lines counting more; 0 when nothing was found."""
        total = self.length
        if not total:
            return 0.0
        return sum(s * len(t) for s, t in zip(self.scores, self.texts, strict=True)) / total

    def joined(self, other: Reading) -> Reading:
        """Both readings' lines."""
        return Reading(
            self.quads + other.quads,
            self.texts + other.texts,
            self.scores + other.scores,
            self.characters + other.characters,
        )


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Lines found in a picture and not read yet.

    Attributes:
        image: The picture.
        pictures: Each line cut out; tall ones turned by a quarter against the clock.
        result: The engine's own result, None when there is no line.
        record: What the engine did to the picture before it looked for lines.
    """

    image: BgrImage
    pictures: tuple[BgrImage, ...]
    result: Any
    record: dict[str, Any]

    @property
    def boxes(self) -> Sequence[Quad]:
        """Corners of each line, in pixels of the picture as the engine scaled it."""
        return () if self.result is None else list(self.result.boxes)


class LineEngine:
    """Finds and reads lines of text. Loads the models once; not for two threads at a time."""

    def __init__(self, threads: int, engine: str = "auto") -> None:
        """Load the models.

        Args:
            threads: Computing threads.
            engine: `openvino`, `onnxruntime`, or `auto` for the first of them that works.
        """
        wanted = ocr_engine() if engine == "auto" else engine
        if wanted == "openvino":
            try:
                self._start(threads, "openvino")
            except Exception as error:  # noqa: BLE001 - a missing CPU feature or a half installed wheel
                logger.warning("OpenVINO does not start, onnxruntime is used: %s", error)
                self._start(threads, "onnxruntime")
        else:
            self._start(threads, "onnxruntime")

    def _start(self, threads: int, engine: str) -> None:
        from rapidocr import EngineType, RapidOCR

        parameters: dict[str, Any] = {
            "Global.use_cls": False,
            "Global.log_level": "error",
            "Global.return_word_box": True,
            "Global.return_single_char_box": True,
            "Global.max_side_len": LONGEST_SIDE,
        }
        if engine == "openvino":
            # Importing OpenVINO reports to a statistics host unless its reporting part is missing.
            sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
            for part in ("Det", "Rec", "Cls"):
                parameters[f"{part}.engine_type"] = EngineType.OPENVINO
            parameters["EngineConfig.openvino.inference_num_threads"] = threads
        else:
            parameters["EngineConfig.onnxruntime.intra_op_num_threads"] = threads
            parameters["EngineConfig.onnxruntime.inter_op_num_threads"] = 1
        self._ocr: Any = RapidOCR(params=parameters)
        self.name = ocr_name(engine)
        blank = np.full((64, 320, 3), 255, np.uint8)
        self._ocr(blank)  # models load with the first picture: what fails must fail here
        self.read_lines([blank])
        self._ocr.cls_and_rotate([blank])
        self._widths = _SteadyWidths(self._ocr.text_rec)

    def find(self, image: BgrImage) -> FoundLines:
        """Find the lines of a picture.

        Args:
            image: Shape (height, width, 3), uint8, blue-green-red.
        """
        from rapidocr.main import RapidOCRError

        scaled, record = self._ocr.preprocess_img(image)
        try:
            pictures, found = self._ocr.detect_and_crop(scaled, record)
        except RapidOCRError:  # no line at all
            return FoundLines(image, (), None, record)
        return FoundLines(image, tuple(pictures), found, record)

    def upside_down(self, found: FoundLines) -> bool:
        """Whether the lines stand on their heads, by the engine's look at some long ones.

        Looking takes a hundredth of reading. It tells 0 from 180 degrees only: lines in tall boxes,
        which the engine turns before it reads them, are not asked about.
        """
        wide = [
            line
            for line, box in zip(found.pictures, found.boxes, strict=True)
            if np.ptp(box[:, 0]) > np.ptp(box[:, 1])
        ]
        wide.sort(key=lambda line: -line.shape[1] / line.shape[0])
        chosen = wide[:_LINES_ASKED]
        if len(chosen) < _FEWEST_ASKED or 2 * len(wide) < len(found.pictures):
            return False
        # The engine squeezes what it looks at to a picture four times as wide as high.
        _, told = self._ocr.cls_and_rotate([line[:, : 4 * line.shape[0]] for line in chosen])
        turned = sum("180" in label and score >= _SURELY_TURNED for label, score in told.cls_res)
        return bool(4 * turned >= 3 * len(chosen))

    def read_found(self, found: FoundLines) -> Reading:
        """Read the lines found in a picture."""
        if found.result is None:
            return Reading()
        from rapidocr.ch_ppocr_cls import TextClsOutput

        texts = self._ocr.recognize_txt(list(found.pictures))
        result = self._ocr.build_final_output(
            found.image, found.result, TextClsOutput(), texts, list(found.pictures), found.record
        )
        if result is None or result.boxes is None or result.txts is None:
            return Reading()
        return _reading(result.boxes, result.txts, result.scores, result.word_results)

    def read(self, image: BgrImage) -> Reading:
        """Find and read the lines of a picture."""
        return self.read_found(self.find(image))

    def read_bare(self, image: BgrImage) -> None:
        """Find and read lines as the engine does by itself, without boxes of characters."""
        self._widths.step = 1
        try:
            self._ocr(image, return_word_box=False, return_single_char_box=False)
        finally:
            self._widths.step = _WIDTH_STEP
            self._ocr.update_params(return_word_box=True, return_single_char_box=True)

    def read_lines(self, lines: Sequence[BgrImage]) -> list[tuple[str, float]]:
        """Read pictures that each hold one line, left to right: (text, confidence) of each."""
        if not lines:
            return []
        result = self._ocr.recognize_txt(list(lines))
        return [(str(t).strip(), float(s)) for t, s in zip(result.txts, result.scores, strict=True)]

    def read_places(self, image: BgrImage, places: Sequence[Quad]) -> Reading:
        """Read lines at known places of a picture, left out where nothing is read.

        Args:
            image: The picture.
            places: Corners of each line in pixels; tall ones are read from top to bottom.
        """
        if not places:
            return Reading()
        crops = self.crops(image, places)
        result = self._ocr.recognize_txt(crops)
        found = [i for i, text in enumerate(result.txts) if text.strip()]
        if not found:
            return Reading()
        quads = np.stack([places[i] for i in found])
        result.txts = tuple(result.txts[i] for i in found)
        result.scores = tuple(result.scores[i] for i in found)
        result.word_results = tuple(result.word_results[i] for i in found)
        words = self._ocr.calc_word_boxes([crops[i] for i in found], quads, result)
        return _reading(list(quads), result.txts, result.scores, words)

    def crops(self, image: BgrImage, places: Sequence[Quad]) -> list[BgrImage]:
        """Pictures of lines; tall ones turned by a quarter against the clock."""
        boxes = np.array([np.asarray(place, np.float32) for place in places])
        return list(self._ocr.crop_text_regions(image, boxes))


class _SteadyWidths:
    """Has the recogniser pad its batches of lines to a few widths instead of any width.

    OpenVINO prepares itself anew for each width it meets, a quarter of the time of that batch:
    5 % of the processor time of a page (12 pages, docs/log.md). The text agrees.
    """

    def __init__(self, recognizer: Any) -> None:
        self.step = _WIDTH_STEP
        self._resize = recognizer.resize_norm_img
        self._decode = recognizer.postprocess_op
        recognizer.resize_norm_img = self.resize
        recognizer.postprocess_op = self.decode

    def resize(self, image: BgrImage, ratio: float) -> Any:
        return self._resize(image, self._rounded(ratio))

    def decode(
        self, found: Any, boxes: bool, *, wh_ratio_list: Sequence[float], max_wh_ratio: float
    ) -> Any:
        longest = self._rounded(max_wh_ratio)
        return self._decode(found, boxes, wh_ratio_list=wh_ratio_list, max_wh_ratio=longest)

    def _rounded(self, ratio: float) -> float:
        if self.step == 1:
            return ratio
        steps = -(-_LINE_HEIGHT * ratio // self.step)
        # The engine rounds down: half a pixel more keeps it from falling one short.
        return float((steps * self.step + 0.5) / _LINE_HEIGHT)


def _reading(
    boxes: Sequence[Any],
    texts: Sequence[str],
    scores: Sequence[float],
    word_results: Sequence[Any] | None,
) -> Reading:
    quads, kept, sure, characters = [], [], [], []
    words = list(word_results or ())
    at = 0
    for quad, text, score in zip(boxes, texts, scores, strict=True):
        clean = text.strip()
        if not clean:
            continue
        # The engine leaves out the boxes of lines it finds no characters in: match by the text.
        word: Sequence[Any] = ()
        if at < len(words) and _spelled(words[at]) == clean.replace(" ", ""):
            word, at = words[at], at + 1
        quads.append(np.asarray(quad, np.float32))
        kept.append(clean)
        sure.append(float(score))
        characters.append(_character_boxes(clean, word))
    return Reading(tuple(quads), tuple(kept), tuple(sure), tuple(characters))


def _spelled(words: Sequence[Any]) -> str:
    return "".join(str(word[0]) for word in words if word).replace(" ", "")


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
