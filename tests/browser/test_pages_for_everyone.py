"""For everyone, on the pages beside the chat: contrast, names read aloud, the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.account_fakes import PASSWORD
from tests.browser.access import contrasts, is_chinese, names, tab_round
from tests.browser.complaints import complaints
from tests.browser.test_pages import SIZES, _served, address, browser

pytestmark = pytest.mark.browser

__all__ = ["address", "browser"]
#: Pages anybody or the archivist sees, with something that stands only when all is there.
PAGES = {
    "catalogue": ".br-table tbody tr",
    "precedents": "#br-main .br-search",
    "precedents?q=水渠": ".pr-step",
    "statistics": ".ch-columns rect",
    "admin": ".mg-places a",
    "admin/opening": "#ad-main section:visible",
    "admin/vocabulary": "[aria-labelledby=mg-shipped] tbody tr",
    "admin/settings": "#ad-main tbody tr",
    "admin/doctor": "#ad-main section:visible",
    "admin/logs": "#ad-main section:visible",
    "admin/ingest": "#ad-main section:visible",
    "admin/register": "main form",
    "admin/feedback": "main form",
}
#: Pages of signing in, by the account that sees them.
ACCOUNT_PAGES = {"login": "", "account": "clerk", "admin/users": "system"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server where one signs in."""
    with _served(tmp_path_factory.mktemp("home"), "accounts") as address:
        yield address


@pytest.fixture(params=list(SIZES))
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=request.param == "phone"
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors = complaints(page)
    yield page
    context.close()
    assert errors == []


def _is_for_everyone(page: Any) -> list[str]:
    stops = tab_round(page)
    for role, name in names(page):
        # Years and fonds are read as they stand; the calendar's button is named by Chromium.
        if name and (not re.sub(r"[\d ]", "", name) or name.startswith("Show date picker")):
            continue
        # what people wrote into the vocabulary, as they wrote it
        assert is_chinese(name) or name.startswith("停用 "), (role, name)
    assert [text for ratio, text, _ in contrasts(page) if ratio < 4.5] == []
    page.evaluate("document.documentElement.classList.add('contrast')")
    page.wait_for_timeout(600)  # colours change over .15 s
    assert [text for ratio, text, _ in contrasts(page) if ratio < 7] == []
    tab_round(page)
    return stops


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everyone(page: Any, address: str, path: str) -> None:
    page.goto(f"{address}/{path}")
    page.locator(PAGES[path]).first.wait_for()
    page.wait_for_timeout(500)
    assert len(_is_for_everyone(page)) >= 3


@pytest.mark.parametrize("path", ACCOUNT_PAGES)
def test_a_page_of_signing_in_is_for_everyone(page: Any, closed: str, path: str) -> None:
    page.goto(f"{closed}/login")
    if account := ACCOUNT_PAGES[path]:
        page.locator('[name="account"]').fill(account)
        page.locator('[name="password"]').fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{closed}/{path}")
    page.locator("main :is(form, table):visible").first.wait_for()
    assert len(_is_for_everyone(page)) >= 3


def test_the_catalogue_is_worked_with_the_keyboard_alone(page: Any, address: str) -> None:
    """This test ensures that one sorts, opens a record and closes it without a mouse."""
    page.goto(f"{address}/catalogue")
    page.locator(".br-table tbody tr").first.wait_for()
    sorting = page.locator(".br-sort").nth(1)
    if sorting.is_visible():
        sorting.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('th[aria-sort]:not([aria-sort=none])')")
        page.wait_for_timeout(300)
        focused = page.evaluate("document.activeElement.className")
        assert "br-sort" in focused, "sorting must not lose the keyboard's place"
    title = page.locator(".br-table tbody tr .br-title").first
    title.focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


def test_the_long_list_of_words_is_short_at_first(page: Any, address: str) -> None:
    page.goto(f"{address}/admin/vocabulary")
    rows = page.locator("[aria-labelledby=mg-shipped] tbody tr")
    rows.first.wait_for()
    assert rows.count() == 30
    more = page.locator("[aria-labelledby=mg-shipped]").get_by_role(
        "button", name=re.compile(r"^再列出 \d+ 行$")
    )
    more.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelectorAll('[aria-labelledby=mg-shipped] tbody tr').length > 100"
    )
    assert more.count() == 0
    thirty_first = rows.nth(30).locator("button").get_attribute("aria-label")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == thirty_first
