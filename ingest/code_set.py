"""Codes that must be kept out, and the names and codes that may mean one of them.

Files of a marked record are rarely named by its code alone (`…-0001附件.pdf`, `…-0001_正文.pdf`,
`0013WS2010Y0001 副本.pdf`), and a spreadsheet may have eaten the zeros of one of two catalogues.
Where it is doubtful what a name means, it means the record that must be kept out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from index.codes import reference_key

_TOKEN: Final = re.compile(r"[0-9]+|[A-Z]+|[^0-9A-Z\-]")
#: With less than this a code is a word like any other: `A3` begins many a file name.
_FEWEST_TOKENS: Final = 3
_FEWEST_NUMBERS: Final = 2


class CodeSet:
    """Codes, to be found at the beginning of a name whatever its separators and zeros."""

    def __init__(self, codes: Iterable[str], beside: Iterable[str] = ()) -> None:
        """Take the codes.

        Args:
            codes: Codes in any spelling.
            beside: Codes of other records: where one of these goes on further than one of `codes`,
                the name means that one.
        """
        self._keys = {key for code in codes if (key := reference_key(code))}
        self._bare = {bare for key in self._keys if (bare := _bare(key))}
        self._squeezed = {key.replace("-", "") for key in self._keys if _bare(key)}
        self._beside = {_bare(reference_key(code)) for code in beside} - self._bare
        self._longest = max((len(bare) for bare in self._bare | self._beside), default=0)

    def __contains__(self, code: str) -> bool:
        """Whether a code is one of these, spelled in whatever way."""
        key = reference_key(code)
        return key in self._keys or (_bare(key) or None) in self._bare

    def begins(self, name: str) -> bool:
        """Whether a name begins with one of these, or has one after a word that is no code."""
        return bool(self._bare) and any(map(self._begins, _beginnings(reference_key(name))))

    def begins_path(self, path: str) -> bool:
        """As `begins`, for a file (its suffix left out), its folders, and folders that spell one."""
        parts = path.rpartition(".")[0].split("/") if "." in path else path.split("/")
        return any(self.begins("-".join(parts[first:])) for first in range(len(parts)))

    def _begins(self, text: str) -> bool:
        run = re.match(r"[0-9A-Z]+", text)
        if run is not None and run[0] in self._squeezed:
            return True
        found = False
        bare: tuple[str, ...] = ()
        for token in _TOKEN.findall(text):
            bare = (*bare, token.lstrip("0") or "0")
            if len(bare) > self._longest:
                break
            if bare in self._bare:
                found = True
            elif bare in self._beside:
                found = False
        return found


def _bare(key: str) -> tuple[str, ...]:
    """The letters and numbers of a code without leading zeros; empty when it has too few."""
    tokens = _TOKEN.findall(key)
    if len(tokens) < _FEWEST_TOKENS or sum(t.isdigit() for t in tokens) < _FEWEST_NUMBERS:
        return ()
    return tuple(token.lstrip("0") or "0" for token in tokens)


def _beginnings(key: str) -> Iterator[str]:
    """The key, and what follows each of its words: a code may stand behind `附件`."""
    yield key
    for match in re.finditer(r"(?<=[^0-9A-Z\-])-?(?=[0-9A-Z])", key):
        yield key[match.end() :]
