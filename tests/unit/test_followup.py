"""Follow-ups made self-contained."""

from __future__ import annotations

import pytest

from assistant.domain import Refusal, RefusalReason, Turn
from assistant.followup import needs_context, standalone_question
from assistant.gazetteer import Gazetteer
from index.domain import Coverage, Record

PLACES = Gazetteer([Record("1", "示例市供热条例"), Record("2", "榕城市供热条例")])


def turn(question: str, standalone: str | None = None) -> Turn:
    refusal = Refusal(
        question, standalone or question, "", RefusalReason.NOT_FOUND, "无", Coverage(1, 1, 0)
    )
    return Turn(question, refusal)


def test_without_earlier_turns_nothing_changes() -> None:
    """This test ensures that a first question is left alone."""
    assert standalone_question("那2018年呢？", [], PLACES) == "那2018年呢？"


def test_a_new_year_takes_the_place_of_the_old() -> None:
    """This test ensures that 那2018年呢 keeps the earlier question with the year changed."""
    turns = [turn("2017年的代表建议有多少件？")]

    assert standalone_question("那2018年呢？", turns, PLACES) == "2018年的代表建议有多少件？"


def test_a_new_place_takes_the_place_of_the_old() -> None:
    """This test ensures that a changed place replaces the earlier one."""
    turns = [turn("示例市暖气不热退多少？")]
    standalone = standalone_question("榕城市也是这么退吗？", turns, PLACES)

    assert "榕城市暖气不热退多少" in standalone
    assert "示例" not in standalone


def test_a_pronoun_brings_the_earlier_question_along() -> None:
    """This test ensures that 它是谁批准的 is searched with its subject."""
    turns = [turn("示例市供热条例哪天通过的？")]

    assert "示例市供热条例" in standalone_question("它是谁批准的？", turns, PLACES)


def test_a_chain_of_follow_ups_keeps_the_subject() -> None:
    """This test ensures that the third question still knows the first."""
    turns = [
        turn("2020年工作报告里赤字率多少？"),
        turn(
            "那城镇新增就业的目标是多少？", "2020年工作报告里赤字率多少，城镇新增就业的目标是多少？"
        ),
    ]
    standalone = standalone_question("2022年的呢？", turns, PLACES)

    assert "2022年工作报告" in standalone
    assert "新增就业" in standalone
    assert "2020" not in standalone


@pytest.mark.parametrize("question", ["罚多少？", "哪天通过的？", "谁批准的？"])
def test_a_bare_predicate_leans_on_the_turn_before(question: str) -> None:
    """This test ensures that a question without a subject is a follow-up."""
    assert needs_context(question, PLACES)


@pytest.mark.parametrize(
    "question",
    [
        "示例市养犬管理条例规定每户能养几只犬？",
        "1998年代表建议一共办结了多少件？",
        "红烧肉怎么做？",
    ],
)
def test_a_new_topic_is_not_polluted(question: str) -> None:
    """This test ensures that a question that stands by itself is left alone."""
    assert not needs_context(question, PLACES)
    assert standalone_question(question, [turn("榕城市供热条例哪年通过？")], PLACES) == question
