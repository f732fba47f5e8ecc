"""Which scans hold a whole volume (案卷), and sharing their pages out among its files (卷内文件)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final, Generic, TypeVar

from index.access import is_restricted
from index.domain import Record, Skipped
from ingest.catalogue import CatalogueRow, Withheld
from ingest.finding_aids import aid_by_name, aid_by_text
from ingest.linking import Linked, Lookup
from ingest.page_text import PageText
from ingest.volumes import Cut, Span, cut_volume

_FILE = TypeVar("_FILE")
_SHOWN: Final = 3
_PAGE_NUMBER: Final = re.compile(r"(?:^|[\s\-_.(（])[pP]?(\d{1,5})[)）]?$")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that has one scan set for all its files.

    Attributes:
        key: Its code in one spelling.
        owner: Place of its own catalogue row, None when it has none.
        members: Places of the rows of its files, in the catalogue's order.
        files: Its scan files in page order.
    """

    key: str
    owner: int | None
    members: tuple[int, ...]
    files: tuple[str, ...]


def find_volumes(
    rows: Sequence[tuple[str, CatalogueRow]],
    withheld: Sequence[tuple[str, Withheld]],
    linked: Linked,
) -> tuple[list[Volume], Linked]:
    """Find the volumes to be cut by page ranges.

    A volume is cut when every one of its rows gives pages and none has a file of its own. A volume
    with a state secret among its files is never read: its scan set would hold the secret pages.

    Args:
        rows: As given to `link`.
        withheld: As given to `link`.
        linked: What `link` found.

    Returns:
        The volumes; and `linked` without their files.
    """
    given = [path for mine in linked.files for path in mine]
    given += [path for path, _ in linked.shared]
    lookup = Lookup([*linked.loose, *given, *linked.withheld])
    files = [list(mine) for mine in linked.files]
    loose = dict.fromkeys(linked.loose)
    secret = dict.fromkeys(linked.withheld)
    warnings = list(linked.warnings)
    owners: dict[str, int] = {}
    members: dict[str, list[int]] = {}
    for place, (_, row) in enumerate(rows):
        if row.volume and row.record.unit_level == "案卷":
            owners.setdefault(row.volume, place)
        elif row.volume:
            members.setdefault(row.volume, []).append(place)

    shared = dict(linked.shared)
    # Every row of a volume names the one scan file, or is filed under the volume's code alone.
    together: dict[str, list[str]] = {}
    for path, claiming in linked.shared:
        meant = {rows[place][1].volume for place in claiming}
        if len(meant) == 1 and (key := meant.pop()) in members:
            together.setdefault(key, []).append(path)

    def scans(key: str) -> list[str]:
        if key in together:
            return together[key]
        owner = owners.get(key)
        if owner is not None and files[owner]:
            return list(files[owner])
        return [path for path in lookup.of(key) if path in loose]

    for key in dict.fromkeys(hidden.volume for _, hidden in withheld if hidden.volume):
        numbered = set(_single_pages(lookup.pages(key)))
        places = members.get(key, [])
        found = scans(key)
        if len(numbered) > len(places) + sum(hidden.volume == key for _, hidden in withheld):
            found += [path for path in numbered if path in loose or path in given]
            for place in places:
                files[place] = [path for path in files[place] if path not in numbered]
        for path in dict.fromkeys(found):
            secret[path] = None
            loose.pop(path, None)
            shared.pop(path, None)
            warnings.append(
                Skipped(
                    path, "卷内有标国家秘密密级的条目，整卷影像没有读取",
                    "请把标密的件从整卷影像中抽出，移出本系统的文件夹后重新入库",
                )
            )  # fmt: skip
        if (owner := owners.get(key)) is not None:
            files[owner] = []
    volumes: list[Volume] = []
    for key, places in members.items():
        spans = [rows[place][1].span for place in places]
        if None in spans:
            continue
        pages = _single_pages(lookup.pages(key))
        last = max(span[1] or span[0] for span in spans if span is not None)
        if len(pages) > len(places) and len(pages) >= last:
            # `<案卷号>-0003.jpg` is page 3 here, although 件号 3 would be spelled the same.
            for place in places:
                if set(files[place]) <= set(pages):
                    for path in files[place]:
                        loose[path] = None
                    files[place] = []
        own = [place for place in places if files[place]]
        found = [path for path in scans(key) if path not in secret]
        if own or not found:
            continue
        owner = owners.get(key)
        if owner is not None:
            files[owner] = []
        for path in found:
            loose.pop(path, None)
            shared.pop(path, None)
        volumes.append(Volume(key, owner, tuple(places), tuple(found)))
    whole = {path for paths in together.values() for path in paths}
    for path, claiming in shared.items():
        names = "、".join(rows[place][1].record.record_id for place in claiming[:_SHOWN])
        said = f"{names} 等 {len(claiming)} 条" if len(claiming) > _SHOWN else names
        reason = f"{said}同指这一个文件，不归给任何一条，单独存为一件，按最严的开放情况管理"
        step = "请在目录中写明各条自己的文件；确是一件的，合并为一条"
        if path in whole:
            reason += "；页号不全，没有按页号拆分"
            step = "请补全页号栏后重新入库"
        warnings.append(Skipped(path, reason, step))
    return volumes, replace(
        linked, files=tuple(map(tuple, files)), loose=tuple(loose), withheld=tuple(secret),
        warnings=tuple(warnings), shared=tuple(shared.items()),
    )  # fmt: skip


def _single_pages(paths: Sequence[str]) -> list[str]:
    """The image files among them, when they count up page by page from 0 or 1."""
    numbers: list[int] = []
    found: list[str] = []
    for path in paths:
        pure = PurePosixPath(path)
        match = _PAGE_NUMBER.search(pure.stem)
        if match is None or pure.suffix.lower() in (".pdf", ".ofd", ".txt", ".md"):
            continue
        numbers.append(int(match[1]))
        found.append(path)
    steady = bool(numbers) and numbers[0] <= 1 and all(b == a + 1 for a, b in pairwise(numbers))
    return found if steady else []


def volume_record(volume: Volume, prefix: str) -> Record:
    """A record for a volume without catalogue row, to hold its cover and finding aids."""
    first = PurePosixPath(volume.files[0])
    pure = first if len(volume.files) == 1 else first.parent
    name = str(pure) if str(pure) != "." else volume.key
    return Record(
        record_id=prefix + name, title=pure.stem if len(volume.files) == 1 else pure.name or name,
        unit_level="案卷",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share(Generic[_FILE]):
    """Pages that one record gets.

    Attributes:
        record: The record.
        texts: Its pages in order, each with its file.
        first_stamped: Stamped number of the first page, None when not proved.
        aids: Whether its pages are finding aids: kept, never searched or quoted.
    """

    record: Record
    texts: list[tuple[_FILE, PageText]]
    first_stamped: int | None = None
    aids: bool = False


def share_out(
    owner: Record,
    parts: Sequence[tuple[Record, Span]],
    texts: Sequence[tuple[_FILE, PageText]],
    paths: Mapping[int, str],
) -> tuple[list[Share[_FILE]], Skipped | None]:
    """Give every file of a volume its pages, and the volume what is left.

    Args:
        owner: The volume's own record.
        parts: Its files with their stamped pages.
        texts: Its scans in order, each with its file.
        paths: Path of each scan's file by place.

    Returns:
        The shares, the volume's own first; where the cut cannot be proved the volume keeps all
        pages and the files none, and the second value says why.
    """
    raws = [text.raw for _, text in texts]
    aids = [
        bool(aid_by_name(paths[i]) if len(set(paths.values())) > 1 else "")
        or bool(aid_by_text(raw))
        for i, raw in enumerate(raws)
    ]
    spans = [span for _, span in parts]
    records = [record for record, _ in parts]
    cut: Cut | str = "没有读到影像"
    if raws:
        cut = _shared_between_unequals(parts) or cut_volume(
            spans, [record.title for record, _ in parts], raws, aids
        )
    if isinstance(cut, str):
        # Whose words these are is not known: they are the volume's, and the rows stay without.
        shares: list[Share[_FILE]] = [Share(strictest(owner, records), list(texts))]
        shares += [Share(record, []) for record, _ in parts]
        return shares, Skipped(
            owner.record_id, f"没有按页号拆分，整卷存为一件：{cut}",
            "请核对卷内文件目录的页号和影像，改正后重新入库",
        )  # fmt: skip
    shares = [Share(strictest(owner, records), [texts[i] for i in cut.aids], aids=True)]
    for (record, span), (begin, end) in zip(parts, cut.ranges, strict=True):
        shares.append(Share(record, list(texts[begin:end]), span[0]))
    return shares, None


def _shared_between_unequals(parts: Sequence[tuple[Record, Span]]) -> str:
    for (one, (first, last)), (two, (start, _)) in pairwise(parts):
        unequal = (one.opening, one.publicity, one.restricted, is_restricted(one)) != (
            two.opening, two.publicity, two.restricted, is_restricted(two)
        )  # fmt: skip
        if start <= (last or first) and unequal:
            return f"{one.record_id} 和 {two.record_id} 同在第 {start} 页，开放情况却不同"
    return ""


def strictest(owner: Record, held: Sequence[Record]) -> Record:
    """A record as closed as the most closed of those whose words or titles it holds."""
    records = [owner, *held]
    same = len({(r.opening, r.publicity, r.restricted) for r in records}) == 1
    if same:
        return owner
    kept = [("开放标识（表中原样）", owner.opening), ("公开属性（表中原样）", owner.publicity)]
    return replace(
        owner, extra=(*owner.extra, *(item for item in kept if item[1])), opening="", publicity="", restricted=any(map(is_restricted, records))
        or any(record.restricted for record in records),
    )  # fmt: skip


def shares_of(
    record: Record,
    parts: Sequence[tuple[Record, Span]],
    texts: list[tuple[_FILE, PageText]],
    paths: Mapping[int, str],
) -> Iterator[tuple[Share[_FILE], Skipped | None]]:
    """The shares of one job: one for an ordinary record, several for a volume."""
    if not parts:
        yield Share(record, texts), None
        return
    shares, warning = share_out(record, parts, texts, paths)
    for number, share in enumerate(shares):
        yield share, warning if number == 0 else None
