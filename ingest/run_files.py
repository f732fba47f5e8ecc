"""The filed reports on disk: JSON, HTML and XLSX of every run under `home/reports`."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from index.domain import IngestReport
from index.settings import Settings
from index.store import Store
from ingest.errors import IngestError
from ingest.run_html import report_html
from ingest.run_report import RunReport, gather
from ingest.run_tables import report_workbook

logger = logging.getLogger(__name__)

_NAME: Final = re.compile(r"ingest-(\d{5,})-\d{8}-\d{6}\.json")


@dataclass(frozen=True, slots=True)
class FiledReport:
    """The files of one run's report; any of them may have been moved away by somebody."""

    run: int
    json: Path

    @property
    def at(self) -> str:
        """When it was written, `2026-11-23 08:03`."""
        day, clock = self.json.stem.split("-")[2:4]
        return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}"

    @property
    def html(self) -> Path:
        """For reading and printing."""
        return self.json.with_suffix(".html")

    @property
    def xlsx(self) -> Path:
        """For sorting and counting."""
        return self.json.with_suffix(".xlsx")


def file_report(
    report: IngestReport, store: Store, settings: Settings, *, stopped: bool
) -> FiledReport | None:
    """Write the report of the run that ends now.

    Returns:
        Its files, None when they cannot be written: what was taken in stays taken in.
    """
    now = datetime.now().astimezone()
    whole = gather(report, store, settings, stopped=stopped, now=now)
    folder = settings.home / "reports"
    filed = FiledReport(whole.run, folder / f"ingest-{whole.run:05d}-{now:%Y%m%d-%H%M%S}.json")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The JSON last: where it stands, the others were written.
        _put(
            filed.html, report_html(whole, settings.text("archive_name")).encode("utf-8", "replace")
        )
        _put(filed.xlsx, report_workbook(whole))
        _put(filed.json, json.dumps(whole.to_json(), ensure_ascii=False).encode("utf-8", "replace"))
    except OSError as error:
        logger.warning("cannot write the report of run %s: %s", whole.run, error)
        return None
    return filed


def filed_reports(home: Path) -> list[FiledReport]:
    """All reports, the newest first."""
    return sorted(_found(home / "reports"), key=lambda filed: filed.run, reverse=True)


def _found(folder: Path) -> Iterator[FiledReport]:
    if folder.is_dir():
        for path in folder.iterdir():
            if (name := _NAME.fullmatch(path.name)) is not None:
                yield FiledReport(int(name[1]), path)


def read_report(home: Path, run: int | None = None) -> RunReport:
    """The report of a run, by default the newest.

    Raises:
        IngestError: If there is none, or its file is damaged.
    """
    filed = next((f for f in filed_reports(home) if run is None or f.run == run), None)
    if filed is None:
        which = "还没有入库报告" if run is None else f"没有第 {run} 次入库的报告"
        msg = f"{which}。每次 chadang ingest 结束时会写一份；已有的见 chadang report --list。"
        raise IngestError(msg)
    try:
        return RunReport.from_json(json.loads(filed.json.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        msg = f"报告 {filed.json} 读不出（{error}）。请改看同名的 .html 或 .xlsx。"
        raise IngestError(msg) from error


def _put(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)


__all__ = ["FiledReport", "file_report", "filed_reports", "read_report"]
