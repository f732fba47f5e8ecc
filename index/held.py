"""Records held back by the secrecy gate, and what named archivists decided about them.

Of such a record nothing is stored but where its file lies, why it is held, and a hash that tells
whether it is still the same. Decisions are only ever added; the newest one counts.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from index.errors import ArchiveError
from index.store import Store

RELEASED: Final = "放行"
WITHHELD: Final = "不予入库"


class DecisionError(ArchiveError):
    """A decision cannot be stored; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided.

    Attributes:
        decision: `RELEASED` or `WITHHELD`.
        by: Name of the archivist.
        reason: Why, in their words.
        paper: Number of the declassification decision, empty when none was needed.
        at: ISO time.
    """

    decision: str
    by: str
    reason: str
    paper: str
    at: str


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One record that was held back.

    Attributes:
        number: What people call it by.
        key: Hash over what it is and why it was looked at.
        place: Path of its file, or the catalogue row.
        grade: `ingest.secrecy.Grade` as text.
        reason: Chinese phrase; quotes nothing but the word found.
        seen: ISO time of the first sight.
        decisions: Oldest first; empty while nobody decided.
    """

    number: int
    key: str
    place: str
    grade: str
    reason: str
    seen: str
    decisions: tuple[Decision, ...] = ()

    @property
    def released(self) -> bool:
        """Whether the newest decision lets it in."""
        return bool(self.decisions) and self.decisions[-1].decision == RELEASED


class HeldItems:
    """The list, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hold(self, key: str, place: str, grade: str, reason: str, now: str) -> HeldItem:
        """Put a record on the list, or find it there."""
        with self._store.writing() as cursor:
            cursor.execute(
                "INSERT INTO held (key, place, grade, reason, seen) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET place = excluded.place, grade = excluded.grade,"
                " reason = excluded.reason",
                (key, place, grade, reason, now),
            )
        item = self.by_key(key)
        assert item is not None  # noqa: S101 - just written
        return item

    def by_key(self, key: str) -> HeldItem | None:
        """The item with this key, None when there is none."""
        with self._store.reading() as db:
            row = db.execute(f"{_ROWS} WHERE key = ?", (key,)).fetchone()
            return None if row is None else _item(db, row)

    def items(self, *, undecided: bool = False) -> list[HeldItem]:
        """All items, oldest first, or only those nobody decided about."""
        with self._store.reading() as db:
            found = [_item(db, row) for row in db.execute(f"{_ROWS} ORDER BY number").fetchall()]
        return [item for item in found if not (undecided and item.decisions)]

    def drop_undecided(self, key: str) -> None:
        """Take an item off the list that turned out harmless; decided ones stay."""
        with self._store.writing() as cursor:
            cursor.execute(
                "DELETE FROM held WHERE key = ?"
                " AND NOT EXISTS (SELECT 1 FROM decisions WHERE held = held.number)",
                (key,),
            )

    def decide(
        self, number: int, decision: str, by: str, reason: str, now: str, *, paper: str = ""
    ) -> HeldItem:
        """Add a decision.

        Args:
            number: The item.
            decision: `RELEASED` or `WITHHELD`.
            by: Name of the archivist who decides.
            reason: Why.
            now: ISO time.
            paper: Number of the declassification decision; needed to release what bears a mark.

        Raises:
            DecisionError: If the item does not exist, or name, reason or a needed paper is missing.

        Source:
            Rule R2 of the domain brief: a record enters only with the number of the decision and
            the name of who decided; no date opens anything.
        """
        by, reason, paper = by.strip(), reason.strip(), paper.strip()
        if not by or not reason:
            msg = "请写明由谁决定（--by 姓名）和理由（--reason 理由）。"
            raise DecisionError(msg)
        item = next((i for i in self.items() if i.number == number), None)
        if item is None:
            msg = f"没有第 {number} 号待审项。全部待审项见 chadang review list --all。"
            raise DecisionError(msg)
        if decision == RELEASED and item.grade == WITHHELD and not paper:
            msg = (
                f"第 {number} 号标有国家秘密标志，放行必须写明解密决定的文号（--paper 文号）；"
                "期满不等于解密。"
            )
            raise DecisionError(msg)
        with self._store.writing() as cursor:
            cursor.execute(
                "INSERT INTO decisions (held, decision, decided_by, reason, paper, decided)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (number, decision, by, reason, paper, now),
            )
        decided = self.by_key(item.key)
        assert decided is not None  # noqa: S101 - it was there
        return decided


_ROWS: Final = "SELECT number, key, place, grade, reason, seen FROM held"


def _item(db: sqlite3.Connection, row: tuple[int, str, str, str, str, str]) -> HeldItem:
    decisions = db.execute(
        "SELECT decision, decided_by, reason, paper, decided FROM decisions WHERE held = ?"
        " ORDER BY number",
        (row[0],),
    )
    return HeldItem(*row, decisions=tuple(Decision(*d) for d in decisions))


__all__ = ["RELEASED", "WITHHELD", "Decision", "DecisionError", "HeldItem", "HeldItems"]
