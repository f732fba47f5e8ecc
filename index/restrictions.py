"""Types of records that are restricted by default (限制利用), as a table and not as code.

The table ships with the program; an archive adds to it, or takes a row out, in `restrictions.csv`
in its home. It is applied when records are taken in, so a change takes effect with the next
`chadang ingest`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from index.domain import Record
from index.errors import SettingsError

LOCAL_FILE: Final = "restrictions.csv"
#: Papers of the work of the house: the department that made them may read them, too.
WORK_SECRET: Final = "工作秘密"
#: In the column 类别: the shipped row of this word does not hold here.
_OFF: Final = "不限制"
_HEADINGS: Final = ("词", "看哪里", "类别", "除外")
_PLACES: Final[Mapping[str, str]] = {
    "文种": "doc_type", "题名": "title", "责任者": "author", "备注": "note", "密级": "secrecy",
    "机构": "department",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restriction:
    """One row of the table.

    Attributes:
        word: What to look for.
        places: Fields of a record to look in.
        kind: 工作秘密, 信访, 举报, 考察, 处分 or another; shown as the reason.
        excepted: Words that hold `word` and do not count.
    """

    word: str
    places: tuple[str, ...]
    kind: str
    excepted: tuple[str, ...] = ()

    def applies(self, record: Record) -> bool:
        """Whether a record is of this kind."""
        for place in self.places:
            text = str(getattr(record, place))
            if self.word not in text:
                continue
            for word in self.excepted:
                text = text.replace(word, "")
            if self.word in text:
                return True
        return False


@lru_cache(maxsize=16)
def _any_word(table: tuple[Restriction, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(row.word) for row in table) or r"(?!)")


def kind_of(record: Record, table: tuple[Restriction, ...]) -> str:
    """The kind by which a record is restricted; the strictest one where several fit, '' for none."""
    # Most records hold none of the words; asked of every record for every reader.
    if not _any_word(table).search("\n".join(str(getattr(record, f)) for f in _PLACES.values())):
        return ""
    kinds = [row.kind for row in table if row.applies(record)]
    stricter = [kind for kind in kinds if kind != WORK_SECRET]
    return (stricter or kinds or [""])[0]


@cache
def shipped_table() -> tuple[Restriction, ...]:
    """The table that comes with the program."""
    path = Path(__file__).with_name("restricted_types.csv")
    return tuple(_rows(path.read_text(encoding="utf-8"), path.name))


def table_of(home: Path) -> tuple[Restriction, ...]:
    """The shipped table with the archive's own rows.

    Raises:
        SettingsError: If `restrictions.csv` cannot be used; says which line and why.
    """
    path = home / LOCAL_FILE
    if not path.is_file():
        return shipped_table()
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    own = list(_rows(text, str(path)))
    replaced = {row.word for row in own}
    kept = [row for row in shipped_table() if row.word not in replaced]
    return (*kept, *(row for row in own if row.kind != _OFF))


def _rows(text: str, name: str) -> Iterable[Restriction]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [h for h in _HEADINGS if h not in (reader.fieldnames or ())]
    if missing:
        msg = f"{name} 缺少栏目“{'、'.join(missing)}”。表头应为：{','.join(_HEADINGS)},依据。"
        raise SettingsError(msg)
    for number, row in enumerate(reader, start=2):
        word, kind = (row["词"] or "").strip(), (row["类别"] or "").strip()
        if not word and not kind:
            continue
        places = _split(row["看哪里"])
        unknown = [place for place in places if place not in _PLACES]
        if not word or not kind or not places or unknown:
            what = f"不认识“{'、'.join(unknown)}”" if unknown else "词、看哪里、类别都要写"
            msg = f"{name} 第 {number} 行：{what}。看哪里可写：{'、'.join(_PLACES)}。"
            raise SettingsError(msg)
        fields = tuple(_PLACES[place] for place in places)
        yield Restriction(word, fields, kind, tuple(_split(row["除外"])))


def _split(cell: str | None) -> Sequence[str]:
    return [part.strip() for part in (cell or "").split("、") if part.strip()]


__all__ = [
    "LOCAL_FILE",
    "WORK_SECRET",
    "Restriction",
    "kind_of",
    "shipped_table",
    "table_of",
]
