"""The text of a record as chains need it: its sentences, the numbers it names, what to quote."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

from assistant.chain_roles import ProposalKey
from assistant.matter import StepKind
from index.codes import DocNumber, find_sessions, int_to_chinese
from index.domain import Page, Passage, Record
from index.sentences import Sentence, embedded_sentence, split_sentences
from index.store import Store
from index.text import SearchForm, search_form

#: Pages of a record looked through for numbers and quotations; an appendix behind is not.
MOST_PAGES: Final = 60
_KEPT: Final = 600
#: Characters of the longest quotation taken whole; longer sentences are cut at a clause.
_LONGEST: Final = 160
#: Characters of a line that is a row of a table rather than running text.
_CELL: Final = 14


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a stored page that may be quoted."""

    page: Page
    start: int
    end: int

    @property
    def text(self) -> str:
        """The raw text."""
        return self.page.raw[self.start : self.end]


@dataclass(frozen=True)
class RecordText:
    """A record's pages with what is derived from them, made when first asked for."""

    record: Record
    pages: tuple[Page, ...]
    page_count: int
    passages: tuple[Passage, ...]

    @cached_property
    def forms(self) -> tuple[SearchForm, ...]:
        """Search form of each page, furniture left out."""
        return tuple(search_form(page.raw, page.furniture) for page in self.pages)

    @cached_property
    def sentences(self) -> tuple[tuple[Page, Sentence], ...]:
        """Sentences of all pages, in order."""
        return tuple((page, s) for page in self.pages for s in split_sentences(page))

    @cached_property
    def embedded(self) -> dict[tuple[int, int], str]:
        """What is embedded for each sentence, by page and start of the sentence."""
        title = search_form(self.record.title).text
        found: dict[tuple[int, int], str] = {}
        for page in self.pages:
            own = [s for p, s in self.sentences if p.seq == page.seq]
            for at, sentence in enumerate(own):
                found[(page.seq, sentence.start)] = embedded_sentence(title, own, at)
        return found

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Span]]:
        """Matches in the pages' search forms with their raw spans, in order."""
        for page, form in zip(self.pages, self.forms, strict=True):
            for match in pattern.finditer(form.text):
                if match.end() > match.start():
                    yield match, Span(page, *form.to_raw(*match.span()))

    def sentence_with(self, span: Span) -> Span:
        """The sentence a span begins in, shortened to the clauses around it when it is long."""
        for page, sentence in self.sentences:
            if page.seq == span.page.seq and sentence.start <= span.start < sentence.end:
                return _shortened(page, sentence, span)
        return span

    def entry_with(self, span: Span) -> Span:
        """As `sentence_with`; in a list of numbered proposals only the line of this one."""
        sentence = self.sentence_with(span)
        if len(set(re.findall(r"第\s*\d{1,4}\s*号", sentence.text))) < 2:
            return sentence
        raw = span.page.raw
        start = raw.rfind("\n", 0, span.start) + 1
        end = raw.find("\n", span.end)
        end = len(raw) if end < 0 else end
        line = raw[start:end]
        if not re.match(r"\s*(?:建议|议案)?第?\s*\d{1,4}\s*号", line) or len(line.split()) < 2:
            return sentence
        return Span(span.page, start + len(line) - len(line.lstrip()), start + len(line.rstrip()))

    def overleaf(self, span: Span) -> Span | None:
        """The rest of a sentence that runs on to the next page, None when it does not."""
        if re.search(r"[。；！？;!?]\s*$", span.text):
            return None
        ends = [s.end for page, s in self.sentences if page.seq == span.page.seq]
        if not ends or span.end < max(ends):
            return None
        for page, sentence in self.sentences:
            if page.seq > span.page.seq:
                return _shortened(page, sentence, Span(page, sentence.start, sentence.end))
        return None

    def passage_id(self, span: Span) -> str:
        """Id of the passage that holds the start of a span; of the nearest one when none does."""
        at = span.page.start + span.start
        best = min(
            self.passages,
            key=lambda p: 0 if p.start <= at < p.end else min(abs(p.start - at), abs(p.end - at)),
            default=None,
        )
        return best.passage_id if best is not None else "-"

    @cached_property
    def names_session(self) -> tuple[int, int] | None:
        """(term, sitting) at the head of the first page, where a form prints its session."""
        for session in find_sessions(self.pages[0].raw[:400]) if self.pages else ():
            if session.term is not None and session.number is not None:
                return session.term, session.number
        return None

    @cached_property
    def own_number(self) -> str:
        """The number printed at the head of a proposal's first page (第47号), or empty."""
        match = re.search(r"第(\d{1,4})号", self.forms[0].text[:160]) if self.pages else None
        return match.group(1).lstrip("0") if match else ""


class TextShelf:
    """Texts of records, the ones used last kept. Safe between threads."""

    def __init__(self, store: Store) -> None:
        """Bind the store."""
        self._store = store
        self._kept: OrderedDict[str, tuple[int, RecordText]] = OrderedDict()
        self._lock = Lock()

    def text(self, record: Record, version: int) -> RecordText:
        """A record's text as of a version of the data."""
        with self._lock:
            found = self._kept.get(record.record_id)
            if found is not None and found[0] == version:
                self._kept.move_to_end(record.record_id)
                return found[1]
        pages = self._store.pages(record.record_id)
        text = RecordText(
            record, pages[:MOST_PAGES], len(pages), tuple(self._store.passages(record.record_id))
        )
        with self._lock:
            self._kept[record.record_id] = (version, text)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return text


def _shortened(page: Page, sentence: Sentence, span: Span) -> Span:
    """The sentence, or the clauses of it around `span` when it is long."""
    start, end = sentence.start, sentence.end
    # The note under a title (……通过） runs into the sentence after it in some layouts.
    notes = list(re.finditer(r"[)）]\s*\n", page.raw[start : span.start]))
    if notes:
        start += notes[-1].end()
    if end - start > _LONGEST:
        cut = max(page.raw.rfind(c, start, span.start) for c in "，；。：")
        start = cut + 1 if cut >= start else start
        # Rows of a table run into the sentence after them: it begins behind the last short line.
        line = page.raw.rfind("\n", start, span.start)
        above = page.raw.rfind("\n", 0, max(0, line)) + 1
        if cut < sentence.start and line - above < _CELL:
            start = max(start, line + 1)
        stops = [page.raw.find(c, min(span.end, end), end) for c in "；。"]
        close = min((s + 1 for s in stops if s >= 0), default=end)
        end = close if close - start <= 2 * _LONGEST else end
    while start < end and page.raw[start].isspace():
        start += 1
    return Span(page, start, end)


# -- numbers named in a text ----------------------------------------------------------------------

_NUMBER_WORD: Final = r"(?:代表)?(?:建议|议案)"
#: How far before a number its session may be written.
_REACH: Final = 40


def proposal_pattern(key: ProposalKey, *, bare: bool) -> re.Pattern[str]:
    """A pattern that finds a proposal's number in a search form.

    Args:
        key: The proposal.
        bare: Also without 建议 or 议案 near it, for lists and reports of that session.
    """
    number = re.escape(key.number)
    if bare:
        return re.compile(rf"第{number}号(?!公告|令|文|通知)")
    # 第47号建议; 第47号、第92号建议; 建议编号:…第47号
    return re.compile(
        rf"第?(?<!\d){number}号(?:[、,和及]第?\d{{1,4}}号){{0,9}}(?:[“”\"《》]|电?[\u4e00-\u9fff]{{0,18}}?[、等])?{_NUMBER_WORD}"
        rf"|{_NUMBER_WORD}(?:编号|号)[::]?.{{0,16}}?第?(?<!\d){number}号"
    )


def sessions_before(form: str, at: int) -> list[tuple[int, int]]:
    """(term, sitting) of sessions written shortly before a place, nearest first."""
    window = form[max(0, at - _REACH) : at]
    found = [
        (s.term, s.number)
        for s in find_sessions(window)
        if s.term is not None and s.number is not None
    ]
    return found[::-1]


def mention_of(
    text: RecordText, key: ProposalKey, *, own: tuple[int | None, int | None], bare: bool
) -> Span | None:
    """Where a text names a proposal by number, in the right session.

    The session is the nearest one written before the number, else the first one of the same
    page, else the record's own.

    Args:
        text: The text.
        key: The proposal.
        own: (term, sitting) of the record itself.
        bare: As for `proposal_pattern`.
    """
    wanted = (key.term, key.sitting)
    pattern = proposal_pattern(key, bare=bare)
    for page, form in zip(text.pages, text.forms, strict=True):
        for match in pattern.finditer(form.text):
            near = sessions_before(form.text, match.start())
            if key.term is None or (near[0] if near else own) == wanted:
                return Span(page, *form.to_raw(*match.span()))
    return None


def doc_number_pattern(number: DocNumber) -> re.Pattern[str] | None:
    """A pattern that finds a document number in a search form, brackets in any shape."""
    if not number.agency:
        return None
    return re.compile(
        rf"{re.escape(search_form(number.agency).text)}字?[〔\[(【{{「〈《]?{number.year}[〕\])】}}」〉》]?"
        rf"第?0*{number.number}号"
    )


_CONVERTED: Final = re.compile(
    r"第(\d{1,4})号(?:代表)?议案[)）]?[^。;]{0,40}?转作(?:代表)?第?(\d{1,4})号(?:代表)?建议"
)


def conversions(text: RecordText) -> Iterator[tuple[str, str, Span]]:
    """(number of the 议案, number of the 建议 it was turned into, where it says so)."""
    for match, span in text.find(_CONVERTED):
        yield match.group(1).lstrip("0"), match.group(2).lstrip("0"), span


_PROPOSED_TITLE: Final = re.compile(
    r"(?:提出|关于)?[的]?[“\"《](关于[^“”\"《》]{4,60}?的(?:建议|议案|意见和建议))[”\"》]"
)


def proposed_title(text: RecordText) -> Span | None:
    """The title of the proposal as a reply repeats it: 您提出的“关于……的建议”收悉."""
    for match, span in text.find(_PROPOSED_TITLE):
        inner = match.group(1)
        offset = match.group().index(inner)
        form = text.forms[text.pages.index(span.page)]
        return Span(
            span.page, *form.to_raw(match.start() + offset, match.start() + offset + len(inner))
        )
    return None


# -- results --------------------------------------------------------------------------------------

_CLASS_MARK: Final = re.compile(
    r"[ \t\u3000]*[(（\[【]?([A-D\uff21-\uff24])\s*类?[)）\]】]?[ \t\u3000]*"
)
_CLASS_SENTENCE: Final = re.compile(r"(?:列为|属于|定为|归为|类别[::为]?|为)[“\"]?[a-d]类")
_SATISFACTION: Final = re.compile(
    r"(?:对)?(?:办理|答复)?(?:态度|结果|工作)(?:的)?(?:意见|评价)?[::|]?(?:不满意|基本满意|较满意|满意)"
)
_WRITTEN_OPINION: Final = re.compile(r"(?<=具体意见:)[^。]{4,150}。?")
_SATISFIED: Final = re.compile(r"表示(?:很|较|基本|不)?满意|(?:基本|不)满意|满意")
DISSATISFIED: Final = re.compile(r"(?<!没有)(?<!无)(?<!没有表示)不满意(?!的?(?:0|零)件)")
_CLASS_TOTALS: Final = re.compile(
    r"[a-d]类[(（][^()（）]{4,40}[)）]|(?:已经?解决|基本解决|正在解决|列入(?:计划|规划)|因条件限制)[^。]{0,20}\d+件"
)


def class_mark(text: RecordText) -> Span | None:
    """The result class printed alone at the head of a reply's first page (A, B类, （C））."""
    if not text.pages:
        return None
    page = text.pages[0]
    found = class_at_head(page.raw)
    return None if found is None else Span(page, *found)


def class_at_head(raw: str) -> tuple[int, int] | None:
    """Where the first lines of a reply print its result class alone; None where they do not.

    Args:
        raw: The first page, or as much of it as holds eight lines.
    """
    start = 0
    for _ in range(8):
        end = raw.find("\n", start)
        match = _CLASS_MARK.fullmatch(raw[start : end if end >= 0 else len(raw)])
        if match:
            return start + match.start(1), start + match.end(1)
        if end < 0:
            break
        start = end + 1
    return None


def result_spans(text: RecordText, kind: StepKind) -> list[Span]:
    """Where a record states the result class or the satisfaction, in its own terms."""
    found: list[Span] = []
    if kind in (StepKind.REPLY, StepKind.SECOND_REPLY):
        mark = class_mark(text)
        found += [mark] if mark is not None else []
        found += [text.sentence_with(span) for _, span in text.find(_CLASS_SENTENCE)][:1]
        if kind is StepKind.REPLY:
            said = (
                span
                for _, span in text.find(_SATISFIED)
                if "意见表" in text.sentence_with(span).text
            )
            found += [text.sentence_with(span) for span in said][:1]
    elif kind is StepKind.DEPUTY_OPINION:
        found += [span for _, span in text.find(_SATISFACTION)][:3]
    return found


def class_definitions(text: RecordText, classes: Iterable[str]) -> list[Span]:
    """Where an annual report says what classes mean and counts them, in that year's terms.

    Args:
        text: The report.
        classes: The class letters wanted; without any, the first definition is taken.
    """
    wanted = {search_form(letter).text for letter in classes}
    found: dict[str, Span] = {}
    for match, span in text.find(_CLASS_TOTALS):
        found.setdefault(match.group()[0], text.sentence_with(span))
    chosen = [span for letter, span in found.items() if letter in wanted]
    return chosen or list(found.values())[:1]


# -- what to quote for a step ---------------------------------------------------------------------

_QUOTES: Final[dict[StepKind, tuple[re.Pattern[str], ...]]] = {
    kind: tuple(re.compile(p) for p in patterns)
    for kind, patterns in {
        StepKind.PROPOSAL: (r"为此,?建议|建议[::]|方案|(?:案由|案题|标题)[::]",),
        StepKind.SECOND_REPLY: (r"不满意", r"再次答复"),
        StepKind.REPLY: (r"收悉",),
        StepKind.HANDLING_REPORT: (
            r"[a-d]类.{0,30}\d+件",
            r"办结\d+件|已全部答复",
            r"共(?:收到|承办|交办)",
        ),
        StepKind.ASSIGNMENT: (r"交.{0,12}(?:研究)?办理", r"承办单位"),
        StepKind.SUPERVISION: (r"督办",),
        StepKind.PLAN: (r"决定对.{2,40}检查", r"现印发给你们", r"检查内容"),
        StepKind.INSPECTION: (r"发现.{0,8}问题\d+[个件项]", r"存在的(?:主要)?问题", r"进行了检查"),
        StepKind.WORK_REPORT: (r"存在的(?:主要)?问题", r"现将.{0,30}报告如下"),
        StepKind.INQUIRY: (r"围绕.{4,40}(?:报告|进行|提问)", r"请问"),
        StepKind.DELIBERATION: (r"整理审议意见|会议(?:决定|认为|同意)",),
        StepKind.REVIEW_OPINION: (r"书面报告", r"听取和审议了", r"提出以下审议意见"),
        StepKind.FOLLOW_UP: (
            r"整改到位\d+|已整改|整改率",
            r"截至.{4,14}(?:完成|新增|补充|达到)",
            r"收悉",
        ),
        StepKind.AUDIT: (
            r"(?:查出|发现|反映|指出).{0,12}问题.{0,8}\d+",
            r"存在的(?:主要)?问题",
            r"审计(?:结果|情况)表明",
        ),
        StepKind.RECTIFICATION: (r"整改到位|整改率|已(?:经)?(?:完成)?整改", r"整改.{0,20}\d+"),
        # The votes first: the grade alone does not tell how many were against.
        StepKind.POLL: (
            r"满意\d+票?.{0,12}不满意\d+",
            r"满意和基本满意",
            r"测评等次|测评结果为",
            r"满意\d+票?",
        ),
        StepKind.DRAFT: (r"就提请.{0,12}审议的", r"草案.{0,8}说明如下", r"必要性"),
        StepKind.FIRST_READING: (r"初次审议",),
        StepKind.SECOND_READING: (r"提请.{0,10}表决", r"审议结果报告如下", r"统一审议"),
        StepKind.VOTE: (r"赞成\d+票", r"表决结果", r"获得通过"),
        StepKind.SUBMISSION: (r"报请(?:审查)?批准", r"请审查批准"),
        StepKind.APPROVAL: (r"予以批准|决定批准",),
        StepKind.REPEAL: (r"废止",),
        StepKind.AMENDMENT: (r"作如下修改|作出如下修改", r"决定.{0,20}修改"),
        StepKind.RESOLUTION: (
            r"(?:决定|决议)如下|特作如下决议|作出(?:如下)?决[定议]|会议决定|决定批准",
        ),
    }.items()
}
#: Head of a proposal's form: whose it is, of which session; not what it says.
#: A line this short without a stop is a heading.
_HEADING: Final = 40
_NUMBER_HEAD: Final = re.compile(
    r"^(?:领衔|附议|主办|承办|协办|会办|是否同意|提出日期|代表姓名|联系)"
)
_POINT: Final = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}、|\([一二三四五六七八九十]{1,3}\)|\d{1,2}[.、]|[一二三四五]是)"
)
_DULL: Final = re.compile(
    r"^(?:感谢|抄送|联系人|\(联系人|主题词|附件|特此报告|以上报告)|现答复如下[::]?$|^.{0,30}代表[::]$|欢迎继续提出"
)


def step_span(text: RecordText, kind: StepKind) -> Span | None:
    """The sentence that shows a record to be the step; its title line where none is telling."""
    if kind is StepKind.DEPUTY_OPINION:
        # A form: cells run into one sentence, so the answer itself is cut out.
        written = next((span for _, span in text.find(_WRITTEN_OPINION)), None)
        return written or next((span for _, span in text.find(_SATISFACTION)), title_span(text))
    title = search_form(text.record.title).text.strip("[]")
    for pattern in _QUOTES.get(kind, ()):
        for _, span in text.find(pattern):
            sentence = text.sentence_with(span)
            # The title at the head, often run together with the addressee, says nothing yet.
            if title[-12:] not in search_form(sentence.text).text:
                return sentence
    return title_span(text)


def title_span(text: RecordText) -> Span | None:
    """The line of the first pages that repeats the record's title, else the first real sentence."""
    title = search_form(text.record.title).text.strip("[]")
    first: Span | None = None
    for page, sentence in text.sentences[:40]:
        form = sentence.form.lstrip("# ")
        if len(form) >= 6 and first is None:
            first = Span(page, sentence.start, sentence.end)
        if len(form) >= 6 and (form in title or title in form):
            return Span(page, sentence.start, sentence.end)
    return first


def whole_point(text: RecordText, page: Page, sentence: Sentence) -> Span:
    """A sentence as quoted; the heading of a point (三、关于……。) with the sentence after it."""
    own = [s for p, s in text.sentences if p.seq == page.seq]
    at = own.index(sentence)
    if len(sentence.form) < 30 and _POINT.match(sentence.form) and at + 1 < len(own):
        following = own[at + 1]
        if following.end - sentence.start <= 2 * _LONGEST and not following.form.startswith("#"):
            return Span(page, sentence.start, following.end)
    return _shortened(page, sentence, Span(page, sentence.start, sentence.end))


def telling_sentences(text: RecordText) -> list[tuple[Page, Sentence]]:
    """Sentences of a record that say something, headings and courtesies left out."""
    title = search_form(text.record.title).text
    return [
        (page, s)
        for page, s in text.sentences
        if 12 <= len(s.form) <= 2 * _LONGEST
        and (len(s.form) > _HEADING or s.form[-1] in "。;!?”」")
        and not _DULL.search(s.form)
        and not s.form.startswith("#")
        and s.form not in title
        and "收悉" not in s.form
        and not _NUMBER_HEAD.search(s.form)
    ]


#: A reply says what was or will be done, or why not.
_RESULT: Final = re.compile(
    r"(?:已于|已经|已在|已由|已[建完列纳办投开改修出印启落增安补])[^。;]{0,60}|(?:建成|完工|竣工|投入使用|办结|整改到位)"
    r"|(?:将|拟|计划|力争|争取|定于|确保)[^。;]{0,50}(?:完成|建成|建设|实施|列入|纳入|启动|解决|完工|安排|出台)"
    r"|尚不成熟|不具备|暂(?:不|缓|无)|难以|没有办理|待条件|列为[a-d]类|决定(?:将|在|对)|同意|不予|采纳"
)


def result_sentences(text: RecordText) -> list[tuple[Page, Sentence]]:
    """Telling sentences of a reply that say what came of the proposal, in order."""
    return [(page, s) for page, s in telling_sentences(text) if _RESULT.search(s.form)]


_DEMANDS: Final = re.compile(r"(?:为此,?|特|因此,?)?建议(?:如下)?[::]|^方案[::]?")
_WHO: Final = re.compile(r"(?:领衔代表|领衔人|提出人|建议人|提案人|领衔)[::][^。;]{2,40}")


def demand_sentences(text: RecordText) -> list[tuple[Page, Sentence]]:
    """Telling sentences of a proposal from where it says what it wants; all where it does not."""
    sentences = telling_sentences(text)
    head = next((n for n, (_, s) in enumerate(text.sentences) if _DEMANDS.search(s.form)), None)
    if head is None:
        return sentences
    wanted = {(page.seq, s.start) for page, s in text.sentences[head:]}
    return [(page, s) for page, s in sentences if (page.seq, s.start) in wanted] or sentences


def proposer_span(text: RecordText) -> Span | None:
    """The line of a proposal's form that says who leads it, None where it has none."""
    for _, span in text.find(_WHO):
        end = span.page.raw.find("\n", span.start)
        end = span.end if end < 0 else min(span.end, end)
        return Span(span.page, span.start, end)
    return None


# -- the life of a regulation -----------------------------------------------------------------------

_CLAUSE: Final = re.compile(
    r"(?P<date>(?:19|20)\d{2}年\d{1,2}月\d{1,2}日)(?P<act>[^。]{4,220}?)(?P<verb>通过|批准|修正|修订|废止)"
    r"(?=(?:19|20)\d{2}年|[),;。\s#]|第一[章条]|目录|根据|\(|$)"
)
_IN_FORCE: Final = re.compile(
    r"自(?P<date>(?:19|20)\d{2}年\d{1,2}月\d{1,2}日|[公发]布之日)起(?:施行|实施|生效)"
)
_VERBS: Final = {
    "通过": StepKind.ADOPTION,
    "批准": StepKind.APPROVAL,
    "修正": StepKind.AMENDMENT,
    "修订": StepKind.AMENDMENT,
    "废止": StepKind.REPEAL,
}


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """A dated event in the note under a regulation's title (题注) or in its announcement.

    Attributes:
        kind: 通过, 批准, 修改, 废止 or 施行.
        date: The date as printed, search form.
        span: Where it is written.
    """

    kind: StepKind
    date: str
    span: Span


def life_events(text: RecordText) -> list[LifeEvent]:
    """Events in the first two pages of a regulation, each kind of a date once, in text order."""
    found: list[LifeEvent] = []
    for page, form in list(zip(text.pages, text.forms, strict=True))[:2]:
        head = form.text[: _head_end(form.text)]
        for match in _CLAUSE.finditer(head):
            kind = _VERBS[match["verb"]]
            if kind is StepKind.ADOPTION and re.search(r"关于修改|修正案", match["act"]):
                kind = StepKind.AMENDMENT
            if not any(e.kind is kind and e.date == match["date"] for e in found):
                span = Span(page, *form.to_raw(*match.span()))
                found.append(LifeEvent(kind, match["date"], span))
    for match, span in text.find(_IN_FORCE):
        found.append(LifeEvent(StepKind.IN_FORCE, match["date"], text.sentence_with(span)))
        break
    return found


def _head_end(form: str) -> int:
    """Where the note under the title ends: at the first article, or after 600 characters."""
    match = re.search(r"第一条(?!第)", form)
    return min(match.start() if match else 600, 900) or 600


def session_words(term: int, sitting: int) -> str:
    """A congress session as people write it: 十五届人大二次会议."""
    return f"{int_to_chinese(term)}届人大{int_to_chinese(sitting)}次会议"
