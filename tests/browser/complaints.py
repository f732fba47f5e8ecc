"""What a page complains about while a test visits it."""

from __future__ import annotations

import re
import time
from typing import Any

#: What Gradio's client says of the answer or heartbeat it was still receiving when the page was
#: left for another. Nobody sees it, and only a busy machine is slow enough for it.
CUT_OFF = re.compile("AbortError: signal is aborted|Connection errored out")
#: Seconds before and after leaving within which those words are put down to the leaving.
LEAVING = 3.0


def complaints(page: Any, expected: str = "") -> list[str]:
    """The errors of `page` from now on, scripts' and console's, in a list that grows.

    Lines in which the pattern `expected` is found are answers the browser mentions, not errors.
    """
    found: list[str] = []
    cut_off: list[tuple[float, str]] = []
    left = float("-inf")

    def say(text: str) -> None:
        if expected and re.search(expected, text):
            return
        if CUT_OFF.search(text):
            if time.monotonic() - left < LEAVING:
                return
            cut_off.append((time.monotonic(), text))
        found.append(text)

    def leave(_: Any) -> None:
        nonlocal left
        left = time.monotonic()
        for when, text in cut_off:
            if left - when < LEAVING and text in found:
                found.remove(text)
        cut_off.clear()

    page.on("pageerror", lambda error: say(str(error)))
    page.on("console", lambda line: say(line.text) if line.type == "error" else None)
    page.on("framenavigated", leave)
    return found
