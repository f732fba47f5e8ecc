"""The imprint at the foot of a paper (版记): 主题词, 抄送, who printed it and when.

Its date is the day of printing, not of the paper, and its organ the printer, not the author; so it
is set aside like a page mark: kept, shown, never quoted.

Source:
    GB/T 9704-2012, 7.4 (版记): 抄送机关、印发机关和印发日期 stand last on the last page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from index.text import search_form

Span = tuple[int, int]

_DATE: Final = r"(?:(?:19|20)\d{2}|[一二][〇○零o0一二三四五六七八九]{3})年[\d一二三四五六七八九十元廿]{1,3}月[\d一二三四五六七八九十廿卅]{1,3}日"
_COPIES: Final = re.compile(r"(?:抄送|抄报|分送|主送|送|发)(?:单位|机关)?[:：].+|抄(?:送|报)[:：]")
#: Sure of itself wherever it stands; the other openings only above one of these.
_SURE: Final = re.compile(r"抄(?:送|报)(?:单位|机关)?[:：].*")
_SUBJECT: Final = re.compile(r"主题词[:：].+")
_PRINTED: Final = re.compile(
    rf"[^。；;，,]{{0,40}}{_DATE}印(?:发|制)?[。]?|[(（]?共印\d{{1,5}}份[)）]?"
)
_PRINTER: Final = re.compile(
    r"[^。；;，,、：:]{2,30}(?:办公室|办公厅|秘书处|秘书局|秘书科|办公处|综合科)"
)
_SMALL: Final = re.compile(r"(?:校对|打字|录入|责任编辑)[:：].{1,20}")
_ANY: Final = re.compile(r"抄\s*[送报報]|印\s*[发發制份]|\d\s*日\s*印|主\s*[题題]\s*[词詞]")
#: Continuation lines of a list of organs.
_MOST_LINES: Final = 10


def imprint_lines(raw: str, lines: Sequence[Span]) -> list[Span]:
    """Which lines of a page are imprint.

    Only what ends the page's text, or ends with a line of printing, counts: `抄送：` opening a
    paragraph in the middle of a page is a sentence like any other.

    Args:
        raw: Text of the page.
        lines: Spans of its lines that are no page furniture yet, in order.

    Returns:
        Spans of imprint lines, in order.
    """
    if not _ANY.search(raw):
        return []
    bare = [raw[a:b] for a, b in lines]
    near = {
        place
        for at, text in enumerate(bare)
        if _ANY.search(text)
        for place in range(at - _MOST_LINES, at + _MOST_LINES)
    }
    # Only lines near such a word are folded: folding whole pages took as long as reading them.
    texts = [
        search_form(text).text.replace(" ", "") if place in near else text
        for place, text in enumerate(bare)
    ]
    found: set[int] = set()
    at = 0
    while at < len(texts):
        end = _block(texts, at)
        if end > at:
            found.update(range(at, end))
            at = end
        else:
            at += 1
    return [lines[i] for i in sorted(found)]


def _block(texts: Sequence[str], at: int) -> int:
    """End of the imprint that begins at a line, `at` when none does."""
    place, sure, printed = at, False, False
    while place < len(texts):
        text = texts[place]
        if _SUBJECT.fullmatch(text):
            place = _subject_to(texts, place)
        elif _COPIES.fullmatch(text):
            sure = sure or bool(_SURE.fullmatch(text))
            place = _copied_to(texts, place)
        elif _PRINTED.fullmatch(text) or _SMALL.fullmatch(text):
            printed = printed or _PRINTED.fullmatch(text) is not None
        elif _PRINTER.fullmatch(text) and place + 1 < len(texts) and _PRINTED.fullmatch(
            texts[place + 1]
        ):  # fmt: skip
            pass
        else:
            break
        place += 1
    last = place == len(texts)
    # A line of printing alone may be a wrapped line of prose unless it closes the page.
    alone = place - at == 1 and not sure and not _SUBJECT.fullmatch(texts[at])
    if place == at or place - at > _MOST_LINES or (alone and not last):
        return at
    return place if (sure and last) or printed or (last and _SUBJECT.fullmatch(texts[at])) else at


def _subject_to(texts: Sequence[str], place: int) -> int:
    """Last line of the subject words: one more where they are wrapped and imprint follows."""
    following, after = (*texts[place + 1 : place + 3], "", "")[:2]
    wrapped = re.fullmatch(r"[^。；;，,：:]{1,30}", following) and not _PRINTER.fullmatch(following)
    ends = any(p.fullmatch(after) for p in (_COPIES, _PRINTED, _PRINTER))
    return place + 1 if wrapped and ends else place


def _copied_to(texts: Sequence[str], place: int) -> int:
    """Last line of a list of organs: it runs on until a full stop or a line of another kind."""
    limit = min(len(texts) - 1, place + 5)
    while place < limit and not texts[place].endswith("。"):
        following = texts[place + 1]
        # A list goes on where it was broken: after a comma, or before more organs and a stop.
        if any(p.fullmatch(following) for p in (_COPIES, _PRINTED, _SUBJECT, _SMALL, _PRINTER)):
            break
        if texts[place][-1] not in "，、,；;" and not re.fullmatch(r"[^：:；;]{2,60}。", following):
            break
        place += 1
    return place
