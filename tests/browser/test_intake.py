"""The ingest page in Chromium: a real run from start to report, at a desk and on a phone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.complaints import complaints
from tests.browser.test_pages import SIZES, _served, browser
from tests.ingest_files import open_home, write_scan, write_text_pdf

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture(params=list(SIZES))
def visit(
    request: pytest.FixtureRequest, browser: Any, model_folder: Path, tmp_path: Path
) -> Iterator[tuple[Any, Path]]:
    from ingest.pipeline import ingest

    source, home = tmp_path / "馆藏", tmp_path / "home"
    source.mkdir()
    (source / "坏.pdf").write_bytes(b"%PDF-1.7\n")
    (source / "疑<b>件.txt").write_text("机密\n关于某事的通知\n", encoding="utf-8")
    store, settings = open_home(home)
    ingest(source, store, settings)  # once by command line, so the page may do it again
    store.close()
    (home / "models").symlink_to(model_folder.parent)
    write_text_pdf(source / "0012-2001-Y-0001.pdf", [["城市管理工作情况的报告。"]] * 4)
    lines = ["REPORT ON THE DOG RULES", "TEXT OF THE PAGE"]  # the built-in font has no Han
    write_scan(source / "扫描.pdf", [lines] * 2)
    width, height = SIZES[request.param]
    with _served(home) as address:
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        strangers: list[str] = []
        own = urlsplit(address).netloc
        errors = complaints(page, expected="409")  # a button pressed twice
        page.on(
            "request", lambda r: strangers.append(r.url) if urlsplit(r.url).netloc != own else None
        )
        page.goto(f"{address}/admin/ingest")
        page.get_by_text("现在没有入库在运行。").wait_for()
        yield page, source
        context.close()
    assert errors == []
    assert strangers == []


def _overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def _wait_for_end(page: Any, run: int) -> None:
    page.get_by_text(re.compile(f"第 {run} 次 · 已完成")).wait_for(timeout=90_000)
    page.get_by_text("现在没有入库在运行。").wait_for(timeout=180_000)


def test_an_ingest_from_the_page_from_start_to_report(visit: tuple[Any, Path]) -> None:
    """This test ensures that start, watch, retry, decision and report work by hand."""
    page, source = visit
    dead = page.get_by_role("region", name="没有读全的文件")
    held = page.get_by_role("region", name="等待审核")
    assert dead.get_by_text("坏.pdf", exact=True).is_visible()
    assert held.get_by_text("疑<b>件.txt").is_visible()
    assert _overflow(page) == 0

    page.get_by_role("button", name="开始入库").click()
    page.get_by_text(re.compile("正在启动|正在入库|正在建索引")).first.wait_for()
    assert page.get_by_role("button", name="开始入库").is_disabled()
    _wait_for_end(page, 2)
    coverage = page.get_by_role("region", name="按年度")
    coverage.get_by_role("rowheader").first.wait_for()
    assert coverage.locator("svg rect").count() >= 2

    shutil.copy(source / "0012-2001-Y-0001.pdf", source / "坏.pdf")
    dead.get_by_role("button", name="重试 坏.pdf").click()
    _wait_for_end(page, 3)
    dead.get_by_text("没有。").wait_for()

    held.get_by_role("button", name=re.compile("不予入库")).click()
    page.get_by_text("请写明由谁决定和理由。").wait_for()
    held.get_by_label("由谁决定").fill("张三")
    held.get_by_label("理由").fill("核对原件，属工作秘密")
    held.get_by_role("button", name=re.compile("不予入库")).click()
    held.get_by_text("没有等待审核的。").wait_for()
    held.get_by_text("已决定的 1 件").click()
    assert "张三 决定不予入库：核对原件，属工作秘密" in held.inner_text()
    assert _overflow(page) == 0

    with page.expect_popup() as opened:
        page.get_by_role("link", name="打开、打印").first.click()
    report = opened.value
    report.get_by_role("heading", name="入库报告（第 3 次）").wait_for()
    assert "扫描.pdf" in report.inner_text("body")
    assert _overflow(report) == 0
