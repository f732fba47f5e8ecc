"""Marks of state secrecy: what is one, what is doubtful, what only speaks of secrets."""

from __future__ import annotations

import pytest

from ingest.secrecy import (
    Grade,
    judge_cells,
    judge_first_page,
    judge_page,
    judge_secrecy,
    judge_title,
)


@pytest.mark.parametrize(
    "head",
    ["机密★10年", "秘密★", "绝密☆长期", "机密*10年", "秘 密 ★ 一年", "机密＊20年", "機密★",
     "机密 10年", "秘密k一年", "机密大20年", "000123 机密★1年 特急", "（秘密★5年）", "密级：机密",
     "★秘密", "云栖市人大常委会  机密★6个月", "秘  密  ★", "机　　　密★", "機  密★", "机密★10年 份号000012"],
)  # fmt: skip
def test_marks_and_what_ocr_makes_of_them_are_secret(head: str) -> None:
    """This test ensures that a mark is known by its star, its term, or its label."""
    finding = judge_first_page(f"{head}\n云栖市人大常委会文件\n", "第 1 页")

    assert finding is not None
    assert finding.grade is Grade.SECRET


@pytest.mark.parametrize(
    "head", ["机密", "（秘密）", "秘密级", "绝密  特急", "机密文件", "秘密。", "機  密", "密★10年"]
)
def test_a_bare_word_at_the_head_is_for_review(head: str) -> None:
    """This test ensures that a word alone near the top is neither let in nor thrown out."""
    finding = judge_first_page(f"{head}\n关于某事的函\n", "第 1 页")

    assert finding is not None
    assert finding.grade is Grade.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        "第一条 为了保守国家秘密，维护国家安全和利益，制定本条例。",
        "关于商业秘密保护情况的报告",
        "会议采取无记名方式秘密投票选举。",
        "涉及国家秘密、商业秘密和个人隐私的除外。",
        "关于加强保密工作的通知",
        "机要秘书处来文",
        "国家工作人员泄露工作秘密的，依法处分。",
        "一、二、三、四\n" * 20 + "机密",
    ],
)
def test_text_about_secrets_is_let_in(text: str) -> None:
    """This test ensures that laws and reports that speak of secrets do not flood the list."""
    assert judge_first_page(text, "第 1 页") is None


def test_a_mark_within_a_sentence_counts_on_no_later_page() -> None:
    """This test ensures that deep in a text only a line of its own is a mark."""
    told = "正文。\n" * 20 + "文件应当标注“机密★10年”字样。\n"

    assert judge_page(told, "第 2 页") is None
    assert judge_page("正文。\n" * 20 + "机密★10年\n", "第 2 页") is not None


def test_titles_and_cells() -> None:
    """This test ensures that titles and unmapped columns are looked at as well."""
    assert judge_title("关于某事的报告（机密★10年）").grade is Grade.SECRET  # type: ignore[union-attr]
    assert judge_title("关于机密文件清退的通知").grade is Grade.REVIEW  # type: ignore[union-attr]
    assert judge_title("云栖市保守国家秘密规定") is None
    assert judge_cells([("处理", "机密★10年")]).grade is Grade.SECRET  # type: ignore[union-attr]
    assert judge_cells([("说明", "涉及商业秘密，内部使用")]) is None


def test_a_reason_quotes_nothing_but_the_word() -> None:
    """This test ensures that the report does not carry what it keeps out."""
    finding = judge_first_page("机密★10年 甲乙丙丁\n题目", "第 1 页")

    assert finding is not None
    assert finding.reason == "第 1 页页首标有国家秘密标志（机密）"


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        *((v, Grade.SECRET) for v in ("秘 密", "机  密", "祕密", "機　密", "秘密级", "工作秘密、机密",
                                      "秘密★十年（1998年定）", "机  密 10年", "已解密（原机密）")),
        *((v, Grade.REVIEW) for v in ("密", "Ｊ密★10年", "jm", "★10年", "密件", "未解密", "十年后解密")),
        *((v, None) for v in ("", "公开", "非密", "无密级", "不涉密", "未定密", "工作秘密★3年", "商业秘密",
                              "已解密", "内部★5年", "无保密要求", "待定")),
    ],
)  # fmt: skip
def test_a_level_column_is_read_in_every_spelling(value: str, grade: Grade | None) -> None:
    """This test ensures that blanks and old forms hide no level, and that what holds 密 is asked."""
    finding = judge_secrecy(value)

    assert (finding and finding.grade) is grade


@pytest.mark.parametrize(
    ("heading", "value", "grade"),
    [
        ("备注", "机  密 10年", Grade.SECRET),
        ("备注", "秘密★十年（1998年定），存二号柜", Grade.SECRET),
        ("备注", "（机密）", Grade.SECRET),
        ("原密级", "Ｊ密", Grade.REVIEW),
        ("保密审查", "经保密审查可公开", None),
    ],
)
def test_cells_of_other_columns(heading: str, value: str, grade: Grade | None) -> None:
    """This test ensures that a mark counts in every column, a doubtful word in one of levels only."""
    finding = judge_cells([(heading, value)])

    assert (finding and finding.grade) is grade
