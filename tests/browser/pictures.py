"""Takes the pictures of the manual: `python -m tests.browser.pictures HOME`.

HOME is a home with the sample taken in (`chadang demo` makes one), without accounts; it is copied
first, for what is asked is registered in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.test_pages import CHROMIUM, ROOT, _wait_for

IMAGES = ROOT / "docs/images"
PORT = 17_861
DESK, PHONE = (1360, 900), (390, 844)
LARGEST = 200_000


def _ask(page: Page, site: str, question: str) -> None:
    """Ask on the question page, and wait until the answer stands."""
    page.goto(f"{site}/app/")
    box = page.locator("#cd-question textarea")
    box.wait_for(timeout=60_000)
    page.locator("#cd-history").wait_for()
    box.fill(question)
    page.keyboard.press("Enter")
    message = page.locator("[data-testid=bot]").last
    message.locator(".cd-tools").wait_for(timeout=60_000)
    page.wait_for_timeout(2000)


def answer(page: Page, site: str) -> None:
    """A quotation and the page it stands on."""
    _ask(page, site, "哪些答复代表不满意、又重新办理的？")
    page.get_by_role("button", name="引文①，查看原页").first.click()
    page.locator(".cd-drawer .cd-loaded img").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / "answer.png")


def phone(page: Page, site: str) -> None:
    """The same on a phone, before a page is opened."""
    _ask(page, site, "哪些答复代表不满意、又重新办理的？")
    page.screenshot(path=IMAGES / "phone.png")


def precedents(page: Page, site: str) -> None:
    """One topic through the years."""
    page.goto(f"{site}/precedents?q=电动自行车充电")
    page.locator(".pr-step").first.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=IMAGES / "precedents.png")


def catalogue(page: Page, site: str) -> None:
    """The catalogue, narrowed by one filter."""
    page.goto(f"{site}/catalogue?type=建议答复")
    page.locator(".br-table tbody tr").first.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / "catalogue.png")


def opening(page: Page, site: str) -> None:
    """A batch looked at before it is decided."""
    page.goto(f"{site}/admin/opening")
    page.get_by_label("依法公布的类别").select_option("建议答复")
    page.get_by_role("button", name="预览").click()
    page.get_by_role("region", name="第三步：登记").wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=IMAGES / "opening.png")


def doctor(page: Page, site: str) -> None:
    """An examination that has ended."""
    page.goto(f"{site}/admin/doctor")
    page.get_by_role("button", name="开始检查").click()
    page.get_by_text("检查完）").wait_for(timeout=300_000)
    # Where the copy lies is of no use to anybody who reads the manual.
    page.locator(".ad-name", has_text="馆藏目录").evaluate(
        "(e) => { e.textContent = '馆藏目录 /srv/chadang'; }"
    )
    page.screenshot(path=IMAGES / "doctor.png")


def main() -> None:
    """Serve a copy of the home and take every picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(sys.argv[1], home, symlinks=True)
        log = Path(folder) / "log"
        with log.open("w") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "ui", "serve", "--home", str(home), "--port", str(PORT),
                 "--set", "archive_name=示例市人大常委会档案馆"],
                cwd=ROOT, stdout=out, stderr=out,
            )  # fmt: skip
            try:
                site = f"http://127.0.0.1:{PORT}"
                _wait_for(f"{site}/healthz", server, log)
                with sync_playwright() as driver:
                    browser = driver.chromium.launch(
                        executable_path=CHROMIUM, args=["--no-sandbox"]
                    )
                    desk = _page(browser, DESK)
                    for take in (answer, precedents, catalogue, opening, doctor):
                        take(desk, site)
                    phone(_page(browser, PHONE), site)
                    browser.close()
            finally:
                server.terminate()
                server.wait(20)
    for file in IMAGES.glob("*.png"):
        _shrink(file)


def _page(browser: Browser, size: tuple[int, int]) -> Page:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    return context.new_page()


def _shrink(file: Path) -> None:
    """Few colours: a page of text looks the same and takes a third."""
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)
    if file.stat().st_size > LARGEST:
        msg = f"{file.name} is larger than {LARGEST} bytes"
        raise SystemExit(msg)


if __name__ == "__main__":
    main()
