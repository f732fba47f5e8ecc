"""The gate (定密把关): whether a record may be taken in at all, asked before and after reading."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from index.domain import Record
from index.held import HeldItem, HeldItems
from index.store import Store
from ingest.page_text import PageText
from ingest.secrecy import (
    Finding,
    Grade,
    judge_cells,
    judge_first_page,
    judge_page,
    judge_secrecy,
    judge_title,
)

NEXT_STEP: Final = {
    Grade.SECRET: "请移出本系统的文件夹，用保密渠道保管；确已解密的，凭解密决定文号放行：chadang review release",
    Grade.REVIEW: "请档案管理员核对原件后决定：chadang review list",
}


class Gate:
    """Judges records and remembers what was held back and what was decided."""

    def __init__(self, store: Store, now: Callable[[], str], *, again: bool) -> None:
        """Bind the store.

        Args:
            store: Keeps the list.
            now: Gives the ISO time.
            again: Judge anew what is held back and undecided (after a change of the rules).
        """
        self._held = HeldItems(store)
        self._now = now
        self._again = again

    def before_reading(self, record: Record, paths: Sequence[str]) -> HeldItem | None:
        """Judge by title, catalogue columns and file names; None lets the record through."""
        finding = judge_record(record)
        for path in paths:
            finding = worst(finding, judge_title(PurePosixPath(path).stem))
        if finding is None:
            return None
        said = [] if finding.reason.startswith("题名") else [finding.reason]
        key = _key("names", record, [record.title, *said, *paths])
        return self._hold(key, record, paths, finding)

    def known(self, record: Record, hashes: Sequence[str]) -> tuple[HeldItem | None, bool]:
        """What was found in these very files before.

        Returns:
            The item that keeps them out, None when nothing does; and whether they were released.
        """
        item = self._held.by_key(_key("pages", record, hashes))
        if item is None:
            return None, False
        if item.released:
            return None, True
        if self._again and not item.decisions:
            return None, False
        return item, False

    def after_reading(
        self, record: Record, files: Iterable[tuple[str, str, Iterable[PageText]]]
    ) -> HeldItem | None:
        """Judge the pages of (path, sha256, pages in order); None lets the record through."""
        files = list(files)
        finding = None
        for _, _, pages in files:
            for page in pages:
                finding = worst(finding, judge(page))
        key = _key("pages", record, [sha256 for _, sha256, _ in files])
        if finding is None:
            if self._again:
                self._held.drop_undecided(key)
            return None
        return self._hold(key, record, [path for path, _, _ in files], finding)

    def _hold(
        self, key: str, record: Record, paths: Sequence[str], finding: Finding
    ) -> HeldItem | None:
        place = (
            paths[0] if paths else f"{record.source_file} 第 {record.source_row} 行"
        )  # fmt: skip
        item = self._held.hold(key, place, finding.grade.value, finding.reason, self._now())
        return None if item.released else item


def judge_record(record: Record) -> Finding | None:
    """Judge a record by what its catalogue row says."""
    found = worst(judge_title(record.title), judge_secrecy(record.secrecy))
    return worst(found, judge_cells([("备注", record.note), *record.extra]))


def judge(page: PageText) -> Finding | None:
    """Judge one page of a file."""
    look = judge_first_page if page.file_page == 1 else judge_page
    return look(page.raw, f"第 {page.file_page} 页")


def worst(first: Finding | None, second: Finding | None) -> Finding | None:
    """The finding that weighs more."""
    if first is None or (second is not None and second.grade is Grade.SECRET):
        return second
    return first


def _key(kind: str, record: Record, parts: Sequence[str]) -> str:
    body = "\0".join([kind, record.record_id, *sorted(parts)])
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


__all__ = ["NEXT_STEP", "Gate", "judge", "judge_record", "worst"]
