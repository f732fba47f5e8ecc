import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.domain import (
    Answer,
    Citation,
    Listing,
    Refusal,
    RefusalReason,
    Table,
    TableRow,
    cite,
)
from assistant.matter import Step, StepKind
from index.domain import Coverage, Line, Page, Record
from tests.hostile import HOSTILE
from ui import strings
from ui.precedent_view import step_date
from ui.render import (
    answer_blocks,
    answer_text,
    fold_quote,
    md_escape,
    question_markdown,
    refusal_blocks,
    stages,
)

ANSWER_ID = "0123456789abcdef" * 2

assert len(HOSTILE) >= 31

_tables = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table")
_markdown = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])


def _shown(markdown: str) -> str:
    """The text a Markdown reader shows; fails when it makes anything but text."""
    html = _markdown.render(markdown)
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br"}, html
    text = re.sub(r"<[^>]*>", "", html)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def _squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    assert _squeezed(_shown(md_escape(text))) == _squeezed(text)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=80))
def test_escaping_loses_no_character(text: str) -> None:
    assert _squeezed(_shown(md_escape(text))) == _squeezed(text)


@given(st.text(alphabet="#>-*+_`~[](){}<>!|\\&;:=$ \t\n1.a甲、", max_size=60))
def test_escaping_loses_no_markup_character(text: str) -> None:
    assert _squeezed(_shown(md_escape(text))) == _squeezed(text)


@given(st.text(alphabet="甲乙。，； \n\r\t\u3000ab12", max_size=60))
def test_folding_a_quotation_changes_white_space_only(text: str) -> None:
    assert _squeezed(fold_quote(text)) == _squeezed(text)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("从一九八五年预备\n费中拨款", "从一九八五年预备费中拨款"),
        ("第一段。\n　　第二段", "第一段。\n第二段"),
        ("annual\nbudget", "annual budget"),
        ("共3\r\n件", "共3件"),
        ("标题\n\n\n正文", "标题正文"),
    ],
)
def test_broken_lines_are_joined_and_paragraphs_kept(raw: str, folded: str) -> None:
    assert fold_quote(raw) == folded


def _record(title: str = "关于预算的决议", **fields: str) -> Record:
    return Record("A-1", title, reference_code="A-1", **fields)


def _citation(quote: str, confidence: float | None = None, title: str = "决议") -> Citation:
    lines = (Line(0, len(quote), (0, 0, 1, 1), confidence=confidence),)
    page = Page("A-1", 1, quote, lines=lines)
    return cite(1, _record(title), page, 1, 0, len(quote), "p")


def _answer(*citations: Citation, **fields: object) -> Answer:
    values: dict[str, object] = {
        "question": "问",
        "standalone": "问",
        "reading": "",
        "lead": "",
        "listings": (),
        "coverage": Coverage(3, 9, 1),
        **fields,
    }
    return Answer(citations=citations, **values)  # type: ignore[arg-type]


def test_an_answer_reads_in_the_fixed_order() -> None:
    answer = _answer(
        _citation("原文一句。"), reading="按2019年理解", lead="查得 1 件。", notes=("另有一解。",)
    )

    blocks = answer_blocks(answer, ANSWER_ID)

    order = ["按2019年理解", "查得 1 件", f"(#c-{ANSWER_ID}-1 ", "另有一解", "检索范围"]
    places = ["\n".join(blocks).index(part) for part in order]
    assert places == sorted(places)
    assert strings.NO_VOUCHER in blocks[-1]
    assert "另有 1 页无法识别" in blocks[-1]


def test_low_confidence_is_told_at_its_quotation_once() -> None:
    answer = _answer(_citation("模糊", 0.6), notes=(strings.LOW_CONFIDENCE,))

    assert "\n".join(answer_blocks(answer, ANSWER_ID)).count(strings.LOW_CONFIDENCE) == 1
    assert strings.LOW_CONFIDENCE not in "".join(
        answer_blocks(_answer(_citation("清楚", 0.9)), ANSWER_ID)
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_anywhere_in_an_answer_makes_no_markup(text: str) -> None:
    record = _record(text, doc_no=text, date=text)
    answer = _answer(
        _citation(text, title=text),
        reading=text,
        lead=text,
        notes=(text,),
        listings=(Listing(2, record, (("文号", text), (text, text))),),
        related=(record,),
    )

    html = MarkdownIt("commonmark", {"breaks": True, "html": True}).render(
        "\n\n".join(answer_blocks(answer, ANSWER_ID))
    )

    allowed = {
        "p",
        "br",
        "strong",
        "small",
        "blockquote",
        "a",
        "ol",
        "ul",
        "li",
        "details",
        "summary",
    }
    assert set(re.findall(r"<(\w+)", html)) <= allowed
    links = re.findall(r'href="([^"]*)"', html)
    assert links.pop() == f"#s-{ANSWER_ID}"
    assert {link.rsplit("-", 1)[0] for link in links} == {f"#c-{ANSWER_ID}"}
    assert set(re.findall(r'class="([^"]*)"', html)) <= {
        f"cd-{name}" for name in ("reading", "source", "note", "facts", "coverage")
    }


def test_a_list_is_a_table_with_every_row() -> None:
    listings = tuple(Listing(i, _record(f"第{i}号文件")) for i in range(1, 46))

    text = "\n\n".join(answer_blocks(_answer(listings=listings), ANSWER_ID))
    html = _markdown.render(text)

    assert all(f"第{i}号文件" in text for i in range(1, 46))
    assert html.count("<tr>") == 46


def test_a_list_too_long_for_the_page_says_so() -> None:
    listings = tuple(Listing(i, _record(f"第{i}号文件")) for i in range(1, 603))

    text = "\n\n".join(answer_blocks(_answer(listings=listings), ANSWER_ID))

    assert "只列前 500 件，共 602 件" in text
    assert "导出" in text


def test_a_grouped_answer_shows_its_groups_and_folds_its_rows() -> None:
    listings = tuple(Listing(i, _record(f"第{i}号文件")) for i in range(1, 16))
    rows = (TableRow(("2018年", "13"), tuple(range(1, 14))), TableRow(("2019年", "2"), (14, 15)))
    table = Table(("年份", "件数"), rows)

    blocks = answer_blocks(_answer(listings=listings, table=table), ANSWER_ID)

    assert "| 年份 | 件数 | 目录条目 |" in blocks[0]
    assert f"(#c-{ANSWER_ID}-14 " in blocks[0]
    assert "等 13 件" in blocks[0]
    assert blocks[1].startswith("<details><summary>目录条目 15 件</summary>")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_table_makes_no_markup(text: str) -> None:
    record = _record(text, doc_no=text, date=text, author=text)
    listings = (Listing(1, record, ((text, text), ("文号", text))), Listing(2, record))
    table = Table((text, "件数"), (TableRow((text, "2"), (1, 2)),))

    html = _tables.render(
        "\n\n".join(answer_blocks(_answer(listings=listings, table=table), ANSWER_ID))
    )

    allowed = {"p", "br", "small", "a", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"<(\w+)", html)) <= allowed | {"details", "summary"}
    links = re.findall(r'href="([^"]*)"', html)
    assert links.pop() == f"#s-{ANSWER_ID}"
    assert {link.rsplit("-", 1)[0] for link in links} == {f"#c-{ANSWER_ID}"}
    assert len(set(re.findall(r"<tr>(?:.|\n)*?</tr>", html))) >= 4


def test_a_refusal_says_what_to_try_and_its_coverage_once() -> None:
    def refusal(reason: RefusalReason, message: str) -> str:
        return "\n".join(
            refusal_blocks(Refusal("问", "问", "", reason, message, Coverage(3, 9, 0)))
        )

    plain = refusal(RefusalReason.NOT_FOUND, "未检索到。")
    with_coverage = refusal(RefusalReason.NOT_FOUND, "未检索到（检索范围：3 件、9 页）。")

    assert plain.count("检索范围") == with_coverage.count("检索范围") == 1
    assert "换一个说法" in plain
    assert "检索范围" not in refusal(RefusalReason.UNSAFE, "不予办理。")


def test_every_refusal_reason_has_a_next_step() -> None:
    assert set(strings.NEXT_STEPS) == {reason.value for reason in RefusalReason}


def test_stages_grow_to_the_whole() -> None:
    blocks = [f"第{i}块" for i in range(9)]

    pieces = stages(blocks, 3)

    assert len(pieces) == 3
    assert pieces[-1] == "\n\n".join(blocks)
    assert all(pieces[-1].startswith(piece) for piece in pieces)
    assert stages(["甲"]) == ["甲"]


def test_the_plain_text_carries_quotation_reference_and_warning() -> None:
    text = answer_text(_answer(_citation("原文\n一句。")))

    assert "①「原文一句。」" in text
    assert "档号 A-1" in text
    assert text.endswith(strings.NO_VOUCHER)


def test_the_question_is_shown_as_typed() -> None:
    assert _shown(question_markdown(" <b>预算</b> ")).strip() == "<b>预算</b>"


@pytest.mark.parametrize(
    ("date", "iso", "said"),
    [
        ("20180118", "2018-01-18", "2018-01-18"),
        ("201801", "2018-01", "2018-01"),
        ("2018年1月18日", "2018-01-18", "2018年1月18日"),
        ("20189999", "2018", "20189999"),
        ("2018", "2018", "2018"),
        ("", "2018", ""),
    ],
)
def test_a_bare_run_of_digits_is_read_as_a_date(date: str, iso: str, said: str) -> None:
    assert step_date(Step(StepKind.PROPOSAL, date=date, iso=iso)) == said
