"""The pages of administration in Chromium, at a desk and on a phone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from index.store import Store
from tests.browser.complaints import complaints
from tests.browser.test_pages import SIZES, _served, browser  # noqa: F401
from tests.web_fakes import CATALOGUE_ONLY, HIDDEN, HOSTILE, SCANNED

pytestmark = pytest.mark.browser

#: Where pictures go when somebody wants to look at them.
SHOTS = os.environ.get("SHOTS", "")
PAGES = (
    "admin",
    "admin/opening",
    "admin/vocabulary",
    "admin/settings",
    "admin/doctor",
    "admin/logs",
)


class Desk:
    """One open page of administration, with what was seen of it."""

    def __init__(self, page: Any, address: str, home: Path, size: str) -> None:
        self.page, self.address, self.home, self.size = page, address, home, size

    def go(self, address: str) -> Any:
        self.page.goto(f"{self.address}/{address}")
        self.page.locator("#ad-main section:visible").first.wait_for()
        return self.page

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=f"{SHOTS}/{name}-{self.size}.png", full_page=True)

    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.fixture(scope="module", params=list(SIZES))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Path]]:
    """Size, address and home of a server; one for all pages of a size."""
    home = tmp_path_factory.mktemp("home")
    with _served(home) as address:
        yield request.param, address, home


@pytest.fixture
def desk(served: tuple[str, str, Path], browser: Any) -> Iterator[Desk]:  # noqa: F811
    size, address, home = served
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(9000)
    errors = complaints(page, expected="409")  # what cannot be done
    own = urlsplit(address).netloc
    page.on("request", lambda r: errors.append(r.url) if urlsplit(r.url).netloc != own else None)
    page.on("dialog", lambda dialog: dialog.accept())
    yield Desk(page, address, home, size)
    context.close()
    assert errors == []


def test_every_page_fits_and_can_be_pressed(desk: Desk) -> None:
    """This test ensures no sideways scrolling, targets of 44 px, and Chinese names everywhere."""
    for address in PAGES:
        page = desk.go(address)
        page.wait_for_timeout(300)
        desk.shot(address.replace("/", "-"))
        assert desk.overflow() == 0, address
        small = page.evaluate(
            """[...document.querySelectorAll('#ad-main button, #ad-main a, #ad-main select,'
              + '#ad-main input:not([type=checkbox]), #ad-main textarea, #ad-main summary')]
              .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 43.5)
              .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert small == [], address
        names = page.evaluate(
            """[...document.querySelectorAll('button, a, select, input, textarea')]
              .filter((e) => e.offsetParent)
              .map((e) => e.getAttribute('aria-label') || (e.labels && e.labels[0] || e).textContent)"""
        )
        assert all(re.search(r"[\u4e00-\u9fff]", name) for name in names), (address, names)


def test_the_overview_leads_everywhere(desk: Desk) -> None:
    page = desk.go("admin")
    for name in ("入库管理", "开放审核", "口语对照表", "设置", "体检", "运行日志"):
        page.locator("#ad-main").get_by_role("link", name=re.compile(name)).click()
        page.locator("#ad-main section:visible").first.wait_for()
        assert name in page.title()
        page.go_back()
        page.locator("#ad-main .mg-places a").first.wait_for()


def test_a_batch_is_picked_looked_at_and_decided(desk: Desk) -> None:
    """This test ensures that a decision from the page is in force, and can be undone there."""
    page = desk.go("admin/opening")
    page.get_by_role("button", name="预览").click()
    page.get_by_text("请至少选一个条件").wait_for()

    page.get_by_label(re.compile("档号（一行一个")).fill(
        f"{HIDDEN}\n{HOSTILE}\n{CATALOGUE_ONLY}\n无此档号"
    )
    page.get_by_role("button", name="预览").click()
    page.get_by_text("馆藏里没有 无此档号").wait_for()
    assert not page.get_by_role("region", name="第三步：登记").is_visible()
    page.get_by_label(re.compile("档号（一行一个")).fill(f"{HIDDEN}\n{HOSTILE}\n{CATALOGUE_ONLY}")
    page.get_by_role("button", name="预览").click()
    look = page.get_by_role("region", name="预览")
    look.get_by_text("关于<b>加粗</b>的[请示](http://evil.test)").wait_for()
    look.get_by_text("限制利用（信访）").wait_for()
    desk.shot("opening-preview")
    assert desk.overflow() == 0
    page.get_by_role("button", name=f"去掉 {HOSTILE}").click()
    page.get_by_text("已去掉 1 件").wait_for()

    part = page.get_by_role("region", name="第三步：登记")
    part.get_by_label("审核结果").select_option("延期开放")
    part.get_by_label("理由").select_option("其他")
    part.get_by_label("由谁审核决定").fill("")
    part.get_by_role("button", name=re.compile("登记：2 件")).click()
    page.get_by_text("请写明由谁审核决定").wait_for()
    part.get_by_label("由谁审核决定").fill("张档")
    part.get_by_role("button", name=re.compile("登记：2 件")).click()
    page.get_by_text("请在说明里写清楚").wait_for()
    part.get_by_label("说明").fill("三年后再审")
    part.get_by_role("button", name=re.compile("登记：2 件")).dblclick()
    page.get_by_text("已登记第 1 号：2 件定为延期开放").wait_for()
    past = page.get_by_role("region", name="登记过的")
    past.get_by_text("三年后再审").wait_for()
    assert past.locator(".ad-list > li").count() == 1
    record = Store(desk.home / "chadang.sqlite3").record(CATALOGUE_ONLY)
    assert record is not None
    assert record.opening == "延期开放"

    past.get_by_text("是哪些件，撤销").click()
    past.get_by_text(HIDDEN, exact=True).wait_for()
    desk.shot("opening-past")
    past.get_by_label("原因").fill("登记错了")
    past.get_by_role("button", name="撤销第 1 号").click()
    page.get_by_text("已撤销第 1 号").wait_for()
    past.get_by_text("第 2 号 · ").wait_for()
    assert past.locator(".ad-list > li").count() == 2
    record = Store(desk.home / "chadang.sqlite3").record(CATALOGUE_ONLY)
    assert record is not None
    assert record.opening == "开放"
    assert desk.overflow() == 0


def test_the_vocabulary_is_edited_and_tried(desk: Desk) -> None:
    """This test ensures that a row is checked, kept, in force, changed and taken out again."""
    page = desk.go("admin/vocabulary")
    edit = page.get_by_role("region", name=re.compile("增加一行|改第"))
    edit.get_by_label(re.compile("^口语")).fill("小蓝车<b>")
    edit.get_by_role("button", name="保存").click()
    page.get_by_text(re.compile("“正式用语”空着")).wait_for()
    edit.get_by_label(re.compile("^正式用语")).fill("公共自行车")
    edit.get_by_label(re.compile("^起始年")).fill("2015")
    edit.get_by_role("button", name="保存").click()
    own = page.get_by_role("region", name="本馆的行").last
    own.get_by_text("小蓝车<b>").wait_for()

    page.get_by_label(re.compile("^问话")).fill("小蓝车<b>怎么管")
    page.get_by_role("button", name="看一看").click()
    page.get_by_role("region", name="试一试的结果").get_by_text("公共自行车").wait_for()
    desk.shot("vocabulary-tried")
    assert desk.overflow() == 0

    own.get_by_role("button", name=re.compile("^改 小蓝车")).click()
    edit.get_by_label(re.compile("^口语")).fill("小黄车")
    edit.get_by_role("button", name="保存").click()
    own.get_by_text("小黄车").wait_for()
    own.get_by_role("button", name="删 小黄车").click()
    page.get_by_text("还没有。用上面的表单增加").wait_for()

    page.get_by_label(re.compile("^查找")).fill("电驴")
    shipped = page.get_by_role("region", name="自带的行").last
    shipped.get_by_role("button", name=re.compile("^停用 ")).first.click()
    page.get_by_text("已停用这一行").wait_for()


def test_the_examination_runs_to_its_end(desk: Desk) -> None:
    page = desk.go("admin/doctor")
    page.get_by_text("服务启动以来还没有检查过").wait_for()
    page.get_by_role("button", name="开始检查").click()
    page.get_by_text(re.compile("检查完）")).wait_for(timeout=120_000)
    assert page.get_by_text("还没有索引").is_visible()
    desk.shot("doctor-done")
    assert desk.overflow() == 0


def test_the_log_shows_what_was_done_and_no_question(desk: Desk) -> None:
    page = desk.page
    page.goto(f"{desk.address}/app/")
    page.locator("#cd-question textarea").fill("坏的问题：东风水库渠道")
    page.keyboard.press("Enter")
    page.get_by_text("这一次没有查成").first.wait_for()
    desk.go("admin/logs")
    lines = page.get_by_role("region", name="日志", exact=True)
    lines.get_by_text("a question failed").first.wait_for()
    assert "RuntimeError" in lines.inner_text()
    assert "东风水库" not in lines.inner_text()
    desk.shot("logs-done")
    page.get_by_label("级别").select_option("ERROR")
    page.wait_for_timeout(400)
    assert "一般" not in lines.inner_text()
    assert SCANNED not in lines.inner_text()
