"""Who may read which record: one function, with a reason, used before search and at every route.

The rules are the access table of the design: blank opening status is closed, age opens nothing,
restricted papers are for the archivist (and, by department, for staff).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from index.domain import Reader, Record, Role
from index.restrictions import WORK_SECRET, kind_of, shipped_table

_OPEN_STATUS: Final = frozenset({"开放"})
_PUBLISHED: Final = frozenset({"主动公开"})
_OWN_TYPES: Final = ("建议", "议案", "答复")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a reader may read a record, and the reason in one Chinese phrase."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Permitted:
    """The records a reader may see, as store row numbers.

    Attributes:
        numbers: Row numbers of readable records, or None for all of them.
    """

    numbers: frozenset[int] | None = None

    def allows(self, record_number: int) -> bool:
        """Whether the record with this row number is readable."""
        return self.numbers is None or record_number in self.numbers


EVERYTHING: Final = Permitted(None)


def opened(record: Record) -> bool:
    """Whether the catalogue says that everybody may read a record."""
    return record.opening.strip() in _OPEN_STATUS or record.publicity.strip() in _PUBLISHED


def restriction(record: Record) -> str:
    """The kind by which a record is restricted, '' when it falls under none.

    Records taken in carry it (the archive's own table may have more rows); the shipped table is
    asked as well, so that a record from elsewhere is never opened by oversight.
    """
    return record.restriction or kind_of(record, shipped_table())


def is_restricted(record: Record) -> bool:
    """Whether a record is restricted by mark or by type, whatever its opening status."""
    return record.restricted or bool(restriction(record))


def may_read(reader: Reader, record: Record) -> Verdict:
    """Decide whether a reader may read a record's text and images.

    Source:
        Access table of the domain brief, section 3 (rules R4, R5, R7, R8).
    """
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可阅")
    kind = restriction(record)
    restricted = record.restricted or bool(kind)
    withheld = Verdict(False, f"限制利用（{kind}），须经批准" if kind else "限制利用，须经批准")
    if reader.role is Role.STAFF:
        if not restricted:
            return Verdict(True, "机关工作人员可阅")
        own = bool(reader.department) and reader.department == record.department
        if own and kind in ("", WORK_SECRET):
            return Verdict(True, "本部门形成")
        return withheld
    if restricted:
        return withheld
    if opened(record):
        return Verdict(True, "已开放")
    if (
        reader.role is Role.DEPUTY
        and reader.name
        and reader.name in record.proposers
        and any(word in record.doc_type for word in _OWN_TYPES)
    ):
        return Verdict(True, "本人提出")
    return Verdict(False, "未开放")


def may_manage_intake(reader: Reader) -> Verdict:
    """Decide whether a reader may see and steer the ingest, its reports and the review list."""
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可管理入库")
    return Verdict(False, "入库由档案管理员管理")


def may_see_personal(reader: Reader) -> Verdict:
    """Decide whether a reader gets personal data unmasked; asked besides `may_read`.

    Source:
        Rule R6 of the domain brief (个人信息保护法 28, 51): authorised staff only.
    """
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可阅个人信息")
    return Verdict(False, "个人信息已遮盖")


def may_see_opening(reader: Reader) -> Verdict:
    """Decide whether a reader is told how much of the holdings is open and how much is not."""
    if reader.role in (Role.ARCHIVIST, Role.STAFF):
        return Verdict(True, "工作人员可看开放情况")
    return Verdict(False, "开放情况由工作人员掌握")
