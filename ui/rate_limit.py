"""How often a caller may call: token buckets in memory, one for each caller."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

#: Callers remembered; a caller forgotten begins with a full bucket.
_KEPT: Final = 10_000


class RateLimit:
    """Token buckets. Safe between threads."""

    def __init__(
        self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make empty books.

        Args:
            per_minute: Calls a minute in the long run; 0 for no limit.
            burst: Calls at once after a pause, at least 1.
            clock: Seconds, never going back.
        """
        self._rate = per_minute / 60
        self._burst = float(max(1, burst))
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, caller: Hashable) -> float:
        """Take one call; seconds to wait before the next one is allowed, 0 when it is allowed now."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._clock()
            left, seen = self._buckets.get(caller, (self._burst, now))
            left = min(self._burst, left + (now - seen) * self._rate)
            allowed = left >= 1
            self._buckets[caller] = (left - 1 if allowed else left, now)
            self._buckets.move_to_end(caller)
            while len(self._buckets) > _KEPT:
                self._buckets.popitem(last=False)
            return 0.0 if allowed else (1 - left) / self._rate
