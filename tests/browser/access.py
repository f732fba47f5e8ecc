"""What everybody needs of a page: contrast, names that are read aloud, a path for the keyboard."""

from __future__ import annotations

import re
from typing import Any, Final

#: Every text on the screen with its contrast: colours blended down to the first solid ground.
_CONTRAST: Final = r"""
() => {
  const parse = (text) => {
    const found = /rgba?\(([^)]+)\)/.exec(text);
    if (!found) return [0, 0, 0, 0];
    const parts = found[1].split(/[\s,\/]+/).map(Number);
    return [parts[0], parts[1], parts[2], parts.length > 3 ? parts[3] : 1];
  };
  const over = (top, below) => {
    const a = top[3] + below[3] * (1 - top[3]);
    if (!a) return [0, 0, 0, 0];
    return [0, 1, 2].map((i) => (top[i] * top[3] + below[i] * below[3] * (1 - top[3])) / a).concat(a);
  };
  const light = (c) => {
    const part = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  };
  const ground = (element) => {
    let colour = [0, 0, 0, 0];
    for (let e = element; e && colour[3] < 0.999; e = e.parentElement) {
      colour = over(colour, parse(getComputedStyle(e).backgroundColor));
    }
    return over(colour, [255, 255, 255, 1]);
  };
  const dialog = document.querySelector("dialog[open]");
  const walker = document.createTreeWalker(dialog || document.body, NodeFilter.SHOW_TEXT);
  const seen = [];
  const judge = (element, text, colour, size) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!text.trim() || !box.width || !box.height || style.visibility !== "visible") return;
    if (element.closest("[disabled], .cd-image, noscript, script, style, #cd-without, [aria-hidden=true]")) return;
    for (let e = element; e; e = e.parentElement) { // for screen readers only
      if (e.offsetWidth !== undefined && e.offsetWidth <= 1 && e.offsetHeight <= 1) return;
    }
    const behind = ground(element);
    const front = over(parse(colour), behind);
    const [a, b] = [light(front), light(behind)];
    seen.push([Math.round(100 * (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) / 100, text.trim().slice(0, 24), size]);
  };
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    judge(element, walker.currentNode.data, style.color, parseFloat(style.fontSize));
  }
  document.querySelectorAll("textarea, input[type=text]").forEach((box) => {
    const style = getComputedStyle(box, "::placeholder");
    if (!box.value) judge(box, box.placeholder, style.color, parseFloat(style.fontSize));
  });
  return seen;
}
"""

#: Roles that are operated or read aloud by their name.
_NAMED: Final = frozenset(
    "button link textbox checkbox combobox radio switch dialog tab searchbox DisclosureTriangle".split()
)
_FOCUSED: Final = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  const around = e.closest("#cd-question");
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
    || style.boxShadow !== "none" || (around && getComputedStyle(around).boxShadow !== "none");
  if (!e.dataset.order) e.dataset.order = String(Math.random());
  return { key: e.dataset.order, ring: Boolean(ring), seen: box.width > 0 && box.height > 0,
           what: (e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30) };
}"""
_REACHABLE: Final = """() => [...document.querySelectorAll(
  "a[href], button, input, textarea, select, summary, [tabindex='0']")]
  .filter((e) => !e.disabled && e.tabIndex >= 0 && e.getClientRects().length
    && getComputedStyle(e).visibility === "visible" && getComputedStyle(e).clipPath === "none"
    && !(e.closest("details:not([open])") && e.tagName !== "SUMMARY"))
  .map((e) => [e.dataset.order || "", (e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30)])"""
#: What lies over the middle of the focused element, or that it is outside the window.
_COVERED: Final = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 200), y = box.top + Math.min(box.height / 2, 200);
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return "outside the window";
  const top = document.elementFromPoint(x, y);
  if (!top || e.contains(top) || top.contains(e)) return "";
  if (e.labels && [...e.labels].some((label) => label.contains(top))) return "";
  return "under " + top.outerHTML.slice(0, 80);
}"""


def contrasts(page: Any) -> list[tuple[float, str, float]]:
    """Contrast, text and size in px of every text on the screen (of the open dialog, if any)."""
    return [tuple(found) for found in page.evaluate(_CONTRAST)]


def names(page: Any) -> list[tuple[str, str]]:
    """Role and name, as a screen reader gets them, of whatever is operated."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node.get("role", {}).get("value") in _NAMED
    ]


def is_chinese(name: str) -> bool:
    """Whether a name is there and in Chinese, apart from the names of formats and tags."""
    left = re.sub(r"CSV|XLSX|PDF|OFD|<[^>]*>|http://\S+", "", name)
    return bool(re.search(r"[\u4e00-\u9fff]", name)) and not re.search(r"[A-Za-z]{3}", left)


def tab_round(page: Any) -> list[str]:
    """Go round with Tab: everything is reached and seen, with a ring; returns the stops in order."""
    page.evaluate(
        "document.querySelectorAll('[data-order]').forEach((e) => delete e.dataset.order)"
    )
    first, stops = None, []
    for _ in range(200):
        page.keyboard.press("Tab")
        now = page.evaluate(_FOCUSED)
        if now is None:
            continue
        if now["key"] == first:
            break
        first = first or now["key"]
        stops.append(now["what"])
        assert now["seen"], now["what"]
        assert now["ring"], now["what"]
        covered = page.evaluate(_COVERED)
        assert covered == "", (now["what"], covered)
    else:
        raise AssertionError(f"Tab does not come round: {stops[-5:]}")
    missed = [what for order, what in page.evaluate(_REACHABLE) if not order]
    assert missed == []
    return stops
