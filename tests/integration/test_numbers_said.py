"""The number an answer states is the number of rows it gives: in the terminal, page and export."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from assistant.domain import Answer, Refusal
from index.domain import Reader, Role
from ui.export import export_answer
from ui.render import answer_blocks
from ui.terminal import result_text

if TYPE_CHECKING:
    from assistant.assistant import Assistant

ARCHIVIST = Reader(Role.ARCHIVIST, "管理员")
PUBLIC = Reader(Role.PUBLIC, "读者")


def ask(assistant: Assistant, question: str, reader: Reader = ARCHIVIST) -> Answer:
    answer = assistant.ask(question, [], reader)
    assert isinstance(answer, Answer), question
    return answer


@pytest.mark.parametrize(
    "question",
    [
        "哪些是决议",
        "一共多少件",
        "90年代的案卷列个清单",
        "题名重复的有几件",
        "2018年的建议有几件？",
    ],
)
def test_a_count_gives_as_many_rows_as_it_says(sample_assistant: Assistant, question: str) -> None:
    """This test ensures that lead, listings, terminal text, page and export agree."""
    answer = ask(sample_assistant, question)
    said = re.search(r"共 (\d+) [件卷]", answer.lead)
    sheet = export_answer(
        answer, sample_assistant.store, ARCHIVIST, "csv", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ).decode("utf-8-sig")

    assert said is not None
    count = int(said.group(1))
    assert len(answer.listings) == count
    assert len(re.findall(r"^\d+,", sheet, re.MULTILINE)) == count
    text = result_text(answer)
    page = "\n".join(answer_blocks(answer, "a"))
    assert len(re.findall(r"^\| \[", page, re.MULTILINE)) == count
    assert all(row.record.title in text for row in answer.listings)


@pytest.mark.parametrize("topic", ["加装电梯", "电动自行车", "烂尾楼", "食品安全执法检查"])
def test_precedents_give_as_many_matters_as_they_say(
    sample_assistant: Assistant, topic: str
) -> None:
    """This test ensures that the number in the lead is that of the numbered matters shown."""
    answer = sample_assistant.ask(topic, [], ARCHIVIST, precedents=True)
    assert isinstance(answer, Answer)
    said = re.search(r"检得 (\d+) 宗", answer.lead)

    assert said is not None
    assert int(said.group(1)) == len(answer.precedents)
    assert f"【{len(answer.precedents)}】" in result_text(answer)
    assert f"【{len(answer.precedents) + 1}】" not in result_text(answer)


def test_holders_of_an_office_are_as_many_as_said(sample_assistant: Assistant) -> None:
    """This test ensures that the number in the lead is that of the names that follow."""
    answer = ask(sample_assistant, "历届常委会主任都有谁")
    said = re.search(r"共有 (\d+) 条", answer.lead)

    assert said is not None
    assert int(said.group(1)) == len(answer.lead.split("；"))
    assert "沈砚秋" in answer.lead


def test_a_time_taken_off_is_no_condition_of_a_count(sample_assistant: Assistant) -> None:
    """This test ensures that --without reaches the catalogue, and that a wrong key is told."""
    with_time = ask(sample_assistant, "近五年的决定有几件")
    without = sample_assistant.ask("近五年的决定有几件", [], ARCHIVIST, ["时间:近五年"])
    wrong = sample_assistant.ask("近五年的决定有几件", [], ARCHIVIST, ["时间:近十年"])
    assert isinstance(without, Answer)

    assert len(without.listings) > len(with_time.listings)
    assert "日期" not in without.lead
    assert any("时间:近十年" in n and "时间:近五年" in n for n in wrong.notes)


def test_a_public_reader_is_told_their_own_total(sample_assistant: Assistant) -> None:
    """This test ensures that 一共多少件 counts what the role may see, and why totals differ."""
    everything = ask(sample_assistant, "一共多少件")
    own = ask(sample_assistant, "一共多少件", PUBLIC)

    assert len(own.listings) < len(everything.listings)
    assert str(len(own.listings)) in own.lead
    assert any("只有目录" in note for note in everything.notes)


def test_the_outcome_is_told_from_later_records(sample_assistant: Assistant) -> None:
    """This test ensures that 后来建成了吗 is answered from the report, not from the proposal."""
    from assistant.domain import Turn

    before = "1998年提铁路道口看守房的是哪位代表？"
    first = sample_assistant.ask(before, [], ARCHIVIST)
    answer = sample_assistant.ask("后来建成了吗？", [Turn(before, first)], ARCHIVIST)
    assert isinstance(answer, Answer)

    assert answer.citations[0].record.record_id == "0012-1-36-1"
    assert any("9月26日建成" in c.quote for c in answer.citations)


def test_an_election_not_on_record_is_refused(sample_assistant: Assistant) -> None:
    """This test ensures that a report of that sitting is no election result."""
    assert isinstance(sample_assistant.ask("十五届一次会议谁当选市长", [], ARCHIVIST), Refusal)
