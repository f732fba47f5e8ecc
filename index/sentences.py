"""Sentences of a page: the pieces a quotation is made of. Spans into raw text, nothing altered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.domain import Page
from index.text import search_text

_END: Final = re.compile(r"[。！？!?；;]+[”’」』）)》\"']*")
#: A line that starts a new unit whatever the line above ended with.
STARTER: Final = re.compile(
    r"\s*(?:#{1,6}\s|第[一二三四五六七八九十百千零〇0-9]{1,6}[编章节条]"
    r"|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}[.、．]\s?\D"
    r"|[①-⑳]|附件|抄送|任命|免去|时间[:：]|地点[:：])"
)
#: The note of adoption (题注) under a title.
_ADOPTION_NOTE: Final = re.compile(
    r"\s*[（(]?(?:19|20)\d{2}年\d{1,2}月\d{1,2}日.{0,80}(?:通过|批准|公布|修正|修订|会议上)"
)
#: Where such a note ends; it may run over two lines.
_NOTE_END: Final = re.compile(r"(?:通过|批准|公布|修正|修订|施行|会议上)[)）]\s*$")
#: Between the cells of a table row, put there by the readers.
CELL_BREAK: Final = " | "
_NUMBERS: Final = re.compile(r"[0-9][0-9.,%]*")
#: A date makes no row of a table: 2019年11月29日经某某会议 is a third figures.
_DATE: Final = re.compile(r"(?:19|20)\d{2}年(?:\d{1,2}月(?:\d{1,2}日)?)?")
_MOST_CHARS: Final = 400
#: An item of a list: it says little without the line that opens the list.
ITEM: Final = re.compile(
    r"\s*(?:[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}[.、．]|[一二三四五六七八九十]{1,3}、)"
)
#: A line that opens a list.
LEAD_IN: Final = re.compile(r"[：:]\s*$")
#: How far before an item, in characters of the page, its lead-in is looked for.
LEAD_REACH: Final = 600
_LEAD_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, list item, heading or table row of one page.

    Attributes:
        start: First character in `Page.raw`.
        end: One past the last.
        text: `raw[start:end]`.
        form: Its search form.
        is_row: Whether it looks like a row of a table.
        new_line: Whether it starts on a new line of its own.
    """

    start: int
    end: int
    text: str
    form: str
    is_row: bool = False
    new_line: bool = True


def split_sentences(page: Page, start: int = 0, stop: int | None = None) -> list[Sentence]:
    """Cut a page, or the lines of it that touch raw[start:stop], into sentences, in order.

    Line breaks inside a printed sentence do not end it; a line that starts a section, a list item
    or looks like a table row does. Page furniture is left out; a sentence never spans it.
    """
    raw = page.raw
    stop = len(raw) if stop is None else min(stop, len(raw))
    at = raw.rfind("\n", 0, max(0, start)) + 1
    line_end = raw.find("\n", max(0, stop - 1))
    stop = len(raw) if line_end < 0 else line_end + 1
    spans: list[tuple[int, int, bool]] = []
    for furniture_start, furniture_end in [*sorted(page.furniture), (stop, stop)]:
        if furniture_end < at:
            continue
        if at < furniture_start:
            spans += _split(raw, at, min(furniture_start, stop))
        at = max(at, furniture_end)
        if at >= stop:
            break
    sentences: list[Sentence] = []
    for first, last, new_line in spans:
        text = raw[first:last]
        form = search_text(text)
        if form:
            sentences.append(Sentence(first, last, text, form, _is_row(text), new_line))
    return sentences


def lead_in(sentences: Sequence[Sentence], at: int) -> int | None:
    """Position of the line that opens the list an item belongs to.

    Args:
        sentences: Neighbouring sentences of one page, in order.
        at: Position of the sentence asked about.

    Returns:
        The nearest line before it that ends in a colon, with nothing but items between and at
        most `LEAD_REACH` characters away; None when the sentence is no item or there is none.
    """
    if not ITEM.match(sentences[at].text):
        return None
    for k in range(at - 1, -1, -1):
        if sentences[at].start - sentences[k].start > LEAD_REACH:
            return None
        if LEAD_IN.search(sentences[k].text):
            return k
        if not ITEM.match(sentences[k].text) and sentences[k].new_line:
            return None
    return None


def embedded_sentence(title: str, sentences: Sequence[Sentence], at: int) -> str:
    """The text that is embedded for a sentence: title, lead-in and the sentence, search forms.

    A sentence of a regulation seldom names its subject. With the title before it, and the opening
    line of its list, the right sentence came first on the congress questions in .34 instead of
    .24 and among the first three in .62 instead of .48 (docs/log.md).

    Args:
        title: Search form of the record's title.
        sentences: Neighbouring sentences of one page, in order.
        at: Position of the sentence among them.
    """
    lead = lead_in(sentences, at)
    opening = sentences[lead].form[-_LEAD_CHARS:] if lead is not None else ""
    return f"{title}\n{opening}{sentences[at].form}"


def _is_row(line: str) -> bool:
    if CELL_BREAK in line:
        return True
    numbers = _NUMBERS.findall(_DATE.sub("", line))
    if len(numbers) < 2 or re.search(r"[。，；：]", line):
        return False
    return sum(map(len, numbers)) > 0.25 * len(line.replace(" ", ""))


def _split(raw: str, start: int, stop: int) -> list[tuple[int, int, bool]]:
    """Spans of sentences in raw[start:stop], trimmed of white space."""
    cuts: list[tuple[int, bool]] = []  # (offset of the cut, cut at a line break)
    for match in _END.finditer(raw, start, stop):
        cuts.append((match.end(), False))
    line_start = start
    while True:
        line_end = raw.find("\n", line_start, stop)
        if line_end < 0:
            break
        line = raw[line_start:line_end]
        following = raw[line_end + 1 : min(stop, line_end + 1 + 120)]
        next_line = following.split("\n", 1)[0]
        if (
            not line.strip()
            or not next_line.strip()
            or STARTER.match(next_line)
            or line.lstrip().startswith("#")
            or _is_row(line)
            or _is_row(next_line)
            or line.rstrip().endswith(("：", ":"))
            or (len(line.strip()) < 16 and _ends_short(line))
            or (
                len(line.strip()) < 40
                and not line.rstrip().endswith(("，", ",", "、"))
                and _opens_note(next_line, following)
            )
            or _NOTE_END.search(line)
        ):
            cuts.append((line_end + 1, True))
        line_start = line_end + 1
    cuts.append((stop, True))
    spans: list[tuple[int, int, bool]] = []
    at, new_line = start, True
    for cut, at_break in sorted(set(cuts)):
        if cut <= at:
            new_line = new_line or at_break
            continue
        spans += _trimmed(raw, at, cut, new_line)
        at = cut
        new_line = at_break or raw[cut : cut + 1] == "\n"
    return spans


def _opens_note(line: str, following: str) -> bool:
    """Whether a line opens a note of adoption; one in brackets may run on into the next line."""
    bracketed = line.lstrip().startswith(("(", "（"))
    return bool(_ADOPTION_NOTE.match(following.replace("\n", "") if bracketed else line))


def _ends_short(line: str) -> bool:
    """A short line that does not run on: a title, a date, a signature."""
    return bool(re.search(r"(?:[日年号会]|[委局院府厅办员]|[）)》])\s*$", line))


def _trimmed(raw: str, start: int, end: int, new_line: bool) -> list[tuple[int, int, bool]]:
    while start < end and raw[start].isspace():
        start += 1
    while end > start and raw[end - 1].isspace():
        end -= 1
    spans: list[tuple[int, int, bool]] = []
    while end - start > _MOST_CHARS:
        # A run-on without a stop, such as a bad text layer: cut at a comma, else anywhere.
        window = raw[start : start + _MOST_CHARS]
        comma = max(window.rfind("，"), window.rfind("、"), window.rfind("\n"))
        cut = start + (comma + 1 if comma > _MOST_CHARS // 2 else _MOST_CHARS)
        spans.append((start, cut, new_line))
        start, new_line = cut, False
    if start < end:
        spans.append((start, end, new_line))
    return spans
