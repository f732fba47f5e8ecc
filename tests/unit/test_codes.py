"""Reference codes, document numbers, sessions and dates: the cases of the domain brief."""

from __future__ import annotations

import time

import pytest

from index.codes import (
    Body,
    LocalValues,
    Scheme,
    WidthProfile,
    agency_words,
    chinese_to_int,
    find_dates,
    find_doc_numbers,
    find_proposal_numbers,
    find_reference_codes,
    find_sessions,
    int_to_chinese,
    is_sitting,
    parse_date,
    parse_doc_number,
    parse_reference_code,
    reference_key,
    session_in,
)


@pytest.mark.parametrize(
    ("text", "scheme", "parts"),
    [
        ("0012-1-35-8", Scheme.VOLUME_1994, {"fonds": "0012", "catalog": "1", "volume": "35", "item": "8"}),
        ("C038-001-002-003", Scheme.VOLUME_1994, {"fonds": "C038", "catalog": "001", "volume": "002", "item": "003"}),
        ("Z109-WS·2011-Y-BGS-0001", Scheme.ITEM_2015,
         {"fonds": "Z109", "category": "WS", "year": "2011", "retention": "Y", "organ": "BGS", "item": "0001"}),
        ("0194-WS·2016-D30-BGS-0001", Scheme.ITEM_2015, {"fonds": "0194", "retention": "D30"}),
        ("WS·2023-D10-BGS-0003", Scheme.ITEM_2015, {"fonds": "", "year": "2023", "item": "0003"}),
        ("Z109-WS·2011·Y·办公室-0001", Scheme.ITEM_2022, {"organ": "办公室", "item": "0001"}),
        ("Z008-WS·2019·Y-037", Scheme.ITEM_2022, {"year": "2019", "retention": "Y", "item": "037"}),
        ("A439-WS·2015·D30·003-005", Scheme.ITEM_2022, {"organ": "003", "item": "005"}),
        ("J019-ZY·JC·CC·2019·D30-001-001", Scheme.VOLUME_2022, {"catalog": "JC·CC", "volume": "001", "item": "001"}),
        ("X032-KJ·JJ·02-005-054", Scheme.VOLUME_2022, {"catalog": "JJ·02", "volume": "005", "item": "054"}),
        ("A002-RS-001-002", Scheme.VOLUME_2022, {"category": "RS", "volume": "001"}),
        ("003-2025-B-30-001", Scheme.YEAR_FIRST, {"year": "2025", "organ": "B", "retention": "30"}),
        ("0012-1998-长期-23", Scheme.YEAR_FIRST, {"retention": "长期", "item": "23"}),
        ("J001-WS·2018-Y-BGS-0007-0003", Scheme.ITEM_2015, {"item": "0007", "page": "0003"}),
        ("J001—WS・2018－Y－BGS_0007", Scheme.ITEM_2015, {"fonds": "J001", "item": "0007"}),
    ],
)  # fmt: skip
def test_every_scheme_of_a_reference_code_is_read(text, scheme, parts):
    code = parse_reference_code(text)

    assert code is not None
    assert code.scheme is scheme
    assert {name: getattr(code, name) for name in parts} == parts
    assert code.text == text


@pytest.mark.parametrize("text", ["2016-12-31", "1998-3-12", "请问", "", "12", "A" * 500, "B-12"])
def test_what_is_no_reference_code_is_refused(text):
    assert parse_reference_code(text) is None


def test_bare_numbers_count_only_with_a_known_fonds_where_fonds_are_known():
    local = LocalValues(fonds=frozenset({"2016", "0012"}))

    assert parse_reference_code("2016-12-31", local) is not None
    assert parse_reference_code("0013-12-31", local) is None
    assert parse_reference_code("J001-WS·2018-Y-BGS-0007", local) is not None


def test_fixed_width_codes_need_a_profile():
    profile = WidthProfile(
        "老目录", (("fonds", 4), ("year", 4), ("catalog", 3), ("volume", 5), ("page", 4))
    )
    code = "00121998003500100008"

    found = parse_reference_code(code, LocalValues(width_profiles=(profile,)))

    assert parse_reference_code(code) is None
    assert found is not None
    assert (found.scheme, found.year, found.volume) == (Scheme.FIXED_WIDTH, "1998", "50010")


def test_codes_are_found_in_a_question_with_their_raw_spans():
    text = "请查 0012-1-35 这卷，和J001－WS·2018-Y-BGS-0007一共几页；1. 0012-1-8，2016-12-31 止"

    found = find_reference_codes(text)

    assert [text[c.start : c.end] for c in found] == [
        "0012-1-35",
        "J001－WS·2018-Y-BGS-0007",
        "0012-1-8",
    ]
    assert all(c.text == text[c.start : c.end] for c in found)


def test_a_number_after_a_space_does_not_grow_a_code():
    assert [c.text for c in find_reference_codes("0012-1-35 8月")] == ["0012-1-35"]


def test_separators_of_file_names_compare_equal_but_parts_stay_apart():
    assert reference_key("J001-WS·2018-Y-BGS-0007") == reference_key("j001－ws.2018-Y_BGS-0007")
    assert reference_key("0012-1-35") != reference_key("0012-13-5")


@pytest.mark.parametrize(
    "text",
    [
        "济人发〔2016〕12号", "济人发[2016]12号", "济人发(2016)12号", "济人发（2016）12号",
        "济人发【2016】第12号", "济人发﹝2016﹞12号", "济 人 发 〔 2 0 1 6 〕 1 2 号",
        "济人发〔2O16〕l2号", "济人发(2016〕12号", "济人发2016〕12号", "济人发〔2016 12号",
        "济人发〔二○一六〕12号", "济人发〔2016〕012号", "济人发字〔2016〕第12号",
        "濟人發〔2016〕12號",
    ],
)  # fmt: skip
def test_document_numbers_come_out_in_one_form(text):
    found = find_doc_numbers(text)

    assert [number.canonical for number in found] == ["济人发〔2016〕12号"]
    assert found[0].text == text


@pytest.mark.parametrize("text", ["济人发(87)12号", "(1987)济人发字第12号", "济人发字(87)第12号"])
def test_two_digit_years_are_of_the_last_century(text):
    assert [number.canonical for number in find_doc_numbers(text)] == ["济人发〔1987〕12号"]


@pytest.mark.parametrize(
    "text", ["根据济人发〔2016〕12号", "帮我调一下济人发〔2016〕12号。", "和济人发〔2016〕12号"]
)
def test_words_before_an_agency_are_left_out(text):
    local = LocalValues(agencies=frozenset({"济人发", "人发"}))

    assert find_doc_numbers(text, local)[0].canonical == "济人发〔2016〕12号"
    assert "济人发〔2016〕12号" in find_doc_numbers(text)[0].candidates


def test_two_document_numbers_in_a_row_stay_two():
    found = find_doc_numbers("见济人发〔2016〕12号和济政办函〔2015〕3号")

    assert [n.canonical for n in found] == ["济人发〔2016〕12号", "济政办函〔2015〕3号"]


@pytest.mark.parametrize("text", ["2019年12号楼", "第36号建议", "国务院令第12号", "12号"])
def test_other_numbers_are_no_document_numbers(text):
    assert find_doc_numbers(text) == []
    assert parse_doc_number(text) is None


def test_agency_words_come_from_the_catalogue():
    assert agency_words(["示人发〔2009〕8号", "示人办发[2011]31号", "", "无"]) == {
        "示人发",
        "示人办发",
    }


@pytest.mark.parametrize(
    ("text", "place", "body", "term", "number"),
    [
        ("市人大十七届三次会议", "市", Body.CONGRESS, 17, 3),
        ("第十六届人民代表大会常务委员会第三十四次会议", "", Body.STANDING_COMMITTEE, 16, 34),
        ("对市十七届人大常委会第二十一次会议", "市", Body.STANDING_COMMITTEE, 17, 21),
        ("45次主任会议纪要", "", Body.CHAIRS, None, 45),
        ("市十七届人大常委会第45次主任会议", "市", Body.CHAIRS, 17, 45),
        ("十七届三次会议", "", Body.UNDECIDED, 17, 3),
        ("政协十二届三次会议", "", Body.CPPCC, 12, 3),
        ("十二届常委会第三次会议", "", Body.STANDING_COMMITTEE, 12, 3),
        ("济宁市第十七届人民代表大会第3次会议", "济宁市", Body.CONGRESS, 17, 3),
        ("2003年5月16日示例市第十二届人民代表大会常务委员会第三次会议通过", "示例市", Body.STANDING_COMMITTEE, 12, 3),
        ("全国人大常委会第十一次会议", "全国", Body.STANDING_COMMITTEE, None, 11),
        ("第十四届全国人民代表大会第一次会议", "全国", Body.CONGRESS, 14, 1),
        ("十七届人大", "", Body.CONGRESS, 17, None),
    ],
)  # fmt: skip
def test_sessions_are_read(text, place, body, term, number):
    found = find_sessions(text)

    assert [(s.place, s.body, s.term, s.number) for s in found] == [(place, body, term, number)]
    assert found[0].text == text[found[0].start : found[0].end]


def test_sessions_agree_unless_they_contradict():
    full = find_sessions("市十七届人大常委会第二十一次会议")[0]

    assert full.agrees_with(find_sessions("十七届21次会议")[0])
    assert not full.agrees_with(find_sessions("十七届人大二十一次会议")[0])
    assert full.label == "市第十七届人民代表大会常务委员会第二十一次会议"


def test_proposal_numbers_are_found():
    found = find_proposal_numbers("第36号建议和20160123号代表建议、第5号议案")

    assert [(p.number, p.kind) for p in found] == [
        ("36", "建议"),
        ("20160123", "建议"),
        ("5", "议案"),
    ]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("19980312", "1998-03-12"), ("199803", "1998-03"), ("19990000", "1999"),
        ("1998.3", "1998-03"), ("1998.3.12", "1998-03-12"), ("98.3.12", "1998-03-12"),
        ("1998年3月12日", "1998-03-12"), ("1998年", "1998"), ("二○一六年元月廿八日", "2016-01-28"),
        ("[19450815]", "1945-08-15"), ("2016-01-28 00:00:00", "2016-01-28"), ("42397", "2016-01-28"),
        ("1990.3.20-1990.3.24", "1990-03-20"), ("19980312-19980506", "1998-03-12"),
        ("1985-1990", "1985"), ("１９９８．３．１２", "1998-03-12"),
        ("不详", ""), ("2016-13-40", ""), ("2016年2月30日", ""), ("", ""), ("2016.02.29", "2016-02-29"),
        ("2015.02.29", ""),
    ],
)  # fmt: skip
def test_date_fields_are_read(text, iso):
    assert parse_date(text) == iso


def test_dates_in_running_text_keep_their_raw_spans():
    text = "二○一六年元月廿八日，增长2016.5亿元，1998.3.12 15:00，20160128，2 0 1 6 年 3 月 2 日"

    found = find_dates(text)

    assert [d.iso for d in found] == ["2016-01-28", "1998-03-12", "2016-01-28", "2016-03-02"]
    assert [text[d.start : d.end] for d in found] == [d.text for d in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [("三十四", 34), ("二〇一六", 2016), ("廿八", 28), ("十", 10), ("一百一十", 110), ("两", 2),
     ("一千二百万", 12_000_000), ("12", 12), ("三亿", 300_000_000), ("天", None), ("", None), ("一" * 99, None)],
)  # fmt: skip
def test_numerals_are_read(text, value):
    assert chinese_to_int(text) == value


@pytest.mark.parametrize("value", [0, 1, 10, 11, 20, 21, 100, 101, 110, 999, 1001, 9999])
def test_numerals_round_trip(value):
    assert chinese_to_int(int_to_chinese(value)) == value


@pytest.mark.parametrize(
    "text",
    ["一" * 9_000, "a-" * 5_000, "1-" * 5_000, "〔2016" * 2_000, "WS·" * 3_000, "第一届" * 3_000,
     "Z109-WS" + "·A1" * 3_000, "第" * 9_000, " 1" * 5_000],
)  # fmt: skip
def test_hostile_input_costs_no_more_than_its_length(text):
    start = time.perf_counter()
    find_reference_codes(text)
    find_doc_numbers(text)
    find_sessions(text)
    find_dates(text)
    parse_date(text)
    parse_reference_code(text)

    assert time.perf_counter() - start < 5  # seconds; backtracking would take hours


@pytest.mark.parametrize(
    ("text", "term", "number", "named"),
    [
        ("示例市第十五届人民代表大会常务委员会第十一次会议", 15, 11, True),
        ("市十五届人大常委会于2018年举行第十一次会议", 15, 11, True),
        ("市第二十五届人大常委会第十一次会议", 15, 11, False),
        ("示例市第十五届人民代表大会常务委员会第二十一次会议", 15, 11, False),
        ("第58次主任会议", None, 58, True),
        ("第五十八次主任会议", None, 58, True),
        ("第五十九次主任会议", None, 58, False),
    ],
)
def test_a_session_is_recognised_whatever_stands_between(
    text: str, term: int | None, number: int, named: bool
) -> None:
    """This test ensures that 届 and 次 are found apart, and never inside larger numbers."""
    assert named is session_in(term, number, text)


def test_a_second_reply_is_no_sitting() -> None:
    """This test ensures that 第二次答复 is not taken for a meeting."""
    assert not any(is_sitting(s) for s in find_sessions("第47号建议第二次答复"))
    assert any(is_sitting(s) for s in find_sessions("第五十八次主任会议纪要"))
