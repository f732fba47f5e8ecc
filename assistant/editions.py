"""What the holdings say of a quoted regulation's editions: a draft, a text since changed, one repealed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from assistant.chain_roles import places_agree
from assistant.domain import Citation, mark
from assistant.matter import StepKind
from assistant.matter_register import Entry, MatterRegister
from assistant.question import Intent, Question
from index.access import Permitted
from index.domain import Record

#: Words of a question that is about the making of a text, not about what it says now.
_MAKING: Final = re.compile(
    r"草案|说明|一审|二审|审议|原来|原先|当初|最初|以前|之前|旧|老版|修改前|提高到|改成|改为|委员|提出|建议"
)
#: Papers made before a text was adopted: what they say is proposed, not law.
_BEFORE: Final = frozenset(
    {StepKind.DRAFT, StepKind.FIRST_READING, StepKind.SECOND_READING, StepKind.VOTE}
)
#: Papers that change what an earlier text says.
_CHANGES: Final = {
    StepKind.ADOPTION: "文本",
    StepKind.AMENDMENT: "修改它的文件",
    StepKind.REPEAL: "废止它的文件",
}
_OLD_TOO: Final = frozenset({Intent.VERSION, Intent.WHEN, Intent.COMPARE, Intent.LOOK_UP})
_LIMITS: Final = "这里只说馆藏记载；现行有效与否，请查国家法律法规数据库。"


def edition_notes(
    citations: Sequence[Citation], register: MatterRegister, permitted: Permitted
) -> tuple[str, ...]:
    """Sentences that keep a draft or an old text from being read as the rule in force.

    Told only from the titles and dates of records the reader may see; nothing is said where the
    holdings have no other edition.

    Args:
        citations: The quotations of an answer.
        register: Steps of the catalogue.
        permitted: What the reader may see.
    """
    notes: list[str] = []
    told: dict[str, list[int]] = {}
    for citation in citations:
        entry = register.entry(citation.record)
        if entry.facts.law:
            sentence = _sentence(entry, register, permitted)
            if sentence:
                told.setdefault(sentence, []).append(citation.marker)
    for sentence, markers in told.items():
        notes.append("".join(map(mark, markers)) + sentence)
    return (*notes, _LIMITS) if notes else ()


def outdated(
    question: Question, register: MatterRegister, permitted: Permitted
) -> Callable[[Record], bool]:
    """Tells records whose text a later one the reader may see has replaced.

    Nothing is outdated to a question with a year or about how a text was made.

    Args:
        question: The question as read.
        register: Steps of the catalogue.
        permitted: What the reader may see.
    """
    if question.years_asked or question.intent in _OLD_TOO or _MAKING.search(question.form):
        return lambda _: False

    def is_outdated(record: Record) -> bool:
        entry = register.entry(record)
        whole = (StepKind.ADOPTION,)
        if entry.facts.role not in (*_BEFORE, *whole):
            return False
        return any(other.facts.role in whole for other in _later(entry, register, permitted))

    return is_outdated


def _later(entry: Entry, register: MatterRegister, permitted: Permitted) -> list[Entry]:
    """Later papers that say what a text says from then on, oldest first."""
    facts = entry.facts
    found = [
        other
        for other in register.of_law(facts.law, permitted)
        if other.number != entry.number
        and places_agree(other.facts.place, facts.place)
        and other.facts.role in _CHANGES
        and "" < entry.date < other.date
    ]
    return sorted(found, key=lambda other: other.date)


def _sentence(entry: Entry, register: MatterRegister, permitted: Permitted) -> str:
    facts = entry.facts
    later = _later(entry, register, permitted)
    if facts.role in _BEFORE:
        said = f"出自《{facts.law}》通过以前的文件，是拟议的内容"
    elif facts.role in (StepKind.ADOPTION, StepKind.AMENDMENT) and later:
        said = f"出自《{facts.law}》{_when(entry)}的文本"
    else:
        return ""
    if not later:
        return f"{said}；馆藏可查范围内未见其后的文本。"
    newest = later[-1]
    kind = _CHANGES[newest.facts.role or StepKind.ADOPTION]
    return f"{said}；其后馆藏有{_when(newest)}的{kind}：《{newest.record.title.strip('《》')}》。"


def _when(entry: Entry) -> str:
    year, _, rest = entry.date.partition("-")
    month = rest.partition("-")[0].lstrip("0")
    return f"{year}年{month}月" if month else f"{year}年"
