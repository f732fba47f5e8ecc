"""For everyone: contrast, large letters, the keyboard, names that are read aloud, weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.complaints import complaints
from tests.browser.test_pages import QUESTION, SIZES, Visit, _served, browser

pytestmark = pytest.mark.browser

__all__ = ["browser"]
STATIC = Path(__file__).parents[2] / "ui/static"

#: Every text on the screen with its contrast: colours blended down to the first solid ground.
_CONTRAST = r"""
() => {
  const parse = (text) => {
    const found = /rgba?\(([^)]+)\)/.exec(text);
    if (!found) return [0, 0, 0, 0];
    const parts = found[1].split(/[\s,\/]+/).map(Number);
    return [parts[0], parts[1], parts[2], parts.length > 3 ? parts[3] : 1];
  };
  const over = (top, below) => {
    const a = top[3] + below[3] * (1 - top[3]);
    if (!a) return [0, 0, 0, 0];
    return [0, 1, 2].map((i) => (top[i] * top[3] + below[i] * below[3] * (1 - top[3])) / a).concat(a);
  };
  const light = (c) => {
    const part = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  };
  const ground = (element) => {
    let colour = [0, 0, 0, 0];
    for (let e = element; e && colour[3] < 0.999; e = e.parentElement) {
      colour = over(colour, parse(getComputedStyle(e).backgroundColor));
    }
    return over(colour, [255, 255, 255, 1]);
  };
  const dialog = document.querySelector("dialog[open]");
  const walker = document.createTreeWalker(dialog || document.body, NodeFilter.SHOW_TEXT);
  const seen = [];
  const judge = (element, text, colour, size) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!text.trim() || !box.width || !box.height || style.visibility !== "visible") return;
    if (element.closest("[disabled], .cd-image, noscript, script, style, #cd-without, [aria-hidden=true]")) return;
    for (let e = element; e; e = e.parentElement) { // for screen readers only
      if (e.offsetWidth !== undefined && e.offsetWidth <= 1 && e.offsetHeight <= 1) return;
    }
    const behind = ground(element);
    const front = over(parse(colour), behind);
    const [a, b] = [light(front), light(behind)];
    seen.push([Math.round(100 * (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) / 100, text.trim().slice(0, 24), size]);
  };
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    judge(element, walker.currentNode.data, style.color, parseFloat(style.fontSize));
  }
  document.querySelectorAll("textarea, input[type=text]").forEach((box) => {
    const style = getComputedStyle(box, "::placeholder");
    if (!box.value) judge(box, box.placeholder, style.color, parseFloat(style.fontSize));
  });
  return seen;
}
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _served(tmp_path_factory.mktemp("home")) as address:
        yield address


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
        texts = visit.page.evaluate(_CONTRAST)
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


#: Roles that are operated or read aloud by their name.
_NAMED = frozenset(
    "button link textbox checkbox combobox radio switch dialog tab searchbox DisclosureTriangle".split()
)


def _names(visit: Visit) -> list[tuple[str, str]]:
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node.get("role", {}).get("value") in _NAMED
    ]


def test_whatever_is_operated_has_a_chinese_name(visit: Visit) -> None:
    """This test ensures that the names as a screen reader gets them are there, and Chinese."""
    seen = 0
    for state in _states(visit):
        for role, name in _names(visit):
            seen += 1
            assert re.search(r"[\u4e00-\u9fff]", name), (state, role, name)
            left = re.sub(r"CSV|XLSX|PDF|OFD|<[^>]*>|http://\S+", "", name)
            assert not re.search(r"[A-Za-z]{3}", left), (state, role, name)
    assert seen > 50
    assert visit.page.evaluate("document.documentElement.lang") == "zh-CN"


_FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  const around = e.closest("#cd-question");
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
    || style.boxShadow !== "none" || (around && getComputedStyle(around).boxShadow !== "none");
  if (!e.dataset.order) e.dataset.order = String(Math.random());
  return { key: e.dataset.order, ring: Boolean(ring), seen: box.width > 0 && box.height > 0,
           what: (e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30) };
}"""
_REACHABLE = """() => [...document.querySelectorAll(
  "a[href], button, input, textarea, select, summary, [tabindex='0']")]
  .filter((e) => !e.disabled && e.tabIndex >= 0 && e.getClientRects().length
    && getComputedStyle(e).visibility === "visible" && getComputedStyle(e).clipPath === "none"
    && !(e.closest("details:not([open])") && e.tagName !== "SUMMARY"))
  .map((e) => [e.dataset.order || "", (e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30)])"""


def _tab_round(visit: Visit) -> None:
    """Go round with Tab: everything is reached, with a ring that is seen."""
    page = visit.page
    page.evaluate(
        "document.querySelectorAll('[data-order]').forEach((e) => delete e.dataset.order)"
    )
    first, turns = None, 0
    for _ in range(150):
        page.keyboard.press("Tab")
        now = page.evaluate(_FOCUSED)
        if now is None:
            continue
        assert now["seen"], now["what"]
        assert now["ring"], now["what"]
        if first is None:
            first = now["key"]
        elif now["key"] == first:
            turns = 1
            break
    assert turns, "Tab does not come round"
    missed = [what for order, what in page.evaluate(_REACHABLE) if not order]
    assert missed == []


def test_tab_reaches_everything_with_a_ring_that_is_seen(visit: Visit) -> None:
    page = visit.page
    _tab_round(visit)
    page.locator("#cd-question textarea").focus()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".cd-card").first.wait_for()
    page.wait_for_timeout(700)
    _tab_round(visit)

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
