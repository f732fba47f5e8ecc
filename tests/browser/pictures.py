"""Takes the pictures of the manual: `python -m tests.browser.pictures HOME`.

HOME is a home with the sample taken in (`chadang demo` makes one); it is copied first, for a
decision is entered in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.test_pages import CHROMIUM, ROOT, _wait_for

IMAGES = ROOT / "docs/images"
PORT = 17_861


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
                    context = browser.new_context(
                        viewport={"width": 1360, "height": 900}, locale="zh-CN"
                    )
                    page = context.new_page()
                    opening(page, site)
                    doctor(page, site)
                    browser.close()
            finally:
                server.terminate()
                server.wait(20)


if __name__ == "__main__":
    main()
