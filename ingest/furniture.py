"""Page furniture (页眉、页脚、页码、版记): kept in raw, never quoted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ingest.imprint import imprint_lines

#: `— 3 —`, `- 3 -`, `第 3 页`, `第3页 共12页`, `3/12`.
_DASH: Final = r"[—–―\-－─一·•.~]"
_PAGE_MARK: Final = re.compile(
    rf"(?:{_DASH}{{1,3}}\s*(?P<a>\d{{1,4}})\s*{_DASH}{{1,3}}"
    r"|第?\s*(?P<b>\d{1,4})\s*页\s*[，,、/]?\s*(?:[（(]?\s*共\s*\d{1,4}\s*页\s*[)）]?)?"
    r"|第\s*(?P<c>[一二三四五六七八九十百]{1,4})\s*页\s*(?:共\s*[一二三四五六七八九十百]{1,4}\s*页)?"
    r"|(?P<d>\d{1,3})\s*/\s*\d{1,3})"
)
_BARE_NUMBER: Final = re.compile(r"\d{1,4}")
#: Lines that say where a made or copied sheet comes from, wherever they stand.
_STAMP_LINES: Final = (re.compile(r"示例市馆藏样本.{0,60}"),)
_TOP_LINES: Final = 3
_BOTTOM_LINES: Final = 3
_LONGEST_HEAD: Final = 60
_FEWEST_PAGES: Final = 3
_SHARE: Final = 0.6

Span = tuple[int, int]


def line_spans(raw: str) -> list[Span]:
    """Spans of the lines of a text that hold more than white space, without the white space."""
    spans = []
    for match in re.finditer(r"[^\n\f]+", raw):
        text = match.group()
        stripped = text.strip()
        if stripped:
            start = match.start() + len(text) - len(text.lstrip())
            spans.append((start, start + len(stripped)))
    return spans


def find_furniture(
    raws: Sequence[str], known: Sequence[Iterable[Span]], first_stamped: int | None = None
) -> tuple[list[tuple[Span, ...]], list[str], list[str]]:
    """Find page furniture of one record.

    Args:
        raws: Raw text of the record's pages, in order.
        known: Spans the reader already knows to be furniture, per page.
        first_stamped: Volume page number (卷内页号) that the catalogue gives the first page.

    Returns:
        For each page its furniture spans, sorted and apart from each other; the page number
        printed on it; and the volume page number stamped on it; empty when not found.
    """
    spans: list[list[Span]] = [list(items) for items in known]
    labels = [""] * len(raws)
    stamped = [""] * len(raws)
    zones: list[tuple[list[Span], list[Span]]] = []
    for raw, mine in zip(raws, spans, strict=True):
        lines = [
            span
            for span in line_spans(raw)
            if not any(a <= span[0] and span[1] <= b for a, b in mine)
        ]
        for start, end in lines:
            if any(pattern.fullmatch(raw[start:end]) for pattern in _STAMP_LINES):
                mine.append((start, end))
        lines = [span for span in lines if span not in mine]
        # A page of a few lines has no head or foot to speak of beyond its page mark.
        top = lines[: min(_TOP_LINES, max(1, len(lines) // 2))]
        bottom = [span for span in lines[-_BOTTOM_LINES:] if span not in top]
        zones.append((top, bottom))
    repeated = _repeated(raws, zones)
    numbered = _bare_numbers(raws, zones)
    for page, (raw, mine) in enumerate(zip(raws, spans, strict=True)):
        top, bottom = zones[page]
        for zone in (top[::-1], bottom):
            for start, end in zone:
                text = raw[start:end]
                if (
                    first_stamped is not None
                    and _BARE_NUMBER.fullmatch(text)
                    and int(text) == first_stamped + page
                    and not stamped[page]
                ):
                    mine.append((start, end))
                    stamped[page] = str(int(text))
                    continue
                mark = _PAGE_MARK.fullmatch(text)
                bare = (page, start) in numbered
                if mark or bare:
                    mine.append((start, end))
                    if not labels[page]:
                        labels[page] = (
                            text
                            if mark is None
                            else next(g for g in mark.groups() if g is not None)
                        )
                elif _shape(text) in repeated:
                    mine.append((start, end))
    for raw, mine in zip(raws, spans, strict=True):
        merged = _merged(mine)
        mine += imprint_lines(
            raw, [s for s in line_spans(raw) if not any(a <= s[0] and s[1] <= b for a, b in merged)]
        )
    return [_merged(items) for items in spans], labels, stamped


def _shape(text: str) -> str:
    """A line with its numbers masked and spaces dropped: what running heads share."""
    return re.sub(r"\d+", "0", re.sub(r"\s+", "", text))


def _repeated(
    raws: Sequence[str], zones: Sequence[tuple[list[Span], list[Span]]]
) -> frozenset[str]:
    """Shapes of lines that stand at the same end of most pages."""
    if len(raws) < _FEWEST_PAGES:
        return frozenset()
    pages_with_text = sum(1 for top, bottom in zones if top or bottom)
    found: set[str] = set()
    for which in (0, 1):
        counts: Counter[str] = Counter()
        for raw, zone in zip(raws, zones, strict=True):
            counts.update({_shape(raw[a:b]) for a, b in zone[which] if b - a <= _LONGEST_HEAD})
        needed = max(_FEWEST_PAGES, _SHARE * pages_with_text)
        found |= {
            shape for shape, count in counts.items() if count >= needed and shape.strip("0.,%，")
        }
    return frozenset(found)


def _bare_numbers(
    raws: Sequence[str], zones: Sequence[tuple[list[Span], list[Span]]]
) -> frozenset[tuple[int, int]]:
    """Outermost lines that are only a number and count up with the pages."""
    candidates: list[tuple[int, int, int]] = []
    for page, (raw, (top, bottom)) in enumerate(zip(raws, zones, strict=True)):
        edge = [*top[:1], *bottom[-1:]]
        for start, end in edge:
            if _BARE_NUMBER.fullmatch(raw[start:end]):
                candidates.append((page, start, int(raw[start:end]) - page))
    if not candidates:
        return frozenset()
    step, count = Counter(offset for _, _, offset in candidates).most_common(1)[0]
    if count < max(_FEWEST_PAGES, _SHARE * len(raws)):
        return frozenset()
    return frozenset((page, start) for page, start, offset in candidates if offset == step)


def _merged(items: Iterable[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for start, end in sorted(set(items)):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)
