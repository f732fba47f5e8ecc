"""Accounts, sessions and lock-outs in `home/accounts.sqlite3`.

An account has one role. A person with an account may use it when a security administrator (or
the command line on the server) has approved it and nobody has disabled it. Passwords are stored
as argon2id hashes and session tokens as SHA-256 hashes: who steals the file can sign in as nobody.
Other tables of the same file belong to other modules.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from index.access import ADMINISTRATORS
from index.domain import Reader, Role
from index.errors import ArchiveError
from index.settings import Settings
from ui.passwords import Passwords, check_password

ACCOUNTS_FILE: Final = "accounts.sqlite3"

#: Wrong passwords until an account is locked, and for how long, seconds.
TRIES: Final = 5
LOCK_S: Final = 600.0
#: An address is shared by a whole office behind a proxy, so it may be wrong more often.
TRIES_OF_ADDRESS: Final = 20
_SESSIONS_KEPT: Final = 20
#: How often the time of the last use is written, seconds.
_TOUCH_S: Final = 30.0

_ACCOUNT: Final = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._@-]{1,31}")
_LONGEST_NAME: Final = 40

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS users (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    department TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    must_change INTEGER NOT NULL,
    approved INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    password_at REAL NOT NULL,
    signed_in_at REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES users (account) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_account ON sessions (account);
CREATE TABLE IF NOT EXISTS attempts (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    since REAL NOT NULL,
    locked_until REAL NOT NULL
) WITHOUT ROWID;
"""

_COLUMNS: Final = (
    "account, name, department, role, must_change, approved, disabled, created_at, password_at,"
    " signed_in_at"
)
_SESSION_SQL: Final = (
    "SELECT token_hash, s.created_at, seen_at, address, agent, account, name, department, role,"
    " must_change, approved, disabled, u.created_at, password_at, signed_in_at"
    " FROM sessions s JOIN users u USING (account)"
)

REFUSED: Final = (
    "登录名或密码不对，或者这个账号现在不能使用。"
    f"连续错 {TRIES} 次，要等 {int(LOCK_S // 60)} 分钟才能再试。忘了密码请找系统管理员重置。"
)


class AccountError(ArchiveError):
    """An account cannot be made or changed; the message says what to do."""


class SignInRefusedError(ArchiveError):
    """A sign-in was refused; the message does not tell whether the account exists."""

    def __init__(self, message: str, retry_s: float = 0.0) -> None:
        """Refuse; `retry_s` is how long it will stay so, 0 when trying again at once is allowed."""
        super().__init__(message)
        self.retry_s = retry_s


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        account: The sign-in name, folded.
        name: Name of the person; for a deputy the name matched against proposers.
        department: The person's department, or empty.
        role: What the account may do once it is approved.
        must_change: Whether the password was set by somebody else and has to be changed first.
        approved: Whether a security administrator or the command line agreed to the role.
        disabled: Whether it has been switched off.
        created_at: Unix time, seconds.
        password_at: Unix time of the last change of the password.
        signed_in_at: Unix time of the last sign-in, 0 for never.
    """

    account: str
    name: str
    department: str
    role: Role
    must_change: bool
    approved: bool
    disabled: bool
    created_at: float
    password_at: float
    signed_in_at: float

    @property
    def reader(self) -> Reader:
        """The account as the one who asks."""
        return Reader(self.role, self.name, self.department, self.account)

    @property
    def active(self) -> bool:
        """Whether it may be used at all."""
        return self.approved and not self.disabled


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One session.

    Attributes:
        session_id: Names the session to its owner; says nothing about the token.
        account: Whose it is, as of now.
        created_at: Unix time of the sign-in, seconds.
        seen_at: Unix time of the last use, up to half a minute old.
        address: Network address of the sign-in.
        agent: The browser, as it calls itself.
        password_expired: Whether the password has become older than the settings allow.
    """

    session_id: str
    account: Account
    created_at: float
    seen_at: float
    address: str
    agent: str
    password_expired: bool = False

    @property
    def must_change(self) -> bool:
        """Whether nothing but changing the password is allowed."""
        return self.account.must_change or self.password_expired


class Accounts:
    """The accounts of one home. Safe between threads and processes."""

    def __init__(
        self,
        settings: Settings,
        passwords: Passwords | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open; the file is made with the first account.

        Args:
            settings: Settings in force: the home, and how long sessions and passwords last.
            passwords: Makes hashes.
            now: Gives Unix time, seconds.
        """
        self.path = settings.home / ACCOUNTS_FILE
        self._passwords = passwords or Passwords()
        self._now = now
        self._idle_s = settings.number("session_idle_minutes") * 60.0
        self._whole_s = settings.number("session_hours") * 3600.0
        self._password_s = settings.number("password_days") * 86400.0
        self._public = bool(settings.values["public_access"])
        self._local = threading.local()

    # -- accounts -----------------------------------------------------------------------------

    def any(self) -> bool:
        """Whether there is an account at all."""
        if not self.path.is_file():
            return False
        return self._db.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None

    def has_active(self, role: Role, besides: str = "") -> bool:
        """Whether somebody with a role can sign in.

        Args:
            role: The role.
            besides: An account that does not count.
        """
        return any(a.role is role and a.active and a.account != besides for a in self.people())

    def people(self) -> list[Account]:
        """All accounts in the order of their names."""
        if not self.path.is_file():
            return []
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM users ORDER BY account")  # noqa: S608
        return [_account(row) for row in rows]

    def find(self, account: str) -> Account | None:
        """The account of a sign-in name, None when there is none."""
        if not self.path.is_file():
            return None
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM users WHERE account = ?",  # noqa: S608
            (fold(account),),
        ).fetchone()
        return None if row is None else _account(row)

    def add(
        self,
        account: str,
        name: str,
        role: Role,
        password: str,
        *,
        department: str = "",
        approved: bool = False,
        must_change: bool = True,
    ) -> Account:
        """Make an account.

        Args:
            account: The sign-in name; case and width do not matter.
            name: Name of the person.
            role: What the account is to be allowed.
            password: The first password.
            department: The person's department; without one staff see no papers of their own.
            approved: Whether the role is in force at once.
            must_change: Whether the password must be changed at the first sign-in.

        Raises:
            AccountError: If the name is taken or not a name, or one person would be two of the
                three administrators.
            WeakPasswordError: If the password is weak.
        """
        key = checked_account(account)
        name, department = checked_name(name), _one_line(department)
        check_password(password, key)
        hashed = self._passwords.hash(password)
        now = self._now()
        with self._writing() as db:
            self._separate(db, key, name, role)
            try:
                db.execute(
                    "INSERT INTO users (account, name, department, role, password, must_change,"
                    " approved, created_at, password_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (key, name, department, role.value, hashed, must_change, approved, now, now),
                )
            except sqlite3.IntegrityError as error:
                msg = f"登录名 {key} 已经有人用了，请换一个。"
                raise AccountError(msg) from error
        return self._known(key)

    def grant(
        self, account: str, role: Role, *, name: str | None = None, department: str | None = None
    ) -> Account:
        """Give an account its role and put it in force; whoever is signed in with it is signed out.

        Raises:
            AccountError: If there is no such account, or the role may not be combined.
        """
        before = self._known(account)
        name = before.name if name is None else checked_name(name)
        department = before.department if department is None else _one_line(department)
        with self._writing() as db:
            self._separate(db, before.account, name, role)
            db.execute(
                "UPDATE users SET role = ?, name = ?, department = ?, approved = 1"
                " WHERE account = ?",
                (role.value, name, department, before.account),
            )
            if before.reader != Reader(role, name, department, before.account):
                db.execute("DELETE FROM sessions WHERE account = ?", (before.account,))
        return self._known(account)

    def reset(self, account: str, password: str, *, approved: bool) -> Account:
        """Set a new password by somebody else's hand; it must be changed at the next sign-in.

        Args:
            account: Whose.
            password: The new one.
            approved: False sends the account back to the security administrator, so that nobody
                can take over an account alone.

        Raises:
            AccountError: If there is no such account.
            WeakPasswordError: If the password is weak.
        """
        known = self._known(account)
        check_password(password, known.account)
        hashed = self._passwords.hash(password)
        with self._writing() as db:
            db.execute(
                "UPDATE users SET password = ?, password_at = ?, must_change = 1,"
                " approved = approved AND ? WHERE account = ?",
                (hashed, self._now(), approved, known.account),
            )
            db.execute("DELETE FROM sessions WHERE account = ?", (known.account,))
            db.execute("DELETE FROM attempts WHERE key = ?", (_key("account", known.account),))
        return self._known(account)

    def change_password(
        self, account: str, old: str, new: str, address: str, agent: str = ""
    ) -> str:
        """Change one's own password; every session of the account ends.

        Returns:
            The token of a fresh session.

        Raises:
            SignInRefusedError: If the old password is wrong; counts like a failed sign-in.
            WeakPasswordError: If the new one is weak or the same.
        """
        known = self._verified(account, old, address)
        if old == new:
            msg = "新密码与原密码相同，请换一个。"
            raise AccountError(msg)
        check_password(new, known.account)
        hashed = self._passwords.hash(new)
        with self._writing() as db:
            db.execute(
                "UPDATE users SET password = ?, password_at = ?, must_change = 0 WHERE account = ?",
                (hashed, self._now(), known.account),
            )
            db.execute("DELETE FROM sessions WHERE account = ?", (known.account,))
            return self._open_session(db, known.account, address, agent)

    def set_disabled(self, account: str, *, disabled: bool) -> Account:
        """Switch an account off (its sessions end) or on again."""
        known = self._known(account)
        with self._writing() as db:
            db.execute("UPDATE users SET disabled = ? WHERE account = ?", (disabled, known.account))
            if disabled:
                db.execute("DELETE FROM sessions WHERE account = ?", (known.account,))
        return self._known(account)

    def unlock(self, account: str) -> Account:
        """Forget the wrong passwords of an account."""
        known = self._known(account)
        with self._writing() as db:
            db.execute("DELETE FROM attempts WHERE key = ?", (_key("account", known.account),))
        return known

    def locked(self, account: str) -> bool:
        """Whether an account is locked after wrong passwords."""
        row = self._db.execute(
            "SELECT locked_until FROM attempts WHERE key = ?", (_key("account", fold(account)),)
        ).fetchone()
        return row is not None and row[0] > self._now()

    def usable(self, account: Account) -> bool:
        """Whether an account may be used under the settings in force."""
        return account.active and (account.role is not Role.PUBLIC or self._public)

    # -- sessions -----------------------------------------------------------------------------

    def sign_in(
        self, account: str, password: str, address: str, agent: str = "", old_token: str = ""
    ) -> str:
        """Check a password and open a session.

        Args:
            account: The sign-in name as typed.
            password: As typed.
            address: The caller's network address.
            agent: The browser, as it calls itself.
            old_token: The session the browser had before; it ends, whoever's it was.

        Returns:
            A token of 256 random bits, for the cookie; only its hash is stored.

        Raises:
            SignInRefusedError: If it is not right, not allowed, or locked.
        """
        known = self._verified(account, password, address)
        with self._writing() as db:
            if old_token:
                db.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(old_token),))
            db.execute(
                "UPDATE users SET signed_in_at = ? WHERE account = ?", (self._now(), known.account)
            )
            return self._open_session(db, known.account, address, agent)

    def session(self, token: str) -> SignedIn | None:
        """The session of a token, None when it is unknown, over, or its account not usable."""
        if not token or len(token) > 100 or not self.path.is_file():
            return None
        row = self._db.execute(
            f"{_SESSION_SQL} WHERE token_hash = ?",
            (_hash(token),),
        ).fetchone()
        if row is None:
            return None
        found = self._session(row)
        if self._is_over(found) or not self.usable(found.account):
            return None
        return found

    def needs_touch(self, session: SignedIn) -> bool:
        """Whether the time of the last use should be written."""
        return self._now() - session.seen_at >= _TOUCH_S

    def touch(self, session: SignedIn) -> None:
        """Note that a session is in use; waits for no writer, the next request will do."""
        try:
            self._db.execute(
                "UPDATE sessions SET seen_at = ? WHERE token_hash = ?",
                (self._now(), session.session_id),
            )
        except sqlite3.OperationalError:
            return

    def sessions(self, account: str) -> list[SignedIn]:
        """The sessions of an account that are not over, newest first."""
        rows = self._db.execute(
            f"{_SESSION_SQL} WHERE account = ? ORDER BY s.created_at DESC",
            (fold(account),),
        ).fetchall()
        return [found for found in map(self._session, rows) if not self._is_over(found)]

    def end_session(self, account: str, session_id: str) -> None:
        """End one session of an account; an unknown one is no error."""
        with self._writing() as db:
            db.execute(
                "DELETE FROM sessions WHERE account = ? AND token_hash = ?",
                (fold(account), session_id),
            )

    def end_other_sessions(self, account: str, session_id: str) -> None:
        """End every session of an account but one."""
        with self._writing() as db:
            db.execute(
                "DELETE FROM sessions WHERE account = ? AND token_hash <> ?",
                (fold(account), session_id),
            )

    def sign_out(self, token: str) -> None:
        """End the session of a token."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))

    def sign_out_everywhere(self, account: str) -> None:
        """End every session of an account."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE account = ?", (fold(account),))

    # -- inside -------------------------------------------------------------------------------

    def _verified(self, account: str, password: str, address: str) -> Account:
        """The account of a right password.

        The attempt is counted before the password is looked at, so that many at the same time do
        not get more tries; names without an account are counted and locked all the same.
        """
        typed = fold(account)[:64]
        keys = ((_key("account", typed), TRIES), (_key("address", address), TRIES_OF_ADDRESS))
        self._count(keys)
        known = self.find(typed)
        stored = None
        if known is not None:
            (stored,) = self._db.execute(
                "SELECT password FROM users WHERE account = ?", (known.account,)
            ).fetchone()
        right = self._passwords.verify(stored, password)
        if known is None or not right or not self.usable(known):
            self._lock_if_over(keys)
            raise SignInRefusedError(REFUSED)
        with self._writing() as db:
            db.execute("DELETE FROM attempts WHERE key = ?", (keys[0][0],))
            # Only this one: whoever owns an account could otherwise wipe out their guesses.
            db.execute("UPDATE attempts SET count = count - 1 WHERE key = ?", (keys[1][0],))
        return known

    def _count(self, keys: tuple[tuple[str, int], ...]) -> None:
        now = self._now()
        with self._writing() as db:
            db.execute(
                "DELETE FROM attempts WHERE locked_until < ? AND since < ?", (now, now - LOCK_S)
            )
            for key, tries in keys:
                row = db.execute(
                    "SELECT count, locked_until FROM attempts WHERE key = ?", (key,)
                ).fetchone()
                if row is not None and row[1] > now:
                    raise _locked(row[1] - now)
                if row is not None and row[0] >= tries:
                    raise _locked(LOCK_S)  # others are being looked at right now
            for key, _ in keys:
                db.execute(
                    "INSERT INTO attempts VALUES (?, 1, ?, 0) ON CONFLICT (key)"
                    " DO UPDATE SET count = count + 1",
                    (key, now),
                )

    def _lock_if_over(self, keys: tuple[tuple[str, int], ...]) -> None:
        now = self._now()
        with self._writing() as db:
            for key, tries in keys:
                db.execute(
                    "UPDATE attempts SET locked_until = ? WHERE key = ? AND count >= ?",
                    (now + LOCK_S, key, tries),
                )

    def _open_session(self, db: sqlite3.Connection, account: str, address: str, agent: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._now()
        db.execute("DELETE FROM sessions WHERE created_at < ?", (now - self._whole_s,))
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            (_hash(token), account, now, now, address[:64], _one_line(agent)[:200]),
        )
        db.execute(
            "DELETE FROM sessions WHERE account = ?1 AND token_hash NOT IN (SELECT token_hash"
            " FROM sessions WHERE account = ?1 ORDER BY created_at DESC LIMIT ?2)",
            (account, _SESSIONS_KEPT),
        )
        return token

    def _session(self, row: tuple[object, ...]) -> SignedIn:
        token_hash, created_at, seen_at, address, agent, *rest = row
        account = _account(tuple(rest))
        expired = 0 < self._password_s < self._now() - account.password_at
        return SignedIn(
            str(token_hash),
            account,
            float(str(created_at)),
            float(str(seen_at)),
            str(address),
            str(agent),
            expired,
        )

    def _is_over(self, session: SignedIn) -> bool:
        now = self._now()
        return now - session.seen_at > self._idle_s or now - session.created_at > self._whole_s

    def _known(self, account: str) -> Account:
        found = self.find(account)
        if found is None:
            msg = f"没有登录名为“{_one_line(account)[:40]}”的账号。全部账号见 chadang users list。"
            raise AccountError(msg)
        return found

    def _separate(self, db: sqlite3.Connection, key: str, name: str, role: Role) -> None:
        """Nobody is two of the three administrators."""
        if role not in ADMINISTRATORS:
            return
        for other, other_role in db.execute(
            "SELECT account, role FROM users WHERE name = ? AND account <> ? AND disabled = 0",
            (name, key),
        ):
            if other_role != role.value and other_role in ADMINISTRATORS:
                msg = (
                    f"{name}已经是{other_role}（{other}）。系统、安全、审计管理员不得由同一人兼任。"
                )
                raise AccountError(msg)

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "db", None)
        if connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(_SCHEMA)
            self._local.db = connection
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def _account(row: tuple[object, ...]) -> Account:
    account, name, department, role, must_change, approved, disabled, *times = row
    created_at, password_at, signed_in_at = (float(str(value)) for value in times)
    return Account(
        str(account),
        str(name),
        str(department),
        Role(str(role)),
        bool(must_change),
        bool(approved),
        bool(disabled),
        created_at,
        password_at,
        signed_in_at,
    )


def fold(account: str) -> str:
    """A sign-in name in the form it is stored in."""
    return unicodedata.normalize("NFKC", account).strip().casefold()


def checked_account(account: str) -> str:
    """A new sign-in name, folded.

    Raises:
        AccountError: If it is not one.
    """
    key = fold(account)
    if not _ACCOUNT.fullmatch(key):
        msg = (
            f"登录名“{_one_line(account)[:40]}”不合适：请用 2–32 个字母、数字或汉字，"
            "中间可以有 . _ @ -。"
        )
        raise AccountError(msg)
    return key


def checked_name(name: str) -> str:
    """A person's name on one line.

    Raises:
        AccountError: If there is none or it is too long.
    """
    name = _one_line(name)
    if not name or len(name) > _LONGEST_NAME:
        msg = f"请写明使用人的真实姓名（不超过 {_LONGEST_NAME} 字），一个账号对应一个人。"
        raise AccountError(msg)
    return name


def _one_line(text: str) -> str:
    """Text without line breaks, control characters and marks that turn the writing direction."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(kept.split())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(kind: str, value: str) -> str:
    # hashed: people type passwords into the wrong box
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()


def _locked(seconds: float) -> SignInRefusedError:
    minutes = max(1, int(-(-seconds // 60)))
    return SignInRefusedError(
        f"登录失败次数过多，请 {minutes} 分钟后再试，或请安全管理员解除锁定。", seconds
    )
