"""Pictures and geometry of pages: PDF through PDFium, image files through Pillow, OFD by ourselves.

The only file that uses pypdfium2. PDFium is not thread-safe: everything here runs under one lock.
Coordinates given out are fractions 0..1 of the upright page, origin top left.
"""

from __future__ import annotations

import ctypes
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from index.errors import ArchiveError
from index.file_format import IMAGES, FileFormat, sniff

if TYPE_CHECKING:
    from PIL.Image import Image

BgrImage = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

#: Longest side of a rendering in pixels; a hostile page size cannot ask for more.
LARGEST_SIDE: Final = 4000
_LARGEST_PIXELS: Final = 200_000_000
_DEFAULT_IMAGE_DPI: Final = 200.0
_GRID: Final = 1_000_000
_IMAGE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jp2"}
)
_MOST_FRAMES: Final = 20_000

_pdfium_lock = threading.RLock()


class RenderError(ArchiveError):
    """A page cannot be opened or drawn."""


class LockedDocumentError(RenderError):
    """The document asks for a password."""


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """The text layer of a page as PDFium sees it, with the place of every character.

    Attributes:
        width: Upright page width in points.
        height: Upright page height in points.
        text: Characters in PDFium's order; line ends are newlines.
        boxes: For each character of `text` (left, top, right, bottom), None where it has no place
            (line ends, spaces put in between).
        image_cover: Share of the page covered by pictures, 0..1.
        bare_images: Boxes of the pictures that no character lies on.
        has_objects: Whether anything is drawn on the page.
        invisible: Whether the text is drawn invisibly (a scan with a hidden layer).
    """

    width: float
    height: float
    text: str
    boxes: tuple[Box | None, ...]
    image_cover: float
    bare_images: tuple[Box, ...]
    has_objects: bool
    invisible: bool


def is_image_file(path: Path) -> bool:
    """Whether a file is a picture by its name."""
    return path.suffix.lower() in _IMAGE_SUFFIXES


class Document:
    """An open PDF or image file; `index.ofd_drawing` has the one for OFD. Use `open_document`."""

    def __init__(self, path: Path, pdf: Any = None) -> None:
        self._path = path
        self._pdf = pdf

    @property
    def page_count(self) -> int:
        """Number of pages (frames of an image file)."""
        if self._pdf is not None:
            with _pdfium_lock:
                return len(self._pdf)
        with _image(self._path) as image:
            # Only a TIFF has pages: the further frames of a phone's JPEG are previews.
            count = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
        if count > _MOST_FRAMES:
            msg = f"{self._path.name} 有 {count} 页，超过上限 {_MOST_FRAMES} 页"
            raise RenderError(msg)
        return count

    def size(self, file_page: int) -> tuple[float, float]:
        """Width and height of the upright page in points."""
        if self._pdf is None:
            with _image(self._path, file_page) as image:
                dpi = image.info.get("dpi", (0, 0))[0]
                dpi = float(dpi) if 50 <= float(dpi) <= 1200 else _DEFAULT_IMAGE_DPI
                width, height = image.size
                if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # turned by a quarter
                    width, height = height, width
                return width * 72 / dpi, height * 72 / dpi
        with self._page(file_page) as page:
            width, height = page.get_size()
            return float(width), float(height)

    def render(self, file_page: int, *, dpi: float = 200, max_side: int = LARGEST_SIDE) -> BgrImage:
        """Draw a page.

        Args:
            file_page: Page number from 1.
            dpi: Dots per inch; image files are given as they are, only made smaller.
            max_side: Longest side in pixels.

        Returns:
            Shape (height, width, 3), uint8, blue-green-red.
        """
        if self._pdf is None:
            return _bgr(_shrunk(self._path, file_page, max_side, max_side))
        with self._page(file_page) as page:
            width, height = page.get_size()
            limit = min(max_side, LARGEST_SIDE) / max(width, height, 1.0)
            return self._drawn(page, min(dpi / 72, limit))

    def jpeg(self, file_page: int, max_width: int, quality: int) -> bytes:
        """A page as a JPEG of at most this width."""
        from PIL import Image

        if self._pdf is None:
            picture = _shrunk(self._path, file_page, max_width, LARGEST_SIDE)
        else:
            with self._page(file_page) as page:
                width, height = page.get_size()
                scale = min(max_width / max(width, 1.0), LARGEST_SIDE / max(width, height, 1.0))
                drawn = self._drawn(page, scale)
            picture = Image.fromarray(np.ascontiguousarray(drawn[..., ::-1]))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        return out.getvalue()

    def geometry(self, file_page: int) -> PageGeometry:
        """The text layer of a PDF page with character boxes; empty for image files."""
        if self._pdf is None:
            width, height = self.size(file_page)
            return PageGeometry(width, height, "", (), 1.0, ((0, 0, 1, 1),), True, False)
        with self._page(file_page) as page:
            return _geometry(page)

    def _drawn(self, page: Any, scale: float) -> BgrImage:
        bitmap = page.render(scale=scale, rev_byteorder=False)
        try:
            pixels = np.array(bitmap.to_numpy())
        finally:
            bitmap.close()
        if pixels.ndim == 2:
            pixels = pixels[..., None]
        if pixels.shape[2] == 1:
            pixels = np.repeat(pixels, 3, axis=2)
        return np.ascontiguousarray(pixels[..., :3])

    @contextmanager
    def _page(self, file_page: int) -> Iterator[Any]:
        with _pdfium_lock, _translated(self._path, file_page):
            if not 1 <= file_page <= len(self._pdf):
                msg = f"{self._path.name} 只有 {len(self._pdf)} 页，没有第 {file_page} 页"
                raise RenderError(msg)
            page = self._pdf[file_page - 1]
            try:
                yield page
            finally:
                page.close()


@contextmanager
def open_document(path: Path) -> Iterator[Document]:
    """Open a PDF, OFD or image file, whatever its name says.

    Raises:
        LockedDocumentError: If it asks for a password.
        RenderError: If it is missing, damaged or of another kind.
    """
    try:
        format_ = sniff(path)
    except OSError as error:
        msg = f"{path.name} 打不开：{error.strerror or error}"
        raise RenderError(msg) from error
    if format_ is FileFormat.OFD:
        from index.ofd_drawing import OfdDocument

        ofd = OfdDocument(path)
        try:
            yield ofd
        finally:
            ofd.close()
        return
    if format_ is not FileFormat.PDF:
        if format_ not in IMAGES and not is_image_file(path):
            msg = f"{path.name} 既不是 PDF、OFD 也不是图像文件，没有页面图像"
            raise RenderError(msg)
        yield Document(path)
        return
    import pypdfium2 as pdfium

    with _pdfium_lock:
        try:
            pdf = pdfium.PdfDocument(str(path))
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                msg = f"{path.name} 设有打开密码"
                raise LockedDocumentError(msg) from error
            msg = f"{path.name} 已损坏或不是有效的 PDF（{error}）"
            raise RenderError(msg) from error
        except OSError as error:
            msg = f"{path.name} 打不开：{error.strerror or error}"
            raise RenderError(msg) from error
    try:
        yield Document(path, pdf)
    finally:
        with _pdfium_lock:
            pdf.close()


def page_count(path: Path) -> int:
    """Number of pages of a PDF or frames of an image file.

    Raises:
        RenderError: If it cannot be opened.
    """
    with open_document(path) as document:
        return document.page_count


def render_page(
    path: Path, file_page: int, *, dpi: float = 200, max_side: int = LARGEST_SIDE
) -> BgrImage:
    """Draw one page of a file; see `Document.render`.

    Raises:
        RenderError: If the file or the page cannot be opened or drawn.
    """
    with open_document(path) as document:
        return document.render(file_page, dpi=dpi, max_side=max_side)


def page_jpeg(path: Path, file_page: int, max_width: int, quality: int = 80) -> bytes:
    """One page as JPEG, for the viewer.

    Raises:
        RenderError: If the file or the page cannot be opened or drawn.
    """
    with open_document(path) as document:
        return document.jpeg(file_page, max_width, quality)


def turned_jpeg(content: bytes, turn: int, quality: int = 80) -> bytes:
    """A JPEG turned clockwise by 90, 180 or 270 degrees, for pages that were scanned lying."""
    from PIL import Image

    ways = {
        90: Image.Transpose.ROTATE_270,  # Pillow turns against the clock
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_90,
    }
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.transpose(ways[turn]).save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def page_geometry(path: Path, file_page: int) -> PageGeometry:
    """The text layer of one page with character boxes.

    Raises:
        RenderError: If the file or the page cannot be opened.
    """
    with open_document(path) as document:
        return document.geometry(file_page)


def pdfium_version() -> str:
    """Version of the PDFium build, for `Page.engine`."""
    import pypdfium2 as pdfium

    return str(pdfium.PYPDFIUM_INFO.tag)


# -- PDF ------------------------------------------------------------------------------------------


@contextmanager
def _translated(path: Path, file_page: int) -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:  # pdfium and its binding raise many kinds for damaged pages
        msg = f"{path.name} 第 {file_page} 页无法读取或绘制（{type(error).__name__}：{error}）"
        raise RenderError(msg) from error


def _geometry(page: Any) -> PageGeometry:
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    width, height = page.get_size()
    to_fraction = _to_fraction(page)
    images: list[Box] = []
    has_objects = invisible = False
    for number, item in enumerate(page.get_objects(max_depth=2)):
        has_objects = True
        if number > 5000:
            break
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            try:
                left, bottom, right, top = item.get_bounds()
            except pdfium.PdfiumError:
                continue
            x0, y0 = to_fraction(left, top)
            x1, y1 = to_fraction(right, bottom)
            images.append(_box(x0, y0, x1, y1))
        elif item.type == raw.FPDF_PAGEOBJ_TEXT and not invisible:
            invisible = raw.FPDFTextObj_GetTextRenderMode(item.raw) == 3
    textpage = page.get_textpage()
    try:
        text, boxes = _characters(textpage, to_fraction)
    finally:
        textpage.close()
    cover = min(1.0, sum(map(_area, images)))
    bare = _without_text(images, [box for box in boxes if box is not None])
    return PageGeometry(
        float(width), float(height), text, boxes, cover, bare, has_objects, invisible
    )


def _without_text(images: list[Box], boxes: list[Box]) -> tuple[Box, ...]:
    if not images or not boxes:
        return tuple(images)
    middle = np.array([((a + c) / 2, (b + d) / 2) for a, b, c, d in boxes])
    x, y = middle[:, 0], middle[:, 1]
    return tuple(
        image
        for image in images[:2000]
        if not ((image[0] <= x) & (x <= image[2]) & (image[1] <= y) & (y <= image[3])).any()
    )


def _characters(textpage: Any, to_fraction: Any) -> tuple[str, tuple[Box | None, ...]]:
    import pypdfium2.raw as raw

    characters: list[str] = []
    boxes: list[Box | None] = []
    rect = raw.FS_RECTF()
    high = 0
    for i in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage.raw, i)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        if code in (0, 0xFFFE, 0xFFFF) or code > 0x10FFFF:
            continue
        if code == 0x0D:
            continue
        if code == 0x02:  # PDFium's mark for a hyphen at a line end
            code = 0x2D
        character = chr(code)
        box: Box | None
        if character == "\n" or not raw.FPDFText_GetLooseCharBox(
            textpage.raw, i, ctypes.byref(rect)
        ):
            box = None
        else:
            x0, y0 = to_fraction(rect.left, rect.top)
            x1, y1 = to_fraction(rect.right, rect.bottom)
            box = _box(x0, y0, x1, y1)
            box = box if _area(box) > 0 else None
        characters.append(character)
        boxes.append(box)
    return "".join(characters), tuple(boxes)


def _to_fraction(page: Any) -> Any:
    """A function from page points to fractions of the upright page (rotation, crop box)."""
    import pypdfium2.raw as raw

    x, y = ctypes.c_int(), ctypes.c_int()

    def device(px: float, py: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(
            page.raw, 0, 0, _GRID, _GRID, 0, px, py, ctypes.byref(x), ctypes.byref(y)
        )
        return x.value / _GRID, y.value / _GRID

    ox, oy = device(0, 0)
    ax, ay = device(100, 0)
    bx, by = device(0, 100)
    ax, ay, bx, by = (ax - ox) / 100, (ay - oy) / 100, (bx - ox) / 100, (by - oy) / 100

    def convert(px: float, py: float) -> tuple[float, float]:
        return ox + ax * px + bx * py, oy + ay * px + by * py

    return convert


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    left, right = sorted((_clip(x0), _clip(x1)))
    top, bottom = sorted((_clip(y0), _clip(y1)))
    return left, top, right, bottom


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


# -- image files ----------------------------------------------------------------------------------


@contextmanager
def _image(path: Path, file_page: int = 1) -> Iterator[Image]:
    with _opened(path, path.name, file_page) as image:
        yield image


@contextmanager
def _opened(source: Path | BinaryIO, name: str, file_page: int = 1) -> Iterator[Image]:
    from PIL import Image as PillowImage
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            image = PillowImage.open(source)
        with image:
            if file_page > 1:
                image.seek(file_page - 1)
            if image.width * image.height > _LARGEST_PIXELS:
                msg = f"{name} 有 {image.width}×{image.height} 像素，超过上限，没有打开"
                raise RenderError(msg)
            yield image
    except ArchiveError:
        raise
    except PillowImage.DecompressionBombError as error:
        msg = f"{name} 的像素数超过上限，没有打开"
        raise RenderError(msg) from error
    except UnidentifiedImageError as error:
        msg = f"{name} 不是可识别的图像文件"
        raise RenderError(msg) from error
    except Exception as error:  # Pillow's decoders raise many kinds for damaged files
        msg = f"{name} 第 {file_page} 页无法读取（{type(error).__name__}：{error}）"
        raise RenderError(msg) from error


def _shrunk(path: Path, file_page: int, max_width: int, max_side: int) -> Image:
    from PIL import Image as PillowImage

    with _image(path, file_page) as image:
        picture = _in_colour(image)
    scale = min(1.0, max_width / picture.width, max_side / max(picture.size))
    if scale < 1.0:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        small = PillowImage.Resampling
        picture = picture.resize(size, small.BOX if scale < 0.25 else small.LANCZOS)
    return picture


def opened_picture(source: BinaryIO, name: str, max_side: int) -> Image:
    """A picture that is part of another file, RGB or RGBA, made smaller where it is larger.

    Raises:
        RenderError: If it is damaged, of an unknown kind or too large.
    """
    with _opened(source, name) as image:
        picture = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    if max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side))
    return picture


def _in_colour(image: Image) -> Image:
    """An opened image as RGB, upright, on white paper."""
    from PIL import Image as PillowImage
    from PIL import ImageOps

    if image.mode.startswith(("I", "F")):  # 16-bit grey
        grey = np.asarray(image, dtype=np.float32)
        grey = grey / max(1.0, float(grey.max())) * 255
        picture = PillowImage.fromarray(grey.astype(np.uint8)).convert("RGB")
    elif image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        picture = PillowImage.new("RGB", layer.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    else:
        picture = image.convert("RGB")
    # The turn is read from the file: a converted picture may have lost it.
    exif = image.getexif()
    if exif.get(0x0112, 1) != 1:
        picture.info.pop("exif", None)
        picture.getexif()[0x0112] = exif.get(0x0112, 1)
    return ImageOps.exif_transpose(picture)


def _bgr(picture: Image) -> BgrImage:
    return np.ascontiguousarray(np.asarray(picture, dtype=np.uint8)[..., ::-1])
