"""The use register: what is written stays, and whatever is done to it shows."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.register import (
    GENESIS,
    HEAD_FILE,
    LEAST_DAYS,
    MOST_RECORDS,
    Action,
    Check,
    Register,
    RegisterError,
    Search,
    link,
)
from index.domain import Reader, Role

READER = Reader(Role.STAFF, "李某", "财经委", "li")
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path / "register.sqlite3")


def _filled(register: Register, count: int = 6) -> Register:
    for number in range(1, count + 1):
        register.write(READER, Action.ASK, question=f"第{number}问")
    return register


def _open(register: Register) -> sqlite3.Connection:
    """The file as somebody with a database tool opens it, with the triggers taken off."""
    db = sqlite3.connect(register.path, isolation_level=None)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    return db


# -- writing --------------------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was_written(register: Register) -> None:
    number = register.write(
        READER,
        Action.VIEW_PAGE,
        question="水库？",
        reading="按水库理解",
        record_ids=["0012-1985-永久-0034", "乙"],
        titles=["关于水利的通知"],
        pages=["1、3"],
        outcome="影像",
        purpose="工作查考",
        conversation="c1",
        channel="网页",
        index_version="7",
        model="built-in",
        detail={"width": 1000},
        address="10.0.0.8",
        copies=2,
        approver="王主任",
    )
    (entry,) = register.entries()

    assert number == entry.number == 1
    assert (entry.person, entry.account, entry.role) == ("李某", "li", "机关工作人员")
    assert [(r.record_id, r.title, r.pages) for r in entry.records] == [
        ("0012-1985-永久-0034", "关于水利的通知", "1、3"),
        ("乙", "", ""),
    ]
    assert entry.record_count == 2
    assert entry.copies == 2
    assert entry.approver == "王主任"
    assert json.loads(entry.detail) == {"width": 1000}
    assert entry.manner == "阅览"
    assert register.verify().intact


def test_the_chain_can_be_worked_out_by_others(register: Register) -> None:
    """This test ensures that the documented canonical form is the one in use."""
    _filled(register, 2)
    db = sqlite3.connect(register.path)
    first, second = db.execute("SELECT * FROM entries ORDER BY number").fetchall()
    db.close()

    assert first[-1] == link(GENESIS, first[:-1])
    assert second[-1] == link(first[-1], second[:-1])


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "'; DROP TABLE entries;--", "x" * 9999, '"\\'])
def test_hostile_text_is_kept_and_checked(register: Register, text: str) -> None:
    register.write(
        Reader(Role.PUBLIC, text, text, text),
        Action.ASK,
        question=text,
        record_ids=[text],
        titles=[text],
        pages=[text],
        detail=text,
        address=text,
    )

    assert register.verify().intact
    assert register.count() == 1
    assert register.count(Search(words="没有的词")) == 0


def test_too_many_records_are_counted_and_hashed(register: Register) -> None:
    ids = [f"件{i}" for i in range(MOST_RECORDS + 3)]
    register.write(READER, Action.EXPORT, record_ids=ids, detail="清单")
    (entry,) = register.entries()

    assert entry.record_count == len(ids)
    assert len(entry.records) == MOST_RECORDS
    assert len(json.loads(entry.detail)["records_sha256"]) == 64


def test_a_file_that_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "wrong.sqlite3").write_bytes(b"no database" * 200)

    for path in (tmp_path / "file" / "register.sqlite3", tmp_path / "wrong.sqlite3", tmp_path):
        with pytest.raises(RegisterError, match="管理员"):
            Register(path).write(READER, Action.ASK)


def test_a_register_that_is_replaced_is_opened_anew(register: Register) -> None:
    """This test ensures that nothing is written into a file that was moved away."""
    _filled(register, 3)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{register.path}{suffix}").unlink(missing_ok=True)
    register.write(READER, Action.ASK)

    assert register.count() == 1
    found = register.verify()
    assert not found.intact
    assert "末尾少了 2 条" in found.message


# -- search ---------------------------------------------------------------------------------------


def test_entries_are_found_by_person_record_action_outcome_and_time(tmp_path: Path) -> None:
    now = NOON
    register = Register(tmp_path / "register.sqlite3", now=lambda: now)
    register.write(READER, Action.ASK, question="预算")
    now = NOON + dt.timedelta(days=1)
    register.write(Reader(Role.DEPUTY, "王某"), Action.DENIED, record_ids=['A"1'], outcome="未开放")

    def numbers(**wanted: object) -> list[int]:
        found = register.entries(Search(**wanted))  # type: ignore[arg-type]
        assert register.count(Search(**wanted)) == len(found)  # type: ignore[arg-type]
        return [entry.number for entry in found]

    assert numbers() == [2, 1]
    assert numbers(person="LI") == [1]
    assert numbers(person="财经") == [1]
    assert numbers(record='a"1') == [2]
    assert numbers(actions=["提问"]) == [1]
    assert numbers(outcome="未开放") == [2]
    assert numbers(words="预算") == [1]
    assert numbers(since=NOON + dt.timedelta(hours=1)) == [2]
    assert numbers(until=NOON + dt.timedelta(hours=1)) == [1]
    assert numbers(person="%") == []
    assert register.entries(limit=1, offset=1)[0].number == 1


def test_an_empty_register_is_read_without_being_made(register: Register) -> None:
    assert register.entries() == []
    assert register.count() == 0
    assert register.verify().intact
    assert not register.path.exists()


# -- tampering ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET question = 'x'",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE number = 6",
        "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE number = 2",
        "UPDATE anchors SET through = 9",
        "DELETE FROM head",
    ],
)
def test_the_file_itself_refuses_changes(register: Register, sql: str) -> None:
    _filled(register)
    db = sqlite3.connect(register.path)
    db.execute("INSERT INTO anchors VALUES (0, '', '', '')")

    with pytest.raises(sqlite3.IntegrityError):
        db.execute(sql)
    db.close()


@pytest.mark.parametrize(
    ("sql", "broken", "said"),
    [
        ("UPDATE entries SET question = '改过' WHERE number = 3", 3, "第 3 条与校验值不符"),
        ("UPDATE entries SET copies = 1 WHERE number = 1", 1, "第 1 条"),
        ("UPDATE entries SET question = x'00' WHERE number = 4", 4, "第 4 条"),
        ("UPDATE entries SET digest = '0' WHERE number = 2", 2, "第 2 条"),
        ("DELETE FROM entries WHERE number = 3", 3, "第 3 条不见了"),
        ("DELETE FROM entries WHERE number = 1", 1, "第 1 条不见了"),
        ("DELETE FROM entries WHERE number IN (5, 6)", 5, "末尾少了 2 条"),
        ("DELETE FROM entries", 1, "末尾少了 6 条"),
    ],
)
def test_every_change_is_found_and_named(
    register: Register, sql: str, broken: int, said: str
) -> None:
    _filled(register)
    db = _open(register)
    db.execute(sql)
    db.close()

    found = register.verify()

    assert not found.intact
    assert found.broken == broken
    assert said in found.message


def test_an_inserted_row_is_found(register: Register) -> None:
    _filled(register)
    db = _open(register)
    db.execute("UPDATE entries SET number = number + 100 WHERE number > 3")
    db.execute("UPDATE entries SET number = number - 99 WHERE number > 100")
    row = list(db.execute("SELECT * FROM entries WHERE number = 3").fetchone())
    before = db.execute("SELECT digest FROM entries WHERE number = 3").fetchone()[0]
    row[0] = 4
    row[-1] = link(before, row[:-1])  # whoever inserts may know how to link
    db.execute(f"INSERT INTO entries VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
    db.close()

    assert register.verify().broken == 5


def test_a_cut_end_is_found_although_the_head_was_set_back(register: Register) -> None:
    _filled(register)
    db = _open(register)
    db.execute("DELETE FROM entries WHERE number > 4")
    db.execute(
        "UPDATE head SET (number, digest) = (SELECT number, digest FROM entries WHERE number = 4)"
    )
    db.close()

    assert "末尾少了 2 条" in register.verify().message
    _filled(register, 4)  # writing on does not cover it up
    found = register.verify()
    assert not found.intact
    assert found.broken == 6


def test_a_chain_worked_out_anew_is_found(register: Register) -> None:
    _filled(register)
    db = _open(register)
    db.execute("UPDATE entries SET person = '别人' WHERE number = 2")
    previous = GENESIS
    for row in db.execute("SELECT * FROM entries ORDER BY number").fetchall():
        previous = link(previous, row[:-1])
        db.execute("UPDATE entries SET digest = ? WHERE number = ?", (previous, row[0]))
    db.execute("UPDATE head SET digest = ?", (previous,))
    db.close()

    assert "整段重写" in register.verify().message


def test_a_lost_note_and_lost_triggers_are_told(register: Register) -> None:
    _filled(register)
    _open(register).close()
    assert "触发器" in register.verify().message
    (register.path.parent / HEAD_FILE).unlink()
    assert "不见了" in register.verify().message


def test_a_lost_file_is_told(register: Register) -> None:
    _filled(register)
    register.close()
    register.path.unlink()

    assert "文件不见了" in register.verify().message


def test_a_note_that_lags_is_no_fault(register: Register) -> None:
    """This test ensures that a kill between the row and the note is not called tampering."""
    _filled(register, 3)
    note = (register.path.parent / HEAD_FILE).read_bytes()
    _filled(register, 2)
    (register.path.parent / HEAD_FILE).write_bytes(note)

    assert register.verify().intact
    register.write(READER, Action.ASK)
    assert register.verify().intact
    assert (register.path.parent / HEAD_FILE).read_bytes().startswith(b"%020d " % 6)


# -- purging --------------------------------------------------------------------------------------


def _aged(tmp_path: Path) -> tuple[Register, Callable[[dt.timedelta], None]]:
    clock = [NOON]
    register = Register(tmp_path / "register.sqlite3", now=lambda: clock[0])

    def wait(time: dt.timedelta) -> None:
        clock[0] += time

    return register, wait


def test_a_purge_leaves_an_anchor_and_an_entry(tmp_path: Path) -> None:
    register, wait = _aged(tmp_path)
    _filled(register, 4)
    wait(dt.timedelta(days=400))
    _filled(register, 2)

    assert register.purge(NOON + dt.timedelta(days=200), "王主任") == 4
    left = register.entries()
    assert [entry.number for entry in left] == [7, 6, 5]
    assert (left[0].action, left[0].person) == ("清理登记", "王主任")
    found = register.verify()
    assert found.intact
    assert "第 1–4 条已按期清理" in found.message
    assert register.purge(NOON + dt.timedelta(days=200), "王主任") == 0

    wait(dt.timedelta(days=4000))
    assert register.purge(NOON + dt.timedelta(days=4000), "王主任") == 3
    assert register.verify().intact
    assert register.write(READER, Action.ASK) == 9
    assert register.verify().intact


def test_a_purge_needs_a_name_and_six_months(tmp_path: Path) -> None:
    register, wait = _aged(tmp_path)
    _filled(register, 1)
    wait(dt.timedelta(days=LEAST_DAYS))

    with pytest.raises(RegisterError, match="由谁决定"):
        register.purge(NOON, " ")
    with pytest.raises(RegisterError, match="六个月"):
        register.purge(NOON + dt.timedelta(seconds=1), "王主任")
    assert register.count() == 1


def test_a_broken_register_is_not_purged(tmp_path: Path) -> None:
    register, wait = _aged(tmp_path)
    _filled(register)
    wait(dt.timedelta(days=400))
    db = _open(register)
    db.execute("UPDATE entries SET person = '别人' WHERE number = 2")
    db.close()

    with pytest.raises(RegisterError, match="不能清理"):
        register.purge(NOON + dt.timedelta(days=1), "王主任")


def test_a_beginning_removed_with_a_made_up_anchor_is_found(register: Register) -> None:
    _filled(register)
    db = sqlite3.connect(register.path, isolation_level=None)
    digest = db.execute("SELECT digest FROM entries WHERE number = 3").fetchone()[0]
    db.execute("INSERT INTO anchors VALUES (3, ?, '', '')", (digest,))
    db.execute("DELETE FROM entries WHERE number <= 3")
    db.close()

    assert "没有清理登记" in register.verify().message


# -- many writers, sudden ends --------------------------------------------------------------------


def _write_many(path: Path, count: int) -> None:
    register = Register(path)
    for number in range(count):
        register.write(READER, Action.ASK, question=str(number))


def test_processes_and_threads_write_one_chain(register: Register) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(register.path, 15)) for _ in range(3)]
    threads = [threading.Thread(target=_write_many, args=(register.path, 15)) for _ in range(3)]
    for worker in (*processes, *threads):
        worker.start()
    for worker in (*processes, *threads):
        worker.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    found = register.verify()
    assert found.intact, found.message
    assert found.entries == 90


_CHILD = """
import sys
from pathlib import Path
from assistant.register import Action, Register
from index.domain import Reader, Role
register = Register(Path(sys.argv[1]))
while True:
    print(register.write(Reader(Role.STAFF, "李某"), Action.ASK, question="问"), flush=True)
"""


def test_a_killed_writer_loses_nothing_it_confirmed(register: Register) -> None:
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(register.path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        confirmed = 0
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            confirmed = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        confirmed = int(rest[-1]) if rest else confirmed

        found: Check = register.verify()
        assert found.intact, found.message
        assert found.number >= confirmed
    register.write(READER, Action.ASK)
    assert register.verify().intact
