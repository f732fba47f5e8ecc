"""Raw text and its search form (检索形): one twin, used when building and when asking.

`raw` text is never altered. The search form is what is matched: width and radicals folded,
traditional characters simplified, spaces and line breaks inside Chinese dropped; an offset map
leads every character back to the raw text.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

# Radicals that NFKC leaves alone; PDF text layers use them for ordinary characters.
_RADICALS: Final = dict(
    zip(
        "⺠⻔⻅⻓⻋⻰⻚⻛⻢⻥⻬⻄⻘⻩⻆⻝⺟⻤⻁",
        "民门见长车龙页风马鱼齐西青黄角食母鬼虎",
        strict=True,
    )
)
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_SEPARATORS: Final = {
    "・": "·", "•": "·", "‧": "·", "∙": "·",
    "—": "-", "–": "-", "−": "-", "‐": "-", "‑": "-", "_": "-",
}  # fmt: skip
_BRACKETS: Final = dict.fromkeys("[(【{「〈《︹﹝", "〔") | dict.fromkeys("])】}」〉》︺﹞", "〕")

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f〇"
_TOKEN: Final = re.compile(rf"[{_HAN}]+|[0-9]+(?:[.,][0-9]+)*|[a-z]+")
_WORD_CHARACTER: Final = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The normalised twin of a raw text.

    Attributes:
        text: What is matched.
        offsets: For each character of `text` the raw offset it came from, non-decreasing; one
            more value at the end, the raw length.
    """

    text: str
    offsets: Sequence[int]

    def to_raw(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the search form to the raw span that covers it.

        Raises:
            ValueError: If the span is empty or outside the text.
        """
        if not 0 <= start < end <= len(self.text):
            msg = f"span {start}:{end} outside search form of {len(self.text)} characters"
            raise ValueError(msg)
        return self.offsets[start], self.offsets[end - 1] + 1


@cache
def _simplify(character: str) -> str:
    # Twice: 薴 becomes 苧, which is itself the traditional form of 苎.
    return str(_converter().convert(_converter().convert(character)))


def simplified(text: str) -> str:
    """A question typed in traditional characters, in simplified ones; any other text as it is.

    Words are converted as words (答覆 is 答复 although 覆 by itself stays), which the search form
    cannot do, as it has to keep every character's place. Never for text that is quoted.
    """
    if not any("\u3400" <= c and _simplify(c) != c for c in text):
        return text
    return str(_converter().convert(text))


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@lru_cache(maxsize=65536)
def _fold(character: str) -> str:
    """The search form of one character; empty for invisible ones, a space for white space."""
    if character in _INVISIBLE:
        return ""
    if character.isspace():
        return " "
    folded = _RADICALS.get(character) or unicodedata.normalize("NFKC", character)
    folded = "".join(" " if c.isspace() else _SEPARATORS.get(c, c) for c in folded).lower()
    if any("\u3400" <= c for c in folded):
        folded = "".join(_simplify(c) if len(_simplify(c)) == 1 else c for c in folded)
    return folded


def search_form(raw: str, furniture: Sequence[tuple[int, int]] = ()) -> SearchForm:
    """Build the search form of a raw text.

    Args:
        raw: Any text.
        furniture: Spans of `raw` to leave out (running heads, page marks).

    Returns:
        The form; idempotent in its text. White space survives only as one space between two
        words or numbers written in ASCII letters or digits.

    Source:
        NFKC leaves U+2Exx radicals alone and changes lengths (`㈠` gives three characters), so
        the map is kept per output character (measured, see the decision on raw and twin).
    """
    if not furniture:
        folded = raw.translate(_FOLDED)
        if _UNEVEN not in folded:
            return _joined(folded)
    return _character_by_character(raw, furniture)


@lru_cache(maxsize=65536)
def search_text(raw: str) -> str:
    """The text of a raw text's search form; for what is looked at again and again, as sentences are."""
    return search_form(raw).text


#: Stands in `_FOLDED` for a character whose folded form is not one character.
_UNEVEN: Final = "\0"
_RUN: Final = re.compile(r"[^ ]+")


class _Folded(dict[int, str]):
    """`_fold` as a table for `str.translate`, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        self[code] = folded = folded if len(folded) == 1 else _UNEVEN
        return folded


_FOLDED: Final = _Folded()


def _joined(folded: str) -> SearchForm:
    """The search form of a text folded character by character, its white space all spaces."""
    if " " not in folded:
        return SearchForm(folded, array("L", range(len(folded) + 1)))
    out: list[str] = []
    offsets = array("L")
    end = 0
    for match in _RUN.finditer(folded):
        start = match.start()
        if (
            out
            and end < start
            and _WORD_CHARACTER.match(folded[end - 1])
            and _WORD_CHARACTER.match(folded[start])
        ):
            out.append(" ")
            offsets.append(start)
        end = match.end()
        out.append(folded[start:end])
        offsets.extend(range(start, end))
    offsets.append(len(folded))
    return SearchForm("".join(out), offsets)


def _character_by_character(raw: str, furniture: Sequence[tuple[int, int]]) -> SearchForm:
    """`search_form` for any text; fifteen times slower."""
    out: list[str] = []
    offsets = array("L")
    pending_space = False
    spans = sorted(furniture)
    next_span = 0
    position, length = 0, len(raw)
    while position < length:
        if next_span < len(spans) and position >= spans[next_span][0]:
            position = max(position, spans[next_span][1])
            next_span += 1
            pending_space = True
            continue
        for character in _fold(raw[position]):
            if character == " ":
                pending_space = True
                continue
            if pending_space:
                if out and _WORD_CHARACTER.match(out[-1]) and _WORD_CHARACTER.match(character):
                    out.append(" ")
                    offsets.append(position)
                pending_space = False
            out.append(character)
            offsets.append(position)
        position += 1
    offsets.append(length)
    return SearchForm("".join(out), offsets)


@lru_cache(maxsize=8192)
def matching_key(text: str) -> str:
    """A key under which two spellings of the same code or title compare equal.

    White space goes, bracket and separator look-alikes fall together, case is folded.
    """
    form = search_form(text).text.replace(" ", "")
    return "".join(_BRACKETS.get(c, c) for c in form)


def is_han(character: str) -> bool:
    """Whether the character is a Chinese ideograph (〇 included)."""
    return (
        "\u4e00" <= character <= "\u9fff"
        or "\u3400" <= character <= "\u4dbf"
        or character == "〇"
        or "\U00020000" <= character <= "\U0003134f"
    )


def lexical_tokens(form: str) -> Iterator[str]:
    """Cut a search form into the terms of the lexical index.

    Chinese runs give every character and every pair of neighbours, so any string inside a
    sentence is found; numbers and ASCII words are whole terms.

    Source:
        BM25 over characters and character pairs beat word segmentation and pairs alone on STARD
        (nDCG@10 .599 against .557 and .564).
    """
    for match in _TOKEN.finditer(form):
        run = match.group()
        if is_han(run[0]):
            yield from run
            for i in range(len(run) - 1):
                yield run[i : i + 2]
        else:
            yield run.replace(",", "")


class TermFinder:
    """Tells which of some terms `lexical_tokens` cuts out of a form, without cutting it.

    One question is compared with some 800 sentences; cutting them took a third of its time.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        """Bind the terms, as `lexical_tokens` gives them."""
        self._han: list[str] = []
        others: list[str] = []
        for term in dict.fromkeys(terms):
            (self._han if is_han(term[0]) else others).append(term)
        self._others = frozenset(others)

    def __call__(self, form: str) -> frozenset[str]:
        """The terms a form holds."""
        # A run of ideographs gives all its characters and pairs, so they are found as they stand.
        found = {term for term in self._han if term in form}
        if self._others:
            runs = (match.group().replace(",", "") for match in _TOKEN.finditer(form))
            found |= self._others.intersection(runs)
        return frozenset(found)
