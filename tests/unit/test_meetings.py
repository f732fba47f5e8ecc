"""The table of sittings gathered from records, and the 届次 of a question resolved against it."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.gazetteer import Gazetteer
from assistant.meetings import Meetings, MeetingsTable, mentions_of
from assistant.sessions import AskedSessions, read_sessions
from index.access import EVERYTHING, Permitted
from index.codes import Body
from index.domain import ADOPTION_NOTE, Derived, Page, Record

TODAY = dt.date(2026, 11, 23)
CITY = "示例市人民代表大会常务委员会"
RECORDS = [
    Record("a", "政府工作报告——2017年2月20日在示例市第十五届人民代表大会第一次会议上",
           author=CITY, date_iso="2017-02-20", meeting="十五届人大一次会议"),
    Record("b", "示例市人大常委会关于停车设施的审议意见", author=CITY, date_iso="2018-09-14",
           meeting="十五届常委会第十一次会议"),
    Record("c", "示例市养犬管理条例", author=CITY, date_iso="2019-06-05",
           extra=(("history", "2019年5月31日 示例市第十五届人民代表大会常务委员会第十九次会议通过"),)),
    Record("d", "示例市第十六届人民代表大会第一次会议公告", author=CITY, date_iso="2022-01-12",
           meeting="十六届人大一次会议"),
    Record("e", "示例市第十六届人民代表大会第四次会议文件目录", author=CITY, date_iso="2025-01-15"),
    Record("f", "第四十五次主任会议纪要", author=CITY, date_iso="2020-06-01",
           meeting="十五届第四十五次主任会议"),
    Record("g", "第四十五次主任会议纪要", author=CITY, date_iso="2025-06-01",
           meeting="十六届第四十五次主任会议"),
    Record("h", "示例市人大常委会关于植树的决议", author=CITY, date_iso="1984"),
    Record("i", "榕城县第十六届人民代表大会第一次会议公告", author="榕城县人大", date_iso="2021-12-20"),
]  # fmt: skip
PLACES = Gazetteer(RECORDS)
NOTE = Page("h", 1, "关于植树的决议\n（1984年1月15日示例市第十届人民代表大会第一次会议通过）\n全文")


def first_page(record_id: str) -> Page | None:
    return NOTE if record_id == "h" else None


TABLE = MeetingsTable(lambda: list(enumerate(RECORDS, start=1)), first_page, PLACES)
ALL = TABLE.visible(EVERYTHING)


def asked(text: str, places: tuple[str, ...] = (), **more: object) -> AskedSessions:
    return read_sessions(text, places, lambda: ALL, TODAY, **more)  # type: ignore[arg-type]


def test_a_date_beside_the_session_is_exact() -> None:
    (meeting,) = ALL.find("示例市", Body.STANDING_COMMITTEE, 15, 19)

    assert (meeting.date, meeting.is_exact) == ("2019-05-31", True)
    assert meeting.sources == (3,)
    assert meeting.name == ("示例市第十五届人民代表大会常务委员会第十九次会议（2019年5月）")


def test_the_date_of_a_paper_is_about_the_date_of_its_session() -> None:
    (meeting,) = ALL.find("示例市", Body.STANDING_COMMITTEE, 15, 11)

    assert (meeting.date, meeting.is_exact) == ("2018-09-14", False)
    assert "（2018年）" in meeting.name


def test_the_note_under_the_title_of_page_one_is_read() -> None:
    (meeting,) = ALL.find("示例市", Body.CONGRESS, 10, 1)

    assert meeting.date == "1984-01-15"


def test_the_own_place_is_the_commonest_one() -> None:
    assert ALL.own_place == "示例市"
    assert Meetings((), "榕城县").own_place == "榕城县"


def test_terms_are_counted_per_place() -> None:
    assert ALL.find("榕城县", Body.CONGRESS, 16)[0].date == "2021-12-20"
    assert ALL.term("示例市", 16).first == 2022  # type: ignore[union-attr]
    assert ALL.term("榕城县", 16).first == 2021  # type: ignore[union-attr]


def test_a_term_ends_where_the_next_begins_and_runs_on_by_fives() -> None:
    fifteenth = ALL.term("示例市", 15)
    later = ALL.term_at("示例市", dt.date(2033, 5, 1))

    assert fifteenth is not None
    assert (fifteenth.first, fifteenth.last, fifteenth.is_inferred) == (2017, 2021, False)
    assert later is not None
    assert (later.number, later.first, later.is_inferred) == (18, 2032, True)
    assert "推算" in later.label
    assert ALL.term_at("别的市", TODAY) is None


def test_only_records_the_reader_may_see_are_used() -> None:
    """This test ensures that a session told by a closed record alone is unknown to a deputy."""
    seen = TABLE.visible(Permitted(frozenset({1, 4})))

    assert {m.term for m in seen} == {15, 16}
    assert seen.find(number=45) == []
    assert TABLE.visible(Permitted(frozenset())).own_place == ""


def test_a_full_session_needs_no_reading() -> None:
    found = asked("示例市第十五届人民代表大会第一次会议的报告")

    assert found.sessions == ((15, 1),)
    assert found.readings == ()


def test_a_number_without_term_takes_the_latest_and_names_the_others() -> None:
    found = asked("45次主任会议纪要调出来")

    assert found.sessions == ((16, 45),)
    assert found.readings[0].key == "届次:45次主任会议"
    assert "第十六届" in found.readings[0].meaning
    (note,) = found.notes
    assert note.startswith("我按“示例市第十六届")
    assert "另有：示例市第十五届" in note


def test_a_term_without_body_is_the_congress() -> None:
    found = asked("十五届一次会议谁当选市长？")

    assert found.sessions == ((15, 1),)
    assert "人民代表大会第一次会议" in found.readings[0].meaning


def test_an_unknown_session_stays_as_typed() -> None:
    found = asked("十九届八次会议通过了什么？")

    assert found.sessions == ((19, 8),)
    assert found.readings == ()


@pytest.mark.parametrize(
    ("text", "session", "meaning"),
    [
        ("去年人代会的预算报告", (16, 4), "第十六届人民代表大会第四次会议"),
        ("2017年市人代会选的市长是谁", (15, 1), "第十五届人民代表大会第一次会议（2017年2月）"),
        ("上次常委会会议审议了什么", (15, 19), "常务委员会第十九次会议"),
        ("最近一次人代会是哪天开的", (16, 4), "第四次会议"),
    ],
)
def test_a_session_told_by_time_is_looked_up(
    text: str, session: tuple[int, int], meaning: str
) -> None:
    found = asked(text)

    assert found.sessions == (session,)
    assert meaning in found.readings[0].meaning


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("上届代表提过修大道的议案吗", 2017, 2021), ("本届以来的建议", 2022, 2026)],
)
def test_last_and_this_term_are_years(text: str, first: int, last: int) -> None:
    found = asked(text)

    assert found.period is not None
    assert (found.period.first, found.period.last, found.period.is_firm) == (first, last, False)
    assert found.readings[0].key.startswith("届次:")


def test_the_place_of_the_question_decides_the_term() -> None:
    found = asked("榕城县本届的建议", ("榕城县",))

    assert "榕城县第十六届（2021年" in found.readings[0].meaning


def test_a_reading_taken_off_is_not_used() -> None:
    found = asked("45次主任会议纪要", without=("届次:45次主任会议",))

    assert found.sessions == ((None, 45),)
    assert found.readings == ()
    assert found.notes == ()


def test_the_table_is_not_gathered_for_other_questions() -> None:
    def gather() -> Meetings:
        raise AssertionError("not needed")

    assert read_sessions("养犬条例每户几只", (), gather, TODAY) == AskedSessions()


def test_a_record_without_sessions_says_nothing() -> None:
    assert mentions_of(Record("x", "关于归档的通知", date_iso="2019"), 1, None, PLACES) == []


def test_a_note_read_from_a_page_dates_its_sitting_and_is_its_source() -> None:
    """This test ensures that what was read from a page counts as an exact mention of the record."""
    words = "2019年5月31日示例市第十五届人民代表大会常务委员会第十九次会议通过"
    record = Record(
        "n", "示例市养犬管理条例", author=CITY, date_iso="2019-06-05",
        meeting="示例市第十五届人民代表大会常务委员会第十九次会议",
        derived=(Derived(ADOPTION_NOTE, words, 1, 10, 50),),
    )  # fmt: skip
    table = MeetingsTable(lambda: [(7, record)], lambda _: None, PLACES)
    (meeting,) = table.visible(EVERYTHING)

    assert (meeting.date, meeting.is_exact, meeting.sources) == ("2019-05-31", True, (7,))
    assert not list(table.visible(Permitted(frozenset())))
