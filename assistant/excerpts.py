"""From ranked passages to excerpts: the spans worth quoting, cut at sentence borders."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assistant.attributes import attribute_present, telling
from assistant.machine_text import orders_among
from assistant.periods import named_years
from assistant.question import Intent, Question
from assistant.ranking import rank_sentences
from assistant.retrieval import Evidence
from assistant.sources import asks_reply, is_reply
from index.domain import Page, Record
from index.passage_index import SHORTEST_SENTENCE
from index.sentences import (
    ITEM,
    LEAD_IN,
    LEAD_REACH,
    STARTER,
    Sentence,
    embedded_sentence,
    lead_in,
    split_sentences,
)
from index.text import search_form

#: Passages whose sentences are looked at.
REGIONS: Final = 20
#: How far over a page break the other half of a sentence may lie, in characters.
_BREAK_REACH: Final = 400
#: Characters of context on both sides of a passage that may be quoted too.
_MARGIN: Final = 260
#: Longest excerpt a lead-in and its items make.
WINDOW: Final = 200
_LIST_WINDOW: Final = 500
#: A law amended five times has a note of some 400 characters.
_LONGEST_NOTE: Final = 420
#: Where it is asked how often a rule was changed, the note with all of its changes.
_EVERY_CHANGE: Final = 1200
_ASKS_CHANGES: Final = re.compile(
    r"(?:改|动|修[订正改])过?了?(?:几|多少)[回次遍]|(?:几|多少)[回次遍](?:改|动|修[订正改])|[改动]过哪几[回次]"
)
# Chosen on the public congress questions; docs/log.md has what else was tried.
#: Log-odds a sentence gains for one unit of its passage's score.
PASSAGE_WEIGHT: Final = 3.0
#: Sentences compared with the question by the embedding model, in all and of one region.
SENTENCES: Final = 160
_MOST_OF_REGION: Final = 12
#: Log-odds for one unit of cosine below the best sentence.
SIMILARITY_WEIGHT: Final = 65.0
#: Share of a further question as it was put in the similarity, the rest is that of the whole.
SPOKEN: Final = 0.5
#: Share of the lexical log-odds beside the similarity.
LEXICAL_WEIGHT: Final = 0.2
#: Log-odds a sentence that was not compared stays behind the best one.
UNSEEN: Final = 4.6
#: Log-odds a sentence loses that has nothing of the kind asked for (no sum, no date …).
MISSING_ATTRIBUTE: Final = 2.0
#: Log-odds a sentence loses that speaks of other years than the one asked about.
OTHER_YEAR: Final = 2.5
#: Where the question asks how something was answered, replies alone are quoted, unless the best of
#: them is this much behind.
REPLY: Final = 3.0
#: What an excerpt loses whose record a later one has replaced.
OUTDATED: Final = 2.0
#: What one loses of the procedure of the congress where its standing committee is asked about.
OTHER_BODY: Final = 3.0
#: 违反前款规定的，处……: says nothing without the paragraph it points to.
REFERS_BACK: Final = re.compile(
    r"(?:对)?违反(?:前[一两二三]?款|第[一二三四五六七](?:款|项))|(?:逾期(?:未|不|仍)|经[\u4e00-\u9fff]{2,8}(?:后)?(?:仍|拒)|拒不|情节(?:严重|较重|特别严重)的)"
)
#: 由公安机关给予警告；警告后不改正的，处……: what is threatened, and what it comes to.
_THREATENS: Final = re.compile(r"责令|警告|予以.{0,4}(?:制止|劝阻|批评教育)")
_COMES_TO: Final = re.compile(
    r"(?:警告|责令|劝阻|批评教育|教育|制止)(?:后|无效)|(?:逾期|经?[\u4e00-\u9fff]{0,6}后?仍)(?:未|不|拒)|拒不|不听|情节(?:严重|较重)的"
)
#: Characters within which a sentence quoted up to a semicolon is quoted to its end.
FINISHED: Final = 60
_HALF: Final = re.compile(r"[；;]\s*$")
#: Opens a list; an item of it that lost its number is a line of at most so many characters.
_LISTS: Final = re.compile(r"(?:下列|以下|如下)[^。；]{0,24}[:：]$")
_PLAIN_ITEM: Final = 90
_ARTICLE_HEAD: Final = re.compile(r"第[一二三四五六七八九十百零〇0-9]{1,6}条")
#: How far above, in characters, the article may begin that is quoted with it.
_REFERRED: Final = 420
#: Characters of a last line without a stop that may be a signature.
_SIGNATURE: Final = 14


@dataclass(frozen=True, slots=True)
class Enough:
    """When quoting stops. Chosen on eight sets of questions over the congress papers (docs/log.md).

    Attributes:
        sure: The answer is among the chosen excerpts with this probability …
        temperature: … read off their scores at this temperature.
        price: Beyond that an excerpt is quoted that adds so much probability for 100 characters.
        most: Most excerpts.
        room: Most characters in all; the first excerpt is taken whatever its length.
    """

    sure: float = 0.6
    temperature: float = 0.6
    price: float = 0.1
    most: int = 8
    room: int = 700


USUAL: Final = Enough()
#: A list gathered from several records.
LISTED: Final = Enough(sure=0.7, price=0.05)
#: A question that asks several things is seldom answered by its likeliest sentence alone.
SEVERAL: Final = Enough(sure=0.85, temperature=0.8)
#: One side of a comparison.
ONE_SIDE: Final = Enough(sure=0.5, temperature=1.0, price=math.inf, most=3, room=260)
#: An answer often runs on into the next sentence: what touches a chosen excerpt counts so much more.
_RUNS_ON: Final = 2.0

#: An age asked about decides between the clauses of an article; log-odds.
_AGE: Final = re.compile(r"([0-9]{1,3}|[一二三四五六七八九十百]+)周?岁")
_SAME_AGE: Final = 1.5

#: Budget reports give every sum twice, of the whole city and of its own level; log-odds a sentence
#: loses that speaks only of the one not asked about.
_WHOLE: Final = re.compile(r"全[省市州盟县区旗]")
_BUDGET: Final = re.compile(r"收入|支出|预算|决算|债|付息|转移支付|税|结余|财力")
_OWN_LEVEL: Final = re.compile(r"[省市州盟县区旗](?:本级|级(?!(?:以上|人[大民]|[市区])))")
OTHER_LEVEL: Final = 1.5

_ADOPTION: Final = re.compile(
    r"[（(]?(?:19|20)[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}日.{0,120}(?:通过|批准|修正|修订|公布|施行)"
)
_ASKS_ADOPTION: Final = re.compile(
    r"通过|批准|批了|修订|修改|改过|动过|施行|哪天|哪年|什么时候|何时|几号|起用|管用|会议|那次会|第.{1,8}次|出过|表决"
)


#: Lines that only label a paper, each with the questions they may answer. With the title before
#: them they look like the best match to anything asked of that paper.
_LABELS: Final = tuple(
    (re.compile(line), re.compile(asked))
    for line, asked in (
        (r"[\u4e00-\u9fff]{1,14}[〔\[（(【]?[0-9]{4}[〕\]）)】]?第?[0-9]{1,4}号", r"文号|字号|编号|几号|号文"),
        (
            r"[〇零○一二三四五六七八九十0-9]{2,4}年[元一二三四五六七八九十0-9]{1,3}月[一二三四五六七八九十廿卅0-9]{1,3}日(?:[上下]午)?",
            r"哪[天年月]|什么时候|啥时候|何时|几[月号]|日期|时间|落款",
        ),
        (r"[(]?[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日在.{2,40}", r"哪[天年月]|什么时候|何时|日期|会议|哪次"),
        (r"[(（]?(?:抄送|抄报|主题词|印发|联系人|联系电话|附件)[:：].*", r"抄送|抄报|主题词|印发|联系|附件"),
        (r"[\u4e00-\u9fff]{2,18}(?:局|委员会|政府|办公室|法院|检察院|厅|部|大会|中心)", r"谁|哪个|哪些|哪家|什么部门|落款|署名|单位|机关"),
        (r"(?:地点|时间|主持人?|记录人?|代表签名|签发人?)[:：].{0,30}", r"哪|谁|地点|时间|主持|记录|签"),
        (r"[一二三四五六七八九十]{1,3}、[^。；，：:;,]{2,16}", r"哪些|哪几|几个方面|分别|目录|标题"),
        # Whom a reply is addressed to is who put the question forward.
        (r".{2,16}(?:代表|委员|局长|主任|市长|秘书长|同志)[们]?[:：]", r"谁提|哪[位个些](?:人大|政协)?(?:代表|委员)?[^，,。？?]{0,6}提|提[^，,。？?]{0,6}(?:是谁|谁)|谁写给|写给谁|答复谁|给谁"),
        # Courtesies repeat the title and say nothing of the matter.
        (r"(?:您|你)们?.{0,60}(?:建议|议案|提案|意见|来信|来函|提出的?.{2,60})[”》]?.{0,12}(?:已?收悉|收到).{0,40}", r"收到|谁|哪位|提[过出的了]|有没有|有无|几号|第几"),
        (r".{0,60}(?:现|兹|特)[^。；]{0,40}(?:答复|报告|汇报|说明|函复|复函|回复|反馈|通报|公告|通知)(?:如下|于后)[:：。]?", r"谁|哪个|什么部门|受.{0,4}委托|依据|根据|会同|协办"),
        (r"(?:以上|上述|此)?.{0,16}(?:妥否|当否)?[,，]?请(?:予|各位.{1,12})?(?:审议|审查|审定|审阅|批评指正|指正|指示|批示)[。.!！]?", r"$^"),
        (r"(?:特此|专此|此复|谨此|此致).{0,10}", r"$^"),
        (r"(?:最后)?[,，]?(?:衷心|诚挚|再次|非常|十分)?(?:地)?感谢(?:您|你|各位|贵).{2,60}(?:关心|支持|理解|关注|监督|帮助|建议|意见).{0,20}", r"感谢|$^"),
    )
)  # fmt: skip


_PAIRS: Final = (("(", ")"), ("“", "”"), ("《", "》"), ("〔", "〕"), ("「", "」"))


#: A centred note breaks 人民代表大会常务委员会 over two lines.
_CUT_NAME: Final = re.compile(
    r"届人民(?:代(?:表大?)?)?$|大会常(?:务(?:委员?)?)?$|^(?:代)?表大会常务"
)


def _is_torn(form: str) -> bool:
    """Whether a line is broken off: a bracket or quotation mark stays open, an organ's name is cut."""
    return bool(_CUT_NAME.search(form)) or any(
        form.count(left) != form.count(right) for left, right in _PAIRS
    )


def _only_labels(question: Question, form: str) -> bool:
    return any(line.fullmatch(form) and not asked.search(question.form) for line, asked in _LABELS)


#: A span of a page: the page, first character, one past the last.
Part = tuple[Page, int, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of one page that may be quoted, with its other half where a page break cuts it.

    Attributes:
        evidence: The passage that led there.
        page: The page.
        start: First character in `page.raw`.
        end: One past the last.
        score: Log-odds of its best sentence plus the passage's share.
        odds: Log-odds of its best sentence alone.
        form: Search form of the span.
        cosine: Cosine of the question with the best sentence of it.
        other_half: The rest of its sentence on the page before or after, None when it is whole.
        other_year: Whether it speaks of other years than the one asked about.
    """

    evidence: Evidence
    page: Page
    start: int
    end: int
    score: float
    odds: float
    form: str
    cosine: float = 0.0
    other_half: Part | None = None
    other_year: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its spans in the order of the pages."""
        own = (self.page, self.start, self.end)
        if self.other_half is None:
            return (own,)
        return tuple(sorted((own, self.other_half), key=lambda part: part[0].seq))

    @property
    def length(self) -> int:
        """Characters of all its spans."""
        return sum(end - start for _, start, end in self.parts)

    def same_page(self, other: Excerpt) -> bool:
        """Whether both are cut from one page."""
        return (
            self.evidence.record.record_id == other.evidence.record.record_id
            and self.page.seq == other.page.seq
        )

    def touches(self, other: Excerpt) -> bool:
        """Whether one follows the other directly on a page, nothing but blanks between."""
        if not self.same_page(other):
            return False
        first, second = sorted((self, other), key=lambda e: e.start)
        whole = first.other_half is None and second.other_half is None
        return whole and not first.page.raw[first.end : second.start].strip()

    def overlaps(self, other: Excerpt) -> bool:
        """Whether both share characters of one page."""
        if self.evidence.record.record_id != other.evidence.record.record_id:
            return False
        return any(
            mine.seq == theirs.seq and start < other_end and other_start < end
            for mine, start, end in self.parts
            for theirs, other_start, other_end in other.parts
        )


@dataclass(frozen=True, slots=True)
class _Region:
    evidence: Evidence
    page: Page
    sentences: list[Sentence]
    texts: list[str]
    odds: list[float]
    title_form: str
    orders: frozenset[int] = frozenset()
    broken: Mapping[int, Part | None] = field(default_factory=dict)
    other_year: frozenset[int] = frozenset()
    compared: dict[int, float] = field(default_factory=dict)
    loss: dict[int, float] = field(default_factory=dict)

    def quotable(self, question: Question, sentence: Sentence) -> bool:
        """Whether the sentence can be an answer by itself.

        The title and the note of adoption under it repeat the subject of the question and so look
        like the best match; they answer only when adoption, dates or the paper itself are asked.
        """
        if (
            not self.covers(sentence)
            or _is_heading(sentence)
            or sentence.start in self.orders
            or len(sentence.form) < SHORTEST_SENTENCE
        ):
            return False
        form = sentence.form.lstrip("# ")
        title = self.title_form
        if form in title or (title in form and len(form) < len(title) + 14) or "...." in form:
            return False
        if _only_labels(question, form) or _is_torn(form):
            return False
        # Half a sentence is quoted with its other half or not at all.
        if self.broken.get(sentence.start, sentence) is None:
            return False
        return bool(_ASKS_ADOPTION.search(question.form)) or not _ADOPTION.match(form)

    def covers(self, sentence: Sentence) -> bool:
        """Whether the sentence touches the passage itself, not only its margin."""
        passage = self.evidence.hit.passage
        start, end = passage.start - self.page.start, passage.end - self.page.start
        return sentence.start < end and start < sentence.end


class ExcerptFinder:
    """Finds quotable spans in ranked passages."""

    def __init__(
        self,
        pages: Callable[[str, int, int], Sequence[Page]],
        rarity: Callable[[str], float],
        similarity: Callable[[str, Sequence[str]], Sequence[float]],
    ) -> None:
        """Bind the collaborators.

        Args:
            pages: Pages of a record between two offsets of its record text.
            rarity: Rarity of a term in the holdings.
            similarity: Cosine of a question with each of some sentences.
        """
        self._pages = pages
        self._rarity = rarity
        self._similarity = similarity

    def find(
        self,
        question: Question,
        evidence: Sequence[Evidence],
        *,
        whole_lists: bool = False,
        outdated: Callable[[Record], bool] = lambda _: False,
        spoken: str = "",
    ) -> list[Excerpt]:
        """Excerpts from the best passages, best first, none overlapping a better one.

        Args:
            question: The question as read.
            evidence: Ranked passages; the first `REGIONS` are read.
            whole_lists: Let an excerpt that opens a list run on through its items.
            outdated: Tells records that later ones have replaced; theirs come after.
            spoken: A further question as it was put, where `question` carries on an earlier one.
        """
        # With a date or a figure asked for besides, the reply alone may not have it.
        reply = asks_reply(question.form) and attribute_present(question, "")
        note_room = _EVERY_CHANGE if _ASKS_CHANGES.search(question.form) else _LONGEST_NOTE
        excerpts: list[Excerpt] = []
        regions = [r for item in evidence[:REGIONS] for r in self._regions(question, item)]
        self._add_similarity(question, regions, spoken)
        for region in regions:
            excerpts += self._cut(region, whole_lists or reply, note_room)
        excerpts = [
            replace(e, score=e.score - OUTDATED) if outdated(e.evidence.record) else e
            for e in excerpts
        ]
        excerpts = [
            replace(e, score=e.score - OTHER_BODY) if e.evidence.other_body else e for e in excerpts
        ]
        if reply:
            excerpts = _replies(excerpts)
        excerpts.sort(key=lambda e: (-e.score, e.evidence.hit.rank, e.start))
        kept: list[Excerpt] = []
        taken: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for excerpt in excerpts:
            record_id = excerpt.evidence.record.record_id
            spans = [
                (start, end, taken.setdefault((record_id, page.seq), []))
                for page, start, end in excerpt.parts
            ]
            if not any(a < end and start < b for start, end, others in spans for a, b in others):
                kept.append(excerpt)
                for start, end, others in spans:
                    others.append((start, end))
        return kept

    def _regions(self, question: Question, item: Evidence) -> list[_Region]:
        passage = item.hit.passage
        title_form = search_form(item.record.title).text
        regions: list[_Region] = []
        for page in self._pages(item.record.record_id, passage.start, passage.end):
            start = max(0, passage.start - page.start - _MARGIN)
            stop = min(len(page.raw), passage.end - page.start + _MARGIN)
            # Lead-ins may stand before the margin; they belong to what was embedded.
            wide = split_sentences(page, max(0, start - LEAD_REACH), stop)
            inside = [i for i, s in enumerate(wide) if s.end > start and s.start < stop]
            if inside:
                sentences = [wide[i] for i in inside]
                texts = [embedded_sentence(title_form, wide, i) for i in inside]
                odds = rank_sentences(question, sentences, self._rarity)
                orders = orders_among(sentences, question.form)
                body = _body(page)
                broken = {
                    s.start: self._other_half(item.record.record_id, page, s)
                    for s in sentences
                    if _runs_over(page, body, s)
                }
                other_year = frozenset(
                    wide[i].start for i in inside if speaks_of_other_year(question, wide, i)
                )
                regions.append(
                    _Region(
                        item, page, sentences, texts, odds, title_form, orders, broken, other_year
                    )
                )
        return regions

    def _other_half(self, record_id: str, page: Page, sentence: Sentence) -> Part | None:
        """The rest of a sentence that a page break cuts, None when it cannot be told."""
        tail = sentence.end >= _body(page)[1]
        at = page.start + len(page.raw) if tail else page.start
        reach = (at, at + _BREAK_REACH) if tail else (max(0, at - _BREAK_REACH), at)
        near = {p.seq: p for p in self._pages(record_id, *reach)}
        other = near.get(page.seq + (1 if tail else -1))
        if other is None:
            return None
        sentences = split_sentences(other)
        if not sentences:
            return None
        half = sentences[0 if tail else -1]
        body = _body(other)
        if tail:
            goes_on = half.start <= body[0] and not STARTER.match(half.text) and not half.is_row
            whole = goes_on and bool(_ENDED.search(half.text))
        else:
            whole = half.end >= body[1] and not _ENDED.search(half.text) and not half.is_row
        return (other, half.start, half.end) if whole else None

    def _add_similarity(self, question: Question, regions: Sequence[_Region], spoken: str) -> None:
        """Add what the embedding model says of the sentences that could be quoted."""
        wanted: list[tuple[_Region, int]] = []
        for region in regions:
            inside = [i for i, s in enumerate(region.sentences) if region.quotable(question, s)]
            inside.sort(key=lambda i: -region.odds[i])
            wanted += [(region, i) for i in inside[:_MOST_OF_REGION]]
        wanted = wanted[:SENTENCES]
        texts = [region.texts[i] for region, i in wanted]
        cosines = self._similarity(question.text, texts)
        if spoken:
            # Joined to it, the earlier question draws its own answer to the front again.
            alone = self._similarity(spoken, texts)
            cosines = [
                (1 - SPOKEN) * whole + SPOKEN * own
                for whole, own in zip(cosines, alone, strict=True)
            ]
        best = max(cosines, default=0.0)
        ages = _ages(question.form)
        for region in regions:
            region.odds[:] = [o * LEXICAL_WEIGHT - UNSEEN for o in region.odds]
        for (region, i), cosine in zip(wanted, cosines, strict=True):
            region.odds[i] += UNSEEN + SIMILARITY_WEIGHT * (cosine - best)
            if not attribute_present(question, region.sentences[i].form):
                region.odds[i] -= MISSING_ATTRIBUTE
            if region.sentences[i].start in region.other_year:
                region.odds[i] -= OTHER_YEAR
            if _ages(region.sentences[i].form) & ages:
                region.odds[i] += _SAME_AGE
            region.compared[i] = cosine
        of_all, of_level = _level(question.form)
        if of_all is not of_level:
            for region, i in wanted:
                form = region.sentences[i].form
                if _BUDGET.search(form) and _level(form) == (of_level, of_all):
                    region.loss[i] = OTHER_LEVEL
        if (told := telling(question)) is not None:
            says, loss = told
            silent = [(r, i) for r, i in wanted if not says.search(r.sentences[i].form)]
            if len(silent) < len(wanted):
                for region, i in silent:
                    region.loss[i] = region.loss.get(i, 0.0) + loss

    def _cut(self, region: _Region, whole_lists: bool, note_room: int) -> list[Excerpt]:
        """Excerpts of a region, best first: each sentence with what it cannot be read without."""
        excerpts: list[Excerpt] = []
        taken: set[int] = set()
        # The odds themselves go into the judgement whether to answer, which was fitted without.
        worth = {i: region.odds[i] - region.loss.get(i, 0.0) for i in region.compared}
        for i in sorted(worth, key=lambda i: -worth[i]):
            if i in taken:
                continue
            first, last = self._complete(region, i, whole_lists, note_room)
            while first in taken:
                first += 1
            while last in taken:
                last -= 1
            taken |= set(range(first, last + 1))
            start, end = region.sentences[first].start, region.sentences[last].end
            form = "".join(s.form for s in region.sentences[first : last + 1])
            halves = (region.broken.get(s.start) for s in region.sentences[first : last + 1])
            other_half = next(filter(None, halves), None)
            if other_half is not None:
                other, other_start, other_end = other_half
                form += search_form(other.raw[other_start:other_end]).text
            score = worth[i] + PASSAGE_WEIGHT * region.evidence.score
            excerpts.append(
                Excerpt(
                    region.evidence,
                    region.page,
                    start,
                    end,
                    score,
                    region.odds[i],
                    form,
                    region.compared[i],
                    other_half,
                    region.sentences[i].start in region.other_year,
                )
            )
        return excerpts

    @staticmethod
    def _complete(region: _Region, best: int, whole_lists: bool, note_room: int) -> tuple[int, int]:
        """First and last sentence of the excerpt around a sentence.

        A lead-in takes its items along, an item its lead-in where that is near; any other
        sentence stands by itself. Growing by similar neighbours instead made quotations twice as
        long for the same evidence (docs/log.md).
        """
        sentences = region.sentences
        limit = _LIST_WINDOW if whole_lists else WINDOW
        first = last = best
        if ITEM.match(sentences[best].text) and not LEAD_IN.search(sentences[best].text):
            lead = lead_in(sentences, best)
            if (
                lead is not None
                and sentences[best].end - sentences[lead].start <= limit
                and region.orders.isdisjoint(s.start for s in sentences[lead:best])
            ):
                first = lead
        if _ADOPTION.match(sentences[best].form):
            return _whole_note(sentences, best, note_room)
        if REFERS_BACK.match(sentences[best].form):
            first = _breached(sentences, best)

        def fits(at: int) -> bool:
            return (
                at < len(sentences)
                and sentences[at].end - sentences[first].start <= limit
                and sentences[at].start not in region.orders
            )

        threatens = _THREATENS.search(sentences[best].form)
        while threatens and fits(last + 1) and _COMES_TO.match(sentences[last + 1].form):
            last += 1
        opens = bool(LEAD_IN.search(sentences[best].text))
        plain_items = opens and whole_lists and _LISTS.search(sentences[best].form)
        while (opens or (whole_lists and first < best)) and fits(last + 1):
            after = sentences[last + 1]
            # 享受以下优待： over lines that lost their numbers: they end with the article.
            item = ITEM.match(after.text) or (
                plain_items
                and len(after.text) <= _PLAIN_ITEM
                and not _ARTICLE_HEAD.match(after.form)
            )
            if not item and (last > best or _is_heading(after)):
                break
            last += 1
            if not item:
                break
        end = last
        while (
            _HALF.search(sentences[end].text)
            and fits(end + 1)
            and not ITEM.match(sentences[end + 1].text)
            and sentences[end + 1].end - sentences[last].end <= FINISHED
        ):
            end += 1
        if _HALF.search(sentences[end].text):  # its end is too far
            end = last
        return first, end


def _ages(form: str) -> frozenset[str]:
    """Ages a text names, 四十六岁 and 四十六周岁 alike."""
    return frozenset(_AGE.findall(form))


def _level(form: str) -> tuple[bool, bool]:
    """Whether a text speaks of the whole city (province …), and whether of its own level."""
    return bool(_WHOLE.search(form)), bool(_OWN_LEVEL.search(form))


def _breached(sentences: Sequence[Sentence], at: int) -> int:
    """First sentence of the article a clause refers back into; the clause alone where it is far."""
    first = at
    while first and sentences[at].end - sentences[first - 1].start <= _REFERRED:
        first -= 1
        if _ARTICLE_HEAD.match(sentences[first].form):
            return first
    return at


def _whole_note(sentences: Sequence[Sentence], at: int, room: int) -> tuple[int, int]:
    """First and last line of the note of adoption a line belongs to: 通过, 批准 and each 修正."""
    first = last = at
    while first and _ADOPTION.match(sentences[first - 1].form):
        first -= 1
    while last + 1 < len(sentences) and _ADOPTION.match(sentences[last + 1].form):
        last += 1
    while sentences[last].end - sentences[first].start > room and first < last:
        first, last = (first + 1, last) if at - first > last - at else (first, last - 1)
    return first, last


def _replies(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """The excerpts of replies when one of them is near the best, else all."""
    found = [e for e in excerpts if is_reply(search_form(e.evidence.record.title).text)]
    best = max((e.score for e in excerpts), default=0.0)
    near = any(e.score >= best - REPLY for e in found)
    return found if near else list(excerpts)


def choose(excerpts: Sequence[Excerpt], enough: Enough = USUAL) -> list[Excerpt]:
    """The excerpts to quote: as few characters as make it likely that the answer is among them.

    The scores are log-odds; their shares are read as the probability that an excerpt holds the
    answer. A clear question gets one sentence, an unclear one several, and short ones sooner than
    long ones.

    Args:
        excerpts: Best first.
        enough: When to stop.

    Returns:
        The chosen ones, best first; those that follow each other on a page are joined.
    """
    if not excerpts:
        return []
    best = excerpts[0].score
    weights = [math.exp((e.score - best) / enough.temperature) for e in excerpts]
    total = sum(weights)
    left = [(e, weight / total) for e, weight in zip(excerpts, weights, strict=True)]
    chosen: list[Excerpt] = []
    used, reached = 0, 0.0

    def is_worth(excerpt: Excerpt, share: float) -> bool:
        if not chosen:
            return True
        if used + excerpt.length > enough.room:
            return False
        if any(excerpt.touches(c) for c in chosen):
            share *= _RUNS_ON
        return reached < enough.sure or share >= enough.price * excerpt.length / 100

    while len(chosen) < enough.most:
        taken = next((i for i, (e, share) in enumerate(left) if is_worth(e, share)), None)
        if taken is None:
            break
        excerpt, share = left.pop(taken)
        chosen.append(excerpt)
        used += excerpt.length
        reached += share
    return _joined(chosen)


def _joined(chosen: Sequence[Excerpt]) -> list[Excerpt]:
    """Excerpts with those that follow each other directly made one, in the place of the best."""
    kept: list[Excerpt] = []
    order = sorted(chosen, key=lambda e: (e.evidence.record.record_id, e.page.seq, e.start))
    for excerpt in order:
        before = kept[-1] if kept else None
        if before is not None and before.touches(excerpt):
            better = max(before, excerpt, key=lambda e: e.score)
            kept[-1] = replace(
                better, start=before.start, end=excerpt.end, form=before.form + excerpt.form
            )
        else:
            kept.append(excerpt)
    return sorted(kept, key=lambda e: -e.score)


#: Sentences looked back over for the year, and longest heading in characters.
_YEAR_REACH: Final = 12
_HEADING: Final = 40
#: How a sentence, a list item, a table cell or a signature ends.
_ENDED: Final = re.compile(r"[。！？!?；;：:”’」』）)》\].…\-—0-9年月日]\s*$")


def _body(page: Page) -> tuple[int, int]:
    """First and last character of a page, one past it, that is neither blank nor furniture."""
    text = page.raw
    for first, last in page.furniture:
        text = text[:first] + " " * (last - first) + text[last:]
    return len(text) - len(text.lstrip()), len(text.rstrip())


def _runs_over(page: Page, body: tuple[int, int], sentence: Sentence) -> bool:
    """Whether a sentence breaks off at the end of a page or goes on from the page before.

    Half of it can say the opposite of the whole: 决定任命甲为 / 局长，免去乙的局长职务. The last line
    of a page that has no stop is taken to go on; the first line of a later page is taken to be a
    tail when it does not open a unit of its own.

    Args:
        page: The page.
        body: `_body` of it.
        sentence: One of its sentences.
    """
    if sentence.end >= body[1] and len(sentence.form) > _SIGNATURE:
        return not _ENDED.search(sentence.text)
    if page.seq > 1 and page.has_image and sentence.start <= body[0]:
        return not STARTER.match(sentence.text) and not sentence.is_row
    return False


def speaks_of_other_year(question: Question, sentences: Sequence[Sentence], at: int) -> bool:
    """Whether a sentence tells of other years than those the question names.

    A draft budget for 2021 gives the figures of 2020 beside it; the record is of the year asked,
    the sentence is not. A sentence without a year is of the year in the heading above it, a row of
    a table of those in the lines above the table.

    Args:
        question: The question as read.
        sentences: Neighbouring sentences of one page, in order.
        at: Position of the sentence among them.
    """
    asked = question.years
    # What came of a thing is told by papers of later years.
    if not asked or question.intent in (Intent.WHEN, Intent.VERSION, Intent.YES_NO):
        return False
    told = named_years(sentences[at].form)
    k = at
    while not told and k > max(0, at - _YEAR_REACH):
        k -= 1
        before = sentences[k]
        if sentences[at].is_row and not before.is_row:
            told = named_years(before.form)
            break
        if STARTER.match(before.text) and len(before.form) <= _HEADING:
            told = named_years(before.form)
            break
    return bool(told) and set(told).isdisjoint(asked)


def _is_heading(sentence: Sentence) -> bool:
    text = sentence.text.lstrip()
    return text.startswith("#") or bool(
        re.fullmatch(r"第[一二三四五六七八九十百]+[编章节].{0,30}", text)
    )


def covered(question: Question, form: str, rarity: Callable[[str], float]) -> float:
    """Share of the question's content, weighted by rarity, that a text holds, 0..1."""
    terms = question.content_terms
    if not terms:
        return 0.0
    total = sum(rarity(t) for t in terms)
    return sum(rarity(t) for t in question.terms_in(form)) / total if total else 0.0
