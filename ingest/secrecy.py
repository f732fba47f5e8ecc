"""Marks of state secrecy (国家秘密标志) on pages and in titles. Pure.

A mark with its star keeps a record out. The bare word where a mark would stand, or in the title,
holds it back until a named archivist has looked. The rule errs towards holding back, but not on
every text that speaks of secrets.

Source:
    保密法 31(3), 57(10); rules R1 and R2 of the domain brief; form of the mark (秘密★10年, top left
    of the first page) by GB/T 9704-2012, 7.2.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Raise it when other records are held back; what was let through is then looked at again.
SECRECY_VERSION: Final = "2"
#: How far down the page a mark stands: serial number, mark and urgency come before everything.
_HEAD_LINES: Final = 12
_HEAD_CHARS: Final = 300
#: Where a bare word, alone on its line, is taken for a mark that lost its star.
_TOP_LINES: Final = 6


class Grade(StrEnum):
    """What is to be done; values are the words shown to people."""

    SECRET = "不予入库"
    REVIEW = "待审核"


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a record is not taken in, in a Chinese phrase that quotes nothing but the word found."""

    grade: Grade
    reason: str


_WORD: Final = r"(?P<word>绝\s?密|机\s?密|秘\s?密)"
#: The star and what OCR makes of it.
_STAR: Final = r"[★☆*⭐※✩✪✭✮✱✲✳⋆✦✶✽]"
#: Most pages hold none of this, before any folding.
_ANY: Final = re.compile(rf"[绝絕机機秘祕]\s*密|密\s*(?:{_STAR}|\uff0a)")
_TERM: Final = r"(?:长\s?期|[0-9〇零一二三四五六七八九十lIoO]{1,3}\s?(?:年|个\s?月|月|天|日))"
_URGENT: Final = r"(?:[(（]?(?:特\s?急|特\s?提|加\s?急|平\s?急|急\s?件|紧\s?急)[)）]?)"
#: With a star, in the head of a page, whatever else is on the line.
_STARRED: Final = re.compile(
    rf"{_WORD}\s{{0,3}}{_STAR}|{_STAR}\s?(?P<word2>绝密|机密|秘密)(?![\u4e00-\u9fff])"
)
#: A line of its own: the word, one sign OCR read for the star or none, and the term.
_TERMED: Final = re.compile(
    rf"\s*(?:[0-9]{{1,8}}\s+)?[(（\[]?\s?{_WORD}\s?[^\s0-9]?\s?{_TERM}\s?[)）\]]?\s*{_URGENT}?\s*"
)
#: A line of its own with a star, wherever it stands on whichever page (an enclosure).
_OWN_LINE: Final = re.compile(
    rf"\s*(?:[0-9]{{1,8}}\s+)?[(（\[]?\s?{_WORD}\s?{_STAR}\s?{_TERM}?\s?[)）\]]?\s*{_URGENT}?"
    r"\s*(?:(?:份号|编号)\s?[:：]?\s?[0-9]{1,8}\s*)?"
)
#: The star and one character of the word: the other was not read, or never typed.
_HALF: Final = re.compile(rf"\s*(?:[0-9]{{1,8}}\s+)?密\s?{_STAR}\s?{_TERM}?\s*{_URGENT}?\s*")
_LABELLED: Final = re.compile(rf"密\s?级\s?[:：]\s?{_WORD}")
#: The word alone on a line near the top: a mark without star, or one whose star was not read.
_ALONE: Final = re.compile(
    rf"\s*(?:[0-9]{{1,8}}\s+)?[(（\[【]?\s?{_WORD}(?:\s?级|\s?文件|\s?件)?\s?[^\u4e00-\u9fff\s]?\s?[)）\]】]?\s*{_URGENT}?\s*"
)
#: Words that hold 秘密 or 机密 and say nothing of this record.
_SPOKEN_OF: Final = re.compile(
    "(?:国家|商业|工作|技术|军事|个人|审计|经济|企业|科技|核心|内部|职业|行业|通信|党和国家|保守|保护|泄露|泄漏|窃取|刺探|涉及|属于|涉|的|、|和|或者|或)"
    "\\s?(?:绝密|机密|秘密)"
    "|(?:绝密|机密|秘密)(?=\\s?(?:投票|表决|选举|写票|划票|警察|战线|侦查|通信|结社|会社|信息|载体|事项|法|与|的|和|或者|、|文件管理|保护|安全|等|级以|级计|级国家))"
)

#: Words of a 密级 column that hold 密 and name no state secret.
_HARMLESS: Final = re.compile(
    "[非无不未免][需用涉定]?保?密(?:级|件|文件|要求|期限)?"
    f"|(?:工作|商业)秘密(?:{_STAR}[0-9年月个长期]*)?|(?<![^、,;()/])已?[解脱]密|(?<![绝机秘])密级"
)
#: Letter codes that catalogue programs write for the three levels (GB/T 7156-2003).
_CODES: Final = frozenset({"MM", "JM", "UM"})
_LEVEL_COLUMN: Final = re.compile("密级|(?:秘密|保密|涉密)(?:等级|级别|程度)")
_CELL: Final = re.compile(rf"[(（\[【]?{_WORD}(?:级|件)?{_STAR}?{_TERM}?[)）\]】]?(?:[(（].*)?")


def judge_title(title: str) -> Finding | None:
    """What the title of a record says; None when nothing speaks against taking it in."""
    text = _folded(title)
    if (match := _STARRED.search(text)) or (match := _LABELLED.search(text)):
        return _secret(match, "题名")
    if match := re.search(_WORD, _SPOKEN_OF.sub("", text)):
        return Finding(Grade.REVIEW, f"题名有“{_word(match)}”字样")
    return None


def judge_page(raw: str, place: str) -> Finding | None:
    """What the text of one page says; None when nothing speaks against taking it in.

    Args:
        raw: The text, from a text layer, OCR or a file.
        place: How the page is called in the reason (`第 1 页`).
    """
    if not _ANY.search(raw):
        return None
    text = _folded(raw)
    lines = [line for line in text.splitlines() if line.strip()]
    head = "\n".join(lines[:_HEAD_LINES])[:_HEAD_CHARS]
    if (match := _STARRED.search(head)) or (match := _LABELLED.search(head)):
        return _secret(match, f"{place}页首")
    for number, line in enumerate(lines):
        if match := _OWN_LINE.fullmatch(line):
            return _secret(match, place)
        if number < _HEAD_LINES and (match := _TERMED.fullmatch(line)):
            return _secret(match, f"{place}页首")
    for line in lines[:_TOP_LINES]:
        if match := _ALONE.fullmatch(line):
            return Finding(Grade.REVIEW, f"{place}页首有“{_word(match)}”字样，没有★")
        if _HALF.fullmatch(line):
            return Finding(Grade.REVIEW, f"{place}页首有“密★”字样，缺字")
    return None


def judge_first_page(raw: str, place: str) -> Finding | None:
    """As `judge_page`, and bare words elsewhere in the head: only the first page has a head."""
    finding = judge_page(raw, place)
    if finding is not None or not _ANY.search(raw):
        return finding
    lines = [line for line in _folded(raw).splitlines() if line.strip()]
    head = "\n".join(lines[:_TOP_LINES])[:_HEAD_CHARS]
    if match := re.search(_WORD, _SPOKEN_OF.sub("", head)):
        return Finding(Grade.REVIEW, f"{place}页首有“{_word(match)}”字样")
    return None


def judge_secrecy(value: str) -> Finding | None:
    """What a catalogue's 密级 column says; None for blank, harmless and unknown words without 密."""
    text = "".join(_folded(value).upper().split())
    bare = _HARMLESS.sub("", text)
    if match := re.search(r"(?P<word>绝密|机密|秘密)", bare):
        return _secret(match, "目录“密级”栏")
    if "密" in bare or text in _CODES or re.match(_STAR, bare):
        return Finding(Grade.REVIEW, "目录“密级”栏的值不认识，可能是国家秘密密级")
    return None


def judge_cells(cells: Iterable[tuple[str, str]]) -> Finding | None:
    """What 备注 and the unmapped columns of a catalogue row say.

    A mark with its star, or a cell that is nothing but a mark; in a column that is headed as one of
    secrecy levels whatever `judge_secrecy` would not let in.
    """
    found = None
    for heading, value in cells:
        text = _folded(value).strip()
        match = _STARRED.search(text) or _CELL.fullmatch("".join(text.split()))
        if match is not None:
            return _secret(match, f"目录“{heading}”栏")
        if _LEVEL_COLUMN.search(heading) and (said := judge_secrecy(value)) is not None:
            said = Finding(said.grade, said.reason.replace("“密级”", f"“{heading}”"))
            if said.grade is Grade.SECRET:
                return said
            found = said
    return found


def _secret(match: re.Match[str], place: str) -> Finding:
    return Finding(Grade.SECRET, f"{place}标有国家秘密标志（{_word(match)}）")


def _word(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return "".join((groups.get("word") or groups.get("word2") or "").split())


def _folded(text: str) -> str:
    """Width folded, the three words in their simplified forms with one blank at most inside them."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[絕機祕](?=\\s*密)", lambda match: _SIMPLE[match[0]], text)
    # A mark is set wide: `机　　　密`.
    return re.sub(r"([绝机秘])[^\S\n]{2,}(?=密)", r"\1 ", text)


_SIMPLE: Final = {"絕": "绝", "機": "机", "祕": "秘"}


__all__ = [
    "SECRECY_VERSION",
    "Finding",
    "Grade",
    "judge_cells",
    "judge_first_page",
    "judge_page",
    "judge_secrecy",
    "judge_title",
]
