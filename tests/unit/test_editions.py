"""Drafts and old texts of a regulation are told from the one that came after."""

from __future__ import annotations

import datetime as dt

from assistant.domain import cite
from assistant.editions import edition_notes, outdated
from assistant.gazetteer import Gazetteer
from assistant.matter_register import MatterRegister
from assistant.question import Question, read_question
from index.access import EVERYTHING, Permitted
from index.domain import Page, Record

RECORDS = {
    1: Record("d", "关于《示例市养犬管理条例（草案）》的说明", date_iso="2018-06-01"),
    2: Record("a", "示例市养犬管理条例", doc_type="地方性法规", date_iso="2019-05-31"),
    3: Record(
        "m",
        "示例市人民代表大会常务委员会关于修改《示例市养犬管理条例》的决定",
        date_iso="2022-08-26",
    ),
    4: Record("b", "示例市养犬管理条例", doc_type="地方性法规", date_iso="2022-09-01"),
    5: Record("o", "示例市停车管理条例", doc_type="地方性法规", date_iso="2020-01-01"),
}
REGISTER = MatterRegister(RECORDS)


def asked(text: str) -> Question:
    return read_question(text, Gazetteer([]), dt.date(2026, 1, 5))


def notes(*numbers: int, permitted: Permitted = EVERYTHING) -> tuple[str, ...]:
    cited = [
        cite(at, RECORDS[n], Page(RECORDS[n].record_id, 1, "甲乙丙"), 1, 0, 2, "p")
        for at, n in enumerate(numbers, start=1)
    ]
    return edition_notes(cited, REGISTER, permitted)


def test_a_draft_and_an_old_text_are_called_so() -> None:
    """This test ensures that neither is read as the rule in force."""
    said = notes(1, 2)

    assert "①" in said[0]
    assert "拟议" in said[0]
    assert "2022年9月" in said[0]
    assert "②" in said[1]
    assert "2019年5月的文本" in said[1]
    assert "国家法律法规数据库" in said[-1]


def test_the_only_or_the_newest_text_gets_no_remark() -> None:
    """This test ensures that nothing is said where the holdings have nothing to say."""
    assert notes(4, 5) == ()


def test_what_the_reader_may_not_see_does_not_exist() -> None:
    """This test ensures that a hidden later text is not told."""
    assert notes(2, permitted=Permitted(frozenset({2}))) == ()


def test_old_texts_come_after_unless_they_are_asked_for() -> None:
    """This test ensures that a question of today goes to the newest text."""
    now = outdated(asked("养犬罚多少钱"), REGISTER, EVERYTHING)
    then = outdated(asked("2019年的条例养犬罚多少钱"), REGISTER, EVERYTHING)
    making = outdated(asked("草案说明里讲养犬罚多少"), REGISTER, EVERYTHING)

    assert [now(r) for r in RECORDS.values()] == [True, True, False, False, False]
    assert not any(then(r) or making(r) for r in RECORDS.values())
