"""Whether a sentence of a language model says nothing but what the quotations it cites say.

A check by form, on purpose stricter than meaning: what cannot be seen to be in the quotations is
taken to be invented. Losing a good sentence costs nothing, the quotations stand; keeping a bad one
costs trust in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from assistant.domain import Citation
from index.codes import chinese_to_int, find_doc_numbers, find_reference_codes
from index.text import is_han, matching_key, search_form


class Flaw(StrEnum):
    """What a sentence has that its quotations do not. The value is for logs."""

    MARKUP = "markup or invisible characters"
    CODE = "reference code or document number"
    TITLE = "title not cited"
    QUOTATION = "quotation not in the record"
    FIGURE = "number or date not cited"
    NAME = "name or words not cited"
    CLAIM = "conclusion not cited"
    NEGATION = "negation differs"
    LONG = "too long to judge"
    UNCITED = "no citation"
    UNKNOWN = "unknown citation"
    DANGLING = "refers to a sentence taken out"


@dataclass(frozen=True, slots=True)
class Support:
    """What a sentence may draw on, as search forms.

    Attributes:
        quoted: The quotations cited: the only source of conclusions and negations.
        facts: Also titles, dates and sessions of their records: figures may come from here.
        told: Also authors and the question: names and plain words may come from here.
    """

    quoted: str
    facts: str
    told: str


def support_of(citations: Iterable[Citation], question: str) -> Support:
    """Gather what a sentence that cites these may draw on."""
    cited = list(citations)
    quoted = _joined(c.quote for c in cited)
    facts = _joined(
        text
        for c in cited
        for text in (c.record.title, c.record.date, _spoken(c.record.date_iso), c.record.meeting)
    )
    told = _joined([*(c.record.author for c in cited), question])
    return Support(quoted, f"{quoted}。{facts}", f"{quoted}。{facts}。{told}")


def _joined(texts: Iterable[str]) -> str:
    return "。".join(search_form(text).text for text in texts)


def _spoken(iso: str) -> str:
    """2019-05-31 as 2019年5月31日."""
    parts = [str(int(part)) for part in iso.split("-") if part.isdigit()]
    return "".join(part + unit for part, unit in zip(parts, "年月日", strict=False))


#: Characters of a sentence; the longest worth reading has half of it.
_LONGEST: Final = 400
#: Brackets of references, Markdown, HTML, addresses, circled numbers, characters nobody sees.
_MARKUP: Final = re.compile(
    "[\\[\\]\uff3b\uff3d【】{}<>|`*_#~^\\\\=]|https?:|www\\.|[\u2460-\u24ff\u2776-\u2793\u3220-\u32ff]"
    "|[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_CODE: Final = re.compile(r"[〔〕]|(?:[字发函办文]|(?:19|20)[0-9]{2}年?)第?[0-9]+号(?!建议|议案)")
_TITLE: Final = re.compile(r"[《〈]([^》〉]*)[》〉]")
_QUOTATION: Final = re.compile(r"“([^“”]*)”|「([^「」]*)」|『([^『』]*)』|\"([^\"]*)\"|‘([^‘’]*)’")
_QUOTATION_MARK: Final = re.compile("[“”「」『』\"＂‘’']")


def find_flaw(text: str, support: Support) -> Flaw | None:
    """The first thing in a sentence that its citations do not bear out, None when there is none.

    Args:
        text: The sentence without its references.
        support: What it cites.
    """
    if len(text) > _LONGEST:
        return Flaw.LONG
    if _MARKUP.search(text):
        return Flaw.MARKUP
    if _CODE.search(text) or find_doc_numbers(text) or find_reference_codes(text):
        return Flaw.CODE
    told_key = matching_key(support.told)
    if any(matching_key(m[1]) not in told_key or not m[1].strip() for m in _TITLE.finditer(text)):
        return Flaw.TITLE
    if not _quotations_stand(text, support):
        return Flaw.QUOTATION
    form = search_form(without_quotation_marks(text)).text
    if not _figures_stand(form, support.facts):
        return Flaw.FIGURE
    if any(word in form and word not in support.quoted for word in _words("weighty_words.txt")):
        return Flaw.CLAIM
    if not _negations_stand(form, support.quoted):
        return Flaw.NEGATION
    if not _words_stand(form, support.told):
        return Flaw.NAME
    return None


def without_quotation_marks(text: str) -> str:
    """A sentence whose typed quotations are shown as plain words: only the program quotes."""
    return _QUOTATION_MARK.sub("", text)


def _quotations_stand(text: str, support: Support) -> bool:
    for match in _QUOTATION.finditer(text):
        words = search_form("".join(group or "" for group in match.groups())).text
        if not words or words not in support.quoted:
            return False
    return not _QUOTATION_MARK.search(_QUOTATION.sub("", text))


# -- figures --------------------------------------------------------------------------------------

_CN: Final = "〇零○一二三四五六七八九十百千万亿两廿卅"
_FIGURE: Final = re.compile(
    rf"(?P<percent>百分之)?(?:(?P<arabic>[0-9]+(?:,[0-9]{{3}})*(?:\.[0-9]+)?)(?P<times>[百千]?[万亿]?)"
    rf"|(?P<chinese>[{_CN}]+)(?:点(?P<point>[〇零○一二三四五六七八九]+))?)(?P<unit>[{{units}}]?)"
    .replace("{units}", "年月日号时分秒天周季届次条款项章节件份个名位人户家处所座栋幢只头辆里米亩吨斤元角票倍级类批期卷页岁度%‰")
)  # fmt: skip
#: Words that hold a numeral and count nothing.
_NO_FIGURE: Final = re.compile(
    "十分|千万(?!元)|百姓|统一|一致|一般|一定|一些|一样|一直|一并|一起|一切|同一|唯一|进一步|一方面|万一|之一|一旦"
    "|第三方|三农|一体|一府|两院|一个|一项|一种|一是|二是|三是|四是|五是|单一|逐一|专一|一律|一批"
)
_MULTIPLES: Final = {"百": 100, "千": 1000, "万": 10**4, "亿": 10**8}


def _figures_stand(form: str, facts: str) -> bool:
    """Whether every figure, with its unit and the figures it is written together with, is there.

    2019年5月31日 must be one date of the facts, not the year of one and the day of another.
    """
    there = list(_chains(facts))
    return all(
        any(_within(chain, known) for known in there) for chain in _chains(form)
    )  # fmt: skip


Chain = tuple[tuple[str, str], ...]


def _within(chain: Chain, known: Chain) -> bool:
    size = len(chain)
    return any(
        all(
            value == known[at + i][0] and (not unit or unit == known[at + i][1])
            for i, (value, unit) in enumerate(chain)
        )
        for at in range(len(known) - size + 1)
    )


def _chains(form: str) -> Iterator[Chain]:
    """Figures as (value, unit), those written without a gap together."""
    blanked = _NO_FIGURE.sub(lambda m: "\0" * len(m[0]), form)
    chain: list[tuple[str, str]] = []
    end = -1
    for match in _FIGURE.finditer(blanked):
        if chain and match.start() != end:
            yield tuple(chain)
            chain = []
        value = _value(match)
        unit = "%" if match["percent"] else match["unit"]
        if value is not None:
            chain.append((value, unit))
        end = match.end()
    if chain:
        yield tuple(chain)


def _value(match: re.Match[str]) -> str | None:
    """The plain decimal value of a figure, so that 3.2亿 and 三亿二千万 compare equal."""
    try:
        if match["arabic"]:
            value = Decimal(match["arabic"].replace(",", ""))
            for sign in match["times"]:
                value *= _MULTIPLES[sign]
        else:
            whole = chinese_to_int(match["chinese"])
            if whole is None:
                return match[0]
            point = chinese_to_int("零" + match["point"]) if match["point"] else 0
            tail = f".{str(point).zfill(len(match['point']))}" if match["point"] else ""
            value = Decimal(f"{whole}{tail}")
    except InvalidOperation:
        return match[0]
    return f"{value.normalize():f}"


# -- words ----------------------------------------------------------------------------------------

_NEGATOR: Final = re.compile("[不未没无非勿否]")
_NO_NEGATION: Final = re.compile(
    "不仅|不但|不同(?!意)|不断|不少|不久|不只|不光|不动产|不锈|无论|非常|未来|无偿|无障碍|非机动|非物质|非税|是否|能否|可否"
)
_NEGATED: Final = re.compile(
    "(?:不|未|没|没有|无|非|勿|禁止|严禁|不得|不予|不再|不能|不准|尚未|未能|未予|并未|没能|拒绝|暂缓|停止)$"
)


def _negations_stand(form: str, quoted: str) -> bool:
    """Whether what is denied there is denied here, and nothing else.

    `未办结` must not become `办结`, nor `批准` become `不批准`.
    """
    plain = _blank(_NO_NEGATION, form)
    source = _blank(_NO_NEGATION, quoted)
    for match in _NEGATOR.finditer(plain):
        if plain[match.start() : match.start() + 2] not in source:
            return False
    for start, end in _shared_runs(plain, source):
        if _NEGATED.search(plain[max(0, start - 2) : start]):
            continue
        run = plain[start:end]
        places = [m.start() for m in re.finditer(re.escape(run), source)]
        if all(_NEGATED.search(source[max(0, at - 2) : at]) for at in places):
            return False
    return True


def _blank(pattern: re.Pattern[str], form: str) -> str:
    return pattern.sub(lambda m: "\0" * len(m[0]), form)


def _shared_runs(form: str, source: str) -> Iterator[tuple[int, int]]:
    """Longest stretches of Han, two or more, that stand in both, left to right."""
    at = 0
    while at < len(form) - 1:
        end = at
        while end < len(form) and is_han(form[end]) and form[at : end + 1] in source:
            end += 1
        if end - at >= 2:
            yield at, end
            at = end
        else:
            at += 1


#: Titles of persons: whoever bears one must be named in the source, whole.
_PERSON: Final = re.compile(
    "同志|先生|女士|主任|局长|市长|县长|区长|书记|院长|检察长|代表|委员(?!会)"
)
_STRETCH: Final = re.compile(r"[^\W_]+")


def _words_stand(form: str, told: str) -> bool:
    """Whether every word is either one of the joining words or stands in the source.

    Three characters in a row of the source are taken for its words. Two are only where nothing
    unknown touches them: 城市 of the source does not vouch for 邹城市. One character alone may be
    unknown, but not before a person's title.
    """
    known = [False] * len(form)
    for pattern in (_joiner_pattern(), _FIGURE):  # figures are judged by themselves
        for match in pattern.finditer(form):
            known[match.start() : match.end()] = [True] * len(match[0])
    for at in range(len(form) - 2):  # over punctuation too: 市、县(区)
        if form[at : at + 3] in told:
            known[at : at + 3] = [True] * 3
    strays = 0
    for stretch in _STRETCH.finditer(form):
        for start, end in _unknown(known[stretch.start() : stretch.end()]):
            run = stretch.group()[start:end]
            if _tiled(run, told):
                continue
            strays += 1
            if len(run) > 1 or not is_han(run) or _PERSON.match(form, stretch.start() + end):
                return False
    return strays <= 1


def _unknown(known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(known):
        end = start
        while end < len(known) and not known[end]:
            end += 1
        if end > start:
            yield start, end
        start = end + 1


def _tiled(run: str, told: str) -> bool:
    """Whether pairs of the source cover a run from end to end."""
    if not is_han(run[0]):
        return bool(re.search(rf"(?<![0-9a-z]){re.escape(run)}(?![0-9a-z])", told))
    if len(run) < 2:
        return False
    pairs = [run[i : i + 2] in told for i in range(len(run) - 1)]
    covered = [pairs[0], *(a or b for a, b in pairwise(pairs)), pairs[-1]]
    return all(covered)


@cache
def _words(name: str) -> frozenset[str]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    lines = (line.partition("#")[0] for line in text.splitlines())
    return frozenset(word for line in lines for word in line.split())


@cache
def _joiner_pattern() -> re.Pattern[str]:
    words = sorted(_words("joining_words.txt"), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)))
