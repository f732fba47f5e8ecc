"""Tokens of programs, and how often they may call."""

from __future__ import annotations

import datetime as dt
import sqlite3
import stat
from pathlib import Path

import pytest

from index.domain import Role
from tests.fakes import FakeClock
from ui.api_tokens import ACCOUNTS_FILE, ApiTokens, TokenError
from ui.rate_limit import RateLimit


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(tmp_path: Path, clock: FakeClock) -> ApiTokens:
    return ApiTokens(tmp_path, lambda: clock.now)


def test_a_token_is_found_and_stands_for_its_reader(tokens: ApiTokens) -> None:
    secret, token = tokens.add("办公系统", Role.STAFF, department="办公室")
    found = tokens.find(secret)

    assert found is not None
    assert found.number == token.number
    assert found.reader.role is Role.STAFF
    assert found.reader.department == "办公室"
    assert found.reader.account == "api:1"


def test_neither_the_file_nor_the_entry_holds_the_token(tokens: ApiTokens, tmp_path: Path) -> None:
    secret, token = tokens.add("办公系统", Role.STAFF)
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())

    assert secret.encode() not in kept
    assert secret[8:].encode() not in kept
    assert secret[8:] not in repr(token)
    assert stat.S_IMODE((tmp_path / ACCOUNTS_FILE).stat().st_mode) == 0o600


def test_a_revoked_and_an_expired_token_are_not_found(tokens: ApiTokens, clock: FakeClock) -> None:
    first, _ = tokens.add("甲", Role.PUBLIC)
    second, _ = tokens.add("乙", Role.PUBLIC, days=2)
    tokens.revoke("甲")
    assert tokens.find(first) is None
    assert tokens.find(second) is not None
    clock.advance(2 * 24 * 3600)

    assert tokens.find(second) is None


@pytest.mark.parametrize(
    "secret", ["", "cd_", "cd_" + "a" * 43, "cd_" + "a" * 42 + "é", "x" * 100_000, "cd_' OR 1=1 --"]
)
def test_what_is_no_token_is_not_found(tokens: ApiTokens, secret: str) -> None:
    tokens.add("甲", Role.PUBLIC)

    assert tokens.find(secret) is None


def test_without_any_token_nothing_is_created(tmp_path: Path) -> None:
    assert ApiTokens(tmp_path).find("cd_" + "a" * 43) is None
    assert ApiTokens(tmp_path).all() == []
    assert list(tmp_path.iterdir()) == []


def test_a_deputy_s_token_needs_the_deputy(tokens: ApiTokens) -> None:
    with pytest.raises(TokenError, match="代表姓名"):
        tokens.add("平台", Role.DEPUTY)
    _, token = tokens.add("平台", Role.DEPUTY, person="张三")

    assert token.reader.name == "张三"


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR])
def test_administrators_do_not_read_by_token_either(tokens: ApiTokens, role: Role) -> None:
    with pytest.raises(TokenError, match="不查阅"):
        tokens.add("平台", role)


@pytest.mark.parametrize("purpose", ["", "玩", "其他"])
def test_a_token_has_a_purpose(tokens: ApiTokens, purpose: str) -> None:
    with pytest.raises(TokenError, match="利用目的"):
        tokens.add("平台", Role.STAFF, purpose=purpose)


def test_the_name_of_a_program_is_never_taken_for_a_person(tokens: ApiTokens) -> None:
    """This test ensures that a token named like a deputy does not open the deputy's papers."""
    _, token = tokens.add("张三", Role.STAFF)

    assert token.reader.name != "张三"


@pytest.mark.parametrize("name", ["", "  ", "长" * 81, "甲\n乙"])
def test_a_name_must_be_one_to_show(tokens: ApiTokens, name: str) -> None:
    with pytest.raises(TokenError, match="名字"):
        tokens.add(name, Role.PUBLIC)


def test_a_name_in_use_is_refused_and_free_again_once_revoked(tokens: ApiTokens) -> None:
    tokens.add("甲", Role.PUBLIC)
    with pytest.raises(TokenError, match="已有"):
        tokens.add("甲", Role.PUBLIC)
    tokens.revoke("1")
    tokens.add("甲", Role.PUBLIC)

    assert [bool(t.revoked) for t in tokens.all()] == [True, False]
    with pytest.raises(TokenError, match="没有"):
        tokens.revoke("1")


def test_the_last_use_is_noted_to_the_minute(tokens: ApiTokens, clock: FakeClock) -> None:
    secret, _ = tokens.add("甲", Role.PUBLIC)
    tokens.find(secret)
    first = tokens.all()[0].last_used
    clock.advance(30)
    tokens.find(secret)
    assert tokens.all()[0].last_used == first
    clock.advance(31)
    tokens.find(secret)

    assert dt.datetime.fromisoformat(tokens.all()[0].last_used) == clock.now


def test_a_locked_file_does_not_stop_a_call(tokens: ApiTokens, tmp_path: Path) -> None:
    """This test ensures that noting the use never makes the call itself fail."""
    secret, _ = tokens.add("甲", Role.PUBLIC)
    writer = sqlite3.connect(tmp_path / ACCOUNTS_FILE, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert tokens.find(secret) is not None
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_another_table_in_the_file_is_left_alone(tokens: ApiTokens, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        db.execute("CREATE TABLE users (name TEXT)")
        db.execute("INSERT INTO users VALUES ('甲')")
    db.close()
    assert tokens.all() == []
    tokens.add("乙", Role.PUBLIC)
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        assert db.execute("SELECT name FROM users").fetchall() == [("甲",)]
    db.close()


# -- rate limit -----------------------------------------------------------------------------------


def test_calls_run_out_and_come_back(clock: FakeClock) -> None:
    limit = RateLimit(60, 3, clock.monotonic)
    assert [limit.wait("甲") for _ in range(3)] == [0, 0, 0]
    wait = limit.wait("甲")
    assert 0 < wait <= 1
    assert limit.wait("乙") == 0
    clock.advance(wait)

    assert limit.wait("甲") == 0
    assert limit.wait("甲") > 0


def test_refused_calls_cost_nothing(clock: FakeClock) -> None:
    limit = RateLimit(60, 1, clock.monotonic)
    limit.wait("甲")
    for _ in range(100):
        limit.wait("甲")
    clock.advance(1)

    assert limit.wait("甲") == 0


def test_zero_is_no_limit(clock: FakeClock) -> None:
    limit = RateLimit(0, 1, clock.monotonic)

    assert not any(limit.wait("甲") for _ in range(1000))
