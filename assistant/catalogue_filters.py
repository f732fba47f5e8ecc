"""Conditions of a question as filters over catalogue rows; what cannot be a filter is named.

A count with one condition dropped is a wrong count, so every content word of the question must be
accounted for: by a filter, by the request itself (how many, list, by year) or as a word that
narrows nothing. What is left over is handed back as `Conditions.unexplained`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from assistant.catalogue_columns import (
    AUTHOR_COLUMN,
    AUTHOR_LEFT,
    AUTHOR_QUOTED,
    SAID_TWICE,
    literal_kind,
    named_kinds,
    says_no_date,
)
from assistant.catalogue_view import (
    CatalogueView,
    agency_of,
    authors_of,
    fold_organ,
    is_type,
    sessions_of,
    short_organs,
    title_form,
    title_key,
)
from assistant.exclusions import exclusions
from assistant.gazetteer import Gazetteer
from assistant.periods import stretch_span
from assistant.question import Question
from assistant.sources import named_titles
from index.codes import Body, Session, find_sessions, is_sitting
from index.domain import Record
from index.text import matching_key, search_form, search_text

#: Words that narrow nothing: politeness, the act of asking, the catalogue as a whole.
_NEUTRAL: Final = re.compile(
    r"登记(?:在册|着|了(?=多少|几))|[登编占](?:着|了)(?=多少|几)|著录(?:成|为|了)?|整个|一股脑|记作|共收|条目|(?<=[”\"」])(?:一词|[二三四五六七八两俩仨]字)|(?<=日期)[正恰]好是?|名儿|咱?这?搭儿|恁|想问问|不[分论](?:什么)?(?:种类|类别)|哪几个地方|目录里头|架上|同名(?:的)?[两几]个?版(?:本)?的?(?:分开|各)算(?:一[条部])?|[两几]个版本的?(?:各|分开)算(?:一[条部])?|也?各省市(?=加|摞|全算|都算|一[共总起])|[这那]一类的?|报(?:上来|出来|下|一下)?(?:市|法规|条例|规定|文件)名(?:字|称)?(?:[和与、跟](?:市|法规|条例|规定|文件)名(?:字|称)?)*|[（(][^（()）]{1,10}也算[)）]|[那这](?:边|块)儿?(?!地|[\u4e00-\u9fff]?[界防缘境疆])|省的?(?:和|、)?市的?(?:统统|全|都)*算(?:上|进去)?|哪[些个]地方|名下|数目|写没写|这些年|出台的?|颁布的?|劳驾|[一这那]一?批|统统|通通|不少|要是?(?=[，,把]|$)|可以|你们?(?:这|那)?儿?|日期|日子|类别|类型|文种|(?<=几)[封本]|(?<=多少)[封本]|一总|手[头里上]|一?[摞堆沓](?=里|中|$)|自个儿?|自家|国家(?=法律| |$)|(?:分属)?哪(?:几个?|些)城?[市县区省](?=有|的|都|批|$|[,，。?？])|(?:分别)?哪个[市县区](?=的[?？。]*$)|[两三四五六七八九十几]个?市(?=各|的|加|都|有|一共|总共)|(?:全都?)?加(?:起来|一块儿?|一起)|拢共|统共|通共|合起来|全算上|(?:全国)?各地|但凡|凡是|标着|留着|连(?=省|[带同])|也算(?:上|进去)?|时间|一?栏(?:里|中|上)?(?:填|写)?(?:着|的是|的)?|填(?:着|的是|的)|类的?(?= *(?:一共|总共|共|有|收|存|$|[,，]))|排序|顺序|先后|那一?天|这一?天|当天|当日|那日|请问|请|麻烦|帮我|帮忙|给我|我想知道|想知道|我想|我要|查一下|查查|查询|查|找一下|找|列一下|列一列|列个|列出来|列出|列|调一下"
    r"|调出来|排一下|排一排|排个|看一下|看看|看|说说|说一下|数一数|数|统计|清单|名单(?=$|[，。？])|一共|总共|合计|共计|共有|一下|总数|件数|数量"
    r"|一览|收进来?|存进来?|现存|现有|沾边|搭边|(?<=年)那一?年|报个数|报一下|数数|头(?=跟|的|和|有|$)|库里头?|馆里头?|室里头?|库中|馆中|目录上|目录里|目录中|目录|收了|收藏|收录|馆藏|存了|存着|归档|形成|里头|里面|的事情|的事|内容|有关|关于|相关|方面"
    r"|属于|包括|包含|其中|分别|各自|各有|各是|各|都|全部|所有|哪几|哪些|哪个|哪[两二三四五六七八九十](?=[部件个项条])|哪|什么样|什么|啥|多少|几|怎么样|情况|如何|有没有|有无|是不是|是否"
    r"|咱们|咱这儿|咱这|咱|我们|本馆|自己的|自己|的|地|得|有|在|是|了|着|过|里|上|中|和|与|跟|及|或|以及|也|就|还|又|再|这|那|这些|那些|呢|吗|吧|啊|呀"
    r"|文书|文件材料|文件|材料|档案|记录|资料|东西|件|部|份|条|卷|篇|个|项|宗|次|一(?=[件部份条卷篇个项])|月份|年份|年度|年|月|日|号|写|为|给|出来|出|下来|来|去"
    r"|放|挂|存|现在|目前|至今|其|它|某|只|全|总|从|到|对|把|让|按|照|排|序|排序|顺序|先后|时间|日期|开的|通过的|发的|发出|发|印发的|印发"
    r"|[，。？！,.?!“”\"《》「」（）() 、：:;；…-]"
)
#: What may be left over of a question that counts papers without narrowing anything: 能数出几部,
#: 日期落在, 国办发的文. Of longer pieces only those of verbs of counting: a bag of small words had
#: eaten 成都, 合同 and 登记, and counted everything.
_COUNTING_VERBS: Final = "讲说能算查找数点看标凑攒光只单管着到落留"
_LIGHT: Final = re.compile(
    rf"(?:算作|标成|当[成作]|归[成到]|写成|[{_COUNTING_VERBS}])+|[文凡叫收连加]|落款|出现"
    # who made it and what is written on it: 自己定的, 省里出台的, 标题上写明是
    r"|作|[制订拟]?[定订立]|出台?|颁布?|公布|发布|下发|[写标注载说]?明|注着?"
    # where it lies: 搁着, 保存, 在册; 地级市 as against the districts, when the rows are cities'
    r"|[凑合归搁放加摆](?:在|到|成)?一(?:块儿?|起|道|堆)|直接"
    r"|搁|摆|攒下|凑[到齐]|搜集|收集|保存|存放|留存|入库|在[册库]|眼[下前]|迄今|截[至止]|地?级市?"
    r"|能?(?:翻|捞|找|凑|翻检|检索)(?:得?[到着出]|得)?|能(?:搜|查|调)得?[到着出]"
    r"|大概|大约|差不多|究竟|到底|具体|准确|数[目字]"
    r"|贵馆(?:所藏)?|所藏|[共总]?计|明明白白|一块儿?|一道|还?剩下?|[两三]样|才算|既|又|而且|并且|[记标]成|躺|名叫|归进|筛|字号?|头尾|[俺我]们?|[俺我]?想问?|话|法规"
    r"|[录存放压归弄搞做造起名见遇想翻捞找得该可儿嘛哩咧哈嗯哦噢咯呗您俺些样种类拢共沾搁]"
)
_LIGHT_START: Final = re.compile(rf"^(?:[{_COUNTING_VERBS}]|专门?)+")
_LIGHT_END: Final = re.compile(rf"[{_COUNTING_VERBS}]+$")
_NEUTRAL_ENDS: Final = re.compile(rf"^(?:{_NEUTRAL.pattern})+|(?:{_NEUTRAL.pattern})+$")
_RETENTION: Final = (
    (re.compile(r"永久"), "永久", ("永久", "Y")),
    (re.compile(r"(?:定期)?(?:三十|30)年(?:期|保管|的(?=[^，。]{0,6}(?:件|卷|份|有|文件|档案|$)))|D30"), "D30", ("D30", "30", "定期30年", "30年")),
    (re.compile(r"(?:定期)?(?:十|10)年(?:期|保管|的(?=[^，。]{0,6}(?:件|卷|份|有|文件|档案|$)))|D10"), "D10", ("D10", "10", "定期10年", "10年")),
    (re.compile(r"长期"), "长期", ("长期",)),
    (re.compile(r"短期"), "短期", ("短期",)),
)  # fmt: skip
_NUMERAL: Final = r"[0-9]{4}|[一二][〇零○九0-9][〇零○一二三四五六七八九]{2}"
_ANY_YEAR: Final = re.compile(
    rf"(?<![0-9])(?:{_NUMERAL})年?|(?<![0-9])[0-9]{{2}}年|大前年|前年|去年|上年度|今年|本年度|(?<=[0-9年])(?:1[0-2]|[1-9])月(?:份)?(?:[0-9]{{1,2}}[日号])?"
)
_ANY_DATE: Final = re.compile(
    rf"{_ANY_YEAR.pattern}|(?<![0-9])(?:1[0-2]|[1-9])月(?:份)?(?:[0-9]{{1,2}}[日号])?"
)
_EVENT: Final = re.compile(
    r"那次会上|那次会|会上|开的|召开的|召开|举行的|举行|提出的|提出|批准的|批准|批了|批|通过的|通过|表决|人代会|人大常委会|常委会"
)
#: What was done to a rule on a day, in a question and in the notes of a record.
_ACTS: Final = (
    ("批准", re.compile(r"批准|批下来|批(?=了|的)")),
    ("通过", re.compile(r"(?:表决)?通过|自己过(?=了|的)|过(?=了(?:哪|什么|啥|几))")),
)
#: 自己通过的，不算批各市的: what was approved is told by another note.
_NOT_APPROVED: Final = re.compile(
    r"自己(?!过)|(?:不算|不是|别算|不要|除了)批(?:准|复)?了?的?(?:各地?市|下面|底下|市里?)?的?"
)
#: 各级人大和常委会的议事规则: congresses' and their committees', whatever the place.
_EVERY_CONGRESS: Final = re.compile(
    r"各级(?:人大|人民代表大会)(?:和|及其?|与|、)(?:人大)?(?:常委会|常务委员会)的"
)
#: 淄博市本级出的法规: counties and districts make none, so the place says it all.
_CITY_ITSELF: Final = re.compile(
    r"本级(?:自己)?(?:出台?|[制订定立作]定?|颁布)?的?(?=(?:地方性)?(?:法规|条例))"
)
#: 省里那次常委会 is its standing committee.
_SITTING_OF: Final = re.compile(
    r"(全国|[省市县区])(?:里|上|级)?(?:那一?[次回]|这一?[次回])?的?(?:人大)?常委会(?:议)?"
)
#: Rules of cities and not of their province, and that the province's are left out.
_OF_CITIES: Final = re.compile(
    r"各地市|各设区市|各个?市的?|市一级的?|哪(?:几个?|些)(?:城|地级)?市(?=[^，,。？?]{0,12}(?:条例|法规|规定|办法))|设区的?市|(?:底下|下面)(?:的)?(?:几个|各个?)?市"
)
#: 省里连各市的加一块, 各地加上全国的: all of them, so nothing is left out.
_ALL_LEVELS: Final = re.compile(
    r"(?:省里?|全国|中央)的?(?:连|和|跟|与|加上?|带上?)[着同]?(?:各地?市|各地|下面|底下)的?"
    r"|(?:各地?市|各地|下面|底下)的?(?:连|和|跟|与|加上?|带上?)[着同]?(?:省里?|全国|中央)的?|连(?:上|带|同|着)?(?:省里?|全国)的?"
)
_CITIES: Final = "市一级的"
_OWN: Final = re.compile(
    r"自己(?:出|定|立|搞)?的?|除了?省里?(?:的|那|那一)?[部件个]?(?:以外|之外|外)?|省里?(?:的|那|那一)?[部件个]?(?:别算|不算|除外|不要)"
)
_CITY_HEAD: Final = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,8}?(?:省|自治区)|(?![\u4e00-\u9fff]{2,8}?(?:省|自治区)))"
    r"(?!北京|上海|天津|重庆|中华|全国|关于)[\u4e00-\u9fff]{2,4}?(?:市(?!场|政|民|容)|自治州|(?<![同联])盟)"
    r"|(?<!北京)(?<!上海)(?<!天津)(?<!重庆)[市州盟](?=第.{1,4}届|人民代表大会|人大)"
)
_ACTING: Final = re.compile(
    r"(?:[\u4e00-\u9fff]{2,8}(?:省|自治区|市|州|县|区))?(?:全国|省|自治区|市|州|县|区)?人大(?:常委会)?"
)
#: Whose rules a higher congress approves; all it approves are of these.
_BELOW: Final = re.compile(
    r"(?:底下|下面|下边|下属|所属|辖内|省内|省里)?(?:的)?(?:各|几个)?(?:个)?(?:设区的市|地市|市州|市)(?!场|民)"
)
_FILING: Final = re.compile(r"归档|年度(?!预算|工作)|归入")
#: Official document types (文种) by which a row without a type is told from the end of its title.
#: Source: GB/T 9704-2012 and the usual papers of congresses (公告 … 议案), as national terms.
PAPER_TYPES: Final = (
    "地方性法规", "审议意见", "征询意见表", "任免名单", "会议纪要", "会议议程", "工作报告", "公告", "决议", "决定", "法规", "条例",
    "规则", "办法", "议案", "建议", "请示", "批复", "报告", "通知", "通报", "函", "意见", "纪要", "简报", "公报", "议程", "方案",
    "说明", "答复", "名单", "规定",
)  # fmt: skip
_TITLE_SAYS: Final = re.compile(
    r"(?:题名|标题|题目|名字|名称)(?:里头|里面|里|中|上)?(?:还|都|就|直接)?(?:要|得|只要)?(?:带有|带着|带|含有|含|有个|有|写着|写有|写了|写|印着|出现|包含|叫)[“\"「]?"
    r"([\u4e00-\u9fff](?=[”\"」]?这?(?:一?个)?字)|[\u4e00-\u9fff0-9]{2,20}?)"
    r"[”\"」]?(?:这?(?:[一二两三四五六七八九十几]个|[俩仨两三四])字|这?(?:一?个)?字(?=的|[，,]|有|$)|字样|字眼|的|，|,|有几|$)"
)
_TEXT_SAYS: Final = re.compile(
    r"(?:正文|原文|内容)?(?:里头|里面|里|中|上)?(?:提到|提及|写到|讲到|说到|涉及到|涉及|写有|出现)(?:过|了)?([\u4e00-\u9fff0-9]{2,16}?)(?:这?(?:[一二两三四五六七八九十几]个|[俩仨两三四])字|字样|字眼|的|，|,|$)"
)
_AUTHOR_SAYS: Final = re.compile(
    r"(?:责任者|发文机关|发文单位)(?:是|为|写的是|叫)?([\u4e00-\u9fff]{2,30}?)(?:的|有|共|一共|[，,？?]|$)"
)
#: Shortest piece of a title that counts as a title condition wherever it stands.
_TITLE_RUN: Final = 4

Keeps = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: in words for restating, and the test of a row."""

    words: str
    keeps: Keeps


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the question asks of a row.

    Attributes:
        filters: All must hold.
        unexplained: Content of the question that no filter accounts for, blanks between pieces.
        notes: What to tell about how words were understood, Chinese sentences.
        filing_year: Year when the rows were filtered by the year of their date; the filing year
            (归档年度) could count differently.
        volumes: True when volumes (案卷) themselves are asked for.
        structural: Whether a condition only the catalogue can answer is among them.
        types: The types named.
    """

    filters: tuple[Filter, ...]
    unexplained: str
    notes: tuple[str, ...] = ()
    filing_year: int | None = None
    volumes: bool = False
    structural: bool = False
    types: tuple[str, ...] = ()

    def keeps(self, record: Record) -> bool:
        """Whether a row meets all of them."""
        return all(f.keeps(record) for f in self.filters)


@dataclass(slots=True)
class _Reading:
    """The question while its words are being taken out."""

    rest: str
    view: CatalogueView
    filters: list[Filter] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    filing_year: int | None = None
    volumes: bool = False
    structural: bool = False
    types: tuple[str, ...] = ()
    puzzling: list[str] = field(default_factory=list)

    def take(self, start: int, end: int) -> None:
        self.rest = self.rest[:start] + " " * (end - start) + self.rest[end:]

    def blank(self, pattern: str | re.Pattern[str]) -> None:
        """Take out whatever the pattern matches, places kept."""
        self.rest = re.sub(pattern, lambda m: " " * len(m.group()), self.rest)

    def take_word(self, word: str) -> None:
        at = self.rest.find(word)
        if word and at >= 0:
            self.take(at, at + len(word))

    def add(self, words: str, keeps: Keeps, *, structural: bool = False) -> None:
        self.filters.append(Filter(words, keeps))
        self.structural = self.structural or structural


#: 给养犬单独立了条例: what is between is the subject.
_MADE_ON: Final = re.compile(
    r"(给|对|就|为|针对|专门给)([\u4e00-\u9fff]{2,10}?)((?:单独|专门)?(?:制定|出台|[立定订出])[过了])(?=(?:一?部)?(?:条例|法规))"
)
#: 有几部，分别是哪个市的: beside the count it asks for names and narrows nothing.
_NAMED_TOO: Final = re.compile(
    r"(?<=[,，、。;；?？])(?=[^,，。;；?？]*(?:哪|什么|啥|何地|列|报|念))(?:都|分别|各自?|它们?|是|叫|出自|属于?|名称|名字|名儿|题名|标题|市名|[那这]些?|哪[些几]?一?(?:个|部|件)?(?:地方|[省市县])?|的|什么|啥|何地|分属|列(?:出来|一下)?|报(?:一报|上来|来)?|念(?:一念)?|一并|一个个|逐个|给我|给|请|附|也|把|告诉我?|又|来)+(?=[?？。!！]*$)"
)


def is_neutral(form: str) -> bool:
    """Whether a stretch of a question narrows nothing."""
    return not _NEUTRAL.sub("", form).strip()


def read_conditions(
    question: Question,
    rest: str,
    view: CatalogueView,
    gazetteer: Gazetteer,
    *,
    today: dt.date,
    about_catalogue: bool,
    counts_papers: bool,
    topics: bool,
    text_holders: Callable[[str], frozenset[str]],
) -> Conditions:
    """Read the conditions of a question.

    Args:
        question: The question as read.
        rest: Its search form with the words of the request blanked out, same length.
        view: Rows the reader may see; words are recognised against these only, so that the
            wording tells nothing of hidden rows.
        gazetteer: Places.
        today: Against which 近三年 is resolved.
        counts_papers: Whether it asks how many papers; words that narrow nothing are then passed
            over.
        about_catalogue: Whether the question plainly speaks of the holdings; then short words
            too may be taken as part of a title.
        topics: Whether a topic no title names (停车难的建议哪年最多) may be looked for in the
            text; it is then restated as just that.
        text_holders: Ids of all rows whose title or text holds a string.
    """
    reading = _Reading(rest.replace("名儿", "名字"), view)
    if counts_papers:
        reading.blank(_NAMED_TOO)
        reading.rest = _MADE_ON.sub(
            lambda m: " " * len(m[1]) + m[2] + " " * len(m[3]), reading.rest
        )
        _left_out(reading)
    if match := _EVERY_CONGRESS.search(reading.rest):
        reading.take(*match.span())
        reading.add("人大和常委会的", _of_a_congress)
    if question.places and not any(p.endswith(("省", "自治区")) for p in question.places):
        reading.blank(_CITY_ITSELF)
    _no_date(reading)
    _kinds(reading)
    _author_column(reading)
    _either(reading)
    absent = _phrases(reading, question)
    _said_titles(reading)
    _said_texts(reading, text_holders)
    agency = _agency(reading)
    _sessions(reading)
    _unit_level(reading)
    _retention(reading)
    _opening(reading)
    _departments(reading)
    accounts = _accounts(reading, question)
    adopted = _adopted(reading, question)
    _authors(reading)
    if (match := AUTHOR_LEFT.search(reading.rest)) is not None:
        reading.puzzling.append(match.group())
        reading.take(*match.span())
    _proposers(reading)
    if not adopted and not accounts:
        _times(reading, question, today, by_number=agency)
    reading.blank(_ALL_LEVELS)
    _provinces(reading, question, gazetteer)
    if _OF_CITIES.search(reading.rest) and not adopted:
        _cities(reading)
    _types_and_titles(reading, literal="文种:提案" in question.without)
    _places(reading, question, gazetteer)
    _short_titles(
        reading,
        question.synonyms,
        about_catalogue=about_catalogue,
        light=counts_papers,
    )
    if topics:
        _topics(reading, text_holders)
    if any(f.words.startswith("文号") for f in reading.filters):
        # “国办发〔2019〕”打头: the number is understood, its brackets are left.
        reading.blank(r"〔 *〕|[〔〕]|(?:打头|开头|起头)的?")
    left = _NEUTRAL.sub(" ", reading.rest).split()
    if counts_papers and reading.filters:
        left = [piece for piece in left if not _LIGHT.fullmatch(piece)]
        counted = _COUNTED_PAPERS.search(question.form)
        if left and counted and not absent and _pass_over(reading, left, question):
            left = []
    unexplained = f"{absent}{' '.join([*reading.puzzling, *left])}"
    return Conditions(
        tuple(reading.filters),
        unexplained,
        tuple(reading.notes),
        reading.filing_year,
        reading.volumes,
        reading.structural,
        reading.types,
    )


#: 多少部, 几件, 个数: papers are counted, not days or yuan.
_COUNTED_PAPERS: Final = re.compile(
    r"(?:多少|若干|几)(?:[件份部卷篇封本]|个(?![市县区省人月星])|条(?=[^款街路河]*$))|有多少[？?]*$|数目|个数|件数|总数|报个?数"
)
#: Why somebody asks, whom for, and thanks: 写调研材料要用，谢谢; 顺便把名字念给我听听.
_ASIDE: Final = re.compile(
    r"谢|麻烦|劳驾|辛苦|拜托|贵馆|您好|你好|要用|要一?[份个](?:清单|目录|数)|[我俺][^,，]{0,3}年轻|用来|参考|汇报|论文|调研|课题|作业|备课|写稿|交差|领导|着急|急用|顺便|念给|听听|告诉我|报给|给我"
    r"|[我俺](?:们|这边)?(?:是|在|想|要|家|儿子|女儿|妈|爸|爷|奶|老伴)|老伴|儿子|闺女|孙子|爷爷|奶奶|同事|核[对实]一?下?"
)
#: Words that make even an aside a condition, or turn one round.
_NARROWS: Final = re.compile(
    r"规定|要求|允许|准许|禁止|提到|写到|讲|管|说的是|涉及|针对|关于|主题|关心|限|只|光|废止|失效|有效|生效|施行|修[改订正]|改过|通过|批准|表决|满意|办结|答复|公开|开放|密"
    r"|[不没非未无除外别甭前后比较差增减占底末旬春夏秋冬]|以上|以下|超过|至少|最|近|半年|季度|省|市|县|国|中央"
)
#: Longest rest of a question that is passed over, in characters.
_PASSED_OVER: Final = 20


def _pass_over(reading: _Reading, left: Sequence[str], question: Question) -> bool:
    """Whether a count may be given although words are left over, which is then said.

    People give reasons and courtesies (写调研材料要用，谢谢), and there is no list of those. They are
    passed over where they stand in a clause of their own that counts nothing, names no paper, place
    or year, and says why or for whom. What is left over beside the count itself may always narrow
    it (青岛的条例跟宠物挂钩的几部), whether any title has the word or not.
    """
    if sum(map(len, left)) > _PASSED_OVER or len(reading.filters) <= bool(reading.types):
        return False
    places = (place[:2] for place in (*question.places, *question.unknown_places))
    condition = re.compile("|".join(("多少|几|[0-9]", *map(re.escape, (*reading.types, *places)))))
    asides = [
        clause
        for clause in re.split(r"[,，。;；?？!！()（）-]", question.form)
        if _ASIDE.search(clause) and not condition.search(clause) and not _NARROWS.search(clause)
    ]
    for piece in left:
        pairs = [piece[i : i + 2] for i in range(len(piece) - 1)]
        spoken = [p for p in pairs if p in reading.view.title_forms and not _ASIDE.search(p)]
        if spoken or not any(piece in clause for clause in asides):
            return False
    if said := "”“".join(piece for piece in left if len(piece) > 1):
        reading.notes.append(f"没有当作条件：“{said}”。")
    return True


# -- titles and text --------------------------------------------------------------------------


def _title_filter(*words: str) -> tuple[str, Keeps]:
    """Titles that hold any of some words."""
    keys = [matching_key(word) for word in words]
    shown = "”或“".join(words)
    return f"题名含“{shown}”", lambda r: any(key in title_key(r.title) for key in keys)


_EITHER_OR: Final = r"[“”\"「」]*(?:或者?|或是|、|[“”\"「」])[“”\"「」]*"
_EITHER: Final = re.compile(
    r"[“\"「][^“”\"「」]{1,16}[”\"」](?:(?:、|或者?|或是)[“\"「][^“”\"「」]{1,16}[”\"」])+"
)


def _either(reading: _Reading) -> None:
    """“养老”或者“老年”: either in the title will do."""
    for match in list(_EITHER.finditer(reading.rest)):
        words = [w for w in re.split(_EITHER_OR, match.group()) if w]
        known = any(matching_key(word) in reading.view.title_keys for word in words)
        if known and "或" in match.group():
            reading.add(*_title_filter(*words))
            reading.take(*match.span())


def _phrases(reading: _Reading, question: Question) -> str:
    """Filter by what is quoted; returns the titles in 《》 that no row has.

    Half of such a title must filter nothing: 《山东省养犬管理条例》 is not 青岛市养犬管理条例.
    """
    absent = ""
    for phrase in question.phrases:
        if phrase not in reading.rest and any(f"“{phrase}”" in f.words for f in reading.filters):
            continue
        key = matching_key(phrase)
        terms = next((t for p, _, t in _RETENTION if p.fullmatch(phrase)), None)
        if terms is None and key in reading.view.title_keys:
            reading.add(*_title_filter(phrase))
            reading.take_word(phrase)
        elif phrase in named_titles(question.form):
            absent += f"《{phrase}》"
            reading.take_word(phrase)
    return absent


def _left_out(reading: _Reading) -> None:
    """What is not to be counted, and how titles begin or end."""
    view = reading.view
    for found in exclusions(reading.rest, PAPER_TYPES, view.agencies, view.title_keys):
        reading.take(found.start, found.end)
        if found.keeps is None:
            _cities(reading)
        else:
            reading.add(found.words, found.keeps, structural=True)


def _kinds(reading: _Reading) -> None:
    """What the question says stands in the type column."""
    types = reading.view.type_forms
    found = named_kinds(reading.rest, types)
    if not found and (kind := literal_kind(reading.rest, types, reading.view.author_names)):
        at = reading.rest.index(kind)
        found = [(kind, at, at + len(kind))]
    for _, start, end in found:
        reading.take(start, end)
    if kinds := frozenset(kind for kind, *_ in found):
        shown = "”或“".join(sorted(kinds))
        reading.add(f"文种为“{shown}”", lambda r: search_text(r.doc_type) in kinds, structural=True)


def _author_column(reading: _Reading) -> None:
    """What the question quotes as all that stands in the author column."""
    for match in list(AUTHOR_QUOTED.finditer(reading.rest)):
        said = [name for name in re.split(r"[“”\"「」『』]", match["names"]) if len(name) > 1]
        said = [name for name in said if name not in ("或者", "或是", "以及")]
        names = frozenset(map(fold_organ, said))
        if all(any(name in authors_of(r) for r in reading.view.records) for name in names):
            shown = "”或“".join(said)
            reading.add(
                f"责任者为“{shown}”",
                lambda r, names=names: not names.isdisjoint(authors_of(r)),  # type: ignore[misc]
                structural=True,
            )
            reading.take(*match.span())


def _said_titles(reading: _Reading) -> None:
    for match in _TITLE_SAYS.finditer(reading.rest):
        reading.add(*_title_filter(match.group(1)), structural=True)
        reading.take(*match.span())
    reading.blank(
        r"(?:题名|标题|题目|名字|名称)(?:里头|里面|里|中|上)?(?:直接)?(?:带有|带着|带|含有|含|有|写着|写有|写了|写|印着|出现|对得?上|包含|叫|提到(?=[“\"「]))?"
        r"|字样|字眼|(?<=[”\"」 ])这?(?:[一二两三四五六七八九十几]个|[俩仨两三四])字"
    )


def _said_texts(reading: _Reading, text_holders: Callable[[str], frozenset[str]]) -> None:
    for match in _TEXT_SAYS.finditer(reading.rest):
        if _text_filter(reading, match.group(1), text_holders):
            reading.take(*match.span())


def _topics(reading: _Reading, text_holders: Callable[[str], frozenset[str]]) -> None:
    """Runs of words no filter took, without the neutral words at their ends."""
    if not reading.types:
        return
    for match in list(re.finditer(r"[\u4e00-\u9fff0-9]{2,}", reading.rest)):
        word = _NEUTRAL_ENDS.sub("", match.group())
        if len(word) >= 2 and _text_filter(reading, word, text_holders):
            reading.take(*match.span())


def _text_filter(
    reading: _Reading, words: str, text_holders: Callable[[str], frozenset[str]]
) -> bool:
    holders = text_holders(words)
    if holders:
        reading.add(f"题名或原文写有“{words}”", lambda r: r.record_id in holders)
        reading.notes.append(f"按写有“{words}”这几个字统计，换了说法的不在内。")
    return bool(holders)


def _short_titles(
    reading: _Reading,
    synonyms: Mapping[str, Sequence[str]],
    *,
    about_catalogue: bool,
    light: bool,
) -> None:
    """What is left, cut into the longest pieces that stand in titles.

    Pieces under four characters narrow a count by accident (满意 is in 满意度测评结果), so they
    are taken only when the question plainly asks about the holdings.
    """
    left = _NEUTRAL.sub(lambda m: " " * len(m.group()), reading.rest)
    if not left.strip():
        return
    titles = _kept_titles(reading)
    for match in re.finditer(r"\S{2,}", left):
        pieces = _pieces(match.group(), titles)
        if not pieces and light:
            # 专管养犬的条例: what is left of it stands in titles.
            run = _LIGHT_START.sub("", match.group())
            # 海岸带 ends in one of them; of 养狗的条例 titles have the official word.
            # What is a condition already narrows no further: of 吸烟, 控制吸烟 is one of several.
            said = [w for f in reading.filters for w in re.findall("“(.+?)”", f.words)]
            others = (
                run.replace(word, official)
                for word, words in synonyms.items()
                if not any(w in official for official in words for w in said)
                for official in words
            )
            runs = (run, _LIGHT_END.sub("", run), *others)
            pieces = next(filter(None, (_pieces(r, titles) for r in runs)), [])
        shortest = 2 if about_catalogue else _TITLE_RUN
        if not pieces or any(len(p) < shortest for p in pieces):
            continue
        for piece in pieces:
            reading.add(*_title_filter(piece))
        reading.take(*match.span())


def _pieces(run: str, titles: str) -> list[str]:
    """The run as pieces of two or more characters, all in one title; empty when impossible."""
    pieces: list[str] = []
    at = 0
    while at < len(run):
        end = next((e for e in range(len(run), at + 1, -1) if run[at:e] in titles), 0)
        if not end:
            return []
        pieces.append(run[at:end])
        at = end
    together = any(all(p in t for p in pieces) for t in titles.split("\n"))
    return pieces if together else []


# -- types ------------------------------------------------------------------------------------


def type_filter(words: Sequence[str]) -> Filter:
    """Rows of one of these types."""
    shown = "”或“".join(words)
    return Filter(f"文种或题名末尾为“{shown}”", lambda r: any(is_type(r, w) for w in words))


def _types_and_titles(reading: _Reading, *, literal: bool = False) -> None:
    """The types named and the longest stretch that stands in a title, the longer first.

    `literal` takes 提案 for itself: the asker did not want it read as 议案 and 建议.
    """
    reading.rest = re.sub("地方(?=法规)", "  ", reading.rest)
    if "预算报告" in reading.view.types:
        # 财政预算报告 and 预算报告 are one kind of paper.
        reading.rest = re.sub("财政(?=预算(?:草案)?(?:的)?报告)", "  ", reading.rest)
    words, start, end = _type_words(reading.rest, reading.view)
    run = _title_run(reading.rest, reading)
    if run and len(run) > end - start and any(w in run for w in words):
        reading.add(*_title_filter(run))
        reading.take_word(run)
        return
    if words:
        if "提案" in words and not literal:
            reading.notes.append("提案属政协，本库为人大议案、建议；这里按议案和建议统计。")
            words = (*(w for w in words if w != "提案"), "议案", "建议")
        reading.types = words
        reading.filters.append(type_filter(words))
        reading.take(start, end)
        run = _title_run(reading.rest, reading)
    if run:
        reading.add(*_title_filter(run))
        reading.take_word(run)


def _type_words(rest: str, view: CatalogueView) -> tuple[tuple[str, ...], int, int]:
    """The types a question names with the span they stand in; 决议和决定 names two.

    Of types that are not joined the last counts: in Chinese the head of a phrase stands last.
    """
    known = {value[at:] for value in view.types for at in range(len(value) - 1)}
    known = {w for w in known if w in view.types or _NEUTRAL.sub("", w)}
    known |= {w for w in PAPER_TYPES if any(end.endswith(w) for end in view.title_ends)}
    known.add("提案")
    ordered = sorted((w for w in known if w in rest), key=len, reverse=True)
    if not ordered:
        return (), 0, 0
    found = [(m.group(), *m.span()) for m in re.finditer("|".join(map(re.escape, ordered)), rest)]
    word, start, end = found[-1]
    words = [word]
    for before, at, stop in reversed(found[:-1]):
        between = rest[stop:start]
        compound = before + words[0]
        if not between and any(end.endswith(compound) for end in view.title_ends):
            # 主任会议纪要 is one kind of paper, 决议决定 are two.
            words[0] = compound
            start = at
        elif between in ("", "和", "、", "及", "或", "与", "跟", "以及", "还有"):
            words.insert(0, before)
            start = at
        elif between == "的" and any(v.endswith(compound) for v in view.types):
            words[0] = compound
            start = at
        else:
            break
    return tuple(words), start, end


def _kept_titles(reading: _Reading) -> str:
    """Titles of the rows that meet the conditions so far, one per line."""
    return "\n".join(
        title_form(r.title)
        for r in reading.view.records
        if all(f.keeps(r) for f in reading.filters)
    )


def _title_run(rest: str, reading: _Reading) -> str:
    """The longest stretch of the question, at least 4 characters, that stands in some title.

    It ends at 的: 预算的决议 asks for resolutions on budgets, not for these very words.
    """
    titles = _kept_titles(reading)
    best = ""
    for start in range(len(rest)):
        for end in range(start + max(_TITLE_RUN, len(best) + 1), min(len(rest), start + 40) + 1):
            run = rest[start:end]
            if " " in run or "的" in run or run not in titles:
                break
            best = run
    return best


# -- plain fields -----------------------------------------------------------------------------


def _agency(reading: _Reading) -> bool:
    """The agency word (机关代字) of the holdings' document numbers that the question names."""
    named = [w for w in reading.view.agencies if w in reading.rest]
    if not named:
        return False
    agency = max(named, key=len)
    reading.add(f"文号为“{agency}”", lambda r: agency_of(r) == agency, structural=True)
    # 发文字号是“国发”打头的
    said = re.search(
        rf"(?:(?:发文|文件)?(?:字号|文号|编号|代字)(?:里|上|中)?)?(?:是|为|用|以|带|写着?)?[“\"「]?{re.escape(agency)}[”\"」]?"
        r"(?:字(?:头|样)?)?(?:(?:打|开|起)头)?",
        reading.rest,
    )
    if said:
        reading.take(*said.span())
    return True


def _retention(reading: _Reading) -> None:
    stored = reading.view.retentions
    found: list[tuple[str, tuple[str, ...]]] = []
    for pattern, name, terms in _RETENTION:
        match = pattern.search(reading.rest)
        if match and (stored & set(terms) or name in ("永久", "长期", "短期")):
            found.append((name, terms))
            reading.take(*match.span())
    if found:
        wanted = frozenset(t for _, terms in found for t in terms)
        shown = "”或“".join(name for name, _ in found)
        reading.add(
            f"保管期限为“{shown}”", lambda r: r.retention.strip() in wanted, structural=True
        )
    reading.blank(r"保管期限|保管期|期限|保管|保存")


def _opening(reading: _Reading) -> None:
    rest = reading.rest
    blank = re.search(
        r"开放(?:标识|状态)(?:一栏)?(?:是)?(?:空着|空白|没填|为空|空|没有填)|没填开放(?:标识|状态)",
        rest,
    )
    if blank:
        reading.add("开放标识空白", lambda r: not r.opening.strip(), structural=True)
        reading.take(*blank.span())
        return
    heading = re.search(r"开放(?:标识|状态)(?:是|为|写着|写的)?", rest)
    if heading:
        reading.take(*heading.span())
    not_open = re.search(r"(?:未|没|不|没有|尚未|还没)开放", reading.rest)
    if not_open:
        reading.add(
            "开放标识不是“开放”（含空白）", lambda r: r.opening.strip() != "开放", structural=True
        )
        reading.take(*not_open.span())
        return
    for name, field_name in (("开放标识", "opening"), ("公开属性", "publicity")):
        for value in sorted(reading.view.values(field_name), key=len, reverse=True):
            match = re.search(
                re.escape(value) + ("(?!审核|日|式)" if value == "开放" else ""), reading.rest
            )
            if not match or (value == "控制" and not heading):
                continue
            reading.add(
                f"{name}为“{value}”",
                lambda r, v=value, f=field_name: getattr(r, f).strip() == v,  # type: ignore[misc]
                structural=True,
            )
            reading.take(*match.span())
            break
    reading.blank(r"公开属性|公开方式")


def _unit_level(reading: _Reading) -> None:
    match = re.search(r"案卷|(?<=[期久的])卷(?![内宗])|几卷|多少卷|哪些卷", reading.rest)
    if match:
        reading.volumes = True
        reading.add("著录层级为案卷", lambda r: r.unit_level == "案卷", structural=True)
        reading.take(*match.span())


def _short_names(value: str) -> Iterator[str]:
    """A department in full and as people say it: 教科文卫委员会, 教科文卫委."""
    yield value
    if value.endswith("委员会"):
        yield value.removesuffix("员会")
    if value.endswith("工作委员会"):
        yield value.removesuffix("工作委员会") + "工委"


def _departments(reading: _Reading) -> None:
    named = [
        (word, value)
        for value in reading.view.departments
        for word in _short_names(search_form(value).text)
        if len(word) >= 3 and word in reading.rest
    ]
    if named:
        word, value = max(named, key=lambda pair: len(pair[0]))
        reading.add(f"机构为“{value}”", lambda r: r.department.strip() == value, structural=True)
        reading.take_word(word)
    reading.blank(r"机构(?:是|为)")


def _authors(reading: _Reading) -> None:
    reading.rest = short_organs(reading.rest)
    said = _AUTHOR_SAYS.search(reading.rest)
    if said:
        name, span = fold_organ(said.group(1)), (said.start(), said.end(1))
    else:
        names = reading.view.author_names
        # 转给市公安局的函, 对市政府的意见: the addressee, not the author.
        found = re.search(
            f"(?<![给对向由致送听请])(?:{'|'.join(map(re.escape, names)) or '(?!)'})(?![^ ]{{0,2}}次)",
            reading.rest,
        )
        if not found:
            return
        name, span = found.group(), found.span()
    if any(a.endswith(name) for r in reading.view.records for a in authors_of(r)):
        reading.add(
            f"责任者为“{name}”",
            lambda r: any(a.endswith(name) for a in authors_of(r)),
            structural=bool(said),
        )
        reading.take(*span)
        reading.blank(AUTHOR_COLUMN)


def _proposers(reading: _Reading) -> None:
    named = [n for n in reading.view.proposers if n in reading.rest]
    for name in named:
        reading.add(f"提出人有“{name}”", lambda r, n=name: n in r.proposers, structural=True)  # type: ignore[misc]
        reading.take_word(name)
    if named:
        reading.blank(r"(?:这位|那位)?代表(?=提|领|的| )|领衔|附议|提出|提交|提过|提的|提了|提")


# -- sessions, time, place --------------------------------------------------------------------


def _sessions(reading: _Reading) -> None:
    for asked in find_sessions(reading.rest):
        if asked.body is Body.CPPCC or not (is_sitting(asked) or asked.term is not None):
            continue
        if asked.number is None and asked.term is None:
            continue
        reading.add(
            f"届次为“{asked.text}”",
            lambda r, a=asked: any(_meets(a, s) for s in sessions_of(r)),  # type: ignore[misc]
        )
        reading.take(asked.start, asked.end)
    bare = re.search(r"第?([一二三四五六七八九十]{1,3}|[0-9]{1,2})届", reading.rest)
    if bare and not reading.filters:
        term = find_sessions(f"{bare.group()}人大")
        if term:
            reading.add(
                f"届次为“{bare.group()}”",
                lambda r: any(s.term == term[0].term for s in sessions_of(r)),
            )
            reading.take(*bare.span())


def _meets(asked: Session, found: Session) -> bool:
    if asked.term is not None and found.term != asked.term:
        return False
    if asked.number is not None and found.number != asked.number:
        return False
    # 十五届人大 says whose term it is, not that the congress itself sat.
    return asked.number is None or asked.agrees_with(found)


def record_year(record: Record) -> int | None:
    """Year of a record's date, else its filing year."""
    return int(record.date_iso[:4]) if record.date_iso else record.year


def _span_filter(reading: _Reading, first: int, last: int, words: str) -> None:
    reading.add(f"日期为{words}", lambda r: first <= (record_year(r) or 0) <= last)


def _times(reading: _Reading, question: Question, today: dt.date, *, by_number: bool) -> None:
    """The time asked about, as `periods` read it; a reading the asker took off is no condition."""
    span = stretch_span(reading.rest)
    if span is None:
        _one_time(reading, question, by_number=by_number)
        return
    words = reading.rest[slice(*span)]
    reading.take(*span)
    period = question.period
    if period is None:
        return
    reading.blank(SAID_TWICE)
    first, last = period.first, period.last
    if last == first + 9:
        reading.blank("[那这]十年(?:间|里)?")
    if last >= today.year and re.search(r"后|以来|起|开始", words) and not _COUNTED.search(words):
        _span_filter(reading, first, 9999, f"{first}年及以后")
    elif re.search(r"前", words) and not _COUNTED.search(words):
        _span_filter(reading, 1, last, f"{last + 1}年以前（不含{last + 1}年）")
    else:
        _span_filter(reading, first, last, f"{first}–{last}年")


#: 近五年, 前三年, 五年来: counted back from today.
_COUNTED: Final = re.compile(
    r"近|这|过去|前[的0-9一二两三四五六七八九十]|^[0-9一二两三四五六七八九十]{1,3}年以?来"
)


def _adopted(reading: _Reading, question: Question) -> bool:
    """Filter by what was adopted or approved on a day; returns whether the question asks for that.

    The notes of adoption in the catalogue tell it: the organ that approves a city's rules is not
    their author, and the day is not their date.
    """
    day = next((d for d in question.dates if len(d) == 10), "")
    done = next(((word, said) for word, said in _ACTS if said.search(reading.rest)), None)
    if not day or done is None:
        return False
    act, said = done
    if act == "通过":
        reading.blank(_NOT_APPROVED)
    spoken = _spoken(day)
    notes = {r.record_id: _notes_of(r, spoken) for r in reading.view.records}
    if not any(word in note for held in notes.values() for note in held for word, _ in _ACTS):
        return False
    reading.rest = _SITTING_OF.sub(r"\1人大常委会", short_organs(reading.rest))
    reading.blank(_ANY_DATE)
    named = _ACTING.search(reading.rest)
    organ = named.group() if named else ""
    holding = frozenset(
        key for key, held in notes.items() if any(act in note and organ in note for note in held)
    )
    reading.add(
        f"{spoken}{f'由{organ}' if organ else ''}{act}",
        lambda r: r.record_id in holding,
        structural=True,
    )
    reading.blank(said)
    if organ:
        reading.blank(re.escape(organ))
    reading.blank(_EVENT)
    if act == "批准":
        reading.blank(_BELOW)
    reading.blank(r"开会|会议?上|底下|下面|谁家|家(?=的)|都?要(?=$|[,，。？?])")
    return True


def _notes_of(record: Record, spoken: str) -> list[str]:
    """The notes of a record that name a day, the term of the organ left out."""
    forms = (fold_organ(n) for _, value in record.extra for n in re.split("[；;\n]", value))
    return [re.sub("第.{1,4}?届", "", form) for form in forms if spoken in form]


def _spoken(date: str) -> str:
    """2030-05-06 as notes write it: 2030年5月6日."""
    year, month, *day = date.split("-")
    return f"{year}年{int(month)}月" + (f"{int(day[0])}日" if day else "")


def _has_no_date(record: Record) -> bool:
    return not record.date.strip() or record.derivation("date") is not None


def _no_date(reading: _Reading) -> None:
    """Rows whose date the catalogue leaves empty."""
    if (match := says_no_date(reading.rest)) is not None:
        reading.add("日期空着", _has_no_date, structural=True)
        reading.take(*match.span())


#: 2018年预算执行情况的报告: the year of the account, which the report of the year after gives.
_ACCOUNT: Final = re.compile(
    r"((?:19|20)[0-9]{2})年(?:度)?的?(?:财政)?(预算执行|决算|预算草案|预算调整)(?:情况)?(?:的?(?:财政)?报告)?"
)
#: Papers about an account that are not the account.
_ABOUT_ACCOUNT: Final = re.compile(r"(?:决议|决定|意见|批复|通知|公告|函)(?:\(.*)?$")


def _accounts(reading: _Reading, question: Question) -> bool:
    """Reports by the year of the budget in their titles; says whether any was asked for."""
    found = list(_ACCOUNT.finditer(reading.rest))
    if len(found) != 1 or question.period is not None or len(question.years) > 1:
        return False
    year, account = found[0].groups()
    pattern = re.compile(rf"{year}年[^0-9]{{0,20}}{account}")

    def keeps(record: Record) -> bool:
        title = search_form(record.title).text
        return bool(pattern.search(title)) and not _ABOUT_ACCOUNT.search(title)

    if not any(keeps(r) for r in reading.view.records):
        return False
    reading.add(f"题名写着{year}年的{account}", keeps)
    reading.take(*found[0].span())
    return True


def _one_time(reading: _Reading, question: Question, *, by_number: bool) -> None:
    if question.dates:
        date = max(question.dates, key=len)
        spoken = _spoken(date)

        def held(record: Record) -> bool:
            extra = " ".join(value for _, value in record.extra)
            return spoken in search_form(f"{record.meeting} {extra}").text

        if _EVENT.search(reading.rest) and any(held(r) for r in reading.view.records):
            reading.add(f"会议或通过日期为{spoken}", held)
            reading.blank(_EVENT)
        else:
            reading.add(f"日期为{spoken}", lambda r: r.date_iso.startswith(date))
    elif len(question.years) == 1:
        (asked,) = question.years
        if by_number:
            reading.add(f"文号年份为{asked}年", lambda r: f"〔{asked}〕" in matching_key(r.doc_no))
        elif _FILING.search(question.form):
            reading.add(f"归档年度为{asked}年", lambda r: r.year == asked)
        else:
            reading.add(f"日期为{asked}年", lambda r: record_year(r) == asked)
            reading.filing_year = asked
    elif len(question.years) > 1:
        wanted = frozenset(question.years)
        shown = "年或".join(map(str, sorted(wanted)))
        reading.add(f"日期为{shown}年", lambda r: record_year(r) in wanted)
    elif question.period is not None:
        # 疫情那几年, 上届: the words are not years, but the question was read as some.
        first, last = question.period.first, question.period.last
        _span_filter(reading, first, last, f"{first}–{last}年")
        for item in question.readings:
            if item.key.startswith(("时间:", "届次:")):
                reading.rest = reading.rest.replace(item.words, " " * len(item.words))
    else:
        return
    reading.blank(_ANY_DATE)


def _provinces(reading: _Reading, question: Question, gazetteer: Gazetteer) -> None:
    """A province is asked about through its cities: 山东各市 → approved by its congress."""
    for place in question.places:
        if not place.endswith(("省", "自治区")):
            continue
        short = gazetteer.short(place)

        def keeps(record: Record, short: str = short) -> bool:
            extra = " ".join(value for _, value in record.extra)
            head = f"{record.title} {record.author} {record.meeting} {extra}"
            return short in search_form(head).text

        if any(keeps(r) for r in reading.view.records) and (
            place in reading.rest or short in reading.rest
        ):
            reading.add(f"地方为“{place}”", keeps)
            reading.take_word(place if place in reading.rest else short)
            if _OF_CITIES.search(reading.rest):
                _cities(reading)
            reading.blank(r"各县|各区|各地|底下|下面|全省")


def _of_a_congress(record: Record) -> bool:
    return "人大" in fold_organ(f"{record.title} {record.author}")


def _cities(reading: _Reading) -> None:
    """Only what cities made: the province's rule on the same subject is none of theirs."""

    def keeps(record: Record) -> bool:
        extra = " ".join(value for _, value in record.extra)
        return any(
            _CITY_HEAD.search(search_form(text).text)
            for text in (record.title, record.author, record.meeting, extra)
        )

    # 各市的, 省里那部不算 says it twice.
    if not any(f.words == _CITIES for f in reading.filters):
        reading.add(_CITIES, keeps)
    reading.blank(_OF_CITIES)
    reading.blank(_OWN)
    reading.blank("全省|(?:咱们?|我们?|本)省(?:里|内)?")


def _places(reading: _Reading, question: Question, gazetteer: Gazetteer) -> None:
    named: list[tuple[str, str, str]] = []
    for place in (*question.places, *question.unknown_places):
        if place.endswith(("省", "自治区")):
            continue
        short = gazetteer.short(place)
        word = place if place in reading.rest else short
        # 关于市十一届人大…… at the head of a title makes 关于 look like a place; 日照 is one.
        known = place in question.places
        if word in reading.rest and (known or _NEUTRAL.sub("", short)):
            named.append((place, short, word))
    joined = "|".join(re.escape(word) for _, _, word in named)
    pairs = re.findall(
        rf"({joined})(?:市|县)?(?:的(?:{'|'.join(PAPER_TYPES)}))?(?:和|跟|与|同|及|、|[,，]?加上?|还有)(?={joined})",
        reading.rest,
    )
    if len(named) > 1 and len(pairs) == len(named) - 1:
        # 威海和烟台的法规加一块: a row is of one of them, of both never.
        tests = [t for place, short, _ in named if (t := _of_place(reading, place, short))]
        if len(tests) == len(named):
            words = "或".join(f"“{place}”" for place, _, _ in named)
            reading.add(f"题名或责任者有{words}", lambda r: any(keeps(r) for keeps in tests))
            for _, _, word in named:
                reading.take_word(word)
            reading.blank("|".join(map(re.escape, reading.types)) or "(?!)")
            reading.blank(r"加上|还有|加(?!起来|一)")
        return
    for place, short, word in named:
        keeps = _of_place(reading, place, short)
        # A place no readable row is about stays unexplained: known or unknown must read the same.
        if keeps is not None:
            reading.add(f"题名或责任者有“{place}”", keeps)
            reading.take_word(word)


def _of_place(reading: _Reading, place: str, short: str) -> Callable[[Record], bool] | None:
    """Tells rows about a place; None when the reader may see none."""

    def keeps(record: Record) -> bool:
        head = search_form(f"{record.title} {record.author}").text
        return place in head or short in head

    return keeps if any(keeps(r) for r in reading.view.records) else None
