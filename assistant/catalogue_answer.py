"""What the catalogue says, as the parts of an answer: lead, listings, table, notes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.catalogue_filters import is_neutral
from assistant.catalogue_query import CatalogueResult, Group, natural_order
from assistant.domain import Listing, Table, TableRow
from index.access import Permitted
from index.codes import find_reference_codes, reference_key
from index.domain import Record
from index.store import Store

#: Asked about a record's pages: how many, and whether scans are missing.
_PAGES: Final = re.compile(r"几页|多少页|页数|缺不缺页|缺页|少页|扫全|扫描件?(?:全|齐)")
_SAYS_FILES: Final = re.compile(r"共\s*([0-9]{1,4})\s*件")
_UNSTATED: Final = "（目录未填）"


@dataclass(frozen=True, slots=True)
class CatalogueReply:
    """Parts of an answer that come from the catalogue.

    Attributes:
        lead: The direct answer, one line.
        listings: The rows, in full, marks from 1.
        table: The rows grouped, or None.
        notes: Chinese sentences.
    """

    lead: str
    listings: tuple[Listing, ...]
    table: Table | None = None
    notes: tuple[str, ...] = ()


def restated(result: CatalogueResult) -> str:
    """The conditions in words; 全部目录 when there are none."""
    return "；".join(result.filters) or "全部目录"


def reply(result: CatalogueResult) -> CatalogueReply:
    """Put a result that has rows into words.

    Raises:
        ValueError: If it has no rows; an answer needs some.
    """
    if not result.records:
        msg = "a catalogue reply needs rows"
        raise ValueError(msg)
    unit = result.unit
    scope = f"在您可查的目录 {result.total} {unit}中，条件：{restated(result)}"
    count = len(result.records)
    listings = list_records(result.records, result.details)
    if result.groups:
        table = _table(result, listings)
        lead = f"共 {count} {unit}，分 {len(result.groups)} 组（{scope}）。"
        return CatalogueReply(_most(result) + lead, listings, table, result.notes)
    if result.request.extreme:
        word = "最早" if result.request.extreme < 0 else "最晚"
        lead = f"日期{word}的 {count} {unit}（{scope}）。"
    else:
        lead = f"共 {count} {unit}（{scope}）。"
    return CatalogueReply(lead, listings, None, result.notes)


def _most(result: CatalogueResult) -> str:
    """最多的是……: the largest or smallest groups of those that have a value."""
    most = result.request.most
    stated = [g for g in result.groups if g.value]
    if not most or not stated:
        return ""
    sizes = [len(g.records) for g in stated]
    size = max(sizes) if most > 0 else min(sizes)
    names = "、".join(_value(result, g) for g in stated if len(g.records) == size)
    return f"最{'多' if most > 0 else '少'}的是{names}，{size} {result.unit}。"


def _value(result: CatalogueResult, group: Group) -> str:
    if not group.value:
        return _UNSTATED
    if re.fullmatch(r"[0-9]{4}", group.value):
        return f"{group.value}年"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}", group.value):
        return f"{group.value[:4]}年{int(group.value[5:])}月"
    return group.value


def _table(result: CatalogueResult, listings: Sequence[Listing]) -> Table:
    marker = {row.record.record_id: row.marker for row in listings}
    heading = result.request.grouping.value if result.request.grouping else ""
    rows = tuple(
        TableRow(
            (_value(result, group), str(len(group.records))),
            tuple(marker[r.record_id] for r in group.records),
        )
        for group in result.groups
    )
    return Table((heading, "件数" if result.unit == "件" else "卷数"), rows)


def list_records(
    records: Sequence[Record],
    details: Mapping[str, tuple[tuple[str, str], ...]] | None = None,
) -> tuple[Listing, ...]:
    """Records as listings with the fields people sort by; extra fields come first."""
    listings = []
    for number, record in enumerate(records, start=1):
        extra = tuple((details or {}).get(record.record_id, ()))
        named = {heading for heading, _ in extra}
        facts = (
            *extra,
            ("档号", record.reference_code),
            ("文号", record.marked("doc_no")),
            ("责任者", record.marked("author")),
            ("日期", record.marked("date")),
            ("文种", record.doc_type),
            *(
                (("页数", str(record.page_count)),)
                if record.page_count and "目录页数" not in named
                else ()
            ),
            ("保管期限", record.retention),
        )
        listings.append(Listing(number, record, tuple((k, v) for k, v in facts if v)))
    return tuple(listings)


def reply_to_code(
    question: str, found: Sequence[Record], store: Store, permitted: Permitted
) -> CatalogueReply:
    """What the catalogue says of records named by their code.

    A volume is answered with its files in the order of their numbers; pages are told when asked.

    Args:
        question: The question's search form.
        found: The records that bear the code, volumes before their files.
        store: The holdings.
        permitted: What the reader may see.
    """
    volume = _volume(question, found)
    notes: list[str] = []
    if volume is not None:
        files = natural_order([r for r in found if r.record_id != volume.record_id])
        rows = files or [volume]
        lead = f"这一卷在您可查的目录里共 {len(files)} 件。"
        if permitted.numbers is None:
            # Against what the volume's own row says; others could learn of hidden files by it.
            said = _SAYS_FILES.search(volume.note)
            if said and int(said.group(1)) != len(files):
                notes.append(f"案卷目录备注写“{said.group()}”，与查到的件数不同，请核对。")
    else:
        codes = {c.key for c in find_reference_codes(question)}
        exact = [r for r in found if reference_key(r.reference_code) in codes] if codes else []
        rows = natural_order(found) if len(found) > len(exact) else list(found)
        of_volume = bool(codes) and not exact
        lead = (
            f"这一卷在您可查的目录里共 {len(rows)} 件。" if of_volume else f"查得 {len(rows)} 件。"
        )
    details: dict[str, tuple[tuple[str, str], ...]] = {}
    if _PAGES.search(question):
        totals = store.page_totals(permitted)
        for record in rows:
            details[record.record_id] = page_facts(record, totals[record.record_id])
        lead += page_verdict(rows, totals)
    return CatalogueReply(lead, list_records(rows, details), None, tuple(notes))


def _volume(question: str, found: Sequence[Record]) -> Record | None:
    volumes = [r for r in found if r.unit_level == "案卷"]
    if len(volumes) != 1:
        return None
    key = reference_key(volumes[0].reference_code)
    named = {c.key for c in find_reference_codes(question)}
    return volumes[0] if not named or named == {key} else None


def asks_catalogue_only(form: str) -> bool:
    """Whether a question with a code asks for nothing but what the catalogue says.

    Then no passage is quoted: next to 一共几页 any quotation would be beside the point.
    """
    rest = form
    for code in reversed(find_reference_codes(form)):
        rest = rest[: code.start] + rest[code.end :]
    listing = re.search(r"(?:都)?有(?:啥|什么|哪些|哪几)|几件|多少件|清单|目录", form)
    asked = bool(_PAGES.search(form)) or (bool(listing) and rest != form)
    rest = re.sub(_PAGES.pattern + r"|缺不缺|全不全|卷", "", rest)
    return asked and is_neutral(re.sub(r"扫描件|影像", "", rest))


def page_facts(record: Record, stored: tuple[int, int]) -> tuple[tuple[str, str], ...]:
    """Pages by the catalogue, by the stored file, and those nobody could read."""
    facts = [
        ("目录页数", str(record.page_count) if record.page_count is not None else "未填"),
        ("已挂页数", str(stored[0])),
    ]
    if stored[1]:
        facts.append(("识别不出的页", str(stored[1])))
    return tuple(facts)


def page_verdict(records: Sequence[Record], totals: Mapping[str, tuple[int, int]]) -> str:
    """Whether catalogue and scans agree on the pages of one record; empty for several."""
    if len(records) != 1:
        return ""
    (record,) = records
    stored = totals[record.record_id][0]
    if not stored:
        return "目录有这一件，原文没有挂接，扫描件无从核对。"
    if record.page_count is None:
        return f"目录没有填页数，已挂接 {stored} 页。"
    if record.page_count == stored:
        return f"目录 {record.page_count} 页，已挂接 {stored} 页，不缺页。"
    how = "缺" if stored < record.page_count else "多"
    return f"目录 {record.page_count} 页，已挂接 {stored} 页，{how} {abs(record.page_count - stored)} 页。"
