"""Recognition without an engine: missed ink, page turn, table rows, judging hidden layers."""

from __future__ import annotations

import numpy as np
import pytest

from index.domain import PageChoice, TextSource
from ingest.ink import Ink
from ingest.layer_check import (
    hidden_layers,
    kept_layer,
    layer_agreement,
    replaced_layer,
    sample_pages,
    with_reason,
)
from ingest.orientation import page_turn
from ingest.page_text import PageText
from ingest.quality import repaired
from ingest.reading_order import TextBox, reading_order
from ingest.ruled_cells import cells_of
from ingest.ruling import ruled_lines, unit_per_pixel
from ingest.similarity import errors_in, similarity
from ingest.text_lines import placed_boxes

_TEXT = "会议听取并审议了关于示例市供水工作情况的报告，要求有关部门认真研究办理审议意见。"


def _box(left, top, width, height=30.0, length=None):
    right, bottom = left + width, top + height
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TextBox(corners, max(1, round(width / height)) if length is None else length)


def _said(boxes, cells=None):
    """The text with each box written as its number."""
    return "".join(f"{placed.before}{placed.place}" for placed in placed_boxes(boxes, cells))


def _quad(left, top, right, bottom):
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


# -- what the detector passed over ------------------------------------------------------------


def _page_with_lines(count=10):
    page = np.full((1754, 1240, 3), 255, np.uint8)
    quads = []
    for k in range(count):
        top = 150 + 60 * k
        for i in range(20):
            page[top : top + 30, 120 + 36 * i : 146 + 36 * i] = 30
        quads.append(_quad(110, top - 4, 860, top + 34))
    return page, quads


def test_a_page_mark_nobody_recognised_is_found_by_its_ink():
    page, quads = _page_with_lines()
    page[1600:1625, 600:618] = 20  # the digit
    page[1610:1614, 560:585] = page[1610:1614, 635:660] = 20  # the dashes beside it

    ink = Ink(page)
    (place,) = ink.missed_lines(quads, vertical=False)

    assert ink.uncovered(quads) < 0.01
    assert place[:, 0].min() < 560 < 660 < place[:, 0].max()
    assert place[:, 1].min() < 1600 < 1625 < place[:, 1].max()


def test_a_lost_line_counts_as_uncovered_and_specks_do_not():
    page, quads = _page_with_lines()
    page[1500:1502, 300:302] = 0

    assert Ink(page).uncovered(quads) == 0.0
    assert Ink(page).missed_lines(quads, vertical=False) == []
    assert Ink(page).uncovered(quads[:-1]) == pytest.approx(0.1, abs=0.01)
    assert len(Ink(page).missed_lines(quads[:-1], vertical=False)) == 1


def test_a_blank_page_has_no_ink():
    ink = Ink(np.full((600, 400, 3), 250, np.uint8))

    assert ink.uncovered([]) == 0.0
    assert ink.missed_lines([], vertical=False) == []


# -- which way up -----------------------------------------------------------------------------


def _reader(standing):
    """Reads the pictures that `standing` accepts, rubbish in the others."""
    return lambda pictures: [("字" * 8, 0.99) if standing(p) else ("9、0", 0.4) for p in pictures]


def _line(head):
    """A line picture with a dark end, so that a turn can be seen."""
    line = np.full((40, 256, 3), 255, np.uint8)
    line[:, :32] = head
    return line


def test_an_upright_page_costs_nothing_and_stays():
    def never(pictures):
        raise AssertionError

    assert page_turn([_line(0)], ["字" * 8], 0.98, tall=False, read=never) == 0
    assert page_turn([], [], 0.0, tall=False, read=never) == 0


def test_a_page_upside_down_reads_better_when_turned():
    read = _reader(lambda picture: picture.shape == (40, 256, 3) and picture[0, -1, 0] == 0)

    assert page_turn([_line(0)], ["字" * 8], 0.7, tall=False, read=read) == 180


def test_columns_that_lie_across_the_page_are_set_up():
    read = _reader(lambda picture: True)

    assert page_turn([_line(0)], ["字" * 8], 0.9, tall=False, read=read) == 90


@pytest.mark.parametrize(("stand", "turn"), [(True, 0), (False, 270)])
def test_tall_lines_that_read_well_are_columns_or_a_page_on_its_side(stand, turn):
    read = _reader(lambda picture: stand)

    assert page_turn([_line(0)], ["字" * 8], 0.97, tall=True, read=read) == turn


def test_tall_lines_that_read_better_turned_are_a_page_on_its_other_side():
    read = _reader(lambda picture: picture.shape == (40, 256, 3) and picture[0, -1, 0] == 0)

    assert page_turn([_line(0)], ["字" * 8], 0.6, tall=True, read=read) == 90


# -- rows -------------------------------------------------------------------------------------


def test_rows_with_gaps_above_each_other_are_a_table():
    boxes = [_box(x, 100 + 50 * row, 90) for row in range(3) for x in (100, 400, 700)]

    assert _said(boxes) == "0 | 1 | 2\n3 | 4 | 5\n6 | 7 | 8"


def test_two_ends_of_one_line_are_no_table():
    boxes = [_box(300, 40, 500), _box(100, 100, 200), _box(800, 100, 150), _box(100, 160, 900)]

    assert _said(boxes) == "0\n1\n2\n3"


def test_pieces_of_one_printed_line_are_joined():
    boxes = [_box(100, 100, 300), _box(405, 101, 300), _box(735, 99, 200), _box(100, 150, 800)]

    assert _said(boxes) == "01 2\n3"


def _ruled_page():
    page = np.full((1000, 1000, 3), 255, np.uint8)
    for y in (100, 220, 340):
        page[y : y + 2, 100:902] = 0
    for x in (100, 300, 600, 900):
        page[100:341, x : x + 2] = 0
    return page


def test_ruled_cells_keep_their_lines_together():
    page = _ruled_page()
    boxes = [
        _box(120, 145, 150), _box(320, 115, 250), _box(320, 165, 120), _box(620, 145, 100),
        _box(120, 265, 150), _box(320, 265, 250), _box(620, 265, 100), _box(100, 500, 700),
    ]  # fmt: skip
    unit = unit_per_pixel(page)
    frames = [
        (b.corners[0][0] * unit, b.corners[0][1] * unit, b.corners[2][0] * unit, b.corners[2][1] * unit)
        for b in boxes
    ]  # fmt: skip

    cells = cells_of(frames, ruled_lines(page, 30))

    assert _said(boxes, cells) == "0 | 12 | 3\n4 | 5 | 6\n7"


def test_a_page_of_text_has_no_rules():
    page, _ = _page_with_lines()

    assert ruled_lines(page, 30).across == ()


def test_notes_in_two_narrow_lines_are_read_right_line_first():
    column = [_box(100, 100, 40, 600, 15), _box(122, 720, 18, 200, 8), _box(100, 722, 18, 200, 8)]
    other = [_box(40, 100, 40, 800, 20)]
    foot = [_box(60, 1000, 100, 30, 5)]

    assert reading_order([*other, *column, *foot]) == [1, 2, 3, 0, 4]


# -- layers -----------------------------------------------------------------------------------


def test_similarity_passes_over_spaces_and_shapes_of_marks():
    assert similarity("示例市 人大\n常委会——（一）", "示例市人大常委会--(一)") == 1.0
    assert similarity("", " \n") == 1.0
    assert similarity("甲乙丙丁", "甲乙丙戊") == pytest.approx(0.75)
    assert errors_in("甲乙丁 | 戊", "甲乙丙丁戊") == (1, 5)


def _layer(number, text=_TEXT):
    return PageText(
        number, text, TextSource.LAYER, "pypdf", hidden=True, choice=PageChoice("", 0.0)
    )


def _recognised(number, text=_TEXT, confidence=0.98):
    choice = PageChoice(uncovered=0.01)
    return PageText(number, text, TextSource.OCR, "rapidocr", confidence, choice=choice)


def test_first_and_middle_page_are_compared():
    pages = {n: _layer(n, "" if n == 1 else _TEXT) for n in range(1, 10)}
    pages[4] = PageText(4, _TEXT, TextSource.LAYER)

    assert 4 not in hidden_layers(pages)
    assert sample_pages(hidden_layers(pages)) == (2, 6)
    assert sample_pages({}) == ()


def test_the_worse_page_decides_and_unsure_recognition_is_no_witness():
    layers = {1: _layer(1), 5: _layer(5)}

    assert layer_agreement(layers, {1: _recognised(1), 5: _recognised(5)}) == 1.0
    assert layer_agreement(layers, {1: _recognised(1), 5: _recognised(5, _TEXT[:20])}) < 0.6
    assert layer_agreement(layers, {1: _recognised(1, "别的", 0.5)}) is None


def test_pages_say_why_their_text_was_taken():
    kept = kept_layer(_layer(1), 0.99)
    unsure = kept_layer(_layer(1), None)
    replaced = replaced_layer(_layer(1, "旧字"), _recognised(1), 0.41)
    lost = replaced_layer(_layer(1), PageText(1, "", TextSource.NONE), 0.41)

    assert "相符 99%" in kept.choice.reason
    assert "无法核对" in unsure.choice.reason
    assert replaced.raw == _TEXT
    assert "相符仅 41%" in replaced.choice.reason
    assert (replaced.choice.uncovered, replaced.choice.bad) == (0.01, 0.0)
    assert lost.raw == _TEXT


def test_a_recognised_page_says_why_its_layer_was_not_used():
    drawn = PageText(1, "", TextSource.NONE, needs_ocr=True, choice=PageChoice("乱码", 0.6))

    page = with_reason(drawn, _recognised(1))

    assert (page.choice.reason, page.choice.bad) == ("乱码", 0.6)
    assert page.choice.uncovered == 0.01
    assert with_reason(None, _recognised(1)) == _recognised(1)


@pytest.mark.parametrize("wrong", ["latin-1", "utf-16-be"])
def test_gbk_read_as_something_else_is_mended(wrong):
    encoded = _TEXT.encode("gbk") + (b" " if len(_TEXT.encode("gbk")) % 2 else b"")

    assert repaired(encoded.decode(wrong)).strip() == _TEXT
    assert repaired("An English page that is not Chinese at all.") == ""
    assert repaired(_TEXT) == ""
