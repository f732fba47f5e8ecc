"""Page images for the drawer: rendered once, kept under the cache folder."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Final

from index.domain import Page
from index.store import Store

logger = logging.getLogger(__name__)

#: Widths that are served, pixels; a request gets the next one up.
WIDTHS: Final = (640, 1000, 1600, 2000)
FIRST_WIDTH: Final = 1000
_QUALITY: Final = {640: 70, 1000: 72, 1600: 78, 2000: 80}
_KEPT: Final = 4000


class PageImages:
    """Renders pages to JPEG files, each once. Safe between threads."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Keep the images in `folder`, which may be deleted at any time."""
        self._store = store
        self._folder = folder
        self._lock = threading.Lock()
        self._rendered = 0

    def jpeg(self, page: Page, width: int) -> tuple[str, bytes] | None:
        """The picture of a page.

        Args:
            page: A page; the caller has checked the permission.
            width: Wanted width in pixels; rounded up to one of `WIDTHS`.

        Returns:
            An entity tag and the JPEG bytes; None when the page has no image or its file cannot
            be read any more.
        """
        if not page.has_image:
            return None
        file = self._store.file(page.file_path)
        if file is None:
            logger.warning("no stored file for an imaged page: %s", page.file_path)
            return None
        width = next((w for w in WIDTHS if w >= width), WIDTHS[-1])
        key = f"{file.sha256}-{page.file_page}-{width}"
        tag = hashlib.sha256(key.encode()).hexdigest()[:32]
        cached = self._folder / tag[:2] / f"{tag}.jpg"
        content = _read(cached)
        if content is None:
            # two renderings of one page at once would be waste
            with self._lock:
                content = _read(cached)
                if content is None:
                    content = _render(Path(file.root) / file.path, page.file_page, width)
                    if content is not None:
                        self._keep(cached, content)
        return None if content is None else (tag, content)

    def _keep(self, cached: Path, content: bytes) -> None:
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            part = cached.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(content)
            part.replace(cached)
            self._rendered += 1
            if self._rendered % 200 == 1:
                self._prune()
        except OSError as error:
            logger.warning("page image not cached: %s", error)

    def _prune(self) -> None:
        images = sorted(self._folder.glob("??/*.jpg"), key=lambda p: p.stat().st_mtime)
        for image in images[:-_KEPT]:
            image.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _render(path: Path, file_page: int, width: int) -> bytes | None:
    from index.rendering import RenderError, page_jpeg

    try:
        return page_jpeg(path, file_page, width, _QUALITY[width])
    except (RenderError, OSError) as error:
        # a damaged or moved file must not take the drawer down: the text is shown instead
        logger.warning("page %d of %s cannot be rendered: %s", file_page, path.name, error)
        return None
