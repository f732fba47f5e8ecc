"""The write path: a folder of files and catalogues in, records with pages and passages out.

Incremental and restartable: every page read is kept at once under its file's content hash, a
record is replaced in one transaction, and what did not change is not read again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import queue
import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from index.access import is_restricted, opened
from index.domain import IngestReport, Page, Record, Skipped, TextSource
from index.held import HeldItem
from index.personal import PERSONAL_VERSION
from index.restrictions import LOCAL_FILE, kind_of, table_of
from index.settings import Settings
from index.store import Store, StoredFile
from ingest.catalogue import CATALOGUE_SUFFIXES, Catalogue, CatalogueRow, Withheld, read_catalogue
from ingest.code_set import CodeSet
from ingest.column_map import MAPPING_FILE, ColumnMaps
from ingest.derived_fields import with_derived
from ingest.errors import (
    CatalogueError,
    IngestError,
    NotACatalogueError,
    SourceReadError,
    WorkerError,
)
from ingest.finding_aids import is_aid, page_order
from ingest.furniture import find_furniture
from ingest.gate import NEXT_STEP as GATE_STEP
from ingest.gate import Gate, judge, worst
from ingest.heads import text_lines
from ingest.jobs import JobQueue, JobState, RunLock, RunState, Wanted
from ingest.layer_check import (
    AGREEING,
    hidden_layers,
    kept_layer,
    layer_agreement,
    replaced_layer,
    sample_pages,
    with_reason,
)
from ingest.linking import link, natural_key
from ingest.ocr_version import ocr_reader
from ingest.page_text import Note, PageText
from ingest.progress import Progress, ProgressCallback
from ingest.readers import Kind, reader_kind, why_not_taken
from ingest.report import Concern, report_to_json
from ingest.run_files import file_report
from ingest.secrecy import SECRECY_VERSION, Finding, Grade
from ingest.splitting import SPLITTER_VERSION, split_record
from ingest.structure import STRUCTURE_VERSION, cuts_of, read_structure
from ingest.volume_linking import Volume, find_volumes, shares_of, strictest, volume_record
from ingest.volumes import Span
from ingest.workers import CHUNK, MOST_PAGES, SECONDS_PER_TEXT_PAGE, Event, Lane, Task

logger = logging.getLogger(__name__)

LARGEST_FILE_BYTES: Final = 500_000_000
#: Raise it when records come out differently from the same pages (furniture, labels, volumes).
_PIPELINE_VERSION: Final = "4"
#: Pages that may kill or hang their reader before the rest of a file is left alone.
_MOST_PAGES_KILLED: Final = 5
_SECONDS_BETWEEN_UPDATES: Final = 0.1
#: Records that may leave a folder in one run without asking, if they are most of it.
_MANY_GONE: Final = 5


@dataclass
class _File:
    """A file of a record while it is being read."""

    path: str
    absolute: Path
    size: int
    modified: float
    sha256: str = ""
    page_count: int = 0
    pages: dict[int, PageText] = field(default_factory=dict)
    waiting_for_ocr: set[int] = field(default_factory=set)
    open_tasks: int = 0
    failure: SourceReadError | None = None
    finding: Finding | None = None
    pages_killed: int = 0
    given_up: threading.Event = field(default_factory=threading.Event)
    #: Hidden text layers under comparison with the picture, by page; None before it was looked.
    layers: dict[int, PageText] | None = None
    agreement: float | None = None
    notes: tuple[Note, ...] = ()

    @cached_property
    def _kind(self) -> Kind | None:
        try:
            return reader_kind(self.absolute)
        except OSError:
            return None

    @property
    def kind(self) -> str:
        """`pdf` for files with pages of their own, `image`, or `text`."""
        return self._kind.group if self._kind is not None else "text"

    @property
    def reader(self) -> str:
        """Name and version of what reads it: part of the key of kept pages."""
        return self._kind.version if self._kind is not None else "none"

    @property
    def chunk(self) -> int:
        """Pages of one task; what is not made of pages is read in one go."""
        return CHUNK if self.kind == "pdf" else MOST_PAGES

    @property
    def complete(self) -> bool:
        return self.open_tasks == 0 and not self.waiting_for_ocr


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a task is about: a file of a job, or with `ocr_page` one page to recognise."""

    job: int
    place: int
    ocr_page: int = 0


@dataclass(slots=True)
class _Job:
    """A record to be stored."""

    record: Record
    files: list[_File]
    catalogued: bool
    content_hash: str = ""
    released: bool = False
    #: Of a volume: its files (卷内文件) with their stamped pages.
    parts: tuple[tuple[Record, Span], ...] = ()
    #: Of a catalogue row: codes its files may be named by, and the key of its volume.
    keys: tuple[str, ...] = ()
    volume: str = ""
    #: Of a file that several catalogue rows mean: these.
    claimed_by: tuple[str, ...] = ()

    @property
    def records(self) -> list[Record]:
        return [self.record, *(record for record, _ in self.parts)]


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """A job that must not be read.

    Attributes:
        job: The job.
        item: Its place on the list of what is held back.
        because: What it has to do with the item, when that is about another record.
    """

    job: _Job
    item: HeldItem
    because: str = ""

    @property
    def reason(self) -> str:
        return f"{self.because}{self.item.reason}，{self.item.grade}"

    @property
    def said(self) -> str:
        return f"{self.reason}（第 {self.item.number} 号）"

    @property
    def step(self) -> str:
        return GATE_STEP[Grade(self.item.grade)]

    @property
    def secret(self) -> bool:
        return self.item.grade == Grade.SECRET


def ingest(
    source: Path,
    store: Store,
    settings: Settings,
    *,
    progress: ProgressCallback | None = None,
    force: bool = False,
    retry: bool = False,
    only: Collection[str] = (),
    confirm_removal: bool = False,
) -> IngestReport:
    """Take a folder (or one file) into the store.

    Does not build the search index. The report is also written to `home/reports`.

    Args:
        source: A folder with files and catalogues, one catalogue, or one file.
        store: Where records go.
        settings: `passage_chars`, `ocr_dpi` and `threads` are used.
        progress: Called with the state now and then, from this thread.
        force: Read and cut again what did not change; pages already recognised are kept.
        retry: Read again what could not be read, wholly or in part; the rest only if it changed.
        only: With `retry`, absolute paths of the files to read again; empty for all of them.
        confirm_removal: Remove what is gone from the folder even when that is most of it.

    Returns:
        What was read, what was skipped and why.

    Raises:
        IngestError: If `source` does not exist or cannot be listed, or another run of this home
            goes on.
    """
    with RunLock(settings.home):
        return _Run(
            source, store, settings, progress, force=force, retry=retry, only=only,
            confirm_removal=confirm_removal,
        ).run()  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """What a run would make of one record or volume.

    Attributes:
        record: The record; of a volume to be cut, the volume's own.
        parts: Files of a volume to be cut, with their stamped pages.
        files: (path below the source, file) of its files in page order.
        catalogued: Whether it has a catalogue row.
    """

    record: Record
    parts: tuple[tuple[Record, Span], ...]
    files: tuple[tuple[str, Path], ...]
    catalogued: bool


def plan(
    source: Path, store: Store, settings: Settings
) -> tuple[list[Catalogue], list[PlannedRecord], IngestReport]:
    """What `ingest` would do, without reading any page.

    Args:
        source: As for `ingest`.
        store: An empty store of its own; notes are left in it.
        settings: As for `ingest`; the home is not touched.

    Returns:
        The catalogues, the records to be, and a report of what would not be taken in.

    Raises:
        IngestError: If `source` does not exist or cannot be listed.
    """
    return _Run(source, store, settings, None, force=False, retry=False).plan()


class _Run:
    """One ingest run."""

    def __init__(
        self,
        source: Path,
        store: Store,
        settings: Settings,
        progress: ProgressCallback | None,
        *,
        force: bool,
        retry: bool,
        only: Collection[str] = (),
        confirm_removal: bool = False,
    ) -> None:
        self._source = source.expanduser().resolve()
        if not self._source.exists():
            msg = f"找不到 {source}。请检查路径；要入库的应是一个文件夹、目录表或文件。"
            raise IngestError(msg)
        self._store = store
        self._settings = settings
        self._progress = progress
        self._force = force
        self._retry = retry
        self._only = frozenset(only)
        self._confirm_removal = confirm_removal
        self._report = IngestReport()
        self._started = time.monotonic()
        self._home = settings.home.resolve()
        self._ocr_reader = ocr_reader(settings.number("ocr_dpi"))
        self._known: dict[str, StoredFile] = {}
        self._plain_tables: set[str] = set()
        self._base = self._source
        self._prefix = ""
        self._files_total = self._files_done = 0
        self._bytes_total = self._bytes_done = 0
        self._pages_done = self._ocr_done = 0
        self._said = 0.0
        self._current = ""
        self._active: dict[int, _Job] = {}
        self._latest: Progress | None = None
        self._stopped = False
        #: Records whose row and file are gone, those of them whose file still lies there, and
        #: whether they stay because it looks like a disk that is not mounted.
        self._gone: set[str] = set()
        self._gone_from_list: set[str] = set()
        self._removal_waits = False
        self._go = threading.Event()
        self._go.set()
        self._same: dict[str, tuple[str, Path]] = {}
        self._withheld_paths: Sequence[str] = ()
        #: What is kept out by its name or its row alone, and why.
        self._held_back: list[_HeldBack] = []
        #: Content of files that must not be here, and one that has it; a copy must not be either.
        self._hidden_content: dict[str, str] = {}
        self._restrictions = table_of(settings.home)
        self._gate = Gate(store, _now, again=force)
        # reading
        self._events: queue.Queue[Event[FileKey]] = queue.Queue()
        self._pdf_tasks: queue.Queue[Task[FileKey] | None] = queue.Queue()
        self._ocr_tasks: queue.Queue[Task[FileKey] | None] = queue.Queue()
        self._lanes: dict[str, list[Lane[FileKey]]] = {"pdf": [], "ocr": []}

    # -- the run --------------------------------------------------------------------------------

    def run(self) -> IngestReport:
        mode = "force" if self._force else "retry" if self._retry else ""
        self._queue = JobQueue(self._store, self._source, mode, _now)
        ended = RunState.FAILED
        try:
            report = self._run()
            ended = RunState.STOPPED if self._stopped else RunState.FINISHED
        except KeyboardInterrupt:
            ended = RunState.INTERRUPTED
            raise
        finally:
            whole = ended is RunState.FINISHED and self._source.is_dir() and not self._removal_waits
            self._queue.end(ended, self._latest, whole=whole)
        return report

    def _run(self) -> IngestReport:
        self._known = self._store.files()
        for place, known in sorted(self._known.items(), reverse=True):
            self._same[known.sha256] = (known.path, Path(place))
        paths = self._list_files()
        if not paths:
            self._warn(
                str(self._source), "没有找到可以入库的文件",
                "请核对路径：应是存放档案目录表和文件的文件夹",
            )  # fmt: skip
        self._choose_base(paths)
        catalogues, broken = self._read_catalogues(paths)
        jobs = self._plan(paths, catalogues, broken)
        if not broken:
            jobs = self._spare_unmounted(jobs)
        every = [*jobs, *(held.job for held in self._held_back)]
        self._enqueue(every, paths)
        for held in self._held_back:
            self._withhold(held)
        try:
            self._work(jobs)
        finally:
            self._end_lanes()
        if self._stopped:
            left = self._files_total - self._files_done
            self._warn(
                str(self._source), f"按要求停止，还有 {left} 个文件没有处理", "再次运行会接着做"
            )
        else:
            self._remove_vanished(every, broken)
        report = self._report
        report.seconds = round(time.monotonic() - self._started, 2)
        self._store.add_run(_now(), report_to_json(report))
        self._queue.flush()
        file_report(report, self._store, self._settings, stopped=self._stopped)
        self._tell(force=True)
        return report

    def _enqueue(self, jobs: Sequence[_Job], paths: dict[str, Path]) -> None:
        """Every file gets a row: those to read, and those the plan already left out."""
        self._queue.enqueue(
            (str(file.absolute), file.path, job.record.record_id, file.size)
            for job in jobs for file in job.files
        )  # fmt: skip
        left_out = [item for item in self._report.skipped if item.where in paths]
        self._queue.enqueue(
            (str(paths[i.where]), self._prefix + i.where, "", _size(paths[i.where]))
            for i in left_out
        )
        self._hidden_content = {
            sha256: path for place, path, sha256 in self._queue.withheld
            if not _below(Path(place), self._folder)
        }  # fmt: skip
        for item in left_out:
            state, sha256 = JobState.UNSUPPORTED, ""
            if item.where in self._withheld_paths:
                state = JobState.WITHHELD
                sha256 = self._hide_content(item.where, paths[item.where])
            elif paths[item.where].suffix.lower() in CATALOGUE_SUFFIXES:
                state = JobState.FAILED
            self._queue.finish(
                str(paths[item.where]), state, sha256=sha256, error=item.reason,
                next_step=item.next_step,
            )  # fmt: skip

    def _hide_content(self, path: str, absolute: Path) -> str:
        """Note the content of a file that must not be here by its hash alone; copies stay out too."""
        try:
            sha256 = _sha256(absolute) if _size(absolute) else ""
        except OSError:
            return ""
        if sha256:
            self._hidden_content.setdefault(sha256, path)
        return sha256

    def plan(self) -> tuple[list[Catalogue], list[PlannedRecord], IngestReport]:
        paths = self._list_files()
        self._choose_base(paths)
        catalogues, broken = self._read_catalogues(paths)
        planned = [
            PlannedRecord(
                job.record, job.parts, tuple((file.path, file.absolute) for file in job.files),
                job.catalogued and bool(job.record.source_file or job.parts),
            )
            for job in self._plan(paths, catalogues, broken)
        ]  # fmt: skip
        for held in self._held_back:
            self._say_left_out(held.job, held.reason, held.step)
        return catalogues, planned, self._report

    def _end_lanes(self) -> None:
        self._go.set()
        for kind, tasks in (("pdf", self._pdf_tasks), ("ocr", self._ocr_tasks)):
            for lane in self._lanes[kind]:
                lane.stop()
            for _ in self._lanes[kind]:
                tasks.put(None)
            for lane in self._lanes[kind]:
                lane.join(timeout=10)

    def _skip(self, where: str, reason: str, next_step: str = "") -> None:
        self._report.skipped.append(Skipped(where, reason, next_step))

    def _warn(self, where: str, reason: str, next_step: str = "", kind: str = "") -> None:
        self._report.warnings.append(Skipped(where, reason, next_step, kind))

    # -- finding --------------------------------------------------------------------------------

    def _list_files(self) -> dict[str, Path]:
        """Files to look at, by path below the source; hidden and temporary ones left out."""
        if self._source.is_file():
            if self._source.suffix.lower() in CATALOGUE_SUFFIXES:
                found = dict(_walk(self._source.parent, self._home, []))
                return {
                    path: absolute
                    for path, absolute in found.items()
                    if absolute == self._source or absolute.suffix.lower() not in CATALOGUE_SUFFIXES
                }
            return {self._source.name: self._source}
        try:
            return dict(_walk(self._source, self._home, self._report.skipped))
        except OSError as error:
            msg = f"文件夹 {self._source} 打不开：{error.strerror or error}。请检查权限。"
            raise IngestError(msg) from error

    @property
    def _folder(self) -> Path:
        return self._source if self._source.is_dir() else self._source.parent

    def _choose_base(self, paths: Iterable[str]) -> None:
        """Choose the folder that stored paths are relative to.

        Normally the ingested folder itself. Where another ingested folder has a file of the same
        path, folder names are put in front until every path is unique.
        """
        key = f"base:{self._folder}"
        stored = self._store.meta(key)
        if stored is not None:
            self._base = Path(stored)
        else:
            paths = set(paths)
            self._base = self._folder
            elsewhere = {
                file.path
                for place, file in self._known.items()
                if not _below(Path(place), self._folder) and Path(place).exists()
            }
            while self._base.parent != self._base:
                prefix = self._prefix_for(self._base)
                if not any(prefix + path in elsewhere for path in paths):
                    break
                self._base = self._base.parent
            self._store.set_meta(key, str(self._base))
        self._prefix = self._prefix_for(self._base)

    def _prefix_for(self, base: Path) -> str:
        relative = self._folder.relative_to(base).as_posix()
        return "" if relative == "." else relative + "/"

    def _read_catalogues(self, paths: dict[str, Path]) -> tuple[list[Catalogue], list[str]]:
        """Read every catalogue; also the folders whose catalogue cannot be read."""
        catalogues: list[Catalogue] = []
        broken: list[str] = []
        maps = ColumnMaps(self._folder, self._home)
        for path, absolute in paths.items():
            if absolute.suffix.lower() not in CATALOGUE_SUFFIXES:
                continue
            try:
                catalogue = read_catalogue(absolute, path, maps.rules(path))
            except CatalogueError as error:
                unrelated = isinstance(error, NotACatalogueError)
                if unrelated and absolute.suffix.lower() != ".jsonl":
                    self._plain_tables.add(path)  # a table that is itself a document
                    continue
                self._skip(
                    path, str(error),
                    "如果是目录，请检查表头；如果是文件内容，请另存为 PDF" if unrelated
                    else "请修复或移走后重新入库；在此之前，同一文件夹里没有条目的文件暂不入库",
                )  # fmt: skip
                if not unrelated:
                    broken.append(_folder_of(path))
                continue
            catalogues.append(catalogue)
            self._report.catalogue_rows += catalogue.row_count
            self._report.skipped += catalogue.skipped
            self._report.warnings += [
                replace(warning, kind=Concern.CATALOGUE) for warning in catalogue.warnings
            ]
        return catalogues, broken

    # -- planning -------------------------------------------------------------------------------

    def _plan(
        self, paths: dict[str, Path], catalogues: Sequence[Catalogue], broken: Sequence[str]
    ) -> list[_Job]:
        readable: list[str] = []
        for path, absolute in paths.items():
            if absolute.suffix.lower() in CATALOGUE_SUFFIXES and path not in self._plain_tables:
                continue
            refused = why_not_taken(absolute)
            if refused is None:
                readable.append(path)
            else:
                self._skip(path, str(refused), refused.next_step)
        rows, withheld = self._rows(catalogues)
        volumes, linked = find_volumes(rows, withheld, link(rows, withheld, readable))
        self._report.warnings += linked.warnings
        for path in linked.withheld:
            self._skip(path, "对应的目录条目标有国家秘密密级，未读取", "请移出本系统的文件夹")
        self._forget_withheld(withheld, linked.withheld)
        cut = {place for volume in volumes for place in (volume.owner, *volume.members)}
        members: dict[str, list[Record]] = {}
        for _, row in rows:
            if row.volume and row.record.unit_level != "案卷":
                members.setdefault(row.volume, []).append(row.record)
        jobs = [
            _Job(
                self._as_closed_as_its_files(row, members.get(row.volume, ())) if files else row.record,
                self._stat(files, paths), catalogued=True, keys=row.keys,
                volume=row.volume,
            )
            for place, ((_, row), files) in enumerate(zip(rows, linked.files, strict=True))
            if place not in cut
        ]  # fmt: skip
        jobs += [self._volume(volume, rows, paths) for volume in volumes]
        for job in jobs:
            if not job.files and job.record.unit_level != "案卷":
                self._warn(
                    _row(job.record),
                    f"{job.record.record_id} 没有对应的文件，只存目录",
                    "请把文件命名为档号，或在目录中写明路径",
                    Concern.NO_FILE,
                )
        # Of a single catalogue only what it lists is taken; a table that is itself a document is.
        whole = self._source.is_dir() or self._source.suffix.lower() not in CATALOGUE_SUFFIXES
        for path in linked.loose if whole else self._plain_tables:
            if any(not folder or path.startswith(folder + "/") for folder in broken):
                self._skip(path, "所在文件夹的目录读不出，暂不入库", "请先修复目录")
                continue
            jobs.append(self._uncatalogued(path, paths))
        for path, places in linked.shared:
            jobs.append(self._shared(path, [rows[place][1].record for place in places], paths))
        jobs = self._hold_back([job for job in jobs if not self._belongs_elsewhere(job)])
        every = [*jobs, *(held.job for held in self._held_back)]
        self._files_total = sum(max(1, len(job.files)) for job in every)
        self._bytes_total = sum(file.size for job in every for file in job.files)
        return jobs

    def _hold_back(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Take out what its row, its title or a file name marks, and what belongs to that."""
        kept: list[_Job] = []
        for job in jobs:
            paths = [file.path for file in job.files]
            held = self._gate.before_reading(job.record, paths)
            if held is not None:
                self._held_back.append(_HeldBack(job, held))
                continue
            marked = {
                record.record_id: item
                for record, _ in job.parts
                if (item := self._gate.before_reading(record, paths)) is not None
            }
            kept += self._without_scans(job, marked) if marked else [job]
        volumes = {
            held.job.volume: held
            for held in self._held_back
            if held.secret and held.job.record.unit_level == "案卷" and held.job.volume
        }
        marked_rows = {held.job.record.record_id: held for held in self._held_back}
        codes = {key: held for held in self._held_back for key in held.job.keys}
        names = CodeSet(codes, [key for job in kept for key in job.keys]) if codes else None
        going = []
        for job in kept:
            path = job.record.record_id.removeprefix(self._prefix)
            claiming = next(filter(None, map(marked_rows.get, job.claimed_by)), None)
            if (held_volume := volumes.get(job.volume)) is not None:
                self._held_back.append(_HeldBack(job, held_volume.item, "所在的案卷："))
            elif claiming is not None:
                self._held_back.append(_HeldBack(job, claiming.item, "所对应的一条目录："))
            elif names is not None and not job.catalogued and names.begins_path(path):
                held_row = next(h for key, h in codes.items() if CodeSet([key]).begins_path(path))
                self._held_back.append(_HeldBack(job, held_row.item, "文件名里的档号所指的条目："))
            else:
                going.append(job)
        return going

    def _without_scans(self, job: _Job, marked: dict[str, HeldItem]) -> list[_Job]:
        """Hold back the scans of a volume with a marked file; its other rows are kept."""
        files = job.files
        for record, _ in job.parts:
            if (item := marked.get(record.record_id)) is not None:
                part = _Job(record, files, catalogued=True, keys=(record.record_id,))
                self._held_back.append(_HeldBack(part, item, f"{_row(record)}：" if files else ""))
                files = []
        others = [record for record, _ in job.parts if record.record_id not in marked]
        if job.record.source_file:
            others.insert(0, job.record)
        self._warn(
            job.record.record_id,
            f"卷内有 {len(marked)} 条不予入库或待审核，整卷影像没有读取，其余 {len(others)} 条只存目录",
            "请先处理待审的条目（chadang review list），或把标密的件从整卷影像中抽出，移出本系统的文件夹",
        )
        return [_Job(record, [], catalogued=True, volume=job.volume) for record in others]

    def _rows(
        self, catalogues: Sequence[Catalogue]
    ) -> tuple[list[tuple[str, CatalogueRow]], list[tuple[str, Withheld]]]:
        """All rows with their catalogue's folder; doubles and withheld codes taken out."""
        withheld = [(_folder_of(c.name), hidden) for c in catalogues for hidden in c.withheld]
        hidden_codes = CodeSet(
            code for _, hidden in withheld for code in (hidden.record_id, *hidden.keys[:1])
        )
        hidden_volumes = CodeSet(hidden.volume for _, hidden in withheld if hidden.is_volume)
        rows: list[tuple[str, CatalogueRow]] = []
        seen: dict[str, int] = {}
        for catalogue in catalogues:
            folder = _folder_of(catalogue.name)
            for row in catalogue.rows:
                where = _row(row.record)
                code = row.record.record_id
                reason = ""
                if any(key in hidden_codes for key in (code, *row.keys[:1])):
                    reason = "同一档号的另一条目标有国家秘密密级，未入库"
                elif row.volume in hidden_volumes or any(map(hidden_volumes.begins, row.keys)):
                    reason = "所在的案卷标有国家秘密密级，未入库"
                if reason:
                    self._skip(where, reason, "请核对密级")
                    hidden = Withheld(row.path, row.keys, code, row.volume)
                    withheld.append((folder, hidden))
                elif code in seen:
                    first_folder, first = rows[seen[code]]
                    closed = strictest(first.record, [row.record])
                    rows[seen[code]] = (first_folder, replace(first, record=closed))
                    said = "" if closed == first.record else "，两条的开放情况不同，按未开放管理"
                    self._skip(
                        where, f"档号（或编号）{code} 与{_row(first.record)}重复{said}",
                        "请核对，保留一条",
                    )  # fmt: skip
                else:
                    seen[code] = len(rows)
                    rows.append((folder, row))
        return rows, withheld

    def _forget_withheld(
        self, withheld: Sequence[tuple[str, Withheld]], files: Sequence[str]
    ) -> None:
        """Remove what an earlier run took in before the row was marked."""
        self._withheld_paths = files
        hashes: list[str] = []
        records = [hidden.record_id for _, hidden in withheld]
        for path in files:
            stored = self._known.pop(str(self._folder / path), None)
            if stored is not None:
                hashes.append(stored.sha256)
                records.append(stored.record_id)
                self._store.forget_file(stored.path)
        self._purge([record_id for record_id in records if record_id], hashes)

    def _purge(self, record_ids: Sequence[str], hashes: Sequence[str]) -> None:
        """Leave no trace of records that must not be here; pictures are all drawn anew."""
        removed = self._store.purge(record_ids, hashes)
        self._report.records_removed += removed
        if removed:
            shutil.rmtree(self._settings.cache_path / "pages", ignore_errors=True)

    def _stat(self, files: Iterable[str], paths: dict[str, Path]) -> list[_File]:
        found = []
        for path in sorted(files, key=lambda path: (page_order(path), natural_key(path))):
            try:
                status = paths[path].stat()
            except OSError as error:
                self._skip(path, f"打不开：{error.strerror or error}", "请检查权限")
                continue
            found.append(_File(self._prefix + path, paths[path], status.st_size, status.st_mtime))
        return found

    def _volume(
        self, volume: Volume, rows: Sequence[tuple[str, CatalogueRow]], paths: dict[str, Path]
    ) -> _Job:
        """One job for a whole volume: its scans are read once and shared out."""
        owner = None if volume.owner is None else rows[volume.owner][1].record
        members = [rows[place][1] for place in volume.members]
        keys = () if volume.owner is None else rows[volume.owner][1].keys
        return _Job(
            owner or volume_record(volume, self._prefix), self._stat(volume.files, paths),
            catalogued=True,
            parts=tuple((row.record, row.span) for row in members if row.span is not None),
            keys=keys, volume=volume.key,
        )  # fmt: skip

    def _uncatalogued(self, path: str, paths: dict[str, Path]) -> _Job:
        record = Record(record_id=self._prefix + path, title=PurePosixPath(path).stem)
        return _Job(record, self._stat([path], paths), catalogued=False)

    def _shared(self, path: str, claiming: Sequence[Record], paths: dict[str, Path]) -> _Job:
        """A file that several rows mean: a record of its own, as closed as the most closed of them."""
        job = self._uncatalogued(path, paths)
        job.record = strictest(job.record, [self._by_kind(record) for record in claiming])
        job.claimed_by = tuple(record.record_id for record in claiming)
        return job

    def _by_kind(self, record: Record) -> Record:
        kind = kind_of(record, self._restrictions)
        return replace(record, restricted=True) if kind else record

    def _as_closed_as_its_files(self, row: CatalogueRow, members: Sequence[Record]) -> Record:
        """A volume's record: its scans hold the words of its files, which may be less open.

        A list of files without a column of opening says nothing against the volume's own status.
        """
        if row.record.unit_level != "案卷":
            return row.record
        members = [self._by_kind(record) for record in members]
        told = [r for r in members if r.opening or r.publicity or is_restricted(r)]
        return strictest(row.record, told)

    def _belongs_elsewhere(self, job: _Job) -> bool:
        """Whether another ingested folder already holds this record with its own file."""
        stored = self._store.record(job.record.record_id)
        if stored is None or not stored.file_path:
            return False
        file = self._store.file(stored.file_path)
        if file is None or _below(Path(file.root) / file.path, self._folder):
            return False
        other = Path(file.root) / file.path
        if not other.exists():
            return False
        self._skip(
            job.record.record_id, f"同一档号已从另一个文件夹入库（{file.path}）",
            "请只保留一处；要换成这里的，先移走原处的文件再入库",
        )  # fmt: skip
        return True

    # -- reading --------------------------------------------------------------------------------

    def _work(self, jobs: Sequence[_Job]) -> None:
        """Read and store every job; several are under way at once so that no process idles."""
        waiting = deque(jobs)
        active = self._active
        numbers = iter(range(len(jobs)))
        limit = 2 * self._settings.threads + 4
        while waiting or active:
            wanted = self._queue.wanted()
            if wanted is Wanted.STOP:
                self._stopped = True
                return
            (self._go.clear if wanted is Wanted.PAUSE else self._go.set)()
            while waiting and len(active) < limit and self._queue.wanted() is Wanted.RUN:
                job = waiting.popleft()
                if not self._begin(job):
                    self._tell()
                    continue
                number = next(numbers)
                active[number] = job
                for place, file in enumerate(job.files):
                    self._queue.start(str(file.absolute))
                    self._start_file(FileKey(number, place), file)
                if self._complete(number, job):
                    self._finish(active.pop(number))
            self._tell()
            if not active:
                if wanted is Wanted.PAUSE:
                    time.sleep(0.2)
                continue
            try:
                event = self._events.get(timeout=1.0)
            except queue.Empty:
                continue
            key = event.key
            waited = active.get(key.job)
            if waited is None:
                continue  # the end of a task whose page already finished the job
            self._handle(event, key, waited)
            if self._complete(key.job, waited):
                self._finish(active.pop(key.job))

    def _complete(self, number: int, job: _Job) -> bool:
        """Whether every page of a job is read; starts the comparison of hidden text layers."""
        for place, file in enumerate(job.files):
            if (
                file.complete and file.kind == "pdf" and file.finding is None
                and self._settings.values["layer_check"]
            ):  # fmt: skip
                self._check_layers(FileKey(number, place), file)
        return all(file.complete for file in job.files)

    def _check_layers(self, key: FileKey, file: _File) -> None:
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

    def _begin(self, job: _Job) -> bool:
        """Hash the files of a job; False when nothing changed or it is not to be read."""
        self._restrict(job)
        for file in job.files:
            known = self._known.get(str(file.absolute))
            if (
                known is not None
                and known.path == file.path
                and known.size == file.size
                and abs(known.modified - file.modified) < 1e-6
            ):
                file.sha256 = known.sha256
                continue
            if file.size > LARGEST_FILE_BYTES:
                file.failure = SourceReadError(
                    f"{file.absolute.name} 有 {file.size / 1e6:.0f} MB，"
                    f"超过上限 {LARGEST_FILE_BYTES // 10**6} MB",
                    "请拆成几个文件后重新入库",
                )
                continue
            try:
                file.sha256 = _sha256(file.absolute)
            except OSError as error:
                file.failure = SourceReadError(
                    f"{file.absolute.name} 打不开：{error.strerror or error}", "请检查权限"
                )
        if job.files:
            first = job.files[0]
            job.record = replace(job.record, file_path=first.path, file_sha256=first.sha256)
            job.parts = tuple(
                (replace(record, file_path=first.path, file_sha256=first.sha256), span)
                for record, span in job.parts
            )
        held, job.released = self._gate.known(job.record, [file.sha256 for file in job.files])
        if held is not None:
            self._withhold(_HeldBack(job, held))
            return False
        twins = (self._hidden_content.get(file.sha256) for file in job.files if file.size)
        twin = None if job.released else next(filter(None, twins), None)
        if twin is not None:
            self._leave_out(
                job, f"内容与不予入库的 {twin} 完全相同，未入库",
                "请移出本系统的文件夹；确已解密的，更新目录的密级栏或凭解密决定放行后重新入库",
                JobState.WITHHELD,
            )  # fmt: skip
            return False
        self._mention_same(job)
        job.content_hash = self._hash(job)
        if self._retry and any(self._is_dead(file) for file in job.files):
            return True
        if self._force or self._store.content_hash(job.record.record_id) != job.content_hash:
            stored = [self._known.get(str(file.absolute)) for file in job.files]
            failed_before = bool(stored) and all(
                known is not None and known.state == "failed" and known.sha256 == file.sha256
                and known.record_id == ""
                and self._queue.programs.get(str(file.absolute), "") in ("", self._program(file))
                for known, file in zip(stored, job.files, strict=True)
            )  # fmt: skip
            if self._force or job.catalogued or not failed_before:
                return True
        self._report.unchanged += len(job.records)
        if self._store.record_number(job.record.record_id) is not None:
            self._mention_uncatalogued(job)
        for file in job.files:
            known = self._known.get(str(file.absolute))
            self._note(file, job, "ok" if known is None else known.state,
                       "" if known is None else known.reason)  # fmt: skip
            if known is not None and known.state != "ok":
                self._skip(
                    file.path, known.reason or "上次没有读全", "要重试请用 chadang ingest --retry"
                )
            if known is None or known.size != file.size or known.modified != file.modified:
                self._store.put_file(
                    self._stored(file, job, "ok" if known is None else known.state,
                                 "" if known is None else known.reason)
                )  # fmt: skip
        self._files_done += max(1, len(job.files))
        self._bytes_total -= sum(file.size for file in job.files)
        return False

    def _restrict(self, job: _Job) -> None:
        """Mark what is restricted by its type, whatever its opening status says."""
        job.record = self._restricted(job.record)
        job.parts = tuple((self._restricted(record), span) for record, span in job.parts)

    def _restricted(self, record: Record) -> Record:
        kind = kind_of(record, self._restrictions)
        if not kind:
            return record
        record = replace(record, restricted=True, restriction=kind)
        if opened(record):
            self._warn(
                record.record_id, f"目录标“开放”，但属于限制利用的类型（{kind}），仍按限制利用",
                f"请核对；确可开放的，在馆藏目录的 {LOCAL_FILE} 里加除外的词，再运行一次 chadang ingest",
                Concern.RESTRICTED,
            )  # fmt: skip
        return record

    def _is_dead(self, file: _File) -> bool:
        known = self._known.get(str(file.absolute))
        asked = not self._only or str(file.absolute) in self._only
        return asked and known is not None and known.state in ("failed", "partial")

    def _program(self, file: _File) -> str:
        """The readers a file of this kind goes through."""
        reader = file.reader
        return f"{_PIPELINE_VERSION};{reader};{'' if file.kind == 'text' else self._ocr_reader}"

    def _mention_same(self, job: _Job) -> None:
        for file in job.files:
            if file.failure is not None or not file.size:
                continue
            first, place = self._same.setdefault(file.sha256, (file.path, file.absolute))
            if first != file.path and place.exists():
                self._warn(
                    file.path, f"内容与 {first} 完全相同", "两份都已入库；如属重复，请移走一份",
                    Concern.SAME,
                )  # fmt: skip

    def _withhold(self, held: _HeldBack) -> None:
        """Keep nothing of a held record but where its files lie and why."""
        if held.secret:
            for file in held.job.files:
                file.sha256 = self._hide_content(file.path, file.absolute)
        state = JobState.WITHHELD if held.secret else JobState.REVIEW
        self._leave_out(held.job, held.said, held.step, state)

    def _leave_out(self, job: _Job, said: str, step: str, state: JobState) -> None:
        """Take a job's records out of the store and say of each file why it is not taken in."""
        self._say_left_out(job, said, step)
        known = (self._known.get(str(file.absolute)) for file in job.files)
        hashes = [file.sha256 for file in job.files] + [k.sha256 for k in known if k is not None]
        self._purge([record.record_id for record in job.records], hashes)
        for file in job.files:
            self._store.put_file(
                StoredFile(
                    file.path, file.sha256, file.size, file.modified, str(self._base), "withheld",
                    said, "",
                )
            )  # fmt: skip
            # Of a mere copy no hash is noted: the two would keep each other out for ever.
            own = self._hidden_content.get(file.sha256) == file.path
            self._queue.finish(
                str(file.absolute), state, sha256=file.sha256 if own else "", error=said,
                next_step=step,
            )  # fmt: skip
        self._files_done += max(1, len(job.files))
        self._bytes_total -= sum(file.size for file in job.files)

    def _say_left_out(self, job: _Job, said: str, step: str) -> None:
        """Name the files of a job that is not taken in; its row when it has none; rows of a volume."""
        first = job.files[0].path if job.files else _row(job.record)
        self._skip(first, said, step)
        for file in job.files[1:]:
            self._skip(file.path, f"同件的 {first}：{said}", step)
        for record, _ in job.parts:
            self._skip(_row(record), f"所在案卷的 {first}：{said}", step)

    def _hash(self, job: _Job) -> str:
        versions = [
            _PIPELINE_VERSION,
            SPLITTER_VERSION,
            STRUCTURE_VERSION,
            SECRECY_VERSION,
            PERSONAL_VERSION,
            str(self._settings.number("passage_chars")),
        ]
        versions += sorted({file.reader for file in job.files})
        if any(file.kind == "pdf" for file in job.files):
            versions.append(f"layer-check {self._settings.values['layer_check']}")
        if any(file.kind != "text" for file in job.files):
            versions.append(self._ocr_reader)
        body = json.dumps(
            [asdict(job.record), [(f.path, f.sha256) for f in job.files], versions]
            + [[asdict(record), span] for record, span in job.parts],
            ensure_ascii=False,
        )
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()

    def _start_file(self, key: FileKey, file: _File) -> None:
        self._current = file.path
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

    def _queue_pdf(self, file: _File, task: Task[FileKey]) -> None:
        file.open_tasks += 1
        lanes = self._lanes["pdf"]
        if (len(lanes) < self._settings.threads and not self._pdf_tasks.empty()) or not lanes:
            lanes.append(
                Lane(
                    "pdf",
                    self._pdf_tasks,
                    self._events.put,
                    go=self._go,
                    seconds_per_page=SECONDS_PER_TEXT_PAGE,
                )
            )
            lanes[-1].start()
        self._pdf_tasks.put(task)

    def _opened(self, key: FileKey, file: _File, count: int, *, first_task: bool) -> None:
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

    def _take(self, key: FileKey, file: _File, page: PageText, *, fresh: bool) -> None:
        """A page was read (now or in an earlier run)."""
        if page.file_page in file.pages and not page.needs_ocr:
            return
        file.pages[page.file_page] = page
        # What is not made of pages is read again in one go: keeping it would store it twice.
        keep = fresh and _is_final(page) and self._may_keep(key, file, page)
        if keep and file.kind == "pdf":
            self._store.put_page_result(file.sha256, page.file_page, file.reader, page.to_json())
        self._pages_done += fresh and not page.needs_ocr
        if page.needs_ocr:
            self._recognize(key, file, [page.file_page])

    def _may_keep(self, key: FileKey, file: _File, page: PageText) -> bool:
        """Whether a page's reading may be written down: not once the file bears a secrecy mark."""
        if not self._active[key.job].released:
            file.finding = worst(file.finding, judge(page))
        return file.finding is None

    def _recognize(self, key: FileKey, file: _File, pages: Iterable[int]) -> None:
        for file_page in pages:
            if file.finding is not None:  # it is held back whatever the other pages say
                file.pages[file_page] = PageText(file_page, "", TextSource.NONE, problem="未读取")
                continue
            done = self._store.page_result(file.sha256, file_page, self._ocr_reader)
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
                    go=self._go,
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

    def _handle(self, event: Event[FileKey], key: FileKey, job: _Job) -> None:
        file = job.files[key.place]
        self._current = file.path
        page = event.page
        if page is not None and key.ocr_page:
            file.pages[page.file_page] = with_reason(file.pages.get(page.file_page), page)
            if _is_final(page) and self._may_keep(key, file, page):
                self._store.put_page_result(
                    file.sha256, page.file_page, self._ocr_reader, page.to_json()
                )
            file.waiting_for_ocr.discard(page.file_page)
            self._pages_done += 1
            self._ocr_done += 1
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

    def _failed(self, event: Event[FileKey], key: FileKey, file: _File) -> None:
        error = event.failed
        assert error is not None  # noqa: S101 - the caller looked
        lost = key.ocr_page or event.file_page
        if lost:
            file.waiting_for_ocr.discard(lost)
            drawn = file.pages.get(lost)
            file.pages_killed += isinstance(error, WorkerError)
            if file.pages_killed >= _MOST_PAGES_KILLED:
                file.given_up.set()
            file.pages[lost] = replace(
                drawn or PageText(lost, "", TextSource.NONE), needs_ocr=False, problem=str(error)
            )
        elif not file.page_count:
            file.failure = error
        else:
            logger.warning("a part of %s cannot be read: %s", file.path, error)

    # -- storing --------------------------------------------------------------------------------

    def _finish(self, job: _Job) -> None:
        """Turn what was read into pages and passages and store the record."""
        record = job.record
        read = [(f.path, f.sha256, [f.pages[n] for n in sorted(f.pages)]) for f in job.files]
        held = None if job.released else self._gate.after_reading(record, read)
        if held is not None:
            self._withhold(_HeldBack(job, held))
            return
        texts: list[tuple[_File, PageText]] = []
        for file in job.files:
            if file.failure is not None:
                self._skip(file.path, str(file.failure), file.failure.next_step)
                continue
            for file_page in range(1, file.page_count + 1):
                page = file.pages.get(file_page) or PageText(
                    file_page, "", TextSource.NONE,
                    problem=f"已有 {_MOST_PAGES_KILLED} 页读不出来，其余的没有再读"
                    if file.given_up.is_set() else "没有读到",
                )  # fmt: skip
                texts.append((file, page))
        if texts or job.catalogued:
            self._store_job(job, texts)
        else:
            for file in job.files:
                self._store.put_file(self._as_read(file, job))
        for file in job.files:
            for note in file.notes:
                self._warn(file.path, note.reason, note.next_step)
        self._files_done += max(1, len(job.files))
        self._bytes_done += sum(file.size for file in job.files)
        self._tell()

    def _store_job(self, job: _Job, texts: list[tuple[_File, PageText]]) -> None:
        """Store the job's record, or a volume with all its files, in one transaction."""
        paths = {place: file.path for place, (file, _) in enumerate(texts)}
        items = []
        for share, warning in shares_of(job.record, job.parts, texts, paths):
            if warning is not None:
                self._report.warnings.append(warning)
            record = share.record
            pages = _pages(record, share.texts, share.first_stamped, aids=share.aids)
            structure = read_structure(record, pages, text_lines(pages))
            record = with_derived(record, pages, structure, catalogued=job.catalogued)
            record = replace(record, parts=structure.parts)
            if record.title != share.record.title and not record.restricted:
                record = self._restricted(record)
            passages = split_record(
                record.record_id, record.title, pages, self._settings.number("passage_chars"),
                cuts_of(record.parts, pages),
            )  # fmt: skip
            self._mention_uncatalogued(job)
            items.append((record, pages, passages, job.content_hash))
            self._report.passages += len(passages)
            self._count(pages)
            self._check_page_count(job, record, len(pages))
        files = [self._as_read(file, job) for file in job.files]
        new = self._store.replace_records(items, files)
        self._report.records_added += new
        self._report.records_updated += len(items) - new

    def _mention_uncatalogued(self, job: _Job) -> None:
        if not job.catalogued:
            where = job.record.record_id
            self._warn(
                where, "未编目：目录里没有对应的条目", "请在目录中补一条，或核对文件名",
                Concern.NO_ROW,
            )  # fmt: skip

    def _count(self, pages: Iterable[Page]) -> None:
        report = self._report
        for page in pages:
            report.pages_layer += page.source is TextSource.LAYER
            report.pages_ocr += page.source is TextSource.OCR
            report.pages_file += page.source is TextSource.FILE
            report.pages_unreadable += page.source is TextSource.NONE
            report.pages_turned += page.turn != 0

    def _check_page_count(self, job: _Job, record: Record, found: int) -> None:
        expected = record.page_count
        scans = bool(job.files) and all(file.kind != "text" for file in job.files)
        if scans and expected and found and expected != found and record.unit_level != "案卷":
            self._warn(
                record.record_id,
                f"目录记 {expected} 页，文件有 {found} 页",
                "请核对是否缺页或多页",
                Concern.PAGES,
            )

    def _as_read(self, file: _File, job: _Job) -> StoredFile:
        """What reading a file came to, reported and noted in the job queue."""
        if file.failure is not None:
            return self._stored(file, job, "failed", str(file.failure))
        lost = [page for page in file.pages.values() if page.problem and page.problem != "空白页"]
        if not lost:
            return self._stored(file, job, "ok", "")
        numbers = "、".join(str(page.file_page) for page in lost[:10])
        more = f" 等 {len(lost)} 页" if len(lost) > 10 else ""
        reason = f"第 {numbers}{more} 页不可读：{lost[0].problem}"
        if file.kind == "text" or len(lost) == file.page_count:
            reason = lost[0].problem
        self._skip(file.path, reason, "请对照原件检查，必要时重新扫描")
        return self._stored(file, job, "partial", reason)

    def _stored(self, file: _File, job: _Job, state: str, reason: str) -> StoredFile:
        self._note(file, job, state, reason)
        taken = state != "failed" or job.catalogued
        return StoredFile(
            file.path, file.sha256, file.size, file.modified, str(self._base), state, reason,
            job.record.record_id if taken else "",
        )  # fmt: skip

    def _note(self, file: _File, job: _Job, state: str, reason: str) -> None:
        """Write a file's end into the job queue."""
        states = {"ok": JobState.DONE, "partial": JobState.PARTIAL}
        step = "" if file.failure is None else file.failure.next_step
        self._queue.finish(
            str(file.absolute), states.get(state, JobState.FAILED), sha256=file.sha256,
            record_id="" if state == "failed" and not job.catalogued else job.record.record_id,
            program=self._program(file), error=reason,
            next_step=step or ("chadang ingest --retry" if reason else ""),
        )  # fmt: skip

    def _spare_unmounted(self, jobs: list[_Job]) -> list[_Job]:
        """Find what is gone from the folder; where that is most of it, keep it as it was stored."""
        if not self._source.is_dir():
            return jobs
        every = [*jobs, *(held.job for held in self._held_back)]
        wanted = {record.record_id for job in every for record in job.records}
        present = {str(file.absolute) for job in every for file in job.files}
        here = {p: f for p, f in self._known.items() if _below(Path(p), self._folder)}
        old = set(json.loads(self._store.meta(f"rows:{self._folder}") or "[]"))
        old |= {file.record_id for file in here.values() if file.record_id}
        gone = (record_id for record_id in old - wanted)
        self._gone = {r for r in gone if self._store.record_number(r) is not None}
        still = {file.record_id for place, file in here.items() if Path(place).exists()}
        self._gone_from_list = self._gone & still
        emptied = []
        if not here.keys() <= present:
            emptied = [job for job in jobs if not job.files and self._lost_its_file(job.record)]
        lost = len(self._gone - still) + len(emptied)
        most = not every or (lost >= _MANY_GONE and lost * 2 > len(old))
        if not lost or not most or self._confirm_removal:
            return jobs
        self._removal_waits = True
        self._warn(
            str(self._source),
            f"原有 {len(old)} 件，其中 {lost} 件的文件这次都不在，"
            "可能是磁盘没有挂载，或文件夹被移走、清空：原来入库的没有移除",
            f"请检查文件夹；确要移除，请运行 chadang ingest --confirm-removal {self._source}",
        )
        left = {job.record.record_id for job in emptied}
        return [job for job in jobs if job.record.record_id not in left]

    def _lost_its_file(self, record: Record) -> bool:
        stored = self._store.record(record.record_id)
        file = self._store.file(stored.file_path) if stored and stored.file_path else None
        return file is not None and not (Path(file.root) / file.path).exists()

    def _remove_vanished(self, jobs: Sequence[_Job], broken: Sequence[str]) -> None:
        """Remove records whose file and row are gone from this folder."""
        if not self._source.is_dir():
            return
        if broken or self._removal_waits:
            return
        present = {str(file.absolute) for job in jobs for file in job.files}
        without_file = {job.record.record_id for job in jobs if not job.files}
        without_file |= {record.record_id for job in jobs for record, _ in job.parts}
        for record_id in sorted(self._gone):
            if not self._store.remove_record(record_id):
                continue
            self._report.records_removed += 1
            if record_id in self._gone_from_list:
                reason = "目录条目已不在或改了档号，文件还在：已移除原条目，文件另行入库"
                self._warn(record_id, reason, "如属误改，请改回目录后重新入库")
            else:
                reason = "文件和目录条目都已不在，已从库中移除"
                self._warn(record_id, reason, "如属误删，放回后重新入库")
        # Files after their records: killed in between, the next run still knows what to remove.
        for place, file in self._known.items():
            if _below(Path(place), self._folder) and place not in present:
                self._store.forget_file(file.path)
        key = f"rows:{self._folder}"
        value = json.dumps(sorted(without_file), ensure_ascii=False)
        if value != self._store.meta(key):
            self._store.set_meta(key, value)

    # -- telling --------------------------------------------------------------------------------

    def _tell(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._said < _SECONDS_BETWEEN_UPDATES:
            return
        self._said = now
        elapsed = max(1e-6, now - self._started)
        under_way = sum(
            file.size
            * (len(file.pages) - len(file.waiting_for_ocr & file.pages.keys()))
            / max(1, file.page_count)
            for job in self._active.values()
            for file in job.files
        )
        done = self._bytes_done + under_way
        share = 1.0 if force else min(1.0, done / max(1, self._bytes_total))
        eta = elapsed * (1 - share) / share if 0.01 < share and elapsed > 2 else None
        self._latest = Progress(
            self._files_done, self._files_total, self._pages_done, self._ocr_done,
            self._pages_done / elapsed, 0.0 if force else eta, self._current, share,
        )  # fmt: skip
        self._queue.beat(self._latest)
        if self._progress is not None:
            self._progress(self._latest)


def _row(record: Record) -> str:
    return f"{record.source_file} 第 {record.source_row} 行"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _is_final(page: PageText) -> bool:
    """Whether reading the page again would give the same; failures are worth another try."""
    return not page.problem or bool(page.engine)


def _walk(folder: Path, home: Path, left: list[Skipped]) -> Iterator[tuple[str, Path]]:
    """Files below a folder in natural order, without hidden ones, `~$` files and our own home.

    What is neither file nor folder, a link that leads out of the folder, and a name that is no
    text go to `left` with the reason.
    """
    found: list[tuple[str, Path]] = []

    def leave(path: Path, reason: str, step: str) -> None:
        shown = path.relative_to(folder).parent / _shown(path.name)
        left.append(Skipped(shown.as_posix(), reason, step))

    for root, folders, names in os.walk(folder, onerror=_raise):
        here = Path(root)
        tables = {name.lower() for name in names if name.lower().endswith(".dbf")}
        entered = []
        for name in folders:
            path = here / name
            if name.startswith((".", "~$", "__MACOSX")) or path == home:
                continue
            if path.is_symlink():
                leave(path, "是链接文件夹，没有进入", "请把它指向的文件夹复制过来，或另行入库")
            elif not _is_text(name):
                leave(path, *_ODD_NAME)
            else:
                entered.append(name)
        folders[:] = entered
        for name in names:
            if name.startswith((".", "~$")) or name in ("Thumbs.db", "desktop.ini", MAPPING_FILE):
                continue
            path = here / name
            if path.suffix.lower() in (".fpt", ".dbt", ".cdx", ".mdx") and (
                path.stem.lower() + ".dbf" in tables
            ):
                continue  # memos and index of a table, read with it
            if not _is_text(name):
                leave(path, *_ODD_NAME)
            elif path.is_symlink() and (reason := _link_problem(path, folder, home)):
                leave(path, reason, "请把它指向的文件复制过来")
            elif path.is_file():
                found.append((path.relative_to(folder).as_posix(), path))
            else:
                leave(path, "不是普通文件（管道、设备等），没有读取", "请移走，或换成文件")
    found.sort(key=lambda item: natural_key(item[0]))
    yield from found


_ODD_NAME: Final = (
    "名称不是 UTF-8（多为旧系统压缩包解出的 GBK 名称），没有读取",
    "请改名后重新入库；整批改名可用 convmv -f gbk -t utf8 -r --notest 文件夹",
)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: str) -> str:
    """A name as a person can read it: old archives were packed with names in GBK."""
    if _is_text(name):
        return name
    raw = os.fsencode(name)
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace")


def _link_problem(path: Path, folder: Path, home: Path) -> str:
    """Why a linked file is not read, empty when it lies in the folder itself."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "是链接，指向的文件不存在"
    if not _below(target, folder) or _below(target, home):
        return "是链接，指向本文件夹以外，没有读取"
    return ""


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _raise(error: OSError) -> None:
    raise error


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def _pages(
    record: Record,
    texts: Sequence[tuple[_File, PageText]],
    proved: int | None = None,
    *,
    aids: bool = False,
) -> list[Page]:
    """Pages of a record; `proved` is the first one's stamped number, `aids` that all are lists."""
    several = len({file.path for file, _ in texts}) > 1
    start_label, first = _first_stamped(record, len(texts)) if proved is None else (proved, proved)
    furniture, labels, stamped = find_furniture(
        [text.raw for _, text in texts], [text.furniture for _, text in texts], start_label
    )
    pages: list[Page] = []
    start = 0
    for seq, (file, text) in enumerate(texts, start=1):
        pages.append(
            Page(
                record_id=record.record_id,
                seq=seq,
                raw=text.raw,
                start=start,
                source=text.source,
                engine=text.engine,
                confidence=text.confidence,
                inner_label=text.inner_label or labels[seq - 1],
                volume_label=stamped[seq - 1] if first is None else str(first + seq - 1),
                lines=text.lines,
                furniture=((0, len(text.raw)),)
                if text.raw and (aids or is_aid(record, file.path, text.raw, several=several))
                else furniture[seq - 1],
                width=text.width,
                height=text.height,
                file_path=file.path,
                file_page=text.file_page,
                turn=text.turn,
                choice=text.choice,
            )
        )
        start += len(text.raw)
    return pages


def _first_stamped(record: Record, found: int) -> tuple[int | None, int | None]:
    """Stamped number of the first page by the catalogue.

    Returns:
        The number as the catalogue gives it; and the same again only where catalogue and file
        agree on the number of pages, so that it holds without being seen on the page.
    """
    label = re.sub(r"[—–～~－]+", "-", record.first_page_label)
    first, _, last = (part.strip() for part in label.partition("-"))
    if not re.fullmatch(r"\d{1,5}", first):
        return None, None
    if re.fullmatch(r"\d{1,5}", last):
        expected = int(last) - int(first) + 1
    elif record.page_count is not None:
        expected = record.page_count
    else:
        return int(first), None
    return int(first), int(first) if expected == found else None
