"""The paper a question names as its source."""

from __future__ import annotations

import pytest

from assistant.sources import (
    asks_reply,
    has_title,
    is_reply,
    is_rule,
    kind_fits,
    named_rule,
    named_source,
    named_titles,
)


@pytest.mark.parametrize(
    ("question", "title", "fits"),
    [
        ("供热审议意见的研究处理报告说改造了多少公里", "关于城市供热工作情况的审议意见", False),
        ("供热审议意见的研究处理报告说改造了多少公里", "关于供热审议意见研究处理情况的报告", True),
        ("供热的审议意见要求哪年完成", "关于供热审议意见研究处理情况的报告", False),
        ("供热的审议意见要求哪年完成", "关于城市供热工作情况的审议意见(2021)", True),
        ("述职报告里说查处了几家", "关于环保局局长述职的评议意见", False),
        ("草案说明里讲有多少辆", "示例市电动自行车管理条例(附公告)", False),
        ("草案说明里讲有多少辆", "关于电动自行车管理条例(草案)的说明(附草案)", True),
        ("第二次答复答应建多少个", "第47号建议办理情况征询意见表", False),
        ("供热的审议意见要求哪年完成", "2021_scan_0007", True),
    ],
)
def test_only_a_paper_of_the_named_kind_fits(question: str, title: str, fits: bool) -> None:
    """This test ensures that no other kind of paper answers for the one that was named."""
    source = named_source(question)

    assert source is not None
    assert kind_fits(title, source.title) is fits


def test_a_paper_that_is_asked_about_is_no_source() -> None:
    """This test ensures that what became of a paper may be told by others."""
    assert named_source("供热的审议意见办得怎么样了") is None
    assert named_source("哪个条例规定了养犬") is None


def test_the_subject_before_the_name_is_kept_without_generic_words() -> None:
    """This test ensures that dates, organs and the name itself are no subject."""
    source = named_source("2021年市人大常委会供热审议意见的研究处理报告说改造了多少")
    poll = named_source("审计整改的满意度测评多少票")

    assert source is not None
    assert source.subject == {"供热"}
    assert poll is not None
    assert poll.title is None
    assert "审计" in poll.subject


def test_a_title_in_marks_is_the_paper_itself() -> None:
    """This test ensures that the rule of another town does not stand for the one named."""
    (title,) = named_titles("《示例省养犬管理条例》是哪年通过的")

    assert not has_title(title, "他乡市养犬管理条例")
    assert has_title(title, "示例省养犬管理条例(2019修订)")
    assert has_title(title, "示例省养大管理条例"), "one misread character"
    assert named_titles("《红楼梦》写了什么") == ()


def test_replies_are_known_by_their_titles() -> None:
    assert asks_reply("加装电梯的建议是怎么答复的")
    assert not asks_reply("谁提的加装电梯的建议")
    assert is_reply("对市十五届人大二次会议第47号建议的答复")
    assert not is_reply("关于加装电梯的建议")


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        ("擅自挖路,按那个城区道路管理条例罚多少", ("城区道路管理", "条例")),
        ("示例市停车场条例里找找", ("停车场", "条例")),
        ("控烟条例怎么写的", ("控烟", "条例")),
        ("照山东自己的条例,账多久公布", None),
        ("自己出的供热条例怎么写的", ("供热", "条例")),
        ("库里有哪几部条例", None),
        ("前后两版条例有变化吗", None),
        ("写进条例了没有", None),
        ("森林公园里游览车烧柴油,符不符合条例", None),
        ("两版法律写的处理办法差在哪", None),
        ("垃圾处理办法怎么写的", ("垃圾处理", "办法")),
        ("除了审计条例这些，还表决通过了哪个决议", None),
        ("除了停车，停车场条例还管什么", ("停车场", "条例")),
        ("不合格食品处置办法怎么写的", ("不合格食品处置", "办法")),
    ],
)
def test_a_rule_is_called_by_its_subject(question: str, rule: tuple[str, str] | None) -> None:
    """This test ensures that only a subject of its own names a rule."""
    assert named_rule(question) == rule


@pytest.mark.parametrize(
    ("rule", "title", "text", "same"),
    [
        (("停车场", "条例"), "示例市城市绿化条例", "应当建设林荫式停车场", False),
        (("城区道路管理", "条例"), "示例市停车场管理条例", "在城区道路停车", False),
        (("电动车", "条例"), "示例市电动自行车管理条例", "", True),
        (("控烟", "条例"), "示例市控制吸烟条例", "", True),
        (("养狗", "条例"), "示例市养犬管理条例", "", False),
        (("供热", "条例"), "示例市城市供水条例", "", False),
        (("代表视察", "办法"), "示例市代表建议办理工作条例", "", False),
        (("代表视察", "办法"), "示例市人民代表大会代表视察办法", "", True),
        (("养犬", "条例"), "关于立法计划的报告", "制定养犬条例列入计划", True),
    ],
)
def test_another_rule_of_the_town_is_not_the_one_named(
    rule: tuple[str, str], title: str, text: str, same: bool
) -> None:
    """This test ensures that people may shorten a name and that its subject must be there."""
    assert is_rule(rule, title, text) is same
