"""A follow-up made self-contained from the turns before it, by rule and visibly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.catalogue_view import CatalogueView
from assistant.domain import Answer, Conversation, Refusal, RefusalReason
from assistant.gazetteer import Gazetteer
from assistant.question import content_runs
from index.codes import chinese_to_int
from index.text import search_form

#: What a question starts with when it leans on the one before.
_LEANING_START: Final = re.compile(
    r"^(?:那(?!个?(?:省|市|县|区)人大)|这(?!几年|些年)|它|他|她|其(?!他地)|该|此|人家|上面|上述|前面|刚才|还有|再(?!生)|又|换成|改成|同样|另外|后来|最后|之后|然后"
    r"|具体|如果是|要是|县区|协办|主办|里面|里头|里边|文中|比(?:上|去|前)(?:一)?年|同比|除了这|第[一二三四五六七八九十0-9]+(?:个|条|件|号)(?:呢|的))"
)
#: These lean too, unless much follows: 当年是哪位委员提的…… names its matter itself.
_LEANING_TIME: Final = re.compile(r"^(?:当年|当时|当初)")
_PRONOUN: Final = re.compile(
    r"它|他们|她们|他(?!省|市|地)|她|其中|该件|该文|此件|上一条|上一件|上次|人家"
    # 青沙河的那个议案 points to its own matter; at the beginning 那个 points back.
    r"|(?:^|[，,。 ])[这那](?:件|份|部|个|次|回|位)"
)
_POINTING: Final = re.compile(r"[这那](?:件|份|部|个|次|回|位)")
_ENDING: Final = re.compile(r"呢[？?。!！]*$")
_SAME: Final = re.compile(r"^.{2,8}(?:也|同样)(?:是|要|得|有|能|可以|这|那)")
_BARE: Final = re.compile(
    r"^(?:那么?(?!次|位|个|年|件|份|部)|再(?!次|生)|又|还有|换成|改成|要是|如果是|嗯|哦|好)[，,、 ]*"
)
_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?=年|[^0-9]|$)")
_ONLY_CHANGE: Final = re.compile(
    r"^(?:那么?|换成|改成|换|要是|如果是|再看|还有)?[，, ]*(.{1,18}?)(?:的|年|那(?:边|里|年|次|份|件|个))*(?:呢|怎么样|怎样|如何|又如何)?[？?。!！]*$"
)
_CHANGE_WORDS: Final = re.compile(
    r"^(?:那么?|换成|改成|换|要是|如果是|再看|还有)|(?:的|那(?:边|里|年|次|份|件|个))*(?:呢|怎么样|怎样|如何|又如何)?[？?。!！]*$"
)
_QUESTION_WORD: Final = re.compile(r"谁|哪|什么|啥|多少|几|怎么|如何|为什么|为啥|吗|没有|是否")
#: 是谁提的, 是哪次会议通过的: what was asked about the subject, to be left behind.
_ASKED: Final = re.compile(
    r"(?:到底|究竟|都|一共|总共)?(?:是(?:在)?|由|说了|讲了|写了|查出(?:了)?|收到(?:了)?)(?:谁|哪|什么|啥|怎么|如何|多少|几|为什么).*$"
)
_N: Final = r"[一二三四五六七八九十百两0-9]{1,4}"
_TERM: Final = re.compile(rf"第?({_N})届")
_SITTING: Final = re.compile(rf"第?({_N})次(?=会议|主任会议|全体会议|常委会)")
_NUMBER: Final = re.compile(r"(?<!月)第?([0-9]{1,5})号(?!楼|线|院)")
_RETENTION: Final = re.compile(r"永久|长期|短期|定期(?:10|30)年|(?:10|30)年(?=的|期|保管)|D10|D30")
_OPENING: Final = re.compile(r"未审核|延期开放|控制|未开放|开放")

#: Catalogue fields people ask to hear again, with the words they use.
_FIELDS: Final = (
    ("文号", r"发文字号|文号|字号"),
    ("档号", r"档号"),
    ("题名", r"题名|全称|标题|全名"),
    ("责任者", r"责任者|发文(?:机关|单位)|谁发的"),
    ("日期", r"成文日期|日期"),
    ("文种", r"文种"),
    ("届次", r"届次"),
    ("保管期限", r"保管期限"),
    ("开放标识", r"开放标识|开放状态|开放了(?:吗|没有)"),
    ("机构（问题）", r"哪个机构|机构"),
    ("页数", r"页数|(?:一共|总共|共|有)*(?:几|多少)页|缺不缺页|缺页(?:吗|没有)?"),
    ("备注", r"备注"),
)  # fmt: skip
_FIELD_TALK: Final = re.compile(
    rf"上一?(?:条|件|份|个)|刚才|前面|这(?:一)?(?:条|件|份|个|部|卷)|那(?:一)?(?:条|件|份|个|部|卷)|该件|它们?|第{_N}(?:条|件|份|个)|文件|档案|记录"
    r"|再说一遍|再说一下|说一遍|说一下|再报一遍|报一下|告诉我|给我|请|是多少|是什么|是啥|是谁|是哪(?:天|年|个)|多少|什么|啥|是|的|和|跟|与|及|、|也|都|呢|吗|一下|再|，|,|[？?。！! ]"
)
#: 第二个, 看看②; the search form of ② is 2.
_NTH: Final = re.compile(
    rf"第({_N})(?:条|个|件|份|项|篇)?|(?<=[看开出])([0-9]{{1,2}})(?![0-9年月])"
)
_OPEN: Final = re.compile(r"打开|点开|调出来|调出|调阅|看一下|看看|看一眼|瞧瞧|拿来|翻开")
_OPEN_TALK: Final = re.compile(
    rf"{_NTH.pattern}|{_OPEN.pattern}|把|给我|帮我|请|我想|我要|一下|那|这|上一?(?:条|件|份|个)|刚才|前面|它|的|原文|原件|影像|条|个|件|份|[，,。？?！! ]"
)
_MORE: Final = re.compile(
    r"^(?:那)?(?:还|再)?(?:有没有|有|找找|来)?(?:别的|其他的?|其它的?|更多的?|下一页|下一批|几条)(?:了)?(?:吗|没有|没|呢|看看)?[？?。！!]*$"
    r"|^(?:那)?还有(?:吗|没有|没|呢|哪些|什么|啥)?[？?。！!]*$|^(?:更多|下一页|其他的呢|其余的呢)[？?。]*$"
)
_EXPAND: Final = re.compile(
    r"^(?:请)?(?:再)?(?:展开|详细|具体|完整|多)(?:地)?(?:说|讲|引|介绍)?(?:说|讲)?(?:一下|一些|一点|点|些|几句|看看)?[。！!？?]*$"
    r"|^(?:说|讲)(?:得)?(?:详细|具体|完整)(?:一点|一些|点|些)?[。！!？?]*$|^(?:接着|继续)(?:说|往下(?:说|看|引)?|讲)?[。！!？?]*$|^(?:上下文|前后文)(?:呢|看看)?[。？?]*$"
)


class Act(StrEnum):
    """A request about the answer before, not about the holdings."""

    FIELD = "再说目录项"
    OPEN = "打开"
    MORE = "还有别的"
    EXPAND = "展开"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """How a question leans on the turns before.

    Attributes:
        standalone: The question made self-contained; as typed when it stands by itself.
        act: What is asked about the answer before, None for an ordinary question.
        number: Which item of that answer, from 1; 0 when none is named.
        fields: Headings of the catalogue fields asked for.
        rest: A second question beside the fields (…，后来改过没有), or empty.
    """

    standalone: str
    act: Act | None = None
    number: int = 0
    fields: tuple[str, ...] = ()
    rest: str = ""


def read_follow_up(
    question: str, turns: Conversation, gazetteer: Gazetteer, view: CatalogueView
) -> FollowUp:
    """Read a question in the light of the turns before it.

    Args:
        question: As typed.
        turns: Earlier turns, oldest first.
        gazetteer: Places of the holdings.
        view: The catalogue as the reader may see it; gives the departments and types that can
            take each other's place.
    """
    question = question.strip()
    answer = last_answer(turns)
    if answer is not None:
        act = _act(search_form(question).text)
        if act is not None:
            return act if act.standalone else _about(act, question, answer)
    return FollowUp(standalone_question(question, turns, gazetteer, view))


def last_answer(turns: Conversation) -> Answer | None:
    """The newest turn that was answered, None when there is none."""
    return next((t.result for t in reversed(turns) if isinstance(t.result, Answer)), None)


def _act(form: str) -> FollowUp | None:
    """The act a question is, with an empty `standalone` to be filled in."""
    if _MORE.match(form):
        return FollowUp("", Act.MORE)
    if _EXPAND.match(form):
        return FollowUp("", Act.EXPAND)
    if _OPEN.search(form) and not _OPEN_TALK.sub("", form):
        number = _nth(form)
        if number or re.search(r"上一?(?:条|件|份|个)|刚才|这|那|它", form):
            return FollowUp("", Act.OPEN, number or 1)
    head, rest = (*re.split(r"[，,]", form, maxsplit=1), "")[:2]
    for clause, other in ((form, ""), (head, rest)) if rest else ((form, ""),):
        fields = tuple(name for name, words in _FIELDS if re.search(words, clause))
        left = clause
        for _, words in _FIELDS:
            left = re.sub(words, "", left)
        if fields and not _FIELD_TALK.sub("", left):
            return FollowUp("", Act.FIELD, _nth(clause) or 1, fields, other)
    return None


def _nth(form: str) -> int:
    match = _NTH.search(form)
    if match is None:
        return 0
    word = match.group(1) or match.group(2)
    return int(word) if word.isdigit() else chinese_to_int(word) or 0


def _about(act: FollowUp, question: str, answer: Answer) -> FollowUp:
    """The act with what it is about spelled out."""
    if act.act in (Act.MORE, Act.EXPAND):
        standalone = answer.standalone
    else:
        titles = [c.record.title for c in answer.citations]
        titles += [item.record.title for item in answer.listings]
        at = act.number - 1
        standalone = f"《{titles[at]}》：{question}" if 0 <= at < len(titles) else question
        if act.rest and 0 <= at < len(titles):
            return FollowUp(
                standalone, act.act, act.number, act.fields, f"{_topic_title(titles[at])}{act.rest}"
            )
    return FollowUp(standalone, act.act, act.number, act.fields, act.rest)


def _topic_title(title: str) -> str:
    """A title as the subject of a question: the law inside 《》 when it names one."""
    named = re.findall(r"《([^《》]{4,40})》", title)
    return named[-1] if named else re.sub(r"[（(][^（()）]*[)）]$", "", title)


def needs_context(question: str, gazetteer: Gazetteer) -> bool:
    """Whether a question cannot be understood without the one before it."""
    form = search_form(question).text
    runs = content_runs(form)
    content = sum(map(len, runs))
    places, _ = gazetteer.places_in(form)
    if _LEANING_START.search(form) or _SAME.search(form):
        # 那一年…… long and with a place, a year or a title of its own is a question of its own.
        return not (content > 16 and (places or "《" in question))
    if _LEANING_TIME.search(form) and content <= 12:
        return True
    if _ENDING.search(form):
        # 1998年选的市长是谁呢: a question word and enough content stand by themselves.
        return not (content > 7 and (_QUESTION_WORD.search(form) or "《" in question))
    if _PRONOUN.search(form) and len(form) < 40 and content <= 14:
        return True
    if _POINTING.search(form) and content <= 6:
        return True
    # 罚多少？ 哪天通过的？: hardly a content word and no place, year or title to hold on to.
    return content <= 3 and not places and not _YEAR.search(form) and "《" not in question


def standalone_question(
    question: str, turns: Conversation, gazetteer: Gazetteer, view: CatalogueView | None = None
) -> str:
    """Make a question self-contained.

    What the new question names (a year, a place, a session, a number, a term) replaces what the
    earlier one named; the rest of the earlier question is kept. Without earlier turns, or when
    the question stands by itself, it comes back unchanged.

    Args:
        question: As typed.
        turns: Earlier turns, oldest first.
        gazetteer: Places of the holdings.
        view: Gives departments and types that may take each other's place; None for none.
    """
    question = question.strip()
    if not turns or not needs_context(question, gazetteer):
        return question
    before = _standalone_of(turns)
    form = search_form(question).text
    base, changed = _swap_slots(before, form, gazetteer)
    only = _ONLY_CHANGE.match(question)
    if only and not _QUESTION_WORD.search(_CHANGE_WORDS.sub("", form)):
        if changed:
            return base
        if view is not None and (swapped := _swap_words(before, only.group(1), view)):
            return swapped
    rest = _BARE.sub("", question)
    base = base.rstrip("？?。!！")
    topic = _ASKED.sub("", base)
    # 1998年提铁路道口看守房的: a clause without its noun still reads as the subject.
    if sum(map(len, content_runs(search_form(topic).text))) >= 4:
        base = topic.rstrip("，,的")
    return f"{base}，{rest}"


def _swap_slots(before: str, form: str, gazetteer: Gazetteer) -> tuple[str, bool]:
    """The earlier question with each kind of value the new one names put in the old one's place."""
    base, changed = before, False
    years = _YEAR.findall(form)
    if years and len(set(_YEAR.findall(base))) >= 1:
        base, changed = _YEAR.sub(years[0], base), True
    places, unknown = gazetteer.places_in(form)
    old_places, _ = gazetteer.places_in(search_form(base).text)
    if (places or unknown) and old_places:
        base = _swap_place(base, old_places, (places or unknown)[0], gazetteer)
        changed = True
    for slot in (_TERM, _SITTING, _NUMBER, _RETENTION, _OPENING):
        new, old = slot.search(form), slot.search(base)
        if new and old:
            base, changed = base[: old.start()] + new.group() + base[old.end() :], True
    return base, changed


def _swap_words(before: str, new: str, view: CatalogueView) -> str:
    """The earlier question with another department or type; empty when `new` is neither."""
    new = re.sub(r"^(?:那么?|换成|改成|换|要是)", "", new).strip("的，, ")
    for values in (view.departments, view.types):
        words = sorted(values | {v[at:] for v in values for at in range(len(v) - 1)}, key=len)
        if new not in words:
            continue
        for old in reversed(words):
            if len(old) >= 2 and old in before and old != new:
                return before.replace(old, new, 1)
    return ""


def searched_turns(turns: Conversation) -> Conversation:
    """The turns that were searched: a request turned away unsearched is no subject to go on with.

    Otherwise its wording, carried into the next question, would have that turned away too.
    """
    searched = (RefusalReason.NOT_FOUND, RefusalReason.EMPTY)
    return [
        turn
        for turn in turns
        if not isinstance(turn.result, Refusal) or turn.result.reason in searched
    ]


def _standalone_of(turns: Conversation) -> str:
    return turns[-1].result.standalone or turns[-1].question


def _swap_place(text: str, old: tuple[str, ...], new: str, gazetteer: Gazetteer) -> str:
    for place in old:
        for name in (place, gazetteer.short(place)):
            if name in text:
                return text.replace(name, new if name == place else gazetteer.short(new))
    return text


def previous_records(turns: Conversation) -> tuple[str, ...]:
    """Ids of the records the last answer cited, best first; empty after a refusal."""
    if not turns or isinstance(turns[-1].result, Refusal):
        return ()
    answer = turns[-1].result
    ids = [c.record.record_id for c in answer.citations] + [
        item.record.record_id for item in answer.listings
    ]
    return tuple(dict.fromkeys(ids))
