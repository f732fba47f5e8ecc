from __future__ import annotations

import pytest

from index.text import is_han, lexical_tokens, matching_key, search_form, simplified


def form(raw: str) -> str:
    return search_form(raw).text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("預算 執行\n情況", "预算执行情况"),
        ("２０２３年１２月", "2023年12月"),
        ("⺠主 ⻓期", "民主长期"),
        ("第㈠条", "第(一)条"),
        ("Party  Building\n2023", "party building 2023"),
        ("第 12 号", "第12号"),
        ("\ufeff北\u200b京\u00ad市", "北京市"),
        ("", ""),
        (" \u3000\n", ""),
    ],
)
def test_search_form_folds_what_looks_alike(raw: str, expected: str) -> None:
    assert form(raw) == expected


def test_search_form_is_idempotent_where_simplifying_takes_two_steps() -> None:
    assert form("薴") == form(form("薴")) == "苎"


def test_a_span_of_the_form_leads_back_to_raw() -> None:
    raw = "关于 預算\n執行"
    twin = search_form(raw)
    start = twin.text.index("预算执")
    begin, end = twin.to_raw(start, start + 3)

    assert raw[begin:end] == "預算\n執"


def test_a_character_that_becomes_several_maps_to_itself() -> None:
    raw = "第㈠条"
    begin, end = search_form(raw).to_raw(1, 4)

    assert raw[begin:end] == "㈠"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 1), (1, 3), (2, 1)])
def test_a_span_outside_the_form_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="outside search form of 2"):
        search_form("预算").to_raw(start, end)


def test_furniture_is_left_out_and_its_neighbours_do_not_stick_together() -> None:
    raw = "abc第1页def"
    twin = search_form(raw, [(3, 6)])

    assert twin.text == "abc def"
    assert twin.to_raw(4, 7) == (6, 9)


def test_furniture_may_overlap_or_come_in_any_order() -> None:
    assert search_form("甲乙丙丁戊", [(2, 4), (1, 3)]).text == "甲戊"
    assert search_form("甲乙", [(0, 2)]).text == ""
    assert search_form("甲乙", [(1, 9)]).text == "甲"


@pytest.mark.parametrize(
    "spelling",
    [
        "J001-WS·2019-Y-FZW-0004",
        "J001—WS•2019–Y－FZW-0004",
        "J001_WS・2019−Y‐FZW‑0004",
        " j001 - ws·2019 - y - fzw - 0004 ",
        "Ｊ００１-ＷＳ·２０１９-Ｙ-ＦＺＷ-０００４",
    ],
)
def test_spellings_of_one_reference_code_share_a_key(spelling: str) -> None:
    assert matching_key(spelling) == matching_key("J001-WS·2019-Y-FZW-0004")


@pytest.mark.parametrize(
    "spelling",
    ["济人发〔2016〕12号", "济人发[2016]12号", "济人发（2016）12号", "济 人 发【2016】 1 2 号",
     "济人发﹝2016﹞12号", "濟人發(2016)12號", "济人发《2016》12号"],
)  # fmt: skip
def test_spellings_of_one_document_number_share_a_key(spelling: str) -> None:
    assert matching_key(spelling) == matching_key("济人发〔2016〕12号")


def test_different_codes_keep_different_keys() -> None:
    codes = ["0012-1-35-2", "0012-1-352", "0012-13-5-2", "12-1-35-2", "0012·1-35-2"]

    assert len({matching_key(code) for code in codes}) == len(codes)


def test_lexical_tokens_give_every_character_and_pair() -> None:
    assert list(lexical_tokens("预算法")) == ["预", "算", "法", "预算", "算法"]


def test_numbers_and_words_stay_whole() -> None:
    tokens = list(lexical_tokens(form("2023年收入1,234.5亿元，增长 GDP 3.2%")))

    assert {"2023", "1234.5", "gdp", "3.2"} <= set(tokens)


def test_an_extension_b_ideograph_is_chinese() -> None:
    assert is_han("𠮷")
    assert is_han("〇")
    assert not is_han("a")
    assert list(lexical_tokens("𠮷")) == ["𠮷"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("第47號建議怎麼答覆的？", "第47号建议怎么答复的？"),
        ("把第五十八次主任會議紀要調出來", "把第五十八次主任会议纪要调出来"),
        ("市裏的電梯", "市里的电梯"),
        ("市裡嘅著作", "市里嘅著作"),
        ("J001-WS·2018-Y-DBW-0047", "J001-WS·2018-Y-DBW-0047"),
    ],
)
def test_traditional_words_become_simplified_ones(typed: str, meant: str) -> None:
    assert simplified(typed) == meant


@pytest.mark.parametrize("plain", ["", "覆盖面有多大？", "怎么答复的", "〔2019〕15号", "ABC"])
def test_what_is_not_traditional_stays_as_it_is(plain: str) -> None:
    assert simplified(plain) == plain
