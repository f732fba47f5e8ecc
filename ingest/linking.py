"""Linking (挂接): which files belong to which catalogue row.

By the path a row names; else by 档号: a file `<档号>.pdf`, files `<档号>-0001.jpg` …, or a folder
`<档号>/`. Where that finds nothing, codes are compared without separators (file names drop `·` and
`-`) and without leading zeros (spreadsheets drop those), as long as one row alone is meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import Final

from index.codes import reference_key
from index.domain import Skipped
from ingest.catalogue import CatalogueRow, Withheld
from ingest.code_set import CodeSet

_PAGE_SUFFIX: Final = re.compile(
    r"(?P<code>.*[^\s\-_.·(（])\s*[\-_.·(（ ]\s*[pP]?(?P<page>\d{1,5})[)）]?$"
)


@dataclass(frozen=True, slots=True)
class Linked:
    """The outcome of linking.

    Attributes:
        files: For each catalogue row its files in page order, empty when it has none.
        loose: Files without a row.
        withheld: Files of rows that must not be taken in.
        warnings: Rows whose named path does not exist.
        shared: (file, places of the rows) for files that several rows mean: given to none.
    """

    files: tuple[tuple[str, ...], ...]
    loose: tuple[str, ...]
    withheld: tuple[str, ...]
    warnings: tuple[Skipped, ...]
    shared: tuple[tuple[str, tuple[int, ...]], ...] = ()


def link(
    rows: Sequence[tuple[str, CatalogueRow]],
    withheld: Sequence[tuple[str, Withheld]],
    paths: Iterable[str],
) -> Linked:
    """Link files to rows.

    Sure links go first for all rows, so that a weak one never takes another row's file: the path
    a row names, then a file named by the code, a folder named by it, a code with a page number
    behind it, a code that lost its separators, and last one that lost its leading zeros (both only
    where that is unambiguous).

    Args:
        rows: (folder of the catalogue below the ingested folder, row) for every row.
        withheld: The same for rows with a state secret mark.
        paths: Files below the ingested folder, POSIX form.

    Returns:
        Every file in exactly one of `files`, `loose`, `withheld` or `shared`; a file that a withheld row
        could mean is withheld.
    """
    finder = _Finder(paths)
    warnings: list[Skipped] = []
    certain = {key for _, row in rows for key in map(reference_key, row.keys)}
    secret: set[str] = set()
    codes = [key for _, hidden in withheld for key in hidden.keys]
    hidden_codes = CodeSet(codes, certain)
    if codes:
        secret |= {path for path in finder.paths if hidden_codes.begins_path(path)}
    for folder, hidden in withheld:
        secret |= set(finder.named(folder, hidden.path))
        for key in map(reference_key, hidden.keys):
            for lookup in finder.by_code:
                secret |= set(lookup.get(key, ()))
            secret |= {
                path
                for path in finder.squeezed.get(_squeezed(key), ())
                if finder.stem_key(path) not in certain
            }
    taken: set[str] = set(secret)
    files: list[list[str]] = [[] for _ in rows]
    shared: dict[str, tuple[int, ...]] = {}

    def give(claims: Mapping[int, Iterable[str]]) -> None:
        """Give every file to the one row that claims it; of several nobody knows which is meant."""
        wanting: dict[str, list[int]] = {}
        for number, found in claims.items():
            for path in dict.fromkeys(found):
                if path not in taken:
                    wanting.setdefault(path, []).append(number)
        for path, numbers in wanting.items():
            taken.add(path)
            if len(numbers) == 1:
                files[numbers[0]].append(path)
            else:
                shared[path] = tuple(numbers)

    named = [finder.named(folder, row.path) for folder, row in rows]
    for (_, row), found in zip(rows, named, strict=True):
        if row.path and not found:
            warnings.append(
                Skipped(
                    f"{row.record.source_file} 第 {row.record.source_row} 行",
                    f"目录所记的文件 {row.path} 不存在",
                    "请核对路径，或补上文件",
                )
            )
    # A file that one row names and another's folder holds is the former's.
    give({number: found for number, found in enumerate(named) if len(found) == 1})
    give({number: found for number, found in enumerate(named) if len(found) > 1})
    keys = [[reference_key(key) for key in row.keys] for _, row in rows]

    def claim(find: Callable[[str], Iterable[str]]) -> dict[int, list[str]]:
        """What the rows without a file claim by the first of their codes that finds any."""
        claims: dict[int, list[str]] = {}
        for number, mine in enumerate(keys):
            if files[number]:
                continue
            tried = ([path for path in find(key) if path not in taken] for key in mine)
            if found := next(filter(None, tried), None):
                claims[number] = found
        return claims

    for lookup in finder.by_code:
        give(claim(partial(_listed, lookup)))
    meant = Counter(_squeezed(key) for key in certain)

    def squeezed(key: str) -> list[str]:
        short = _squeezed(key)
        found = finder.squeezed.get(short, []) if short and meant[short] == 1 else []
        return found if len({finder.stem_key(p) for p in found if p not in taken}) == 1 else []

    give(claim(squeezed))
    bare_meant = Counter(map(_without_zeros, certain))

    for lookup in finder.without_zeros:
        give(claim(partial(_listed_bare, lookup, bare_meant)))
    loose = [path for path in finder.paths if path not in taken]
    return Linked(
        tuple(map(tuple, files)), tuple(loose), tuple(sorted(secret)), tuple(warnings),
        tuple(shared.items()),
    )  # fmt: skip


def _squeezed(key: str) -> str:
    return key.replace("-", "")


def _without_zeros(key: str) -> str:
    return re.sub(r"(?<![0-9A-Z])0+(?=\d)", "", key)


def _listed(lookup: Mapping[str, Sequence[str]], key: str) -> Sequence[str]:
    return lookup.get(key, ())


def _listed_bare(
    lookup: Mapping[str, Sequence[str]], meant: Mapping[str, int], key: str
) -> Sequence[str]:
    short = _without_zeros(key)
    return lookup.get(short, ()) if meant[short] == 1 and re.search(r"\d-.*\d", short) else ()


class _Finder:
    """Looks files up by path, by name and by code.

    Attributes:
        by_code: Code key to files, surest first: file named by the code, folder named by the
            code, file named by the code with a page number behind it.
        squeezed: Code key without separators to the files whose name has it.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = sorted(paths, key=natural_key)
        self._known = set(self.paths)
        self._by_name: dict[str, list[str]] = {}
        self._by_folder: dict[str, list[str]] = {}
        self._stem_keys: dict[str, str] = {}
        by_stem: dict[str, list[str]] = {}
        by_folder: dict[str, list[str]] = {}
        by_page: dict[str, list[str]] = {}
        self.by_code: tuple[Mapping[str, list[str]], ...] = (by_stem, by_folder, by_page)
        self.squeezed: dict[str, list[str]] = {}
        for path in self.paths:
            pure = PurePosixPath(path)
            self._by_name.setdefault(pure.name.casefold(), []).append(path)
            self._by_name.setdefault(pure.stem.casefold(), []).append(path)
            for parent in pure.parents:
                if str(parent) != ".":
                    self._by_folder.setdefault(str(parent), []).append(path)
            key = reference_key(pure.stem)
            self._stem_keys[path] = key
            by_stem.setdefault(key, []).append(path)
            self.squeezed.setdefault(_squeezed(key), []).append(path)
            match = _PAGE_SUFFIX.fullmatch(pure.stem)
            if match:
                by_page.setdefault(reference_key(match["code"]), []).append(path)
        for folder, inside in self._by_folder.items():
            parts = PurePosixPath(folder).parts
            # 全宗/目录/案卷 as nested folders spell a code too.
            for first in range(len(parts)):
                key = reference_key("-".join(parts[first:]))
                by_folder.setdefault(key, []).extend(inside)

    def named(self, folder: str, path: str) -> list[str]:
        """Files a row names by path, from the catalogue's folder or from the top, or by name."""
        wanted = path.strip().replace("\\", "/").lstrip("/")
        if not wanted:
            return []
        for base in dict.fromkeys((folder, "")):
            full = _normal(f"{base}/{wanted}" if base else wanted)
            if full in self._known:
                return [full]
            if full in self._by_folder:
                return list(self._by_folder[full])
        same = self._by_name.get(PurePosixPath(wanted).name.casefold(), [])
        return list(same) if len(same) == 1 else []

    @cached_property
    def without_zeros(self) -> tuple[Mapping[str, list[str]], ...]:
        """`by_code` under keys without leading zeros; a key that several spellings share is out."""
        bare: list[Mapping[str, list[str]]] = []
        for lookup in self.by_code:
            spellings: dict[str, set[str]] = {}
            for key in lookup:
                spellings.setdefault(_without_zeros(key), set()).add(key)
            bare.append(
                {
                    short: lookup[next(iter(keys))]
                    for short, keys in spellings.items()
                    if len(keys) == 1
                }
            )
        return tuple(bare)

    def stem_key(self, path: str) -> str:
        """The key of a file's name without suffix."""
        return self._stem_keys[path]


class Lookup:
    """Looks up the files that a code alone may mean, whatever row they were given to."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._finder = _Finder(paths)

    def of(self, key: str) -> list[str]:
        """Files named by the code, else those in a folder named by it, else its page files."""
        for lookups in (self._finder.by_code, self._finder.without_zeros):
            for lookup in lookups:
                spelled = key if lookups is self._finder.by_code else _without_zeros(key)
                if found := lookup.get(spelled):
                    return list(found)
        return []

    def pages(self, key: str) -> list[str]:
        """Files named by the code with a page number behind it, in page order."""
        return list(self._finder.by_code[2].get(key, ()))


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def natural_key(path: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts `2.jpg` before `10.jpg`."""
    return tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in re.split(r"(\d+)", path)
    )
