"""Which sitting a question means: 届次 as written, with 届 or body missing, or told by time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from assistant.domain import Reading
from assistant.meetings import Meeting, Meetings
from assistant.periods import RELATIVE_YEARS, Period
from index.codes import Body, Session, find_sessions, is_sitting

_BODY: Final = (
    r"(?P<body>人代会|人大会议|人民代表大会(?!常)|两会|常委会(?:会议)?|常务委员会会议|主任会议)"
)
_BODIES: Final = {"常": Body.STANDING_COMMITTEE, "主": Body.CHAIRS}
_YEAR_BEFORE: Final = re.compile(
    r"(?P<when>大前年|前年|去年|今年|(?:19|20)[0-9]{2}年)(?:的)?(?:[0-9]{1,2}月)?(?P<place>[市省县区]|全国)?(?:的)?"
    r"(?P<body>人代会|人大会议|两会)(?!常)"
)
_LAST: Final = re.compile(
    rf"(?P<when>最近(?:的)?一次|最近那次|最新一次|上一次|上次|前一次)(?:的)?[市省县区]?(?:人大)?{_BODY}"
)
_TERM: Final = re.compile(r"(?P<which>上一届|上届|前一届|本届|这一届|这届|现届|当届|上上届)")
_SHIFTS: Final = {"上上届": -2, "上一届": -1, "上届": -1, "前一届": -1}
#: Other sittings named in the ambiguity sentence.
_OTHERS: Final = 4


@dataclass(frozen=True, slots=True)
class AskedSessions:
    """What a question says about sittings.

    Attributes:
        sessions: (届, 次) of the sittings meant, typed or inferred; 届 None when it stays unknown.
        period: Years of the term meant by 上届 and the like; a hint, never required.
        readings: What was inferred.
        notes: Ambiguity sentences: what was taken, what else it could be.
    """

    sessions: tuple[tuple[int | None, int], ...] = ()
    period: Period | None = None
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    sessions: list[tuple[int | None, int]] = field(default_factory=list)
    period: Period | None = None
    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, words: str, fitting: Sequence[Meeting], without: Collection[str]) -> bool:
        """Take the first of the sittings that fit; the others are told."""
        key = f"届次:{words}"
        if not fitting or key in without:
            return False
        chosen, *others = fitting
        self.sessions.append((chosen.term, chosen.number))
        self.readings.append(Reading(key, words, chosen.name))
        if others:
            named = "、".join(m.name for m in others[:_OTHERS])
            rest = f"等 {len(others)} 次" if len(others) > _OTHERS else ""
            self.notes.append(f"我按“{chosen.name}”理解，另有：{named}{rest}。")
        return True


def read_sessions(
    text: str,
    places: Sequence[str],
    meetings: Callable[[], Meetings],
    today: dt.date,
    without: Collection[str] = (),
) -> AskedSessions:
    """The sittings a question means.

    Args:
        text: The standalone question.
        places: Full names of the places it names.
        meetings: Gives the sittings the reader may know of; called only when one is named, for
            the table is gathered at its first use.
        today: Against which 上届, 去年 and 上次 are resolved.
        without: Keys of readings the asker does not want.
    """
    typed = [s for s in find_sessions(text) if is_sitting(s)]
    if not (typed or _YEAR_BEFORE.search(text) or _LAST.search(text) or _TERM.search(text)):
        return AskedSessions()
    found = _Found()
    table = meetings()
    place = places[0] if places else table.own_place
    for session in typed:
        number = session.number or 0
        if (session.term is not None and session.body is not Body.UNDECIDED) or not found.take(
            session.text, _fitting(session, place, table, today), without
        ):
            found.sessions.append((session.term, number))
    if not typed:
        _by_time(text, place, table, today, without, found)
    if match := _TERM.search(text):
        _term(match, place, table, today, without, found)
    return AskedSessions(
        tuple(dict.fromkeys(found.sessions)),
        found.period,
        tuple(found.readings),
        tuple(found.notes),
    )


def _fitting(session: Session, place: str, meetings: Meetings, today: dt.date) -> list[Meeting]:
    """Sittings an incomplete 届次 can be, the likeliest first.

    One's own body before others', the congress before its committee, the latest before older ones.
    """
    found = meetings.find(body=session.body, term=session.term, number=session.number)
    found = [m for m in found if m.date <= today.isoformat()]
    own = [m for m in found if not place or m.place == place]
    if (session.place and len(session.place) > 1) or not own:
        return own
    rank = {Body.CONGRESS: 0, Body.STANDING_COMMITTEE: 1}
    return sorted(own, key=lambda m: rank.get(m.body, 2) if session.term is not None else 0)


def _by_time(
    text: str,
    place: str,
    meetings: Meetings,
    today: dt.date,
    without: Collection[str],
    found: _Found,
) -> None:
    if not place:
        return
    if match := _YEAR_BEFORE.search(text):
        when = match["when"]
        shift = RELATIVE_YEARS.get(when)
        year = today.year + shift if shift is not None else int(when[:4])
        found.take(match.group(), meetings.find(place, Body.CONGRESS, year=year), without)
    elif match := _LAST.search(text):
        body = _BODIES.get(match["body"][0], Body.CONGRESS)
        latest = meetings.latest(place, body, today)
        found.take(match.group(), [latest] if latest else [], without)


def _term(
    match: re.Match[str],
    place: str,
    meetings: Meetings,
    today: dt.date,
    without: Collection[str],
    found: _Found,
) -> None:
    word = match["which"]
    key = f"届次:{word}"
    now = meetings.term_at(place, today) if place else None
    if now is None or key in without:
        return
    term = meetings.term(place, now.number + _SHIFTS.get(word, 0))
    if term is None or term.number < 1:
        return
    found.period = Period(term.first, min(term.last, today.year), is_firm=False)
    found.readings.append(Reading(key, word, f"{place}{term.label}"))
