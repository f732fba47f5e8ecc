"""Personal data: what is found, what is left alone, and that masking changes nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.domain import Page, Record
from index.personal import (
    MASK,
    PersonalKind,
    find_personal,
    mask_page,
    mask_record,
    masked,
    masked_text,
)


def identity(number: str) -> str:
    """Seventeen digits with their check character."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c) * w for c, w in zip(number, weights, strict=True))
    return number + "10X98765432"[total % 11]


def card(number: str) -> str:
    """A card number with its check digit."""
    for digit in "0123456789":
        total = 0
        for place, c in enumerate(reversed(number + digit)):
            value = int(c) * (2 if place % 2 else 1)
            total += value - 9 if value > 9 else value
        if total % 10 == 0:
            return number + digit
    raise AssertionError


IDENTITY = identity("37080119500101001")
CARD = card("622200000000000000")


@pytest.mark.parametrize(
    ("text", "hidden", "kind"),
    [
        (f"当事人{IDENTITY}申请", IDENTITY, PersonalKind.IDENTITY),
        ("身份证号码：370801500101001", "370801500101001", PersonalKind.IDENTITY),
        # OCR misread a digit, so the check fails, but it is said to be one
        ("身份证号：370801195001010019", "370801195001010019", PersonalKind.IDENTITY),
        ("手机13900001111。", "13900001111", PersonalKind.PHONE),
        ("联系 139 0000 1111", "139 0000 1111", PersonalKind.PHONE),
        ("电 话：（0530）2000123", "（0530）2000123", PersonalKind.PHONE),
        ("承办科室 0530-2000123", "0530-2000123", PersonalKind.PHONE),
        ("０５３０－２０００１２３", "０５３０－２０００１２３", PersonalKind.PHONE),
        ("联系人：甲某  联系电话：2000123", "2000123", PersonalKind.PHONE),
        ("联系人：甲某 2000123", "2000123", PersonalKind.PHONE),
        (f"转入{CARD}", CARD, PersonalKind.CARD),
        ("开户账号：3700 1234 5678 9012", "3700 1234 5678 9012", PersonalKind.CARD),
        ("家庭住址：云栖市城东区桃园路8号", "云栖市城东区桃园路8号", PersonalKind.ADDRESS),
        ("现住桃园小区3号楼2单元501室", "桃园小区3号楼2单元501室", PersonalKind.ADDRESS),
    ],
)
def test_personal_data_is_found(text: str, hidden: str, kind: PersonalKind) -> None:
    """This test ensures that numbers and home addresses are found in the ways people write them."""
    spans = find_personal(text)

    assert any(s.kind is kind for s in spans)
    assert hidden not in masked_text(text)
    assert len(masked_text(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "一般公共预算支出13800138000元",
        "2018-2020年全市新增就业15000000人",
        "档号 0012-1-35-8、J001-WS·2019-Y-BGS-0001",
        "固定宽度档号0012199800100350008",
        "12345政务服务热线、110、119",
        "客户服务电话：400-123-4567",
        "云人发〔2016〕12号，2016年12月31日印发",
        "社会保险缴费基数13900.5元",
        "应当向户籍所在地或者居住地乡镇人民政府申请",
        "家住河湾镇柳林村的村民高兴地说",
        "地址：云栖市政府街1号 邮编 272000",
        # the check character is wrong and nothing says it is an identity number
        IDENTITY[:-1] + ("1" if IDENTITY[-1] != "1" else "2"),
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    """This test ensures that amounts, codes, years and hotlines stay readable."""
    assert masked_text(text) == text


@given(
    st.text(alphabet="联系人电话：0537-2345678 \n家住3号楼2单元１３900001111。（）", max_size=80)
)
def test_masking_keeps_length_and_line_ends(text: str) -> None:
    """This test ensures that offsets into raw text hold for the masked text too."""
    shown = masked_text(text)

    assert len(shown) == len(text)
    assert all(a == b or b == MASK for a, b in zip(text, shown, strict=True))
    assert [i for i, c in enumerate(text) if c == "\n"] == [
        i for i, c in enumerate(shown) if c == "\n"
    ]


def test_spans_that_overlap_are_masked_once() -> None:
    """This test ensures that overlapping and reaching-out spans do no harm."""
    assert masked("0123456789", [(5, 99), (2, 4), (3, 6)]) == "01" + MASK * 8


def test_a_page_is_masked_where_its_spans_say() -> None:
    """This test ensures that a page keeps everything but the characters of its spans."""
    page = Page("甲", 1, "电话2000123，内线", personal=((2, 9),))

    assert mask_page(page).raw == "电话■■■■■■■，内线"


def test_catalogue_columns_for_personal_data_are_masked_whole() -> None:
    """This test ensures that a column headed 电话 or 住址 shows nothing of its value."""
    record = Record(
        "甲", "甲某来信（13900001111）", extra=(("联系电话", "无"), ("页次", "3"), ("说明", "x"))
    )

    shown = mask_record(record)

    assert shown.title == "甲某来信（■■■■■■■■■■■）"
    assert shown.extra == (("联系电话", "■"), ("页次", "3"), ("说明", "x"))
