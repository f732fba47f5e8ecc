"""Pictures of OFD pages: text, lines, areas and pictures, drawn with Pillow.

Clips, patterns and shadings are left out: they decorate, and a reader compares words. Text is set
in the file's own fonts where they hold the characters, else in an installed Chinese font.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from index.fonts import font_file
from index.ofd import Colour, OfdFile, OfdPage, Picture, Seal, Shape, Text, opened_inside
from index.packages import PackageError
from index.rendering import (
    LARGEST_SIDE,
    BgrImage,
    Document,
    LockedDocumentError,
    PageGeometry,
    RenderError,
    opened_picture,
)

logger = logging.getLogger(__name__)

_MM: Final = 72 / 25.4  # points in a millimetre
_SMOOTH: Final = 3  # areas are drawn this much larger, then made smaller
_LARGEST_GLYPH: Final = 1500
_LARGEST_FONT_FILE: Final = 40 * 1024 * 1024
_MOST_SEGMENTS: Final = 400_000

Font = ImageFont.FreeTypeFont


class OfdDocument(Document):
    """An open OFD. Use `open_document`."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            LockedDocumentError: If it is encrypted.
            RenderError: If it is damaged.
        """
        from index.ofd import LockedOfdError

        super().__init__(path)
        try:
            self._file = OfdFile(path, path.name)
        except LockedOfdError as error:
            raise LockedDocumentError(str(error)) from error
        except PackageError as error:
            raise RenderError(str(error)) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def page_count(self) -> int:
        """Number of pages."""
        return self._file.page_count

    def size(self, file_page: int) -> tuple[float, float]:
        """Width and height of the page in points."""
        try:
            width, height = self._file.size(file_page)
        except PackageError as error:
            raise RenderError(str(error)) from error
        return width * _MM, height * _MM

    def geometry(self, file_page: int) -> PageGeometry:
        """The page has no PDF text layer; its text is read by `ingest.ofd_text`."""
        width, height = self.size(file_page)
        return PageGeometry(width, height, "", (), 0.0, (), True, False)

    def render(self, file_page: int, *, dpi: float = 200, max_side: int = LARGEST_SIDE) -> BgrImage:
        """Draw a page; see `Document.render`."""
        width, height = self.size(file_page)
        limit = min(max_side, LARGEST_SIDE) / max(width, height, 1.0)
        drawn = self._draw(file_page, min(dpi / 72, limit) * _MM)
        return np.ascontiguousarray(np.asarray(drawn, dtype=np.uint8)[..., ::-1])

    def jpeg(self, file_page: int, max_width: int, quality: int) -> bytes:
        """A page as a JPEG of at most this width."""
        width, height = self.size(file_page)
        scale = min(max_width / max(width, 1.0), LARGEST_SIDE / max(width, height, 1.0))
        out = io.BytesIO()
        self._draw(file_page, scale * _MM).save(out, "JPEG", quality=quality, optimize=True)
        return out.getvalue()

    def _draw(self, file_page: int, scale: float) -> Image.Image:
        """A page at so many pixels a millimetre."""
        try:
            page = self._file.page(file_page)
            return Canvas(self._file, file_page, page, scale).image
        except PackageError as error:
            raise RenderError(str(error)) from error
        except Exception as error:  # Pillow raises many kinds for hostile fonts and pictures
            msg = f"{self._path.name} 第 {file_page} 页无法绘制（{type(error).__name__}：{error}）"
            raise RenderError(msg) from error


class Canvas:
    """One page being drawn."""

    def __init__(self, file: OfdFile, file_page: int, page: OfdPage, scale: float) -> None:
        """Draw a page; the result is `image`.

        Args:
            file: The file, for its fonts and pictures.
            file_page: The page's number, from 1.
            page: What is on it.
            scale: Pixels a millimetre.
        """
        self._file, self._number, self._scale = file, file_page, scale
        size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
        self.image = Image.new("RGB", size, "white")
        self._fonts: dict[tuple[str, int, bool], Font | None] = {}
        self._embedded: dict[str, tuple[str, bytes | None]] = {}
        self._missing: dict[tuple[str, str], bool] = {}
        self._segments = 0
        self._items(page.items)
        self._items(page.notes)
        for seal in page.seals:
            self._seal(seal)

    def _items(self, items: Iterable[Text | Shape | Picture]) -> None:
        for item in items:
            if isinstance(item, Text):
                self._text(item)
            elif isinstance(item, Shape):
                self._shape(item)
            else:
                self._picture(item)

    # -- text -----------------------------------------------------------------------------------

    def _text(self, text: Text) -> None:
        if not text.colour[3]:
            return
        a, b, c, d = (value * self._scale for value in text.matrix[:4])
        height = text.size * math.hypot(c, d)
        pixels = min(_LARGEST_GLYPH, max(1, round(height)))
        # what is left after the glyphs have been drawn at `pixels`
        rest = text.size / pixels
        a, b, c, d = a * rest * text.hscale, b * rest * text.hscale, c * rest, d * rest
        upright = abs(b) + abs(c) < 0.01 and d > 0 and 0.9 < a < 1.12
        if pixels < 2:
            return
        draw = ImageDraw.Draw(self.image, "RGBA" if text.colour[3] < 255 else "RGB")
        for character, origin in zip(text.text, text.origins, strict=True):
            if character.isspace() or character < " ":
                continue
            font = self._font(text.font, pixels, character)
            if font is None:
                continue
            x, y = origin[0] * self._scale, origin[1] * self._scale
            if not (-pixels < x < self.image.width + pixels):
                continue
            if not (-pixels < y < self.image.height + pixels):
                continue
            stroke = max(1, pixels // 40) if text.bold else 0
            if upright:
                draw.text(
                    (x, y), character, font=font, fill=text.colour, anchor="ls",
                    stroke_width=stroke if stroke < 3 else 2,
                )  # fmt: skip
            else:
                self._turned(character, font, pixels, (x, y), (a, b, c, d), text.colour)

    def _turned(
        self, character: str, font: Font, pixels: int, origin: tuple[float, float],
        matrix: tuple[float, float, float, float], colour: Colour,
    ) -> None:  # fmt: skip
        """A glyph that is stretched, slanted, turned or mirrored."""
        a, b, c, d = matrix
        det = a * d - b * c
        if abs(det) < 1e-6:
            return
        side = 2 * pixels
        base = round(1.5 * pixels)
        left = pixels // 2
        mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(mask).text((left, base), character, font=font, fill=255, anchor="ls")
        corners = [
            (a * x + c * y, b * x + d * y)
            for x in (-left, side - left)
            for y in (-base, side - base)
        ]
        x0, y0 = math.floor(min(x for x, _ in corners)), math.floor(min(y for _, y in corners))
        x1, y1 = math.ceil(max(x for x, _ in corners)), math.ceil(max(y for _, y in corners))
        width, height = x1 - x0, y1 - y0
        if not (0 < width <= 4 * _LARGEST_GLYPH and 0 < height <= 4 * _LARGEST_GLYPH):
            return
        ia, ib, ic, id_ = d / det, -c / det, -b / det, a / det
        moved = mask.transform(
            (width, height), Image.Transform.AFFINE,
            (ia, ib, ia * x0 + ib * y0 + left, ic, id_, ic * x0 + id_ * y0 + base),
            Image.Resampling.BILINEAR,
        )  # fmt: skip
        if colour[3] < 255:
            moved = moved.point([value * colour[3] // 255 for value in range(256)])
        self.image.paste(colour[:3], (round(origin[0]) + x0, round(origin[1]) + y0), moved)

    def _font(self, name: str, pixels: int, character: str) -> Font | None:
        """The file's own font when it holds the character, else one of this machine."""
        own = self._loaded(name, pixels, own=True)
        if own is not None:
            missing = self._missing.get((name, character))
            if missing is None:
                missing = self._missing[name, character] = _lacks(own, character)
            if not missing:
                return own
        return self._loaded(name, pixels, own=False)

    def _loaded(self, name: str, pixels: int, *, own: bool) -> Font | None:
        key = (name, pixels, own)
        if key not in self._fonts:
            self._fonts[key] = self._load(name, pixels, own=own)
        return self._fonts[key]

    def _load(self, name: str, pixels: int, *, own: bool) -> Font | None:
        called, data = self._embedded_font(name)
        try:
            if own:
                if not data or len(data) > _LARGEST_FONT_FILE:
                    return None
                return ImageFont.truetype(
                    io.BytesIO(data), pixels, layout_engine=ImageFont.Layout.BASIC
                )
            path = font_file(called)
            if path is None:
                return None
            place = 2 if path.suffix.lower() == ".ttc" and "cjk" in path.stem.lower() else 0
            return ImageFont.truetype(
                str(path), pixels, index=place, layout_engine=ImageFont.Layout.BASIC
            )
        except (OSError, ValueError) as error:
            logger.info("font %s cannot be used: %s", called, error)
            return None

    def _embedded_font(self, name: str) -> tuple[str, bytes | None]:
        if name not in self._embedded:
            self._embedded[name] = self._file.font(name, self._number)
        return self._embedded[name]

    # -- lines and areas ------------------------------------------------------------------------

    def _shape(self, shape: Shape) -> None:
        self._segments += sum(map(len, shape.rings))
        if self._segments > _MOST_SEGMENTS:
            return
        scale = self._scale
        rings = [[(x * scale, y * scale) for x, y in ring] for ring in shape.rings]
        if shape.fill is not None and shape.fill[3]:
            self._area(rings, shape.fill)
        if shape.stroke is not None and shape.stroke[3]:
            width = max(1, round(shape.width * scale))
            draw = ImageDraw.Draw(self.image, "RGBA" if shape.stroke[3] < 255 else "RGB")
            for ring in rings:
                points = [_near(point, self.image.size) for point in ring]
                draw.line(points, fill=shape.stroke, width=min(width, 400), joint="curve")

    def _area(self, rings: list[list[tuple[float, float]]], fill: Colour) -> None:
        """An area with holes: rings inside rings take turns (even-odd)."""
        xs = [x for ring in rings for x, _ in ring]
        ys = [y for ring in rings for _, y in ring]
        x0, y0 = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        x1 = min(self.image.width, math.ceil(max(xs)) + 1)
        y1 = min(self.image.height, math.ceil(max(ys)) + 1)
        if x1 <= x0 or y1 <= y0:
            return
        smooth = _SMOOTH if (x1 - x0) * (y1 - y0) < 1_000_000 else 1
        size = ((x1 - x0) * smooth, (y1 - y0) * smooth)
        mask: Image.Image | None = None
        for ring in rings:
            if len(ring) < 3:
                continue
            part = Image.new("1", size)
            points = [_near(((x - x0) * smooth, (y - y0) * smooth), size) for x, y in ring]
            ImageDraw.Draw(part).polygon(points, fill=1)
            mask = part if mask is None else ImageChops.logical_xor(mask, part)
        if mask is None:
            return
        grey = mask.convert("L").resize((x1 - x0, y1 - y0), Image.Resampling.BOX)
        if fill[3] < 255:
            grey = grey.point([value * fill[3] // 255 for value in range(256)])
        self.image.paste(fill[:3], (x0, y0), grey)

    # -- pictures -------------------------------------------------------------------------------

    def _picture(self, picture: Picture) -> None:
        if not picture.resource:
            return
        try:
            drawn = opened_picture(
                io.BytesIO(self._file.media(picture.resource)), picture.resource, LARGEST_SIDE
            )
        except (PackageError, RenderError) as error:
            logger.info("a picture cannot be drawn: %s", error)
            return
        a, b, c, d, e, f = (value * self._scale for value in picture.matrix)
        self._placed(drawn, (a, b, c, d, e, f))

    def _placed(self, picture: Image.Image, matrix: tuple[float, ...]) -> None:
        """Lay a picture on the page; the matrix takes the unit square to pixels."""
        a, b, c, d, e, f = matrix
        det = a * d - b * c
        xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
        x0, y0 = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        x1 = min(self.image.width, math.ceil(max(xs)))
        y1 = min(self.image.height, math.ceil(max(ys)))
        if abs(det) < 1e-9 or x1 <= x0 or y1 <= y0:
            return
        width, height = picture.size
        if abs(a) + abs(c) > 2 and max(abs(a), abs(b)) * 2 < width:
            # far too many pixels: shrink first, or thin lines of a scan break up
            shrink = max(1, round(width / max(abs(a), abs(b), 1)))
            picture = picture.reduce(shrink) if shrink > 1 else picture
            width, height = picture.size
        ia, ib = d / det * width, -c / det * width
        ic, id_ = -b / det * height, a / det * height
        coefficients = (
            ia, ib, ia * (x0 - e) + ib * (y0 - f), ic, id_, ic * (x0 - e) + id_ * (y0 - f),
        )  # fmt: skip
        size = (x1 - x0, y1 - y0)
        layer = picture.convert("RGBA").transform(
            size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
        self.image.paste(layer.convert("RGB"), (x0, y0), layer.getchannel("A"))

    def _seal(self, seal: Seal) -> None:
        left, top, right, bottom = (value * self._scale for value in seal.box)
        matrix = (right - left, 0.0, 0.0, bottom - top, left, top)
        try:
            if seal.picture.startswith(b"PK"):
                with opened_inside(seal.picture, "印章") as inner:
                    page = inner.page(1)
                    if not page.width or not page.height:
                        return
                    scale = min(20.0, (right - left) / page.width)
                    bare = OfdPage(page.width, page.height, page.items)
                    drawn = Canvas(inner, 1, bare, max(0.5, scale)).image
            else:
                drawn = opened_picture(io.BytesIO(seal.picture), "印章", 2000)
        except (PackageError, RenderError) as error:
            logger.info("a seal cannot be drawn: %s", error)
            return
        # A seal lies over the text: white paper around it must not hide the words below.
        layer = drawn.convert("RGBA")
        dark = ImageChops.invert(layer.convert("RGB").convert("L"))
        layer.putalpha(ImageChops.multiply(layer.getchannel("A"), dark.point(_VEIL)))
        self._placed(layer, matrix)


#: Paper becomes clear, ink stays.
_VEIL: Final = [0 if value < 12 else min(255, 80 + value * 2) for value in range(256)]


def _near(point: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    """A point kept within reach of the page, so that drawing costs what can be seen."""
    return (
        min(size[0] + 4000.0, max(-4000.0, point[0])),
        min(size[1] + 4000.0, max(-4000.0, point[1])),
    )


def _lacks(font: Font, character: str) -> bool:
    """Whether a font shows its empty box for a character."""
    try:
        mask: Any = font.getmask(character)
        none: Any = font.getmask("\U0010fffe")
    except (OSError, ValueError):
        return True
    return mask.size == none.size and bytes(mask) == bytes(none)
