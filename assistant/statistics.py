"""Figures of the holdings as a reader may know them: by year, fonds, retention, reading, sitting.

Counted over the permitted rows alone. Items (件) are counted; volumes (案卷) stand beside them.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from assistant.browse import (
    BLANK,
    CATALOGUE_ONLY,
    FACETS,
    HAS_TEXT,
    UNREADABLE,
    Catalogue,
    Mask,
    Table,
)
from assistant.page_sums import BANDS
from assistant.register import Action
from index.access import Permitted
from index.codes import Body, int_to_chinese

#: Types with a colour of their own in the chart by year.
_TYPES: Final = 6
#: Rows of a chart of bars; the rest are taken together.
_BARS: Final = 25
#: Years (or months) without a gap in the chart; a mistyped year must not stretch it.
_LONGEST_SPAN: Final = 150
#: Rows of the chart of sittings.
_TERMS: Final = 40
_OTHERS: Final = "其他"
_TEXT_STATES: Final = (HAS_TEXT, UNREADABLE, CATALOGUE_ONLY)
_BAND_NAMES: Final = tuple(
    f"{least:.0%} 以上" if i == 0 else f"{least:.0%}—{BANDS[i - 1]:.0%}" if least
    else f"{BANDS[i - 1]:.0%} 以下"
    for i, least in enumerate(BANDS)
)  # fmt: skip
_KEPT: Final = 32
#: Series of the chart of use, by actions of the register.
_USES: Final = (
    ("答复", (Action.ANSWER,)),
    ("未答", (Action.REFUSE,)),
    ("阅览", (Action.VIEW_PAGE, Action.VIEW_RECORD)),
    ("导出、打印", (Action.EXPORT, Action.PRINT)),
)


class ChartKind(StrEnum):
    """How a chart is drawn."""

    COLUMNS = "columns"
    BARS = "bars"
    SITTINGS = "sittings"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart with the table it is drawn from.

    Attributes:
        key: Name in addresses.
        name: As shown.
        kind: How it is drawn.
        unit: What is counted: 件 or 页.
        headings: Of the table: the rows' name, then the series.
        rows: (name, counts by series); for sittings (term, papers of the first, second … sitting).
        note: What to know when reading it; may be empty.
    """

    key: str
    name: str
    kind: ChartKind
    unit: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class HoldingsStatistics:
    """All charts with the totals over them.

    Attributes:
        items: Permitted rows that are no volumes.
        volumes: Those that are.
        pages: Their pages.
        unreadable: Pages without text.
        charts: In the order shown.
    """

    items: int
    volumes: int
    pages: int
    unreadable: int
    charts: tuple[Chart, ...]


class Statistics:
    """Works out the figures, the last ones kept. Safe between threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Bind the catalogue."""
        self._catalogue = catalogue
        self._kept: OrderedDict[tuple[Permitted, bool], HoldingsStatistics] = OrderedDict()
        self._of: Table | None = None
        self._lock = threading.Lock()

    def holdings(self, permitted: Callable[[], Permitted], *, opening: bool) -> HoldingsStatistics:
        """The figures for one permitted set.

        Args:
            permitted: Gives what the reader may see; called after the rows are read.
            opening: Whether the reader is told what is open and what is not.
        """
        table = self._catalogue.table()
        key = (permitted(), opening)
        with self._lock:
            if self._of is not table:
                self._kept.clear()
                self._of = table
            if key not in self._kept:
                self._kept[key] = _figures(table, table.permitted(key[0]), opening=opening)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]


def use_chart(by_month: Mapping[str, Mapping[str, int]]) -> Chart:
    """How the archive was used, month by month.

    Args:
        by_month: Entries of the use register by month (`YYYY-MM`) and action.
    """
    rows = []
    for month in _months(sorted(by_month)):
        counts = by_month.get(month, {})
        rows.append((month, tuple(sum(counts.get(a, 0) for a in acts) for _, acts in _USES)))
    headings = ("月份", *(name for name, _ in _USES))
    note = "取自利用登记；“未答”是没有查到或不予回答的提问，“阅览”含原文和目录。"
    return Chart("use", "利用情况", ChartKind.COLUMNS, "次", headings, tuple(rows), note)


def _months(known: Sequence[str]) -> list[str]:
    """Every month from the first known to the last."""
    if not known:
        return []
    first, last = ((int(m[:4]) * 12 + int(m[5:]) - 1) for m in (known[0], known[-1]))
    if last - first > _LONGEST_SPAN:
        return list(known)
    return [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in range(first, last + 1)]


def _figures(table: Table, allowed: Mask, *, opening: bool) -> HoldingsStatistics:
    items = allowed & ~table.is_volume
    rows = np.flatnonzero(allowed)
    sums = [table.sums[i] for i in rows]
    unreadable = sum(s.unreadable for s in sums)
    by_source = (
        ("文件自带的文字层", sum(s.layer for s in sums)),
        ("由影像识别", sum(s.ocr for s in sums)),
        ("文本文件", sum(s.file for s in sums)),
        ("没有可读的文字", unreadable),
    )
    bands = [sum(s.bands[i] for s in sums) for i in range(len(BANDS))]
    charts = [
        _by_year(table, items),
        _by_text(table, items, "fonds", "按全宗"),
        _by_text(table, items, "type", "按文种"),
        _by_text(table, items, "retention", "按保管期限"),
        Chart(
            "source", "文字从哪里来", ChartKind.BARS, "页", ("来源", "页"),
            tuple((name, (count,)) for name, count in by_source if count),
        ),
        Chart(
            "confidence", "识别的把握", ChartKind.BARS, "页", ("平均把握", "页"),
            tuple((n, (c,)) for n, c in zip(_BAND_NAMES, bands, strict=True)) if any(bands) else (),
            "只计由影像识别出的页；把握低的，请以影像为准。",
        ),
    ]  # fmt: skip
    if opening:
        charts.append(_by_text(table, items, "opening", "按开放标识", "标识为空的按未开放对待。"))
    charts.append(_sittings(table, items))
    return HoldingsStatistics(
        int(items.sum()),
        int((allowed & table.is_volume).sum()),
        sum(s.pages for s in sums),
        unreadable,
        tuple(charts),
    )


def _cross(table: Table, mask: Mask, first: str, second: str) -> dict[str, Counter[str]]:
    """Rows of a mask by the values of two facets that have one value to a row."""
    one, other = table.columns[first], table.columns[second]
    width = len(other.names)
    pairs = one.codes[mask].astype(np.int64) * width + other.codes[mask]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for pair, count in zip(*np.unique(pairs, return_counts=True), strict=True):
        found[one.names[int(pair) // width]][other.names[int(pair) % width]] = int(count)
    return found


def _by_year(table: Table, mask: Mask) -> Chart:
    found = _cross(table, mask, "year", "type")
    totals: Counter[str] = Counter()
    for counts in found.values():
        totals.update(counts)
    types = sorted(totals, key=lambda t: (t == BLANK, -totals[t], t))
    named, rest = types[:_TYPES], types[_TYPES:]
    years = [y for y in found if y != BLANK]
    span = sorted(years, key=int)
    if years and int(span[-1]) - int(span[0]) <= _LONGEST_SPAN:
        # Every year between the first and the last, so that a gap is seen as one.
        span = [str(y) for y in range(int(span[0]), int(span[-1]) + 1)]
    rows = []
    for year in [*span, *([BLANK] if BLANK in found else [])]:
        counts = found.get(year, Counter())
        own = [counts[t] for t in named]
        rows.append((year, tuple([*own, sum(counts[t] for t in rest)] if rest else own)))
    headings = ("年度", *named, *((_OTHERS,) if rest else ()))
    return Chart("year", "按年度和文种", ChartKind.COLUMNS, "件", headings, tuple(rows))


def _by_text(table: Table, mask: Mask, key: str, name: str, note: str = "") -> Chart:
    found = _cross(table, mask, key, "text")
    names = sorted(found, key=lambda n: (n == BLANK, -found[n].total(), n))
    rows = [(n, tuple(found[n][s] for s in _TEXT_STATES)) for n in names[:_BARS]]
    if rest := names[_BARS:]:
        sums = tuple(sum(found[n][s] for n in rest) for s in _TEXT_STATES)
        rows.append((f"其余 {len(rest)} 种", sums))
    heading = next(kind.name for kind in FACETS if kind.key == key)
    return Chart(key, name, ChartKind.BARS, "件", (heading, *_TEXT_STATES), tuple(rows), note)


def _sittings(table: Table, mask: Mask) -> Chart:
    """Which sittings of the congress and its standing committee have papers here."""
    places: Counter[str] = Counter()
    found: dict[tuple[str, Body, int], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for i in map(int, np.flatnonzero(mask)):
        for session in table.derived[i].sittings:
            if session.body not in _BODIES or not session.term or not session.number:
                continue
            place = session.place if len(session.place) > 1 else ""
            places[place] += 1
            found[(place, session.body, session.term)][session.number].add(i)
    del places[""]
    own = places.most_common(1)[0][0] if places else ""
    # A paper that names no place means the archive's own.
    for key in [k for k in found if not k[0] and own]:
        for number, papers in found.pop(key).items():
            found[(own, *key[1:])][number] |= papers
    order = sorted(found, key=lambda k: (k[0] != own, k[0], _BODIES.index(k[1]), -k[2]))
    rows = []
    for place, body, term in order[:_TERMS]:
        sittings = found[(place, body, term)]
        counts = tuple(len(sittings.get(n, ())) for n in range(1, max(sittings) + 1))
        shown = "" if place == own else place
        rows.append((f"{shown}第{int_to_chinese(term)}届{_BODIES_SAID[body]}", counts))
    note = "按目录写明的届次统计；空格是没有见到文件的一次，最后一次之后是否还开过会从目录看不出。"
    if len(order) > _TERMS:
        note += f"另有 {len(order) - _TERMS} 届未列。"
    return Chart(
        "session", "会议文件覆盖", ChartKind.SITTINGS, "件", ("届", "次"), tuple(rows), note
    )


_BODIES: Final = (Body.CONGRESS, Body.STANDING_COMMITTEE)
_BODIES_SAID: Final = {Body.CONGRESS: "人代会", Body.STANDING_COMMITTEE: "常委会"}
