"""kill -9 at any moment, run again: the same holdings as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.access import EVERYTHING
from index.passage_index import PassageIndex, SearchRequest
from index.settings import load_settings
from index.store import Store
from tests.conftest import ROOT
from tests.fakes import HashEncoder
from tests.ingest_files import write_text_pdf, write_workbook

_QUERIES = ("养犬管理", "第 3 号建议", "预算执行", "联系电话")


def _make_source(folder: Path) -> None:
    for i in range(12):
        path = folder / f"{2001 + i}" / f"J001-WS·{2001 + i}-Y-BGS-000{i % 9 + 1}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"关于第 {i} 号建议的答复\n\n" + f"关于养犬管理和预算执行的意见第{i}条。\n" * 40
        path.write_text(text + "联系电话：0530-2000123\n", encoding="utf-8")
    for i in range(4):
        lines = [[f"第 {i} 件第 {page} 页，关于城市管理工作的情况报告。"] * 8 for page in (1, 2, 3)]
        write_text_pdf(folder / f"报告{i}.pdf", lines)
    write_text_pdf(folder / "标密.pdf", [["机密★10年", "内容一二三四五六七八九十"], ["第二页"]])
    (folder / "待审.txt").write_text("秘密\n\n关于某事的函\n", encoding="utf-8")
    (folder / "坏.pdf").write_bytes(b"%PDF-1.7\nnothing of use")
    (folder / "另存.doc").write_bytes(b"x")
    shutil.copy(folder / "报告0.pdf", folder / "报告0副本.pdf")
    rows = [["档号", "题名", "密级"]]
    rows += [[f"J001-WS·{2001 + i}-Y-BGS-000{i % 9 + 1}", f"第 {i} 件", ""] for i in range(10)]
    rows += [["J001-WS·2013-Y-BGS-0001", "不得入库的题名", "机密"]]
    write_workbook(folder / "目录.xlsx", {"目录": rows})


def _change(folder: Path, turn: int) -> None:
    """Change a file and a name, take one away, add one."""
    path = next(iter(sorted(folder.glob("20*/*.txt"))))
    path.write_text(f"第 {turn} 次改动，关于养犬管理。\n" * 30, encoding="utf-8")
    (folder / f"新{turn}.txt").write_text(f"新来的第 {turn} 件，关于预算执行。\n", encoding="utf-8")
    (folder / f"新{turn - 1}.txt").unlink(missing_ok=True)
    write_text_pdf(folder / "报告1.pdf", [[f"第 {turn} 版，关于城市管理工作的情况报告。"] * 8])
    if turn % 2:
        (folder / "报告0副本.pdf").rename(folder / f"报告0副本{turn}.pdf")
    else:
        (folder / f"报告0副本{turn - 1}.pdf").rename(folder / "报告0副本.pdf")


def _start(source: Path, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kill_child", str(source), str(home)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _finish(source: Path, home: Path) -> None:
    child = _start(source, home)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 0, said.decode(errors="replace")


def _kill_after(source: Path, home: Path, seconds: float) -> bool:
    """Start a run and kill it with everything it started; False when it was faster."""
    child = _start(source, home)
    time.sleep(seconds)
    alive = child.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=30)
    return alive


def _dump(home: Path) -> dict[str, list[object]]:
    """Everything the store knows, without row numbers and times, and what searches find."""
    db = sqlite3.connect(_database(home))
    statements = {
        "records": "SELECT record_id, id_key, title_key, doc_no_key, year, doc_type, content_hash,"
        " body FROM records",
        "pages": "SELECT r.record_id, p.seq, p.start, p.raw, p.body, p.personal FROM pages p"
        " JOIN records r ON r.number = p.record_number",
        "passages": "SELECT s.passage_id, r.record_id, s.start, s.stop, s.heading, s.text, s.shown"
        " FROM passages s JOIN records r ON r.number = s.record_number",
        "files": "SELECT path, sha256, bytes, state, reason, record_id FROM files",
        "page_results": "SELECT sha256, file_page, reader, body FROM page_results",
        "held": "SELECT place, grade, reason FROM held",
        "jobs": "SELECT path, record_id, state, sha256, error FROM jobs",
        "meta": "SELECT key FROM meta WHERE key LIKE 'rows:%' OR key = 'purge_due'",
    }
    found: dict[str, list[object]] = {
        name: sorted(db.execute(statement).fetchall(), key=repr)
        for name, statement in statements.items()
    }
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    settings = load_settings(home, {}, {})
    store = Store(settings.database_path)
    assert store.check() == []
    passages = PassageIndex(store, settings, HashEncoder())
    for query in _QUERIES:
        hits = passages.search(SearchRequest(query, {query[:2]: 1.0}), EVERYTHING, 400)
        found[query] = sorted((h.passage.passage_id, round(h.cosine or 0, 4)) for h in hits)
    store.close()
    return found


def _database(home: Path) -> Path:
    return load_settings(home, {}, {}).database_path


def _killed_and_undisturbed(tmp_path: Path, turns: int, kills: int, seed: int) -> int:
    """Compare a home built through kills with one built at once; the number of kills that hit."""
    dice = random.Random(seed)  # noqa: S311 - moments, not secrets
    source, home, quiet = tmp_path / "馆藏", tmp_path / "home", tmp_path / "quiet"
    _make_source(source)
    began = time.monotonic()
    _finish(source, quiet)
    took = time.monotonic() - began
    hit = 0
    for turn in range(1, turns + 1):
        if turn > 1:
            _change(source, turn - 1)
        wanted, tries = hit + kills, 0
        while hit < wanted and tries < 4 * kills:  # a run with little left to do may be faster
            hit += _kill_after(source, home, dice.uniform(0.2, 0.9 * took))
            tries += 1
    _finish(source, home)
    if turns > 1:
        shutil.rmtree(quiet)
        _finish(source, quiet)

    disturbed, undisturbed = _dump(home), _dump(quiet)
    for name, rows in undisturbed.items():
        assert disturbed[name] == rows, name
    assert len(undisturbed["passages"]) > 20
    assert undisturbed[_QUERIES[0]]
    assert "不得入库" not in json.dumps(undisturbed, ensure_ascii=False, default=repr)
    return hit


@pytest.mark.skipif(os.name != "posix", reason="kills process groups")
def test_a_few_kills_change_nothing(tmp_path: Path) -> None:
    """This test ensures that killing a run and its readers anywhere loses and doubles nothing."""
    assert _killed_and_undisturbed(tmp_path, turns=2, kills=2, seed=7) >= 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills process groups")
def test_forty_kills_while_the_holdings_change_too(tmp_path: Path) -> None:
    """This test ensures the same for forty kills, with files changed, gone and new in between."""
    assert _killed_and_undisturbed(tmp_path, turns=10, kills=4, seed=11) >= 30
