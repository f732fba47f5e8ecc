"""The SQLite file that is the truth: records, pages, passages, embeddings, files.

One writer at a time; any number of readers. Everything under the index folder can be rebuilt
from here. Row numbers (`record_number`, `Passage.number`) are internal and never shown.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from index.access import EVERYTHING, NOTHING, Permitted, may_read, may_read_anything
from index.codes import parse_doc_number
from index.domain import (
    Coverage,
    Derived,
    Line,
    Page,
    PageChoice,
    Passage,
    Reader,
    Record,
    Role,
    SubDocument,
    TextSource,
)
from index.errors import IndexMismatchError, IndexNotFoundError, IndexStoreError
from index.opening import Mark, Result, with_mark
from index.personal import PersonalSpan, find_personal, mask_page, mask_record, masked
from index.text import matching_key

#: 2: personal data by page, what the gate held back, jobs of ingest runs. 3: opening decisions.
SCHEMA_VERSION: Final = 3

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id TEXT NOT NULL UNIQUE,
    id_key TEXT NOT NULL,
    title_key TEXT NOT NULL,
    doc_no_key TEXT NOT NULL,
    year INTEGER,
    doc_type TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX records_id_key ON records (id_key);
CREATE INDEX records_doc_no_key ON records (doc_no_key);
CREATE TABLE pages (
    record_number INTEGER NOT NULL REFERENCES records (number) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    start INTEGER NOT NULL,
    raw TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (record_number, seq)
) WITHOUT ROWID;
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    passage_id TEXT NOT NULL UNIQUE,
    record_number INTEGER NOT NULL REFERENCES records (number) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX passages_record ON passages (record_number, start);
CREATE TABLE embeddings (
    text_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (text_hash, model)
) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified REAL NOT NULL,
    root TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    record_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE page_results (
    sha256 TEXT NOT NULL,
    file_page INTEGER NOT NULL,
    reader TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (sha256, file_page, reader)
) WITHOUT ROWID;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    finished TEXT NOT NULL,
    report TEXT NOT NULL
);
"""
#: What version 2 added. Statements by statement, so that triggers may hold semicolons.
_SCHEMA_2: Final = (
    # Spans of personal data as JSON, '' for none; and the passage as everybody gets it, NULL when
    # that is its own text. In the rows themselves, so that text and mask are never out of step.
    "ALTER TABLE pages ADD COLUMN personal TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE passages ADD COLUMN shown TEXT",
    """CREATE TABLE held (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    place TEXT NOT NULL,
    grade TEXT NOT NULL,
    reason TEXT NOT NULL,
    seen TEXT NOT NULL
)""",
    """CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    held INTEGER NOT NULL REFERENCES held (number),
    decision TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    paper TEXT NOT NULL,
    decided TEXT NOT NULL
)""",
    """CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END""",
    """CREATE TRIGGER decisions_are_kept BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END""",
    """CREATE TABLE ingest_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    mode TEXT NOT NULL,
    state TEXT NOT NULL,
    wanted TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL,
    beat REAL NOT NULL,
    progress TEXT NOT NULL
)""",
    """CREATE TABLE jobs (
    place TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    run INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    worker TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    program TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL,
    error TEXT NOT NULL,
    next_step TEXT NOT NULL
) WITHOUT ROWID""",
    "CREATE INDEX jobs_state ON jobs (state)",
)
#: What version 3 added; filled by `index.opening_decisions`.
_SCHEMA_3: Final = (
    """CREATE TABLE opening_batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    result TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    entered TEXT NOT NULL,
    selection TEXT NOT NULL,
    undoes INTEGER
)""",
    # By 档号 and not by row: a record that is taken in again keeps its decision.
    """CREATE TABLE opening_marks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    batch INTEGER NOT NULL REFERENCES opening_batches (number),
    record_id TEXT NOT NULL,
    result TEXT NOT NULL,
    opening TEXT NOT NULL,
    publicity TEXT NOT NULL,
    title TEXT NOT NULL
)""",
    "CREATE INDEX opening_marks_record ON opening_marks (record_id, number)",
    "CREATE INDEX opening_marks_batch ON opening_marks (batch)",
    """CREATE VIEW opening_newest AS
    SELECT max(number) AS number FROM opening_marks GROUP BY record_id""",
    *(
        f"""CREATE TRIGGER {table}_{name} BEFORE {event} ON {table}
    BEGIN SELECT RAISE(ABORT, 'opening decisions are never {done}'); END"""
        for table in ("opening_batches", "opening_marks")
        for name, event, done in (("stay", "UPDATE", "changed"), ("are_kept", "DELETE", "deleted"))
    ),
)

#: What `str.strip` takes off; SQLite's own trim knows the space only.
_BLANKS: Final = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())

_RECORD_FIELDS: Final = tuple(f.name for f in fields(Record))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of one file below an ingested folder.

    Attributes:
        path: Path below `root`, POSIX form.
        sha256: Content hash, hex.
        size: Bytes.
        modified: Modification time, seconds since the epoch.
        root: The ingested folder, absolute.
        state: `ok`, `partial`, `failed` or `skipped`.
        reason: Why it is not `ok`, in Chinese; empty otherwise.
        record_id: The record it belongs to, empty when none.
    """

    path: str
    sha256: str
    size: int
    modified: float
    root: str
    state: str
    reason: str
    record_id: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What reports say of a page, without its text.

    Attributes:
        record_id: Its record.
        seq: Page of the record, from 1.
        file_path: The file it is in.
        file_page: Page of that file, from 1.
        source: Where its text came from.
        engine: What read it.
        confidence: 0..1, None where nothing was recognised.
        readable: Whether it has any text.
        personal: Personal data found in it: kind of each.
    """

    record_id: str
    seq: int
    file_path: str
    file_page: int
    source: TextSource
    engine: str
    confidence: float | None
    readable: bool
    personal: tuple[str, ...]


class Store:
    """Reads and writes the SQLite file. Safe to share between threads (one connection each)."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open the store.

        Args:
            path: The SQLite file.
            create: Make it (and its folder) when missing.

        Raises:
            IndexNotFoundError: If the file is missing and `create` is false.
            IndexMismatchError: If it was written by an incompatible version.
            IndexStoreError: If it is not a usable SQLite file.
        """
        self.path = path
        self._local = threading.local()
        self._cache_lock = threading.Lock()
        self._permitted: dict[tuple[int, Reader], Permitted] = {}
        self._coverage: dict[tuple[int, Permitted], Coverage] = {}
        self._records: tuple[int, Mapping[int, Record]] | None = None
        if not path.is_file():
            if not create:
                msg = f"{path.parent} 里还没有馆藏。请先运行 chadang ingest 目录，或运行 chadang demo 试用样本。"
                raise IndexNotFoundError(msg)
            path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(path):
            db = self._db
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                with self._writing() as cursor:
                    # Another process may have made the tables while this one waited to write.
                    if cursor.execute("PRAGMA user_version").fetchone()[0] == 0:
                        for statement in (*_SCHEMA.split(";"), *_SCHEMA_2, *_SCHEMA_3):
                            if statement.strip():
                                cursor.execute(statement)
                        cursor.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version in (1, 2):
                if version == 1:
                    self._upgrade_from_1()
                self._upgrade_from_2()
            elif version != SCHEMA_VERSION:
                msg = (
                    f"{path} 的格式版本是 {version}，本程序需要 {SCHEMA_VERSION}。"
                    "请换用匹配的程序版本，或换一个空的 --home 重新入库。"
                )
                raise IndexMismatchError(msg)

    def _upgrade_from_1(self) -> None:
        """Add what version 2 has; look for personal data in every stored page."""
        with self._writing() as cursor:
            if cursor.execute("PRAGMA user_version").fetchone()[0] != 1:
                return  # another process was faster
            for statement in _SCHEMA_2:
                cursor.execute(statement)
            found = 0
            for number, seq, start, raw in cursor.execute(
                "SELECT record_number, seq, start, raw FROM pages"
            ).fetchall():
                spans = find_personal(raw)
                if not spans:
                    continue
                found += 1
                cursor.execute(
                    "UPDATE pages SET personal = ? WHERE record_number = ? AND seq = ?",
                    (_spans_to_json(spans), number, seq),
                )
                _mask_passages(cursor, number, [(start + s.start, start + s.end) for s in spans])
            _bump(cursor)
            if found:
                # An index built before holds the numbers themselves: it must not be searched.
                cursor.execute(
                    "INSERT OR REPLACE INTO meta SELECT 'index_after', value FROM meta"
                    " WHERE key = 'data_version'"
                )
            cursor.execute("PRAGMA user_version = 2")

    def _upgrade_from_2(self) -> None:
        with self._writing() as cursor:
            if cursor.execute("PRAGMA user_version").fetchone()[0] != 2:
                return  # another process was faster
            for statement in _SCHEMA_3:
                cursor.execute(statement)
            cursor.execute("PRAGMA user_version = 3")

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            db.execute("PRAGMA busy_timeout = 30000")
            _write_ahead(db)
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
            # Text of a removed record must not survive in free pages of the file.
            db.execute("PRAGMA secure_delete = ON")
            self._local.db = db
        return db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        with _translated(self.path):
            cursor = self._db.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A transaction, for the tables kept by other modules (`index.held`, `ingest.jobs`).

        Raises:
            IndexStoreError: If SQLite does.
        """
        with self._writing() as cursor:
            yield cursor

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, to read tables kept by other modules.

        Raises:
            IndexStoreError: If SQLite does.
        """
        with _translated(self.path):
            yield self._db

    def close(self) -> None:
        """Close this thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            db.close()
            self._local.db = None

    # -- meta ---------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A stored note of the store itself, None when never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a note."""
        with self._writing() as cursor:
            cursor.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def data_version(self) -> int:
        """A counter that grows with every change of records, passages or opening decisions."""
        return int(self.meta("data_version") or 0)

    @property
    def content_version(self) -> int:
        """`data_version` at the last change that an index has to follow: opening is no part of it."""
        return int(self.meta("content_version") or self.data_version)

    # -- records ------------------------------------------------------------------------------

    def _record_table(self) -> Mapping[int, Record]:
        version = self.data_version
        cached = self._records
        if cached is None or cached[0] != version:
            rows = self._db.execute("SELECT number, body FROM records ORDER BY number")
            marks = self.opening_marks()
            records = ((number, _record_from_json(body)) for number, body in rows)
            cached = (
                version,
                {n: mask_record(with_mark(r, marks.get(r.record_id))) for n, r in records},
            )
            self._records = cached
        return cached[1]

    def records(self, permitted: Permitted = EVERYTHING) -> list[Record]:
        """All readable records, in order of intake."""
        return [r for n, r in self._record_table().items() if permitted.allows(n)]

    def numbered_records(self) -> Mapping[int, Record]:
        """All records by row number, for tables whose look-ups filter by permission themselves."""
        return self._record_table()

    def record(self, record_id: str, *, clear: bool = False) -> Record | None:
        """The record with exactly this id, None when there is none.

        Args:
            record_id: Its id.
            clear: With personal data unmasked; ask `index.access.may_see_personal` first.
        """
        row = self._db.execute(
            "SELECT body FROM records WHERE record_id = ?", (record_id,)
        ).fetchone()
        if row is None:
            return None
        record = self._marked(_record_from_json(row[0]))
        return record if clear else mask_record(record)

    def catalogued(self, record_id: str) -> Record | None:
        """As `record`, with the catalogue's own opening mark where an archivist decided otherwise."""
        row = self._db.execute(
            "SELECT body FROM records WHERE record_id = ?", (record_id,)
        ).fetchone()
        return None if row is None else mask_record(_record_from_json(row[0]))

    def opening_marks(self) -> dict[str, Mark]:
        """The newest opening decision by record id; ids that are not stored (any more) too."""
        rows = self._db.execute(f"{_MARK_ROWS} WHERE number IN opening_newest")
        return {record_id: _mark(*mark) for record_id, *mark in rows}

    def _marked(self, record: Record) -> Record:
        row = self._db.execute(
            f"{_MARK_ROWS} WHERE record_id = ? ORDER BY number DESC LIMIT 1", (record.record_id,)
        ).fetchone()
        return record if row is None else with_mark(record, _mark(*row[1:]))

    def record_by_number(self, number: int) -> Record:
        """The record with this row number.

        Raises:
            KeyError: If there is none.
        """
        return self._record_table()[number]

    def record_number(self, record_id: str) -> int | None:
        """Row number of a record, None when it is not stored."""
        row = self._db.execute(
            "SELECT number FROM records WHERE record_id = ?", (record_id,)
        ).fetchone()
        return None if row is None else int(row[0])

    def find_by_key(self, column: str, key: str, permitted: Permitted) -> list[Record]:
        """Records whose `id` or `doc_no` has this matching key.

        Args:
            column: `id` or `doc_no`.
            key: Output of `index.text.matching_key`.
            permitted: What the reader may see.
        """
        statement = {
            "id": "SELECT number, body FROM records WHERE id_key = ? ORDER BY number",
            "doc_no": "SELECT number, body FROM records WHERE doc_no_key = ? ORDER BY number",
        }[column]
        return [
            mask_record(self._marked(_record_from_json(body)))
            for number, body in self._db.execute(statement, (key,)).fetchall()
            if permitted.allows(number)
        ]

    def content_hash(self, record_id: str) -> str | None:
        """Hash given at the last `replace_record`, None when the record is not stored."""
        row = self._db.execute(
            "SELECT content_hash FROM records WHERE record_id = ?", (record_id,)
        ).fetchone()
        return None if row is None else str(row[0])

    def replace_record(
        self,
        record: Record,
        pages: Sequence[Page],
        passages: Sequence[Passage],
        content_hash: str,
        files: Sequence[StoredFile] = (),
    ) -> bool:
        """Store a record with its pages and passages in one transaction.

        Page starts are computed here; passages of unchanged text keep their row numbers, so their
        index entries stay valid.

        Args:
            record: The record; an earlier version with the same id is replaced.
            pages: Its pages in order, `seq` from 1 without gaps.
            passages: Spans of its record text.
            content_hash: Caller's hash of everything that went in; see `content_hash`.
            files: Its files, remembered in the same transaction.

        Returns:
            True when the record is new, False when it replaced an earlier version.

        Raises:
            ValueError: If a passage is not an exact substring of the record text, page numbers
                have gaps, or the record carries an opening decision, which is not the catalogue's.
        """
        with self._writing() as cursor:
            added = self._put_record(cursor, record, pages, passages, content_hash)
            for file in files:
                _put_file(cursor, file)
            _bump(cursor)
        return added

    def replace_records(
        self,
        items: Iterable[tuple[Record, Sequence[Page], Sequence[Passage], str]],
        files: Sequence[StoredFile] = (),
    ) -> int:
        """As `replace_record` for many, all in one transaction.

        Args:
            items: Records with their pages, passages and content hash.
            files: Their files, remembered in the same transaction.

        Returns:
            Number of records that are new.
        """
        with self._writing() as cursor:
            added = sum(self._put_record(cursor, *item) for item in items)
            for file in files:
                _put_file(cursor, file)
            _bump(cursor)
        return added

    @staticmethod
    def _put_record(
        cursor: sqlite3.Cursor,
        record: Record,
        pages: Sequence[Page],
        passages: Sequence[Passage],
        content_hash: str,
    ) -> bool:
        if record.opening_decision:
            msg = f"{record.record_id}：开放审核的结果不写入条目"
            raise ValueError(msg)
        starts: list[int] = []
        total = 0
        for seq, page in enumerate(pages, start=1):
            if page.seq != seq:
                msg = f"{record.record_id}：影像序号应为 {seq}，实为 {page.seq}"
                raise ValueError(msg)
            starts.append(total)
            total += len(page.raw)
        text = "".join(page.raw for page in pages)
        for passage in passages:
            if text[passage.start : passage.end] != passage.text:
                msg = f"{record.record_id}：段落 {passage.start}:{passage.end} 与页面原文不符"
                raise ValueError(msg)
        columns = (
            matching_key(record.record_id),
            matching_key(record.title),
            _doc_no_key(record.doc_no),
            record.year,
            record.doc_type,
            content_hash,
            _record_to_json(record),
        )
        row = cursor.execute(
            "SELECT number FROM records WHERE record_id = ?", (record.record_id,)
        ).fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO records (record_id, id_key, title_key, doc_no_key, year, doc_type,"
                " content_hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (record.record_id, *columns),
            )
            number = cursor.lastrowid
        else:
            number = int(row[0])
            cursor.execute(
                "UPDATE records SET id_key = ?, title_key = ?, doc_no_key = ?, year = ?,"
                " doc_type = ?, content_hash = ?, body = ? WHERE number = ?",
                (*columns, number),
            )
        cursor.execute("DELETE FROM pages WHERE record_number = ?", (number,))
        personal = [find_personal(page.raw) for page in pages]
        cursor.executemany(
            "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?)",
            (
                (number, page.seq, start, page.raw, _page_to_blob(page), _spans_to_json(spans))
                for page, start, spans in zip(pages, starts, personal, strict=True)
            ),
        )
        keep = {passage.passage_id for passage in passages}
        old = cursor.execute(
            "SELECT passage_id FROM passages WHERE record_number = ?", (number,)
        ).fetchall()
        cursor.executemany(
            "DELETE FROM passages WHERE passage_id = ?",
            ((i,) for (i,) in old if i not in keep),
        )
        cursor.executemany(
            "INSERT INTO passages (passage_id, record_number, start, stop, heading, text)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (passage_id) DO UPDATE SET"
            " heading = excluded.heading, shown = NULL",
            ((p.passage_id, number, p.start, p.end, p.heading, p.text) for p in passages),
        )
        whole = [
            (start + s.start, start + s.end)
            for start, spans in zip(starts, personal, strict=True)
            for s in spans
        ]
        _mask_passages(cursor, int(number or 0), whole)
        return row is None

    def remove_record(self, record_id: str) -> bool:
        """Delete a record with everything of it; False when it was not stored."""
        with self._writing() as cursor:
            cursor.execute("DELETE FROM records WHERE record_id = ?", (record_id,))
            removed = cursor.rowcount > 0
            if removed:
                _bump(cursor)
        return removed

    def purge(self, record_ids: Iterable[str], hashes: Iterable[str]) -> int:
        """Remove every trace of what must not be here.

        Records and readings go at once; vectors and indexes with the next build (`purge_due`).

        Args:
            record_ids: Records to remove with pages and passages.
            hashes: Content hashes of files whose readings are to go.

        Returns:
            Number of records that were stored.
        """
        with self._writing() as cursor:
            removed = read = 0
            for record_id in record_ids:
                cursor.execute("DELETE FROM records WHERE record_id = ?", (record_id,))
                removed += cursor.rowcount
            for sha256 in hashes:
                if sha256:
                    cursor.execute("DELETE FROM page_results WHERE sha256 = ?", (sha256,))
                    read += cursor.rowcount
            if removed:
                _bump(cursor)
                cursor.execute("INSERT OR REPLACE INTO meta VALUES ('purge_due', '1')")
        if removed or read:
            # What was deleted still stands in the log until it is emptied; a reader may prevent it,
            # then the next checkpoint does it.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return removed

    @property
    def purge_due(self) -> bool:
        """Whether vectors and indexes of purged records may still be about."""
        return self.meta("purge_due") == "1"

    def finish_purge(self, kept: Iterable[str]) -> None:
        """Delete every vector but those of these text hashes."""
        with self._writing() as cursor:
            cursor.execute("CREATE TEMP TABLE kept (text_hash TEXT PRIMARY KEY) WITHOUT ROWID")
            cursor.executemany("INSERT OR IGNORE INTO kept VALUES (?)", ((h,) for h in kept))
            cursor.execute("DELETE FROM embeddings WHERE text_hash NOT IN kept")
            cursor.execute("DROP TABLE kept")
            cursor.execute("DELETE FROM meta WHERE key = 'purge_due'")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # -- pages and passages -------------------------------------------------------------------

    def pages(self, record_id: str, *, clear: bool = False) -> tuple[Page, ...]:
        """The record's pages in order; empty when it has none or is not stored.

        Args:
            record_id: The record.
            clear: With personal data unmasked; ask `index.access.may_see_personal` first. Everything
                that searches, ranks, quotes or goes to a language model takes the masked form.
        """
        rows = self._db.execute(f"{_PAGE_ROWS} WHERE r.record_id = ? ORDER BY p.seq", (record_id,))
        return tuple(_page_from_row(record_id, *row, clear=clear) for row in rows)

    def pages_between(self, record_id: str, start: int, end: int) -> tuple[Page, ...]:
        """The record's pages that hold characters start..end of the record text, in order."""
        rows = self._db.execute(
            f"{_PAGE_ROWS} WHERE r.record_id = ? AND p.start < ?"
            " AND p.start + length(p.raw) > ? ORDER BY p.seq",
            (record_id, end, start),
        )
        return tuple(_page_from_row(record_id, *row) for row in rows)

    def page(self, record_id: str, seq: int, *, clear: bool = False) -> Page | None:
        """One page, None when there is no such page; `clear` as in `pages`."""
        row = self._db.execute(
            f"{_PAGE_ROWS} WHERE r.record_id = ? AND p.seq = ?", (record_id, seq)
        ).fetchone()
        return None if row is None else _page_from_row(record_id, *row, clear=clear)

    def page_count(self, record_id: str) -> int:
        """Number of stored pages of a record."""
        row = self._db.execute(
            "SELECT count(*) FROM pages p JOIN records r ON r.number = p.record_number"
            " WHERE r.record_id = ?",
            (record_id,),
        ).fetchone()
        return int(row[0])

    def passages(self, record_id: str) -> list[Passage]:
        """The record's passages in text order, personal data masked."""
        rows = self._db.execute(
            "SELECT s.number, s.passage_id, s.start, s.stop, s.heading, coalesce(s.shown, s.text)"
            " FROM passages s JOIN records r ON r.number = s.record_number WHERE r.record_id = ?"
            " ORDER BY s.start",
            (record_id,),
        )
        return [
            Passage(passage_id, record_id, start, stop, text, heading, number)
            for number, passage_id, start, stop, heading, text in rows
        ]

    def passages_by_number(self, numbers: Iterable[int]) -> dict[int, Passage]:
        """Passages with these row numbers; numbers that no longer exist are left out."""
        wanted = list(numbers)
        found: dict[int, Passage] = {}
        for i in range(0, len(wanted), 500):
            part = wanted[i : i + 500]
            marks = ",".join("?" * len(part))
            for number, passage_id, record_id, start, stop, heading, text in self._db.execute(
                "SELECT s.number, s.passage_id, r.record_id, s.start, s.stop, s.heading,"  # noqa: S608
                " coalesce(s.shown, s.text)"
                " FROM passages s JOIN records r ON r.number = s.record_number"
                f" WHERE s.number IN ({marks})",
                part,
            ):
                found[number] = Passage(passage_id, record_id, start, stop, text, heading, number)
        return found

    def iterate_passages(self) -> Iterator[tuple[Passage, int]]:
        """Every passage with its record's row number, in row order."""
        rows = self._db.execute(
            "SELECT s.number, s.passage_id, r.record_id, s.start, s.stop, s.heading,"
            " coalesce(s.shown, s.text), s.record_number FROM passages s JOIN records r ON r.number = s.record_number"
            " ORDER BY s.number"
        )
        for number, passage_id, record_id, start, stop, heading, text, record_number in rows:
            yield (
                Passage(passage_id, record_id, start, stop, text, heading, number),
                record_number,
            )

    def counts(self) -> dict[str, int]:
        """Totals: `records`, `records_with_pages`, `pages`, `unreadable_pages`, `passages`."""
        one = self._db.execute(
            "SELECT (SELECT count(*) FROM records),"
            " (SELECT count(DISTINCT record_number) FROM pages),"
            " (SELECT count(*) FROM pages),"
            " (SELECT count(*) FROM pages WHERE trim(raw, ?) = ''),"
            " (SELECT count(*) FROM passages)",
            (_BLANKS,),
        ).fetchone()
        names = ("records", "records_with_pages", "pages", "unreadable_pages", "passages")
        return dict(zip(names, map(int, one), strict=True))

    # -- permission ---------------------------------------------------------------------------

    def permitted(self, reader: Reader) -> Permitted:
        """The set of records a reader may see; cached until the records change."""
        if reader.role is Role.ARCHIVIST:
            return EVERYTHING
        if not may_read_anything(reader).allowed:
            return NOTHING
        key = (self.data_version, reader)
        with self._cache_lock:
            if key not in self._permitted:
                if len(self._permitted) > 256:
                    self._permitted.clear()
                self._permitted[key] = Permitted(
                    frozenset(
                        n for n, r in self._record_table().items() if may_read(reader, r).allowed
                    )
                )
            return self._permitted[key]

    def coverage(self, permitted: Permitted) -> Coverage:
        """How much a reader with this permitted set can search; cached until the records change."""
        key = (self.data_version, permitted)
        with self._cache_lock:
            if key not in self._coverage:
                if len(self._coverage) > 256:
                    self._coverage.clear()
                self._coverage[key] = self._count_coverage(permitted)
            return self._coverage[key]

    def _count_coverage(self, permitted: Permitted) -> Coverage:
        records = pages = unreadable = 0
        for number, count, empty in self._db.execute(
            "SELECT record_number, count(*), sum(trim(raw, ?) = '') FROM pages"
            " GROUP BY record_number",
            (_BLANKS,),
        ):
            if permitted.allows(number):
                records += 1
                pages += count - empty
                unreadable += empty
        return Coverage(records, pages, unreadable)

    def page_totals(self, permitted: Permitted = EVERYTHING) -> dict[str, tuple[int, int]]:
        """(stored pages, pages without readable text) by record id, records without pages too."""
        counted = {
            number: (int(count), int(empty))
            for number, count, empty in self._db.execute(
                "SELECT record_number, count(*), sum(trim(raw, ?) = '') FROM pages"
                " GROUP BY record_number",
                (_BLANKS,),
            )
        }
        return {
            record.record_id: counted.get(number, (0, 0))
            for number, record in self._record_table().items()
            if permitted.allows(number)
        }

    def page_facts(self, record_ids: Iterable[str]) -> Iterator[PageFacts]:
        """What is known of every page of these records, in their order."""
        for record_id in record_ids:
            rows = self._db.execute(
                f"{_PAGE_ROWS} WHERE r.record_id = ? ORDER BY seq", (record_id,)
            )
            for seq, _, raw, blob, personal in rows.fetchall():
                body = json.loads(zlib.decompress(blob))
                yield PageFacts(
                    record_id, seq, body["file_path"], body["file_page"],
                    TextSource(body["source"]), body["engine"], body["confidence"],
                    bool(raw.strip()),
                    tuple(kind for _, _, kind in json.loads(personal or "[]")),
                )  # fmt: skip

    def holders_of(self, words: str, permitted: Permitted = EVERYTHING) -> frozenset[str]:
        """Ids of records whose title or one of whose pages holds these words; all of them.

        Spaces and line breaks of the pages are passed over, other spellings are not tried.
        """
        table = self._record_table()
        personal = {
            number
            for (number,) in self._db.execute(
                "SELECT DISTINCT record_number FROM pages WHERE personal != ''"
            )
        }
        titled = {n for n, r in table.items() if words in r.title}
        found = {
            int(number)
            for (number,) in self._db.execute(
                "SELECT DISTINCT record_number FROM pages WHERE instr(replace(replace(replace("
                "replace(raw, char(10), ''), char(13), ''), ' ', ''), char(12288), ''), ?) > 0",
                (words,),
            )
        }
        # Personal data is found by nobody: what only stood in a masked span is taken out again.
        numbers = titled | {
            n for n in found
            if n not in personal or (n in table and words in self._joined(table[n].record_id))
        }  # fmt: skip
        return frozenset(table[n].record_id for n in numbers if n in table and permitted.allows(n))

    def _joined(self, record_id: str) -> str:
        return "\n".join("".join(page.raw.split()) for page in self.pages(record_id))

    # -- embeddings ---------------------------------------------------------------------------

    def embeddings(self, hashes: Sequence[str], model: str) -> dict[str, npt.NDArray[np.float16]]:
        """Stored vectors by text hash, each shape (d,), float16; missing ones are left out."""
        found: dict[str, npt.NDArray[np.float16]] = {}
        for i in range(0, len(hashes), 500):
            part = hashes[i : i + 500]
            marks = ",".join("?" * len(part))
            for text_hash, blob in self._db.execute(
                f"SELECT text_hash, vector FROM embeddings WHERE model = ? AND text_hash IN ({marks})",  # noqa: S608
                (model, *part),
            ):
                found[text_hash] = np.frombuffer(blob, dtype=np.float16)
        return found

    def add_embeddings(
        self, model: str, vectors: Iterable[tuple[str, npt.NDArray[np.float16]]]
    ) -> None:
        """Store vectors by text hash in one transaction."""
        with self._writing() as cursor:
            cursor.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                ((text_hash, model, vector.tobytes()) for text_hash, vector in vectors),
            )

    # -- files and restart points -------------------------------------------------------------

    def files(self) -> dict[str, StoredFile]:
        """Known files by `root + '/' + path`."""
        rows = self._db.execute(
            "SELECT path, sha256, bytes, modified, root, state, reason, record_id FROM files"
        )
        stored = (StoredFile(*row) for row in rows)
        return {f"{f.root}/{f.path}": f for f in stored}

    def put_file(self, file: StoredFile) -> None:
        """Remember the state of a file; what was read from its earlier content goes."""
        with self._writing() as cursor:
            _put_file(cursor, file)

    def file(self, path: str) -> StoredFile | None:
        """The file stored under this path below its root."""
        row = self._db.execute(
            "SELECT path, sha256, bytes, modified, root, state, reason, record_id FROM files"
            " WHERE path = ?",
            (path,),
        ).fetchone()
        return None if row is None else StoredFile(*row)

    def forget_file(self, path: str) -> None:
        """Forget a file and, when no other file has the same content, what was read from it."""
        with self._writing() as cursor:
            row = cursor.execute("SELECT sha256 FROM files WHERE path = ?", (path,)).fetchone()
            cursor.execute("DELETE FROM files WHERE path = ?", (path,))
            if row is not None:
                cursor.execute(
                    "DELETE FROM page_results WHERE sha256 = ?"
                    " AND NOT EXISTS (SELECT 1 FROM files WHERE sha256 = ?)",
                    (row[0], row[0]),
                )

    def relocate(self, folders: Mapping[str, str]) -> None:
        """Note that ingested folders lie elsewhere now.

        Args:
            folders: Absolute path before to absolute path now.
        """

        def moved(path: str) -> str:
            for old in sorted(folders, key=len, reverse=True):
                if path == old or path.startswith(old.rstrip("/") + "/"):
                    return folders[old] + path[len(old.rstrip("/")) :]
            return path

        with self._writing() as cursor:
            for table, column in (
                ("files", "root"), ("jobs", "place"), ("jobs", "source"), ("ingest_runs", "source"),
            ):  # fmt: skip
                for (path,) in cursor.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():  # noqa: S608
                    cursor.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608
                        (moved(path), path),
                    )
            for key, value in cursor.execute(
                "SELECT key, value FROM meta WHERE key LIKE 'base:%' OR key LIKE 'rows:%'"
            ).fetchall():
                kind, _, path = key.partition(":")
                cursor.execute("DELETE FROM meta WHERE key = ?", (key,))
                cursor.execute(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                    (f"{kind}:{moved(path)}", moved(value) if kind == "base" else value),
                )

    def page_result(self, sha256: str, file_page: int, reader: str) -> dict[str, Any] | None:
        """A page already read by this reader from a file of this content, or None."""
        row = self._db.execute(
            "SELECT body FROM page_results WHERE sha256 = ? AND file_page = ? AND reader = ?",
            (sha256, file_page, reader),
        ).fetchone()
        return None if row is None else dict(json.loads(zlib.decompress(row[0])))

    def put_page_result(
        self, sha256: str, file_page: int, reader: str, result: Mapping[str, Any]
    ) -> None:
        """Keep a page's reading at once, so that an interrupted run continues after it."""
        body = zlib.compress(json.dumps(result, ensure_ascii=False).encode(), 6)
        with self._writing() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO page_results VALUES (?, ?, ?, ?)",
                (sha256, file_page, reader, body),
            )

    def add_run(self, finished: str, report: Mapping[str, Any]) -> None:
        """Keep the report of an ingest run."""
        with self._writing() as cursor:
            cursor.execute(
                "INSERT INTO runs (finished, report) VALUES (?, ?)",
                (finished, json.dumps(report, ensure_ascii=False)),
            )

    def last_run(self) -> dict[str, Any] | None:
        """Report of the newest ingest run, None when there was none."""
        row = self._db.execute("SELECT report FROM runs ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def check(self) -> list[str]:
        """Look for damage; each finding is one Chinese sentence."""
        findings = [
            f"数据库完整性检查：{row[0]}"
            for row in self._db.execute("PRAGMA quick_check")
            if row[0] != "ok"
        ]
        for record_id in [r.record_id for r in self.records()]:
            text = "".join(page.raw for page in self.pages(record_id))  # both masked alike
            findings += [
                f"{record_id}：段落 {p.passage_id} 与页面原文不符，请重新入库该件"
                for p in self.passages(record_id)
                if text[p.start : p.end] != p.text
            ]
        return findings


def passage_id(record_id: str, start: int, text: str) -> str:
    """The stable id of a passage: 20 hex digits of a hash over record, place and text."""
    digest = hashlib.sha256(f"{record_id}\0{start}\0{text}".encode())
    return digest.hexdigest()[:20]


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to the write-ahead log.

    SQLite gives up on this at once, without its usual wait, when another connection is making the
    same switch (seen with eight threads creating one store), so the wait is here.
    """
    deadline = time.monotonic() + 30
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _doc_no_key(doc_no: str) -> str:
    """Key of a 文号; `第012号` and `12号` are one number."""
    number = parse_doc_number(doc_no)
    return matching_key(number.canonical if number is not None else doc_no)


_NEXT_VERSION: Final = (
    "INSERT INTO meta VALUES ('data_version', '1')"
    " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
)
_MARK_ROWS: Final = "SELECT record_id, batch, result, opening, publicity, title FROM opening_marks"
_PAGE_ROWS: Final = (
    "SELECT p.seq, p.start, p.raw, p.body, p.personal FROM pages p JOIN records r"
    " ON r.number = p.record_number"
)


def _mark(batch: int, result: str, opening: str, publicity: str, title: str) -> Mark:
    return Mark(batch, Result(result), opening, publicity, title)


def _put_file(cursor: sqlite3.Cursor, file: StoredFile) -> None:
    cursor.execute(
        "DELETE FROM page_results WHERE sha256 = (SELECT sha256 FROM files WHERE path = ?1"
        " AND sha256 != ?2) AND NOT EXISTS (SELECT 1 FROM files f WHERE f.path != ?1"
        " AND f.sha256 = page_results.sha256)",
        (file.path, file.sha256),
    )
    cursor.execute(
        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file.path, file.sha256, file.size, file.modified, file.root, file.state, file.reason,
            file.record_id,
        ),
    )  # fmt: skip


def _mask_passages(cursor: sqlite3.Cursor, number: int, spans: Sequence[tuple[int, int]]) -> None:
    """Set what is shown of the passages of a record on which spans of its text lie."""
    for start, end in spans:
        for place, first, text in cursor.execute(
            "SELECT number, start, coalesce(shown, text) FROM passages"
            " WHERE record_number = ? AND start < ? AND stop > ?",
            (number, end, start),
        ).fetchall():
            shown = masked(text, [(max(0, start - first), end - first)])
            cursor.execute("UPDATE passages SET shown = ? WHERE number = ?", (shown, place))


def _spans_to_json(spans: Sequence[PersonalSpan]) -> str:
    return json.dumps([[s.start, s.end, s.kind.value] for s in spans]) if spans else ""


def _bump(cursor: sqlite3.Cursor) -> None:
    cursor.execute(_NEXT_VERSION)
    cursor.execute(
        "INSERT OR REPLACE INTO meta SELECT 'content_version', value FROM meta"
        " WHERE key = 'data_version'"
    )


def bump_opening(cursor: sqlite3.Cursor) -> None:
    """Count a change of what is open: caches of rights and catalogues go, the index stays."""
    cursor.execute(
        "INSERT OR IGNORE INTO meta SELECT 'content_version', value FROM meta"
        " WHERE key = 'data_version'"
    )
    cursor.execute(_NEXT_VERSION)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        msg = f"读写 {path} 失败：{error}。请检查磁盘空间和权限；若文件损坏，请用备份恢复。"
        raise IndexStoreError(msg) from error


def _record_to_json(record: Record) -> str:
    values = {name: getattr(record, name) for name in _RECORD_FIELDS}
    values["derived"] = [astuple(item) for item in record.derived]
    values["parts"] = [astuple(item) for item in record.parts]
    return json.dumps(values, ensure_ascii=False)


def _record_from_json(body: str) -> Record:
    values = json.loads(body)
    values["proposers"] = tuple(values["proposers"])
    values["extra"] = tuple((heading, value) for heading, value in values["extra"])
    # Absent in what was stored before these fields were.
    values["derived"] = tuple(Derived(*item) for item in values.get("derived", ()))
    values["parts"] = tuple(SubDocument(*item) for item in values.get("parts", ()))
    return Record(**values)


def _page_to_blob(page: Page) -> bytes:
    body = {
        "source": page.source,
        "engine": page.engine,
        "confidence": page.confidence,
        "inner_label": page.inner_label,
        "volume_label": page.volume_label,
        "furniture": page.furniture,
        "width": page.width,
        "height": page.height,
        "file_path": page.file_path,
        "file_page": page.file_page,
        "turn": page.turn,
        "choice": asdict(page.choice),
        "lines": [
            [
                line.start,
                line.end,
                [round(x, 5) for x in line.box],
                [round(x, 5) for x in line.edges],
                line.confidence,
                line.vertical,
            ]
            for line in page.lines
        ],
    }
    return zlib.compress(json.dumps(body, ensure_ascii=False).encode(), 6)


def _page_from_row(
    record_id: str,
    seq: int,
    start: int,
    raw: str,
    blob: bytes,
    personal: str,
    *,
    clear: bool = False,
) -> Page:
    body = json.loads(zlib.decompress(blob))
    body["source"] = TextSource(body["source"])
    body["furniture"] = tuple((a, b) for a, b in body["furniture"])
    body["choice"] = PageChoice(**body.get("choice", {}))  # older pages have none
    body["lines"] = tuple(
        Line(a, b, (box[0], box[1], box[2], box[3]), tuple(edges), confidence, vertical)
        for a, b, box, edges, confidence, vertical in body["lines"]
    )
    page = Page(record_id=record_id, seq=seq, raw=raw, start=start, **body)
    if not personal:
        return page
    page = replace(page, personal=tuple((a, b) for a, b, _ in json.loads(personal)))
    return page if clear else mask_page(page)


__all__ = ["SCHEMA_VERSION", "PageFacts", "Store", "StoredFile", "bump_opening", "passage_id"]
