"""Numbers that Word counts by itself (自动编号): `第一条`, `（二）`, `3.`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_DIGITS: Final = "〇一二三四五六七八九"
_FORMAL: Final = "零壹贰叁肆伍陆柒捌玖"
_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES: Final = "子丑寅卯辰巳午未申酉戌亥"
_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is numbered.

    Attributes:
        style: Word's name of the number format (ST_NumberFormat, ECMA-376 part 1, 17.18.59).
        pattern: The label, `%1` standing for the number of level 1.
        start: The first number.
        restart: Whether the level starts again under each number of a higher level.
    """

    style: str
    pattern: str
    start: int = 1
    restart: bool = True


@dataclass(slots=True)
class Numbering:
    """Counts the lists of a document, paragraph by paragraph.

    Attributes:
        lists: For each list id its levels by number from 0.
        chains: For each list id the id of the list it counts together with.
    """

    lists: Mapping[str, Mapping[int, Level]]
    chains: Mapping[str, str] = field(default_factory=dict)
    _counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def label(self, list_id: str, level: int) -> str:
        """The label of the next paragraph of a list; empty for bullets and unknown lists."""
        levels = self.lists.get(list_id, {})
        here = levels.get(level)
        if here is None:
            return ""
        chain = self.chains.get(list_id, list_id)
        count = self._counts.get((chain, level))
        self._counts[chain, level] = here.start if count is None else count + 1
        for deeper in range(level + 1, 10):
            if deeper in levels and levels[deeper].restart:
                self._counts.pop((chain, deeper), None)
        if here.style in ("bullet", "none"):
            return ""
        label = here.pattern
        for number in range(level + 1):
            style = levels.get(number)
            if style is not None and f"%{number + 1}" in label:
                count = self._counts.get((chain, number), style.start)
                label = label.replace(f"%{number + 1}", written(count, style.style))
        return label


def written(number: int, style: str) -> str:
    """A number in one of Word's formats; unknown formats give Arabic digits."""
    if number < 0 or number > 99_999:
        return str(number)
    match style:
        case (
            "chineseCounting" | "chineseCountingThousand" | "taiwaneseCountingThousand"
            | "taiwaneseCounting" | "japaneseCounting" | "ideographDigital"
            | "japaneseDigitalTenThousand" | "taiwaneseDigital" | "koreanCounting"
        ):  # fmt: skip
            if style in ("ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"):
                return "".join(_DIGITS[int(digit)] for digit in str(number))
            return _chinese(number, _DIGITS.replace("〇", "零"), "十百千", "万")
        case "chineseLegalSimplified" | "ideographLegalTraditional" | "japaneseLegal":
            return _chinese(number, _FORMAL, "拾佰仟", "万", lead=True)
        case "ideographTraditional":
            return _STEMS[(number - 1) % 10] if number else "0"
        case "ideographZodiac":
            return _BRANCHES[(number - 1) % 12] if number else "0"
        case "upperLetter" | "lowerLetter":
            letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1) if number else "0"
            return letter[:20] if style == "upperLetter" else letter[:20].lower()
        case "upperRoman" | "lowerRoman":
            roman = _roman(min(number, 3999))
            return roman.upper() if style == "upperRoman" else roman
        case "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" if 1 <= number <= 20:
            return chr(0x2460 + number - 1)
        case "decimalEnclosedParen" if 1 <= number <= 20:
            return chr(0x2474 + number - 1)
        case "decimalEnclosedFullstop" if 1 <= number <= 20:
            return chr(0x2488 + number - 1)
        case "decimalZero":
            return f"{number:02d}"
        case "decimalFullWidth" | "decimalFullWidth2":
            return "".join(chr(0xFF10 + int(digit)) for digit in str(number))
    return str(number)


def _chinese(number: int, digits: str, units: str, myriad: str, *, lead: bool = False) -> str:
    if number >= 10_000:
        rest = number % 10_000
        gap = digits[0] if 0 < rest < 1000 else ""
        below = _chinese(rest, digits, units, myriad, lead=True) if rest else ""
        return _chinese(number // 10_000, digits, units, myriad, lead=lead) + myriad + gap + below
    if number == 0:
        return digits[0]
    out, waiting = "", False
    for place, digit in enumerate(f"{number:04d}"):
        if digit == "0":
            waiting = bool(out)
            continue
        out += digits[0] if waiting else ""
        out += digits[int(digit)] + ("", *units)[3 - place]
        waiting = False
    return out[1:] if not lead and 10 <= number < 20 else out


def _roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        while number >= value:
            out += letters
            number -= value
    return out
