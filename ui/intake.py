"""What the ingest page shows and does, apart from HTTP: states as JSON, actions on the job queue."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from index.held import RELEASED, WITHHELD, DecisionError, HeldItem, HeldItems
from index.passage_index import read_manifest
from index.settings import Settings
from index.store import Store
from ingest.coverage import holdings_by
from ingest.errors import IngestError
from ingest.jobs import Job, Run, RunState, Wanted, ask, dead_letters, job_counts, last_run
from ingest.run_files import filed_reports
from ui.ingest_process import LOG_FILE, Process, start_check, start_ingest
from ui.ingest_sources import IngestSources, SourceRefusedError

#: Rows of each list the page shows; the report has all of them.
_ROWS: Final = 200
_REPORTS: Final = 20
_LOG_BYTES: Final = 4000
_PREVIEW_BYTES: Final = 200_000
_COVERAGE_SECONDS: Final = 15.0

Body = Mapping[str, Any]


class Intake:
    """The ingest of one home as the page sees it. Safe between threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._sources = IngestSources(store, settings)
        self._lock = threading.Lock()
        self._run: Process | None = None
        self._run_before = 0
        self._check: tuple[Process, Path] | None = None
        self._coverage: tuple[float, int, dict[str, Any]] | None = None
        self.actions: Final[Mapping[str, Callable[[Body], str]]] = {
            "check": self._start_check,
            "start": self._start,
            "pause": lambda _: self._ask(Wanted.PAUSE, "已要求暂停，手上的一页做完即停。"),
            "resume": lambda _: self._ask(Wanted.RUN, "已要求继续。"),
            "stop": lambda _: self._ask(Wanted.STOP, "已要求停止；再次开始会接着做。"),
            "retry": self._retry,
            "decide": self._decide,
        }

    # -- what is shown --------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The run, the counts and the preview: small, asked for every second."""
        run = last_run(self._store, self._settings.home)
        counts = {state.value: n for state, n in job_counts(self._store).items()}
        phase = self._phase(run)
        undecided = len(HeldItems(self._store).items(undecided=True))
        index = self._index()
        return {
            "phase": phase,
            "run": None if run is None else _run_json(run),
            "counts": counts,
            "undecided": undecided,
            "index": index,
            "said": self._said() if phase in ("indexing", "failed") else "",
            "check": self._check_state(),
            "stamp": f"{phase} {run and run.number} {sorted(counts.items())} {undecided} {index}"
            if phase not in ("running", "starting")
            else f"{phase} {run and run.number} {undecided}",
        }

    def details(self) -> dict[str, Any]:
        """The lists: asked for when something changed."""
        dead = dead_letters(self._store)
        held = HeldItems(self._store).items()
        waiting = [item for item in held if not item.decisions]
        decided = [item for item in held if item.decisions]
        return {
            "sources": self._sources.offered(),
            "dead": {"total": len(dead), "rows": [_dead_json(job) for job in dead[:_ROWS]]},
            "held": {"total": len(waiting), "rows": [_held_json(i) for i in waiting[:_ROWS]]},
            "decided": {
                "total": len(decided),
                "rows": [_held_json(i) for i in reversed(decided[-_ROWS:])],
            },
            "reports": [
                {
                    "run": filed.run,
                    "at": filed.at,
                    "html": filed.html.name,
                    "xlsx": filed.xlsx.name,
                }
                for filed in filed_reports(self._settings.home)[:_REPORTS]
            ],
            "coverage": self._covered(),
        }

    def report_file(self, name: str) -> Path | None:
        """A file of a report or preview by its name, None when it is none of them."""
        known = {"check.xlsx": self._check_file}
        for filed in filed_reports(self._settings.home):
            known |= {filed.html.name: filed.html, filed.xlsx.name: filed.xlsx}
        path = known.get(name)
        return path if path is not None and path.is_file() and not path.is_symlink() else None

    def _phase(self, run: Run | None) -> str:
        with self._lock:
            process, before = self._run, self._run_before
        number = 0 if run is None else run.number
        if run is not None and run.state is RunState.RUNNING:
            return "stopping" if run.wanted is Wanted.STOP else "running"
        if run is not None and run.state is RunState.PAUSED:
            return "stopping" if run.wanted is Wanted.STOP else "paused"
        if process is not None and process.poll() is None:
            return "indexing" if number > before else "starting"
        if process is not None and process.returncode:
            return "failed"
        return "idle"

    def _said(self) -> str:
        return _tail(self._settings.home / LOG_FILE, _LOG_BYTES)

    def _index(self) -> str:
        manifest = read_manifest(self._settings.index_path)
        if manifest is None:
            return "没有索引"
        current = manifest["data_version"] == self._store.content_version
        return "与馆藏一致" if current else "落后于馆藏"

    def _covered(self) -> dict[str, Any]:
        version = self._store.data_version
        kept = self._coverage
        if kept is None or (kept[1] != version and time.monotonic() - kept[0] > _COVERAGE_SECONDS):
            groups = holdings_by(self._store)
            shown = {h: [dataclasses.asdict(g) for g in found] for h, found in groups.items()}
            kept = self._coverage = (time.monotonic(), version, shown)
        return kept[2]

    # -- preview --------------------------------------------------------------------------------

    @property
    def _check_file(self) -> Path:
        return self._settings.cache_path / "check.xlsx"

    @property
    def _check_log(self) -> Path:
        return self._settings.cache_path / "check.log"

    def _check_state(self) -> dict[str, Any]:
        with self._lock:
            check = self._check
        if check is None:
            return {"state": "none", "source": "", "text": "", "file": ""}
        process, source = check
        code = process.poll()
        state = "running" if code is None else "failed" if code == 1 else "done"
        return {
            "state": state,
            "source": str(source),
            "text": "" if code is None else _head(self._check_log, _PREVIEW_BYTES),
            "file": "check.xlsx" if state == "done" and self._check_file.is_file() else "",
        }

    def _start_check(self, body: Body) -> str:
        source = self._sources.allowed(_text(body, "source"))
        with self._lock:
            if self._check is not None and self._check[0].poll() is None:
                msg = "上一个预览还没有做完，请稍候。"
                raise IngestError(msg)
            process = start_check(self._settings, source, self._check_log, self._check_file)
            self._check = (process, source)
        return "正在预览，什么也不会写入。"

    # -- run ------------------------------------------------------------------------------------

    def _start(self, body: Body) -> str:
        self._launch(self._sources.allowed(_text(body, "source")), force=body.get("force") is True)
        return "已开始入库。"

    def _retry(self, body: Body) -> str:
        dead = dead_letters(self._store)
        place = _text(body, "place") if "place" in body else ""
        wanted = [job for job in dead if not place or job.place == place]
        if not wanted:
            msg = "没有可以重试的文件，可能已经处理好了。"
            raise IngestError(msg)
        for source in {job.source for job in wanted}:
            self._sources.allowed(source)
        self._launch(Path(wanted[0].source) if place else None, retry=True, only=place)
        return "已开始重试。"

    def _launch(
        self, source: Path | None, *, force: bool = False, retry: bool = False, only: str = ""
    ) -> None:
        with self._lock:
            # The lock file is free while it starts and while it builds the index.
            if self._run is not None and self._run.poll() is None:
                msg = "上一次入库还在收尾（建索引），请等它结束。"
                raise IngestError(msg)
            before = last_run(self._store, self._settings.home)
            self._run = start_ingest(
                self._settings, source, force=force, retry=retry, only=[only] if only else ()
            )
            self._run_before = 0 if before is None else before.number

    def _ask(self, wanted: Wanted, done: str) -> str:
        if not ask(self._store, self._settings.home, wanted):
            msg = "现在没有正在运行的入库。"
            raise IngestError(msg)
        return done

    # -- review ---------------------------------------------------------------------------------

    def _decide(self, body: Body) -> str:
        number, decision = body.get("number"), _text(body, "decision")
        if type(number) is not int or decision not in (RELEASED, WITHHELD):
            msg = "请选择放行或不予入库。"
            raise DecisionError(msg)
        by, reason = _text(body, "by").strip(), _text(body, "reason").strip()
        if not by or not reason:
            msg = "请写明由谁决定和理由。"
            raise DecisionError(msg)
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        HeldItems(self._store).decide(
            number, decision, by, reason, now, paper=_text(body, "paper") if "paper" in body else ""
        )
        if decision == RELEASED:
            return f"第 {number} 号已放行。请再入库一次，它才会进来。"
        return f"第 {number} 号不予入库。请把文件移出本系统的文件夹。"


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > 4000:
        msg = "请求不完整，请刷新页面再试。"
        raise SourceRefusedError(msg)
    return value


def _run_json(run: Run) -> dict[str, Any]:
    progress = None if run.progress is None else dataclasses.asdict(run.progress)
    return {
        "number": run.number,
        "source": run.source,
        "state": run.state.value,
        "started": run.started,
        "finished": run.finished,
        "progress": progress,
    }


def _dead_json(job: Job) -> dict[str, Any]:
    return {
        "place": job.place,
        "path": job.path,
        "source": job.source,
        "state": job.state.value,
        "attempts": job.attempts,
        "error": job.error,
        "next_step": job.next_step,
    }


def _held_json(item: HeldItem) -> dict[str, Any]:
    return {
        "number": item.number,
        "place": item.place,
        "grade": item.grade,
        "reason": item.reason,
        "seen": item.seen,
        "paper": item.grade == WITHHELD,
        "decisions": [dataclasses.asdict(d) for d in item.decisions],
    }


def _tail(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _head(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


__all__ = ["Intake"]
