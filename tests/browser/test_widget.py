"""The widget in Chromium: a portal on one site, the archive on another, cookies of no use."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from index.domain import Role
from tests.browser.complaints import complaints
from tests.browser.test_pages import QUESTION, ROOT, SIZES, _launched, _wait_for
from tests.web_fakes import make_settings
from tests.widget_fakes import Host, hosting, sign
from ui.accounts import Accounts
from ui.portals import Portals
from ui.sign_in import COOKIE

pytestmark = pytest.mark.browser

ACCOUNT, PASSWORD = "wangwu", "青沙河畔3棵柳树Qx"
#: Rules a careless page may have; none of them may reach the widget.
RUDE = """<style>
button { display: none !important; transform: rotate(90deg) !important; }
iframe, div { border: 9px solid lime !important; opacity: 0.2 !important; }
* { font-size: 3px !important; letter-spacing: 2em !important; color: lime !important; }
</style>"""


@dataclass
class Setting:
    """Everything a test needs: where the archive is, the portal's page, and how to sign."""

    port: int
    host: Host
    portals: Portals
    secret: str
    accounts: Accounts

    def address(self, name: str = "portal.gov.test") -> str:
        return f"http://{name}:{self.host.port}/"

    def script(self, name: str = "dang.other.test", attributes: str = "") -> str:
        return f"<script src='http://{name}:{self.port}/widget.js' {attributes}></script>"


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    home = tmp_path_factory.mktemp("home")
    portals = Portals(home)
    secret = portals.add("oa", (Role.STAFF, Role.DEPUTY))
    accounts = Accounts(make_settings(home))
    accounts.add(ACCOUNT, "工作人员乙", Role.STAFF, PASSWORD, approved=True, must_change=False)
    with hosting() as host:
        origin = f"http://portal.gov.test:{host.port}"
        flags = (f"widget_origins={origin}", "sign_in=accounts", "ask_purpose=never")
        with _archive(home, *flags) as port:
            yield Setting(port, host, portals, secret, accounts)


@contextmanager
def _archive(home: Path, *flags: str) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    log = (home / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.widget_fakes", str(home), str(port), *flags,
         "site_names=dang.gov.test dang.other.test"],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", server, home / "server.log")
        yield port
    finally:
        server.terminate()
        server.wait(15)
        log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with _launched(
        "--disable-background-networking",
        "--host-resolver-rules=MAP *.test 127.0.0.1",
        "--test-third-party-cookie-phaseout",
    ) as browser:
        yield browser


@dataclass
class Visit:
    page: Any
    setting: Setting
    cookie: str
    cookies: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def frame(self) -> Any:
        return self.page.frame_locator("iframe")

    @property
    def box(self) -> Any:
        return self.frame.locator("#cd-question textarea")

    @property
    def panel(self) -> Any:
        return self.page.locator("[role=dialog]:has(> iframe)")

    def open(self, body: str, headers: dict[str, str] | None = None) -> None:
        self.setting.host.body = body
        self.setting.host.headers = headers or {}
        self.page.goto(self.setting.address())

    def inside(self) -> Any:
        return next(f for f in self.page.frames if "/app/" in f.url)


@pytest.fixture(params=list(SIZES))
def visit(request: pytest.FixtureRequest, browser: Any, setting: Setting) -> Iterator[Visit]:
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=request.param == "phone",
        locale="en-US",
    )
    # as somebody who is signed in to the archive has it
    cookie = setting.accounts.sign_in(ACCOUNT, PASSWORD, "127.0.0.1", "test")
    context.add_cookies(
        [{"name": COOKIE, "value": cookie, "domain": name, "path": "/", "sameSite": "Lax"}
         for name in ("dang.gov.test", "dang.other.test")]
    )  # fmt: skip
    page = context.new_page()
    # Gradio's box asks for the focus as it appears; Chromium tells that a frame does not get it
    errors = complaints(page, expected="Blocked autofocusing")
    visit = Visit(page, setting, cookie, errors=errors)
    setting.host.token = lambda: sign(setting.secret, setting.portals.audience)

    def seen(request: Any) -> None:
        if "/widget/" in request.url:
            visit.cookies.append((request.url, request.all_headers().get("cookie", "")))

    page.on("requestfinished", seen)
    yield visit
    context.close()
    assert visit.errors == []


TOKEN = "data-label='查档案' data-token-url='/token' defer"


def test_another_site_s_reader_asks_without_cookies(visit: Visit) -> None:
    """This test ensures that a signed token is enough, on a strict page with rude styles."""
    page, port = visit.page, visit.setting.port
    policy = (
        f"default-src 'self'; style-src 'unsafe-inline'; script-src http://dang.other.test:{port}; "
        f"frame-src http://dang.other.test:{port}"
    )
    visit.open(
        f"{RUDE}<h1 id='h'>示例门户</h1><p>正文</p>{visit.setting.script(attributes=TOKEN)}",
        {"Content-Security-Policy": policy},
    )
    heading = (
        "(() => { const s = getComputedStyle(h); return [s.font, s.color, s.display].join() })()"
    )
    before = page.evaluate(heading)
    launcher = page.locator("button[aria-haspopup=dialog]")
    place = launcher.bounding_box()
    assert place["height"] >= 44
    assert place["width"] > place["height"]
    assert launcher.get_attribute("aria-expanded") == "false"
    assert page.locator("iframe").count() == 0

    launcher.focus()
    page.keyboard.press("Enter")
    visit.box.wait_for()
    assert launcher.get_attribute("aria-expanded") == "true"
    assert page.locator("iframe").get_attribute("title") == "查档案"
    assert re.search(r"/widget/s/[\w-]{43}/app/", visit.inside().url)
    assert visit.panel.evaluate("e => getComputedStyle(e).opacity") == "1"
    assert page.evaluate(heading) == before

    page.evaluate("ChadangWidget.open({ q: '  东风水库渠道维修经费是多少？ ' })")
    mark = visit.frame.get_by_role("button", name="引文①，查看原页")
    mark.wait_for()
    visit.frame.locator(".cd-card").first.wait_for()
    assert visit.frame.locator("[data-testid=user]").count() == 1
    mark.click()
    visit.frame.locator(".cd-loaded img").wait_for()
    drawer = visit.frame.get_by_role("dialog")
    assert f"档号 {'0012-1985-永久-0034'}" in drawer.inner_text()

    assert len(visit.cookies) > 20
    assert {cookie for _, cookie in visit.cookies} == {""}


def _ask(visit: Visit) -> None:
    visit.open(f"<h1>示例门户</h1>{visit.setting.script(attributes=TOKEN)}")
    visit.page.evaluate(f"ChadangWidget.open({{ q: {QUESTION!r} }})")
    visit.frame.get_by_role("button", name="引文①，查看原页").wait_for()
    visit.frame.locator(".cd-card").first.wait_for()


def test_a_source_takes_the_room_it_needs_and_gives_it_back(visit: Visit) -> None:
    page = visit.page
    _ask(visit)
    small = visit.panel.bounding_box()
    wide, height = page.viewport_size["width"], page.viewport_size["height"]
    phone = wide < 480

    visit.frame.get_by_role("button", name="引文①，查看原页").click()
    visit.frame.locator(".cd-loaded img").wait_for()
    page.wait_for_timeout(200)
    large = visit.panel.bounding_box()
    if phone:
        assert (
            (small["width"], small["height"]) == (large["width"], large["height"]) == (wide, height)
        )
    else:
        assert small["width"] < 450
        assert large["width"] > 1200
        assert large["height"] > 800
    inside = visit.inside()
    assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.keyboard.press("Escape")
    visit.frame.get_by_role("dialog").wait_for(state="hidden")
    page.wait_for_timeout(200)
    assert visit.panel.bounding_box() == small
    assert visit.panel.is_visible()
    assert inside.evaluate("document.activeElement.getAttribute('aria-label')") == "引文①，查看原页"

    page.keyboard.press("Escape")
    visit.panel.wait_for(state="hidden")
    launcher = page.locator("button[aria-haspopup=dialog]")
    assert launcher.evaluate("e => document.activeElement === e")
    assert launcher.get_attribute("aria-expanded") == "false"
    launcher.click()
    assert visit.frame.locator("[data-testid=bot]").count() == 1  # the same conversation


def test_a_link_that_is_handed_on_names_no_session(visit: Visit) -> None:
    _ask(visit)
    visit.frame.get_by_role("button", name="引文①，查看原页").click()
    visit.frame.locator(".cd-loaded img").wait_for()
    inside = visit.inside()
    inside.evaluate("document.addEventListener('copy', () => { window.copied = String(getSelection()"
                    " || document.activeElement.value) }, true); document.execCommand = () => {"
                    " window.copied = document.activeElement.value; return true }")  # fmt: skip
    visit.frame.get_by_role("button", name="复制链接").click()

    copied = inside.evaluate("window.copied")
    assert copied.startswith(f"http://dang.other.test:{visit.setting.port}/record/")


def test_the_phone_s_own_bar_closes_and_lets_the_page_scroll_again(visit: Visit) -> None:
    page = visit.page
    visit.open(f"<div style='height:3000px'>长页面</div>{visit.setting.script(attributes=TOKEN)}")
    page.get_by_role("button", name="查档案").click()
    visit.box.wait_for()
    bar = visit.panel.get_by_role("button", name="关闭", exact=True)
    for button in visit.panel.locator("> div button:visible").all():
        assert button.bounding_box()["height"] >= 44
        assert button.bounding_box()["width"] >= 44
    locked = page.evaluate("getComputedStyle(document.documentElement).overflowY === 'hidden'")
    assert locked == (page.viewport_size["width"] < 480)

    bar.click()
    visit.panel.wait_for(state="hidden")
    assert page.evaluate("document.documentElement.style.overflow") == ""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_keyboard_alone_opens_asks_and_closes(visit: Visit) -> None:
    page = visit.page
    visit.open(f"<a href='#'>前一项</a>{visit.setting.script(attributes=TOKEN)}")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    visit.box.wait_for()
    for _ in range(30):
        if (
            visit.inside().evaluate("document.hasFocus() && document.activeElement.tagName")
            == "TEXTAREA"
        ):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError("the question box is not reached by Tab")
    page.keyboard.type("经费是多少？")
    page.keyboard.press("Enter")
    visit.frame.get_by_role("button", name="引文①，查看原页").wait_for()
    page.keyboard.press("Escape")
    visit.panel.wait_for(state="hidden")


def test_a_site_that_is_not_on_the_list_is_refused(visit: Visit) -> None:
    page, setting = visit.page, visit.setting
    setting.host.body = setting.script("dang.gov.test", TOKEN)
    setting.host.headers = {}
    page.goto(setting.address("stranger.gov.test"))

    page.get_by_role("button", name="查档案").click()
    page.get_by_text("不在查档允许嵌入的名单里").wait_for(timeout=15_000)

    link = page.get_by_role("link", name="在新窗口打开查档")
    assert link.get_attribute("href") == f"http://dang.gov.test:{setting.port}/app/"
    assert link.get_attribute("target") == "_blank"
    assert not any("/app/" in f.url for f in page.frames)
    refusals = [e for e in visit.errors if "frame-ancestors" in e or "frame" in e.lower()]
    assert refusals
    assert "/token" not in setting.host.asked[-2:]
    visit.errors.clear()


def test_no_other_page_of_the_archive_can_be_framed(visit: Visit) -> None:
    """This test ensures that even a portal on the list frames the widget only."""
    page, port = visit.page, visit.setting.port
    visit.open(f"<iframe src='http://dang.gov.test:{port}/app/'></iframe>")
    page.wait_for_timeout(1500)

    frame = page.frames[-1]
    assert frame.locator("#cd-question").count() == 0
    assert any("frame-ancestors 'self'" in e for e in visit.errors)
    visit.errors.clear()


def test_on_the_same_site_the_sign_in_is_shared(visit: Visit) -> None:
    """This test ensures that a Lax cookie reaches the frame, which opens without any token."""
    visit.open(
        visit.setting.script("dang.gov.test", "data-open='true' data-position='left-bottom'")
    )
    visit.box.wait_for()

    assert re.search(r"/widget/app/", visit.inside().url)
    assert {cookie for _, cookie in visit.cookies} == {f"{COOKIE}={visit.cookie}"}
    status = visit.inside().evaluate("fetch('../api/status').then((r) => r.json())")
    assert (status["reader"], status["role"]) == ("工作人员乙", "机关工作人员")
    visit.page.wait_for_timeout(1000)
    assert visit.page.evaluate("document.activeElement === document.body")
    if visit.page.viewport_size["width"] > 480:
        assert visit.panel.bounding_box()["x"] == 24


def test_a_token_that_is_refused_is_told_and_tried_again(visit: Visit) -> None:
    setting = visit.setting
    setting.host.token = lambda: sign(setting.secret, setting.portals.audience, role="档案管理员")
    visit.open(setting.script(attributes=TOKEN))
    visit.page.get_by_role("button", name="查档案").click()
    visit.frame.get_by_text("令牌里的身份超出这个门户可认定的范围").wait_for()

    setting.host.token = lambda: sign(setting.secret, setting.portals.audience)
    visit.frame.get_by_role("button", name="重试").click()
    visit.box.wait_for()
    visit.errors[:] = [e for e in visit.errors if "403" not in e]


def test_messages_of_anybody_else_change_nothing(visit: Visit) -> None:
    page = visit.page
    visit.open(
        f"<iframe id='x' srcdoc='<p>别的框'></iframe>{visit.setting.script(attributes=TOKEN)}"
    )
    page.get_by_role("button", name="查档案").click()
    frame = page.frame_locator("iframe[title]")
    frame.locator("#cd-question textarea").wait_for()
    panel = page.locator("[role=dialog]")
    before = panel.bounding_box()
    stranger = next(f for f in page.frames if f.url == "about:srcdoc")

    for kind in ("close", "wide", "token"):
        message = f"{{ chadang: 1, type: '{kind}', on: true }}"
        page.evaluate(f"window.postMessage({message}, '*')")
        stranger.evaluate(f"parent.postMessage({message}, '*')")
    inside = visit.inside()
    ask = "{ chadang: 1, type: 'ask', q: '不该问的' }"
    inside.evaluate(f"window.postMessage({ask}, '*')")
    stranger.evaluate(f"parent.frames[1].postMessage({ask}, '*')")
    stranger.evaluate("parent.frames[1].postMessage({ chadang: 1, type: 'hello' }, '*')")
    page.wait_for_timeout(800)

    assert panel.bounding_box() == before
    assert frame.locator("[data-testid=user]").count() == 0


def test_options_that_make_no_sense_are_left_out(visit: Visit) -> None:
    warnings: list[str] = []
    visit.page.on("console", lambda m: warnings.append(m.text) if m.type == "warning" else None)
    bad = (
        "data-label='<img src=x onerror=alert(1)>' data-color='red;background:url(//x)' "
        "data-position='middle' data-offset='1e9' data-token-url='http://evil.test/t'"
    )
    visit.open(visit.setting.script("dang.gov.test", bad))
    launcher = visit.page.get_by_role("button", name="查档", exact=True)
    launcher.wait_for()

    assert launcher.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(166, 25, 46)"
    assert launcher.evaluate("e => getComputedStyle(e).right") == "24px"
    assert len([w for w in warnings if "chadang widget" in w]) == 5
    visit.open(visit.setting.script("dang.gov.test", "data-color='#fd0' data-offset='10,90'"))
    launcher.wait_for()
    assert launcher.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert launcher.evaluate("e => getComputedStyle(e).bottom") == "90px"
