"""Imprints, papers inside a record and fields read from pages; all texts are invented."""

from __future__ import annotations

import pytest

from index.domain import ADOPTION_NOTE, Page, Record
from ingest.derived_fields import with_derived
from ingest.furniture import find_furniture
from ingest.heads import read_head, text_lines
from ingest.splitting import split_record
from ingest.structure import cuts_of, read_structure

REPLY = """榕城县交通局

榕交函〔2019〕8号

对县十六届人大四次会议
第12号建议的答复
林知远等3位代表：
您提出的“关于修缮通湖桥的建议”收悉，现答复如下：
通湖桥桥面已于今年三月列入修缮计划，资金已经落实。
感谢您对交通工作的关心。
榕城县交通局
2019年5月6日
（联系人：办公室）
抄送：县人大常委会代表工作委员会，
县政府办公室。
榕城县交通局办公室　　2019年5月9日印发
— 1 —
"""
RECEIVED = """关于修缮通湖桥的建议
榕城县人民代表大会：
通湖桥桥面破损已有两年，请县政府安排修缮，以利通行。
建议人：林知远
2019年1月15日
"""
ANNEX = """附件1
通湖桥修缮资金安排表
年度 金额（万元）
2019 120
2020 80
"""


def _pages(*raws: str) -> list[Page]:
    furniture, _, _ = find_furniture(raws, [()] * len(raws))
    return [
        Page("r", seq, raw, furniture=spans)
        for seq, (raw, spans) in enumerate(zip(raws, furniture, strict=True), start=1)
    ]


def _set_aside(raw: str) -> str:
    (page,) = _pages(raw)
    return "\n".join(raw[a:b] for a, b in page.furniture)


def _derive(*raws: str, record: Record | None = None, catalogued: bool = False) -> Record:
    pages = _pages(*raws)
    record = record or Record("r", "扫描0001")
    structure = read_structure(record, pages, text_lines(pages))
    return with_derived(record, pages, structure, catalogued=catalogued)


def _kinds(*raws: str, title: str = "r") -> list[tuple[str, str, int, int]]:
    pages = _pages(*raws)
    parts = read_structure(Record("r", title), pages, text_lines(pages)).parts
    return [(part.kind, part.title, part.page, part.last_page) for part in parts]


# -- imprint ---------------------------------------------------------------------------------------


def test_an_imprint_is_set_aside_with_its_wrapped_lines() -> None:
    assert _set_aside(REPLY) == (
        "抄送：县人大常委会代表工作委员会，\n县政府办公室。\n"
        "榕城县交通局办公室　　2019年5月9日印发\n— 1 —"
    )


def test_subject_words_and_the_printer_on_its_own_line_belong_to_the_imprint() -> None:
    raw = (
        "决议自通过之日起施行。\n榕城县人大常委会\n2003年5月14日\n主题词：卫生　传染病\n防治　决议\n"
        "榕城县人大常委会办公室\n2003年5月16日印发\n（共印60份）\n"
    )

    assert _set_aside(raw).split("\n")[0] == "主题词：卫生　传染病"
    assert "2003年5月14日" not in _set_aside(raw)
    assert len(_set_aside(raw).split("\n")) == 5


@pytest.mark.parametrize(
    "raw",
    [
        "承办单位应当将答复抄送县人大常委会。\n抄送：县人大常委会代表工作委员会一份，以便督办，\n"
        "其余由承办单位存档。具体办法如下。\n一、每月通报一次。\n二、逐件登记。\n",
        "会议通过了县政府办公室2019年3月5日印发\n的《停车场管理办法》，要求认真执行，并说明理由。\n",
        "主题词：一种著录项目，用来检索。\n著录时应当从词表中选取，不得自造。\n第二条 略。\n",
        "会议室\n2019年5月9日印发的通知有效。\n",
    ],
)
def test_words_of_an_imprint_in_running_text_are_no_imprint(raw: str) -> None:
    assert _set_aside(raw) == ""


# -- papers inside a record ------------------------------------------------------------------------


def test_a_reply_the_paper_it_answers_and_an_annex_are_told_apart() -> None:
    assert _kinds(REPLY, RECEIVED, ANNEX) == [
        ("复文", "对县十六届人大四次会议第12号建议的答复", 1, 1),
        ("来文", "关于修缮通湖桥的建议", 2, 2),
        ("附件1", "通湖桥修缮资金安排表", 3, 3),
    ]


def test_papers_are_told_apart_on_one_page_of_a_text_file() -> None:
    kinds = _kinds(REPLY.replace("— 1 —\n", "") + "\n" + RECEIVED + "\n" + ANNEX)

    assert [kind for kind, *_ in kinds] == ["复文", "来文", "附件1"]


def test_a_forwarded_paper_begins_below_the_signature_of_the_forwarding_one() -> None:
    raw = (
        "榕城县人民政府办公室转发县水利局\n关于防汛工作意见的通知\n榕政办发〔1998〕5号\n各乡镇人民政府：\n"
        "县水利局《关于防汛工作的意见》已经县政府同意，现转发给你们。\n榕城县人民政府办公室\n"
        "一九九八年五月四日\n（本文有删减）\n关于防汛工作的意见\n县人民政府：\n今年雨水偏多。\n榕城县水利局\n"
        "一九九八年四月二十日\n"
    )
    title = "榕城县人民政府办公室转发县水利局关于防汛工作意见的通知"

    assert [k[:2] for k in _kinds(raw)] == [("正文", title), ("被转发文", "关于防汛工作的意见")]

    derived = _derive(raw)

    assert (derived.date_iso, derived.author) == ("1998-05-04", "榕城县人民政府办公室")


def test_the_next_annex_needs_no_page_of_its_own() -> None:
    raw = REPLY + ANNEX + "附件2\n工期表\n年度 事项\n附件4\n备查\n"

    parts = read_structure(Record("r", "r"), _pages(raw), text_lines(_pages(raw))).parts

    assert [(p.kind, p.title) for p in parts] == [
        ("正文", "对县十六届人大四次会议第12号建议的答复"),
        ("附件1", "通湖桥修缮资金安排表"),
        (
            "附件2",
            "工期表",
        ),  # 附件4 is not the next: a number in running text, it stays where it is
    ]


def test_a_bulletin_is_a_title_and_a_gazette_a_letterhead() -> None:
    bulletin = "2031年榕城县国民经济和社会发展\n统计公报\n和平街道办事处统计中心\n2032年3月7日\n全年造林九千亩。\n"
    gazette = "榕城县人民代表大会常务委员会公报\n关于修缮通湖桥的决定\n会议决定修缮通湖桥。\n"

    derived = _derive(bulletin)
    assert derived.title == "2031年榕城县国民经济和社会发展统计公报"
    assert (derived.author, derived.date_iso) == ("和平街道办事处统计中心", "2032-03-07")
    assert _derive(gazette).title == "关于修缮通湖桥的决定"


def test_a_list_of_annexes_above_the_signature_divides_nothing() -> None:
    raw = (
        "关于检查情况的报告\n县人民政府：\n检查已经结束，请研究处理。\n\f附件：1.检查问题清单\n2.整改要求\n"
        "榕城县人大常委会\n2018年9月14日\n"
    )

    assert _kinds(*raw.split("\f")) == []


def test_dates_that_head_the_days_of_a_schedule_divide_nothing() -> None:
    raw = "会议日程\n2019年1月5日\n上午开幕\n2019年1月6日\n关于预算的报告\n各位代表：\n讨论\n"

    assert _kinds(raw) == []


def test_no_passage_crosses_from_one_paper_into_the_next() -> None:
    raws = (REPLY, RECEIVED, ANNEX)
    pages = _pages(*raws)
    parts = read_structure(Record("r", "答复"), pages, text_lines(pages)).parts
    cuts = cuts_of(parts, pages)
    passages = split_record("r", "答复", pages, 320, cuts)
    borders = [offset for offset, _ in cuts]

    assert not any(p.start < border < p.end for p in passages for border in borders)
    second = next(p for p in passages if p.start >= borders[1])
    assert second.heading == "来文《关于修缮通湖桥的建议》"
    assert passages[0].heading == split_record("r", "答复", pages, 320)[0].heading
    text = "".join(raws)
    covered = "".join(text[p.start : p.end] for p in passages)
    assert "破损已有两年" in covered
    assert "2019年5月9日印发" not in covered


# -- fields ----------------------------------------------------------------------------------------


def test_fields_are_read_with_their_evidence_and_never_from_the_imprint() -> None:
    record = _derive(REPLY, RECEIVED)

    assert record.title == "对县十六届人大四次会议第12号建议的答复"
    assert record.doc_no == "榕交函〔2019〕8号"
    assert (record.date, record.date_iso, record.year) == ("2019年5月6日", "2019-05-06", 2019)
    assert record.author == "榕城县交通局"
    for item in record.derived:
        evidence = REPLY[item.start : item.end]
        assert item.page == 1
        assert "".join(evidence.split()) == item.value
    assert record.marked("doc_no") == "榕交函〔2019〕8号（推得）"


def test_what_the_catalogue_says_stays() -> None:
    row = Record("r", "通湖桥", doc_no="旧8号", author="县交通局", date="2019", date_iso="2019")
    record = _derive(REPLY, record=row, catalogued=True)

    assert (record.title, record.doc_no, record.author) == ("通湖桥", "旧8号", "县交通局")
    assert (record.date_iso, record.derived) == ("2019", ())
    assert record.marked("doc_no") == "旧8号"


def test_a_note_under_the_title_gives_sitting_and_day() -> None:
    raw = (
        "# 榕城县养犬管理办法\n\n（2019年5月31日榕城县第十六届人民代表大会\n常务委员会第十九次会议通过）\n\n"
        "第一条 为了规范养犬行为，制定本办法。\n"
    )
    record = _derive(raw)

    assert record.meeting == "榕城县第十六届人民代表大会常务委员会第十九次会议"
    assert record.date_iso == "2019-05-31"
    (note,) = [item for item in record.derived if item.field == ADOPTION_NOTE]
    assert note.value == "2019年5月31日榕城县第十六届人民代表大会常务委员会第十九次会议通过"


def test_a_law_amended_since_gets_no_sitting_of_its_own() -> None:
    raw = (
        "榕城县养犬管理办法\n2009年5月31日 榕城县第十四届人民代表大会常务委员会第十九次会议通过\n"
        "2018年3月1日 榕城县第十六届人民代表大会常务委员会第九次会议修正\n第一条 为了规范养犬行为。\n"
    )
    record = _derive(raw)

    assert (record.meeting, record.date) == ("", "")
    assert sum(item.field == ADOPTION_NOTE for item in record.derived) == 2


def test_a_name_cut_off_by_the_file_system_is_completed_from_the_first_sentence() -> None:
    text = "榕城日报讯（记者 方小满）县人大常委会昨日视察通湖桥修缮工程进展情况，并听取了汇报。视察组认为……\n"
    name = "2023-07-14_榕城日报讯（记者_方小满）县人大常委会昨日视察"
    record = _derive(text, record=Record("r", name))

    assert record.title == "县人大常委会昨日视察通湖桥修缮工程进展情况，并听取了汇报"
    assert record.date_iso == "2023-07-14"
    assert [(d.field, d.page) for d in record.derived] == [("date", 0), ("title", 1)]


@pytest.mark.parametrize(
    "raw",
    [
        "二、经费来源\n由县财政列支，分三年拨付。\n",
        "为了规范养犬行为，制定本\n办法。\n",
        "会议室 2019\n",
    ],
)
def test_a_page_without_a_title_keeps_the_file_name(raw: str) -> None:
    assert _derive(raw).title == "扫描0001"


def test_a_sentence_about_a_paper_is_no_document_number() -> None:
    raw = "关于停车的通知\n各单位：\n根据榕政发〔2018〕3号文件要求，现通知如下。\n榕城县城管局\n2018年6月1日\n"

    assert _derive(raw).doc_no == ""


def test_a_letterhead_is_no_part_of_the_title() -> None:
    raw = "榕城县十六届人大\n四次会议文件（14）\n关于2018年预算执行情况和\n2019年预算草案的报告（书面）\n榕城县财政局\n各位代表：\n现提请审议。\n"
    (page,) = _pages(raw)
    head = read_head(text_lines([page]), 0)

    assert head.title is not None
    assert head.title.value == "关于2018年预算执行情况和2019年预算草案的报告（书面）"
    assert head.addressed
    assert _derive(raw).author == "榕城县财政局"
