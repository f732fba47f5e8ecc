"""The catalogue to leaf through: rows a reader may see, narrowed by facets, sorted, by the page.

Everything is counted over the permitted rows alone, so a value no permitted row has does not
exist. Columns are whole-number arrays in memory, made anew only for rows that changed; see
docs/decisions/0021-catalogue-in-memory.md for why this is not SQL.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from assistant.catalogue_query import natural_key
from assistant.catalogue_view import fold_organ, sessions_of, title_key
from assistant.chain_text import class_at_head
from assistant.page_sums import PageSums, PageSumsTable
from index.access import Permitted
from index.codes import Session, fonds_of, is_sitting, parse_doc_number, reference_key
from index.domain import Record
from index.store import Store
from index.text import matching_key, search_form

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]

#: Stands for a field the catalogue leaves blank.
BLANK: Final = "（未写）"
#: Level (著录层级) of a volume.
VOLUME: Final = "案卷"
#: Rows on one page.
PAGE_ROWS: Final = 50
#: Values of a facet given without being asked for more, and when asked.
SHORT_LIST: Final = 12
LONG_LIST: Final = 300

HAS_TEXT: Final = "有可查的文字"
UNREADABLE: Final = "有影像，文字读不出"
CATALOGUE_ONLY: Final = "只有目录"

#: Headings of catalogue columns that state the result of a proposal in the archive's own words.
_RESULT_COLUMNS: Final = frozenset(
    {"办理结果", "办理类别", "答复类别", "结果类别", "办理情况", "办理结果类别"}
)
_REPLY: Final = re.compile(r"答复|复函|答覆")
#: Characters of a reply's first page among which its class is printed.
_HEAD: Final = 500
#: Readers whose permitted sets are kept as masks.
_KEPT_MASKS: Final = 64


@dataclass(frozen=True, slots=True)
class FacetKind:
    """A way to divide the rows.

    Attributes:
        key: Name in addresses.
        name: As shown.
        several: Whether one row can have several values; then the counts overlap.
        by_name: Values in order of their names, the last first; otherwise the largest first.
    """

    key: str
    name: str
    several: bool = False
    by_name: bool = False


FACETS: Final = (
    FacetKind("fonds", "全宗"),
    FacetKind("year", "年度", by_name=True),
    FacetKind("type", "文种"),
    FacetKind("session", "届次", several=True),
    FacetKind("author", "责任者", several=True),
    FacetKind("department", "机构（问题）"),
    FacetKind("retention", "保管期限"),
    FacetKind("result", "建议办理结果（照原文）"),
    FacetKind("opening", "开放标识"),
    FacetKind("text", "原文"),
    FacetKind("level", "著录层级"),
)
FACET_KEYS: Final = tuple(kind.key for kind in FACETS)
#: What the rows can be sorted by.
SORTS: Final = ("code", "title", "date", "doc_no", "author", "type")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of the catalogue.

    Attributes:
        text: Words that must all stand in title, 文号 or 档号; any spelling.
        chosen: Values by facet key; one of them suffices, facets must all be met.
        first_year: First year, None for any.
        last_year: Last year, included.
        volume: Record id of a volume whose files are wanted; empty for all rows.
    """

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first_year: int | None = None
    last_year: int | None = None
    volume: str = ""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value with the number of rows that have it; `chosen` when it is among those asked for."""

    value: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one facet among the rows that meet everything else.

    Attributes:
        kind: Which facet.
        values: Those listed.
        more: How many values are not listed.
        more_rows: How many rows have them (for a facet with one value to a row).
    """

    kind: FacetKind
    values: tuple[FacetValue, ...]
    more: int = 0
    more_rows: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the page.

    Attributes:
        record: The record.
        pages: Sums of its pages.
        text: Whether it can be read: `HAS_TEXT`, `UNREADABLE` or `CATALOGUE_ONLY`.
        result: Result of the proposal as written, or empty.
        files: For a volume: its files among the permitted rows.
        volume: Record id of the volume it is filed in, if that is permitted; else empty.
    """

    record: Record
    pages: PageSums
    text: str
    result: str
    files: int = 0
    volume: str = ""


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """A page of rows.

    Attributes:
        rows: At most `PAGE_ROWS`.
        items: Rows that meet everything and are no volumes.
        volumes: Those that are volumes.
        page: Number of this page, from 1; the last one where a later was asked for.
        facets: In the order of `FACETS`.
    """

    rows: tuple[Row, ...]
    items: int
    volumes: int
    page: int
    facets: tuple[Facet, ...]

    @property
    def total(self) -> int:
        """Rows that meet everything."""
        return self.items + self.volumes

    @property
    def pages(self) -> int:
        """Number of pages, at least 1."""
        return max(1, -(-self.total // PAGE_ROWS))


@dataclass(frozen=True, slots=True)
class _Derived:
    """What is worked out once for a row."""

    record: Record
    content_hash: str
    text: str
    code: str
    values: Mapping[str, tuple[str, ...]]
    result: str
    sittings: tuple[Session, ...]


class Column:
    """The values of one facet over all rows: pairs of row and value, as whole numbers."""

    def __init__(self, values: Sequence[tuple[str, ...]], fold: Callable[[str], str]) -> None:
        """Number the values.

        Args:
            values: Of each row, at least one.
            fold: Spellings that come out alike are one value, shown in its commonest spelling.
        """
        codes: dict[str, int] = {}
        spellings: list[Counter[str]] = []
        rows: list[int] = []
        found: list[int] = []
        for row, own in enumerate(values):
            mine: set[int] = set()
            for value in own:
                code = codes.setdefault(fold(value), len(codes))
                if code == len(spellings):
                    spellings.append(Counter())
                spellings[code][value] += 1
                if code not in mine:
                    mine.add(code)
                    rows.append(row)
                    found.append(code)
        self.rows: Numbers = np.array(rows, dtype=np.int32)
        self.codes: Numbers = np.array(found, dtype=np.int32)
        self.names: tuple[str, ...] = tuple(min(c, key=lambda v: (-c[v], v)) for c in spellings)
        self._fold = fold
        self._code_of = codes

    def counts(self, mask: Mask) -> npt.NDArray[np.int64]:
        """Rows of a mask by value."""
        return np.bincount(self.codes[mask[self.rows]], minlength=len(self.names))

    def code_of(self, value: str) -> int | None:
        """The number of a value in any spelling, None when no row has it."""
        return self._code_of.get(self._fold(value))

    def mask_of(self, values: Iterable[str], size: int) -> Mask:
        """Rows that have one of some values."""
        wanted = [c for c in map(self.code_of, values) if c is not None]
        mask = np.zeros(size, dtype=np.bool_)
        mask[self.rows[np.isin(self.codes, wanted)]] = True
        return mask


class Table:
    """The columns of one version of the catalogue; immutable."""

    def __init__(
        self,
        numbers: Sequence[int],
        derived: Sequence[_Derived],
        sums: Mapping[int, PageSums],
    ) -> None:
        """Lay out the columns.

        Args:
            numbers: Row numbers in the store.
            derived: One for each.
            sums: Of pages, by row number.
        """
        self.numbers = tuple(numbers)
        self.derived = tuple(derived)
        self.size = len(derived)
        self.sums = tuple(sums.get(n, _NO_PAGES) for n in numbers)
        texts = tuple(_text_state(s) for s in self.sums)
        self.columns = {
            kind.key: Column(
                [(t,) for t in texts]
                if kind.key == "text"
                else [d.values[kind.key] for d in derived],
                fold_organ if kind.key == "author" else _as_it_is,
            )
            for kind in FACETS
        }
        self.texts = texts
        self.years: Numbers = np.array([d.record.year or 0 for d in derived], dtype=np.int32)
        self.is_volume: Mask = np.array(
            [d.record.unit_level == VOLUME for d in derived], dtype=np.bool_
        )
        self.place = {d.record.record_id: i for i, d in enumerate(derived)}
        volumes = {d.code: i for i, d in enumerate(derived) if d.record.unit_level == VOLUME}
        self.parent: Numbers = np.array(
            [-1 if v else volumes.get(d.code.rpartition("-")[0], -1)
             for d, v in zip(derived, self.is_volume, strict=True)],
            dtype=np.int32,
        )  # fmt: skip
        codes = [natural_key(_code(d.record)) for d in derived]
        self._by_code = sorted(range(self.size), key=codes.__getitem__)
        self._ranks: dict[str, tuple[Numbers, Mask]] = {}
        self._masks: OrderedDict[Permitted, Mask] = OrderedDict()
        self._lock = threading.Lock()

    def permitted(self, permitted: Permitted) -> Mask:
        """Rows a reader may see."""
        with self._lock:
            mask = self._masks.get(permitted)
            if mask is None:
                allowed = (permitted.allows(n) for n in self.numbers)
                mask = np.fromiter(allowed, dtype=np.bool_, count=self.size)
                self._masks[permitted] = mask
                if len(self._masks) > _KEPT_MASKS:
                    self._masks.popitem(last=False)
            return mask

    def rank(self, sort: str) -> tuple[Numbers, Mask]:
        """(place of each row in an order, whether it has nothing to be ordered by)."""
        with self._lock:
            if sort not in self._ranks:
                codes = self._by_code
                keys = [_SORT_KEYS[sort](self.derived[i].record) for i in range(self.size)]
                order = codes if sort == "code" else sorted(codes, key=lambda i: keys[i])
                rank = np.empty(self.size, dtype=np.int32)
                rank[order] = np.arange(self.size, dtype=np.int32)
                self._ranks[sort] = rank, np.array([not key for key in keys], dtype=np.bool_)
            return self._ranks[sort]

    def holding(self, words: str, mask: Mask) -> Mask:
        """Of the rows of a mask those that hold all words in title, 文号 or 档号."""
        for word in words.split():
            key, code = matching_key(word), reference_key(word)
            kept = [
                i
                for i in np.flatnonzero(mask)
                if key in self.derived[i].text or (code and code in self.derived[i].code)
            ]
            mask = np.zeros(self.size, dtype=np.bool_)
            mask[kept] = True
        return mask


class Catalogue:
    """Answers selections over the holdings. Safe between threads."""

    def __init__(self, store: Store) -> None:
        """Bind the store; the catalogue is read when first asked for."""
        self._store = store
        self._page_sums = PageSumsTable(store)
        self._lock = threading.Lock()
        self._version = -1
        self._table = Table((), (), {})

    def table(self) -> Table:
        """The columns as the catalogue is now."""
        with self._lock:
            version = self._store.data_version
            if version != self._version:
                self._table = self._built()
                self._version = version
            return self._table

    def _built(self) -> Table:
        records = self._store.numbered_records()
        hashes = self._store.content_hashes()
        before = dict(zip(self._table.numbers, self._table.derived, strict=True))
        kept: dict[int, _Derived] = {}
        fresh: list[int] = []
        for number, record in records.items():
            old = before.get(number)
            if old is not None and (old.content_hash, old.record) == (hashes.get(number), record):
                kept[number] = old
            else:
                fresh.append(number)
        replies = [n for n in fresh if _REPLY.search(records[n].title + records[n].doc_type)]
        heads = self._store.first_texts(replies, _HEAD)
        for number in fresh:
            kept[number] = _derive(records[number], hashes.get(number, ""), heads.get(number, ""))
        numbers = list(records)
        return Table(numbers, [kept[n] for n in numbers], self._page_sums.sums())

    def browse(
        self,
        selection: Selection,
        permitted: Callable[[], Permitted],
        *,
        sort: str = "code",
        descending: bool = False,
        page: int = 1,
        hidden_facets: frozenset[str] = frozenset(),
        more: str = "",
    ) -> CataloguePage | None:
        """A page of the rows that meet a selection.

        Args:
            selection: What is asked.
            permitted: Gives what the reader may see; called after the rows are read, so that
                what was closed meanwhile is left out.
            sort: One of `SORTS`.
            descending: The other way round; blanks stay last.
            page: From 1.
            hidden_facets: Keys of facets this reader is not shown; their values are ignored.
            more: Key of the facet whose long list is wanted.

        Returns:
            None when the volume named is none, or none the reader may see.
        """
        table = self.table()
        allowed = table.permitted(permitted())
        narrowed = _narrow(table, selection, allowed, hidden_facets)
        if narrowed is None:
            return None
        base, own = narrowed
        everything = _all_of(base, own.values())
        facets = tuple(
            _facet(table, kind, _all_of(base, (m for k, m in own.items() if k != kind.key)),
                   selection.chosen.get(kind.key, ()), LONG_LIST if more == kind.key else SHORT_LIST)
            for kind in FACETS
            if kind.key not in hidden_facets
        )  # fmt: skip
        total = int(everything.sum())
        volumes = int((everything & table.is_volume).sum())
        pages = max(1, -(-total // PAGE_ROWS))
        page = min(max(1, page), pages)
        order = _ordered(table, everything, sort, descending=descending)
        shown = order[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        return CataloguePage(_rows(table, shown, allowed), total - volumes, volumes, page, facets)

    def records(
        self,
        selection: Selection,
        permitted: Callable[[], Permitted],
        *,
        sort: str = "code",
        descending: bool = False,
        hidden_facets: frozenset[str] = frozenset(),
    ) -> list[Record] | None:
        """All records that meet a selection, in order; arguments as for `browse`."""
        table = self.table()
        narrowed = _narrow(table, selection, table.permitted(permitted()), hidden_facets)
        if narrowed is None:
            return None
        base, own = narrowed
        mask = _all_of(base, own.values())
        return [table.derived[i].record for i in _ordered(table, mask, sort, descending=descending)]


def _narrow(
    table: Table, selection: Selection, allowed: Mask, hidden: frozenset[str]
) -> tuple[Mask, dict[str, Mask]] | None:
    """(rows that meet all but the facets, rows that meet each facet with something chosen)."""
    base = allowed
    if selection.volume:
        at = table.place.get(selection.volume, -1)
        if at < 0 or not allowed[at] or not table.is_volume[at]:
            return None
        base = base & (table.parent == at)
    first, last = selection.first_year, selection.last_year
    if first is not None or last is not None:
        base = base & (table.years >= (first or 1)) & (table.years <= (last or 9999))
    base = table.holding(selection.text, base)
    own = {
        key: table.columns[key].mask_of(values, table.size)
        for key, values in selection.chosen.items()
        if values and key in table.columns and key not in hidden
    }
    return base, own


def _all_of(base: Mask, masks: Iterable[Mask]) -> Mask:
    for mask in masks:
        base = base & mask
    return base


def _facet(table: Table, kind: FacetKind, mask: Mask, chosen: Sequence[str], most: int) -> Facet:
    column = table.columns[kind.key]
    counts = column.counts(mask)
    picked = {c for c in map(column.code_of, chosen) if c is not None}
    present = [int(c) for c in np.flatnonzero(counts)]
    if kind.by_name:
        present.sort(key=lambda c: natural_key(column.names[c]), reverse=True)
        present.sort(key=lambda c: column.names[c] == BLANK)
    else:
        present.sort(key=lambda c: (-int(counts[c]), column.names[c]))
    listed = present[:most]
    listed += [c for c in present[most:] if c in picked]
    values = [FacetValue(column.names[c], int(counts[c]), c in picked) for c in listed]
    # What was chosen stays in sight, with 0 whether it is empty, hidden or was never there.
    shown = {column.code_of(v.value) for v in values}
    for value in dict.fromkeys(chosen):
        if column.code_of(value) not in shown or column.code_of(value) is None:
            values.append(FacetValue(value, 0, chosen=True))
    rest = set(present) - set(listed)
    rest_rows = sum(int(counts[c]) for c in rest)
    return Facet(kind, tuple(values), len(rest), 0 if kind.several else rest_rows)


def _ordered(table: Table, mask: Mask, sort: str, *, descending: bool) -> Numbers:
    rank, blank = table.rank(sort if sort in SORTS else "code")
    rows = np.flatnonzero(mask).astype(np.int32)
    keys = rank[rows].astype(np.int64)
    if descending:
        keys = -keys
    ordered: Numbers = rows[np.argsort(keys + blank[rows] * (4 * (table.size + 1)))]
    return ordered


def _rows(table: Table, shown: Numbers, allowed: Mask) -> tuple[Row, ...]:
    files = np.zeros(table.size, dtype=np.int64)
    if table.is_volume[shown].any():
        children = table.parent[allowed & (table.parent >= 0)]
        files = np.bincount(children, minlength=table.size)
    rows = []
    for i in map(int, shown):
        derived = table.derived[i]
        parent = int(table.parent[i])
        volume = table.derived[parent].record.record_id if parent >= 0 and allowed[parent] else ""
        rows.append(
            Row(
                derived.record, table.sums[i], table.texts[i], derived.result, int(files[i]), volume
            )
        )
    return tuple(rows)


def _derive(record: Record, content_hash: str, head: str) -> _Derived:
    number = parse_doc_number(record.doc_no) if record.doc_no else None
    said = {record.doc_no, number.canonical if number is not None else ""} - {""}
    text = "\n".join((title_key(record.title), *map(matching_key, said)))
    result = _result(record, head)
    values = {
        "fonds": fonds_of(record.reference_code),
        "year": str(record.year) if record.year is not None else "",
        "type": record.doc_type.strip(),
        "department": record.department.strip(),
        "retention": record.retention.strip(),
        "result": result,
        "opening": record.opening.strip(),
        "level": record.unit_level.strip(),
    }
    several: dict[str, tuple[str, ...]] = {key: (value or BLANK,) for key, value in values.items()}
    sittings = _sittings(record)
    labels = tuple(dict.fromkeys(session.label for session in sittings))
    several["session"] = labels or (record.meeting.strip() or BLANK,)
    authors = (a.strip() for a in re.split(r"[;；、,，]", record.author))
    several["author"] = tuple(dict.fromkeys(a for a in authors if a)) or (BLANK,)
    code = reference_key(_code(record))
    return _Derived(record, content_hash, text, code, several, result, sittings)


def _sittings(record: Record) -> tuple[Session, ...]:
    if "次" not in record.meeting and "次" not in record.title:
        return ()
    return tuple(s for s in sessions_of(record) if is_sitting(s))


def _result(record: Record, head: str) -> str:
    """The result of a proposal as a catalogue column or the head of the reply states it."""
    for heading, value in record.extra:
        if heading.strip() in _RESULT_COLUMNS and value.strip():
            return value.strip()
    found = class_at_head(head)
    return head[slice(*found)] if found is not None else ""


def _text_state(sums: PageSums) -> str:
    if not sums.pages:
        return CATALOGUE_ONLY
    return HAS_TEXT if sums.readable else UNREADABLE


def _code(record: Record) -> str:
    return record.reference_code or record.record_id


def _as_it_is(value: str) -> str:
    return value


def _by_sound(text: str) -> bytes:
    """A key that orders common characters by their sound, as Chinese indexes do.

    Source:
        GB 18030 keeps the first level of GB/T 2312-1980, which is ordered by pinyin.
    """
    return search_form(text).text.encode("gb18030", "replace")


_SORT_KEYS: Final[dict[str, Callable[[Record], str | bytes]]] = {
    "code": _code,
    "title": lambda r: _by_sound(r.title),
    "date": lambda r: r.date_iso or (str(r.year) if r.year else ""),
    "doc_no": lambda r: _by_sound(r.doc_no),
    "author": lambda r: _by_sound(r.author),
    "type": lambda r: _by_sound(r.doc_type),
}
_NO_PAGES: Final = PageSums()
