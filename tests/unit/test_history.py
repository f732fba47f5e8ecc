"""Conversations kept: each reader's own, searchable, gone when deleted, expired or purged."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from ui.history import HISTORY_FILE, Exchange, History, HistoryError

ME, OTHER = "account:wang", "account:li"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / HISTORY_FILE, 365)


def _exchange(question: str, days_ago: int = 0) -> Exchange:
    when = dt.datetime.now().astimezone() - dt.timedelta(days=days_ago)
    return Exchange(question, when.isoformat(timespec="seconds"), {"lead": f"关于{question}"})


def test_exchanges_of_a_conversation_come_back_in_order(history: History) -> None:
    first, number = history.add(ME, "", _exchange("电梯"), ["a"])
    again, second = history.add(ME, first, _exchange("后来呢"), [])
    assert (again, number, second) == (first, 1, 2)
    kept = history.exchanges(ME, first)
    assert kept is not None
    assert [e.question for e in kept] == ["电梯", "后来呢"]
    (row,) = history.conversations(ME)
    assert (row.title, row.exchanges) == ("电梯", 2)


def test_a_conversation_is_its_owners_alone(history: History) -> None:
    mine, _ = history.add(ME, "", _exchange("我的"), [])
    assert history.exchanges(OTHER, mine) is None
    assert not history.rename(OTHER, mine, "改掉")
    assert not history.delete(OTHER, mine)
    assert history.conversations(OTHER) == []
    theirs, _ = history.add(OTHER, mine, _exchange("别人的"), [])
    assert theirs != mine
    assert history.delete_all(OTHER) == 1
    assert len(history.exchanges(ME, mine) or []) == 1


def test_search_takes_words_as_they_are(history: History) -> None:
    history.add(ME, "", _exchange("2018年100%的预算"), [])
    second, _ = history.add(ME, "", _exchange("电梯"), [])
    history.add(ME, second, _exchange("物业呢"), [])
    assert [c.title for c in history.conversations(ME, "100%")] == ["2018年100%的预算"]
    assert [c.title for c in history.conversations(ME, "物业")] == ["电梯"]
    assert history.conversations(ME, "_") == []
    assert history.conversations(ME, "' OR 1=1 --") == []


def test_rename_and_delete(history: History) -> None:
    one, _ = history.add(ME, "", _exchange("电梯"), ["a"])
    assert history.rename(ME, one, "  加装\n电梯 ")
    assert history.conversations(ME)[0].title == "加装 电梯"
    for title in ("", " ", "长" * 61):
        with pytest.raises(HistoryError, match="名称"):
            history.rename(ME, one, title)
    assert history.delete(ME, one)
    assert not history.delete(ME, one)
    assert history.conversations(ME) == []


def test_old_conversations_go_and_none_are_kept_with_zero_days(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_FILE
    history = History(path, 365)
    history.add(ME, "", _exchange("旧的", days_ago=40), [])
    history.add(ME, "", _exchange("新的"), [])
    history.close()
    history = History(path, 30)
    assert [c.title for c in history.conversations(ME)] == ["新的"]
    history.close()
    history = History(path, 0)
    assert history.conversations(ME) == []
    assert history.add(ME, "", _exchange("不留"), []) == ("", 0)
    history.close()


def test_a_record_taken_out_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_FILE
    history = History(path, 365)
    one, _ = history.add(ME, "", _exchange("甲乙丙丁"), ["gone", "here"])
    history.add(ME, one, _exchange("另一问"), ["here"])
    history.follow(1, lambda record: record == "here")
    kept = history.exchanges(ME, one)
    assert kept is not None
    assert [bool(e.body) for e in kept] == [False, True]
    history.close()
    stored = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert "关于甲乙丙丁".encode() not in stored
    assert "关于另一问".encode() in stored


def test_the_file_is_for_its_owner_only(tmp_path: Path, history: History) -> None:
    assert (tmp_path / HISTORY_FILE).stat().st_mode & 0o077 == 0
    assert history.days == 365


def test_what_is_no_database_is_told_in_chinese(tmp_path: Path) -> None:
    (tmp_path / HISTORY_FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(HistoryError, match="打不开"):
        History(tmp_path / HISTORY_FILE, 365)


def test_many_threads_lose_nothing(history: History) -> None:
    one, _ = history.add(ME, "", _exchange("起头"), [])

    def work(name: int) -> None:
        for number in range(10):
            history.add(ME, one, _exchange(f"{name}-{number}"), [f"r{name}"])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history.exchanges(ME, one) or []) == 41
