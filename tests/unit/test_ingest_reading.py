"""Reading order, alignment, reports and progress: pure parts of the write path."""

from __future__ import annotations

import io

import numpy as np

from index.domain import IngestReport, Line, Skipped, TextSource
from ingest.alignment import align_lines
from ingest.page_text import PageText
from ingest.progress import (
    Progress,
    ProgressDisplay,
    current_line,
    duration_words,
    progress_line,
)
from ingest.reading_order import TextBox, reading_order
from ingest.report import summary_text
from ingest.scan import padded, seal_boxes, too_small, without_seals


def _box(left, top, width, height, length, skew=0.0):
    a, b, c, d = (
        (left, top),
        (left + width, top),
        (left + width, top + height),
        (left, top + height),
    )
    corners = tuple((x, y + skew * x) for x, y in (a, b, c, d))
    return TextBox(corners, length)


def test_one_column_goes_down_even_when_skewed():
    boxes = [_box(100, 100 + 40 * n, 1000, 30, 30, skew=0.08) for n in (3, 1, 2, 0)]

    assert reading_order(boxes) == [3, 1, 2, 0]


def test_cells_of_a_row_go_left_to_right():
    boxes = [
        _box(500, 100, 80, 30, 3),
        _box(100, 104, 80, 30, 3),
        _box(300, 97, 80, 30, 3),
        _box(100, 200, 80, 30, 3),
    ]

    assert reading_order(boxes) == [1, 2, 0, 3]


def test_two_columns_are_read_one_after_the_other_below_their_title():
    title = [_box(300, 20, 600, 50, 12)]
    left = [_box(50, 150 + 40 * n, 450, 30, 15) for n in range(8)]
    right = [_box(600, 150 + 40 * n, 450, 30, 15) for n in range(8)]
    rows = [box for pair in zip(left, right, strict=True) for box in pair]

    order = reading_order(title + rows)

    assert order == [0, *range(1, 17, 2), *range(2, 17, 2)]


def test_vertical_text_goes_from_right_to_left():
    boxes = [_box(100 + 60 * n, 100, 40, 900, 25) for n in range(4)]

    assert reading_order(boxes) == [3, 2, 1, 0]


def _places(count, top=0.1):
    return [(0.1 + 0.02 * i, top, 0.12 + 0.02 * i, top + 0.02) for i in range(count)]


def test_raw_text_is_aligned_through_false_spaces_and_radicals():
    lines = align_lines("⼈ 大常 委会\n", "人大常委会", _places(5))

    assert [(line.start, line.end) for line in lines] == [(0, 7)]
    assert len(lines[0].edges) == 8
    assert lines[0].edges[0] == 0.1
    assert lines[0].edges[-1] == 0.2
    assert list(lines[0].edges) == sorted(lines[0].edges)


def test_a_line_of_text_in_two_places_becomes_two_lines():
    boxes = [*_places(3, top=0.1), *_places(3, top=0.5)]

    lines = align_lines("甲乙丙丁戊己", "甲乙丙丁戊己", boxes)

    assert [(line.start, line.end) for line in lines] == [(0, 3), (3, 6)]


def test_a_vertical_line_has_its_borders_downwards():
    boxes = [(0.5, 0.1 + 0.02 * i, 0.52, 0.12 + 0.02 * i) for i in range(4)]

    (line,) = align_lines("甲乙丙丁", "甲乙丙丁", boxes)

    assert line.vertical
    assert line.edges[0] == 0.1


def test_text_that_is_not_on_the_page_has_no_place():
    assert align_lines("别的文字", "甲乙丙丁", _places(4)) == ()


def test_a_page_comes_back_from_its_stored_form():
    page = PageText(
        3, "甲\n乙", TextSource.OCR, "rapidocr", 0.5, "3", (Line(0, 1, (0.1, 0.2, 0.3, 0.4), (0.1, 0.3), 0.9),),
        ((0, 1),), 595.0, 842.0, needs_ocr=True, problem="无",
    )  # fmt: skip

    assert PageText.from_json(page.to_json()) == page


def test_strips_are_padded_before_recognition():
    strip = np.full((40, 2000, 3), 200, np.uint8)

    assert padded(strip).shape == (250, 2000, 3)
    assert too_small(np.zeros((5, 2000, 3), np.uint8))


def test_a_red_seal_is_taken_out_and_the_ink_below_it_stays():
    page = np.full((1754, 1240, 3), 255, np.uint8)
    y, x = np.ogrid[:1754, :1240]
    distance = np.hypot(y - 1200, x - 800)
    page[(distance < 140) & (distance > 60)] = (40, 40, 220)
    page[1195:1205, 640:960] = (20, 20, 20)

    cleaned = without_seals(page)

    assert len(seal_boxes(page)) == 1
    assert cleaned[1100, 800].min() > 200
    assert cleaned[1200, 700].max() < 80


def test_long_lists_are_cut_on_the_terminal():
    report = IngestReport(records_added=3, seconds=75)
    report.skipped += [Skipped(f"{n}.ofd", "不支持的格式", "请另存为 PDF") for n in range(30)]

    text = summary_text(report)

    assert "新增 3 件" in text
    assert "1 分 15 秒" in text
    assert "其余 20 条见报告文件" in text
    assert "29.ofd" not in text
    assert "29.ofd：不支持的格式。请另存为 PDF。" in summary_text(report, shown=None)


def test_progress_tells_pages_rate_and_time_left():
    state = Progress(3, 10, 40, 5, 2.5, 125, "a.pdf", 0.3)

    assert progress_line(state) == "文件 3/10，页 40（文字 35，识别 5），2.5 页/秒，约剩 2 分 05 秒"
    hostile = Progress(3, 10, 40, 5, 2.5, 125, "a\x1b[2J\u202e.pdf", 0.3)
    assert current_line(hostile) == "，正在处理 a␦[2J␦.pdf"
    assert [duration_words(s) for s in (5, 65, 7260)] == ["5 秒", "1 分 05 秒", "2 小时 01 分"]


def test_without_a_terminal_a_line_comes_every_ten_seconds():
    now = [0.0]
    out = io.StringIO()
    state = Progress(1, 10, 4, 0, 2.5, None, "a", 0.1)
    with ProgressDisplay(out, clock=lambda: now[0]) as display:
        for second in range(25):
            now[0] = float(second)
            display.update(state)

    assert out.getvalue().count("\n") == 2
    assert "文件 1/10" in out.getvalue()
