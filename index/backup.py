"""Backups of a home: one packed file with every database, setting and table, and a manifest.

The databases are copied by SQLite's own backup, so that the server may go on. What can be rebuilt
(index, unpacked model, page images) is left out; vectors are in the database, so a restored home is
indexed without encoding anything again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from index.errors import ArchiveError
from index.packing import ENDINGS, packed, unpacked
from index.settings import Settings
from index.store import SCHEMA_VERSION, Store

#: Bumped when the layout of a backup changes.
FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
#: Rebuilt or remade at need, by the program itself.
_DERIVED: Final = frozenset({"index", "models", "cache", "tmp", "logs", "backups"})
_PASSING: Final = (".lock", ".log", ".new", ".pid", ".part", "-wal", "-shm", "-journal")
_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 200_000_000

Progress = Callable[[int, int], None]


class BackupError(ArchiveError):
    """A backup cannot be made or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        version: Version of the program that made it.
        schema: Version of the main database.
        created: ISO time.
        home: The folder it was made of.
        counts: As `Store.counts`.
        files: Name to (bytes, SHA-256 as hex), without the manifest itself.
        sources: Folders source files were taken from: (absolute path, folder in the backup).
    """

    version: str
    schema: int
    created: str
    home: str
    counts: Mapping[str, int]
    files: Mapping[str, tuple[int, str]]
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""
        return sum(size for size, _ in self.files.values())

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return {
            "format": FORMAT,
            "product": "chadang",
            "version": self.version,
            "schema": self.schema,
            "created": self.created,
            "home": self.home,
            "counts": dict(self.counts),
            "files": [
                {"name": name, "bytes": size, "sha256": digest}
                for name, (size, digest) in self.files.items()
            ],
            "sources": [{"root": root, "folder": folder} for root, folder in self.sources],
        }

    @classmethod
    def from_json(cls, body: Any) -> Manifest:
        """The manifest as written.

        Raises:
            BackupError: If it is none of ours, or of another format.
        """
        try:
            if body["product"] != "chadang":
                raise ValueError(body["product"])
            made = int(body["format"])
            if made != FORMAT:
                msg = f"备份的格式版本是 {made}，本程序只认 {FORMAT}。请用制作它的程序版本恢复。"
                raise BackupError(msg)
            return cls(
                str(body["version"]),
                int(body["schema"]),
                str(body["created"]),
                str(body["home"]),
                {str(name): int(count) for name, count in body["counts"].items()},
                {str(f["name"]): (int(f["bytes"]), str(f["sha256"])) for f in body["files"]},
                tuple((str(s["root"]), str(s["folder"])) for s in body["sources"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = "备份里的清单读不懂。请换一份备份。"
            raise BackupError(msg) from error


# -- making one -----------------------------------------------------------------------------------


def back_up(
    settings: Settings,
    target: Path,
    *,
    version: str,
    now: str,
    with_sources: bool = False,
    catalogue_endings: Collection[str] = (),
    mapping_file: str = "",
    progress: Progress | None = None,
) -> Manifest:
    """Write a backup of a home; it may be in use.

    The file appears under its name only once it is whole and was read back; it can be read by its
    owner only, for it holds the settings with their secrets.

    Args:
        settings: The home.
        target: Name of the backup, ending in one of `ENDINGS`; must not exist.
        version: Of the program, for the manifest.
        now: ISO time.
        with_sources: Take in the source files, too: those that are in the holdings, and the tables
            beside them.
        catalogue_endings: Endings (lower case, with dot) of catalogue tables.
        mapping_file: Name of the file beside a catalogue that says what its columns are.
        progress: Called with (bytes done, bytes in all); twice over, writing and reading back.

    Raises:
        BackupError: If it cannot be written, or what was written does not read back.
        IndexNotFoundError: If there is no home.
    """
    target = target.expanduser().resolve()
    home = settings.home
    _check_target(target, home)
    store = Store(settings.database_path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _staging(home) as staging:
            inside = dict(_home_files(home, store, staging))
            sources: list[tuple[str, str]] = []
            if with_sources:
                for root, folder, found in _sources(store, catalogue_endings, mapping_file):
                    sources.append((root, folder))
                    inside |= found
            total = 2 * sum(path.stat().st_size for path in inside.values())
            tell = _Meter(total, progress)
            snapshot = Store(staging / settings.database_path.name)
            counts = snapshot.counts()
            snapshot.close()
            _drop_journals(staging)
            manifest = _write(
                part, target.name, inside, tell,
                lambda files: Manifest(
                    version, SCHEMA_VERSION, now, str(home), counts, files, tuple(sources)
                ),
            )  # fmt: skip
            if _read(part, target.name, None, tell) != manifest:
                msg = f"{target.name} 写完后读回来不一样，没有保存。请检查磁盘后再试。"
                raise BackupError(msg)
        _publish(part, target)
        store.set_meta("last_backup", now)
        return manifest
    except OSError as error:
        msg = f"备份写不成：{error}。请检查 {target.parent} 的空间和权限。"
        raise BackupError(msg) from error
    finally:
        part.unlink(missing_ok=True)
        store.close()


def _check_target(target: Path, home: Path) -> None:
    if not target.name.endswith(ENDINGS):
        msg = f"备份文件名请以 {' 或 '.join(ENDINGS)} 结尾，例如 chadang-20261123.tar.zst。"
        raise BackupError(msg)
    if target.exists() or target.is_symlink():
        msg = f"{target} 已经存在，没有覆盖。请换一个文件名。"
        raise BackupError(msg)
    if not target.parent.is_dir():
        msg = f"{target.parent} 不存在。请先建好存放备份的文件夹。"
        raise BackupError(msg)
    if home in target.parents:
        msg = f"请把备份放在馆藏目录 {home} 之外，最好在另一块磁盘上。"
        raise BackupError(msg)
    for old in target.parent.glob(f".{target.name}.*.part"):
        if not _alive(old.name.split(".")[-2]):
            old.unlink(missing_ok=True)


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder for the copies of the databases; what a killed backup left behind goes first."""
    above = home / "tmp"
    above.mkdir(exist_ok=True)
    for old in above.glob("backup-*"):
        if not _alive(old.name.removeprefix("backup-")):
            shutil.rmtree(old, ignore_errors=True)
    staging = above / f"backup-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True


def _home_files(home: Path, store: Store, staging: Path) -> Iterator[tuple[str, Path]]:
    """Name in the backup and path of everything of a home that cannot be made again."""
    roots = {Path(file.root) for file in store.files().values()}
    found = [
        path
        for path in sorted(home.iterdir())
        if not (path.is_symlink() or path.name.startswith(".") or path.name.endswith(_PASSING))
    ]
    kept = staging / "files"
    kept.mkdir()
    # Before the databases: a note of how far a register goes may lag behind it, never lead.
    for path in found:
        if path.is_file() and path.suffix != ".sqlite3":
            shutil.copy2(path, kept / path.name)
            yield f"home/{path.name}", kept / path.name
    for path in found:
        if path.is_file() and path.suffix == ".sqlite3":
            copy = staging / path.name
            _copy_database(path, copy)
            yield f"home/{path.name}", copy
        elif path.is_dir() and path.name not in _DERIVED:
            for file in sorted(path.rglob("*")):
                # Folders that were taken in are no part of the home, wherever they lie.
                if file.is_symlink() or not file.is_file() or roots & {file, *file.parents}:
                    continue
                yield f"home/{file.relative_to(home).as_posix()}", file


def _copy_database(path: Path, copy: Path) -> None:
    """Copy a database as of one moment, whoever is writing to it."""
    try:
        with (
            closing(sqlite3.connect(path, timeout=30)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            # All pages in one step: in the write-ahead log a reader neither waits nor is waited
            # for, and a copy in several steps would begin anew with every write.
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            found = target.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        msg = f"{path} 读不出来：{error}。请运行 chadang doctor。"
        raise BackupError(msg) from error
    if found != "ok":
        msg = f"{path} 已损坏（{found}），没有备份。请用以前的备份恢复。"
        raise BackupError(msg)


def _drop_journals(staging: Path) -> None:
    """Fold back the write-ahead log that opening a copy has made."""
    for path in staging.glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")


def _sources(
    store: Store, endings: Collection[str], mapping_file: str
) -> Iterator[tuple[str, str, dict[str, Path]]]:
    """(folder, its place in the backup, files) of every folder that was taken in.

    Only files whose content is in the holdings, and the tables beside them: what was withheld or
    waits for review stays out of backups as well.
    """
    known = store.files()
    roots = sorted({file.root for file in known.values()})
    for number, root in enumerate(roots, start=1):
        top = Path(root)
        name = "".join(c for c in top.name if c.isalnum() or c in "-_") or "folder"
        folder = f"{number:02d}-{name}"
        found: dict[str, Path] = {}
        for place, file in known.items():
            path = Path(place)
            if file.root == root and file.state in ("ok", "partial") and path.is_file():
                found[f"sources/{folder}/{file.path}"] = path
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            table = path.suffix.lower() in endings or path.name == mapping_file
            if table and str(path) not in known and path.is_file() and not path.is_symlink():
                found[f"sources/{folder}/{path.relative_to(top).as_posix()}"] = path
        yield root, folder, found


def _write(
    part: Path,
    name: str,
    inside: Mapping[str, Path],
    tell: _Meter,
    manifest_of: Callable[[dict[str, tuple[int, str]]], Manifest],
) -> Manifest:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    files: dict[str, tuple[int, str]] = {}
    with os.fdopen(descriptor, "wb") as file:
        with (
            packed(name, file) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            for member, path in inside.items():
                with path.open("rb") as content:
                    # As long as it is now: a report may be written to meanwhile.
                    size = os.fstat(content.fileno()).st_size
                    counted = _Counted(content, size, tell)
                    archive.addfile(_entry(member, size, path.stat().st_mtime), counted)
                    files[member] = (size, counted.digest)
            manifest = manifest_of(files)
            # The last member: a backup that was cut off has none and is refused.
            body = json.dumps(manifest.to_json(), ensure_ascii=False, indent=1).encode()
            archive.addfile(_entry(_MANIFEST, len(body), 0), io.BytesIO(body))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _entry(name: str, size: int, modified: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, int(modified), 0o600
    return entry


class _Meter:
    """Adds up bytes for a progress line."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None and self._total:
            self._progress(min(self._done, self._total), self._total)


class _Counted(io.RawIOBase):
    """A file of so many bytes that hashes what is read of it."""

    def __init__(self, file: BinaryIO, size: int, tell: _Meter) -> None:
        super().__init__()
        self._file, self._left, self._tell = file, size, tell
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        self._hash.update(data)
        self._tell.add(len(data))
        return data


def _publish(part: Path, target: Path) -> None:
    """Give the whole file its name; never over another one."""
    try:
        os.link(part, target)
    except FileExistsError as error:
        msg = f"{target} 已经存在，没有覆盖。请换一个文件名。"
        raise BackupError(msg) from error
    except OSError:
        if target.exists():
            msg = f"{target} 已经存在，没有覆盖。请换一个文件名。"
            raise BackupError(msg) from None
        part.rename(target)  # a file system without hard links
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# -- reading one ----------------------------------------------------------------------------------


def verify(file: Path, progress: Progress | None = None) -> Manifest:
    """Read a backup through, compare every file with the manifest, write nothing.

    Raises:
        BackupError: If it is no backup, damaged or cut off; says what is wrong.
    """
    file = _existing(file)
    return _read(file, file.name, None, _Meter(0, progress))


def restore(
    file: Path, home: Path, *, finish: Callable[[Path], None], progress: Progress | None = None
) -> Manifest:
    """Lay a backup out as a new home.

    Everything is unpacked beside the new home and compared with the manifest; only then does it get
    its name. Source files come to lie in the home's own `sources` folder.

    Args:
        file: The backup.
        home: The new home; must not exist, or be an empty folder.
        finish: Called with the folder that will be the home, to build the index in it.
        progress: Called with (bytes read, bytes of the file).

    Raises:
        BackupError: If the home is taken, or the backup cannot be used; then nothing is changed.
    """
    file = _existing(file)
    home = home.expanduser().resolve()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        msg = f"{home} 已经有内容，没有覆盖。请用 --home 指定一个还不存在的目录。"
        raise BackupError(msg)
    home.parent.mkdir(parents=True, exist_ok=True)
    for old in home.parent.glob(f".{home.name}.*.restoring"):
        if not _alive(old.name.split(".")[-2]):
            shutil.rmtree(old, ignore_errors=True)
    staging = home.parent / f".{home.name}.{os.getpid()}.restoring"
    try:
        staging.mkdir(mode=0o700)
        manifest = _read(file, file.name, staging, _Meter(file.stat().st_size, progress))
        _check_databases(staging, manifest)
        if manifest.sources:
            store = Store(staging / "chadang.sqlite3")
            store.relocate({root: str(home / "sources" / at) for root, at in manifest.sources})
            store.close()
        finish(staging)
        if home.exists():
            home.rmdir()
        staging.rename(home)
        _sync_folder(home.parent)
    except OSError as error:
        msg = f"恢复没有做成：{error}。请检查 {home.parent} 的空间和权限。"
        raise BackupError(msg) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _existing(file: Path) -> Path:
    file = file.expanduser().resolve()
    if not file.is_file():
        msg = f"{file} 不存在。请给出备份文件。"
        raise BackupError(msg)
    if not file.name.endswith(ENDINGS):
        msg = f"{file.name} 不是备份文件，名字应以 {' 或 '.join(ENDINGS)} 结尾。"
        raise BackupError(msg)
    return file


def _read(file: Path, name: str, into: Path | None, tell: _Meter) -> Manifest:
    """Read a backup to its end, into a folder or nowhere; the manifest it agrees with."""
    found: dict[str, tuple[int, str]] = {}
    body = b""
    try:
        with (
            file.open("rb") as raw,
            unpacked(name, raw) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            before = 0
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or body:
                    msg = f"备份里的 {entry.name!r} 不该在这里，没有恢复。请换一份备份。"
                    raise BackupError(msg)
                if entry.name == _MANIFEST:
                    if entry.size > _LARGEST_MANIFEST:
                        msg = "备份里的清单大得不正常，没有恢复。"
                        raise BackupError(msg)
                    body = content.read()
                    continue
                place = _place(entry.name)
                if entry.name in found:
                    msg = f"备份里有两份 {entry.name!r}，没有恢复。请换一份备份。"
                    raise BackupError(msg)
                out = None if into is None else into / place
                found[entry.name] = _copy(content, out)
                tell.add(entry.size if into is None else raw.tell() - before)
                before = raw.tell()
            # To the very end, where the sum of the packed stream is.
            while stream.read(_CHUNK):
                pass
    except tarfile.TarError as error:
        msg = f"备份文件 {name} 已损坏或不完整（{error}）。请换一份备份。"
        raise BackupError(msg) from error
    if not body:
        msg = f"备份文件 {name} 不完整：没有清单。请换一份备份。"
        raise BackupError(msg)
    try:
        manifest = Manifest.from_json(json.loads(body))
    except ValueError as error:
        msg = "备份里的清单读不懂。请换一份备份。"
        raise BackupError(msg) from error
    for member in {**manifest.files, **found}:
        if manifest.files.get(member) != found.get(member):
            msg = f"备份里的 {member} 与清单不符，没有恢复。请换一份备份。"
            raise BackupError(msg)
    if manifest.schema > SCHEMA_VERSION:
        msg = f"备份是用较新的程序（{manifest.version}）做的，本程序读不了。请先升级程序。"
        raise BackupError(msg)
    return manifest


def _place(name: str) -> Path:
    """Where a member goes below the new home."""
    path = PurePosixPath(name)
    parts = path.parts
    if path.is_absolute() or ".." in parts or "\0" in name or len(parts) < 2:
        msg = f"备份里的 {name!r} 指向别处，没有恢复。这不是本程序做的备份。"
        raise BackupError(msg)
    if parts[0] == "home":
        return Path(*parts[1:])
    if parts[0] == "sources" and len(parts) > 2:
        return Path(*parts)
    msg = f"备份里的 {name!r} 不该在这里，没有恢复。这不是本程序做的备份。"
    raise BackupError(msg)


def _copy(content: Any, out: Path | None) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    target: BinaryIO | None = None
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        target = os.fdopen(descriptor, "wb")
    try:
        while data := content.read(_CHUNK):
            digest.update(data)
            size += len(data)
            if target is not None:
                target.write(data)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target is not None:
            target.close()
    return size, digest.hexdigest()


def _check_databases(staging: Path, manifest: Manifest) -> None:
    """Open every database of a home not yet in place; the holdings have to be all there."""
    for path in sorted(staging.glob("*.sqlite3")):
        try:
            with closing(sqlite3.connect(path)) as db:
                found = db.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            found = str(error)
        if found != "ok":
            msg = f"备份里的 {path.name} 已损坏（{found}），没有恢复。请换一份备份。"
            raise BackupError(msg)
    store = Store(staging / "chadang.sqlite3")
    counts = store.counts()
    store.close()
    if counts != dict(manifest.counts):
        msg = f"备份里的件数与清单不符（{counts} / {dict(manifest.counts)}），没有恢复。"
        raise BackupError(msg)


__all__ = ["FORMAT", "BackupError", "Manifest", "back_up", "restore", "verify"]
