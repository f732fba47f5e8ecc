"""The report of a run as an archivist files it (入库报告): gathered once, when the run ends.

It holds names, counts, states and reasons; no text of any record and no catalogue field, so that
it may lie in a folder where the records themselves may not.
"""

from __future__ import annotations

import dataclasses
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from index.domain import IngestReport, Skipped, TextSource
from index.held import HeldItem, HeldItems
from index.settings import Settings
from index.store import PageFacts, Store
from ingest.jobs import Job, JobState, jobs, last_run
from ingest.ocr_version import ocr_engine, ocr_name
from ingest.pdf import PDF_READER
from ingest.report import Concern, report_to_json
from ingest.secrecy import SECRECY_VERSION

#: Raise it when a reader of older files could not read newer ones.
FORMAT: Final = 1
_MODES: Final = {"": "普通", "force": "全部重新处理", "retry": "重试失败的文件"}
_SOURCES: Final = {
    TextSource.LAYER: "文字层",
    TextSource.OCR: "识别",
    TextSource.FILE: "文本文件",
    TextSource.NONE: "不可读",
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of the source.

    Attributes:
        path: As reports call it.
        state: `ingest.jobs.JobState` as text.
        record_id: The record it went into, empty when it was not taken in.
        pages: Pages stored of it.
        source: Where their text came from, e.g. `文字层 3，识别 2`.
        confidence: Mean confidence of recognised pages 0..1, None without any.
        reason: Why it is not done, in Chinese.
        next_step: What a person can do about it.
    """

    path: str
    state: str
    record_id: str
    pages: int
    source: str
    confidence: float | None
    reason: str
    next_step: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A record kept out, with what was decided; name and reason only."""

    number: int
    place: str
    grade: str
    reason: str
    seen: str
    decisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LostPage:
    """A stored page without any text."""

    record_id: str
    path: str
    page: int


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did.

    Attributes:
        run: Its number.
        mode: In words.
        state: How it ended, in words.
        source: Folder, catalogue or file.
        started: ISO time.
        finished: ISO time.
        versions: (name, version) of what read the files.
        counts: Totals by Chinese name, in the order to show.
        files: Every file of the source.
        rows_not_taken: Catalogue rows (and other things that are no file) not taken in.
        concerns: Things to check, grouped by `kind`.
        held: What the gate holds back, decided or not.
        lost: Pages without text.
        personal: Pages and places with personal data, by kind; never the data.
    """

    run: int
    mode: str
    state: str
    source: str
    started: str
    finished: str
    versions: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, int], ...]
    files: tuple[FileRow, ...]
    rows_not_taken: tuple[Skipped, ...]
    concerns: tuple[Skipped, ...]
    held: tuple[HeldRow, ...]
    lost: tuple[LostPage, ...]
    personal: tuple[tuple[str, int, int], ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON form; `from_json` reads it."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> RunReport:
        """The report a JSON form holds.

        Raises:
            ValueError: If it is no report of this format.
        """
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            msg = "not a run report of this format"
            raise ValueError(msg)
        values = {key: value for key, value in body.items() if key != "format"}
        lists = {"files": FileRow, "rows_not_taken": Skipped, "concerns": Skipped, "lost": LostPage}
        try:
            for name, kind in lists.items():
                values[name] = tuple(kind(**row) for row in values[name])
            values["held"] = tuple(
                HeldRow(**{**row, "decisions": tuple(row["decisions"])}) for row in values["held"]
            )
            for name in ("versions", "counts", "personal"):
                values[name] = tuple(tuple(row) for row in values[name])
            return cls(**values)
        except (KeyError, TypeError) as error:
            msg = "a damaged run report"
            raise ValueError(msg) from error

    def concerns_by_kind(self) -> list[tuple[str, list[Skipped]]]:
        """The concerns under their headings, in the order of `Concern`."""
        groups: dict[str, list[Skipped]] = {kind.value: [] for kind in Concern}
        for concern in self.concerns:
            groups.setdefault(concern.kind or Concern.OTHER, []).append(concern)
        return [(kind, entries) for kind, entries in groups.items() if entries]


@dataclass(slots=True)
class _Pages:
    """What the stored pages of one file add up to."""

    count: int = 0
    sources: Counter[TextSource] = field(default_factory=Counter)
    sure: list[float] = field(default_factory=list)

    def add(self, page: PageFacts) -> None:
        self.count += 1
        self.sources[page.source if page.readable else TextSource.NONE] += 1
        if page.source is TextSource.OCR and page.confidence is not None:
            self.sure.append(page.confidence)

    def row(self, job: Job) -> FileRow:
        state = JobState.WAITING if job.state is JobState.READING else job.state
        kinds = [f"{name} {self.sources[s]}" for s, name in _SOURCES.items() if self.sources[s]]
        return FileRow(
            job.path, state.value, job.record_id, self.count, "，".join(kinds),
            round(sum(self.sure) / len(self.sure), 4) if self.sure else None,
            job.error, job.next_step,
        )  # fmt: skip


def gather(
    report: IngestReport, store: Store, settings: Settings, *, stopped: bool, now: datetime
) -> RunReport:
    """Gather the report of the newest run, at its end.

    Args:
        report: What the run counted.
        store: Where it wrote.
        settings: As for the run.
        stopped: Whether it was asked to stop before its end.
        now: The end.
    """
    run = last_run(store, settings.home)
    assert run is not None  # noqa: S101 - the run that asks is in the table
    mine = [job for job in jobs(store) if job.run == run.number]
    pages: dict[str, _Pages] = defaultdict(_Pages)
    lost: list[LostPage] = []
    personal: Counter[str] = Counter()
    personal_pages: Counter[str] = Counter()
    for page in store.page_facts(_records_of(mine, store)):
        pages[page.file_path].add(page)
        if not page.readable:
            lost.append(LostPage(page.record_id, page.file_path, page.file_page))
        personal.update(page.personal)
        personal_pages.update(set(page.personal))
    paths = {job.path for job in mine}
    # Reasons name a file below the source; where folder names were put in front, by its end.
    given = Path(run.source)
    folder = given if given.is_dir() else given.parent
    below = {
        Path(job.place).relative_to(folder).as_posix()
        for job in mine
        if Path(job.place).is_relative_to(folder)
    }
    return RunReport(
        run=run.number,
        mode=_MODES.get(run.mode, run.mode),
        state="已停止" if stopped else "已完成",
        source=run.source,
        started=run.started,
        finished=now.isoformat(timespec="seconds"),
        versions=_versions(settings),
        counts=_counts(report, mine, len(lost)),
        files=tuple(pages[job.path].row(job) for job in mine),
        rows_not_taken=tuple(
            item for item in report.skipped if item.where not in paths and item.where not in below
        ),
        concerns=tuple(report.warnings),
        held=tuple(_held_row(item) for item in HeldItems(store).items()),
        lost=tuple(lost),
        personal=tuple((kind, personal_pages[kind], n) for kind, n in sorted(personal.items())),
    )


def _records_of(mine: Iterable[Job], store: Store) -> list[str]:
    """Ids of the records these files went into, files of cut volumes included."""
    paths = {job.path for job in mine}
    wanted = dict.fromkeys(job.record_id for job in mine if job.record_id)
    wanted |= dict.fromkeys(r.record_id for r in store.records() if r.file_path in paths)
    return list(wanted)


def _held_row(item: HeldItem) -> HeldRow:
    decisions = tuple(
        f"{d.at} {d.by} {d.decision}：{d.reason}" + (f"（依据 {d.paper}）" if d.paper else "")
        for d in item.decisions
    )
    return HeldRow(item.number, item.place, item.grade, item.reason, item.seen, decisions)


def _versions(settings: Settings) -> tuple[tuple[str, str], ...]:
    try:
        program = metadata.version("chadang")
    except metadata.PackageNotFoundError:
        program = "（从源码运行）"
    return (
        ("查档", program),
        ("文字识别", f"{ocr_name(_engine(settings))}，{settings.number('ocr_dpi')} dpi"),
        ("PDF 读取", PDF_READER),
        ("涉密把关规则", SECRECY_VERSION),
        ("系统", f"{platform.system()} {platform.machine()}，Python {platform.python_version()}"),
    )


def _engine(settings: Settings) -> str:
    chosen = settings.text("ocr_engine")
    return ocr_engine() if chosen == "auto" else chosen


def _counts(report: IngestReport, mine: list[Job], lost: int) -> tuple[tuple[str, int], ...]:
    states = Counter(job.state for job in mine)
    body = report_to_json(report)
    named = (
        ("目录条目", "catalogue_rows"),
        ("新增（件）", "records_added"),
        ("更新（件）", "records_updated"),
        ("移除（件）", "records_removed"),
        ("未变（件）", "unchanged"),
        ("本次读取：文字层（页）", "pages_layer"),
        ("本次读取：识别（页）", "pages_ocr"),
        ("本次读取：文本文件（页）", "pages_file"),
        ("切分段落", "passages"),
        ("用时（秒）", "seconds"),
    )
    return (
        ("文件", len(mine)),
        *((f"文件：{state.value}", states[state]) for state in JobState if states[state]),
        *((name, round(body[key])) for name, key in named),
        ("没有文字的页", lost),
    )


__all__ = ["FileRow", "HeldRow", "LostPage", "RunReport", "gather"]
