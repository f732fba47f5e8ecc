"""Pages of a record from what was read of its files: furniture, labels, stamped numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.domain import Page, Record
from ingest.finding_aids import is_aid
from ingest.furniture import find_furniture
from ingest.page_text import PageText
from ingest.record_job import JobFile


def assemble_pages(
    record: Record,
    texts: Sequence[tuple[JobFile, PageText]],
    proved: int | None = None,
    *,
    aids: bool = False,
) -> list[Page]:
    """Pages of a record; `proved` is the first one's stamped number, `aids` that all are lists."""
    several = len({file.path for file, _ in texts}) > 1
    start_label, first = _first_stamped(record, len(texts)) if proved is None else (proved, proved)
    furniture, labels, stamped = find_furniture(
        [text.raw for _, text in texts], [text.furniture for _, text in texts], start_label
    )
    pages: list[Page] = []
    start = 0
    for seq, (file, text) in enumerate(texts, start=1):
        pages.append(
            Page(
                record_id=record.record_id,
                seq=seq,
                raw=text.raw,
                start=start,
                source=text.source,
                engine=text.engine,
                confidence=text.confidence,
                inner_label=text.inner_label or labels[seq - 1],
                volume_label=stamped[seq - 1] if first is None else str(first + seq - 1),
                lines=text.lines,
                furniture=((0, len(text.raw)),)
                if text.raw and (aids or is_aid(record, file.path, text.raw, several=several))
                else furniture[seq - 1],
                width=text.width,
                height=text.height,
                file_path=file.path,
                file_page=text.file_page,
                turn=text.turn,
                choice=text.choice,
            )
        )
        start += len(text.raw)
    return pages


def _first_stamped(record: Record, found: int) -> tuple[int | None, int | None]:
    """Stamped number of the first page by the catalogue.

    Returns:
        The number as the catalogue gives it; and the same again only where catalogue and file
        agree on the number of pages, so that it holds without being seen on the page.
    """
    label = re.sub(r"[—–～~－]+", "-", record.first_page_label)
    first, _, last = (part.strip() for part in label.partition("-"))
    if not re.fullmatch(r"\d{1,5}", first):
        return None, None
    if re.fullmatch(r"\d{1,5}", last):
        expected = int(last) - int(first) + 1
    elif record.page_count is not None:
        expected = record.page_count
    else:
        return int(first), None
    return int(first), int(first) if expected == found else None
