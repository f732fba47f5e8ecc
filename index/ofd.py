"""OFD documents (GB/T 33190-2016): pages as placed text, paths and pictures.

Lengths are millimetres, the origin is the top left corner of the page. Everything in the file is
hostile until shown otherwise: numbers are bounded, references may form loops, parts may be missing.
"""

from __future__ import annotations

import io
import math
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from xml.etree.ElementTree import Element

from index.packages import LockedPackageError, Package, PackageError

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
Colour = tuple[int, int, int, int]

IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
BLACK: Final[Colour] = (0, 0, 0, 255)
_A4: Final[Box] = (0.0, 0.0, 210.0, 297.0)
#: Largest side of a page that is believed, mm (an A0 sheet is 1,189 mm long).
_LARGEST_SIDE: Final = 5_000.0
_FARTHEST: Final = 1e6
_MOST_ITEMS: Final = 60_000
_MOST_CHARACTERS: Final = 150_000
_MOST_POINTS: Final = 400_000
_MOST_PAGES: Final = 20_000
_DEEPEST_UNIT: Final = 6
#: Height of a Chinese glyph above its base line, share of the font size.
_ASCENT: Final = 0.88
_MARKS_OF_ENCRYPTION: Final = ("encryptions.xml", "decryptseed.dat", "entriesmap.dat")


class LockedOfdError(PackageError):
    """An OFD is encrypted (GM/T 0099)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A run of characters (TextCode).

    Attributes:
        text: The characters.
        origins: Left end of each character's base line on the page.
        boxes: (left, top, right, bottom) of each character on the page.
        matrix: From glyph space (unit: mm at the nominal size) to the page, without shift.
        size: Nominal font size, mm.
        hscale: Horizontal stretch of the glyphs.
        font: Font id.
        bold: Whether it is set bold.
        colour: Red, green, blue, alpha.
    """

    text: str
    origins: tuple[tuple[float, float], ...]
    boxes: tuple[Box, ...]
    matrix: Matrix
    size: float
    hscale: float
    font: str
    bold: bool
    colour: Colour


@dataclass(frozen=True, slots=True)
class Shape:
    """Lines and areas.

    Attributes:
        rings: Points of each sub-path on the page.
        fill: Colour of the area, None when it is not filled.
        stroke: Colour of the line, None when it is not drawn.
        width: Width of the line, mm.
    """

    rings: tuple[tuple[tuple[float, float], ...], ...]
    fill: Colour | None
    stroke: Colour | None
    width: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        resource: Entry of the package that holds it; empty when it is missing.
        matrix: From the unit square to the page.
    """

    resource: str
    matrix: Matrix

    @property
    def box(self) -> Box:
        """The rectangle around it on the page."""
        return _around([_apply(self.matrix, x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))])


@dataclass(frozen=True, slots=True)
class Seal:
    """An electronic seal (电子印章) stamped on a page; its picture is in the signed value."""

    box: Box
    picture: bytes


Item = Text | Shape | Picture


@dataclass(frozen=True, slots=True)
class OfdPage:
    """A page.

    Attributes:
        width: Width, mm.
        height: Height, mm.
        items: What the page and its templates say, in drawing order.
        notes: Annotations (stamps, remarks): drawn, but no text of the document.
        seals: Electronic seals.
        cut_short: Whether it has more objects than are read.
    """

    width: float
    height: float
    items: tuple[Item, ...]
    notes: tuple[Item, ...] = ()
    seals: tuple[Seal, ...] = ()
    cut_short: bool = False


@dataclass(slots=True)
class _Budget:
    """What is left to read of one page."""

    items: int = _MOST_ITEMS
    characters: int = _MOST_CHARACTERS
    points: int = _MOST_POINTS

    @property
    def spent(self) -> bool:
        return min(self.items, self.characters, self.points) <= 0


@dataclass(slots=True)
class _Resources:
    """Fonts, pictures and units of a document, by id."""

    fonts: dict[str, tuple[str, str]] = field(default_factory=dict)  # name, entry
    media: dict[str, str] = field(default_factory=dict)  # entry
    units: dict[str, Element] = field(default_factory=dict)
    draw: dict[str, Element] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _PageEntry:
    body: _Body
    page_id: str
    path: str


@dataclass(slots=True)
class _Body:
    """One document of the package (DocBody)."""

    folder: str
    root: Element
    resources: _Resources
    templates: Mapping[str, str]
    box: Box
    seals: dict[str, list[tuple[Box, str]]] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class OfdFile:
    """An open OFD. Close it, or use it in a `with` statement."""

    def __init__(self, source: Path | BinaryIO, name: str) -> None:
        """Open an OFD and read its page tree.

        Args:
            source: The file.
            name: What to call it in messages.

        Raises:
            LockedOfdError: If it is encrypted.
            PackageError: If it is damaged or has no page.
        """
        self.name = name
        try:
            self._package = Package(source, name)
        except LockedPackageError as error:
            raise LockedOfdError(str(error)) from error
        try:
            self._bodies, self._pages = self._read_tree()
        except PackageError:
            self._package.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._package.close()

    @property
    def page_count(self) -> int:
        """Number of pages of all documents in the file."""
        return len(self._pages)

    # -- tree ---------------------------------------------------------------------------------

    def _read_tree(self) -> tuple[list[_Body], list[_PageEntry]]:
        package = self._package
        names = package.names()
        if any(name.rpartition("/")[2] in _MARKS_OF_ENCRYPTION for name in names):
            msg = f"{self.name} 是加密的 OFD，没有读取"
            raise LockedOfdError(msg)
        root = package.xml("OFD.xml")
        if any(True for _ in root.iter("Encryptions")):
            msg = f"{self.name} 是加密的 OFD，没有读取"
            raise LockedOfdError(msg)
        bodies: list[_Body] = []
        pages: list[_PageEntry] = []
        for doc in root.iter("DocBody"):
            location = _text(doc, "DocRoot")
            path = package.find(location or "Doc_0/Document.xml", "Document.xml")
            if path is None:
                continue
            body = self._body(path, package.xml(path))
            self._read_seals(body, _text(doc, "Signatures"))
            bodies.append(body)
            pages += self._page_entries(body)
        if not pages:
            msg = f"{self.name} 里没有页面（页面树缺失或已损坏）"
            raise PackageError(msg)
        if len(pages) > _MOST_PAGES:
            msg = f"{self.name} 有 {len(pages)} 页，超过上限 {_MOST_PAGES} 页"
            raise PackageError(msg)
        return bodies, pages

    def _body(self, path: str, root: Element) -> _Body:
        folder = posixpath.dirname(path)
        resources = _Resources()
        for tag in ("PublicRes", "DocumentRes"):
            for element in root.iter(tag):
                self._read_resources(resources, folder, (element.text or "").strip())
        templates = {
            element.get("ID", ""): element.get("BaseLoc", "")
            for element in root.iter("TemplatePage")
        }
        body = _Body(folder, root, resources, templates, _page_box(root) or _A4)
        self._read_annotations(body, _text(root, "Annotations"))
        return body

    def _page_entries(self, body: _Body) -> Iterator[_PageEntry]:
        for pages in body.root.iter("Pages"):
            for element in pages:
                if element.tag == "Page":
                    location = element.get("BaseLoc", "")
                    path = self._resolve(body.folder, location) or ""
                    yield _PageEntry(body, element.get("ID", ""), path or location)

    def _resolve(self, folder: str, location: str) -> str | None:
        """The entry a location names: below the folder, from the root, or by its name alone."""
        location = location.strip()
        if not location:
            return None
        below = posixpath.join(folder, location.lstrip("/"))
        from_root = location.lstrip("/")
        order = (from_root, below) if location.startswith("/") else (below, from_root)
        return self._package.find(*order)

    def _optional(self, path: str | None) -> Element | None:
        """A part that a document can do without."""
        if path is None:
            return None
        try:
            return self._package.xml(path)
        except PackageError:
            return None

    def _read_resources(self, resources: _Resources, folder: str, location: str) -> None:
        path = self._resolve(folder, location)
        root = self._optional(path)
        if root is None or path is None:
            return
        here = posixpath.join(posixpath.dirname(path), root.get("BaseLoc", "").strip("/"))
        for element in root.iter("Font"):
            file = self._resolve(here, _text(element, "FontFile")) or ""
            resources.fonts[element.get("ID", "")] = (element.get("FontName", ""), file)
        for element in root.iter("MultiMedia"):
            file = self._resolve(here, _text(element, "MediaFile")) or ""
            resources.media[element.get("ID", "")] = file
        for tag in ("CompositeGraphicUnit", "CompositeGraphicUnits"):
            for element in root.iter(tag):
                if element.get("ID"):
                    resources.units[element.get("ID", "")] = element
        for element in root.iter("DrawParam"):
            resources.draw[element.get("ID", "")] = element

    def _read_annotations(self, body: _Body, location: str) -> None:
        path = self._resolve(body.folder, location)
        root = self._optional(path)
        if root is None or path is None:
            return
        here = posixpath.dirname(path)
        for element in root.iter("Page"):
            file = self._resolve(here, _text(element, "FileLoc"))
            if file is None:
                file = self._resolve(body.folder, _text(element, "FileLoc"))
            if file is not None:
                body.annotations[element.get("PageID", "")] = file

    def _read_seals(self, body: _Body, location: str) -> None:
        path = self._resolve("", location)
        root = self._optional(path)
        if root is None or path is None:
            return
        here = posixpath.dirname(path)
        for element in list(root.iter("Signature"))[:200]:
            file = self._resolve(here, element.get("BaseLoc", ""))
            signature = self._optional(file)
            if signature is None or file is None:
                continue
            beside = posixpath.dirname(file)
            value = self._resolve(beside, _text(signature, "SignedValue"))
            for stamp in signature.iter("StampAnnot"):
                box = _box(stamp.get("Boundary"))
                if box is not None and value is not None:
                    body.seals.setdefault(stamp.get("PageRef", ""), []).append((box, value))

    # -- what is beside the pages -------------------------------------------------------------

    @cached_property
    def attachments(self) -> tuple[str, ...]:
        """Names of the files attached to the documents."""
        found = []
        for body in self._bodies:
            path = self._resolve(body.folder, _text(body.root, "Attachments"))
            root = self._optional(path)
            for element in () if root is None else root.iter("Attachment"):
                name = element.get("Name", "").strip()
                file = posixpath.basename(_text(element, "FileLoc"))
                suffix = posixpath.splitext(file)[1]
                shown = name if name.endswith(suffix) else name + suffix
                found.append(shown or file or "未命名附件")
        return tuple(found)

    @property
    def sealed(self) -> bool:
        """Whether any page bears an electronic seal."""
        return any(body.seals for body in self._bodies)

    def font(self, body_font: str, file_page: int) -> tuple[str, bytes | None]:
        """Name and embedded file of a font of a page; None when it is not embedded."""
        name, path = self._pages[file_page - 1].body.resources.fonts.get(body_font, ("", ""))
        if not path:
            return name, None
        try:
            return name, self._package.read(path)
        except PackageError:
            return name, None

    def media(self, path: str) -> bytes:
        """The bytes of a picture.

        Raises:
            PackageError: If it cannot be read.
        """
        return self._package.read(path)

    # -- pages --------------------------------------------------------------------------------

    def size(self, file_page: int) -> tuple[float, float]:
        """Width and height of a page in millimetres.

        Raises:
            PackageError: If there is no such page or it is damaged.
        """
        box = self._page_root(file_page)[1]
        return box[2], box[3]

    def _page_root(self, file_page: int) -> tuple[Element, Box]:
        if not 1 <= file_page <= len(self._pages):
            msg = f"{self.name} 只有 {len(self._pages)} 页，没有第 {file_page} 页"
            raise PackageError(msg)
        entry = self._pages[file_page - 1]
        root = self._package.xml(entry.path)
        return root, _page_box(root) or entry.body.box

    def page(self, file_page: int) -> OfdPage:
        """Read a page.

        Raises:
            PackageError: If there is no such page or it is damaged.
        """
        entry = self._pages[file_page - 1] if 1 <= file_page <= len(self._pages) else None
        root, box = self._page_root(file_page)
        assert entry is not None  # noqa: S101 - _page_root has raised
        body = entry.body
        shift: Matrix = (1.0, 0.0, 0.0, 1.0, -box[0], -box[1])
        budget = _Budget()
        behind: list[Item] = []
        front: list[Item] = []
        for element in root.iter("Template"):
            location = body.templates.get(element.get("TemplateID", ""), "")
            template = self._optional(self._resolve(body.folder, location))
            if template is not None:
                drawn = self._objects(template, body, shift, budget)
                (front if element.get("ZOrder") == "Foreground" else behind).extend(drawn)
        own = list(self._objects(root, body, shift, budget))
        notes: list[Item] = []
        annotations = self._optional(body.annotations.get(entry.page_id))
        for element in () if annotations is None else annotations.iter("Appearance"):
            around = _box(element.get("Boundary"))
            moved = shift if around is None else _times(shift, (1, 0, 0, 1, around[0], around[1]))
            notes.extend(self._objects(element, body, moved, budget))
        return OfdPage(
            box[2], box[3], (*behind, *own, *front), tuple(notes),
            self._seals(body, entry.page_id, box), budget.spent,
        )  # fmt: skip

    def _seals(self, body: _Body, page_id: str, box: Box) -> tuple[Seal, ...]:
        seals = []
        for place, value in body.seals.get(page_id, ())[:50]:
            try:
                picture = _seal_picture(self._package.read(value))
            except PackageError:
                continue
            if picture:
                left, top = place[0] - box[0], place[1] - box[1]
                seals.append(Seal((left, top, left + place[2], top + place[3]), picture))
        return tuple(seals)

    def _objects(
        self, root: Element, body: _Body, base: Matrix, budget: _Budget, depth: int = 0
    ) -> Iterator[Item]:
        """Everything drawn below an element, in order; composite objects are unfolded."""
        for element in _drawn(root):
            if budget.spent:
                return
            budget.items -= 1
            if element.get("Visible", "true").lower() == "false":
                continue
            place = _box(element.get("Boundary")) or (0.0, 0.0, 0.0, 0.0)
            matrix = _times(
                _times(base, (1.0, 0.0, 0.0, 1.0, place[0], place[1])),
                _matrix(element.get("CTM")),
            )
            style = _Style(element, body.resources.draw)
            if element.tag == "TextObject":
                yield from _texts(element, matrix, style, budget)
            elif element.tag == "PathObject":
                path = _path(element, matrix, style, budget)
                if path is not None:
                    yield path
            elif element.tag == "ImageObject":
                if element.get("CTM") is None:
                    matrix = _times(matrix, (place[2], 0.0, 0.0, place[3], 0.0, 0.0))
                entry = body.resources.media.get(element.get("ResourceID", ""), "")
                yield Picture(entry, matrix)
            elif depth < _DEEPEST_UNIT:
                unit = body.resources.units.get(element.get("ResourceID", ""))
                if unit is not None:
                    yield from self._objects(unit, body, matrix, budget, depth + 1)


_OBJECTS: Final = ("TextObject", "PathObject", "ImageObject", "CompositeObject")


def _drawn(root: Element) -> Iterator[Element]:
    """Graphic objects in document order; not those inside clips, patterns or other objects."""
    waiting = [iter(root)]
    while waiting:
        for element in waiting[-1]:
            if element.tag in _OBJECTS:
                yield element
            elif element.tag not in ("Clips", "Clip", "Template", "Area", "Pattern"):
                waiting.append(iter(element))
                break
        else:
            waiting.pop()


class _Style:
    """Colours and line width of an object, its own or those of the parameters it names."""

    def __init__(self, element: Element, draw: Mapping[str, Element]) -> None:
        chain = [element]
        while len(chain) < 8:
            name = chain[-1].get("DrawParam" if len(chain) == 1 else "Relative", "")
            following = draw.get(name)
            if following is None or following in chain:
                break
            chain.append(following)
        self._chain = chain

    def colour(self, tag: str) -> Colour | None:
        for element in self._chain:
            for child in element:
                if child.tag == tag:
                    return _colour(child)
        return None

    @property
    def width(self) -> float:
        for element in self._chain:
            if element.get("LineWidth"):
                return min(100.0, max(0.0, _number(element.get("LineWidth"), 0.353)))
        return 0.353  # GB/T 33190, table 34: default line width

    @property
    def alpha(self) -> int:
        return _alpha(self._chain[0])


def _texts(element: Element, matrix: Matrix, style: _Style, budget: _Budget) -> Iterator[Text]:
    size = _number(element.get("Size"), 3.5)
    if not 0 < size < _LARGEST_SIDE:
        return
    hscale = min(20.0, max(0.05, _number(element.get("HScale"), 1.0)))
    turn = math.radians(_number(element.get("CharDirection"), 0.0))
    down = _number(element.get("ReadDirection"), 0.0) % 180 == 90
    cos, sin = math.cos(turn), math.sin(turn)
    glyph = _times((*matrix[:4], 0.0, 0.0), (cos, sin, -sin, cos, 0.0, 0.0))
    colour = style.colour("FillColor") or BLACK
    shown = _true(element.get("Fill"), default=True) or _true(element.get("Stroke"), default=False)
    if not _true(element.get("Fill"), default=True):
        colour = style.colour("StrokeColor") or BLACK
    colour = (*colour[:3], min(colour[3], style.alpha) if shown else 0)
    bold = _number(element.get("Weight"), 400) >= 600
    before: tuple[float, float] | None = None
    for code in element:
        if code.tag != "TextCode":
            continue
        text = (code.text or "").strip("\r\n")[: max(0, budget.characters)]
        budget.characters -= len(text) + 1
        x = _number(code.get("X"), before[0] if before else 0.0)
        y = _number(code.get("Y"), before[1] if before else 0.0)
        before = (x, y)
        if not text:
            continue
        xs, ys = _deltas(code.get("DeltaX"), len(text)), _deltas(code.get("DeltaY"), len(text))
        origins: list[tuple[float, float]] = []
        boxes: list[Box] = []
        for i, character in enumerate(text):
            wide = size * hscale * (0.5 if character < "\u2000" else 1.0)
            if i < len(xs):
                right = xs[i]
            elif down or ys:
                right = 0.0
            else:
                right = wide
            below = ys[i] if i < len(ys) else (size if down and not xs else 0.0)
            shown_width = right if 0.3 * wide < right < wide else wide
            corner = _apply(matrix, x, y)
            corners = [
                _apply((*glyph[:4], *corner), dx, dy)
                for dx in (0.0, shown_width)
                for dy in (-_ASCENT * size, (1 - _ASCENT) * size)
            ]
            origins.append(corner)
            boxes.append(_around(corners))
            x, y = _bounded(x + right), _bounded(y + below)
        yield Text(
            text, tuple(origins), tuple(boxes), glyph, size, hscale, element.get("Font", ""), bold,
            colour,
        )  # fmt: skip


def _path(element: Element, matrix: Matrix, style: _Style, budget: _Budget) -> Shape | None:
    data = next((child.text or "" for child in element if child.tag == "AbbreviatedData"), "")
    fill = stroke = None
    if _true(element.get("Fill"), default=False):
        fill = style.colour("FillColor")
        if fill is not None:
            fill = (*fill[:3], min(fill[3], style.alpha))
    if _true(element.get("Stroke"), default=True):
        stroke = style.colour("StrokeColor") or BLACK
        stroke = (*stroke[:3], min(stroke[3], style.alpha))
    if fill is None and stroke is None:
        return None
    rings = []
    for ring in _rings(data, budget):
        points = tuple(_apply(matrix, x, y) for x, y in ring)
        if len(points) > 1:
            rings.append(points)
    scale = math.sqrt(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]))
    return Shape(tuple(rings), fill, stroke, style.width * scale) if rings else None


_TOKEN: Final = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_ARGUMENTS: Final = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}


def _rings(data: str, budget: _Budget) -> Iterator[list[tuple[float, float]]]:
    """Sub-paths of abbreviated path data (GB/T 33190, table 35), curves as short lines."""
    ring: list[tuple[float, float]] = []
    command, values = "", list[float]()
    for match in _TOKEN.finditer(data):
        token = match.group()
        if token in _ARGUMENTS:
            command, values = token, []
            if command == "C":
                if ring:
                    ring.append(ring[0])
                continue
        elif token.isalpha():
            command = ""
            continue
        else:
            values.append(_number(token, 0.0))
        if not command or command == "C" or len(values) < _ARGUMENTS[command]:
            continue
        end = (values[-2], values[-1])
        budget.points -= 1
        if budget.points <= 0:
            break
        if command in "SM":
            if ring:
                yield ring
            ring = [end]
        elif not ring:
            ring = [end]
        elif command == "L":
            ring.append(end)
        elif command == "Q":
            ring += _curve(ring[-1], (values[0], values[1]), end)
        elif command == "B":
            ring += _curve(ring[-1], (values[0], values[1]), (values[2], values[3]), end)
        else:
            ring += _arc(ring[-1], *values)
        values = []
    if ring:
        yield ring


def _curve(*controls: tuple[float, float], steps: int = 12) -> Iterator[tuple[float, float]]:
    degree = len(controls) - 1
    for step in range(1, steps + 1):
        t = step / steps
        weights = [math.comb(degree, i) * t**i * (1 - t) ** (degree - i) for i in range(degree + 1)]
        yield (
            sum(w * x for w, (x, _) in zip(weights, controls, strict=True)),
            sum(w * y for w, (_, y) in zip(weights, controls, strict=True)),
        )


def _arc(
    start: tuple[float, float], rx: float, ry: float, angle: float, large: float, sweep: float,
    x: float, y: float,
) -> list[tuple[float, float]]:  # fmt: skip
    """Points of an elliptical arc, end point form.

    Source:
        SVG 1.1, appendix F.6.5 (centre from end points); OFD uses the same arguments.
    """
    rx, ry = abs(rx), abs(ry)
    if rx < 1e-9 or ry < 1e-9 or start == (x, y):
        return [(x, y)]
    phi = math.radians(angle)
    cos, sin = math.cos(phi), math.sin(phi)
    dx, dy = (start[0] - x) / 2, (start[1] - y) / 2
    ax, ay = cos * dx + sin * dy, -sin * dx + cos * dy
    grow = max(1.0, math.sqrt((ax / rx) ** 2 + (ay / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    under = rx**2 * ry**2 - rx**2 * ay**2 - ry**2 * ax**2
    root = math.sqrt(max(0.0, under / (rx**2 * ay**2 + ry**2 * ax**2)))
    root = -root if bool(large) == bool(sweep) else root
    cx, cy = root * rx * ay / ry, -root * ry * ax / rx
    first = math.atan2((ay - cy) / ry, (ax - cx) / rx)
    last = math.atan2((-ay - cy) / ry, (-ax - cx) / rx)
    span = last - first
    if sweep and span < 0:
        span += 2 * math.pi
    elif not sweep and span > 0:
        span -= 2 * math.pi
    mx, my = (start[0] + x) / 2, (start[1] + y) / 2
    points = []
    for step in range(1, 25):
        t = first + span * step / 24
        px, py = rx * math.cos(t) + cx, ry * math.sin(t) + cy
        points.append((cos * px - sin * py + mx, sin * px + cos * py + my))
    return points


# -- values -------------------------------------------------------------------------------------


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        return default
    return _bounded(value) if math.isfinite(value) else default


def _bounded(value: float) -> float:
    return min(_FARTHEST, max(-_FARTHEST, value))


def _numbers(text: str | None) -> list[float]:
    return [_number(part, 0.0) for part in (text or "").replace(",", " ").split()[:64]]


def _true(text: str | None, *, default: bool) -> bool:
    return default if text is None else text.strip().lower() in ("true", "1")


def _text(root: Element, tag: str) -> str:
    """The text of the first such child, however deep."""
    return next(((element.text or "").strip() for element in root.iter(tag)), "")


def _box(text: str | None) -> Box | None:
    values = _numbers(text)
    return (values[0], values[1], values[2], values[3]) if len(values) >= 4 else None


def _page_box(root: Element) -> Box | None:
    """The physical box of a page or document: left, top, width, height."""
    for tag in ("PageArea", "Area"):
        for area in root.iter(tag):
            box = _box(_text(area, "PhysicalBox"))
            if box and box[2] > 0 and box[3] > 0:
                if max(box[2:]) > _LARGEST_SIDE:
                    shrink = _LARGEST_SIDE / max(box[2:])
                    return box[0], box[1], max(1.0, box[2] * shrink), max(1.0, box[3] * shrink)
                return box
    return None


def _matrix(text: str | None) -> Matrix:
    values = _numbers(text)
    return (
        (values[0], values[1], values[2], values[3], values[4], values[5])
        if len(values) >= 6
        else IDENTITY
    )


def _times(outer: Matrix, inner: Matrix) -> Matrix:
    """The matrix that does `inner` first."""
    a, b, c, d, e, f = inner
    A, B, C, D, E, F = outer  # noqa: N806 - the usual letters
    return (
        _bounded(a * A + b * C), _bounded(a * B + b * D), _bounded(c * A + d * C),
        _bounded(c * B + d * D), _bounded(e * A + f * C + E), _bounded(e * B + f * D + F),
    )  # fmt: skip


def _apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return _bounded(a * x + c * y + e), _bounded(b * x + d * y + f)


def _around(points: list[tuple[float, float]]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _deltas(text: str | None, count: int) -> list[float]:
    """Distances between characters; `g n v` stands for n times v (GB/T 33190, 11.3)."""
    parts = (text or "").split()
    values: list[float] = []
    at = 0
    while at < len(parts) and len(values) < count:
        if parts[at] == "g" and at + 2 < len(parts):
            times = int(_number(parts[at + 1], 0.0))
            values += [_number(parts[at + 2], 0.0)] * max(0, min(times, count - len(values)))
            at += 3
        else:
            values.append(_number(parts[at], 0.0))
            at += 1
    return values


def _alpha(element: Element) -> int:
    return int(min(255.0, max(0.0, _number(element.get("Alpha"), 255.0))))


def _colour(element: Element) -> Colour:
    value = element.get("Value")
    if value is None:
        for segment in element.iter("Color"):  # a shading: its first colour stands for it
            if segment is not element:
                return _colour(_flat(segment))
        return (0, 0, 0, _alpha(element))
    parts = [_component(part) for part in value.split()[:4]]
    if len(parts) == 1:
        red = green = blue = parts[0]
    elif len(parts) == 4:
        red, green, blue = (round((255 - c) * (255 - parts[3]) / 255) for c in parts[:3])
    elif len(parts) == 3:
        red, green, blue = parts
    else:
        red = green = blue = 0
    return red, green, blue, _alpha(element)


def _flat(element: Element) -> Element:
    """A colour without nested colours, so that reading it ends."""
    flat = Element(element.tag, dict(element.attrib))
    flat.attrib.setdefault("Value", "0 0 0")
    return flat


def _component(text: str) -> int:
    try:
        value = int(text[1:], 16) if text.startswith("#") else int(float(text))
    except (ValueError, OverflowError):
        return 0
    return min(255, max(0, value))


_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\x03\x04", b"GIF8")


def _seal_picture(value: bytes) -> bytes:
    """The picture inside a signed seal (GB/T 38540, an ASN.1 octet string), found by its start."""
    places = [at for mark in _PICTURES if (at := value.find(mark)) >= 0]
    return value[min(places) :] if places else b""


def opened_inside(data: bytes, name: str) -> OfdFile:
    """An OFD that is part of another file (the picture of a seal)."""
    return OfdFile(io.BytesIO(data), name)


__all__ = [
    "BLACK",
    "Box",
    "Colour",
    "Item",
    "LockedOfdError",
    "Matrix",
    "OfdFile",
    "OfdPage",
    "Picture",
    "Seal",
    "Shape",
    "Text",
    "opened_inside",
]
