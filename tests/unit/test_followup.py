"""Follow-ups made self-contained."""

from __future__ import annotations

import pytest

from assistant.catalogue_view import CatalogueView
from assistant.domain import Answer, Listing, Refusal, RefusalReason, Turn
from assistant.followup import Act, needs_context, read_follow_up, standalone_question
from assistant.gazetteer import Gazetteer
from assistant.subjects import Subjects
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


@pytest.mark.parametrize("question", ["一共多少件？", "一共多少件档案？", "那2018年呢？"])
@pytest.mark.parametrize("again", ["{}", "{}？", " {} "])
def test_a_question_sent_twice_means_the_same_twice(question: str, again: str) -> None:
    """This test ensures that a question never leans on its own first asking."""
    assert standalone_question(again.format(question), [turn(question)], PLACES) == (
        again.format(question).strip()
    )

    earlier = turn("2017年的代表建议有多少件？")
    first = standalone_question(question, [earlier], PLACES)
    turns = [earlier, turn(question, first), turn(question, first)]
    assert standalone_question(question, turns, PLACES) == first


def test_a_new_year_takes_the_place_of_the_old() -> None:
    """This test ensures that 那2018年呢 keeps the earlier question with the year changed."""
    turns = [turn("2017年的代表建议有多少件？")]

    assert standalone_question("那2018年呢？", turns, PLACES) == "2018年的代表建议有多少件？"


@pytest.mark.parametrize(
    ("asked", "year"),
    [
        ("头一年呢？", 2016),
        ("那前一年呢，是多少？", 2016),
        ("上一年的呢？", 2016),
        ("下一年呢？", 2018),
    ],
)
def test_the_year_before_or_after_is_reckoned_from_the_turn_before(asked: str, year: int) -> None:
    """This test ensures that 头一年 means the year before the one just spoken of."""
    turns = [turn("2017年的代表建议有多少件？")]

    assert standalone_question(asked, turns, PLACES) == f"{year}年的代表建议有多少件？"


def test_a_further_matter_goes_on_with_the_first_question_alone() -> None:
    """This test ensures that what a turn between asked is left behind by a matter of its own."""
    first = turn("示例市2025年一般公共预算收了多少？")
    chain = "示例市2025年一般公共预算收，支出呢？"
    turns = [first, turn("支出呢？", chain)]

    joined = standalone_question("它到年底还欠着多少政府债？", turns, PLACES)
    assert joined == "示例市2025年一般公共预算收，它到年底还欠着多少政府债？"
    assert "支出" in standalone_question("增长多少？", turns, PLACES)


def test_another_thing_named_first_leans_on_the_turn_before() -> None:
    """This test ensures that 光提个议案呢，几个人 is about the same deputies."""
    turns = [turn("示例市的乡镇人大代表提质询案，得多少人联名？")]

    joined = standalone_question("光提个议案呢，几个人凑一块就成？", turns, PLACES)
    assert joined.startswith("示例市的乡镇人大代表")
    assert joined.endswith("光提个议案呢，几个人凑一块就成？")


@pytest.mark.parametrize("asked", ["比头一年多几件？", "上一年度的总结在哪份文件里写着"])
def test_a_year_compared_with_is_no_change_of_year(asked: str) -> None:
    """This test ensures that 比头一年 keeps the year spoken of."""
    turns = [turn("2017年的代表建议有多少件？")]

    assert "2016" not in standalone_question(asked, turns, PLACES)


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


def test_where_the_wording_does_not_tell_both_readings_are_given() -> None:
    """This test ensures that the records may decide whether a question goes on."""
    before = answered("榕城市荒山能用什么法子往外包？", "榕城市四荒开发条例")
    read = read_follow_up("拍卖的话，头一笔钱最少交几成？", [before], PLACES, CatalogueView(()))

    assert read.standalone == "拍卖的话，头一笔钱最少交几成？"
    assert read.records == ()
    assert read.perhaps is not None
    assert read.perhaps.standalone.startswith("榕城市荒山")
    assert read.perhaps.records == ("1",)
    alone = read_follow_up(
        "拍卖的话，头一笔钱最少交几成？", [turn("荒山呢")], PLACES, CatalogueView(())
    )
    assert alone.perhaps is None, "nothing was found to go on with"


def test_the_next_year_always_goes_on() -> None:
    """This test ensures that 下一年 keeps the place of the question before."""
    turns = [turn("榕城市2025年一般公共预算收入完成了多少？")]
    read = standalone_question("下一年打算收多少，涨几个点？", turns, PLACES)

    assert read.startswith("榕城市2026年")


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("九六年全国呢？", "1996年榕城市地震有多少回？"),
        ("到22年也是这些？", "2022年榕城市地震有多少回"),
        ("零三年呢", "2003年榕城市地震有多少回？"),
    ],
)
def test_a_year_of_two_figures_takes_the_place_of_the_old(then: str, expected: str) -> None:
    """This test ensures that 九六年 changes the year and 22年 is no length of time there."""
    turns = [turn("1995年榕城市地震有多少回？")]

    assert standalone_question(then, turns, PLACES).startswith(expected)
    assert "1995" not in standalone_question(then, turns, PLACES)


@pytest.mark.parametrize(
    "then",
    ["10年工龄的能优待吗", "20年产权的房子也能装吗", "一二年级的学生怎么安排", "三五年能办下来吗"],
)
def test_a_length_of_time_is_no_year(then: str) -> None:
    """This test ensures that nothing but a year is spelt out."""
    before = answered("2019年榕城市怎么规定的？", "榕城市供热条例")
    read = read_follow_up(then, [before], PLACES, CatalogueView(()))

    assert read.standalone.endswith(then)


def test_what_happens_is_no_topic() -> None:
    """This test ensures that 要是都带进核心景区了呢 changes the case and not the paper's name."""
    before = answered("照示例山生态保护条例，带打火机上山，罚多少？", "示例山生态保护条例")
    subjects = Subjects(CatalogueView(()), lambda *_: [], lambda _: [], None)
    read = read_follow_up("要是都带进核心景区了呢？", [before], PLACES, CatalogueView(()), subjects)

    assert "生态保护条例" in read.standalone


VIEW = CatalogueView(
    [
        Record("1", "示例市供热条例", department="办公室", doc_type="法规"),
        Record("2", "榕城市供热条例", department="代表工作委员会", doc_type="决议"),
    ]
)


def answered(question: str, *titles: str) -> Turn:
    rows = tuple(Listing(i, Record(str(i), title)) for i, title in enumerate(titles, start=1))
    return Turn(question, Answer(question, question, "", "", (), rows, Coverage(1, 1, 0)))


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("2018年的决议有几件？", "换成2020年呢", "2020年的决议有几件？"),
        ("2018年长期保管的有几件？", "换成永久的呢？", "2018年永久保管的有几件？"),
        ("办公室2018年有几件？", "代表工作委员会呢？", "代表工作委员会2018年有几件？"),
        ("2018年的决议有几件？", "那法规呢？", "2018年的法规有几件？"),
        ("示例市十五届人大二次会议议程是什么？", "三次会议呢？", "示例市十五届人大三次会议议程是什么？"),
        ("示例市十五届人大二次会议议程是什么？", "那十六届的呢？", "示例市十六届人大二次会议议程是什么？"),
        ("第47号建议是谁提的？", "第48号呢？", "第48号建议是谁提的？"),
        ("开放的有几件？", "未审核的呢？", "未审核的有几件？"),
    ],
)  # fmt: skip
def test_what_changed_takes_the_place_of_its_kind(
    before: str, question: str, expected: str
) -> None:
    """This test ensures that year, term, session, number, department and type can be swapped."""
    assert expected == read_follow_up(question, [turn(before)], PLACES, VIEW).standalone


def test_what_was_asked_before_is_left_behind() -> None:
    """This test ensures that the earlier question gives its subject, not what it asked."""
    turns = [turn("第47号建议是谁提的？")]
    standalone = standalone_question("那主办单位是谁？", turns, PLACES)

    assert standalone == "第47号建议，主办单位是谁？"


@pytest.mark.parametrize(
    ("question", "act", "number", "fields"),
    [
        ("上一条的文号再说一遍", Act.FIELD, 1, ("文号",)),
        ("它的档号是多少？", Act.FIELD, 1, ("档号",)),
        ("第二条的责任者和日期再说一遍。", Act.FIELD, 2, ("责任者", "日期")),
        ("这份一共几页？", Act.FIELD, 1, ("页数",)),
        ("第二个打开看看", Act.OPEN, 2, ()),
        ("打开第三条", Act.OPEN, 3, ()),
        ("看看②", Act.OPEN, 2, ()),
        ("还有别的吗？", Act.MORE, 0, ()),
        ("还有没有其他的？", Act.MORE, 0, ()),
        ("展开说说", Act.EXPAND, 0, ()),
        ("说详细点", Act.EXPAND, 0, ()),
    ],
)
def test_requests_about_the_answer_before(
    question: str, act: Act, number: int, fields: tuple[str, ...]
) -> None:
    """This test ensures that what is asked of the last answer is not searched for."""
    follow = read_follow_up(question, [answered("有哪些条例？", "甲", "乙", "丙")], PLACES, VIEW)

    assert (follow.act, follow.number, follow.fields) == (act, number, fields)


def test_a_field_and_a_second_question_are_told_apart() -> None:
    """This test ensures that 后来改过没有 is asked of the record whose number was asked for."""
    turns = [answered("供热条例", "关于公布《示例市供热条例》的公告")]
    follow = read_follow_up("上一条的文号再说一遍，后来改过没有？", turns, PLACES, VIEW)

    assert follow.act is Act.FIELD
    assert follow.fields == ("文号",)
    assert follow.rest.startswith("示例市供热条例后来改过没有")


@pytest.mark.parametrize(
    "question",
    [
        "展开城市供热工作检查的决定是哪天通过的？",
        "打开的档案有几件？",
        "第三条怎么规定的？",
        "供热条例的文号是多少？",
        "还有哪些关于供热的决议？",
    ],
)
def test_a_question_of_its_own_is_no_act(question: str) -> None:
    """This test ensures that a word of the acts in a question does not make it one."""
    follow = read_follow_up(question, [answered("有哪些？", "甲")], PLACES, VIEW)

    assert follow.act is None


@pytest.mark.parametrize(
    "question",
    [
        "当年是哪位代表提的要在示例桥头装路灯这件事情？",
        "1998年换届大会上选举产生的示例市市长是谁呢？",
        "给示例河立条例的那个议案，大会最后怎么处理的？",
        "省里是哪一天批准示例市供热条例的？",
    ],
)
def test_pointing_words_inside_a_full_question_do_not_lean(question: str) -> None:
    """This test ensures that 那个 and 呢 alone do not drag the topic before in."""
    assert not needs_context(question, PLACES)


def test_that_part_of_it_leans() -> None:
    """This test ensures that 那一块又 points back although it names a thing."""
    assert needs_context("保障性住房那一块又建了多少套？", PLACES)
    assert not needs_context("保障性住房今年建了多少套？", PLACES)
