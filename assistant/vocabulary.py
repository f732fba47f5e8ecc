"""Everyday words and official terms for the same thing, both ways, with the years they were used.

The words are data: `assistant/vocabulary.csv` ships with the program and `vocabulary.csv` in home
adds to it, changes it or takes pairs out (`assistant.vocabulary_file`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from index.text import search_form

#: Category of old and new place names; they complete the places of a question.
PLACES: Final = "地名"
#: Category of names of a stretch of years (疫情那几年); its years become the years asked about.
ERAS: Final = "时期"
#: Category of record types by another name; its note is told with the answer.
TYPES: Final = "文种"
#: Most everyday words an official term brings along; the rest are rarer spellings.
_MOST_BACK: Final = 4
#: What `*` stands for in an everyday word: 养*狗 is 养狗 and 养两条狗.
_GAP: Final = r"[^，。？！；：、,?!;:\s]{0,4}?"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the vocabulary.

    Attributes:
        colloquial: Everyday or old words; `*` in one stands for up to four characters.
        official: Official or present terms, the commonest first.
        first_year: First year the official term was in use, None when always.
        last_year: Last year, None when still in use.
        category: Free word for people; `地名`, `时期` and `文种` are also understood.
        two_way: Whether the official term also brings the everyday words.
        exceptions: Longer words that hold an everyday word by chance.
        note: Remark for people.
        source: `自带` or `本馆`.
        row: Row number in its file, from 1 (the heading).
    """

    colloquial: tuple[str, ...]
    official: tuple[str, ...]
    first_year: int | None = None
    last_year: int | None = None
    category: str = ""
    two_way: bool = True
    exceptions: tuple[str, ...] = ()
    note: str = ""
    source: str = "自带"
    row: int = 0

    @property
    def years(self) -> str:
        """The years in words, empty when the entry has none."""
        if self.first_year and self.last_year:
            if self.first_year == self.last_year:
                return f"{self.first_year}年"
            return f"{self.first_year}—{self.last_year}年"
        if self.first_year:
            return f"{self.first_year}年起"
        return f"{self.last_year}年以前" if self.last_year else ""


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word of a question that the vocabulary knows.

    Attributes:
        start: First character in the question's search form.
        end: One past the last.
        words: The word as it stands there.
        meanings: Other words for it, search form, none of them in the question already.
        entry: The row that says so.
        backwards: Whether the official term was asked and everyday words were added.
    """

    start: int
    end: int
    words: str
    meanings: tuple[str, ...]
    entry: Entry
    backwards: bool


@dataclass(frozen=True, slots=True)
class _Side:
    entry: Entry
    backwards: bool
    meanings: tuple[str, ...]


class Vocabulary:
    """Finds the words of a question that have other words. Immutable."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """Compile the rows; a later row about the same word adds to an earlier one."""
        self.entries: Sequence[Entry] = tuple(entries)
        self._words: dict[str, list[_Side]] = {}
        self._gapped: list[tuple[re.Pattern[str], _Side]] = []
        covering: set[str] = set()
        for entry in self.entries:
            official = tuple(dict.fromkeys(_form(w) for w in entry.official))
            plain = tuple(_form(w) for w in entry.colloquial if "*" not in w)
            for word in entry.colloquial:
                side = _Side(entry, False, other_words(word, official))
                if not side.meanings and entry.category != ERAS:
                    continue
                if "*" in word:
                    pattern = _GAP.join(re.escape(_form(part)) for part in word.split("*"))
                    self._gapped.append((re.compile(pattern), side))
                else:
                    self._words.setdefault(_form(word), []).append(side)
            for term in official:
                back = tuple(w for w in plain if w not in official and w not in term)
                back = back[:_MOST_BACK]
                if entry.two_way and back:
                    self._words.setdefault(term, []).append(_Side(entry, True, back))
                else:
                    covering.add(term)
        self._covering = covering - set(self._words)
        self._pattern = re.compile(
            "|".join(
                re.escape(word)
                for word in sorted({*self._words, *self._covering}, key=len, reverse=True)
            )
            or r"(?!)"
        )

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.entries)

    def expansions(self, form: str) -> tuple[Expansion, ...]:
        """Words of a question that have other words, in order, none overlapping another.

        The longest word wins; a word inside one of its exceptions, or inside an official term
        that was typed out, does not count.

        Args:
            form: Search form of the question.
        """
        found: list[tuple[int, int, list[_Side]]] = []
        for match in self._pattern.finditer(form):
            found.append((*match.span(), self._words.get(match.group(), [])))
        for pattern, side in self._gapped:
            found += [(*match.span(), [side]) for match in pattern.finditer(form)]
        found.sort(key=lambda item: (item[0] - item[1], item[0], not item[2]))
        taken: list[tuple[int, int]] = []
        result: list[Expansion] = []
        for start, end, sides in found:
            if any(start < b and a < end for a, b in taken):
                continue
            sides = [s for s in sides if not _excepted(s.entry.exceptions, form, start, end)]
            taken.append((start, end))
            if not sides:
                continue
            words = form[start:end]
            meanings = tuple(dict.fromkeys(m for s in sides for m in s.meanings if m not in form))
            if meanings or sides[0].entry.category == ERAS:
                result.append(
                    Expansion(start, end, words, meanings, sides[0].entry, sides[0].backwards)
                )
        return tuple(sorted(result, key=lambda e: e.start))

    def search(self, words: str) -> tuple[Entry, ...]:
        """Rows that hold a word in any of their texts; all rows for an empty word."""
        wanted = _form(words)
        return tuple(
            entry
            for entry in self.entries
            if any(
                wanted in _form(text)
                for text in (*entry.colloquial, *entry.official, entry.category, entry.note)
            )
        )


def other_words(word: str, official: Iterable[str]) -> tuple[str, ...]:
    """The official terms that an everyday word does not find by itself.

    A page that says 河道采砂 says 采砂 too; adding it would only shift the weights.
    """
    plain = _form(word)
    return tuple(o for o in map(_form, official) if "*" in word or plain not in o)


def _form(text: str) -> str:
    return search_form(text).text


def _excepted(exceptions: Collection[str], form: str, start: int, end: int) -> bool:
    for exception in exceptions:
        at = form.find(exception)
        while at >= 0:
            if at <= start and end <= at + len(exception):
                return True
            at = form.find(exception, at + 1)
    return False


NO_VOCABULARY: Final = Vocabulary()
