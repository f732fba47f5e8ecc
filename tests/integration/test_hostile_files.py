"""Broken and hostile files: no crash, no hang, each named, and the sound ones are taken in."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.jobs import JobState, dead_letters, jobs
from ingest.pipeline import ingest
from tests.hostile_files import write_bombs, write_broken_files
from tests.ingest_files import open_home, write_text_pdf

_SETTLED = {JobState.DONE, JobState.PARTIAL, JobState.FAILED}


def _take_in(tmp_path: Path, write: Callable[[Path], dict[str, str]]) -> dict[str, float]:
    """Take hostile files in between two sound ones; seconds each file was under way."""
    source = tmp_path / "馆藏"
    expected = write(source)
    write_text_pdf(source / "0好.pdf", [["关于城市管理工作情况的报告，一切正常。"] * 4])
    (source / "最后.txt").write_text("关于养犬管理的函，一切正常。\n", encoding="utf-8")
    store, settings = open_home(tmp_path / "home")
    changes: list[tuple[float, str]] = []

    def progress(state: object) -> None:
        changes.append((time.monotonic(), getattr(state, "current", "")))

    report = ingest(source, store, settings, progress=progress)

    named = {s.where for s in (*report.skipped, *report.warnings)}
    assert not {n for n, what in expected.items() if what == "named"} - named
    assert all(s.reason.strip() for s in report.skipped)
    taken = {r.record_id for r in store.records()}
    assert {"0好.pdf", "最后.txt"} <= taken
    assert expected.keys() <= taken | named
    assert {j.path for j in jobs(store, _SETTLED)} == {*expected, "0好.pdf", "最后.txt"}
    assert all(j.error and j.attempts == 1 for j in dead_letters(store))
    assert store.check() == []
    store.close()
    waits: dict[str, float] = {}
    for (begun, current), (ended, _) in itertools.pairwise(changes):
        waits[current] = max(waits.get(current, 0.0), ended - begun)
    return waits


def test_broken_files_are_named_and_the_batch_goes_on(tmp_path: Path) -> None:
    """This test ensures that damage of every kind costs the damaged file only."""
    waits = _take_in(tmp_path, write_broken_files)

    assert max(waits.values()) < 60


@pytest.mark.slow
def test_bombs_are_named_and_the_batch_goes_on(tmp_path: Path) -> None:
    """This test ensures that what wants all memory or time is stopped and named."""
    waits = _take_in(tmp_path, write_bombs)

    assert max(waits.values()) < 60
