"""Places in the holdings as addresses: permalinks to a page with a quotation marked.

A link carries a short hash of the words it marks. When a page has been read anew and other words
stand at the place, they are looked for in the record; when they are nowhere, the page opens with
a remark and nothing marked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from index.domain import Page
from index.store import Store

#: Hexadecimal digits of a hash: among a million places of a record an accident is one in a million.
_DIGITS: Final = 10
_HASH: Final = re.compile(rf"([1-9][0-9]{{0,4}})\.[0-9a-f]{{{_DIGITS}}}")
#: Pages on each side of the place that are searched for words that moved.
_PAGES_SEARCHED: Final = 20
#: Longest page that is searched, characters.
_LONGEST_PAGE: Final = 20_000


def record_token(record_id: str) -> str:
    """A record id as one URL path part (base64url without padding)."""
    return base64.urlsafe_b64encode(record_id.encode()).decode().rstrip("=")


def record_id_of(token: str) -> str | None:
    """The record id of a token, None when it is not one."""
    try:
        padded = token + "=" * (-len(token) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def quote_hash(words: str) -> str:
    """A short hash of quoted words with their number of characters, empty for no words.

    White space does not count: programs that read pages differ in it.
    """
    return _hash("".join(words.split()))


def _hash(squeezed: str) -> str:
    if not squeezed:
        return ""
    return f"{len(squeezed)}.{hashlib.sha256(squeezed.encode()).hexdigest()[:_DIGITS]}"


def is_hash(text: str) -> bool:
    """Whether a text has the form of a hash."""
    return _HASH.fullmatch(text) is not None


def permalink(record_id: str, page: int, start: int, end: int, words: str = "") -> str:
    """The address, below the site's root, that opens a page with a quotation marked.

    Args:
        record_id: The record.
        page: 影像序号.
        start: First character of the quotation in the page's raw text.
        end: One past the last; not above `start` when nothing is marked.
        words: The quotation, personal data masked; the link stays right when the record is read
            anew.
    """
    marked = f"&hash={digest}" if end > start and (digest := quote_hash(words)) else ""
    return f"record/{record_token(record_id)}?page={page}&start={start}&end={end}{marked}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link leads now.

    Attributes:
        page: The page to open.
        start: First character to mark.
        end: One past the last; equal to `start` when nothing is marked.
        moved: Whether the words were found elsewhere than the link says.
        lost: Whether the words were not found; then the page opens with a remark.
    """

    page: Page
    start: int = 0
    end: int = 0
    moved: bool = False
    lost: bool = False


def resolve(
    store: Store, record_id: str, seq: int, start: int, end: int, digest: str
) -> Place | None:
    """Where a link into a record leads; the caller has checked the permission.

    Args:
        store: The holdings.
        record_id: The record.
        seq: 影像序号 of the link.
        start: First character of the link.
        end: One past the last.
        digest: The link's hash, empty when it has none.

    Returns:
        None when the record has no such page, nor any other for a link with a hash.
    """
    page = store.page(record_id, seq)
    if not digest:
        if page is None:
            return None
        return Place(page, start, end) if 0 <= start < end <= len(page.raw) else Place(page)
    if page is not None and start >= 0 and quote_hash(page.raw[start:end]) == digest:
        return Place(page, start, end)
    if (known := _HASH.fullmatch(digest)) is not None:
        for other in _pages_around(store, record_id, seq):
            found = _span_of(other.raw, int(known[1]), digest)
            if found is not None:
                return Place(other, *found, moved=True)
    if page is None:
        count = store.page_count(record_id)
        page = store.page(record_id, count) if count else None
    return None if page is None else Place(page, lost=True)


def _pages_around(store: Store, record_id: str, seq: int) -> Iterator[Page]:
    """The page of a link first, then its neighbours outwards."""
    for step in range(_PAGES_SEARCHED + 1):
        for at in dict.fromkeys((seq - step, seq + step)):
            page = store.page(record_id, at) if at > 0 else None
            if page is not None:
                yield page


def _span_of(raw: str, length: int, digest: str) -> tuple[int, int] | None:
    """The first span of that many characters, white space not counted, with a hash."""
    if len(raw) > _LONGEST_PAGE:
        return None
    solid = [at for at, character in enumerate(raw) if not character.isspace()]
    squeezed = "".join(raw[at] for at in solid)
    for at in range(len(squeezed) - length + 1):
        if _hash(squeezed[at : at + length]) == digest:
            return solid[at], solid[at + length - 1] + 1
    return None
