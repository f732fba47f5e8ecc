"""What a run is doing: records to be stored, their files while these are read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from index.domain import Record
from index.held import HeldItem
from ingest.errors import SourceReadError
from ingest.gate import NEXT_STEP
from ingest.page_text import Note, PageText
from ingest.readers import Kind, reader_kind
from ingest.secrecy import Finding, Grade
from ingest.volumes import Span
from ingest.workers import CHUNK, MOST_PAGES


@dataclass
class JobFile:
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
    #: Released by a decision: a secrecy mark on its pages holds nothing back.
    released: bool = False
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
        """Whether no page of it is waited for."""
        return self.open_tasks == 0 and not self.waiting_for_ocr


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a task is about: a file of a job, or with `ocr_page` one page to recognise."""

    job: int
    place: int
    ocr_page: int = 0


@dataclass(slots=True)
class RecordJob:
    """A record to be stored."""

    record: Record
    files: list[JobFile]
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
        """The record and, of a volume, its files."""
        return [self.record, *(record for record, _ in self.parts)]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A job that must not be read.

    Attributes:
        job: The job.
        item: Its place on the list of what is held back.
        because: What it has to do with the item, when that is about another record.
    """

    job: RecordJob
    item: HeldItem
    because: str = ""

    @property
    def reason(self) -> str:
        """Why it is held back, for the report of a preview."""
        return f"{self.because}{self.item.reason}，{self.item.grade}"

    @property
    def said(self) -> str:
        """The same with its number on the list of what is held back."""
        return f"{self.reason}（第 {self.item.number} 号）"

    @property
    def step(self) -> str:
        """What the archivist does next."""
        return NEXT_STEP[Grade(self.item.grade)]

    @property
    def secret(self) -> bool:
        """Whether it must leave the folder, not only be looked at by somebody."""
        return self.item.grade == Grade.SECRET


def row_place(record: Record) -> str:
    """Where a record's catalogue row stands: 目录.xlsx 第 3 行."""
    return f"{record.source_file} 第 {record.source_row} 行"
