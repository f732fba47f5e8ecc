"""Counts and lists from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.catalogue_answer import reply
from assistant.catalogue_filters import _CITY_HEAD
from assistant.code_lookup import look_up_codes
from assistant.vocabulary import ERAS, Entry, Vocabulary
from index.access import EVERYTHING, Permitted
from index.domain import Page, Record
from index.store import Store
from tests.catalogue_asking import ask_catalogue as ask

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
        extra=(
            (
                "history",
                "2019年4月19日 示例市第九届人民代表大会常务委员会第六次会议通过；2019年5月30日 示例省第十三届人民代表大会常务委员会第二次会议批准",
            ),
        ),
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
    result = ask(store, text, permitted)
    return None if result is None else [r.record_id for r in result.records]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("2018年的决定目录上有几件？", 2),
        ("2018年永久保管的有多少件？", 1),
        ("题名里带“食品安全”的有几件？", 1),
        ("题名里带“食品安全”四个字的决定，目录上一共几件？", 1),
        ("题名里有食品安全这四个字的有几件？", 1),
        ("2019年5月30号省人大常委会批下来的各市法规，库里收了哪几部？", 1),
        ("2019年5月30日示例省人大常委会那天批准的法规，库里有几部？", 1),
        ("示例市人大常委会2019年4月19日通过了什么条例？", 1),
        ("示例市本级出的法规，库里一共收着几部？", 1),
        ("各级人大和常委会的“决定”，2018年的库里拢共有几份？", 2),
        ("决定这一类，日期落在2018年的总共几份？", 2),
        ("叫“决定”的，2018年的凑一块儿有几份？", 2),
        ("2018年的示人发收了几件？", 2),
        ("库里示例市的地方性法规一共有几部？", 1),
        ("目录日期是2019年5月的有几件？", 1),
        ("示例市法规有几部", 1),
        ("示例市的地方法规数量", 1),
        ("数一下，示例市自己的地方法规咱库里存了几部？", 1),
        ("示例市现在有几部条例", 1),
        ("示例市决定一览", 2),
        ("2018年的示人发收进来几件？", 2),
        ("2018年那年的决定总共存了几份", 2),
        ("题名里有“养犬”俩字的，一共多少条记录？", 1),
        ("题名带“示例节”的文件帮我数数", 1),
        ("标题含养犬的记录数", 1),
        ("库里头跟食品安全沾边的决定有几部", 1),
        ("日期落在2018年的决定拢共几份", 2),
        ("养犬方面各市自己出的条例有几部？省里那部别算", 1),
        ("2019年5月30日省里那次常委会批下来的法规有几部", 1),
        ("示例市人大常委会2019年4月19日自己通过的法规有几部，不算批各市的", 1),
        ("文种填的是决定的一共几件", 2),
        ("示例市的决定一共收着多少", 2),
        ("有几份2018年的决定", 2),
        ("叫“食品安全”的一共几个", 1),
        ("题名里有“犬”字的条例几部", 1),
        ("题名里有犬字的条例几部", 1),
        ("养犬的条例，省里连各市的加一块存了几部", 1),
        ("光看名字，专管养犬的条例总共收了多少部？", 1),
        ("目录里算作决定、日子落在2018年的，数数看有几件？", 2),
        ("标题上有“食品安全”这四个字的，一总多少份？", 1),
        ("类别那一栏标成“决定”的材料，现存几份？", 2),
        ("日期那一格空着没填的，有多少件？", 1),
        ("2018年的示人发数一数，手头一共几份？", 2),
        ("决定那一摞里头，日期落在2018年的有多少件？", 2),
        ("请问贵馆所藏2018年的决定计有几份，写汇报用，谢谢", 2),
        ("2018年的决定，设立示例节的那份不算，还有几份？", 1),
        ("2018年示例市的决定里，题名没有“食品”两个字的有几件？", 1),
        ("题名以“决定”结尾的，2018年的有几份", 2),
        ("示例市自己定的决定，库里几份", 2),
        ("发文字号是“示人发”打头、2018年的，收了几件？", 2),
        ("文号里带示人发字样的2018年有几份", 2),
        ("示例市那边出的决定，手头有多少部可查？", 2),
        ("题目里有“食品安全”四个字的决定，总共能翻出几部？", 1),
        ("2019年5月30日省人大常委会开会，批了底下哪些市的法规？把库里的列全", 1),
    ],
)
def test_counts_are_complete(store: Store, question: str, expected: int) -> None:
    """This test ensures that each filter of the question narrows the catalogue."""
    found = count(store, question)

    assert found is not None
    assert expected == len(found)


def test_an_everyday_word_is_counted_by_its_official_one(store: Store) -> None:
    """This test ensures that 养狗的条例 are those on 养犬, and that a word unknown stops the count."""
    words = Vocabulary([Entry(("养狗",), ("养犬",), None, None, "治安")])
    result = ask(store, "专门管养狗的条例，库里凑到几部了？", vocabulary=words)

    assert result is not None
    assert [r.record_id for r in result.records] == ["J001-WS·2019-Y-BGS-0003"]
    assert ask(store, "库里作废的条例有几部？") is None
    assert ask(store, "库里最贵的条例有几部？") is None


def test_what_is_left_over_of_a_count_is_said(store: Store) -> None:
    """This test ensures that reasons and courtesies are passed over, and named."""
    result = ask(store, "我儿子要写论文，2018年的决定库里有几份呀")
    assert result is not None
    assert len(result.records) == 2
    assert not result.unexplained
    assert any(note.startswith("没有当作条件：“") and "论文" in note for note in result.notes)


@pytest.mark.parametrize(
    "question",
    [
        "我儿子要写论文，决定库里有几份呀",  # narrowed by nothing but the type
        "2018年加急的决定库里有几份",  # said of the papers themselves
        "2018年的决定库里有几份没办结",
        "2018年的决定，规定了罚款的库里有几份",
        "2018年的决定，讲养犬的库里有几份",  # a word of other titles
        "2018年的决定跟宠物挂钩的库里有几份",  # a matter no title has
        "2018年的决定库里几份是涉密的",
        "2018年下半年的决定库里有几份",
        "2018年的决定比2019年的多几份",
        "示例市的决定，2018年的不算，有几份",
        "2018年的决定，我只关心民宿，有几份",
    ],
)
def test_what_may_narrow_a_count_stops_it(store: Store, question: str) -> None:
    result = ask(store, question)
    assert result is None or result.unexplained or not result.records


@pytest.mark.parametrize("word", ["成都", "合同", "登记", "收入", "种子", "2018年7月前", "封存"])
def test_a_word_made_of_small_characters_stops_the_count(store: Store, word: str) -> None:
    """This test ensures that a town or a topic no row has is not passed over for its characters."""
    assert not count(store, f"{word}的决定有几件")
    assert not count(store, f"库里{word}的决定有几件")


@pytest.mark.parametrize(
    ("title", "citys"),
    [
        ("榕城市养犬管理条例", True),
        ("示例省榕城市养犬条例", True),
        ("示例省城市绿化条例", False),
        ("示例省农贸市场管理条例", False),
        ("上海市养犬管理条例", False),
        ("关于城市管理的决定", False),
    ],
)
def test_rules_of_cities_are_told_from_those_of_provinces(title: str, citys: bool) -> None:
    assert bool(_CITY_HEAD.search(title)) is citys


def test_an_account_is_told_by_the_year_in_its_title(store: Store) -> None:
    """This test ensures that 2018年预算执行 is the report given, and dated, in 2019."""
    title = "关于示例市2018年预算执行情况和2019年预算草案的报告"
    store.replace_record(Record("9", title, date="2019-01-15", year=2019), (), (), "x")

    assert count(store, "讲2018年预算执行情况的报告咱收了几份？") == ["9"]
    assert count(store, "2019年预算草案的报告有几份？") == ["9"]
    assert not count(store, "讲2017年预算执行情况的报告咱收了几份？")


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("2018年报名的决定有几件？", "2018年的决定有几件？"),
        ("本级立的法规有几部？", "法规有几部？"),
        ("示例省本级立的法规有几部？", "示例省的法规有几部？"),
        ("哪几个省有养犬条例？", "各市的养犬条例有几部"),
    ],
)
def test_what_narrows_is_not_passed_over(store: Store, question: str, wrong: str) -> None:
    """This test ensures that a word is not taken for one that narrows nothing."""
    result = ask(store, question)
    assert result is None or result.unexplained or count(store, question) != count(store, wrong)


def test_papers_of_congresses_of_every_level_are_no_governments(store: Store) -> None:
    """This test ensures that 各级人大和常委会的 leaves out what a government decided."""
    question = "各级人大和常委会的决定，2018年的有几份？"
    before = count(store, question)
    row = Record("9", "示例市政府关于修路的决定", author="示例市政府", doc_type="决定", year=2018)
    store.replace_record(row, (), (), "x")

    assert before
    assert count(store, question) == before


@pytest.mark.parametrize(
    "question",
    [
        "哪几个市有养犬条例",
        "有哪几个市给养犬单独立了条例？",
        "咱省哪些市的法规名字里直接带“养犬”？报市名和法规名。",
    ],
)
def test_which_cities_have_a_rule_is_told_from_the_titles(store: Store, question: str) -> None:
    """This test ensures that only cities' rules are listed, the province's left out."""
    assert count(store, question) == count(store, "各市的养犬条例有几部")


def test_two_places_are_counted_together(store: Store) -> None:
    """This test ensures that 示例市和榕城市 means papers of either, not of both."""
    other = Record(
        "9", "榕城市人大常委会关于修渠的决定", author="榕城市人大常委会", doc_type="决定"
    )
    store.replace_record(other, (), (), "x")

    assert len(count(store, "示例市和榕城市的决定加一块几份") or ()) == 3
    assert len(count(store, "榕城市的决定有几份") or ()) == 1


@pytest.mark.parametrize(
    "question",
    [
        "2019年4月19日省人大常委会批准的法规，库里有哪几部？",
        "2019年5月30日示例市人大常委会通过的法规，库里有哪几部？",
        "2019年5月31日省人大常委会批准的法规，库里有哪几部？",
    ],
)
def test_adoption_and_approval_are_told_apart(store: Store, question: str) -> None:
    """This test ensures that the organ, the act and the day must stand in one note."""
    assert not count(store, question)


@pytest.mark.parametrize(
    "question",
    [
        "示例市养犬管理条例有几条？",
        "示例市养犬管理条例分几章？",
        "那次会议通过了几部条例？",
        "示例市十五届人大二次会议那年的代表建议一共多少件？",
        "没有几部条例管这件事",
        "每户能养几条狗？",
    ],
)
def test_how_many_of_something_else_is_no_count_of_papers(store: Store, question: str) -> None:
    """This test ensures that what papers say is not counted in the catalogue."""
    assert count(store, question) is None


def test_an_era_is_counted_as_its_years(store: Store) -> None:
    """This test ensures that a stretch of years by its everyday name filters like the years."""
    words = Vocabulary([Entry(("改制那阵子",), ("机构改革",), 2018, 2018, ERAS)])
    result = ask(store, "改制那阵子的决定目录上有几件？", vocabulary=words)

    assert result is not None
    assert [r.record_id for r in result.records] == count(store, "2018年的决定目录上有几件？")


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
        "示人发2018年第7号",
        "麻烦调一份2018年的示人发7号，我忘了讲什么",
        "2018年示人发第7号",
        "示人发18年7号文",
        "示人发2018-7",
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
    assert look_up_codes("2018年的示人发99号", store, EVERYTHING) == ([], True)
    assert look_up_codes("2018年6月29号通过的决定", store, EVERYTHING) == ([], False)


def test_a_hidden_code_looks_missing(store: Store) -> None:
    """This test ensures that a code outside the permitted set is not found."""
    assert look_up_codes("帮我调示人发〔2018〕7号", store, Permitted(frozenset({99})))[0] == []


# -- a holding with volumes, gaps and several years -------------------------------------------


def _row(code: str, title: str, **fields: object) -> Record:
    values: dict[str, object] = {"reference_code": code, "source_file": "目录.xlsx", **fields}
    iso = str(values.get("date_iso", ""))
    values.setdefault("date", iso)
    values.setdefault("year", int(iso[:4]) if iso else None)
    return Record(code, title, **values)  # type: ignore[arg-type]


HOLDING = [
    _row("0012-2-3", "样板市人大常委会来往文书", unit_level="案卷", retention="短期",
         date="1996.3.1-1997.5.2", date_iso="1996-03-01", year=1996, note="共3件"),
    _row("0012-2-3-2", "关于桥梁维修的建议（第5号）", unit_level="卷内文件", retention="短期", date_iso="1996-03-01",
         proposers=("丁小满",)),
    _row("0012-2-3-10", "对第5号建议的答复", unit_level="卷内文件", retention="短期", date_iso="1997-05-02",
         author="样板市交通局", proposers=("丁小满",)),
    _row("Z1-2015-1", "[样板市代表座谈会发言摘录]", retention="D10", date_iso="2015-06-01", page_count=4),
    _row("Z1-2016-1", "样板市人大常委会关于批准决算的决议", retention="Y", date_iso="2016-08-30",
         author="样板市人民代表大会常务委员会", doc_type="决议", opening="开放", page_count=12),
    _row("Z1-2016-2", "样板市人大常委会关于禁渔的决定", retention="Y", date_iso="2016-10-27",
         author="样板市人民代表大会常务委员会", doc_type="决定", opening="", page_count=2),
    _row("Z1-2017-1", "样板市人大常委会办公室关于防汛的通知", retention="D30", date_iso="2017-05-04",
         doc_no="样人办发〔2017〕3号", doc_type="通知", opening="未审核", department="办公室"),
    _row("Z1-2017-2", "样板市人大常委会主任会议纪要", retention="D30", date_iso="2017-11-20",
         doc_type="主任会议", restricted=True),
    Record("散页.txt", "散页", file_path="散页.txt"),
]  # fmt: skip


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "h.sqlite3", create=True)
    stored = {"Z1-2016-1": 11, "Z1-2016-2": 2, "Z1-2015-1": 4, "散页.txt": 1, "0012-2-3-2": 1,
              "0012-2-3-10": 1, "Z1-2017-2": 1}  # fmt: skip
    for record in HOLDING:
        pages = tuple(
            Page(record.record_id, n, f"第{n}页写有防汛沙袋。" if n == 1 else "")
            for n in range(1, stored.get(record.record_id, 0) + 1)
        )
        opened.replace_record(record, pages, (), "x")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("馆藏一共有多少件？", 8),
        ("短期的案卷有几卷？", {"0012-2-3"}),
        ("到期该鉴定的有哪些？", {"0012-2-3-2", "0012-2-3-10", "Z1-2015-1"}),
        ("到期该鉴定的短期卷有哪些？", {"0012-2-3"}),
        ("有没有目录有、原文没挂上的？", {"Z1-2017-1"}),
        ("目录写12页、图只有11张的是哪几件？", {"Z1-2016-1"}),
        ("题名自拟的（带方括号）有多少？", {"Z1-2015-1"}),
        ("哪些没有编目？", {"散页.txt"}),
        ("哪些页面识别不出文字？", {"Z1-2016-1", "Z1-2016-2", "Z1-2015-1"}),
        ("2017年5月样人办发的通知。", {"Z1-2017-1"}),
        (
            "2016年到2017年永久和30年的列个清单",
            {"Z1-2016-1", "Z1-2016-2", "Z1-2017-1", "Z1-2017-2"},
        ),
        ("2016年以后归档的有几件？", {"Z1-2016-1", "Z1-2016-2", "Z1-2017-1", "Z1-2017-2"}),
        ("2016年以前的有几件材料？", {"0012-2-3-2", "0012-2-3-10", "Z1-2015-1"}),
        ("九十年代的材料有几件？", {"0012-2-3-2", "0012-2-3-10"}),
        ("市人大常委会的决议和决定有几件？", {"Z1-2016-1", "Z1-2016-2"}),
        ("决议决定清单", {"Z1-2016-1", "Z1-2016-2"}),
        ("主任会议纪要库里有哪几份？", {"Z1-2017-2"}),
        ("提案一共有几件？", {"0012-2-3-2"}),
        ("丁小满提的建议有几件？", {"0012-2-3-2"}),
        ("未开放的决定有几件？", {"Z1-2016-2"}),
        ("开放标识空白的决定有几件？", {"Z1-2016-2"}),
        ("提到防汛沙袋的有几件？", 7),
        ("库里最早的一份是哪年的？", {"0012-2-3-2"}),
        ("最近的2件是什么？", {"Z1-2017-1", "Z1-2017-2"}),
        ("办公室的有几件？", {"Z1-2017-1"}),
    ],
)
def test_each_condition_counts(holding: Store, question: str, expected: int | set[str]) -> None:
    """This test ensures that every kind of condition gives exactly its rows."""
    found = count(holding, question)

    assert found is not None
    assert (len(found) if isinstance(expected, int) else set(found)) == expected


@pytest.mark.parametrize(
    "question",
    [
        "2016年调查的决议有几件？",
        "2016年那块地的决议有几件？",
        "2016年加急的决议有几件？",  # no such column
        "2016年手写的有几件？",
        "玉门市的决议有几件？",  # a place no row is about
        "2016年全体会议一致通过的决议有几件？",
        "样板市人大常委会2016年安排了多少资金？",  # what the papers say
        "决算决议是谁签发的？",
        "《玉门市人大常委会关于禁渔的决定》有几件？",  # nor may half of its title filter
    ],
)
def test_a_condition_that_is_no_filter_stops_the_count(holding: Store, question: str) -> None:
    """This test ensures that nothing is counted as if a condition were not there."""
    assert ask(holding, question) is None


def test_the_due_transfer_list_follows_the_setting(holding: Store) -> None:
    """This test ensures that transfer is by age and term of the settings, not by a fixed rule."""
    (holding.path.parent / "chadang.toml").write_text(
        'transfer_years = 9\ntransfer_retention = "Y"\n', encoding="utf-8"
    )

    assert count(holding, "哪些该移交市档案馆了？") == ["Z1-2016-1", "Z1-2016-2"]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("各年各有多少件？", [("1996年", "1"), ("1997年", "1"), ("2015年", "1"), ("2016年", "2"),
                       ("2017年", "2"), ("（目录未填）", "1")]),
        ("2016年的按月份排一下", [("2016年8月", "1"), ("2016年10月", "1")]),
        ("2016年和2017年永久的各有几件？", [("2016年", "2")]),
        ("各保管期限有多少件？", [("Y", "2"), ("D30", "2"), ("短期", "2"), ("D10", "1"), ("（目录未填）", "1")]),
    ],
)  # fmt: skip
def test_groups_add_up_and_point_to_their_rows(
    holding: Store, question: str, rows: list[tuple[str, str]]
) -> None:
    """This test ensures that the groups are complete and traceable to the listings."""
    result = ask(holding, question)

    assert result is not None
    said = reply(result)
    assert said.table is not None
    assert set(rows) == {row.cells for row in said.table.rows}
    assert sum(int(row.cells[1]) for row in said.table.rows) == len(said.listings)
    assert sorted(m for row in said.table.rows for m in row.markers) == [
        item.marker for item in said.listings
    ]


def test_the_largest_group_is_named_with_its_ties(holding: Store) -> None:
    """This test ensures that 哪年最多 names every year that has the most."""
    result = ask(holding, "库里哪年的文件最多？")

    assert result is not None
    assert reply(result).lead.startswith("最多的是2016年、2017年，2 件。")


def test_what_was_counted_is_restated_with_its_denominator(holding: Store) -> None:
    """This test ensures that an archivist can check what the figure means."""
    result = ask(holding, "2016年永久保管的有多少件？")

    assert result is not None
    lead = reply(result).lead
    assert "共 2 件" in lead
    assert "目录 8 件" in lead
    assert "保管期限为“永久”" in lead
    assert "日期为2016年" in lead


def test_hidden_rows_leave_no_trace_in_counts_and_words(holding: Store) -> None:
    """This test ensures that a count for fewer rows reads as if the others had never been."""
    hidden = holding.record_number("Z1-2017-2")
    numbers = {holding.record_number(r.record_id) for r in HOLDING} - {hidden, None}
    some = Permitted(frozenset(n for n in numbers if n is not None))
    known = ask(holding, "库里2017年的有几件？", some)
    holding.remove_record("Z1-2017-2")
    absent = ask(holding, "库里2017年的有几件？")

    assert known is not None
    assert absent is not None
    assert reply(known) == reply(absent)
    assert ask(holding, "主任会议纪要库里有几份？", some) is None
