"""Feedback on answers (对、错、引文不符), kept beside the use register with its full context.

It is read by people. Nothing here changes how anything is found or ranked.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from assistant.register import Register, RegisterError
from index.domain import Reader

#: Longest words of a feedback, characters.
LONGEST_WORDS: Final = 500
#: Feedbacks one reader may give on one answer.
MOST_PER_ANSWER: Final = 10

_LONGEST_ANSWER: Final = 200_000
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS feedback (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL, person TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL,
        department TEXT NOT NULL, verdict TEXT NOT NULL, words TEXT NOT NULL,
        answer_id TEXT NOT NULL, question TEXT NOT NULL, context TEXT NOT NULL,
        handled_at TEXT NOT NULL DEFAULT '', handled_by TEXT NOT NULL DEFAULT '',
        handled_words TEXT NOT NULL DEFAULT '',
        UNIQUE (answer_id, verdict, words)
    )""",
    """CREATE TRIGGER IF NOT EXISTS feedback_stays
        BEFORE UPDATE OF number, at, person, account, role, department, verdict, words,
        answer_id, question, context ON feedback
        BEGIN SELECT RAISE(ABORT, 'feedback is never changed'); END""",
)
_SELECT: Final = (
    "SELECT number, at, person, account, role, department, verdict, words, answer_id, question,"
    " context, handled_at, handled_by, handled_words FROM feedback"
)


class Opinion(StrEnum):
    """What somebody thinks of an answer. Values are the words shown."""

    RIGHT = "对"
    WRONG = "错"
    MISQUOTED = "引文不符"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One opinion on one answer.

    Attributes:
        number: What people call it by.
        at: When, UTC, ISO 8601 with `Z`.
        person: Name of who gave it.
        account: Their sign-in name, empty on a single machine.
        role: Their role, as a word.
        department: Their department, or empty.
        verdict: Value of an `Opinion`.
        words: What they wrote, may be empty.
        answer_id: The answer it is about, 32 hex digits.
        question: The question as typed.
        context: Reading, answer text, citations, index version and settings at that time.
        handled_at: When it was marked as handled, empty while it was not.
        handled_by: Who marked it.
        handled_words: What was done about it.
    """

    number: int
    at: str
    person: str
    account: str
    role: str
    department: str
    verdict: str
    words: str
    answer_id: str
    question: str
    context: Mapping[str, Any]
    handled_at: str
    handled_by: str
    handled_words: str


class FeedbackBook:
    """The feedback, in the file of the use register. Safe between threads and processes."""

    def __init__(self, register: Register) -> None:
        """Keep it beside a register."""
        self._register = register

    def add(
        self,
        reader: Reader,
        verdict: Opinion,
        words: str,
        *,
        answer_id: str,
        question: str,
        context: Mapping[str, Any],
    ) -> tuple[int, bool]:
        """Keep an opinion; the same one on the same answer is kept once.

        Args:
            reader: Who gives it.
            verdict: What they think.
            words: What they write; cut at `LONGEST_WORDS`.
            answer_id: The answer.
            question: The question as typed.
            context: Everything needed to judge it later; JSON values.

        Returns:
            Its number, and whether it is new.

        Raises:
            RegisterError: If it cannot be written, or there are too many on this answer.
        """
        words = _clean(words.strip())[:LONGEST_WORDS]
        body = _clean(json.dumps(context, ensure_ascii=False, default=str))
        if len(body) > _LONGEST_ANSWER:
            short = {**context, "answer": str(context.get("answer", ""))[:20_000], "citations": []}
            body = _clean(json.dumps(short, ensure_ascii=False, default=str))[:_LONGEST_ANSWER]
        with self._register.writing() as cursor:
            _make(cursor)
            same = cursor.execute(
                "SELECT number FROM feedback WHERE answer_id = ? AND verdict = ? AND words = ?",
                (answer_id, verdict.value, words),
            ).fetchone()
            if same is not None:
                return int(same[0]), False
            given = cursor.execute(
                "SELECT count(*) FROM feedback WHERE answer_id = ?", (answer_id,)
            ).fetchone()[0]
            if given >= MOST_PER_ANSWER:
                msg = "这条答复的反馈已经够多，都记下了。"
                raise RegisterError(msg)
            cursor.execute(
                "INSERT INTO feedback (at, person, account, role, department, verdict, words,"
                " answer_id, question, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _now(),
                    *map(_clean, (reader.name, reader.account, reader.role.value)),
                    _clean(reader.department),
                    verdict.value,
                    words,
                    answer_id,
                    _clean(question),
                    body,
                ),
            )
            return int(cursor.lastrowid or 0), True

    def items(self, *, open_only: bool = False, offset: int = 0, limit: int = -1) -> list[Feedback]:
        """Feedback, newest first; only what nobody handled when `open_only`."""
        where = "WHERE handled_at = ''" if open_only else ""
        with self._register.reading() as db:
            if db is None or not _made(db):
                return []
            rows = db.execute(
                f"{_SELECT} {where} ORDER BY number DESC LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
        return [_feedback(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many there are by opinion, and under `待处理` how many nobody handled."""
        with self._register.reading() as db:
            if db is None or not _made(db):
                return {}
            counts = dict(
                db.execute("SELECT verdict, count(*) FROM feedback GROUP BY verdict").fetchall()
            )
            sql = "SELECT count(*) FROM feedback WHERE handled_at = ''"
            return {**counts, "待处理": db.execute(sql).fetchone()[0]}

    def handle(self, number: int, by: str, words: str = "") -> None:
        """Mark one as handled; marking it again keeps the first mark.

        Raises:
            RegisterError: If there is none with this number, nobody is named, or it cannot be
                written.
        """
        by = _clean(by.strip())[:200]
        if not by:
            msg = "请写明由谁处理：--by 姓名。"
            raise RegisterError(msg)
        with self._register.writing() as cursor:
            _make(cursor)
            found = cursor.execute("SELECT 1 FROM feedback WHERE number = ?", (number,)).fetchone()
            if found is None:
                msg = f"没有第 {number} 号反馈。"
                raise RegisterError(msg)
            cursor.execute(
                "UPDATE feedback SET handled_at = ?, handled_by = ?, handled_words = ?"
                " WHERE number = ? AND handled_at = ''",
                (_now(), by, _clean(words.strip())[:LONGEST_WORDS], number),
            )

    def purge(self, before: dt.datetime) -> int:
        """Remove feedback older than a moment, with the entries of its time; gives how many."""
        with self._register.writing() as cursor:
            _make(cursor)
            moment = before.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            return cursor.execute("DELETE FROM feedback WHERE at < ?", (moment,)).rowcount


def _make(cursor: sqlite3.Cursor) -> None:
    for statement in _SCHEMA:
        cursor.execute(statement)


def _made(db: sqlite3.Connection) -> bool:
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'feedback'"
    return db.execute(sql).fetchone() is not None


def _feedback(row: tuple[Any, ...]) -> Feedback:
    values = list(row)
    try:
        context = json.loads(values[10])
    except ValueError:
        context = {}
    values[10] = context if isinstance(context, dict) else {}
    return Feedback(*values)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "␀")
