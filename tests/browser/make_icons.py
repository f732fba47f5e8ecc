"""Draws the home-screen icons from `ui/static/icon.svg`: `python -m tests.browser.make_icons`."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

STATIC = Path(__file__).parents[2] / "ui/static"
#: File name, edge in pixels, and how much of it the drawing takes (systems cut masked icons).
ICONS = (
    ("icon-180.png", 180, 1.0),
    ("icon-192.png", 192, 1.0),
    ("icon-512.png", 512, 1.0),
    ("icon-maskable-512.png", 512, 0.72),
)


def main() -> None:
    """Write the files."""
    drawing = (STATIC / "icon.svg").read_text(encoding="utf-8")
    colour = re.search(r'fill="(#[0-9a-f]{6})"', drawing)
    assert colour is not None
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, edge, part in ICONS:
            page = browser.new_page(viewport={"width": edge, "height": edge})
            inner = round(edge * part)
            ground = colour[1] if part < 1 else "transparent"
            page.set_content(
                f"<style>body{{margin:0;height:{edge}px;display:grid;place-items:center;"
                f"background:{ground}}}svg{{width:{inner}px;height:{inner}px}}</style>{drawing}"
            )
            picture = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
            picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(
                STATIC / name, optimize=True
            )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
