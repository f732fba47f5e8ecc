"""Counts and lists from the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.catalogue_query import look_up_codes, query_catalogue
from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from index.access import EVERYTHING, Permitted
from index.domain import Record
from index.store import Store

RECORDS = [
    Record(
        "J001-WS·2018-Y-BGS-0007",
        "示例市人大常委会关于加强食品安全的决定",
        reference_code="J001-WS·2018-Y-BGS-0007",
        author="示例市人大常委会",
        doc_no="示人发〔2018〕7号",
        date="2018-06-29",
        date_iso="2018-06-29",
        year=2018,
        doc_type="决定",
        retention="永久",
    ),
    Record(
        "J001-WS·2018-D30-BGS-0009",
        "示例市人大常委会关于同意设立示例节的决定",
        reference_code="J001-WS·2018-D30-BGS-0009",
        author="示例市人大常委会",
        doc_no="示人发〔2018〕9号",
        date="2018-09-28",
        date_iso="2018-09-28",
        year=2018,
        doc_type="决定",
        retention="D30",
    ),
    Record(
        "J001-WS·2019-Y-BGS-0003",
        "示例市养犬管理条例",
        reference_code="J001-WS·2019-Y-BGS-0003",
        author="示例市人大常委会",
        doc_no="示人发〔2019〕3号",
        date="2019-05-31",
        date_iso="2019-05-31",
        year=2019,
        doc_type="地方性法规",
        retention="永久",
    ),
    Record("0012-1-35", "关于代表建议的来往文书", reference_code="0012-1-35", unit_level="案卷"),
    Record("0012-1-35-8", "关于修建道口的建议", reference_code="0012-1-35-8", doc_type="代表建议"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "s.sqlite3", create=True)
    for record in RECORDS:
        opened.replace_record(record, (), (), "x")
    yield opened
    opened.close()


def count(store: Store, text: str, permitted: Permitted = EVERYTHING) -> list[str] | None:
    gazetteer = Gazetteer(store.records())
    asked = read_question(text, gazetteer, dt.date(2026, 11, 23))
    result = query_catalogue(asked, store, permitted, gazetteer)
    return None if result is None else [r.record_id for r in result.records]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("2018年的决定目录上有几件？", 2),
        ("2018年永久保管的有多少件？", 1),
        ("题名里带“食品安全”的有几件？", 1),
        ("2018年的示人发收了几件？", 2),
        ("库里示例市的地方性法规一共有几部？", 1),
        ("目录日期是2019年5月的有几件？", 1),
    ],
)
def test_counts_are_complete(store: Store, question: str, expected: int) -> None:
    """This test ensures that each filter of the question narrows the catalogue."""
    found = count(store, question)

    assert found is not None
    assert expected == len(found)


def test_a_count_sees_only_what_the_reader_may(store: Store) -> None:
    """This test ensures that a hidden record is in no count."""
    number = store.record_number(RECORDS[0].record_id)
    assert number is not None
    others = frozenset({1, 2, 3, 4, 5} - {number})

    assert count(store, "2018年的决定目录上有几件？", Permitted(others)) == [RECORDS[1].record_id]


@pytest.mark.parametrize(
    "question",
    [
        "帮我调一下示人发〔2018〕7号",
        "示人发[2018]7号说的什么",
        "示人发2018年7号",
        "J001-WS·2018-Y-BGS-0007一共几页",
        "J001-WS.2018-Y-BGS-0007一共几页",
    ],
)
def test_a_code_is_found_in_any_spelling(store: Store, question: str) -> None:
    """This test ensures that 档号 and 文号 resolve whatever brackets and dots are used."""
    found, named = look_up_codes(question, store, EVERYTHING)

    assert named
    assert [r.record_id for r in found] == [RECORDS[0].record_id]


def test_a_volume_brings_its_files(store: Store) -> None:
    """This test ensures that 这卷里有什么 lists the files of the volume."""
    found, _ = look_up_codes("0012-1-35这卷里都有啥文件？", store, EVERYTHING)

    assert {"0012-1-35", "0012-1-35-8"} == {r.record_id for r in found}


def test_an_unknown_code_is_named_but_not_found(store: Store) -> None:
    """This test ensures that a code nobody has is refused, not searched for by likeness."""
    assert look_up_codes("帮我调示人发〔2018〕99号", store, EVERYTHING) == ([], True)


def test_a_hidden_code_looks_missing(store: Store) -> None:
    """This test ensures that a code outside the permitted set is not found."""
    assert look_up_codes("帮我调示人发〔2018〕7号", store, Permitted(frozenset({99})))[0] == []
