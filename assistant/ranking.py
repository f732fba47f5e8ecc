"""Which sentence answers: a small linear model over features of a sentence in its surroundings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from assistant.question import Intent, Question
from index.sentences import Sentence
from index.text import TermFinder, is_han, lexical_tokens

_QUANTITY: Final = re.compile(
    r"[0-9〇零一二三四五六七八九十百千万亿两]+(?:\.[0-9]+)?"
    r"(?:年|个?月|日|人|个|元|万|亿|%|米|公里|岁|次|件|部|条|名|天|小时|分钟|秒|平方|公顷|吨|级|所|座|倍|位|只|户|种|周|度|票|公分|厘米|毫米|千克)"
    r"|百分之|[0-9]{3,}"
)
_DATE: Final = re.compile(
    r"[0-9]{4}年|[0-9]{1,2}月[0-9]{1,2}日|[〇零○一二三四五六七八九]{4}年|[0-9]{1,2}月|世纪"
)
_PERSON: Final = re.compile(
    r"先生|女士|同志|代表|委员|主任|市长|省长|县长|部长|局长|书记|主席|院长|部门|机关|委员会|政府|公安|[任由](?=[\u4e00-\u9fff])"
)
_BEFORE: Final = re.compile(
    r"([\u4e00-\u9fff]{1,4}?)(?:是|有|为|叫|在|于|的)?(?:什么|啥|多少|哪|几|谁|怎|咋|如何|何)"
)
_AFTER: Final = re.compile(r"(?:什么|啥|多少|哪些|哪个|几个|几|哪)([\u4e00-\u9fff]{1,4})")
_WHY: Final = re.compile(r"为什么|为啥|原因|怎么回事")
_CONNECTIVE: Final = re.compile(r"但|因此|所以|此外|其")

FEATURES: Final = (
    "coverage", "local_coverage", "gap", "focus", "quantity", "date", "person", "previous",
    "neighbours", "joint", "first", "length", "short", "connective", "why",
)  # fmt: skip

#: Logistic weights in the order of `FEATURES`; see docs/evaluation.md for how they were fitted.
WEIGHTS: Final = (
    -3.29, 4.27, -1.56, 0.93, 0.24, 0.60, 1.06, -0.82,
    -0.47, 2.04, -0.21, 0.12, 0.39, -0.14, 1.33,
)  # fmt: skip
INTERCEPT: Final = -3.56


def focus_terms(question: Question) -> frozenset[str]:
    """Character pairs beside the question word: what is asked *of* the subject."""
    found: set[str] = set()
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(question.form):
            word = match.group(1)
            found |= {word[i : i + 2] for i in range(len(word) - 1)} or {word}
    return frozenset(found)


def term_weight(term: str) -> float:
    """Weight of the kind of term: one character says less than a pair or a number."""
    return 0.4 if len(term) == 1 and is_han(term) else 1.0


def sentence_features(
    question: Question, sentences: Sequence[Sentence], rarity: Callable[[str], float]
) -> list[tuple[float, ...]]:
    """Features of each sentence among its neighbours.

    Args:
        question: The question as read.
        sentences: Neighbouring sentences of one stretch of a page, in order.
        rarity: Inverse document frequency of a term in the holdings.

    Returns:
        One tuple per sentence in the order of `FEATURES`.
    """
    terms = list(dict.fromkeys(t for r in question.content for t in lexical_tokens(r)))
    focus = focus_terms(question)
    held = TermFinder((*terms, *focus))
    tokens = [held(s.form) for s in sentences]
    asked = [[t for t in terms if t in own] for own in tokens]
    count = Counter(t for own in asked for t in own)
    total = len(sentences)
    wide = {t: rarity(t) * term_weight(t) for t in terms}
    near = {t: math.log(1 + total / count[t]) * term_weight(t) for t in terms if count[t]}
    wide_sum, near_sum = sum(wide.values()) or 1.0, sum(near.values()) or 1.0
    coverage = [sum(wide[t] for t in own) / wide_sum for own in asked]
    local = [sum(near[t] for t in own) / near_sum for own in asked]
    best = max(local, default=0.0)
    why = bool(_WHY.search(question.form))
    features: list[tuple[float, ...]] = []
    for i, sentence in enumerate(sentences):
        window = frozenset().union(*tokens[max(0, i - 3) : i + 1])
        joint = sum(w for t, w in near.items() if t in window) / near_sum
        neighbours = [local[k] for k in (i - 1, i + 1) if 0 <= k < total]
        form = sentence.form
        features.append(
            (
                coverage[i],
                local[i],
                best - local[i],
                len(focus & tokens[i]) / max(1, len(focus)),
                float(question.intent is Intent.NUMBER and bool(_QUANTITY.search(form))),
                float(question.intent is Intent.WHEN and bool(_DATE.search(form))),
                float(question.intent is Intent.WHO and bool(_PERSON.search(form))),
                local[i - 1] if i else 0.0,
                max(neighbours, default=0.0),
                joint,
                float(i == 0),
                math.log(len(form) + 1),
                float(len(form) < 12),
                float(bool(_CONNECTIVE.match(form))),
                float(why and "因" in form),
            )
        )
    return features


def rank_sentences(
    question: Question, sentences: Sequence[Sentence], rarity: Callable[[str], float]
) -> list[float]:
    """Log-odds that each sentence holds the answer; comparable within one stretch of text."""
    return [
        INTERCEPT + sum(w * x for w, x in zip(WEIGHTS, row, strict=True))
        for row in sentence_features(question, sentences, rarity)
    ]
