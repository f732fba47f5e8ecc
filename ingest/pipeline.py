"""The write path: a folder of files and catalogues in, records with pages and passages out.

Incremental and restartable: every page read is kept at once under its file's content hash, a
record is replaced in one transaction, and what did not change is not read again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from index.access import opened
from index.domain import IngestReport, Page, Record, Skipped, TextSource
from index.personal import PERSONAL_VERSION
from index.restrictions import LOCAL_FILE, kind_of, table_of
from index.settings import Settings
from index.store import Store, StoredFile
from ingest.catalogue import CATALOGUE_SUFFIXES, Catalogue, Withheld
from ingest.derived_fields import with_derived
from ingest.errors import (
    IngestError,
    SourceReadError,
)
from ingest.folder import content_hash, is_below, size_of, walk
from ingest.gate import Gate
from ingest.heads import text_lines
from ingest.jobs import JobQueue, JobState, RunLock, RunState, Wanted
from ingest.page_assembly import assemble_pages
from ingest.page_text import PageText
from ingest.planning import Listing, Planner, read_listing
from ingest.progress import Progress, ProgressCallback
from ingest.reading import MOST_PAGES_KILLED, Reading
from ingest.record_job import FileKey, HeldBack, JobFile, RecordJob, row_place
from ingest.report import Concern, report_to_json
from ingest.run_files import file_report
from ingest.secrecy import SECRECY_VERSION
from ingest.splitting import SPLITTER_VERSION, split_record
from ingest.structure import STRUCTURE_VERSION, cuts_of, read_structure
from ingest.volume_linking import shares_of
from ingest.volumes import Span

logger = logging.getLogger(__name__)

LARGEST_FILE_BYTES: Final = 500_000_000
#: Raise it when records come out differently from the same pages (furniture, labels, volumes).
_PIPELINE_VERSION: Final = "4"
_SECONDS_BETWEEN_UPDATES: Final = 0.1
#: Records that may leave a folder in one run without asking, if they are most of it.
_MANY_GONE: Final = 5


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
        self._reading = Reading(store, settings, self._report, self._warn)
        self._known: dict[str, StoredFile] = {}
        self._base = self._source
        self._prefix = ""
        self._files_total = self._files_done = 0
        self._bytes_total = self._bytes_done = 0
        self._said = 0.0
        self._active: dict[int, RecordJob] = {}
        self._latest: Progress | None = None
        self._stopped = False
        #: Records whose row and file are gone, those of them whose file still lies there, and
        #: whether they stay because it looks like a disk that is not mounted.
        self._gone: set[str] = set()
        self._gone_from_list: set[str] = set()
        self._removal_waits = False
        self._same: dict[str, tuple[str, Path]] = {}
        self._withheld_paths: Sequence[str] = ()
        self._held_back: Sequence[HeldBack] = ()
        #: Content of files that must not be here, and one that has it; a copy must not be either.
        self._hidden_content: dict[str, str] = {}
        self._restrictions = table_of(settings.home)
        self._gate = Gate(store, _now, again=force)

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
        listing = read_listing(paths, self._folder, self._home, self._report)
        jobs = self._plan(listing)
        if not listing.broken:
            jobs = self._spare_unmounted(jobs)
        every = [*jobs, *(held.job for held in self._held_back)]
        self._enqueue(every, paths)
        for held in self._held_back:
            self._withhold(held)
        try:
            self._work(jobs)
        finally:
            self._reading.end()
        if self._stopped:
            left = self._files_total - self._files_done
            self._warn(
                str(self._source), f"按要求停止，还有 {left} 个文件没有处理", "再次运行会接着做"
            )
        else:
            self._remove_vanished(every, listing.broken)
        report = self._report
        report.seconds = round(time.monotonic() - self._started, 2)
        self._store.add_run(_now(), report_to_json(report))
        self._queue.flush()
        file_report(report, self._store, self._settings, stopped=self._stopped)
        self._tell(force=True)
        return report

    def _enqueue(self, jobs: Sequence[RecordJob], paths: dict[str, Path]) -> None:
        """Every file gets a row: those to read, and those the plan already left out."""
        self._queue.enqueue(
            (str(file.absolute), file.path, job.record.record_id, file.size)
            for job in jobs for file in job.files
        )  # fmt: skip
        left_out = [item for item in self._report.skipped if item.where in paths]
        self._queue.enqueue(
            (str(paths[i.where]), self._prefix + i.where, "", size_of(paths[i.where]))
            for i in left_out
        )
        self._hidden_content = {
            sha256: path for place, path, sha256 in self._queue.withheld
            if not is_below(Path(place), self._folder)
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
            sha256 = content_hash(absolute) if size_of(absolute) else ""
        except OSError:
            return ""
        if sha256:
            self._hidden_content.setdefault(sha256, path)
        return sha256

    def plan(self) -> tuple[list[Catalogue], list[PlannedRecord], IngestReport]:
        paths = self._list_files()
        self._choose_base(paths)
        listing = read_listing(paths, self._folder, self._home, self._report)
        planned = [
            PlannedRecord(
                job.record, job.parts, tuple((file.path, file.absolute) for file in job.files),
                job.catalogued and bool(job.record.source_file or job.parts),
            )
            for job in self._plan(listing)
        ]  # fmt: skip
        for held in self._held_back:
            self._say_left_out(held.job, held.reason, held.step)
        return list(listing.catalogues), planned, self._report

    def _skip(self, where: str, reason: str, next_step: str = "") -> None:
        self._report.skipped.append(Skipped(where, reason, next_step))

    def _warn(self, where: str, reason: str, next_step: str = "", kind: str = "") -> None:
        self._report.warnings.append(Skipped(where, reason, next_step, kind))

    # -- finding --------------------------------------------------------------------------------

    def _list_files(self) -> dict[str, Path]:
        """Files to look at, by path below the source; hidden and temporary ones left out."""
        if self._source.is_file():
            if self._source.suffix.lower() in CATALOGUE_SUFFIXES:
                found = dict(walk(self._source.parent, self._home, []))
                return {
                    path: absolute
                    for path, absolute in found.items()
                    if absolute == self._source or absolute.suffix.lower() not in CATALOGUE_SUFFIXES
                }
            return {self._source.name: self._source}
        try:
            return dict(walk(self._source, self._home, self._report.skipped))
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
                if not is_below(Path(place), self._folder) and Path(place).exists()
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

    # -- planning -------------------------------------------------------------------------------

    def _plan(self, listing: Listing) -> list[RecordJob]:
        planner = Planner(
            self._store, self._settings, self._gate, self._report,
            folder=self._folder, prefix=self._prefix, forget=self._forget_withheld,
        )  # fmt: skip
        whole = self._source.is_dir() or self._source.suffix.lower() not in CATALOGUE_SUFFIXES
        jobs = planner.jobs(listing, whole=whole)
        self._held_back = planner.held_back
        every = [*jobs, *(held.job for held in self._held_back)]
        self._files_total = sum(max(1, len(job.files)) for job in every)
        self._bytes_total = sum(file.size for job in every for file in job.files)
        return jobs

    def _forget_withheld(self, withheld: Sequence[Withheld], files: Sequence[str]) -> None:
        """Remove what an earlier run took in before the row was marked."""
        self._withheld_paths = files
        hashes: list[str] = []
        records = [hidden.record_id for hidden in withheld]
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

    # -- reading --------------------------------------------------------------------------------

    def _work(self, jobs: Sequence[RecordJob]) -> None:
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
            (self._reading.go.clear if wanted is Wanted.PAUSE else self._reading.go.set)()
            while waiting and len(active) < limit and self._queue.wanted() is Wanted.RUN:
                job = waiting.popleft()
                if not self._begin(job):
                    self._tell()
                    continue
                number = next(numbers)
                active[number] = job
                for place, file in enumerate(job.files):
                    self._queue.start(str(file.absolute))
                    file.released = job.released
                    self._reading.start(FileKey(number, place), file)
                if self._complete(number, job):
                    self._finish(active.pop(number))
            self._tell()
            if not active:
                if wanted is Wanted.PAUSE:
                    time.sleep(0.2)
                continue
            event = self._reading.next_event(seconds=1.0)
            number = -1 if event is None else event.key.job
            if event is None or number not in active:
                continue  # the end of a task whose page already finished the job
            job = active[number]
            self._reading.handle(event, job.files[event.key.place])
            if self._complete(number, job):
                self._finish(active.pop(number))

    def _complete(self, number: int, job: RecordJob) -> bool:
        """Whether every page of a job is read."""
        done = [
            self._reading.complete(FileKey(number, place), file)
            for place, file in enumerate(job.files)
        ]
        return all(done)

    def _begin(self, job: RecordJob) -> bool:
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
                file.sha256 = content_hash(file.absolute)
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
            self._withhold(HeldBack(job, held))
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

    def _restrict(self, job: RecordJob) -> None:
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

    def _is_dead(self, file: JobFile) -> bool:
        known = self._known.get(str(file.absolute))
        asked = not self._only or str(file.absolute) in self._only
        return asked and known is not None and known.state in ("failed", "partial")

    def _program(self, file: JobFile) -> str:
        """The readers a file of this kind goes through."""
        reader = file.reader
        return f"{_PIPELINE_VERSION};{reader};{'' if file.kind == 'text' else self._reading.ocr_reader}"

    def _mention_same(self, job: RecordJob) -> None:
        for file in job.files:
            if file.failure is not None or not file.size:
                continue
            first, place = self._same.setdefault(file.sha256, (file.path, file.absolute))
            if first != file.path and place.exists():
                self._warn(
                    file.path, f"内容与 {first} 完全相同", "两份都已入库；如属重复，请移走一份",
                    Concern.SAME,
                )  # fmt: skip

    def _withhold(self, held: HeldBack) -> None:
        """Keep nothing of a held record but where its files lie and why."""
        if held.secret:
            for file in held.job.files:
                file.sha256 = self._hide_content(file.path, file.absolute)
        state = JobState.WITHHELD if held.secret else JobState.REVIEW
        self._leave_out(held.job, held.said, held.step, state)

    def _leave_out(self, job: RecordJob, said: str, step: str, state: JobState) -> None:
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

    def _say_left_out(self, job: RecordJob, said: str, step: str) -> None:
        """Name the files of a job that is not taken in; its row when it has none; rows of a volume."""
        first = job.files[0].path if job.files else row_place(job.record)
        self._skip(first, said, step)
        for file in job.files[1:]:
            self._skip(file.path, f"同件的 {first}：{said}", step)
        for record, _ in job.parts:
            self._skip(row_place(record), f"所在案卷的 {first}：{said}", step)

    def _hash(self, job: RecordJob) -> str:
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
            versions.append(self._reading.ocr_reader)
        body = json.dumps(
            [asdict(job.record), [(f.path, f.sha256) for f in job.files], versions]
            + [[asdict(record), span] for record, span in job.parts],
            ensure_ascii=False,
        )
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()

    # -- storing --------------------------------------------------------------------------------

    def _finish(self, job: RecordJob) -> None:
        """Turn what was read into pages and passages and store the record."""
        record = job.record
        read = [(f.path, f.sha256, [f.pages[n] for n in sorted(f.pages)]) for f in job.files]
        held = None if job.released else self._gate.after_reading(record, read)
        if held is not None:
            self._withhold(HeldBack(job, held))
            return
        texts: list[tuple[JobFile, PageText]] = []
        for file in job.files:
            if file.failure is not None:
                self._skip(file.path, str(file.failure), file.failure.next_step)
                continue
            for file_page in range(1, file.page_count + 1):
                page = file.pages.get(file_page) or PageText(
                    file_page, "", TextSource.NONE,
                    problem=f"已有 {MOST_PAGES_KILLED} 页读不出来，其余的没有再读"
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

    def _store_job(self, job: RecordJob, texts: list[tuple[JobFile, PageText]]) -> None:
        """Store the job's record, or a volume with all its files, in one transaction."""
        paths = {place: file.path for place, (file, _) in enumerate(texts)}
        items = []
        for share, warning in shares_of(job.record, job.parts, texts, paths):
            if warning is not None:
                self._report.warnings.append(warning)
            record = share.record
            pages = assemble_pages(record, share.texts, share.first_stamped, aids=share.aids)
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

    def _mention_uncatalogued(self, job: RecordJob) -> None:
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

    def _check_page_count(self, job: RecordJob, record: Record, found: int) -> None:
        expected = record.page_count
        scans = bool(job.files) and all(file.kind != "text" for file in job.files)
        if scans and expected and found and expected != found and record.unit_level != "案卷":
            self._warn(
                record.record_id,
                f"目录记 {expected} 页，文件有 {found} 页",
                "请核对是否缺页或多页",
                Concern.PAGES,
            )

    def _as_read(self, file: JobFile, job: RecordJob) -> StoredFile:
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

    def _stored(self, file: JobFile, job: RecordJob, state: str, reason: str) -> StoredFile:
        self._note(file, job, state, reason)
        taken = state != "failed" or job.catalogued
        return StoredFile(
            file.path, file.sha256, file.size, file.modified, str(self._base), state, reason,
            job.record.record_id if taken else "",
        )  # fmt: skip

    def _note(self, file: JobFile, job: RecordJob, state: str, reason: str) -> None:
        """Write a file's end into the job queue."""
        states = {"ok": JobState.DONE, "partial": JobState.PARTIAL}
        step = "" if file.failure is None else file.failure.next_step
        self._queue.finish(
            str(file.absolute), states.get(state, JobState.FAILED), sha256=file.sha256,
            record_id="" if state == "failed" and not job.catalogued else job.record.record_id,
            program=self._program(file), error=reason,
            next_step=step or ("chadang ingest --retry" if reason else ""),
        )  # fmt: skip

    def _spare_unmounted(self, jobs: list[RecordJob]) -> list[RecordJob]:
        """Find what is gone from the folder; where that is most of it, keep it as it was stored."""
        if not self._source.is_dir():
            return jobs
        every = [*jobs, *(held.job for held in self._held_back)]
        wanted = {record.record_id for job in every for record in job.records}
        present = {str(file.absolute) for job in every for file in job.files}
        here = {p: f for p, f in self._known.items() if is_below(Path(p), self._folder)}
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

    def _remove_vanished(self, jobs: Sequence[RecordJob], broken: Sequence[str]) -> None:
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
            if is_below(Path(place), self._folder) and place not in present:
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
            self._files_done, self._files_total, self._reading.pages_done, self._reading.ocr_done,
            self._reading.pages_done / elapsed, 0.0 if force else eta, self._reading.current, share,
        )  # fmt: skip
        self._queue.beat(self._latest)
        if self._progress is not None:
            self._progress(self._latest)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
