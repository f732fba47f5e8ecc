"""Questions that ask two things."""

from __future__ import annotations

import pytest

from assistant.parts import asked_parts


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "统计局来查数，单位得多少天内回话？拖着不回咋算",
            ["统计局来查数，单位得多少天内回话", "统计局来查数，单位得，拖着不回咋算"],
        ),
        (
            "示例市房产税实际收了多少，比上一年涨多少？",
            ["示例市房产税实际收了多少", "示例市房产税实际收了，比上一年涨多少"],
        ),
        ("示例市养犬一户限养几只？", []),
        ("供热条例哪年通过的，是哪年？", []),
        ("老楼想装电梯，得多少户点头才成？", []),
        ("他几乎没来过，哪怕一次", []),
        ("谁提的？谁附议的？谁答复的？谁不满意？", []),
    ],
)
def test_each_question_goes_with_what_the_first_is_about(question: str, parts: list[str]) -> None:
    """This test ensures that the later question keeps the subject of the first."""
    assert asked_parts(question) == parts
