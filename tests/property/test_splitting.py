"""Laws of splitting: nothing lost, nothing twice, spans exact."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from index.domain import Page
from ingest.splitting import split_record

_LINES = st.one_of(
    st.text(alphabet="甲乙丙。，；！ 　\t", max_size=60),
    st.sampled_from(
        [
            "第一章 总则", "第二节 管理", "第三条 本条例适用于市区。", "第四条", "一、工作回顾", "（一）民生。",
            "1.收入", "（2）支出。", "# 题名", "— 3 —", "", "　　缩进的段落，写得很长很长。" * 9, "附件：", "目录",
            "①说明；", "字" * 900, "a b c " * 80, "\u2028", "①" * 5, "𠮷" * 30,
        ]
    ),
)  # fmt: skip


@st.composite
def _records(draw):
    pages = []
    for seq in range(1, draw(st.integers(1, 4)) + 1):
        raw = "\n".join(draw(st.lists(_LINES, max_size=12))) + draw(
            st.sampled_from(["", "\n", "\f"])
        )
        cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=6)))
        furniture = tuple(zip(cuts[::2], cuts[1::2], strict=False))
        pages.append(Page("r", seq, raw, furniture=furniture))
    return pages


@settings(max_examples=300, deadline=None)
@given(_records(), st.sampled_from([80, 320]))
def test_every_character_that_counts_is_in_exactly_one_passage(pages, chars):
    text = "".join(page.raw for page in pages)
    counted = [not character.isspace() for character in text]
    start = 0
    for page in pages:
        for a, b in page.furniture:
            counted[start + a : start + b] = [False] * (b - a)
        start += len(page.raw)

    passages = split_record("r", "题名", pages, chars)

    seen = [0] * len(text)
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert counted[passage.start]
        assert counted[passage.end - 1]
        for i in range(passage.start, passage.end):
            seen[i] += 1
    assert all(count == 1 for count, wanted in zip(seen, counted, strict=True) if wanted)
    assert max(seen, default=0) <= 1
    assert [p.start for p in passages] == sorted(p.start for p in passages)
    assert len({p.passage_id for p in passages}) == len(passages)


@settings(max_examples=50, deadline=None)
@given(_records())
def test_splitting_is_deterministic(pages):
    assert split_record("r", "题名", pages, 320) == split_record("r", "题名", pages, 320)
