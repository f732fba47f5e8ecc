"""Whether the evidence answers the question: features and a calibrated threshold, in code."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.attributes import attribute_present
from assistant.catalogue_view import CatalogueView
from assistant.excerpts import Excerpt, covered
from assistant.gazetteer import Gazetteer
from assistant.names import persons_asked_about
from assistant.question import Intent, Question
from assistant.retrieval import Evidence, year_agreement
from assistant.sources import (
    has_title,
    is_rule,
    kind_fits,
    named_rule,
    named_source,
    named_titles,
)
from index.codes import (
    Session,
    find_proposal_numbers,
    find_sessions,
    int_to_chinese,
    is_sitting,
    session_in,
)
from index.domain import Page, Record
from index.text import search_form

FEATURES: Final = (
    "cosine", "coverage", "near_coverage", "odds", "missing", "place_match", "year_mismatch",
    "title_overlap", "sentence_cosine", "passage_score", "attribute",
)  # fmt: skip

#: Logistic weights in the order of `FEATURES`; see docs/evaluation.md. They weigh what the rules
#: of `mismatch` let through.
WEIGHTS: Final = (
    -2.106, -1.943, 0.662, 0.546, -1.315, -0.485, -0.529,
    -2.055, 13.544, 1.976, 1.458,
)  # fmt: skip
INTERCEPT: Final = -8.304
#: Answer when the log-odds of "the evidence answers it" reach this. Among what the rules let through
#: of 1,124 questions, ones with an answer and ones without, this refuses 9 and 20 (docs/log.md).
THRESHOLD: Final = -0.5
#: The same for a question that goes on from the one before: its words stand half in that.
_FOLLOWED: Final = -2.0
#: Below this an answer says that it may not be the one asked for.
UNSURE: Final = 0.25
#: From when something holds stands in the last article, seldom among the best excerpts.
_FROM_WHEN: Final = re.compile(r"施行|实施|生效|起效|执行|起用|管用|算数|作数")
#: Proceedings that must be named in the record when the question names them.
_PROCEEDINGS: Final = re.compile(r"执法检查|专题询问|质询|备案审查|罢免|立法会")
#: Questions whether there is such a paper at all; a similar one on another matter is no answer.
_EXISTENCE: Final = re.compile(
    r"(?:有没有|有无|是否|是不是).{0,30}(?:条例|决议|决定|法规|建议|议案|提案|规定|文件)"
    r"|(?:条例|决议|决定|法规|建议|议案|提案)(?!.{0,4}[变改修])(?:[^,，。？?]{0,3}(?:[有出定立作做发提]|过(?!时|期)|[订制]定)[^,，。？?]{0,2})?(?:没有|没|吗)[,，？?]"
    r"|[作出提]过.{0,12}(?:决议|决定|建议|议案|条例)没"
)
_THAT_RULE: Final = re.compile(
    r"的(?:那|哪)(?:一)?[部个件](?:地方性)?(?:法规|条例|规定|办法|决定|决议)"
    r"|[那哪](?:一)?[部个件](?:专门|专)?[管讲]?[^，,。？?的]{2,8}的(?:地方性)?(?:法规|条例|规定|办法|决定|决议)"
)
_EXISTENCE_COVERAGE: Final = 0.3
#: With a model the weights were not fitted for: least share of the question's words.
_LEAST_COVERAGE: Final = 0.15
#: Least rarity, ln(1 + n / (1 + df)), of half a name that may stand for the whole.
_TELLING: Final = 2.5
#: Least rarity of a name: a word of every second passage (承担小区……) is none.
_NAME: Final = 1.1
#: Least rarity of what a rule is on: 学校, 农村, 企业 stand in every third question and record.
_SUBJECT: Final = 4.0
#: Characters a question says beside its place and its topic from which the topic is one circumstance
#: of several: 烧烤摊老往路边树坑里倒开水，一棵树罚多少. The four longest of those wrongly refused had
#: 12 to 19, the ten rightly refused 2 to 11.
_CIRCUMSTANCES: Final = 12
#: The whole country's report, not a town's of the same name.
_OF_NATION: Final = re.compile(
    r"(?:国务院|全国人大)(?:常委会)?(?:[0-9]{4}年)?(?:[的作]|作的)?(?:政府|常委会)?工作报告|中央(?:和地方)?预算(?:执行|草案)"
)
_TOWN: Final = re.compile(
    r"(?!国务院|全国|中央)(?:关于)?[\u4e00-\u9fff]{2,8}?[省市州县](?![场民政])"
)
#: 国家那部民营经济促进法: a province's rule of the same subject is not the nation's law.
_LAW_OF_NATION: Final = re.compile(
    r"(?<!给我)国家(?:的|那|出台的?|定的?)(?:[一那]?部)?[\u4e00-\u9fff]{2,14}法(?![规律制院治官])"
)
_RULE_TITLE: Final = re.compile(r"(?:条例|办法|规定|规则|细则|[^办]法)(?:[(].*[)])?$")
_THIS_YEAR: Final = re.compile(r"今年|本年度?(?!度?报告)")
#: What was made or changed in a year, or happened in it, as against what holds in it.
_MADE: Final = re.compile(
    r"(?:今年|去年|前年|本年度?|上年度?)[^，,。？?]{0,4}(?:新)?(?:出台?|通过|公布|发布|修|改|批|定|立|制|施行|实施|废)"
    r"|(?:罚|查|办|处理|收|花|开|投|栽|建|拨|种|奖)了|多少(?:起|件|次|例|亿|棵)|完成|安排|表彰|答复|检查|达到|提出?的"
)
#: A named spot within a town: two characters and what it is.
_SPOT: Final = re.compile(
    r"([\u4e00-\u9fff]{2})(?:小区|花园|家园|社区|街道|大街|大道|巷|村|镇|河|湖|水库|大桥|桥|广场|公园)"
    r"(?![局长委民政人落容])"
)
_COMMON_SPOT: Final = re.compile(
    r"[新老旧大小各每全本该某两几多一二三四五六七八九十中城乡农市区县省内外上下前后]|[咱俺们这那说听住人到蹲去往跑进坐站看买卖走打过报送交找跟对把被让给沿顺]|知道|觉得|认识|附近|隔壁|旁边|门口|老家|家里|自己|现在|昨天|今天|住宅|居民|商品|物业|封闭|文化|人民|黑臭|排污|行政|自然|边境|水利|防洪|体育|森林|工业"
)
#: 增值税收了多少: a tax by its name, its last three characters. People leave some out (耕地税 for
#: 耕地占用税); 一共交税多少 names none. Rates are not here: 增长率 is written 增长8.1%.
_NAMED_FIGURE: Final = re.compile(
    r"((?:(?![年月日的省市县区各收交缴纳上退免减共报企业高低本总])[\u4e00-\u9fff]){2}税)(?=[^率，,。]{0,8}(?:多少|几))"
)
#: A report of the year before, as its name says.
_LOOKS_BACK: Final = re.compile(r"(?:19|20)\d\d年?.{0,24}工作报告")
#: Yearly reports called by their years, which their own titles bear.
_YEARS_REPORT: Final = re.compile(
    r"((?:(?:19|20)\d\d年?(?:度)?[、和与跟及到至]?)+)(?:两年)?(?:的)?[\u4e00-\u9fff]{0,8}?(?:工作报告|统计公报)"
)
_FOUR_DIGITS: Final = re.compile(r"(?:19|20)\d\d")
#: Words of a question that tell nothing of its matter.
_NO_MATTER: Final = re.compile(r"[0-9]+年?|条例|规定|办法|法规|按|要求|标准|多少|罚|钱")
#: Records checked for what the question names; the answer is seldom in a later one.
_RECORDS_CHECKED: Final = 8


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether to answer, with the features that said so.

    Attributes:
        answers: True when the evidence passes.
        why: The rule that refused, empty when it passes.
        odds: Log-odds of the evidence answering the question.
        features: Values in the order of `FEATURES`.
    """

    answers: bool
    why: str
    odds: float
    features: tuple[float, ...]


def judge(
    question: Question,
    evidence: Sequence[Evidence],
    excerpts: Sequence[Excerpt],
    rarity: Callable[[str], float],
    nearby: Nearby,
    *,
    calibrated: bool = True,
    year_needed: bool = True,
) -> Judgement:
    """Weigh the best excerpts against what was asked.

    Similar-looking is not evidence: a place, a year, a session or an attribute the question names
    must be found where the answer would be quoted from, whatever the similarity says.

    Args:
        question: The question as read.
        evidence: Ranked passages.
        excerpts: Excerpts of them, best first.
        rarity: Rarity of a term in the holdings.
        nearby: Texts of the records of that evidence.
        calibrated: Whether the weights were fitted with the embedding model in use. Cosines of
            another model lie elsewhere; then shared words decide in their place.
        year_needed: Whether the asker named the year in this very question; one carried over from
            the turn before is a hint only.
    """
    if not excerpts or not evidence:
        return Judgement(False, "无可引用的原文", -99.0, (0.0,) * len(FEATURES))
    record = excerpts[0].evidence.record
    near = nearby.of(record)
    values = refusal_features(question, evidence, excerpts, rarity, nearby)
    named = dict(zip(FEATURES, values, strict=True))
    odds = INTERCEPT + sum(w * x for w, x in zip(WEIGHTS, values, strict=True))
    place = excerpts[0].evidence.place
    # 不让放鞭炮的那部法规: the rule is told by its matter alone.
    topics = bool(_THAT_RULE.search(question.form))
    why = mismatch(question, record, place, near, rarity, year_needed=year_needed, topics=topics)
    if why:
        pass
    elif nearby.lacks_subject(record):
        why = "事项不符"
    elif not attribute_present(question, "。".join(_about(question, record, excerpts))) and not (
        _FROM_WHEN.search(question.form) and attribute_present(question, near)
    ):
        why = "原文没有所问的内容"
    elif _EXISTENCE.search(question.form) and (
        named["coverage"] < _EXISTENCE_COVERAGE
        or not _told_of(question, nearby.head(record), rarity)
    ):
        why = "没有这样的文件"
    elif (
        odds < (THRESHOLD if year_needed else _FOLLOWED)
        if calibrated
        else named["coverage"] < _LEAST_COVERAGE
    ):
        why = "把握不足"
    return Judgement(not why, why, odds, values)


def mismatch(
    question: Question,
    record: Record,
    place: int,
    near: str,
    rarity: Callable[[str], float],
    *,
    year_needed: bool = True,
    topics: bool = True,
) -> str:
    """What the question names and a record lacks; empty when nothing is lacking.

    One of 地方不符, 人名不符, 年份不符, 届次不符, 事项不符, 文件不符.

    Args:
        question: The question as read.
        record: The record.
        place: Agreement of its place with the question's, -1, 0 or 1.
        near: `Nearby.of` it.
        rarity: Rarity of a term in the holdings.
        year_needed: As for `judge`.
        topics: Whether a record must tell of what the vocabulary knows in the question. Records that
            do go first; where none does, that refused ten answerable questions of 1,100 and turned
            away three, so it refuses nothing (docs/log.md).
    """
    unknown = bool(question.unknown_places) and not any(p in near for p in question.unknown_places)
    of_nation = not question.places and _OF_NATION.search(question.form)
    if of_nation and _TOWN.match(search_form(record.title).text):
        return "地方不符"
    law_of_nation = not question.places and _LAW_OF_NATION.search(question.form)
    if law_of_nation and _TOWN.match(search_form(record.title).text):
        return "文件不符"
    if place < 0 or (place <= 0 and (unknown or not place_named(question, near))):
        return "地方不符"
    if not all(spot in near for spot in _spots(question, rarity)):
        return "地方不符"
    persons = persons_asked_about(question.form)
    if persons and not any(person in near for person in persons):
        return "人名不符"
    years = question.years_required
    if not _of_year_named(question, record):
        return "年份不符"
    if (
        year_needed
        and years
        and not any(year_in(y, near) or _reports_on(record, y) for y in years)
        and not _holds_this_year(question, record)
    ):
        return "年份不符"
    if not session_present(question, near):
        return "届次不符"
    if not _tells_of_matter(question, near):
        return "事项不符"
    if topics and not _told_of(question, near, rarity):
        return "事项不符"
    titles = named_titles(question.form)
    if titles and not any(has_title(title, near) for title in titles):
        return "文件不符"
    if not _is_named_rule(question, record, near):
        return "文件不符"
    return "" if _is_named_source(question, record, near) else "文件不符"


def _holds_this_year(question: Question, record: Record) -> bool:
    """Whether a year said only as 今年 asks for what a rule, whenever made, says for it too.

    今年要换一批新公交，还能买烧柴油的吗 is answered by a rule of 2020.
    """
    if not _THIS_YEAR.search(question.form) or len(question.years_required) > 1:
        return False
    said = any(str(year) in question.form for year in question.years_required)
    rule = _RULE_TITLE.search(search_form(record.title).text)
    return bool(rule) and not said and not _MADE.search(question.form)


def _of_year_named(question: Question, record: Record) -> bool:
    """Whether a yearly report is that of the year it is called by; True where none is called so."""
    named = "".join(_YEARS_REPORT.findall(question.form))
    asked = {int(year) for year in _FOUR_DIGITS.findall(named)}
    title = search_form(record.title).text
    if not asked or not re.search("工作报告|统计公报", title):
        return True
    told = {int(year) for year in _FOUR_DIGITS.findall(title)}
    return not asked.isdisjoint(told or {record.year})


def _reports_on(record: Record, year: int) -> bool:
    """Whether a record is the work report of the year after, which tells of the year before."""
    title = search_form(record.title).text
    return str(year + 1) in title and bool(_LOOKS_BACK.search(title))


def _is_named_rule(question: Question, record: Record, near: str) -> bool:
    """Whether a record is the rule the question calls by its subject, or names it; True for none.

    Of a town that has no 停车场条例 another of its rules is the likest record, and the wrong one.
    """
    rule = named_rule(question.form)
    if rule is None:
        return True
    subject, kind = rule
    for place in question.places:
        subject = subject.replace(place, "").replace(Gazetteer.short(place), "")
    names = {subject, *(t for t in question.topics if len(t) > 2)}
    # 养狗条例 is the one on 养犬.
    names |= {
        subject.replace(word, other)
        for word, others in question.synonyms.items()
        for other in others
        if word in subject
    }
    title = search_form(record.title).text
    return any(is_rule((name, kind), title, near) for name in names)


def _spots(question: Question, rarity: Callable[[str], float]) -> list[str]:
    """Estates, lanes, villages, rivers and the like that a question names.

    The one with the same trouble (梧桐巷 for 红枫小区) is the likest record and the wrong one. Only a
    name that opens a run of content words is taken, and none of common words (老旧小区).
    """
    found: list[str] = []
    for run in question.content:
        match = _SPOT.match(run)
        # 青岛小区里: an estate in that town, no estate of that name.
        if match and match.group(1) in {Gazetteer.short(place) for place in question.places}:
            continue
        if match and not _COMMON_SPOT.search(match.group(1)) and rarity(match.group(1)) >= _NAME:
            found.append(match.group())
    return found


def _tells_of_matter(question: Question, near: str) -> bool:
    """Whether a text names the proceedings and taxes a question names."""
    if not all(term in near for term in _PROCEEDINGS.findall(question.form)):
        return False
    figures = _NAMED_FIGURE.findall(question.form)
    return all(re.search("[^。]{0,4}".join(figure), near) for figure in figures)


def _told_of(question: Question, text: str, rarity: Callable[[str], float]) -> bool:
    """Whether a text names one of the things the vocabulary knows in the question, or it knows none."""
    topics = question.topics
    if not topics or any(_told(topic, text, rarity) for topic in topics):
        return True
    rest = _NO_MATTER.sub(" ", " ".join(question.content))
    for word in (*topics, *(Gazetteer.short(place) for place in question.places)):
        rest = rest.replace(word, " ")
    return len("".join(rest.split())) >= _CIRCUMSTANCES


def _told(topic: str, near: str, rarity: Callable[[str], float]) -> bool:
    """Whether a text speaks of a thing by its name, or by half of a long one: 供热 of 供热温度.

    A half that stands everywhere (管理, 设施) tells nothing. On the public sets no right record of
    43 lacks every name, and half of the wrong ones do (docs/log.md).
    """
    if topic in near:
        return True
    halves = (topic[:2], topic[-2:]) if len(topic) >= 4 else ()
    return any(half in near and rarity(half) >= _TELLING for half in halves)


def _is_named_source(question: Question, record: Record, near: str) -> bool:
    """Whether a record can be the paper the question names as its source; True when it names none.

    Otherwise the opinion on the heating supply answers for the report on what came of it, and a
    paper the reader may not see is answered for by one on another subject.
    """
    source = named_source(question.form)
    if source is None:
        return True
    title = search_form(record.title).text
    if not kind_fits(title, source.title):
        return False
    told = near if source.title is None else title
    return not source.subject or bool(source.subject & question.terms_in(told))


def fitting(
    question: Question,
    excerpts: Sequence[Excerpt],
    nearby: Nearby,
    rarity: Callable[[str], float],
    *,
    year_needed: bool = True,
) -> list[Excerpt]:
    """The excerpts of records that have what the question names, best first.

    The likest sentence often stands in the same paper of another year or session; the right one
    comes after it. A figure of another year answers no question for a figure. Records further down than `_RECORDS_CHECKED` are left out unchecked.
    """
    lacks: dict[str, bool] = {}
    kept: list[Excerpt] = []
    for excerpt in excerpts:
        record = excerpt.evidence.record
        if record.record_id not in lacks:
            if len(lacks) == _RECORDS_CHECKED:
                continue
            near, place = nearby.of(record), excerpt.evidence.place
            lacks[record.record_id] = bool(
                mismatch(question, record, place, near, rarity, year_needed=year_needed)
            ) or nearby.lacks_subject(record)
        other_year = year_needed and excerpt.other_year and question.intent is Intent.NUMBER
        if not lacks[record.record_id] and not other_year:
            kept.append(excerpt)
    return kept


class Nearby:
    """Search forms of records with their passages among some evidence, each made once."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        elsewhere: Collection[str] = (),
        pages: Callable[[str], Sequence[Page]] = lambda _: (),
    ) -> None:
        """Take the ranked passages; those after the twentieth are not looked at.

        Args:
            evidence: Ranked passages.
            elsewhere: `subjects_elsewhere` of the question.
            pages: All pages of a record.
        """
        self._evidence = evidence[:20]
        self._elsewhere = elsewhere
        self._pages = pages
        self._lacking: dict[str, bool] = {}
        self._heads: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def head(self, record: Record) -> str:
        """The record's catalogue row."""
        if record.record_id not in self._heads:
            fields = (
                record.title,
                record.author,
                record.doc_no,
                record.date,
                record.meeting,
                record.doc_type,
                *(value for _, value in record.extra),
            )
            self._heads[record.record_id] = search_form(" ".join(fields)).text
        return self._heads[record.record_id]

    def of(self, record: Record) -> str:
        """The catalogue row, then the record's passages."""
        if record.record_id not in self._texts:
            same = (e for e in self._evidence if e.record.record_id == record.record_id)
            passages = "".join(search_form(e.hit.passage.text).text for e in same)
            self._texts[record.record_id] = self.head(record) + passages
        return self._texts[record.record_id]

    def lacks_subject(self, record: Record) -> bool:
        """Whether the question is on what only other places have a rule for, and this names none."""
        if not self._elsewhere:
            return False
        if record.record_id not in self._lacking:
            self._lacking[record.record_id] = not any(
                word in text for text in self._all_of(record) for word in self._elsewhere
            )
        return self._lacking[record.record_id]

    def _all_of(self, record: Record) -> Iterator[str]:
        """What was found of a record, then all its pages, each read only when asked for."""
        yield self.of(record)
        for page in self._pages(record.record_id):
            yield search_form(page.raw).text


def subjects_elsewhere(
    question: Question, view: CatalogueView, rarity: Callable[[str], float]
) -> frozenset[str]:
    """What the question is on as rules of other places call it, with other words for it.

    Of a town without a rule on lifts (枣庄的电梯把人困住了) its rule on hillsides is the likest record.
    Of 3,530 questions with an answer one named such a thing that its record lacks, of 20 wrongly
    answered without one three did (docs/log.md). Empty where no place is named, or where
    one of its rules is on it.
    """
    if not question.places:
        return frozenset()
    own = {
        Gazetteer.short(n) for p in question.places for n in (p, *question.place_names.get(p, ()))
    }
    asked = [
        subject
        for subject in view.rule_subjects
        if subject in question.form
        and max(rarity(subject[i : i + 2]) for i in range(len(subject) - 1)) >= _SUBJECT
    ]
    if not asked:
        return frozenset()
    # 犬类 and 养犬, 房屋租赁 and 租赁住房: one rare character in common and it is the town's own.
    rare = {
        c
        for subject, titles in view.rule_subjects.items()
        if any(place in titles for place in own)
        for c in subject
        if rarity(c) >= _SUBJECT
    }
    if any(not rare.isdisjoint(subject) for subject in asked):
        return frozenset()
    return frozenset(word for s in asked for word in (s, *question.synonyms.get(s, ())))


def _forms_of(record: Record, excerpts: Sequence[Excerpt]) -> list[str]:
    return [e.form for e in excerpts if e.evidence.record.record_id == record.record_id]


def _about(question: Question, record: Record, excerpts: Sequence[Excerpt]) -> list[str]:
    """What must hold the kind of thing asked for: the best record's, for dates the best of all.

    When something was first brought up stands as well in what came of it; a sum of another paper
    is another sum.
    """
    best = [e.form for e in excerpts[:4]] if question.intent is Intent.WHEN else []
    return [*_forms_of(record, excerpts)[:5], *best]


def place_named(question: Question, near: str) -> bool:
    """Whether a text names a place the question names, by a full, short, old or new name.

    A report titled only 关于2025年全市预算执行情况的报告 is of some city; unless the text says it is
    the one asked about, it is not evidence.
    """
    if not question.places:
        return True
    return any(
        Gazetteer.short(name) in near
        for place in question.places
        for name in (place, *question.place_names.get(place, ()))
    )


def session_present(question: Question, near: str) -> bool:
    """Whether a session (届, 次) or a numbered 建议/议案 the question names is in the text too."""
    asked = [s for s in find_sessions(question.text) if is_sitting(s)]
    if asked and not any(_sat(s, near) for s in asked):
        return False
    numbers = find_proposal_numbers(question.text)
    return not numbers or any(
        re.search(rf"第{n.number.lstrip('0')}(?:号|、)|、{n.number.lstrip('0')}号", near)
        for n in numbers
    )


def _sat(asked: Session, near: str) -> bool:
    """Whether a text names a sitting; of the national congress, 全国 too, as every town had a 15th."""
    if not session_in(asked.term, asked.number or 0, near):
        return False
    if asked.place != "全国" or asked.term is None:
        return True
    term = rf"(?:{int_to_chinese(asked.term)}|{asked.term})届"
    return re.search(rf"{term}全国人|全国人[^。]{{0,12}}{term}", near) is not None


def year_in(year: int, form: str) -> bool:
    """Whether a text names a year in Arabic or Chinese figures."""
    if str(year) in form:
        return True
    spoken = "".join("〇一二三四五六七八九"[int(d)] for d in str(year))
    folded = form.replace("零", "〇").replace("○", "〇").replace("o", "〇").replace("0", "〇")
    return spoken in folded


def refusal_features(
    question: Question,
    evidence: Sequence[Evidence],
    excerpts: Sequence[Excerpt],
    rarity: Callable[[str], float],
    nearby: Nearby,
) -> tuple[float, ...]:
    """Features of the answer about to be given, in the order of `FEATURES`."""
    top = excerpts[0]
    record = top.evidence.record
    near = nearby.of(record)
    quoted = nearby.head(record) + "".join(_forms_of(record, excerpts)[:3])
    there = question.terms_in(near)
    missing = sorted((rarity(t) for t in question.content_terms if t not in there), reverse=True)
    heaviest = max((rarity(t) for t in question.content_terms), default=1.0) or 1.0
    return (
        max((e.hit.cosine or 0.0) for e in evidence[:10]),
        covered(question, near, rarity),
        covered(question, quoted, rarity),
        top.odds,
        sum(missing[:3]) / (3 * heaviest),
        float(top.evidence.place > 0),
        float(year_agreement(question, record) < 0),
        top.evidence.title_overlap,
        max(e.cosine for e in excerpts[:4]),
        evidence[0].score,
        float(attribute_present(question, top.form)),
    )
