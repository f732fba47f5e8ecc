"""Conditions a reader sets beside the question: years, types, sittings, fonds, departments.

They narrow the permitted set before anything is searched, counted or listed. Each stands in the
result as a `Reading`, so that it is shown and taken off like everything else read into a question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from assistant.catalogue_view import plain_type, sessions_of
from assistant.domain import LIMITED, AssistantError, Reading
from index.access import Permitted
from index.codes import Body, int_to_chinese, parse_reference_code
from index.domain import Record

#: Years a record can be of; what lies outside is a slip of the finger.
_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 2999
#: Values one condition may have, and their length; more is no choice made by a person.
_MOST_VALUES: Final = 50
_LONGEST_VALUE: Final = 80
_YEARS: Final = re.compile(r"([0-9]{4})?\s*(?:年)?\s*([-—–~～至到])?\s*([0-9]{4})?\s*年?")

#: Organs of a sitting as people say them; the catalogue writes them in many ways.
_ORGANS: Final[Mapping[Body, str]] = {
    Body.CONGRESS: "人大",
    Body.STANDING_COMMITTEE: "人大常委会",
    Body.CHAIRS: "主任会议",
    Body.PRESIDIUM: "主席团",
    Body.CPPCC: "政协",
}
#: What stands before and after the number of a sitting: 十五届人大二次会议, 十五届人大常委会第九次会议.
_SITTINGS: Final[Mapping[Body, tuple[str, str]]] = {
    Body.CONGRESS: ("人大", "会议"),
    Body.STANDING_COMMITTEE: ("人大常委会第", "会议"),
    Body.CHAIRS: ("第", "主任会议"),
    Body.PRESIDIUM: ("人大主席团第", "会议"),
    Body.CPPCC: ("政协第", "会议"),
}

#: Condition → what people call it, in the order to show.
NAMES: Final[Mapping[str, str]] = {
    "years": "年度",
    "types": "文种",
    "sessions": "届次",
    "fonds": "全宗",
    "departments": "部门",
}


class FilterError(AssistantError):
    """A condition cannot be read; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the search is limited to; an empty condition limits nothing.

    Attributes:
        first_year: First year wanted, None for no bound.
        last_year: Last year wanted, None for no bound.
        types: 文种 without brackets, as `facets` gives them; one of them.
        sessions: Terms and sittings as `facets` gives them (十五届人大二次会议); one of them.
        fonds: 全宗号; one of them.
        departments: 机构（问题） as printed; one of them.
    """

    first_year: int | None = None
    last_year: int | None = None
    types: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    fonds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return self != NO_FILTERS

    def allows(self, record: Record) -> bool:
        """Whether a record meets every condition; a blank field meets none."""
        if self.first_year is not None or self.last_year is not None:
            year = record.year
            if year is None or not (
                (self.first_year or _FIRST_YEAR) <= year <= (self.last_year or _LAST_YEAR)
            ):
                return False
        return (
            (not self.types or type_of(record) in self.types)
            and (not self.sessions or not set(self.sessions).isdisjoint(session_names(record)))
            and (not self.fonds or fonds_of(record) in self.fonds)
            and (not self.departments or record.department.strip() in self.departments)
        )

    def narrowed(self, permitted: Permitted, records: Mapping[int, Record]) -> Permitted:
        """The permitted records that meet the conditions.

        Args:
            permitted: What the reader may see.
            records: All records by row number.
        """
        if not self:
            return permitted
        return Permitted(
            frozenset(n for n, r in records.items() if permitted.allows(n) and self.allows(r))
        )

    def without(self, keys: Collection[str]) -> Filters:
        """The filters less the conditions whose reading has one of these keys."""
        kept = self
        for reading in self.readings():
            if reading.key not in keys:
                continue
            name, _, value = reading.key.removeprefix(f"{LIMITED}:").partition(":")
            field = next(f for f, called in NAMES.items() if called == name)
            if field == "years":
                kept = replace(kept, first_year=None, last_year=None)
            else:
                rest: dict[str, Any] = {field: tuple(v for v in getattr(kept, field) if v != value)}
                kept = replace(kept, **rest)
        return kept

    def readings(self) -> tuple[Reading, ...]:
        """One reading for each condition and value, in the order of `NAMES`."""
        found = []
        for field, name in NAMES.items():
            if field == "years":
                if years := self._years():
                    found.append(Reading(f"{LIMITED}:{name}", name, years))
            else:
                found += [
                    Reading(f"{LIMITED}:{name}:{value}", name, value)
                    for value in getattr(self, field)
                ]
        return tuple(found)

    def _years(self) -> str:
        first, last = self.first_year, self.last_year
        if first is None and last is None:
            return ""
        if first == last:
            return f"{first}年"
        if last is None:
            return f"{first}年以后"
        return f"{last}年以前" if first is None else f"{first}—{last}年"

    def to_json(self) -> dict[str, Any]:
        """What `read_filters` reads; empty conditions left out."""
        body = {name: list(getattr(self, name)) for name in NAMES if name != "years"}
        years = {"first_year": self.first_year, "last_year": self.last_year}
        return {name: value for name, value in {**years, **body}.items() if value}


NO_FILTERS: Final = Filters()


def read_filters(body: object) -> Filters:
    """Conditions from a JSON object with the names of the attributes of `Filters`.

    Raises:
        FilterError: If it is not such an object, a year is no year, or values are too many.
    """
    if not isinstance(body, dict) or body.keys() - _KEYS:
        msg = "检索条件写得不对，请在页面上重新选择。"
        raise FilterError(msg)
    years: dict[str, int | None] = {}
    for name in ("first_year", "last_year"):
        year = body.get(name)
        whole = isinstance(year, int) and not isinstance(year, bool)
        if year is not None and not (whole and _FIRST_YEAR <= year <= _LAST_YEAR):
            msg = "年度要写四位数字，例如 2018。"
            raise FilterError(msg)
        years[name] = year
    first, last = years["first_year"], years["last_year"]
    if first is not None and last is not None and first > last:
        first, last = last, first
    values: dict[str, tuple[str, ...]] = {}
    for name in NAMES:
        if name == "years":
            continue
        given = body.get(name, [])
        if not isinstance(given, list) or len(given) > _MOST_VALUES:
            msg = f"“{NAMES[name]}”选得太多，最多 {_MOST_VALUES} 项。"
            raise FilterError(msg)
        if any(not isinstance(v, str) or len(v) > _LONGEST_VALUE for v in given):
            msg = f"“{NAMES[name]}”的条件写得不对，请重新选择。"
            raise FilterError(msg)
        spelled = (_as_facet(name, v.strip()) for v in given if v.strip())
        values[name] = tuple(dict.fromkeys(spelled))
    return Filters(first, last, **values)


def _as_facet(name: str, value: str) -> str:
    """A value in the spelling of `facets`; one that is no such value stays and finds nothing."""
    if name == "types":
        return plain_type(value) or value
    if name == "sessions":
        return next(iter(session_names(Record("x", "", meeting=value))), value)
    return value


_KEYS: Final = frozenset({"first_year", "last_year", *NAMES} - {"years"})


def read_years(text: str) -> tuple[int | None, int | None]:
    """The years of `2018`, `2018-2020`, `2018-` (since) or `-2020` (until).

    Raises:
        FilterError: If it is none of these.
    """
    unreadable = f"年度“{text}”读不懂。请写 2018、2018-2020、2018-（以后）或 -2020（以前）。"
    match = _YEARS.fullmatch(text.strip())
    if match is None or not (match[1] or match[3]):
        raise FilterError(unreadable)
    first = int(match[1]) if match[1] else None
    last = int(match[3]) if match[3] else None
    if not match[2]:
        if first is not None and last is not None:
            raise FilterError(unreadable)
        first = last = first if first is not None else last
    if first is not None and last is not None and first > last:
        first, last = last, first
    return first, last


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to choose and how many records of the counted set have it."""

    value: str
    records: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What can be chosen, counted over the records given.

    Attributes:
        years: Years in order.
        types: 文种, the commonest first.
        sessions: Terms and sittings, the latest first.
        fonds: 全宗号 in order.
        departments: 机构（问题）, the commonest first.
    """

    years: tuple[Facet, ...]
    types: tuple[Facet, ...]
    sessions: tuple[Facet, ...]
    fonds: tuple[Facet, ...]
    departments: tuple[Facet, ...]


def facets(records: Iterable[Record]) -> Facets:
    """What the filters can be set to.

    Args:
        records: The records the reader may see, and no others: a value that only a hidden record
            has must not be offered.
    """
    years: Counter[int] = Counter()
    types: Counter[str] = Counter()
    sessions: Counter[str] = Counter()
    order: dict[str, tuple[int, int]] = {}
    fonds: Counter[str] = Counter()
    departments: Counter[str] = Counter()
    for record in records:
        if record.year is not None:
            years[record.year] += 1
        types[type_of(record)] += 1
        fonds[fonds_of(record)] += 1
        departments[record.department.strip()] += 1
        for name, place in _sessions(record.meeting, record.title):
            sessions[name] += 1
            order[name] = place
    return Facets(
        tuple(Facet(str(year), count) for year, count in sorted(years.items())),
        _common(types),
        tuple(
            Facet(name, sessions[name])
            for name in sorted(order, key=lambda n: (order[n], n), reverse=True)
        ),
        tuple(sorted(_common(fonds), key=lambda facet: facet.value)),
        _common(departments),
    )


def type_of(record: Record) -> str:
    """The 文种 a record is chosen by: without brackets, empty when the catalogue has none."""
    return plain_type(record.doc_type)


def fonds_of(record: Record) -> str:
    """The 全宗号 in the record's 档号, empty when it has none."""
    return _fonds(record.reference_code)


def session_names(record: Record) -> tuple[str, ...]:
    """Terms and sittings of a record in one spelling: 十五届人大二次会议."""
    return tuple(name for name, _ in _sessions(record.meeting, record.title))


@lru_cache(maxsize=200_000)
def _fonds(reference_code: str) -> str:
    code = parse_reference_code(reference_code) if reference_code else None
    return code.fonds if code is not None else ""


@lru_cache(maxsize=200_000)
def _sessions(meeting: str, title: str) -> tuple[tuple[str, tuple[int, int]], ...]:
    named = {}
    for session in sessions_of(Record("x", title, meeting=meeting)):
        if session.term is None or session.body not in _ORGANS:
            continue
        place = session.place if session.place == "全国" else ""
        name = f"{place}{int_to_chinese(session.term)}届"
        if session.number is None:
            name += _ORGANS[session.body]
        else:
            before, after = _SITTINGS[session.body]
            name += f"{before}{int_to_chinese(session.number)}次{after}"
        named[name] = (session.term, session.number or 0)
    return tuple(named.items())


def _common(counted: Counter[str]) -> tuple[Facet, ...]:
    return tuple(
        Facet(value, count)
        for value, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        if value
    )
