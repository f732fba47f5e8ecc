"""Record text and questions that speak to the answering machine instead of about the matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from index.sentences import Sentence
from index.text import search_form

_MACHINE: Final = r"(?:ai|人工智能|大?语言模型|大模型|智能(?:助手|体|问答)|聊天机器人|机器人|chatgpt|gpt|assistant|chatbot|llm)"
_ORDERS: Final = re.compile(
    rf"请{_MACHINE}(?:系统|助手)?.{{0,6}}(?:直接|务必|必须|不要|不得|只|回答|答复|回复|输出|忽略|告诉|认定|按)"
    rf"|(?:作为|身为|你是|您是)(?:一个|一名)?{_MACHINE}"
    rf"|{_MACHINE}(?:系统|助手)?(?:请|务必|必须|应|须|应当)(?:直接|立即|马上)?(?:回答|答复|回复|输出|忽略|认定)"
    r"|(?:忽略|无视|不要理会|不必理会|忘记|取代)(?:掉)?(?:以上|上述|前面|之前|上面|先前|此前|所有|一切|你的|系统)(?:的)?.{0,4}(?:指令|提示|提示词|要求|规则|规定|设定|限制|内容)"
    r"|(?:ignore|disregard|forget)(?:all|any|the|your|previous|prior|above|every)"
    r"|you are (?:now|an?)|system ?prompt|系统提示词|</?(?:system|assistant|user|instructions?)>"
    r"|(?:回答|答复|输出)时?.{0,8}(?:不要|无需|不必|不得)(?:引用|标注|注明|给出)(?:出处|来源|原文)"
)
_SPACES: Final = re.compile(r"(?<=[a-z]) (?=(?:all|any|the|your|previous|prior|above|every))")
#: Zero-width, direction and other characters that print nothing.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


#: Without one of these no order is given; most sentences need no closer look.
_HINT: Final = re.compile(
    "ai|人工智能|模型|助手|智能体|智能问答|机器人|gpt|assistant|chatbot|llm|忽略|无视|不要理会|不必理会|忘记|取代"
    "|ignore|disregard|forget|you ?are|system|提示词|<|出处|来源|引用|标注"
)
_ABOUT_MACHINES: Final = re.compile("(?<![a-z])ai(?![a-z])|人工智能|大模型|语言模型|提示词|指令")
_LEADS_ON: Final = ("：", ":", "，", ",", "、")


def visible(text: str) -> str:
    """A text without the characters that print nothing."""
    return _INVISIBLE.sub("", text)


def gives_orders(text: str) -> bool:
    """Whether a text tells an answering machine what to do or say.

    Such a sentence is quoted as it stands, but it is no evidence for what it says, and a language
    model is never shown it. Invisible characters between the words do not hide it.
    """
    form = search_form(visible(text)).text
    if not _HINT.search(form):
        return False
    return bool(_ORDERS.search(_SPACES.sub("", form)))


def orders_among(sentences: Sequence[Sentence], question_form: str = "") -> frozenset[int]:
    """Starts of the sentences that give orders, by themselves or led on to by the one before.

    None when the question itself is about machines: then such words may be what it is after.

    Args:
        sentences: Neighbours in order.
        question_form: Search form of the question.
    """
    if _ABOUT_MACHINES.search(question_form):
        return frozenset()
    found: set[int] = set()
    for before, sentence in zip((None, *sentences), sentences, strict=False):
        text = sentence.text
        if before is not None and before.text.rstrip().endswith(_LEADS_ON):
            text = before.text + text
        hinted = _HINT.search(search_form(text).text if text != sentence.text else sentence.form)
        if (hinted or _INVISIBLE.search(text)) and gives_orders(text):
            found.add(sentence.start)
    return frozenset(found)
