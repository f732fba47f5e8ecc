"""Word documents (.docx) as blocks of text; the only file that uses python-docx.

What a person would read on the printed page: text struck out by tracked changes, hidden text and
field codes are left out, numbers counted by Word are written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from index.packages import LockedPackageError, Package, PackageError
from ingest.errors import PasswordError, SourceReadError
from ingest.numbering import Level, Numbering
from ingest.page_text import Note, PageText
from ingest.parts import MOST_CHARACTERS, Block, parts_of, row_text
from ingest.secrecy import judge_title

#: Part of the restart key and of content hashes: raise it when the reading changes.
DOCX_READER: Final = "docx 1"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
#: Parts of a paragraph that hold no words of it: what was deleted or moved away, codes, settings.
_LEFT_OUT: Final = frozenset(
    _W + tag
    for tag in ("del", "moveFrom", "delText", "instrText", "delInstrText", "pPr", "rPr", "rt",
                "sdtPr", "sdtEndPr", "tblPr", "tblGrid", "trPr", "tcPr", "footnotePr",
                "annotationRef", "footnoteRef", "endnoteRef", "sectPr")
)  # fmt: skip
_BREAK: Final = "\f"
#: A cell with more than this is running text in a frame, not a value.
_LONG_CELL: Final = 60
_DEEPEST: Final = 12
_FEW: Final = 30


class _TooLongError(SourceReadError):
    """A document has more text than is read."""


@dataclass(slots=True)
class _Found:
    """What is met while reading a paragraph, to be told after it."""

    boxes: list[Any] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def read_docx(path: Path, name: str = "") -> tuple[list[PageText], tuple[Note, ...]]:
    """Read a Word document as parts.

    Args:
        path: The file.
        name: What to call it in messages, when that is not the file's own name.

    Returns:
        The parts, and what an archivist should know about the file.

    Raises:
        PasswordError: If it is locked.
        SourceReadError: If it is damaged, absurdly large, or all its words are in pictures.
    """
    name = name or path.name
    step = "请用 Word 或 WPS 打开检查，另存为 docx 或 PDF 后重新入库"
    try:
        with Package(path, name) as package:
            names = package.names()
    except LockedPackageError as error:
        raise PasswordError(str(error), "请去掉密码后重新入库") from error
    except PackageError as error:
        raise SourceReadError(str(error), step) from error
    from docx import Document

    try:
        document = Document(str(path))
        reader = _Reader(document)
        blocks = [*_marked_properties(document), *reader.blocks()]
    except _TooLongError as error:
        msg = f"{name} {error}"
        raise SourceReadError(msg, error.next_step) from None
    except Exception as error:  # python-docx and lxml raise whatever they meet
        msg = f"{name} 打不开：不是有效的 Word 文档，或已损坏（{type(error).__name__}）"
        raise SourceReadError(msg, step) from error
    pictures = [n for n in names if n.startswith("word/media/")]
    inside = [n for n in names if n.startswith("word/embeddings/")]
    written = sum(len("".join(block.text.split())) for block in blocks if not block.furniture)
    if pictures and written < _FEW:
        msg = f"{name} 的内容是 {len(pictures)} 幅图片，没有可读的文字"
        raise SourceReadError(msg, "请用 Word 或 WPS 另存为 PDF 后重新入库，入库时逐页识别")
    notes: list[Note] = []
    if reader.has_deletions:
        step = "如需定稿，请在 Word 中接受或拒绝全部修订后重新入库"
        notes.append(Note("带有修订痕迹：标为删除的文字没有入库，标为插入的照录", step))
    if pictures:
        step = "图中有文字的，请另存为 PDF 后入库"
        notes.append(Note(f"内有 {len(pictures)} 幅图片，图中的文字没有入库", step))
    if inside:
        step = "需要时请在 Word 中取出，另行编目入库"
        notes.append(Note(f"内嵌 {len(inside)} 个对象（表格、附件等），没有入库", step))
    return parts_of(blocks, DOCX_READER), tuple(notes)


def _marked_properties(document: Any) -> Iterator[Block]:
    """The document's title, subject and key words where they bear a mark: the gate must see them."""
    told = document.core_properties
    for text in (told.title, told.subject, told.keywords, told.category):
        if text and judge_title(text) is not None:
            yield Block(text, furniture=True)


class _Reader:
    """Walks one document."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._body = document.element.body
        self._numbering = _numbering(document)
        self._headings, self._contents, self._style_lists = _styles(document)
        self._notes = _notes(document)
        self._characters = 0
        self._told: set[tuple[str, str]] = set()
        self.has_deletions = any(
            element.tag in (_W + "del", _W + "moveFrom") and len(element)
            for element in self._body.iter(_W + "del", _W + "moveFrom")
        )

    def blocks(self) -> Iterator[Block]:
        """All blocks, running heads first and feet last."""
        yield from self._running("header")
        found = _Found()
        opens = False
        for element in self._blocks_below(self._body, 0):
            if element.tag == _W + "tbl":
                yield from self._table(element, opens=opens)
                opens = False
                continue
            for block in self._paragraph(element, found):
                yield Block(
                    block.text, block.heading, block.furniture, block.opens or opens, False,
                    block.prefix,
                )  # fmt: skip
                opens = False
            opens = opens or _ends_page(element)
            yield from self._framed(found)
            yield from self._noted(found)
        yield from self._running("footer")

    def _count(self, text: str) -> str:
        self._characters += len(text)
        if self._characters > MOST_CHARACTERS:
            msg = f"的文字超过 {MOST_CHARACTERS // 10**6} 百万字，没有读取"
            raise _TooLongError(msg, "请拆成几个文件后重新入库")
        return text

    def _blocks_below(self, parent: Any, depth: int) -> Iterator[Any]:
        """Paragraphs and tables in order, through content controls and tracked insertions."""
        for element in parent:
            if element.tag in (_W + "p", _W + "tbl"):
                yield element
            elif element.tag not in _LEFT_OUT and isinstance(element.tag, str) and depth < _DEEPEST:
                chosen = _alternative(element)
                if chosen is not None:
                    yield from self._blocks_below(chosen, depth + 1)

    def _paragraph(self, element: Any, found: _Found) -> Iterator[Block]:
        """A paragraph; page breaks inside cut it into several blocks."""
        properties = element.find(_W + "pPr")
        style = _value(properties, "pStyle")
        heading = style in self._headings or _outline(properties) is not None
        contents = style in self._contents
        label = self._label(properties, style)
        text = label + self._count("".join(self._words(element, found, 0)))
        opens = properties is not None and _switched_on(properties.find(_W + "pageBreakBefore"))
        for place, piece in enumerate(text.split(_BREAK)):
            yield Block(piece.strip("\n").rstrip(), heading, contents, opens or place > 0)

    def _label(self, properties: Any, style: str) -> str:
        numbered = None if properties is None else properties.find(_W + "numPr")
        own = None if numbered is None else (
            _value(numbered, "numId"), _value(numbered, "ilvl") or "0"
        )  # fmt: skip
        if own is None or not own[0]:
            inherited = self._style_lists.get(style)
            own = inherited if own is None or inherited is None else (inherited[0], own[1])
        if own is None or own[0] == "0" or not own[1].isdecimal():
            return ""
        return self._numbering.label(own[0], int(own[1]))

    def _words(self, parent: Any, found: _Found, depth: int) -> Iterator[str]:
        """The visible words of a paragraph in order."""
        if depth > 40:
            return
        for element in parent:
            tag = element.tag
            if not isinstance(tag, str) or tag in _LEFT_OUT:
                continue
            if tag == _W + "r" and _is_hidden(element):
                continue
            if tag in (_W + "t", _M + "t"):
                yield element.text or ""
            elif tag in (_W + "tab", _W + "ptab"):
                yield " "
            elif tag == _W + "br":
                kind = element.get(_W + "type")
                yield _BREAK if kind == "page" else "\n"
            elif tag == _W + "cr":
                yield "\n"
            elif tag == _W + "noBreakHyphen":
                yield "-"
            elif tag == _W + "sym":
                yield _symbol(element)
            elif tag in (_W + "footnoteReference", _W + "endnoteReference"):
                kind = "footnote" if "foot" in tag else "endnote"
                found.notes.append((kind, element.get(_W + "id", "")))
            elif tag == _W + "txbxContent":
                found.boxes.append(element)
            else:
                chosen = _alternative(element)
                if chosen is not None:
                    yield from self._words(chosen, found, depth + 1)

    def _framed(self, found: _Found) -> Iterator[Block]:
        """Text boxes of a paragraph, after it."""
        rounds = 0
        while found.boxes and rounds < 1000:
            rounds += 1
            box = found.boxes.pop(0)
            for element in self._blocks_below(box, 0):
                if element.tag == _W + "tbl":
                    yield from self._table(element)
                else:
                    yield from self._paragraph(element, found)

    def _noted(self, found: _Found) -> Iterator[Block]:
        """Foot and end notes of a paragraph, after it, each told once."""
        for key in found.notes:
            body = self._notes.get(key)
            if body is None or key in self._told:
                continue
            self._told.add(key)
            inner = _Found()
            words = [
                block.text
                for element in self._blocks_below(body, 0)
                if element.tag == _W + "p"
                for block in self._paragraph(element, inner)
            ]
            text = " ".join(word for word in words if word.strip())
            if text.strip():
                prefix = "〔注〕" if key[0] == "footnote" else "〔尾注〕"
                yield Block(prefix + text.strip(), prefix=len(prefix))
        found.notes.clear()

    def _table(self, table: Any, *, opens: bool = False, depth: int = 0) -> Iterator[Block]:
        """Rows of a table as lines; a row of one long cell is running text."""
        first = True
        for row in table.iter(_W + "tr"):
            if _table_of(row) is not table or _is_deleted_row(row):
                continue
            texts: list[list[Block]] = []
            for cell in row.iter(_W + "tc"):
                if _row_of(cell) is row:
                    texts.append(list(self._cell(cell, depth)))
            for block in _row_blocks(texts):
                yield Block(block.text, block.heading, False, opens and first, not first)
                first = False

    def _cell(self, cell: Any, depth: int) -> Iterator[Block]:
        if _value(cell.find(_W + "tcPr"), "vMerge", default="-") in ("", "continue"):
            return  # goes on from the row above
        found = _Found()
        for element in self._blocks_below(cell, 0):
            if element.tag == _W + "tbl":
                if depth < _DEEPEST:
                    yield from self._table(element, depth=depth + 1)
                continue
            yield from self._paragraph(element, found)
            yield from self._framed(found)
            yield from self._noted(found)

    def _running(self, kind: str) -> Iterator[Block]:
        """Running heads or feet of all sections, each text once; never quoted."""
        seen: set[str] = set()
        for section in list(self._document.sections)[:200]:
            for form in (kind, f"first_page_{kind}", f"even_page_{kind}"):
                part = getattr(section, form)
                if part.is_linked_to_previous:
                    continue
                for element in self._blocks_below(part._element, 0):
                    if element.tag != _W + "p":
                        continue
                    found = _Found()
                    for block in (*self._paragraph(element, found), *self._framed(found)):
                        text = block.text.strip()
                        if text and text not in seen and not text.isdecimal():
                            seen.add(text)
                            yield Block(text, furniture=True)


def _row_blocks(cells: list[list[Block]]) -> Iterator[Block]:
    filled = [cell for cell in cells if any(block.text.strip() for block in cell)]
    if not filled:
        return
    if len(filled) == 1:
        yield from (block for block in filled[0] if block.text.strip())
        return
    lengths = [sum(len(block.text) for block in cell) for cell in filled]
    if max(lengths) <= _LONG_CELL * 4:
        yield Block(row_text(" ".join(block.text for block in cell) for cell in cells))
        return
    # A form: a name beside pages of text. The text keeps its paragraphs.
    short: list[str] = []
    for cell in cells:
        whole = " ".join(block.text for block in cell if block.text.strip())
        if len(whole) <= _LONG_CELL:
            short.append(whole)
            continue
        if row_text(short):
            yield Block(row_text(short))
        short = []
        yield from (block for block in cell if block.text.strip())
    if row_text(short):
        yield Block(row_text(short))


def _alternative(element: Any) -> Any:
    """Of two forms of the same content (new and old drawings) the first one only."""
    if element.tag == _MC + "AlternateContent":
        choice = element.find(_MC + "Choice")
        return choice if choice is not None else element.find(_MC + "Fallback")
    return element


def _value(parent: Any, tag: str, default: str = "") -> str:
    if parent is None:
        return default
    element = parent.find(_W + tag)
    return default if element is None else str(element.get(_W + "val") or "")


def _switched_on(element: Any) -> bool:
    return element is not None and element.get(_W + "val") not in ("0", "false", "off", "none")


def _is_hidden(run: Any) -> bool:
    properties = run.find(_W + "rPr")
    return properties is not None and _switched_on(properties.find(_W + "vanish"))


def _outline(properties: Any) -> int | None:
    level = _value(properties, "outlineLvl")
    return int(level) if level.isdecimal() and int(level) < 9 else None


def _ends_page(paragraph: Any) -> bool:
    """Whether a section ends with a paragraph and the next one begins on a new page."""
    properties = paragraph.find(_W + "pPr")
    section = None if properties is None else properties.find(_W + "sectPr")
    return section is not None and _value(section, "type") != "continuous"


def _is_deleted_row(row: Any) -> bool:
    properties = row.find(_W + "trPr")
    return properties is not None and properties.find(_W + "del") is not None


def _table_of(row: Any) -> Any:
    return next(row.iterancestors(_W + "tbl"), None)


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(_W + "tr"), None)


def _symbol(element: Any) -> str:
    try:
        code = int(element.get(_W + "char", ""), 16)
    except ValueError:
        return ""
    if 0xF000 <= code <= 0xF0FF:  # a place in a symbol font: only the common ticks have a meaning
        return {0xFC: "✓", 0xFE: "☑", 0xA8: "□", 0xA3: "□", 0x52: "☑", 0x6F: "□"}.get(
            code - 0xF000, ""
        )
    return chr(code) if 0x20 <= code < 0xD800 else ""


def _styles(document: Any) -> tuple[set[str], set[str], dict[str, tuple[str, str]]]:
    """Ids of heading styles, of styles of tables of contents, and the lists styles belong to."""
    headings: set[str] = set()
    contents: set[str] = set()
    lists: dict[str, tuple[str, str]] = {}
    try:
        root = document.styles.element
    except (KeyError, AttributeError, ValueError):
        return headings, contents, lists
    for style in root.iter(_W + "style"):
        style_id = style.get(_W + "styleId", "")
        name = _value(style, "name").lower()
        properties = style.find(_W + "pPr")
        if (
            name.startswith(("heading ", "标题 "))
            or name in ("title", "标题")
            or _outline(properties) is not None
        ):
            headings.add(style_id)
        if name.startswith(("toc ", "table of figures", "目录")):
            contents.add(style_id)
        numbered = None if properties is None else properties.find(_W + "numPr")
        if numbered is not None and _value(numbered, "numId"):
            lists[style_id] = (_value(numbered, "numId"), _value(numbered, "ilvl") or "0")
    return headings, contents, lists


def _numbering(document: Any) -> Numbering:
    try:
        root = document.part.numbering_part.element
    except (KeyError, AttributeError, NotImplementedError, ValueError):
        return Numbering({})
    abstract: dict[str, dict[int, Level]] = {}
    for element in root.iter(_W + "abstractNum"):
        levels = {}
        for level in element.iter(_W + "lvl"):
            place = level.get(_W + "ilvl", "")
            if place.isdecimal() and int(place) < 9:
                levels[int(place)] = _level(level)
        abstract[element.get(_W + "abstractNumId", "")] = levels
    lists: dict[str, dict[int, Level]] = {}
    chains: dict[str, str] = {}
    for element in root.iter(_W + "num"):
        list_id = element.get(_W + "numId", "")
        base = _value(element, "abstractNumId")
        levels = dict(abstract.get(base, {}))
        changed = False
        for override in element.iter(_W + "lvlOverride"):
            place = override.get(_W + "ilvl", "")
            if not place.isdecimal():
                continue
            own = override.find(_W + "lvl")
            start = _value(override, "startOverride")
            if own is not None:
                levels[int(place)] = _level(own)
            if start.isdecimal() and int(place) in levels:
                old = levels[int(place)]
                levels[int(place)] = Level(old.style, old.pattern, int(start), old.restart)
                changed = True
        lists[list_id] = levels
        chains[list_id] = list_id if changed else f"abstract {base}"
    return Numbering(lists, chains)


def _level(element: Any) -> Level:
    start = _value(element, "start")
    return Level(
        _value(element, "numFmt") or "decimal",
        _value(element, "lvlText"),
        int(start) if start.isdecimal() else 1,
        _value(element, "lvlRestart") != "0",
    )


def _notes(document: Any) -> dict[tuple[str, str], Any]:
    """Bodies of foot and end notes by kind and id."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml

    found: dict[tuple[str, str], Any] = {}
    for kind, relation in (
        ("footnote", RELATIONSHIP_TYPE.FOOTNOTES),
        ("endnote", RELATIONSHIP_TYPE.ENDNOTES),
    ):
        for rel in document.part.rels.values():
            if rel.reltype != relation or rel.is_external:
                continue
            root = parse_xml(rel.target_part.blob)
            for element in root.iter(_W + kind):
                if element.get(_W + "type") in (None, "normal"):
                    found[kind, element.get(_W + "id", "")] = element
    return found
