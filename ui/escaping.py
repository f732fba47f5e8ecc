"""Record text made safe and readable: Markdown escapes, folded lines, doubt about recognition."""

from __future__ import annotations

import re
from typing import Final

#: Below this OCR confidence the reader is told to trust the image only.
LOW_CONFIDENCE: Final = 0.75
_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_LINE_START_SPACE: Final = re.compile(r"(?m)^[ \t]+")
_BREAK: Final = re.compile(r"[ \t]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])")
_BREAKS: Final = re.compile(r"[ \t]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])\s*")
_SENTENCE_END: Final = frozenset("。；：！？.;:!?”」』")
_WORD: Final = re.compile(r"[0-9A-Za-z]")


def md_escape(text: str) -> str:
    """Text as Markdown that shows exactly this text.

    Source:
        CommonMark 2.4: a backslash before any ASCII punctuation mark makes it literal. Four
        spaces at a line start would open a code block, so they become ideographic spaces.
    """
    escaped = _PUNCTUATION.sub(r"\\\1", text)
    return _LINE_START_SPACE.sub(lambda m: "\u3000" * min(4, len(m[0]) // 2), escaped)


def one_line(text: str) -> str:
    """Text with its line breaks folded away, for places that hold one line."""
    return " ".join(text.split())


def fold_quote(raw: str) -> str:
    """A quotation as it is read: broken lines joined, paragraphs kept.

    Only white space changes. A line break stays where a paragraph seems to end (after a full
    stop or before an indent), becomes a space between two ASCII words, and goes otherwise.
    """
    text = raw.strip()
    out: list[str] = []
    position = 0
    for found in _BREAKS.finditer(text):
        before = text[position : found.start()]
        out.append(before)
        position = found.end()
        after = text[position : position + 1]
        last = before[-1:] or (out[-2][-1:] if len(out) > 1 else "")
        tail = _BREAK.sub("", found[0])
        indented = tail.startswith(("\u3000", "  ", "\t"))
        if last in _SENTENCE_END or indented:
            out.append("\n")
        elif _WORD.match(last) and _WORD.match(after):
            out.append(" ")
    out.append(text[position:])
    return "".join(out)


def is_unreliable(confidence: float | None) -> bool:
    """Whether an OCR confidence is too low to trust the text."""
    return confidence is not None and confidence < LOW_CONFIDENCE
