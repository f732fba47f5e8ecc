"""Reading in child processes: a file that kills or hangs its reader costs one page, not the batch.

Each `Lane` is a thread with one child process (`python -m ingest.worker`). Requests go down as
JSON lines, pages come back as JSON lines as soon as they are read.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from index.child_process import close_pipes, module_command, module_environment
from ingest.errors import PasswordError, SourceReadError, WorkerError
from ingest.page_text import Note, PageText
from ingest.watch import Watch

logger = logging.getLogger(__name__)

#: A page of 650 small boxes took 30 s to recognise; the first page also loads the models.
SECONDS_PER_PAGE: Final = 120.0
#: The slowest page of 2,454 real files took pypdf 20 s; it is then tried once more without pypdf.
SECONDS_PER_TEXT_PAGE: Final = 25.0


#: Pages of one task: a long file keeps several processes busy.
CHUNK: Final = 16
MOST_PAGES: Final = 1_000_000

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Task(Generic[K]):
    """Pages of one file to read.

    Attributes:
        key: The caller's own mark, given back with every event.
        path: The file.
        first: First page, from 1.
        last: Last page, 0 for as many as `chunk` says.
        chunk: How many pages to read when `last` is 0.
        options: Passed to the reader.
        given_up: Once set, what is left of the task is dropped.
    """

    key: K
    path: Path
    first: int = 1
    last: int = 0
    chunk: int = CHUNK
    options: Mapping[str, Any] | None = None
    given_up: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Event(Generic[K]):
    """Something a lane reports.

    Attributes:
        key: `Task.key`.
        page: A page that was read.
        page_count: The file's number of pages, when it was opened.
        notes: What an archivist should know about the file; told with `page_count`.
        failed: Why the file (or, with `file_page`, that page) cannot be read.
        file_page: The page that failed, 0 for the whole file.
        finished: Whether this is the last event of the task.
    """

    key: K
    page: PageText | None = None
    page_count: int = 0
    notes: tuple[Note, ...] = ()
    failed: SourceReadError | None = None
    file_page: int = 0
    finished: bool = False


class Lane(threading.Thread, Generic[K]):
    """A thread that feeds one child process."""

    def __init__(
        self,
        kind: str,
        tasks: queue.Queue[Task[K] | None],
        report: Callable[[Event[K]], None],
        *,
        threads: int = 1,
        seconds_per_page: float = SECONDS_PER_PAGE,
        go: threading.Event | None = None,
    ) -> None:
        """Prepare the lane; the child starts with the first task.

        Args:
            kind: `pdf` or `ocr`.
            tasks: Where tasks come from; None ends the lane.
            report: Called from this thread for every event.
            threads: Computing threads of the child.
            seconds_per_page: A child silent for longer is stopped.
            go: While it is cleared no new task is begun.
        """
        super().__init__(name=f"{kind}-lane", daemon=True)
        self._kind = kind
        self._tasks = tasks
        self._report = report
        self._threads = threads
        self._seconds = seconds_per_page
        self._go = go
        self._child: subprocess.Popen[str] | None = None
        self._watch: Watch | None = None
        self._stopping = False

    def run(self) -> None:
        """Work until told to end."""
        while (task := self._tasks.get()) is not None:
            if self._go is not None:
                self._go.wait()
            if self._stopping:
                continue  # drop what is left
            try:
                self._do(task)
            except Exception as error:  # the batch must hear of it, whatever it is
                logger.exception("lane failed on %s", task.path.name)
                failure = WorkerError(f"{task.path.name} 读取时出错：{error}")
                self._report(Event(task.key, failed=failure))
            self._report(Event(task.key, finished=True))
        self._stop_child()

    def stop(self) -> None:
        """End at once: the child is killed."""
        self._stopping = True
        child = self._child
        if child is not None:
            child.kill()

    def _do(self, task: Task[K]) -> None:
        """One task; a page that kills the child is tried once more the careful way, then left."""
        page, last, careful = task.first, task.last, False
        while not self._stopping and not (task.given_up and task.given_up.is_set()):
            done = page - 1
            try:
                for message in self._ask(task, page, last, careful=careful):
                    if "page_count" in message:
                        count = int(message["page_count"])
                        last = min(count, task.last or page + task.chunk - 1)
                        notes = tuple(Note(*note) for note in message.get("notes", ()))
                        self._report(Event(task.key, page_count=count, notes=notes))
                    elif "page" in message:
                        result = PageText.from_json(message["page"])
                        done = result.file_page
                        self._report(Event(task.key, page=result))
                    elif "error" in message:  # the last message; the end mark follows
                        kind = PasswordError if message.get("password") else SourceReadError
                        failure = kind(message["error"], message.get("next_step", ""))
                        self._report(Event(task.key, failed=failure))
            except WorkerError as error:
                page = done + 1
                if self._stopping:
                    return
                if last == 0:
                    # It did not even open; a second try leaves the delicate reader out.
                    if careful:
                        self._report(Event(task.key, failed=error))
                        return
                    careful = True
                elif page > last:
                    return
                elif not careful:
                    careful = True
                else:
                    self._report(Event(task.key, failed=error, file_page=page))
                    page, careful = page + 1, False
                    if page > last:
                        return
                continue
            return

    def _ask(
        self, task: Task[K], first: int, last: int, *, careful: bool
    ) -> Iterator[dict[str, Any]]:
        child = self._child
        if child is None or child.poll() is not None:
            child = self._child = _start(self._kind, self._threads)
            self._watch = Watch(child, self._seconds)
        request = {
            "path": str(task.path), "first": first, "last": last, "chunk": task.chunk,
            "careful": careful, "options": dict(task.options or {}),
        }  # fmt: skip
        assert child.stdin is not None  # noqa: S101 - both are pipes
        assert child.stdout is not None  # noqa: S101
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        except OSError as error:
            self._stop_child()
            msg = f"{task.path.name} 的读取进程没有启动"
            raise WorkerError(msg) from error
        watch = self._watch
        assert watch is not None  # noqa: S101 - it comes with the child
        longer = 0.0
        while True:
            watch.expect(longer)
            line = child.stdout.readline()
            watch.heard()
            if not line.endswith("\n"):
                code = child.wait()
                self._stop_child()
                reason = watch.reason or f"读取进程意外结束（代码 {code}）"
                msg = f"{task.path.name}：{reason}"
                raise WorkerError(msg, "请检查该页能否正常打开，必要时重新扫描该页")
            message = json.loads(line)
            longer = float(message.get("longer", 0))
            if message.get("done"):
                if message.get("tired"):
                    self._stop_child()
                return
            yield message

    def _stop_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        close_pipes(child)
        try:
            child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _start(kind: str, threads: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        module_command("ingest.worker", kind, str(threads)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=module_environment(threads),
    )
