"""Questions whose wording does not tell whether they go on with the answer before."""

from __future__ import annotations

import pytest

from assistant.assistant import Assistant
from assistant.domain import Answer, Turn
from index.domain import Reader, Role

ARCHIVIST = Reader(Role.ARCHIVIST)
BIKES = "示例市电动自行车管理条例规定满多少岁才能骑？"


def second(assistant: Assistant, first: str, then: str) -> Answer:
    """The answer to a question asked after another one."""
    before = assistant.ask(first, [], ARCHIVIST)
    assert isinstance(before, Answer)
    after = assistant.ask(then, [Turn(first, before)], ARCHIVIST)
    assert isinstance(after, Answer)
    return after


@pytest.mark.parametrize(
    ("first", "then", "title"),
    [
        (BIKES, "骑快了，超速要罚多少？", "电动自行车管理条例"),
        (BIKES, "酒后骑了怎么处理？", "电动自行车管理条例"),
        (BIKES, "充电的服务费，一度最多收多少？", "电动自行车管理条例"),
    ],
)
def test_an_ellipsis_goes_on_with_the_record_before(
    sample_assistant: Assistant, first: str, then: str, title: str
) -> None:
    """This test ensures that the record before is asked, and that the page says so."""
    answer = second(sample_assistant, first, then)

    assert title in answer.citations[0].record.title
    assert answer.question == then
    assert answer.standalone.endswith(then)
    assert answer.standalone != then, "the question as it was searched is shown"


@pytest.mark.parametrize(
    ("then", "title"),
    [
        ("加装电梯的业主要几成同意？", ""),
        ("食品安全执法检查发现了什么问题？", "食品安全"),
        ("幼儿园的学费退了没有？", ""),
    ],
)
def test_a_new_matter_does_not_go_on(sample_assistant: Assistant, then: str, title: str) -> None:
    """This test ensures that a question on something else is answered as if asked first."""
    alone = sample_assistant.ask(then, [], ARCHIVIST)
    before = sample_assistant.ask(BIKES, [], ARCHIVIST)
    after = sample_assistant.ask(then, [Turn(BIKES, before)], ARCHIVIST)

    assert after.standalone == then
    assert type(after) is type(alone)
    if isinstance(alone, Answer) and isinstance(after, Answer):
        assert [c.quote for c in after.citations] == [c.quote for c in alone.citations]
    assert title in "".join(c.record.title for c in getattr(after, "citations", ()))
