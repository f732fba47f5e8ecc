"""How alike two readings of a page are; the only file that uses rapidfuzz."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Look-alikes that a reading is not blamed for, made one.
_FORMS: Final = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣－─ー"), "-"),
    **dict.fromkeys(map(ord, "“”„‟〝〞「」『』"), '"'),
    **dict.fromkeys(map(ord, "‘’‚‛"), "'"),
    **dict.fromkeys(map(ord, "（〔［【〈["), "("),
    **dict.fromkeys(map(ord, "）〕］】〉]"), ")"),
}


def compared_form(text: str) -> str:
    """A text as readings are compared: NFKC, no white space, one form of dashes and brackets.

    Dashes, quotation marks and brackets of all shapes are made one; cell breaks are left out.
    """
    plain = unicodedata.normalize("NFKC", text.translate(_FORMS)).translate(_FORMS)
    return "".join(plain.replace(" | ", "").split())


def similarity(one: str, other: str) -> float:
    """Normalised similarity of two texts, 0..1: 1 - edit distance / longer length.

    Two empty texts are alike.
    """
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(compared_form(one), compared_form(other)))


def errors_in(found: str, truth: str) -> tuple[int, int]:
    """Characters wrong, missing or too many in a reading, and the length of the truth.

    Their quotient is the character error rate (CER).
    """
    from rapidfuzz.distance import Levenshtein

    right = compared_form(truth)
    return int(Levenshtein.distance(compared_form(found), right)), len(right)
