"""Portals that may sign a reader in to the widget, and the tokens they sign.

A portal is an intranet site with a back end of its own. It shares one secret with us and signs
short-lived JSON web tokens (HS256) with it; each is taken once. The only file that imports jwt.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

from index.domain import Reader, Role
from index.errors import ArchiveError

ACCOUNTS_FILE: Final = "accounts.sqlite3"
#: Longest life of a token, seconds between `iat` and `exp`.
LIFETIME_S: Final = 60
#: How far the clocks of the portal's server and ours may differ, seconds.
LEEWAY_S: Final = 10
#: Who a portal may vouch for; the archivist and the administrators sign in themselves.
GRANTABLE: Final = (Role.PUBLIC, Role.DEPUTY, Role.STAFF)

_LONGEST_TOKEN: Final = 4096
_REQUIRED: Final = ("iss", "aud", "sub", "iat", "exp", "jti")
_PORTAL_NAME: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,31}")
_WORD: Final = re.compile(r"[^\x00-\x20\x7f\s]{1,128}")
_ROLE_WORDS: Final = {
    "public": Role.PUBLIC,
    "deputy": Role.DEPUTY,
    "staff": Role.STAFF,
    **{role.value: role for role in GRANTABLE},
}
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS portals(
    name TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    roles TEXT NOT NULL,
    note TEXT NOT NULL,
    added REAL NOT NULL,
    revoked REAL
) STRICT;
CREATE TABLE IF NOT EXISTS portal_audience(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    audience TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS portal_tokens_used(
    portal TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (portal, jti)
) STRICT, WITHOUT ROWID;
"""


class PortalError(ArchiveError):
    """A portal cannot be added or revoked; the message says what to do."""


class TokenRefusedError(ArchiveError):
    """A token is not taken; the Chinese message says why.

    Attributes:
        code: One English word for the portal's log.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Portal:
    """A site that may sign readers in.

    Attributes:
        name: What its tokens carry as `iss`.
        roles: Whom it may vouch for.
        note: Said by whoever added it.
        added: When, Unix seconds.
        revoked: When, None while it is trusted.
    """

    name: str
    roles: tuple[Role, ...]
    note: str
    added: float
    revoked: float | None


class Portals:
    """The portals of one home and the tokens they have spent."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the table.

        Args:
            home: Folder of the holdings; the file is made with rights for its owner only.
            clock: Gives Unix seconds.
        """
        self._path = home / ACCOUNTS_FILE
        self._clock = clock
        self._ready = False

    @property
    def audience(self) -> str:
        """What tokens for this archive carry as `aud`; made once, kept with the portals."""
        with self._database() as db:
            db.execute(
                "INSERT OR IGNORE INTO portal_audience VALUES (1, ?)",
                (f"chadang-{secrets.token_hex(8)}",),
            )
            row = db.execute("SELECT audience FROM portal_audience").fetchone()
        return str(row[0])

    def add(self, name: str, roles: tuple[Role, ...], note: str = "") -> str:
        """Trust a portal.

        Returns:
            The secret it signs with; it is shown this once.

        Raises:
            PortalError: If the name is not usable or taken, or a role may not be granted.
        """
        if not _PORTAL_NAME.fullmatch(name):
            msg = f"门户名“{name}”不可用：只用小写字母、数字和连字符，不超过 32 个，例如 oa。"
            raise PortalError(msg)
        if not roles or set(roles) - set(GRANTABLE):
            allowed = "、".join(GRANTABLE)
            msg = f"门户只能代为认定这些身份：{allowed}。档案管理员和各类管理员请自行登录。"
            raise PortalError(msg)
        secret = secrets.token_urlsafe(48)
        ordered = ",".join(role.value for role in GRANTABLE if role in roles)
        try:
            with self._database() as db:
                db.execute(
                    "INSERT INTO portals VALUES (?, ?, ?, ?, ?, NULL)",
                    (name, secret, ordered, note, self._clock()),
                )
        except sqlite3.IntegrityError as error:
            msg = f"已有名为 {name} 的门户（停用的名字也不再用，以免旧令牌复活）。请换一个名字。"
            raise PortalError(msg) from error
        return secret

    def revoke(self, name: str) -> None:
        """Stop trusting a portal; its sessions end within seconds.

        Raises:
            PortalError: If there is no such portal in use.
        """
        with self._database() as db:
            changed = db.execute(
                "UPDATE portals SET revoked = ?, secret = '' WHERE name = ? AND revoked IS NULL",
                (self._clock(), name),
            ).rowcount
        if not changed:
            msg = f"没有正在使用的门户 {name}。运行 chadang portals list 查看。"
            raise PortalError(msg)

    def portals(self) -> list[Portal]:
        """All of them, in the order they were added."""
        with self._database() as db:
            rows = db.execute(
                "SELECT name, roles, note, added, revoked FROM portals ORDER BY added, name"
            ).fetchall()
        return [Portal(n, _roles(roles), note, a, revoked) for n, roles, note, a, revoked in rows]

    def in_use(self, name: str) -> bool:
        """Whether a portal is trusted now."""
        with self._database() as db:
            found = db.execute(
                "SELECT 1 FROM portals WHERE name = ? AND revoked IS NULL", (name,)
            ).fetchone()
        return found is not None

    def redeem(self, token: str, *, public_access: bool) -> tuple[str, Reader]:
        """Take a token, once.

        Args:
            token: As the portal signed it.
            public_access: Whether the public may use the system at all.

        Returns:
            The portal and the reader it vouches for. The account is `portal/sub`; accounts of our
            own have no slash, so no portal can name one of them, or another portal's.

        Raises:
            TokenRefusedError: If it is not signed by a portal in use, not for this archive, too
                old, too long-lived, used before, or grants more than the portal may.
        """
        portal, roles, secret = self._signer(token)
        claims = self._claims(token, portal, secret)
        reader = _reader(claims, portal, roles)
        if reader.role is Role.PUBLIC and not public_access:
            msg = "本馆没有对公众开放查询。"
            raise TokenRefusedError(msg, "public_off")
        now = self._clock()
        with self._database() as db:
            db.execute("DELETE FROM portal_tokens_used WHERE expires < ?", (now - 2 * LEEWAY_S,))
            used = db.execute(
                "INSERT OR IGNORE INTO portal_tokens_used VALUES (?, ?, ?)",
                (portal, claims["jti"], claims["exp"]),
            ).rowcount
        if not used:
            msg = "这个令牌已经用过。每次打开都要请门户签发新的。"
            raise TokenRefusedError(msg, "replayed")
        return portal, reader

    def _signer(self, token: str) -> tuple[str, tuple[Role, ...], str]:
        # until the signature is proved nothing is said about what was wrong
        refused = TokenRefusedError("令牌不是本馆信任的门户签发的。", "unknown")
        if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN:
            raise refused
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise refused from error
        with self._database() as db:
            row = db.execute(
                "SELECT roles, secret FROM portals WHERE name = ? AND revoked IS NULL",
                (issuer if isinstance(issuer, str) else "",),
            ).fetchone()
        if row is None or not isinstance(issuer, str):
            raise refused
        return issuer, _roles(row[0]), str(row[1])

    def _claims(self, token: str, portal: str, secret: str) -> dict[str, Any]:
        try:
            # the signature and nothing else first, with the one algorithm we agreed on
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                options={
                    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                    "verify_aud": False, "verify_iss": False, "verify_sub": False,
                    "verify_jti": False,
                },
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            msg = "令牌不是本馆信任的门户签发的。"
            raise TokenRefusedError(msg, "unknown") from error
        self._check_claims(claims, portal)
        return claims

    def _check_claims(self, claims: dict[str, Any], portal: str) -> None:
        missing = [name for name in _REQUIRED if claims.get(name) in (None, "")]
        if missing:
            msg = f"令牌缺少 {'、'.join(missing)}。"
            raise TokenRefusedError(msg, "incomplete")
        if claims["iss"] != portal or claims["aud"] != self.audience:
            msg = "令牌不是签给本馆的：aud 应与 chadang portals list 显示的相同。"
            raise TokenRefusedError(msg, "audience")
        issued, expires = claims["iat"], claims["exp"]
        if type(issued) is not int or type(expires) is not int:
            msg = "令牌的 iat、exp 应为整数秒。"
            raise TokenRefusedError(msg, "times")
        if not 0 < expires - issued <= LIFETIME_S:
            msg = f"令牌的有效期应在 {LIFETIME_S} 秒以内。"
            raise TokenRefusedError(msg, "lifetime")
        now = self._clock()
        if now >= expires + LEEWAY_S:
            late = round(now - expires)
            msg = f"令牌已过期 {late} 秒。请重新打开；总是这样的，请核对门户服务器的时钟。"
            raise TokenRefusedError(msg, "expired")
        if issued > now + LEEWAY_S:
            early = round(issued - now)
            msg = f"令牌的签发时间比本机晚 {early} 秒。请核对门户服务器的时钟。"
            raise TokenRefusedError(msg, "early")
        if not isinstance(claims["jti"], str) or not _WORD.fullmatch(claims["jti"]):
            msg = "令牌的 jti 应为不含空白的短串，每个令牌一个。"
            raise TokenRefusedError(msg, "jti")

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        if not self._ready:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=10)
        try:
            if not self._ready:
                db.executescript(_TABLES)
                self._ready = True
            with db:
                yield db
        finally:
            db.close()


def _roles(stored: str) -> tuple[Role, ...]:
    return tuple(Role(value) for value in stored.split(","))


def _reader(claims: dict[str, Any], portal: str, granted: tuple[Role, ...]) -> Reader:
    subject = claims["sub"]
    if not isinstance(subject, str) or not _WORD.fullmatch(subject):
        msg = "令牌的 sub（账号）应为不含空白的短串。"
        raise TokenRefusedError(msg, "sub")
    named = claims.get("role", Role.PUBLIC.value)
    role = _ROLE_WORDS.get(named) if isinstance(named, str) else None
    if role is None or role not in granted:
        allowed = "、".join(granted)
        msg = f"令牌里的身份超出这个门户可认定的范围（{allowed}）。"
        raise TokenRefusedError(msg, "role")
    words = {}
    for name in ("name", "department"):
        value = claims.get(name, "")
        if not isinstance(value, str) or len(value) > 64 or not (value.isprintable()):
            msg = f"令牌的 {name} 应为不超过 64 字的文字。"
            raise TokenRefusedError(msg, name)
        words[name] = value.strip()
    # neither counts for a role it means nothing to
    name = words["name"] or subject
    department = words["department"] if role is Role.STAFF else ""
    return Reader(role, name, department, f"{portal}/{subject}")
