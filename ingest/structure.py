"""Where the papers inside one record (件内文件) begin: 复文 and 来文, 正文 and 附件, 转发 and 被转发.

A boundary is drawn only where a paper was signed before it, where the word 附件 opens a page, or where
the next 附件 by number stands on a line of its own (an office document has no pages to open).
A missed boundary costs a little context; a false one would tear a text apart.

Source:
    DA/T 22-2015, 来文与复文为一件时复文在前; GB/T 9704-2012, 7.3.3 and 7.3.6 (附件说明, 附件).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.codes import chinese_to_int
from index.domain import Page, Record, SubDocument
from index.text import matching_key
from ingest.heads import DAY_ENDS, Head, SignOff, TextLine, is_trailing, read_head, sign_off_at

#: Raise it when boundaries or fields come out differently from the same pages.
STRUCTURE_VERSION: Final = "2"
MAIN: Final = "正文"
REPLY: Final = "复文"
RECEIVED: Final = "来文"
ANNEX: Final = "附件"
FORWARDED: Final = "被转发文"
ISSUED: Final = "所发文件"
OTHER: Final = "另一文件"

_N: Final = r"[一二三四五六七八九十\d]{0,3}"
_ANNEX_ALONE: Final = re.compile(rf"附件?(?P<n>{_N})[:：]?")
_ANNEX_TITLED: Final = re.compile(rf"附件?(?P<n>{_N})[:：](?P<title>[^。；;]{{2,60}})")
_LEFT_OUT: Final = re.compile(r"[(（](?:略|另发|见附件|存档|不发)[)）]$|^\d{1,2}[.、．]")
_REPLIES: Final = re.compile(r"答复|复函|批复|回复|的复(?:文|信)|答复意见")
_FORWARDS: Final = re.compile(r"转发|批转")
_ISSUES: Final = re.compile(r"印发|公布|发布|公告|报请|报送|报批|提请|颁发|颁布")
#: How far below 附件 a signature shows that the line only announces the annexes (附件说明).
_SIGNATURE_NEAR: Final = 8
_SHORTEST_NAME: Final = 6
_LONGEST_TITLE_LINE: Final = 40


@dataclass(frozen=True, slots=True)
class Structure:
    """What a record is made of.

    Attributes:
        parts: Its papers in order; empty when it holds only one.
        lines: Its lines without page furniture.
        head: Head of the first paper.
        body: Index of the first line after the first paper.
        signed: Signature of the first paper, None when it shows none.
    """

    parts: tuple[SubDocument, ...]
    lines: tuple[TextLine, ...]
    head: Head
    body: int
    signed: SignOff | None


def read_structure(record: Record, pages: Sequence[Page], lines: Sequence[TextLine]) -> Structure:
    """Find the papers of a record.

    Args:
        record: The record; its title says what is forwarded. Volumes (案卷) are not divided.
        pages: Its pages, furniture known.
        lines: `ingest.heads.text_lines` of them.
    """
    head = read_head(lines, 0)
    found: list[tuple[int, str, str]] = []  # (line, kind, title)
    first_signed: SignOff | None = None
    if record.unit_level != "案卷" and lines:
        found, first_signed = _boundaries(record, lines, head)
    body = found[0][0] if found else len(lines)
    if not found:
        return Structure((), tuple(lines), head, body, first_signed)
    opening = MAIN
    title = head.title.value if head.title is not None else record.title
    if any(kind == RECEIVED for _, kind, _ in found):
        opening = REPLY
    starts = [(0, opening, title), *found]
    parts = []
    for place, (line, kind, name) in enumerate(starts):
        begins = lines[line]
        last = len(pages)
        if place + 1 < len(starts):
            following = lines[starts[place + 1][0]]
            last = following.page + (0 if following.top else 1)
        # The first paper begins with the record, whatever furniture stands above it.
        page, start = (1, 0) if place == 0 else (begins.page + 1, begins.start)
        parts.append(SubDocument(kind, name, page, start, max(page, last)))
    return Structure(tuple(parts), tuple(lines), head, body, first_signed)


def cuts_of(parts: Sequence[SubDocument], pages: Sequence[Page]) -> list[tuple[int, str]]:
    """Offsets in the record text at which its papers begin, with the words that head them."""
    starts = [0]
    for page in pages:
        starts.append(starts[-1] + len(page.raw))
    return [
        # The main paper is what the record's own title names.
        (starts[part.page - 1] + part.start, "" if place == 0 else label_of(part))
        for place, part in enumerate(parts)
    ]


def label_of(part: SubDocument) -> str:
    """Kind and title of a paper in one line: `附件2《整改清单》`."""
    return f"{part.kind}《{part.title}》" if part.title else part.kind


def _boundaries(
    record: Record, lines: Sequence[TextLine], head: Head
) -> tuple[list[tuple[int, str, str]], SignOff | None]:
    named = _Named(record, lines, head)
    found: list[tuple[int, str, str]] = []
    first_signed: SignOff | None = None
    signed = -1  # line of the signature of the paper being read, -1 while it has none
    annexes = 0
    at, body = max(1, head.end), head.end
    while at < len(lines):
        line = lines[at]
        begun = None
        annex = _annex(lines, at, signed=signed >= 0, following=annexes + 1 if annexes else 0)
        if annex is not None:
            begun = annex
            annexes += 1
        elif (
            signed >= 0
            and not is_trailing(line)
            and (line.top or _after_signature(lines, signed, at))
        ):
            begun = named.paper(at)
        if begun is not None:
            found.append((at, *begun[:2]))
            signed, at, body = -1, begun[2], begun[2]
            continue
        if (sign := _signature(lines, at, body)) is not None:
            signed = at
            if not found and (first_signed is None or sign.organ is not None):
                first_signed = sign
        at += 1
    return found, first_signed


def _signature(lines: Sequence[TextLine], at: int, body: int) -> SignOff | None:
    if at <= body or lines[at].raw[-1] not in DAY_ENDS:
        return None
    rest = lines[at + 1 : at + 4]
    return sign_off_at(lines, at, last=len(rest) < 3 and all(map(is_trailing, rest)))


def _after_signature(lines: Sequence[TextLine], signed: int, at: int) -> bool:
    return all(is_trailing(line) for line in lines[signed + 1 : at])


def _annex(
    lines: Sequence[TextLine], at: int, *, signed: bool, following: int
) -> tuple[str, str, int] | None:
    """Kind, title and first line below, of the annex that begins at a line."""
    line = lines[at]
    if "附" not in line.raw[:4]:
        return None
    alone = _ANNEX_ALONE.fullmatch(line.key)
    match = alone or _ANNEX_TITLED.fullmatch(line.key)
    if match is None:
        return None
    next_one = bool(alone and following and chinese_to_int(match["n"]) == following)
    if not (line.top or signed or next_one):
        return None
    if not signed and not (following and match["n"]) and _signature_near(lines, at):
        return None
    kind = ANNEX + match["n"]
    if alone is None:
        title = re.split(r"[:：]", line.raw, maxsplit=1)[-1].strip()
        return None if _LEFT_OUT.search(match["title"]) else (kind, title, at + 1)
    head = read_head(lines, at + 1)
    if head.title is not None:
        return kind, head.title.value, head.end
    below = lines[at + 1] if at + 1 < len(lines) else None
    if (
        below is not None
        and below.page == line.page
        and len(below.key) <= _LONGEST_TITLE_LINE
        and not re.search(r"[。；：:，]", below.key)
        and not _LEFT_OUT.search(below.key)
    ):
        return kind, "".join(below.raw.split()), at + 2
    return kind, "", at + 1


def _signature_near(lines: Sequence[TextLine], at: int) -> bool:
    near = range(at + 1, min(len(lines), at + 1 + _SIGNATURE_NEAR))
    return any(
        (sign := sign_off_at(lines, i, last=False)) is not None and sign.organ is not None
        for i in near
    )


class _Named:
    """What the first paper names: a paper that follows its signature must be one of these."""

    def __init__(self, record: Record, lines: Sequence[TextLine], head: Head) -> None:
        self._lines = lines
        self._title = head.title.value if head.title is not None else record.title
        self._titles = matching_key(f"{record.title} {self._title}")
        self._text = ""
        self._read = 0

    def paper(self, at: int) -> tuple[str, str, int] | None:
        """Kind, title and first line after the head, of the paper that begins at a line."""
        head = read_head(self._lines, at)
        if head.title is None:
            return None
        title = head.title.value
        key = matching_key(re.sub(r"[（(][^（()）]*[)）]$", "", title))
        if self._read < at:
            self._text += matching_key("".join(x.raw for x in self._lines[self._read : at]))
            self._read = at
        is_named = len(key) >= _SHORTEST_NAME and (
            key in self._titles or f"《{key}》" in self._text
        )
        own_head = head.doc_no is not None or head.letterhead is not None
        if not (is_named or head.addressed or head.notes or own_head):
            return None
        if _FORWARDS.search(self._title):
            return FORWARDED, title, head.end
        if is_named and _ISSUES.search(self._title + self._text[:200]):
            return ISSUED, title, head.end
        if _REPLIES.search(self._title) and not _REPLIES.search(title):
            return RECEIVED, title, head.end
        return OTHER, title, head.end
