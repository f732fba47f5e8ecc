"""Columns of the catalogue a question names (类别栏写着“决定”), and what is said about them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

_COLUMN: Final = r"(?:那|这)?一?[栏格项列]?(?:里|上|中)?"
_SAYS: Final = r"(?:都|只|仅|又|也)?(?:写|填|标|记|登记?|著录|归|叫|是|为|属于?|算)(?:着|了|的|成|为|是|作|在|于|进)*"
_OR: Final = "(?:或者?|或是|、|和|及|以及)"
_OPEN, _SHUT = '[“"「『]?', '[”"」』]?'
_AUTHOR: Final = (
    r"(?:(?:发布|制定|印发|发文|颁布|出台)的?)?(?<![级关团])(?:机关|单位|责任者)"
    rf"{_COLUMN}{_SAYS}"
)
#: 机关栏写着, 发布机关是, 作机关: they say that what is named is the author, which is a condition
#: of its own wherever it is named.
AUTHOR_COLUMN: Final = re.compile(rf"{_AUTHOR}|作(?:为)?(?:发布|制定)?(?:机关|责任者)(?=的)")
_QUOTED: Final = r"[“\"「『][^“”\"「」『』]{2,40}[”\"」』]"
#: Quoted, it is all that the column says.
AUTHOR_QUOTED: Final = re.compile(rf"{_AUTHOR}(?P<names>{_QUOTED}(?:{_OR}?{_QUOTED})*)")
#: An author column still there when the authors are read: what it says was not understood.
AUTHOR_LEFT: Final = re.compile(r"(?:机关|单位|责任者)(?:那|这)?一?[栏格]")
#: Where the date column is empty: not what the title does not say, nor a day left out of a date.
DATE_EMPTY: Final = re.compile(
    rf"(?:日期|时间){_COLUMN}(?:都)?(?:是|为)?(?:空着|空的|空白|没填|没写|未填|未写|没有填|没有写|没著录|没给|没标|没登)(?:没填|没写|的)*(?!全|[年月日]|到|清|明)"
    r"|(?:没|未|没有)(?:给|注明|标明?|标注|写明?|填|著录|登记?)(?:上|出)?(?:日期|时间)(?=的|[，,]|$)"
)
_OF_TEXT: Final = re.compile(
    r"(?:题[名目]|标题|名字|名称|[文原]中|正文|原文|[文书信]里)[^，,。]{0,4}$"
)


def says_no_date(rest: str) -> re.Match[str] | None:
    """Where a question says that the date column is empty; None where it does not."""
    return next(
        (m for m in DATE_EMPTY.finditer(rest) if not _OF_TEXT.search(rest[: m.start()])), None
    )


#: 1990年到1999年之间, 上世纪: beside a stretch of time they say it once more.
SAID_TWICE: Final = re.compile(
    r"之间|期间|(?:上个?|二十|20)?世纪(?:[5-9五六七八九]0?十?年代)?(?:即|也就是)?"
)


@lru_cache(maxsize=64)
def _patterns(types: frozenset[str]) -> tuple[re.Pattern[str], re.Pattern[str], Sequence[str]]:
    """How kinds are named as columns, one kind alone, and the kinds, the longest first."""
    ordered = sorted(types, key=len, reverse=True)
    one = "|".join(map(re.escape, ordered)) or "(?!)"
    # “决定”或“决议”, “决定”“决议”, 决定、决议: any of them.
    named = rf"(?:{one})(?:{_SHUT}(?:{_OR}|(?<=[”\"」])(?=[“\"「])){_OPEN}(?:{one}))*"
    # PDF抽取的那类预算报告: 预算报告(PDF抽取) said the other way round.
    turned = "|".join(
        f"(?P<t{n}>{re.escape(inside)}的?(?:[那这]?一?[类种])?的?{re.escape(before)})"
        for n, kind in enumerate(ordered)
        for before, _, inside in [kind.rstrip(")").partition("(")]
        if inside
    )
    whole = re.compile(
        rf"(?:类别|类型|种类|文种){_SHUT}{_COLUMN}{_SAYS}{_OPEN}(?P<kind>{named}){_SHUT}(?!{_OR}?[“\"「])(?![\u4e00-\u9fff]*(?:结尾|收尾))"
        rf"|{_OPEN}(?P<class>{named}){_SHUT}(?:(?:这|那)一?类(?:当?中|里头?)?|一类(?:当?中|里头?))"
        rf"|(?:归在|归入|归到|列在){_OPEN}(?P<in>{named}){_SHUT}一?类(?:当?中|里头?)?"
        + (f"|{turned}" if turned else "")
    )
    return whole, re.compile(one), ordered


def named_kinds(rest: str, types: frozenset[str]) -> list[tuple[str, int, int]]:
    """Kinds a question names as what the type column says.

    Args:
        rest: The question's search form with blanks for what is understood already.
        types: Search forms of what the type column of the readable rows holds.

    Returns:
        For each the type as the column has it and the span of the words.
    """
    whole, one, ordered = _patterns(types)
    found: list[tuple[str, int, int]] = []
    for match in whole.finditer(rest):
        named = match["kind"] or match["class"] or match["in"]
        if named is None:
            group = next(g for g, said in match.groupdict().items() if said and g[0] == "t")
            found.append((ordered[int(group[1:])], *match.span()))
            continue
        found += [(kind, *match.span()) for kind in one.findall(named)]
    return found


def literal_kind(rest: str, types: Collection[str], authors: Collection[str]) -> str:
    """A type that begins with the name of an author (国务院文件) and stands in a question as it is.

    Returns:
        The type, empty where there is none.
    """
    return next(
        (
            kind
            for kind in sorted(types, key=len, reverse=True)
            if kind in rest and any(kind.startswith(name) and kind != name for name in authors)
        ),
        "",
    )
