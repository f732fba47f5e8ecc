"""Reading a question."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.attributes import attribute_present, telling
from assistant.gazetteer import Gazetteer
from assistant.periods import Period
from assistant.question import Intent, compares, read_question
from assistant.vocabulary import PLACES as PLACE_NAMES
from assistant.vocabulary import Entry, Vocabulary
from assistant.vocabulary_file import shipped_entries
from index.domain import Record
from index.text import search_form

SHIPPED = Vocabulary(shipped_entries())
TODAY = dt.date(2026, 11, 23)
PLACES = Gazetteer(
    [
        Record("1", "示例市养犬管理条例", author="示例市人民代表大会常务委员会"),
        Record("2", "关于榕城县2021年预算执行情况的报告"),
        Record("3", "山东省人大常委会议事规则"),
    ]
)


def read(text: str):  # type: ignore[no-untyped-def]
    return read_question(text, PLACES, TODAY)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("库里示例市的地方性法规一共有几部？", Intent.COUNT),
        ("示例市养狗最多能养几条？", Intent.NUMBER),
        ("这个条例哪天通过的？", Intent.WHEN),
        ("电动车充电归哪个部门管？", Intent.WHO),
        ("会议通过了哪些决定？", Intent.LIST),
        ("主城区能不能养两条狗？", Intent.YES_NO),
        ("示例市和榕城县的规定一样吗？", Intent.COMPARE),
        ("偷着放炮，示例市跟榕城县哪个罚得狠？", Intent.COMPARE),
        ("停暖气，示例市和榕城县谁晚？", Intent.COMPARE),
        ("2020年谁是示例市市长？", Intent.WHO),
        ("哪个局长被免职了？", Intent.WHO),
        ("哪个部门管得多少有点说法？", Intent.WHO),
        ("养犬条例后来改过没有？", Intent.VERSION),
    ],
)
def test_the_question_word_tells_what_is_wanted(text: str, intent: Intent) -> None:
    """This test ensures that each kind of question is told by its wording."""
    assert intent is read(text).intent


def test_a_short_place_name_is_the_full_one() -> None:
    """This test ensures that 示例 and 示例市 are one place."""
    assert read("示例养狗怎么规定的").places == ("示例市",)
    assert read("榕城县的预算").places == ("榕城县",)
    assert read("养狗 怎么规定 示例").places == ("示例市",)
    assert read("那山东").places == ("山东省",)
    assert read("山东大学的校园").places == ()
    assert read("在示例大街上扔烟头").places == ("示例市",)
    assert read("在山东湖上钓鱼").places == ()
    assert read("山东湖北交界的路").places != ()
    assert read("山东示例养狗怎么规定").places == ("示例市",)
    assert read("江苏无锡去年的报告").places == ("无锡市",)
    assert read("山东和示例养狗").places == ("山东省", "示例市")
    assert read("1月8日港区代表、各省市管县乡的办法").unknown_places == ()
    assert read("北京上海的养犬规定比一比").places == ("北京市", "上海市")
    assert read("河北天津谁严").places == ("河北省", "天津市")


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("山东16年改的那个计生条例", (2016,)),
        ("一六年修订的条例", (2016,)),
        ("13年7月发的文件", (2013,)),
        ("干满16年的代表", ()),
        ("工作16年以上", ()),
        ("十六年的积累", ()),
    ],
)
def test_two_figures_are_a_year_where_something_happened_in_it(text: str, years) -> None:
    """This test ensures that a length of time is no year."""
    assert read(text).years == years


@pytest.mark.parametrize("text", ["一连四个市换了市长", "手续归市里批还是区里批"])
def test_words_before_a_class_word_are_no_place(text: str) -> None:
    asked = read(text)

    assert (asked.places, asked.unknown_places) == ((), ())


def test_a_town_behind_its_county_is_the_town() -> None:
    """This test ensures that 璧山大兴镇 is looked for as 大兴镇."""
    assert read("璧山大兴镇的代表").unknown_places == ("大兴镇",)


def test_a_place_no_record_is_about_is_told_apart() -> None:
    """This test ensures that an unknown town is not silently dropped."""
    asked = read("龙潭市养狗怎么规定的")

    assert asked.places == ()
    assert "龙潭市" in asked.unknown_places


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2018年的建议", (2018,)),
        ("二○一八年的建议", (2018,)),
        ("八三年植树的决议", (1983,)),
        ("去年的预算报告", (2025,)),
        ("今年一月的会", (2026,)),
        ("〔2016〕12号", (2016,)),
        ("今年冬天不在家住，暖气费能不能少交", ()),
        ("孩子今年满十八岁，能参加选举吗", ()),
    ],
)
def test_years_are_read_in_every_spelling(text: str, years: tuple[int, ...]) -> None:
    """This test ensures that Arabic, Chinese, short and relative years resolve."""
    assert years == read(text).years


def test_a_resolved_relative_year_is_reported() -> None:
    """This test ensures that the reader can be told what 去年 was taken for."""
    (reading,) = read("去年的预算报告").readings

    assert (reading.key, reading.sentence) == ("时间:去年", "“去年”为2025年")


def test_a_reading_can_be_taken_off() -> None:
    """This test ensures that a relative year the asker does not want is not used."""
    asked = read_question("去年的预算报告", PLACES, TODAY, without=("时间:去年",))

    assert asked.years == ()
    assert asked.readings == ()


@pytest.mark.parametrize(
    ("text", "first", "last", "firm"),
    [
        ("1990年到1995年长期的案卷", 1990, 1995, True),
        ("1990—1995年的案卷", 1990, 1995, True),
        ("九〇年至九五年的案卷", None, None, True),
        ("二○一○年到二○一五年的决议", 2010, 2015, True),
        ("2021年以后关于学校食堂的", 2021, 2026, True),
        ("2003年以前的会议记录", 1949, 2002, True),
        ("近五年加装电梯的建议", 2022, 2026, True),
        ("泗水河污染人大这十年管过几回", 2017, 2026, True),
        ("三年来的审计报告", 2024, 2026, True),
        ("八十年代的植树决议", 1980, 1989, False),
        ("上世纪90年代的水利工程", 1990, 1999, False),
        ("疫情那几年常委会出过哪些决定", 2020, 2022, False),
        ("非典那年的决议", 2003, 2003, False),
        ("“十五”期间的规划", 2001, 2005, False),
        ("2018年的建议", None, None, True),
        ("30年保管期限的文件", None, None, True),
        ("五年规划纲要", None, None, True),
        ("三十年的老房子", None, None, True),
    ],
)
def test_stretches_of_years(text: str, first: int | None, last: int | None, firm: bool) -> None:
    """This test ensures that ranges, the last years, decades and eras are read as years."""
    period = read_question(text, PLACES, TODAY, vocabulary=SHIPPED).period

    if first is None or last is None:
        assert period is None
    else:
        assert period == Period(first, last, firm)


def test_years_ago_is_one_year() -> None:
    """This test ensures that 三年前 is the year three years back."""
    assert read("三年前的停车建议").years == (2023,)
    assert read("大前年的停车建议").years == (2023,)


def test_an_era_is_a_hint_and_a_range_a_demand() -> None:
    """This test ensures that only years the asker gave in figures must be in the evidence."""
    era = read_question("疫情那几年的决定", PLACES, TODAY, vocabulary=SHIPPED)
    firm = read("近三年的决定")

    assert era.years_asked == {2020, 2021, 2022}
    assert era.years_required == frozenset()
    assert firm.years_required == {2024, 2025, 2026}


def test_a_word_is_not_missing_where_its_official_form_stands() -> None:
    """This test ensures that 电动车 counts as found in a page that says 电动自行车."""
    asked = read_question("电动车充电", PLACES, TODAY, vocabulary=SHIPPED)

    assert {"电动", "动车"} <= asked.terms_in("电动自行车停放充电")
    assert "动车" not in asked.terms_in("电动汽车停放充电")


def test_the_official_term_is_embedded_beside_the_everyday_word() -> None:
    """This test ensures that the model sees both words, and an official term only itself."""
    assert (
        read_question("电动车充电", PLACES, TODAY, vocabulary=SHIPPED).dense_text
        == "电动车(电动自行车)充电"
    )
    official = read_question("电动自行车条例", PLACES, TODAY, vocabulary=SHIPPED)
    assert official.dense_text == "电动自行车条例"
    assert "电瓶车" in official.synonyms["电动自行车"]


def test_quoted_words_are_not_expanded() -> None:
    """This test ensures that words in quotation marks are looked for as they stand."""
    assert read_question("题名带“电动车”的", PLACES, TODAY, vocabulary=SHIPPED).synonyms == {}


def test_a_proposal_of_the_other_house_is_a_motion_or_a_suggestion() -> None:
    """This test ensures that 提案 is searched as 议案 and 建议, said politely."""
    asked = read_question("提案里有没有校门口堵车的", PLACES, TODAY, vocabulary=SHIPPED)

    assert {"议案", "建议"} <= set(asked.types)
    assert asked.notes == ("提案属政协，本库为人大议案/建议。",)
    assert "文种:提案" in [r.key for r in asked.readings]
    assert read_question("政协提案的答复", PLACES, TODAY, vocabulary=SHIPPED).notes == ()


RENAMED = Vocabulary([Entry(("老榕县",), ("榕城县",), None, 1992, PLACE_NAMES)])


def test_an_old_place_name_is_the_present_place() -> None:
    """This test ensures that a place asked by its old name is found under both."""
    asked = read_question("老榕县那时候的铁路", PLACES, TODAY, vocabulary=RENAMED)

    assert asked.places == ("榕城县",)
    assert "老榕县" in asked.place_names["榕城县"]
    assert asked.unknown_places == ()
    assert [r.key for r in asked.readings] == ["地名:老榕县"]


def test_a_present_place_name_brings_the_old_one() -> None:
    """This test ensures that records under the old name are of the place too."""
    asked = read_question("榕城县的铁路", PLACES, TODAY, vocabulary=RENAMED)

    assert asked.places == ("榕城县",)
    assert asked.place_names["榕城县"] == ("老榕县",)


def test_our_city_is_the_one_in_the_settings() -> None:
    """This test ensures that 我市 is completed, told, and can be taken off."""
    asked = read_question("我市的养犬条例", PLACES, TODAY, local_body="示例市")
    plain = read_question(
        "我市的养犬条例", PLACES, TODAY, local_body="示例市", without=("地名:我市",)
    )

    assert asked.places == ("示例市",)
    assert [r.sentence for r in asked.readings] == ["“我市”为示例市"]
    assert plain.places == ()


@pytest.mark.parametrize(
    "text",
    [
        "以前有代表提过电动车充电着火的事吗，怎么答复的？",
        "养狗伤人的事最后立法了没有？",
        "烂尾楼的建议办到哪一步了？",
        "有没有建议后来变成法规的？",
        "加装电梯前面有人提过吗？",
        "拆迁补偿以前有没有类似的能参考？",
        "有没有先例？",
    ],
)
def test_a_question_for_precedents_is_told(text: str) -> None:
    """This test ensures that deputies' questions for earlier cases have their own kind."""
    assert read(text).intent is Intent.PRECEDENT


def test_persons_and_result_classes_are_told() -> None:
    """This test ensures that names before an office and classes as written are read."""
    asked = read("方敬亭代表对第19号建议打了不满意，是A类还是c类？")

    assert asked.people == ("方敬亭",)
    assert asked.outcomes == ("不满意", "A类", "C类")
    assert read("市人大常委会主任和有关人大代表").people == ()


@given(st.text(alphabet="电动车瓶养狗犬放鞭炮拆迁的条例2018年近五，。", max_size=24))
def test_reading_never_loses_what_was_typed(text: str) -> None:
    """This test ensures that expansion only adds: typed terms keep their weight."""
    plain = read(text)
    wide = read_question(text, PLACES, TODAY, vocabulary=SHIPPED)

    assert plain.terms.items() <= wide.terms.items()
    assert plain.content == wide.content
    assert plain.text == wide.text
    assert re.sub(r"\(.*?\)", "", wide.dense_text) == wide.form
    for form in ("", text, "电动自行车养犬管理"):
        assert plain.terms_in(form) <= wide.terms_in(form)
    assert wide.terms_in(form) <= wide.content_terms


@given(st.text(alphabet="电动车瓶养狗放鞭炮拆迁去年近五疫情那几", max_size=24))
def test_taking_every_reading_off_leaves_the_plain_question(text: str) -> None:
    """This test ensures that nothing is read in that cannot be taken off."""
    wide = read_question(text, PLACES, TODAY, vocabulary=SHIPPED)
    keys = [r.key for r in wide.readings]
    again = read_question(text, PLACES, TODAY, vocabulary=SHIPPED, without=keys)

    assert not {r.key for r in again.readings} & set(keys)


def test_a_month_joins_the_only_year() -> None:
    """This test ensures that 2023年7月 filters by month."""
    assert "2023-07" in read("日期写着2023年7月的新闻").dates


def test_function_words_are_not_evidence() -> None:
    """This test ensures that question words never count as missing terms."""
    terms = read("请问示例市养犬管理到底是怎么规定的呢？").content_terms

    assert "养犬" in terms
    assert not {"请问", "到底", "怎么", "的呢"} & terms


def test_words_holding_a_function_word_survive() -> None:
    """This test ensures that 目的, 地方性法规 and 会议 are not cut up."""
    terms = read("地方性法规的立法目的和会议纪要").content_terms

    assert {"地方", "性法", "法规", "目的", "会议"} <= terms


def test_quoted_words_are_phrases() -> None:
    """This test ensures that quoted words are kept whole."""
    assert read("题名里带“物业管理条例”的有几条").phrases == ("物业管理条例",)


@pytest.mark.parametrize(
    ("asked", "text", "there"),
    [
        ("德州扒鸡一年卖了多少只？", "第十条 禁止下列行为：（一）使用病死的原料鸡；", False),
        ("德州扒鸡一年卖了多少只？", "全年销售三千万只。", True),
        ("葡萄酒产了多少？", "第二十八条 本条例自2021年1月1日起施行。", False),
        ("补办身份证要多少钱？", "应当缴纳证件工本费。", False),
        ("补办身份证要多少钱？", "工本费每证四十元。", True),
        ("巷子积水多少厘米？", "积水三十厘米", True),
        ("要多少户点头才成？", "三分之二以上的业主同意", True),
        ("去了多少人？", "组织三十余名代表参加", True),
        ("蓄到175米以后震了几级？", "蓄到175米以后有震感", False),
        ("批了哪几部法规？", "批准《某条例》", True),
        ("文号是多少？", "复函", True),
        ("避雷装置隔多长时间查一次？", "应当每半年检测一次。", True),
        ("最晚啥时候回话？", "应当在六个月内答复。", True),
        ("新任命的副市长叫啥？", "决定任命柯小满为副市长。", True),
        ("狗拉了一泡让人逮着了，掏几块钱？", "处十元以上五十元以下罚款。", True),
        ("公交票多少钱？", "处十元以上五十元以下罚款。", False),
        ("举报偷放鞭炮的给多少奖金？", "对举报属实的给予奖励。违反规定的，处五百元罚款。", False),
        ("举报偷放鞭炮的给多少奖金？", "对举报属实的，每起奖励二百元。", True),
        ("献一回血补助多少钱？", "给予营养补助，标准由卫生部门规定。拒绝献血的罚五百元。", False),
        ("献一回血补助多少钱？", "每次给予营养补助二百元。", True),
        ("办狗证的管理服务费一年交多少？", "管理服务费每只每年三百元。", True),
        ("办狗证的管理服务费一年交多少？", "导盲犬免收管理服务费。", True),
        ("财政局长多大岁数了？", "任命苏念安为财政局局长。", False),
        ("多大岁数能领高龄津贴？", "八十周岁以上的老年人", True),
        ("高龄津贴多少岁开始领？", "年满八十周岁的老年人", True),
        ("生育津贴发多少天？", "生育津贴发放一百五十八天。", True),
        ("公交补贴了多少辆？", "补贴公交车三百辆。", True),
        ("高龄老人补贴多少钱？", "投资300万元建设养老院。", False),
        ("挨着学校的停车场停一小时多少钱？", "违反规定的，处二百元罚款。", False),
        ("煤矿交接班有什么规定？", "交班人应当向接班人说明情况。", True),
        ("村委会下一任期几年？", "任期五年。", True),
        ("苏念安走了以后接她班的是谁？", "接受苏念安辞去检察长职务的请求。", False),
        (
            "苏念安走了以后接她班的是谁？",
            "接受苏念安辞去检察长职务的请求，任命何以宁为代理检察长。",
            True,
        ),
        ("承办处室的办公地址在哪？", "答复前电话沟通一次", False),
        ("承办处室的办公地址在哪？", "地址：示例市人民路12号", True),
        ("地铁起步价几块钱？", "情节严重的,处二百元以上一千元以下罚款。", False),
        ("义诊一共花了多少钱？", "为群众免费诊疗", False),
        ("办证要多少钱？", "免收工本费。", True),
        ("遛狗罚多少钱？", "处二百元以下罚款。", True),
        ("产了多少葡萄酒？", "档案保存期限不得少于六个月", False),
        ("这个证能管多少年？", "有效期二十年", True),
        ("献血的14个人都叫什么名字？", "成功献血的有14人。", False),
        ("献血的人都叫什么名字？", "献血的是谢樟、王小明等人。", True),
        ("财政局局长叫什么？", "财政局局长 张三 作报告", True),
        ("监察司法委以前叫什么？", "内务司法委员会更名为监察和司法委员会", True),
        ("自来水一方多少钱？", "水费计入供水成本，不得加收任何费用。", False),
        ("供暖一平米收多少钱？", "按日减收热费的百分之五十。", False),
        ("供暖一平米收多少钱？", "每平方米二十三元。", True),
        ("篮球赛谁拿了第一？", "举行篮球友谊赛，千余人参加。", False),
        ("篮球赛谁拿了第一？", "岭下村队获得冠军。", True),
        ("苏念安原来在哪儿当书记？", "决定任命苏念安为副市长。", False),
        ("苏念安原来在哪儿当书记？", "苏念安，曾任榕城县委书记。", True),
        ("何以宁调到哪个单位去了？", "何以宁因工作变动辞职。", False),
        ("何以宁调到哪个单位去了？", "何以宁调任榕城县水利局局长。", True),
        ("是修正案第几条？", "国家尊重和保障人权。", False),
        ("是修正案第几条？", "第二十四条 增加一款。", True),
        ("条例从哪天起施行？", "由环境保护主管部门实施统一监督管理。", False),
        ("条例从哪天起施行？", "本条例自2031年5月1日起施行。", True),
        ("咨询员都叫什么，列个名单", "（记者 林知远）会议通过了咨询员名单。", False),
        ("咨询员都叫什么，列个名单", "咨询员：王小明、李大山。", True),
        ("国办发的消费扶贫指导意见是多少号文？", "国办发〔2031〕9号", True),
        ("化学武器一共查出来多少枚？", "五十多年来多次遭受伤害。", False),
        ("化学武器一共查出来多少枚？", "查明三百余枚。", True),
        ("查出多少条隐患？", "开展一法一条例执法检查。", False),
        ("查出多少条隐患？", "查出隐患42条。", True),
        ("投了多少张赞成票？", "会议表决通过了任免议案。", False),
        ("能在管道上头栽几棵杨树不？", "管道两侧五米内不得种植乔木。", True),
        ("三公经费总共花了多少亿？", "三公经费支出同比下降17.8%。", False),
        ("三公经费总共花了多少亿？", "三公经费支出0.4亿元，下降17.8%。", True),
        ("新市长是哪个大学毕业的？", "选举苏念安为市长。", False),
        ("新市长是哪个大学毕业的？", "苏念安，1990年毕业于榕城师范学院。", True),
        ("总山长是哪位领导？", "山体保护实行山长制。", False),
        ("哪个领导小组负责防汛？", "防汛工作由领导小组负责。", True),
        ("种了多少棵树？", "植树120万株。", True),
        ("多少辆公交车？", "新增公交车50台。", True),
        ("户籍人口总共多少万人？", "年末户籍人口98.6万。", True),
        ("苏念安是哪里人？", "苏念安，男，江苏涟水人，党员。", True),
        ("苏念安是什么学历？", "苏念安，文化程度大专。", True),
        ("十几个村通了水？", "全县通水。", True),
        ("志愿队能不能带上几个初中生？", "禁止组织未成年人参加。", True),
        ("中考那几天让不让放鞭炮？", "中考期间禁止燃放。", True),
        ("总山长是哪位领导？", "总山长由市长担任。", True),
        ("谁作的说明？", "岑述之作说明", True),
        ("检察长叫什么？", "检察长岑述之到会讲话", True),
        ("市委书记叫什么？", "市委书记向大会致辞", False),
        ("占比百分之几？", "榕城 | 12.5 | 8.1", True),
        ("烈性犬不拴绳罚几百块？", "由公安机关责令改正。", False),
        ("烈性犬不拴绳罚几百块？", "处二百元罚款。", True),
        ("大坝多高？", "大坝由县水利局管理。", False),
        ("大坝多高？", "坝顶高程38.5米", True),
        ("带几条狗进公园行不行？", "禁止携犬入园。", True),
        ("废了几部老法规，都是啥？", "《旧条例》《老办法》同时废止", True),
        ("水费交多少？", "单位:万元", False),
        ("水费交多少？", "每立方米三元。", True),
        ("投入了多少钱？", "共投入资金3000余万元", True),
        ("投入了多少钱？", "投入10多万元", True),
        ("报告讲了几方面问题？", "一是进度慢；二是资金缺", True),
        ("为什么撤销这个决定？", "与上位法不一致，予以撤销", True),
        ("何以宁的副市长是因为啥给免的？", "免去何以宁的副市长职务", False),
        ("何以宁的副市长是因为啥给免的？", "何以宁因工作变动辞职", True),
        ("咨询员的名单挨个念一下", "会议通过了咨询员名单。", False),
        ("国际周放在啥时候？", "每年六月第三个周为国际周。", True),
        ("一共砍下来多少支出？", "核减支出27.54亿元", True),
        ("张示例为什么不干示例市副市长了", "免去张示例的副市长职务。", False),
        ("那家国企的一把手是谁？", "国有企业平台公司取得信用评级。", False),
        ("那家国企的一把手是谁？", "平台公司董事长张示例介绍。", True),
        ("署名的财政局长是谁？", "市财政局局长芦继云各位代表:", True),
        ("保险管几年？", "给予终身人身保险。", True),
        (
            "市运动会开幕式定在哪天？",
            "--2019年1月8日在示例市第十三届人民代表大会第三次会议上",
            False,
        ),
        ("预算报告是哪天作的？", "--2019年1月8日在示例市第十三届人民代表大会第三次会议上", True),
        ("预算执行情况由谁报告？", "示例市2025年预算执行情况", False),
        ("预算执行情况由谁报告？", "示例市财政局局长张示例", True),
        (
            "把项目名单列给我",
            "--2026年1月8日在示例市第十三届人民代表大会第三次会议上示例市财政局",
            False,
        ),
        ("湖泊的负责人是谁？", "乡镇人民政府主要负责人为湖长。", True),
        ("预算哪天宣读的？", "--2019年1月8日在示例市第十三届人民代表大会第三次会议上", True),
        ("听证会由谁主持？", "由非本案调查人员主持。", True),
        ("为什么暂停供热", "供热管道老化破裂，正在抢修。", True),
        ("示例镇的收入为啥比上年少", "受企业停产影响，收入下降。", True),
        ("燃放时段到晚上几点", "除夕至正月十五可以燃放。", False),
        ("燃放时段到晚上几点", "每日七时至二十四时可以燃放。", True),
        ("会上提了几点要求", "会议提出三点要求。", True),
        ("工作室是哪一年挂牌的", "7月28日，工作室举行义诊。", False),
        ("工作室是哪一年挂牌的", "工作室于2021年挂牌。", True),
        ("工作室哪年挂的牌", "去年，工作室挂牌。", True),
        ("参加一次活动得几分", "代表参加活动予以积分。", False),
        ("参加一次活动得几分", "参加一次活动计二分。", True),
        ("花几分钱", "每度加收三分钱。", True),
        ("代表对答复满意吗", "关于您的建议，答复如下。", False),
        ("代表对答复满意吗", "代表表示满意。", True),
        ("几天内要说满不满意", "收到之日起十五日内反馈意见。", True),
        ("开会要到多少人才能开", "会议由全体成员组成。", False),
        ("开会要到多少人才能开", "有过半数成员出席方可举行。", True),
        ("值班有报酬吗？", "会议通过了咨询员制度。", False),
        ("值班有报酬吗？", "不领取报酬，据实补贴。", True),
        ("骗领补贴怎么罚？", "由公安机关依法给予治安处罚。", True),
        ("哪个部门发放高龄补贴？", "由民政部门负责组织实施。", True),
        ("对见义勇为的人给奖励吗？", "授予称号，予以表彰。", True),
        ("几个人签字才算数？", "两名执法人员签名。", True),
        ("提了哪几点看法", "一是进度慢；二是资金缺。", True),
        ("测评多少分", "测评得分:95.6", True),
        ("设了多少分会场", "设会场12个。", True),
        ("代表不满意怎么重办", "应当在一个月内重新办理。", True),
        ("对这个答复满意吗", "代表意见：同意。", True),
        ("县政府哪年成立", "民国二十六年成立。", True),
        ("水库哪年修的", "上世纪七十年代修建。", True),
    ],
)
def test_a_question_for_a_figure_wants_one_with_its_unit(
    asked: str, text: str, there: bool
) -> None:
    """This test ensures that dates and the numbers of articles are no answer to how many."""
    assert attribute_present(read(asked), search_form(text).text) is there


@pytest.mark.parametrize(
    ("asked", "known", "unknown"),
    [
        ("县一级的代表想另外推一个县长人选，要几个人签名？", (), ()),
        ("有篇报道讲省人大查专利法", (), ()),
        ("我们县的养犬规定", (), ()),
        ("江都区养犬罚多少？", (), ("江都区",)),
        ("玉石市场管理办法是哪年的？", (), ()),
        ("打招呼市民热线多少？", (), ()),
        ("苏念安市长是哪年任命的？", (), ()),
        ("涟水县民政局养犬怎么管？", (), ("涟水县",)),
        ("都昌县养犬罚多少？", (), ("都昌县",)),
        ("呼市养犬罚多少？", ("呼和浩特市",), ()),
        ("我想查大邑县的养犬规定", (), ("大邑县",)),
        ("请问柳荫镇修路的建议", (), ("柳荫镇",)),
        ("关于太和县养犬", (), ("太和县",)),
        ("北京朝阳区养犬罚多少？", ("北京市",), ("朝阳区",)),
        ("今天全县有什么会？", (), ()),
        ("有什么区别？", (), ()),
    ],
)
def test_a_run_over_a_word_border_is_no_place(
    asked: str, known: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    """This test ensures that 推一个县 is no county, and that 都 in a county's name is no adverb."""
    question = read(asked)
    assert (question.places, question.unknown_places) == (known, unknown)


def test_estates_and_phrases_are_no_towns() -> None:
    """This test ensures that 先行启动区 and 由哪三个区县 are not taken for places."""
    assert read("一体化示范区先行启动区的规划由哪三个区县批？").unknown_places == ()


@pytest.mark.parametrize(
    ("asked", "telling_text", "silent_text"),
    [
        ("成立大会谁主持的？", "省人大监察司法委主任主持会议", "专家库由64人组成"),
        ("打哪年起不让用了？", "自2020年起暂不安排", "2017年5月发布办法"),
        ("他为啥不当委员了？", "因工作变动提出辞职", "接受辞去委员职务的请求"),
    ],
)
def test_what_a_telling_sentence_says_is_known(
    asked: str, telling_text: str, silent_text: str
) -> None:
    """This test ensures that who did it, since when and why are looked for in the sentence itself."""
    told = telling(read(asked))

    assert told is not None
    assert told[0].search(telling_text)
    assert not told[0].search(silent_text)
    assert telling(read("养犬要交多少钱")) is None


@pytest.mark.parametrize(
    ("text", "both"),
    [
        ("常委会发言，示例市和榕城县各让讲几分钟？", True),
        ("草案听意见，示例市和榕城县一般分别挂多少天？", True),
        ("2018年和2019年的赤字各有多少？", True),
        ("大会发言，全国的和示例市的各给几分钟？", True),
        ("示例市人大跟全国人大各要几个人联名？", True),
        ("示例市和全国人大代表分别选多少名？", False),
        ("全国人大开会，示例市的代表分别坐哪里？", False),
        ("示例市和榕城县的交界在哪？", False),
        ("示例市的各县要几个人联名？", False),
    ],
)
def test_what_is_asked_of_each_is_compared(text: str, both: bool) -> None:
    """This test ensures that 各 after two joined places searches them one by one."""
    assert compares(read(text)) is both
