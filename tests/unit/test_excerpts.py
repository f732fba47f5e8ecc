"""Which sentences are quoted, and how many."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from assistant.excerpts import (
    LISTED,
    Enough,
    Excerpt,
    ExcerptFinder,
    _is_torn,
    _only_labels,
    choose,
    speaks_of_other_year,
)
from assistant.gazetteer import Gazetteer
from assistant.question import Question, read_question
from assistant.retrieval import Evidence
from index.domain import Hit, Page, Passage, Record
from index.sentences import split_sentences
from index.text import search_form

RAW = (
    "关于加装电梯建议的答复\n示住建函〔2018〕23号\n苏晚晴代表：\n您提出的建议收悉。\n"
    "下列情形予以补贴：\n（一）每部补贴二十万元；\n（二）免收占用费。\n已建成五部。\n示例市住房局\n2018年5月4日\n"
)
RECORD = Record("r1", "关于加装电梯建议的答复")
PAGE = Page("r1", 1, RAW)
EVIDENCE = Evidence(
    Hit(Passage("p1", "r1", 0, len(RAW), RAW), 1, 1.0, 0.9, 1.0), RECORD, 1.0, 0.0, 0, 0
)


def asked(text: str) -> Question:
    return read_question(text, Gazetteer([]), dt.date(2026, 1, 5))


def found(text: str, best: str, *, whole_lists: bool = False) -> list[Excerpt]:
    """Excerpts with the sentence that holds `best` most like the question."""

    def similarity(_: str, texts: Sequence[str]) -> list[float]:
        return [0.95 if best in one else 0.85 for one in texts]

    finder = ExcerptFinder(lambda *_: [PAGE], lambda _: 1.0, similarity)
    return finder.find(asked(text), [EVIDENCE], whole_lists=whole_lists)


def quotes(excerpts: Sequence[Excerpt]) -> list[str]:
    return [RAW[e.start : e.end] for e in excerpts]


@pytest.mark.parametrize(
    "label", ["示住建函〔2018〕23号", "苏晚晴代表：", "示例市住房局", "2018年5月4日"]
)
def test_a_line_that_only_labels_the_paper_is_not_quoted(label: str) -> None:
    """This test ensures that no label answers a question about the matter."""
    assert label not in quotes(found("加装电梯怎么补贴", label))


@pytest.mark.parametrize(
    ("line", "question", "quotable"),
    [
        ("您提出的《关于加装电梯的建议》收悉。", "加装电梯怎么补贴", False),
        ("您提出的《关于加装电梯的建议》收悉。", "加装电梯的建议是谁提的", True),
        ("现将加装电梯办理情况答复如下：", "加装电梯办得怎么样", False),
        ("受市政府委托，现将加装电梯情况报告如下：", "加装电梯的报告是谁作的", True),
        ("（联系人：祝海生　电话：000-2018047）", "加装电梯怎么答复的", False),
        ("以上报告，请予审议。", "加装电梯的报告说了什么", False),
        ("感谢您对加装电梯工作的关心和支持。", "加装电梯怎么补贴", False),
        ("每部电梯由财政补贴二十万元。", "加装电梯怎么补贴", True),
    ],
)
def test_a_courtesy_answers_nothing(line: str, question: str, quotable: bool) -> None:
    """This test ensures that 收悉, 现报告如下 and thanks are not quoted for the matter."""
    assert _only_labels(asked(question), search_form(line).text) is not quotable


def test_a_label_is_quoted_when_it_is_asked_for() -> None:
    """This test ensures that the document number answers the question for it."""
    assert quotes(found("答复的文号", "23号"))[0] == "示住建函〔2018〕23号"


def test_a_lead_in_takes_its_items_along() -> None:
    """This test ensures that neither the opening line nor an item stands alone."""
    whole = "下列情形予以补贴：\n（一）每部补贴二十万元；\n（二）免收占用费。"

    assert quotes(found("怎么补贴", "予以补贴:"))[0] == whole
    assert quotes(found("占用费收不收", "免收占用费"))[0] == whole


def test_one_clear_sentence_is_enough() -> None:
    """This test ensures that a sure answer is short and an unsure one is not."""
    sure = found("建成几部", "已建成五部")

    assert quotes(choose(sure)) == ["已建成五部。"]
    assert sum(e.length for e in choose(sure, Enough(sure=1.0))) > len("已建成五部。")


def test_the_room_is_kept_but_the_first_always_stands() -> None:
    """This test ensures that the limits of number and length hold."""
    every = found("电梯", "无")

    assert len(choose(every, Enough(sure=1.0, most=2))) <= 2
    assert len(choose(every, Enough(sure=1.0, room=1))) == 1
    assert choose([]) == []
    assert len(choose(every, LISTED)) >= len(choose(every))


def spans(text: str, scores: dict[str, float]) -> list[Excerpt]:
    """Excerpts of a page of that text, best first."""
    one = found("电梯", "无")[0]
    page = replace(one.page, raw=text)
    cut = [
        replace(
            one, page=page, start=text.index(t), end=text.index(t) + len(t), score=score, form=t
        )
        for t, score in scores.items()
    ]
    return sorted(cut, key=lambda e: -e.score)


def cut_of(excerpts: Sequence[Excerpt]) -> list[str]:
    return [e.page.raw[e.start : e.end] for e in excerpts]


def test_short_sentences_are_quoted_sooner_than_long_ones() -> None:
    """This test ensures that an excerpt beyond what is sure must be worth its characters."""
    best, short, long = "甲楼已装电梯。", "乙楼未装。", "丙楼" + "电梯" * 20 + "。"
    every = spans(f"{best}\n隔开\n{short}\n隔开\n{long}", {best: 1.0, short: 0.0, long: 0.0})
    share = math.exp(-1 / 0.6) / (1 + 2 * math.exp(-1 / 0.6))

    def chosen(price: float) -> list[str]:
        return cut_of(choose(every, Enough(sure=0.0, price=price)))

    assert chosen(0.9 * share * 100 / len(short)) == [best, short]
    assert chosen(1.1 * share * 100 / len(short)) == [best]
    assert chosen(0.9 * share * 100 / len(long)) == [best, short, long]


def test_three_sentences_in_a_row_are_one_quotation() -> None:
    """This test ensures that they are joined whichever of them is likeliest."""
    first, middle, last = "甲楼已装。", "乙楼未装。", "丙楼在装。"
    text = first + middle + last
    every = spans(text, {first: 3.0, last: 2.0, middle: 1.0})

    assert cut_of(choose(every, Enough(sure=1.0))) == [text]


def test_what_runs_on_counts_more() -> None:
    """This test ensures that the sentence after a chosen one is taken at half the price."""
    best, after = "甲楼已装电梯。", "乙楼未装。"
    share = math.exp(-1 / 0.6) / (1 + math.exp(-1 / 0.6))
    enough = Enough(sure=0.0, price=1.5 * share * 100 / len(after))

    scores = {best: 1.0, after: 0.0}
    assert cut_of(choose(spans(best + after, scores), enough)) == [best + after]
    assert cut_of(choose(spans(f"{best}隔开{after}", scores), enough)) == [best]


def test_sentences_that_follow_each_other_become_one_quotation() -> None:
    """This test ensures that neighbours are not shown as two quotations."""
    every = found("电梯", "无")
    spans = sorted((e.start, e.end) for e in choose(every, Enough(sure=1.0)))

    assert all(RAW[a:b].strip() for (_, a), (b, _) in itertools.pairwise(spans))


FIRST_PAGE = "决定如下：\n一、补贴加装电梯，每部由市财政补助\n"
SECOND_PAGE = "二十万元，分两年拨付。\n二、加强督查。\n"


def over_the_break(best: str) -> list[Excerpt]:
    """Excerpts of a record whose sentence runs over its page break."""
    text = FIRST_PAGE + SECOND_PAGE
    pages = [
        Page("r1", 1, FIRST_PAGE, width=100, height=100),
        Page("r1", 2, SECOND_PAGE, start=len(FIRST_PAGE), width=100, height=100),
    ]
    evidence = Evidence(
        Hit(Passage("p1", "r1", 0, len(text), text), 1, 1.0, 0.9, 1.0), RECORD, 1.0, 0.0, 0, 0
    )

    def between(_: str, start: int, end: int) -> list[Page]:
        return [p for p in pages if p.start < end and start < p.start + len(p.raw)]

    def similarity(_: str, texts: Sequence[str]) -> list[float]:
        return [0.95 if best in one else 0.85 for one in texts]

    return ExcerptFinder(between, lambda _: 1.0, similarity).find(asked("补助多少"), [evidence])


@pytest.mark.parametrize("best", ["市财政补助", "分两年拨付"])
def test_a_sentence_over_a_page_break_is_quoted_with_both_halves(best: str) -> None:
    """This test ensures that neither half stands alone, whichever is found first."""
    parts = over_the_break(best)[0].parts

    assert [page.seq for page, _, _ in parts] == [1, 2]
    assert "".join(page.raw[start:end] for page, start, end in parts).endswith(
        "二十万元，分两年拨付。"
    )


def test_half_a_sentence_without_its_other_half_is_left_out() -> None:
    """This test ensures that a sentence broken off at the last page is not quoted."""
    page = Page("r1", 1, FIRST_PAGE)
    evidence = Evidence(
        Hit(Passage("p1", "r1", 0, len(FIRST_PAGE), FIRST_PAGE), 1, 1.0, 0.9, 1.0),
        RECORD, 1.0, 0.0, 0, 0,
    )  # fmt: skip
    finder = ExcerptFinder(
        lambda _, start, end: [page] if start < len(FIRST_PAGE) else [],
        lambda _: 1.0,
        lambda _, texts: [0.9] * len(texts),
    )

    assert not any("补助" in e.form for e in finder.find(asked("补助多少"), [evidence]))


@pytest.mark.parametrize(
    ("raw", "other"),
    [
        ("2020年，全市收入完成二百亿元。\n", True),
        ("2021年，全市收入安排二百亿元。\n", False),
        ("二○二○年，全市收入完成二百亿元。\n", True),
        ("一、2020年预算执行情况\n全市收入完成二百亿元。\n", True),
        ("一、2021年预算草案\n全市收入安排二百亿元。\n", False),
        ("全市收入完成二百亿元。\n", False),
    ],
)
def test_a_sentence_of_another_year_is_known(raw: str, other: bool) -> None:
    """This test ensures that the year is read from the sentence or the heading over it."""
    sentences = split_sentences(Page("r1", 1, raw))

    told = speaks_of_other_year(asked("2021年全市收入多少"), sentences, len(sentences) - 1)

    assert told is other
    assert not speaks_of_other_year(asked("全市收入多少"), sentences, len(sentences) - 1)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("加装电梯的建议是怎么答复的？", "关于加装电梯建议的答复"),
        ("加装电梯的建议写了什么？", "关于加装电梯的建议"),
        ("加装电梯的建议哪年提的，怎么答复的？", "关于加装电梯的建议"),
    ],
)
def test_a_reply_asked_for_is_quoted_from_replies(question: str, first: str) -> None:
    """This test ensures that the proposal, however alike, does not tell how it was answered."""
    proposal = replace(EVIDENCE, record=Record("r2", "关于加装电梯的建议"), score=1.5)
    finder = ExcerptFinder(
        lambda record_id, *_: [replace(PAGE, record_id=record_id)],
        lambda _: 1.0,
        lambda _, texts: [0.9] * len(texts),
    )

    excerpts = finder.find(asked(question), [proposal, EVIDENCE])

    assert excerpts[0].evidence.record.title == first


def test_an_organs_name_cut_in_two_is_not_quoted() -> None:
    """This test ensures that half a line of a centred note of adoption is no quotation."""
    assert _is_torn("2022年11月30日示例省第十三届人民代")
    assert _is_torn("表大会常务委员会第四十次会议批准")
    assert not _is_torn("批准示例省第十三届人民代表大会常务委员会公报")


def _excerpts_of(raw: str, question: str, best: str, *, lists: bool = False) -> list[str]:
    page = Page("r1", 1, raw)
    evidence = Evidence(
        Hit(Passage("p1", "r1", 0, len(raw), raw), 1, 1.0, 0.9, 1.0), RECORD, 1.0, 0.0, 0, 0
    )

    def similarity(_: str, texts: Sequence[str]) -> list[float]:
        return [0.92 if best in one else 0.9 for one in texts]

    finder = ExcerptFinder(lambda *_: [page], lambda _: 1.0, similarity)
    return [
        raw[e.start : e.end] for e in finder.find(asked(question), [evidence], whole_lists=lists)
    ]


def test_the_congress_does_not_answer_for_its_standing_committee() -> None:
    """This test ensures that likelier words of the other body's rules come second."""
    raw = "第八条 代表头一回发言不超过十五分钟。\n"
    own = "第九条 委员发言，每次不超过十分钟。\n"
    pages = {"r1": Page("r1", 1, raw), "r2": Page("r2", 1, own)}
    evidence = [
        Evidence(
            Hit(Passage(f"p{r}", r, 0, len(pages[r].raw), pages[r].raw), 1, 1.0, 0.9, 1.0),
            replace(RECORD, record_id=r),
            1.0,
            0.0,
            0,
            0,
            other_body=r == "r1",
        )
        for r in pages
    ]
    finder = ExcerptFinder(
        lambda record_id, *_: [pages[record_id]],
        lambda _: 1.0,
        lambda _, texts: [0.92 if "头一回" in one else 0.9 for one in texts],
    )

    first, *_ = finder.find(asked("常委会上委员头一回发言几分钟"), evidence)

    assert first.evidence.record.record_id == "r2"


def test_a_note_of_adoption_is_quoted_whole() -> None:
    """This test ensures that 通过, 批准 and 修正 stand together, as they do under the title."""
    note = (
        "2001年5月18日 示例市第十二届人民代表大会常务委员会第二十次会议通过\n"
        "2001年6月15日 示例省第九届人民代表大会常务委员会第二十一次会议批准\n"
        "2010年10月27日 示例市第十四届人民代表大会常务委员会第二十五次会议修正\n"
    )
    raw = f"示例市停车场管理条例\n{note}第一条 为了加强停车场管理，制定本条例。\n"

    assert _excerpts_of(raw, "停车场管理条例改过几次，都是什么时候", "修正")[0] == note.strip()


def test_a_sentence_that_says_what_was_done_comes_before_a_likelier_one() -> None:
    """This test ensures that who presided is read from the sentence that says so."""
    raw = "专家库成立大会在榕城召开，专家共六十四人。\n市人大监察司法委主任何以宁主持会议。\n"

    first, *_ = _excerpts_of(raw, "专家库成立大会谁主持的", "召开")

    assert "主持会议" in first


@pytest.mark.parametrize("clause", ["违反前款规定的，处五百元罚款。", "逾期未改正的，没收犬只。"])
def test_a_clause_that_points_back_is_quoted_with_its_article(clause: str) -> None:
    """This test ensures that 违反前款规定的 never stands without the paragraph it points to."""
    article = f"第十三条 一般管理区内饲养烈性犬的，应当圈养。\n{clause}"
    raw = f"第十二条 每户限养一只。\n{article}\n第十四条 本条例自2031年1月1日起施行。\n"

    assert _excerpts_of(raw, "养烈性犬不圈养怎么罚", clause)[0] == article


def test_a_warning_is_quoted_with_what_it_comes_to() -> None:
    """This test ensures that 给予警告 is no whole answer where a fine follows."""
    penalty = "遛狗不牵绳的，由公安机关给予警告；警告后不改正的，处二百元罚款。"
    raw = f"第十二条 每户限养一只。\n第十三条 {penalty}\n第十四条 本条例自2031年1月1日起施行。\n"

    first = _excerpts_of(raw, "遛狗不牵绳罚不罚", "给予警告")[0]
    assert first.endswith("处二百元罚款。")


@pytest.mark.parametrize(
    ("question", "all_items"), [("献血的人享受哪些优待", True), ("献血的人享受优待吗", False)]
)
def test_a_list_that_lost_its_numbers_is_quoted_to_the_end_of_its_article(
    question: str, all_items: bool
) -> None:
    """This test ensures that 享受以下优待： takes its lines along where a list is asked for."""
    items = "免费游览公园。\n免交普通门诊挂号费。\n免费乘坐公共交通工具。\n"
    raw = f"第八条 献血的人享受以下优待：\n{items}第九条 不得出卖血液。\n"

    first = _excerpts_of(raw, question, "以下优待", lists=all_items)[0]
    assert ("公共交通" in first) is all_items
    assert "第九条" not in first


@pytest.mark.parametrize(
    ("question", "whole"), [("停车场条例改过几次", True), ("停车场条例哪天通过的", False)]
)
def test_every_change_is_quoted_where_their_number_is_asked(question: str, whole: bool) -> None:
    """This test ensures that a long note of adoption is cut only where one date is asked for."""
    changes = "".join(
        f"{year}年10月27日 示例市第十四届人民代表大会常务委员会第二十五次会议通过关于修改部分法规的决定第{n}次修正\n"
        for year, n in zip(range(2010, 2022), itertools.count(1), strict=False)
    )
    note = f"2001年5月18日 示例市第十二届人民代表大会常务委员会第二十次会议通过\n{changes}"
    raw = f"示例市停车场管理条例\n{note}第一条 为了加强停车场管理，制定本条例。\n"

    first, *_ = _excerpts_of(raw, question, "2001年5月18日")

    assert (first == note.strip()) is whole


def test_the_clause_for_the_age_asked_about_comes_first() -> None:
    """This test ensures that 四十六岁 finds 四十六周岁 among likelier clauses of its article."""
    raw = (
        "第五条 十六周岁至二十五周岁的，发给十年的证件；二十六周岁至四十五周岁的，发给二十年的证件；\n"
        "四十六周岁以上的，发给长期的证件。\n"
    )

    first, *_ = _excerpts_of(raw, "过了四十六岁去办，证件管几年", "十六周岁至")

    assert "长期" in first


@pytest.mark.parametrize(
    ("question", "sum_of"),
    [("全市还本付息一共多少", "82亿元"), ("市级还本付息一共多少", "43亿元")],
)
def test_the_sum_of_the_level_asked_about_comes_first(question: str, sum_of: str) -> None:
    """This test ensures that a city's sum is not answered with that of its own level, nor the reverse."""
    raw = "市级还本付息43亿元。\n全市还本付息82亿元。\n"

    for likest in ("市级还本付息", "全市还本付息"):
        first, *_ = _excerpts_of(raw, question, likest)
        assert sum_of in first


def test_the_rank_of_a_thing_is_no_level_of_a_budget() -> None:
    """This test ensures that 省级 firms of a town are not passed over for 全市."""
    raw = "新增省级高新技术企业十二家。\n全市开展企业走访。\n"

    first, *_ = _excerpts_of(raw, "全市新增了几家高新技术企业", "省级高新")

    assert "十二家" in first


def test_what_was_passed_is_read_from_the_titles() -> None:
    """This test ensures that which rules were passed is read where they are named."""
    raw = "会议表决通过了有关法规案和决定。\n会议通过了《示例市养犬管理条例》《示例市供热条例》。\n"

    first, *_ = _excerpts_of(raw, "那次会通过了哪几个法规", "法规案")

    assert "养犬管理条例" in first


def test_when_somebody_was_born_is_read_from_where_it_says_so() -> None:
    """This test ensures that a year of birth is not read from a year of office."""
    raw = "苏念安2019年任示例市市长。\n苏念安，男，1970年3月生，党员。\n"

    first, *_ = _excerpts_of(raw, "苏念安是哪年生的", "市长")

    assert "1970" in first


@pytest.mark.parametrize(
    ("rest", "quoted"),
    [
        ("必要时，可以延期审议。", True),
        ("可以延期审议；也可以交付表决。", True),
        ("必要时，可以延期审议，" + "并按照前款规定的程序逐件向会议报告、" * 4 + "。", False),
        ("可以延期审议；" + "并按照前款规定的程序逐件向会议报告、" * 4 + "。", False),
    ],
)
def test_a_sentence_quoted_up_to_a_semicolon_is_quoted_to_its_end(rest: str, quoted: bool) -> None:
    """This test ensures that the other half of a rule is there where it is short."""
    first = "搁置审议满两年的，主任会议可以决定终止审议；"
    raw = f"第五十二条 总则。\n{first}{rest}\n第五十三条 附则。"
    page = Page("r1", 1, raw)
    passage = Passage("p1", "r1", 0, len(raw), raw)
    evidence = Evidence(Hit(passage, 1, 1.0, 0.9, 1.0), RECORD, 1.0, 0.0, 0, 0)
    finder = ExcerptFinder(
        lambda *_: [page],
        lambda _: 1.0,
        lambda _, texts: [0.95 if "终止" in t else 0.8 for t in texts],
    )
    best = finder.find(asked("搁置了满两年的怎么办"), [evidence])[0]
    assert raw[best.start : best.end] == first + (rest if quoted else "")
