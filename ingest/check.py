"""The preview of an ingest (`chadang ingest --check`): what would happen, and nothing done.

It goes the way of a real run up to the point where pages would be read, on a store of its own that
is thrown away.
"""

from __future__ import annotations

import hashlib
import queue
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.domain import Skipped
from index.settings import Settings
from index.store import Store
from ingest.catalogue import Catalogue
from ingest.column_map import draft
from ingest.pipeline import PlannedRecord, plan
from ingest.readers import reader_kind
from ingest.workers import Event, Lane, Task

_PDF_LANES: Final = 2


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a preview found.

    Attributes:
        catalogues: The catalogues read, with what was recognised in each sheet.
        not_taken: Files and rows that would not be taken in.
        to_review: Rows and files that would be taken in, with something to check.
        rows: Catalogue rows with content.
        records: Records that would be stored, files of cut volumes included.
        without_files: Records that would be stored without any file.
        uncatalogued: Files that would be taken in without a row.
        volumes: Volumes that would be cut by page ranges.
        files: Files that would be read.
        pages: Their pages, as far as they could be counted.
    """

    catalogues: tuple[Catalogue, ...]
    not_taken: tuple[Skipped, ...]
    to_review: tuple[Skipped, ...]
    rows: int
    records: int
    without_files: int
    uncatalogued: int
    volumes: int
    files: int
    pages: int

    @property
    def unmapped(self) -> int:
        """Columns kept raw."""
        return sum(
            bool(heading) and not field
            for catalogue in self.catalogues
            for sheet in catalogue.sheets
            for heading, field in sheet.columns
        )


def check(source: Path, settings: Settings) -> CheckReport:
    """Preview the ingest of a folder, a catalogue or a file; stores nothing.

    Args:
        source: As for `ingest.pipeline.ingest`.
        settings: As for `ingest.pipeline.ingest`; the home is neither read (but for its mapping
            file) nor written.

    Raises:
        IngestError: If `source` does not exist or cannot be listed.
    """
    with tempfile.TemporaryDirectory(prefix="chadang-check-") as folder:
        store = Store(Path(folder) / "check.sqlite", create=True)
        try:
            catalogues, planned, report = plan(source, store, settings)
        finally:
            store.close()
    counts, unreadable = _count_pages({path: p for r in planned for path, p in r.files})
    review = [*report.warnings]
    review += [
        Skipped(path, "没有对应的目录条目", "请在目录中补一条，或核对文件名")
        for record in planned
        if not record.catalogued
        for path, _ in record.files
    ]
    review += _page_differences(planned, counts)
    review += _doubles({path: p for r in planned for path, p in r.files})
    return CheckReport(
        tuple(catalogues),
        (*report.skipped, *unreadable),
        tuple(review),
        rows=report.catalogue_rows,
        records=sum(1 + len(record.parts) for record in planned),
        without_files=sum(not record.files for record in planned),
        uncatalogued=sum(not record.catalogued for record in planned),
        volumes=sum(bool(record.parts) for record in planned),
        files=len({path for record in planned for path, _ in record.files}),
        pages=sum(counts.values()),
    )


def mapping_draft(catalogues: Iterable[Catalogue]) -> str:
    """A mapping file to edit: every sheet with its headings and what each was taken for."""
    return draft(
        [
            (
                catalogue.name, sheet.name, sheet.kind,
                sheet.header_rows[0] if sheet.header_rows else 0,
                [(heading, field) for heading, field in sheet.columns if heading],
            )
            for catalogue in catalogues
            for sheet in catalogue.sheets
            if sheet.columns
        ]
    )  # fmt: skip


def _count_pages(files: dict[str, Path]) -> tuple[dict[str, int], list[Skipped]]:
    """Pages of PDF, OFD and image files, opened in child processes."""
    counts: dict[str, int] = {}
    failed: list[Skipped] = []
    tasks: queue.Queue[Task[str] | None] = queue.Queue()
    events: queue.Queue[Event[str]] = queue.Queue()
    waiting = 0
    for path, absolute in files.items():
        try:
            kind = reader_kind(absolute)
        except OSError:
            continue
        if kind is not None and kind.group != "text":
            tasks.put(Task(path, absolute, chunk=0))
            waiting += 1
    lanes = [Lane("pdf", tasks, events.put) for _ in range(min(_PDF_LANES, waiting))]
    for lane in lanes:
        tasks.put(None)
        lane.start()
    try:
        while waiting:
            event = events.get()
            if event.page_count:
                counts[event.key] = event.page_count
            if event.failed is not None and event.key not in counts:
                failed.append(Skipped(event.key, str(event.failed), event.failed.next_step))
            waiting -= event.finished
    finally:
        for lane in lanes:
            lane.stop()
        for lane in lanes:
            lane.join(timeout=10)
    return counts, failed


def _page_differences(
    planned: Sequence[PlannedRecord], counts: dict[str, int]
) -> Iterable[Skipped]:
    for item in planned:
        known = [counts[path] for path, _ in item.files if path in counts]
        if not known or len(known) != len(item.files):
            continue
        found, record = sum(known), item.record
        if item.parts:
            last = max(span[1] or span[0] for _, span in item.parts)
            first = min(span[0] for _, span in item.parts)
            if last - first + 1 > found:
                yield Skipped(
                    record.record_id, f"目录记到第 {last} 页，影像只有 {found} 幅，不能按页号拆分",
                    "请核对是否缺页，或页号有误",
                )  # fmt: skip
        elif record.page_count and record.page_count != found and record.unit_level != "案卷":
            yield Skipped(
                record.record_id, f"目录记 {record.page_count} 页，文件有 {found} 页",
                "请核对是否缺页或多页",
            )  # fmt: skip


def _doubles(files: dict[str, Path]) -> Iterable[Skipped]:
    """Files with the same content; only files of one size are read."""
    sizes: dict[int, list[str]] = {}
    for path, absolute in files.items():
        try:
            sizes.setdefault(absolute.stat().st_size, []).append(path)
        except OSError:
            continue  # named by the plan
    for same in sizes.values():
        seen: dict[str, str] = {}
        for path in same if len(same) > 1 else ():
            try:
                with files[path].open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                continue
            if digest in seen:
                yield Skipped(
                    path, f"与 {seen[digest]} 内容完全相同", "请核对是否重复扫描或放错位置"
                )
            seen.setdefault(digest, path)
