"""Errors of the write path.

::

    IngestError
    ├── CatalogueError      a catalogue cannot be read at all
    │   └── NotACatalogueError  a table of something else
    ├── SourceReadError     a file (or page) cannot be read
    │   └── PasswordError   a file asks for a password
    └── WorkerError         a reading process died or ran out of time

One bad file never stops a batch: the pipeline turns these into lines of the report.
"""

from __future__ import annotations

from index.errors import ArchiveError


class IngestError(ArchiveError):
    """Anything that goes wrong while taking files in."""


class CatalogueError(IngestError):
    """A catalogue (目录) cannot be read at all; single bad rows are warnings instead."""


class NotACatalogueError(CatalogueError):
    """A readable table without a heading row of a catalogue."""


class SourceReadError(IngestError):
    """A file or page cannot be read.

    Attributes:
        next_step: What a person can do about it, in Chinese.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class PasswordError(SourceReadError):
    """The file asks for a password."""


class WorkerError(SourceReadError):
    """A reading process died or ran out of time."""
