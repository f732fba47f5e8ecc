"""The catalogue by facets and the figures of the holdings, over a small real store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.browse import (
    BLANK,
    CATALOGUE_ONLY,
    FACETS,
    HAS_TEXT,
    LONG_LIST,
    PAGE_ROWS,
    SHORT_LIST,
    UNREADABLE,
    Catalogue,
    CataloguePage,
    Facet,
    Selection,
)
from assistant.page_sums import PageSums, PageSumsTable
from assistant.statistics import Chart, Statistics
from index.access import EVERYTHING, Permitted
from index.domain import Page, Reader, Record, Role, TextSource
from index.store import Store

ARCHIVIST = Reader(Role.ARCHIVIST, name="张三")
DEPUTY = Reader(Role.DEPUTY, name="李四")


def put(store: Store, record: Record, *pages: Page, version: str = "1") -> None:
    store.replace_record(record, list(pages), [], version)


def item(code: str, title: str, **more: object) -> Record:
    values: dict[str, object] = {"reference_code": code, "opening": "开放", **more}
    return Record(code, title, **values)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "chadang.sqlite3", create=True)
    put(store, item("0012-1-8", "第九届三次会议文件", unit_level="案卷", year=1990))
    for number in (10, 2):
        code = f"0012-1-8-{number}"
        put(
            store,
            item(code, f"卷内文件{number}", unit_level="卷内文件", year=1990, doc_type="决议"),
            Page(code, 1, "正文"),
        )
    put(
        store,
        item(
            "J001-WS·2018-Y-DBW-0048", "对市十五届人大二次会议第47号建议的答复",
            year=2018, date_iso="2018-04-27", date="20180427", doc_type="建议答复",
            doc_no="示公函〔2018〕023号", author="示例市人民代表大会常务委员会；示例市公安局",
            meeting="十五届人大二次会议", retention="永久",
        ),
        Page("J001-WS·2018-Y-DBW-0048", 1, "示例市公安局文件\nＢ类\n答复如下：已经办结。"),
    )  # fmt: skip
    put(
        store,
        item("J001-WS·2019-Y-BGS-0007", "关于城市管理条例的说明", year=2019, doc_type="立法档案",
             author="示例市人大常委会", retention="永久",
             meeting="示例市第十五届人民代表大会常务委员会第三次会议"),
        Page("J001-WS·2019-Y-BGS-0007", 1, "", source=TextSource.NONE),
    )  # fmt: skip
    put(
        store,
        item(
            "J001-WS·2020-Y-XF-0001",
            "关于某信访件的处理意见",
            year=2020,
            doc_type="信访",
            opening="",
        ),
    )
    return store


def browse(
    store: Store, selection: Selection | None = None, reader: Reader = ARCHIVIST, **more: object
) -> CataloguePage:
    found = Catalogue(store).browse(
        selection or Selection(), lambda: store.permitted(reader), **more  # type: ignore[arg-type]
    )  # fmt: skip
    assert found is not None
    return found


def codes(page: CataloguePage) -> list[str]:
    return [row.record.reference_code for row in page.rows]


def facet(page: CataloguePage, key: str) -> Facet:
    return next(f for f in page.facets if f.kind.key == key)


def values(page: CataloguePage, key: str) -> dict[str, int]:
    return {v.value: v.count for v in facet(page, key).values}


def chart_of(store: Store, key: str, reader: Reader = ARCHIVIST) -> Chart:
    statistics = Statistics(Catalogue(store))
    found = statistics.holdings(lambda: store.permitted(reader), opening=True)
    return next(c for c in found.charts if c.key == key)


def test_rows_stand_in_the_natural_order_of_their_codes(store: Store) -> None:
    assert codes(browse(store))[:3] == ["0012-1-8", "0012-1-8-2", "0012-1-8-10"]


def test_counts_of_every_facet_add_up_to_the_rows(store: Store) -> None:
    for reader in (ARCHIVIST, DEPUTY):
        page = browse(store, reader=reader)
        for one in page.facets:
            total = sum(v.count for v in one.values) + one.more_rows
            assert total == page.total if not one.kind.several else total >= page.total


def test_what_is_closed_is_in_no_count_and_no_value(store: Store) -> None:
    assert browse(store).total == 6
    seen = browse(store, reader=DEPUTY)

    assert seen.total == 5
    assert "信访" in values(browse(store), "type")
    assert "信访" not in values(seen, "type")
    assert "2020" not in values(seen, "year")


@pytest.mark.parametrize(
    "selection",
    [
        lambda word: Selection(word),
        lambda word: Selection(chosen={"type": (word,)}),
        lambda word: Selection(chosen={"year": (word,), "author": (word,)}),
    ],
)
def test_hidden_and_absent_values_answer_alike(
    store: Store, selection: Callable[[str], Selection]
) -> None:
    hidden, absent = (
        browse(store, selection(word), reader=DEPUTY) for word in ("信访", "没有的")
    )  # fmt: skip

    assert repr(hidden).replace("信访", "没有的") == repr(absent)
    assert hidden.total == 0


def test_a_facet_counts_what_the_others_leave(store: Store) -> None:
    page = browse(store, Selection(chosen={"type": ("决议",)}))

    assert page.total == 2
    assert values(page, "year") == {"1990": 2}
    assert values(page, "type")["建议答复"] == 1
    assert [v.value for v in facet(page, "type").values if v.chosen] == ["决议"]


def test_values_of_one_facet_are_alternatives(store: Store) -> None:
    assert browse(store, Selection(chosen={"type": ("决议", "立法档案")})).total == 3
    assert browse(store, Selection(chosen={"type": ("决议",), "fonds": ("J001",)})).total == 0


@pytest.mark.parametrize(
    "words",
    [
        "建議 答覆",
        "〔2018〕23号",
        "示公函[2018]023號",
        "ws.2018-y-dbw-0048",
        "47号",
        "J001-WS·2018",
    ],
)
def test_text_is_found_in_title_number_and_code_however_written(store: Store, words: str) -> None:
    assert codes(browse(store, Selection(words))) == (
        ["J001-WS·2018-Y-DBW-0048"] if words != "建議 答覆" else []
    )
    assert browse(store, Selection("建議 答復")).total == 1


def test_every_word_must_stand_in_the_row(store: Store) -> None:
    assert browse(store, Selection("答复 没有这个词")).total == 0


def test_a_volume_opens_to_its_files(store: Store) -> None:
    volume = next(row for row in browse(store).rows if row.record.unit_level == "案卷")
    inside = browse(store, Selection(volume="0012-1-8"))

    assert volume.files == 2
    assert codes(inside) == ["0012-1-8-2", "0012-1-8-10"]
    assert inside.rows[0].volume == "0012-1-8"
    assert (browse(store).items, browse(store).volumes) == (5, 1)


def test_a_volume_that_is_hidden_is_as_if_it_were_not(store: Store) -> None:
    put(store, item("0012-1-8", "第九届三次会议文件", unit_level="案卷", opening="控制"))
    catalogue = Catalogue(store)

    def inside(volume: str) -> CataloguePage | None:
        return catalogue.browse(Selection(volume=volume), lambda: store.permitted(DEPUTY))

    assert inside("0012-1-8") is None
    assert inside("没有这个") is None
    assert inside("0012-1-8-2") is None
    assert all(not row.volume for row in browse(store, reader=DEPUTY).rows)


def test_years_narrow_rows_and_the_list_of_years(store: Store) -> None:
    page = browse(store, Selection(first_year=2018, last_year=2019))

    assert values(page, "year") == {"2019": 1, "2018": 1}
    assert page.total == 2


def test_authors_are_one_value_in_long_and_short_form(store: Store) -> None:
    both = browse(store, Selection(chosen={"author": ("示例市人大常委会",)}))

    assert len(codes(both)) == 2
    assert values(both, "author")["示例市公安局"] == 1


def test_the_result_is_what_the_reply_prints(store: Store) -> None:
    page = browse(store)

    assert values(page, "result") == {"Ｂ": 1, BLANK: 5}
    assert [row.result for row in page.rows if row.result] == ["Ｂ"]


def test_a_result_column_of_the_catalogue_counts_too(store: Store) -> None:
    put(store, item("J9", "关于路灯的建议", extra=(("办理结果", "已解决"),)))

    assert values(browse(store), "result")["已解决"] == 1


def test_rows_tell_what_can_be_read(store: Store) -> None:
    assert values(browse(store), "text") == {HAS_TEXT: 3, CATALOGUE_ONLY: 2, UNREADABLE: 1}


def test_sorting_both_ways_keeps_blanks_last(store: Store) -> None:
    up, down = (browse(store, sort="doc_no", descending=d) for d in (False, True))

    assert codes(up)[0] == codes(down)[0] == "J001-WS·2018-Y-DBW-0048"
    dates = [r.record.date_iso or r.record.year for r in browse(store, sort="date").rows]
    assert dates == [1990, 1990, 1990, "2018-04-27", 2019, 2020]


def test_titles_are_sorted_by_sound(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite3", create=True)
    for number, title in enumerate(("种子", "安全", "預算", "教育")):
        put(store, item(f"K{number}", title))

    assert [r.record.title for r in browse(store, sort="title").rows] == [
        "安全",
        "教育",
        "預算",
        "种子",
    ]


def test_pages_and_long_lists(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite3", create=True)
    store.replace_records(
        (item(f"K{n}", "文件", doc_type=f"文种{n % 40}"), [], [], "1") for n in range(120)
    )
    first, last = browse(store), browse(store, page=99)

    assert (len(first.rows), first.pages, last.page, len(last.rows)) == (PAGE_ROWS, 3, 3, 20)
    types = facet(first, "type")
    assert (len(types.values), types.more) == (SHORT_LIST, 40 - SHORT_LIST)
    assert sum(v.count for v in types.values) + types.more_rows == 120
    assert len(facet(browse(store, more="type"), "type").values) == min(40, LONG_LIST)
    chosen = browse(store, Selection(chosen={"type": ("文种39",)}))
    assert any(v.value == "文种39" and v.chosen for v in facet(chosen, "type").values)


def test_a_facet_not_shown_narrows_nothing(store: Store) -> None:
    page = browse(
        store, Selection(chosen={"opening": ("控制",)}), hidden_facets=frozenset({"opening"})
    )

    assert page.total == 6
    assert "opening" not in [f.kind.key for f in page.facets]


def test_changes_are_seen_at_once(store: Store) -> None:
    catalogue = Catalogue(store)

    def total() -> int:
        found = catalogue.browse(Selection("路灯"), lambda: EVERYTHING)
        assert found is not None
        return found.total

    assert total() == 0
    put(store, item("K1", "路灯"))
    assert total() == 1
    put(store, item("K1", "路牌"), version="2")
    assert total() == 0
    store.remove_record("K1")
    assert total() == 0


def test_personal_data_in_a_title_is_not_found(store: Store) -> None:
    number = "13812345678"
    put(store, item("K1", f"关于电话{number}的来函"))

    assert browse(store, Selection("来函")).total == 1
    assert browse(store, Selection(number)).total == 0


def test_page_sums_follow_the_pages(store: Store) -> None:
    table = PageSumsTable(store)
    number = store.record_number("0012-1-8-2")
    assert number is not None
    assert table.sums()[number] == PageSums(1, file=1)

    pages = [
        Page("0012-1-8-2", 1, "甲", source=TextSource.OCR, engine='引"擎\\', confidence=0.97),
        Page("0012-1-8-2", 2, "乙", source=TextSource.OCR, confidence=0.5),
        Page("0012-1-8-2", 3, "丙", source=TextSource.LAYER),
        Page("0012-1-8-2", 4, " \n", source=TextSource.OCR),
        Page("0012-1-8-2", 5, "丁", source=TextSource.OCR, engine="很" * 500, confidence=1e-05),
    ]
    record = store.record("0012-1-8-2")
    assert record is not None
    put(store, record, *pages, version="2")

    assert table.sums()[number] == PageSums(5, 1, 1, 3, 0, (1, 0, 0, 2))
    store.remove_record("0012-1-8-2")
    assert number not in table.sums()


def test_figures_add_up_to_what_the_reader_may_see(store: Store) -> None:
    for reader, items in ((ARCHIVIST, 5), (DEPUTY, 4)):
        statistics = Statistics(Catalogue(store))
        found = statistics.holdings(lambda r=reader: store.permitted(r), opening=True)  # type: ignore[misc]
        assert (found.items, found.volumes, found.pages, found.unreadable) == (items, 1, 4, 1)
        for chart in found.charts:
            if chart.key in ("year", "fonds", "type", "retention", "opening"):
                assert sum(sum(counts) for _, counts in chart.rows) == items, chart.key
            if chart.key == "source":
                assert sum(sum(counts) for _, counts in chart.rows) == found.pages


def test_years_without_papers_are_seen(store: Store) -> None:
    rows = chart_of(store, "year", DEPUTY).rows

    assert [name for name, _ in rows] == [str(y) for y in range(1990, 2020)]
    assert sum(rows[1][1]) == 0


def test_a_mistyped_year_does_not_stretch_the_chart(store: Store) -> None:
    put(store, item("K1", "错年", year=20))

    assert len(chart_of(store, "year").rows) == 5


def test_sittings_show_gaps_and_count_what_names_no_place(store: Store) -> None:
    put(store, item("K1", "文件一", meeting="十五届常委会第五次会议"))
    rows = dict(chart_of(store, "session").rows)

    assert rows["第十五届常委会"] == (0, 0, 1, 0, 1)
    assert rows["第十五届人代会"] == (0, 1)


def test_opening_is_a_chart_only_for_those_who_are_told(store: Store) -> None:
    statistics = Statistics(Catalogue(store))
    told = statistics.holdings(lambda: EVERYTHING, opening=True)
    untold = statistics.holdings(lambda: EVERYTHING, opening=False)

    assert {c.key for c in told.charts} - {c.key for c in untold.charts} == {"opening"}


def test_an_empty_holding_has_pages_and_figures(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite3", create=True)
    page = browse(store)

    assert (page.total, page.page, page.pages, page.rows) == (0, 1, 1, ())
    assert len(page.facets) == len(FACETS)
    assert chart_of(store, "year").rows == ()
    assert browse(store, reader=DEPUTY).total == 0


def test_equal_permitted_sets_share_a_mask(store: Store) -> None:
    table = Catalogue(store).table()

    assert table.permitted(Permitted(frozenset({1}))) is table.permitted(Permitted(frozenset({1})))
    assert replace(DEPUTY) == DEPUTY
