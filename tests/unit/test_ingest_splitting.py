"""Cutting record text into passages."""

from __future__ import annotations

from index.domain import Page
from ingest.furniture import find_furniture
from ingest.plain import pages_of_text
from ingest.splitting import split_record


def _split(text, *, title="条例", chars=320, markdown=False):
    texts = pages_of_text(text, markdown=markdown)
    furniture, _, _ = find_furniture([t.raw for t in texts], [t.furniture for t in texts])
    pages = [
        Page("r", i, t.raw, furniture=f)
        for i, (t, f) in enumerate(zip(texts, furniture, strict=True), 1)
    ]
    return split_record("r", title, pages, chars)


def _article(number: str, length: int) -> str:
    return f"第{number}条 " + "本市应当加强管理工作。" * (length // 11)


def test_articles_stay_whole_and_carry_their_chapter():
    text = "\n\n".join(
        [
            "第一章 总则",
            _article("一", 200),
            _article("二", 220),
            "第二章 管理",
            _article("三", 210),
        ]
    )

    passages = _split(text)

    assert [p.heading for p in passages] == [
        "第一章 总则 › 第一条", "第一章 总则 › 第二条", "第二章 管理 › 第三条",
    ]  # fmt: skip
    assert [p.text[:6] for p in passages] == ["第一章 总则", "第二条 本市", "第二章 管理"]


def test_short_articles_of_a_chapter_are_joined():
    text = "\n".join(["第一章 总则", _article("一", 66), _article("二", 66), _article("三", 66)])

    (passage,) = _split(text)

    assert passage.heading == "第一章 总则 › 第一条至第三条"


def test_items_below_an_article_belong_to_it():
    text = (
        "第一条 下列行为：\n（一）占用车道；\n（二）鸣笛扰民。\n第二条 "
        + "市人民政府应当做好工作。" * 31
    )

    first, second = _split(text)

    assert first.text.endswith("（二）鸣笛扰民。")
    assert (first.heading, second.heading) == ("第一条", "第二条")


def test_a_long_article_is_cut_at_sentence_ends():
    text = "第一条 " + "本市各级人民政府应当加强对养犬管理工作的领导和监督。" * 40

    passages = _split(text)

    assert len(passages) > 2
    assert all(p.text.endswith("。") for p in passages)
    assert all(150 <= len(p.text) <= 400 for p in passages)
    assert all(p.heading == "第一条" for p in passages)


def test_wrapped_lines_are_no_place_to_cut():
    sentence = (
        "各级人民政府应当把预算执行情况按季度向同级人民代表大会常务委员会报告并接受监督和询问。"
    )
    body = (sentence * 30).replace("\n", "")
    text = "\n".join(body[i : i + 28] for i in range(0, len(body), 28))

    passages = _split(text)

    assert len(passages) > 2
    assert all(p.text.endswith("。") for p in passages)


def test_table_rows_are_cut_between_rows():
    text = "\n".join(
        f"{n}\t示人发〔2018〕{n}号\t关于事项的通知\t2018.{n % 12 + 1}" for n in range(60)
    )

    passages = _split(text)

    lines = set(text.split("\n"))
    assert all(row.strip() in lines for p in passages for row in p.text.split("\n"))


def test_a_passage_may_cross_a_page_and_page_marks_inside_stay_in_the_raw_text():
    text = "第一段文字没有写完，\n— 1 —\n\f接着写在下一页上。\n— 2 —\n"

    (passage,) = _split(text)

    assert passage.text == "第一段文字没有写完，\n— 1 —\n\f接着写在下一页上。"


def test_pages_of_furniture_only_give_no_passage():
    assert _split("— 1 —\n") == []
    assert _split("") == []


def test_numbered_headings_make_the_trail_and_sentences_do_not():
    text = (
        "一、工作回顾\n（一）民生。" + "新增就业六万人，建成养老服务设施。" * 12
        + "\n二、下一步打算。继续努力，办好实事。\n" + "要落实责任，加强督查，按期完成。" * 14
    )  # fmt: skip

    passages = _split(text)

    assert passages[0].heading == "一、工作回顾 › （一）民生"
    assert "。" not in "".join(p.heading for p in passages)


def test_a_table_of_contents_does_not_head_the_text():
    body = "各位代表，现在报告工作，请予审议。" * 12
    passages = _split(f"第一部分预算报告\n第二部分草案报表\n第三部分相关说明\n{body}")

    assert all("第三部分" not in p.heading for p in passages)


def test_the_title_is_not_repeated_as_heading():
    passages = _split(
        "# 养犬条例\n\n" + "为了规范养犬行为，制定本条例。" * 15, title="养犬条例", markdown=True
    )

    assert passages[0].heading == ""
    assert passages[0].text.startswith("养犬条例")


def test_passage_ids_do_not_change_between_runs():
    text = "\n".join(_article(n, 150) for n in "一二三四五")

    assert [p.passage_id for p in _split(text)] == [p.passage_id for p in _split(text)]
