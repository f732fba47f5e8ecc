"""Conditions beside a question: what they let through, how they are written, what is offered."""

from __future__ import annotations

import pytest

from assistant.filters import (
    NO_FILTERS,
    FilterError,
    Filters,
    facets,
    read_filters,
    read_years,
    session_names,
)
from index.access import EVERYTHING, Permitted
from index.domain import Record

REPLY = Record(
    "J001-WS·2018-Y-DBW-0048",
    "对市十五届人大二次会议第47号建议的答复",
    reference_code="J001-WS·2018-Y-DBW-0048",
    doc_type="建议答复（PDF）",
    meeting="第十五届人民代表大会第二次会议",
    department="代表工作委员会",
    year=2018,
)
UNDATED = Record("x-1", "无年份的来信")


def test_a_condition_lets_through_what_has_the_value_and_no_blank() -> None:
    assert Filters(first_year=2018, last_year=2018).allows(REPLY)
    assert Filters(types=("建议答复",)).allows(REPLY)
    assert Filters(sessions=("十五届人大二次会议",)).allows(REPLY)
    assert Filters(fonds=("J001",)).allows(REPLY)
    assert Filters(departments=("代表工作委员会",), types=("决议", "建议答复")).allows(REPLY)
    assert not Filters(first_year=2019).allows(REPLY)
    assert not Filters(types=("决议",), departments=("代表工作委员会",)).allows(REPLY)
    for filters in (
        Filters(last_year=2030),
        Filters(types=("来信",)),
        Filters(sessions=("一届人大",)),
        Filters(fonds=("J001",)),
        Filters(departments=("办公室",)),
    ):
        assert not filters.allows(UNDATED)
    assert NO_FILTERS.allows(UNDATED)


def test_conditions_never_widen_what_a_reader_may_see() -> None:
    records = {1: REPLY, 2: UNDATED, 3: REPLY}
    within = Permitted(frozenset({1, 2}))
    assert Filters(types=("建议答复",)).narrowed(within, records).numbers == frozenset({1})
    assert NO_FILTERS.narrowed(within, records) == within
    assert NO_FILTERS.narrowed(EVERYTHING, records) == EVERYTHING
    assert Filters(first_year=2018).narrowed(EVERYTHING, records).numbers == frozenset({1, 3})


def test_each_condition_is_a_reading_that_comes_off_by_itself() -> None:
    filters = Filters(2018, 2020, types=("建议", "答复"))
    readings = filters.readings()
    assert [r.sentence for r in readings] == [
        "只查年度：2018—2020年",
        "只查文种：建议",
        "只查文种：答复",
    ]
    assert filters.without(["限定:文种:建议"]) == Filters(2018, 2020, types=("答复",))
    assert filters.without(["限定:年度"]) == Filters(types=("建议", "答复"))
    assert filters.without([r.key for r in readings]) == NO_FILTERS
    assert filters.without(["词:建议", "限定:文种:没有"]) == filters


def test_written_conditions_come_back() -> None:
    filters = Filters(2018, None, ("建议",), ("十五届人大二次会议",), ("J001",), ("办公室",))
    assert read_filters(filters.to_json()) == filters
    assert NO_FILTERS.to_json() == {}
    assert read_filters({}) == NO_FILTERS


def test_a_value_is_understood_however_it_is_written() -> None:
    read = read_filters({"types": ["预算报告(PDF抽取)"], "sessions": ["市十五届人大第2次会议"]})
    assert read.types == ("预算报告",)
    assert read.sessions == ("十五届人大二次会议",)
    assert read_filters({"first_year": 2020, "last_year": 2018}) == Filters(2018, 2020)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "2018",
        {"role": "档案管理员"},
        {"first_year": "2018"},
        {"first_year": True},
        {"first_year": 18},
        {"types": "建议"},
        {"types": [1]},
        {"types": ["长" * 200]},
        {"types": [str(i) for i in range(60)]},
    ],
)
def test_what_is_no_condition_is_refused_in_chinese(body: object) -> None:
    with pytest.raises(FilterError, match="[一-龥]"):
        read_filters(body)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2018", (2018, 2018)),
        ("2018年", (2018, 2018)),
        ("2018-2020", (2018, 2020)),
        ("2018—2020年", (2018, 2020)),
        ("2020至2018", (2018, 2020)),
        ("2018-", (2018, None)),
        ("-2020", (None, 2020)),
    ],
)
def test_years_on_the_command_line(text: str, years: tuple[int | None, int | None]) -> None:
    assert read_years(text) == years


@pytest.mark.parametrize("text", ["", "-", "18", "20182020", "2018 2020", "去年", "2018-2020-2022"])
def test_years_that_cannot_be_read(text: str) -> None:
    with pytest.raises(FilterError, match="读不懂"):
        read_years(text)


def test_what_is_offered_is_counted_and_has_no_blanks() -> None:
    found = facets([REPLY, REPLY, UNDATED])
    assert [(f.value, f.records) for f in found.years] == [("2018", 2)]
    assert [(f.value, f.records) for f in found.types] == [("建议答复", 2)]
    assert [(f.value, f.records) for f in found.sessions] == [("十五届人大二次会议", 2)]
    assert [(f.value, f.records) for f in found.fonds] == [("J001", 2)]
    assert [(f.value, f.records) for f in found.departments] == [("代表工作委员会", 2)]


@pytest.mark.parametrize(
    ("meeting", "name"),
    [
        ("十五届人大常委会第九次会议", "十五届人大常委会第九次会议"),
        ("市十五届人大常委会第五十八次主任会议", "十五届第五十八次主任会议"),
        ("示例市第九届人民代表大会", "九届人大"),
    ],
)
def test_a_sitting_has_one_spelling(meeting: str, name: str) -> None:
    assert session_names(Record("x", "文件", meeting=meeting)) == (name,)
