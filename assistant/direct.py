"""The words of a quotation that answer a question for a date or a quantity, when they are plain."""

from __future__ import annotations

import re
from typing import Final

from assistant.question import Intent, Question
from index.text import search_form

_CN: Final = "〇零○一二三四五六七八九十百千万亿两"
#: Line breaks and spaces stand anywhere in a scanned line.
_GAP: Final = r"\s*"
_DATE: Final = re.compile(
    rf"(?:(?:19|20)[0-9]{{2}}|[一二][〇零○一二三四五六七八九]{{3}}){_GAP}年"
    rf"(?:{_GAP}[0-9元一二三四五六七八九十]{{1,3}}{_GAP}月)?"
    rf"(?:{_GAP}[0-9一二三四五六七八九十廿卅]{{1,3}}{_GAP}日)?"
    rf"|[0-9]{{1,2}}{_GAP}月{_GAP}[0-9]{{1,2}}{_GAP}日"
)
_UNIT: Final = (
    "个百分点|百分点|个工作日|平方公里|平方米|公里|公顷|小时|分钟|亿元|万元|元|亩|吨|米|秒|%|％|人次|人|名|件|次|部|条|个月|个|项|户|家|所"
    "|处|座|辆|台|套|届|期|票|岁|日|天|周|倍|份|卷|页|只|支|位|级|代|场|起|路|段|株|头|种"
)
_QUANTITY: Final = re.compile(
    rf"(?:百分之[{_CN}]+(?:点[{_CN}]+)?|(?:[0-9][0-9,，.]*|[{_CN}]+){_GAP}(?:万|亿|余|多)?{_GAP}(?:{_UNIT}))"
)
_YEAR_ONLY: Final = re.compile(r"哪(?:一)?年|几几年|何年")
_ASKED_UNIT: Final = re.compile(
    rf"(?:多少|几)(?:万|亿)?({_UNIT})|几(?=号)|多少(?=钱)|百分之(?:多少|几)|多(长时间|久)"
)
_MONEY: Final = re.compile(r"元")
_SPAN: Final = re.compile(r"日|天|个月|年|小时|分钟|秒|周")


def direct_answer(question: Question, quote: str) -> str | None:
    """The one date or quantity in a quotation that the question can mean.

    Args:
        question: The question as read.
        quote: The quotation, raw text.

    Returns:
        A piece of `quote`, or None when the question asks for something else or several pieces
        would do. Numbers the question names itself are no answer to it.
    """
    if question.intent is Intent.WHEN:
        found = _pieces(_DATE, quote)
        if not _YEAR_ONLY.search(question.form):
            longer = [piece for piece in found if "月" in piece]
            found = longer or found
    elif question.intent is Intent.NUMBER:
        found = _fitting(question.form, _pieces(_QUANTITY, quote))
    else:
        return None
    new = [p for p in found if search_form(p).text not in question.form]
    distinct = {search_form(piece).text: piece for piece in new}
    return next(iter(distinct.values())) if len(distinct) == 1 else None


def _pieces(pattern: re.Pattern[str], quote: str) -> list[str]:
    return [match.group() for match in pattern.finditer(quote)]


def _fitting(form: str, pieces: list[str]) -> list[str]:
    """The pieces with the unit the question asks for; none when it names none that can be told."""
    asked = _ASKED_UNIT.search(form)
    if asked is None:
        return []
    if asked.group(2):
        return [p for p in pieces if _SPAN.search(p)]
    unit = asked.group(1)
    if unit is None:
        if asked.group().startswith("百分之"):
            return [p for p in pieces if p.startswith("百分之") or p.endswith(("%", "％"))]
        return [p for p in pieces if _MONEY.search(p)] if asked.group() == "多少" else []
    plain = unit.lstrip("万亿")
    return [p for p in pieces if p.rstrip().endswith(plain)]
