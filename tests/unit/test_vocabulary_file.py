"""The vocabulary's files: reading what Excel writes, naming bad rows, changing the own part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assistant import vocabulary_file
from assistant.vocabulary_file import (
    FILE_NAME,
    HEADINGS,
    VocabularyError,
    VocabularySource,
    read_rows,
    shipped_entries,
)

HEADING = ",".join(HEADINGS)


def words_of(source: VocabularySource, text: str) -> dict[str, tuple[str, ...]]:
    return {e.words: e.meanings for e in source.vocabulary.expansions(text)}


def test_the_shipped_file_has_no_bad_row_and_a_few_hundred_pairs() -> None:
    content = Path(vocabulary_file.__file__).with_name(FILE_NAME).read_bytes()

    assert read_rows(content, "自带").bad == ()
    assert sum(len(e.colloquial) * len(e.official) for e in shipped_entries()) > 400


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_what_excel_writes_is_read(codec: str, delimiter: str) -> None:
    text = f"{HEADING}\r\n邹山县,邹山市,1992,,地名,,,撤县设市\r\n".replace(",", delimiter)
    rows = read_rows(text.encode(codec), "本馆")

    assert rows.bad == ()
    assert rows.entries[0].official == ("邹山市",)
    assert rows.entries[0].first_year == 1992
    assert rows.entries[0].row == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",电动自行车", "“口语”空着"),
        ("电动车,", "“正式用语”空着"),
        ("车,电动自行车", "只有一个字"),
        ("采砂,河道采砂", "本来就查得到"),
        ("拆迁,房屋征收,二〇一一", "应是四位年份"),
        ("拆迁,房屋征收,2015,2011", "晚于"),
        ("严打那阵,严厉打击,1983,,时期", "起始年和终止年都要写"),
        ("拆迁,房屋征收,,,,反向", "应是“双向”或“单向”"),
        ("养狗*,养犬", "“*”要夹在"),
        ("养狗,养*犬", "只能用在“口语”里"),
    ],
)
def test_a_bad_row_is_named_with_its_reason_and_the_rest_is_used(row: str, reason: str) -> None:
    content = f"{HEADING}\n红绿灯,交通信号灯\n{row}\n斑马线,人行横道\n"
    rows = read_rows(content.encode(), "本馆")

    assert [bad.row for bad in rows.bad] == [3]
    assert reason in rows.bad[0].line
    assert "第 3 行" in rows.bad[0].line
    assert [e.official for e in rows.entries] == [("交通信号灯",), ("人行横道",)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "空的"),
        ("词,意思\n甲乙,丙丁\n".encode(), "表头要有"),
        (b"\xff\xfe\x00\x80", "编码读不懂"),
        (b"x" * 5_000_000, "超过"),
    ],
)
def test_a_file_that_is_none_is_told_as_a_whole(content: bytes, reason: str) -> None:
    rows = read_rows(content, "本馆")

    assert rows.entries == ()
    assert reason in rows.bad[0].line


def test_the_own_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)
    assert words_of(source, "大洼的水") == {}

    file = tmp_path / FILE_NAME
    file.write_text(f"{HEADING}\n大洼,太平湖\n", encoding="gb18030")
    assert words_of(source, "大洼的水") == {"大洼": ("太平湖",)}

    file.write_text(f"{HEADING}\n大洼,太平湖新区\n,坏行\n", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert words_of(source, "大洼的水") == {"大洼": ("太平湖新区",)}
    assert [bad.row for bad in source.bad_rows] == [3]

    file.unlink()
    assert words_of(source, "大洼的水") == {}
    assert source.bad_rows == ()


def test_a_pair_is_added_and_taken_out_again(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)

    assert source.add("大洼", "太平湖", "地名")
    assert not source.add("大洼", "太平湖")
    assert source.path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert words_of(source, "大洼的水") == {"大洼": ("太平湖",)}
    assert source.remove("大洼", "太平湖")
    assert not source.remove("大洼", "太平湖")
    assert words_of(source, "大洼的水") == {}


def test_a_shipped_pair_can_be_switched_off_and_on(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)
    assert words_of(source, "红绿灯") == {"红绿灯": ("交通信号灯",)}

    assert source.remove("红绿灯")
    assert words_of(source, "红绿灯") == {}
    assert "停用" in source.path.read_text(encoding="utf-8-sig")
    assert words_of(source, "斑马线")

    assert source.add("红绿灯", "交通信号灯")
    assert words_of(source, "红绿灯") == {"红绿灯": ("交通信号灯",)}


def test_one_of_several_meanings_can_be_taken_out(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)
    (tmp_path / FILE_NAME).write_text(f"{HEADING}\n大洼/洼里,太平湖/太平湖新区\n", "utf-8")

    assert source.remove("洼里", "太平湖新区")

    assert words_of(source, "洼里的水") == {"洼里": ("太平湖",)}
    assert words_of(source, "大洼的水") == {"大洼": ("太平湖", "太平湖新区")}


def test_a_change_keeps_the_rows_it_does_not_understand(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)
    source.path.write_text(f"{HEADING}\n车,一个字\n大洼,太平湖\n", encoding="gb18030")

    source.add("老城", "中心街道")

    text = source.path.read_text(encoding="utf-8-sig")
    assert "车,一个字" in text
    assert "大洼,太平湖" in text
    assert "老城,中心街道" in text


def test_a_file_without_headings_is_not_overwritten(tmp_path: Path) -> None:
    source = VocabularySource(tmp_path)
    source.path.write_text("购物清单\n", encoding="utf-8")

    with pytest.raises(VocabularyError, match="没有表头"):
        source.add("大洼", "太平湖")
    assert source.path.read_text(encoding="utf-8") == "购物清单\n"


@pytest.mark.parametrize(
    ("pair", "match"), [(("车", "车辆"), "一个字"), (("采砂", "采砂"), "本来就")]
)
def test_an_unusable_pair_is_refused_with_the_reason(
    tmp_path: Path, pair: tuple[str, str], match: str
) -> None:
    with pytest.raises(VocabularyError, match=match):
        VocabularySource(tmp_path).add(*pair)
