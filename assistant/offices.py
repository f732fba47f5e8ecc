"""Who was elected or appointed to what and when, read from the records of elections and appointments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.chain_text import RecordText, Span, TextShelf
from assistant.domain import Citation, cite
from assistant.question import Intent, Question
from index.codes import find_sessions, session_in
from index.domain import Page, Passage, Record
from index.store import Store
from index.text import lexical_tokens, search_form


class Act(StrEnum):
    """What was done. Values are the words shown."""

    ELECTED = "当选"
    APPOINTED = "任命"
    REMOVED = "免去"
    RESIGNED = "辞去"


@dataclass(frozen=True, slots=True)
class Tenure:
    """One person, one office, one act, as a record states it.

    Attributes:
        person: The name.
        office: The office as written, search form; 主任 of a list under 常务委员会 carries its organ.
        act: What was done.
        record: The record that says so.
        line: Where it says so.
        dated: The sentence or note with the date, None when only the catalogue has it.
        date: Date for people, from the page or else the catalogue.
        iso: The same for ordering, empty when unknown.
    """

    person: str
    office: str
    act: Act
    record: Record
    line: Span
    dated: Span | None
    date: str
    iso: str

    @property
    def takes_up(self) -> bool:
        """Whether the office begins with it."""
        return self.act in (Act.ELECTED, Act.APPOINTED)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks about offices.

    Attributes:
        person: Somebody the records name, or empty.
        office: Office as the asker says it (常委会主任), or empty.
        when: Whether the time is asked for rather than the name.
        all: Whether all who held it are asked for (历届, 都有谁).
        next: Whether the successor is asked for.
        before: Whether the predecessor is asked for.
        about: Whether all a person held is asked for (某某是谁).
    """

    person: str = ""
    office: str = ""
    when: bool = False
    all: bool = False
    next: bool = False
    before: bool = False
    about: bool = False


#: Titles of the records read.
TITLES: Final = re.compile(r"任免|选举|补选|任命|免去|免职|任职|辞职|辞去")
_TITLE: Final = "主任|市长|县长|区长|省长|州长|旗长|乡长|镇长|院长|检察长|秘书长|局长|厅长|庭长|主席|委员|审判员|检察员"
_OFFICE: Final = rf"(?:副?(?:{_TITLE}))"
_NAME: Final = r"[\u4e00-\u9fff](?:[\u4e00-\u9fff·]{0,6})?[\u4e00-\u9fff]"
_HEAD: Final = re.compile(
    rf"^[\s\u3000]*(?:[一二三四五六七八九十]{{1,3}}、)?[\s\u3000]*([^:：。；;（(]{{0,40}}?{_OFFICE})[\s\u3000]*[:：]"
)
_NUMBERED: Final = re.compile(r"^[\s\u3000]*[一二三四五六七八九十]{1,3}、")
_LIST_ENDS: Final = re.compile(
    r"^[\s\u3000]*(?:会议应到|现予公告|应到代表|(?:委员|常务委员)[^:：]{0,8}名)"
)
#: 程远谋为示例市公安局局长; the name begins behind a stop or the verb.
_INTO: Final = re.compile(
    rf"(?:^|(?<=[;；。:：、,，)命选举为]))(?P<names>(?!任命|决定|选举|补选)[\u4e00-\u9fff·]{{2,4}}(?:\(女\))?(?:、[\u4e00-\u9fff·]{{2,4}}(?:\(女\))?){{0,20}})为(?P<office>[^;；。,，:：]{{2,40}}?{_OFFICE})(?=[;；。,，]|$)"
)
_OUT_OF: Final = re.compile(
    r"(?:^|(?<=[;；。:：、,，)去]))(?P<name>[\u4e00-\u9fff·]{2,4})(?:\(女\))?的(?P<office>[^;；。,，:：]{2,40}?)职务"
)
_RESIGNS: Final = re.compile(
    r"接受(?P<name>[\u4e00-\u9fff·]{2,4}?)(?:同志)?(?:\(女\))?(?:的?关于)?(?:请求)?辞去(?P<office>[^;；。,，:：]{2,40}?)职务"
)
_VERB: Final = re.compile(r"补选|选举|任命|免去|接受")
_DAY: Final = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
#: A date that says when: beside 选举产生, 补选, or in the note under the title.
_DATED: Final = re.compile(
    r"\d{4}年\d{1,2}月\d{1,2}日[^。;]{0,60}?(?:选举产生|选举|补选|通过|决定任命|任命)"
)

_ASKS_ACT: Final = re.compile(
    r"当选|选举|选(?:为|成|出|上|的|了)|补选|任命|免去|免职|任职|上任|接任|继任|辞去|辞职|担任|卸任|免(?:的|了|掉)|当(?:过|上|的|了)"
)
_ASKS_WHEN: Final = re.compile(
    r"什么时候|啥时候|哪(?:一)?[年天月]|何时|几时|几月|几号|多会儿|日期|时间"
)
_ASKS_WHO: Final = re.compile(r"谁|哪(?:些|几)?(?:位|个)?人|哪(?:几)?位|名单|什么人")
_ASKS_ALL: Final = re.compile(r"历届|历任|历次|都有谁|有哪些人|先后|哪几位|分别是谁|名单")
_ASKS_NEXT: Final = re.compile(r"接任|继任|接替|接班|之后(?:是|换成|由)?谁|换成(?:了)?谁")
_ASKS_BEFORE: Final = re.compile(
    r"前任|上一任|(?:之前|以前|原来|前面)(?:的)?(?:是|由)?谁|接(?:的)?谁的"
)
_ASKS_PERSON: Final = re.compile(
    r"是谁|是什么人|任过?(?:什么|哪些|啥)|什么职务|啥职务|哪些职务|当过(?:什么|啥)|担任过?(?:什么|哪些)|是干什么的|履历|任职"
)
_ASKS: Final = re.compile(f"{_ASKS_ACT.pattern}|{_ASKS_WHO.pattern}|{_ASKS_PERSON.pattern}")
_OTHER: Final = re.compile(
    r"票|多少|几(?![月号年天时位])|述职|评议|建议|议案|为什么|怎么|工资|讲话|报告里|报告中"
)
_OFFICE_SAID: Final = re.compile(
    rf"([\u4e00-\u9fff]{{0,16}}?)(副?)({_TITLE})(?![\u4e00-\u9fff]{{0,3}}会议)"
)
#: What stands before the organ in a question and is no part of it.
_BEFORE: Final = re.compile(
    r".*(?:选举|当选|补选|任命|选出来|选|谁|哪年|哪天|什么时候|免去|接任|担任|上任|历届|历任|历次|现任|届|会议|会上|人代会|的|了|过|上|为|当|是|都|在|年|月|日)"
)


def asked_office(question: Question, persons: Iterable[str]) -> Asked | None:
    """What a question asks about offices, None when it is not about who held one or when.

    Args:
        question: The question as read.
        persons: Names the readable records of elections and appointments bear.
    """
    form = question.form
    if _OTHER.search(form):
        return None
    person = max((p for p in persons if p in form), key=len, default="")
    office = _office_said(form.replace(person, " ") if person else form)
    following = bool(_ASKS_NEXT.search(form))
    if person:
        if not (_ASKS_ACT.search(form) or following or _ASKS_PERSON.search(form)):
            return None
        when = bool(_ASKS_WHEN.search(form)) and not (following and _ASKS_WHO.search(form))
        earlier = not following and bool(_ASKS_BEFORE.search(form))
        about = not (office or when or following or earlier)
        return Asked(person, office, when, next=following, before=earlier, about=about)
    if not office or not _ASKS_WHO.search(form):
        return None
    every = bool(_ASKS_ALL.search(form))
    if not (every or following or _ASKS_ACT.search(form)):
        return None
    return Asked("", office, all=every, next=following)


def _office_said(form: str) -> str:
    """The office a question names, with as much of its organ as stands before it."""
    found = ""
    for match in _OFFICE_SAID.finditer(form):
        organ = _BEFORE.sub("", match.group(1))
        said = organ + match.group(2) + match.group(3)
        # 主任, 委员 and the like are of some organ; alone they name no office.
        if organ or match.group(3) in _ALONE:
            found = max(found, said, key=len)
    return found


_ALONE: Final = frozenset(
    {"市长", "县长", "区长", "省长", "州长", "旗长", "乡长", "镇长", "检察长"}
)


def holds(office: str, asked: str) -> bool:
    """Whether an office as written is the one asked for: 环保局局长 is 示例市环境保护局局长.

    The organ's characters must stand in order right before the title and close together, so that
    常委会主任 is not 人大常委会法制工作委员会主任; 副 counts.
    """
    match = re.fullmatch(rf"(.*?)(副?)({_TITLE})", asked)
    if match is None:
        return False
    organ, deputy, title = match.groups()
    if not office.endswith(title):
        return False
    before = office.removesuffix(title)
    if before.endswith(("副", "代理", "代")) != bool(deputy):
        return False
    before = before.removesuffix("副") if deputy else before
    # 审计局长 is the 局长 of 审计局.
    if organ and not organ.endswith(title[0]) and title in ("局长", "厅长", "院长", "庭长"):
        before = before.removesuffix(title[0])
    at = len(before)
    for number, character in enumerate(reversed(organ)):
        found = before.rfind(character, 0, at)
        if found < 0 or (number == 0 and found != len(before) - 1):
            return False
        at = found
    return len(before) - at <= 2 * len(organ) + 1


def read_tenures(text: RecordText) -> list[Tenure]:
    """Every (person, office, act) a record states, in its order.

    Reads lists (市长：某某), sentences (补选某某为……) and the two halves of a 任免名单.

    Source:
        Layout of 任免名单 and 公告: domain brief, section 2.4.
    """
    found: list[Tenure] = []
    dated = next((span for _, span in text.find(_DATED)), None)
    day = _DAY.search(search_form(dated.text).text) if dated is not None else None
    date = day.group() if day else text.record.date
    iso = f"{day[1]}-{int(day[2]):02d}-{int(day[3]):02d}" if day else text.record.date_iso
    if dated is not None:
        dated = text.sentence_with(dated)

    def add(person: str, office: str, act: Act, line: Span) -> None:
        found.append(Tenure(person, office, act, text.record, line, dated, date, iso))

    for page, form in zip(text.pages, text.forms, strict=True):
        if "选举" in form.text or found:
            for person, office, line in _lists(page):
                add(person, office, Act.ELECTED, line)
        for match in _INTO.finditer(form.text):
            verb = _last_verb(form.text[: match.start()])
            if verb in ("", "免去", "接受"):
                continue
            act = Act.ELECTED if verb in ("补选", "选举") else Act.APPOINTED
            line = Span(page, *form.to_raw(*match.span()))
            for name in match["names"].split("、"):
                for office in match["office"].split("、"):
                    add(_plain(name), office, act, line)
        for pattern, act in ((_OUT_OF, Act.REMOVED), (_RESIGNS, Act.RESIGNED)):
            for match in pattern.finditer(form.text):
                if act is Act.REMOVED and _last_verb(form.text[: match.start()]) != "免去":
                    continue
                line = Span(page, *form.to_raw(*match.span()))
                for office in match["office"].split("、"):
                    add(match["name"], office, act, line)
    return found


def _last_verb(before: str) -> str:
    verbs = _VERB.findall(before)
    return verbs[-1] if verbs else ""


def _plain(name: str) -> str:
    return re.sub(r"\(.*$", "", name)


def _lists(page: Page) -> Iterator[tuple[str, str, Span]]:
    """(person, office, line) of an election list; a line without a colon goes on from the last."""
    organ = office = ""
    start = end = at = 0
    entries: list[tuple[str, int, int]] = []
    for line in page.raw.splitlines(keepends=True):
        stop = at + len(line.rstrip())
        head = _HEAD.match(line)
        if head is not None:
            if office:
                entries.append((office, start, end))
            office = search_form(head.group(1)).text
            if re.fullmatch(r"副?(?:主任|秘书长)", office):
                office = organ + office
            elif "常务委员会" in office:
                organ = re.sub(r"副?(?:主任|秘书长)$", "", office)
            start, end = at + len(line) - len(line.lstrip()), stop
        elif _NUMBERED.match(line) or _LIST_ENDS.match(line) or not line.strip():
            if office:
                entries.append((office, start, end))
            office = ""
            if _NUMBERED.match(line):
                organ = "常务委员会" if "常务委员会" in line else ""
        elif office:
            end = stop
        at += len(line)
    if office:
        entries.append((office, start, end))
    for office, start, end in entries:
        names = search_form(page.raw[start:end]).text.partition(":")[2]
        names = re.sub(r"\([^()]*\)?", "", names).rstrip("。;； ")
        for name in re.split(r"[、,，\s]+", names):
            if re.fullmatch(_NAME, name) and len(name) <= 4:
                yield name, office, Span(page, start, end)


def fits(tenure: Tenure, question: Question) -> bool:
    """Whether a tenure is of the years, dates, sittings and places a question names."""
    if question.years_required and not any(
        tenure.iso.startswith(str(y)) for y in question.years_required
    ):
        return False
    if question.dates and not any(tenure.iso.startswith(d) for d in question.dates):
        return False
    near = search_form(f"{tenure.record.title} {tenure.record.meeting} {tenure.record.author}").text
    if tenure.dated is not None:
        near += search_form(tenure.dated.text).text
    if question.sessions and not any(session_in(t, n, near) for t, n in question.sessions):
        return False
    bare = [s.term for s in find_sessions(question.text) if s.term is not None and s.number is None]
    bare += _bare_terms(question.form)
    if bare and not any(s.term in bare for s in find_sessions(near)):
        return False
    names = [n for p in question.places for n in (p, *question.place_names.get(p, ()))]
    return not names or any(n in near + tenure.office for n in names)


def _bare_terms(form: str) -> list[int]:
    found = re.search(r"第?([一二三四五六七八九十]{1,3}|\d{1,2})届(?!.{0,8}次)", form)
    sessions = find_sessions(f"{found.group()}人大") if found else []
    return [s.term for s in sessions if s.term is not None]


def in_time_order(tenures: Sequence[Tenure]) -> list[Tenure]:
    """Tenures by date, each fact once; a fact in several records keeps its first."""
    kept: dict[tuple[str, str, Act, str], Tenure] = {}
    for tenure in sorted(tenures, key=lambda t: t.iso or "9"):
        kept.setdefault((tenure.person, tenure.office, tenure.act, tenure.iso), tenure)
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class OfficeAnswer:
    """What the records say on who held an office or when.

    Attributes:
        lead: The answer in one line, names and dates cut from the records; empty when `absent`.
        citations: Where they say so, numbered from 1.
        direct: The name or date asked for, as the first quotation prints it; empty for several.
        kind: Intent it is answered under.
        notes: Chinese sentences.
        absent: True when the sitting or year asked for is not among the readable records and
            nothing else speaks of it: then there is no answer.
    """

    lead: str = ""
    citations: tuple[Citation, ...] = ()
    direct: str = ""
    kind: str = ""
    notes: tuple[str, ...] = ()
    absent: bool = False


class OfficeRegister:
    """Tenures of the holdings, read when first asked for. Safe between threads."""

    def __init__(self, store: Store, version: int) -> None:
        """Bind the store as of a version of its data."""
        self._shelf = TextShelf(store)
        self._version = version
        self._read: dict[str, tuple[Tenure, ...]] = {}

    def answer(
        self,
        question: Question,
        records: Sequence[Record],
        passages_with: Callable[[dict[str, float], int], Sequence[Passage]],
    ) -> OfficeAnswer | None:
        """What readable records of elections and appointments say on a question.

        Args:
            question: The question as read.
            records: Records the reader may see; nothing else is looked at.
            passages_with: Passages of permitted records that hold weighted terms.

        Returns:
            None when the question is not about who held an office or when, or when these records
            do not tell and others may.
        """
        form = question.form
        if _OTHER.search(form) or not _ASKS.search(form):
            return None
        every = [t for r in records if _tells(r) for t in self._tenures(r)]
        asked = asked_office(question, {t.person for t in every})
        if asked is None:
            return None
        found = _asked_for(asked, question, every)
        fitting = in_time_order([t for t in found if fits(t, question)])
        if fitting:
            return self._answer(asked, fitting)
        timed = question.years_required or question.dates or question.sessions
        if found and timed and not asked.person and not _elsewhere(asked, question, passages_with):
            return OfficeAnswer(absent=True)
        return None

    def _tenures(self, record: Record) -> tuple[Tenure, ...]:
        if record.record_id not in self._read:
            text = self._shelf.text(record, self._version)
            self._read[record.record_id] = tuple(read_tenures(text))
        return self._read[record.record_id]

    def _answer(self, asked: Asked, tenures: Sequence[Tenure]) -> OfficeAnswer:
        citations: list[Citation] = []
        marks: dict[tuple[str, int, int, int], int] = {}
        said: list[str] = []
        for tenure in tenures:
            numbers = []
            for span in _quoted(tenure, date_first=asked.when or asked.all):
                key = (tenure.record.record_id, span.page.seq, span.start, span.end)
                if key not in marks:
                    marks[key] = len(citations) + 1
                    text = self._shelf.text(tenure.record, self._version)
                    citations.append(
                        cite(
                            marks[key],
                            tenure.record,
                            span.page,
                            text.page_count,
                            span.start,
                            span.end,
                            text.passage_id(span),
                        )
                    )
                numbers.append(marks[key])
            said.append(_sentence(tenure))
        several = asked.all or asked.about or len(tenures) > 1
        intent = Intent.LIST if several else Intent.WHEN if asked.when else Intent.WHO
        first = citations[0].quote
        direct = ""
        if not several:
            date = _RAW_DAY.search(first)
            direct = (date.group() if date else "") if asked.when else tenures[0].person
        lead = (
            f"选举、任免记录里共有 {len(said)} 条，按时间：{'；'.join(said)}。" if several else ""
        )
        notes = (_AS_RECORDED,) if several else ()
        return OfficeAnswer(
            lead, tuple(citations), direct if direct in first else "", intent.value, notes
        )


_AS_RECORDED: Final = (
    "以上是您可查阅的选举、任免记录所载；没有查到的届次不等于没有人任职，现任情况以最近的任免为准。"
)
_RAW_DAY: Final = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日")
#: Laws on elections and appointments appoint nobody.
_RULES: Final = re.compile(r"(?:法|条例|办法|规定|规则|细则)(?:[（(].*)?$")
#: Characters from the date to the line that are still quoted as one piece; fewer where the name
#: is asked for, which should not have to be looked for.
_ONE_PIECE: Final = 170
_SHORT_PIECE: Final = 90


def _tells(record: Record) -> bool:
    if _RULES.search(record.title):
        return False
    return bool(TITLES.search(record.title)) or "任免" in record.doc_type


def _sentence(tenure: Tenure) -> str:
    return f"{_spoken(tenure)}{tenure.act.value}{tenure.office}：{tenure.person}"


def _spoken(tenure: Tenure) -> str:
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", tenure.iso)
    return f"{match[1]}年{int(match[2])}月{int(match[3])}日" if match else tenure.date


def _quoted(tenure: Tenure, *, date_first: bool) -> list[Span]:
    """What to quote: date and line in one piece where they are near, else one after the other."""
    line, dated = tenure.line, tenure.dated
    if dated is None:
        return [line]
    together = dated.page.seq == line.page.seq
    longest = _ONE_PIECE if date_first else _SHORT_PIECE
    if together and dated.start <= line.start and line.end - dated.start <= longest:
        return [Span(line.page, dated.start, max(line.end, dated.end))]
    return [dated, line] if date_first else [line, dated]


def _asked_for(asked: Asked, question: Question, every: Sequence[Tenure]) -> list[Tenure]:
    """Tenures of the person or office, of whatever time."""
    leaving = _LEAVING.search(question.form)
    if asked.person:
        found = [t for t in every if t.person == asked.person]
        if asked.next or asked.before:
            return _neighbours(found, every, asked.office, later=asked.next)
        if asked.office:
            found = [t for t in found if holds(t.office, asked.office)]
        if leaving or _ASKS_PERSON.search(question.form) is None:
            found = [t for t in found if t.takes_up is not bool(leaving)]
        return found
    found = [t for t in every if holds(t.office, asked.office)]
    return found if asked.all else [t for t in found if t.takes_up is not bool(leaving)]


_LEAVING: Final = re.compile(r"免去|免职|免(?:的|了|掉)|辞去|辞职|不再担任|卸任")


def _elsewhere(
    asked: Asked,
    question: Question,
    passages_with: Callable[[dict[str, float], int], Sequence[Passage]],
) -> bool:
    """Whether another paper may say who took the office at the time asked about."""
    title = re.search(rf"{_OFFICE}$", asked.office)
    if title is None:
        return True
    words = f"选举 当选 任命 补选 {asked.office}"
    terms = {t: 1.0 for t in lexical_tokens(words) if len(t) > 1}
    pattern = re.compile(rf"(?:当选|选举|补选|任命)[^。]{{0,30}}{title.group()}")
    for passage in passages_with(terms, _PASSAGES):
        form = search_form(passage.text).text
        if not pattern.search(form):
            continue
        if any(str(y) in form for y in question.years_required) or any(
            session_in(t, n, form) for t, n in question.sessions
        ):
            return True
    return False


#: Passages looked through for another paper on an election.
_PASSAGES: Final = 24


def _neighbours(
    own: Sequence[Tenure], every: Sequence[Tenure], office: str, *, later: bool
) -> list[Tenure]:
    """Who had an office right after or before a person; one for each office the person took up."""
    found: list[Tenure] = []
    for mine in own:
        if not mine.takes_up or (office and not holds(mine.office, office)):
            continue
        others = [t for t in in_time_order(every) if t.person != mine.person]
        others = [t for t in others if t.office == mine.office]
        if later:
            found += [t for t in others if t.takes_up and t.iso > mine.iso][:1]
        else:
            found += [t for t in others if t.iso <= mine.iso][-1:]
    return in_time_order(found)
