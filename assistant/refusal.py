"""Whether the evidence answers the question: features and a calibrated threshold, in code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from assistant.excerpts import Excerpt, covered
from assistant.question import Intent, Question
from assistant.retrieval import Evidence, year_agreement
from index.text import lexical_tokens, search_form

FEATURES: Final = (
    "cosine", "coverage", "near_coverage", "odds", "missing", "place_match", "place_mismatch",
    "place_unknown", "year_missing", "year_mismatch", "quantity_absent", "title_overlap",
)  # fmt: skip

#: Logistic weights in the order of `FEATURES`, fitted by tests/bench; see docs/evaluation.md.
WEIGHTS: Final[tuple[float, ...]] = (8.0, 2.0, 3.0, 0.35, -1.0, 0.6, -2.5, -2.0, -1.5, -0.8, -0.5, 0.5)
INTERCEPT: Final = -8.2
#: Answer when the log-odds of "the evidence answers it" reach this.
THRESHOLD: Final = 0.0

_LAW_NOW: Final = re.compile(
    r"(?:现行|现在|如今|目前|最新)(?:的)?(?:法律|法规|国家|规定|物业|政策).{0,20}(?:怎么|如何|规定|多少)|现在.{0,12}(?:怎么规定|怎么罚|罚多少)"
)
_CERTIFICATE: Final = re.compile(r"出(?:具|个|一?份)?(?:给我)?.{0,6}证明|开.{0,4}证明|盖章|公章")
_DRAFTING: Final = re.compile(r"(?:写|拟|起草|生成|改)(?:成|一?[篇份个]|出)?.{0,8}(?:发言稿|讲话|总结|报告|文章|稿子)|发我邮箱|发到.{0,6}邮箱")
_INJECTION: Final = re.compile(
    r"忽略(?:以上|前面|上面|之前|所有)|无视(?:以上|规定)|system ?prompt|系统提示词|涉密目录|绕过(?:权限|规定)|ignore (?:all|previous)|越权|导出全部"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether to answer, with the features that said so.

    Attributes:
        answers: True when the evidence passes.
        odds: Log-odds of the evidence answering the question.
        features: Values in the order of `FEATURES`.
    """

    answers: bool
    odds: float
    features: tuple[float, ...]


def out_of_scope(form: str) -> str | None:
    """The kind of request the system never serves, None when the question is ordinary.

    Returns:
        `规定` for law in force today, `出证` for certificates, `代写` for drafting and sending,
        `注入` for attempts to get round the rules.
    """
    if _INJECTION.search(form):
        return "注入"
    if _CERTIFICATE.search(form):
        return "出证"
    if _DRAFTING.search(form):
        return "代写"
    if _LAW_NOW.search(form):
        return "规定"
    return None


def judge(
    question: Question,
    evidence: Sequence[Evidence],
    excerpts: Sequence[Excerpt],
    rarity: Callable[[str], float],
) -> Judgement:
    """Weigh the best excerpts against what was asked."""
    if not excerpts or not evidence:
        return Judgement(False, -99.0, (0.0,) * len(FEATURES))
    values = refusal_features(question, evidence, excerpts, rarity)
    odds = INTERCEPT + sum(w * x for w, x in zip(WEIGHTS, values, strict=True))
    return Judgement(odds >= THRESHOLD, odds, values)


def refusal_features(
    question: Question,
    evidence: Sequence[Evidence],
    excerpts: Sequence[Excerpt],
    rarity: Callable[[str], float],
) -> tuple[float, ...]:
    """Features of the answer about to be given, in the order of `FEATURES`."""
    top = excerpts[0]
    record = top.evidence.record
    head = search_form(
        f"{record.title} {record.author} {record.doc_no} {record.date} {record.meeting} "
        + " ".join(value for _, value in record.extra)
    ).text
    same = [e for e in evidence[:20] if e.record.record_id == record.record_id]
    near = head + "".join(search_form(e.hit.passage.text).text for e in same)
    quoted = head + "".join(
        e.form for e in excerpts[:3] if e.evidence.record.record_id == record.record_id
    )
    there = set(lexical_tokens(near))
    missing = sorted((rarity(t) for t in question.content_terms if t not in there), reverse=True)
    heaviest = max((rarity(t) for t in question.content_terms), default=1.0) or 1.0
    named_years = [str(y) for y in question.years]
    wants_number = question.intent is Intent.NUMBER
    return (
        max((e.hit.cosine or 0.0) for e in evidence[:10]),
        covered(question, near, rarity),
        covered(question, quoted, rarity),
        top.odds,
        sum(missing[:3]) / (3 * heaviest),
        float(top.evidence.place > 0),
        float(top.evidence.place < 0),
        float(
            bool(question.unknown_places) and not any(p in near for p in question.unknown_places)
        ),
        float(bool(named_years) and not any(y in near for y in named_years)),
        float(year_agreement(question, record) < 0),
        float(wants_number and not re.search(r"[0-9〇一二三四五六七八九十百]", top.form)),
        top.evidence.title_overlap,
    )
