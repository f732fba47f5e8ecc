"""Conversations of a reader, kept in `conversations.sqlite3` in home: storage only, no rights.

No quotation and no page text is stored, only where they stand (`ui.remembered`): what is hidden,
changed or taken out of the holdings later is not to be found here either.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from index.errors import ArchiveError

logger = logging.getLogger(__name__)

HISTORY_FILE: Final = "conversations.sqlite3"
#: Longest name of a conversation, characters.
LONGEST_TITLE: Final = 60
_SHOWN: Final = 200
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS conversation (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL,
    started TEXT NOT NULL, changed TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS conversation_owner ON conversation (owner, changed);
CREATE TABLE IF NOT EXISTS exchange (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, question TEXT NOT NULL, asked TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (conversation, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mention (
    record TEXT NOT NULL, conversation TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (record, conversation, number),
    FOREIGN KEY (conversation, number) REFERENCES exchange (conversation, number)
    ON DELETE CASCADE) STRICT, WITHOUT ROWID;
"""


class HistoryError(ArchiveError):
    """A conversation cannot be changed; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row of the list of conversations.

    Attributes:
        conversation_id: 32 hexadecimal digits.
        title: The first question, or the name it was given.
        started: When, ISO 8601 with the zone.
        changed: Time of the newest question.
        exchanges: Number of questions.
    """

    conversation_id: str
    title: str
    started: str
    changed: str
    exchanges: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what came of it.

    Attributes:
        question: As typed.
        asked: When, ISO 8601 with the zone.
        body: The rest, as `ui.remembered` writes it.
    """

    question: str
    asked: str
    body: dict[str, Any]


class History:
    """The conversations of all readers. Safe between threads; every method takes the owner."""

    def __init__(self, path: Path, days: int) -> None:
        """Open or create the file.

        Args:
            path: The SQLite file.
            days: Days a conversation is kept after its newest question; 0 keeps nothing.

        Raises:
            HistoryError: If the file cannot be used.
        """
        self.days = days
        self._lock = threading.RLock()
        self._expired = ""
        self._version: int | None = None
        try:
            path.touch(0o600)  # before SQLite makes it for everybody; its side files follow
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._db.executescript(_SCHEMA)
            self.expire(dt.datetime.now().astimezone())
        except (sqlite3.Error, OSError) as error:
            msg = f"历史记录文件打不开（{path.name}）。请管理员检查磁盘和权限。"
            raise HistoryError(msg) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(
        self, owner: str, conversation_id: str, exchange: Exchange, records: Collection[str]
    ) -> tuple[str, int]:
        """Keep an exchange.

        Args:
            owner: Whose it is.
            conversation_id: To continue; empty, unknown or another's begins a new one.
            exchange: The exchange.
            records: Ids of the records its body speaks of.

        Returns:
            Id of the conversation and number of the exchange in it, from 1; `("", 0)` when
            nothing is kept.
        """
        if self.days <= 0:
            return "", 0
        body = json.dumps(exchange.body, ensure_ascii=False)
        with self._writing() as db:
            self.expire(dt.datetime.now().astimezone())
            if not self._owns(owner, conversation_id):
                conversation_id = secrets.token_hex(16)
                title = " ".join(exchange.question.split())[:LONGEST_TITLE]
                db.execute(
                    "INSERT INTO conversation VALUES (?, ?, ?, ?, ?)",
                    (conversation_id, owner, title, exchange.asked, exchange.asked),
                )
            number = db.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM exchange WHERE conversation = ?",
                (conversation_id,),
            ).fetchone()[0]
            db.execute(
                "INSERT INTO exchange VALUES (?, ?, ?, ?, ?)",
                (conversation_id, number, exchange.question, exchange.asked, body),
            )
            db.executemany(
                "INSERT INTO mention VALUES (?, ?, ?)",
                [(record, conversation_id, number) for record in dict.fromkeys(records)],
            )
            db.execute(
                "UPDATE conversation SET changed = ? WHERE id = ?",
                (exchange.asked, conversation_id),
            )
        return conversation_id, number

    def replace(self, owner: str, conversation_id: str, number: int, body: dict[str, Any]) -> None:
        """Write the body of an exchange anew, when joining text has come to it."""
        with self._writing() as db:
            if self._owns(owner, conversation_id):
                db.execute(
                    "UPDATE exchange SET body = ? WHERE conversation = ? AND number = ?",
                    (json.dumps(body, ensure_ascii=False), conversation_id, number),
                )

    def conversations(self, owner: str, words: str = "") -> list[Conversation]:
        """The newest conversations of a reader.

        Args:
            owner: Whose.
            words: Only those with this in their name or in a question; empty for all.
        """
        pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in words.strip()) + "%"
        with self._lock:
            rows = self._db.execute(
                """SELECT c.id, c.title, c.started, c.changed,
                          (SELECT count(*) FROM exchange e WHERE e.conversation = c.id)
                   FROM conversation c WHERE c.owner = ?1 AND (c.title LIKE ?2 ESCAPE '\\'
                        OR EXISTS (SELECT 1 FROM exchange e WHERE e.conversation = c.id
                                   AND e.question LIKE ?2 ESCAPE '\\'))
                   ORDER BY c.changed DESC, c.rowid DESC LIMIT ?3""",
                (owner, pattern, _SHOWN),
            ).fetchall()
        return [Conversation(*row) for row in rows]

    def exchanges(self, owner: str, conversation_id: str) -> list[Exchange] | None:
        """The exchanges of a conversation, oldest first; None when it is not this reader's."""
        with self._lock:
            if not self._owns(owner, conversation_id):
                return None
            rows = self._db.execute(
                "SELECT question, asked, body FROM exchange WHERE conversation = ? ORDER BY number",
                (conversation_id,),
            ).fetchall()
        return [Exchange(question, asked, json.loads(body)) for question, asked, body in rows]

    def rename(self, owner: str, conversation_id: str, title: str) -> bool:
        """Give a conversation a name; False when it is not this reader's.

        Raises:
            HistoryError: If the name is empty or too long.
        """
        title = " ".join(title.split())
        if not 0 < len(title) <= LONGEST_TITLE:
            msg = f"名称要写 1 到 {LONGEST_TITLE} 个字。"
            raise HistoryError(msg)
        return self._change(
            "UPDATE conversation SET title = ? WHERE id = ? AND owner = ?",
            (title, conversation_id, owner),
        )

    def delete(self, owner: str, conversation_id: str) -> bool:
        """Delete a conversation for good; False when it is not this reader's."""
        return self._change(
            "DELETE FROM conversation WHERE id = ? AND owner = ?", (conversation_id, owner)
        )

    def delete_all(self, owner: str) -> int:
        """Delete every conversation of a reader; returns how many there were."""
        with self._writing() as db:
            return db.execute("DELETE FROM conversation WHERE owner = ?", (owner,)).rowcount

    def expire(self, now: dt.datetime) -> int:
        """Delete what is older than the retention; does its work once a day."""
        today = now.date().isoformat()
        with self._writing() as db:
            if self._expired == today:
                return 0
            self._expired = today
            before = (now - dt.timedelta(days=self.days)).isoformat(timespec="seconds")
            # the times are local ones: what is compared is the moment they name
            return db.execute(
                "DELETE FROM conversation WHERE ? = 0 OR datetime(changed) < datetime(?)",
                (self.days, before),
            ).rowcount

    def follow(self, version: int, is_held: Callable[[str], bool]) -> None:
        """`forget`, when the holdings have changed since the last time.

        Args:
            version: Of the holdings, a number that grows with every change.
            is_held: Whether a record id is in the holdings.
        """
        with self._lock:
            if self._version == version:
                return
            self.forget(is_held)
            self._version = version

    def forget(self, is_held: Callable[[str], bool]) -> int:
        """Empty what was kept of exchanges about records that are no longer held.

        A record taken out of the holdings (a state secret found late) leaves no title behind.

        Returns:
            Number of exchanges emptied; their questions stay.
        """
        with self._writing() as db:
            named = [row[0] for row in db.execute("SELECT DISTINCT record FROM mention")]
            emptied = 0
            for record in named:
                if is_held(record):
                    continue
                places = db.execute(
                    "SELECT conversation, number FROM mention WHERE record = ?", (record,)
                ).fetchall()
                db.executemany(
                    "UPDATE exchange SET body = '{}' WHERE conversation = ? AND number = ?", places
                )
                db.executemany("DELETE FROM mention WHERE conversation = ? AND number = ?", places)
                emptied += len(places)
            return emptied

    def _owns(self, owner: str, conversation_id: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM conversation WHERE id = ? AND owner = ?", (conversation_id, owner)
        )
        return found.fetchone() is not None

    def _change(self, statement: str, values: tuple[str, ...]) -> bool:
        with self._writing() as db:
            return db.execute(statement, values).rowcount > 0

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db.in_transaction:  # inside another write of this thread
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
