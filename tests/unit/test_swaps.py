"""Questions made unanswerable by changing one name."""

from __future__ import annotations

from assistant.evaluation import Case
from assistant.gazetteer import Gazetteer
from assistant.swaps import hidden, swapped
from index.domain import Record

PLACES = Gazetteer([Record("r", "青岛市养犬管理条例", author="青岛市人大常委会")])


def test_each_name_is_changed_by_itself() -> None:
    """This test ensures that every made question differs in one name and has no gold."""
    case = Case("1", "青岛市2019年第十六届大会第47号建议谁办？", "who", gold=("r",))
    made = {c.kind: c for c in swapped([case], PLACES)}

    assert made["原题"].gold == ("r",)
    assert set(made) == {"原题", "换地方", "换年份", "换届次", "换编号"}
    assert "青岛" not in made["换地方"].question
    assert "2019" not in made["换年份"].question
    assert "第三十九届" in made["换届次"].question
    assert "4047号" in made["换编号"].question
    assert not any(c.gold for kind, c in made.items() if kind != "原题")
    assert swapped([case], PLACES) == swapped([case], PLACES)


def test_a_person_is_changed_for_a_stranger() -> None:
    """This test ensures that names of people are told from titles of bodies."""
    made = swapped([Case("1", "陈柏舟代表提过几件建议？", "number", gold=("r",))], PLACES)
    none = swapped([Case("2", "人大代表大会主任会议几次？", "number", gold=("r",))], PLACES)

    assert [c.kind for c in made] == ["原题", "换人名"]
    assert "陈柏舟" not in made[1].question
    assert [c.kind for c in none] == ["原题"]


def test_follow_ups_counts_and_unanswerable_ones_are_left_out() -> None:
    """This test ensures that only questions that stand alone are changed."""
    cases = [
        Case("1", "青岛呢？", "followup", gold=("r",), history=("济南？",)),
        Case("2", "青岛有几件？", "count", gold=("r",)),
        Case("3", "青岛的？", "fact", gold=()),
    ]

    assert swapped(cases, PLACES) == []


def test_the_records_that_answer_are_left_out() -> None:
    """This test ensures that the made case has no gold and knows what is gone."""
    cases = [Case("1", "青岛每户几只？", "number", gold=("r",), must=("一只",))]
    cases += [Case("2", "有几件？", "count", gold=("r",)), Case("3", "青岛的？", "fact", gold=())]

    written, gone = hidden(cases)

    assert (written.kind, written.gold) == ("原题", ("r",))
    assert (gone.kind, gone.gold, gone.absent, gone.must) == ("缺原件", (), ("r",), ("一只",))
