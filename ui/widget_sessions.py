"""Sessions of the widget: made from a portal's token, kept in memory, named in the address.

A frame on another site gets no cookie, so the session stands in the path of everything the frame
asks for. It is 256 random bits, ends when idle, and dies with the process.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from index.domain import Reader

#: How long a portal's good standing is believed without asking again, seconds.
_STANDING_S: Final = 5.0


@dataclass(slots=True)
class _Session:
    portal: str
    reader: Reader
    started: float
    used: float
    standing: float


class WidgetSessions:
    """The open sessions. Safe between threads."""

    def __init__(
        self,
        in_use: Callable[[str], bool],
        idle_s: float = 1800,
        longest_s: float = 12 * 3600,
        capacity: int = 5000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with none.

        Args:
            in_use: Whether a portal is still trusted.
            idle_s: A session unused for so long ends.
            longest_s: A session ends after so long whatever happens.
            capacity: Most sessions at a time; the one longest unused goes first.
            clock: Gives seconds that never go back.
        """
        self._in_use = in_use
        self._idle_s = idle_s
        self._longest_s = longest_s
        self._capacity = capacity
        self._clock = clock
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, portal: str, reader: Reader) -> str:
        """Open a session; returns its name, 43 characters that cannot be guessed.

        Args:
            portal: Who vouched for the reader, '' for one of the public.
            reader: Whose it is.
        """
        name = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._sessions[name] = _Session(portal, reader, now, now, now)
            while len(self._sessions) > self._capacity:
                self._sessions.popitem(last=False)
        return name

    def reader(self, name: str, *, passive: bool = False) -> Reader | None:
        """Whose session it is; None when it is unknown, over, or its portal no longer trusted.

        Args:
            name: As `begin` gave it.
            passive: Whether the page asked by itself; that does not keep the session alive.
        """
        now = self._clock()
        with self._lock:
            session = self._sessions.get(name)
            if session is None:
                return None
            if now - session.used > self._idle_s or now - session.started > self._longest_s:
                del self._sessions[name]
                return None
            ask = now - session.standing > _STANDING_S
        if ask and session.portal and not self._in_use(session.portal):
            with self._lock:
                self._sessions.pop(name, None)
            return None
        with self._lock:
            if not passive:
                session.used = now
            if ask:
                session.standing = now
            if name in self._sessions:
                self._sessions.move_to_end(name)
        return session.reader
