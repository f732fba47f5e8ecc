"""For everyone: contrast, large letters, the keyboard, names that are read aloud, weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.access import contrasts, is_chinese, names, tab_round
from tests.browser.complaints import complaints
from tests.browser.test_pages import QUESTION, SIZES, Visit, address, browser

pytestmark = pytest.mark.browser

__all__ = ["address", "browser"]
STATIC = Path(__file__).parents[2] / "ui/static"


@pytest.fixture(params=list(SIZES))
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visit]:
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=request.param == "phone",
        locale="en-US",
    )
    page = context.new_page()
    visit = Visit(page, address, errors=complaints(page))
    _open(visit)
    yield visit
    context.close()
    assert visit.errors == []


def _open(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/app/")
    visit.page.locator("#cd-question textarea").wait_for(timeout=60_000)


def _contrast_button(visit: Visit) -> Any:
    menu = visit.page.locator(".cd-menu")
    if menu.is_visible():
        menu.click()
    return visit.page.get_by_role("button", name="高对比")


def _states(visit: Visit) -> Iterator[str]:
    """The main states of the page, one after another."""
    page = visit.page
    yield "empty"
    visit.ask(f"去年水库：{QUESTION}")
    page.locator(".cd-card").first.wait_for()
    yield "answer"
    page.get_by_role("button", name="引文①，查看原页").last.click()
    page.locator(".cd-loaded img").wait_for()
    yield "image"
    toggle = page.get_by_role("dialog").get_by_role("button", name="看文字")
    if toggle.is_visible():  # where there is room the text stands beside the image
        toggle.click()
    page.locator("dialog mark").first.wait_for()
    yield "text"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    visit.ask("有哪些档案？")
    page.locator(".cd-table").first.wait_for()
    yield "table"
    visit.ask("有没有没有的事？")
    yield "refusal"
    page.get_by_label("查先例").check()
    visit.ask("水渠维修").locator(".cd-matter").wait_for()
    yield "timeline"


@pytest.mark.parametrize(("look", "least"), [("", 4.5), ("contrast", 7.0)])
def test_every_text_can_be_read_against_its_ground(visit: Visit, look: str, least: float) -> None:
    if look:
        _contrast_button(visit).click()
        visit.page.keyboard.press("Escape")
        visit.page.wait_for_timeout(2200)
    seen = 0
    for state in _states(visit):
        texts = contrasts(visit.page)
        seen += len(texts)
        poor = [(ratio, text) for ratio, text, _ in texts if ratio < least]
        assert poor == [], state
        assert visit.overflow() == 0, state
    assert seen > 100


def test_the_largest_letters_are_eighteen_points_and_nothing_runs_over(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="字号").click()
    page.get_by_role("button", name="字号").click()
    assert page.evaluate("document.documentElement.className").split().count("xl") == 1

    for state in _states(visit):
        assert visit.overflow() == 0, state
        if state == "answer":
            message = page.locator("[data-testid=bot]").last
            size = "e => parseFloat(getComputedStyle(e).fontSize)"
            assert message.locator("blockquote p").first.evaluate(size) >= 24
            assert message.locator("p strong").first.evaluate(size) >= 24
            assert page.locator("#cd-question textarea").evaluate(size) >= 24
            assert page.locator("[data-testid=user] p").last.evaluate(size) >= 24
        for pressed in page.locator("button:visible, summary:visible, header a:visible").all():
            place = pressed.bounding_box()
            assert place["height"] >= 43.5, (state, pressed.inner_text())
            assert place["width"] >= 43.5, (state, pressed.inner_text())
        if state == "text":
            view = page.locator("dialog .cd-view").bounding_box()
            assert view["height"] > 150  # room to read in


def test_high_contrast_is_kept_and_follows_the_system(visit: Visit, browser: Any) -> None:
    page = visit.page
    button = _contrast_button(visit)
    assert button.get_attribute("aria-pressed") == "false"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    page.goto(f"{visit.address}/admin/ingest")
    assert page.evaluate("document.documentElement.classList.contains('contrast')")
    _open(visit)
    assert page.evaluate("document.documentElement.classList.contains('contrast')")

    context = browser.new_context(contrast="more")
    asked = context.new_page()
    asked.goto(f"{visit.address}/admin/ingest")
    assert asked.evaluate("document.documentElement.classList.contains('contrast')")
    context.close()


def test_whatever_is_operated_has_a_chinese_name(visit: Visit) -> None:
    """This test ensures that the names as a screen reader gets them are there, and Chinese."""
    seen = 0
    for state in _states(visit):
        for role, name in names(visit.page):
            seen += 1
            assert is_chinese(name), (state, role, name)
    assert seen > 50
    assert visit.page.evaluate("document.documentElement.lang") == "zh-CN"


def test_tab_reaches_everything_with_a_ring_that_is_seen(visit: Visit) -> None:
    page = visit.page
    tab_round(page)
    page.locator("#cd-question textarea").focus()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".cd-card").first.wait_for()
    page.wait_for_timeout(700)
    tab_round(page)

    page.get_by_role("button", name="引文①，查看原页").focus()
    page.keyboard.press("Enter")
    page.locator(".cd-loaded img").wait_for()
    inside = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        inside.add(
            page.evaluate(
                "document.activeElement.closest('dialog') !== null || document.activeElement === document.body"
            )
        )
    assert inside == {True}  # an open source keeps the keyboard
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "引文①，查看原页"


def test_a_cold_page_weighs_at_most_450_kb(visit: Visit, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{visit.address}/app/")
    page.locator("#cd-question textarea").wait_for()
    page.wait_for_timeout(1500)
    context.close()

    assert len(sizes) > 20
    assert sum(sizes) <= 450 * 1024, f"{sum(sizes) / 1024:.0f} KB in {len(sizes)} files"


# -- old browsers -------------------------------------------------------------------------------

#: Younger than Chromium 100 (March 2022) or than ES2020, by what they look like in the source.
_YOUNG_SCRIPT = {
    "logical assignment": r"(?:\?\?|\|\||&&)=",
    "private member": r"[\s.]#[a-z]\w*\s*[(=;]",
    "numeric separator": r"\b\d+_\d+\b",
    "replaceAll": r"\.replaceAll\(",
    "static block": r"\bstatic\s*\{",
    "toSorted and the like": r"\.(?:toSorted|toReversed|toSpliced|with|group|groupBy|findLast|findLastIndex)\(",
    "Promise.withResolvers": r"Promise\.(?:withResolvers|try|any)",
    "set operations": r"\.(?:isSubsetOf|intersection|symmetricDifference)\(",
    "popover": r"\b(?:showPopover|hidePopover|togglePopover)\b",
    "URL.canParse": r"URL\.(?:canParse|parse)\(",
    "checkVisibility": r"\.checkVisibility\(",
    "view transitions": r"startViewTransition",
}
_YOUNG_STYLE = {
    ":has()": r":has\(",
    "container queries": r"@container|container-type",
    "nesting": r"(?m)^\s+&",
    "color functions": r"\b(?:color-mix|oklch|oklab|light-dark)\(",
    "subgrid": r"\bsubgrid\b",
    "text-wrap": r"text-wrap\s*:",
    "@scope": r"@scope|@starting-style|@view-transition",
    "field-sizing": r"field-sizing",
    "separate transforms": r"(?m)^\s*(?:translate|rotate|scale)\s*:",
    "range media": r"@media[^{]*[<>]=?",
}
_UNITS = re.compile(r"(?P<name>[\w-]+)\s*:[^;{}]*\d[dsl]v[hwib]\b[^;{}]*")


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda p: p.name)
def test_scripts_keep_to_what_chromium_100_knows(path: Path) -> None:
    source = re.sub(r"/\*.*?\*/|(?m:(?<!:)//.*$)", "", path.read_text("utf-8"), flags=re.DOTALL)
    found = [name for name, pattern in _YOUNG_SCRIPT.items() if re.search(pattern, source)]

    assert found == []


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda p: p.name)
def test_styles_keep_to_what_chromium_100_knows(path: Path) -> None:
    """What is younger stands behind `@supports`, or after a value that older browsers know."""
    source = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    source = re.sub(r"@supports[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", source)
    found = [name for name, pattern in _YOUNG_STYLE.items() if re.search(pattern, source)]
    for body in re.findall(r"\{([^{}]*)\}", source):
        for match in _UNITS.finditer(body):
            before = body[: match.start()]
            if not re.search(rf"(?<![\w-]){match['name']}\s*:", before):
                found.append(f"unit without a fallback: {match[0].strip()}")

    assert found == []
