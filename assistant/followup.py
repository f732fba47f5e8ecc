"""A follow-up made self-contained from the turns before it, by rule and visibly."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.catalogue_view import CatalogueView
from assistant.domain import Answer, Conversation, Refusal, RefusalReason, Turn
from assistant.gazetteer import Gazetteer
from assistant.names import SURNAME
from assistant.periods import full_year
from assistant.question import TYPE_WORDS, Question, content_runs
from assistant.sources import named_rule, named_titles
from assistant.subjects import Subjects, brings_a_subject
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
    r"|[这那]一?(?:块|方面|项|摊)(?:上|里)?(?=又|还|再|呢|是|有|一共|总共|花|投|[，,])"
)
_POINTING: Final = re.compile(r"[这那](?:件|份|部|个|次|回|位)")
_ENDING: Final = re.compile(r"呢[？?。!！]*$")
#: 光提议案呢，几个人就成？
_FIRST_OTHER: Final = re.compile(r"^[^，,。？?]{1,9}呢[，,]")
#: 苏州呢，是多少？ asks no more than 苏州呢？
_ASKED_AGAIN: Final = re.compile(
    r"呢[,，]\s*(?:又|都|各)?(?:是|有|为)?(?:多少|几|谁|什么|怎么样|怎样)[？?。!！]*$"
)
#: The year before or after the one spoken of.
_NEXT_YEAR: Final = re.compile(
    r"(?P<lead>那么?[，, ]?)?(?:(?:头|前|上)一?年|(?P<later>(?:后|下|转)一?年|第二年))(?!度|来|级|前|报)"
)
_SAME: Final = re.compile(r"^.{2,8}(?:也|同样)(?:是|要|得|有|能|可以|这|那)")
_BARE: Final = re.compile(
    r"^(?:那么?(?!次|位|个|年|件|份|部)|再(?!次|生)|又|还有|换成|改成|要是|如果是|嗯|哦|好)[，,、 ]*"
)
#: A year as people shorten it, first in a question that changes the year of the one before: no
#: length of time (10年工龄, 20年产权) and no 一二年级.
_TWO_FIGURES: Final = re.compile(
    r"(?P<lead>(?:那么?|到了?|换成?|要是|如果是)?[，, ]*)(?P<year>[0-9]{2}|[〇零六七八九][〇零一二三四五六七八九]|二[〇零一二三四五六])年"
    r"(?=呢|的呢|也|又|[，,？?]|全[国省市县]|收|支|批|通过|那)"
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
_SESSION: Final = re.compile(rf"第?{_N}届(?:[^，。？的呢]{{0,8}}?第?{_N}次(?:会议)?)?")
_YEAR_WORD: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}年?")
_RETENTION: Final = re.compile(r"永久|长期|短期|定期(?:10|30)年|(?:10|30)年(?=的|期|保管)|D10|D30")
_OPENING: Final = re.compile(r"未审核|延期开放|控制|未开放|开放")

#: What is asked of a subject and is none itself: 罚款多少, 主办单位呢, 表决结果呢.
_ASPECT: Final = re.compile(
    r"主办|承办|协办|会办|牵头|负责|主管|单位|部门|机关|处罚|罚款|罚|金额|资金|经费|补贴|补助|多少钱|费用|时间|日期|地点|人数|票数|比例|占比|面积|数量|总数"
    r"|结果|结论|理由|原因|依据|标准|期限|范围|内容|措施|进展|情况|主持|提出|提案|提|答复|办理|办结|处理|落实|整改|通过|批准|施行|实施|公布|生效|表决|审议"
    r"|赞成|反对|弃权|满意度?|测评|领衔|附议|出席|列席|全称|题目|名称|文号|修改|废止|同比|增长|目标|完成|意见|建议|议案|代表|委员|问题|会议定?|最后|后来"
    r"|查出|发现|存在|组成人员|组成|成员|负责人|办到|哪?一步|步骤|要求|反映"
)
#: Content characters of a question that asks for aspects alone (组成人员有谁, 查出哪些问题).
_ASPECTS_ONLY: Final = 6
#: Content characters, aspects left out, from which a further question names a matter of its own.
_OWN_MATTER: Final = 4
#: The same beside a year, the year's own characters counted.
_WITH_A_YEAR: Final = 8
#: Counts of the holdings are questions of their own.
_COUNTS: Final = re.compile(r"[几多少哪些](?:件|份|部|卷)|库里|目录")
#: A person's name by itself: nobody the records know is no reason to go on with the old subject.
_NAME_ONLY: Final = re.compile(
    rf"^{SURNAME}"
    r"[\u4e00-\u9fff]{1,2}(?=(?:这个人|此人|同志|代表)?(?:是谁|是哪位|是什么人|是干什么的|谁呀|何许人|担任过?|当过))"
)
_NAME: Final = re.compile(rf"{SURNAME}[\u4e00-\u9fff]{{1,2}}")
#: From here on a question says what it asks: 罚多少, 是谁提的, 补给谁.
_ASKED_FROM: Final = re.compile(
    r"(?:[，,]|一共|总共|到底|究竟|是不是|是(?:在|由)?|由|说了|要求|规定|能|可以|会|要|得)*"
    r"(?:罚款?|处罚|补助?|补贴|收费?|退|赔|花|建|办|管|归|答复|回复|提|定|算|达|通过|批准|施行|需|投)*(?:了)?"
    r"(?:多少|几|谁|哪|什么|啥|怎么|怎样|咋|如何|为什么|有没有|能不能|是否|行不行|可不可以|[^，。]{0,6}(?:吗|没有|没)(?=[？?。]*$))"
)
_NUMBERED: Final = re.compile(
    rf"(?:[\u4e00-\u9fff]{{0,3}}第?{_N}届[^，。？]{{0,12}}?)?第?[0-9]{{1,5}}号(?:代表)?(建议|议案|提案)"
)

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
        records: Ids of the records of the answer it leans on, best first; empty when it stands by
            itself or leans on a question that was not answered.
        perhaps: How it reads if it goes on, where the wording does not tell (拍卖的话，头一笔钱最少交几成);
            None when that is told or when there was no answer to go on with.
    """

    standalone: str
    act: Act | None = None
    number: int = 0
    fields: tuple[str, ...] = ()
    rest: str = ""
    records: tuple[str, ...] = ()
    perhaps: FollowUp | None = None


def read_follow_up(
    question: str,
    turns: Conversation,
    gazetteer: Gazetteer,
    view: CatalogueView,
    subjects: Subjects | None = None,
) -> FollowUp:
    """Read a question in the light of the turns before it.

    Args:
        question: As typed.
        turns: Earlier turns, oldest first.
        gazetteer: Places of the holdings.
        view: The catalogue as the reader may see it; gives the departments and types that can
            take each other's place.
        subjects: What the records the reader may see speak of; None to go by the wording alone.
    """
    question = question.strip()
    answer = last_answer(turns)
    if answer is not None:
        act = _act(search_form(question).text)
        if act is not None:
            return act if act.standalone else _about(act, question, answer)
    # Sent twice, it means what it meant before: its own first asking is no subject to go on with.
    while turns and _is_again(question, turns[-1]):
        turns = turns[:-1]
    if not turns:
        return FollowUp(question)
    before = _leaned_on(question, turns, gazetteer)
    typed = _ASKED_AGAIN.sub("呢？", question)
    if _YEAR.search(_standalone_of(before)):
        typed = _full_years(typed)
    question = _with_year(typed, _standalone_of(before))
    ids = records_of(before)
    earlier = search_form(" ".join(_words_of(turn) for turn in turns)).text

    def new(runs: Sequence[str]) -> bool:
        return subjects is not None and brings_a_subject(runs, subjects, earlier, ids)

    if _NAME_ONLY.match(search_form(question).text):
        return FollowUp(question)
    joined = FollowUp(_joined(question, before, gazetteer, view, subjects), records=ids)
    # 下一年打算收多少: the year after the one asked about.
    if question != typed or _needs_context(question, gazetteer, new):
        return joined
    return FollowUp(question, perhaps=joined if ids else None)


def names_its_own(question: Question) -> bool:
    """Whether a question names a place, a time, a paper or a person: then it stands by itself.

    A year alone beside hardly a word (25年收上来多少) does not make it do so.
    """
    named = (
        question.places, question.unknown_places, question.dates, question.phrases,
        question.sessions, question.people, named_rule(question.form), named_titles(question.form),
    )  # fmt: skip
    said = sum(len(_ASPECT.sub("", run)) for run in question.content)
    return any(named) or bool(question.years_asked and said > _WITH_A_YEAR)


def _full_years(question: str) -> str:
    """九六年全国呢 with its year in four figures, so that it takes the place of the earlier one."""
    match = _TWO_FIGURES.match(question)
    if match is None:
        return question
    year = full_year(str(chinese_to_int(match["year"])))
    return f"{match['lead']}{year}年{question[match.end() :]}"


def _with_year(question: str, before: str) -> str:
    """`头一年呢` after a question for 2025 is `2024年呢`; unchanged where no one year stands before."""
    years = set(_YEAR.findall(before))
    match = _NEXT_YEAR.match(question)
    if match is None or len(years) != 1:
        return question
    year = int(years.pop()) + (1 if match["later"] else -1)
    return f"{match['lead'] or ''}{year}年{question[match.end() :]}"


def _is_again(question: str, turn: Turn) -> bool:
    """Whether a question is that of a turn, sent once more."""
    first, second = (search_form(q).text.strip("？?。!！ ") for q in (question, turn.question))
    return first == second


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
    """Whether a question cannot be understood without the one before it, by its wording alone."""
    return _needs_context(question, gazetteer, lambda _: False)


def _needs_context(
    question: str, gazetteer: Gazetteer, new: Callable[[Sequence[str]], bool]
) -> bool:
    """As `needs_context`; `new` says whether words of a short question are a new subject."""
    form = search_form(question).text
    runs = content_runs(form)
    content = sum(map(len, runs))
    places, _ = gazetteer.places_in(form)
    if _LEANING_START.search(form) or _SAME.search(form):
        # 那一年…… long and with a place, a year or a title of its own is a question of its own.
        return not (content > 16 and (places or "《" in question))
    if _FIRST_OTHER.search(form) and content <= 14 and not places:
        return True
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
    own = [part for run in runs for part in _ASPECT.sub(" ", run).split()]
    if content > 3 and (own or content > _ASPECTS_ONLY or _COUNTS.search(form)):
        return False
    if places or _YEAR.search(form) or "《" in question or _NUMBERED.search(form):
        return False
    return not (own and new(own))


def standalone_question(
    question: str,
    turns: Conversation,
    gazetteer: Gazetteer,
    view: CatalogueView | None = None,
    subjects: Subjects | None = None,
) -> str:
    """Make a question self-contained.

    What the new question names (a year, a place, a session, a number, a term, another topic)
    replaces what the earlier one named; the rest of the earlier question is kept. Without earlier
    turns, or when the question stands by itself, it comes back unchanged.

    Args:
        question: As typed.
        turns: Earlier turns, oldest first.
        gazetteer: Places of the holdings.
        view: Gives departments and types that may take each other's place; None for none.
        subjects: What the permitted records speak of; None to leave topics alone.
    """
    return read_follow_up(
        question, turns, gazetteer, view if view is not None else CatalogueView(()), subjects
    ).standalone


def _joined(
    question: str,
    turn: Turn,
    gazetteer: Gazetteer,
    view: CatalogueView,
    subjects: Subjects | None,
) -> str:
    """A question that leans on a turn, made self-contained."""
    before = _standalone_of(turn)
    form = search_form(question).text
    base, changed = _swap_slots(before, form, gazetteer)
    only = _ONLY_CHANGE.match(question)
    if only and not _QUESTION_WORD.search(_CHANGE_WORDS.sub("", form)):
        if changed:
            return base
        if swapped := _swap_words(before, only.group(1), view):
            return swapped
        if subjects is not None and (
            swapped := _swap_topic(before, only.group(1), turn, subjects, gazetteer)
        ):
            return swapped
    rest = _BARE.sub("", question)
    base = base.rstrip("？?。!！")
    own = [part for run in content_runs(form) for part in _ASPECT.sub(" ", run).split()]
    if sum(map(len, own)) >= _OWN_MATTER:
        base = _opening_of(base, turn)
    # 临沂也是这么退吗 asks the same of another, 其中 goes on with the total: what was asked stays.
    whole = _SAME.search(form) or "其中" in form
    return f"{base if whole else _subject(base)}，{rest}"


def _opening_of(base: str, turn: Turn) -> str:
    """The first question of a chain, without what a further turn (支出呢) was joined to it."""
    last = _BARE.sub("", turn.question).strip().rstrip("？?。!！")
    opening = base.removesuffix(last).rstrip("，, ")
    return opening if last and opening else base


def _subject(base: str) -> str:
    """An earlier question without what it asked: 青沙河采砂哪天起禁止，罚多少 → 青沙河采砂.

    Clauses that only asked for an aspect go; too little left is no subject, then all is kept.
    """
    kept: list[str] = []
    for number, clause in enumerate(re.split(r"[，,]", base)):
        left = _ASKED.sub("", clause)
        asked = _ASKED_FROM.search(left, 2)
        if asked:
            # 又多给了多少债务额度: what is counted belongs to the subject.
            tail = content_runs(search_form(left[asked.start() :]).text)
            counted = [part for run in tail for part in _ASPECT.sub(" ", run).split()]
            left = left[: asked.start()] + "".join(part for part in counted if len(part) > 1)
        left = left.rstrip("的，, ")
        runs = content_runs(search_form(left).text)
        # 1998年提铁路道口看守房的: a clause without its noun still reads as the subject.
        enough = sum(map(len, runs)) >= (4 if number == 0 else 2)
        if number == 0:
            kept.append(left if enough else clause)
        elif enough and any(_ASPECT.sub("", run) for run in runs):
            kept.append(left)
    return "，".join(kept)


def _leaned_on(question: str, turns: Conversation, gazetteer: Gazetteer) -> Turn:
    """The turn a follow-up goes on with.

    After a refusal that is the refused question when the new one changes a year, a place or a
    number of it; 它 and 这件 can only mean what was shown, so they go back to the last answer, and
    so does everything when the refused question was itself a further question about that answer.
    """
    last = turns[-1]
    if isinstance(last.result, Answer):
        return last
    answered = next((t for t in reversed(turns) if isinstance(t.result, Answer)), None)
    if answered is None:
        return last
    form = search_form(question).text
    if _PRONOUN.search(form) or _POINTING.search(form):
        return answered
    if _swap_slots(_standalone_of(last), form, gazetteer)[1]:
        return last
    leaned = _standalone_of(last).rstrip("？?。") != last.question.strip().rstrip("？?。")
    return answered if leaned else last


def _swap_topic(before: str, new: str, turn: Turn, subjects: Subjects, gazetteer: Gazetteer) -> str:
    """The earlier question about another topic; empty when `new` is a further aspect of it.

    What the last answer quotes, or its records alone speak of, is an aspect (生态补偿呢); what
    other records are about, or no record knows, is another topic (电梯呢 after 养犬罚多少).
    """
    new = re.sub(r"^(?:那么?|换成|改成|换|要是)", "", new).strip("的，, ")
    word = search_form(new).text
    if len(word) < 2 or word in search_form(before).text or not _ASPECT.sub("", word):
        return ""
    if _TYPE_ONLY.fullmatch(word) or _QUESTION_WORD.search(word) or _CLAUSE.search(word):
        return ""
    if _NAME.fullmatch(word) and subjects.holders(word):
        for name in _names_in(before):
            if subjects.holders(name):
                return before.replace(name, new, 1)
    if isinstance(turn.result, Answer):
        quoted = search_form("".join(c.quote for c in turn.result.citations)).text
        if word in quoted:
            return ""
    ids = records_of(turn)
    if subjects.in_records(word, ids) and not subjects.topical(word) - set(ids):
        return ""
    if match := _NUMBERED.search(before):
        return before[: match.start()] + f"{new}的{match.group(1)}" + before[match.end() :]
    span = _topic_span(before, subjects, gazetteer)
    if span is None:
        return ""
    start, end = span
    asked = _ASKED_FROM.search(before, end)
    between = before[end : asked.start()] if asked else ""
    # 养犬没牵绳罚多少: what narrows the old topic goes with it; 的建议 names what is looked at.
    keep = between if "的" in between or re.search(TYPE_WORDS, between) else ""
    return before[:start] + new + keep + before[asked.start() if asked else end :]


#: 都带进核心景区了 is what happens, no topic.
_CLAUSE: Final = re.compile(r"[了着过把被]$|了(?!解)|还没|^(?:都|已|没|再|就)")
_TYPE_ONLY: Final = re.compile(rf"(?:{TYPE_WORDS})+")


def _names_in(text: str) -> list[str]:
    """What may be a person's name in a question, three characters before two."""
    found = [text[m.start() : m.start() + n] for n in (3, 2) for m in re.finditer(SURNAME, text)]
    return [name for name in found if _NAME.fullmatch(name)]


def _topic_span(before: str, subjects: Subjects, gazetteer: Gazetteer) -> tuple[int, int] | None:
    """Where a question names its topic, without years, places, sessions and kinds of papers.

    The first words before what is asked that records are about, else the first content words.
    """
    asked = _ASKED_FROM.search(before, 2)
    head = before[: asked.start()] if asked else before
    places, unknown = gazetteer.places_in(head)
    names = [n for p in (*places, *unknown) for n in (p, gazetteer.short(p))]
    for pattern in (
        rf"(?:{_YEAR.pattern})年?|大?前年|去年|今年|[0-9]{{1,2}}月",
        rf"第?{_N}届[^，。？]{{0,10}}?(?:第?{_N}次)?(?:会议)?",
        "|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)",
        TYPE_WORDS,
        r"里头|里面|当中|方面|规定|发现|存在|说|讲|提",
    ):
        head = re.sub(pattern, lambda m: " " * len(m.group()), head)
    at = 0
    spans: list[tuple[int, int]] = []
    for run in content_runs(head):
        at = head.find(run, at)
        if at < 0:
            break
        if len(run) > 1 and _ASPECT.sub("", run):
            spans.append((at, at + len(run)))
        at += len(run)
    about = [s for s in spans if subjects.topical(search_form(before[slice(*s)]).text)]
    return about[0] if about else spans[0] if spans else None


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
    if not years and _TERM.search(form) and _YEAR.search(base) and not _TERM.search(base):
        # 十六届的呢 after 1998年谁当选检察长: one time takes the place of the other.
        when = _SESSION.search(form)
        return _YEAR_WORD.sub(when.group() if when else "", base, count=1), True
    if years and not _YEAR.search(base) and (when := _SESSION.search(base)):
        return base[: when.start()] + f"{years[0]}年" + base[when.end() :], True
    for slot in (_TERM, _SITTING, _NUMBER, _RETENTION, _OPENING):
        new, old = slot.search(form), slot.search(base)
        if new and old:
            base, changed = base[: old.start()] + new.group() + base[old.end() :], True
    return base, changed


def _swap_words(before: str, new: str, view: CatalogueView) -> str:
    """The earlier question with another department or type; empty when `new` is neither."""
    new = re.sub(r"^(?:那么?|换成|改成|换|要是)", "", new).strip("的，, ")
    if re.fullmatch(r"结果|进展|下文|最后|后来|情况", new):
        return ""
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


def _standalone_of(turn: Turn) -> str:
    return turn.result.standalone or turn.question


def _words_of(turn: Turn) -> str:
    return f"{turn.question} {turn.result.standalone}"


def _swap_place(text: str, old: tuple[str, ...], new: str, gazetteer: Gazetteer) -> str:
    for place in old:
        for name in (place, gazetteer.short(place)):
            if name in text:
                return text.replace(name, new if name == place else gazetteer.short(new))
    return text


def records_of(turn: Turn) -> tuple[str, ...]:
    """Ids of the records a turn's answer cited, best first; empty after a refusal."""
    if isinstance(turn.result, Refusal):
        return ()
    ids = [c.record.record_id for c in turn.result.citations]
    ids += [item.record.record_id for item in turn.result.listings]
    return tuple(dict.fromkeys(ids))
