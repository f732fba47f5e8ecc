"""Which step of a chain a record is, read from its catalogue row alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from assistant.matter import StepKind
from index.codes import Body, find_sessions
from index.domain import Record
from index.text import search_form

_LAW_WORD: Final = r"(?:条例|实施细则|细则|实施办法|办法|规定|规则|法)"
_LAW_TITLE: Final = re.compile(
    rf"[《〈]([^《》〈〉]{{2,60}}?{_LAW_WORD})(?:\([^()]{{0,12}}(?:草案|修改稿|表决稿|修订|修正)[^()]{{0,12}}\))?[》〉]"
)
#: A regulation's own title: no wrapper words before it, at most a note in brackets after it.
_LAW_ITSELF: Final = re.compile(
    rf"^(?!.*关于)[\u4e00-\u9fff、“”]{{2,60}}?{_LAW_WORD}(?:\([^()]*\)|\d{{4}}(?:年)?(?:修正|修订)?(?:版|本)?)*$"
)
_LAW_TYPES: Final = re.compile(r"法规|法律|^条例$|自治条例|单行条例")
#: Titles end so, with at most a bracketed note behind.
_NOTE: Final = r"(?:\([^()]{0,40}\)|\[[^\[\]]{0,20}\])*$"

# Order matters: the first that fits decides.
_PROPOSAL_ROLES: Final[tuple[tuple[StepKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (StepKind.DEPUTY_OPINION, r"(?:征询|征求|反馈)意见表|(?:建议|议案|答复).{0,12}(?:征询|反馈)(?:意见)?表?$|办理.{0,6}满意度"),
        (StepKind.SECOND_REPLY, r"(?:再次|重新|二次|第二次)(?:办理)?的?答复|答复.{0,4}\((?:再次|重新|二次).{0,4}\)"),
        (StepKind.HANDLING_REPORT, r"(?<!审议)(?:建议|意见|议案).{0,12}(?:办理|处理|落实)(?:工作)?(?:情况|结果)的?(?:综合)?报告"),
        (StepKind.REPLY, r"(?:建议|议案|提案|号).{0,10}(?:的)?(?:答复|复函)|答复(?:函|意见)"),
        (StepKind.ASSIGNMENT, r"交办|分办|(?:议案|建议).{0,10}(?:处理|审查)意见|议案审查委员会|转作.{0,6}建议"),
        (StepKind.SUPERVISION, r"督办"),
    )
)  # fmt: skip
_MOTION: Final = re.compile(
    rf"^(?!.*(?:提请|任免|任职|免职|决算|预算)).*关于.{{2,60}}的议案{_NOTE}"
)
_SUGGESTION: Final = re.compile(rf"关于.{{2,60}}的(?:建议|意见和建议|建议、批评和意见){_NOTE}")
_SUPERVISION_ROLES: Final[tuple[tuple[StepKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (StepKind.POLL, r"满意度测评|测评结果"),
        (StepKind.FOLLOW_UP, r"审议意见.{0,6}(?:研究处理|办理|整改|落实|处理)"),
        (StepKind.INQUIRY, r"专题询问"),
        (StepKind.PLAN, r"执法检查.{0,8}(?:方案|通知)|检查.{2,40}实施情况的?(?:工作)?方案"),
        (StepKind.INSPECTION, r"检查.{2,60}(?:实施|贯彻|执行|施行).{0,8}情况的?报告|执法检查.{0,8}报告"),
        (StepKind.REVIEW_OPINION, r"审议意见"),
    )
)  # fmt: skip
#: Papers of the audit of one year's budget; the report on mending comes within six months.
_AUDIT_ROLES: Final[tuple[tuple[StepKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (StepKind.RECTIFICATION, r"审计.{0,14}(?:整改|纠正).{0,8}(?:报告|情况|汇报)"),
        (StepKind.AUDIT, r"审计(?:工作|结果|情况)?的?(?:工作|结果)?报告"),
    )
)
_LAW_ROLES: Final[tuple[tuple[StepKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (StepKind.REPEAL, r"废止"),
        (StepKind.APPROVAL, r"关于批准"),
        (StepKind.SUBMISSION, r"报请.{0,6}批准|提请.{0,6}批准"),
        (StepKind.SECOND_READING, r"审议结果的?报告|修改情况的?(?:汇报|报告|说明)|二审|三审|统一审议"),
        (StepKind.FIRST_READING, r"一审|初次审议|草案.{0,8}审议意见"),
        (StepKind.VOTE, r"表决"),
        (StepKind.DRAFT, r"草案.{0,6}说明|说明.{0,8}草案|\((?:[^()]*草案)\)[》〉]?$|草案$|议案$"),
        (StepKind.AMENDMENT, r"修改|修正|修订"),
    )
)  # fmt: skip
_WORK_REPORT: Final = re.compile(r"关于.{3,50}情况的?(?:专项)?(?:工作)?报告$")
_NOT_WORK_REPORT: Final = re.compile(r"预算|决算|计划执行|审计|备案审查|办理情况|执法检查|述职")
_MINUTES: Final = re.compile(r"(?:常务委员会|常委会).{0,16}会议(?:纪要|记录)|会议纪要$")
_RESOLUTION: Final = re.compile(rf"(?:的|作出)?(?:决议|决定){_NOTE}")
_NOT_RESOLUTION: Final = re.compile(r"任免|任命|免去|免职|任职|接受.{0,12}辞|补选|许可|处理意见")

#: Number of a 建议 or 议案 in a title; several when handled together: 第47号、第52号建议.
_NUMBERS: Final = re.compile(
    r"第?((?:\d{1,4}|(?:19|20)\d{5,7})号?(?:[、,和及]第?\d{1,8}号?)*)号?(?:代表)?(建议|议案|提案)"
)
_BARE_NUMBER: Final = re.compile(r"\(第?(\d{1,8})号(?:建议|议案)?\)")
_DIGITS: Final = re.compile(r"\d+")
_PLACE: Final = re.compile(
    r"^(?:中共)?([\u4e00-\u9fff]{2,8}?(?:省|市|县|区|州|旗))(?=人民|人大|第)"
)
#: What surrounds the subject of a supervision paper; taken off until the subject is left.
_WRAPPING: Final = re.compile(
    r"中华人民共和国|[《》〈〉“”\"]|(?:的)?审议意见|(?:的)?研究处理(?:情况)?|(?:的)?(?:办理|整改|落实)情况|(?:的)?满意度测评(?:结果)?"
    r"|专题询问(?:实录|会|方案)?|(?:的)?执法检查(?:工作)?(?:方案|组)?|印发|检查|(?:的)?(?:贯彻)?(?:实施|执行|落实|施行)?(?:工作)?情况"
    r"|(?:的)?(?:专项)?(?:工作)?(?:报告|通知|方案|函)$|^(?:的|对|关于)|(?:的|工作)$"
)


#: A title without any of these is no step: most of a catalogue is told by this alone.
_CUES: Final = re.compile(
    "建议|議|议案|提案|答复|交办|督办|办理|审议|检查|询问|测评|条例|细则|办法|规定|规则|审计|决议|决定|法$|法[》〉]|情况的?报告|纪要|会议记录|征询"
)


@dataclass(frozen=True, slots=True)
class ProposalKey:
    """Session and number under which a 建议 or 议案 is known.

    Attributes:
        term: 届, None where the number stands for itself (20250033).
        sitting: 次.
        kind: `建议` or `议案`; `提案` only where 政协 is named.
        number: Without leading zeros.
    """

    term: int | None
    sitting: int | None
    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalogue row of a record says of its place in a chain.

    Attributes:
        role: Its step, None when it is no step of any chain.
        place: Place at the head of its title or author (示例市), or empty.
        term: 届 of the session it belongs to, None when unknown.
        sitting: 次.
        committee: Whether that session is the standing committee's.
        proposals: Proposals it is about.
        law: Name of the law or regulation it is about, without 《》, search form.
        subject: Subject of supervision (城市停车设施建设管理), search form.
    """

    role: StepKind | None
    place: str = ""
    term: int | None = None
    sitting: int | None = None
    committee: bool = False
    proposals: tuple[ProposalKey, ...] = ()
    law: str = ""
    subject: str = ""


NO_FACTS: Final = Facts(None)


def read_facts(record: Record) -> Facts:
    """Read a record's step and keys from its catalogue row.

    Source:
        Types and title cues of the domain brief, section 2.1; chains of section 2.3.
    """
    if record.unit_level == "案卷" or not (
        _CUES.search(record.title) or _LAW_TYPES.search(record.doc_type)
    ):
        return NO_FACTS
    title = search_form(record.title).text.strip("[]")
    role, law, subject = _role(title, record.doc_type)
    if role is None:
        return NO_FACTS
    place = _place(title, search_form(record.author).text)
    term, sitting, committee = _session(record, title)
    proposals: tuple[ProposalKey, ...] = ()
    if not law and not subject and role not in (StepKind.RESOLUTION, StepKind.DELIBERATION):
        proposals = _proposals(title, record.doc_type, role, term, sitting)
    return Facts(role, place, term, sitting, committee, proposals, law, subject)


def _role(title: str, doc_type: str) -> tuple[StepKind | None, str, str]:
    """(step, law it is about, subject of supervision)."""
    about_proposals = "建议" in doc_type or "代表议案" in doc_type
    laws = _LAW_TITLE.findall(title)
    for kind, pattern in _PROPOSAL_ROLES:
        if pattern.search(title) and not (laws and kind is StepKind.SUPERVISION):
            return kind, "", ""
    if not laws or about_proposals:
        if _MOTION.search(title) or _SUGGESTION.search(title):
            return StepKind.PROPOSAL, "", ""
        if about_proposals and _BARE_NUMBER.search(title):
            return StepKind.PROPOSAL, "", ""
    reading = bool(laws) and "草案" in title
    if not reading:
        for kind, pattern in _SUPERVISION_ROLES:
            if pattern.search(title):
                return kind, "", subject_of(title)
    if not laws:
        for kind, pattern in _AUDIT_ROLES:
            if pattern.search(title) and not re.search(r"审议意见|测评|述职", title):
                return kind, "", audit_of(title)
    if laws:
        # The last one: the decision on changing a law names itself first.
        for kind, pattern in _LAW_ROLES:
            if pattern.search(title):
                return kind, laws[-1], ""
        if _LAW_TYPES.search(doc_type):
            return StepKind.ADOPTION, laws[-1], ""
    if _RESOLUTION.search(title):
        if _NOT_RESOLUTION.search(title):
            return None, "", ""
        return StepKind.RESOLUTION, "", ""
    if _LAW_ITSELF.match(title) or (_LAW_TYPES.search(doc_type) and "关于" not in title):
        name = re.sub(r"\([^()]*\)|\d{4}年?(?:修正|修订)?(?:版|本)?$", "", title)
        if re.search(rf"{_LAW_WORD}$", name):
            draft = StepKind.DRAFT if "草案" in title else StepKind.ADOPTION
            return draft, name, ""
    if doc_type == "专项工作报告" or (
        _WORK_REPORT.search(title) and not _NOT_WORK_REPORT.search(title)
    ):
        return StepKind.WORK_REPORT, "", subject_of(title)
    if _MINUTES.search(title) and "主任会议" not in title:
        return StepKind.DELIBERATION, "", ""
    return None, "", ""


def subject_of(title: str) -> str:
    """The subject of a supervision paper: its title without organ and kind of paper.

    审议意见, 研究处理情况 and 测评 of one matter come out alike, which is how they are matched.

    Args:
        title: Search form.
    """
    inside = re.search(r"\(([^()]{3,40})\)$", title)
    if inside and re.search(r"测评|专题询问|实录", title[: inside.start()]):
        title = inside.group(1)
    head, about, tail = title.rpartition("关于")
    subject = (
        tail if about else re.sub(r"^.{0,30}?(?:常务委员会|常委会|人民政府)(?=对)", "", head + tail)
    )
    before = ""
    while before != subject:
        before, subject = subject, _WRAPPING.sub("", subject).strip(" ,、()")
    return subject


def audit_of(title: str) -> str:
    """What was audited, the same for the audit report and the report on mending.

    Args:
        title: Search form.
    """
    subject = subject_of(title)
    subject = re.sub(r"审计.*$", "", subject).strip("的和与")
    return f"{subject}审计" if subject else "审计"


def _session(record: Record, title: str) -> tuple[int | None, int | None, bool]:
    for text in (title, record.meeting):
        for session in find_sessions(text):
            if session.term is not None and session.number is not None:
                committee = session.body in (Body.STANDING_COMMITTEE, Body.CHAIRS)
                return session.term, session.number, committee
    return None, None, False


def _proposals(
    title: str, doc_type: str, role: StepKind, term: int | None, sitting: int | None
) -> tuple[ProposalKey, ...]:
    found: list[ProposalKey] = []
    match = _NUMBERS.search(title)
    if match:
        # 提案 is what people call any proposal; with 政协 before it, it is another body's.
        kind = "议案" if match.group(2) == "议案" else "建议"
        kind = "提案" if match.group(2) == "提案" and "政协" in title else kind
        numbers = _DIGITS.findall(match.group(1))
    elif (bare := _BARE_NUMBER.search(title)) is not None:
        motion = "议案" in title or ("议案" in doc_type and "建议" not in title)
        kind, numbers = ("议案" if motion else "建议"), [bare.group(1)]
    else:
        return ()
    if role in (StepKind.HANDLING_REPORT, StepKind.ASSIGNMENT):
        return ()
    for number in numbers:
        key = proposal_key(term, sitting, kind, number)
        if key is not None:
            found.append(key)
    return tuple(dict.fromkeys(found))


def proposal_key(
    term: int | None, sitting: int | None, kind: str, number: str
) -> ProposalKey | None:
    """The key of a numbered proposal; None when the number means nothing without its session."""
    number = number.lstrip("0")
    if len(number) >= 6:
        return ProposalKey(None, None, kind, number)
    if term is None or sitting is None or not number:
        return None
    return ProposalKey(term, sitting, kind, number)


def _place(title: str, author: str) -> str:
    for text in (title, author):
        match = _PLACE.match(text)
        if match:
            return match.group(1)
    return ""


def places_agree(first: str, second: str) -> bool:
    """Whether two places can be the same: 市 and 示例市 can, 西塘县 and 示例市 cannot."""
    return not first or not second or first.endswith(second) or second.endswith(first)
