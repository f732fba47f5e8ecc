"""The job queue (入库作业): every file of every run, kept in the store, visible to other processes.

The run itself writes here as it goes; the command line and the admin page read it, and ask the run
to pause, go on or stop. What a file's reading gave is not kept here but in records and page
results, so losing the last half second of this table loses nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from index.store import Store
from ingest.errors import IngestError
from ingest.progress import Progress

#: A run whose process said nothing for so long, and whose lock is free, was killed.
_FLUSH_SECONDS: Final = 0.5
_BUFFERED: Final = 2000
#: `RunLock.is_held` takes the lock for a moment, and the ingest page asks every second.
_LOCK_SECONDS: Final = 0.3


class JobState(StrEnum):
    """Where a file stands; values are the words shown to people."""

    WAITING = "等待"
    READING = "处理中"
    DONE = "完成"
    PARTIAL = "部分不可读"
    FAILED = "失败"
    UNSUPPORTED = "格式不支持"
    WITHHELD = "不予入库"
    REVIEW = "待审核"


#: States of files that a retry takes up again.
DEAD: Final = (JobState.FAILED, JobState.PARTIAL)


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "进行中"
    PAUSED = "已暂停"
    FINISHED = "已完成"
    STOPPED = "已停止"
    FAILED = "出错"
    INTERRUPTED = "中断"


class Wanted(StrEnum):
    """What somebody asked a run to do."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Job:
    """One file.

    Attributes:
        place: Absolute path; one row per file.
        path: As reports call it.
        source: The folder given to the run.
        run: The newest run that looked at it.
        record_id: The record it belongs to, empty when it was not taken in.
        state: Where it stands.
        attempts: How often reading it was begun.
        worker: Process that took it up last.
        size: Bytes.
        sha256: Content hash when it was read, empty before.
        program: Version of the readers that read it.
        started: ISO time of the last attempt.
        finished: ISO time of its end.
        error: Why it is not done, in Chinese.
        next_step: What a person can do about it.
    """

    place: str
    path: str
    source: str
    run: int
    record_id: str
    state: JobState
    attempts: int
    worker: str
    size: int
    sha256: str
    program: str
    started: str
    finished: str
    error: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest run.

    Attributes:
        number: Counted from 1.
        source: Folder, catalogue or file it was given.
        mode: `""`, `force` or `retry`.
        state: Where it stands; a killed run shows as interrupted.
        wanted: What it was asked to do.
        pid: Its process.
        started: ISO time.
        finished: ISO time, empty while it goes on.
        progress: The newest progress, None before the first.
    """

    number: int
    source: str
    mode: str
    state: RunState
    wanted: Wanted
    pid: int
    started: str
    finished: str
    progress: Progress | None


class RunLock:
    """Held by the one ingest run of a home; the system frees it when the process dies."""

    def __init__(self, home: Path) -> None:
        self._path = home / "ingest.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            IngestError: If another run holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="ascii")
        deadline = time.monotonic() + _LOCK_SECONDS
        while not (locked := _lock(file)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not locked:
            file.close()
            msg = (
                "这个馆藏正有另一个入库在运行。请等它结束；看进度用 chadang jobs，"
                "要它停下用 chadang jobs --stop。"
            )
            raise IngestError(msg)
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_held(self) -> bool:
        """Whether some process holds it."""
        if not self._path.exists():
            return False
        with self._path.open("a+", encoding="ascii") as file:
            return not _lock(file)


def _lock(file: IO[str]) -> bool:
    """Lock without waiting; the lock goes when the file is closed or the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class JobQueue:
    """Writes the jobs of one run; used by the run itself."""

    def __init__(self, store: Store, source: Path, mode: str, now: Callable[[], str]) -> None:
        """Begin a run."""
        self._store = store
        self._source = str(source)
        self._now = now
        self._started: dict[str, str] = {}
        self._changes: dict[str, tuple[object, ...]] = {}
        self._flushed = self._looked = time.monotonic()
        self._wanted = Wanted.RUN
        with store.writing() as cursor:
            cursor.execute(
                "UPDATE ingest_runs SET state = ?, finished = ? WHERE state IN (?, ?)",
                (RunState.INTERRUPTED, now(), RunState.RUNNING, RunState.PAUSED),
            )
            cursor.execute(
                "INSERT INTO ingest_runs (source, mode, state, wanted, pid, started, finished,"
                " beat, progress) VALUES (?, ?, ?, ?, ?, ?, '', ?, '')",
                (self._source, mode, RunState.RUNNING, Wanted.RUN, os.getpid(), now(), time.time()),
            )
            self.run = int(cursor.lastrowid or 0)
        with store.reading() as db:
            self.programs: Mapping[str, str] = dict(
                db.execute("SELECT place, program FROM jobs").fetchall()
            )
            #: (place, path, content hash) of files that earlier runs kept out.
            self.withheld: Sequence[tuple[str, str, str]] = db.execute(
                "SELECT place, path, sha256 FROM jobs WHERE state = ? AND sha256 != ''",
                (JobState.WITHHELD,),
            ).fetchall()

    def enqueue(self, files: Iterable[tuple[str, str, str, int]]) -> None:
        """Enter files as (absolute path, path, record id, bytes); earlier attempts are kept."""
        with self._store.writing() as cursor:
            cursor.executemany(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, 0, '', ?, '', '', '', '', '', '')"
                " ON CONFLICT (place) DO UPDATE SET path = excluded.path, source = excluded.source,"
                " run = excluded.run, record_id = excluded.record_id, bytes = excluded.bytes,"
                " state = excluded.state",
                (
                    (place, path, self._source, self.run, record_id, JobState.WAITING, size)
                    for place, path, record_id, size in files
                ),
            )

    def start(self, place: str) -> None:
        """A file is being read."""
        self._started[place] = self._now()
        self._changes.pop(place, None)

    def finish(
        self,
        place: str,
        state: JobState,
        *,
        record_id: str = "",
        sha256: str = "",
        program: str = "",
        error: str = "",
        next_step: str = "",
    ) -> None:
        """A file is done with, one way or another."""
        self._changes[place] = (
            state, self._now(), record_id, sha256, program, error, next_step, place,
        )  # fmt: skip
        if len(self._changes) >= _BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Write what `start` and `finish` gathered."""
        self._flushed = time.monotonic()
        if not self._changes and not self._started:
            return
        with self._store.writing() as cursor:
            cursor.executemany(
                "UPDATE jobs SET state = ?, attempts = attempts + 1, worker = ?, started = ?,"
                " finished = '' WHERE place = ?",
                (
                    (JobState.READING, str(os.getpid()), at, place)
                    for place, at in self._started.items()
                ),
            )
            cursor.executemany(
                "UPDATE jobs SET state = ?, finished = ?, record_id = ?, sha256 = ?, program = ?,"
                " error = ?, next_step = ? WHERE place = ?",
                list(self._changes.values()),
            )
        self._started.clear()
        self._changes.clear()

    def beat(self, progress: Progress | None) -> None:
        """Say that the run is alive; writes at most twice a second."""
        if time.monotonic() - self._flushed < _FLUSH_SECONDS:
            return
        self.flush()
        if progress is not None:
            with self._store.writing() as cursor:
                cursor.execute(
                    "UPDATE ingest_runs SET beat = ?, progress = ? WHERE number = ?",
                    (time.time(), json.dumps(asdict(progress), ensure_ascii=False), self.run),
                )

    def wanted(self) -> Wanted:
        """What the run is asked to do; looked up at most twice a second."""
        if time.monotonic() - self._looked >= _FLUSH_SECONDS:
            self._looked = time.monotonic()
            with self._store.reading() as db:
                row = db.execute(
                    "SELECT wanted FROM ingest_runs WHERE number = ?", (self.run,)
                ).fetchone()
            asked = Wanted(row[0]) if row else Wanted.RUN
            if asked is not self._wanted and asked is not Wanted.STOP:
                state = RunState.PAUSED if asked is Wanted.PAUSE else RunState.RUNNING
                self._set_state(state)
            self._wanted = asked
        return self._wanted

    def end(self, state: RunState, progress: Progress | None, *, whole: bool) -> None:
        """The run is over.

        Args:
            state: How it ended.
            progress: The last one.
            whole: Whether every file of the source was listed: rows of files that are gone leave.
        """
        self.flush()
        with self._store.writing() as cursor:
            cursor.execute(
                "UPDATE jobs SET state = ? WHERE run = ? AND state = ?",
                (JobState.WAITING, self.run, JobState.READING),
            )
            if whole:
                cursor.execute(
                    "DELETE FROM jobs WHERE source = ? AND run != ?", (self._source, self.run)
                )
                # Read for a run that was killed, of a file that has changed or gone since: no row
                # of `files` tells of it. Not while another folder's files are half read.
                cursor.execute(
                    "DELETE FROM page_results WHERE sha256 NOT IN (SELECT sha256 FROM files)"
                    " AND NOT EXISTS (SELECT 1 FROM jobs WHERE state IN (?, ?))",
                    (JobState.WAITING, JobState.READING),
                )
            cursor.execute(
                "UPDATE ingest_runs SET state = ?, finished = ?, progress = ? WHERE number = ?",
                (
                    state, self._now(),
                    json.dumps(asdict(progress), ensure_ascii=False) if progress else "", self.run,
                ),
            )  # fmt: skip

    def _set_state(self, state: RunState) -> None:
        with self._store.writing() as cursor:
            cursor.execute("UPDATE ingest_runs SET state = ? WHERE number = ?", (state, self.run))


# -- for the command line and the admin page ------------------------------------------------------


def last_run(store: Store, home: Path) -> Run | None:
    """The newest run with its live progress, None when there was none."""
    with store.reading() as db:
        row = db.execute(
            "SELECT number, source, mode, state, wanted, pid, started, finished, progress"
            " FROM ingest_runs ORDER BY number DESC LIMIT 1"
        ).fetchone()
    if row is None:
        return None
    number, source, mode, said, wanted, pid, started, finished, progress = row
    state = RunState(said)
    if state in (RunState.RUNNING, RunState.PAUSED) and not RunLock(home).is_held():
        state = RunState.INTERRUPTED
    return Run(
        number, source, mode, state, Wanted(wanted), pid, started, finished,
        _progress(progress),
    )  # fmt: skip


def sources(store: Store) -> list[str]:
    """Every folder, catalogue or file a run was given, the newest first."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT source FROM ingest_runs GROUP BY source ORDER BY max(number) DESC"
        ).fetchall()
    return [str(source) for (source,) in rows]


def _progress(text: str) -> Progress | None:
    """What `JobQueue.beat` wrote; None when it was another version of the program."""
    if not text:
        return None
    try:
        return Progress(**json.loads(text))
    except TypeError:
        return None


def ask(store: Store, home: Path, wanted: Wanted) -> bool:
    """Ask the run that goes on to pause, go on or stop; False when none goes on."""
    run = last_run(store, home)
    if run is None or run.state not in (RunState.RUNNING, RunState.PAUSED):
        return False
    with store.writing() as cursor:
        cursor.execute("UPDATE ingest_runs SET wanted = ? WHERE number = ?", (wanted, run.number))
    return True


def jobs(store: Store, states: Iterable[JobState] = tuple(JobState)) -> list[Job]:
    """Files in these states, by path."""
    wanted = tuple(states)
    marks = ",".join("?" * len(wanted))
    with store.reading() as db:
        rows = db.execute(
            "SELECT place, path, source, run, record_id, state, attempts, worker, bytes, sha256,"  # noqa: S608
            f" program, started, finished, error, next_step FROM jobs WHERE state IN ({marks})"
            " ORDER BY source, path",
            wanted,
        ).fetchall()
    return [Job(*(*row[:5], JobState(row[5]), *row[6:])) for row in rows]


def dead_letters(store: Store) -> list[Job]:
    """Files that could not be read, wholly or in part; a retry takes them up."""
    return jobs(store, DEAD)


def job_counts(store: Store) -> dict[JobState, int]:
    """Files by state, over all sources."""
    with store.reading() as db:
        rows = db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
    return {JobState(state): int(count) for state, count in rows}


__all__ = [
    "DEAD",
    "Job",
    "JobQueue",
    "JobState",
    "Run",
    "RunLock",
    "RunState",
    "Wanted",
    "ask",
    "dead_letters",
    "job_counts",
    "jobs",
    "last_run",
    "sources",
]
