"""The real pages in Chromium, at a desk and on a phone."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.complaints import complaints
from tests.hostile import HOSTILE
from tests.web_fakes import SCANNED, SCANNED_QUOTE, TYPED, TYPED_QUOTE
from ui.places import permalink

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[2]
SIZES = {"desk": (1360, 900), "phone": (390, 844)}
QUESTION = "东风水库渠道维修经费是多少？"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _served(tmp_path_factory.mktemp("home")) as address:
        yield address


@contextmanager
def _served(home: Path, *more: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (home / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.web_fakes", str(home), str(port), *more],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/healthz", server, home / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(15)
        log.close()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@contextmanager
def _launched(*flags: str) -> Iterator[Any]:
    """Chromium without sandbox and graphics card; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian package: chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *flags]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with _launched(
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ) as browser:
        yield browser


@dataclass
class Visit:
    """One open page with what was seen of it."""

    page: Any
    address: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, question: str) -> Any:
        """Ask and wait; returns the message."""
        messages = self.page.locator("[data-testid=bot]")
        count = messages.count()
        self.page.locator("#cd-question textarea").fill(question)
        self.page.keyboard.press("Enter")
        message = messages.nth(count)
        message.locator("p:not(:has(.cd-pending))").first.wait_for()
        message.locator(".cd-pending").wait_for(state="detached")
        before = ""
        while (text := message.inner_text()) != before:
            before = text
            self.page.wait_for_timeout(700)
        return message

    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.fixture(params=list(SIZES))
def visit(
    request: pytest.FixtureRequest, browser: Any, address: str, tmp_path: Path
) -> Iterator[Visit]:
    width, height = SIZES[request.param]
    # an English browser in the dark: the page must be Chinese and light all the same
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=request.param == "phone",
        locale="en-US",
        color_scheme="dark",
    )
    page = context.new_page()
    visit = Visit(page, address, errors=complaints(page))
    page.on("request", lambda r: visit.requests.append(r.url))
    page.goto(f"{address}/")
    page.locator("#cd-question textarea").wait_for(timeout=60_000)
    yield visit
    context.close()
    own = urlsplit(address).netloc
    strangers = [u for u in visit.requests if urlsplit(u).netloc not in (own, "")]
    assert strangers == []
    assert visit.errors == []


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_question_ends_at_the_marked_words_on_the_page_image(visit: Visit) -> None:
    page = visit.page
    message = visit.ask(QUESTION)

    assert "从一九八五年预备费中拨款五千元，用于东风水库渠道维修。" in message.inner_text()
    assert "检索参考件，不作凭证" in message.inner_text()
    message.locator(".cd-card").first.wait_for()
    assert message.locator(".cd-card").count() == 2

    mark = message.get_by_role("button", name="引文①，查看原页")
    mark.click()
    drawer = page.get_by_role("dialog")
    drawer.wait_for()
    drawer.locator(".cd-loaded img").wait_for()
    assert drawer.locator(".cd-box").count() == 2
    box = drawer.locator(".cd-box").first.bounding_box()
    view = drawer.locator(".cd-view").bounding_box()
    assert view["y"] <= box["y"] < view["y"] + view["height"]
    assert drawer.locator(".cd-quote").inner_text() == SCANNED_QUOTE
    assert f"档号 {SCANNED}" in drawer.inner_text()
    assert visit.overflow() == 0

    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    assert mark.evaluate("e => document.activeElement === e")


def test_precedents_are_a_time_line_whose_marks_open_the_page(visit: Visit) -> None:
    page = visit.page
    switch = page.get_by_label("查先例")
    switch.check()
    assert "输入主题" in page.locator("#cd-question textarea").get_attribute("placeholder")
    message = visit.ask("水渠维修")

    matter = message.locator(".cd-matter")
    assert matter.count() == 1
    assert matter.locator("li").count() == 3
    text = _squeezed(matter.inner_text())
    assert "提出" in text
    assert "交办：未检得" in text
    assert "疑似" in text
    assert "关于维修水渠的<b>建议</b>" in text
    assert message.locator(".cd-card").count() == 0
    assert visit.overflow() == 0

    matter.get_by_role("button", name="引文①，查看原页").click()
    drawer = page.get_by_role("dialog")
    drawer.locator(".cd-loaded img").wait_for()
    assert drawer.locator(".cd-quote").inner_text() == SCANNED_QUOTE
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")

    switch.uncheck()
    assert visit.ask(QUESTION).locator(".cd-matter").count() == 0


def test_pages_turn_and_zoom_and_text_stand_beside_the_image(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTION).get_by_role("button", name="引文①，查看原页").click()
    drawer = page.get_by_role("dialog")
    drawer.locator(".cd-loaded img").wait_for()

    drawer.get_by_role("button", name="下一页").click()
    drawer.get_by_text("影像 2 / 2").wait_for()
    assert drawer.locator(".cd-box").count() == 0
    drawer.get_by_role("button", name="上一页").click()
    drawer.get_by_text("影像 1 / 2").wait_for()
    assert drawer.locator(".cd-box").count() == 2
    before = drawer.locator(".cd-sheet").bounding_box()["width"]
    drawer.get_by_role("button", name="放大").click()
    drawer.locator(".cd-loaded img").wait_for()
    assert drawer.locator(".cd-sheet").bounding_box()["width"] > before * 1.2
    if page.viewport_size["width"] < 1100:  # a desk has it beside the image already
        drawer.get_by_role("button", name="看文字").click()
    assert drawer.locator(".cd-text mark").inner_text() == SCANNED_QUOTE
    drawer.get_by_role("button", name="关闭").click()
    drawer.wait_for(state="hidden")


def test_a_page_without_image_shows_its_text_with_the_words_marked(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTION).get_by_role("button", name="引文②，查看原页").click()
    marked = page.get_by_role("dialog").locator(".cd-text mark")
    marked.wait_for()

    assert marked.inner_text() == TYPED_QUOTE
    place = marked.bounding_box()
    view = page.locator(".cd-view").bounding_box()
    assert view["y"] <= place["y"] < view["y"] + view["height"]
    page.go_back()
    page.get_by_role("dialog").wait_for(state="hidden")
    assert page.url.split("?")[0] == f"{visit.address}/app/"


def test_hostile_text_is_shown_as_text(visit: Visit) -> None:
    page = visit.page
    page.on("dialog", lambda d: visit.errors.append(f"a script ran: {d.message}"))
    message = visit.ask("恶意文字 <img src=x onerror=alert(1)> ![](http://evil.test/q.png)")

    shown = _squeezed(message.locator("blockquote").first.inner_text())
    for sample in HOSTILE:
        assert _squeezed(sample) in shown
    assert message.locator("img, video, audio, iframe, form, script, style, h1, input").count() == 0
    asked = page.locator("[data-testid=user]").last
    assert "<img src=x onerror=alert(1)>" in asked.inner_text()
    assert asked.locator("img").count() == 0
    message.get_by_role("button", name="引文①，查看原页").click()
    marked = page.locator(".cd-text mark")
    marked.wait_for()
    assert marked.evaluate("e => e.textContent") == "\n".join(HOSTILE)
    assert marked.evaluate("e => e.children.length") == 0
    assert visit.overflow() == 0


def test_a_list_opens_its_catalogue_entries(visit: Visit) -> None:
    message = visit.ask("馆藏有哪些档案？")

    assert message.locator(".cd-wide tbody tr").count() == 5
    message.locator('a[href^="#c-"]').last.click()
    drawer = visit.page.get_by_role("dialog")
    drawer.get_by_text("本件只有目录，没有挂接原文。").wait_for()
    assert "目录.xlsx（文书档案），第 3 行" in drawer.inner_text()
    assert visit.overflow() == 0


def test_a_refusal_says_what_to_try(visit: Visit) -> None:
    message = visit.ask("有没有没有的事？")

    assert "未检索到" in message.inner_text()
    assert message.locator("li").count() == 3
    assert message.locator(".cd-card").count() == 0


def test_examples_fill_the_empty_page_and_ask(visit: Visit) -> None:
    page = visit.page
    examples = page.locator("#cd-chat button.example")

    assert examples.count() == 4
    assert visit.overflow() == 0
    examples.first.click()
    page.locator("[data-testid=bot] .cd-wide").wait_for()


def test_a_new_conversation_starts_empty(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTION)

    page.get_by_role("button", name="新对话").click()
    page.locator("#cd-chat button.example").first.wait_for()

    assert page.locator("[data-testid=bot]").count() == 0


def test_a_running_question_can_be_stopped(visit: Visit) -> None:
    page = visit.page
    page.locator("#cd-question textarea").fill("慢")
    page.keyboard.press("Enter")

    page.locator(".cd-pending").wait_for()
    page.get_by_role("button", name="停止").click()
    page.get_by_text("已停止。").wait_for(timeout=3_000)
    assert page.get_by_role("button", name="发送").is_visible()


def test_a_question_sent_right_after_an_answer_is_not_lost(visit: Visit) -> None:
    """This test ensures that a question sent before the answer's stream has ended is answered."""
    page = visit.page
    for number in range(4):
        page.locator("#cd-question textarea").fill("有哪些档案？")
        page.keyboard.press("Enter")
        message = page.locator("[data-testid=bot]").nth(number)
        message.locator("p:not(:has(.cd-pending))").first.wait_for(timeout=10_000)
        message.locator(".cd-pending").wait_for(state="detached")


def test_enter_while_choosing_a_word_does_not_send(visit: Visit) -> None:
    page = visit.page
    page.locator("#cd-question textarea").focus()
    session = page.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition", {"text": "预算", "selectionStart": 2, "selectionEnd": 2}
    )
    session.send(
        "Input.dispatchKeyEvent",
        {"type": "keyDown", "windowsVirtualKeyCode": 229, "key": "Process", "code": "Enter"},
    )
    session.send("Input.insertText", {"text": "预算"})

    page.wait_for_timeout(300)

    assert page.locator("[data-testid=user]").count() == 0
    assert page.locator("#cd-question textarea").input_value() == "预算"


def test_the_keyboard_alone_opens_a_source(visit: Visit) -> None:
    page = visit.page
    message = visit.ask(QUESTION)
    mark = message.get_by_role("button", name="引文②，查看原页")

    mark.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    drawer.wait_for()
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")

    assert mark.evaluate("e => document.activeElement === e")


def test_a_reading_is_taken_off_by_pressing_its_chip(visit: Visit) -> None:
    page = visit.page
    message = visit.ask("去年东风水库渠道维修经费是多少？")
    chips = message.locator('a[href^="#w-"]')

    assert chips.count() == 2
    assert visit.overflow() == 0
    for place in [chip.bounding_box() for chip in chips.all()]:
        assert place["height"] >= 43.5
    messages = page.locator("[data-testid=bot]")
    message.get_by_role("button", name="去掉这一项再问：“水库”为“水利工程”").click()
    messages.nth(1).locator(".cd-coverage").wait_for()

    again = page.locator("[data-testid=user]").last.inner_text()
    assert "去年东风水库渠道维修经费是多少？" in again
    assert "（去掉：“水库”为“水利工程”）" in again
    left = messages.nth(1).get_by_role("button", name=re.compile("^去掉这一项再问"))
    assert left.count() == 1
    left.focus()
    page.keyboard.press("Enter")
    messages.nth(2).locator(".cd-coverage").wait_for()

    assert messages.nth(2).locator('a[href^="#w-"]').count() == 0
    assert visit.overflow() == 0


def test_a_permalink_opens_the_page(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.address}/{permalink(TYPED, 1, 0, 4)}")

    marked = page.get_by_role("dialog").locator(".cd-text mark")
    marked.wait_for()

    assert marked.inner_text() == "示例市人"


def test_everything_to_press_is_large_enough_and_named_in_chinese(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTION).get_by_role("button", name="引文①，查看原页").click()
    page.locator(".cd-loaded img").wait_for()

    for pressed in page.locator("button:visible, summary:visible").all():
        place = pressed.bounding_box()
        assert place["height"] >= 43.5, pressed.inner_text()
        assert place["width"] >= 43.5, pressed.inner_text()
    for label in page.locator("[aria-label]").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-label'))"
    ):
        assert not re.search(r"[A-Za-z]{3}", label), label


def _column(message: Any, column: int) -> list[str]:
    cells = message.locator(f".cd-wide tbody tr td:nth-child({column})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_a_list_is_sorted_by_mouse_and_keyboard(visit: Visit) -> None:
    page = visit.page
    message = visit.ask("有哪些档案？")
    dates = message.get_by_role("button", name="日期")
    dates.wait_for()
    assert len(_column(message, 2)) == 5

    dates.click()
    header = message.locator("th", has_text="日期")
    assert header.get_attribute("aria-sort") == "ascending"
    assert _column(message, 3)[:2] == ["1985-03-12", "2019-08-27"]
    assert dates.evaluate("e => document.activeElement === e")

    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert _column(message, 3)[0] == "2020"
    message.get_by_role("button", name="编号").focus()
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") is None
    assert _column(message, 1)[0] == "①"
    assert visit.overflow() == 0

    message.locator("a", has_text="①").first.click()
    page.get_by_role("dialog").wait_for()


def test_a_grouped_answer_shows_groups_and_unfolds_its_rows(visit: Visit) -> None:
    message = visit.ask("各年各有多少件？")
    count = message.get_by_role("button", name="件数")
    count.wait_for()
    count.click()
    count.click()

    groups = message.locator("table:not(.cd-wide) tbody tr td:first-child")
    assert groups.all_inner_texts() == ["2019年", "1985年"]
    message.get_by_text("目录条目 5 件").click()
    message.locator(".cd-wide").wait_for(state="visible")
    assert visit.overflow() == 0


@pytest.mark.parametrize("kind", ["CSV", "XLSX"])
def test_a_list_is_taken_away_as_a_file(visit: Visit, kind: str, tmp_path: Path) -> None:
    message = visit.ask("有哪些档案？")
    with visit.page.expect_download() as started:
        message.get_by_role("link", name=f"导出 {kind}").click()
    target = tmp_path / started.value.suggested_filename
    started.value.save_as(target)

    assert target.name.startswith("目录清单-")
    assert target.suffix == f".{kind.lower()}"
    content = target.read_bytes()
    assert content.startswith(b"PK" if kind == "XLSX" else b"\xef\xbb\xbf")


def test_to_open_asked_for_in_words_opens_the_page(visit: Visit) -> None:
    visit.ask("打开第一条")
    drawer = visit.page.get_by_role("dialog")

    drawer.locator(".cd-loaded img").wait_for()
    assert drawer.locator(".cd-quote").inner_text() == SCANNED_QUOTE
    visit.page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")


def test_large_letters_do_not_break_the_page(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="字号").click()
    page.get_by_role("button", name="字号").click()
    message = visit.ask(QUESTION)
    size = message.locator("blockquote p").first.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )

    assert size > 22
    assert visit.overflow() == 0
    message.get_by_role("button", name="引文①，查看原页").click()
    page.locator(".cd-loaded img").wait_for()
    assert visit.overflow() == 0


def test_a_second_visit_asks_for_no_asset_again(visit: Visit) -> None:
    page = visit.page
    sizes: list[int] = []
    page.on("response", lambda r: sizes.append(r.status) if "/assets/" in r.url else None)
    page.reload()
    page.locator("#cd-question textarea").wait_for()

    assert 304 not in sizes


def test_the_page_is_light_and_chinese(visit: Visit) -> None:
    page = visit.page

    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(244, 245, 247)"
    assert "正在打开" not in page.locator("body").inner_text()
    assert not re.search(r"[A-Za-z]{3}", page.locator("body").inner_text())


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_joining_text_is_put_above_without_holding_up_the_next_question(
    browser: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    """This test ensures that quotations come first, and two answers under way do not mix."""
    with _served(tmp_path, "composes") as address:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.goto(f"{address}/")
        messages = page.locator("[data-testid=bot]")
        for number, question in enumerate(("东风水库渠道维修经费是多少？", "预算调整了多少？")):
            page.locator("#cd-question textarea").fill(question)
            page.keyboard.press("Enter")
            messages.nth(number).locator(".cd-composing").wait_for()
            messages.nth(number).locator("blockquote").nth(2).wait_for()
        for number in range(2):
            message = messages.nth(number)
            message.locator(".cd-ai").wait_for(timeout=15_000)
            text = message.inner_text()
            assert text.index("AI 生成，请核对档案原件") < text.index("维修经费五千元")
            assert text.index("维修经费五千元") < text.index("从一九八五年预备")
        assert page.locator(".cd-composing").count() == 0
        messages.nth(0).locator('p a[href^="#c-"]').first.click()
        page.locator("dialog .cd-image").wait_for()
        page.close()
