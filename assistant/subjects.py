"""What the records a reader may see speak of: tells a new subject from a further question."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final

from assistant.catalogue_view import CatalogueView, title_form
from index.domain import Page, Passage
from index.text import lexical_tokens, search_form

#: Passages looked through for a word; a name is in few records, and one is enough.
_PASSAGES: Final = 24
#: Characters of a word that is a subject even where no record has it (观澜河).
_UNKNOWN: Final = 3


@lru_cache(maxsize=4096)
def _squeezed(text: str) -> str:
    return search_form(text).text.replace(" ", "")


class Subjects:
    """Looks words up among the permitted records. Cheap to make; for one question."""

    def __init__(
        self,
        view: CatalogueView,
        passages_with: Callable[[dict[str, float], int], Sequence[Passage]],
        pages: Callable[[str], Sequence[Page]],
        meanings: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        """Bind what is looked through.

        Args:
            view: The catalogue as the reader may see it.
            passages_with: Passages of permitted records that hold weighted terms, best first.
            pages: Pages of a record.
            meanings: Other words for a word (暖气: 集中供热).
        """
        self._view = view
        self._passages_with = passages_with
        self._pages = pages
        self._meanings = meanings

    def _words(self, word: str) -> tuple[str, ...]:
        return (word, *self._meanings(word))

    def holders(self, word: str) -> frozenset[str]:
        """Ids of records that have the word, or another word for it, in title or text.

        Not all of them where there are many.
        """
        found = set(self.titled(word))
        for one in self._words(word):
            found |= {p.record_id for p in self._found(one)}
        return frozenset(found)

    def titled(self, word: str) -> frozenset[str]:
        """Ids of records whose title, author or proposers have the word or another for it."""
        words = self._words(word)
        return frozenset(
            r.record_id
            for r in self._view.records
            if any(w in title_form(r.title) or w in r.author or w in r.proposers for w in words)
        )

    def topical(self, word: str) -> frozenset[str]:
        """Ids of records that are about the word: by title, or as replies repeat a title.

        A reply is titled by its number; what it is on stands in 您提出的“关于……的建议”.
        """
        found = set(self.titled(word))
        for one in self._words(word):
            named = re.compile(
                rf"关于[^“”\"。]{{0,30}}{re.escape(one)}[^“”\"。]{{0,30}}的(?:建议|议案)"
            )
            found |= {p.record_id for p in self._found(one) if named.search(_squeezed(p.text))}
        return frozenset(found)

    def in_records(self, word: str, record_ids: Iterable[str]) -> bool:
        """Whether one of these records has the word or another word for it, anywhere."""
        ids = list(record_ids)
        if not ids:
            return False
        titles = {r.record_id: title_form(r.title) for r in self._view.records}
        return any(
            one in titles.get(i, "") or any(one in _squeezed(p.raw) for p in self._pages(i))
            for i in ids
            for one in self._words(word)
        )

    def _found(self, word: str) -> list[Passage]:
        terms = dict.fromkeys(lexical_tokens(word), 1.0)
        if not terms:
            return []
        return [p for p in self._passages_with(terms, _PASSAGES) if word in _squeezed(p.text)]


def brings_a_subject(
    runs: Sequence[str], subjects: Subjects, earlier: str, previous: Collection[str]
) -> bool:
    """Whether a short question names a subject of its own.

    What the records of the last answer speak of is a further question about them (罚款多少 after a
    fine was asked about); what only other records speak of is a new subject.

    Args:
        runs: Content runs of the question, aspects (主办, 罚款) left out.
        subjects: The permitted records.
        earlier: Search form of all earlier turns.
        previous: Ids of the records of the answer leaned on.
    """
    for word in runs:
        if len(word) < 2 or word in earlier:
            continue
        if subjects.in_records(word, previous):
            continue
        if len(word) >= _UNKNOWN or subjects.holders(word):
            return True
    return False
