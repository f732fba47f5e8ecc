"""Reading the pages of files in other processes; what was read is kept by the file's content."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from index.domain import IngestReport, TextSource
from index.settings import Settings
from index.store import Store
from ingest.errors import WorkerError
from ingest.gate import judge, worst
from ingest.layer_check import (
    AGREEING,
    hidden_layers,
    kept_layer,
    layer_agreement,
    replaced_layer,
    sample_pages,
    with_reason,
)
from ingest.ocr_version import ocr_reader
from ingest.page_text import Note, PageText
from ingest.record_job import FileKey, JobFile
from ingest.workers import SECONDS_PER_TEXT_PAGE, Event, Lane, Task

logger = logging.getLogger(__name__)

#: Pages that may kill or hang their reader before the rest of a file is left alone.
MOST_PAGES_KILLED: Final = 5


class Reading:
    """The pages of files under way.

    Attributes:
        ocr_reader: Name and version of what recognises pictures.
        go: Cleared while the run pauses.
        current: The file last worked on.
        pages_done: Pages read in this run, recognised ones included.
        ocr_done: Pages recognised in this run.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        report: IngestReport,
        warn: Callable[[str, str, str], None],
    ) -> None:
        """Start nothing yet; processes start with the first page that needs them.

        Args:
            store: Keeps every page that was read.
            settings: `threads`, `ocr_dpi`, `ocr_engine` and `layer_check` are used.
            report: Counts what became of hidden text layers.
            warn: Takes a place, a reason and the next step.
        """
        self._store = store
        self._settings = settings
        self._report = report
        self._warn = warn
        self.ocr_reader = ocr_reader(settings.number("ocr_dpi"))
        self.go = threading.Event()
        self.go.set()
        self.current = ""
        self.pages_done = self.ocr_done = 0
        self._events: queue.Queue[Event[FileKey]] = queue.Queue()
        self._pdf_tasks: queue.Queue[Task[FileKey] | None] = queue.Queue()
        self._ocr_tasks: queue.Queue[Task[FileKey] | None] = queue.Queue()
        self._lanes: dict[str, list[Lane[FileKey]]] = {"pdf": [], "ocr": []}

    def start(self, key: FileKey, file: JobFile) -> None:
        """Begin with a file: what an earlier run read of it is taken from the store."""
        self.current = file.path
        if file.failure is not None:
            return
        header = self._store.page_result(file.sha256, 0, file.reader)
        if header is not None:
            file.notes = tuple(Note(*note) for note in header.get("notes", ()))
            self._opened(key, file, int(header["page_count"]), first_task=False)
        else:
            self._queue_pdf(
                file, Task(key, file.absolute, chunk=file.chunk, given_up=file.given_up)
            )

    def next_event(self, seconds: float) -> Event[FileKey] | None:
        """What a process reported, None when nothing came in that time."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def complete(self, key: FileKey, file: JobFile) -> bool:
        """Whether every page of a file is read; starts the comparison of hidden text layers."""
        if (
            file.complete and file.kind == "pdf" and file.finding is None
            and self._settings.values["layer_check"]
        ):  # fmt: skip
            self._check_layers(key, file)
        return file.complete

    def end(self) -> None:
        """Stop the processes."""
        self.go.set()
        for kind, tasks in (("pdf", self._pdf_tasks), ("ocr", self._ocr_tasks)):
            for lane in self._lanes[kind]:
                lane.stop()
            for _ in self._lanes[kind]:
                tasks.put(None)
            for lane in self._lanes[kind]:
                lane.join(timeout=10)

    def handle(self, event: Event[FileKey], file: JobFile) -> None:
        """Take what a process reported of a file."""
        key = event.key
        self.current = file.path
        page = event.page
        if page is not None and key.ocr_page:
            file.pages[page.file_page] = with_reason(file.pages.get(page.file_page), page)
            if _is_final(page) and self._may_keep(file, page):
                self._store.put_page_result(
                    file.sha256, page.file_page, self.ocr_reader, page.to_json()
                )
            file.waiting_for_ocr.discard(page.file_page)
            self.pages_done += 1
            self.ocr_done += 1
        elif page is not None:
            self._take(key, file, page, fresh=True)
        elif event.page_count:
            if not file.page_count:
                file.notes = event.notes
                if file.kind == "pdf":
                    notes = [[note.reason, note.next_step] for note in event.notes]
                    header = {"page_count": event.page_count, "notes": notes}
                    self._store.put_page_result(file.sha256, 0, file.reader, header)
                self._opened(key, file, event.page_count, first_task=True)
        elif event.failed is not None:
            self._failed(event, key, file)
        elif event.finished and key.ocr_page:
            file.waiting_for_ocr.discard(key.ocr_page)
        elif event.finished:
            file.open_tasks -= 1

    def _queue_pdf(self, file: JobFile, task: Task[FileKey]) -> None:
        file.open_tasks += 1
        lanes = self._lanes["pdf"]
        if (len(lanes) < self._settings.threads and not self._pdf_tasks.empty()) or not lanes:
            lanes.append(
                Lane(
                    "pdf",
                    self._pdf_tasks,
                    self._events.put,
                    go=self.go,
                    seconds_per_page=SECONDS_PER_TEXT_PAGE,
                )
            )
            lanes[-1].start()
        self._pdf_tasks.put(task)

    def _opened(self, key: FileKey, file: JobFile, count: int, *, first_task: bool) -> None:
        """The number of pages is known: take what was read before, queue the rest."""
        if file.page_count:
            return
        file.page_count = count
        missing = []
        for file_page in range(1, count + 1):
            done = self._store.page_result(file.sha256, file_page, file.reader)
            if done is not None:
                self._take(key, file, PageText.from_json(done), fresh=False)
            else:
                missing.append(file_page)
        if first_task:
            missing = [file_page for file_page in missing if file_page > file.chunk]
        for first, last in _runs(missing, file.chunk):
            self._queue_pdf(file, Task(key, file.absolute, first, last, given_up=file.given_up))

    def _take(self, key: FileKey, file: JobFile, page: PageText, *, fresh: bool) -> None:
        """A page was read (now or in an earlier run)."""
        if page.file_page in file.pages and not page.needs_ocr:
            return
        file.pages[page.file_page] = page
        # What is not made of pages is read again in one go: keeping it would store it twice.
        keep = fresh and _is_final(page) and self._may_keep(file, page)
        if keep and file.kind == "pdf":
            self._store.put_page_result(file.sha256, page.file_page, file.reader, page.to_json())
        self.pages_done += fresh and not page.needs_ocr
        if page.needs_ocr:
            self._recognize(key, file, [page.file_page])

    def _may_keep(self, file: JobFile, page: PageText) -> bool:
        """Whether a page's reading may be written down: not once the file bears a secrecy mark."""
        if not file.released:
            file.finding = worst(file.finding, judge(page))
        return file.finding is None

    def _recognize(self, key: FileKey, file: JobFile, pages: Iterable[int]) -> None:
        for file_page in pages:
            if file.finding is not None:  # it is held back whatever the other pages say
                file.pages[file_page] = PageText(file_page, "", TextSource.NONE, problem="未读取")
                continue
            done = self._store.page_result(file.sha256, file_page, self.ocr_reader)
            if done is not None:
                file.pages[file_page] = with_reason(
                    file.pages.get(file_page), PageText.from_json(done)
                )
                continue
            if file_page in file.waiting_for_ocr:
                continue
            file.waiting_for_ocr.add(file_page)
            if not self._lanes["ocr"]:
                lane = Lane(
                    "ocr", self._ocr_tasks, self._events.put, threads=self._settings.threads,
                    go=self.go,
                )  # fmt: skip
                self._lanes["ocr"].append(lane)
                lane.start()
            self._ocr_tasks.put(
                Task(
                    replace(key, ocr_page=file_page), file.absolute, file_page, file_page,
                    options={
                        "dpi": self._settings.number("ocr_dpi"),
                        "engine": self._settings.text("ocr_engine"),
                    },
                    given_up=file.given_up,
                )
            )  # fmt: skip

    def _failed(self, event: Event[FileKey], key: FileKey, file: JobFile) -> None:
        error = event.failed
        assert error is not None  # noqa: S101 - the caller looked
        lost = key.ocr_page or event.file_page
        if lost:
            file.waiting_for_ocr.discard(lost)
            drawn = file.pages.get(lost)
            file.pages_killed += isinstance(error, WorkerError)
            if file.pages_killed >= MOST_PAGES_KILLED:
                file.given_up.set()
            file.pages[lost] = replace(
                drawn or PageText(lost, "", TextSource.NONE), needs_ocr=False, problem=str(error)
            )
        elif not file.page_count:
            file.failure = error
        else:
            logger.warning("a part of %s cannot be read: %s", file.path, error)

    def _check_layers(self, key: FileKey, file: JobFile) -> None:
        """The next step of comparing a file's hidden text layers with its pictures."""
        if file.layers is None:
            file.layers = hidden_layers(file.pages)
            self._recognize(key, file, sample_pages(file.layers))
            if not file.complete:
                return
        if not file.layers:
            return
        recognised = {n: p for n, p in file.pages.items() if n in file.layers and not p.hidden}
        if file.agreement is None:
            file.agreement = layer_agreement(file.layers, recognised)
            if file.agreement is None or file.agreement >= AGREEING:
                kept = {n: kept_layer(p, file.agreement) for n, p in file.layers.items()}
                file.pages.update(kept)
                file.layers = {}
                self._report.layers_kept += 1
                return
            self._recognize(key, file, [n for n in file.layers if n not in recognised])
            if not file.complete:
                return
            recognised = {n: file.pages[n] for n in file.layers}
        agreement = file.agreement
        for n, layer in file.layers.items():
            file.pages[n] = replaced_layer(layer, file.pages[n], agreement)
        file.layers = {}
        self._report.layers_replaced += 1
        self._warn(
            file.path, f"扫描件自带的文字层与影像不符（相符 {agreement:.0%}），已改用重新识别的文字",
            "原文字层仍留存；如要直接采用原文字层，请设 layer_check=否 后用 --force 重新入库",
        )  # fmt: skip


def _is_final(page: PageText) -> bool:
    """Whether reading the page again would give the same; failures are worth another try."""
    return not page.problem or bool(page.engine)


def _runs(pages: Sequence[int], longest: int) -> Iterator[tuple[int, int]]:
    """Unbroken runs of page numbers, none longer than `longest`."""
    start = 0
    while start < len(pages):
        end = start
        while (
            end + 1 < len(pages) and pages[end + 1] == pages[end] + 1 and end + 1 - start < longest
        ):
            end += 1
        yield pages[start], pages[end]
        start = end + 1
