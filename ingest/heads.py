"""The head and foot of a paper (公文): what stands above the text, and who signed it when.

Nothing is composed: every part is a span of a page. What does not look like the part sought in
every respect is left alone, for a wrong field costs more than a missing one.

Source:
    GB/T 9704-2012, 7.2-7.3 (版头: 发文机关标志、发文字号; 主体: 标题、主送机关、署名、成文日期).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from index.codes import find_dates, find_doc_numbers
from index.domain import Page
from index.text import search_form
from ingest.furniture import line_spans


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a record that is no page furniture.

    Attributes:
        page: Index of its page, from 0.
        start: First character in the page's raw text.
        end: One past the last.
        raw: The raw text of the span.
        top: Whether it is the first on its page.
        heading: Whether it is marked as a heading (`# …` in Markdown).
    """

    page: int
    start: int
    end: int
    raw: str
    top: bool
    heading: bool = False

    @property
    def key(self) -> str:
        """Its search form without spaces, of a long line only the beginning.

        Made when asked for: folding every line doubled the time of intake.
        """
        return _key(self.raw[:_LONGEST_LINE])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a head: its words and where they stand (within one page)."""

    value: str
    page: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a paper; a part that is not there is None.

    Attributes:
        title: 标题, lines joined.
        letterhead: 发文机关标志 without 文件.
        doc_no: 发文字号.
        notes: 题注: of adoption and each amendment, or of where and when it was read out.
        organ: An organ named alone under the title.
        day: The date on the line below that organ.
        addressed: Whether a line of addressees (主送机关) follows.
        end: Index of the first line after the head.
    """

    title: Part | None
    letterhead: Part | None
    doc_no: Part | None
    notes: tuple[Part, ...]
    organ: Part | None
    day: Part | None
    addressed: bool
    end: int


@dataclass(frozen=True, slots=True)
class SignOff:
    """Signature and date at the end of a paper; `line` is the index of the date's line."""

    line: int
    date: Part
    iso: str
    organ: Part | None


_ORGAN: Final = re.compile(
    r"[^。；，,;：:!?！？《》“”()\d]{0,36}(?:委员会|常委会|政府|办公厅|办公室|大会|法院|检察院|主席团|党组"
    r"|[^工作生布全]局|[省市区县州]委|[国政党]务?院|厅|[^干一全内外各]部|中心|支队|总队|代表团|研究室|公司|协会|联合会|检查组|调研组)"
)
#: Deputies sign by name; a name is no 责任者 that could be told from other words.
_SIGNED_BY: Final = re.compile(r"(?:建议人|提案人|提出人|领衔人|领衔代表|代表|报告人)[:：].{2,60}")
_GENRE: Final = (
    r"(?:决议|决定|公告|通告|条例|办法|规定|规则|细则|守则|章程|议案|提案|建议|意见|意见书|报告|报告书|通知|通报"
    r"|函|请示|批复|纪要|记录|名单|议程|日程|方案|计划|规划|要点|总结|说明|答复|讲话|发言|简报|公报|批示"
    r"|报告稿|清单|一览表|登记表|意见表|情况表|统计表|汇总表|目录|决算|预算|法)"
)
_SUFFIX: Final = (
    r"(?:[(（][^()（）。]{1,20}[)）]|[(（](?:草案|审议稿|表决稿)[^)）]{0,12}[)）]){0,3}"
)
_TITLE: Final = re.compile(rf"[^。；;！？!?：:]{{2,108}}{_GENRE}{_SUFFIX}")
#: 和 at the head of a line joins, unless a place of that name signs there (和田地区统计局).
_TITLE_GOES_ON: Final = re.compile(
    r"[的及与、》]|和(?!田[地市县]|[平顺龙静硕政]|县|林格尔)|[(（](?:草案|试行|书面|审议稿|送审稿|修订)"
)
_LETTERHEAD: Final = re.compile(
    r"(?!.*关于)[^。；，,;：:《》]{2,40}(?:文件|公报)(?:[(（]\d{1,4}[)）])?"
)
#: `2024年……统计公报`, `……全体会议公报` are papers; the gazette that heads a page bears no year in front.
_REPORTED: Final = re.compile(r"(?:(?:19|20)\d\d年(?!第).*|.*会议)公报")
_MARKS: Final = re.compile(
    r"[a-d]类?|特急|加急|急件|平急|\d{6}|内部(?:资料|文件)|[(（]?草案[)）]?|目录|签发人[:：].{2,12}",
)
_ITEM: Final = re.compile(
    r"[一二三四五六七八九十]{1,3}、|[(（][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}[.、．]|第[一二三四五六七八九十百\d]{1,5}[章节条编]"
)
_ADDRESSED: Final = re.compile(r"[^。；!?！？]{2,90}[:：]")
_NOT_ADDRESSED: Final = re.compile(
    r".*(?:如下|内容|时间|地点|主持|出席|列席|议题|附件|情况|建议|意见|案由|案据|方案|为此)[:：]"
)
_ADOPTED: Final = re.compile(r"(?:通过|批准|公布|修正|修订|发布|施行|印发)[)）]?")
_READ_OUT: Final = re.compile(r"(?:——|--|—|-)?.{0,12}年.{1,70}会议上?(?:的?讲话|书面)?[)）]?")
_TRAILING: Final = re.compile(r"[(（].{1,80}[)）]|联系人.{1,40}|附[:：].{1,40}")
#: What a line that ends in a date ends with; tells most lines before anything is folded.
DAY_ENDS: Final = "日号0123456789"
#: Longer lines are text, never a part of head or foot.
_LONGEST_LINE: Final = 200
_LONGEST_SIGNATURE: Final = 60
_HEAD_LINES: Final = 8
_TITLE_LINES: Final = 5
_LONGEST_TITLE: Final = 110
_LONGEST_HEADING: Final = 100
_NOTE_LINES: Final = 4


def text_lines(pages: Sequence[Page]) -> list[TextLine]:
    """Lines of a record without page furniture, in order."""
    lines: list[TextLine] = []
    for place, page in enumerate(pages):
        top = True
        for start, end in line_spans(page.raw):
            heading = page.raw[start] == "#"
            for first, last in page.furniture:
                if first <= start < last:
                    start = min(end, last)
            while start < end and page.raw[start].isspace():
                start += 1
            if start >= end or any(a < end and start < b for a, b in page.furniture):
                continue
            raw = page.raw[start:end]
            lines.append(TextLine(place, start, end, raw, top, heading))
            top = False
    return lines


def read_head(lines: Sequence[TextLine], at: int) -> Head:
    """Read the head that begins at a line."""
    letterhead = doc_no = None
    place, limit = at, min(len(lines), at + _HEAD_LINES)
    title: Part | None = None
    while place < limit:
        line = lines[place]
        if (number := _doc_no(line)) is not None:
            doc_no = doc_no or number
            place += 1
        elif _MARKS.fullmatch(line.key):
            place += 1
        elif (after := _letterhead_end(lines, place, limit)) > place:
            words = _joined(lines[place:after])
            organ_words = "" if words is None else _bare(words)
            if _ORGAN.fullmatch(_key(organ_words)):
                letterhead = _part(lines[place:after], organ_words)
            place = after
        else:
            title, after = _title(lines, place)
            if title is not None:
                place = after
            break
    if title is None:
        return Head(None, letterhead, doc_no, (), None, None, addressed=False, end=place)
    notes: list[Part] = []
    organ = day = None
    addressed = False
    limit = place + _HEAD_LINES
    while place < min(limit, len(lines)):
        line = lines[place]
        if (number := _doc_no(line)) is not None:
            doc_no = doc_no or number
            place += 1
        elif (after := _note_end(lines, place)) > place:
            words = _joined(lines[place:after])
            if words is not None:
                notes.append(_part(lines[place:after], words.strip("（）()")))
            # A law amended often has a note for each time.
            limit += after - place
            place = after
        elif _ORGAN.fullmatch(line.key):
            organ = organ or _organ(line)
            place += 1
        elif (
            organ is not None and day is None and (signed := sign_off_at(lines, place, last=False))
        ):
            day = signed.date
            place += 1
        elif line.key == _key(title.value):
            place += 1  # the heading of a text file, then the title as printed
        elif (again := _title(lines, place)) and again[0] is not None and _same(again[0], title):
            place = again[1]
        else:
            addressed = bool(
                _ADDRESSED.fullmatch(line.key) and not _NOT_ADDRESSED.fullmatch(line.key)
            )
            break
    return Head(title, letterhead, doc_no, tuple(notes), organ, day, addressed, place)


def sign_off_at(lines: Sequence[TextLine], at: int, *, last: bool) -> SignOff | None:
    """The signature whose date stands on a line, None when there is none.

    Args:
        lines: Lines of the record.
        at: Index of the line.
        last: Whether nothing but remarks follows; then a date needs no organ above it.
    """
    line = lines[at]
    if line.end - line.start > _LONGEST_LINE or line.raw[-1] not in DAY_ENDS:
        return None
    if len(line.key) > _LONGEST_SIGNATURE:
        return None
    dates = find_dates(line.raw)
    if len(dates) != 1 or len(dates[0].iso) != 10:
        return None
    date = dates[0]
    if line.raw[date.end :].strip():
        return None
    day = Part(date.text, line.page, line.start + date.start, line.start + date.end)
    before = line.raw[: date.start].strip()
    if before:
        if not _ORGAN.fullmatch(_key(before)):
            return None
        start = line.start + line.raw.index(before)
        organ = Part(_value(before), line.page, start, start + len(before))
        return SignOff(at, day, date.iso, organ)
    above = lines[at - 1] if at else None
    if above is not None and above.page == line.page and _ORGAN.fullmatch(above.key):
        return SignOff(at, day, date.iso, _organ(above))
    person = above is not None and _SIGNED_BY.fullmatch(above.key)
    return SignOff(at, day, date.iso, None) if person or (last and at) else None


def is_trailing(line: TextLine) -> bool:
    """Whether a line may stand between signature and imprint: `（联系人：……）`, `（此件公开）`."""
    return _TRAILING.fullmatch(line.key) is not None


def _title(lines: Sequence[TextLine], at: int) -> tuple[Part | None, int]:
    first = lines[at]
    if first.heading and 4 <= len(first.key) <= _LONGEST_HEADING and "。" not in first.key:
        count = 1
        while at + count < len(lines) and lines[at + count].heading and count < _TITLE_LINES:
            count += 1
        if count == 1 or _TITLE.fullmatch("".join(x.key for x in lines[at : at + count])):
            return _part(lines[at : at + count], None), at + count
        return _part([first], None), at + 1
    if _ITEM.match(first.key):
        return None, at
    for count in range(1, _TITLE_LINES + 1):
        block = lines[at : at + count]
        if len(block) < count or block[-1].page != first.page or block[-1].heading:
            break
        if count > 1 and (_ITEM.match(block[-1].key) or _doc_no(block[-1]) is not None):
            break
        key = "".join(line.key for line in block)
        if len(key) > _LONGEST_TITLE or re.search(r"[。；：:！？]", key):
            break
        following = lines[at + count] if at + count < len(lines) else None
        goes_on = following is not None and _TITLE_GOES_ON.match(following.key)
        if _TITLE.fullmatch(key) and _balanced(key) and not goes_on:
            return _part(block, None), at + count
    return None, at


def _letterhead_end(lines: Sequence[TextLine], at: int, limit: int) -> int:
    """End of a letterhead of one to three lines, or of an organ alone above its number."""
    for count in (1, 2, 3):
        block = lines[at : min(limit, at + count)]
        key = "".join(line.key for line in block)
        if len(block) == count and _LETTERHEAD.fullmatch(key):
            return at if _REPORTED.fullmatch(key) else at + count
    alone = at + 1 < limit and _ORGAN.fullmatch(lines[at].key)
    return at + 1 if alone and _doc_no(lines[at + 1]) is not None else at


def _doc_no(line: TextLine) -> Part | None:
    """The 文号 that a line consists of; a signatory may stand beside it."""
    if len(line.key) > 45:
        return None
    found = find_doc_numbers(line.raw)
    if len(found) != 1 or not found[0].agency:
        return None
    number = found[0]
    rest = _key(line.raw[: number.start] + line.raw[number.end :])
    if rest and not re.fullmatch(r"签发人[:：]?.{0,12}", rest):
        return None
    return Part(
        _value(number.text), line.page, line.start + number.start, line.start + number.end
    )  # fmt: skip


def _note_end(lines: Sequence[TextLine], at: int) -> int:
    """End of a note of adoption or reading, which may be wrapped; `at` when none begins."""
    key = ""
    if not re.match(r"[(（—\-]|(?:19|20)\d\d年|[一二][〇○零一二九]", lines[at].key):
        return at
    for count in range(1, _NOTE_LINES + 1):
        block = lines[at : at + count]
        if len(block) < count or block[-1].page != lines[at].page:
            return at
        key = "".join(line.key for line in block)
        if "。" in key or len(key) > 160 or not find_dates(key):
            return at
        if key[0] in "(（" and key[-1] not in ")）":
            continue
        bare = key.strip("()（）—-")
        if _ADOPTED.search(bare[-6:]) or (_READ_OUT.fullmatch(bare) and "会议" in bare):
            return at + count
    return at


def _organ(line: TextLine) -> Part:
    """The organs a line names; several that signed together are set apart as in a catalogue."""
    words = line.raw.split()
    together = len(words) > 1 and all(_ORGAN.fullmatch(_key(word)) for word in words)
    return _part([line], ";".join(words) if together else line.raw)


@lru_cache(maxsize=1024)
def _key(text: str) -> str:
    return search_form(text).text.replace(" ", "")


def _joined(block: Sequence[TextLine]) -> str | None:
    if not block or block[0].page != block[-1].page:
        return None
    return "".join(_value(line.raw) for line in block)


def _part(block: Sequence[TextLine], value: str | None) -> Part:
    words = "".join(_value(line.raw) for line in block) if value is None else _value(value)
    return Part(words, block[0].page, block[0].start, block[-1].end)


def _value(raw: str) -> str:
    """Words as they go into a field: white space beside Chinese dropped, nothing else changed."""
    text = re.sub(r"\s+", " ", raw.strip())
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)


def _bare(letterhead: str) -> str:
    return re.sub(r"(?:文件|公报)(?:[(（]\d{1,4}[)）])?$", "", letterhead)


def _balanced(key: str) -> bool:
    return all(key.count(a) == key.count(b) for a, b in ("《》", "“”", "()", "（）"))


def _same(one: Part, other: Part) -> bool:
    a, b = _key(one.value), _key(other.value)
    return a.startswith(b) or b.startswith(a)
