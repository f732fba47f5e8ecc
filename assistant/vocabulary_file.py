"""The vocabulary's files: the one that ships, the archive's own, how they are read and changed."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from assistant.domain import AssistantError
from assistant.vocabulary import ERAS, Entry, Vocabulary, other_words

#: The archive's own file in home.
FILE_NAME: Final = "vocabulary.csv"
HEADINGS: Final = ("口语", "正式用语", "起始年", "终止年", "类别", "方向", "除外", "说明")
SHIPPED: Final = "自带"
OWN: Final = "本馆"
#: Category of a row that takes a pair out; without official term, all pairs of the word.
DROPPED: Final = "停用"
_DIRECTIONS: Final = {"": True, "双向": True, "单向": False}
_SEPARATOR: Final = re.compile(r"[/\uff0f|\uff5c]")
_LARGEST_BYTES: Final = 4_000_000
_LONGEST_CELL: Final = 400


class VocabularyError(AssistantError):
    """The vocabulary file cannot be used or changed; the message is for the user."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, with the reason.

    Attributes:
        row: Row number in the file as a spreadsheet counts, from 1; 0 for the whole file.
        reason: Why, one Chinese phrase with what to do.
    """

    row: int
    reason: str

    @property
    def line(self) -> str:
        """The row and its reason as one line for people."""
        return f"第 {self.row} 行：{self.reason}" if self.row else self.reason


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row of the archive's own file, as an editor shows it.

    Attributes:
        number: Place among the rows, from 1; what `VocabularySource.put_row` is told.
        values: Text by heading, one for each of `HEADINGS`.
        problem: Why it is not used, empty when it is.
    """

    number: int
    values: Mapping[str, str]
    problem: str


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What a file gave.

    Attributes:
        entries: Its good rows; those of category `停用` have to be applied, not used.
        bad: Its bad rows, in order.
    """

    entries: tuple[Entry, ...]
    bad: tuple[BadRow, ...]


def read_rows(content: bytes, source: str) -> ReadRows:
    """Read the bytes of a vocabulary file. Never raises: what is wrong is in `bad`.

    Args:
        content: UTF-8 (with or without BOM) or GB18030, comma- or tab-separated, with headings.
        source: Written into the entries, `自带` or `本馆`.
    """
    if len(content) > _LARGEST_BYTES:
        return ReadRows((), (BadRow(0, f"文件超过 {_LARGEST_BYTES // 1_000_000} MB，没有读。"),))
    try:
        text, _ = _decoded(content)
    except UnicodeDecodeError:
        return ReadRows((), (BadRow(0, "编码读不懂。请用 Excel 另存为“CSV UTF-8”再试。"),))
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter="\t" if first.count("\t") > 1 else ","
    )
    entries: list[Entry] = []
    bad: list[BadRow] = []
    places: dict[str, int] = {}
    try:
        for cells in reader:
            row = reader.line_num
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if not places:
                places = {name: values.index(name) for name in HEADINGS if name in values}
                if "口语" not in places or "正式用语" not in places:
                    wanted = ",".join(HEADINGS)
                    return ReadRows(
                        (), (BadRow(row, f"表头要有“口语”“正式用语”两列，完整的表头是 {wanted}。"),)
                    )
                continue
            value = {name: values[at] if at < len(values) else "" for name, at in places.items()}
            entry = _entry(value, source, row)
            if isinstance(entry, str):
                bad.append(BadRow(row, entry))
            else:
                entries.append(entry)
    except csv.Error as error:
        bad.append(BadRow(reader.line_num, f"从这一行起不是 CSV（{error}）。"))
    if not places:
        bad.append(BadRow(0, "文件是空的，第一行应是表头。"))
    return ReadRows(tuple(entries), tuple(bad))


def _entry(value: dict[str, str], source: str, row: int) -> Entry | str:
    """The row, or why it cannot be used."""
    colloquial, official = _words(value["口语"]), _words(value["正式用语"])
    category = value.get("类别", "")
    if not colloquial:
        return "“口语”空着。"
    if category == DROPPED:
        return Entry(colloquial, official, category=DROPPED, source=source, row=row)
    if not official:
        return f"“正式用语”空着。要停用“{colloquial[0]}”，请在“类别”写“{DROPPED}”。"
    for word in (*colloquial, *official):
        if len(word.replace("*", "")) < 2:
            return f"“{word}”只有一个字，会误认，请写成两个字以上的词。"
        if len(word) > 40:
            return f"“{word[:10]}…”超过 40 个字。"
    if any("*" in word for word in official):
        return "“*”只能用在“口语”里。"
    if any(word.startswith("*") or word.endswith("*") for word in colloquial):
        return "“*”要夹在两个字中间，例如 养*狗。"
    if category != ERAS and not any(other_words(word, official) for word in colloquial):
        return f"“正式用语”里原样含有“{colloquial[0]}”，本来就查得到，不必写。"
    years: list[int | None] = []
    for name in ("起始年", "终止年"):
        text = value.get(name, "").removesuffix("年")
        if text and not re.fullmatch(r"(?:18|19|20)[0-9]{2}", text):
            return f"“{name}”写的是“{text}”，应是四位年份。"
        years.append(int(text) if text else None)
    first, last = years
    if first and last and first > last:
        return f"起始年 {first} 晚于终止年 {last}。"
    if category == ERAS and not (first and last):
        return f"类别为“{ERAS}”的，起始年和终止年都要写。"
    direction = value.get("方向", "")
    if direction not in _DIRECTIONS:
        return f"“方向”写的是“{direction}”，应是“双向”或“单向”。"
    return Entry(
        colloquial,
        official,
        first,
        last,
        category,
        _DIRECTIONS[direction],
        _words(value.get("除外", "")),
        value.get("说明", ""),
        source,
        row,
    )


def _words(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w.strip() for w in _SEPARATOR.split(cell) if w.strip()))


def _decoded(content: bytes) -> tuple[str, str]:
    """The text and the codec it was written in."""
    try:
        return content.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError:
        return content.decode("gb18030"), "gb18030"


@cache
def shipped_entries() -> tuple[Entry, ...]:
    """The rows that ship with the program."""
    content = Path(__file__).with_name(FILE_NAME).read_bytes()
    return read_rows(content, SHIPPED).entries


def combine(shipped: Iterable[Entry], own: Iterable[Entry]) -> tuple[Entry, ...]:
    """The rows in force: the archive's own first, and of the shipped ones what it left in."""
    rows = list(own)
    dropped = [entry for entry in rows if entry.category == DROPPED]
    kept = [entry for entry in rows if entry.category != DROPPED]
    for entry in shipped:
        kept += _without(entry, dropped)
    return tuple(kept)


def _without(entry: Entry, dropped: Iterable[Entry]) -> list[Entry]:
    """What is left of a row after rows of category `停用`: itself, parts of it, or nothing."""
    left = [entry]
    for drop in dropped:
        left = [part for whole in left for part in _less(whole, drop)]
    return left


def _less(entry: Entry, drop: Entry) -> list[Entry]:
    gone = tuple(w for w in entry.colloquial if w in drop.colloquial)
    official = tuple(w for w in entry.official if drop.official and w not in drop.official)
    if not gone or len(official) == len(entry.official):
        return [entry]
    others = tuple(w for w in entry.colloquial if w not in gone)
    # The pair goes for its own word only; the row's other words keep all their terms.
    parts = [replace(entry, colloquial=others)] if others else []
    return [*parts, replace(entry, colloquial=gone, official=official)] if official else parts


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[int, int] | None
    vocabulary: Vocabulary
    bad: tuple[BadRow, ...]


class VocabularySource:
    """The vocabulary in force; read again when the archive's own file changes. Thread-safe."""

    def __init__(self, home: Path) -> None:
        """Bind a home; its file need not exist."""
        self.path = home / FILE_NAME
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary in force now."""
        return self._current().vocabulary

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        """Rows of the archive's own file that are not used."""
        return self._current().bad

    def _current(self) -> _Loaded:
        stamp = self._stamp()
        loaded = self._loaded
        if loaded is None or loaded.stamp != stamp:
            with self._lock:
                loaded = self._loaded
                if loaded is None or loaded.stamp != stamp:
                    rows = self._read() if stamp else ReadRows((), ())
                    entries = combine(shipped_entries(), rows.entries)
                    loaded = self._loaded = _Loaded(stamp, Vocabulary(entries), rows.bad)
        return loaded

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def _read(self) -> ReadRows:
        try:
            return read_rows(self.path.read_bytes(), OWN)
        except OSError as error:
            return ReadRows((), (BadRow(0, f"{self.path} 读不出来：{error}。"),))

    # -- changing it --------------------------------------------------------------------------

    def add(self, colloquial: str, official: str, category: str = "") -> bool:
        """Add a pair to the archive's own file.

        Returns:
            False when the pair is in force already and nothing was written.

        Raises:
            VocabularyError: If the pair cannot be used, or the file cannot be written.
        """
        values = {
            "口语": colloquial.strip(),
            "正式用语": official.strip(),
            "类别": category.strip(),
        }
        entry = _entry(values, OWN, 0)
        if isinstance(entry, str):
            msg = f"没有增加：{entry}"
            raise VocabularyError(msg)
        if self._pairs(entry) <= {p for e in self.vocabulary.entries for p in self._pairs(e)}:
            return False
        rows = [row for row in self._own_cells() if not _drops(row, entry)]
        self._write([*rows, [values["口语"], values["正式用语"], "", "", values["类别"]]])
        return True

    def remove(self, colloquial: str, official: str = "") -> bool:
        """Take a pair, or with no official term every pair of a word, out of use.

        Returns:
            False when there is no such pair and nothing was written.

        Raises:
            VocabularyError: If the file cannot be written.
        """
        drop = Entry(_words(colloquial), _words(official), category=DROPPED)
        if not drop.colloquial:
            msg = "请给出要停用的口语词。"
            raise VocabularyError(msg)
        if not any(_without(entry, [drop]) != [entry] for entry in self.vocabulary.entries):
            return False
        rows: list[list[str]] = []
        for row in self._own_cells():
            entry = _entry(_by_heading(row), OWN, 0)
            if isinstance(entry, str) or entry.category == DROPPED:
                rows.append(row)
                continue
            for rest in _without(entry, [drop]):
                rows.append(["/".join(rest.colloquial), "/".join(rest.official), *row[2:]])
        if any(_without(entry, [drop]) != [entry] for entry in shipped_entries()):
            rows.append(["/".join(drop.colloquial), "/".join(drop.official), "", "", DROPPED])
        self._write(rows)
        return True

    def own_rows(self) -> tuple[str, list[OwnRow]]:
        """The archive's own rows for an editor, with a stamp that changes with the file.

        Raises:
            VocabularyError: If the file cannot be read.
        """
        stamp = self._content_stamp()
        rows = []
        for number, cells in enumerate(self._own_cells(), start=1):
            values = _by_heading(cells)
            entry = _entry(values, OWN, number)
            rows.append(OwnRow(number, values, entry if isinstance(entry, str) else ""))
        return stamp, rows

    def put_row(self, number: int, values: Mapping[str, str], stamp: str) -> None:
        """Change a row of the own file, or with number 0 add one.

        Args:
            number: `OwnRow.number`.
            values: Text by heading; headings left out are blank.
            stamp: Of the file the editor has read.

        Raises:
            VocabularyError: If the row cannot be used, the file was changed meanwhile, or it cannot
                be written.
        """
        cells = [values.get(name, "").strip() for name in HEADINGS]
        for name, cell in zip(HEADINGS, cells, strict=True):
            if len(cell) > _LONGEST_CELL or any(ord(c) < 32 for c in cell):
                msg = f"没有保存：“{name}”太长或含有换行。"
                raise VocabularyError(msg)
            if cell.startswith(("=", "+", "-", "@")):
                msg = f"没有保存：“{name}”不能以 {cell[0]} 开头，电子表格会当成公式。"
                raise VocabularyError(msg)
        entry = _entry(_by_heading(cells), OWN, 0)
        if isinstance(entry, str):
            msg = f"没有保存：{entry}"
            raise VocabularyError(msg)
        with self._lock:
            rows = self._fresh_cells(number, stamp)
            if number:
                rows[number - 1] = cells
            else:
                rows.append(cells)
            self._write(rows)

    def drop_row(self, number: int, stamp: str) -> None:
        """Take a row out of the own file.

        Raises:
            VocabularyError: If there is none, the file was changed meanwhile, or cannot be written.
        """
        with self._lock:
            rows = self._fresh_cells(number or -1, stamp)
            del rows[number - 1]
            self._write(rows)

    def _fresh_cells(self, number: int, stamp: str) -> list[list[str]]:
        if stamp != self._content_stamp():
            msg = "对照表刚被别人改过，没有保存。请刷新页面后再改。"
            raise VocabularyError(msg)
        rows = self._own_cells()
        if not 0 <= number <= len(rows):
            msg = "没有这一行，没有保存。请刷新页面后再改。"
            raise VocabularyError(msg)
        return rows

    def _content_stamp(self) -> str:
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]
        except OSError:
            return ""

    @staticmethod
    def _pairs(entry: Entry) -> set[tuple[str, str]]:
        return {(c, o) for c in entry.colloquial for o in entry.official if c != o}

    def _own_cells(self) -> list[list[str]]:
        """Rows of the own file without heading, cells in the order of `HEADINGS`."""
        if not self.path.is_file():
            return []
        try:
            text, _ = _decoded(self.path.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{self.path} 读不出来：{error}。请先改正或移开它。"
            raise VocabularyError(msg) from error
        first = text.partition("\n")[0]
        delimiter = "\t" if first.count("\t") > 1 else ","
        rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(r)]
        if not rows:
            return []
        heading = [cell.strip() for cell in rows[0]]
        if "口语" not in heading or "正式用语" not in heading:
            msg = f"{self.path} 没有表头“口语”“正式用语”，没有改动。请用 chadang vocabulary --check 看哪里不对。"
            raise VocabularyError(msg)
        return [
            [
                row[heading.index(name)].strip()
                if name in heading and heading.index(name) < len(row)
                else ""
                for name in HEADINGS
            ]
            for row in rows[1:]
        ]

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        write_csv(self.path, rows)
        self._loaded = None


def _drops(row: Sequence[str], entry: Entry) -> bool:
    value = _by_heading(row)
    return (
        value["类别"] == DROPPED
        and set(_words(value["口语"])) <= set(entry.colloquial)
        and set(_words(value["正式用语"])) <= set(entry.official)
    )


def _by_heading(row: Sequence[str]) -> dict[str, str]:
    return {name: row[i] if i < len(row) else "" for i, name in enumerate(HEADINGS)}


def entry_cells(entry: Entry) -> list[str]:
    """A row as it is written into a file."""
    return [
        "/".join(entry.colloquial),
        "/".join(entry.official),
        str(entry.first_year or ""),
        str(entry.last_year or ""),
        entry.category,
        "双向" if entry.two_way else "单向",
        "/".join(entry.exceptions),
        entry.note,
    ]


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows under the headings, as Excel opens it: UTF-8 with BOM; aside, then renamed.

    Raises:
        VocabularyError: If it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows([*row, *[""] * (len(HEADINGS) - len(row))] for row in rows)
    aside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(text.getvalue().encode("utf-8-sig"))
        aside.replace(path)
    except OSError as error:
        msg = f"{path} 写不进去：{error}。请检查目录和权限。"
        raise VocabularyError(msg) from error
