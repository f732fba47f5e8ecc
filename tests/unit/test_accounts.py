"""The accounts: who may sign in, for how long, and what a thief or a guesser gets."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from index.domain import Reader, Role
from tests.account_fakes import PASSWORD, Clock, CountingPasswords, add_people, open_accounts
from tests.web_fakes import make_settings
from ui.accounts import (
    LOCK_S,
    TRIES,
    TRIES_OF_ADDRESS,
    AccountError,
    Accounts,
    SignInRefusedError,
)
from ui.passwords import Passwords, WeakPasswordError, check_password, new_password

HERE = "10.0.0.5"
WRONG = "wrong"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    made = open_accounts(make_settings(tmp_path), clock)
    add_people(made)
    return made


def refused(accounts: Accounts, account: str, password: str = WRONG, address: str = HERE) -> str:
    with pytest.raises(SignInRefusedError) as found:
        accounts.sign_in(account, password, address)
    return str(found.value)


# -- passwords --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "shuiku1985Q",
        "东风水库渠道x1985",
        "Aa-19850312",
        "correct horse battery",
        "北" * 3 + "a1B-cdxyz",
    ],
)
def test_a_good_password_is_accepted(password: str) -> None:
    check_password(password, "zhangsan")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "Aa-1985",  # too short
        "shuikuqudao",  # one kind, eleven characters
        "shuiku198503",  # two kinds
        "Zhangsan-1985",  # the account's own name
        "ZHANGSAN-x1985",
        "Password-2024",
        "P@ssw0rd123",
        "@dmin-20245",
        "Admin@12345",
        "1234567890Aa",
        "Qwertyuiop-1",
        "AAAAAAAAAA-1",
        "aaaaaaaaaaaaaaaa",
        "Chadang@2026",
        "Shui-Ku\n19850",
        "好" * 129,
    ],
)
def test_a_weak_password_is_refused_with_the_rule(password: str) -> None:
    with pytest.raises(WeakPasswordError, match="密码"):
        check_password(password, "zhangsan")


def test_made_passwords_obey_the_rule_and_differ() -> None:
    made = {new_password() for _ in range(50)}

    assert len(made) == 50
    for password in made:
        check_password(password, "zhangsan")


def test_a_stored_password_is_a_salted_argon2id_hash() -> None:
    passwords = Passwords()
    one, two = passwords.hash(PASSWORD), passwords.hash(PASSWORD)

    assert one.startswith("$argon2id$v=19$m=65536,t=3,")
    assert one != two
    assert PASSWORD not in one
    assert passwords.verify(one, PASSWORD)
    assert not passwords.verify(one, PASSWORD + "x")
    assert not passwords.verify("not a hash", PASSWORD)
    assert not passwords.verify(None, PASSWORD)


def test_the_same_characters_typed_elsewhere_are_the_same_password() -> None:
    passwords = CountingPasswords()

    assert passwords.verify(passwords.hash("caf\u00e9-Shui-1985"), "cafe\u0301-Shui-1985")


# -- accounts ---------------------------------------------------------------------------------


def test_no_account_makes_no_file(tmp_path: Path) -> None:
    accounts = open_accounts(make_settings(tmp_path))

    assert not accounts.any()
    assert accounts.people() == []
    assert accounts.find("x") is None
    assert accounts.session("x") is None
    assert not accounts.path.exists()


def test_the_file_is_for_its_owner_only_and_holds_no_secret(accounts: Accounts) -> None:
    token = accounts.sign_in("clerk", PASSWORD, HERE)

    assert accounts.path.stat().st_mode & 0o077 == 0
    content = b"".join(p.read_bytes() for p in accounts.path.parent.glob("accounts.sqlite3*"))
    assert PASSWORD.encode() not in content
    assert token.encode() not in content


@pytest.mark.parametrize("account", ["CLERK", " clerk ", "ｃｌｅｒｋ"])
def test_case_width_and_blanks_of_a_name_do_not_matter(accounts: Accounts, account: str) -> None:
    assert accounts.sign_in(account, PASSWORD, HERE)
    with pytest.raises(AccountError, match="已经有人"):
        accounts.add(account, "另一人", Role.STAFF, PASSWORD)


@pytest.mark.parametrize(
    "account", ["", "a", "甲 乙", "<b>x</b>", "a/b", "-ab", "a" * 33, "a\u202eb"]
)
def test_what_is_not_a_sign_in_name_is_refused(accounts: Accounts, account: str) -> None:
    with pytest.raises(AccountError, match="登录名"):
        accounts.add(account, "某人", Role.STAFF, PASSWORD)


def test_the_reader_carries_role_name_department_and_account(accounts: Accounts) -> None:
    session = accounts.session(accounts.sign_in("clerk", PASSWORD, HERE))

    assert session is not None
    assert session.account.reader == Reader(Role.STAFF, "王科", "办公室", "clerk")


def test_one_person_is_not_two_administrators(accounts: Accounts) -> None:
    with pytest.raises(AccountError, match="兼任"):
        accounts.add("second", "系某", Role.SECURITY_ADMIN, PASSWORD)
    accounts.add("third", "系某", Role.SYSTEM_ADMIN, PASSWORD)
    accounts.add("fourth", "系某", Role.STAFF, PASSWORD)
    with pytest.raises(AccountError, match="兼任"):
        accounts.grant("fourth", Role.AUDITOR)


def test_an_account_waits_for_the_security_administrator(accounts: Accounts) -> None:
    accounts.add("new", "新人", Role.STAFF, PASSWORD)

    refused(accounts, "new", PASSWORD)
    accounts.grant("new", Role.DEPUTY)

    session = accounts.session(accounts.sign_in("new", PASSWORD, HERE))
    assert session is not None
    assert session.account.role is Role.DEPUTY
    assert session.must_change


def test_a_reset_password_waits_as_well_and_ends_every_session(accounts: Accounts) -> None:
    token = accounts.sign_in("archivist", PASSWORD, HERE)

    accounts.reset("archivist", "Xin-Mi-Ma-2026", approved=False)

    assert accounts.session(token) is None
    refused(accounts, "archivist", PASSWORD)
    refused(accounts, "archivist", "Xin-Mi-Ma-2026")
    accounts.grant("archivist", Role.ARCHIVIST)
    session = accounts.session(accounts.sign_in("archivist", "Xin-Mi-Ma-2026", HERE))
    assert session is not None
    assert session.must_change


def test_a_reset_does_not_approve_what_was_not(accounts: Accounts) -> None:
    accounts.add("new", "新人", Role.STAFF, PASSWORD)

    assert not accounts.reset("new", "Xin-Mi-Ma-2026", approved=True).approved


def test_a_new_role_takes_effect_at_once(accounts: Accounts) -> None:
    token = accounts.sign_in("clerk", PASSWORD, HERE)

    accounts.grant("clerk", Role.DEPUTY)

    assert accounts.session(token) is None


def test_a_disabled_account_is_out_at_once(accounts: Accounts) -> None:
    token = accounts.sign_in("clerk", PASSWORD, HERE)

    accounts.set_disabled("clerk", disabled=True)
    out = accounts.session(token)
    message = refused(accounts, "clerk", PASSWORD)
    accounts.set_disabled("clerk", disabled=False)

    assert out is None
    assert message == refused(accounts, "nobody", PASSWORD)
    assert accounts.session(token) is None
    assert accounts.sign_in("clerk", PASSWORD, HERE)


def test_the_public_comes_in_only_when_the_settings_say_so(tmp_path: Path) -> None:
    closed = open_accounts(make_settings(tmp_path))
    add_people(closed)
    opened = open_accounts(make_settings(tmp_path, public_access=True))
    token = opened.sign_in("public", PASSWORD, HERE)

    assert opened.session(token) is not None
    assert closed.session(token) is None
    refused(closed, "public", PASSWORD)


# -- guessing ---------------------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_account_for_ten_minutes(
    accounts: Accounts, clock: Clock
) -> None:
    for number in range(TRIES):
        assert "过多" not in refused(accounts, "clerk", address=f"10.0.1.{number}")

    locked = refused(accounts, "clerk", PASSWORD, "10.0.9.9")
    clock.forward(LOCK_S - 1)
    still = refused(accounts, "clerk", PASSWORD)
    clock.forward(2)

    assert "10 分钟" in locked
    assert "1 分钟" in still
    assert accounts.sign_in("clerk", PASSWORD, HERE)


def test_a_right_password_forgives_the_wrong_ones_before_it(accounts: Accounts) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            refused(accounts, "clerk", address="")
        accounts.sign_in("clerk", PASSWORD, "10.0.0.6")


def test_old_wrong_passwords_do_not_add_up(accounts: Accounts, clock: Clock) -> None:
    for _ in range(TRIES - 1):
        refused(accounts, "clerk")
    clock.forward(LOCK_S + 1)
    for _ in range(TRIES - 1):
        refused(accounts, "clerk")

    assert accounts.sign_in("clerk", PASSWORD, HERE)


def test_an_unknown_name_behaves_like_a_known_one(tmp_path: Path) -> None:
    """This test ensures that message, work and lock-out do not tell whether an account exists."""
    accounts = open_accounts(make_settings(tmp_path))
    add_people(accounts)
    passwords = accounts._passwords
    assert isinstance(passwords, CountingPasswords)
    said: dict[str, list[str]] = {}
    work: dict[str, int] = {}
    for account, address in (("clerk", "10.0.0.1"), ("nobody", "10.0.0.2"), ("好", "10.0.0.3")):
        before = passwords.work
        said[account] = [refused(accounts, account, address=address) for _ in range(TRIES + 2)]
        work[account] = passwords.work - before

    assert said["clerk"] == said["nobody"] == said["好"]
    assert work == {"clerk": TRIES, "nobody": TRIES, "好": TRIES}


def test_an_address_that_guesses_through_the_names_is_locked(accounts: Accounts) -> None:
    for number in range(TRIES_OF_ADDRESS):
        refused(accounts, f"name{number}")

    assert "过多" in refused(accounts, "clerk", PASSWORD)
    assert accounts.sign_in("clerk", PASSWORD, "10.0.0.77")


def test_an_own_account_does_not_wipe_out_the_guesses_of_its_address(accounts: Accounts) -> None:
    for number in range(TRIES_OF_ADDRESS - 1):
        refused(accounts, f"name{number}")
        accounts.sign_in("deputy", PASSWORD, HERE)
    refused(accounts, "last")

    assert "过多" in refused(accounts, "clerk", PASSWORD)


def test_guessing_at_the_same_time_gives_no_more_tries(accounts: Accounts) -> None:
    passwords = accounts._passwords
    assert isinstance(passwords, CountingPasswords)

    def guess(number: int) -> None:
        refused(accounts, "clerk", f"guess-{number}", f"10.0.2.{number}")

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert passwords.work <= TRIES
    assert accounts.locked("clerk")


def test_unlocking_and_what_is_stored_of_attempts(accounts: Accounts) -> None:
    for _ in range(TRIES):
        refused(accounts, "clerk")
    refused(accounts, "My-Secret-Password")  # typed into the wrong box

    assert accounts.locked("clerk")
    accounts.unlock("clerk")

    assert not accounts.locked("clerk")
    with sqlite3.connect(accounts.path) as db:
        assert "secret" not in "\n".join(db.iterdump()).lower()
    db.close()


# -- sessions ---------------------------------------------------------------------------------


def test_a_session_ends_when_it_is_not_used(accounts: Accounts, clock: Clock) -> None:
    token = accounts.sign_in("clerk", PASSWORD, HERE)
    for _ in range(3):
        clock.forward(29 * 60)
        session = accounts.session(token)
        assert session is not None
        assert accounts.needs_touch(session)
        accounts.touch(session)
    clock.forward(30 * 60 + 1)

    assert accounts.session(token) is None
    assert accounts.sessions("clerk") == []


def test_a_session_ends_after_so_many_hours_whatever_is_done(
    accounts: Accounts, clock: Clock
) -> None:
    token = accounts.sign_in("clerk", PASSWORD, HERE)
    for _ in range(12 * 6):
        session = accounts.session(token)
        assert session is not None
        accounts.touch(session)
        clock.forward(600)
    clock.forward(1)

    assert accounts.session(token) is None


def test_each_sign_in_gives_a_new_token_and_ends_the_old_one(accounts: Accounts) -> None:
    first = accounts.sign_in("clerk", PASSWORD, HERE)
    second = accounts.sign_in("clerk", PASSWORD, HERE, old_token=first)
    planted = "chosen by somebody else"
    fixed = accounts.sign_in("clerk", PASSWORD, HERE, old_token=planted)

    assert len({first, second, fixed}) == 3
    assert len(first) >= 43
    assert accounts.session(first) is None
    assert accounts.session(planted) is None
    assert accounts.session(second) is not None


def test_a_changed_password_ends_every_session(accounts: Accounts) -> None:
    old = [accounts.sign_in("clerk", PASSWORD, HERE) for _ in range(3)]

    new = accounts.change_password("clerk", PASSWORD, "Xin-Mi-Ma-2026", HERE)

    assert [accounts.session(token) for token in old] == [None] * 3
    assert accounts.session(new) is not None
    refused(accounts, "clerk", PASSWORD)


def test_changing_needs_the_old_password_and_locks_like_a_sign_in(accounts: Accounts) -> None:
    for _ in range(TRIES):
        with pytest.raises(SignInRefusedError):
            accounts.change_password("clerk", "wrong", "Xin-Mi-Ma-2026", HERE)

    assert accounts.locked("clerk")
    with pytest.raises(AccountError, match="相同"):
        accounts.change_password("deputy", PASSWORD, PASSWORD, "10.0.0.8")
    with pytest.raises(WeakPasswordError):
        accounts.change_password("deputy", PASSWORD, "short", "10.0.0.8")


def test_signing_out_here_elsewhere_and_everywhere(accounts: Accounts) -> None:
    one, two, three = (accounts.sign_in("clerk", PASSWORD, HERE) for _ in range(3))
    others = accounts.sign_in("deputy", PASSWORD, HERE)
    session = accounts.session(two)
    assert session is not None

    accounts.sign_out(one)
    assert accounts.session(one) is None
    accounts.end_session("deputy", session.session_id)  # not theirs to end
    assert accounts.session(two) is not None
    accounts.end_other_sessions("clerk", session.session_id)
    assert accounts.session(three) is None
    assert accounts.session(two) is not None
    accounts.sign_out_everywhere("clerk")
    assert accounts.session(two) is None
    assert accounts.session(others) is not None


def test_an_old_password_must_be_changed_when_the_settings_say_so(
    tmp_path: Path, clock: Clock
) -> None:
    accounts = open_accounts(make_settings(tmp_path, password_days=90), clock)
    add_people(accounts)
    clock.forward(89 * 86400)
    fresh = accounts.session(accounts.sign_in("clerk", PASSWORD, HERE))
    clock.forward(2 * 86400)
    old = accounts.session(accounts.sign_in("clerk", PASSWORD, HERE))
    assert fresh is not None
    assert old is not None

    assert not fresh.must_change
    assert old.must_change


def test_two_processes_see_the_same(accounts: Accounts, tmp_path: Path, clock: Clock) -> None:
    other = open_accounts(make_settings(tmp_path), clock)
    token = accounts.sign_in("clerk", PASSWORD, HERE)

    other.set_disabled("clerk", disabled=True)

    assert accounts.session(token) is None
