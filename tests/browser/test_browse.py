"""Catalogue, precedents and statistics in Chromium, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.browser.complaints import complaints
from tests.browser.test_pages import SIZES, _served, address, browser
from tests.web_fakes import SCANNED

pytestmark = pytest.mark.browser
__all__ = ["address", "browser"]

PAGES = ("catalogue", "precedents?q=水渠", "statistics")


@contextmanager
def opened(
    browser: Any, address: str, size: str, path: str, *, missing_page: bool = False
) -> Iterator[Any]:
    """A page; fails on any script error and on any request to elsewhere.

    With `missing_page` a page may be asked for that is not there: Chromium notes every 404.
    """
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=size == "phone", locale="zh-CN"
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors = complaints(page, expected="404" if missing_page else "")
    page.on("request", lambda r: errors.append(r.url) if _elsewhere(r.url, address) else None)
    page.goto(f"{address}/{path}")
    yield page
    assert errors == []
    context.close()


def _elsewhere(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def ready(page: Any) -> None:
    page.locator("#br-main .br-count, #br-main .br-card").first.wait_for()
    page.locator(".br-table tbody tr, .pr-step, .ch-columns rect").first.wait_for()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_and_targets_are_large_enough(
    browser: Any, address: str, size: str, path: str
) -> None:
    with opened(browser, address, size, path) as page:
        ready(page)
        overflow = "document.documentElement.scrollWidth - window.innerWidth"
        assert page.evaluate(overflow) <= 0
        page.evaluate("document.documentElement.classList.add('xl')")
        assert page.evaluate(overflow) <= 0
        small = page.evaluate(
            """() => Array.from(document.querySelectorAll('button, select, input, summary, .br-link, .br-value'))
            .filter((e) => e.offsetParent && e.type !== 'checkbox')
            .map((e) => [e.className || e.tagName, e.getBoundingClientRect().height])
            .filter(([, height]) => height < 43.5)"""
        )
        # The lines of the filters stand closer at a desk, where there is a mouse.
        assert [s for s in small if size == "phone" or s[0] != "br-value"] == []
        nameless = page.evaluate(
            """() => Array.from(document.querySelectorAll('#br-main :is(button, input, select, a)'))
            .filter((e) => e.offsetParent && !(e.textContent.trim() || e.getAttribute('aria-label')
                || e.closest('label'))).map((e) => e.outerHTML)"""
        )
        assert nameless == []


def test_conditions_live_in_the_address_and_go_back(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "catalogue") as page:
        ready(page)
        total = page.locator(".br-count").inner_text()
        page.get_by_role("checkbox", name="通知").check()
        page.locator(".br-chip").wait_for()
        assert page.locator(".br-table tbody tr").count() == 1
        assert "type=" in page.url
        # The tick is still under the finger after the list was drawn anew.
        assert page.evaluate("document.activeElement.dataset.key") == "type 通知"

        page.reload()
        page.locator(".br-chip").wait_for()
        assert page.locator(".br-table tbody tr").count() == 1

        page.go_back()
        page.locator(".br-chip").wait_for(state="detached")
        assert page.locator(".br-count").inner_text() == total


def test_a_text_is_searched_and_the_row_opens_the_record(browser: Any, address: str) -> None:
    with opened(browser, address, "phone", "catalogue") as page:
        ready(page)
        page.get_by_role("searchbox").fill("水利工程 1985")
        page.keyboard.press("Enter")
        page.locator(".br-chip").wait_for()
        rows = page.locator(".br-table tbody tr")
        assert rows.count() == 1
        assert SCANNED in rows.first.inner_text()
        rows.first.locator(".br-title").click()
        page.locator(".cd-drawer").get_by_role("button", name="关闭").click()
        page.locator(".br-chip").wait_for()
        assert "q=" in page.url


def test_a_row_without_pages_opens_too(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "catalogue?text=只有目录", missing_page=True) as page:
        ready(page)
        page.locator(".br-title").first.click()
        page.locator(".cd-drawer").get_by_text(
            "示例市第十六届人民代表大会第四次会议文件目录"
        ).first.wait_for()


def test_sorting_is_told_and_reachable_by_keyboard(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "catalogue") as page:
        ready(page)
        sorter = page.get_by_role("button", name="按题名排序")
        sorter.focus()
        page.keyboard.press("Enter")
        heading = page.locator("th[aria-sort]", has_text="题名")
        heading.wait_for()
        assert heading.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        page.locator("th[aria-sort=descending]", has_text="题名").wait_for()
        assert "order=desc" in page.url


def test_hostile_titles_are_text(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "catalogue?q=加粗") as page:
        ready(page)
        assert page.locator(".br-title").inner_text() == "关于<b>加粗</b>的[请示](http://evil.test)"
        assert page.locator("#br-main b, #br-main script").count() == 0


def test_the_filters_of_a_phone_open_and_close(browser: Any, address: str) -> None:
    with opened(browser, address, "phone", "catalogue") as page:
        ready(page)
        side = page.locator("#br-side")
        assert not side.is_visible()
        page.get_by_role("button", name="筛选").click()
        side.get_by_role("checkbox", name="决议").check()
        page.get_by_role("button", name="看结果").click()
        assert not side.is_visible()
        assert page.locator(".br-filter").inner_text() == "筛选（1）"


def test_files_are_taken_away(browser: Any, address: str) -> None:
    for path, name in (("catalogue", "导出 CSV"), ("statistics", "下载“按文种”的表（CSV）")):
        with opened(browser, address, "desk", path) as page:
            ready(page)
            with page.expect_download() as waiting:
                page.get_by_role("link", name=name).click()
            assert waiting.value.suggested_filename.endswith(".csv")


@pytest.mark.parametrize("size", SIZES)
def test_a_chain_is_a_picture_and_an_ordered_list(browser: Any, address: str, size: str) -> None:
    with opened(browser, address, size, "precedents?q=水渠") as page:
        ready(page)
        steps = page.locator("ol.pr-steps > li")
        dots = page.locator(".pr-dot")
        assert steps.count() == dots.count() == 3
        assert "未检得" in steps.nth(1).inner_text()
        assert "疑似" in steps.nth(2).inner_text()
        assert "pr-missing" in (dots.nth(1).get_attribute("class") or "")
        assert "pr-guessed" in (dots.nth(2).get_attribute("class") or "")
        places = page.evaluate(
            "Array.from(document.querySelectorAll('.pr-circle'), (c) => Number(c.getAttribute('cx')))"
        )
        assert places == sorted(places)
        dots.nth(2).locator(".pr-number").click()
        assert page.evaluate("document.activeElement.id") == "step-1-3"
        assert page.get_by_role("heading", name="关于维修水渠的<b>建议</b>").count() == 1
        steps.nth(2).get_by_text("依据").click()
        assert "题名相近" in steps.nth(2).inner_text()
        steps.first.locator(".pr-source a").click()
        page.locator(".cd-drawer").wait_for()


def test_the_topic_may_stand_in_the_address_by_either_name(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "precedents?topic=水渠") as page:
        ready(page)
        assert page.get_by_role("searchbox").input_value() == "水渠"


def test_an_empty_page_offers_topics_that_are_there(browser: Any, address: str) -> None:
    with opened(browser, address, "phone", "") as page:
        page.route(
            "**/api/precedents/topics", lambda r: r.fulfill(json={"topics": ["水渠", "<b>无</b>"]})
        )
        page.goto(f"{address}/precedents")
        offered = page.get_by_role("list", name="可以试试的主题")
        offered.wait_for()
        assert offered.get_by_role("link").all_inner_texts() == ["水渠", "<b>无</b>"]
        offered.get_by_role("link", name="水渠").click()
        ready(page)


def test_a_topic_without_precedents_says_what_to_do(browser: Any, address: str) -> None:
    with opened(browser, address, "phone", "precedents") as page:
        page.get_by_role("searchbox").fill("没有这样的事")
        page.get_by_role("button", name="查先例").click()
        page.get_by_text("可换一个说法").wait_for()
        assert "q=" in page.url


def test_charts_stand_beside_their_tables(browser: Any, address: str) -> None:
    with opened(browser, address, "desk", "statistics") as page:
        ready(page)
        page.locator(".ch-columns rect").first.wait_for()
        for card in page.locator(".br-card").all():
            assert card.locator("table").count() == 1 or "没有可统计的" in card.inner_text()
        page.get_by_role("link", name="决议").first.click()
        page.locator(".br-chip").wait_for()
        assert page.locator(".br-chip").inner_text().startswith("文种：决议")


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that wants to know what for."""
    with _served(tmp_path_factory.mktemp("home"), "purpose") as address:
        yield address


@pytest.mark.parametrize("size", SIZES)
def test_a_purpose_is_asked_where_it_must_be_stated(browser: Any, asking: str, size: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{asking}/precedents?q=水渠")
    dialog = page.get_by_role("dialog", name="请选择利用目的")
    if size == "desk":  # the purpose stated first holds for the reader until the server stops
        dialog.get_by_role("button", name="继续").click()
        dialog.get_by_text("请先选择利用目的。").wait_for()
        dialog.get_by_label("利用目的").select_option("其他")
        dialog.get_by_label("请写明目的").fill("写家谱")
        dialog.get_by_role("button", name="继续").click()
    page.locator(".pr-step").first.wait_for()
    page.goto(f"{asking}/catalogue")
    page.locator(".br-table tbody tr").first.wait_for()
    context.close()
