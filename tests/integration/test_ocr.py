"""Recognition with the real engine, on pages of the shipped sample drawn as scans."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.domain import TextSource
from index.rendering import BgrImage, open_document
from ingest.ocr import PageRecognizer
from ingest.ocr_bench import bench_pages, measure, summary
from ingest.ocr_engine import FoundLines, LineEngine, Reading
from ingest.pdf import PDF_READER, PdfFile
from ingest.pipeline import ingest as run_ingest
from ingest.sample import holdings_dir
from ingest.similarity import similarity
from tests.ingest_files import open_home
from ui.page_images import PageImages

_SAMPLE = holdings_dir() / "2018" / "J001-WS.2018-Y-BGS-0007.pdf"
#: The other tests use OpenVINO where it is installed.
_ENGINES = [
    "onnxruntime",
    *([pytest.param("openvino", marks=pytest.mark.slow)] if find_spec("openvino") else []),
]


@pytest.fixture(scope="module")
def recognizer() -> PageRecognizer:
    return PageRecognizer(2)


@pytest.fixture(scope="module")
def page() -> tuple[BgrImage, str]:
    """The upper part of a sample page as a picture, and the text on it."""
    with PdfFile(_SAMPLE) as pdf:
        read = pdf.read_page(1)
    with open_document(_SAMPLE) as document:
        whole = document.render(1, dpi=110)
    # Up to the end of a line: what is cut through cannot be read.
    ends = sorted(line.box[3] for line in read.lines)
    starts = sorted(line.box[1] for line in read.lines)
    border = max(end for end in ends if end <= 0.6 and not any(s < end < s + 0.001 for s in starts))
    shown = [line for line in read.lines if line.box[3] <= border]
    text = "\n".join(read.raw[line.start : line.end] for line in shown)
    return whole[: round((border + 0.008) * whole.shape[0])], text


def _save(picture: BgrImage, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(picture[..., ::-1])).save(path, dpi=(150, 150))
    return path


@pytest.mark.parametrize("engine", _ENGINES)
def test_each_engine_reads_a_page_and_is_named(engine, page):
    recognizer = PageRecognizer(2, engine)
    picture, text = page

    found = recognizer.read_image(picture)

    assert engine in recognizer.name
    assert similarity(found.raw, text) > 0.97
    assert found.confidence > 0.95
    assert (found.turn, found.retried) == (0, False)
    assert found.uncovered < 0.01


def test_onnxruntime_takes_over_where_openvino_does_not_start(monkeypatch):
    started = []
    start = LineEngine._start

    def fails(self, threads, engine):
        started.append(engine)
        if engine == "openvino":
            msg = "Illegal instruction"
            raise RuntimeError(msg)
        start(self, threads, engine)

    monkeypatch.setattr(LineEngine, "_start", fails)

    engine = LineEngine(2, "openvino")

    assert started == ["openvino", "onnxruntime"]
    assert "onnxruntime" in engine.name


@pytest.mark.parametrize("turn", [90, 180, pytest.param(270, marks=pytest.mark.slow)])
def test_a_page_that_lies_is_read_upright(turn, recognizer, page):
    picture, text = page

    found = recognizer.read_image(np.ascontiguousarray(np.rot90(picture, turn // 90)))

    assert found.turn == turn
    assert similarity(found.raw, text) > 0.97
    first = found.lines[0]
    assert first.box[1] < 0.2
    assert first.edges[0] < first.edges[-1]


def test_a_page_on_its_head_is_read_only_once(recognizer, page, monkeypatch):
    picture, text = page
    read = recognizer._engine.read_found
    readings = []

    def noted(lines: FoundLines) -> Reading:
        readings.append(read(lines))
        return readings[-1]

    monkeypatch.setattr(recognizer._engine, "read_found", noted)

    found = recognizer.read_image(np.ascontiguousarray(picture[::-1, ::-1]))

    assert (found.turn, len(readings)) == (180, 1)
    assert similarity(found.raw, text) > 0.97


def test_a_wrong_look_at_the_head_of_a_page_is_put_right(recognizer, page, monkeypatch):
    picture, text = page
    monkeypatch.setattr(recognizer._engine, "upside_down", lambda _found: True)

    found = recognizer.read_image(picture)

    assert found.turn == 0
    assert similarity(found.raw, text) > 0.97


def test_a_line_the_detector_loses_is_read_all_the_same(recognizer, page, monkeypatch):
    picture, text = page
    read = recognizer._engine.read_found

    def without_last(lines: FoundLines) -> Reading:
        found = read(lines)
        lowest = max(range(len(found.quads)), key=lambda i: float(found.quads[i][:, 1].min()))
        kept = [i for i in range(len(found.quads)) if i != lowest]
        return Reading(*(tuple(part[i] for i in kept) for part in (
            found.quads, found.texts, found.scores, found.characters)))  # fmt: skip

    monkeypatch.setattr(recognizer._engine, "read_found", without_last)

    found = recognizer.read_image(picture)

    assert found.found >= 1
    assert similarity(found.raw, text) > 0.97
    assert all(line.edges for line in found.lines)


def test_cells_of_a_ruled_table_become_rows(recognizer):
    picture = Image.new("RGB", (1240, 900), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=36)
    rows = [
        ("Item", "Budget", "Actual"),
        ("Roads", "1200.5", "1180.0"),
        ("Water", "860.0", "861.7"),
    ]
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            draw.rectangle(
                (100 + 340 * c, 150 + 120 * r, 440 + 340 * c, 270 + 120 * r),
                outline="black",
                width=3,
            )
            draw.text((140 + 340 * c, 185 + 120 * r), cell, fill="black", font=font)

    found = recognizer.read_image(np.ascontiguousarray(np.asarray(picture)[..., ::-1]))

    assert found.raw.split("\n") == [" | ".join(row) for row in rows]
    assert [found.raw[line.start : line.end] for line in found.lines][:2] == ["Item", "Budget"]


@pytest.mark.parametrize("shape", [(5, 2000), (2000, 5), (20, 20)])
def test_pictures_that_would_blow_up_the_detector_are_left_out(shape, recognizer):
    found = recognizer.read_image(np.zeros((*shape, 3), np.uint8))

    assert found.raw == ""


def _dual_layer(path: Path, picture: BgrImage, lines: list[str]) -> Path:
    """A PDF with a picture of a page and invisible text over it, as scanners make it."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[..., ::-1])).save(content, "JPEG", quality=90)
    path.parent.mkdir(parents=True, exist_ok=True)
    height = 595 * picture.shape[0] / picture.shape[1]
    canvas = Canvas(str(path), pagesize=(595, height))
    canvas.drawImage(ImageReader(content), 0, 0, 595, height)
    text = canvas.beginText(72, height - 60)
    text.setFont("STSong-Light", 10)
    text.setTextRenderMode(3)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)
    canvas.save()
    return path


def test_hidden_layers_are_compared_and_pages_shown_upright(tmp_path, page):
    picture, text = page
    lines = [line for line in text.split("\n") if line.strip()]
    source = tmp_path / "in"
    _dual_layer(source / "good.pdf", picture, lines)
    _dual_layer(source / "bad.pdf", picture, [line[::-1] for line in lines])
    _save(np.ascontiguousarray(np.rot90(picture)), source / "side.png")
    store, settings = open_home(tmp_path / "home")

    report = run_ingest(source, store, settings)

    (good,), (bad,), (side,) = (store.pages(n) for n in ("good.pdf", "bad.pdf", "side.png"))
    assert good.source is TextSource.LAYER
    assert good.choice.agreement > 0.93
    assert "采用原文字层" in good.choice.reason
    assert bad.source is TextSource.OCR
    assert bad.choice.agreement < 0.93
    assert similarity(bad.raw, text) > 0.97
    assert (report.layers_kept, report.layers_replaced, report.pages_turned) == (1, 1, 1)
    sha = store.file("bad.pdf").sha256
    assert store.page_result(sha, 1, PDF_READER)["raw"].split() == [t[::-1] for t in text.split()]
    assert [w.where for w in report.warnings if "文字层与影像不符" in w.reason] == ["bad.pdf"]
    assert side.turn == 90
    assert side.height / side.width == pytest.approx(picture.shape[0] / picture.shape[1], abs=0.02)
    assert similarity(side.raw, text) > 0.97
    images = PageImages(store, settings.cache_path)
    shown = images.jpeg(side, 640, clear=True)
    images.close()
    assert shown is not None
    with Image.open(io.BytesIO(shown[1])) as upright:
        assert upright.width == pytest.approx(640, abs=2)
        ours = np.asarray(upright.convert("L").resize((80, 60)), float)
    wanted = Image.fromarray(picture).convert("L").resize((80, 60))
    assert np.corrcoef(ours.ravel(), np.asarray(wanted, float).ravel())[0, 1] > 0.8
    store.close()

    again, trusting = open_home(tmp_path / "trusting", layer_check=False)
    run_ingest(source / "bad.pdf", again, trusting)

    (kept,) = again.pages("bad.pdf")
    assert kept.source is TextSource.LAYER
    again.close()


def test_the_bench_tells_speed_errors_and_the_ratio_to_the_engine(recognizer, page, tmp_path):
    picture, text = page
    _save(picture, tmp_path / "a.png").with_suffix(".txt").write_text(text, encoding="utf-8")

    pages = bench_pages(tmp_path, 4)
    figures = measure(pages, recognizer, 200)
    told = "\n".join(summary(figures, recognizer.name, 2))

    assert [p.path.name for p in pages] == ["a.png"]
    assert figures[0].characters > 100
    assert figures[0].errors < 0.03 * figures[0].characters
    assert figures[0].bare_seconds > 0
    assert "页/秒" in told
    assert "字错率" in told
    assert "只跑引擎" in told
