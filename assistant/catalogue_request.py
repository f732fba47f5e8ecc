"""What a question wants of the catalogue: a count, a list, the earliest, a grouping or a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.catalogue_filters import PAPER_TYPES
from assistant.question import Intent, Question, asks_all
from index.codes import chinese_to_int


class Check(StrEnum):
    """A test of the rows that is no condition of theirs. Values name it to people."""

    MISSING_SCANS = "目录页数与已挂页数不符"
    UNLINKED = "目录有、原文没挂上"
    UNCATALOGUED = "有原文、没有目录条目"
    UNREADABLE = "有页面识别不出文字"
    SELF_MADE = "题名自拟（带方括号）"
    DUPLICATES = "题名重复"
    DUE = "保管期限已满"
    TRANSFER = "到了移交年限"


class Grouping(StrEnum):
    """What rows are grouped by. Values are the headings shown."""

    YEAR = "年份"
    MONTH = "月份"
    TYPE = "文种"
    AUTHOR = "责任者"
    DEPARTMENT = "机构"
    SESSION = "届次"
    RETENTION = "保管期限"
    OPENING = "开放标识"
    PROPOSER = "提出人"


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted.

    Attributes:
        rest: The question's search form with the words of the request blanked, same length.
        grouping: What to group by, None for no grouping.
        check: A test to apply, None for none.
        extreme: -1 for the earliest, 1 for the latest, 0 for all rows.
        take: How many rows of an extreme, 0 for those of the first date.
        listing: Whether the rows rather than their number are wanted.
        most: 1 when the largest group is asked for, -1 for the smallest, 0 for all.
        asked: Whether it is asked of the catalogue at all; otherwise only a question that names
            nothing but catalogue fields (2015年5月示人办发的通知) is one for it.
        plain: Whether the question plainly speaks of the holdings.
        counts_papers: Whether it asks how many papers there are, plainly of the holdings or not.
        told_pages: (pages of the catalogue, pages of the scan) a check names, or None.
    """

    rest: str
    grouping: Grouping | None = None
    check: Check | None = None
    extreme: int = 0
    take: int = 0
    listing: bool = False
    most: int = 0
    asked: bool = True
    plain: bool = False
    told_pages: tuple[int, int] | None = None
    counts_papers: bool = False


_CHECKS: Final = tuple(
    (check, re.compile(pattern))
    for check, pattern in (
    (Check.MISSING_SCANS, r"(?:目录上?)?写(?:着|的|了)?([0-9]{1,4})页[，,、]?(?:而)?(?:图|影像|扫描件?|图像)(?:却)?(?:只有|才|就|只)([0-9]{1,4})[张页](?:的)?"),
    (Check.MISSING_SCANS, r"(?:目录)?页数.{0,8}(?:对不上|不符|不一致|不一样)|(?:扫描件?|影像|图)?(?:缺了?页|少了?页|漏扫|漏页)|(?:图|影像|扫描件?)(?:比目录|不够|不全|少)[^，。？]{0,6}"),
    (Check.UNLINKED, r"(?:有没有|有无|是否有|有)?(?:只有|光有)?目录(?:上|里)?有?[，,、]?(?:但|而)?(?:是)?(?:原文|图|影像|扫描件)?(?:还)?(?:没|未|无)(?:有)?(?:挂上|挂接|挂|接上|原文|图|影像|扫描件?)(?:的)?"
                     r"|(?:原文|扫描件?|影像|图)(?:还)?(?:没|未)(?:有)?(?:挂上|挂接|挂|连上|接上)|(?:没|未|没有)挂(?:接|上)?(?:原文|扫描件|影像|图)?|没有(?:原文|扫描件|影像)|只有目录"),
    (Check.UNCATALOGUED, r"(?:有)?(?:原文|文件|图)?[，,]?(?:没|未|没有)(?:编目|著录|目录)(?:条目)?|不在目录(?:上|里)?|无目录"),
    (Check.UNREADABLE, r"(?:有)?(?:页面?|影像|扫描件)?(?:是)?(?:(?:识别|认)不(?:出来|出|了|清)(?:文字|字)?|无法识别|读不(?:出|了)|没识别出来)"),
    (Check.SELF_MADE, r"(?:题名)?(?:是)?自拟(?:的)?(?:题名)?[(（]?(?:题名)?(?:带|有)?(?:方括号)?(?:的)?[)）]?|(?:题名)?(?:带|有)方括号(?:的)?"),
    (Check.DUPLICATES, r"(?:同一个|相同的?|一样的)(?:题名|标题)(?:怎么|为什么)?(?:会)?(?:有(?:两|几|多|三)[条件个份])?|(?:题名|标题)(?:完全)?(?:重复|相同|一样)|题名重名|重名"),
    (Check.DUE, r"(?:保管期限?|期限)?(?:已经|已|都)?(?:到期|期满|满期|到了期|满了)(?:了)?[，,]?(?:还没|没有|未|没|可以|应该|应当|应|该|要)?(?:鉴定|销毁|处理)?|(?:应该|应当|应|该|待)鉴定"),
    (Check.TRANSFER, r"(?:到了|到)?(?:应该|应当|应|该|要|可以)(?:向|往)?(?:[省市县区]?(?:国家)?档案馆)?(?:移交|进馆)(?:给|到|进)?(?:[省市县区]?(?:国家)?档案馆)?|移交(?:给|到|进)?[省市县区]?(?:国家)?档案馆|到(?:移交|进馆)(?:年限|时间|期限)"),
    )
)  # fmt: skip
#: Grouping words that stand alone, and those that group only with 最多 or 最少 (哪年的建议最多).
_GROUPS: Final = tuple(
    (grouping, re.compile(every), re.compile(which))
    for grouping, every, which in (
        (Grouping.MONTH, r"按月(?:份|度)?|各(?:个)?月(?:份)?|每(?:个)?月|逐月|分月", r"(?:哪|几)个?月(?:份)?"),
        (Grouping.YEAR, r"(?:按|分)(?:年份|年度|年)|各(?:个)?年(?:度|份)?|每年|历年|逐年|年份分布", r"哪(?:一|几)?个?年(?:份|度)?"),
        (Grouping.SESSION, r"按届次|按届|按(?:哪)?次会议|各次会议|每次会议|各届|历届|每届", r"哪(?:一)?届|哪(?:一)?次会议?"),
        (Grouping.TYPE, r"按(?:类型|类别|文种|种类)|分(?:类型|文种|类)|各(?:种)?(?:类型|文种|类)|(?:有)?(?:哪些|什么|哪几种|几种)(?:类型|文种)", r"哪(?:一)?[类种](?:文件)?|[哪什][个么]文种"),
        (Grouping.DEPARTMENT, r"按(?:机构|部门|处室)|分(?:机构|部门|处室)|各(?:个)?(?:机构|部门|处室|委员会)|每个(?:机构|部门|处室)", r"哪个(?:机构|部门|处室|委员会)"),
        (Grouping.PROPOSER, r"按(?:提出人|代表)|各位代表|每位代表", r"哪位代表|哪个代表|哪些代表|谁(?=提)"),
        (Grouping.AUTHOR, r"按(?:责任者|发文机关|发文单位|承办单位|单位|机关)|各(?:个)?(?:责任者|发文机关|发文单位|承办单位|单位|机关)|每个(?:单位|机关)", r"哪个(?:责任者|发文机关|发文单位|承办单位|单位|机关|局)"),
        (Grouping.RETENTION, r"按(?:保管)?期限|各(?:种|个)?(?:保管)?期限|不同(?:保管)?期限|分(?:保管)?期限", r"哪(?:种|个)(?:保管)?期限"),
        (Grouping.OPENING, r"按开放(?:标识|状态|情况)|各(?:种)?开放(?:标识|状态)|开放情况", r"哪种开放(?:标识|状态)"),
    )
)  # fmt: skip
_MOST: Final = re.compile(
    r"(?:收|提|发|出|答|办|数量|件数)?(?:得|的)?(?:是)?最(多|少)(?:的)?(?:是)?"
)
_EXTREME: Final = re.compile(
    r"(?:日期|时间|年代|年份|形成)?最(?:(?P<first>早|老|旧)|(?P<last>晚|新|近))(?!几年|[0-9一二两三四五六七八九十]+年|一次)"
    r"(?:的)?(?:前)?(?P<n>[0-9]{1,3}|[一二两三四五六七八九十]{1,2})?(?:件|份|条|个|部|卷)?(?:是)?(?:哪(?:一)?(?:年|天|件|份|条|部)?(?:的)?)?"
)
_EACH: Final = re.compile(r"各(?:有|收|发|出)?(?:了)?(?:多少|几)[件份部卷篇条]")
_COUNTING: Final = re.compile(r"多少|几[件份条部卷篇]|几[个封本][？?。]*$")
_LISTING: Final = re.compile(
    r"清单|一览|列(?:个|一下|出|一列)|(?:通过|批准|批)了?的?(?:是)?(?:什么|啥|谁家的?|哪[个部件家]?的?)(?:地方性法规|法规|条例|规定|办法|法律)|哪些|哪几|哪[两二三四五六七八九十][部件个项]|有哪|都有(?:啥|什么)|排(?:一下|个|列)|调(?:一下|出|阅)"
)
#: Not 建议 and 议案: how many were put forward at a session is what reports say.
_PAPERS: Final = "|".join(
    (
        *sorted({*PAPER_TYPES} - {"建议", "议案"}, key=len, reverse=True),
        *("法律", "新闻", "文件", "材料", "档案", "记录", "资料"),
    )
)
_IN_ALL: Final = r"一共|总共|共|总计|合计|拢共|统共|通共|(?:全都?)?加(?:起来|一块儿?|一起)"
#: A question that is nothing but papers and how many: 示例法规有几部, 现在存了多少份决议. Not 条 of a
#: rule: 养犬条例有几条 asks for its articles.
_TERSE_COUNT: Final = re.compile(
    rf"(?:(?:{_PAPERS})(?:现在|目前|至今|到现在)?(?:{_IN_ALL})?(?:还)?(?:有吗?|收|存|收有|存有)?[着了]?[，,]?有?(?:多少|几)[件部份篇卷个](?:[?？,，](?:(?:省里?|批|下面|底下|各市)[^，。？]{{0,6}}(?:别算|不算|除外|也算(?:上|进去)?)|(?:别算|不算)(?:上)?(?:省|批|下面|底下|各市)[^，。？]{{0,6}}))?"
    rf"|(?:新闻|记录)(?:{_IN_ALL})?有?(?:多少|几)条"
    rf"|(?:收|存|咱有)[着了]?(?:多少|几)[件部份篇卷个封本]"
    rf"|(?:{_PAPERS})(?:{_IN_ALL})?(?:收|存)[着了]多少"
    rf"|(?<!没)[有收存]了?(?:多少|几)[件部份篇卷个](?:{_PAPERS}))[了呢啊呀来着吧]*[？?。！!]*$"
)
#: Units of papers; 几份材料 is what somebody has to hand in.
_PIECES: Final = r"[件部份篇卷封本](?!材料|副本|复印|照片|实事|大案)"
#: 有几份2025年的预算报告, 养犬的条例连省里的加一块有几部: one for the catalogue where nothing but
#: filters is left of it.
_COUNT_OF_PAPERS: Final = re.compile(
    rf"(?:多少|几)(?:{_PIECES}[^，,。？?]{{0,14}}|个)(?:{_PAPERS})(?![内里])"
    rf"|(?:{_PAPERS})(?![内里中])[^。？?条章款]{{0,14}}(?:多少|几)(?:{_PIECES}|个(?:件)?[？?。]*$)"
)
#: 青岛的法规数量, 标题含停车的记录数, 题名带停车的帮我数数.
_COUNT_ASKED: Final = re.compile(
    r"(?:数量|件数|份数|部数|记录数|总数)(?:是多少|有多少|多少)?[？?。]*$|数一?数|报个数|点一点"
    r"|(?:知道|告诉我|给我?)(?:一[下个])?(?:总|件|份|部)?个?数(?:目|量)?[？?。]*$"
)
#: Speaks of the holdings, not of what the papers say.
_PLAIN: Final = re.compile(
    # 哪几个市有养犬条例: which papers there are, not what they say.
    r"哪(?:几个?|些)(?:城|地级)?市(?:都|已经?)?(?:有|出台?|[定立制订]定?|颁布|搞)[过了]?(?:专门的?|单独的?|自己的?)?[^，,。？?的]{1,10}(?:条例|法规)[呢啊呀？?。]*$|"
    r"哪(?:几个?|些)(?:城|地级)?市(?:都|已经?)?(?:给|对|就|为|针对)[^，,。？?的]{2,10}?(?:单独|专门)?(?:[立定制订]+|出台?)[过了](?:一?部)?(?:条例|法规)|"
    r"(?:类别|类型|机关|单位|责任者|题名|文号)(?:那|这)?一?[栏格]|库里|馆里|室里|(?:题目|名字|名称)(?:里头?|中|上)?[^，,。？?]{0,5}(?:带|含|有|写|出现|打头|开头)|(?:打头|开头|起头|收尾|结尾)的|日期[^，,。？?]{0,4}(?:标|写|填|记|登)|日期(?:那一?)?栏|查得?到的|日期落在|落款(?:日期)?(?:是|在)|叫(?:做|作)?[“\"「]|库中|馆藏|目录|题名|标题|光看名字|日期那一?[栏格]|收了|收藏|收录|归档|保管|永久|长期|短期|案卷|全宗|档号|文种|责任者|开放标识|开放状态|未开放|著录"
    r"|挂接|挂上|扫描件|咱(?:这|们|收)|(?:文件|材料|档案|名单|纪要|简报)(?:一共|总共|共)?(?:有|收|存)?(?:多少|几|哪)|(?:多少|几)[件份卷](?:文件|材料|档案)|清单"
)
_SECRECY: Final = re.compile(r"密级.{0,6}(?:期满|到期|满了|到了)|解密(?:审核|鉴定)?|脱密")


def asks_about_secrecy(form: str) -> bool:
    """Whether a question asks for declassification, whose ledger is never kept here (R1, R2)."""
    return bool(_SECRECY.search(form))


def read_request(question: Question) -> Request:
    """What the question wants of the catalogue."""
    rest = question.form
    terse = bool(_TERSE_COUNT.search(rest))
    plain = terse or bool(_PLAIN.search(rest)) or asks_all(rest)
    check: Check | None = None
    told: tuple[int, int] | None = None
    for kind, pattern in _CHECKS:
        if match := pattern.search(rest):
            check, plain = kind, True
            if kind is Check.MISSING_SCANS and match.lastindex:
                told = (int(match.group(1)), int(match.group(2)))
            rest = _blank(rest, *match.span())
            break
    grouping, most, rest = _grouping(rest)
    if grouping is None and len(question.years) > 1 and _EACH.search(rest):
        grouping = Grouping.YEAR
    extreme = take = 0
    if grouping is None and check is None and (match := _EXTREME.search(rest)):
        extreme = -1 if match["first"] else 1
        take = chinese_to_int(match["n"] or "") or 0
        rest = _blank(rest, *match.span())
    listing = bool(_LISTING.search(question.form))
    asked = bool(check or grouping or extreme or listing)
    counting = terse or question.intent is Intent.COUNT or bool(_COUNTING.search(rest))
    if (plain or re.search(_PAPERS, rest)) and (match := _COUNT_ASKED.search(rest)):
        counting = plain = True
        rest = _blank(rest, *match.span())
    asked = asked or question.intent in (Intent.COUNT, Intent.LIST) or (plain and counting)
    papers = bool(_COUNT_OF_PAPERS.search(question.form))
    asked = asked or papers
    return Request(
        rest, grouping, check, extreme, take,
        listing=listing and not counting, most=most, asked=asked, plain=plain, told_pages=told,
        counts_papers=plain or papers,
    )  # fmt: skip


def _grouping(rest: str) -> tuple[Grouping | None, int, str]:
    most = _MOST.search(rest)
    for grouping, every, which in _GROUPS:
        match = every.search(rest) or (which.search(rest) if most else None)
        if match is None:
            continue
        rest = _blank(rest, *match.span())
        if most:
            return grouping, 1 if most.group(1) == "多" else -1, _blank(rest, *most.span())
        return grouping, 0, rest
    return None, 0, rest


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]
