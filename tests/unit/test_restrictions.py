"""Types restricted by default: the shipped table, an archive's own rows, and who may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.access import may_read
from index.domain import Reader, Record, Role
from index.errors import SettingsError
from index.restrictions import LOCAL_FILE, kind_of, shipped_table, table_of


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"title": "云栖市人大常委会第九次主任会议纪要"}, "工作秘密"),
        ({"title": "会议纪要", "author": "中共云栖市人大常委会党组"}, "工作秘密"),
        ({"title": "甲某", "doc_type": "内部请示"}, "工作秘密"),
        ({"title": "关于转办群众信访件的函"}, "信访"),
        ({"title": "关于甲某的举报材料"}, "举报"),
        ({"title": "乙某同志任前考察材料"}, "考察"),
        ({"title": "关于给予丙某处分的决定"}, "处分"),
        # of two kinds the stricter one
        ({"title": "主任会议关于信访件的意见"}, "信访"),
    ],
)
def test_types_are_known_by_title_author_or_kind(fields: dict[str, str], kind: str) -> None:
    """This test ensures that a blank opening status is not needed to restrict these."""
    assert kind_of(Record("甲", **{"title": "", **fields}), shipped_table()) == kind


@pytest.mark.parametrize(
    "title",
    [
        "关于全市信访工作情况的报告",
        "关于检查信访条例实施情况的报告",
        "关于赴外地学习考察的报告",
        "云栖市有奖举报办法",
        "关于学习贯彻处分条例的通知",
        "关于养犬管理条例（草案）的说明",
    ],
)
def test_papers_about_such_matters_are_not_restricted(title: str) -> None:
    """This test ensures that reports on petition work and study tours stay readable."""
    assert kind_of(Record("甲", title), shipped_table()) == ""


def test_an_archive_adds_excepts_and_takes_out_rows(tmp_path: Path) -> None:
    """This test ensures that the table is data of the home."""
    (tmp_path / LOCAL_FILE).write_text(
        "词,看哪里,类别,除外\n评议底稿,题名,工作秘密,\n党组,题名,不限制,\n处分,题名,处分,处分通报\n",
        encoding="utf-8-sig",
    )

    table = table_of(tmp_path)

    assert kind_of(Record("甲", "评议底稿汇总"), table) == "工作秘密"
    assert kind_of(Record("甲", "党组学习安排"), table) == ""
    assert kind_of(Record("甲", "处分通报"), table) == ""
    assert kind_of(Record("甲", "信访件"), table) == "信访"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("词,类别\n甲,乙\n", "缺少栏目"),
        ("词,看哪里,类别,除外\n甲,正文,乙,\n", "第 2 行：不认识“正文”"),
    ],
)
def test_a_bad_table_says_which_line(tmp_path: Path, content: str, said: str) -> None:
    """This test ensures that nothing is opened because a table could not be read."""
    (tmp_path / LOCAL_FILE).write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match=said):
        table_of(tmp_path)


@pytest.mark.parametrize("opening", ["", "开放"])
def test_restricted_kinds_are_hidden_even_when_marked_open(opening: str) -> None:
    """This test ensures that the reason names the kind and an open mark does not help."""
    petition = Record("甲", "关于信访件的函", opening=opening, department="信访科")
    minutes = Record("乙", "主任会议纪要", opening=opening, department="办公室")

    for role in (Role.PUBLIC, Role.DEPUTY):
        assert not may_read(Reader(role, "某人"), petition).allowed
        assert not may_read(Reader(role, "某人"), minutes).allowed
    verdict = may_read(Reader(Role.STAFF, "某人", "信访科"), petition)
    assert not verdict.allowed
    assert verdict.reason == "限制利用（信访），须经批准"
    assert may_read(Reader(Role.STAFF, "某人", "办公室"), minutes).allowed
    assert not may_read(Reader(Role.STAFF, "某人", "别处"), minutes).allowed
