"""Which folders may be taken in from the page: those the settings name, and those taken in before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from index.errors import ArchiveError
from index.settings import Settings
from index.store import Store
from ingest.jobs import sources

#: Folders offered below each of `ingest_roots`; deeper ones can be typed.
_OFFERED: Final = 300


class SourceRefusedError(ArchiveError):
    """A folder that may not be taken in from the page."""


class IngestSources:
    """The folders, as the settings and the store have them now."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._home = settings.home.resolve()
        named = settings.text("ingest_roots").split(";")
        self._roots = [Path(name.strip()).expanduser() for name in named if name.strip()]

    def offered(self) -> list[str]:
        """Folders to choose from: taken in before, then the roots and what lies in them."""
        found = dict.fromkeys(sources(self._store))
        for root in self._roots:
            found |= dict.fromkeys(map(str, _folders(root)))
        return [path for path in found if self._is_allowed(Path(path))]

    def allowed(self, text: str) -> Path:
        """The folder, catalogue or file a request names.

        Raises:
            SourceRefusedError: If it is not one of them, is reached through a link, or holds a
                link that leads out of it. What does not exist gives the same sentence as what is
                not allowed, so that nobody can feel for names.
        """
        path = Path(text)
        if not self._is_allowed(path):
            msg = (
                "这个文件夹不能从网页入库。请选列出的文件夹；要加新的，请管理员写进设置 "
                "ingest_roots，或先用命令行 chadang ingest 入一次。"
            )
            raise SourceRefusedError(msg)
        for link in _links(path):
            target = link.resolve()
            if not target.is_relative_to(path if path.is_dir() else path.parent):
                msg = f"文件夹里的 {link.name} 是指向外面的链接，不能从网页入库；请移走，或用命令行入库。"
                raise SourceRefusedError(msg)
        return path

    def _is_allowed(self, path: Path) -> bool:
        try:
            # No "..", no link on the way: what was asked for is what will be read.
            if not path.is_absolute() or str(path) != os.path.realpath(path, strict=True):
                return False
        except (OSError, ValueError):  # missing, a loop of links, a NUL
            return False
        if str(path) in sources(self._store):
            return True
        if path.is_relative_to(self._home) or self._home.is_relative_to(path):
            return False
        return path.is_dir() and any(
            path.is_relative_to(root.resolve()) for root in self._roots if root.is_dir()
        )


def _folders(root: Path) -> Iterator[Path]:
    """A root and the folders right below it, in order of their names."""
    try:
        root = root.resolve(strict=True)
        with os.scandir(root) as entries:
            below = sorted(
                e.name for e in entries
                if e.is_dir(follow_symlinks=False) and not e.name.startswith((".", "~$"))
            )  # fmt: skip
    except OSError:
        return
    yield root
    yield from (root / name for name in below[:_OFFERED])


def _links(path: Path) -> Iterator[Path]:
    """Symbolic links below a folder (or beside a file that is taken in with its neighbours)."""
    for folder, folders, names in os.walk(path if path.is_dir() else path.parent):
        for name in (*folders, *names):
            here = Path(folder, name)
            if here.is_symlink():
                yield here


__all__ = ["IngestSources", "SourceRefusedError"]
