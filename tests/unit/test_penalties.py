"""From the article that forbids to the clause that punishes."""

from __future__ import annotations

import datetime as dt

from assistant.excerpts import Excerpt
from assistant.gazetteer import Gazetteer
from assistant.penalties import (
    article_of,
    penalty_clauses,
    with_penalties,
    without_other_breaches,
)
from assistant.question import read_question
from assistant.retrieval import Evidence
from assistant.vocabulary import Vocabulary
from assistant.vocabulary_file import shipped_entries
from index.domain import Hit, Page, Passage, Record

FIRST = (
    "第十五条　新建小区应当配建充电设施。\n第十六条　禁止在楼道停放电动自行车。\n鼓励集中充电。\n"
)
SECOND = (
    "第二十六条　违反本条例第十六条规定，在楼道停放的，由消防机构责令改正；\n拒不改正的，处五十元罚款。\n"
    "第二十七条　违反本条例第九条、第十条第二款规定的，处二百元罚款。\n"
    "第二十八条　依照本条例第十六条作出的决定应当公开。\n"
)
PAGES = (Page("r", 1, FIRST), Page("r", 2, SECOND, start=len(FIRST)))
PASSAGES = [
    Passage("p1", "r", 0, len(FIRST), FIRST),
    Passage("p2", "r", len(FIRST), len(FIRST) + len(SECOND), SECOND),
]


def test_a_place_is_known_by_its_article() -> None:
    """This test ensures that a later line of an article belongs to it, and none stands before."""
    assert article_of(PAGES, 1, FIRST.index("鼓励")) == 16
    assert article_of(PAGES, 1, FIRST.index("新建")) == 15
    assert article_of((Page("r", 1, "关于充电的说明。\n"),), 1, 3) is None


def test_the_penalty_names_the_article() -> None:
    """This test ensures that lists of articles count and a mere mention does not."""
    assert [c.text for _, c in penalty_clauses(PAGES, 16)] == [
        SECOND[: SECOND.index("第二十七条") - 1]
    ]
    assert len(penalty_clauses(PAGES, 10)) == 1
    assert penalty_clauses(PAGES, 15) == []


def test_the_penalty_stands_before_its_ban_and_is_cut_from_its_own_page() -> None:
    """This test ensures that the clause becomes an excerpt with page and passage of its own."""
    at = FIRST.index("第十六条")
    end = FIRST.index("\n鼓励")
    record = Record("r", "示例市电动自行车管理条例")
    ban = Excerpt(
        Evidence(Hit(PASSAGES[0], 1, 1.0, 0.9, 1.0), record, 1.0, 0.0, 0, 0),
        PAGES[0], at, end, 3.0, 1.0, FIRST[at:end],
    )  # fmt: skip

    both = with_penalties([ban], lambda _: PAGES, lambda _: PASSAGES)

    assert [e.page.seq for e in both] == [2, 1]
    assert both[0].evidence.hit.passage.passage_id == "p2"
    assert both[0].page.raw[both[0].start : both[0].end].endswith("处五十元罚款。")


def _clause(form: str) -> Excerpt:
    record = Record("r", "示例市养犬管理条例")
    evidence = Evidence(Hit(PASSAGES[0], 1, 1.0, 0.9, 1.0), record, 1.0, 0.0, 0, 0)
    return Excerpt(evidence, PAGES[0], 0, 10, 3.0, 1.0, form)


def test_a_clause_for_another_breach_is_left_out() -> None:
    """This test ensures that 违反前款 counts only where its paragraph speaks of the thing asked."""
    leash = _clause("第九条携犬出户应当使用束犬链。违反前款规定的,处二百元罚款。")
    caged = _clause("第十三条烈性犬应当圈养。违反前款规定的,处五百元罚款。")
    named = _clause("违反本条例第九条规定,逾期未改正的,处二百元罚款。")

    def left(question: str) -> list[Excerpt]:
        read = read_question(
            question, Gazetteer([]), dt.date(2032, 1, 5), vocabulary=Vocabulary(shipped_entries())
        )
        return without_other_breaches(read, [leash, caged, named])

    assert left("养犬条例里遛狗不拴绳罚多少钱") == [leash, named]
    assert left("养烈性犬怎么罚") == [leash, caged, named]
