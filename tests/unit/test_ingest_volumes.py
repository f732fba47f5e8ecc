"""Volumes: page ranges, proving where stamped page 1 is, which scans are a volume's, finding aids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.domain import Record
from ingest.catalogue import CatalogueRow, Withheld
from ingest.finding_aids import aid_by_name, aid_by_text, is_aid
from ingest.linking import link
from ingest.volume_linking import find_volumes, share_out
from ingest.volumes import Cut, cut_volume, page_spans

_TITLES = ["关于召开会议的通知", "政府工作报告全文", "关于道口改造的决议"]
_SPANS = [(1, 2), (3, 4), (5, 5)]
_PAGES = [
    "关于召开会议的通知\n各代表：",
    "（续）特此通知。",
    "政府工作报告全文\n各位代表：",
    "报告第二页",
    "关于道口改造的决议\n会议决定",
]


def _cut(texts, aids=None, spans=None, titles=None):
    return cut_volume(spans or _SPANS, titles or _TITLES, texts, aids or [False] * len(texts))


@pytest.mark.parametrize(
    ("labels", "counts", "spans"),
    [
        (["1", "3", "56-61"], [None] * 3, [(1, 2), (3, 55), (56, 61)]),
        (["1", "3", "9"], [2, 6, 4], [(1, 2), (3, 8), (9, 12)]),
        (["第1页", "3—8", "9～12"], [None] * 3, [(1, 2), (3, 8), (9, 12)]),
        (["5", "5", "6"], [None] * 3, [(5, 5), (5, 5), (6, None)]),
    ],
)
def test_ranges_run_to_the_next_row(labels, counts, spans):
    assert page_spans(labels, counts) == (spans, [])


@pytest.mark.parametrize(
    "labels", [["1", "九", "20"], ["9", "3", "12"], ["1-5", "3", "9"], ["5-2", "6", "7"]]
)
def test_ranges_that_cannot_be_are_named(labels):
    assert page_spans(labels, [None] * 3)[1]


def test_titles_prove_the_place_of_page_one_behind_unread_covers():
    cut = _cut(["", "看不清的封面", *_PAGES, "尾页"])

    assert cut == Cut(((2, 4), (4, 6), (6, 7)), (0, 1, 7))


def test_without_readable_text_the_number_of_scans_decides():
    assert _cut([""] * 5) == Cut(((0, 2), (2, 4), (4, 5)), ())
    assert isinstance(_cut([""] * 6), str)


def test_recognised_finding_aids_stand_outside():
    cut = _cut(["封面", *[""] * 5, "备考表"], [True, *[False] * 5, True])

    assert cut == Cut(((1, 3), (3, 5), (5, 6)), (0, 6))


def test_a_missing_page_stops_the_cutting():
    reason = _cut(["封面", "目录", *_PAGES[:1], *_PAGES[2:], "备考表"])

    assert "对不上" in reason


def test_one_title_in_the_wrong_place_stops_the_cutting():
    titles = [f"关于第{n}号事项的决定" for n in "一二三四五六"]
    pages = [text for title in titles for text in (title + "\n正文", "续页的正文")]
    del pages[3]  # a page of the second paper is lost, the third has one more than listed
    pages.insert(5, "多出一页")
    spans = [(n, n + 1) for n in range(1, 12, 2)]

    assert "有 1 件" in _cut(pages, spans=spans, titles=titles)


@pytest.mark.parametrize("titles", [["会议通知", "会议议程", "任免名单"], ["甲件", "乙件", "丙件"]])
def test_short_titles_prove_by_filling_a_line(titles):
    pages = [f"{titles[0]}\n各位代表", "续", f"{titles[1]}\n一、", "二、", f"{titles[2]}\n三人"]

    assert _cut(pages, titles=titles) == Cut(((0, 2), (2, 4), (4, 5)), ())
    pages[1:3] = [pages[2], "议程续页"]
    assert "对不上" in _cut(pages, titles=titles)


def test_text_without_any_title_stops_the_cutting():
    told = "这一页有正文而没有题名"

    assert "认不出题名" in _cut([told] * 5)
    assert "认不出题名" in _cut([_PAGES[0], told, told, told, told])
    assert isinstance(_cut([*_PAGES[:2], told, *_PAGES[3:]]), Cut)
    assert "认不出题名" in _cut([*_PAGES[:2], told, *_PAGES[3:], "不知何处的一页"])


def test_too_few_scans_stop_the_cutting():
    assert "只有 4 幅" in _cut(_PAGES[:4])


def test_titles_listed_on_a_contents_page_prove_nothing():
    contents = "卷内文件目录\n" + "\n".join(_TITLES)

    assert _cut([contents, *_PAGES], [True, *[False] * 5]) == Cut(((1, 3), (3, 5), (5, 6)), (0,))


def test_a_list_in_the_midst_of_the_papers_stops_the_cutting():
    pages = [*_PAGES[:1], "卷内文件目录", *_PAGES[2:]]

    assert "会落进卷内文件" in _cut(pages, [False, True, False, False, False])


def test_an_open_end_runs_to_the_remarks():
    cut = _cut([*_PAGES, "决议第二页", "备考表"], [*[False] * 6, True], [(1, 2), (3, 4), (5, None)])

    assert cut == Cut(((0, 2), (2, 4), (4, 6)), (6,))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("卷 内 文 件 目 录\n顺序号 文号 责任者 题名 日期 页号 备注\n1", "卷内文件目录"),
        ("备考表\n本卷情况说明：共61页\n立卷人：某某\n检查人：某某", "备考表"),
        (
            "全宗名称 某市人大\n类目名称\n案卷题名 会议文件\n保管期限 永久\n全宗号 0012 目录号 1 案卷号 35",
            "案卷封面",
        ),
        ("某市档案工作办法\n第一条 卷内文件目录由立卷人填写。", ""),
        ("政府工作报告\n目录\n一、工作回顾", ""),
        ("关于题名、页号怎样填写的说明", ""),
        ("", ""),
    ],
)
def test_finding_aids_are_known_by_their_words(raw, kind):
    assert aid_by_text(raw) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a/封面.jpg", "案卷封面"), ("0012-1-35-目录02.tif", "卷内文件目录"), ("0012-1-35/备考表.jpg", "备考表"),
     ("a/0001.jpg", ""), ("关于目录.pdf", ""), ("html.jpg", "")],
)  # fmt: skip
def test_finding_aids_are_known_by_their_names(path, kind):
    assert aid_by_name(path) == kind


def test_words_alone_make_no_finding_aid_of_an_item():
    raw = "卷内文件目录\n顺序号 文号 责任者 题名 日期 页号 备注"

    assert not is_aid(Record("a", "怎样填卷内文件目录"), "a.pdf", raw, several=False)
    assert is_aid(Record("a", "卷", unit_level="案卷"), "a.pdf", raw, several=False)


# -- which scans are a volume's -------------------------------------------------------------------


def _member(number, span, *, code=None):
    code = code or f"0012-1-35-{number}"
    record = Record(code, f"题名{number}", reference_code=code, unit_level="卷内文件")
    return "", CatalogueRow(record, "", (code,), "0012-1-35", span)


def _owner():
    record = Record("0012-1-35", "一卷", reference_code="0012-1-35", unit_level="案卷")
    return "", CatalogueRow(record, "", ("0012-1-35",), "0012-1-35")


def _volumes(rows, paths, withheld=()):
    return find_volumes(rows, withheld, link(rows, withheld, paths))


@pytest.mark.parametrize(
    "paths",
    [
        ["0012-1-35.pdf"],
        ["扫描/0012-01-035.pdf"],
        ["0012/1/35/0001.jpg", "0012/1/35/0002.jpg", "0012/1/35/0003.jpg"],
        ["0012-1-35/0001.jpg", "0012-1-35/0002.jpg", "0012-1-35/0003.jpg"],
        ["0012-1-35-0001.jpg", "0012-1-35-0002.jpg", "0012-1-35-0003.jpg"],
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_volumes_scans_are_found_in_every_layout(paths, own):
    rows = [_member(1, (1, 2)), _member(2, (3, 3)), *([_owner()] if own else [])]

    volumes, linked = _volumes(rows, paths)

    assert [(v.owner, v.members, v.files) for v in volumes] == [
        (2 if own else None, (0, 1), tuple(paths))
    ]
    assert linked.loose == ()
    assert not any(linked.files)


def test_page_files_are_not_taken_for_items_of_the_same_number():
    rows = [_member(n, span, code=f"0012-1-35-000{n}") for n, span in ((1, (1, 2)), (2, (3, 4)))]
    paths = [f"0012-1-35-{n:04d}.jpg" for n in range(1, 5)]

    volumes, linked = _volumes(rows, paths)

    assert volumes[0].files == tuple(paths)
    assert linked.files == ((), ())


def test_a_scan_file_that_the_volumes_row_names_too_is_no_double():
    rows = [_owner(), _member(1, (1, 2)), _member(2, (3, 3))]
    rows = [(folder, replace(row, path="扫描/一卷.pdf")) for folder, row in rows]

    volumes, linked = _volumes(rows, ["扫描/一卷.pdf"])

    assert [(v.owner, v.files) for v in volumes] == [(0, ("扫描/一卷.pdf",))]
    assert linked.warnings == ()


@pytest.mark.parametrize(("spans", "cut"), [([(1, 2), (3, 3)], True), ([(1, 2), None], False)])
def test_a_scan_file_that_every_row_names_is_the_volumes(spans, cut):
    rows = [_member(n, span) for n, span in enumerate(spans, 1)]
    rows = [(folder, replace(row, path="扫描/一卷.pdf")) for folder, row in rows]

    volumes, linked = _volumes(rows, ["扫描/一卷.pdf"])

    assert [v.files for v in volumes] == ([("扫描/一卷.pdf",)] if cut else [])
    assert linked.files == ((), ())
    assert ["没有按页号拆分" in w.reason for w in linked.warnings] == ([] if cut else [True])


def test_items_with_files_of_their_own_are_left_alone():
    rows = [_owner(), _member(1, (1, 2)), _member(2, (3, 3))]
    paths = ["0012-1-35/0012-1-35-1.pdf", "0012-1-35/0012-1-35-2.pdf", "0012-1-35/封面.jpg"]

    volumes, linked = _volumes(rows, paths)

    assert volumes == []
    assert linked.files == ((paths[2],), (paths[0],), (paths[1],))


@pytest.mark.parametrize(
    "paths",
    [
        ["0012-1-35.pdf"],
        ["0012-1-35/0001.jpg", "0012-1-35/0002.jpg", "0012-1-35/0003.jpg"],
        [f"0012-1-35-{n}.jpg" for n in range(1, 6)],
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_the_scans_of_a_volume_with_a_secret_file_are_never_read(paths, own):
    rows = [_member(1, (1, 2)), *([_owner()] if own else [])]
    hidden = Withheld("", ("0012-1-35-2",), "0012-1-35-2", "0012-1-35")

    volumes, linked = _volumes(rows, paths, [("", hidden)])

    assert volumes == []
    assert sorted(linked.withheld) == sorted(paths)
    assert not any(linked.files)
    assert linked.loose == ()
    assert "抽出" in linked.warnings[0].next_step


def test_codes_that_lost_their_zeros_find_their_files_if_one_alone_is_meant():
    rows = [_member(8, None, code="12-1-35-8"), _member(9, None, code="12-1-35-9")]

    linked = link(rows, [], ["0012-001-0035-0008.pdf", "0012/001/0035/0009/1.jpg"])

    assert linked.files == (("0012-001-0035-0008.pdf",), ("0012/001/0035/0009/1.jpg",))


def test_codes_that_differ_in_zeros_only_are_not_confused():
    rows = [_member(1, None, code="12-1-35"), _member(2, None, code="012-1-35")]

    assert link(rows, [], ["0012-1-35.pdf"]).loose == ("0012-1-35.pdf",)


# -- sharing out ----------------------------------------------------------------------------------


class _Text:
    def __init__(self, raw):
        self.raw = raw


def _share(parts, raws, owner=None):
    texts = [("v.pdf", _Text(raw)) for raw in raws]
    owner = owner or Record("v", "卷", unit_level="案卷", opening="开放")
    return share_out(owner, parts, texts, dict.fromkeys(range(len(raws)), "v.pdf"))


def _parts(*openings):
    return [
        (Record(str(i), title, opening=opening), span)
        for i, (title, span, opening) in enumerate(zip(_TITLES, _SPANS, openings, strict=True))
    ]


def test_each_file_gets_its_pages_and_the_volume_the_rest():
    shares, warning = _share(_parts("开放", "开放", "开放"), ["卷皮", *_PAGES])

    assert warning is None
    assert [(s.record.record_id, [t.raw for _, t in s.texts]) for s in shares] == [
        ("v", ["卷皮"]), ("0", _PAGES[:2]), ("1", _PAGES[2:4]), ("2", _PAGES[4:]),
    ]  # fmt: skip
    assert [s.first_stamped for s in shares] == [None, 1, 3, 5]
    assert shares[0].aids


@pytest.mark.parametrize("raws", [["卷皮", *_PAGES], _PAGES[:4]])
def test_a_volume_is_as_closed_as_its_most_closed_file(raws):
    shares, _ = _share(_parts("开放", "控制", "开放"), raws)

    assert shares[0].record.opening == ""
    assert ("开放标识（表中原样）", "开放") in shares[0].record.extra


def test_an_unproved_cut_leaves_all_pages_with_the_volume():
    shares, warning = _share(_parts("开放", "开放", "开放"), _PAGES[:4])

    assert [len(s.texts) for s in shares] == [4, 0, 0, 0]
    assert "没有按页号拆分" in warning.reason
    assert warning.next_step


def test_a_page_shared_by_an_open_and_a_closed_file_stops_the_cutting():
    parts = [
        (Record("a", "甲件题名文字", opening="开放"), (1, 1)),
        (Record("b", "乙件题名文字", opening="控制"), (1, 2)),
    ]

    shares, warning = _share(parts, ["甲件题名文字", "乙件题名文字"])

    assert "开放情况却不同" in warning.reason
    assert shares[0].record.opening == ""
