"""What a run has to do: the records of a folder's catalogues and files, and what is held back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from index.access import is_restricted
from index.domain import IngestReport, Record, Skipped
from index.held import HeldItem
from index.restrictions import kind_of, table_of
from index.settings import Settings
from index.store import Store
from ingest.catalogue import CATALOGUE_SUFFIXES, Catalogue, CatalogueRow, Withheld, read_catalogue
from ingest.code_set import CodeSet
from ingest.column_map import ColumnMaps
from ingest.errors import CatalogueError, NotACatalogueError
from ingest.finding_aids import page_order
from ingest.folder import is_below
from ingest.gate import Gate
from ingest.linking import link, natural_key
from ingest.readers import why_not_taken
from ingest.record_job import HeldBack, JobFile, RecordJob, row_place
from ingest.report import Concern
from ingest.volume_linking import Volume, find_volumes, strictest, volume_record


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds.

    Attributes:
        paths: Its files by path below it.
        catalogues: The catalogues among them.
        plain_tables: Paths of tables that are documents themselves.
        broken: Folders whose catalogue cannot be read; empty text for the folder itself.
    """

    paths: dict[str, Path]
    catalogues: Sequence[Catalogue]
    plain_tables: frozenset[str]
    broken: Sequence[str]


def read_listing(paths: dict[str, Path], folder: Path, home: Path, report: IngestReport) -> Listing:
    """Read every catalogue among the files.

    Args:
        paths: Files by path below the folder.
        folder: What is taken in.
        home: Where mapping files may lie too.
        report: Takes what was skipped and why.
    """
    catalogues: list[Catalogue] = []
    broken: list[str] = []
    plain: set[str] = set()
    maps = ColumnMaps(folder, home)
    for path, absolute in paths.items():
        if absolute.suffix.lower() not in CATALOGUE_SUFFIXES:
            continue
        try:
            catalogue = read_catalogue(absolute, path, maps.rules(path))
        except CatalogueError as error:
            unrelated = isinstance(error, NotACatalogueError)
            if unrelated and absolute.suffix.lower() != ".jsonl":
                plain.add(path)  # a table that is itself a document
                continue
            report.skipped.append(Skipped(
                path, str(error),
                "如果是目录，请检查表头；如果是文件内容，请另存为 PDF" if unrelated
                else "请修复或移走后重新入库；在此之前，同一文件夹里没有条目的文件暂不入库",
            ))  # fmt: skip
            if not unrelated:
                broken.append(_folder_of(path))
            continue
        catalogues.append(catalogue)
        report.catalogue_rows += catalogue.row_count
        report.skipped += catalogue.skipped
        report.warnings += [
            replace(warning, kind=Concern.CATALOGUE) for warning in catalogue.warnings
        ]
    return Listing(paths, catalogues, frozenset(plain), broken)


class Planner:
    """Makes the jobs of a run.

    Attributes:
        held_back: What is kept out by its name or its row alone, and why; filled by `jobs`.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        gate: Gate,
        report: IngestReport,
        *,
        folder: Path,
        prefix: str,
        forget: Callable[[Sequence[Withheld], Sequence[str]], None],
    ) -> None:
        """Prepare for one folder.

        Args:
            store: Tells what other folders hold.
            settings: Of the home, for the table of restricted types.
            gate: Judges rows, titles and names.
            report: Takes what was skipped or is odd.
            folder: What is taken in.
            prefix: Stands before paths below the folder in the store.
            forget: Removes what an earlier run took in of rows that are withheld now and of
                their files, before anything else is looked up in the store.
        """
        self._store = store
        self._gate = gate
        self._report = report
        self._folder = folder
        self._prefix = prefix
        self._forget = forget
        self._restrictions = table_of(settings.home)
        self.held_back: list[HeldBack] = []

    def jobs(self, listing: Listing, *, whole: bool) -> list[RecordJob]:
        """The records to be, in catalogue order, then what no catalogue lists.

        Args:
            listing: The folder's files and catalogues.
            whole: False when a single catalogue is taken in: then only what it lists counts.
        """
        paths = listing.paths
        readable: list[str] = []
        for path, absolute in paths.items():
            if absolute.suffix.lower() in CATALOGUE_SUFFIXES and path not in listing.plain_tables:
                continue
            refused = why_not_taken(absolute)
            if refused is None:
                readable.append(path)
            else:
                self._skip(path, str(refused), refused.next_step)
        rows, withheld = self._rows(listing.catalogues)
        volumes, linked = find_volumes(rows, withheld, link(rows, withheld, readable))
        self._report.warnings += linked.warnings
        for path in linked.withheld:
            self._skip(path, "对应的目录条目标有国家秘密密级，未读取", "请移出本系统的文件夹")
        self._forget([hidden for _, hidden in withheld], linked.withheld)
        cut = {place for volume in volumes for place in (volume.owner, *volume.members)}
        members: dict[str, list[Record]] = {}
        for _, row in rows:
            if row.volume and row.record.unit_level != "案卷":
                members.setdefault(row.volume, []).append(row.record)
        jobs = [
            RecordJob(
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
                    row_place(job.record),
                    f"{job.record.record_id} 没有对应的文件，只存目录",
                    "请把文件命名为档号，或在目录中写明路径",
                    Concern.NO_FILE,
                )
        # Of a single catalogue only what it lists is taken; a table that is itself a document is.
        for path in linked.loose if whole else sorted(listing.plain_tables):
            if any(not folder or path.startswith(folder + "/") for folder in listing.broken):
                self._skip(path, "所在文件夹的目录读不出，暂不入库", "请先修复目录")
                continue
            jobs.append(self._uncatalogued(path, paths))
        for path, places in linked.shared:
            jobs.append(self._shared(path, [rows[place][1].record for place in places], paths))
        return self._hold_back([job for job in jobs if not self._belongs_elsewhere(job)])

    def _hold_back(self, jobs: Sequence[RecordJob]) -> list[RecordJob]:
        """Take out what its row, its title or a file name marks, and what belongs to that."""
        kept: list[RecordJob] = []
        for job in jobs:
            paths = [file.path for file in job.files]
            held = self._gate.before_reading(job.record, paths)
            if held is not None:
                self.held_back.append(HeldBack(job, held))
                continue
            marked = {
                record.record_id: item
                for record, _ in job.parts
                if (item := self._gate.before_reading(record, paths)) is not None
            }
            kept += self._without_scans(job, marked) if marked else [job]
        volumes = {
            held.job.volume: held
            for held in self.held_back
            if held.secret and held.job.record.unit_level == "案卷" and held.job.volume
        }
        marked_rows = {held.job.record.record_id: held for held in self.held_back}
        codes = {key: held for held in self.held_back for key in held.job.keys}
        names = CodeSet(codes, [key for job in kept for key in job.keys]) if codes else None
        going = []
        for job in kept:
            path = job.record.record_id.removeprefix(self._prefix)
            claiming = next(filter(None, map(marked_rows.get, job.claimed_by)), None)
            if (held_volume := volumes.get(job.volume)) is not None:
                self.held_back.append(HeldBack(job, held_volume.item, "所在的案卷："))
            elif claiming is not None:
                self.held_back.append(HeldBack(job, claiming.item, "所对应的一条目录："))
            elif names is not None and not job.catalogued and names.begins_path(path):
                held_row = next(h for key, h in codes.items() if CodeSet([key]).begins_path(path))
                self.held_back.append(HeldBack(job, held_row.item, "文件名里的档号所指的条目："))
            else:
                going.append(job)
        return going

    def _without_scans(self, job: RecordJob, marked: dict[str, HeldItem]) -> list[RecordJob]:
        """Hold back the scans of a volume with a marked file; its other rows are kept."""
        files = job.files
        for record, _ in job.parts:
            if (item := marked.get(record.record_id)) is not None:
                part = RecordJob(record, files, catalogued=True, keys=(record.record_id,))
                self.held_back.append(
                    HeldBack(part, item, f"{row_place(record)}：" if files else "")
                )
                files = []
        others = [record for record, _ in job.parts if record.record_id not in marked]
        if job.record.source_file:
            others.insert(0, job.record)
        self._warn(
            job.record.record_id,
            f"卷内有 {len(marked)} 条不予入库或待审核，整卷影像没有读取，其余 {len(others)} 条只存目录",
            "请先处理待审的条目（chadang review list），或把标密的件从整卷影像中抽出，移出本系统的文件夹",
        )
        return [RecordJob(record, [], catalogued=True, volume=job.volume) for record in others]

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
                where = row_place(row.record)
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
                        where, f"档号（或编号）{code} 与{row_place(first.record)}重复{said}",
                        "请核对，保留一条",
                    )  # fmt: skip
                else:
                    seen[code] = len(rows)
                    rows.append((folder, row))
        return rows, withheld

    def _stat(self, files: Iterable[str], paths: dict[str, Path]) -> list[JobFile]:
        found = []
        for path in sorted(files, key=lambda path: (page_order(path), natural_key(path))):
            try:
                status = paths[path].stat()
            except OSError as error:
                self._skip(path, f"打不开：{error.strerror or error}", "请检查权限")
                continue
            found.append(JobFile(self._prefix + path, paths[path], status.st_size, status.st_mtime))
        return found

    def _volume(
        self, volume: Volume, rows: Sequence[tuple[str, CatalogueRow]], paths: dict[str, Path]
    ) -> RecordJob:
        """One job for a whole volume: its scans are read once and shared out."""
        owner = None if volume.owner is None else rows[volume.owner][1].record
        members = [rows[place][1] for place in volume.members]
        keys = () if volume.owner is None else rows[volume.owner][1].keys
        return RecordJob(
            owner or volume_record(volume, self._prefix), self._stat(volume.files, paths),
            catalogued=True,
            parts=tuple((row.record, row.span) for row in members if row.span is not None),
            keys=keys, volume=volume.key,
        )  # fmt: skip

    def _uncatalogued(self, path: str, paths: dict[str, Path]) -> RecordJob:
        record = Record(record_id=self._prefix + path, title=PurePosixPath(path).stem)
        return RecordJob(record, self._stat([path], paths), catalogued=False)

    def _shared(self, path: str, claiming: Sequence[Record], paths: dict[str, Path]) -> RecordJob:
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

    def _belongs_elsewhere(self, job: RecordJob) -> bool:
        """Whether another ingested folder already holds this record with its own file."""
        stored = self._store.record(job.record.record_id)
        if stored is None or not stored.file_path:
            return False
        file = self._store.file(stored.file_path)
        if file is None or is_below(Path(file.root) / file.path, self._folder):
            return False
        other = Path(file.root) / file.path
        if not other.exists():
            return False
        self._skip(
            job.record.record_id, f"同一档号已从另一个文件夹入库（{file.path}）",
            "请只保留一处；要换成这里的，先移走原处的文件再入库",
        )  # fmt: skip
        return True

    def _skip(self, where: str, reason: str, next_step: str) -> None:
        self._report.skipped.append(Skipped(where, reason, next_step))

    def _warn(self, where: str, reason: str, next_step: str, kind: str = "") -> None:
        self._report.warnings.append(Skipped(where, reason, next_step, kind))


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]
