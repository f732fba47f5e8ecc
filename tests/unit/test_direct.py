"""The words that answer a question for a date or a quantity."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.direct import direct_answer
from assistant.gazetteer import Gazetteer
from assistant.question import Question, read_question


def asked(text: str) -> Question:
    return read_question(text, Gazetteer([]), dt.date(2026, 1, 5))


@pytest.mark.parametrize(
    ("question", "quote", "answer"),
    [
        ("条例哪天起施行？", "本条例自2019年\n10月1日起施行。", "2019年\n10月1日"),
        ("哪年通过的？", "二〇〇三年五月十六日第三次会议通过。", "二〇〇三年五月十六日"),
        ("新建了多少个充电点？", "建设集中充电点120个、充电端口2400孔。", "120个"),
        ("占百分之几？", "比重达到百分之三十五，合42万元。", "百分之三十五"),
        ("会期多长时间？", "会议开了三天，出席代表320人。", "三天"),
    ],
)
def test_a_plain_date_or_quantity_is_lifted(question: str, quote: str, answer: str) -> None:
    """This test ensures that the piece is cut from the quotation as it stands there."""
    found = direct_answer(asked(question), quote)

    assert found == answer
    assert answer in quote


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("新建了多少个充电点？", "计划新建120个，实际建成80个。"),
        ("2018年新建了多少个充电点？", "2018年没有新建。"),
        ("共有120个充电点，够用多少个？", "充电点120个。"),
        ("谁提出的？", "2018年由12名代表提出。"),
        ("条例施行了没有？", "自2019年10月1日起施行。"),
    ],
)
def test_nothing_is_put_forward_when_it_is_not_plain(question: str, quote: str) -> None:
    """This test ensures that of several figures, or none, no one is chosen."""
    assert direct_answer(asked(question), quote) is None
