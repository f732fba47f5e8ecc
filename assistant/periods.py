"""Years, dates and stretches of years that a question names, relative ones resolved against today."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from assistant.domain import Reading
from index.codes import chinese_to_int

_YEAR4: Final = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?=年|[^0-9]|$)(?!号)")
#: What follows a year and no length of time: 16年改的条例, but 干满16年, 16年以上.
_DATED: Final = (
    r"(?=改|修(?:改|订|正)|定的|出台|颁|公布|发布|通过|批准|那(?:会儿|时|阵|次|回)|换届|[春夏秋冬]"
    r"|(?:1[0-2]|[1-9]|十?[一二三四五六七八九十])月)"
)
_YEAR2: Final = re.compile(
    rf"(?<![0-9〇零一二三四五六七八九十满第共达])([5-9][0-9]年(?!代)|0[0-9]年(?!代)|[12][0-9]年{_DATED})"
)
_YEAR_CN: Final = re.compile(r"([一二][〇零○九0-9][〇零○一二三四五六七八九]{2})年")
_YEAR_CN2: Final = re.compile(
    r"(?<![〇零○一二三四五六七八九十满第共达])"
    rf"([五六七八九〇零○][〇零○一二三四五六七八九]年(?!代)|[一二][〇零○一二三四五六七八九]年{_DATED})"
)
_DATE: Final = re.compile(
    r"((?:19|20)[0-9]{2})[年.\-/](1[0-2]|0?[1-9])(?:月份?|[.\-/])?(?:([12][0-9]|3[01]|0?[1-9])[日号]?)?"
)
_MONTH_ONLY: Final = re.compile(
    r"(?<![0-9])(1[0-2]|[1-9])月(?:份)?(?:([12][0-9]|3[01]|[1-9])[日号])?"
)
_DIGITS: Final = {c: str(i % 10) for i, c in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
}
#: Years from this one. 大前年 stands before 前年, which it contains.
RELATIVE_YEARS: Final = {
    "大前年": -3, "前年": -2, "去年": -1, "上年度": -1, "今年": 0, "本年度": 0, "明年": 1,
}  # fmt: skip
_N: Final = r"([0-9]{1,2}|[一二两三四五六七八九十]{1,3})"
#: 今年冬天不在家住, 今年打算盖房: when it happens to the asker, not of when the paper is.
_OWN_YEAR: Final = re.compile(r"(?:今年|明年)[^,，。？?]{0,6}(?:想|打算|准备|不在|满|周?岁)")
_YEARS_AGO: Final = re.compile(rf"(?<![0-9一二三四五六七八九十]){_N}年(?:以?前)(?!的?几)")
#: 近五年, 这十年, 五年来: up to and with this year, as the holdings' yearly reports count.
_LAST_YEARS: Final = re.compile(
    rf"(?:最?近|这|过去的?|前)(?:的)?{_N}(?:年(?!度|期|级|代)|个年头)(?:来|里|间)?"
    rf"|(?<![0-9一二三四五六七八九十]){_N}年(?:以?来)"
)
_YEAR_WORD: Final = r"((?:19|20)[0-9]{2}|[5-9][0-9]|0[0-9])年?(?:[0-9]{1,2}月)?"
_BETWEEN: Final = re.compile(
    rf"(?:从|自)?(?<![0-9]){_YEAR_WORD}(?:到|至|—|-|~|～){_YEAR_WORD}(?![0-9])(?=年|[^0-9.\-/]|$)"
)
_SINCE: Final = re.compile(
    rf"(?<![0-9]){_YEAR_WORD}(?:及|和|或)?(?:其后|以后|之后|以来|起(?!草|来|用|诉)|开始|往后)(?!施行|实施)|自(?:从)?{_YEAR_WORD}(?:以来|起)"
)
_UNTIL: Final = re.compile(rf"(?<![0-9]){_YEAR_WORD}(?:以前|之前|往前)")
_DECADE: Final = re.compile(
    r"(?:(19|20)|(?:上个?|20)世纪|二十世纪)?([0-9])0年代|([五六七八九])十年代"
)
#: What the patterns above stand in, for those who must take the words out of a question.
_STRETCHES: Final = (_BETWEEN, _SINCE, _UNTIL, _LAST_YEARS, _DECADE)
#: Earlier than any paper of a people's congress (the first ones met in 1949-1954).
_FIRST_YEAR: Final = 1949


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of years.

    Attributes:
        first: First year, included.
        last: Last year, included.
        is_firm: Whether the asker named it in years; an era (疫情那几年) or a term (上届) is a hint.
    """

    first: int
    last: int
    is_firm: bool = True

    @property
    def years(self) -> frozenset[int]:
        """Every year of it."""
        return frozenset(range(self.first, self.last + 1))


@dataclass(frozen=True, slots=True)
class Times:
    """What a question says about time.

    Attributes:
        years: Single years named or resolved, in order.
        dates: Dates named more exactly than a year, as `YYYY-MM` or `YYYY-MM-DD`.
        period: The stretch of years, None when none is named.
        readings: Relative words that were resolved.
    """

    years: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()
    period: Period | None = None
    readings: tuple[Reading, ...] = ()


def read_times(form: str, today: dt.date, without: Collection[str] = ()) -> Times:
    """Years, dates and the period of a question.

    Args:
        form: Search form of the question.
        today: Against which relative words are resolved.
        without: Keys of readings the asker does not want.
    """
    dates = _dates(form)
    years = named_years(form)
    period, readings = _period(form, today, without)
    if not years:
        resolved = _relative_year(form, today)
        if resolved and resolved[0].key not in without:
            reading, year = resolved
            years.append(year)
            readings = (*readings, reading)
    if len(set(years)) == 1 and not dates:
        month = _MONTH_ONLY.search(form)
        if month:
            date = f"{years[0]}-{int(month.group(1)):02d}"
            dates.append(f"{date}-{int(month.group(2)):02d}" if month.group(2) else date)
    return Times(tuple(dict.fromkeys(years)), tuple(dict.fromkeys(dates)), period, readings)


def stretch_span(form: str) -> tuple[int, int] | None:
    """Where a question names a stretch of years (近五年, 1990年到1995年), None where it does not."""
    # Same length: every Chinese figure is one digit.
    plain = _YEAR_CN.sub(lambda m: "".join(_DIGITS.get(c, c) for c in m.group(1)) + "年", form)
    return next((m.span() for p in _STRETCHES if (m := p.search(plain))), None)


def _relative_year(form: str, today: dt.date) -> tuple[Reading, int] | None:
    for word, shift in RELATIVE_YEARS.items():
        if word in form and not (shift >= 0 and _OWN_YEAR.search(form)):
            year = today.year + shift
            return Reading(f"时间:{word}", word, f"{year}年"), year
    if match := _YEARS_AGO.search(form):
        year = today.year - (chinese_to_int(match.group(1)) or 0)
        return Reading(f"时间:{match.group()}", match.group(), f"{year}年"), year
    return None


def _dates(form: str) -> list[str]:
    dates: list[str] = []
    for match in _DATE.finditer(form):
        date = f"{match.group(1)}-{int(match.group(2)):02d}"
        if match.group(3):
            date += f"-{int(match.group(3)):02d}"
        dates.append(date)
    return dates


def named_years(form: str) -> list[int]:
    """Every year a text names in figures, Arabic or Chinese, of four digits or two.

    Args:
        form: Search form.
    """
    years = [int(m.group(1)) for m in _YEAR4.finditer(form)]
    years += [full_year(m.group(1)[:2]) for m in _YEAR2.finditer(form)]
    for match in _YEAR_CN.finditer(form):
        years.append(int("".join(_DIGITS.get(c, c) for c in match.group(1))))
    for match in _YEAR_CN2.finditer(form):
        years.append(full_year("".join(_DIGITS[c] for c in match.group(1)[:2])))
    return years


def full_year(text: str) -> int:
    """A year of two digits as 1950-2049."""
    year = int(text)
    return year if year >= 100 else year + (1900 if year >= 50 else 2000)


def _period(
    form: str, today: dt.date, without: Collection[str]
) -> tuple[Period | None, tuple[Reading, ...]]:
    # 二○一○年到二○一五年: told in figures first, so that one grammar serves.
    plain = _YEAR_CN.sub(lambda m: "".join(_DIGITS.get(c, c) for c in m.group(1)) + "年", form)
    if match := _BETWEEN.search(plain):
        first, last = sorted(map(full_year, match.groups()))
        return (Period(first, last), ()) if last - first <= 100 else (None, ())
    if match := _SINCE.search(plain):
        return Period(full_year(match.group(1) or match.group(2)), today.year), ()
    if match := _UNTIL.search(plain):
        return Period(_FIRST_YEAR, full_year(match.group(1)) - 1), ()
    if match := _LAST_YEARS.search(form):
        count = chinese_to_int(match.group(1) or match.group(2)) or 0
        key = f"时间:{match.group()}"
        if 1 < count <= 80 and key not in without:
            first = today.year - count + 1
            meaning = f"{first}年至{today.year}年"
            return Period(first, today.year), (Reading(key, match.group(), meaning),)
        return None, ()
    if match := _DECADE.search(form):
        digit = match.group(2) or str("五六七八九".index(match.group(3)) + 5)
        key = f"时间:{match.group()}"
        if key not in without and (match.group(1) or match.group(3) or digit in "56789"):
            first = int(f"{match.group(1) or '19'}{digit}0")
            meaning = f"{first}年至{first + 9}年"
            return Period(first, first + 9, is_firm=False), (Reading(key, match.group(), meaning),)
    return None, ()
