"""Zip packages (OFD, Office) opened with care: sizes, entries and XML are bounded, DTDs refused."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from index.errors import ArchiveError

_MOST_ENTRIES: Final = 20_000
_LARGEST_ENTRY: Final = 64 * 1024 * 1024
_LARGEST_TOTAL: Final = 500_000_000
#: Plain XML packs to a twentieth or so; 200 times is a bomb. Small files are never bombs.
_LARGEST_RATIO: Final = 200
_SMALL: Final = 2_000_000
_DEEPEST: Final = 200
_MOST_ELEMENTS: Final = 1_000_000


class PackageError(ArchiveError):
    """A package cannot be opened, or something in it cannot be read."""


class LockedPackageError(PackageError):
    """A package is encrypted."""


class Package:
    """An open zip package. Names are compared without regard to case, as writers differ in it."""

    def __init__(self, source: Path | BinaryIO, name: str) -> None:
        """Open a package and check its directory.

        Args:
            source: The file.
            name: What to call it in messages.

        Raises:
            LockedPackageError: If entries are encrypted.
            PackageError: If it is no package, damaged, or unpacks to something absurd.
        """
        self.name = name
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            msg = f"{name} 打不开：压缩包结构已损坏（{error}）"
            raise PackageError(msg) from error
        try:
            self._check()
        except PackageError:
            self._zip.close()
            raise
        self._entries = {
            _normal(item.filename): item for item in self._zip.infolist() if not item.is_dir()
        }

    def _check(self) -> None:
        items = self._zip.infolist()
        if len(items) > _MOST_ENTRIES:
            msg = f"{self.name} 内有 {len(items)} 个文件，超过上限 {_MOST_ENTRIES}，没有读取"
            raise PackageError(msg)
        total = sum(item.file_size for item in items)
        packed = sum(item.compress_size for item in items)
        if total > _LARGEST_TOTAL or (total > _SMALL and total > _LARGEST_RATIO * max(1, packed)):
            msg = f"{self.name} 解开后有 {total / 1e6:.0f} MB，疑为压缩炸弹，没有读取"
            raise PackageError(msg)
        if any(item.flag_bits & 1 for item in items):
            msg = f"{self.name} 的压缩包设有密码，没有读取"
            raise LockedPackageError(msg)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __contains__(self, path: str) -> bool:
        return _normal(path) in self._entries

    def names(self) -> list[str]:
        """Paths of all entries, lower case."""
        return list(self._entries)

    def find(self, *paths: str) -> str | None:
        """The first of these paths that exists; else the only entry with the last one's name."""
        for path in paths:
            if path in self:
                return _normal(path)
        wanted = "/" + _normal(paths[-1]).rpartition("/")[2]
        same = [name for name in self._entries if ("/" + name).endswith(wanted)]
        return same[0] if len(same) == 1 else None

    def read(self, path: str) -> bytes:
        """The bytes of an entry.

        Raises:
            PackageError: If it is missing, damaged or too large.
        """
        item = self._entries.get(_normal(path))
        if item is None:
            msg = f"{self.name} 里缺少 {path}"
            raise PackageError(msg)
        if item.file_size > _LARGEST_ENTRY:
            msg = f"{self.name} 里的 {path} 有 {item.file_size / 1e6:.0f} MB，超过上限，没有读取"
            raise PackageError(msg)
        try:
            return self._zip.read(item)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError,
                NotImplementedError) as error:  # fmt: skip
            msg = f"{self.name} 里的 {path} 已损坏（{error}）"
            raise PackageError(msg) from error

    def xml(self, path: str) -> Element:
        """The root element of an XML entry; tags and attributes without their namespace.

        Raises:
            PackageError: If it cannot be read or is not acceptable XML.
        """
        try:
            return parse_xml(self.read(path))
        except ValueError as error:
            msg = f"{self.name} 里的 {path} 不是有效的 XML（{error}）"
            raise PackageError(msg) from error


def _normal(path: str) -> str:
    parts = posixpath.normpath(path.replace("\\", "/").strip().lstrip("/")).split("/")
    return "/".join(part for part in parts if part != "..").lower()


def parse_xml(data: bytes) -> Element:
    """Parse XML that may be hostile.

    Returns:
        The root; tags and attribute names come without their namespace.

    Raises:
        ValueError: If it is not well formed, declares a document type (DTD), nests too deeply or
            has too many elements.
    """
    builder = TreeBuilder()
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth += 1
        count += 1
        if depth > _DEEPEST:
            msg = f"嵌套超过 {_DEEPEST} 层"
            raise ValueError(msg)
        if count > _MOST_ELEMENTS:
            msg = f"元素超过 {_MOST_ELEMENTS} 个"
            raise ValueError(msg)
        builder.start(_local(tag), {_local(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(tag))

    def refuse(*_: object) -> None:
        msg = "带有文档类型声明（DTD）"
        raise ValueError(msg)

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(_in_utf8(data), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return builder.close()


def _in_utf8(data: bytes) -> bytes:
    """Chinese encodings, which expat does not know, as UTF-8."""
    declared = re.match(rb'\s*<\?xml[^>]{0,100}?encoding=["\']([\w-]{1,20})["\'][^>]*\?>', data)
    if declared is None or declared[1].lower() not in (b"gbk", b"gb2312", b"gb18030", b"big5"):
        return data
    encoding = "big5" if declared[1].lower() == b"big5" else "gb18030"
    return data[declared.end() :].decode(encoding).encode()


def _local(name: str) -> str:
    return name.rpartition("}")[2]
