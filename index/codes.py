"""Reference codes (档号), document numbers (文号), sessions (届次), dates: found, never composed.

Every finder works on the search form and reports **raw** spans. What it returns is a proposal; a
catalogue look-up confirms it. Local values (fonds numbers, agency words, fixed code widths) are
data passed in as `LocalValues`, never code.

Source:
    Grammar and cases of the domain brief, section 1.2-1.3 (DA/T 13-1994, DA/T 22-2015,
    DA/T 13-2022, GB/T 9704-2012).
"""

from __future__ import annotations

import re
from array import array
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from index.text import SearchForm, is_han, search_form

#: Longer input is cut for finding: a question or a catalogue cell is never this long, a page is.
_LONGEST_NUMERAL: Final = 24


# -- local values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WidthProfile:
    """A fixed-width reference code without separators, as one office writes it.

    Attributes:
        name: Shown when the code is explained.
        widths: (part, digits) from left to right; part is an attribute of `ReferenceCode`.
    """

    name: str
    widths: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LocalValues:
    """What only this archive knows.

    Attributes:
        fonds: Its fonds numbers (全宗号); bare-number codes count only with one of these. Empty =
            unknown, then bare-number codes count unless they read as a date.
        agencies: Agency words (机关代字) such as 示人发; the longest that fits wins.
        width_profiles: Fixed-width forms in use.
    """

    fonds: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()
    width_profiles: tuple[WidthProfile, ...] = ()


NO_LOCAL_VALUES: Final = LocalValues()


# -- numerals -------------------------------------------------------------------------------------

_DIGITS: Final = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {
    "零": 0, "○": 0, "◯": 0, "o": 0, "O": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4,
    "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9, "元": 1,
}  # fmt: skip
_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_TENS: Final = {"廿": 20, "卅": 30, "卌": 40}
_MYRIADS: Final = {"万": 10_000, "亿": 100_000_000}


def chinese_to_int(text: str) -> int | None:
    """The value of a numeral in Chinese or ASCII digits, None when it is none.

    `三十四` is 34, `二〇一六` is 2016 (digit by digit), `廿八` is 28, `一千二百万` is 12000000.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST_NUMERAL:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    if len(text) > 1 and all(c in _DIGITS or c.isdecimal() for c in text):
        return int("".join(str(_DIGITS[c]) if c in _DIGITS else str(int(c)) for c in text))
    total = section = 0
    digit: int | None = None
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character.isdecimal():
            digit = (digit or 0) * 10 + int(character)
        elif character in _TENS:
            section += _TENS[character]
            digit = None
        elif character in _UNITS:
            section += (1 if digit is None else digit) * _UNITS[character]
            digit = None
        elif character in _MYRIADS:
            total = (total + section + (digit or 0)) * _MYRIADS[character]
            section, digit = 0, None
        else:
            return None
    return total + section + (digit or 0)


def int_to_chinese(value: int) -> str:
    """A whole number 0..9999 as it is written in a session name: 34 is `三十四`, 110 `一百一十`.

    Raises:
        ValueError: If the number is outside that range.
    """
    if not 0 <= value <= 9999:
        msg = f"{value} outside 0..9999"
        raise ValueError(msg)
    if value == 0:
        return "零"
    digits = "零一二三四五六七八九"
    out = ""
    gap = False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit == 0:
            gap = bool(out)
            continue
        if gap:
            out += "零"
            gap = False
        out += word if unit == 10 and digit == 1 and not out else digits[digit] + word
    return out


# -- the form that is matched ---------------------------------------------------------------------

_SPACED_DIGITS: Final = re.compile(r"(?<![0-9a-z])[0-9](?: [0-9])+(?![0-9a-z])")


def _spaced(raw: str) -> SearchForm:
    """The search form, with single digits set apart (`2 0 1 6`) joined again."""
    form = search_form(raw)
    if " " not in form.text:
        return form
    text: list[str] = []
    offsets = array("L")
    position = 0
    for match in _SPACED_DIGITS.finditer(form.text):
        text.append(form.text[position : match.start()])
        offsets.extend(form.offsets[position : match.start()])
        for i in range(match.start(), match.end(), 2):
            text.append(form.text[i])
            offsets.append(form.offsets[i])
        position = match.end()
    text.append(form.text[position:])
    offsets.extend(form.offsets[position:])
    return SearchForm("".join(text), offsets)


# -- reference codes ------------------------------------------------------------------------------


class Scheme(StrEnum):
    """Which code grammar a reference code follows."""

    ITEM_2015 = "DA/T 22-2015 件"
    ITEM_2022 = "DA/T 13-2022 件"
    VOLUME_2022 = "DA/T 13-2022 卷"
    YEAR_FIRST = "年度式"
    VOLUME_1994 = "DA/T 13-1994 卷"
    FIXED_WIDTH = "定长"


@dataclass(frozen=True, slots=True)
class ReferenceCode:
    """A reference code (档号) found in a text; the parts are in matching form.

    Attributes:
        start: First character in the raw text.
        end: One past the last.
        text: The raw text of the span.
        scheme: The grammar it fits.
        fonds: 全宗号, empty when dropped.
        category: 门类代码, e.g. `WS`.
        catalog: 目录号 or 类别号 of the volume schemes.
        year: 年度, empty when the scheme has none.
        retention: 保管期限 as written: `Y`, `D30`, `永久`, `长期` …
        organ: 机构（问题）代码.
        volume: 案卷号.
        item: 件号 (leading zeros kept).
        page: 页号.
        key: The code in one spelling, for comparing.
    """

    start: int
    end: int
    text: str
    scheme: Scheme
    fonds: str = ""
    category: str = ""
    catalog: str = ""
    year: str = ""
    retention: str = ""
    organ: str = ""
    volume: str = ""
    item: str = ""
    page: str = ""
    key: str = ""


_FONDS: Final = r"(?P<fonds>[A-Z]\d{3,4}|\d{2,4}(?!\d))"
_CATEGORY: Final = r"(?P<category>[A-Z]{2})"
_YEAR: Final = r"(?P<year>(?:19|20)\d{2})"
_RETENTION: Final = r"(?P<retention>Y|D\d{1,3}|永久|长期|短期|定期\d{1,2}年?)"
_ORGAN: Final = r"(?P<organ>[A-Z]{1,8}\d{0,3}|\d{1,3}|[\u4e00-\u9fff]{1,12})"
_SUB: Final = (
    r"(?P<catalog>(?!(?:19|20)\d\d)[A-Z0-9]{1,4}(?:[·.](?!(?:19|20)\d\d)[A-Z0-9]{1,4}){0,4})"
)
_LAST: Final = r"(?![A-Z0-9])"
_CODES: Final[tuple[tuple[Scheme, re.Pattern[str]], ...]] = tuple(
    (scheme, re.compile(pattern + _LAST))
    for scheme, pattern in (
        (
            Scheme.ITEM_2015,
            rf"(?:{_FONDS}-)?{_CATEGORY}[·.]{_YEAR}-{_RETENTION}(?:-{_ORGAN})?"
            r"-(?P<item>\d{1,5})(?![0-9])(?:-(?P<page>\d{1,4}))?",
        ),
        (
            Scheme.ITEM_2022,
            rf"(?:{_FONDS}-)?{_CATEGORY}(?:[·.]{_SUB})?[·.]{_YEAR}[·.]{_RETENTION}"
            rf"(?:[·.]{_ORGAN})?-(?P<item>\d{{1,5}})",
        ),
        (
            Scheme.VOLUME_2022,
            rf"(?:{_FONDS}-)?{_CATEGORY}(?:[·.]{_SUB})?(?:[·.]{_YEAR})?(?:[·.]{_RETENTION})?"
            r"-(?P<volume>\d{1,4})(?![0-9])(?:-(?P<item>\d{1,4}))?",
        ),
        (
            Scheme.YEAR_FIRST,
            rf"{_FONDS}-{_YEAR}-(?:{_ORGAN}-)?(?P<retention>Y|D?\d{{2}}|永久|长期|短期)"
            r"-(?P<item>\d{1,5})",
        ),
        (
            Scheme.VOLUME_1994,
            rf"{_FONDS}-(?P<catalog>(?!(?:19|20)\d\d)[A-Z]?\d{{1,4}})-(?P<volume>\d{{1,4}})"
            r"(?![0-9])(?:-(?P<item>\d{1,4})(?![0-9]))?(?:-(?P<page>\d{1,4}))?",
        ),
    )
)
_CODE_START: Final = re.compile(r"[A-Z]\d{3,4}-|[A-Z]{2}[·.\-]|\d{2,4}-")
_SEPARATOR_RUN: Final = re.compile(r"[\s·.\-]+")
_FIXED_WIDTH: Final = re.compile(r"\d{8,30}")


def parse_reference_code(text: str, local: LocalValues = NO_LOCAL_VALUES) -> ReferenceCode | None:
    """Read a whole text (a catalogue cell, a file stem) as one reference code.

    Returns:
        The code, or None when the text is not exactly one code of a known scheme.
    """
    stripped = text.strip()
    if not stripped or len(stripped) > 80:
        return None
    form = _spaced(stripped)
    folded = form.text.upper().replace(" ", "")
    lead = len(text) - len(text.lstrip())
    code = _code_at(folded, 0, local, whole=True)
    if code is None:
        return None
    return _place(code, lead, lead + len(stripped), stripped)


def find_reference_codes(text: str, local: LocalValues = NO_LOCAL_VALUES) -> list[ReferenceCode]:
    """All reference codes in a text, left to right, without overlaps."""
    form = _spaced(text)
    folded = form.text.upper()
    if len(folded) != len(form.text):  # a character whose capital is longer; such text has no code
        folded = form.text
    found: list[ReferenceCode] = []
    position = 0
    while match := _CODE_START.search(folded, position):
        position = match.start() + 1
        if not _starts_word(form, match.start()):
            continue
        code = _code_at(folded, match.start(), local, whole=False)
        if code is None:
            continue
        start, end = form.to_raw(match.start(), code.end)
        found.append(_place(code, start, end, text[start:end]))
        position = code.end
    if local.width_profiles:
        taken = [(code.start, code.end) for code in found]
        for match in _FIXED_WIDTH.finditer(folded):
            start, end = form.to_raw(*match.span())
            code = _fixed_width(match.group(), local)
            if code is not None and not any(a < end and start < b for a, b in taken):
                found.append(_place(code, start, end, text[start:end]))
        found.sort(key=lambda code: code.start)
    return found


def reference_key(text: str) -> str:
    """A key under which the spellings of one reference code compare equal.

    File names write `·` as `.`, `-` or `_`; so every run of separators is one `-` here. The parts
    stay apart: `0012-1-35` and `0012-13-5` are different codes.
    """
    return _SEPARATOR_RUN.sub("-", search_form(text).text.upper()).strip("-")


def fonds_of(text: str) -> str:
    """The fonds (全宗号) a record's reference code names, empty when it names none."""
    code = parse_reference_code(text) if text else None
    return code.fonds if code is not None else ""


def _starts_word(form: SearchForm, position: int) -> bool:
    """Whether nothing of a longer code lies directly before `position`."""
    if position == 0:
        return True
    before = form.text[position - 1]
    if before.isascii() and before.isalnum():
        return False
    if before in "-·." and position > 1:
        earlier = form.text[position - 2]
        touching = form.offsets[position] - form.offsets[position - 1] == 1
        return not (touching and earlier.isascii() and earlier.isalnum())
    return True


def _code_at(
    folded: str, position: int, local: LocalValues, *, whole: bool
) -> ReferenceCode | None:
    """The longest code that starts at `position`; its `end` is in the form, not in the raw text."""
    best: ReferenceCode | None = None
    for scheme, pattern in _CODES:
        match = pattern.fullmatch(folded, position) if whole else pattern.match(folded, position)
        if match is None:
            continue
        if not whole and re.match(r"[·.\-][A-Z0-9]", folded[match.end() : match.end() + 2]):
            continue
        parts = {name: value for name, value in match.groupdict().items() if value}
        if not _plausible(scheme, parts, match.group(), local):
            continue
        if best is None or match.end() > best.end:
            best = ReferenceCode(
                position,
                match.end(),
                match.group(),
                scheme,
                key=reference_key(match.group()),
                **parts,
            )
    if best is None and whole and local.width_profiles:
        return _fixed_width(folded, local)
    return best


def _plausible(scheme: Scheme, parts: dict[str, str], text: str, local: LocalValues) -> bool:
    fonds = parts.get("fonds", "")
    if "category" in parts and fonds:
        return True
    if "category" in parts:
        # Without a fonds a code needs a year, or any two letters and a number would do.
        return "year" in parts or scheme is not Scheme.VOLUME_2022
    if fonds[:1].isalpha():
        return True
    if local.fonds:
        return fonds in local.fonds
    if "年" in text or re.fullmatch(r"(?:19|20)\d\d-\d{1,2}(?:-\d{1,2}){1,3}", text):
        return False
    return not re.fullmatch(r"(?:19|20)\d\d", fonds)


def _fixed_width(digits: str, local: LocalValues) -> ReferenceCode | None:
    for profile in local.width_profiles:
        if not digits.isdigit() or len(digits) != sum(width for _, width in profile.widths):
            continue
        parts: dict[str, str] = {}
        position = 0
        for part, width in profile.widths:
            parts[part] = digits[position : position + width]
            position += width
        if local.fonds and parts.get("fonds", "") not in local.fonds:
            continue
        return ReferenceCode(0, len(digits), digits, Scheme.FIXED_WIDTH, key=digits, **parts)
    return None


def _place(code: ReferenceCode, start: int, end: int, text: str) -> ReferenceCode:
    return ReferenceCode(
        start, end, text, code.scheme, code.fonds, code.category, code.catalog, code.year,
        code.retention, code.organ, code.volume, code.item, code.page, code.key,
    )  # fmt: skip


# -- document numbers -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocNumber:
    """A document number (文号) found in a text.

    Attributes:
        start: First character in the raw text (of the agency word).
        end: One past the last.
        text: The raw text of the span.
        agency: 机关代字, e.g. `示人发`; empty when the text gives none.
        year: Four digits; two-digit years are read as 19xx.
        number: The running number.
        left: The unbroken Chinese before the year, in which the agency word was sought.
    """

    start: int
    end: int
    text: str
    agency: str
    year: int
    number: int
    left: str = ""

    @property
    def canonical(self) -> str:
        """The form of GB/T 9704-2012: agency word + 〔year〕 + number without 第 or zeros + 号."""
        return f"{self.agency}〔{self.year}〕{self.number}号"

    @property
    def candidates(self) -> tuple[str, ...]:
        """Canonical forms for every agency word the left context allows, best guess first."""
        words = [self.agency] + [self.left[i:] for i in range(len(self.left) - 1)]
        return tuple(
            dict.fromkeys(f"{word}〔{self.year}〕{self.number}号" for word in words if word)
        )


_OPEN: Final = r"[〔\[(【{「〈《︹﹝]"
_CLOSE: Final = r"[〕\])】}」〉》︺﹞]"
_CN_DIGIT: Final = "[〇○◯零0o一二三四五六七八九]"
_WIDE_YEAR: Final = rf"(?:[1il]9|2[0oqd])[0-9oilqd]{{2}}|[89]\d|[一二]{_CN_DIGIT}{{3}}"
_NUMBER: Final = r"[0-9oilqd]{1,4}"
_DOC: Final = re.compile(
    rf"(?:(?P<open>{_OPEN})|(?<=[发字办函会常任议建令电文]))(?P<y>{_WIDE_YEAR}) ?(?P<close>{_CLOSE})?"
    rf" ?第?(?P<no>{_NUMBER}) ?号"
)
_DOC_OLD: Final = re.compile(
    rf"{_OPEN}(?P<y>(?:19|20)?\d{{2}}){_CLOSE}(?P<agency>[\u4e00-\u9fff]{{1,8}}?)字?第?"
    r"(?P<no>\d{1,4}) ?号"
)
_OCR_DIGITS: Final = str.maketrans({"o": "0", "q": "0", "d": "0", "i": "1", "l": "1"})
_AGENCY_LONGEST: Final = 12
#: Words before an agency word that are not part of it.
_LEAD: Final = re.compile(
    r".*(?:根据|依据|按照|依照|遵照|参照|贯彻|落实|执行|印发|转发|批转|关于|以及|参见|详见|文件|文号"
    r"|一下|哪个|哪份|什么|请问|收到|下发的|[的了是为以由在从对把将给向请查找调看见按与及或号年月日这那份即]"
    r"|(?<=.)和)"
)


def find_doc_numbers(text: str, local: LocalValues = NO_LOCAL_VALUES) -> list[DocNumber]:
    """All document numbers (文号) in a text, left to right.

    Lost or wrong brackets and the usual OCR confusions (`O`→0, `l`→1 inside the number) are read.
    """
    form = _spaced(text)
    found: list[DocNumber] = []
    for match in _DOC.finditer(form.text):
        year = _doc_year(match["y"])
        number = int(match["no"].translate(_OCR_DIGITS))
        if year is None or (match["open"] is None and match["close"] is None and year < 1949):
            continue
        left = _left_han(form.text, match.start(), found, form)
        agency = _agency(left.removesuffix("字"), local)
        start_in_form = match.start() - (len(left) - left.rfind(agency) if agency else 0)
        start, end = form.to_raw(start_in_form, match.end())
        found.append(
            DocNumber(start, end, text[start:end], agency, year, number, left.removesuffix("字"))
        )
    for match in _DOC_OLD.finditer(form.text):
        year = _doc_year(match["y"])
        start, end = form.to_raw(*match.span())
        if year is None or any(d.start < end and start < d.end for d in found):
            continue
        agency = match["agency"]
        found.append(DocNumber(start, end, text[start:end], agency, year, int(match["no"]), agency))
    return sorted(found, key=lambda number: number.start)


def parse_doc_number(text: str, local: LocalValues = NO_LOCAL_VALUES) -> DocNumber | None:
    """Read a catalogue cell as one document number; None when it holds none or several."""
    found = find_doc_numbers(text, local)
    return found[0] if len(found) == 1 else None


def _doc_year(text: str) -> int | None:
    value = chinese_to_int(text.translate(_OCR_DIGITS))
    if value is None:
        return None
    if value < 100:
        value += 1900
    return value if 1900 <= value <= 2099 else None


def _left_han(folded: str, position: int, found: list[DocNumber], form: SearchForm) -> str:
    start = position
    lowest = max(0, position - _AGENCY_LONGEST)
    while start > lowest and is_han(folded[start - 1]):
        if found and form.offsets[start - 1] < found[-1].end:
            left = folded[start:position]
            return left.lstrip("和与及或")  # 〔2016〕12号和济政办函〔2015〕3号
        start -= 1
    return folded[start:position]


def _agency(left: str, local: LocalValues) -> str:
    for i in range(len(left)):
        if left[i:] in local.agencies:
            return left[i:]
    lead = _LEAD.match(left)
    rest = left[lead.end() :] if lead else left
    return rest or left


# -- proposal numbers -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProposalNumber:
    """A numbered 建议, 议案 or 提案 found in a text."""

    start: int
    end: int
    text: str
    number: str
    kind: str


_PROPOSAL: Final = re.compile(
    r"第?(?P<no>\d{1,4}|(?:19|20)\d{5,7})号(?:代表)?(?P<kind>建议|议案|提案)"
)


def find_proposal_numbers(text: str) -> list[ProposalNumber]:
    """All numbered suggestions and bills (第15号建议) in a text."""
    form = _spaced(text)
    return [
        ProposalNumber(
            *(span := form.to_raw(*m.span())), text[span[0] : span[1]], m["no"], m["kind"]
        )
        for m in _PROPOSAL.finditer(form.text)
    ]


# -- sessions -------------------------------------------------------------------------------------


class Body(StrEnum):
    """Whose session it is."""

    CONGRESS = "人民代表大会"
    STANDING_COMMITTEE = "常务委员会"
    CHAIRS = "主任会议"
    PRESIDIUM = "主席团"
    CPPCC = "政协"
    UNDECIDED = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A term and sitting (届次) found in a text.

    Attributes:
        start: First character in the raw text.
        end: One past the last.
        text: The raw text of the span.
        place: Place before it (`示例市`, `市`, `全国`), empty when not written.
        body: Whose session; undecided when the text does not say.
        term: 届, None when not written.
        number: 次, None when only the term is written.
    """

    start: int
    end: int
    text: str
    place: str
    body: Body
    term: int | None
    number: int | None

    @property
    def label(self) -> str:
        """The session in words: `第十二届人民代表大会常务委员会第三次会议`."""
        term = f"第{int_to_chinese(self.term)}届" if self.term is not None else ""
        organ, meeting = {
            Body.CONGRESS: ("人民代表大会", "会议"),
            Body.STANDING_COMMITTEE: ("人民代表大会常务委员会", "会议"),
            Body.CHAIRS: ("人民代表大会常务委员会", "主任会议"),
            Body.PRESIDIUM: ("人民代表大会", "主席团会议"),
            Body.CPPCC: ("政协", "会议"),
            Body.UNDECIDED: ("", "会议"),
        }[self.body]
        if self.number is None:
            return f"{self.place}{term}{organ}"
        return f"{self.place}{term}{organ}第{int_to_chinese(self.number)}次{meeting}"

    def agrees_with(self, other: Session) -> bool:
        """Whether both can be the same sitting: nothing that both state differs."""
        return (
            (self.term is None or other.term is None or self.term == other.term)
            and (self.number is None or other.number is None or self.number == other.number)
            and (Body.UNDECIDED in (self.body, other.body) or self.body is other.body)
        )


_N: Final = r"(?:[一二三四五六七八九十百两〇零○]{1,5}|\d{1,3})"
_ORGAN_WORD: Final = (
    r"人民代表大会常务委员会|人大常务委员会|人大常委会|人民代表大会|人大|常务委员会|常委会"
    r"|人民政治协商会议|政协"
)
_PLACE: Final = r"(?P<place>全国|(?:[\u4e00-\u9fff]{1,6}?)?(?:自治区|省|市|县|区|州|旗|镇|乡))"
_KIND: Final = r"(?P<kind>主任会议|主席团会议|主席团第[一二三四五六七八九十]{1,3}次会议|常委会会议|主席会议|全体会议|会议)"
_SESSION_CORE: Final = re.compile(
    rf"(?:(?P<organ1>{_ORGAN_WORD})第?(?P<term1>{_N})届|第?(?P<term2>{_N})届(?:全国)?(?P<organ2>{_ORGAN_WORD})?)"
    rf"(?:(?:举行|召开)?第?(?P<number>{_N})次{_KIND}?)?"
)
_SESSION_BARE: Final = re.compile(
    rf"(?:(?P<organ>{_ORGAN_WORD})第?(?P<n1>{_N})次(?P<k1>主任会议|主席团会议|会议)"
    rf"|第?(?P<n2>{_N})次(?P<k2>主任会议|常委会会议|主席团会议))"
)
_PLACE_BEFORE: Final = re.compile(_PLACE + r"(?P<front>人大|人民代表大会)?$")
_PREPOSITION: Final = re.compile(
    r"^(?:[年月日号]|根据|按照|关于|经过|在|对|经|向|于|由|从|查|找|看|调|给|把|和|与|的|请问|我们)+"
)


def find_sessions(text: str) -> list[Session]:
    """All terms and sittings (届次) in a text, left to right.

    `市人大十七届三次会议`, `第十六届人民代表大会常务委员会第三十四次会议`, `十七届3次会议`,
    `45次主任会议` (no term) and `十七届人大` (no number) are all read.
    """
    form = _spaced(text)
    folded = form.text
    found: list[Session] = []
    taken: list[tuple[int, int]] = []
    for match in _SESSION_CORE.finditer(folded):
        term = chinese_to_int(match["term1"] or match["term2"])
        number = chinese_to_int(match["number"]) if match["number"] else None
        organ = match["organ1"] or match["organ2"] or ""
        if term is None or not 0 < term < 100 or (number is None and not organ):
            continue
        place, start = _place_before(folded, match.start())
        if not place and "全国" in match.group():
            place = "全国"
        before = folded[max(0, start - 2) : match.start()]
        body = _body(organ, match["kind"] or "", before)
        taken.append((start, match.end()))
        found.append(_session(text, form, start, match.end(), place, body, term, number))
    for match in _SESSION_BARE.finditer(folded):
        if any(a < match.end() and match.start() < b for a, b in taken):
            continue
        number = chinese_to_int(match["n1"] or match["n2"])
        place, start = _place_before(folded, match.start())
        body = _body(match["organ"] or "", match["k1"] or match["k2"], "")
        found.append(_session(text, form, start, match.end(), place, body, None, number))
    return sorted(found, key=lambda session: session.start)


def is_sitting(session: Session) -> bool:
    """Whether a session found is a numbered sitting: 第五十八次主任会议, not 第二次答复."""
    return session.number is not None and (session.term is not None or "会议" in session.text)


def session_in(term: int | None, number: int, near: str) -> bool:
    """Whether a text names a session: 十五届……第十一次 or 15届11次."""
    numbers = rf"(?<![一二三四五六七八九十0-9])第?(?:{int_to_chinese(number)}|{number})次"
    if term is None:
        return re.search(numbers, near) is not None
    terms = rf"(?<![一二三四五六七八九十0-9])(?:{int_to_chinese(term)}|{term})届"
    return re.search(rf"{terms}.{{0,25}}?{numbers}", near) is not None


def _place_before(folded: str, position: int) -> tuple[str, int]:
    window = folded[max(0, position - 12) : position]
    match = _PLACE_BEFORE.search(window)
    if match is None:
        return "", position
    place = match["place"]
    bare = _PREPOSITION.sub("", place)
    start = position - len(window) + match.start() + len(place) - len(bare)
    return bare, start


def _body(organ: str, kind: str, before: str) -> Body:
    if "政协" in organ + before or "政治协商" in organ:
        return Body.CPPCC
    if kind == "主任会议":
        return Body.CHAIRS
    if kind.startswith("主席团"):
        return Body.PRESIDIUM
    if "常务委员会" in organ or "常委会" in organ or kind == "常委会会议":
        return Body.STANDING_COMMITTEE
    if organ or "人大" in before or "大会" in before:
        return Body.CONGRESS
    return Body.UNDECIDED


def _session(
    text: str, form: SearchForm, start: int, end: int, place: str, body: Body,
    term: int | None, number: int | None,
) -> Session:  # fmt: skip
    raw_start, raw_end = form.to_raw(start, end)
    return Session(raw_start, raw_end, text[raw_start:raw_end], place, body, term, number)


# -- dates ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date found in running text.

    Attributes:
        start: First character in the raw text.
        end: One past the last.
        text: The raw text of the span.
        iso: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    """

    start: int
    end: int
    text: str
    iso: str


_DATE_CN: Final = re.compile(
    rf"(?P<y>[一二]{_CN_DIGIT}{{3}})年(?:(?P<m>[一二三四五六七八九十元]{{1,3}})月"
    r"(?:(?P<d>[一二三四五六七八九十廿卅]{1,4})[日号])?)?"
)
_DATE_NIAN: Final = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})年(?:(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号])?)?"
)
_DATE_DOTS: Final = re.compile(
    r"(?<![\d.])(?P<y>(?:19|20)\d{2})(?P<s>[./\-])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?![\d])"
)
_DATE_8: Final = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
)
_RUNNING: Final = (_DATE_CN, _DATE_NIAN, _DATE_DOTS, _DATE_8)

_FIELD_PARTS: Final = re.compile(
    r"(?P<y>(?:1[89]|20)\d{2})(?:[年./\-](?P<m>\d{1,2})(?:[月./\-](?P<d>\d{1,2})日?)?)?[年月]?"
)
_FIELD_8: Final = re.compile(r"(?P<y>(?:1[89]|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})?")
_FIELD_SHORT: Final = re.compile(
    r"(?P<y>\d{2})[./\-年](?P<m>\d{1,2})(?:[./\-月](?P<d>\d{1,2})日?)?月?"
)
_FIELD_SERIAL: Final = re.compile(r"(?P<n>[1-6]\d{4})(?:\.0+)?")
_FIELD_TIME: Final = re.compile(r"[ t]?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$")
_RANGE: Final = re.compile(
    r"[~～至]|--|(?<=\d{8})-(?=\d{8})|(?<=[日月年\d])-(?=\d{4}(?:[年./\-]|$))"
)
_EXCEL_DAY_ZERO: Final = date(1899, 12, 30)


def find_dates(text: str) -> list[FoundDate]:
    """All dates in running text, left to right; `元月` is January, impossible days are dropped.

    A bare `1998.3` is not a date here (it may be a number); `parse_date` reads it in a date column.
    """
    form = _spaced(text)
    found: list[FoundDate] = []
    for pattern in _RUNNING:
        for match in pattern.finditer(form.text):
            iso = _iso(match["y"], match["m"], match["d"])
            start, end = form.to_raw(*match.span())
            if iso and not any(d.start < end and start < d.end for d in found):
                found.append(FoundDate(start, end, text[start:end], iso))
    return sorted(found, key=lambda item: item.start)


def parse_date(text: str) -> str:
    """Read a whole date field of a catalogue.

    Understands `19980312`, `199803`, `19990000` (month unknown), `1998.3`, `1998.3.12`, `98.3.12`,
    `1998年3月12日`, `二○一六年元月廿八日`, `[19450815]` (a researched date), ISO dates with a time,
    and serial day numbers as spreadsheets keep them. Of a range the first day counts.

    Returns:
        `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; empty when unreadable.
    """
    folded = _spaced(text.strip()[:60]).text.strip("[]()【】〔〕<>?？.。约 ")
    if not folded:
        return ""
    folded = _FIELD_TIME.sub("", folded)
    candidates = [folded]
    first = _RANGE.split(folded, maxsplit=1)[0].strip("- ")
    if first != folded:
        candidates.append(first)
    for candidate in candidates:
        for pattern in (_FIELD_8, _FIELD_PARTS, _DATE_CN, _FIELD_SHORT):
            match = pattern.fullmatch(candidate)
            if match is None:
                continue
            iso = _iso(match["y"], match["m"], match["d"])
            if iso:
                return iso
        serial = _FIELD_SERIAL.fullmatch(candidate)
        if serial is not None:
            return (_EXCEL_DAY_ZERO + timedelta(days=int(serial["n"]))).isoformat()
    return ""


def _iso(year_text: str, month_text: str | None, day_text: str | None) -> str:
    year = chinese_to_int(year_text)
    if year is None:
        return ""
    if year < 100:
        year += 1900
    month = chinese_to_int(month_text) if month_text else 0
    day = chinese_to_int(day_text) if day_text else 0
    if month is None or day is None or not 1800 <= year <= 2099 or month > 12:
        return ""
    if month == 0:
        return f"{year:04d}" if day == 0 else ""
    if day == 0:
        return f"{year:04d}-{month:02d}"
    if day > monthrange(year, month)[1]:
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}"


def agency_words(doc_numbers: Iterable[str]) -> frozenset[str]:
    """The agency words (机关代字) of a catalogue's document numbers, to pass as `LocalValues`."""
    return frozenset(_agency_words(doc_numbers))


def _agency_words(doc_numbers: Iterable[str]) -> Iterator[str]:
    for text in doc_numbers:
        parsed = parse_doc_number(text)
        if parsed is not None and parsed.agency:
            yield parsed.agency
