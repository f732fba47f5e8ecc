"""Watches one reading process: silence and memory are bounded, whatever a file does to it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

#: A page of ordinary size takes 1.2 GB to recognise, up to 2.5 GB after many pages; a strip of
#: 5 x 2000 pixels once took 6.6 GB.
MOST_RESIDENT_BYTES: Final = 4_000_000_000
_SECONDS_BETWEEN_LOOKS: Final = 0.25


class Watch(threading.Thread):
    """Kills a process that is silent for too long or grows too large, and says why."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        seconds: float,
        *,
        most_bytes: int = MOST_RESIDENT_BYTES,
    ) -> None:
        """Start watching; the clock runs only between `expect` and `heard`."""
        super().__init__(name="reader-watch", daemon=True)
        self._process = process
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._deadline: float | None = None
        #: Why the process was killed, in Chinese; empty while it was not.
        self.reason = ""
        self.start()

    def expect(self, more: float = 0.0) -> None:
        """An answer is waited for, this many seconds longer than usual."""
        self._deadline = time.monotonic() + self._seconds + more

    def heard(self) -> None:
        """The answer came."""
        self._deadline = None

    def run(self) -> None:
        """Look now and then until the process ends."""
        while self._process.poll() is None:
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                self.reason = f"一页用时超过 {self._seconds:.0f} 秒"
            elif (resident_bytes(self._process.pid) or 0) > self._most_bytes:
                self.reason = f"一页占用内存超过 {self._most_bytes / 1e9:.0f} GB"
            if self.reason:
                self._process.kill()
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def resident_bytes(pid: int) -> int | None:
    """Memory a process holds, None where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
