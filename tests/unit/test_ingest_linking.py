"""Linking files to catalogue rows."""

from __future__ import annotations

import pytest

from index.domain import Record
from ingest.catalogue import CatalogueRow, Withheld
from ingest.linking import link, natural_key


def _row(code: str, path: str = "") -> tuple[str, CatalogueRow]:
    return "", CatalogueRow(Record(code, "题名", reference_code=code), path, (code,))


@pytest.mark.parametrize(
    "path",
    [
        "J001-WS·2018-Y-BGS-0007.pdf",
        "2018/J001-WS.2018-Y-BGS-0007.pdf",
        "J001—WS・2018－Y－BGS_0007.txt",
        "j001-ws-2018-y-bgs-0007.PDF",
        "J001WS2018YBGS0007.pdf",
        "盒1/J001-WS·2018-Y-BGS-0007/正文.pdf",
    ],
)
def test_a_file_is_found_by_every_spelling_of_its_code(path):
    linked = link([_row("J001-WS·2018-Y-BGS-0007"), _row("J001-WS·2018-Y-BGS-0008")], [], [path])

    assert linked.files == ((path,), ())
    assert linked.loose == ()


def test_page_files_are_put_in_page_order():
    paths = [f"0012-1-35-8-{n:04d}.jpg" for n in (10, 2, 1)]

    assert link([_row("0012-1-35-8")], [], paths).files == (
        ("0012-1-35-8-0001.jpg", "0012-1-35-8-0002.jpg", "0012-1-35-8-0010.jpg"),
    )


def test_nested_folders_spell_a_code():
    paths = ["0012/1/35/10.jpg", "0012/1/35/2.jpg", "0012/1/36/1.jpg"]

    linked = link([_row("0012-1-35")], [], paths)

    assert linked.files == (("0012/1/35/2.jpg", "0012/1/35/10.jpg"),)
    assert linked.loose == ("0012/1/36/1.jpg",)


def test_a_volume_does_not_take_the_files_of_its_items():
    rows = [_row("0012-1-35"), _row("0012-1-35-8")]

    assert link(rows, [], ["0012-1-35/0012-1-35-8.pdf", "0012-1-35/封面.pdf"]).files == (
        ("0012-1-35/封面.pdf",),
        ("0012-1-35/0012-1-35-8.pdf",),
    )


def test_codes_with_the_same_digits_are_not_confused():
    linked = link([_row("0012-1-35"), _row("0012-13-5")], [], ["0012-13-5.pdf", "0012135.pdf"])

    assert linked.files == ((), ("0012-13-5.pdf",))
    assert linked.loose == ("0012135.pdf",)


def test_a_named_path_goes_before_codes_and_a_wrong_one_is_reported():
    rows = [_row("0012-1-1-1", "扫描\\a.pdf"), _row("0012-1-1-2", "没有/的.pdf")]

    linked = link(rows, [], ["扫描/a.pdf", "0012-1-1-1.pdf"])

    assert linked.files == (("扫描/a.pdf",), ())
    assert linked.loose == ("0012-1-1-1.pdf",)
    assert "没有/的.pdf" in linked.warnings[0].reason


def test_paths_count_from_the_folder_of_the_catalogue():
    _, row = _row("x", "a.txt")

    assert link([("1998", row)], [], ["a.txt", "1998/a.txt"]).files == (("1998/a.txt",),)


@pytest.mark.parametrize(
    "rows",
    [
        [_row("0012-1-1", "f.txt"), _row("0012-1-2", "f.txt")],
        [_row("0012-1-3"), _row("0012·1·3")],
    ],
)
def test_a_file_that_two_rows_mean_is_given_to_neither(rows):
    path = rows[0][1].path or "0012-1-3.pdf"

    linked = link(rows, [], [path])

    assert (linked.files, linked.loose, linked.shared) == (((), ()), (), ((path, (0, 1)),))


def test_a_file_that_one_row_names_is_not_the_folders_that_another_names():
    linked = link(
        [_row("a", "卷"), _row("b", "卷/2.txt")], [], ["卷/1.txt", "卷/2.txt", "卷/3.txt"]
    )

    assert linked.files == (("卷/1.txt", "卷/3.txt"), ("卷/2.txt",))


@pytest.mark.parametrize(
    "path",
    [
        "0012-1-9.pdf",
        "0012-1-9-0001.jpg",
        "0012-1-9/0001.jpg",
        "0012/1/9/1.jpg",
        "001219.pdf",
        "密/x.pdf",
    ],
)
def test_every_file_a_withheld_row_could_mean_is_kept_out(path):
    hidden = Withheld("密/x.pdf", ("0012-1-9",), "0012-1-9")

    linked = link([_row("0012-1-8")], [("", hidden)], [path])

    assert (linked.withheld, linked.loose, linked.files) == ((path,), (), ((),))


def test_natural_order():
    assert sorted(["10.jpg", "9.jpg", "a2", "a10"], key=natural_key) == [
        "9.jpg",
        "10.jpg",
        "a2",
        "a10",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "0013-WS-2010-Y-0001附件.pdf",
        "0013-WS-2010-Y-0001_正文.pdf",
        "扫描/0013-WS-2010-Y-0001（扫描件）.pdf",
        "0013WS2010Y0001 副本.pdf",
        "附件 0013-WS-2010-Y-0001.pdf",
        "13-WS·2010·Y-1.pdf",
        "0013/WS/2010/Y/1（补）/1.jpg",
        "0013-WS-2010-Y-0001附件/1.jpg",
    ],
)
@pytest.mark.parametrize("code", ["0013-WS·2010-Y-0001", "0013-WS-2010-Y-1"])
def test_words_behind_a_withheld_code_let_no_file_in(path, code):
    hidden = Withheld("", (code,), code)

    assert link([], [("", hidden)], [path]).withheld == (path,)


@pytest.mark.parametrize(
    "path",
    [
        "0013-WS-2010-Y-00010.pdf",
        "0013-WS-2010-Y-0010.pdf",
        "0013-WS-2010-Y-0002附件.pdf",
        "2-0013-WS-2010-Y-0001.pdf",
        "0013-WS-2010-Y-0001-7-2附件.pdf",
    ],
)
def test_another_code_is_not_withheld_with_it(path):
    hidden = Withheld("", ("0013-WS-2010-Y-0001",), "0013-WS-2010-Y-0001")

    assert link([_row("0013-WS-2010-Y-0001-7-2")], [("", hidden)], [path]).withheld == ()


def test_a_short_code_withholds_no_file_that_only_begins_like_it():
    linked = link([], [("", Withheld("", ("A3",), "A3"))], ["A3纸说明.txt", "A3.pdf"])

    assert (linked.withheld, linked.loose) == (("A3.pdf",), ("A3纸说明.txt",))
