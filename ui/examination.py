"""The examination (`chadang doctor`) for the page: one at a time, in the background."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import Any, Final

from index.settings import Settings
from ui.doctor import Finding, examine

logger = logging.getLogger(__name__)

_FOR_ARCHIVISTS: Final = "具体是哪些，请档案管理员在此页或用 chadang doctor 查看。"


class Examination:
    """The newest examination of one home. Safe between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._running = False
        self._began = ""
        self._ended = ""
        self._findings: list[Finding] = []

    def start(self) -> bool:
        """Begin anew; False when one goes on already."""
        with self._lock:
            if self._running:
                return False
            self._running, self._findings = True, []
            self._began, self._ended = _now(), ""
        threading.Thread(target=self._run, name="doctor", daemon=True).start()
        return True

    def _run(self) -> None:
        try:
            for finding in examine(self._settings):
                with self._lock:
                    self._findings.append(finding)
        except Exception:
            logger.exception("the examination failed")
            broken = Finding(False, "检查没有做完", "请在命令行运行 chadang doctor 看原因。")
            with self._lock:
                self._findings.append(broken)
        finally:
            with self._lock:
                self._running, self._ended = False, _now()

    def state(self, *, names: bool) -> dict[str, Any]:
        """What was found so far.

        Args:
            names: Whether records and files may be named to who asks.
        """
        with self._lock:
            found = list(self._findings)
            running, began, ended = self._running, self._began, self._ended
        return {
            "running": running,
            "began": began,
            "ended": ended,
            "findings": [
                {
                    "good": f.good,
                    "hint": f.hint,
                    "what": f.what,
                    "next_step": f.next_step if names or not f.names else _FOR_ARCHIVISTS,
                }
                for f in found
            ],
        }


def _now() -> str:
    return dt.datetime.now().astimezone().isoformat(timespec="seconds")
