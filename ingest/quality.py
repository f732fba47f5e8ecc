"""Whether a text layer is real Chinese or the rubble of a wrong encoding (乱码)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_USUAL: Final = frozenset("℃㎡％‰°′″×÷±≤≥√∑∞ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ■□●○◎◆◇★☆△▲▽▼※→←↑↓·•–—―‘’“”…‖¥£€§©®™")
#: Fewer characters than this say nothing about a page.
SPARSE: Final = 30


@dataclass(frozen=True, slots=True)
class TextQuality:
    """Character statistics of a text.

    Attributes:
        count: Characters that are not white space.
        han: Chinese characters among them.
        bad: Share that does not belong in a Chinese document, 0..1.
        common: Share of the Chinese characters that are common (GB2312 level 1 or Big5 frequent).
    """

    count: int
    han: int
    bad: float
    common: float

    @property
    def usable(self) -> bool:
        """Whether a text of this quality can be trusted.

        Source:
            Cuts measured on made and real PDFs: normal text has `bad` ≤ 0.002 and `common` ≥ 0.945;
            wrong encodings `bad` ≥ 0.50 or `common` ≤ 0.57. Bad OCR is not seen by this.
        """
        return self.bad <= 0.05 and not (self.han >= SPARSE and self.common < 0.75)


@lru_cache(maxsize=65536)
def _kind(character: str) -> tuple[bool, bool, bool]:
    """(han, common, bad) of one character."""
    code = ord(character)
    if (
        0x3400 <= code <= 0x9FFF
        or 0x20000 <= code <= 0x3FFFF
        or 0xF900 <= code <= 0xFAFF
        or 0x2E80 <= code <= 0x2FDF
    ):
        return True, _common(character), False
    fits = (
        0x20 < code < 0x7F
        or character in _USUAL
        or 0x3000 <= code <= 0x303F
        or 0xFF00 <= code <= 0xFFEF
        or 0x2460 <= code <= 0x24FF
        or 0x2500 <= code <= 0x257F
        or 0x391 <= code <= 0x3C9
    )
    return False, False, not fits


def _common(character: str) -> bool:
    for encoding, low, high in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        try:
            encoded = character.encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(encoded) == 2 and low <= encoded[0] <= high:
            return True
    return 0x2E80 <= ord(character) <= 0x2FDF  # radicals stand for everyday characters


def repaired(text: str) -> str:
    """A text layer whose GBK bytes were taken for other characters, as it was meant.

    Returns:
        The mended text; empty when it cannot be mended so.
    """
    for wrong, right in (("latin-1", "gb18030"), ("cp1252", "gb18030"), ("utf-16-be", "gbk")):
        try:
            mended = text.encode(wrong).decode(right)
        except UnicodeError:
            continue
        quality = text_quality(mended)
        if quality.usable and quality.han >= SPARSE and quality.han > 0.4 * quality.count:
            return mended
    return ""


def text_quality(text: str) -> TextQuality:
    """Count what a text is made of."""
    count = han = common = bad = 0
    for character in text:
        if character.isspace():
            continue
        count += 1
        is_han, is_common, is_bad = _kind(character)
        han += is_han
        common += is_common
        bad += is_bad
    return TextQuality(count, han, bad / max(1, count), common / max(1, han))
