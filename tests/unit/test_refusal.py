"""What a question names and a record lacks."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from assistant.refusal import mismatch
from index.domain import Record
from index.text import search_form


def lacking(question: str, title: str, text: str = "", *, year: int | None = None) -> str:
    """What `mismatch` says of a record with this title whose passages read so."""
    record = Record("r1", title, year=year)
    read = read_question(question, Gazetteer([record]), dt.date(2032, 1, 5))
    near = search_form(f"{title} {text}").text
    return mismatch(read, record, int(bool(read.places)), near, lambda _: 3.0)


@pytest.mark.parametrize(
    ("question", "title", "text", "why"),
    [
        ("2029年政府工作报告定的赤字率是多少", "2030年政府工作报告", "2029年赤字率", "年份不符"),
        ("2030年政府工作报告定的赤字率是多少", "2030年政府工作报告", "赤字率", ""),
        ("2029年和2030年政府工作报告里泊位目标各是多少", "2029年政府工作报告", "泊位目标", ""),
        ("2029年新增泊位多少个", "2030年政府工作报告", "新增泊位五千个", ""),
        ("2028年新增泊位多少个", "2030年政府工作报告", "新增泊位五千个", "年份不符"),
        ("2029年政府工作报告里的泊位目标完成了吗", "泊位建设情况的汇报", "2029年泊位目标完成", ""),
    ],
)
def test_a_yearly_report_is_that_of_the_year_it_is_called_by(
    question: str, title: str, text: str, why: str
) -> None:
    """This test ensures that the report of the next year does not answer for the one named.

    It does tell of the year before where no report is named.
    """
    assert lacking(question, title, text) == why


@pytest.mark.parametrize(
    ("question", "title", "why"),
    [
        ("擅自挖路，按那个城区道路管理条例罚多少", "示例市停车场管理条例", "文件不符"),
        ("擅自挖路，按那个城区道路管理条例罚多少", "示例市城区道路管理条例", ""),
        ("停车场条例里怎么写配建车位", "示例市城市绿化条例", "文件不符"),
        ("电动车条例哪天施行", "示例市电动自行车管理条例", ""),
    ],
)
def test_another_rule_does_not_answer_for_the_one_named(
    question: str, title: str, why: str
) -> None:
    """This test ensures that a rule called by its subject is that rule."""
    assert lacking(question, title) == why
