"""Who may read which record: one function, with a reason, used before search and at every route.

The rules are the access table of the design: blank opening status is closed, age opens nothing,
restricted papers are for the archivist (and, by department, for staff).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from index.domain import Reader, Record, Role
from index.opening import Result, open_in_catalogue
from index.restrictions import WORK_SECRET, kind_of, shipped_table

_OWN_TYPES: Final = ("建议", "议案", "答复")

#: The three administrators (三员): each runs one part of the system and none reads the archive.
ADMINISTRATORS: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR})
#: Roles that may read at least the opened records.
READING_ROLES: Final = frozenset(Role) - ADMINISTRATORS


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
NOTHING: Final = Permitted(frozenset())


def opened(record: Record) -> bool:
    """Whether everybody may read a record, by an opening decision or else by the catalogue."""
    if record.opening_decision:
        return record.opening == Result.OPEN
    return open_in_catalogue(record.opening, record.publicity)


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
    if reader.role in ADMINISTRATORS:
        return Verdict(False, f"{reader.role.value}不查阅档案内容")
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


def may_decide_opening(reader: Reader) -> Verdict:
    """Decide whether a reader may set opening marks (开放审核)."""
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可登记开放审核结果")
    return Verdict(False, "开放审核由档案管理员登记")


def may_edit_vocabulary(reader: Reader) -> Verdict:
    """Decide whether a reader may change the table of everyday words and official terms."""
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可改口语对照表")
    return Verdict(False, "口语对照表由档案管理员维护")


def may_operate(reader: Reader) -> Verdict:
    """Decide whether a reader may see settings, the examination and the log of the program.

    None of the three shows text of a record. On a single machine, where nobody signs in, the
    archivist runs the program too.
    """
    if reader.role is Role.SYSTEM_ADMIN:
        return Verdict(True, "系统管理员可看运行情况")
    if reader.role is Role.ARCHIVIST and not reader.account:
        return Verdict(True, "单机使用的档案管理员可看运行情况")
    return Verdict(False, "运行情况由系统管理员查看")


def may_manage(reader: Reader) -> Verdict:
    """Decide whether a reader has anything to manage, and so an overview of it."""
    for decide in (may_manage_intake, may_decide_opening, may_operate, may_see_users):
        if (verdict := decide(reader)).allowed:
            return verdict
    return Verdict(False, "没有要管理的")


def may_see_personal(reader: Reader) -> Verdict:
    """Decide whether a reader gets personal data unmasked; asked besides `may_read`.

    Source:
        Rule R6 of the domain brief (个人信息保护法 28, 51): authorised staff only.
    """
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可阅个人信息")
    return Verdict(False, "个人信息已遮盖")


def may_read_anything(reader: Reader) -> Verdict:
    """Decide whether asking and searching is for a reader at all; the administrators only run it.

    Source:
        等保 separation of the three administrators (三员分立): none of them reads content.
    """
    if reader.role in ADMINISTRATORS:
        return Verdict(False, f"{reader.role.value}不查阅档案内容")
    return Verdict(True, "可提问")


def may_manage_users(reader: Reader) -> Verdict:
    """Decide whether a reader may add, disable and enable accounts and issue new passwords.

    What an account is allowed to do is not theirs to say: see `may_grant_roles`.
    """
    if reader.role is Role.SYSTEM_ADMIN:
        return Verdict(True, "系统管理员可管理账号")
    return Verdict(False, "账号由系统管理员管理")


def may_grant_roles(reader: Reader) -> Verdict:
    """Decide whether a reader may give accounts their role and department, and lift lock-outs."""
    if reader.role is Role.SECURITY_ADMIN:
        return Verdict(True, "安全管理员可授予身份")
    return Verdict(False, "身份由安全管理员授予")


def may_see_users(reader: Reader) -> Verdict:
    """Decide whether a reader may see who has an account; nobody but the three administrators."""
    if reader.role in ADMINISTRATORS:
        return Verdict(True, f"{reader.role.value}可看账号")
    return Verdict(False, "账号名册由管理员查看")


def is_closed(record: Record) -> bool:
    """Whether a record is not open to everybody; then it is given out only with a use entry."""
    return is_restricted(record) or not opened(record)


def may_audit(reader: Reader) -> Verdict:
    """Decide whether a reader may search the use register, export and check it.

    The one archivist of a single machine (no sign-in name), else the audit administrator only.

    Source:
        Domain brief, section 3: 等保三员, the audit administrator apart from who is audited.
    """
    if reader.role is Role.AUDITOR:
        return Verdict(True, "审计管理员可查利用登记")
    if reader.role is Role.ARCHIVIST and not reader.account:
        return Verdict(True, "单机使用时档案管理员可查利用登记")
    return Verdict(False, "利用登记由审计管理员查阅")


def may_see_feedback(reader: Reader) -> Verdict:
    """Decide whether a reader may see feedback on answers and the list of failed searches."""
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员处理反馈")
    return Verdict(False, "反馈由档案管理员处理")


def may_see_opening(reader: Reader) -> Verdict:
    """Decide whether a reader is told how much of the holdings is open and how much is not."""
    if reader.role in (Role.ARCHIVIST, Role.STAFF):
        return Verdict(True, "工作人员可看开放情况")
    return Verdict(False, "开放情况由工作人员掌握")


def may_see_use(reader: Reader) -> Verdict:
    """Decide whether a reader is told how much the archive is used, in numbers only."""
    if reader.role is Role.ARCHIVIST:
        return Verdict(True, "档案管理员可看利用数量")
    return may_audit(reader)
