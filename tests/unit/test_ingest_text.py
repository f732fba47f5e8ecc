"""Text files, page furniture and text quality."""

from __future__ import annotations

import pytest

from index.domain import TextSource
from ingest.errors import SourceReadError
from ingest.furniture import find_furniture
from ingest.plain import decode, pages_of_text, read_text_file
from ingest.quality import text_quality


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "big5"])
def test_chinese_encodings_are_told_apart(encoding):
    text = "第一條\n本條例適用於市區。會議審議通過了關於預算的報告，並作出決議。" * 3

    assert decode(text.encode(encoding), "a.txt") == text


@pytest.mark.parametrize("data", [b"\xff\xfe\xfd\xfc\x81", b"\0\1\2\3", b"text\0text"])
def test_what_is_not_text_says_what_to_do(data):
    with pytest.raises(SourceReadError, match=r"a\.txt") as caught:
        decode(data, "a.txt")

    assert "另存为 UTF-8" in caught.value.next_step


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceReadError, match=r"没有\.txt"):
        read_text_file(tmp_path / "没有.txt")


def test_pages_put_end_to_end_are_the_text():
    text = "# 题名\n\n[第1页]\n甲\n[第2页]\n- 2 -\n乙\f丙\n"

    pages = pages_of_text(text, markdown=True)

    assert "".join(page.raw for page in pages) == text
    assert [page.inner_label for page in pages] == ["1", "2", ""]
    assert [page.raw[a:b] for page in pages for a, b in page.furniture] == [
        "# ",
        "[第1页]",
        "[第2页]",
    ]


def test_heading_marks_are_furniture_in_markdown_only():
    assert pages_of_text("## 第一章\n", markdown=True)[0].furniture == ((0, 3),)
    assert pages_of_text("## 第一章\n", markdown=False)[0].furniture == ()


def test_an_empty_file_is_unreadable_not_text():
    (page,) = pages_of_text(" \n", markdown=False)

    assert (page.source, page.raw) == (TextSource.NONE, "")
    assert page.problem


def _furniture(raws, first_stamped=None):
    spans, labels, stamped = find_furniture(raws, [[] for _ in raws], first_stamped)
    return (
        [[raw[a:b] for a, b in mine] for raw, mine in zip(raws, spans, strict=True)],
        labels,
        stamped,
    )


@pytest.mark.parametrize(
    ("mark", "label"),
    [("— 3 —", "3"), ("- 3 -", "3"), ("－3－", "3"), ("第 3 页", "3"), ("第3页 共12页", "3"),
     ("第三页", "三"), ("3 / 12", "3"), ("—3—", "3")],
)  # fmt: skip
def test_page_marks_are_furniture_and_give_the_label(mark, label):
    found, labels, _ = _furniture([f"正文第一行\n正文第二行\n{mark}\n"])

    assert (found, labels) == ([[mark]], [label])


@pytest.mark.parametrize("line", ["3", "2016/12", "第三章", "一、三", "-", "共3页内容如下"])
def test_other_short_lines_stay(line):
    assert _furniture([f"正文第一行\n正文第二行\n{line}\n"])[0] == [[]]


def test_running_heads_of_most_pages_are_furniture():
    raws = [
        f"示例市人大常委会公报 2018年第{n}期\n正文{'甲乙丙丁'[n]}\n继续{'子丑寅卯'[n]}\n"
        for n in range(4)
    ]
    raws[2] = "没有页眉的一页\n正文\n继续\n"

    found, _, _ = _furniture(raws)

    assert [len(mine) for mine in found] == [1, 1, 0, 1]


def test_two_pages_alone_do_not_make_a_running_head():
    assert _furniture(["决定\n甲\n乙\n", "决定\n丙\n丁\n"])[0] == [[], []]


def test_bare_numbers_that_count_up_are_page_numbers():
    raws = [f"正文{c}\n第二行{c}\n{n}\n" for n, c in enumerate("甲乙丙丁", start=11)]

    found, labels, _ = _furniture(raws)

    assert found == [["11"], ["12"], ["13"], ["14"]]
    assert labels == ["11", "12", "13", "14"]


def test_the_stamped_volume_number_is_known_from_the_catalogue():
    found, labels, stamped = _furniture(["003\n决议\n正文\n", "004\n正文\n结尾\n"], first_stamped=3)

    assert (found, labels, stamped) == ([["003"], ["004"]], ["", ""], ["3", "4"])


def test_quality_tells_text_from_rubble():
    good = "为了规范养犬行为，保障公民人身安全，维护环境卫生和社会公共秩序，制定本条例。" * 3

    assert text_quality(good).usable
    assert not text_quality(good.encode("gbk").decode("latin-1")).usable
    assert not text_quality("\ue123\ue456\ue789" * 20).usable
