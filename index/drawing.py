"""Page pictures for the web server, drawn in a process of their own.

A hostile file can make a drawing library take all memory, hang or crash (a form that draws itself
took 4 GB in 20 s). Here that costs one worker process, which is killed and started again; the
server answers that the page cannot be drawn.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from index.child_process import close_pipes, module_command, module_environment
from index.rendering import LockedDocumentError, RenderError

Box = tuple[float, float, float, float]

#: A page of the slowest of 2,454 real files took 1.2 s to draw.
SECONDS_PER_PAGE: Final = 10.0
#: Workers; a page that takes its time does not hold up the next reader.
WORKERS: Final = 2
#: A worker is replaced after so many pages, whatever they left behind in it.
PAGES_PER_WORKER: Final = 500
#: No picture is larger.
_LARGEST_BYTES: Final = 50_000_000


class PageDrawer:
    """Draws pages in worker processes with time and memory limits. Safe between threads."""

    def __init__(
        self, *, workers: int = WORKERS, seconds_per_page: float = SECONDS_PER_PAGE
    ) -> None:
        """Prepare; a worker starts with the first page it draws."""
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._workers = [_Worker(seconds_per_page) for _ in range(workers)]
        for worker in reversed(self._workers):
            self._free.put(worker)
        # A drawer nobody holds any more takes its processes along.
        self._end = weakref.finalize(self, _stop_all, self._workers)

    def jpeg(
        self,
        path: Path,
        file_page: int,
        max_width: int,
        quality: int,
        covers: Sequence[Box] = (),
        *,
        turn: int = 0,
    ) -> bytes:
        """Draw one page as JPEG.

        Args:
            path: The file.
            file_page: Page in it, from 1.
            max_width: Widest picture, pixels.
            quality: JPEG quality, 1..95.
            covers: (left, top, right, bottom) boxes to paint over, fractions 0..1 of the upright
                page.
            turn: Degrees clockwise by which the page is turned to stand upright, `Page.turn`.

        Raises:
            LockedDocumentError: If the file asks for a password.
            RenderError: If the page cannot be drawn, or not within the limits.
        """
        worker = self._free.get()
        try:
            return worker.draw(
                {
                    "path": str(path), "page": file_page, "width": max_width, "quality": quality,
                    "covers": [list(box) for box in covers], "turn": turn,
                }
            )  # fmt: skip
        finally:
            self._free.put(worker)

    def close(self) -> None:
        """End the workers; the next page starts them again."""
        _stop_all(self._workers)


class _Worker:
    """One worker process, started when needed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._drawn = 0

    def draw(self, request: dict[str, object]) -> bytes:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = _start()
            self._drawn = 0
        name = Path(str(request["path"])).name
        late = threading.Event()

        def overdue() -> None:
            late.set()
            process.kill()

        # Starting the interpreter and the libraries took up to 3 s on a busy machine.
        timer = threading.Timer(self._seconds + (20 if self._drawn == 0 else 0), overdue)
        timer.daemon = True
        timer.start()
        try:
            header, content = _exchange(process, request)
        except (OSError, ValueError) as error:
            self.stop()
            why = f"用时超过 {self._seconds:.0f} 秒" if late.is_set() else "绘制进程意外结束"
            msg = f"{name} 第 {request['page']} 页画不出来：{why}。文件可能已损坏。"
            raise RenderError(msg) from error
        finally:
            timer.cancel()
        self._drawn += 1
        if self._drawn >= PAGES_PER_WORKER or late.is_set():
            self.stop()
        if header.get("locked"):
            raise LockedDocumentError(str(header["error"]))
        if "error" in header:
            raise RenderError(str(header["error"]))
        return content

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        close_pipes(process)
        process.wait()


def _stop_all(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.stop()


def _exchange(
    process: subprocess.Popen[bytes], request: dict[str, object]
) -> tuple[dict[str, object], bytes]:
    """One request and its answer: a JSON line with the size, then so many bytes."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    header = json.loads(process.stdout.readline(10_000))
    size = int(header.get("size", 0))
    if not isinstance(header, dict) or not 0 <= size <= _LARGEST_BYTES:
        msg = "the worker's answer makes no sense"
        raise ValueError(msg)
    content = process.stdout.read(size)
    if len(content) != size:
        msg = "the worker ended within its answer"
        raise ValueError(msg)
    return header, content


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        module_command("index.drawing_worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=module_environment(threads=1),
    )
