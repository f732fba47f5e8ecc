"""Web pages (.html, .mht) as blocks of text; the only file that uses selectolax.

Only what a browser shows counts: scripts, comments, form fields and hidden elements are left out.
"""

from __future__ import annotations

import codecs
import email
import email.policy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from index.file_format import FileFormat, sniff
from ingest.errors import SourceReadError
from ingest.page_text import PageText
from ingest.parts import Block, parts_of, row_text
from ingest.plain import decode
from ingest.secrecy import judge_title

#: Part of the restart key and of content hashes: raise it when the reading changes.
HTML_READER: Final = "html 1"
LARGEST_BYTES: Final = 20_000_000
_META: Final = re.compile(
    rb"""<(?:meta[^>]{0,300}?charset\s*=\s*["']?|\?xml[^>]{0,100}?encoding\s*=\s*["'])([\w-]{2,20})""",
    re.IGNORECASE,
)
#: Never shown, or not words of the page.
_SILENT: Final = (
    "script", "style", "noscript", "template", "head", "iframe", "object", "embed", "applet",
    "svg", "canvas", "audio", "video", "map", "input", "select", "textarea", "button", "datalist",
    "dialog:not([open])", "[hidden]", "rp", "rt",
)  # fmt: skip
_HIDING: Final = re.compile(
    r"(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:^|[;\s])opacity\s*:\s*0*\.?0+\s*(?:;|!|$)"
    r"|font-size\s*:\s*0+(?:\.0+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,})",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"([^{}]{1,300})\{([^{}]*)\}")
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE: Final = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr output q"
    " ruby rb s samp small span strike strong sub sup time tt u var wbr o:p st1:chsdate img".split()
)
_SPACES: Final = re.compile(r"[^\S\u3000]+")
_MOST_RULES: Final = 500
_MOST_NODES: Final = 2_000_000
#: Parsing takes time with the square of the depth: 10,000 levels 0.3 s, 100,000 levels 90 s.
_DEEPEST: Final = 10_000
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][\w:-]{0,40})")
#: Elements without an end, or whose end may be left out.
_UNCLOSED: Final = frozenset(
    "area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead"
    " tbody tfoot option optgroup colgroup html head body".split()
)


def read_html(path: Path) -> list[PageText]:
    """Read a web page as parts.

    Raises:
        SourceReadError: If it is too large or in no known encoding.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        msg = f"{path.name} 有 {size / 1e6:.0f} MB，超过网页上限 {LARGEST_BYTES // 10**6} MB"
        raise SourceReadError(msg, "请拆成几个文件，或打印为 PDF 后重新入库")
    data = path.read_bytes()
    if sniff(path) is FileFormat.MHTML:
        data = _page_of_mht(data, path.name)
    return parts_of(_blocks(decode_html(data, path.name), path.name), HTML_READER)


def decode_html(data: bytes, name: str) -> str:
    """The text of a page: by its mark, by what it declares if that fits, else by looking.

    Raises:
        SourceReadError: If it is in no known encoding.
    """
    declared = _META.search(data[:4096])
    marked = data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if declared is not None and not marked:
        encoding = declared[1].decode("ascii").lower()
        if encoding in ("gb2312", "gbk", "x-gbk", "gb_2312-80"):
            encoding = "gb18030"  # what browsers do: pages often hold more than they declare
        try:
            if codecs.lookup(encoding).name not in ("utf-16", "utf-16-le", "utf-16-be", "utf-7"):
                return data.decode(encoding)
        except (LookupError, UnicodeDecodeError, ValueError):
            pass  # it lies: the bytes decide
    return decode(data, name)


def _page_of_mht(data: bytes, name: str) -> bytes:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                charset = part.get_content_charset()
                try:
                    return body.decode(charset).encode() if charset else body
                except (LookupError, UnicodeDecodeError):
                    return body
    msg = f"{name} 是单文件网页，但里面没有网页正文"
    raise SourceReadError(msg, "请用浏览器打开检查，打印为 PDF 后重新入库")


def _blocks(text: str, name: str) -> Iterator[Block]:
    from selectolax.lexbor import LexborHTMLParser

    if _depth(text) > _DEEPEST:
        msg = f"{name} 的标签嵌套超过 {_DEEPEST} 层，没有读取"
        raise SourceReadError(msg, "请用浏览器打开检查，打印为 PDF 后重新入库")
    try:
        tree = LexborHTMLParser(text)
        title = tree.css_first("head title")
        named = "" if title is None else _squeezed(title.text() or "")
        _prune(tree)
        body = tree.body
    except (ValueError, RuntimeError, MemoryError) as error:
        msg = f"{name} 解析不了（{type(error).__name__}：{error}）"
        raise SourceReadError(msg, "请用浏览器打开检查，打印为 PDF 后重新入库") from error
    if named and judge_title(named) is not None:
        yield Block(named, furniture=True)  # no words of the page, but the gate must see them
    if body is not None:
        yield from _walk(body, name)


def _depth(text: str) -> int:
    """How deep a page nests, about."""
    depth = deepest = 0
    for match in _TAG.finditer(text):
        if match[2].lower() not in _UNCLOSED:
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _prune(tree: Any) -> None:
    """Take out what a browser does not show."""
    hiding = _hiding_selectors(tree)
    for selector in (*_SILENT, *hiding):
        try:
            found = tree.css(selector)
        except Exception:  # noqa: BLE001,S112 - a selector from the page may be anything
            continue
        for node in found:
            if node.tag not in ("html", "body"):
                node.decompose()
    for node in tree.css("[style]"):
        if node.tag not in ("html", "body") and _HIDING.search(node.attributes.get("style") or ""):
            node.decompose()


def _hiding_selectors(tree: Any) -> list[str]:
    """Selectors of the page's own style rules that hide what they match."""
    found: list[str] = []
    for node in tree.css("style"):
        sheet = re.sub(r"/\*.*?\*/", "", node.text() or "", flags=re.DOTALL)[:500_000]
        # Rules for print and other media hold braces inside braces and say nothing here.
        sheet = re.sub(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", sheet)
        for rule in _RULE.finditer(sheet):
            if _HIDING.search(rule[2]) and ":" not in rule[1]:
                found.append(rule[1].strip())
    return found[:_MOST_RULES]


def _walk(body: Any, name: str) -> Iterator[Block]:
    """Blocks of a tree, without recursion: pages nested 10,000 deep exist."""
    words: list[str] = []
    cells: list[str] | None = None
    count = table_depth = 0
    heading = False
    first_row = True

    def close() -> Iterator[Block]:
        nonlocal heading
        text = _squeezed("".join(words))
        words.clear()
        if text:
            yield Block(text, heading=heading)
        heading = False

    node = body
    entering = True
    while node is not None:
        tag = node.tag
        if entering:
            count += 1
            if count > _MOST_NODES:
                msg = f"{name} 的元素超过 {_MOST_NODES} 个，没有读全"
                raise SourceReadError(msg, "请拆成几个文件，或打印为 PDF 后重新入库")
            if tag == "-text":
                text = node.text_content or ""
                preset = node.parent is not None and node.parent.tag == "pre" and not table_depth
                words.append(text if preset else _SPACES.sub(" ", text))
            elif tag is None or tag.startswith(("-", "!")):
                pass  # comments, declarations
            elif tag == "br":
                words.append("\n" if table_depth == 0 else " ")
            elif tag == "table":
                if table_depth == 0:
                    yield from close()
                    first_row = True
                table_depth += 1
            elif table_depth == 1 and tag == "tr":
                words.clear()
                cells = []
            elif tag not in _INLINE and tag not in ("td", "th"):
                if table_depth:
                    words.append(" ")
                else:
                    yield from close()
                    heading = tag in _HEADINGS
            if node.child is not None:
                node = node.child
                continue
        # leaving
        if tag == "table":
            table_depth = max(0, table_depth - 1)
            if table_depth == 0:
                cells = None
                yield from close()
        elif table_depth == 1 and tag in ("td", "th") and cells is not None:
            cells.append("".join(words))
            words.clear()
        elif table_depth == 1 and tag == "tr" and cells is not None:
            yield from _row(cells, joined=not first_row)
            first_row, cells = False, None
            words.clear()
        elif tag is not None and tag[:1] not in "-!" and tag not in _INLINE and tag != "br":
            if table_depth:
                words.append(" ")
            else:
                yield from close()
        if node.parent is None or (tag == "body" and node.parent.tag == "html"):
            break
        if node.next is not None:
            node, entering = node.next, True
        else:
            node, entering = node.parent, False
    yield from close()


def _row(cells: list[str], *, joined: bool) -> Iterator[Block]:
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) == 1:  # a table that only lays out the page
        yield Block(_squeezed(filled[0]), joined=joined)
    elif filled:
        yield Block(row_text(cells), joined=joined)


def _squeezed(text: str) -> str:
    """White space as a browser shows it: runs are one space, `<br>` stays a line end."""
    lines = (re.sub(r"[^\S\n\u3000]+", " ", line).strip(" \u3000") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
