"""Counts, lists and look-ups answered from the catalogue in full, never from the best hits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.gazetteer import Gazetteer
from assistant.question import Question
from index.access import Permitted
from index.codes import find_doc_numbers, find_reference_codes, reference_key
from index.domain import Record
from index.store import Store
from index.text import matching_key, search_form

#: Words about the act of counting or the catalogue itself; they filter nothing.
_COUNTING: Final = re.compile(
    r"责任者|开放标识|开放状态|最早|最晚|最新|一共|总共|合计|共计|共有|多少|几(?:件|部|份|条|卷|项|篇|个|次)|库里|馆里|室里|目录上|目录里|目录中|目录|题名里|题名中|题名|标题里|标题"
    r"|收了|收藏|收录|归档|馆藏|里头|里面|名字里|带有|带|含有|含|包含|写着|写有|日期|咱们|咱这儿|咱这|咱|我们|自己的|自己|的|有|在|是|了|里|上"
    r"|列一下|列个|列出|清单|都|分别|哪些|哪几|哪|什么|啥|关于|件|部|份|条|卷|篇|个|请问|请|帮我|查|数|数一数|统计|年度|年份|年|月|日|号"
    r"|保管|期限|的文件|文件|材料|档案|记录|资料|各市|各县|各区|各地|各|提出|通过|批准|开|人代会|会上|会|那次|这次|那|这|市|省|县|区|本市|吗|呢|[，。？！,.?!“”\"《》「」（）() 、：:-]"
)
_RETENTION: Final = (
    (re.compile(r"永久"), ("永久", "Y")),
    (re.compile(r"(?:定期)?(?:三十|30)年(?!代|来|的)"), ("D30", "30", "定期30年", "30年")),
    (re.compile(r"(?:定期)?(?:十|10)年(?:期|保管)"), ("D10", "10", "定期10年", "10年")),
    (re.compile(r"长期"), ("长期",)),
    (re.compile(r"短期"), ("短期",)),
)
_EARLIEST: Final = re.compile(r"最早")
_LATEST: Final = re.compile(r"最(?:晚|新|近)")


@dataclass(frozen=True, slots=True)
class CatalogueResult:
    """Catalogue rows that satisfy the filters read from a question.

    Attributes:
        records: All of them, by date then id.
        filters: The filters in words, for restating.
        total: Catalogue rows the reader may see: the denominator.
        unexplained: Content of the question no filter accounts for.
    """

    records: tuple[Record, ...]
    filters: tuple[str, ...]
    total: int
    unexplained: str


@dataclass(frozen=True, slots=True)
class _Filter:
    words: str
    used: tuple[str, ...]
    keeps: Callable[[Record], bool]


def look_up_codes(question: str, store: Store, permitted: Permitted) -> tuple[list[Record], bool]:
    """Records whose 档号 or 文号 stands in the question.

    Returns:
        The records found, in order of mention, and whether the question names any code at all.
    """
    found: list[Record] = []
    named = False
    numbers = find_doc_numbers(question)
    for number in numbers:
        named = True
        for candidate in number.candidates:
            records = store.find_by_key("doc_no", matching_key(candidate), permitted)
            if records:
                found += records
                break
    keys = {}
    for code in find_reference_codes(question):
        if any(n.start < code.end and code.start < n.end for n in numbers):
            continue
        named = True
        keys[code.key] = code.text
    if keys:
        for record in store.records(permitted):
            if record.reference_code and reference_key(record.reference_code) in keys:
                found.append(record)
        volumes = [
            record
            for record in store.records(permitted)
            if record.reference_code
            and any(reference_key(record.reference_code).startswith(key + "-") for key in keys)
        ]
        found += volumes
    if not numbers:
        for record in _loose_doc_numbers(question, store, permitted):
            named = True
            found.append(record)
    unique = {record.record_id: record for record in found}
    return list(unique.values()), named


def _loose_doc_numbers(question: str, store: Store, permitted: Permitted) -> Iterable[Record]:
    """国办函2005年69号: agency word, year and number without brackets."""
    form = search_form(question).text
    for match in re.finditer(r"((?:19|20)[0-9]{2})年?[第,， ]*([0-9]{1,4})号", form):
        left = form[max(0, match.start() - 12) : match.start()]
        for record in store.records(permitted):
            for number in find_doc_numbers(record.doc_no):
                if (
                    number.year == int(match.group(1))
                    and number.number == int(match.group(2))
                    and number.agency
                    and left.endswith(search_form(number.agency).text)
                ):
                    yield record


def query_catalogue(
    question: Question, store: Store, permitted: Permitted, gazetteer: Gazetteer
) -> CatalogueResult | None:
    """Answer a counting or listing question from the catalogue.

    Returns:
        The rows, or None when the question names nothing the catalogue can be filtered by.
    """
    records = store.records(permitted)
    filters = _filters(question, records, gazetteer)
    extreme = bool(_EARLIEST.search(question.form) or _LATEST.search(question.form))
    if not filters and not extreme:
        return None
    kept = [r for r in records if all(f.keeps(r) for f in filters)]
    kept.sort(key=lambda r: (r.date_iso or "9999", r.record_id))
    if _EARLIEST.search(question.form) and kept:
        kept = [r for r in kept if r.date_iso == kept[0].date_iso]
    elif _LATEST.search(question.form) and kept:
        dated = [r for r in kept if r.date_iso]
        kept = [r for r in dated if r.date_iso == dated[-1].date_iso] if dated else kept
    rest = question.form
    for item in filters:
        for used in item.used:
            rest = rest.replace(used, " ")
    rest = _COUNTING.sub("", rest)
    rest = re.sub(r"[0-9]+", "", rest)
    return CatalogueResult(tuple(kept), tuple(f.words for f in filters), len(records), rest)


def _filters(question: Question, records: Sequence[Record], gazetteer: Gazetteer) -> list[_Filter]:
    form = question.form
    filters: list[_Filter] = []
    rest = form
    for phrase in question.phrases:
        key = matching_key(phrase)
        if any(key in matching_key(r.title) for r in records):
            filters.append(_title_filter(phrase))
            rest = rest.replace(phrase, " ")
    agency = _agency(rest, records)
    if agency:
        filters.append(
            _Filter(
                f"文号为“{agency}”",
                (agency,),
                lambda r: matching_key(r.doc_no).startswith(agency),
            )
        )
        rest = rest.replace(agency, " ")
    for heading, value, keeps in _plain_values(rest, records):
        filters.append(_Filter(f"{heading}为“{value}”", (value,), keeps))
        rest = rest.replace(value, " ")
    types = _types(rest, records)
    if types:
        word, values = types
        shown = "”“".join(sorted(values))
        filters.append(_Filter(f"类型为“{shown}”", (word,), lambda r: r.doc_type in values))
        rest = rest.replace(word, " ", 1)
    for place in question.places:
        keep = _place_filter(place, records, gazetteer)
        short = gazetteer.short(place)
        filters.append(_Filter(f"地方为“{place}”", (place, short), keep))
        rest = rest.replace(place, " ").replace(short, " ")
    dated = _date_filter(question, records, bool(agency))
    if dated:
        filters.append(dated)
    for pattern, terms in _RETENTION:
        match = pattern.search(rest)
        if match and any(r.retention.strip() in terms for r in records):
            filters.append(_retention_filter(match.group(), terms))
            rest = rest.replace(match.group(), " ")
    title = _title_run(rest, [r for r in records if all(f.keeps(r) for f in filters)])
    if title:
        filters.append(_title_filter(title))
    return filters


def _retention_filter(word: str, terms: tuple[str, ...]) -> _Filter:
    return _Filter(f"保管期限为“{terms[0]}”", (word,), lambda r: r.retention.strip() in terms)


def _title_filter(words: str) -> _Filter:
    key = matching_key(words)
    return _Filter(f"题名含“{words}”", (words,), lambda r: key in matching_key(r.title))


def _agency(form: str, records: Sequence[Record]) -> str:
    """The agency word (机关代字) of the holdings' document numbers that the question names."""
    words = {
        re.split(r"[〔0-9]", matching_key(r.doc_no), maxsplit=1)[0] for r in records if r.doc_no
    }
    named = [w for w in words if len(w) >= 2 and w in form]
    return max(named, key=len, default="")


def _plain_values(
    form: str, records: Sequence[Record]
) -> Iterator[tuple[str, str, Callable[[Record], bool]]]:
    """Departments, authors and opening marks that the question names as the catalogue has them."""
    departments = {r.department for r in records if len(r.department) >= 3}
    for value in sorted(departments, key=len, reverse=True):
        if value in form:
            yield "机构", value, lambda r, v=value: r.department == v  # type: ignore[misc]
            break
    match = re.search(
        r"责任者(?:是|为|写的是)?([\u4e00-\u9fff]{2,20}?)(?:的|有|共|一共|[，,？?])", form
    )
    if match:
        author = match.group(1)
        yield "责任者", author, lambda r: author in search_form(r.author).text
    if re.search(r"开放标识|开放状态|未审核|延期开放|未开放", form):
        for value in sorted({r.opening for r in records if r.opening}, key=len, reverse=True):
            if value in form.replace("开放标识", "").replace("开放状态", ""):
                yield "开放标识", value, lambda r, v=value: r.opening == v  # type: ignore[misc]
                break


def _types(form: str, records: Sequence[Record]) -> tuple[str, frozenset[str]] | None:
    """The record type named, with every value of the catalogue that contains the word."""
    values = {r.doc_type for r in records if r.doc_type}
    best = ""
    for value in values:
        plain = re.split(r"[（(]", search_form(value).text)[0]
        for length in range(len(plain), 1, -1):
            for at in range(len(plain) - length + 1):
                word = plain[at : at + length]
                # A whole type name, or its last two or more characters (地方性法规 → 法规).
                if word in form and (word == plain or plain.endswith(word)) and length > len(best):
                    best = word
    if not best:
        return None
    return best, frozenset(v for v in values if best in search_form(v).text)


def _place_filter(
    place: str, records: Sequence[Record], gazetteer: Gazetteer
) -> Callable[[Record], bool]:
    short = gazetteer.short(place)

    def own(record: Record) -> bool:
        head = search_form(f"{record.title} {record.author}").text
        return place in head or short in head

    def wide(record: Record) -> bool:
        extra = " ".join(value for _, value in record.extra)
        return own(record) or short in search_form(f"{record.meeting} {extra}").text

    # A province is asked about through its cities: 山东各市 → approved by the province's congress.
    return wide if place.endswith(("省", "自治区")) else own


def _date_filter(question: Question, records: Sequence[Record], by_number: bool) -> _Filter | None:
    if question.dates:
        date = max(question.dates, key=len)
        year, month, *day = date.split("-")
        spoken = f"{year}年{int(month)}月" + (f"{int(day[0])}日" if day else "")

        def on(record: Record) -> bool:
            return record.date_iso.startswith(date)

        def held(record: Record) -> bool:
            extra = " ".join(value for _, value in record.extra)
            return spoken in search_form(f"{record.meeting} {extra}").text

        wants_event = re.search(r"开的|召开|会上|举行|提出|批准|批了|通过|表决", question.form)
        if wants_event and any(held(r) for r in records):
            return _Filter(f"会议或通过日期为{spoken}", (), held)
        return _Filter(f"日期为{spoken}", (), on)
    if len(question.years) == 1:
        (asked,) = question.years
        if by_number:
            return _Filter(
                f"文号年份为{asked}年", (), lambda r: f"〔{asked}〕" in matching_key(r.doc_no)
            )
        return _Filter(
            f"日期为{asked}年",
            (),
            lambda r: r.date_iso.startswith(str(asked)) or (not r.date_iso and r.year == asked),
        )
    if len(question.years) == 2 and re.search(r"[到至-]", question.form):
        first, last = sorted(question.years)
        return _Filter(
            f"日期为{first}–{last}年",
            (),
            lambda r: first <= (int(r.date_iso[:4]) if r.date_iso else r.year or 0) <= last,
        )
    return None


def _title_run(form: str, records: Sequence[Record]) -> str:
    """The longest stretch of the question, at least 4 characters, that stands in some title."""
    plain = re.sub(r"[0-9]{2,4}年(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?", " ", form)
    titles = [search_form(r.title).text for r in records]
    best = ""
    for start in range(len(plain)):
        for end in range(start + max(4, len(best) + 1), min(len(plain), start + 40) + 1):
            run = plain[start:end]
            if " " in run or not any(run in title for title in titles):
                break
            best = run
    return best
