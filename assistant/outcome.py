"""What became of a matter: the later records of its chain, for 后来办成了吗 and 结果呢."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assistant.chain_text import Span
from assistant.chains import Draft, DraftStep
from assistant.matter import Basis, StepKind
from assistant.precedents import Candidate, PrecedentFinder, Topic
from index.access import Permitted
from index.domain import Record
from index.text import search_form

_DONE: Final = r"办成|办结|办好|办完|办妥|办理完|解决|处理|落实|整改|答复|建成|修好|建好|完工|批准|通过|立法|动工|复工|开工|采纳|兑现|实现|生效|施行|执行"
#: A question for how a matter ended, search form.
_OUTCOME: Final = re.compile(
    rf"(?:{_DONE}|改|办|修|建)(?:得|到|好|完|成)?(?:位|了)?(?:吗|没有|没|么)(?=[?？。]*$)|(?:有没有|是否|是不是|到底|究竟)(?:已经?)?(?:{_DONE})"
    r"|(?:^|那|[,，的])(?:最后|最终|后来|结果|下文|进展)(?:呢|怎么样|怎样|如何|是什么|是啥|咋样|是怎样)"
    r"|(?:最后|最终|后来|到底|结果)(?:是|又|都|给)?(?:怎么|如何|咋)(?:样|处理|办|解决|答复|弄|说|整改|落实|改)|办(?:得|到)(?:怎么样|咋样|如何|哪一?步)"
    r"|(?:办理|处理|整改|落实)(?:的)?(?:结果|进展)(?:呢|如何|怎么样|是什么)?[?？。]*$|有(?:没有)?(?:下文|结果|进展)(?:了|吗|没有)?"
)
#: Steps a follow-up may ask for by name, the longer name first.
_STEPS: Final = (
    (re.compile(r"再次答复|第二次答复|重新(?:办理|答复)"), (StepKind.SECOND_REPLY,)),
    (re.compile(r"满意度|测评"), (StepKind.POLL, StepKind.DEPUTY_OPINION)),
    (re.compile(r"研究处理|整改(?:情况)?报告|整改落实"), (StepKind.FOLLOW_UP, StepKind.RECTIFICATION)),
    (re.compile(r"办理情况报告|办理报告"), (StepKind.HANDLING_REPORT,)),
    (re.compile(r"审议意见"), (StepKind.REVIEW_OPINION,)),
    (re.compile(r"征询意见|反馈意见|代表(?:满意|怎么评价)"), (StepKind.DEPUTY_OPINION,)),
    (re.compile(r"(?<!再次)(?<!第二次)答复"), (StepKind.REPLY, StepKind.SECOND_REPLY)),
    (re.compile(r"表决"), (StepKind.VOTE,)),
    (re.compile(r"改过|修改|修正|修订"), (StepKind.AMENDMENT, StepKind.REPEAL)),
    (re.compile(r"批准"), (StepKind.APPROVAL,)),
)  # fmt: skip
#: Steps that say how a matter went on.
_TELLING: Final = frozenset(StepKind) - {
    StepKind.PROPOSAL,
    StepKind.ASSIGNMENT,
    StepKind.PLAN,
    StepKind.DRAFT,
    StepKind.IN_FORCE,
}
_REPLIES: Final = frozenset({StepKind.REPLY, StepKind.SECOND_REPLY})
_TOTALS: Final = re.compile(r"\d\s*件")
#: Most records shown.
_MOST: Final = 5


def asks_outcome(form: str) -> bool:
    """Whether a question asks how the matter before ended.

    Args:
        form: Search form of the question as typed.
    """
    return bool(_OUTCOME.search(form)) and len(form) <= 30


def named_steps(form: str) -> frozenset[StepKind]:
    """Steps of a chain a question names (满意度测评, 再次答复); empty when it names none."""
    return frozenset(k for pattern, kinds in _STEPS[:5] if pattern.search(form) for k in kinds)


@dataclass(frozen=True, slots=True)
class LaterStep:
    """A later record of a matter with what to quote of it."""

    kind: StepKind
    record: Record
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Later records of the matters some records belong to.

    Attributes:
        matters: Names of the matters, with number and session where they have one.
        steps: Their later records, newest first; empty when there are none.
        others: Whether the steps are those of later matters on the same topic, the matters
            themselves having none.
    """

    matters: tuple[str, ...]
    steps: tuple[LaterStep, ...]
    others: bool = False

    @property
    def lead(self) -> str:
        """One line over the steps."""
        named = "；".join(self.matters[:2]) + ("等" if len(self.matters) > 2 else "")
        count = len({step.record.record_id for step in self.steps})
        if self.others:
            return f"“{named}”本身没有检得更晚的记录；同一主题后来还有 {count} 件，由近及远："
        return f"“{named}”后来的记录检得 {count} 件，由近及远："

    @property
    def nothing(self) -> str:
        """The sentence for no later record."""
        return (
            f"“{'；'.join(self.matters[:2])}”没有检得更晚的办理或处理记录，以下是已有记录里的说法。"
        )


class OutcomeFinder:
    """Finds later records by the chains of `PrecedentFinder`."""

    def __init__(self, precedents: PrecedentFinder) -> None:
        """Bind the chains of one generation."""
        self._precedents = precedents

    def later(
        self,
        records: Sequence[Record],
        permitted: Permitted,
        steps: frozenset[StepKind] = frozenset(),
        topic: Topic | None = None,
        *,
        calibrated: bool = True,
    ) -> Outcome | None:
        """What came after some records in the chains they belong to.

        Args:
            records: The records, best first; those a reader may not see must not be among them.
            permitted: What the reader may see; nothing else is looked at.
            steps: Only these kinds of steps, of any date; empty for all later ones.
            topic: Where the matter itself has no later record, later matters on this topic are
                looked for; None for not.
            calibrated: Whether the weights were fitted with the embedding model in use.

        Returns:
            None when the records belong to no matter.
        """
        drafts = self._precedents.drafts_of(records, permitted)
        if not drafts:
            return None
        cited = {r.record_id for r in records}
        found = [(d, s) for d in drafts for s in _later(d, cited, steps)]
        others = False
        if not found and topic is not None and not steps:
            since = max((r.date_iso for r in records), default="")
            own = {s.record.record_id for d in drafts for s in d.steps if s.record is not None}
            more = self._precedents.drafts_on(topic, permitted, calibrated=calibrated)
            found = [
                (d, s)
                for d in more
                for s in d.steps
                if _shown(s) and s.iso > since and s.record and s.record.record_id not in own
            ]
            others = bool(found)
        found.sort(key=lambda pair: pair[1].iso, reverse=True)
        chosen: dict[str, LaterStep] = {}
        for draft, step in found:
            if step.record is None or len(chosen) == _MOST:
                continue
            spans = self._spans(step, draft, permitted)
            old = chosen.get(step.record.record_id)
            if old is not None:
                spans = (*old.spans, *(s for s in spans if s not in old.spans))
            chosen[step.record.record_id] = LaterStep(step.kind, step.record, spans)
        names = tuple(dict.fromkeys(_name(d) for d in drafts))
        return Outcome(names, tuple(chosen.values()), others)

    def _spans(self, step: DraftStep, draft: Draft, permitted: Permitted) -> tuple[Span, ...]:
        """What to quote of a later step.

        The totals of a yearly report are not this matter's result; a later reply that looks back
        on the matter says more by its own result.
        """
        spans = self._precedents.spans_of(step, draft)
        if step.kind is StepKind.HANDLING_REPORT:
            return (*spans[:1], *(s for s in spans[1:] if not _TOTALS.search(s.text)))
        if step.kind is StepKind.MENTION and step.record is not None:
            for other in self._precedents.drafts_of([step.record], permitted):
                for own in other.steps:
                    if own.kind in _REPLIES and own.record == step.record:
                        spans = (*spans, *self._precedents.spans_of(own, other))
        return tuple(dict.fromkeys(spans))

    def of_numbers(self, topic: Topic, permitted: Permitted) -> list[Record]:
        """The proposals and replies a question names by number, oldest first."""
        found: list[Candidate] = self._precedents.by_number(topic, permitted)
        records = {e.record.record_id: e.record for c in found for e in c.seeds}
        return sorted(records.values(), key=lambda r: r.date_iso)


def _later(draft: Draft, cited: set[str], steps: frozenset[StepKind]) -> list[DraftStep]:
    if steps:
        return [s for s in draft.steps if s.kind in steps and s.record is not None]
    mine = [s.iso for s in draft.steps if s.record is not None and s.record.record_id in cited]
    since = max(mine, default="")
    later = [s for s in draft.steps if _shown(s) and s.iso > since]
    if later:
        return later
    # All was cited already: then what is last of it, unless that is the proposal alone.
    return [
        s
        for s in draft.steps
        if _shown(s) and s.iso == since and since > draft.iso and s.record is not None
    ]


def _shown(step: DraftStep) -> bool:
    """Whether a step says how the matter went on; a report that does not name it does not."""
    if step.record is None or step.kind not in _TELLING:
        return False
    return not (step.kind is StepKind.HANDLING_REPORT and step.basis is Basis.GUESS)


def _name(draft: Draft) -> str:
    title = re.sub(r"\s+", "", draft.title)
    return f"{title}（{draft.label}）" if draft.label and search_form(draft.label).text else title
