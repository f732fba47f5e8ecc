"""Tenures read from elections and appointments."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.chain_text import RecordText
from assistant.gazetteer import Gazetteer
from assistant.offices import Act, asked_office, fits, holds, read_tenures
from assistant.question import Question, read_question
from index.domain import Page, Record

PLACES = Gazetteer([Record("1", "云泽市人大公告")])


def text(title: str, raw: str) -> RecordText:
    record = Record("R", title, date_iso="2012-02-10")
    return RecordText(record, (Page("R", 1, raw, 0),), 1, ())


def question(words: str) -> Question:
    return read_question(words, PLACES, dt.date(2026, 1, 1))


ELECTION = text(
    "云泽市第八届人民代表大会第一次会议公告",
    "公告\n云泽市第八届人民代表大会第一次会议于2012年2月9日选举产生：\n"
    "一、云泽市第八届人民代表大会常务委员会主任：纪云\n舟\n副主任：龚自远（女）、唐有为\n"
    "二、云泽市市长：贾思齐\n会议应到代表300人。\n现予公告。\n",
)
LIST = text(
    "云泽市人大常委会任免名单",
    "（2015年3月6日云泽市第八届人民代表大会常务委员会第二十次会议通过）\n决定任命：\n"
    "卢一帆（女）为云泽市公安局局长；\n任命毛远山为云泽市人大常委会法制工作委员会主任。\n"
    "决定免去：\n罗成业的云泽市公安局局长职务。\n接受唐有为辞去云泽市人大常委会副主任职务的请求。\n",
)


def test_an_election_list_gives_office_and_day() -> None:
    """This test ensures that a name broken over lines and a bare 副主任 are read right."""
    found = [(t.person, t.office, t.act, t.iso) for t in read_tenures(ELECTION)]
    committee = "云泽市第八届人民代表大会常务委员会"

    assert found == [
        ("纪云舟", f"{committee}主任", Act.ELECTED, "2012-02-09"),
        ("龚自远", f"{committee}副主任", Act.ELECTED, "2012-02-09"),
        ("唐有为", f"{committee}副主任", Act.ELECTED, "2012-02-09"),
        ("贾思齐", "云泽市市长", Act.ELECTED, "2012-02-09"),
    ]


def test_a_list_of_appointments_has_two_halves() -> None:
    """This test ensures that 任命, 免去 and 辞去 are told apart."""
    found = {(t.person, t.act) for t in read_tenures(LIST)}

    assert found == {
        ("卢一帆", Act.APPOINTED),
        ("毛远山", Act.APPOINTED),
        ("罗成业", Act.REMOVED),
        ("唐有为", Act.RESIGNED),
    }
    assert {t.iso for t in read_tenures(LIST)} == {"2015-03-06"}


@pytest.mark.parametrize(
    ("office", "asked", "same"),
    [
        ("云泽市环境保护局局长", "环保局局长", True),
        ("云泽市第八届人民代表大会常务委员会主任", "常委会主任", True),
        ("云泽市人大常委会法制工作委员会主任", "常委会主任", False),
        ("云泽市副市长", "市长", False),
        ("云泽市代理市长", "市长", False),
        ("云泽市人民政府副市长", "副市长", True),
        ("云泽市审计局局长", "审计局长", True),
        ("云泽市监察委员会主任", "常委会主任", False),
    ],
)
def test_an_office_is_known_by_its_short_name(office: str, asked: str, same: bool) -> None:
    """This test ensures that abbreviations fit and neighbouring offices do not."""
    assert holds(office, asked) is same


@pytest.mark.parametrize(
    ("words", "person", "office"),
    [
        ("历届常委会主任都有谁", "", "常委会主任"),
        ("2012年人代会选的市长是谁？", "", "市长"),
        ("贾思齐什么时候当选市长？", "贾思齐", "市长"),
        ("卢一帆是哪年任命的公安局局长？", "卢一帆", "公安局局长"),
    ],
)
def test_a_question_for_an_office_is_read(words: str, person: str, office: str) -> None:
    """This test ensures that person and office are found in everyday wording."""
    asked = asked_office(question(words), {"贾思齐", "卢一帆"})

    assert asked is not None
    assert (asked.person, asked.office) == (person, office)


@pytest.mark.parametrize(
    "words", ["贾思齐当选市长得了多少票？", "市长说了什么", "市长的述职报告是谁写的"]
)
def test_other_questions_are_left_alone(words: str) -> None:
    """This test ensures that a question for votes or for a speech is not taken for one."""
    assert asked_office(question(words), {"贾思齐"}) is None


def test_another_year_or_session_does_not_fit() -> None:
    """This test ensures that an election of another sitting is no answer."""
    mayor = next(t for t in read_tenures(ELECTION) if t.office.endswith("市长"))

    assert fits(mayor, question("2012年谁当选市长"))
    assert not fits(mayor, question("2008年谁当选市长"))
    assert not fits(mayor, question("七届一次会议谁当选市长"))
