"""The catalogue rows one reader may see, with the forms of them that questions are matched to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final

from index.codes import Session, find_sessions
from index.domain import Record
from index.text import matching_key, search_form, search_text

_BRACKETED_END: Final = re.compile(r"[（(][^（()）]*[)）]$|——.*$")


@lru_cache(maxsize=200_000)
def title_form(title: str) -> str:
    """Search form of a title."""
    return search_form(title).text


@lru_cache(maxsize=200_000)
def title_key(title: str) -> str:
    """Matching key of a title."""
    return matching_key(title)


@lru_cache(maxsize=200_000)
def title_end(title: str) -> str:
    """Search form of a title without the bracketed or dashed remark at its end."""
    form = title_form(title).strip("[]")
    while (shorter := _BRACKETED_END.sub("", form)) != form:
        form = shorter
    return form


@lru_cache(maxsize=10_000)
def plain_type(value: str) -> str:
    """A type of the catalogue without what stands in brackets: 预算报告(PDF抽取) → 预算报告."""
    return re.split(r"[（(]", search_form(value).text)[0]


def is_type(record: Record, word: str) -> bool:
    """Whether the type column or the end of the title says that a record is of a type."""
    return plain_type(record.doc_type).endswith(word) or title_end(record.title).endswith(word)


def short_organs(form: str) -> str:
    """A search form with congresses and their committees as people say them: 人大常委会."""
    return form.replace("人民代表大会", "人大").replace("常务委员会", "常委会")


@lru_cache(maxsize=50_000)
def fold_organ(text: str) -> str:
    """The search form of an organ's name as people say it: 人民代表大会常务委员会 → 人大常委会."""
    return short_organs(search_form(text).text)


def authors_of(record: Record) -> list[str]:
    """The authors of a record, folded."""
    return [fold_organ(a) for a in re.split(r"[;；、,，]", record.author) if a.strip()]


@lru_cache(maxsize=200_000)
def _sessions(meeting: str, title: str) -> tuple[Session, ...]:
    return tuple(find_sessions(meeting) or find_sessions(title))


def sessions_of(record: Record) -> tuple[Session, ...]:
    """Terms and sittings the catalogue names for a record, in the session field or the title."""
    return _sessions(record.meeting, record.title)


def agency_of(record: Record) -> str:
    """The agency word (机关代字) of a record's 文号, empty when it has none."""
    return re.split(r"[〔0-9]", matching_key(record.doc_no), maxsplit=1)[0] if record.doc_no else ""


#: A rule of a place, its place left off: 示例市户外广告设施设置管理条例 is on 户外广告.
_PLACE_RULE: Final = re.compile(
    r"[\u4e00-\u9fff]{2,8}?(?:省|自治区|市|州|县|区)(?:人民代表大会(?:常务委员会)?|人大常委会)?(?:关于)?(?:实施)?"
    r"([\u4e00-\u9fff]{2,20}?)(?:安全|管理|保护|监督|促进|设施|设置|若干|规划|建设|工作|暂行|处理)*"
    r"(?:条例|办法|规定|规则|决定)(?=$|[(])"
)
#: A decision to change a rule is on that rule.
_CHANGES: Final = re.compile(r"修改|修正|废止|批准")


class CatalogueView:
    """Rows with the words they use. Built for one permitted set; immutable afterwards."""

    def __init__(self, records: Iterable[Record]) -> None:
        """Keep the rows; what is derived from them is worked out when first asked for."""
        self.records: Sequence[Record] = tuple(records)

    @cached_property
    def agencies(self) -> frozenset[str]:
        """Agency words of two or more characters."""
        return frozenset(a for r in self.records if len(a := agency_of(r)) >= 2)

    @cached_property
    def departments(self) -> frozenset[str]:
        """Departments as the catalogue writes them."""
        return frozenset({r.department.strip() for r in self.records} - {""})

    @cached_property
    def types(self) -> frozenset[str]:
        """Types without brackets."""
        return frozenset(plain_type(r.doc_type) for r in self.records if r.doc_type.strip())

    @cached_property
    def type_forms(self) -> frozenset[str]:
        """Types as the column has them, in search form."""
        return frozenset(search_text(r.doc_type) for r in self.records if r.doc_type.strip())

    @cached_property
    def title_ends(self) -> frozenset[str]:
        """The last eight characters of the titles, remarks left out."""
        return frozenset(title_end(r.title)[-8:] for r in self.records)

    @cached_property
    def title_forms(self) -> str:
        """Search forms of all titles, one per line."""
        return "\n".join(title_form(r.title) for r in self.records)

    @cached_property
    def title_keys(self) -> str:
        """Matching keys of all titles, one per line."""
        return "\n".join(title_key(r.title) for r in self.records)

    @cached_property
    def rule_subjects(self) -> Mapping[str, str]:
        """What rules of places are on, and the search forms of their titles, one per line."""
        found: dict[str, str] = {}
        for form in self.title_forms.splitlines():
            if (rule := _PLACE_RULE.match(form)) and not _CHANGES.search(form):
                found[rule[1]] = f"{found.get(rule[1], '')}{form}\n"
        return found

    @cached_property
    def retentions(self) -> frozenset[str]:
        """Retention terms, literal."""
        return frozenset(r.retention.strip() for r in self.records)

    @cached_property
    def proposers(self) -> frozenset[str]:
        """Names of deputies."""
        return frozenset(n for r in self.records for n in r.proposers if len(n) >= 2)

    @cached_property
    def author_names(self) -> tuple[str, ...]:
        """Ways to say the authors, longest first: 示例市公安局, 市公安局; 常委会 for a committee."""
        names: set[str] = set()
        for author in {a for r in self.records for a in authors_of(r) if len(a) >= 3}:
            names.add(author)
            match = re.match(r"[\u4e00-\u9fff]{2,4}?(市|县|区|省)(?=[\u4e00-\u9fff]{2})", author)
            if match:
                names.add(match.group(1) + author[match.end() :])
                if author.endswith("人大常委会"):
                    names |= {"人大常委会", "常委会"}
        return tuple(sorted(names, key=len, reverse=True))

    def values(self, field_name: str) -> frozenset[str]:
        """Values of a text field, blanks left out."""
        return frozenset({getattr(r, field_name).strip() for r in self.records} - {""})
