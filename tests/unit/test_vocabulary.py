"""Everyday words and official terms: finding them in a question."""

from __future__ import annotations

import pytest

from assistant.vocabulary import Entry, Vocabulary
from assistant.vocabulary_file import shipped_entries

WORDS = Vocabulary(
    [
        Entry(("电动车", "电瓶车"), ("电动自行车",), exceptions=("电动车企",)),
        Entry(("养狗", "养*狗"), ("养犬管理",)),
        Entry(("小广告",), ("城镇容貌",), two_way=False),
        Entry(("物业",), ("物业服务企业", "业主服务")),
        Entry(("拆迁",), ("房屋征收",), 2011, None, note="以前称城市房屋拆迁"),
    ]
)


def found(form: str) -> dict[str, tuple[str, ...]]:
    return {e.words: e.meanings for e in WORDS.expansions(form)}


def test_an_everyday_word_brings_the_official_term() -> None:
    assert found("电动车在楼道充电") == {"电动车": ("电动自行车",)}


def test_an_official_term_brings_the_everyday_words() -> None:
    assert found("电动自行车条例") == {"电动自行车": ("电动车", "电瓶车")}


def test_a_gap_holds_a_few_characters_of_the_same_clause() -> None:
    assert found("同时养两条狗行不行") == {"养两条狗": ("养犬管理",)}
    assert found("养猪的，有狗") == {}


def test_a_word_inside_its_exception_is_another_word() -> None:
    assert found("电动车企补贴") == {}


def test_a_one_way_term_brings_nothing_back() -> None:
    assert found("城镇容貌条例") == {}


def test_an_official_term_typed_out_is_not_expanded_by_its_part() -> None:
    assert found("物业服务企业的义务") == {}


def test_full_width_and_traditional_spellings_are_found() -> None:
    from index.text import search_form

    assert found(search_form("電動車充電").text) == {"电动车": ("电动自行车",)}


def test_years_are_told_in_words() -> None:
    (expansion,) = WORDS.expansions("拆迁补偿")

    assert expansion.entry.years == "2011年起"
    assert Entry(("甲乙",), ("丙丁",), 2003, 2003).years == "2003年"
    assert Entry(("甲乙",), ("丙丁",), None, 2006).years == "2006年以前"


def test_no_vocabulary_finds_nothing() -> None:
    assert Vocabulary().expansions("电动车") == ()


@pytest.mark.parametrize(
    ("question", "words", "meaning"),
    [
        ("以前有代表提过电动车充电着火的事吗", "电动车", "电动自行车"),
        ("主城区能不能养两条狗", "养两条狗", "养犬管理"),
        ("过年放鞭炮罚多少", "放鞭炮", "烟花爆竹"),
        ("雾霾治理的报告", "雾霾", "大气污染"),
        ("红绿灯坏了归谁管", "红绿灯", "交通信号灯"),
        ("拆迁补偿有没有类似的", "拆迁补偿", "征收补偿"),
        ("烂尾楼办到哪一步了", "烂尾楼", "停工"),
        ("暖气费能不能退", "暖气费", "采暖费"),
        ("门口那条臭水沟", "臭水沟", "黑臭水体"),
        ("下岗职工再就业", "下岗职工", "失业"),
        ("吃低保的有多少户", "吃低保", "最低生活保障"),
        ("当年的赤脚医生", "赤脚医生", "乡村医生"),
        ("监察司法委以前叫什么", "监察司法委", "内务司法委员会"),
        ("一府两院的报告", "一府两院", "一府一委两院"),
        ("查一查网吧的规定", "网吧", "互联网上网服务营业场所"),
    ],
)
def test_the_shipped_vocabulary_knows_common_speech(
    question: str, words: str, meaning: str
) -> None:
    found = {e.words: e.meanings for e in Vocabulary(shipped_entries()).expansions(question)}

    assert meaning in found[words]
