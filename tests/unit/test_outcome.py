"""Questions for what became of a matter."""

from __future__ import annotations

import pytest

from assistant.matter import StepKind
from assistant.outcome import asks_outcome, named_steps


@pytest.mark.parametrize(
    "form",
    [
        "后来办成了吗", "结果呢", "那最后怎么处理的", "后来建成了吗?", "最后解决了没有", "第47号建议办结了吗?", "办到哪一步了",
        "整改了没有", "有下文吗",
    ],
)  # fmt: skip
def test_a_question_for_the_end_is_known(form: str) -> None:
    """This test ensures that lay wordings for the outcome are understood."""
    assert asks_outcome(form)


@pytest.mark.parametrize(
    "form",
    ["谁提的?", "哪天通过的?", "罚多少?", "那2019年呢", "处理意见写了什么", "结果公告在哪一盒"],
)
def test_other_follow_ups_are_not(form: str) -> None:
    """This test ensures that a date or a sum is not taken for the outcome."""
    assert not asks_outcome(form)


def test_a_step_is_known_by_its_name() -> None:
    """This test ensures that 满意度测评 leads to that paper of the chain."""
    assert StepKind.POLL in named_steps("满意度测评呢")
    assert StepKind.SECOND_REPLY in named_steps("再次答复呢")
    assert not named_steps("谁提的")
