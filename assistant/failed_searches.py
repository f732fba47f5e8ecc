"""Questions that found nothing or were refused, out of the use register, for the archive's staff."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from assistant.register import Action, Entry, Register, Search
from index.text import matching_key

_POLITE: Final = re.compile(
    r"^(?:请问一下|请问|你好|您好|麻烦问一下|帮我查一下|查一下|帮我查|请查)+"
)
_PARTICLES: Final = re.compile(r"[吗呢吧啊呀么]+$")
_MARKS: Final = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class FailedSearch:
    """One question, however it was spelled, with what came of it.

    Attributes:
        question: Its newest spelling, made self-contained.
        reasons: (reason, how often), the commonest first.
        count: How often it was asked in vain.
        people: How many asked it.
        first: First time, UTC, ISO 8601 with `Z`.
        last: Last time.
    """

    question: str
    reasons: tuple[tuple[str, int], ...]
    count: int
    people: int
    first: str
    last: str


def failed_searches(
    register: Register, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> list[FailedSearch]:
    """Failed questions of a period, the commonest first, then the newest.

    Args:
        register: The use register.
        since: At or after this moment; None from the beginning.
        until: Before this moment; None to the end.

    Raises:
        RegisterError: If the register cannot be read.
    """
    groups: dict[str, list[tuple[str, Entry]]] = {}
    for entry in register.entries(Search(since, until, actions=(Action.REFUSE,))):
        asked = _standalone(entry)
        groups.setdefault(question_key(asked), []).append((asked, entry))
    found = []
    for rows in groups.values():  # newest first
        entries = [entry for _, entry in rows]
        reasons = Counter(entry.outcome for entry in entries)
        found.append(
            FailedSearch(
                rows[0][0],
                tuple(reasons.most_common()),
                len(entries),
                len({(entry.account or entry.person, entry.role) for entry in entries}),
                entries[-1].at,
                entries[0].at,
            )
        )
    found.sort(key=lambda f: (f.count, f.last), reverse=True)
    return found


def question_key(question: str) -> str:
    """A key under which spellings of one question fall together: width, marks, polite words."""
    key = _MARKS.sub("", matching_key(question))
    shorter = _PARTICLES.sub("", _POLITE.sub("", key))
    return shorter or key or question


def _standalone(entry: Entry) -> str:
    """The question as it reads without the conversation before it."""
    try:
        said = json.loads(entry.detail)["standalone"]
    except (KeyError, TypeError, ValueError):
        said = ""
    return said if isinstance(said, str) and said.strip() else entry.question
