import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.domain import Line, Page
from index.highlight import quote_boxes


def _page(*lines: Line, raw: str = "甲乙丙丁\n戊己庚辛\n") -> Page:
    return Page("A", 1, raw, lines=lines, width=100, height=100)


def test_known_edges_bound_the_box() -> None:
    line = Line(0, 4, (0.1, 0.2, 0.9, 0.25), edges=(0.1, 0.2, 0.5, 0.6, 0.9))

    assert quote_boxes(_page(line), 1, 3) == ((0.2, 0.2, 0.6, 0.25),)


def test_unknown_edges_share_the_line_evenly() -> None:
    line = Line(0, 4, (0.1, 0.2, 0.9, 0.25))

    (box,) = quote_boxes(_page(line), 2, 4)

    assert box == pytest.approx((0.5, 0.2, 0.9, 0.25))


def test_a_vertical_line_is_cut_along_its_height() -> None:
    line = Line(0, 4, (0.8, 0.1, 0.85, 0.5), vertical=True)

    (box,) = quote_boxes(_page(line), 0, 2)

    assert box == pytest.approx((0.8, 0.1, 0.85, 0.3))


def test_edges_of_the_wrong_length_are_not_trusted() -> None:
    line = Line(0, 4, (0.0, 0.0, 0.4, 0.1), edges=(0.0, 0.4))

    (box,) = quote_boxes(_page(line), 0, 1)

    assert box == pytest.approx((0.0, 0.0, 0.1, 0.1))


def test_a_quotation_over_two_lines_has_two_boxes_in_reading_order() -> None:
    first, second = Line(0, 4, (0.1, 0.1, 0.9, 0.15)), Line(5, 9, (0.1, 0.2, 0.9, 0.25))

    boxes = quote_boxes(_page(first, second), 2, 7)

    assert [box[1] for box in boxes] == [0.1, 0.2]


def test_pieces_of_one_printed_line_are_joined() -> None:
    first, second = Line(0, 2, (0.1, 0.1, 0.3, 0.15)), Line(2, 4, (0.31, 0.101, 0.5, 0.151))

    assert quote_boxes(_page(first, second), 0, 4) == ((0.1, 0.1, 0.5, 0.151),)


def test_two_columns_at_one_height_are_not_joined() -> None:
    first, second = Line(0, 2, (0.1, 0.1, 0.3, 0.15)), Line(2, 4, (0.6, 0.1, 0.8, 0.15))

    assert len(quote_boxes(_page(first, second), 0, 4)) == 2


def test_white_space_is_not_boxed() -> None:
    line = Line(0, 4, (0.0, 0.1, 0.4, 0.2))

    (box,) = quote_boxes(_page(line, raw="　　丙丁"), 0, 4)

    assert box == pytest.approx((0.2, 0.1, 0.4, 0.2))
    assert quote_boxes(_page(line, raw="　　丙丁"), 0, 2) == ()


def test_a_page_without_line_places_has_no_boxes() -> None:
    assert quote_boxes(_page(), 0, 4) == ()


@given(
    start=st.integers(-3, 12),
    end=st.integers(-3, 12),
    box=st.tuples(*[st.floats(-0.5, 1.5) for _ in range(4)]),
    vertical=st.booleans(),
)
def test_every_box_lies_on_the_page(
    start: int, end: int, box: tuple[float, float, float, float], vertical: bool
) -> None:
    page = _page(Line(0, 4, box, vertical=vertical), Line(5, 9, box, vertical=vertical))

    for left, top, right, bottom in quote_boxes(page, start, end):
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
