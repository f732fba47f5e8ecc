"""The use register (利用登记): who used which records when, for what, and what was shown.

One SQLite file beside the holdings. Rows are only ever added: triggers refuse changes, and every
row carries a SHA-256 over its own canonical form and the row before, so that an edited, removed,
inserted or reordered row is found by `Register.verify`. The end of the chain stands in a row of its
own and in a small file beside the database, so that a cut end is found too. Whoever may write both
files and works out the whole chain anew is found only by comparing with a chain value kept
elsewhere: every exported register (登记簿) carries one.

Source:
    Domain brief, section 3, 利用登记. 网络安全法 (2016) article 21: logs are kept for six months at
    the least. Hash chains of log entries: Schneier and Kelsey, Secure Audit Logs (1999).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from index.domain import Reader
from index.errors import ArchiveError
from index.settings import Settings

logger = logging.getLogger(__name__)

REGISTER_FILE: Final = "register.sqlite3"
#: Where the end of the chain is noted outside the database.
HEAD_FILE: Final = "register.head"
#: Entries younger than this many days are never purged.
LEAST_DAYS: Final = 183
#: Previous hash of the first row.
GENESIS: Final = "0" * 64
#: Records an entry names; further ones are counted and hashed.
MOST_RECORDS: Final = 5000
#: Records of an entry whose titles are kept beside the reference code.
MOST_TITLES: Final = 200

_SCHEMA_VERSION: Final = 1
_BUSY_S: Final = 10
_LONGEST: Final[Mapping[str, int]] = {"question": 2000, "reading": 4000, "detail": 20_000}
_LONGEST_OTHER: Final = 400


class RegisterError(ArchiveError):
    """The use register cannot be written or read; the message says what to do."""


class Action(StrEnum):
    """What was done. Values are the words shown to people."""

    ASK = "提问"
    ANSWER = "答复"
    SEARCH = "检索"
    REOPEN = "重看答复"
    REFUSE = "未答"
    VIEW_PAGE = "阅览原文"
    VIEW_RECORD = "阅览目录"
    EXPORT = "导出"
    PRINT = "打印"
    DENIED = "拒绝查阅"
    SIGN_IN = "登录"
    SIGN_IN_FAILED = "登录失败"
    SIGN_OUT = "退出"
    SETTING = "改设置"
    USER = "用户管理"
    OPENING = "开放审核"
    INTAKE = "入库管理"
    REVIEW = "涉密审核"
    FEEDBACK = "反馈"
    REGISTER = "查用登记簿"
    PURGE = "清理登记"


#: 方式 of the paper register, by what was done.
MANNERS: Final[Mapping[str, str]] = {
    Action.ANSWER: "摘录",
    Action.SEARCH: "摘录",
    Action.REOPEN: "摘录",
    Action.VIEW_PAGE: "阅览",
    Action.VIEW_RECORD: "阅览",
    Action.EXPORT: "复制",
    Action.PRINT: "复制",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A record an entry is about.

    Attributes:
        record_id: Its 档号, or its number where it has none.
        title: 题名 at that time; empty when it was not kept.
        pages: 影像序号 of the pages shown, such as `1、3`; empty when none was.
    """

    record_id: str
    title: str = ""
    pages: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the register.

    Attributes:
        number: From 1, without gaps.
        at: When, UTC, ISO 8601 with milliseconds and `Z`; compares as text.
        person: Name of who did it.
        account: Their sign-in name, empty on a single machine.
        role: Their role, as a word.
        department: Their department, or empty.
        action: Value of an `Action`.
        channel: 网页, 命令行, 接口, 嵌入 …
        address: Network address or terminal it came from.
        conversation: Ties the entries of one conversation together; empty outside one.
        purpose: 利用目的 as stated.
        question: As typed.
        reading: How it was understood, with conditions.
        records: What was shown or asked for.
        record_count: How many records; more than `records` when those were cut.
        outcome: What came of it: reason of a refusal, kind of a file, decision.
        copies: Copies taken away.
        approver: Who allowed it, where somebody had to.
        index_version: State of holdings and index that answered.
        model: Models that took part.
        detail: Anything else, for people or as JSON.
        digest: SHA-256 over this row and the one before, 64 hex digits.
    """

    number: int
    at: str
    person: str
    account: str
    role: str
    department: str
    action: str
    channel: str
    address: str
    conversation: str
    purpose: str
    question: str
    reading: str
    records: tuple[Shown, ...]
    record_count: int
    outcome: str
    copies: int
    approver: str
    index_version: str
    model: str
    detail: str
    digest: str

    @property
    def manner(self) -> str:
        """方式 in the words of the paper register; empty when nothing was taken note of."""
        return MANNERS.get(self.action, "")


@dataclass(frozen=True, slots=True)
class Search:
    """Which entries are wanted; empty fields ask for nothing.

    Attributes:
        since: At or after this moment (with time zone).
        until: Before this moment (with time zone).
        person: Part of a name, account or department.
        record: Part of a 档号 or title.
        actions: Any of these.
        outcome: Part of the outcome.
        words: Part of question, reading or detail.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    person: str = ""
    record: str = ""
    actions: Collection[str] = ()
    outcome: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What `Register.verify` found.

    Attributes:
        intact: Whether nothing was changed, removed or added behind the program's back.
        entries: Rows that were checked.
        number: Number of the last row; 0 in an empty register.
        digest: Its chain value, to be compared with one written down elsewhere.
        broken: Number of the first row that is wrong, 0 when no single row is to blame.
        message: One Chinese sentence.
    """

    intact: bool
    entries: int
    number: int
    digest: str
    broken: int
    message: str


_COLUMNS: Final = (
    "number", "at", "person", "account", "role", "department", "action", "channel", "address",
    "conversation", "purpose", "question", "reading", "records", "record_count", "outcome",
    "copies", "approver", "index_version", "model", "detail",
)  # fmt: skip
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)}, digest FROM entries"  # noqa: S608 - our own names

_TRIGGERS: Final[Mapping[str, str]] = {
    name: f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{said}'); END"
    for name, event, said in (
        ("entries_stay", "BEFORE UPDATE ON entries", "entries are never changed"),
        (
            "entries_are_kept",
            "BEFORE DELETE ON entries"
            " WHEN OLD.number > (SELECT coalesce(max(through), 0) FROM anchors)",
            "entries are purged only, behind an anchor",
        ),
        (
            "entries_follow",
            "BEFORE INSERT ON entries WHEN NEW.number != (SELECT number FROM head) + 1",
            "entries follow one another",
        ),
        ("anchors_stay", "BEFORE UPDATE ON anchors", "anchors are never changed"),
        ("anchors_are_kept", "BEFORE DELETE ON anchors", "anchors are never removed"),
        ("head_is_kept", "BEFORE DELETE ON head", "the head is never removed"),
    )
}
_SCHEMA: Final = (
    """CREATE TABLE entries (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL, person TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL,
        department TEXT NOT NULL, action TEXT NOT NULL, channel TEXT NOT NULL,
        address TEXT NOT NULL, conversation TEXT NOT NULL, purpose TEXT NOT NULL,
        question TEXT NOT NULL, reading TEXT NOT NULL, records TEXT NOT NULL,
        record_count INTEGER NOT NULL, outcome TEXT NOT NULL, copies INTEGER NOT NULL,
        approver TEXT NOT NULL, index_version TEXT NOT NULL, model TEXT NOT NULL,
        detail TEXT NOT NULL, digest TEXT NOT NULL
    )""",
    "CREATE INDEX entries_at ON entries (at)",
    "CREATE INDEX entries_action ON entries (action, at)",
    """CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, digest TEXT NOT NULL
    )""",
    # What a purge leaves: the last row it took and that row's chain value.
    """CREATE TABLE anchors (
        through INTEGER PRIMARY KEY, digest TEXT NOT NULL, at TEXT NOT NULL, decided_by TEXT NOT NULL
    )""",
    f"INSERT INTO head VALUES (1, 0, '{GENESIS}')",  # noqa: S608 - our own constant
    *_TRIGGERS.values(),
)


def register_of(settings: Settings) -> Register:
    """The use register of a home."""
    return Register(settings.home / REGISTER_FILE)


class Register:
    """Writes, reads and checks the use register. Safe between threads and between processes.

    Nothing is opened before the first use, so a register that cannot be opened keeps no one from
    starting; every write then raises, and what is closed is not given out.
    """

    def __init__(self, path: Path, now: Callable[[], dt.datetime] | None = None) -> None:
        """Keep the register in a file.

        Args:
            path: The SQLite file; made, with its folder, by the first write.
            now: The clock, with time zone; the machine's when None.
        """
        self.path = path
        self._head_path = path.with_name(HEAD_FILE)
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._local = threading.local()

    # -- writing ------------------------------------------------------------------------------

    def write(
        self,
        reader: Reader,
        action: Action,
        *,
        question: str = "",
        reading: str = "",
        record_ids: Sequence[str] = (),
        titles: Sequence[str] = (),
        pages: Sequence[int | str] = (),
        outcome: str = "",
        purpose: str = "",
        conversation: str = "",
        channel: str = "",
        index_version: str = "",
        model: str = "",
        detail: str | Mapping[str, Any] = "",
        address: str = "",
        copies: int = 0,
        approver: str = "",
    ) -> int:
        """Add one entry. When this returns, the entry is on the disk.

        Args:
            reader: Who did it.
            action: What.
            question: As typed; text longer than a bound is cut, here and below.
            reading: How it was understood.
            record_ids: Records shown or asked for.
            titles: Their titles, in the same order; may be shorter.
            pages: Pages shown of each, in the same order (`3`, `"1、3"`); may be shorter.
            outcome: What came of it.
            purpose: 利用目的.
            conversation: Ties entries of one conversation together.
            channel: 网页, 命令行, 接口, 嵌入 ….
            index_version: State of holdings and index.
            model: Models that took part.
            detail: Anything else; a mapping is stored as JSON.
            address: Where it came from.
            copies: Copies taken away.
            approver: Who allowed it.

        Returns:
            The entry's number.

        Raises:
            RegisterError: If it could not be written. Then nothing of a record that is not open
                may be given out.
        """
        told = {
            "person": reader.name,
            "account": reader.account,
            "role": reader.role.value,
            "department": reader.department,
            "action": action.value,
            "channel": channel,
            "address": address,
            "conversation": conversation,
            "purpose": purpose,
            "question": question,
            "reading": reading,
            "outcome": outcome,
            "approver": approver,
            "index_version": index_version,
            "model": model,
            "detail": detail if isinstance(detail, str) else _json(detail, record_ids),
        }
        values: dict[str, str | int] = {
            name: _stored(text, _LONGEST.get(name, _LONGEST_OTHER)) for name, text in told.items()
        }
        if len(record_ids) > MOST_RECORDS and isinstance(detail, str):
            values["detail"] = _stored(_json({"detail": detail}, record_ids), _LONGEST["detail"])
        values["records"] = _records_json(record_ids, titles, pages)
        values["record_count"] = len(record_ids)
        values["copies"] = copies
        with self.writing() as cursor:
            number, digest = self._append(cursor, values)
        self._note_head(number, digest)
        return number

    def _append(self, cursor: sqlite3.Cursor, values: Mapping[str, str | int]) -> tuple[int, str]:
        """Add a row inside a transaction; gives its number and chain value."""
        last, previous = cursor.execute("SELECT number, digest FROM head").fetchone()
        row = {**values, "number": last + 1, "at": _moment(self._now())}
        body = tuple(row[name] for name in _COLUMNS)
        digest = link(previous, body)
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        cursor.execute(
            f"INSERT INTO entries ({', '.join(_COLUMNS)}, digest) VALUES ({marks})",  # noqa: S608
            (*body, digest),
        )
        cursor.execute("UPDATE head SET number = ?, digest = ?", (last + 1, digest))
        return last + 1, digest

    def purge(self, before: dt.datetime, by: str) -> int:
        """Remove the entries older than a moment; their last chain value stays as an anchor.

        The purge is an entry itself. Only whole beginnings go: an old entry behind a younger one
        (a clock was set back) is kept.

        Args:
            before: Entries before this moment go.
            by: Name of who decided.

        Returns:
            How many entries were removed.

        Raises:
            RegisterError: If nobody is named, the moment is less than six months ago, the chain
                is broken, or the register cannot be written.
        """
        by = by.strip()
        if not by:
            msg = "清理登记要写明由谁决定：--by 姓名。"
            raise RegisterError(msg)
        now = self._now()
        if before > now - dt.timedelta(days=LEAST_DAYS):
            msg = "利用登记至少保存六个月，不能清理更近的登记。"
            raise RegisterError(msg)
        if not self.path.is_file():
            return 0
        found = self.verify()
        if not found.intact:
            msg = f"登记簿已不完整，不能清理：{found.message}"
            raise RegisterError(msg)
        with self.writing() as cursor:
            young = cursor.execute(
                "SELECT min(number) FROM entries WHERE at >= ?", (_moment(before),)
            ).fetchone()[0]
            last = cursor.execute("SELECT number FROM head").fetchone()[0]
            through = last if young is None else young - 1
            row = cursor.execute(
                "SELECT digest, at FROM entries WHERE number = ?", (through,)
            ).fetchone()
            if row is None:
                return 0  # nothing that old is left
            cursor.execute(
                "INSERT INTO anchors VALUES (?, ?, ?, ?)",
                (through, row[0], _moment(now), _stored(by, _LONGEST_OTHER)),
            )
            removed = cursor.execute("DELETE FROM entries WHERE number <= ?", (through,)).rowcount
            detail = {"through": through, "digest": row[0], "removed": removed, "last": row[1]}
            values: dict[str, str | int] = dict.fromkeys(_COLUMNS, "")
            values |= {
                "person": _stored(by, _LONGEST_OTHER),
                "action": Action.PURGE.value,
                "records": "[]",
                "record_count": 0,
                "copies": 0,
                "outcome": f"清理 {removed} 条",
                "detail": _json(detail, ()),
            }
            number, digest = self._append(cursor, values)
        self._note_head(number, digest)
        return int(removed)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A transaction, also for tables other modules keep in this file.

        Raises:
            RegisterError: If SQLite or the file system does.
        """
        with self._translated():
            cursor = self._db.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if cursor.connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """This thread's connection on one state of the file; None while there is no register.

        Raises:
            RegisterError: If SQLite or the file system does.
        """
        if not self.path.is_file():
            yield None
            return
        with self._translated():
            db = self._db
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    def close(self) -> None:
        """Close this thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            db.close()
            self._local.db = None

    # -- reading ------------------------------------------------------------------------------

    def entries(
        self, search: Search | None = None, *, offset: int = 0, limit: int = -1
    ) -> list[Entry]:
        """Entries that fit, newest first.

        Args:
            search: Which; None for all.
            offset: How many of the newest to pass over.
            limit: How many at the most; negative for all.
        """
        where, values = _condition(search or Search())
        with self.reading() as db:
            if db is None:
                return []
            rows = db.execute(
                f"{_SELECT} WHERE {where} ORDER BY number DESC LIMIT ? OFFSET ?",
                (*values, limit, offset),
            ).fetchall()
        return [_entry(row) for row in rows]

    def by_month(self) -> dict[str, dict[str, int]]:
        """How many entries there are by month (`YYYY-MM`, local time) and action."""
        found: dict[str, dict[str, int]] = {}
        with self.reading() as db:
            if db is None:
                return {}
            for month, action, count in db.execute(
                "SELECT strftime('%Y-%m', at, 'localtime'), action, count(*) FROM entries"
                " GROUP BY 1, 2 ORDER BY 1"
            ):
                found.setdefault(month, {})[action] = int(count)
        return found

    def count(self, search: Search | None = None) -> int:
        """How many entries fit."""
        where, values = _condition(search or Search())
        with self.reading() as db:
            if db is None:
                return 0
            sql = f"SELECT count(*) FROM entries WHERE {where}"  # noqa: S608 - our own words
            return int(db.execute(sql, values).fetchone()[0])

    def entry(self, number: int) -> Entry | None:
        """One entry by its number, None when there is none or it was purged."""
        with self.reading() as db:
            if db is None:
                return None
            row = db.execute(f"{_SELECT} WHERE number = ?", (number,)).fetchone()
        return None if row is None else _entry(row)

    # -- checking -----------------------------------------------------------------------------

    def verify(self) -> Check:
        """Work out the whole chain and name the first row that does not fit.

        Raises:
            RegisterError: If the file cannot be read at all.
        """
        noted = self._noted_head()  # before the rows: it is never ahead of them
        with self.reading() as db:
            if db is None:
                if noted is not None:
                    return _broken(0, 0, GENESIS, noted[0], _gone(noted[0]))
                return Check(True, 0, 0, GENESIS, 0, "还没有利用登记。")
            return self._walk(db, noted)

    def _walk(self, db: sqlite3.Connection, noted: tuple[int, str] | None) -> Check:
        anchor = db.execute("SELECT through, digest FROM anchors ORDER BY through DESC").fetchone()
        number, digest = anchor or (0, GENESIS)
        begins = number
        explained = anchor is None
        noted_found = noted is None or noted[0] <= number
        done = 0
        for row in db.execute(f"{_SELECT} ORDER BY number"):
            body, stored = tuple(row[:-1]), row[-1]
            if body[0] != number + 1:
                missing = number + 1
                said = (
                    f"第 {missing} 条不见了（第 {number} 条之后是第 {body[0]} 条）。"
                    if body[0] > missing
                    else f"第 {body[0]} 条是多出来的。"
                )
                return _broken(done, number, digest, missing, said)
            expected = link(digest, body)
            if stored != expected:
                said = f"第 {body[0]} 条与校验值不符：内容被改过，或是插进来的。"
                return _broken(done, number, digest, body[0], said)
            number, digest, done = body[0], expected, done + 1
            if noted is not None and noted[0] == number:
                if noted[1] != digest:
                    said = f"第 {number} 条与记在库外的末条记号不符：登记簿被换过，或被整段重写。"
                    return _broken(done, number, digest, number, said)
                noted_found = True
            explained = explained or _explains(body, anchor)
        if not explained:
            said = f"前 {begins} 条被删去，却没有清理登记。"
            return _broken(done, number, digest, begins, said)
        head = db.execute("SELECT number, digest FROM head").fetchone()
        if head is None or tuple(head) != (number, digest):
            missing = (head[0] if head else number) - number
            said = (
                f"末尾少了 {missing} 条：应到第 {head[0]} 条，只到第 {number} 条。"
                if missing > 0
                else "末条记号与登记不符。"
            )
            return _broken(done, number, digest, number + 1 if missing > 0 else number, said)
        if noted is None and number:
            said = f"记在库外的末条记号（{HEAD_FILE}）不见了或读不懂，末尾是否少了无从核对。"
            return _broken(done, number, digest, 0, said)
        if not noted_found and noted is not None:
            return _broken(done, number, digest, number + 1, _cut(noted[0], number))
        lost = [name for name in _TRIGGERS if not _has_trigger(db, name)]
        if lost:
            said = f"防改动的触发器被拆掉了：{'、'.join(lost)}。"
            return _broken(done, number, digest, 0, said)
        purged = f"；第 1–{begins} 条已按期清理" if begins else ""
        said = f"登记簿完整：共核对 {done} 条{purged}。末条第 {number} 号，校验值 {digest}。"
        return Check(True, done, number, digest, 0, said)

    # -- the file -----------------------------------------------------------------------------

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            if _identity(self.path) == self._local.identity:
                return db
            # The file was moved away or restored: what is written to the old one is lost.
            self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(0o600)  # before SQLite makes it for everybody; its side files follow
        db = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)
        try:
            _set_up(db)
        except BaseException:
            db.close()
            raise
        self._local.db, self._local.identity = db, _identity(self.path)
        return db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            msg = f"利用登记 {self.path} 读写失败：{error}。请管理员检查磁盘空间和权限。"
            raise RegisterError(msg) from error

    def _noted_head(self) -> tuple[int, str] | None:
        try:
            number, digest = self._head_path.read_text(encoding="ascii").split()
            return int(number), digest
        except (OSError, ValueError):
            return None

    def _note_head(self, number: int, digest: str) -> None:
        """Note the end of the chain outside the database, unless what is noted is evidence.

        Written in place in one piece of fixed length: after a power cut the note is the new one or
        an older one, and an older one is no fault.
        """
        try:
            noted = self._noted_head()
            if noted is not None and not self._on_chain(noted, number):
                return
            file = os.open(self._head_path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, f"{number:020d} {digest}\n".encode("ascii"), 0)
            finally:
                os.close(file)
        except (OSError, sqlite3.Error, RegisterError) as error:
            logger.warning("the end of the use register was not noted: %s", error)

    def _on_chain(self, noted: tuple[int, str], number: int) -> bool:
        """Whether a note is of an earlier row of this very chain."""
        if noted[0] >= number:
            return False  # another writer was faster, or rows are gone: either way it stays
        row = self._db.execute(
            "SELECT digest FROM entries WHERE number = ?1"
            " UNION ALL SELECT digest FROM anchors WHERE through = ?1",
            (noted[0],),
        ).fetchone()
        if row is None:  # purged since
            sql = "SELECT coalesce(max(through), 0) FROM anchors"
            return bool(noted[0] < self._db.execute(sql).fetchone()[0])
        if row[0] != noted[1]:
            logger.error("the use register does not lead up to its noted end: run the check")
        return bool(row[0] == noted[1])


def link(previous: str, body: Sequence[object]) -> str:
    """The chain value of a row.

    Args:
        previous: Chain value of the row before, `GENESIS` for the first.
        body: The row's values in the order of the columns, without its chain value.

    Returns:
        SHA-256, hex, over `previous`, a line break, and the values as a JSON list in UTF-8 without
        spaces and without escapes of characters that need none.
    """
    canonical = json.dumps(list(body), ensure_ascii=False, separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{previous}\n{canonical}".encode("utf-8", "replace")).hexdigest()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_up(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000}")
    _write_ahead(db)
    # An entry that was confirmed survives a power cut.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        db.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have made the tables while this one waited to write.
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    elif version != _SCHEMA_VERSION:
        msg = f"它的格式版本是 {version}，本程序需要 {_SCHEMA_VERSION}，请换用匹配的程序版本"
        raise sqlite3.DatabaseError(msg)


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait when others do the same just then."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _condition(search: Search) -> tuple[str, tuple[str, ...]]:
    parts, values = ["1"], []

    def like(columns: str, wanted: str) -> None:
        parts.append(f"instr(lower({columns}), lower(?)) > 0")
        values.append(_stored(wanted.strip(), _LONGEST_OTHER))

    if search.since is not None:
        parts.append("at >= ?")
        values.append(_moment(search.since))
    if search.until is not None:
        parts.append("at < ?")
        values.append(_moment(search.until))
    if search.person.strip():
        like("person || char(10) || account || char(10) || department", search.person)
    if search.record.strip():
        # as it stands inside the JSON
        inside = json.dumps(search.record.strip(), ensure_ascii=False)[1:-1]
        like("records", inside)
    if search.outcome.strip():
        like("outcome", search.outcome)
    if search.words.strip():
        like("question || char(10) || reading || char(10) || detail", search.words)
    if search.actions:
        parts.append(f"action IN ({', '.join('?' * len(search.actions))})")
        values += [str(action) for action in search.actions]
    return " AND ".join(parts), tuple(values)


def _records_json(
    record_ids: Sequence[str], titles: Sequence[str], pages: Sequence[int | str]
) -> str:
    rows = []
    for i, record_id in enumerate(record_ids[:MOST_RECORDS]):
        title = titles[i] if i < min(len(titles), MOST_TITLES) else ""
        shown = str(pages[i]) if i < len(pages) else ""
        rows.append([_stored(text, _LONGEST_OTHER) for text in (record_id, title, shown)])
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _json(detail: Mapping[str, Any], record_ids: Sequence[str]) -> str:
    body = dict(detail)
    if len(record_ids) > MOST_RECORDS:
        every = "\n".join(record_ids).encode("utf-8", "replace")
        body["records_sha256"] = hashlib.sha256(every).hexdigest()
    return json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)


def _stored(text: str, most: int) -> str:
    """Text as it is kept: valid UTF-8 without NUL, cut at a bound."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", "␀")
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _moment(when: dt.datetime) -> str:
    return when.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip((*_COLUMNS, "digest"), row, strict=True))
    try:
        values["records"] = tuple(Shown(*map(str, item)) for item in json.loads(values["records"]))
    except (TypeError, ValueError):
        values["records"] = ()  # altered from outside; the check names the row
    return Entry(**values)


def _has_trigger(db: sqlite3.Connection, name: str) -> bool:
    sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    row = db.execute(sql, (name,)).fetchone()
    return row is not None and row[0] == _TRIGGERS[name]


def _explains(body: Sequence[object], anchor: tuple[int, str]) -> bool:
    """Whether a row is the entry of the purge that left an anchor."""
    if body[_COLUMNS.index("action")] != Action.PURGE.value:
        return False
    try:
        detail = json.loads(str(body[_COLUMNS.index("detail")]))
        return (detail["through"], detail["digest"]) == tuple(anchor)
    except (KeyError, TypeError, ValueError):
        return False


def _broken(done: int, number: int, digest: str, at: int, said: str) -> Check:
    return Check(False, done, number, digest, at, f"登记簿不完整：{said}")


def _cut(noted: int, number: int) -> str:
    return f"末尾少了 {noted - number} 条：应到第 {noted} 条，只到第 {number} 条。"


def _gone(noted: int) -> str:
    return f"登记簿文件不见了，应有到第 {noted} 条的登记。请从备份恢复。"
