"""Tokens of programs that call the API: kept hashed, each with whom it acts for.

A token is 256 random bits, so a plain SHA-256 of it is kept: there is nothing to guess that a slow
hash would slow down. It is shown once, when it is made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.access import READING_ROLES
from index.domain import Reader, Role
from index.errors import ArchiveError
from ui.purposes import PURPOSES, stated

ACCOUNTS_FILE: Final = "accounts.sqlite3"
PREFIX: Final = "cd_"
_FORM: Final = re.compile(r"cd_[A-Za-z0-9_-]{43}")
_SCHEMA: Final = """CREATE TABLE IF NOT EXISTS api_tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    person TEXT NOT NULL,
    department TEXT NOT NULL,
    account TEXT NOT NULL,
    purpose TEXT NOT NULL,
    created TEXT NOT NULL,
    expires TEXT NOT NULL,
    last_used TEXT NOT NULL,
    revoked TEXT NOT NULL
)"""
_COLUMNS: Final = "number, hint, name, role, person, department, account, purpose, created, expires, last_used, revoked"
#: How exact `last_used` is; a write for every call would be many.
_USED_EVERY: Final = dt.timedelta(minutes=1)
_LONGEST_NAME: Final = 80


class TokenError(ArchiveError):
    """A token cannot be made or revoked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token as it is listed; the token itself is not kept.

    Attributes:
        number: Names it in commands and logs.
        hint: Its first characters, to tell tokens apart.
        name: Which program holds it.
        role: Whose rights it gives.
        person: The name of the person acted for (a deputy's own proposals go by it), or empty.
        department: Department of a staff member, or empty.
        account: Sign-in name acted for, or empty.
        purpose: 利用目的 of its calls, as `ui.purposes.stated` gives it.
        created: When it was made, ISO 8601.
        expires: From when it is not valid, ISO 8601; empty for never.
        last_used: Last call, to the minute, ISO 8601; empty for never.
        revoked: When it was revoked, ISO 8601; empty when it was not.
    """

    number: int
    hint: str
    name: str
    role: Role
    person: str
    department: str
    account: str
    purpose: str
    created: str
    expires: str
    last_used: str
    revoked: str

    @property
    def reader(self) -> Reader:
        """The reader calls with this token are."""
        # The name a program shows must not be taken for a deputy's: it would open their papers.
        name = self.person or f"接口：{self.name}"
        return Reader(self.role, name, self.department, self.account or f"api:{self.number}")

    def valid(self, now: dt.datetime) -> bool:
        """Whether it may be used at this moment."""
        if self.revoked:
            return False
        return not self.expires or now < dt.datetime.fromisoformat(self.expires)


class ApiTokens:
    """The tokens of one home. Safe between threads and processes."""

    def __init__(self, home: Path, now: Callable[[], dt.datetime] | None = None) -> None:
        """Bind a home; nothing is created before a token is.

        Args:
            home: The home folder.
            now: Clock with a time zone; None for the real one.
        """
        self._path = home / ACCOUNTS_FILE
        self._now = now or (lambda: dt.datetime.now(dt.UTC))

    def add(
        self,
        name: str,
        role: Role,
        *,
        person: str = "",
        department: str = "",
        account: str = "",
        purpose: str = PURPOSES[0],
        days: int | None = None,
    ) -> tuple[str, ApiToken]:
        """Make a token.

        Args:
            name: Which program is to hold it.
            role: Whose rights it gives.
            person: The person acted for.
            department: Department of a staff member.
            account: Sign-in name acted for; calls end when it may not sign in any more.
            purpose: 利用目的 of its calls.
            days: Days it is valid, at least 1; None for no end.

        Returns:
            The token, to be shown once, and its entry.

        Raises:
            TokenError: If the name is empty, too long or in use, or the role needs a person.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            msg = f"请给令牌起个名字（{_LONGEST_NAME} 字以内），写明是哪个系统用的。"
            raise TokenError(msg)
        if role not in READING_ROLES:
            msg = f"{role.value}不查阅档案内容，不能给它发令牌。"
            raise TokenError(msg)
        if not (purpose := stated(purpose)):
            msg = f"利用目的请写其中一项：{'、'.join(PURPOSES)}；“其他”要写明，如 其他：写家谱。"
            raise TokenError(msg)
        if role is Role.DEPUTY and not account and not person.strip():
            msg = "代表身份的令牌要写明代表姓名：--person 姓名。本人提出的建议按姓名认。"
            raise TokenError(msg)
        if days is not None and days < 1:
            msg = "有效天数至少 1 天。"
            raise TokenError(msg)
        if any(token.name == name and token.valid(self._now()) for token in self.all()):
            msg = (
                f"已有名为“{name}”的令牌在用。请换个名字，或先停用它：chadang tokens revoke {name}"
            )
            raise TokenError(msg)
        now = self._now()
        secret = PREFIX + secrets.token_urlsafe(32)
        expires = "" if days is None else (now + dt.timedelta(days=days)).isoformat("T", "seconds")
        with self._writing() as db:
            number = db.execute(
                "INSERT INTO api_tokens (hash, hint, name, role, person, department, account,"
                " purpose, created, expires, last_used, revoked)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')",
                (
                    _hash(secret), secret[:7], name, role.value, person.strip(),
                    department.strip(), account.strip(), purpose, now.isoformat("T", "seconds"), expires,
                ),
            ).lastrowid  # fmt: skip
        return secret, next(token for token in self.all() if token.number == number)

    def all(self) -> list[ApiToken]:
        """All tokens ever made, oldest first."""
        with self._reading() as db:
            if db is None:
                return []
            return [
                _token(row)
                for row in db.execute(f"SELECT {_COLUMNS} FROM api_tokens ORDER BY number")  # noqa: S608
            ]

    def revoke(self, which: str) -> ApiToken:
        """Revoke a token by number or name; calls with it fail from now on.

        Raises:
            TokenError: If no token in use bears the number or name.
        """
        found = [
            token
            for token in self.all()
            if not token.revoked and which.strip() in (str(token.number), token.name)
        ]
        if len(found) != 1:
            said = "不止一个" if found else "没有"
            msg = f"在用的令牌里{said}“{which}”。请照 chadang tokens list 写序号。"
            raise TokenError(msg)
        revoked = self._now().isoformat("T", "seconds")
        with self._writing() as db:
            db.execute(
                "UPDATE api_tokens SET revoked = ? WHERE number = ?", (revoked, found[0].number)
            )
        return next(token for token in self.all() if token.number == found[0].number)

    def find(self, secret: str) -> ApiToken | None:
        """The valid token, None when it is unknown, expired or revoked. Notes its use."""
        if not _FORM.fullmatch(secret):
            return None
        with self._reading() as db:
            row = (
                None
                if db is None
                else db.execute(
                    f"SELECT {_COLUMNS} FROM api_tokens WHERE hash = ?",  # noqa: S608
                    (_hash(secret),),
                ).fetchone()
            )
        token = None if row is None else _token(row)
        now = self._now()
        if token is None or not token.valid(now):
            return None
        used = token.last_used
        if not used or now - dt.datetime.fromisoformat(used) >= _USED_EVERY:
            self._note_use(token.number, now)
        return token

    def _note_use(self, number: int, now: dt.datetime) -> None:
        try:
            with self._writing(timeout=1.0) as db:
                db.execute(
                    "UPDATE api_tokens SET last_used = ? WHERE number = ?",
                    (now.isoformat("T", "seconds"), number),
                )
        except TokenError:
            pass  # somebody else writes; the call itself must not fail for it

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection, None when no token was ever made."""
        if not self._path.is_file():
            yield None
            return
        with self._translated(), closing(sqlite3.connect(self._path, timeout=10)) as db:
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'api_tokens'").fetchone()
            yield db if known else None

    @contextmanager
    def _writing(self, timeout: float = 10.0) -> Iterator[sqlite3.Connection]:
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=timeout)) as db, db:
                db.execute(_SCHEMA)
                yield db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            msg = f"令牌库 {self._path} 读写不了：{error}。请检查磁盘和权限。"
            raise TokenError(msg) from error


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: tuple[object, ...]) -> ApiToken:
    number, hint, name, role, *rest = row
    texts = [str(value) for value in rest]
    return ApiToken(int(str(number)), str(hint), str(name), Role(str(role)), *texts)
