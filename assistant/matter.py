"""A matter (事项) and the steps of its chain: what was raised, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from index.domain import Record


class MatterKind(StrEnum):
    """Which chain a matter follows."""

    PROPOSAL = "议案建议"
    INSPECTION = "执法检查"
    WORK_REPORT = "专项监督"
    AUDIT = "审计监督"
    LAW = "法规"
    RESOLUTION = "决议决定"
    RECORD = "其他记载"


class StepKind(StrEnum):
    """A step of a chain. Values are the words shown; the order is the usual order of the steps."""

    PROPOSAL = "提出"
    ASSIGNMENT = "交办"
    SUPERVISION = "督办"
    REPLY = "答复"
    DEPUTY_OPINION = "征询代表意见"
    SECOND_REPLY = "再次答复"
    HANDLING_REPORT = "办理情况报告"
    PLAN = "检查方案"
    INSPECTION = "执法检查报告"
    WORK_REPORT = "专项工作报告"
    AUDIT = "审计工作报告"
    INQUIRY = "专题询问"
    DELIBERATION = "会议审议"
    REVIEW_OPINION = "审议意见"
    FOLLOW_UP = "研究处理情况"
    RECTIFICATION = "整改情况报告"
    POLL = "满意度测评"
    DRAFT = "草案及说明"
    FIRST_READING = "一审意见"
    SECOND_READING = "审议结果报告"
    VOTE = "表决"
    ADOPTION = "通过"
    SUBMISSION = "报请批准"
    APPROVAL = "批准"
    IN_FORCE = "施行"
    AMENDMENT = "修改"
    REPEAL = "废止"
    RESOLUTION = "作出决议、决定"
    LEGISLATION = "后续立法"
    MENTION = "后被提及"
    RECORD = "有关记载"


#: Place of each kind in a chain; steps without a date stand by it.
STEP_ORDER: Final = {kind: number for number, kind in enumerate(StepKind)}


class Basis(StrEnum):
    """What ties a step to its matter, strongest first. Values are the words shown."""

    OWN = "本件"
    NUMBER = "正文写明编号"
    SESSION_NUMBER = "届次、编号相同"
    SESSION = "同一届次的报告"
    TITLE = "题名相同"
    GUESS = "疑似"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain, found or not.

    Attributes:
        kind: Which step.
        record: The record that is the step; None when it was not found.
        marker: Number of the citation or listing that shows it, 0 when it was not found.
        more: Numbers of further citations of the same record that bear on the question.
        results: Numbers of citations that state the result class or the satisfaction, verbatim.
        date: Date as the catalogue or the cited text prints it, or empty.
        basis: What ties the record to the matter.
        evidence: That tie in words, e.g. the number both bear; empty for `Basis.OWN`.
        evidence_marker: Number of the citation where the tie is written, 0 when it is in the
            catalogue.
        also: Other numbers the record answers at the same time (并案办理), as printed.
        searched: For a step not found: what was looked for.
        iso: The date for placing it in time: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; the filing year
            where there is no date, empty when neither is known.
    """

    kind: StepKind
    record: Record | None = None
    marker: int = 0
    more: tuple[int, ...] = ()
    results: tuple[int, ...] = ()
    date: str = ""
    basis: Basis = Basis.OWN
    evidence: str = ""
    evidence_marker: int = 0
    also: tuple[str, ...] = ()
    searched: str = ""
    iso: str = ""

    @property
    def missing(self) -> bool:
        """Whether the step was not found."""
        return self.record is None

    @property
    def guessed(self) -> bool:
        """Whether the tie is a guess of the program."""
        return self.basis is Basis.GUESS

    @property
    def markers(self) -> tuple[int, ...]:
        """Every mark the step carries, in reading order."""
        marks = (self.marker, *self.more, *self.results, self.evidence_marker)
        return tuple(dict.fromkeys(m for m in marks if m))


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter with its chain in time order.

    Attributes:
        kind: Which chain it follows.
        title: Its name, cut from a title or a page.
        label: Session and number in words, e.g. 十五届人大二次会议第47号建议; may be empty.
        steps: The chain in time order, steps not found where they belong.
        shared: Words of the question its name and steps hold, for "why this one".
        years: Years of its dated steps, e.g. 2018年 or 2018—2019年; empty when none is dated.
    """

    kind: MatterKind
    title: str
    label: str
    steps: tuple[Step, ...]
    shared: tuple[str, ...] = ()
    years: str = ""

    def __post_init__(self) -> None:
        if all(step.missing for step in self.steps):
            msg = f"matter {self.title!r} without any step found"
            raise ValueError(msg)
