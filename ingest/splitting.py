"""Cutting record text into passages (段落): structure first, length second.

The only file that uses langchain_text_splitters. Every character of the record that is neither
white space nor page furniture lands in exactly one passage.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from index.domain import Page, Passage
from index.sentences import CELL_BREAK
from index.store import passage_id
from index.text import matching_key

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

#: Part of every content hash: raise it when the cutting changes.
SPLITTER_VERSION: Final = "1"
#: Separators from coarse to fine; Chinese sentence ends before commas.
SEPARATORS: Final = ("\n\n", "\n", "。", "！", "？", "；", "，", "")

Span = tuple[int, int]

_N: Final = r"[一二三四五六七八九十百千零〇两\d]{1,6}"
# Deeper levels come later; an article (条) is deeper than chapter and section.
_CHAPTER_LEVELS: Final = (
    (1, re.compile(rf"第{_N}[编篇](?:\s|$|[^\w])|第{_N}部分")),
    (2, re.compile(rf"第{_N}章|附\s*则\s*$|附\s*件\s*{_N}?\s*[:：]?\s*$|目\s*录\s*$")),
    (3, re.compile(rf"第{_N}节")),
)
_ARTICLE: Final = re.compile(rf"第\s?{_N}\s?条(?:之[一二三四五六七八九十])?")
_ITEM_LEVELS: Final = (
    (5, re.compile(r"[一二三四五六七八九十百]{1,4}\s?[、．.]")),
    (6, re.compile(r"[（(][一二三四五六七八九十百]{1,4}[)）]|[㈠-㈩]")),
    (7, re.compile(r"\d{1,2}\s?[、．.](?!\d)")),
    (8, re.compile(r"[（(]\d{1,2}[)）]|[①-⑳]")),
)
_MARKDOWN: Final = re.compile(r"(#{1,6})\s+")
_ARTICLE_LEVEL: Final = 4
_SENTENCE_END: Final = "。！？；!?;：:…"
_HEADING_LONGEST: Final = 45
_TRAIL_LONGEST: Final = 30
_INDENT: Final = re.compile(r"\u3000{1,}|\t| {2,}")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of record text with furniture and white space taken off its ends."""

    start: int
    end: int
    text: str
    paragraph: bool  # a blank line or indent before it
    markdown: int  # level of a Markdown heading, 0 for none


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is kept together if it fits: headings with what follows, an article, a paragraph."""

    start: int
    end: int
    trail: tuple[str, ...]
    article: str = ""  # `第十二条` when the unit begins one


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    trail: tuple[str, ...]
    articles: tuple[str, ...]
    whole: bool  # made of whole units (not cut out of a long one)


def split_record(
    record_id: str,
    title: str,
    pages: Sequence[Page],
    passage_chars: int,
    cuts: Sequence[tuple[int, str]] = (),
) -> list[Passage]:
    """Cut a record into passages.

    Args:
        record_id: The record.
        title: Its title; a heading that only repeats it is left out of the trail.
        pages: Its pages in order; `furniture` is honoured, `start` is not needed.
        passage_chars: Target length of a passage in characters.
        cuts: Offsets in the record text at which papers inside it begin, with the words that head
            them; no passage crosses one.

    Returns:
        Passages in text order, spans of the record text (pages put end to end) that neither
        overlap nor begin or end with white space or furniture. Deterministic.
    """
    text = "".join(page.raw for page in pages)
    starts: list[int] = []
    furniture: list[Span] = []
    position = 0
    for page in pages:
        starts.append(position)
        furniture += [(position + a, position + b) for a, b in page.furniture if a < b]
        position += len(page.raw)
    covers = _Furniture(furniture)
    lines = _lines(text, starts, covers)
    pieces: list[_Piece] = []
    for part, label in _papers(lines, cuts):
        units = _units(part, matching_key(title))
        cut = _merge(_cut(text, units, passage_chars), passage_chars)
        pieces += [replace(piece, trail=(label, *piece.trail)) for piece in cut] if label else cut
    passages = []
    for piece in pieces:
        span = covers.trim(text, piece.start, piece.end)
        if span is None:
            continue
        start, end = span
        raw = text[start:end]
        passages.append(
            Passage(passage_id(record_id, start, raw), record_id, start, end, raw, _heading(piece))
        )
    return passages


def _papers(
    lines: Sequence[_Line], cuts: Sequence[tuple[int, str]]
) -> Iterator[tuple[Sequence[_Line], str]]:
    """Lines of each paper of a record with the words that head it."""
    starts = [bisect_left(lines, offset, key=lambda line: line.start) for offset, _ in cuts]
    borders = [0, *starts, len(lines)]
    for (first, last), label in zip(
        pairwise(borders), ("", *(words for _, words in cuts)), strict=True
    ):
        if first < last:
            yield lines[first:last], label


class _Furniture:
    """Furniture spans of a record, for quick questions."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: list[Span] = []
        for start, end in sorted(spans):
            if self.spans and start <= self.spans[-1][1]:
                self.spans[-1] = (self.spans[-1][0], max(end, self.spans[-1][1]))
            else:
                self.spans.append((start, end))
        self._starts = [start for start, _ in self.spans]

    def at(self, position: int) -> Span | None:
        """The span that holds this character."""
        i = bisect_right(self._starts, position) - 1
        if i >= 0 and position < self.spans[i][1]:
            return self.spans[i]
        return None

    def trim(self, text: str, start: int, end: int) -> Span | None:
        """Take white space and furniture off both ends; None when nothing is left."""
        while start < end:
            if text[start].isspace():
                start += 1
            elif (span := self.at(start)) is not None:
                start = span[1]
            else:
                break
        while start < end:
            if text[end - 1].isspace():
                end -= 1
            elif (span := self.at(end - 1)) is not None:
                end = max(start, span[0])
            else:
                break
        return (start, end) if start < end else None


def _lines(text: str, page_starts: Sequence[int], covers: _Furniture) -> list[_Line]:
    """Lines with something in them; a page border ends a line."""
    borders = sorted({*page_starts, len(text), *(m.end() for m in re.finditer(r"[\n\f]", text))})
    lines: list[_Line] = []
    blank = True
    for start, end in pairwise(borders):
        span = covers.trim(text, start, end)
        if span is None:
            # A line of furniture (page mark) does not end a paragraph, an empty line does.
            blank = blank or not text[start:end].strip()
            continue
        marks = _MARKDOWN.match(text[start:end]) if covers.at(start) else None
        indented = _INDENT.match(text, start) is not None
        lines.append(
            _Line(
                span[0],
                span[1],
                text[span[0] : span[1]],
                blank or indented,
                len(marks.group(1)) if marks else 0,
            )
        )
        blank = False
    return lines


def _level(line: _Line) -> tuple[int, str]:
    """Structural level of a line (0 for none) and its numbering."""
    for level, pattern in _CHAPTER_LEVELS:
        match = pattern.match(line.text)
        if match and len(line.text) <= _HEADING_LONGEST and line.text[-1] not in "。；，":
            return level, match.group()
    match = _ARTICLE.match(line.text)
    if match and re.match(
        r"[\s\u3000]|$|[^的规之和、，及至或]", line.text[match.end() :][:1] or " "
    ):
        return _ARTICLE_LEVEL, re.sub(r"\s", "", match.group())
    for level, pattern in _ITEM_LEVELS:
        match = pattern.match(line.text)
        if match:
            return level, match.group()
    return (line.markdown, "") if line.markdown else (0, "")


def _units(lines: Sequence[_Line], title_key: str) -> list[_Unit]:
    """Group lines into units and give each its trail of headings."""
    units: list[_Unit] = []
    stack: list[tuple[int, str]] = []  # headings in force
    pending: int | None = None  # start of headings not yet joined to a text
    current: tuple[int, int, str] | None = None  # start, end, article
    in_article = False
    contents_level = 0  # headings of this level follow each other without text: a table of contents

    def close() -> None:
        nonlocal current, pending
        if current is not None:
            start, end, article = current
            units.append(_Unit(start, end, tuple(words for _, words in stack), article))
        current, pending = None, None

    def push(level: int, words: str) -> None:
        while stack and stack[-1][0] >= level:
            stack.pop()
        if matching_key(words) != title_key:
            stack.append((level, words[:_TRAIL_LONGEST]))

    for place, line in enumerate(lines):
        level, numbering = _level(line)
        heading = 0 < level < _ARTICLE_LEVEL or line.markdown > 0
        if level > _ARTICLE_LEVEL and not in_article:
            heading = heading or (
                len(line.text) <= _HEADING_LONGEST
                and not any(c in "。；;！？" for c in line.text)
                and line.text[-1] not in "，,：:"
                and (place + 1 < len(lines) and lines[place + 1].text != line.text)
            )
        if heading:
            if current is not None or pending is None:
                close()
                pending = line.start
                contents_level = 0
            elif stack and stack[-1][0] == level:
                contents_level = level
            in_article = False
            push(level, line.text)
            continue
        if contents_level:
            while stack and stack[-1][0] >= contents_level:
                stack.pop()
            contents_level = 0
        starts_unit = (
            level > 0 or line.paragraph or place == 0 or lines[place - 1].text[-1] in _SENTENCE_END
        )
        if level == _ARTICLE_LEVEL:
            in_article = True
        elif in_article and (level > 0 or starts_unit):
            # Paragraphs and numbered items below an article belong to it until the next one.
            starts_unit = False
        if current is None:
            current = (line.start if pending is None else pending, line.end, "")
            pending = None
            if level == _ARTICLE_LEVEL:
                current = (current[0], line.end, numbering)
        elif starts_unit:
            close()
            current = (line.start, line.end, numbering if level == _ARTICLE_LEVEL else "")
        else:
            current = (current[0], line.end, current[2])
        if level > _ARTICLE_LEVEL and not in_article:
            # An item with text on its own line: its first phrase heads what follows.
            words = re.split(r"[。：:；]", line.text, maxsplit=1)[0]
            if len(words) <= _TRAIL_LONGEST and len(words) < len(line.text):
                while stack and stack[-1][0] >= level:
                    stack.pop()
                stack.append((level, words))
            else:
                while stack and stack[-1][0] >= level:
                    stack.pop()
    if current is None and pending is not None:
        current = (pending, lines[-1].end, "")
    close()
    return units


def _cut(text: str, units: Sequence[_Unit], target: int) -> list[_Piece]:
    """Units that fit stay whole, longer ones are cut into pieces of about equal length."""
    largest = _largest(target)
    pieces: list[_Piece] = []
    for unit in units:
        articles = (unit.article,) if unit.article else ()
        if unit.end - unit.start <= largest:
            pieces.append(_Piece(unit.start, unit.end, unit.trail, articles, whole=True))
            continue
        position = unit.start
        for part in _split_long(text[unit.start : unit.end], target):
            pieces.append(_Piece(position, position + len(part), unit.trail, articles, whole=False))
            position += len(part)
    return pieces


def _largest(target: int) -> int:
    return target + target // 4


def _split_long(text: str, target: int) -> list[str]:
    """Cut a long text at the coarsest separators; the parts put end to end are the text again."""
    count = math.ceil(len(text) / target)
    size = min(target, math.ceil(len(text) / count * 1.15))
    masked = _join_wrapped(text)
    parts = _splitter(size).split_text(masked)
    if "".join(parts) != masked:  # never seen; then lengths alone decide
        parts = [masked[i : i + size] for i in range(0, len(masked), size)]
    out: list[str] = []
    position = 0
    for part in parts:
        out.append(text[position : position + len(part)])
        position += len(part)
    return out


def _join_wrapped(text: str) -> str:
    """Mask line ends inside a sentence by spaces, so that a wrapped line is no place to cut.

    A line counts as wrapped when it is about as long as the longest one and no sentence ends there:
    rows of a table are shorter and keep their line ends. Lengths do not change.
    """
    lines = text.split("\n")
    if len(lines) < 3:
        return text
    full = sorted(len(line) for line in lines)[-max(1, len(lines) // 4)]
    out = []
    for line in lines[:-1]:
        wrapped = (
            len(line) >= 0.85 * full
            and line.rstrip()[-1:] not in _SENTENCE_END
            and not _is_table_row(line)
        )
        out.append(line + (" " if wrapped and line.strip() else "\n"))
    return "".join(out) + lines[-1]


def _is_table_row(line: str) -> bool:
    """Whether a line is cells of a table: tabs, or several gaps and no punctuation of a sentence."""
    if "\t" in line or CELL_BREAK in line:
        return True
    gaps = len(re.findall(r"\s+", line.strip()))
    return gaps >= 3 and not any(c in "，。；、" for c in line)


@lru_cache(maxsize=1024)
def _splitter(size: int) -> RecursiveCharacterTextSplitter:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        separators=list(SEPARATORS),
        keep_separator="end",
        chunk_size=size,
        chunk_overlap=0,
        add_start_index=True,
        strip_whitespace=False,
    )


def _merge(pieces: Sequence[_Piece], target: int) -> list[_Piece]:
    """Join small neighbours up to the target length.

    Within a section freely; a new article stays apart once what is before it can stand alone;
    across sections only what is too small to stand alone.
    """
    smallest = target * 15 // 32  # 150 of 320
    tiny = target // 4
    out: list[_Piece] = []
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        if out:
            last = out[-1]
            length = last.end - last.start
            joined = piece.end - last.start
            same = last.trail == piece.trail
            small = length < smallest or (not piece.articles and piece.end - piece.start < smallest)
            near = _common(last.trail, piece.trail)
            if (
                (joined <= target and same and (small or not piece.articles))
                or (
                    joined <= _largest(target)
                    and same
                    and min(length, piece.end - piece.start) < tiny
                )
                or (joined <= _largest(target) and not same and length < tiny)
                or (
                    joined <= target
                    and not same
                    and piece.end - piece.start < tiny
                    and not (following and _leads(piece, following))
                )
                or (joined <= target and not same and length < smallest and bool(near))
            ):
                articles = tuple(dict.fromkeys(last.articles + piece.articles))
                out[-1] = _Piece(last.start, piece.end, near, articles, last.whole and piece.whole)
                continue
        out.append(piece)
    return out


def _leads(piece: _Piece, following: _Piece) -> bool:
    """Whether what follows stands under the headings of this piece."""
    return bool(piece.trail) and following.trail[: len(piece.trail)] == piece.trail


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return a[:n]


def _heading(piece: _Piece) -> str:
    words = list(piece.trail)
    if len(piece.articles) > 1:
        words.append(f"{piece.articles[0]}至{piece.articles[-1]}")
    elif piece.articles:
        words.append(piece.articles[0])
    return " › ".join(words)
