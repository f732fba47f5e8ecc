"""Reading a question."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.gazetteer import Gazetteer
from assistant.question import Intent, read_question
from index.domain import Record

TODAY = dt.date(2026, 11, 23)
PLACES = Gazetteer(
    [
        Record("1", "示例市养犬管理条例", author="示例市人民代表大会常务委员会"),
        Record("2", "关于榕城县2021年预算执行情况的报告"),
        Record("3", "山东省人大常委会议事规则"),
    ]
)


def read(text: str):  # type: ignore[no-untyped-def]
    return read_question(text, PLACES, TODAY)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("库里示例市的地方性法规一共有几部？", Intent.COUNT),
        ("示例市养狗最多能养几条？", Intent.NUMBER),
        ("这个条例哪天通过的？", Intent.WHEN),
        ("电动车充电归哪个部门管？", Intent.WHO),
        ("会议通过了哪些决定？", Intent.LIST),
        ("主城区能不能养两条狗？", Intent.YES_NO),
        ("示例市和榕城县的规定一样吗？", Intent.COMPARE),
        ("养犬条例后来改过没有？", Intent.VERSION),
    ],
)
def test_the_question_word_tells_what_is_wanted(text: str, intent: Intent) -> None:
    """This test ensures that each kind of question is told by its wording."""
    assert intent is read(text).intent


def test_a_short_place_name_is_the_full_one() -> None:
    """This test ensures that 示例 and 示例市 are one place."""
    assert read("示例养狗怎么规定的").places == ("示例市",)
    assert read("榕城县的预算").places == ("榕城县",)


def test_a_place_no_record_is_about_is_told_apart() -> None:
    """This test ensures that an unknown town is not silently dropped."""
    asked = read("龙潭市养狗怎么规定的")

    assert asked.places == ()
    assert "龙潭市" in asked.unknown_places


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2018年的建议", (2018,)),
        ("二○一八年的建议", (2018,)),
        ("八三年植树的决议", (1983,)),
        ("去年的预算报告", (2025,)),
        ("今年一月的会", (2026,)),
        ("〔2016〕12号", (2016,)),
    ],
)
def test_years_are_read_in_every_spelling(text: str, years: tuple[int, ...]) -> None:
    """This test ensures that Arabic, Chinese, short and relative years resolve."""
    assert years == read(text).years


def test_a_resolved_relative_year_is_reported() -> None:
    """This test ensures that the reader can be told what 去年 was taken for."""
    assert read("去年的预算报告").relative == (("去年", "2025年"),)


def test_a_month_joins_the_only_year() -> None:
    """This test ensures that 2023年7月 filters by month."""
    assert "2023-07" in read("日期写着2023年7月的新闻").dates


def test_function_words_are_not_evidence() -> None:
    """This test ensures that question words never count as missing terms."""
    terms = read("请问示例市养犬管理到底是怎么规定的呢？").content_terms

    assert "养犬" in terms
    assert not {"请问", "到底", "怎么", "的呢"} & terms


def test_words_holding_a_function_word_survive() -> None:
    """This test ensures that 目的, 地方性法规 and 会议 are not cut up."""
    terms = read("地方性法规的立法目的和会议纪要").content_terms

    assert {"地方", "性法", "法规", "目的", "会议"} <= terms


def test_quoted_words_are_phrases() -> None:
    """This test ensures that quoted words are kept whole."""
    assert read("题名里带“物业管理条例”的有几条").phrases == ("物业管理条例",)
