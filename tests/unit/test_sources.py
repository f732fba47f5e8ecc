"""The paper a question names as its source."""

from __future__ import annotations

import pytest

from assistant.sources import kind_fits, named_source


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
