"""Counts, lists, groupings and checks answered from the catalogue in full, never from the best hits."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from assistant.catalogue_filters import Conditions, read_conditions, type_filter
from assistant.catalogue_request import Check, Grouping, Request, read_request
from assistant.catalogue_view import CatalogueView, sessions_of, title_key
from assistant.gazetteer import Gazetteer
from assistant.question import Intent, Question
from index.access import Permitted
from index.codes import reference_key
from index.domain import Record
from index.settings import Settings
from index.store import Store

_SELF_MADE: Final = re.compile("[\\[\uff3b][^\\]\uff3d]+[\\]\uff3d]")
_JOINED: Final = re.compile(r"[\u4e00-\u9fff](?:和|与|跟|及|以及|加上)[\u4e00-\u9fff]")
_FIXED_TERM: Final = re.compile(r"(?:D|定期)?([0-9]{1,3})年?")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with one value of what is grouped by; `value` is empty where the catalogue is silent."""

    value: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class CatalogueResult:
    """Catalogue rows that satisfy what a question asks.

    Attributes:
        request: What was wanted.
        records: All of them, by date then id.
        filters: The conditions in words, for restating.
        total: Rows of that level the reader may see: the denominator.
        unit: What the rows are: 件 or 卷.
        unexplained: Content of the question no filter accounts for.
        groups: The rows by value of the grouping; empty when none was asked.
        details: Extra (heading, value) pairs by record id, such as stored pages or due year.
        notes: Chinese sentences on how the figures came about.
        structural: Whether a condition only the catalogue can answer is among the filters.
    """

    request: Request
    records: tuple[Record, ...]
    filters: tuple[str, ...]
    total: int
    unit: str
    unexplained: str
    groups: tuple[Group, ...] = ()
    details: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    notes: tuple[str, ...] = ()
    structural: bool = False


def query_catalogue(
    question: Question,
    view: CatalogueView,
    store: Store,
    permitted: Permitted,
    gazetteer: Gazetteer,
    settings: Settings,
    today: dt.date,
) -> CatalogueResult | None:
    """Answer a question put to the catalogue.

    Args:
        question: The question as read.
        view: The rows the reader may see.
        store: The holdings.
        permitted: What the reader may see; nothing else is looked at.
        gazetteer: Places.
        settings: Give the years after which records are due.
        today: Against which due years are computed.

    Returns:
        The rows, or None when the question is not one for the catalogue or names nothing it can
        be filtered by. Rows of a result with `unexplained` words must not be shown as the answer.
    """
    request = read_request(question)
    if not request.asked and not any(a in request.rest for a in view.agencies):
        return None
    conditions = read_conditions(
        question,
        request.rest,
        view,
        gazetteer,
        today=today,
        about_catalogue=request.plain,
        counts_papers=request.counts_papers,
        topics=request.grouping is not None,
        text_holders=lambda words: store.holders_of(words, permitted),
    )
    whole = request.plain and not conditions.filters
    if not (conditions.filters or request.check or request.extreme or request.grouping or whole):
        return None
    level, unit, volumes = _level(view.records, conditions)
    kept = [r for r in level if conditions.keeps(r)]
    if not kept and "建议" in conditions.types:
        conditions = _with_replies(conditions)
        kept = [r for r in level if conditions.keeps(r)]
    words = [f.words for f in conditions.filters]
    notes = list(conditions.notes)
    details: _Details = {}
    if request.check is not None:
        kept, details, said = _check(request, kept, view, store, permitted, settings, today)
        words.append(request.check.value)
        notes += said
    kept.sort(key=lambda r: (r.date_iso or "9999", natural_key(r.record_id)))
    notes += _year_note(conditions, level, len(kept)) if request.check is None else []
    same_volumes = [r for r in volumes if conditions.keeps(r)]
    if same_volumes and request.check is None and not request.extreme:
        notes.append(f"另有 {len(same_volumes)} 个案卷条目也符合，未计入件数。")
    if request.extreme:
        kept, said = _extreme(request, kept)
        notes += said
    groups = _groups(request.grouping, kept) if request.grouping else ()
    if request.grouping is Grouping.PROPOSER:
        notes.append("一件有几位提出人的，每位各计一次。")
    return CatalogueResult(
        request,
        tuple(kept),
        tuple(words),
        len(level),
        unit,
        conditions.unexplained,
        groups,
        details,
        tuple(notes),
        conditions.structural,
    )


def answers_from_catalogue(question: Question, result: CatalogueResult) -> bool:
    """Whether the rows are the answer rather than what the papers say.

    Every condition must be a filter. A question that only looks like a list or a count (通过了哪些
    决议) goes to the catalogue when it speaks of the holdings or names what only the catalogue has.
    """
    if result.unexplained:
        return False
    request = result.request
    if not request.asked:
        return result.structural and bool(result.records)
    if not result.records and _JOINED.search(question.form) and request.check is None:
        # 国务院和国办发的通知: no row is of both; none is no answer where either was meant.
        return False
    if request.check is not None or request.plain or result.structural:
        return True
    if question.intent is Intent.COUNT:
        return True
    return bool(result.records)


def wanted_a_count(question: Question, result: CatalogueResult) -> bool:
    """Whether the catalogue was plainly asked to count and could not for words it does not know."""
    request = result.request
    asked = question.intent is Intent.COUNT or request.grouping or request.check
    return bool(request.plain and asked and result.unexplained)


def _with_replies(conditions: Conditions) -> Conditions:
    """The same with replies for suggestions: many holdings keep the reply only."""
    words = (*conditions.types, "答复")
    old = type_filter(conditions.types).words
    filters = tuple(type_filter(words) if f.words == old else f for f in conditions.filters)
    note = "目录里没有符合的建议原件，按对建议的答复统计。"
    return replace(conditions, filters=filters, notes=(*conditions.notes, note))


def _level(
    records: Sequence[Record], conditions: Conditions
) -> tuple[list[Record], str, list[Record]]:
    """The rows that count: volumes when asked for, else items, with the volumes beside them."""
    volumes = [r for r in records if r.unit_level == "案卷"]
    if conditions.volumes:
        return volumes, "卷", []
    return [r for r in records if r.unit_level != "案卷"], "件", volumes


def natural_key(code: str) -> tuple[tuple[int, str], ...]:
    """0012-1-35-2 before 0012-1-35-10."""
    return tuple(
        (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", code)
    )


def natural_order(records: Sequence[Record]) -> list[Record]:
    """Records by their code, numbers as numbers."""
    return sorted(records, key=lambda r: natural_key(r.reference_code or r.record_id))


def _year_note(conditions: Conditions, level: Sequence[Record], found: int) -> list[str]:
    """That the filing year would count differently, where it does."""
    year = conditions.filing_year
    if year is None:
        return []
    others = [f for f in conditions.filters if f.words != f"日期为{year}年"]
    filed = sum(r.year == year and all(f.keeps(r) for f in others) for r in level)
    return [f"按归档年度 {year} 年算是 {filed} 件。"] if filed != found else []


def _extreme(request: Request, kept: list[Record]) -> tuple[list[Record], list[str]]:
    dated = [r for r in kept if r.date_iso]
    notes = (
        [f"另有 {len(kept) - len(dated)} 件没有可读的日期，未参加比较。"]
        if len(dated) < len(kept)
        else []
    )
    if not dated:
        return [], notes
    if request.take:
        return (
            dated[: request.take] if request.extreme < 0 else dated[::-1][: request.take]
        ), notes
    date = dated[0 if request.extreme < 0 else -1].date_iso
    return [r for r in dated if r.date_iso == date], notes


# -- groups -----------------------------------------------------------------------------------


def _values(grouping: Grouping, record: Record) -> list[str]:
    if grouping is Grouping.YEAR:
        return [record.date_iso[:4] or str(record.year or "")]
    if grouping is Grouping.MONTH:
        return [record.date_iso[:7] if len(record.date_iso) >= 7 else ""]
    if grouping is Grouping.PROPOSER:
        return list(record.proposers) or [""]
    if grouping is Grouping.SESSION:
        named = sessions_of(record)
        return [record.meeting.strip() or (named[0].text if named else "")]
    plain: dict[Grouping, Callable[[Record], str]] = {
        Grouping.TYPE: lambda r: r.doc_type,
        Grouping.AUTHOR: lambda r: r.author,
        Grouping.DEPARTMENT: lambda r: r.department,
        Grouping.RETENTION: lambda r: r.retention,
        Grouping.OPENING: lambda r: r.opening,
    }
    return [plain[grouping](record).strip()]


def _groups(grouping: Grouping, records: Sequence[Record]) -> tuple[Group, ...]:
    """Rows by value: years, months and sessions in time order, else the largest group first."""
    by_value: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for value in _values(grouping, record):
            by_value[value].append(record)
    groups = [Group(value, tuple(rows)) for value, rows in by_value.items()]
    in_time = grouping in (Grouping.YEAR, Grouping.MONTH, Grouping.SESSION)

    def order(group: Group) -> tuple[bool, int, str, str]:
        first = min((r.date_iso or "9999" for r in group.records), default="")
        return (not group.value, 0 if in_time else -len(group.records), first, group.value)

    return tuple(sorted(groups, key=order))


# -- checks -----------------------------------------------------------------------------------

_Details = dict[str, tuple[tuple[str, str], ...]]


def _check(
    request: Request,
    kept: Sequence[Record],
    view: CatalogueView,
    store: Store,
    permitted: Permitted,
    settings: Settings,
    today: dt.date,
) -> tuple[list[Record], _Details, list[str]]:
    check = request.check
    if check is Check.SELF_MADE:
        return [r for r in kept if _SELF_MADE.search(r.title)], {}, []
    if check is Check.UNCATALOGUED:
        return [r for r in kept if not r.source_file], {}, []
    if check is Check.DUPLICATES:
        seen = Counter(title_key(r.title) for r in kept)
        return [r for r in kept if seen[title_key(r.title)] > 1], {}, []
    if check is Check.DUE:
        return _due(kept, settings, today)
    if check is Check.TRANSFER:
        return _transfer(kept, settings, today)
    pages = store.page_totals(permitted)
    if check is Check.UNLINKED:
        filed = _volumes_with_files(view.records)
        return [r for r in kept if not pages[r.record_id][0] and r.record_id not in filed], {}, []
    if check is Check.UNREADABLE:
        found = [r for r in kept if pages[r.record_id][1]]
        return (
            found,
            {r.record_id: (("识别不出的页", str(pages[r.record_id][1])),) for r in found},
            [],
        )
    return _missing_scans(request, kept, pages)


def _volumes_with_files(records: Sequence[Record]) -> frozenset[str]:
    """Volumes whose files are catalogued one by one: their scans hang on the files."""
    parents = set()
    for record in records:
        if record.unit_level != "案卷" and "-" in record.reference_code:
            parents.add(reference_key(record.reference_code.rpartition("-")[0]))
    return frozenset(
        r.record_id
        for r in records
        if r.unit_level == "案卷" and reference_key(r.reference_code) in parents
    )


def _missing_scans(
    request: Request, kept: Sequence[Record], pages: Mapping[str, tuple[int, int]]
) -> tuple[list[Record], _Details, list[str]]:
    differing = [
        r
        for r in kept
        if r.page_count is not None
        and pages[r.record_id][0]
        and r.page_count != pages[r.record_id][0]
    ]
    notes = []
    if request.told_pages is not None:
        exact = [
            r for r in differing if (r.page_count, pages[r.record_id][0]) == request.told_pages
        ]
        told, stored = request.told_pages
        if exact:
            differing = exact
        else:
            notes.append(f"没有正好目录 {told} 页、影像 {stored} 页的；以下是所有页数不符的。")
    details: _Details = {
        r.record_id: (
            ("目录页数", str(r.page_count)),
            ("已挂页数", str(pages[r.record_id][0])),
            ("相差", _difference(r.page_count or 0, pages[r.record_id][0])),
        )
        for r in differing
    }
    silent = sum(r.page_count is None for r in kept)
    if silent:
        notes.append(f"目录没有填页数的 {silent} 件无从核对。")
    unlinked = sum(r.page_count is not None and not pages[r.record_id][0] for r in kept)
    if unlinked:
        notes.append(f"另有 {unlinked} 件完全没有挂接原文。")
    return differing, details, notes


def _difference(told: int, stored: int) -> str:
    return f"缺 {told - stored} 页" if stored < told else f"多 {stored - told} 页"


def _term_years(retention: str, settings: Settings) -> int | None:
    """Years of a retention term; None for 永久 and what cannot be read."""
    word = retention.strip()
    if word == "短期":
        return settings.number("short_term_years")
    if word == "长期":
        return settings.number("long_term_years")
    match = _FIXED_TERM.fullmatch(word)
    return int(match.group(1)) if match else None


def _formed(record: Record) -> int | None:
    """The year a record was closed: the last year of a volume's dates, else its date or year."""
    years = [
        int(y)
        for y in re.findall(
            r"(?<![0-9])((?:19|20)[0-9]{2})(?=[0-9]{4}(?![0-9])|[^0-9]|$)", record.date
        )
    ]
    return max(years, default=record.year)


def _due(
    kept: Sequence[Record], settings: Settings, today: dt.date
) -> tuple[list[Record], _Details, list[str]]:
    """Rows whose term is over: counted from the year after they were formed."""
    found: list[Record] = []
    details: _Details = {}
    for record in kept:
        term, formed = _term_years(record.retention, settings), _formed(record)
        if term is not None and formed is not None and today.year > formed + term:
            found.append(record)
            details[record.record_id] = (("到期", f"{formed + term}年底"),)
    short, long = settings.number("short_term_years"), settings.number("long_term_years")
    return (
        found,
        details,
        [
            f"从形成的次年起算，今天是 {today:%Y-%m-%d}；短期按 {short} 年、长期按 {long} 年算（可在设置里改）。",
            "到期只是应当鉴定，不等于可以销毁，也不等于开放。",
        ],
    )


def _transfer(
    kept: Sequence[Record], settings: Settings, today: dt.date
) -> tuple[list[Record], _Details, list[str]]:
    """Rows old enough for the 档案馆. Source: 档案法实施条例第二十条 (city 20 years, county 10)."""
    years = settings.number("transfer_years")
    terms = settings.text("transfer_retention").split()
    found: list[Record] = []
    details: _Details = {}
    for record in kept:
        formed = _formed(record)
        if record.retention.strip() in terms and formed is not None and today.year > formed + years:
            found.append(record)
            details[record.record_id] = (("满年限", f"{formed + years}年底"),)
    return (
        found,
        details,
        [
            f"按形成满 {years} 年、保管期限为{'、'.join(terms)}计（可在设置里改），今天是 {today:%Y-%m-%d}；"
            "是否属于接收范围由档案馆定。"
        ],
    )
