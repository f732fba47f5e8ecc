"""Questions that ask two things at once, taken apart: 多少天内回话？拖着不回咋算."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

#: What makes a clause ask something. 几 and 哪 of other words (几乎, 哪怕) ask nothing.
_ASKS: Final = re.compile(
    r"多少|几(?!乎|号文|经)|谁|哪(?!怕)|什么|啥|怎么|怎样|咋|如何|为什么|为何|多[久长大远高]|[吗么]$|不$|没$|没有$|能不能|是不是|行不行|有没有|可不可以"
)
_STOPS: Final = re.compile(r"[，,。？?；;！!]+")
#: A clause that only repeats or softens what the one before asks.
_IDLE: Final = re.compile(
    r"^(?:都|又|各|分别|到底|究竟)?(?:是(?:什么|多少|谁|哪些|怎么回事)|有(?:哪些|什么|几个|多少)|怎么(?:样|回事|说|规定的?)|行不行|对不对|是不是|有没有|可不可以|能不能行?)$"
)
#: Clauses shorter than this ask nothing of their own.
_SHORTEST: Final = 4
_MOST: Final = 3


def asked_parts(text: str) -> list[str]:
    """The questions in a question, each with what the first is about; empty for a single one.

    Args:
        text: A self-contained question.

    Returns:
        Two or three questions in their order. The clauses before the first that asks go with each,
        and for the later ones the words of the first before its question word too.
    """
    clauses = [c.strip() for c in _STOPS.split(text) if c.strip()]
    asking = [i for i, c in enumerate(clauses) if _ASKS.search(c)]
    asking = [
        i
        for n, i in enumerate(asking)
        if n == 0 or (len(clauses[i]) >= _SHORTEST and not _IDLE.match(clauses[i]))
    ]
    if len(asking) < 2 or len(asking) > _MOST:
        return []
    first = asking[0]
    found = _ASKS.search(clauses[first])
    about = [*clauses[:first], clauses[first][: found.start()] if found else ""]
    parts = ["，".join(clauses[: first + 1])]
    for before, at in pairwise(asking):
        # A clause that asks nothing belongs to the question after it.
        parts.append("，".join(filter(None, [*about, *clauses[before + 1 : at + 1]])))
    return parts
