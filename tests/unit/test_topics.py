"""Topics offered on the page of precedents."""

from __future__ import annotations

import pytest

from assistant.topics import proposal_topics
from index.domain import Record


def _record(title: str, year: int = 2018) -> Record:
    return Record(f"{title}{year}", title, year=year)


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("关于加强电动自行车充电安全管理的建议（第47号）", "电动自行车充电安全管理"),
        ("关于进一步加快推进养老服务的建议", "养老服务"),
        ("关于制定示例市青沙河保护条例的议案（第3号议案）", "示例市青沙河保护条例"),
        ("关于在西塘县白石镇设置看守房的建议（第36号）", "在西塘县白石镇设置看守房"),
        ("对市十五届人大二次会议第47号建议的答复", None),
        ("关于代表议案处理意见的报告", None),
        ("关于水的建议", None),
        ("关于" + "很长" * 12 + "的建议", None),
    ],
)
def test_the_matter_is_taken_from_the_title(title: str, topic: str | None) -> None:
    assert proposal_topics([_record(title)]) == ((topic,) if topic else ())


def test_the_latest_come_first_and_each_once() -> None:
    records = [_record("关于加装电梯的建议", 2015), _record("关于养老服务的建议", 2016)]

    assert proposal_topics([*records, _record("关于规范加装电梯的建议", 2020)]) == (
        "加装电梯", "养老服务",
    )  # fmt: skip
    assert proposal_topics(records, most=1) == ("养老服务",)
