"""Packed streams for backups: gzip from the standard library, Zstandard by `zstandard`."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

import zstandard

from index.errors import ArchiveError

#: Endings of a backup's name.
ENDINGS: Final = (".tar.zst", ".tar.gz")
_LEVEL: Final = 6


class PackingError(ArchiveError):
    """A packed stream is damaged or cut off; the message says what to do."""


@contextmanager
def packed(name: str, file: BinaryIO) -> Iterator[BinaryIO]:
    """A stream that packs what is written to it into `file`, by the ending of `name`."""
    if name.endswith(".tar.gz"):
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as stream:
            yield cast(BinaryIO, stream)
        return
    compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=-1, write_checksum=True)
    with compressor.stream_writer(file, closefd=False) as stream:
        yield cast(BinaryIO, stream)


@contextmanager
def unpacked(name: str, file: BinaryIO) -> Iterator[BinaryIO]:
    """A stream of what was packed into `file`, by the ending of `name`.

    Raises:
        PackingError: If the stream is damaged; raised where it is read.
    """
    try:
        if name.endswith(".tar.gz"):
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                yield cast(BinaryIO, stream)
            return
        with zstandard.ZstdDecompressor().stream_reader(
            file, read_across_frames=True, closefd=False
        ) as reader:
            yield cast(BinaryIO, reader)
    except (EOFError, zlib.error, zstandard.ZstdError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the stream
        msg = f"备份文件 {name} 已损坏或不完整（{error}）。请换一份备份。"
        raise PackingError(msg) from error


__all__ = ["ENDINGS", "PackingError", "packed", "unpacked"]
