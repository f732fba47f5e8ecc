"""Volumes (案卷): page ranges of their files by the catalogue, and cutting one scan set by them.

A volume's scans usually begin with cover and 卷内文件目录 and end with 备考表; the stamped page
numbers (卷内页号) count only what lies between. Where the place of the first stamped page cannot be
proved, nothing is cut: right words under the wrong record is the worst fault there is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.text import matching_key

#: First and last stamped page; the last is None when the catalogue leaves it open.
Span = tuple[int, int | None]

_DASHES: Final = re.compile(r"\s*[—–～~－一至到\-]+\s*")
_TITLE_LINES: Final = 20
#: A shorter title proves something only where it fills a line.
_SHORTEST_TITLE: Final = 5
#: With less a page has no text that could show a title.
_HAN: Final = re.compile("[\u3400-\u9fff]")
_READABLE: Final = 8


def page_spans(
    labels: Sequence[str], counts: Sequence[int | None]
) -> tuple[list[Span | None], list[int]]:
    """Page ranges of a volume's files: each goes on to the page before the next one's first.

    Args:
        labels: 页号 of each row in the volume's order: `12` or `12-15`.
        counts: 页数 of each row, None where silent.

    Returns:
        The range of each row, None where it has none; and the places of rows whose 页号 does not
        go on from the row before (such a volume must not be cut).

    Source:
        卷内文件目录 as filled in by DA/T 22 practice: 页号 is the first page, the last row gives
        first and last.
    """
    firsts: list[int | None] = []
    lasts: list[int | None] = []
    for label, count in zip(labels, counts, strict=True):
        parts = _DASHES.split(label.strip().removeprefix("第").removesuffix("页"))
        good = len(parts) in (1, 2) and all(re.fullmatch(r"\d{1,5}", part) for part in parts)
        first = int(parts[0]) if good else None
        last = int(parts[1]) if good and len(parts) == 2 else None
        if first is not None and last is None and count:
            last = first + count - 1
        firsts.append(first)
        lasts.append(last)
    spans: list[Span | None] = []
    odd: list[int] = []
    before = 0
    for place, first in enumerate(firsts):
        following = next((f for f in firsts[place + 1 :] if f is not None), None)
        if first is None:
            spans.append(None)
            if labels[place].strip():
                odd.append(place)
            continue
        last = lasts[place]
        if following is not None and last is None:
            last = max(first, following - 1)  # two short papers may share a page
        if (
            first < before
            or (last is not None and last < first)
            or (last is not None and following is not None and last > following)
        ):
            odd.append(place)
        before = first
        spans.append((first, last))
    return spans, odd


@dataclass(frozen=True, slots=True)
class Cut:
    """How a volume's scans are shared out.

    Attributes:
        ranges: For each file of the volume (first, one past the last) place among the scans.
        aids: Places of cover, 卷内文件目录 and 备考表: whatever belongs to no file.
    """

    ranges: tuple[tuple[int, int], ...]
    aids: tuple[int, ...]


def cut_volume(
    spans: Sequence[Span], titles: Sequence[str], texts: Sequence[str], aids: Sequence[bool]
) -> Cut | str:
    """Find which scans belong to which file of a volume.

    The place of stamped page 1 is tried at every scan; it must agree with the number of scans,
    with the pages recognised as finding aids, and with every title seen on a page. The number of
    scans alone decides only where nothing could be read.

    Args:
        spans: Page range of each file, in order.
        titles: Title of each file.
        texts: Text of every scan, in order; empty where nothing could be read.
        aids: Whether each scan is known to be a cover, a 卷内文件目录 or a 备考表.

    Returns:
        The cut; or, when it cannot be proved, the reason in Chinese.
    """
    ends = [last if last is not None else first for first, last in spans]
    start, highest = min(first for first, _ in spans), max(ends)
    open_end = spans[-1][1] is None
    front = next((i for i, aid in enumerate(aids) if not aid), len(aids))
    back = next((i for i, aid in enumerate(reversed(aids)) if not aid), len(aids))
    inside = len(texts) - front - back
    if highest - start + 1 > len(texts):
        return f"目录记到第 {highest} 页，影像只有 {len(texts)} 幅"
    seen = _title_pages(titles, texts, aids)
    offsets = range(len(texts) - (highest - start))
    scores = {}
    for offset in offsets:
        meant = [first - start + offset for first, _ in spans]
        agree = sum(page in pages for page, pages in zip(meant, seen, strict=True) if pages)
        scores[offset] = agree
    readable = sum(bool(pages) for pages in seen)
    best = max(scores, key=lambda offset: scores[offset])
    fits = inside == highest - start + 1 or (open_end and inside >= highest - start + 1)
    if readable and scores[best] < readable:
        return (
            f"按页号推算的首页有 {readable - scores[best]} 件与影像上的题名对不上，"
            "可能缺页、多页或页号有误"
        )
    if readable:
        chosen = best
        if list(scores.values()).count(scores[best]) > 1:
            same = [offset for offset, score in scores.items() if score == scores[best]]
            if front not in same or not fits:
                return "题名在几处都对得上，分不清第 1 页是哪一幅"
            chosen = front
    elif fits:
        chosen = front
    else:
        return f"目录记 {highest - start + 1} 页，影像有 {inside} 幅，分不清第 1 页是哪一幅"
    unseen = [
        place
        for place, (first, _) in enumerate(spans)
        if not seen[place] and len(_HAN.findall(texts[first - start + chosen])) >= _READABLE
    ]
    # A title may be the archivist's own. With a page too many or too few every one must be seen.
    if unseen and (not fits or len(unseen) > readable):
        return f"有 {len(unseen)} 件的首页上认不出题名，不能证明从哪一幅起是哪一件"
    ranges = []
    for place, (first, last) in enumerate(spans):
        begin = first - start + chosen
        if last is None and place == len(spans) - 1:
            end = len(texts) - back
        else:
            end = (last if last is not None else first) - start + chosen + 1
        ranges.append((begin, max(end, begin + 1)))
    covered = {page for begin, end in ranges for page in range(begin, end)}
    mixed = [page for page in covered if aids[page]]
    if mixed:
        return f"按页号推算，影像第 {mixed[0] + 1} 幅（目录页或备考表）会落进卷内文件"
    return Cut(tuple(ranges), tuple(i for i in range(len(texts)) if i not in covered))


def _title_pages(
    titles: Sequence[str], texts: Sequence[str], aids: Sequence[bool]
) -> list[frozenset[int]]:
    """Places of the scans on whose upper lines each title stands."""
    heads = [
        [] if aid else [matching_key(line) for line in text.strip().split("\n")[:_TITLE_LINES]]
        for text, aid in zip(texts, aids, strict=True)
    ]
    joined = ["".join(lines) for lines in heads]
    found = []
    for title in titles:
        key = matching_key(re.sub(r"[\[\]【】]", "", title))
        if len(key) >= _SHORTEST_TITLE:
            found.append(frozenset(i for i, head in enumerate(joined) if key in head))
        else:
            found.append(frozenset(i for i, lines in enumerate(heads) if key and key in lines))
    return found
