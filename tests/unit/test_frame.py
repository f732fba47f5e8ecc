"""The HTML frame every page shares: addresses, escaping, and who is offered what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index.domain import Reader, Role
from tests.web_fakes import make_settings
from ui import frame
from ui.frame import CHAT, PLACES, Place, header_html, page_html

ARCHIVIST = Reader(Role.ARCHIVIST, name="张三")


def page(tmp_path: Path, reader: Reader = ARCHIVIST, **more: object) -> str:
    values: dict[str, object] = {"address": "admin/ingest", "title": "一页", "main_id": "x", **more}
    return page_html(make_settings(tmp_path), reader, "v1", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "up"), [("catalogue", ""), (CHAT, "../"), ("admin/ingest", "../")]
)
def test_every_address_is_relative_to_the_page(tmp_path: Path, address: str, up: str) -> None:
    html = page(tmp_path, address=address, scripts=("one.js",), styles=("one.css",))

    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert f"{up}static/one.js?v=v1" in addresses
    assert f"{up}static/one.css?v=v1" in addresses
    assert f"{up}app/" in addresses
    assert all(a.startswith((f"{up}static/", *(up + p.address for p in PLACES))) for a in addresses)


def test_only_the_archivist_is_offered_the_intake(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)

    for role in Role:
        offered = "入库管理" in header_html(settings, Reader(role), CHAT)
        assert offered == (role is Role.ARCHIVIST)


def test_the_page_one_is_on_is_marked(tmp_path: Path) -> None:
    html = header_html(make_settings(tmp_path), ARCHIVIST, "admin/ingest")

    assert re.findall(r'href="([^"]*)" aria-current="page"', html) == ["../admin/ingest"]


def test_several_places_to_manage_fold_under_one_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    alone = (Place(CHAT, "问答"), next(p for p in PLACES if p.address == "admin/ingest"))
    monkeypatch.setattr(frame, "PLACES", alone)
    assert "<details" not in header_html(settings, ARCHIVIST, CHAT)

    second = Place("admin/more", "更多<b>", lambda r: r.role is Role.ARCHIVIST, manage=True)
    monkeypatch.setattr(frame, "PLACES", (*alone, second))
    folded = header_html(settings, ARCHIVIST, "admin/more").partition("<details")[2]

    assert 'cd-manage cd-here"' in folded
    assert "入库管理" in folded
    assert "更多&lt;b&gt;" in folded
    assert "<details" not in header_html(settings, Reader(Role.STAFF), CHAT)


def test_names_and_attributes_are_text(tmp_path: Path) -> None:
    hostile = '"><script>x</script>'
    html = page_html(
        make_settings(tmp_path, archive_name=hostile),
        ARCHIVIST,
        "v",
        address="x",
        title=hostile,
        main_id="x",
        data={"reader": hostile},
    )

    assert "<script>x" not in html
    assert 'data-reader="&quot;&gt;&lt;script&gt;x' in html


def test_a_page_of_administration_begins_with_its_name_and_purpose(tmp_path: Path) -> None:
    html = page(tmp_path, address="admin/opening", heading=True)

    main = html.partition("<main")[2]
    assert main.index("<h1>开放审核</h1>") < main.index("登记开放审核结果") < main.index("cd-wait")
    assert all(place.purpose for place in PLACES if place.manage)


def test_what_is_ones_own_stands_after_what_is_managed(tmp_path: Path) -> None:
    reader = Reader(Role.ARCHIVIST, name="张三", account="zhangsan")
    html = header_html(make_settings(tmp_path), reader, CHAT)

    assert html.index(">管理</summary>") < html.index(">我的账号<") < html.index(">退出<")
