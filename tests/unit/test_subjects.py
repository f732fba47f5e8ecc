"""A new subject told from a further question, and one topic put in another's place."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.catalogue_view import CatalogueView
from assistant.domain import Answer, Listing, Refusal, RefusalReason, Turn
from assistant.followup import read_follow_up
from assistant.gazetteer import Gazetteer
from assistant.subjects import Subjects
from index.domain import Coverage, Page, Passage, Record

TEXTS = {
    "犬": ("关于养犬管理工作的报告", "对不牵绳的处二百元罚款，主办单位是市公安局。"),
    "梯": ("对第9号建议的答复", "您提出的“关于加装电梯的建议”收悉，每部补贴十万元。"),
    "热": ("城市供热工作报告", "管网改造五十公里，热费按面积收取。"),
    "河": ("关于治理澜溪河的议案", "澜溪河长四十公里。"),
}
RECORDS = [Record(i, title) for i, (title, _) in TEXTS.items()]
VIEW = CatalogueView(RECORDS)
PLACES = Gazetteer(RECORDS)


def passages_with(terms: dict[str, float], most: int) -> Sequence[Passage]:
    held = [i for i, (_, raw) in TEXTS.items() if any(t in raw for t in terms)]
    return [Passage(i, i, 0, len(TEXTS[i][1]), TEXTS[i][1]) for i in held][:most]


SUBJECTS = Subjects(VIEW, passages_with, lambda i: [Page(i, 1, TEXTS[i][1], 0)])


def answered(question: str, *ids: str) -> Turn:
    rows = tuple(Listing(n, Record(i, TEXTS[i][0])) for n, i in enumerate(ids, start=1))
    return Turn(question, Answer(question, question, "", "", (), rows, Coverage(4, 4, 0)))


def refused(question: str, standalone: str = "") -> Turn:
    nothing = Refusal(
        question, standalone or question, "", RefusalReason.NOT_FOUND, "无", Coverage(4, 4, 0)
    )
    return Turn(question, nothing)


def standalone(question: str, *turns: Turn) -> str:
    return read_follow_up(question, turns, PLACES, VIEW, SUBJECTS).standalone


@pytest.mark.parametrize("question", ["澜溪河在哪？", "贾思齐是谁？", "碧落潭在哪？"])
def test_a_new_name_is_a_new_subject(question: str) -> None:
    """This test ensures that a short question with a name of its own stands by itself."""
    assert standalone(question, answered("养犬不牵绳罚多少？", "犬")) == question


@pytest.mark.parametrize("question", ["主办单位是谁？", "罚多少？", "谁批准的？"])
def test_an_aspect_goes_with_the_subject_before(question: str) -> None:
    """This test ensures that what the last answer's records speak of is a further question."""
    assert "养犬" in standalone(question, answered("养犬管理有什么要求？", "犬"))


def test_another_topic_takes_the_place_of_the_old() -> None:
    """This test ensures that 那电梯呢 keeps what was asked and drops what narrowed the old topic."""
    before = answered("养犬没牵绳罚多少？", "犬")

    assert standalone("那电梯呢？", before) == "电梯罚多少？"
    assert standalone("鹿鸣呢", before) == "鹿鸣罚多少？"


def test_an_aspect_of_the_answer_is_no_other_topic() -> None:
    """This test ensures that 热费呢 after a question on heating is asked of heating."""
    assert "供热" in standalone("那热费呢？", answered("供热管网改造多少公里？", "热"))


def test_a_refused_question_is_left_by_a_pronoun_and_by_a_new_name() -> None:
    """This test ensures that 它 means what was shown, and 那2020年呢 what was asked."""
    turns = (answered("养犬管理有什么要求？", "犬"), refused("2015年火星上有什么？"))

    assert "养犬" in standalone("它是谁办的？", *turns)
    assert standalone("那2020年呢", *turns) == "2020年火星上有什么？"
    assert standalone("澜溪河在哪？", *turns) == "澜溪河在哪？"


def test_a_further_question_refused_leads_back_to_the_answer() -> None:
    """This test ensures that the refused clause is not carried on."""
    turns = (
        answered("加装电梯的建议是谁提的？", "梯"),
        refused("电费谁出？", "加装电梯的建议，电费谁出？"),
    )

    assert "电费" not in standalone("罚多少？", *turns)
    assert "加装电梯" in standalone("罚多少？", *turns)


def test_one_time_takes_the_place_of_another() -> None:
    """This test ensures that a term can replace a year and a year a sitting."""
    assert (
        standalone("十六届的呢", answered("1998年谁当选检察长？", "犬")) == "十六届谁当选检察长？"
    )
    assert standalone("2022年呢", answered("十五届一次会议谁当选检察长？", "犬")) == (
        "2022年谁当选检察长？"
    )
