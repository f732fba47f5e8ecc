"""The job queue: rows for every file, dead letters and retries, one run at a time, pause and stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from index.store import Store
from ingest.errors import IngestError
from ingest.jobs import (
    JobState,
    RunLock,
    RunState,
    Wanted,
    ask,
    dead_letters,
    job_counts,
    jobs,
    last_run,
)
from ingest.pipeline import ingest
from tests.conftest import ROOT
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui.cli import main
from ui.ingest_process import start_ingest

_GOOD = [["关于城市管理工作情况的报告，一切正常。"] * 4]


@pytest.fixture
def home(tmp_path):
    store, settings = open_home(tmp_path / "home")
    yield store, settings
    store.close()


def _states(store: Store) -> dict[str, JobState]:
    return {job.path: job.state for job in jobs(store)}


def test_every_file_of_a_run_has_a_row(tmp_path, home) -> None:
    """This test ensures that files taken in, failed, withheld and not supported are all there."""
    store, settings = home
    source = tmp_path / "馆藏"
    write_text_pdf(source / "好.pdf", _GOOD)
    (source / "坏.pdf").write_bytes(b"%PDF-1.7\n")
    (source / "别的.zip").write_bytes(b"PK")
    (source / "密件.txt").write_text("机密★\n", encoding="utf-8")
    (source / "甲.txt").write_text("甲件的内容。", encoding="utf-8")
    write_workbook(
        source / "目录.xlsx",
        {"目录": [["档号", "题名", "密级", "文件名"], ["甲-1", "某件", "秘密", "甲.txt"]]},
    )

    ingest(source, store, settings)

    assert _states(store) == {
        "好.pdf": JobState.DONE, "坏.pdf": JobState.FAILED, "别的.zip": JobState.UNSUPPORTED,
        "密件.txt": JobState.WITHHELD, "甲.txt": JobState.WITHHELD,
    }  # fmt: skip
    assert sum(job_counts(store).values()) == 5
    run = last_run(store, settings.home)
    assert run is not None
    assert run.state is RunState.FINISHED
    assert run.progress is not None
    assert run.progress.share == 1.0
    (dead,) = dead_letters(store)
    assert (dead.path, dead.attempts) == ("坏.pdf", 1)
    assert dead.error
    assert dead.next_step


def test_a_dead_letter_is_retried_when_asked_or_changed_only(tmp_path, home, capsys) -> None:
    """This test ensures that a bad file is neither forgotten nor tried again and again."""
    store, settings = home
    source = tmp_path / "馆藏"
    write_text_pdf(source / "好.pdf", _GOOD)
    (source / "坏.pdf").write_bytes(b"%PDF-1.7\n")
    ingest(source, store, settings)

    report = ingest(source, store, settings)
    assert [job.attempts for job in dead_letters(store)] == [1]
    assert [s.where for s in report.skipped] == ["坏.pdf"]

    ingest(source, store, settings, retry=True)
    assert [(job.path, job.attempts) for job in dead_letters(store)] == [("坏.pdf", 2)]
    assert {job.attempts for job in jobs(store, (JobState.DONE,))} == {1}

    flags = ["--home", str(settings.home), "--no-index"]
    assert main(["ingest", "--failed", *flags]) == 0
    assert "坏.pdf（试过 2 次）" in capsys.readouterr().out

    shutil.copy(source / "好.pdf", source / "坏.pdf")
    assert main(["ingest", "--retry", *flags]) == 0
    assert dead_letters(store) == []
    assert {r.record_id for r in store.records()} == {"好.pdf", "坏.pdf"}
    assert main(["ingest", "--retry", *flags]) == 0
    assert "不用重试" in capsys.readouterr().out


def test_a_new_version_of_the_program_tries_dead_letters_again(tmp_path, home, monkeypatch) -> None:
    """This test ensures that a better reader gets the files the old one failed on."""
    store, settings = home
    source = tmp_path / "馆藏"
    source.mkdir()
    (source / "坏.pdf").write_bytes(b"%PDF-1.7\n")
    ingest(source, store, settings)

    monkeypatch.setattr("ingest.pdf.PDF_READER", "pdf-99")
    ingest(source, store, settings)
    ingest(source, store, settings)

    assert [job.attempts for job in dead_letters(store)] == [2]


def test_files_of_the_same_content_are_taken_in_and_mentioned(tmp_path, home) -> None:
    """This test ensures that a double is accepted and flagged, a moved file is not."""
    store, settings = home
    source = tmp_path / "馆藏"
    write_text_pdf(source / "甲.pdf", _GOOD)
    write_text_pdf(source / "乙.pdf", _GOOD)

    report = ingest(source, store, settings)
    assert len(store.records()) == 2
    assert [w.where for w in report.warnings if "完全相同" in w.reason] != []

    (source / "甲.pdf").unlink()
    (source / "乙.pdf").rename(source / "丙.pdf")
    report = ingest(source, store, settings)
    assert [w for w in report.warnings if "完全相同" in w.reason] == []


def test_one_run_at_a_time(tmp_path, home) -> None:
    """This test ensures that a second run of the same home is told about the first."""
    store, settings = home
    (tmp_path / "馆藏").mkdir()

    with RunLock(settings.home), pytest.raises(IngestError, match="另一个入库在运行"):
        ingest(tmp_path / "馆藏", store, settings)

    assert not RunLock(settings.home).is_held()
    ingest(tmp_path / "馆藏", store, settings)


def _many(source: Path, count: int) -> None:
    source.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (source / f"{i:04}.txt").write_text(f"第 {i} 件，关于养犬管理。\n" * 20, encoding="utf-8")


def test_a_run_pauses_goes_on_and_stops_when_another_process_says_so(tmp_path, home) -> None:
    """This test ensures that pause holds the work, resume ends it, stop leaves it for next time."""
    store, settings = home
    source = tmp_path / "馆藏"
    _many(source, 600)
    seen: list[int] = []
    slow = threading.Thread(
        target=ingest, args=(source, store, settings),
        kwargs={"progress": lambda state: (seen.append(state.files_done), time.sleep(0.1))},
    )  # fmt: skip
    slow.start()
    flags = ["--home", str(settings.home)]

    def wait_for(state: RunState) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            run = last_run(store, settings.home)
            if run is not None and run.state is state:
                return
            time.sleep(0.05)
        raise AssertionError(state)

    wait_for(RunState.RUNNING)
    child = [sys.executable, "-m", "ui", "jobs", *flags]
    assert subprocess.run([*child, "--pause"], cwd=ROOT, check=False).returncode == 0
    wait_for(RunState.PAUSED)
    held = -1
    while held != len(store.records()):  # what was being read is finished first
        held = len(store.records())
        time.sleep(0.7)
    time.sleep(0.7)
    assert len(store.records()) == held < 600
    assert subprocess.run([*child, "--resume"], cwd=ROOT, check=False).returncode == 0
    wait_for(RunState.RUNNING)
    assert ask(store, settings.home, Wanted.STOP)
    slow.join(timeout=60)

    assert not slow.is_alive()
    run = last_run(store, settings.home)
    assert run is not None
    assert run.state is RunState.STOPPED
    assert len(store.records()) < 600
    assert job_counts(store)[JobState.WAITING] > 0
    assert not ask(store, settings.home, Wanted.PAUSE)
    ingest(source, store, settings)
    assert job_counts(store) == {JobState.DONE: 600}


def test_a_killed_run_shows_as_interrupted(tmp_path, home) -> None:
    """This test ensures that a dead process is not taken for a live one."""
    store, settings = home
    source = tmp_path / "馆藏"
    _many(source, 800)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.kill_child", str(source), str(settings.home)], cwd=ROOT
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        run = last_run(store, settings.home)
        if run is not None and run.state is RunState.RUNNING:
            break
        time.sleep(0.02)
    child.kill()
    child.wait()

    run = last_run(store, settings.home)
    assert run is not None
    assert run.state is RunState.INTERRUPTED


def test_a_restricted_type_marked_open_is_kept_restricted_and_mentioned(tmp_path, home) -> None:
    """This test ensures that the report names what the catalogue opened against the rules."""
    store, settings = home
    write_workbook(
        tmp_path / "馆藏" / "目录.xlsx",
        {"目录": [
            ["档号", "题名", "开放标识"], ["甲-1", "第九次主任会议纪要", "开放"],
            ["甲-2", "关于养犬管理的通知", "开放"],
        ]},
    )  # fmt: skip

    report = ingest(tmp_path / "馆藏", store, settings)

    assert [w.where for w in report.warnings if "仍按限制利用" in w.reason] == ["甲-1"]
    assert store.record("甲-1").restriction == "工作秘密"
    assert not store.record("甲-2").restricted


def test_the_pages_can_start_a_run_and_watch_it(tmp_path, home) -> None:
    """This test ensures that a run started from the server works by itself and can be followed."""
    store, settings = home
    source = tmp_path / "馆藏"
    _many(source, 3)

    with pytest.raises(IngestError, match="不存在"):
        start_ingest(settings, tmp_path / "没有")
    with RunLock(settings.home), pytest.raises(IngestError, match="请等它结束"):
        start_ingest(settings, source)
    pid = start_ingest(settings, source).pid

    deadline = time.monotonic() + 60
    run = None
    while time.monotonic() < deadline and (run is None or run.state is not RunState.FINISHED):
        time.sleep(0.1)
        run = last_run(store, settings.home)
    assert run is not None
    assert (run.pid, run.state) == (pid, RunState.FINISHED)
    assert len(store.records()) == 3
    os.kill(pid, signal.SIGKILL)  # it goes on to build the index, which is no matter here
    for thread in threading.enumerate():
        if thread.name == "ingest-run":
            thread.join(timeout=10)
