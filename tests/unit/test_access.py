"""Who may read what: every row of the access table, with the reasons in the docstrings."""

from __future__ import annotations

import pytest

from index.access import EVERYTHING, Permitted, is_restricted, may_read
from index.domain import Reader, Record, Role

ARCHIVIST = Reader(Role.ARCHIVIST)
CLERK = Reader(Role.STAFF, "王科", "办公室")
DEPUTY = Reader(Role.DEPUTY, "李代表")
PUBLIC = Reader(Role.PUBLIC)


def record(**fields: object) -> Record:
    return Record("0012-2019-Y-0001", "题名", **fields)  # type: ignore[arg-type]


def allowed(item: Record) -> list[bool]:
    return [may_read(reader, item).allowed for reader in (ARCHIVIST, CLERK, DEPUTY, PUBLIC)]


@pytest.mark.parametrize(
    "fields",
    [{"opening": "开放"}, {"opening": " 开放 "}, {"publicity": "主动公开"}],
)
def test_an_opened_record_is_for_everyone(fields: dict[str, str]) -> None:
    assert allowed(record(**fields)) == [True, True, True, True]


@pytest.mark.parametrize("opening", ["", "未审核", "控制", "延期开放", "不开放"])
def test_anything_but_open_is_closed_to_deputies_and_public(opening: str) -> None:
    assert allowed(record(opening=opening)) == [True, True, False, False]


def test_age_opens_nothing() -> None:
    assert allowed(record(date="19500101", date_iso="1950-01-01", year=1950)) == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"doc_type": "信访材料"},
        {"doc_type": "主任会议纪要"},
        {"doc_type": "干部考察材料"},
        {"note": "含工作秘密"},
        {"secrecy": "工作秘密"},
        {"restricted": True},
    ],
)
def test_a_restricted_record_is_the_archivists_even_when_marked_open(
    fields: dict[str, object],
) -> None:
    item = record(opening="开放", publicity="主动公开", **fields)

    assert is_restricted(item)
    assert allowed(item) == [True, False, False, False]


def test_staff_read_restricted_papers_of_their_own_department() -> None:
    item = record(doc_type="主任会议纪要", department="办公室")

    assert may_read(CLERK, item).allowed
    assert not may_read(Reader(Role.STAFF, "赵科", "法工委"), item).allowed


def test_a_blank_department_owns_nothing() -> None:
    item = record(doc_type="主任会议纪要", department="")

    assert not may_read(Reader(Role.STAFF, "无部门"), item).allowed


@pytest.mark.parametrize("kind", ["信访材料", "举报材料", "考察材料", "处分决定"])
def test_petitions_and_reports_are_not_even_for_the_department(kind: str) -> None:
    item = record(doc_type=kind, department="办公室")

    assert not may_read(CLERK, item).allowed


@pytest.mark.parametrize("kind", ["代表建议", "议案", "建议答复"])
def test_a_deputy_reads_their_own_proposal_before_it_is_opened(kind: str) -> None:
    item = record(doc_type=kind, proposers=("张代表", "李代表"))

    assert may_read(DEPUTY, item).allowed
    assert not may_read(Reader(Role.DEPUTY, "李代"), item).allowed
    assert not may_read(Reader(Role.DEPUTY, ""), item).allowed
    assert not may_read(Reader(Role.PUBLIC, "李代表"), item).allowed


def test_being_named_in_another_kind_of_record_opens_nothing() -> None:
    assert not may_read(DEPUTY, record(doc_type="会议纪要", proposers=("李代表",))).allowed


def test_hidden_for_any_reason_gives_a_reason_for_the_register() -> None:
    for reader in (ARCHIVIST, CLERK, DEPUTY, PUBLIC):
        for item in (record(), record(doc_type="信访"), record(opening="开放")):
            assert may_read(reader, item).reason


def test_a_permitted_set_allows_its_members_only() -> None:
    assert EVERYTHING.allows(10**9)
    assert Permitted(frozenset({1})).allows(1)
    assert not Permitted(frozenset({1})).allows(2)
    assert not Permitted(frozenset()).allows(1)
