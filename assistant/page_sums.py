"""How the pages of the holdings were read, by record: kept in memory, brought up to date by change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from index.domain import TextSource
from index.store import PageMark, Store

#: Lower bounds of the bands of recognition confidence, best first; the last takes all the rest.
BANDS: Final = (0.95, 0.9, 0.8, 0.0)


@dataclass(frozen=True, slots=True)
class PageSums:
    """Pages of one record or of several.

    Attributes:
        pages: Stored.
        unreadable: Without text.
        layer: Readable, text from the file's own layer.
        ocr: Readable, recognised.
        file: Readable, from a text file.
        bands: Recognised pages by confidence, in the order of `BANDS`; those whose engine gave
            none are in no band.
    """

    pages: int = 0
    unreadable: int = 0
    layer: int = 0
    ocr: int = 0
    file: int = 0
    bands: tuple[int, ...] = (0,) * len(BANDS)

    @property
    def readable(self) -> int:
        """Pages with text."""
        return self.pages - self.unreadable

    def with_page(self, page: PageMark) -> PageSums:
        """These and one page more."""
        pages = self.pages + 1
        if not page.readable:
            return replace(self, pages=pages, unreadable=self.unreadable + 1)
        if page.source is TextSource.LAYER:
            return replace(self, pages=pages, layer=self.layer + 1)
        if page.source is not TextSource.OCR:
            return replace(self, pages=pages, file=self.file + 1)
        bands = list(self.bands)
        if page.confidence is not None:
            bands[next(i for i, least in enumerate(BANDS) if page.confidence >= least)] += 1
        return replace(self, pages=pages, ocr=self.ocr + 1, bands=tuple(bands))


class PageSumsTable:
    """Sums by row number of the record. Safe between threads."""

    def __init__(self, store: Store) -> None:
        """Bind the store; pages are looked at when sums are first asked for."""
        self._store = store
        self._lock = threading.Lock()
        self._version = -1
        self._hashes: dict[int, str] = {}
        self._sums: dict[int, PageSums] = {}

    def sums(self) -> Mapping[int, PageSums]:
        """Sums of every record that has pages; only what changed since is read again."""
        with self._lock:
            version = self._store.data_version
            if version != self._version:
                hashes = self._store.content_hashes()
                changed = [n for n, h in hashes.items() if self._hashes.get(n) != h]
                sums = {n: s for n, s in self._sums.items() if n in hashes}
                for number in changed:
                    sums.pop(number, None)
                for number, page in self._store.page_marks(changed):
                    sums[number] = sums.get(number, _NONE).with_page(page)
                self._hashes, self._sums, self._version = hashes, sums, version
            return self._sums


_NONE: Final = PageSums()
