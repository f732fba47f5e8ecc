"""Pages as a printer gets them: on A4, nothing cut off, nothing to press."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest

from tests.browser.complaints import complaints
from tests.browser.test_pages import QUESTION, Visit, address, browser

pytestmark = pytest.mark.browser

__all__ = ["address", "browser"]
#: A4 in points, and the least white border a printer needs.
A4, BORDER = (595, 842), 24
#: Page, what stands only when all is there, words that must be on paper, words that must not.
PAGES = {
    "catalogue": (".br-table tbody tr", "原文", "导出"),
    "precedents?q=水渠": (".pr-step", "未检得", "查先例"),
    "statistics": (".ch-columns rect", "按年度和文种", "XLSX"),
    "admin/register": ("main table", "登记号", "查看这段时间"),
    "admin/doctor": ("#ad-main section:visible", "体检", "开始检查"),
}


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    errors = complaints(page)
    yield page
    context.close()
    assert errors == []


def _printed(page: Any) -> str:
    """The words on paper; fails where some are outside what a printer can reach."""
    words = []
    with pypdfium2.PdfDocument(page.pdf(format="A4", prefer_css_page_size=True)) as document:
        for sheet in document:
            width, height = sheet.get_size()
            assert sorted((width, height)) == pytest.approx(A4, abs=2)
            text = sheet.get_textpage()
            for n in range(text.count_rects()):
                left, bottom, right, top = text.get_rect(n)
                assert left >= BORDER, text.get_text_bounded(left, bottom, right, top)
                assert right <= width - BORDER, text.get_text_bounded(left, bottom, right, top)
            words.append(text.get_text_bounded())
    return "\n".join(words)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_printed_whole(page: Any, address: str, path: str) -> None:
    stands, there, absent = PAGES[path]
    page.goto(f"{address}/{path}")
    page.locator(stands).first.wait_for()
    page.wait_for_timeout(500)
    words = _printed(page)
    assert "查档" in words
    assert there in words
    assert absent not in words


def test_an_answer_is_printed_with_its_sources(page: Any, address: str) -> None:
    page.goto(f"{address}/app/")
    page.locator("#cd-limit").wait_for(timeout=60_000)
    Visit(page, address).ask(QUESTION)
    page.locator(".cd-card").first.wait_for()
    words = _printed(page)
    assert "拨款五千元" in words
    assert "检索参考件" in words
    assert page.locator(".cd-card .cd-fields").first.inner_text().split()[-1] in words
    page.emulate_media(media="print")
    white = page.locator(".cd-header").evaluate("e => getComputedStyle(e).backgroundColor")
    assert white == "rgb(255, 255, 255)"  # printers leave grounds out, and white letters with them
