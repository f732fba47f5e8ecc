"""What a question to the catalogue leaves out, and how a title is to begin or end."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Final

from assistant.catalogue_view import agency_of, is_type, title_end, title_form, title_key
from index.domain import Record
from index.text import matching_key

_OPEN, _SHUT = '[“"「『《]?', '[”"」』》]?'
_WORDS: Final = r"[\u4e00-\u9fff0-9]{1,16}?"
_CHARACTERS: Final = r"(?:这?(?:[一二两三四五六七八九十几]个|[俩仨两三四五六])字|字样|字眼|字)?"
_TITLE: Final = r"(?:题名|标题|题目|名字|名称)?(?:里头?|里面|中|上)?"
_END: Final = r"(?=[，,。？?)）]|$)"
#: 不要, 除外 … at the end of what is said; 青岛不要全文 and 济南不算大 leave nothing out.
_LEFT_OUT: Final = rf"(?:(?:不算|别算|甭算|不要|不计|不含|不包括|除外|刨[掉去开]|撇[开去]|去掉|扣掉|除掉|不在内)(?:在内)?[了的]*{_END})"
_APART: Final = r"(?:的?那(?:些|一?[部件个种份])?|的)?(?:以外|之外|外)?"
_PROVINCE: Final = r"省(?:里|级|一级)?(?:自己)?(?:的)?(?:那|那一)?[部件个级]?"
Keeps = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A condition in words for restating, the test of a row, and where the question says it.

    Without a test it leaves out what a province made, which the places of the holdings tell.
    """

    words: str
    keeps: Keeps | None
    start: int
    end: int


_ENDS: Final = (
    re.compile(rf"{_TITLE}(?:以|用|拿){_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:来|做|作)?(?:结尾|收尾|收口|煞尾)的?"),
    re.compile(rf"{_TITLE}带?{_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:结尾|收尾)的?"),
    re.compile(rf"{_TITLE}(?:末尾|末了|结尾|最后)(?:两个字|几个字)?(?:就)?(?:是|为|叫|带着?|写着){_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:的|$|(?=[，,]))"),
)  # fmt: skip
_NOT_ENDS: Final = (
    re.compile(rf"{_TITLE}(?:可|但|却)?(?:末尾|末了|结尾|最后)(?:又|却|可)?(?:不是|不叫|不带){_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:的|$|(?=[，,]))"),
)  # fmt: skip
_BEGINS: Final = (
    re.compile(rf"{_TITLE}(?:以|由|用|拿|得是|是|打)?{_OPEN}(?P<x>{_WORDS}){_SHUT}(?:打头(?!阵)|开头|起头)的?"),
    re.compile(rf"{_TITLE}打{_OPEN}(?P<x>{_WORDS}){_SHUT}头的?"),
    re.compile(rf"{_TITLE}(?:打头|开头|起头|第一个词)(?:就)?(?:是|为)?{_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:的|$|(?=[，,)）]))"),
)  # fmt: skip
_LACKS: Final = (
    re.compile(rf"(?:题名|标题|题目|名字|名称)(?:里头?|里面|中|上)?(?:可|但|却|又)?(?:没有|没|不带|不含|不写|没写|没带|不出现){_OPEN}(?P<x>{_WORDS}){_SHUT}{_CHARACTERS}(?:的|$|(?=[，,]))"),
    re.compile(rf"(?:可|但|却|又)(?:没有|没|不带|不含|不写|没写|没带)[“\"「](?P<x>{_WORDS})[”\"」]{_CHARACTERS}的?"),
)  # fmt: skip
#: What is left out: a type, what a province made, or what the title says.
_LEAVES_OUT: Final = (
    re.compile(rf"[把将]{_OPEN}(?P<x>{_WORDS}){_SHUT}{_APART}{_LEFT_OUT}的?"),
    re.compile(rf"(?:(?<![清拆消解免废开排驱扫删去扣铲])除(?:了|去|开|(?=[^，,]{{1,16}}[以之]?外))|(?<![我们俺要是你])不是|不算|别算|甭算|不含|不包括|刨[掉去]|撇[开去]|去掉|扣掉)(?:叫|称|题名是)?{_OPEN}(?P<x>{_WORDS}){_SHUT}{_APART}{_END}(?![，,]?我?还[想要有])的?"),
    re.compile(rf"(?:(?<=[，,。？?(（ ])|^){_OPEN}(?P<x>{_WORDS}){_SHUT}{_APART}(?:都|就|也)?{_LEFT_OUT}的?了?"),
)  # fmt: skip
_IS_PROVINCE: Final = re.compile(_PROVINCE)
#: Left out by another column than the title: years by the date, organs by the author.
_NOT_OF_TITLES: Final = re.compile(
    r"[0-9]|[年月日省]$|国务院|人大|常委会|政府|委员会|法院|检察院|[局厅部委]$"
)


#: Patterns of a shape of titles, how it is restated, its test, and what stands before the word in
#: the list of titles that must know it.
_SHAPES: Final[tuple[tuple[tuple[re.Pattern[str], ...], str, Callable[..., bool], str], ...]] = (
    (_NOT_ENDS, "题名末尾不是“{}”", lambda r, x: not title_end(r.title).endswith(x), ""),
    (_ENDS, "题名末尾为“{}”", lambda r, x: title_end(r.title).endswith(x), ""),
    (_BEGINS, "题名以“{}”开头", lambda r, x: title_form(r.title).startswith(x), "\n"),
)


def exclusions(
    rest: str, types: Collection[str], agencies: Collection[str], titles: str
) -> list[Exclusion]:
    """Conditions on how a title begins and ends, and on what is left out.

    Args:
        rest: The question's search form with blanks for what is understood already.
        types: Words for types of papers.
        agencies: Agency words (机关代字) of the holdings' document numbers.
        titles: Matching keys of the titles the reader may see, one per line: what no title has is
            no condition.

    Returns:
        The conditions found, none overlapping another.
    """
    found: list[Exclusion] = []

    def free(match: re.Match[str]) -> bool:
        return not any(match.start() < e.end and e.start < match.end() for e in found)

    for patterns, words, test, before in _SHAPES:
        for match in (m for p in patterns for m in p.finditer(rest) if free(m)):
            x = match["x"]
            if before + matching_key(x) in f"\n{titles}":
                found.append(Exclusion(words.format(x), partial(test, x=x), *match.span()))
    # 题名没有“建议”: the word anywhere in the title, 关于……建议的答复 too, though it is a type.
    for patterns, kinds in ((_LACKS, ((), ())), (_LEAVES_OUT, (types, agencies))):
        for match in (m for p in patterns for m in p.finditer(rest) if free(m)):
            left_out = _left_out(match, *kinds, titles)
            if left_out is not None:
                found.append(Exclusion(*left_out, *match.span()))
    return found


def _left_out(
    match: re.Match[str], types: Collection[str], agencies: Collection[str], titles: str
) -> tuple[str, Keeps | None] | None:
    """A condition and its test for what a match of `_LACKS` or `_LEAVES_OUT` leaves out; None where it is none."""
    x, said = match["x"], match.group()
    quoted = re.search('[“"「『《]', said)
    bare_topic = said.startswith("不是") and not quoted and x not in {*types, *agencies}
    if _NOT_OF_TITLES.search(x) or bare_topic:
        return None
    if _IS_PROVINCE.fullmatch(x):
        return "不含省一级的", None
    if x in types:
        return f"不是“{x}”", lambda r: not is_type(r, x)
    if x in agencies:
        return f"文号不是“{x}”", lambda r: agency_of(r) != x
    key = matching_key(x)
    if len(x) > 1 and key in titles:
        return f"题名没有“{x}”", lambda r: key not in title_key(r.title)
    return None
