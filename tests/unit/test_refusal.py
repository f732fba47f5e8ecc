"""What a question names and a record lacks."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.catalogue_view import CatalogueView
from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from assistant.refusal import _EXISTENCE, _THAT_RULE, Nearby, mismatch, subjects_elsewhere
from assistant.retrieval import Evidence
from assistant.vocabulary import Entry, Vocabulary
from index.domain import Hit, Page, Passage, Record
from index.text import search_form


def lacking(question: str, title: str, text: str = "", *, year: int | None = None) -> str:
    """What `mismatch` says of a record with this title whose passages read so."""
    record = Record("r1", title, year=year)
    read = read_question(question, Gazetteer([record]), dt.date(2032, 1, 5))
    near = search_form(f"{title} {text}").text
    return mismatch(read, record, int(bool(read.places)), near, lambda _: 3.0)


@pytest.mark.parametrize(
    ("question", "title", "text", "why"),
    [
        ("2029年政府工作报告定的赤字率是多少", "2030年政府工作报告", "2029年赤字率", "年份不符"),
        ("2030年政府工作报告定的赤字率是多少", "2030年政府工作报告", "赤字率", ""),
        ("2029年和2030年政府工作报告里泊位目标各是多少", "2029年政府工作报告", "泊位目标", ""),
        ("2029年新增泊位多少个", "2030年政府工作报告", "新增泊位五千个", ""),
        ("2028年新增泊位多少个", "2030年政府工作报告", "新增泊位五千个", "年份不符"),
        ("2029年政府工作报告里的泊位目标完成了吗", "泊位建设情况的汇报", "2029年泊位目标完成", ""),
        (
            "2030年国务院的政府工作报告，泊位多少",
            "示例市2030年政府工作报告",
            "泊位五千个",
            "地方不符",
        ),
        ("2030年国务院的政府工作报告，泊位多少", "2030年政府工作报告", "泊位五千个", ""),
        ("今年要换船，还能买烧柴油的吗", "示例市码头管理条例", "不得购买柴油船", ""),
        ("今年罚了多少起", "示例市码头管理条例", "罚款", "年份不符"),
        ("去年还能买烧柴油的吗", "示例市码头管理条例", "不得购买柴油船", "年份不符"),
        ("今年新栽了几万棵树", "示例市码头管理条例", "栽树", "年份不符"),
        ("示例市贯彻国务院决定的工作报告说了什么", "示例市贯彻国务院决定的工作报告", "", ""),
        ("国务院关于县域经济的工作报告说了什么", "国务院关于县域经济的工作报告", "", ""),
        ("国家那部养犬促进法哪天施行", "示例省养犬促进条例", "养犬促进法", "文件不符"),
        ("国家的养犬促进法哪天施行", "中华人民共和国养犬促进法", "养犬促进法", ""),
        ("省里的养犬条例哪天施行，别给我国家的养犬促进法", "示例省养犬促进条例", "", ""),
        ("今年通过的码头条例怎么说", "示例市码头管理条例", "不得购买柴油船", "年份不符"),
        ("2032年还能买烧柴油的吗", "示例市码头管理条例", "不得购买柴油船", "年份不符"),
        ("今年的泊位有多少", "码头建设情况的报告", "泊位五千个", "年份不符"),
        ("码头上哪几样事条例明说不许干", "示例市码头管理条例", "不得垂钓", ""),
    ],
)
def test_a_yearly_report_is_that_of_the_year_it_is_called_by(
    question: str, title: str, text: str, why: str
) -> None:
    """This test ensures that the report of the next year does not answer for the one named.

    It does tell of the year before where no report is named.
    """
    assert lacking(question, title, text) == why


@pytest.mark.parametrize(
    ("question", "title", "why"),
    [
        ("擅自挖路，按那个城区道路管理条例罚多少", "示例市停车场管理条例", "文件不符"),
        ("擅自挖路，按那个城区道路管理条例罚多少", "示例市城区道路管理条例", ""),
        ("停车场条例里怎么写配建车位", "示例市城市绿化条例", "文件不符"),
        ("供热条例里怎么写退费", "示例市供水条例", "文件不符"),
        ("电动车条例哪天施行", "示例市电动自行车管理条例", ""),
    ],
)
def test_another_rule_does_not_answer_for_the_one_named(
    question: str, title: str, why: str
) -> None:
    """This test ensures that a rule called by its subject is that rule."""
    assert lacking(question, title) == why


@pytest.mark.parametrize(
    ("question", "text", "why"),
    [
        ("苏念安是哪年出生的？", "何以宁，1968年4月出生", "人名不符"),
        ("苏念安是哪年出生的？", "苏念安，1968年4月出生", ""),
        ("苏念安当副市长那次表决，赞成票多少？", "决定任命何以宁为副市长", "人名不符"),
        ("高空抛物罚多少？", "从建筑物中抛掷物品的，处二百元罚款", ""),
        ("安置房当年盖了多少套？", "建成回迁住房五百套", ""),
        ("包工头是谁？", "承包人为何以宁", ""),
        ("苏念安什么时候辞职的？", "接受李明辞职", "人名不符"),
        ("请问苏念安是哪年出生的？", "李明，1960年出生", "人名不符"),
        ("2003年任免了谁？", "2003年任命李明为市长", ""),
        ("李市长是谁？", "任命李明为市长", ""),
        ("高中生毕业多少人？", "高中毕业三千人", ""),
        ("方案是谁提的？", "财政局提出预算调整", ""),
        ("常委会是哪天开的？", "2030年5月6日举行会议", ""),
    ],
)
def test_what_is_asked_of_one_person_is_not_answered_of_another(
    question: str, text: str, why: str
) -> None:
    """This test ensures that a person asked about by name stands in the record."""
    assert lacking(question, "任免名单", text) == why


@pytest.mark.parametrize(
    ("question", "text", "why"),
    [
        ("示例市2029年增值税收了多少亿？", "2029年税收收入六百亿元", "事项不符"),
        ("示例市2029年增值税收了多少亿？", "2029年增值税完成九十亿元", ""),
        ("示例市2029年耕地税收了多少？", "2029年耕地占用税二亿元", ""),
        ("示例市2029年个税收了多少？", "2029年个人所得税二亿元", ""),
        ("示例市2029年登记失业率控制在多少？", "2029年登记失业率4%", ""),
        ("示例市2029年财政收入增长率是多少？", "2029年财政收入增长8.1%", ""),
        ("示例市2029年企业一共交税多少？", "2029年税收六百亿元", ""),
    ],
)
def test_a_tax_is_not_answered_with_another(question: str, text: str, why: str) -> None:
    """This test ensures that a tax called by its name stands in the record."""
    assert lacking(question, "示例市2029年预算报告", text) == why


@pytest.mark.parametrize(
    ("title", "why"),
    [("示例市人民代表大会议事规则", "文件不符"), ("示例市人民代表大会常务委员会议事规则", "")],
)
def test_the_rules_of_the_congress_are_not_those_of_its_committee(title: str, why: str) -> None:
    """This test ensures that a rule named with its organ is that organ's."""
    assert lacking("示例市人大常委会议事规则规定发言几分钟", title, "示例市") == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("示例市第十五届人民代表大会第一次会议通过了条例", "届次不符"),
        ("第十五届全国人民代表大会第一次会议通过了法律", ""),
    ],
)
def test_the_national_congress_is_no_towns(text: str, why: str) -> None:
    """This test ensures that a sitting of a town's congress is not that of the national one."""
    question = "第十五届全国人民代表大会第一次会议通过了哪些法律？"
    assert lacking(question, "大会公报", text) == why


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("示例市烧烤摊罚多少", "事项不符"),
        ("示例市有烧烤摊老往路边树坑里倒开水，按绿化条例一棵树罚多少？烫死了呢？", ""),
    ],
)
def test_a_topic_among_many_circumstances_need_not_stand_in_the_record(
    question: str, why: str
) -> None:
    """This test ensures that what is only told beside the matter refuses nothing."""
    record = Record("r1", "示例市城市绿化条例")
    words = Vocabulary([Entry(("烧烤摊",), ("露天烧烤",), None, None, "环境")])
    asked = read_question(question, Gazetteer([record]), dt.date(2032, 1, 5), vocabulary=words)
    near = search_form("示例市城市绿化条例 在树穴内倾倒热水的，每棵处三百元罚款").text

    assert mismatch(asked, record, 1, near, lambda _: 3.0) == why


def test_hearsay_is_no_estate() -> None:
    """This test ensures that 听说社区 names no spot the record would have to name."""
    assert not lacking(
        "听说社区得有人定期去看望独居老人，多长时间一次？", "示例市养老服务条例", "每两天巡访一次"
    )


def test_a_rule_called_by_an_everyday_word_is_that_rule() -> None:
    """This test ensures that 养狗条例 is the one on 养犬, which shares one character with it."""
    record = Record("r1", "示例市养犬管理条例")
    words = Vocabulary([Entry(("养狗",), ("养犬",), None, None, "治安")])
    asked = read_question(
        "养狗条例哪天施行", Gazetteer([record]), dt.date(2032, 1, 5), vocabulary=words
    )

    assert mismatch(asked, record, 0, search_form(record.title).text, lambda _: 3.0) == ""


@pytest.mark.parametrize(
    ("question", "exists"),
    [
        ("有没有管电梯的条例？", True),
        ("市里出过养鸽子的条例没有？", True),
        ("关于大运河的决议通过了吗？", True),
        ("有老板想盖小区卖，条例答应吗？", False),
        ("老条例还算数吗？", False),
        ("条例后来改了吗？", False),
    ],
)
def test_whether_there_is_such_a_paper_is_told_from_what_it_says(
    question: str, exists: bool
) -> None:
    """This test ensures that 条例答应吗 asks what the rule says and not whether there is one."""
    assert bool(_EXISTENCE.search(question)) is exists


def test_the_vocabulary_alone_refuses_only_a_rule_told_by_its_matter() -> None:
    """This test ensures that a topic missing in the record turns away no other question."""
    record = Record("r1", "示例市物业管理条例")
    words = Vocabulary([Entry(("放鞭炮",), ("燃放烟花爆竹",), None, None, "治安")])
    asked = read_question(
        "小区里放鞭炮归谁管", Gazetteer([record]), dt.date(2032, 1, 5), vocabulary=words
    )
    near = search_form("示例市物业管理条例 业主应当遵守管理规约").text

    assert mismatch(asked, record, 0, near, lambda _: 3.0) == "事项不符"
    assert mismatch(asked, record, 0, near, lambda _: 3.0, topics=False) == ""
    assert _THAT_RULE.search("不让放鞭炮的那部法规")
    assert _THAT_RULE.search("榕城那部管养狗的条例，哪天批的")
    assert not _THAT_RULE.search("小区里放鞭炮归谁管")


RULES = [
    Record("a", "示例市电梯安全条例", year=2020),
    Record("b", "榕城市山体保护条例", year=2020),
    Record("c", "榕城市户外广告设施设置管理办法", year=2020),
    Record("d", "示例市讨论决定重大事项的规定", year=2020),
    Record("e", "示例市养犬管理条例", year=2020),
    Record("f", "榕城市犬类管理条例", year=2020),
    Record("g", "关于修改榕城市献血条例的决定", year=2020),
]


@pytest.mark.parametrize(
    ("question", "elsewhere"),
    [
        ("榕城市的电梯把人困住了，几分钟得赶到？", {"电梯"}),
        ("示例市的电梯把人困住了，几分钟得赶到？", set()),
        ("电梯把人困住了，几分钟得赶到？", set()),
        ("示例市的户外广告牌能挂几年？", {"户外广告"}),
        ("示例市犬类限养哪些品种？", set()),
        ("示例市献血条例的奖励是什么？", set()),
        ("示例市开会讨论什么？", set()),
        ("榕城市开会讨论什么？", set()),
    ],
)
def test_what_only_other_places_have_a_rule_on_is_told(question: str, elsewhere: set[str]) -> None:
    """This test ensures that the subject of another town's rule is known to be that."""
    asked = read_question(question, Gazetteer(RULES), dt.date(2026, 1, 5))

    def rarity(term: str) -> float:
        return 5.0 if len(term) > 1 or term in "犬梯" else 1.0

    assert subjects_elsewhere(asked, CatalogueView(RULES), rarity) == elsewhere
    assert subjects_elsewhere(asked, CatalogueView(RULES), lambda _: 1.0) == set()


@pytest.mark.parametrize(
    ("text", "lacks"),
    [("山体上不得开采。", True), ("山上电梯不得开行。", False)],
)
def test_a_record_that_never_names_the_subject_is_on_something_else(text: str, lacks: bool) -> None:
    """This test ensures that the whole record is looked through, not the passage found alone."""
    passage = Passage("p", "b", 0, 6, "山体保护条例")
    evidence = [Evidence(Hit(passage, 1, 1.0, 0.9, 1.0), RULES[1], 1.0, 0.0, 1, 0)]
    nearby = Nearby(evidence, {"电梯"}, lambda _: [Page("b", 1, text)])

    assert nearby.lacks_subject(RULES[1]) is lacks
    assert not Nearby(evidence).lacks_subject(RULES[1])
