"""Laws of composing: whatever a model writes, only borne-out sentences with marks are shown."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from assistant.composing import check_reply
from assistant.domain import Citation, cite
from assistant.grounding import find_flaw, support_of
from index.domain import Page, Record

TOKENS = ("BCDFGH", "JKMNPQ")
TEXTS = (
    "在重点管理区内养犬的，每户限养一只。市公安局不同意放宽。",
    "2019年收容流浪犬1420只，投入三百二十万元。",
)
QUESTION = "流浪犬的事是不是全部办结了，花了5000元？"


def _citation(number: int) -> Citation:
    text = TEXTS[number]
    record = Record(f"J001-{number}", "关于养犬管理的答复", date="20200520", date_iso="2020-05-20")
    page = Page(record.record_id, 1, text)
    return cite(number + 1, record, page, 1, 0, len(text), "p")


OFFERED = {token: _citation(number) for number, token in enumerate(TOKENS)}

fragments = st.sampled_from(
    [
        "每户限养一只", "收容流浪犬1420只", "市公安局", "不同意放宽", "投入320万元", "2019年", "答复说明",
        "全部办结", "5000元", "同意放宽", "收容1421只", "张明远", "示人发〔2019〕3号", "《治安处罚法》",
        "“每户两只”", "①", "<b>", "但是，", "该", "：", "，", "。", "。", "\n", "[[BCDFGH]]", "[[JKMNPQ]]",
        "[[BCDFGH]]", "[[JKMNPQ]]", "[[ZZZZZZ]]", "[1]", "[[BCDF", "GH]]", "<think>", "</think>", "1. ",
    ]
)  # fmt: skip
replies = st.one_of(
    st.lists(fragments, max_size=40).map("".join),
    st.text(alphabet="每户限养一只[]BCDFGHJKMNPQ。，：\n“”》<>12", max_size=80),
)


@given(replies)
def test_only_offered_citations_are_led_to(reply: str) -> None:
    segments, kept, _ = check_reply(reply, OFFERED, QUESTION)

    assert {s.marker for s in segments} <= {0, 1, 2}
    assert bool(segments) == bool(kept)
    assert not segments or any(s.marker for s in segments)


@given(replies)
def test_no_invention_is_shown(reply: str) -> None:
    """This test ensures that what neither quotation says is in no sentence shown."""
    segments, _, _ = check_reply(reply, OFFERED, QUESTION)
    shown = "".join(s.text for s in segments)

    for invented in (
        "办结",
        "全部",
        "5000",
        "1421",
        "张明远",
        "3号",
        "治安",
        "两只",
        "①",
        "<",
        "[",
        "“",
    ):
        assert invented not in shown
    assert not re.search("(?<!不)同意放宽", shown)


@given(replies)
def test_each_sentence_alone_is_borne_out_by_all_citations(reply: str) -> None:
    """This test ensures that joining the checked pieces makes nothing new."""
    segments, _, _ = check_reply(reply, OFFERED, QUESTION)
    support = support_of(OFFERED.values(), QUESTION)
    shown = "".join(s.text for s in segments)

    for sentence in filter(None, re.split("[。！？!?]", shown)):
        assert find_flaw(sentence, support) is None
