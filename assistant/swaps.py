"""Questions nobody can answer, made from answerable ones: a name changed, or the paper left out.

The right topic in the wrong town, year or session is what a search by likeness gets wrong most
easily, so refusal is measured on these as well (`chadang eval --swapped`, `--hidden`).
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from assistant.evaluation import Case
from assistant.gazetteer import Gazetteer
from index.text import search_form

#: Real towns far apart; those the holdings do speak of are left out.
_TOWNS: Final = (
    "桐乡",
    "瑞金",
    "敦煌",
    "腾冲",
    "图们",
    "韶山",
    "格尔木",
    "满洲里",
    "凭祥",
    "霍尔果斯",
)
_YEARS_AWAY: Final = (9, 11, 13)
_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?=年|[^0-9号]|$)")
_TERM: Final = re.compile(r"(?<=第)?([一二三四五六七八九十]{1,3})届")
_NUMBER: Final = re.compile(
    r"第?([0-9]{1,4})号(?=(?:代表)?(?:建议|议案|提案|公告|文))|第([0-9]{1,4})号"
)
#: The commonest surnames, then one or two characters, before a title that only people bear.
_PERSON: Final = re.compile(
    r"(?<![\u4e00-\u9fff])?([王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蔡蒋余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤]"
    r"[\u4e00-\u9fff]{1,2}?)(?=代表(?!大会|团|们|建议|议案)|委员(?!会)|主任(?!会)|副主任|市长|县长|局长|院长|检察长|同志|先生|女士)"
)
_STRANGERS: Final = ("欧阳慕白", "司徒远山", "尉迟清泉")


def swapped(cases: Sequence[Case], gazetteer: Gazetteer) -> list[Case]:
    """The answerable cases as they are, then each with one of its names changed.

    Args:
        cases: Questions; those without gold records and counts are left out, and so are
            follow-ups, whose names stand in the question before.
        gazetteer: Places of the holdings.

    Returns:
        Cases of kind `as written` with their gold, and of kinds 换地方, 换年份, 换届次, 换编号 and
        换人名 without: those must be refused. The same cases give the same questions every time.
    """
    made: list[Case] = []
    for case in cases:
        if not case.gold or case.history or case.kind == "count":
            continue
        made.append(replace(case, kind="原题"))
        dice = random.Random(zlib.crc32(case.case_id.encode()))  # noqa: S311 - not for secrets
        for kind, question in _changes(case.question, gazetteer, dice):
            made.append(Case(f"{case.case_id}/{kind}", question, kind, gold=(), role=case.role))
    return made


def hidden(cases: Sequence[Case]) -> list[Case]:
    """The answerable cases as they are, then each with the records that answer it left out.

    That is how the holdings look to a deputy where the paper asked for is not open: the likest
    open one stands in its place and must not be quoted as if it were the one.

    Args:
        cases: Questions; those without gold records, counts and follow-ups are left out.

    Returns:
        Cases of kind 原题, and of kind 缺原件 that must be refused unless another record says what
        the answer must hold.
    """
    made: list[Case] = []
    for case in cases:
        if case.gold and not case.history and case.kind != "count":
            made.append(replace(case, kind="原题"))
            gone = replace(case, case_id=f"{case.case_id}/缺原件", kind="缺原件", gold=())
            made.append(replace(gone, absent=case.gold))
    return made


def _changes(question: str, gazetteer: Gazetteer, dice: random.Random) -> Iterator[tuple[str, str]]:
    places, _ = gazetteer.places_in(search_form(question).text)
    unknown = [t for t in _TOWNS if not gazetteer.in_holdings(f"{t}市")]
    for place in places[:1]:
        short = gazetteer.short(place)
        if short in question and unknown:
            town = dice.choice(unknown)
            yield "换地方", question.replace(place, f"{town}市").replace(short, town)
    year = _YEAR.search(question)
    if year:
        other = str(int(year.group()) - dice.choice(_YEARS_AWAY))
        yield "换年份", question.replace(year.group(), other)
    term = _TERM.search(question)
    if term:
        yield "换届次", question.replace(term.group(), "三十九届", 1)
    number = _NUMBER.search(question)
    if number:
        old = number.group(1) or number.group(2)
        yield "换编号", question.replace(f"{old}号", f"{int(old) + 4000}号", 1)
    person = _PERSON.search(question)
    if person:
        yield "换人名", question.replace(person.group(1), dice.choice(_STRANGERS))
