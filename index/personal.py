"""Personal data (个人信息) in the text of a page: where it stands and how it is masked. Pure.

Masked text has the same length as the raw text: every character of a span becomes `MASK`, line
breaks stay, so offsets, passages and boxes hold for both. Readers without the right
(`index.access.may_see_personal`), the indexes and the language model only ever get the masked
form; quotations are cut from it as from any other stored text.

Source:
    个人信息保护法 13, 28, 51; rule R6 of the domain brief: identity numbers, telephones (office
    telephones in 联系人 lines too), bank cards, home addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from index.domain import Page, Record

#: Raise it when other spans are found; what was taken in before is then looked through again.
PERSONAL_VERSION: Final = "1"
#: Stands for one character of personal data.
MASK: Final = "■"


class PersonalKind(StrEnum):
    """Kinds of personal data; values are the words shown to people."""

    IDENTITY = "身份证号"
    PHONE = "电话"
    CARD = "银行卡号"
    ADDRESS = "住址"


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """Personal data in a text: `text[start:end]`."""

    start: int
    end: int
    kind: PersonalKind


#: Full-width digits and letters count as the plain ones; one character stays one.
_PLAIN: Final[dict[int, int | str]] = {
    **{0xFF01 + i: 0x21 + i for i in range(94)},  # the full-width forms of ASCII
    **dict.fromkeys((0x2010, 0x2011, 0x2013, 0x2014, 0x2015, 0x2212), "-"),
    0x3000: " ",
}
_GAP: Final = r"[ \t-]?"
_FIRST: Final = r"(?<![0-9A-Za-z.])"

#: 17 digits with a date of birth and the check character (GB 11643-1999); spaces may stand
#: between its parts.
_IDENTITY_18: Final = re.compile(
    rf"{_FIRST}[1-9][0-9]{{5}}[ \t]?(?:18|19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"[ \t]?[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
#: Said to be one: also the 15-digit form, and what OCR misread, which fails the check.
_IDENTITY_SAID: Final = re.compile(
    r"(?:身\s*份\s*证|公民身份)[^\n0-9]{0,16}(?P<value>[0-9][0-9 \t*]{12,20}[0-9Xx])(?![0-9])"
)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_MOBILE: Final = re.compile(
    rf"{_FIRST}(?:\+?86{_GAP})?1[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
    r"(?![0-9A-Za-z]|[.,，][0-9]|\s*(?:元|万|亿|人|件|%|吨|户|亩))"
)
#: With an area code: (0537)2345678, 0537-2345678 转 12, 010 12345678.
_LANDLINE: Final = re.compile(
    r"(?<![0-9A-Za-z.\-])\(?0(?:10|2[0-9]|[3-9][0-9]{2})(?:\)[ \t-]{0,2}|[ \t]?-{1,2}[ \t]?|[ \t]|)"
    r"[2-9][0-9]{2}[ \t-]?[0-9]{4,5}(?:[ \t]?(?:-|转)[ \t]?[0-9]{1,5})?(?![0-9A-Za-z]|\.[0-9])"
)
#: Said to be one: seven or eight digits after 电话, 传真 and the like, and more of them in a row.
_PHONE_SAID: Final = re.compile(
    r"(?:电\s*话|传\s*真|手\s*机|联系方式|值班室|[Tt][Ee][Ll]|[Ff][Aa][Xx]|[☎✆])"
    r"(?:号码?|\([^()\n]{0,8}\))?[^\n0-9A-Za-z。；;，,“\"]{0,10}"
    r"(?P<value>[0-9][0-9 \t()-]{5,18}[0-9](?:[ \t]?[、/，,;；][ \t]?[0-9][0-9 \t()-]{5,18}[0-9])*)(?![0-9])"
)
#: A contact line that does not say 电话: 联系人：某某 2345678.
_CONTACT: Final = re.compile(
    r"联\s*系\s*人[^\n0-9。；;]{1,16}(?P<value>[2-9][0-9]{6,7})(?![0-9A-Za-z]|[.,][0-9])"
)
#: 400 and 800 numbers are hotlines of an office, never a person's.
_HOTLINE: Final = re.compile(r"[48]00[ \t-]?[0-9]{3,4}[ \t-]?[0-9]{3,4}")

#: UnionPay numbers by themselves; any long number where a card or account is spoken of.
_CARD: Final = re.compile(
    r"(?<![0-9A-Za-z.\-])62[0-9]{2}(?:[ \t]?[0-9]{4}){3}(?:[ \t]?[0-9]{1,3})?(?![0-9A-Za-z]|[.,][0-9])"
)
_CARD_SAID: Final = re.compile(
    r"(?:卡\s*号|银行卡|账\s*号|帐\s*号|账\s*户|帐\s*户)[^\n0-9。；;]{0,12}"
    r"(?P<value>[0-9](?:[ \t-]?[0-9]){11,24})(?![0-9])"
)

#: Where somebody lives: said so with a colon, or told with the house.
_ADDRESS_SAID: Final = re.compile(
    r"(?:(?:家\s*庭\s*(?:住\s*址|地\s*址)|(?:现|常|原|户籍)?住\s*址|现居住地|居住地址|户籍(?:所在地|地址)"
    r"|户口所在地)[ \t]*(?::|为|是|[ \t])[ \t]*|(?:家|现)住[ \t]*:?[ \t]*)"
    r"(?P<value>[^\n。；;，,、\t]{4,60})"
)
#: Laws and news speak of 户籍所在地 and 家住某镇 without a house; that is nobody's address.
_HOUSE: Final = re.compile(r"[0-9一二三四五六七八九十]\s*(?:号|室|单元|栋|幢|楼|组|户|弄|巷|-)")
#: Down to the flat: no office is written so.
_FLAT: Final = re.compile(
    r"(?P<value>(?:[\u4e00-\u9fff0-9]{0,24}?)[0-9A-Za-z一二三四五六七八九十]{1,4}(?:号楼|栋|幢|#楼|楼)"
    r"[0-9一二三四五六七八九十]{1,3}单元[0-9一二三四五六七八九十]{1,5}(?:室|户|号)?)"
)
#: Columns of a catalogue that hold nothing else.
_COLUMN: Final = re.compile(
    r"身份证|电话|手机|联系方式|银行卡|卡号|账号|帐号|住址|家庭地址|通讯地址|户籍", re.IGNORECASE
)
#: What personal data cannot do without, in raw text; most pages have none of it.
_ANY: Final = re.compile(
    r"[0-9\uff10-\uff19]{6}|[0-9\uff10-\uff19]"
    r"[ \t()\u2010-\u2015\u2212\u3000\uff08\uff09\uff0d]{1,3}[0-9\uff10-\uff19]{3}"
    r"|住\s*址|家\s*庭\s*地\s*址|[家现]住|居住地|户籍地|户籍所|户口所|单元|身\s*份\s*证|公民身份"
)


def find_personal(text: str) -> tuple[PersonalSpan, ...]:
    """Personal data in a text, in order, not overlapping.

    A number broken by a line end is not recognised. Names are not looked for.
    """
    if not _ANY.search(text):
        return ()
    plain = text.translate(_PLAIN)
    found: list[PersonalSpan] = []
    for start, end, kind in sorted(_candidates(plain)):
        if found and start < found[-1].end:
            if end > found[-1].end:
                found[-1] = replace(found[-1], end=end)
            continue
        found.append(PersonalSpan(start, end, kind))
    return tuple(found)


def _candidates(plain: str) -> Iterator[tuple[int, int, PersonalKind]]:
    for match in _IDENTITY_18.finditer(plain):
        if _checks_out(match[0]):
            yield match.start(), match.end(), PersonalKind.IDENTITY
    for match in _IDENTITY_SAID.finditer(plain):
        if sum(map(str.isdigit, match["value"])) >= 13:
            yield *match.span("value"), PersonalKind.IDENTITY
    for match in _MOBILE.finditer(plain):
        digits = _digits(match[0])[-11:]
        if len(set(digits[3:])) > 1:  # 13000000000 is an amount
            yield match.start(), match.end(), PersonalKind.PHONE
    for match in _LANDLINE.finditer(plain):
        yield match.start(), match.end(), PersonalKind.PHONE
    for match in _PHONE_SAID.finditer(plain):
        for part in re.finditer(r"[0-9(][0-9 \t()-]*[0-9]", match["value"]):
            number = _digits(part[0])
            if 7 <= len(number) <= 16 and not _HOTLINE.fullmatch(part[0].strip()):
                at = match.start("value")
                yield at + part.start(), at + part.end(), PersonalKind.PHONE
    for match in _CONTACT.finditer(plain):
        yield *match.span("value"), PersonalKind.PHONE
    for match in _CARD.finditer(plain):
        if _luhn(_digits(match[0])):
            yield match.start(), match.end(), PersonalKind.CARD
    for match in _CARD_SAID.finditer(plain):
        yield *match.span("value"), PersonalKind.CARD
    for match in _ADDRESS_SAID.finditer(plain):
        if _HOUSE.search(match["value"]):
            yield *_trimmed(plain, *match.span("value")), PersonalKind.ADDRESS
    for match in _FLAT.finditer(plain):
        yield *match.span("value"), PersonalKind.ADDRESS


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _checks_out(text: str) -> bool:
    """The check character of an identity number (ISO 7064, MOD 11-2)."""
    number = "".join(text.split()).upper()
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[-1]


def _luhn(number: str) -> bool:
    """The check digit of a bank card (ISO/IEC 7812-1, annex B)."""
    if not 16 <= len(number) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with every character of the spans replaced by `MASK`, line ends kept."""
    out: list[str] = []
    at = 0
    for start, end in sorted(spans):
        start, end = max(at, start), min(end, len(text))
        if start >= end:
            continue
        out.append(text[at:start])
        out += [c if c in "\r\n\f" else MASK for c in text[start:end]]
        at = end
    return "".join([*out, text[at:]]) if out else text


def masked_text(text: str) -> str:
    """The text with the personal data in it masked."""
    return masked(text, ((s.start, s.end) for s in find_personal(text)))


def mask_page(page: Page) -> Page:
    """The page as readers without the right get it."""
    return replace(page, raw=masked(page.raw, page.personal)) if page.personal else page


def mask_record(record: Record) -> Record:
    """The record with personal data masked in its fields, kept columns and derived fields."""
    title, author, note = (masked_text(t) for t in (record.title, record.author, record.note))
    extra = _masked_columns(record.extra)
    derived = tuple(replace(item, value=masked_text(item.value)) for item in record.derived)
    parts = tuple(replace(part, title=masked_text(part.title)) for part in record.parts)
    masked_record = replace(
        record, title=title, author=author, note=note, extra=extra, derived=derived, parts=parts
    )
    return record if masked_record == record else masked_record


def _masked_columns(columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            heading,
            masked(value, [(0, len(value))]) if _COLUMN.search(heading) else masked_text(value),
        )
        for heading, value in columns
    )


__all__ = [
    "MASK",
    "PERSONAL_VERSION",
    "PersonalKind",
    "PersonalSpan",
    "find_personal",
    "mask_page",
    "mask_record",
    "masked",
    "masked_text",
]
