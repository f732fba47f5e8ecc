"""Cutting a page into sentences."""

from __future__ import annotations

from index.domain import Page
from index.sentences import LEAD_REACH, embedded_sentence, lead_in, split_sentences


def cut(raw: str, furniture: tuple[tuple[int, int], ...] = ()) -> list[str]:
    return [s.text for s in split_sentences(Page("r", 1, raw, furniture=furniture))]


def test_stops_end_sentences() -> None:
    """This test ensures that each full stop ends a sentence and keeps its mark."""
    assert cut("甲应当登记。乙可以不登记；丙免费。") == [
        "甲应当登记。",
        "乙可以不登记；",
        "丙免费。",
    ]


def test_a_line_break_inside_a_sentence_does_not_end_it() -> None:
    """This test ensures that a scanned line break is kept inside the sentence."""
    raw = "会议听取和审议了市人民政府关于电动自行车管理工作情\n况的报告，并提出审议意见。"

    assert cut(raw) == [raw]


def test_articles_and_items_start_new_sentences() -> None:
    """This test ensures that structure ends a line whatever it ended with."""
    assert cut("第一条 为了管理\n第二条 本条例适用\n（一）甲\n（二）乙") == [
        "第一条 为了管理",
        "第二条 本条例适用",
        "（一）甲",
        "（二）乙",
    ]


def test_a_table_row_is_one_sentence() -> None:
    """This test ensures that numbers of two rows are never quoted as one."""
    sentences = split_sentences(Page("r", 1, "房产税 82599 103747 104240\n契税 1200 1300 1400"))

    assert [s.text for s in sentences] == ["房产税 82599 103747 104240", "契税 1200 1300 1400"]
    assert all(s.is_row for s in sentences)


def test_dates_make_no_table_row_of_a_broken_line() -> None:
    """This test ensures that 已于某日经……通过, 某日经……批准 stays one sentence over its lines."""
    raw = (
        "《示例市停车场条例》已于2029年10月31日经\n示例市第十五届人民代表大会常务委员会第二十次会议通过，\n"
        "2029年11月29日经示例省第十三届人民代表大会常务委员会\n第十五次会议批准，自2030年3月1日起施行。\n"
        "卫生支出 41.20 41.86\n2029年 3500 4200\n"
    )

    sentences = split_sentences(Page("r", 1, raw))

    assert [s.is_row for s in sentences] == [False, True, True]
    assert sentences[0].text.startswith("《示例市停车场条例》")
    assert sentences[0].text.endswith("起施行。")


def test_a_note_of_adoption_over_two_lines_stands_by_itself() -> None:
    """This test ensures that title, note and the organ below it are three."""
    raw = (
        "示例市人民代表大会常务委员会关于批准\n《示例市停车场条例》的决议\n"
        "(2029年11月29日示例市第十五届人民代\n表大会常务委员会第二十次会议通过)\n"
        "示例市第十五届人民代表大会常务委员会会议决定批准。\n"
    )

    assert [s.text.replace("\n", "") for s in split_sentences(Page("r", 1, raw))] == [
        "示例市人民代表大会常务委员会关于批准《示例市停车场条例》的决议",
        "(2029年11月29日示例市第十五届人民代表大会常务委员会第二十次会议通过)",
        "示例市第十五届人民代表大会常务委员会会议决定批准。",
    ]


def test_furniture_is_never_inside_a_sentence() -> None:
    """This test ensures that a page mark cannot be quoted."""
    raw = "前半句话说到这里\n— 3 —\n后半句话接着说。"
    start = raw.index("— 3 —")

    assert "— 3 —" not in "".join(cut(raw, ((start, start + 5),)))


def test_spans_are_exact() -> None:
    """This test ensures that every sentence is the page's own text."""
    raw = "# 标题\n\n第一条 甲。乙？\n  （一）丙；\n尾"

    for s in split_sentences(Page("r", 1, raw)):
        assert raw[s.start : s.end] == s.text


def test_a_part_of_a_page_gives_whole_lines() -> None:
    """This test ensures that cutting a stretch of a page never starts mid-line."""
    raw = "第一条 甲甲甲。\n第二条 乙乙乙。\n第三条 丙丙丙。"
    at = raw.index("乙乙")

    assert [s.text for s in split_sentences(Page("r", 1, raw), at, at + 2)] == ["第二条 乙乙乙。"]


LIST = "第七条 下列情况不应当提出：\n（一）代转来信的；\n（二）涉及案件的。\n第八条 代表应当签名。"


def test_an_item_knows_the_line_that_opens_its_list() -> None:
    """This test ensures that items, and nothing else, are embedded with their lead-in."""
    sentences = split_sentences(Page("r", 1, LIST))

    assert [lead_in(sentences, at) for at in range(4)] == [None, 0, 0, None]
    assert (
        embedded_sentence("条例", sentences, 2) == "条例\n第七条下列情况不应当提出:(二)涉及案件的。"
    )
    assert embedded_sentence("条例", sentences, 3) == "条例\n第八条代表应当签名。"


def test_a_lead_in_too_far_away_is_not_used() -> None:
    """This test ensures that a window of a page embeds an item as the whole page does."""
    items = "".join(f"（{n}）{'甲' * 80}；\n" for n in "一二三四五六七八九十")
    sentences = split_sentences(Page("r", 1, "下列情况：\n" + items))

    assert lead_in(sentences, 3) == 0
    assert lead_in(sentences, len(sentences) - 1) is None
    assert sentences[-1].start > LEAD_REACH
