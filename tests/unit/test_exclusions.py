"""What a count leaves out, and how titles are to begin and end."""

from __future__ import annotations

import pytest

from assistant.catalogue_view import title_key
from assistant.exclusions import exclusions
from index.domain import Record

TITLES = (
    "示例省养犬管理条例",
    "榕城市养犬管理条例",
    "榕城市烟花爆竹管理办法",
    "榕城市禁止燃放烟花爆竹规定（2019年修正）",
    "示例省人大常委会关于禁止燃放的决定",
)
RECORDS = [Record(f"r{n}", title, doc_no="示人发〔2019〕1号") for n, title in enumerate(TITLES)]
TYPES = ("条例", "办法", "规定", "决定")


def kept(question: str) -> list[int] | None:
    """Numbers of the titles kept; None when no condition is found."""
    found = exclusions(question, TYPES, ("示人发",), "\n".join(map(title_key, TITLES)))
    if not found:
        return None
    return [
        n
        for n, record in enumerate(RECORDS)
        if all(e.keeps is None or e.keeps(record) for e in found)
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("题名以“规定”结尾的有几部", [3]),
        ("名称末尾是条例的有几部", [0, 1]),
        ("末了不是“条例”的有几部", [2, 3, 4]),
        ("题目打头是“榕城市”的有几部", [1, 2, 3]),
        ("题名由“示例省”起头的几部", [0, 4]),
        ("题名里没有“禁止”两个字的几部", [0, 1, 2]),
        # the word anywhere in the title, though it is a type too
        ("题名没有“管理”的几件", [3, 4]),
        ("青岛的条例,2018年的不算,有几部", None),  # a year is not of the title
        ("除了国务院,通知有几份", None),
        ("2019年开始的条例有几部", None),
        ("清除禁止燃放的,有几部", None),
        ("条例不要复印件,有几部", None),
        ("我不是养犬的,有几部", None),
        ("把“烟花”去掉书名号,有几部", None),
        ("法规,除了叫条例的以外,还剩几部", [2, 3, 4]),
        ("法规,办法不算,有几部", [0, 1, 3, 4]),
        ("把“烟花”那些撇开,还有几部", [0, 1, 4]),
        ("文号(不是示人发)的有几件", []),
        ("养犬的条例有几部", None),
        ("题名没有“马拉松”的有几部", None),  # no title has it
        ("不是我问的,养犬的条例有几部", None),
    ],
)
def test_what_is_left_out(question: str, expected: list[int] | None) -> None:
    assert kept(question) == expected


def test_a_word_the_title_lacks_is_looked_for_all_over_it() -> None:
    """This test ensures that a reply on a 建议 has the word, though it is no 建议."""
    titles = title_key("对第47号建议的答复")
    (found,) = exclusions("题名没有“建议”的有几件", ("建议", "答复"), (), titles)
    assert found.words == "题名没有“建议”"
    assert found.keeps is not None
    assert not found.keeps(Record("r", "对第47号建议的答复"))
    assert found.keeps(Record("r", "关于会期的通知"))


def test_a_condition_is_restated_and_has_its_place() -> None:
    question = "养犬的条例,省里那部刨掉,还有几部"
    (found,) = exclusions(question, TYPES, (), "\n".join(map(title_key, TITLES)))
    assert (found.words, found.keeps) == ("不含省一级的", None)
    assert question[found.start : found.end].strip(",") == "省里那部刨掉"
