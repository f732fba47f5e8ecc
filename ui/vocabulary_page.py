"""What the vocabulary editor shows and does, apart from HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from assistant.vocabulary import Entry
from assistant.vocabulary_file import (
    DROPPED,
    HEADINGS,
    SHIPPED,
    VocabularyError,
    VocabularySource,
    entry_cells,
)
from index.domain import Reader
from index.text import search_form

_ROWS: Final = 300
_LONGEST_TRY: Final = 200

Body = dict[str, Any]


class VocabularyPage:
    """The vocabulary of one home as the page sees it. Safe between threads."""

    def __init__(self, home: Path) -> None:
        self._source = VocabularySource(home)
        self.actions: Final[dict[str, Callable[[Body, Reader, str], Body]]] = {
            "put": self._put,
            "drop": self._drop,
            "disable": self._disable,
            "try": self._try,
        }

    def state(self, words: str) -> dict[str, Any]:
        """The archive's own rows, and those that ship and hold these words.

        Raises:
            VocabularyError: If the own file cannot be read.
        """
        stamp, own = self._source.own_rows()
        wanted = search_form(words).text
        shipped = [e for e in self._source.vocabulary.search(words) if e.source == SHIPPED]
        rows = [
            {"number": row.number, "values": dict(row.values), "problem": row.problem}
            for row in own
            if not wanted or any(wanted in search_form(v).text for v in row.values.values())
        ]
        return {
            "stamp": stamp,
            "headings": list(HEADINGS),
            "own": rows,
            "own_total": len(own),
            "shipped": [_entry_json(e) for e in shipped[:_ROWS]],
            "shipped_total": len(shipped),
            "file_problem": "；".join(b.line for b in self._source.bad_rows if not b.row),
            "dropped": DROPPED,
        }

    def _put(self, body: Body, reader: Reader, now: str) -> Body:
        del reader, now
        values = body.get("values")
        if not isinstance(values, dict):
            msg = "没有保存：内容读不懂。"
            raise VocabularyError(msg)
        given = {h: v for h in HEADINGS if isinstance(v := values.get(h, ""), str)}
        self._source.put_row(_number(body), given, _stamp(body))
        return {"said": "已保存，立即生效，不用重建索引。"}

    def _drop(self, body: Body, reader: Reader, now: str) -> Body:
        del reader, now
        self._source.drop_row(_number(body), _stamp(body))
        return {"said": "已删去这一行，立即生效。"}

    def _disable(self, body: Body, reader: Reader, now: str) -> Body:
        del reader, now
        colloquial, official = (str(body.get(name, "")) for name in ("colloquial", "official"))
        if not self._source.remove(colloquial, official):
            msg = "表里已经没有这一对，没有改动。请刷新页面。"
            raise VocabularyError(msg)
        return {"said": "已停用这一行，记在本馆的表里；删去那条“停用”就恢复。"}

    def _try(self, body: Body, reader: Reader, now: str) -> Body:
        del reader, now
        form = search_form(str(body.get("words", ""))[:_LONGEST_TRY]).text
        return {
            "found": [
                {"words": e.words, "meanings": list(e.meanings), "years": e.entry.years,
                 "source": e.entry.source}
                for e in self._source.vocabulary.expansions(form)
            ]
        }  # fmt: skip


def _entry_json(entry: Entry) -> dict[str, Any]:
    cells = dict(zip(HEADINGS, entry_cells(entry), strict=True))
    return {"values": cells, "years": entry.years}


def _number(body: Body) -> int:
    number = body.get("number", 0)
    return number if isinstance(number, int) and not isinstance(number, bool) else -1


def _stamp(body: Body) -> str:
    return str(body.get("stamp", ""))
