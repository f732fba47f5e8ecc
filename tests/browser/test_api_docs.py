"""The page that lists the API's calls, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_pages import SIZES, _launched, address

pytestmark = pytest.mark.browser
__all__ = ["address"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with _launched() as browser:
        yield browser


@pytest.mark.parametrize("size", SIZES)
def test_the_docs_fit_and_obey_the_policy(browser: Any, address: str, size: str) -> None:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    requested: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{address}/api/v1/docs", wait_until="networkidle")
    links = page.locator("main a, header a")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert all(links.nth(i).bounding_box()["height"] >= 44 for i in range(links.count()))
    assert complaints == []
    assert all(url.startswith(address) for url in requested)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    # the list of calls leads to each of them by keyboard
    first = page.locator(".api-list a").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#api-v1-ask"
    page.close()
