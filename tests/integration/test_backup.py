"""Backups: whole, consistent while somebody writes, verified before anything is touched."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.assistant import open_assistant
from assistant.domain import Answer
from assistant.register import Action, Register
from index.backup import BackupError, back_up, restore, verify
from index.domain import Reader, Role
from index.packing import PackingError
from index.settings import Settings, load_settings
from index.store import Store
from ingest.catalogue import CATALOGUE_SUFFIXES
from ingest.pipeline import ingest
from tests.conftest import ROOT
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui.cli import main
from ui.doctor import examine
from ui.terminal import result_json

NOW = "2026-11-23T09:00:00+08:00"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with something of everything, taken in from a folder beside it."""
    folder = tmp_path / "馆藏"
    write_text_pdf(
        folder / "0012-1998-Y-0001.pdf", [["关于城市管理工作情况的报告，一切正常。"]] * 3
    )
    (folder / "密件.txt").write_text("机密★\n某事\n", encoding="utf-8")
    (folder / "来信.txt").write_text("关于来信的答复\n", encoding="utf-8")
    rows = [["档号", "题名"], ["0012-1998-Y-0001", "城市管理报告"]]
    write_workbook(folder / "目录.xlsx", {"目录": rows})
    home = tmp_path / "home"
    home.mkdir()
    (home / "chadang.toml").write_text(
        'archive_name = "示例档案馆"\nllm_api_key = "sk-x"\n', "utf-8"
    )
    (home / "vocabulary.csv").write_text("口语,正式用语\n电驴,电动自行车\n", "utf-8")
    store, settings = open_home(home)
    ingest(folder, store, settings)
    store.close()
    with sqlite3.connect(home / "accounts.sqlite3") as db:
        db.execute("CREATE TABLE users (name TEXT)")
        db.execute("INSERT INTO users VALUES ('张档')")
    db.close()
    for name in ("cache/pages/1.jpg", "logs/chadang.log", "tmp/x", "index/gen-1/y"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("derived", "utf-8")
    return settings


def make(settings: Settings, file: Path, **more: Any) -> Path:
    back_up(
        settings, file, version="查档 0.1.0", now=NOW, catalogue_endings=CATALOGUE_SUFFIXES, **more
    )
    return file


def no_finish(_: Path) -> None:
    """Build no index."""


def members(file: Path) -> list[str]:
    with tarfile.open(file) as archive:
        return archive.getnames()


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.zst"])
def test_what_was_backed_up_comes_back(settings: Settings, tmp_path: Path, ending: str) -> None:
    file = make(settings, tmp_path / f"a{ending}")
    assert file.stat().st_mode & 0o077 == 0, "it holds secrets"
    manifest = verify(file)
    assert manifest.counts["records"] == 2
    assert set(manifest.files) >= {
        "home/chadang.sqlite3", "home/accounts.sqlite3", "home/chadang.toml", "home/vocabulary.csv",
    }  # fmt: skip
    assert not [n for n in manifest.files if "cache" in n or "logs" in n or "index" in n]
    assert not [n for n in manifest.files if "tmp" in n or n.endswith((".lock", "-wal"))]

    new = tmp_path / "new"
    restore(file, new, finish=no_finish)

    for name in ("chadang.toml", "vocabulary.csv"):
        assert (new / name).read_bytes() == (settings.home / name).read_bytes()
    with sqlite3.connect(new / "accounts.sqlite3") as copy:
        assert copy.execute("SELECT name FROM users").fetchall() == [("张档",)]
    copy.close()
    store = Store(new / "chadang.sqlite3")
    before = Store(settings.database_path)
    assert store.records() == before.records()
    assert store.check() == []
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name or "part" in p.name] == []


def test_sources_come_along_without_what_was_withheld(settings: Settings, tmp_path: Path) -> None:
    """This test ensures that a restored home opens its pages, and no secret file is spread."""
    file = make(settings, tmp_path / "a.tar.gz", with_sources=True)
    assert {n for n in members(file) if n.startswith("sources/")} == {
        f"sources/01-馆藏/{name}" for name in ("0012-1998-Y-0001.pdf", "来信.txt", "目录.xlsx")
    }
    shutil.rmtree(tmp_path / "馆藏")
    new = tmp_path / "new"
    restore(file, new, finish=no_finish)

    store, moved = open_home(new)
    for stored in store.files().values():
        if stored.state == "ok":
            assert (Path(stored.root) / stored.path).is_file()
            assert Path(stored.root).is_relative_to(new)
    # Taken in again from there, nothing is new and nothing goes.
    version = store.data_version
    report = ingest(new / "sources" / "01-馆藏", store, moved)
    assert (report.records_added, report.records_removed, report.records_updated) == (0, 0, 0)
    assert store.data_version == version


def test_a_folder_taken_in_from_inside_the_home_is_a_source(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "papers" / "deep"
    folder.mkdir(parents=True)
    (folder / "一.txt").write_text("一件事", "utf-8")
    (folder / "密.txt").write_text("绝密★\n", "utf-8")
    store, settings = open_home(tmp_path / "home")
    ingest(folder, store, settings)
    assert not [n for n in members(make(settings, tmp_path / "a.tar.gz")) if "papers" in n]


def test_a_backup_under_writing_is_of_one_moment(settings: Settings, tmp_path: Path) -> None:
    """This test ensures that a writer neither spoils the copy nor has to wait for it."""
    store = Store(settings.database_path)
    record = store.records()[0]
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        own = Store(settings.database_path)
        while not stop.is_set():
            # Two notes that are equal in every moment.
            with own.writing() as cursor:
                for key in ("one", "two"):
                    cursor.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(written)))
            written += 1
        own.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written < 5:
            time.sleep(0.01)
        for i in range(4):
            make(settings, tmp_path / f"{i}.tar.zst")
    finally:
        stop.set()
        writer.join()
    for i in range(4):
        restore(tmp_path / f"{i}.tar.zst", tmp_path / f"new{i}", finish=no_finish)
        copy = Store(tmp_path / f"new{i}" / "chadang.sqlite3")
        assert copy.meta("one") == copy.meta("two") is not None
        assert copy.record(record.record_id) == record
        copy.close()


def test_a_register_under_writing_comes_back_whole(settings: Settings, tmp_path: Path) -> None:
    """This test ensures that the chain of uses verifies after a restore, and can go on."""
    register = Register(settings.home / "register.sqlite3")
    reader = Reader(Role.ARCHIVIST, "张档")
    register.write(reader, Action.ASK, question="一")
    stop = threading.Event()

    def write() -> None:
        own = Register(settings.home / "register.sqlite3")
        while not stop.is_set():
            own.write(reader, Action.ASK, question="又一问")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for i in range(4):
            make(settings, tmp_path / f"{i}.tar.zst")
    finally:
        stop.set()
        writer.join()
    for i in range(4):
        restore(tmp_path / f"{i}.tar.zst", tmp_path / f"new{i}", finish=no_finish)
        copy = Register(tmp_path / f"new{i}" / "register.sqlite3")
        assert copy.verify().intact
        copy.write(reader, Action.ASK, question="恢复之后")
        assert copy.verify().intact


def test_nothing_is_overwritten(settings: Settings, tmp_path: Path) -> None:
    file = make(settings, tmp_path / "a.tar.gz")
    before = file.read_bytes()
    with pytest.raises(BackupError, match="已经存在"):
        make(settings, file)
    assert file.read_bytes() == before
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("x", "utf-8")
    with pytest.raises(BackupError, match="已经有内容"):
        restore(file, taken, finish=no_finish)
    assert [p.name for p in taken.iterdir()] == ["mine"]
    with pytest.raises(BackupError, match="之外"):
        make(settings, settings.home / "b.tar.gz")
    with pytest.raises(BackupError, match="结尾"):
        make(settings, tmp_path / "b.zip")
    with pytest.raises(BackupError, match="不存在"):
        make(settings, tmp_path / "no" / "b.tar.gz")


def _rewritten(file: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    with tarfile.open(file) as archive:
        items = [
            (m, archive.extractfile(m).read() if m.isreg() else b"")  # type: ignore[union-attr]
            for m in archive
        ]
    change(items)
    with tarfile.open(file, "w:gz") as archive:
        for member, body in items:
            member.size = len(body) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(body))


def _named(name: str, body: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> Any:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry, body


DAMAGE: dict[str, Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]] = {
    "changed": lambda items: items.__setitem__(0, (items[0][0], b"0" + items[0][1][1:])),
    "missing": lambda items: items.pop(0) and None,
    "no manifest": lambda items: items.pop() and None,
    "added": lambda items: items.insert(0, _named("home/more.txt")),
    "twice": lambda items: items.insert(0, items[0]),
    "outside": lambda items: items.insert(0, _named("home/../../evil")),
    "absolute": lambda items: items.insert(0, _named("/tmp/evil")),  # noqa: S108
    "elsewhere": lambda items: items.insert(0, _named("etc/evil")),
    "link": lambda items: items.insert(0, _named("home/l", b"", tarfile.SYMTYPE)),
    "device": lambda items: items.insert(0, _named("home/l", b"", tarfile.CHRTYPE)),
    "after the end": lambda items: items.append(_named("home/more.txt")),
    "no json": lambda items: items.__setitem__(-1, (items[-1][0], b"{")),
    "another's": lambda items: items.__setitem__(-1, (items[-1][0], b'{"product": "x"}')),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_backup_that_is_not_whole_changes_nothing(
    settings: Settings, tmp_path: Path, damage: str
) -> None:
    file = make(settings, tmp_path / "a.tar.gz")
    _rewritten(file, DAMAGE[damage])

    with pytest.raises(BackupError):
        restore(file, tmp_path / "new", finish=no_finish)
    with pytest.raises(BackupError):
        verify(file)
    assert {p.name for p in tmp_path.iterdir()} == {"a.tar.gz", "home", "馆藏"}


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.zst"])
def test_a_file_cut_off_or_with_one_bit_turned_is_refused(
    settings: Settings, tmp_path: Path, ending: str
) -> None:
    whole = make(settings, tmp_path / f"a{ending}").read_bytes()
    bad = tmp_path / f"bad{ending}"
    for share in (0.0, 0.3, 0.7, 0.999):
        bad.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises((BackupError, PackingError), match="备份"):
            restore(bad, tmp_path / "new", finish=no_finish)
    for share in (0.2, 0.5, 0.8):
        at = int(len(whole) * share)
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises((BackupError, PackingError), match="备份"):
            restore(bad, tmp_path / "new", finish=no_finish)
    assert not (tmp_path / "new").exists()


def test_a_backup_of_a_newer_program_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = make(settings, tmp_path / "a.tar.gz")

    def newer(items: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        body = json.loads(items[-1][1])
        body["schema"] += 1
        items[-1] = (items[-1][0], json.dumps(body).encode())

    _rewritten(file, newer)
    with pytest.raises(BackupError, match="升级"):
        restore(file, tmp_path / "new", finish=no_finish)


def test_an_index_that_fails_leaves_no_half_home(settings: Settings, tmp_path: Path) -> None:
    file = make(settings, tmp_path / "a.tar.gz")

    def broken(_: Path) -> None:
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        restore(file, tmp_path / "new", finish=broken)
    assert not (tmp_path / "new").exists()


def test_a_damaged_database_is_not_backed_up(settings: Settings, tmp_path: Path) -> None:
    content = bytearray((settings.home / "accounts.sqlite3").read_bytes())
    content[0:16] = b"not a database!!"
    (settings.home / "accounts.sqlite3").write_bytes(content)

    with pytest.raises(BackupError, match=r"accounts\.sqlite3"):
        make(settings, tmp_path / "a.tar.gz")
    assert not (tmp_path / "a.tar.gz").exists()


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
def test_killed_anywhere_there_is_no_half_backup(settings: Settings, tmp_path: Path) -> None:
    """This test ensures that a name exists only with a whole file, and that leavings go."""
    (settings.home / "reports").mkdir(exist_ok=True)
    (settings.home / "reports" / "big.bin").write_bytes(os.urandom(30_000_000))
    program = (
        "import sys, pathlib\nfrom index.settings import load_settings\n"
        "from index.backup import back_up\n"
        f"print('go', flush=True)\nback_up(load_settings(pathlib.Path({str(settings.home)!r}), {{}}, {{}}),"
        f" pathlib.Path({str(tmp_path / 'k.tar.gz')!r}), version='1', now={NOW!r})\n"
    )
    for seconds in (0.02, 0.15, 0.4, 0.9):
        child = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if (tmp_path / "k.tar.gz").exists():
            verify(tmp_path / "k.tar.gz")
            (tmp_path / "k.tar.gz").unlink()
    make(settings, tmp_path / "k.tar.gz")
    verify(tmp_path / "k.tar.gz")
    left = [p.name for p in [*tmp_path.iterdir(), *(settings.home / "tmp").iterdir()]]
    assert not [name for name in left if "part" in name or "backup" in name]


def test_the_commands_speak_and_refuse(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, home = str(tmp_path / "a.tar.zst"), str(settings.home)
    assert main(["backup", file, "--home", home]) == 0
    assert main(["backup", file, "--home", home]) == 1
    assert main(["restore", file]) == 2
    assert main(["restore", file, "--check"]) == 0
    assert main(["restore", file, "--no-index", "--home", str(tmp_path / "new")]) == 0
    said = capsys.readouterr()
    assert "已备份到" in said.out
    assert "2 件" in said.out
    assert "chadang ingest --retry" in said.out
    assert "没有覆盖" in said.err
    assert "sk-x" not in said.out + said.err
    assert main(["restore", str(tmp_path / "none.tar.gz"), "--home", str(tmp_path / "n")]) == 1


def test_a_restored_home_answers_the_same(
    sample_home: Path, model_folder: Path, tmp_path: Path
) -> None:
    """This test ensures that the index rebuilt from a backup gives the same quotations, in order."""
    home = tmp_path / "copy"
    shutil.copytree(sample_home, home, ignore=shutil.ignore_patterns("models"), symlinks=True)
    (home / "models").symlink_to(model_folder.parent, target_is_directory=True)
    flags = {"model": "built-in"}
    settings = load_settings(home, flags, {})
    file = make(settings, tmp_path / "a.tar.zst")
    new = tmp_path / "new"

    def finish(folder: Path) -> None:
        from index.passage_index import build_index

        (folder / "models").symlink_to(model_folder.parent, target_is_directory=True)
        restored = load_settings(folder, flags, {})
        store = Store(restored.database_path)
        assert build_index(store, restored).encoded == 0, "every vector is in the backup"
        store.close()

    restore(file, new, finish=finish)

    again = load_settings(new, flags, {})
    assert [f.line for f in examine(again) if not f.good] == []
    before, after = open_assistant(settings), open_assistant(again)
    for reader in (Reader(Role.ARCHIVIST), Reader(Role.DEPUTY, "陈柏舟")):
        for question in (
            "电动自行车充电安全的建议是怎么答复的？", "2019年预算执行情况怎么样？",
            "馆藏一共有多少件档案？", "有没有关于火星移民的决议？",
        ):  # fmt: skip
            first, second = before.ask(question, (), reader), after.ask(question, (), reader)
            one, two = result_json(first), result_json(second)
            for body in (one, two):
                body.pop("elapsed_ms")
            assert one == two
            assert isinstance(first, Answer) or one["refused"]
