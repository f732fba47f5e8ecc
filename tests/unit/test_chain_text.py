"""Numbers, results and events found in the text of a record."""

from __future__ import annotations

import re

from assistant.chain_roles import ProposalKey
from assistant.chain_text import (
    RecordText,
    class_definitions,
    class_mark,
    conversions,
    doc_number_pattern,
    life_events,
    mention_of,
    proposed_title,
    result_spans,
    step_span,
)
from assistant.matter import StepKind
from index.codes import parse_doc_number
from index.domain import Page, Record

KEY = ProposalKey(8, 3, "建议", "15")


def text(*pages: str, title: str = "某件") -> RecordText:
    record = Record("R", title)
    start = 0
    stored = []
    for seq, raw in enumerate(pages, start=1):
        stored.append(Page("R", seq, raw, start))
        start += len(raw)
    return RecordText(record, tuple(stored), len(stored), ())


def test_a_number_counts_only_in_its_session() -> None:
    """This test ensures that 第15号建议 of another session is not taken for ours."""
    ours = text("您在市八届人大三次会议上提出的第15号建议已办结。")
    other = text("您在市八届人大二次会议上提出的第15号建议已办结。")

    found = mention_of(ours, KEY, own=(None, None), bare=False)

    assert found is not None
    assert found.text == "第15号建议"
    assert mention_of(other, KEY, own=(8, 3), bare=False) is None


def test_without_a_session_the_record_s_own_one_counts() -> None:
    """This test ensures that a session's own report may name numbers alone."""
    report = text("其中第15号、第92号建议经重新办理。")

    assert mention_of(report, KEY, own=(8, 3), bare=False) is not None
    assert mention_of(report, KEY, own=(8, 2), bare=False) is None


def test_a_longer_number_is_another_number() -> None:
    """This test ensures that 第115号 does not count for 第15号."""
    report = text("其中第115号建议已办结。")

    assert mention_of(report, KEY, own=(8, 3), bare=True) is None
    assert mention_of(report, KEY, own=(8, 3), bare=False) is None


def test_a_document_number_is_found_in_any_brackets() -> None:
    """This test ensures that recognition errors in the brackets do not hide a citation."""
    number = parse_doc_number("示人发〔2018〕21号")
    assert number is not None
    pattern = doc_number_pattern(number)
    assert pattern is not None

    found = [span.text for _, span in text("意见（示人发[2018]\n21号）收悉").find(pattern)]

    assert found == ["示人发[2018]\n21号"]
    assert not list(text("示人发〔2018〕210号").find(pattern))
    assert not list(text("示人发〔2019〕21号").find(pattern))


def test_a_turned_motion_gives_both_numbers() -> None:
    """This test ensures that 议案 and 建议 of one matter are tied by the text that says so."""
    paper = text("“关于修桥的议案”（第3号议案），转作第201号建议，交市人民政府办理。")

    assert [(m, s) for m, s, _ in conversions(paper)] == [("3", "201")]


def test_the_class_at_the_head_is_quoted_as_printed() -> None:
    """This test ensures that a letter alone on a line is the class, and a list item is not."""
    reply = text("示例市交通局\n B类 \n对第15号建议的答复\n")

    mark = class_mark(reply)

    assert mark is not None
    assert mark.text == "B"
    assert class_mark(text("示例市交通局\nA、关于修桥\n")) is None


def test_the_form_s_answers_are_results() -> None:
    """This test ensures that satisfaction with attitude and outcome are told apart, verbatim."""
    form = text(
        "对办理态度的意见\n满意\n对办理结果的意见\n不满意\n具体意见：\n没有时限，请重办。\n"
    )

    spans = result_spans(form, StepKind.DEPUTY_OPINION)
    opinion = step_span(form, StepKind.DEPUTY_OPINION)

    assert [re.sub(r"\s", "", s.text) for s in spans] == [
        "对办理态度的意见满意",
        "对办理结果的意见不满意",
    ]
    assert opinion is not None
    assert opinion.text.strip() == "没有时限，请重办。"


def test_a_class_is_explained_in_the_report_s_own_words() -> None:
    """This test ensures that the definition quoted is that of the class given."""
    report = text("A类（已经解决）131件；B类（列入规划）68件；C类（待以后解决）15件。")

    (definition,) = class_definitions(report, ["B"])

    assert "B类（列入规划）68件" in definition.text


def test_the_life_of_a_regulation_is_read_from_its_note() -> None:
    """This test ensures that a decision adopted and approved on the way is one amendment."""
    law = text(
        "示例市古树保护条例\n（2016年10月27日示例市第八届人民代表大会\n常务委员会第四次会议通过　"
        "2016年11月26日示例省第十二届人民代表大会常务委员会第二十四次会议批准　"
        "2021年8月28日示例市第九届人民代表大会常务委员会第四十七次会议通过并经2021年9月30日示例省"
        "第十三届人民代表大会常务委员会第三十次会议批准的《关于修改〈示例市古树保护条例〉的决定》修正）\n"
        "第一条 为了保护古树，制定本条例。\n第九条 本条例自2017年1月1日起施行。\n"
    )

    events = [(e.kind, e.date) for e in life_events(law)]

    assert events == [
        (StepKind.ADOPTION, "2016年10月27日"),
        (StepKind.APPROVAL, "2016年11月26日"),
        (StepKind.AMENDMENT, "2021年8月28日"),
        (StepKind.IN_FORCE, "2017年1月1日"),
    ]
    assert all(e.span.text == e.span.page.raw[e.span.start : e.span.end] for e in life_events(law))


def test_a_reply_repeats_the_title_of_the_proposal() -> None:
    """This test ensures that the title is cut from the page as printed."""
    span = proposed_title(text("您提出的“关于修缮\n红枫桥的建议”收悉。"))

    assert span is not None
    assert span.text == "关于修缮\n红枫桥的建议"
