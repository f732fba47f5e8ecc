"""`chadang jobs`: what the ingest runs did and do; pause, go on, stop."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from index.store import Store
    from ingest.jobs import Job, Run
    from ui.arguments import ChineseParser

SUMMARY: Final = "查看入库作业：进度、失败的文件；暂停、继续、停止"
DETAILS: Final = (
    "入库在另一个窗口运行时也能看、能管。失败的文件列出原因和下一步，改好后用 chadang ingest --retry 重试；\n"
    "没有改动的失败文件，普通的 chadang ingest 不会反复去试。"
)


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    one = parser.options.add_mutually_exclusive_group()
    one.add_argument("--failed", action="store_true", help="列出失败和部分不可读的文件")
    one.add_argument("--pause", action="store_true", help="暂停正在运行的入库")
    one.add_argument("--resume", action="store_true", help="继续已暂停的入库")
    one.add_argument("--stop", action="store_true", help="让入库停下；再次运行会接着做")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        Whether it could be done; False when no run goes on that could be paused or stopped.

    Raises:
        IndexNotFoundError: If nothing was ever taken in.
    """
    from index.store import Store
    from ingest.jobs import Wanted, ask, last_run

    store = Store(settings.database_path)
    try:
        for flag, wanted, done in (
            ("pause", Wanted.PAUSE, "已要求暂停；手上的一页做完即停。继续：chadang jobs --resume"),
            ("resume", Wanted.RUN, "已要求继续。"),
            ("stop", Wanted.STOP, "已要求停止；再次运行 chadang ingest 会接着做。"),
        ):
            if getattr(options, flag):
                asked = ask(store, settings.home, wanted)
                say(done if asked else "现在没有正在运行的入库。")
                return asked
        if options.failed:
            say_failed(store, say)
            return True
        _say_run(last_run(store, settings.home), say)
        _say_counts(store, say)
        return True
    finally:
        store.close()


def say_failed(store: Store, say: Callable[[str], None]) -> None:
    """List the files that could not be read."""
    from ingest.jobs import dead_letters
    from ui.terminal import printable

    dead = dead_letters(store)
    if not dead:
        say("没有失败的文件。")
        return
    for job in dead:
        say(printable(_line(job)))
    say(f"共 {len(dead)} 个。改好之后重试：chadang ingest --retry")


def _line(job: Job) -> str:
    step = f"；{job.next_step}" if job.next_step else ""
    return f"{job.state.value}  {job.path}（试过 {job.attempts} 次）：{job.error}{step}"


def _say_run(run: Run | None, say: Callable[[str], None]) -> None:
    from ui.terminal import printable

    if run is None:
        say("还没有入库过。请先运行 chadang ingest 目录。")
        return
    end = f"，结束于 {run.finished}" if run.finished else ""
    say(
        printable(
            f"第 {run.number} 次入库：{run.state.value}，{run.source}，开始于 {run.started}{end}"
        )
    )
    if run.progress is not None:
        p = run.progress
        say(
            printable(
                f"文件 {p.files_done}/{p.files_total}，读了 {p.pages_done} 页"
                f"（其中识别 {p.ocr_pages} 页），{p.pages_per_s:.1f} 页/秒"
                + (f"，约剩 {p.eta_s / 60:.0f} 分钟，正在处理 {p.current}" if p.eta_s else "")
            )
        )


def _say_counts(store: Store, say: Callable[[str], None]) -> None:
    from ingest.jobs import job_counts

    counts = job_counts(store)
    if counts:
        say("全部文件：" + "，".join(f"{state.value} {n}" for state, n in sorted(counts.items())))
