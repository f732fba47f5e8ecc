"""Text of OFD pages in reading order, each character with its place on the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.domain import Line, TextSource
from index.ofd import Box, LockedOfdError, OfdFile, OfdPage, Picture, Shape, Text
from index.packages import PackageError
from ingest.errors import PasswordError, SourceReadError
from ingest.page_text import Note, PageText
from ingest.quality import SPARSE, text_quality
from ingest.reading_order import TextBox, is_vertical, reading_order
from ingest.ruled_cells import NO_RULES, Rules, cells_of, rules_of

#: Part of the restart key and of content hashes: raise it when the reading changes.
OFD_READER: Final = "ofd 1"
_POINTS: Final = 72 / 25.4
_COVERED: Final = 0.5
_LONGEST_PAGE: Final = 200_000
#: Characters of one printed line follow each other within this many character sizes.
_CLOSE: Final = 0.7
#: A character drawn again this near (share of its size) is imitation bold or a shadow.
_SAME_PLACE: Final = 0.25
_FEWEST_COLUMNS: Final = 3


@dataclass(slots=True)
class _Segment:
    """Characters that follow each other on one line."""

    characters: list[str]
    boxes: list[Box]
    down: bool

    @property
    def box(self) -> Box:
        return (
            min(box[0] for box in self.boxes),
            min(box[1] for box in self.boxes),
            max(box[2] for box in self.boxes),
            max(box[3] for box in self.boxes),
        )

    @property
    def size(self) -> float:
        last = self.boxes[-1]
        return max(last[2] - last[0], last[3] - last[1], 1e-6)


class OfdReader:
    """An open OFD for reading. Close it, or use it in a `with` statement."""

    def __init__(self, path: Path, *, drawable: bool) -> None:
        """Open an OFD.

        Args:
            path: The file.
            drawable: Whether this machine has a Chinese font to draw pages with.

        Raises:
            PasswordError: If it is encrypted.
            SourceReadError: If it is damaged or no OFD.
        """
        self.path = path
        self._drawable = drawable
        try:
            self._file = OfdFile(path, path.name)
        except LockedOfdError as error:
            step = "请用原单位的密钥在 OFD 阅读器中解密，另存为不加密的 OFD 或 PDF 后重新入库"
            raise PasswordError(str(error), step) from error
        except PackageError as error:
            step = "请用 OFD 阅读器检查能否打开，必要时请形成单位重新提供"
            raise SourceReadError(str(error), step) from error
        self.page_count = self._file.page_count

    @property
    def notes(self) -> tuple[Note, ...]:
        """What an archivist should know beside the pages."""
        names = self._file.attachments
        if not names:
            return ()
        shown = "、".join(names[:5]) + ("等" if len(names) > 5 else "")
        return (
            Note(
                f"带有 {len(names)} 个附件（{shown}），附件内容没有入库",
                "需要时请用 OFD 阅读器取出附件，另行编目入库",
            ),
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_page(self, file_page: int) -> PageText:
        """Read one page.

        Returns:
            The page; `needs_ocr` when its words are in its pictures or its text is unusable.

        Raises:
            PackageError: If the page is damaged.
        """
        page = self._file.page(file_page)
        cover = _picture_cover(page)
        hidden = cover > _COVERED
        texts = [
            item for item in page.items if isinstance(item, Text) and (item.colour[3] or hidden)
        ]
        raw, lines = laid_out(texts, page.width, page.height, _rules(page))
        if page.cut_short or len(raw) >= _LONGEST_PAGE:
            problem = f"第 {file_page} 页的对象过多，没有读全"
            return PageText(file_page, "", TextSource.NONE, OFD_READER, problem=problem)
        quality = text_quality(raw)
        size = (page.width * _POINTS, page.height * _POINTS)
        if not quality.usable or (quality.count < SPARSE and hidden):
            return PageText(
                file_page, "", TextSource.NONE, OFD_READER, width=size[0], height=size[1],
                needs_ocr=True,
            )  # fmt: skip
        if quality.count == 0:
            drawn = bool(page.items)
            return PageText(
                file_page, "", TextSource.NONE, OFD_READER, width=size[0], height=size[1],
                needs_ocr=drawn, problem="" if drawn else "空白页",
            )  # fmt: skip
        covert = hidden and any(text.colour[3] == 0 for text in texts)
        if not self._drawable:
            size, lines = (0.0, 0.0), ()
        return PageText(
            file_page, raw, TextSource.LAYER,
            OFD_READER + ("，扫描件隐藏文字层" if covert else ""),
            lines=lines, width=size[0], height=size[1],
        )  # fmt: skip


def _picture_cover(page: OfdPage) -> float:
    """Share of the page that pictures cover, counted at most once each."""
    area = 0.0
    for item in page.items:
        if isinstance(item, Picture):
            left, top, right, bottom = item.box
            wide = min(page.width, right) - max(0.0, left)
            high = min(page.height, bottom) - max(0.0, top)
            area += max(0.0, wide) * max(0.0, high)
    return area / max(1e-6, page.width * page.height)


def _rules(page: OfdPage) -> Rules:
    return rules_of(
        (ring, item.stroke is None)
        for item in page.items
        if isinstance(item, Shape)
        for ring in item.rings
    )


@dataclass(slots=True)
class _Block:
    """What is read in one go: a line, or the lines of one table cell."""

    segments: list[_Segment]
    cell: Box | None = None

    def box(self, height: float) -> TextBox:
        """Where it is in the reading order: cells of a table row stand at the row's top."""
        if self.cell is None:
            return _text_box(self.segments[0])
        left, top, right, _ = self.cell
        bottom = top + height
        return TextBox(((left, top), (right, top), (right, bottom), (left, bottom)), 1)


def laid_out(
    texts: Iterable[Text], width: float, height: float, rules: Rules = NO_RULES
) -> tuple[str, tuple[Line, ...]]:
    """Text runs put in reading order.

    Args:
        texts: Runs of the page, in drawing order.
        width: Page width, mm.
        height: Page height, mm.
        rules: Lines of tables: words of one cell stay together, cells of a row are parted by ` | `.

    Returns:
        The page's text, and its lines with character borders as fractions of the page.
    """
    blocks = _blocks(_segments(texts, width, height), rules)
    out: list[str] = []
    length = 0
    lines: list[Line] = []
    before: tuple[_Block, _Segment] | None = None
    usual = statistics.median(b.segments[0].size for b in blocks) if blocks else 1.0
    for place in reading_order([block.box(usual) for block in blocks]):
        block = blocks[place]
        for segment in block.segments:
            if before is not None:
                joint = _between(before[0], before[1], block, segment)
                out.append(joint)
                length += len(joint)
            text = "".join(segment.characters)
            out.append(text)
            vertical = is_vertical(_text_box(segment))
            lines.append(_line(segment, length, width, height, vertical=vertical))
            length += len(text)
            before = (block, segment)
    return "".join(out), tuple(lines)


def _blocks(segments: Sequence[_Segment], rules: Rules) -> list[_Block]:
    """Segments outside of tables one by one, those of one cell together."""
    blocks: list[_Block] = []
    of_cell: dict[Box, _Block] = {}
    for segment, cell in zip(segments, cells_of([s.box for s in segments], rules), strict=True):
        if cell is None:
            blocks.append(_Block([segment]))
        elif cell in of_cell:
            of_cell[cell].segments.append(segment)
        else:
            of_cell[cell] = block = _Block([segment], cell)
            blocks.append(block)
    for top in {cell[1] for cell in of_cell}:
        row = [block for cell, block in of_cell.items() if cell[1] == top]
        if _is_unruled(row):
            blocks = [block for block in blocks if block not in row]
            blocks += _rows_within(row)
    for block in blocks:
        if len(block.segments) > 1:
            order = reading_order([_text_box(segment) for segment in block.segments])
            block.segments = [block.segments[place] for place in order]
    return blocks


def _middle(segment: _Segment) -> float:
    return (segment.box[1] + segment.box[3]) / 2


def _is_unruled(row: Sequence[_Block]) -> bool:
    """Whether the cells of a table row hold several rows side by side, with no line between.

    Source:
        Invoices and budget tables rule the columns but not the rows. Cells that merely have long
        text beside each other are two, and their lines seldom stand at one height.
    """
    several = [
        block
        for block in row
        if len(block.segments) > 1 and any(len(s.characters) > 1 for s in block.segments)
    ]
    if len(several) < _FEWEST_COLUMNS:
        return False
    heights = [{round(_middle(s) / max(s.size, 1.0)) for s in block.segments} for block in several]
    shared = sum(len(h & (set().union(*heights[:i], *heights[i + 1 :]))) for i, h in
                 enumerate(heights))  # fmt: skip
    return shared >= 0.7 * sum(map(len, heights))


def _rows_within(row: Sequence[_Block]) -> list[_Block]:
    """The cells of an unruled table row cut into one cell for each printed row."""
    placed = sorted(
        ((segment, block.cell) for block in row for segment in block.segments if block.cell),
        key=lambda item: _middle(item[0]),
    )
    blocks: dict[tuple[float, float], _Block] = {}
    top = reach = -1.0
    for segment, cell in placed:
        if _middle(segment) > reach:
            top, reach = segment.box[1], _middle(segment) + 0.6 * segment.size
        key = (top, cell[0])
        if key not in blocks:
            blocks[key] = _Block([], (cell[0], top, cell[2], top + segment.size))
        blocks[key].segments.append(segment)
    return list(blocks.values())


def _between(before: _Block, last: _Segment, block: _Block, segment: _Segment) -> str:
    """What stands between two segments that are read one after the other."""
    if before is block:
        joint = _joint(last, segment)
        if joint == "\n" and block.cell is not None and _wrapped(block, last):
            return ""
        return joint
    if before.cell is not None and block.cell is not None:
        same_row = abs(before.cell[1] - block.cell[1]) < 1e-6
        return " | " if same_row and block.cell[0] > before.cell[0] else "\n"
    return "\n" if before.cell or block.cell else _joint(last, segment)


def _wrapped(block: _Block, last: _Segment) -> bool:
    """Whether a line of a cell goes on: it is full, or the cell is a word set downwards."""
    assert block.cell is not None  # noqa: S101 - asked for cells only
    room = block.cell[2] - last.box[2]
    return room < 1.6 * last.size or all(len(s.characters) == 1 for s in block.segments)


def _segments(texts: Iterable[Text], width: float, height: float) -> list[_Segment]:
    """Runs cut where a line ends and joined where the writer cut inside one."""
    segments: list[_Segment] = []
    seen: set[tuple[str, int, int]] = set()
    for text in texts:
        fresh = True
        for character, box in zip(text.text, text.boxes, strict=True):
            if not _on_page(box, width, height) or character < " ":
                continue
            size = max(box[3] - box[1], box[2] - box[0], 1e-6)
            if not character.isspace() and not _first_time(seen, character, box, size):
                continue
            last = segments[-1] if segments else None
            if last is not None and _follows(last, box, size, inside=not fresh):
                if len(last.boxes) == 1:
                    last.down = _is_down(last.boxes[0], box)
                last.characters.append(character)
                last.boxes.append(box)
            elif not character.isspace():
                segments.append(_Segment([character], [box], False))
            fresh = False
    for segment in segments:
        while segment.characters and segment.characters[-1].isspace():
            segment.characters.pop()
            segment.boxes.pop()
    return [segment for segment in segments if segment.characters]


def _first_time(seen: set[tuple[str, int, int]], character: str, box: Box, size: float) -> bool:
    """Whether a character is not drawn over itself (imitation bold, shadows)."""
    step = max(1e-3, _SAME_PLACE * size)
    x, y = round(box[0] / step), round(box[1] / step)
    again = any((character, x + i, y + j) in seen for i in (-1, 0, 1) for j in (-1, 0, 1))
    if not again:
        seen.add((character, x, y))
    return not again


def _on_page(box: Box, width: float, height: float) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return 0 <= x <= width and 0 <= y <= height


def _is_down(first: Box, second: Box) -> bool:
    return second[1] - first[1] > abs(second[0] - first[0])


def _follows(segment: _Segment, box: Box, size: float, *, inside: bool) -> bool:
    """Whether a character continues a segment; inside one run wide spacing is believed."""
    last = segment.boxes[-1]
    reach = (2.5 if inside else _CLOSE) * max(size, segment.size)
    if not 0.6 < size / segment.size < 1.7:
        return False
    across = abs((box[1] + box[3]) - (last[1] + last[3])) / 2 < 0.3 * size
    if across and (len(segment.boxes) == 1 or not segment.down):
        return -0.5 * size < box[0] - last[2] < reach
    below = abs((box[0] + box[2]) - (last[0] + last[2])) / 2 < 0.3 * size
    if below and inside and (len(segment.boxes) == 1 or segment.down):
        return -0.5 * size < box[1] - last[3] < reach
    return False


def _text_box(segment: _Segment) -> TextBox:
    left, top, right, bottom = segment.box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TextBox(corners, len(segment.characters))


def _joint(before: _Segment, after: _Segment) -> str:
    """What stands between two segments: nothing or a space on one line, else a line end."""
    a, b = before.box, after.box
    thick = min(a[3] - a[1], b[3] - b[1])
    common = min(a[3], b[3]) - max(a[1], b[1])
    if before.down or after.down or common < 0.5 * thick or b[0] < a[2] - thick:
        return "\n"
    return "" if b[0] - a[2] < 0.3 * thick else " "


def _line(segment: _Segment, start: int, width: float, height: float, *, vertical: bool) -> Line:
    left, top, right, bottom = segment.box
    along, extent = (1, height) if vertical else (0, width)
    edges: list[float] = []
    for place, box in enumerate(segment.boxes):
        near = box[along]
        if place:
            near = (near + segment.boxes[place - 1][along + 2]) / 2
        edges.append(_fraction(max(near, edges[-1] * extent if edges else near), extent))
    edges.append(max(edges[-1], _fraction(segment.boxes[-1][along + 2], extent)))
    box = (
        _fraction(left, width), _fraction(top, height),
        _fraction(right, width), _fraction(bottom, height),
    )  # fmt: skip
    return Line(start, start + len(segment.characters), box, _rising(edges), vertical=vertical)


def _rising(edges: Sequence[float]) -> tuple[float, ...]:
    out: list[float] = []
    for edge in edges:
        out.append(max(edge, out[-1]) if out else edge)
    return tuple(out)


def _fraction(value: float, extent: float) -> float:
    return min(1.0, max(0.0, value / max(extent, 1e-6)))
