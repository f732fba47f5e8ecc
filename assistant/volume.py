"""The other records of a record's volume (案卷)."""

from __future__ import annotations

from collections.abc import Iterable

from index.codes import parse_reference_code, reference_key
from index.domain import Record


def volume_of(record: Record) -> str:
    """Key of the volume in a record's 档号, empty when it stands in none."""
    code = parse_reference_code(record.reference_code) if record.reference_code else None
    if code is None or not code.volume:
        return ""
    key = reference_key(record.reference_code)
    return key.rpartition("-")[0] if code.item else key


def same_volume(record: Record, records: Iterable[Record]) -> list[Record]:
    """The records of a record's volume, itself among them, the volume first, then by their number.

    Args:
        record: The record.
        records: Those the reader may see.

    Returns:
        Empty when the record stands in no volume or is alone in it.
    """
    volume = volume_of(record)
    if not volume:
        return []
    found: list[tuple[int, str, Record]] = []
    for other in records:
        if other.record_id == record.record_id or volume_of(other) == volume:
            code = parse_reference_code(other.reference_code)
            item = code.item if code is not None else ""
            found.append((int(item) if item.isdecimal() else 0, other.record_id, other))
    return [r for _, _, r in sorted(found, key=lambda row: row[:2])] if len(found) > 1 else []
