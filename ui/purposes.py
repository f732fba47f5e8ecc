"""利用目的: the purposes there are, when one must be stated, and the one a reader stated last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from index.domain import Reader
from index.errors import ArchiveError
from index.settings import Settings

#: Source: domain brief, section 3, 利用登记.
PURPOSES: Final = ("工作查考", "编史修志", "学术研究", "落实政策", "其他")
OTHER: Final = "其他"
LONGEST_WORDS: Final = 60

_KEPT: Final = 5000


class PurposeNeededError(ArchiveError):
    """The purpose must be stated first; the message says where."""

    def __init__(self, *, command: bool = False) -> None:
        super().__init__(
            f"请用 --purpose 写明利用目的：{'、'.join(PURPOSES[:-1])}，或 其他：写明。"
            if command
            else "请先在提问框上方选择利用目的（选“其他”的请写明），再查阅。"
        )


def stated(text: str) -> str:
    """A stated purpose in its one form, `工作查考` or `其他：写家谱`; empty when it is none.

    Args:
        text: One of `PURPOSES`, with words after a colon; `其他` needs them.
    """
    purpose, _, words = text.replace(":", "：", 1).partition("：")
    purpose, words = purpose.strip(), " ".join(words.split())[:LONGEST_WORDS]
    if purpose not in PURPOSES or (purpose == OTHER and not words):
        return ""
    return f"{purpose}：{words}" if words else purpose


def asked_when(settings: Settings, reader: Reader) -> str:
    """When a reader must state a purpose: `always`, `restricted` (closed records) or `never`."""
    wanted = settings.text("ask_purpose")
    if wanted == "auto":
        return "always" if reader.account else "never"
    return wanted


class Purposes:
    """The purpose each reader stated last, for the pages they open from an answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: OrderedDict[Reader, str] = OrderedDict()

    def keep(self, reader: Reader, purpose: str) -> None:
        """Remember what a reader stated; an empty purpose changes nothing."""
        if not purpose:
            return
        with self._lock:
            self._last[reader] = purpose
            self._last.move_to_end(reader)
            while len(self._last) > _KEPT:
                self._last.popitem(last=False)

    def last(self, reader: Reader) -> str:
        """What the reader stated last since the program started, or empty."""
        with self._lock:
            return self._last.get(reader, "")
