"""What is put down to a page's being left, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser import complaints as module
from tests.browser.complaints import LEAVING, complaints

ABORTED = "AbortError: signal is aborted without reason"
BROKEN = "Unexpected error Connection errored out. "


class Page:
    def __init__(self) -> None:
        self.listeners: dict[str, Callable[[Any], None]] = {}

    def on(self, event: str, listener: Callable[[Any], None]) -> None:
        self.listeners[event] = listener

    def log(self, text: str, kind: str = "error") -> None:
        self.listeners["console"](SimpleNamespace(type=kind, text=text))

    def throw(self, text: str) -> None:
        self.listeners["pageerror"](text)

    def leave(self) -> None:
        self.listeners["framenavigated"](None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_errors_are_kept_and_expected_answers_are_not(clock: SimpleNamespace) -> None:
    page = Page()
    found = complaints(page, expected="40[13]")
    page.throw("TypeError: x is undefined")
    page.log("the server responded with a status of 403")
    page.log("the server responded with a status of 500")
    page.log("a remark", kind="info")
    assert found == ["TypeError: x is undefined", "the server responded with a status of 500"]


@pytest.mark.parametrize("gap", [-0.5, 0.5])
def test_a_stream_cut_off_by_leaving_is_no_error(clock: SimpleNamespace, gap: float) -> None:
    page = Page()
    found = complaints(page)
    page.throw("TypeError: x is undefined")
    events = [page.leave, lambda: (page.throw(ABORTED), page.log(BROKEN))]
    for event in events if gap > 0 else reversed(events):
        event()
        clock.now += abs(gap)
    assert found == ["TypeError: x is undefined"]


@pytest.mark.parametrize("before", [True, False])
def test_a_stream_that_breaks_while_one_stays_is_one(clock: SimpleNamespace, before: bool) -> None:
    page = Page()
    found = complaints(page)
    if not before:
        page.leave()
        clock.now += LEAVING + 1
    page.log(BROKEN)
    if before:
        clock.now += LEAVING + 1
        page.leave()
    assert found == [BROKEN]
