"""The nginx examples of the manual, with TLS, at the root and below a path, in Chromium."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.account_fakes import PASSWORD
from tests.browser.complaints import complaints
from tests.browser.test_pages import _served, browser  # noqa: F401

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
EXAMPLES = {"/archive": "nginx-subpath.conf", "": "nginx-root.conf"}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _behind_nginx(example: str, upstream: str, folder: Path) -> Iterator[str]:
    """The example as it is shipped, but for names, ports and certificate."""
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("no nginx on this machine (Debian package: nginx-light)")
    plain, secure = _free_port(), _free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", folder / "k.key", "-out", folder / "c.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (ROOT / "docs/deploy" / example).read_text(encoding="utf-8")
    for pattern, wanted in (
        (r"server_name \S+;", "server_name localhost;"),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
        (r"ssl_certificate +\S+;", f"ssl_certificate {folder}/c.crt;"),
        (r"ssl_certificate_key +\S+;", f"ssl_certificate_key {folder}/k.key;"),
        (r"http://127\.0\.0\.1:7860", upstream),
    ):
        text, count = re.subn(pattern, wanted, text)
        assert count, f"{example} has no {pattern}"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{text}\n}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder])
    try:
        for _ in range(50):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", secure)) == 0:
                    break
            time.sleep(0.1)
        yield f"https://localhost:{secure}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("root", list(EXAMPLES), ids=["below-a-path", "at-the-root"])
def test_everything_works_behind_nginx(
    browser: Any,  # noqa: F811
    tmp_path: Path,
    root: str,
) -> None:
    """This test ensures sign-in, answers, page pictures and administration through the proxy."""
    home, proxy = tmp_path / "home", tmp_path / "nginx"
    home.mkdir()
    proxy.mkdir()
    words = ("accounts", *([root] if root else []))
    with _served(home, *words) as upstream, _behind_nginx(EXAMPLES[root], upstream, proxy) as site:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.set_default_timeout(20_000)
        errors = complaints(page)
        asked: list[str] = []
        page.on("request", lambda r: asked.append(r.url))
        page.on("response", lambda r: errors.append(r.url) if r.status >= 400 else None)

        page.goto(f"{site}{root}")
        page.wait_for_url(re.compile(rf"^{re.escape(site + root)}/login"))
        page.get_by_label("登录名").fill("archivist")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(f"{site}{root}/app/")
        cookie = next(c for c in context.cookies() if "session" in c["name"])
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert cookie["path"] == f"{root}/"

        page.locator(".cd-purpose-bar select").select_option(label="工作查考")
        page.locator("#cd-question textarea").fill("东风水库渠道维修经费是多少？")
        page.keyboard.press("Enter")
        page.get_by_text("找到 2 件档案写到这件事").wait_for()
        page.get_by_role("button", name="引文①，查看原页").click()
        image = page.locator(f'img[src*="{root}/page/"], img[src*="page/"]').first
        image.wait_for()
        page.wait_for_function(
            "(i) => i.complete && i.naturalWidth > 500", arg=image.element_handle()
        )
        page.goto(f"{site}{root}/admin")
        page.get_by_role("link", name=re.compile("开放审核")).last.click()
        page.wait_for_url(f"{site}{root}/admin/opening")
        page.get_by_role("region", name="第一步：选哪些档案").wait_for()
        context.close()

    assert errors == []
    own = urlsplit(site).netloc
    strangers = [
        url for url in asked
        if not url.startswith(("data:", "blob:"))
        and (urlsplit(url).netloc != own or not urlsplit(url).path.startswith(root or "/"))
    ]  # fmt: skip
    assert strangers == []
