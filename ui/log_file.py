"""The product's own log (`home/logs/chadang.log`): one line an event, no question, no secret.

What an exception says may hold words of a question or a record, so of an exception only its kind
and the places in the program are written.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from index.settings import TABLE, Settings

FOLDER: Final = "logs"
FILE_NAME: Final = "chadang.log"
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LOGGERS: Final = ("assistant", "index", "ingest", "ui")
_FOREIGN: Final = ("uvicorn.error",)
_LARGEST: Final = 2_000_000
_KEPT: Final = 5
_FRAMES: Final = 8
_LONGEST_LINE: Final = 2_000
_SHORTEST_SECRET: Final = 4
_LINE: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([\w.]+) (.*)"
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event: time (`2026-11-23 09:00:00`), level, part of the program, what happened."""

    at: str
    level: str
    where: str
    what: str


class _Formatter(logging.Formatter):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%d %H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """One line; control characters and secrets taken out."""
        line = self.formatTime(record, self.datefmt)
        line += f" {record.levelname} {record.name} {record.getMessage()}"
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            frames = traceback.extract_tb(trace)[-_FRAMES:]
            places = " < ".join(
                f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames)
            )
            line += f" [{kind.__name__}: {places}]"
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in line)[:_LONGEST_LINE]


class _OwnerOnly(RotatingFileHandler):
    """Opens its files for their owner alone."""

    def _open(self):  # type: ignore[no-untyped-def]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, self.mode, encoding=self.encoding)


def start_log_file(settings: Settings) -> Path | None:
    """Write what happens from now on into the log of a home, in turn over a few files.

    Returns:
        The file; None when it cannot be written, which is told once and stops nothing.
    """
    path = settings.home / FOLDER / FILE_NAME
    secrets = tuple(
        value
        for setting in TABLE
        if setting.secret and len(value := settings.text(setting.name)) >= _SHORTEST_SECRET
    )
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handler = _OwnerOnly(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")
    except OSError as error:
        logging.getLogger(__name__).warning("no log file: %s", error)
        return None
    handler.setFormatter(_Formatter(secrets))
    handler.setLevel(logging.INFO)
    for name in (*_LOGGERS, *_FOREIGN):
        logger = logging.getLogger(name)
        for old in [h for h in logger.handlers if isinstance(h, _OwnerOnly)]:
            logger.removeHandler(old)
            old.close()
        # What goes to the terminal stays as it was; the file hears more.
        for other in logger.handlers:
            if other.level == logging.NOTSET:
                other.setLevel(logger.getEffectiveLevel())
        logger.setLevel(logging.INFO if name in _LOGGERS else logging.WARNING)
        logger.addHandler(handler)
    return path


def log_lines(home: Path, level: str = "INFO", count: int = 300) -> list[LogLine]:
    """The newest lines of the log at or above a level, the newest first."""
    least = LEVELS.index(level) if level in LEVELS else 0
    kept: deque[LogLine] = deque(maxlen=max(1, count))
    for line in _all_lines(home / FOLDER):
        if LEVELS.index(line.level) >= least:
            kept.append(line)
    return list(reversed(kept))


def _all_lines(folder: Path) -> Iterator[LogLine]:
    names = [*(f"{FILE_NAME}.{i}" for i in range(_KEPT, 0, -1)), FILE_NAME]
    for name in names:
        path = folder / name
        if path.is_symlink() or not path.is_file():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                found = _LINE.fullmatch(text.rstrip("\n"))
                if found is not None:
                    yield LogLine(*found.groups())


__all__ = ["FILE_NAME", "FOLDER", "LEVELS", "LogLine", "log_lines", "start_log_file"]
