"""Progress of an ingest run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, Self, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS_BETWEEN_LINES: Final = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        files_done: Files finished, unchanged ones included.
        files_total: Files found.
        pages_done: Pages read in this run.
        ocr_pages: Pages recognised among them.
        pages_per_s: Mean rate of this run.
        eta_s: Seconds left by the share of bytes done, None while unknown.
        current: File being read.
        share: Share of the work done, 0..1.
    """

    files_done: int
    files_total: int
    pages_done: int
    ocr_pages: int
    pages_per_s: float
    eta_s: float | None
    current: str
    share: float


ProgressCallback = Callable[[Progress], None]


def duration_words(seconds: float) -> str:
    """A duration in words: `45 秒`, `12 分 05 秒`, `3 小时 20 分`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} 秒"
    if whole < 3600:
        return f"{whole // 60} 分 {whole % 60:02d} 秒"
    return f"{whole // 3600} 小时 {whole % 3600 // 60:02d} 分"


def progress_line(state: Progress) -> str:
    """One line: files, pages, rate, time left."""
    left = f"，约剩 {duration_words(state.eta_s)}" if state.eta_s is not None else ""
    text = state.pages_done - state.ocr_pages
    split = f"（文字 {text}，识别 {state.ocr_pages}）" if state.ocr_pages else ""
    return (
        f"文件 {state.files_done}/{state.files_total}，页 {state.pages_done}{split}，"
        f"{state.pages_per_s:.1f} 页/秒{left}"
    )


def current_line(state: Progress) -> str:
    """The file being read, '' for none; what would move the cursor becomes a sign."""
    shown = "".join(c if c.isprintable() else "␦" for c in state.current)
    return f"，正在处理 {shown}" if shown and state.share < 1 else ""


class ProgressDisplay:
    """Shows progress; pass its `update` to `ingest`. Use it in a `with` statement."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show on `stream` (standard error): a bar on a terminal, plain lines otherwise."""
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._bar: tqdm[NoReturn] | None = None
        self._terminal = self._stream.isatty()
        self._said = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, state: Progress) -> None:
        """Show a new state."""
        if self._terminal:
            bar = self._bar or self._new_bar()
            bar.n = int(state.share * 1000)
            bar.set_description_str(progress_line(state) + current_line(state), refresh=False)
            bar.refresh()
        elif self._clock() - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = self._clock()
            line = progress_line(state) + current_line(state)
            self._stream.write(f"入库 {state.share:4.0%}：{line}\n")
            self._stream.flush()

    def _new_bar(self) -> tqdm[NoReturn]:
        from tqdm import tqdm

        self._bar = tqdm(
            total=1000,
            file=self._stream,
            bar_format="入库 {percentage:3.0f}% |{bar:12}| {desc}",
            dynamic_ncols=True,
            leave=True,
        )
        return self._bar

    def close(self) -> None:
        """Finish the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
