from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index.access import EVERYTHING, Permitted
from index.domain import Coverage, Line, Page, Passage, Reader, Record, Role, TextSource
from index.errors import IndexMismatchError, IndexNotFoundError, IndexStoreError
from index.store import Store, StoredFile, passage_id
from index.text import matching_key

ID = "J001-WS·2019-Y-FZW-0004"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "home" / "chadang.sqlite3", create=True)
    yield opened
    opened.close()


def record(record_id: str = ID, **fields: object) -> Record:
    return Record(record_id, f"{record_id} 的题名", **fields)  # type: ignore[arg-type]


def page(seq: int, raw: str, record_id: str = ID, **fields: object) -> Page:
    return Page(record_id, seq, raw, **fields)  # type: ignore[arg-type]


def cut(text: str, *spans: tuple[int, int], record_id: str = ID) -> list[Passage]:
    return [
        Passage(passage_id(record_id, a, text[a:b]), record_id, a, b, text[a:b]) for a, b in spans
    ]


def put(store: Store, raw: str, record_id: str = ID, **fields: object) -> bool:
    pages = [page(1, raw, record_id)] if raw else []
    passages = cut(raw, (0, len(raw)), record_id=record_id) if raw.strip() else []
    return store.replace_record(record(record_id, **fields), pages, passages, "hash")


# -- opening ----------------------------------------------------------------------------------


def test_a_missing_store_says_how_to_fill_one(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="chadang ingest 目录.*chadang demo"):
        Store(tmp_path / "chadang.sqlite3")

    assert list(tmp_path.iterdir()) == []


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chadang.sqlite3"
    Store(path, create=True).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(IndexMismatchError, match="格式版本是 99"):
        Store(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chadang.sqlite3"
    path.write_bytes("不是数据库".encode() * 100)

    with pytest.raises(IndexStoreError, match=r"chadang\.sqlite3 失败"):
        Store(path)


def test_several_threads_may_create_the_same_store(tmp_path: Path) -> None:
    path = tmp_path / "chadang.sqlite3"
    barrier = threading.Barrier(6)
    errors: list[BaseException] = []

    def create() -> None:
        barrier.wait()
        try:
            Store(path, create=True).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


# -- records and pages ------------------------------------------------------------------------


def test_a_record_comes_back_as_it_went_in(store: Store) -> None:
    full = record(
        doc_no="示人发〔2019〕4号", year=2019, proposers=("张三", "李四"),
        extra=(("分类号", "3.1"),), restricted=True, page_count=2,
    )  # fmt: skip
    lines = (Line(0, 2, (0.1, 0.2, 0.3, 0.4), (0.1, 0.2, 0.3), 0.91), Line(2, 3, (0, 0, 1, 1)))
    pages = [
        page(1, "预算\n", source=TextSource.OCR, engine="rapidocr 3", confidence=0.9, lines=lines,
             furniture=((0, 1),), width=595.0, height=842.0, file_path="a.pdf", file_page=3),
        page(2, "执行", inner_label="2", volume_label="017"),
    ]  # fmt: skip
    store.replace_record(full, pages, cut("预算\n执行", (0, 5)), "h1")

    assert store.record(ID) == full
    first, second = store.pages(ID)
    assert first == pages[0]
    assert second.start == 3
    assert (second.raw, second.inner_label, second.volume_label) == ("执行", "2", "017")
    assert store.page(ID, 2) == second
    assert store.page(ID, 3) is None
    assert store.page_count(ID) == 2
    assert store.content_hash(ID) == "h1"


@pytest.mark.parametrize(
    "raw", ["薴 ㈠ ﬁ\u3000", "a\x00b", "\r\n\r\n", "𠮷〇" * 3, "‮反向‬", "\ufeff"]
)
def test_raw_text_is_stored_byte_for_byte(store: Store, raw: str) -> None:
    store.replace_record(record(), [page(1, raw)], cut(raw, (0, len(raw))), "h")

    assert store.pages(ID)[0].raw == raw
    assert store.passages(ID)[0].text == raw


def test_pages_between_finds_the_pages_of_a_span(store: Store) -> None:
    store.replace_record(record(), [page(1, "甲乙"), page(2, "丙丁"), page(3, "戊")], [], "h")

    assert [p.seq for p in store.pages_between(ID, 1, 3)] == [1, 2]
    assert [p.seq for p in store.pages_between(ID, 2, 4)] == [2]
    assert [p.seq for p in store.pages_between(ID, 0, 5)] == [1, 2, 3]


def test_an_unknown_record_has_nothing(store: Store) -> None:
    assert store.record("没有") is None
    assert store.record_number("没有") is None
    assert store.content_hash("没有") is None
    assert store.pages("没有") == ()
    assert store.passages("没有") == []
    with pytest.raises(KeyError):
        store.record_by_number(1)


def test_records_are_found_by_any_spelling_of_code_and_number(store: Store) -> None:
    put(store, "原文", doc_no="示人发〔2019〕4号")

    key = matching_key("Ｊ００１—WS•2019-y-fzw-0004")
    assert [r.record_id for r in store.find_by_key("id", key, EVERYTHING)] == [ID]
    assert store.find_by_key("doc_no", matching_key("示人发[2019]4 号"), EVERYTHING)
    assert store.find_by_key("id", key, Permitted(frozenset())) == []


# -- replacing --------------------------------------------------------------------------------


def test_replacing_tells_new_from_old(store: Store) -> None:
    assert put(store, "一")
    assert not put(store, "二")
    assert store.counts()["records"] == 1


def test_passages_of_unchanged_text_keep_their_numbers(store: Store) -> None:
    text = "甲甲。乙乙。"
    store.replace_record(record(), [page(1, text)], cut(text, (0, 3), (3, 6)), "h")
    before = {p.text: p.number for p in store.passages(ID)}
    changed = "甲甲。丙丙。"
    store.replace_record(record(), [page(1, changed)], cut(changed, (0, 3), (3, 6)), "h2")
    after = {p.text: p.number for p in store.passages(ID)}

    assert after["甲甲。"] == before["甲甲。"]
    assert "乙乙。" not in after
    assert after["丙丙。"] not in before.values()


def test_a_new_heading_reaches_an_unchanged_passage(store: Store) -> None:
    old = cut("甲乙", (0, 2))[0]
    store.replace_record(record(), [page(1, "甲乙")], [old], "h")
    new = Passage(old.passage_id, ID, 0, 2, "甲乙", heading="第一章")
    store.replace_record(record(), [page(1, "甲乙")], [new], "h")

    assert [p.heading for p in store.passages(ID)] == ["第一章"]


@pytest.mark.parametrize(
    ("pages", "passages", "said"),
    [
        ([page(2, "甲")], [], "影像序号应为 1，实为 2"),
        ([page(1, "甲"), page(3, "乙")], [], "影像序号应为 2，实为 3"),
        ([page(1, "甲")], cut("乙", (0, 1)), "与页面原文不符"),
        ([page(1, "甲")], [Passage("x", ID, 5, 6, "甲")], "与页面原文不符"),
    ],
)
def test_a_refused_replacement_leaves_the_old_version(
    store: Store, pages: list[Page], passages: list[Passage], said: str
) -> None:
    put(store, "旧文")
    version = store.data_version
    with pytest.raises(ValueError, match=said):
        store.replace_record(record(), pages, passages, "new")

    assert store.pages(ID)[0].raw == "旧文"
    assert store.content_hash(ID) == "hash"
    assert store.data_version == version


def test_one_bad_record_of_many_undoes_them_all(store: Store) -> None:
    good = (record("A"), [page(1, "甲", "A")], [], "h")
    bad = (record("B"), [page(9, "乙", "B")], [], "h")
    with pytest.raises(ValueError, match="影像序号"):
        store.replace_records([good, bad])

    assert store.records() == []


def test_many_records_at_once_count_the_new_ones(store: Store) -> None:
    put(store, "甲", "A")
    items = [(record(i), [page(1, "文", i)], [], "h") for i in ("A", "B", "C")]

    assert store.replace_records(items) == 2
    assert [r.record_id for r in store.records()] == ["A", "B", "C"]


def test_removing_takes_pages_and_passages_along(store: Store) -> None:
    put(store, "甲")
    number = store.record_number(ID)

    assert store.remove_record(ID)
    assert not store.remove_record(ID)
    assert store.counts() == {
        "records": 0, "records_with_pages": 0, "pages": 0, "unreadable_pages": 0, "passages": 0,
    }  # fmt: skip
    put(store, "甲")
    assert store.record_number(ID) != number, "row numbers are never given twice"


def test_every_change_of_records_grows_the_data_version(store: Store) -> None:
    seen = [store.data_version]
    put(store, "甲")
    seen.append(store.data_version)
    put(store, "乙")
    seen.append(store.data_version)
    store.set_meta("note", "x")
    assert store.data_version == seen[-1], "a note is no change of records"
    store.remove_record(ID)
    seen.append(store.data_version)

    assert seen == sorted(set(seen))


def test_passages_are_read_by_number_in_any_amount(store: Store) -> None:
    for i in range(30):
        put(store, f"第{i}份", f"R{i}")
    numbers = [p.number for p, _ in store.iterate_passages()]

    found = store.passages_by_number([*numbers, 10**6] * 40)
    assert sorted(found) == sorted(numbers)
    assert {p.record_id for p in found.values()} == {f"R{i}" for i in range(30)}


# -- permission and coverage ------------------------------------------------------------------


def test_a_reader_sees_the_permitted_records_only(store: Store) -> None:
    put(store, "开", "OPEN", opening="开放")
    put(store, "闭", "CLOSED")
    deputy = store.permitted(Reader(Role.DEPUTY, "李代表"))

    assert [r.record_id for r in store.records(deputy)] == ["OPEN"]
    assert store.permitted(Reader(Role.ARCHIVIST)) is EVERYTHING


def test_the_permitted_set_follows_a_change_of_status(store: Store) -> None:
    reader = Reader(Role.PUBLIC)
    put(store, "文", opening="开放")
    assert len(store.records(store.permitted(reader))) == 1
    put(store, "文", opening="控制")

    assert store.records(store.permitted(reader)) == []


def test_coverage_counts_what_the_reader_can_search(store: Store) -> None:
    store.replace_record(
        record("A", opening="开放"), [page(1, "文", "A"), page(2, "", "A")], [], "h"
    )
    put(store, "闭", "B")
    put(store, "", "只有目录")

    assert store.coverage(EVERYTHING) == Coverage(records=2, pages=2, unreadable_pages=1)
    public = store.permitted(Reader(Role.PUBLIC))
    assert store.coverage(public) == Coverage(records=1, pages=1, unreadable_pages=1)
    assert store.coverage(Permitted(frozenset())) == Coverage(0, 0, 0)


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\u3000\u3000", "\t\r\n\xa0"])
def test_a_page_of_white_space_is_unreadable(store: Store, blank: str) -> None:
    store.replace_record(record(), [page(1, blank)], [], "h")

    assert store.counts()["unreadable_pages"] == 1
    assert store.coverage(EVERYTHING) == Coverage(1, 0, 1)


def test_coverage_follows_a_change(store: Store) -> None:
    put(store, "甲")
    assert store.coverage(EVERYTHING).records == 1
    put(store, "乙", "B")

    assert store.coverage(EVERYTHING).records == 2


# -- the rest ---------------------------------------------------------------------------------


def test_vectors_come_back_by_text_and_model(store: Store) -> None:
    vector = np.arange(4, dtype=np.float16)
    store.add_embeddings("m", [("t1", vector), ("t2", vector + 1)])

    found = store.embeddings(["t1", "没有"], "m")
    assert list(found) == ["t1"]
    assert np.array_equal(found["t1"], vector)
    assert store.embeddings(["t1"], "另一个模型") == {}


def test_files_and_page_results_are_remembered(store: Store) -> None:
    file = StoredFile("a/b.pdf", "ff", 3, 1.5, "/folder", "ok", "", ID)
    store.put_file(file)
    store.put_page_result("ff", 1, "ocr", {"text": "预算"})

    assert store.file("a/b.pdf") == file
    assert store.files() == {"/folder/a/b.pdf": file}
    assert store.page_result("ff", 1, "ocr") == {"text": "预算"}
    assert store.page_result("ff", 1, "另一个") is None


def test_forgetting_a_file_keeps_results_another_copy_still_needs(store: Store) -> None:
    store.put_file(StoredFile("a.pdf", "ff", 3, 1.5, "/f", "ok", "", ""))
    store.put_file(StoredFile("copy.pdf", "ff", 3, 1.5, "/f", "ok", "", ""))
    store.put_page_result("ff", 1, "ocr", {"text": "预算"})

    store.forget_file("a.pdf")
    assert store.page_result("ff", 1, "ocr") is not None
    store.forget_file("copy.pdf")
    assert store.page_result("ff", 1, "ocr") is None


def test_the_newest_run_is_kept(store: Store) -> None:
    assert store.last_run() is None
    store.add_run("2026-01-01", {"n": 1})
    store.add_run("2026-01-02", {"n": 2})

    assert store.last_run() == {"n": 2}


def test_a_healthy_store_has_no_findings(store: Store) -> None:
    put(store, "甲乙丙")

    assert store.check() == []


def test_text_altered_behind_our_back_is_found(store: Store) -> None:
    put(store, "甲乙丙")
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE pages SET raw = '甲乙丁'")
    db.close()

    assert any(ID in finding and "与页面原文不符" in finding for finding in store.check())


def test_one_thread_writes_while_others_read(store: Store) -> None:
    put(store, "甲")
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(50):
                assert store.pages(ID)[0].raw in "甲乙"
                store.permitted(Reader(Role.PUBLIC))
        except BaseException as error:
            errors.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(20):
        put(store, "甲乙"[i % 2])
    for thread in threads:
        thread.join()

    assert errors == []
