"""Files of a folder that is taken in: which are looked at, and why others are not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from index.domain import Skipped
from ingest.column_map import MAPPING_FILE
from ingest.linking import natural_key

_ODD_NAME: Final = (
    "名称不是 UTF-8（多为旧系统压缩包解出的 GBK 名称），没有读取",
    "请改名后重新入库；整批改名可用 convmv -f gbk -t utf8 -r --notest 文件夹",
)


def walk(folder: Path, home: Path, left: list[Skipped]) -> Iterator[tuple[str, Path]]:
    """Files below a folder in natural order, without hidden ones, `~$` files and our own home.

    What is neither file nor folder, a link that leads out of the folder, and a name that is no
    text go to `left` with the reason.
    """
    found: list[tuple[str, Path]] = []

    def leave(path: Path, reason: str, step: str) -> None:
        shown = path.relative_to(folder).parent / _shown(path.name)
        left.append(Skipped(shown.as_posix(), reason, step))

    for root, folders, names in os.walk(folder, onerror=_raise):
        here = Path(root)
        tables = {name.lower() for name in names if name.lower().endswith(".dbf")}
        entered = []
        for name in folders:
            path = here / name
            if name.startswith((".", "~$", "__MACOSX")) or path == home:
                continue
            if path.is_symlink():
                leave(path, "是链接文件夹，没有进入", "请把它指向的文件夹复制过来，或另行入库")
            elif not _is_text(name):
                leave(path, *_ODD_NAME)
            else:
                entered.append(name)
        folders[:] = entered
        for name in names:
            if name.startswith((".", "~$")) or name in ("Thumbs.db", "desktop.ini", MAPPING_FILE):
                continue
            path = here / name
            if path.suffix.lower() in (".fpt", ".dbt", ".cdx", ".mdx") and (
                path.stem.lower() + ".dbf" in tables
            ):
                continue  # memos and index of a table, read with it
            if not _is_text(name):
                leave(path, *_ODD_NAME)
            elif path.is_symlink() and (reason := _link_problem(path, folder, home)):
                leave(path, reason, "请把它指向的文件复制过来")
            elif path.is_file():
                found.append((path.relative_to(folder).as_posix(), path))
            else:
                leave(path, "不是普通文件（管道、设备等），没有读取", "请移走，或换成文件")
    found.sort(key=lambda item: natural_key(item[0]))
    yield from found


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: str) -> str:
    """A name as a person can read it: old archives were packed with names in GBK."""
    if _is_text(name):
        return name
    raw = os.fsencode(name)
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace")


def _link_problem(path: Path, folder: Path, home: Path) -> str:
    """Why a linked file is not read, empty when it lies in the folder itself."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "是链接，指向的文件不存在"
    if not is_below(target, folder) or is_below(target, home):
        return "是链接，指向本文件夹以外，没有读取"
    return ""


def _raise(error: OSError) -> None:
    raise error


def is_below(path: Path, folder: Path) -> bool:
    """Whether a path lies in a folder, by their spelling."""
    return path.is_relative_to(folder)


def content_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """Bytes of a file, 0 when it cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
