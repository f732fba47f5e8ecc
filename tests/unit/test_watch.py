"""The watch over a reading process: silence and size end it, and the reason is told."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from ingest.watch import Watch


def _sleeper() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)


@pytest.mark.parametrize(
    ("seconds", "most_bytes", "said"), [(0.1, 10**12, "超过 0 秒"), (60, 1000, "占用内存超过")]
)
def test_a_silent_or_large_process_is_killed(seconds: float, most_bytes: int, said: str) -> None:
    """This test ensures that neither a hang nor a memory bomb outlives its limit."""
    process = _sleeper()
    watch = Watch(process, seconds, most_bytes=most_bytes)
    watch.expect()

    process.wait(timeout=20)
    watch.join(timeout=5)

    assert said in watch.reason


def test_a_process_that_answers_is_left_alone() -> None:
    """This test ensures that the clock stands while nothing is asked."""
    process = _sleeper()
    watch = Watch(process, 0.1)
    watch.expect()
    watch.heard()
    time.sleep(0.8)

    assert process.poll() is None
    assert watch.reason == ""
    process.kill()
    process.wait()
