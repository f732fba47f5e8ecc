"""Links to a page with a quotation marked: right after the record was read anew, or marked as lost."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from index.domain import Page, Record
from index.store import Store
from ui.places import Place, is_hash, permalink, quote_hash, resolve

CODE = "J001-2018-1"
FIRST = "第一页的文字。\n会议决定拨款五千元，用于\n渠道维修。\n"
QUOTE = "拨款五千元，用于\n渠道维修"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "chadang.sqlite3", create=True)
    _read(store, FIRST, "第二页的文字。")
    return store


def _read(store: Store, *texts: str) -> None:
    pages = [Page(CODE, seq, text) for seq, text in enumerate(texts, start=1)]
    store.replace_record(Record(CODE, "决定", reference_code=CODE), pages, [], texts[0][:9])


def _link() -> tuple[int, int, int, str]:
    start = FIRST.index(QUOTE)
    query = parse_qs(urlsplit(permalink(CODE, 1, start, start + len(QUOTE), QUOTE)).query)
    page, low, high = (int(query[name][0]) for name in ("page", "start", "end"))
    return page, low, high, query["hash"][0]


def _words(place: Place | None) -> str:
    assert place is not None
    return place.page.raw[place.start : place.end]


def test_a_link_opens_its_words(store: Store) -> None:
    place = resolve(store, CODE, *_link())
    assert _words(place) == QUOTE
    assert place is not None
    assert not place.moved
    assert not place.lost


def test_words_that_moved_are_found_again(store: Store) -> None:
    _read(store, "新加的封面。", "页眉\n" + FIRST.replace("用于\n渠道", "用于渠道"))
    place = resolve(store, CODE, *_link())
    assert _words(place) == QUOTE.replace("\n", "")
    assert place is not None
    assert place.moved
    assert place.page.seq == 2


def test_words_that_changed_are_never_marked(store: Store) -> None:
    _read(store, FIRST.replace("五千元", "五十元"), "第二页的文字。")
    place = resolve(store, CODE, *_link())
    assert place is not None
    assert place.lost
    assert place.page.seq == 1
    assert place.start == place.end == 0


def test_a_page_that_is_gone_opens_the_last_one_with_a_remark(store: Store) -> None:
    _, start, end, _ = _link()
    _read(store, "只剩一页。")
    place = resolve(store, CODE, 2, start, end, quote_hash("第二页的"))
    assert place is not None
    assert place.lost
    assert place.page.seq == 1


def test_links_without_a_hash_are_as_they_were(store: Store) -> None:
    assert _words(resolve(store, CODE, 1, 0, 4, "")) == FIRST[:4]
    assert _words(resolve(store, CODE, 1, 0, 9999, "")) == ""
    assert resolve(store, CODE, 7, 0, 4, "") is None


@pytest.mark.parametrize("digest", ["x", "0.0000000000", "5.zzzzzzzzzz", "99999.0123456789", "<b>"])
def test_a_made_up_hash_marks_nothing(store: Store, digest: str) -> None:
    place = resolve(store, CODE, 1, 0, 4, digest)
    assert place is not None
    assert place.lost


def test_white_space_does_not_count() -> None:
    assert quote_hash("拨款 五千元\n") == quote_hash("拨款五千元")
    assert quote_hash(" \n") == ""
    assert is_hash(quote_hash("甲"))
    assert not is_hash("")
