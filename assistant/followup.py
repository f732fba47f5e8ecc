"""A follow-up made self-contained from the turns before it, by rule and visibly."""

from __future__ import annotations

import re
from typing import Final

from assistant.domain import Answer, Conversation, Refusal, RefusalReason
from assistant.gazetteer import Gazetteer
from assistant.question import content_runs
from index.text import search_form

#: What a question starts or ends with when it leans on the one before.
_LEANING_START: Final = re.compile(
    r"^(?:那(?!个?(?:省|市|县|区)人大)|这(?!几年)|它|他|她|其|该|此|人家|上面|上述|前面|刚才|还有|再|又|换成|同样|另外|后来|最后|之后|然后|具体|如果是|要是|县|区|省里|市里|协办|主办|第[一二三四五六七八九十0-9]个)"
)
_PRONOUN: Final = re.compile(
    r"(?:^|[，,。 ])?(?:它|他们|她们|他|她|其中|该件|该文|此件|这件|那件|这份|那份|这部|那部|这个|那个|这次|那次|这回|那回|上一条|上一件|上次|他们说的|人家)"
)
_ENDING: Final = re.compile(r"呢[？?。!！]*$")
_SAME: Final = re.compile(r"^.{2,8}(?:也|同样)(?:是|要|得|有|能|可以|这|那)")
_BARE: Final = re.compile(r"^(?:那么?|这|再|又|还有|换成|要是|如果是|嗯|哦|好)[，,、 ]*")
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}(?=年|[^0-9])")
_ONLY_CHANGE: Final = re.compile(
    r"^(?:那么?|换成|要是|如果是|再看|还有)?[，, ]*(.{1,14}?)(?:的|年|那(?:边|里|年))?(?:呢|怎么样|怎样|如何|又如何)[？?。!！]*$"
)


def needs_context(question: str, gazetteer: Gazetteer) -> bool:
    """Whether a question cannot be understood without the one before it."""
    form = search_form(question).text
    if _ENDING.search(form) or _LEANING_START.search(form) or _SAME.search(form):
        return True
    if _PRONOUN.search(form) and len(form) < 40:
        return True
    places, _ = gazetteer.places_in(form)
    # 罚多少？ 哪天通过的？: hardly a content word and no place, year or title to hold on to.
    content = sum(len(run) for run in content_runs(form))
    return content <= 3 and not places and not _YEAR.search(form) and "《" not in question


def standalone_question(question: str, turns: Conversation, gazetteer: Gazetteer) -> str:
    """Make a question self-contained.

    What the new question names (a year, a place) replaces what the earlier one named; the rest of
    the earlier question is kept. Without earlier turns, or when the question stands by itself, it
    comes back unchanged.

    Args:
        question: As typed.
        turns: Earlier turns, oldest first.
        gazetteer: Places of the holdings.
    """
    question = question.strip()
    if not turns or not needs_context(question, gazetteer):
        return question
    before = _standalone_of(turns)
    form = search_form(question).text
    change = _ONLY_CHANGE.match(question)
    years = _YEAR.findall(form)
    places, unknown = gazetteer.places_in(form)
    old_places, _ = gazetteer.places_in(search_form(before).text)
    base = before
    if years and _YEAR.search(base):
        base = _YEAR.sub(years[0], base)
    if (places or unknown) and old_places:
        base = _swap_place(base, old_places, (places or unknown)[0], gazetteer)
    if change and (years or places or unknown):
        return base
    rest = _BARE.sub("", question)
    return f"{base.rstrip('？?。!！')}，{rest}"


def searched_turns(turns: Conversation) -> Conversation:
    """The turns that were searched: a request turned away unsearched is no subject to go on with.

    Otherwise its wording, carried into the next question, would have that turned away too.
    """
    searched = (RefusalReason.NOT_FOUND, RefusalReason.EMPTY)
    return [
        turn
        for turn in turns
        if not isinstance(turn.result, Refusal) or turn.result.reason in searched
    ]


def _standalone_of(turns: Conversation) -> str:
    return turns[-1].result.standalone or turns[-1].question


def _swap_place(text: str, old: tuple[str, ...], new: str, gazetteer: Gazetteer) -> str:
    for place in old:
        for name in (place, gazetteer.short(place)):
            if name in text:
                return text.replace(name, new if name == place else gazetteer.short(new))
    return text


def previous_records(turns: Conversation) -> tuple[str, ...]:
    """Ids of the records the last answer cited, best first; empty after a refusal."""
    if not turns or not isinstance(turns[-1].result, Answer):
        return ()
    answer = turns[-1].result
    ids = [c.record.record_id for c in answer.citations] + [
        item.record.record_id for item in answer.listings
    ]
    return tuple(dict.fromkeys(ids))
