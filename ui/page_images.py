"""Page images for the drawer: drawn once in a process of their own, kept under the cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import Final

from index.domain import Page
from index.drawing import Box, PageDrawer
from index.highlight import quote_boxes
from index.rendering import RenderError
from index.store import Store

logger = logging.getLogger(__name__)

#: Widths that are served, pixels; a request gets the next one up.
WIDTHS: Final = (200, 640, 1000, 1600, 2000)
FIRST_WIDTH: Final = 1000
_QUALITY: Final = {200: 66, 640: 70, 1000: 72, 1600: 78, 2000: 80}
_KEPT: Final = 4000


class PageImages:
    """Renders pages to JPEG files, each once. Safe between threads."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Keep the images in `folder`, which may be deleted at any time."""
        self._store = store
        self._folder = folder
        self._locks = [threading.Lock() for _ in range(16)]
        self._drawer = PageDrawer()
        self._rendered = 0

    def jpeg(self, page: Page, width: int, *, clear: bool) -> tuple[str, bytes] | None:
        """The picture of a page.

        Args:
            page: A page; the caller has checked the permission.
            width: Wanted width in pixels; rounded up to one of `WIDTHS`.
            clear: Whether personal data stays visible; `index.access.may_see_personal` decides.

        Returns:
            An entity tag and the JPEG bytes; None when the page has no image, its file cannot be
            drawn any more, or it is not known where on it the personal data stands.
        """
        if not page.has_image:
            return None
        covers = () if clear else _covers(page)
        if covers is None:
            return None
        file = self._store.file(page.file_path)
        if file is None:
            logger.warning("no stored file for an imaged page: %s", page.file_path)
            return None
        width = next((w for w in WIDTHS if w >= width), WIDTHS[-1])
        key = f"{file.sha256}-{page.file_page}-{width}" + (f"-{page.turn}" if page.turn else "")
        if covers:
            key += json.dumps(covers)
        tag = hashlib.sha256(key.encode()).hexdigest()[:32]
        cached = self._folder / tag[:2] / f"{tag}.jpg"
        content = _read(cached)
        if content is None:
            # two renderings of one page at once would be waste
            with self._locks[int(tag[:1], 16)]:
                content = _read(cached)
                if content is None:
                    place = Path(file.root) / file.path
                    content = self._draw(place, page, width, covers)
                    if content is not None:
                        self._keep(cached, content)
        return None if content is None else (tag, content)

    def _draw(self, path: Path, page: Page, width: int, covers: tuple[Box, ...]) -> bytes | None:
        file_page = page.file_page
        # What is `width` wide once it stands upright may lie in the file.
        across = round(width * page.height / page.width) if page.turn in (90, 270) else width
        try:
            return self._drawer.jpeg(
                path, file_page, across, _QUALITY[width], covers, turn=page.turn
            )
        except (RenderError, OSError) as error:
            # a damaged or moved file must not take the drawer down: the text is shown instead
            logger.warning("page %d of %s cannot be drawn: %s", file_page, path.name, error)
            return None

    def close(self) -> None:
        """End the processes that draw."""
        self._drawer.close()

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


def _covers(page: Page) -> tuple[Box, ...] | None:
    """Boxes over the personal data of a page; None when one of the spans has no place on it."""
    boxes: list[Box] = []
    for start, end in page.personal:
        found = quote_boxes(page, start, end)
        if not found:
            return None
        boxes += found
    return tuple(boxes)
