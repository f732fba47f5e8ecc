"""Fields read from the pages where the catalogue is silent, each with its evidence (推得).

A catalogue value is never touched. A field is filled only from its own place on a paper: the
number above the title, the day under the signature. The imprint (版记) is no such place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from index.codes import Body, Session, find_dates, find_sessions, parse_date
from index.domain import ADOPTION_NOTE, Derived, Page, Record
from index.text import matching_key
from ingest.heads import Part, TextLine
from ingest.structure import Structure

#: The longest first sentence that stands in for a title.
_LONGEST_SENTENCE: Final = 60
_SHORTEST_SENTENCE: Final = 10
#: Names that scanners, cameras and people in a hurry give.
_NAMELESS: Final = re.compile(
    r"(?:扫描|新建|未命名|文档|文件|图像|图片|照片|影像|scan|img|image|doc|file|page|untitled|副本|copy|[a-z]{0,4})?"
    r"[\W\d_]*",
    re.IGNORECASE,
)
_DAY_BEFORE: Final = re.compile(r"(?P<day>(?:19|20)\d{2}[-.]?\d{2}[-.]?\d{2})[_\s-]+(?P<rest>.+)")
#: Who reports from where, before the first words of a piece of news.
_DATELINE: Final = re.compile(r"[^，。]{2,24}讯\s*(?:[（(][^）)]{1,60}[）)])?\s*")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_FEWEST_HAN: Final = 6
_AMENDED: Final = re.compile(r"修正|修订|修改")
_SENTENCE: Final = re.compile(r"[^。！？!?]{1,400}[。！？!?]?")


def with_derived(
    record: Record, pages: Sequence[Page], structure: Structure, *, catalogued: bool
) -> Record:
    """The record with its blank fields filled from its first paper.

    Args:
        record: The record as the catalogue (or the file name) gives it.
        pages: Its pages, furniture known.
        structure: `ingest.structure.read_structure` of them.
        catalogued: Whether a catalogue row gave the title.
    """
    if record.unit_level == "案卷" or not structure.lines:
        return record
    found: list[Derived] = []
    if not catalogued:
        record, found = _from_name(record)
    head, signed = structure.head, structure.signed
    first = structure.lines[0]
    nameless = not catalogued or record.title in ("", record.record_id)
    if nameless:
        title = head.title or _first_sentence(record.title, first)
        if title is not None and title.value != record.title:
            found.append(_derived("title", title))
    # A paper forwarded behind the first has its own number, signature and day.
    if not record.doc_no and head.doc_no is not None:
        found.append(_derived("doc_no", head.doc_no))
    found += [_derived(ADOPTION_NOTE, note) for note in head.notes]
    # Of a law amended since, the notes tell several sittings and days: none is the record's.
    amended = any(_AMENDED.search(note.value[-8:]) for note in head.notes[1:])
    note = head.notes[0] if head.notes and not amended else None
    if not record.author:
        organ = (signed.organ if signed is not None else None) or head.organ or head.letterhead
        if organ is not None:
            found.append(_derived("author", organ))
    if not record.meeting and (session := _session(note, head.title)) is not None:
        found.append(_derived("meeting", session))
    if not record.date and not record.date_iso:
        day = signed.date if signed is not None else head.day or _day(note)
        if day is not None:
            found.append(_derived("date", day))
    values = {item.field: item.value for item in found if item.field != ADOPTION_NOTE}
    if "date" in values and not record.date_iso:
        iso = parse_date(values["date"])
        record = replace(record, date_iso=iso, year=record.year or (int(iso[:4]) if iso else None))
    return replace(record, **values, derived=tuple(found))  # type: ignore[arg-type]


def _derived(field: str, part: Part) -> Derived:
    return Derived(field, part.value, part.page + 1, part.start, part.end)


def _from_name(record: Record) -> tuple[Record, list[Derived]]:
    """A date at either end of an uncatalogued file's name is taken as its date."""
    title = record.title
    match = _DAY_BEFORE.fullmatch(title)
    if match is not None and (iso := parse_date(match["day"])):
        record = replace(record, title=match["rest"], date=iso, date_iso=iso, year=int(iso[:4]))
        return record, [Derived("date", iso, 0, 0, 0)]
    if title.endswith((")", "）")):
        iso = parse_date(title[max(title.rfind("("), title.rfind("（")) + 1 : -1])
        if iso:
            record = replace(record, date=iso, date_iso=iso, year=int(iso[:4]))
            return record, [Derived("date", iso, 0, 0, 0)]
    return record, []


def _first_sentence(name: str, line: TextLine) -> Part | None:
    """The first sentence, where the file's name says nothing or breaks off inside it."""
    dateline = _DATELINE.match(line.raw)
    start = dateline.end() if dateline else 0
    match = _SENTENCE.match(line.raw, start)
    if match is None:
        return None
    key = _letters(name)
    cut_short = len(key) >= _SHORTEST_SENTENCE and _letters(line.raw).startswith(key)
    if not cut_short and not _NAMELESS.fullmatch(PurePosixPath(name).name):
        return None
    if match.group()[-1] not in "。！？!?" and len(line.raw) < _LONGEST_SENTENCE:
        return None  # the first printed line of a wrapped sentence names nothing
    text = match.group().rstrip("。！？!? ")
    if len(text) > _LONGEST_SENTENCE:
        comma = max(text.rfind(mark, 0, _LONGEST_SENTENCE) for mark in "，,；;")
        if comma < _SHORTEST_SENTENCE:
            return None
        text = text[:comma]
    if len(text) < _SHORTEST_SENTENCE or len(_HAN.findall(text)) < _FEWEST_HAN:
        return None
    if cut_short and start + len(text) < len(name) - 2:
        return None  # the name says more
    begin = line.start + start
    return Part(" ".join(text.split()), line.page, begin, begin + len(text))


def _letters(text: str) -> str:
    """Without the punctuation that file names cannot hold."""
    return re.sub(r"[\W_]+", "", matching_key(text))


def _session(note: Part | None, title: Part | None) -> Part | None:
    """The sitting a paper belongs to: of its note, or that its title begins with."""
    if note is not None:
        for session in find_sessions(note.value):
            if _is_whole(session):
                # The note's lines are joined: the whole note is the evidence.
                return replace(note, value=_words(session))
    if title is not None:
        for session in find_sessions(title.value):
            if _is_whole(session) and session.start == 0:
                return replace(title, value=_words(session))
    return None


def _is_whole(session: Session) -> bool:
    return (
        session.term is not None
        and session.number is not None
        and session.body not in (Body.UNDECIDED, Body.CPPCC)
    )


def _words(session: Session) -> str:
    return session.text.strip("，。 ")


def _day(note: Part | None) -> Part | None:
    """The day a note states first: of adoption, or of reading."""
    if note is None:
        return None
    whole = [date for date in find_dates(note.value) if len(date.iso) == 10]
    return replace(note, value=whole[0].text) if whole else None
