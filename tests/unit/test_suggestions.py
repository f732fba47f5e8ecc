"""Questions offered: only what was asked and answered, from the holdings and the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.catalogue_view import CatalogueView
from assistant.domain import Answer, Listing, Refusal, RefusalReason, Turn, cite
from assistant.suggestions import OFFERED, next_questions, other_words
from assistant.vocabulary import Entry, Vocabulary
from assistant.volume import same_volume, volume_of
from index.domain import Coverage, Page, Record, SubDocument

COVERAGE = Coverage(3, 3, 0)


def _record(number: int, title: str, year: int, **more: object) -> Record:
    return replace(
        Record(f"r{number}", title, year=year, date_iso=f"{year}-03-01"),
        **more,  # type: ignore[arg-type]
    )


R2018 = _record(1, "关于2018年预算执行情况的报告", 2018)
R2019 = _record(2, "关于2019年预算执行情况的报告", 2019, doc_no="示政〔2019〕3号",
                parts=(SubDocument("附件1", "表", 2, 0, 3),))  # fmt: skip
R2020 = _record(3, "关于2020年预算执行情况的报告", 2020)
OTHER = _record(4, "关于电梯的建议", 2019)
HELD = (R2018, R2019, R2020, OTHER)


def _answer(question: str, *records: Record) -> Answer:
    citations = tuple(
        cite(i, r, Page(r.record_id, 1, "原文的一句话。"), 1, 0, 6, f"p{i}")
        for i, r in enumerate(records, start=1)
    )
    return Answer(question, question, "", "", citations, (), COVERAGE)


def _refusal(question: str) -> Refusal:
    return Refusal(question, question, "", RefusalReason.NOT_FOUND, "没有", COVERAGE)


class Asked:
    """Answers by what a question holds; remembers what was asked."""

    def __init__(self, **answers: Record) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.turns: list[Sequence[Turn]] = []

    def __call__(self, question: str, turns: Sequence[Turn]) -> Answer | Refusal:
        self.asked.append(question)
        self.turns.append(turns)
        for words, record in self.answers.items():
            if words in question:
                return _answer(question, record)
        return _refusal(question)


def test_other_years_of_the_same_paper_are_offered_in_the_words_of_the_question() -> None:
    ask = Asked(**{"2018年": R2018, "2020年": R2020})
    found = next_questions(_answer("2019年预算收入多少？", R2019), CatalogueView(HELD), ask)
    assert [s.question for s in found] == ["2020年预算收入多少？", "2018年预算收入多少？"]


def test_what_would_be_refused_is_not_offered() -> None:
    assert next_questions(_answer("预算", R2019), CatalogueView(HELD), Asked()) == ()


def test_what_brings_another_record_than_it_names_is_not_offered() -> None:
    ask = Asked(**{"2018年": OTHER, "2020年": OTHER, "后来": R2019})
    found = next_questions(_answer("2019年预算收入多少？", R2019), CatalogueView(HELD), ask)
    assert found == ()


def test_a_record_out_of_sight_is_neither_offered_nor_asked_about() -> None:
    ask = Asked(**{"2018年": R2018, "2020年": R2020})
    seen = CatalogueView((R2018, R2019))
    found = next_questions(_answer("2019年预算收入多少？", R2019), seen, ask)
    assert [s.question for s in found] == ["2018年预算收入多少？"]
    assert not any("2020" in question for question in ask.asked)


def test_at_most_three_are_offered_and_four_tried() -> None:
    class All(Asked):
        def __call__(self, question: str, turns: Sequence[Turn]) -> Answer | Refusal:
            super().__call__(question, turns)
            record = R2018 if "2018" in question else R2020 if "2020" in question else R2019
            return _answer(question, OTHER if "后来" in question else record)

    ask = All()
    answer = _answer("2019年预算收入多少？", R2019)
    assert len(next_questions(answer, CatalogueView(HELD), ask)) == OFFERED
    assert len(ask.asked) <= 4
    # it leans on the answer it stands under
    assert ask.turns[0] == (Turn("2019年预算收入多少？", answer),)


def test_a_list_leads_to_nothing_invented() -> None:
    answer = Answer("有哪些", "有哪些", "", "", (), (Listing(1, OTHER),), COVERAGE)
    ask = Asked()
    assert next_questions(answer, CatalogueView(HELD), ask) == ()
    assert ask.asked == []


def test_other_words_come_from_the_vocabulary_and_find_something_new() -> None:
    vocabulary = Vocabulary([Entry(("红绿灯",), ("交通信号灯",))])
    ask = Asked(交通信号灯=OTHER)
    (found,) = other_words("红绿灯坏了", _refusal("红绿灯坏了"), (), vocabulary, ask)
    assert found.question == "交通信号灯坏了"
    assert found.reason == "“红绿灯”换成“交通信号灯”"
    # the same record again is no help
    assert other_words("红绿灯坏了", _answer("红绿灯坏了", OTHER), (), vocabulary, ask) == ()


def test_a_record_near_by_is_offered_when_its_title_shares_a_word() -> None:
    ask = Asked(电梯=OTHER, 预算=R2019)
    found = other_words("装电梯的补助", _refusal("x"), (OTHER, R2019), Vocabulary(), ask)
    assert [s.question for s in found] == ["《关于电梯的建议》主要写了什么？"]


def test_the_records_of_a_volume() -> None:
    records = [
        Record(code, code, reference_code=code)
        for code in ("0012-1-8", "0012-1-8-10", "0012-1-8-2", "0012-1-35-1", "J001-WS·2018-Y-0001")
    ]
    found = same_volume(records[1], records)
    assert [r.title for r in found] == ["0012-1-8", "0012-1-8-2", "0012-1-8-10"]
    assert same_volume(records[3], records) == []
    assert same_volume(records[4], records) == []
    assert volume_of(Record("没有档号", "x")) == ""
