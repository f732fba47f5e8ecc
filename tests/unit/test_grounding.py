"""Sentences of a language model against the quotations they cite."""

from __future__ import annotations

import pytest

from assistant.domain import Citation, cite
from assistant.grounding import Flaw, find_flaw, support_of
from index.domain import Page, Record

REPLY = (
    "一、2019年全市接到犬只扰民、伤人警情3460起，其中伤人警情612起；城区登记犬只1.7万只。"
    "二、2019年9月至11月开展城区养犬专项整治，收容流浪犬1420只。"
    "三、《示例市养犬管理条例》尚未列入年度立法计划。"
    "四、年内在东岭区建设犬只收容留检中心一处，总投资三百二十万元，由市公安局牵头，联系人：白知远。"
    "会议不同意提高登记费。小餐饮持证率只有百分之六十一。"
)
QUESTION = "遛狗不拴绳伤人的事，市公安局后来怎么办的？"


def citation(text: str = REPLY, marker: int = 1) -> Citation:
    record = Record(
        f"J001-WS·2020-Y-DBW-00{marker}",
        "对市十五届人大四次会议第75号建议的答复",
        author="示例市公安局",
        date="20200520",
        date_iso="2020-05-20",
    )
    return cite(marker, record, Page(record.record_id, 1, text), 1, 0, len(text), "p1")


def flaw_of(sentence: str, *citations: Citation) -> Flaw | None:
    return find_flaw(sentence, support_of(citations or [citation()], QUESTION))


@pytest.mark.parametrize(
    "sentence",
    [
        "2019年全市接到犬只扰民、伤人警情3460起，其中伤人警情612起。",
        "答复中写明，2019年9月至11月开展了城区养犬专项整治，收容流浪犬1420只。",
        "关于立法，答复说明《示例市养犬管理条例》尚未列入年度立法计划。",
        "市公安局牵头在东岭区建设犬只收容留检中心一处，总投资320万元。",
        "2020年5月20日的答复介绍了下列情况：",
        "这是对市十五届人大四次会议第75号建议的答复，内容如下：",
        "城区登记的犬只有17000只。",
        "小餐饮持证率为61%。",
        "会议不同意提高登记费。",
        "关于遛狗伤人的事，示例市公安局答复如下：",
        "该条例“尚未列入年度立法计划”。",
        "由市公安局牵头，共收容流浪犬1420只。",
    ],
)
def test_a_sentence_that_says_what_the_record_says_stands(sentence: str) -> None:
    """This test ensures that plain joining sentences are not lost to the check."""
    assert flaw_of(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "flaw"),
    [
        ("2019年全市接到伤人警情3461起。", Flaw.FIGURE),
        ("2018年全市接到伤人警情612起。", Flaw.FIGURE),
        ("2019年全市接到伤人警情612件。", Flaw.FIGURE),  # another unit
        ("2019年12月收容流浪犬1420只。", Flaw.FIGURE),
        ("城区登记犬只1.7只。", Flaw.FIGURE),
        ("总投资三千二百万元。", Flaw.FIGURE),
        ("小餐饮持证率为六成一，即百分之六十二。", Flaw.FIGURE),
        ("2020年5月21日答复。", Flaw.FIGURE),
        ("2019年5月20日答复。", Flaw.FIGURE),  # the year of one date, the day of another
        ("收容流浪犬两处。", Flaw.FIGURE),
        ("答复文号为示公函〔2020〕35号。", Flaw.CODE),
        ("答复文号为示公函2020年35号。", Flaw.CODE),
        ("见档号J001-WS·2020-Y-DBW-0075。", Flaw.CODE),
        ("依据《中华人民共和国治安管理处罚法》办理。", Flaw.TITLE),
        ("答复称“年内出台养犬条例”。", Flaw.QUOTATION),
        ("答复称“尚未列入年度立法计划。", Flaw.QUOTATION),  # never closed
        ("答复称＂年内出台条例＂。", Flaw.QUOTATION),
        ("由市水利局牵头建设犬只收容留检中心。", Flaw.NAME),
        ("由桐乡市建设犬只收容留检中心。", Flaw.NAME),
        ("答复由李长明签发。", Flaw.NAME),
        ("白知明代表提出建议。", Flaw.NAME),
        ("联系人是王主任。", Flaw.NAME),
        ("The dogs were kept。", Flaw.NAME),
        ("本件已办结。", Flaw.CLAIM),
        ("该件已经办结，无需核对。", Flaw.CLAIM),
        ("养犬条例已经通过。", Flaw.CLAIM),
        ("全部流浪犬都收容了。", Flaw.CLAIM),
        ("因此开展城区养犬专项整治。", Flaw.CLAIM),
        ("《示例市养犬管理条例》列入年度立法计划。", Flaw.NEGATION),  # 尚未 is lost
        ("会议同意提高登记费。", Flaw.NEGATION),  # 不 is lost
        ("城区登记犬只不是1.7万只。", Flaw.NEGATION),
        ("没有收容流浪犬。", Flaw.NEGATION),
        ("开展城区养犬专项整治" * 50, Flaw.LONG),
        ("开展城区养犬专项整治①。", Flaw.MARKUP),
        ("**开展城区养犬专项整治**。", Flaw.MARKUP),
        ("开展城区养犬专项整治<b>。", Flaw.MARKUP),
        ("开展城区养犬专项整治 https://a.test/。", Flaw.MARKUP),
        ("开展城区养犬\u200b专项整治。", Flaw.MARKUP),
        ("开展城区\u202e养犬专项整治。", Flaw.MARKUP),
    ],
)
def test_a_sentence_that_says_more_is_found_out(sentence: str, flaw: Flaw) -> None:
    """This test ensures that every kind of invention is recognised for what it is."""
    assert flaw_of(sentence) is flaw


def test_words_across_punctuation_are_the_records_own() -> None:
    text = "市、县（区）人民政府应当建立联席会议制度。"

    assert flaw_of("市、县（区）人民政府应当建立联席会议制度。", citation(text)) is None
    assert (
        flaw_of("乡、县（区）人民政府应当建立联席会议制度，区里另有。", citation(text)) is not None
    )


def test_only_the_cited_quotation_counts() -> None:
    """This test ensures that the right words under the wrong record are found out."""
    first, second = citation("甲县每户限养一只。"), citation("乙县每户限养两只。", 2)

    assert flaw_of("乙县每户限养两只。", second) is None
    assert flaw_of("乙县每户限养两只。", first) is not None
    assert flaw_of("甲县每户限养一只，乙县每户限养两只。", first, second) is None


def test_the_question_lends_words_but_no_figures_and_no_conclusions() -> None:
    """This test ensures that a false premise cannot be confirmed out of the question itself."""
    support = support_of([citation("每户限养一只。")], "示例市是不是禁止养犬，罚5000元？")

    assert find_flaw("示例市养犬：每户限养一只。", support) is None
    assert find_flaw("示例市禁止养犬。", support) is Flaw.CLAIM
    assert find_flaw("示例市养犬罚5000元。", support) is Flaw.FIGURE
