"""Columns of the catalogue named in a question that counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.catalogue_columns import literal_kind, named_kinds
from index.domain import Derived, Record
from index.store import Store
from tests.catalogue_asking import ask_catalogue

RECORDS = [
    Record("1", "示例市人大常委会关于植树的决定", author="示例市人大常委会", doc_type="决定", date="1995-03-01", date_iso="1995-03-01", year=1995),
    Record("2", "示例市人大关于植树的决定", author="示例市人大", doc_type="决议", date="2020-03-01", date_iso="2020-03-01", year=2020),
    Record("3", "示例市养老服务条例", author="示例市人大常委会", doc_type="地方性法规", date="2021-03-01", date_iso="2021-03-01", year=2021),
    Record("4", "示例市老年人权益保障条例", author="示例市人大常委会", doc_type="地方性法规", date="2022-03-01", date_iso="2022-03-01", year=2022),
    Record("5", "国务院办公厅关于植树的通知", author="国务院办公厅", doc_no="国办发〔2019〕5号", doc_type="国务院文件", date="2019-03-01", date_iso="2019-03-01", year=2019),
    Record("6", "国务院关于植树的意见", author="国务院", doc_type="国务院文件", date="2019年4月", date_iso="2019-04", year=2019, derived=(Derived("date", "2019年4月", 1, 0, 4),)),
    Record("7", "示例市预算报告", author="示例市财政局", doc_type="预算报告(附表)", date="2023-02-01", date_iso="2023-02-01", year=2023),
    Record("8", "样板市预算报告", author="样板市财政局", doc_type="预算报告", date="2023-02-02", date_iso="2023-02-02", year=2023),
    Record("9", "示例市户口登记条例", author="示例市人大常委会", doc_type="地方性法规", date="1998-02-02", date_iso="1998-02-02", year=1998),
]  # fmt: skip
KINDS = frozenset(r.doc_type for r in RECORDS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "s.sqlite3", create=True)
    for record in RECORDS:
        opened.replace_record(record, (), (), "x")
    yield opened
    opened.close()


def counted(store: Store, question: str) -> list[str] | None:
    """Ids of the rows counted, None where the catalogue does not answer."""
    result = ask_catalogue(store, question)
    if result is None:
        return None
    return sorted(r.record_id for r in result.records)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        # The column, not the title: the resolution of the congress is called a decision.
        ("目录“类别”那栏写着“决定”的，一共多少件？", "1"),
        ("类别栏著录成“决议”的，全目录统共几件？", "2"),
        ("归在“国务院文件”这一类的，咱收了几份？", "56"),
        ("2019年的国务院文件，目录中收了几件？", "56"),
        ("国务院文件里头，日期一栏空着没填的有几件？", "6"),
        ("目录里没给日期的国务院文件一共有多少条？", "6"),
        ("类别是“预算报告(附表)”的记录总共有多少条？", "7"),
        ("附表的那类预算报告，目录里有几份？", "7"),
        ("机关那一栏只填了“国务院”三个字的，一共几条？", "6"),
        ("机关栏写着“示例市人民代表大会常务委员会”的，登了几条？题名一并报来。", "1349"),
        ("目录里题名有“养老”或者“老年”的法规，共几部？", "34"),
        ("目录日期在2020年及以后的法规共有几部，名称各是什么？", "34"),
        ("按目录日期，上世纪九十年代的法规收了几部？", "9"),
        ("目录日期在1990年至1999年之间的法规，库里一共多少部？", "9"),
        ("名儿里头带“养老”的，咱这搭儿收了几部？", "3"),
        ("文号是“国办发〔2019〕”打头的文件，目录里有几个？", "5"),
        ("示例市的法规，目录里登记了多少部，分别叫什么？", "349"),
        ("类别写着“决定”或“决议”的有几件？", "12"),
        ("类型是决定或决议的有多少件？", "12"),
        ("目录里题名有“养老”或“老年”或“植树”的，共几件？", "123456"),
        ("归在“国务院文件”一类、目录日期是2019年的，请统计件数。", "56"),
        ("题名打“示例市户口”头的有几件？", "9"),
        ("2000年到2009年那十年的法规有几部？", ""),
    ],
)
def test_what_stands_in_a_column_is_counted(store: Store, question: str, expected: str) -> None:
    """This test ensures that columns named in everyday words are the conditions they are."""
    assert counted(store, question) == list(expected)


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("户口登记条例有几部？", "349"),
        ("示例市的法规有几部，省的？", "349"),
        ("示例市的法规有几部，写了罚款的是哪几部？", "349"),
        ("类别写着“章程”的有几件？", "123456789"),
        ("机关栏写着“示例市”的有几件？", "123479"),
        ("2020年及以前的法规有几部？", ""),
        ("2020年及以前的法规有几部？", "9"),
        ("2000年那十年的法规有几部？", ""),
        ("题名正好六字的有几件？", "123456789"),
        ("题名六个字的有几件？", "123456789"),
        ("题目没写明日期的有几件？", "6"),
        ("日期没写全的有几件？", "6"),
        ("〔2019〕的文件有几件？", "56"),
        ("国务院提出的文件有几件？", "56"),
        ("示例市占地的法规有几部？", "349"),
        ("示例市的法规有几部，报市的？", "349"),
        ("同名两版算一部，示例市的法规有几部？", "349"),
    ],
)
def test_what_narrows_is_no_name_of_a_column(store: Store, question: str, wrong: str) -> None:
    """This test ensures that words that narrow a count are not passed over."""
    assert counted(store, question) != list(wrong)


def test_kinds_are_taken_by_their_longest_name() -> None:
    """This test ensures that a kind with a remark is not taken for the kind without it."""
    form = "类别为预算报告(附表)的"

    assert named_kinds(form, KINDS) == [("预算报告(附表)", 0, len(form) - 1)]
    assert named_kinds("预算报告有几份", KINDS) == []
    assert literal_kind("2019年的国务院文件", KINDS, ["国务院"]) == "国务院文件"
    assert literal_kind("示例市的地方性法规", KINDS, ["国务院"]) == ""
