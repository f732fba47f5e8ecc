"""What the web server remembers between requests: conversations and recent answers."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from assistant.domain import Answer, Citation, Reading, Refusal, Turn
from assistant.filters import NO_FILTERS, Filters
from assistant.search import SearchFilter
from assistant.suggestions import Suggestion
from index.domain import Coverage, Reader
from index.settings import Settings
from index.store import Store
from ui.remembered import Origin

#: Turns a conversation keeps for understanding follow-up questions.
_TURNS_KEPT: Final = 12
#: Exchanges that stay on the page.
_EXCHANGES_SHOWN: Final = 60


class Asker(Protocol):
    """What the pages need of the assistant."""

    @property
    def store(self) -> Store:
        """The holdings."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def generation(self) -> str:
        """Name of the index generation in use."""

    @property
    def model(self) -> str:
        """Identity of the embedding model in use."""

    @property
    def composes(self) -> bool:
        """Whether `compose` may add anything."""

    def search(
        self, words: str, reader: Reader, most: int, wanted: SearchFilter | None = None
    ) -> tuple[tuple[Citation, ...], Coverage]:
        """Passages by rank, not judged, and what was searched."""

    def ask(
        self,
        question: str,
        conversation: Sequence[Turn],
        reader: Reader,
        without: Collection[str] = (),
        *,
        precedents: bool = False,
        filters: Filters = NO_FILTERS,
    ) -> Answer | Refusal:
        """Answer a question for a reader without some readings of it, or its precedents only."""

    def next_questions(
        self, answer: Answer, reader: Reader, filters: Filters = NO_FILTERS
    ) -> tuple[Suggestion, ...]:
        """Questions that lead on from an answer and have an answer; slow."""

    def other_words(
        self,
        result: Answer | Refusal,
        reader: Reader,
        filters: Filters = NO_FILTERS,
        *,
        precedents: bool = False,
    ) -> tuple[Suggestion, ...]:
        """A question in other words that have an answer; slow."""

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """The answer with joining text by a language model, or the same; slow."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked, so that it can be asked again with a reading taken off.

    Attributes:
        question: As typed.
        turns: The exchanges before it.
        without: Readings taken off so far, by key.
        readings: What was read into it.
        precedents: Whether its precedents only were asked for.
        filters: Conditions set beside it.
    """

    question: str
    turns: tuple[Turn, ...]
    without: tuple[Reading, ...] = ()
    readings: tuple[Reading, ...] = ()
    precedents: bool = False
    filters: Filters = NO_FILTERS


@dataclass(slots=True)
class Session:
    """One conversation on one open page. Holds no rights: the reader is asked for every time.

    Attributes:
        turns: Finished exchanges, oldest first, for follow-up questions.
        shown: (question, answer) as Markdown, oldest first; what the page shows.
        waiting: The answer a language model is to add joining text to, with the token of its
            chips and what is shown of it.
        asked: Questions whose readings can be taken off, by the token their chips carry.
        conversation: Id of the conversation in the history, empty before its first exchange.
        waiting_origin: How the question of `waiting` was asked, and its number in the history.
        use: Ties the entries of the use register together; empty before the first question.
    """

    turns: list[Turn] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    waiting: tuple[Answer, str, str] | None = None
    asked: OrderedDict[str, Asked] = field(default_factory=OrderedDict)
    conversation: str = ""
    waiting_origin: tuple[Origin, dt.datetime, int] | None = None
    use: str = ""

    def begin(self, question: str, pending: str) -> None:
        """Show a question with a waiting line."""
        # Not when the session is made: every page begins with a copy of the same one.
        self.use = self.use or secrets.token_hex(8)
        self.shown.append((question, pending))
        del self.shown[:-_EXCHANGES_SHOWN]

    def show(self, answer: str) -> None:
        """Replace what is shown under the newest question."""
        self.shown[-1] = (self.shown[-1][0], answer)

    def show_instead(self, old: str, new: str) -> None:
        """Replace an answer wherever it stands by now; nothing happens once it has gone."""
        self.shown[:] = [(q, new if answer == old else answer) for q, answer in self.shown]

    def remember(self, turn: Turn) -> None:
        """Keep a finished exchange."""
        self.turns.append(turn)
        del self.turns[:-_TURNS_KEPT]

    def keep(self, asked: Asked) -> str:
        """Keep a question for its chips; returns the token they carry."""
        token = secrets.token_hex(8)
        self.asked[token] = asked
        while len(self.asked) > _EXCHANGES_SHOWN:
            self.asked.popitem(last=False)
        return token

    def without(self, chip: str) -> Asked | None:
        """The question of a chip (`token-number`) with that reading taken off, None if unknown."""
        token, _, number = chip.partition("-")
        before = self.asked.get(token)
        if before is None or not number.isdecimal() or int(number) >= len(before.readings):
            return None
        off = before.readings[int(number)]
        return replace(before, without=(*before.without, off), readings=())

    def clear(self) -> None:
        """Forget everything."""
        self.use = ""
        self.asked.clear()
        self.turns.clear()
        self.shown.clear()
        self.waiting = None
        self.waiting_origin = None
        self.conversation = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as it was put on a page.

    Attributes:
        reader: Who asked.
        result: The answer or refusal.
        origin: How it was asked and with what it was answered.
        when: When, with the zone.
        conversation: Id in the history, empty when nothing is kept.
        returned: Whether it came back from the history.
    """

    reader: Reader
    result: Answer | Refusal
    origin: Origin
    when: dt.datetime
    conversation: str = ""
    returned: bool = False


class RecentAnswers:
    """The newest results by id, each bound to the reader who asked. Safe between threads."""

    def __init__(self, capacity: int = 2000) -> None:
        """Keep at most `capacity` answers."""
        self._capacity = capacity
        self._answers: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def add(
        self,
        reader: Reader,
        result: Answer | Refusal,
        origin: Origin | None = None,
        when: dt.datetime | None = None,
        conversation: str = "",
        *,
        returned: bool = False,
    ) -> str:
        """Keep a result; returns its id, 32 hexadecimal digits that cannot be guessed."""
        answer_id = secrets.token_hex(16)
        when = when or dt.datetime.now().astimezone()
        shown = Shown(reader, result, origin or Origin(), when, conversation, returned)
        with self._lock:
            self._answers[answer_id] = shown
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)
        return answer_id

    def get(self, answer_id: str, reader: Reader) -> Answer | None:
        """The answer, or None when it is unknown, dropped, a refusal, or another reader's."""
        shown = self.shown(answer_id, reader)
        return shown.result if shown is not None and isinstance(shown.result, Answer) else None

    def shown(self, answer_id: str, reader: Reader) -> Shown | None:
        """The answer or refusal with how it was asked, None as for `get`."""
        with self._lock:
            found = self._answers.get(answer_id)
            if found is None or found.reader != reader:
                return None
            self._answers.move_to_end(answer_id)
            return found
