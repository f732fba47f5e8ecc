"""Pages drawn in a process of their own: sound ones come out, hostile ones cost that process."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from index.drawing import PageDrawer
from index.rendering import LockedDocumentError, RenderError
from tests.ingest_files import write_self_drawing_pdf, write_text_pdf


@pytest.fixture(scope="module")
def drawer() -> Iterator[PageDrawer]:
    drawer = PageDrawer(workers=1, seconds_per_page=15)
    yield drawer
    drawer.close()


def test_a_page_comes_out_as_wide_as_asked(tmp_path: Path, drawer: PageDrawer) -> None:
    """This test ensures that a sound page is drawn, with boxes painted over when given."""
    path = write_text_pdf(tmp_path / "甲.pdf", [["第一行文字"], ["第二页"]])

    plain = drawer.jpeg(path, 1, 400, 80)
    covered = drawer.jpeg(path, 1, 400, 80, [(0.1, 0.0, 0.9, 0.5)])

    with Image.open(io.BytesIO(plain)) as a, Image.open(io.BytesIO(covered)) as b:
        assert a.size == b.size
        assert abs(a.width - 400) <= 1
        assert b.getpixel((200, 100)) != a.getpixel((200, 400))


def test_a_page_that_kills_or_hangs_is_named_and_the_next_one_is_drawn(tmp_path: Path) -> None:
    """This test ensures that a hostile page takes neither the server nor the next page along."""
    hostile = write_self_drawing_pdf(tmp_path / "自绘.pdf")
    sound = write_text_pdf(tmp_path / "甲.pdf", [["第一行文字"]])
    drawer = PageDrawer(workers=1, seconds_per_page=3)
    drawer.jpeg(sound, 1, 400, 80)

    began = time.monotonic()
    with pytest.raises(RenderError, match=r"自绘\.pdf 第 1 页画不出来"):
        drawer.jpeg(hostile, 1, 400, 80)
    took = time.monotonic() - began

    assert took < 20
    assert drawer.jpeg(sound, 1, 400, 80)[:2] == b"\xff\xd8"
    assert drawer.jpeg(hostile, 2, 400, 80)[:2] == b"\xff\xd8"
    drawer.close()


@pytest.mark.parametrize(
    ("content", "page"), [(b"", 1), (b"%PDF-1.7\nnonsense", 1), (b"GIF89a", 1), (None, 9)]
)
def test_what_cannot_be_drawn_is_an_error(
    tmp_path: Path, drawer: PageDrawer, content: bytes | None, page: int
) -> None:
    """This test ensures that damaged files and missing pages are told as such."""
    path = tmp_path / "坏.pdf"
    if content is None:
        write_text_pdf(path, [["第一行文字"]])
    else:
        path.write_bytes(content)

    with pytest.raises(RenderError):
        drawer.jpeg(path, page, 400, 80)
    assert issubclass(LockedDocumentError, RenderError)
