"""When each session sat, gathered from the records: 届次 and dates of rows and pages, 题注.

Terms are counted per body and place, so every look-up is for one place. Only records the reader
may see are used: a session known from a closed record alone is not known to a deputy.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.gazetteer import Gazetteer
from index.access import Permitted
from index.codes import Body, Session, find_dates, find_sessions, int_to_chinese
from index.domain import ADOPTION_NOTE, Page, Record
from index.text import search_form

#: Years of a term. Source: 地方组织法, article on terms (县级以上 five years).
TERM_YEARS: Final = 5
#: Characters of the first page in which the note under the title (题注) is sought.
_HEAD: Final = 400
#: Most characters between a date and the session it belongs to (2019年5月31日示例市第十六届…).
_NEAR: Final = 30
#: Titles of papers that carry a note of adoption.
_NOTED: Final = re.compile(r"决议|决定|条例|办法|规定|规则|公告|纪要|议程|名单|报告|守则|细则")
_OWN_SHARE: Final = 0.5
#: A congress that first met after this month is counted from the end of the year.
_LATE: Final = 9


@dataclass(frozen=True, slots=True)
class Mention:
    """One record's word for a sitting.

    Attributes:
        place: Full name of the place, empty when the record names none.
        body: Whose sitting.
        term: 届.
        number: 次.
        date: ISO date, `YYYY` at least.
        is_exact: Whether the date stands beside the session in the text; otherwise it is the date
            of the paper, which may be days away.
        record_number: Store row number of the record.
    """

    place: str
    body: Body
    term: int
    number: int
    date: str
    is_exact: bool
    record_number: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """A sitting as the records know it.

    Attributes:
        place: Full name of the place, empty when unknown.
        body: Whose.
        term: 届.
        number: 次.
        date: First ISO date known.
        is_exact: Whether the date was stated with the session.
        sources: Store row numbers of the records that say so, ascending.
    """

    place: str
    body: Body
    term: int
    number: int
    date: str
    is_exact: bool
    sources: tuple[int, ...]

    @property
    def label(self) -> str:
        """The sitting in words, without its place."""
        return Session(0, 0, "", "", self.body, self.term, self.number).label

    @property
    def name(self) -> str:
        """Place, sitting and month, for people."""
        year, *month = self.date.split("-")
        when = f"{year}年" + (f"{int(month[0])}月" if month and self.is_exact else "")
        return f"{self.place}{self.label}（{when}）"


@dataclass(frozen=True, slots=True)
class Term:
    """A term (届) of a place with the years it sits.

    Attributes:
        number: 届.
        first: First year.
        last: Last year.
        is_inferred: Whether the years were counted in steps of five from a term on record.
    """

    number: int
    first: int
    last: int
    is_inferred: bool

    @property
    def label(self) -> str:
        """The term in words with its years."""
        years = f"{self.first}年至{self.last}年"
        hint = "，按五年一届推算" if self.is_inferred else ""
        return f"第{int_to_chinese(self.number)}届（{years}{hint}）"


class Meetings:
    """The sittings a reader may know of."""

    def __init__(self, mentions: Iterable[Mention], own_place: str = "") -> None:
        """Group the mentions.

        Args:
            mentions: What the visible records say.
            own_place: The archive's own place; empty = the place of most mentions.
        """
        grouped: dict[tuple[str, Body, int, int], list[Mention]] = {}
        places: Counter[str] = Counter()
        for mention in mentions:
            places[mention.place] += 1
            key = (mention.place, mention.body, mention.term, mention.number)
            grouped.setdefault(key, []).append(mention)
        self.own_place = own_place or _own(places)
        if self.own_place and "" in places:
            # A row that says 十五届人大二次会议 and no place is the archive's own.
            for key in [k for k in grouped if not k[0]]:
                grouped.setdefault((self.own_place, *key[1:]), []).extend(grouped.pop(key))
        self._all = sorted(
            (_meeting(key, group) for key, group in grouped.items()),
            key=lambda m: (m.date, m.term, m.number),
        )

    def __len__(self) -> int:
        """Number of sittings."""
        return len(self._all)

    def __iter__(self) -> Iterator[Meeting]:
        """Sittings by date."""
        return iter(self._all)

    def find(
        self,
        place: str = "",
        body: Body = Body.UNDECIDED,
        term: int | None = None,
        number: int | None = None,
        year: int | None = None,
    ) -> list[Meeting]:
        """Sittings that fit everything that is given, newest first."""
        return [
            m
            for m in reversed(self._all)
            if (not place or m.place == place)
            and (body is Body.UNDECIDED or m.body is body)
            and (term is None or m.term == term)
            and (number is None or m.number == number)
            and (year is None or m.date.startswith(str(year)))
        ]

    def latest(self, place: str, body: Body, today: dt.date) -> Meeting | None:
        """The last sitting of a body on or before today."""
        found = [m for m in self.find(place, body) if m.date <= today.isoformat()]
        return found[0] if found else None

    def term_at(self, place: str, today: dt.date) -> Term | None:
        """The term in office at a day, counted on in steps of five years where records end.

        None when no congress of the place is on record.
        """
        starts = self._starts(place)
        begun = {term: first for term, first in starts.items() if first <= today}
        if not begun:
            return None
        number = max(begun)
        first = begun[number]
        # A congress elected in December 2021 sits until December 2026.
        whole = today.year - first.year - ((today.month, today.day) < (first.month, first.day))
        return self.term(place, number + max(0, whole) // TERM_YEARS)

    def term(self, place: str, number: int) -> Term | None:
        """A term by its number, None when no term of the place is on record."""
        starts = self._starts(place)
        if not starts:
            return None
        known = min(starts, key=lambda n: (abs(n - number), n))
        first = starts[known].year + (number - known) * TERM_YEARS
        following = starts.get(number + 1)
        # The year of change-over belongs to both when the new congress met late in it.
        late = starts[known].month > _LATE
        last = first + TERM_YEARS - (not late)
        if following and following.year > first:
            last = following.year - (following.month <= _LATE)
        return Term(number, first, last, number not in starts)

    def _starts(self, place: str) -> Mapping[int, dt.date]:
        """First day of each term whose beginning can be told.

        The first sitting of a congress begins the term; without it the term is placed by the
        number of a yearly sitting: the third one is in the third year.
        """
        starts: dict[int, dt.date] = {}
        for meeting in self.find(place, Body.CONGRESS):
            year, *rest = map(int, meeting.date.split("-"))
            if meeting.number == 1:
                starts[meeting.term] = dt.date(year, *[*rest, 1, 1][:2])
            elif meeting.term not in starts:
                starts[meeting.term] = dt.date(year - (meeting.number - 1), 1, 1)
        return starts


def no_meetings() -> Meetings:
    """No sittings at all."""
    return Meetings(())


def _own(places: Counter[str]) -> str:
    named = Counter({place: n for place, n in places.items() if place})
    if not named:
        return ""
    place, count = named.most_common(1)[0]
    return place if count > _OWN_SHARE * sum(named.values()) else ""


def _meeting(key: tuple[str, Body, int, int], group: Sequence[Mention]) -> Meeting:
    exact = [m.date for m in group if m.is_exact]
    date = min(exact or [m.date for m in group])
    sources = tuple(sorted({m.record_number for m in group}))
    return Meeting(*key, date, bool(exact), sources)


def mentions_of(
    record: Record, number: int, first_page: Page | None, gazetteer: Gazetteer
) -> list[Mention]:
    """What one record says about sittings: its row, the notes read from it, its first page.

    Args:
        record: The record.
        number: Its store row number.
        first_page: Its page 1, None when it has none.
        gazetteer: Full names of places.
    """
    known, _ = gazetteer.places_in(search_form(f"{record.title} {record.author}").text)
    own = known[0] if known else ""
    notes = [item.value for item in record.derived if item.field == ADOPTION_NOTE]
    texts = [record.title, *(value for _, value in record.extra), *notes]
    if first_page is not None:
        texts.append(first_page.raw[:_HEAD])
    mentions: list[Mention] = []
    for text in texts:
        mentions += _dated(text, own, number, gazetteer)
    if record.date_iso:
        for text in (record.meeting, record.title):
            for session in find_sessions(text):
                # A paper of a session is dated about it; a title that only tells of one is not.
                if text is record.meeting or not mentions:
                    mentions += _mention(session, own, record.date_iso, False, number, gazetteer)
    return mentions


def _dated(text: str, own: str, number: int, gazetteer: Gazetteer) -> Iterator[Mention]:
    dates = find_dates(text)
    sessions = find_sessions(text) if dates else []
    for session in sessions:
        before = [d for d in dates if d.end <= session.start and len(d.iso) == 10]
        if not before or session.start - before[-1].end > _NEAR:
            continue
        between = text[before[-1].end : session.start]
        if "。" in between or "；" in between:
            continue
        yield from _mention(session, own, before[-1].iso, True, number, gazetteer)


def _mention(
    session: Session, own: str, date: str, exact: bool, number: int, gazetteer: Gazetteer
) -> Iterator[Mention]:
    if session.term is None or session.number is None or session.body is Body.CPPCC:
        return
    if session.body is Body.UNDECIDED:
        return
    place = own
    if len(session.place) > 1:
        known, unknown = gazetteer.places_in(search_form(session.place).text)
        place = (known or unknown or (session.place,))[-1]
    yield Mention(place, session.body, session.term, session.number, date, exact, number)


class MeetingsTable:
    """The mentions of one generation; gives each reader the sittings they may know of."""

    def __init__(
        self,
        records: Callable[[], Sequence[tuple[int, Record]]],
        first_page: Callable[[str], Page | None],
        gazetteer: Gazetteer,
        local_body: str = "",
    ) -> None:
        """Bind the sources; nothing is read before it is needed.

        Args:
            records: Rows of the catalogue with their store numbers.
            first_page: Page 1 of a record.
            gazetteer: Full names of places.
            local_body: The archive's own place, empty when not set.
        """
        self._records = records
        self._first_page = first_page
        self._gazetteer = gazetteer
        self._local_body = local_body
        self._lock = threading.Lock()
        self._mentions: list[Mention] | None = None
        self._visible: dict[Permitted, Meetings] = {}

    def visible(self, permitted: Permitted) -> Meetings:
        """The sittings told by records of a permitted set."""
        with self._lock:
            if self._mentions is None:
                self._mentions = self._read()
            if permitted not in self._visible:
                if len(self._visible) > 64:
                    self._visible.clear()
                self._visible[permitted] = Meetings(
                    (m for m in self._mentions if permitted.allows(m.record_number)),
                    self._local_body,
                )
            return self._visible[permitted]

    def _read(self) -> list[Mention]:
        mentions: list[Mention] = []
        for number, record in self._records():
            notes = (d.value for d in record.derived if d.field == ADOPTION_NOTE)
            row = " ".join((record.title, record.meeting, *(v for _, v in record.extra), *notes))
            # The row mostly says it; a page is read only where it does not and a note is likely.
            page = None
            if _NOTED.search(record.title) and not find_sessions(row):
                page = self._first_page(record.record_id)
            mentions += mentions_of(record, number, page, self._gazetteer)
        return mentions
