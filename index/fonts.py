"""Chinese fonts of this machine, for drawing pages whose file does not carry its fonts.

No font is shipped: the free Chinese ones are larger than the whole product. Without any, such
pages are shown as text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

_SUFFIXES: Final = frozenset({".ttf", ".ttc", ".otf", ".otc"})
#: Styles of Chinese type → how their files are called, the commonest first.
_STYLES: Final = {
    "song": ("notoserifcjk-regular", "notoserifcjksc-regular", "sourcehanserif", "simsun",
             "simsunb", "uming", "fandolsong", "songti", "fzssjw", "fzxbsjw", "lxgwbright"),
    "hei": ("notosanscjk-regular", "notosanscjksc-regular", "sourcehansans", "simhei", "msyh",
            "wqy-zenhei", "wqy-microhei", "pingfang", "droidsansfallback", "fandolhei", "fzhtjw"),
    "kai": ("simkai", "ukai", "lxgwwenkai-regular", "fandolkai", "kaiti", "fzktjw"),
    "fang": ("simfang", "fandolfang", "fangsong", "fzfsjw"),
}  # fmt: skip
#: Words in font names of documents → style.
_WORDS: Final = (
    ("fang", ("仿宋", "fang")),
    ("kai", ("楷", "kai")),
    ("hei", ("黑", "hei", "sans", "yahei", "雅黑", "arial", "helvetica", "标宋", "xiaobiaosong")),
    ("song", ("宋", "song", "sun", "serif", "times")),
)


def font_file(name: str) -> Path | None:
    """The file of an installed Chinese font that looks like the one named.

    Returns:
        None when this machine has no Chinese font.
    """
    low = name.lower()
    style = next((s for s, words in _WORDS if any(word in low for word in words)), "song")
    found = _installed()
    order = (style, *(s for s in ("song", "hei", "kai", "fang") if s != style))
    if style == "fang" and "fang" not in found:
        order = ("kai", "song", "hei") if "kai" in found else ("song", "hei")
    return next((found[s] for s in order if s in found), None)


@lru_cache(maxsize=1)
def _installed() -> dict[str, Path]:
    """For each style the best font of this machine."""
    files = {path.stem.lower(): path for path in _font_files()}
    found: dict[str, Path] = {}
    for style, names in _STYLES.items():
        for name in names:
            match = files.get(name) or next(
                (files[stem] for stem in sorted(files) if stem.startswith(name)), None
            )
            if match is not None:
                found[style] = match
                break
    return found


def _font_files() -> Iterator[Path]:
    for folder in _folders():
        for root, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                path = Path(root) / name
                if path.suffix.lower() in _SUFFIXES:
                    yield path


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
        return [windows / "Fonts", home / "AppData/Local/Microsoft/Windows/Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    own = os.environ.get("XDG_DATA_HOME") or home / ".local/share"
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".fonts",
            Path(own) / "fonts"]  # fmt: skip
