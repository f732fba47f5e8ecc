"""Tables in HTML, which many archive programs export under the name .xls."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from ingest.cells import NumberedRow, Range, RawSheet

_WIDEST_SPAN: Final = 200
_HIDDEN: Final = frozenset({"script", "style", "head", "title"})


class _Tables(HTMLParser):
    """Collects the rows of every outermost table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[list[NumberedRow], list[Range]]] = []
        self._depth = 0
        self._silent = 0
        self._cell: list[str] | None = None
        self._span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._silent += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append(([], []))
        elif self._depth == 1 and tag == "tr":
            self._close()
            rows = self.tables[-1][0]
            rows.append((len(rows) + 1, []))
        elif self._depth == 1 and tag in ("td", "th"):
            self._close()
            given = dict(attrs)
            self._span = (_span(given.get("rowspan")), _span(given.get("colspan")))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._silent = max(0, self._silent - 1)
        elif tag == "table":
            if self._depth == 1:
                self._close()
            self._depth = max(0, self._depth - 1)
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._close()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent:
            self._cell.append(data)

    def _close(self) -> None:
        if self._cell is None:
            return
        rows, merged = self.tables[-1]
        if not rows:
            rows.append((1, []))
        number, cells = rows[-1]
        covered = {
            column
            for top, left, bottom, right in merged
            if top < number <= bottom
            for column in range(left, right + 1)
        }
        while len(cells) + 1 in covered:
            cells.append("")
        text = " ".join("".join(self._cell).split())
        down, across = self._span
        left = len(cells) + 1
        cells += [text, *[""] * (across - 1)]
        if down > 1 or across > 1:
            merged.append((number, left, number + down - 1, left + across - 1))
        self._cell = None


def _span(text: str | None) -> int:
    return min(_WIDEST_SPAN, max(1, int(text))) if text and text.isdecimal() else 1


def read_tables(text: str) -> Iterator[RawSheet]:
    """Every table of an HTML text as a sheet without name."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    for rows, merged in parser.tables:
        yield RawSheet("", hidden=False, merged=merged, rows=(row for row in rows if any(row[1])))
