"""Cutting text without pages (Word, web pages, tables) into parts that can be cited (部分)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from index.domain import TextSource
from index.sentences import CELL_BREAK
from ingest.page_text import PageText

#: A part is closed before a heading once it is this long, and anywhere between two paragraphs
#: once it is as long as a full printed page or two.
_ENOUGH: Final = 900
_TOO_LONG: Final = 3_000
MOST_CHARACTERS: Final = 20_000_000
#: Headings typed by hand: 一、综合, 第三章 …; most papers have no heading styles.
_TYPED_HEADING: Final = re.compile(
    r"[^\S\n]*(?:[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十百]{1,4}[章编节篇部][^\S\n])[^。；]{1,40}$"
    r"|[^\S\n]*附\s?件\s?[0-9一二三四五六七八九十]{0,2}\s?[:：]?$"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a row of a table.

    Attributes:
        text: Its text; inner line ends allowed, none at the end.
        heading: Whether it is a heading.
        furniture: Whether it is a running head or foot, an entry of a table of contents or
            another help to find one's way: kept, never quoted.
        opens: Whether the writer began a new page with it.
        joined: Whether it must stay with the block before it (rows of a table).
        prefix: Characters at its beginning that are marks of ours, not words of the document.
    """

    text: str
    heading: bool = False
    furniture: bool = False
    opens: bool = False
    joined: bool = False
    prefix: int = 0


def parts_of(blocks: Iterable[Block], engine: str) -> list[PageText]:
    """Pages made of blocks, each ending with a line end.

    A part ends where the writer began a new page, before a heading, or, when it grows too long,
    between two paragraphs; a sentence is never cut.
    """
    parts: list[list[Block]] = []
    length = 0
    for block in blocks:
        if not block.text.strip():
            if block.opens and parts and parts[-1]:
                parts.append([])
                length = 0
            continue
        full = length >= _TOO_LONG and not (block.joined and length < 2 * _TOO_LONG)
        if not parts or (parts[-1] and (block.opens or full or
                                        (_is_heading(block) and length >= _ENOUGH))):  # fmt: skip
            parts.append([])
            length = 0
        parts[-1].append(block)
        length += len(block.text) + 1
    return [
        _part(number, part, engine) for number, part in enumerate(filter(None, parts), start=1)
    ] or [PageText(1, "", TextSource.NONE, engine, problem="文件里没有文字")]


def _is_heading(block: Block) -> bool:
    return block.heading or _TYPED_HEADING.fullmatch(block.text) is not None


def _part(number: int, blocks: list[Block], engine: str) -> PageText:
    raw: list[str] = []
    furniture: list[tuple[int, int]] = []
    start = 0
    for block in blocks:
        raw.append(block.text + "\n")
        if block.furniture:
            furniture.append((start, start + len(block.text)))
        elif block.prefix:
            furniture.append((start, start + block.prefix))
        start += len(raw[-1])
    return PageText(number, "".join(raw), TextSource.FILE, engine, furniture=tuple(furniture))


def row_text(cells: Iterable[str]) -> str:
    """The cells of a table row as one line.

    Empty cells keep their place, those at the end go; a cell alone in its row stands by itself.
    """
    kept = [" ".join(cell.split()) for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    filled = [cell for cell in kept if cell]
    return filled[0] if len(filled) == 1 else CELL_BREAK.join(kept)
