"""What kind of thing a question asks for (a sum, a date, votes …), and whether a text holds one."""

from __future__ import annotations

import re
from typing import Final

from assistant.question import Question

_NUMERAL: Final = r"[0-9〇零一二三四五六七八九十百千万两]"
#: What a question asks for, and what must then stand in the text for it to be an answer.
_ATTRIBUTES: Final = tuple(
    (re.compile(asked), re.compile(needed))
    for asked, needed in (
        (r"电话(?:号码|是|多少|和|、)|联系电话|手机号|联系方式", r"[0-9]{3,4}-[0-9]{7,8}|1[0-9]{10}|[0-9]{7,8}"),
        (r"历任|历届.{0,12}(?:谁|名单|哪些人)", r"历任|历届|任职"),
        (r"几票|得票|票数|多少票|赞成.{0,8}反对", rf"{_NUMERAL}+票"),
        (r"罚.{0,4}(?:多少|几)|罚款.{0,6}多少", rf"{_NUMERAL}元|{_NUMERAL}倍|%|百分之|没收|警告|拘留|收费额"),
        (r"怎么(?:处)?罚|罚不罚", r"罚|没收|警告|拘留|收费额"),
        (r"多少钱|几块钱|花多少|多少元|收多少费", rf"{_NUMERAL}元|费|%|百分之|免"),
        (r"率(?:是|为|有|达)?多少|百分之几|占比|比例(?:是|为)?多少", r"[0-9]%|百分之|率"),
        (
            r"哪(?:一)?[天年月]|什么时候|啥时候|何时|几号(?!文|建|议|提)|几月",
            r"[0-9]年|[0-9]月|[0-9]日|[〇零○一二三四五六七八九]年|期间",
        ),
        (r"几天|多久|多长时间|几个月|几年|多少天|几分钟|几秒", rf"{_NUMERAL}个?(?:工作)?(?:日|天|月|年|小时|分钟|秒|周|季)|每个?(?:年|月|季|日|周)"),
        (r"多少|几(?=[个件部条户人级次名位所项平])", _NUMERAL),
    )
)  # fmt: skip


def attribute_present(question: Question, form: str) -> bool:
    """Whether a text holds the kind of thing a question asks for (a sum, a date, votes …).

    True when the question asks for nothing that can be told by its form.
    """
    for asked, needed in _ATTRIBUTES:
        if asked.search(question.form):
            return bool(needed.search(form))
    return True
