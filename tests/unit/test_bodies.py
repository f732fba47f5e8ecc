"""A congress and its standing committee told apart when records are ranked."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from assistant.retrieval import _of_other_body
from index.domain import Record

CONGRESS = Record("1", "示例省人民代表大会议事规则")
COMMITTEE = Record("2", "示例省人民代表大会常务委员会议事规则")
BOTH = Record("3", "示例省各级人民代表大会常务委员会监督条例")


@pytest.mark.parametrize(
    ("question", "others"),
    [
        ("省人大常委会开会提前几天告诉委员？", [CONGRESS]),
        ("人代会上头一回发言能讲几分钟？", [COMMITTEE]),
        ("人代会和常委会，发言各能讲几分钟？", []),
        ("发言能讲几分钟？", []),
        ("常委会主任由谁选举？", []),
        ("常委会向大会报告工作，谁来审议？", []),
    ],
)
def test_the_rules_of_the_other_body_are_known(question: str, others: list[Record]) -> None:
    """This test ensures that only the body asked about keeps its rank, and none when neither is."""
    asked = read_question(question, Gazetteer(()), dt.date(2026, 3, 1))

    assert [r for r in (CONGRESS, COMMITTEE, BOTH) if _of_other_body(asked, r)] == others
