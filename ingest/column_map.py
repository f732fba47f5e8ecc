"""The mapping file (`chadang-columns.toml`): how one archive's catalogues are to be read.

Beside the catalogue, in a folder above it within the ingested folder, or in the home; the nearest
one counts. See `draft` for what it looks like.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Final

from index.codes import LocalValues, WidthProfile
from ingest.errors import CatalogueError
from ingest.headings import FIELD_OF_LABEL, LABELS, heading_key

MAPPING_FILE: Final = "chadang-columns.toml"
NOT_A_CATALOGUE: Final = "不是目录"
RAW: Final = "原样保存"
#: Kind as people write it → level of its records.
KINDS: Final[Mapping[str, str]] = {
    "归档文件目录": "件", "案卷目录": "案卷", "卷内文件目录": "卷内文件", NOT_A_CATALOGUE: "",
}  # fmt: skip
#: Part as people write it → attribute of `ReferenceCode`.
_PARTS: Final[Mapping[str, str]] = {
    "全宗号": "fonds", "门类": "category", "目录号": "catalog", "年度": "year",
    "保管期限": "retention", "机构": "organ", "分类号": "organ", "案卷号": "volume",
    "件号": "item", "页号": "page",
}  # fmt: skip
_KEYS: Final = frozenset(
    {"file", "sheet", "kind", "header_row", "fonds", "catalog", "columns", "code_widths"}
)


@dataclass(frozen=True, slots=True)
class SheetRule:
    """How the sheets that a rule names are to be read.

    Attributes:
        file: Pattern for the catalogue's path or name (`*` and `?`).
        sheet: Pattern for the sheet's name.
        kind: One of `KINDS`, empty to find out.
        header_row: Number of the heading row, 0 to find out.
        fonds: 全宗号 of rows that give none.
        catalog: 目录号 of rows that give none.
        columns: Field by heading key; an empty field keeps the column raw.
        local: Width profile of codes without separators.
        source: The mapping file, for messages.
    """

    file: str = "*"
    sheet: str = "*"
    kind: str = ""
    header_row: int = 0
    fonds: str = ""
    catalog: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    local: LocalValues = field(default_factory=LocalValues)
    source: str = ""


NO_RULE: Final = SheetRule()


def load_rules(path: Path, name: str) -> tuple[SheetRule, ...]:
    """Read a mapping file.

    Args:
        path: The file.
        name: How it is called in messages.

    Raises:
        CatalogueError: If it cannot be read or says something unknown; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{name} 读不出来（{error}），请存为 UTF-8 编码的文本文件"
        raise CatalogueError(msg) from error
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        where = f" 第 {place[1]} 行" if place else ""
        msg = f"{name}{where}不合 TOML 格式（{error}）。文字要加英文双引号，请对照说明改正"
        raise CatalogueError(msg) from error
    reader = _Reader(text, name)
    unknown = body.keys() - {"catalogue"}
    if unknown:
        reader.fail(min(unknown), f"不认识“{min(unknown)}”，每一条应写在 [[catalogue]] 下面")
    listed = body.get("catalogue", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        reader.fail("catalogue", "应写成 [[catalogue]]（两层方括号）")
    return tuple(reader.rule(item) for item in listed)


class _Reader:
    """Turns the parsed file into rules; knows the line of what it complains about."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.split("\n")
        self._name = name

    def fail(self, word: str, reason: str) -> None:
        line = next((i for i, text in enumerate(self._lines, 1) if word and word in text), 0)
        where = f" 第 {line} 行" if line else ""
        msg = f"对照表 {self._name}{where}：{reason}"
        raise CatalogueError(msg)

    def rule(self, item: Mapping[str, Any]) -> SheetRule:
        for key in item:
            if key not in _KEYS:
                self.fail(key, f"不认识“{key}”，可用的有 {'、'.join(sorted(_KEYS))}")
        for key in ("file", "sheet", "kind", "fonds", "catalog"):
            if not isinstance(item.get(key, ""), str):
                self.fail(key, f'{key} 的值要加双引号，例如 {key} = "0012"')
        kind = item.get("kind", "")
        if kind and kind not in KINDS:
            self.fail(kind, f"kind 不能是“{kind}”，可用的有 {'、'.join(KINDS)}")
        header_row = item.get("header_row", 0)
        if not isinstance(header_row, int) or isinstance(header_row, bool) or header_row < 0:
            self.fail("header_row", "header_row 应是表头所在的行号，例如 header_row = 4")
        return SheetRule(
            item.get("file", "*"), item.get("sheet", "*"), kind, header_row,
            item.get("fonds", ""), item.get("catalog", ""), self._columns(item.get("columns", {})),
            self._local(item), self._name,
        )  # fmt: skip

    def _columns(self, given: Any) -> dict[str, str]:
        if not isinstance(given, dict):
            self.fail("columns", 'columns 应写成 [catalogue.columns]，下面一行一个 "表头" = "字段"')
        columns: dict[str, str] = {}
        for heading, label in given.items():
            if label in ("", RAW):
                columns[heading_key(heading)] = ""
            elif label in FIELD_OF_LABEL:
                columns[heading_key(heading)] = FIELD_OF_LABEL[label]
            else:
                self.fail(
                    str(heading),
                    f"“{heading}”对应的字段“{label}”不认识，可用的有 "
                    f"{'、'.join(LABELS.values())}；不需要的写“{RAW}”",
                )
        return columns

    def _local(self, item: Mapping[str, Any]) -> LocalValues:
        widths = item.get("code_widths", [])
        example = '例如 code_widths = [["全宗号", 4], ["目录号", 3], ["案卷号", 4], ["件号", 3]]'
        if not isinstance(widths, list):
            self.fail("code_widths", f"code_widths 写法不对，{example}")
        parts = []
        for part in widths:
            good = isinstance(part, list) and len(part) == 2 and part[0] in _PARTS
            if not good or not isinstance(part[1], int) or not 1 <= part[1] <= 12:
                self.fail("code_widths", f"code_widths 写法不对，{example}")
            parts.append((_PARTS[part[0]], part[1]))
        if not parts:
            return LocalValues()
        return LocalValues(width_profiles=(WidthProfile("定长", tuple(parts)),))


class ColumnMaps:
    """Finds the mapping file for each catalogue."""

    def __init__(self, folder: Path, home: Path | None = None) -> None:
        """Look in `folder` (the ingested one) and below, then in `home`."""
        self._folder = folder
        self._home = home
        self._read: dict[Path, tuple[SheetRule, ...]] = {}

    def rules(self, name: str) -> tuple[SheetRule, ...]:
        """The rules that fit a catalogue, best first.

        Args:
            name: The catalogue's path below the ingested folder, POSIX form.

        Raises:
            CatalogueError: If the mapping file cannot be read.
        """
        pure = PurePosixPath(name)
        places = [self._folder / parent / MAPPING_FILE for parent in pure.parents]
        if self._home is not None:
            places.append(self._home / MAPPING_FILE)
        for place in places:
            if place.is_file():
                if place not in self._read:
                    self._read[place] = load_rules(place, _shown(place, self._folder))
                return tuple(
                    rule
                    for rule in self._read[place]
                    if fnmatchcase(name, rule.file) or fnmatchcase(pure.name, rule.file)
                )
        return ()


def _shown(place: Path, folder: Path) -> str:
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)


def rule_for(rules: Iterable[SheetRule], sheet: str) -> SheetRule:
    """The first rule for a sheet, `NO_RULE` when there is none."""
    return next((rule for rule in rules if fnmatchcase(sheet, rule.sheet)), NO_RULE)


def _quoted(text: str) -> str:
    """A TOML basic string: the escapes of JSON, control characters included."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def draft(sheets: Sequence[tuple[str, str, str, int, Sequence[tuple[str, str]]]]) -> str:
    """A mapping file to edit, with what was recognised filled in.

    Args:
        sheets: (catalogue name, sheet name, kind, heading row, (heading, field) pairs).
    """
    lines = [
        f"# 目录对照表：存为 {MAPPING_FILE}，放在目录表旁边（或上级文件夹、馆藏目录）。",
        "# 左边是表里的表头，右边是字段；“原样保存”的列随条目保存、可查看，不参与识别。",
        f"# 字段：{'、'.join(LABELS.values())}。",
        f"# kind：{'、'.join(KINDS)}。header_row 是表头所在的行号。",
        '# 表里没有全宗号、目录号的，可写 fonds = "0012"、catalog = "1"；',
        '# 档号没有分隔符的，写 code_widths = [["全宗号", 4], ["目录号", 3], ["案卷号", 4], ["件号", 3]]。',
    ]
    for name, sheet, kind, row, columns in sheets:
        lines += ["", "[[catalogue]]", f"file = {_quoted(_literal(name))}"]
        if sheet:
            lines.append(f"sheet = {_quoted(_literal(sheet))}")
        if kind:
            lines.append(f"kind = {_quoted(kind)}")
        if row:
            lines.append(f"header_row = {row}")
        lines.append("[catalogue.columns]")
        written: set[str] = set()
        for heading, name_of_field in columns:
            if heading not in written:
                written.add(heading)
                lines.append(f"{_quoted(heading)} = {_quoted(LABELS.get(name_of_field, RAW))}")
    return "\n".join(lines) + "\n"


def _literal(text: str) -> str:
    """A name as a pattern that only matches itself."""
    return re.sub(r"([*?\[])", r"[\1]", text)
