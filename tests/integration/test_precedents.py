"""Precedents over the shipped sample and over small holdings made for one point each."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from assistant.assistant import Assistant
from assistant.domain import Answer, Refusal, Turn
from assistant.matter import Basis, Matter, MatterKind, StepKind
from index.domain import Page, Reader, Record, Role
from index.encoder import Ask
from index.passage_index import build_index
from index.settings import load_settings
from index.store import Store
from ingest.splitting import split_record
from tests.fakes import HashEncoder
from ui.cli import main
from ui.precedent_view import precedent_json
from ui.terminal import result_text

if TYPE_CHECKING:
    from index.settings import Settings

ARCHIVIST = Reader(Role.ARCHIVIST, "管理员")
DEPUTY = Reader(Role.DEPUTY, "苏念安")


def kinds(matter: Matter, *, found: bool = True) -> list[StepKind]:
    return [step.kind for step in matter.steps if step.missing is not found]


def quote(answer: Answer, marker: int) -> str:
    return "".join(next(c.quote for c in answer.citations if c.marker == marker).split())


def ask(assistant: Assistant, topic: str, reader: Reader = ARCHIVIST) -> Answer:
    answer = assistant.ask(topic, [], reader, precedents=True)
    assert isinstance(answer, Answer), topic
    return answer


# -- the sample -----------------------------------------------------------------------------------


def test_a_topic_is_encoded_in_few_passes(
    sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This test ensures that what names leave over of a topic is not encoded piece by piece."""
    encoder = sample_assistant._encoder
    passes: list[int] = []
    encode = encoder.encode_queries

    def counted(asks: Sequence[Ask]) -> npt.NDArray[np.float32]:
        passes.append(len(asks))
        return encode(asks)

    monkeypatch.setattr(encoder, "encode_queries", counted)
    ask(sample_assistant, "老旧小区装电梯谁提过")

    assert len(passes) <= 3
    assert sum(passes) > 6


def test_a_proposal_is_followed_to_its_legislation(sample_assistant: Assistant) -> None:
    """This test ensures that the whole chain of a 建议 comes in time order, with results."""
    answer = ask(sample_assistant, "电动车充电着火")
    matter = answer.precedents[0]

    assert matter.label == "十五届人大二次会议第47号建议"
    assert kinds(matter) == [
        StepKind.PROPOSAL,
        StepKind.REPLY,
        StepKind.DEPUTY_OPINION,
        StepKind.SECOND_REPLY,
        StepKind.SUPERVISION,
        StepKind.HANDLING_REPORT,
        StepKind.LEGISLATION,
    ]
    assert kinds(matter, found=False) == [StepKind.ASSIGNMENT]
    by_kind = {step.kind: step for step in matter.steps}
    assert [quote(answer, m) for m in by_kind[StepKind.REPLY].results] == ["B"]
    assert [quote(answer, m) for m in by_kind[StepKind.SECOND_REPLY].results] == ["A"]
    said = [quote(answer, m) for m in by_kind[StepKind.DEPUTY_OPINION].results]
    assert "对办理结果的意见|不满意" in said
    assert by_kind[StepKind.LEGISLATION].basis is Basis.NUMBER
    # The minutes name the number without its session: shown as a guess.
    assert by_kind[StepKind.SUPERVISION].basis is Basis.GUESS


def test_an_inspection_is_followed_to_the_poll(sample_assistant: Assistant) -> None:
    """This test ensures that rounds are kept apart and later papers are tied by 文号."""
    answer = ask(sample_assistant, "食品安全执法检查")
    first, second = answer.precedents

    assert kinds(first) == [
        StepKind.PLAN,
        StepKind.INSPECTION,
        StepKind.DELIBERATION,
        StepKind.REVIEW_OPINION,
        StepKind.FOLLOW_UP,
        StepKind.POLL,
    ]
    follow_up = next(s for s in first.steps if s.kind is StepKind.FOLLOW_UP)
    assert follow_up.basis is Basis.NUMBER
    assert follow_up.evidence == "示人发〔2018〕21号"
    assert "示人发〔2018〕21号" in quote(answer, follow_up.evidence_marker or follow_up.marker)
    assert kinds(second) == [StepKind.INSPECTION]
    assert kinds(second, found=False) == [
        StepKind.REVIEW_OPINION,
        StepKind.FOLLOW_UP,
        StepKind.POLL,
    ]


def test_a_regulation_is_followed_from_draft_to_amendment(sample_assistant: Assistant) -> None:
    """This test ensures that readings, adoption, approval, force and amendment are all there."""
    answer = ask(sample_assistant, "电动自行车管理条例")
    law = next(m for m in answer.precedents if m.kind is MatterKind.LAW)

    assert kinds(law) == [
        StepKind.PROPOSAL,
        StepKind.DRAFT,
        StepKind.FIRST_READING,
        StepKind.SECOND_READING,
        StepKind.VOTE,
        StepKind.ADOPTION,
        StepKind.SUBMISSION,
        StepKind.APPROVAL,
        StepKind.IN_FORCE,
        StepKind.AMENDMENT,
    ]
    adoption = next(s for s in law.steps if s.kind is StepKind.ADOPTION)
    assert adoption.date == "2019年10月31日"


def test_a_motion_turned_into_a_suggestion_is_one_matter(sample_assistant: Assistant) -> None:
    """This test ensures that 第3号议案 and 第201号建议 give one chain, tied by the text."""
    answer = ask(sample_assistant, "青沙河保护条例的议案")
    matter = next(m for m in answer.precedents if "制定示例市青沙河" in m.title)
    tied = [s for s in matter.steps if "为同一事项" in s.evidence]

    assert [s.basis for s in tied] == [Basis.NUMBER]
    shown_at = tied[0].evidence_marker or tied[0].marker
    assert "转作第201号建议" in quote(answer, shown_at)
    assert {StepKind.PROPOSAL, StepKind.ASSIGNMENT, StepKind.REPLY} <= set(kinds(matter))
    assert sum("青沙河保护条例" in m.title for m in answer.precedents) == 1


def test_an_old_proposal_without_a_session_in_the_catalogue_is_tied(
    sample_assistant: Assistant,
) -> None:
    """This test ensures that the session printed on the page ties a 1998 paper to its reply."""
    answer = ask(sample_assistant, "铁路道口")
    (matter,) = answer.precedents

    assert kinds(matter) == [
        StepKind.PROPOSAL,
        StepKind.ASSIGNMENT,
        StepKind.REPLY,
        StepKind.HANDLING_REPORT,
    ]
    listed = next(s for s in matter.steps if s.kind is StepKind.ASSIGNMENT)
    assert quote(answer, listed.marker).startswith("第36号关于在西塘县")
    assert "第58号" not in quote(answer, listed.marker)


@pytest.mark.parametrize(
    "topic", ["停车难", "加装电梯", "养狗伤人", "村医涨工资", "供热", "青沙河污染", "第47号建议"]
)
@pytest.mark.parametrize("reader", [ARCHIVIST, DEPUTY])
def test_every_mark_is_a_verbatim_quotation_the_reader_may_open(
    sample_assistant: Assistant, topic: str, reader: Reader
) -> None:
    """This test ensures that quotes equal the page text and no step is beyond the reader."""
    from index.access import may_read, may_see_personal

    answer = ask(sample_assistant, topic, reader)

    for citation in answer.citations:
        clear = may_see_personal(reader).allowed
        page = sample_assistant.store.page(citation.record.record_id, citation.page, clear=clear)
        assert page is not None
        assert citation.quote == page.raw[citation.start : citation.end]
        assert may_read(reader, citation.record).allowed
    known = {c.marker for c in answer.citations} | {row.marker for row in answer.listings}
    for matter in answer.precedents:
        for step in matter.steps:
            assert step.missing or step.markers
            assert set(step.markers) <= known
            assert step.record is None or may_read(reader, step.record).allowed


@pytest.mark.parametrize(
    "topic",
    [
        "给运河装空调",
        "给青沙河装空调",
        "共享单车乱停",
        "电动汽车充电桩",
        "地铁建设",
        "垃圾分类",
        "殡葬改革",
        "校园欺凌",
        "无人机飞行",
        "农民工欠薪",
        "大气污染防治条例",
        "物业管理条例",
        "十五届人大二次会议第999号建议",
    ],
)
def test_a_topic_nobody_raised_is_refused(sample_assistant: Assistant, topic: str) -> None:
    """This test ensures that similar-looking matters are not offered as precedents."""
    refusal = sample_assistant.ask(topic, [], ARCHIVIST, precedents=True)

    assert isinstance(refusal, Refusal)
    assert "未检索到" in refusal.message


def test_a_plain_question_for_precedents_is_answered_as_one(sample_assistant: Assistant) -> None:
    """This test ensures that nobody has to find the switch first."""
    asked = sample_assistant.ask("以前有代表提过电动车充电着火的事吗，怎么答复的？", [], DEPUTY)
    other = sample_assistant.ask("电动自行车管理条例表决的时候多少票赞成？", [], DEPUTY)

    assert isinstance(asked, Answer)
    assert asked.precedents
    assert isinstance(other, Answer)
    assert not other.precedents


def test_three_most_like_precedents_take_their_topic_from_the_turn_before(
    sample_assistant: Assistant,
) -> None:
    """This test ensures that a number of precedents is kept and inference is left to people."""
    first = sample_assistant.ask("老小区加装电梯有没有人提过？", [], ARCHIVIST)
    turns = [Turn("老小区加装电梯有没有人提过？", first)]

    answer = sample_assistant.ask(
        "给我找一个最像的先例，哪个办成了？", turns, ARCHIVIST, precedents=True
    )

    assert isinstance(answer, Answer)
    assert len(answer.precedents) == 1
    assert "电梯" in answer.precedents[0].title
    assert any("系统不作推断" in note for note in answer.notes)


def test_the_command_line_shows_the_time_line(
    sample_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """This test ensures that `ask --precedents` prints arrows, marks and what was not found."""
    home = str(sample_settings.home)

    assert main(["ask", "--precedents", "铁路道口", "--home", home]) == 0
    text = capsys.readouterr().out
    assert main(["ask", "--precedents", "铁路道口", "--home", home, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)

    assert "【1】关于在西塘县白石镇铁路道口设置看守房的建议" in text
    assert "↓" in text
    assert "未检得" in text
    assert "①" in text
    steps = body["precedents"][0]["steps"]
    assert [s["step"] for s in steps if not s["found"]] == ["征询代表意见"]
    assert all(s["marker"] for s in steps if s["found"])


# -- small holdings -------------------------------------------------------------------------------

PROPOSAL = (
    "示例市第八届人民代表大会第三次会议\n代表建议\n第15号\n标题：关于修缮红枫桥的建议\n"
    "红枫桥桥面破损，栏杆缺失，行人通行不安全。建议尽快修缮红枫桥。\n"
)
REPLY = (
    "示例市交通局\nB\n对市八届人大三次会议第15号建议的答复\n"
    "您提出的“关于修缮红枫桥的建议”收悉，现答复如下：\n"
    "一、红枫桥修缮工程将列入明年计划，由市交通局负责。\n"
)
FORM = (
    "代表建议办理情况征询意见表\n建议编号：市八届人大三次会议第15号\n"
    "对办理结果的意见\n不满意\n具体意见：修缮红枫桥没有时限。\n"
)
SECOND = (
    "示例市交通局\nA\n对市八届人大三次会议第15号建议的再次答复\n修缮红枫桥已于9月底完工通车。\n"
)

Row = tuple[str, str, str, str, str, str]
ROWS: tuple[Row, ...] = (
    ("R-1", "关于修缮红枫桥的建议（第15号）", "代表建议", "2011-01-10", "开放", PROPOSAL),
    ("R-2", "对市八届人大三次会议第15号建议的答复", "建议答复", "2011-04-10", "开放", REPLY),
    ("R-3", "市八届人大三次会议第15号建议办理情况征询意见表", "代表建议", "2011-05-10", "", FORM),
    ("R-4", "对市八届人大三次会议第15号建议的再次答复", "建议答复", "2011-06-10", "", SECOND),
    (
        "R-5", "示例市人大常委会关于城乡供水的审议意见", "审议意见", "2012-03-01", "开放",
        "关于城乡供水的审议意见\n请将城乡供水研究处理情况书面报告市人大常委会。\n",
    ),
)  # fmt: skip

Build = Callable[..., Assistant]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    stores: list[Store] = []

    def make(*rows: Row, **fields: Any) -> Assistant:
        home = tmp_path / f"home{len(stores)}"
        settings = load_settings(home, environment={})
        store = Store(settings.database_path, create=True)
        stores.append(store)
        for record_id, title, kind, date, opening, text in rows:
            record = Record(
                record_id, title, reference_code=record_id, doc_type=kind, opening=opening,
                date=date, date_iso=date, year=int(date[:4]), meeting="八届人大三次会议", **fields,
            )  # fmt: skip
            pages = (Page(record_id, 1, text),)
            store.replace_record(record, pages, split_record(record_id, title, pages, 120), "x")
        encoder = HashEncoder()
        build_index(store, settings, encoder=encoder)
        return Assistant(store, settings, encoder, today=lambda: dt.date(2026, 11, 23))

    yield make
    for store in stores:
        store.close()


def shown(answer: Answer) -> str:
    return result_text(answer) + json.dumps(precedent_json(answer), ensure_ascii=False)


def test_hidden_steps_read_as_absent_ones(build: Build) -> None:
    """This test ensures that a deputy is told the same whether a step is closed or not there."""
    hidden = ask(build(*ROWS), "修缮红枫桥", DEPUTY)
    absent = ask(build(*(r for r in ROWS if r[4] == "开放")), "修缮红枫桥", DEPUTY)
    full = ask(build(*ROWS), "修缮红枫桥", ARCHIVIST)

    assert shown(hidden) == shown(absent)
    assert "再次答复" not in shown(hidden)
    assert "R-3" not in shown(hidden)
    assert StepKind.SECOND_REPLY in kinds(full.precedents[0])


def test_a_matter_only_in_closed_records_is_refused_like_none(build: Build) -> None:
    """This test ensures that closed matters and unknown ones get the same sentence."""
    closed = build(*((*row[:4], "", row[5]) if row[0] != "R-5" else row for row in ROWS))
    empty = build(ROWS[4])

    first = closed.ask("修缮红枫桥", [], DEPUTY, precedents=True)
    second = empty.ask("修缮红枫桥", [], DEPUTY, precedents=True)

    assert isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert first.message == second.message


def test_dissatisfaction_without_a_second_reply_is_named(build: Build) -> None:
    """This test ensures that 再次答复 is called missing when the form says 不满意."""
    answer = ask(build(*(r for r in ROWS if r[0] != "R-4")), "修缮红枫桥")

    assert StepKind.SECOND_REPLY in kinds(answer.precedents[0], found=False)
    searched = [s.searched for s in answer.precedents[0].steps if s.missing]
    assert all("八届人大三次会议第15号建议" in words for words in searched)


def test_one_reply_for_several_proposals_stands_in_each(build: Build) -> None:
    """This test ensures that 并案办理 gives a chain per proposal and names the others."""
    joint = (
        "R-6", "对市八届人大三次会议第15号、第22号建议的答复", "建议答复", "2011-04-20", "开放",
        "您提出的“关于修缮红枫桥的建议”收悉。红枫桥修缮工程已经开工。\n",
    )  # fmt: skip
    answer = ask(build(ROWS[0], joint, ROWS[4]), "修缮红枫桥")

    labels = [matter.label for matter in answer.precedents]
    assert "八届人大三次会议第15号建议" in labels
    first = answer.precedents[labels.index("八届人大三次会议第15号建议")]
    reply = next(s for s in first.steps if s.kind is StepKind.REPLY)
    assert reply.also == ("第22号建议",)


def test_the_same_number_of_another_session_is_left_out(build: Build) -> None:
    """This test ensures that numbers are compared within their session only."""
    other = (
        "R-7", "对市八届人大四次会议第15号建议的答复", "建议答复", "2012-04-10", "开放",
        "您提出的“关于修缮红枫桥栏杆的建议”收悉。红枫桥栏杆修缮已完成。\n",
    )  # fmt: skip
    answer = ask(build(*ROWS[:2], other, ROWS[4]), "修缮红枫桥")

    third = next(m for m in answer.precedents if "三次会议" in m.label)
    assert all(s.record is None or s.record.record_id != "R-7" for s in third.steps)


def test_a_likely_step_without_a_number_is_marked_as_a_guess(build: Build) -> None:
    """This test ensures that papers alike in words and time only are shown as 疑似."""
    follow_up = (
        "R-8", "示例市人民政府关于城乡供水工程审议意见研究处理情况的报告", "研究处理情况报告",
        "2012-07-01", "开放", "现将城乡供水工程研究处理情况报告如下：已改造管网十二公里。\n",
    )  # fmt: skip
    answer = ask(build(ROWS[4], follow_up, ROWS[0]), "城乡供水")

    step = next(
        s
        for matter in answer.precedents
        for s in matter.steps
        if s.record is not None and s.record.record_id == "R-8"
    )
    assert step.guessed
    assert any("疑似" in note for note in answer.notes)


def test_hostile_titles_are_shown_as_text(build: Build) -> None:
    """This test ensures that a title with markup cannot become markup in the chat."""
    from ui.render import answer_blocks

    title = "关于修缮红枫桥<img src=x onerror=alert(1)>的建议（第15号）"
    answer = ask(build(("R-1", title, *ROWS[0][2:]), ROWS[4]), "修缮红枫桥")

    page = "\n\n".join(answer_blocks(answer, "0" * 32))
    assert "\\<img" in page
    assert "<img" not in page.replace("\\<img", "")
