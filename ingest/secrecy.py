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
SECRECY_VERSION: Final = "1"
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


#: Most pages hold none of the words.
_ANY: Final = re.compile("[绝絕机機秘祕]\\s?密")
_WORD: Final = r"(?P<word>绝\s?密|机\s?密|秘\s?密)"
#: The star and what OCR makes of it.
_STAR: Final = r"[★☆*⭐※✩✪✭✮✱✲✳⋆✦✶✽]"
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
    rf"\s*(?:[0-9]{{1,8}}\s+)?[(（\[]?\s?{_WORD}\s?{_STAR}\s?{_TERM}?\s?[)）\]]?\s*{_URGENT}?\s*"
)
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


def judge_cells(cells: Iterable[tuple[str, str]]) -> Finding | None:
    """What the unmapped columns of a catalogue row say: a cell that is nothing but a mark."""
    for heading, value in cells:
        text = _folded(value).strip()
        match = re.fullmatch(rf"{_WORD}(?:级|件)?\s?{_STAR}?\s?{_TERM}?", text)
        if match is not None:
            return _secret(match, f"目录“{heading}”栏")
    return None


def _secret(match: re.Match[str], place: str) -> Finding:
    return Finding(Grade.SECRET, f"{place}标有国家秘密标志（{_word(match)}）")


def _word(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return "".join((groups.get("word") or groups.get("word2") or "").split())


def _folded(text: str) -> str:
    """Width folded, the traditional forms of the three words made simplified."""
    text = unicodedata.normalize("NFKC", text)
    return text.replace("絕密", "绝密").replace("機密", "机密").replace("祕密", "秘密")


__all__ = [
    "SECRECY_VERSION",
    "Finding",
    "Grade",
    "judge_cells",
    "judge_first_page",
    "judge_page",
    "judge_title",
]
