"""Starts ingest runs and previews in processes of their own: a run outlives the web server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from index.child_process import module_command, module_environment
from index.settings import Settings
from ingest.errors import IngestError
from ingest.jobs import RunLock

#: What the run says goes here, the newest run only; below the home.
LOG_FILE: Final = "ingest.log"
#: In the environment of what is started here: the page has registered who began it.
FROM_PAGE: Final = "STARTED_BY_CHADANG_PAGE"

Process = subprocess.Popen[bytes]


def start_ingest(
    settings: Settings,
    source: Path | None,
    *,
    force: bool = False,
    retry: bool = False,
    only: Sequence[str] = (),
) -> Process:
    """Start `chadang ingest` and return at once; watch it with `ingest.jobs.last_run`.

    Args:
        settings: The home to take the files into.
        source: Folder, catalogue or file; None only with `retry`, for all dead letters.
        force: As `chadang ingest --force`.
        retry: As `chadang ingest --retry`.
        only: With `retry`, absolute paths of the files to read again.

    Returns:
        The process; its end is waited for.

    Raises:
        IngestError: If there is no such source, or a run of this home goes on.
    """
    if source is None and not retry:
        msg = "请选择要入库的目录。"
        raise IngestError(msg)
    if source is not None and not source.expanduser().exists():
        msg = f"{source} 不存在。请给出存放档案目录表和文件的目录。"
        raise IngestError(msg)
    if RunLock(settings.home).is_held():
        msg = "这个馆藏正有另一个入库在运行，请等它结束。"
        raise IngestError(msg)
    arguments = ["ingest", "--home", str(settings.home.resolve())]
    arguments += ["--force"] * force + ["--retry"] * retry
    arguments += [f"--file={place}" for place in only]
    if source is not None:
        arguments.append(str(source.expanduser().resolve()))
    return _start(arguments, settings.home / LOG_FILE)


def start_check(settings: Settings, source: Path, log: Path, workbook: Path) -> Process:
    """Start `chadang ingest --check`: what it says goes to `log`, the lists to `workbook`.

    Args:
        settings: The home whose mapping file counts.
        source: Folder, catalogue or file, absolute.
        log: Written anew.
        workbook: Written at the end, a .xlsx.
    """
    workbook.parent.mkdir(parents=True, exist_ok=True)
    workbook.unlink(missing_ok=True)
    arguments = ["ingest", "--home", str(settings.home.resolve()), "--check"]
    return _start([*arguments, f"--report={workbook}", str(source)], log)


def _start(arguments: Sequence[str], log: Path) -> Process:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        process = subprocess.Popen(
            module_command("ui", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**module_environment(), FROM_PAGE: "1"},
            start_new_session=True,
        )
    # Waited for, so that its end leaves no zombie.
    threading.Thread(target=process.wait, name="ingest-run", daemon=True).start()
    return process
