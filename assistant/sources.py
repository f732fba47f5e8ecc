"""The kind of paper a question names as its source: 审议意见里要求…, 述职报告说…, 草案说明里讲…."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assistant.question import content_runs
from index.text import lexical_tokens

#: Behind the name of a paper: it is named as the place where something is said.
_SAYS: Final = (
    r"(?:里头|里面|里边|里|中|上|当中)?(?:曾|都|还|是|又|也|就)?"
    r"(?:讲|说|写|要求|提到|提出|提(?!请|交|前)|指出|点名|点了|答应|承诺|列|明确|查出|披露|反映|通报|显示|认为|算)"
)
_BRACKETS: Final = r"(?:\([^()]{0,40}\)|\[[^\[\]]{0,20}\]|[—-].{0,40})*$"
#: (how the paper is called in a question, how titles of such papers end, whether those titles bear
#: their subject). Names people use loosely (报告, 条例, 决定) are not here: a 规定 is called 条例 as
#: well. Longer names stand first.
_KINDS: Final = tuple(
    (
        re.compile(rf"(?:{asked})(?:{_SAYS}|的时候|那次|那回)"),
        re.compile(rf"(?:{title}){_BRACKETS}"),
        not re.search(r"答复|意见表|政府工作|决算", asked),
    )
    for asked, title in (
        (
            r"研究处理(?:情况)?的?报告|审议意见的?(?:办理|整改|落实|处理)(?:情况)?的?(?:报告|汇报)",
            r"(?:研究处理|办理|整改|落实|处理)(?:情况|结果)?的?(?:报告|汇报|函)",
        ),
        (r"审议意见", r"审议意见"),
        (r"(?:执法)?检查组?的?报告", r"检查.{2,60}情况的?报告|执法检查报告"),
        (r"(?:再次|重新|第?二次)(?:办理)?的?答复", r"(?:再次|重新|二次)(?:办理)?的?答复(?:函|意见)?"),
        (r"(?:征询|征求|反馈)意见表|意见表", r"(?:征询|征求|反馈).{0,4}意见.{0,3}表?"),
        (r"(?:草案的?)说明|(?<![\u4e00-\u9fff])说明", r"说明"),
        (r"述职报告", r"述职(?:的)?报告"),
        (r"评议意见|述职评议", r"评议意见|评议.{0,6}(?:结果|报告|情况)"),
        (r"专题询问", r"专题询问.{0,12}|询问(?:会|实录|纪要|情况).{0,12}"),
        (r"审计(?:工作)?的?报告", r"审计(?:工作)?的?报告|审计结果.{0,4}"),
        (r"决算的?报告", r"决算.{0,16}(?:报告|说明)?"),
        (r"政府工作报告", r"政府工作报告"),
        (r"(?:常委会|常务委员会)工作报告", r"(?:常委会|常务委员会)工作的?报告"),
        (r"会议纪要|纪要", r"纪要"),
    )
)  # fmt: skip


#: A vote or hearing on a subject: whatever tells of it must tell of that subject.
_PROCEEDING: Final = re.compile(r"(?:满意度)?测评|述职评议")
#: Says nothing of the subject.
_GENERIC: Final = re.compile(
    r"审议意见|研究处理|办理|整改落实|情况|工作|报告|(?:市|省|县|区)?(?:人大)?常委会|人代会|人大|大会|政府|委员|代表|[0-9一二三四五六七八九十〇]+(?:年|月|日|届|次|号)?|那次|当时|市里"
)
#: Titles that end so are of some kind of paper; a file name taken for a title need not be.
_SOME_KIND: Final = re.compile(
    rf"(?:报告|意见|答复|复函|函|条例|办法|规定|规则|细则|决议|决定|公告|通知|议案|建议|说明|纪要|实录|名单|方案|议程|日程|批复|请示|汇报|表|简报|讲话){_BRACKETS}"
)


_ASKS_REPLY: Final = re.compile(
    r"(?:怎么|如何|咋|怎样)(?:给)?(?:答复|回复|回应|办理|答的|办的|回的|说的|解决)"
    r"|答复(?:了|的)?(?:是)?(?:什么|哪些|啥|内容)|办理(?:结果|情况|得)"
)
_FORM: Final = re.compile(r"意见表|征询|测评表|登记表")
_REPLY: Final = re.compile(r"答复|复函|办理(?:情况|结果)|研究处理")


@lru_cache(maxsize=4096)
def asks_reply(form: str) -> bool:
    """Whether a question asks how something was answered or dealt with.

    Args:
        form: Search form of the question.
    """
    return bool(_ASKS_REPLY.search(form))


@lru_cache(maxsize=65536)
def is_reply(title: str) -> bool:
    """Whether a title is that of a reply or of a report on what was done.

    Args:
        title: Search form.
    """
    return bool(_REPLY.search(title)) and not _FORM.search(title)


_TITLE: Final = re.compile(
    r"《([^《》]{2,60}(?:条例|办法|规定|规则|细则|法|决议|决定|公告|通知|议案|建议|报告|意见|答复|说明|纪要|方案))》"
)


@lru_cache(maxsize=4096)
def named_titles(form: str) -> tuple[str, ...]:
    """Titles of papers a question gives in 《》, without the marks.

    Args:
        form: Search form of the question.
    """
    return tuple(_TITLE.findall(form))


def has_title(title: str, text: str) -> bool:
    """Whether a text names a title, but for a slip or two: three of four of its pairs stand there.

    Args:
        title: As `named_titles` gives it.
        text: Search form.
    """
    pairs = {title[i : i + 2] for i in range(len(title) - 1)}
    return title in text or sum(pair in text for pair in pairs) >= 0.75 * len(pairs)


#: 停车场条例, 城区道路管理条例: a rule called by its subject, without 《》. 规定 is left out: it is a verb as well.
_RULE: Final = re.compile(r"([\u4e00-\u9fff]{2,16})(条例|办法|规则|细则)(?!草案|修正)")
#: Where the subject begins: behind a word of the sentence, or behind a place.
_BEFORE_RULE: Final = re.compile(
    r".*(?:[样些种桩类件]事|[的按照依据在从查找把被有没里部那这哪个几两前后本我咱各该是和跟与给写进出定立新老旧]|自己(?:[出定立搞]的)?|符合|违反|触犯|国家|全国|省里|市里|[省市县州盟旗]|(?<![城地社小景园库林牧矿山灾校])区|地方性)"
)
#: Says nothing of the subject.
_ANY_RULE: Final = re.compile(r"管理|保护|促进|实施|制定|工作|暂行|试行|法规")
#: 两版法律写的处理办法: ways of doing, no rule.
_WAY: Final = re.compile(r"(?:处理|处置|解决|补救|应对|计算)$")

#: 除了审计条例, 还通过了什么: of anything but that.
_LEFT_OUT: Final = re.compile(r"(?:除了?|除开|撇开|不算|抛开)[^，,。？?]{0,16}$")


@lru_cache(maxsize=4096)
def named_rule(form: str) -> tuple[str, str] | None:
    """The rule a question calls by its subject: (subject, kind), e.g. (停车场, 条例); None for none.

    Args:
        form: Search form of the question, places included.
    """
    match = _RULE.search(form)
    if match is None or _LEFT_OUT.search(form[: match.start(2)]):
        return None
    subject = _BEFORE_RULE.sub("", match[1])
    named = _ANY_RULE.sub("", _WAY.sub("", subject))
    return (subject, match[2]) if len(named) >= 2 else None


def is_rule(rule: tuple[str, str], title: str, text: str) -> bool:
    """Whether a record is the rule named, or speaks of it by that name.

    People shorten (电动车条例 for 电动自行车管理条例, 控烟条例 for 控制吸烟条例): half of the subject's
    characters must stand in the title in their order.

    Args:
        rule: As `named_rule` gives it.
        title: Search form of the record's title.
        text: Search form of its catalogue row and the passages found.
    """
    subject, kind = rule
    if subject + kind in text:
        return True
    if re.search("常委会|常务委员会", subject) and not re.search("常委会|常务委员会", title):
        return False
    core = _ANY_RULE.sub("", subject)
    # 代表视察办法: every second rule of a congress is about its deputies.
    core = re.sub("人大|代表", "", core) or core
    # 供热条例 is not 供水条例: of a short subject one character tells nothing.
    return _in_order(core, title) >= max(min(2, len(core)), (len(core) + 1) // 2)


def _in_order(word: str, text: str) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(text) + 1)
    for character in word:
        before = 0
        for place, other in enumerate(text, start=1):
            above = row[place]
            row[place] = before + 1 if character == other else max(above, row[place - 1])
            before = above
    return row[-1]


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A paper a question names as the place where something is said.

    Attributes:
        title: How titles of such papers end; None for a proceeding, which many kinds of paper tell of.
        subject: Terms of the subject named before it (供热 in 供热的审议意见); empty where none is
            named or titles of the kind do not bear their subject.
    """

    title: re.Pattern[str] | None
    subject: frozenset[str]


@lru_cache(maxsize=4096)
def named_source(form: str) -> NamedSource | None:
    """The paper a question names as its source, None when it names none.

    Only a paper said to say something counts: 审议意见办得怎么样 names one and asks about another.

    Args:
        form: Search form of the question.
    """
    for asked, title, bears_subject in _KINDS:
        match = asked.search(form)
        if match:
            return NamedSource(title, _subject(form, match) if bears_subject else frozenset())
    match = _PROCEEDING.search(form)
    return NamedSource(None, _subject(form, match)) if match else None


def _subject(form: str, named: re.Match[str]) -> frozenset[str]:
    """Terms of what stands before a name in its clause, without dates and generic words."""
    clause = re.split(r"[，。,？?；;:]", form[: named.start()])[-1]
    runs = content_runs(_GENERIC.sub(" ", clause))
    terms = (t for run in runs for part in run.split() for t in lexical_tokens(part))
    return frozenset(t for t in terms if len(t) > 1)


@lru_cache(maxsize=65536)
def kind_fits(title: str, kind: re.Pattern[str] | None) -> bool:
    """Whether a title is that of a paper of the kind, or of no kind that can be told.

    Args:
        title: Search form of the record's title.
        kind: `NamedSource.title`.
    """
    return kind is None or bool(kind.search(title)) or not _SOME_KIND.search(title)
