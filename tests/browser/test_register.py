"""Purpose, feedback and the pages of the use register in Chromium, at a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.complaints import complaints
from tests.browser.test_pages import QUESTION, SIZES, Visit, _served, browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser

#: A folder for pictures of the pages, to be looked at by people; none by default.
PICTURES = os.environ.get("TEST_PICTURES", "")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _served(tmp_path_factory.mktemp("home"), "purpose") as address:
        yield address


@pytest.fixture(params=list(SIZES))
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visit]:
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=request.param == "phone"
    )
    page = context.new_page()
    visit = Visit(page, address, errors=complaints(page))
    page.goto(f"{address}/")
    page.locator(".cd-purpose-bar select").wait_for(timeout=60_000)
    yield visit
    context.close()
    assert visit.errors == []


def _picture(visit: Visit, name: str, *, whole: bool = False) -> None:
    if PICTURES:
        width = visit.page.viewport_size["width"]
        path = Path(PICTURES) / f"{name}-{width}.png"
        visit.page.screenshot(path=str(path), full_page=whole)


def _small(visit: Visit, where: str) -> list[str]:
    """What one presses in a part of the page and is less than 44 px high."""
    script = """where => [...document.querySelectorAll(where)].flatMap(part =>
        [...part.querySelectorAll('button, select, input, textarea, a, summary')])
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5)
        .map(e => e.outerHTML.slice(0, 80))"""
    return list(visit.page.evaluate(script, where))


@pytest.mark.parametrize("late", ["conversation.js", "api/purpose"])
def test_the_line_above_the_box_has_one_order(visit: Visit, late: str) -> None:
    """This test ensures that neither order nor place depends on which script is first."""
    page = visit.page

    def hold(route: Any) -> None:
        page.wait_for_timeout(1500)
        route.continue_()

    page.route(f"**/*{late}*", hold)
    page.goto(f"{visit.address}/")
    page.locator("#cd-history").wait_for(timeout=60_000)
    page.locator(".cd-purpose-bar select").wait_for()
    names = """() => [...document.querySelectorAll('#cd-mode > *')].filter(e => e.offsetParent)
        .map(e => [e.id || e.className, e.getBoundingClientRect()])
        .map(([name, box]) => ({ name, x: box.x, y: Math.round(box.y / 30) }))"""
    found = page.evaluate(names)
    order = ["cd-precedents", "cd-limit", "cd-history", "cd-purpose-bar"]
    assert [one["name"] for one in found] == order
    seen = sorted(found, key=lambda one: (one["y"], one["x"]))
    assert [one["name"] for one in seen] == order

    box = page.locator("#cd-question textarea")
    before = box.bounding_box()
    box.fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="请先选择利用目的").wait_for()
    assert abs(box.bounding_box()["y"] - before["y"]) < 2
    assert visit.overflow() == 0


def test_a_conversation_goes_on_after_another_page(visit: Visit) -> None:
    """This test ensures that coming back shows the answers, not a demand in place of each."""
    page = visit.page
    page.get_by_label("利用目的", exact=True).select_option("其他")
    page.get_by_label("请写明目的").fill("写家谱")
    words = "拨款五千元"
    assert words in visit.ask(QUESTION).inner_text()

    page.goto(f"{visit.address}/statistics")
    page.goto(f"{visit.address}/")
    page.locator("[data-testid=bot]").filter(has_text=words).wait_for(timeout=30_000)
    assert page.get_by_label("利用目的", exact=True).input_value() == "其他"
    assert page.get_by_label("请写明目的").input_value() == "写家谱"

    # nothing stated since the program started: asked for first, then the conversation goes on
    def forgotten(route: Any) -> None:
        found = route.fetch()
        route.fulfill(response=found, json={**found.json(), "stated": ""})

    page.route(
        "**/api/purpose", lambda r: forgotten(r) if r.request.method == "GET" else r.continue_()
    )
    page.goto(f"{visit.address}/")
    page.get_by_role("alert").filter(has_text="再接着上次的对话").wait_for(timeout=30_000)
    assert page.locator("[data-testid=bot]").count() == 0
    assert visit.overflow() == 0
    page.get_by_label("利用目的", exact=True).select_option("编史修志")
    page.locator("[data-testid=bot]").filter(has_text=words).wait_for()


def test_the_purpose_is_asked_once_per_conversation(visit: Visit) -> None:
    """This test ensures that nothing is asked without it, and that it is asked again afterwards."""
    page = visit.page
    box = page.locator("#cd-question textarea")
    box.fill(QUESTION)
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="请先选择利用目的")
    alert.wait_for()
    _picture(visit, "purpose-needed")
    assert page.locator("[data-testid=bot]").count() == 0
    assert visit.overflow() == 0
    assert _small(visit, ".cd-purpose-bar") == []

    page.get_by_label("利用目的", exact=True).select_option("其他")
    words = page.get_by_label("请写明目的")
    words.fill("写家谱")
    _picture(visit, "purpose-other")
    assert visit.overflow() == 0
    # inside a frame that hides its overflow, too far right means scrolled away on the left
    inside = (
        "e => { const b = e.getBoundingClientRect(); return b.left >= 0 && b.right <= innerWidth; }"
    )
    for where in (".cd-purpose-bar input", "#cd-question", "#cd-mode"):
        assert page.locator(where).first.evaluate(inside), where
    visit.ask(QUESTION)
    assert box.input_value() == ""
    visit.ask("馆藏有哪些？")
    assert page.locator("[data-testid=bot]").count() == 2
    assert page.locator(".cd-purpose-alert").inner_text() == ""

    page.locator("#cd-new").click()
    page.locator("[data-testid=bot]").first.wait_for(state="detached")
    box.fill(QUESTION)
    page.keyboard.press("Enter")
    alert.wait_for()

    page.goto(f"{visit.address}/admin/register?action=提问")
    row = page.get_by_role("row").nth(1)
    assert "其他：写家谱" in row.inner_text()


def test_feedback_reaches_the_archivist(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("利用目的", exact=True).select_option("工作查考")
    message = visit.ask(QUESTION)
    group = message.get_by_role("group", name="反馈这条答复")
    group.get_by_role("button", name="引文不符").click()
    message.get_by_label("哪里不对").fill("第②条不是这件<b>档案</b>里的话")
    _picture(visit, "feedback-open")
    assert visit.overflow() == 0
    assert _small(visit, ".cd-feedback") == []
    submit = message.get_by_role("button", name="提交")
    submit.dblclick()
    message.get_by_text("已反馈“引文不符”").wait_for()
    message.locator(".cd-feedback").scroll_into_view_if_needed()
    _picture(visit, "feedback-sent")

    visit.ask("没有的事情")
    page.goto(f"{visit.address}/admin/feedback")
    item = page.locator(".rg-item").first
    assert "第②条不是这件<b>档案</b>里的话" in item.inner_text()
    item.locator("summary").click()
    assert "东风水库渠道维修" in item.inner_text()
    assert "没有的事情" in page.locator(".rg-failed").inner_text()
    _picture(visit, "feedback-page", whole=True)
    assert visit.overflow() == 0
    assert _small(visit, "main") == []
    waiting = page.locator(".rg-handle").count()
    item.get_by_label("处理情况").fill("已改")
    item.get_by_role("button", name="标为已处理").click()
    item.get_by_text("已标为处理完毕").wait_for()
    page.reload()
    assert page.locator(".rg-handle").count() == waiting - 1


def test_the_register_is_searched_checked_and_taken_away(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("利用目的", exact=True).select_option("编史修志")
    visit.ask(QUESTION)
    page.get_by_role("button", name="引文①，查看原页").first.click()
    page.locator(".cd-image").wait_for()
    page.goto(f"{visit.address}/admin/register")
    _picture(visit, "register", whole=False)
    assert visit.overflow() == 0
    assert _small(visit, "main") == []

    page.get_by_label("档号或题名").fill("1985")
    page.get_by_label("事项").select_option("阅览原文")
    page.get_by_role("button", name="查找").click()
    rows = page.locator("tbody tr")
    assert rows.count() >= 1
    for text in rows.all_inner_texts():
        assert "阅览原文" in text
        assert "0012-1985-永久-0034" in text
    _picture(visit, "register-search")
    page.locator("details summary", has_text="更多").first.click()
    assert visit.overflow() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="导出登记簿").click()
    assert download.value.suggested_filename.endswith(".xlsx")

    page.get_by_role("link", name="核对登记簿").click()
    page.get_by_role("status").filter(has_text="登记簿完整").wait_for()
    _picture(visit, "register-verified")
    page.get_by_label("从").fill("2099-01-01")
    page.get_by_role("button", name="查找").click()
    page.get_by_text("没有符合条件的登记").wait_for()
