"""First start, signing in and managing accounts in Chromium, at a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.account_fakes import PASSWORD
from tests.browser.complaints import complaints
from tests.browser.test_pages import SIZES, _served, browser
from tests.web_fakes import SCANNED
from ui.api import record_token

__all__ = ["browser"]

pytestmark = pytest.mark.browser

#: Interactive elements smaller than a finger, by their text.
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
  .filter((e) => e.checkVisibility() && !e.closest("label.ac-tick"))
  .filter((e) => { const r = e.getBoundingClientRect(); return r.height < 43.5 || r.width < 43.5; })
  .map((e) => e.outerHTML.slice(0, 80))"""
#: Interactive elements without a name.
NAMELESS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, button")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.textContent.trim() || e.labels?.[0]?.textContent.trim() || e.ariaLabel))
  .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.fixture(params=list(SIZES))
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    errors = complaints(page, expected="40[13]|422")  # a refused sign-in
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _served(tmp_path_factory.mktemp("home"), "accounts") as address:
        yield address


def fill(page: Any, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f'[name="{name.replace("_", "-")}"]').first.fill(value)


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def is_fit(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.evaluate(SMALL) == []
    assert page.evaluate(NAMELESS) == []
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def sign_in(page: Any, address: str, account: str, path: str = "/") -> None:
    page.goto(address + path)
    page.wait_for_url("**/login*")
    fill(page, account=account, password=PASSWORD)
    press(page, "登录")


def test_the_first_start_from_code_to_question(page: Any, tmp_path: Path) -> None:
    with _served(tmp_path, "setup") as address:
        page.goto(f"{address}/app/")
        page.wait_for_url("**/setup")
        is_fit(page)
        code = re.search(r"启用码：(\S+)", (tmp_path / "server.log").read_text("utf-8"))
        assert code
        fill(page, code=code[1], account_system="xitong", name_system="甲某", password=PASSWORD,
             again=PASSWORD, account_archivist="dangan", name_archivist="丙某")  # fmt: skip
        press(page, "开通")
        page.get_by_role("heading", name="已开通").wait_for()
        is_fit(page)
        initial = page.locator("code").last.inner_text()
        page.get_by_role("link", name="去登录").click()
        fill(page, account="dangan", password=initial)
        page.keyboard.press("Enter")
        page.wait_for_url("**/account")
        is_fit(page)
        fill(page, old=initial, new="Xin-Mi-Ma-2026", again="Xin-Mi-Ma-2026")
        press(page, "修改密码")
        page.get_by_role("status").get_by_text("密码已修改").wait_for()
        is_fit(page)
        page.goto(f"{address}/app/")
        page.locator(".cd-purpose-bar select").select_option(index=1)
        page.locator("#cd-question textarea").fill("有哪些？")
        page.keyboard.press("Enter")
        page.get_by_text("目录中共有").wait_for()
        # Left before the server stops: what the page still fetches would be refused.
        page.goto("about:blank")


def test_one_comes_back_to_the_page_one_wanted_and_signs_out(page: Any, address: str) -> None:
    sign_in(page, address, "deputy", f"/record/{record_token(SCANNED)}?page=1")
    page.locator("dialog[open] h2").get_by_text("水利工程经费").wait_for()
    page.keyboard.press("Escape")
    page.locator("#cd-question textarea").wait_for()
    page.wait_for_timeout(1000)  # the rest of the page may still be on its way
    menu = page.locator(".cd-menu")
    if menu.is_visible():
        menu.click()
    assert page.get_by_role("link", name="用户管理").count() == 0
    page.get_by_role("link", name="退出", exact=True).click()
    page.wait_for_url("**/login?out=1")
    assert "已退出登录" in page.locator("main").inner_text()
    page.go_back()  # what the browser kept is left again
    page.wait_for_url("**/login*")


def test_a_page_left_open_is_left_when_the_session_is_over(
    page: Any, browser: Any, address: str
) -> None:
    sign_in(page, address, "clerk")
    page.locator("#cd-question textarea").wait_for()
    other = browser.new_page()
    sign_in(other, address, "system")
    other.wait_for_url("**/admin/users")
    other.on("dialog", lambda dialog: dialog.accept())
    other.locator("li", has_text="clerk").get_by_role("button", name="退出全部登录").click()
    other.get_by_text("该账号的登录都已退出").wait_for()
    other.close()
    page.locator("#cd-question textarea").fill("东风水库渠道维修经费是多少？")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/login\?next=app"))


def test_a_new_account_goes_through_two_administrators(
    page: Any, browser: Any, address: str, request: pytest.FixtureRequest
) -> None:
    account = f"new-{page.viewport_size['width']}"
    sign_in(page, address, "system")
    page.get_by_text("增加账号").click()
    is_fit(page)
    fill(page, account=account, name="新某<b>")
    page.locator("select").first.select_option("代表")
    press(page, "增加")
    page.get_by_role("heading", name="账号已增加").wait_for()
    is_fit(page)
    context = browser.new_context(viewport=page.viewport_size)
    second = context.new_page()
    sign_in(second, address, "security")
    row = second.locator("li", has_text=account)
    row.get_by_role("button", name="授予").wait_for()
    is_fit(second)
    assert "新某<b>" in row.inner_text()
    row.get_by_role("button", name="授予").click()
    second.get_by_text("身份已授予").wait_for()
    context.close()


def test_without_a_script_one_signs_in_and_out(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address, "auditor")
    page.wait_for_url("**/admin/register")
    page.goto(f"{address}/account")
    press(page, "退出登录")
    page.wait_for_url("**/login?out=1")
    context.close()


def test_nothing_is_asked_of_another_site(page: Any, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(urlsplit(r.url).netloc))
    sign_in(page, address, "archivist")
    page.locator("#cd-question textarea").wait_for()

    assert set(asked) == {urlsplit(address).netloc}
